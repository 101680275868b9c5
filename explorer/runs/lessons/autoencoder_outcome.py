"""What the lesson on autoencoders has to show at its end: the error against the bottleneck's size, beside PCA's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.runs.lessons.autoencoder import LESSON, NOISE_SENTENCE
from explorer.runs.outcome import Line, Lines, Number, Numbers, Table, Verdict

SHOWN_POINTS = 100
"""Pictures of each class in the plane at most."""


@dataclass(frozen=True)
class Result:
    """What came of one size of the bottleneck.

    Attributes:
        size: numbers in the bottleneck.
        error: mean squared error on validation pictures, values from 0 to 1.
        pca: the same of PCA with as many components; None where there are not so many.
        parameters: weights.
        seconds: that training took.
        complete: whether all epochs were done.
    """

    size: int
    error: float
    pca: float | None
    parameters: int
    seconds: float
    complete: bool = True


TOO_NEAR = 0.03
"""Errors that differ by less of themselves do not decide: the same network from another seed differs by as much."""


NEAR_PCA = 0.01
"""The same of the error against PCA's, which no seed changes."""


def verdicts(results: Sequence[Result], noisy: float | None = None) -> list[Verdict]:
    """Judge the lecture's sentence, and that about noise where there was some.

    Args:
        results: of all sizes so far.
        noisy: mean squared error of the noisy input itself; None without noise.
    """
    told = [_size_verdict(results)]
    if noisy is not None:
        told.append(_noise_verdict(results, noisy))
    return told


def _size_verdict(results: Sequence[Result]) -> Verdict:
    ordered = sorted(results, key=lambda result: result.size)
    words = ", ".join(f"{result.size} numbers {result.error:.4f}" for result in ordered)
    because = f"mean squared error: {words}" if words else "nothing was finished"
    if not all(result.complete for result in ordered):
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"it was stopped before its end; {because}.")
    if not ordered or ordered[0].pca is None:
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"{because}.")
    first, straight = ordered[0], ordered[0].pca
    because = f"{because}; PCA with {first.size} numbers {straight:.4f}"
    if len(ordered) == 1:
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"{because}; other sizes were not tried.")
    steps = list(zip(ordered, ordered[1:], strict=False))
    near = [(narrow, wide) for narrow, wide in steps if abs(wide.error - narrow.error) < TOO_NEAR * narrow.error]
    apart = [(narrow, wide) for narrow, wide in steps if (narrow, wide) not in near]
    if near:
        pairs = ", ".join(f"{narrow.size} and {wide.size}" for narrow, wide in near)
        because += f"; {pairs} numbers: less than {TOO_NEAR:.0%} apart, too near to tell"
    falls = all(wide.error < narrow.error for narrow, wide in apart)
    holds: bool | None = falls and first.error < straight
    if falls and abs(first.error - straight) < NEAR_PCA * straight:
        because += f"; less than {NEAR_PCA:.0%} from PCA, too near to tell"
        holds = None
    return Verdict(sentence=LESSON.sentence, holds=None if holds and not apart else holds, because=f"{because}.")


def _noise_verdict(results: Sequence[Result], noisy: float) -> Verdict:
    if not results:
        return Verdict(sentence=NOISE_SENTENCE, holds=None, because="nothing was finished.")
    best = min(results, key=lambda result: result.error)
    because = f"mean squared error of the noisy input {noisy:.4f}, of the best reconstruction {best.error:.4f}."
    decided = all(result.complete for result in results)
    return Verdict(sentence=NOISE_SENTENCE, holds=best.error < noisy if decided else None, because=because)


def items(
    results: Sequence[Result], noisy: float | None = None, values: int = 0, notes: Sequence[str] = ()
) -> list[Any]:
    """Return everything to show but pictures and the plane, the verdict first.

    Args:
        results: of all sizes so far.
        noisy: mean squared error of the noisy input itself; None without noise.
        values: of one picture.
        notes: sentences about the data.
    """
    shown: list[Any] = list(verdicts(results, noisy))
    if not results:
        return shown
    ordered = sorted(results, key=lambda result: result.size)
    rows = [
        Number(
            label=f"{result.size} numbers",
            value=result.error,
            digits=4,
            note="" if result.pca is None else f"PCA {result.pca:.4f}",
        )
        for result in ordered
    ]
    if noisy is not None:
        rows.append(Number(label="noisy input", value=noisy, digits=4, baseline=True))
    shown.append(Numbers(title="Mean squared error on unseen pictures", rows=tuple(rows)))
    shown.append(_curve(ordered, noisy))
    shown.append(_table(ordered, values, notes))
    return shown


def _curve(ordered: Sequence[Result], noisy: float | None) -> Lines:
    sizes = tuple(float(result.size) for result in ordered)
    lines = [
        Line(name="autoencoder", x=sizes, y=tuple(result.error for result in ordered), points=True),
        Line(name="PCA", x=sizes, y=tuple(result.pca for result in ordered), role="truth", dashed=True, points=True),
    ]
    if noisy is not None and len(sizes) > 1:
        lines.append(Line(name="noisy input", x=(sizes[0], sizes[-1]), y=(noisy, noisy), role="input", dashed=True))
    return Lines(
        title="Error against the bottleneck's size",
        x_title="numbers in the bottleneck",
        y_title="mean squared error",
        lines=tuple(lines),
        logarithmic_x=True,
    )


def _table(ordered: Sequence[Result], values: int, notes: Sequence[str]) -> Table:
    rows = tuple(
        (
            f"{result.size} numbers",
            result.error,
            result.pca,
            f"1 : {values / result.size:.0f}",
            f"{result.parameters:,}",
            round(result.seconds, 1),
        )
        for result in ordered
    )
    lit = tuple(
        (row, 1 if result.error < result.pca else 2) for row, result in enumerate(ordered) if result.pca is not None
    )
    return Table(
        title="Mean squared error on pictures that were never learnt from",
        columns=("bottleneck", "autoencoder", "PCA", "of the picture's values", "weights", "seconds"),
        rows=rows,
        digits=4,
        lit=lit,
        note=" ".join(["Lit is the smaller error.", *notes]),
    )


def plane(places: np.ndarray, labels: np.ndarray | None, classes: Sequence[str]) -> Lines:
    """Return the places of pictures in a plane, a colour for each class.

    Args:
        places: float (n, 2), what the encoder says of each picture.
        labels: int (n,), class of each; None where there are none.
        classes: their names.
    """
    lines = []
    for number, name in enumerate(classes if labels is not None else ("pictures",)):
        chosen = places if labels is None else places[labels == number]
        chosen = chosen[:SHOWN_POINTS]
        # A gap behind each point: points that belong together are no path.
        x = tuple(float(value) for value in np.repeat(chosen[:, 0], 2))
        y = tuple(value for place in chosen[:, 1] for value in (float(place), None))
        lines.append(Line(name=name, x=x, y=y, points=True))
    return Lines(
        title="Where unseen pictures lie in the plane",
        x_title="first number",
        y_title="second number",
        lines=tuple(lines),
        note="No label was used: where classes lie together, that was found out from the pictures alone.",
    )
