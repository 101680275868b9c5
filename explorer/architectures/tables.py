"""The tables of all networks of the catalogue, counted beforehand: read from files, without Keras.

`explorer.architectures.make_tables` writes them. A file holds one network as compressed JSON; layers stand in rows and
name each other by their numbers.
"""

from __future__ import annotations

import gzip
import json
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from explorer.architectures.cards import card
from explorer.architectures.results import Cost, NetworkTable, Totals
from explorer.networks.structure import Block, LayerInfo, LayerNode, Node, Structure

FOLDER = Path(__file__).parent / "tables"
_TOTALS = FOLDER / "totals.json"


def path_of(name: str) -> Path:
    """Return where the table of a network lies.

    Raises:
        KeyError: with a sentence, if the catalogue has no network of that name.
    """
    return FOLDER / card(name).origin / f"{name}.json.gz"


@lru_cache(maxsize=16)
def table_of(name: str) -> NetworkTable:
    """Return what each layer of a network costs.

    Args:
        name: Name of its card.

    Raises:
        KeyError: with a sentence, if the catalogue has no network of that name.
    """
    return unpacked(path_of(name).read_bytes())


@lru_cache(maxsize=1)
def totals() -> tuple[Totals, ...]:
    """Return the numbers of every network, in the order of the cards."""
    rows = json.loads(_TOTALS.read_text(encoding="utf-8"))
    return tuple(Totals(**{**row, "input_shape": tuple(row["input_shape"])}) for row in rows)


def totals_of(table: NetworkTable) -> Totals:
    """Return the sums of one table."""
    return Totals(
        table.name,
        table.parameters,
        table.trainable,
        table.multiply_adds,
        table.activations,
        table.depth,
        len(table.structure.layers),
        table.input_shape,
    )


# --- files ---


def packed(table: NetworkTable) -> bytes:
    """Return a table as the bytes of its file; the same table always gives the same bytes."""
    structure = table.structure
    numbers = {path: number for number, path in enumerate(structure.layers)}
    layers = []
    for path, layer in structure.layers.items():
        cost = table.costs[path]
        layers.append([
            path, layer.name, layer.kind, layer.output_shape, layer.parameters, int(layer.trainable),
            [numbers[name] for name in layer.inputs], layer.config, layer.stage,
            cost.parameters, cost.trainable, cost.multiply_adds, cost.activations, cost.field, cost.stride,
            int(cost.sees_all),
        ])  # fmt: skip
    content = {
        "name": table.name,
        "input_shape": table.input_shape,
        "depth": table.depth,
        "notes": table.notes,
        "layers": layers,
        "nodes": [_packed_node(node, numbers) for node in structure.nodes],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), 9, mtime=0)


def _packed_node(node: Node, numbers: dict[str, int]) -> Any:
    if isinstance(node, LayerNode):
        return numbers[node.path]
    return [
        node.title, node.kind, numbers[node.output], node.parameters, node.output_shape,
        None if node.merge is None else numbers[node.merge],
        [_packed_node(child, numbers) for child in node.children],
        [[_packed_node(child, numbers) for child in branch] for branch in node.branches],
    ]  # fmt: skip


def unpacked(data: bytes) -> NetworkTable:
    """Return the table in the bytes of a file.

    Raises:
        ValueError: if they are none.
    """
    try:
        content = json.loads(gzip.decompress(data))
        rows = content["layers"]
        paths = [row[0] for row in rows]
        layers, costs = {}, {}
        for (
            path, name, kind, shape, parameters, trainable, inputs, config, stage,
            own, trained, work, values, field, stride, sees_all,
        ) in rows:  # fmt: skip
            layers[path] = LayerInfo(
                path, name, kind, tuple(shape), parameters, bool(trainable), shape[-1] if shape else None,
                tuple(paths[number] for number in inputs),
                {key: _frozen(value) for key, value in config.items()}, stage,
            )  # fmt: skip
            costs[path] = Cost(own, trained, work, values, _frozen(field), _frozen(stride), bool(sees_all))
        nodes = tuple(_node(node, paths) for node in content["nodes"])
        structure = Structure(content["name"], nodes, layers)
        return NetworkTable(structure, costs, tuple(content["input_shape"]), content["depth"], tuple(content["notes"]))
    except (OSError, EOFError, zlib.error, KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError("This is no table of a network.") from error


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _node(node: Any, paths: list[str]) -> Node:
    if isinstance(node, int):
        return LayerNode(paths[node])
    title, kind, output, parameters, shape, merge, children, branches = node
    return Block(
        title,
        kind,
        tuple(_node(child, paths) for child in children),
        tuple(tuple(_node(child, paths) for child in branch) for branch in branches),
        paths[output],
        parameters,
        tuple(shape),
        None if merge is None else paths[merge],
    )
