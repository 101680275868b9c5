"""The explanations page by hand: several methods, two classes, scores, a report, painted guesses, two visitors."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from explorer.explanations.table import METHODS
from explorer.pictures.samples import sample
from tests.browser.conftest import open_upload, overflow_pixels, wait_until_idle

SLOW_MS = 150_000


def opened(visitor, app_url, *, width=1440, height=900, theme="light", **parameters):
    page = visitor(f"{app_url}/explanations?{urlencode(parameters)}", width=width, height=height, theme=theme)
    stage(page).first.wait_for(timeout=SLOW_MS)
    return page


def stage(page):
    return page.locator(".st-key-explanations_stage .view")


def tile(page, method, row=0):
    return stage(page).locator(f'.tile[data-id="{row} {method}"]')


def ready(page, methods, rows=1):
    """Wait until every map is there."""
    for row in range(rows):
        for method in methods:
            # For a moment the last look of the live board and the first of the whole one may both be there.
            tile(page, method, row).locator("canvas.heat").first.wait_for(timeout=SLOW_MS)
    wait_until_idle(page)
    for row in range(rows):
        for method in methods:
            expect(tile(page, method, row).locator("canvas.heat")).to_have_count(1)


def choose(page, label, text):
    page.get_by_role("combobox", name=label).fill(text)
    page.get_by_role("option", name=re.compile(f"^{text}")).first.click()


def photo():
    from PIL import Image

    target = io.BytesIO()
    Image.fromarray(sample("chelsea").pixels).save(target, "JPEG", quality=85)
    return target.getvalue()


@pytest.mark.slow
def test_an_uploaded_photo_is_explained_by_five_methods_for_two_classes_judged_and_reported(visitor, app_url):
    methods = ("saliency", "gradient_input", "grad_cam", "layer_cam", "occlusion")
    page = opened(visitor, app_url, explanations_methods=",".join(methods))
    open_upload(page)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "my cat.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    page.get_by_text(re.compile("knows only drawings")).first.wait_for()
    page.keyboard.press("Escape")
    ready(page, methods)
    choose(page, "Compare with", "fish")
    ready(page, methods, rows=2)
    expect(stage(page)).to_contain_text("fish")
    judged = page.get_by_role("figure", name=re.compile("^Insertion curves"))
    judged.wait_for(timeout=SLOW_MS)
    wait_until_idle(page)
    said = judged.get_attribute("aria-label") or ""
    for name in (*methods, "random"):
        title = "Random map" if name == "random" else METHODS[name].title
        assert 0 <= float(re.search(rf"{title} (-?[\d.]+)", said)[1]) <= 1
    with page.expect_download() as download:
        page.get_by_role("radio", name="Report").click()
        page.get_by_role("button", name=re.compile("^description Report on|^Report on")).first.click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert "my cat.jpg" in text
    assert text.count("data:image/") > len(methods)
    assert "<script" not in text
    assert "Insertion" in text


@pytest.mark.slow
def test_the_board_stays_the_same_one_while_maps_of_another_class_come_in(visitor, app_url):
    methods = ("saliency", "grad_cam", "occlusion")
    page = opened(visitor, app_url, picture="drawn:cat:3", explanations_methods=",".join(methods))
    ready(page, methods)
    board = page.locator(".st-key-explanations_stage")
    board.evaluate("element => { element.sameAsBefore = true }")
    for name in ("fish", "star"):
        choose(page, "Compare with", name)
        expect(stage(page)).to_contain_text(name)
        ready(page, methods, rows=2)
        assert board.evaluate("element => element.sameAsBefore") is True


@pytest.mark.slow
def test_a_guess_is_painted_before_the_maps_are_seen_and_then_compared(visitor, app_url):
    page = opened(
        visitor, app_url, picture="drawn:fish:7", explanations_methods="grad_cam,saliency", explanations_predict="true"
    )
    easel = stage(page).locator(".easel")
    easel.wait_for()
    assert tile(page, "grad_cam").count() == 0, "the answer must not be on the page before the guess"
    for shown in (".st-key-explanations_take_along", ".st-key-explanations_panel"):
        expect(page.locator(shown)).to_have_count(0)
    box = easel.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=8)
    page.mouse.up()
    stage(page).get_by_role("button", name="Done").click()
    ready(page, ["grad_cam", "saliency"])
    overlaps = page.get_by_test_id("stMetricValue")
    expect(overlaps).to_have_count(3)
    expect(page.locator(".st-key-explanations_take_along")).to_be_visible()
    assert all(0 <= float(each) <= 1 for each in overlaps.all_inner_texts())
    stage(page).get_by_role("button", name="Paint again").click()
    stage(page).get_by_role("button", name="Clear").click()
    stage(page).get_by_role("button", name="Done").click()
    expect(tile(page, "grad_cam")).to_have_count(0)


@pytest.mark.slow
def test_two_visitors_explain_other_pictures_on_one_network_without_touching_each_other(visitor, app_url):
    methods = ("grad_cam", "smoothgrad")
    one = opened(visitor, app_url, picture="drawn:cat:3", explanations_methods=",".join(methods))
    other = opened(visitor, app_url, picture="drawn:star:8", explanations_methods=",".join(methods))
    for page, name in ((one, "cat"), (other, "star")):
        ready(page, methods)
        expect(page.get_by_text(re.compile("The network says"))).to_contain_text(name)
    choose(one, "Class to explain", "sun")
    ready(one, methods)
    expect(other.get_by_text(re.compile("The network says"))).to_contain_text("star")
    assert "sun" not in other.url
    assert "explanations_target=6" in one.url


@pytest.mark.slow
def test_channels_are_switched_off_and_the_network_says_less_or_something_else(visitor, app_url):
    page = opened(
        visitor, app_url, picture="drawn:clock:5", explanations_methods="grad_cam", explanations_panel="channels"
    )
    page.locator(".st-key-explanations_effects_chart").wait_for(timeout=SLOW_MS)
    page.get_by_role("button", name="The 20 that speak most for it").click()
    page.locator(".st-key-explanations_off_chart").wait_for(timeout=SLOW_MS)
    expect(page.get_by_text(re.compile("Without these 20 channels the network"))).to_contain_text("clock")


@pytest.mark.slow
def test_nonsense_in_the_link_leaves_a_page_that_works(visitor, app_url):
    page = opened(
        visitor,
        app_url,
        explanations_network="no such",
        explanations_methods="grad_cam,voodoo",
        explanations_target="9999",
        explanations_layer="../etc",
        explanations_painted="24x24-zzz",
        explanations_seed="-5",
        explanations_panel="nothing",
    )
    ready(page, ["grad_cam"])
    expect(page.get_by_role("combobox", name="Class to explain")).to_have_value("cat, as predicted")
    assert stage(page).locator(".tile.map").count() == 1


@pytest.mark.slow
def test_a_link_can_hide_what_a_teacher_does_not_want_to_be_changed(visitor, app_url):
    page = opened(visitor, app_url, explanations_methods="grad_cam", hide="methods,network,panel")
    ready(page, ["grad_cam"])
    for name in ("Occlusion", "Sanity check"):
        assert not page.get_by_role("button", name=name).or_(page.get_by_role("radio", name=name)).first.is_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert overflow_pixels(page) <= 0


def chosen_methods(page):
    said = page.locator(".st-key-explanations_methods_shown button[aria-pressed=true]").all_inner_texts()
    return {text.strip() for text in said}


@pytest.mark.slow
def test_no_click_is_undone_while_the_stage_is_drawn_again_for_a_slow_map(visitor, app_url):
    page = opened(visitor, app_url, explanations_methods="rise,grad_cam", explanations_rise_masks=8000)
    page.locator(".st-key-explanations_stop").wait_for(timeout=SLOW_MS)
    wanted = chosen_methods(page)
    assert wanted == {"RISE", "Grad-CAM"}
    pills = page.locator(".st-key-explanations_methods_shown button")
    for number in range(24):
        name = ("Gradient", "LayerCAM", "Grad-CAM++", "Gradient × input", "Grad-CAM")[number * 7 % 5]
        pills.filter(has_text=re.compile(f"^{re.escape(name)}$")).click()
        wanted ^= {name}
        page.wait_for_timeout(number * 83 % 600)
        if number % 8 == 7:
            page.wait_for_timeout(4000)  # several looks at the slow map
            assert chosen_methods(page) == wanted
    for number in range(12):
        page.get_by_role("radio", name=("Sanity check", "Nearest pictures")[number % 2]).click()
        page.get_by_role("radio", name="Judge the maps").click()
        page.wait_for_timeout(number * 83 % 600)
    for name in ("fish", "sun", "tree"):
        choose(page, "Class to explain", name)
        page.wait_for_timeout(300)
    page.wait_for_timeout(3000)
    expect(page.get_by_role("combobox", name="Class to explain")).to_have_value("tree")
    assert chosen_methods(page) == wanted
    expect(page.get_by_role("radio", name="Judge the maps")).to_be_checked()
    expect(page.locator(".st-key-explanations_stop")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("combobox", name="Class to explain")).to_have_value("sun")


@pytest.mark.slow
def test_on_a_phone_the_maps_begin_on_the_first_screen(visitor, app_url):
    page = opened(visitor, app_url, width=390, height=844, explanations_methods="saliency,grad_cam")
    ready(page, ["saliency", "grad_cam"])
    box = tile(page, "saliency").locator("canvas.heat").bounding_box()
    assert box["y"] + box["height"] <= 844
    assert overflow_pixels(page) <= 0
