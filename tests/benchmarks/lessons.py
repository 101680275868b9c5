"""Does a lesson's sentence hold? `python -m tests.benchmarks.lessons NAME --seeds 100 104 [--preset P] [--set k=v]`.

Each seed runs the lesson's task in this process, in a folder that is thrown away (or kept with --keep), and prints
each verdict, its numbers, and what it took: seconds by the clock and of the processor.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.networks.work_context import Stopped
from explorer.runs import tasks
from explorer.runs.context import RunContext
from explorer.runs.folder import create
from explorer.runs.lessons import lesson
from explorer.runs.outcome import read_outcome
from explorer.runs.record import new_config


@dataclass(frozen=True)
class Ran:
    """What one seed gave: the items of the outcome, seconds by the clock and of the processor, and the folder."""

    seed: int
    items: list[Any]
    seconds: float
    processor: float
    folder: Path

    @property
    def row(self) -> str:
        """One line of the table."""
        verdicts = [item for item in self.items if item.kind == "verdict"]
        held = ", ".join({True: "yes", False: "NO", None: "open"}[verdict.holds] for verdict in verdicts)
        because = " ".join(verdict.because for verdict in verdicts)
        return f"| {self.seed} | {held} | {because} | {self.processor:.0f} | {self.seconds:.0f} |"


def run(
    name: str, seed: int, preset: str, root: Path, settings: dict[str, Any], data: dict[str, Any], network: str = ""
) -> Ran:
    """Run a lesson once with a preset of it, changed by `settings` and `data`."""
    about = lesson(name)
    chosen = about.preset(preset)
    source = {"source": about.data[0]} if about.data else {}
    config = new_config(
        task=name,
        owner="benchmark",
        network=network,
        seed=seed,
        settings=about.settings({**chosen.settings, **settings}),
        data={**source, **chosen.data, **data},
    )
    started = create(root, config)
    context = RunContext(started.folder, config)
    train = tasks.load(name)
    clock, processor = time.perf_counter(), time.process_time()
    try:
        train(context)
    except Stopped:
        pass
    finally:
        context.close()
    spent = (time.perf_counter() - clock, time.process_time() - processor)
    return Ran(seed, read_outcome(started.folder), *spent, started.folder)


def _pairs(given: list[str]) -> dict[str, Any]:
    pairs = (each.partition("=") for each in given)
    return {key: json.loads(value) for key, _, value in pairs}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--seeds", nargs=2, type=int, default=(100, 104), help="the first and the last")
    parser.add_argument("--preset", default="", help="by default the first")
    parser.add_argument("--set", nargs="*", default=[], help='settings as name=JSON, such as epochs=3 or kind="a"')
    parser.add_argument("--data", nargs="*", default=[], help="the same for the data")
    parser.add_argument("--network", default="")
    parser.add_argument("--keep", type=Path, help="a folder for the runs")
    options = parser.parse_args()
    root = options.keep or Path(tempfile.mkdtemp(prefix="lessons-"))
    root.mkdir(parents=True, exist_ok=True)
    print(f"{lesson(options.name).title}, preset {lesson(options.name).preset(options.preset).name}\n")
    print("| seed | holds | because | processor s | s |\n|---|---|---|---:|---:|", flush=True)
    try:
        for seed in range(options.seeds[0], options.seeds[1] + 1):
            settings, data = _pairs(options.set), _pairs(options.data)
            print(run(options.name, seed, options.preset, root, settings, data, options.network).row, flush=True)
    finally:
        if options.keep is None:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
