"""Convolutions along one dimension: forecasting what comes next, and classifying texts, tables and signals."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer.networks.work_context import SentenceError
from explorer.runs.data import stored
from explorer.runs.data.sequence_overview import SequenceOverview
from explorer.runs.data.sequences import (
    ECG_CLASSES,
    ECG_SECONDS,
    REVIEW_CLASSES,
    SOUND_CLASSES,
    SOUND_SECONDS,
    heartbeats,
    periodic_series,
    reviews,
    stereo_sounds,
)
from explorer.runs.lessons import one_dimension_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.record import Config

TASKS = {
    "forecast": "Forecast a series",
    "text": "Classify texts",
    "table": "Classify the rows of a table",
    "signals": "Classify signals",
}
STACKS = {"undilated": "undilated", "dilated": "dilated 1, 2, 4, …"}
WIDTHS = {
    1: "1 word: blind to order",
    2: "2 words",
    3: "3 words",
    5: "5 words",
}
TABLES = {"breast_cancer": "Breast cancer: 569 rows of 30 columns", "wine": "Wine: 178 rows of 13 columns"}
TABLE_NETWORKS = {
    "columns": "Convolution, columns in their order",
    "shuffled": "Convolution, columns shuffled",
    "dense": "Dense network",
}
SIGNALS = {"heartbeats": "Heartbeats (ECG-like)", "sounds": "Stereo sounds"}
CORPORA = {"grammar": "Reviews out of a small grammar", "imdb": "IMDB reviews"}

SENTENCES = {
    "forecast": "Causal dilated convolutions forecast what undilated ones of the same depth cannot reach back to.",
    "short": "Where undilated convolutions reach back a whole period, dilation gains little.",
    "text": "A convolution over words sees their order, and with it what a bag of words cannot tell.",
    "table": "A 1D convolution classifies tables too, but gains nothing over logistic regression.",
    "signals": "A 1D convolution tells signals apart that a linear classifier of the same samples can only guess at.",
}
"""What is put to the test: a sentence for each task, and one for a series whose period is short."""

IMDB: Mapping[str, Any] = MappingProxyType({"validation": 1000, "words": 5000, "length": 200})
"""What is taken of IMDB: so many reviews to be judged by, different words, and words of a review."""

HORIZON = 32
"""Steps that a forecast runs by itself."""
NEAR = 8
"""Steps that count as near."""
SPARE_STEPS = 96
JUDGED_SERIES, JUDGED_TEXTS, JUDGED_SIGNALS = 200, 1000, 600
"""Of how many that are never learnt from a network has to show what it can do."""

SHOWN_SERIES, SHOWN_TEXTS, SHOWN_SIGNALS, SHOWN_ROWS = 4, 2, 2, 3
"""Examples before the start: series, and of each class texts, recordings and rows of a table."""
LOOKED_AT = 60
"""So many texts or recordings are drawn to find those examples."""
"""Steps of a training series beyond the longest reach."""

_FORECAST = {"task": ("forecast",)}
_TEXT = {"task": ("text",)}
_TABLE = {"task": ("table",)}
_SIGNALS = {"task": ("signals",)}

_KNOBS = (
    Knob("task", "What for", "choice", "forecast", options=TASKS, main=True),
    Knob(
        "stacks",
        "Convolutions",
        "choices",
        tuple(STACKS),
        options=STACKS,
        main=True,
        only_if=_FORECAST,
        help="Same layers, same number of weights; in the dilated stack each layer skips twice as many steps.",
    ),
    Knob(
        "period",
        "Period of the series",
        "integer",
        40,
        low=4,
        high=120,
        step=1,
        main=True,
        only_if=_FORECAST,
        help="Every series repeats a pattern of its own after so many steps.",
    ),
    Knob("layers", "Layers", "integer", 6, low=2, high=7, step=1, main=True, only_if=_FORECAST),
    Knob("kernel_size", "Kernel size", "integer", 2, low=2, high=3, step=1, only_if=_FORECAST),
    Knob(
        "corpus",
        "Texts",
        "choice",
        "grammar",
        options=CORPORA,
        main=True,
        only_if=_TEXT,
        help="IMDB has to be on this machine, or is downloaded if you allow it.",
    ),
    Knob(
        "widths",
        "Words that a filter sees",
        "choices",
        (1, 3),
        options=WIDTHS,
        main=True,
        only_if=_TEXT,
        help="A kernel of one word makes the network a bag of words.",
    ),
    Knob(
        "negated",
        "Share of clauses with a negation",
        "number",
        0.4,
        low=0.0,
        high=0.6,
        step=0.05,
        main=True,
        only_if={"task": ("text",), "corpus": ("grammar",)},
        help="At 0 words alone tell everything, at 0.5 next to nothing.",
    ),
    Knob(
        "download",
        "Download IMDB if it is missing (19 MB)",
        "switch",
        False,
        only_if={"task": ("text",), "corpus": ("imdb",)},
    ),
    Knob("table", "Table", "choice", "breast_cancer", options=TABLES, main=True, only_if=_TABLE),
    Knob(
        "folds",
        "Folds",
        "integer",
        3,
        low=2,
        high=10,
        step=1,
        only_if=_TABLE,
        help="Each row is judged once, by a network that has not learnt from it.",
    ),
    Knob("signals", "Signals", "choice", "heartbeats", options=SIGNALS, main=True, only_if=_SIGNALS),
    Knob(
        "noise",
        "Noise",
        "number",
        0.1,
        low=0.0,
        high=1.0,
        step=0.02,
        only_if={"task": ("forecast", "signals")},
        help="Standard deviation; series have 1 and tones an amplitude of 1, an R peak has about 1 mV.",
    ),
    Knob(
        "examples",
        "Examples to learn from",
        "integer",
        1500,
        low=100,
        high=20_000,
        step=100,
        only_if={"task": ("forecast", "text", "signals")},
        help="Series, texts or recordings.",
    ),
    Knob("filters", "Filters of a layer", "integer", 24, low=4, high=128, step=4),
    Knob("epochs", "Epochs", "integer", 10, low=1, high=100, step=1, main=True),
    Knob("batch_size", "Batch size", "choice", 32, options={size: f"{size}" for size in (8, 16, 32, 64, 128)}),
    Knob("learning_rate", "Learning rate", "number", 0.003, low=1e-5, high=0.1, logarithmic=True),
)

_PRESETS = (
    Preset(
        "forecast",
        "Forecast: dilated or not",
        {"examples": 1000, "epochs": 8},
        note="A period of 40 steps: six layers of kernel 2 look back 7 steps, or 64 with dilation.",
    ),
    Preset(
        "forecast_short",
        "Forecast: a short period",
        {"period": 6, "examples": 1000, "epochs": 8},
        note="A period of 6 steps, which the undilated layers reach back to as well.",
    ),
    Preset(
        "text",
        "Texts with negations",
        {"task": "text", "examples": 2000, "filters": 32, "learning_rate": 0.01, "epochs": 12},
        note="“clever, not dull” and “dull, not clever” have the same words.",
    ),
    Preset(
        "imdb",
        "Texts: IMDB",
        {"task": "text", "corpus": "imdb", "examples": 4000, "filters": 32, "epochs": 6, "widths": (1, 3)},
        note="Real reviews, where single words tell most. They have to be on this machine.",
    ),
    Preset(
        "table",
        "A table",
        {"task": "table", "epochs": 20, "filters": 16},
        note="Thirty measurements of a tumour, and what becomes of a convolution when the columns are shuffled.",
    ),
    Preset(
        "heartbeats",
        "Heartbeats",
        {"task": "signals", "noise": 0.04, "filters": 16, "epochs": 8},
        note="Five kinds of drawn electrocardiograms that begin at a random moment.",
    ),
    Preset(
        "sounds",
        "Stereo sounds",
        {"task": "signals", "signals": "sounds", "filters": 16, "epochs": 6},
        note="Two channels: what moves from the left to the right can be told only by looking at both.",
    ),
)


def dilations(layers: int, dilated: bool) -> tuple[int, ...]:
    """Return the dilation rate of each layer: 1, 2, 4, … or all 1."""
    return tuple(2**layer if dilated else 1 for layer in range(layers))


def receptive_field(kernel_size: int, rates: tuple[int, ...]) -> int:
    """Return how many steps the last output sees, itself among them: 1 + (k − 1) · Σ d."""
    return 1 + (kernel_size - 1) * sum(rates)


def longest_reach(settings: Mapping[str, Any]) -> int:
    """Return the receptive field of the dilated stack."""
    return receptive_field(settings["kernel_size"], dilations(settings["layers"], dilated=True))


def series_steps(settings: Mapping[str, Any]) -> int:
    """Return the length of a training series."""
    return max(longest_reach(settings), settings["period"]) + SPARE_STEPS


def sentence_of(settings: Mapping[str, Any]) -> str:
    """Return the sentence that these settings put to the test."""
    if settings["task"] != "forecast":
        return SENTENCES[settings["task"]]
    return SENTENCES["short" if is_short(settings) else "forecast"]


def is_short(settings: Mapping[str, Any]) -> bool:
    """Tell whether the undilated stack sees a whole period and the value one period before the next one."""
    field = receptive_field(settings["kernel_size"], dilations(settings["layers"], dilated=False))
    return field >= settings["period"]


def variant_of_width(width: int) -> str:
    """Return the variant whose filters see so many words."""
    return f"width-{width}"


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    return (10 if settings["task"] == "forecast" else 8) + sum(_parts(settings, data))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each network, in each fold."""
    work = settings["epochs"] * settings["examples"] * (settings["filters"] + 8) / 32
    if settings["task"] == "forecast":
        return [0.8e-6 * work * series_steps(settings) * settings["layers"]] * len(settings["stacks"])
    if settings["task"] == "text":
        length = 200 if settings["corpus"] == "imdb" else 60
        return [1.25e-6 * work * length * width for width in settings["widths"]]
    if settings["task"] == "table":
        count = settings["folds"] * len(TABLE_NETWORKS)
        return [(2 + 0.14 * settings["epochs"]) / len(TABLE_NETWORKS)] * count
    steps = 384 if settings["signals"] == "heartbeats" else 1024
    return [2e-6 * work * steps]


# --- what there is to be seen before a run starts ---


def _glance(settings: Mapping[str, Any], seed: int) -> SequenceOverview:
    every = LESSON.settings(settings)
    return _GLANCES[every["task"]](every, seed)


def _series(settings: Mapping[str, Any], seed: int) -> SequenceOverview:
    steps, period, count = series_steps(settings), settings["period"], settings["examples"]
    found = periodic_series(count, steps, period, settings["noise"], seed)[:SHOWN_SERIES]
    return SequenceOverview(
        "series",
        {"series": count},
        {"series": JUDGED_SERIES},
        waves={f"series {at}": one[None, :, None].copy() for at, one in enumerate(found, start=1)},
        axis=f"{steps} steps; the pattern comes again after {period}",
    )


def _texts(settings: Mapping[str, Any], seed: int) -> SequenceOverview:
    count = settings["examples"]
    if settings["corpus"] == "imdb":
        try:
            stored.make_sure("imdb", download=False)
            note = "Real reviews, shortened to 200 words; some are shown as soon as the run has read them."
        except SentenceError as failure:
            note = str(failure)
        return SequenceOverview("texts", {"reviews": count}, {"reviews": IMDB["validation"]}, notes=(note,))
    # They are written one after the other: the first ones are the same whatever their number.
    told = reviews(min(count, LOOKED_AT), settings["negated"], seed)
    shown = {
        name: tuple(told.texts[at] for at in np.flatnonzero(told.labels == label)[:SHOWN_TEXTS])
        for label, name in enumerate(REVIEW_CLASSES)
    }
    return SequenceOverview("texts", {"reviews": count}, {"reviews": JUDGED_TEXTS}, texts=shown)


def _recordings(settings: Mapping[str, Any], seed: int) -> SequenceOverview:
    beats = settings["signals"] == "heartbeats"
    make, classes = (heartbeats, ECG_CLASSES) if beats else (stereo_sounds, SOUND_CLASSES)
    found = make(settings["examples"], seed, settings["noise"], first=LOOKED_AT)
    return SequenceOverview(
        "recordings",
        _shares(classes, settings["examples"]),
        _shares(classes, JUDGED_SIGNALS),
        waves={name: found.values[found.labels == label][:SHOWN_SIGNALS] for label, name in enumerate(classes)},
        axis=f"{ECG_SECONDS} seconds" if beats else f"{SOUND_SECONDS:g} seconds; left channel above, right one below",
    )


def _shares(classes: tuple[str, ...], count: int) -> dict[str, int]:
    return {name: len(range(label, count, len(classes))) for label, name in enumerate(classes)}


def _rows(settings: Mapping[str, Any], seed: int) -> SequenceOverview:
    from sklearn.datasets import load_breast_cancer, load_wine

    found = load_breast_cancer() if settings["table"] == "breast_cancer" else load_wine()
    names, values, labels = map(str, found.target_names), np.asarray(found.data, float), np.asarray(found.target)
    by_class = {name: values[labels == label] for label, name in enumerate(names)}
    return SequenceOverview(
        "rows",
        {name: len(rows) for name, rows in by_class.items()},
        rows={name: rows[:SHOWN_ROWS].copy() for name, rows in by_class.items()},
        columns=tuple(map(str, found.feature_names)),
        notes=(f"Each row is judged once, by networks that have learnt from the other {settings['folds'] - 1} of "
               f"{settings['folds']} folds.",),
    )  # fmt: skip


_GLANCES = {"forecast": _series, "text": _texts, "table": _rows, "signals": _recordings}


def _script(config: Config) -> str:
    return one_dimension_script.script(config, LESSON.settings(config.settings))


_BACKGROUND = """
A filter of size $k$ slides along one axis: time, the words of a text, the columns of a table. Its output at step $t$ is
$y_t = b + \\sum_{i=0}^{k-1} \\sum_c w_{i,c}\\, x_{t - i\\,d,\\,c}$ with dilation $d$, over all channels $c$; written
like this it is *causal*: nothing from after $t$ goes in. Keras' `padding="causal"` puts $d\\,(k-1)$ zeros in front.

- **Reach.** A stack of $L$ layers sees $1 + (k-1) \\sum_l d_l$ steps. Six layers of kernel 2 see 7 steps; with
  dilation $1, 2, 4, 8, 16, 32$ they see 64, with the same number of weights. The run measures it as well: it nudges
  one value of the past after the other and looks at what becomes of the forecast.
- **A free-running forecast** feeds on itself: the first forecast is taken for true and goes in for the second. The
  loss of one step tells little of what becomes of that.
- **Text.** Words become vectors (an embedding), and a filter of three words is a detector of phrases such as "was not
  good". Averaged over the text it counts them. With one word at a time all that is left is a bag of words. On real
  reviews (IMDB) single words tell so much that the gain is small.
- **Tables.** Columns stand in an order that somebody chose. Shuffle them and a convolution learns as well or as badly
  as before: weight sharing along an axis without meaning buys nothing. Logistic regression is the honest rival.
- **Signals.** Where an event may begin at any moment, no single sample tells anything, so that a linear classifier of
  the samples has to guess. Filters look for the same shape everywhere, pooling forgets where. Stereo is nothing but a
  second input channel.

The electrocardiograms are drawn by a formula for this lesson. They are no medical data, and the network is no
physician.

*Sources:* A. van den Oord and others, *WaveNet: A Generative Model for Raw Audio* (2016). S. Bai, J. Z. Kolter,
V. Koltun, *An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling* (2018).
Y. Kim, *Convolutional Neural Networks for Sentence Classification* (2014). P. E. McSharry and others, *A Dynamical
Model for Generating Synthetic Electrocardiogram Signals* (2003).
"""

LESSON = Lesson(
    name="one_dimension",
    order=7,
    title="One dimension",
    icon=":material/show_chart:",
    sentence=(
        "Causal dilated convolutions forecast what undilated ones of the same depth cannot reach back to; 1D "
        "convolutions also classify texts, tables, stereo sounds and heartbeats."
    ),
    question="What does a convolution see that slides along time, along words or along columns?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=(),
    glance=_glance,
    estimate=_estimate,
    parts=_parts,
    script=_script,
    variants={
        **STACKS,
        **{variant_of_width(width): title for width, title in WIDTHS.items()},
        **TABLE_NETWORKS,
        "linear": "Logistic regression",
    },
    background=_BACKGROUND,
)
