"""The folder: what is written is read back, never half, and nothing outside it is touched."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.networks.work_context import SentenceError
from explorer.runs import folder as folders
from explorer.runs.folder import (
    CONFIG,
    LOCK,
    SPARE,
    STATUS,
    ask_to_stop,
    create,
    delete,
    finish,
    put_back,
    read_config,
    read_status,
    rename,
    wish,
    write_status,
)
from explorer.runs.listing import find, listing, shared_listing
from explorer.runs.lock import LockHeld, hold, is_held, take
from explorer.runs.record import FINAL, NEXT, Run, Status, again, new_config
from explorer.runs.rights import may_delete, may_see, may_stop
from tests.runs.stand_in import config

Queue = Callable[..., Run]


def move(run: Run, *states: str) -> None:
    for state in states:
        write_status(run.folder, read_status(run.folder).moved(state))


def test_what_was_asked_for_is_read_back_with_nan_and_infinity(root: Path) -> None:
    asked = new_config(
        task="count", owner="anna", title="Wörter", data={"classes": ["a", "b"]}, network="drawn_plain",
        settings={"rate": 1e-3, "nan": math.nan, "inf": -math.inf}, seed=7,
    )  # fmt: skip
    run = find(root, create(root, asked).id)
    assert math.isnan(run.config.settings["nan"])
    assert run.config.model_dump(exclude={"settings"}) == asked.model_dump(exclude={"settings"})
    assert run.config.settings["inf"] == -math.inf
    assert run.state == run.stored == "queued"
    assert run.config.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert json.loads((run.folder / CONFIG).read_text())["title"] == "Wörter"


def test_ids_are_in_order_even_within_one_tick_of_the_clock(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1.8e9)
    made = [create(root, config()).id for _ in range(20)]
    assert [run.id for run in listing(root).runs] == made
    assert len(set(made)) == 20


def test_every_state_leads_only_where_it_may(queue: Queue) -> None:
    for before, allowed in NEXT.items():
        status = Status(state=before)
        for after in NEXT:
            if after in allowed:
                assert status.moved(after).state == after
            else:
                with pytest.raises(ValueError, match="cannot go"):
                    status.moved(after)
    assert all(not NEXT[state] for state in FINAL)
    run = queue()
    move(run, "starting", "running", "done")
    with pytest.raises(ValueError, match="cannot go"):
        write_status(run.folder, Status(state="failed"))
    assert not finish(run.folder, "interrupted")
    assert read_status(run.folder).state == "done"
    assert [state for state, _ in read_status(run.folder).log] == ["queued", "starting", "running", "done"]
    assert not (run.folder / SPARE).exists()


def test_a_run_in_progress_that_nobody_holds_is_shown_as_interrupted_at_once(root: Path, queue: Queue) -> None:
    held, lost = queue(), queue()
    move(held, "starting", "running")
    move(lost, "starting")
    with hold(held.folder / LOCK):
        shown = {run.id: run for run in listing(root).runs}
        assert shown[held.id].state == "running"
        assert shown[lost.id].state == "interrupted"
        assert shown[lost.id].status.reason
        assert shown[lost.id].stored == "starting"
        assert not finish(held.folder, "failed")
    assert find(root, held.id).state == "interrupted"


def test_a_run_that_was_cut_off_begins_anew_as_if_it_never_had_begun(queue: Queue) -> None:
    run = queue()
    rename(run.folder, "mine")
    move(run, "starting", "running")
    for name in ("metrics.jsonl", "model.keras", "heard", "heartbeat", "previews/1.png", "log.txt"):
        (run.folder / name).write_text("of the first beginning")
    with hold(run.folder / LOCK):
        assert not put_back(run.folder)  # somebody runs it
    first = read_status(run.folder)
    assert put_back(run.folder)
    status = read_status(run.folder)
    assert (status.state, status.restarts, status.began) == ("queued", 1, None)
    fresh = {path.name for path in queue().folder.iterdir()}
    assert {path.name for path in run.folder.iterdir()} - fresh == {"title.txt", "log.txt", "restarted"}
    assert not list((run.folder / "previews").iterdir())
    # Whoever still holds on to the first beginning writes nothing any more.
    move(run, "starting", "running")
    with pytest.raises(ValueError, match="anew"):
        write_status(run.folder, first.moved("done"))
    assert not put_back(run.folder)  # once is enough


def test_on_another_machine_a_heartbeat_counts_too(root: Path, queue: Queue) -> None:
    run = queue()
    write_status(run.folder, read_status(run.folder).moved("starting", host="another"))
    assert find(root, run.id).state == "starting"
    long_ago = time.time() - 60
    os.utime(run.folder / STATUS, (long_ago, long_ago))
    assert find(root, run.id).state == "interrupted"
    (run.folder / "heartbeat").touch()
    assert find(root, run.id).state == "starting"


def test_a_status_is_never_torn_while_it_is_replaced(root: Path, queue: Queue) -> None:
    run = queue()
    move(run, "starting", "running")
    code = (
        "import sys; from pathlib import Path; from explorer.runs.folder import *; folder = Path(sys.argv[1])\n"
        "for i in range(400): write_status(folder, read_status(folder).moved('running', device='x' * (i * 37 % 5000)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(folders.__file__).parents[2])}
    lock = take(run.folder / LOCK)
    writer = subprocess.Popen([sys.executable, "-c", code, str(run.folder)], env=environment)
    reads, sizes = 0, set()
    while writer.poll() is None:
        sizes.add(len(read_status(run.folder).device))
        found = listing(root)
        assert not found.broken
        assert len(found.runs) == 1
        reads += 1
    lock.release()
    assert writer.returncode == 0
    assert reads > 50
    assert len(sizes) > 5
    assert not [path for path in run.folder.iterdir() if path.name.startswith(".status")]


def damage(folder: Path, how: str) -> None:
    if how == "torn":
        (folder / STATUS).write_text((folder / STATUS).read_text()[:40])
    elif how == "empty":
        (folder / STATUS).write_bytes(b"")
    elif how == "binary":
        (folder / STATUS).write_bytes(bytes(range(256)))
    elif how == "deep":
        (folder / STATUS).write_text("[" * 100_000)
    elif how == "huge":
        with open(folder / STATUS, "ab") as stream:
            stream.truncate(9_000_000)
    elif how == "no config":
        (folder / CONFIG).unlink()
    elif how == "another's config":
        (folder / CONFIG).write_text((folder / CONFIG).read_text().replace(folder.name, "20200101-000000-abcdef"))
    elif how == "unknown state":
        (folder / STATUS).write_text('{"state": "dreaming"}')
    elif how == "no status":
        (folder / STATUS).unlink()
        os.utime(folder, (0, 0))
    elif how == "a folder":
        (folder / STATUS).unlink()
        (folder / STATUS).mkdir()


@pytest.mark.parametrize(
    "how",
    ["torn", "empty", "binary", "deep", "huge", "no config", "another's config", "unknown state", "no status",
     "a folder"],
)  # fmt: skip
def test_a_broken_folder_is_one_sentence_and_breaks_nothing(root: Path, queue: Queue, how: str) -> None:
    good, bad = queue(), queue()
    damage(bad.folder, how)
    found = listing(root)
    assert [run.id for run in found.runs] == [good.id]
    assert [each.id for each in found.broken] == [bad.id]
    sentence = found.broken[0].sentence
    assert sentence.startswith("This run's folder cannot be read: ")
    assert sentence.endswith(".")
    assert str(root) not in sentence
    with pytest.raises(SentenceError):
        find(root, bad.id)
    if "config" not in how:
        assert may_delete(found.broken[0], "anna")
    delete(root, bad.id)
    assert not bad.folder.exists()
    assert not listing(root).broken


def test_what_is_no_run_is_not_looked_at(root: Path, queue: Queue, tmp_path: Path) -> None:
    run = queue()
    (root / "notes.txt").write_text("hello")
    (root / "20200101-000000-abcdef").mkdir()  # being made
    (root / "20200101-000001-abcdef").symlink_to(run.folder, target_is_directory=True)
    assert [each.id for each in listing(root).runs] == [run.id]
    assert not listing(root).broken
    assert listing(tmp_path / "nowhere").runs == ()


@pytest.mark.parametrize(
    "run_id",
    ["", ".", "..", "../secret", "/etc", "20200101-000000-abcdef/..", "20200101-000000-ABCDEF", "a\0b",
     "20200101-000000-abcdef\n", "..\\secret", ".dispatcher.lock", None, 7],
)  # fmt: skip
def test_an_id_leads_nowhere_outside(root: Path, run_id: object) -> None:
    (root.parent / "secret").mkdir()
    for act in (find, delete):
        with pytest.raises(SentenceError):
            act(root, run_id)
    assert (root.parent / "secret").is_dir()


def test_a_link_out_of_the_root_is_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    run = create(outside, config())
    (root / run.id).symlink_to(run.folder, target_is_directory=True)
    for act in (find, delete):
        with pytest.raises(SentenceError):
            act(root, run.id)
    assert run.folder.is_dir()


def test_nobody_else_sees_stops_or_deletes_a_run(root: Path, queue: Queue) -> None:
    run = queue()
    for allowed in (may_see, may_stop, may_delete):
        assert allowed(run, "anna")
        assert allowed(run, "the teacher", admin=True)
        assert not allowed(run, "ben")
        assert not allowed(run, "")
    assert may_see(run, "ben", run.config.link_key)
    assert not may_see(run, "ben", "wrong")
    ownerless = create(root, new_config(task="count", owner="", versions={}))
    assert not may_see(ownerless, "")
    assert not may_delete(ownerless, "")
    move(run, "starting", "running")
    with hold(run.folder / LOCK):
        running = find(root, run.id)
        assert may_stop(running, "anna")
        assert not may_delete(running, "anna", admin=True)
        with pytest.raises(SentenceError, match="still in progress"):
            delete(root, run.id)
    assert not may_stop(find(root, run.id), "anna")


def test_a_waiting_run_is_stopped_at_once_and_a_deleted_one_is_gone(root: Path, queue: Queue) -> None:
    stopped, deleted = queue(), queue()
    ask_to_stop(stopped.folder)
    assert find(root, stopped.id).state == "stopped"
    ask_to_stop(stopped.folder)
    delete(root, deleted.id)
    assert [run.id for run in listing(root).runs] == [stopped.id]
    with pytest.raises(SentenceError):
        ask_to_stop(deleted.folder)
    assert [path.name for path in root.iterdir() if "trash" in path.name] == []


def test_the_shared_listing_is_read_once_and_knows_what_this_process_changes(
    root: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue()
    found = shared_listing(root, 1000)
    assert shared_listing(root, 1000) is found
    queue()
    assert len(shared_listing(root, 1000).runs) == 2
    ask_to_stop(run.folder)
    assert shared_listing(root, 1000).runs[0].state == "stopped"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (" Six\n epochs ", "Six epochs"),
        ("x" * 90, "x" * 60),
        ("\u202eevil\x00", "evil"),
        ("", ""),
        ("Ü & <b>", "Ü & <b>"),
    ],
)
def test_a_run_is_renamed_and_what_was_asked_for_stays(root: Path, queue: Queue, given: str, shown: str) -> None:
    run, other = queue(), queue()
    before = (run.folder / CONFIG).read_bytes()
    assert [each.config.title for each in shared_listing(root, 1000).runs] == ["", ""]
    rename(run.folder, given)
    assert [each.config.title for each in shared_listing(root, 1000).runs] == [shown, ""]
    assert find(root, run.id).config.title == read_config(run.folder).title == shown
    assert (run.folder / CONFIG).read_bytes() == before
    assert again(find(root, run.id).config, "ben").title == shown
    delete(root, other.id)
    with pytest.raises(SentenceError, match="no such run"):
        rename(other.folder, "gone")


def test_again_is_a_new_folder_that_names_the_old_one(queue: Queue) -> None:
    first = queue(owner="anna", steps=4).config
    second = again(first, "ben", settings={"steps": 5})
    assert (second.again_of, second.owner, second.seed, second.settings) == (first.id, "ben", first.seed, {"steps": 5})
    assert second.id != first.id
    assert second.link_key != first.link_key


def test_files_that_have_not_changed_are_not_read_again(
    root: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [queue() for _ in range(5)]
    listing(root)
    read: list[str] = []
    real = folders._read
    monkeypatch.setattr(folders, "_read", lambda path: (read.append(path.name), real(path))[1])
    listing(root)
    assert read == []
    move(runs[2], "stopped")
    read.clear()
    assert listing(root).runs[2].state == "stopped"
    assert read == [STATUS]


def test_a_full_disk_leaves_no_half_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(SentenceError, match="full"):
            create(root, config())
    assert not [path for path in root.iterdir() if path.is_dir()]
    assert create(root, config()).state == "queued"


def test_a_lock_does_not_bring_a_deleted_folder_back(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        take(tmp_path / "deleted" / "lock")
    assert not (tmp_path / "deleted").exists()


def test_a_lock_tells_who_lives(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert is_held(path) is False
    with hold(path):
        assert is_held(path) is True
        with pytest.raises(LockHeld):
            take(path)
    assert is_held(path) is False
    answers: list[bool | None] = []
    threads = [threading.Thread(target=lambda: answers.extend(is_held(path) for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {False}  # those who look are not in each other's way


def test_wishes_replace_each_other(queue: Queue) -> None:
    run = queue()
    wish(run.folder, learning_rate=0.1)
    wish(run.folder, learning_rate=0.2, augmentation=False)
    assert folders.read_wishes(run.folder) == {"learning_rate": 0.2, "augmentation": False}
    (run.folder / "wishes.json").write_text("{torn")
    assert folders.read_wishes(run.folder) == {}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_has_room_for_the_last_word(small_disk: Path) -> None:
    run = create(small_disk, config())
    move(run, "starting", "running")
    with pytest.raises(OSError, match="No space"), open(small_disk / "ballast", "wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)
    with pytest.raises(OSError, match="No space"):
        write_status(run.folder, read_status(run.folder).moved("running", device="x"))
    assert find(small_disk, run.id).state == "interrupted"
    assert finish(run.folder, "failed", "The disk was full.")
    assert find(small_disk, run.id).state == "failed"
    with pytest.raises(SentenceError, match="full"):
        create(small_disk, config())
    delete(small_disk, run.id)
    assert not run.folder.exists()
