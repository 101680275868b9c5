"""Well-known data sets: read as Keras reads them, never fetched without being asked for."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer.networks.work_context import SentenceError, Stopped
from explorer.runs.data import stored
from explorer.runs.data.loading import load, load_text
from explorer.runs.data.overview import overview
from explorer.settings import Settings
from tests.runs.data import stand_ins
from tests.runs.data.listening import Listener

PICTURE_SETS = ("mnist", "fashion_mnist", "cifar10")

KERAS = """
import pickle, sys
import keras
from keras.src.utils import file_utils
file_utils.validate_file = lambda *a, **k: True  # the stand-ins are not the files whose hashes Keras knows
def refuse(*a, **k):
    raise SystemExit("Keras wants to download something")
file_utils.urlretrieve = refuse
found = {name: getattr(keras.datasets, name).load_data() for name in ("mnist", "fashion_mnist", "cifar10")}
found["imdb"] = keras.datasets.imdb.load_data(num_words=150)
found["words"] = keras.datasets.imdb.get_word_index()
with open(sys.argv[1], "wb") as target:
    pickle.dump(found, target)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keras")


@pytest.fixture(scope="module")
def files(home: Path) -> dict[str, tuple[stored.StoredFile, ...]]:
    return stand_ins.write(home)


@pytest.fixture
def there(home: Path, files: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setattr(stored, "FILES", files)


@pytest.fixture
def absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "nothing"))
    monkeypatch.setattr(stored, "fetch", lambda *words: pytest.fail("something was fetched"))


@pytest.mark.slow
@pytest.mark.usefixtures("there")
def test_what_is_read_is_what_keras_reads(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "found.pickle"
    environment = {**os.environ, "KERAS_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "2"}
    subprocess.run([sys.executable, "-c", KERAS, str(target)], env=environment, check=True, timeout=840)
    theirs = pickle.loads(target.read_bytes())
    for name in PICTURE_SETS:
        for mine, keras_part in zip(stored.arrays(name), theirs[name], strict=True):
            assert np.array_equal(mine[0], keras_part[0])
            assert np.array_equal(mine[1], np.reshape(keras_part[1], -1))
    settings = {"source": "imdb", "pictures": 150, "validation": 120, "words": 150, "length": 100}
    for mine, keras_part in zip(load_text(settings, seed=0), theirs["imdb"], strict=True):
        ours = sorted([token for token in text if token != stored.PADDING] for text in mine.tokens.tolist())
        assert ours == sorted(list(text) for text in keras_part[0])
    words = load_text(settings, seed=0)[0].words
    assert all(words[number + 3] == word for word, number in theirs["words"].items() if number + 3 < 150)


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(("name", "shape"), [("mnist", (28, 28, 1)), ("fashion_mnist", (28, 28, 1))])
def test_a_part_is_chosen_by_the_seed_and_judged_by_the_sets_own_test_pictures(name: str, shape: tuple) -> None:
    data = {"source": name, "pictures": 150, "validation": 100}
    first, again, other = (load(data, seed=seed) for seed in (1, 1, 2))
    assert first.training.pixels.shape == (150, *shape) and first.validation.pixels.shape == (100, *shape)
    assert first.training.names == again.training.names != other.training.names
    assert np.array_equal(first.training.pixels, again.training.pixels)
    (pixels, labels), (test_pixels, _) = stored.arrays(name)
    number = int(first.training.names[3].split()[-1])
    assert np.array_equal(first.training.pixels[3, ..., 0], pixels[number])
    assert first.training.labels is not None and first.training.labels[3] == labels[number]
    assert " test " in first.validation.names[0]
    number = int(first.validation.names[0].split()[-1])
    assert np.array_equal(first.validation.pixels[0, ..., 0], test_pixels[number])


@pytest.mark.usefixtures("there")
def test_the_page_sees_them_without_keras() -> None:
    shown = overview({"source": "mnist", "pictures": 150, "validation": 100}, seed=0, n=3)
    assert sum(shown.training.values()) == 150 and sum(shown.validation.values()) == 100
    assert list(shown.training) == [str(digit) for digit in range(10)] and shown.of_class(4).shape == (3, 28, 28, 1)


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_page_sees_the_first_pictures_that_the_run_learns_from(name: str) -> None:
    for pictures in (100, 150):
        data = {"source": name, "pictures": pictures, "validation": 100}
        shown, divided = overview(data, seed=3, n=6), load(data, seed=3)
        for part, counts in ((divided.training, shown.training), (divided.validation, shown.validation)):
            assert part.labels is not None
            assert list(counts.values()) == np.bincount(part.labels, minlength=10).tolist()
        for label in range(10):
            first = divided.training.pixels[divided.training.labels == label][:6]
            assert np.array_equal(shown.of_class(label), first)
        assert set(shown.examples.names) <= set(divided.training.names)


@pytest.mark.usefixtures("there")
def test_a_set_is_unpacked_once_for_all_visitors_and_all_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    real = stored.arrays
    monkeypatch.setattr(stored, "arrays", lambda name, *look: reads.append(name) or real(name, *look))

    def look_at(pictures: int) -> int:
        shown = overview({"source": "mnist", "pictures": pictures, "validation": 100}, seed=91)
        return sum(shown.training.values())

    with ThreadPoolExecutor(8) as visitors:
        assert list(visitors.map(look_at, range(100, 180, 10))) == list(range(100, 180, 10))
    assert reads == ["mnist"]


@pytest.mark.usefixtures("there")
def test_a_review_can_be_read_again_and_its_end_is_kept() -> None:
    training, validation = load_text(
        {"source": "imdb", "pictures": 100, "validation": 100, "words": 1000, "length": 20}, seed=0
    )
    assert training.tokens.shape == (100, 20) and validation.tokens.shape == (100, 20)
    assert set(training.labels.tolist()) == {0, 1} and training.classes == ("blame", "praise")
    assert training.text(0).split()[-1].startswith("word")
    long, _ = load_text({"source": "imdb", "pictures": 100, "words": 1000, "length": 60}, seed=0)
    assert long.text(0).endswith(training.text(0).replace("[start] ", "")) and "[start]" in long.text(0)


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize("name", [*PICTURE_SETS, "imdb"])
def test_nothing_is_fetched_unasked(name: str, tmp_path: Path) -> None:
    reader = load_text if name == "imdb" else load
    with pytest.raises(SentenceError) as refused:
        reader({"source": name}, seed=0)
    sentence = str(refused.value)
    file = stored.FILES[name][0]
    assert Path(file.path).name in sentence and file.megabytes in sentence
    assert str((tmp_path / "nothing" / file.path).parent) in sentence
    assert "switch its download on" in sentence and "drawn data" in sentence and sentence.endswith(".")
    with pytest.raises(SentenceError):
        overview({"source": name, "download": True}, seed=0)


@pytest.mark.usefixtures("absent")
def test_where_downloads_are_switched_off_asking_for_one_changes_nothing() -> None:
    with pytest.raises(SentenceError, match="switched off here, so ask an administrator"):
        stored.make_sure("mnist", download=True, settings=Settings(allow_downloads=False))


def offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path, files: dict) -> Path:
    """Have MNIST's stand-in lie at an address, and nothing in Keras' folder; return where it will be."""
    file = files["mnist"][0]
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "new"))
    monkeypatch.setattr(stored, "FILES", {"mnist": (replace(file, url=(home / file.path).as_uri()),)})
    return tmp_path / "new" / file.path


def test_a_download_that_is_asked_for_is_told_and_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path, files: dict
) -> None:
    target = offered(monkeypatch, tmp_path, home, files)
    listener = Listener(tmp_path)
    data = {"source": "mnist", "pictures": 100, "validation": 100, "download": True}
    assert len(load(data, seed=0, context=listener).training) == 100
    assert target.read_bytes() == (home / files["mnist"][0].path).read_bytes()
    assert any("downloading MNIST" in words and "MB" in words for words in listener.said)
    # What is there is not fetched again.
    monkeypatch.setattr(stored, "fetch", lambda *words: pytest.fail("fetched again"))
    load({**data, "download": False}, seed=0)


def test_a_file_that_is_not_whole_counts_as_none_and_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path, files: dict
) -> None:
    target = offered(monkeypatch, tmp_path, home, files)
    target.parent.mkdir(parents=True)
    target.write_bytes((home / files["mnist"][0].path).read_bytes()[:-500])
    with pytest.raises(SentenceError, match="not on this machine"):
        stored.make_sure("mnist", download=False)
    stored.make_sure("mnist", download=True)
    assert stored.missing("mnist") == ()


def test_another_file_than_keras_knows_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path, files: dict
) -> None:
    target = offered(monkeypatch, tmp_path, home, files)
    monkeypatch.setattr(stored, "FILES", {"mnist": (replace(stored.FILES["mnist"][0], digest="0" * 64),)})
    with pytest.raises(SentenceError, match="thrown away"):
        stored.make_sure("mnist", download=True)
    assert not target.exists()


def test_an_address_that_cannot_be_reached_is_said_without_a_word_about_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path, files: dict
) -> None:
    offered(monkeypatch, tmp_path, home, files)
    monkeypatch.setattr(stored, "FILES", {"mnist": (replace(stored.FILES["mnist"][0], url="http://127.0.0.1:9/x"),)})
    with pytest.raises(SentenceError, match="does not reach") as refused:
        stored.make_sure("mnist", download=True)
    assert "weights" not in str(refused.value) and "mnist.npz" in str(refused.value)


def test_a_stop_ends_a_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path, files: dict) -> None:
    target = offered(monkeypatch, tmp_path, home, files)
    with pytest.raises(Stopped):
        stored.make_sure("mnist", download=True, context=Listener(tmp_path, stop_after=0))
    assert not target.exists() and not list(target.parent.glob("*"))


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("name", PICTURE_SETS)
def test_reading_can_be_stopped_between_its_pieces(name: str, tmp_path: Path) -> None:
    listener = Listener(tmp_path, stop_after=0)
    with pytest.raises(Stopped):
        load({"source": name}, seed=0, context=listener)


@pytest.mark.usefixtures("there")
def test_a_damaged_file_without_a_known_hash_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for file in stored.FILES["fashion_mnist"]:
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_bytes((home / file.path).read_bytes()[:-20])
    with pytest.raises(SentenceError, match="damaged"):
        load({"source": "fashion_mnist"}, seed=0)


def test_keras_folder_is_found_where_keras_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert stored.keras_home() == tmp_path
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert stored.keras_home() == tmp_path / ".keras"


@pytest.mark.parametrize("name", stored.FILES)
def test_files_hashes_and_addresses_are_those_in_keras_own_code(name: str) -> None:
    import keras.src.datasets

    code = (Path(keras.src.datasets.__file__).parent / f"{name}.py").read_text()
    for file in stored.FILES[name]:
        assert file.digest is None or file.digest in code
        folder, _, last = file.url.rpartition("/")
        assert last in code or file.path.rsplit("/", 1)[-1] in code
        assert f"{folder}/" in code or file.url in code
