"""Surfaces over two weights on which optimisers race: value and gradient in closed form, minima, and a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

Over = Callable[[np.ndarray, np.ndarray], np.ndarray]
Slope = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

STRETCH = 50.0
"""How much steeper the narrow valley is across than along, where nothing else is asked for."""


@dataclass(frozen=True)
class Surface:
    """A function of two weights.

    Attributes:
        name: in links.
        title: as people call it.
        formula: in TeX.
        value: f(x, y).
        gradient: (∂f/∂x, ∂f/∂y).
        window: (left, right, bottom, top) of the picture.
        start: where the race begins if nobody says otherwise.
        minima: where f is least.
        least: the value there.
        says: what is special about it, in a sentence.
        rates: a sensible learning rate of each optimiser.
        noise: standard deviation of what is added to the gradient at every step, as a mini-batch does.
        curvature: the largest eigenvalue of the Hessian where that is the same everywhere, else None.
    """

    name: str
    title: str
    formula: str
    value: Over
    gradient: Slope
    window: tuple[float, float, float, float]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    least: float
    says: str
    rates: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.0
    curvature: float | None = None

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Tell which points (…, 2) lie in the window; what is not a number lies outside."""
        left, right, bottom, top = self.window
        x, y = points[..., 0], points[..., 1]
        return (x >= left) & (x <= right) & (y >= bottom) & (y <= top)

    def near(self, points: np.ndarray) -> np.ndarray:
        """Tell which points (…, 2) lie no further outside than the window is large."""
        left, right, bottom, top = self.window
        middle, size = np.array([left + right, bottom + top]) / 2, np.array([right - left, top - bottom])
        return np.all(np.abs(points - middle) <= 1.5 * size, axis=-1)

    def slope(self, x: float, y: float) -> np.ndarray:
        """Return the gradient at one point, (2,)."""
        return np.array(self.gradient(np.asarray(x), np.asarray(y)), float)

    def curvatures(self, x: float, y: float) -> tuple[float, float]:
        """Return the smallest and the largest eigenvalue of the Hessian at a point, by differences of the gradient."""
        h = 1e-5
        columns = [(self.slope(x + a, y + b) - self.slope(x - a, y - b)) / (2 * h) for a, b in ((h, 0.0), (0.0, h))]
        hessian = np.array(columns, float)
        low, high = np.linalg.eigvalsh((hessian + hessian.T) / 2)
        return float(low), float(high)


def valley(stretch: float = STRETCH) -> Surface:
    """Return the quadratic ½(x² + s y²), s times as steep across as along.

    Args:
        stretch: s, at least 1: the condition number.

    Raises:
        ValueError: for a stretch below 1.
    """
    if stretch < 1:
        raise ValueError("A valley is at least as steep across as along: its stretch is 1 or more.")
    return Surface(
        "valley",
        "Narrow valley",
        rf"f(x, y) = \tfrac12\,(x^2 + {stretch:g}\,y^2)",
        lambda x, y: 0.5 * (x * x + stretch * y * y),
        lambda x, y: (x, stretch * y),
        (-10.0, 10.0, -4.0, 4.0),
        (-9.0, 2.5),
        ((0.0, 0.0),),
        0.0,
        f"The gradient points across the valley, {stretch:g} times as strongly as along it.",
        {"sgd": 1.6 / stretch, "momentum": 0.8 / stretch, "nesterov": 0.8 / stretch, "rmsprop": 0.15, "adam": 0.5,
         "adamw": 0.5},
        curvature=stretch,
    )  # fmt: skip


def _rosenbrock(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def _rosenbrock_gradient(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return -2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)


_BEALE = ((1.5, 1), (2.25, 2), (2.625, 3))


def _beale(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _beale_gradient(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rests = [(constant - x + x * y**power, power) for constant, power in _BEALE]
    across = sum(2 * rest * (y**power - 1) for rest, power in rests)
    along = sum(2 * rest * power * x * y ** (power - 1) for rest, power in rests)
    return np.asarray(across), np.asarray(along)


def _himmelblau(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


def _himmelblau_gradient(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, second = x * x + y - 11, x + y * y - 7
    return 4 * x * first + 2 * second, 2 * first + 4 * y * second


_FIXED = (
    Surface(
        "rosenbrock", "Rosenbrock", r"f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2", _rosenbrock, _rosenbrock_gradient,
        (-2.0, 2.0, -1.0, 3.0), (-1.2, 1.0), ((1.0, 1.0),), 0.0,
        "A bent valley: down into it is easy, along it the gradient is small.",
        {"sgd": 0.001, "momentum": 0.001, "nesterov": 0.001, "rmsprop": 0.02, "adam": 0.2, "adamw": 0.2},
    ),
    Surface(
        "beale", "Beale",
        r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2", _beale, _beale_gradient,
        (-4.5, 4.5, -4.5, 4.5), (1.0, 1.5), ((3.0, 0.5),), 0.0,
        "Steep walls in the corners, a flat plain with the minimum on the right.",
        {"sgd": 0.01, "momentum": 0.002, "nesterov": 0.002, "rmsprop": 0.05, "adam": 0.2, "adamw": 0.2},
    ),
    Surface(
        "saddle", "Saddle", r"f(x, y) = \tfrac12 x^2 - \tfrac12 y^2 + \tfrac14 y^4",
        lambda x, y: 0.5 * x * x - 0.5 * y * y + 0.25 * y**4, lambda x, y: (x, y**3 - y),
        (-2.0, 2.0, -1.6, 1.6), (-1.8, 0.001), ((0.0, 1.0), (0.0, -1.0)), -0.25,
        "In the middle the slope is zero and it still goes down to both sides.",
        {"sgd": 0.1, "momentum": 0.05, "nesterov": 0.05, "rmsprop": 0.02, "adam": 0.05, "adamw": 0.05},
    ),
    Surface(
        "himmelblau", "Himmelblau", r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2", _himmelblau,
        _himmelblau_gradient, (-5.5, 5.5, -5.5, 5.5), (-0.3, -0.5),
        ((3.0, 2.0), (-2.805118086952745, 3.131312518250573), (-3.779310253377747, -3.283185991286170),
         (3.584428340330492, -1.848126526964404)), 0.0,
        "Four minima, all equally deep: which one is found depends on the start and on the optimiser.",
        {"sgd": 0.01, "momentum": 0.002, "nesterov": 0.002, "rmsprop": 0.05, "adam": 0.2, "adamw": 0.2},
    ),
    Surface(
        "noisy_bowl", "Noisy bowl", r"f(x, y) = \tfrac12\,(x^2 + 4 y^2), \quad g = \nabla f + \text{noise}",
        lambda x, y: 0.5 * (x * x + 4 * y * y), lambda x, y: (x, 4 * y),
        (-5.0, 5.0, -3.0, 3.0), (-4.5, 2.2), ((0.0, 0.0),), 0.0,
        "Every step sees the gradient of another mini-batch: the true one and normal noise of spread 1.5.",
        {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 0.1, "adam": 0.2, "adamw": 0.2},
        noise=1.5, curvature=4.0,
    ),
)  # fmt: skip

SURFACES: dict[str, Surface] = {one.name: one for one in (valley(), *_FIXED)}
"""The surfaces by name; the valley with its usual stretch."""


def surface(name: str, stretch: float = STRETCH) -> Surface:
    """Return a surface by name; `stretch` matters to the valley alone.

    Raises:
        KeyError: for an unknown name.
    """
    return valley(stretch) if name == "valley" else SURFACES[name]
