"""What a view costs: `python -m tests.benchmarks.page_views`; limits 300 ms for a layer and 20 MB for a visitor.

*page* is what the server needs from a change to the end of the script's run, over the page's own WebSocket, with the
network loaded and the picture cached; *call* is the bare function in this process (`layer_maps`), in turn with it in
one run. Memory is the growth of the web process for each visitor who uploaded a 12-megapixel photo with a real
browser and looked at some layers.
"""

from __future__ import annotations

import asyncio
import io
import random
import statistics
import time

import numpy as np
import psutil
from PIL import Image

from tests.app_server import AppServer
from tests.browser.conftest import FLAGS, chromium_program, wait_until_idle
from tests.load.visitors import Visitor

LIMIT_MS = 300.0
LIMIT_MEGABYTES = 20.0
NETWORKS = (("drawn_plain", "trained"), ("MobileNetV2", "random"), ("InceptionV3", "random"))
# InceptionV3's 313 layers take 300 ms in the bare framework already: shown, not held to the limit.
HELD = ("drawn_plain", "MobileNetV2")
SWITCHES = 20
VISITORS = 6
KEY = "feature_maps_layer"


async def _views(url: str, network: str, weights: str) -> tuple[list[float], list[float], list[float]]:
    """Return milliseconds of the first view, of switching the layer on the page, and of the bare call."""
    from explorer.inside.feature_maps import layer_maps
    from explorer.networks.work_context import NO_CONTEXT
    from explorer.pictures.sources import DEFAULT_SOURCE, resolve

    pixels = resolve(DEFAULT_SOURCE).pixels
    query = f"feature_maps_network={network}&feature_maps_weights={weights}"
    async with Visitor(url, "feature_maps", query) as warm:
        await warm.open()  # loads the network in the worker
        layers = random.Random(0).sample(warm.widgets[KEY].options, min(SWITCHES, len(warm.widgets[KEY].options)))
    first, switched, bare = [], [], []
    for _ in range(5):
        async with Visitor(url, "feature_maps", query) as tab:
            answer = await tab.open()
            assert not answer.errors, answer.errors
            first.append(1000 * answer.seconds)
    layer_maps(NO_CONTEXT, network, weights, pixels, layers[0])
    async with Visitor(url, "feature_maps", query) as tab:
        await tab.open()
        for layer in layers:
            answer = await tab.choose(KEY, layer)
            assert not answer.errors, answer.errors
            switched.append(1000 * answer.seconds)
            began = time.perf_counter()
            layer_maps(NO_CONTEXT, network, weights, pixels, layer)
            bare.append(1000 * (time.perf_counter() - began))
    return first, switched, bare


def _photo(seed: int) -> bytes:
    """Return a JPEG of 4000 × 3000 pixels."""
    coarse = np.random.default_rng(seed).integers(0, 255, (75, 100, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC).save(target, "JPEG", quality=90)
    return target.getvalue()


def _visitor_megabytes(server: AppServer) -> list[float]:
    """Return by how many MB the web process grew with each visitor."""
    from playwright.sync_api import sync_playwright

    web = psutil.Process(server.pid)
    sizes = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(playwright), args=FLAGS)
        for number in range(VISITORS + 1):
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.set_default_timeout(90_000)
            page.goto(f"{server.url}/feature_maps?feature_maps_network=MobileNetV2&feature_maps_weights=random")
            page.locator(".st-key-feature_maps_tiles .tile").first.wait_for()
            page.get_by_role("button", name="Picture: ").first.click()
            page.get_by_test_id("stPopoverBody").get_by_text("Upload", exact=True).first.click()
            page.locator("input[type=file]").first.set_input_files(
                {"name": f"photo{number}.jpg", "mimeType": "image/jpeg", "buffer": _photo(number)}
            )
            page.get_by_test_id("stSidebar").get_by_text(f"photo{number}.jpg").wait_for()
            wait_until_idle(page)
            page.keyboard.press("Escape")
            for position in range(3):
                page.locator(".st-key-feature_maps_column .layer").nth(position).click()
                wait_until_idle(page)
            sizes.append(web.memory_info().rss / 1e6)
        browser.close()
    # The first visitor also pays for what all share (code, shared structure).
    return list(np.diff(sizes))


def main() -> None:
    """Measure, print tables, and fail above the limits."""
    slow = []
    with AppServer() as server:
        server.wait_for("/ready", seconds=120)
        print("| network | first view, ms | switching layer, ms (worst) | bare call, ms | page ÷ call |")
        print("|---|---:|---:|---:|---:|")
        for network, weights in NETWORKS:
            first, switched, bare = asyncio.run(_views(server.url, network, weights))
            middle = [statistics.median(values) for values in (first, switched, bare)]
            print(
                f"| {network} | {middle[0]:.0f} | {middle[1]:.0f} ({max(switched):.0f}) | {middle[2]:.0f} "
                f"| {middle[1] / middle[2]:.1f} |"
            )
            slow += [f"{network}: {value:.0f} ms" for value in middle[:2] if network in HELD and value > LIMIT_MS]
        grown = _visitor_megabytes(server)
        print(f"\nA visitor with a 12-megapixel photo: {statistics.median(grown):.1f} MB (worst {max(grown):.1f} MB)")
    assert not slow, slow
    assert statistics.median(grown) <= LIMIT_MEGABYTES, grown


if __name__ == "__main__":
    main()
