"""What a method is asked and what it answers: the pictures, the score whose cause is wanted, and counted passes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from explorer.explanations.passes import batch_size, full_size
from explorer.explanations.results import Fact, Score, Target
from explorer.explanations.target import OWN, ScoreFunction, score_function
from explorer.networks.footprint import batch_for
from explorer.networks.gradients import Compiled, WithGradient, as_array, kept
from explorer.networks.tap import lock_of, model_of
from explorer.networks.work_context import WorkContext


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method hands back.

    Attributes:
        maps: float32 (n, H, W) at the size of the pictures.
        raw: float32 (n, h', w') on the method's own grid before resizing; None where that is `maps`.
        signed: Whether signs have a meaning; None for what the table says.
        facts: For each picture the numbers that belong to its map.
        notes: Sentences that a display must show.
        extra: What only this method has, by name.
    """

    maps: np.ndarray
    raw: np.ndarray | None = None
    signed: bool | None = None
    facts: tuple[tuple[Fact, ...], ...] = ()
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


class Question:
    """Pictures, a network and a target, with everything that a method may ask of the network.

    All passes through the network go through `call` (or what uses it), which counts them, holds the network's
    lock for one batch at a time, and ends the work before the next batch when its visitor asked to stop.

    Attributes:
        network: A loaded network or a keras.Model.
        pictures: Prepared input, float32 (n, height, width, channels).
        target: What is explained.
        score: "logits" or "softmax".
        layer: Path of the layer that is looked at, or "".
        seed: Of everything random.
        context: Whoever runs this.
        forward: Pictures sent forward so far, without those that only fill up a batch.
        backward: Pictures sent backward so far.
        largest: Pictures in the largest batch so far.
    """

    def __init__(
        self,
        network: Any,
        pictures: np.ndarray,
        target: Target,
        *,
        score: Score,
        layer: str,
        batch: int | None,
        seed: int,
        context: WorkContext,
    ) -> None:
        self.network = network
        self.pictures = pictures
        self.target = target
        self.score = score
        self.layer = layer
        self.seed = seed
        self.context = context
        self.forward = 0
        self.backward = 0
        self.largest = 0
        self._batch = batch
        self._function: ScoreFunction | None = None
        self._indices: np.ndarray | None = None
        self._base: np.ndarray | None = None

    @property
    def model(self) -> keras.Model:
        """The keras.Model."""
        return model_of(self.network)

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.pictures)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the pictures."""
        return self.pictures.shape[1], self.pictures.shape[2]

    @property
    def score_function(self) -> ScoreFunction:
        """The target's score as a function of tensors, to be traced inside a method's own function."""
        if self._function is None:
            with lock_of(self.network):
                size = self.pictures.shape[1:]
                self._function = score_function(self.network, self.target, self.score, size)
        return self._function

    def who(self, number: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what the score function needs to know for several variants of one picture.

        Args:
            number: Which picture.
            count: How many variants.

        Returns:
            (index, against), int32 (count,) each.
        """
        return self.pair(np.full(count, self.indices()[number], np.int32))

    def pair(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (index, against) as the score function wants them, int32 (m,) each."""
        against = OWN if self.target.against is None else self.target.against
        return index.astype(np.int32), np.full(len(index), against, np.int32)

    def indices(self) -> np.ndarray:
        """Return the class or channel that is explained for each picture, int32 (n,).

        A picture's own predicted class is found by one forward pass, once.
        """
        if self._indices is None:
            if self.target.index is None:
                self._look()
            else:
                self._indices = np.full(self.count, self.target.index, np.int32)
        assert self._indices is not None
        return self._indices

    def base(self) -> np.ndarray:
        """Return each picture's own score, float32 (n,), computed once."""
        if self._base is None:
            self._look()
        assert self._base is not None
        return self._base

    def found(self, indices: np.ndarray, base: np.ndarray) -> None:
        """Take note of classes and scores that a method's own pass over all pictures has told."""
        self._indices = np.asarray(indices, np.int32)
        self._base = np.asarray(base, np.float32)

    def asked(self) -> np.ndarray:
        """Return the indices as far as they are known without a pass; -1 is a picture's own predicted class."""
        if self._indices is not None:
            return self._indices
        return np.full(self.count, OWN if self.target.index is None else self.target.index, np.int32)

    def _look(self) -> None:
        indices, base = [], []
        for start, stop in self.chunks(self.count):
            index, score = self._scores(self.pictures[start:stop], self.asked()[start:stop], self.rows(self.count))
            indices.append(index)
            base.append(score)
        self.found(np.concatenate(indices), np.concatenate(base))

    def rows(self, total: int, *, gradients: bool = False) -> int:
        """Return how many pictures to send at a time when there are `total`.

        It is what was asked for, as far as memory goes, or what memory bears easily, as one of few sizes that leaves
        the last batch nearly full. It may be more than `total`: batches are filled up to it.
        """
        return batch_size(total, batch_for(self.network, gradients=gradients, size=self.size, asked=self._batch))

    def chunks(self, total: int, *, gradients: bool = False) -> list[tuple[int, int]]:
        """Return (start, stop) of the batches for `total` pictures."""
        step = self.rows(total, gradients=gradients)
        return [(start, min(start + step, total)) for start in range(0, total, step)]

    def scores(self, rows: np.ndarray, number: int, *, fill: int | None = None) -> np.ndarray:
        """Return the target's score for variants of one picture, sent as one batch.

        Args:
            rows: float32 (m, height, width, channels), prepared.
            number: Of which picture they are variants.
            fill: Fill up with copies to this many, so that a smaller last batch needs no function of its own; None
                for one of few sizes.

        Returns:
            float32 (m,).
        """
        index = np.full(len(rows), self.indices()[number], np.int32)
        return self._scores(rows, index, fill or full_size(len(rows)))[1]

    def _scores(self, rows: np.ndarray, index: np.ndarray, fill: int) -> tuple[np.ndarray, np.ndarray]:
        function = self.score_function

        def build() -> Compiled:
            return Compiled(lambda x, index, against: function(x, index, against), network=self.network)

        kernel = self.kernel(("scores",), build)
        padded = filled_up(rows, fill)
        picked, score = self.call(kernel, padded, *self.pair(filled_up(index, fill)), forward=len(rows))
        return as_array(picked)[: len(rows)].astype(np.int32), as_array(score)[: len(rows)]

    def input_gradients(self, rows: np.ndarray, index: np.ndarray, fill: int) -> tuple[np.ndarray, ...]:
        """Return the gradients of pictures' scores with respect to the pictures, in one batch.

        Args:
            rows: float32 (m, height, width, channels), prepared.
            index: int32 (m,), -1 for a row's own predicted class.
            fill: Fill up with copies to this many.

        Returns:
            indices int32 (m,), scores float32 (m,), gradients float32 like `rows`.
        """
        function = self.score_function

        def of_rows(x: Any, index: Any, against: Any) -> tuple[Any, Any]:
            picked, score = function(x, index, against)
            return keras.ops.sum(score), (picked, score)

        kernel = self.kernel(("input gradients",), lambda: WithGradient(of_rows, network=self.network))
        padded = filled_up(rows, fill)
        who = self.pair(filled_up(index, fill))
        _, (picked, score), gradient = self.call(kernel, padded, *who, forward=len(rows), backward=len(rows))
        count = len(rows)
        return as_array(picked)[:count].astype(np.int32), as_array(score)[:count], as_array(gradient)[:count]

    def gradients(self) -> np.ndarray:
        """Return ∂S/∂x for all pictures, float32 (n, height, width, channels), batch by batch."""
        parts = []
        fill = self.rows(self.count, gradients=True)
        for start, stop in self.chunks(self.count, gradients=True):
            parts.append(self.input_gradients(self.pictures[start:stop], self.asked()[start:stop], fill))
        indices, scores, gradients = (np.concatenate(each) for each in zip(*parts, strict=True))
        self.found(indices, scores)
        return gradients

    def kernel(self, key: tuple[Hashable, ...], build: Callable[[], Any]) -> Any:
        """Return a function that is kept for the network, this kind of target and a key of the method's own."""
        target = self.target
        # Made here, as it takes the network's lock, for which building something kept must not wait.
        self.score_function  # noqa: B018
        kind = (target.kind, target.layer, target.row, target.column, target.output, target.against is None)
        return kept(self.network, ("explanations", *key, *kind, self.score), build)

    def call(self, kernel: Callable[..., Any], *arguments: Any, forward: int, backward: int = 0) -> Any:
        """Run a function that calls the network, as one batch.

        Args:
            kernel: What to run.
            arguments: What it is called with.
            forward: Pictures that it sends forward, for the count.
            backward: Pictures that it sends backward.

        Raises:
            Stopped: before anything is computed, if the visitor asked to stop.
        """
        self.context.raise_if_stopped()
        with lock_of(self.network):
            result = kernel(*arguments)
        self.forward += forward
        self.backward += backward
        self.largest = max(self.largest, forward, backward)
        return result

    def stopped(self) -> bool:
        """Return whether the visitor asked to stop; a method that has something to show then returns it."""
        return self.context.stopped()

    def report(self, done: float, total: float, unit: str = "pictures", payload: Any = None) -> None:
        """Tell how far the work has come."""
        self.context.report(done, total, unit, payload=payload)


def filled_up(rows: np.ndarray, count: int) -> np.ndarray:
    """Return rows with copies of the last one behind them, so that there are `count`."""
    missing = count - len(rows)
    return rows if missing <= 0 else np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])


def strongest(gradients: np.ndarray) -> np.ndarray:
    """Return max over channels of |gradient|, (…, channels) to (…).

    Channel by channel: NumPy's own reduction of a last axis of three numbers takes seventeen times as long.
    """
    found = np.abs(gradients[..., 0])
    for channel in range(1, gradients.shape[-1]):
        np.maximum(found, np.abs(gradients[..., channel]), out=found)
    return found
