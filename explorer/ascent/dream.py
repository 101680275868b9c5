"""DeepDream: a picture that is changed so that some layers answer more strongly, from small sizes to large ones.

After Mordvintsev, Olah, Tyka, "Inceptionism" (Google Research blog, 2015): plain gradient ascent on the mean squared
activation, the gradient divided by its own mean size, the picture shifted before each step, and what was dreamt at
one size carried over to the next ("octaves").
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from PIL import Image

from explorer.ascent import passing, quality
from explorer.ascent.results import LEAST_OCTAVE, DreamPlan, Frame, Growing, Grown, Quality, octave_sizes
from explorer.networks.gradients import Compiled, WithGradient, as_array, device_seen, kept
from explorer.networks.tap import Enough, lock_of, tapped
from explorer.networks.work_context import NO_CONTEXT, SentenceError, WorkContext

MOST_LAYERS = 8
MOST_SIDE = 1_024
MOST_FRAMES = 48
TELL_SECONDS = 0.4
FRAME_BYTES = 6_000_000
"""What the frames of one dream may take; large pictures have fewer."""


@dataclass(frozen=True)
class _Kernels:
    climb: Any
    step: Any


def dream_on(network: Any, plan: DreamPlan, pixels: np.ndarray, *, context: WorkContext = NO_CONTEXT) -> Grown:
    """Let a picture dream.

    Args:
        network: A loaded network, or a keras.Model of one's own (which is fed pictures on [0, 1]).
        plan: Which layers with what weight, how many octaves, how large.
        pixels: uint8 (h, w, 3).
        context: Told of the progress, with a `Growing` as payload; asked before each step whether to
            stop.

    Returns:
        One image; its `curve` is the weighted mean square at every step, all octaves one after the other.

    Raises:
        SentenceError: if the network has no such layer, or cannot take pictures of other sizes than its own.
    """
    _check(network, plan)
    began = time.perf_counter()
    kernels = _kernels_of(network, plan)
    whole = _resized(_as_floats(pixels, passing.input_shape(network)[2]), _fitting(pixels.shape, plan.size))
    sizes = octave_sizes(whole.shape[0], whole.shape[1], plan.octaves, plan.octave_scale)
    total = len(sizes) * plan.steps
    most = min(MOST_FRAMES, max(6, FRAME_BYTES // (3 * whole.shape[0] * whole.shape[1])))
    frame_at = {round(total * each / (most - 2)) for each in range(most - 1)}
    frames = [Frame(0, _shown(whole))]
    detail = np.zeros((*sizes[0], whole.shape[2]), np.float32)
    values: list[Any] = []
    stopped, done, told = False, 0, 0.0
    current = whole
    learning_rate = plan.step_size
    for octave, size in enumerate(sizes):
        base = _resized(whole, size)
        image = keras.ops.convert_to_tensor((base + _resized(detail, size))[None])
        for _ in range(plan.steps):
            stopped = context.stopped()  # a dream is short: it gives way to nobody
            if stopped:
                break
            random = np.random.default_rng([plan.seed, octave, done])
            shift = random.integers(-plan.jitter, plan.jitter + 1, size=2) if plan.jitter else np.zeros(2, int)
            rows = ((np.arange(size[0]) + shift[0]) % size[0]).astype(np.int32)
            columns = ((np.arange(size[1]) + shift[1]) % size[1]).astype(np.int32)
            with lock_of(network):
                value, _, gradient = kernels.climb(image, rows, columns, _weights(plan))
            learning_rate = float(context.told().get("learning_rate", learning_rate))
            image = kernels.step(image, gradient, np.float32(learning_rate))
            values.append(value)
            done += 1
            now = time.monotonic()
            if done in frame_at or now - told >= TELL_SECONDS or done == total:
                current = as_array(image)[0]
                if done in frame_at:
                    frames.append(Frame(done, _shown(_resized(current, whole.shape[:2]))))
                if now - told >= TELL_SECONDS or done == total:
                    told = now
                    curve = np.array([as_array(each) for each in values], np.float32)[:, None]
                    spent = time.perf_counter() - began
                    left = _left(sizes, octave, done, plan.steps, spent)
                    growing = Growing(0, done, total, _shown(current), curve[-200:], left, learning_rate)
                    message = f"octave {octave + 1} of {len(sizes)}"
                    context.report(float(done), float(total), "steps", message, payload=growing)
        current = as_array(image)[0]
        detail = current - base
        if stopped:
            break
    final = np.clip(_resized(whole, whole.shape[:2]) + _resized(detail, whole.shape[:2]), 0, 1)
    curve = np.array([as_array(each) for each in values], np.float32)[:, None]
    ends = (float(curve[0, 0]), float(curve[-1, 0])) if len(curve) else (0.0, 0.0)
    fine = float(quality.high_frequency_share(final[None])[0])
    found = Quality(start=ends[0], clean=ends[1], shaken=None, high_frequency=fine, flat=False)
    images = _shown(final)
    frames = [frame for frame in frames if frame.step != done or not done] + ([Frame(done, images)] if done else [])
    device = device_seen()
    return Grown(
        plan=plan, images=images, targets=(0,), quality=(found,), curve=curve, step=done, frames=tuple(frames),
        state=None, seconds=time.perf_counter() - began, device=f"{device.kind} ({device.name})",
        finished=done == total,
    )  # fmt: skip


def _check(network: Any, plan: DreamPlan) -> None:
    if not plan.layers:
        raise SentenceError("Choose at least one layer that the picture shall please.")
    if len(plan.layers) > MOST_LAYERS:
        raise SentenceError(f"At most {MOST_LAYERS} layers can be mixed.")
    limits = (
        ("number of octaves", plan.octaves, 1, 10),
        ("scale of octaves", plan.octave_scale, 1.05, 3),
        ("number of steps", plan.steps, 1, 400),
        ("step size", plan.step_size, 0, 1),
        ("jitter", plan.jitter, 0, 256),
        ("size", plan.size, LEAST_OCTAVE, MOST_SIDE),
        ("seed", plan.seed, 0, 2**31),
    )
    for name, value, least, most in limits:
        if not least <= value <= most:
            raise SentenceError(f"The {name} must lie between {least:g} and {most:g}.")
    for path, weight in plan.layers:
        passing.layer_passed(network, path)
        if not np.isfinite(weight):
            raise SentenceError("The weight of a layer must be a number.")


def _kernels_of(network: Any, plan: DreamPlan) -> _Kernels:
    paths = tuple(path for path, _ in plan.layers)
    entry = getattr(network, "entry", None)
    key = ("dream", paths, getattr(entry, "preprocessing", ""))

    def build() -> _Kernels:
        def climb(image: Any, rows: Any, columns: Any, weights: Any) -> tuple[Any, None]:
            moved = keras.ops.take(keras.ops.take(image, rows, axis=1), columns, axis=2)
            answers = _answers(network, passing.prepared(network, moved), paths)
            return sum(weights[n] * keras.ops.mean(keras.ops.square(each)) for n, each in enumerate(answers)), None

        return _Kernels(WithGradient(climb, network=network, compiled=True), Compiled(_step, compiled=True))

    return kept(network, key, build)


def _answers(network: Any, x: Any, paths: tuple[str, ...]) -> list[Any]:
    found: dict[str, Any] = {}

    def see(at: str, tensor: Any) -> None:
        if at in paths:
            found[at] = keras.ops.cast(tensor, "float32")
            if len(found) == len(set(paths)):
                raise Enough

    with tapped(network, see, wanted=paths) as model, contextlib.suppress(Enough):
        passing.called(model, x)
    return [found[path] for path in paths]


def _step(image: Any, gradient: Any, size: Any) -> Any:
    gradient = gradient / (keras.ops.mean(keras.ops.abs(gradient)) + 1e-12)
    return keras.ops.clip(image + size * keras.ops.clip(gradient, -4.0, 4.0) / 4.0, 0.0, 1.0)


def _weights(plan: DreamPlan) -> np.ndarray:
    return np.array([weight for _, weight in plan.layers], np.float32)


def _left(sizes: tuple[tuple[int, int], ...], octave: int, done: int, steps: int, spent: float) -> float:
    """Estimate the seconds left, a step taking as long as it has pixels."""
    areas = [height * width for height, width in sizes]
    here = done - octave * steps
    finished = steps * sum(areas[:octave]) + here * areas[octave]
    return spent / max(1, finished) * (steps * sum(areas) - finished)


def _fitting(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    ratio = side / max(shape[:2])
    return max(LEAST_OCTAVE, round(ratio * shape[0])), max(LEAST_OCTAVE, round(ratio * shape[1]))


def _as_floats(pixels: np.ndarray, channels: int) -> np.ndarray:
    picture = np.asarray(pixels, np.float32) / 255
    return picture if channels == 3 else np.repeat(picture.mean(axis=2, keepdims=True), channels, axis=2)


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if values.shape[:2] == tuple(size):
        return values
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[..., n])).resize(size[::-1], Image.Resampling.BICUBIC))
        for n in range(values.shape[2])
    ]
    return np.stack(planes, axis=-1).astype(np.float32)


def _shown(values: np.ndarray) -> np.ndarray:
    """Return a picture on [0, 1] as uint8 (1, h, w, 3)."""
    image = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return (image if image.shape[2] == 3 else np.repeat(image[..., :1], 3, axis=2))[None]
