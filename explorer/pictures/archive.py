"""Takes in many pictures at once, single files or a zip of them: unpacked in memory, bounded, never written to disk.

`take_in` decodes them as well; `look_into` only tells what there is, with folders, and reads each file when asked.

A zip is hostile until shown otherwise. Nothing in it is followed (no links, no paths, no archives inside), what it
says of its own sizes is not believed, and one file that is broken costs one sentence, not the others.
"""

from __future__ import annotations

import io
import logging
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from explorer.pictures.file_kinds import recognise
from explorer.pictures.intake import decode
from explorer.pictures.picture import Picture, PictureError
from explorer.settings import Settings, get_settings

_log = logging.getLogger(__name__)

MOST_PICTURES = 50
"""Pictures that are taken in one go."""

MOST_ENTRIES = 1000
"""Entries of a zip that is looked into at all: what is beyond is no folder of pictures."""

LONGEST_NAME = 60
BATCH_SIDE = 640
"""Longest side at which one picture of many is kept: more than any network of the catalogue takes in."""

_UNPACKED_TIMES = 10  # all pictures of a zip together may have so many times the bytes that one file may have
_DIRECTORY_BYTES = 1_000_000  # a zip's table of contents, for a thousand entries with long names
_HEAD = 4096
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCKED = 0x1 | 0x40  # flag bits of encryption and strong encryption (APPNOTE.TXT 6.3.10, section 4.4.4)
_UTF8 = 0x800  # flag bit of names in UTF-8
_LITTER = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True, eq=False)
class TakenIn:
    """One file of many.

    Attributes:
        name: Its name without folders, made harmless, at most 60 characters, unlike that of any other of the batch.
        picture: The picture, or None.
        sentence: "" or why there is none, and what to do.
    """

    name: str
    picture: Picture | None
    sentence: str = ""


def take_in(
    files: Iterable[tuple[str, bytes]], *, most: int = MOST_PICTURES, settings: Settings | None = None
) -> Iterator[TakenIn]:
    """Yield the pictures of uploaded files one by one; a zip among them is unpacked.

    Whatever the files are, each gives a picture or a sentence. Those beyond `most` are named with a sentence and
    not decoded.

    Args:
        files: (name, content) of each.
        most: How many pictures at most, broken files not counted.
        settings: The limits; those of this process when None.
    """
    settings = settings or get_settings()
    settings = settings.model_copy(update={"picture_side": min(settings.picture_side, BATCH_SIDE)})
    names = _Names()
    room = Room(most, settings.upload_megabytes * _UNPACKED_TIMES * 2**20)
    for packed in look_into(files, room=room, settings=settings):
        shown = names.new(packed.path[-1])
        sentence = packed.sentence or room.full_sentence()
        yield TakenIn(shown, None, sentence) if sentence else _decoded(shown, packed, room, settings)


@dataclass(frozen=True, eq=False)
class Packed:
    """A file by itself or in a zip, not read yet.

    Attributes:
        path: Its folders and its name, each made harmless; a name of nothing is "".
        read: Returns its content, or raises `PictureError` where it is broken, locked, too large or no picture.
        sentence: "" or why there is no reading it.
    """

    path: tuple[str, ...]
    read: Callable[[], bytes]
    sentence: str = ""


def look_into(
    files: Iterable[tuple[str, bytes | BinaryIO]], *, room: Room, settings: Settings | None = None
) -> Iterator[Packed]:
    """Yield what there is to read of uploaded files, with what is in the zips among them.

    Args:
        files: (name, content) of each; the content may be an open file, of which only what is asked for is read.
        room: What is still allowed; reading takes bytes from it.
        settings: The limits of one file; those of this process when None.
    """
    settings = settings or get_settings()
    for name, content in files:
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        file.seek(0)
        if file.read(4) in (b"PK\3\4", b"PK\5\6"):
            yield from _in_zip(name, file, room, settings)
        else:
            yield Packed(safe_path(name), partial(_whole, file, settings))


def _whole(file: BinaryIO, settings: Settings) -> bytes:
    file.seek(0)
    return file.read(settings.upload_megabytes * 2**20 + 1)


def unpack(
    data: bytes, *, name: str = "", most: int = MOST_PICTURES, settings: Settings | None = None
) -> tuple[TakenIn, ...]:
    """Return the pictures of one zip, in its own order; see `take_in`."""
    return tuple(take_in([(name or "pictures.zip", data)], most=most, settings=settings))


class Room:
    """How many pictures and unpacked bytes are still allowed.

    Args:
        pictures: How many.
        nbytes: Unpacked bytes of all pictures in zips together.
        entries: Entries of a zip that is looked into at all.
    """

    def __init__(self, pictures: int, nbytes: int, entries: int = MOST_ENTRIES) -> None:
        self.most = self.pictures = pictures
        self.all_bytes = self.nbytes = nbytes
        self.entries = entries

    def full_sentence(self) -> str | None:
        """Return why nothing more is taken, or None."""
        if self.pictures <= 0:
            return f"At most {self.most} pictures go in one go: upload this one in the next."
        if self.nbytes <= 0:
            return (
                f"Unpacked, these pictures have more than {self.all_bytes / 2**20:.0f} MB together: "
                "upload this one in another zip."
            )
        return None


class _Names:
    """Makes names harmless and unlike each other."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def new(self, name: str) -> str:
        base = safe_name(name) or f"picture {len(self._given) + 1}"
        found, number = base, 1
        while found.casefold() in self._given:
            number += 1
            found = f"{base[: LONGEST_NAME - 6]} ({number})"
        self._given.add(found.casefold())
        return found


def safe_name(name: str) -> str:
    """Return a file's name for showing: no folders, no control or direction characters, at most 60 long.

    What HTML or a spreadsheet would make of it is up to whoever writes it there.
    """
    # Of a name of 64 KB only the end can matter.
    last = name[-4096:].replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    visible = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    short = " ".join(visible.split())
    if short.strip(".") == "":
        return ""
    return short if len(short) <= LONGEST_NAME else short[: LONGEST_NAME - 1] + "…"


def safe_path(name: str) -> tuple[str, ...]:
    """Return a file's folders and name for showing, each as `safe_name` makes it; never empty."""
    parts = name[-4096:].replace("\\", "/").rstrip("/").split("/")
    folders = [shown for part in parts[:-1] if (shown := safe_name(part))]
    return (*folders, safe_name(parts[-1]))


def _decoded(name: str, packed: Packed, room: Room, settings: Settings) -> TakenIn:
    try:
        picture = decode(packed.read(), name=name, settings=settings)
    except PictureError as error:
        return TakenIn(name, None, str(error))
    room.pictures -= 1
    return TakenIn(name, picture)


# --- zips ---


class _Bounded:
    """A zip that gives at most so many bytes at a time: its table of contents is read in one piece."""

    def __init__(self, file: BinaryIO, most: int, pictures: int) -> None:
        self.most: int | None = most
        self._pictures = pictures
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        """Return True: it lies in memory or on disk."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return up to `size` bytes.

        Raises:
            PictureError: if the table of contents is too long.
        """
        left = self._size - self.tell()
        size = left if size is None or size < 0 else min(size, left)
        if self.most is not None and size > self.most:
            raise PictureError(
                f"This zip has far more entries than the {self._pictures:,} pictures that go in one go: "
                "make smaller ones and upload those."
            )
        return self._file.read(size)


def _in_zip(name: str, file: BinaryIO, room: Room, settings: Settings) -> Iterator[Packed]:
    def nothing() -> bytes:
        return b""

    try:
        opened = _opened(file, room)
    except PictureError as error:
        yield Packed((safe_name(name),), nothing, str(error))
        return
    entries = [entry for entry in opened.infolist() if not _is_litter(entry)]
    sentence = _whole_sentence(opened.infolist(), entries, room)
    if sentence:
        yield Packed((safe_name(name),), nothing, sentence)
        return
    for entry in entries:
        yield Packed(safe_path(_true_name(entry)), partial(_content, opened, entry, room, settings))


def _true_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name as whoever packed it wrote it.

    Names without the flag for UTF-8 are read as CP437 (APPNOTE.TXT 6.3.10, appendix D), but macOS writes UTF-8 there,
    and Chinese Windows its own characters.
    """
    if entry.flag_bits & _UTF8 or entry.filename.isascii():
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or all(c.isascii() or "\u4e00" <= c <= "\u9fff" for c in name):
            return name
    return entry.filename


def _opened(file: BinaryIO, room: Room) -> zipfile.ZipFile:
    bounded = _Bounded(file, _DIRECTORY_BYTES * max(1, room.entries // MOST_ENTRIES), room.most)
    try:
        opened = zipfile.ZipFile(bounded)  # type: ignore[arg-type]
    except PictureError:
        raise
    except Exception as error:  # the table of contents is hostile: any failure in it is the file's
        _log.info("A zip could not be opened: %s: %s", type(error).__name__, error)
        raise PictureError("This zip is damaged or cut off: pack the pictures anew and upload that.") from None
    bounded.most = None
    return opened


def _whole_sentence(
    everything: Sequence[zipfile.ZipInfo], entries: Sequence[zipfile.ZipInfo], room: Room
) -> str | None:
    """Return why nothing of a zip is read, or None."""
    if len(everything) > room.entries:
        return (
            f"This zip has {len(everything):,} entries, far more than the {room.most:,} pictures that go in one go: "
            "make smaller ones and upload those."
        )
    if any(entry.filename in ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF") for entry in everything):
        return "This is an Office document or a program, not a zip of pictures: take the pictures out and upload those."
    if not entries:
        return "This zip is empty: put pictures into it and upload it again."
    return None


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a folder, or what an operating system leaves beside pictures unasked."""
    parts = entry.filename.replace("\\", "/").rstrip("/").split("/")
    return entry.is_dir() or "__MACOSX" in parts or parts[-1].casefold() in _LITTER or parts[-1] in (".DS_Store", "")


def _content(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, room: Room, settings: Settings) -> bytes:
    """Return what an entry holds.

    Raises:
        PictureError: if it is no plain file, locked, too large, broken, or no picture.
    """
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise PictureError("This is a link to another file, which is not followed: pack the picture itself.")
    if kind not in (0, stat.S_IFREG):
        raise PictureError("This is no ordinary file: pack the picture itself.")
    if entry.flag_bits & _LOCKED:
        raise PictureError("This file is locked with a password: pack it without one and upload that.")
    if entry.compress_type not in _METHODS:
        raise PictureError("This file is packed in a way that is not read here: pack it as an ordinary zip.")
    most = settings.upload_megabytes * 2**20
    too_large = f"Unpacked, this file has more than {settings.upload_megabytes} MB: make the picture smaller."
    if entry.file_size > most:
        raise PictureError(too_large)
    try:
        with opened.open(entry) as file:
            # A look at the beginning first: a gigabyte of zeros is not unpacked to learn that it is no picture.
            head = file.read(_HEAD)
            room.nbytes -= len(head)
            recognise(head)
            allowed = min(most, len(head) + max(0, room.nbytes))
            rest = file.read(allowed - len(head) + 1)
            room.nbytes -= len(rest)
    except PictureError:
        raise
    except Exception as error:  # inflating hostile bytes: any failure is the file's
        _log.info("A file in a zip could not be unpacked: %s: %s", type(error).__name__, error)
        raise PictureError("This file is damaged inside the zip: pack it anew and upload that.") from None
    if len(head) + len(rest) > allowed:
        raise PictureError(room.full_sentence() or too_large)
    return head + rest
