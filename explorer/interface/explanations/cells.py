"""One cell of the stage: a method's map of one row, already there, being computed, or failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.explanations.results import Explained
from explorer.explanations.table import METHODS, Method
from explorer.interface import jobs, work
from explorer.interface.explanations.page_state import Question, Row
from explorer.interface.jobs import Job
from explorer.networks import catalogue

NAME = "explanations.explain"
_UNDERWAY = "_explanations_underway"
_STOPPED = "_explanations_stopped"


@dataclass(frozen=True, eq=False)
class Cell:
    """A place on the stage.

    Attributes:
        row: what is explained.
        method: how.
        explained: the result, or None.
        job: the work that will bring it, or None.
        sentence: why there is no result.
        stopped: whether the visitor stopped it.
    """

    row: Row
    method: Method
    explained: Explained | None = None
    job: Job | None = None
    sentence: str = ""
    stopped: bool = False


def identity(question: Question, row: Row, method: Method) -> tuple:
    """Return what a map depends on."""
    knobs = tuple(sorted(question.of(method.name).items()))
    layer = question.layer if method.layer else ""
    return (*row.keep_as(question), method.name, knobs, layer, question.score, question.seed)


def _key(this: tuple) -> str:
    return f"explain {hash(this):x}"


def found(question: Question, row: Row, method: Method) -> Explained | None:
    """Return a map that is there already."""
    kept = work.find(NAME, identity(question, row, method))
    return kept if isinstance(kept, Explained) else None


def underway(question: Question, row: Row, names: Sequence[str]) -> bool:
    """Tell whether maps of a row are still being computed."""
    keys = (_key(identity(question, row, METHODS[name])) for name in names)
    return any(job is not None and job.running for job in map(jobs.job, keys))


def _is_long(question: Question, method: Method) -> bool:
    return method.sampling or catalogue.is_large(catalogue.entry(question.network))


def _arguments(question: Question, row: Row, method: Method) -> dict[str, Any]:
    return {
        "network": question.network,
        "weights": question.weights,
        "pixels": row.picture.pixels,
        "fit": question.fit,
        "target": row.target,
        "method": method.name,
        "options": question.of(method.name),
        "layer": (question.layer or None) if method.layer else None,
        "score": question.score,
        "batch": question.batch or None,
        "seed": question.seed,
    }


def cells_of(question: Question, rows: Sequence[Row], names: Sequence[str]) -> list[list[Cell]]:
    """Return the cells, row by row: quick maps computed here, the others under way.

    Work whose map is no longer wanted is stopped.
    """
    work.hold_on_to(NAME, [identity(question, row, METHODS[name]) for row in rows for name in names])
    wanted: dict[str, None] = {}
    found = [[_cell(question, row, METHODS[name], wanted) for name in names] for row in rows]
    for key in st.session_state.get(_UNDERWAY, ()):
        if key not in wanted:
            jobs.forget(key)
    st.session_state[_UNDERWAY] = tuple(wanted)
    return found


def _cell(question: Question, row: Row, method: Method, wanted: dict[str, None]) -> Cell:
    if row.target.kind not in method.targets:
        return Cell(row, method, sentence="This method explains a class only.")
    this = identity(question, row, method)
    explained = work.find(NAME, this)
    if explained is not None:
        jobs.forget(_key(this))
        return Cell(row, method, explained)
    if not _is_long(question, method):
        try:
            explained = work.run(
                NAME, label=f"Computing {method.title}", keep_as=this, **_arguments(question, row, method)
            )
        except work.WorkFailed as failure:
            return Cell(row, method, sentence=str(failure))
        return Cell(row, method, explained)
    key = _key(this)
    wanted[key] = None
    if key in st.session_state.get(_STOPPED, ()):
        job = jobs.job(key)
        return _settled(Cell(row, method, job=job, stopped=True), this)
    job = jobs.job(key)
    if job is None or job.identity != this:
        try:
            job = jobs.start(
                key,
                f"{NAME}.long",
                label=f"{method.title} of {row.label}",
                identity=this,
                **_arguments(question, row, method),
            )
        except jobs.JobRefused as refusal:
            return Cell(row, method, sentence=str(refusal))
    return _settled(Cell(row, method, job=job), this)


def _settled(cell: Cell, this: tuple) -> Cell:
    """Return the cell with what its job has brought by now."""
    job = cell.job
    if job is None:
        return Cell(cell.row, cell.method, stopped=True)
    if job.running:
        return cell
    if job.result is not None:
        if job.state == "done":
            work.keep(NAME, this, job.result)
        return Cell(cell.row, cell.method, job.result, stopped=job.state == "stopped")
    if job.state == "stopped":
        return Cell(cell.row, cell.method, stopped=True)
    return Cell(cell.row, cell.method, sentence=job.sentence)


def looked_at_again(cell: Cell) -> Cell:
    """Return the cell as it is now."""
    return cell if cell.job is None else _settled(cell, cell.job.identity)


def stop(cells: Sequence[Cell]) -> None:
    """Stop what is under way; it stays stopped until it is asked for again (call from a callback)."""
    for cell in cells:
        if cell.job is not None and cell.job.running:
            cell.job.stop()
            st.session_state[_STOPPED] = {*st.session_state.get(_STOPPED, ()), cell.job.key}


def again(question: Question, cells: Sequence[Cell]) -> None:
    """Take up what was stopped or has failed (call from a callback)."""
    failed = [_key(identity(question, cell.row, cell.method)) for cell in cells if cell.sentence]
    for key in [*st.session_state.pop(_STOPPED, ()), *failed]:
        jobs.forget(key)


def can_be_taken_up(cell: Cell) -> bool:
    """Tell whether a cell without a map could have one if it were tried again."""
    if cell.explained is not None and not cell.stopped:
        return False
    return cell.row.target.kind in cell.method.targets and (cell.stopped or bool(cell.sentence))
