"""A network in the parts that people name, stages and dense layers: what lies in each, and what follows from it."""

from __future__ import annotations

from explorer.architectures.results import NetworkTable
from explorer.interface.figures.architecture_charts import Share, shares
from explorer.interface.numbers import shape_text, share_text
from explorer.networks.structure import Block, LayerInfo, LayerNode, paths_of

MOST_PARTS = 14
_KINDS = {
    "Conv2D": "convolution",
    "DepthwiseConv2D": "depthwise convolution",
    "SeparableConv2D": "separable convolution",
    "Dense": "dense",
}


def parts_of(table: NetworkTable) -> list[tuple[str, list[str]]]:
    """Return title and layers of each part of a network, from the input on.

    A stage is a part, and so is each dense layer; what stands alone with neither weights nor work of its own goes with
    the part before it. Long lists are opened no further, short ones (a single stage around everything) are.
    """
    nodes = list(table.structure.nodes)
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
    found = shares(table, parts_of(table))
    if len(found) <= MOST_PARTS:
        return found
    ranked = sorted(found, key=lambda part: -max(part.parameters, part.multiply_adds))
    kept = set(map(id, ranked[: MOST_PARTS - 1]))
    rest = [path for title, paths in parts_of(table) for path in paths if title not in _titles(found, kept)]
    return [part for part in found if id(part) in kept] + shares(table, [("all the others", rest)])


def _titles(found: list[Share], kept: set[int]) -> set[str]:
    return {part.title for part in found if id(part) in kept}


def heaviest(table: NetworkTable) -> tuple[str, float]:
    """Return the layer that holds most weights, and its share of them."""
    path = max(table.costs, key=lambda name: table.costs[name].parameters)
    return path, table.costs[path].parameters / max(1, table.parameters)


def busiest(table: NetworkTable) -> tuple[str, float]:
    """Return the layer that does most multiply-adds, and its share of them."""
    path = max(table.costs, key=lambda name: table.costs[name].multiply_adds)
    return path, table.costs[path].multiply_adds / max(1, table.multiply_adds)


def lesson(table: NetworkTable) -> str:
    """Say where the weights and where the work are, in one or two sentences with this network's numbers."""
    heavy, heavy_share = heaviest(table)
    busy, busy_share = busiest(table)
    layers = table.structure.layers
    said = (
        f"**{heavy}** ({_what(layers[heavy])}) holds most weights: {share_text(heavy_share)}. "
        f"**{busy}** ({_what(layers[busy])}) does most of the work: {share_text(busy_share)}."
    )
    dense = [path for path, layer in layers.items() if layer.kind == "Dense"]
    weights = sum(table.costs[path].parameters for path in dense) / max(1, table.parameters)
    work = sum(table.costs[path].multiply_adds for path in dense) / max(1, table.multiply_adds)
    if dense and weights > 0.02:
        said += (
            f" Dense layers hold {share_text(weights)} of the weights and do {share_text(work)} of the work: "
            "a convolution's weights are used again at every place, a dense layer's only once."
        )
    return said


def _what(layer: LayerInfo) -> str:
    kernel = layer.config.get("kernel_size")
    window = f"{kernel[0]}×{kernel[1]} " if isinstance(kernel, tuple) and len(kernel) == 2 else ""
    return f"{window}{_KINDS.get(layer.kind, layer.kind)}"
