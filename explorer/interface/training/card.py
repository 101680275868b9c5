"""The card of a run: everything that was asked for and found out, as Markdown that explains itself elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from explorer.interface.numbers import seconds_text
from explorer.interface.training import words
from explorer.interface.training.reading import RunCurves
from explorer.runs.data import augmentation_knobs
from explorer.runs.data.sources import sources
from explorer.runs.lessons.lesson import Knob, Lesson
from explorer.runs.outcome import Confusion, Numbers, Table, Verdict
from explorer.runs.record import Run
from explorer.runs.trained import TrainedModel


def card(
    run: Run, lesson: Lesson | None, outcome: Sequence[Any], curves: RunCurves, models: Sequence[TrainedModel]
) -> str:
    """Return the card.

    Args:
        run: which.
        lesson: its lesson, where this version has it.
        outcome: its items.
        curves: its numbers.
        models: what it has trained.
    """
    parts = [f"# {_plain(words.title_of(run))}", ""]
    if lesson is not None:
        parts += [f"A run of the lesson *{lesson.title}*: {lesson.question}", ""]
    parts += _verdicts(outcome)
    parts += ["## What was asked for", ""]
    parts += _table(("Setting", "Value"), settings_rows(run, lesson))
    parts += ["## What came of it", ""]
    parts += _came_of(run)
    parts += _outcome(outcome)
    parts += _last_numbers(curves, lesson)
    if models:
        parts += ["## Networks", ""]
        parts += _table(
            ("File", "Network", "Input", "Classes", "Parameters"),
            [
                (
                    model.file,
                    model.title or "the only one",
                    f"{model.input_size[0]} × {model.input_size[1]} × {model.channels}, pixels {_range(model)}",
                    ", ".join(model.classes[:20]) + (" …" if len(model.classes) > 20 else ""),
                    f"{model.parameters:,}",
                )
                for model in models
            ],
        )
        parts += ["Outputs are logits: a softmax makes probabilities of them.", ""]
    parts += ["## Versions", ""]
    parts += _table(("Library", "Version"), sorted(run.config.versions.items()))
    return "\n".join(parts).rstrip() + "\n"


def settings_rows(run: Run, lesson: Lesson | None) -> list[tuple[str, str]]:
    """Return everything that was asked for, as (what, value)."""
    rows: list[tuple[str, str]] = []
    data = dict(run.config.data)
    source = next((each for each in sources() if each.name == data.get("source")), None)
    if "source" in data:
        rows.append(("Data", source.title if source is not None else str(data["source"])))
    rows += [
        (_label(knob, name), words.setting_text(knob, value))
        for name, value in data.items()
        if name != "source" and not (lesson is not None and lesson.is_settled(str(data.get("source")), name))
        for knob in [_knob(source.knobs if source is not None else (), name)]
    ]
    if run.config.network:
        rows.append(("Network", run.config.network))
    idle = _idle(run, lesson)
    rows += [
        (_label(knob, name), words.setting_text(knob, value))
        for name, value in run.config.settings.items()
        if name not in idle
        for knob in [_knob(lesson.knobs if lesson is not None else (), name)]
    ]
    changing = augmentation_knobs.NEUTRAL.keys() & run.config.settings.keys()
    if changing and changing <= idle:
        rows.append(("Augmentation", "none"))
    rows.append(("Seed", str(run.config.seed)))
    return rows


def _idle(run: Run, lesson: Lesson | None) -> frozenset[str]:
    """Return the names of the settings that do not matter with the others, and of augmentation that is off."""
    if lesson is None:
        return frozenset()
    settings = {knob.name: run.config.settings.get(knob.name, knob.default) for knob in lesson.knobs}
    used = {knob.name for knob in lesson.in_use(settings)}
    off = {name for name, value in augmentation_knobs.NEUTRAL.items() if settings.get(name) == value}
    return frozenset(knob.name for knob in lesson.knobs if knob.name not in used or knob.name in off)


def _knob(knobs: Sequence[Knob], name: str) -> Knob | None:
    return next((knob for knob in knobs if knob.name == name), None)


def _label(knob: Knob | None, name: str) -> str:
    return knob.label if knob is not None else name


def _range(model: TrainedModel) -> str:
    return {"zero_one": "from 0 to 1", "tf": "from −1 to 1", "included": "from 0 to 255"}.get(
        model.preprocessing, f"as {model.preprocessing} models take them"
    )


def _verdicts(outcome: Sequence[Any]) -> list[str]:
    parts = []
    for item in outcome:
        if isinstance(item, Verdict):
            word = {
                True: "It holds in this run.",
                False: "It does not hold in this run.",
                None: "This run cannot tell.",
            }
            because = _plain(item.because)
            parts += [
                f"> {_plain(item.sentence)}",
                "",
                f"**{word[item.holds]}** {because[:1].upper()}{because[1:]}",
                "",
            ]
    return parts


def _came_of(run: Run) -> list[str]:
    status = run.status
    rows = [("State", words.STATES[run.state][0]), ("Started", _utc(status.began)), ("Ended", _utc(status.ended))]
    if status.seconds is not None:
        rows.append(("Took", seconds_text(status.seconds)))
    rows.append(("Computed on", status.device or status.slot or "–"))
    if status.reason:
        rows.append(("Reason", status.reason))
    rows.append(("Run", run.id))
    if run.config.again_of:
        rows.append(("Repeats", run.config.again_of))
    return _table(("What", "Value"), rows)


def _utc(seconds: float | None) -> str:
    return "–" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _outcome(outcome: Sequence[Any]) -> list[str]:
    parts: list[str] = []
    for item in outcome:
        if isinstance(item, Numbers):
            parts += [f"### {_plain(item.title) or 'Numbers'}", ""]
            found = [(n.label, f"{n.value:,.{n.digits}f}{' ' + n.unit if n.unit else ''}", n.note) for n in item.rows]
            parts += _table(("Number", "Value", "Note"), found)
        elif isinstance(item, Table):
            parts += [f"### {_plain(item.title)}", ""]
            rows = [
                tuple(words.table_text(item, row, column) for column in range(len(item.rows[row])))
                for row in range(len(item.rows))
            ]
            parts += _table(item.columns, rows)
            parts += [_plain(item.note), ""] if item.note else []
        elif isinstance(item, Confusion):
            title = item.title or f"What is taken for what {item.variant}".rstrip()
            parts += [f"### {_plain(title)}", ""]
            matrix = [(name, *map(str, row)) for name, row in zip(item.classes, item.matrix, strict=False)]
            parts += _table(("truth ↓ answer →", *item.classes), matrix)
    return parts


def _last_numbers(curves: RunCurves, lesson: Lesson | None) -> list[str]:
    """Return where the curves of each network end."""
    names = sorted({name for _, name, _ in curves.raw})
    rows = []
    for variant in curves.variants():
        ends = [curves.curve(variant, name, within=False) or curves.curve(variant, name, within=True) for name in names]
        said = ["–" if end is None else f"{end.y[-1]:.6g}" for end in ends]
        rows.append((words.variant_title(lesson, variant), *said))
    if not rows:
        return []
    heading = ["### Where the curves end", ""]
    return heading + _table(("Network", *map(words.metric_title, names)), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(_plain(cell).replace("|", "\\|") for cell in cells) + " |"

    return [line(columns), "| " + " | ".join("---" for _ in columns) + " |", *map(line, rows), ""]


def _plain(text: str) -> str:
    """Return words in one line, so that a name from outside makes no heading or table of its own."""
    return " ".join(str(text).split()).replace("<", "&lt;")
