"""What a run found out, drawn item by item: verdict, numbers, tables, charts, pictures."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image

from explorer.interface.current_picture import plain
from explorer.interface.figures import training_charts
from explorer.interface.theme import palette
from explorer.interface.training import words
from explorer.runs.outcome import (
    Confusion,
    Guesses,
    Lines,
    Number,
    Numbers,
    Pictures,
    Shown,
    Table,
    Verdict,
    picture_file,
)

PLAIN_CHART = {"displayModeBar": False}
SMALL_PICTURE = 300
"""A picture whose longer side is shorter shows its own pixels, large."""

WIDE_SHEET = 640
"""A sheet of pictures from this width on has words on it that can be read only where it has room."""

LEAST_SHEET = 420
"""Pixels of the page that a sheet takes from the left to the right, where there are so many."""

TALLEST = 560
"""Pixels of the page that a picture may take from top to bottom."""

WIDEST = 10
"""How many times its height a picture is wide at most; a longer one gets lower."""

MOST_BESIDE, MOST_LETTERS = 3, 48
"""Numbers, and letters of their names, that have room beside the verdict; others stand in a row below it."""

_VERDICTS = {
    True: ("The sentence holds in this run", ":material/verified:", "green"),
    False: ("The sentence does not hold in this run", ":material/unpublished:", "orange"),
    None: ("This run cannot tell", ":material/help:", "gray"),
}

_LOOK = """<style>
.training-table { overflow-x: auto; max-width: 100%; }
.training-table table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
.training-table :is(th, td) { text-align: right; padding: .24rem .7rem; border-bottom: 1px solid; }
.training-table th { font-weight: 600; border-color: light-dark(#D5DDE5, #33414F); }
.training-table td { border-color: light-dark(#E9EEF3, #26323E); }
.training-table :is(th, td):first-child { text-align: left; padding-left: .2rem; min-width: 4.2rem; }
.training-table .words { text-align: left; }
.training-data-key { font-size: .82rem; display: flex; gap: 1rem; flex-wrap: wrap; padding-bottom: .3rem; }
.training-data-key i { display: inline-block; width: .75rem; height: .75rem; margin-right: .35rem; border-radius: 2px; }
.training-table td.lit { background: light-dark(#FFF1D2, #4A3A14); font-weight: 650; }
[class*="st-key-training_pixels_"] img { image-rendering: pixelated; }
[class*="st-key-training_verdict_"] { border-left: 5px solid light-dark(#5B6B7A, #9AA9B8); padding: .7rem 1rem; }
[class*="st-key-training_verdict_true"] { border-left-color: light-dark(#009E73, #2FC79B); }
[class*="st-key-training_verdict_false"] { border-left-color: light-dark(#D55E00, #F08A45); }
[class*="st-key-training_top"] [data-testid="stMetricValue"] { font-size: 1.55rem; }
[class*="st-key-training_top"] [data-testid="stMetric"] { padding: 0; }
.st-key-training_head p strong { font-size: 1.25rem; }
/* The icon is enough to be seen; a screen reader and the tooltip have the word. */
.st-key-training_rename [data-testid="stPopover"] button p { font-size: 0; }
@media (max-width: 640px) {
  /* A sheet is moved with the finger rather than made too small to be read. */
  [class*="st-key-training_sheet_"] { overflow-x: auto; }
  /* Whatever is centred and wider than its room cannot be scrolled to at its left end. */
  [class*="st-key-training_sheet_"] [data-testid="stFullScreenFrame"] > div { justify-content: flex-start; }
  [class*="st-key-training_sheet_"] [data-testid="stImage"], [class*="st-key-training_sheet_"] img {
    width: 600px !important; max-width: none !important;
  }
}
</style>"""


def escaped(text: str) -> str:
    """Return a text from outside for HTML."""
    return html.escape(text)


def prepare() -> None:
    """Bring the look of what is drawn here onto the page; call once per page."""
    st.html(_LOOK)


def show(item: Any, folder: Path, key: str) -> None:
    """Draw an item.

    Args:
        item: of an outcome or a moment.
        folder: the run's, which holds its pictures.
        key: of this item on the page.
    """
    if isinstance(item, Verdict):
        verdict(item, key)
    elif isinstance(item, Numbers):
        numbers(item)
    elif isinstance(item, Table):
        table(item)
    elif isinstance(item, Lines):
        lines(item, key)
    elif isinstance(item, Pictures):
        pictures(item, folder, key)


def verdict(item: Verdict, key: str) -> None:
    """Draw whether the lecture's sentence holds in this run."""
    said, icon, colour = _VERDICTS[item.holds]
    with st.container(border=True, key=f"training_verdict_{str(item.holds).lower()}_{key}", gap="xsmall"):
        st.markdown(f":{colour}[{icon} **{said}**]")
        st.markdown(f"**“{plain(item.sentence)}”**")
        if item.because:
            st.markdown(plain(item.because[0].upper() + item.because[1:]))


def top(outcome: Sequence[Any], folder: Path) -> None:
    """Draw what one looks at first: the verdict, and beside it the few numbers."""
    first: list[Any] = [item for item in outcome if isinstance(item, Verdict | Numbers)]
    if not first:
        return
    with st.container(key="training_top"):
        if [item.kind for item in first] == ["verdict", "numbers"] and _fits_beside(first[1]):
            left, right = st.columns([1.5, 1], gap="medium", vertical_alignment="center")
            with left:
                verdict(first[0], "0")
            with right:
                numbers(first[1])
            return
        for position, item in enumerate(first):
            show(item, folder, f"top_{position}")


def _fits_beside(item: Numbers) -> bool:
    return len(item.rows) <= MOST_BESIDE and sum(len(number.label) for number in item.rows) <= MOST_LETTERS


def number_text(number: Number) -> str:
    """Return a number of an outcome as it is printed."""
    value = f"{number.value:,.{number.digits}f}".replace("-", "−")
    return f"{value}\u00a0{number.unit}" if number.unit else value


def numbers(item: Numbers) -> None:
    """Draw a few numbers, large."""
    if item.title:
        st.markdown(f"**{plain(item.title)}**")
    with st.container(horizontal=True, gap="medium"):
        for number in item.rows:
            st.metric(plain(number.label), number_text(number), help=plain(number.note) or None, width="content")


def table(item: Table) -> None:
    """Draw a table; what matters in it is lit."""
    if item.title:
        st.markdown(f"**{plain(item.title)}**")
    st.html(f'<div class="training-table" tabindex="0">{table_html(item)}</div>')
    if item.note:
        st.caption(plain(item.note))


def table_html(item: Table) -> str:
    """Return a table as HTML; numbers stand at the right of their column, words at its left."""
    lit = set(item.lit)
    wordy = {
        column
        for column in range(len(item.columns))
        if any(isinstance(cells[column], str) for cells in item.rows if column < len(cells))
    }

    def cell(tag: str, text: str, column: int, is_lit: bool = False) -> str:
        classes = " ".join(filter(None, ["words" if column in wordy else "", "lit" if is_lit else ""]))
        return f'<{tag} class="{classes}">{html.escape(text)}</{tag}>'

    head = "".join(cell("th", name, column) for column, name in enumerate(item.columns))
    body = "".join(
        "<tr>"
        + "".join(
            cell("td", words.table_text(item, row, column), column, (row, column) in lit)
            for column in range(len(cells))
        )
        + "</tr>"
        for row, cells in enumerate(item.rows)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def lines(item: Lines, key: str, height: int = 300) -> None:
    """Draw a chart."""
    st.markdown(f"**{plain(item.title)}**")
    st.plotly_chart(
        training_charts.outcome_lines(item, palette(), height),
        config=PLAIN_CHART,
        key=f"training_chart_{key}",
        alt=training_charts.outcome_lines_words(item),
    )
    if item.note:
        st.caption(plain(item.note))


def pictures(item: Pictures, folder: Path, key: str) -> None:
    """Draw pictures side by side."""
    if item.title:
        st.markdown(f"**{plain(item.title)}**")
    if len(item.pictures) == 1:
        picture(item.pictures[0], folder, f"{key}_0")
    else:
        with _grid_of(item, folder):
            for position, shown in enumerate(item.pictures):
                picture(shown, folder, f"{key}_{position}")
    if item.note:
        st.caption(plain(item.note))


def _grid_of(item: Pictures, folder: Path) -> Any:
    """Return the grid that pictures stand in; a sheet has half the page at least, and on a phone all of it."""
    sizes = [size for shown in item.pictures if (path := picture_file(folder, shown)) and (size := _size(path))]
    if any(map(is_sheet, sizes)):
        return st.grid(2 if len(item.pictures) == 2 else 1, min_column_width=LEAST_SHEET, gap="small")
    return st.grid(min(4, len(item.pictures)), min_column_width=150, gap="small")


def picture(shown: Shown, folder: Path, key: str) -> None:
    """Draw a picture of the run's folder, a small one with its own pixels."""
    path = picture_file(folder, shown)
    size = None if path is None else _size(path)
    if path is None or size is None:
        st.caption("This picture is gone.")
        return
    if max(size) < SMALL_PICTURE:
        name, width = "training_pixels_", min(4 * size[0], 420)
    else:
        name = "training_sheet_" if is_sheet(size) else "training_photo_"
        width = max(1, round(min(size[0] / size[1], WIDEST) * TALLEST))
    with st.container(key=f"{name}{key}", gap="xxsmall"):
        st.image(path.read_bytes(), width=width, alt=shown.caption or "A picture of this run", output_format="PNG")
        if shown.caption:
            st.caption(plain(shown.caption))


def is_sheet(size: tuple[int, int]) -> bool:
    """Tell whether a picture of (width, height) is a sheet of many in a row, with words beside them."""
    return size[0] >= WIDE_SHEET and size[0] > size[1]


def _size(path: Path) -> tuple[int, int] | None:
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def below_the_numbers(items: Sequence[Any]) -> list[Any]:
    """Return the items that stand below verdict and numbers, without those that other panels show."""
    return [item for item in items if not isinstance(item, Verdict | Numbers | Confusion | Guesses)]


def is_narrow(item: Any, folder: Path) -> bool:
    """Tell whether an item has room beside another one."""
    if isinstance(item, Lines):
        return True
    if isinstance(item, Pictures):
        paths = [picture_file(folder, shown) for shown in item.pictures]
        sizes = [size for path in paths if path is not None and (size := _size(path)) is not None]
        return len(item.pictures) <= 2 and not any(map(is_sheet, sizes))
    return isinstance(item, Table) and len(item.columns) <= 5
