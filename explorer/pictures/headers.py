"""Measures a picture file without decoding it, and keeps only the parts that carry pixels and colours.

What arrives here may have been made to hurt: sizes of a gigapixel in a file of a kilobyte, a million empty
blocks, metadata that unpack to gigabytes. So the file is walked over once, with a bounded number of steps,
before any decoder sees it; what is handed on holds neither metadata nor further pictures. Sources: ITU-T T.81
annex B (JPEG), W3C PNG third edition section 5, GIF89a specification sections 17 to 27, TIFF 6.0 section 2,
RFC 9649 (WebP), ISO/IEC 14496-12 section 4.2 (boxes).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from explorer.pictures.picture import PictureError

# Far above what honest files have, low enough that walking over them takes a fraction of a second.
MOST_SEGMENTS = 4096
MOST_SCANS = 100
MOST_CHUNKS = 100_000
MOST_BLOCKS = 1_000_000
MOST_VALUES = 300_000
MOST_PAGES = 1000
MOST_JUNK_BYTES = 65_536
MOST_PROFILE_BYTES = 1_000_000
MOST_RUN_LENGTH_BYTES = 4_000_000
MOST_RUN_LENGTH_PIXELS = 4_000_000

# What reading at a place raises that is not in the file, or is no place at all.
_BEYOND_THE_END = (struct.error, IndexError, OverflowError)

TRUNCATED = "The file ends before its picture does: it may have been cut off on the way, so send it again."
DAMAGED = (
    "The picture in this file cannot be read, as it is damaged or of a rare kind: "
    "open it in another program, save it as PNG and upload that."
)


def too_many(kind: str, what: str) -> PictureError:
    """Return the error for a file that has more pieces than any honest picture."""
    return PictureError(
        f"This {kind} file has far more {what} than a picture needs: "
        "open it in another program, save it as PNG and upload that."
    )


@dataclass(frozen=True)
class Header:
    """What can be known about a picture file without decoding it.

    Attributes:
        data: The file, less what is not needed for the pixels and colours of its first picture.
        size: (width, height) as the header gives it; None when only the decoder can tell.
        frames: How many frames or pages there are; None when only the decoder can tell.
        orientation: The EXIF orientation, 1 to 8 (CIPA DC-008, tag 0x0112); 1 is upright.
        turned: Whether the decoder itself turns the picture upright.
    """

    data: bytes
    size: tuple[int, int] | None
    frames: int | None = None
    orientation: int = 1
    turned: bool = False


def read_header(kind: str, data: bytes) -> Header:
    """Measure a file of the format `kind` (a name that `recognise` returns).

    Raises:
        PictureError: The file is cut off, damaged, or built to be expensive.
    """
    try:
        return _READERS[kind](data)
    except _BEYOND_THE_END:
        raise PictureError(TRUNCATED) from None


# JPEG ---------------------------------------------------------------------------------------------------

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset(range(0xD0, 0xD9)) | {0x01}
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


def _read_jpeg(data: bytes) -> Header:
    kept: list[bytes] = [b"\xff\xd8"]
    size: tuple[int, int] | None = None
    orientation: int | None = None
    for at, marker, end in _jpeg_segments(data):
        if marker == 0xDA:
            picture_end = _end_of_scans(data, at)
            if size is None:
                raise PictureError(DAMAGED)
            body = data[at:picture_end]
            return Header(b"".join([*kept, body]), size, 1, orientation or 1)
        content = data[at + 4 : end]
        if marker in _FRAME_HEADERS:
            height, width = struct.unpack(">HH", content[1:5])
            size = (width, height)
        if marker == 0xE1 and orientation is None and content.startswith(b"Exif\0"):
            orientation = exif_orientation(content)
        if not _is_jpeg_metadata(marker, content):
            kept.append(data[at:end])
    raise PictureError(TRUNCATED)


def _is_jpeg_metadata(marker: int, content: bytes) -> bool:
    """Everything that an application wrote beside the picture, but for what tells its colours."""
    if marker == 0xE0 or marker == 0xEE:  # JFIF and Adobe: which colour model the numbers are in
        return False
    if marker == 0xE2:
        return not content.startswith(b"ICC_PROFILE\0")
    return 0xE1 <= marker <= 0xEF or marker == 0xFE


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (start, marker, end) of each segment, up to and with the first start of scan."""
    at, junk = 2, 0
    for _ in range(MOST_SEGMENTS):
        start = data.find(b"\xff", at)
        if start < 0:
            return
        junk += start - at
        if junk > MOST_JUNK_BYTES:
            raise PictureError(DAMAGED)
        while data[start + 1] == 0xFF:
            start += 1
            junk += 1
        marker = data[start + 1]
        if marker == 0xD9:
            return
        if marker == 0 or marker in _STANDALONE:
            at = start + 2
            continue
        length = struct.unpack(">H", data[start + 2 : start + 4])[0]
        at = start + 2 + length
        if length < 2 or at > len(data):
            raise PictureError(TRUNCATED if length >= 2 else DAMAGED)
        yield start, marker, at
    raise too_many("JPEG", "segments")


def _end_of_scans(data: bytes, first_scan: int) -> int:
    """Return where the picture ends: what follows (a second picture, a video) is not handed on.

    A progressive picture may refine itself in many scans, and each costs a pass over all its pixels.
    """
    at, scans = first_scan, 0
    for _ in range(MOST_SEGMENTS):
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xDA:
            scans += 1
            if scans > MOST_SCANS:
                raise too_many("JPEG", "scans")
        length = struct.unpack(">H", data[at + 2 : at + 4])[0] if marker not in _STANDALONE else 0
        match = _NEXT_MARKER.search(data, at + 2 + length)
        if match is None:
            return len(data)
        at = match.end() - 2
    raise too_many("JPEG", "segments")


# PNG ----------------------------------------------------------------------------------------------------

_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP"}


def _read_png(data: bytes) -> Header:
    kept: list[bytes] = [data[:8]]
    size: tuple[int, int] | None = None
    frames, orientation, at = 1, 1, 8
    still = begun = False
    for _ in range(MOST_CHUNKS):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            raise PictureError(TRUNCATED)
        if name == b"IHDR" and size is None:
            size = struct.unpack(">II", data[at + 8 : at + 16])
        elif name == b"acTL" and length >= 8:
            frames = max(1, struct.unpack(">I", data[at + 8 : at + 12])[0])
        elif name == b"IDAT":
            still = still or not begun  # a picture for those who cannot show the animation is none of its frames
        elif name == b"fcTL":
            begun = True
        elif name == b"eXIf":
            orientation = exif_orientation(data[at + 8 : end - 4])
        if size is None:
            raise PictureError(DAMAGED)
        if name in _PNG_KEPT and (name != b"iCCP" or _is_small_profile(data[at + 8 : end - 4])):
            kept.append(data[at:end])
        if name == b"IEND":
            return Header(b"".join(kept), size, 1 if still else frames, orientation)
        at = end
    raise too_many("PNG", "chunks")


def _is_small_profile(chunk: bytes) -> bool:
    """Whether the colour profile in a chunk unpacks to less than a megabyte, as all for screens do."""
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(chunk[chunk.index(b"\0") + 2 :], MOST_PROFILE_BYTES)
    except (ValueError, zlib.error):
        return False
    return not unpacker.unconsumed_tail


# GIF ----------------------------------------------------------------------------------------------------


def _read_gif(data: bytes) -> Header:
    """Keep the screen, the palette and the first frame with its transparent colour; count the frames."""
    width, height, flags = struct.unpack("<HHB", data[6:11])
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    kept, control = [data[:at]], b""
    size, frames, steps = (width, height), 0, 0
    while at < len(data) and data[at] != 0x3B:
        start = at
        if data[at] == 0x21:
            if data[at + 1 : at + 3] == b"\xf9\x04" and not frames:
                # Only whether a colour is transparent, and which: no delay, nothing to do after the frame.
                control = b"!\xf9\x04" + bytes([data[at + 3] & 1, 0, 0, data[at + 6], 0])
            at += 2
        elif data[at] == 0x2C:
            left, top, frame_width, frame_height, flags = struct.unpack("<4HB", data[at + 1 : at + 10])
            size = size if frames else (max(width, left + frame_width), max(height, top + frame_height))
            frames += 1
            at += 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0) + 1
        else:
            if frames:  # whatever follows the first frame need not be understood
                break
            raise PictureError(DAMAGED)
        while at < len(data) and data[at]:
            at += 1 + data[at]
            steps += 1
            if steps > MOST_BLOCKS:
                raise too_many("GIF", "blocks")
        at += 1
        steps += 1
        if at > len(data) and frames <= 1:
            raise PictureError(TRUNCATED)
        if data[start] == 0x2C and frames == 1:
            kept += [control, data[start:at]]
    if not frames:
        raise PictureError(TRUNCATED)
    return Header(b"".join([*kept, b";"]), size, frames)


# WebP, BMP, HEIF, AVIF ----------------------------------------------------------------------------------


def _read_webp(data: bytes) -> Header:
    """Read the canvas, which the decoder would allocate as soon as it is made."""
    if struct.unpack("<I", data[4:8])[0] + 8 > len(data):
        raise PictureError(TRUNCATED)
    if data[12:16] == b"VP8X":
        size = (int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1)
    elif data[12:16] == b"VP8L":
        bits = struct.unpack("<I", data[21:25])[0]
        size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif data[12:16] == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        size = (width & 0x3FFF, height & 0x3FFF)
    else:
        raise PictureError(DAMAGED)
    return Header(data, size)


def _read_bmp(data: bytes) -> Header:
    length = struct.unpack("<I", data[14:18])[0]
    if length == 12:
        return Header(data, struct.unpack("<HH", data[18:22]), 1)
    width, height, _, _, compression = struct.unpack("<iiHHI", data[18:34])
    size = (abs(width), abs(height))
    run_length_coded = compression in (1, 2)
    if run_length_coded and (len(data) > MOST_RUN_LENGTH_BYTES or size[0] * size[1] > MOST_RUN_LENGTH_PIXELS):
        raise PictureError("This run-length coded BMP file is too large: save it as PNG and upload that.")
    return Header(data, size, 1)


def _read_boxes(data: bytes) -> Header:
    at = 0
    for _ in range(MOST_SEGMENTS):
        if at >= len(data):
            return Header(data, None, turned=True)
        length, name = struct.unpack(">I4s", data[at : at + 8])
        if length == 1:
            length = struct.unpack(">Q", data[at + 8 : at + 16])[0]
        elif length == 0:
            length = len(data) - at
        if length < 8:
            raise PictureError(DAMAGED)
        at += length
        if at > len(data) and name in (b"ftyp", b"meta", b"mdat", b"moov", b"idat"):
            raise PictureError(TRUNCATED)
    raise too_many("HEIC or AVIF", "boxes")


# TIFF, and the small TIFF inside EXIF --------------------------------------------------------------------

_VALUE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_RAW_TYPES = {1, 2, 7}
_WIDTH, _LENGTH, _ORIENTATION, _TILE_WIDTH, _TILE_LENGTH = 0x100, 0x101, 0x112, 0x142, 0x143
_STRIP_OFFSETS, _TILE_OFFSETS, _NEW_FILE_TYPE, _DNG_VERSION = 0x111, 0x144, 0xFE, 0xC612
_OTHER_DIRECTORIES = (0x8769, 0x8825, 0xA005)


@dataclass(frozen=True)
class _Field:
    """One entry of a TIFF directory: its type, how many values, and where they are in the file."""

    kind: int
    count: int
    at: int


class _Tiff:
    """Reads directories of a TIFF file (classic or Big), never more than `MOST_VALUES` values of one."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = "<" if data[:2] == b"II" else ">"
        self.big = data[2:4] in (b"+\0", b"\0+")
        self.first = self.number("Q", 8) if self.big else self.number("I", 4)

    def number(self, code: str, at: int) -> int:
        return struct.unpack_from(self.order + code, self.data, at)[0]

    def directory(self, at: int) -> tuple[dict[int, _Field], int]:
        """Return the fields by tag, and the place of the next directory (0: none)."""
        head, step, inline = ("Q", 20, 8) if self.big else ("H", 12, 4)
        word = "Q" if self.big else "I"
        entries = self.number(head, at)
        if entries > MOST_SEGMENTS:
            raise too_many("TIFF", "fields")
        at += struct.calcsize("=" + head)
        fields: dict[int, _Field] = {}
        for _ in range(entries):
            tag, kind = self.number("H", at), self.number("H", at + 2)
            count = self.number(word, at + 4)
            place = at + (12 if self.big else 8)
            if count * _VALUE_BYTES.get(kind, 1) > inline:
                place = self.number(word, place)
            fields[tag] = _Field(kind, count, place)
            at += step
        return fields, self.number(word, at) if at + inline <= len(self.data) else 0

    def values(self, field: _Field | None) -> tuple[int, ...]:
        """Return the whole numbers of a field; empty when there are none."""
        codes = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
        if field is None or field.kind not in codes or field.count > MOST_VALUES:
            return ()
        return struct.unpack_from(f"{self.order}{field.count}{codes[field.kind]}", self.data, field.at)

    def one(self, field: _Field | None) -> int:
        """Return the first whole number of a field, 0 when there is none."""
        found = self.values(field)
        return found[0] if found else 0


def _read_tiff(data: bytes) -> Header:
    tiff = _Tiff(data)
    fields, following = tiff.directory(tiff.first)
    if _DNG_VERSION in fields or data[8:10] == b"CR":
        raise PictureError(
            "This is a raw camera picture, which is not read here: export it as PNG or JPEG and upload that."
        )
    _refuse_crowded(fields)
    for tag in _OTHER_DIRECTORIES:
        if tag in fields and (at := tiff.one(fields[tag])):
            # A broken pointer to metadata is no reason to refuse a picture: they are dropped anyway.
            if at + 2 > len(data):
                continue
            _refuse_crowded(tiff.directory(at)[0])
    size = (tiff.one(fields.get(_WIDTH)), tiff.one(fields.get(_LENGTH)))
    tile = tiff.one(fields.get(_TILE_WIDTH)) * tiff.one(fields.get(_TILE_LENGTH))
    if tile > 4 * size[0] * size[1] + 1_048_576:
        raise PictureError(DAMAGED)
    places = tiff.values(fields.get(_STRIP_OFFSETS)) or tiff.values(fields.get(_TILE_OFFSETS))
    if places and max(places) >= len(data):
        raise PictureError(TRUNCATED)
    orientation = tiff.one(fields.get(_ORIENTATION))
    pages = 1 + _count_pages(tiff, following)
    return Header(data, size, pages, orientation if 1 <= orientation <= 8 else 1, turned=True)


def _refuse_crowded(fields: dict[int, _Field]) -> None:
    for field in fields.values():
        if field.count > MOST_VALUES and field.kind not in _RAW_TYPES:
            raise too_many("TIFF", "values")


def _count_pages(tiff: _Tiff, at: int) -> int:
    """Count the further full pages; thumbnails, masks and whatever cannot be read do not count."""
    seen: set[int] = set()
    pages = 0
    while at and at not in seen and len(seen) < MOST_PAGES:
        seen.add(at)
        try:
            fields, at = tiff.directory(at)
        except (*_BEYOND_THE_END, PictureError):
            break
        pages += not tiff.one(fields.get(_NEW_FILE_TYPE)) & 5
    return pages


def exif_orientation(exif: bytes | None) -> int:
    """Return the orientation in an EXIF block, 1 to 8; 1 (upright) when there is none or it is nonsense.

    Only this one number is read: the rest of the block (place, time, camera, owner) is dropped unread.
    """
    if not exif:
        return 1
    block = exif[6:] if exif.startswith(b"Exif\0") else exif
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return 1
    try:
        tiff = _Tiff(block)
        field = tiff.directory(tiff.first)[0].get(_ORIENTATION)
        value = tiff.one(field) if field and field.count == 1 else 1
    except (*_BEYOND_THE_END, PictureError):
        return 1
    return value if 1 <= value <= 8 else 1


_READERS = {
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "GIF": _read_gif,
    "WEBP": _read_webp,
    "BMP": _read_bmp,
    "TIFF": _read_tiff,
    "HEIF": _read_boxes,
    "AVIF": _read_boxes,
}
