"""What scripts show: functions of this project as text, titles. Nothing is imported, so Keras is not either."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

RUNS = Path(__file__).parent.parent


def in_docstring(title: str) -> str:
    """Return a title as it can stand in a script's docstring, which it can neither end nor escape from."""
    return " ".join(title.replace('"', "'").replace("\\", "/").split())


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
