"""What the lesson on segmentation has to show at its end: intersection over union, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.runs.lessons.segmentation import LESSON, LOSS_SENTENCE, LOSSES, SHORT
from explorer.runs.outcome import Confusion, Line, Lines, Number, Numbers, Table, Verdict

CLEARLY = 0.01
"""By so much IoU two networks or losses must differ to be told apart."""


@dataclass(frozen=True, eq=False)
class Result:
    """What came of one network.

    Attributes:
        variant: its name.
        title: for people.
        network: which.
        loss: which.
        confusion: int64 (classes, classes), pixels by truth and answer, of the whole validation set.
        curve: (seconds, mean IoU on validation) after each epoch.
        parameters: weights.
        learnt: weights that learn.
        seconds: that training took.
        complete: whether all epochs were done.
    """

    variant: str
    title: str
    network: str
    loss: str
    confusion: np.ndarray
    curve: tuple[tuple[float, float], ...]
    parameters: int
    learnt: int
    seconds: float
    complete: bool = True

    @property
    def ious(self) -> np.ndarray:
        """Intersection over union of each class, float (classes,); NaN for a class that is nowhere."""
        return intersection_over_union(self.confusion)

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that there are."""
        return float(np.nanmean(self.ious))

    @property
    def object_iou(self) -> float:
        """Mean over the classes but the background."""
        return float(np.nanmean(self.ious[1:]))


def pixel_confusion(truth: np.ndarray, answer: np.ndarray, classes: int) -> np.ndarray:
    """Return int64 (classes, classes): how many pixels of each class (rows) were given each class (columns)."""
    pairs = truth.astype(np.int64).ravel() * classes + answer.astype(np.int64).ravel()
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def intersection_over_union(confusion: np.ndarray) -> np.ndarray:
    """Return TP / (TP + FP + FN) of each class, float (classes,); NaN for a class that is nowhere."""
    both = np.diag(confusion).astype(np.float64)
    either = confusion.sum(axis=0) + confusion.sum(axis=1) - both
    return np.divide(both, either, out=np.full(len(both), np.nan), where=either > 0)


def verdicts(results: Sequence[Result]) -> list[Verdict]:
    """Judge the lecture's sentence, and that about the loss where losses were compared."""
    told = [_encoder_verdict(results)]
    if len({result.loss for result in results}) > 1:
        told.append(_loss_verdict(results))
    return told


def _encoder_verdict(results: Sequence[Result]) -> Verdict:
    best = {
        network: max((r for r in results if r.network == network), key=lambda r: r.mean_iou)
        for network in dict.fromkeys(result.network for result in results)
    }
    because = ", ".join(f"{SHORT[name]} {result.mean_iou:.2f}" for name, result in best.items())
    because = f"mean IoU: {because}" if best else "nothing was finished"
    scratch = [result.mean_iou for name, result in best.items() if name != "pretrained"]
    if not all(result.complete for result in results):
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"it was stopped before its end; {because}.")
    if "pretrained" not in best or not scratch:
        missing = "one that starts from nothing" if "pretrained" in best else "the pretrained encoder"
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"{because}; {missing} was not trained beside it.")
    more = best["pretrained"].mean_iou - max(scratch)
    if abs(more) < CLEARLY:
        because += f"; less than {CLEARLY:g} apart is too near to tell"
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"{because}.")
    return Verdict(sentence=LESSON.sentence, holds=more > 0, because=f"{because}.")


def _loss_verdict(results: Sequence[Result]) -> Verdict:
    networks = list(dict.fromkeys(result.network for result in results))
    found = {(result.network, result.loss): result.object_iou for result in results}
    told = []
    for network in networks:
        words = ", ".join(f"{LOSSES[loss]} {found[network, loss]:.3f}" for loss in LOSSES if (network, loss) in found)
        told.append(f"IoU of the objects ({SHORT[network]}): {words}")
    gains = [
        found[network, "dice"] - found[network, "cross_entropy"]
        for network in networks
        if (network, "dice") in found and (network, "cross_entropy") in found
    ]
    holds: bool | None = None
    if not all(result.complete for result in results):
        told.append("not every network has been trained to its end")
    elif not gains:
        told.append("the Dice loss alone was not trained beside cross-entropy")
    elif min(gains) <= -CLEARLY:
        holds = False
    elif min(gains) < CLEARLY:
        told.append(f"less than {CLEARLY:g} apart is too near to tell")
    else:
        holds = True
    share = background_share(results[0].confusion)
    because = "; ".join([*told, f"background has {100 * share:.0f} % of the pixels"])
    return Verdict(sentence=LOSS_SENTENCE, holds=holds, because=f"{because}.")


def background_share(confusion: np.ndarray) -> float:
    """Return the share of pixels whose true class is the first."""
    return float(confusion[0].sum() / max(1, confusion.sum()))


def items(results: Sequence[Result], classes: Sequence[str], notes: Sequence[str] = ()) -> list[Any]:
    """Return everything to show but pictures, the verdict first.

    Args:
        results: of all networks so far.
        classes: of pixels, the first being the background.
        notes: sentences about the data.
    """
    shown: list[Any] = list(verdicts(results))
    if not results:
        return shown
    rows = [
        Number(label=result.title or SHORT[result.network], value=result.mean_iou, digits=3, note="mean IoU")
        for result in results
    ]
    shown.append(Numbers(title="Intersection over union, mean over the classes", rows=tuple(rows)))
    shown.append(_curves(results))
    shown.append(_table(results, classes, notes))
    shown.append(_costs(results))
    shown += [_confusion(result, classes) for result in results]
    return shown


def _curves(results: Sequence[Result]) -> Lines:
    lines = tuple(
        Line(
            name=result.title or SHORT[result.network],
            x=tuple(seconds for seconds, _ in result.curve),
            y=tuple(value for _, value in result.curve),
            points=True,
        )
        for result in results
        if result.curve
    )
    return Lines(
        title="Mean IoU on unseen scenes against time",
        x_title="seconds of training",
        y_title="mean IoU",
        lines=lines,
        note="Each network's clock starts at 0.",
    )


def _table(results: Sequence[Result], classes: Sequence[str], notes: Sequence[str]) -> Table:
    columns = np.stack([np.append(result.ious, result.mean_iou) for result in results], axis=1)
    rows = tuple(
        (name, *(None if np.isnan(value) else float(value) for value in values))
        for name, values in zip((*classes, "mean"), columns, strict=True)
    )
    several = len(results) > 1
    lit = [(row, 1 + int(np.nanargmax(values))) for row, values in enumerate(columns) if not np.isnan(values).all()]
    return Table(
        title="Intersection over union of each class",
        columns=("class", *(result.title or SHORT[result.network] for result in results)),
        rows=rows,
        lit=tuple(lit) if several else (),
        note=" ".join(
            [
                f"Counted over all {int(results[0].confusion.sum()):,} validation pixels, of which "
                f"{100 * background_share(results[0].confusion):.0f} % are background.",
                *notes,
            ]
        ),
    )


def _costs(results: Sequence[Result]) -> Table:
    rows = tuple(
        (
            result.title or SHORT[result.network],
            f"{result.parameters:,}",
            f"{result.learnt:,}",
            round(result.seconds, 1),
            float(np.diag(result.confusion).sum() / result.confusion.sum()),
        )
        for result in results
    )
    return Table(
        title="What it costs",
        columns=("network", "weights", "weights that learn", "seconds", "pixels right"),
        rows=rows,
        note="The share of right pixels flatters: saying background everywhere already gets "
        f"{background_share(results[0].confusion):.2f}.",
    )


def _confusion(result: Result, classes: Sequence[str]) -> Confusion:
    return Confusion(
        title=f"Pixels: {result.title or SHORT[result.network]}",
        variant=result.variant,
        classes=tuple(classes),
        matrix=tuple(tuple(int(count) for count in row) for row in result.confusion),
    )
