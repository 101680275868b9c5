"""Shows sequences before a run learns from them: a few of each class, and how many there will be.

Knows no Keras, so that a page can call it directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

SequenceKind = Literal["series", "recordings", "texts", "rows"]


@dataclass(frozen=True, eq=False)
class SequenceOverview:
    """What a run on sequences would learn from; of `waves`, `texts` and `rows` those of its kind are filled.

    Attributes:
        kind: what the examples are.
        training: how many of each class there are to learn from; one entry where nobody counts classes.
        validation: the same for those to be judged by; empty where all are both, in turns.
        waves: by class, or by a name of their own, float32 (n, steps, channels).
        texts: by class.
        rows: by class, float64 (n, columns).
        columns: names of the columns of the rows.
        axis: what goes from the left to the right of a wave, in a few words.
        notes: sentences for the visitor.
    """

    kind: SequenceKind
    training: Mapping[str, int]
    validation: Mapping[str, int] = field(default_factory=dict)
    waves: Mapping[str, np.ndarray] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    axis: str = ""
    notes: tuple[str, ...] = ()
