"""The architectures page by hand: find the weights, compare, slide, stack, take along; narrow screens and bad links."""

from __future__ import annotations

import csv
import io
import re
from html import escape
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

from explorer.architectures.cards import card, cards
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


@pytest.mark.slow
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
    expect(page.get_by_text("102,764,544 parameters")).to_be_visible(timeout=SLOW_MS)
    assert said_in_address(page, "layer") == "fc1"


@pytest.mark.slow
def test_back_leads_through_the_modes_and_charts(visitor, app_url):
    page = page_of(visitor, app_url)
    visited = ["Catalogue", "One network", "Compare", "Build your own"]
    contents = ["99 networks.", "holds the most weights", "Layer beside layer", "36,314 parameters"]
    for name, text in list(zip(visited, contents, strict=True))[1:]:
        page.get_by_role("radio", name=name).click()
        expect(page.get_by_text(text).first).to_be_visible(timeout=SLOW_MS)
        wait_until_idle(page)
    for way, order in (("back", [2, 1, 0]), ("forward", [1, 2])):
        for at in order:
            page.evaluate(f"history.{way}()")
            expect(page.get_by_text(contents[at]).first).to_be_visible(timeout=SLOW_MS)
            expect(page.get_by_role("radio", name=visited[at])).to_be_checked()
            wait_until_idle(page)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alexnet", "resnet_152", "NASNetLarge", "unet", "dense_mnist"])
def test_networks_of_all_sorts_open_and_export(visitor, app_url, name):
    page = page_of(visitor, app_url, mode="network", network=name)
    page.locator(".node").first.wait_for(timeout=SLOW_MS)
    with page.expect_download() as got:
        page.get_by_role("button", name="Table (LaTeX)").click()
    text = got.value.path().read_text(encoding="utf-8")
    assert r"\begin{tabular}" in text or r"\begin{longtable}" in text


@pytest.mark.slow
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


@pytest.mark.slow
def test_shapes_that_clash_are_told_and_marked(visitor, app_url):
    page = page_of(visitor, app_url, mode="blocks", block="residual", values="stride")
    expect(page.get_by_role("alert").first).to_contain_text("Add needs equal shapes", timeout=SLOW_MS)
    page = page_of(visitor, app_url, mode="build", stack="28x28x1_flatten_conv-f8")
    expect(page.get_by_role("alert").first).to_contain_text("Layer 2 does not fit", timeout=SLOW_MS)


@pytest.mark.slow
def test_a_stack_is_edited_and_its_link_brings_it_back(visitor, app_url):
    page = page_of(visitor, app_url, mode="build")
    expect(page.get_by_text("36,314 parameters")).to_be_visible(timeout=SLOW_MS)
    page.locator(".st-key-architectures_copy_0 button").first.click()
    expect(page.get_by_text("36,314 parameters")).to_have_count(0, timeout=SLOW_MS)
    wait_until_idle(page)
    weights = page.get_by_text(re.compile(r"^[\d,]+ parameters ·")).inner_text()
    again = page_of(visitor, app_url, mode="build", stack=said_in_address(page, "stack"))
    expect(again.get_by_text(weights)).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("36,314 parameters")).to_be_visible(timeout=SLOW_MS)


def opened_layer(page, number):
    """Open the settings of a layer of the stack; return their panel and what it shows."""
    row = page.locator(f".st-key-architectures_stackrow_{number}")
    row.get_by_test_id("stPopoverButton").locator("visible=true").first.click()
    panel = page.get_by_test_id("stPopoverBody")
    panel.locator("input").first.wait_for()
    page.wait_for_timeout(300)
    shown = {}
    for field in panel.locator("input").all():
        switch = field.get_attribute("type") == "checkbox"
        shown[field.get_attribute("aria-label")] = field.is_checked() if switch else field.input_value()
    return panel, shown


def press(page, name, number):
    page.locator(f".st-key-architectures_{name}_{number} button").first.click()


def stack_in_address(page, expected):
    """Wait until the address holds a stack that begins so, behind its input."""
    expect(page).to_have_url(re.compile(f"stack={re.escape('28x28x1_' + expected)}"), timeout=SLOW_MS)
    wait_until_idle(page)


CNN2 = "norm_conv-f8_norm_pool_conv-f16_norm_conv-f16_norm_pool_flatten_dense-u40_norm_dense-asoftmax"


@pytest.mark.slow
def test_a_layer_opened_after_other_edits_shows_what_it_is_and_keeps_it(visitor, app_url):
    usual = {"Kernel size": "3", "Strides": "1", "Padding": "same", "Dilation rate": "1", "Groups": "1"}
    usual |= {"Activation": "relu", "Bias": True}
    page = page_of(visitor, app_url, mode="build")
    press(page, "copy", 10)  # the flatten layer
    stack_in_address(page, f"conv-f8_{CNN2.replace('flatten', 'flatten_flatten')}")
    panel, shown = opened_layer(page, 0)
    assert shown == {"Filters": "8", **usual}
    more = panel.get_by_test_id("stNumberInputStepUp").first
    more.click()
    more.click()
    stack_in_address(page, f"conv-f10_{CNN2.replace('flatten', 'flatten_flatten')}")
    expect(panel.get_by_label("Filters")).to_have_value("10")
    page.keyboard.press("Escape")
    # Another one, which has been on the page all the time.
    panel, shown = opened_layer(page, 5)
    assert shown == {"Filters": "16", **usual}
    panel.get_by_text("Bias").click()
    stack_in_address(page, f"conv-f10_{CNN2.replace('flatten', 'flatten_flatten').replace('f16', 'f16-b0', 1)}")
    page.keyboard.press("Escape")
    for _ in range(4):  # two presses of the number may have been taken as one edit or as two
        if page.get_by_role("button", name="Undo").is_disabled():
            break
        page.get_by_role("button", name="Undo").click()
        page.wait_for_timeout(400)
        wait_until_idle(page)
    expect(page.get_by_text("36,314 parameters")).to_be_visible(timeout=SLOW_MS)
    _, shown = opened_layer(page, 0)
    assert shown == {"Filters": "8", **usual}, "taken back, it shows what it is again"


@pytest.mark.slow
def test_moving_copying_and_deleting_changes_no_other_layer(visitor, app_url):
    page = page_of(visitor, app_url, mode="build", stack="28x28x1_conv-f4-k5_pool-oaverage_dropout-r0.3_dense-b0")
    press(page, "move_down", 0)
    stack_in_address(page, "pool-oaverage_conv-f4-k5_dropout-r0.3_dense-b0")
    press(page, "copy", 1)
    stack_in_address(page, "pool-oaverage_conv-f4-k5_conv-f4-k5_dropout-r0.3_dense-b0")
    panel, shown = opened_layer(page, 2)
    assert (shown["Filters"], shown["Kernel size"], shown["Bias"]) == ("4", "5", True)
    panel.get_by_test_id("stNumberInputStepUp").nth(1).click()
    stack_in_address(page, "pool-oaverage_conv-f4-k5_conv-f4-k6_dropout-r0.3_dense-b0")
    page.keyboard.press("Escape")
    press(page, "delete", 1)
    stack_in_address(page, "pool-oaverage_conv-f4-k6_dropout-r0.3_dense-b0")
    _, shown = opened_layer(page, 1)
    assert (shown["Filters"], shown["Kernel size"]) == ("4", "6")
    page.keyboard.press("Escape")
    _, shown = opened_layer(page, 3)
    assert shown["Bias"] is False


@pytest.mark.slow
def test_an_input_that_is_changed_and_changed_back_leaves_the_layers_alone(visitor, app_url):
    page = page_of(visitor, app_url, mode="build")
    height = page.get_by_label("Input height")
    for value in ("2", "28"):
        height.fill(value)
        height.press("Enter")
        page.wait_for_timeout(500)
        wait_until_idle(page)
    expect(page.get_by_text("36,314 parameters")).to_be_visible(timeout=SLOW_MS)
    _, shown = opened_layer(page, 7)
    assert (shown["Filters"], shown["Kernel size"], shown["Bias"]) == ("16", "3", True)


@pytest.mark.slow
def test_settings_of_a_block_that_are_folded_keep_their_values(visitor, app_url):
    page = page_of(visitor, app_url, mode="blocks", block="inception")
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    wait_until_idle(page)
    example = page.get_by_role("radio", name="28×28×256, reduced to 64").or_(
        page.get_by_role("button", name="28×28×256, reduced to 64")
    )
    expect(example).not_to_have_attribute("aria-checked", "true")
    expect(page).to_have_url(re.compile("values="), timeout=SLOW_MS)
    page.get_by_role("button", name="More settings").click()
    panel = page.get_by_test_id("stPopoverBody")
    values = [one.get_attribute("aria-valuetext") or one.get_attribute("aria-valuenow") for one in
              panel.get_by_role("slider").all()]  # fmt: skip
    assert "64" in values, values
    page.keyboard.press("Escape")
    example.click()
    expect(page).not_to_have_url(re.compile("values="), timeout=SLOW_MS)


@pytest.mark.slow
def test_four_networks_stand_two_by_two_and_nothing_is_cut_off(visitor, app_url):
    page = page_of(visitor, app_url, mode="compare", compared="resnet_18,resnet_34,resnet_50,resnet_152")
    views = page.locator("section.view")
    expect(views).to_have_count(4, timeout=SLOW_MS)
    views.nth(3).locator(".node").first.wait_for(timeout=SLOW_MS)
    boxes = [one.bounding_box() for one in views.all()]
    assert boxes[0]["y"] == boxes[1]["y"] < boxes[2]["y"] == boxes[3]["y"]
    for one in views.all():
        inside = one.evaluate(
            """view => { const right = view.getBoundingClientRect().right + 1;
                 return [...view.querySelectorAll('button, .node text')]
                   .every(part => part.getBoundingClientRect().right <= right) }"""
        )
        assert inside
    page.get_by_role("button", name="Clear all").or_(page.get_by_label("Clear all")).first.click()
    expect(page.get_by_text("Choose two to four networks")).to_be_visible(timeout=SLOW_MS)
    assert said_in_address(page, "compared") == "-"


@pytest.mark.slow
def test_the_way_on_from_the_catalogue_is_seen_while_rows_are_ticked(visitor, app_url):
    page = page_of(visitor, app_url)
    table = page.locator(".st-key-architectures_catalogue canvas").first
    table.scroll_into_view_if_needed(timeout=SLOW_MS)
    page.wait_for_timeout(500)
    table.click(position={"x": 17, "y": 52}, force=True)  # a layer that scrolls lies over it
    go = page.get_by_role("button", name="Take it apart")
    expect(go).to_be_enabled(timeout=SLOW_MS)
    expect(go).to_be_in_viewport()
    go.click()
    expect(page).to_have_url(re.compile("architectures_network=lenet5"), timeout=SLOW_MS)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["catalogue", "network", "compare", "blocks", "build"])
def test_nothing_is_cut_off_on_a_phone(visitor, app_url, mode):
    page = page_of(visitor, app_url, width=390, height=844, theme="dark", mode=mode)
    page.wait_for_timeout(500)
    assert overflow_pixels(page) <= 0


def first_line(download):
    return download.value.path().read_text(encoding="utf-8-sig").splitlines()[0]


def saved(page, name):
    with page.expect_download() as got:
        page.get_by_role("button", name=name, exact=True).first.click()
    return first_line(got)


SAMPLE = ("lenet5_1998", "googlenet", "resnet_152", "shufflenet_g3_0.5", "NASNetMobile", "EfficientNetB0")


def opens_exports_and_compares(page, app_url, name):
    """Open a network from its link, take its three files, hold it against AlexNet."""
    title = card(name).title

    def address(**parameters):
        return "/architectures?" + urlencode({f"architectures_{key}": value for key, value in parameters.items()})

    page.goto(app_url + address(mode="network", network=name))
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible(timeout=SLOW_MS)
    page.locator("section.view .node").first.wait_for(timeout=SLOW_MS)
    assert saved(page, "Table (CSV)").startswith("path,kind,inputs,output_shape,parameters")
    assert saved(page, "Table (LaTeX)").startswith(r"% needs \usepackage{booktabs")
    svg = saved(page, "SVG")
    assert svg.startswith("<svg xmlns=") and f"<title>{escape(title)}</title>" in svg
    other = "alexnet" if name != "alexnet" else "VGG16"
    # As Back and Forward do it: loading all scripts once more takes longer than everything else.
    page.evaluate(
        "address => { history.pushState({}, '', address); dispatchEvent(new PopStateEvent('popstate')) }",
        address(mode="Compare", compared=f"{other},{name}"),
    )
    ratios = page.locator("table").first
    expect(ratios).to_contain_text("×", timeout=SLOW_MS)
    expect(ratios.get_by_text(title, exact=True)).to_be_visible()
    expect(page.locator("section.view")).to_have_count(2, timeout=SLOW_MS)
    assert page.get_by_text("This page stopped with an error").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_network_opens_exports_and_is_compared(visitor, app_url, name):
    opens_exports_and_compares(visitor("about:blank"), app_url, name)


@pytest.mark.every
@pytest.mark.parametrize("name", [one.name for one in cards() if one.name not in SAMPLE])
def test_every_network_opens_exports_and_is_compared(visitor, app_url, name):
    opens_exports_and_compares(visitor("about:blank"), app_url, name)
