"""The images that come with the app: one sheet for each layer of the bundled networks, and one of their classes.

Read without Keras, so that a page shows them at once. `explorer.ascent.make_sheets` makes them.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from explorer.ascent.results import Plan, Quality, Regularisers, Sheet, Transforms

FOLDER = Path(__file__).parent / "sheets"
CLASSES = "classes"
COLUMNS = 16
WEBP_QUALITY = 84


def _stem(layer: str) -> str:
    return layer.replace("/", ".") if layer else CLASSES


def layers(network: str) -> tuple[str, ...]:
    """Return the paths of the layers whose sheets there are, in the network's order; "" stands for the classes."""
    index = FOLDER / network / "index.json"
    if not _is_plain(network) or not index.is_file():
        return ()
    return tuple(json.loads(index.read_text("utf-8")))


def _is_plain(name: str) -> bool:
    return bool(name) and all(letter.isalnum() or letter in "_-" for letter in name)


def sheet(network: str, layer: str = "") -> Sheet | None:
    """Return a sheet, or None where there is none.

    Args:
        network: Name in the catalogue.
        layer: Path of the layer, "" for the classes.
    """
    return _read(network, layer) if layer in layers(network) else None


@lru_cache(maxsize=24)
def _read(network: str, layer: str) -> Sheet:
    path = FOLDER / network / f"{_stem(layer)}.json"
    facts = json.loads(path.read_text("utf-8"))
    with Image.open(path.with_suffix(".webp")) as opened:
        atlas = np.asarray(opened.convert("RGB"))
    images = tiles(atlas, len(facts["targets"]), tuple(facts["size"]))
    images.flags.writeable = False
    return Sheet(
        network,
        layer,
        plan_of(facts["plan"]),
        images,
        tuple(facts["targets"]),
        tuple(Quality(**each) for each in facts["quality"]),
    )


def plan_of(facts: dict[str, Any]) -> Plan:
    """Return the plan that `dataclasses.asdict` took apart."""
    facts = dict(facts)
    facts["transforms"] = Transforms(**facts["transforms"])
    facts["regularisers"] = Regularisers(**facts["regularisers"])
    for name in ("targets", "direction"):
        facts[name] = tuple(facts[name])
    if facts["cell"] is not None:
        facts["cell"] = tuple(facts["cell"])
    return Plan(**facts)


def tiles(atlas: np.ndarray, count: int, size: tuple[int, int]) -> np.ndarray:
    """Cut an atlas into its images, row by row.

    Args:
        atlas: uint8 (H, W, 3), without gaps.
        count: How many images it holds.
        size: (height, width) of each.
    """
    height, width = size
    across = atlas.shape[1] // width
    return np.stack(
        [
            atlas[n // across * height : (n // across + 1) * height, n % across * width : (n % across + 1) * width]
            for n in range(count)
        ]
    )


def atlas_of(images: np.ndarray, columns: int = COLUMNS) -> np.ndarray:
    """Lay images side by side, row by row, without gaps; empty places are grey.

    Args:
        images: uint8 (n, h, w, 3).
        columns: How many in a row, at most.
    """
    count, height, width, _ = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    atlas = np.full((rows * height, columns * width, 3), 128, np.uint8)
    for number, image in enumerate(images):
        top, left = number // columns * height, number % columns * width
        atlas[top : top + height, left : left + width] = image
    return atlas


def write(made: Sheet, folder: Path = FOLDER) -> None:
    """Write a sheet and list it in its network's index.

    Args:
        made: The sheet.
        folder: Where the networks' folders are.
    """
    place = folder / made.network
    place.mkdir(parents=True, exist_ok=True)
    facts = {
        "plan": asdict(made.plan),
        "size": list(made.images.shape[1:3]),
        "targets": list(made.targets),
        "quality": [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(each).items()}
            for each in made.quality
        ],
    }
    stem = _stem(made.layer)
    Image.fromarray(atlas_of(made.images)).save(place / f"{stem}.webp", quality=WEBP_QUALITY, method=6)
    (place / f"{stem}.json").write_text(json.dumps(facts, separators=(",", ":")), "utf-8")
    index = place / "index.json"
    known = json.loads(index.read_text("utf-8")) if index.is_file() else []
    if made.layer not in known:
        index.write_text(json.dumps([*known, made.layer]), "utf-8")
