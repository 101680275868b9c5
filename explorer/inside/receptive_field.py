"""The receptive field of a cell: which pixels of the network's input it depends on, from the layers alone.

The cell is followed back through all layers to the input: through each window by its kernel, stride, dilation and
padding, through branches by what any of them reads. For a chain of layers this gives the closed form of Araujo,
Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019): size
1 + sum over layers of (kernel - 1) * (product of the strides before), but also what really takes part where
padding, dilation and borders leave gaps.
"""

from __future__ import annotations

import contextlib
import math
import threading
import weakref
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

import keras
import numpy as np

from explorer.inside.layer_graph import LayerGraph, layer_graph
from explorer.inside.reach import Reading, Region, Shape, Span, UnknownGeometry, readings, single, united
from explorer.inside.results import Box, ReceptiveField
from explorer.networks import catalogue
from explorer.networks.activations import activations
from explorer.networks.gradients import ValueAndGradient
from explorer.networks.loading import load
from explorer.networks.preprocessing import prepare
from explorer.networks.tap import Enough, lock_of, tapped
from explorer.networks.work_context import SentenceError, WorkContext

Weights = Literal["trained", "random"]
# Gradients are taken at so many pictures of noise; a unit that is off in one is hardly off in all.
DRAWS = 3


def receptive_field(
    context: WorkContext, network: str, layer: str, row: int, column: int, weights: Weights | None = None
) -> ReceptiveField:
    """Return what one cell of a layer depends on (named work).

    Args:
        context: The work's context.
        network: Name in the catalogue.
        layer: Path of the layer.
        row: Row of the cell in the layer's maps.
        column: Its column.
        weights: Which weights are loaded anyway; the field is the same for all. None takes the trained ones if
            they are on this machine.

    Raises:
        SentenceError: if the network or the layer does not exist, or the cell lies outside its maps.
    """
    if weights is None:
        weights = "trained" if catalogue.weights_present(catalogue.entry(network)) else "random"
    loaded = load(network, weights)
    graph = layer_graph(loaded)
    return field_of(loaded, graph, layer, row, column, prepared_noise(loaded.entry))


def prepared_noise(entry: catalogue.NetworkEntry) -> np.ndarray:
    """Return a few pictures of noise as input for a network: float32 (draws, height, width, 3)."""
    noise = np.random.default_rng(0).integers(0, 256, (DRAWS, *entry.input_size, 3), np.uint8)
    return prepare(noise, entry)


def field_of(network: Any, graph: LayerGraph, layer: str, row: int, column: int, noise: np.ndarray) -> ReceptiveField:
    """Return what one cell of a layer depends on.

    Args:
        network: A loaded network or a keras.Model.
        graph: Its graph.
        layer: Path of the layer.
        row: Row of the cell.
        column: Its column.
        noise: Input for the network, (n, height, width, channels): its size is the input's, its values
            serve to see gradients where layers do not tell their geometry.

    Raises:
        SentenceError: if the layer does not exist, or the cell lies outside its maps.
    """
    graph.info(layer)
    shapes = _shapes(network, graph, noise)
    places = shapes[layer][:-1]
    cell = _cell(layer, places, row, column)
    if graph.complete:
        with contextlib.suppress(UnknownGeometry):
            return _from_layers(graph, shapes, layer, cell)
    return _from_gradients(network, layer, places, cell, noise)


def _cell(layer: str, places: Shape, row: int, column: int) -> tuple[int, ...]:
    """Return the cell's index on each axis of places, from its place in the maps that the page shows."""
    two = (*places, 1, 1)
    shown = (math.prod(places[:-1]), places[-1]) if len(places) > 2 else (two[0], two[1])
    if not (0 <= row < shown[0] and 0 <= column < shown[1]):
        raise SentenceError(
            f"The maps of {layer} have {shown[0]} × {shown[1]} cells; there is no cell {row}, {column}."
        )
    if len(places) > 2:
        return (*(int(i) for i in np.unravel_index(row, places[:-1])), column)
    return (row, column)[: len(places)]


_shapes_kept: weakref.WeakKeyDictionary[LayerGraph, dict[tuple[int, ...], dict[str, Shape]]] = (
    weakref.WeakKeyDictionary()
)
_shapes_lock = threading.Lock()


def _shapes(network: Any, graph: LayerGraph, noise: np.ndarray) -> dict[str, Shape]:
    """Return the shape of every layer's output without the batch; run the network once where it leaves them open."""
    known = {path: info.output_shape for path, info in graph.structure.layers.items()}
    if all(None not in shape for shape in known.values()) and graph.complete:
        return {path: tuple(int(side or 0) for side in shape) for path, shape in known.items()}
    size = noise.shape[1:]
    with _shapes_lock:
        kept = _shapes_kept.setdefault(graph, {})
    if size not in kept:
        kept[size] = activations(network, noise[:1], reduce=lambda path, values: tuple(values.shape[1:]))
    return kept[size]


def _from_layers(graph: LayerGraph, shapes: dict[str, Shape], layer: str, cell: Sequence[int]) -> ReceptiveField:
    source = next(path for path, info in graph.structure.layers.items() if not info.inputs)
    start = tuple(single(index, length) for index, length in zip(cell, shapes[layer][:-1], strict=True))
    full, gates = _traced(graph, shapes, layer, start, source, through_gates=True)
    local = full
    if gates:
        local, _ = _traced(graph, shapes, layer, start, source, through_gates=False)
        if _is_empty(local):
            local = full
    size = shapes[source][:-1]
    if len(size) != 2:
        raise UnknownGeometry("input without rows and columns")
    if full is None or local is None or _is_empty(full):
        nothing = (0.0, 0.0, 0.0, 0.0)
        return ReceptiveField(
            nothing, nothing, (0, 0), (0.0, 0.0), False, nothing, (0, 0),
            sentence="This cell sees nothing but padding: it does not depend on the picture.",
        )  # fmt: skip
    box = _box(full)
    found = ReceptiveField(
        box=box,
        unclipped=_free_box(full),
        size=_free_size(full),
        stride=(float(local[0].step), float(local[1].step)),
        whole_input=box == (0.0, 0.0, float(size[0]), float(size[1])),
        local_box=_box(local),
        local_size=_free_size(local),
    )
    return _with_sentence(found, gates)


def _traced(
    graph: LayerGraph,
    shapes: dict[str, Shape],
    layer: str,
    start: Region,
    source: str,
    *,
    through_gates: bool,
) -> tuple[Region | None, list[str]]:
    """Follow a region back to the input; return it there, and the layers where everything counts beside the place."""
    paths = list(graph.structure.layers)
    reached: dict[str, Region] = {layer: start}
    gates: list[str] = []
    for path in reversed(paths[: paths.index(layer) + 1]):
        region = reached.get(path)
        inputs = graph.structure.layers[path].inputs
        if region is None or not inputs or path == source:
            continue
        target = graph.objects.get(path)
        for name, reading in zip(
            inputs, readings(target, [shapes[name] for name in inputs], shapes[path], region), strict=True
        ):
            if reading.gate:
                gates.append(path)
            passed = _passed(reading, through_gates)
            if passed is not None and not any(span.empty for span in passed):
                reached[name] = united(reached.get(name), passed)
        if path != layer:
            del reached[path]
    return reached.get(source), gates


def _passed(reading: Reading, through_gates: bool) -> Region | None:
    if through_gates or not reading.gate:
        return reading.region
    return reading.beside


def _is_empty(region: Region | None) -> bool:
    return region is None or any(span.empty for span in region)


def _ends(span: Span) -> tuple[float, float]:
    inside = np.flatnonzero(span.cells)
    return float(inside[0]), float(inside[-1] + 1)


def _box(region: Region) -> Box:
    (top, bottom), (left, right) = (_ends(span) for span in region)
    return top, left, bottom, right


def _free_ends(span: Span) -> tuple[float, float]:
    # What does not move with the cell looks at everything there is, and has no size beyond that.
    return _ends(span) if span.step == 0 else (float(span.low), float(span.high + 1))


def _free_box(region: Region) -> Box:
    (top, bottom), (left, right) = (_free_ends(span) for span in region)
    return top, left, bottom, right


def _free_size(region: Region) -> tuple[int, int]:
    top, left, bottom, right = _free_box(region)
    return round(bottom - top), round(right - left)


def _with_sentence(found: ReceptiveField, gates: list[str]) -> ReceptiveField:
    height, width = found.local_size
    top, left, bottom, right = found.local_box
    seen = (round(bottom - top), round(right - left))
    words = f"This cell depends on {height} × {width} pixels of the network's input"
    if seen != (height, width):
        words += f", of which {seen[0]} × {seen[1]} lie inside"
    if found.local_box == found.box and found.whole_input:
        words = "This cell depends on every pixel of the network's input"
        if seen != (height, width):
            words += f": its field of {height} × {width} pixels covers all of it"
    elif found.local_box != found.box:
        gate = gates[0].rsplit("/", 1)[-1]
        words += (
            f"; through {gate}, which weighs whole channels by what the entire map contains, it depends on every pixel"
        )
    return replace(found, sentence=words + ".")


def _from_gradients(network: Any, layer: str, places: Shape, cell: Sequence[int], noise: np.ndarray) -> ReceptiveField:
    """See which pixels of noise have a gradient; a unit that is off for all of the noise is missed."""
    index = (slice(None), *cell)
    random = np.random.default_rng(1)

    def score(batch: Any) -> Any:
        found: list[Any] = []

        def see(path: str, tensor: Any) -> None:
            if path == layer:
                found.append(tensor)
                raise Enough

        with tapped(network, see, wanted=[layer]) as model, contextlib.suppress(Enough):
            model(batch)
        values = found[0][index]
        weights = random.choice(np.array([-1.0, 1.0], np.float32), tuple(values.shape))
        return keras.ops.sum(values * keras.ops.convert_to_tensor(weights))

    size = noise.shape[1:3]
    with lock_of(network):
        _, gradient = ValueAndGradient(score, compiled=False)(noise)
    touched = (gradient != 0).any(axis=(0, -1))
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    if not len(rows):
        box: Box = (0.0, 0.0, 0.0, 0.0)
        words = "No pixel of the network's input changes this cell, as far as gradients at noise can tell."
    else:
        box = (float(rows[0]), float(columns[0]), float(rows[-1] + 1), float(columns[-1] + 1))
        words = (
            f"This cell depends on {rows[-1] - rows[0] + 1} × {columns[-1] - columns[0] + 1} pixels of the network's "
            "input, as seen in gradients at noise: part of this network is code whose geometry cannot be read."
        )
    extent = (round(box[2] - box[0]), round(box[3] - box[1]))
    sides = (*places, 1, 1)[:2]
    return ReceptiveField(
        box=box,
        unclipped=box,
        size=extent,
        stride=(float(Fraction(size[0], sides[0])), float(Fraction(size[1], sides[1]))),
        whole_input=extent == tuple(size),
        local_box=box,
        local_size=extent,
        method="gradient",
        sentence=words,
    )
