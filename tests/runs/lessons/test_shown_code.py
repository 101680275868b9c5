import ast

import pytest

from explorer.runs.lessons import lessons
from explorer.runs.lessons.shown_code import in_docstring
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


def test_a_title_without_anything_special_stays_as_it_is() -> None:
    assert in_docstring("Boats, 50 per class (seed 3)") == "Boats, 50 per class (seed 3)"
