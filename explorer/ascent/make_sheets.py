"""Make the images that come with the app: `python -m explorer.ascent.make_sheets [network …] [--layer path]`.

All channels of the first layers are grown on smaller images: they see no more than their receptive field. What a
sheet shows is not chosen by hand: every channel and class, from one seed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from explorer.ascent.render import grow
from explorer.ascent.results import Plan, Quality, Regularisers, Sheet, Transforms
from explorer.ascent.sheets import FOLDER, write
from explorer.networks.drawn.weights import NAMES
from explorer.networks.loading import LoadedNetwork, load
from explorer.pictures.drawn_world import PRETRAINING_CLASSES

# Side of the images by layer: a little more than the receptive field (7, 11, 19, 27, 47, 63, 79 and 95 pixels).
SIDES = {
    "stem_relu": 24, "reduce_relu": 32, "shapes_1_relu": 40, "shapes_2_relu": 48,
    "parts_1_relu": 64, "parts_2_relu": 64, "objects_1_relu": 72, "objects_2_relu": 72,
}  # fmt: skip
CHANNEL_STEPS = 48
AT_ONCE = 32


def plans(network: str) -> Iterator[Plan]:
    """Yield the plan of each sheet of a network, the classes' first.

    Args:
        network: "drawn_plain" or "drawn_robust".
    """
    yield Plan(network, targets=tuple(range(len(PRETRAINING_CLASSES))))
    model = load(network).model
    for layer, side in SIDES.items():
        channels = model.get_layer(layer).output.shape[-1]
        # Gentler than for classes: stripes and corners that are turned too far are other channels' affair.
        transforms = Transforms(jitter=6.0, scale=0.05, rotate=5.0)
        yield Plan(
            network, objective="channel", layer=layer, targets=tuple(range(channels)), steps=CHANNEL_STEPS, size=side,
            spectrum=1.5, transforms=transforms, regularisers=Regularisers(l2=0.1, variation=0.25), learning_rate=0.05,
        )  # fmt: skip


def made(network: LoadedNetwork, plan: Plan) -> Sheet:
    """Grow all images of a sheet.

    Args:
        network: The network that the plan names.
        plan: Its targets are grown a few at a time.
    """
    images: list[np.ndarray] = []
    targets: list[int] = []
    quality: list[Quality] = []
    for start in range(0, len(plan.targets), AT_ONCE):
        some = plan.targets[start : start + AT_ONCE]
        grown = grow(network, replace(plan, targets=some))
        images.append(grown.images)
        targets.extend(grown.targets)
        quality += grown.quality
    return Sheet(plan.network, plan.layer, plan, np.concatenate(images), tuple(targets), tuple(quality))


def main() -> None:
    """Make the sheets of the networks that are named, or of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(reversed(NAMES)))
    parser.add_argument("--layer", action="append", help='only this layer; "" for the classes')
    asked = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(19)
    for name in asked.networks:
        for plan in plans(name):
            if asked.layer and plan.layer not in asked.layer:
                continue
            began = time.perf_counter()
            write(made(load(name), plan))
            print(f"{name} {plan.layer or 'classes'}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    print(f"{size / 1e6:.2f} MB in all", file=sys.stderr)


if __name__ == "__main__":
    main()
