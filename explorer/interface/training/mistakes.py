"""What a classifier takes for what: the table of confusions, the pictures behind each cell, the worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explorer.interface.components.confusion_table import cell_of, confusion_table
from explorer.interface.components.gallery import Tile, gallery
from explorer.interface.current_picture import plain
from explorer.interface.figures import training_charts
from explorer.interface.numbers import share_text
from explorer.interface.theme import palette
from explorer.interface.training import elsewhere, items, words
from explorer.interface.training.learning import as_colours
from explorer.interface.training.page_state import STATE
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.outcome import VALIDATION, Confusion, predictions_file, read_arrays
from explorer.runs.record import Run

MOST_SHOWN = 18


@dataclass(frozen=True, eq=False)
class Judged:
    """The validation pictures of a run and what one of its networks says of them.

    Attributes:
        pixels: uint8 (n, h, w, c).
        truth: int64 (n,).
        chances: float32 (n, classes).
        classes: their names.
        names: what each picture is.
    """

    pixels: np.ndarray
    truth: np.ndarray
    chances: np.ndarray
    classes: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        count, classes = len(self.pixels), len(self.classes)
        if not (len(self.truth) == len(self.chances) == len(self.names) == count and self.chances.ndim == 2):
            raise ValueError("pictures, truth and answers do not belong together")
        if self.chances.shape[1] != classes or (count and not 0 <= self.truth.min() <= self.truth.max() < classes):
            raise ValueError("answers and classes do not belong together")

    @property
    def answers(self) -> np.ndarray:
        """The most probable class of each, int64 (n,)."""
        return np.argmax(self.chances, axis=1)

    def in_cell(self, truth: int, answer: int) -> np.ndarray:
        """Return the pictures of a cell, the surest answer first."""
        found = np.flatnonzero((self.truth == truth) & (self.answers == answer))
        return found[np.argsort(-self.chances[found, answer], kind="stable")]

    def worst(self) -> np.ndarray:
        """Return the pictures with a wrong answer, the surest first."""
        answers = self.answers
        found = np.flatnonzero(answers != self.truth)
        return found[np.argsort(-self.chances[found, answers[found]], kind="stable")]


def read_judged(folder: Path, variant: str) -> Judged | None:
    """Return the pictures behind a table of confusions, None where they are missing; who may see it is asked before."""
    try:
        kept, said = read_arrays(folder, VALIDATION), read_arrays(folder, predictions_file(variant))
        count = min(len(kept["pixels"]), len(said["probabilities"]))
        return Judged(
            as_colours(kept["pixels"][:count]),
            kept["truth"][:count],
            said["probabilities"][:count],
            tuple(map(str, kept["classes"])),
            tuple(map(str, kept["names"][:count])),
        )
    except (KeyError, TypeError, ValueError, IndexError):
        return None


@st.cache_resource(max_entries=3, scope="session", show_spinner=False)
def _judged(folder: Path, variant: str, signature: tuple[int, ...]) -> Judged | None:
    """Keep what was read until the files, whose `signature` tells them apart, change."""
    return read_judged(folder, variant)


def judged(folder: Path, variant: str) -> Judged | None:
    """Return the same as `read_judged`, kept in the session."""
    try:
        stats = [(folder / name).stat() for name in (VALIDATION, predictions_file(variant))]
    except (OSError, ValueError):
        return None
    return _judged(folder, variant, tuple(part for stat in stats for part in (stat.st_mtime_ns, stat.st_size)))


def confusions(outcome: Sequence[Any]) -> list[Confusion]:
    """Return the tables of confusions of an outcome."""
    return [item for item in outcome if isinstance(item, Confusion)]


def show(run: Run, lesson: Lesson | None, outcome: Sequence[Any]) -> None:
    """Draw the table of one of the run's networks, and the pictures of the cell that was clicked."""
    tables = confusions(outcome)
    names = [item.variant for item in tables]
    wide = len(tables[0].classes) > 8
    left, right = st.columns([1.25 if wide else 1, 1], gap="medium")
    with left:
        variant = names[0]
        if len(names) > 1:
            variant = STATE.pick(
                "mistakes",
                names,
                format_func=lambda name: words.variant_title(lesson, name),
                width=320,
                label_visibility="collapsed",
                on_change=lambda: STATE.set("cell", ""),
            )
        table = next(item for item in tables if item.variant == variant)
        cell = cell_of(STATE.linked("cell"), len(table.classes))
        _table(table, cell)
    there = judged(run.folder, variant)
    with right:
        if there is None:
            st.caption("The pictures behind this table were not kept.")
        else:
            _behind(run, variant, there, cell)


def _table(table: Confusion, cell: tuple[int, int] | None) -> None:
    total = sum(map(sum, table.matrix))
    right = sum(table.matrix[i][i] for i in range(len(table.matrix)))
    st.markdown(f"**{plain(table.title) or 'What is taken for what'}**")

    def picked(name: str) -> None:
        STATE.set("cell", "" if STATE.value("cell") == name else name)
        st.session_state.pop("_training_opened", None)

    confusion_table(
        table.classes, table.matrix, name="Table of confusions", key="training_confusion",
        picked="" if cell is None else f"{cell[0]}-{cell[1]}", on_pick=picked,
    )  # fmt: skip
    share = f" ({share_text(right / total)})" if total else ""
    st.caption(f"{right:,} of {total:,} right{share}. Click a cell to see its pictures.")


def _behind(run: Run, variant: str, there: Judged, cell: tuple[int, int] | None) -> None:
    if cell is not None and max(cell) < len(there.classes):
        truth, answer = (plain(there.classes[i]) for i in cell)
        found = there.in_cell(*cell)
        st.markdown(f"**{truth}**, recognised" if cell[0] == cell[1] else f"**{truth}**, taken for **{answer}**")
    else:
        found = there.worst()
        st.markdown("**The worst mistakes**: wrong, and how sure")
    if not len(found):
        st.caption("There is no such picture." if cell else "Every picture that was kept is recognised.")
        return
    shown = found[:MOST_SHOWN]
    opened = st.session_state.get("_training_opened")
    tiles = [_tile(there, int(i), cell is None) for i in shown]

    def picked() -> None:
        event = st.session_state["training_mistake_pictures"].pick
        text = str(event.get("id", "")) if isinstance(event, dict) else ""
        st.session_state["_training_opened"] = (run.id, variant, int(text)) if text.isdecimal() else None

    mine = opened[2] if opened and opened[:2] == (run.id, variant) and opened[2] in shown else None
    gallery(
        there.pixels[shown], tiles, name="Pictures", key="training_mistake_pictures", on_pick=picked, tile=84, most=120,
        picked=[] if mine is None else [str(mine)],
    )  # fmt: skip
    if len(found) > len(shown):
        st.caption(f"The first {len(shown)} of {len(found)}.")
    if mine is None:
        st.caption("Click a picture to explain it with this network.")
    else:
        _opened(run, variant, there, mine)


def _tile(there: Judged, i: int, with_truth: bool) -> Tile:
    answer, truth = int(there.answers[i]), int(there.truth[i])
    said = f"{there.classes[answer]} {share_text(float(there.chances[i, answer]))}"
    return Tile(
        str(i), title=said if with_truth else share_text(float(there.chances[i, answer])),
        under=f"is {there.classes[truth]}" if with_truth else "",
        alt=f"{there.names[i] or 'a picture'}, which is {there.classes[truth]}: the network says {said}",
        tip=there.names[i],
    )  # fmt: skip


def _opened(run: Run, variant: str, there: Judged, i: int) -> None:
    """Draw one picture with what the network says of it, and the ways to look closer."""
    with st.container(border=True, key="training_opened"):
        picture, bars = st.columns([1, 2.2], vertical_alignment="center")
        picture.image(there.pixels[i], width="stretch", alt=there.names[i] or "The picture")
        with bars:
            st.markdown(f"**{plain(there.names[i]) or 'A picture'}**")
            truth = int(there.truth[i])
            st.plotly_chart(
                training_charts.guess_bars(there.classes, [float(p) for p in there.chances[i]], truth, palette()),
                config=items.PLAIN_CHART, key="training_opened_bars",
                alt=f"{there.classes[truth]}: " + ", ".join(
                    f"{name} {share_text(float(p))}" for name, p in zip(there.classes, there.chances[i], strict=True)
                ),
            )  # fmt: skip
        with st.container(horizontal=True):
            for page in ("explanations", "feature_maps"):
                elsewhere.open_button(
                    run, variant, page, partial(elsewhere.take_picture, there.names[i], there.pixels[i])
                )
