"""How a network learns: its curves, and what it could do after each epoch, while it runs and ever after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from explorer.interface.components.gallery import Tile, gallery
from explorer.interface.figures import training_charts
from explorer.interface.figures.training_charts import Series
from explorer.interface.numbers import share_text
from explorer.interface.theme import palette
from explorer.interface.training import items, words
from explorer.interface.training.page_state import STATE
from explorer.interface.training.reading import Curve, RunCurves, curves_of, smoothed
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.outcome import PROBE, Guesses, Moment, read_arrays
from explorer.runs.record import Run

DECAY_WITHIN, DECAY_EPOCHS = 0.9, 0.6
MOST_PROBES = 12
TILE, WIDE_TILE = 84, 250
"""Pixels of the page from which a tile of a guess begins: a picture's, and that of a text or a recording, which is
wide and has letters or lines that are fine."""


def chosen_metric(curves: RunCurves) -> str:
    """Return the number that stands beside the loss, "" for none."""
    metrics = curves.metrics()
    wanted = STATE.linked("metric")
    return wanted if wanted in metrics else metrics[0] if metrics else ""


def controls(curves: RunCurves) -> None:
    """Draw what the charts have in common."""
    metrics = curves.metrics()
    if not curves.raw:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="training_chart_controls"):
        if len(metrics) > 1:
            STATE.pick("metric", metrics, format_func=words.metric_title, label_visibility="collapsed", width=190)
        STATE.switch("smooth", width="content")
        STATE.switch("log", width="content")


def series_of(
    curves: RunCurves, name: str, lesson: Lesson | None, smooth: bool, variants: Sequence[str] | None = None
) -> list[Series]:
    """Return what there is of a number, by variant."""
    found = []
    for number, variant in enumerate(curves.variants()):
        if variants is not None and variant not in variants:
            continue
        whole = curves.curve(variant, name, within=False)
        training = curves.curve(variant, name, within=True) or whole
        validation = curves.curve(variant, f"val_{name}", within=False) or curves.curve(
            variant, f"val_{name}", within=True
        )
        if training is None and validation is None:
            continue
        found.append(
            Series(
                words.variant_title(lesson, variant),
                number,
                _points(training),
                _smooth(training, smooth),
                _points(validation),
                _smooth(validation, smooth),
            )
        )
    return found


def _points(curve: Curve | None) -> tuple[np.ndarray, np.ndarray] | None:
    return None if curve is None else (curve.x, curve.y)


def _smooth(curve: Curve | None, wanted: bool) -> tuple[np.ndarray, np.ndarray] | None:
    if curve is None or not wanted or len(curve.y) < 3:
        return None
    return curve.x, smoothed(curve.y, DECAY_WITHIN if curve.raw else DECAY_EPOCHS)


def charts(run: Run, curves: RunCurves, lesson: Lesson | None, metric: str, at: float | None = None) -> None:
    """Draw loss and metric over the epochs."""
    smooth, logarithmic = bool(STATE.value("smooth")), bool(STATE.value("log"))
    planned = planned_epochs(run, curves)
    names = ["loss", *([metric] if metric else [])]
    names = [name for name in names if any(n in (name, f"val_{name}") for _, n, _ in curves.raw)]
    with st.grid(len(names) or 1, min_column_width=280, gap="small"):
        for name in names:
            series = series_of(curves, name, lesson, smooth)
            title = words.metric_title(name)
            with st.container(key=f"training_curve_{name}"):
                st.plotly_chart(
                    training_charts.learning(
                        series,
                        palette(),
                        title=title,
                        logarithmic=logarithmic and name == "loss",
                        epochs=planned,
                        at=at,
                    ),
                    config=items.PLAIN_CHART,
                    key=f"training_learning_{name}",
                    alt=training_charts.learning_words(series, title),
                )
    st.caption("Thin: training. Strong, with points: validation, on what the network has never learned from.")


def planned_epochs(run: Run, curves: RunCurves) -> int:
    """Return how many epochs the axis shows."""
    seen = [float(max(raw.epochs)) for raw in curves.raw.values() if len(raw.epochs)]
    return int(max([run.status.progress.epochs or 0, *seen, 1]))


def moments(run: Run, curves: RunCurves, lesson: Lesson | None, live: bool) -> float | None:
    """Draw what the network could do after an epoch that a slider chooses; return the epoch, None for the latest."""
    if not curves.moments:
        if live:
            st.caption("After the first epoch this shows what the network can do by then.")
        return None
    first = min(moment.epoch for moment in curves.moments)
    last = max([planned_epochs(run, curves) if live else 0, *(moment.epoch for moment in curves.moments)])
    chosen = last
    if last > first:
        # A range that grew with the run would take the slider back to its end at every epoch.
        chosen = st.slider(
            "Back in time: epoch", first, last, value=last, key=f"training_epoch_{run.id}_{first}_{last}",
            help="At its end it shows the latest epoch.",
        )  # fmt: skip
    shown = moments_at(curves.moments, chosen)
    variants = list(dict.fromkeys(moment.variant for moment in shown))
    if len(variants) > 1:
        network = _network(run, lesson, variants)
        shown = [moment for moment in shown if moment.variant == network]
    for position, moment in enumerate(shown):
        if position == 0 or moment.epoch != shown[position - 1].epoch:
            name = f"**{words.variant_title(lesson, moment.variant)}**, after" if len(variants) > 1 else "After"
            st.markdown(f"{name} epoch {moment.epoch}")
        if isinstance(moment.item, Guesses):
            guesses(moment.item, run.folder, f"training_probe_{position}")
        else:
            items.show(moment.item, run.folder, f"moment_{position}")
    return None if chosen >= last else float(chosen)


def _network(run: Run, lesson: Lesson | None, variants: Sequence[str]) -> str:
    """Draw the choice of the network whose moments are shown, and return it: the latest one unless one is chosen."""

    def printed(variant: str) -> str:
        title = words.variant_title(lesson, variant or variants[-1])
        return title if variant else f"The latest: {title}"

    chosen = st.selectbox(
        "Network", ["", *variants], format_func=printed, key=f"training_moments_{run.id}", label_visibility="collapsed"
    )
    return str(chosen) if chosen in variants else variants[-1]


def moments_at(all_of_them: Sequence[Moment], epoch: int) -> list[Moment]:
    """Return the last moment up to an epoch of each variant and each kind of thing that was shown."""
    found: dict[tuple[str, str, str], Moment] = {}
    for moment in all_of_them:
        if moment.epoch <= epoch:
            found[moment.variant, moment.item.kind, getattr(moment.item, "title", "")] = moment
    return list(found.values())


@st.cache_resource(max_entries=3, scope="session", show_spinner=False)
def _probe(folder: str, signature: tuple[int, int]) -> dict[str, np.ndarray]:
    """Return the probe pictures of a run; `signature` of the file tells them apart."""
    return read_arrays(Path(folder), PROBE)


def probe_of(folder: Path) -> dict[str, np.ndarray]:
    """Return the pictures that guesses are about, none where there are none."""
    try:
        stat = (folder / PROBE).stat()
    except OSError:
        return {}
    return _probe(str(folder), (stat.st_mtime_ns, stat.st_size))


def as_colours(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 (n, h, w, 3) of pictures with one channel or three."""
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def guesses(item: Guesses, folder: Path, key: str) -> None:
    """Draw the probe pictures, each with what the classifier says of it; the bar is the true class' probability."""
    probe = probe_of(folder)
    count = min(len(item.probabilities), len(probe.get("pixels", ())), MOST_PROBES)
    if not count:
        st.caption("The pictures of these guesses are gone.")
        return
    classes = [str(name) for name in probe["classes"]]
    tiles = []
    for i in range(count):
        chances, truth = item.probabilities[i], int(probe["truth"][i])
        best = int(np.argmax(chances))
        true = chances[truth] if truth < len(chances) else 0.0
        name = classes[truth] if truth < len(classes) else "?"
        said = classes[best] if best < len(classes) else f"class {best}"
        tiles.append(
            Tile(
                f"{i}",
                title=name if best == truth else f"{name}?",
                line=share_text(true),
                under="" if best == truth else f"says {said} {share_text(chances[best])}",
                alt=f"{name}: the network gives it {share_text(true)} and says {said}",
                state="ready" if best == truth else "flat",
                share=float(true),
            )
        )
    tile, most = (WIDE_TILE, probe["pixels"].shape[2]) if _is_wide(probe["pixels"]) else (TILE, 110)
    gallery(as_colours(probe["pixels"][:count]), tiles, name="Guesses", key=key, tile=tile, most=max(tile, most))


def _is_wide(pixels: np.ndarray) -> bool:
    return pixels.shape[2] >= 2 * pixels.shape[1]


def show(run: Run, lesson: Lesson | None, metric: str, live: bool) -> None:
    """Draw curves and moments side by side."""
    curves = curves_of(run.folder)
    if not curves.raw and not curves.moments:
        st.caption("The first numbers come in a moment." if live else "This run has no curves.")
        return
    if not curves.moments and not live:
        charts(run, curves, lesson, metric)
        return
    sheets = any(not isinstance(moment.item, Guesses) for moment in curves.moments)
    wide = sheets or ("pixels" in (probe := probe_of(run.folder)) and _is_wide(probe["pixels"]))
    left, right = st.columns([1, 1.25] if wide else [1.9, 1], gap="medium")
    with right:
        at = moments(run, curves, lesson, live)
    with left:
        charts(run, curves, lesson, metric, at)
