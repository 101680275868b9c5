"""What the lesson on transfer has to show at its end: the verdict, curves, and the lecture's table of strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.runs.lessons.transfer import CLASSIFIERS, FEW, LESSON, STRATEGIES
from explorer.runs.outcome import Line, Lines, Number, Numbers, Table, Verdict, confusion_of

MANY = 100
"""From so many pictures per class on it counts as "more pictures"."""

BY_FAR = 0.15
CLEARLY_MORE = 0.05
"""By so much the shares of mended mistakes must differ to be told apart."""

NEARLY = 0.05
ALIKE = 0.15
"""By how much features must beat raw pixels for the task to count as similar to the base's."""

_FROM_FEATURES = tuple(name for name in CLASSIFIERS if name != "pixels")
_TUNED = ("fine_tuned", "unfrozen")


@dataclass(frozen=True, eq=False)
class Result:
    """What came of one strategy on one draw of pictures.

    Attributes:
        strategy: which.
        count: pictures per class that were asked for.
        pictures: pictures per class that there were, on average.
        accuracy: share of the validation pictures that are told rightly.
        seconds: that it took, without what all strategies share.
        learnt: weights that learnt; None where that is no number of weights, as for a forest.
        probabilities: (validation pictures, classes); None for further draws.
    """

    strategy: str
    count: int
    pictures: float
    accuracy: float
    seconds: float
    learnt: int | None = None
    probabilities: np.ndarray | None = None


Means = Mapping[tuple[str, int], float]


def means_of(results: Sequence[Result]) -> dict[tuple[str, int], float]:
    """Return the mean accuracy over all draws, by strategy and count."""
    keys = dict.fromkeys((result.strategy, result.count) for result in results)
    return {key: float(np.mean([r.accuracy for r in results if (r.strategy, r.count) == key])) for key in keys}


def verdict(results: Sequence[Result], stopped: bool = False) -> Verdict:
    """Judge the lecture's sentence, part by part; a part that the run did not try is said to be open."""
    means = means_of(results)
    counts = sorted({count for _, count in means})
    parts = [_far_better(means, counts), _nearly(means, counts), _gains_more(means, counts)] if counts else []
    held = [part[0] for part in parts]
    # What was tried can refute the sentence; only the whole of it can bear it out.
    holds = False if False in held else None if None in held or not held else True
    because = "; ".join(part[1] for part in parts) or "nothing was finished"
    if stopped:
        holds, because = None, f"it was stopped before its end: {because}"
    return Verdict(sentence=LESSON.sentence, holds=holds, because=f"{because}.")


Part = tuple[bool | None, str]


def _far_better(means: Means, counts: Sequence[int]) -> Part:
    few = counts[0]
    frozen, scratch = means.get(("frozen", few)), means.get(("scratch", few))
    if few > FEW or frozen is None or scratch is None:
        return None, f"whether it wins with few pictures was not tried (frozen and from scratch, at most {FEW})"
    words = f"with {few} per class frozen {_cell(frozen)}, from scratch {_cell(scratch)}"
    return frozen - scratch >= BY_FAR, words


def _nearly(means: Means, counts: Sequence[int]) -> Part:
    few = counts[0]
    simple = {name: means[name, few] for name in _FROM_FEATURES if (name, few) in means}
    frozen = means.get(("frozen", few))
    if not simple or frozen is None:
        return None, "whether simple classifiers do nearly as well as a dense head was not tried"
    best = max(simple, key=lambda name: simple[name])
    return simple[best] >= frozen - NEARLY, f"{_short(best)} {_cell(simple[best])}"


def _gains_more(means: Means, counts: Sequence[int]) -> Part:
    few, many = counts[0], counts[-1]
    tuned = [name for name in _TUNED if (name, many) in means]
    if many < MANY or not tuned or ("frozen", many) not in means:
        return None, f"whether unfreezing gains more with more pictures was not tried (from {MANY} per class)"
    best = max(tuned, key=lambda name: means[name, many])
    words = f"with {many} per class {_short(best)} {_cell(means[best, many])}, frozen {_cell(means['frozen', many])}"
    if means["frozen", many] >= 1 or means.get(("frozen", few), 0.0) >= 1:
        return None, f"{words}; the frozen network made no mistakes that could be mended"
    gain = _mended(means["frozen", many], means[best, many])
    if few == many or (best, few) not in means or ("frozen", few) not in means:
        mended = f"{gain:.0%} of its mistakes mended".replace("-", "−")
        return (None if gain > 0 else False), f"{words}, {mended}; whether that is more than with few was not tried"
    before = _mended(means["frozen", few], means[best, few])
    mended = f"{gain:.0%} of its mistakes mended against {before:.0%} with {few}".replace("-", "−")
    if gain > 0 and abs(gain - before) < CLEARLY_MORE:
        return None, f"{words}, {mended}, too near to tell"
    return gain > max(before, 0.0), f"{words}, {mended}"


def _mended(frozen: float, tuned: float) -> float:
    """Return the share of the frozen network's mistakes that are gone: what is left to gain differs with the count."""
    return (tuned - frozen) / (1.0 - frozen)


def items(
    results: Sequence[Result],
    *,
    truth: np.ndarray,
    classes: Sequence[str],
    stopped: bool = False,
    notes: Sequence[str] = (),
) -> list[Any]:
    """Return everything to show, the verdict first.

    Args:
        results: of all draws so far.
        truth: int (n,), class of each validation picture.
        classes: their names.
        stopped: whether the run was stopped.
        notes: sentences about the data.
    """
    shown: list[Any] = [verdict(results, stopped)]
    if not results:
        return shown
    means = means_of(results)
    shown.append(_numbers(means, len(classes)))
    shown.append(_curves(results, means))
    shown.append(_accuracies(results, len(truth), notes))
    shown.append(strategies_table(means))
    shown.append(_costs(results))
    last = [r for r in largest(results) if r.probabilities is not None]
    if last:
        shown.append(_per_class(last, truth, classes))
    for result in last:
        assert result.probabilities is not None
        shown.append(
            confusion_of(
                truth,
                result.probabilities.argmax(axis=1),
                classes,
                variant=result.strategy,
                title=f"{STRATEGIES[result.strategy]}, {result.count} per class",
            )
        )
    return shown


def largest(results: Sequence[Result]) -> list[Result]:
    """Return for each strategy its first result with the most pictures."""
    best: dict[str, Result] = {}
    for result in results:
        if result.strategy not in best or result.count > best[result.strategy].count:
            best[result.strategy] = result
    return list(best.values())


def _numbers(means: Means, classes: int) -> Numbers:
    few = min(count for _, count in means)
    rows = [
        Number(label=_short(name), value=100 * value, unit="%", digits=0, note=f"{count} per class")
        for (name, count), value in means.items()
        if count == few and name != "pixels"
    ]
    chance = Number(label="chance", value=100 / classes, unit="%", digits=0)
    return Numbers(title=f"Right on unseen pictures, {few} per class to learn from", rows=(*rows, chance))


def _curves(results: Sequence[Result], means: Means) -> Lines:
    counts = sorted({count for _, count in means})
    strategies = [name for name in STRATEGIES if any(name == strategy for strategy, _ in means)]
    if len(counts) == 1:
        places = tuple(float(place) for place in range(len(strategies)))
        line = Line(name="accuracy", x=places, y=tuple(means[name, counts[0]] for name in strategies))
        bars = tuple(_short(name) for name in strategies)
        return Lines(title=f"Accuracy, {counts[0]} per class", y_title="accuracy", lines=(line,), bars=bars)
    at = {count: float(np.mean([r.pictures for r in results if r.count == count])) for count in counts}
    lines = tuple(
        Line(
            name=STRATEGIES[name],
            x=tuple(at[count] for count in counts),
            y=tuple(means.get((name, count)) for count in counts),
            points=True,
            dashed=name == "pixels",
        )
        for name in strategies
    )
    return Lines(
        title="Accuracy against the number of pictures",
        x_title="pictures per class",
        y_title="accuracy",
        lines=lines,
        logarithmic_x=True,
        note=f"Up to {FEW} per class the mean of several draws.",
    )


def _accuracies(results: Sequence[Result], judged: int, notes: Sequence[str]) -> Table:
    counts = sorted({r.count for r in results})
    at = {count: float(np.mean([r.pictures for r in results if r.count == count])) for count in counts}
    names = [name for name in STRATEGIES if any(r.strategy == name for r in results)]
    found = {
        (name, count): [r.accuracy for r in results if (r.strategy, r.count) == (name, count)]
        for name in names
        for count in counts
    }
    means = means_of(results)
    columns = [[means.get((name, count), -1.0) for name in names] for count in counts]
    best = [column.index(max(column)) for column in columns]
    return Table(
        title="Accuracy on pictures that were never learnt from",
        columns=("strategy", *(_heading(count, at[count]) for count in counts)),
        rows=tuple((STRATEGIES[name], *(_spread(found[name, count]) for count in counts)) for name in names),
        lit=tuple((row, 1 + column) for column, row in enumerate(best)),
        note=" ".join([f"Judged by {judged:,} pictures; in brackets the worst and the best draw.", *notes]),
    )


def _heading(count: int, there_were: float) -> str:
    return f"{count} per class" if round(there_were) == count else f"{count} per class (there are {there_were:.0f})"


def _spread(accuracies: Sequence[float]) -> str | None:
    if not accuracies:
        return None
    mean = _cell(float(np.mean(accuracies)))
    return f"{mean} ({_cell(min(accuracies))}–{_cell(max(accuracies))})" if len(accuracies) > 1 else mean


def strategies_table(means: Means) -> Table:
    """Return the lecture's table, with the cells of this run lit.

    Little or much data follows from the counts. Whether the task is similar to the base's is measured: features must
    beat raw pixels at the smallest count.
    """
    counts = sorted({count for _, count in means})
    alike = _alike(means, counts[0])
    rows = dict.fromkeys(0 if count < (FEW + MANY) / 2 else 1 for count in counts)
    if alike is None:
        note = "Whether the tasks are similar could not be measured: try raw pixels and features as well."
    else:
        features, pixels = alike
        says = "similar" if features - pixels >= ALIKE else "different"
        note = (
            f"Lit is this run: with {counts[0]} per class features reach {_cell(features)} and raw pixels "
            f"{_cell(pixels)}, so the task counts as {says}."
        )
    column = None if alike is None else 1 if alike[0] - alike[1] >= ALIKE else 2
    return Table(
        title="What to do with a pretrained base",
        columns=("", "a task similar to the base's", "a different task"),
        rows=(
            (
                "little data",
                "simple classifier or dense head on the last stage's features",
                "simple classifier on features of several, also earlier stages",
            ),
            (
                "much data",
                "dense head first, then fine-tune the last layers",
                "dense head first, then fine-tune many layers or all",
            ),
        ),
        lit=() if column is None else tuple((row, column) for row in rows),
        note=note,
    )


def _alike(means: Means, few: int) -> tuple[float, float] | None:
    """Return the accuracy of features and of raw pixels with few pictures."""
    features = [means[name, few] for name in (*_FROM_FEATURES, "frozen") if (name, few) in means]
    return (max(features), means["pixels", few]) if features and ("pixels", few) in means else None


def _costs(results: Sequence[Result]) -> Table:
    rows = tuple(
        (STRATEGIES[r.strategy], r.count, "—" if r.learnt is None else f"{r.learnt:,}", round(r.seconds, 1))
        for r in sorted(largest(results), key=lambda r: list(STRATEGIES).index(r.strategy))
    )
    return Table(
        title="What it costs",
        columns=("strategy", "pictures per class", "weights that learn", "seconds"),
        rows=rows,
        digits=1,
    )


def _per_class(results: Sequence[Result], truth: np.ndarray, classes: Sequence[str]) -> Table:
    from sklearn.metrics import precision_recall_fscore_support

    best = max(results, key=lambda result: result.accuracy)
    assert best.probabilities is not None
    figures = precision_recall_fscore_support(
        truth, best.probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0.0
    )
    rows = tuple(
        (name, float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(classes, *figures, strict=True)
    )
    return Table(
        title=f"Class by class: {STRATEGIES[best.strategy]}, {best.count} per class",
        columns=("class", "precision", "recall", "F1", "pictures"),
        rows=rows,
        digits=2,
    )


def _short(name: str) -> str:
    return {
        "pixels": "raw pixels",
        "logistic": "features + logistic regression",
        "forest": "features + random forest",
        "svm": "features + SVM",
        "frozen": "frozen",
        "fine_tuned": "fine-tuned",
        "unfrozen": "everything unfrozen",
        "scratch": "from scratch",
    }[name]


def _cell(value: float) -> str:
    return f"{value:.2f}"
