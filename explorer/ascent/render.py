"""Make images that a network's channels and classes want to see: one step of Adam after the other, to be watched.

    for growing in render(load("drawn_robust"), Plan("drawn_robust", targets=(0, 1))):
        ...  # a `Growing` every half second, and at last a `Grown`

The order of things is lucid's: parameters → picture → transforms → the network's own preprocessing → objective.
Everything between the parameters and their gradient is one compiled function that stays on the device.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Literal

import keras
import numpy as np

from explorer.ascent import objectives, passing, quality, regularisers, transforms
from explorer.ascent.folded import folded
from explorer.ascent.objectives import Objective
from explorer.ascent.parameterisation import Image, image_of
from explorer.ascent.results import Frame, Growing, Grown, Plan, Quality
from explorer.ascent.sheets import sheet
from explorer.networks.gradients import Compiled, WithGradient, as_array, device_seen, kept
from explorer.networks.preprocessing import Fit
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.tap import lock_of
from explorer.networks.work_context import NO_CONTEXT, SentenceError, Stopped, WorkContext

MOST_STEPS = 4_000
MOST_IMAGES = 64
MOST_TARGETS = 16
MOST_SIDE = 768
MOST_FRAMES = 48
FRAME_BYTES = 6_000_000
"""What the frames of one ascent may take; large images have fewer."""

CURVE_ROWS = 200
TOLD_BYTES = 2_500_000
"""What the images of one report may take; larger ones are told smaller."""

REDIRECTED_STEPS = 16
"""For so many steps shut ReLUs pass gradients on, where an objective has no pre-activation (as in lucid)."""

STEP_BYTES = 1_500_000_000
"""About what the activations of one pass may take; more images than fit are computed in parts."""

TELL_SECONDS = 0.5
ALTERED = (
    "The learning rate was changed or images were held while they grew: the code has the last learning rate alone, so "
    "it makes images that are alike, not the same."
)
Judging = Literal["fully", "briefly", "not"]
_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8  # Kingma, Ba, "Adam", ICLR 2015


class Ascent:
    """One plan under way.

    Args:
        network: A loaded network, or a keras.Model of one's own (which is fed pictures on [0, 1]).
        plan: What is wanted and how.
        state: `Grown.state` of an earlier part: goes on as if it had never stopped. Its steps and learning rate may
            differ from then, nothing else.
        pixels: uint8 (h, w, 3), the visitor's picture, for a start from it.
        fit: How that is brought to the images' size.
        context: Asked between the passes of a step, and of the judging, whether to stop.

    Raises:
        SentenceError: for a plan that this network cannot fulfil, or a state that is not this plan's.
        Stopped: if that was asked for before there was anything to see.

    Attributes:
        learning_rate: In use; may be changed between steps.
        held: Targets whose images stay as they are; may be changed between steps.
        step: Steps done.
    """

    def __init__(
        self,
        network: Any,
        plan: Plan,
        *,
        state: dict[str, Any] | None = None,
        pixels: np.ndarray | None = None,
        fit: Fit = "pad",
        context: WorkContext = NO_CONTEXT,
    ) -> None:
        checked(plan)
        self._context = context
        self.network = network
        self.plan = plan
        self.learning_rate = float(plan.learning_rate)
        self.held: frozenset[int] = frozenset()
        self._altered = False
        self.shape = passing.picture_shape(network, plan.size)
        self.image = image_of(plan, self.shape)
        self.objective = objectives.objective_of(network, plan, self.shape[:2])
        self.selection, self.targets = objectives.selection_of(plan, self.objective.width)
        if len(self.targets) > MOST_IMAGES:
            raise SentenceError(f"At most {MOST_IMAGES} images grow at once; choose fewer targets or copies.")
        self._kernels = _kernels(network, plan, self.shape, self.image, self.objective)
        self._parts = self._divided()
        self._slope = slope_of(network, plan, self.shape, self.objective)
        self._values: list[Any] = []
        self.step = 0
        self.seconds = 0.0
        if state is None:
            self._begin(pixels, fit)
        else:
            self._resume(state)

    def _divided(self) -> list[slice]:
        """Divide the images so that one pass fits into memory; the copies of one target stay together."""
        most = at_once(self.network, self.shape, _last_layer(self.plan))
        group = self.plan.copies if self.plan.diversity else 1
        most = max(group, most // group * group)
        count = len(self.targets)
        return [slice(start, min(count, start + most)) for start in range(0, count, most)]

    def _begin(self, pixels: np.ndarray | None, fit: Fit) -> None:
        parameters = np.stack([self._start_of(number, pixels, fit) for number in range(len(self.targets))])
        self._parameters = [keras.ops.convert_to_tensor(parameters[part]) for part in self._parts]
        self._first = [keras.ops.zeros_like(each) for each in self._parameters]
        self._second = [keras.ops.zeros_like(each) for each in self._parameters]
        self._curve = np.zeros((0, len(self.targets)), np.float32)
        start = self._clean()
        if start is None:
            raise Stopped
        self._start = start
        self._frames = [Frame(0, self.images())]

    def _start_of(self, number: int, pixels: np.ndarray | None, fit: Fit) -> np.ndarray:
        plan, target = self.plan, self.targets[number]
        copy = number % plan.copies
        random = np.random.default_rng([plan.seed, 1, target, copy])
        if plan.start == "grey":
            return self.image.grey()
        if plan.start == "noise":
            return self.image.noise(random)
        if plan.start == "picture":
            if pixels is None:
                raise SentenceError("To start from a picture, choose one first.")
            picture = _fitted(pixels, self.shape, fit)
        else:
            found = sheet(plan.network, "" if plan.objective in objectives.CLASS_OBJECTIVES else plan.layer)
            if found is None or target not in found.targets:
                raise SentenceError("No image of this comes with the app; start from noise instead.")
            picture = _fitted(found.images[found.targets.index(target)], self.shape, "stretch")
        parameters = self.image.parameters(picture)
        return parameters if copy == 0 else parameters + self.image.noise(random)

    def _resume(self, state: dict[str, Any]) -> None:
        expected = (len(self.targets), *self.image.grey().shape)
        try:
            arrays = [np.asarray(state[name], np.float32) for name in ("parameters", "first", "second")]
            self._curve = np.asarray(state["curve"], np.float32)
            self._start = np.asarray(state["start"], np.float32)
            self._frames = [Frame(int(step), images) for step, images in state["frames"]]
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
            before = float(state.get("learning_rate", self.learning_rate))
            self._altered = bool(state.get("altered", False)) or before != self.learning_rate
        except (KeyError, TypeError, ValueError):
            raise SentenceError("These images cannot be gone on with; start anew.") from None
        if any(array.shape != expected for array in arrays) or self._curve.shape[1:] != (len(self.targets),):
            raise SentenceError("These images were grown with other settings; start anew, or set them back.")
        self._parameters, self._first, self._second = (
            [keras.ops.convert_to_tensor(array[part]) for part in self._parts] for array in arrays
        )

    @property
    def done(self) -> bool:
        """Whether all steps of the plan are done."""
        return self.step >= self.plan.steps

    def advance(self) -> None:
        """Do one step; one that is stopped between its parts is as if it had not been begun."""
        began = time.perf_counter()
        plan = self.plan
        leak = 1.0 if self.objective.redirects and self.step < REDIRECTED_STEPS else 0.0
        moved = self._movement(plan.seed, 0, self.step)
        sampling = [keras.ops.convert_to_tensor(part) for part in moved]
        held = plan.regularisers
        unit = self._slope * regularisers.ramp(self.step)
        weights = np.array(
            [held.smoothness * unit, held.l2 * unit, held.variation * unit, plan.diversity * self._slope, leak],
            np.float32,
        )
        self._altered |= bool(self.held) or self.learning_rate != self.plan.learning_rate
        settings = np.array([self.learning_rate, held.decay, float(self.step + 1)], np.float32)
        values, after = [], []
        # What the pass draws from the parameters anyhow is the film's frame of the step before.
        filmed: list[Any] | None = [] if self.step in self._frame_steps() else None
        with lock_of(self.network):
            for number, part in enumerate(self._parts):
                if number and self._context.stopped():
                    return
                before = self._parameters[number]
                _, (reached, drawn), gradient = self._kernels.ascend(before, self.selection[part], weights, *sampling)
                values.append(reached)
                if filmed is not None:
                    filmed.append(as_array(drawn))
                parameters, first, second = self._kernels.update(
                    before, self._first[number], self._second[number], gradient, settings
                )
                if held.blur and (self.step + 1) % regularisers.BLUR_EVERY == 0:
                    parameters = self._kernels.blur(parameters, np.float32(held.blur))
                if self.held:
                    parameters = self._with_held(before, parameters, part)
                after.append((parameters, first, second))
        self._parameters, self._first, self._second = ([part[i] for part in after] for i in range(3))
        self._values.append(values)
        if filmed is not None:
            self._frames.append(Frame(self.step, _bytes(_three_colours(filmed))))
        self.step += 1
        self.seconds += time.perf_counter() - began

    def _with_held(self, before: Any, after: Any, part: slice) -> Any:
        """Return the parameters after a step, those of held images as they were."""
        held = np.isin(self.targets[part], list(self.held)).reshape(-1, *(1,) * (len(after.shape) - 1))
        return keras.ops.where(keras.ops.convert_to_tensor(held), before, after)

    def _movement(self, *seed: int) -> transforms.Sampling:
        height, width, _ = self.shape
        random = np.random.default_rng(list(seed))
        moved = transforms.movement(self.plan.transforms, max(height, width), random)
        return transforms.sampling(moved, height, width)

    def _frame_steps(self) -> frozenset[int]:
        height, width, _ = self.shape
        most = int(FRAME_BYTES // (len(self.targets) * height * width * 3))
        return frame_steps(self.plan.steps, min(MOST_FRAMES, max(6, most)))

    def images(self) -> np.ndarray:
        """Return the images as they are now, uint8 (n, h, w, 3)."""
        return _bytes(self._pictures())

    def _pictures(self) -> np.ndarray:
        """Return the images as float32 (n, h, w, 3) on [0, 1]."""
        return _three_colours([as_array(self._kernels.show(each)) for each in self._parameters])

    def _clean(self, moved: transforms.Sampling | None = None) -> np.ndarray | None:
        """Return the objective on the images as they are; None if that was stopped between two parts."""
        if moved is None:
            moved = transforms.sampling(transforms.Movement(0.0, 1.0, (0.0, 0.0), 1.0, False), *self.shape[:2])
        values = []
        with lock_of(self.network):
            for number, part in enumerate(self._parts):
                if number and self._context.stopped():
                    return None
                values.append(self._kernels.value(self._parameters[number], self.selection[part], *moved))
        return np.concatenate([as_array(each) for each in values])

    @property
    def curve(self) -> np.ndarray:
        """The objective (shaken, without regularisers) at every step so far, float32 (step, n)."""
        if self._values:
            rows = [np.concatenate([as_array(part) for part in step]) for step in self._values]
            self._values = []
            self._curve = np.concatenate([self._curve, np.stack(rows)])
        return self._curve

    def growing(self, number: int = 0, seconds_left: float = 0.0) -> Growing:
        """Return what there is to see now.

        Args:
            number: Position of the plan among those that grow together.
            seconds_left: Estimated.
        """
        curve = thinned(self.curve, CURVE_ROWS)
        images = smaller(self.images(), TOLD_BYTES)
        return Growing(number, self.step, self.plan.steps, images, curve, float(seconds_left), self.learning_rate)

    def grown(self, judging: Judging | None = None) -> Grown:
        """Return the images as they are, with their quality and what is needed to go on.

        Args:
            judging: "fully", which takes many passes and ends when it is stopped; "briefly", with one pass at most;
                "not". None: fully once all steps are done, else briefly.
        """
        began = time.perf_counter()
        self._sound()
        pictures = self._pictures()
        images = _bytes(pictures)
        found = self._judged(judging or ("fully" if self.done else "briefly"), pictures)
        frames = [frame for frame in self._frames if frame.step != self.step] + [Frame(self.step, images)]
        state = {
            "parameters": np.concatenate([as_array(each) for each in self._parameters]),
            "first": np.concatenate([as_array(each) for each in self._first]),
            "second": np.concatenate([as_array(each) for each in self._second]),
            "curve": self.curve,
            "start": self._start,
            "frames": [(frame.step, frame.images) for frame in self._frames],
            "step": self.step,
            "altered": self._altered,
            "learning_rate": self.learning_rate,
            "seconds": self.seconds,
        }
        device = device_seen()
        self.seconds += time.perf_counter() - began
        return Grown(
            plan=replace(self.plan, learning_rate=self.learning_rate),
            images=images,
            targets=self.targets,
            quality=found,
            curve=self.curve,
            step=self.step,
            frames=tuple(frames),
            state=state,
            seconds=self.seconds,
            device=f"{device.kind} ({device.name})",
            finished=self.done,
            notes=(*self.objective.notes, *((ALTERED,) if self._altered else ())),
        )

    def _judged(self, judging: Judging, pictures: np.ndarray) -> tuple[Quality, ...]:
        if judging == "not" or (judging == "briefly" and len(self._parts) > 1):
            return ()
        if judging == "fully" and self._context.stopped():
            return ()
        clean = self._clean()
        if clean is None:
            return ()
        shakes: list[np.ndarray] = []
        while judging == "fully" and len(shakes) < quality.SHAKES:
            one = None if self._context.stopped() else self._clean(self._judging_movement(len(shakes)))
            if one is None:
                break
            shakes.append(one)
        shaken = np.stack(shakes) if len(shakes) == quality.SHAKES else None
        empty = self.plan.start in ("noise", "grey")
        return quality.qualities(self._start, clean, shaken, pictures, empty_start=empty)

    def _judging_movement(self, number: int) -> transforms.Sampling:
        """Return a fresh transform; an image that grew unshaken is judged by the usual ones, like all others."""
        height, width, _ = self.shape
        random = np.random.default_rng([self.plan.seed, 2, number])
        moved = transforms.movement(JUDGED_BY, max(height, width), random)
        return transforms.sampling(moved, height, width)

    def _sound(self) -> None:
        if not all(np.isfinite(as_array(each)).all() for each in self._parameters):
            raise SentenceError("The numbers grew without bound; take a smaller learning rate or weaker regularisers.")


def _three_colours(parts: list[np.ndarray]) -> np.ndarray:
    pictures = np.concatenate(parts)
    return pictures if pictures.shape[-1] == 3 else np.repeat(pictures[..., :1], 3, axis=3)


def _bytes(pictures: np.ndarray) -> np.ndarray:
    return (pictures * 255).round().astype(np.uint8)


JUDGED_BY = transforms.Transforms()
"""The transforms that every image is judged by, whichever it grew under."""


ALONE = 2
"""Where so many times the images are no more than the layer's channels, each image's own channel is computed alone."""


class _Kernels:
    """The compiled functions of one kind of ascent, kept with the network."""

    def __init__(self, network: Any, plan: Plan, image: Image, objective: Objective) -> None:
        still = transforms.is_still(plan.transforms)
        terms = [(place, slope) for place, (weight, slope) in enumerate(_held_against(plan)) if weight]
        copies = plan.copies if plan.diversity and plan.copies > 1 else 1

        def wanted(x: Any, selection: Any, leak: Any) -> tuple[Any, Any]:
            with folded(network):
                if objective.alone is None or copies > 1 or ALONE * selection.shape[0] > objective.width:
                    return objective.values(x, selection, leak)
                return objective.alone(x, keras.ops.argmax(selection, axis=1)), None

        def against(pictures: Any, weights: Any) -> Any:
            return sum(weights[place] * slope(pictures) for place, slope in terms)

        def ascend(parameters: Any, selection: Any, weights: Any, *sampling: Any) -> Any:
            pictures = image.pictures(parameters)
            held = regularisers.held_against(pictures, lambda x: against(x, weights)) if terms else pictures
            seen = held if still else transforms.shaken(held, *sampling)
            values, maps = wanted(passing.prepared(network, seen), selection, weights[4])
            total = keras.ops.sum(values)
            if copies > 1 and maps is not None and len(maps.shape) == 4:
                total = total - weights[3] * copies * keras.ops.sum(regularisers.likeness(maps, copies))
            return total, (values, pictures)

        def value(parameters: Any, selection: Any, *sampling: Any) -> Any:
            seen = transforms.shaken(image.pictures(parameters), *sampling)
            return wanted(passing.prepared(network, seen), selection, 0.0)[0]

        self.ascend = WithGradient(ascend, network=network, compiled=True)
        self.value = Compiled(value, network=network, compiled=True)
        self.update = Compiled(_adam, compiled=True)
        self.blur = Compiled(image.blurred, compiled=True)
        self.show = Compiled(image.pictures, compiled=True)


def at_once(network: Any, shape: tuple[int, int, int], until: str = "") -> int:
    """Return how many images of a shape one pass up to a layer may hold (see `STEP_BYTES`), at least one."""
    layers = passing.passed(network, shape[:2], until).values()
    each = 8 * sum(math.prod(one.shape) for one in layers)  # forward, and kept or made backward; 4 bytes a value
    return max(1, STEP_BYTES // max(1, each))


def _last_layer(plan: Plan) -> str:
    """Return the path of the layer where a plan's passes end, or "" where they go through the whole network."""
    return "" if plan.objective in objectives.CLASS_OBJECTIVES else plan.layer


PROBES = 4
"""At most so many random directions among the channels or classes from which an objective's slope is told."""

_PROBE_NOISE = 0.1


def slope_of(network: Any, plan: Plan, shape: tuple[int, int, int], objective: Objective) -> float:
    """Return what an objective gains, at most and in first order, if every pixel of a picture changes by 1.

    It is the sum of the gradient's absolute values on grey pictures with a little noise, for a usual channel or class
    of the layer: a root mean square over random directions of length 1. It depends on network, layer and size only,
    not on the targets.

    Args:
        network: A loaded network or a keras.Model.
        plan: Its objective, layer and cell count.
        shape: (height, width, channels) of the pictures.
        objective: The plan's.
    """

    def build() -> float:
        random = np.random.default_rng(0)
        probes = min(PROBES, at_once(network, shape, _last_layer(plan)))
        pictures = 0.5 + random.normal(scale=_PROBE_NOISE, size=(probes, *shape))
        directions = random.normal(size=(probes, max(1, objective.width)))
        if objective.width < 2:
            directions = np.ones_like(directions)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)

        def value(x: Any, selection: Any) -> tuple[Any, None]:
            values, _ = objective.values(passing.prepared(network, x), selection, 1.0)
            return keras.ops.sum(values), None

        with lock_of(network):
            _, _, gradient = WithGradient(value, network=network, compiled=False)(
                pictures.clip(0, 1).astype(np.float32), directions.astype(np.float32)
            )
        gains = np.abs(as_array(gradient)).sum(axis=(1, 2, 3), dtype=np.float64)
        return float(np.sqrt(np.mean(np.square(gains))))

    return passing.remembered(network, ("slope", plan.objective, plan.layer, plan.cell, shape), build)


def _held_against(plan: Plan) -> tuple[tuple[float, Any], ...]:
    """Return weight and slope of each regulariser of the pictures, in the order of the weights."""
    held = plan.regularisers
    return (
        (held.smoothness, regularisers.roughness),
        (held.l2, regularisers.distance_from_grey),
        (held.variation, regularisers.variation),
    )


def _adam(parameters: Any, first: Any, second: Any, gradient: Any, settings: Any) -> tuple[Any, Any, Any]:
    """Go one step of Adam uphill; settings are (learning rate, decay, number of the step from 1)."""
    rate, decay, number = settings[0], settings[1], settings[2]
    first = first + (1 - _FIRST) * (gradient - first)
    second = second + (1 - _SECOND) * (keras.ops.square(gradient) - second)
    # The two means' corrections for the first steps are numbers: the paper's order of operations, at the end of its
    # section 2, which spares passes over all parameters.
    correction = keras.ops.sqrt(1 - keras.ops.power(_SECOND, number))
    step = rate * correction / (1 - keras.ops.power(_FIRST, number))
    size = keras.ops.sqrt(second) + _EPSILON * correction
    return parameters * (1 - decay) + step * (first / size), first, second


def _kernels(network: Any, plan: Plan, shape: tuple[int, int, int], image: Image, objective: Objective) -> _Kernels:
    """Return the functions for all that tracing depends on; numbers that may differ are arguments of theirs."""
    key = (
        "ascent", plan.objective, plan.layer, plan.cell, plan.parameterisation, plan.spectrum, plan.colours, shape,
        transforms.is_still(plan.transforms), tuple(bool(weight) for weight, _ in _held_against(plan)),
        plan.copies if plan.diversity else 1, getattr(getattr(network, "entry", None), "preprocessing", ""),
    )  # fmt: skip
    return kept(network, key, lambda: _Kernels(network, plan, image, objective))


def checked(plan: Plan) -> None:
    """Hold a plan, which may come out of a link, against what can be computed.

    Raises:
        SentenceError: if a number is out of its range.
    """
    limits = (
        ("steps", plan.steps, 1, MOST_STEPS),
        ("learning rate", plan.learning_rate, 0, 10),
        ("size", plan.size, 0, MOST_SIDE),
        ("spectrum", plan.spectrum, 0, 4),
        ("number of copies", plan.copies, 1, MOST_TARGETS),
        ("number of targets", len(plan.targets), 0 if plan.objective in ("layer", "direction") else 1, 256),
        ("diversity", plan.diversity, 0, 1e6),
        ("seed", plan.seed, 0, 2**31),
        ("padding", plan.transforms.pad, 0, 48),
        ("jitter", plan.transforms.jitter, 0, 48),
        ("change of scale", plan.transforms.scale, 0, 0.9),
        ("turn", plan.transforms.rotate, 0, 180),
        ("smoothness", plan.regularisers.smoothness, 0, 1e6),
        ("L2 weight", plan.regularisers.l2, 0, 1e6),
        ("weight of the variation", plan.regularisers.variation, 0, 1e6),
        ("decay", plan.regularisers.decay, 0, 1),
        ("blur", plan.regularisers.blur, 0, 16),
    )
    for name, value, least, most in limits:
        if not least <= value <= most:  # also not a number
            raise SentenceError(f"The {name} must lie between {least:g} and {most:g}.")


def frame_steps(steps: int, most: int) -> frozenset[int]:
    """Return the steps that are kept for the film: dense at first, when most happens, the last among them.

    Args:
        steps: Of the whole ascent.
        most: How many frames, the start image's among them.
    """
    along = np.linspace(0, 1, most)[1:] ** 1.7
    return frozenset(np.unique(np.maximum(1, np.round(steps * along))).astype(int).tolist())


def smaller(images: np.ndarray, most: int) -> np.ndarray:
    """Return images whose sides are halved, or thirded…, by averaging until they take no more than so many bytes.

    Args:
        images: uint8 (n, h, w, 3).
        most: In bytes.
    """
    factor = math.ceil(math.sqrt(images.nbytes / most))
    if factor <= 1:
        return images
    count, height, width, channels = images.shape
    rows, columns = height // factor, width // factor
    blocks = images[:, : rows * factor, : columns * factor].reshape(count, rows, factor, columns, factor, channels)
    return blocks.mean(axis=(2, 4)).round().astype(np.uint8)


def thinned(curve: np.ndarray, rows: int) -> np.ndarray:
    """Return at most so many rows of a curve, evenly spread, the last among them."""
    if len(curve) <= rows:
        return curve
    return curve[np.linspace(0, len(curve) - 1, rows).round().astype(int)]


def _fitted(pixels: np.ndarray, shape: tuple[int, int, int], how: Fit) -> np.ndarray:
    """Return a picture at the images' size, float (h, w, channels) on [0, 1]."""
    size: Any = SimpleNamespace(input_size=shape[:2])  # all that counts of a catalogue's entry
    picture = fit_picture(pixels, size, how).pixels.astype(np.float32) / 255
    return picture if shape[2] == 3 else np.repeat(picture.mean(axis=2, keepdims=True), shape[2], axis=2)


def render(
    network: Any,
    plan: Plan,
    *,
    state: dict[str, Any] | None = None,
    pixels: np.ndarray | None = None,
    fit: Fit = "pad",
    context: WorkContext = NO_CONTEXT,
    every: float = TELL_SECONDS,
) -> Iterator[Growing | Grown]:
    """Grow the images of one plan.

    Args:
        network: A loaded network, or a keras.Model of one's own (which is fed pictures on [0, 1]).
        plan: What is wanted and how.
        state: `Grown.state` of an earlier part, to go on.
        pixels: uint8 (h, w, 3), for a start from a picture.
        fit: How that is brought to the images' size.
        context: Asked before each step whether to stop.
        every: Seconds from one `Growing` to the next.

    Yields:
        A `Growing` now and then, and at last the `Grown`, finished or stopped.

    Raises:
        SentenceError: for a plan that this network cannot fulfil.
    """
    ascent = Ascent(network, plan, state=state, pixels=pixels, fit=fit, context=context)
    began, before, told = time.monotonic(), ascent.step, time.monotonic()
    while not ascent.done and not context.stopped():
        ascent.advance()
        now = time.monotonic()
        if now - told >= every:
            told = now
            yield ascent.growing(0, (now - began) / (ascent.step - before) * (plan.steps - ascent.step))
    yield ascent.grown()


def grow(network: Any, plan: Plan, **options: Any) -> Grown:
    """Grow the images of one plan and return them; for the arguments see `render`."""
    *_, grown = render(network, plan, **options)
    assert isinstance(grown, Grown)
    return grown
