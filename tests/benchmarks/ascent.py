"""What an ascent's step costs beside the network's own forward and backward pass.

    python tests/benchmarks/ascent.py [steps]

Sixteen channels of the bundled network's last convolution at 96 px. "Bare" is the gradient of the same channels with
respect to the pictures, through a submodel that ends at the same layer, compiled, with nothing else: no Fourier image,
no transforms, no regularisers, no Adam. The two take turns, so that a busy machine slows both; there, processor time
(of all threads) tells more than the clock.
"""

from __future__ import annotations

import json
import sys
import time

import keras
import numpy as np

from explorer.ascent.render import Ascent
from explorer.ascent.results import Plan
from explorer.networks.gradients import WithGradient, as_array, device_seen
from explorer.networks.loading import load

CHANNELS = 16
LAYER, BEFORE = "objects_2_relu", "objects_2_bn"
TURN = 5


def bare_step(model: keras.Model) -> WithGradient:
    """Return the compiled gradient of 16 channels, one for each picture."""
    until = keras.Model(model.input, model.get_layer(BEFORE).output)
    chosen = np.eye(CHANNELS, until.output.shape[-1], dtype=np.float32)

    def value(pictures: object) -> tuple[object, None]:
        means = keras.ops.mean(until(pictures), axis=(1, 2))
        return keras.ops.sum(means * chosen), None

    return WithGradient(value, network=until, compiled=True)


def main(steps: int = 200) -> dict[str, object]:
    """Run both and return the figures."""
    network = load("drawn_robust")
    plan = Plan("drawn_robust", objective="channel", layer=LAYER, targets=tuple(range(CHANNELS)), steps=steps)
    ascent = Ascent(network, plan)
    bare = bare_step(network.model)
    pictures = np.random.default_rng(0).uniform(size=(CHANNELS, 96, 96, 3)).astype(np.float32)
    pictures = keras.ops.convert_to_tensor(pictures)
    for _ in range(2):  # compile
        as_array(bare(pictures)[2])
    ascent.advance()
    ascent.images()
    ours, theirs, ratios, busy = 0.0, 0.0, [], []
    while ascent.step + TURN <= steps:
        began, processor = time.perf_counter(), time.process_time()
        for _ in range(TURN):
            as_array(bare(pictures)[2])
        between, processor_between = time.perf_counter(), time.process_time()
        for _ in range(TURN):
            ascent.advance()
        ascent.images()  # waits for the device
        ended, processor_ended = time.perf_counter(), time.process_time()
        busy.append((processor_ended - processor_between) / (processor_between - processor))
        theirs, ours = theirs + between - began, ours + ended - between
        ratios.append((ended - between) / (between - began))
    done = len(ratios) * TURN
    return {
        "backend": keras.backend.backend(), "device": device_seen().name, "steps": done,
        "bare_ms": round(1000 * theirs / done, 2), "ascent_ms": round(1000 * ours / done, 2),
        "ratio": round(ours / theirs, 3), "median_ratio": round(float(np.median(ratios)), 3),
        "median_ratio_of_processor_time": round(float(np.median(busy)), 3),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:])), indent=1))
