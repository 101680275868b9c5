"""What is installed is what the code imports, pinned, and README's lines are the lines that CI runs."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COME_WITH_STREAMLIT = {"starlette"}
OPTIONAL_BACKENDS = {"jax", "torch"}
PEERS = ("tests/benchmarks/peers", "tests/benchmarks/ascent_peers.py")
DISTRIBUTED_AS = {"pytorch_grad_cam": "grad-cam"}


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9_.-]+)==([0-9][\w.]*)", line.strip()) for line in lines]
    others = [line for line, pin in zip(lines, found, strict=True) if not pin and not re.match(r"#|-r |$", line)]
    assert not others, f"not pinned: {others}"
    return {pin[1].lower().replace("_", "-"): pin[2] for pin in found if pin}


def imported(folders: list[str], without: tuple[str, ...] = ()) -> set[str]:
    """Return the top-level names that files import, the standard library and the project left out."""
    names: set[str] = set()
    for folder in folders:
        path = ROOT / folder
        for file in [path] if path.is_file() else path.rglob("*.py"):
            if any(file.is_relative_to(ROOT / each) for each in without):
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"explorer", "tests"}


def distributions(names: set[str]) -> set[str]:
    known = packages_distributions()
    return {known.get(name, [name])[0].lower().replace("_", "-") for name in names}


def test_everything_the_app_imports_is_pinned():
    needed = distributions(imported(["app.py", "explorer", "pages"])) - COME_WITH_STREAMLIT - OPTIONAL_BACKENDS
    assert needed - set(pins("requirements.txt")) == set()


def test_everything_the_tests_import_is_pinned():
    needed = distributions(imported(["tests"], without=PEERS)) - COME_WITH_STREAMLIT - OPTIONAL_BACKENDS
    assert needed - set(pins("requirements.txt")) - set(pins("requirements-dev.txt")) == set()


def test_the_libraries_that_benchmarks_compare_with_are_pinned_in_an_environment_of_their_own():
    said = (ROOT / "tests/benchmarks/requirements.txt").read_text(encoding="utf-8")
    apart = imported(list(PEERS)) - imported(["app.py", "explorer", "pages"]) - OPTIONAL_BACKENDS
    assert apart == {"captum", "lime", "pytorch_grad_cam", "tf_keras_vis", "xplique"}
    for name in apart:
        assert re.search(rf"(^|\s){DISTRIBUTED_AS.get(name, name).replace('_', '-')}==[0-9]", said), name
    assert pins("tests/benchmarks/requirements.txt")


def test_developers_get_what_users_get():
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("kind", ["start", "test"])
def test_both_lines_of_the_readme_make_their_own_environment(kind):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for shell, fence in (("bash", "bash"), ("powershell", "powershell")):
        found = re.search(rf"<!-- {kind}: {shell} -->\n```{fence}\n(.*)\n```", readme)
        assert found, f"{kind} line for {shell}"
        assert "-m venv .venv" in found[1]
        assert "requirements" in found[1]


def test_ci_reads_the_line_from_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "<!-- test: bash -->" in script
    assert 'eval "$test_line"' in script
    assert "CNN_EXPLORER_REQUIRE_BROWSER=1" in script


def test_the_gpu_line_pins_the_same_tensorflow():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f'"tensorflow[and-cuda]=={pins("requirements.txt")["tensorflow"]}"' in readme
