"""Masks come in with the very numbers that they were saved with, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from explorer.pictures.intake import decode_mask
from explorer.pictures.picture import PictureError
from explorer.settings import Settings
from tests.pictures.made_files import png, png_chunk, saved

CLASSES = np.array([[0, 1, 2, 255], [5, 5, 20, 0]], np.uint8)


def test_a_palette_gives_its_indices_whatever_its_colours() -> None:
    image = Image.fromarray(CLASSES).convert("L")
    image.putpalette(np.random.default_rng(0).integers(0, 256, 768, np.uint8).tobytes())
    assert image.mode == "P"
    assert np.array_equal(decode_mask(saved(image, "PNG")), CLASSES)


def test_grey_values_are_kept_and_black_and_white_is_zero_and_one() -> None:
    assert np.array_equal(decode_mask(saved(Image.fromarray(CLASSES), "PNG")), CLASSES)
    assert np.array_equal(decode_mask(saved(Image.fromarray(CLASSES > 3), "PNG")), CLASSES > 3)
    threefold = Image.fromarray(np.repeat(CLASSES[..., None], 3, axis=2))
    assert np.array_equal(decode_mask(saved(threefold, "PNG")), CLASSES)
    assert np.array_equal(decode_mask(saved(Image.fromarray(CLASSES.astype(np.uint16)), "PNG")), CLASSES)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("colour", [0, 3], ids=["grey", "palette"])
def test_values_of_few_bits_are_those_that_were_written(bits: int, colour: int) -> None:
    values = (np.arange(16).reshape(2, 8) % 2**bits).astype(np.uint8)
    rows = [np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - bits :]).tobytes() for row in values]
    palette = png_chunk(b"PLTE", bytes(3 * 2**bits)) if colour == 3 else b""
    data = png(8, 2, bits, colour, b"".join(b"\0" + row for row in rows), before_pixels=palette)
    assert np.array_equal(decode_mask(data), values)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (saved(Image.fromarray(CLASSES), "JPEG"), "PNG"),
        (saved(Image.fromarray(np.zeros((4, 4, 3), np.uint8) + np.array([9, 8, 7], np.uint8)), "PNG"), "palette"),
        (saved(Image.fromarray(CLASSES.astype(np.uint16) * 100), "PNG"), "255"),
        (saved(Image.fromarray(CLASSES), "PNG")[:50], "cut off"),
        (b"words, words, words", "text file"),
        (png(60_000, 60_000, 8, 0, b""), "megapixels"),
    ],
)
def test_what_is_no_mask_is_refused_in_a_sentence(data: bytes, word: str) -> None:
    with pytest.raises(PictureError, match=word) as refused:
        decode_mask(data, settings=Settings())
    assert str(refused.value).endswith(".") and str(refused.value).count(". ") == 0
