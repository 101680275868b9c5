"""What counting a network costs beside building it: `python -m tests.benchmarks.counting [--independent] [name …]`.

Each number comes from a fresh process. *build* makes the network with its weights and asks Keras' `count_params`;
*count* makes every layer's shape, weights, work and field without allocating a weight; *table* reads the stored one,
without Keras. Times are processor time; memory is by how much the process' peak grew after the imports. With
`--independent`, TensorFlow's own counter goes over the built graph, and its multiplications in convolutions and dense
layers stand beside ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

NAMES = ("VGG19", "VGG16", "ResNet50", "MobileNetV2", "NASNetLarge")
INDEPENDENT = (
    "VGG16", "ResNet50", "MobileNet", "MobileNetV2", "Xception", "InceptionV3", "DenseNet121", "NASNetMobile",
    "EfficientNetB0", "alexnet", "googlenet", "resnext_50", "squeezenet_1.1", "shufflenet_g3", "se_resnet_50",
    "unet_same",
)  # fmt: skip
MULTIPLYING = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Conv2DBackpropInput")
ROUNDS = 3
LEAST_MEMORY_RATIO = 20
TABLE_SECONDS, LIST_SECONDS = 0.2, 0.1

_CHILD = """
import json, resource, sys, time
how, name = sys.argv[1:]
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
if how == "table":
    began = time.process_time()
    from explorer.architectures import tables
    imported = time.process_time()
    tables.totals()
    listed = time.process_time()
    tables.table_of(name)
    read = time.process_time()
    tables.table_of.cache_clear(), tables.totals.cache_clear()
    again = time.process_time()
    tables.totals()
    listed_again = time.process_time()
    tables.table_of(name)
    found = dict(imported=imported - began, totals=listed - imported, table=read - listed,
                 totals_warm=listed_again - again, table_warm=time.process_time() - listed_again)
else:
    from explorer.architectures.cards import card
    from explorer.architectures.counting import built, counted
    one = card(name)
    # What the first graph of a process costs, whichever it is.
    import keras
    keras.Model(x := keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)(x)).count_params()
    before, began, busy = peak(), time.perf_counter(), time.process_time()
    if how == "build":
        parameters = built(one).count_params()
    else:
        parameters = counted(one).parameters
    found = dict(seconds=time.perf_counter() - began, work=time.process_time() - busy, megabytes=peak() - before,
                 parameters=parameters)
print(json.dumps(found))
"""


def child(how: str, name: str) -> dict[str, float]:
    """Return what one fresh process measured."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, how, name], check=True, capture_output=True, text=True, env=environment
    )
    return json.loads(done.stdout.splitlines()[-1])


def independent(name: str) -> tuple[int, int, int]:
    """Return multiplications: TensorFlow's count, ours in grouped convolutions, ours in all layers.

    TensorFlow runs grouped convolutions on a CPU as compiled functions, which its counter does not look into.
    """
    import tensorflow as tf

    from explorer.architectures.cards import card
    from explorer.architectures.counting import built
    from explorer.architectures.tables import table_of

    one, table = card(name), table_of(name)
    model = built(one)
    run = tf.function(lambda pixels: model(pixels, training=False))
    graph = run.get_concrete_function(tf.TensorSpec((1, *one.input_shape), tf.float32)).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    found = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    # It counts a product and its addition as two.
    theirs = sum(own for kind, own in _parts(found) if kind in MULTIPLYING) // 2
    grouped = sum(table.costs[path].multiply_adds for path, x in table.structure.layers.items() if "groups" in x.config)
    return theirs, grouped, table.multiply_adds


def _parts(found):
    """Yield (kind, operations); in this view each kind stands below the one before it, its total with what follows."""
    rest = list(found.children)
    while rest:
        part = rest.pop()
        yield part.name, part.total_float_ops - sum(child.total_float_ops for child in part.children)
        rest += list(part.children)


def main() -> None:
    """Measure, print tables, and fail beyond the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--independent", action="store_true", help="hold the work against TensorFlow's own counter")
    parser.add_argument("names", nargs="*", help="names of cards")
    given = parser.parse_args()
    if given.independent:
        print("| network | TensorFlow's counter | ours, without grouped | ours |\n|---|---:|---:|---:|")
        for name in given.names or INDEPENDENT:
            theirs, grouped, ours = independent(name)
            print(f"| {name} | {theirs:,} | {ours - grouped:,} | {ours:,} |", flush=True)
            assert theirs == ours - grouped, name
        return
    print("| network | build | count | time | build | count | memory | list | table | table again |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    ratios = {}
    for name in given.names or NAMES:
        rounds = [(child("build", name), child("count", name), child("table", name)) for _ in range(ROUNDS)]
        build, count, table = (
            {key: statistics.median(one[key] for one in column) for key in column[0]}
            for column in zip(*rounds, strict=True)
        )
        assert build["parameters"] == count["parameters"]
        ratios[name] = build["megabytes"] / max(count["megabytes"], 0.1)
        print(
            f"| {name} | {build['work']:.2f} s | {count['work']:.2f} s | {build['work'] / count['work']:.1f} × "
            f"| {build['megabytes']:.0f} MB | {count['megabytes']:.1f} MB | {ratios[name]:.0f} × "
            f"| {1000 * table['totals']:.1f} ms | {1000 * table['table']:.1f} ms "
            f"| {1000 * table['table_warm']:.1f} ms |",
            flush=True,
        )
        assert table["table"] <= TABLE_SECONDS and table["totals"] <= LIST_SECONDS
    if "VGG19" in ratios:
        assert ratios["VGG19"] >= LEAST_MEMORY_RATIO, f"{ratios['VGG19']:.0f} times less memory on VGG19"


if __name__ == "__main__":
    main()
