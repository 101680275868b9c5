"""What data look like before anything learns from them: examples, balance of the classes, how they are divided."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from explorer.interface.current_picture import plain
from explorer.interface.theme import palette
from explorer.interface.training.learning import as_colours
from explorer.networks.work_context import SentenceError
from explorer.runs.data.overview import Overview, overview
from explorer.runs.data.sequence_overview import SequenceOverview
from explorer.runs.lessons.lesson import DataKind, Lesson

EACH = 6
"""Examples of a class."""

UNSORTED = 7
"""Examples of pictures that have no classes."""

SHOWN_SIDE = 64
"""Pixels of the page that an example takes."""

COUNTS_ROOM = "5.6rem"
"""What the counts beside a bar take of its column."""

MOST_ROWS = 40
GAP = 3

LOOK = """<style>
.training-data { display: grid; grid-template-columns: minmax(3.2rem, max-content) auto minmax(8rem, 1fr);
  gap: .3rem .8rem; align-items: center; font-size: .85rem; font-variant-numeric: tabular-nums;
  max-height: 300px; overflow-y: auto; }
.training-data .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 9rem; }
.training-data img { display: block; max-width: 100%; height: auto; image-rendering: auto; border-radius: 4px; }
.training-data img.own-pixels { image-rendering: pixelated; }
.training-data .bar { display: flex; align-items: center; gap: .4rem; white-space: nowrap; }
.training-data .bar i { display: block; height: .75rem; flex: none; }
@media (max-width: 640px) {
  /* Name and bar share a row, the pictures come below: the bar fills the gap that the wide strip left. */
  .training-data { grid-template-columns: minmax(0, 1fr) 1.2fr; grid-auto-flow: row dense; max-height: 420px; }
  .training-data .strip { grid-column: 1 / -1; }
}
</style>"""


@st.cache_resource(max_entries=24, show_spinner=False)
def _of_all(data: str, seed: int, kind: DataKind | None) -> Overview:
    return overview(json.loads(data), seed=seed, n=EACH, kind=kind)


@st.cache_resource(max_entries=2, scope="session", show_spinner=False)
def _of_own(data: str, seed: int, kind: DataKind | None, owner: str, root: Path) -> Overview:
    return overview(json.loads(data), seed=seed, n=EACH, kind=kind, root=root, owner=owner)


def overview_of(data: Mapping[str, Any], seed: int, kind: DataKind | None, owner: str, root: Path) -> Overview:
    """Return what a run with these data would learn from.

    Raises:
        SentenceError: if there are no such data, or not here.
    """
    text = json.dumps(data, sort_keys=True)
    return _of_own(text, seed, kind, owner, root) if data.get("source") == "own" else _of_all(text, seed, kind)


def strip_bytes(pixels: np.ndarray, side: int = SHOWN_SIDE) -> bytes:
    """Return pictures side by side as one WebP.

    Args:
        pixels: uint8 (n, h, w, c).
        side: of each, at least; small ones are enlarged by whole factors, so that their pixels stay square.
    """
    colours = as_colours(pixels)
    count, height, width = colours.shape[:3]
    factor = max(1, round(2 * side / max(height, width)))
    large = colours.repeat(factor, axis=1).repeat(factor, axis=2)
    gap = GAP * max(1, round(large.shape[2] / side))
    board = np.zeros((large.shape[1], count * (large.shape[2] + gap) - gap, 4), np.uint8)
    for position, one in enumerate(large):
        left = position * (one.shape[1] + gap)
        board[:, left : left + one.shape[1], :3] = one
        board[:, left : left + one.shape[1], 3] = 255
    target = io.BytesIO()
    Image.fromarray(board).save(target, "WEBP", quality=88, method=2)
    return target.getvalue()


def coloured_masks(masks: np.ndarray, classes: int) -> np.ndarray:
    """Return masks uint8 (n, h, w) as colours, (n, h, w, 3), the background dark."""
    hues = [[24, 30, 38], *([int(hue[i : i + 2], 16) for i in (1, 3, 5)] for hue in palette().lines)]
    table = np.array([hues[0], *(hues[1 + n % (len(hues) - 1)] for n in range(max(classes, 2) - 1))], np.uint8)
    return table[np.minimum(masks, len(table) - 1)]


def show(data: Mapping[str, Any], seed: int, kind: DataKind | None, owner: str, root: Path) -> Overview | None:
    """Draw examples and counts; return them, or None where there are none, which is then said.

    Args:
        data: as they go into the run.
        seed: of the run.
        kind: what own pictures are used as; None: what the source is meant for.
        owner: the visitor's id.
        root: folder of all runs.
    """
    try:
        with st.spinner("Drawing examples …"):
            found = overview_of(data, seed, kind, owner, root)
    except SentenceError as failure:
        st.info(plain(str(failure)), icon=":material/image_search:")
        return None
    draw(found)
    return found


@st.cache_resource(max_entries=24, show_spinner=False)
def _of_lesson(name: str, settings: str, seed: int, _lesson: Lesson) -> Overview | SequenceOverview:
    assert _lesson.glance is not None
    found: Overview | SequenceOverview = _lesson.glance(json.loads(settings), seed)
    return found


def of_lesson(lesson: Lesson, settings: Mapping[str, Any], seed: int) -> Overview | SequenceOverview:
    """Return the pictures or sequences that a lesson makes for itself.

    Raises:
        SentenceError: if there are none with these settings.
    """
    return _of_lesson(lesson.name, json.dumps(settings, sort_keys=True), seed, lesson)


def draw(found: Overview) -> None:
    """Draw examples and counts."""
    st.html(LOOK + table_html(found))
    for note in found.notes:
        st.caption(plain(note))


def table_html(found: Overview) -> str:
    """Return the table of examples: for each class its name, some pictures, and how many there are."""
    names = list(dict.fromkeys([*found.training, *found.validation]))[:MOST_ROWS]
    most = max([found.training.get(n, 0) + found.validation.get(n, 0) for n in names] or [1]) or 1
    rows = ""
    labelled = found.examples.labels is not None
    for number, name in enumerate(names):
        pictures = found.of_class(number) if labelled else found.examples.pixels
        strip = strip_tag(pictures[: EACH if labelled else UNSORTED], f"Examples of {name}")
        if not labelled and found.examples.masks is not None:
            masks = coloured_masks(found.examples.masks[:UNSORTED], len(found.examples.classes))
            strip += strip_tag(masks, "What each of their pixels shows")
        bar = bar_html(found.training.get(name, 0), found.validation.get(name, 0), most)
        rows += f'<span class="name" title="{html.escape(name)}">{html.escape(name)}</span>'
        rows += f'<span class="strip">{strip}</span>{bar}'
    key = key_html(found.training, found.validation, "pictures")
    return f'{key}<div class="training-data" tabindex="0">{rows}</div>'


def key_html(training: Mapping[str, int], validation: Mapping[str, int], what: str) -> str:
    """Return what the colours of the bars mean, and how many there are of each."""
    colours = palette()
    key = "".join(
        f'<span><i style="background:{colour}"></i>{sum(counts.values()):,} {what} {words}</span>'
        for words, counts, colour in (
            ("to learn from", training, colours.input),
            ("to be judged by, never learned from", validation, colours.highlight),
        )
    )
    return f'<div class="training-data-key">{key}</div>'


def bar_html(training: int, validation: int, most: int) -> str:
    """Return how many there are of a class as a bar, where the longest one has `most`."""
    colours = palette()
    return (
        f'<span class="bar" title="{training:,} to learn from, {validation:,} to be judged by">'
        f'<i style="width:calc((100% - {COUNTS_ROOM}) * {training / most:.3f});background:{colours.input}"></i>'
        f'<i style="width:calc((100% - {COUNTS_ROOM}) * {validation / most:.3f});margin-left:-.4rem;'
        f'background:{colours.highlight}"></i>'
        f"{training:,} + {validation:,}</span>"
    )


def strip_tag(pixels: np.ndarray, words: str) -> str:
    """Return pictures (n, h, w, c) side by side as one <img> with `words` in place of who cannot see them."""
    if not len(pixels):
        return ""
    width = len(pixels) * (SHOWN_SIDE * 0.72 + GAP)
    address = base64.b64encode(strip_bytes(pixels)).decode()
    small = ' class="own-pixels"' if max(pixels.shape[1:3]) < SHOWN_SIDE else ""
    return (
        f'<img{small} src="data:image/webp;base64,{address}" width="{width:.0f}" alt="{html.escape(words)}" '
        'style="max-width:100%;height:auto">'
    )
