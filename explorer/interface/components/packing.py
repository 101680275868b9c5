"""One binary message for a browser component: a JSON header followed by named byte blobs."""

import json
from collections.abc import Mapping
from typing import Any


def pack(header: Mapping[str, Any], blobs: Mapping[str, bytes]) -> bytes:
    """Pack a header and blobs into one byte string, read by `unpack` in the component's JavaScript.

    Layout: 4 bytes little-endian header length, the header as UTF-8 JSON, then the blobs one after another.
    The header gains `"blobs": {name: [offset, length]}` with offsets counted from the end of the header.
    Numbers travel as raw bytes because base64 inside JSON costs a third more and a copy in the browser.

    Args:
        header: JSON-serialisable values.
        blobs: raw bytes by name.
    """
    places: dict[str, list[int]] = {}
    offset = 0
    for name, blob in blobs.items():
        places[name] = [offset, len(blob)]
        offset += len(blob)
    head = json.dumps({**header, "blobs": places}, separators=(",", ":"), allow_nan=False).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *blobs.values()])


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a message made by `pack` (for tests and notebooks)."""
    length = int.from_bytes(message[:4], "little")
    header = json.loads(message[4 : 4 + length])
    body = message[4 + length :]
    return header, {name: body[at : at + size] for name, (at, size) in header["blobs"].items()}
