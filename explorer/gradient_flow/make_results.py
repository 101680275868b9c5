"""Compute the results that come with the app: `python -m explorer.gradient_flow.make_results [kind …]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from explorer.gradient_flow.degradation import degradation
from explorer.gradient_flow.depth_results import DegradationPlan, PathsPlan, SurfacePlan, VanishingPlan
from explorer.gradient_flow.loss_surface import loss_surfaces
from explorer.gradient_flow.paths import paths
from explorer.gradient_flow.stored_results import FOLDER, KINDS, write
from explorer.gradient_flow.vanishing import vanishing

PLANS: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "vanishing": (vanishing, [VanishingPlan()]),
    "paths": (
        paths,
        [PathsPlan(blocks=blocks, network=kind) for kind in ("convolutional", "dense") for blocks in (24, 54)],
    ),
    "degradation": (degradation, [DegradationPlan()]),
    "surfaces": (
        loss_surfaces,
        [*(SurfacePlan(depth=depth) for depth in (8, 20, 56)), SurfacePlan(directions="path")],
    ),
}
"""By kind: what computes it, and the settings that a scene opens with or that are one step away."""


def main() -> None:
    """Compute the kinds that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    for kind in parser.parse_args().kinds:
        compute, plans = PLANS[kind]
        for plan in plans:
            began = time.process_time()
            path = write(compute(plan))
            print(f"{path.name}: {time.process_time() - began:.0f} s of processor time", file=sys.stderr)
    size = sum(path.stat().st_size for path in FOLDER.glob("*.npz"))
    print(f"{size / 1000:.0f} kB in all", file=sys.stderr)


if __name__ == "__main__":
    main()
