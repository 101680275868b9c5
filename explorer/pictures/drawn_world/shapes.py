"""Outlines as points: circles, polygons and smooth curves in a plane where an object spans about [-1, 1].

x grows to the right and y downwards, as in a picture. Every outline is a float array (points, 2); how
many points it has never depends on the size at which it is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np


@cache
def _unit_circle(points: int) -> np.ndarray:
    angles = np.arange(points) * (2 * math.pi / points)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def polygon(*coordinates: float) -> np.ndarray:
    """Return the polygon through x0, y0, x1, y1, …"""
    return np.array(coordinates).reshape(-1, 2)


def circle(x: float, y: float, radius: float, points: int = 28) -> np.ndarray:
    """Return a circle."""
    return _unit_circle(points) * radius + (x, y)


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0, points: int = 28) -> np.ndarray:
    """Return an ellipse with half axes rx, ry, turned by `turn` radians."""
    flat = _unit_circle(points) * (rx, ry)
    if turn:
        cos, sin = math.cos(turn), math.sin(turn)
        flat = np.stack([flat[:, 0] * cos - flat[:, 1] * sin, flat[:, 0] * sin + flat[:, 1] * cos], axis=1)
    return flat + (x, y)


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float, points: int = 14) -> np.ndarray:
    """Return the part of an ellipse from angle `start` to `stop`, in degrees, clockwise on the screen."""
    angles = np.linspace(math.radians(start), math.radians(stop), points)
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return a rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


@cache
def _catmull_rom(controls: int, steps: int, closed: bool) -> np.ndarray:
    """Return the matrix that takes control points to the curve through them (Catmull & Rom 1974)."""
    segments = controls if closed else controls - 1
    rows = np.zeros((segments * steps + (0 if closed else 1), controls))
    for row in range(len(rows)):
        segment, t = divmod(row, steps)
        if segment == segments:
            segment, t = segments - 1, steps
        u = t / steps
        weights = (
            (-u + 2 * u**2 - u**3) / 2,
            (2 - 5 * u**2 + 3 * u**3) / 2,
            (u + 4 * u**2 - 3 * u**3) / 2,
            (-(u**2) + u**3) / 2,
        )
        for k, weight in enumerate(weights):
            at = segment + k - 1
            at = at % controls if closed else min(max(at, 0), controls - 1)
            rows[row, at] += weight
    return rows


def smooth(*coordinates: float, closed: bool = True, steps: int = 6) -> np.ndarray:
    """Return the smooth curve through x0, y0, x1, y1, …"""
    controls = np.array(coordinates).reshape(-1, 2)
    # An explicit sum of products: a matrix product would wake the threads of a linear algebra library.
    return np.einsum("ij,jk->ik", _catmull_rom(len(controls), steps, closed), controls)


def star(points: int, outer: float, inner: float, turn: float = -90.0) -> np.ndarray:
    """Return a star with this many tips; the first tip points in direction `turn`, in degrees."""
    angles = np.radians(turn) + np.arange(2 * points) * (math.pi / points)
    radii = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)


def mirror(outline: np.ndarray) -> np.ndarray:
    """Return the outline mirrored left to right."""
    return outline * (-1.0, 1.0)


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return one outline that runs through all parts in turn."""
    return np.concatenate(parts)
