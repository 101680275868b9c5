"""Sheets come back as they were written, and those that come with the app are complete."""

import subprocess
import sys

import numpy as np
import pytest

from explorer.ascent import sheets
from explorer.ascent.results import Plan, Quality, Sheet, Transforms


def made(count=5, layer="block/conv_1"):
    smooth = np.linspace(30, 220, count * 24 * 24 * 3).reshape(count, 24, 24, 3).astype(np.uint8)
    quality = tuple(Quality(0.1, float(n), 0.5, 0.25, n == 0) for n in range(count))
    plan = Plan("some_net", objective="channel", layer=layer, targets=tuple(range(count)), transforms=Transforms(1, 2))
    return Sheet("some_net", layer, plan, smooth, tuple(range(count)), quality)


def test_a_sheet_is_read_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "FOLDER", tmp_path)
    sheets._read.cache_clear()
    for layer in ("block/conv_1", ""):
        sheets.write(made(layer=layer), tmp_path)
        sheets.write(made(layer=layer), tmp_path)
    assert sheets.layers("some_net") == ("block/conv_1", "")
    read = sheets.sheet("some_net", "block/conv_1")
    assert read.plan == made().plan and read.quality == made().quality and read.targets == made().targets
    assert np.abs(read.images.astype(int) - made().images).mean() < 4  # WebP loses a little
    sheets._read.cache_clear()


@pytest.mark.parametrize("columns", [1, 3, 16])
def test_an_atlas_is_cut_where_it_was_put_together(columns):
    images = np.random.default_rng(0).integers(0, 255, size=(7, 4, 6, 3)).astype(np.uint8)
    np.testing.assert_array_equal(sheets.tiles(sheets.atlas_of(images, columns), 7, (4, 6)), images)


def test_what_is_not_there_is_none():
    assert sheets.sheet("VGG16") is None
    assert sheets.sheet("../drawn_plain") is None
    assert sheets.layers("..") == ()
    assert sheets.sheet("drawn_robust", "nowhere") is None


@pytest.mark.parametrize("network", ["drawn_plain", "drawn_robust"])
def test_both_bundled_networks_have_sheets_of_classes_and_of_every_relu(network):
    channels = {"": 12, "stem_relu": 24, "reduce_relu": 32, "shapes_1_relu": 48, "shapes_2_relu": 48,
                "parts_1_relu": 96, "parts_2_relu": 96, "objects_1_relu": 128, "objects_2_relu": 128}  # fmt: skip
    assert set(sheets.layers(network)) == set(channels)
    for layer, count in channels.items():
        found = sheets.sheet(network, layer)
        assert found.targets == tuple(range(count)) and len(found.quality) == count
        assert found.images.dtype == np.uint8 and len(found.images) == count


def test_sheets_are_small_and_read_without_keras():
    assert sum(path.stat().st_size for path in sheets.FOLDER.rglob("*") if path.is_file()) < 4_000_000
    code = (
        "import sys; from explorer.ascent import code, sheets; sheets.sheet('drawn_robust');"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
