"""The training page as a script: every state of a run, who sees what, what links say, what nonsense does."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.interface import runs_service as service
from explorer.interface import work
from explorer.interface.components import camera_state
from explorer.interface.figures import training_charts
from explorer.interface.theme import LIGHT
from explorer.interface.training import about, card, learning, live, own_data, settings_link, try_it
from explorer.interface.training.reading import curves_of, outcome_of
from explorer.networks.work_context import SentenceError
from explorer.runs import outcome, tasks
from explorer.runs.applied import Applicable
from explorer.runs.data import own
from explorer.runs.folder import LOCK, read_status, read_wishes
from explorer.runs.lessons.lesson import Lesson
from explorer.runs.lessons.shortcut import LESSON
from explorer.runs.lock import hold
from explorer.runs.record import Run
from explorer.settings import Settings
from tests.pages.made_runs import EXAMPLE, SENTENCE, VARIANTS, made, skill

PAGE = Path(__file__).parents[2] / "pages" / "training.py"
ANNA, BEN = "a" * 32, "b" * 32


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def use(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set who asks, and the settings of the web process."""

    def set_to(visitor: str = ANNA, lesson: Lesson = EXAMPLE, **fields: Any) -> None:
        for name in ("page_state", "words", "timing", "lesson_cards"):
            monkeypatch.setattr(_module(name), "lessons", lambda: (lesson,))
        settings = Settings(**{"runs_folder": root, **fields})
        monkeypatch.setattr(service, "get_settings", lambda: settings)
        for name in ("asking", "runs_table", "own_data", "data_panel"):
            monkeypatch.setattr(_module(name), "visitor_id", lambda: visitor)

    monkeypatch.setitem(tasks._registered, "example", "nobody:trains")
    set_to()
    return set_to


def _module(name: str) -> Any:
    import importlib

    return importlib.import_module(f"explorer.interface.training.{name}")


@pytest.fixture
def held() -> Iterator[Callable[[Run], None]]:
    """Hold the lock of runs, as whoever runs them does."""
    with ExitStack() as stack:
        yield lambda run: stack.enter_context(hold(run.folder / LOCK))


@pytest.fixture
def open_page(use: Callable[..., None]) -> Callable[..., AppTest]:
    def opened(**link: Any) -> AppTest:
        app = AppTest.from_file(str(PAGE), default_timeout=60)
        for name, value in link.items():
            app.query_params[name if name in ("hide", service.LINK_PARAMETER) else f"training_{name}"] = str(value)
        app.run()
        assert not app.exception
        return app

    return opened


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.subheader]
    return " ".join(str(element.value) for element in parts).replace("\\", "")


def in_link(app: AppTest, name: str) -> str:
    found = app.query_params.get(f"training_{name}", "")
    return found if isinstance(found, str) else found[0]


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def test_a_first_visit_shows_a_lesson_that_one_press_starts(open_page, root):
    app = open_page()
    assert SENTENCE in said(app)
    assert "My runs" not in said(app)
    press(app, "training_start")
    (run,) = service.visible(ANNA).runs
    assert (run.config.task, run.config.owner, run.config.title) == ("example", ANNA, "Example")
    assert run.config.settings == EXAMPLE.settings({}) | {"compare": ["frozen", "tuned", "scratch"]}
    assert run.config.data["source"] == "drawn"
    assert in_link(app, "run") == run.id
    assert "training_stop" in keys(app)


def test_a_run_that_waits_has_not_started(open_page):
    app = press(open_page(), "training_start")
    cells = [str(element.value) for element in app.markdown if ":small[" in str(element.value)]
    assert [cell.partition("] ")[2] for cell in cells if "Started" in cell] == ["–"]


def test_the_link_holds_preset_data_and_settings_and_the_run_gets_them(open_page):
    app = open_page(
        preset="long", settings="epochs:12;compare:frozen+scratch;optimizer:sgd;momentum:0.5", source="digits", seed=7
    )
    press(app, "training_start")
    (run,) = service.visible(ANNA).runs
    config = run.config
    assert (config.settings["epochs"], config.settings["compare"]) == (12, ["frozen", "scratch"])
    assert (config.settings["optimizer"], config.settings["momentum"], config.seed) == ("sgd", 0.5, 7)
    assert config.data["source"] == "digits"


def test_a_knob_that_depends_on_another_is_there_only_with_it(open_page):
    def labels(app: AppTest) -> set[str]:
        return {slider.label for slider in app.slider}

    assert "Momentum" not in labels(open_page())
    assert "Momentum" in labels(open_page(settings="optimizer:sgd"))


def test_what_is_changed_by_hand_stands_in_the_link_and_nothing_else(open_page):
    app = open_page()
    app.slider(key="training_example_epochs_shown").set_value(9).run()
    assert in_link(app, "settings") == "epochs:9"
    app.slider(key="training_example_epochs_shown").set_value(6).run()
    assert in_link(app, "settings") == ""


@pytest.mark.parametrize(
    "link",
    [
        {"lesson": "no such lesson", "preset": "??", "settings": "epochs:1e99", "source": "../../etc"},
        {"settings": "~AAAA", "data": "~%%%", "seed": "-4", "network": "run-x"},
        {"settings": "epochs:nan;compare:;optimizer:adam+sgd;words:" + "x" * 9000},
        {"run": "../../../etc/passwd"},
        {"run": "20260101-000000-000000", "panel": "nothing", "cell": "9-9", "compared": ",,x,"},
        {"compared": "20260101-000000-000000", "smooth": "perhaps", "log": "2"},
    ],
)
def test_nonsense_in_a_link_does_no_harm(open_page, link):
    app = open_page(**link)
    assert app.title[0].value == "Training"
    assert "training_start" in keys(app)


def test_a_setting_that_cannot_be_is_named(open_page):
    assert "Epochs: a whole number from 1 to 40" in said(open_page(settings="epochs:900"))


def test_long_settings_are_compressed_and_come_back():
    changes = {"words": "a word and " * 60, "epochs": 12, "compare": ("frozen", "scratch"), "augment": True}
    text = settings_link.text_of(EXAMPLE.knobs, changes)
    assert len(text) < 200 < len(changes["words"])
    assert settings_link.changes_of(EXAMPLE.knobs, text) == (changes, [])


def test_a_text_that_would_unpack_to_gigabytes_is_cut():
    import base64
    import zlib

    bomb = "~" + base64.urlsafe_b64encode(zlib.compress(b"words:" + b"x" * 50_000_000, 9)).decode()
    changes, refused = settings_link.changes_of(EXAMPLE.knobs, bomb)
    assert changes == {} and len(refused) == 1


def test_a_link_hides_controls_and_keeps_their_values(open_page):
    app = open_page(settings="epochs:3", hide="epochs,learning_rate")
    press(app, "training_start")
    assert service.visible(ANNA).runs[0].config.settings["epochs"] == 3


@pytest.mark.parametrize("state", ["done", "failed", "stopped", "interrupted"])
def test_every_end_of_a_run_is_told(open_page, root, state):
    run = made(root, ANNA, state)
    app = open_page(run=run.id)
    text = said(app)
    assert {"training_run_again", "training_run_edit", "training_run_delete"} <= keys(app)
    expected = {
        "done": SENTENCE.rstrip("."),
        "failed": "The pictures have no classes",
        "stopped": "stopped",
        "interrupted": "ended without a word",
    }
    assert expected[state] in text
    if state == "failed":
        assert "ValueError: no pictures" in " ".join(block.value for block in app.code)


def test_a_run_that_failed_before_it_learned_anything_shows_its_log_once(open_page, root):
    run = made(root, ANNA, "failed")
    for name in ("metrics.jsonl", "moments.jsonl"):
        (run.folder / name).unlink()
    app = open_page(run=run.id, panel="about")
    assert [block.value for block in app.code if "ValueError" in block.value] == [about.last_lines(run)]


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_a_run_that_came_to_no_good_end_is_begun_again_with_its_seed(open_page, root, state):
    run = made(root, ANNA, state, seed=7)
    app = open_page(run=run.id)
    assert {"failed": "Edit a copy", "interrupted": "Run again"}[state] in said(app)
    press(app, "training_run_again")
    (repeated,) = (each for each in service.visible(ANNA).runs if each.id != run.id)
    assert (repeated.state, repeated.config.seed, repeated.config.settings) == ("queued", 7, run.config.settings)
    assert repeated.config.again_of == run.id and in_link(app, "run") == repeated.id


@pytest.mark.parametrize("panel", ["result", "learned", "mistakes", "about"])
def test_every_panel_of_a_run_opens(open_page, root, panel):
    app = open_page(run=made(root, ANNA).id, panel=panel)
    assert in_link(app, "panel") == ("" if panel == "result" else panel)


@pytest.mark.parametrize(("holds", "word"), [(True, "holds"), (False, "does not hold"), (None, "cannot tell")])
def test_the_runs_own_numbers_decide_and_the_page_says_how(open_page, root, holds, word):
    assert word in said(open_page(run=made(root, ANNA, holds=holds).id))


def test_a_name_given_in_another_tab_is_a_reason_to_draw_the_page_anew(use, root):
    run = made(root, ANNA, "queued")
    before = live._shape(run, curves_of(run.folder))
    assert live._shape(service.find(ANNA, run.id), curves_of(run.folder)) == before
    service.rename(ANNA, run.id, "Renamed in another tab")
    assert live._shape(service.find(ANNA, run.id), curves_of(run.folder)) != before


def test_a_running_run_says_how_far_it_is_and_is_stopped(open_page, root, held):
    run = made(root, ANNA, "running")
    held(run)
    app = open_page(run=run.id)
    (bar,) = app.get("progress")
    assert "epoch 3 of 6 · step 7 of 12 · 812 pictures/s" in bar.proto.text
    assert "Fine" in bar.proto.text
    press(app, "training_stop")
    assert (run.folder / "stop").exists()
    assert app.button(key="training_stop").disabled


def test_the_learning_rate_is_changed_while_it_learns(open_page, root, held):
    run = made(root, ANNA, "running", settings={"learning_rate": 1e-3})
    held(run)
    app = open_page(run=run.id)
    app.select_slider(key=f"training_rate_{run.id}").set_value(0.0001).run()
    assert not app.exception
    assert read_wishes(run.folder) == {"learning_rate": 0.0001}


def test_a_waiting_run_knows_its_place_and_can_leave_the_line(open_page, root):
    made(root, BEN, "queued", age=9)
    run = made(root, ANNA, "queued", age=5)
    app = open_page(run=run.id)
    (bar,) = app.get("progress")
    assert "Place 2 in line" in bar.proto.text
    assert BEN not in said(app)
    press(app, "training_stop")
    assert read_status(run.folder).state == "stopped"
    assert "before it began" in said(app)


def test_somebody_elses_run_is_not_there(open_page, root):
    run = made(root, BEN, title="Secret photos")
    app = open_page(run=run.id, compared=run.id)
    assert "There is no such run" in said(app)
    assert "Secret" not in said(app) and "My runs" not in said(app)


def test_who_has_the_link_looks_and_does_nothing(open_page, root, held):
    run = made(root, BEN, "running", settings={"learning_rate": 1e-3})
    held(run)
    app = open_page(run=run.id, run_key=run.config.link_key)
    assert "shared with you" in " ".join(str(badge.value) for badge in app.markdown)
    assert "training_stop" not in keys(app)
    assert not [slider for slider in app.select_slider if "rate" in str(slider.key)]
    done = made(root, BEN)
    app = open_page(run=done.id, run_key=done.config.link_key)
    assert SENTENCE.rstrip(".") in said(app)
    assert "training_run_delete" not in keys(app)
    press(app, "training_run_again")
    (mine,) = [each for each in service.visible(ANNA).runs if each.owner == ANNA]
    assert mine.config.again_of == done.id


def test_an_installation_that_shows_all_shows_whose_they_are_in_a_few_letters(open_page, use, root):
    made(root, BEN, title="Of another")
    use(ANNA, runs_show_all=True)
    app = open_page()
    labels = " ".join(box.label for box in app.checkbox)
    assert f"Of another · of {BEN[:6]}" in labels and BEN not in labels


def test_two_runs_are_compared_and_only_what_differs_is_lit(open_page, root):
    one = made(root, ANNA, title="Six")
    two = made(root, ANNA, title="Twelve", epochs=12, seed=3)
    app = open_page()
    for run in (one, two):
        app.checkbox(key=f"training_tick_{run.id}").check().run()
    assert in_link(app, "compared") == f"{one.id},{two.id}"
    table = next(element.proto.body for element in app.get("html") if "Epochs" in element.proto.body)
    lit = [row for row in table.split("<tr>") if "lit" in row]
    assert [row.split(">")[1].split("<")[0] for row in lit] == ["Epochs", "Seed"]


def test_the_same_run_once_more_has_the_same_seed(open_page, root):
    run = made(root, ANNA, seed=11, settings={"optimizer": "sgd"})
    app = press(open_page(run=run.id), "training_run_again")
    again = next(each for each in service.visible(ANNA).runs if each.id != run.id)
    assert (again.config.seed, again.config.settings, again.config.again_of) == (11, run.config.settings, run.id)
    assert in_link(app, "run") == again.id


@pytest.mark.slow
def test_a_copy_is_edited_in_the_set_up(open_page, root):
    run = made(root, ANNA, seed=11, epochs=9, settings={"optimizer": "sgd"}, data={"per_class": 20})
    app = press(open_page(run=run.id), "training_run_edit")
    assert in_link(app, "settings") == "epochs:9;optimizer:sgd"
    assert in_link(app, "data") == "per_class:20"
    app = press(app, "training_start")
    copy = next(each for each in service.visible(ANNA).runs if each.id != run.id)
    assert copy.config.settings["epochs"] == 9 and copy.config.seed == 11
    assert copy.config.data["per_class"] == 20


def test_an_own_run_is_renamed_and_only_an_own_one(open_page, root):
    run = made(root, ANNA, title="Example")
    app = open_page(run=run.id)
    app.text_input(key=f"training_rename_{run.id}").set_value("Twice the *rate*").run()
    assert "**Twice the *rate***" in said(app)
    assert "Twice the *rate*" in " ".join(box.label for box in app.checkbox).replace("\\", "")
    assert service.find(ANNA, run.id).config.title == "Twice the *rate*"
    with pytest.raises(SentenceError):
        service.rename(BEN, run.id, "Mine")
    shared = made(root, BEN)
    app = open_page(run=shared.id, run_key=shared.config.link_key)
    assert not [field for field in app.text_input if "rename" in str(field.key)]


def test_a_setting_of_the_data_that_the_lesson_decides_is_not_asked_for_and_what_is_shown_is_what_is_learned_from(
    open_page, use
):
    def loads(data, settings):
        return {**data, "per_class": settings["epochs"]}

    use(lesson=replace(EXAMPLE, settled={"drawn": ("per_class",)}, loads=loads))
    app = open_page(settings="epochs:7")
    assert not [field for field in app.number_input if "per_class" in str(field.key)]
    table = next(element.proto.body for element in app.get("html") if "to learn from" in element.proto.body)
    classes = table.count('class="name"')
    assert f"{7 * classes} pictures to learn from" in table
    press(app, "training_start")
    assert ">Pictures per class<" not in " ".join(element.proto.body for element in app.get("html"))


def test_a_lesson_that_draws_its_own_pictures_shows_them_and_starts_only_if_there_are_some(open_page, use):
    use(lesson=LESSON)
    app = open_page()
    table = next(element.proto.body for element in app.get("html") if "to learn from" in element.proto.body)
    assert "800 pictures to learn from" in table and "Examples of mushroom" in table
    assert "Augmentation: flip, saturation, hue" in [box.label for box in app.expander]
    app = open_page(settings="on_meadow:boat")
    assert "choose two different classes" in said(app)
    assert app.button(key="training_start").disabled


def test_nothing_is_deleted_without_a_question(open_page, root):
    run = made(root, ANNA)
    app = press(open_page(run=run.id), "training_run_delete")
    assert run.folder.exists()
    press(app, "training_delete_sure")
    assert not run.folder.exists()
    assert service.visible(ANNA).runs == ()


def test_a_broken_folder_is_said_and_can_be_deleted(open_page, root):
    run = made(root, ANNA)
    (run.folder / "status.json").write_text("{")
    app = open_page()
    assert "cannot be read" in said(app)
    press(press(app, f"training_delete_{run.id}"), "training_delete_sure")
    assert not run.folder.exists()


def own_set(root, owner, classes=("mug", "cup"), each=3):
    files = [
        (f"{name}/{number}.png", png(40 * number + place))
        for place, name in enumerate(classes)
        for number in range(each)
    ]
    return own.create(root, files, owner=owner, title="My mugs")


def png(shade: int) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 120)).save(target, "PNG")
    return target.getvalue()


def test_own_pictures_are_shown_and_go_into_the_run(open_page, use, root):
    about_set = own_set(root, ANNA)
    use(lesson=replace(EXAMPLE, data=("drawn", "own")))
    app = open_page(source="own")
    assert in_link(app, "data") == f"id:{about_set.id}"
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "mug" in shown and "cup" in shown
    press(app, "training_start")
    assert service.visible(ANNA).runs[0].config.data["id"] == about_set.id


def test_nobody_learns_from_somebody_elses_pictures(open_page, use, root):
    theirs = own_set(root, BEN)
    use(lesson=replace(EXAMPLE, data=("drawn", "own")))
    app = open_page(source="own", data=f"id:{theirs.id}")
    assert own.NO_SUCH_SET in said(app)
    assert app.button(key="training_start").disabled
    assert "My mugs" not in said(app)


@pytest.mark.parametrize(
    ("lesson_data", "classes", "sentence"),
    [
        (("drawn", "own"), ("mug",), own.ONE_CLASS),
        (("drawn_scenes", "drawn", "own"), ("mug", "cup"), own.NO_MASKS),
        (("drawn_digits", "drawn_clean", "own"), ("mug",), ""),
    ],
    ids=["one class", "no masks", "a lesson without classes"],
)
def test_a_run_starts_only_with_own_pictures_that_its_lesson_can_use(
    open_page, use, root, lesson_data, classes, sentence
):
    own_set(root, ANNA, classes)
    use(lesson=replace(EXAMPLE, data=lesson_data))
    app = open_page(source="own")
    assert app.button(key="training_start").disabled == bool(sentence)
    assert [each.value.replace("\\", "") for each in app.warning] == ([sentence] if sentence else [])


def test_own_pictures_are_deleted_after_a_question(open_page, use, root):
    about_set = own_set(root, ANNA)
    use(lesson=replace(EXAMPLE, data=("own",)))
    app = press(open_page(data=f"id:{about_set.id}"), "training_data_delete")
    assert own.mine(root, ANNA)
    press(app, "training_data_delete_sure")
    assert own.mine(root, ANNA) == []


def test_words_of_outcomes_and_files_are_shown_letter_by_letter(open_page, root):
    evil = "![x](http://evil) **bold** <script>"
    run = made(root, ANNA, title=evil, pictures="[own](x) {name} {number}")
    app = open_page(run=run.id, panel="mistakes")
    text = " ".join(str(element.value) for element in [*app.markdown, *app.caption])
    assert "![x](http" not in text and "**bold**" not in text


def test_a_fourth_waiting_run_is_refused_in_one_sentence(open_page, root):
    for _ in range(3):
        made(root, ANNA, "queued")
    app = press(open_page(), "training_start")
    assert "3 runs of yours are waiting already" in said(app)


# --- class by class ---


def collecting(open_page, use, shelf):
    """Open the panel in which files are given for one class after the other."""
    use(lesson=replace(EXAMPLE, data=("own",)))
    app = open_page(source="own")
    app.session_state[own_data.SHELF] = shelf
    app.session_state["training_data_way"] = "Files"
    app.run()
    assert not app.exception
    return app


def picture_bytes(side=40):
    stream = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(stream, "PNG")
    return stream.getvalue()


def test_a_class_is_taken_off_the_shelf_and_the_others_stay(open_page, use):
    shelf = {
        name: [("0 a.png", picture_bytes()), ("1 b.png", picture_bytes())] for name in ("mug", "<b>cup</b>", "jug")
    }
    app = collecting(open_page, use, shelf)
    press(app, "training_shelf_remove_1")
    assert list(app.session_state[own_data.SHELF]) == ["mug", "jug"]
    assert not app.button(key="training_make").disabled


def test_one_picture_is_taken_off_the_shelf_and_the_class_goes_with_its_last_one(open_page, use):
    shelf = {"mug": [("0 a.png", picture_bytes()), ("1 b.png", picture_bytes())], "jug": [("0 c.png", picture_bytes())]}
    app = collecting(open_page, use, shelf)
    app.text_input(key="training_class").set_value("mug").run()
    assert not app.exception and "Click a picture to take it out" in said(app)
    own_data.take_one_out(shelf, "mug", "0 a.png")
    assert [name for name, _ in shelf["mug"]] == ["1 b.png"]
    own_data.take_one_out(shelf, "jug", "0 c.png")
    assert list(shelf) == ["mug"]


def test_pictures_that_come_after_one_was_taken_out_have_names_of_their_own(open_page, use):
    shelf = {"mug": [("0 a.png", picture_bytes()), ("1 shot.png", picture_bytes()), ("2 shot.png", picture_bytes())]}
    own_data.take_one_out(shelf, "mug", "0 a.png")
    app = collecting(open_page, use, shelf)
    app.text_input(key="training_class").set_value("mug").run()
    app.get("file_uploader")[-1].upload("shot.png", picture_bytes(), "image/png").run()
    assert not app.exception
    assert [name for name, _ in app.session_state[own_data.SHELF]["mug"]] == ["1 shot.png", "2 shot.png", "3 shot.png"]


def test_each_reason_why_there_is_no_moving_picture_has_a_sentence_of_its_own():
    assert len(set(camera_state.SENTENCES.values())) == len(camera_state.SENTENCES) == 5
    assert all(sentence.endswith(".") and sentence.count(".") == 1 for sentence in camera_state.SENTENCES.values())


@pytest.mark.parametrize("typed", ["///", "..", "   ", "-"])
def test_a_class_without_a_name_is_asked_for_one(open_page, use, typed):
    app = collecting(open_page, use, {})
    app.text_input(key="training_class").set_value(typed).run()
    assert not app.exception and "ame" in said(app) and not app.get("file_uploader")


# --- the table of runs ---


def test_every_cell_of_the_table_says_what_it_is(open_page, root):
    made(root, ANNA)
    app = open_page()
    for heading in ("State", "Started", "Took", "Result"):
        texts = [str(each.value) for each in app.markdown]
        assert heading in texts and any(text.startswith(f":small[{heading}] ") for text in texts)


def test_a_failed_run_says_where_it_was_what_is_kept_and_how_to_go_on(open_page, root):
    app = open_page(run=made(root, ANNA, "failed").id)
    assert "It was at “fine-tuned, 2 of 3”. What was learnt before is kept below." in said(app)
    assert "Edit a copy" in said(app)


def test_an_answer_that_did_not_come_is_asked_for_again(open_page, root, monkeypatch):
    run, asked = made(root, ANNA), []

    def ended(name: str, **given: Any) -> Any:
        asked.append(name)
        raise work.WorkFailed("The worker ended unexpectedly and starts again; please try once more.")

    network = Applicable(what="classifies", side=(64, 64))
    monkeypatch.setattr(try_it, "models_of", lambda run: (network,))
    monkeypatch.setattr(work, "run", ended)
    app = open_page(run=run.id, panel="try")
    assert "The worker ended unexpectedly" in said(app)
    press(app, "training_try_again")
    assert asked == ["runs.apply"] * 2


def popovers(block: Any) -> Iterator[Any]:
    """Yield the panels that open at a button, wherever they are."""
    for child in getattr(block, "children", {}).values():
        if child.type == "popover":
            yield child
        yield from popovers(child)


@pytest.mark.parametrize("way", ["Zip", "Files"])
def test_why_no_data_set_came_of_an_upload_is_said_in_the_panel_where_it_was_given(open_page, use, way):
    use(lesson=replace(EXAMPLE, data=("own",)))
    app = open_page(source="own")
    app.session_state["training_data_way"] = way
    app.session_state[own_data._FAILED] = "None of these files is a picture that can be read."
    app.run()
    assert not app.exception
    assert [error.value for panel in popovers(app.main) for error in panel.get("error")] == [
        "None of these files is a picture that can be read\\."
    ]


@pytest.mark.parametrize("act", ["training_run_again", "training_run_delete"])
def test_what_another_tab_has_deleted_is_said_to_be_gone_once(open_page, root, act):
    run = made(root, ANNA)
    app = open_page(run=run.id)
    service.delete(ANNA, run.id)
    press(app, act)
    assert said(app).count("There is no such run; it may have been deleted.") == 1
    assert "training_start" in keys(app)


def test_the_card_names_each_network_once_and_says_where_the_curves_of_each_end(root):
    run = made(root, ANNA)
    text = card.card(run, EXAMPLE, outcome_of(run.folder), curves_of(run.folder), [])
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert f"### {VARIANTS['tuned']}: what is taken for what" in headings
    ends = text.partition("### Where the curves end")[2].partition("##")[0].splitlines()
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in ends if row.startswith("| ")}
    assert set(VARIANTS.values()) < set(rows)
    assert f"{skill(6, 2) - 0.06:.6g}" in rows["From scratch"] and "validation accuracy" in rows["Network"]


def test_a_number_and_its_unit_stay_in_one_line_of_the_table(open_page, root, monkeypatch):
    made(root, ANNA)
    number = outcome.Number(label="Dense", value=97.04, digits=1, unit="%")
    monkeypatch.setattr(_module("runs_table"), "outcome_of", lambda folder: (outcome.Numbers(rows=(number,)),))
    assert "Dense 97.0\u00a0%" in said(open_page())


def test_long_names_of_bars_stand_in_lines_and_a_word_too_long_for_that_is_slanted():
    def axis(*names: str) -> Any:
        line = outcome.Line(name="accuracy", x=tuple(range(len(names))), y=(0.5,) * len(names))
        chart = outcome.Lines(title="", bars=names, lines=(line,))
        return training_charts.outcome_lines(chart, LIGHT).layout.xaxis

    lines = axis("Logistic regression", "Convolution, columns in their order", "Shuffled", "Dense network")
    assert (lines.tickangle, lines.ticktext[0]) == (0, "Logistic<br>regression")
    assert lines.ticktext[1].replace("<br>", " ") == "Convolution, columns in their order"
    slanted = axis("A", "B", "C", "Donaudampfschifffahrt")
    assert slanted.tickangle < 0 and slanted.ticktext[3] == "Donaudampfschifffahrt"


def test_a_single_measured_position_has_its_tick_on_a_logarithmic_axis():
    line = outcome.Line(name="autoencoder", x=(8,), y=(0.03,), points=True)
    chart = outcome.Lines(title="", lines=(line,), logarithmic_x=True)
    assert training_charts.outcome_lines(chart, LIGHT).layout.xaxis.ticktext == ("8",)


def test_texts_and_recordings_are_shown_wide_enough_to_be_read(open_page, root, monkeypatch):
    run, shown = made(root, ANNA), []
    texts = {**outcome.read_arrays(run.folder, outcome.PROBE), "pixels": np.zeros((8, 96, 288, 3), np.uint8)}
    monkeypatch.setattr(learning, "gallery", lambda *_, tile, most, **__: shown.append((tile, most)))
    open_page(run=run.id, panel="learned")
    monkeypatch.setattr(learning, "probe_of", lambda folder: texts)
    open_page(run=run.id, panel="learned")
    assert shown == [(84, 110), (250, 288)]
