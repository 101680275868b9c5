"""Settings of a scene by chance, all of them possible."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from explorer.convolution.scene import Control, Scene
from explorer.convolution.scenes.table import SCENES

EXAMPLES = max(1, int(os.environ.get("CNN_EXPLORER_EXAMPLES", "40")) // 4)
"""Random settings of each scene."""

PIXELS = np.random.default_rng(5).integers(0, 256, (40, 56, 3)).astype(np.uint8)


def given(scene: Scene) -> dict[str, Any]:
    """Return what the page adds to the settings of a scene."""
    return {"pixels": PIXELS} if scene.name == "photo" else {}


def preset_cases() -> list[tuple[Scene, str]]:
    """Return every scene with each of its presets."""
    return [(scene, preset.name) for scene in SCENES for preset in scene.presets]


def case_name(value: Any) -> str:
    """Return the name of a test case."""
    return value.name if isinstance(value, Scene) else str(value)


def random_settings(scene: Scene, seed: int) -> dict[str, Any]:
    """Return a preset changed by a dozen wishes, as far as each was possible when it came."""
    chance = np.random.default_rng(seed)
    preset = scene.presets[int(chance.integers(len(scene.presets)))].name
    settings = scene.settings(preset, **given(scene))
    for _ in range(12):
        control = scene.controls[int(chance.integers(len(scene.controls)))]
        changed = {**settings, control.name: _value(control, chance)}
        if scene.impossible(changed) is None:
            settings = changed
    return settings


def random_cases(scene: Scene) -> Iterator[dict[str, Any]]:
    """Yield random settings of a scene."""
    for seed in range(EXAMPLES):
        yield random_settings(scene, seed)


def _value(control: Control, chance: np.random.Generator) -> Any:
    def whole() -> int:
        # Small numbers are possible more often.
        high = min(control.high, control.low + chance.choice([1, 3, 8, 1000]))
        return int(chance.integers(int(control.low), int(high) + 1))

    match control.kind:
        case "count":
            return whole()
        case "pair":
            return (whole(), whole())
        case "number":
            steps = int((control.high - control.low) / control.step)
            return round(float(control.low + control.step * chance.integers(0, steps + 1)), 6)
        case "choice":
            return str(chance.choice(list(control.options)))
        case "switch":
            return bool(chance.integers(2))
        case "grid":
            if chance.random() < 0.3:
                return None
            shape = tuple(int(chance.integers(1, most + 1)) for most in control.most)
            if chance.random() < 0.5:
                return chance.integers(-9, 10, shape).astype(float)
            return np.vectorize(lambda value: float(f"{value:.6g}"))(chance.normal(0, 10, shape))
    return control.default
