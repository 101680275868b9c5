"""Scene "Transposed": each input stamps the kernel, or a convolution slides over the zero-stuffed input."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.convolution import geometry, presets, programs
from explorer.convolution.formulas import LINE, all_of, lit, pair_text, size_text
from explorer.convolution.grids import fitted
from explorer.convolution.matrix import matrix
from explorer.convolution.scene import Code, Control, Preset, Scene, Settings
from explorer.convolution.scenes.parts import (
    by_row,
    count_text,
    has,
    kernel_board,
    single_terms,
    size_fact,
    source_board,
    target_board,
    too_much,
)
from explorer.convolution.stage import Board, Fact, Letter, Link, Lit, Matrix, Stage, Steps
from explorer.convolution.tracing import Trace, trace

_VIEWS = {"scatter": "stamps of the kernel", "zeros": "convolution over inserted zeros"}
_PADDINGS = {"valid": "none (valid)", "same": "same", "explicit": "a number"}
_MATRIX_CELLS = 500
_SIDE = 24


def _explicit(settings: Settings) -> bool:
    return bool(settings["padding"] == "explicit")


CONTROLS = (
    Control("view", "Seen as", "choice", "scatter", options=_VIEWS, help="Two ways to compute the same numbers."),
    Control("size", "Input", "pair", (2, 2), low=1, high=8, help="Rows and columns of the input."),
    Control("kernel_size", "Kernel", "pair", (3, 3), low=1, high=5, help="Rows and columns of the kernel."),
    Control(
        "strides",
        "Stride s",
        "pair",
        (2, 2),
        low=1,
        high=4,
        help="Of the ordinary convolution that this one transposes: how far apart two stamps are.",
    ),
    Control(
        "padding",
        "Padding p",
        "choice",
        "valid",
        options=_PADDINGS,
        help="Of the ordinary convolution: here it cuts cells off the output.",
    ),
    Control(
        "pad",
        "Cells of padding p",
        "pair",
        (1, 1),
        low=0,
        high=12,
        help="Of the ordinary convolution, rows × columns: so many are cut off on each side of the output.",
        shown=_explicit,
    ),
    Control(
        "output_padding",
        "Output padding a",
        "pair",
        (0, 0),
        low=0,
        high=3,
        main=False,
        help="Rows and columns more at the end: several output sizes belong to one input size if s > 1.",
        shown=_explicit,
    ),
    Control(
        "dilation_rate",
        "Dilation d",
        "pair",
        (1, 1),
        low=1,
        high=3,
        main=False,
        help="The same for both convolutions.",
    ),
    Control("bias", "Bias", "number", 0.0, low=-1000, high=1000, step=1, main=False, help="Added to every output."),
    Control(
        "matrix",
        "Show the matrices",
        "switch",
        False,
        main=False,
        help="The ordinary convolution as a matrix C, and its transpose, which this layer multiplies with.",
        shown=lambda settings: settings["view"] == "scatter",
    ),
    Control("input", "the input", "grid", None, most=(8, 8)),
    Control("kernel", "the kernel", "grid", None, most=(5, 5)),
)

_COUNTING = {"input": presets.grid("1 2 / 3 4"), "kernel": presets.COUNTING_KERNEL}
_ONES = {"input": np.ones((8, 8)), "kernel": np.ones((5, 5))}

PRESETS = (
    Preset("stamps", "Four stamps, stride 2", {**_COUNTING, "matrix": True}),
    Preset("stamps_zeros", "The same over inserted zeros", {**_COUNTING, "view": "zeros"}),
    Preset("checkerboard", "Checkerboard: 3×3, stride 2", {**_ONES, "size": (4, 4)}),
    Preset("even_overlap", "No checkerboard: 4×4, stride 2", {**_ONES, "size": (4, 4), "kernel_size": (4, 4)}),
    Preset("no_padding", "p = 0, s = 1: full padding", {"strides": (1, 1), "view": "zeros", **_COUNTING}),
    Preset(
        "padded_strided",
        "p = 1, s = 2",
        {"size": (3, 3), "padding": "explicit", "pad": (1, 1), "view": "zeros"},
    ),
    Preset(
        "odd_size",
        "p = 1, s = 2, output padding 1",
        {"size": (3, 3), "padding": "explicit", "pad": (1, 1), "output_padding": (1, 1), "view": "zeros"},
    ),
    Preset("same_doubles", "“same” with stride 2 doubles", {"size": (3, 3), "padding": "same"}),
    Preset(
        "bilinear",
        "Bilinear enlargement",
        {
            "size": (3, 3),
            "padding": "explicit",
            "pad": (1, 1),
            "input": presets.grid("0 4 8 / 4 8 12 / 8 12 16"),
            "kernel": presets.grid(".25 .5 .25 / .5 1 .5 / .25 .5 .25"),
        },
    ),
    Preset("gaps", "Kernel smaller than the stride", {"size": (3, 3), "kernel_size": (2, 2), "strides": (3, 3)}),
)


def _axis(settings: Settings, axis: int) -> tuple[int, int, int, int]:
    """Return along one axis: output size, cells cut off in front and behind, cells added at the end."""
    n, k, s, d = (settings[name][axis] for name in ("size", "kernel_size", "strides", "dilation_rate"))
    whole, span = s * (n - 1) + d * (k - 1) + 1, d * (k - 1) + 1
    if settings["padding"] == "valid":
        # Keras: never less than s · n.
        return max(whole, s * n), 0, 0, max(s - span, 0)
    if settings["padding"] == "same":
        cut = max(span - s, 0)
        return s * n, cut // 2, cut - cut // 2, max(s - span, 0)
    p, a = settings["pad"][axis], settings["output_padding"][axis]
    return whole - 2 * p + a, p, p, a


def impossible(settings: Settings) -> str | None:
    """Return the sentence why these settings cannot be, or None."""
    arguments = _arguments(settings)
    why = geometry.refusal(
        settings["size"],
        settings["kernel_size"],
        arguments["padding"],
        settings["strides"],
        settings["dilation_rate"],
        transposed=True,
        output_padding=arguments["output_padding"],
    )
    if why:
        return why
    outputs, stuffed = 1, 1
    for axis, word in enumerate(("rows", "columns")):
        n, k, s, d = (settings[name][axis] for name in ("size", "kernel_size", "strides", "dilation_rate"))
        span = d * (k - 1) + 1
        if settings["padding"] == "explicit":
            p = settings["pad"][axis]
            if p > span - 1:
                return (
                    f"p = {p} leaves less than no zeros around: p′ = d(k − 1) − p = {span - 1} − {p} would be negative"
                )
        output = _axis(settings, axis)[0]
        if output > _SIDE:
            return f"the output would have {output} {word}; the stage shows {_SIDE} at most"
        outputs *= output
        stuffed *= output + span - 1
    area = settings["kernel_size"][0] * settings["kernel_size"][1]
    inputs = settings["size"][0] * settings["size"][1]
    if settings["view"] == "zeros":
        return too_much(outputs * area, inputs + stuffed + 2 * outputs + 2 * area)
    return too_much(inputs * area, inputs + 2 * outputs + area)


def grids_of(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of input `(h, w)` and kernel `(kh, kw)` at the sizes that are set."""
    rows, columns = settings["kernel_size"]
    counting = np.arange(1.0, rows * columns + 1).reshape(rows, columns)
    height, width = settings["size"]
    numbers = np.arange(height * width).reshape(height, width) % 9 + 1.0
    return fitted(settings["input"], numbers), fitted(settings["kernel"], counting)


def _arguments(settings: Settings) -> dict[str, Any]:
    """Return the arguments of the operation."""
    padding: Any = settings["padding"]
    if _explicit(settings):
        padding = tuple((part, part) for part in settings["pad"])
    return {
        "strides": settings["strides"],
        "padding": padding,
        "output_padding": tuple(settings["output_padding"]) if _explicit(settings) else None,
        "dilation_rate": settings["dilation_rate"],
    }


def build(settings: Settings) -> Stage:
    """Return the stage in one of its two views."""
    picture, kernel = grids_of(settings)

    def traced(view: str) -> Trace:
        return trace(
            "conv2d_transpose",
            picture[..., None],
            kernel[..., None, None],
            np.array([settings["bias"]], dtype=np.float64),
            view=view,
            **_arguments(settings),
        )

    scatter = traced("scatter")
    overlap = np.diff(scatter.starts).astype(np.float64).reshape(scatter.target.shape)
    overlap_board = Board(
        "overlap",
        f"Stamps on each cell {size_text(overlap.shape[:2])}",
        "output",
        overlap,
        stands_for="output",
    )
    input_board = source_board(scatter, "input", "Input", editable=True)
    matrices: tuple[Matrix, ...] = ()
    notes: list[str] = []
    if settings["view"] == "zeros":
        zeros = traced("zeros")
        assert zeros.weights is not None
        boards, links, rows = _stuffed(input_board, scatter, zeros, kernel)
        rows = (*rows, ("overlap",))
        boards = (*boards, overlap_board)
        steps = by_row(zeros)
        formula = _zeros_formula(settings, zeros)
    else:
        boards = (
            input_board,
            kernel_board("kernel", "Kernel", kernel, editable=True),
            target_board(scatter, "output", "Output"),
            overlap_board,
        )
        links = (Link(scatter, "input", "output", "kernel", "transposed convolution"),)
        rows = (("input", "kernel", "output", "overlap"),)
        width = scatter.source.shape[1]
        steps = Steps(
            0,
            "source",
            np.arange(scatter.source.size, dtype=np.int32),
            tuple((row * width, f"row {row + 1}") for row in range(scatter.source.shape[0])),
        )
        formula = _scatter_formula(settings, scatter)
        cells = scatter.source.size * scatter.target.size
        if settings["matrix"] and cells <= _MATRIX_CELLS:
            more, matrices = _matrices(scatter)
            boards, rows = (*boards, *more), (*rows, tuple(board.name for board in more))
        elif settings["matrix"]:
            notes.append(
                f"The matrices would have {cells:,} cells each; they are drawn up to {_MATRIX_CELLS}: "
                "choose a smaller input or kernel."
            )
    return Stage(
        boards=boards,
        links=links,
        rows=rows,
        steps=steps,
        result="output",
        matrices=matrices,
        formula=formula,
        facts=_facts(settings, scatter, overlap),
        notes=(*notes, *_notes(settings, picture, kernel, scatter, overlap)),
    )


def _stuffed(
    input_board: Board, scatter: Trace, zeros: Trace, kernel: np.ndarray
) -> tuple[tuple[Board, ...], tuple[Link, ...], tuple[tuple[str, ...], ...]]:
    """Return boards, links and rows of the convolution over inserted zeros."""
    assert zeros.weights is not None
    height, width, _ = zeros.source.shape
    # Where the input's cells stand among the zeros; one at the far end can be cut off.
    rows, columns = (np.flatnonzero(zeros.own.any(axis=axis)) for axis in (1, 0))
    places = (rows[:, None] * width + columns[None, :]).reshape(-1)
    from_rows = (rows + zeros.first[0]) // zeros.every[0]
    from_columns = (columns + zeros.first[1]) // zeros.every[1]
    came_from = (from_rows[:, None] * scatter.source.shape[1] + from_columns[None, :]).reshape(-1)
    stuffing = single_terms(scatter.source, scatter.own, (height, width, 1), places, came_from)
    stuffed = Board(
        "stuffed",
        f"Input with zeros {height} × {width}",
        "input",
        zeros.source,
        own=zeros.own,
        first=zeros.first,
        every=zeros.every,
    )
    boards = (
        input_board,
        kernel_board("kernel", "Kernel", kernel, editable=True, shaded=False),
        stuffed,
        kernel_board("flipped", "Flipped kernel", zeros.weights),
        target_board(zeros, "output", "Output"),
    )
    links = (
        Link(zeros, "stuffed", "output", "flipped", "convolution over inserted zeros"),
        Link(stuffing, "input", "stuffed", None, "zeros inserted"),
    )
    return boards, links, (("input", "kernel"), ("stuffed", "flipped", "output"))


def _matrices(scatter: Trace) -> tuple[tuple[Board, ...], tuple[Matrix, ...]]:
    dense = np.asarray(matrix(scatter).toarray(), dtype=np.float64)
    targets, sources = dense.shape
    boards = (
        Board(
            "matrix",
            f"C, the ordinary convolution {sources} × {targets}",
            "weight",
            np.ascontiguousarray(dense.T)[..., None],
            small=True,
        ),
        Board("transpose", f"Cᵀ, this layer {targets} × {sources}", "weight", dense[..., None], small=True),
    )
    return boards, (Matrix("matrix", 0, transposed=True), Matrix("transpose", 0))


def _equivalent(settings: Settings) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return p′, the zeros around the stuffed input: rows before and after, columns before and after."""
    around = []
    for axis in (0, 1):
        n, k, s, d = (settings[name][axis] for name in ("size", "kernel_size", "strides", "dilation_rate"))
        output, before, _, _ = _axis(settings, axis)
        front = d * (k - 1) - before
        around.append((front, output + d * (k - 1) - front - (s * (n - 1) + 1)))
    return around[0], around[1]


def _sides_text(sides: tuple[tuple[int, int], tuple[int, int]]) -> str:
    if sides[0] == sides[1]:
        before, after = sides[0]
        return str(before) if before == after else f"{before} in front, {after} behind"
    (top, bottom), (left, right) = sides
    return f"{top} above, {bottom} below, {left} left, {right} right"


def _cut(settings: Settings) -> tuple[tuple[int, int], tuple[int, int]]:
    rows, columns = _axis(settings, 0), _axis(settings, 1)
    return (rows[1], rows[2]), (columns[1], columns[2])


def _facts(settings: Settings, scatter: Trace, overlap: np.ndarray) -> tuple[Fact, ...]:
    kernel_size, strides, rates = settings["kernel_size"], settings["strides"], settings["dilation_rate"]
    area = kernel_size[0] * kernel_size[1]
    zeros = tuple(s - 1 for s in strides)
    cut = _cut(settings)
    around = _equivalent(settings)
    inputs, outputs = scatter.source.size, scatter.target.size
    return (
        size_fact(scatter, _calculation(settings)),
        Fact(
            "Weights and one bias",
            str(area + 1),
            f"{kernel_size[0]} · {kernel_size[1]} + 1 = {area + 1}",
            "count",
            (float(area + 1),),
        ),
        Fact("Stride of the ordinary convolution", f"s = {pair_text(strides)}", "how far apart the stamps are"),
        Fact("Padding of the ordinary convolution", f"p = {_sides_text(cut)}", "cut off the output's sides here"),
        Fact("Stride of the equivalent convolution", "s′ = 1", "it slides over the input with zeros"),
        Fact("Zeros between two cells", f"z = {pair_text(zeros)}", f"s − 1 = {pair_text(strides)} − 1"),
        Fact(
            "Padding of the equivalent convolution",
            f"p′ = {_sides_text(around)}",
            "d(k − 1) − p = "
            + pair_text([d * (k - 1) for k, d in zip(kernel_size, rates, strict=True)])
            + f" − {_sides_text(cut)}"
            + ("; more behind for the output padding" if any(_axis(settings, axis)[3] for axis in (0, 1)) else ""),
        ),
        Fact(
            "The ordinary convolution goes back",
            f"{size_text(scatter.target.shape[:2])} → {size_text(scatter.source.shape[:2])}",
            "in size; the numbers are not restored",
        ),
        Fact(
            "Multiply-adds",
            f"{count_text(int(scatter.sources.size))} as stamps",
            f"{count_text(outputs * area)} over inserted zeros, most of them times 0; "
            f"{inputs} inputs · {area} weights without what is cut off",
        ),
        Fact("Stamps on a cell", _range_text(overlap), "even away from the border" if _even(settings) else _uneven(
            settings)),
    )  # fmt: skip


def _range_text(overlap: np.ndarray) -> str:
    low, high = int(overlap.min()), int(overlap.max())
    return str(low) if low == high else f"{low} to {high}"


def _even(settings: Settings) -> bool:
    """Return whether cells away from the border get the same number of stamps each."""
    for k, s, d in zip(settings["kernel_size"], settings["strides"], settings["dilation_rate"], strict=True):
        counts = np.bincount(d * np.arange(k) % s, minlength=s)
        if counts.min() != counts.max():
            return False
    return True


def _uneven(settings: Settings) -> str:
    for k, s, d in zip(settings["kernel_size"], settings["strides"], settings["dilation_rate"], strict=True):
        if k % s:
            return f"uneven: a kernel of {k} is no multiple of the stride {s}"
        if d > 1 and s > 1:
            return f"uneven: with dilation {d} the stride {s} meets only some of the weights"
    return "uneven"


def _calculation(settings: Settings) -> str:
    lines = []
    for axis, word in enumerate(("rows", "columns")):
        n, k, s, d = (settings[name][axis] for name in ("size", "kernel_size", "strides", "dilation_rate"))
        output, before, after, more = _axis(settings, axis)
        text = f"{s}·({n} − 1) + {f'{d}·' if max(settings['dilation_rate']) > 1 else ''}({k} − 1) + 1"
        text += f" − {before + after}" if before + after else ""
        text += f" + {more}" if more else ""
        lines.append((word, f"{text} = {output}"))
    if lines[0][1] == lines[1][1]:
        return lines[0][1]
    return "; ".join(f"{word}: {text}" for word, text in lines)


def _scatter_formula(settings: Settings, scatter: Trace) -> tuple[Letter, ...]:
    height, width, _ = scatter.target.shape
    (top, _), (left, _) = _cut(settings)
    strides, rates = settings["strides"], settings["dilation_rate"]
    spans = [d * (k - 1) + 1 for k, d in zip(settings["kernel_size"], rates, strict=True)]
    stamp = np.zeros((height, width), dtype=bool)
    stamp[: max(0, spans[0] - top), : max(0, spans[1] - left)] = True
    reached = np.zeros(scatter.target.size, dtype=bool)
    reached[np.repeat(np.arange(scatter.target.size), np.diff(scatter.starts))[scatter.sources == 0]] = True
    gaps = stamp & ~reached.reshape(height, width)
    # The first stamp's cells in front of the second stamp are the stride, drawn.
    moved = np.zeros((height, width), dtype=bool)
    if scatter.source.shape[1] > 1:
        moved[: max(0, spans[0] - top), : max(0, strides[1] - left)] = True
    assert scatter.weights is not None
    more = [_axis(settings, axis)[3] for axis in (0, 1)]
    added = lit("output", _added(settings, scatter))
    o = all_of("output", scatter.target)
    return (
        Letter("o", f"o: rows and columns of the output = {size_text((height, width))}", o),
        Letter(" = "),
        Letter("s", f"s: stride of the ordinary convolution = {pair_text(strides)}", lit("output", moved)),
        Letter("("),
        Letter("n", f"n: rows and columns of the input = {size_text(settings['size'])}", lit("input", scatter.own)),
        Letter(" − 1) + "),
        Letter("d", f"d: dilation of both = {pair_text(rates)}", lit("output", gaps)),
        Letter("("),
        Letter(
            "k",
            f"k: rows and columns of the kernel = {size_text(settings['kernel_size'])}",
            all_of("kernel", scatter.weights),
        ),
        Letter(" − 1) + 1 − 2"),
        Letter("p", f"p: padding of the ordinary convolution, cut off here = {_sides_text(_cut(settings))}"),
        Letter(" + "),
        Letter("a", f"a: rows and columns added at the end = {pair_text(more)}", added),
        LINE,
        Letter("y", "y: the output", o),
        Letter("[s·i + d·u − p, s·j + d·v − p] += "),
        Letter("x", "x: the input", lit("input", scatter.own)),
        Letter("[i, j] · "),
        Letter("w", "w: the weights, not flipped", all_of("kernel", scatter.weights)),
        Letter("[u, v]"),
    )  # fmt: skip


def _added(settings: Settings, scatter: Trace) -> np.ndarray:
    height, width, _ = scatter.target.shape
    mask = np.zeros((height, width), dtype=bool)
    mask[height - _axis(settings, 0)[3] :] = True
    mask[:, width - _axis(settings, 1)[3] :] = True
    return mask


def _zeros_formula(settings: Settings, zeros: Trace) -> tuple[Letter, ...]:
    height, width = zeros.own.shape
    (top, bottom), (left, right) = _equivalent(settings)
    inside = np.zeros((height, width), dtype=bool)
    inside[top : height - bottom, left : width - right] = True
    rates, kernel_size = settings["dilation_rate"], settings["kernel_size"]
    spans = [d * (k - 1) + 1 for k, d in zip(kernel_size, rates, strict=True)]
    spanned, taken = np.zeros((height, width), dtype=bool), np.zeros((height, width), dtype=bool)
    spanned[: spans[0], : spans[1]] = True
    taken[: spans[0] : rates[0], : spans[1] : rates[1]] = True
    step = np.zeros((height, width), dtype=bool)
    step[: spans[0], :1] = zeros.target.shape[1] > 1
    assert zeros.weights is not None
    weights: tuple[Lit, ...] = all_of("flipped", zeros.weights)
    gaps = tuple(s - 1 for s in settings["strides"])
    o = all_of("output", zeros.target)
    return (
        Letter("o", f"o: rows and columns of the output = {size_text(zeros.target.shape[:2])}", o),
        Letter(" = ("),
        Letter("n", f"n: rows and columns of the input = {size_text(settings['size'])}", lit("stuffed", zeros.own)),
        Letter(" + "),
        Letter(
            "z",
            f"z: zeros between two cells, s − 1 = {pair_text(gaps)}, where s is the stride of the ordinary convolution",
            lit("stuffed", inside & ~zeros.own),
        ),
        Letter("(n − 1) + 2"),
        Letter(
            "p′",
            "p′: zeros around, the padding of the equivalent convolution, d(k − 1) − p = "
            f"{_sides_text(_equivalent(settings))}; 2p′ stands for both sides together",
            lit("stuffed", ~inside),
        ),
        Letter(" − "),
        Letter("d", f"d: dilation of both = {pair_text(rates)}", lit("stuffed", spanned & ~taken)),
        Letter("("),
        Letter("k", f"k: rows and columns of the kernel = {size_text(kernel_size)}", weights),
        Letter(" − 1) − 1)/"),
        Letter("s′", "s′: stride of the equivalent convolution = 1, always", lit("stuffed", step)),
        Letter(" + 1"),
        LINE,
        Letter("y", "y: the output", o),
        Letter("[r, c] = Σᵢ Σⱼ "),
        Letter("w", "w: the weights, flipped", weights),
        Letter("[i, j] · "),
        Letter("x", "x: the input with its zeros", lit("stuffed", zeros.own)),
        Letter("[r + d·i, c + d·j]"),
    )


def _notes(
    settings: Settings, picture: np.ndarray, kernel: np.ndarray, scatter: Trace, overlap: np.ndarray
) -> list[str]:
    notes = []
    ones = has(picture, np.ones(picture.shape)) and has(kernel, np.ones(kernel.shape))
    if ones:
        notes.append("Input and weights are all 1, so the output counts how many stamps lie on each cell.")
    if not _even(settings):
        notes.append(
            "Away from the border some cells get more stamps than their neighbours: untrained, such a layer paints "
            "checkerboards. A kernel that the stride divides, or enlarging before an ordinary convolution, avoids them."
        )
    if overlap.min() == 0:
        notes.append("Some cells get no stamp at all: they hold the bias alone.")
    if settings["view"] == "zeros":
        notes.append(
            "Both views give the same numbers. Libraries compute neither: they run the ordinary convolution's backward "
            "pass, which is this very operation."
        )
    if settings["padding"] == "same":
        notes.append("Keras' “same” gives s · n cells; what “valid” would have more is cut off, the odd cell behind.")
    return notes


def code(settings: Settings) -> Code:
    """Return the programs that compute the output."""
    picture, kernel = grids_of(settings)
    strides, rates = settings["strides"], settings["dilation_rate"]
    arguments = _arguments(settings)
    numbers = (
        programs.array_text("x", picture[..., None])
        + programs.array_text("kernel", kernel[..., None, None])
        + programs.array_text("bias", np.array([settings["bias"]]))
    )
    numpy = (
        programs.NUMPY
        + "\nfrom explorer.convolution.operations import conv2d_transpose\n\n"
        + numbers
        + "\nresult = "
        + programs.call_text(
            "conv2d_transpose",
            "x",
            "kernel",
            "bias",
            strides=strides,
            padding=arguments["padding"],
            output_padding=arguments["output_padding"],
            dilation_rate=rates if max(rates) > 1 else None,
        )
        + "\n"
    )
    keras = programs.KERAS + "\n" + numbers + "\n"
    spans = tuple(d * (k - 1) + 1 for k, d in zip(settings["kernel_size"], rates, strict=True))
    if max(rates) > 1:
        keras += (
            "# Not every backend dilates a transposed convolution: zeros between the weights do the same.\n"
            f"dilated = np.zeros(({spans[0]}, {spans[1]}, 1, 1))\n"
            f"dilated[::{rates[0]}, ::{rates[1]}] = kernel\n"
        )
    weights = "[dilated, bias]" if max(rates) > 1 else "[kernel, bias]"
    explicit = _explicit(settings)
    keras += f'layer = keras.layers.Conv2DTranspose(1, {spans}, strides={strides}, padding="'
    keras += (
        f'valid", output_padding={tuple(settings["output_padding"])})\n' if explicit else f'{settings["padding"]}")\n'
    )
    keras += f"layer.build((None, *x.shape))\nlayer.set_weights({weights})\noutput = layer(x[None])\n"
    if explicit and max(settings["pad"]) > 0:
        (rows, top, _, _), (columns, left, _, _) = _axis(settings, 0), _axis(settings, 1)
        keras += (
            "# Keras' layer has no padding by a number: what it cuts off is cut off here.\n"
            f"output = output[:, {top}:{top + rows}, {left}:{left + columns}]\n"
        )
    return Code(keras + programs.KERAS_RESULT, numpy)


BACKGROUND = """
A convolution with kernel $k$, stride $s$ and padding $p$ is a matrix $C$ that takes its input, written as one long
vector, to its output. The transposed convolution multiplies with $C^⊤$: it goes from the small shape back to the large
one, with the same weights. It is also what the ordinary convolution's gradient does on its way back. It does **not**
undo the convolution (“deconvolution” is a misnomer): shapes return, numbers do not.

**As stamps.** Every input cell multiplies the whole kernel and stamps it onto the output, $s$ cells from the next one;
overlapping stamps add up, and $p$ cells are cut off on each side.

**As a convolution.** The same numbers come out of an ordinary convolution with stride $s' = 1$ and the flipped kernel
over the input with $z = s - 1$ zeros between its cells and $p' = d(k-1) - p$ zeros around it.

$$o = s(n-1) + d(k-1) + 1 - 2p + a$$

with $a$ cells of output padding, $0 ≤ a < s$: with a stride above 1, several sizes shrink to the same one, and $a$ says
which is meant. Keras without `output_padding`: `valid` gives $s·n + \\max(k - s, 0)$, `same` gives $s·n$.

**Checkerboards.** Where the stride does not divide the kernel size, neighbouring cells get different numbers of stamps.
In two dimensions this multiplies into a checkerboard, strongest before training has evened it out.

*Sources:* V. Dumoulin, F. Visin, “A guide to convolution arithmetic for deep learning”, arXiv:1603.07285 (2016), ch. 4;
A. Odena, V. Dumoulin, C. Olah, “Deconvolution and checkerboard artifacts”, Distill (2016);
M. Zeiler et al., “Deconvolutional networks”, CVPR 2010.
"""

SCENE = Scene(
    name="transposed",
    title="Transposed",
    question="How does a convolution run backwards, from a small map to a large one?",
    controls=CONTROLS,
    presets=PRESETS,
    impossible=impossible,
    build=build,
    code=code,
    background=BACKGROUND,
)
