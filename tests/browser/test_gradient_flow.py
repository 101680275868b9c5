"""The gradient flow page by hand: races and walks play in the browser, and the server hears nothing of it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.gradient_flow.race import race
from explorer.gradient_flow.sigmoid_walk import sigmoid_parameters, sigmoid_walk
from explorer.gradient_flow.surfaces import valley
from tests.browser.conftest import overflow_pixels, wait_until_idle


@pytest.fixture
def show(visitor, app_url):
    """Open a scene; what is handed out is the page and the growing list of what it sends."""
    watching = []

    def go(scene, *, width=1440, height=900, theme="light", motion="reduce", **parameters):
        sent = []

        def watch(socket):
            socket.on("framesent", lambda payload: sent.append(len(payload or b"")))

        query = urlencode({f"gradient_flow_{name}": value for name, value in {"scene": scene, **parameters}.items()})
        page = visitor("about:blank", width=width, height=height, theme=theme, reduced_motion=motion)
        page.on("websocket", watch)
        watching.append((page, watch))
        page.goto(f"{app_url}/gradient_flow?{query}")
        stage(page).wait_for()
        if width > 640:
            # A page that was opened before the worker was there looks for it every other second.
            page.get_by_text("Computes on").wait_for()
            page.reload()
            stage(page).wait_for()
        wait_until_idle(page)
        page.wait_for_timeout(1500)  # the theme is told after the first run
        wait_until_idle(page)
        return page, sent

    yield go
    for page, watch in watching:
        page.remove_listener("websocket", watch)


def stage(page):
    return page.locator(".race, .walk").first


def step_of(page):
    return int(stage(page).get_attribute("data-step"))


@pytest.mark.slow
def test_a_race_plays_to_its_end_without_a_message_to_the_server(show):
    page, sent = show("optimisers", motion="no-preference", opt_steps=60)
    expect(stage(page)).to_have_attribute("data-step", "60")
    before = len(sent)
    stage(page).get_by_role("button", name="First step").click()
    expect(stage(page)).to_have_attribute("data-step", "0")
    stage(page).get_by_label("Speed").select_option("60")
    stage(page).get_by_role("button", name="Play").click()
    expect(stage(page)).to_have_attribute("data-step", "60")
    expect(stage(page)).not_to_have_attribute("data-playing", "")
    stage(page).get_by_role("slider", name="Step").fill("20")
    stage(page).get_by_role("button", name="Step forward").click()
    expect(stage(page)).to_have_attribute("data-step", "21")
    page.keyboard.press("b")
    expect(stage(page)).to_have_attribute("data-step", "20")
    assert len(sent) == before


@pytest.mark.slow
def test_the_table_beside_a_race_has_the_losses_of_the_step(show):
    page, _ = show("optimisers", opt_shown="sgd,momentum,adam")
    found = race(valley(), valley().rates, steps=150)
    stage(page).get_by_role("slider", name="Step").fill("45")
    expect(stage(page)).to_have_attribute("data-step", "45")
    rows = stage(page).locator("tbody tr")
    assert rows.count() == 3
    for number, name in enumerate(("sgd", "momentum", "adam")):
        path = found.paths[name]
        loss = float(rows.nth(number).locator(".loss").inner_text().replace("−", "-"))
        assert loss == pytest.approx(path.losses[45], rel=1e-3)
        arrived = path.arrived_at is not None and path.arrived_at <= 45
        expect(rows.nth(number).locator(".fate")).to_have_text(
            f"arrived at step {path.arrived_at}" if arrived else "under way"
        )


@pytest.mark.slow
def test_what_asks_for_calm_sees_the_end_of_the_race_at_once(show):
    page, _ = show("optimisers", opt_steps=80)
    assert step_of(page) == 80


@pytest.mark.slow
def test_a_click_on_the_surface_starts_there_and_the_link_knows(show):
    page, _ = show("optimisers")
    surface = stage(page).locator(".surface")
    box = surface.bounding_box()
    # The picture begins right of its numbers and ends above those below.
    across, down = box["width"] - 36, box["height"] - 20
    surface.click(position={"x": 34 + 0.75 * across, "y": 0.25 * down})
    page.wait_for_url(re.compile("gradient_flow_opt_start"))
    wait_until_idle(page)
    x, y = (float(part) for part in re.search(r"opt_start=([-\d.]+)%2C([-\d.]+)", page.url).groups())
    assert x == pytest.approx(5, abs=0.1) and y == pytest.approx(2, abs=0.1)
    expect(page.get_by_text("Steps until 1\u00a0% of the height is left")).to_be_visible()


def drawn(page, board):
    texts = page.locator(f'.walk .board[data-board="{board}"] .cell').all_text_contents()
    return [float(text.replace("−", "-")) if text else None for text in texts]


@pytest.mark.slow
def test_a_walk_is_stepped_without_a_message_and_shows_what_it_reads(show):
    page, sent = show("backpropagation")
    walk = sigmoid_walk(sigmoid_parameters())
    before = len(sent)
    forward = stage(page).get_by_role("button", name="Step forward")
    for step in range(1, 6):
        forward.click()
        expect(stage(page)).to_have_attribute("data-step", str(step))
        assert stage(page).locator(".cell.read").count() == len(set(walk.steps[step].reads))
        assert stage(page).locator(".formula").inner_text() == walk.steps[step].formula
        assert stage(page).locator(".sum").inner_text() == "".join(text for text, _ in walk.steps[step].pieces)
    assert drawn(page, "at_o") == [None, None]
    stage(page).get_by_label("Part").select_option(label="Gradient descent")
    np.testing.assert_allclose(drawn(page, "at_w"), walk.boards["at_w"].values.ravel(), atol=6e-4)
    page.locator('.walk .board[data-board="at_h"] .cell').first.click()
    assert walk.steps[step_of(page)].writes == ("at_h", 0)
    stage(page).get_by_label("Speed").select_option("20")
    stage(page).get_by_role("button", name="Play").click()
    expect(stage(page)).to_have_attribute("data-step", str(len(walk.steps) - 1))
    assert len(sent) == before


@pytest.mark.slow
def test_a_number_that_is_typed_over_changes_the_walk_where_one_stands(show):
    page, _ = show("backpropagation")
    stage(page).get_by_role("slider", name="Step").fill("8")
    cell = page.locator('.walk .board[data-board="x"] input').first
    cell.fill("2")
    cell.press("Enter")
    page.wait_for_url(re.compile("gradient_flow_hand_edits=x.0"))
    wait_until_idle(page)
    changed = sigmoid_walk({**sigmoid_parameters(), "x": np.array([2.0, -1.0])})
    expect(page.locator('.walk .board[data-board="loss"] .cell')).to_have_text(
        f"{changed.loss:.3f}".rstrip("0").rstrip(".")
    )
    assert step_of(page) == 8
    cell.fill("much")
    cell.press("Enter")
    expect(cell).to_have_value("2")


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "parameters"), [
    ("optimisers", {}), ("backpropagation", {"hand_network": "conv"}), ("backpropagation", {}),
])  # fmt: skip
def test_a_phone_shows_the_stage_on_its_first_screen(show, scene, parameters):
    page, _ = show(scene, width=390, height=844, **parameters)
    assert overflow_pixels(page) == 0
    assert stage(page).bounding_box()["y"] < 520
    assert stage(page).get_by_role("button", name="Play").bounding_box()["y"] < 844


def blocks_of(page):
    return page.locator(".st-key-gradient_flow_path_blocks").get_by_role("slider")


@pytest.mark.slow
def test_a_scene_keeps_its_settings_while_another_is_looked_at_until_the_page_is_reset(visitor, app_url):
    page = visitor(f"{app_url}/gradient_flow?gradient_flow_scene=paths")
    expect(blocks_of(page)).to_have_value("24")
    blocks_of(page).press("ArrowRight")
    page.wait_for_url(re.compile("path_blocks=25"))
    wait_until_idle(page)
    scenes = page.locator(".st-key-gradient_flow_scenes")
    scenes.get_by_text("Degradation").click()
    expect(page.locator(".st-key-gradient_flow_deg_deep")).to_be_visible()
    wait_until_idle(page)
    scenes.get_by_text("Paths").click()
    expect(blocks_of(page)).to_have_value("25")
    wait_until_idle(page)
    page.locator(".st-key-gradient_flow_more").get_by_role("button").first.click()
    page.get_by_role("button", name="Reset this page").click()
    # The first scene is a default, too.
    expect(page.get_by_text("What does an activation let through")).to_be_visible()
    page.wait_for_url(lambda url: "path_blocks" not in url)
    scenes.get_by_text("Paths").click()
    expect(blocks_of(page)).to_have_value("24")


@pytest.mark.slow
def test_back_leads_in_one_step_to_the_scene_or_view_before_with_its_settings(visitor, app_url):
    page = visitor(f"{app_url}/gradient_flow?gradient_flow_scene=paths")
    blocks_of(page).press("ArrowRight")
    page.wait_for_url(re.compile("path_blocks=25"))
    wait_until_idle(page)
    scenes = page.locator(".st-key-gradient_flow_scenes")
    steps = page.locator(".st-key-gradient_flow_opt_steps").get_by_role("slider")
    entries = page.evaluate("history.length")
    scenes.get_by_text("Optimisers").click()
    expect(steps).to_have_value("150")
    wait_until_idle(page)
    steps.press("ArrowRight")
    page.wait_for_url(re.compile("opt_steps=160"))
    wait_until_idle(page)
    page.get_by_text("On a small network").click()
    expect(page.locator(".st-key-gradient_flow_net_epochs")).to_be_visible()
    page.wait_for_url(lambda url: "opt_view=network" in url and "opt_steps" not in url)
    scenes.get_by_text("Paths").click()
    expect(blocks_of(page)).to_have_value("25")
    wait_until_idle(page)
    assert page.evaluate("history.length") == min(entries + 3, MOST_ENTRIES)
    page.go_back()
    expect(page.locator(".st-key-gradient_flow_net_epochs")).to_be_visible()
    wait_until_idle(page)
    page.go_back()
    expect(steps).to_have_value("160")
    wait_until_idle(page)
    page.go_back()
    expect(blocks_of(page)).to_have_value("25")


@pytest.mark.slow
def test_a_race_is_started_elsewhere_by_keys_alone(show):
    page, _ = show("optimisers")
    surface = stage(page).locator(".surface")
    surface.focus()
    for key in ("Shift+ArrowRight", "ArrowUp"):
        surface.press(key)
    expect(stage(page).locator(".said")).to_contain_text("Enter starts the race from there")
    left, right, bottom, top = valley().window
    x, y = valley().start[0] + 0.1 * (right - left), valley().start[1] + 0.01 * (top - bottom)
    surface.press("Enter")
    page.wait_for_url(re.compile("gradient_flow_opt_start"))
    said = re.search(r"opt_start=([-\d.]+)%2C([-\d.]+)", page.url).groups()
    assert [float(part) for part in said] == pytest.approx([x, y], rel=1e-3)


MOST_ENTRIES = 50
"""Chromium's history of a tab holds no more."""

LINKED = {
    "activations": {"act_shown": "gelu,silu", "act_mean": 1, "act_spread": 3, "act_layers": 20, "act_seed": 4},
    "activations dense": {
        "act_batch": "dense", "act_initialiser": "he_normal", "act_fan_in": 100, "act_below": 10, "act_seed": 4,
    },
    "activations softmax": {"act_view": "softmax", "act_logits": "1, 2, 3", "act_temperature": 0.5},
    "vanishing": {"van_depth": 12, "van_activation": "tanh", "van_norm": "true", "van_steps": 10, "van_at": 4},
    "paths": {"path_network": "dense", "path_blocks": 4, "path_epochs": 2, "path_rate": 0.1, "path_seed": 2},
    "degradation": {"deg_shallow": 2, "deg_deep": 9, "deg_norm": "false", "deg_epochs": 2, "deg_seed": 3},
    "loss_surface": {
        "sur_depth": 2, "sur_scale": "log", "sur_directions": "path", "sur_resolution": 9, "sur_epochs": 2,
    },
    "optimisers": {
        "opt_surface": "himmelblau", "opt_steps": 60, "opt_start": "1,-1.5", "opt_rates": "sgd=0.005",
        "opt_shown": "sgd,adam",
    },
    "optimisers network": {
        "opt_view": "network", "net_epochs": 2, "net_activation": "tanh", "net_rates": "adam=0.01", "opt_seed": 3,
    },
    "optimisers weights": {
        "opt_view": "weights", "reg_l1": 0.01, "reg_dropout": 0.3, "reg_wrong": 10, "reg_epochs": 5, "reg_near": 0.02,
    },
    "backpropagation": {"hand_network": "conv", "hand_rate": 0.25, "hand_edits": "x.0=0.5"},
    "backpropagation random": {"hand_numbers": "random", "hand_seed": 5, "hand_outputs": 1, "hand_rate": 1},
}  # fmt: skip
"""Scenes, with settings that are not the usual ones and numbers that are computed in a moment."""


COMPUTED = {"vanishing", "paths", "degradation", "loss_surface", "optimisers network", "optimisers weights"}
"""Scenes that are computed elsewhere for seconds, and say so once they are."""

COMPUTING = 240_000
"""Milliseconds: loss surfaces are computed for longer than anything else here is waited for."""


def numbers_of(page, scene):
    """All that the scene says, once nothing is computed any more; without how long it took."""
    expect(page.get_by_text("Show the code")).to_be_visible()
    if scene in COMPUTED:
        expect(page.get_by_text("Computed in")).to_be_visible(timeout=COMPUTING)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=COMPUTING)
    wait_until_idle(page)
    texts = page.locator("[data-testid=stMarkdown], [data-testid=stCaptionContainer]").all_inner_texts()
    return [text for text in texts if text.strip() and not re.search("Computed in|Computes on", text)]


def link_of(page):
    page.get_by_role("button", name="Link").click(timeout=COMPUTING)
    code = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    code.wait_for()
    return code.inner_text().replace("\n", "").strip()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scene", LINKED)
def test_whoever_opens_a_copied_link_sees_the_same_settings_and_numbers(visitor, app_url, scene):
    settings = {"scene": scene.split()[0], **LINKED[scene]}
    query = urlencode({f"gradient_flow_{name}": value for name, value in settings.items()})
    mine = visitor(f"{app_url}/gradient_flow?{query}", reduced_motion="reduce")
    told = numbers_of(mine, scene)
    link = link_of(mine)
    said = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    for name in LINKED[scene]:
        assert f"gradient_flow_{name}" in said
    theirs = visitor(link, reduced_motion="reduce")
    assert numbers_of(theirs, scene) == told
    assert link_of(theirs) == link
    assert theirs.get_by_text("as the link says").count() == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scene", sorted(COMPUTED - {"optimisers weights"}))
def test_a_page_that_is_loaded_again_while_work_runs_comes_to_its_end(visitor, app_url, scene):
    settings = {"scene": scene.split()[0], **LINKED[scene]}
    query = urlencode({f"gradient_flow_{name}": value for name, value in settings.items()})
    page = visitor("about:blank", reduced_motion="reduce")
    page.goto(f"{app_url}/gradient_flow?{query}")
    page.get_by_test_id("stProgress").or_(page.get_by_text("Computed in")).first.wait_for()
    address = page.url
    page.reload()
    assert numbers_of(page, scene)
    assert page.url == address


@pytest.mark.slow
def test_what_is_no_number_is_refused_in_a_sentence_and_the_old_one_stays(show):
    page, _ = show("backpropagation", hand_network="conv")
    said = stage(page).locator(".refusal")
    pixel = page.locator('.walk .board[data-board="x"] input').first
    for typed in ("much", "1e300", ""):
        pixel.fill(typed)
        pixel.press("Enter")
        expect(said).to_contain_text("is no number from −1000 to 1000")
        expect(pixel).to_have_value("1")
    true_class = page.locator('.walk .board[data-board="t"] input')
    true_class.fill("4")
    true_class.press("Enter")
    expect(said).to_contain_text("a whole number from 1 to 3")
    true_class.fill("3")
    true_class.press("Enter")
    expect(said).to_be_empty()
    page.wait_for_url(re.compile("gradient_flow_hand_edits=t.0"))
