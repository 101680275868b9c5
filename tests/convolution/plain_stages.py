"""Small stages made with plain loops, so that what is asked, drawn and exported has a truth of its own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from explorer.convolution.stage import Board, Fact, Letter, Link, Lit, Matrix, Role, Stage, Steps
from explorer.convolution.tracing import Rule, Trace

LECTURE_INPUT = [
    [255, 220, 150, 200, 110, 100],
    [240, 50, 35, 45, 200, 130],
    [0, 20, 245, 250, 230, 120],
    [170, 180, 235, 145, 170, 255],
    [190, 185, 170, 165, 130, 120],
    [255, 255, 245, 190, 200, 170],
]
LECTURE_KERNEL = [[-0.7, 0.2, 0.1], [0.3, 0.5, 0.4], [-0.2, -0.4, 0.2]]


def made_of(
    operation: str,
    source: np.ndarray,
    shape: tuple[int, int, int],
    terms: list[list[tuple[int, int, float]]],
    *,
    own: np.ndarray | None = None,
    first: tuple[int, int] = (0, 0),
    every: tuple[int, int] = (1, 1),
    weights: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    rule: Rule = "sum",
    activation: str = "linear",
) -> Trace:
    """Return the trace with these terms (source cell, weight cell, factor) of each target cell."""
    before = np.zeros(math.prod(shape))
    decided = np.full(before.size, -1, np.int32)
    starts = [0]
    for cell, ones in enumerate(terms):
        values = [float(source.flat[s]) for s, _, _ in ones]
        products = [v * f for v, (_, _, f) in zip(values, ones, strict=True)]
        if rule == "sum":
            before[cell] = sum(products)
        elif rule == "l2":
            before[cell] = math.sqrt(sum(v * v for v in values))
        else:
            choose = max if rule == "max" else min
            place = products.index(choose(products))
            before[cell] = products[place]
            decided[cell] = starts[-1] + place
        if bias is not None:
            before[cell] += bias[cell % shape[-1]]
        starts.append(starts[-1] + len(ones))
    target = np.maximum(before, 0) if activation == "relu" else before
    flat = [one for ones in terms for one in ones]
    return Trace(
        operation=operation,
        source=source,
        own=np.ones(source.shape[:2], bool) if own is None else own,
        first=first,
        every=every,
        weights=weights,
        bias=bias,
        before=before.reshape(shape),
        target=target.reshape(shape),
        starts=np.array(starts, np.int32),
        sources=np.array([s for s, _, _ in flat], np.int32),
        weight_cells=np.array([w for _, w, _ in flat], np.int32),
        factors=np.array([f for _, _, f in flat], float),
        decided=decided,
        rule=rule,
        activation=activation,
    )


def conv_trace(
    x: np.ndarray,
    kernel: np.ndarray,
    *,
    pad: int = 0,
    stride: int = 1,
    dilation: int = 1,
    bias: np.ndarray | None = None,
    activation: str = "linear",
) -> Trace:
    """Return the trace of x `(h, w, c)` with kernel `(kh, kw, c, filters)`."""
    source = np.pad(x.astype(float), ((pad, pad), (pad, pad), (0, 0)))
    own = np.pad(np.ones(x.shape[:2], bool), pad)
    height, width, channels = source.shape
    kh, kw, _, filters = kernel.shape
    rows = (height - dilation * (kh - 1) - 1) // stride + 1
    columns = (width - dilation * (kw - 1) - 1) // stride + 1
    terms = [
        [
            (
                ((r * stride + a * dilation) * width + c * stride + b * dilation) * channels + ch,
                ((a * kw + b) * channels + ch) * filters + f,
                float(kernel[a, b, ch, f]),
            )
            for a in range(kh)
            for b in range(kw)
            for ch in range(channels)
        ]
        for r in range(rows)
        for c in range(columns)
        for f in range(filters)
    ]
    return made_of(
        "conv2d",
        source,
        (rows, columns, filters),
        terms,
        own=own,
        first=(-pad, -pad),
        weights=kernel.astype(float),
        bias=bias,
        activation=activation,
    )


def pool_trace(x: np.ndarray, size: int, *, stride: int, rule: str) -> Trace:
    """Return the trace of a pool of x `(h, w, c)`; `rule` may be "average" too."""
    height, width, channels = x.shape
    rows, columns = (height - size) // stride + 1, (width - size) // stride + 1
    factor = 1 / size**2 if rule == "average" else 1.0
    terms = [
        [
            (((r * stride + a) * width + c * stride + b) * channels + ch, -1, factor)
            for a in range(size)
            for b in range(size)
        ]
        for r in range(rows)
        for c in range(columns)
        for ch in range(channels)
    ]
    named: dict[str, Rule] = {"average": "sum", "max": "max", "min": "min", "l2": "l2"}
    return made_of("pool2d", x.astype(float), (rows, columns, channels), terms, rule=named[rule])


def relu_trace(x: np.ndarray) -> Trace:
    """Return the trace of ReLU, cell by cell."""
    return made_of("activation", x, x.shape, [[(i, -1, 1.0)] for i in range(x.size)], activation="relu")


def board(name: str, title: str, role: Role, values: np.ndarray, trace: Trace | None = None, **more: object) -> Board:
    """Return a board; padding and numbering as the trace that reads it has them."""
    if trace is not None:
        more |= {"own": trace.own, "first": trace.first, "every": trace.every}
    return Board(name, title, role, values, **more)  # type: ignore[arg-type]


def size_text(values: np.ndarray) -> str:
    """Return "6 × 6"."""
    return f"{values.shape[0]} × {values.shape[1]}"


def conv_stage(trace: Trace, *, words: str = "convolution") -> Stage:
    """Return input, kernel and output of a convolution beside each other."""
    kernel = trace.weights
    assert kernel is not None
    weights = kernel.reshape(*kernel.shape[:2], -1)
    rows, columns, filters = trace.target.shape
    channels = trace.source.shape[-1]
    inside = trace.source[np.ix_(trace.own.any(1), trace.own.any(0))]
    planes = tuple(f"input {ch} → filter {f}" for ch in range(channels) for f in range(filters))
    grid = tuple(tuple(ch * filters + f for ch in range(channels)) for f in range(filters))
    boards = (
        board(
            "input",
            f"Input {size_text(inside)}",
            "input",
            trace.source,
            trace,
            editable=True,
            plane_names=("red", "green", "blue")[:channels] if channels > 1 else (),
        ),
        board(
            "kernel",
            f"Kernel {size_text(weights)}",
            "weight",
            weights,
            editable=True,
            shaded=True,
            plane_names=planes if len(planes) > 1 else (),
            plane_grid=grid if len(planes) > 1 else (),
        ),
        board(
            "output",
            f"Output {rows} × {columns}",
            "output",
            trace.target,
            plane_names=tuple(f"filter {f}" for f in range(filters)) if filters > 1 else (),
        ),
    )
    count = kernel.size + filters
    return Stage(
        boards=boards,
        links=(Link(trace, "input", "output", "kernel", words),),
        rows=(("input", "kernel", "output"),),
        steps=Steps(0, "target", np.arange(trace.target.size), ((0, "row 0"),)),
        result="output",
        formula=(
            Letter("o", f"o: rows of the output = {rows}", (Lit("output", (0,)),)),
            Letter(" = ⌊(n + 2p − d(k−1) − 1)/s⌋ + 1"),
        ),
        facts=(
            Fact(
                "Output size",
                f"{rows} × {columns}",
                f"⌊({inside.shape[0]} + 2·{-trace.first[0]} − 1·({kernel.shape[0]} − 1) − 1)/1⌋ + 1 = {rows}",
                "size",
                (rows, columns),
            ),
            Fact(
                "Weights and biases",
                str(count),
                f"{' · '.join(map(str, kernel.shape))} + {filters} = {count}",
                "count",
                (count,),
            ),
        ),
    )


def lecture_stage() -> Stage:
    """Return the lecture's 6 × 6 convolution, its ReLU and its 2 × 2 max pooling."""
    x = np.array(LECTURE_INPUT, float)[..., None]
    stage = conv_stage(conv_trace(x, np.array(LECTURE_KERNEL)[..., None, None]))
    output = stage.board("output").values
    relu = relu_trace(output)
    pool = pool_trace(relu.target, 2, stride=2, rule="max")
    return replace(
        stage,
        boards=(
            *stage.boards,
            board("activated", "After ReLU 4 × 4", "output", relu.target),
            board("pooled", "After max pooling 2 × 2", "output", pool.target),
        ),
        links=(
            *stage.links,
            Link(relu, "output", "activated", None, "ReLU"),
            Link(pool, "activated", "pooled", None, "max pooling"),
        ),
        rows=(*stage.rows, ("activated", "pooled")),
    )


def pool_stage(rule: str = "max", x: np.ndarray | None = None) -> Stage:
    """Return the lecture's 4 × 4 with a 2 × 2 pool."""
    values = np.array([[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]], float)[..., None] if x is None else x
    trace = pool_trace(values, 2, stride=2, rule=rule)
    rows, columns, _ = trace.target.shape
    return Stage(
        boards=(
            board("input", f"Input {size_text(values)}", "input", values, editable=True),
            board("output", f"Output {rows} × {columns}", "output", trace.target),
        ),
        links=(Link(trace, "input", "output", None, f"{rule} pooling"),),
        rows=(("input", "output"),),
        steps=Steps(0, "target", np.arange(trace.target.size)),
        result="output",
        facts=(
            Fact("Output size", f"{rows} × {columns}", "", "size", (rows, columns)),
            Fact("Weights", "0", "pooling learns nothing: 0", "count", (0,)),
        ),
    )


def scatter_stage() -> Stage:
    """Return a transposed convolution of 3 × 3 with a 3 × 3 kernel and stride 2, as scatter, with its matrix."""
    x = np.arange(1.0, 10).reshape(3, 3, 1)
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], float)
    size = 7
    terms: list[list[tuple[int, int, float]]] = [[] for _ in range(size * size)]
    for r in range(3):
        for c in range(3):
            for a in range(3):
                for b in range(3):
                    terms[(2 * r + a) * size + 2 * c + b].append((r * 3 + c, a * 3 + b, float(kernel[a, b])))
    trace = made_of("conv2d_transpose", x, (size, size, 1), terms, weights=kernel.reshape(3, 3, 1, 1))
    counts = np.array([len(ones) for ones in terms], float).reshape(size, size, 1)
    dense = np.full((size * size, 9, 1), np.nan)
    for target, ones in enumerate(terms):
        for source, _, factor in ones:
            dense[target, source, 0] = factor
    return Stage(
        boards=(
            board("input", "Input 3 × 3", "input", x, editable=True),
            board("kernel", "Kernel 3 × 3", "weight", kernel[..., None], shaded=True, editable=True),
            board("output", "Output 7 × 7", "output", trace.target),
            board("overlap", "Overlap", "output", counts, stands_for="output"),
            board("matrix", "Matrix 49 × 9", "weight", dense, small=True),
        ),
        links=(Link(trace, "input", "output", "kernel", "transposed convolution"),),
        rows=(("input", "kernel", "output"), ("overlap", "matrix")),
        steps=Steps(0, "source", np.arange(9)),
        result="output",
        matrices=(Matrix("matrix", 0),),
        facts=(
            Fact("Output size", "7 × 7", "2·(3 − 1) + (3 − 1) + 1 = 7", "size", (7, 7)),
            Fact("Weights", "9", "3 · 3 = 9", "count", (9,)),
        ),
    )


def stack_stage(steps: int = 16, dilations: tuple[int, ...] = (1, 2, 4, 8)) -> Stage:
    """Return causal one-dimensional layers with kernel 1 1, one below the other."""
    x = np.ones((1, steps, 1))
    kernel = np.ones((2, 1, 1))
    boards: list[Board] = []
    links: list[Link] = []
    name = "input"
    for number, dilation in enumerate(dilations, start=1):
        source = np.pad(x, ((0, 0), (dilation, 0), (0, 0)))
        own = np.pad(np.ones((1, steps), bool), ((0, 0), (dilation, 0)))
        terms = [[(c, 0, 1.0), (c + dilation, 1, 1.0)] for c in range(steps)]
        trace = made_of("conv1d", source, (1, steps, 1), terms, own=own, first=(0, -dilation), weights=kernel)
        if number == 1:
            boards.append(board(name, f"Input {steps}", "input", source, trace))
        else:
            boards[-1] = replace(boards[-1], values=source, own=own, first=(0, -dilation))
            # The layer before makes cells of the padded board.
            earlier = links[-1].trace
            links[-1] = replace(links[-1], trace=_shifted(earlier, dilation))
        target = f"layer {number}"
        boards.append(board(target, f"Layer {number}, dilation {dilation}", "output", trace.target))
        links.append(Link(trace, name, target, None, "causal convolution"))
        name, x = target, trace.target
    return Stage(
        boards=tuple(boards),
        links=tuple(links),
        rows=tuple((one.name,) for one in boards),
        steps=Steps(len(links) - 1, "target", np.arange(steps)),
        result=name,
        layout="stack",
        facts=(
            Fact("Output size", str(steps), "", "size", (steps,)),
            Fact("Weights", "8", "4 · 2 = 8", "count", (8,)),
        ),
    )


def _shifted(trace: Trace, left: int) -> Trace:
    """Return a 1-D trace whose target has `left` cells of padding without terms in front."""
    pad = ((0, 0), (left, 0), (0, 0))
    return replace(
        trace,
        before=np.pad(trace.before, pad),
        target=np.pad(trace.target, pad),
        starts=np.concatenate([np.zeros(left, np.int32), trace.starts]),
        decided=np.concatenate([np.full(left, -1, np.int32), trace.decided]),
    )


def large_stage() -> Stage:
    """Return the largest convolution of the page: 16 × 16, padded, with a 7 × 7 kernel."""
    chance = np.random.default_rng(3)
    x = chance.integers(-99, 256, (16, 16, 1)).astype(float)
    kernel = np.round(chance.normal(size=(7, 7, 1, 1)), 2)
    return conv_stage(conv_trace(x, kernel, pad=3, bias=np.array([1.5]), activation="relu"))


def colour_stage() -> Stage:
    """Return an RGB convolution with two filters."""
    chance = np.random.default_rng(4)
    x = chance.integers(0, 10, (5, 5, 3)).astype(float)
    kernel = chance.integers(-2, 3, (3, 3, 3, 2)).astype(float)
    return conv_stage(conv_trace(x, kernel, bias=np.array([1.0, -2.0])))


STAGES = {
    "lecture": lecture_stage,
    "large": large_stage,
    "colour": colour_stage,
    "max": pool_stage,
    "average": lambda: pool_stage("average"),
    "l2": lambda: pool_stage("l2"),
    "scatter": scatter_stage,
    "stack": stack_stage,
}
