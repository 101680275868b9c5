"""Scenes with stored results: what starts by itself, what waits for a click, what is shown meanwhile."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.gradient_flow.depth_results import DegradationPlan, VanishingPlan
from explorer.gradient_flow.stored_results import stored
from explorer.interface import jobs
from explorer.interface.gradient_flow import stepwise

PAGE = Path(__file__).parents[3] / "pages" / "gradient_flow.py"


@pytest.fixture
def started(monkeypatch) -> list[Any]:
    """The plans that jobs were started with; none of them ever runs, and each is refused."""
    plans: list[Any] = []

    def start(key: str, name: str, **more: Any) -> None:
        plans.append(more["plan"])
        raise jobs.JobRefused("There are too many of you just now.")

    monkeypatch.setattr(stepwise.jobs, "start", start)
    return plans


def opened(scene: str, **parameters: Any) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=120)
    app.query_params["gradient_flow_scene"] = scene
    for name, value in parameters.items():
        app.query_params[f"gradient_flow_{name}"] = str(value)
    app.run()
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    return " ".join(str(each.value) for each in app.caption)


def test_what_comes_with_the_app_needs_no_computing(started) -> None:
    assert "Computed beforehand, seed 0." in captions(opened("degradation"))
    assert started == []


def test_a_link_to_other_settings_starts_by_itself_and_a_refusal_is_told(started) -> None:
    app = opened("degradation", deg_seed=3, deg_epochs=4)
    assert started == [DegradationPlan(seed=3, epochs=4)]
    assert "too many of you" in captions(app)
    app.run()
    assert len(started) == 1  # not again and again


def test_changed_settings_wait_for_the_button_and_what_was_seen_stays(started) -> None:
    app = opened("degradation")
    app.slider(key="gradient_flow_deg_deep").set_value(30).run()
    assert started == []
    assert "what is shown is of the former ones" in captions(app)
    assert any("6 → 50 layers" in str(each.value) for each in app.markdown)
    app.button(key="gradient_flow_degradation_start").click().run()
    assert started == [DegradationPlan(deep=30)]


def test_gradients_follow_every_change_at_once(started) -> None:
    app = opened("vanishing")
    app.slider(key="gradient_flow_van_depth").set_value(10).run()
    assert started == [VanishingPlan(depth=10)]


def test_another_seed_is_the_next_one_and_stands_in_the_link(started) -> None:
    app = opened("degradation")
    app.button(key="gradient_flow_degradation_another").click().run()
    assert started == [DegradationPlan(seed=1)]
    assert app.number_input(key="gradient_flow_deg_seed").value == 1


def test_work_that_gave_way_goes_on_from_its_state() -> None:
    assert stepwise.unfinished(SimpleNamespace(state=None), {}) is None
    assert stepwise.unfinished(SimpleNamespace(state=b"so far"), {}) == {"state": b"so far"}
    assert stepwise.unfinished(stored(VanishingPlan()), {}) is None
