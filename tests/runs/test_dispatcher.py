"""The dispatcher: order, none lost, one at a time, and nothing that is lost with it."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from explorer.runs import dispatcher as dispatching
from explorer.runs.cleaning import clean, size
from explorer.runs.dispatcher import Dispatcher
from explorer.runs.folder import LOCK, METRICS, STATUS, ask_to_stop, finish, read_status, write_status
from explorer.runs.keeper import Keeper
from explorer.runs.listing import find, listing
from explorer.runs.lock import hold
from explorer.runs.metrics import read_metrics
from explorer.runs.record import FINAL, Run
from explorer.runs.supervise import NOT_STARTED
from explorer.runs.waiting import line
from tests.patience import until
from tests.runs.stand_in import gone

Queue = Callable[..., Run]
Dispatch = Callable[..., Dispatcher]


def states(root: Path) -> list[str]:
    return [run.state for run in listing(root).runs]


def trains(run: Run) -> bool:
    return read_status(run.folder).state == "running" and bool(read_metrics(run.folder / METRICS).rows)


def done_at_once(folder: Path, slot: str) -> None:
    """Train without a process, for what is not about processes."""
    with hold(folder / LOCK, 5):
        for state in ("starting", "running", "done"):
            write_status(folder, read_status(folder).moved(state, slot=slot))


@pytest.mark.slow
def test_twenty_runs_of_ten_visitors_start_in_order_and_none_is_lost(
    root: Path, queue: Queue, dispatch: Dispatch, tmp_path: Path
) -> None:
    order = tmp_path / "order"
    runs = [queue(owner=f"visitor {number % 10}", steps=1, order=str(order)) for number in range(20)]
    dispatch()
    until(lambda: all(state in FINAL for state in states(root)), 150)
    assert states(root) == ["done"] * 20
    assert order.read_text().split() == [run.id for run in runs]


@pytest.mark.slow
def test_a_visitor_has_one_running_and_others_go_first(
    root: Path, queue: Queue, dispatch: Dispatch, tmp_path: Path
) -> None:
    first, second = queue("deaf", owner="anna"), queue(owner="anna", steps=1)
    other = queue(owner="ben", steps=1)
    dispatch(slots=["cpu", "cpu"])
    until(lambda: trains(first) and read_status(other.folder).state == "done")
    time.sleep(0.6)
    assert read_status(second.folder).state == "queued"
    assert line(listing(root).runs, slots=2)[second.id].place == 1
    ask_to_stop(first.folder)
    until(lambda: read_status(second.folder).state == "done")


def test_a_submitted_run_is_started_although_nobody_looks(root: Path, queue: Queue, dispatch: Dispatch) -> None:
    dispatcher = dispatch()
    until(lambda: dispatcher.working)
    time.sleep(0.7)
    run = queue(steps=1)
    until(lambda: read_status(run.folder).state == "done")
    stopped = queue("deaf")
    until(lambda: trains(stopped))
    waiting = queue(owner="ben")
    ask_to_stop(waiting.folder)
    assert find(root, waiting.id).state == "stopped"
    ask_to_stop(stopped.folder)
    until(lambda: read_status(stopped.folder).state == "stopped")
    assert not read_status(waiting.folder).began


def test_two_dispatchers_one_lock(root: Path, queue: Queue, dispatch: Dispatch) -> None:
    placed: list[str] = []

    def place(folder: Path, slot: str) -> None:
        placed.append(folder.name)
        done_at_once(folder, slot)

    two = [dispatch(place=place), dispatch(place=place)]
    until(lambda: any(each.working for each in two))
    first = [queue(owner=str(n)).id for n in range(5)]
    until(lambda: states(root) == ["done"] * 5)
    assert [each.working for each in two].count(True) == 1
    leader = next(each for each in two if each.working)
    leader.close()
    until(lambda: not leader.working)
    until(lambda: any(each.working for each in two))
    second = [queue(owner=str(n)).id for n in range(5)]
    until(lambda: states(root) == ["done"] * 10)
    assert placed == first + second


def test_killed_dispatchers_are_taken_over_from(root: Path, queue: Queue, processes: Callable[..., object]) -> None:
    def start() -> subprocess.Popen:
        return processes("-m", "explorer.runs.dispatcher", "--root", str(root), "--slot", "cpu")

    running = queue("deaf", owner="anna")
    first = start()
    until(lambda: trains(running))
    second = start()
    waiting = [queue(owner=str(number), steps=1) for number in range(3)]
    pid = read_status(running.folder).pid
    assert pid is not None
    first.kill()
    until(lambda: gone(pid))
    until(lambda: states(root) == ["done"] * 4)
    # What was cut off has kept its place, which is the first, and begins anew.
    began = [read_status(run.folder).began for run in (running, *waiting)]
    assert began == sorted(began)
    assert [read_status(run.folder).restarts for run in (running, *waiting)] == [1, 0, 0, 0]
    assert len(read_metrics(running.folder / METRICS).rows) == 1
    assert second.poll() is None


def test_a_dispatcher_ends_with_its_stdin_and_its_runs_begin_anew_once(
    root: Path, queue: Queue, processes: Callable[..., object]
) -> None:
    running, waiting = queue(steps=10_000, pause=0.01), queue(owner="ben")
    for state in ("queued", "interrupted"):
        process = processes("-m", "explorer.runs.dispatcher", "--root", str(root))
        until(lambda: trains(running))
        process.stdin.close()
        assert process.wait(20) == 0
        assert read_status(running.folder).state == state
        assert read_status(waiting.folder).state == "queued"
    assert "shut down" in read_status(running.folder).reason


def test_a_keeper_starts_its_dispatcher_again(root: Path, queue: Queue) -> None:
    keeper = Keeper(root, ["--slot", "cpu"])
    try:
        running = queue("deaf", owner="anna")
        until(lambda: trains(running))
        waiting = queue(owner="ben", steps=1)
        pid = keeper.pid
        assert pid is not None
        psutil.Process(pid).kill()
        until(lambda: states(root) == ["done", "done"])
        assert keeper.pid != pid
    finally:
        keeper.close()
    assert keeper.pid is None
    assert find(root, waiting.id).state == "done"


def test_after_a_restart_what_was_running_begins_anew_and_the_line_goes_on(
    root: Path, queue: Queue, dispatch: Dispatch
) -> None:
    lost = [queue(owner="anna"), queue(owner="ben")]
    write_status(lost[0].folder, read_status(lost[0].folder).moved("starting"))
    write_status(lost[1].folder, read_status(lost[1].folder).moved("starting").moved("starting"))
    write_status(lost[1].folder, read_status(lost[1].folder).moved("running"))
    waits = queue(owner="anna", steps=1)
    assert states(root) == ["interrupted", "interrupted", "queued"]  # before anybody has stored it
    dispatch()
    until(lambda: states(root) == ["done"] * 3)
    assert [read_status(run.folder).restarts for run in (*lost, waits)] == [1, 1, 0]


def test_what_is_cut_off_a_second_time_stays_interrupted(root: Path, queue: Queue, dispatch: Dispatch) -> None:
    run = queue(owner="anna")
    queue(owner="ben", steps=1)
    write_status(run.folder, read_status(run.folder).moved("starting", restarts=1))
    dispatch()
    until(lambda: states(root) == ["interrupted", "done"])
    until(lambda: read_status(run.folder).state == "interrupted")  # stored, not only shown


def test_what_was_to_stop_when_it_was_cut_off_does_not_begin_anew(root: Path, queue: Queue, dispatch: Dispatch) -> None:
    run = queue()
    write_status(run.folder, read_status(run.folder).moved("starting"))
    ask_to_stop(run.folder)
    dispatch()
    until(lambda: read_status(run.folder).state == "interrupted")


def test_a_slot_that_another_dispatcher_s_run_still_has_is_not_given_twice(
    root: Path, queue: Queue, dispatch: Dispatch
) -> None:
    alive, waits = queue(owner="anna"), queue(owner="ben")
    with hold(alive.folder / LOCK):
        write_status(alive.folder, read_status(alive.folder).moved("starting", slot="1"))
        dispatcher = dispatch(slots=["0", "1"], place=done_at_once)
        until(lambda: read_status(waits.folder).state == "done")
        assert read_status(waits.folder).slot == "0"
        dispatcher.close()
        until(lambda: not dispatcher.working)
        late = queue(owner="ben")
        other = dispatch(slots=["1"], place=done_at_once)
        until(lambda: other.working)
        time.sleep(0.7)
        assert read_status(late.folder).state == "queued"
    until(lambda: read_status(late.folder).state == "done")
    until(lambda: read_status(alive.folder).state == "done")
    assert read_status(alive.folder).restarts == 1  # nobody held it any more


def test_a_lost_placement_is_handed_in_again_and_given_up_in_the_end(
    root: Path, queue: Queue, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "AGAIN_SECONDS", 0.01)
    tries: list[str] = []

    def place(folder: Path, slot: str) -> None:
        tries.append(folder.name)
        if folder.name == hopeless.id:
            raise ConnectionError("no worker")
        if tries.count(folder.name) > 2:
            done_at_once(folder, slot)

    hopeless, lucky = queue(owner="anna"), queue(owner="ben")
    dispatch(place=place)
    until(lambda: states(root) == ["failed", "done"])
    assert read_status(hopeless.folder).reason == NOT_STARTED
    assert tries.count(lucky.id) == 3
    assert tries.count(hopeless.id) == dispatching.ATTEMPTS


def test_a_broken_run_and_a_full_disk_do_not_halt_the_line(
    root: Path, queue: Queue, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "STORE_AGAIN_SECONDS", 1.0)
    broken, lost = queue(owner="anna"), queue(owner="ben")
    (broken.folder / STATUS).write_text("{")
    write_status(lost.folder, read_status(lost.folder).moved("starting"))
    real, failing = os.replace, threading.Event()
    failing.set()

    def replace(source: object, target: object) -> None:
        if failing.is_set() and lost.id in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    waits = queue(owner="carl")
    dispatch(place=done_at_once)
    until(lambda: read_status(waits.folder).state == "done")
    until(lambda: find(root, lost.id).state == "interrupted")
    assert read_status(lost.folder).state == "starting"
    failing.clear()
    until(lambda: read_status(lost.folder).state == "done")


def test_old_runs_go_by_age_and_size_and_those_in_progress_stay(root: Path, queue: Queue) -> None:
    runs = [queue(owner=str(number)) for number in range(6)]
    for number in (0, 1, 2, 3):
        finish(runs[number].folder, "stopped")
        (runs[number].folder / "ballast").write_bytes(b"x" * 1_000_000)
    for number in (4, 5):
        (runs[number].folder / "ballast").write_bytes(b"x" * 1_000_000)
    status = read_status(runs[0].folder)
    days_ago = time.time() - 10 * 86_400
    (runs[0].folder / STATUS).write_text(
        status.model_copy(update={"log": (("queued", days_ago), ("stopped", days_ago))}).model_dump_json()
    )
    (root / ".trash-20200101-000000-abcdef-123456").mkdir()
    with hold(runs[4].folder / LOCK):
        write_status(runs[4].folder, read_status(runs[4].folder).moved("starting"))
        assert clean(root) == []
        assert clean(root, days=7) == [runs[0].id]
        assert clean(root, megabytes=3.5) == [runs[1].id, runs[2].id]
        assert clean(root, megabytes=0) == [runs[3].id]
        assert [run.id for run in listing(root).runs] == [runs[4].id, runs[5].id]
    assert clean(root, megabytes=0) == [runs[4].id]  # nobody runs it any more
    assert not list(root.glob(".trash*"))
    assert size(runs[5].folder) > 1_000_000
