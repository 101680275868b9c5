"""Trains what `explorer.runs.lessons.transfer` declares: one pretrained base in several strategies, side by side."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from PIL import Image
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs import classifiers, outcome, pretrained, strips
from explorer.runs import folder as run_folder
from explorer.runs.context import RunContext
from explorer.runs.data.augmentation import Augmentation
from explorer.runs.data.batches import AugmentedBatches
from explorer.runs.data.loading import load
from explorer.runs.data.picture_set import Divided, PictureSet
from explorer.runs.fitting import Fitted, fit
from explorer.runs.lessons import lesson
from explorer.runs.lessons.transfer import CLASSIFIERS, STRATEGIES, data_of, epochs_for, repeats_of, variant
from explorer.runs.lessons.transfer_outcome import Result, items, largest
from explorer.runs.trained import file_of

FEATURES = "features.npz"
BATCH = 32
HEAD_RATE = 1e-2
SCRATCH_RATE = 1e-3
HEAD_STEPS = 150
SHORT_EPOCH = 10
"""Steps of an epoch of the head, at least: few pictures are gone over several times in it."""

LOOKS = 4
"""How often a network is judged by the validation pictures while it learns."""

PROBE_PICTURES = 8
SHOWN = 10
MOST_JUDGED = outcome.MOST_KEPT_PICTURES
PIXEL_SIDE = 16
"""Raw pixels are compared at this size: more of them are slower and no better."""

LARGEST_FRONT = 600_000_000
"""Bytes of feature maps that are kept for the layers behind them; where there are more, the base runs each time."""


@dataclass(frozen=True, eq=False)
class Draw:
    """The pictures of one trial.

    Attributes:
        count: pictures per class that were asked for.
        repeat: which draw, from 0.
        index: of the pictures in the training set.
        per_class: pictures per class that there are, on average.
    """

    count: int
    repeat: int
    index: np.ndarray
    per_class: float


def draws_of(labels: np.ndarray, counts: Sequence[int], repeats: Callable[[int], int], seed: int) -> list[Draw]:
    """Return the draws of a run: as many pictures of each class, or all there are, and others in each draw.

    As long as there are enough pictures the draws of one count have none in common.

    Args:
        labels: int (n,), class of each training picture.
        counts: pictures per class.
        repeats: from a count to the number of its draws.
        seed: of the choice.
    """
    generator = np.random.default_rng((seed, 11))
    members = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    draws = []
    for count in sorted(counts):
        for repeat in range(repeats(count)):
            parts = [np.roll(each, -repeat * count)[:count] for each in members]
            draws.append(Draw(count, repeat, np.concatenate(parts), float(np.mean([len(part) for part in parts]))))
    return draws


def train(context: RunContext) -> None:
    """Try every strategy of the settings on every draw of pictures.

    Raises:
        SentenceError: if there are no such data or no such base.
    """
    settings = lesson("transfer").settings(context.config.settings)
    keras.utils.set_random_seed(context.config.seed)
    divided = _data(context, settings)
    context.say("loading the base")
    trial = _Trial(context, settings, divided, pretrained.load_base(context.config.network))
    try:
        trial.run()
    finally:  # also after a stop: what is finished by then is shown
        trial.write_outcome()


def _data(context: RunContext, settings: dict[str, Any]) -> Divided:
    """Load the pictures; as many are drawn as the settings need, and no more are judged than a run keeps."""
    data = data_of(context.config.data, settings)
    divided = load(data, seed=context.config.seed, context=context, kind="classes")
    if len(divided.training.classes) < 2 or not len(divided.validation):
        raise SentenceError("There is nothing to tell apart: take pictures of at least two classes.")
    if len(divided.validation) > MOST_JUDGED:
        generator = np.random.default_rng((context.config.seed, 12))
        kept = np.sort(generator.permutation(len(divided.validation))[:MOST_JUDGED])
        divided = Divided(divided.training, divided.validation.taken(kept), divided.notes)
    return divided


def _labels(pictures: PictureSet) -> np.ndarray:
    assert pictures.labels is not None
    return pictures.labels


class _Trial:
    """One run: its data, its base, and what has come out so far."""

    def __init__(self, context: RunContext, settings: dict[str, Any], divided: Divided, base: pretrained.Base) -> None:
        self.context = context
        self.settings = settings
        self.base = base
        self.stages = base.chosen([int(stage) for stage in settings["stages"]])
        self.mode = base.entry.preprocessing
        self.classes = divided.training.classes
        self.notes = divided.notes
        self.augmentation = Augmentation(settings, context.config.seed)
        # Only what some draw learns from goes through the base.
        draws = draws_of(
            _labels(divided.training),
            settings["counts"],
            lambda count: repeats_of(count, settings),
            context.config.seed,
        )
        used = np.unique(np.concatenate([draw.index for draw in draws]))
        self.draws = [replace(draw, index=np.searchsorted(used, draw.index)) for draw in draws]
        training = divided.training.taken(used)
        self.labels, self.truth = _labels(training), _labels(divided.validation)
        self.names = divided.validation.names
        self.pixels = context.wait_for(lambda: pretrained.fitted(training.pixels, base.entry))
        self.judged = context.wait_for(lambda: pretrained.fitted(divided.validation.pixels, base.entry))
        self.probe = _spread_over_classes(self.truth, PROBE_PICTURES)
        self.results: list[Result] = []
        self.features = self.judged_features = np.zeros((0, 0), np.float32)
        self._heads: dict[tuple[int, int], list[list[np.ndarray]]] = {}
        self._fronts: dict[str, np.ndarray] = {}
        self._sheets: list[outcome.Pictures] = []

    # --- in order ---

    def run(self) -> None:
        """Try everything, the smallest number of pictures first.

        Raises:
            Stopped: if the run shall stop.
        """
        context, strategies = self.context, self.settings["strategies"]
        names = [self.names[i] for i in self.probe] if self.names else []
        outcome.write_probe(context, self.judged[self.probe], self.classes, self.truth[self.probe].tolist(), names)
        outcome.write_validation(context, self.judged, self.truth.tolist(), self.classes, self.names)
        self._show_pictures()
        if set(strategies) - {"pixels", "scratch"}:
            self._take_features()
        trials = [(draw, name) for draw in self.draws for name in strategies]
        for number, (draw, name) in enumerate(trials):
            context.raise_if_stopped()
            which = f", draw {draw.repeat + 1}" if repeats_of(draw.count, self.settings) > 1 else ""
            context.say(f"{STRATEGIES[name]}, {draw.count} per class{which} ({number + 1} of {len(trials)})")
            context.part(number + 1, len(trials))
            self._try(name, draw)
            if number + 1 == len(trials) or trials[number + 1][0].count != draw.count:
                self.write_outcome()

    def write_outcome(self) -> None:
        """Write what there is to show by now."""
        for result in largest(self.results):
            if result.probabilities is not None:
                outcome.write_predictions(self.context, result.probabilities, result.strategy)
        stopped = self.context.heard
        shown = items(self.results, truth=self.truth, classes=self.classes, stopped=stopped, notes=self.notes)
        outcome.write_outcome(self.context, [*shown, *self._sheets])

    def _show_pictures(self) -> None:
        first = self.draws[0]
        labels = self.labels[first.index]
        rows = [list(self.pixels[first.index[labels == label]][:SHOWN]) for label in range(len(self.classes))]
        path = self.context.preview(strips.sheet(rows, row_titles=self.classes, least_side=96))
        shown = outcome.Shown(file=f"{run_folder.PREVIEWS}/{path.name}", caption="")
        title = f"What was learnt from, {first.count} per class"
        self._sheets.append(outcome.Pictures(title=title, pictures=(shown,)))

    def _take_features(self) -> None:
        self.context.say("taking the features of the base")
        model = pretrained.on_pictures(pretrained.feature_model(self.base.model, self.stages), self.mode)
        look = self.context.raise_if_stopped
        self.features = pretrained.outputs_of(model, self.pixels, look)
        self.judged_features = pretrained.outputs_of(model, self.judged, look)
        target = io.BytesIO()
        np.savez_compressed(
            target,
            features=self.features,
            labels=self.labels,
            validation_features=self.judged_features,
            validation_labels=self.truth,
            classes=np.asarray(self.classes, str),
            stages=np.asarray(self.stages, str),
        )
        run_folder.replace(self.context.folder / FEATURES, target.getvalue())

    def _try(self, name: str, draw: Draw) -> None:
        began = time.monotonic()
        if name in CLASSIFIERS:
            probabilities, learnt = self._classify(name, draw)
        else:
            probabilities, learnt = self._train(name, draw)
        self.results.append(
            Result(
                strategy=name,
                count=draw.count,
                pictures=draw.per_class,
                accuracy=float((probabilities.argmax(axis=1) == self.truth).mean()),
                seconds=time.monotonic() - began,
                learnt=learnt,
                probabilities=probabilities if draw.repeat == 0 else None,
            )
        )

    # --- simple classifiers ---

    def _classify(self, name: str, draw: Draw) -> tuple[np.ndarray, int | None]:
        if name == "pixels":
            inputs = self.context.wait_for(lambda: _few_pixels(self.pixels[draw.index]))
            judged = self.context.wait_for(lambda: _few_pixels(self.judged))
        else:
            inputs, judged = self.features[draw.index], self.judged_features
        classifier = classifiers.classifier_of("logistic" if name == "pixels" else name, self.context.config.seed)
        labels = self.labels[draw.index]
        self.context.wait_for(lambda: classifiers.train(classifier, inputs, labels))
        if name == "logistic" and draw.repeat == 0:
            layer = keras.layers.Dense(len(self.classes), name=pretrained.CLASSES_LAYER)
            model = pretrained.with_head(self.base.copied(), self.stages, [layer], "transfer_logistic")
            layer.set_weights(classifiers.as_dense(classifier))
            self._keep(model, name, draw)
        last = classifier[-1]
        learnt = int(last.coef_.size + last.intercept_.size) if isinstance(last, LogisticRegression) else None
        return self.context.wait_for(lambda: classifiers.probabilities_of(classifier, judged)), learnt

    # --- networks ---

    def _train(self, name: str, draw: Draw) -> tuple[np.ndarray, int]:
        """Train a network; return its probabilities for the validation pictures and how many of its weights learnt."""
        if name == "scratch":
            model, fitted = self._from_scratch(draw)
        elif name == "frozen":
            model, fitted = self._frozen(draw)
        else:
            model, fitted = self._tuned(name, draw)
        # What was stopped must not take the place of a finished network, whose answers are shown.
        if draw.repeat == 0 and (fitted.complete or not (self.context.folder / file_of(name)).exists()):
            self._keep(model, name, draw)
        if not fitted.complete:
            raise Stopped
        learnt = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        whole = pretrained.on_pictures(model, self.mode)
        return _probabilities(pretrained.outputs_of(whole, self.judged, self.context.raise_if_stopped)), learnt

    def _frozen(self, draw: Draw) -> tuple[keras.Model, Fitted]:
        """Train a dense head behind a frozen base."""
        if not self.augmentation.changes:
            head, fitted = self._head(draw, "frozen")
            model = pretrained.with_head(self.base.copied(), self.stages, head, "transfer_frozen")
            pretrained.unfreeze(model, 0)
            return model, fitted
        model = pretrained.with_head(self.base.copied(), self.stages, self._new_head(draw), "transfer_frozen")
        pretrained.unfreeze(model, 0)
        return model, self._fit_on_pixels(model, "frozen", draw, HEAD_RATE)

    def _tuned(self, name: str, draw: Draw) -> tuple[keras.Model, Fitted]:
        """Train a dense head first, then the last layers of the base with it, or all."""
        head, before = self._head(draw, name)
        model = pretrained.with_head(self.base.copied(), self.stages, head, f"transfer_{name}")
        last = self.settings["unfrozen_layers"] if name == "fine_tuned" else None
        learning = pretrained.unfreeze(model, last)
        if not before.complete:
            return model, before
        first_epoch = self._head_epochs(draw) + 1
        rate = self.settings["learning_rate"]
        parts = None if last is None or self.augmentation.changes else pretrained.cut(model, learning[0])
        if parts is None or self._bytes_in_front(parts[0], draw) > LARGEST_FRONT:
            return model, self._fit_on_pixels(model, name, draw, rate, first_epoch)
        front, back = parts
        maps = pretrained.on_pictures(front, self.mode)
        look = self.context.raise_if_stopped
        inputs = pretrained.outputs_of(maps, self.pixels[draw.index], look)
        key = learning[0].name
        if key not in self._fronts:  # the layers in front never change, so these hold for every draw
            self._fronts[key] = pretrained.outputs_of(maps, self.judged, look)
        _compile(back, rate)
        judged = self._fronts[key]
        learnt = (inputs, self.labels[draw.index])
        epochs = self._epochs(draw)
        return model, self._fit(back, learnt, (judged, self.truth), judged[self.probe], name, draw, epochs, first_epoch)

    def _from_scratch(self, draw: Draw) -> tuple[keras.Model, Fitted]:
        """Train the base's architecture from random weights."""
        seed = self.context.config.seed + draw.repeat
        head = self._new_head(draw, behind_base=False)
        model = pretrained.with_head(self.base.untrained(seed), self.stages, head, "transfer_scratch")
        return model, self._fit_on_pixels(model, "scratch", draw, SCRATCH_RATE)

    def _epochs(self, draw: Draw) -> int:
        return epochs_for(len(draw.index), self.settings, BATCH)

    def _bytes_in_front(self, front: keras.Model, draw: Draw) -> int:
        return 4 * int(np.prod(front.output_shape[1:])) * (len(draw.index) + len(self.judged))

    # --- the dense head ---

    def _new_head(self, draw: Draw, behind_base: bool = True) -> list[keras.layers.Layer]:
        """Return new layers behind the features; those of a trained base are brought to mean 0 and deviation 1."""
        layers: list[keras.layers.Layer] = []
        if behind_base:
            features = self.features[draw.index]
            # A channel that is silent for all of these pictures must stay so instead of exploding.
            variance = np.maximum(features.var(axis=0), 1e-4)
            layers.append(keras.layers.Normalization(mean=features.mean(axis=0), variance=variance, name="standardise"))
            if self.settings["hidden"]:
                layers.append(keras.layers.Dense(self.settings["hidden"], activation="relu", name="hidden"))
        if self.settings["dropout"]:
            layers.append(keras.layers.Dropout(self.settings["dropout"], seed=self.context.config.seed, name="dropout"))
        return [*layers, keras.layers.Dense(len(self.classes), name=pretrained.CLASSES_LAYER)]

    def _head_index(self, draw: Draw) -> np.ndarray:
        return np.tile(draw.index, max(1, round(SHORT_EPOCH * BATCH / len(draw.index))))

    def _head_epochs(self, draw: Draw) -> int:
        steps = -(-len(self._head_index(draw)) // BATCH)
        return max(self.settings["passes"], -(-HEAD_STEPS // steps))

    def _head(self, draw: Draw, strategy: str) -> tuple[list[keras.layers.Layer], Fitted]:
        """Return layers that have learnt behind the features, which a frozen base gives the same in each epoch.

        They are trained once for each draw; every strategy gets layers of its own with these weights.
        """
        key = (draw.count, draw.repeat)
        layers = self._new_head(draw)
        model = keras.Sequential([keras.Input(self.features.shape[1:]), *layers])
        if key in self._heads:
            for layer, weights in zip(layers, self._heads[key], strict=True):
                layer.set_weights(weights)
            return layers, Fitted()
        _compile(model, HEAD_RATE)
        index = self._head_index(draw)
        epochs = self._head_epochs(draw)
        judged = self.judged_features
        learnt = (self.features[index], self.labels[index])
        fitted = self._fit(model, learnt, (judged, self.truth), judged[self.probe], strategy, draw, epochs)
        if fitted.complete:
            self._heads[key] = [layer.get_weights() for layer in layers]
        return layers, fitted

    # --- fits ---

    def _fit_on_pixels(self, model: keras.Model, name: str, draw: Draw, rate: float, first_epoch: int = 1) -> Fitted:
        whole = pretrained.on_pictures(model, self.mode)
        _compile(whole, rate)
        seed = self.context.config.seed
        learnt = PictureSet(self.pixels[draw.index], self.classes, self.labels[draw.index])
        judged = PictureSet(self.judged, self.classes, self.truth)
        return self._fit(
            whole,
            (AugmentedBatches(learnt, self.augmentation, batch_size=BATCH, seed=seed + draw.repeat), None),
            AugmentedBatches(judged, Augmentation({}, seed), batch_size=pretrained.BATCH),
            self.judged[self.probe].astype(np.float32) / 255,
            name,
            draw,
            self._epochs(draw),
            first_epoch,
        )

    def _fit(
        self,
        model: keras.Model,
        learnt: tuple[Any, np.ndarray | None],
        judged: Any,
        probe: np.ndarray,
        name: str,
        draw: Draw,
        epochs: int,
        first_epoch: int = 1,
    ) -> Fitted:
        """Train a compiled model on the pictures of a draw; only the first draw of a count is drawn as a curve.

        Args:
            model: its inputs may be pictures, feature maps or features.
            learnt: what it learns from, inputs and labels, or batches and None.
            judged: validation, as in `model.fit`.
            probe: the model's inputs for the probe pictures.
            name: the strategy.
            draw: whose pictures these are.
            epochs: how many.
            first_epoch: number of the first one.
        """
        every = -(-epochs // LOOKS)
        looked = sorted({*range(every, epochs + 1, every), epochs})
        whose = variant(name, draw.count)
        first = draw.repeat == 0

        def tell(epoch: int, numbers: dict[str, float]) -> None:
            if first and epoch - first_epoch + 1 in looked:
                said = _probabilities(keras.ops.convert_to_numpy(model(probe, training=False)))
                guesses = outcome.Guesses(probabilities=tuple(tuple(map(float, row)) for row in said))
                outcome.add_moment(self.context, epoch, guesses, whose)

        return fit(
            self.context,
            model,
            *learnt,
            validation=judged if first else None,
            epochs=epochs,
            batch_size=BATCH,
            variant=whose,
            first_epoch=first_epoch,
            on_epoch=tell,
            curves=first,
            validation_freq=looked,
            validation_batch_size=pretrained.BATCH,
        )

    def _keep(self, model: keras.Model, name: str, draw: Draw) -> None:
        """Save a network in the place of the strategy's network with fewer pictures, and say what it is."""
        self.context.save_model(model, file_of(name))
        self.context.describe_model(
            classes=self.classes,
            input_size=self.base.entry.input_size,
            title=f"{STRATEGIES[name]}, {draw.count} per class",
            variant=name,
            preprocessing=self.mode,
            parameters=model.count_params(),
        )


def _compile(model: keras.Model, rate: float) -> None:
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        # XLA pays where it is all there is; on a CPU compiling takes longer than these short fits.
        jit_compile=keras.backend.backend() == "jax",
    )


def _probabilities(logits: np.ndarray) -> np.ndarray:
    return softmax(np.asarray(logits, np.float64), axis=1)


def _spread_over_classes(labels: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the first pictures of each class in turn."""
    places = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        places[members] = np.arange(len(members))
    return np.lexsort((labels, places))[:count]


def _few_pixels(pixels: np.ndarray) -> np.ndarray:
    """Return float32 (n, PIXEL_SIDE² · 3), 0 to 1: the means of the pixels of each place."""
    size = (PIXEL_SIDE, PIXEL_SIDE)
    small = [np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BOX)) for each in pixels]
    return np.stack(small).reshape(len(pixels), -1).astype(np.float32) / 255
