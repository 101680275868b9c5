"""A process that has imported everything waits for the next run: it takes exactly one, and ends with its dispatcher."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from explorer.runs import dispatcher as dispatching
from explorer.runs.dispatcher import Dispatcher
from explorer.runs.folder import ask_to_stop, read_status
from explorer.runs.record import Run
from explorer.runs.standby import StandBy
from tests.patience import until
from tests.runs.stand_in import gone

Queue = Callable[..., Run]
Dispatch = Callable[..., Dispatcher]

DISPATCHER = """
import functools, sys
from explorer.runs import dispatcher, standby
dispatcher.StandBy = functools.partial(standby.StandBy, modules=["colorsys"])
dispatcher.main(["--root", sys.argv[1], "--standby"])
"""


@pytest.fixture(autouse=True)
def light_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand by without Keras, and also while a run starts."""
    monkeypatch.setattr(dispatching, "StandBy", functools.partial(StandBy, modules=["colorsys"]))
    monkeypatch.setattr(dispatching, "STANDBY_AFTER_SECONDS", 0.0)


def standing_by(dispatcher: Dispatcher, slot: tuple[str, int] = ("cpu", 0)) -> int | None:
    """Return the process that stands by for a slot."""
    standby = dispatcher._standbys.get(slot)
    process = None if standby is None else standby._process
    return None if process is None or process.poll() is not None else process.pid


@pytest.mark.slow
def test_the_one_that_stands_by_trains_the_next_run_and_another_comes_after_it(
    root: Path, queue: Queue, dispatch: Dispatch
) -> None:
    dispatcher = dispatch(standby=True)
    until(lambda: standing_by(dispatcher))
    first = standing_by(dispatcher)
    run = queue("deaf")
    until(lambda: read_status(run.folder).state == "running")
    assert read_status(run.folder).pid == first
    until(lambda: standing_by(dispatcher))  # while the run goes on, for the next
    second = standing_by(dispatcher)
    assert second != first
    later = queue(owner="ben", steps=1)
    ask_to_stop(run.folder)
    until(lambda: read_status(later.folder).state == "done")
    assert read_status(later.folder).pid == second
    until(lambda: standing_by(dispatcher) not in (None, second))
    third = standing_by(dispatcher)
    assert third is not None
    dispatcher.close()
    until(lambda: gone(third))


def test_one_that_has_died_is_replaced_and_every_slot_has_its_own(root: Path, queue: Queue, dispatch: Dispatch) -> None:
    dispatcher = dispatch(slots=["cpu", "cpu"], standby=True)
    until(lambda: standing_by(dispatcher, ("cpu", 0)) and standing_by(dispatcher, ("cpu", 1)))
    pids = [standing_by(dispatcher, ("cpu", number)) for number in range(2)]
    assert len(set(pids)) == 2
    assert pids[0] is not None
    psutil.Process(pids[0]).kill()
    until(lambda: standing_by(dispatcher) not in (None, pids[0]))
    assert standing_by(dispatcher, ("cpu", 1)) == pids[1]


def test_it_ends_with_a_dispatcher_that_is_killed(
    root: Path, queue: Queue, processes: Callable[..., psutil.Popen]
) -> None:
    dispatcher = processes("-c", DISPATCHER, str(root))

    def found() -> list[psutil.Process]:
        children = psutil.Process(dispatcher.pid).children(recursive=True)
        return [each for each in children if "explorer.runs.standby" in each.cmdline()]

    until(found)
    (standby,) = found()
    dispatcher.kill()
    until(lambda: gone(standby.pid))


def test_without_it_nothing_stands_by(root: Path, queue: Queue, dispatch: Dispatch) -> None:
    dispatcher = dispatch(standby=False)
    run = queue(steps=1)
    until(lambda: read_status(run.folder).state == "done")
    assert standing_by(dispatcher) is None
