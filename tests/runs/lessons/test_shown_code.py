import ast
from pathlib import Path

import pytest
from PIL import Image

from explorer.runs.data.loading import load_files
from explorer.runs.lessons import lessons
from explorer.runs.lessons.shown_code import in_docstring, loading
from explorer.runs.record import new_config

HOSTILE = [
    'a""";__import__("os").system("id")#',
    "C:\\x\\u12",
    "two\nlines\n'''",
    'ends with "',
    "ends with \\",
    "{braces}",
]


def _config(lesson, title: str):
    preset = lesson.presets[0]
    data = {"source": lesson.data[0], **preset.data} if lesson.data else {}
    return new_config(
        task=lesson.name,
        owner="a" * 32,
        title=title,
        data=data,
        settings=lesson.settings(preset.settings),
        network="drawn_plain" if lesson.pretrained else "",
    )


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_a_title_changes_no_more_than_the_docstring_of_a_script(lesson) -> None:
    plain = ast.parse(lesson.script(_config(lesson, "Plain")))
    for title in HOSTILE:
        script = ast.parse(lesson.script(_config(lesson, title)))
        assert isinstance(script.body[0], ast.Expr)
        assert [ast.dump(node) for node in script.body[1:]] == [ast.dump(node) for node in plain.body[1:]]


@pytest.mark.parametrize("lesson", [each for each in lessons() if "own" in each.data], ids=lambda lesson: lesson.name)
def test_own_pictures_are_read_from_a_folder_of_whoever_runs_the_script(lesson) -> None:
    data = {"source": "own", "id": "a" * 32, "side": 64, "validation_share": 0.5}
    script = lesson.script(_config(lesson, "Own").model_copy(update={"data": data}))
    compile(script, lesson.name, "exec")
    assert "import load_files" in script and 'load_files("PATH TO YOUR PICTURES", seed=' in script
    assert "side=64, validation_share=0.5)" in script
    assert "a" * 32 not in script and " = load(" not in script


def test_the_call_of_a_script_reads_a_folder(tmp_path: Path) -> None:
    for name, brightness in (("dark", 20), ("light", 220)):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("RGB", (40, 40), (brightness,) * 3).save(tmp_path / name / f"{number}.png")
    words = loading({"source": "own", "id": "a" * 32, "side": 32, "grey": True, "fit": "crop"}, 0, "classes")
    call = words["load"].replace("PATH TO YOUR PICTURES", str(tmp_path))
    divided = eval(call, {words["loader"]: load_files})
    assert divided.training.pixels.shape[1:] == (32, 32, 1) and divided.training.classes == ("dark", "light")


def test_a_title_without_anything_special_stays_as_it_is() -> None:
    assert in_docstring("Boats, 50 per class (seed 3)") == "Boats, 50 per class (seed 3)"
