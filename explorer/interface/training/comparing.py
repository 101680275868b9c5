"""Several runs side by side: their curves in one chart, and only those settings lit that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.interface.current_picture import plain
from explorer.interface.figures import training_charts
from explorer.interface.figures.training_charts import Series
from explorer.interface.theme import LIGHT, palette
from explorer.interface.training import card, items, words
from explorer.interface.training.learning import series_of
from explorer.interface.training.page_state import MOST_COMPARED, STATE
from explorer.interface.training.reading import curves_of, outcome_of
from explorer.runs.outcome import Numbers, Table
from explorer.runs.record import Run

MOST_LINES = 18
COLOURS = len(LIGHT.lines)


def show(picked: Sequence[Run]) -> None:
    """Draw the comparison of the ticked runs."""
    runs = list(picked[:MOST_COMPARED])
    if len(picked) > MOST_COMPARED:
        st.caption(f"The first {MOST_COMPARED} of {len(picked)} are compared.")
    names = short_names(runs)
    with st.container(key="training_comparison", border=True):
        _charts(runs, names)
        with st.grid(2, min_column_width=300, gap="medium"):
            with st.container():
                items.table(differences(runs, names))
            with st.container():
                items.table(found_numbers(runs, names))


def short_names(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run that no other one has."""
    titles = [words.title_of(run) for run in runs]
    return [
        f"{title} ({titles[: i + 1].count(title)})" if titles.count(title) > 1 else title
        for i, title in enumerate(titles)
    ]


def _charts(runs: Sequence[Run], names: Sequence[str]) -> None:
    curves = [curves_of(run.folder) for run in runs]
    metrics = list(dict.fromkeys(name for each in curves for name in each.metrics()))
    chosen = ["loss", *metrics[:1]]
    if len(metrics) > 1:
        metric = st.selectbox(
            "Metric", metrics, format_func=words.metric_title, key="training_compared_metric", width=220
        )
        chosen = ["loss", metric]
    smooth = bool(STATE.value("smooth"))
    with st.grid(2, min_column_width=280, gap="small"):
        for name in chosen:
            series = overlaid(runs, names, curves, name, smooth)
            if not series:
                continue
            title = words.metric_title(name)
            st.plotly_chart(
                training_charts.learning(series, palette(), title=title), config=items.PLAIN_CHART,
                key=f"training_compared_{name}", alt=training_charts.learning_words(series, title),
            )  # fmt: skip


def overlaid(
    runs: Sequence[Run], names: Sequence[str], curves: Sequence[Any], number: str, smooth: bool
) -> list[Series]:
    """Return the curves of all runs.

    Where runs have several networks, a network has the same colour in each run and a run its own dashes.
    """
    found: list[Series] = []
    of_runs = [series_of(each, number, words.lesson_of(run), smooth) for run, each in zip(runs, curves, strict=True)]
    several = any(len(of_run) > 1 for of_run in of_runs)
    for position, (name, of_run) in enumerate(zip(names, of_runs, strict=True)):
        for one in of_run:
            label = f"{name}, {one.name}" if several else name
            colour = one.number % COLOURS + COLOURS * position if several else position
            found.append(replace(one, name=label, number=colour))
    return found[:MOST_LINES]


def differences(runs: Sequence[Run], names: Sequence[str]) -> Table:
    """Return what was asked of each run; what is not the same for all is lit and stands on top."""
    columns: list[Mapping[str, str]] = []
    for run in runs:
        lesson = words.lesson_of(run)
        rows = {"Lesson": lesson.title if lesson is not None else run.config.task}
        columns.append({**rows, **dict(card.settings_rows(run, lesson))})
    labels = list(dict.fromkeys(label for column in columns for label in column))
    differing = [label for label in labels if len({column.get(label) for column in columns}) > 1]
    order = [*differing, *(label for label in labels if label not in differing)]
    lit = tuple((row, column + 1) for row in range(len(differing)) for column in range(len(runs)))
    note = "" if differing else "Everything that was asked for is the same; what differs is chance on the machine."
    return Table(
        title="What was asked for",
        columns=("Setting", *names),
        rows=tuple((label, *(column.get(label, "–") for column in columns)) for label in order),
        lit=lit,
        note=note,
    )


def found_numbers(runs: Sequence[Run], names: Sequence[str]) -> Table:
    """Return the numbers that the runs found, those that several have first."""
    columns: list[dict[str, str]] = []
    for run in runs:
        rows = {"Took": words.took(run), "State": words.STATES[run.state][0]}
        for item in outcome_of(run.folder):
            if isinstance(item, Numbers):
                rows |= {plain(number.label): items.number_text(number) for number in item.rows}
        columns.append(rows)
    labels = dict.fromkeys(label for column in columns for label in column)
    order = sorted(labels, key=lambda label: -sum(label in column for column in columns))
    return Table(
        title="What came of it",
        columns=("", *names),
        rows=tuple((label, *(column.get(label, "–") for column in columns)) for label in order),
    )
