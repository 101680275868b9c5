"""What the training page says of runs: their states, times and numbers, in words."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from explorer.interface.current_picture import plain
from explorer.interface.numbers import seconds_text, value_text
from explorer.runs.lessons import lessons
from explorer.runs.lessons.lesson import Knob, Lesson
from explorer.runs.outcome import Numbers, Table
from explorer.runs.record import FINAL, Broken, Progress, Run, State
from explorer.runs.waiting import Place

STATES: Mapping[State, tuple[str, str, str]] = {
    "queued": ("waiting", ":material/hourglass_empty:", "gray"),
    "starting": ("starting", ":material/rocket_launch:", "blue"),
    "running": ("running", ":material/play_circle:", "blue"),
    "done": ("done", ":material/check_circle:", "green"),
    "failed": ("failed", ":material/error:", "red"),
    "stopped": ("stopped", ":material/stop_circle:", "orange"),
    "interrupted": ("interrupted", ":material/power_off:", "orange"),
}
"""For each state its word, its icon and the colour of its badge."""

VERDICTS = {
    True: ("holds", ":material/verified:", "green"),
    False: ("does not hold", ":material/unpublished:", "orange"),
    None: ("cannot tell", ":material/help:", "gray"),
}
"""In a word what a run says about its sentence, with icon and colour."""

METRIC_NAMES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "mean_iou": "mean IoU",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "learning_rate": "learning rate",
}


def metric_title(name: str) -> str:
    """Return how a number's name in the metrics is printed."""
    inner = name.removeprefix("val_")
    title = METRIC_NAMES.get(inner, inner.replace("_", " "))
    return f"validation {title}" if name.startswith("val_") else title


def lesson_of(run: Run) -> Lesson | None:
    """Return the lesson of a run, or None for one that this version does not have."""
    return next((each for each in lessons() if each.name == run.config.task), None)


def title_of(run: Run) -> str:
    """Return what a run is called, as plain text."""
    lesson = lesson_of(run)
    return run.config.title or (lesson.title if lesson is not None else run.config.task)


def variant_title(lesson: Lesson | None, variant: str) -> str:
    """Return how a variant is printed."""
    if lesson is not None and variant in lesson.variants:
        return lesson.variants[variant]
    return variant.replace("_", " ") or "network"


def about_seconds(seconds: float) -> str:
    """Return a duration that nobody knows exactly: "about 40 s", "about 3 min"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < 3600:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


def clock(seconds: float | None, zone: str | None) -> str:
    """Return a moment (seconds since 1970) as the visitor's clock shows it, with the day where it is another one."""
    if seconds is None:
        return "–"
    try:
        where: Any = ZoneInfo(zone) if zone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        where = UTC
    moment, now = datetime.fromtimestamp(seconds, where), datetime.fromtimestamp(time.time(), where)
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    if moment.date() == (now - timedelta(days=1)).date():
        return f"yesterday {moment:%H:%M}"
    return f"{moment:%d %b %H:%M}".lstrip("0")


def waiting_words(place: Place | None, dispatcher: str = "serves") -> str:
    """Say where a waiting run stands and when it may start."""
    if place is None:
        return "Waiting for its start."
    where = "Next in line" if place.place == 1 else f"Place {place.place} in line"
    if dispatcher == "starting":
        return f"{where}; the training service is starting."
    if place.seconds is None:
        return f"{where}; it starts when the runs before it have ended."
    if place.seconds < 3:
        return f"{where}; it starts at once."
    return f"{where}; it may start in {about_seconds(place.seconds)}."


def progress_words(progress: Progress, seconds_left: float | None = None) -> str:
    """Return how far a run is: epoch, step, pictures per second, and the time left of the whole run."""
    parts = []
    if progress.epoch is not None:
        parts.append(f"epoch {progress.epoch}" + (f" of {progress.epochs}" if progress.epochs else ""))
    if progress.step is not None:
        parts.append(f"step {progress.step:,}" + (f" of {progress.steps:,}" if progress.steps else ""))
    if progress.rate:
        parts.append(
            f"{progress.rate:,.0f} {progress.unit}/s"
            if progress.rate >= 10
            else f"{progress.rate:.1f} {progress.unit}/s"
        )
    if seconds_left is not None:
        parts.append(f"{about_seconds(seconds_left)} left")
    return " · ".join(parts)


def took(run: Run) -> str:
    """Return how long a run took, or has taken so far."""
    if run.status.began is None:
        return "–"
    if run.status.seconds is not None:
        return seconds_text(run.status.seconds)
    if run.state in FINAL:
        return "–"  # nobody was there to write down its end
    return seconds_text(max(0.0, time.time() - run.status.began))


def main_number(items: Iterable[Any], latest: Mapping[str, float]) -> str:
    """Return the number of a run that a table shows: the first of a network's, else the latest of the curves."""
    for item in items:
        if isinstance(item, Numbers) and item.rows:
            first = next((row for row in item.rows if not row.baseline), item.rows[0])
            what = f"{item.title}: {first.label}" if item.title else first.label
            value = f"{first.value:.{first.digits}f}"
            return f"{what} {value}" + (f"\u00a0{first.unit}" if first.unit else "")
    for name in [*(n for n in latest if n.startswith("val_") and n != "val_loss"), "val_loss", "loss"]:
        if name in latest:
            return f"{metric_title(name)} {value_text(latest[name])}"
    return ""


def setting_text(knob: Knob | None, value: Any) -> str:
    """Return a setting as a visitor reads it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        each = [setting_text(knob, one) for one in value]
        return ("; " if any("," in one for one in each) else ", ").join(each)
    if knob is not None and knob.options:
        for option, printed in knob.options.items():
            if option == value:
                return printed
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def broken_words(broken: Broken) -> str:
    """Return what is said of a folder that cannot be read."""
    return f"{plain(broken.sentence)} ({broken.id})"


def table_text(table: Table, row: int, column: int) -> str:
    """Return a cell of a table as it is printed."""
    cell = table.rows[row][column]
    if cell is None:
        return "–"
    if isinstance(cell, float):
        heading = table.columns[column] if column < len(table.columns) else ""
        return f"{cell:.{table.column_digits.get(heading, table.digits)}f}".replace("-", "−")
    return f"{cell:,}" if isinstance(cell, int) else cell
