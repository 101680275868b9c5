"""Classifies heartbeats and stereo sounds, beside a linear classifier of the same samples."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from explorer.runs.context import RunContext
from explorer.runs.data.sequence_pictures import waveform
from explorer.runs.data.sequences import Signals, heartbeats, stereo_sounds
from explorer.runs.fitting import fit
from explorer.runs.lessons.one_dimension import JUDGED_SIGNALS, sentence_of
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
from explorer.runs.scoring import accuracy, class_table, compiled, probabilities
from explorer.runs.tasks.sequences.baseline import logistic_regression

VALIDATION_SEED = 1_000_000
SHOWN_FILTERS = 3
MOST_POINTS = 512
MARGIN = 0.15
"""So much better than guessing a linear classifier may be, and still be said to guess."""
GOOD = 0.9


def build(
    steps: int, channels: int, classes: int, filters: int, width: int, first_stride: int = 1, blocks: int = 4
) -> keras.Model:
    """Return blocks of convolution, batch normalisation, ReLU and pooling, the maximum over time, and logits.

    Args:
        steps: length of a recording.
        channels: of a recording; 2 for stereo.
        classes: how many.
        filters: of the first layer; the others have twice as many.
        width: kernel size of all layers.
        first_stride: of the first layer.
        blocks: how many; each halves the length.

    Returns:
        A model from (n, steps, channels) to (n, classes).
    """
    recording = keras.Input((steps, channels), name="recording")
    x = recording
    for number in range(1, blocks + 1):
        x = layers.Conv1D(
            filters if number == 1 else 2 * filters,
            width,
            strides=first_stride if number == 1 else 1,
            padding="same",
            use_bias=False,
            name=f"conv_{number}",
        )(x)
        # A running mean of a few dozen steps: the runs are short.
        x = layers.BatchNormalization(momentum=0.9, name=f"norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        x = layers.MaxPooling1D(2, name=f"pool_{number}")(x)
    x = layers.GlobalMaxPooling1D(name="over_time")(x)
    return keras.Model(recording, layers.Dense(classes, name="classes")(x), name="signals")


def draw(settings: dict[str, Any], count: int, seed: int) -> Signals:
    """Return so many recordings of the kind that the settings ask for."""
    make = heartbeats if settings["signals"] == "heartbeats" else stereo_sounds
    return make(count, seed, settings["noise"])


def architecture(settings: dict[str, Any]) -> dict[str, int]:
    """Return width and first stride for a kind of signal: about a tenth of a second, or about a period of a tone."""
    return {"width": 7} if settings["signals"] == "heartbeats" else {"width": 16, "first_stride": 2}


def train(context: RunContext, settings: dict[str, Any]) -> None:
    """Train a linear classifier and a convolutional network on the same recordings."""
    context.say("drawing the signals")
    training = draw(settings, settings["examples"], context.config.seed)
    validation = draw(settings, JUDGED_SIGNALS, context.config.seed + VALIDATION_SEED)
    limit = float(np.quantile(np.abs(training.values), 0.999))
    context.raise_if_stopped()
    pixels = np.stack([waveform(values, limit) for values in validation.values])
    write_validation(context, pixels, validation.labels.tolist(), validation.classes, _names(validation))
    probe = np.array([np.flatnonzero(validation.labels == number)[0] for number in range(len(validation.classes))])
    write_probe(
        context, pixels[probe], validation.classes, validation.labels[probe].tolist(), _names(validation, probe)
    )
    context.raise_if_stopped()

    context.say("logistic regression of the samples")
    linear = _linear(context, training, validation)
    write_predictions(context, linear, "linear")
    context.say("convolutional network")
    context.part(1, 1)
    model, complete, seconds = _network(context, settings, training, validation, probe)
    context.save_model(model)
    chances = probabilities(model, validation.values)
    write_predictions(context, chances)
    write_outcome(context, _items(settings, model, validation, chances, linear, probe, seconds, complete))


def _names(signals: Signals, which: np.ndarray | None = None) -> list[str]:
    return [f"recording {number + 1}" for number in (range(len(signals.labels)) if which is None else which.tolist())]


def _linear(context: RunContext, training: Signals, validation: Signals) -> np.ndarray:
    scaler = StandardScaler()
    found = logistic_regression(
        context, scaler.fit_transform(training.values.reshape(len(training.values), -1)), training.labels
    )
    return make_pipeline(scaler, found).predict_proba(validation.values.reshape(len(validation.values), -1))


def _network(
    context: RunContext, settings: dict[str, Any], training: Signals, validation: Signals, probe: np.ndarray
) -> tuple[keras.Model, bool, float]:
    keras.utils.set_random_seed(context.config.seed)
    _, steps, channels = training.values.shape
    model = build(steps, channels, len(training.classes), settings["filters"], **architecture(settings))
    compiled(model, settings["learning_rate"])

    def show(epoch: int, numbers: dict[str, float]) -> None:
        guesses = probabilities(model, validation.values[probe])
        rows = tuple(tuple(round(float(chance), 5) for chance in row) for row in guesses)
        add_moment(context, epoch, Guesses(title="A recording of each class", probabilities=rows))
        add_moment(context, epoch, responses(model, validation, int(probe[1])))

    fitted = fit(
        context,
        model,
        training.values,
        training.labels,
        validation=(validation.values, validation.labels),
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        on_epoch=show,
    )
    return model, fitted.complete, fitted.seconds


# --- what is shown ---


def first_responses(model: keras.Model, values: np.ndarray) -> np.ndarray:
    """Return what the first layer's filters make of one recording, before normalisation; (steps, filters)."""
    layer = model.get_layer("conv_1")
    return np.asarray(keras.ops.convert_to_numpy(layer(np.asarray(values, np.float32)[None])))[0]


def responses(model: keras.Model, signals: Signals, number: int) -> Lines:
    """Return a recording and what the filters that respond most make of it."""
    values = signals.values[number]
    made = first_responses(model, values)
    strongest = np.argsort(-made.std(axis=0), kind="stable")[:SHOWN_FILTERS]
    seconds = np.arange(len(values)) / signals.rate
    lines = [
        _line(name, seconds, channel, role="input")
        for name, channel in zip(_channel_names(values.shape[1]), values.T, strict=True)
    ]
    stride = len(values) // len(made)
    lines += [_line(f"filter {channel + 1}", seconds[::stride], made[:, channel]) for channel in strongest.tolist()]
    return Lines(
        title=f"What the first layer sees in a recording: {signals.classes[int(signals.labels[number])]}",
        x_title="seconds",
        y_title="value",
        lines=tuple(lines),
        note="The recording, and the filters of the first layer that respond most to it, before normalisation.",
    )


def _channel_names(channels: int) -> tuple[str, ...]:
    return ("left", "right") if channels == 2 else ("recording",)


def _line(name: str, x: np.ndarray, y: np.ndarray, **more: Any) -> Line:
    """Return a curve of at most `MOST_POINTS`: of what is longer every second value, or every third."""
    step = -(-len(x) // MOST_POINTS)
    x, y = x[::step], y[::step]
    return Line(name=name, x=tuple(x.round(5).tolist()), y=tuple(np.asarray(y, np.float64).round(4).tolist()), **more)


def _items(
    settings: dict[str, Any],
    model: keras.Model,
    validation: Signals,
    chances: np.ndarray,
    linear: np.ndarray,
    probe: np.ndarray,
    seconds: float,
    complete: bool,
) -> list[Any]:
    found, guessed = accuracy(validation.labels, chances), accuracy(validation.labels, linear)
    chance = 1 / len(validation.classes)
    because = (
        f"Accuracy on recordings that neither has seen: convolutional network {found:.2f}, logistic regression of the "
        f"samples {guessed:.2f}, by guessing {chance:.2f}."
    )
    holds = found >= GOOD and guessed <= chance + MARGIN if complete else None
    if complete and found < GOOD:
        because += f" It takes {GOOD:g} of the convolutional network: give it more epochs or examples."
    if complete and guessed > chance + MARGIN:
        because += " The linear one tells them apart, too."
    numbers = (
        Number(label="Convolutional network", value=100 * found, unit="%", digits=1),
        Number(label="Logistic regression", value=100 * guessed, unit="%", digits=1),
        Number(label="Guessing", value=100 * chance, unit="%", digits=1),
    )
    networks = Table(
        title="The two classifiers",
        columns=("classifier", "accuracy", "parameters", "seconds"),
        rows=(
            ("convolutional network", found, model.count_params(), round(seconds, 1)),
            ("logistic regression", guessed, _linear_parameters(validation), None),
        ),
        lit=((0, 1), (1, 1)),
    )
    answers = chances.argmax(axis=1)
    return [
        Verdict(sentence=sentence_of(settings), holds=holds, because=because),
        Numbers(rows=numbers),
        *(responses(model, validation, int(number)) for number in probe[:4]),
        _filters(model, validation.rate),
        networks,
        class_table(validation.labels, answers, validation.classes),
        confusion_of(validation.labels, answers, validation.classes, title="Convolutional network"),
        confusion_of(
            validation.labels, linear.argmax(axis=1), validation.classes, variant="linear", title="Logistic regression"
        ),
    ]


def _linear_parameters(signals: Signals) -> int:
    return (int(np.prod(signals.values.shape[1:])) + 1) * len(signals.classes)


def _filters(model: keras.Model, rate: int) -> Lines:
    """Return the filters of the first layer with the largest weights, those of the first channel."""
    kernel = np.asarray(keras.ops.convert_to_numpy(model.get_layer("conv_1").kernel))
    strongest = np.argsort(-np.abs(kernel).sum(axis=(0, 1)), kind="stable")[: 2 * SHOWN_FILTERS]
    lines = []
    for number in strongest.tolist():
        for name, weights in zip(_channel_names(kernel.shape[1]), kernel[:, :, number].T, strict=True):
            title = f"filter {number + 1}" + (f", {name}" if kernel.shape[1] == 2 else "")
            milliseconds = np.arange(len(weights)) * 1000 / rate
            lines.append(_line(title, milliseconds, weights, points=True, dashed=name == "right"))
    return Lines(
        title="The first layer's filters with the largest weights",
        x_title="milliseconds",
        y_title="weight",
        lines=tuple(lines[: 2 * SHOWN_FILTERS]),
    )
