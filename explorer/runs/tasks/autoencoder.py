"""Trains what `explorer.runs.lessons.autoencoder` declares: autoencoders with bottlenecks of several sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
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
from explorer.runs.learning_rates import CosineDecay
from explorer.runs.lessons import lesson
from explorer.runs.lessons.autoencoder import halvings_of, variant
from explorer.runs.lessons.autoencoder_outcome import Result, items, plane
from explorer.runs.picture_networks import convolutional_autoencoder, dense_autoencoder
from explorer.runs.pretrained import outputs_of
from explorer.runs.trained import file_of

PCA_PICTURES = 2000
PROBE_PICTURES = 10
AT_A_TIME = 64
JUDGED_AFTER_A_STOP = 256
PLANE_SIDE = 15
"""Decoded pictures in a row of the plane."""

Settings = dict[str, Any]


def train(context: RunContext) -> None:
    """Train an autoencoder for each size of the bottleneck.

    Raises:
        SentenceError: if there are no such data, or the pictures are too small.
    """
    settings = lesson("autoencoder").settings(context.config.settings)
    try:
        data = load(context.config.data, seed=context.config.seed, context=context, kind="pictures")
        trial = _Trial(context, settings, data)
    except Stopped:
        return
    for number, size in enumerate(settings["sizes"], start=1):
        if context.stopped():
            break
        context.say(f"{size} numbers in the bottleneck, {number} of {len(settings['sizes'])}")
        context.part(number, len(settings["sizes"]))
        trial.run(size)
    trial.write_outcome()


def autoencoder_of(
    network: str, shape: tuple[int, int, int], size: int
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Return the whole autoencoder, its encoder and its decoder, which share their layers.

    Args:
        network: "convolutional" or "dense".
        shape: (h, w, channels) of a picture.
        size: numbers in the bottleneck.
    """
    if network == "dense":
        encoder, decoder = dense_autoencoder(shape, size)
    else:
        encoder, decoder = convolutional_autoencoder(shape, size, halvings_of(shape[0]))
    picture = encoder.inputs[0]
    return keras.Model(picture, decoder(encoder.outputs[0])), encoder, decoder


def pca_errors(
    training: np.ndarray,
    given: np.ndarray,
    truth: np.ndarray,
    sizes: tuple[int, ...],
    seed: int,
    wait_for: Callable[[Callable[[], float]], float] = lambda work: work(),
) -> dict[int, float]:
    """Return the mean squared error of PCA for each number of components that there can be.

    Args:
        training: float (n, h, w, channels), pictures that the components are found from.
        given: pictures that are brought through them.
        truth: what should come out.
        sizes: numbers of components.
        seed: of the randomised search for components.
        wait_for: does the work of one size, and looks for a stop meanwhile.
    """
    from sklearn.decomposition import PCA

    flat = training[:PCA_PICTURES].reshape(len(training[:PCA_PICTURES]), -1)

    def error(size: int) -> float:
        pca = PCA(size, svd_solver="randomized", random_state=seed).fit(flat)
        back = pca.inverse_transform(pca.transform(given.reshape(len(given), -1)))
        return float(np.mean((back - truth.reshape(len(truth), -1)) ** 2))

    return {size: wait_for(partial(error, size)) for size in sizes if size <= min(flat.shape)}


class _Trial:
    """One run: its data, and what has come out so far."""

    def __init__(self, context: RunContext, settings: Settings, data: Divided) -> None:
        self.context = context
        self.settings = settings
        learnt = len(data.training)
        found = "all" if learnt <= PCA_PICTURES else f"{PCA_PICTURES:,} of the"
        self.notes = (f"PCA is found from {found} {learnt:,} pictures that the autoencoders learn from.", *data.notes)
        self.classes, self.labels = data.validation.classes, data.validation.labels
        multiple = 2 ** halvings_of(data.training.pixels.shape[1])
        self.pictures = _from_zero_to_one(data.training.pixels, multiple)
        self.truth = _from_zero_to_one(data.validation.pixels, multiple)
        if min(self.truth.shape[1:3]) < multiple:
            raise SentenceError("The pictures are too small for an encoder: choose larger ones.")
        self.given = context.wait_for(lambda: noisy(self.truth, settings["noise"], context.config.seed))
        self.noise_error = float(np.mean((self.given - self.truth) ** 2)) if settings["noise"] else None
        context.say("principal components")
        seed = context.config.seed
        self.pca = pca_errors(self.pictures, self.given, self.truth, settings["sizes"], seed, context.wait_for)
        self.probe = probe_pictures(len(self.truth), self.labels, seed)
        self.results: list[Result] = []
        self.reconstructions: dict[int, np.ndarray] = {}
        self.planes: list[Any] = []

    def run(self, size: int) -> None:
        """Train the autoencoder of one size."""
        context, settings = self.context, self.settings
        # Each network starts from the same place, whichever others are trained in this run.
        keras.utils.set_random_seed(context.config.seed)
        model, encoder, decoder = autoencoder_of(settings["network"], self.truth.shape[1:], size)
        learner = with_noise(model, settings["noise"], context.config.seed)
        learner.compile(
            optimizer=keras.optimizers.Adam(settings["learning_rate"]),
            loss="mse",
            # XLA takes longer for small networks on a CPU; JAX without it has no compiler at all.
            jit_compile=keras.backend.backend() == "jax",
        )

        def look(epoch: int, numbers: dict[str, float]) -> None:
            self._show(learner, epoch, size, numbers["val_loss"])

        batch_size = settings["batch_size"]
        fitted = fit(
            context,
            learner,
            self.pictures,
            self.pictures,
            validation=(self.given, self.truth),
            epochs=settings["epochs"],
            batch_size=batch_size,
            variant=variant(size),
            on_epoch=look,
            callbacks=[CosineDecay(settings["epochs"] * math.ceil(len(self.pictures) / batch_size))],
            validation_batch_size=AT_A_TIME,
        )
        self._keep(model, size)
        back = self._outputs(learner)
        count = len(back)
        self.reconstructions[size] = back[self.probe] if count > self.probe.max() else back[:0]
        self.results.append(
            Result(
                size=size,
                error=float(np.mean((back - self.truth[:count]) ** 2)),
                pca=self.pca.get(size),
                parameters=model.count_params(),
                seconds=fitted.seconds,
                complete=fitted.complete and not context.heard,
            )
        )
        if size == 2:  # noqa: PLR2004 - a plane has two numbers
            self._draw_plane(encoder, decoder, count)
        self.write_outcome()

    def _outputs(self, model: keras.Model, count: int | None = None) -> np.ndarray:
        """Return a model's outputs for the unseen pictures, or the first ones; for fewer after a stop."""
        try:
            self.context.raise_if_stopped()
            return outputs_of(model, self.given[:count], self.context.raise_if_stopped)
        except Stopped:
            return outputs_of(model, self.given[:count][:JUDGED_AFTER_A_STOP], lambda: None)

    def write_outcome(self) -> None:
        """Write what there is to show by now."""
        shown = items(self.results, self.noise_error, int(np.prod(self.truth.shape[1:])), self.notes)
        outcome.write_outcome(self.context, [*shown, *self._side_by_side(), *self.planes])

    def _keep(self, model: keras.Model, size: int) -> None:
        self.context.save_model(model, file_of(variant(size)))
        said = Applicable(
            variant=variant(size),
            file=file_of(variant(size)),
            title=f"{size} numbers",
            what="reconstructs",
            side=self.truth.shape[1:3],
            channels=self.truth.shape[-1],
            noise=self.settings["noise"],
        )
        write_applicable(self.context.folder, said)

    def _show(self, learner: keras.Model, epoch: int, size: int, error: float) -> None:
        back = outputs_of(learner, self.given[self.probe], lambda: None)
        caption = (
            f"Epoch {epoch}: {size} numbers for {int(np.prod(self.truth.shape[1:])):,} values, mean squared error "
            f"{error:.4f} on all unseen pictures."
        )
        rows, titles = self._inputs()
        rows.append(list(_pixels(back)))
        picture = strips.sheet(rows, (*titles, "output"), least_side=84)
        outcome.add_picture(self.context, epoch, picture, caption, variant(size), title="Unseen pictures")

    def _inputs(self) -> tuple[list[list[np.ndarray]], tuple[str, ...]]:
        if not self.settings["noise"]:
            return [list(_pixels(self.truth[self.probe]))], ("input",)
        return [list(_pixels(each[self.probe])) for each in (self.truth, self.given)], ("clean", "input")

    def _side_by_side(self) -> list[outcome.Pictures]:
        found = {size: back for size, back in sorted(self.reconstructions.items()) if len(back)}
        if not found:
            return []
        rows, titles = self._inputs()
        rows += [list(_pixels(back)) for back in found.values()]
        picture = strips.sheet(rows, (*titles, *(f"{size} numbers" for size in found)), least_side=84)
        path = self.context.preview(picture)
        shown = outcome.Shown(file=f"previews/{path.name}", caption="Input, and what each bottleneck lets through.")
        return [outcome.Pictures(title="Side by side", pictures=(shown,))]

    def _draw_plane(self, encoder: keras.Model, decoder: keras.Model, count: int) -> None:
        places = self._outputs(encoder, count)
        labels = None if self.labels is None else self.labels[: len(places)]
        self.planes = [plane(places, labels, self.classes)]
        rows = _pixels(outputs_of(decoder, grid_of(places), lambda: None)).reshape(
            PLANE_SIDE, PLANE_SIDE, *self.truth.shape[1:]
        )
        path = self.context.preview(strips.sheet(list(rows), least_side=48, gap=1))
        caption = (
            "What the decoder makes of places in the plane, in equal steps over the middle nine tenths of all pictures."
        )
        shown = outcome.Shown(file=f"previews/{path.name}", caption=caption)
        self.planes.append(outcome.Pictures(title="The plane, decoded", pictures=(shown,)))


def with_noise(model: keras.Model, noise: float, seed: int) -> keras.Model:
    """Return a model that adds noise to its input while it learns, and shares the layers of `model`."""
    picture = keras.Input(model.inputs[0].shape[1:])
    return keras.Model(picture, model(keras.layers.GaussianNoise(noise, seed=seed)(picture) if noise else picture))


def noisy(pictures: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """Return pictures with noise of this standard deviation, float32 from 0 to 1, the same each time."""
    if not noise:
        return pictures
    added = np.random.default_rng((seed, 9)).normal(0.0, noise, pictures.shape)
    return np.clip(pictures + added, 0.0, 1.0).astype(np.float32)


def probe_pictures(count: int, labels: np.ndarray | None, seed: int) -> np.ndarray:
    """Return the indices of pictures that are shown after each epoch, where there are classes of as many as possible.

    Args:
        count: how many pictures there are.
        labels: int (count,), class of each, or None.
        seed: of the choice.
    """
    order = np.random.default_rng((seed, 3)).permutation(count)
    if labels is None:
        return order[:PROBE_PICTURES]
    seen: dict[int, int] = {}
    turn = np.empty(count, np.int64)
    for place, which in enumerate(order):
        turn[place] = seen[labels[which]] = seen.get(labels[which], -1) + 1
    chosen = order[np.argsort(turn, kind="stable")][:PROBE_PICTURES]
    return chosen[np.argsort(labels[chosen], kind="stable")]


def grid_of(places: np.ndarray) -> np.ndarray:
    """Return a square of places in the plane, float32 (side², 2), row by row from the top left.

    Args:
        places: (n, 2) of pictures; the square spans the middle nine tenths of them.
    """
    low, high = np.quantile(places, (0.05, 0.95), axis=0)
    first = np.linspace(low[0], high[0], PLANE_SIDE)
    second = np.linspace(high[1], low[1], PLANE_SIDE)
    columns, rows = np.meshgrid(first, second)
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


def _from_zero_to_one(pixels: np.ndarray, multiple: int) -> np.ndarray:
    height, width = (side // multiple * multiple for side in pixels.shape[1:3])
    return pixels[:, :height, :width].astype(np.float32) / 255.0


def _pixels(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
