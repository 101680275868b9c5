"""What stands behind the training page: curves read bit by bit, averages, links, shades, pictures, cards, times."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from explorer.interface.components.confusion_table import cell_of, shades
from explorer.interface.figures import training_charts
from explorer.interface.figures.training_charts import Series
from explorer.interface.theme import DARK, LIGHT
from explorer.interface.training import (
    augmenting,
    card,
    comparing,
    elsewhere,
    examples,
    items,
    mistakes,
    own_data,
    settings_link,
    take_along,
    timing,
    words,
)
from explorer.interface.training.knobs import factors
from explorer.interface.training.learning import moments_at, series_of
from explorer.interface.training.reading import RunCurves, curves_of, outcome_of, smoothed
from explorer.interface.training.take_along import curves_csv
from explorer.pictures.sources import resolve
from explorer.runs.data import augmentation_knobs
from explorer.runs.data.augmentation_knobs import GENTLE
from explorer.runs.data.overview import overview
from explorer.runs.folder import METRICS
from explorer.runs.lessons import lessons
from explorer.runs.outcome import Line, Lines, Number, Numbers, Pictures, Shown, Table
from explorer.runs.record import Run, new_config
from tests.pages.made_runs import CLASSES, EXAMPLE, VARIANTS, made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp("runs"), "a" * 32)


def written(folder: Path, *rows: dict) -> None:
    with open(folder / METRICS, "a") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


# --- tables and charts of an outcome ---


def test_seconds_have_one_digit_and_what_is_below_zero_a_minus():
    table = Table(title="", columns=("network", "error", "seconds"), rows=(("a", -0.5, 57.4),), digits=4)
    assert [words.table_text(table, 0, column) for column in range(3)] == ["a", "−0.5000", "57.4"]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_ten_classes_look_different_with_fewer_colours(colours):
    points = tuple(Line(name=f"{n}", x=(0.0, 1.0), y=(float(n), None), points=True) for n in range(10))
    figure = training_charts.outcome_lines(Lines(title="", lines=points), colours)
    assert len({(each.marker.symbol, each.line.color) for each in figure.data}) == 10


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_what_filters_make_of_a_recording_looks_unlike_the_recording(colours):
    left, right = (Line(name=side, x=(0.0, 1.0), y=(0.0, 1.0), role="input") for side in ("left", "right"))
    filters = tuple(Line(name=f"filter {n}", x=(0.0, 1.0), y=(0.0, 1.0)) for n in range(6))
    figure = training_charts.outcome_lines(Lines(title="", lines=(left, right, *filters)), colours)
    assert {each.line.color for each in figure.data[:2]} == {colours.input}
    assert colours.input not in {each.line.color for each in figure.data[2:]}
    assert len({(each.line.color, each.line.dash) for each in figure.data}) == 8


def test_the_number_of_a_run_is_not_that_of_what_it_is_measured_against():
    rows = (
        Number(label="bicubic", value=21.93, unit="dB", baseline=True),
        Number(label="residual", value=22.2, unit="dB"),
    )
    assert words.main_number([Numbers(rows=rows)], {}) == "residual 22.20\u00a0dB"
    assert words.main_number([Numbers(rows=rows[:1])], {}) == "bicubic 21.93\u00a0dB"


def test_classes_are_kept_apart_by_their_letters_and_not_by_case_or_folders():
    shelf = {"Mug": [], "a-b": []}
    assert own_data.class_name("mug", shelf) == own_data.class_name(" MUG ", shelf) == "Mug"
    assert own_data.class_name("a/b", shelf) == own_data.class_name("a\\b", shelf) == "a-b"
    assert own_data.class_name("🐱", shelf) == "🐱" and own_data.class_name("<b>x", shelf) == "<b>x"
    assert [own_data.class_name(nothing, shelf) for nothing in ("", " ", "///", "..", "-", "\u202e")] == [""] * 6
    assert len(own_data.class_name("x" * 300, shelf)) == own_data.LONGEST_CLASS


def test_a_wide_sheet_has_the_page_for_itself(tmp_path):
    def of(name, size):
        Image.new("RGB", size).save(tmp_path / name)
        return Pictures(title="", pictures=(Shown(file=name),))

    assert items.is_narrow(of("small.png", (300, 300)), tmp_path)
    assert not items.is_narrow(of("wide.png", (985, 354)), tmp_path)


# --- curves ---


def test_curves_are_read_on_from_where_the_last_look_ended(tmp_path):
    written(tmp_path, {"epoch": 1, "step": 1, "loss": 2.0}, {"epoch": 1, "step": 2, "loss": 1.0})
    curves = RunCurves()
    curves.read_on(tmp_path)
    before = curves.offset
    with open(tmp_path / METRICS, "a") as stream:
        stream.write('{"epoch": 2, "st')
    curves.read_on(tmp_path)
    assert curves.offset == before
    with open(tmp_path / METRICS, "a") as stream:
        stream.write('ep": 1, "loss": 0.5}\n')
    curves.read_on(tmp_path)
    line = curves.curve("", "loss", within=True)
    assert line is not None
    assert line.x.tolist() == [0.5, 1.0, 1.5]
    assert line.y.tolist() == [2.0, 1.0, 0.5]


def test_an_epoch_ends_where_its_number_stands(run):
    curves = curves_of(run.folder)
    whole = curves.curve("frozen", "val_loss", within=False)
    within = curves.curve("frozen", "loss", within=True)
    assert whole.x.tolist() == [1, 2, 3, 4, 5, 6]
    assert within.x[11] == pytest.approx(1.0) and within.x[-1] == pytest.approx(6.0)
    assert curves.variants() == list(VARIANTS)
    assert curves.metrics() == ["accuracy"]


def test_a_run_of_many_rows_keeps_few_points_and_their_mean(tmp_path):
    written(tmp_path, *({"epoch": 1 + n // 1000, "step": 1 + n % 1000, "loss": float(n % 7)} for n in range(30_000)))
    curves = RunCurves()
    curves.read_on(tmp_path)
    assert len(curves.raw["", "loss", True].values) <= 6001
    line = curves.curve("", "loss", within=True)
    assert len(line.x) <= 320 and np.all(np.diff(line.x) > 0)
    assert line.y.mean() == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize(
    "row",
    [
        {"epoch": "1", "loss": 1.0},
        {"epoch": 1, "loss": None},
        {"epoch": 1, "loss": "inf", "variant": ["x"]},
        {"epoch": float("nan"), "loss": 1.0},
        {"loss": 1.0},
        {"epoch": True, "loss": True},
    ],
)
def test_rows_that_make_no_sense_draw_nothing(tmp_path, row):
    written(tmp_path, row)
    curves = RunCurves()
    curves.read_on(tmp_path)
    assert curves.raw == {}


def test_two_lookers_share_what_was_read_and_a_new_folder_of_the_same_name_begins_afresh(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    written(folder, {"epoch": 1, "loss": 1.0})
    assert curves_of(folder) is curves_of(folder)
    (folder / METRICS).unlink()
    folder.rename(tmp_path / "gone")
    folder.mkdir()
    assert curves_of(folder).raw == {}


@pytest.mark.parametrize("decay", [0.0, 0.6, 0.9])
def test_smoothing_is_the_adjusted_exponential_average_of_pandas(decay):
    values = np.random.default_rng(0).normal(size=40)
    expected = pd.Series(values).ewm(alpha=1 - decay, adjust=True).mean().to_numpy()
    assert smoothed(values, decay) == pytest.approx(expected)


def test_going_back_in_time_shows_the_last_moment_before(run):
    moments = curves_of(run.folder).moments
    shown = moments_at(moments, 4)
    assert [(moment.variant, moment.epoch) for moment in shown] == [(variant, 4) for variant in VARIANTS]
    assert moments_at(moments, 0) == []


def test_what_a_run_found_out_is_read_again_only_when_it_changes(run):
    assert outcome_of(run.folder) is outcome_of(run.folder)
    assert outcome_of(run.folder / "nothing") == ()


# --- links ---


def test_every_setting_of_every_lesson_survives_a_link():
    for lesson in lessons():
        for preset in lesson.presets:
            changes = {name: lesson.knob(name).checked(value) for name, value in preset.settings.items()}
            text = settings_link.text_of(lesson.knobs, changes)
            assert settings_link.changes_of(lesson.knobs, text) == (changes, []), (lesson.name, preset.name)


@pytest.mark.parametrize("text", ["", ";;;", ":", "epochs", "epochs:", "nothing:1", "a:b:c;d", "~", "~!!", "%00:%ff"])
def test_nonsense_changes_no_setting(text):
    changes, _ = settings_link.changes_of(EXAMPLE.knobs, text)
    assert changes == {}


def test_steps_of_a_logarithmic_slider_hold_limits_and_value():
    assert factors(1e-3, 1.0, False, 3e-3) == [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    assert factors(8, 100, True, 48) == [8, 16, 32, 48, 64, 100]


# --- colours ---


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_numbers_of_a_table_of_confusions_can_be_read_on_every_shade(colours):
    for count, right in itertools.product(range(1, 101, 3), (True, False)):
        background, text = shades(count, 100, right, colours)
        light, dark = sorted((luminance(background), luminance(text)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.3, (count, right, background, text)


def test_a_cell_is_named_by_two_numbers_within_the_table():
    assert cell_of("2-0", 3) == (2, 0)
    assert [cell_of(text, 3) for text in ("3-0", "0-3", "-1-0", "a", "", "1-2-1")] == [None] * 6


# --- charts ---


def test_a_chart_of_learning_says_its_last_values(run):
    series = series_of(curves_of(run.folder), "loss", EXAMPLE, smooth=True)
    assert [one.name for one in series] == list(VARIANTS.values())
    figure = training_charts.learning(series, LIGHT, title="loss", logarithmic=True, epochs=6, at=3.0)
    assert figure.layout.yaxis.type == "log"
    said = training_charts.learning_words(series, "loss")
    assert said.startswith("loss over the epochs, the latest values: Frozen base: training")
    assert f"validation {series[0].validation[1][-1]:.4g}" in said


def test_bars_and_curves_of_an_outcome_say_what_they_show():
    chart = Lines(title="Seconds", bars=("a", "b"), lines=(Line(name="s", x=(0, 1), y=(1.5, None)),))
    assert training_charts.outcome_lines_words(chart) == "Seconds: s: a 1.5"
    assert len(training_charts.outcome_lines(chart, DARK).data) == 1
    many = Lines(title="T", lines=(Line(name="n", x=(1, 10), y=(2.0, 4.0)),), logarithmic_x=True)
    assert training_charts.outcome_lines_words(many) == "T: n from 2 to 4"
    assert list(training_charts.outcome_lines(many, LIGHT).layout.xaxis.tickvals) == [1, 10]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.4933, 0.43, None, 1.0), ["0.493", "0.430", "", "1.000"]),
        ((0.4933, 0.43), ["0.493", "0.430"]),
        ((31.25, -4.0), ["31.2", "−4.0"]),
        ((251_210, 36_314), ["251210", "36314"]),
        ((1e-9, 5.0), ["0", "5"]),
    ],
)
def test_the_numbers_on_bars_have_the_same_decimals(values, texts):
    assert training_charts.bar_texts(values) == texts


@pytest.mark.parametrize("epochs", [1, 2, 10])
def test_few_epochs_are_counted_one_by_one(run, epochs):
    line = Line(name="a", x=tuple(map(float, range(1, epochs + 1))), y=(0.5,) * epochs)
    found = training_charts.outcome_lines(Lines(title="T", x_title="epoch", lines=(line,)), LIGHT)
    assert found.layout.xaxis.dtick == 1
    learnt = training_charts.learning(
        series_of(curves_of(run.folder), "loss", EXAMPLE, smooth=False), LIGHT, title="loss", epochs=epochs
    )
    assert learnt.layout.xaxis.dtick == 1


def test_a_chart_without_points_is_drawn_empty():
    assert training_charts.learning([], LIGHT, title="loss").layout.height
    assert "none yet" in training_charts.learning_words([Series("x", 0)], "loss")


# --- mistakes ---


def test_the_worst_mistakes_are_the_surest_wrong_answers(run):
    there = mistakes.read_judged(run.folder, "tuned")
    worst = there.worst()
    answers = there.chances.argmax(axis=1)
    assert set(worst) == set(np.flatnonzero(answers != there.truth))
    sure = there.chances[worst, answers[worst]]
    assert np.all(np.diff(sure) <= 0)


def test_a_cell_holds_as_many_pictures_as_its_table_says(run):
    for table in mistakes.confusions(outcome_of(run.folder)):
        there = mistakes.read_judged(run.folder, table.variant)
        for truth, answer in itertools.product(range(len(CLASSES)), repeat=2):
            assert len(there.in_cell(truth, answer)) == table.matrix[truth][answer]


def test_files_that_do_not_belong_together_show_nothing(run, tmp_path):
    for name in ("validation.npz", "predictions-frozen.npz"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    assert mistakes.read_judged(tmp_path, "frozen") is not None
    np.savez(tmp_path / "predictions-frozen.npz", probabilities=np.zeros((3, 9)))
    assert mistakes.read_judged(tmp_path, "frozen") is None
    assert mistakes.read_judged(tmp_path, "../../etc") is None


@pytest.mark.parametrize("name", ["drawn:cat:3", "scene:5", "my cat.jpg", "upload:" + "0" * 64, "drawn:nothing:1"])
def test_a_picture_of_a_run_travels_by_its_name_or_is_held_as_an_upload(monkeypatch, name):
    held, chosen = [], []
    monkeypatch.setattr(elsewhere, "hold", held.append)
    monkeypatch.setattr(elsewhere, "choose", lambda slot, source, name="": chosen.append(source))
    elsewhere.take_picture(name, resolve("drawn:cat:3").pixels[::2, ::2])
    if name in ("drawn:cat:3", "scene:5"):
        assert (chosen, held) == ([name], [])
    else:
        assert held[0].source == chosen[0] and chosen[0].startswith("upload:")


# --- data ---


def test_examples_and_counts_of_every_class_stand_in_the_table():
    found = overview({"source": "drawn", "per_class": 7, "validation": 5}, seed=0, n=3)
    text = examples.table_html(found)
    assert text.count("<img") == len(found.training)
    assert "7 + 5" in text and "28 pictures to learn from" in text


def test_names_of_classes_are_shown_letter_by_letter():
    found = overview({"source": "digits"}, seed=0, n=2)
    evil = {"<script>alert(1)</script>": 3}
    text = examples.table_html(type(found)(found.examples, evil, evil))
    assert "<script" not in text


def test_a_strip_shows_each_picture_with_its_own_pixels():
    pixels = np.arange(2 * 8 * 8, dtype=np.uint8).reshape(2, 8, 8, 1)
    image = np.asarray(Image.open(io.BytesIO(examples.strip_bytes(pixels))).convert("RGBA"))
    assert image.shape[0] == 128
    assert (image[..., 3] == 0).any(axis=0).sum() == 6  # the gap between them, twice as wide as on the page


def test_augmentation_leaves_the_picture_itself_on_the_left():
    found = overview({"source": "drawn", "per_class": 3}, seed=0, n=2)
    rows = augmenting._versions(found, dict(GENTLE), 0)
    assert len(rows) == augmenting.SHOWN
    for _, pixels in rows:
        assert len(pixels) == 1 + augmenting.VERSIONS
        assert any((found.examples.pixels == pixels[0]).all(axis=(1, 2, 3)))
        assert not any((pixels[0] == other).all() for other in pixels[1:])
    untouched = augmenting._versions(found, {}, 0)
    assert all((other == pixels[0]).all() for _, pixels in untouched for other in pixels[1:])


# --- words, cards, comparisons, times ---


def test_the_card_holds_everything_and_no_heading_of_a_visitors_making(run):
    text = card.card(run, EXAMPLE, outcome_of(run.folder), curves_of(run.folder), [])
    for part in (
        "**It holds in this run.**",
        "| Epochs | 6 |",
        "| Seed | 0 |",
        "0.892",
        "| cat | 4 | 2 | 0 | 0 |",
        run.id,
    ):
        assert part in text
    evil = run.config.model_copy(update={"title": "x\n# Owned | y <b>", "settings": {"words": "a\n| b |"}})
    text = card.card(Run(run.folder, evil, run.status, run.stored), EXAMPLE, (), RunCurves(), [])
    assert "\n# Owned" not in text and "<b>" not in text
    assert len([line for line in text.splitlines() if line.startswith("| Words")]) == 1


def test_settings_that_do_nothing_are_not_told(tmp_path):
    lesson = next(each for each in lessons() if each.name == "blocks")
    run = made(tmp_path, "a" * 32, lesson="blocks", settings=lesson.settings({"blocks": ("plain", "separable")}))
    rows = dict(card.settings_rows(run, lesson))
    assert rows["Blocks"] == "Plain; Separable, residual"
    assert rows["Augmentation"] == "none" and "Rotation" not in rows and "My own stack" not in rows
    turned = made(tmp_path, "a" * 32, lesson="blocks", settings=lesson.settings({"augment_rotation": 15.0}))
    rows = dict(card.settings_rows(turned, lesson))
    assert rows["Rotation"] == "15" and "Augmentation" not in rows


def test_curves_as_csv_have_every_report(run):
    table = pd.read_csv(io.BytesIO(curves_csv(run.folder)))
    assert len(table) == len((run.folder / METRICS).read_text().splitlines())
    assert {"epoch", "step", "variant", "loss", "val_accuracy"} <= set(table.columns)


def test_only_what_differs_is_lit_and_stands_on_top(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "lessons", lambda: (EXAMPLE,))
    one = made(tmp_path, "a", epochs=1)
    two = made(tmp_path, "a", epochs=2, seed=1, data={"per_class": 50})
    table = comparing.differences([one, two], comparing.short_names([one, two]))
    assert [row[0] for row in table.rows[:2]] == ["Epochs", "Seed"]
    assert table.lit == ((0, 1), (0, 2), (1, 1), (1, 2))
    assert table.columns == ("Setting", "Example (1)", "Example (2)")
    same = comparing.differences([one, one], ["a", "b"])
    assert same.lit == () and "chance" in same.note


def test_estimates_are_corrected_by_what_runs_took_here(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "lessons", lambda: (EXAMPLE,))
    assert timing.pace([]).of(EXAMPLE) == 1.0
    # The lesson's own estimate is 2 s an epoch and 5 s for 50 pictures per class: 17 s, and it took 34.
    runs = [made(tmp_path, "a", seconds=33.5) for _ in range(2)]
    pace = timing.pace(runs)
    assert pace.of(EXAMPLE) == pytest.approx(2.0, abs=0.01)
    assert timing.preset_seconds(EXAMPLE, EXAMPLE.presets[0], pace) > 0
    assert timing.estimate(EXAMPLE, {"epochs": 99}, {}) is None


# --- the ends of every setting ---


def ends():
    """Every lesson with each of its settings at either end, or with one of its options alone."""
    for lesson in lessons():
        for knob in lesson.knobs:
            if knob.kind == "switch":
                values = [True, False]
            elif knob.kind == "choice":
                values = list(knob.options)
            elif knob.kind == "choices":
                values = [tuple(knob.options), *((option,) for option in knob.options)]
            else:
                values = [value for value in (knob.low, knob.high) if value is not None]
            for value in values:
                yield lesson, knob, knob.checked(value)


def test_at_either_end_of_every_setting_there_is_an_estimate_a_link_and_a_script():
    for lesson, knob, value in ends():
        data = {"source": lesson.data[0], **lesson.presets[0].data} if lesson.data else {}
        settings = lesson.settings({**lesson.presets[0].settings, knob.name: value})
        assert timing.estimate(lesson, settings, data) is not None, (lesson.name, knob.name, value)
        changes = settings_link.changes_of(lesson.knobs, settings_link.text_of(lesson.knobs, {knob.name: value}))
        assert changes == ({knob.name: value}, [])
        same_twice = lesson.name == "shortcut" and settings["at_sea"] == settings["on_meadow"]
        config = new_config(task=lesson.name, owner="nobody", versions={}, data=data, settings=settings)
        assert (take_along.script_of(lesson, config) is None) == same_twice, (lesson.name, knob.name, value)


def test_augmentation_is_shown_at_either_end_of_each_of_its_settings():
    found = overview({"source": "drawn", "classes": ("cat", "fish"), "side": 32}, seed=0, n=2)
    for knob in augmentation_knobs.KNOBS:
        for value in [knob.low, knob.high] if knob.kind == "number" else knob.options:
            settings = {**augmentation_knobs.NEUTRAL, knob.name: knob.checked(value)}
            assert augmenting.versions_html(found, settings, 0).count("<img") == augmenting.SHOWN
