"""The gradient flow page's claims on five seeds, and what its numbers cost beside the plain way.

    python -m tests.benchmarks.gradient_flow --seeds 0 4 [--only vanishing paths degradation surfaces]
    python -m tests.benchmarks.gradient_flow --only speed

Without `--only` all of them. Tables are printed as they stand in README.md.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence

import keras
import numpy as np

from explorer.gradient_flow.deep_networks import (
    EPSILON,
    PLAIN,
    RESIDUAL,
    Training,
    cross_entropy,
    forward,
    one_hot,
    statistics_of,
)
from explorer.gradient_flow.degradation import degradation
from explorer.gradient_flow.depth_results import (
    DegradationPlan,
    PathsPlan,
    SurfacePlan,
    VanishingPlan,
    carrying,
    share_non_convex,
)
from explorer.gradient_flow.digits import digits
from explorer.gradient_flow.loss_surface import Plane, loss_surfaces, random_direction
from explorer.gradient_flow.paths import paths
from explorer.gradient_flow.stacks import Stack, Weights, begun, beside
from explorer.gradient_flow.vanishing import vanishing
from explorer.networks.gradients import WithGradient, as_array
from tests.benchmarks.rounds import taking_turns

DEPTHS = (10, 30, 100)
STEPS = 4
"""Of each kind in a round."""

INITIALISERS = {"sigmoid": "glorot_uniform", "tanh": "glorot_uniform", "relu": "he_normal"}


def row(*cells: object) -> None:
    """Print a line of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def heads(*titles: str) -> None:
    """Print the head of a table."""
    row(*titles)
    row("---", *["---:"] * (len(titles) - 1))


def spread(values: Sequence[float], form: str = ".2g") -> str:
    """Return the median, and least and largest in brackets."""
    return f"{np.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def vanishing_table(seeds: Sequence[int]) -> None:
    """First layer's gradient norm over the last's, before the first step."""
    heads("activation, batch norm, network", *(f"depth {depth}" for depth in DEPTHS))
    for activation, initialiser in INITIALISERS.items():
        for norm in (False, True):
            found = {
                depth: np.array(
                    [
                        vanishing(VanishingPlan(depth, activation, initialiser, norm, seed=seed)).ratio()
                        for seed in seeds
                    ]
                )
                for depth in DEPTHS
            }
            for number, name in enumerate(("plain", "residual")):
                said = f"{activation}{', batch norm' if norm else ''}, {name}"
                row(said, *(spread(found[depth][:, number]) for depth in DEPTHS))


def paths_table(seeds: Sequence[int]) -> None:
    """Accuracy with blocks dropped, and which lengths carry the gradient."""
    for network, blocks in itertools.product(("convolutional", "dense"), (24, 54)):
        results = [paths(PathsPlan(blocks=blocks, seed=seed, network=network)) for seed in seeds]
        heads(f"{blocks} {network} blocks, test accuracy in %", "whole", "one dropped", "a sixth", "half", "all")
        at = [int(np.abs(results[0].drop_counts - blocks * part).argmin()) for part in (1 / 6, 0.5, 1)]
        for number, name in enumerate(("plain", "residual", "stochastic depth")):
            columns = [
                [each.accuracy[number] for each in results],
                [each.drop_one[number].mean() for each in results],
                *([each.drop_many[number, place] for each in results] for place in at),
            ]
            row(name, *(spread([100 * value for value in column], ".0f") for column in columns))
        held = [carrying(each.share()) for each in results]
        mean = [float(each.share() @ np.arange(blocks + 1)) for each in results]
        print(f"90 % of the gradient: lengths {', '.join(f'{a} to {b}' for a, b in held)}; "
              f"mean length {spread(mean, '.1f')} of {blocks / 2:g}.\n", flush=True)  # fmt: skip


def degradation_table(seeds: Sequence[int]) -> None:
    """Training errors of shallow and deep networks."""
    plan = DegradationPlan()
    results = [degradation(DegradationPlan(seed=seed)) for seed in seeds]
    heads("training error in %", f"{plan.shallow} layers", f"{plan.deep} layers", "identity gap with zero weights")
    for number, name in enumerate(("plain", "residual")):
        errors = [[100 * each.error[which, number, -1] for each in results] for which in (0, 1)]
        row(name, *(spread(each, ".1f") for each in errors), spread([each.identity[number] for each in results]))


def surfaces_table(seeds: Sequence[int]) -> None:
    """Non-convex points and largest Hessian eigenvalues, by depth."""
    heads("depth, network", "non-convex points in %", "largest Hessian eigenvalue", "training error in %")
    for depth in (8, 20, 56):
        results = [loss_surfaces(SurfacePlan(depth=depth, seed=seed, resolution=17)) for seed in seeds]
        for number, name in enumerate(("plain", "residual")):
            row(
                f"{depth}, {name}",
                spread([100 * share_non_convex(each.losses[number]) for each in results], ".0f"),
                spread([each.curvature[number] for each in results], ".3g"),
                spread([100 * each.error[number] for each in results], ".1f"),
            )


def keras_network(stack: Stack, weights: Weights, known: Weights | None = None, skip: float = RESIDUAL) -> keras.Model:
    """Build the same network out of Keras' layers."""
    picture = keras.Input((64,))

    def dense(kernel: np.ndarray, bias: np.ndarray, x: keras.KerasTensor) -> keras.KerasTensor:
        layer = keras.layers.Dense(kernel.shape[-1])
        out = layer(x)
        layer.set_weights([kernel, bias[0]])
        return out

    def ready(h: keras.KerasTensor, at: int) -> keras.KerasTensor:
        if stack.batch_norm:
            norm = keras.layers.BatchNormalization(epsilon=EPSILON)
            h = norm(h)
            if known is not None:
                norm.set_weights(
                    [weights["gamma"][at, 0], weights["beta"][at, 0], known["mean"][at, 0], known["variance"][at, 0]]
                )
        return keras.layers.Activation(stack.activation)(h)

    h = dense(weights["stem"], weights["stem_bias"], picture)
    for at in range(stack.depth):
        work = dense(weights["kernel"][at], weights["bias"][at], ready(h, at))
        h = keras.layers.add([h, work]) if skip else work
    return keras.Model(picture, dense(weights["head"], weights["head_bias"], ready(h, stack.depth)))


def statistics_speed(rounds: int, batch_norm: bool) -> None:
    """A step of a plain and a residual network with the statistics of 100 layers, beside steps without."""
    stack, data = Stack(100, "tanh", batch_norm=batch_norm), digits(0)
    weights = begun(stack, "glorot_uniform", 0)
    skips = (PLAIN, RESIDUAL)
    training = Training(
        stack, beside([weights, weights]), np.array(skips), data.pictures, data.labels, rate=1e-3, momentum=0
    )
    pictures, targets = data.pictures[:128], one_hot(data.labels[:128])
    bare = WithGradient(
        lambda w, x, y, skip: (cross_entropy(forward(stack, w, x, skip).logits, y), None), compiled=True
    )
    own = [{name: value.copy() for name, value in weights.items()} for _ in skips]
    models = [keras_network(stack, weights, skip=skip) for skip in skips]
    for model in models:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(1e-3), loss, jit_compile=False)

    def with_statistics() -> None:
        for _ in range(STEPS):
            _, gradient = training.step()
            np.linalg.norm(gradient["kernel"].astype(np.float64), axis=(-2, -1))

    def without() -> None:
        for _ in range(STEPS):
            for one, skip in zip(own, skips, strict=True):
                gradient = bare(one, pictures, targets, np.float32(skip))[2]
                for name, value in one.items():
                    value -= 1e-3 * as_array(gradient[name])

    def of_keras() -> None:
        for _ in range(STEPS):
            for model in models:
                model.train_on_batch(pictures, targets)

    took = taking_turns({"ours": with_statistics, "bare": without, "keras": of_keras}, rounds, warm=2)
    norm = "with" if batch_norm else "without"
    heads(f"a step of two networks of 100 layers {norm} batch norm, batch of 128", "processor time", "ours by it")
    for name, title in (
        ("ours", "with gradient norms and activation spreads of all layers, both in one call"),
        ("bare", "without them, compiled, one after the other"),
        ("keras", "`train_on_batch` of both as Keras' layers"),
    ):
        row(title, f"{1000 * took[name].median / STEPS:.1f} ms", f"{took['ours'].against(took[name]):.2f}")


def surface_speed(rounds: int) -> None:
    """Points of a loss surface per second, beside a loop of `evaluate`."""
    stack, data = Stack(20, "relu", batch_norm=True), digits(0)
    weights = begun(stack, "he_normal", 0)
    known = statistics_of(stack, weights, np.float32(1), data.pictures)
    directions = random_direction(weights, 1), random_direction(weights, 2)
    pictures, labels = data.pictures[:512], data.labels[:512]
    plane = Plane(stack, weights, known, RESIDUAL, directions, pictures, labels)
    side = np.linspace(-0.5, 0.5, 4)
    points = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    model = keras_network(stack, weights, known)
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    fixed = [value.copy() for value in model.get_weights()]
    moved = [
        keras_network(
            stack, {name: value + a * directions[0][name] + b * directions[1][name] for name, value in weights.items()},
            known,
        ).get_weights()
        for a, b in points
    ]  # fmt: skip
    found: dict[str, np.ndarray] = {}

    def ours() -> None:
        found["ours"] = plane.losses(points)

    def loop() -> None:
        losses = []
        for values in moved:
            model.set_weights(values)
            losses.append(model.evaluate(pictures, labels, batch_size=512, verbose=0))
        model.set_weights(fixed)
        found["loop"] = np.array(losses)

    took = taking_turns({"ours": ours, "loop": loop}, rounds, warm=2)
    heads("512 pictures, 20 residual layers with batch norm", "points per second of processor time", "times as many")
    for name, title in (
        ("ours", "one compiled call for 16 points"),
        ("loop", "`set_weights` and `evaluate` in a loop"),
    ):
        row(title, f"{len(points) / took[name].median:.0f}", f"{1 / took[name].against(took['loop']):.1f}")
    apart = np.abs(found["ours"] / found["loop"] - 1).max()
    print(f"Losses differ by at most {apart:.1e} of themselves.\n", flush=True)


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 4], metavar=("FIRST", "LAST"))
    parser.add_argument("--rounds", type=int, default=15, help="of each speed")
    tables: dict[str, Callable[[Sequence[int]], None]] = {
        "vanishing": vanishing_table, "paths": paths_table, "degradation": degradation_table,
        "surfaces": surfaces_table,
    }  # fmt: skip
    parser.add_argument("--only", nargs="*", choices=[*tables, "speed"], default=[*tables, "speed"])
    asked = parser.parse_args()
    for name in asked.only:
        if name == "speed":
            for batch_norm in (False, True):
                statistics_speed(asked.rounds, batch_norm)
                print()
            surface_speed(asked.rounds)
        else:
            tables[name](range(asked.seeds[0], asked.seeds[1] + 1))
            print(flush=True)


if __name__ == "__main__":
    main()
