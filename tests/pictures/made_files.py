"""Picture files of every format, and bombs, made in memory for the tests of what comes in."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pillow_heif
import tifffile
from PIL import Image

# Four quarters of plain colours: wide enough that no chroma subsampling reaches their middles.
QUARTERS = np.zeros((32, 48, 3), np.uint8)
QUARTERS[:16, :24] = (220, 30, 40)
QUARTERS[:16, 24:] = (30, 200, 60)
QUARTERS[16:, :24] = (40, 60, 210)
QUARTERS[16:, 24:] = (240, 230, 90)


def middles(pixels: np.ndarray) -> np.ndarray:
    """Return the colours in the middles of the four quarters, int (4, 3)."""
    height, width = pixels.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return np.array([pixels[r, c] for r in rows for c in columns]).astype(int)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture saved as `kind`, a Pillow format name or "HEIF"."""
    target = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(target, **{"quality": 95, **options})
    else:
        image.save(target, kind, **options)
    return target.getvalue()


def tiff(values: np.ndarray, **options: Any) -> bytes:
    """Return an array as a TIFF file, written by tifffile."""
    target = io.BytesIO()
    tifffile.imwrite(target, values, **options)
    return target.getvalue()


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    width: int,
    height: int,
    depth: int,
    colour: int,
    rows: bytes,
    *,
    before_pixels: bytes = b"",
    level: int = 6,
) -> bytes:
    """Return a PNG file written by hand; each of `rows` starts with its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            before_pixels,
            png_chunk(b"IDAT", zlib.compress(rows, level)),
            png_chunk(b"IEND", b""),
        ]
    )


def exif(orientation: int, text: str = "") -> bytes:
    """Return an EXIF block with an orientation, a place (GPS) and a remark."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010E] = text or "remark"
    block.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 30.0)})
    return block.tobytes()


def icc_profile(columns: np.ndarray, gamma: float, name: str = "Test space") -> bytes:
    """Return an ICC profile (version 2, matrix and one gamma), after ICC.1:2001-04 section 6.3.1.2.

    Args:
        columns: (3, 3) XYZ under D50 of the full red, green and blue, one a column.
        gamma: The exponent that takes a stored value to light.
        name: Its description.
    """

    def xyz(values: np.ndarray) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = name.encode() + b"\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * (4 + 4 + 2 + 1 + 67)
    description += b"\0" * (-len(description) % 4)
    tags = {
        b"desc": description,
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(np.array([0.9642, 1.0, 0.8249])),
        b"rXYZ": xyz(columns[:, 0]),
        b"gXYZ": xyz(columns[:, 1]),
        b"bXYZ": xyz(columns[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += tag + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def files_of_every_kind() -> dict[str, bytes]:
    """Return one small file of every format and mode that is read, by a telling name."""
    picture = Image.fromarray(QUARTERS)
    grey = Image.fromarray(QUARTERS[..., 1])
    see_through = picture.convert("RGBA")
    see_through.putalpha(Image.fromarray(np.linspace(0, 255, 48 * 32).reshape(32, 48).astype(np.uint8)))
    frames = [Image.fromarray(np.roll(QUARTERS, 8 * i, 1)) for i in range(3)]
    animated: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
    sixteen = Image.fromarray(QUARTERS[..., 0].astype(np.uint16) * 257)
    palette = picture.quantize(8)
    return {
        "JPEG": saved(picture, "JPEG", exif=exif(6)),
        "JPEG progressive": saved(picture, "JPEG", progressive=True),
        "JPEG grey": saved(grey, "JPEG"),
        "JPEG CMYK": saved(picture.convert("CMYK"), "JPEG"),
        "PNG": saved(picture, "PNG", exif=exif(3)),
        "PNG alpha": saved(see_through, "PNG"),
        "PNG palette": saved(palette, "PNG", transparency=2),
        "PNG 16 bits": saved(sixteen, "PNG"),
        "PNG one bit": saved(grey.convert("1"), "PNG"),
        "PNG animated": saved(frames[0], "PNG", **animated),
        "GIF": saved(palette, "GIF"),
        "GIF animated": saved(frames[0], "GIF", **animated),
        "WebP": saved(picture, "WEBP", exif=exif(8)),
        "WebP lossless": saved(see_through, "WEBP", lossless=True),
        "WebP animated": saved(frames[0], "WEBP", **animated),
        "BMP": saved(picture, "BMP"),
        "BMP palette": saved(palette, "BMP"),
        "TIFF": saved(picture, "TIFF", exif=exif(5)),
        "TIFF LZW": saved(picture, "TIFF", compression="tiff_lzw"),
        "TIFF JPEG": saved(picture, "TIFF", compression="jpeg"),
        "TIFF tiles": tiff(QUARTERS, tile=(16, 16), photometric="rgb", compression="zlib"),
        "TIFF float": tiff(QUARTERS[..., 0].astype(np.float32) / 255),
        "TIFF big": tiff(QUARTERS, bigtiff=True, photometric="rgb"),
        "TIFF pages": tiff(np.stack([QUARTERS] * 3), photometric="rgb"),
        "HEIC": saved(picture, "HEIF", exif=exif(6)),
        "HEIC alpha": saved(see_through, "HEIF"),
        "AVIF": saved(picture, "AVIF", exif=exif(6)),
        "AVIF animated": saved(frames[0], "AVIF", **animated),
    }


def _png_of_size(width: int, height: int, rows: int = 64) -> bytes:
    return png(width, height, 8, 2, b"\0" * ((width * 3 + 1) * min(height, rows)), level=9)


def _text_bomb() -> bytes:
    text = b"Comment\0\0" + zlib.compress(b"x" * 30_000_000, 9)
    return png(1, 1, 8, 2, b"\0\1\2\3", before_pixels=png_chunk(b"zTXt", text) * 300)


def _profile_bomb() -> bytes:
    profile = b"wide\0\0" + zlib.compress(b"\0" * 100_000_000, 1)
    return png(1, 1, 8, 2, b"\0\1\2\3", before_pixels=png_chunk(b"iCCP", profile))


def _many_chunks() -> bytes:
    return png(1, 1, 8, 2, b"\0\1\2\3", before_pixels=png_chunk(b"teXt", b"") * 2_000_000)


def _tiff_file(entries: list[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", 0) + tail


def _tiff_huge_tag(tag: int) -> bytes:
    plain = [(256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 1, 8), (262, 3, 1, 1), (278, 4, 1, 16)]
    return _tiff_file([*plain, (tag, 4, 9_000_000, 200)], b"\1\0\0\0" * 9_000_100)


def _tiff_hidden_tag() -> bytes:
    """A directory of camera data that holds four million fractions."""
    plain = [
        (256, 4, 1, 16),
        (257, 4, 1, 16),
        (258, 3, 1, 8),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (0x8769, 4, 1, 200),
    ]
    inner = struct.pack("<HHHIII", 1, 0x9201, 5, 4_000_000, 300, 0)
    return _tiff_file(plain).ljust(200, b"\0") + inner.ljust(100, b"\0") + b"\1\0\0\0" * 8_000_000


def _tiff_tile() -> bytes:
    entries = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    entries += [(322, 4, 1, 40_000), (323, 4, 1, 40_000), (324, 4, 1, 200), (325, 4, 1, 4000)]
    return _tiff_file(entries, zlib.compress(b"\0" * 4_000_000, 9).ljust(8000, b"\0"))


def _gif_of_size(screen: tuple[int, int], frame: tuple[int, int]) -> bytes:
    start = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return start + b"," + struct.pack("<4HB", 0, 0, *frame, 0) + b"\2\2\x4c\1\0;"


def _gif_blocks() -> bytes:
    small = _gif_of_size((1, 1), (1, 1))
    return small[:19] + b"!\xfe" + b"\1x" * 15_000_000 + b"\0" + small[19:]


def _gif_frames() -> bytes:
    small = _gif_of_size((1, 1), (1, 1))
    return small[:19] + small[19:-1] * 2_000_000 + b";"


def _webp_of_size(width: int, height: int) -> bytes:
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + (width - 1).to_bytes(3, "little")
    canvas += (height - 1).to_bytes(3, "little")
    body = b"WEBP" + canvas + saved(Image.new("RGB", (4, 4)), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _patched_size(data: bytes, size: tuple[int, int]) -> bytes:
    """Write another size into the `ispe` box of a HEIC or AVIF file."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", *size) + data[at + 8 :]


def _jpeg_of_size(width: int, height: int) -> bytes:
    data = saved(Image.new("RGB", (16, 16)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def _jpeg_scans() -> bytes:
    data = saved(Image.new("RGB", (1024, 1024), (90, 120, 30)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 100_000 + b"\xff\xd9"


def _jpeg_segments() -> bytes:
    data = saved(Image.new("RGB", (16, 16)), "JPEG")
    return data[:2] + b"\xff\xfe\0\2" * 9_000_000 + data[2:]


def _jpeg_junk() -> bytes:
    data = saved(Image.new("RGB", (16, 16)), "JPEG")
    return data[:20] + b"\0" * 35_000_000 + data[20:]


def _bmp_runs() -> bytes:
    head = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 0, 0, 0, 1078, 40, 7000, 7000, 1, 8, 1, 0, 1, 1, 256, 0)
    return head + b"\0" * 1024 + b"\1\5" * 15_000_000


def _bmp_of_size() -> bytes:
    return struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 0, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 1, 1, 0, 0)


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG of 60000 × 60000": lambda: _png_of_size(60_000, 60_000),
    "PNG of 2147483647 × 2147483647": lambda: _png_of_size(2**31 - 1, 2**31 - 1, rows=0),
    "PNG with a million chunks": _many_chunks,
    "GIF screen of 65535 × 65535": lambda: _gif_of_size((65_535, 65_535), (1, 1)),
    "GIF frame of 65535 × 65535": lambda: _gif_of_size((1, 1), (65_535, 65_535)),
    "GIF comment of 15 million blocks": _gif_blocks,
    "GIF of two million frames": _gif_frames,
    "WebP canvas of 16383 × 16383": lambda: _webp_of_size(16_383, 16_383),
    "WebP canvas of 16777216 × 255": lambda: _webp_of_size(16_777_216, 255),
    "JPEG of 65500 × 65500": lambda: _jpeg_of_size(65_500, 65_500),
    "JPEG of a hundred thousand scans": _jpeg_scans,
    "JPEG of nine million segments": _jpeg_segments,
    "JPEG with 35 MB of nothing": _jpeg_junk,
    "BMP of 60000 × 60000": _bmp_of_size,
    "BMP of 15 million runs": _bmp_runs,
    "TIFF with nine million strips": lambda: _tiff_huge_tag(273),
    "TIFF with nine million bits per sample": lambda: _tiff_huge_tag(258),
    "TIFF with nine million unknown values": lambda: _tiff_huge_tag(60_000),
    "TIFF with four million fractions in its camera data": _tiff_hidden_tag,
    "TIFF with one tile of 40000 × 40000": _tiff_tile,
    "HEIC that claims 60000 × 60000": lambda: _patched_size(
        saved(Image.new("RGB", (64, 64)), "HEIF"), (60_000, 60_000)
    ),
    "AVIF that claims 60000 × 60000": lambda: _patched_size(
        saved(Image.new("RGB", (64, 64)), "AVIF"), (60_000, 60_000)
    ),
}
# Files that hold far more than they show, of which nothing is needed: read without unpacking that.
HARMLESS_BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG whose texts unpack to gigabytes": _text_bomb,
    "PNG whose profile unpacks to 100 MB": _profile_bomb,
}
