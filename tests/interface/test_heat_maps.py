"""What travels to the heat maps in the browser, and what comes back from the brush."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer.interface.components.heat_maps import (
    HeatMap,
    HeatRow,
    Painting,
    enlarged,
    mask_code,
    mask_from_code,
    message,
    paint_grid,
)
from explorer.interface.components.packing import unpack

RNG = np.random.default_rng(3)
VALUES = RNG.normal(size=(6, 9)).astype(np.float32)


def test_values_arrive_as_they_are():
    header, blobs = unpack(message([HeatRow("", b"picture", (HeatMap("a", "A", values=VALUES, signed=True),))]))
    (tile,) = header["rows"][0]["maps"]
    assert (tile["height"], tile["width"]) == (6, 9)
    np.testing.assert_array_equal(np.frombuffer(blobs[tile["values"]], "<f4").reshape(6, 9), VALUES)
    assert blobs[header["rows"][0]["picture"]] == b"picture"


def test_maps_and_pictures_that_occur_twice_travel_once():
    row = HeatRow("", b"picture" * 1000, (HeatMap("a", "A", values=VALUES),))
    assert len(message([row, row])) < len(message([row])) + 1000


def test_the_digest_changes_with_what_is_seen_and_not_with_what_is_selected():
    def digest(**changed):
        one = HeatMap("a", "A", values=np.abs(VALUES), **changed)
        return unpack(message([HeatRow("", b"", (one,))], selected=(0, "a"), opacity=0.3))[0]["digest"]

    plain = unpack(message([HeatRow("", b"", (HeatMap("a", "A", values=np.abs(VALUES)),))]))[0]["digest"]
    assert digest() == plain
    assert len({plain, digest(signed=True), digest(note="n"), digest(box=(0, 0, 2, 2)), digest(busy=True)}) == 5


def test_only_maps_of_one_method_share_a_scale():
    rows = [
        HeatRow(label, b"", (HeatMap("a", "A", values=np.abs(VALUES) * scale), HeatMap(label, "B", values=VALUES)))
        for label, scale in (("x", 1), ("y", 4))
    ]
    header, _ = unpack(message(rows))
    shared = [row["maps"][0]["scales"]["shared"][:2] for row in header["rows"]]
    assert shared[0] == shared[1] == [0.0, pytest.approx(4 * float(np.abs(VALUES).max()))]
    assert all("shared" not in row["maps"][1]["scales"] for row in header["rows"])


def test_maps_that_overflow_can_still_be_sent():
    values = VALUES.copy()
    values[0, :3] = np.nan, np.inf, -np.inf
    header, _ = unpack(message([HeatRow("", b"", (HeatMap("a", "A", values=values),))]))
    json.dumps(header, allow_nan=False)
    assert "3 of 54 places are not finite" in header["rows"][0]["maps"][0]["scales"]["highest"][3]


def test_a_map_under_way_has_no_values_but_its_words():
    header, _ = unpack(message([HeatRow("", b"", (HeatMap("a", "A", note="Waiting", busy=True, progress=0.4),))]))
    (tile,) = header["rows"][0]["maps"]
    assert "values" not in tile and tile["note"] == "Waiting" and tile["progress"] == 0.4


@pytest.mark.parametrize("shape", [(24, 24), (1, 1), (17, 23), (64, 5)])
def test_a_mask_survives_its_way_through_a_link(shape):
    mask = RNG.random(shape) < 0.3
    mask[0, 0] = True
    code = mask_code(mask)
    assert all(letter.isalnum() or letter in "-_" for letter in code)
    np.testing.assert_array_equal(mask_from_code(code), mask)


@pytest.mark.parametrize("code", [
    None, 7, [], {}, "", "24x24", "24x24-", "24x24-AAAA", "0x4-", "99x99-" + "A" * 1634, "2x2-____", "2x2-AA==",
    "２x2-gA", "2x2-gA\n", "9" * 4000, mask_code(np.zeros((24, 24), bool)),
])  # fmt: skip
def test_nonsense_and_empty_masks_are_no_masks(code):
    assert mask_from_code(code) is None


def test_the_cells_to_paint_on_have_the_picture_s_shape():
    assert paint_grid(96, 96) == (24, 24)
    assert paint_grid(224, 112) == (24, 12)
    assert paint_grid(10, 20) == (10, 20)
    assert paint_grid(1000, 3) == (24, 1)


def test_a_painted_mask_lies_over_the_map_cell_by_cell():
    mask = RNG.random((4, 3)) < 0.5
    np.testing.assert_array_equal(enlarged(mask, (12, 9)), np.kron(mask, np.ones((3, 3), bool)))
    assert enlarged(mask, (7, 5)).shape == (7, 5)


def test_what_is_painted_comes_back_with_the_board():
    mask = RNG.random((24, 24)) < 0.2
    header, _ = unpack(message([HeatRow("", b"")], painting=Painting(mask=mask, open=True)))
    assert header["painting"]["open"] and header["painting"]["code"] == mask_code(mask)
