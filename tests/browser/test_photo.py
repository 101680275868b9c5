"""The picture under a kernel, in Chromium: the pointer is answered without the server, with the server's numbers."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.convolution import fft
from explorer.convolution.scenes import photo
from tests.browser.conftest import overflow_pixels, wait_until_idle

FRAME = '.frame[data-board="{}"]'


@pytest.fixture
def open_photo(visitor, app_url):
    """Open the scene: `open_photo(preset="sobel_x", width=390)`; `page.received` holds the sizes of what came."""

    def go(*, width=1440, theme="light", touch=False, **parameters):
        query = {f"convolution_{name}": value for name, value in {"scene": "photo", **parameters}.items()}
        page = visitor(f"{app_url}/convolution?{urlencode(query)}", width=width, theme=theme, has_touch=touch)
        drawn(page)
        return page

    return go


def view(page):
    return page.locator(".st-key-convolution_photo .view")


def drawn(page):
    wait_until_idle(page)
    page.wait_for_function(
        """() => { const host = document.querySelector('.st-key-convolution_photo');
            const find = (node) => { for (const one of node.querySelectorAll('*')) {
                if (one.classList.contains('view') && one.dataset.drawn && one.dataset.drawn === one.dataset.shown)
                    return true;
                if (one.shadowRoot && find(one.shadowRoot)) return true; } return false; };
            return host && find(host); }"""
    )


def pixels(page, name):
    """What a canvas shows, uint8 (h, w, 3)."""
    raw = page.locator(".st-key-convolution_photo " + FRAME.format(name) + " canvas").evaluate(
        """canvas => { const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return [data.height, data.width, Array.from(data.data)]; }"""
    )
    return np.array(raw[2], dtype=np.uint8).reshape(raw[0], raw[1], 4)[..., :3]


def probe(page):
    row, column = view(page).get_attribute("data-probe").split(",")
    return int(row), int(column)


def sums(page):
    return json.loads(view(page).get_attribute("data-sums"))


def count_frames(page):
    page.evaluate(
        """() => { window.sentFrames = 0; const plain = WebSocket.prototype.send;
            WebSocket.prototype.send = function (data) { window.sentFrames += 1; return plain.call(this, data); }; }"""
    )


SEEN = {}


@pytest.fixture
def picture(open_photo):
    """The picture as the page shows it, uint8 (h, w, 3); the page is opened for the first test alone."""
    if not SEEN:
        # An identity kernel shows the pixels themselves.
        SEEN["picture"] = pixels(open_photo(preset="identity", kernel_size="1"), "result")
    return SEEN["picture"]


@pytest.mark.slow
@pytest.mark.parametrize("changed", [
    {"preset": "sharpen"},
    {"preset": "sobel_x", "strides": "2x3", "dilation_rate": "2", "padding": "same"},
    {"preset": "box_blur", "kernel_size": "4x7", "padding": "same"},
])  # fmt: skip
def test_the_browser_computes_what_python_computes(open_photo, picture, changed):
    page = open_photo(**changed)
    texts = {name: text for name, text in changed.items() if name != "preset"}
    settings = photo.SCENE.settings(changed["preset"], pixels=picture)
    for name, text in texts.items():
        parts = tuple(int(part) for part in text.split("x")) if text[0].isdigit() else text
        settings[name] = parts * 2 if isinstance(parts, tuple) and len(parts) == 1 else parts
    arguments = {name: settings[name] for name in ("strides", "padding", "dilation_rate")}
    truth = fft.direct(photo.pixels_of(settings).astype(float), photo.kernel_of(settings), **arguments)
    shown = pixels(page, "result")
    assert shown.shape[:2] == truth.shape[:2]
    if settings["colour"]:
        np.testing.assert_allclose(shown, np.clip(truth, 0, 255), atol=0.51)
    row, column = probe(page)
    np.testing.assert_allclose(sums(page), truth[row, column], atol=1e-9)


@pytest.mark.slow
def test_pointing_and_keys_answer_without_the_server(open_photo):
    page = open_photo(preset="sobel_x")
    count_frames(page)
    source, result = (view(page).locator(FRAME.format(name)) for name in ("picture", "result"))
    box = source.bounding_box()
    for step in range(20):
        page.mouse.move(box["x"] + 20 + 9 * step, box["y"] + 40 + 5 * step)
    first = probe(page)
    assert "row" in view(page).locator(".where").inner_text()
    result.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert probe(page) == (first[0] + 10, first[1] + 1)
    expect(view(page).locator(".sum")).to_contain_text("sum of 9 products = ")
    assert page.evaluate("window.sentFrames") == 0


@pytest.mark.slow
def test_enter_pins_the_pixel_for_the_stage_below_and_the_link(open_photo):
    page = open_photo(preset="edge_1")
    frame = view(page).locator(FRAME.format("result"))
    frame.focus()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    row, column = probe(page)
    here = sums(page)[0]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**convolution_row={row}**")
    wait_until_idle(page)
    assert f"convolution_column={column}" in page.url
    stage = page.locator(".st-key-convolution_stage .stage")
    expect(stage.locator('.board[data-board="output"]')).to_contain_text(f"row {row + 1}, column {column + 1}")
    marked = stage.locator('.board[data-board="output"] .cell.marked')
    assert float(marked.inner_text().replace("−", "-")) == pytest.approx(here)


@pytest.mark.slow
def test_a_new_kernel_does_not_bring_the_pixels_again(open_photo, app_url):
    page = open_photo(preset="edge_1")
    received: list[int] = []

    def watch(socket):
        socket.on("framereceived", lambda data: received.append(len(data or b"")))

    page.on("websocket", watch)
    page.goto(f"{app_url}/convolution?convolution_scene=photo&convolution_preset=edge_1")
    drawn(page)
    page.remove_listener("websocket", watch)
    pixels_message = max(received)
    received.clear()
    before = view(page).get_attribute("data-shown")
    page.locator(".st-key-convolution_strip").get_by_role("button", name="Gabor").click()
    expect(view(page)).not_to_have_attribute("data-shown", before)
    drawn(page)
    assert pixels_message > 200_000
    assert max(received) < pixels_message / 2, max(received)


@pytest.mark.slow
def test_a_tap_pins(open_photo):
    page = open_photo(preset="box_blur", width=390, touch=True)
    frame = view(page).locator(FRAME.format("picture"))
    frame.scroll_into_view_if_needed()
    frame.tap(position={"x": 60, "y": 90})
    page.wait_for_url("**convolution_row=**")
    wait_until_idle(page)
    box = frame.bounding_box()
    row, column = probe(page)
    size = pixels(page, "picture").shape
    assert row == pytest.approx(90 / box["height"] * size[0] - 1.5, abs=2)
    assert column == pytest.approx(60 / box["width"] * size[1] - 1.5, abs=2)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "theme"), [(1440, "dark"), (390, "light")])
def test_axe_and_width(open_photo, width, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_photo(preset="gaussian_blur", width=width, theme=theme)
    assert overflow_pixels(page) <= 0
    found = axe.Axe().run(page, {"include": [[".st-key-convolution_photo"]]}).response["violations"]
    assert not [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
