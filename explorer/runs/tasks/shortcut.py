"""Trains what `explorer.runs.lessons.shortcut` declares: networks of biased, augmented and mended pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from scipy.special import softmax

from explorer.networks.work_context import Stopped
from explorer.runs import outcome, strips
from explorer.runs.context import RunContext
from explorer.runs.data.augmentation import Augmentation
from explorer.runs.data.batches import AugmentedBatches
from explorer.runs.data.picture_set import PictureSet
from explorer.runs.fitting import fit
from explorer.runs.folder import PREVIEWS
from explorer.runs.learning_rates import CosineDecay
from explorer.runs.lessons.shortcut import VARIANTS, checked
from explorer.runs.lessons.shortcut_outcome import Judged, items
from explorer.runs.shortcut_pictures import (
    JUDGED_PER_CLASS,
    Address,
    addresses,
    drawn,
    of_all_kinds,
    without_objects,
)
from explorer.runs.trained import file_of

BATCH = 32
PROBE_PICTURES = 8
SHOWN = 6
AT_A_TIME = 100


def network(side: int, classes: int = 2) -> keras.Model:
    """Return a small network for pictures (n, side, side, 3) from 0 to 1, to logits (n, classes)."""
    picture = x = keras.Input((side, side, 3), name="picture")
    for number, (filters, size, strides) in enumerate([(16, 5, 2), (32, 3, 2), (48, 3, 1), (64, 3, 2)]):
        x = keras.layers.Conv2D(
            filters,
            size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"conv_{number + 1}",
        )(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"norm_{number + 1}")(x)
        x = keras.layers.ReLU(name=f"relu_{number + 1}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(picture, keras.layers.Dense(classes, name="logits")(x), name="shortcut")


def train(context: RunContext) -> None:
    """Train each network of the settings, and find out what it rests on.

    Raises:
        SentenceError: if the settings cannot be.
        Stopped: if the run shall stop; what is finished by then is kept.
    """
    comparison = _Comparison(context, checked(context.config.settings))
    try:
        comparison.run()
    finally:
        comparison.write_outcome()


class _Comparison:
    """One run: its pictures, and what has come out so far."""

    def __init__(self, context: RunContext, settings: dict[str, Any]) -> None:
        self.context = context
        self.settings = settings
        self.classes = (settings["at_sea"], settings["on_meadow"])
        self.side: int = settings["side"]
        self.judged: list[Judged] = []
        self._sheets: list[outcome.Pictures] = []
        self._margins: dict[str, np.ndarray] = {}
        self.same = self.swapped = PictureSet(np.zeros((0, self.side, self.side, 3), np.uint8), self.classes)

    def run(self) -> None:
        """Draw, train and judge.

        Raises:
            Stopped: if the run shall stop.
        """
        context, seed = self.context, self.context.config.seed
        own = addresses(self.classes, seed, JUDGED_PER_CLASS, "validation")
        swapped = [each.swapped() for each in own]
        self.same, self.swapped = self._drawn(own, "to be judged by"), self._drawn(swapped, "with swapped backgrounds")
        self.other = self._drawn(of_all_kinds(own, "unseen"), "with other backgrounds")
        self.empty = np.concatenate(
            [without_objects(each, self.side) for each in self._pieces(own, "without their objects")]
        )
        labels = _labels(self.swapped)
        probe = slice(0, PROBE_PICTURES)
        outcome.write_probe(
            context, self.swapped.pixels[probe], self.classes, labels[probe].tolist(), self.swapped.names[probe]
        )
        outcome.write_validation(context, self.swapped.pixels, labels.tolist(), self.classes, self.swapped.names)
        count = len(self.settings["variants"])
        for number, variant in enumerate(self.settings["variants"], start=1):
            context.part(number, count)
            self._train(variant, f"{VARIANTS[variant]} ({number} of {count})")
            self.write_outcome()
        self._show_evidence()

    def write_outcome(self) -> None:
        """Write what there is to show by now."""
        for each in self.judged:
            outcome.write_predictions(self.context, each.probabilities, each.variant)
        truth = _labels(self.swapped) if len(self.swapped) else np.zeros(0, np.int64)
        shown = items(self.judged, truth, self.classes, self.context.heard, self.settings["bias"])
        outcome.write_outcome(self.context, [*shown, *self._sheets])

    # --- pictures ---

    def _drawn(self, given: Sequence[Address], words: str) -> PictureSet:
        parts = [drawn(each, self.classes, self.side) for each in self._pieces(given, words)]
        return PictureSet(
            np.concatenate([part.pixels for part in parts]),
            self.classes,
            np.concatenate([_labels(part) for part in parts]),
            names=tuple(name for part in parts for name in part.names),
        )

    def _pieces(self, given: Sequence[Address], words: str) -> Any:
        for start in range(0, len(given), AT_A_TIME):
            self.context.raise_if_stopped()
            self.context.say(f"drawing pictures {words}: {start:,} of {len(given):,}")
            yield given[start : start + AT_A_TIME]

    def _training(self, variant: str) -> PictureSet:
        settings, seed = self.settings, self.context.config.seed
        bias = 0.5 if variant == "mended" else settings["bias"]
        given = addresses(self.classes, seed, settings["per_class"], "training", bias)
        if variant == "mended" and settings["mending"] == "any":
            given = of_all_kinds(given)
        return self._drawn(given, "to learn from")

    # --- networks ---

    def _train(self, variant: str, title: str) -> None:
        context, settings = self.context, self.settings
        learnt = self._training(variant)
        context.say(title)
        keras.utils.set_random_seed(context.config.seed)
        model = network(self.side)
        model.compile(
            keras.optimizers.Adam(settings["learning_rate"]),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=keras.backend.backend() == "jax",
        )
        augmentation = Augmentation(settings if variant == "augmented" else {}, context.config.seed)
        self._show_training(variant, learnt, augmentation)
        probe = self.swapped.inputs()[:PROBE_PICTURES]

        def tell(epoch: int, numbers: dict[str, float]) -> None:
            said = softmax(np.asarray(keras.ops.convert_to_numpy(model(probe, training=False)), np.float64), axis=1)
            guesses = outcome.Guesses(
                title="Pictures with swapped backgrounds",
                probabilities=tuple(tuple(map(float, row)) for row in said),
            )
            outcome.add_moment(context, epoch, guesses, variant)

        fitted = fit(
            context,
            model,
            AugmentedBatches(learnt, augmentation, batch_size=BATCH, seed=context.config.seed),
            validation=(self.same.inputs(), _labels(self.same)),
            epochs=settings["epochs"],
            batch_size=BATCH,
            variant=variant,
            on_epoch=tell,
            callbacks=[_Swapped(self.swapped), CosineDecay(settings["epochs"] * -(-len(learnt) // BATCH))],
        )
        self._keep(model, variant)
        if not fitted.complete:
            raise Stopped
        self.judged.append(self._judge(model, variant))

    def _keep(self, model: keras.Model, variant: str) -> None:
        self.context.save_model(model, file_of(variant))
        self.context.describe_model(
            classes=self.classes,
            input_size=(self.side, self.side),
            title=VARIANTS[variant],
            variant=variant,
            parameters=model.count_params(),
        )

    def _judge(self, model: keras.Model, variant: str) -> Judged:
        truth = _labels(self.same)
        same, swapped, other, empty = (
            _logits(model, pixels) for pixels in (self.same.pixels, self.swapped.pixels, self.other.pixels, self.empty)
        )
        margins = [margin(logits, truth) for logits in (same, swapped, empty)]
        self._margins[variant] = np.stack(margins)
        with_both, other_background, no_object = margins
        return Judged(
            variant=variant,
            same=_accuracy(same, truth),
            swapped=_accuracy(swapped, truth),
            other=_accuracy(other, truth),
            object_drop=float(np.mean(with_both - no_object)),
            background_drop=float(np.mean(with_both - other_background)),
            probabilities=softmax(swapped.astype(np.float64), axis=1),
        )

    # --- pictures of the outcome ---

    def _show_training(self, variant: str, learnt: PictureSet, augmentation: Augmentation) -> None:
        labels = _labels(learnt)
        rows = []
        for label in range(2):
            seen = augmentation(learnt.pixels[labels == label][:SHOWN]).inputs
            rows.append(list(np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)))
        self._show(strips.sheet(rows, row_titles=self.classes), f"Learnt from: {VARIANTS[variant]}", "")

    def _show_evidence(self) -> None:
        """Show the same objects in three ways, with each network's margin of the true class."""
        chosen = [0, 1]
        rows = [[pixels[i] for pixels in (self.same.pixels, self.swapped.pixels, self.empty)] for i in chosen]
        columns = ("own background", "the other one", "no object")
        words = []
        for variant, margins in self._margins.items():
            said = ", ".join(_signed(margins[column, chosen[0]]) for column in range(3))
            words.append(f"{VARIANTS[variant]}: {said}")
        caption = f"Margin of {self.classes[0]} in the first row. {'; '.join(words)}."
        picture = strips.sheet(rows, row_titles=self.classes, column_titles=columns)
        self._show(picture, "The same picture with one thing changed", caption.replace("-", "−"))

    def _show(self, picture: Any, title: str, caption: str) -> None:
        path = self.context.preview(picture)
        shown = outcome.Shown(file=f"{PREVIEWS}/{path.name}", caption=caption)
        self._sheets.append(outcome.Pictures(title=title, pictures=(shown,)))


class _Swapped(keras.callbacks.Callback):
    """Adds to each epoch's numbers how many pictures with swapped backgrounds are told rightly."""

    def __init__(self, swapped: PictureSet) -> None:
        super().__init__()
        self._pixels, self._truth = swapped.pixels, _labels(swapped)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs["val_swapped_accuracy"] = _accuracy(_logits(self.model, self._pixels), self._truth)


def margin(logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (n,): the logit of the true class minus the largest of the others."""
    rows = np.arange(len(truth))
    others = np.array(logits, np.float64)
    others[rows, truth] = -np.inf
    return logits[rows, truth] - others.max(axis=1)


def _logits(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    parts = [
        keras.ops.convert_to_numpy(model.predict_on_batch(pixels[start : start + AT_A_TIME].astype(np.float32) / 255))
        for start in range(0, len(pixels), AT_A_TIME)
    ]
    return np.concatenate(parts)


def _accuracy(logits: np.ndarray, truth: np.ndarray) -> float:
    return float((logits.argmax(axis=1) == truth).mean())


def _labels(pictures: PictureSet) -> np.ndarray:
    assert pictures.labels is not None
    return pictures.labels


def _signed(margin: float) -> str:
    """Return a margin in logits with its sign; none has no sign."""
    return f"{margin:+.1f}" if abs(margin) >= 0.05 else "0.0"
