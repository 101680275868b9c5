"""Predict first: questions about a stage, what counts as right, and the step that decides."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.convolution.operations import apply_activation
from explorer.convolution.stage import Board, Fact, Stage
from explorer.convolution.sum_line import number_text, shown_decimals, sum_text

QuestionKind = Literal["value", "size", "count"]


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        kind: "value" of one cell, "size" of the result, "count" of weights or steps of calculation.
        prompt: the question, one sentence.
        answer: the number or numbers asked for.
        tolerance: how far off each may be.
        cell: flat number of the cell asked about, on the target board of `link`; None where no cell is meant.
        link: number of the link that makes the cell, or None.
        step: the calculation that decides, with its numbers.
        parts: what each number of the answer is ("rows", "columns"), for those who type too many or too few.
    """

    kind: QuestionKind
    prompt: str
    answer: tuple[float, ...]
    tolerance: float
    cell: int | None = None
    link: int | None = None
    step: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether an answer was right, and what is said to it."""

    right: bool
    sentence: str


def question(stage: Stage, kind: QuestionKind, number: int) -> Question:
    """Return the question of that number about a stage; the same one each time.

    Args:
        stage: what stands on the screen.
        kind: what is asked for.
        number: from 0; it runs through all questions of that kind and begins again.

    Raises:
        ValueError: `kind` is none of the three.
    """
    if kind == "value":
        return _value_question(stage, number)
    if kind == "size":
        sizes = list(_size_questions(stage))
        return sizes[number % len(sizes)]
    if kind == "count":
        counts = list(_count_questions(stage))
        return counts[number % len(counts)]
    raise ValueError(f"there are no questions of the kind {kind!r}")


def check(asked: Question, text: str) -> Verdict:
    """Judge a typed answer.

    Raises:
        ValueError: the text is no answer, right or wrong; one sentence says what would be one.
    """
    readings = _readings(text, len(asked.answer), whole=asked.kind != "value")
    if not readings:
        raise ValueError(_how_to_answer(asked))
    for reading in readings:
        if all(abs(a - b) <= asked.tolerance for a, b in zip(reading, asked.answer, strict=True)):
            return Verdict(True, f"Right: {asked.step or _numbers_text(asked.answer)}.")
    # A text with two readings is quoted in the likelier one: the one that is nearer.
    typed = min(readings, key=lambda one: sum(abs(a - b) for a, b in zip(one, asked.answer, strict=True)))
    sentence = f"Not {_numbers_text(typed)}: {asked.step or _numbers_text(asked.answer)}."
    if len(typed) == 2 and typed != asked.answer and typed[::-1] == asked.answer:
        sentence += " Rows come first."
    return Verdict(False, sentence)


def _link_of_result(stage: Stage) -> int:
    """Return the link that makes the result; of several the animated one."""
    makers = [number for number, link in enumerate(stage.links) if link.target == stage.result]
    if stage.steps.link in makers or not makers:
        return stage.steps.link
    return makers[-1]


def _value_question(stage: Stage, number: int) -> Question:
    link = _link_of_result(stage)
    trace = stage.links[link].trace
    board = stage.board(stage.links[link].target)
    cells = _telling_cells(stage, link)
    # A fixed shuffle: the same cells for all who open one link, and no two in a row twice.
    cell = int(np.random.default_rng(7).permutation(cells)[number % len(cells)])
    answer = float(trace.target.flat[cell])
    return Question(
        "value",
        f"Which number belongs in {place_text(board, cell)} of “{board.title}”?{_digits_wanted(answer)}",
        (answer,),
        _tolerance(stage, link, cell),
        cell,
        link,
        sum_text(trace, cell),
        ("number",),
    )


def _telling_cells(stage: Stage, link: int) -> np.ndarray:
    """Return the target cells worth asking for: those made of more than zeros and not tiny, where there are any."""
    trace = stage.links[link].trace
    products = trace.source.reshape(-1)[trace.sources] * trace.factors
    ends = np.concatenate([[0], np.cumsum((products != 0) & np.isfinite(products))])
    telling = ends[trace.starts[1:]] - ends[trace.starts[:-1]]
    good = np.isfinite(trace.target.reshape(-1))
    enough = good & (telling >= min(2, int(telling.max(initial=0))))
    # Nobody predicts the digits of 0.000002.
    sizes = np.abs(np.nan_to_num(trace.target.reshape(-1)))
    plain = (sizes == 0) | (sizes >= 0.01)
    cells = np.flatnonzero(enough & (telling > 0) & plain)
    if cells.size == 0:
        cells = np.flatnonzero(enough & (telling > 0))
    if cells.size == 0:
        cells = np.flatnonzero(good)
    return cells if cells.size else np.zeros(1, dtype=np.int64)


def place_text(board: Board, cell: int) -> str:
    """Return where a cell is, in the array's own counting: "row 1, column 2", counted from 1, with its plane."""
    height, width, planes = board.values.shape
    row, column, plane = np.unravel_index(cell, (height, width, planes))
    own_row = (int(row) + board.first[0]) / board.every[0] + 1
    own_column = (int(column) + board.first[1]) / board.every[1] + 1
    place = f"column {own_column:g}" if height == 1 else f"row {own_row:g}, column {own_column:g}"
    if height == 1 and width == 1:
        place = "its only cell" if planes == 1 else "the only cell"
    if planes > 1:
        name = board.plane_names[plane] if int(plane) < len(board.plane_names) else f"channel {plane + 1}"
        place += f", {name},"
    return place


def _decimals_wanted(answer: float) -> int:
    """Return how many decimals are asked for: two, or as many as two digits of a small number need."""
    if abs(answer - round(answer)) <= 1e-9 * max(1.0, abs(answer)):
        return 0
    small = 1 - math.floor(math.log10(abs(answer)))
    return min(max(2, small), max(1, shown_decimals(answer)))


def _digits_wanted(answer: float) -> str:
    # Said for every answer alike, so that it does not give away whether the answer is whole.
    return " Two decimals are enough." if _decimals_wanted(answer) <= 2 else " Two digits that are not 0 are enough."


def _tolerance(stage: Stage, link: int, cell: int) -> float:
    """Return how far off an answer may be that was calculated from the printed numbers and rounded as asked."""
    trace = stage.links[link].trace
    here = slice(int(trace.starts[cell]), int(trace.starts[cell + 1]))
    sources = trace.source.reshape(-1)[trace.sources[here]]
    factors = trace.factors[here]
    unsure = np.abs(_printed(sources) - sources) * np.abs(factors) + np.abs(_printed(factors) - factors) * np.abs(
        sources
    )
    slack = float(unsure.sum()) if trace.rule in ("sum", "l2") else float(unsure.max(initial=0))
    if trace.weight_cells[here].max(initial=-1) < 0:
        # Factors that are not on the screen (1/n) are not rounded by whoever calculates.
        slack = float((np.abs(_printed(sources) - sources) * np.abs(factors)).sum())
    answer = float(trace.target.flat[cell])
    if trace.activation != "linear" and trace.operation != "activation":
        # What the activation leaves of it: below 0, ReLU leaves nothing.
        before = float(trace.before.flat[cell])
        ends = apply_activation(trace.activation, np.array([before - slack, before + slack]))
        slack = float(np.abs(ends - answer).max())
    decimals = _decimals_wanted(answer)
    rounded = 0.5 * 10.0**-decimals if decimals else 1e-6
    return slack + rounded * (1 + 1e-6) + 1e-9 * abs(answer)


def _printed(values: np.ndarray) -> np.ndarray:
    """Return values as a reader sees them."""
    return np.array([float(number_text(value).replace("−", "-")) for value in values.tolist()]).reshape(values.shape)


def _size_questions(stage: Stage) -> Iterator[Question]:
    board = stage.board(stage.result)
    height, width, planes = board.values.shape
    sequence = height == 1 and all(
        stage.board(link.source).values.shape[0] == 1 for link in stage.links if link.target == stage.result
    )
    asked = [fact for fact in stage.facts if fact.ask == "size" and fact.answer]
    for fact in asked:
        parts = _size_parts(len(fact.answer), sequence=sequence)
        yield Question(
            "size",
            f"{_label(fact)}: how many {' × '.join(parts)}?",
            fact.answer,
            1e-6,
            step=_fact_step(fact),
            parts=parts,
        )
    if not asked:
        answer = (float(width),) if sequence else (float(height), float(width))
        parts = _size_parts(len(answer), sequence=sequence)
        yield Question("size", f"The result: how many {' × '.join(parts)}?", answer, 1e-6, step="", parts=parts)
    sizes = [size for size, counts in ((height, height > 1), (width, True), (planes, planes > 1)) if counts]
    whole = [math.prod(fact.answer) in (height * width, height * width * planes) for fact in asked]
    if len(sizes) > 1 and all(whole):
        yield Question(
            "size",
            "How many numbers does the result hold in all?",
            (float(math.prod(sizes)),),
            1e-6,
            step=f"{' · '.join(map(str, sizes))} = {math.prod(sizes)}",
            parts=("number",),
        )


def _size_parts(numbers: int, *, sequence: bool) -> tuple[str, ...]:
    names: tuple[str, ...] = ("columns", "channels") if sequence else ("rows", "columns", "channels")
    if numbers == 1:
        names = ("cells",)
    return names[:numbers] + tuple(f"number {n}" for n in range(len(names) + 1, numbers + 1))


def _count_questions(stage: Stage) -> Iterator[Question]:
    for fact in stage.facts:
        if fact.ask == "count" and fact.answer:
            yield Question(
                "count",
                f"{_label(fact)}: how many?",
                fact.answer,
                1e-6,
                step=_fact_step(fact),
                parts=("number",) * len(fact.answer),
            )
    yield _terms_question(stage)


def _terms_question(stage: Stage) -> Question:
    number = _link_of_result(stage)
    link = stage.links[number]
    trace = link.trace
    counts = np.diff(trace.starts)
    cell = int(np.argmax(counts))
    count = int(counts[cell])
    verb = "compared" if trace.rule in ("max", "min") else "added up"
    what = "numbers" if trace.rule in ("max", "min") or trace.weights is None else "products"
    step = f"there are {count} of them"
    if trace.weights is not None and trace.weights.ndim >= 3 and math.prod(trace.weights.shape[:-1]) == count:
        step = f"{' · '.join(str(size) for size in trace.weights.shape[:-1])} = {count}"
    return Question(
        "count",
        f"How many {what} are {verb} for {place_text(stage.board(link.target), cell)} of the result?",
        (float(count),),
        1e-6,
        cell,
        number,
        step,
        ("number",),
    )


def _label(fact: Fact) -> str:
    return fact.label.strip().rstrip(":?") or "The result"


def _fact_step(fact: Fact) -> str:
    answer = _numbers_text(fact.answer)
    step = fact.exact.strip().rstrip(".") or f"{_label(fact)} = {fact.value.strip()}"
    return step if any(character.isdigit() for character in step) else f"{step} = {answer}"


def _numbers_text(numbers: tuple[float, ...]) -> str:
    return " × ".join(
        f"{number:,.0f}" if number == round(number) and number >= 1e4 else number_text(number) for number in numbers
    )


def _how_to_answer(asked: Question) -> str:
    if len(asked.answer) > 1:
        example = " x ".join(str(n) for n in range(5, 5 - len(asked.answer), -1))
        return f"Type {len(asked.answer)} whole numbers, {' × '.join(asked.parts)}, such as {example}."
    if asked.kind == "value":
        return "Type one number, such as 12, −3.5 or 1/3."
    return "Type one whole number in digits, such as 448."


_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d{1,3})?"
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([ ,.'’_])\d{3})(?:\1\d{3})*")
_FRACTION = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER})")
_SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "×": "x", "*": "x", "·": "x", "\u00a0": " ", "\u202f": " "})
_LONGEST = 60


def _readings(text: str, count: int, *, whole: bool) -> list[tuple[float, ...]]:
    """Return all ways to read a typed text as `count` numbers; none if it is no such thing.

    "4,4" is two sizes or one number with a decimal comma, "1,234" either of two numbers: what is meant is known only
    by what is asked, so each reading counts.
    """
    text = text.translate(_SIGNS).strip().rstrip(".").lower()
    if not text or len(text) > _LONGEST:
        return []
    text = re.sub(r"^=\s*", "", text)
    text = re.sub(r"([+-])\s+(?=[\d.,])", r"\1", text)
    if count == 1:
        return [(number,) for number in _single(text, whole=whole)]
    inside = re.sub(r"^[(\[{]\s*|\s*,?\s*[)\]}]$", "", text)
    parts = re.split(r"\s*(?:x|,|;|\bby\b|\s)\s*", inside)
    if len(parts) == 1:
        # One number for a square or a cube.
        parts *= count
    if len(parts) != count or not all(re.fullmatch(r"[+-]?\d{1,9}(?:\.0*)?", part) for part in parts):
        return []
    return [tuple(float(part) for part in parts)]


def _single(text: str, *, whole: bool) -> Iterator[float]:
    found: list[float] = []
    fraction = _FRACTION.fullmatch(text)
    if fraction and not whole:
        above, below = (_float(part) for part in fraction.groups())
        if below:
            found.append(above / below)
    if _GROUPED.fullmatch(text):
        found.append(_float(re.sub(r"[ ,.'’_]", "", text)))
    if re.fullmatch(_NUMBER, text):
        found.append(_float(text))
    yield from (number for number in dict.fromkeys(found) if math.isfinite(number))


def _float(text: str) -> float:
    return float(text.replace(",", "."))
