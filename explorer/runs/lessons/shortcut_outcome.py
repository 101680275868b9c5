"""What the lesson on shortcuts has to show at its end: the verdict, and what each network's answers rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.runs.lessons.shortcut import LESSON, VARIANTS
from explorer.runs.outcome import Line, Lines, Number, Numbers, Table, Verdict, confusion_of

LEARNT = 0.95
MISLED = 0.5
MENDED = 0.85
LEAST_EVIDENCE = 0.5
"""Logits; of less than that no share is told."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What came of one network.

    Attributes:
        variant: which.
        same: accuracy before the backgrounds that each class is learnt with.
        swapped: accuracy once they are swapped.
        other: accuracy before backgrounds that were never seen.
        object_drop: how much the margin of the true class falls, on average, when the object is taken out.
        background_drop: how much it falls when the background is replaced by the other one.
        probabilities: (pictures with swapped backgrounds, 2).
    """

    variant: str
    same: float
    swapped: float
    other: float
    object_drop: float
    background_drop: float
    probabilities: np.ndarray

    @property
    def evidence(self) -> float:
        """Logits that the object and the background have together."""
        return max(self.background_drop, 0.0) + max(self.object_drop, 0.0)

    @property
    def background_share(self) -> float:
        """Part of the evidence that is the background's, from 0 to 1."""
        return max(self.background_drop, 0.0) / self.evidence if self.evidence > 0 else float("nan")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def verdict(judged: Sequence[Judged], stopped: bool = False, bias: float = 1.0) -> Verdict:
    """Judge the sentence by accuracies and by what the networks rest on; arguments as for `items`."""
    by_name = {each.variant: each for each in judged}
    biased = by_name.get("biased")
    if stopped or biased is None:
        why = "it was stopped before its end" if stopped else "there is no network with biased pictures"
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"{why}.")
    words = [
        f"with its own backgrounds {biased.same:.2f} right, swapped {biased.swapped:.2f}, and "
        f"{_percent(biased.background_share)} of the evidence is the background's"
    ]
    misled = biased.swapped <= MISLED and biased.background_share > 0.5
    mends = [by_name[name] for name in ("mended", "augmented") if name in by_name]
    for each in mends:
        words.append(f"{_short(each.variant)} {each.swapped:.2f} right with swapped backgrounds")
    data = by_name.get("mended")
    if data is None:
        words.append("whether data mend it was not tried")
    if "augmented" not in by_name:
        words.append("what augmentation does was not tried")
    mended = data is None or (data.swapped >= MENDED and data.background_share < biased.background_share)
    if bias < 1:
        words.append(
            f"only {_percent(bias)} of the pictures to learn from have their own background, the sentence is about all"
        )
        return Verdict(sentence=LESSON.sentence, holds=None, because="; ".join(words) + ".")
    if biased.same < LEARNT:
        words.append(f"to speak of a shortcut, a network has to have learned: {LEARNT:.2f} right")
        return Verdict(sentence=LESSON.sentence, holds=None, because="; ".join(words) + ".")
    # What was tried can refute the sentence; only the whole of it can bear it out.
    holds = (True if len(mends) == 2 else None) if misled and mended else False
    return Verdict(sentence=LESSON.sentence, holds=holds, because="; ".join(words) + ".")


def items(
    judged: Sequence[Judged], truth: np.ndarray, classes: Sequence[str], stopped: bool = False, bias: float = 1.0
) -> list[Any]:
    """Return everything to show, the verdict first.

    Args:
        judged: the networks that are finished.
        truth: int (n,), class of each picture with a swapped background.
        classes: their names.
        stopped: whether the run was stopped.
        bias: share of the pictures to learn from that have their class' background.
    """
    shown: list[Any] = [verdict(judged, stopped, bias)]
    if not judged:
        return shown
    shown.append(_numbers(judged))
    shown.append(_bars(judged))
    shown.append(_accuracies(judged))
    shown.append(_evidence(judged))
    for each in judged:
        title = f"{VARIANTS[each.variant]}, swapped backgrounds"
        answers = each.probabilities.argmax(axis=1)
        shown.append(confusion_of(truth, answers, classes, variant=each.variant, title=title))
    shown.append(_per_class(judged, truth, classes))
    return shown


def _short(variant: str) -> str:
    return {"biased": "own background", "augmented": "augmented", "mended": "mended data"}[variant]


def _numbers(judged: Sequence[Judged]) -> Numbers:
    rows = []
    for each in judged:
        note = f"{_percent(each.same)} before the backgrounds it was learnt with"
        rows.append(Number(label=_short(each.variant), value=100 * each.swapped, unit="%", digits=0, note=note))
    return Numbers(title="Right once the backgrounds are swapped", rows=tuple(rows))


def _bars(judged: Sequence[Judged]) -> Lines:
    places = tuple(float(place) for place in range(len(judged)))
    kinds = (("own backgrounds", "same"), ("swapped backgrounds", "swapped"), ("backgrounds never seen", "other"))
    lines = tuple(
        Line(name=name, x=places, y=tuple(getattr(each, attribute) for each in judged)) for name, attribute in kinds
    )
    return Lines(
        title="Accuracy before which backgrounds",
        y_title="accuracy",
        lines=lines,
        bars=tuple(_short(each.variant) for each in judged),
        note="Chance is 0.5; below it, the background speaks for the wrong class.",
    )


def _accuracies(judged: Sequence[Judged]) -> Table:
    return Table(
        title="Accuracy on pictures that were never learnt from",
        columns=("network", "own backgrounds", "swapped", "never seen"),
        rows=tuple((VARIANTS[each.variant], each.same, each.swapped, each.other) for each in judged),
        lit=tuple((row, 2) for row in range(len(judged))),
    )


def _evidence(judged: Sequence[Judged]) -> Table:
    rows = tuple(
        (
            VARIANTS[each.variant],
            each.object_drop,
            each.background_drop,
            _percent(each.background_share) if each.evidence >= LEAST_EVIDENCE else None,
        )
        for each in judged
    )
    return Table(
        title="What the answer rests on",
        columns=("network", "drop without the object", "drop before the other background", "background's share"),
        rows=rows,
        digits=2,
        lit=tuple((row, 3) for row in range(len(judged))),
        note="By how much the true class's logit minus the other's falls, on average over the validation pictures.",
    )


def _per_class(judged: Sequence[Judged], truth: np.ndarray, classes: Sequence[str]) -> Table:
    from sklearn.metrics import precision_recall_fscore_support

    rows = []
    for each in judged:
        figures = precision_recall_fscore_support(
            truth, each.probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0.0
        )
        for name, precision, recall, f1, count in zip(classes, *figures, strict=True):
            rows.append((f"{name}: {_short(each.variant)}", float(precision), float(recall), float(f1), int(count)))
    return Table(
        title="Class by class, swapped backgrounds",
        columns=("class", "precision", "recall", "F1", "pictures"),
        rows=tuple(rows),
        digits=2,
    )
