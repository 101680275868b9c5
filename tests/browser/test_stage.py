"""The stage by hand, in an app of its own: what is lit and said is what NumPy computes; the server hears nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.conftest import overflow_pixels, wait_until_idle
from tests.convolution.plain_stages import LECTURE_INPUT, LECTURE_KERNEL, STAGES

X = np.array(LECTURE_INPUT, float)
KERNEL = np.array(LECTURE_KERNEL)
SENT = {}


@pytest.fixture(scope="module")
def stage_url(chromium):
    with AppServer(Path(__file__).with_name("stage_app.py")) as server:
        yield server.url


@pytest.fixture
def show(visitor, stage_url):
    """Open a stage: `show("lecture", playing="1")`; what the page sends is counted from its start."""
    watching = []

    def go(name="lecture", *, width=1440, height=900, theme="light", motion="reduce", touch=False, **parameters):
        query = "&".join(f"{key}={value}" for key, value in {"stage": name, **parameters}.items())
        sent = []

        def watch(socket):
            socket.on("framesent", lambda payload: sent.append(len(payload or b"")))

        page = visitor("about:blank", width=width, height=height, theme=theme, reduced_motion=motion, has_touch=touch)
        page.on("websocket", watch)
        watching.append((page, watch))
        page.goto(f"{stage_url}/?{query}")
        stage(page).wait_for()
        wait_until_idle(page)
        SENT[page] = sent
        return page

    yield go
    for page, watch in watching:
        page.remove_listener("websocket", watch)
    SENT.clear()


def frames(page):
    """How many messages the page has sent to its server."""
    return len(SENT[page])


def stage(page):
    return page.locator(".st-key-stage .stage")


def board(page, name):
    return stage(page).locator(f'.board[data-board="{name}"]')


def cell(page, name, number):
    return board(page, name).locator(f'.cell[data-cell="{number}"]')


def lit(page, name, kind="lit"):
    found = board(page, name).locator(f".cell.{kind}").evaluate_all("cells => cells.map(c => Number(c.dataset.cell))")
    return sorted(found)


def number(text):
    return float(text.strip().replace("−", "-"))


def said(page):
    return stage(page).locator(".sum").inner_text().replace("\n", " ")


def terms(text):
    """Compute a sum as it is written, from its text alone."""
    left, *_, right = re.split(r" = ", text.split(" → ")[0])
    plain = left.replace("−", "-").replace("×", "*").replace("(bias)", "")
    assert re.fullmatch(r"[-\d.e+*() ]+", plain), plain
    return eval(plain), number(right)  # noqa: S307


def window(row, column, size=3, width=6):
    return sorted((row + a) * width + column + b for a in range(size) for b in range(size))


def drawn(page, name):
    return [number(text) for text in board(page, name).locator(".cell").all_text_contents()]


CONVOLVED = np.array([[(X[r : r + 3, c : c + 3] * KERNEL).sum() for c in range(4)] for r in range(4)])


def test_every_number_is_on_its_cell(show):
    page = show()
    assert drawn(page, "input") == X.ravel().tolist()
    assert drawn(page, "kernel") == KERNEL.ravel().tolist()
    np.testing.assert_allclose(drawn(page, "output"), CONVOLVED.ravel(), atol=1e-9)
    np.testing.assert_allclose(drawn(page, "activated"), np.maximum(CONVOLVED, 0).ravel(), atol=1e-9)
    assert drawn(page, "pooled") == [104, 224, 217.5, 52.5]


@pytest.mark.slow
@pytest.mark.parametrize("place", [(0, 0), (1, 2), (3, 3)])
def test_an_output_shows_its_window_and_its_sum(show, place):
    page = show()
    before = frames(page)
    row, column = place
    cell(page, "output", row * 4 + column).hover()
    expect(stage(page)).to_have_attribute("data-looking", f"output:{row * 4 + column}")
    assert lit(page, "input") == window(row, column)
    value, right = terms(said(page))
    np.testing.assert_allclose(value, CONVOLVED[row, column], atol=1e-6)
    np.testing.assert_allclose(right, CONVOLVED[row, column], atol=1e-6)
    # What follows from it alone is part of its line.
    assert said(page).endswith(f"→ ReLU → {max(0, CONVOLVED[row, column]):g}")
    # Each covered cell has the shade of the weight that lies on it.
    for a, number_there in enumerate(window(row, column)):
        fills = [
            one.evaluate("cell => getComputedStyle(cell).backgroundColor")
            for one in (cell(page, "kernel", a), cell(page, "input", number_there))
        ]
        assert fills[0] == fills[1]
    assert frames(page) == before


@pytest.mark.slow
def test_an_input_shows_what_it_feeds_and_shift_turns_a_chain_round(show):
    page = show()
    before = frames(page)
    cell(page, "input", 1 * 6 + 1).hover()
    fed = [r * 4 + c for r in range(2) for c in range(2)]
    assert lit(page, "output") == fed
    assert lit(page, "pooled", "far") == [0]
    assert "feeds 4 cells" in said(page)
    cell(page, "activated", 5).hover()
    assert lit(page, "output") == [5] and lit(page, "input", "far") == window(1, 1)
    page.keyboard.down("Shift")
    expect(cell(page, "pooled", 0)).to_have_class(re.compile("lit"))
    assert lit(page, "output") == []
    page.keyboard.up("Shift")
    expect(cell(page, "output", 5)).to_have_class(re.compile("lit"))
    assert frames(page) == before


def test_a_weight_shows_all_it_multiplies_and_with_shift_what_it_adds_to(show):
    page = show()
    cell(page, "kernel", 5).hover()
    assert lit(page, "input") == sorted((1 + r) * 6 + 2 + c for r in range(4) for c in range(4))
    assert lit(page, "output") == []
    page.keyboard.down("Shift")
    expect(cell(page, "output", 0)).to_have_class(re.compile("lit"))
    assert lit(page, "output") == list(range(16)) and lit(page, "input") == []
    page.keyboard.up("Shift")
    stage(page).get_by_role("button", name="Reverse").click()
    cell(page, "kernel", 5).hover()
    assert lit(page, "output") == list(range(16))


def test_a_pooled_cell_looks_back_through_all_that_made_it(show):
    page = show()
    cell(page, "pooled", 1).hover()
    assert lit(page, "activated") == [2, 3, 6, 7] and lit(page, "output", "far") == [2, 3, 6, 7]
    assert lit(page, "input", "far") == sorted({i for r in (0, 1) for c in (2, 3) for i in window(r, c)})
    assert said(page) == "max(0, 0, 224, 213.5) = 224"
    expect(cell(page, "activated", 6)).to_have_class(re.compile("decides"))


def test_steps_go_through_the_outputs_without_the_server(show):
    page = show("large")
    before = frames(page)
    trace = STAGES["large"]().links[0].trace
    forward = stage(page).get_by_role("button", name="Step forward")
    for step in range(1, 4):
        forward.click()
        expect(stage(page)).to_have_attribute("data-step", str(step))
        assert lit(page, "output", "now") == [step]
    stage(page).get_by_role("button", name="Step back").click()
    expect(stage(page)).to_have_attribute("data-step", "2")
    scrub = stage(page).get_by_role("slider", name="Step")
    scrub.fill("130")
    expect(stage(page)).to_have_attribute("data-step", "130")
    here = slice(trace.starts[130], trace.starts[131])
    assert set(lit(page, "input")) == set(trace.sources[here].tolist())
    assert board(page, "output").locator(".cell.pale").count() == 256 - 131
    total = re.search(r"= ([−\d.]+) → ReLU", said(page)).group(1)
    np.testing.assert_allclose(number(total), trace.before.flat[130], rtol=1e-3)
    stage(page).get_by_role("button", name="First step").click()
    expect(stage(page)).to_have_attribute("data-step", "0")
    assert frames(page) == before


def test_playing_waits_while_one_looks_and_goes_on_where_it_was(show):
    page = show(motion="no-preference")
    before = frames(page)
    stage(page).get_by_label("Speed").select_option("10")
    stage(page).get_by_role("button", name="Play").click()
    page.wait_for_function("stage => Number(stage.dataset.step) >= 3", arg=stage(page).element_handle())
    cell(page, "input", 35).hover()
    held = stage(page).get_attribute("data-step")
    page.wait_for_timeout(500)
    assert stage(page).get_attribute("data-step") == held
    assert board(page, "output").locator(".cell.ghost, .cell.now").count()
    page.mouse.move(5, 5)
    page.wait_for_function(
        "([stage, held]) => Number(stage.dataset.step) > held", arg=[stage(page).element_handle(), int(held)]
    )
    stage(page).get_by_role("button", name="Pause").click()
    assert not stage(page).get_attribute("data-playing")
    assert frames(page) == before


def test_the_first_visit_plays_by_itself_unless_motion_is_unwanted(show):
    page = show(motion="no-preference", playing="")
    page.wait_for_function("stage => Number(stage.dataset.step) >= 1", arg=stage(page).element_handle())
    assert stage(page).locator(".sum").get_attribute("aria-live") == "off"
    calm = show(motion="reduce", playing="")
    calm.wait_for_timeout(1500)
    assert stage(calm).get_attribute("data-step") == "0"
    assert cell(calm, "input", 0).evaluate("cell => getComputedStyle(cell).transitionDuration") == "0s"


def test_a_click_pins_escape_lets_go_and_both_are_told(show):
    page = show()
    cell(page, "output", 6).click()
    expect(stage(page)).to_have_attribute("data-pinned", "output:6")
    expect(page.get_by_text("cell: 6")).to_be_visible()
    page.mouse.move(5, 5)
    expect(cell(page, "input", 2 * 6 + 3)).to_have_class(re.compile("lit"))
    assert lit(page, "input") == window(1, 2)
    cell(page, "input", 0).hover()
    assert lit(page, "output") == [0]
    page.mouse.move(5, 5)
    page.keyboard.press("Escape")
    expect(stage(page)).not_to_have_attribute("data-pinned", re.compile("."))
    expect(page.get_by_text("cell: -1")).to_be_visible()


def test_the_keyboard_does_all(show):
    page = show()
    before = frames(page)
    cell(page, "output", 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(stage(page)).to_have_attribute("data-looking", "output:5")
    assert lit(page, "input") == window(1, 1)
    page.keyboard.press("End")
    expect(stage(page)).to_have_attribute("data-looking", "output:7")
    assert board(page, "output").locator('.cell[tabindex="0"]').count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("b")
    expect(stage(page)).to_have_attribute("data-step", "1")
    assert frames(page) == before
    page.keyboard.press("Space")
    expect(stage(page).get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    cell(page, "output", 7).focus()
    page.keyboard.press("Enter")
    expect(stage(page)).to_have_attribute("data-pinned", "output:7")


def test_a_tap_looks_and_a_second_one_pins_or_writes(show):
    page = show("editable", width=390, height=800, touch=True)
    cell(page, "output", 14).tap()
    expect(stage(page)).to_have_attribute("data-looking", "output:14")
    assert not stage(page).get_attribute("data-pinned")
    cell(page, "output", 14).tap()
    expect(stage(page)).to_have_attribute("data-pinned", "output:14")
    cell(page, "kernel", 4).tap()
    expect(stage(page)).to_have_attribute("data-looking", "kernel:4")
    cell(page, "kernel", 4).tap()
    expect(cell(page, "kernel", 4).locator("input")).to_be_focused()


def padded(x, kernel):
    wide = np.pad(x, 1)
    return np.array([[(wide[r : r + 3, c : c + 3] * kernel).sum() for c in range(6)] for r in range(6)])


def test_an_edit_shows_at_once_is_sent_once_and_keeps_step_and_pin(show):
    page = show("editable")
    for _ in range(7):
        stage(page).get_by_role("button", name="Step forward").click()
    cell(page, "output", 14).click()
    expect(page.get_by_text("cell: 14")).to_be_visible()
    wait_until_idle(page)
    before = frames(page)
    cell(page, "kernel", 4).dblclick()
    field = cell(page, "kernel", 4).locator("input")
    field.fill("2,5")
    field.press("Enter")
    assert cell(page, "kernel", 4).text_content() == "2.5"
    expect(page.get_by_text("edits: 1")).to_be_visible()
    changed = KERNEL.copy()
    changed[1, 1] = 2.5
    expect(cell(page, "output", 0)).to_have_text(
        re.compile(re.escape(f"{padded(X, changed)[0, 0]:g}".replace("-", "−")))
    )
    np.testing.assert_allclose(drawn(page, "output"), padded(X, changed).ravel(), rtol=1e-3)
    assert stage(page).get_attribute("data-step") == "7"
    assert stage(page).get_attribute("data-pinned") == "output:14"
    assert frames(page) - before <= 1
    expect(board(page, "output")).not_to_have_class(re.compile("pending"))


def test_answers_that_come_while_one_types_take_nothing_out_of_the_hand(show):
    page = show("editable")
    cell(page, "input", 9).focus()
    # Slower than an answer: each comes in the middle of a number.
    for number in ("125", "345", "565", "785"):
        page.keyboard.type(number, delay=70)
        page.keyboard.press("Tab")
    expect(page.get_by_text("edits: 4")).to_be_visible()
    wait_until_idle(page)
    assert [cell(page, "input", 9 + place).text_content() for place in range(4)] == ["125", "345", "565", "785"]
    changed = X.copy()
    changed[0, :4] = [125, 345, 565, 785]
    np.testing.assert_allclose(drawn(page, "output"), padded(changed, KERNEL).ravel(), rtol=1e-3)


def test_typing_arrows_and_bad_text(show):
    page = show("editable")
    # The first cell of the input behind its ring.
    cell(page, "input", 9).focus()
    page.keyboard.type("-7")
    page.keyboard.press("ArrowDown")
    expect(stage(page)).to_have_attribute("data-looking", "input:17")
    assert cell(page, "input", 9).text_content() == "−7"
    expect(page.get_by_text("edits: 1")).to_be_visible()
    page.keyboard.type("1/8")
    page.keyboard.press("Enter")
    expect(page.get_by_text("edits: 2")).to_be_visible()
    assert cell(page, "input", 17).text_content() == "0.125"
    page.keyboard.press("Enter")
    page.keyboard.type("abc")
    page.keyboard.press("Enter")
    expect(stage(page).locator(".complaint")).to_contain_text("“abc” is not a number")
    page.keyboard.press("Escape")
    assert cell(page, "input", 17).text_content() == "0.125"
    # A cell of the padding cannot be written.
    cell(page, "input", 0).dblclick()
    assert stage(page).locator(".cell input").count() == 0
    changed = X.copy()
    changed[0, 0], changed[1, 0] = -7, 0.125
    np.testing.assert_allclose(drawn(page, "output"), padded(changed, KERNEL).ravel(), rtol=1e-3, atol=1e-6)


def test_a_block_from_a_spreadsheet_is_pasted(show, stage_url):
    page = show("editable")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stage_url)
    write = "text => navigator.clipboard.writeText(text)"
    page.evaluate(write, "1,5\t−2\n3\t4\n")
    cell(page, "input", 2 * 8 + 3).click()
    page.keyboard.press("Control+v")
    expect(page.get_by_text("edits: 1")).to_be_visible()
    changed = X.copy()
    changed[1:3, 2:4] = [[1.5, -2], [3, 4]]
    expect(cell(page, "input", 2 * 8 + 3)).to_have_text("1.5")
    wait_until_idle(page)
    np.testing.assert_allclose(drawn(page, "output"), padded(changed, KERNEL).ravel(), rtol=1e-3, atol=1e-6)
    page.evaluate(write, "1\tzwei")
    cell(page, "kernel", 0).click()
    page.keyboard.press("Control+v")
    expect(stage(page).locator(".complaint")).to_contain_text("“zwei” is not a number")
    assert cell(page, "kernel", 0).text_content() == "−0.7"
    # What lies outside the board is left out.
    page.evaluate(write, "9 9 9\n9 9 9")
    cell(page, "kernel", 8).click()
    page.keyboard.press("Control+v")
    expect(page.get_by_text("edits: 2")).to_be_visible()
    assert drawn(page, "kernel")[-2:] == [-0.4, 9]


def test_a_stroke_draws_and_is_sent_once(show):
    page = show("editable")
    stage(page).get_by_role("button", name="Draw").click()
    stage(page).get_by_label("Value to draw").fill("8")
    boxes = [cell(page, "input", 8 * (row + 1) + 1).bounding_box() for row in range(3)]
    page.mouse.move(boxes[0]["x"] + 9, boxes[0]["y"] + 9)
    page.mouse.down()
    page.mouse.move(boxes[2]["x"] + 9, boxes[2]["y"] + 9, steps=12)
    page.mouse.up()
    expect(page.get_by_text("edits: 1")).to_be_visible()
    changed = X.copy()
    changed[:3, 0] = 8
    assert [drawn(page, "input")[8 * (row + 1) + 1] for row in range(3)] == [8, 8, 8]
    wait_until_idle(page)
    np.testing.assert_allclose(drawn(page, "output"), padded(changed, KERNEL).ravel(), rtol=1e-3, atol=1e-6)


def test_an_unrelated_rerun_changes_nothing(show):
    page = show()
    for _ in range(4):
        stage(page).get_by_role("button", name="Step forward").click()
    handle = cell(page, "output", 4).element_handle()
    page.get_by_role("button", name="Run again").click()
    wait_until_idle(page)
    assert stage(page).get_attribute("data-step") == "4"
    assert handle.evaluate("cell => cell.isConnected && cell.classList.contains('now')")


def test_hidden_numbers_stay_hidden(show):
    page = show(hidden="1")
    for name in ("output", "activated", "pooled"):
        assert set(board(page, name).locator(".cell").all_text_contents()) == {"?"}
    cell(page, "output", 5).hover()
    assert said(page).endswith("= ? → ReLU → ?")
    assert "104" not in page.locator(".st-key-stage").inner_text()


def test_several_channels_have_subtotals(show):
    page = show("colour")
    cell(page, "output", 3).hover()
    trace = STAGES["colour"]().links[0].trace
    here = slice(trace.starts[3], trace.starts[4])
    channels = trace.sources[here] % 3
    products = trace.source.reshape(-1)[trace.sources[here]] * trace.factors[here]
    text = said(page)
    for channel, name in enumerate(("red", "green", "blue")):
        subtotal = re.search(rf"{name}: [^=]* = (\S+)", text).group(1)
        np.testing.assert_allclose(number(subtotal), products[channels == channel].sum())
    np.testing.assert_allclose(number(text.rsplit("= ", 1)[1]), trace.target.flat[3])
    # The weights of the other filter stay out of it.
    assert lit(page, "kernel") == sorted(trace.weight_cells[here].tolist())


def test_a_scattering_run_stamps_and_adds_up(show):
    page = show("scatter")
    trace = STAGES["scatter"]().links[0].trace
    targets = np.repeat(np.arange(trace.target.size), np.diff(trace.starts))
    for _ in range(3):
        stage(page).get_by_role("button", name="Step forward").click()
    assert lit(page, "input", "now") == [3]
    assert lit(page, "output") == sorted(targets[trace.sources == 3].tolist())
    sums = np.zeros(trace.target.size)
    so_far = trace.sources <= 3
    np.add.at(sums, targets[so_far], (trace.source.reshape(-1)[trace.sources] * trace.factors)[so_far])
    assert drawn(page, "output") == sums.tolist()
    stage(page).get_by_role("slider", name="Step").fill("8")
    assert drawn(page, "output") == trace.target.ravel().tolist()
    # Another view of the output, and the matrix, are lit by the same look.
    cell(page, "overlap", 16).hover()
    assert lit(page, "input") == sorted(trace.sources[trace.starts[16] : trace.starts[17]].tolist())
    frame = board(page, "matrix").locator("canvas").bounding_box()
    first = int(trace.sources[0])
    page.mouse.move(frame["x"] + (first + 0.5) / 9 * frame["width"], frame["y"] + 0.5 / 49 * frame["height"])
    expect(stage(page)).to_have_attribute("data-looking", "matrix:0")
    assert lit(page, "kernel") == [0] and lit(page, "output", "looked") == [0]


def test_in_a_stack_a_cell_sees_back_to_the_input_and_feeds_to_the_end(show):
    page = show("stack")
    cell(page, "layer 4", 15).hover()
    ring = board(page, "input").locator(".cell.ring").count()
    seen = sorted(set(lit(page, "input", "far")) | set(lit(page, "input")))
    assert [one - ring for one in seen] == list(range(16))  # dilation 1, 2, 4, 8 looks back 15 steps
    assert stage(page).locator("svg.lines g.some path").count() == 2 + 4 + 8 + 16
    cell(page, "input", ring).hover()
    assert board(page, "layer 4").locator(".cell.far").count() == 16


def test_a_letter_of_the_formula_lights_what_it_stands_for(show):
    page = show("formula")
    letter = stage(page).get_by_role("button", name="k: rows of the kernel")
    letter.hover()
    assert lit(page, "kernel", "lettered") == [0, 3, 6]
    expect(stage(page).locator(".meaning")).to_have_text("k: rows of the kernel = 3")
    letter.focus()
    page.keyboard.press("Tab")
    assert lit(page, "output", "lettered") == [0] and lit(page, "kernel", "lettered") == []


def test_marked_cells_are_pointed_out_in_words_too(show):
    page = show("marked")
    assert lit(page, "output", "marked") == [6]
    expect(board(page, "output")).to_contain_text("changed")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lecture", "large", "colour", "scatter", "stack", "max", "editable"])
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_stages_are_accessible_and_fit(show, name, width, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = show(name, width=width, theme=theme)
    assert overflow_pixels(page) <= 0
    for _ in range(2):
        stage(page).get_by_role("button", name="Step forward").click()
    for looked in (None, "output", "input"):
        if looked and board(page, looked).count():
            board(page, looked).locator(".cell:not(.ring)").first.hover()
        page.wait_for_timeout(150)
        ours = [
            (one["id"], node["target"][-1], node["failureSummary"])
            for one in Axe().run(page, {"include": [[".st-key-stage"]]}).response["violations"]
            for node in one["nodes"]
        ]
        assert not ours, ours[:3]


@pytest.mark.slow
def test_a_beamer_shows_large_cells(show):
    page = show("max")
    assert cell(page, "input", 0).bounding_box()["width"] >= 48
    page = show("lecture")
    assert cell(page, "input", 0).bounding_box()["width"] >= 40


def test_a_step_changes_marks_and_builds_no_board_anew(show):
    """How long a step takes to paint is measured by the benchmark of the stage; here, that it has little to do."""
    page = show("large")
    changed = page.evaluate(
        """async () => {
            const host = document.querySelector('.st-key-stage');
            const walk = (node) => node.shadowRoot ? node.shadowRoot : [...node.children].map(walk).find(Boolean);
            const root = walk(host) || host;
            const forward = root.querySelector('[aria-label="Step forward"]');
            const seen = {added: 0, marked: 0};
            const watcher = new MutationObserver((records) => {
                for (const record of records) {
                    if (record.type === 'childList') seen.added += record.addedNodes.length;
                    else seen.marked += 1;
                }
            });
            watcher.observe(root.querySelector('.boards'), {subtree: true, childList: true, attributes: true});
            for (let step = 0; step < 60; step++) forward.click();
            await new Promise((done) => setTimeout(done));
            return {...seen, cells: root.querySelectorAll('.boards *').length};
        }"""
    )
    assert changed["added"] == 0, "the boards stay"
    assert 0 < changed["marked"] / 60 < changed["cells"], "a step touches fewer marks than there are elements"
