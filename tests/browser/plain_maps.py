"""Heat maps with known values, for the browser's tests and the app they open."""

from __future__ import annotations

import numpy as np

from explorer.interface.components.heat_maps import HeatMap

SIDE = 96


def blob(row: float, column: float, deviation: float, side: int = SIDE) -> np.ndarray:
    """A round hill of height 1."""
    y, x = np.mgrid[:side, :side]
    return np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * deviation**2)).astype(np.float32)


def _noisy(scale: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).gamma(0.7, size=(SIDE, SIDE)).astype(np.float32)
    return scale * noise * (0.15 + blob(50, 46, 20))


def _signed(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE)).astype(np.float32)
    return (blob(48, 44, 13) - 0.6 * blob(20, 78, 9)) + 0.05 * noise


CAM = (7.31 * (blob(48, 46, 15) + 0.35 * blob(80, 20, 8))).astype(np.float32)


def _five():
    return [
        (
            "",
            "drawn:cat:13",
            (
                HeatMap("grad_cam", "Grad-CAM", "layer conv4_relu · 85 ms", CAM, box=(32, 28, 66, 66)),
                HeatMap("saliency", "Gradient", "31 ms", _noisy(0.02, 1), rule="clipped"),
                HeatMap("integrated_gradients", "Integrated gradients", "completeness gap 0.8 %", _signed(2), True),
                HeatMap("occlusion", "Occlusion", "121 windows", 3 * blob(50, 50, 18) - 0.4, True),
                HeatMap("rise", "RISE", "1,000 masks", 0.41 + 0.2 * blob(45, 45, 25), rule="lowest"),
            ),
        )
    ]


def _two():
    first, second = _five()[0][2][:3], _five()[0][2][:3]
    halved = tuple(
        HeatMap(one.name, one.title, one.caption, one.values * 0.5, one.signed, box=one.box) for one in second
    )
    return [("cat, logit 7.1", "drawn:cat:13", first), ("clock, logit 2.4", "drawn:clock:3", halved)]


def _odd():
    holes = _noisy(1, 4)
    holes[10:14, 20:23] = np.nan
    return [
        (
            "",
            "drawn:flower:2",
            (
                HeatMap(
                    "zero",
                    "Grad-CAM",
                    "",
                    np.zeros((SIDE, SIDE), np.float32),
                    note="The map is zero everywhere: no place of this layer speaks for the class.",
                ),
                HeatMap("constant", "Constant", "", np.full((SIDE, SIDE), 0.25, np.float32)),
                HeatMap("zero_signed", "Zero, signed", "", np.zeros((SIDE, SIDE), np.float32), True),
                HeatMap("holes", "With holes", "", holes),
                HeatMap("lime", "LIME", "160 of 500 pictures", busy=True, progress=0.32),
                HeatMap("rise", "RISE", "120 of 1,000 masks", 0.3 + 0.3 * blob(40, 30, 20), busy=True, progress=0.12),
                HeatMap("score_cam", "Score-CAM", note="This layer's maps are 1 × 1: choose an earlier layer."),
                HeatMap("coarse", "Coarse grid", "3 × 5 places", np.arange(15, dtype=np.float32).reshape(3, 5)),
            ),
        )
    ]


def _alone():
    return [("", "drawn:fish:5", ())]


CASES = {"five": _five, "two": _two, "odd": _odd, "alone": _alone}
