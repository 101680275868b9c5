"""What a visitor sees of training runs and may do with them, and how the web process keeps their dispatcher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.engine import devices
from explorer.interface import runs_service as service
from explorer.interface import server
from explorer.networks.work_context import SentenceError
from explorer.runs import tasks
from explorer.runs.dispatcher import DISPATCHER_LOCK, Dispatcher, arguments
from explorer.runs.folder import STATUS, STOP, read_status, read_wishes, write_status
from explorer.runs.lock import hold
from explorer.runs.record import Run
from explorer.settings import Settings
from tests.patience import until

ANNA, BEN = "a" * 32, "b" * 32


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Set the settings of the web process."""

    def use(**fields: object) -> Settings:
        made = Settings(**{"runs_folder": tmp_path / "runs", **fields})
        monkeypatch.setattr(service, "get_settings", lambda: made)
        return made

    use()
    monkeypatch.setitem(tasks._registered, "count", "tests.runs.stand_in_tasks:count")
    return use


@pytest.fixture
def submit(settings: Callable[..., Settings]) -> Callable[..., Run]:
    return lambda visitor=ANNA, **fields: service.submit(visitor, "count", **fields)


def ended(run: Run, state: str = "done") -> Run:
    for each in ("starting", "running", state):
        write_status(run.folder, read_status(run.folder).moved(each))
    return run


def test_a_visitor_finds_what_was_submitted_at_once_and_nobody_else_does(submit: Callable[..., Run]) -> None:
    run = submit(title="Two blocks", settings={"epochs": 3}, seed=4)
    assert [each.id for each in service.visible(ANNA).runs] == [run.id]
    assert service.visible(BEN).runs == ()
    found = service.find(ANNA, run.id)
    assert (found.config.title, found.config.settings, found.config.seed) == ("Two blocks", {"epochs": 3}, 4)
    for name in (run.id, "20000101-000000-000000", "../..", ""):
        with pytest.raises(SentenceError, match="no such run"):
            service.find(BEN, name)


def test_who_has_the_link_may_look_and_repeat_and_no_more(submit: Callable[..., Run]) -> None:
    run = submit(settings={"epochs": 3})
    keys = frozenset({"0" * 32, run.config.link_key})
    assert [each.id for each in service.visible(BEN, keys).runs] == [run.id]
    assert service.find(BEN, run.id, keys).id == run.id
    repeated = service.again(BEN, run.id, keys, seed=9)
    assert (repeated.owner, repeated.config.again_of, repeated.config.seed) == (BEN, run.id, 9)
    assert repeated.config.settings == {"epochs": 3}
    assert repeated.config.link_key != run.config.link_key
    for act in (service.stop, service.delete, service.wish):
        with pytest.raises(SentenceError, match="no such run"):
            act(BEN, run.id)
    assert read_status(run.folder).state == "queued"
    assert service.visible(BEN, {"", "x"}).runs == (service.find(BEN, repeated.id),)


def test_the_owner_stops_wishes_and_deletes(submit: Callable[..., Run]) -> None:
    run = submit()
    service.wish(ANNA, run.id, learning_rate=0.1)
    assert read_wishes(run.folder) == {"learning_rate": 0.1}
    write_status(run.folder, read_status(run.folder).moved("starting"))
    with hold(run.folder / "lock"):
        with pytest.raises(SentenceError, match="still in progress"):
            service.delete(ANNA, run.id)
        assert service.may_stop(service.find(ANNA, run.id), ANNA)
        assert not service.may_stop(service.find(ANNA, run.id), BEN)
        service.stop(ANNA, run.id)
        assert (run.folder / STOP).exists()
        write_status(run.folder, read_status(run.folder).moved("stopped"))
    service.stop(ANNA, run.id)
    with pytest.raises(SentenceError, match="has ended"):
        service.wish(ANNA, run.id, learning_rate=0.2)
    service.delete(ANNA, run.id)
    assert service.visible(ANNA).runs == ()
    assert not run.folder.exists()


def test_a_damaged_run_is_shown_to_its_owner_who_can_delete_it(submit: Callable[..., Run]) -> None:
    run = submit()
    (run.folder / STATUS).write_text("{")
    assert [each.id for each in service.visible(ANNA).broken] == [run.id]
    assert service.visible(BEN).broken == ()
    with pytest.raises(SentenceError, match="no such run"):
        service.delete(BEN, run.id)
    service.delete(ANNA, run.id)
    assert service.visible(ANNA).broken == ()


def test_an_installation_that_shows_all_shows_all(
    submit: Callable[..., Run], settings: Callable[..., Settings]
) -> None:
    run = submit()
    settings(runs_show_all=True)
    assert [each.id for each in service.visible(BEN).runs] == [run.id]
    service.stop(BEN, run.id)
    assert read_status(run.folder).state == "stopped"


def test_limits_are_those_of_the_settings(submit: Callable[..., Run], settings: Callable[..., Settings]) -> None:
    settings(runs_waiting_limit=2)
    first, _ = submit(), submit()
    with pytest.raises(SentenceError, match="2 runs of yours are waiting"):
        submit()
    with pytest.raises(SentenceError, match="2 runs of yours are waiting"):
        service.again(ANNA, first.id)
    submit(BEN)
    with pytest.raises(SentenceError, match="no such lesson"):
        service.submit(BEN, "os.system")


def test_places_count_everybody_and_follow_the_slots_that_the_dispatcher_says(
    submit: Callable[..., Run], settings: Callable[..., Settings]
) -> None:
    assert service.places() == {}
    anna, ben = submit(ANNA), submit(BEN)
    place = service.place_of(ben.id)
    assert place is not None
    assert (service.place_of(anna.id).place, place.place) == (1, 2)  # type: ignore[union-attr]
    assert place.seconds is None
    Dispatcher(settings().runs_folder, ["0", "1"])._announce()
    place = service.place_of(ben.id)
    assert place is not None
    assert place.seconds == 0
    service.stop(ANNA, anna.id)
    assert service.place_of(anna.id) is None


def test_the_dispatcher_is_started_with_what_the_settings_say(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    import argparse

    def parsed(**fields: object) -> argparse.Namespace:
        options = service.options_of(settings(**fields))
        return arguments(argparse.ArgumentParser()).parse_args(["--root", "x", *options])

    monkeypatch.setattr(devices, "visible_nvidia_gpus", lambda: [])
    monkeypatch.setattr(service, "is_worth_it", lambda: False)
    said = parsed(runs_at_a_time=2, runs_seconds=60, runs_running_limit=4, runs_standby="auto")
    assert (said.slot, said.seconds, said.running_limit, said.standby) == (["cpu", "cpu"], 60, 4, False)
    assert (said.keep_days, said.keep_megabytes, said.memory_megabytes, said.place) == (30, 20_000, None, None)
    said = parsed(runs_keep_days=0, runs_keep_megabytes=0, runs_memory_megabytes=4000, runs_standby=True)
    assert (said.keep_days, said.keep_megabytes, said.memory_megabytes, said.standby) == (None, None, 4000, True)
    monkeypatch.setattr(service, "is_worth_it", lambda: True)
    assert parsed(runs_standby="auto").standby
    assert not parsed(runs_standby=False).standby
    monkeypatch.setattr(devices, "visible_nvidia_gpus", lambda: [("2", 10**10), ("GPU-7f", 10**10)])
    assert parsed(runs_at_a_time=5).slot == ["2", "GPU-7f"]
    said = parsed(cluster_address="tls://10.0.0.5:8786")
    assert (said.place, said.address, said.slot) == (service.PLACER, "tls://10.0.0.5:8786", [])


def test_the_dispatcher_lives_from_the_servers_start_to_its_end(settings: Callable[..., Settings]) -> None:
    root = settings(runs_standby=False).runs_folder
    keepers = [service.RunsKeeper(), service.RunsKeeper()]
    assert keepers[0].state() == "starting"
    try:
        keepers[0].start()
        keepers[0].start()
        until(lambda: keepers[0].state() == "serves")
        keepers[1].start()  # another web process with the same folder
        until(lambda: keepers[1]._keeper is not None and keepers[1]._keeper.pid)
        until(lambda: keepers[1].state() == "waits")
        keepers[0].close()
        until(lambda: keepers[1].state() == "serves")
    finally:
        for keeper in keepers:
            keeper.close()
    assert (root / DISPATCHER_LOCK).exists()
    assert keepers[1].state() == "starting"


def test_ready_names_the_dispatcher_and_does_not_wait_for_it(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_state_of_worker", lambda: {"ready": True})
    for state in ("serves", "waits", "starting"):
        keeper = service.RunsKeeper()
        monkeypatch.setattr(keeper, "state", lambda state=state: state)
        monkeypatch.setattr(server, "runs_keeper", lambda keeper=keeper: keeper)
        answer = asyncio.run(server.answer_ready(None))  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert json.loads(bytes(answer.body))["runs"] == {"dispatcher": state}
