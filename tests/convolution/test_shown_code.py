"""What *Show the code* prints runs as it stands, and gives the numbers on the screen."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.convolution.scene import Scene
from explorer.convolution.scenes.table import SCENES
from explorer.convolution.stage import Stage
from tests.convolution.random_settings import case_name, given, preset_cases, random_cases


def shown(stage: Stage) -> np.ndarray:
    """Return the own numbers of the result board."""
    board = stage.board(stage.result)
    if board.own is None:
        return board.values
    return board.values[np.ix_(board.own.any(axis=1), board.own.any(axis=0))]


def result_of(program: str) -> np.ndarray:
    """Run a program in a namespace of its own and return what it calls `result`."""
    names: dict[str, object] = {"__name__": "notebook"}
    exec(compile(program, "<shown>", "exec"), names)
    return np.asarray(names["result"], dtype=np.float64)


def check_code(scene: Scene, settings: dict, *, keras: bool) -> None:
    stage = scene.build(settings)
    program = scene.code(settings).keras if keras else scene.code(settings).numpy
    result, expected = result_of(program), shown(stage)
    if expected.shape[0] == 1 and result.ndim == 2:
        expected = expected[0]
    assert result.shape == expected.shape, program
    # Rounding errors are as large as the largest products, not as their sum.
    link = next(link for link in stage.links if link.target == stage.result)
    products = np.abs(link.trace.source.reshape(-1)[link.trace.sources] * link.trace.factors)
    size = max(1.0, float(products.max(initial=0)), float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(result, expected, rtol=0, atol=size * (1e-4 if keras else 1e-9), err_msg=program)


@pytest.mark.parametrize("kind", ["numpy", "keras"])
@pytest.mark.parametrize(("scene", "preset"), preset_cases(), ids=case_name)
def test_the_code_of_an_example_gives_its_numbers(scene, preset, kind):
    check_code(scene, scene.settings(preset, **given(scene)), keras=kind == "keras")


@pytest.mark.parametrize("kind", ["numpy", "keras"])
@pytest.mark.parametrize("scene", SCENES, ids=case_name)
def test_the_code_of_settings_by_chance_gives_their_numbers(scene, kind):
    for settings in random_cases(scene):
        try:
            check_code(scene, settings, keras=kind == "keras")
        except Exception as error:
            words = {name: value for name, value in settings.items() if name != "pixels"}
            raise AssertionError(f"{scene.name}: {words}\n{getattr(scene.code(settings), kind)}") from error


@pytest.mark.parametrize("scene", SCENES, ids=case_name)
def test_programs_import_what_they_say_and_nothing_else(scene):
    for preset in scene.presets:
        code = scene.code(scene.settings(preset.name, **given(scene)))
        modules = {
            line.split()[1].split(".")[0]
            for program in (code.keras, code.numpy)
            for line in program.splitlines()
            if line.startswith(("import ", "from "))
        }
        assert modules <= {"keras", "numpy", "explorer", "scipy"}
        assert "explorer" not in code.keras and "keras" not in code.numpy.replace("keras_", "")
