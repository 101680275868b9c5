"""What comes in is shown as it was meant: formats, sizes, orientation, depth, alpha and colours."""

from __future__ import annotations

import dataclasses
import hashlib
import struct

import numpy as np
import pytest
from PIL import Image

from explorer.pictures.intake import decode, fit_within
from explorer.pictures.picture import Picture, PictureError
from explorer.settings import Settings
from tests.pictures.made_files import (
    QUARTERS,
    exif,
    files_of_every_kind,
    icc_profile,
    middles,
    png,
    png_chunk,
    saved,
    tiff,
)

FILES = files_of_every_kind()
SHORT = Settings(picture_side=64)

# XYZ under D50 of full red, green and blue, one a column: the profiles that Apple (Display P3) and the ICC
# (sRGB) publish.
DISPLAY_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])


def grey_ramp(side: int = 256) -> np.ndarray:
    return np.arange(side * side, dtype=np.uint16).reshape(side, side)


@pytest.mark.parametrize("name", FILES)
def test_every_format_becomes_a_picture_of_the_colours_that_it_shows(name):
    picture = decode(FILES[name], name=f"{name}.dat")
    assert picture.pixels.dtype == np.uint8 and picture.pixels.shape[2] == 3
    assert not picture.pixels.flags.writeable
    assert sorted(picture.pixels.shape[:2]) == [32, 48]
    assert picture.source == "upload:" + hashlib.sha256(FILES[name]).hexdigest()
    if any(word in name for word in ("grey", "alpha", "16", "bit", "float", "lossless", "palette")):
        return  # their values are held one by one below
    turns = {"JPEG": 3, "PNG": 2, "WebP": 1, "HEIC": 3, "AVIF": 3}.get(name, 0)
    expected = middles(QUARTERS.transpose(1, 0, 2) if name == "TIFF" else np.rot90(QUARTERS, turns))
    assert np.abs(middles(picture.pixels) - expected).max() <= 12


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_a_lossless_file_keeps_every_pixel(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = Image.fromarray(QUARTERS)
    assert np.array_equal(decode(saved(picture, kind, **options)).pixels, QUARTERS)


def test_the_content_counts_and_not_the_name():
    picture = decode(FILES["PNG palette"], name="holiday.jpg")
    assert np.array_equal(picture.pixels, decode(FILES["PNG palette"], name="x.exe").pixels)


# Orientation ---------------------------------------------------------------------------------------------

UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG", "HEIF", "AVIF"])
def test_every_exif_orientation_is_turned_upright(kind, orientation):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95, "subsampling": 0}}.get(kind, {})
    file = saved(Image.fromarray(QUARTERS), kind, exif=exif(orientation), **options)
    picture = decode(file)
    expected = UPRIGHT[orientation](QUARTERS)
    assert picture.pixels.shape == expected.shape
    assert picture.original_size == expected.shape[:2]
    if kind in {"PNG", "TIFF", "WEBP"}:
        assert np.array_equal(picture.pixels, expected)
    assert np.abs(middles(picture.pixels) - middles(expected)).max() <= 12
    if kind != "HEIF":  # its container turns the picture, not the camera's note
        assert ("turned upright, as the camera noted" in picture.notes) == (orientation != 1)


def test_a_nonsense_orientation_leaves_the_picture_as_it_is():
    for orientation in (0, 9, 65_535):
        file = saved(Image.fromarray(QUARTERS), "PNG", exif=exif(orientation))
        assert np.array_equal(decode(file).pixels, QUARTERS)


def test_a_large_turned_picture_is_reduced_and_turned():
    wide = np.repeat(np.repeat(QUARTERS, 20, 0), 20, 1)
    file = saved(Image.fromarray(wide), "JPEG", exif=exif(6), quality=95)
    picture = decode(file, settings=SHORT)
    assert picture.pixels.shape == (64, 43, 3)
    assert picture.original_size == (960, 640)
    assert np.abs(middles(picture.pixels) - middles(np.rot90(QUARTERS, -1))).max() <= 6
    assert picture.notes[0] == "shown at 43 × 64, reduced from 640 × 960"


# Sizes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF"])
def test_a_large_picture_is_reduced_to_its_means(kind):
    large = np.repeat(np.repeat(QUARTERS, 30, 0), 30, 1)
    picture = decode(saved(Image.fromarray(large), kind), settings=SHORT)
    assert picture.pixels.shape == (43, 64, 3)
    assert np.abs(middles(picture.pixels) - middles(QUARTERS)).max() <= 8


def test_reducing_keeps_the_mean_of_fine_noise():
    noise = np.random.default_rng(0).integers(0, 256, (2048, 2048), np.uint8)
    shown = decode(saved(Image.fromarray(noise), "PNG"), settings=SHORT).pixels
    blocks = noise.reshape(64, 32, 64, 32).mean((1, 3))
    assert abs(shown.mean() - noise.mean()) < 1
    assert np.abs(shown[..., 0] - blocks).mean() < 3


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((1, 1), (1, 1)),
        ((1, 5000), (1, 1024)),
        ((5000, 1), (1024, 1)),
        ((60_000, 3), (1024, 1)),
        ((1024, 1024), (1024, 1024)),
        ((1025, 1024), (1024, 1023)),
    ],
)
def test_extreme_shapes_keep_at_least_one_pixel_a_side(size, kept):
    assert fit_within(size, 1024) == kept
    for kind in ("PNG", "JPEG"):
        picture = decode(saved(Image.new("RGB", size, (9, 99, 199)), kind))
        assert picture.pixels.shape == (kept[1], kept[0], 3)
        assert np.abs(picture.pixels.reshape(-1, 3).astype(int) - (9, 99, 199)).max() <= 3


def test_nothing_of_full_size_is_kept():
    picture = decode(saved(Image.new("RGB", (4000, 3000)), "PNG"))
    held = [value for value in vars(picture).values() if isinstance(value, np.ndarray | bytes)]
    assert [value.nbytes for value in held] == [1024 * 768 * 3]
    assert picture.pixels.base is None or picture.pixels.base.nbytes == picture.pixels.nbytes


# Depth ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "TIFF little", "TIFF big"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind):
    ramp = grey_ramp()
    file = saved(Image.fromarray(ramp), "PNG") if kind == "PNG" else tiff(ramp, byteorder=">" if "big" in kind else "<")
    picture = decode(file)
    assert np.array_equal(picture.pixels[..., 0], np.rint(ramp / 257).astype(np.uint8))
    assert "16 bits per channel, shown with 8" in picture.notes


def test_twelve_bit_grey_fills_the_scale():
    # Two values of twelve bits in three bytes (TIFF 6.0, section 4).
    file = tiff(np.zeros((1, 4), np.uint16)).replace(
        b"\x02\x01\x03\0\x01\0\0\0\x10\0", b"\x02\x01\x03\0\x01\0\0\0\x0c\0"
    )
    picture = decode(file[:-8] + bytes([0x00, 0x08, 0x00, 0xFF, 0xF1, 0x00, 0, 0]))
    assert picture.pixels[0, :, 0].tolist() == [0, 128, 255, 16]
    assert "12 bits per channel, shown with 8" in picture.notes


def test_sixteen_bit_colours_are_scaled_and_not_clipped():
    ramp = np.stack([grey_ramp(64) * 16, grey_ramp(64)[::-1] * 16, grey_ramp(64).T * 16], -1)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in ramp)
    for file in (
        png(64, 64, 16, 2, rows),
        tiff(ramp, photometric="rgb"),
        tiff(ramp, photometric="rgb", compression="zlib"),
    ):
        assert np.abs(decode(file).pixels - ramp / 257).max() <= 1


def test_a_sixteen_bit_transparent_grey_is_shown_on_white():
    ramp = np.array([[0, 1000, 30_000, 65_535]], np.uint16)
    rows = b"\0" + ramp.astype(">u2").tobytes()
    file = png(4, 1, 16, 0, rows, before_pixels=png_chunk(b"tRNS", struct.pack(">H", 1000)))
    assert decode(file).pixels[0, :, 0].tolist() == [0, 255, 117, 255]


def test_whole_numbers_of_32_bits_are_taken_as_what_their_range_says():
    for values, expected in (
        ([0, 100, 255], [0, 100, 255]),
        ([0, 25_700, 65_535], [0, 100, 255]),
        ([-100, 0, 100], [0, 128, 255]),
    ):
        picture = decode(tiff(np.array([values], np.int32)))
        assert picture.pixels[0, :, 0].tolist() == expected
    assert "values from -100 (black) to 100 (white)" in picture.notes


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255], "values from 0 to 1"),
        ([0.0, 100.0, 255.0], [0, 100, 255], None),
        ([-2.0, 0.0, 2.0], [0, 128, 255], "values from -2 (black) to 2 (white)"),
        ([5000.0, 6000.0, 7000.0], [0, 128, 255], "values from 5000 (black) to 7000 (white)"),
        ([np.nan, 0.0, 1.0], [0, 0, 255], "values from 0 to 1; what is no number is shown black"),
        ([-np.inf, 1.0, np.inf], [0, 255, 255], "values from 0 to 1; what is no number is shown black"),
        ([np.nan, np.nan, np.nan], [0, 0, 0], "no value is a number, so all is shown black"),
        ([300.0, 300.0, 300.0], [0, 0, 0], "values from 300 (black) to 300 (white)"),
    ],
)
def test_floating_point_values_are_scaled_as_the_note_says(values, expected, note):
    picture = decode(tiff(np.array([values], np.float32)))
    assert picture.pixels[0, :, 0].tolist() == expected
    if note:
        assert note in picture.notes


def test_one_bit_is_black_and_white():
    bits = np.random.default_rng(1).integers(0, 2, (9, 13)).astype(bool)
    for kind in ("PNG", "TIFF", "BMP", "GIF"):
        assert np.array_equal(decode(saved(Image.fromarray(bits), kind)).pixels, np.repeat(bits[..., None], 3, 2) * 255)


def test_grey_is_shown_with_equal_channels_and_says_so():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = decode(saved(Image.fromarray(grey), "PNG"))
    assert np.array_equal(picture.pixels, np.repeat(grey[..., None], 3, 2))
    assert picture.notes == ("grey: red, green and blue are equal",)


# Alpha ---------------------------------------------------------------------------------------------------


def over_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / 255
    return np.floor(colour * share + 255 * (1 - share) + 0.5)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_alpha_is_laid_over_white(kind):
    alpha = np.tile(np.arange(48, dtype=np.uint8) * 5, (32, 1))
    picture = Image.fromarray(np.dstack([QUARTERS, alpha]))
    shown = decode(saved(picture, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))
    assert np.array_equal(shown.pixels, over_white(QUARTERS, alpha))
    assert "transparent parts are shown on white" in shown.notes


def test_grey_with_alpha_is_laid_over_white():
    grey, alpha = np.mgrid[0:256:15, 0:256:15].astype(np.uint8)
    shown = decode(saved(Image.fromarray(np.dstack([grey, alpha])), "PNG"))
    assert np.array_equal(shown.pixels, over_white(np.repeat(grey[..., None], 3, 2), alpha))


def test_a_picture_with_an_alpha_that_hides_nothing_has_no_note():
    picture = Image.fromarray(QUARTERS).convert("RGBA")
    assert decode(saved(picture, "PNG")).notes == ()


def test_transparent_entries_of_a_palette_are_white():
    picture = Image.fromarray(np.arange(4, dtype=np.uint8).reshape(1, 4), "P")
    picture.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    for transparency, expected in (
        (2, [[10, 20, 30], [40, 50, 60], [255, 255, 255], [100, 110, 120]]),
        (bytes([255, 0, 51, 255]), [[10, 20, 30], [255] * 3, [218, 220, 222], [100, 110, 120]]),
    ):
        assert decode(saved(picture, "PNG", transparency=transparency)).pixels[0].tolist() == expected


def test_a_transparent_colour_is_white():
    for picture, transparency in (
        (Image.fromarray(QUARTERS), (30, 200, 60)),
        (Image.fromarray(QUARTERS[..., 0]), 30),
    ):
        expected = QUARTERS.copy() if picture.mode == "RGB" else np.repeat(QUARTERS[..., :1], 3, 2)
        expected[:16, 24:] = 255
        assert np.array_equal(decode(saved(picture, "PNG", transparency=transparency)).pixels, expected)


def test_hidden_colours_do_not_bleed_when_reduced():
    pixels = np.zeros((512, 512, 4), np.uint8)
    pixels[:, ::2] = (255, 0, 0, 0)  # invisible red between visible black
    pixels[:, 1::2, 3] = 255
    shown = decode(saved(Image.fromarray(pixels), "PNG"), settings=SHORT).pixels.astype(int)
    assert np.abs(shown[..., 0] - shown[..., 1]).max() <= 1


# Colours -------------------------------------------------------------------------------------------------


def test_printing_colours_of_jpeg_and_tiff_are_converted():
    inks = np.zeros((32, 64, 4), np.uint8)
    inks[:, :16] = (0, 0, 0, 0)
    inks[:, 16:32] = (255, 0, 0, 0)
    inks[:, 32:48] = (0, 128, 255, 64)
    inks[:, 48:] = (50, 50, 50, 255)
    cmyk = Image.frombytes("CMYK", (64, 32), inks.tobytes())
    expected = (255 - inks[..., :3].astype(float)) * (255 - inks[..., 3:].astype(float)) / 255
    # Pillow writes the Adobe marker and, as Adobe does, the inverted inks.
    jpeg = saved(cmyk, "JPEG", quality=100)
    assert b"Adobe" in jpeg
    for file in (jpeg, saved(cmyk, "TIFF")):
        picture = decode(file)
        assert np.abs(picture.pixels[16, 8::16] - expected[16, 8::16]).max() <= 3
        assert "printing colours (CMYK) converted to sRGB" in picture.notes


def p3_to_srgb(pixels: np.ndarray, gamma: float) -> np.ndarray:
    light = (pixels / 255.0) ** gamma @ DISPLAY_P3.T @ np.linalg.inv(SRGB).T
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "HEIF", "AVIF"])
def test_a_wide_gamut_profile_is_converted_to_srgb(kind):
    colours = np.zeros((32, 48, 3), np.uint8)
    colours[:16, :24], colours[:16, 24:] = (200, 60, 60), (90, 160, 90)
    colours[16:, :24], colours[16:, 24:] = (80, 90, 170), (250, 128, 20)
    profile = icc_profile(DISPLAY_P3, 2.2, "Display P3")
    picture = decode(saved(Image.fromarray(colours), kind, icc_profile=profile))
    exact = kind in {"PNG", "TIFF"}
    assert np.abs(middles(picture.pixels) - p3_to_srgb(middles(colours), 2.2)).max() <= (1.5 if exact else 8)
    assert "colours converted from Display P3 to sRGB" in picture.notes


def test_a_profile_is_applied_under_alpha_too():
    profile = icc_profile(DISPLAY_P3, 2.2)
    picture = Image.new("RGBA", (4, 4), (200, 60, 60, 128))
    expected = over_white(p3_to_srgb(np.array([200, 60, 60]), 2.2), np.array([128]))
    assert np.abs(decode(saved(picture, "PNG", icc_profile=profile)).pixels[0, 0] - expected).max() <= 1.5


@pytest.mark.parametrize("profile", [b"", b"nonsense" * 40, icc_profile(DISPLAY_P3, 2.2)[:200], b"\0" * 5_000_000])
def test_a_broken_profile_is_ignored(profile):
    assert np.array_equal(decode(saved(Image.fromarray(QUARTERS), "TIFF", icc_profile=profile)).pixels, QUARTERS)


def test_a_profile_for_another_kind_of_colours_is_ignored():
    grey = Image.fromarray(QUARTERS[..., 0])
    profile = icc_profile(DISPLAY_P3, 2.2)
    assert np.array_equal(decode(saved(grey, "PNG", icc_profile=profile)).pixels[..., 0], QUARTERS[..., 0])


def test_a_profile_that_is_srgb_changes_no_pixel():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = decode(saved(Image.fromarray(QUARTERS), "PNG", icc_profile=profile))
    assert np.array_equal(picture.pixels, QUARTERS) and picture.notes == ()


def test_the_name_of_a_profile_reaches_the_notes_without_its_tricks():
    profile = icc_profile(DISPLAY_P3, 2.2, "<script>alert(1)</script> " + "x" * 300)
    (note,) = decode(saved(Image.fromarray(QUARTERS), "PNG", icc_profile=profile)).notes
    assert "<" not in note and len(note) < 90


# Frames --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_the_first_frame_of_an_animation_is_shown(kind):
    frames = [Image.fromarray(np.roll(QUARTERS, 5 * i, 1)) for i in range(24)]
    options = {"lossless": True} if kind == "WEBP" else {}
    file = saved(frames[0], kind, save_all=True, append_images=frames[1:], loop=0, **options)
    picture = decode(file)
    assert np.array_equal(picture.pixels, QUARTERS)
    assert "first frame of 24" in picture.notes


def test_the_still_picture_of_an_animation_is_none_of_its_frames():
    frames = [Image.fromarray(np.roll(QUARTERS, 5 * i, 1)) for i in range(1, 4)]
    file = saved(Image.fromarray(QUARTERS), "PNG", save_all=True, append_images=frames, default_image=True)
    picture = decode(file)
    assert np.array_equal(picture.pixels, QUARTERS)
    assert picture.notes == ()


def test_the_first_page_of_a_tiff_is_shown():
    pages = np.stack([QUARTERS, QUARTERS[::-1], QUARTERS[:, ::-1]])
    picture = decode(tiff(pages, photometric="rgb"))
    assert np.array_equal(picture.pixels, QUARTERS)
    assert "first page of 3" in picture.notes


def test_what_lies_behind_a_jpeg_is_not_looked_at():
    file = FILES["JPEG progressive"]
    alone = decode(file)
    assert np.array_equal(alone.pixels, decode(file + b"\0\0\0\x18ftypmp42" + b"\xff\xda" * 500).pixels)
    assert np.array_equal(alone.pixels, decode(file + file).pixels)


# What is dropped, what is named --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_metadata_are_gone(kind):
    block = exif(1, text="TAKEN AT HOME")
    assert b"TAKEN AT HOME" in saved(Image.fromarray(QUARTERS), kind, exif=block)
    picture = decode(saved(Image.fromarray(QUARTERS), kind, exif=block))
    bare = decode(saved(Image.fromarray(QUARTERS), kind))
    assert np.array_equal(picture.pixels, bare.pixels)
    assert {field.name for field in dataclasses.fields(Picture)} == {
        "pixels", "source", "title", "original_size", "notes"
    }  # fmt: skip
    assert "HOME" not in repr(dataclasses.replace(picture, source=""))


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cat.jpg", "cat.jpg"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("a\0b\n\u202ecat.png", "abcat.png"),
        ("  ", "Uploaded picture"),
        ("", "Uploaded picture"),
        ("é" * 100, "é" * 59 + "…"),
    ],
)
def test_the_title_is_the_name_without_its_folders_and_tricks(name, title):
    assert decode(FILES["BMP"], name=name).title == title


def test_a_webcam_picture_says_so():
    picture = decode(FILES["BMP"], source_kind="webcam")
    assert picture.source.startswith("webcam:") and picture.title == "Webcam picture"


def test_limits_come_from_the_settings():
    file = saved(Image.new("RGB", (1500, 1000)), "PNG")
    with pytest.raises(PictureError, match=r"1500 × 1000 pixels \(2 megapixels\) and the limit is 1 megapixels"):
        decode(file, settings=Settings(upload_megapixels=1))
    with pytest.raises(PictureError, match=r"The file has 1\.5 MB and the limit is 1 MB"):
        decode(b"\xff\xd8\xff" + b"\0" * 1_572_861, settings=Settings(upload_megabytes=1))
