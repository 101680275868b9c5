"""A network's structure and what its layers did, ready to print in the clickable column."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from explorer.inside.results import LayerSummary
from explorer.interface.numbers import count_text, shape_text
from explorer.networks.structure import Block, LayerNode, Node, Structure


def _tree(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Return nodes as plain data for the browser."""
    plain: list[dict[str, Any]] = []
    for node in nodes:
        if isinstance(node, LayerNode):
            plain.append({"path": node.path})
        else:
            plain.append(_block(node))
    return plain


def _block(block: Block) -> dict[str, Any]:
    return {
        "title": block.title,
        "kind": block.kind,
        "shape": "→ " + shape_text(block.output_shape),
        "parameters": _parameters(block.parameters),
        "children": _tree(block.children),
        "branches": [_tree(branch) for branch in block.branches],
        "merge": block.merge,
    }


def _short(name: str) -> str:
    """Return a long name by its end, which tells it from its neighbours; the whole path is the row's title."""
    return name if len(name) <= 24 else "…" + name[-23:]


def _parameters(count: int) -> str:
    return f"{count_text(count)} param." if count else ""


def column_data(structure: Structure, summaries: Sequence[LayerSummary]) -> tuple[list, dict, str]:
    """Return tree, printable layer facts and a digest of both for `boards.network_column`.

    Args:
        structure: what the network is made of.
        summaries: what each layer did with the picture; layers without one show no count of silent channels.
    """
    silent = {s.path: s for s in summaries}
    layers = {}
    for path, layer in structure.layers.items():
        summary = silent.get(path)
        layers[path] = {
            "name": _short(layer.name),
            "kind": layer.kind,
            "shape": shape_text(layer.output_shape),
            "parameters": _parameters(layer.parameters),
            "silent": f"{summary.silent} silent" if summary is not None and summary.silent else None,
        }
    tree = _tree(structure.nodes)
    digest = hashlib.sha256(json.dumps([tree, layers], separators=(",", ":")).encode()).hexdigest()[:16]
    return tree, layers, digest
