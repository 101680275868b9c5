"""Training runs on an existing Dask cluster, with scheduler and workers as processes that are really killed."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from explorer.engine.placing import places_of
from explorer.runs.child import MEMORY
from explorer.runs.dispatcher import announced
from explorer.runs.folder import LOG, ask_to_stop, create, read_status
from explorer.runs.listing import listing
from explorer.runs.process import ROOT, environment
from explorer.runs.record import Run
from explorer.runs.tasks import MORE_VARIABLE
from tests.app_server import free_port
from tests.patience import until
from tests.runs.stand_in import config, gone

RUN_TESTS = Path(__file__).parents[1] / "runs"
LONG = 150


class Cluster:
    """A scheduler and workers, each a process of its own, as on machines of their own."""

    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self._folder = folder
        self._started: list[subprocess.Popen] = []
        paths = [str(ROOT), str(RUN_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            MORE_VARIABLE: "stand_in_tasks",
            "DASK_LOGGING__DISTRIBUTED": "error",
        }

    def start(self, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *arguments], env=self.environment, stdin=subprocess.PIPE, cwd=self._folder
        )
        self._started.append(process)
        return process

    def scheduler(self) -> subprocess.Popen:
        port = self.address.rsplit(":", 1)[1]
        self.first = self.start(
            "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"
        )
        return self.first

    def worker(self, name: str, *options: str) -> subprocess.Popen:
        """Start a worker without a nanny: it is the process that is killed."""
        return self.start(
            "-m", "distributed.cli.dask_worker", self.address, "--name", name, "--nthreads", "1", "--no-nanny",
            "--no-dashboard", "--host", "127.0.0.1", "--resources", "run=1", "--local-directory", str(self._folder),
            *options,
        )  # fmt: skip

    def dispatcher(self, root: Path, *options: str) -> subprocess.Popen:
        """Start what an app starts."""
        return self.start(
            "-m", "explorer.runs.dispatcher", "--root", str(root), "--place", "explorer.engine.placing:connect",
            "--address", self.address, *options,
        )  # fmt: skip

    def end(self) -> None:
        for process in self._started:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        child.kill()
            process.kill()
            process.wait(10)
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    made.scheduler()
    yield made
    made.end()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def queue(root: Path) -> Callable[..., Run]:
    return lambda task="count", owner="anna", **settings: create(root, config(task, owner, **settings))


Queue = Callable[..., Run]


def states(root: Path) -> list[str]:
    return [run.state for run in listing(root).runs]


def slots(root: Path) -> tuple[str, ...]:
    said = announced(root)
    return () if said is None else said.slots


@pytest.mark.slow
def test_a_run_is_placed_on_a_worker_reports_and_hears(cluster: Cluster, root: Path, queue: Queue) -> None:
    worker = cluster.worker("one")
    cluster.dispatcher(root, "--memory-megabytes", "300")
    until(lambda: slots(root) == ("cpu@one",), LONG)
    run = queue(steps=100_000, pause=0.01)
    until(lambda: read_status(run.folder).state == "running", LONG)
    status = read_status(run.folder)
    assert (status.slot, status.host) == ("cpu@one", socket.gethostname())
    assert status.pid is not None
    assert psutil.Process(status.pid).ppid() == worker.pid
    waits = queue(owner="ben", steps=1)
    other = queue("hog", owner="carl")
    ask_to_stop(run.folder)
    until(lambda: read_status(waits.folder).state == "done", LONG)
    assert read_status(run.folder).state == "stopped"
    log = waits.folder / LOG  # written by whoever watches the run, who may come a moment after the run's own last word
    until(lambda: log.exists() and "counting" in log.read_text())
    until(lambda: read_status(other.folder).state == "failed", LONG)
    assert read_status(other.folder).reason == MEMORY  # the limits travel


@pytest.mark.slow
def test_two_apps_share_a_scheduler_and_a_folder_in_order_and_no_run_is_run_twice(
    cluster: Cluster, root: Path, queue: Queue, tmp_path: Path
) -> None:
    cluster.worker("one")
    apps = [cluster.dispatcher(root), cluster.dispatcher(root)]
    until(lambda: slots(root) == ("cpu@one",), LONG)
    order = tmp_path / "order"
    runs = [queue(owner=f"visitor {number % 4}", steps=2, order=str(order)) for number in range(6)]
    until(lambda: states(root).count("done") >= 2, LONG)
    leader = announced(root)
    assert leader is not None
    next(each for each in apps if each.pid == leader.pid).kill()  # what runs on the workers goes on
    until(lambda: states(root) == ["done"] * 6, LONG)
    second = announced(root)
    assert second is not None
    assert second.pid in {each.pid for each in apps} - {leader.pid}
    assert order.read_text().split() == [run.id for run in runs]  # in order, each once


@pytest.mark.slow
def test_a_killed_worker_s_run_begins_anew_on_the_next(cluster: Cluster, root: Path, queue: Queue) -> None:
    worker = cluster.worker("one")
    cluster.dispatcher(root)
    running, waits = queue("parent"), queue(owner="ben", steps=1)
    until(lambda: (running.folder / "grandchild").exists(), LONG)
    pid = read_status(running.folder).pid
    assert pid is not None
    worker.kill()
    until(lambda: gone(pid) and gone(int((running.folder / "grandchild").read_text())))
    until(lambda: read_status(running.folder).state == "queued", LONG)
    assert read_status(waits.folder).state == "queued"
    cluster.worker("two")
    until(lambda: [read_status(run.folder).state for run in (running, waits)] == ["done", "done"], LONG)
    assert {read_status(run.folder).slot for run in (running, waits)} == {"cpu@two"}


@pytest.mark.slow
def test_a_killed_scheduler_loses_nothing_that_waits(
    cluster: Cluster, root: Path, queue: Queue, tmp_path: Path
) -> None:
    order = tmp_path / "order"
    worker = cluster.worker("one")
    dispatcher = cluster.dispatcher(root)
    running = queue("deaf", owner="anna")
    waiting = [queue(owner=f"visitor {number}", steps=1, order=str(order)) for number in range(3)]
    until(lambda: read_status(running.folder).state == "running", LONG)
    cluster.first.kill()
    until(lambda: slots(root) == (), LONG)
    assert [read_status(run.folder).state for run in waiting] == ["queued"] * 3
    cluster.scheduler()
    worker.wait(LONG)  # a worker ends when it has lost its scheduler; whoever keeps it starts it again
    cluster.worker("one")
    until(lambda: [read_status(run.folder).state for run in (running, *waiting)] == ["done"] * 4, LONG)
    assert order.read_text().split() == [run.id for run in waiting]
    assert dispatcher.poll() is None


def test_workers_that_say_so_take_runs_and_else_those_for_long_work() -> None:
    def worker(**resources: float) -> dict[str, object]:
        return {"resources": resources}

    assert places_of({"a": worker(quick=1), "b": worker(long=1), "c": worker(run=1), "d": worker(run=2)}) == {
        "c": 1,
        "d": 2,
    }
    assert places_of({"a": worker(quick=1), "b": worker(long=1), "c": worker(long=1)}) == {"b": 1, "c": 1}
    assert places_of({"a": worker(), "b": worker()}) == {"b": 1}
    assert places_of({"a": worker()}) == {"a": 1}
    assert places_of({}) == {}


@pytest.mark.parametrize(
    ("slot", "device"), [("cpu@one", "-1"), ("0@tls://10.0.0.5:1234", "0"), ("GPU-7f@cpu@x", "GPU-7f")]
)
def test_a_run_on_a_worker_sees_that_worker_s_device(slot: str, device: str) -> None:
    assert environment(slot)["CUDA_VISIBLE_DEVICES"] == device
