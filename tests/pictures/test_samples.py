"""The sample photographs are on disk, known, credited, and read without their packages or the internet."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import skimage.io
from sklearn.datasets import load_sample_image

from explorer.pictures.picture import PictureError
from explorer.pictures.samples import SAMPLES, Sample, sample


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_on_disk_and_credited(name):
    entry = SAMPLES[name]
    assert entry.name == name and entry.title and entry.credit
    picture = sample(name)
    assert picture.source == f"sample:{name}" and picture.title == entry.title
    assert max(picture.pixels.shape) <= 1024 and min(picture.pixels.shape[:2]) >= 150
    assert (picture.pixels == picture.pixels[..., :1]).all() == entry.grey


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "camera", "brick"])
def test_samples_show_what_scikit_image_reads(name):
    expected = skimage.io.imread(SAMPLES[name].path)
    expected = expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, 2)
    assert np.array_equal(sample(name).pixels, expected)


@pytest.mark.parametrize("name", ["china", "flower"])
def test_samples_show_what_scikit_learn_reads(name):
    expected = load_sample_image(f"{name}.jpg").astype(int)
    assert np.abs(sample(name).pixels - expected).mean() < 1


def test_there_are_grey_ones_and_colour_ones():
    assert sum(entry.grey for entry in SAMPLES.values()) >= 3
    assert sum(not entry.grey for entry in SAMPLES.values()) >= 6


def test_a_sample_is_read_once():
    assert sample("coins") is sample("coins")


def test_an_unknown_sample_names_those_there_are():
    with pytest.raises(PictureError, match="choose one of chelsea, astronaut"):
        sample("../../etc/passwd")


def test_a_missing_file_is_said():
    gone = Sample("gone", "A gone one", "nobody", "skimage", "gone.png")
    assert gone.path is None
    assert Sample("gone", "A gone one", "nobody", "no_such_package", "gone.png").path is None
    SAMPLES["gone"] = gone
    try:
        with pytest.raises(PictureError, match="not on this computer"):
            sample("gone")
    finally:
        del SAMPLES["gone"]


def test_reading_samples_imports_neither_package_and_opens_no_socket():
    program = """
import json, socket, sys
def refuse(*a, **k):
    raise SystemExit("a socket was opened")
socket.socket.connect = refuse
from explorer.pictures.samples import SAMPLES, sample
for name in SAMPLES:
    sample(name)
print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {
        "skimage",
        "sklearn",
        "scipy",
        "pooch",
        "pillow_heif",
        "keras",
        "tensorflow",
        "streamlit",
    }
