"""The line: oldest first, a fair share for each visitor, and what is said about it."""

from __future__ import annotations

import shutil
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from explorer.networks.work_context import SentenceError
from explorer.runs.folder import ask_to_stop
from explorer.runs.listing import listing
from explorer.runs.record import Config, Progress, Run, Status
from explorer.runs.waiting import Place, line, next_run, submit, typical_seconds, waiting
from tests.runs.stand_in import config

Usage = namedtuple("Usage", "total used free")


def made(number: int, owner: str, state: str = "queued", task: str = "count", **fields: Any) -> Run:
    """A run that was asked for at second `number`; ended ones took `took` seconds."""
    created = float(number)
    log = [("queued", created)]
    if state != "queued":
        log.append(("starting", fields.pop("began", created)))
    if state == "done":
        log.append(("done", created + fields.pop("took")))
    status = Status(state=state, log=tuple(log), **fields)
    asked = Config(id=f"20260101-{number:06d}-abcdef", task=task, owner=owner, created=created)
    return Run(Path("nowhere"), asked, status, status.state)


def test_the_oldest_whose_visitor_has_none_running_is_next() -> None:
    runs = [made(3, "carl"), made(1, "anna"), made(2, "anna"), made(4, "ben"), made(0, "anna", "running")]
    assert [run.config.created for run in waiting(runs)] == [1, 2, 3, 4]
    chosen = next_run(runs)
    assert chosen is not None
    assert chosen.owner == "carl"
    chosen = next_run(runs, placed={chosen.id})
    assert chosen is not None
    assert chosen.owner == "ben"
    assert next_run(runs, placed={runs[0].id, runs[3].id}) is None
    chosen = next_run(runs, running_limit=2)
    assert chosen is not None
    assert chosen.config.created == 1


def test_place_and_time_are_what_the_dispatcher_will_do() -> None:
    ended = [made(n, "x", "done", took=took) for n, took in enumerate([10, 30, 20])]
    running = made(10, "anna", "running", began=100.0)
    queue = [made(11, "anna"), made(12, "ben"), made(13, "carl"), made(14, "ben")]
    assert typical_seconds(ended) == {"count": 20}
    places = line([*ended, running, *queue], now=105.0)
    assert [places[run.id] for run in queue] == [Place(1, 15), Place(2, 35), Place(3, 55), Place(4, 75)]
    # With two slots anna's second one still waits for her first.
    places = line([*ended, running, *queue], slots=2, now=105.0)
    assert [places[run.id] for run in queue] == [Place(2, 15), Place(1, 0), Place(3, 20), Place(4, 35)]


def test_a_running_one_knows_better_and_without_experience_nothing_is_promised() -> None:
    known = made(1, "anna", "running", progress=Progress(seconds_left=7.0))
    assert line([known, made(2, "ben")])[made(2, "ben").id] == Place(1, 7.0)
    places = line([made(1, "anna", "running"), made(2, "ben"), made(3, "carl")])
    assert [(each.place, each.seconds) for each in places.values()] == [(1, None), (2, None)]
    assert list(line([made(2, "ben"), made(3, "carl")]).values()) == [Place(1, 0.0), Place(2, None)]
    assert line([made(2, "ben")], slots=0) == {}


def test_a_visitor_may_have_so_many_waiting_and_others_are_not_affected(root: Path) -> None:
    runs = [submit(root, config(), waiting_limit=2, free_megabytes=0) for _ in range(2)]
    with pytest.raises(SentenceError, match="2 runs of yours are waiting already"):
        submit(root, config(), waiting_limit=2, free_megabytes=0)
    submit(root, config(owner="ben"), waiting_limit=2, free_megabytes=0)
    ask_to_stop(runs[0].folder)
    submit(root, config(), waiting_limit=2, free_megabytes=0)
    assert len(listing(root).runs) == 4


def test_two_tabs_that_press_at_once_do_not_get_more(root: Path) -> None:
    refused: list[str] = []

    def press() -> None:
        try:
            submit(root, config(), waiting_limit=3, free_megabytes=0)
        except SentenceError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(listing(root).runs) == 3
    assert len(refused) == 5


def test_a_nearly_full_disk_and_unknown_tasks_are_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for task in ("nothing", "__init__", "../count", "os.system", "", "Count"):
        with pytest.raises(SentenceError, match="no such lesson"):
            submit(root, config(task), free_megabytes=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 5 * 10**8, 5 * 10**8))
    with pytest.raises(SentenceError, match="nearly full"):
        submit(root, config(), free_megabytes=1000)
    assert listing(root).runs == ()
