"""Networks of training runs on the other pages: who finds which in the list, and what a link to another's says."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.interface import network_choice, runs_service
from explorer.interface.feature_maps import view
from explorer.interface.work import WorkFailed
from explorer.networks import catalogue
from explorer.runs import trained
from explorer.runs.folder import create, finish
from explorer.runs.record import Run, new_config
from explorer.runs.trained import TrainedModel, file_of, name_of, write_model
from explorer.settings import Settings

PAGE = Path(__file__).parents[2] / "pages" / "feature_maps.py"
ANNA, BEN = "a" * 32, "b" * 32
NETWORK = "feature_maps_network"


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the worker: it notes which network was looked at, and has no answer."""
    asked: list[str] = []

    def overview_of(network: str, *_: object) -> None:
        asked.append(network)
        raise WorkFailed("There is no worker in this test.")

    monkeypatch.setattr(view, "overview_of", overview_of)
    return asked


@pytest.fixture
def visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the page as a visitor, with what the link says."""
    settings = Settings(runs_folder=tmp_path)
    for module in (runs_service, trained):
        monkeypatch.setattr(module, "get_settings", lambda: settings)

    def open_page(who: str, **link: str) -> AppTest:
        monkeypatch.setattr(network_choice, "visitor_id", lambda: who)
        app = AppTest.from_file(str(PAGE), default_timeout=60)
        for name, value in link.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return open_page


@pytest.fixture
def ended(tmp_path: Path) -> Callable[..., Run]:
    """A run that was stopped after it had saved its networks."""

    def make(owner: str = ANNA, title: str = "Transfer", variants: tuple[str, ...] = ("",), **fields: object) -> Run:
        run = create(tmp_path, new_config(task="count", owner=owner, title=title, versions={}))
        for variant in variants:
            (run.folder / file_of(variant)).write_bytes(b"the worker reads it, not the page")
            said = {"variant": variant, "title": variant.replace("-", " "), "classes": ("a", "b")}
            write_model(run.folder, TrainedModel(file=file_of(variant), input_size=(16, 16), **said))
        finish(run.folder, "stopped")
        return run

    return make


def options(app: AppTest) -> list[str]:
    return list(app.selectbox(key=NETWORK).options)


def test_own_networks_stand_after_the_bundled_pair_newest_first(
    visitor: Callable[..., AppTest], ended: Callable[..., Run], worker: list[str]
) -> None:
    older, newer = ended(), ended(title="Noise", variants=("fine-tuned", "frozen"))
    ended(BEN)
    at = f"{datetime.datetime.now(datetime.UTC):%H:}"
    app = visitor(ANNA)
    bundled, own, others = options(app)[:2], options(app)[2:5], options(app)[5:]
    assert bundled == ["Drawn world", "Drawn world, robust"]
    assert [each.split(", ")[0] for each in own] == ["Noise", "Noise", "Transfer"]
    assert [each.split(" · ")[1:] for each in own] == [["fine tuned"], ["frozen"], []]
    assert all(f", {at}" in each for each in own) or datetime.datetime.now(datetime.UTC).minute == 0  # the hour ended
    assert len(others) == len(catalogue.entries()) - 2
    app.selectbox(key=NETWORK).select(name_of(older.id)).run()
    assert worker[-1] == name_of(older.id)
    assert visitor(ANNA, feature_maps_network=own[2]).selectbox(key=NETWORK).value == name_of(older.id)
    assert visitor(ANNA, feature_maps_network=name_of(newer.id, "frozen")).selectbox(key=NETWORK).value == name_of(
        newer.id, "frozen"
    )
    assert worker[-1] == name_of(newer.id, "frozen")


def test_another_visitor_s_network_is_not_opened_and_the_page_says_so(
    visitor: Callable[..., AppTest], ended: Callable[..., Run], worker: list[str]
) -> None:
    run = ended()
    app = visitor(BEN, feature_maps_network=name_of(run.id))
    assert worker == ["drawn_plain"]
    assert [each.value for each in app.warning if each.value == network_choice.NOT_HERE]
    assert not any("Transfer" in each for each in options(app))
    app.run()
    assert [each.value for each in app.warning if each.value == network_choice.NOT_HERE]
    app.selectbox(key=NETWORK).select("drawn_robust").run()
    assert not [each for each in app.warning if each.value == network_choice.NOT_HERE]
    assert not [each for each in visitor(BEN).warning if each.value == network_choice.NOT_HERE]


@pytest.mark.slow
def test_who_has_the_run_s_link_opens_its_network_also_later_in_the_session(
    visitor: Callable[..., AppTest], ended: Callable[..., Run], worker: list[str]
) -> None:
    run = ended()
    app = visitor(BEN, feature_maps_network=name_of(run.id), run_key=run.config.link_key)
    assert worker == [name_of(run.id)]
    assert [each for each in options(app) if each.startswith("Transfer, ")][0].endswith(" (shared)")
    del app.query_params["run_key"]
    app.run()
    assert worker[-1] == name_of(run.id)
    visitor(BEN, feature_maps_network=name_of(run.id), run_key="0" * 32)
    assert worker[-1] == "drawn_plain"


def test_two_networks_of_one_minute_and_title_are_told_apart(
    visitor: Callable[..., AppTest], ended: Callable[..., Run]
) -> None:
    runs = [ended(), ended()]
    printed = options(visitor(ANNA))[2:4]
    assert len(set(printed)) == 2
    if runs[0].config.created // 60 == runs[1].config.created // 60:
        assert all(run.id[-6:] in text for run, text in zip(runs[::-1], printed, strict=True))


@pytest.mark.slow
def test_a_network_that_is_deleted_while_it_is_looked_at_gives_way(
    visitor: Callable[..., AppTest], ended: Callable[..., Run], worker: list[str]
) -> None:
    run = ended()
    app = visitor(ANNA, feature_maps_network=name_of(run.id))
    runs_service.delete(ANNA, run.id)
    app.run()
    assert not app.exception
    assert worker == [name_of(run.id), "drawn_plain"]
