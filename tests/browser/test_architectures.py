"""The architectures page by hand: find the weights, compare, slide, stack, take along; narrow screens and bad links."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import overflow_pixels, wait_until_idle

SLOW_MS = 60_000


def page_of(visitor, app_url, *, width=1440, height=900, theme="light", **parameters):
    query = urlencode({f"architectures_{name}": value for name, value in parameters.items()})
    page = visitor(f"{app_url}/architectures?{query}", width=width, height=height, theme=theme)
    page.get_by_role("heading", name="Architectures").wait_for(timeout=SLOW_MS)
    wait_until_idle(page)
    return page


def diagrams(page):
    return page.locator(".node.stage")


def said_in_address(page, name):
    return parse_qs(urlparse(page.url).query).get(f"architectures_{name}", [""])[0]


def test_two_clicks_tell_where_vgg16s_weights_and_its_work_are(visitor, app_url):
    page = page_of(visitor, app_url)
    page.get_by_role("radio", name="One network").click()  # it begins with VGG16
    wait_until_idle(page)
    expect(page.get_by_text("holds the most weights of all layers: 74 %")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("Six 3×3 convolutions do the most work, 12 % each")).to_be_visible()
    expect(page.get_by_text("Dense layers hold 89 % of the weights and do 1 % of the work")).to_be_visible()
    classifier = diagrams(page).filter(has_text="Classifier")
    expect(classifier).to_contain_text("123.6 M")
    classifier.click()
    page.locator('.node[data-id="fc1"]').click()
    expect(page.get_by_text("102,764,544 weights")).to_be_visible(timeout=SLOW_MS)
    assert said_in_address(page, "layer") == "fc1"


def test_a_network_is_compared_and_taken_along(visitor, app_url):
    page = page_of(visitor, app_url, mode="compare")
    expect(page.get_by_text("× 0.115").first).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="VGG16 against VGG19").click()
    expect(page).to_have_url(re.compile("compared=VGG16(,|%2C)VGG19"), timeout=SLOW_MS)
    wait_until_idle(page)
    expect(diagrams(page).first).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as got:
        page.get_by_role("button", name="Layers (CSV)").click()
    rows = list(csv.reader(io.StringIO(got.value.path().read_text(encoding="utf-8-sig"))))
    assert rows[0][:2] == ["VGG16 layer", "VGG16 shape"]
    assert sum(row[0] == "" for row in rows[1:]) == 3, "VGG19 has three more convolutions"


@pytest.mark.parametrize("name", ["alexnet", "resnet_152", "NASNetLarge", "unet", "dense_mnist"])
def test_networks_of_all_sorts_open_and_export(visitor, app_url, name):
    page = page_of(visitor, app_url, mode="network", network=name)
    page.locator(".node").first.wait_for(timeout=SLOW_MS)
    with page.expect_download() as got:
        page.get_by_role("button", name="Table (LaTeX)").click()
    text = got.value.path().read_text(encoding="utf-8")
    assert r"\begin{tabular}" in text or r"\begin{longtable}" in text


def test_a_slider_of_the_lab_changes_the_counts_and_the_link(visitor, app_url):
    page = page_of(visitor, app_url, mode="blocks", block="bottleneck")
    expect(page.get_by_text("346,816,512").first).to_be_visible(timeout=SLOW_MS)
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    wait_until_idle(page)
    expect(page.get_by_text("346,816,512")).to_have_count(0, timeout=SLOW_MS)
    again = page_of(visitor, app_url, mode="blocks", block="bottleneck", values=said_in_address(page, "values"))
    assert page.locator("table").first.inner_text() == again.locator("table").first.inner_text()


def test_shapes_that_clash_are_told_and_marked(visitor, app_url):
    page = page_of(visitor, app_url, mode="blocks", block="residual", values="stride")
    expect(page.get_by_role("alert").first).to_contain_text("Add needs equal shapes", timeout=SLOW_MS)
    page = page_of(visitor, app_url, mode="build", stack="28x28x1_flatten_conv-f8")
    expect(page.get_by_role("alert").first).to_contain_text("Layer 2 does not fit", timeout=SLOW_MS)


def test_a_stack_is_edited_and_its_link_brings_it_back(visitor, app_url):
    page = page_of(visitor, app_url, mode="build")
    expect(page.get_by_text("36,314 weights")).to_be_visible(timeout=SLOW_MS)
    page.locator(".st-key-architectures_copy_0 button").first.click()
    expect(page.get_by_text("36,314 weights")).to_have_count(0, timeout=SLOW_MS)
    wait_until_idle(page)
    weights = page.get_by_text(re.compile(r"^[\d,]+ weights ·")).inner_text()
    again = page_of(visitor, app_url, mode="build", stack=said_in_address(page, "stack"))
    expect(again.get_by_text(weights)).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("36,314 weights")).to_be_visible(timeout=SLOW_MS)


@pytest.mark.parametrize("mode", ["catalogue", "network", "compare", "blocks", "build"])
def test_nothing_is_cut_off_on_a_phone(visitor, app_url, mode):
    page = page_of(visitor, app_url, width=390, height=844, theme="dark", mode=mode)
    page.wait_for_timeout(500)
    assert overflow_pixels(page) <= 0
