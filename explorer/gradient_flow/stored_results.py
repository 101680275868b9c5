"""Results that come with the app, so that a scene shows something at once; `make_results` computes them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.gradient_flow.depth_results import (
    Degradation,
    DegradationPlan,
    Paths,
    PathsPlan,
    SurfacePlan,
    Surfaces,
    Vanishing,
    VanishingPlan,
)

FOLDER = Path(__file__).parent / "results"
KINDS: dict[str, tuple[type, type]] = {
    "vanishing": (VanishingPlan, Vanishing),
    "paths": (PathsPlan, Paths),
    "degradation": (DegradationPlan, Degradation),
    "surfaces": (SurfacePlan, Surfaces),
}
"""By the beginning of a file's name: the classes of what is asked and of what is answered."""


def write(result: Any, folder: Path = FOLDER) -> Path:
    """Write a finished result of any scene about depth into a file of its own.

    Args:
        result: A `Vanishing`, `Paths`, `Degradation` or `Surfaces`.
        folder: Where to.
    """
    kind = next(name for name, (_, made) in KINDS.items() if isinstance(result, made))
    plan = asdict(result.plan)
    arrays: dict[str, Any] = {
        field.name: value.astype(np.float32) if value.dtype == np.float64 else value
        for field in fields(result)
        if isinstance(value := getattr(result, field.name), np.ndarray)
    }
    folder.mkdir(exist_ok=True)
    size = next(iter(value for name, value in plan.items() if name in ("depth", "blocks", "deep")))
    words = (plan.get("network"), "path" if plan.get("directions") == "path" else None)
    path = folder / f"{'_'.join([kind, str(size), *filter(None, words)])}.npz"
    np.savez_compressed(path, plan=np.array(json.dumps(plan)), **arrays)
    return path


def read(path: Path) -> Any:
    """Return the result that `write` has put into a file."""
    plan_class, result_class = KINDS[path.name.split("_")[0]]
    with np.load(path, allow_pickle=False) as found:
        plan = plan_class(**json.loads(str(found["plan"])))
        arrays = {
            name: found[name].astype(np.float64) if found[name].dtype == np.float32 else found[name]
            for name in found.files
            if name != "plan"
        }
    for value in arrays.values():
        value.flags.writeable = False
    return result_class(plan, **arrays)


@lru_cache(maxsize=1)
def _all() -> dict[Any, Any]:
    results = [read(path) for path in sorted(FOLDER.glob("*.npz"))]
    return {result.plan: result for result in results}


def stored(plan: Any) -> Any:
    """Return the result for a plan, or None where none comes with the app."""
    return _all().get(plan)
