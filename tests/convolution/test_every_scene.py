"""What holds for every scene, with every example and with settings by chance."""

from __future__ import annotations

import csv
import io
import math
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from explorer.convolution import export_csv, questions
from explorer.convolution import settings as convolution_settings
from explorer.convolution.scene import Scene, Settings
from explorer.convolution.scenes.table import SCENES
from explorer.convolution.stage import Link, Stage
from explorer.interface.components.stage_message import stage_message
from explorer.interface.convolution.scene_state import own_values
from explorer.interface.figures import stage_drawing
from explorer.interface.theme import DARK, LIGHT
from tests.convolution.random_settings import PIXELS, case_name, given, preset_cases, random_cases

CASES = preset_cases()


def check_stage(stage: Stage) -> None:
    """Hold what a stage promises to those that draw, ask and export it."""
    names = [board.name for board in stage.boards]
    assert len(set(names)) == len(names)
    standing = [name for row in stage.rows for name in row]
    assert len(set(standing)) == len(standing) and set(standing) == set(names)
    for board in stage.boards:
        assert board.values.ndim == 3 and board.values.dtype == np.float64, board.name
        assert board.title
        planes = board.values.shape[2]
        assert len(board.plane_names) in (0, planes), board.name
        if board.plane_grid:
            assert sorted(plane for row in board.plane_grid for plane in row) == list(range(planes))
        for mask in (board.own, board.marked):
            assert mask is None or mask.dtype == bool
        assert board.own is None or board.own.shape == board.values.shape[:2]
        assert board.marked is None or board.marked.shape == board.values.shape
        assert board.stands_for is None or stage.board(board.stands_for).values.shape == board.values.shape
        assert not board.shaded or board.role == "weight"
    for number, link in enumerate(stage.links):
        check_link(stage, link, number)
    for matrix in stage.matrices:
        trace = stage.links[matrix.link].trace
        shape = (trace.source.size, trace.target.size) if matrix.transposed else (trace.target.size, trace.source.size)
        assert stage.board(matrix.board).values.shape == (*shape, 1)
    check_steps(stage)
    for letter in stage.formula:
        for lit in letter.lights:
            assert all(0 <= cell < stage.board(lit.board).values.size for cell in lit.cells)
        assert letter.text and (letter.meaning or not letter.lights)
    assert {board.role for board in stage.boards} >= {"input", "output"}


def check_link(stage: Stage, link: Link, number: int) -> None:
    """Hold the trace of a link against its boards and against plain sums."""
    trace = link.trace
    np.testing.assert_array_equal(stage.board(link.source).values, trace.source)
    np.testing.assert_array_equal(stage.board(link.target).values, trace.target)
    if link.weights is not None:
        assert trace.weights is not None
        np.testing.assert_array_equal(stage.board(link.weights).values.reshape(-1), trace.weights.reshape(-1))
        used = trace.weight_cells >= 0
        np.testing.assert_array_equal(trace.factors[used], trace.weights.reshape(-1)[trace.weight_cells[used]])
    assert trace.starts[0] == 0 and trace.starts[-1] == len(trace.sources) and (np.diff(trace.starts) >= 0).all()
    own = stage.board(link.source).own
    assert (trace.own if own is None else trace.own == own).all()
    made = stage.board(link.target).own
    chance = np.random.default_rng(number)
    for cell in chance.permutation(trace.target.size)[:12].tolist():
        if made is not None and not made.flat[cell // trace.target.shape[-1]]:
            # Padding of the next link is none of this one's doing.
            assert trace.target.flat[cell] == 0 and trace.starts[cell] == trace.starts[cell + 1]
            continue
        start, stop = int(trace.starts[cell]), int(trace.starts[cell + 1])
        values = trace.source.reshape(-1)[trace.sources[start:stop]]
        products = [v * f for v, f in zip(values.tolist(), trace.factors[start:stop].tolist(), strict=True)]
        if trace.rule == "sum":
            expected = math.fsum(products)
        elif trace.rule == "l2":
            expected = math.sqrt(sum(value * value for value in values.tolist()))
        elif products:
            expected = max(products) if trace.rule == "max" else min(products)
            assert products[trace.decided[cell] - start] == expected
        else:
            continue
        if trace.bias is not None:
            expected += trace.bias[cell % trace.target.shape[-1]]
        assert trace.before.flat[cell] == pytest.approx(expected, rel=1e-9, abs=1e-7)
        if trace.activation == "linear":
            assert trace.target.flat[cell] == trace.before.flat[cell]
        elif trace.activation == "relu":
            assert trace.target.flat[cell] == max(trace.before.flat[cell], 0)


def check_steps(stage: Stage) -> None:
    """Hold the order of the animation against the link that it goes through."""
    trace = stage.links[stage.steps.link].trace
    order = stage.steps.order
    cells = trace.target.size if stage.steps.by == "target" else trace.source.size
    assert len(order) and len(set(order.tolist())) == len(order)
    assert order.min() >= 0 and order.max() < cells
    marks = [step for step, _ in stage.steps.marks]
    assert marks == sorted(set(marks)) and all(0 <= step < len(order) for step in marks)


def check_result(scene: Scene, settings: Settings, stage: Stage) -> None:
    """Hold result, facts and questions against each other."""
    makers = [link for link in stage.links if link.target == stage.result]
    assert makers
    hidden = stage.hidden_with_result()
    assert stage.result in hidden
    assert not {link.source for link in makers} & set(hidden)
    height, width, planes = stage.board(stage.result).values.shape
    possible = {(height, width), (height, width, planes), (width,), (width, planes)}
    if scene.name == "photo":
        # The stage shows one window of it, and the size asked for is that of the whole result.
        possible = {_sizes(settings)}
    sizes = [fact for fact in stage.facts if fact.ask == "size"]
    assert sizes and [fact for fact in stage.facts if fact.ask == "count"]
    assert tuple(int(part) for part in sizes[0].answer) in possible
    for kind in ("value", "size", "count"):
        for number in (0, 1, 7):
            asked = questions.question(stage, kind, number)
            answer = " x ".join(f"{part:.10g}" if kind == "value" else f"{part:.0f}" for part in asked.answer)
            assert questions.check(asked, answer).right, (asked, answer)
            far = 7 + 3 * math.ceil(asked.tolerance)
            assert not questions.check(asked, " x ".join(f"{part + far:.0f}" for part in asked.answer)).right


def _sizes(settings: Settings) -> tuple[int, ...]:
    """Return rows and columns of the result of a whole picture, counted window by window."""
    sizes = []
    for axis in (0, 1):
        n, k, s, d = PIXELS.shape[axis], *(settings[x][axis] for x in ("kernel_size", "strides", "dilation_rate"))
        last = n if settings["padding"] == "same" else n - d * (k - 1)
        sizes.append(len(range(0, last, s)))
    return tuple(sizes)


def check_exports(stage: Stage) -> None:
    """Hold what leaves the page against the stage."""
    message = stage_message(stage, (), {})
    assert len(message) <= 300_000
    lines = list(csv.reader(io.StringIO(export_csv.csv(stage))))
    assert len(lines) == 1 + sum(len(link.trace.sources) for link in stage.links)
    assert {len(line) for line in lines} == {len(export_csv.COLUMNS)}
    for step in (None, len(stage.steps.order) // 2):
        root = ElementTree.fromstring(stage_drawing.svg(stage, LIGHT, step=step))
        width = float(root.attrib["width"])
        for node in root.iter("{http://www.w3.org/2000/svg}rect"):
            assert float(node.attrib.get("x", 0)) + float(node.attrib["width"]) <= width + 0.5


def check_link_text(scene, settings, stage) -> None:
    """Hold that a link brings back these very settings, and stays short when every number was edited."""
    names = {control.name: control for control in scene.controls if control.kind == "grid"}
    edited = {board.name: own_values(board) for board in stage.boards if board.editable and board.name in names}
    chance = np.random.default_rng(1)
    grids = {
        name: convolution_settings.to_text(
            names[name], _six_digits(chance, values.shape[:2] if values.shape[2] == 1 else values.shape)
        )
        for name, values in edited.items()
    }
    others = {
        control.name: convolution_settings.to_text(control, settings[control.name])
        for control in scene.controls
        if control.kind != "grid" and settings[control.name] != control.default
    }
    link = urlencode({f"convolution_{name}": text for name, text in {**others, **grids}.items() if text})
    assert len(link) < 4000, (len(link), {name: values.shape for name, values in edited.items()})
    texts = {control.name: convolution_settings.to_text(control, settings[control.name]) for control in scene.controls}
    back = convolution_settings.choose(scene, "", texts, **given(scene))
    assert back.complaints == ()
    for control in scene.controls:
        value, again = settings[control.name], back.settings[control.name]
        if value is None or isinstance(value, np.ndarray):
            if value is not None:
                np.testing.assert_allclose(np.reshape(again, value.shape), value, rtol=1e-5, err_msg=control.name)
        elif not control.default and value == "":
            continue
        else:
            assert again == value, control.name


def _six_digits(chance: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.vectorize(lambda value: float(f"{value:.6g}"))(chance.normal(0, 100, shape))


@pytest.mark.parametrize(("scene", "preset"), CASES, ids=case_name)
def test_an_example_is_a_whole_stage(scene, preset):
    settings = scene.settings(preset, **given(scene))
    assert scene.impossible(settings) is None
    stage = scene.build(settings)
    check_stage(stage)
    check_result(scene, settings, stage)
    check_exports(stage)
    check_link_text(scene, settings, stage)


@pytest.mark.parametrize("scene", SCENES, ids=case_name)
def test_settings_by_chance_make_a_whole_stage(scene):
    for number, settings in enumerate(random_cases(scene)):
        try:
            stage = scene.build(settings)
            check_stage(stage)
            check_result(scene, settings, stage)
            check_exports(stage)
            check_link_text(scene, settings, stage)
        except Exception as error:
            shown = {name: value for name, value in settings.items() if name != "pixels"}
            raise AssertionError(f"settings {number} of {scene.name}: {shown}") from error


@pytest.mark.parametrize("scene", SCENES, ids=case_name)
def test_names_and_words_of_a_scene(scene):
    names = [control.name for control in scene.controls]
    assert len(set(names)) == len(names)
    assert all(control.label for control in scene.controls)
    first = scene.settings(**given(scene))
    main = [one for one in scene.controls if one.main and one.kind != "grid" and one.shown(first)]
    assert len(main) <= 7, "what stands in the row on a first visit"
    presets = [preset.name for preset in scene.presets]
    assert len(set(presets)) == len(presets)
    for preset in scene.presets:
        assert preset.title and set(preset.settings) <= set(names), preset.name
    assert scene.question.endswith("?") and scene.title and scene.background


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "preset"), CASES, ids=case_name)
def test_an_example_can_be_taken_along_as_pictures(scene, preset):
    stage = scene.build(scene.settings(preset, **given(scene)))
    assert Image.open(io.BytesIO(stage_drawing.png(stage, DARK, step=0, scale=1))).width > 300
    if preset not in (scene.presets[0].name, scene.presets[-1].name):
        return
    data = stage_drawing.gif(stage, LIGHT)
    assert len(data) <= 2_000_000
    assert 1 <= Image.open(io.BytesIO(data)).n_frames <= 120
