"""How many pictures of the drawn world one core draws in a second, beside an augmented photo.

    python tests/benchmarks/drawing.py [--seconds 3]

The floor is what any pipeline with stored photos does for each picture once the photo is decoded: Pillow
resizes a photo of 512 pixels a side, NumPy adds noise and clips. It draws nothing and knows no mask.
All columns are measured in turns within one run, in one thread, by processor time, so that other work on the
machine counts little (it still shares caches and clock).
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from explorer.pictures.drawn_world import textures  # noqa: E402
from explorer.pictures.drawn_world.drawing import draw, draw_scene  # noqa: E402

ROUNDS = 5
CHUNK = 20


def photo_with_noise(size: int) -> Callable[[int], object]:
    """Return the floor: resize a photo in memory and add noise."""
    image = textures.photo("coffee.png")[0][0]
    generator = np.random.default_rng(0)

    def run(index: int) -> np.ndarray:
        resized = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)).astype(np.float32)
        noise = generator.standard_normal((size, size, 3), dtype=np.float32)
        return np.clip(resized + 8 * noise, 0, 255).astype(np.uint8)

    return run


def contenders(size: int) -> dict[str, Callable[[int], object]]:
    """Return what is compared, by column title."""
    return {
        "drawn, training backgrounds": lambda index: draw(1, index, size=size),
        "drawn, unseen backgrounds": lambda index: draw(1, index, size=size, backgrounds="unseen"),
        "scenes of 1 to 3": lambda index: draw_scene(1, index, size=size),
        "floor: photo resized + noise": photo_with_noise(size),
    }


def rates(size: int, seconds: float) -> dict[str, float]:
    """Return pictures per second for each contender, the median of rounds in which all take turns."""
    runs = contenders(size)
    for run in runs.values():  # fill the caches: textures are made on first use
        for index in range(150):
            run(index)
    measured: dict[str, list[float]] = {title: [] for title in runs}
    index = 1000
    for _ in range(ROUNDS):
        for title, run in runs.items():
            start, done = time.process_time(), 0
            while (spent := time.process_time() - start) < seconds / ROUNDS:
                for _ in range(CHUNK):
                    run(index)
                    index += 1
                done += CHUNK
            measured[title].append(done / spent)
    return {title: float(np.median(values)) for title, values in measured.items()}


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each number")
    seconds = parser.parse_args().seconds
    titles = list(contenders(16))
    print("| pictures per second and core | " + " | ".join(titles) + " |")
    print("|---|" + "---:|" * len(titles))
    for size in (64, 96):
        measured = rates(size, seconds)
        print(f"| {size} px | " + " | ".join(f"{measured[title]:,.0f}" for title in titles) + " |")
    print(f"\nPython {platform.python_version()}, {platform.system()} {platform.machine()}.")


if __name__ == "__main__":
    main()
