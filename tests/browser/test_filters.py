"""The filters page by hand: pick, grow, stop, go on; two visitors at once; nonsense, keys and narrow screens."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import overflow_pixels, wait_until_idle

# A first run loads TensorFlow in the worker and compiles.
SLOW_MS = 150_000


def page_of(visitor, app_url, *, width=1440, height=900, theme="light", **parameters):
    page = visitor(f"{app_url}/filters?{urlencode(parameters)}", width=width, height=height, theme=theme)
    tiles(page).first.wait_for(timeout=SLOW_MS)
    wait_until_idle(page)
    return page


def tiles(page):
    return page.locator(".st-key-filters_gallery .tile")


def tile(page, number):
    return page.locator(f".st-key-filters_gallery .tile[data-id='{number}']")


def colours_of(page, number):
    """The bytes of one tile's canvas."""
    # One text travels a hundred times faster than as many numbers.
    text = (
        tile(page, number)
        .locator("canvas")
        .evaluate("canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.join()")
    )
    return np.array(text.split(","), float)


def difference(one, other):
    """How far two looks at a tile lie apart, 0 to 255.

    All tiles travel as one lossy picture: one that has not changed comes a little different beside others.
    """
    return np.abs(_small(one) - _small(other)).mean()


def _small(colours, side=32):
    """The same in 32 × 32 pixels: a picture travels in 64 × 64 or in 96 × 96 of them."""
    pixels = round((len(colours) / 4) ** 0.5)
    times = pixels // side
    return colours.reshape(side, times, side, times, 4).mean(axis=(1, 3))


def steps_of(page):
    """The number of the step that the bar of a running job names; 0 while it waits for its turn."""
    found = re.search(r"step (\d+) of", page.locator(".st-key-filters_grow_bar").inner_text())
    return int(found.group(1)) if found else 0


def wait_for_steps(page, least):
    """Wait until so many steps are done, however often others have their turn, and what shows them has faded in."""
    for _ in range(SLOW_MS // 500):
        if steps_of(page) >= least:
            break
        page.wait_for_timeout(500)
    page.wait_for_timeout(1000)
    return steps_of(page)


@pytest.mark.slow
@pytest.mark.timeout(480)  # a busy machine compiles for minutes
def test_four_channels_grow_one_of_them_and_then_all_are_stopped_while_another_visitor_grows_classes(visitor, app_url):
    one = page_of(visitor, app_url, filters_mode="channels", filters_steps="1024")
    assert tiles(one).count() == 24
    # The stage is on the first screen.
    assert tiles(one).first.bounding_box()["y"] < 400
    for number in (1, 4, 6, 9):
        tile(one, number).click()
        expect(tile(one, number)).to_have_attribute("aria-pressed", "true")
    one.get_by_role("button", name="Grow 4 picked").click()

    two = page_of(visitor, app_url, filters_picks="2", filters_steps="16")
    two.get_by_role("button", name="Grow 1 picked").click()

    expect(tile(one, 6)).to_have_attribute("data-state", "growing", timeout=SLOW_MS)
    before = colours_of(one, 6)
    expect(one.get_by_text(re.compile(r"step \d+ of 1024 · .+ left"))).to_be_visible()
    # One of the four is stopped, and the others grow on.
    one.get_by_label("Stop only").get_by_text("channel 9", exact=True).click()
    first = wait_for_steps(one, steps_of(one) + 40)
    looks = [[colours_of(one, number) for number in (6, 9)]]
    wait_for_steps(one, first + 60)
    looks.append([colours_of(one, number) for number in (6, 9)])
    moved, still = (difference(*pair) for pair in zip(*looks, strict=True))
    assert still < moved / 3, (still, moved)
    one.get_by_role("button", name="Stop", exact=False).first.click()
    expect(one.get_by_role("button", name="Continue")).to_be_visible(timeout=SLOW_MS)
    expect(one.get_by_text(re.compile(r"4 images, stopped at step \d+ of 1024"))).to_be_visible()
    assert difference(colours_of(one, 6), before) > 1, "it has grown between the two looks"
    expect(tile(one, 6)).not_to_have_attribute("data-state", "growing")

    # The other visitor's run has come to its end, and nobody else's images stand there.
    expect(two.get_by_text("1 image, 16 steps")).to_be_visible(timeout=SLOW_MS)
    expect(two.locator(".st-key-filters_large canvas")).to_be_visible()
    assert "filters_picks=2" in two.url
    assert "1024" not in two.locator(".stMain").inner_text()


@pytest.mark.parametrize(("width", "theme", "nonsense"), [
    (390, "dark", {"filters_network": "NoSuchNet", "filters_picks": "-1,abc,77777", "filters_rate": "NaN"}),
    (1440, "light", {"filters_page": "-3", "filters_mode": "<script>", "picture": "drawn:dragon:-1"}),
])  # fmt: skip
@pytest.mark.slow
def test_a_link_with_nonsense_shows_the_classes_all_the_same(visitor, app_url, width, theme, nonsense):
    page = page_of(visitor, app_url, width=width, theme=theme, **nonsense)
    assert tiles(page).count() == 12
    assert overflow_pixels(page) <= 0
    assert page.get_by_text("stopped with an error").count() == 0
    assert (
        page.locator("button:visible:not([aria-label])").evaluate_all(
            "buttons => buttons.filter(button => !button.textContent.trim()).length"
        )
        == 0
    )
    # Keys walk over the tiles and pick one; who guesses first sees no name of the others.
    page.get_by_text("Guess first").click()
    expect(tiles(page).nth(1)).to_have_attribute("aria-label", re.compile(r"^\?"))
    tiles(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(tiles(page).nth(1)).to_have_attribute("aria-pressed", "true")
    expect(tiles(page).nth(1).locator(".title")).not_to_have_text("?")
    expect(tiles(page).nth(2).locator(".title")).to_have_text("?")


def test_on_a_phone_all_modes_and_the_first_images_are_on_the_first_screen(visitor, app_url):
    page = page_of(visitor, app_url, width=390, height=844)
    modes = page.locator(".st-key-filters_mode").get_by_role("radio")
    assert modes.count() == 4
    for mode in modes.all():
        box = mode.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    box = tiles(page).nth(3).bounding_box()
    assert box["y"] + box["height"] <= 844
    assert overflow_pixels(page) <= 0
