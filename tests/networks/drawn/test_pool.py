"""Pictures drawn ahead: they are those of the drawn world, and nothing is drawn twice."""

from pathlib import Path

import numpy as np
import pytest

from explorer.networks.drawn import pool
from explorer.pictures.drawn_world import draw


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "CHUNK", 4)


def test_the_pool_holds_the_drawn_worlds_pictures(tmp_path: Path) -> None:
    for start in (0, 4):
        pool.main([str(tmp_path), "3", "32", str(start)])
    pixels, labels = pool.draw_pool(tmp_path, 3, 6, size=32, report=lambda line: None)
    assert pixels.shape == (6, 32, 32, 3)
    for index in range(6):
        drawing = draw(3, index, size=32, classes=tuple(range(12)))
        np.testing.assert_array_equal(pixels[index], drawing.pixels)
        assert labels[index] == drawing.label


def test_only_missing_chunks_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool.main([str(tmp_path), "3", "16", "0"])
    asked: list[int] = []

    def draw_missing(folder: Path, seed: int, starts: list[int], size: int, *rest: object) -> None:
        asked.extend(starts)
        for start in starts:
            pool.draw_chunk(folder, seed, start, size)

    monkeypatch.setattr(pool, "_draw_with_helpers", draw_missing)
    pool.draw_pool(tmp_path, 3, 10, size=16)
    pool.draw_pool(tmp_path, 3, 10, size=16)
    assert asked == [4, 8]


def test_a_helper_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="failed"):
        pool.draw_pool(tmp_path, -1, 2, size=16, processes=1, report=lambda line: None)
    assert not list(tmp_path.iterdir())
