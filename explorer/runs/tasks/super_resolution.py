"""Trains what `explorer.runs.lessons.super_resolution` declares: networks that enlarge pictures, side by side."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs import outcome, strips
from explorer.runs.applied import Applicable, write_applicable
from explorer.runs.context import RunContext
from explorer.runs.data.loading import load
from explorer.runs.data.picture_set import Divided
from explorer.runs.fitting import fit
from explorer.runs.layers import StructuralLoss, clipped_psnr
from explorer.runs.learning_rates import CosineDecay
from explorer.runs.lessons import lesson
from explorer.runs.lessons.super_resolution import small_side, variants_of
from explorer.runs.lessons.super_resolution_outcome import Likeness, Result, items, likeness_of
from explorer.runs.lessons.super_resolution_script import output_of
from explorer.runs.patches import patches, reduced, resized
from explorer.runs.picture_networks import enlarging
from explorer.runs.trained import file_of

PROBE_CROPS = 3
CROP_SIDE = 48
AT_A_TIME = 8
JUDGED_AFTER_A_STOP = 16
LEAST_SSIM_SIDE = 11

Settings = dict[str, Any]


def train(context: RunContext) -> None:
    """Train every chosen network with every chosen loss.

    Raises:
        SentenceError: if there are no such data, or the pictures are too small.
    """
    settings = lesson("super_resolution").settings(context.config.settings)
    try:
        data = load(context.config.data, seed=context.config.seed, context=context, kind="pictures")
        trial = _Trial(context, settings, data)
    except Stopped:
        return
    variants = variants_of(settings)
    pairs = [(network, loss) for network in settings["networks"] for loss in settings["losses"]]
    for number, ((variant, title), (network, loss)) in enumerate(zip(variants.items(), pairs, strict=True), start=1):
        if context.stopped():
            break
        context.say(f"{title}, {number} of {len(variants)}" if len(variants) > 1 else title)
        context.part(number, len(variants))
        trial.run(variant, title, network, loss)
    trial.write_outcome()


def network_of(name: str, channels: int, settings: Settings) -> keras.Model:
    """Return an untrained network.

    Args:
        name: "residual" or "direct", with "_" and the output's activation where it is not linear.
        channels: of the pictures.
        settings: "scale", "filters", "blocks" and "upsampling".
    """
    skip, activation = output_of(name)
    return enlarging(
        settings["scale"],
        channels,
        filters=settings["filters"],
        blocks=settings["blocks"],
        upsampling=settings["upsampling"],
        skip=skip,
        activation=activation,
    )


def loss_of(name: str) -> keras.losses.Loss:
    """Return a loss of pictures: "l1", "l2" or "ssim"."""
    if name == "l1":
        return keras.losses.MeanAbsoluteError()
    return StructuralLoss() if name == "ssim" else keras.losses.MeanSquaredError()


class _Trial:
    """One run: its data, and what has come out so far."""

    def __init__(self, context: RunContext, settings: Settings, data: Divided) -> None:
        self.context = context
        self.settings = settings
        self.notes = data.notes
        scale = settings["scale"]
        large, self.judged = (_cropped(part.pixels, scale) for part in (data.training, data.validation))
        if min(large.shape[1:3]) < max(LEAST_SSIM_SIDE, 2 * scale):
            raise SentenceError("The pictures are too small to be made smaller: choose larger ones.")
        context.say("cutting out patches")
        small = context.wait_for(lambda: reduced(large, scale))
        side = min(small_side(scale, min(large.shape[1:3])), *small.shape[1:3])
        cut = context.wait_for(lambda: patches(large, small, settings["patches"], side, context.config.seed))
        self.inputs, self.targets = (_from_zero_to_one(each) for each in cut)
        context.say("enlarging by bicubic interpolation")
        self.small = context.wait_for(lambda: reduced(self.judged, scale))
        self.bicubic = context.wait_for(lambda: resized(self.small, *self.judged.shape[1:3]))
        self.likeness = context.wait_for(lambda: likeness_of(self.judged, self.bicubic))
        self.crops = crops_of(self.judged, scale, context.config.seed)
        self.results: list[Result] = []
        self.answers: dict[str, np.ndarray] = {}

    def run(self, variant: str, title: str, network: str, loss: str) -> None:
        """Train one network with one loss."""
        context, settings = self.context, self.settings
        # Each network starts from the same place, whichever others are trained in this run.
        keras.utils.set_random_seed(context.config.seed)
        model = network_of(network, self.judged.shape[-1], settings)
        model.compile(
            optimizer=keras.optimizers.Adam(settings["learning_rate"]),
            loss=loss_of(loss),
            metrics=[keras.metrics.MeanMetricWrapper(clipped_psnr, name="psnr")],
            # XLA takes longer for small networks on a CPU; JAX without it has no compiler at all.
            jit_compile=keras.backend.backend() == "jax",
        )
        began = time.monotonic()
        curve: list[tuple[float, float]] = []

        def look(epoch: int, numbers: dict[str, float]) -> None:
            curve.append((round(time.monotonic() - began, 2), numbers["val_psnr"]))
            self._show(model, epoch, variant, numbers["val_psnr"])

        batch_size = settings["batch_size"]
        fitted = fit(
            context,
            model,
            self.inputs,
            self.targets,
            validation=(_from_zero_to_one(self.small), _from_zero_to_one(self.judged)),
            epochs=settings["epochs"],
            batch_size=batch_size,
            variant=variant,
            on_epoch=look,
            callbacks=[CosineDecay(settings["epochs"] * math.ceil(len(self.inputs) / batch_size))],
            validation_batch_size=AT_A_TIME,
        )
        self._keep(model, variant, title)
        answers, likeness = self._judge(model)
        self.answers[variant] = answers
        self.results.append(
            Result(
                variant=variant,
                title=title,
                network=network,
                loss=loss,
                likeness=likeness,
                curve=tuple(curve),
                parameters=model.count_params(),
                seconds=fitted.seconds,
                complete=fitted.complete and not context.heard,
            )
        )
        self.write_outcome()

    def _judge(self, model: keras.Model) -> tuple[np.ndarray, Likeness]:
        """Return what a network makes of the pictures, of the first ones only after a stop, and how alike it is."""
        context = self.context
        try:
            context.raise_if_stopped()
            answers = enlarged(model, self.small, context.raise_if_stopped)
            return answers, context.wait_for(lambda: likeness_of(self.judged, answers))
        except Stopped:
            few = enlarged(model, self.small[:JUDGED_AFTER_A_STOP])
            return few, likeness_of(self.judged[:JUDGED_AFTER_A_STOP], few)

    def write_outcome(self) -> None:
        """Write what there is to show by now."""
        shown = items(self.results, self.likeness, self.notes)
        outcome.write_outcome(self.context, [*shown, *self._pictures()])

    def _keep(self, model: keras.Model, variant: str, title: str) -> None:
        self.context.save_model(model, file_of(variant))
        said = Applicable(
            variant=variant,
            file=file_of(variant),
            title=title,
            what="enlarges",
            side=self.judged.shape[1:3],
            channels=self.judged.shape[-1],
            scale=self.settings["scale"],
            multiple=1,
        )
        write_applicable(self.context.folder, said)

    def _show(self, model: keras.Model, epoch: int, variant: str, mean_psnr: float) -> None:
        which = [crop[0] for crop in self.crops]
        answers = dict(zip(which, enlarged(model, self.small[which]), strict=True))
        rows = [
            [
                _grown(self._crop(self.small, crop, small=True), self.settings["scale"]),
                self._crop(self.bicubic, crop),
                self._crop(answers, crop),
                self._crop(self.judged, crop),
            ]
            for crop in self.crops
        ]
        picture = strips.sheet(rows, column_titles=("small", "bicubic", "network", "truth"), least_side=CROP_SIDE * 4)
        gain = f"{mean_psnr - self.likeness.psnr.mean():+.2f}".replace("-", "−")
        caption = (
            f"Epoch {epoch}: PSNR {mean_psnr:.2f} dB on all unseen pictures, {gain} dB against bicubic interpolation. "
            "Crops of what the network is given, bicubic interpolation, its own answer, and the truth."
        )
        outcome.add_picture(self.context, epoch, picture, caption, variant, title="Unseen pictures")

    def _crop(self, pictures: Any, crop: tuple[int, int, int, int], small: bool = False) -> np.ndarray:
        which, top, left, side = crop
        scale = self.settings["scale"] if small else 1
        rows, columns = (slice(start // scale, (start + side) // scale) for start in (top, left))
        return pictures[which][rows, columns]

    def _pictures(self) -> list[outcome.Pictures]:
        """Return all networks beside each other: the moments' crops, and the pictures that gain most and least."""
        if not self.results:
            return []
        names = ("small", "bicubic", *(result.title for result in self.results), "truth")
        shown = []
        for words, crops in (("the same crops", self.crops), *self._extremes()):
            if not all(crop[0] < len(answers) for answers in self.answers.values() for crop in crops):
                continue
            rows = [
                [
                    _grown(self._crop(self.small, crop, small=True), self.settings["scale"]),
                    self._crop(self.bicubic, crop),
                    *(self._crop(answers, crop) for answers in self.answers.values()),
                    self._crop(self.judged, crop),
                ]
                for crop in crops
            ]
            path = self.context.preview(strips.sheet(rows, column_titles=_short(names), least_side=CROP_SIDE * 4))
            shown.append(outcome.Shown(file=f"previews/{path.name}", caption=f"{words}: {', '.join(names)}"))
        return [outcome.Pictures(title="Side by side", pictures=tuple(shown))] if shown else []

    def _extremes(self) -> list[tuple[str, list[tuple[int, int, int, int]]]]:
        first = self.results[0].likeness.psnr
        gains = first - self.likeness.psnr[: len(first)]
        order = np.argsort(gains, kind="stable")
        found = []
        for words, which in (("most gained", order[-1]), ("least gained", order[0])):
            gain = f"{gains[which]:+.2f}".replace("-", "−")
            crop = busiest_crop(self.judged[which], self.settings["scale"])
            found.append((f"{words}, {gain} dB", [(int(which), *crop)]))
        return found


def enlarged(model: keras.Model, small: np.ndarray, look: Callable[[], None] = lambda: None) -> np.ndarray:
    """Return what a network makes of pictures, as a screen shows it: uint8, from uint8 (n, h, w, channels).

    Args:
        model: gives pictures from 0 to 1.
        small: what it enlarges.
        look: called between batches; it raises where the run shall stop.
    """
    parts = []
    for start in range(0, len(small), AT_A_TIME):
        look()
        part = small[start : start + AT_A_TIME]
        # All batches of one size, the last one filled up: another size would be compiled anew.
        full = np.concatenate([part, np.repeat(part[:1], AT_A_TIME - len(part), axis=0)])
        values = keras.ops.convert_to_numpy(model.predict_on_batch(_from_zero_to_one(full)))
        parts.append(np.rint(np.clip(values[: len(part)], 0.0, 1.0) * 255).astype(np.uint8))
    return np.concatenate(parts)


def crops_of(pictures: np.ndarray, scale: int, seed: int) -> list[tuple[int, int, int, int]]:
    """Return (picture, top, left, side) of crops to be shown, of pictures that chance picks.

    Args:
        pictures: uint8 (n, h, w, channels).
        scale: edges of a crop are multiples of it.
        seed: of the choice.
    """
    chosen = np.random.default_rng((seed, 3)).permutation(len(pictures))[:PROBE_CROPS]
    return [(int(which), *busiest_crop(pictures[which], scale)) for which in chosen]


def busiest_crop(picture: np.ndarray, scale: int) -> tuple[int, int, int]:
    """Return (top, left, side) of the square of a picture (h, w, channels) with most edges."""
    side = min(CROP_SIDE, *picture.shape[:2]) // scale * scale
    values = picture.astype(np.float32).mean(axis=-1)
    edges = np.abs(np.diff(values, axis=0, append=values[-1:])) + np.abs(np.diff(values, axis=1, append=values[:, -1:]))
    sums = np.pad(edges.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    tops, lefts = (np.arange(0, length - side + 1, scale) for length in values.shape)
    inside = (
        sums[np.ix_(tops + side, lefts + side)]
        - sums[np.ix_(tops, lefts + side)]
        - sums[np.ix_(tops + side, lefts)]
        + sums[np.ix_(tops, lefts)]
    )
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    return int(tops[row]), int(lefts[column]), int(side)


def _grown(small: np.ndarray, scale: int) -> np.ndarray:
    return small.repeat(scale, axis=0).repeat(scale, axis=1)


def _short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return titles that fit above a picture."""
    return tuple(name.replace("Bicubic + residual through ", "").replace("Bicubic + ", "") for name in names)


def _cropped(pixels: np.ndarray, scale: int) -> np.ndarray:
    """Return pictures whose sides are multiples of `scale`."""
    height, width = (side // scale * scale for side in pixels.shape[1:3])
    return pixels[:, :height, :width]


def _from_zero_to_one(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255.0
