"""Calls on real workers: results, order, progress, stop, sentences."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from explorer.engine.client import (
    CLOSED,
    GENERIC,
    STOPPED,
    TOO_LONG,
    TOO_MANY,
    WAITING_LIMIT,
    Call,
    Engine,
    EngineError,
    Progress,
)
from explorer.engine.worker import MEMORY_SENTENCE
from tests.patience import PATIENCE, until


def words(text: str) -> list[str]:
    return text.split()


def test_a_result_of_a_megabyte_arrives_whole_and_can_be_worked_with(engine: Engine) -> None:
    result = engine.submit("quick.make", visitor="a", nbytes=1_000_000).result(PATIENCE)
    assert np.array_equal(result, np.arange(250_000, dtype=np.float32))
    assert result.flags.writeable
    assert result.flags.aligned
    assert result.ctypes.data % 16 == 0


def test_an_argument_of_a_megabyte_arrives_whole(engine: Engine) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (512, 683, 3), np.uint8)
    digest = engine.submit("quick.digest", visitor="a", pixels=pixels).result(PATIENCE)
    assert digest == hashlib.sha256(pixels.tobytes()).hexdigest()


def test_arguments_are_those_at_the_time_of_the_call(engine: Engine, tmp_path: Path) -> None:
    blocker = engine.submit("quick.wait_for", visitor="b", file=str(tmp_path / "go"))
    pixels = np.zeros(1000, np.uint8)
    call = engine.submit("quick.digest", visitor="a", pixels=pixels)
    pixels[:] = 9
    (tmp_path / "go").touch()
    assert call.result(PATIENCE) == hashlib.sha256(bytes(1000)).hexdigest()
    assert blocker.result(PATIENCE) == "went on"


def test_the_lanes_are_two_other_processes_and_long_work_gives_way(engine: Engine) -> None:
    quick, quick_nice = engine.submit("quick.process", visitor="a").result(PATIENCE)
    long, long_nice = engine.submit("long.process", visitor="a").result(PATIENCE)
    assert len({quick, long, os.getpid()}) == 3
    if sys.platform == "win32":
        assert psutil.Process(long).nice() == psutil.BELOW_NORMAL_PRIORITY_CLASS
    else:
        assert quick_nice == os.nice(0)
        assert long_nice == min(19, quick_nice + 10)


def test_calls_are_served_in_turn_and_places_say_so(engine: Engine, tmp_path: Path) -> None:
    gate, file = tmp_path / "go", tmp_path / "served"
    blocker = engine.submit("quick.wait_for", visitor="x", file=str(gate))
    until(lambda: blocker.state == "running")
    calls: dict[str, Call] = {}
    for word in words("a1 a2 a3 a4 b1 b2 c1 a5 c2 b3 c3 a6"):
        calls[word] = engine.submit("quick.note", visitor=word[0], file=str(file), word=word)
    expected = words("a1 b1 c1 a2 b2 c2 a3 b3 c3 a4 a5 a6")  # round by round, counted by hand
    until(lambda: all(call.place for call in calls.values()))
    assert [calls[word].place for word in expected] == list(range(1, 13))
    assert blocker.place is None
    calls["a2"].stop()
    expected = words("a1 b1 c1 a3 b2 c2 a4 b3 c3 a5 a6")
    until(lambda: calls["a2"].state == "stopped")
    until(lambda: [calls[word].place for word in expected] == list(range(1, 12)))
    gate.touch()
    assert all(calls[word].wait(PATIENCE) for word in expected)
    assert file.read_text().split() == expected
    assert all(call.place is None for call in calls.values())


def test_progress_arrives_and_ends_at_the_end(engine: Engine) -> None:
    call = engine.submit("long.count", visitor="a", total=60, pause=0.02)
    seen: list[Progress] = []
    while not call.wait(0.005):
        if call.progress is not None and call.progress not in seen:
            seen.append(call.progress)
    assert call.result() == 60
    until(lambda: call.progress == Progress(60.0, 60.0, "steps", "counting"))
    done = [each.done for each in seen]
    assert len(done) >= 3
    assert done == sorted(done)
    assert all(each.total == 60 and each.unit == "steps" for each in seen)
    assert call.seconds is not None
    assert call.seconds >= 60 * 0.02


def test_what_there_is_to_see_arrives_while_the_work_goes_on(engine: Engine) -> None:
    call = engine.submit("long.grow", visitor="a", total=40, pause=0.03)
    until(lambda: {0, 1} <= set(call.payloads))
    assert not call.wait(0)
    assert call.payloads[0]["grown"] % 2 == 0
    assert call.payloads[1]["grown"] % 2 == 1
    assert call.result(PATIENCE) == {"grown": 40, "finished": True}


def test_running_work_hears_what_the_page_says_and_waiting_work_hears_it_when_it_begins(engine: Engine) -> None:
    running = engine.submit("long.grow", visitor="a", total=100_000, pause=0.02)
    waiting = engine.submit("long.grow", visitor="b", total=100_000, pause=0.02)
    waiting.tell(stride=7)
    waiting.tell(stride=50_000)
    until(lambda: running.payloads)
    running.tell(stride=60_000)
    assert running.result(PATIENCE)["grown"] >= 60_000
    assert 100_000 <= waiting.result(PATIENCE)["grown"] < 200_000


def test_stopped_work_hands_over_what_it_has(engine: Engine) -> None:
    call = engine.submit("long.grow", visitor="a", total=100_000, pause=0.02)
    until(lambda: call.payloads)
    call.stop()
    assert call.wait(PATIENCE)
    assert call.state == "stopped"
    assert call.kept()["grown"] >= 1
    assert not call.kept()["finished"]


def test_work_that_has_had_its_turn_gives_way_only_when_others_wait(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.engine.client.TURN_SECONDS", 0.5)
    ended: list[str] = []
    long = engine.submit("long.grow", visitor="a", total=100_000, pause=0.02)
    long.when_ended(lambda call: ended.append(call.visitor))
    assert not long.wait(2)
    other = engine.submit("long.grow", visitor="b", total=3, pause=0.01)
    other.when_ended(lambda call: ended.append(call.visitor))
    assert other.result(PATIENCE)["finished"]
    assert long.state == "done"
    assert not long.result()["finished"]
    rest = engine.submit(
        "long.grow", visitor="a", total=long.result()["grown"] + 5, pause=0, start=long.result()["grown"]
    )
    assert rest.result(PATIENCE)["finished"]
    assert ended == ["a", "b"]
    late: list[str] = []
    rest.when_ended(lambda call: late.append(call.state))
    assert late == ["done"]


def test_seconds_count_computing_and_not_waiting(engine: Engine, tmp_path: Path) -> None:
    blocker = engine.submit("quick.wait_for", visitor="a", file=str(tmp_path / "go"))
    waiting = engine.submit("quick.echo", visitor="b", value=1)
    until(lambda: blocker.seconds is not None)
    assert waiting.seconds is None
    time.sleep(0.3)
    assert blocker.seconds >= 0.25
    (tmp_path / "go").touch()
    assert waiting.result(PATIENCE) == 1
    assert waiting.seconds < 0.3


def test_a_waiting_call_stops_at_once_and_a_running_one_when_it_looks(engine: Engine, tmp_path: Path) -> None:
    running = engine.submit("quick.wait_for", visitor="a", file=str(tmp_path / "never"))
    waiting = engine.submit("quick.echo", visitor="b")
    until(lambda: running.seconds is not None and waiting.place == 1)
    waiting.stop()
    assert waiting.wait(5)
    running.stop()
    assert running.wait(PATIENCE)
    for call in (waiting, running):
        assert call.state == "stopped"
        with pytest.raises(EngineError, match=STOPPED):
            call.result()
    running.stop()  # harmless
    assert engine.submit("quick.echo", visitor="b", value=2).result(PATIENCE) == 2


def test_a_stop_that_comes_before_the_work_has_begun_is_not_lost(engine: Engine, tmp_path: Path) -> None:
    for _ in range(10):
        call = engine.submit("quick.wait_for", visitor="a", file=str(tmp_path / "never"))
        call.stop()
        assert call.wait(PATIENCE)
        assert call.state == "stopped"


@pytest.mark.slow
def test_work_that_does_not_hear_a_stop_loses_its_worker(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = new_engine(stop_seconds=0.5)
    call = engine.submit("quick.deaf", visitor="a", file=str(tmp_path / "pid"))
    # The file is there a moment before its content is.
    until(lambda: call.seconds is not None and (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid = int((tmp_path / "pid").read_text())
    call.stop()
    assert call.wait(PATIENCE)
    assert call.state == "stopped"
    new_pid, _ = engine.submit("quick.process", visitor="a").result(PATIENCE)
    assert new_pid != pid
    assert not psutil.pid_exists(pid)


@pytest.mark.slow
def test_work_that_takes_too_long_is_ended_with_a_sentence(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = new_engine(limit_seconds={"quick": 0.5, "long": 60.0})
    call = engine.submit("quick.deaf", visitor="a", file=str(tmp_path / "pid"))
    with pytest.raises(EngineError, match=TOO_LONG):
        call.result(PATIENCE)
    assert engine.submit("quick.echo", visitor="a", value=3).result(PATIENCE) == 3


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("sentence", "This layer has no filters."),
        ("memory", MEMORY_SENTENCE),
        ("unpicklable", GENERIC),
        ("exit", GENERIC),
        ("other", GENERIC),
    ],
)
def test_what_fails_ends_with_one_sentence_and_no_secret(engine: Engine, kind: str, sentence: str) -> None:
    call = engine.submit("quick.fail", visitor="a", kind=kind)
    with pytest.raises(EngineError) as caught:
        call.result(PATIENCE)
    assert str(caught.value) == sentence
    assert call.state == "failed"
    assert engine.submit("quick.echo", visitor="a", value=4).result(PATIENCE) == 4


def test_only_named_work_is_run(engine: Engine) -> None:
    with pytest.raises(KeyError, match="no work named"):
        engine.submit("os:system", visitor="a", command="true")


def test_one_visitor_cannot_fill_the_line(engine: Engine, tmp_path: Path) -> None:
    calls = [engine.submit("quick.wait_for", visitor="a", file=str(tmp_path / "go"))]
    until(lambda: calls[0].state == "running")
    calls += [engine.submit("quick.echo", visitor="a", value=i) for i in range(WAITING_LIMIT)]
    until(lambda: calls[-1].place == WAITING_LIMIT)
    with pytest.raises(EngineError, match=TOO_MANY):
        engine.submit("quick.echo", visitor="a", value=0)
    other = engine.submit("quick.echo", visitor="b", value=5)
    (tmp_path / "go").touch()
    assert other.result(PATIENCE) == 5
    assert [call.result(PATIENCE) for call in calls[1:]] == list(range(WAITING_LIMIT))


def test_many_threads_use_one_engine(engine: Engine) -> None:
    wrong: list[object] = []

    def session(number: int) -> None:
        for step in range(12):
            value = np.full(5000, number * 100 + step)
            if not np.array_equal(
                engine.submit("quick.echo", visitor=f"v{number}", value=value).result(PATIENCE), value
            ):
                wrong.append((number, step))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert wrong == []


def test_quick_calls_answer_within_a_second_and_a_half_while_three_long_ones_are_on(engine: Engine) -> None:
    engine.submit("quick.make", visitor="w", nbytes=4).result(PATIENCE)
    long = [engine.submit("long.burn", visitor=f"l{i}", seconds=60.0) for i in range(3)]
    until(lambda: long[0].seconds is not None)
    seconds = []
    for step in range(40):
        began = time.perf_counter()
        engine.submit("quick.make", visitor=f"v{step % 4}", nbytes=1_000_000).result(PATIENCE)
        seconds.append(time.perf_counter() - began)
    assert [call.state for call in long] == ["running", "waiting", "waiting"]
    for call in long:
        call.stop()
    assert all(call.wait(PATIENCE) for call in long)
    assert np.percentile(seconds, 95) <= 1.5


def test_results_do_not_stay_in_the_cluster(engine: Engine) -> None:
    pid, _ = engine.submit("quick.process", visitor="a").result(PATIENCE)
    worker = psutil.Process(pid)
    for _ in range(5):
        engine.submit("quick.make", visitor="a", nbytes=8_000_000).result(PATIENCE)
    before = worker.memory_info().rss
    for _ in range(20):
        engine.submit("quick.make", visitor="a", nbytes=8_000_000).result(PATIENCE)
    assert worker.memory_info().rss - before < 50_000_000  # 20 results would be 160 MB


def test_neither_cluster_nor_client_keeps_anything_of_past_calls(engine: Engine) -> None:
    def counts(dask_scheduler: Any = None) -> tuple[int, int, int]:
        names = [type(each).__name__ for each in gc.get_objects()]
        return names.count("TaskState"), names.count("TaskGroup"), names.count("Span")

    async def ask() -> tuple[int, int, int]:
        assert engine._cluster is not None
        return await engine._cluster.client.run_on_scheduler(counts)

    pixels = np.random.default_rng(0).integers(0, 256, 900_000, np.uint8)
    for number in range(30):
        engine.submit("quick.digest", visitor=f"v{number}", pixels=pixels + np.uint8(number)).result(PATIENCE)
    tasks, groups, spans = asyncio.run_coroutine_threadsafe(ask(), engine._loop).result(PATIENCE)
    assert tasks <= 3
    assert groups <= 3
    assert spans == 0
    assert engine._cluster is not None
    stream: Any = engine._cluster.client.scheduler_comm
    assert len(stream.recent_message_log) <= 10  # they hold pictures
    assert engine._runs == {}


def test_readiness_counts_workers_and_calls_without_waiting(engine: Engine, tmp_path: Path) -> None:
    until(lambda: engine.ready()["ready"])
    call = engine.submit("quick.wait_for", visitor="a", file=str(tmp_path / "go"))
    other = engine.submit("quick.echo", visitor="b")
    until(lambda: other.place == 1)
    began = time.monotonic()
    answer = engine.ready()
    assert time.monotonic() - began < 2
    assert answer["workers"] == {"quick": 1, "long": 1}
    assert answer["running"] == {"quick": 1, "long": 0}
    assert answer["waiting"] == {"quick": 1, "long": 0}
    (tmp_path / "go").touch()
    assert call.wait(PATIENCE)
    assert other.wait(PATIENCE)


def test_a_closed_engine_says_so(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = new_engine()
    running = engine.submit("quick.wait_for", visitor="a", file=str(tmp_path / "never"))
    waiting = engine.submit("quick.echo", visitor="b")
    until(lambda: running.seconds is not None)
    engine.close()
    for call in (running, waiting):
        with pytest.raises(EngineError, match=CLOSED):
            call.result(5)
    with pytest.raises(EngineError, match=CLOSED):
        engine.submit("quick.echo", visitor="a")
    assert engine.ready()["ready"] is False
    engine.close()
