"""Trains the lectures' networks for digits side by side, and measures how far training and validation lie apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from explorer.runs import digit_networks
from explorer.runs.context import RunContext
from explorer.runs.data.augmentation import Augmentation
from explorer.runs.data.batches import AugmentedBatches
from explorer.runs.data.loading import load
from explorer.runs.data.picture_set import Divided
from explorer.runs.fitting import Fitted, fit
from explorer.runs.lessons.dense_convolutional import (
    CONVOLUTIONAL,
    LESSON,
    NETWORKS,
    NORMED,
    SENTENCES,
    TREATMENTS,
    Treatment,
    title,
    variant,
)
from explorer.runs.lessons.dense_convolutional import plans as plans_of
from explorer.runs.outcome import (
    Guesses,
    Line,
    Lines,
    Number,
    Numbers,
    Pictures,
    Shown,
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
"""Training pictures that the gap is measured with, after each epoch."""
PROBES = 10
CLEARLY = 0.02
"""Accuracies of a thousand pictures differ by about so much by chance."""
NARROWER = 0.9
"""A gap is narrower if it is at most so much of the other one."""
LEAST_GAP = 0.05
"""Of the loss: of less than that nothing can be said to narrow it."""
ZOOM = 6


@dataclass(eq=False)
class Result:
    """What came of one network under one treatment.

    Attributes:
        network: which.
        treatment: which.
        parameters: number of weights.
        trainable: those that training changes.
        chances: (validation pictures, classes).
        training: accuracy on training pictures, dropout and augmentation off, by epoch.
        validation: the same on validation pictures.
        loss_gaps: cross-entropy on validation pictures minus that on training pictures, by epoch.
        seconds: of training.
        complete: whether it was trained to its end.
    """

    network: str
    treatment: str
    parameters: int
    trainable: int
    chances: np.ndarray
    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    loss_gaps: list[float] = field(default_factory=list)
    seconds: float = 0.0
    complete: bool = True

    @property
    def title(self) -> str:
        """What a visitor reads."""
        return title(self.network, self.treatment)

    @property
    def share(self) -> float:
        """Accuracy on validation pictures at the end."""
        return self.validation[-1]

    @property
    def gap(self) -> float:
        """Accuracy on training pictures minus that on validation pictures, at the end."""
        return self.training[-1] - self.validation[-1]


def train(context: RunContext) -> None:
    """Train every network under every treatment on the same pictures."""
    settings = LESSON.settings(context.config.settings)
    data = load(context.config.data, seed=context.config.seed, context=context, kind="classes")
    _write_pictures(context, data)
    shown = _pixel_pictures(context, data) if settings["compare"] == "pixels" else []
    plans = plans_of(settings)
    results: list[Result] = []
    for number, (network, name, treatment) in enumerate(plans, start=1):
        if context.stopped():
            break
        context.say(f"{title(network, name)}: {number} of {len(plans)}")
        context.part(number, len(plans))
        result = _trained(context, settings, network, name, treatment, data)
        if result.validation:
            results.append(result)
        complete = len(results) == len(plans) and all(one.complete for one in results)
        write_outcome(context, _items(settings, results, data, shown, complete))
    if not results:
        write_outcome(context, [verdict(settings, results, complete=False)])


def _write_pictures(context: RunContext, data: Divided) -> None:
    validation = data.validation
    assert validation.labels is not None
    labels = validation.labels.tolist()
    write_validation(context, validation.pixels, labels, validation.classes, validation.names)
    write_probe(context, validation.pixels[:PROBES], validation.classes, labels[:PROBES], validation.names[:PROBES])


def _pixel_pictures(context: RunContext, data: Divided) -> list[Any]:
    """Return what standardisation does to a picture, as pictures."""
    inputs = data.training.inputs()
    mean, variance = digit_networks.statistics(inputs)
    deviation = np.sqrt(variance)
    made = (inputs[0] - mean) / deviation
    pictures = (
        (inputs[0], "a picture"),
        (mean, "mean of each pixel"),
        (deviation / max(deviation.max(), 1e-6), f"standard deviation of each pixel, white is {deviation.max():.2f}"),
        (made / (2 * max(np.abs(made).max(), 1e-6)) + 0.5, "standardised: grey is 0"),
    )
    shown = []
    for picture, caption in pictures:
        path = context.preview(np.repeat(np.repeat(picture, ZOOM, axis=0), ZOOM, axis=1).astype(np.float32))
        shown.append(Shown(file=f"previews/{path.name}", caption=caption))
    return [Pictures(title="What standardisation does", pictures=tuple(shown))]


def _trained(
    context: RunContext, settings: dict[str, Any], network: str, name: str, treatment: Treatment, data: Divided
) -> Result:
    seed, training, validation = context.config.seed, data.training, data.validation
    keras.utils.set_random_seed(seed)
    inputs, checks = training.inputs(), validation.inputs()
    labels, truth = training.labels, validation.labels
    assert labels is not None and truth is not None
    pixels = digit_networks.statistics(inputs) if treatment.standardise else None
    model = digit_networks.build(network, inputs.shape[1:], len(training.classes), treatment, pixels)
    augmented = None
    if treatment.augmentation:
        augmented = AugmentedBatches(
            training, Augmentation(treatment.augmentation, seed), batch_size=settings["batch_size"], seed=seed
        )
    one_hot = augmented is not None and augmented.augmentation.mixes
    _compile(model, settings, one_hot)
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    result = Result(network, name, model.count_params(), trainable, np.zeros((0, len(training.classes))))

    def show(epoch: int, numbers: dict[str, float]) -> None:
        told = probabilities(model, inputs[:MOST_JUDGED], context.raise_if_stopped)
        chances = probabilities(model, checks, context.raise_if_stopped)
        # Only now: an epoch whose judging was cut short has no numbers.
        result.chances = chances
        result.training.append(accuracy(labels[:MOST_JUDGED], told))
        result.validation.append(accuracy(truth, result.chances))
        result.loss_gaps.append(cross_entropy(truth, chances) - cross_entropy(labels[:MOST_JUDGED], told))
        guesses = tuple(tuple(round(float(chance), 5) for chance in row) for row in result.chances[:PROBES])
        add_moment(context, epoch, Guesses(probabilities=guesses), variant(network, name))

    validation_data = (checks, np.eye(len(training.classes), dtype=np.float32)[truth] if one_hot else truth)
    given: tuple[Any, Any] = (inputs, labels) if augmented is None else (augmented, None)
    fitted: Fitted = fit(
        context,
        model,
        *given,
        validation=validation_data,
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        variant=variant(network, name),
        pictures=settings["batch_size"],
        on_epoch=show,
    )
    result.seconds, result.complete = fitted.seconds, fitted.complete
    _save(context, model, result, data)
    return result


def _compile(model: keras.Model, settings: dict[str, Any], one_hot: bool) -> None:
    optimizer = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[settings["optimizer"]]
    loss = keras.losses.CategoricalCrossentropy if one_hot else keras.losses.SparseCategoricalCrossentropy
    model.compile(
        optimizer=optimizer(settings["learning_rate"]),
        loss=loss(from_logits=True),
        metrics=["accuracy"],
        # XLA takes longer for such small networks on a CPU; JAX without it has no compiler at all.
        jit_compile=keras.backend.backend() == "jax",
    )


def _save(context: RunContext, model: keras.Model, result: Result, data: Divided) -> None:
    name = variant(result.network, result.treatment)
    height, width, channels = data.training.pixels.shape[1:]
    context.save_model(model, file_of(name))
    context.describe_model(
        classes=data.training.classes,
        input_size=(height, width),
        channels=channels,
        title=result.title,
        variant=name,
        parameters=result.parameters,
    )
    if len(result.chances):
        write_predictions(context, result.chances, name)


# --- what is shown ---


def _items(
    settings: dict[str, Any], results: list[Result], data: Divided, shown: list[Any], complete: bool
) -> list[Any]:
    if not results:
        return [verdict(settings, results, complete)]
    truth = data.validation.labels
    assert truth is not None
    best = max(results, key=lambda result: result.share)
    bars = Lines(
        title="Accuracy at the end",
        y_title="accuracy",
        bars=tuple(result.title for result in results),
        lines=tuple(
            Line(name=name, x=tuple(map(float, range(len(results)))), y=tuple(values))
            for name, values in (
                ("training pictures", [result.training[-1] for result in results]),
                ("validation pictures", [result.share for result in results]),
            )
        ),
    )
    return [
        verdict(settings, results, complete),
        Numbers(
            rows=tuple(
                Number(label=result.title, value=100 * result.share, unit="%", digits=1, note="Validation pictures")
                for result in results
            )
        ),
        _curves(results, "loss_gaps", "Gap: loss on validation minus training pictures", "cross-entropy"),
        _curves(results, "validation", "Accuracy on validation pictures", "accuracy"),
        bars,
        *shown,
        _table(results, len(truth)),
        class_table(truth, best.chances.argmax(axis=1), data.validation.classes, f"Class by class: {best.title}"),
        *(
            confusion_of(
                truth,
                result.chances.argmax(axis=1),
                data.validation.classes,
                variant(result.network, result.treatment),
                result.title,
            )
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
                name=result.title,
                x=tuple(float(epoch) for epoch in range(1, len(getattr(result, name)) + 1)),
                y=tuple(round(value, 5) for value in getattr(result, name)),
            )
            for result in results
        ),
        note="Judged after each epoch, with dropout and augmentation off.",
    )


def _table(results: list[Result], pictures: int) -> Table:
    return Table(
        title="The networks",
        columns=(
            "network",
            "treatment",
            "parameters",
            "trainable",
            "training accuracy",
            "validation accuracy",
            "gap in accuracy",
            "gap in loss",
            "seconds",
        ),
        rows=tuple(
            (
                NETWORKS[result.network],
                TREATMENTS[result.treatment] or "as set",
                result.parameters,
                result.trainable,
                result.training[-1],
                result.share,
                result.gap,
                result.loss_gaps[-1],
                round(result.seconds, 1),
            )
            for result in results
        ),
        lit=tuple((row, column) for row in range(len(results)) for column in (5, 7)),
        note=_by_chance(results, pictures),
    )


def _by_chance(results: list[Result], pictures: int) -> str:
    """Say by how much accuracies of so many pictures differ by chance: by a standard deviation of the difference."""
    share = float(np.mean([result.share for result in results]))
    spread = math.sqrt(2 * max(share * (1 - share), 1 / pictures) / pictures)
    return f"Two accuracies on {pictures:,} pictures differ by about {spread:.3f} by chance alone."


def verdict(settings: dict[str, Any], results: list[Result], complete: bool) -> Verdict:
    """Return whether the sentence of the comparison holds."""
    compare = settings["compare"]
    sentence = SENTENCES[compare]
    if not complete:
        return Verdict(sentence=sentence, holds=None, because="Not every network has been trained to its end.")
    found = {(result.network, result.treatment): result for result in results}
    if compare == "pixels":
        holds, because = _pixels_verdict(found, settings["batch_norm"])
    elif compare == "networks":
        holds, because = _networks_verdict(found)
    else:
        holds, because = _gap_verdict(found)
        if compare == "regularisation" and set(settings["networks"]).isdisjoint(NORMED):
            holds = None if holds else False
            because += " Batch norm was not tried: cnn1 has none."
    return Verdict(sentence=sentence, holds=holds, because=because)


Found = dict[tuple[str, str], Result]


def _pixels_verdict(found: Found, batch_norm: bool) -> tuple[bool | None, str]:
    networks = list(dict.fromkeys(network for network, _ in found))
    gains = {each: found[each, "standardised"].share - found[each, "raw"].share for each in networks}
    because = "Accuracy without and with standardised pixels: " + ", ".join(
        f"{NETWORKS[each]} {found[each, 'raw'].share:.3f} and {found[each, 'standardised'].share:.3f} "
        f"({gains[each]:+.3f})"
        for each in networks
    )
    convolutional = [each for each in networks if each in CONVOLUTIONAL]
    if "dense" not in gains or not convolutional:
        return None, f"{because}. It takes the dense net and a convolutional one to compare."
    # The plainest one, if it is there: batch normalisation, as in cnn2, standardises by itself.
    plainest = convolutional[0]
    because = f"{because}. {NETWORKS[plainest]} is compared with the dense net"
    if batch_norm and plainest not in NORMED:
        because += ", which has batch norm, a standardisation of its own, while cnn1 has none"
    return gains[plainest] >= gains["dense"] + CLEARLY, f"{because}."


def _networks_verdict(found: Found) -> tuple[bool | None, str]:
    shares = {network: result for (network, _), result in found.items()}
    because = "Accuracy: " + ", ".join(
        f"{NETWORKS[each]} {result.share:.3f} with {result.parameters:,} parameters" for each, result in shares.items()
    )
    if "dense" not in shares or "cnn2" not in shares:
        return None, f"{because}. It takes the dense net and cnn2 to compare."
    if shares["dense"].parameters < 10 * shares["cnn2"].parameters:
        return None, f"{because}. Here the dense net has not ten times as many, which is what the sentence is about."
    return shares["cnn2"].share >= shares["dense"].share + CLEARLY / 2, f"{because}."


def _gap_verdict(found: Found) -> tuple[bool | None, str]:
    networks = list(dict.fromkeys(network for network, _ in found))
    parts = [
        f"{NETWORKS[network]}: "
        + ", ".join(
            f"{TREATMENTS[result.treatment]} {result.loss_gaps[-1]:.2f} ({result.gap:.3f})"
            for (name, _), result in found.items()
            if name == network
        )
        for network in networks
    ]
    because = f"Gap in loss at the end, and in accuracy: {'; '.join(parts)}."
    flat = [NETWORKS[network] for network in networks if found[network, "plain"].loss_gaps[-1] < LEAST_GAP]
    if flat:
        return None, f"{because} There is hardly a gap to narrow: {', '.join(flat)}."
    for treatment in ("dropout", "batch_norm"):
        tried = [network for network in networks if (network, treatment) in found]
        if not all(_is_narrower(found, network, treatment) for network in tried):
            because += f" By itself {TREATMENTS[treatment]} does not narrow it here."
    # What the sentence names goes together in the lecture's networks; each by itself is only told.
    holds = []
    for network in networks:
        together = next(name for name in ("augmented", "both", "dropout") if (network, name) in found)
        holds.append(_is_narrower(found, network, together))
    return all(holds), because


def _is_narrower(found: Found, network: str, treatment: str) -> bool:
    plain, other = found[network, "plain"], found[network, treatment]
    return other.loss_gaps[-1] <= NARROWER * plain.loss_gaps[-1]
