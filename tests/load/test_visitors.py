"""The visitors of the load test see what a browser's visitor sees: held on a small app of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.app_server import AppServer
from tests.load.visitors import Answer, Outcome, Visitor, table, visit

APP = """
import time
import numpy as np
import streamlit as st

def home():
    st.write("home")

def board():
    layer = st.selectbox("Layer", [f"layer {i}" for i in range(6)], key="board_layer", bind="query-params")
    st.image(np.full((32, 32), 40 * int(layer[-1]), np.uint8))
    if layer == "layer 3":
        time.sleep(0.4)
    if layer == "layer 4":
        raise ValueError("four")
    if layer == "layer 5":
        st.error("Five does not work.")
    st.selectbox("Cookies", sorted(st.context.cookies) or ["none"], key="cookies")
    st.selectbox("Address", [str(dict(st.query_params))], key="address")

    @st.fragment
    def part():
        chosen = st.radio("Part", ["a", "b"], key="board_part")
        if chosen != st.session_state.get("seen", "a"):
            st.session_state.seen = chosen
            st.rerun()

    part()
    if (file := st.file_uploader("File", key="board_file")) is not None:
        st.selectbox("Got", [f"{file.name} {len(file.getvalue())}"], key="got")

    @st.fragment(run_every=0.2)
    def clock():
        st.session_state.ticks = st.session_state.get("ticks", 0) + 1
        st.selectbox("Ticks", [str(st.session_state.ticks)], key="ticks")

    clock()

st.navigation([st.Page(home, default=True), st.Page(board)]).run()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    script = tmp_path_factory.mktemp("app") / "small.py"
    script.write_text(APP, encoding="utf-8")
    with AppServer(script) as running:
        yield running


def test_a_deep_link_opens_its_page_with_its_address(server):
    async def tour():
        async with Visitor(server.url, "board", "board_layer=layer+2") as tab:
            answer = await tab.open()
            return answer, tab.widgets

    answer, widgets = asyncio.run(tour())
    assert answer.errors == [] and 0 < answer.seconds <= answer.seconds_with_pictures and answer.received > 1000
    assert widgets["board_layer"].options == tuple(f"layer {i}" for i in range(6))
    assert widgets["address"].options == ("{'board_layer': 'layer 2'}",)


def test_choosing_changes_the_page_and_takes_as_long_as_the_page_takes(server):
    async def tour():
        async with Visitor(server.url, "board") as tab:
            await tab.open()
            quick = await tab.choose("board_layer", "layer 1")
            slow = await tab.choose("board_layer", "layer 3")
            return quick, slow, tab.widgets["address"].options, tab.query

    quick, slow, address, query = asyncio.run(tour())
    assert quick.errors == slow.errors == []
    assert slow.seconds > 0.4 > quick.seconds
    assert address == ("{'board_layer': 'layer 3'}",) and query == "board_layer=layer+3"


def test_exceptions_and_errors_on_the_page_are_counted(server):
    async def tour():
        async with Visitor(server.url, "board") as tab:
            await tab.open()
            return [await tab.choose("board_layer", f"layer {number}") for number in (4, 5, 1)]

    raised, shown, fine = asyncio.run(tour())
    assert raised.errors[0].startswith("ValueError")
    assert shown.errors == ["Five does not work."]
    assert fine.errors == []


def test_a_control_in_a_fragment_runs_the_fragment_and_what_it_asks_for(server):
    async def tour():
        async with Visitor(server.url, "board") as tab:
            whole = await tab.open()
            again = await tab.choose("board_part", "b")  # its fragment asks for a run of the whole page
            return whole, again

    whole, again = asyncio.run(tour())
    assert again.errors == [] and again.received > whole.received / 3


def test_a_file_arrives_whole(server):
    async def tour():
        async with Visitor(server.url, "board") as tab:
            await tab.open()
            answer = await tab.upload("board_file", "large.jpg", b"\xff\r\n" * 1_000_000)
            return answer, tab.widgets["got"].options

    answer, got = asyncio.run(tour())
    assert answer.errors == [] and got == ("large.jpg 3000000",)


def test_fragments_run_on_their_timers(server):
    async def tour():
        async with Visitor(server.url, "board") as tab:
            await tab.open()
            await asyncio.sleep(1.1)
            return int(tab.widgets["ticks"].options[0])

    assert 3 <= asyncio.run(tour()) <= 8


def test_many_visitors_are_counted_with_the_memory_of_the_server(server):
    outcome = asyncio.run(
        visit(
            server.url,
            page="board",
            key="board_layer",
            values=["layer 0", "layer 1", "layer 2"],
            visitors=6,
            seconds=2,
            every=0.5,
            pid=server.pid,
        )
    )
    assert len(outcome.opened) == 6 and 6 <= len(outcome.changed) <= 24
    assert not any(answer.errors for answer in [*outcome.opened, *outcome.changed])
    before, there, after, cpu = outcome.processes["web"]
    assert 20 < before < 1000 and there > 20 and after > 20 and cpu > 0


def test_a_page_without_the_control_is_an_error(server):
    outcome = asyncio.run(visit(server.url, page="", key="board_layer", visitors=1, seconds=0.1, every=0.1))
    assert outcome.changed[0].errors == ["the page has no control with the key board_layer"]


def test_the_table_says_what_was_measured():
    opened = [Answer(0.1, 0.2, 2048)]
    changed = [Answer(s / 1000, s / 1000, 1024) for s in range(1, 100)] + [Answer(1.0, 1.0, 1024, ["It broke."])]
    text = table(Outcome(Answer(3, 4, 4096), opened, changed, {"web": (100, 110, 120, 1.5)}))
    assert "| open, first of all | 1 | 3000 ms | 3000 ms | 3000 ms | 4000 ms | 4 KB | 0 |" in text
    assert "| open, all at once | 1 | 100 ms | 100 ms | 100 ms | 200 ms | 2 KB | 0 |" in text
    assert "| change | 100 | 50 ms | 95 ms | 1000 ms | 95 ms | 1 KB | 1 |" in text
    assert "| web | 100 MB | 110 MB | 120 MB | 1.5 s |" in text
    assert text.endswith("- It broke.")
