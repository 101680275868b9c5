"""The filters page as a script: what it asks of the worker, what it keeps, and what nonsense does to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.ascent.results import Frame, Growing, Grown, Plan, Quality, Sheet
from explorer.engine.call import Call
from explorer.engine.packing import pack, unpack
from explorer.engine.work import Work
from explorer.interface import jobs, work
from explorer.interface.filters import album, growing, regularising, wishes
from explorer.networks.structure import LayerInfo, LayerNode, Structure

PAGE = Path(__file__).parents[2] / "pages" / "filters.py"
GOOD = Quality(1.0, 10.0, 9.0, 0.05, False)


class StandInEngine:
    """Takes calls and leaves it to the test to run and end them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.arguments: list[dict[str, Any]] = []

    def submit(self, name: str, *, visitor: str, **arguments: Any) -> Call:
        call = Call(name, Work("a:b", "long"), visitor, pack(arguments), lambda call: call.end("stopped"))
        self.calls.append(call)
        self.arguments.append(arguments)
        return call

    def of(self, name: str) -> tuple[Call, dict[str, Any]]:
        return next(pair for pair in zip(self.calls[::-1], self.arguments[::-1], strict=True) if pair[0].name == name)


def structure_of(network: str) -> Structure:
    shapes = [("stem_relu", "ReLU", (48, 48, 24)), ("parts_1_relu", "ReLU", (12, 12, 96)), ("logits", "Dense", (12,))]
    infos = [LayerInfo(name, name, kind, shape, 0, True, shape[-1], ()) for name, kind, shape in shapes]
    return Structure(network, tuple(LayerNode(one.path) for one in infos), {one.path: one for one in infos})


def ready(network: str, layer: str = "") -> Sheet | None:
    if network != "drawn_robust" or layer:
        return None
    images = np.zeros((12, 8, 8, 3), np.uint8)
    return Sheet(network, "", Plan(network, targets=tuple(range(12))), images, tuple(range(12)), (GOOD,) * 12)


def grown(plan: Plan, *, finished: bool = True, step: int | None = None) -> Grown:
    images = np.zeros((len(plan.targets) * plan.copies, 8, 8, 3), np.uint8)
    targets = tuple(target for target in plan.targets for _ in range(plan.copies))
    step = plan.steps if step is None else step
    curve = np.ones((step, len(images)), np.float32)
    frames = (Frame(0, images), Frame(step, images))
    return Grown(plan, images, targets, (GOOD,) * len(images), curve, step, frames, {"at": step}, 2.0, "CPU", finished)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> StandInEngine:
    stand_in = StandInEngine()
    monkeypatch.setattr(jobs, "engine", lambda: stand_in)
    monkeypatch.setattr(work, "run", lambda name, **arguments: structure_of(arguments["network"]))
    monkeypatch.setattr("explorer.ascent.sheets.sheet", ready)
    return stand_in


@pytest.fixture
def open_page(engine):
    def opened(**link: str) -> AppTest:
        app = AppTest.from_file(str(PAGE), default_timeout=30)
        for name, value in link.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return opened


def texts(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.caption])


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def test_the_first_look_shows_the_ready_images_and_computes_nothing(open_page, engine):
    app = open_page()
    assert "What you see" in texts(app)
    assert app.button(key="filters_grow_button").label == "Grow all 12"
    assert engine.calls == []


def test_what_is_picked_in_the_link_grows_with_the_settings_of_the_link(open_page, engine):
    app = open_page(filters_picks="3,5", filters_steps="48", filters_parameterisation="pixels")
    assert app.button(key="filters_grow_button").label == "Grow 2 picked"
    press(app, "filters_grow_button")
    call, arguments = engine.of("ascent.grow")
    (plan,) = arguments["plans"]
    assert (plan.targets, plan.steps, plan.parameterisation) == ((3, 5), 48, "pixels")
    assert arguments["pixels"] is None
    call.begin()
    call.payloads = {0: Growing(0, 7, 48, np.zeros((2, 8, 8, 3), np.uint8), np.ones((7, 2)), 3.0, 0.02)}
    app.run()
    assert app.button(key="filters_grow_stop")
    call.end("done", result=pack((grown(plan),)))
    app.run()
    assert "2 images, 48 steps" in texts(app)
    assert app.button(key="filters_continue").label == "Grow further"


def test_a_stopped_run_keeps_its_images_and_goes_on_from_its_state(open_page, engine):
    app = press(open_page(filters_picks="4"), "filters_grow_button")
    call, arguments = engine.of("ascent.grow")
    half = grown(arguments["plans"][0], finished=False, step=80)
    call.begin()
    call.end("stopped", result=pack((half,)))
    app.run()
    assert f"stopped at step 80 of {Plan('').steps}" in texts(app)
    assert len(app.session_state["_filters_album"]) == 1
    press(app, "filters_continue")
    _, arguments = engine.of("ascent.grow")
    assert arguments["states"] == ({"at": 80},)
    assert arguments["plans"][0].steps == Plan("").steps


def test_a_finished_run_grown_further_gets_more_steps(open_page, engine):
    app = press(open_page(filters_picks="4", filters_steps="64"), "filters_grow_button")
    call, arguments = engine.of("ascent.grow")
    call.begin()
    call.end("done", result=pack((grown(arguments["plans"][0]),)))
    app.run()
    press(app, "filters_continue")
    assert engine.of("ascent.grow")[1]["plans"][0].steps == 128


def test_the_learning_rate_is_told_to_the_run_that_goes_on(open_page, engine):
    app = press(open_page(filters_picks="4"), "filters_grow_button")
    call, _ = engine.of("ascent.grow")
    call.begin()
    app.run()
    slider = next(one for one in app.slider if (one.key or "").startswith("filters_grow_rate"))
    slider.set_value(0.04).run()
    assert not app.exception
    assert call.words == {"learning_rate": 0.04}
    assert len([one for one in engine.calls if one.name == "ascent.grow"]) == 1


@pytest.mark.slow
def test_another_network_while_images_grow_says_that_they_go_on_elsewhere(open_page, engine):
    app = press(open_page(filters_picks="4"), "filters_grow_button")
    call, _ = engine.of("ascent.grow")
    call.begin()
    app.selectbox(key="filters_network").select("drawn_plain").run()
    assert not app.exception
    assert "goes on meanwhile" in texts(app)
    press(app, "filters_stop_elsewhere")
    assert call.state == "stopped"


def test_opening_an_image_asks_for_its_evidence_once_and_growing_comes_first(open_page, engine):
    app = open_page(filters_picks="4")
    assert [call.name for call in engine.calls] == ["inside.top_patches"]
    app.run()
    assert len(engine.calls) == 1
    press(app, "filters_grow_button")
    assert engine.calls[0].state == "stopped"
    assert [call.name for call in engine.calls] == ["inside.top_patches", "ascent.grow"]


def test_why_regularise_grows_four_plans_in_one_call_and_shows_each(open_page, engine, monkeypatch):
    app = press(open_page(filters_mode="regularise", filters_subject="car"), "filters_ladder_grow")
    _, arguments = engine.of("ascent.grow")
    assert len(arguments["plans"]) == 4
    assert {plan.targets for plan in arguments["plans"]} == {(5,)}
    call, _ = engine.of("ascent.grow")
    call.begin()
    # Each plan tells of itself; the second one has said nothing yet.
    images = np.zeros((1, 8, 8, 3), np.uint8)
    call.payloads = {n: Growing(n, n, 128, images + 10 * n, np.ones((n, 1)), 3.0, 0.02) for n in (3, 0, 2)}
    shown: dict[str, Any] = {}
    monkeypatch.setattr(regularising, "gallery", lambda images, tiles, **_: shown.update(images=images, tiles=tiles))
    app.run()
    assert shown["images"][:, 0, 0, 0].tolist() == [0, 0, 20, 30]
    assert [tile.state for tile in shown["tiles"]] == ["growing", "waiting", "growing", "growing"]
    call.end("done", result=pack(tuple(grown(plan) for plan in arguments["plans"])))
    app.run()
    assert not app.exception
    assert f"4 images, {Plan('').steps} steps" in texts(app)


def test_the_dream_is_of_the_visitors_picture_with_the_mix_of_the_link(open_page, engine):
    app = open_page(filters_mode="dream", filters_dream_layers="stem_relu=0.5", picture="drawn:cat:3")
    press(app, "filters_dream_start")
    _, arguments = engine.of("ascent.dream")
    assert arguments["plan"].layers == (("stem_relu", 0.5),)
    assert arguments["pixels"].shape == (384, 384, 3)


def test_a_start_from_ready_images_that_are_not_there_is_refused_in_a_sentence(open_page, engine):
    app = open_page(filters_network="drawn_plain", filters_start="sheet", filters_picks="1")
    press(app, "filters_grow_button")
    assert "no ready images to start from" in texts(app)
    assert not [call for call in engine.calls if call.name == "ascent.grow"]


@pytest.mark.slow
def test_a_ready_image_grows_again_as_it_was_grown_whatever_the_controls_say(open_page, engine):
    app = open_page(filters_picks="1,4", filters_steps="16", filters_parameterisation="pixels")
    press(app, "filters_again")
    call, arguments = engine.of("ascent.grow")
    assert arguments["plans"] == (Plan("drawn_robust", targets=(4,)),)
    call.begin()
    app.run()
    assert not [one for one in app.button if one.key == "filters_again"], "it grows already"
    call.end("done", result=pack((grown(arguments["plans"][0]),)))
    app.run()
    assert not app.exception
    assert f"1 image, {Plan('drawn_robust').steps} steps" in texts(app)
    assert not [one for one in app.button if one.key == "filters_again"], "its growth is there to be played"


def test_a_run_that_fails_says_why(open_page, engine):
    app = press(open_page(filters_picks="4"), "filters_grow_button")
    call, _ = engine.of("ascent.grow")
    call.end("failed", sentence="There is no such layer.")
    app.run()
    assert "There is no such layer." in texts(app)


@pytest.mark.parametrize("nonsense", [
    {"filters_network": "NoSuchNet", "filters_mode": "cosmos", "filters_layer": "<script>"},
    {"filters_picks": "-1,9999,abc,,1e9", "filters_page": "77", "filters_names": "maybe"},
    {"filters_mode": "channels", "filters_layer": "gone", "filters_picks": "95,96,3", "filters_page": "-2"},
    {"filters_mode": "dream", "filters_dream_layers": "x=1,,=,stem_relu=nan", "filters_octaves": "99"},
    {"filters_mode": "regularise", "filters_subject": "unicorn", "filters_seed": "-5", "filters_steps": "1e99"},
    {"filters_size": "1000000", "filters_copies": "400", "filters_weights": "none", "filters_scale": "NaN"},
])  # fmt: skip
def test_a_link_with_nonsense_shows_the_page_all_the_same(open_page, nonsense):
    app = open_page(**nonsense)
    assert app.title[0].value == "Filters"
    assert any(button.label.startswith(("Grow", "Let it dream")) for button in app.button)


def test_two_sessions_keep_their_own_images(open_page, engine):
    one = press(open_page(filters_picks="4"), "filters_grow_button")
    call, arguments = engine.of("ascent.grow")
    two = open_page(filters_picks="4")
    call.end("done", result=pack((grown(arguments["plans"][0]),)))
    one.run()
    two.run()
    assert len(one.session_state["_filters_album"]) == 1
    assert "_filters_album" not in two.session_state or not two.session_state["_filters_album"]


def test_images_of_a_session_stay_within_a_few_megabytes(monkeypatch):
    session: dict[str, Any] = {}
    monkeypatch.setattr(album.st, "session_state", session)
    view = wishes.View("drawn_robust", "trained", "")
    for target in range(40):
        plan = Plan("drawn_robust", targets=(target,))
        album.keep(view, replace(grown(plan), images=np.zeros((1, 300, 300, 3), np.uint8)))
    kept = album.kept(view)
    assert sum(one.image.nbytes for images in kept.values() for one in images) <= album.KEPT_BYTES
    assert 39 in kept and 0 not in kept
    # What has just been grown is there, however large.
    plan = Plan("drawn_robust", targets=tuple(range(16)))
    album.keep(view, replace(grown(plan), images=np.zeros((16, 400, 400, 3), np.uint8)))
    assert set(album.kept(view)) == set(range(16))


@pytest.mark.slow
def test_words_and_code_follow_what_was_grown_not_the_controls(open_page, engine):
    app = open_page(filters_class_objective="class", filters_start="grey", filters_picks="3")
    assert "The evidence for the class" in texts(app), "the ready images"
    press(app, "filters_grow_button")
    call, arguments = engine.of("ascent.grow")
    call.end("done", result=pack((grown(arguments["plans"][0]),)))
    app.run()
    app.slider(key="filters_steps").set_value(32).run()
    assert not app.exception
    shown = next(one.value for one in app.code if "Plan(" in one.value)
    assert "objective='class'" in shown and "start='grey'" in shown and "steps" not in shown
    press(app, "filters_none")
    assert "The number that each image reaches" in texts(app)
    assert "began as noise" not in texts(app)


@pytest.mark.slow
@pytest.mark.parametrize("on", [False, True], ids=["grown once", "grown further"])
def test_the_shown_code_names_the_picture_of_the_run_not_the_one_that_is_looked_at_now(open_page, engine, on):
    app = open_page(filters_start="picture", filters_picks="3")
    app.session_state["picture"] = "drawn:fish:7"
    press(app.run(), "filters_grow_button")
    call, arguments = engine.of("ascent.grow")
    call.begin()
    call.payloads = {0: Growing(0, 7, 128, np.zeros((1, 8, 8, 3), np.uint8), np.ones((7, 1)), 3.0, 0.02)}
    app.session_state["picture"] = "drawn:clock:2"

    def code() -> str:
        app.run()
        assert not app.exception
        return next(one.value for one in app.code if "Plan(" in one.value)

    assert "drawn:fish:7" in code() and "clock" not in code(), "while it grows"
    call.end("done", result=pack((grown(arguments["plans"][0]),)))
    assert "drawn:fish:7" in code() and "clock" not in code()
    if on:
        press(app, "filters_continue")
        call, arguments = engine.of("ascent.grow")
        call.end("done", result=pack((grown(arguments["plans"][0]),)))
        assert "drawn:fish:7" in code() and "clock" not in code()
    press(app, "filters_grow_button")
    call, arguments = engine.of("ascent.grow")
    call.end("done", result=pack((grown(arguments["plans"][0]),)))
    assert "drawn:clock:2" in code() and "fish" not in code()


def test_the_colours_follow_the_network(open_page, engine):
    app = open_page()
    assert app.selectbox(key="filters_colours").value == "drawn"
    app.selectbox(key="filters_network").select("MobileNetV2").run()
    assert not app.exception
    assert app.selectbox(key="filters_colours").value == "imagenet"


def test_results_of_a_job_are_what_it_handed_over():
    assert growing.results_of(None) == ()
    assert unpack(pack((1, 2))) == (1, 2)
