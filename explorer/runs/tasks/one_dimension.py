"""Trains what the lesson on one dimension is asked for: a forecast, or a classifier of texts, tables or signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from explorer.runs.context import RunContext
from explorer.runs.lessons.one_dimension import LESSON
from explorer.runs.tasks.sequences import forecasting, signals, tables, texts

_PARTS: dict[str, Callable[[RunContext, dict[str, Any]], None]] = {
    "forecast": forecasting.train,
    "text": texts.train,
    "table": tables.train,
    "signals": signals.train,
}


def train(context: RunContext) -> None:
    """Train and show what the settings ask for."""
    settings = LESSON.settings(context.config.settings)
    keras.utils.set_random_seed(context.config.seed)
    _PARTS[settings["task"]](context, settings)
