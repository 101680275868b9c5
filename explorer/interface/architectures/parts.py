"""A network in the parts that people name, stages and dense layers: what lies in each, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.results import NetworkTable
from explorer.interface.components.network_diagram import tree_of
from explorer.interface.figures.architecture_charts import Measure, Share, listed, shares
from explorer.interface.numbers import shape_text, share_text
from explorer.networks.structure import Block, LayerInfo, LayerNode, paths_of

MOST_PARTS = 14
MOST_NAMED = 6
"""So many layers that hold equally much are named one by one."""

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
_KINDS = {
    "Conv2D": "convolution",
    "DepthwiseConv2D": "depthwise convolution",
    "SeparableConv2D": "separable convolution",
    "Dense": "dense",
}


def parts_of(table: NetworkTable) -> list[tuple[str, list[str]]]:
    """Return title and layers of each part of a network, from the input on.

    The parts are the stages of the diagram, and what stands beside them there; what stands alone with neither weights
    nor work of its own goes with the part before it. A single stage around everything is opened.
    """
    nodes = list(tree_of(table))
    while len(nodes) == 1 and isinstance(nodes[0], Block) and nodes[0].children:
        nodes = list(nodes[0].children)
    found: list[tuple[str, list[str]]] = []
    for node in nodes:
        paths = list(paths_of([node]))
        costs = [table.costs[path] for path in paths]
        empty = not any(cost.parameters or cost.multiply_adds for cost in costs)
        if found and empty:
            found[-1][1].extend(paths)
        elif not empty:
            found.append((_title(node, table), paths))
        else:
            found.append(("Input", paths))
    if len(found) > 1 and found[0][0] == "Input":
        found[1][1][:0] = found[0][1]
        found.pop(0)
    return found


def _title(node: Block | LayerNode, table: NetworkTable) -> str:
    if isinstance(node, Block):
        return node.title
    layer = table.structure.layers[node.path]
    return f"{layer.name} · {shape_text(layer.output_shape)}"


def shares_of(table: NetworkTable) -> list[Share]:
    """Return what of a network lies in each of its parts, at most `MOST_PARTS`: the smallest are put together."""
    parts = parts_of(table)
    found = shares(table, parts)
    if len(found) <= MOST_PARTS:
        return found
    ranked = sorted(range(len(found)), key=lambda at: -max(found[at].parameters, found[at].multiply_adds))
    kept = set(ranked[: MOST_PARTS - 1])
    rest = [path for at, (_, paths) in enumerate(parts) for path in paths if at not in kept]
    return [found[at] for at in sorted(kept)] + shares(table, [("all the others", rest)])


def most_of(table: NetworkTable, measure: Measure) -> tuple[tuple[str, ...], float]:
    """Return the layers that have the most of a measure, all that are level, and the share that each of them has."""
    values = {path: getattr(cost, measure) for path, cost in table.costs.items()}
    most = max(values.values(), default=0)
    if not most:
        return (), 0.0
    return tuple(path for path, value in values.items() if value == most), most / sum(values.values())


def lesson(table: NetworkTable) -> str:
    """Say where the weights and where the work are, in a few sentences with this network's numbers."""
    layers = table.structure.layers
    said = [
        _most_words(table, "parameters", "holds", "hold", "weights"),
        _most_words(table, "multiply_adds", "does", "do", "work"),
    ]
    dense = [path for path, layer in layers.items() if layer.kind == "Dense"]
    weights = sum(table.costs[path].parameters for path in dense) / max(1, table.parameters)
    work = sum(table.costs[path].multiply_adds for path in dense) / max(1, table.multiply_adds)
    if dense and weights > 0.02:
        said.append(
            f"Dense layers hold {share_text(weights)} of the weights and do {share_text(work)} of the work: "
            "a convolution's weights are used again at every place, a dense layer's only once."
        )
    return " ".join(filter(None, said))


def _most_words(table: NetworkTable, measure: Measure, does: str, do: str, what: str) -> str:
    """Say which layers have the most of a measure; nothing where none has any."""
    paths, share = most_of(table, measure)
    if not paths:
        return ""
    kinds = list(dict.fromkeys(_what(table.structure.layers[path]) for path in paths))
    if len(paths) == 1:
        return f"**{paths[0]}** ({kinds[0]}) {does} the most {what} of all layers: {share_text(share)}."
    many = _NUMBERS[len(paths)] if len(paths) < len(_NUMBERS) else f"{len(paths):,}"
    layers = f"{kinds[0]}s" if kinds[0].endswith("convolution") else f"{kinds[0]} layers"
    layers = "layers" if len(kinds) > 1 else layers
    return f"{many} {layers} {do} the most {what}, {share_text(share)} each: {_names(paths)}."


def _names(paths: Sequence[str]) -> str:
    if len(paths) > MOST_NAMED:
        return f"from **{paths[0]}** to **{paths[-1]}**"
    return listed([f"**{path}**" for path in paths])


def held_words(table: NetworkTable) -> str:
    """Say in few words where the weights are: "74 % of them in fc1"."""
    paths, share = most_of(table, "parameters")
    if not paths:
        return "in no layer"
    if len(paths) == 1:
        return f"{share_text(share)} of them in {paths[0]}"
    return f"{share_text(share)} of them in each of {len(paths)} layers"


def _what(layer: LayerInfo) -> str:
    kernel = layer.config.get("kernel_size")
    window = f"{kernel[0]}×{kernel[1]} " if isinstance(kernel, tuple) and len(kernel) == 2 else ""
    return f"{window}{_KINDS.get(layer.kind, layer.kind)}"
