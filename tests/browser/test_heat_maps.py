"""The heat maps by hand, in an app of their own: colours are Python's, hovering and painting ask no server."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.explanations import colouring
from explorer.interface.components.heat_maps import mask_code, mask_from_code
from explorer.interface.figures.heat_scales import coloured
from explorer.interface.numbers import value_text
from tests.app_server import AppServer
from tests.browser.conftest import overflow_pixels, wait_until_idle
from tests.browser.plain_maps import CASES, SIDE


@pytest.fixture(scope="module")
def maps_url(chromium):
    with AppServer(Path(__file__).with_name("heat_maps_app.py")) as server:
        yield server.url


@pytest.fixture
def show(visitor, maps_url):
    """Open a case: `show("five", width=390, painting="1")`."""

    def go(case="five", *, width=1440, theme="light", touch=False, **parameters):
        query = "&".join(f"{name}={value}" for name, value in {"case": case, **parameters}.items())
        page = visitor(f"{maps_url}/?{query}", width=width, theme=theme, has_touch=touch)
        view(page).wait_for()
        wait_until_idle(page)
        return page

    return go


def view(page):
    return page.locator(".st-key-heat_maps .view")


def frame(page, name, row=0):
    """The picture of a map; the row's own picture for an empty name."""
    return view(page).locator(f'.tile[data-id="{row} {name}"] .frame')


def pixels(page, name, row=0):
    """What a map's canvas shows, uint8 (h, w, 4)."""
    canvas = frame(page, name, row).locator("canvas.heat")
    height, width, text = canvas.evaluate(
        """canvas => { const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            let text = '';
            for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
            return [height, width, btoa(text)]; }"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)


def readings(page):
    """The printed value of each map under the crosshair."""
    tiles = view(page).locator(".tile.map:not(.empty)")
    return dict(
        zip(
            tiles.evaluate_all("tiles => tiles.map(tile => tile.dataset.id.split(' ')[1])"),
            tiles.locator(".value").all_inner_texts(),
            strict=True,
        )
    )


def count_messages(page):
    page.evaluate(
        """() => { window.sent = 0; const plain = WebSocket.prototype.send;
            WebSocket.prototype.send = function (data) { window.sent += 1; return plain.call(this, data); }; }"""
    )


@pytest.mark.slow
@pytest.mark.parametrize("case", ["five", "odd"])
def test_the_browser_colours_as_python_does_under_every_rule(show, case):
    page = show(case)
    maps = [one for one in CASES[case]()[0][2] if one.values is not None]
    for rule in ("highest", "clipped", "lowest"):
        view(page).locator(".rules").select_option(rule)
        for one in maps:
            shown = pixels(page, one.name)
            np.testing.assert_array_equal(shown[..., :3], coloured(one.values, one.signed, rule), err_msg=one.name)
            assert (shown[..., 3] == 255).all()


@pytest.mark.slow
def test_a_shared_scale_holds_for_all_rows_and_a_threshold_leaves_places_bare(show):
    page = show("two")
    first, second = CASES["two"]()[0][2][0], CASES["two"]()[1][2][0]
    view(page).locator(".rules").select_option("shared")
    np.testing.assert_array_equal(
        pixels(page, second.name, row=1)[..., :3], colouring.coloured(second.values, False, float(first.values.max()))
    )
    view(page).locator(".threshold input").fill("30")
    bare = pixels(page, second.name, row=1)[..., 3] == 0
    np.testing.assert_array_equal(bare, second.values < 0.3 * second.values.max())


@pytest.mark.slow
def test_one_place_is_read_in_all_maps_by_pointer_and_keys_without_the_server(show):
    page = show("two")
    count_messages(page)
    here = frame(page, "grad_cam")
    box = here.bounding_box()
    page.mouse.move(box["x"] + 0.501 * box["width"], box["y"] + 0.25 * box["height"])
    expect(view(page)).to_have_attribute("data-probe", "24,48")
    first, second = (rows[2] for rows in CASES["two"]())
    assert readings(page)["saliency"] == value_text(float(second[1].values[24, 48]))
    here.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(view(page)).to_have_attribute("data-probe", "34,49")
    texts = view(page).locator(".tile.map .value").all_inner_texts()
    assert texts == [value_text(float(one.values[34, 49])) for one in (*first, *second)]
    expect(view(page).locator(".said")).to_contain_text("Row 35, column 50: Grad-CAM ")
    view(page).locator(".opacity input").fill("25")
    view(page).get_by_role("button", name="Map alone").click()
    assert page.evaluate("window.sent") == 0


@pytest.mark.slow
def test_a_click_pins_the_place_and_a_tap_reads_it(show):
    page = show("five", width=390, touch=True)
    target = frame(page, "occlusion")
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    target.tap(position={"x": box["width"] * 0.755, "y": box["height"] * 0.505})
    expect(view(page)).to_have_attribute("data-probe", f"{int(0.505 * SIDE)},{int(0.755 * SIDE)}")
    expect(view(page).locator(".where")).to_contain_text("pinned")
    page.keyboard.press("Escape")
    expect(view(page).locator(".where")).not_to_contain_text("pinned")


@pytest.mark.slow
def test_what_is_no_ordinary_map_says_so(show):
    page = show("odd")
    tile = lambda name: view(page).locator(f'.tile[data-id="0 {name}"]')  # noqa: E731
    expect(tile("zero").locator(".words")).to_have_text("zero everywhere")
    expect(tile("constant").locator(".words")).to_have_text("a constant map: 0.25 everywhere")
    expect(tile("holes").locator(".words")).to_contain_text("12 of 9216 places are not finite")
    expect(tile("score_cam").locator(".frame")).to_contain_text("choose an earlier layer")
    assert len(np.unique(pixels(page, "constant").reshape(-1, 4), axis=0)) == 1
    assert (pixels(page, "holes")[10:14, 20:23, :3] == colouring.NOT_A_NUMBER_RGB).all()


def test_a_painting_is_sent_once_when_it_is_done_and_outlined_over_the_maps(show):
    page = show("five", painting="1")
    count_messages(page)
    view(page).get_by_role("button", name="Paint a guess").click()
    easel = view(page).locator(".easel")
    expect(view(page).locator(".rows")).to_be_hidden()
    view(page).locator(".size input").fill("1")
    box = easel.bounding_box()
    cell = box["width"] / 24
    page.mouse.move(box["x"] + 3.5 * cell, box["y"] + 5.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 9.5 * cell, box["y"] + 5.5 * cell)
    page.mouse.up()
    # The brush stands where the mouse left it: the keys go on from there, and take one cell back.
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("e")
    page.keyboard.press("Space")
    wanted = np.zeros((24, 24), bool)
    wanted[5, 3:10] = True
    assert page.evaluate("window.sent") == 0
    view(page).get_by_role("button", name="Done").click()
    expect(page.get_by_text("painted: 7 cells")).to_be_visible()
    wait_until_idle(page)
    code = view(page).get_attribute("data-mask")
    assert code == mask_code(wanted)
    np.testing.assert_array_equal(mask_from_code(code), wanted)
    assert view(page).locator(".tile .marks.by-hand").count() == 6
    outline = frame(page, "grad_cam").locator(".marks.by-hand path").first
    assert outline.get_attribute("d") == "M3 5H10M3 6H10M3 5V6M10 5V6"


def test_a_map_is_chosen_by_its_title(show):
    page = show("two")
    title = view(page).locator('.tile[data-id="1 saliency"]').get_by_role("button", name="Gradient", exact=True)
    title.click()
    expect(page.get_by_text("chosen: (1, 'saliency')")).to_be_visible()
    expect(title).to_have_attribute("aria-pressed", "true")
    enlarge = view(page).get_by_role("button", name="Enlarge Gradient").first
    before = frame(page, "saliency").bounding_box()["width"]
    enlarge.click()
    assert frame(page, "saliency").bounding_box()["width"] > 1.9 * before


@pytest.mark.slow
@pytest.mark.parametrize(("case", "width", "theme"), [("odd", 1440, "dark"), ("five", 390, "light")])
def test_axe_and_width(show, case, width, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = show(case, width=width, theme=theme, painting="1")
    frame(page, "").focus()
    page.keyboard.press("ArrowRight")
    for state in ("maps", "painting"):
        if state == "painting":
            view(page).get_by_role("button", name="Paint a guess").click()
        assert overflow_pixels(page) <= 0
        found = axe.Axe().run(page, {"include": [[".st-key-heat_maps"]]}).response["violations"]
        assert not [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
