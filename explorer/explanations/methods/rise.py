"""RISE: show the picture through many random masks, and average the masks by the scores they leave."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from explorer.explanations.passes import batches
from explorer.explanations.question import Answer, Question
from explorer.explanations.results import Fact
from explorer.networks.gradients import Compiled, as_array
from explorer.networks.work_context import Stopped


def maps(question: Question, *, samples: int, grid: int, share: float, average: str) -> Answer:
    """Return the scores' mean over random masks, weighted by what each mask shows at a place.

    Petsiuk, Das, Saenko 2018, equation 6: Σ S(x ∘ m) m / (samples · share). That map is the scores' mean everywhere,
    plus what a place changes; with logits the first is larger than the second. So the mean score S̄ can be taken off,
    Σ (S(x ∘ m) − S̄) m / (samples · share), which also leaves less noise: a place is then above 0 where seeing it
    raises the score above the average. A place that is hidden has the value 0 of the *prepared* input, as in the
    paper, which is grey or black depending on the network's preprocessing. Masks are made and averaged on the
    device, batch by batch; only their cells are ever in memory together.

    Args:
        question: What to explain; all pictures see the same masks.
        samples: How many masks.
        grid: Cells on a side of the masks before they are enlarged.
        share: Share of cells that are shown.
        average: "removed", or "kept" for the paper's own map.

    Returns:
        Maps, signed where the average is removed, after a stop of the masks so far.

    Raises:
        Stopped: if the visitor asked to stop before every picture was seen through a mask.
    """
    question.base()  # now: after a stop no pass is made
    masks = draw_masks(question.seed, samples, grid, share, question.size)
    found, facts, notes = [], [], []
    for number in range(question.count):
        sums = _sums(question, number, masks)
        if not sums.done:
            raise Stopped
        mean, error = sums.averages(share, removed=average == "removed")
        span = float(np.ptp(mean))
        found.append(mean.astype(np.float32))
        noise = float(np.median(error)) / span if span > 0 else None
        facts.append(
            (
                Fact("Masks", float(sums.done), "Random masks that the picture was seen through."),
                Fact("Mean score", float(sums.scores[0]) / sums.done, "The score's mean over all masks."),
                Fact("Noise", noise, "A typical place's standard error as a share of the map's range."),
            )
        )
        if sums.done < samples:
            notes.append(f"Stopped after {sums.done} of {samples} masks: the map is noisier than it could be.")
    return Answer(np.stack(found), signed=average == "removed", facts=tuple(facts), notes=tuple(dict.fromkeys(notes)))


@dataclass
class _Sums:
    """Sums over masks: of 1, S, S² times m, then times m², in every place, and of S and S² alone."""

    places: np.ndarray
    scores: np.ndarray
    done: int = 0

    def averages(self, share: float, *, removed: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the map and the standard error of each of its values."""
        m, sm, ssm, mm, smm, ssmm = self.places / self.done
        s, ss = self.scores / self.done
        if removed:
            # S̄ comes from the same masks, so what varies from mask to mask is (S − S̄) (m − m̄).
            mean = sm - s * m
            square = (ssmm - 2 * s * smm + s**2 * mm) - 2 * m * (ssm - 2 * s * sm + s**2 * m) + m**2 * (ss - s**2)
        else:
            mean, square = sm, ssmm
        return mean / share, np.sqrt(np.maximum(square - mean**2, 0) / self.done) / share


def _sums(question: Question, number: int, masks: Masks) -> _Sums:
    count, samples = question.count, len(masks.cells)
    batch = question.rows(samples)
    score = question.score_function

    def run(picture: Any, drawn: tuple, counted: Any, index: Any, against: Any) -> tuple[Any, Any]:
        cells, shifts, rows, columns = drawn
        shown = enlarged(cells, shifts, rows, columns, picture.shape[:2])
        scores = score(picture[None] * shown[..., None], index, against)[1] * counted
        flat = keras.ops.reshape(shown, (-1, picture.shape[0] * picture.shape[1]))
        powers = keras.ops.stack([counted, scores, scores**2])
        places = [keras.ops.matmul(powers, flat), keras.ops.matmul(powers, flat**2)]
        return keras.ops.concatenate(places), keras.ops.sum(powers[1:], axis=1)

    kernel = question.kernel(("rise",), lambda: Compiled(run, network=question.network, compiled=True))
    sums = _Sums(np.zeros((6, *question.size)), np.zeros(2))
    progress: dict[str, Any] = {"unit": "masks", "before": number * samples, "total": count * samples}
    for at in batches(samples, batch, context=question.context, message="Looking through random masks", **progress):
        # The last batch is filled up with a mask that does not count.
        counted = (np.arange(batch) < samples - sums.done).astype(np.float32)
        drawn = (masks.cells[at], masks.shifts[at], masks.rows, masks.columns)
        given = (question.pictures[number], drawn, counted, *question.who(number, batch))
        try:
            places, total = question.call(kernel, *given, forward=int(counted.sum()))
        except Stopped:
            break
        sums.places += as_array(places).reshape(sums.places.shape)
        sums.scores += as_array(total)
        sums.done = int(at[-1]) + 1
    return sums


class Masks(NamedTuple):
    """Random masks before they are enlarged: a few bits each, so that all of them fit into memory.

    Attributes:
        cells: float32 (samples, grid, grid), 1 where a cell is shown.
        shifts: int32 (samples, 2), how far each enlarged mask is moved up and left, in pixels.
        rows: float32 (enlarged height, grid), the weights of enlarging along the rows.
        columns: float32 (enlarged width, grid), along the columns.
    """

    cells: np.ndarray
    shifts: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def draw_masks(seed: int, samples: int, grid: int, share: float, size: tuple[int, int]) -> Masks:
    """Draw random masks as Petsiuk, Das, Saenko 2018, section 3.2, do.

    A grid of cells, each shown with probability `share`, is enlarged bilinearly (half-pixel centres, edges
    repeated) to grid + 1 cells' worth of pixels, of which a window of the picture's size is cut out at random.

    Args:
        seed: Of all that is random; more samples of one seed begin with the same masks.
        samples: How many masks.
        grid: Cells on a side.
        share: Share of the cells that are shown.
        size: (height, width) of the picture.
    """
    cell = [math.ceil(length / grid) for length in size]
    random = [np.random.default_rng([seed, stream]) for stream in (0, 1)]
    cells = (random[0].random((samples, grid, grid), dtype=np.float32) < share).astype(np.float32)
    shifts = random[1].integers(0, cell, size=(samples, 2)).astype(np.int32)
    rows, columns = (enlarging((grid + 1) * each, grid) for each in cell)
    return Masks(cells, shifts, rows, columns)


def enlarging(to: int, of: int) -> np.ndarray:
    """Return the matrix (to, of) that enlarges a row of numbers bilinearly, half-pixel centres, edges repeated."""
    centres = np.clip((np.arange(to) + 0.5) * (of / to) - 0.5, 0, of - 1)
    low = np.minimum(centres.astype(int), max(0, of - 2))
    matrix = np.zeros((to, of), np.float64)
    np.add.at(matrix, (np.arange(to), low), 1 - (centres - low))
    np.add.at(matrix, (np.arange(to), np.minimum(low + 1, of - 1)), centres - low)
    return matrix.astype(np.float32)


def enlarged(cells: Any, shifts: Any, rows: Any, columns: Any, size: tuple[int, int]) -> Any:
    """Return masks (b, height, width) on [0, 1] from their cells, in `keras.ops`; see `Masks`."""
    down = keras.ops.arange(size[0])[None] + shifts[:, :1]
    across = keras.ops.arange(size[1])[None] + shifts[:, 1:]
    by_row = keras.ops.take(rows, down, axis=0)
    by_column = keras.ops.take(columns, across, axis=0)
    return keras.ops.matmul(by_row, keras.ops.matmul(cells, keras.ops.transpose(by_column, (0, 2, 1))))
