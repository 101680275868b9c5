"""Scene "On my photo": one kernel over the current picture, and the sum of the pinned pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.convolution import geometry, kernels, programs
from explorer.convolution.formulas import LINE, pair_text, size_text
from explorer.convolution.padding import padding_amounts
from explorer.convolution.scene import Code, Control, Preset, Scene, Settings
from explorer.convolution.scenes.parts import by_row, count_text, has, kernel_board
from explorer.convolution.stage import Board, Fact, Letter, Link, Lit, Stage
from explorer.convolution.sum_line import number_text
from explorer.convolution.tracing import Trace, trace

CHANNELS = ("red", "green", "blue")
_FILTERS = {"own": "typed numbers", "box": "Box blur", "gaussian": "Gaussian blur", "gabor": "Gabor"}
_SCALES = {"auto": "by the kernel", "picture": "0 to 255", "signed": "around 0"}
_MOST_PATCH_CELLS = 150


def _of(*names: str) -> Any:
    return lambda settings: settings["filter"] in names


def _never(settings: Settings) -> bool:
    return False


CONTROLS = (
    Control("filter", "Kernel", "choice", "own", options=_FILTERS, help="Type numbers below, or let a formula do it."),
    Control("kernel_size", "Size", "pair", (3, 3), low=1, high=7, help="Rows and columns of the kernel."),
    Control("strides", "Stride", "pair", (1, 1), low=1, high=8, help="How many pixels the window moves."),
    Control("dilation_rate", "Dilation", "pair", (1, 1), low=1, high=8, help="Pixels between neighbouring weights."),
    Control("padding", "Padding", "choice", "valid", options={"valid": "none (valid)", "same": "same"}),
    Control("colour", "In colour", "switch", False, help="The kernel over red, green and blue, each for itself."),
    Control("sigma", "Width σ", "number", 2.0, low=0.3, high=6, step=0.1, shown=_of("gaussian", "gabor")),
    Control("wavelength", "Wavelength λ", "number", 5.0, low=2, high=14, step=0.1, shown=_of("gabor")),
    Control("angle", "Angle θ", "number", 0.0, low=0, high=180, step=5, shown=_of("gabor")),
    Control("phase", "Phase ψ", "number", 90.0, low=-180, high=180, step=15, shown=_of("gabor")),
    Control("aspect", "Aspect γ", "number", 0.6, low=0.2, high=2, step=0.1, shown=_of("gabor")),
    Control(
        "scale",
        "Shown from",
        "choice",
        "auto",
        options=_SCALES,
        main=False,
        help="Brightness clipped to 0 to 255, or signed values centred on 0.",
    ),
    Control("row", "Pinned row", "count", None, low=0, high=4095, main=False, shown=_never),
    Control("column", "Pinned column", "count", None, low=0, high=4095, main=False, shown=_never),
    Control("kernel", "the kernel", "grid", None, most=(7, 7)),
)


def _typed(name: str, title: str, kernel: np.ndarray, **more: Any) -> Preset:
    return Preset(name, title, {"kernel": kernel, "kernel_size": kernel.shape, **more})


PRESETS = (
    _typed("edge_1", "Edge 1: 8 in the middle", kernels.EDGE_1),
    _typed("edge_2", "Edge 2: −4 in the middle", kernels.EDGE_2),
    _typed("identity", "Identity", kernels.IDENTITY, colour=True),
    Preset("box_blur", "Box blur 1/9", {"filter": "box", "colour": True}),
    Preset("gaussian_blur", "Gaussian blur", {"filter": "gaussian", "kernel_size": (7, 7), "colour": True}),
    _typed("sharpen", "Sharpen", kernels.SHARPEN, colour=True),
    _typed("emboss", "Emboss", kernels.EMBOSS),
    _typed("sobel_x", "Sobel x: upright edges", kernels.SOBEL_X),
    _typed("sobel_y", "Sobel y: level edges", kernels.SOBEL_Y),
    _typed("horizontal_difference", "Horizontal difference", kernels.DIFFERENCE),
    _typed("laplacian", "Laplacian, 8 neighbours", kernels.LAPLACIAN),
    Preset("gabor", "Gabor", {"filter": "gabor", "kernel_size": (7, 7)}),
    _typed("strided", "Sobel x, stride 4", kernels.SOBEL_X, strides=(4, 4)),
    _typed("dilated", "Sobel x, dilation 4", kernels.SOBEL_X, dilation_rate=(4, 4)),
)


def sample_picture(height: int = 280, width: int = 320) -> np.ndarray:
    """Return a drawn picture, uint8 `(height, width, 3)`, for when there is no other: a bright disc on a slope."""
    rows, columns = np.indices((height, width))
    slope = 40 + 120 * columns / width
    radius = min(height, width) / 4
    disc = np.hypot(rows - height / 2, columns - width / 2 + radius) < radius
    planes = [np.where(disc, 235 - 60 * plane, slope + 15 * plane) for plane in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def _picture(settings: Settings) -> np.ndarray:
    pixels = settings.get("pixels")
    return sample_picture() if pixels is None else pixels


def pixels_of(settings: Settings) -> np.ndarray:
    """Return the pixels that the kernel reads, uint8 `(h, w, 3)`, or `(h, w, 1)` in grey."""
    pixels = _picture(settings)
    return pixels if settings["colour"] else grey(pixels)


def grey(pixels: np.ndarray) -> np.ndarray:
    """Return the brightness of pixels `(h, w, 3)`, uint8 `(h, w, 1)`: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601)."""
    parts = pixels.astype(np.uint32)
    # Whole numbers, so that the browser rounds each pixel alike.
    return ((299 * parts[..., :1] + 587 * parts[..., 1:2] + 114 * parts[..., 2:] + 500) // 1000).astype(np.uint8)


def kernel_of(settings: Settings) -> np.ndarray:
    """Return the kernel `(kh, kw)`."""
    size = settings["kernel_size"]
    match settings["filter"]:
        case "box":
            return kernels.box(size)
        case "gaussian":
            return kernels.gaussian(size, settings["sigma"])
        case "gabor":
            names = ("wavelength", "angle", "sigma", "phase", "aspect")
            return kernels.gabor(size, **{name: settings[name] for name in names})
    given = settings["kernel"]
    return kernels.identity(size) if given is None else _around_middle(given, size)


def _around_middle(given: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a kernel cut, or filled up with zeros, on all sides: what it does to a picture stays in place."""
    kernel = np.zeros(size)
    taken, put = [], []
    for had, has_now in zip(given.shape, size, strict=False):
        shift = has_now // 2 - had // 2
        put.append(slice(max(0, shift), max(0, shift) + min(had - max(0, -shift), has_now - max(0, shift))))
        taken.append(slice(max(0, -shift), max(0, -shift) + put[-1].stop - put[-1].start))
    kernel[put[0], put[1]] = (given if given.ndim == 2 else given[..., 0])[taken[0], taken[1]]
    return kernel


def scale_of(settings: Settings, kernel: np.ndarray) -> str:
    """Return how results are shown: "picture" for brightness clipped to 0 to 255, "signed" centred on 0."""
    if settings["scale"] != "auto":
        return str(settings["scale"])
    return "signed" if kernels.is_signed(kernel) else "picture"


def picture_size(settings: Settings) -> tuple[int, int]:
    """Return rows and columns of the picture."""
    pixels = settings.get("pixels")
    return (280, 320) if pixels is None else (pixels.shape[0], pixels.shape[1])


def pads(settings: Settings) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many pixels are padded before and after, for rows and columns."""
    rows, columns = (
        padding_amounts(settings["padding"], n, k, s, d)
        for n, k, s, d in zip(
            picture_size(settings), settings["kernel_size"], settings["strides"], settings["dilation_rate"], strict=True
        )
    )
    return rows, columns


def output_size(settings: Settings) -> tuple[int, int]:
    """Return rows and columns of the result."""
    rows, columns = (
        geometry.output_size(n, k, s, settings["padding"], d)
        for n, k, s, d in zip(
            picture_size(settings), settings["kernel_size"], settings["strides"], settings["dilation_rate"], strict=True
        )
    )
    return rows, columns


def impossible(settings: Settings) -> str | None:
    """Return the sentence why these settings cannot be, or None."""
    size = picture_size(settings)
    spans = [d * (k - 1) + 1 for k, d in zip(settings["kernel_size"], settings["dilation_rate"], strict=True)]
    if spans[0] <= size[0] and spans[1] <= size[1]:
        return None
    return geometry.refusal(
        size,
        settings["kernel_size"],
        settings["padding"],
        settings["strides"],
        settings["dilation_rate"],
    )


def pinned(settings: Settings) -> tuple[int, int]:
    """Return row and column of the pinned pixel of the result: its middle where none is."""
    row, column = (
        size // 2 if settings[name] is None else min(settings[name], size - 1)
        for size, name in zip(output_size(settings), ("row", "column"), strict=True)
    )
    return row, column


def _shown_outputs(settings: Settings) -> tuple[range, range]:
    """Return the pixels of the result that the stage shows: the pinned one, with its neighbours where there is room."""
    spans = [geometry.span(k, d) for k, d in zip(settings["kernel_size"], settings["dilation_rate"], strict=True)]
    around = [spanned + 2 * stride for spanned, stride in zip(spans, settings["strides"], strict=True)]
    reach = 1 if around[0] * around[1] <= _MOST_PATCH_CELLS else 0
    rows, columns = (
        range(max(0, min(place - reach, size - 1 - 2 * reach)), min(size, max(place + reach, 2 * reach) + 1))
        for place, size in zip(pinned(settings), output_size(settings), strict=True)
    )
    return rows, columns


def patch(settings: Settings) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Return what the shown outputs read.

    Returns:
        float64 `(h, w, c)` with 0 where it is padding, bool `(h, w)` that is False there, and row and column of its
        first cell in the picture's counting.
    """
    pixels = _picture(settings)
    first, sizes = [], []
    for shown, k, s, d, (before, _) in zip(
        _shown_outputs(settings),
        settings["kernel_size"],
        settings["strides"],
        settings["dilation_rate"],
        pads(settings),
        strict=True,
    ):
        first.append(shown.start * s - before)
        sizes.append((len(shown) - 1) * s + geometry.span(k, d))
    values = np.zeros((*sizes, 3 if settings["colour"] else 1))
    own = np.zeros(sizes, dtype=bool)
    ends = [min(start + size, n) for start, size, n in zip(first, sizes, pixels.shape, strict=False)]
    inside = tuple(slice(max(0, start), end) for start, end in zip(first, ends, strict=True))
    here = tuple(slice(part.start - start, part.stop - start) for part, start in zip(inside, first, strict=True))
    values[here] = pixels[inside] if settings["colour"] else grey(pixels[inside])
    own[here] = True
    return values, own, (first[0], first[1])


def _traced(settings: Settings, values: np.ndarray, kernel: np.ndarray) -> Trace:
    """Return the trace of one kernel over each channel of the patch."""
    arguments: dict[str, Any] = {"strides": settings["strides"], "dilation_rate": settings["dilation_rate"]}
    channels = values.shape[2]
    if channels == 1:
        return trace("conv2d", values, kernel[..., None, None], **arguments)
    repeated = np.repeat(kernel[..., None, None], channels, axis=2)
    one = trace("depthwise_conv2d", values, repeated, **arguments)
    # All channels share the one kernel on the screen.
    return replace(one, weights=kernel[..., None, None], weight_cells=one.weight_cells // channels)


def build(settings: Settings) -> Stage:
    """Return the stage: the pixels around the pinned one, the kernel, and what it makes of them."""
    kernel = kernel_of(settings)
    values, own, first = patch(settings)
    traced = replace(_traced(settings, values, kernel), own=own, first=first)
    names = CHANNELS if settings["colour"] else ()
    rows, columns = _shown_outputs(settings)
    row, column = pinned(settings)
    mark = np.zeros(traced.target.shape, dtype=bool)
    mark[row - rows.start, column - columns.start] = True
    boards = (
        Board(
            "input",
            f"Pixels {size_text(own.shape)} from row {first[0] + 1}, column {first[1] + 1}".replace("-", "−"),
            "input",
            values,
            own=None if own.all() else own,
            first=first,
            plane_names=names,
        ),
        kernel_board("kernel", "Kernel", kernel[..., None], editable=settings["filter"] == "own"),
        Board(
            "output",
            f"Result around row {row + 1}, column {column + 1}" if mark.size > len(names or "1") else
            f"Result at row {row + 1}, column {column + 1}",
            "output",
            traced.target,
            first=(rows.start, columns.start),
            plane_names=names,
            marked=mark,
            mark_words="the pinned pixel",
        ),
    )  # fmt: skip
    return Stage(
        boards=boards,
        links=(Link(traced, "input", "output", "kernel", "correlation"),),
        rows=(("input", "kernel", "output"),),
        steps=by_row(traced, plane_names=names),
        result="output",
        formula=_formula(settings, traced, kernel),
        facts=_facts(settings, kernel),
        notes=_notes(settings, kernel),
    )


def _size_calculation(settings: Settings) -> str:
    lines = []
    for n, k, s, d, around, o in zip(
        picture_size(settings),
        settings["kernel_size"],
        settings["strides"],
        settings["dilation_rate"],
        pads(settings),
        output_size(settings),
        strict=True,
    ):
        lines.append(f"⌊({n} + {sum(around)} − {f'{d}·' if d > 1 else ''}({k} − 1) − 1)/{s}⌋ + 1 = {o}")
    return lines[0] if lines[0] == lines[1] else f"rows: {lines[0]}; columns: {lines[1]}"


def _facts(settings: Settings, kernel: np.ndarray) -> tuple[Fact, ...]:
    size, made = picture_size(settings), output_size(settings)
    channels = 3 if settings["colour"] else 1
    inputs, outputs = size[0] * size[1], made[0] * made[1]
    work = outputs * kernel.size * channels
    total = float(kernel.sum())
    return (
        Fact("Result of the whole picture", size_text(made), _size_calculation(settings), "size",
             (float(made[0]), float(made[1]))),
        Fact("Weights", str(kernel.size), f"{kernel.shape[0]} · {kernel.shape[1]} = {kernel.size}", "count",
             (float(kernel.size),)),
        Fact("Sum of the weights", number_text(total), "what the kernel makes of an even area of brightness 1"),
        Fact("Multiply-adds", count_text(work),
             f"{outputs:,} pixels · {kernel.size} weights{' · 3 channels' if channels == 3 else ''} = {work:,}"),
        Fact("A dense matrix instead", f"{count_text(inputs * outputs)} weights",
             f"{inputs:,} inputs · {outputs:,} outputs = {inputs * outputs:,} a channel"),
    )  # fmt: skip


def _formula(settings: Settings, traced: Trace, kernel: np.ndarray) -> tuple[Letter, ...]:
    weights = Lit("kernel", tuple(range(kernel.size)))
    outputs = Lit("output", tuple(range(traced.target.size)))
    values = Lit("input", tuple(range(traced.source.size)))
    before = tuple(around[0] for around in pads(settings))
    made = output_size(settings)
    padding = f"p: pixels of padding above and left = {pair_text(before)}; 2p stands for both sides together"
    return (
        Letter("o", f"o: rows and columns of the whole result = {size_text(made)}", (outputs,)),
        Letter(" = ⌊("),
        Letter("n", f"n: rows and columns of the picture = {size_text(picture_size(settings))}", (values,)),
        Letter(" + 2"),
        Letter("p", padding),
        Letter(" − "),
        Letter("d", f"d: dilation = {pair_text(settings['dilation_rate'])}"),
        Letter("("),
        Letter("k", f"k: rows and columns of the kernel = {size_text(kernel.shape)}", (weights,)),
        Letter(" − 1) − 1)/"),
        Letter("s", f"s: stride = {pair_text(settings['strides'])}"),
        Letter("⌋ + 1"),
        LINE,
        Letter("y", "y: a pixel of the result", (outputs,)),
        Letter("[r, c] = Σᵢ Σⱼ "),
        Letter("w", "w: the weights", (weights,)),
        Letter("[i, j] · "),
        Letter("x", "x: the pixels, 0 to 255; 0 outside the picture", (values,)),
        Letter("[s·r + d·i − p, s·c + d·j − p]"),
    )


def _notes(settings: Settings, kernel: np.ndarray) -> tuple[str, ...]:
    notes = []
    total = float(kernel.sum())
    if scale_of(settings, kernel) == "picture" and total > 0 and abs(total - 1) > 0.01:
        notes.append(f"The weights add up to {number_text(total)}: the result is that many times as bright.")
    if settings["filter"] == "own" and has(settings["kernel"], kernels.DIFFERENCE) and kernel.size == 2:
        notes.append(
            "Two weights find upright edges. A picture of 280×320 (height × width) gives 280×319; as a dense matrix "
            "that takes 8,003,072,000 weights."
        )
    return tuple(notes)


def code(settings: Settings) -> Code:
    """Return the programs that compute the shown pixels of the result."""
    values, _, _ = patch(settings)
    kernel, strides, rates = kernel_of(settings), settings["strides"], settings["dilation_rate"]
    numbers = "# The pixels on the screen, padding included; a whole picture (h, w, c) goes the same way.\n"
    numbers += programs.array_text("x", values) + programs.array_text("kernel", kernel)
    clash = max(strides) > 1 and max(rates) > 1
    keras = programs.KERAS + "\n" + numbers + "\n"
    keras += "pictures = np.moveaxis(x, 2, 0)[..., None]  # each channel is a picture of its own\n"
    options = f", strides={strides}" * (max(strides) > 1 and not clash) + f", dilation_rate={rates}" * (max(rates) > 1)
    keras += f"layer = keras.layers.Conv2D(1, {kernel.shape}{options}, use_bias=False)\n"
    keras += "layer.build(pictures.shape)\nlayer.set_weights([kernel[..., None, None]])\n"
    keras += "output = keras.ops.convert_to_numpy(layer(pictures))\n"
    if clash:
        keras += "# Keras takes no stride together with a dilation: some positions are left out afterwards.\n"
        keras += f"output = output[:, ::{strides[0]}, ::{strides[1]}]\n"
    keras += "result = np.moveaxis(output[..., 0], 0, 2)\n"
    numpy = programs.NUMPY + "\nfrom explorer.convolution.fft import direct\n\n" + numbers + "\n"
    call = programs.call_text(
        "direct",
        "x",
        "kernel",
        strides=strides if max(strides) > 1 else None,
        dilation_rate=rates if max(rates) > 1 else None,
    )
    return Code(keras, numpy + f"result = {call}\n")


BACKGROUND = """
The same few weights go over every pixel. What they find is in their numbers: a kernel whose weights add up to 1 keeps
the brightness (blur, sharpen, emboss); one whose weights add up to 0 answers 0 to every even area and finds change
(edges, Sobel, Laplacian, Gabor).

**Gabor kernels** are waves under a bell, $e^{-(x'^2+γ^2y'^2)/2σ^2}\\cos(2πx'/λ+ψ)$, with $x', y'$ turned by $θ$.
Cells in the visual cortex answer like them, and so do many first-layer filters of trained networks.

**Direct or by FFT?** The convolution theorem turns a convolution into a product of spectra. Its price hardly depends
on the kernel's size: about $n^2 \\log n$ against $n^2k^2$. For the small kernels of today's networks direct is mostly
faster. Both give the same numbers up to rounding.

**Colours of the result.** Brightness is clipped to 0 to 255, and how many pixels that concerns is said. Signed results
are centred on 0, and the largest value of this result ends the scale.

*Sources:* V. Dumoulin, F. Visin, arXiv:1603.07285 (2016); J. G. Daugman, *JOSA A* 2 (1985); I. Goodfellow, Y. Bengio,
A. Courville, *Deep Learning*, section 9.2 (the edge with two weights); M. Mathieu, M. Henaff, Y. LeCun, “Fast training
of convolutional networks through FFTs”, ICLR 2014.
"""

SCENE = Scene(
    name="photo",
    title="On my photo",
    question="What does a small kernel make of a whole picture?",
    controls=CONTROLS,
    presets=PRESETS,
    impossible=impossible,
    build=build,
    code=code,
    background=BACKGROUND,
)
