"""The table: every name leads to a function that takes a context first, and only sound entries get in."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from explorer.engine import work


def parameters(path: str) -> list[str]:
    """Read a function's parameters from its source, without importing Keras."""
    module, _, function = path.partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"{module} does not exist"
    assert spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return [argument.arg for argument in node.args.args]
    raise AssertionError(f"{module} has no function {function}")


@pytest.mark.parametrize("name", [name for name in work.names() if "." in name])
def test_every_name_leads_to_a_function_that_takes_a_context_first(name: str) -> None:
    assert parameters(work.work(name).path)[0] == "context"


def test_what_a_hand_waits_for_is_quick_and_a_download_is_not() -> None:
    lanes = {name: work.work(name).lane for name in work.names() if name.split(".")[0] in ("inside", "networks")}
    long = {name for name, lane in lanes.items() if lane == "long"}
    # A large network is the same work, in the line of what takes seconds.
    # Hundreds of pictures go through the network for these.
    banks = {"inside.top_patches", "inside.neighbours"}
    assert {name for name in long if not name.endswith(".large")} == {"networks.download", *banks}
    for name in long - {"networks.download", *banks}:
        assert work.work(name).path == work.work(name.removesuffix(".large")).path
    assert {"inside.overview", "inside.layer_maps", "inside.receptive_field", "inside.filter_of"} <= set(lanes)


def test_own_work_is_registered_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_table", {})
    work.register("own.thing", "package.module:thing", "long")
    assert work.work("own.thing") == work.Work("package.module:thing", "long")
    assert work.names() == ("own.thing",)


@pytest.mark.parametrize("path", ["", "module", "module:", ":function", "a b:c", "a:b.c", "a:b()", "../a:b"])
def test_a_malformed_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="A path reads"):
        work.register("own.thing", path, "quick")


def test_an_unknown_lane_is_refused() -> None:
    with pytest.raises(ValueError, match="A lane is one of"):
        work.register("own.thing", "module:function", "slow")  # type: ignore[arg-type]


def test_an_unknown_name_is_named_in_the_error() -> None:
    with pytest.raises(KeyError, match="inside.nothing"):
        work.work("inside.nothing")
