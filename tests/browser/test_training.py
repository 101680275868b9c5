"""The training page by hand: own pictures are learned from, runs survive, are stopped, compared, shared, explained."""

from __future__ import annotations

import io
import re
import secrets
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer.interface.components.camera_state import SENTENCES
from explorer.pictures.sources import resolve
from explorer.runs import outcome
from explorer.runs.context import RunContext
from tests.browser.conftest import overflow_pixels, wait_until_idle
from tests.pages.made_runs import CLASSES, SENTENCE, made

RUN_MS = 400_000


def address(app_url, **parameters):
    names = {name if name in ("hide", "run_key") else f"training_{name}": value for name, value in parameters.items()}
    return f"{app_url}/training?{urlencode(names)}"


def entering(visitor, app_url, who, *, width=1440, height=900, theme="light", **parameters):
    """Open the page as the visitor with the id `who`."""
    page = visitor("about:blank", width=width, height=height, theme=theme)
    page.context.add_cookies([{"name": "cnn_explorer_visitor", "value": who, "url": app_url}])
    page.goto(address(app_url, **parameters))
    wait_until_idle(page)
    return page


@pytest.fixture
def who():
    return secrets.token_hex(16)


@pytest.fixture
def root(app_server):
    return Path(app_server.environment["CNN_EXPLORER_RUNS_FOLDER"])


def zip_of(classes, each):
    """Return a zip with a folder of drawn pictures for each class."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in classes:
            for number in range(each):
                stream = io.BytesIO()
                Image.fromarray(resolve(f"drawn:{name}:{40 + number}").pixels).save(stream, "JPEG", quality=90)
                archive.writestr(f"{name}/{number}.jpg", stream.getvalue())
    return target.getvalue()


@pytest.mark.slow
def test_a_zip_above_the_limit_of_other_uploads_comes_in_pieces(visitor, app_url, root, who, tmp_path):
    large = tmp_path / "large.zip"
    with zipfile.ZipFile(large, "w") as archive:
        for name in ("boat", "key"):
            for number in range(3):
                stream = io.BytesIO()
                Image.fromarray(resolve(f"drawn:{name}:{number}").pixels).save(stream, "PNG")
                archive.writestr(f"{name}/{number}.png", stream.getvalue() + bytes(8_000_000))
    assert large.stat().st_size > 45_000_000
    page = entering(visitor, app_url, who, lesson="transfer", source="own")
    page.get_by_role("button", name="Add pictures").click()
    page.locator(".st-key-training_zip input[type=file]").set_input_files(large)
    expect(page.get_by_role("combobox", name="Data set")).to_have_value("large · 6 pictures, 2 classes")
    expect(page.locator(".training-data .name")).to_have_text(["boat", "key"])
    assert not list((root / ".data").rglob(".making-*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("devices", "permission", "reason"),
    [
        ([], "granted", "none"),
        (["videoinput"], "denied", "denied"),
        (["videoinput"], "prompt", "asked"),
        (None, "prompt", "insecure"),
    ],
)
def test_who_sees_no_moving_picture_reads_why(visitor, app_url, who, devices, permission, reason):
    page = entering(visitor, app_url, who, lesson="transfer", source="own")
    page.evaluate(
        """([devices, state]) => {
            Object.defineProperty(window, "isSecureContext", { value: devices !== null });
            navigator.mediaDevices.enumerateDevices = async () => (devices ?? []).map((kind) => ({ kind }));
            navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("No", "NotAllowedError"); };
            navigator.permissions.query = async () => ({ state });
        }""",
        [devices, permission],
    )
    page.get_by_role("button", name="Add pictures").click()
    panel = page.get_by_test_id("stPopoverBody")
    panel.get_by_text("Webcam", exact=True).click()
    panel.get_by_role("textbox", name="Class").fill("mug")
    panel.get_by_role("textbox", name="Class").press("Enter")
    expect(panel.get_by_text(SENTENCES[reason])).to_be_visible()
    expect(panel.get_by_text("This app would like to use your camera")).to_be_visible(visible=reason == "asked")
    before = page.locator("[class*=st-key-training_webcam_0]")
    expect(before).to_have_count(1)
    panel.get_by_role("button", name="Try the camera again").click()
    expect(page.locator("[class*=st-key-training_webcam_1]")).to_have_count(1)
    expect(before).to_have_count(0)


@pytest.mark.slow
def test_a_picture_that_was_given_by_mistake_is_taken_out_by_a_click(visitor, app_url, who):
    page = entering(visitor, app_url, who, lesson="transfer", source="own")
    page.get_by_role("button", name="Add pictures").click()
    panel = page.get_by_test_id("stPopoverBody")
    panel.get_by_text("Files", exact=True).click()
    panel.get_by_role("textbox", name="Class").fill("boat")
    panel.get_by_role("textbox", name="Class").press("Enter")
    files = []
    for number in range(3):
        stream = io.BytesIO()
        Image.fromarray(resolve(f"drawn:boat:{number}").pixels).save(stream, "JPEG")
        files.append({"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": stream.getvalue()})
    panel.get_by_test_id("stFileUploader").locator("input").set_input_files(files)
    expect(panel.get_by_text("boat: 3")).to_be_visible()
    panel.get_by_role("button", name="Take out 1 1.jpg").click()
    expect(panel.get_by_text("boat: 2")).to_be_visible()
    expect(panel.get_by_role("button", name="Take out 0 0.jpg")).to_be_visible()
    expect(panel.get_by_role("button", name="Take out 1 1.jpg")).to_have_count(0)


@pytest.mark.slow
def test_a_lesson_that_is_chosen_by_the_keyboard_keeps_the_focus(visitor, app_url, who):
    page = entering(visitor, app_url, who)
    card = page.get_by_role("button", name="Lesson 6: Blocks")
    card.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("training_lesson=blocks"))
    wait_until_idle(page)
    expect(card).to_be_focused()


def head(page):
    return page.locator(".st-key-training_head")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_own_pictures_are_learned_from_and_a_picture_is_explained_with_what_came_of_it(visitor, app_url, who):
    settings = "counts:5;strategies:logistic+frozen;repeats:1"
    page = entering(visitor, app_url, who, lesson="transfer", source="own", settings=settings)
    start = page.locator(".st-key-training_start button")
    expect(start).to_be_disabled()
    page.get_by_role("button", name="Add pictures").click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "mugs and boats.zip", "mimeType": "application/zip", "buffer": zip_of(("mushroom", "boat"), 12)}
    )
    chosen = page.get_by_role("combobox", name="Data set")
    expect(chosen).to_have_value("mugs and boats · 24 pictures, 2 classes")
    page.keyboard.press("Escape")
    expect(page.locator(".training-data .name")).to_have_text(["boat", "mushroom"])
    expect(start).to_be_enabled()
    start.click()
    head(page).wait_for()
    first = page.url
    expect(page.get_by_role("progressbar").first).to_be_visible()

    # Another one waits meanwhile, and is taken out of the line.
    page.locator(".st-key-training_back button").click()
    start.click()
    page.get_by_text(re.compile("Next in line|Place 1 in line|in line")).first.wait_for()
    page.locator(".st-key-training_stop button").click()
    expect(head(page)).to_contain_text("stopped")

    # The first one goes on whatever happens to the page.
    page.goto(first)
    head(page).wait_for()
    page.get_by_role("link", name="Filters").first.click()
    page.locator(".st-key-filters_controls").wait_for()
    page.get_by_role("link", name="Training").first.click()
    expect(head(page)).to_contain_text(re.compile("starting|running|done"))
    page.reload()
    expect(head(page)).to_contain_text("done", timeout=RUN_MS)

    page.get_by_role("radio", name="Mistakes").click()
    board = page.locator(".st-key-training_confusion table")
    board.wait_for()
    counts = [int(text) for text in board.locator("button").all_inner_texts()]
    assert len(counts) == 4 and sum(counts) > 0
    filled = max(range(4), key=counts.__getitem__)
    board.locator("button").nth(filled).click()
    page.get_by_text(re.compile("recognised$|taken for ")).first.wait_for()
    wait_until_idle(page)
    picture = page.locator(".st-key-training_mistake_pictures button.tile").first
    picture.click()
    page.locator(".st-key-training_opened").wait_for()
    name = page.locator(".st-key-training_opened strong").first.inner_text()
    page.locator(".st-key-training_opened").get_by_role("button", name="Explain").click()
    page.locator(".st-key-explanations_stage .view").wait_for(timeout=RUN_MS)
    expect(page.get_by_text(re.compile("The network says")).first).to_contain_text(re.compile("boat|mushroom"))
    expect(page.get_by_role("combobox", name="Network").first).to_have_value(re.compile("Transfer learning"))
    assert name.endswith(".jpg")
    expect(page.get_by_test_id("stSidebar")).to_contain_text(name.rpartition("/")[2].removesuffix(".jpg"))
    wait_until_idle(page)


@pytest.mark.slow
def test_two_runs_are_compared_and_one_is_deleted_after_a_question(visitor, app_url, root, who):
    one = made(root, who, lesson="transfer", title="Six epochs")
    two = made(root, who, lesson="transfer", title="Twelve epochs", epochs=12, seed=3)
    page = entering(visitor, app_url, who)
    for title in ("Six epochs", "Twelve epochs"):
        page.get_by_role("checkbox", name=title).locator("xpath=ancestor::label").click()
        wait_until_idle(page)
    comparison = page.locator(".st-key-training_comparison")
    comparison.get_by_role("figure", name=re.compile("^loss over the epochs")).wait_for()
    lit = comparison.locator("tr:has(td.lit)")
    assert {row.split("\t")[0] for row in lit.all_inner_texts()} == {"epochs", "Seed"}
    assert one.id in page.url and two.id in page.url
    page.reload()
    comparison.wait_for()
    page.get_by_role("checkbox", name="Six epochs").locator("xpath=ancestor::label").click()
    expect(comparison).to_have_count(0)
    page.locator(".st-key-training_delete button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Twelve epochs")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("checkbox", name="Twelve epochs")).to_have_count(0)
    assert one.folder.exists() and not two.folder.exists()


@pytest.mark.slow
def test_a_cell_of_the_confusions_opens_its_pictures_and_the_slider_goes_back_in_time(visitor, app_url, root, who):
    run = made(root, who, lesson="transfer")
    page = entering(visitor, app_url, who, run=run.id, panel="mistakes")
    page.get_by_role("button", name="cat, taken for fish: 2").click()
    pictures = page.locator(".st-key-training_mistake_pictures button.tile")
    expect(pictures).to_have_count(2)
    wait_until_idle(page)
    pictures.first.click()
    expect(page.locator(".st-key-training_opened")).to_contain_text("drawn:cat:")
    assert "training_cell=0-1" in page.url
    page.get_by_role("radio", name="How it learned").click()
    slider = page.get_by_role("slider", name=re.compile("Back in time"))
    expect(page.get_by_text("after epoch 6")).to_be_visible()
    slider.focus()
    slider.press("ArrowLeft")
    expect(page.get_by_text("after epoch 5")).to_be_visible()


@pytest.mark.slow
def test_a_second_visitor_sees_nothing_without_the_link_and_changes_nothing_with_it(visitor, app_url, root, who):
    run = made(root, who, lesson="transfer", title="Secret photos")
    other = entering(visitor, app_url, secrets.token_hex(16), run=run.id, compared=run.id)
    expect(other.get_by_text("There is no such run")).to_be_visible()
    assert "Secret" not in other.locator("body").inner_text()
    shared = entering(visitor, app_url, secrets.token_hex(16), run=run.id, run_key=run.config.link_key)
    expect(head(shared)).to_contain_text("Secret photos")
    expect(head(shared)).to_contain_text("shared with you")
    expect(shared.get_by_text(SENTENCE.rstrip(".")).first).to_be_visible()
    expect(shared.get_by_role("button", name="Delete")).to_have_count(0)
    assert run.folder.exists()


@pytest.mark.slow
def test_hostile_values_in_a_link_show_the_page(visitor, app_url, who):
    page = entering(visitor, app_url, who)
    for values in (
        {"lesson": "../..", "preset": "<script>alert(1)</script>", "settings": "epochs:1e999;counts:x+y"},
        {"settings": "~AAAA", "data": "id:../../etc/passwd", "source": "own", "seed": "1e300"},
        {"run": "../../../etc/passwd", "compared": "x,y,,", "cell": "99-99", "panel": "?"},
    ):
        page.goto(address(app_url, **values))
        wait_until_idle(page)
        expect(page.locator(".st-key-training_start")).to_be_visible()
        expect(page.get_by_text("stopped with an error")).to_have_count(0)


@pytest.mark.slow
def test_on_a_phone_nothing_is_wider_than_the_screen(visitor, app_url, root, who):
    one = made(root, who, lesson="transfer", title="Six epochs")
    two = made(root, who, lesson="transfer", title="Twelve epochs", epochs=12)
    page = entering(visitor, app_url, who, width=390, height=844, theme="dark")
    expect(page.locator(".st-key-training_start")).to_be_in_viewport()
    for values in (
        {"compared": f"{one.id},{two.id}"},
        {"run": one.id},
        {"run": one.id, "panel": "mistakes", "cell": "0-1"},
        {"run": one.id, "panel": "learned"},
        {"run": one.id, "panel": "about"},
    ):
        page.goto(address(app_url, **values))
        wait_until_idle(page)
        page.wait_for_timeout(500)
        assert overflow_pixels(page) <= 0, values


def test_a_sheet_on_a_phone_begins_at_its_left_end_and_is_moved_to_its_right_one(visitor, app_url, root, who):
    run = made(root, who, lesson="transfer", title="A sheet")
    context = RunContext(run.folder, run.config)
    shown = tuple(
        outcome.Shown(file=f"previews/{context.preview(Image.new('RGB', (900, 400), 'teal'), number).name}")
        for number in (9101, 9102)
    )
    outcome.write_outcome(context, [outcome.Pictures(title="Best and worst", pictures=shown)])
    context.close()
    page = entering(visitor, app_url, who, width=390, height=844, run=run.id)
    sheets = page.locator("[class*=st-key-training_sheet_]")
    expect(sheets).to_have_count(2)
    sheets.last.locator("img").wait_for()
    lefts = sheets.locator("img").evaluate_all("all => all.map(each => each.getBoundingClientRect().left)")
    assert min(lefts) >= 0 and len(set(lefts)) == 1  # below each other
    assert sheets.first.evaluate("sheet => sheet.scrollWidth > sheet.clientWidth")


@pytest.mark.slow
def test_texts_stand_below_each_other_on_a_phone(visitor, app_url, root, who):
    run = made(root, who, lesson="one_dimension", title="Texts")
    context = RunContext(run.folder, run.config)
    outcome.write_probe(context, np.full((8, 96, 288, 3), 255, np.uint8), CLASSES, [0, 1, 2, 3] * 2, ["a text"] * 8)
    context.close()
    page = entering(visitor, app_url, who, width=390, height=844, run=run.id, panel="learned")
    tiles = page.locator("[class*=st-key-training_probe_]").locator(".tile")
    expect(tiles).to_have_count(8)
    places = tiles.evaluate_all("all => all.map((each) => each.getBoundingClientRect())")
    assert len({place["left"] for place in places}) == 1
    assert min(place["width"] for place in places) > 250
