"""What the architectures page keeps for all visitors: made once, bounded, as if made afresh, ready at the start."""

from __future__ import annotations

import logging
import threading

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from explorer.architectures.cards import cards
from explorer.architectures.export import csv_of
from explorer.architectures.tables import table_of
from explorer.interface.architectures import kept, parts, warm
from explorer.interface.components.network_diagram import drawing_of
from explorer.interface.figures import architecture_charts as charts
from explorer.interface.theme import DARK, LIGHT

NETWORKS = ("VGG16", "NASNetMobile", "lenet5_1998", "dense_mnist")


def test_every_cache_is_bounded():
    caches = [one for one in vars(kept).values() if hasattr(one, "cache_info")]
    assert len(caches) > 10
    assert all(one.cache_info().maxsize and one.cache_info().maxsize <= 128 for one in caches)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_kept_is_what_would_be_made(name, colours):
    table = table_of(name)
    for measure in ("parameters", "multiply_adds", "activations"):
        bars = kept.bars(name, measure, colours)
        assert bars is kept.bars(name, measure, colours)
        assert bars.to_dict() == charts.layer_bars(table, measure, colours).to_dict()
        go.Figure(bars.to_dict())  # Plotly finds nothing that it does not know
        assert kept.words(name).bars[measure] == charts.layer_bars_words(table, measure)
        assert kept.drawing(name, measure) == drawing_of(table, measure=measure, title=kept.by_name()[name].title)
    go.Figure(kept.shares(name, colours).to_dict())
    assert kept.shares(name, colours).to_dict() == charts.weights_and_work(parts.shares_of(table), colours).to_dict()
    assert kept.words(name).has_field == bool(charts.field_steps(table)) == (name != "dense_mnist")


def test_each_theme_has_its_own_charts():
    light, dark = (kept.bars("VGG16", "parameters", colours).to_dict() for colours in (LIGHT, DARK))
    assert light["layout"]["font"]["color"] == LIGHT.text and dark["layout"]["font"]["color"] == DARK.text


def test_the_rows_of_a_network_add_up_to_it():
    rows, table = kept.layers("VGG16"), table_of("VGG16")
    assert sum(rows["Parameters"].to_pylist()) == 138_357_544
    assert sum(rows["Multiply-adds"].to_pylist()) == table.multiply_adds
    assert rows.num_rows == len(table.structure.layers) == csv_of(table).strip().count("\n")


def test_the_catalogue_lists_every_network_or_those_of_the_chosen_families():
    everything = kept.listed(())
    assert kept.catalogue_rows(everything).num_rows == len(everything) == len(cards())
    chosen = kept.catalogue_rows(kept.listed(("VGG",)))
    assert set(chosen["Family"].to_pylist()) == {"VGG"}


def test_only_what_differs_is_left_of_a_comparison():
    names, titles = ("VGG16", "VGG19"), ("VGG16", "VGG19")
    whole, rest = (kept.layers_beside(names, titles, only) for only in (False, True))
    assert whole.num_rows > rest.num_rows == 3, "VGG19 has three more convolutions"
    assert set(rest["VGG16"].to_pylist()) == {""}


def test_the_page_is_ready_after_the_start(monkeypatch):
    monkeypatch.setattr(warm, "BEGIN_SECONDS", 0)
    kept.accuracy.cache_clear()
    kept.bars.cache_clear()
    thread = warm.warm_in_thread()
    thread.join(120)
    assert not thread.is_alive()
    names = kept.listed(())
    before = kept.accuracy.cache_info().misses, kept.bars.cache_info().misses
    for colours in (LIGHT, DARK):
        kept.accuracy(names, "multiply_adds", colours)
        kept.bars("VGG16", "parameters", colours)
    assert (kept.accuracy.cache_info().misses, kept.bars.cache_info().misses) == before


def test_the_start_gives_way_to_a_page_that_is_being_made(monkeypatch):
    done, page_ends = [], threading.Event()
    monkeypatch.setattr(warm, "BEGIN_SECONDS", 0)
    monkeypatch.setattr(warm, "_steps", lambda: iter([lambda: done.append("step")]))

    # As Streamlit names its own.
    script = threading.Thread(target=page_ends.wait, name="ScriptRunner.scriptThread")
    script.start()
    thread = warm.warm_in_thread()
    thread.join(0.3)
    assert not done
    page_ends.set()
    script.join(60)
    thread.join(60)
    assert done == ["step"]


def test_streamlit_names_the_threads_of_pages_so():
    def page():
        import threading

        import streamlit as st

        st.markdown(threading.current_thread().name)

    assert AppTest.from_function(page).run().markdown[0].value.startswith(warm._PAGE_THREADS)


def test_a_start_that_fails_is_logged_and_does_no_harm(monkeypatch, caplog):
    def fail():
        raise OSError("no such table")

    monkeypatch.setattr(warm, "BEGIN_SECONDS", 0)
    monkeypatch.setattr(warm, "_steps", lambda: iter([fail]))
    with caplog.at_level(logging.ERROR):
        warm.warm_in_thread().join(60)
    assert "could not be made ready" in caplog.text and "no such table" in caplog.text
