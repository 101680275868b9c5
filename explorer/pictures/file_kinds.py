"""Tells what a file is from its content, never from its name, and says what to do when it is no picture.

The signatures are those of the formats' own specifications, as collected in the WHATWG standard *MIME
Sniffing* (section 6) and, for ISO base media files, ISO/IEC 14496-12 and 23008-12 (brands).
"""

from __future__ import annotations

from explorer.pictures.picture import PictureError

READABLE = "a JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF file"

_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)

_OTHER_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"8BPS", "Photoshop file"),
    (b"gimp xcf", "GIMP file"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "JPEG 2000 picture"),
    (b"\0\0\0\x0cJXL ", "JPEG XL picture"),
    (b"\xff\x0a", "JPEG XL picture"),
    (b"\0\0\1\0", "Windows icon"),
    (b"\0\0\2\0", "Windows cursor"),
    (b"\x76\x2f\x31\x01", "OpenEXR picture"),
    (b"#?RADIANCE", "Radiance picture"),
    (b"qoif", "QOI picture"),
    (b"FUJIFILMCCD-RAW", "raw camera picture"),
    (b"IIRO", "raw camera picture"),
    (b"IIU\0", "raw camera picture"),
    (b"\xc5\xd0\xd3\xc6", "PostScript document"),
    (b"\x89HDF", "HDF5 data file"),
    (b"SIMPLE  =", "FITS data file"),
    (b"\x93NUMPY", "NumPy array"),
)

_ARCHIVES: tuple[bytes, ...] = (
    b"PK\3\4",
    b"PK\5\6",
    b"\x1f\x8b",
    b"BZh",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\7",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
)
_PROGRAMS: tuple[bytes, ...] = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\0asm",
)
_VIDEOS: tuple[bytes, ...] = (
    b"\x1aE\xdf\xa3",
    b"\0\0\1\xba",
    b"\0\0\1\xb3",
    b"FLV\1",
    b"OggS",
    b"\x30\x26\xb2\x75",
)
_SOUNDS: tuple[bytes, ...] = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"MThd")

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def recognise(data: bytes) -> str:
    """Return the format of a picture by its content.

    Returns:
        "JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF" or "AVIF".

    Raises:
        PictureError: The content is something else; the sentence says what, and what to do.
    """
    if not data:
        raise PictureError("The file is empty: save the picture anew and upload it again.")
    for signature, kind in _PICTURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _recognise_media(data)
    raise PictureError(_why_not(data))


def _recognise_media(data: bytes) -> str:
    """Tell apart the kinds of ISO base media files: pictures and videos share one container."""
    length = min(max(int.from_bytes(data[:4], "big"), 16), 4096)
    major = data[8:12]
    brands = {major} | {data[at : at + 4] for at in range(16, min(length, len(data)), 4)}
    if major in _AVIF_BRANDS or (major in {b"mif1", b"msf1"} and brands & _AVIF_BRANDS):
        return "AVIF"
    if major in _HEIF_BRANDS:
        return "HEIF"
    if major == b"crx ":
        raise PictureError(_other_picture("raw camera picture"))
    if major[:3] in {b"M4A", b"M4B"}:
        raise PictureError(f"This is a sound recording, not a picture: upload {READABLE}.")
    raise PictureError("This is a video: pause it, take a screenshot, and upload that.")


def _other_picture(what: str) -> str:
    article = "an" if what[0] in "AEIOU" else "a"
    return f"This is {article} {what}, which is not read here: export it as PNG or JPEG and upload that."


def _why_not(data: bytes) -> str:
    """Return the sentence for a file that is none of the readable pictures."""
    for signature, what in _OTHER_PICTURES:
        if data.startswith(signature):
            return _other_picture(what)
    if data.startswith(_PROGRAMS):
        return f"This is a program, not a picture, and it was not run: upload {READABLE}."
    if data.startswith(_VIDEOS) or (data[:4] == b"RIFF" and data[8:12] == b"AVI "):
        return "This is a video: pause it, take a screenshot, and upload that."
    if data.startswith(_SOUNDS) or data[:4] == b"RIFF":
        return f"This is a sound recording, not a picture: upload {READABLE}."
    if data.startswith(_ARCHIVES) or data[257:262] == b"ustar":
        return "This is an archive or an Office document: take the picture out of it and upload that."
    if b"%PDF-" in data[:1024]:
        return "This is a PDF document: export its page as PNG, or take a screenshot, and upload that."
    if data.startswith(b"%!PS"):
        return _other_picture("PostScript document")
    text = _as_text(data[:4096])
    if text is None:
        return f"The content of this file is no picture that is known here: upload {READABLE}."
    head = text.lower()
    if "<svg" in head or "<!doctype svg" in head:
        return "This is an SVG drawing, which has no pixels yet: export it as PNG and upload that."
    if "<!doctype html" in head or "<html" in head or "<head" in head or "<body" in head:
        return "This is a web page, not a picture: save the picture that is on it and upload that."
    return f"This is a text file, not a picture: upload {READABLE}."


def _as_text(head: bytes) -> str | None:
    """Return the beginning of a file as text, or None when it is not text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    text = head.decode("utf-8", "ignore").lstrip("\ufeff")
    # A multi-byte character may be cut at the end of the head; anything more that does not decode is binary.
    decodes = len(head) - len(text.encode()) <= 3 + 3
    if decodes and text and all(c.isprintable() or c in "\t\r\n\f\x1b" for c in text):
        return text
    latin = head.decode("latin-1")
    if head and all(c.isprintable() or c in "\t\r\n\f\xa0\xad" for c in latin):
        return latin
    return None
