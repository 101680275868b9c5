"""Many pictures at once: each explained as if it were alone, broken ones cost a sentence, stopping keeps the rest."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer.engine.packing import pack as packed_for_travel
from explorer.engine.packing import unpack as unpacked
from explorer.explanations import many as many_module
from explorer.explanations.batch import (
    BatchPicture,
    Many,
    ManyRow,
    MapLine,
    batch_pictures,
    csv_table,
    left,
    report_name,
)
from explorer.explanations.explain import explain
from explorer.explanations.many import many
from explorer.explanations.report import ReportedClass
from explorer.interface.explanations.report_panel import unfinished
from explorer.networks.loading import load
from explorer.networks.preprocessing import prepare
from explorer.networks.work_context import NO_CONTEXT, NoContext, SentenceError, Stopped
from explorer.pictures.archive import unpack
from explorer.pictures.drawn_world import draw

DRAWN = [draw(77, index, label=index).pixels for index in range(4)]


def pictures(count: int = 3) -> tuple[BatchPicture, ...]:
    return tuple(BatchPicture(f"{number}.png", DRAWN[number]) for number in range(count))


def lines(found: Many) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.table.decode("utf-8-sig"))))


def names_in(found: Many) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(found.archive)).namelist()


class StopsAfter(NoContext):
    """A visitor who stops when a number of reports came."""

    def __init__(self, reports: int) -> None:
        self.reports = reports
        self.heard: list[tuple[float | None, float | None, str]] = []

    def report(self, done: float | None = None, total: float | None = None, unit: str = "", message: str = "",
               payload: Any = None, part: int = 0) -> None:  # fmt: skip
        self.heard.append((done, total, message))

    def stopped(self) -> bool:
        return len(self.heard) >= self.reports

    def raise_if_stopped(self) -> None:
        if self.stopped():
            raise Stopped


def test_each_picture_is_explained_as_it_would_be_alone() -> None:
    found = many(NO_CONTEXT, "drawn_plain", "trained", pictures(2), ("saliency", "grad_cam"))
    network = load("drawn_plain")
    assert (found.explained, found.failed, found.not_reached, found.finished) == (2, 0, 0, True)
    for number, row in enumerate(lines(found)):
        for method in ("saliency", "grad_cam"):
            alone = explain(network, prepare(DRAWN[number], network.entry), None, method)
            assert float(row[f"{method}_maximum"]) == pytest.approx(float(alone.maps.max()), rel=1e-3)
            assert float(row[f"{method}_score"]) == pytest.approx(float(alone.scores[0]), rel=1e-4)
        assert row["class"] == row["grad_cam_target"]


def test_a_zip_of_fifty_with_three_broken_ones_gives_forty_seven_reports_and_three_sentences() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for number in range(50):
            file = io.BytesIO()
            Image.fromarray(DRAWN[number % 4]).save(file, "PNG")
            broken = {5: file.getvalue()[:300], 17: b"a text that is called a picture", 33: b""}
            packed.writestr(f"{number}.png", broken.get(number, file.getvalue()))
    found = many(NO_CONTEXT, "drawn_plain", "trained", batch_pictures(unpack(target.getvalue())), ("saliency",))
    assert (found.explained, found.failed, found.finished) == (47, 3, True)
    assert sum(name.startswith("reports/") for name in names_in(found)) == 47
    assert {"index.html", "summary.csv"} <= set(names_in(found))
    problems = {row["file"]: row["problem"] for row in lines(found) if row["problem"]}
    assert sorted(problems) == ["17.png", "33.png", "5.png"]
    assert all(sentence.endswith(".") for sentence in problems.values())
    contents = zipfile.ZipFile(io.BytesIO(found.archive)).read("index.html").decode()
    assert "47 of 50 pictures" in contents and "3 files were not" in contents
    assert all(f'href="{name}"' in contents for name in names_in(found) if name.startswith("reports/"))


def test_stopping_keeps_the_reports_that_are_done() -> None:
    context = StopsAfter(6)
    found = many(context, "drawn_plain", "trained", pictures(4), ("saliency",))
    assert not found.finished and 1 <= found.explained < 4
    assert found.explained + found.not_reached == 4
    assert len(lines(found)) == found.explained
    assert zipfile.ZipFile(io.BytesIO(found.archive)).testzip() is None


def same_tables(table: bytes, other: bytes) -> bool:
    """Return whether two tables hold the same words and, to five digits, the same numbers."""
    rows, others = (list(csv.reader(io.StringIO(each.decode("utf-8-sig")))) for each in (table, other))
    if [len(row) for row in rows] != [len(row) for row in others]:
        return False
    cells, other_cells = (itertools.chain.from_iterable(each) for each in (rows, others))
    return all(map(same_cells, cells, other_cells))


def same_cells(cell: str, other: str) -> bool:
    if cell == other:
        return True
    try:
        return float(cell) == pytest.approx(float(other), rel=1e-5)
    except ValueError:
        return False


class GivesWay(NoContext):
    """Others wait all the time."""

    def __init__(self) -> None:
        self.heard: list[float] = []

    def report(self, done: float | None = None, total: float | None = None, unit: str = "", message: str = "",
               payload: Any = None, part: int = 0) -> None:  # fmt: skip
        self.heard.append((done or 0) / (total or 1))

    def should_yield(self) -> bool:
        return True


def test_it_gives_way_after_each_picture_and_goes_on_without_losing_or_repeating_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = (BatchPicture("none.txt", None, "This is no picture."), *pictures(3), BatchPicture("b", None))
    whole = many(NO_CONTEXT, "drawn_plain", "trained", given, ("saliency", "grad_cam"))
    explained: list[str] = []
    real = many_module.explain

    def counting(network: Any, batch: np.ndarray, target: Any, method: str, **options: Any) -> Any:
        explained.append(method)
        return real(network, batch, target, method, **options)

    monkeypatch.setattr(many_module, "explain", counting)
    context = GivesWay()
    arguments: dict[str, Any] = {"pictures": given}
    turns: list[Many] = []
    more: dict[str, Any] | None = {}
    while more is not None:
        arguments |= more
        # What is handed over travels, and so do the results.
        found = many(context, "drawn_plain", "trained", methods=("saliency", "grad_cam"), **arguments)
        turns.append(unpacked(packed_for_travel(found)))
        more = unfinished(turns[-1], arguments)
    assert [len(turn.rows) for turn in turns] == [2, 3, 5]
    assert [turn.finished for turn in turns] == [False, False, True]
    assert explained == ["saliency", "grad_cam"] * 3
    assert names_in(turns[-1]) == names_in(whole) and len(set(names_in(whole))) == 5
    # A sum on several threads may round its last digit another way.
    assert same_tables(turns[-1].table, whole.table)
    assert (turns[-1].explained, turns[-1].failed) == (3, 2)
    assert turns[-1].seconds > turns[0].seconds
    assert context.heard == sorted(context.heard), "the bar never goes back"
    # Stopped while it waits for its next turn, what is there can be opened.
    assert "1 of 5 pictures explained" in zipfile.ZipFile(io.BytesIO(turns[0].archive)).read("index.html").decode()
    assert len(lines(turns[0])) == 2 and turns[0].not_reached == 3


def test_one_picture_that_was_stopped_in_its_second_turn_leaves_those_of_the_first() -> None:
    first = many(GivesWay(), "drawn_plain", "trained", pictures(3), ("saliency",))
    rest = many(StopsAfter(0), "drawn_plain", "trained", left(pictures(3), first), ("saliency",), earlier=first)
    assert [row.name for row in rest.rows] == ["0.png"]
    assert names_in(rest) == names_in(first) and rest.not_reached == 2


def test_stopping_at_once_gives_an_empty_parcel_and_no_error() -> None:
    found = many(StopsAfter(0), "drawn_plain", "trained", pictures(2), ("saliency",))
    assert (found.explained, found.not_reached, found.finished) == (0, 2, False)


def test_progress_grows_and_ends_at_all_pictures() -> None:
    context = StopsAfter(10_000)
    many(context, "drawn_plain", "trained", pictures(2), ("saliency", "grad_cam"))
    done = [one for one, _, _ in context.heard if one is not None]
    assert done == sorted(done) and done[-1] == 2
    assert any("1.png: Grad-CAM" in message for _, _, message in context.heard)


def test_a_method_that_cannot_answer_leaves_the_others_their_report() -> None:
    found = many(NO_CONTEXT, "drawn_plain", "trained", pictures(1), ("grad_cam", "saliency"), layer="logits")
    (row,) = lines(found)
    assert found.explained == 1 and row["saliency_maximum"] and not row["grad_cam_maximum"] and row["problem"]
    nothing = many(NO_CONTEXT, "drawn_plain", "trained", pictures(1), ("grad_cam",), layer="logits")
    assert nothing.failed == 1 and nothing.rows[0].sentence.endswith(".")


def test_a_picture_that_breaks_the_work_costs_its_own_report_only(monkeypatch: pytest.MonkeyPatch) -> None:
    real = many_module.explain

    def breaking(network: Any, batch: np.ndarray, *arguments: Any, **options: Any) -> Any:
        if np.array_equal(batch[0], prepare(DRAWN[1], network.entry)[0]):
            raise ZeroDivisionError("a secret")
        return real(network, batch, *arguments, **options)

    monkeypatch.setattr(many_module, "explain", breaking)
    found = many(NO_CONTEXT, "drawn_plain", "trained", pictures(3), ("saliency",))
    assert [bool(row.report) for row in found.rows] == [True, False, True]
    assert "secret" not in found.rows[1].sentence


def test_judged_maps_stand_in_the_table_beside_a_random_one() -> None:
    found = many(NO_CONTEXT, "drawn_plain", "trained", pictures(1), ("grad_cam",), judged=True)
    (row,) = lines(found)
    for name in ("grad_cam_insertion", "grad_cam_deletion", "random_insertion", "random_deletion"):
        assert 0 <= float(row[name]) <= 1
    report = next(name for name in names_in(found) if name.startswith("reports/"))
    assert "Random map" in zipfile.ZipFile(io.BytesIO(found.archive)).read(report).decode()


def test_photos_meet_a_warning_on_a_network_of_drawings() -> None:
    found = many(NO_CONTEXT, "drawn_plain", "trained", (BatchPicture("a", DRAWN[0], source="upload:x"),), ("saliency",))
    drawn = many(
        NO_CONTEXT, "drawn_plain", "trained", (BatchPicture("a", DRAWN[0], source="drawn:cat:1"),), ("saliency",)
    )
    said = [zipfile.ZipFile(io.BytesIO(one.archive)).read("reports/01-a.html").decode() for one in (found, drawn)]
    assert ["twelve drawn things" in one for one in said] == [True, False]


@pytest.mark.parametrize(
    ("given", "methods"), [((), ("saliency",)), (pictures(1), ()), (pictures(1) * 51, ("saliency",))]
)
def test_nothing_and_too_much_are_said_in_one_sentence(given: tuple, methods: tuple) -> None:
    with pytest.raises(SentenceError):
        many(NO_CONTEXT, "drawn_plain", "trained", given, methods)


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1", "＝1", "|x", "%0A=1"])
def test_no_text_in_the_table_is_a_formula(start: str) -> None:
    row = ManyRow(start, start, "", (ReportedClass(start, 0.5, -1.5),), (MapLine("saliency", start),))
    (told,) = csv.DictReader(io.StringIO(csv_table([row], ["saliency"]).decode("utf-8-sig"), newline=""))
    for column in ("file", "problem", "class", "saliency_target"):
        assert told[column] == f"'{start}"
    assert told["logit"] == "-1.5"  # a number stays one


def test_a_table_keeps_commas_quotes_and_line_ends_in_their_cells() -> None:
    name = 'a,"b"\nc;d'
    (told,) = csv.DictReader(io.StringIO(csv_table([ManyRow(name)], []).decode("utf-8-sig"), newline=""))
    assert told["file"] == name


def test_files_in_the_zip_have_plain_names() -> None:
    assert report_name(7, "My Cat.JPG") == "07-my-cat.html"
    assert report_name(12, "../../etc/passwd.png") == "12-etc-passwd.html"
    assert report_name(3, "CON") == "03-con.html" and report_name(1, "猫.png") == "01-picture.html"
    assert len(report_name(1, "x" * 500)) < 60
    hostile = BatchPicture('"><img src=x onerror=alert(1)>.png', DRAWN[0])
    found = many(NO_CONTEXT, "drawn_plain", "trained", (hostile,), ("saliency",))
    contents = zipfile.ZipFile(io.BytesIO(found.archive)).read("index.html").decode()
    assert "<img src=x" not in contents and "&lt;img src=x" in contents
