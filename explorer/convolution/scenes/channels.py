"""Scene "Channels and filters": many channels in, many filters out, in groups, depthwise, separable, 1×1, stacked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.convolution import counting, geometry, presets, programs
from explorer.convolution.formulas import (
    LINE,
    all_of,
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
    by_row,
    count_text,
    kernel_board,
    single_terms,
    source_board,
    target_board,
    too_much,
)
from explorer.convolution.stage import Board, Fact, Letter, Link, Lit, Stage
from explorer.convolution.sum_line import number_text
from explorer.convolution.tracing import Trace, trace

_KINDS = {"convolution": "convolution", "separable": "depthwise separable", "concat": "depth concatenation"}
_MOST = 6


def _convolves(settings: Settings) -> bool:
    return bool(settings["kind"] != "concat")


def _plain(settings: Settings) -> bool:
    return bool(settings["kind"] == "convolution")


CONTROLS = (
    Control("kind", "Layer", "choice", "convolution", options=_KINDS),
    Control("size", "Input", "pair", (5, 5), low=1, high=12, help="Rows and columns of the input."),
    Control("channels", "Channels", "count", 3, low=1, high=_MOST, help="Of the input; 3 are red, green and blue."),
    Control("filters", "Filters", "count", 2, low=1, high=_MOST, help="Channels of the output.", shown=_convolves),
    Control("kernel_size", "Kernel", "pair", (3, 3), low=1, high=5, shown=_convolves),
    Control(
        "groups",
        "Groups",
        "count",
        1,
        low=1,
        high=_MOST,
        help="Each group of filters sees its own group of channels; as many groups as channels is depthwise.",
        shown=_plain,
    ),
    Control(
        "more_channels",
        "Channels of the larger one",
        "count",
        3,
        low=1,
        high=_MOST,
        shown=lambda settings: settings["kind"] == "concat",
    ),
    Control(
        "by_channel",
        "Channel by channel",
        "switch",
        False,
        help="Shows what each channel adds, before the channels are added up.",
        shown=_plain,
    ),
    Control(
        "multiplier",
        "Depth multiplier",
        "count",
        1,
        low=1,
        high=3,
        main=False,
        help="How many maps the depthwise step makes of each channel.",
        shown=lambda settings: settings["kind"] == "separable",
    ),
    Control(
        "padding",
        "Padding",
        "choice",
        "valid",
        options={"valid": "none (valid)", "same": "same"},
        main=False,
        shown=_convolves,
    ),
    Control("strides", "Stride", "pair", (1, 1), low=1, high=4, main=False, shown=_convolves),
    Control("use_bias", "Bias for each filter", "switch", True, main=False, shown=_convolves),
    Control("activation", "Activation", "choice", "linear", options=ACTIVATIONS, main=False, shown=_convolves),
    Control("input", "the input", "grid", None, most=(12, 12, 2 * _MOST)),
    Control("kernel", "the kernels", "grid", None, most=(5, 5, _MOST * _MOST)),
    Control("pointwise", "the 1×1 kernels", "grid", None, most=(1, 1, 3 * _MOST * _MOST)),
    Control("biases", "the biases", "grid", None, most=(1, _MOST)),
)

PRESETS = (
    Preset("rgb", "RGB, two filters", {"by_channel": True, "biases": np.array([[1.0, -1.0]])}),
    Preset("rgb_sum", "The same in one sum of 27", {"biases": np.array([[1.0, -1.0]])}),
    Preset("one_by_one", "1×1 convolution", {"size": (4, 4), "channels": 6, "filters": 2, "kernel_size": (1, 1)}),
    Preset("grouped", "Two groups", {"size": (4, 4), "channels": 4, "filters": 4, "groups": 2}),
    Preset("depthwise", "Depthwise: as many groups as channels", {"filters": 3, "groups": 3}),
    Preset("separable", "Depthwise separable", {"kind": "separable", "filters": 4}),
    Preset(
        "two_parameter_edge",
        "An edge with two weights",
        {
            "size": (5, 6),
            "channels": 1,
            "filters": 1,
            "kernel_size": (1, 2),
            "use_bias": False,
            "input": np.tile(presets.grid("1 1 5 5 2 2"), (5, 1)),
            "kernel": np.array([[-1.0, 1.0]]),
        },
    ),
    Preset(
        "depth_concat",
        "Depth concatenation",
        {"kind": "concat", "size": (6, 6), "channels": 2, "more_channels": 3},
    ),
)


def _outputs(settings: Settings) -> tuple[int, int]:
    rows, columns = (
        geometry.output_size(n, k, s, settings["padding"])
        for n, k, s in zip(settings["size"], settings["kernel_size"], settings["strides"], strict=True)
    )
    return rows, columns


def _pads(settings: Settings) -> programs.Pads:
    rows, columns = (
        padding_amounts(settings["padding"], n, k, s)
        for n, k, s in zip(settings["size"], settings["kernel_size"], settings["strides"], strict=True)
    )
    return rows, columns


def impossible(settings: Settings) -> str | None:
    """Return the sentence why these settings cannot be, or None."""
    (height, width), channels, filters = settings["size"], settings["channels"], settings["filters"]
    if settings["kind"] == "concat":
        if min(height, width) < 3:
            return f"the smaller picture has 2 rows and columns less than {height} × {width}: nothing would be left"
        planes = channels + settings["more_channels"]
        return too_much(height * width * planes, 2 * height * width * planes, height * width * planes)
    why = geometry.refusal(settings["size"], settings["kernel_size"], settings["padding"], settings["strides"])
    if why:
        return why
    rows, columns = _outputs(settings)
    (top, bottom), (left, right) = _pads(settings)
    padded = (height + top + bottom) * (width + left + right) * channels
    places, area = rows * columns, settings["kernel_size"][0] * settings["kernel_size"][1]
    if settings["kind"] == "separable":
        middle = channels * settings["multiplier"]
        return too_much(
            places * middle * (area + filters),
            padded + places * (middle + filters) + middle * (area + filters) + filters,
            height * width * channels + middle * (area + filters),
        )
    groups = settings["groups"]
    for count, word in ((channels, "channels"), (filters, "filters")):
        if count % groups:
            return f"{groups} groups cannot share {count} {word if count > 1 else word[:-1]} evenly"
    inside = channels // groups
    parts = inside * filters if settings["by_channel"] else 0
    return too_much(
        places * (inside * filters * area + parts),
        padded + places * (filters + parts) + inside * filters * area + filters,
        height * width * channels + inside * filters * area,
    )


def _channel_names(channels: int) -> tuple[str, ...]:
    if channels == 1:
        return ()
    return ("red", "green", "blue") if channels == 3 else tuple(f"channel {number + 1}" for number in range(channels))


def _filter_names(filters: int) -> tuple[str, ...]:
    return tuple(f"filter {number + 1}" for number in range(filters)) if filters > 1 else ()


def _kernel_shape(settings: Settings) -> tuple[int, int, int, int]:
    """Return the kernel's shape as Keras keeps it."""
    rows, columns = settings["kernel_size"]
    if settings["kind"] == "separable":
        return rows, columns, settings["channels"], settings["multiplier"]
    return rows, columns, settings["channels"] // settings["groups"], settings["filters"]


def _old_shapes(planes: np.ndarray, inside: int, filters: int) -> list[tuple[int, int]]:
    """Return the (inner channels, filters) that the planes of edited kernels may have had.

    The text in a link does not say it. The kernels that were not edited tell: they still are the default ones.
    Where too few are left, either the filters or the channels have changed since, not both.
    """
    count = planes.shape[2]
    shapes = [(part, count // part) for part in range(1, count + 1) if count % part == 0 and count // part <= _MOST]
    untouched = []
    for shape in shapes:
        default = presets.default_kernels(planes.shape[0], planes.shape[1], *shape).reshape(planes.shape)
        untouched.append(int((planes == default).all(axis=(0, 1)).sum()))
    most = max(untouched, default=0)
    told = 2 * most >= count
    if told:
        shapes = [shape for shape, alike in zip(shapes, untouched, strict=True) if alike == most]
    single = [shape for shape in shapes if shape[0] == inside or shape[1] == filters]
    return single or (shapes if told else [])


def _placed(old: tuple[int, int], old_groups: int, inside: int, filters: int, groups: int) -> np.ndarray:
    """Return which plane of kernels of another shape stands at each (inner channel, filter), −1 where none does."""
    places = np.full((inside, filters), -1)
    old_inside, old_filters = old
    for number in range(min(filters, old_filters)):
        had, has_now = number // (old_filters // old_groups) * old_inside, number // (filters // groups) * inside
        for channel in range(max(had, has_now), min(had + old_inside, has_now + inside)):
            places[channel - has_now, number] = (channel - had) * old_filters + number
    return places


def _planes(values: np.ndarray) -> np.ndarray:
    return values[..., None] if values.ndim == 2 else values


def _places(planes: np.ndarray, inside: int, filters: int, groups: int) -> np.ndarray:
    """Return which plane of edited kernels stands at each (inner channel, filter), −1 where that is not sure."""
    if planes.shape[2] == inside * filters:
        return np.arange(inside * filters).reshape(inside, filters)
    channels = inside * groups
    readings = [
        _placed(old, old_groups, inside, filters, groups)
        for old in _old_shapes(planes, inside, filters)
        # Other groups of the same channels, or other channels in as many groups.
        for old_groups in {groups, *([channels // old[0]] if channels % old[0] == 0 else [])}
        if old[1] % old_groups == 0
    ]
    if not readings:
        return np.full((inside, filters), -1)
    return np.where((np.array(readings) == readings[0]).all(axis=0), readings[0], -1)


def _fitted_kernel(values: np.ndarray | None, default: np.ndarray, groups: int = 1) -> np.ndarray:
    """Return a kernel of `default`'s four axes from a grid of three, whose planes are channels × filters.

    Each number stays with its channel and filter; what could belong to several is left at its default.
    """
    if values is None:
        return default
    planes, kernel = _planes(values), default.copy()
    rows, columns = (min(a, b) for a, b in zip(planes.shape[:2], default.shape[:2], strict=True))
    for (channel, number), plane in np.ndenumerate(_places(planes, default.shape[2], default.shape[3], groups)):
        if plane >= 0:
            kernel[:rows, :columns, channel, number] = planes[:rows, :columns, plane]
    return kernel


def grids_of(settings: Settings) -> dict[str, np.ndarray]:
    """Return the numbers at the sizes that are set: input, kernel, pointwise, biases (as Keras keeps them)."""
    channels, filters = settings["channels"], settings["filters"]
    if settings["kind"] == "concat":
        channels += settings["more_channels"]
        return {"input": fitted(settings["input"], presets.default_planes(settings["size"], channels))}
    grids = {
        "input": fitted(settings["input"], presets.default_planes(settings["size"], channels)),
        "kernel": _fitted_kernel(
            settings["kernel"],
            presets.default_kernels(*_kernel_shape(settings)),
            settings["groups"] if _plain(settings) else 1,
        ),
    }
    if settings["use_bias"]:
        grids["biases"] = fitted(settings["biases"], np.zeros((1, filters)))[0]
    if settings["kind"] == "separable":
        middle = channels * settings["multiplier"]
        grids["pointwise"] = _fitted_kernel(settings["pointwise"], presets.default_kernels(1, 1, middle, filters))
    return grids


def build(settings: Settings) -> Stage:
    """Return the stage of the chosen layer."""
    grids = grids_of(settings)
    if settings["kind"] == "concat":
        return _concatenated(settings, grids["input"])
    if settings["kind"] == "separable":
        return _separable(settings, grids)
    return _convolution(settings, grids)


def _biases_boards(grids: dict[str, np.ndarray]) -> tuple[Board, ...]:
    """Return the board of the biases, or nothing where the layer has none."""
    if "biases" not in grids:
        return ()
    biases = grids["biases"]
    return (Board("biases", f"Biases {biases.size}", "weight", biases[None, :, None], editable=True),)


def _kernels_board(kernel: np.ndarray, groups: int, channels: int) -> Board:
    """Return the board of all kernels, a row for each filter."""
    _, _, inside, filters = kernel.shape
    per_group = filters // groups
    names = _channel_names(channels) or ("",)
    plane_names = tuple(
        f"filter {number + 1}" + (f", {names[number // per_group * inside + channel]}" if channels > 1 else "")
        for channel in range(inside)
        for number in range(filters)
    )
    return replace(
        kernel_board("kernel", "Kernels", kernel, editable=True),
        title=f"Kernels {size_text(kernel.shape)}",
        plane_names=plane_names if inside * filters > 1 else (),
        plane_grid=tuple(tuple(channel * filters + number for channel in range(inside)) for number in range(filters)),
    )


def by_channel(traced: Trace, inside: int) -> tuple[Trace, Trace]:
    """Return a convolution in two steps: what each channel gives, and the channels added up.

    Args:
        traced: a convolution of `channels` to `filters`.
        inside: channels that each filter sees.

    Returns:
        The trace from the source to the parts `(oh, ow, inside · filters)`, plane i · filters + f for the i-th channel
        of filter f, and the trace from the parts to the target, with bias and activation.
    """
    height, width, filters = traced.target.shape
    channels = traced.source.shape[2]
    targets = np.repeat(np.arange(traced.target.size), np.diff(traced.starts))
    place, number = targets // filters, targets % filters
    part = (place * inside + traced.sources % channels % inside) * filters + number
    order = np.argsort(part, kind="stable")
    shape = (height, width, inside * filters)
    counts = np.bincount(part, minlength=height * width * inside * filters)
    products = traced.source.reshape(-1)[traced.sources] * traced.factors
    parts = np.bincount(part, weights=products, minlength=counts.size).reshape(shape)
    first = replace(
        traced,
        bias=None,
        activation="linear",
        before=parts,
        target=parts,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        sources=traced.sources[order],
        weight_cells=traced.weight_cells[order],
        factors=traced.factors[order],
        decided=np.full(counts.size, -1, dtype=np.int32),
    )
    terms = np.arange(parts.size, dtype=np.int32).reshape(height, width, inside, filters)
    second = replace(
        traced,
        source=parts,
        own=np.ones((height, width), dtype=bool),
        first=(0, 0),
        every=(1, 1),
        weights=None,
        starts=np.arange(0, parts.size + 1, inside, dtype=np.int32),
        sources=np.ascontiguousarray(np.moveaxis(terms, 2, 3)).reshape(-1),
        weight_cells=np.full(parts.size, -1, dtype=np.int32),
        factors=np.ones(parts.size),
    )
    return first, second


def _convolution(settings: Settings, grids: dict[str, np.ndarray]) -> Stage:
    channels, filters, groups = settings["channels"], settings["filters"], settings["groups"]
    traced = trace(
        "conv2d",
        grids["input"],
        grids["kernel"],
        grids.get("biases"),
        strides=settings["strides"],
        padding=settings["padding"],
        groups=groups,
        activation=settings["activation"],
    )
    inside = channels // groups
    names = _filter_names(filters)
    boards = [
        source_board(traced, "input", "Input", editable=True, plane_names=_channel_names(channels)),
        _kernels_board(grids["kernel"], groups, channels),
        *_biases_boards(grids),
        target_board(traced, "output", "Output", plane_names=names),
    ]
    words = (
        "depthwise convolution" if groups == channels > 1 else "grouped convolution" if groups > 1 else "convolution"
    )
    links = [Link(traced, "input", "output", "kernel", words)]
    added = ("biases",) if settings["use_bias"] else ()
    rows: list[tuple[str, ...]] = [("input", "kernel"), (*added, "output")]
    if settings["by_channel"]:
        first, second = by_channel(traced, inside)
        per_group = filters // groups
        colours = _channel_names(channels) or ("channel 1",)
        parts = target_board(
            first,
            "parts",
            "What each channel adds",
            plane_names=tuple(
                f"filter {number + 1}, {colours[number // per_group * inside + channel]}"
                for channel in range(inside)
                for number in range(filters)
            )
            if inside * filters > 1
            else (),
            plane_grid=tuple(
                tuple(channel * filters + number for channel in range(inside)) for number in range(filters)
            ),
        )
        boards.insert(2, parts)
        links = [
            Link(second, "parts", "output", None, "channels added up"),
            Link(first, "input", "parts", "kernel", "one channel each"),
        ]
        rows = [("input", "kernel"), ("parts", *added, "output")]
    return Stage(
        boards=tuple(boards),
        links=tuple(links),
        rows=tuple(rows),
        steps=by_row(traced, plane_names=names),
        result="output",
        formula=_formula(settings, traced, "output"),
        facts=(_size(settings, traced), *_counts(settings), *_lecture(settings)),
        notes=(*_notes(settings), *_moved_notes(settings)),
    )


def _separable(settings: Settings, grids: dict[str, np.ndarray]) -> Stage:
    channels, filters, multiplier = settings["channels"], settings["filters"], settings["multiplier"]
    deep = trace(
        "depthwise_conv2d",
        grids["input"],
        grids["kernel"],
        strides=settings["strides"],
        padding=settings["padding"],
    )
    mixed = trace("conv2d", deep.target, grids["pointwise"], grids.get("biases"), activation=settings["activation"])
    colours = _channel_names(channels) or ("channel 1",)
    middle = tuple(
        colour + (f", map {number + 1}" if multiplier > 1 else "") for colour in colours for number in range(multiplier)
    )
    names = _filter_names(filters)
    several = len(middle) > 1
    boards = (
        source_board(deep, "input", "Input", editable=True, plane_names=_channel_names(channels)),
        replace(
            kernel_board("kernel", "Depthwise kernels", grids["kernel"], editable=True),
            title=f"Depthwise kernels {size_text(grids['kernel'].shape)}",
            plane_names=middle if several else (),
        ),
        target_board(deep, "depthwise", "Each channel for itself", plane_names=middle if several else ()),
        replace(
            kernel_board("pointwise", "1×1 kernels", grids["pointwise"], editable=True),
            title=f"1×1 kernels {size_text(grids['pointwise'].shape)}",
            plane_names=tuple(f"filter {number + 1}, {name}" for name in middle for number in range(filters))
            if len(middle) * filters > 1
            else (),
            plane_grid=tuple(
                tuple(place * filters + number for place in range(len(middle))) for number in range(filters)
            ),
        ),
        *_biases_boards(grids),
        target_board(mixed, "output", "Output", plane_names=names),
    )
    return Stage(
        boards=boards,
        links=(
            Link(mixed, "depthwise", "output", "pointwise", "1×1 convolution"),
            Link(deep, "input", "depthwise", "kernel", "depthwise convolution"),
        ),
        rows=(
            ("input", "kernel", "depthwise"),
            ("pointwise", *(("biases",) if settings["use_bias"] else ()), "output"),
        ),
        steps=by_row(mixed, plane_names=names),
        result="output",
        formula=_formula(settings, deep, "depthwise"),
        facts=(_size(settings, deep), *_counts(settings)),
        notes=(*_notes(settings), *_moved_notes(settings)),
    )


def _concatenated(settings: Settings, planes: np.ndarray) -> Stage:
    """Return two pictures laid behind each other, the smaller one in zeros."""
    height, width, depth = planes.shape
    fewer, more = settings["channels"], settings["more_channels"]
    ring = np.zeros(planes.shape, dtype=bool)
    ring[..., :fewer] = True
    ring[1:-1, 1:-1] = False
    picture = np.where(ring, 0.0, planes)
    everything = np.arange(picture.size)
    laid = single_terms(picture, np.ones((height, width), dtype=bool), picture.shape, everything, everything)
    names = tuple(f"A {number + 1}" for number in range(fewer)) + tuple(f"B {number + 1}" for number in range(more))
    grid = (tuple(range(fewer)), tuple(range(fewer, depth)))
    small = (height - 2, width - 2, fewer)
    of_a = lit("input", np.broadcast_to(np.arange(depth) < fewer, ring.shape))
    of_b = lit("input", np.broadcast_to(np.arange(depth) >= fewer, ring.shape))
    return Stage(
        boards=(
            Board(
                "input",
                f"A {size_text(small)} with zeros around, B {size_text((height, width, more))}",
                "input",
                picture,
                marked=ring,
                mark_words="zeros around the smaller one",
                plane_names=names,
                plane_grid=grid,
            ),
            target_board(laid, "output", "Both", plane_names=names),
        ),
        links=(Link(laid, "input", "output", None, "concatenation"),),
        rows=(("input",), ("output",)),
        steps=by_row(laid, plane_names=names),
        result="output",
        formula=(
            Letter("c", f"c: channels of the output = {depth}", all_of("output", picture)),
            Letter(" = "),
            Letter("a", f"a: channels of A = {fewer}", of_a),
            Letter(" + "),
            Letter("b", f"b: channels of B = {more}", of_b),
            Letter("; "),
            Letter("p", "p: zeros around the smaller one, half of what is missing = 1", lit("input", ring)),
            Letter(f" = ({height} − {height - 2})/2"),
        ),
        facts=(
            Fact(
                "Output",
                size_text(picture.shape),
                f"rows and columns of the larger one; channels {fewer} + {more} = {depth}",
                "size",
                tuple(float(part) for part in picture.shape),
            ),
            Fact("Weights to learn", "0", "concatenation has none", "count", (0.0,)),
            Fact("In the lecture", "(14, 14, 2) and (16, 16, 3) → (16, 16, 5)", "2 + 3 = 5 channels"),
        ),
        notes=(
            "No number changes: the maps are laid behind each other. So the branches of an inception module come "
            "together, whose maps must agree in rows and columns.",
        ),
    )


def _size(settings: Settings, traced: Trace) -> Fact:
    rows, columns = traced.target.shape[:2]
    shape = (rows, columns, settings["filters"])
    calculation = size_calculation(traced, settings["kernel_size"], settings["strides"])
    return Fact(
        "Output",
        size_text(shape),
        f"{calculation}; channels: one for each filter = {settings['filters']}",
        "size",
        tuple(float(part) for part in shape),
    )


def _cost(settings: Settings) -> counting.Cost:
    """Return parameters and multiply-adds of the layer."""
    kernel_size, channels, filters = settings["kernel_size"], settings["channels"], settings["filters"]
    outputs = _outputs(settings)
    if settings["kind"] == "separable":
        return counting.separable_conv2d(
            kernel_size,
            channels,
            filters,
            outputs,
            depth_multiplier=settings["multiplier"],
            use_bias=settings["use_bias"],
        )
    return counting.conv2d(
        kernel_size, channels, filters, outputs, groups=settings["groups"], use_bias=settings["use_bias"]
    )


def _dense(settings: Settings) -> counting.Cost:
    return counting.dense_equivalent(
        (*settings["size"], settings["channels"]),
        (*_outputs(settings), settings["filters"]),
        use_bias=settings["use_bias"],
    )


def _counts(settings: Settings) -> tuple[Fact, ...]:
    channels, filters = settings["channels"], settings["filters"]
    height, width = settings["kernel_size"]
    rows, columns = _outputs(settings)
    cost, dense = _cost(settings), _dense(settings)
    if settings["kind"] == "separable":
        middle = channels * settings["multiplier"]
        weights = f"{height} · {width} · {middle} + {middle} · {filters}"
        products = f"{rows} · {columns} · ({weights})"
    else:
        weights = f"{height} · {width} · {channels // settings['groups']} · {filters}"
        products = f"{rows} · {columns} · {weights}"
    return (
        Fact(
            "Weights and biases" if settings["use_bias"] else "Weights",
            count_text(cost.parameters),
            f"{weights}{f' + {filters}' if settings['use_bias'] else ''} = {cost.parameters:,}",
            "count",
            (float(cost.parameters),),
        ),
        Fact(
            "Multiply-adds",
            count_text(cost.multiply_adds),
            f"{products} = {cost.multiply_adds:,}",
            "count",
            (float(cost.multiply_adds),),
        ),
        Fact(
            "A dense layer of these shapes",
            f"{count_text(dense.parameters)} parameters",
            f"{dense.parameters:,}, that is {number_text(round(dense.parameters / cost.parameters, 1))} times as many",
        ),
    )


def table(settings: Settings) -> list[dict[str, Any]]:
    """Return what this layer and its relatives cost between the same shapes."""
    if settings["kind"] == "concat":
        return []
    kernel_size, channels, filters = settings["kernel_size"], settings["channels"], settings["filters"]
    outputs, use_bias = _outputs(settings), settings["use_bias"]
    costs = {
        f"convolution {size_text(kernel_size)}": counting.conv2d(
            kernel_size, channels, filters, outputs, use_bias=use_bias
        )
    }
    for groups in range(2, channels + 1):
        if channels % groups == 0 and filters % groups == 0:
            word = "as many groups as channels (depthwise)" if groups == channels else f"{groups} groups"
            costs[f"convolution {size_text(kernel_size)}, {word}"] = counting.conv2d(
                kernel_size, channels, filters, outputs, groups=groups, use_bias=use_bias
            )
    costs["depthwise separable"] = counting.separable_conv2d(
        kernel_size, channels, filters, outputs, depth_multiplier=settings["multiplier"], use_bias=use_bias
    )
    costs["convolution 1 × 1"] = counting.conv2d((1, 1), channels, filters, outputs, use_bias=use_bias)
    costs["dense layer"] = _dense(settings)
    ordinary = next(iter(costs.values()))
    return [
        {
            "layer": name,
            "weights and biases": cost.parameters,
            "multiply-adds": cost.multiply_adds,
            "of the ordinary convolution's work": f"{100 * cost.multiply_adds / ordinary.multiply_adds:,.1f} %",
        }
        for name, cost in costs.items()
    ]


def _lecture(settings: Settings) -> tuple[Fact, ...]:
    """Return the numbers of the lectures' layer that is too large for the stage."""
    if settings["kernel_size"] == (1, 1) and settings["groups"] == 1:
        cost = counting.conv2d((1, 1), 192, 16, (28, 28))
        return (
            Fact(
                "In the lecture: 28 × 28 × 192, 16 filters",
                "28 × 28 × 16",
                f"192 · 16 + 16 = {cost.parameters:,} parameters, {cost.multiply_adds:,} multiply-adds",
            ),
        )
    if settings["kernel_size"] == (1, 2) and settings["channels"] == settings["filters"] == 1:
        wide = geometry.output_size(320, 2)
        dense = counting.dense_equivalent((280, 320), (280, wide))
        return (
            Fact(
                "In the book: a picture of 280 × 320",
                f"280 × {wide}, 2 weights",
                f"the same as a dense matrix: 320 · 280 · {wide} · 280 = {dense.weights:,} weights",
            ),
        )
    return ()


def _formula(settings: Settings, traced: Trace, target: str) -> tuple[Letter, ...]:
    channels, filters, groups = settings["channels"], settings["filters"], settings["groups"]
    letters = window_letters(
        traced, settings["kernel_size"], settings["strides"], source="input", target=target, kernel="kernel"
    )
    assert traced.weights is not None
    own = lit("input", traced.own, channels)
    kernel = all_of("kernel", traced.weights)
    rows, columns = _outputs(settings)
    y = Letter("y", "y: the output", (Lit("output", tuple(range(rows * columns * filters))),))
    bias: tuple[Letter, ...] = ()
    if settings["use_bias"]:
        bias = (
            Letter("b", "b: one bias for each filter", (Lit("biases", tuple(range(filters))),)),
            Letter("[f] + "),
        )
    x = Letter("x", "x: the input", own)
    if settings["kind"] == "separable":
        times = settings["multiplier"]
        middle = channels * times
        return (
            *letters,
            LINE,
            y,
            Letter("[r, c, f] = "),
            *bias,
            Letter("Σₘ "),
            Letter("v", "v: the weights across channels, 1×1", (Lit("pointwise", tuple(range(middle * filters))),)),
            Letter("[m, f] · Σᵢ Σⱼ "),
            Letter("w", "w: the weights of each channel", kernel),
            Letter("[i, j, m] · "),
            x,
            Letter(f"[s·r + i − p, s·c + j − p, {f'⌊m/{times}⌋' if times > 1 else 'm'}]"),
        )
    over = "Σₘ in f's group" if groups > 1 else "Σₘ"
    return (
        *letters,
        LINE,
        y,
        Letter("[r, c, f] = "),
        *bias,
        Letter(f"{over} Σᵢ Σⱼ "),
        Letter("w", "w: the weights, one kernel for each channel and filter", kernel),
        Letter("[i, j, m, f] · "),
        x,
        Letter("[s·r + i − p, s·c + j − p, m]"),
    )


def _moved_notes(settings: Settings) -> list[str]:
    """Return the sentence that edited kernels had other channels or filters, or nothing."""
    expected = {"kernel": _kernel_shape(settings)[2:]}
    if settings["kind"] == "separable":
        expected["pointwise"] = (settings["channels"] * settings["multiplier"], settings["filters"])
    edited = [(settings[name], shape) for name, shape in expected.items() if settings[name] is not None]
    if all(_planes(values).shape[2] == inside * filters for values, (inside, filters) in edited):
        return []
    return [
        "The kernels were edited for other numbers of channels or filters: each weight stays with its channel and "
        "filter where these can be told; the other weights are the default ones."
    ]


def _notes(settings: Settings) -> list[str]:
    channels, filters, groups = settings["channels"], settings["filters"], settings["groups"]
    if settings["kind"] == "separable":
        area = settings["kernel_size"][0] * settings["kernel_size"][1]
        times = settings["multiplier"]
        share = times * (1 / filters + 1 / area)
        each = f"1/{filters} + 1/{area}"
        return [
            "First each channel by itself, then all channels of one place together. Against the ordinary convolution "
            f"that is {f'{times} · ({each})' if times > 1 else each} = {number_text(share)} of the multiply-adds"
            + (f" with the depth multiplier {times}." if times > 1 else ".")
        ]
    if settings["kernel_size"] == (1, 1) and groups == 1:
        return [
            "A 1×1 kernel sees one place and all its channels: a dense layer of "
            f"{channels} inputs and {filters} {'unit' if filters == 1 else 'units'}, the same one at every place. "
            "It changes how many channels there are and nothing else."
        ]
    if groups == channels > 1:
        return ["Depthwise: every filter sees one channel alone, so nothing is added up across channels."]
    if groups > 1:
        return [
            f"Each filter sees {channels // groups} of {channels} channels: {groups} times fewer weights and "
            "multiply-adds, and no way from one group to the other within this layer."
        ]
    if settings["kernel_size"] == (1, 2):
        return ["Each output is the right neighbour minus the cell itself: 0 where nothing changes."]
    if channels > 1:
        return [
            f"A filter is as deep as its input: {channels} kernels and one bias make one map. "
            "The number of filters is the number of maps."
        ]
    return []


def code(settings: Settings) -> Code:
    """Return the programs that compute the output."""
    grids = grids_of(settings)
    if settings["kind"] == "concat":
        return _concat_code(settings, grids["input"])
    numbers = programs.array_text("x", grids["input"]) + programs.array_text("kernel", grids["kernel"])
    separable = settings["kind"] == "separable"
    if separable:
        numbers += programs.array_text("pointwise", grids["pointwise"])
    bias = ["bias"] if settings["use_bias"] else []
    if bias:
        numbers += programs.array_text("bias", grids["biases"])
    activation = settings["activation"] if settings["activation"] != "linear" else None
    keras = programs.KERAS + "\n" + numbers + "\n"
    keras += programs.keras_convolution(
        "SeparableConv2D" if separable else "Conv2D",
        settings["filters"],
        kernel_size=settings["kernel_size"],
        strides=settings["strides"],
        padding=settings["padding"],
        same_pads=_pads(settings),
        weights=f"[{', '.join(['kernel', *(['pointwise'] if separable else []), *bias])}]",
        use_bias=None if bias else False,
        groups=settings["groups"] if not separable and settings["groups"] > 1 else None,
        depth_multiplier=settings["multiplier"] if separable and settings["multiplier"] > 1 else None,
        activation=activation,
    )
    function = "separable_conv2d" if separable else "conv2d"
    numpy = programs.NUMPY + f"\nfrom explorer.convolution.operations import {function}\n\n" + numbers + "\n"
    numpy += (
        "result = "
        + programs.call_text(
            function,
            "x",
            "kernel",
            *(["pointwise"] if separable else []),
            *bias,
            strides=settings["strides"],
            padding=settings["padding"],
            groups=settings["groups"] if not separable and settings["groups"] > 1 else None,
            activation=activation,
        )
        + "\n"
    )
    return Code(keras + programs.KERAS_RESULT, numpy)


def _concat_code(settings: Settings, planes: np.ndarray) -> Code:
    fewer = settings["channels"]
    numbers = programs.array_text("a", planes[1:-1, 1:-1, :fewer]) + programs.array_text("b", planes[..., fewer:])
    keras = programs.KERAS + "\n" + numbers + "\n"
    keras += "padded = keras.layers.ZeroPadding2D(1)(a[None])\n"
    keras += "output = keras.layers.Concatenate(axis=-1)([padded, b[None]])\n" + programs.KERAS_RESULT
    numpy = programs.NUMPY + "\n" + numbers + "\n"
    numpy += "padded = np.pad(a, ((1, 1), (1, 1), (0, 0)))\nresult = np.concatenate([padded, b], axis=-1)\n"
    return Code(keras, numpy)


BACKGROUND = """
A picture has channels (red, green, blue), a map inside a network has many. A **filter** is as deep as its input: one
$k × k$ kernel for each of the $C$ channels. Their results are added up, with one bias, into **one** map. $K$ filters
make $K$ maps:

$$K · (k · k · C)\\ \\text{weights} + K\\ \\text{biases}, \\qquad o · o · K · (k · k · C)\\ \\text{multiply-adds}$$

**Groups** divide channels and filters into $G$ parts that do not see each other: $G$ times fewer weights. With $G = C$
the convolution is **depthwise**.

**Depthwise separable** means depthwise first, then a **1×1** (pointwise) convolution across the channels. Against the
ordinary convolution it costs

$$\\frac{k·k·C·o·o + C·K·o·o}{k·k·C·K·o·o} = \\frac{1}{K} + \\frac{1}{k^2}$$

and $m$ times that with the depth multiplier $m$.

**1×1 convolutions** look at one place and mix its channels; they make maps fewer (a bottleneck) or more.

**A dense layer** between the same shapes has a weight for every pair of input and output. A convolution is that dense
layer with nearly all weights 0 (*local connectivity*) and the others equal from place to place (*weight sharing*).

*Sources:* I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, ch. 9 (2016; the edge with two weights);
M. Lin, Q. Chen, S. Yan, “Network in network”, ICLR 2014 (1×1); C. Szegedy et al., “Going deeper with convolutions”,
CVPR 2015 (depth concatenation); F. Chollet, “Xception: deep learning with depthwise separable convolutions”,
CVPR 2017; A. Howard et al., “MobileNets”, arXiv:1704.04861 (2017); S. Xie et al., “Aggregated residual transformations
for deep neural networks”, CVPR 2017 (groups).
"""

SCENE = Scene(
    name="channels",
    title="Channels and filters",
    question="How do many channels become many maps, and what does that cost?",
    controls=CONTROLS,
    presets=PRESETS,
    impossible=impossible,
    build=build,
    code=code,
    background=BACKGROUND,
    table=table,
)
