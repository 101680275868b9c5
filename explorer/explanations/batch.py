"""Many pictures explained in one go: what goes in, what comes out, and the files made of it (no Keras here)."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from explorer.explanations.report import ReportedClass, ReportedMap, number_words, page, percent, text
from explorer.explanations.report_look import data_uri
from explorer.explanations.results import MapScores, Scores
from explorer.pictures.archive import TakenIn

_THUMBNAIL = 112
# A spreadsheet computes what begins like this (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


@dataclass(frozen=True, eq=False)
class BatchPicture:
    """One picture of many, or the file that was none.

    Attributes:
        name: Its name for people, unlike that of any other.
        pixels: uint8 (height, width, 3), or None.
        sentence: "" or why there is no picture.
        source: As a link writes it, or "".
    """

    name: str
    pixels: np.ndarray | None
    sentence: str = ""
    source: str = ""


@dataclass(frozen=True, eq=False)
class ManyRow:
    """What became of one picture.

    Attributes:
        name: As it came in.
        sentence: "" or why there is no report.
        report: Name of the report inside the zip, or "".
        classes: The most probable classes.
        maps: What was found, without the values of the maps.
        scores: How the maps fare, or None.
        thumbnail: uint8, small, or None.
        seconds: Of computing.
    """

    name: str
    sentence: str = ""
    report: str = ""
    classes: tuple[ReportedClass, ...] = ()
    maps: tuple[MapLine, ...] = ()
    scores: Scores | None = None
    thumbnail: np.ndarray | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class MapLine:
    """One map in numbers.

    Attributes:
        method: Name in `explorer.explanations.table`.
        target: What was explained, in words.
        score: The target's score.
        minimum: Smallest value.
        maximum: Largest value.
        box: (top, left, bottom, right) in pixels of the network's input, or None.
        facts: (name, value) of the numbers that belong to the map.
        sentence: "" or why there is no map.
    """

    method: str
    target: str = ""
    score: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    box: tuple[int, int, int, int] | None = None
    facts: tuple[tuple[str, float | None], ...] = ()
    sentence: str = ""


@dataclass(frozen=True, eq=False)
class Many:
    """Many pictures explained.

    Attributes:
        archive: A zip of reports, with their contents as index.html and the table as summary.csv.
        table: The table as CSV, UTF-8 with a mark that spreadsheets understand.
        rows: One for each file that came in and was reached, in order.
        explained: How many have a report.
        failed: How many have none, because they are no pictures or could not be explained.
        not_reached: How many were left when the visitor stopped, or when this gave way to others.
        seconds: Of computing.
        device: What computed it, in words.
        finished: Whether all were reached.
    """

    archive: bytes
    table: bytes
    rows: tuple[ManyRow, ...]
    explained: int
    failed: int
    not_reached: int
    seconds: float
    device: str
    finished: bool


def batch_pictures(taken: Iterable[TakenIn]) -> tuple[BatchPicture, ...]:
    """Return what `explorer.explanations.many.many` takes from what `explorer.pictures.archive.take_in` gave."""
    return tuple(
        BatchPicture(one.name, None, one.sentence)
        if one.picture is None
        else BatchPicture(one.name, one.picture.pixels, source=one.picture.source)
        for one in taken
    )


def left(pictures: Sequence[BatchPicture], found: Many) -> tuple[BatchPicture, ...]:
    """Return which of the pictures that were handed over last have not been reached."""
    return tuple(pictures[len(pictures) - found.not_reached :])


def map_line(one: ReportedMap) -> MapLine:
    """Return a map in numbers."""
    finite = one.values[np.isfinite(one.values)]
    return MapLine(
        method=one.method,
        target=one.target,
        score=one.score,
        minimum=float(finite.min()) if finite.size else None,
        maximum=float(finite.max()) if finite.size else None,
        box=one.box,
        facts=tuple((fact.name, fact.value) for fact in one.facts),
    )


def report_name(number: int, name: str) -> str:
    """Return a file name that every system takes: plain letters behind a number, "07-my-cat.html"."""
    stem = name.rsplit(".", 1)[0] if "." in name[1:] else name
    plain = re.sub(r"[^a-z0-9]+", "-", stem.casefold().encode("ascii", "ignore").decode()).strip("-")[:40].strip("-")
    return f"{number:02}-{plain or 'picture'}.html"


def small(pixels: np.ndarray) -> np.ndarray:
    """Return a picture at most 112 pixels a side."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return np.asarray(image)


# --- the table ---


def csv_table(rows: Sequence[ManyRow], methods: Sequence[str]) -> bytes:
    """Return the rows as CSV (RFC 4180), one line for each file.

    Texts that a spreadsheet would compute as a formula get an apostrophe in front, which it does not show.

    Args:
        rows: What became of the pictures.
        methods: The methods that were asked for, in order.
    """
    facts = {
        method: list(dict.fromkeys(name for row in rows for line in row.maps if line.method == method
                                   for name, _ in line.facts))
        for method in methods
    }  # fmt: skip
    judged = any(row.scores is not None for row in rows)
    head = ["file", "report", "problem", "class", "probability", "logit", "second_class", "second_probability"]
    for method in methods:
        head += [f"{method}_{word}" for word in ("target", "score", "minimum", "maximum")]
        head += [f"{method}_box_{side}" for side in ("top", "left", "bottom", "right")]
        head += [f"{method}_insertion", f"{method}_deletion"] if judged else []
        head += [f"{method}_{_slug(name)}" for name in facts[method]]
    if judged:
        head += ["random_insertion", "random_deletion"]
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in _values(row, methods, facts, judged)])
    return target.getvalue().encode("utf-8-sig")


def _values(row: ManyRow, methods: Sequence[str], facts: dict[str, list[str]], judged: bool) -> list[object]:
    problems = [row.sentence] if row.sentence else [line.sentence for line in row.maps if line.sentence]
    found: list[object] = [row.name, row.report, " ".join(problems)]
    first, second = (*row.classes, None, None)[:2]
    found += [first.name, first.probability, first.logit] if first else [None] * 3
    found += [second.name, second.probability] if second else [None] * 2
    lines = {line.method: line for line in row.maps}
    areas = {} if row.scores is None else {one.method: one for one in row.scores.rows}
    for method in methods:
        line = lines.get(method, MapLine(method))
        found += [line.target or None, line.score, line.minimum, line.maximum, *(line.box or (None,) * 4)]
        if judged:
            found += _areas(areas.get(method))
        values = dict(line.facts)
        found += [values.get(name) for name in facts[method]]
    if judged:
        found += _areas(areas.get("random"))
    return found


def _areas(judged: MapScores | None) -> list[object]:
    return [None, None] if judged is None else [judged.insertion.area, judged.deletion.area]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.casefold().replace("²", "2")).strip("_") or "value"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    if isinstance(value, int):
        return str(value)
    words = str(value)
    return f"'{words}" if words.lstrip(" \ufeff\u00a0").startswith(_FORMULA) else words


# --- the zip ---


class Parcel:
    """A zip that fills up report by report, in memory."""

    def __init__(self) -> None:
        self._target = io.BytesIO()
        self._zip = zipfile.ZipFile(self._target, "w", zipfile.ZIP_DEFLATED)

    def add(self, name: str, content: bytes) -> None:
        """Put a file into it."""
        self._zip.writestr(name, content)

    def take_over(self, earlier: Many) -> None:
        """Put the reports of an earlier part into it, without that part's contents and table."""
        with zipfile.ZipFile(io.BytesIO(earlier.archive)) as archive:
            for row in earlier.rows:
                if row.report:
                    self.add(f"reports/{row.report}", archive.read(f"reports/{row.report}"))

    def close(self) -> bytes:
        """Return the whole zip."""
        self._zip.close()
        return self._target.getvalue()


def contents_page(rows: Sequence[ManyRow], network: str, not_reached: int) -> bytes:
    """Return the page that lists all reports, with a link to each."""
    explained = sum(bool(row.report) for row in rows)
    failed = len(rows) - explained
    lead = f"{explained} of {len(rows) + not_reached} pictures explained with {text(network)}"
    lead += f", {failed} {'file was' if failed == 1 else 'files were'} not" if failed else ""
    lead += f", {not_reached} not reached" if not_reached else ""
    lines = "".join(_contents_line(row) for row in rows)
    return page(
        "Reports",
        '<p class="kicker">CNN Explorer · Why did the network say so?</p><h1>Reports</h1>'
        f'<p class="lead">{lead}.</p><table class="contents"><thead><tr><th></th><th scope="col">File</th>'
        '<th scope="col">Class</th><th scope="col" class="number">Probability</th>'
        '<th scope="col" class="number">Logit</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>",
    )


def _contents_line(row: ManyRow) -> str:
    if not row.report:
        return (
            f'<tr><td></td><th scope="row">{text(row.name)}</th>'
            f'<td colspan="3" class="why">{text(row.sentence)}</td></tr>'
        )
    image = "" if row.thumbnail is None else f'<img src="{data_uri(row.thumbnail)}" alt="">'
    best = row.classes[0] if row.classes else None
    words = (text(best.name), percent(best.probability), number_words(best.logit)) if best else ("–", "–", "–")
    return (
        f'<tr><td>{image}</td><th scope="row"><a href="reports/{text(row.report)}">{text(row.name)}</a></th>'
        f'<td>{words[0]}</td><td class="number">{words[1]}</td><td class="number">{words[2]}</td></tr>'
    )


def packed(
    parcel: Parcel, rows: Sequence[ManyRow], methods: Sequence[str], network: str, not_reached: int
) -> tuple[bytes, bytes]:
    """Put contents and table into a parcel of reports; return (zip, CSV)."""
    told = csv_table(rows, methods)
    parcel.add("index.html", contents_page(rows, network, not_reached))
    parcel.add("summary.csv", told)
    return parcel.close(), told
