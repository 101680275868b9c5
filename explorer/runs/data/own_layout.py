"""Finds the order in a heap of files: a folder for each class, or pictures and masks of the same names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from explorer.pictures.archive import Packed

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "eval"})
IMAGES = frozenset({"image", "images", "imgs", "img", "picture", "pictures", "photos", "jpegimages", "inputs"})
MASKS = frozenset({"mask", "masks", "label", "labels", "annotation", "annotations", "segmentationclass", "targets"})

NO_FOLDER = "This file lies in no folder of a class: put it into one and upload it again."
NO_MASK = "This picture has no mask of the same name in the folder with the masks: add one, or leave it out."
NO_PICTURE = "This mask has no picture of the same name in the folder with the pictures: add one, or leave it out."
ELSEWHERE = "This file lies neither with the pictures nor with the masks: put it into one of the two folders."
TWICE = "Another file of this name was taken before this one: give each picture and its mask a name of their own."

_MASK_ENDING = re.compile(r"[-_ ](mask|seg|segmentation|label|labels|gt)$")


@dataclass
class Layout:
    """What the files are.

    Attributes:
        classes: files of each class by its name; one class "pictures" where there are no folders.
        pairs: (picture, mask) where there are masks; then there are no classes.
        skipped: (name, sentence) of files that are not even read.
        notes: sentences about how the folders were understood.
        decided: what folders with names of pictures and masks were taken for, where their contents decided.
    """

    classes: dict[str, list[Packed]] = field(default_factory=dict)
    pairs: list[tuple[Packed, Packed]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    decided: str = ""

    def in_turn(self) -> list[tuple[str, Packed, Packed | None]]:
        """Return (class, picture, mask), the classes taking turns, so that a limit cuts all of them alike."""
        if self.pairs:
            return [("", picture, mask) for picture, mask in self.pairs]
        rows = ([(name, packed, None) for packed in files] for name, files in self.classes.items())
        return [each for each in chain.from_iterable(zip_longest(*rows)) if each is not None]


def shown(packed: Packed) -> str:
    """Return a file's folders and name for showing."""
    return "/".join(packed.path)


AreMasks = Callable[[Sequence[tuple[Packed | None, Packed]]], bool]
"""Tells of (picture of the same name or None, supposed mask) of each whether these are masks."""


def arrange(files: Iterable[Packed], are_masks: AreMasks = lambda supposed: True) -> Layout:
    """Return what the files are, by their folders; nothing else is read but what `are_masks` looks at.

    One folder around everything is looked through, and so are folders named train, test and the like. Classes whose
    names differ only in case are one class: some systems cannot keep them apart.

    Args:
        files: all there are.
        are_masks: asked where a folder has a name of pictures and another one of masks, which may be classes as well.
    """
    layout = Layout()
    kept: list[tuple[tuple[str, ...], Packed]] = []
    for packed in files:
        if packed.sentence:
            layout.skipped.append((shown(packed), packed.sentence))
        else:
            kept.append((packed.path, packed))
    kept = _without_tops(kept)
    splits = _splits(kept, layout)
    whole, kept = kept, _without_splits(kept, splits)
    firsts = {path[0].casefold() for path, _ in kept if len(path) > 1}
    if firsts & IMAGES and firsts & MASKS:
        # The same name in train and in test is two pictures, each with a mask of its own.
        of_split = [path[0].casefold() if _is_split(path, splits) else "" for path, _ in whole]
        _pair(kept, of_split, layout, are_masks)
    else:
        _classify(kept, layout)
    return layout


_Kept = list[tuple[tuple[str, ...], Packed]]


def _without_tops(kept: _Kept) -> _Kept:
    """Leave out folders that hold everything, as long as there are folders in them."""
    while any(len(path) > 2 for path, _ in kept):
        firsts = {path[0] if len(path) > 1 else None for path, _ in kept}
        if len(firsts) > 1 or None in firsts:
            break
        kept = [(path[1:], packed) for path, packed in kept]
    return kept


def _splits(kept: _Kept, layout: Layout) -> set[str]:
    """Return the names of the folders train, test and the like, if all folders with folders in them are such."""
    firsts = {path[0] for path, _ in kept if len(path) > 2}
    if not {name.casefold() for name in firsts} <= SPLITS:
        return set()
    if len(firsts) > 1:
        names = " and ".join(sorted(firsts))
        layout.notes.append(f"The folders {names} were taken together: which pictures judge is decided anew here.")
    return firsts


def _is_split(path: tuple[str, ...], splits: set[str]) -> bool:
    return len(path) > 2 and path[0] in splits


def _without_splits(kept: _Kept, splits: set[str]) -> _Kept:
    return [(path[1:] if _is_split(path, splits) else path, packed) for path, packed in kept]


def _classify(kept: _Kept, layout: Layout) -> None:
    folders: dict[str, list[str]] = {}
    for path, packed in kept:
        if len(path) == 1:
            continue
        spellings = folders.setdefault(path[0].casefold(), [])
        if path[0] not in spellings:
            spellings.append(path[0])
        layout.classes.setdefault(spellings[0], []).append(packed)
    loose = [packed for path, packed in kept if len(path) == 1]
    if layout.classes:
        layout.skipped += [(shown(packed), NO_FOLDER) for packed in loose]
    elif loose:
        layout.classes["pictures"] = loose
    for spellings in folders.values():
        if len(spellings) > 1:
            layout.notes.append(f"{' and '.join(spellings)} differ only in case and were taken as one class.")
    layout.classes = dict(sorted(layout.classes.items(), key=lambda item: natural(item[0])))


def natural(name: str) -> list[tuple[int, str]]:
    """Return what names are sorted by, so that 2 comes before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name.casefold()) if part]


def _pair(kept: _Kept, of_split: Sequence[str], layout: Layout, are_masks: AreMasks) -> None:
    """Pair pictures and masks of one name, folder and split; a second file of them is skipped.

    Where the supposed masks are none, nothing is paired.
    """
    pictures: dict[tuple[str, ...], Packed] = {}
    masks: dict[tuple[str, ...], Packed] = {}
    skipped: list[tuple[str, str]] = []
    for (path, packed), split in zip(kept, of_split, strict=True):
        first = path[0].casefold() if len(path) > 1 else ""
        if first not in IMAGES | MASKS:
            skipped.append((shown(packed), ELSEWHERE))
            continue
        found = masks if first in MASKS else pictures
        if found.setdefault((split, *_stem(path[1:], mask=first in MASKS)), packed) is not packed:
            skipped.append((shown(packed), TWICE))
    inputs, outputs = (_spelt(kept, names) for names in (IMAGES, MASKS))
    if not are_masks([(pictures.get(stem), packed) for stem, packed in masks.items()]):
        layout.decided = (
            f"The folders {inputs} and {outputs} were taken as classes: what lies in {outputs} has shades and colours "
            "as pictures have them, so these are no masks."
        )
        _classify(kept, layout)
        return
    layout.decided = f"What lies in {outputs} was taken as the masks of the pictures in {inputs}."
    layout.pairs = [(packed, masks[stem]) for stem, packed in pictures.items() if stem in masks]
    layout.skipped += skipped
    layout.skipped += [(shown(packed), NO_MASK) for stem, packed in pictures.items() if stem not in masks]
    layout.skipped += [(shown(packed), NO_PICTURE) for stem, packed in masks.items() if stem not in pictures]


def _spelt(kept: _Kept, names: frozenset[str]) -> str:
    """Return how the folders of some names are spelt."""
    return " and ".join(sorted({path[0] for path, _ in kept if len(path) > 1 and path[0].casefold() in names}))


def _stem(path: Sequence[str], *, mask: bool) -> tuple[str, ...]:
    """Return what a picture and its mask have in common."""
    name = path[-1].rpartition(".")[0] or path[-1]
    name = name.casefold()
    return (*(folder.casefold() for folder in path[:-1]), _MASK_ENDING.sub("", name) if mask else name)
