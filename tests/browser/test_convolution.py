"""The convolution page by hand: every scene, every example of the lectures, links, questions, hostile visitors."""

from __future__ import annotations

import io
import itertools
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer.convolution.scenes.table import SCENES, scene
from explorer.convolution.settings import to_text
from tests.browser.conftest import overflow_pixels, wait_until_idle
from tests.convolution.lecture_presets import EXPECTED
from tests.convolution.lecture_presets_sequences import EXPECTED as EXPECTED_SEQUENCES

# Streamlit's own list of pages puts headings between its items, which the app cannot change.
SIDEBAR_ASIDE = {"exclude": [["[data-testid=stSidebarNav]"]]}
NAMES = [one.name for one in SCENES]
ALL_EXPECTED = {**EXPECTED, **EXPECTED_SEQUENCES}


@pytest.fixture
def tab(visitor, app_url):
    """A tab that goes to a link of the page: `tab(scene="pooling", theme="dark")`; each link is a new session."""
    pages = []

    def go(*, width=1440, theme="light", hide="", **parameters):
        query = {f"convolution_{name}": value for name, value in parameters.items()} | ({"hide": hide} if hide else {})
        address = f"{app_url}/convolution?{urlencode(query)}"
        if pages:
            page = pages[0]
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.goto(address)
        else:
            page = visitor(address, width=width, theme=theme, reduced_motion="reduce")
            pages.append(page)
        stage(page).wait_for()
        wait_until_idle(page)
        return page

    return go


def stage(page):
    return page.locator(".st-key-convolution_stage .stage")


def board(page, name):
    return stage(page).locator(f'.board[data-board="{name}"]')


def numbers(page, name):
    """What the cells of a board say, in the order of their numbers (planes stand beside each other on screen)."""
    found = board(page, name).locator(".cell").evaluate_all("cells => cells.map(c => [+c.dataset.cell, c.textContent])")
    texts = [text for _, text in sorted(found)]
    return [float(text.strip().replace("−", "-")) for text in texts if text.strip()]


def own_numbers(page, name):
    """The same without padding."""
    texts = board(page, name).locator(".cell:not(.ring)").all_text_contents()
    return [float(text.strip().replace("−", "-")) for text in texts if text.strip()]


def set_control(page, name, text):
    field = page.locator(f'.st-key-convolution_strip [data-control="{name}"] input')
    field.fill(text)
    field.press("Enter")


class Frames(list):
    """The messages that a page sends to its server."""


def count_frames(page):
    """Begin to count what the page sends from now on (the socket is open already, so it is reached in the page)."""
    page.evaluate(
        """() => {
            window.sentFrames = 0;
            if (!WebSocket.prototype.plainSend) {
                WebSocket.prototype.plainSend = WebSocket.prototype.send;
                WebSocket.prototype.send = function (data) { window.sentFrames += 1; return this.plainSend(data); };
            }
        }"""
    )


def frames(page):
    return page.evaluate("() => window.sentFrames")


def value_of_sum(page):
    # What follows behind an arrow is the activation's.
    text = stage(page).locator(".sum").inner_text().split("→")[0]
    found = re.findall(r"[-−]?\d[\d,.]*(?:e[-−+]?\d+)?", text.replace("\u00a0", " "))
    assert found, text
    return float(found[-1].replace("−", "-"))


def assert_shows(page, expected, words, seconds=20):
    """Hold the numbers on boards against a table; what has just been chosen may still be on its way."""
    for last in [False] * (10 * seconds) + [True]:
        try:
            for name, rows in expected.items():
                truth = np.asarray(rows, dtype=np.float64).ravel()
                np.testing.assert_allclose(own_numbers(page, name), truth, rtol=1e-3, atol=1e-9, err_msg=words)
            return
        except AssertionError:
            if last:
                raise
            page.wait_for_timeout(100)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({name for name, _ in ALL_EXPECTED}))
def test_every_example_of_the_lectures_shows_its_numbers_by_a_link_or_by_choice(tab, name):
    titles = {preset.name: preset.title for preset in scene(name).presets}
    first, *others = sorted(preset for scene_name, preset in ALL_EXPECTED if scene_name == name)
    page = tab(scene=name, preset=first)
    assert_shows(page, ALL_EXPECTED[name, first], first)
    for preset in others:
        page.get_by_role("combobox", name="Example").fill(titles[preset])
        page.get_by_role("option", name=titles[preset], exact=True).click()
        assert_shows(page, ALL_EXPECTED[name, preset], preset)
        wait_until_idle(page)
    # Nothing is left of the others but the numbers of the last.
    page.reload()
    stage(page).wait_for()
    assert_shows(page, ALL_EXPECTED[name, (others or [first])[-1]], "by the link of a choice")


def looked_at(page):
    """The board and cell that is looked at, and what the cell says."""
    board_name, number = stage(page).get_attribute("data-looking").split(":")
    text = board(page, board_name).locator(f'.cell[data-cell="{number}"]').text_content().strip()
    return board_name, int(number), float(text.replace("−", "-"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_in_every_scene_step_hover_keys_and_touch_show_the_sum_without_the_server(visitor, app_url, name):
    page = visitor(f"{app_url}/convolution?convolution_scene={name}", has_touch=True, reduced_motion="reduce")
    stage(page).wait_for()
    # Until the worker is there, the sidebar asks for it.
    page.get_by_text("Computes on").wait_for()
    wait_until_idle(page)
    count_frames(page)
    for _ in range(3):
        stage(page).get_by_role("button", name="Step forward").click()
    expect(stage(page)).to_have_attribute("data-step", "3")
    now = stage(page).locator(".cell.now").first
    if "output" in now.evaluate("cell => cell.closest('.board').dataset.board"):
        shown = float(now.text_content().strip().replace("−", "-"))
        np.testing.assert_allclose(value_of_sum(page), shown, rtol=2e-3, atol=1e-3)
    cell = board(page, "output").locator(".cell").first
    cell.scroll_into_view_if_needed()
    cell.hover()
    expect(stage(page)).to_have_attribute("data-looking", "output:0")
    np.testing.assert_allclose(value_of_sum(page), looked_at(page)[2], rtol=2e-3, atol=1e-3)
    # The keyboard goes on from there.
    page.mouse.move(0, 0)
    cell.focus()
    key = "ArrowDown" if board(page, "output").locator(".cell").count() == 1 else "ArrowRight"
    page.keyboard.press(key)
    expect(stage(page)).to_have_attribute("data-looking", re.compile("^output:"))
    np.testing.assert_allclose(value_of_sum(page), looked_at(page)[2], rtol=2e-3, atol=1e-3)
    page.keyboard.press("Escape")
    # A finger looks with its first tap.
    last = board(page, "output").locator(".cell").last
    last.tap()
    expect(stage(page)).to_have_attribute("data-looking", re.compile("^output:"))
    np.testing.assert_allclose(value_of_sum(page), looked_at(page)[2], rtol=2e-3, atol=1e-3)
    page.wait_for_timeout(200)
    assert frames(page) == 0


# Every scene once, each width and theme with several scenes, whose boards have them in common.
LOOKS = dict(zip(NAMES, itertools.cycle([(1440, "light"), (390, "dark")]), strict=False))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_scene_is_accessible_and_no_wider_than_the_window(tab, name):
    from axe_playwright_python.sync_playwright import Axe

    width, theme = LOOKS[name]
    page = tab(scene=name, theme=theme, width=width)
    assert overflow_pixels(page) <= 0
    ours = [
        (one["id"], node["target"], node["failureSummary"])
        for one in Axe().run(page, SIDEBAR_ASIDE).response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
    assert not ours, ours
    page.set_viewport_size({"width": 390, "height": 900})
    # Charts take their new width a moment later.
    page.wait_for_function(
        """() => { const main = document.querySelector('[data-testid=stMain]');
            return main.clientWidth <= 390 && main.scrollWidth <= main.clientWidth; }""",
        timeout=20_000,
    )
    assert overflow_pixels(page) <= 0


def hostile(name):
    texts = itertools.cycle(["NaN", "<script>alert(1)</script>", "1e99", "z" + "A" * 300, "٣x−1", "--2"])
    return {control.name: next(texts) for control in scene(name).controls}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_link_gives_the_default_and_a_sentence(tab, name):
    page = tab(scene=name, preset="no-such", cell="-7", question="1e9", **hostile(name))
    assert page.get_by_text("stopped with an error").count() == 0
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    chosen = scene(name)
    if name != "photo":
        truth = chosen.build(chosen.settings()).board(chosen.build(chosen.settings()).result).values
        np.testing.assert_allclose(numbers(page, chosen.build(chosen.settings()).result), truth.ravel(), rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_class_predicts_first_through_a_link(tab, name):
    # What is hidden hangs on the scene; the other questions are asked in the same box.
    for kind in ("value", "size", "count") if name == "convolution" else ("value",):
        page = tab(scene=name, predict=kind)
        box = page.locator(".st-key-convolution_predict_box")
        expect(box).to_be_visible()
        if kind == "value":
            assert "?" in board(page, "output").locator(".cell").all_text_contents()
            assert "Show the code" not in page.locator(".st-key-convolution_take_along").inner_text()
        box.get_by_label("Your answer").fill("no idea")
        box.get_by_role("button", name="Check").click()
        expect(box.get_by_test_id("stAlert")).to_be_visible()
        assert "wrong" not in box.inner_text(), "what is no answer counts as none"
        chosen = scene(name)
        sizes = {} if name == "photo" else {fact.ask: fact.answer for fact in chosen.build(chosen.settings()).facts}
        wrong = " x ".join(["97"] * len(sizes.get("size", (0, 0))))
        box.get_by_label("Your answer").fill("-987654" if kind != "size" else wrong)
        box.get_by_role("button", name="Check").click()
        expect(box.get_by_text("0 right, 1 wrong")).to_be_visible()
        wait_until_idle(page)
        assert "?" not in board(page, "output").locator(".cell").all_text_contents()


@pytest.mark.slow
def test_a_right_answer_counts_as_right_and_the_next_question_is_another(tab):
    page = tab(scene="convolution", predict="size")
    box = page.locator(".st-key-convolution_predict_box")
    box.get_by_label("Your answer").fill("4 x 4")
    box.get_by_role("button", name="Check").click()
    expect(box.get_by_text("1 right, 0 wrong")).to_be_visible()
    box.get_by_role("button", name="Next question").click()
    expect(box.get_by_label("Your answer")).to_have_value("")
    wait_until_idle(page)
    assert "convolution_question=1" in page.url


@pytest.mark.slow
def test_an_impossible_value_gets_the_sentence_why_and_nothing_is_lost(tab):
    page = tab(size="8", kernel_size="5")
    before = numbers(page, "output")
    set_control(page, "dilation_rate", "3")
    expect(page.locator(".st-key-convolution_strip .complaint")).to_contain_text("spans 13 cells; the input has 8")
    wait_until_idle(page)
    assert numbers(page, "output") == before
    assert "dilation_rate" not in page.url


@pytest.mark.slow
def test_buttons_reach_only_possible_settings(tab):
    page = tab(preset="lecture_6x6")
    strip = page.locator(".st-key-convolution_strip")
    for _ in range(8):
        more = strip.locator('[data-control="kernel_size"] [data-way=more]')
        if more.get_attribute("aria-disabled") == "true":
            break
        before = strip.locator('[data-control="kernel_size"] input').input_value()
        more.click()
        expect(strip.locator('[data-control="kernel_size"] input')).not_to_have_value(before)
        wait_until_idle(page)
    assert strip.locator('[data-control="kernel_size"] input').input_value() == "6"
    assert board(page, "output").locator(".cell").count() == 1
    more.click(force=True)  # it is no `disabled` button: it says why
    expect(strip.locator(".complaint")).to_contain_text("the input has 6")


@pytest.mark.slow
def test_edited_numbers_travel_in_the_link(tab):
    page = tab(preset="lecture_6x6")
    cell = board(page, "input").locator(".cell:not(.ring)").first
    cell.dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type("1000")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("convolution_input="))
    wait_until_idle(page)
    truth = 32.5 + (1000 - 255) * -0.7
    np.testing.assert_allclose(numbers(page, "output")[0], truth, rtol=1e-3)
    assert len(page.url) < 4000
    page.reload()
    stage(page).wait_for()
    wait_until_idle(page)
    np.testing.assert_allclose(numbers(page, "output")[0], truth, rtol=1e-3)


@pytest.mark.slow
def test_the_largest_grid_with_arbitrary_numbers_fits_in_four_kilobytes_of_link(tab):
    random = np.random.default_rng(7)
    chosen = scene("convolution")
    grids = {
        "input": to_text(chosen.control("input"), random.normal(0, 100, (16, 16)).round(3)),
        "kernel": to_text(chosen.control("kernel"), random.normal(0, 1, (7, 7)).round(5)),
    }
    page = tab(size="16", kernel_size="7", padding="same", **grids)
    assert len(page.url) < 4096
    assert board(page, "output").locator(".cell").count() == 256


def open_scene(page, name):
    page.get_by_test_id("stMain").get_by_role("radio", name=scene(name).title, exact=True).or_(
        page.get_by_test_id("stMain").get_by_role("button", name=scene(name).title, exact=True)
    ).first.click()


@pytest.mark.slow
def test_scenes_keep_what_was_set_while_one_looks_at_another(tab):
    page = tab(preset="stride_2")
    set_control(page, "strides", "1")
    expect(board(page, "output").locator(".cell")).to_have_count(25)
    open_scene(page, "pooling")
    page.wait_for_url(re.compile("convolution_scene=pooling"))
    wait_until_idle(page)
    assert "convolution_strides" not in parse_qs(urlsplit(page.url).query)
    open_scene(page, "convolution")
    expect(board(page, "output").locator(".cell")).to_have_count(25)


@pytest.mark.slow
def test_a_link_hides_controls_and_still_sets_them(tab):
    page = tab(preset="lecture_6x6", strides="3", hide="settings,scene,preset")
    assert not page.locator(".st-key-convolution_strip").is_visible()
    assert not page.get_by_role("combobox", name="Example").is_visible()
    assert page.get_by_role("radio", name="Pooling").or_(
        page.get_by_role("button", name="Pooling")
    ).count() == 0 or not (
        page.get_by_role("radio", name="Pooling").or_(page.get_by_role("button", name="Pooling")).first.is_visible()
    )
    assert board(page, "output").locator(".cell").count() == 4
    one = tab(hide="strides")
    assert one.locator('.st-key-convolution_strip [data-control="strides"]').count() == 0
    assert one.locator('.st-key-convolution_strip [data-control="padding"]').is_visible()


@pytest.mark.slow
def test_two_visitors_interleave_and_keep_their_own(visitor, app_url):
    one, two = (
        visitor(f"{app_url}/convolution?convolution_preset={preset}", reduced_motion="reduce")
        for preset in ("lecture_6x6", "vertical_edge")
    )
    for page in (one, two):
        stage(page).wait_for()
    set_control(one, "strides", "3")
    set_control(two, "kernel_size", "2")
    expect(board(one, "output").locator(".cell")).to_have_count(4)
    expect(board(two, "output").locator(".cell")).to_have_count(25)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["convolution", "one_dimension"])
def test_a_scene_can_be_taken_along(tab, name):
    page = tab(scene=name)
    page.get_by_role("button", name="Download", exact=True).click()
    for label, first in (("Animated GIF", b"GIF8"), ("SVG", b"<"), ("PNG", b"\x89PNG"), ("Every step as CSV", None)):
        with page.expect_download() as started:
            page.get_by_role("button", name=label, exact=True).click()
        content = Path(started.value.path()).read_bytes()
        assert len(content) > 200
        if first is not None:
            assert content.startswith(first)
        if label in ("Animated GIF", "PNG"):
            assert Image.open(io.BytesIO(content)).width >= 300
