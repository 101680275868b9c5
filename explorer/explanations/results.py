"""What explaining gives: plain data that travels from the worker to the page (no Keras here)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from explorer.networks.preprocessing import Fitted

Score = Literal["logits", "softmax"]
TargetKind = Literal["class", "channel", "cell"]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Target:
    """The one number of the network whose cause is asked for.

    Attributes:
        kind: "class" is one output, "channel" the mean of one channel of a layer, "cell" one value of a layer.
        index: Number of the class or channel; None stands for each picture's own predicted class.
        against: A second class: what is explained is then the score of `index` minus the score of `against`.
        layer: Path of the layer, for "channel" and "cell".
        row: Row of the cell.
        column: Column of the cell.
        output: Which output of a network that has several.
    """

    kind: TargetKind = "class"
    index: int | None = None
    against: int | None = None
    layer: str = ""
    row: int = 0
    column: int = 0
    output: int = 0


@dataclass(frozen=True)
class Cost:
    """What a map took.

    Attributes:
        seconds: Of computing.
        forward: Pictures sent forward through the network.
        backward: Pictures sent backward.
        batch: Pictures at a time.
    """

    seconds: float
    forward: int
    backward: int
    batch: int


@dataclass(frozen=True)
class Fact:
    """A number that belongs to a map, such as the completeness gap or R².

    Attributes:
        name: In few words.
        value: The number, or None where it has no meaning here.
        note: One sentence on what it says.
        unit: "" for a plain number.
    """

    name: str
    value: float | None
    note: str
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Maps that say which places of each picture mattered for a target.

    Attributes:
        method: Name in `explorer.explanations.table`.
        maps: float32 (n, h, w) at the size of the network's input; neither clipped nor stretched.
        raw: float32 (n, h', w') on the method's own grid, before any resizing (for methods that have no
            coarser grid the same array as `maps`).
        signed: Whether the sign of a value has a meaning (its display is then centred on 0).
        target: What was explained, with the index filled in where all pictures share it.
        indices: Class or channel that was explained for each picture, (n,).
        scores: The target's score for each picture, float32 (n,).
        layer: The layer that was looked at, or "" for a method that needs none.
        cost: What it took.
        facts: For each picture, the numbers that belong to its map.
        notes: Sentences that a display must show, such as "The map is zero everywhere, because …".
        extra: What only this method has, by name: plain arrays and numbers (e.g. "segments").
    """

    method: str
    maps: np.ndarray
    raw: np.ndarray
    signed: bool
    target: Target
    indices: tuple[int, ...]
    scores: np.ndarray
    layer: str
    cost: Cost
    facts: tuple[tuple[Fact, ...], ...] = ()
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Explained:
    """One picture's explanation as named work returns it to the page.

    Attributes:
        explanation: With n = 1.
        fitted: The picture as the network got it.
        device: What computed it, in words.
    """

    explanation: Explanation
    fitted: Fitted
    device: str


@dataclass(frozen=True, eq=False)
class Curve:
    """An insertion or deletion curve.

    Attributes:
        shares: float32 (steps + 1,), share of pixels inserted or deleted, 0 to 1.
        scores: float32 (steps + 1,), probability of the target at each share.
        area: Area under the curve by the trapezoid rule.
        baseline: What stands where the picture is not shown, such as "blur" or "black".
    """

    shares: np.ndarray
    scores: np.ndarray
    area: float
    baseline: str = ""


@dataclass(frozen=True, eq=False)
class MapScores:
    """How one map fares.

    Attributes:
        method: Whose map; "random" is the baseline row that is always there.
        insertion: Larger areas are better.
        deletion: Smaller areas are better.
        hit: Pointing game: whether the map's highest point lies on the object; None without a true mask.
        overlap: IoU of the map above `threshold` × its maximum with the true mask; None without one.
        box: Where the map says that the object is, (top, left, bottom, right) in pixels of the network's
            input, or None for a map without positive values.
    """

    method: str
    insertion: Curve
    deletion: Curve
    hit: bool | None
    overlap: float | None
    box: Box | None


@dataclass(frozen=True, eq=False)
class Scores:
    """All maps of one picture and target, judged.

    Attributes:
        rows: One for each map, and last the random one.
        agreement: float32 (maps, maps), Spearman's rank correlation between the maps, in the order of `rows`.
        seconds: Of computing.
    """

    rows: tuple[MapScores, ...]
    agreement: np.ndarray
    seconds: float


@dataclass(frozen=True, eq=False)
class SanityStep:
    """The maps after the layers from the top down to one have been given random weights.

    Attributes:
        layer: The layer that was randomised last; "" for the trained network.
        maps: method → float32 (h, w).
        correlation: method → Spearman's rank correlation with the map of the trained network (of absolute
            values for signed maps); NaN for a map that is constant.
    """

    layer: str
    maps: dict[str, np.ndarray]
    correlation: dict[str, float]


@dataclass(frozen=True, eq=False)
class Sanity:
    """The sanity check of Adebayo et al. 2018: does a map notice that the network has forgotten everything?"""

    steps: tuple[SanityStep, ...]
    seconds: float


@dataclass(frozen=True, eq=False)
class ChannelEffects:
    """What each channel of a layer does for a class on one picture.

    Attributes:
        layer: The layer's path.
        classes: Numbers of the classes whose logits are told, the target first.
        base: float32 (classes,), logits with every channel on.
        channels: The channels that were switched off one at a time, those first whose loss lowers the
            target's logit most.
        logits: float32 (channels, classes), the logits without that channel.
        estimated: Whether the ranking was made by gradient × activation first, because the layer has too
            many channels to try them all.
        total: How many channels the layer has.
        seconds: Of computing.
    """

    layer: str
    classes: tuple[int, ...]
    base: np.ndarray
    channels: tuple[int, ...]
    logits: np.ndarray
    estimated: bool
    total: int
    seconds: float


@dataclass(frozen=True, eq=False)
class SwitchedOff:
    """Logits before and after a set of channels is switched off.

    Attributes:
        before: float32 (classes,), logits with every channel on.
        after: float32 (classes,), logits without the channels.
        probabilities_before: Their softmax.
        probabilities_after: Their softmax.
    """

    before: np.ndarray
    after: np.ndarray
    probabilities_before: np.ndarray
    probabilities_after: np.ndarray
