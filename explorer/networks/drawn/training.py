"""The training loop of the bundled networks: resumable to the step, the same on every Keras backend."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from explorer.networks.drawn.attack import fast_gradient, input_gradient
from explorer.networks.drawn.batches import batches
from explorer.networks.drawn.model import LOGITS_LAYER, STEM_LAYER, build
from explorer.networks.drawn.recipe import Recipe
from explorer.networks.drawn.stem import SmoothKernels, blurred
from explorer.networks.drawn.weights import load_weights, put_weights, save_arrays, take_weights

CHECKPOINT = "checkpoint.npz"


class OtherRecipeError(ValueError):
    """The folder holds a run with another recipe."""


@dataclass
class Trained:
    """A finished or stopped run.

    Attributes:
        model: the network; its weights are those of `step`.
        recipe: what it was trained with.
        step: how many steps were done.
        history: one row of numbers per report: step, seconds, loss, accuracy, sometimes validation accuracy.
        seconds: time spent in training steps, over all sittings.
    """

    model: keras.Model
    recipe: Recipe
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0


def train(
    recipe: Recipe,
    pixels: np.ndarray,
    labels: np.ndarray,
    folder: Path,
    *,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    report: Callable[[str], None] = print,
    report_every: int = 100,
    checkpoint_seconds: float = 60.0,
    stop_at: int | None = None,
) -> Trained:
    """Train a network, going on from the folder's checkpoint if there is one.

    Args:
        recipe: what to do.
        pixels: training pictures, uint8 `(n, h, w, 3)`, drawn ahead.
        labels: their classes, int `(n,)`.
        folder: where the checkpoint lies; written through a temporary name.
        validation: pictures (uint8) and labels that are measured after each epoch.
        report: receives one line of progress at a time.
        report_every: steps between two reports.
        checkpoint_seconds: time between two checkpoints; one is also written at the end.
        stop_at: stop before this step, as if killed just after a checkpoint.

    Returns:
        The trained network, its history and the seconds that it took.

    Raises:
        OtherRecipeError: if the checkpoint was made with another recipe.
    """
    run = _prepare(recipe, pixels.shape[1])
    _resume(run, folder, report)
    gradient = input_gradient(run.model) if recipe.radius else None
    blur_steps = recipe.blur_steps()
    classes = run.model.output_shape[-1]
    last = recipe.steps if stop_at is None else min(stop_at, recipe.steps)
    stream = batches(pixels, labels, seed=recipe.seed, batch=recipe.batch, first=run.step, last=last)
    began, saved, reported = time.monotonic(), time.monotonic(), (time.monotonic(), run.step)
    before, totals = run.seconds, np.zeros(3)
    for pictures, answers in stream:
        for _ in range(blur_steps.count(run.step)):
            _blur_stem(run.model)
        if gradient is not None:
            pictures = fast_gradient(gradient, pictures, answers, recipe.radius_at(run.step))
        logs = run.model.train_on_batch(pictures, np.eye(classes, dtype=np.float32)[answers], return_dict=True)
        totals += (float(logs["loss"]), float(logs["accuracy"]), 1.0)
        run.step += 1
        now = time.monotonic()
        run.seconds = before + now - began
        epoch_over = run.step % recipe.steps_per_epoch == 0
        if run.step % report_every == 0 or epoch_over:
            row = {"step": run.step, "seconds": round(run.seconds, 1), **_means(totals)}
            speed = (run.step - reported[1]) * recipe.batch / max(now - reported[0], 1e-9)
            if epoch_over and validation is not None:
                row["validation_accuracy"] = round(_accuracy(run.model, *validation), 4)
            run.history.append(row)
            report(_progress_line(recipe, row, speed))
            totals[:] = 0
            reported = (time.monotonic(), run.step)
        if now - saved > checkpoint_seconds:
            _save(run, folder)
            saved = time.monotonic()
    _save(run, folder)
    return run


def _prepare(recipe: Recipe, side: int) -> Trained:
    keras.utils.set_random_seed(recipe.seed)
    model = build(recipe.name, side=side)
    if recipe.start:
        load_weights(model, recipe.start)
    model.get_layer(STEM_LAYER).kernel.regularizer = SmoothKernels(recipe.smoothness)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            0.0,
            max(1, recipe.steps - round(recipe.warm_up * recipe.steps)),
            warmup_target=recipe.learning_rate,
            warmup_steps=max(1, round(recipe.warm_up * recipe.steps)),
        ),
        weight_decay=recipe.weight_decay,
        beta_2=0.99,
        epsilon=1e-6,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimizer.build(model.trainable_variables)
    model.compile(
        optimizer,
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        # XLA pays on accelerators; on a CPU it made convolutions fourteen times slower.
        jit_compile=keras.backend.backend() == "jax",
    )
    return Trained(model, recipe)


def _blur_stem(model: keras.Model) -> None:
    kernel = model.get_layer(STEM_LAYER).kernel
    kernel.assign(blurred(keras.ops.convert_to_numpy(kernel)))


def _means(totals: np.ndarray) -> dict[str, float]:
    loss, accuracy = totals[:2] / totals[2]
    return {"loss": round(float(loss), 4), "accuracy": round(float(accuracy), 4)}


def _accuracy(model: keras.Model, pixels: np.ndarray, labels: np.ndarray) -> float:
    right = 0
    for start in range(0, len(labels), 256):
        logits = model.predict_on_batch(pixels[start : start + 256].astype(np.float32) / 255)
        right += int((np.argmax(logits, -1) == labels[start : start + 256]).sum())
    return right / len(labels)


def _progress_line(recipe: Recipe, row: dict[str, float], speed: float) -> str:
    left = (recipe.steps - row["step"]) * recipe.batch / max(speed, 1e-9)
    line = (
        f"{recipe.name}  step {row['step']:.0f} of {recipe.steps}"
        f"  epoch {row['step'] / recipe.steps_per_epoch:.2f}  loss {row['loss']:.3f}"
        f"  accuracy {row['accuracy']:.1%}  {speed:.0f} pictures/s  {left / 60:.1f} min left"
    )
    if "validation_accuracy" in row:
        line += f"  unseen backgrounds {row['validation_accuracy']:.1%}"
    return line


def _save(run: Trained, folder: Path) -> None:
    arrays = {f"model/{path}": array for path, array in take_weights(run.model).items()}
    for number, variable in enumerate(run.model.optimizer.variables):
        arrays[f"optimizer/{number}"] = keras.ops.convert_to_numpy(variable)
    note = {"recipe": run.recipe.as_dict(), "step": run.step, "seconds": run.seconds, "history": run.history}
    save_arrays(folder / CHECKPOINT, {**arrays, "note": np.array(json.dumps(note))})


def _resume(run: Trained, folder: Path, report: Callable[[str], None]) -> None:
    path = folder / CHECKPOINT
    if not path.exists():
        return
    with np.load(path, allow_pickle=False) as stored:
        note = json.loads(str(stored["note"]))
        if note["recipe"] != run.recipe.as_dict():
            raise OtherRecipeError(f"{folder} holds a run with another recipe: name another --folder, or delete it.")
        put_weights(
            run.model,
            {key.removeprefix("model/"): stored[key] for key in stored.files if key.startswith("model/")},
        )
        for number, variable in enumerate(run.model.optimizer.variables):
            variable.assign(stored[f"optimizer/{number}"])
    run.step, run.seconds, run.history = note["step"], note["seconds"], note["history"]
    report(f"going on from step {run.step} of {run.recipe.steps} in {path}")


def full_precision_copy(model: keras.Model) -> keras.Model:
    """Return the same network computing in float32, whatever precision it was trained in."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        copy = build(model.name, side=model.input_shape[1], classes=model.get_layer(LOGITS_LAYER).units)
    finally:
        keras.config.set_dtype_policy(policy)
    put_weights(copy, take_weights(model))
    return copy
