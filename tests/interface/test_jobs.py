"""Long work of a session survives reruns, shows what it has, gives way and goes on, and ends with its session."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine.call import Call
from explorer.engine.packing import pack
from explorer.engine.work import Work
from explorer.interface.jobs import Job


class StandInEngine:
    """Takes calls and leaves it to the test to run and end them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.arguments: list[dict[str, Any]] = []
        self.stopped: list[Call] = []

    def submit(self, name: str, *, visitor: str, **arguments: Any) -> Call:
        call = Call(name, Work("a:b", "long"), visitor, pack(arguments), self._stop)
        self.calls.append(call)
        self.arguments.append(arguments)
        return call

    def _stop(self, call: Call) -> None:
        self.stopped.append(call)
        call.state = "stopping"


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def rest(result: dict[str, Any]) -> dict[str, Any] | None:
    return None if result["finished"] else {"start": result["grown"]}


@pytest.fixture
def where() -> StandInEngine:
    return StandInEngine()


def job(where: StandInEngine, go_on: Any = None) -> Job:
    return Job("grow", "long.grow", "Growing", ("a",), "visitor", {"total": 9, "start": 0}, go_on, where)  # type: ignore[arg-type]


def test_a_job_has_the_state_and_the_result_of_its_call(where):
    one = job(where)
    assert one.running
    assert one.result is None
    where.calls[0].begin()
    where.calls[0].payloads = {0: "half"}
    assert one.payload == "half"
    where.calls[0].end("done", result=pack(42))
    assert (one.state, one.running, one.result, one.sentence) == ("done", False, 42, "")


def test_what_failed_says_why(where):
    one = job(where)
    where.calls[0].end("failed", sentence="There is no such layer.")
    assert (one.state, one.result, one.sentence) == ("failed", None, "There is no such layer.")


def test_work_that_gave_way_goes_on_with_what_it_had_and_hears_what_was_said(where):
    one = job(where, rest)
    one.tell(learning_rate=0.5)
    where.calls[0].payloads = {0: "first"}
    where.calls[0].end("done", result=pack({"grown": 4, "finished": False}), seconds=2.0)
    assert one.running
    until(lambda: len(where.calls) == 2)
    assert where.arguments[1] == {"total": 9, "start": 4}
    until(lambda: where.calls[1].words == {"learning_rate": 0.5})
    assert one.payload == "first"
    where.calls[1].end("done", result=pack({"grown": 9, "finished": True}), seconds=3.0)
    assert (one.state, one.result["grown"], one.seconds) == ("done", 9, 5.0)


def test_a_stopped_job_keeps_what_it_has_and_does_not_go_on(where):
    one = job(where, rest)
    one.stop()
    assert where.stopped == where.calls
    where.calls[0].end("stopped", sentence="This was stopped.", result=pack({"grown": 3, "finished": False}))
    assert (one.state, one.running, one.result["grown"], one.sentence) == ("stopped", False, 3, "")
    time.sleep(0.05)
    assert len(where.calls) == 1


def test_a_job_that_is_stopped_while_it_waits_for_its_next_turn_keeps_what_it_had(where):
    one = job(where, rest)
    where.calls[0].end("done", result=pack({"grown": 4, "finished": False}))
    until(lambda: len(where.calls) == 2)
    one.stop()
    where.calls[1].end("stopped", sentence="This was stopped.")
    assert (one.state, one.result["grown"]) == ("stopped", 4)


def test_a_stop_that_meets_work_which_has_just_given_way_is_not_lost(where):
    one = job(where, rest)
    one._wanted = False  # the stop came when the call had ended already
    where.calls[0].end("done", result=pack({"grown": 4, "finished": False}))
    time.sleep(0.05)
    assert len(where.calls) == 1
    assert not one.running
    assert one.result["grown"] == 4


def test_a_job_that_nobody_holds_is_stopped(where):
    one = job(where, rest)
    call = where.calls[0]
    del one
    gc.collect()
    assert where.stopped == [call]


def page() -> None:
    import streamlit as st

    from explorer.interface import jobs

    if st.button("start"):
        jobs.start("grow", "long.grow", label="Growing", identity=("a",), total=3)
    found = jobs.job("grow")
    if found is not None:
        jobs.poll(found, lambda one: st.write(f"{one.state} {one.result}"))
        if st.button("stop"):
            found.stop()


def test_a_job_is_still_there_when_the_page_is_drawn_again(where, monkeypatch):
    monkeypatch.setattr("explorer.interface.jobs.engine", lambda: where)
    monkeypatch.setattr("explorer.interface.jobs.visitor_id", lambda: "visitor")
    app = AppTest.from_function(page, default_timeout=30).run()
    app.button[0].click().run()
    assert not app.exception
    assert app.markdown[0].value == "waiting None"
    where.calls[0].begin()
    where.calls[0].state = "running"
    app.run()
    assert app.markdown[0].value == "running None"
    where.calls[0].end("done", result=pack(3))
    app.run()
    assert app.markdown[0].value == "done 3"
    app.button[0].click().run()
    assert len(where.calls) == 2
