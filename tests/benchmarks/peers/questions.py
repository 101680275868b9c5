"""The questions: which network, which pictures, which class, and the random draws that all libraries share."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from scipy import ndimage

from explorer.explanations.methods import rise
from explorer.networks.preprocessing import fit, prepare
from explorer.networks.tap import model_of
from explorer.pictures.sources import resolve
from tests.benchmarks.peers.case import Case
from tests.benchmarks.peers.networks import build

SAMPLES = {"smoothgrad": 25, "integrated_gradients": 50}
FEWER = {"smoothgrad": 5, "integrated_gradients": 10, "rise": 60, "lime": 60}
SOURCES = ("drawn:cat:13", "sample:coffee")
LAYERS = {"MobileNetV2": "out_relu", "drawn_plain": "objects_2_relu", "drawn_robust": "objects_2_relu"}


def case_of(
    name: str, *, fewer: bool = False, pictures: int = 2, samples: int = 500, seed: int = 0
) -> tuple[Any, Case]:
    """Return a network and the question about it.

    Args:
        name: Of the network.
        fewer: Take few samples, where only agreement counts.
        pictures: How many.
        samples: Of LIME and RISE, unless fewer are taken.
        seed: Of all that is drawn.
    """
    network = build(name)
    model = model_of(network)
    random = np.random.default_rng(seed)
    entry = getattr(network, "entry", None)
    size = model.input_shape[1:]
    if entry is None:
        noise = random.uniform(0, 1, (pictures, *size))
        x = ndimage.gaussian_filter(noise, (0, 1.5, 1.5, 0))
        x = ((x - x.min()) / np.ptp(x)).astype(np.float32)
        absent = 0.25
    else:
        pixels = [fit(resolve(source).pixels, entry).pixels for source in SOURCES[:pictures]]
        x = prepare(np.stack(pixels), entry)
        absent = float(prepare(np.full((1, 1, 1, 3), 127.5, np.float32), entry)[0, 0, 0, 0])
    counts = dict(FEWER) if fewer else {**SAMPLES, "rise": samples, "lime": samples}
    logits = keras.ops.convert_to_numpy(model(x))
    # A window and a stride that end exactly at the edge, because libraries differ where they do not.
    window = {24: 8, 20: 4, 96: 16, 224: 32}.get(size[0], 8)
    masks = rise.draw_masks(seed, counts["rise"], 7, 0.5, size[:2])
    shown = rise.enlarged(masks.cells, masks.shifts, masks.rows, masks.columns, size[:2])
    return network, Case(
        name=name,
        model=model,
        pictures=x,
        classes=logits.argmax(axis=-1),
        layer=LAYERS.get(name, "last"),
        absent=absent,
        window=window,
        stride=window // 2,
        samples=counts,
        masks=keras.ops.convert_to_numpy(shown),
        seed=seed,
    )
