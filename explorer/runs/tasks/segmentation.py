"""Trains what `explorer.runs.lessons.segmentation` declares: networks that give every pixel a class, side by side."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from explorer.networks.drawn.model import build
from explorer.networks.drawn.weights import load_weights
from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs import outcome, picture_networks, strips
from explorer.runs.applied import Applicable, write_applicable
from explorer.runs.context import RunContext
from explorer.runs.data.loading import load
from explorer.runs.data.picture_set import PictureSet
from explorer.runs.fitting import fit
from explorer.runs.layers import CrossEntropyAndDice, Dice
from explorer.runs.learning_rates import CosineDecay
from explorer.runs.lessons import lesson
from explorer.runs.lessons.segmentation import SHORT, variants_of
from explorer.runs.lessons.segmentation_outcome import Result, intersection_over_union, items, pixel_confusion
from explorer.runs.trained import file_of

STAGES = ("stem_relu", "shapes_2_relu", "objects_2_relu")
"""Layers of the bundled encoders at the end of half, a quarter and an eighth of the picture's size."""

PROBE_SCENES = 6
LEAST_SHARE = 0.08
BEST_AND_WORST = 4
MULTIPLE = 8
AT_A_TIME = 32
JUDGED_AFTER_A_STOP = 64

Settings = dict[str, Any]


def train(context: RunContext) -> None:
    """Train every chosen network with every chosen loss.

    Raises:
        SentenceError: if there are no such data.
    """
    settings = lesson("segmentation").settings(context.config.settings)
    try:
        data = load(context.config.data, seed=context.config.seed, context=context, kind="masks")
    except Stopped:
        return
    trial = _Trial(context, settings, data.training, data.validation, data.notes)
    variants = variants_of(settings)
    pairs = [(network, loss) for network in settings["networks"] for loss in settings["losses"]]
    for number, ((variant, title), (network, loss)) in enumerate(zip(variants.items(), pairs, strict=True), start=1):
        if context.stopped():
            break
        context.say(f"{title}, {number} of {len(variants)}" if len(variants) > 1 else title)
        context.part(number, len(variants))
        trial.run(variant, title, network, loss)
    trial.write_outcome()


def network_of(name: str, classes: int, settings: Settings) -> keras.Model:
    """Return an untrained network, or a decoder on a trained encoder, from pictures (n, h, w, 3) to logits of pixels.

    Args:
        name: "pretrained", "strided" or "unet".
        classes: of pixels.
        settings: "upsampling" and "encoder".
    """
    if name == "strided":
        return picture_networks.strided(classes, upsampling=settings["upsampling"])
    if name == "unet":
        return picture_networks.unet(classes, upsampling=settings["upsampling"])
    encoder = build(settings["encoder"], side=None)
    load_weights(encoder, settings["encoder"])
    return picture_networks.on_encoder(encoder, list(STAGES), classes, upsampling=settings["upsampling"])


def loss_of(name: str) -> keras.losses.Loss:
    """Return a loss of classes as numbers and logits: "cross_entropy", "dice" or "both"."""
    if name == "dice":
        return Dice()
    return CrossEntropyAndDice() if name == "both" else keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def on_pixels(model: keras.Model) -> keras.Model:
    """Return a model that takes uint8 pixels, so that the pictures take a quarter of the memory."""
    pixels = keras.Input(model.inputs[0].shape[1:], dtype="uint8", name="pixels")
    return keras.Model(pixels, model(keras.layers.Rescaling(1 / 255)(pixels)))


class _Trial:
    """One run: its data, and what has come out so far."""

    def __init__(
        self,
        context: RunContext,
        settings: Settings,
        training: PictureSet,
        validation: PictureSet,
        notes: tuple[str, ...],
    ) -> None:
        self.context = context
        self.settings = settings
        self.classes = training.classes
        self.inputs, self.targets = _with_colours(training.pixels), _masks(training)
        self.judged, self.truth = _with_colours(validation.pixels), _masks(validation)
        self.notes = notes
        self.colours = strips.class_colours(len(self.classes))
        self.probe = probe_scenes(self.truth, context.config.seed)
        self.results: list[Result] = []
        self.best_and_worst: list[outcome.Pictures] = []

    def run(self, variant: str, title: str, network: str, loss: str) -> None:
        """Train one network with one loss."""
        context, settings = self.context, self.settings
        # Each network starts from the same place, whichever others are trained in this run.
        keras.utils.set_random_seed(context.config.seed)
        model = network_of(network, len(self.classes), settings)
        whole = on_pixels(model)
        whole.compile(
            optimizer=keras.optimizers.Adam(settings["learning_rate"]),
            loss=loss_of(loss),
            metrics=[keras.metrics.MeanIoU(len(self.classes), sparse_y_pred=False, name="mean_iou")],
            # XLA takes longer for small networks on a CPU; JAX without it has no compiler at all.
            jit_compile=keras.backend.backend() == "jax",
        )
        began = time.monotonic()
        curve: list[tuple[float, float]] = []

        def look(epoch: int, numbers: dict[str, float]) -> None:
            curve.append((round(time.monotonic() - began, 2), numbers["val_mean_iou"]))
            self._show(whole, epoch, variant, numbers["val_mean_iou"])

        batch_size = settings["batch_size"]
        fitted = fit(
            context,
            whole,
            self.inputs,
            self.targets,
            validation=(self.judged, self.truth),
            epochs=settings["epochs"],
            batch_size=batch_size,
            variant=variant,
            on_epoch=look,
            callbacks=[CosineDecay(settings["epochs"] * math.ceil(len(self.inputs) / batch_size))],
            validation_batch_size=AT_A_TIME,
        )
        self._keep(model, variant, title)
        answers = self._answers(whole)
        self.results.append(
            Result(
                variant=variant,
                title=title,
                network=network,
                loss=loss,
                confusion=np.sum(
                    [pixel_confusion(truth, answer, len(self.classes)) for truth, answer in self._scenes(answers)],
                    axis=0,
                ),
                curve=tuple(curve),
                parameters=model.count_params(),
                learnt=sum(math.prod(weight.shape) for weight in model.trainable_variables),
                seconds=fitted.seconds,
                complete=fitted.complete and not context.heard,
            )
        )
        self._show_best_and_worst(answers, variant, title)
        self.write_outcome()

    def _answers(self, whole: keras.Model) -> np.ndarray:
        """Return what a network says of the scenes, of the first ones only after a stop."""
        try:
            self.context.raise_if_stopped()
            return answers_of(whole, self.judged, self.context.raise_if_stopped)
        except Stopped:
            return answers_of(whole, self.judged[:JUDGED_AFTER_A_STOP])

    def _scenes(self, answers: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Return truth and answer of each scene that was judged, and hear a stop on the way."""
        for truth, answer in zip(self.truth, answers, strict=False):
            self.context.stopped()
            yield truth, answer

    def write_outcome(self) -> None:
        """Write what there is to show by now."""
        shown = items(self.results, self.classes, self.notes)
        outcome.write_outcome(self.context, [*shown, *self.best_and_worst])

    def _keep(self, model: keras.Model, variant: str, title: str) -> None:
        self.context.save_model(model, file_of(variant))
        said = Applicable(
            variant=variant,
            file=file_of(variant),
            title=title,
            what="segments",
            classes=self.classes,
            side=self.inputs.shape[1:3],
            channels=3,
            multiple=MULTIPLE,
        )
        write_applicable(self.context.folder, said)

    def _show(self, whole: keras.Model, epoch: int, variant: str, mean_iou: float) -> None:
        answers = answers_of(whole, self.judged[self.probe])
        picture = self._strip(self.probe, answers)
        caption = (
            f"Epoch {epoch}, mean IoU {mean_iou:.2f} on all unseen scenes. Input, truth, the network's answer, and in "
            f"vermilion the pixels that it gets wrong. Colours: {strips.colour_words(self.classes)}."
        )
        outcome.add_picture(self.context, epoch, picture, caption, variant, title="Unseen scenes")

    def _strip(self, which: np.ndarray, answers: np.ndarray) -> Any:
        """Return a sheet with a column for each scene."""
        scenes = [(self.judged[i], self.truth[i], answer) for i, answer in zip(which, answers, strict=True)]
        rows = [
            [pixels for pixels, _, _ in scenes],
            [strips.overlaid(pixels, truth, self.colours) for pixels, truth, _ in scenes],
            [strips.overlaid(pixels, answer, self.colours) for pixels, _, answer in scenes],
            [strips.mistakes(pixels, truth, answer) for pixels, truth, answer in scenes],
        ]
        return strips.sheet(
            rows, ("input", "truth", "answer", "wrong"), legend=strips.legend_of(self.classes, wrong=True)
        )

    def _show_best_and_worst(self, answers: np.ndarray, variant: str, title: str) -> None:
        scores = np.array([scene_iou(truth, answer) for truth, answer in self._scenes(answers)])
        order = np.argsort(scores, kind="stable")
        count = min(BEST_AND_WORST, len(order) // 2)
        pictures = []
        for words, which in (("The best scenes", order[::-1][:count]), ("The worst scenes", order[:count])):
            if not len(which):
                continue
            path = self.context.preview(self._strip(which, answers[which]))
            values = ", ".join(f"{scores[i]:.2f}" for i in which)
            pictures.append(outcome.Shown(file=f"previews/{path.name}", caption=f"{words}; mean IoU {values}"))
        if pictures:
            name = title or SHORT.get(variant, "")
            self.best_and_worst.append(outcome.Pictures(title=f"Best and worst: {name}", pictures=tuple(pictures)))


def answers_of(whole: keras.Model, pixels: np.ndarray, look: Callable[[], None] = lambda: None) -> np.ndarray:
    """Return the class of each pixel, uint8 (n, h, w).

    Args:
        whole: takes uint8 pixels, gives logits.
        pixels: (n, h, w, 3).
        look: called between batches; it raises where the run shall stop.
    """
    parts = []
    for start in range(0, len(pixels), AT_A_TIME):
        look()
        part = pixels[start : start + AT_A_TIME]
        # All batches of one size, the last one filled up: another size would be compiled anew.
        full = np.concatenate([part, np.repeat(part[:1], AT_A_TIME - len(part), axis=0)])
        logits = keras.ops.convert_to_numpy(whole.predict_on_batch(full))
        parts.append(logits[: len(part)].argmax(axis=-1).astype(np.uint8))
    return np.concatenate(parts)


def probe_scenes(truth: np.ndarray, seed: int) -> np.ndarray:
    """Return the indices of scenes that are shown after each epoch: among 40, those with most classes, and no specks.

    Args:
        truth: (n, h, w), class of each pixel.
        seed: of the choice.
    """
    chosen = np.random.default_rng((seed, 3)).permutation(len(truth))[:40]
    classes = np.array([len(np.unique(truth[i])) for i in chosen])
    specks = np.array([(truth[i] > 0).mean() < LEAST_SHARE for i in chosen])
    order = np.lexsort((specks, -classes))
    return chosen[order[:PROBE_SCENES]]


def scene_iou(truth: np.ndarray, answer: np.ndarray) -> float:
    """Return the mean intersection over union of the classes that a scene's truth (h, w) or answer (h, w) shows."""
    count = int(max(truth.max(), answer.max())) + 1
    return float(np.nanmean(intersection_over_union(pixel_confusion(truth, answer, count))))


def _with_colours(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def _masks(pictures: PictureSet) -> np.ndarray:
    if pictures.masks is None:
        raise SentenceError("These pictures have no masks: choose others, or upload a mask for each.")
    return pictures.masks
