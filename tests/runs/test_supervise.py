"""One run, one process: however it ends, the folder says what is true."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

import explorer.runs.supervise as supervising
from explorer.runs import child
from explorer.runs.child import MEMORY, sentence_of
from explorer.runs.context import NOT_A_NUMBER, RunContext
from explorer.runs.folder import DISK_FULL, LOCK, LOG, METRICS, MODEL, ask_to_stop, create, read_status, wish
from explorer.runs.listing import find
from explorer.runs.lock import hold
from explorer.runs.metrics import read_metrics
from explorer.runs.process import ROOT, environment
from explorer.runs.record import Run
from explorer.runs.standby import StandBy
from explorer.runs.supervise import CLOSED, KILLED, STOPPED_HARD, Limits, RefusedError, supervise
from tests.patience import PATIENCE, until
from tests.runs.stand_in import config, gone
from tests.runs.test_folder import small_disk  # noqa: F401 - a fixture

Queue = Callable[..., Run]
SUPERVISOR = "import sys; from pathlib import Path; from explorer.runs.supervise import *; supervise(Path(sys.argv[1]))"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")


def state_of(run: Run) -> str:
    return find(run.folder.parent, run.id).state


def pid_of(run: Run) -> int:
    """Wait until the run trains, and return its process."""
    until(lambda: read_status(run.folder).state == "running" and read_metrics(run.folder / METRICS).rows)
    pid = read_status(run.folder).pid
    assert pid is not None
    return pid


@pytest.fixture
def watch() -> Iterator[Callable[..., threading.Thread]]:
    """Supervise in a thread."""
    threads: list[threading.Thread] = []
    runs: list[Run] = []

    def start(run: Run, **options: object) -> threading.Thread:
        runs.append(run)
        thread = threading.Thread(target=supervise, args=(run.folder,), kwargs=options)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for run in runs:
        ask_to_stop(run.folder)
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_run_leaves_everything_in_its_folder(queue: Queue) -> None:
    run = queue(epochs=2, steps=3)
    assert supervise(run.folder) == "done"
    status = read_status(run.folder)
    assert [state for state, _ in status.log] == ["queued", "starting", "running", "done"]
    assert status.reason == ""
    assert status.slot == "cpu"
    assert status.device.startswith("CPU, ")
    assert status.host
    assert (status.progress.epoch, status.progress.step, status.progress.epochs, status.progress.steps) == (2, 3, 2, 3)
    assert status.progress.unit == "pictures"
    assert status.progress.rate is not None
    assert status.progress.rate > 0
    assert status.progress.seconds_left == 0
    rows = read_metrics(run.folder / METRICS).rows
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert (run.folder / MODEL).read_text() == "6"
    said = (run.folder / LOG).read_text()
    assert said.startswith("counting")
    if sys.platform != "win32":
        assert int(said.split()[1]) >= 10  # it gives way
    assert not (run.folder / "spare").exists()
    assert supervise(run.folder) == "done"  # a second process refuses it
    assert len(read_metrics(run.folder / METRICS).rows) == 6


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("raises", "An error ended the run; its log has the details (ValueError: the shapes do not fit)."),
        ("says", "The pictures have no classes; add some."),
        ("not_a_number", NOT_A_NUMBER),
        ("memory_error", MEMORY),
        ("leaves", "The run's process ended before its time (code 7); its log may say why."),
        ("unknown", "There is no such lesson."),
    ],
)
def test_whatever_a_task_does_is_one_sentence(queue: Queue, task: str, reason: str) -> None:
    run = queue(task)
    assert supervise(run.folder) == "failed"
    assert read_status(run.folder).reason == reason
    if task == "raises":
        assert "Traceback" in (run.folder / LOG).read_text()
    if task == "not_a_number":
        assert len(read_metrics(run.folder / METRICS).rows) == 2


def test_errors_of_backends_are_told_by_name() -> None:
    exhausted = type("ResourceExhaustedError", (Exception,), {})
    assert sentence_of(exhausted("OOM when allocating tensor")) == MEMORY
    assert sentence_of(RuntimeError("CUDA out of memory")) == MEMORY
    assert sentence_of(OSError(errno.ENOSPC, "No space left on device")) == DISK_FULL
    assert sentence_of(KeyError()) == "An error ended the run; its log has the details (KeyError)."


def test_a_stop_is_heard_and_what_was_learnt_is_kept(queue: Queue, watch: Callable[..., threading.Thread]) -> None:
    run = queue(steps=100_000, pause=0.01)
    thread = watch(run)
    pid = pid_of(run)
    asked = time.time()
    ask_to_stop(run.folder)
    thread.join(PATIENCE)
    status = read_status(run.folder)
    assert status.state == "stopped"
    assert status.ended is not None
    assert status.ended - asked < 10
    assert int((run.folder / MODEL).read_text()) > 0
    assert gone(pid)


def test_a_task_that_has_heard_may_take_its_time_to_save(queue: Queue, watch: Callable[..., threading.Thread]) -> None:
    run = queue("slow_to_save")
    thread = watch(run, limits=Limits(grace_seconds=0.3))
    until(lambda: read_status(run.folder).state == "running")
    ask_to_stop(run.folder)
    thread.join(PATIENCE)
    assert read_status(run.folder).state == "stopped"
    assert (run.folder / MODEL).read_text() == "late"


@pytest.mark.parametrize("task", ["deaf", pytest.param("stubborn", marks=POSIX)])
def test_a_task_that_ignores_the_stop_is_ended_after_the_grace(
    queue: Queue, watch: Callable[..., threading.Thread], task: str
) -> None:
    run = queue(task)
    thread = watch(run, limits=Limits(grace_seconds=0.3))
    pid = pid_of(run)
    ask_to_stop(run.folder)
    thread.join(PATIENCE)
    assert read_status(run.folder).state == "stopped"
    assert read_status(run.folder).reason == STOPPED_HARD
    assert gone(pid)


@pytest.mark.parametrize(
    ("task", "seconds", "grace", "saved"), [("count", 8.0, PATIENCE, True), ("deaf", 2.5, 0.3, False)]
)
@pytest.mark.slow
def test_the_time_limit_ends_a_run_with_a_sentence(
    queue: Queue, task: str, seconds: float, grace: float, saved: bool
) -> None:
    # A busy machine takes seconds to start a run, and longer than the usual grace to have it save what it has learnt.
    run = queue(task, steps=100_000, pause=0.01)
    assert supervise(run.folder, limits=Limits(seconds=seconds, grace_seconds=grace)) == "failed"
    reason = read_status(run.folder).reason
    assert reason == f"It took longer than a run may here ({seconds:g} seconds); what it had saved until then is kept."
    assert (run.folder / MODEL).exists() == saved


def test_the_memory_limit_ends_a_run_with_a_sentence(queue: Queue) -> None:
    run = queue("hog")
    assert supervise(run.folder, limits=Limits(memory_megabytes=300)) == "failed"
    assert read_status(run.folder).reason == MEMORY


def groups_by_session() -> bool:
    """Tell whether this system shares its time out by session: Linux does outside of control groups with shares."""
    place = Path("/proc/self/autogroup")
    return place.exists() and bool(place.read_text().strip())


@pytest.mark.skipif(not groups_by_session(), reason="this system does not group processes by session")
def test_a_run_gives_way_as_a_session_too(queue: Queue, watch: Callable[..., threading.Thread]) -> None:
    run = queue("count", steps=100_000, pause=0.01)
    watch(run)
    pid = pid_of(run)
    own, ours = (Path(f"/proc/{each}/autogroup").read_text().split() for each in (pid, os.getpid()))
    assert own[0] != ours[0]
    assert int(own[-1]) == child.SESSION_NICENESS


@POSIX
@pytest.mark.parametrize(("number", "words"), [(signal.SIGKILL, KILLED), (signal.SIGSEGV, "crashed (SIGSEGV)")])
def test_a_killed_process_is_a_failed_run(
    queue: Queue, watch: Callable[..., threading.Thread], number: signal.Signals, words: str
) -> None:
    run = queue("deaf")
    thread = watch(run)
    os.kill(pid_of(run), number)
    thread.join(PATIENCE)
    assert read_status(run.folder).state == "failed"
    assert words in read_status(run.folder).reason


def test_what_a_killed_process_has_started_goes_too(queue: Queue, watch: Callable[..., threading.Thread]) -> None:
    run = queue("parent")
    thread = watch(run)
    pid = pid_of(run)
    grandchild = int((run.folder / "grandchild").read_text())
    assert not gone(grandchild)
    psutil.Process(pid).kill()
    thread.join(PATIENCE)
    until(lambda: gone(grandchild))


@pytest.mark.parametrize("task", ["count", "deaf", "parent"])
def test_when_the_supervisor_is_killed_the_run_ends_and_is_shown_as_interrupted(
    root: Path, queue: Queue, processes: Callable[..., object], task: str
) -> None:
    run = queue(task, steps=100_000, pause=0.01)
    supervisor = processes("-c", SUPERVISOR, str(run.folder))
    pid = pid_of(run)
    supervisor.kill()
    until(lambda: state_of(run) == "interrupted")
    until(lambda: gone(pid))
    if task == "parent":
        until(lambda: gone(int((run.folder / "grandchild").read_text())))
    assert read_status(run.folder).state == "running"  # nobody was there to write anything


def test_closing_puts_a_run_back_once_and_leaves_a_waiting_one_in_line(
    queue: Queue, watch: Callable[..., threading.Thread]
) -> None:
    run = queue(steps=100_000, pause=0.01)
    for state in ("queued", "interrupted"):
        closing = threading.Event()
        thread = watch(run, closing=closing)
        pid = pid_of(run)
        closing.set()
        thread.join(PATIENCE)
        assert gone(pid)
        assert read_status(run.folder).state == state
    assert read_status(run.folder).reason == CLOSED
    next_in_line = queue()
    with hold(next_in_line.folder / LOCK):  # so that its process does not get to it
        assert supervise(next_in_line.folder, closing=closing) == "queued"


def test_a_run_in_other_hands_is_left_alone(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queue()
    monkeypatch.setattr(child, "LOCK_SECONDS", 0.1)
    with hold(run.folder / LOCK):
        assert child.run(run.folder) == child.REFUSED
    monkeypatch.setattr(supervising, "start_process", lambda *_: refusing())
    with pytest.raises(RefusedError):
        supervise(run.folder)
    assert read_status(run.folder).state == "queued"


def refusing() -> subprocess.Popen:
    code = f"import sys; sys.exit({child.REFUSED})"
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@POSIX
def test_compiled_code_that_never_lets_go_ends_with_the_supervisor_too(
    queue: Queue, processes: Callable[..., subprocess.Popen]
) -> None:
    run = queue("stuck")
    supervisor = processes("-c", SUPERVISOR, str(run.folder))
    pid = pid_of(run)
    time.sleep(0.2)
    supervisor.kill()
    until(lambda: gone(pid))


def test_a_long_log_keeps_its_beginning_and_its_end(queue: Queue) -> None:
    run = queue("talks")
    assert supervise(run.folder, limits=Limits(log_bytes=20_000)) == "failed"
    said = (run.folder / LOG).read_text()
    assert said.startswith("the beginning\n")
    assert said.rstrip().endswith("RuntimeError: the end")
    assert "bytes left out" in said
    assert len(said) < 20_100


def test_a_full_disk_ends_a_run_with_the_truth(small_disk: Path) -> None:  # noqa: F811
    run = create(small_disk, config("fill"))
    assert supervise(run.folder) == "failed"
    assert read_status(run.folder).reason == DISK_FULL
    assert read_metrics(run.folder / METRICS).rows is not None
    assert state_of(run) == "failed"


def test_the_page_can_change_the_learning_rate(queue: Queue, watch: Callable[..., threading.Thread]) -> None:
    run = queue(steps=100_000, pause=0.01)
    thread = watch(run)
    pid_of(run)
    wish(run.folder, learning_rate=0.025)
    until(lambda: read_metrics(run.folder / METRICS).rows[-1]["rate_used"] == 0.025)
    until(lambda: (read_status(run.folder).progress.step or 0) > 3)  # while it runs
    ask_to_stop(run.folder)
    thread.join(PATIENCE)
    assert read_metrics(run.folder / METRICS).rows[0]["rate_used"] == 0.1


def test_wishes_that_make_no_sense_are_not_followed(queue: Queue) -> None:
    run = queue()
    context = RunContext(run.folder, run.config)
    for wrong in ("fast", None, float("nan"), float("inf"), -1, True, [1]):
        wish(run.folder, learning_rate=wrong)
        os.utime(run.folder / "wishes.json", ns=(0, time.monotonic_ns()))
        assert context.learning_rate(0.5) == 0.5
    context.close()


def test_previews_are_pictures_and_a_model_is_replaced_as_a_whole(queue: Queue) -> None:
    run = queue()
    context = RunContext(run.folder, run.config)
    context.preview(np.linspace(-1, 2, 12).reshape(3, 4))
    context.preview(np.full((2, 2, 3), 200, np.uint8))
    context.preview(Image.new("L", (5, 6), 9), number=7)
    assert sorted(path.name for path in (run.folder / "previews").iterdir()) == ["0001.png", "0002.png", "0007.png"]
    first = np.asarray(Image.open(run.folder / "previews" / "0001.png"))
    assert (first.shape, first.min(), first.max()) == ((3, 4), 0, 255)
    with pytest.raises(ValueError, match="no picture"):
        context.preview(np.zeros((2, 2, 5)))

    class Model:
        def save(self, path: str) -> None:
            Path(path).write_text("half")
            if not (run.folder / MODEL).exists():
                Path(path).write_text("whole")
                return
            raise OSError(errno.ENOSPC, "No space left on device")

    context.save_model(Model())
    with pytest.raises(OSError, match="No space"):
        context.save_model(Model())
    assert (run.folder / MODEL).read_text() == "whole"
    assert not list(run.folder.glob("part-*"))
    context.close()


def test_time_left_is_told_from_the_pace(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    run = queue()
    context = RunContext(run.folder, run.config)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    context.plan(epochs=2, steps=10, pictures=32)
    for step in range(1, 6):
        clock[0] += 0.5
        context.report(1, step, loss=1.0)
    assert context.progress.rate == pytest.approx(64)
    assert context.progress.seconds_left == pytest.approx(15 / 2)
    context.report(epoch=2, val_loss=0.5)
    assert context.progress.seconds_left == 0
    context.close()


def test_a_process_that_stands_by_takes_one_run(queue: Queue) -> None:
    run, late = queue(), queue()
    standby = StandBy("cpu", ["colorsys"])
    pid = standby._process.pid if standby._process is not None else None
    assert standby.is_alive()
    assert supervise(run.folder, standby=standby) == "done"
    assert read_status(run.folder).pid == pid
    assert not standby.is_alive()
    assert supervise(late.folder, standby=standby) == "done"  # by a fresh one
    assert read_status(late.folder).pid != pid


def test_one_that_stands_by_and_has_died_is_not_missed(queue: Queue) -> None:
    run = queue()
    standby = StandBy("cpu", ["colorsys"])
    assert standby._process is not None
    standby._process.kill()
    standby._process.wait()
    assert supervise(run.folder, standby=standby) == "done"
    other = StandBy("cpu", ["colorsys"])
    assert other._process is not None
    pid = other._process.pid
    other.close()
    assert gone(pid)


@pytest.mark.parametrize(("slot", "seen"), [("cpu", "-1"), ("1", "1"), ("GPU-8f2", "GPU-8f2")])
def test_a_run_sees_its_own_device_only(slot: str, seen: str) -> None:
    variables = environment(slot)
    assert variables["CUDA_VISIBLE_DEVICES"] == seen
    assert variables["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert variables["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_the_web_side_imports_no_keras() -> None:
    names = "child cleaning dispatcher folder keeper listing metrics record rights standby supervise waiting".split()
    code = f"import {', '.join(f'explorer.runs.{name}' for name in names)}, sys; print(*sys.modules)"
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    loaded = subprocess.run([sys.executable, "-c", code], env=paths, capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "streamlit", "dask", "PIL"} & set(loaded.stdout.split())
