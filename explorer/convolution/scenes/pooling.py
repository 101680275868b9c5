"""Scene "Pooling": windows keep one number each; shifting the input shows what that buys."""

from __future__ import annotations

import math

import numpy as np

from explorer.convolution import presets, programs
from explorer.convolution.formulas import LINE, all_of, lit, size_calculation, size_text, window_letters
from explorer.convolution.grids import fitted
from explorer.convolution.padding import padding_amounts
from explorer.convolution.scene import Code, Control, Preset, Scene, Settings
from explorer.convolution.scenes.parts import (
    by_row,
    has,
    kernel_board,
    single_terms,
    size_fact,
    source_board,
    target_board,
    too_much,
    without_padding,
)
from explorer.convolution.stage import Fact, Letter, Link, Stage
from explorer.convolution.sum_line import number_text
from explorer.convolution.tracing import Trace, trace

RULES = {"max": "Maximum", "average": "Average", "min": "Minimum", "l2": "L2 (root of the sum of squares)"}
_WORDS = {"max": "max pooling", "average": "average pooling", "min": "min pooling", "l2": "L2 pooling"}
_KEPT = {"max": "maximum", "average": "average", "min": "minimum", "l2": "root of the sum of squares"}
_OVER = {"windows": "windows", "global": "the whole map (global)", "channels": "channels"}
_KERNEL = (3, 3)


def _by_windows(settings: Settings) -> bool:
    return bool(settings["over"] == "windows")


def _shifting(settings: Settings) -> bool:
    return bool(settings["compare"])


CONTROLS = (
    Control("size", "Input", "pair", (4, 4), low=1, high=12, help="Rows and columns of the input."),
    Control("rule", "Keep the", "choice", "max", options=RULES, help="What each window becomes."),
    Control("over", "Pool over", "choice", "windows", options=_OVER, help="Where the numbers that are pooled lie."),
    Control("pool_size", "Window", "pair", (2, 2), low=1, high=8, shown=_by_windows),
    Control("strides", "Stride", "pair", (2, 2), low=1, high=8, shown=_by_windows),
    Control(
        "compare",
        "Shift the input",
        "switch",
        False,
        help="Puts a convolution before the pooling, and the same on a shifted input below.",
    ),
    Control(
        "padding",
        "Padding",
        "choice",
        "valid",
        options={"valid": "none (valid)", "same": "same"},
        main=False,
        help="Padded cells never count: not as a maximum, and not in an average.",
        shown=_by_windows,
    ),
    Control(
        "channels",
        "Channels",
        "count",
        1,
        low=1,
        high=6,
        main=False,
        shown=lambda settings: not _shifting(settings),
    ),
    Control(
        "pool_channels",
        "Channels pooled together",
        "count",
        2,
        low=1,
        high=6,
        shown=lambda settings: settings["over"] == "channels",
    ),
    Control("shift_down", "Rows down", "count", 0, low=-4, high=4, main=False, shown=_shifting),
    Control("shift_right", "Columns to the right", "count", 1, low=-4, high=4, shown=_shifting),
    Control("input", "the input", "grid", None, most=(12, 12, 6)),
    Control("kernel", "the kernel", "grid", None, most=_KERNEL),
)

PRESETS = (
    Preset("max_pooling", "Maximum of 2×2", {"input": presets.POOL_INPUT}),
    Preset("average_pooling", "Average of 2×2", {"input": presets.POOL_INPUT, "rule": "average"}),
    Preset("min_pooling", "Minimum of 2×2", {"input": presets.POOL_INPUT, "rule": "min"}),
    Preset("l2_pooling", "L2 of 2×2", {"input": presets.L2_INPUT, "rule": "l2"}),
    Preset(
        "overlapping",
        "Overlapping windows (AlexNet)",
        {"size": (7, 7), "pool_size": (3, 3), "strides": (2, 2)},
    ),
    Preset(
        "same_average",
        "Padding does not count",
        {"size": (5, 5), "padding": "same", "rule": "average", "input": np.full((5, 5), 6.0)},
    ),
    Preset(
        "global_average",
        "Global average",
        {"size": (4, 4), "channels": 3, "rule": "average", "over": "global"},
    ),
    Preset(
        "across_channels",
        "Across channels (maxout)",
        {"size": (4, 4), "channels": 4, "over": "channels", "input": presets.STROKES},
    ),
    Preset(
        "shift",
        "Shift by one: pooling holds still",
        {"size": (8, 8), "compare": True, "input": presets.SHIFT_INPUT, "kernel": presets.SPOT},
    ),
    Preset(
        "shift_unlucky",
        "Shift by one: pooling does not",
        {
            "size": (8, 8),
            "compare": True,
            "input": np.roll(presets.SHIFT_INPUT, 1, axis=1),
            "kernel": presets.SPOT,
        },
    ),
    Preset(
        "shift_global",
        "Shift: a global maximum never moves",
        {
            "size": (8, 8),
            "compare": True,
            "over": "global",
            "shift_down": 1,
            "shift_right": 2,
            "input": presets.SHIFT_INPUT,
            "kernel": presets.SPOT,
        },
    ),
)


def channels_of(settings: Settings) -> int:
    """Return how many channels the input has; a shift is shown on one."""
    return 1 if settings["compare"] else int(settings["channels"])


def _window(settings: Settings) -> tuple[tuple[int, int], tuple[int, int], str]:
    """Return window, strides and padding over rows and columns."""
    if settings["over"] == "global":
        return settings["size"], settings["size"], "valid"
    return settings["pool_size"], settings["strides"], settings["padding"]


def impossible(settings: Settings) -> str | None:
    """Return the sentence why these settings cannot be, or None."""
    size, channels = settings["size"], channels_of(settings)
    if settings["compare"]:
        if settings["over"] == "channels":
            return "a shift is shown on one channel: pool over windows or over the whole map"
        if settings["channels"] > 1:
            # An edit of the one channel on the screen would throw away the others.
            return f"a shift is shown on one channel; the input has {settings['channels']}"
        for shift, n, word in zip((settings["shift_down"], settings["shift_right"]), size, ("row", "column"),
                                  strict=True):  # fmt: skip
            if abs(shift) >= n:
                return f"a shift by {abs(shift)} moves every {word} of an input with {n} out of the picture"
    if settings["over"] == "channels":
        together = settings["pool_channels"]
        if channels % together:
            return f"{channels} {'channel' if channels == 1 else 'channels'} cannot be pooled {together} at a time"
        inputs = size[0] * size[1] * channels
        return too_much(inputs, inputs + inputs // together, inputs)
    window, strides, padding = _window(settings)
    if padding == "valid" and any(part > n for part, n in zip(window, size, strict=True)):
        return f"a {size_text(window)} window does not fit; the input has {size_text(size)} cells"
    outputs, padded = channels, channels
    for part, n, s in zip(window, size, strides, strict=True):
        before, after = padding_amounts(padding, n, part, s)
        outputs *= (n + before + after - part) // s + 1
        padded *= n + before + after
    area = size[0] * size[1]
    times = 2 if settings["compare"] else 1
    terms = outputs * window[0] * window[1] + settings["compare"] * area * 9
    return too_much(times * terms, times * (padded + outputs + settings["compare"] * (area + 5)), area * channels)


def grids_of(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the input `(h, w, c)` and of the kernel before a compared pooling `(3, 3)`."""
    return (
        fitted(settings["input"], presets.default_planes(settings["size"], channels_of(settings))),
        fitted(settings["kernel"], presets.SPOT),
    )


def _pool(settings: Settings, picture: np.ndarray) -> Trace:
    if settings["over"] == "channels":
        return trace(
            "pool2d", picture, pool_size=settings["pool_channels"], rule=settings["rule"], across_channels=True
        )
    window, strides, padding = _window(settings)
    return trace("pool2d", picture, pool_size=window, strides=strides, padding=padding, rule=settings["rule"])


def _title(settings: Settings) -> str:
    kind = {"max": "Maximum", "average": "Average", "min": "Minimum", "l2": "L2"}[settings["rule"]]
    return {"windows": f"{kind} of windows", "global": f"Global {kind.lower() if kind != 'L2' else kind}",
            "channels": f"{kind} of channels"}[settings["over"]]  # fmt: skip


def build(settings: Settings) -> Stage:
    """Return the stage: the input and what pooling keeps of it, or the same with a shifted input below."""
    picture, kernel = grids_of(settings)
    if settings["compare"]:
        return _compared(settings, picture, kernel)
    pooled = _pool(settings, picture)
    names = tuple(f"channel {number + 1}" for number in range(picture.shape[2])) if picture.shape[2] > 1 else ()
    together = settings["pool_channels"]
    pooled_names: tuple[str, ...] = ()
    if pooled.target.shape[2] > 1:
        pooled_names = names
        if settings["over"] == "channels" and together > 1:
            pooled_names = tuple(
                f"of channels {first + 1} to {first + together}" for first in range(0, picture.shape[2], together)
            )
    return Stage(
        boards=(
            source_board(pooled, "input", "Input", editable=True, plane_names=names),
            target_board(pooled, "output", _title(settings), plane_names=pooled_names),
        ),
        links=(Link(pooled, "input", "output", None, _WORDS[settings["rule"]]),),
        rows=(("input", "output"),),
        steps=by_row(pooled, plane_names=pooled_names),
        result="output",
        formula=_formula(settings, pooled, "input"),
        facts=(
            _size_fact(settings, pooled),
            _weights_fact(0),
            Fact(
                "Numbers kept",
                f"{pooled.target.size} of {picture.size}",
                f"every {number_text(picture.size / pooled.target.size)} numbers become one",
            ),
        ),
        notes=tuple(_notes(settings, picture, pooled)),
    )


def _size_fact(settings: Settings, pooled: Trace) -> Fact:
    if settings["over"] == "channels":
        return size_fact(pooled, f"rows and columns stay; channels: {channels_of(settings)} / "
                         f"{settings['pool_channels']} = {pooled.target.shape[2]}")  # fmt: skip
    window, strides, _ = _window(settings)
    return size_fact(pooled, size_calculation(pooled, window, strides))


def _weights_fact(kernel: int) -> Fact:
    said = "pooling has none" if not kernel else f"pooling has none; the convolution before it 3 · 3 = {kernel}"
    return Fact("Weights to learn", str(kernel), said, "count", (float(kernel),))


def moved(picture: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return a map `(h, w, c)` moved by whole cells, zeros behind it."""
    height, width, _ = picture.shape
    result = np.zeros_like(picture)
    rows, columns = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    from_rows = slice(max(0, -down), height + min(0, -down))
    from_columns = slice(max(0, -right), width + min(0, -right))
    result[rows, columns] = picture[from_rows, from_columns]
    return result


def _compared(settings: Settings, picture: np.ndarray, kernel: np.ndarray) -> Stage:
    """Return convolution and pooling of the input, and below it of the shifted input with changed cells marked."""
    down, right = settings["shift_down"], settings["shift_right"]
    height, width, _ = picture.shape
    numbers = np.arange(1, picture.size + 1).reshape(picture.shape)
    came_from = moved(numbers, down, right).reshape(-1)
    targets = np.flatnonzero(came_from)
    shift = single_terms(picture, np.ones((height, width), dtype=bool), picture.shape, targets, came_from[targets] - 1)

    def convolve(x: np.ndarray) -> Trace:
        return trace("conv2d", x, kernel[..., None, None], padding="same")

    before, after = convolve(picture), convolve(shift.target)
    pooled, pooled_after = _pool(settings, before.target), _pool(settings, after.target)
    pairs = [(picture, shift.target), (before.target, after.target), (pooled.target, pooled_after.target)]
    changed = [~np.isclose(one, two, rtol=1e-9, atol=1e-9) for one, two in pairs]
    words = "changed by the shift"

    before, after = without_padding(before), without_padding(after)
    pooled, pooled_after = without_padding(pooled), without_padding(pooled_after)
    boards = (
        source_board(before, "input", "Input", editable=True),
        kernel_board("kernel", "Kernel", kernel, editable=True),
        target_board(before, "convolved", "Convolution"),
        target_board(pooled, "output", _title(settings)),
        target_board(shift, "shifted", "Shifted input", role="input", marked=changed[0], mark_words=words),
        target_board(after, "convolved_shifted", "Its convolution", marked=changed[1], mark_words=words),
        target_board(pooled_after, "output_shifted", "Its pooling", marked=changed[2], mark_words=words),
    )
    links = (
        Link(pooled, "convolved", "output", None, _WORDS[settings["rule"]]),
        Link(before, "input", "convolved", "kernel", "convolution"),
        Link(shift, "input", "shifted", None, "shift"),
        Link(after, "shifted", "convolved_shifted", "kernel", "convolution"),
        Link(pooled_after, "convolved_shifted", "output_shifted", None, _WORDS[settings["rule"]]),
    )
    counts = [int(mask.sum()) for mask in changed]
    inside = slice(1, height - 1), slice(1, width - 1)
    compared = np.zeros(picture.shape, dtype=bool)
    compared[inside] = True
    compared &= moved(compared.astype(float), down, right) > 0
    differ = int((compared & ~np.isclose(moved(pairs[1][0], down, right), pairs[1][1], rtol=1e-9, atol=1e-9)).sum())
    steps_kept = all(part % s == 0 for part, s in zip((down, right), _window(settings)[1], strict=True))
    facts = (
        _size_fact(settings, pooled),
        _weights_fact(kernel.size),
        Fact("Input changed", f"{counts[0]} of {picture.size} cells", f"moved {_way(down, right)}"),
        Fact(
            "Convolution changed",
            f"{counts[1]} of {picture.size} cells",
            f"but moved along with the input, {differ} of the {int(compared.sum())} cells away from the border differ",
        ),
        Fact(
            "Pooling changed",
            f"{counts[2]} of {pooled.target.size} cells",
            f"{100 * counts[2] / pooled.target.size:.0f} %, against {100 * counts[1] / picture.size:.0f} % before it",
        ),
    )
    notes = ["A convolution is equivariant: when the input moves, its map moves along, number by number."]
    if settings["over"] == "global":
        notes.append(
            "One number for the whole map does not say where: it changes only when something enters or leaves."
        )
    elif counts[2] == 0 and (down or right):
        notes.append(
            f"In every window the {_KEPT[settings['rule']]} is the same number as before, so the pooled map has not "
            "changed at all."
        )
    elif not steps_kept:
        notes.append(
            "Pooling is only nearly invariant: what crosses the border of a window changes the map. With a stride of "
            "more than 1 it is not equivariant to single steps either (aliasing); blurring before it helps."
        )
    return Stage(
        boards=boards,
        links=links,
        rows=(("input", "convolved", "output", "kernel"), ("shifted", "convolved_shifted", "output_shifted")),
        steps=by_row(pooled),
        result="output",
        formula=_formula(settings, pooled, "convolved"),
        facts=facts,
        notes=tuple(notes),
    )


def _way(down: int, right: int) -> str:
    words = [
        f"{abs(amount)} {'cell' if abs(amount) == 1 else 'cells'} {plus if amount > 0 else minus}"
        for amount, plus, minus in ((down, "down", "up"), (right, "right", "left"))
        if amount
    ]
    return " and ".join(words) or "by nothing"


def _formula(settings: Settings, pooled: Trace, source: str) -> tuple[Letter, ...]:
    planes = pooled.source.shape[2]
    y = Letter("y", "y: what is kept", all_of("output", pooled.target))
    x = Letter("x", "x: the numbers that are pooled", lit(source, pooled.own, planes))
    if settings["over"] == "channels":
        together = settings["pool_channels"]
        first = np.zeros(pooled.source.shape, dtype=bool)
        first[..., :together] = True
        size: tuple[Letter, ...] = (
            Letter("channels", f"channels of the output = {pooled.target.shape[2]}", all_of("output", pooled.target)),
            Letter(" = "),
            Letter("c", f"c: channels of the input = {planes}", lit(source, pooled.own, planes)),
            Letter("/"),
            Letter("k", f"k: channels pooled together = {together}", lit(source, first)),
        )
        place, over = "[r, c, f]", "[r, c, k·f + i]"
        index = "ᵢ"
    else:
        window, strides, _ = _window(settings)
        size = window_letters(pooled, window, strides, source=source, target="output", kernel=None)
        place, over, index = "[r, c]", "[s·r + i − p, s·c + j − p]", "ᵢⱼ"
    before, after = {
        "max": (f" = max{index} ", ""),
        "min": (f" = min{index} ", ""),
        "average": (f" = mean{index} ", ""),
        "l2": (f" = √( Σ{index} ", "² )"),
    }[settings["rule"]]
    return (*size, LINE, y, Letter(place + before), x, Letter(over + after))


def _notes(settings: Settings, picture: np.ndarray, pooled: Trace) -> list[str]:
    notes = []
    if settings["over"] == "channels":
        notes.append(
            "Pooled across channels, the output does not care which of several filters has answered. If they were "
            "learned for the same thing at several angles, it does not care for the angle."
        )
    elif picture.shape[2] > 1:
        notes.append("Each channel is pooled for itself: their number stays.")
    if settings["over"] == "global" and settings["rule"] == "average":
        notes.append("One number for each channel: many networks end so, instead of with Flatten and a dense layer.")
    if settings["over"] == "windows":
        if not pooled.own.all() and settings["rule"] == "average":
            notes.append("Padded cells are not counted: at the border the average is taken over fewer cells.")
        window, strides, _ = _window(settings)
        if any(s < k for s, k in zip(strides, window, strict=True)):
            kept = f"be the {_KEPT[settings['rule']]} of" if settings["rule"] in ("max", "min") else "count in"
            notes.append(f"The windows overlap: one input can {kept} several of them.")
        unread = int(pooled.own.sum()) * picture.shape[2] - np.unique(pooled.sources).size
        if unread > 0:
            notes.append(f"{unread} of the input's numbers are in no window.")
    if has(picture[..., 0], presets.POOL_INPUT) and settings["rule"] == "max" and pooled.target.size == 4:
        notes.append("Of 16 numbers the 4 largest of their windows are kept; where in the window they stood is lost.")
    return notes


_KERAS_LAYERS = {"max": "Max", "min": "Max", "average": "Average", "l2": "Average"}


def code(settings: Settings) -> Code:
    """Return the programs that compute the pooled map."""
    picture, kernel = grids_of(settings)
    numbers = programs.array_text("x", picture)
    if settings["compare"]:
        numbers += programs.array_text("kernel", kernel[..., None, None])
    return Code(_keras(settings, numbers), _numpy(settings, numbers))


def _keras(settings: Settings, numbers: str) -> str:
    rule, over = settings["rule"], settings["over"]
    lines = programs.KERAS + "\n" + numbers + "\n"
    maps = "x[None]"
    if settings["compare"]:
        lines += 'convolution = keras.layers.Conv2D(1, (3, 3), padding="same", use_bias=False)\n'
        lines += "convolution.build((None, *x.shape))\nconvolution.set_weights([kernel])\n"
        lines += "convolved = convolution(x[None])\n"
        maps = "convolved"
    kind = _KERAS_LAYERS[rule]
    if over == "channels":
        count = settings["pool_channels"]
        lines += "# Channels as a third axis of places: the layer then pools along them.\n"
        lines += f"layer = keras.layers.{kind}Pooling3D((1, 1, {count}))\n"
        maps = f"{maps}[..., None]"
    elif over == "global":
        count = math.prod(settings["size"])
        lines += f"layer = keras.layers.Global{kind}Pooling2D(keepdims=True)\n"
    else:
        window, strides, padding = settings["pool_size"], settings["strides"], settings["padding"]
        count = math.prod(window)
        if rule == "l2" and padding == "same":
            # Keras' average would divide by the cells inside the picture alone; zeros add nothing to a sum of squares.
            (top, bottom), (left, right) = (
                padding_amounts("same", n, k, s) for n, k, s in zip(settings["size"], window, strides, strict=True)
            )
            lines += f"maps = keras.ops.pad({maps}, ((0, 0), ({top}, {bottom}), ({left}, {right}), (0, 0)))\n"
            maps, padding = "maps", "valid"
        lines += f'layer = keras.layers.{kind}Pooling2D({window}, strides={strides}, padding="{padding}")\n'
    if rule == "min":
        lines += f"output = -layer(-{maps})  # the minimum is the maximum of the negatives\n"
    elif rule == "l2":
        lines += f"output = keras.ops.sqrt({count} * layer({maps} ** 2))  # the sum is {count} times the average\n"
    else:
        lines += f"output = layer({maps})\n"
    if over == "channels":
        lines += "output = output[..., 0]\n"
    return lines + programs.KERAS_RESULT


def _numpy(settings: Settings, numbers: str) -> str:
    names = "conv2d, pool2d" if settings["compare"] else "pool2d"
    lines = programs.NUMPY + f"\nfrom explorer.convolution.operations import {names}\n\n" + numbers + "\n"
    maps = "x"
    if settings["compare"]:
        lines += 'convolved = conv2d(x, kernel, padding="same")\n'
        maps = "convolved"
    if settings["over"] == "channels":
        call = programs.call_text(
            "pool2d", maps, str(settings["pool_channels"]), rule=settings["rule"], across_channels=True
        )
    else:
        window, strides, padding = _window(settings)
        call = programs.call_text("pool2d", maps, repr(window), strides=strides, padding=padding, rule=settings["rule"])
    return lines + f"result = {call}\n"


BACKGROUND = """
Pooling keeps one number of each window: the **maximum** ("is it anywhere here?"), the **average** ("how much of it is
here?"), rarely the **minimum** or the root of the sum of squares (**L2**). It has no weights. Each channel is pooled
for itself, unless one pools **across channels**. **Global** pooling takes the whole map as one window.

$$o = \\left\\lfloor \\frac{n + 2p - (k-1) - 1}{s} \\right\\rfloor + 1 \\qquad y_{\\max} = \\max_{i,j} x, \\quad
y_{\\text{L2}} = \\sqrt{\\textstyle\\sum_{i,j} x^2}$$

**Equivariance and invariance.** Shift the input, and the map of a convolution shifts along: it is *equivariant* to
translation (away from the border, at stride 1). A pooled map hardly changes while a maximum stays in its window: it is
approximately *invariant*. Only approximately: with strides above 1, high frequencies are aliased, and a shift by one
pixel can change the outcome of a whole network. Blurring before the subsampling helps; a global pooling is invariant as
long as nothing leaves the picture.

*Sources:* I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, 9.3 (2016);
I. Goodfellow et al., “Maxout networks”, ICML 2013 (pooling across channels);
P. Sermanet, S. Chintala, Y. LeCun, “Convolutional neural networks applied to house numbers digit classification”,
ICPR 2012 (Lp pooling); M. Lin, Q. Chen, S. Yan, “Network in network”, ICLR 2014 (global average);
A. Azulay, Y. Weiss, “Why do deep convolutional networks generalize so poorly to small image transformations?”,
JMLR 20 (2019); R. Zhang, “Making convolutional networks shift-invariant again”, ICML 2019.
"""

SCENE = Scene(
    name="pooling",
    title="Pooling",
    question="What is kept of a map when windows become single numbers, and what does a shifted input change?",
    controls=CONTROLS,
    presets=PRESETS,
    impossible=impossible,
    build=build,
    code=code,
    background=BACKGROUND,
)
