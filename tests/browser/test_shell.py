"""What surrounds the pages, as a visitor's browser meets it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer.interface.page_table import PAGES
from explorer.pictures.intake import decode
from tests.app_server import ROOT, AppServer
from tests.browser.conftest import open_upload, overflow_pixels, wait_until_idle
from tests.pictures.made_files import files_of_every_kind, middles

ADDRESSES = [entry.address for entry in PAGES]
# A worker that loads no network before it is asked, for apps that live for one page.
COLD = {"CNN_EXPLORER_WARM_NETWORK": ""}


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (640, 480)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def file_named(name: str, data: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def sidebar_pixels(page) -> np.ndarray:
    """Return the sidebar's thumbnail as it is on the screen, uint8 (h, w, 3)."""
    image = page.get_by_test_id("stSidebar").get_by_test_id("stImage").locator("img").first
    expect(image).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    return np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("RGB"))


def sidebar_colour(page) -> np.ndarray:
    """Return the mean colour of the middle of the sidebar's thumbnail, RGB 0 to 255."""
    pixels = sidebar_pixels(page)
    height, width = pixels.shape[:2]
    middle = pixels[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return middle.reshape(-1, 3).mean(0)


@pytest.mark.slow
def test_a_deep_link_on_a_fresh_server_goes_through_the_shell(visitor):
    with AppServer(environment=COLD) as server:
        page = visitor(f"{server.url}/convolution")
        expect(page).to_have_title(re.compile("Convolution|CNN Explorer"))
        expect(page.get_by_test_id("stSidebarNav")).to_contain_text("Look inside a network")
        assert page.url.startswith(f"{server.url}/convolution")


@pytest.mark.slow
@pytest.mark.parametrize("address", ["feature_map", "a/b", "a/b/c?x=1"])
def test_an_unknown_address_gets_a_friendly_screen(visitor, app_url, address):
    page = visitor(f"{app_url}/{address}")
    expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
    expect(page.get_by_test_id("stDialog")).to_have_count(0)
    page.get_by_test_id("stMain").get_by_role("link", name=re.compile("Home")).click()
    expect(page).to_have_url(re.compile(rf"^{re.escape(app_url)}/?$"))


@pytest.fixture
def crashing_app(tmp_path: Path) -> Path:
    """The app with one page more, which stops with an error."""
    (tmp_path / "crash.py").write_text("raise RuntimeError('the secret path /srv/data')\n")
    (tmp_path / "shell.py").write_text(
        f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from explorer.interface import page_table

class Crash(page_table.PageEntry):
    path = Path({str(tmp_path / "crash.py")!r})

if len(page_table.PAGES) == {len(PAGES)}:
    page_table.PAGES += (Crash("crash.py", "crash", "Crash", ":material/bug_report:", "Broken", "Why?"),)
shell = Path({str(ROOT)!r}) / "explorer" / "shell.py"
exec(compile(shell.read_text(), str(shell), "exec"))
"""
    )
    app = tmp_path / "app.py"
    app.write_text(
        f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from explorer.interface.server import MIDDLEWARE, ROUTES, lifespan, show_failure
app = st.App({str(tmp_path / "shell.py")!r}, lifespan=lifespan, routes=ROUTES, middleware=MIDDLEWARE,
             on_script_error=show_failure)
"""
    )
    return app


@pytest.mark.slow
def test_a_page_that_crashes_says_one_sentence_and_the_log_has_the_rest(visitor, crashing_app):
    with AppServer(crashing_app, COLD) as server:
        page = visitor(f"{server.url}/crash")
        alert = page.get_by_test_id("stAlert")
        expect(alert).to_contain_text("This page stopped with an error")
        assert "secret" not in page.content()
        assert "Traceback" not in page.content()
        assert "the secret path /srv/data" in server.log()
        page.get_by_test_id("stSidebarNav").get_by_text("Home", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_page_is_wider_than_a_phone_or_asks_another_machine(visitor, outside, app_url, address):
    page = visitor(f"{app_url}/{address}", width=390, height=844)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert overflow_pixels(page) <= 0
    page.wait_for_load_state("networkidle")  # what a page asks for late, as for an icon, must be seen too
    assert outside == []
    assert page.locator("link[rel='shortcut icon']").get_attribute("href").startswith(("http://localhost", "/"))


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_passes_axe(visitor, app_url, address, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visitor(f"{app_url}/{address}", theme=theme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    # A colour that is just turning into another has a contrast that nobody can read by.
    page.emulate_media(reduced_motion="reduce", color_scheme=theme)
    # Nor has what Streamlit fades for a moment, because it is being worked out anew.
    page.add_style_tag(content="[data-stale] { opacity: 1 !important; transition: none !important; }")
    page.wait_for_timeout(300)
    # Streamlit's own list of pages puts headings between its items, which the app cannot change.
    everything_else = {"exclude": [["[data-testid=stSidebarNav]"]]}
    found = axe.Axe().run(page, everything_else, {"resultTypes": ["violations"]}).response["violations"]
    serious = {
        violation["id"]: [node["html"][:160] for node in violation["nodes"]]
        for violation in found
        if violation["impact"] in {"serious", "critical"}
    }
    assert serious == {}


def test_the_sidebar_names_the_device(visitor, app_url):
    page = visitor(app_url)
    expect(page.get_by_test_id("stSidebar")).to_contain_text(re.compile(r"CPU, \d+ cores?|GPU: "))


def test_a_text_file_named_png_gets_one_sentence_and_the_picture_stays(visitor, app_url):
    page = visitor(f"{app_url}/feature_maps")
    open_upload(page)
    page.locator("input[type=file]").first.set_input_files(file_named("photo.png", b"dear diary"))
    alert = page.get_by_test_id("stPopoverBody").get_by_test_id("stAlert")
    expect(alert).to_contain_text("text file")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("cat")
    assert "picture=" not in page.url


@pytest.mark.slow
def test_a_photo_of_every_format_is_taken_in_by_its_content(visitor, app_url):
    """Down to the screen; tests/pictures holds the pixels of many more kinds against known colours."""
    page = visitor(f"{app_url}/feature_maps")
    open_upload(page)
    files = files_of_every_kind()
    for kind in ("JPEG", "PNG palette", "WebP", "GIF", "BMP", "TIFF", "HEIC", "AVIF"):
        name = f"photo-{kind}.txt"  # the name never decides
        page.locator("input[type=file]").first.set_input_files(file_named(name, files[kind]))
        expect(page.get_by_test_id("stSidebar")).to_contain_text(name)
        expected = middles(decode(files[kind], name=name).pixels)
        assert np.abs(middles(sidebar_pixels(page)) - expected).max() < 12, kind


def test_two_visitors_never_see_each_others_picture(visitor, app_url):
    red, blue = visitor(f"{app_url}/feature_maps"), visitor(f"{app_url}/feature_maps")
    for page, colour, name in ((red, (200, 20, 20), "red.jpg"), (blue, (20, 20, 200), "blue.jpg")):
        open_upload(page)
        page.locator("input[type=file]").first.set_input_files(file_named(name, jpeg(colour)))
        expect(page.get_by_test_id("stSidebar")).to_contain_text(name)
    red.reload()  # a reload is a new session: not even the same visitor's upload may come from elsewhere
    wait_until_idle(red)
    expect(red.get_by_test_id("stSidebar")).to_contain_text("is missing")
    assert np.abs(sidebar_colour(blue) - (20, 20, 200)).max() < 12
    # The link of one visitor, opened by the other, asks for the file.
    stolen = visitor(blue.url)
    expect(stolen.get_by_test_id("stMain")).to_contain_text("blue.jpg")
    expect(stolen.get_by_test_id("stSidebar")).to_contain_text("is missing")
    assert stolen.get_by_test_id("stSidebar").get_by_test_id("stImage").count() == 0


@pytest.mark.slow
def test_a_pasted_screenshot_becomes_the_picture(visitor, app_url):
    page = visitor(f"{app_url}/feature_maps")
    open_upload(page)
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(60, 40);
            const pen = canvas.getContext("2d");
            pen.fillStyle = "rgb(10, 160, 90)"; pen.fillRect(0, 0, 60, 40);
            const blob = await canvas.convertToBlob({type: "image/png"});
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([blob], "screenshot.png", {type: "image/png"}));
            document.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true}));
        }"""
    )
    expect(page.get_by_test_id("stSidebar")).to_contain_text("screenshot.png")
    assert np.abs(sidebar_colour(page) - (10, 160, 90)).max() < 12


@pytest.mark.slow
def test_an_upload_leaves_no_copy_of_the_file_in_the_server(visitor, app_server):
    page = visitor(f"{app_server.url}/feature_maps")
    open_upload(page)
    noise = np.random.default_rng(0).integers(0, 255, (1200, 1600, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    page.locator("input[type=file]").first.set_input_files(file_named("noise.png", stream.getvalue()))
    expect(page.get_by_test_id("stSidebar")).to_contain_text("noise.png")
    wait_until_idle(page)
    metrics = app_server.get("/_stcore/metrics")[2].decode()
    assert "cache_memory_bytes" in metrics
    held = re.findall(r"UploadedFileManager[^}]*} (\S+)", metrics)
    assert all(float(amount) == 0 for amount in held), metrics


@pytest.mark.slow
def test_back_returns_to_the_picture_before(visitor, app_url):
    page = visitor(f"{app_url}/feature_maps?picture=drawn:fish:5")
    expect(page.get_by_test_id("stSidebar")).to_contain_text(re.compile(r"fish 5(?!\d)"))
    page.get_by_role("button", name=re.compile("Another one")).first.click()
    expect(page.get_by_test_id("stSidebar")).not_to_contain_text(re.compile(r"fish 5(?!\d)"))
    page.go_back()
    expect(page.get_by_test_id("stSidebar")).to_contain_text(re.compile(r"fish 5(?!\d)"))


def test_the_picture_goes_along_from_page_to_page(visitor, app_url):
    page = visitor(f"{app_url}/feature_maps?picture=sample:coffee")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("coffee")
    page.get_by_test_id("stSidebarNav").get_by_text("Home", exact=True).click()
    wait_until_idle(page)
    expect(page.get_by_test_id("stSidebar")).to_contain_text("coffee")
