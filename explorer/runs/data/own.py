"""A visitor's own pictures: a data set is a folder beside the runs, and nobody else sees it.

    <runs folder>/.data/<hash of the visitor's id>/<id>/
        pictures.json       whose it is, its classes, what each picture is, what was skipped and why
        00000.jpg …         the pictures, upright, in sRGB, shorter side at most 256 pixels
        00000-mask.png …    their masks, where there are some, with the values that they came with

A data set appears when it is complete and never changes: it is made in a temporary folder that is renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from explorer.networks.work_context import SentenceError, Stopped
from explorer.pictures.archive import Room, look_into, safe_name
from explorer.pictures.intake import decode, decode_mask
from explorer.pictures.picture import PictureError
from explorer.runs.data import mask_look, own_layout
from explorer.runs.data.picture_set import PictureSet
from explorer.runs.folder import is_disk_full, replace
from explorer.runs.lessons.lesson import DataKind
from explorer.settings import Settings, get_settings

DATA = ".data"
ABOUT = "pictures.json"
MAKING, TRASH = ".making-", ".trash-"

SHORT_SIDE = 256
LONG_SIDE = 512
EXACT_SIDE = 64
"""Pictures up to this side are kept without loss: of digits and icons every pixel counts."""

MOST_SETS = 8
"""Data sets of one visitor."""

MOST_TOLD = 200
"""Skipped files that are named; of further ones only the number is kept."""

VOID = 255
"""What Pascal VOC and others write where nobody knows the class; here it counts as background."""

MOST_MASK_CLASSES = 32
MOST_BYTES_IN_MEMORY = 1_500_000_000

Folders = Literal["found", "classes", "masks"]
"""What folders named images and masks are: found out from what is in them, a class each, or pictures with masks."""

_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{16}")
_UNPACKED_TIMES = 4
_ABANDONED_SECONDS = 6 * 3600

NO_SUCH_SET = "There is no such data set of yours; it may have been deleted."
ONE_CLASS = (
    "These pictures are all of one class, and a classifier needs two at least: put each class into a folder of its own."
)
ONE_PICTURE = "A single picture leaves none to be judged by: upload at least one more together with it."
ALL_SINGLE = "Each class has a single picture, which leaves none to be judged by: upload at least two of each class."
NO_MASKS = "These pictures have no masks: upload a folder images and a folder masks with the same names in both."
NO_CLASSES = "These pictures have masks and no classes of their own: upload a folder for each class."
FULL = "The disk of the server is full: delete old runs or data sets first."


class OwnPicture(BaseModel):
    """One picture of a data set.

    Attributes:
        file: its name in the folder.
        name: what it was called, with its folders.
        label: its class.
        mask: name of its mask in the folder, "" for none.
    """

    model_config = ConfigDict(frozen=True)

    file: str = Field(pattern=r"^[0-9]{5}\.(png|jpg)$")
    name: str
    label: int = Field(ge=0)
    mask: str = Field(default="", pattern=r"^([0-9]{5}-mask\.png)?$")


class OwnSet(BaseModel):
    """What is known of a data set.

    Attributes:
        id: name of its folder.
        owner: the visitor's id.
        title: what the visitor calls it.
        created: seconds since 1970.
        nbytes: what it takes on the disk.
        classes: names; of pixels where there are masks, the first being the background.
        pictures: in the order in which they were taken in, classes taking turns.
        mask_values: value in a mask to class; every other value is the background.
        threshold: where masks are grey and smooth: from this value on a pixel is the object; 0 for none.
        pixel_shares: of each class of pixels, 0 to 1.
        skipped: (name, sentence) of files that are not in it, the first `MOST_TOLD`.
        skipped_count: how many are not in it.
        notes: sentences about how the files were understood.
        decided: what folders with names of pictures and masks were taken for, where their contents decided; else "".
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=rf"^{_ID.pattern}$")
    owner: str = Field(min_length=1)
    title: str
    created: float
    nbytes: int
    classes: tuple[str, ...]
    pictures: tuple[OwnPicture, ...]
    mask_values: dict[int, int] = {}
    threshold: int = 0
    pixel_shares: tuple[float, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    skipped_count: int = 0
    notes: tuple[str, ...] = ()
    decided: str = ""

    @property
    def has_masks(self) -> bool:
        """Whether there is a mask for each picture."""
        return bool(self.pictures) and all(picture.mask for picture in self.pictures)

    @property
    def kinds(self) -> tuple[DataKind, ...]:
        """What it can be used as, the first being what it is meant for."""
        if self.has_masks:
            return "masks", "pictures"
        return ("classes", "pictures") if len(self.classes) > 1 else ("pictures",)

    def counts(self) -> dict[str, int]:
        """Return how many pictures each class has; nothing where pixels have classes."""
        if self.has_masks:
            return {}
        found = Counter(picture.label for picture in self.pictures)
        return {name: found[label] for label, name in enumerate(self.classes)}


def data_folder(root: Path, owner: str) -> Path:
    """Return where a visitor's data sets are, for the folder of all runs; its name keeps it out of their listing."""
    return Path(root) / DATA / hashlib.sha256(owner.encode()).hexdigest()[:32]


# --- making one ---


@dataclass
class _Making:
    """A data set while it is made."""

    folder: Path
    settings: Settings
    budget: int
    pictures: list[tuple[str, str, str, str]] = field(default_factory=list)  # class, file, name, mask
    values: Counter[int] = field(default_factory=Counter)
    nbytes: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folders: Folders = "found"
    decided: str = ""


def create(
    root: Path,
    files: Iterable[tuple[str, bytes | BinaryIO]],
    *,
    owner: str,
    title: str = "",
    folders: Folders = "found",
    settings: Settings | None = None,
    report: Callable[[int, int], None] = lambda done, count: None,
    stopped: Callable[[], bool] = lambda: False,
) -> OwnSet:
    """Make a data set of uploaded files.

    Files in folders ("cat/1.jpg", in a zip or by themselves) are classes; a folder `images` and a folder `masks` with
    the same names are pictures with masks (PNG; palette indices or grey values, 0 the background, 255 void, which
    counts as background; 0 and 255 alone are background and object), unless what is in the files says that they are
    none. Whatever cannot be read is skipped and named.

    Args:
        root: folder of all runs.
        files: (name, content) of each; a content may be an open file, of which one entry at a time is read.
        owner: the visitor's id.
        title: what the visitor calls it.
        folders: what folders named images and masks are, where the visitor has said it.
        settings: the limits; those of this process when None.
        report: hears how many files are done, and of how many.
        stopped: whether the visitor has given up meanwhile.

    Raises:
        SentenceError: if nothing came of it: no picture, too much, no room.
        Stopped: if the visitor has given up.
    """
    settings = settings or get_settings()
    files = list(files)
    if not owner:
        raise SentenceError("Own pictures need a visitor whom they belong to: allow this page's cookie and try again.")
    budget = _budget(root, owner, files, settings)
    made = _new_id()
    folder = data_folder(root, owner) / f"{MAKING}{made}"
    try:
        folder.mkdir(parents=True)
        making = _Making(folder, settings, budget, folders=folders)
        _fill(making, files, report, stopped)
        about = _described(making, made, owner, title)
        replace(folder / ABOUT, about.model_dump_json().encode())
        folder.rename(folder.with_name(made))
    except OSError as error:
        if is_disk_full(error):
            raise SentenceError(FULL) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return about


def in_class(name: str, files: Iterable[tuple[str, bytes | BinaryIO]]) -> list[tuple[str, bytes | BinaryIO]]:
    """Return files, for example webcam pictures, as if they lay in the folder of a class, for `create`.

    Raises:
        SentenceError: if the class has no name.
    """
    folder = safe_name(name)
    if not folder:
        raise SentenceError("Give the class a name before taking its pictures.")
    return [(f"{folder}/{safe_name(each)}", content) for each, content in files]


def _budget(root: Path, owner: str, files: Sequence[tuple[str, bytes | BinaryIO]], settings: Settings) -> int:
    """Return how many bytes may be kept."""
    largest = settings.data_megabytes * 2**20
    given = sum(len(content) if isinstance(content, bytes) else content.seek(0, io.SEEK_END) for _, content in files)
    if given > largest:
        raise SentenceError(
            f"These files have {given / 2**20:.0f} MB and the limit is {settings.data_megabytes} MB: "
            "make the pictures smaller, or take fewer."
        )
    there = mine(root, owner)
    left = 2 * largest - sum(each.nbytes for each in there)
    if len(there) >= MOST_SETS or left <= 0:
        raise SentenceError(f"You have {len(there)} data sets, which is all that you may keep: delete one first.")
    return min(largest, left)


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(8)}"


def _fill(
    making: _Making,
    files: Sequence[tuple[str, bytes | BinaryIO]],
    report: Callable[[int, int], None],
    stopped: Callable[[], bool],
) -> None:
    """Take in the files, one by one, until there is no more room."""
    settings = making.settings
    most = settings.data_pictures
    room = Room(most, settings.data_megabytes * _UNPACKED_TIMES * 2**20, entries=4 * most + 1000)
    layout = own_layout.arrange(
        look_into(files, room=room, settings=settings), lambda supposed: _are_masks(making, supposed)
    )
    if making.folders == "masks" and not layout.decided:
        raise SentenceError(NO_MASKS)
    making.skipped += layout.skipped
    making.notes += layout.notes
    making.decided = layout.decided if making.folders == "found" else ""
    queue = layout.in_turn()
    for done, (name, packed, mask) in enumerate(queue):
        if stopped():
            raise Stopped
        report(done, len(queue))
        if full := _full(making, most, room):
            making.notes.append(f"{full}, so {len(queue) - done:,} more were left out, from all classes alike.")
            break
        try:
            _take(making, name, packed, mask)
        except PictureError as error:
            making.skipped.append((own_layout.shown(packed), str(error)))
    report(len(queue), len(queue))


def _are_masks(making: _Making, supposed: Sequence[tuple[own_layout.Packed | None, own_layout.Packed]]) -> bool:
    if making.folders == "found":
        return mask_look.are_masks(supposed, making.settings)
    return making.folders == "masks"


def _full(making: _Making, most: int, room: Room) -> str:
    if len(making.pictures) >= most:
        return f"A data set has at most {most:,} pictures"
    if making.nbytes >= making.budget or room.nbytes <= 0:
        return f"There is room for {making.budget / 2**20:.0f} MB of pictures"
    return ""


def _take(making: _Making, name: str, packed: own_layout.Packed, mask: own_layout.Packed | None) -> None:
    """Read, reduce and store one picture and its mask.

    Raises:
        PictureError: if one of them cannot be read, or they do not fit.
    """
    settings = making.settings.model_copy(update={"picture_side": LONG_SIDE})
    picture = decode(packed.read(), settings=settings)
    values = None if mask is None else _mask_of(mask, picture.original_size, settings)
    small = _small(Image.fromarray(picture.pixels))
    number = f"{len(making.pictures):05d}"
    exact = max(small.size) <= EXACT_SIDE
    file, mask_file = f"{number}.{'png' if exact else 'jpg'}", ""
    _write(making, file, small, **({} if exact else {"quality": 95, "subsampling": 0}))
    if values is not None:
        mask_file = f"{number}-mask.png"
        reduced = Image.fromarray(values).resize(small.size, Image.Resampling.NEAREST)
        _write(making, mask_file, reduced)
        found, counts = np.unique(np.asarray(reduced), return_counts=True)
        making.values.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    making.pictures.append((name, file, own_layout.shown(packed), mask_file))


def _mask_of(mask: own_layout.Packed, size: tuple[int, int], settings: Settings) -> np.ndarray:
    try:
        values = decode_mask(mask.read(), settings=settings)
    except PictureError as error:
        raise PictureError(f"Its mask: {error}") from None
    if values.shape != size:
        raise PictureError(
            f"Its mask has {values.shape[1]} × {values.shape[0]} pixels and the picture {size[1]} × {size[0]}: "
            "they must be equal."
        )
    return values


def _small(image: Image.Image) -> Image.Image:
    short = min(image.size)
    if short <= SHORT_SIDE:
        return image
    scale = SHORT_SIDE / short
    size = round(image.width * scale), round(image.height * scale)
    return image.resize(size, Image.Resampling.LANCZOS)


def _write(making: _Making, file: str, image: Image.Image, **options: Any) -> None:
    path = making.folder / file
    image.save(path, **options)
    making.nbytes += path.stat().st_size


def _described(making: _Making, made: str, owner: str, title: str) -> OwnSet:
    if not making.pictures:
        why = f" The first of them, {making.skipped[0][0]}: {making.skipped[0][1]}" if making.skipped else ""
        if len(making.skipped) == 1:
            raise SentenceError(making.skipped[0][1])
        raise SentenceError("None of these files is a picture that can be read." + why)
    notes = list(making.notes)
    masks: dict[str, Any] = {}
    if making.pictures[0][3]:
        masks, note = _understood(making.values)
        notes += note
        classes = masks.pop("classes")
        labels = dict.fromkeys((name for name, *_ in making.pictures), 0)
    else:
        classes = tuple(sorted({name for name, *_ in making.pictures}, key=own_layout.natural))
        labels = {name: label for label, name in enumerate(classes)}
        notes += _thin(making, classes)
    return OwnSet(
        id=made,
        owner=owner,
        title=safe_name(title) or "My pictures",
        created=time.time(),
        nbytes=making.nbytes,
        classes=classes,
        pictures=tuple(
            OwnPicture(file=file, name=shown, label=labels[name], mask=mask)
            for name, file, shown, mask in making.pictures
        ),
        skipped=tuple(making.skipped[:MOST_TOLD]),
        skipped_count=len(making.skipped),
        notes=tuple(notes),
        decided=making.decided,
        **masks,
    )


def _thin(making: _Making, classes: Sequence[str]) -> list[str]:
    """Return sentences about classes with too few pictures."""
    if len(classes) == 1:
        return [ONE_CLASS]
    counts = Counter(name for name, *_ in making.pictures)
    single = [name for name in classes if counts[name] == 1]
    if not single:
        return []
    has = "has" if len(single) == 1 else "have"
    return [f"{', '.join(single)} {has} a single picture: it can be learnt from, but nothing tells how well."]


def _understood(values: Counter[int]) -> tuple[dict[str, Any], list[str]]:
    """Return which values of masks mean which class, and sentences about it."""
    total = sum(values.values())
    found = sorted(values)
    if set(found) <= {0, VOID}:
        known = {VOID: 1}
    elif len(found) > MOST_MASK_CLASSES:
        share = sum(count for value, count in values.items() if value >= 128) / total
        note = f"The masks have {len(found)} different values, as smooth edges have: from 128 on a pixel is the object."
        return {"classes": ("background", "object"), "threshold": 128, "pixel_shares": (1 - share, share)}, [note]
    else:
        known = {value: label for label, value in enumerate((v for v in found if 0 < v < VOID), start=1)}
    shares = [0.0] * (len(known) + 1)
    for value, count in values.items():
        shares[known.get(value, 0)] += count / total
    names = ("object",) if list(known) == [VOID] else tuple(f"class {value}" for value in known)
    notes = []
    if VOID in values and VOID not in known:
        notes.append(f"{values[VOID] / total:.1%} of the pixels are void (255) and count as background.")
    return {"classes": ("background", *names), "mask_values": known, "pixel_shares": tuple(shares)}, notes


# --- using one ---


def describe(root: Path, set_id: str, owner: str) -> OwnSet:
    """Return what is known of a data set, to its owner.

    Raises:
        SentenceError: if there is no such data set of this visitor; somebody else's looks the same as none.
    """
    if isinstance(set_id, str) and _ID.fullmatch(set_id):
        with contextlib.suppress(OSError, ValueError):
            found = _about(data_folder(root, owner) / set_id)
            if owner and secrets.compare_digest(found.owner.encode(), owner.encode()):
                return found
    raise SentenceError(NO_SUCH_SET)


def _about(folder: Path) -> OwnSet:
    path = folder / ABOUT
    found = _read_about(path, path.stat().st_mtime_ns)
    if found.id != folder.name:
        raise ValueError("the description is that of another data set")
    return found


@lru_cache(maxsize=64)
def _read_about(path: Path, changed: int) -> OwnSet:
    return OwnSet.model_validate_json(path.read_bytes())


def mine(root: Path, owner: str) -> list[OwnSet]:
    """Return a visitor's data sets, the newest first."""
    found = []
    for folder in sorted(data_folder(root, owner).glob("[0-9]*"), reverse=True):
        with contextlib.suppress(SentenceError):
            found.append(describe(root, folder.name, owner))
    return found


def delete(root: Path, set_id: str, owner: str) -> None:
    """Delete a data set; it is gone at once, and off the disk a moment later.

    Raises:
        SentenceError: if there is no such data set of this visitor.
    """
    describe(root, set_id, owner)
    _remove(data_folder(root, owner) / set_id)


def _remove(folder: Path) -> None:
    trash = folder.with_name(f"{TRASH}{folder.name}-{secrets.token_hex(3)}")
    try:
        folder.rename(trash)
    except FileNotFoundError:
        raise SentenceError(NO_SUCH_SET) from None
    shutil.rmtree(trash, ignore_errors=True)


def clean(root: Path, days: float | None = None, now: float | None = None) -> list[str]:
    """Delete data sets that nothing has been trained with for too long, and what was never finished.

    Args:
        root: folder of all runs.
        days: how long one is kept after its last use; None: as long as its owner wants.
        now: seconds since 1970.

    Returns:
        The ids of those that went.
    """
    now = time.time() if now is None else now
    gone = []
    for folder in (Path(root) / DATA).glob("*/*"):
        with contextlib.suppress(OSError, SentenceError):
            idle = now - folder.stat().st_mtime
            if folder.name.startswith(TRASH) or (folder.name.startswith(MAKING) and idle > _ABANDONED_SECONDS):
                shutil.rmtree(folder, ignore_errors=True)
            elif _ID.fullmatch(folder.name) and days is not None and idle > days * 86_400:
                _remove(folder)
                gone.append(folder.name)
    return gone


Fit = Literal["crop", "pad"]


def read(
    root: Path,
    about: OwnSet,
    *,
    side: int,
    fit: Fit = "crop",
    grey: bool = False,
    which: Sequence[int] | None = None,
    say: Callable[[int, int], None] = lambda done, count: None,
    look: Callable[[], None] = lambda: None,
) -> PictureSet:
    """Read pictures of a data set.

    Args:
        root: folder of all runs.
        about: from `describe`, which has asked whose it is.
        side: pixels of the pictures that come out.
        fit: what is not square is cut to its middle, or gets a grey border (the background, in masks).
        grey: whether colours are left out; then there is one channel.
        which: their numbers; all if None.
        say: hears how many are read, and of how many.
        look: called often; it raises where the run shall stop.

    Raises:
        SentenceError: if they are too many for this size, or have been deleted.
    """
    chosen = range(len(about.pictures)) if which is None else which
    pictures = [about.pictures[number] for number in chosen]
    channels = 1 if grey else 3
    if len(pictures) * side * side * channels > MOST_BYTES_IN_MEMORY:
        raise SentenceError("So many pictures of this size need too much memory: take a smaller size.")
    folder = data_folder(root, about.owner) / about.id
    pixels = np.empty((len(pictures), side, side, channels), np.uint8)
    masks = np.zeros((len(pictures), side, side), np.uint8) if about.has_masks else None
    meaning = _meaning(about)
    try:
        for number, picture in enumerate(pictures):
            look()
            say(number, len(pictures))
            pixels[number] = _fitted(folder / picture.file, side, fit, "L" if grey else "RGB").reshape(
                side, side, channels
            )
            if masks is not None:
                masks[number] = meaning[_fitted(folder / picture.mask, side, fit, "L", mask=True)]
        with contextlib.suppress(OSError):
            os.utime(folder)  # used just now, so it is kept
    except FileNotFoundError:
        raise SentenceError(NO_SUCH_SET) from None
    labels = np.array([picture.label for picture in pictures], np.int64)
    names = tuple(picture.name for picture in pictures)
    return PictureSet(pixels, about.classes, None if about.has_masks else labels, masks, names)


def _meaning(about: OwnSet) -> np.ndarray:
    """Return the class of each of the 256 values of a mask."""
    table = np.zeros(256, np.uint8)
    if about.threshold:
        table[about.threshold :] = 1
    for value, label in about.mask_values.items():
        table[value] = label
    return table


def _fitted(path: Path, side: int, fit: Fit, mode: str, mask: bool = False) -> np.ndarray:
    """Return a picture or mask as a square, both by the same geometry."""
    with Image.open(path, formats=("PNG", "JPEG")) as image:
        width, height = image.size
        if not mask and image.format == "JPEG":
            image.draft(mode, (side, side))
        small = image.convert(mode)
    scale = small.width / width, small.height / height
    method = Image.Resampling.NEAREST if mask else Image.Resampling.BICUBIC
    if fit == "pad":
        longest = max(width, height)
        size = max(1, round(side * width / longest)), max(1, round(side * height / longest))
        square = Image.new(mode, (side, side), 0 if mask else 128 if mode == "L" else (128, 128, 128))
        square.paste(small.resize(size, method), ((side - size[0]) // 2, (side - size[1]) // 2))
        return np.asarray(square)
    short = min(width, height)
    left, top = (width - short) / 2, (height - short) / 2
    box = left * scale[0], top * scale[1], (left + short) * scale[0], (top + short) * scale[1]
    return np.asarray(small.resize((side, side), method, box=box))


def usable(about: OwnSet, kind: DataKind) -> None:
    """Check that a data set is what a lesson needs, and that some of it is left to judge by, class by class.

    Raises:
        SentenceError: if it is not; it says what would be.
    """
    if kind not in about.kinds:
        if kind == "masks":
            raise SentenceError(NO_MASKS)
        raise SentenceError(NO_CLASSES if about.has_masks else ONE_CLASS)
    if np.bincount(labels_of(about)).max(initial=0) < 2:
        raise SentenceError(ONE_PICTURE if len(about.pictures) < 2 else ALL_SINGLE)


def labels_of(about: OwnSet) -> np.ndarray:
    """Return the class of each picture, int64 (n,), for a division class by class; zeros where there are masks."""
    return np.array([picture.label for picture in about.pictures], np.int64)


def skipped_in_words(about: OwnSet) -> tuple[str, ...]:
    """Return the notes, and how many files were skipped, as sentences for a run's page."""
    if not about.skipped_count:
        return about.notes
    first, sentence = about.skipped[0]
    if about.skipped_count == 1:
        return (*about.notes, f"1 file was skipped, {first}: {sentence}")
    return (*about.notes, f"{about.skipped_count:,} files were skipped, the first of them {first}: {sentence}")


def own_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return of checked settings of the source "own" what `read` takes."""
    return {name: settings[name] for name in ("side", "fit", "grey")}
