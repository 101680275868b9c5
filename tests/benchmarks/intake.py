"""Measures taking in a large upload against plain decoding of the same file: seconds, memory, what is kept.

`python -m tests.benchmarks.intake` prints a Markdown table. Both ways are timed in turn on the same file, in
one process; the peak of memory is measured in a process for each. The photograph is a sample, enlarged and
with grain added, so that its file has the size of a real one.
"""

from __future__ import annotations

import argparse
import gc
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from explorer.pictures.intake import decode
from explorer.pictures.samples import SAMPLES

LARGE, PHONE = (8660, 5774), (4032, 3024)


def photograph(size: tuple[int, int]) -> Image.Image:
    """Return a photograph of (width, height) with grain."""
    path = SAMPLES["coffee"].path
    assert path is not None
    pixels = np.asarray(Image.open(path).convert("RGB").resize(size, Image.Resampling.BICUBIC)).copy()
    chance = np.random.default_rng(0)
    for band in np.array_split(np.arange(size[1]), 16):
        grain = chance.integers(-6, 7, (len(band), size[0], 1), np.int16)
        pixels[band] = np.clip(pixels[band] + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def files() -> dict[str, bytes]:
    """Return the measured files by name."""
    large, phone = photograph(LARGE), photograph(PHONE)

    def save(image: Image.Image, kind: str, **options: Any) -> bytes:
        target = io.BytesIO()
        if kind == "HEIC":
            import pillow_heif

            pillow_heif.from_pillow(image).save(target, quality=50)
        else:
            image.save(target, kind, **options)
        return target.getvalue()

    return {
        "JPEG, 50 megapixels": save(large, "JPEG", quality=85),
        "JPEG, progressive, 50 megapixels": save(large, "JPEG", quality=85, progressive=True),
        "WebP, 50 megapixels": save(large, "WEBP", quality=75, method=0),
        "JPEG, 12 megapixels": save(phone, "JPEG", quality=90),
        "HEIC, 12 megapixels": save(phone, "HEIC"),
        "PNG, 12 megapixels": save(phone, "PNG", compress_level=1),
    }


def plain(data: bytes) -> Any:
    """Decode as Pillow does it by itself, at full size."""
    if data[4:8] == b"ftyp":
        import pillow_heif

        return pillow_heif.HeifImageFile(io.BytesIO(data)).load()
    return Image.open(io.BytesIO(data)).load()


def side_by_side(data: bytes, turns: int) -> tuple[float, float]:
    """Return the median seconds of (this project's intake, plain decoding), taken in turn."""
    seconds: dict[Callable[[bytes], Any], list[float]] = {decode: [], plain: []}
    for _ in range(turns):
        for way in (decode, plain):
            gc.collect()
            began = time.perf_counter()
            way(data)
            seconds[way].append(time.perf_counter() - began)
    return statistics.median(seconds[decode]), statistics.median(seconds[plain])


PEAK = """
import sys
from tests.benchmarks.intake import decode, plain
data = open(sys.argv[2], "rb").read()
{"decode": decode, "plain": plain}[sys.argv[1]](open(sys.argv[3], "rb").read())
def used(what):
    return int(open("/proc/self/status").read().split(what)[1].split()[0]) / 1024
open("/proc/self/clear_refs", "w").write("5")
before = used("VmRSS:")
{"decode": decode, "plain": plain}[sys.argv[1]](data)
print(used("VmHWM:") - before)
"""


def peak(way: str, data: bytes, folder: Path) -> float:
    """Return by how many MB a process grows at most while it decodes (Linux), after a first small picture."""
    large, small = folder / "large", folder / "small"
    large.write_bytes(data)
    kind = "HEIC" if data[4:8] == b"ftyp" else Image.open(io.BytesIO(data)).format
    if kind == "HEIC":
        import pillow_heif

        pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(small)
    else:
        Image.new("RGB", (64, 64)).save(small, kind)
    command = [sys.executable, "-c", PEAK, way, str(large), str(small)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="how often each is timed; the median counts")
    turns = parser.parse_args().turns
    print("| file | size | intake | plain decoding | peak of intake | peak of plain | kept |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files().items():
            ours, theirs = side_by_side(data, turns)
            peaks = ["–", "–"]
            if sys.platform == "linux":
                peaks = [f"{peak(way, data, Path(folder)):.0f} MB" for way in ("decode", "plain")]
            kept = decode(data).pixels.nbytes / 2**20
            row = [
                name,
                f"{len(data) / 2**20:.1f} MB",
                f"{ours:.2f} s",
                f"{theirs:.2f} s",
                *peaks,
                f"{kept:.1f} MB",
            ]
            print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
