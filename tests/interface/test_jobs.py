"""Long work of a session survives reruns, shows what it has, gives way and goes on, and ends with its session."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine.call import Call
from explorer.engine.packing import pack
from explorer.engine.progress import Progress
from explorer.engine.work import Work
from explorer.interface import jobs, work
from explorer.interface.jobs import Job, progress_share
from tests.patience import until


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


def rest(result: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any] | None:
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


def test_what_is_left_to_do_is_told_from_the_last_call_and_let_go_of_at_the_end(where):
    def without_done(result: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any] | None:
        return {"todo": arguments["todo"][result["done"] :]} if result["done"] < len(arguments["todo"]) else None

    one = Job("a", "b", "c", (), "visitor", {"todo": "abcde"}, without_done, where)  # type: ignore[arg-type]
    for turn, todo in enumerate(("abcde", "cde", "e")):
        until(lambda turn=turn: len(where.calls) == turn + 1)
        assert where.arguments[turn] == {"todo": todo}
        where.calls[turn].progress = Progress(turn, 3, "", "")
        where.calls[turn].end("done", result=pack({"done": min(2, len(todo))}))
    assert one.state == "done"
    assert one.progress is not None and one.progress.done == 2
    until(lambda: one._arguments == {})


def test_a_job_that_waits_for_its_next_turn_still_says_how_far_it_is(where):
    one = job(where, rest)
    where.calls[0].progress = Progress(4, 9, "", "")
    where.calls[0].end("done", result=pack({"grown": 4, "finished": False}))
    until(lambda: len(where.calls) == 2)
    assert progress_share(one) == 4 / 9


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


@pytest.fixture
def session(where, monkeypatch):
    kept: dict[str, Any] = {}
    monkeypatch.setattr("explorer.interface.jobs.engine", lambda: where)
    monkeypatch.setattr("explorer.interface.jobs.visitor_id", lambda: "visitor")
    monkeypatch.setattr("streamlit.session_state", kept)
    return kept


def begun(where: StandInEngine, key: str, megabytes: int | None) -> None:
    jobs.start(key, "long.grow", label=key)
    if megabytes is not None:
        where.calls[-1].end("done", result=pack(bytes(megabytes * 1_000_000)))


def test_results_of_jobs_count_and_those_off_the_screen_go_first_the_longest_unseen_before_others(where, session):
    jobs.begin_look()
    for key in ("old", "older"):
        begun(where, key, 5)
    jobs.job("older")
    jobs.begin_look()
    jobs.job("old")
    begun(where, "runs", None)
    begun(where, "shown", 8)
    jobs.begin_look()
    # 18 MB of 14: what was looked at least lately has made room.
    assert jobs.job("older") is None and jobs.let_go("older")
    for key in ("old", "runs", "shown"):
        assert jobs.job(key) is not None and not jobs.let_go(key)
    begun(where, "older", 1)
    assert not jobs.let_go("older"), "it was computed again"


def test_what_is_on_the_screen_or_runs_is_never_let_go_of_however_large(where, session):
    jobs.begin_look()
    begun(where, "large", 40)
    begun(where, "runs", None)
    for _ in range(3):
        jobs.begin_look()
        assert jobs.job("large") is not None and jobs.job("runs") is not None
    jobs.begin_look()  # another page of the app, or another panel
    jobs.begin_look()
    assert jobs.job("large") is None and jobs.job("runs") is not None


def test_large_results_of_jobs_leave_less_room_for_kept_maps_but_never_none(where, session):
    jobs.begin_look()
    for number in range(13):
        work.keep("map", (number,), bytes(1_000_000))
    assert len(session["kept_results"]) == 13
    begun(where, "large", 5)
    jobs.begin_look()
    jobs.job("large")
    work.keep("map", (99,), bytes(1_000_000))
    assert work.find("map", (99,)) is not None
    assert work.kept_bytes() <= work.KEPT_BYTES - 5_000_000
    begun(where, "huge", 40)
    jobs.begin_look()
    jobs.job("huge")
    for number in range(6):
        work.keep("map", ("new", number), bytes(1_000_000))
    assert all(work.find("map", ("new", number)) is not None for number in range(6))
    assert work.kept_bytes() <= work.LEAST_BYTES


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


def test_results_on_the_screen_are_kept_and_what_finds_no_room_beside_them_is_not(where, session):
    jobs.begin_look()
    work.hold_on_to("map", [("shown", number) for number in range(3)])
    for number in range(3):
        work.keep("map", ("shown", number), bytes(4_000_000))
    work.keep("map", ("small",), bytes(1_000_000))
    for number in range(3, 6):
        work.keep("map", ("another", number), bytes(4_000_000))
    assert all(work.find("map", ("shown", number)) is not None for number in range(3))
    assert work.find("map", ("another", 5)) is None
    assert work.kept_bytes() <= work.KEPT_BYTES
    jobs.begin_look()  # the same page again
    work.keep("map", ("another", 6), bytes(4_000_000))
    assert all(work.find("map", ("shown", number)) is not None for number in range(3))
    work.let_go_of_others()
    work.keep("map", ("another", 6), bytes(4_000_000))
    assert work.find("map", ("another", 6)) is not None
