"""Scene "Convolution": one kernel slides over one input, and ReLU and pooling follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.convolution import geometry, presets, programs
from explorer.convolution.formulas import (
    LINE,
    all_of,
    amounts,
    lit,
    size_calculation,
    size_text,
    window_letters,
)
from explorer.convolution.grids import fitted
from explorer.convolution.padding import padding_amounts
from explorer.convolution.scene import Code, Control, Preset, Scene, Settings
from explorer.convolution.scenes.parts import (
    ACTIVATIONS,
    PADDING_MODES,
    PADDINGS,
    by_row,
    count_text,
    has,
    kernel_board,
    shape_text,
    size_fact,
    source_board,
    target_board,
    too_much,
)
from explorer.convolution.stage import Board, Fact, Letter, Link, Stage
from explorer.convolution.sum_line import number_text
from explorer.convolution.tracing import Trace, trace

_POOLINGS = {"none": "None", "max": "Maximum", "average": "Average"}

CONTROLS = (
    Control("size", "Input", "pair", (6, 6), low=1, high=16, help="Rows and columns of the input."),
    Control("kernel_size", "Kernel", "pair", (3, 3), low=1, high=7, help="Rows and columns of the kernel."),
    Control(
        "padding",
        "Padding",
        "choice",
        "valid",
        options=PADDINGS,
        help="“same” pads so that, at stride 1, the output is as large as the input.",
    ),
    Control(
        "pad",
        "Cells of padding",
        "pair",
        (1, 1),
        low=0,
        high=12,
        help="Rows above and below × columns left and right.",
        shown=lambda settings: settings["padding"] == "explicit",
    ),
    Control("strides", "Stride", "pair", (1, 1), low=1, high=8, help="How many cells the window moves."),
    Control("dilation_rate", "Dilation", "pair", (1, 1), low=1, high=6, help="How far apart neighbouring weights are."),
    Control("bias", "Bias", "number", 0.0, low=-1000, high=1000, step=1, main=False, help="Added to every sum."),
    Control(
        "padding_mode",
        "Padded with",
        "choice",
        "zeros",
        options=PADDING_MODES,
        main=False,
        help="Keras' layer pads with zeros; the other ways are a step of their own before it.",
        shown=lambda settings: settings["padding"] != "valid",
    ),
    Control("activation", "Activation", "choice", "linear", options=ACTIVATIONS, main=False),
    Control("pooling", "Pooling behind", "choice", "none", options=_POOLINGS, main=False),
    Control(
        "pool_size",
        "Pooling window",
        "pair",
        (2, 2),
        low=1,
        high=4,
        main=False,
        shown=lambda settings: settings["pooling"] != "none",
    ),
    Control(
        "flip",
        "Flip the kernel",
        "switch",
        False,
        main=False,
        help="Mathematics' convolution turns the kernel by 180°; layers do not.",
    ),
    Control(
        "correlation",
        "Why does it score?",
        "switch",
        False,
        main=False,
        help="Shows the products of one window, and the cosine between each window and the kernel.",
    ),
    Control(
        "look_at",
        "Products of",
        "choice",
        "dot_product",
        options={"dot_product": "the largest output", "cosine": "the best match"},
        main=False,
        shown=lambda settings: settings["correlation"],
    ),
    Control("input", "the input", "grid", None, most=(16, 16)),
    Control("kernel", "the kernel", "grid", None, most=(7, 7)),
)

PRESETS = (
    Preset(
        "lecture_6x6",
        "6×6 → ReLU → pooling",
        {
            "input": presets.LECTURE_INPUT,
            "kernel": presets.LECTURE_KERNEL,
            "activation": "relu",
            "pooling": "max",
        },
    ),
    Preset("vertical_edge", "Vertical edge", {"input": presets.EDGE_INPUT, "kernel": presets.VERTICAL_EDGE}),
    Preset(
        "curve_match",
        "Curve detector: match",
        {
            "size": (7, 7),
            "kernel_size": (7, 7),
            "input": presets.CURVE_MATCH,
            "kernel": presets.CURVE,
            "correlation": True,
        },
    ),
    Preset(
        "curve_no_match",
        "Curve detector: no match",
        {
            "size": (7, 7),
            "kernel_size": (7, 7),
            "input": presets.CURVE_NO_MATCH,
            "kernel": presets.CURVE,
            "correlation": True,
        },
    ),
    Preset(
        "template_search",
        "Where is the cross?",
        {
            "size": (8, 8),
            "input": presets.SEARCH_INPUT,
            "kernel": presets.CROSS,
            "correlation": True,
            "look_at": "cosine",
        },
    ),
    Preset(
        "stride_2",
        "Stride 2",
        {"size": (7, 7), "strides": (2, 2), "input": presets.STRIDE_INPUT, "kernel": presets.STRIDE_KERNEL},
    ),
    Preset("same_padding", "“same” keeps the size", {"padding": "same"}),
    Preset("lopsided", "“same” with stride 2: lopsided", {"padding": "same", "strides": (2, 2)}),
    Preset("full_padding", "Full padding", {"size": (5, 5), "padding": "explicit", "pad": (2, 2)}),
    Preset("dilation_2", "Dilation 2", {"size": (7, 7), "dilation_rate": (2, 2)}),
    Preset(
        "impulse",
        "A single 1: the kernel turned round",
        {"size": (5, 5), "input": presets.IMPULSE, "kernel": presets.COUNTING_KERNEL},
    ),
    Preset(
        "true_convolution",
        "A single 1, kernel flipped",
        {"size": (5, 5), "input": presets.IMPULSE, "kernel": presets.COUNTING_KERNEL, "flip": True},
    ),
    Preset(
        "box_blur",
        "Box blur, edge repeated",
        {"padding": "same", "padding_mode": "edge", "kernel": np.full((3, 3), 1 / 9)},
    ),
    Preset("large", "16×16 with a 7×7 kernel", {"size": (16, 16), "kernel_size": (7, 7), "padding": "same"}),
)


def layer_padding(settings: Settings) -> Any:
    """Return the padding as the operations take it."""
    if settings["padding"] != "explicit":
        return settings["padding"]
    rows, columns = settings["pad"]
    return ((rows, rows), (columns, columns))


def pads(settings: Settings) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many cells are padded: rows before and after, columns before and after."""
    padding = layer_padding(settings)
    both = []
    for axis in (0, 1):
        here = padding if isinstance(padding, str) else padding[axis]
        size, kernel, stride, rate = (
            settings[name][axis] for name in ("size", "kernel_size", "strides", "dilation_rate")
        )
        both.append(padding_amounts(here, size, kernel, stride, rate))
    return both[0], both[1]


def impossible(settings: Settings) -> str | None:
    """Return the sentence why these settings cannot be, or None."""
    size, kernel_size, rates = settings["size"], settings["kernel_size"], settings["dilation_rate"]
    if settings["padding"] == "explicit":
        for amount, kernel, rate in zip(settings["pad"], kernel_size, rates, strict=True):
            if amount > rate * (kernel - 1):
                spanned = rate * (kernel - 1) + 1
                return (
                    f"with {amount} cells of padding a kernel that spans {spanned} "
                    f"{'cell' if spanned == 1 else 'cells'} would see nothing but padding"
                )
    why = geometry.refusal(size, kernel_size, layer_padding(settings), settings["strides"], rates)
    if why:
        return why
    padded, outputs = 1, 1
    for (before, after), n, k, s, d in zip(pads(settings), size, kernel_size, settings["strides"], rates, strict=True):
        if settings["padding_mode"] == "reflect" and max(before, after) >= n:
            return f"reflecting {max(before, after)} cells needs more than {max(before, after)}; the input has {n}"
        if settings["padding_mode"] == "circular" and max(before, after) > n:
            return f"wrapping {max(before, after)} cells round needs as many; the input has {n}"
        padded *= n + before + after
        outputs *= (n + before + after - d * (k - 1) - 1) // s + 1
    more = 1 + (settings["activation"] != "linear") + bool(settings["correlation"])
    area = kernel_size[0] * kernel_size[1]
    return too_much(outputs * area, padded + more * outputs + (2 + settings["flip"]) * area)


def grids_of(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of input `(h, w)` and kernel `(kh, kw)` at the sizes that are set."""
    return (
        fitted(settings["input"], presets.default_picture(*settings["size"])),
        fitted(settings["kernel"], presets.default_kernel(*settings["kernel_size"])),
    )


def _fits_pool(settings: Settings, output: tuple[int, ...]) -> bool:
    return settings["pooling"] != "none" and all(
        window <= size for window, size in zip(settings["pool_size"], output, strict=False)
    )


def build(settings: Settings) -> Stage:
    """Return the stage: input, kernel, output, and what follows from the output."""
    picture, kernel = grids_of(settings)
    strides, rates = settings["strides"], settings["dilation_rate"]
    convolved = trace(
        "conv2d",
        picture[..., None],
        kernel[..., None, None],
        np.array([settings["bias"]], dtype=np.float64),
        strides=strides,
        padding=layer_padding(settings),
        padding_mode=settings["padding_mode"],
        dilation_rate=rates,
        flip=settings["flip"],
    )
    assert convolved.weights is not None
    weights = "flipped" if settings["flip"] else "kernel"
    boards = [source_board(convolved, "input", "Input", editable=True)]
    if settings["flip"]:
        boards.append(kernel_board("kernel", "Kernel", kernel, editable=True, shaded=False))
        boards.append(kernel_board("flipped", "Flipped kernel", convolved.weights))
    else:
        boards.append(kernel_board("kernel", "Kernel", kernel, editable=True))
    boards.append(target_board(convolved, "output", "Output"))
    rows = [tuple(board.name for board in boards)]
    links = [
        Link(
            convolved, "input", "output", weights, "convolution, kernel flipped" if settings["flip"] else "convolution"
        )
    ]
    notes: list[str] = []
    facts = _facts(settings, convolved, kernel)
    chain: list[str] = []
    behind = convolved.target
    if settings["activation"] != "linear":
        word = ACTIVATIONS[settings["activation"]]
        activated = trace("activation", behind, activation=settings["activation"])
        boards.append(target_board(activated, "activated", f"After {word}"))
        links.append(Link(activated, "output", "activated", None, word))
        chain.append("activated")
        behind = activated.target
    if _fits_pool(settings, behind.shape):
        rule = settings["pooling"]
        pooled = trace("pool2d", behind, pool_size=settings["pool_size"], rule=rule)
        boards.append(target_board(pooled, "pooled", f"{'Max' if rule == 'max' else 'Average'} pooled"))
        links.append(Link(pooled, links[-1].target, "pooled", None, f"{rule} pooling"))
        chain.append("pooled")
    elif settings["pooling"] != "none":
        notes.append(
            f"Nothing is pooled: the output has {shape_text(behind)} cells, fewer than a window of "
            f"{size_text(settings['pool_size'])}."
        )
    if chain:
        rows.append(tuple(chain))
    if settings["correlation"]:
        boards, row, more, words = _with_correlation(settings, boards, convolved)
        rows.append(row)
        links.append(more)
        facts += words
    return Stage(
        boards=tuple(boards),
        links=tuple(links),
        rows=tuple(rows),
        steps=by_row(convolved),
        result="output",
        formula=_formula(settings, convolved, weights),
        facts=tuple(facts),
        notes=(*notes, *_notes(settings, picture, kernel, convolved)),
    )


def _facts(settings: Settings, convolved: Trace, kernel: np.ndarray) -> list[Fact]:
    kernel_size, strides, rates = settings["kernel_size"], settings["strides"], settings["dilation_rate"]
    outputs, inputs = convolved.target.size, settings["size"][0] * settings["size"][1]
    outputs_text = f"{outputs} {'output' if outputs == 1 else 'outputs'}"
    facts = [
        size_fact(convolved, size_calculation(convolved, kernel_size, strides, rates)),
        Fact(
            "Weights and one bias",
            str(kernel.size + 1),
            f"{kernel_size[0]} · {kernel_size[1]} + 1 = {kernel.size + 1}",
            "count",
            (float(kernel.size + 1),),
        ),
        Fact(
            "Multiply-adds",
            count_text(outputs * kernel.size),
            f"{outputs_text} · {kernel.size} {'weight' if kernel.size == 1 else 'weights'} = {outputs * kernel.size:,}",
        ),
        Fact(
            "A dense layer instead",
            f"{count_text(outputs * inputs + outputs)} parameters",
            f"{inputs} inputs · {outputs_text} + {outputs} biases = {outputs * inputs + outputs:,}",
        ),
    ]
    if max(rates) > 1:
        spans = [d * (k - 1) + 1 for k, d in zip(kernel_size, rates, strict=True)]
        facts.append(Fact("The kernel spans", size_text(spans), f"d(k − 1) + 1, with {kernel.size} weights still"))
    return facts


def _with_correlation(
    settings: Settings, boards: list[Board], convolved: Trace
) -> tuple[list[Board], tuple[str, ...], Link, list[Fact]]:
    """Add the cosine of every window and the products of one, and say why that one scores as it does."""
    assert convolved.weights is not None
    scores = np.add.reduceat(convolved.source.reshape(-1)[convolved.sources] * convolved.factors, convolved.starts[:-1])
    windows = np.sqrt(np.add.reduceat(convolved.source.reshape(-1)[convolved.sources] ** 2, convolved.starts[:-1]))
    length = float(np.linalg.norm(convolved.weights))
    with np.errstate(invalid="ignore", divide="ignore"):
        # An empty window has no direction, and so no angle to the kernel.
        cosines = np.where(windows * length > 0, scores / (windows * length), np.nan)
    by_cosine = settings["look_at"] == "cosine" and bool(np.isfinite(cosines).any())
    best = int(np.nanargmax(cosines) if by_cosine else scores.argmax())
    row, column, _ = (int(part) for part in np.unravel_index(best, convolved.target.shape))
    here = slice(int(convolved.starts[best]), int(convolved.starts[best + 1]))
    sources, cells, factors = convolved.sources[here], convolved.weight_cells[here], convolved.factors[here]
    values = (convolved.source.reshape(-1)[sources] * factors).reshape(*settings["kernel_size"], 1)
    products = replace(
        convolved,
        bias=None,
        before=values,
        target=values,
        starts=np.arange(values.size + 1, dtype=np.int32),
        sources=sources,
        weight_cells=cells,
        factors=factors,
        decided=np.full(values.size, -1, dtype=np.int32),
    )
    which = "best match" if by_cosine else "largest output"
    mark = np.zeros(convolved.target.shape, dtype=bool)
    mark.reshape(-1)[best] = True
    boards = [
        replace(board, marked=mark, mark_words=f"the {which}") if board.name == "output" else board for board in boards
    ]
    boards.append(target_board(products, "products", f"Products at row {row + 1}, column {column + 1} ({which}),"))
    boards.append(
        Board(
            "cosine",
            f"Cosine with the kernel {shape_text(convolved.target)}",
            "output",
            cosines.reshape(convolved.target.shape),
            stands_for="output",
        )
    )
    score, norm = float(scores[best]), float(windows[best])
    cosine = float(cosines[best])
    facts = [
        Fact(
            f"Dot product at the {which}",
            number_text(score),
            f"{np.count_nonzero(values)} of {values.size} products are not 0",
        ),
        Fact(
            "Length of window and kernel",
            f"{number_text(norm)} and {number_text(length)}",
            "the root of the sum of squares",
        ),
        Fact(
            "Cosine of the angle between them",
            "none" if np.isnan(cosine) else number_text(cosine),
            f"{number_text(score)} / ({number_text(norm)} · {number_text(length)})",
        ),
    ]
    weights = "flipped" if settings["flip"] else "kernel"
    return boards, ("products", "cosine"), Link(products, "input", "products", weights, "products"), facts


def _formula(settings: Settings, convolved: Trace, weights: str) -> tuple[Letter, ...]:
    letters = window_letters(
        convolved,
        settings["kernel_size"],
        settings["strides"],
        settings["dilation_rate"],
        source="input",
        target="output",
        kernel=weights,
    )
    assert convolved.weights is not None
    own = lit("input", convolved.own)
    kernel = all_of(weights, convolved.weights)
    bias = settings["bias"]
    return (
        *letters,
        LINE,
        Letter("y", "y: the output", all_of("output", convolved.target)),
        Letter("[r, c] = "),
        Letter("b", f"b: the bias = {number_text(bias)}"),
        Letter(" + Σᵢ Σⱼ "),
        Letter("w", "w: the weights" + (", turned by 180°" if settings["flip"] else ""), kernel),
        Letter("[i, j] · "),
        Letter("x", "x: the input; 0 or what it is padded with outside", own),
        Letter("[s·r + d·i − p, s·c + d·j − p]"),
    )


def _shows_kernel(settings: Settings, convolved: Trace) -> bool:
    """Return whether the output shows each weight once, beneath a single 1, and side by side as in the kernel."""
    ones = np.flatnonzero(convolved.source)
    weights = settings["kernel_size"][0] * settings["kernel_size"][1]
    side_by_side = max(settings["strides"]) == max(settings["dilation_rate"]) == 1 and not settings["bias"]
    return bool(side_by_side and ones.size == 1 and np.count_nonzero(convolved.sources == ones[0]) == weights)


def _notes(settings: Settings, picture: np.ndarray, kernel: np.ndarray, convolved: Trace) -> list[str]:
    notes = []
    plain = (
        settings["padding"] == "valid"
        and max(settings["dilation_rate"]) == 1
        and not settings["bias"]
        and not settings["flip"]
    )
    strides = settings["strides"]
    step_by_step = plain and strides == (1, 1)
    if has(picture, presets.LECTURE_INPUT) and has(kernel, presets.LECTURE_KERNEL) and step_by_step:
        notes.append(
            "Some slides print this input transposed, and some have 175 in its last corner, which makes the last "
            "output 37.5 instead of 36.5."
        )
    if has(picture, presets.STRIDE_INPUT) and has(kernel, presets.STRIDE_KERNEL) and plain and strides == (2, 2):
        notes.append("A well-known slide prints 83 and 127 in this output; the sums give 88 and 117.")
    if has(kernel, presets.CURVE) and step_by_step:
        if has(picture, presets.CURVE_MATCH):
            notes.append(
                "Wherever the kernel has a 30, this patch has a 50 or a 20 beneath all but one: large products of the "
                "same sign add up to 6600. A layer's weights say what it looks for."
            )
        elif has(picture, presets.CURVE_NO_MATCH):
            notes.append(
                "This patch is bright too, but nowhere beneath the curve: every product is 0. "
                "The angle between patch and kernel is 90°."
            )
    search = has(picture, presets.SEARCH_INPUT) and has(kernel, presets.CROSS)
    if search and step_by_step and settings["correlation"]:
        notes.append(
            "The dot product is largest on the bright square, which is no cross: it rewards brightness as well as "
            "shape. The cosine divides by both lengths and is 1 on the cross alone."
        )
    if has(picture, presets.IMPULSE) and _shows_kernel(settings, convolved):
        notes.append(
            "A single 1 shows the flipped convolution's kernel upright."
            if settings["flip"]
            else "A layer does not flip its kernel (a correlation), so a single 1 shows the kernel turned by 180°."
        )
    (top, bottom), (left, right) = amounts(convolved)
    if settings["padding"] == "same" and (top != bottom or left != right):
        both = f"({bottom}, {right})" if bottom != right else str(bottom)
        below = " and ".join(["below"] * (top != bottom) + ["to the right"] * (left != right))
        earlier = " and ".join(["up"] * (top != bottom) + ["to the left"] * (left != right))
        notes.append(
            f"“same” is TensorFlow's: an odd cell of padding goes {below}. PyTorch's padding={both} would put as many "
            f"on both sides: its windows begin one cell further {earlier} and read other cells."
        )
    if max(settings["strides"]) > 1:
        unread = np.setdiff1d(np.flatnonzero(convolved.own), convolved.sources)
        if unread.size:
            notes.append(f"{unread.size} of the input's cells are read by no window.")
    if max(settings["strides"]) > 1 and max(settings["dilation_rate"]) > 1:
        notes.append("Keras' layer refuses a stride together with a dilation; the shown code skips cells afterwards.")
    if settings["kernel_size"] == settings["size"] and settings["padding"] == "valid":
        notes.append("A kernel as large as its input is one neuron of a dense layer.")
    return notes


def code(settings: Settings) -> Code:
    """Return the programs that compute the output and what follows from it."""
    picture, kernel = grids_of(settings)
    numbers = (
        programs.array_text("x", picture[..., None])
        + programs.array_text("kernel", kernel[..., None, None])
        + programs.array_text("bias", np.array([settings["bias"]]))
    )
    strides, rates = settings["strides"], settings["dilation_rate"]
    pooled = _fits_pool(settings, _output_shape(settings))
    activation = settings["activation"]
    keras = programs.KERAS + "\n" + numbers
    if settings["flip"]:
        keras += "kernel = kernel[::-1, ::-1]  # Keras' layer does not flip it\n"
    keras += "\n" + programs.keras_convolution(
        "Conv2D",
        1,
        kernel_size=settings["kernel_size"],
        strides=strides,
        padding=layer_padding(settings),
        same_pads=pads(settings),
        padding_mode=settings["padding_mode"],
        dilation_rate=rates,
    )
    behind = "output"
    if activation != "linear":
        keras += f'activated = keras.layers.Activation("{activation}")(output)\n'
        behind = "activated"
    if pooled:
        layer = "MaxPooling2D" if settings["pooling"] == "max" else "AveragePooling2D"
        keras += f"pooled = keras.layers.{layer}({settings['pool_size']})({behind})\n"
    keras += programs.KERAS_RESULT
    names = ["conv2d"] + ["pool2d"] * pooled
    if activation != "linear":
        names.insert(0, "apply_activation")
    numpy = programs.NUMPY + f"\nfrom explorer.convolution.operations import {', '.join(names)}\n\n" + numbers + "\n"
    numpy += (
        "output = "
        + programs.call_text(
            "conv2d",
            "x",
            "kernel",
            "bias",
            strides=strides,
            padding=layer_padding(settings),
            padding_mode=settings["padding_mode"] if settings["padding_mode"] != "zeros" else None,
            dilation_rate=rates if max(rates) > 1 else None,
            flip=settings["flip"] or None,
        )
        + "\n"
    )
    if activation != "linear":
        numpy += f'activated = apply_activation("{activation}", output)\n'
    if pooled:
        numpy += f'pooled = pool2d({behind}, {settings["pool_size"]}, rule="{settings["pooling"]}")\n'
    return Code(keras, numpy + "result = output\n")


def _output_shape(settings: Settings) -> tuple[int, int]:
    first, second = (
        (n + sum(amount) - d * (k - 1) - 1) // s + 1
        for n, amount, k, s, d in zip(
            settings["size"],
            pads(settings),
            settings["kernel_size"],
            settings["strides"],
            settings["dilation_rate"],
            strict=True,
        )
    )
    return first, second


BACKGROUND = """
A kernel of $k × k$ weights slides over the input. At each place every weight is multiplied with the cell beneath it;
the sum of the products and a bias is one output. All places share the same weights (*weight sharing*), and each output
sees only $k × k$ inputs (*local connectivity*).

$$o = \\left\\lfloor \\frac{n + 2p - d(k-1) - 1}{s} \\right\\rfloor + 1$$

with input size $n$, kernel size $k$, padding $p$ on each side, stride $s$ and dilation $d$. A dilated kernel spans
$d(k-1)+1$ cells with no more weights.

**Correlation or convolution?** In mathematics a convolution turns the kernel by 180° before it slides. Layers do not
turn it; what they compute is a cross-correlation. As the weights are learned, both can compute the same.

**Why it scores.** The sum is the dot product of window and kernel, seen as two long vectors:
$x · w = |x|\\,|w| \\cos α$. It is large where the window is bright *and* looks like the kernel ($α$ small), 0 where the
two have nothing in common (a right angle), negative where the window looks like the kernel's negative.

**Padding.** `valid` adds none. `same` adds $\\max((⌈n/s⌉-1)s + d(k-1)+1-n,\\ 0)$ cells, the odd one below or to the
right. Full padding, $p = d(k-1)$, is the most that makes sense: every output then sees at least one cell of the input.

*Sources:* V. Dumoulin, F. Visin, “A guide to convolution arithmetic for deep learning”, arXiv:1603.07285 (2016);
I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, ch. 9 (2016);
F. Yu, V. Koltun, “Multi-scale context aggregation by dilated convolutions”, ICLR 2016.
"""

SCENE = Scene(
    name="convolution",
    title="Convolution",
    question="What does one kernel make of its input, cell by cell?",
    controls=CONTROLS,
    presets=PRESETS,
    impossible=impossible,
    build=build,
    code=code,
    background=BACKGROUND,
)
