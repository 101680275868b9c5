"""The sixteen kinds of things in the drawn world: how each is drawn, and in how many ways.

Every function gets a pen and a stream of chance and draws one object that fills about [-1, 1] both ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.pictures.drawn_world.chance import Roll
from explorer.pictures.drawn_world.pen import Pen
from explorer.pictures.drawn_world.shapes import (
    arc,
    box,
    circle,
    ellipse,
    joined,
    mirror,
    polygon,
    smooth,
    star,
)


def _eye(pen: Pen, x: float, y: float, radius: float, look: float = 0.0) -> None:
    """Draw a round eye that looks aside by `look` of its radius."""
    pen.dot(x, y, radius, pen.palette.pale, edged=True)
    pen.dot(x + look * radius, y, radius * 0.55, pen.palette.dark)


def _cat_head(pen: Pen, roll: Roll, x: float, y: float, r: float) -> None:
    colours = pen.palette
    wide, tall = r * roll.between(1.0, 1.18), r * roll.between(0.82, 0.98)
    spread, tip = roll.between(0.62, 0.8), roll.between(1.2, 1.5)
    inner_ear = colours.shade(roll.between(0.92, 1.02), 0.45, 0.95)
    for side in (-1, 1):
        ear = polygon(
            x + side * wide * 0.95,
            y - tall * 0.2,
            x + side * wide * spread,
            y - r * tip,
            x + side * wide * 0.1,
            y - tall * 0.8,
        )
        pen.fill(ear, colours.main)
        pen.fill(ear * 0.55 + ear.mean(axis=0) * 0.45, inner_ear, edged=False)
    head = ellipse(x, y, wide, tall, points=32)
    pen.fill(head, colours.main)
    line = max(0.03, r * 0.055)
    if roll.happens(0.5):
        for k in (-1, 0, 1):
            pen.stroke(
                polygon(x + k * 0.2 * r, y - 0.88 * tall, x + k * 0.15 * r, y - (0.5 - 0.12 * abs(k)) * tall),
                colours.ink,
                line * 1.3,
            )
    iris = colours.shade(roll.pick((0.13, 0.28, 0.33, 0.5, 0.56)), 0.75, 1.0)
    slit = roll.between(0.25, 0.7)
    gap, eye = roll.between(0.4, 0.48) * r, roll.between(0.2, 0.27) * r
    sleepy = roll.happens(0.12)
    muzzle = ellipse(x, y + 0.42 * tall, 0.45 * r, 0.34 * r)
    pen.fill(muzzle, colours.pale, edged=False)
    for side in (-1, 1):
        ex, ey = x + side * gap, y - 0.12 * r
        if sleepy:
            pen.stroke(arc(ex, ey, eye, eye * 0.7, 20, 160, 9), colours.dark, line * 1.3)
        else:
            pen.fill(ellipse(ex, ey, eye, eye * 1.05, points=18), iris)
            pen.fill(ellipse(ex, ey, eye * slit, eye * 0.85, points=14), colours.dark, edged=False)
            pen.dot(ex + eye * 0.3, ey - eye * 0.35, eye * 0.22, colours.pale)
    nose_y = y + 0.28 * r
    pen.fill(
        polygon(x - 0.13 * r, nose_y, x + 0.13 * r, nose_y, x, nose_y + 0.14 * r),
        colours.shade(0.97, 0.6, 0.9),
        edged=False,
    )
    for side in (-1, 1):
        pen.stroke(arc(x + side * 0.14 * r, nose_y + 0.16 * r, 0.14 * r, 0.14 * r, 0, 180, 8), colours.dark, line)
        for k in (-1, 0, 1):
            pen.stroke(
                polygon(
                    x + side * 0.42 * r,
                    y + (0.36 + 0.1 * k) * r,
                    x + side * 1.28 * r,
                    y + (0.28 + 0.22 * k) * r,
                ),
                colours.ink,
                line * 0.75,
            )


def _cat(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    if roll.happens(0.55):
        _cat_head(pen, roll, 0.0, 0.18, 0.78)
        return
    side = roll.pick((-1, 1))
    tail = smooth(
        0.3 * side,
        0.85,
        0.75 * side,
        0.85,
        0.92 * side,
        0.45,
        0.7 * side,
        0.2,
        0.85 * side,
        roll.between(-0.15, 0.05),
        closed=False,
    )
    pen.bar(tail, (*colours.main[:3], False), 0.15)
    body = smooth(-0.28, -0.15, 0.28, -0.15, 0.5, 0.55, 0.42, 0.95, -0.42, 0.95, -0.5, 0.55)
    pen.fill(body, colours.main)
    if roll.happens(0.6):
        pen.fill(ellipse(0, 0.42, 0.22, 0.36), colours.pale, edged=False)
    for x in (-0.2, 0.2):
        pen.fill(ellipse(x, 0.9, 0.17, 0.1, points=16), colours.pale if roll.happens(0.5) else colours.main)
    _cat_head(pen, roll, 0.0, -0.3, 0.5)


def _fish(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    tall = roll.between(0.4, 0.66)
    tail, notch = roll.between(0.32, 0.55), roll.between(-0.72, -0.85)
    back = roll.between(-1.0, -0.92)
    pen.fill(smooth(-0.45, 0, back, -tail, notch, 0, back, tail, steps=5), colours.second)
    peak = roll.between(0.25, 0.42)
    pen.fill(
        smooth(-0.35, -tall * 0.6, -0.1, -tall - peak, 0.3, -tall * 0.95, 0.35, -tall * 0.5, -0.1, -tall * 0.4),
        colours.second,
    )
    pen.fill(smooth(-0.2, tall * 0.6, -0.25, tall + peak * 0.7, 0.2, tall * 0.8, 0.1, tall * 0.4), colours.second)
    pen.fill(
        smooth(
            -0.6,
            0.0,
            -0.3,
            -tall * 0.75,
            0.2,
            -tall,
            0.7,
            -tall * 0.6,
            0.95,
            0.02,
            0.7,
            tall * 0.62,
            0.2,
            tall,
            -0.3,
            tall * 0.75,
        ),
        colours.main,
    )
    gill = arc(0.22, 0.0, 0.2, tall * 0.7, -65, 65, 10)
    pen.stroke(gill, colours.ink, max(0.05, colours.edge))
    if roll.happens(0.5):
        for k in range(roll.whole(2, 3)):
            x = 0.02 - 0.24 * k
            pen.stroke(arc(x, 0.0, 0.16, tall * (0.62 - 0.14 * k), -60, 60, 8), colours.accent, 0.07)
    pen.fill(smooth(0.12, 0.1, -0.2, 0.04, -0.28, 0.24, -0.12, 0.34), colours.accent)
    _eye(pen, 0.56, -0.16, roll.between(0.12, 0.17), 0.25)
    pen.stroke(arc(0.86, 0.14, 0.16, 0.1, 80, 200, 7), colours.dark, 0.05)


def _flower(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    green = colours.shade(roll.between(0.25, 0.42), roll.between(0.5, 0.9), roll.between(0.3, 0.75))
    head_y = roll.between(-0.42, -0.34)
    bend = roll.between(-0.22, 0.22)
    stem = smooth(0, head_y, bend, 0.3, 0.0, 0.97, closed=False)
    pen.bar(stem, green, roll.between(0.07, 0.12))
    for side in (-1, 1):
        if roll.happens(0.88):
            y = roll.between(0.45, 0.72)
            pen.fill(
                smooth(0.5 * bend, y + 0.14, side * 0.26, y - 0.14, side * 0.6, y - 0.24, side * 0.42, y + 0.06),
                green,
            )
    if roll.happens(0.22):
        # A tulip: a cup with three tips.
        for x, lean in ((-0.22, -0.1), (0.22, 0.1)):
            pen.fill(
                smooth(
                    x - 0.2,
                    head_y + 0.1,
                    x + lean * 1.6,
                    head_y - 0.6,
                    x + 0.2,
                    head_y + 0.1,
                    x * 0.4,
                    head_y + 0.42,
                ),
                colours.second,
            )
        pen.fill(
            smooth(
                -0.4,
                head_y - 0.1,
                -0.32,
                head_y + 0.3,
                0.0,
                head_y + 0.45,
                0.32,
                head_y + 0.3,
                0.4,
                head_y - 0.1,
                0.2,
                head_y,
                0.0,
                head_y - 0.5,
                -0.2,
                head_y,
            ),
            colours.main,
        )
        return
    petals = roll.whole(5, 9)
    reach = roll.between(0.34, 0.4)
    width = min(0.26, math.pi * reach / petals * roll.between(0.85, 1.1))
    length = roll.between(0.2, 0.25)
    turn = roll.between(0, 360)
    for k in range(petals):
        angle = math.radians(turn + 360 * k / petals)
        pen.fill(
            ellipse(reach * math.cos(angle), head_y + reach * math.sin(angle), length, width, angle, 20),
            colours.main,
        )
    heart = roll.between(0.17, 0.25)
    if abs(sum(colours.accent[:3]) - sum(colours.main[:3])) > 120:
        middle = colours.accent
    else:
        middle = colours.shade(0.14, 0.85, 1.0) if sum(colours.main[:3]) < 460 else colours.shade(0.07, 0.7, 0.35)
    pen.dot(0.0, head_y, heart, middle, edged=True)
    if roll.happens(0.35):
        for x in (-0.35, 0.35):
            pen.dot(x * heart, head_y - 0.2 * heart, heart * 0.16, colours.dark)
        pen.stroke(arc(0, head_y + 0.1 * heart, heart * 0.45, heart * 0.4, 20, 160, 8), colours.dark, heart * 0.2)


def _house(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    half = roll.between(0.55, 0.82)
    eaves = roll.between(-0.2, 0.0)
    ridge = roll.between(-0.98, -0.75)
    if roll.happens(0.75):
        side = roll.pick((-1, 1))
        x = side * half * roll.between(0.4, 0.6)
        pen.fill(box(x - 0.1, ridge - 0.02, x + 0.1, eaves), colours.shade(roll.between(0.0, 0.06), 0.6, 0.6))
    pen.fill(box(-half, eaves, half, 0.92), colours.main)
    over = half + roll.between(0.1, 0.22)
    flat = half * roll.between(0.35, 0.6) if roll.happens(0.3) else 0.0
    roof = (
        polygon(-over, eaves, -flat, ridge, flat, ridge, over, eaves)
        if flat
        else polygon(-over, eaves, 0, ridge, over, eaves)
    )
    pen.fill(roof, colours.second)
    glass = colours.shade(roll.pick((0.14, 0.15, 0.53, 0.56)), roll.between(0.3, 0.75), 1.0)
    frame = colours.pale if roll.happens(0.6) else colours.dark
    door_side = roll.pick((-1, 0, 1))
    door_x = door_side * half * 0.5
    door_top = roll.between(0.28, 0.42)
    door = colours.accent
    if roll.happens(0.3):
        pen.fill(
            joined(
                (
                    arc(door_x, door_top + 0.08, 0.16, 0.16, 180, 360, 10),
                    polygon(door_x + 0.16, 0.92, door_x - 0.16, 0.92),
                )
            ),
            door,
        )
    else:
        pen.fill(box(door_x - 0.16, door_top, door_x + 0.16, 0.92), door)
    pen.dot(door_x + 0.09, 0.66, 0.035, colours.pale if sum(door[:3]) < 380 else colours.dark)
    places = ((-0.55, 0.3), (0.55, 0.3)) if door_side == 0 else ((-0.5 * door_side, 0.35),)
    side_length = 0.17 if door_side == 0 else roll.between(0.2, 0.26)
    for along, y in places:
        x = along * half / (1.0 if door_side == 0 else 0.95)
        w = min(side_length, half * 0.3)
        pen.fill(box(x - w, y - side_length, x + w, y + side_length), glass)
        pen.stroke(polygon(x, y - side_length, x, y + side_length), frame, 0.045)
        pen.stroke(polygon(x - w, y, x + w, y), frame, 0.045)
        pen.stroke(box(x - w, y - side_length, x + w, y + side_length), frame, 0.05, closed=True)
    if roll.happens(0.45):
        pen.dot(0.0, (eaves + ridge) / 2 + 0.12, 0.12, glass, edged=True)


def _tree(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    bark = colours.shade(roll.between(0.04, 0.1), roll.between(0.4, 0.7), roll.between(0.3, 0.6))
    if roll.happens(0.5):
        trunk = roll.between(0.09, 0.14)
        pen.fill(box(-trunk, 0.5, trunk, 0.98), bark)
        tiers = roll.whole(2, 4)
        half = roll.between(0.55, 0.75)
        top, bottom = -0.98, 0.62
        height = (bottom - top) / (tiers * 0.62 + 0.38)
        for k in reversed(range(tiers)):
            y = top + k * height * 0.62
            w = half * (0.5 + 0.5 * (k + 1) / tiers)
            pen.fill(polygon(-w, y + height, 0, y, w, y + height), colours.main)
        if roll.happens(0.35):
            for _ in range(roll.whole(3, 6)):
                y = roll.between(-0.4, 0.5)
                pen.dot(roll.between(-0.35, 0.35) * (y + 1.0), y, 0.06, colours.accent)
        return
    trunk = roll.between(0.1, 0.15)
    pen.fill(smooth(-trunk, 0.2, trunk, 0.2, trunk, 0.7, trunk * 1.9, 0.98, -trunk * 1.9, 0.98, -trunk, 0.7), bark)
    for side in (-1, 1):
        pen.stroke(polygon(0, 0.5, side * 0.25, 0.22), bark, 0.1)
    bumps = roll.whole(6, 9)
    wide, tall = roll.between(0.52, 0.66), roll.between(0.42, 0.52)
    turn = roll.between(0, 6.28)
    depth = roll.between(0.14, 0.22)
    angles = np.arange(bumps * 7) * (2 * math.pi / (bumps * 7))
    ripple = 1 + depth * np.abs(np.sin((angles * bumps + turn) / 2))
    crown = np.stack([wide * 1.12 * ripple * np.cos(angles), -0.32 + tall * 1.12 * ripple * np.sin(angles)], axis=1)
    pen.fill(crown, colours.main)
    if roll.happens(0.5):
        for _ in range(roll.whole(3, 7)):
            angle, far = roll.between(0, 6.28), roll.between(0.1, 0.75)
            pen.dot(
                wide * far * math.cos(angle),
                -0.32 + tall * far * math.sin(angle),
                0.09,
                colours.accent,
                edged=True,
            )
    else:
        for _ in range(3):
            x, y = roll.between(-0.35, 0.35), roll.between(-0.6, -0.1)
            pen.stroke(arc(x, y, 0.13, 0.11, 190, 340, 7), colours.ink, 0.045)


def _car(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    sill, waist = 0.42, roll.between(-0.08, 0.04)
    kind = roll.whole(0, 3)
    roof = roll.between(-0.55, -0.42)
    if kind == 0:  # saloon
        shell = smooth(
            -0.95,
            sill,
            -0.97,
            0.1,
            -0.7,
            waist,
            -0.45,
            roof,
            0.15,
            roof,
            0.5,
            waist,
            0.92,
            0.1,
            0.97,
            sill,
            steps=5,
        )
        windows = [
            polygon(-0.52, waist, -0.36, roof + 0.1, -0.12, roof + 0.1, -0.12, waist),
            polygon(-0.02, waist, -0.02, roof + 0.1, 0.12, roof + 0.1, 0.36, waist),
        ]
    elif kind == 1:  # beetle
        shell = joined((arc(0, sill, 0.95, 0.98, 180, 360, 24), polygon(0.95, sill)))
        windows = [
            polygon(-0.56, waist, -0.34, roof + 0.14, -0.06, roof + 0.1, -0.06, waist),
            polygon(0.06, waist, 0.06, roof + 0.1, 0.34, roof + 0.14, 0.56, waist),
        ]
    elif kind == 2:  # van
        shell = polygon(-0.95, sill, -0.95, roof - 0.02, 0.4, roof - 0.02, 0.68, waist, 0.97, 0.08, 0.97, sill)
        windows = [
            box(-0.8, roof + 0.12, -0.45, waist),
            box(-0.32, roof + 0.12, 0.02, waist),
            polygon(0.14, waist, 0.14, roof + 0.12, 0.34, roof + 0.12, 0.54, waist),
        ]
    else:  # pick-up
        shell = polygon(
            -0.97,
            sill,
            -0.97,
            waist,
            -0.2,
            waist,
            -0.12,
            roof,
            0.32,
            roof,
            0.52,
            waist,
            0.95,
            waist + 0.08,
            0.97,
            sill,
        )
        windows = [polygon(-0.06, waist, 0.0, roof + 0.11, 0.26, roof + 0.11, 0.38, waist)]
    pen.fill(shell, colours.main)
    glass = colours.shade(roll.between(0.5, 0.58), roll.between(0.15, 0.45), roll.between(0.8, 1.0))
    for window in windows:
        pen.fill(window, glass)
    if roll.happens(0.5):
        pen.stroke(polygon(-0.88, 0.24, 0.9, 0.24), colours.second, 0.07)
    pen.dot(0.88, 0.2, 0.08, colours.shade(0.15, 0.45, 1.0), edged=True)
    pen.fill(box(-0.97, 0.12, -0.89, 0.26), colours.shade(0.0, 0.85, 0.9), edged=False)
    pen.stroke(polygon(-0.1, 0.14, 0.04, 0.14), colours.ink, 0.05)
    wheel = roll.between(0.21, 0.27)
    rim = colours.pale if roll.happens(0.6) else colours.accent
    for x in (-0.54, 0.54):
        pen.dot(x, sill + 0.02, wheel, colours.dark)
        pen.dot(x, sill + 0.02, wheel * 0.55, rim)
        pen.dot(x, sill + 0.02, wheel * 0.18, colours.dark)


def _smile(pen: Pen, roll: Roll, radius: float) -> None:
    """Draw eyes, a mouth and perhaps cheeks around the origin."""
    dark = pen.palette.dark
    gap, high = radius * roll.between(0.32, 0.42), radius * roll.between(0.12, 0.25)
    for side in (-1, 1):
        pen.fill(ellipse(side * gap, -high, radius * 0.11, radius * 0.15, points=14), dark, edged=False)
        if roll.happens(0.5):
            pen.dot(side * gap * 1.45, radius * 0.22, radius * 0.14, pen.palette.shade(0.98, 0.5, 1.0))
    pen.stroke(arc(0, radius * 0.1, radius * 0.42, radius * 0.38, 20, 160, 10), dark, radius * 0.11)


def _sun(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    disc = roll.between(0.5, 0.6)
    rays = roll.whole(8, 15)
    turn = roll.between(0, 360)
    kind = roll.whole(0, 2)
    ray_paint = (*colours.main[:3], False) if roll.happens(0.6) else colours.second
    if kind == 0:
        for k in range(rays):
            angle = math.radians(turn + 360 * k / rays)
            direction = np.array([math.cos(angle), math.sin(angle)])
            start, stop = disc + 0.12, 1.0 if k % 2 == 0 else 0.88
            pen.bar(np.stack([direction * start, direction * stop]), ray_paint, 0.1)
    elif kind == 1:
        half = math.pi / rays * 0.62
        for k in range(rays):
            angle = math.radians(turn + 360 * k / rays)
            base, tip = disc + 0.08, 0.98 if k % 2 == 0 else 0.88
            pen.fill(
                polygon(
                    base * math.cos(angle - half),
                    base * math.sin(angle - half),
                    tip * math.cos(angle),
                    tip * math.sin(angle),
                    base * math.cos(angle + half),
                    base * math.sin(angle + half),
                ),
                ray_paint,
            )
    else:
        rays = max(rays, 10)
        pen.fill(star(rays, 0.98, disc * 1.12, turn), ray_paint)
    pen.fill(circle(0, 0, disc, 36), colours.main)
    if roll.happens(0.72):
        _smile(pen, roll, disc)
    elif roll.happens(0.5):
        pen.stroke(circle(0, 0, disc * 0.68, 28), colours.second, 0.07, closed=True)


def _star(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    tips = 6 if roll.happens(0.12) else 5
    inner = roll.between(0.38, 0.52) if tips == 5 else roll.between(0.48, 0.56)
    outline = star(tips, 1.0, inner)
    if roll.happens(0.3):
        controls = outline
        outline = smooth(
            *(controls * np.where(np.arange(len(controls)) % 2 == 0, 0.95, 1.0)[:, None]).ravel().tolist(),
            steps=5,
        )
    pen.fill(outline, colours.main)
    kind = roll.unit()
    if kind < 0.28:
        facets = star(tips, 1.0, inner) * 0.97
        for k in range(tips):
            pen.fill(np.stack([facets[2 * k], facets[2 * k + 1], np.zeros(2)]), colours.second, edged=False)
        if colours.edge:
            pen.stroke(star(tips, 1.0, inner), colours.ink, colours.edge, closed=True)
    elif kind < 0.48:
        pen.fill(star(tips, 0.55, inner * 0.55), colours.second, edged=False)
    elif kind < 0.62:
        pen.stroke(star(tips, 0.72, inner * 0.72), colours.pale, 0.06, closed=True)


def _butterfly(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    top = roll.between(-0.9, -0.68)
    wide = roll.between(0.88, 1.0)
    low = roll.between(0.7, 0.9)
    upper = smooth(0.05, -0.1, 0.3, -0.55, 0.68, top, wide, top + 0.18, wide - 0.08, -0.15, 0.5, 0.06)
    lower = smooth(0.05, 0.0, 0.5, 0.02, 0.78, 0.28, 0.62, low, 0.36, low - 0.02, 0.14, 0.42)
    lower_paint = colours.main if roll.happens(0.5) else colours.second
    spots = roll.whole(0, 2)
    big = roll.between(0.13, 0.2)
    for turned in (False, True):
        for wing, paint in ((lower, lower_paint), (upper, colours.main)):
            pen.fill(mirror(wing) if turned else wing, paint)
        side = -1 if turned else 1
        if spots:
            pen.dot(side * 0.66, -0.42, big, colours.accent, edged=True)
            pen.dot(side * 0.48, 0.42, big * 0.8, colours.accent if spots == 1 else colours.pale, edged=True)
        if spots == 2:
            pen.dot(side * 0.66, -0.42, big * 0.5, colours.dark)
            pen.dot(side * 0.82, -0.6, 0.06, colours.pale)
    for side in (-1, 1):
        pen.stroke(smooth(0, -0.5, side * 0.1, -0.8, side * 0.3, -0.95, closed=False), colours.line, 0.06)
        pen.dot(side * 0.3, -0.95, 0.07, colours.line)
    body = colours.dark if sum(colours.main[:3]) > 240 else colours.shade(0.1, 0.5, 0.75)
    pen.fill(ellipse(0, 0.08, 0.1, 0.55, points=20), body)
    pen.dot(0, -0.48, 0.14, body, edged=True)


def _bicycle(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    r = roll.between(0.4, 0.46)
    y = 0.35
    left, right = -0.55, 0.55
    thick = roll.between(0.065, 0.09)
    tyre = colours.line if roll.happens(0.65) else (*colours.main[:3], False)
    spokes = roll.whole(3, 6) if roll.happens(0.75) else 0
    turn = roll.between(0, 3.14)
    for x in (left, right):
        for k in range(spokes):
            angle = turn + math.pi * k / spokes
            dx, dy = r * math.cos(angle), r * math.sin(angle)
            pen.stroke(polygon(x - dx, y - dy, x + dx, y + dy), colours.line, 0.03)
        pen.stroke(circle(x, y, r, 32), tyre, thick, closed=True)
        pen.dot(x, y, 0.07, colours.line)
    seat_x, seat_y = -0.25, roll.between(-0.4, -0.32)
    head_x, head_y = 0.33, roll.between(-0.42, -0.34)
    crank = (-0.06, y + 0.03)
    paint = (*colours.main[:3], False)
    low = roll.happens(0.3)
    tube = thick * 1.15
    lines = [
        polygon(left, y, *crank, seat_x, seat_y, left, y),
        polygon(*crank, head_x, head_y + 0.1),
        smooth(head_x, head_y, 0.4, -0.05, right, y, closed=False, steps=4),
    ]
    lines.append(
        polygon(seat_x + 0.12, 0.05, head_x + 0.03, head_y + 0.2)
        if low
        else polygon(seat_x, seat_y + 0.08, head_x, head_y + 0.08)
    )
    if colours.edge:
        for line in lines:
            pen.stroke(line, colours.ink, tube + 0.9 * colours.edge)
    for line in lines:
        pen.stroke(line, paint, tube)
    pen.dot(*crank, 0.11, colours.accent, edged=True)
    pen.stroke(polygon(crank[0] - 0.12, crank[1] + 0.15, crank[0] + 0.12, crank[1] - 0.15), colours.line, 0.05)
    pen.stroke(polygon(seat_x, seat_y, seat_x - 0.05, seat_y - 0.2), colours.line, 0.07)
    pen.fill(
        smooth(seat_x - 0.26, seat_y - 0.24, seat_x + 0.16, seat_y - 0.24, seat_x - 0.02, seat_y - 0.13),
        colours.line,
        edged=False,
    )
    pen.stroke(polygon(head_x, head_y, head_x - 0.03, head_y - 0.16), colours.line, 0.07)
    if roll.happens(0.5):
        bars = smooth(
            head_x - 0.16,
            head_y - 0.2,
            head_x - 0.03,
            head_y - 0.18,
            head_x + 0.16,
            head_y - 0.26,
            closed=False,
        )
    else:
        bars = smooth(
            head_x - 0.05,
            head_y - 0.17,
            head_x + 0.2,
            head_y - 0.2,
            head_x + 0.22,
            head_y - 0.02,
            head_x + 0.08,
            head_y,
            closed=False,
        )
    pen.stroke(bars, colours.line, 0.08)


def _clock(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    alarm = roll.happens(0.4)
    face = colours.pale if roll.happens(0.7) else colours.shade(colours.hue + 0.5, 0.25, 1.0)
    r, y = (0.7, 0.1) if alarm else (0.95, 0.0)
    if alarm:
        for side in (-1, 1):
            pen.bar(polygon(side * 0.35, 0.6, side * 0.55, 0.95), colours.second, 0.12)
            bell = arc(0, 0, 0.3, 0.26, 180, 360, 12)
            angle = side * 0.62
            cos, sin = math.cos(angle), math.sin(angle)
            turned = np.stack([bell[:, 0] * cos - bell[:, 1] * sin, bell[:, 0] * sin + bell[:, 1] * cos], axis=1)
            pen.fill(turned + (side * 0.46, -0.55), colours.second)
        pen.bar(polygon(0, -0.5, 0, -0.82), colours.accent, 0.08)
        pen.dot(0, -0.85, 0.1, colours.accent, edged=True)
    if not alarm and roll.happens(0.2):
        pen.fill(box(-0.9, -0.9, 0.9, 0.9), colours.main)
        r = 0.9
        pen.fill(circle(0, y, r * 0.86, 36), face)
    else:
        pen.fill(circle(0, y, r, 40), colours.main)
        pen.fill(circle(0, y, r * roll.between(0.76, 0.84), 40), face)
    marks = roll.pick((4, 12, 12))
    numerals = 0.1 * r
    for k in range(marks):
        angle = 2 * math.pi * k / marks
        strong = k * 4 % marks == 0
        inner = (0.54 if strong else 0.61) * r
        cos, sin = math.cos(angle), math.sin(angle)
        pen.stroke(
            polygon(inner * cos, y + inner * sin, 0.67 * r * cos, y + 0.67 * r * sin),
            colours.dark,
            numerals * (0.8 if strong else 0.5),
        )
    minutes = roll.unit()
    hour = roll.whole(0, 11)
    hands = colours.dark if roll.happens(0.8) else colours.shade(roll.unit(), 0.9, 0.5)
    for turn, length, width in (((hour + minutes) / 12, 0.4, 0.13), (minutes, 0.62, 0.09)):
        angle = 2 * math.pi * turn - math.pi / 2
        pen.stroke(polygon(0, y, r * length * math.cos(angle), y + r * length * math.sin(angle)), hands, width * r)
    if roll.happens(0.3):
        angle = roll.between(0, 6.28)
        pen.stroke(
            polygon(0, y, r * 0.6 * math.cos(angle), y + r * 0.6 * math.sin(angle)),
            colours.shade(0.0, 0.9, 0.85),
            0.04 * r,
        )
    pen.dot(0, y, 0.09 * r, colours.accent if roll.happens(0.5) else hands)


def _heart_outline() -> np.ndarray:
    t = np.linspace(0, 2 * math.pi, 81)[:-1]
    x = np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 15.5
    return np.stack([x, y - 0.08], axis=1)


_HEART = _heart_outline()


def _heart(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    arrow = roll.happens(0.15)
    outline = _HEART * (roll.between(0.88, 1.0), roll.between(0.9, 1.02)) * (0.84 if arrow else 1.0)
    if arrow:
        pen.bar(polygon(-0.98, 0.38, 0.3, -0.1), colours.second, 0.09)
        pen.fill(
            polygon(-1.0, 0.2, -0.78, 0.3, -0.82, 0.34, -0.74, 0.46, -0.95, 0.5, -1.0, 0.38),
            colours.second,
            edged=False,
        )
    pen.fill(outline, colours.main)
    kind = roll.unit()
    if kind < 0.25:
        pen.fill(outline * 0.58, colours.second if roll.happens(0.6) else colours.pale, edged=False)
    elif kind < 0.45:
        for k in range(0, 80, 8):
            pen.stroke(outline[k : k + 5] * 0.8, colours.pale, 0.05)
    if roll.happens(0.45):
        pen.stroke(arc(-0.48, -0.38, 0.24, 0.26, 175, 265, 8), colours.pale, 0.12)
    if arrow:
        pen.bar(polygon(0.3, -0.1, 0.9, -0.32), colours.second, 0.09)
        pen.fill(polygon(1.0, -0.37, 0.86, -0.14, 0.74, -0.42), colours.second)


def _mushroom(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    rim = roll.between(-0.05, 0.1)
    top = roll.between(-0.98, -0.7)
    wide = roll.between(0.72, 0.98)
    thick = roll.between(0.2, 0.32)
    stem = colours.shade(roll.between(0.08, 0.14), roll.between(0.05, 0.3), roll.between(0.85, 1.0))
    pen.fill(
        smooth(
            -thick,
            rim - 0.1,
            thick,
            rim - 0.1,
            thick * 0.85,
            0.5,
            thick * 1.35,
            0.9,
            0,
            0.98,
            -thick * 1.35,
            0.9,
            -thick * 0.85,
            0.5,
        ),
        stem,
    )
    if roll.happens(0.4):
        pen.fill(
            smooth(
                -thick * 1.1,
                rim + 0.28,
                0,
                rim + 0.18,
                thick * 1.1,
                rim + 0.28,
                thick * 1.35,
                rim + 0.42,
                0,
                rim + 0.34,
                -thick * 1.35,
                rim + 0.42,
            ),
            stem,
        )
    pen.fill(ellipse(0, rim, wide * 0.97, 0.16), colours.shade(0.09, 0.3, 0.75))
    droop = roll.between(0.02, 0.14)
    cap = joined((arc(0, rim, wide, rim - top, 180, 360, 26), arc(0, rim, wide, droop, 0, 180, 14)[1:-1]))
    pen.fill(cap, colours.main)
    spots = colours.pale if roll.happens(0.75) else colours.accent
    places = (
        (-0.52, 0.34, 0.12),
        (0.02, 0.66, 0.16),
        (0.5, 0.42, 0.13),
        (-0.16, 0.26, 0.1),
        (0.22, 0.14, 0.08),
        (-0.42, 0.66, 0.08),
        (0.74, 0.1, 0.07),
    )
    if colours.pattern is None or roll.happens(0.4):
        for k, (x, up, radius) in enumerate(places):
            if k < 3 or roll.happens(0.6):
                pen.fill(
                    ellipse(x * wide, rim - up * (rim - top), radius * roll.between(0.85, 1.25), radius, points=16),
                    spots,
                    edged=False,
                )


def _boat(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    deck = roll.between(0.32, 0.45)
    lift = roll.between(0.0, 0.14)
    hull = smooth(
        -0.95,
        deck - lift,
        -0.4,
        deck + 0.02,
        0.4,
        deck + 0.02,
        0.98,
        deck - lift - 0.04,
        0.62,
        0.88,
        0.0,
        0.95,
        -0.62,
        0.88,
        steps=5,
    )
    hull = joined(
        (
            polygon(-0.97, deck - lift, 0.98, deck - lift - 0.02),
            smooth(
                0.98,
                deck - lift,
                0.7,
                0.85,
                0.45,
                0.92,
                -0.5,
                0.92,
                -0.72,
                0.82,
                -0.97,
                deck - lift,
                closed=False,
                steps=4,
            ),
        )
    )
    if roll.happens(0.27):
        # A steamer.
        pen.fill(box(-0.05, -0.75, 0.25, 0.1), colours.second)
        pen.fill(box(-0.05, -0.55, 0.25, -0.38), colours.pale, edged=False)
        pen.fill(box(-0.6, -0.12, 0.55, deck), colours.pale)
        for x in (-0.4, -0.08, 0.24):
            pen.dot(x, 0.1, 0.1, colours.shade(0.55, 0.5, 0.9), edged=True)
        for k in range(roll.whole(1, 3)):
            pen.dot(0.02 - 0.16 * k, -0.82 - 0.07 * k, 0.13 - 0.02 * k, colours.pale, edged=True)
    else:
        mast = roll.between(-0.1, 0.1)
        wood = colours.shade(0.08, 0.6, 0.45)
        pen.bar(polygon(mast, deck, mast, -0.97), wood, 0.07)
        belly = roll.between(0.0, 0.16)
        boom = deck - 0.14
        pen.fill(
            smooth(
                mast + 0.06,
                -0.9,
                mast + 0.35 + belly,
                -0.25,
                0.82,
                boom,
                0.45,
                boom + 0.02,
                mast + 0.06,
                boom,
                mast + 0.06,
                -0.3,
                steps=4,
            ),
            colours.main,
        )
        if roll.happens(0.75):
            pen.fill(
                polygon(mast - 0.08, -0.72, -0.8, boom, mast - 0.08, boom),
                colours.pale if roll.happens(0.5) else colours.second,
            )
        if roll.happens(0.55):
            side = roll.pick((-1, 1))
            pen.fill(polygon(mast, -1.0, mast + side * 0.3, -0.9, mast, -0.8), colours.accent)
    paint = colours.second if roll.happens(0.6) else colours.main
    pen.fill(hull, paint)
    if roll.happens(0.6):
        pen.stroke(polygon(-0.82, deck + 0.12, 0.84, deck + 0.12), colours.pale, 0.08)


def _umbrella(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    rim = roll.between(-0.12, 0.02)
    top = roll.between(-0.95, -0.78)
    wide = roll.between(0.85, 0.98)
    panels = roll.pick((4, 5, 6))
    wood = colours.shade(roll.between(0.05, 0.1), 0.6, roll.between(0.3, 0.6)) if roll.happens(0.6) else colours.ink
    side = roll.pick((-1, 1))
    handle = joined(
        (
            polygon(0, top, 0, 0.78),
            arc(side * 0.16, 0.78, 0.16, 0.18, 180 if side > 0 else 0, 10 if side > 0 else 170, 10),
        )
    )
    pen.bar(handle, wood, roll.between(0.08, 0.11))
    pen.bar(polygon(0, top - 0.06, 0, top + 0.1), wood, 0.07)
    edges = [-wide + 2 * wide * k / panels for k in range(panels + 1)]
    scallops = [
        arc((a + b) / 2, rim, (b - a) / 2, -roll.between(0.08, 0.12), 0, 180, 8)
        for a, b in zip(edges[-2::-1], edges[:0:-1], strict=True)
    ]
    dome = joined((arc(0, rim, wide, rim - top, 180, 360, 24), *scallops))
    pen.fill(dome, colours.main)
    alternate = roll.happens(0.5)
    height = rim - top
    angles = np.linspace(0, math.pi / 2, 8)
    ribs = [np.stack([x * np.sin(angles), rim - height * np.cos(angles)], axis=1) for x in edges]
    if alternate:
        for k in range(0, panels, 2):
            pen.fill(
                joined((ribs[k], scallops[panels - 1 - k][::-1], ribs[k + 1][::-1])),
                colours.second,
                edged=False,
            )
    line = colours.ink if colours.edge else colours.dark
    for rib in ribs[1:-1]:
        pen.stroke(rib, line, 0.04)
    if colours.edge:
        pen.stroke(dome, colours.ink, colours.edge, closed=True)


def _key(pen: Pen, roll: Roll) -> None:
    colours = pen.palette
    paint = (*colours.main[:3], False)
    thick = roll.between(0.13, 0.18)
    bow = roll.between(0.3, 0.36)
    kind = roll.whole(0, 2)
    x = -0.98 + bow + thick / 2
    teeth = roll.whole(2, 3)
    reach = roll.between(0.28, 0.4)
    lines = [polygon(x + bow, 0, 0.95, 0)]
    for k in range(teeth):
        at = 0.9 - k * 0.21
        lines.append(polygon(at, 0, at, reach * roll.between(0.7, 1.1)))
    if kind == 0:
        rings = [circle(x, 0, bow, 32)]
    elif kind == 1:
        rings = [
            circle(x + 0.1, -0.26, 0.2, 24),
            circle(x + 0.1, 0.26, 0.2, 24),
            circle(x - 0.22, 0, 0.2, 24),
        ]
        lines[0] = polygon(x, 0, 0.95, 0)
    else:
        rings = [ellipse(x, 0, bow, bow * 1.35, points=32)]
    for line in lines:
        if colours.edge:
            pen.stroke(line, colours.ink, thick + 2 * colours.edge)
    for ring in rings:
        if colours.edge:
            pen.stroke(ring, colours.ink, thick + 2 * colours.edge, closed=True)
    for line in lines:
        pen.stroke(line, paint, thick)
    for ring in rings:
        pen.stroke(ring, paint, thick, closed=True)
    if roll.happens(0.5):
        pen.bar(polygon(x + bow + 0.18, -0.13, x + bow + 0.18, 0.13), colours.second, 0.1)
    if roll.happens(0.5):
        pen.stroke(polygon(x + bow + 0.25, -thick * 0.22, 0.9, -thick * 0.22), colours.pale, 0.04)


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of objects.

    Attributes:
        name: The class name.
        draw: Draws one object of this kind.
        hues: Ranges of hue, in turns, that seven of ten objects keep to; empty where any colour is usual.
        turn: How far the object may be turned, in degrees either way.
        flips: Whether it may be seen from the other side.
    """

    name: str
    draw: Callable[[Pen, Roll], None]
    hues: tuple[tuple[float, float], ...] = ()
    turn: float = 22.0
    flips: bool = True


KINDS: tuple[Kind, ...] = (
    Kind("cat", _cat, ((0.03, 0.12), (0.55, 0.7))),
    Kind("fish", _fish, ((0.0, 0.12), (0.45, 0.65)), turn=28.0),
    Kind("flower", _flower, ((0.75, 1.05), (0.1, 0.17))),
    Kind("house", _house, ((0.0, 0.15), (0.5, 0.65)), turn=14.0),
    Kind("tree", _tree, ((0.2, 0.42), (0.25, 0.4), (0.03, 0.1)), turn=14.0),
    Kind("car", _car, turn=20.0),
    Kind("sun", _sun, ((0.07, 0.17),), turn=40.0),
    Kind("star", _star, ((0.1, 0.17), (0.5, 0.75)), turn=36.0),
    Kind("butterfly", _butterfly, turn=40.0),
    Kind("bicycle", _bicycle, turn=18.0),
    Kind("clock", _clock, turn=16.0, flips=False),
    Kind("heart", _heart, ((0.92, 1.03),), turn=28.0),
    Kind("mushroom", _mushroom, ((0.96, 1.08),)),
    Kind("boat", _boat, turn=14.0),
    Kind("umbrella", _umbrella, turn=32.0),
    Kind("key", _key, ((0.1, 0.15), (0.55, 0.6)), turn=180.0),
)
