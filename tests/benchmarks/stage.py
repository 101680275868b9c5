"""What a step on the stage costs, beside a server that redraws it: `python -m tests.benchmarks.stage`.

All in one run and one Chromium, on the largest grid of the convolution page: 16 × 16, "same" padding, 7 × 7 kernel.
*To paint* is from the event to the end of the frame that shows its effect, waiting for the screen's next refresh
included; *script* is what the event's handler, style and layout take of it. The peer's way is a plain Streamlit app
that keeps the step in its session and draws the same three grids anew, with `st.image` (colours alone, drawn by
NumPy) or Plotly (with the numbers). *Rerun after an edit* is from the message that carries the edit to the last
message of the answer, as the browser sees it. Limits: 16 ms for a step's script, 300 KB, 150 ms, no message.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from explorer.convolution.scenes.table import SCENES
from explorer.interface.components.stage_message import stage_message
from tests.app_server import AppServer
from tests.browser.conftest import FLAGS, chromium_program, wait_until_idle

LIMIT_BYTES = 300_000
TIMES = 80
PEER_TIMES = 20
PLAY_SECONDS = 8

PEER = """
import numpy as np
import streamlit as st
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from explorer.convolution.scenes.convolution import SCENE

st.set_page_config(layout="wide")
stage = SCENE.build(SCENE.settings("large"))
trace = stage.links[0].trace
step = st.session_state.setdefault("step", 0)
if st.button("Next"):
    step = st.session_state.step = step + 1
terms = slice(trace.starts[step], trace.starts[step + 1])
grids = [stage.board(name).values[..., 0].copy() for name in ("input", "kernel", "output")]
colours = [grid / np.abs(grid).max() for grid in grids]
colours[0].flat[trace.sources[terms]] = 2
colours[2].flat[step] = 2
if st.query_params.get("with") == "image":
    for column, grid in zip(st.columns(3), colours):
        picture = np.stack([grid.clip(0, 1), np.abs(grid).clip(0, 1), (-grid).clip(0, 1)], -1)
        column.image(np.kron(picture, np.ones((20, 20, 1))), caption=f"step {step}")
else:
    figure = make_subplots(1, 3, subplot_titles=[f"step {step}", "kernel", "output"])
    for place, (grid, colour) in enumerate(zip(grids, colours), start=1):
        heatmap = go.Heatmap(z=colour, text=np.round(grid, 2), texttemplate="%{text}", showscale=False)
        figure.add_trace(heatmap, 1, place)
    figure.update_layout(height=500)
    st.plotly_chart(figure)
st.text(" + ".join(f"{a:g} × {b:g}" for a, b in zip(trace.source.flat[trace.sources[terms]], trace.factors[terms])))
"""

WATCH = """
window.sent = []; window.received = [];
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", (event) => {
      window.received.push([performance.now(), event.data.byteLength || event.data.size || event.data.length]);
    });
  }
  send(data) { window.sent.push([performance.now(), data.byteLength || data.length]); super.send(data); }
};
window.painted = () => new Promise((done) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done(performance.now());
  channel.port2.postMessage(0);
}));
window.stageRoot = () => {
  const walk = (node) => node.shadowRoot && node.shadowRoot.querySelector(".stage")
    || [...node.children].map(walk).find(Boolean);
  return walk(document.querySelector(".st-key-convolution_stage"));
};
"""

STEPS = """async (times) => {
  const root = window.stageRoot();
  const forward = root.querySelector('[aria-label="Step forward"]');
  const found = [];
  for (let step = 0; step < times; step++) {
    await new Promise((done) => setTimeout(done, 7 * (step % 5)));
    const from = performance.now();
    forward.click();
    root.getBoundingClientRect();
    const script = performance.now() - from;
    found.push([script, await window.painted() - from]);
  }
  return found;
}"""

HOVERS = """async ([times, board]) => {
  const root = window.stageRoot();
  const cells = [...root.querySelectorAll(`.board[data-board="${board}"] .cell:not(.ring)`)];
  const found = [];
  for (let step = 0; step < times; step++) {
    await new Promise((done) => setTimeout(done, 7 * (step % 5)));
    const cell = cells[(step * 37) % cells.length];
    const from = performance.now();
    cell.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, composed: true, pointerType: "mouse" }));
    root.getBoundingClientRect();
    const script = performance.now() - from;
    found.push([script, await window.painted() - from]);
  }
  root.querySelector(".boards").dispatchEvent(new PointerEvent("pointerleave", { pointerType: "mouse" }));
  return found;
}"""

PLAY = """async (seconds) => {
  const root = window.stageRoot();
  root.querySelector('[aria-label="First step"]').click();
  root.querySelector('[aria-label="Speed"]').value = "20";
  root.querySelector('[aria-label="Play"]').click();
  const from = performance.now();
  const frames = [];
  await new Promise((done) => {
    const frame = (now) => { frames.push(now); now - from < seconds * 1000 ? requestAnimationFrame(frame) : done(); };
    requestAnimationFrame(frame);
  });
  const steps = Number(root.dataset.step);
  root.querySelector('[aria-label="Pause"]').click();
  const gaps = frames.slice(1).map((now, place) => now - frames[place]);
  const dropped = gaps.reduce((sum, gap) => sum + Math.max(0, Math.round(gap / 16.667) - 1), 0);
  return { steps, frames: gaps.length, dropped };
}"""


def spread(values: list[float]) -> str:
    """Return "median (95th percentile)"."""
    return f"{statistics.median(values):.1f} ms ({sorted(values)[int(0.95 * len(values))]:.1f})"


def open_page(browser: Any, url: str) -> Any:
    """Return a page that counts what it sends and receives."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce").new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    return page


def stage_rows(browser: Any, url: str) -> list[tuple[str, str]]:
    """Measure the page's own stage."""
    page = open_page(browser, f"{url}/convolution?convolution_preset=large")
    page.locator(".stage .cell.now").wait_for(timeout=60_000)
    wait_until_idle(page)
    # A page opened before the worker is there goes on asking for it.
    page.get_by_text("Computes on").wait_for(timeout=120_000)
    page.reload()
    page.locator(".stage .cell.now").wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    before = page.evaluate("window.sent.length")
    page.evaluate(STEPS, 10)
    rows = []
    for title, found in (
        ("step", page.evaluate(STEPS, TIMES)),
        ("look at an output", page.evaluate(HOVERS, [TIMES, "output"])),
        ("look at an input", page.evaluate(HOVERS, [TIMES, "input"])),
        ("look at a weight", page.evaluate(HOVERS, [TIMES, "kernel"])),
    ):
        script = [one for one, _ in found]
        rows.append((f"{title}: script", spread(script)))
        rows.append((f"{title}: to paint", spread([one for _, one in found])))
    played = page.evaluate(PLAY, PLAY_SECONDS)
    rows.append(("playing at 20 steps/s: steps a second", f"{played['steps'] / PLAY_SECONDS:.1f}"))
    rows.append(("playing: frames dropped", f"{played['dropped']} of {played['frames'] + played['dropped']}"))
    messages = page.evaluate("window.sent.length") - before
    rows.append(("messages sent by all of this", str(messages)))
    assert messages == 0
    rows.append(("rerun after an edit", edit_times(page)))
    page.context.close()
    return rows


def edit_times(page: Any) -> str:
    """Write numbers into the kernel by hand and time the server's answers."""
    times, sizes, largest = [], [], 0
    for number in range(12):
        page.evaluate("window.sent.length = 0; window.received.length = 0")
        cell = page.locator(f'.stage .board[data-board="kernel"] .cell[data-cell="{number}"]')
        cell.focus()
        page.keyboard.type(f"{number + 2}")
        page.keyboard.press("Enter")
        page.wait_for_function("window.sent.length > 0")
        page.wait_for_timeout(1200)
        wait_until_idle(page)
        times.append(page.evaluate("window.received.at(-1)[0] - window.sent[0][0]"))
        sizes.append(page.evaluate("window.received.reduce((sum, one) => sum + one[1], 0)"))
        largest = max(largest, page.evaluate("Math.max(...window.received.map((one) => one[1]))"))
    assert largest < LIMIT_BYTES
    # The first one meets cold caches.
    times, sizes = times[1:], sizes[1:]
    return f"{spread(times)}, {statistics.median(sizes) / 1000:.0f} KB received, {largest / 1000:.0f} of them the stage"


def peer_rows(browser: Any) -> list[tuple[str, str]]:
    """Measure the same steps where each is a rerun of the server."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "peer.py"
        script.write_text(f"import sys\nsys.path.insert(0, {str(Path.cwd())!r})\n{PEER}")
        with AppServer(script) as server:
            for how, shown in (("image", "[data-testid=stImageCaption]"), ("plotly", ".gtitle, .annotation-text")):
                page = open_page(browser, f"{server.url}/?with={how}")
                page.locator(shown).first.wait_for(timeout=60_000)
                wait_until_idle(page)
                page.wait_for_timeout(1500)
                times, sizes = [], []
                for step in range(1, PEER_TIMES + 1):
                    size = "window.received.reduce((sum, one) => sum + one[1], 0)"
                    before = page.evaluate(size)
                    times.append(page.evaluate(PEER_STEP, [shown, f"step {step}"]))
                    wait_until_idle(page)
                    page.wait_for_timeout(300)
                    sizes.append(page.evaluate(size) - before)
                name = "st.image" if how == "image" else "Plotly"
                rows.append((f"the peer's way, {name}: step to paint", spread(times)))
                rows.append(
                    (f"the peer's way, {name}: received for a step", f"{statistics.median(sizes) / 1000:.0f} KB")
                )
                page.context.close()
    return rows


PEER_STEP = """async ([shown, words]) => {
  const button = [...document.querySelectorAll("button")].find((one) => one.textContent.includes("Next"));
  const there = () => [...document.querySelectorAll(shown)].some((one) => one.textContent.trim() === words)
    && [...document.querySelectorAll("[data-testid=stImage] img")].every((one) => one.complete && one.naturalWidth);
  const from = performance.now();
  button.click();
  let now;
  do { now = await window.painted(); } while (!there());
  return now - from;
}"""


def largest_message() -> tuple[str, int]:
    """Return the example whose stage takes the most bytes, and how many."""
    sizes = {
        f"{scene.title}: {preset.title}": len(stage_message(scene.build(scene.settings(preset.name)), (), {}))
        for scene in SCENES
        if scene.name != "photo"
        for preset in scene.presets
    }
    name = max(sizes, key=lambda one: sizes[one])
    return name, sizes[name]


def main() -> None:
    """Measure and print the table."""
    from playwright.sync_api import sync_playwright

    name, size = largest_message()
    assert size < LIMIT_BYTES
    rows = [(f"bytes of the largest stage among the examples ({name})", f"{size / 1000:.0f} KB")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(playwright), args=FLAGS)
        with AppServer() as server:
            server.wait_for("/ready", seconds=120)
            rows = stage_rows(browser, server.url) + rows
        rows += peer_rows(browser)
        browser.close()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n\n| | |\n|---|---:|")
    for title, value in rows:
        print(f"| {title} | {value} |")


if __name__ == "__main__":
    main()
