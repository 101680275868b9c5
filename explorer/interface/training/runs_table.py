"""The visitor's runs as a table: look at one, put several side by side, start one again, stop, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.interface import runs_service
from explorer.interface.current_picture import plain
from explorer.interface.state import show_in
from explorer.interface.training import asking, comparing, words
from explorer.interface.training.page_state import STATE, open_run
from explorer.interface.training.reading import curves_of, outcome_of
from explorer.interface.training.starting import again, edit
from explorer.interface.visitor import visitor_id
from explorer.runs.outcome import Verdict
from explorer.runs.record import ACTIVE, FINAL, Broken, Run

COLUMNS = {"title": ("Run", 330), "state": ("State", 120), "began": ("Started", 120), "took": ("Took", 90),
           "number": ("Result", 250)}  # fmt: skip
"""Heading and width in pixels of each column of the table."""

PER_PAGE = 10
LOOK_SECONDS = 2.0

_LOOK = """<style>
.st-key-training_runs { gap: .1rem; }
.st-key-training_runs [class*="st-key-training_row_"] {
  border-bottom: 1px solid light-dark(#E9EEF3, #26323E); padding: .12rem .2rem; gap: .2rem .8rem; min-height: 2.6rem;
}
.st-key-training_runs [class*="st-key-training_row_"] p { font-size: .88rem; font-variant-numeric: tabular-nums; }
.st-key-training_runs [class*="st-key-training_row_open_"] { background: light-dark(#F2F7FB, #18222C); }
.st-key-training_runs [class*="st-key-training_cell_"] { min-width: 0; }
.st-key-training_runs_head { padding: 0 .2rem; gap: .2rem .8rem; }
.st-key-training_runs_head { border-bottom: 1px solid light-dark(#D5DDE5, #33414F); }
.st-key-training_runs_head p { font-size: .82rem; font-weight: 600; }
@media (min-width: 641px) {
  /* Each cell says what it is to who hears it; who sees it has the heading above. */
  .st-key-training_runs [class*="st-key-training_cell_"] p > span:first-child {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
}
@media (max-width: 640px) {
  .st-key-training_runs_head { display: none; }
  .st-key-training_runs [data-testid="stLayoutWrapper"]:has(> [class*="st-key-training_cell_"]) {
    flex: 0 1 auto !important; width: auto !important;
  }
  .st-key-training_runs [class*="st-key-training_cell_"] { width: auto !important; }
  .st-key-training_runs [class*="st-key-training_title_"],
  .st-key-training_runs [class*="st-key-training_cell_number_"] {
    flex: 1 1 100% !important; width: 100% !important;
  }
  .st-key-training_runs [class*="st-key-training_cell_"] p > span:first-child { opacity: .75; }
}
</style>"""


def ticked(runs: Sequence[Run]) -> list[Run]:
    """Return the runs that are picked, in the order of the link."""
    by_id = {run.id: run for run in runs}
    wanted = dict.fromkeys(STATE.linked("compared").split(","))
    return [by_id[each] for each in wanted if each in by_id]


def show(opened: str = "") -> None:
    """Draw the table, and what can be done with the runs that are ticked.

    Args:
        opened: id of the run that stands above, "" for none.
    """
    listing = asking.mine()
    runs = [run for run in listing.runs if asking.owns(run)]
    if not runs and not listing.broken:
        STATE.linked("compared")  # or the address keeps what is gone
        return
    st.html(_LOOK)
    with STATE.part("runs"):
        count = len(runs)
        heading = "All runs" if runs_service.shows_all() else "My runs"
        st.subheader(f"{heading} ({count})", anchor=False)
        unrest = any(run.state not in FINAL for run in runs)
        before = _clicked()
        st.fragment(_rows, run_every=LOOK_SECONDS if unrest else None)(opened, unrest, before)
        picked = ticked(runs)
        if picked:
            _actions(picked)
        if len(picked) > 1:
            comparing.show(picked)
        for broken in listing.broken:
            _broken(broken)


def _clicked() -> tuple[str, str]:
    """Return what a click into the table changes, and with it the page around the table."""
    return str(STATE.value("run") or ""), STATE.linked("compared")


def _rows(opened: str, unrest: bool, before: tuple[str, str]) -> None:
    if _clicked() != before:
        st.rerun()
    runs = [run for run in asking.mine().runs if asking.owns(run)][::-1]
    if any(run.state not in FINAL for run in runs) != unrest:
        st.rerun()
    key = "training_page_of_runs"
    pages = max(1, -(-len(runs) // PER_PAGE))
    page = min(pages, int(st.session_state.get(key) or 1))
    picked = STATE.linked("compared").split(",")
    places = runs_service.places() if unrest else {}
    with st.container(key="training_runs"):
        _headings()
        for run in runs[(page - 1) * PER_PAGE : page * PER_PAGE]:
            _row(run, run.id == opened, run.id in picked, places)
    if pages > 1:
        st.pagination(pages, key=key)


def _headings() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="training_runs_head"):
        for heading, width in COLUMNS.values():
            with st.container(width=width):
                st.markdown(heading)


def _cell(run: Run, name: str, said: str) -> None:
    """Draw a cell, with its heading for those who do not see the row of headings."""
    heading, width = COLUMNS[name]
    with st.container(width=width, key=f"training_cell_{name}_{run.id}"):
        st.markdown(f":small[{heading}] {said}")


def _row(run: Run, is_open: bool, is_picked: bool, places: Any) -> None:
    tick = f"training_tick_{run.id}"
    # What is ticked stands in the link: the box shows it and tells of a click, no more.
    show_in(tick, is_picked)

    def ticked_now() -> None:
        others = [each for each in str(STATE.value("compared")).split(",") if each and each != run.id]
        STATE.set("compared", ",".join([*others, run.id] if st.session_state[tick] else others))

    with st.container(
        horizontal=True, vertical_alignment="center", key=f"training_row_{'open_' if is_open else ''}{run.id}"
    ):
        with st.container(key=f"training_title_{run.id}", width=COLUMNS["title"][1]):
            title = plain(words.title_of(run))
            owner = f" · of {run.owner[:6]}" if runs_service.shows_all() and run.owner != visitor_id() else ""
            st.checkbox(f"{title}{owner}", key=tick, on_change=ticked_now)
        _cell(run, "state", _state_words(run, places))
        _cell(run, "began", words.clock(run.status.began, st.context.timezone))
        _cell(run, "took", words.took(run))
        # A number and its unit stay in one line.
        _cell(run, "number", "\u00a0".join(map(plain, _number(run).split("\u00a0"))) or "–")
        st.button(
            "Open", key=f"training_open_{run.id}", on_click=open_run, args=(run.id,), type="tertiary",
            icon=":material/arrow_forward:", disabled=is_open, help=f"Look at {title}",
        )  # fmt: skip


def _state_words(run: Run, places: Any) -> str:
    """Return the state with its icon; of a run that is done, what it says about its sentence."""
    word, icon, colour = words.STATES[run.state]
    place = places.get(run.id)
    if run.state == "queued" and place is not None:
        word = f"waiting, place {place.place}"
    if run.state == "done":
        verdict = next((item for item in outcome_of(run.folder) if isinstance(item, Verdict)), None)
        if verdict is not None:
            word, icon, colour = words.VERDICTS[verdict.holds]
    return f":{colour}[{icon} {word}]"


def _number(run: Run) -> str:
    if run.state == "queued":
        return ""
    if run.state in ACTIVE:
        said = words.progress_words(run.status.progress)
        return said.split(" · ")[0] if said else ""
    return words.main_number(outcome_of(run.folder), curves_of(run.folder).latest)


def _actions(picked: Sequence[Run]) -> None:
    """Draw what can be done with the ticked runs."""
    with st.container(horizontal=True, vertical_alignment="center", key="training_actions"):
        one = picked[0] if len(picked) == 1 else None
        if one is not None:
            st.button(
                "Run again", icon=":material/replay:", key="training_again", on_click=again, args=(one,),
                help="The same once more, with the same seed",
            )  # fmt: skip
            st.button(
                "Edit a copy", icon=":material/edit:", key="training_edit", on_click=edit, args=(one,),
                help="Take its settings into the set-up",
            )  # fmt: skip
        running = [run for run in picked if run.state not in FINAL]
        if running:
            st.button(
                "Stop" if len(running) == 1 else f"Stop {len(running)}", icon=":material/stop:",
                key="training_stop_picked", on_click=_stop_all, args=([run.id for run in running],),
            )  # fmt: skip
        ended = [run for run in picked if run.state not in ACTIVE]
        if ended and st.button(
            "Delete" if len(ended) == 1 else f"Delete {len(ended)}", icon=":material/delete:", key="training_delete"
        ):
            ask_to_delete([run.id for run in ended], [words.title_of(run) for run in ended])
        st.button(
            "Untick", icon=":material/deselect:", key="training_untick", type="tertiary",
            on_click=lambda: STATE.set("compared", ""),
        )  # fmt: skip
        if one is not None:
            st.caption("Tick another one to compare.")


def _stop_all(ids: Sequence[str]) -> None:
    asking.attempt_each(runs_service.stop, ids)


@st.dialog("Delete for good?")
def ask_to_delete(ids: Sequence[str], titles: Sequence[str]) -> None:
    """Ask before runs are deleted."""
    for title in titles[:8]:
        st.markdown(f"- {plain(title)}")
    if len(titles) > 8:
        st.markdown(f"- and {len(titles) - 8} more")
    st.caption("Their curves, pictures and networks cannot be brought back.")
    with st.container(horizontal=True):
        sure = st.button(
            "Delete",
            type="primary",
            icon=":material/delete:",
            key="training_delete_sure",
            on_click=_delete_all,
            args=(ids,),
        )
        if sure or st.button("Keep", key="training_delete_not"):
            st.rerun()


def _delete_all(ids: Sequence[str]) -> None:
    gone = asking.attempt_each(runs_service.delete, ids)
    left = [each for each in str(STATE.value("compared")).split(",") if each not in gone]
    STATE.set("compared", ",".join(left))
    if STATE.value("run") in gone:
        STATE.set("run", "")


def _broken(broken: Broken) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"training_broken_{broken.id}"):
        st.warning(words.broken_words(broken), icon=":material/broken_image:")
        if runs_service.may_delete(broken, visitor_id()) and st.button(
            "Delete", icon=":material/delete:", key=f"training_delete_{broken.id}"
        ):
            ask_to_delete([broken.id], [f"The broken run {broken.id}"])
