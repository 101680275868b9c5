"""The report: one file about what stands on the stage, and many pictures explained in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.explanations.batch import Many, batch_pictures, left
from explorer.explanations.box import box_of
from explorer.explanations.report import Report, ReportedClass, report, reported_map
from explorer.explanations.results import Scores
from explorer.explanations.table import METHODS, has_box
from explorer.inside.results import Overview
from explorer.interface import jobs, picture_picker
from explorer.interface.current_picture import plain
from explorer.interface.explanations import cells, take_along
from explorer.interface.explanations.page_state import STATE, Question, Row
from explorer.interface.jobs import Job
from explorer.interface.network_choice import FITS
from explorer.interface.numbers import seconds_text, share_text
from explorer.networks import catalogue
from explorer.pictures.archive import MOST_PICTURES, TakenIn, take_in
from explorer.settings import get_settings

MANY = "explanations many"
_TURN = "_explanations_many_turn"
_COMPLAINT = "_explanations_many_complaint"
MOST_FILES = 60


def content_of(question: Question, row: Row, names: Sequence[str], overview: Overview) -> Report:
    """Return what the report on a row of the stage says."""
    entry = catalogue.entry(question.network)
    class_names = catalogue.class_names(entry)
    there = [(name, cells.found(question, row, METHODS[name])) for name in names]
    maps = tuple(
        reported_map(
            explained.explanation,
            names=class_names,
            options=question.of(name),
            score_kind=question.score,
            box=box_of(explained.explanation.maps[0]) if has_box(name) else None,
        )
        for name, explained in there
        if explained is not None
    )
    judged = jobs.job("explanations scores")
    this = ("scores", *(cells.identity(question, row, METHODS[name]) for name, each in there if each is not None))
    scores = judged.result if judged is not None and judged.identity == this else None
    photo = entry.family == "Drawn world" and question.weights == "trained" and not row.picture.is_drawn
    return Report(
        title=row.picture.title,
        picture=overview.fitted.pixels,
        network=entry.title,
        weights=question.weights,
        classes=tuple(
            ReportedClass(each.name or f"class {each.index}", each.probability, each.logit)
            for each in overview.predictions
        ),
        maps=maps,
        scores=scores if isinstance(scores, Scores) else None,
        picture_facts=(
            ("Source", row.picture.source.partition(":")[0]),
            ("Size", " × ".join(map(str, row.picture.pixels.shape[1::-1]))),
            ("Fit", FITS[question.fit]),
            ("SHA-256 of the pixels", row.picture.sha256),
        ),
        settings=(("Score", question.score), ("Seed", str(question.seed))),
        warning=f"{entry.title} knows only drawings: on a photo its answers are wrong." if photo else "",
        code=take_along.code_of(question, row, names),
        link=STATE.link(),
        device=overview.device,
    )


def show(question: Question, rows: Sequence[Row], names: Sequence[str], overviews: Sequence[Overview]) -> None:
    """Draw the download of the report, and the batch mode.

    Args:
        question: what all maps have in common.
        rows: of the stage.
        names: of the methods.
        overviews: what the network made of each row's picture.
    """
    st.markdown(
        "**This picture.** One HTML file with picture, predictions, maps, scores (if they were judged), settings and "
        "versions. It opens without internet, prints, and can be handed in."
    )
    with st.container(horizontal=True):
        for number, (row, overview) in enumerate(zip(rows, overviews, strict=True)):
            # Made in a thread that sees no session: what it says is gathered here.
            def made(content: Report = content_of(question, row, names, overview)) -> bytes:  # noqa: B008
                return report(content)

            st.download_button(
                "Report" if len(rows) == 1 else f"Report on {plain(row.label)}",
                made,
                f"{question.network} {row.label}.html".replace("/", " "),
                "text/html",
                on_click="ignore",
                icon=":material/description:",
                key=f"explanations_report_{number}",
            )
    st.divider()
    _many(question, names)


def _many(question: Question, names: Sequence[str]) -> None:
    """Draw the batch mode: up to fifty pictures, or a zip of them, explained in one go."""
    settings = get_settings()
    st.markdown(
        f"**Many pictures.** Up to {MOST_PICTURES} pictures, or a zip of them, by the methods chosen above, each for "
        "its own predicted class: a zip of reports with a table (CSV)."
    )
    turn = st.session_state.get(_TURN, 0)
    files = st.file_uploader(
        "Pictures, or a zip of pictures",
        accept_multiple_files=True,
        key=f"explanations_many_{turn}",
        max_upload_size=settings.upload_megabytes,
    )
    complaint = st.session_state.get(_COMPLAINT)
    if complaint:
        st.error(complaint, icon=":material/error:")
    if len(files) > MOST_FILES:
        st.error(f"At most {MOST_FILES} files at once: pack them into a zip, or choose fewer.", icon=":material/error:")
        _let_go(files)
    elif files:
        start = st.button(
            f"Explain {len(files)} {'files' if len(files) > 1 else 'file'}",
            key="explanations_many_start",
            icon=":material/play_arrow:",
            type="primary",
            disabled=not names,
        )
        if start:
            _start_many(question, names, files)
            st.rerun()
    job = jobs.job(MANY)
    if job is not None:
        jobs.poll(job, _draw_many)
    elif jobs.let_go(MANY):
        st.caption(jobs.LET_GO)


def unfinished(found: Many, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Return what `explanations.many` needs to go on after it gave way to others; None when all is done."""
    return None if found.finished else {"pictures": left(arguments["pictures"], found), "earlier": found}


def _start_many(question: Question, names: Sequence[str], files: Sequence[UploadedFile]) -> None:
    """Take the files in, and hand the pictures to the worker."""
    st.session_state.pop(_COMPLAINT, None)
    with st.spinner("Reading the pictures …"):
        pictures = batch_pictures(_in_turn(take_in((file.name, file.getvalue()) for file in files)))
    try:
        jobs.start(
            MANY,
            "explanations.many",
            label=f"Explaining {sum(one.pixels is not None for one in pictures)} pictures",
            go_on=unfinished,
            network=question.network,
            weights=question.weights,
            pictures=pictures,
            methods=tuple(names),
            fit=question.fit,
            options={name: question.of(name) for name in names},
            layer=question.layer or None,
            score=question.score,
            seed=question.seed,
        )
    except jobs.JobRefused as refusal:
        st.session_state[_COMPLAINT] = str(refusal)
    else:
        _let_go(files)


def _in_turn(taken: Iterator[TakenIn]) -> Iterator[TakenIn]:
    """Yield pictures as they are decoded, taking turns with the uploads of others."""
    while True:
        with picture_picker.DECODING:
            one = next(taken, None)
        if one is None:
            return
        yield one


def _let_go(files: Sequence[UploadedFile]) -> None:
    """Drop the bytes of uploaded files, and offer an empty box."""
    for file in files:
        picture_picker.release(file)
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def _draw_many(job: Job) -> None:
    """Draw how far many pictures are, and what came of them."""
    if job.running:
        with st.container(horizontal=True, vertical_alignment="center"):
            jobs.progress_line(job)
            st.button("Stop", key="explanations_many_stop", icon=":material/stop:", on_click=job.stop)
        return
    if job.sentence:
        st.error(job.sentence, icon=":material/error:")
    found = job.result
    if not isinstance(found, Many):
        return
    words = [f"{found.explained} explained", f"{found.failed} could not be", seconds_text(found.seconds)]
    if found.not_reached:
        words.insert(2, f"{found.not_reached} not reached")
    st.markdown(" · ".join(words))
    with st.container(horizontal=True):
        st.download_button(
            "Reports (zip)",
            lambda: found.archive,
            "reports.zip",
            "application/zip",
            disabled=not found.explained,
            on_click="ignore",
            icon=":material/folder_zip:",
            key="explanations_many_zip",
        )
        st.download_button(
            "Table (CSV)",
            lambda: found.table,
            "summary.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/table:",
            key="explanations_many_csv",
        )
        st.button("Forget them", key="explanations_many_forget", on_click=jobs.forget, args=(MANY,))
    st.dataframe(
        [
            {
                "File": row.name,
                "The network says": f"{row.classes[0].name} {share_text(row.classes[0].probability)}"
                if row.classes
                else "",
                "Maps": sum(not line.sentence for line in row.maps),
                "What went wrong": row.sentence or " ".join(line.sentence for line in row.maps if line.sentence),
            }
            for row in sorted(found.rows, key=lambda row: not row.sentence)  # what went wrong stands first
        ],
        hide_index=True,
        key="explanations_many_rows",
    )
