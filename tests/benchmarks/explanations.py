"""Explanations beside other libraries: do the raw maps agree, and what does a map cost?

    peers/bin/python -m tests.benchmarks.explanations agree [NETWORK …]
    peers/bin/python -m tests.benchmarks.explanations speed [NETWORK …] [--rounds 5] [--methods grad_cam …]

The environment `peers` is described in requirements.txt beside this file. All libraries are handed the same network,
pictures, classes and random draws; how each is made to compute the same thing stands in `peers/`. Agreement is the
largest difference of the raw grids, before any resizing, as a share of the largest value. Speed is processor time in
one thread, all ways taking turns within one run, beside the bare compiled passes that the method's definition needs.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from explorer.explanations.baselines import as_seen
from explorer.explanations.explain import explain
from explorer.explanations.methods.lime import superpixels
from explorer.explanations.results import Explanation, Target
from tests.benchmarks.peers import lime, tf_keras_vis, xplique
from tests.benchmarks.peers.case import Case
from tests.benchmarks.peers.networks import TOYS
from tests.benchmarks.peers.questions import case_of
from tests.benchmarks.peers.torch_side import ask
from tests.benchmarks.rounds import taking_turns

METHODS = (
    "saliency", "gradient_input", "smoothgrad", "integrated_gradients", "guided_backprop", "grad_cam",
    "grad_cam_plus_plus", "layer_cam", "score_cam", "occlusion", "lime", "rise",
)  # fmt: skip
WITH_LAYER = ("grad_cam", "grad_cam_plus_plus", "layer_cam", "score_cam")
LIBRARIES = {"xplique": xplique, "tf-keras-vis": tf_keras_vis, "lime": lime}
SEGMENTS = 40
FIRM = 1e-5
"""Raw grids agree when they differ by no more than this share of the largest value."""
SHORT, MORE = 0.2, 6
"""Maps that take less than so many seconds get so many times the rounds."""
KINKS = 5e-3
"""The same for integrated gradients of deep networks: among fifty steps there are a few where a ReLU stands at its
kink, and rounding, which differs by backend and batch, decides whether it is open (measured between backends: three
steps of fifty differ by 3e-4 to 3e-3, all others by 7e-7; with ten steps each counts for a ninth)."""


def options(case: Case, method: str) -> dict[str, Any]:
    """Return our knobs for the case."""
    return {
        "smoothgrad": {"samples": case.samples["smoothgrad"], "noise": 0.15},
        "integrated_gradients": {"steps": case.samples["integrated_gradients"], "baseline": case.absent},
        "occlusion": {
            "window": case.window / min(case.pictures.shape[1:3]),
            "stride": case.stride / case.window,
            "baseline": case.absent,
        },
        "lime": {"samples": case.samples["lime"], "segments": SEGMENTS, "baseline": case.absent},
        "rise": {"samples": case.samples["rise"], "grid": 7, "share": 0.5, "average": "kept"},
    }.get(method, {})


def ours(network: Any, case: Case, method: str) -> Callable[[], Explanation]:
    """Return our way to one method, for the case's classes."""
    same = len(set(case.classes.tolist())) == 1
    target = Target("class", int(case.classes[0]) if same else None)
    layer = case.layer if method in WITH_LAYER else None
    how = options(case, method)
    return lambda: explain(network, case.pictures, target, method, layer=layer, seed=case.seed, **how)


def shared_draws(network: Any, case: Case, methods: tuple[str, ...]) -> Case:
    """Return the case with the draws that our methods make, so that all libraries work with the same."""
    random = np.random.default_rng(case.seed)
    shape = (case.samples["smoothgrad"], *case.pictures.shape[1:])
    noise = [random.standard_normal(shape, np.float32) * np.float32(0.15 * np.ptp(each)) for each in case.pictures]
    segments, cut = None, None
    if "lime" in methods:
        seen = as_seen(network, case.pictures)

        def cut(number: int) -> np.ndarray:
            return superpixels(seen[number], SEGMENTS).numbers

        segments = np.stack([cut(number) for number in range(len(seen))])
    return dataclasses.replace(case, noise=np.stack(noise), segments=segments, cut=cut)


def grid(found: Explanation) -> np.ndarray:
    """Return what is compared: the raw grid, or of occlusion, whose grid are the windows, the map."""
    return found.maps if found.method == "occlusion" else found.raw


def limit(name: str, mine: Explanation) -> float:
    """Return by how much a map of the same definition may differ."""
    if mine.method == "integrated_gradients" and name not in TOYS:
        return KINKS
    if mine.method == "occlusion":
        # It is the difference of two scores, and no more exact than they are.
        return FIRM * max(1.0, float(np.abs(mine.scores).max() / np.abs(mine.maps).max()))
    return FIRM


def difference(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the largest difference as a share of b's largest value, and the correlation, where b is known."""
    known = np.isfinite(b) & np.isfinite(a)
    if a.shape != b.shape or not known.any():
        return math.nan, math.nan
    x, y = a[known].astype(np.float64), b[known].astype(np.float64)
    top = np.abs(y).max()
    flat = np.ptp(x) == 0 or np.ptp(y) == 0
    return float(np.abs(x - y).max() / top) if top else float(np.abs(x).max()), math.nan if flat else float(
        np.corrcoef(x, y)[0, 1]
    )


def agree(names: list[str], methods: tuple[str, ...]) -> bool:
    """Print how far each library's raw maps are from ours; return whether all of the same definition agree."""
    firm = True
    print("| network | method | library | largest difference / maximum | correlation | convention |")
    print("|---|---|---|---:|---:|---|")
    for name in names:
        network, case = case_of(name, fewer=name in TOYS or name == "MobileNetV2", pictures=2)
        case = shared_draws(network, case, methods)
        found: dict[str, list[tuple[str, np.ndarray, bool, str]]] = {method: [] for method in methods}
        for title, library in LIBRARIES.items():
            for method, way in library.ways(case).items():
                if method in found:
                    found[method].append((title, way.raw(), way.same, way.note))
        for key, (values, same, note) in ask(case, methods).items():
            title, method = key.split("/")
            if method in found:
                found[method].append((title.replace("_", "-"), values, same, note))
        for method in methods:
            mine = ours(network, case, method)()
            for title, values, same, note in found[method]:
                apart, correlation = difference(grid(mine), values)
                good = not same or apart <= limit(name, mine)
                firm &= good
                mark = "" if same else " (another definition)"
                wrong = "" if good else " **!**"
                print(
                    f"| {name} | {method} | {title}{mark} | {apart:.1e}{wrong} | {correlation:.4f} | {note} |",
                    flush=True,
                )
    return firm


def bare(case: Case, method: str, cost: Any) -> Callable[[], Any]:
    """Return the compiled passes alone that a method's definition needs, in batches as large as ours."""
    model, classes = case.model, tf.constant(case.classes)
    whole = tf.constant(case.pictures)

    def score(output: Any, index: Any) -> Any:
        return tf.reduce_sum(tf.gather(output, index, axis=1, batch_dims=1))

    def to_input(x: Any, index: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            value = score(model(x), index)
        return tape.gradient(value, x)

    if method in ("grad_cam", "grad_cam_plus_plus", "layer_cam"):
        both = keras.Model(model.inputs, [model.get_layer(case.layer).output, model.output])

        def to_layer(x: Any, index: Any) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x)
                maps, output = both(x)
                value = score(output, index)
            return maps, tape.gradient(value, maps)

        run = tf.function(to_layer, autograph=False)
        return lambda: run(whole, classes)
    if method in ("saliency", "gradient_input", "guided_backprop"):
        run = tf.function(to_input, autograph=False)
        return lambda: run(whole, classes)
    gradients = method in ("smoothgrad", "integrated_gradients")
    total = cost.backward if gradients else cost.forward
    batch = min(cost.batch, total)
    run = tf.function(to_input if gradients else lambda x, _: model(x), autograph=False)
    rows = tf.repeat(whole[:1], batch, axis=0)
    index = tf.repeat(classes[:1], batch)
    rest = total % batch

    def passes() -> None:
        for _ in range(total // batch):
            run(rows, index)
        if rest:
            run(rows[:rest], index[:rest])

    return passes


def speed(names: list[str], methods: tuple[str, ...], rounds: int, samples: int, *, alone: bool = False) -> None:
    """Print what a map costs, ours beside the libraries (unless alone) and the bare passes."""
    for name in names:
        network, case = case_of(name, pictures=1, samples=samples)
        case = shared_draws(network, case, methods)
        others = {} if alone else {title: library.ways(case) for title, library in LIBRARIES.items()}
        print(f"\n{name}, {case.model.input_shape[1]} px, one picture; samples {case.samples},")
        print(f"window {case.window}, stride {case.stride}; Keras {keras.__version__}, TensorFlow {tf.__version__},")
        print(f"load {os.getloadavg()[0]:.1f}. Least (median) processor time of {rounds} rounds, of short maps of")
        print(f"{rounds * MORE}; ratios are medians over the rounds, fastest library by its median.\n")
        print("| method | passes | batch | ours, ms | ÷ bare | fastest library | ours is … times faster | agree |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        for method in methods:
            mine = ours(network, case, method)
            first = [mine() for _ in range(3)][-1]  # the third call compiles
            ways: dict[str, Callable[[], Any]] = {"ours": mine, "bare": bare(case, method, first.cost)}
            apart = []
            for title, known in others.items():
                if method in known:
                    ways[title] = known[method].run
                    if known[method].same:
                        apart.append(difference(grid(first), known[method].raw())[0])
            took = taking_turns(ways, rounds * MORE if first.cost.seconds < SHORT else rounds)
            mine_best = took["ours"].best
            peers = sorted((each.median, title) for title, each in took.items() if title not in ("ours", "bare"))
            passes = f"{first.cost.forward} → {first.cost.backward} ←"
            fastest = f"{peers[0][1]}, {peers[0][0] * 1e3:.1f}" if peers else "–"
            times = f"{took[peers[0][1]].against(took['ours']):.2f}" if peers else "–"
            agreed = f"{max(apart):.0e}" if apart else "–"
            mine_told = f"{mine_best * 1e3:.1f} ({took['ours'].median * 1e3:.1f})"
            ratio = f"{took['ours'].against(took['bare']):.2f}"
            cells = (method, passes, first.cost.batch, mine_told, ratio, fastest, times, agreed)
            print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def main() -> None:
    """Print the tables; the exit status tells whether the maps agree."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("agree", "speed"))
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=500, help="of LIME and RISE")
    parser.add_argument("--alone", action="store_true", help="ours and the bare passes only")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message="The structure of `inputs`")
    tf.get_logger().setLevel("ERROR")
    methods = tuple(given.methods)
    if given.what == "agree":
        names = given.networks or [*TOYS, "drawn_plain", "drawn_robust", "MobileNetV2"]
        sys.exit(0 if agree(names, methods) else 1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    speed(given.networks or ["drawn_robust", "MobileNetV2"], methods, given.rounds, given.samples, alone=given.alone)


if __name__ == "__main__":
    main()
