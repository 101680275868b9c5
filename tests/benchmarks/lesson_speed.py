"""How fast do the lessons train? `python -m tests.benchmarks.lesson_speed [NAME …] [--rounds 7] [--networks 2]`.

Each lesson runs with its first preset until it would train a network. There the lesson's own way (every batch is
reported to the run's folder, a stop is looked for, wishes are followed, pictures may be changed on the way) and a bare
`model.fit` on the same data as arrays in memory take turns, an epoch each, with the same network, and nothing is
judged. Ratios are medians over the rounds of pictures per second of processor time (and of the clock).
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from explorer.networks.work_context import Stopped
from explorer.runs import fitting, tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import create
from explorer.runs.lessons import lesson, lessons
from explorer.runs.record import new_config
from tests.benchmarks.rounds import Took, taking_turns


def in_memory(inputs: Any, targets: Any) -> tuple[Any, Any]:
    """Return what a dataset hands out in one epoch as arrays; arrays as they are."""
    if not isinstance(inputs, keras.utils.PyDataset):
        return inputs, targets
    batches = [inputs[number] for number in range(len(inputs))]
    return np.concatenate([batch[0] for batch in batches]), np.concatenate([batch[1] for batch in batches])


def measured(rows: list[str], name: str, rounds: int, networks: int) -> Callable[..., fitting.Fitted]:
    """Return what stands in for the lesson's fit: it measures the first networks, and stops the run then."""
    seen: set[str] = set()

    def fit(context: RunContext, model: keras.Model, inputs: Any, targets: Any = None, **given: Any) -> fitting.Fitted:
        variant = given.get("variant", "")
        options = {key: value for key, value in given.items() if key not in ("validation", "on_epoch", "epochs")}
        if variant not in seen:
            if len(seen) == networks:
                raise Stopped
            seen.add(variant)
            arrays, truth = in_memory(inputs, targets)
            own = ("variant", "first_epoch", "pictures", "curves")
            plain = {"batch_size": 32, **{key: value for key, value in options.items() if key not in own}}
            pictures = len(truth)
            took = taking_turns(
                {
                    "ours": lambda: fitting.fit(context, model, inputs, targets, epochs=1, **options),
                    "bare": lambda: model.fit(arrays, truth, epochs=1, verbose=0, **plain),
                },
                rounds,
                warm=2,
            )
            rows.append(_row(name, variant, pictures, took))
            print(rows[-1], flush=True)
        return fitting.fit(context, model, inputs, targets, epochs=1, **options)

    return fit


def _row(name: str, variant: str, pictures: int, took: dict[str, Took]) -> str:
    ours, bare = took["ours"], took["bare"]
    by_clock = statistics.median(theirs / mine for mine, theirs in zip(ours.seconds, bare.seconds, strict=True))
    return (
        f"| {name} | {variant or 'the only one'} | {pictures} | {pictures / bare.median:.0f} "
        f"| {pictures / ours.median:.0f} | {1 / ours.against(bare):.2f} | {by_clock:.2f} |"
    )


def measure(name: str, root: Path, rounds: int, networks: int) -> None:
    """Print a row for each of the first networks of a lesson."""
    about = lesson(name)
    preset = about.preset("")
    config = new_config(
        task=name,
        owner="benchmark",
        network="",
        seed=0,
        settings=about.settings(preset.settings),
        data={**({"source": about.data[0]} if about.data else {}), **preset.data},
    )
    train = tasks.load(name)
    fit = measured([], about.title, rounds, networks)
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("explorer.runs.tasks.") and hasattr(module, "fit"):
            module.fit = fit  # type: ignore[attr-defined]
    context = RunContext(create(root, config).folder, config)
    try:
        train(context)
    except Stopped:
        pass
    finally:
        context.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[about.name for about in lessons()])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", type=int, default=2, help="of each lesson")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="lesson-speed-"))
    print("| lesson | network | pictures | bare fit, pictures/s | lesson, pictures/s | ratio | ratio by the clock |")
    print("|---|---|---:|---:|---:|---:|---:|", flush=True)
    try:
        for name in options.names:
            measure(name, root, options.rounds, options.networks)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
