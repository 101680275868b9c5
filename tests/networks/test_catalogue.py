"""The static table says what the installed Keras says, and the registry keeps its promises."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from explorer.networks import catalogue
from explorer.networks.preprocessing import prepare
from explorer.pictures import drawn_world

APPLICATIONS = [entry for entry in catalogue.entries() if catalogue.is_application(entry.name)]
BUILT = ("MobileNetV2", "MobileNetV3Small", "EfficientNetB0")


class Asked(Exception):
    pass


def module_of(entry):
    return importlib.import_module(getattr(keras.applications, entry.name).__module__)


def test_every_network_of_keras_applications_is_there():
    offered = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {entry.name for entry in APPLICATIONS} == offered
    assert len(offered) == 40


def test_the_bundled_pair_comes_first():
    names = [entry.name for entry in catalogue.entries()]
    assert names[:2] == ["drawn_plain", "drawn_robust"]
    assert names[0] == catalogue.DEFAULT_NETWORK
    assert len(names) == len(set(names))


@pytest.mark.parametrize("entry", APPLICATIONS, ids=lambda entry: entry.name)
def test_input_sizes_are_those_that_keras_takes_by_itself(entry, monkeypatch):
    def asked(*args, default_size=None, **kwargs):
        raise Asked(default_size)

    if entry.family == "MobileNet" and "V3" in entry.name:
        # These take any size; their weights were trained at the one in the name of the file.
        assert f"_{entry.input_size[0]}_" in entry.weights.file_name
        return
    if entry.name == "NASNetMobile" and keras.backend.backend() == "torch":
        pytest.skip("Keras does not build it on PyTorch")
    monkeypatch.setattr("keras.src.applications.imagenet_utils.obtain_input_shape", asked)
    with pytest.raises(Asked) as found:
        getattr(keras.applications, entry.name)(weights=None)
    assert entry.input_size == (found.value.args[0],) * 2


@pytest.mark.parametrize("entry", APPLICATIONS, ids=lambda entry: entry.name)
def test_preprocessing_is_that_of_keras(entry):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    expected = module_of(entry).preprocess_input(pixels[None].astype(np.float32))
    np.testing.assert_allclose(prepare(pixels, entry), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("entry", APPLICATIONS, ids=lambda entry: entry.name)
def test_hashes_stand_in_keras_source_beside_the_network(entry):
    source = inspect.getsource(module_of(entry)) + inspect.getsource(
        importlib.import_module("keras.src.applications.resnet")
    )
    if entry.weights.file_hash is None:
        assert "file_hash" not in inspect.getsource(module_of(entry))
    else:
        assert entry.weights.file_hash in source
        assert len(entry.weights.file_hash) in (32, 64)


@pytest.mark.parametrize("name", BUILT)
def test_files_and_counts_are_those_of_keras_own_builder(name, monkeypatch):
    entry = catalogue.entry(name)
    asked = {}

    def get_file(fname, origin, **arguments):
        asked.update(fname=fname, origin=origin, hash=arguments.get("file_hash"))
        raise Asked

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with pytest.raises(Asked) as stopped:
        getattr(keras.applications, name)(weights="imagenet", input_shape=(*entry.input_size, 3))
    model = next(
        frame.frame.f_locals["model"]
        for frame in reversed(inspect.getinnerframes(stopped.tb))
        if isinstance(frame.frame.f_locals.get("model"), keras.Model)
    )
    assert entry.weights.file_name == asked["fname"]
    assert entry.weights.url == asked["origin"]
    assert entry.weights.file_hash == asked["hash"]
    assert entry.parameters == model.count_params()
    assert entry.weights.megabytes == pytest.approx(4 * model.count_params() / 1e6, abs=0.1)


def test_the_class_index_is_the_one_that_keras_fetches():
    source = inspect.getsource(importlib.import_module("keras.src.applications.imagenet_utils"))
    assert catalogue.CLASS_INDEX.file_hash in source
    assert catalogue.CLASS_INDEX.url.rsplit("/", 1)[1] in source


def test_drawn_classes_are_those_of_the_drawn_world():
    assert tuple(drawn_world.PRETRAINING_CLASSES) == catalogue.DRAWN_CLASSES
    for name in ("drawn_plain", "drawn_robust"):
        assert catalogue.class_names(catalogue.entry(name)) == catalogue.DRAWN_CLASSES


def test_imagenet_names_come_from_the_folder_when_they_are_there(tmp_path):
    entry = catalogue.entry("MobileNetV2")
    assert catalogue.class_names(entry, tmp_path) is None
    index = {str(number): [f"n{number:08}", f"thing_number_{number}"] for number in range(1000)}
    path = tmp_path / "imagenet_class_index.json"
    path.write_text(json.dumps(index))
    names = catalogue.class_names(entry, tmp_path)
    assert len(names) == 1000
    assert names[283] == "thing number 283"
    path.write_text("<html>sign in</html>")
    assert catalogue.class_names(entry, tmp_path) is None


def test_weights_are_present_when_their_file_is(tmp_path):
    entry = catalogue.entry("MobileNetV2")
    assert not catalogue.weights_present(entry, tmp_path)
    (tmp_path / entry.weights.file_name).write_bytes(b"something")
    assert catalogue.weights_present(entry, tmp_path)
    assert catalogue.weights_path(entry, tmp_path).parent == tmp_path


def test_other_rooms_can_register_a_network(monkeypatch):
    monkeypatch.setattr(catalogue, "_entries", dict(catalogue._entries))
    mine = replace(catalogue.entry("drawn_plain"), name="my_own", title="My own", weights=None)
    catalogue.register(mine, "some.module:build")
    assert catalogue.entry("my_own") is mine
    assert catalogue.builder_path("my_own") == "some.module:build"
    assert mine in dict(catalogue.by_family())["Drawn world"]
    assert not catalogue.weights_present(mine)
    with pytest.raises(ValueError, match="package.module:function"):
        catalogue.register(mine, "nonsense")


def test_an_unknown_network_is_named():
    with pytest.raises(KeyError, match="MobileNetV9"):
        catalogue.entry("MobileNetV9")


def test_what_the_web_process_imports_from_here_brings_no_keras():
    modules = "catalogue, preprocessing, structure, weights, work_context, decomposition"
    code = f"import sys; from explorer.networks import {modules}; print({{'keras', 'tensorflow'}} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_a_notebook_finds_networks_of_runs_without_further_ado(tmp_path):
    code = (
        "from explorer.networks import catalogue\n"
        "for name in ('run-20260101-000000-abcdef', 'nothing'):\n"
        "    try:\n"
        "        catalogue.entry(name)\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
        "import sys; print({'keras', 'tensorflow'} & set(sys.modules))\n"
    )
    environment = {**os.environ, "CNN_EXPLORER_RUNS_FOLDER": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2]
    ).stdout
    assert said.splitlines() == ["SentenceError", "KeyError", "set()"], said
