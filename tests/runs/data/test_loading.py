"""Drawn data: a function of the seed, with validation from other worlds, in classes that are equally many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.networks.work_context import SentenceError, Stopped
from explorer.pictures.drawn_world import CLASSES, draw_scene
from explorer.pictures.sources import resolve
from explorer.runs.data import drawn, loading
from explorer.runs.data.loading import load, load_files
from explorer.runs.data.sources import SCENE_CLASSES, checked
from tests.pictures.made_files import saved
from tests.runs.data.listening import Listener

SMALL = {
    "drawn": {"source": "drawn", "per_class": 3, "validation": 2, "side": 32},
    "drawn_scenes": {"source": "drawn_scenes", "pictures": 20, "validation": 10, "side": 48, "target": "classes"},
    "drawn_clean": {"source": "drawn_clean", "pictures": 20, "validation": 10, "side": 32},
    "drawn_digits": {"source": "drawn_digits", "pictures": 100, "validation": 100},
    "digits": {"source": "digits"},
}


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_pictures_and_another_seed_others(name: str) -> None:
    first, again, other = (load(SMALL[name], seed=seed) for seed in (4, 4, 5))
    for part in ("training", "validation"):
        mine, same, different = (getattr(each, part) for each in (first, again, other))
        assert np.array_equal(mine.pixels, same.pixels) and mine.names == same.names
        assert not np.array_equal(mine.pixels, different.pixels)
        assert len(mine.names) == len(mine) == len(set(mine.names))
    # Nothing that is learnt from is judged by.
    training = {picture.tobytes() for picture in first.training.pixels}
    if name != "digits":
        assert not training & {picture.tobytes() for picture in first.validation.pixels}
    assert not set(first.training.names) & set(first.validation.names)


@pytest.mark.parametrize("name", ["drawn", "drawn_scenes", "drawn_clean", "drawn_digits"])
def test_the_name_of_a_drawn_picture_opens_it_again_finer(name: str) -> None:
    divided = load(SMALL[name] | ({} if name == "drawn_digits" else {"side": 96}), seed=1)
    for pictures in (divided.training, divided.validation):
        for number in (0, len(pictures) - 1):
            found = resolve(pictures.names[number])
            assert found.source == pictures.names[number]
            height, width, channels = pictures.pixels.shape[1:]
            small = np.asarray(Image.fromarray(found.pixels).resize((width, height), Image.Resampling.BOX))
            # The grain of a finer picture is finer.
            alike = np.corrcoef(small[..., :channels].ravel(), pictures.pixels[number].ravel())[0, 1]
            assert alike > 0.95


def test_training_and_validation_have_other_backgrounds_unless_told_otherwise() -> None:
    divided = load(SMALL["drawn"], seed=0)
    assert {name.rpartition(":")[2] for name in divided.training.names} == {"training"}
    assert {name.rpartition(":")[2] for name in divided.validation.names} == {"unseen"}
    same = load({**SMALL["drawn"], "backgrounds": "training"}, seed=0)
    assert {name.rpartition(":")[2] for name in same.validation.names} == {"training"}
    plain = load({**SMALL["drawn"], "backgrounds": "plain"}, seed=0)
    assert {name.rpartition(":")[2] for name in plain.training.names} == {"plain"}


def test_classes_are_equally_many_and_more_pictures_contain_the_fewer() -> None:
    few, many = (load({**SMALL["drawn"], "per_class": count}, seed=2).training for count in (3, 5))
    assert few.classes == ("mushroom", "boat", "umbrella", "key")
    assert few.labels is not None and np.bincount(few.labels).tolist() == [3] * 4
    assert many.names[: len(few)] == few.names and np.array_equal(many.pixels[: len(few)], few.pixels)
    assert few.pixels.shape == (12, 32, 32, 3) and few.inputs().max() <= 1


def test_no_two_pictures_share_a_background() -> None:
    names = load(SMALL["drawn"], seed=2).training.names
    numbers = [name.split(":")[2] for name in names]
    assert len(set(numbers)) == len(numbers)


def test_masks_of_scenes_name_their_classes_in_order() -> None:
    pictures = load(SMALL["drawn_scenes"], seed=3).training
    assert pictures.masks is not None and pictures.labels is None
    assert pictures.classes == ("background", *SCENE_CLASSES)
    assert pictures.masks.shape == (20, 48, 48) and pictures.masks.max() == len(SCENE_CLASSES)
    world = int(pictures.names[0].split(":")[2])
    scene = draw_scene(world, 0, size=48, classes=[CLASSES.index(name) for name in SCENE_CLASSES])
    for label in np.unique(scene.label_map):
        name = "background" if label == 0 else CLASSES[label - 1]
        assert set(pictures.masks[0][scene.label_map == label]) == {pictures.classes.index(name)}
    merged = load({**SMALL["drawn_scenes"], "target": "object"}, seed=3).training
    assert merged.masks is not None and np.array_equal(merged.masks, pictures.masks > 0)


def test_single_objects_can_have_masks_too() -> None:
    pictures = load(SMALL["drawn"], seed=3, kind="masks").training
    assert pictures.masks is not None and pictures.classes == ("background", "object") and pictures.labels is None
    share = pictures.masks.mean()
    assert set(np.unique(pictures.masks)) == {0, 1} and 0.03 < share < 0.5


def test_clean_drawings_are_smoother_than_scenes() -> None:
    def roughness(name: str) -> float:
        pixels = load({**SMALL[name], "side": 96}, seed=0).training.pixels.astype(float)
        return float(np.median(np.abs(np.diff(pixels, axis=1))))

    assert roughness("drawn_clean") < 0.5 < roughness("drawn_scenes")


def test_two_processes_draw_what_one_draws() -> None:
    settings = checked({"source": "drawn_scenes", "pictures": 41, "side": 32})
    plan = drawn.plan(settings, 6, "training")
    said: list[tuple[int, int]] = []
    one, two = (
        drawn.drawn(plan, say=lambda *words: said.append(words), look=lambda: None, processes=processes)
        for processes in (1, 2)
    )
    assert np.array_equal(one.pixels, two.pixels) and one.masks is not None and two.masks is not None
    assert np.array_equal(one.masks, two.masks) and said[0] == (32, 41)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_stop_ends_the_drawing_within_a_few_pictures(processes: int) -> None:
    plan = drawn.plan(checked({"source": "drawn_digits"}), 0, "training")
    said = []

    def look() -> None:
        if len(said) >= 2:
            raise Stopped

    with pytest.raises(Stopped):
        drawn.drawn(plan, say=lambda *words: said.append(words), look=look, processes=processes)
    assert len(said) == 2


def test_the_run_hears_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_SAY_SECONDS", 0.0)
    listener = Listener(tmp_path)
    load(SMALL["drawn_digits"], seed=0, context=listener)
    assert listener.said[0] == "loading the data"
    assert "drawing pictures to learn from: 64 of 100" in listener.said
    with pytest.raises(Stopped):
        load(SMALL["drawn_digits"], seed=0, context=Listener(tmp_path, stop_after=2))


def test_scikit_learns_digits_are_divided_class_by_class() -> None:
    divided = load({"source": "digits", "validation_share": 0.25}, seed=0)
    assert len(divided.training) + len(divided.validation) == 1797
    assert divided.training.pixels.shape[1:] == (8, 8, 1) and divided.training.pixels.max() == 255
    assert divided.training.labels is not None and divided.validation.labels is not None
    shares = np.bincount(divided.validation.labels) / (
        np.bincount(divided.validation.labels) + np.bincount(divided.training.labels)
    )
    assert np.allclose(shares, 0.25, atol=0.005)


def test_data_that_a_lesson_cannot_use_are_refused_in_a_sentence() -> None:
    with pytest.raises(SentenceError, match="Clean drawings are no pictures in classes"):
        load(SMALL["drawn_clean"], seed=0, kind="classes")
    with pytest.raises(SentenceError):
        load({"source": "imdb"}, seed=0)
    with pytest.raises(SentenceError, match="no texts"):
        loading.load_text(SMALL["digits"], seed=0)


def test_a_script_reads_a_folder_of_pictures_as_a_run_reads_own_data(tmp_path: Path) -> None:
    for name, colour in (("red", "#ff0000"), ("blue", "#0000ff")):
        (tmp_path / "all" / name).mkdir(parents=True)
        for number in range(5):
            picture = saved(Image.new("RGB", (20, 30), colour), "PNG")
            (tmp_path / "all" / name / f"{number}.png").write_bytes(picture)
    divided = load_files(tmp_path / "all", seed=0, side=32, validation_share=0.4)
    assert divided.training.classes == ("blue", "red") and divided.training.labels is not None
    assert len(divided.training) == 6 and len(divided.validation) == 4
    assert [tuple(picture[0, 0]) for picture in divided.training.pixels] == [
        (255, 0, 0) if label else (0, 0, 255) for label in divided.training.labels
    ]
