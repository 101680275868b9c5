"""The feature maps page by hand: what is clicked, and whether the numbers on the screen are Keras' own."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import overflow_pixels, wait_until_idle

# A first call loads TensorFlow in the worker and a network.
SLOW_MS = 120_000


def page_of(visitor, app_url, *, width=1440, height=900, theme="light", **parameters):
    page = visitor(f"{app_url}/feature_maps?{urlencode(parameters)}", width=width, height=height, theme=theme)
    tiles(page).first.or_(page.locator(".st-key-feature_maps_vector")).first.wait_for(timeout=SLOW_MS)
    wait_until_idle(page)
    return page


def tiles(page, key="feature_maps_tiles"):
    return page.locator(f".st-key-{key} .tile")


def keras_values(network, weights, source, layer):
    """What Keras computes for a layer: a functional model cut at the layer, no code of the page."""
    import keras

    from explorer.networks.catalogue import entry
    from explorer.networks.loading import load
    from explorer.networks.preprocessing import fit, prepare
    from explorer.pictures.sources import resolve

    loaded = load(network, weights)
    cut = keras.Model(loaded.model.inputs, loaded.model.get_layer(layer).output)
    batch = prepare(fit(resolve(source).pixels, entry(network)).pixels, entry(network))
    return np.asarray(cut(batch))[0]


def point_at(canvas, row, column, height, width):
    """Move the pointer to the middle of one cell of a map."""
    box = canvas.bounding_box()
    canvas.hover(position={"x": (column + 0.5) / width * box["width"], "y": (row + 0.5) / height * box["height"]})


def told(tip, words):
    """Return what the tip says of the cell under the pointer: row, column and value, once it speaks of `words`."""
    expect(tip).to_contain_text(words)
    row, column, value = re.search(r"row (\d+), column (\d+) · (\S+)$", tip.text_content()).groups()
    return int(row), int(column), float(value)


def test_the_first_visit_shows_a_drawn_picture_and_what_the_first_layers_make_of_it(visitor, app_url):
    page = page_of(visitor, app_url)
    assert tiles(page).count() == 24
    assert page.get_by_text("What the network says").is_visible()
    assert page.get_by_label("Layers of the network").is_visible()
    # The stage is on the first screen: tiles and scores without scrolling.
    assert tiles(page).first.bounding_box()["y"] < 500
    assert overflow_pixels(page) <= 0
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').clientWidth <= 390")
    assert overflow_pixels(page) <= 0


@pytest.mark.slow
@pytest.mark.parametrize(("network", "weights", "layer"), [
    ("drawn_plain", "trained", "stem_relu"),
    ("MobileNetV2", "random", "block_2_expand_relu"),
])  # fmt: skip
def test_the_value_under_the_pointer_is_the_one_that_keras_computes(visitor, app_url, network, weights, layer):
    source = "drawn:cat:3"
    page = page_of(
        visitor,
        app_url,
        picture=source,
        feature_maps_network=network,
        feature_maps_layer=layer,
        feature_maps_weights=weights,
        feature_maps_order="By number",
    )
    truth = keras_values(network, weights, source, layer)
    height, width, channels = truth.shape
    assert tiles(page).count() == min(64, channels)
    tip = page.locator(".st-key-feature_maps_tiles .tip")
    for channel, row, column in [(0, 0, 0), (5, height // 2, width // 3), (20, height - 1, width - 1)]:
        point_at(tiles(page).nth(channel).locator("canvas"), row, column, height, width)
        at_row, at_column, value = told(tip, f"channel {channel} · ")
        # A cell is little more than a pixel of the screen wide.
        assert abs(at_row - row) <= 1 and abs(at_column - column) <= 1
        np.testing.assert_allclose(value, truth[at_row, at_column, channel], rtol=6e-4, atol=2e-6)


@pytest.mark.slow
def test_the_strongest_channel_comes_first_and_its_maximum_is_keras_own(visitor, app_url):
    page = page_of(visitor, app_url, picture="drawn:fish:11", feature_maps_layer="stem_relu")
    truth = keras_values("drawn_plain", "trained", "drawn:fish:11", "stem_relu").max(axis=(0, 1))
    label = tiles(page).first.get_attribute("aria-label")
    assert label.startswith(f"channel {int(truth.argmax())}, ")
    np.testing.assert_allclose(float(label.split(", ")[1]), truth.max(), rtol=1e-3)
    legend = page.locator("[data-testid=legend-high]").text_content()
    np.testing.assert_allclose(float(legend), truth.max(), rtol=1e-3)


@pytest.mark.slow
def test_a_branch_of_inception_opens_by_clicking_and_its_layer_comes_on_the_stage(visitor, app_url):
    page = page_of(visitor, app_url, feature_maps_network="InceptionV3", feature_maps_weights="random")
    column = page.get_by_label("Layers of the network")
    column.get_by_role("button", name=re.compile(r"Stage 3 · 35 × 35")).click()
    column.get_by_role("button", name=re.compile("mixed0")).first.click()
    branch = column.get_by_role("group", name=re.compile("Branch 2 of 4"))
    branch.wait_for()
    layer = branch.locator(".layer").first
    path = layer.get_attribute("data-path")
    layer.click()
    page.locator(f'.st-key-feature_maps_column .layer[data-path="{path}"][aria-current=true]').wait_for()
    wait_until_idle(page)
    assert f"feature_maps_layer={path}" in page.url
    assert tiles(page).count() == 48


@pytest.mark.slow
def test_a_channel_from_near_has_its_values_filter_and_receptive_field(visitor, app_url):
    page = page_of(visitor, app_url, picture="drawn:cat:3", feature_maps_layer="stem_relu")
    first = tiles(page).first
    channel = int(first.get_attribute("data-channel"))
    first.click()
    close_up = page.locator(".st-key-feature_maps_close_up")
    close_up.locator(".stage[data-drawn]").wait_for()
    wait_until_idle(page)
    truth = keras_values("drawn_plain", "trained", "drawn:cat:3", "stem_relu")[..., channel]
    height, width = truth.shape
    point_at(close_up.locator("canvas"), 20, 13, height, width)
    row, column, value = told(close_up.locator(".tip"), "row 20, column 13 · ")
    np.testing.assert_allclose(value, truth[row, column], rtol=6e-4, atol=2e-6)
    box = close_up.locator("canvas").bounding_box()
    page.mouse.click(box["x"] + 13.5 / width * box["width"], box["y"] + 20.5 / height * box["height"])
    close_up.locator(".field:not([hidden])").wait_for()
    wait_until_idle(page)
    # A 7 × 7 convolution with stride 2 on 96 pixels.
    expect(page.get_by_text(re.compile("7 × 7")).first).to_be_visible()
    assert page.get_by_text("The filter behind it").is_visible()
    assert "feature_maps_cell=20%2C13" in page.url or "feature_maps_cell=20,13" in page.url
    # The link alone brings the same screen back.
    again = visitor(page.url)
    again.locator(".st-key-feature_maps_close_up .field:not([hidden])").wait_for(timeout=SLOW_MS)


@pytest.mark.slow
def test_a_dense_layer_is_shown_as_bars(visitor, app_url):
    page = page_of(visitor, app_url, feature_maps_layer="logits")
    page.locator(".st-key-feature_maps_vector .main-svg").first.wait_for()
    assert page.get_by_text("no feature maps left").is_visible()


@pytest.mark.slow
def test_two_pictures_are_compared_on_one_scale(visitor, app_url):
    page = page_of(visitor, app_url, picture="drawn:cat:3", picture2="drawn:house:5", feature_maps_layer="stem_relu")
    tiles(page, "feature_maps_tiles2").first.wait_for()
    assert tiles(page).count() == tiles(page, "feature_maps_tiles2").count() == 24
    most = max(
        keras_values("drawn_plain", "trained", source, "stem_relu").max() for source in ("drawn:cat:3", "drawn:house:5")
    )
    np.testing.assert_allclose(float(page.locator("[data-testid=legend-high]").text_content()), most, rtol=1e-3)


@pytest.mark.slow
def test_two_visitors_at_once_keep_their_own_layer_and_picture(visitor, app_url):
    one = page_of(visitor, app_url, picture="drawn:cat:3", feature_maps_layer="stem_relu")
    two = page_of(visitor, app_url, picture="drawn:sun:8", feature_maps_layer="stem_conv")
    tiles(one).nth(3).click()
    tiles(two).nth(1).click()
    wait_until_idle(one)
    wait_until_idle(two)
    assert "feature_maps_layer" not in two.url or "stem_conv" in two.url
    assert one.get_by_text("Drawn cat 3").first.is_visible()
    assert two.get_by_text("Drawn sun 8").first.is_visible()


@pytest.mark.slow
def test_a_photo_is_told_that_the_drawn_network_knows_only_drawings(visitor, app_url):
    page = page_of(visitor, app_url, picture="sample:astronaut")
    assert page.get_by_text("knows only drawings").is_visible()


@pytest.mark.slow
def test_a_network_without_its_weights_says_so_and_offers_them_with_their_size(visitor, app_url):
    page = page_of(visitor, app_url, feature_maps_network="MobileNetV2")
    assert page.get_by_text("Random weights").first.is_visible()
    assert page.get_by_role("button", name=re.compile(r"Download \d+ MB")).is_visible()


@pytest.mark.slow
@pytest.mark.parametrize("nonsense", [
    {"feature_maps_network": "NoSuchNet", "feature_maps_layer": "<script>alert(1)</script>", "feature_maps_page": "-3"},
    {"feature_maps_channel": "99999", "feature_maps_cell": "9,9999999999", "picture": "drawn:dragon:-1",
     "picture2": "../../etc/passwd", "feature_maps_contrast": "NaN", "feature_maps_scope": "cosmos"},
])  # fmt: skip
def test_a_link_with_nonsense_shows_the_page_all_the_same(visitor, app_url, nonsense):
    page = page_of(visitor, app_url, **nonsense)
    assert tiles(page).count() == 24
    assert page.get_by_text("stopped with an error").count() == 0


@pytest.mark.slow
def test_a_link_can_hide_controls_and_still_set_them(visitor, app_url):
    page = page_of(visitor, app_url, hide="order,network", feature_maps_order="By number")
    assert (
        page.get_by_text("Strongest first").count() == 0 or not page.get_by_text("Strongest first").first.is_visible()
    )
    assert tiles(page).first.get_attribute("data-channel") == "0"


@pytest.mark.slow
def test_reset_takes_every_control_and_the_link_back(visitor, app_url):
    page = page_of(
        visitor,
        app_url,
        feature_maps_layer="stem_conv",
        feature_maps_order="By number",
        feature_maps_scope="Network",
        feature_maps_channel="3",
        feature_maps_contrast="4",
    )
    expect(page.locator(".st-key-feature_maps_close_up")).to_be_visible()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Reset this page").click()
    expect(page.locator(".st-key-feature_maps_close_up")).to_have_count(0)
    wait_until_idle(page)
    assert "feature_maps_" not in page.url
    expect(page.locator(".st-key-feature_maps_column [aria-current=true]")).to_have_attribute("data-path", "stem_relu")


def test_a_link_may_name_options_as_code_does(visitor, app_url):
    page = page_of(visitor, app_url, feature_maps_network="drawn_robust", feature_maps_order="index")
    assert tiles(page).first.get_attribute("data-channel") == "0"
    expect(
        page.get_by_text("Drawn world, robust").first.or_(page.locator("[value='Drawn world, robust']"))
    ).to_be_visible()


@pytest.mark.slow
def test_after_a_change_of_network_the_list_names_the_layer_on_the_stage(visitor, app_url):
    page = page_of(visitor, app_url, feature_maps_layer="stem_conv", feature_maps_channel="3")
    page.locator(".st-key-feature_maps_network input").click()
    page.get_by_role("option", name="MobileNetV2", exact=True).click()
    expect(page.locator(".st-key-feature_maps_column [aria-current=true]")).to_have_attribute("data-path", "Conv1_relu")
    wait_until_idle(page)
    expect(page.locator(".st-key-feature_maps_layer").get_by_role("combobox")).to_have_value("Conv1_relu")
    # What was open belonged to the other network.
    expect(page.locator(".st-key-feature_maps_close_up")).to_have_count(0)


def test_a_link_opened_anew_marks_its_channel(visitor, app_url):
    page = page_of(visitor, app_url, feature_maps_channel="3", picture2="drawn:house:5")
    for key in ("feature_maps_tiles", "feature_maps_tiles2"):
        expect(page.locator(f".st-key-{key} .tile[aria-pressed=true]")).to_have_attribute("data-channel", "3")


@pytest.mark.slow
def test_the_link_popover_brings_back_what_was_named_as_code_does(visitor, app_url):
    page = page_of(visitor, app_url, feature_maps_order="index", feature_maps_weights="random")
    page.get_by_role("button", name="Link").click()
    link = page.get_by_test_id("stPopoverBody").locator("code").inner_text()
    assert "feature_maps_order=index" in link and "feature_maps_weights=random" in link
    again = visitor(link.strip())
    tiles(again).first.wait_for(timeout=SLOW_MS)
    wait_until_idle(again)
    assert tiles(again).first.get_attribute("data-channel") == "0"
    expect(again.get_by_text("Random weights").first).to_be_visible()


@pytest.mark.slow
def test_a_drawing_of_something_unknown_is_told_from_what_the_network_knows(visitor, app_url):
    page = page_of(visitor, app_url, picture="drawn:umbrella:4")
    expect(page.get_by_text("never learned “umbrella”")).to_be_visible()
