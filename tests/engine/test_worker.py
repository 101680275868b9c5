"""Inside a worker, without one: reports are few, stops are heard, errors become outcomes, imports take turns."""

from __future__ import annotations

import logging
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from explorer.engine import worker
from explorer.engine.client import lanes_of
from explorer.engine.packing import pack, unpack
from explorer.networks.work_context import NO_CONTEXT, SentenceError, Stopped, WorkContext


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def context(sent: list[dict[str, Any]]) -> worker.Context:
    return worker.Context("call", sent.append)


def test_reports_are_ten_a_second_and_the_last_one_always_comes(
    context: worker.Context, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(worker.time, "monotonic", lambda: now)
    for step in range(1, 1001):
        now = step / 200  # five seconds, 200 reports in each
        context.report(step, 1000, "steps")
    assert 45 <= len(sent) <= 52
    assert sent[-1]["done"] == sent[-1]["total"] == 1000.0


def test_a_report_without_numbers_is_sent_as_it_is(context: worker.Context, sent: list[dict[str, Any]]) -> None:
    context.report(message="loading")
    empty = {"done": None, "total": None, "unit": "", "payload": None, "part": 0}
    assert sent == [{"call": "call", "kind": "progress", "message": "loading", **empty}]


def test_a_payload_too_large_for_the_scheduler_is_left_out_and_each_part_has_its_own_turn(
    context: worker.Context, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(worker.time, "monotonic", lambda: now)
    for step in range(1, 201):
        now = step / 100  # two seconds, a hundred reports of two parts in each
        context.report(step, 1000, "steps", payload=step, part=step % 2)
    shown = [(each["part"], pickle.loads(each["payload"])) for each in sent if each["payload"] is not None]
    for part in (0, 1):
        assert 6 <= sum(each == part for each, _ in shown) <= 8
        assert all(step % 2 == part for each, step in shown if each == part)
    sent.clear()
    now = 10.0
    context.report(300, 1000, "steps", payload=bytes(worker.PAYLOAD_BYTES + 1))
    assert sent[0]["done"] == 300
    assert sent[0]["payload"] is None


def test_a_stop_is_seen_and_raised(context: worker.Context) -> None:
    assert not context.stopped()
    context.raise_if_stopped()
    context.stop()
    assert context.stopped()
    with pytest.raises(Stopped):
        context.raise_if_stopped()


def test_the_contexts_fit_what_topics_ask_for(context: worker.Context) -> None:
    def work(given: WorkContext) -> bool:
        given.report(1, 2, "steps", "working")
        given.raise_if_stopped()
        return given.stopped()

    assert work(context) is False
    assert work(NO_CONTEXT) is False


def outcome(monkeypatch: pytest.MonkeyPatch, context: worker.Context, error: BaseException) -> worker.Outcome:
    def fails(given: Any) -> None:
        raise error

    monkeypatch.setattr(worker, "resolve", lambda path: fails)
    return worker._outcome("module:function", context, pack({}))


class ResourceExhaustedError(Exception):
    """Named like TensorFlow's."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SentenceError("Say this."), "sentence"),
        (Stopped(), "stopped"),
        (MemoryError(), "memory"),
        (ResourceExhaustedError("OOM when allocating tensor"), "memory"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"), "memory"),
        (RuntimeError("shapes differ"), "failed"),
        (ValueError("RESOURCE_EXHAUSTED is only a word here"), "failed"),
        (SystemExit(1), "failed"),
    ],
)
def test_whatever_is_raised_becomes_an_outcome(
    monkeypatch: pytest.MonkeyPatch, context: worker.Context, error: BaseException, kind: str
) -> None:
    assert outcome(monkeypatch, context, error).kind == kind


def test_the_traceback_goes_to_the_log_and_not_to_the_visitor(
    monkeypatch: pytest.MonkeyPatch, context: worker.Context, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        ended = outcome(monkeypatch, context, ValueError("a detail"))
    assert ended.text == ""
    assert "a detail" in caplog.text
    assert "Traceback" in caplog.text


def test_a_result_that_cannot_travel_fails_in_the_worker(
    monkeypatch: pytest.MonkeyPatch, context: worker.Context
) -> None:
    monkeypatch.setattr(worker, "resolve", lambda path: lambda given: threading.Lock())
    assert worker._outcome("module:function", context, pack({})).kind == "failed"


def test_arguments_come_by_name(monkeypatch: pytest.MonkeyPatch, context: worker.Context) -> None:
    monkeypatch.setattr(worker, "resolve", lambda path: lambda given, left, right: left - right)
    ended = worker._outcome("module:function", context, pack({"right": 2, "left": 44}))
    assert ended.result is not None
    assert unpack(ended.result) == 42


def test_a_module_is_imported_once_though_many_threads_ask_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_module.py").write_text(
        "import time\nfirst = 1\ntime.sleep(0.2)\ndef answer(context):\n    return 42\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(worker.resolve("slow_module:answer")(NO_CONTEXT)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [42] * 6


def test_early_stops_are_remembered_but_not_for_ever() -> None:
    for number in range(1000):
        worker.stop_call(f"early {number}")
    assert len(worker._stopped_early) <= 256
    assert "early 999" in worker._stopped_early
    worker._stopped_early.clear()


@pytest.mark.parametrize(
    ("workers", "lanes"),
    [
        ({}, {"quick": [], "long": []}),
        ({"a": {"quick"}, "b": {"long"}, "c": {"long"}}, {"quick": ["a"], "long": ["b", "c"]}),
        ({"b": set(), "a": set(), "c": set()}, {"quick": ["a"], "long": ["b", "c"]}),
        ({"a": set()}, {"quick": ["a"], "long": ["a"]}),
        ({"a": {"quick", "long"}}, {"quick": ["a"], "long": ["a"]}),
        ({"a": {"GPU"}, "b": {"GPU"}}, {"quick": ["a"], "long": ["b"]}),
    ],
)
def test_workers_of_any_cluster_are_shared_out_to_the_lanes(
    workers: dict[str, set[str]], lanes: dict[str, list[str]]
) -> None:
    assert lanes_of(workers) == lanes
