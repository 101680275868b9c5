"""Our convolutions of a photo beside Keras' layers, and tracing: `python -m tests.benchmarks.convolution`.

One process, the same numbers, all ways in turn, after a pause each, since the threads of the one before spin on for a
while. Keras' layer is called eagerly and compiled; the faster counts. All end with a NumPy array. With
OPENBLAS_NUM_THREADS=1 both have one thread and medians of processor time are measured, which other load on the machine
changes little; otherwise the fastest time of all rounds with all threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.signal import fftconvolve

from explorer.convolution.operations import conv2d, depthwise_conv2d
from explorer.convolution.tracing import trace

SIDE, KERNEL, ROUNDS = 1024, 7, 20
PAUSE = 0.1
ONE_THREAD = os.environ.get("OPENBLAS_NUM_THREADS") == "1"


def milliseconds(ways: dict[str, Callable[[], Any]], rounds: int = ROUNDS, pause: float = PAUSE) -> dict[str, float]:
    """Return the time of each way in milliseconds; all take turns, and two rounds before do not count."""
    clock = time.process_time if ONE_THREAD else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 2):
        for name, way in ways.items():
            time.sleep(pause)
            began = clock()
            way()
            if number >= 2:
                times[name].append(1000 * (clock() - began))
    return {name: (median(ones) if ONE_THREAD else min(ones)) for name, ones in times.items()}


def keras_ways(layer: Any, x: np.ndarray, kernel: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Return a layer with this kernel, called eagerly and compiled, on x `(h, w, c)`."""
    layer.build((None, *x.shape))
    layer.set_weights([kernel])
    batch = keras.ops.convert_to_tensor(x[None])
    compiled = tf.function(layer)
    return {"eager": lambda: np.asarray(layer(batch))[0], "compiled": lambda: np.asarray(compiled(batch))[0]}


def photo_row(name: str, x: np.ndarray, kernel: np.ndarray, depthwise: bool = False) -> None:
    """Measure one convolution with "same" padding both ways, hold the results equal, print a line."""
    kind = x.dtype.name
    shape = kernel.shape[:2]
    settings: dict[str, Any] = {"padding": "same", "use_bias": False, "dtype": kind}
    ours = depthwise_conv2d if depthwise else conv2d
    layer = keras.layers.DepthwiseConv2D(shape, **settings) if depthwise else None
    layer = layer or keras.layers.Conv2D(kernel.shape[3], shape, **settings)
    ways = {"ours": lambda: ours(x, kernel, padding="same"), **keras_ways(layer, x, kernel)}
    if x.shape[2] == kernel.shape[3] == 1:
        wide = np.pad(x[..., 0], KERNEL // 2)
        turned = kernel[::-1, ::-1, 0, 0]
        ways["fft"] = lambda: fftconvolve(wide, turned, mode="valid")
    expected = ways["eager"]()
    tolerance = 1e-4 if kind == "float32" else 1e-10
    np.testing.assert_allclose(ways["ours"](), expected, atol=tolerance * np.abs(expected).max())
    found = milliseconds(ways)
    best = min(found["eager"], found["compiled"])
    fft = f"{found['fft']:.1f}" if "fft" in found else ""
    print(
        f"| {name}, {kind} | {found['ours']:.1f} | {found['eager']:.1f} | {found['compiled']:.1f} | {fft} |"
        f" {best / found['ours']:.2f} |"
    )


def main() -> None:
    """Print both tables."""
    if ONE_THREAD:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    random = np.random.default_rng(0)
    photo = random.integers(0, 256, (SIDE, SIDE, 3))
    print(f"| {SIDE} × {SIDE}, {KERNEL} × {KERNEL} | ours, ms | Keras eager, ms | compiled, ms | FFT, ms | speed |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind in (np.float32, np.float64):
        x = photo.astype(kind)
        for name, channels, filters in (("grey", 1, 1), ("RGB, 1 filter", 3, 1), ("RGB, 3 filters", 3, 3)):
            kernel = random.normal(size=(KERNEL, KERNEL, channels, filters)).astype(kind)
            photo_row(name, np.ascontiguousarray(x[..., :channels]), kernel)
        kernel = random.normal(size=(KERNEL, KERNEL, 3, 1)).astype(kind)
        photo_row("RGB, each channel by itself", x, kernel, depthwise=True)

    small, kernel = random.normal(size=(16, 16, 1)), random.normal(size=(7, 7, 1, 1))
    traces: dict[str, Callable[[], Any]] = {
        "conv2d, same": lambda: trace("conv2d", small, kernel, padding="same"),
        "conv2d_transpose, stamps": lambda: trace("conv2d_transpose", small, kernel, strides=2, view="scatter"),
        "conv2d_transpose, over zeros": lambda: trace("conv2d_transpose", small, kernel, strides=2, view="zeros"),
        "pool2d, 7 × 7, stride 1, same": lambda: trace("pool2d", small, pool_size=7, strides=1, padding="same"),
    }
    found = milliseconds(traces, 100, 0)
    print("\n| trace of 16 × 16 with 7 × 7 | terms | ms |\n|---|---:|---:|")
    for name, way in traces.items():
        print(f"| {name} | {len(way().sources):,} | {found[name]:.2f} |")


if __name__ == "__main__":
    main()
