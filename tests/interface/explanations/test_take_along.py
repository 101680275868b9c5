"""The code that the page prints makes the very maps that the page shows."""

import numpy as np
import pytest

from explorer.explanations.results import Fact, Target
from explorer.explanations.work import explain_work
from explorer.interface.explanations.page_state import Question, Row, class_options, class_title
from explorer.interface.explanations.take_along import code_of
from explorer.interface.explanations.words import fact_text
from explorer.networks.work_context import NO_CONTEXT
from explorer.pictures.sources import resolve

METHODS = ["saliency", "grad_cam", "smoothgrad"]


def question(**changes):
    given = {
        "network": "drawn_plain",
        "weights": "trained",
        "fit": "pad",
        "layer": "",
        "score": "logits",
        "seed": 0,
        "batch": 0,
        "options": (("smoothgrad", (("samples", 4), ("noise", 0.2))),),
    }
    return Question(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({}, Target("class", 0)),
        ({"seed": 3, "score": "softmax", "layer": "shapes_2_relu"}, Target("class", 1, against=4)),
        ({"fit": "crop", "layer": "shapes_2_relu"}, Target("channel", 5, layer="objects_1_relu")),
    ],
)
def test_the_printed_lines_make_the_maps_of_the_page(changes, target):
    asked = question(**changes)
    row = Row(resolve("drawn:cat:13"), target, "cat")
    made: dict = {}
    exec(code_of(asked, row, METHODS), made)  # noqa: S102 - it is what a visitor would run
    for name in METHODS:
        shown = explain_work(
            NO_CONTEXT,
            network=asked.network,
            weights=asked.weights,
            pixels=row.picture.pixels,
            fit=asked.fit,
            target=target,
            method=name,
            options=asked.of(name),
            layer=(asked.layer or None) if name == "grad_cam" else None,
            score=asked.score,
            seed=asked.seed,
        )
        np.testing.assert_allclose(made["maps"][name], shown.explanation.maps[0], atol=1e-6)


def test_an_uploaded_picture_is_named_as_a_file_to_open():
    picture = resolve("drawn:cat:13")
    uploaded = type(picture)(picture.pixels, "upload:" + "0" * 64, "mine.png", picture.original_size)
    assert "open(" in code_of(question(), Row(uploaded, Target("class", 0), "cat"), METHODS)


def test_two_classes_of_one_name_are_told_apart_and_unknown_names_are_numbers():
    names = ("crane", "cat", "crane")
    assert [class_title(names, index) for index in range(3)] == ["crane (0)", "cat", "crane (2)"]
    assert class_title(None, 7) == "class 7"


def test_the_most_probable_classes_stand_first_and_none_is_missing():
    assert class_options(5, (3, 1)) == ["3", "1", "0", "2", "4"]


def test_the_printed_lines_leave_out_what_the_page_refuses():
    row = Row(resolve("drawn:cat:13"), Target("channel", 5, layer="objects_1_relu"), "channel 5")
    lines = code_of(question(), row, ("lime", "grad_cam"))
    assert "# LIME explains a class only." in lines and "'lime'" not in lines and "'grad_cam'" in lines


@pytest.mark.parametrize(("gap", "shown"), [(0.0123, "1.2 %"), (0.999, "100 %"), (1.5, "150 %"), (-3.21, "-321 %")])
def test_a_large_gap_is_printed_in_plain_digits(gap, shown):
    assert fact_text(Fact("Completeness gap, relative", gap, "")) == f"Completeness gap: {shown}"
