"""Gradient ascent beside tf-keras-vis and beside a bare compiled step, at equal steps, size and number of images.

    peers/bin/python -m tests.benchmarks.ascent_peers [--network drawn_robust] [--layer objects_2_relu] [--steps 200]
    python -m tests.benchmarks.ascent_peers --only-ours

The environment `peers` is described in requirements.txt beside this file; without the peers the app's own will do. All
ways ascend the pre-activation of the
same channels, in blocks of ten steps that take turns; processor time in one thread. *As ours* is tf-keras-vis with
the transforms and the smoothness that ours has by default, *lean* is without any, *bare* is nothing but the compiled
forward and backward pass to that layer.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from explorer.ascent.render import Ascent
from explorer.ascent.results import Plan
from explorer.networks.loading import load
from tests.benchmarks.rounds import taking_turns

BLOCK = 10


def peer(model: Any, channels: list[int], start: np.ndarray, *, lean: bool) -> Callable[[], Any]:
    """Return tf-keras-vis' block of steps; each goes on from the images of the one before."""
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.activation_maximization.input_modifiers import Jitter, Rotate2D, Scale
    from tf_keras_vis.activation_maximization.regularizers import TotalVariation2D
    from tf_keras_vis.utils.scores import CategoricalScore

    library = ActivationMaximization(model)
    score = CategoricalScore(channels)
    images = start

    def block() -> None:
        nonlocal images
        images = library(
            score,
            seed_input=images,
            input_range=(0.0, 1.0),
            input_modifiers=[] if lean else [Jitter(6), Rotate2D(10.0), Scale(0.9, 1.1)],
            regularizers=[] if lean else [TotalVariation2D(0.02)],
            optimizer=keras.optimizers.Adam(0.02),
            steps=BLOCK,
        )

    return block


def bare(model: Any, channels: list[int], start: np.ndarray) -> Callable[[], Any]:
    """Return a block of bare compiled forward and backward passes."""

    @tf.function(autograph=False)
    def step(x: Any, which: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            means = tf.reduce_mean(model(x), axis=(1, 2))
            value = tf.reduce_sum(tf.gather(means, which, axis=1, batch_dims=1))
        return tape.gradient(value, x)

    x, which = tf.constant(start), tf.constant(channels)

    def block() -> None:
        for _ in range(BLOCK):
            step(x, which)

    return block


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="drawn_robust")
    parser.add_argument("--layer", default="objects_2_relu", help="what is asked of us")
    parser.add_argument("--before", default="objects_2_bn", help="its pre-activation, which the others are given")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--only-ours", action="store_true", help="and the bare step: needs no other library")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message="The structure of `inputs`")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = load(given.network, "trained")
    model = keras.Model(network.model.inputs, network.model.get_layer(given.before).output)
    channels = list(range(given.images))
    plan = Plan(
        given.network, objective="channel", layer=given.layer, targets=tuple(channels), steps=2 * given.steps + 100
    )
    ascent = Ascent(network, plan)
    size = model.input_shape[1:]
    start = np.random.default_rng(0).uniform(0.4, 0.6, (given.images, *size)).astype(np.float32)

    def ours() -> None:
        for _ in range(BLOCK):
            ascent.advance()
        ascent.growing()

    ways = {
        "ours": ours,
        "bare compiled forward and backward": bare(model, channels, start),
    }
    if not given.only_ours:
        ways["tf-keras-vis, as ours"] = peer(model, channels, start, lean=False)
        ways["tf-keras-vis, lean"] = peer(model, channels, start, lean=True)
    took = taking_turns(ways, given.steps // BLOCK, warm=1)
    print(f"{given.network}, {given.images} channels of {given.before}, {size[0]} px, {given.steps} steps; Keras")
    print(f"{keras.__version__}, TensorFlow {tf.__version__}, load {os.getloadavg()[0]:.1f}.\n")
    print("| way | a step, ms (median) | all steps, s | ÷ bare | … times ours |\n|---|---:|---:|---:|---:|")
    base, mine = took["bare compiled forward and backward"], took["ours"]
    for name, each in took.items():
        step = f"{each.best / BLOCK * 1e3:.0f} ({each.median / BLOCK * 1e3:.0f})"
        print(f"| {name} | {step} | {sum(each.work):.1f} | {each.against(base):.2f} | {each.against(mine):.2f} |")


if __name__ == "__main__":
    main()
