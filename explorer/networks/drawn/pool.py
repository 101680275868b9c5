"""Training pictures drawn ahead: chunks on disk, drawn by helper processes, read as one array."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from explorer.networks.drawn.weights import write_whole
from explorer.pictures.drawn_world import PRETRAINING_CLASSES, draw_batch

CHUNK = 2_000
_CLASSES = tuple(range(len(PRETRAINING_CLASSES)))


def draw_pool(
    folder: Path,
    seed: int,
    pictures: int,
    *,
    size: int = 96,
    processes: int = 1,
    report: Callable[[str], None] = print,
) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures with training backgrounds and their labels; what the folder has is not drawn again.

    Args:
        folder: where the chunks are kept.
        seed: seed of the drawn world.
        pictures: how many; picture i is `draw(seed, i, classes=the twelve)`.
        size: side of a picture in pixels.
        processes: helper processes that draw at the same time.
        report: receives lines of progress.

    Returns:
        Pixels uint8 `(pictures, size, size, 3)` and labels int64 `(pictures,)`.

    Raises:
        RuntimeError: if a helper process fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    starts = list(range(0, pictures, CHUNK))
    missing = [start for start in starts if not _chunk_path(folder, seed, start, size).exists()]
    if missing:
        _draw_with_helpers(folder, seed, missing, size, processes, report)
    pixels = np.empty((pictures, size, size, 3), np.uint8)
    labels = np.empty(pictures, np.int64)
    for start in starts:
        with np.load(_chunk_path(folder, seed, start, size), allow_pickle=False) as chunk:
            count = min(CHUNK, pictures - start)
            pixels[start : start + count] = chunk["pixels"][:count]
            labels[start : start + count] = chunk["labels"][:count]
    return pixels, labels


def draw_chunk(folder: Path, seed: int, start: int, size: int) -> None:
    """Draw pictures start … start + CHUNK − 1 into the folder."""
    pixels, labels, _ = draw_batch(seed, range(start, start + CHUNK), size=size, classes=_CLASSES)
    data = io.BytesIO()
    np.savez(data, pixels=pixels, labels=labels)
    write_whole(_chunk_path(folder, seed, start, size), data.getvalue())


def _chunk_path(folder: Path, seed: int, start: int, size: int) -> Path:
    return folder / f"drawn-{seed}-{size}-{start:07d}.npz"


def _draw_with_helpers(
    folder: Path, seed: int, starts: list[int], size: int, processes: int, report: Callable[[str], None]
) -> None:
    # Programs of their own, not forked children: a process that holds TensorFlow must not be forked.
    began = time.monotonic()
    helpers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                __name__,
                str(folder),
                str(seed),
                str(size),
                *map(str, starts[i::processes]),
            ]
        )
        for i in range(min(processes, len(starts)))
    ]
    try:
        while any(helper.poll() is None for helper in helpers):
            time.sleep(0.2)
            done = sum(_chunk_path(folder, seed, start, size).exists() for start in starts)
            seconds = time.monotonic() - began
            if done and int(seconds) % 10 == 0 and int(seconds) != int(seconds - 0.2):
                speed = done * CHUNK / seconds
                report(f"drew {done * CHUNK} of {len(starts) * CHUNK} pictures, {speed:.0f} per second")
        if any(helper.returncode for helper in helpers):
            raise RuntimeError("A process that draws the training pictures failed; its message stands above.")
    finally:
        for helper in helpers:
            if helper.poll() is None:
                helper.terminate()
                helper.wait()
    report(f"drew {len(starts) * CHUNK} pictures in {time.monotonic() - began:.0f} s")


def main(arguments: list[str] | None = None) -> None:
    """Draw the chunks named on the command line."""
    parser = argparse.ArgumentParser(description="Draw chunks of training pictures into a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("size", type=int)
    parser.add_argument("starts", type=int, nargs="+")
    options = parser.parse_args(arguments)
    for start in options.starts:
        draw_chunk(options.folder, options.seed, start, options.size)


if __name__ == "__main__":
    main()
