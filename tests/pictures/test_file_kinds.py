"""What is no picture is called by its name, and the visitor is told what to do."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from explorer.pictures.file_kinds import recognise
from explorer.pictures.intake import decode
from explorer.pictures.picture import PictureError
from tests.pictures.made_files import files_of_every_kind

KINDS = {
    "JPEG": "JPEG",
    "PNG": "PNG",
    "GIF": "GIF",
    "WebP": "WEBP",
    "BMP": "BMP",
    "TIFF": "TIFF",
    "HEIC": "HEIF",
}
FILES = files_of_every_kind()


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("cat.jpg", FILES["JPEG"])
    return target.getvalue()


def _tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("cat.jpg"))
    return target.getvalue()


STRANGERS = {
    "nothing": (b"", "The file is empty"),
    "text": ("Grüße,\nein Brief.\n".encode(), "text file"),
    "text in UTF-16": ("a letter".encode("utf-16"), "text file"),
    "text in Latin-1": ("Grüße,\nein Brief.\n".encode("latin-1"), "text file"),
    "text cut within a character": (("a" * 4095 + "é" * 10).encode(), "text file"),
    "JSON": (b'{"a": [1, 2]}', "text file"),
    "SVG": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
    "SVG with a script": (b"\xef\xbb\xbf <!-- x --> <SVG onload='alert(1)'>", "SVG drawing"),
    "HTML": (b"<!DOCTYPE html><html><body>x</body></html>", "web page"),
    "PDF": (b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "PDF document"),
    "PDF after junk": (b"\r\n\0junk%PDF-1.4", "PDF document"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF", "PostScript"),
    "ZIP": (_zip(), "archive or an Office document"),
    "tar": (_tar(), "archive"),
    "gzip": (gzip.compress(b"x"), "archive"),
    "Windows program": (b"MZ\x90\0" + b"\0" * 60, "program"),
    "Linux program": (b"\x7fELF\2\1\1", "program"),
    "script": (b"#!/bin/sh\nrm -rf /\n", "program"),
    "MP4": (b"\0\0\0\x18ftypisom\0\0\2\0isommp42", "video"),
    "QuickTime": (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "video"),
    "WebM": (b"\x1aE\xdf\xa3\x01\0\0\0", "video"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST", "video"),
    "MP3": (b"ID3\4\0\0", "sound"),
    "WAV": (b"RIFF\0\0\0\0WAVEfmt ", "sound"),
    "M4A": (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", "sound"),
    "Photoshop": (b"8BPS\0\1", "Photoshop file"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    "JPEG XL": (b"\xff\x0a\xfa\x1f", "JPEG XL"),
    "icon": (b"\0\0\1\0\1\0", "Windows icon"),
    "Canon raw": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw camera picture"),
    "Canon raw 2": (b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 40, "raw camera picture"),
    "NumPy": (b"\x93NUMPY\1\0", "NumPy array"),
    "noise": (bytes(range(128, 256)) * 4, "no picture that is known here"),
    "zeros": (b"\0" * 1000, "no picture that is known here"),
}


@pytest.mark.parametrize("name", FILES)
def test_pictures_are_known_by_their_content(name):
    first = name.split()[0]
    assert recognise(FILES[name]) == KINDS.get(first, first)


@pytest.mark.parametrize("name", STRANGERS)
def test_whatever_is_no_picture_gets_one_sentence_that_says_what_to_do(name):
    data, word = STRANGERS[name]
    with pytest.raises(PictureError) as caught:
        decode(data, name="picture.png")
    sentence = str(caught.value)
    assert word in sentence
    assert sentence.count(".") == 1 and sentence.endswith(".")
    assert any(verb in sentence for verb in ("upload", "save", "export"))


def test_a_generic_container_is_known_by_its_further_brands():
    def container(major: bytes, *brands: bytes) -> bytes:
        body = b"ftyp" + major + b"\0\0\0\0" + b"".join(brands)
        return (len(body) + 4).to_bytes(4, "big") + body

    assert recognise(container(b"mif1", b"avif", b"miaf")) == "AVIF"
    assert recognise(container(b"mif1", b"heic")) == "HEIF"
    assert recognise(container(b"avis")) == "AVIF"
