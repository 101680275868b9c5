"""Every network of the catalogue with random weights: built, described, and looked at layer by layer.

    python -m tests.benchmarks.every_network [NAME …]

Each network runs in a process of its own, so that its peak of memory is its own. "Overview" is one pass with
minimum and maximum of each channel of all layers; "one layer" is the view of a layer in the middle.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

from explorer.networks import catalogue


def look(name: str) -> dict[str, float | int | str]:
    """Build, describe and run one network; checks that every layer of the structure answers as described."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np

    from explorer.networks.activations import activations
    from explorer.networks.describe import described
    from explorer.networks.loading import load
    from explorer.networks.preprocessing import prepare
    from explorer.networks.structure import blocks_of, paths_of

    entry = catalogue.entry(name)
    pixels = np.random.default_rng(0).integers(0, 256, (*entry.input_size, 3), dtype=np.uint8)
    batch = prepare(pixels, entry)
    started = time.perf_counter()
    network = load(name, "random")
    built = time.perf_counter() - started
    started = time.perf_counter()
    structure = described(network)
    read = time.perf_counter() - started
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, shapes, sizes = [], {}, {}

    def reduce(path: str, values: np.ndarray) -> tuple[float, float]:
        shapes[path] = values.shape[1:]
        sizes[path] = values.nbytes
        return float(values.min()), float(values.max())

    for _ in range(3):
        started = time.perf_counter()
        found = activations(network, batch, reduce=reduce)
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shown = list(paths_of(structure.nodes))
    wrong = [path for path, layer in structure.layers.items() if shapes.get(path) != layer.output_shape]
    assert not wrong, wrong[:3]
    assert sorted(shown) == sorted(structure.layers)
    assert structure.parameters == entry.parameters, (structure.parameters, entry.parameters)
    assert all(np.isfinite(value).all() for value in found.values())
    middle = shown[len(shown) // 2]
    started = time.perf_counter()
    activations(network, batch, [middle])
    return {
        "layers": len(structure.layers),
        "blocks": sum(1 for _ in blocks_of(structure.nodes)),
        "parameters": structure.parameters,
        "build": built,
        "read": read,
        "first": seconds[0],
        "overview": min(seconds),
        "layer": time.perf_counter() - started,
        "activations": sum(sizes.values()) / 1e6,
        "grew": (peak - before) / 1e3,
    }


def main() -> int:
    """Print the table, one line as soon as each network is done."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--one", help="look at this one in this process and print JSON")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(look(given.one)))
        return 0
    names = given.names or [entry.name for entry in catalogue.entries()]
    print("| network | layers | blocks | parameters | built | structure | first overview | overview | one layer |"
          " activations | memory grew |")  # fmt: skip
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    failed = 0
    for name in names:
        command = [sys.executable, "-m", "tests.benchmarks.every_network", "--one", name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            failed += 1
            print(f"| {name} | failed: {done.stderr.strip().splitlines()[-1]} |", flush=True)
            continue
        facts = json.loads(done.stdout.strip().splitlines()[-1])
        print(
            f"| {name} | {facts['layers']:,} | {facts['blocks']} | {facts['parameters'] / 1e6:.1f} M | "
            f"{facts['build']:.1f} s | {facts['read'] * 1e3:.0f} ms | {facts['first']:.2f} s | "
            f"{facts['overview']:.2f} s | {facts['layer']:.2f} s | {facts['activations']:,.0f} MB | "
            f"{facts['grew']:,.0f} MB |",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
