"""Pictures of a stage for slides: well-formed, safe, bounded, and with the stage's own numbers on them."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from explorer.convolution.scenes.growing import SCENE as GROWING
from explorer.convolution.stage import Fact, Letter, Steps
from explorer.interface.figures import drawing_pixels, stage_drawing
from explorer.interface.figures.drawing import contrast
from explorer.interface.figures.gif_file import GIF_END, gif_blocks
from explorer.interface.figures.shades import shades
from explorer.interface.figures.stage_look import look_at, look_so_far
from explorer.interface.theme import DARK, LIGHT, PALETTES
from tests.convolution.plain_stages import STAGES, lecture_stage, pool_stage, scatter_stage

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("theme", PALETTES)
def test_svg_is_well_formed_and_inside_its_frame(name, theme):
    stage = STAGES[name]()
    for step in (None, 0, len(stage.steps.order) - 1):
        root = ElementTree.fromstring(stage_drawing.svg(stage, PALETTES[theme], step=step))
        _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
        for node in root.iter(f"{SVG}rect"):
            x, y = float(node.attrib.get("x", 0)), float(node.attrib.get("y", 0))
            assert x >= 0 and y >= 0
            assert x + float(node.attrib["width"]) <= width + 0.5
            assert y + float(node.attrib["height"]) <= height + 0.5


def test_svg_holds_the_numbers_of_the_boards_as_text():
    stage = lecture_stage()
    shown = texts(stage_drawing.svg(stage, LIGHT))
    for number in ("32.5", "−105.5", "217.5", "−0.7", "255", "52.5"):
        assert number in shown
    assert "Input 6 × 6" in shown and "Output 4 × 4" in shown


def test_svg_writes_the_sum_of_a_step():
    shown = texts(stage_drawing.svg(lecture_stage(), LIGHT, step=0))
    assert any(line.startswith("255 × (−0.7) + 220 × 0.2") for line in shown)
    assert any(line.rstrip().endswith("= 32.5") for line in shown)
    assert "step 1 of 16" in shown


def test_svg_escapes_what_a_text_says():
    stage = lecture_stage()
    evil = '<script>alert("&")</script>\x00\x0b'
    stage = replace(
        stage,
        boards=tuple(replace(board, title=evil + board.title) for board in stage.boards),
        links=tuple(replace(link, words=evil) for link in stage.links),
        facts=(Fact(evil, evil),),
        formula=(Letter(evil, evil),),
    )
    svg = stage_drawing.svg(stage, LIGHT, step=0)
    root = ElementTree.fromstring(svg)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in svg
    assert stage_drawing.png(stage, LIGHT, step=0)


def test_a_lit_cell_has_the_shade_of_its_weight():
    root = ElementTree.fromstring(stage_drawing.svg(lecture_stage(), LIGHT, step=0))
    fills = [node.attrib["fill"] for node in root.iter(f"{SVG}rect")]
    for row in shades(3, 3):
        for colour in row:
            # Once in the kernel and once in the window.
            assert fills.count(colour) == 2, colour


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("name", STAGES)
def test_every_number_can_be_read(name, theme):
    palette = PALETTES[theme]
    stage = STAGES[name]()
    for step in (None, len(stage.steps.order) // 2):
        root = ElementTree.fromstring(stage_drawing.svg(stage, palette, step=step))
        children = list(root)
        for box, words in zip(children, children[1:], strict=False):
            if box.tag == f"{SVG}rect" and words.tag == f"{SVG}text" and words.attrib.get("text-anchor") == "middle":
                assert contrast(words.attrib["fill"], box.attrib["fill"]) >= 4.5
        for node in root.iter(f"{SVG}tspan"):
            assert contrast(node.attrib["fill"], palette.background) >= 4.5


def test_what_is_lit_is_what_the_trace_says():
    stage = lecture_stage()
    look = look_at(stage, 5)
    assert sorted(look.read["input"]) == [7, 8, 9, 13, 14, 15, 19, 20, 21]
    assert sorted(look.used["kernel"]) == list(range(9))
    assert look.made == {"output": {5}}


def test_what_comes_later_is_not_known_yet():
    look = look_so_far(lecture_stage(), 5)
    assert look.known["output"].tolist() == [True] * 6 + [False] * 10
    assert look.known["activated"].tolist() == [True] * 6 + [False] * 10
    # The first pool reads cells 0, 1, 4 and 5; the second needs 2, 3, 6 and 7.
    assert look.known["pooled"].tolist() == [True, False, False, False]
    assert look_so_far(lecture_stage(), 15).known["pooled"].all()


def test_stamps_add_up_to_the_output():
    stage = scatter_stage()
    first = look_so_far(stage, 0).partial["output"].reshape(7, 7)
    assert first[:3, :3].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]] and first.sum() == 16
    last = look_so_far(stage, 8).partial["output"].reshape(7, 7, 1)
    np.testing.assert_array_equal(last, stage.board("output").values)


def test_a_stack_lights_all_that_a_cell_sees():
    stage = STAGES["stack"]()
    look = look_at(stage, 15)
    board = stage.board("input")
    own = sorted(cell + board.first[1] for cell in look.read["input"])
    # Four causal layers, dilations 1, 2, 4, 8: sixteen steps back from step 15.
    assert own == list(range(0, 16))


@pytest.mark.parametrize("name", STAGES)
def test_png_opens_and_has_the_background_of_its_theme(name):
    stage = STAGES[name]()
    for palette in PALETTES.values():
        image = Image.open(io.BytesIO(stage_drawing.png(stage, palette, step=0, scale=1)))
        assert "#{:02X}{:02X}{:02X}".format(*image.convert("RGB").getpixel((0, 0))) == palette.background
        assert image.width * image.height <= 16_000_000


def test_a_huge_scale_is_bounded():
    image = Image.open(io.BytesIO(stage_drawing.png(lecture_stage(), LIGHT, scale=500)))
    assert image.width * image.height <= 16_100_000


@pytest.mark.parametrize("name", STAGES)
def test_gif_is_bounded_and_ends_with_the_whole_output(name):
    stage = STAGES[name]()
    start = time.perf_counter()
    data = stage_drawing.gif(stage, DARK)
    taken = time.perf_counter() - start
    image = Image.open(io.BytesIO(data))
    print(f"{name}: {image.n_frames} frames, {len(data):,} bytes, {taken:.2f} s, {image.width} × {image.height}")
    assert len(data) <= 2_000_000
    assert image.n_frames <= 120 and image.n_frames == min(len(stage.steps.order), image.n_frames)
    assert image.width * image.height <= 910_000
    assert taken < 30


def test_frames_of_the_gif_are_the_drawing_at_each_step():
    stage = pool_stage("max")
    image = Image.open(io.BytesIO(stage_drawing.gif(stage, LIGHT)))
    assert image.n_frames == 4
    seen = []
    for number in range(4):
        image.seek(number)
        seen.append(np.asarray(image.convert("RGB")).astype(int))
    still = Image.open(io.BytesIO(stage_drawing.png(stage, LIGHT, step=3, scale=1.5))).convert("RGB")
    assert still.size == image.size
    # Colours of a GIF are few: letters' edges differ, nothing else does.
    assert np.abs(np.asarray(still).astype(int) - seen[-1]).mean() < 1.5
    assert all((one != other).any() for one, other in zip(seen, seen[1:], strict=False))


def test_gif_file_shows_each_frame_for_its_time():
    table = Image.new("P", (1, 1))
    table.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    frames = [Image.fromarray(np.full((4, 6), number, np.uint8)) for number in (0, 1, 1, 2)]
    frames[3].putpixel((0, 0), 1)
    image = Image.open(io.BytesIO(b"".join(gif_blocks(frames, table, [0.1, 0.2, 0.3, 2])) + GIF_END))
    assert image.n_frames == 4 and image.info["loop"] == 0
    shown = []
    for number in range(4):
        image.seek(number)
        shown.append(
            (image.info["duration"], image.convert("RGB").getpixel((3, 3)), image.convert("RGB").getpixel((0, 0)))
        )
    red, green = (255, 0, 0), (0, 255, 0)
    assert shown == [(100, (0, 0, 0), (0, 0, 0)), (200, red, red), (300, red, red), (2000, green, red)]


def test_a_stage_without_steps_is_drawn():
    stage = replace(lecture_stage(), steps=Steps(0, "target", np.zeros(0, np.int32)))
    assert Image.open(io.BytesIO(stage_drawing.gif(stage, LIGHT))).n_frames == 1
    assert stage_drawing.svg(stage, LIGHT, step=3)


def test_pictures_do_without_the_font_of_the_page(monkeypatch):
    drawing_pixels._font.cache_clear()
    drawing_pixels._text_mask.cache_clear()
    drawing_pixels.text_width.cache_clear()
    drawing_pixels._drawable.cache_clear()
    drawing_pixels._has.cache_clear()
    monkeypatch.setattr(drawing_pixels, "_font_file", lambda: None)
    try:
        assert drawing_pixels._drawable("−3 × ⌊x⌋ · Σᵢ²").isascii()
        assert stage_drawing.png(lecture_stage(), LIGHT, step=0)
    finally:
        for cached in ("_font", "_text_mask", "text_width", "_drawable", "_has"):
            getattr(drawing_pixels, cached).cache_clear()


def test_layers_behind_a_stride_stand_below_what_they_see():
    stage = GROWING.build(GROWING.settings("vgg_start"))
    place = stage_drawing._laid_out(stage, LIGHT).places
    for link in stage.links:
        trace = link.trace
        for cell in range(trace.target.size):
            sources = trace.sources[trace.starts[cell] : trace.starts[cell + 1]].tolist()
            if sources:
                middles = [place[link.source].middle(source)[0] for source in sources]
                assert place[link.target].middle(cell)[0] == pytest.approx((min(middles) + max(middles)) / 2, abs=0.1)
