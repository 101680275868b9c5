"""A large file comes in pieces: in any number of tries it is the same file, and nobody fills the disk with it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from explorer.networks.work_context import SentenceError
from explorer.runs.data import own, receiving
from explorer.settings import Settings

ANNA, TICKET = "a" * 32, "1" * 32
SMALL = Settings(data_megabytes=1)


def test_pieces_make_the_file_also_where_one_comes_twice(tmp_path: Path) -> None:
    pieces = [b"abc", b"defg", b"h"]
    at = 0
    for piece in pieces:
        assert receiving.add_piece(tmp_path, ANNA, TICKET, at, piece) == at + len(piece)
        at = receiving.add_piece(tmp_path, ANNA, TICKET, at, piece)  # the answer was lost, and it is sent again
    path = receiving.received(tmp_path, ANNA, TICKET)
    assert path is not None and path.read_bytes() == b"abcdefgh"
    receiving.forget(tmp_path, ANNA, TICKET)
    assert receiving.received(tmp_path, ANNA, TICKET) is None
    assert own.mine(tmp_path, ANNA) == []


def test_a_second_file_takes_the_place_of_one_that_was_given_up(tmp_path: Path) -> None:
    receiving.add_piece(tmp_path, ANNA, TICKET, 0, b"a long one")
    receiving.add_piece(tmp_path, ANNA, TICKET, 0, b"short")
    path = receiving.received(tmp_path, ANNA, TICKET)
    assert path is not None and path.read_bytes() == b"short"


def test_a_file_above_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    receiving.add_piece(tmp_path, ANNA, TICKET, 0, bytes(2**20), settings=SMALL)
    with pytest.raises(SentenceError, match="more than 1 MB"):
        receiving.add_piece(tmp_path, ANNA, TICKET, 2**20, b"x", settings=SMALL)
    assert receiving.received(tmp_path, ANNA, TICKET) is None


@pytest.mark.parametrize(
    ("ticket", "at", "content"),
    [
        (TICKET, 5, b"x"),
        (TICKET, -1, b"x"),
        (TICKET, 0, bytes(receiving.PIECE_BYTES + 1)),
        ("../../etc", 0, b"x"),
        ("", 0, b"x"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, ticket: str, at: int, content: bytes) -> None:
    with pytest.raises(SentenceError):
        receiving.add_piece(tmp_path, ANNA, ticket, at, content)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_nearly_full_disk_takes_no_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=receiving.LEAST_FREE_BYTES)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SentenceError, match="disk of the server is full"):
        receiving.add_piece(tmp_path, ANNA, TICKET, 0, b"x")


def test_what_nobody_finished_goes_after_some_hours(tmp_path: Path) -> None:
    receiving.add_piece(tmp_path, ANNA, TICKET, 0, b"half of it")
    path = receiving.received(tmp_path, ANNA, TICKET)
    assert path is not None
    own.clean(tmp_path)
    assert path.is_file()
    own.clean(tmp_path, now=path.parent.stat().st_mtime + 7 * 3600)
    assert not path.exists()


def test_many_tabs_cannot_fill_the_disk_with_files_that_never_arrive(tmp_path: Path) -> None:
    tickets = [f"{number:032x}" for number in range(receiving.MOST_ON_THEIR_WAY + 1)]
    for ticket in tickets[:-1]:
        receiving.add_piece(tmp_path, ANNA, ticket, 0, b"begun")
    with pytest.raises(SentenceError, match="on their way"):
        receiving.add_piece(tmp_path, ANNA, tickets[-1], 0, b"one more")
    receiving.add_piece(tmp_path, ANNA, tickets[0], 5, b" and goes on")
    receiving.add_piece(tmp_path, "b" * 32, tickets[-1], 0, b"of somebody else")


def test_what_closed_tabs_have_left_makes_room_the_oldest_first(tmp_path: Path) -> None:
    tickets = [f"{number:032x}" for number in range(receiving.MOST_ON_THEIR_WAY + 1)]
    for age, ticket in zip((300, 400, 5), tickets[:-1], strict=True):
        receiving.add_piece(tmp_path, ANNA, ticket, 0, b"begun")
        path = receiving.received(tmp_path, ANNA, ticket)
        assert path is not None
        os.utime(path, (time.time() - age,) * 2)
    receiving.add_piece(tmp_path, ANNA, tickets[-1], 0, b"one more")
    left = [receiving.received(tmp_path, ANNA, ticket) is not None for ticket in tickets]
    assert left == [True, False, True, True]
