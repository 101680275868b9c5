"""What the tap costs: all layers' activations beside one plain call, and beside the usual way.

    python -m tests.benchmarks.activations [--network MobileNetV2] [--rounds 15]

All ways take turns within one run, so that other work on the machine hits them alike; processor time (of all
threads) leaves most of it out. "Usual way" is a second keras.Model from the same input to the outputs of all
layers, called eagerly.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from explorer.networks.activations import activations
from explorer.networks.describe import describe, described
from explorer.networks.gradients import probe_gradient, value_and_gradient
from explorer.networks.loading import LoadedNetwork, load


def of_channels(path: str, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimum and maximum of each channel, as an overview needs them."""
    flat = values.reshape(-1, values.shape[-1])
    return flat.min(axis=0), flat.max(axis=0)


def ways(network: LoadedNetwork, batch: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return what is measured, by its name in the table."""
    model = network.model
    paths = [path for path in activations(network, batch) if "/" not in path]
    graph = keras.Model(model.input, [operation.output for operation in model.operations])

    def score(output: object) -> object:
        return output[0, 0]  # type: ignore[index]

    def function(x: object) -> object:
        return score(model(x))

    return {
        "plain call, `model(x)`": lambda: keras.ops.convert_to_numpy(model(batch)),
        "all layers, as arrays": lambda: activations(network, batch),
        "all layers, minimum and maximum of each channel": lambda: activations(network, batch, reduce=of_channels),
        "usual way: a model with all outputs, as arrays": lambda: [
            keras.ops.convert_to_numpy(output) for output in graph(batch)
        ],
        "one layer, the first": lambda: activations(network, batch, [paths[1]]),
        "one layer, in the middle": lambda: activations(network, batch, [paths[len(paths) // 2]]),
        "one layer, the last": lambda: activations(network, batch, [paths[-1]]),
        "gradient at a layer in the middle": lambda: probe_gradient(network, batch, paths[len(paths) // 2], score),
        "gradient at the input, compiled at the third call": lambda: value_and_gradient(function, batch),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="MobileNetV2")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    started = time.perf_counter()
    network = load(given.network, "random")
    built = time.perf_counter() - started
    batch = np.random.default_rng(0).uniform(-1, 1, (1, *network.entry.input_size, 3)).astype(np.float32)
    paths = list(described(network).layers)
    started = time.perf_counter()
    activations(network, batch, [paths[len(paths) // 2]])
    first = time.perf_counter() - started
    measured = ways(network, batch)
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    worked: dict[str, list[float]] = {name: [] for name in measured}
    for number in range(given.rounds + 3):
        for name, way in measured.items():
            started, busy = time.perf_counter(), time.process_time()
            way()
            if number >= 3:
                seconds[name].append(time.perf_counter() - started)
                worked[name].append(time.process_time() - busy)
    started = time.perf_counter()
    describe(network.model, given.network)
    read = time.perf_counter() - started
    held = sum(values.nbytes for values in activations(network, batch).values()) / 1e6
    print(f"{given.network}, input {network.entry.input_size}, {len(paths)} layers, {held:.0f} MB of activations,")
    print(f"Keras {keras.__version__} on {keras.backend.backend()}, {platform.machine()}, {os.cpu_count()} cores,")
    print(f"load {os.getloadavg()[0]:.1f}; built in {built:.2f} s, first view of a layer {first * 1e3:.0f} ms,")
    print(f"structure read in {read * 1e3:.0f} ms. Medians of {given.rounds} rounds.\n")
    print("| what | median | fastest | processor time | … times a plain call's |\n|---|---:|---:|---:|---:|")
    plain = statistics.median(worked["plain call, `model(x)`"])
    for name, values in seconds.items():
        busy = statistics.median(worked[name])
        print(
            f"| {name} | {statistics.median(values) * 1e3:.0f} ms | {min(values) * 1e3:.0f} ms | "
            f"{busy * 1e3:.0f} ms | {busy / plain:.2f} |"
        )


if __name__ == "__main__":
    main()
