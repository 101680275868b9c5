"""What goes wrong in a lab: the app killed, the machine restarted, the disk full, the loss not a number.

Each ends a run with the truth about it, leaves nothing running, and lets the line go on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from explorer.networks import catalogue
from explorer.runs import dispatcher as dispatching
from explorer.runs import trained
from explorer.runs.context import NOT_A_NUMBER
from explorer.runs.dispatcher import Dispatcher, PlaceLost
from explorer.runs.folder import DISK_FULL, LOCK, METRICS, MODEL, create, delete, read_status, write_status
from explorer.runs.listing import listing
from explorer.runs.lock import hold
from explorer.runs.metrics import read_metrics
from explorer.runs.record import Run
from explorer.runs.supervise import supervise
from explorer.runs.tasks import MORE_VARIABLE
from explorer.runs.trained import networks_of
from explorer.settings import Settings
from tests.app_server import AppServer
from tests.patience import until
from tests.runs.stand_in import config, gone
from tests.runs.test_folder import small_disk  # noqa: F401 - a fixture

Queue = Callable[..., Run]
Dispatch = Callable[..., Dispatcher]
LONG = 150.0


@pytest.fixture
def app(root: Path) -> Iterator[Callable[[], AppServer]]:
    """Start the whole app on the folder of runs, as `streamlit run app.py` does."""
    started: list[AppServer] = []

    def start() -> AppServer:
        variables = {"CNN_EXPLORER_RUNS_FOLDER": str(root), "CNN_EXPLORER_WARM_NETWORK": ""}
        started.append(AppServer(environment=variables).__enter__())
        return started[-1]

    yield start
    for server in started:
        server.__exit__()


def shown(root: Path) -> list[str]:
    return [run.state for run in listing(root).runs]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["end", "kill", "power"])
def test_runs_end_with_the_app_and_those_that_wait_go_on_with_the_next(
    root: Path, queue: Queue, app: Callable[[], AppServer], how: str
) -> None:
    running = queue("parent", owner="anna")
    waiting = [queue(owner=owner, steps=1) for owner in ("ben", "carl")]
    server = app()
    until(lambda: (running.folder / "grandchild").exists(), LONG)
    web = psutil.Process(server.pid)
    family = web.children(recursive=True)
    pid = read_status(running.folder).pid
    grandchild = int((running.folder / "grandchild").read_text())
    assert {pid, grandchild} <= {each.pid for each in family}
    if how == "end":
        server.__exit__()
    else:
        web.kill()
        if how == "power":  # the machine: everything at once, nobody has a last word
            for each in family:
                each.kill()
    until(lambda: all(gone(each.pid) for each in family))
    until(lambda: shown(root) == ["interrupted" if how == "power" else "queued", "queued", "queued"])
    app()
    until(lambda: shown(root) == ["done"] * 3, LONG)
    began = [read_status(run.folder).began or 0.0 for run in (running, *waiting)]
    assert began == sorted(began)
    assert [read_status(run.folder).restarts for run in (running, *waiting)] == [1, 0, 0]


def test_a_full_disk_fails_runs_truly_and_the_line_goes_on_when_there_is_room(
    small_disk: Path,  # noqa: F811
) -> None:
    runs = [create(small_disk, config("fill", "anna")), create(small_disk, config("count", "ben", steps=1))]
    dispatcher = Dispatcher(small_disk)
    thread = threading.Thread(target=dispatcher.serve)
    thread.start()
    try:
        until(lambda: shown(small_disk) == ["failed", "failed"], LONG)
        assert [read_status(run.folder).reason for run in runs] == [DISK_FULL, DISK_FULL]
        delete(small_disk, runs[0].id)
        later = create(small_disk, config("count", "carl", steps=1))
        until(lambda: read_status(later.folder).state == "done", LONG)
        assert (later.folder / MODEL).exists()
    finally:
        dispatcher.close()
        thread.join(LONG)


def test_a_place_that_is_lost_again_and_again_is_not_the_run_s_fault(
    root: Path, queue: Queue, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "AGAIN_SECONDS", 0.01)
    tries: list[str] = []

    def place(folder: Path, slot: str) -> None:
        tries.append(folder.name)
        if len(tries) <= 2 * dispatching.ATTEMPTS:
            raise PlaceLost("no worker")
        with hold(folder / LOCK, 5):
            for state in ("starting", "running", "done"):
                write_status(folder, read_status(folder).moved(state, slot=slot))  # type: ignore[arg-type]

    run = queue()
    dispatch(place=place)
    until(lambda: read_status(run.folder).state == "done")
    assert tries == [run.id] * (2 * dispatching.ATTEMPTS + 1)


@pytest.mark.slow
def test_a_network_that_keras_trains_reports_and_can_be_opened_afterwards(
    root: Path, queue: Queue, keras_tasks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue("small_cnn", epochs=2)
    assert supervise(run.folder) == "done", (run.folder / "log.txt").read_text()
    rows = read_metrics(run.folder / METRICS).rows
    assert {row["epoch"] for row in rows} == {1, 2}
    assert all(row["loss"] > 0 for row in rows)
    (ended,) = listing(root).runs
    monkeypatch.setattr(trained, "get_settings", lambda: Settings(runs_folder=root))
    (entry,) = networks_of(ended)
    assert catalogue.entry(entry.name).class_names == ("left", "right")


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_keras_with_advice(root: Path, queue: Queue, keras_tasks: None) -> None:
    run = queue("small_cnn", epochs=3, learning_rate=1e30)
    assert supervise(run.folder) == "failed"
    assert read_status(run.folder).reason == NOT_A_NUMBER


@pytest.fixture
def keras_tasks(stand_in_tasks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs also find what trains with Keras."""
    monkeypatch.setenv(MORE_VARIABLE, os.environ[MORE_VARIABLE] + ",keras_tasks")
