"""What scripts show: functions of this project as text, titles. Nothing is imported, so Keras is not either."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

RUNS = Path(__file__).parent.parent
OWN_PICTURES = "PATH TO YOUR PICTURES"
OWN_SETTINGS = ("side", "fit", "grey", "validation_share")


def in_docstring(title: str) -> str:
    """Return a title as it can stand in a script's docstring, which it can neither end nor escape from."""
    return " ".join(title.replace('"', "'").replace("\\", "/").split())


def loading(data: Mapping[str, Any], seed: int | str, kind: str) -> dict[str, str]:
    """Return how a script gets at a run's pictures, for a template with `{loader}` and `{load}`.

    A visitor's own pictures are nobody else's: the script reads them from a folder or zip on its own machine.

    Args:
        data: "source" and its settings, as in `Config.data`.
        seed: of the run, or the name that it has in the script.
        kind: "classes", "masks" or "pictures".

    Returns:
        "loader", the name to import from `explorer.runs.data.loading`, and "load", the call.
    """
    if data.get("source") != "own":
        return {"loader": "load", "load": f'load({dict(data)!r}, seed={seed}, kind="{kind}")'}
    given = "".join(f", {name}={data[name]!r}" for name in OWN_SETTINGS if name in data)
    return {"loader": "load_files", "load": f'load_files("{OWN_PICTURES}", seed={seed}, kind="{kind}"{given})'}


def functions(module: str, *names: str) -> str:
    """Return the source of functions, in the order asked for, with two empty lines between them.

    Args:
        module: file name of a module in `explorer.runs`, such as "picture_networks.py".
        names: of its functions.

    Raises:
        KeyError: if there is no such function.
    """
    found = _functions(RUNS / module)
    return "\n\n\n".join(found[name] for name in names)


@lru_cache(maxsize=16)
def _functions(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in nodes}
