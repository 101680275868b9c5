"""Optimisers racing on a surface of two weights: every point of every path, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explorer.gradient_flow.optimisers import OPTIMISERS, largest_stable_rate
from explorer.gradient_flow.surfaces import Surface

MOST_STEPS = 500
ARRIVED = 0.01
"""An optimiser has arrived where this share of the height above the minimum is left."""

STAYED = 10
"""For so many steps at least it must have stayed there: noise takes anybody near the minimum for a moment."""

_TOO_FAR = 1e12
"""Beyond it a path is over: a few steps more and its numbers would overflow."""


@dataclass(frozen=True, eq=False)
class Path:
    """The way of one optimiser.

    Attributes:
        name: of the optimiser, as in `OPTIMISERS`.
        rate: its learning rate.
        points: (steps + 1, 2); not a number from the step on at which they grew beyond all bounds.
        losses: (steps + 1,), the surface at the points.
        gone_at: the step with which it first left the window; None where it stayed, or was soon back for good.
        broken_at: the step from which on its numbers are too large to go on; None where there is none.
        arrived_at: the first step from which on no more than 1 % of the height above the minimum is left; None
            where it did not come so far, or has not stayed there for `STAYED` steps.
    """

    name: str
    rate: float
    points: np.ndarray
    losses: np.ndarray
    gone_at: int | None
    broken_at: int | None
    arrived_at: int | None


@dataclass(frozen=True, eq=False)
class Race:
    """A race.

    Attributes:
        surface: on which.
        start: of all.
        paths: by name of the optimiser.
        steps: of each.
        seed: of the noise, which is the same for all.
    """

    surface: Surface
    start: tuple[float, float]
    paths: dict[str, Path]
    steps: int
    seed: int


def race(
    surface: Surface,
    rates: Mapping[str, float],
    *,
    start: tuple[float, float] | None = None,
    steps: int = 100,
    seed: int = 0,
) -> Race:
    """Let optimisers start from one point and make so many steps each.

    Args:
        surface: on which.
        rates: learning rate of each optimiser that takes part, by its name in `OPTIMISERS`.
        start: where; None for the surface's own.
        steps: 1 to `MOST_STEPS`.
        seed: of the noise on surfaces that have some.

    Raises:
        KeyError: for an unknown optimiser.
        ValueError: for another number of steps.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"A race has 1 to {MOST_STEPS} steps.")
    begin = surface.start if start is None else (float(start[0]), float(start[1]))
    noise = surface.noise * np.random.default_rng(seed).standard_normal((steps, 2))
    paths = {name: _path(surface, name, rate, begin, noise) for name, rate in rates.items()}
    return Race(surface, begin, paths, steps, seed)


def _path(surface: Surface, name: str, rate: float, start: tuple[float, float], noise: np.ndarray) -> Path:
    rule = OPTIMISERS[name].make(rate)
    points = np.full((len(noise) + 1, 2), np.nan)
    points[0] = weights = np.array(start, float)
    memory = rule.begin(weights)
    broken_at = None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for step, shaken in enumerate(noise, start=1):
            gradient = np.array(surface.gradient(weights[0], weights[1])) + shaken
            weights = rule.update(weights, gradient, memory, step)
            if not np.all(np.abs(weights) < _TOO_FAR):
                broken_at = step
                break
            points[step] = weights
        losses = np.asarray(surface.value(points[:, 0], points[:, 1]), float)
    inside = surface.inside(points)
    gone = not inside[-1] or not surface.near(points).all()
    return Path(
        name,
        rate,
        points,
        losses,
        int(np.argmin(inside)) if gone else None,
        broken_at,
        _arrived(losses, surface.least),
    )


def _arrived(losses: np.ndarray, least: float) -> int | None:
    near = losses - least <= ARRIVED * (losses[0] - least)
    away = np.flatnonzero(~near)
    first = int(away[-1]) + 1 if away.size else 0
    return first if first + STAYED <= len(losses) else None


def fate(path: Path, race: Race, title: str) -> str:
    """Say in a sentence or two what became of an optimiser that left the window; "" where it stayed.

    On a quadratic the bound of its learning rate is told; elsewhere the curvature at the start gives one that holds
    near it, unless the surface curves downwards there.

    Args:
        path: of the optimiser.
        race: in which.
        title: what people call it.
    """
    if path.gone_at is None:
        return ""
    when = "started outside of the picture" if path.gone_at == 0 else f"left the picture at step {path.gone_at}"
    overflow = f" and passed 10¹² at step {path.broken_at}" if path.broken_at is not None else ""
    if path.rate == 0:
        return f"{title} {when}: with a learning rate of 0 nothing moves."
    everywhere = race.surface.curvature
    steepest = everywhere if everywhere is not None else race.surface.curvatures(*race.start)[1]
    bound = largest_stable_rate(path.name, steepest)
    if OPTIMISERS[path.name].adaptive:
        return (
            f"{title} {when}{overflow}: each of its steps is about as long as its learning rate, {path.rate:g}, "
            "however steep the surface is."
        )
    if bound is None:
        return (
            f"{title} {when}{overflow}: the surface curves downwards at the start, so there is no bound for its "
            f"learning rate, {path.rate:g}, there, and its steps grow with the slope."
        )
    formula = {"sgd": "2/λ", "momentum": "2(1 + β)/λ", "nesterov": "2(1 + β)/((1 + 2β)λ)"}[path.name]
    where = "λmax" if everywhere is not None else "the curvature at the start, λ"
    if path.rate > bound:
        return (
            f"{title} {when}{overflow}: its learning rate {path.rate:g} exceeds {formula} = {bound:.4g}, "
            f"with {where} = {steepest:.4g}."
        )
    return f"{title} {when}{overflow}; its learning rate {path.rate:g} is below {formula} = {bound:.4g} at the start."
