"""Trains networks of plain, residual and separable blocks side by side, with equal budgets, and an own stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers

from explorer.networks.loading import load as load_network
from explorer.networks.work_context import SentenceError
from explorer.runs import block_networks
from explorer.runs.context import RunContext
from explorer.runs.data.augmentation import Augmentation
from explorer.runs.data.batches import AugmentedBatches
from explorer.runs.data.loading import load
from explorer.runs.data.picture_set import Divided
from explorer.runs.fitting import fit
from explorer.runs.lessons.blocks import BLOCKS, LESSON, SENTENCE, SHALLOW, is_shallow, stack_name
from explorer.runs.outcome import (
    Guesses,
    Line,
    Lines,
    Number,
    Numbers,
    Table,
    Verdict,
    add_moment,
    confusion_of,
    write_outcome,
    write_predictions,
    write_probe,
    write_validation,
)
from explorer.runs.scoring import accuracy, class_table, cross_entropy, probabilities
from explorer.runs.trained import file_of

MOST_JUDGED = 1000
"""Training pictures that are judged after each epoch."""
PROBES = 10
CLEARLY = 0.1
"""So much more training accuracy counts as learning better."""
ALIKE = 0.1
NO_STACK = "Copy the text of your stack from the page on architectures, or choose other blocks."


@dataclass(eq=False)
class Result:
    """What came of one network.

    Attributes:
        block: which.
        parameters: number of weights.
        multiply_adds: for one picture.
        note: what was done to an own stack; "" for nothing.
        chances: (validation pictures, classes).
        losses: on training pictures, dropout and augmentation off, by epoch.
        training: accuracy on the same, by epoch.
        validation: accuracy on validation pictures, by epoch.
        seconds: of training.
        complete: whether it was trained to its end.
    """

    block: str
    parameters: int
    multiply_adds: int
    note: str
    chances: np.ndarray
    losses: list[float] = field(default_factory=list)
    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: float = 0.0
    complete: bool = True


def train(context: RunContext) -> None:
    """Train a network of each kind of block on the same pictures."""
    settings = LESSON.settings(context.config.settings)
    if "stack" in settings["blocks"] and not settings["stack"].strip():
        raise SentenceError(NO_STACK)
    data = load(context.config.data, seed=context.config.seed, context=context, kind="classes")
    _write_pictures(context, data)
    results: list[Result] = []
    for number, block in enumerate(settings["blocks"], start=1):
        if context.stopped():
            break
        context.say(f"{BLOCKS[block]}: {number} of {len(settings['blocks'])}")
        context.part(number, len(settings["blocks"]))
        result = _trained(context, settings, block, data)
        if result.training:
            results.append(result)
        complete = len(results) == len(settings["blocks"]) and all(one.complete for one in results)
        write_outcome(context, _items(settings, results, data, complete))
    if not results:
        write_outcome(context, [verdict(settings, results, len(data.training.classes), complete=False)])


def _write_pictures(context: RunContext, data: Divided) -> None:
    validation = data.validation
    assert validation.labels is not None
    labels = validation.labels.tolist()
    write_validation(context, validation.pixels, labels, validation.classes, validation.names)
    write_probe(context, validation.pixels[:PROBES], validation.classes, labels[:PROBES], validation.names[:PROBES])


def network(settings: dict[str, Any], block: str, shape: tuple[int, int, int], classes: int) -> tuple[keras.Model, str]:
    """Return the network of a kind of block with logits, and what was done to an own stack.

    Args:
        settings: of the lesson.
        block: which.
        shape: (height, width, channels) of the pictures.
        classes: how many.

    Raises:
        SentenceError: if an own stack cannot be on such pictures.
    """
    if block == "stack":
        return own_stack(settings["stack"], shape, classes)
    model = block_networks.build(
        block,
        shape,
        classes,
        depth=settings["depth"],
        filters=settings["filters"],
        batch_norm=settings["batch_norm"],
        dropout=settings["dropout"],
    )
    return model, ""


def own_stack(text: str, shape: tuple[int, int, int], classes: int) -> tuple[keras.Model, str]:
    """Return a visitor's stack on pictures of a shape, with a head of logits where its own has other outputs.

    Raises:
        SentenceError: if the text is no stack, or shapes clash.
    """
    # A model of its own, since the one that is loaded belongs to all.
    stack = keras.models.clone_model(load_network(stack_name(text, shape), "random").model)
    note = (
        "" if text.strip().startswith("x".join(map(str, shape))) else f"Its input is now {' × '.join(map(str, shape))}."
    )
    x: Any = stack.outputs[0]
    if tuple(x.shape[1:]) != (classes,):
        if len(x.shape) == 4:
            x = layers.GlobalAveragePooling2D(name="head_over_the_map")(x)
        x = layers.Dense(classes, name="head_classes")(x)
        note = f"{note} A dense layer of {classes} logits was put behind it.".strip()
    return keras.Model(stack.inputs[0], x, name="own_stack"), note


def _trained(context: RunContext, settings: dict[str, Any], block: str, data: Divided) -> Result:
    seed, training, validation = context.config.seed, data.training, data.validation
    keras.utils.set_random_seed(seed)
    inputs, checks = training.inputs(), validation.inputs()
    labels, truth = training.labels, validation.labels
    assert labels is not None and truth is not None
    classes = len(training.classes)
    model, note = network(settings, block, inputs.shape[1:], classes)
    change = Augmentation(settings_of_augmentation(settings), seed)
    one_hot = change.mixes
    loss = keras.losses.CategoricalCrossentropy if one_hot else keras.losses.SparseCategoricalCrossentropy
    model.compile(
        optimizer=keras.optimizers.Adam(settings["learning_rate"]),
        loss=loss(from_logits=True),
        metrics=["accuracy"],
        # XLA takes longer for such small networks on a CPU; JAX without it has no compiler at all.
        jit_compile=keras.backend.backend() == "jax",
    )
    result = Result(block, model.count_params(), block_networks.multiply_adds(model), note, np.zeros((0, classes)))
    judged = slice(None, MOST_JUDGED)

    def show(epoch: int, numbers: dict[str, float]) -> None:
        told = probabilities(model, inputs[judged], context.raise_if_stopped)
        chances = probabilities(model, checks, context.raise_if_stopped)
        # Only now: an epoch whose judging was cut short has no numbers.
        result.chances = chances
        result.losses.append(cross_entropy(labels[judged], told))
        result.training.append(accuracy(labels[judged], told))
        result.validation.append(accuracy(truth, result.chances))
        guesses = tuple(tuple(round(float(chance), 5) for chance in row) for row in result.chances[:PROBES])
        add_moment(context, epoch, Guesses(probabilities=guesses), block)

    batches = AugmentedBatches(training, change, batch_size=settings["batch_size"], seed=seed)
    given: tuple[Any, Any] = (batches, None) if change.changes else (inputs, labels)
    fitted = fit(
        context,
        model,
        *given,
        validation=(checks, np.eye(classes, dtype=np.float32)[truth] if one_hot else truth),
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        variant=block,
        pictures=settings["batch_size"],
        on_epoch=show,
    )
    result.seconds, result.complete = fitted.seconds, fitted.complete
    _save(context, model, result, data)
    return result


def settings_of_augmentation(settings: dict[str, Any]) -> dict[str, Any]:
    """Return those settings that say how pictures are changed."""
    return {name: value for name, value in settings.items() if name.startswith("augment_")}


def _save(context: RunContext, model: keras.Model, result: Result, data: Divided) -> None:
    height, width, channels = data.training.pixels.shape[1:]
    context.save_model(model, file_of(result.block))
    context.describe_model(
        classes=data.training.classes,
        input_size=(height, width),
        channels=channels,
        title=BLOCKS[result.block],
        variant=result.block,
        parameters=result.parameters,
    )
    if len(result.chances):
        write_predictions(context, result.chances, result.block)


# --- what is shown ---


def verdict(settings: dict[str, Any], results: list[Result], classes: int, complete: bool) -> Verdict:
    """Return whether the blocks with shortcuts learn better than the plain ones, by the training pictures."""
    shallow = is_shallow(settings)
    sentence = SHALLOW if shallow else SENTENCE
    if not complete:
        return Verdict(sentence=sentence, holds=None, because="Not every network has been trained to its end.")
    found = {result.block: result for result in results}
    because = (
        f"After {settings['epochs']} epochs of {settings['depth']} convolutions, on the training pictures: "
        + ", ".join(
            f"{BLOCKS[one.block]} loss {one.losses[-1]:.2f}, accuracy {one.training[-1]:.2f}" for one in results
        )
        + f"; guessing gives {np.log(classes):.2f} and {1 / classes:.2f}."
    )
    rivals = [found[name] for name in ("residual", "separable", "xception") if name in found]
    if "plain" not in found or not rivals:
        why = f"{because} It takes plain blocks and others to compare."
        return Verdict(sentence=sentence, holds=None, because=why)
    plain = found["plain"]
    if max(one.training[-1] for one in results) < 1 / classes + CLEARLY:
        return Verdict(sentence=sentence, holds=None, because=f"{because} None has learnt yet: give them more epochs.")
    if shallow:
        holds = all(plain.training[-1] >= one.training[-1] - ALIKE for one in rivals)
    else:
        holds = all(
            one.training[-1] >= plain.training[-1] + CLEARLY and one.losses[-1] < plain.losses[-1] for one in rivals
        )
    return Verdict(sentence=sentence, holds=holds, because=because)


def _items(settings: dict[str, Any], results: list[Result], data: Divided, complete: bool) -> list[Any]:
    classes = data.validation.classes
    first = verdict(settings, results, len(classes), complete)
    if not results:
        return [first]
    truth = data.validation.labels
    assert truth is not None
    best = max(results, key=lambda result: result.validation[-1])
    return [
        first,
        Numbers(
            rows=tuple(
                Number(
                    label=f"{BLOCKS[result.block]}, training pictures",
                    value=100 * result.training[-1],
                    unit="%",
                    digits=1,
                )
                for result in results
            )
        ),
        _curves(results, "losses", "Loss on training pictures", "cross-entropy"),
        _curves(results, "training", "Accuracy on training pictures", "accuracy"),
        _table(results),
        class_table(truth, best.chances.argmax(axis=1), classes, f"Class by class: {BLOCKS[best.block]}"),
        *(
            confusion_of(truth, result.chances.argmax(axis=1), classes, result.block, BLOCKS[result.block])
            for result in results
        ),
    ]


def _curves(results: list[Result], name: str, title: str, axis: str) -> Lines:
    return Lines(
        title=title,
        x_title="epoch",
        y_title=axis,
        lines=tuple(
            Line(
                name=BLOCKS[result.block],
                x=tuple(float(epoch) for epoch in range(1, len(getattr(result, name)) + 1)),
                y=tuple(round(value, 5) for value in getattr(result, name)),
            )
            for result in results
        ),
        note="Judged after each epoch, with dropout and augmentation off.",
    )


def _table(results: list[Result]) -> Table:
    plain = next((result.parameters for result in results if result.block == "plain"), None)
    notes = " ".join(f"{BLOCKS[result.block]}: {result.note}" for result in results if result.note)
    return Table(
        title="The networks",
        columns=(
            "blocks",
            "parameters",
            "of the plain one's, %",
            "multiply-adds",
            "training loss",
            "training accuracy",
            "validation accuracy",
            "seconds",
        ),
        rows=tuple(
            (
                BLOCKS[result.block],
                result.parameters,
                None if plain is None else int(round(100 * result.parameters / plain)),
                result.multiply_adds,
                result.losses[-1],
                result.training[-1],
                result.validation[-1],
                round(result.seconds, 1),
            )
            for result in results
        ),
        lit=tuple((row, column) for row in range(len(results)) for column in (1, 5)),
        note=notes,
    )
