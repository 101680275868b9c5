"""Two to four networks beside each other: which layer of one answers to which of another, and how they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.architectures.results import NetworkTable
from explorer.networks.structure import LayerInfo

MOST = 4

# Layers that do the same sort of thing may stand beside each other, layers of one kind rather.
_SORTS = {
    "convolution": ("Conv", "Separable", "PartialConvolution"),
    "dense": ("Dense", "EinsumDense"),
    "pooling": ("MaxPooling", "AveragePooling", "WeightPerMap"),
    "global pooling": ("GlobalAveragePooling", "GlobalMaxPooling", "Flatten"),
    "normalisation": ("BatchNormalization", "LayerNormalization", "GroupNormalization", "LocalResponse"),
    "activation": ("ReLU", "Activation", "LeakyReLU", "PReLU", "Softmax"),
    "joining": ("Add", "Concatenate", "Multiply", "Average", "GatedSum"),
    "padding": ("ZeroPadding", "Cropping"),
    "regularisation": ("Dropout", "SpatialDropout"),
    "input": ("InputLayer", "Rescaling", "Normalization"),
}
# Arguments that make two layers of one kind different things to read.
_TELLING = (
    "filters", "units", "kernel_size", "strides", "pool_size", "padding", "dilation_rate", "groups",
    "depth_multiplier", "use_bias", "activation", "rate",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """Layers that answer to each other.

    Attributes:
        paths: For each network the layer's path, or None where it has nothing of the sort here.
        scale: How many times smaller than the input the maps are here, as a power of two; None for vectors.
        differs: What is not the same among those that are there: "kind", "output_shape", names of arguments,
            "parameters", "multiply_adds"; empty where they agree.
    """

    paths: tuple[str | None, ...]
    scale: int | None
    differs: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every network has a layer here."""
        return None not in self.paths


@dataclass(frozen=True)
class Ratio:
    """One quantity of all networks.

    Attributes:
        quantity: "parameters", "trainable", "multiply_adds", "activations", "depth" or "layers".
        values: For each network.
        ratios: Each divided by that of the first network; None where that is 0.
    """

    quantity: str
    values: tuple[int, ...]
    ratios: tuple[float | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Some networks beside each other.

    Attributes:
        names: Of the networks, in the order given.
        rows: From input to output; each layer of each network stands in exactly one.
        ratios: The sums.
    """

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    ratios: tuple[Ratio, ...]


def compare(tables: Sequence[NetworkTable]) -> Comparison:
    """Align the layers of two to four networks and set their sums in ratio to the first one's.

    Layers only answer to each other where their maps are equally many times smaller than the input, and keep their
    order. Within a stage the alignment is the one with the most likeness (a longest common subsequence with weights);
    a third and a fourth network are aligned to the rows that are there.

    Args:
        tables: The networks; the first one is what the others are compared with.

    Raises:
        ValueError: for fewer than two or more than four.
    """
    if not 2 <= len(tables) <= MOST:
        raise ValueError(f"Two to {MOST} networks can be compared, not {len(tables)}.")
    rows: list[list[str | None]] = [[path] for path in tables[0].structure.layers]
    for number in range(1, len(tables)):
        rows = _merged(rows, tables[: number + 1])
    return Comparison(
        tuple(table.name for table in tables),
        tuple(_row(paths, tables) for paths in rows),
        tuple(_ratios(tables)),
    )


def _ratios(tables: Sequence[NetworkTable]) -> list[Ratio]:
    values = {
        "parameters": [table.parameters for table in tables],
        "trainable": [table.trainable for table in tables],
        "multiply_adds": [table.multiply_adds for table in tables],
        "activations": [table.activations for table in tables],
        "depth": [table.depth for table in tables],
        "layers": [len(table.structure.layers) for table in tables],
    }
    return [
        Ratio(quantity, tuple(row), tuple(value / row[0] if row[0] else None for value in row))
        for quantity, row in values.items()
    ]


def scale_of(table: NetworkTable, layer: LayerInfo) -> int | None:
    """Return how many times smaller than the input a layer's maps are, as a power of two; None for vectors."""
    side, full = _side(layer.output_shape), _side(table.input_shape)
    return None if side is None or full is None else round(math.log2(full / side))


def _side(shape: Sequence[int | None]) -> int | None:
    sides = [side for side in shape[:-1] if side]
    return max(sides) if sides and max(sides) > 1 else None


def _sort(kind: str) -> str:
    for sort, beginnings in _SORTS.items():
        if kind.startswith(beginnings) or kind.startswith("Depthwise") and sort == "convolution":
            return sort
    return kind


def _window(layer: LayerInfo) -> object:
    return layer.config.get("kernel_size") or layer.config.get("pool_size")


def _features(table: NetworkTable, paths: Sequence[str | None], codes: dict[object, int]) -> np.ndarray:
    """Return what alignment looks at, one row of numbers for each layer; None gives a row that is like nothing."""
    rows = []
    for path in paths:
        if path is None:
            rows.append([-1.0] * 6)
            continue
        layer = table.structure.layers[path]
        words = (layer.kind, _sort(layer.kind), ("window", _window(layer)), ("strides", layer.config.get("strides")))
        numbers = [float(codes.setdefault(word, len(codes))) for word in words]
        scale = scale_of(table, layer)
        rows.append([*numbers, math.log2(layer.channels or 1), 99.0 if scale is None else float(scale)])
    return np.array(rows)


def _likeness(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return how alike layers are, (first, second): 0 where they must not stand beside each other."""
    a, b = first[:, None, :], second[None, :, :]
    same = a == b
    channels = 1 - np.minimum(np.abs(a[..., 4] - b[..., 4]), 4) / 4
    # A map that has lost its borders may be rounded to the neighbouring power of two, but a stage is a stage.
    allowed = same[..., 1] & same[..., 5] & (a[..., 0] >= 0) & (b[..., 0] >= 0)
    return np.where(allowed, 1 + 2 * same[..., 0] + same[..., 2] + 0.5 * same[..., 3] + channels, 0.0)


def _merged(rows: list[list[str | None]], tables: Sequence[NetworkTable]) -> list[list[str | None]]:
    """Align the layers of the last table to the rows that stand."""
    codes: dict[object, int] = {}
    new = list(tables[-1].structure.layers)
    coming = _features(tables[-1], new, codes)
    likeness = np.zeros((len(rows), len(new)))
    for column, table in enumerate(tables[:-1]):
        standing = _features(table, [row[column] for row in rows], codes)
        likeness = np.maximum(likeness, _likeness(standing, coming))
    pairs = _best_pairs(likeness)
    empty: list[str | None] = [None] * (len(tables) - 1)
    found: list[list[str | None]] = []
    row_at = new_at = 0
    for row, other in [*pairs, (len(rows), len(new))]:
        found += [[*rows[number], None] for number in range(row_at, row)]
        found += [[*empty, new[number]] for number in range(new_at, other)]
        if row < len(rows):
            found.append([*rows[row], new[other]])
        row_at, new_at = row + 1, other + 1
    return found


def _best_pairs(likeness: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs, in order on both sides, whose likeness together is largest."""
    first, second = likeness.shape
    best = np.zeros((first + 1, second + 1))
    for row in range(1, first + 1):
        paired = np.where(likeness[row - 1] > 0, best[row - 1, :-1] + likeness[row - 1], 0)
        best[row, 1:] = np.maximum.accumulate(np.maximum(paired, best[row - 1, 1:]))
    pairs = []
    row, column = first, second
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return pairs[::-1]


def _row(paths: Sequence[str | None], tables: Sequence[NetworkTable]) -> Row:
    there = [(table, path) for table, path in zip(tables, paths, strict=True) if path is not None]
    layers = [table.structure.layers[path] for table, path in there]
    costs = [table.costs[path] for table, path in there]
    compared: dict[str, list[object]] = {
        "kind": [layer.kind for layer in layers],
        "output_shape": [layer.output_shape for layer in layers],
        **{name: [layer.config.get(name) for layer in layers] for name in _TELLING},
        "parameters": [cost.parameters for cost in costs],
        "multiply_adds": [cost.multiply_adds for cost in costs],
    }
    differs = tuple(name for name, values in compared.items() if any(value != values[0] for value in values[1:]))
    return Row(tuple(paths), scale_of(there[0][0], layers[0]), differs)
