"""Scene "Growing": layers behind each other, how sizes shrink or hold, how the receptive field and the weights grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explorer.convolution import geometry, programs, stacks
from explorer.convolution.formulas import LINE
from explorer.convolution.geometry import ConvolutionError, Growth, LayerShape
from explorer.convolution.scene import Code, Control, Preset, Scene, Settings
from explorer.convolution.scenes.parts import count_text, too_much
from explorer.convolution.stage import Fact, Letter, Lit, Stage, Steps
from explorer.convolution.tracing import Trace

MOST_LAYERS = 8
_PADDINGS = {"valid": "none (valid)", "same": "same", "causal": "causal"}


def _choices() -> dict[str, LayerShape]:
    """Return the layers to choose from by their names in links: "3", "3s2", "3d4", "p2", "p3s2"."""
    chosen = {str(k): LayerShape(k) for k in range(1, 8)}
    chosen |= {f"{k}s{s}": LayerShape(k, strides=s) for k in (1, 2, 3, 4, 5, 7) for s in (2,)}
    chosen |= {"3s3": LayerShape(3, strides=3), "4s4": LayerShape(4, strides=4), "7s4": LayerShape(7, strides=4)}
    chosen |= {f"{k}d{d}": LayerShape(k, dilation_rate=d) for k in (2, 3, 5) for d in (2, 4, 8)}
    pools = {"p2": (2, 2), "p3": (3, 3), "p3s2": (3, 2), "p3s1": (3, 1)}
    return chosen | {name: LayerShape(k, strides=s, kind="pool") for name, (k, s) in pools.items()}


LAYERS = _choices()


def layer_text(shape: LayerShape) -> str:
    """Return a layer as it is printed: "3×3, stride 2"."""
    text = f"{shape.kernel_size}×{shape.kernel_size}"
    usual = shape.kernel_size if shape.kind == "pool" else 1
    if shape.kind == "pool":
        text = "pool " + text
    if shape.strides != usual:
        text += f", stride {shape.strides}"
    if shape.dilation_rate != 1:
        text += f", dilation {shape.dilation_rate}"
    return text


def _exists(layer: int) -> Any:
    return lambda settings: settings["layers"] > layer


_LAYER_TEXTS = {name: layer_text(shape) for name, shape in LAYERS.items()}

CONTROLS = (
    Control("size", "Input", "count", 13, low=1, high=32, help="Rows and columns of a square input."),
    Control("layers", "Layers", "count", 3, low=1, high=MOST_LAYERS, help="How many stand behind each other."),
    Control(
        "padding",
        "Padding",
        "choice",
        "valid",
        options=_PADDINGS,
        help="Of every layer: none shrinks the maps, “same” holds their size at stride 1.",
    ),
    *(
        Control(
            f"layer_{layer + 1}",
            f"Layer {layer + 1}",
            "choice",
            "3",
            options=_LAYER_TEXTS,
            shown=_exists(layer),
        )
        for layer in range(MOST_LAYERS)
    ),
    Control(
        "channels",
        "Channels",
        "count",
        64,
        low=1,
        high=2048,
        main=False,
        help="K: channels into and out of every layer, for counting its weights.",
    ),
    Control(
        "alternatives",
        "The same field with fewer weights?",
        "switch",
        False,
        main=False,
        help="Lists other stacks that see at least as far, by their weights.",
    ),
)


def _stack(*names: str) -> dict[str, Any]:
    """Return the settings of a stack; layers that a visitor adds are like its last one."""
    padded = [*names, *[names[-1]] * (MOST_LAYERS - len(names))]
    return {"layers": len(names)} | {f"layer_{number}": name for number, name in enumerate(padded, start=1)}


PRESETS = (
    Preset("three_3x3", "Three 3×3", _stack("3", "3", "3")),
    Preset("one_7x7", "One 7×7", {**_stack("7"), "alternatives": True}),
    Preset("shrinking", "16 samples, width 6", {**_stack("6", "6", "6"), "size": 16}),
    Preset("holding", "16 samples, width 6, “same”", {**_stack("6", "6", "6"), "size": 16, "padding": "same"}),
    Preset("vgg_start", "Like VGG: 3×3, 3×3, pool", {**_stack("3", "3", "p2", "3", "3", "p2"), "size": 16,
                                                    "padding": "same"}),
    Preset("resnet_start", "Like ResNet: 7×7 stride 2, pool, 3×3", {**_stack("7s2", "p3s2", "3", "3"), "size": 32,
                                                                  "padding": "same"}),
    Preset("fewest_weights", "A field of 15 with fewest weights", {
        **_stack("3", "3", "3", "3", "3", "3", "3"), "size": 17, "alternatives": True}),
    Preset("causal_dilations", "Causal, dilation 1 2 4 8", {
        **_stack("2", "2d2", "2d4", "2d8"), "size": 16, "padding": "causal"}),
    Preset("three_dilated", "3×3 with dilation 1 2 4", {**_stack("3", "3d2", "3d4"), "size": 17}),
)  # fmt: skip


def shapes(settings: Settings) -> list[LayerShape]:
    """Return the layers with the padding that all have."""
    return [
        replace(LAYERS[settings[f"layer_{number}"]], padding=settings["padding"])
        for number in range(1, settings["layers"] + 1)
    ]


def impossible(settings: Settings) -> str | None:
    """Return the sentence why these settings cannot be, or None."""
    layers = shapes(settings)
    try:
        grown = geometry.growth(layers, settings["size"])
    except ConvolutionError as error:
        return str(error)
    pads = stacks.zeros(layers, grown)
    for number, (before, around) in enumerate(zip(grown, pads, strict=False), start=1):
        if max(around) >= before.size:
            cells = "1 cell" if before.size == 1 else f"{before.size} cells"
            return (
                f"layer {number} would put {max(around)} zeros beside its {cells}: "
                "the outermost weight would see nothing but padding"
            )
    terms = sum(one.size * layer.kernel_size for one, layer in zip(grown[1:], layers, strict=True))
    return too_much(terms, sum(one.size + sum(around) for one, around in zip(grown, [*pads, (0, 0)], strict=True)))


def weights_of(layer: LayerShape) -> int:
    """Return the weights of a layer for one channel in and out: k², or none for a pool."""
    return 0 if layer.kind == "pool" else layer.kernel_size**2


def build(settings: Settings) -> Stage:
    """Return the stage: a row of cells for each layer, every number a count of paths from the input."""
    layers = shapes(settings)
    count = len(layers)
    grown = geometry.growth(layers, settings["size"])
    pads = [*stacks.zeros(layers, grown), (0, 0)]
    made = stacks.traces(np.ones(settings["size"]), [stacks.Layer(shape) for shape in layers])
    names = ["input", *(f"layer_{number}" for number in range(1, count)), "output"]
    boards = [stacks.layer_board("input", f"Input {grown[0].size}", made[0].source, pads[0], role="input")]
    for number, (one, shape) in enumerate(zip(made, layers, strict=True), start=1):
        title = "Output" if number == count else f"Layer {number}:"
        here = grown[number]
        boards.append(
            stacks.layer_board(
                names[number],
                f"{title} {here.size} ({layer_text(shape)}; sees {here.receptive_field})",
                one.target,
                pads[number],
            )
        )
    middle = grown[-1].size // 2
    boards.append(
        stacks.layer_board(
            "paths",
            f"Paths from each input cell to output {middle + 1}",
            stacks.paths(made, middle),
            pads[0],
            role="input",
            stands_for="input",
        )
    )
    return Stage(
        boards=tuple(boards),
        links=tuple(
            replace(link, words="pooling" if shape.kind == "pool" else "convolution")
            for link, shape in zip(stacks.links(made, names, [None] * count, ""), layers, strict=True)
        ),
        rows=(*((name,) for name in names), ("paths",)),
        steps=Steps(count - 1, "target", np.arange(grown[-1].size, dtype=np.int32)),
        result="output",
        layout="stack",
        formula=_formula(layers, grown, made, names),
        facts=_facts(settings, layers, grown),
        notes=_notes(settings, layers, grown),
    )


def _size_calculation(before: Growth, after: Growth, layer: LayerShape, pad: tuple[int, int]) -> str:
    dilated = f"{layer.dilation_rate}·" if layer.dilation_rate > 1 else ""
    return f"⌊({before.size} + {sum(pad)} − {dilated}({layer.kernel_size} − 1) − 1)/{layer.strides}⌋ + 1 = {after.size}"


def _facts(settings: Settings, layers: list[LayerShape], grown: list[Growth]) -> tuple[Fact, ...]:
    end, channels = grown[-1], settings["channels"]
    pad = stacks.zeros(layers, grown)[-1]
    sizes = " → ".join(str(one.size) for one in grown)
    spread = " + ".join(
        f"{f'{layer.dilation_rate}·' if layer.dilation_rate > 1 else ''}({layer.kernel_size} − 1)"
        f"{f'·{before.jump}' if before.jump > 1 else ''}"
        for layer, before in zip(layers, grown, strict=False)
    )
    single = sum(weights_of(layer) for layer in layers)
    squares = " + ".join(f"{layer.kernel_size}²" for layer in layers if weights_of(layer)) or "0"
    whole = single * channels**2
    facts = [
        Fact("Output", str(end.size), f"{sizes}; {_size_calculation(grown[-2], end, layers[-1], pad)}", "size",
             (float(end.size),)),
        Fact("Receptive field", f"{end.receptive_field} × {end.receptive_field}",
             f"1 + {spread} = {end.receptive_field}"),
        Fact("Jump", str(end.jump), "input cells between the fields of two neighbours: the product of all strides"),
        Fact("Weights for one channel", str(single), f"{squares} = {single}", "count", (float(single),)),
        Fact(f"Weights for K = {channels} channels", count_text(whole),
             f"{single}·K² = {single} · {channels}² = {whole:,} (without biases)", "count", (float(whole),)),
    ]  # fmt: skip
    field = end.receptive_field
    if single and single != field**2:
        facts.append(
            Fact(
                f"One {field}×{field} layer instead",
                f"{field**2}·K²",
                f"{field**2} / {single} = {field**2 / single:.2f} times the weights, for the same field",
            )
        )
    return tuple(facts)


def _formula(layers: list[LayerShape], grown: list[Growth], made: list[Trace], names: list[str]) -> tuple[Letter, ...]:
    count = len(layers)

    def listed(values: list[int]) -> str:
        return ", ".join(map(str, values))

    field = Lit("input", tuple(stacks.seen(made, grown[-1].size // 2).tolist()))
    neighbours: tuple[Lit, ...] = ()
    if grown[-1].size > 1:
        # Cells at the front that only the first of two neighbouring outputs can see: the jump, drawn.
        first, second = (set(stacks.seen(made, cell).tolist()) for cell in (0, 1))
        neighbours = (Lit("input", tuple(sorted(first - second))),)
    outputs = tuple(range(grown[-1].size))
    return (
        Letter(
            "r",
            f"r: receptive field, input cells from the first to the last that an output sees = "
            f"{grown[-1].receptive_field}",
            (field,),
        ),
        Letter(" = 1 + Σ "),
        Letter("d", f"d: dilation from layer 1 to {count} = {listed([layer.dilation_rate for layer in layers])}"),
        Letter("·("),
        Letter("k", f"k: kernel size from layer 1 to {count} = {listed([layer.kernel_size for layer in layers])}"),
        Letter(" − 1)·"),
        Letter(
            "j",
            f"j: jump of what each layer reads, the product of the strides before it = "
            f"{listed([one.jump for one in grown[:-1]])}",
            neighbours,
        ),
        Letter(", added up over the layers"),
        LINE,
        Letter(
            "o", f"o: cells behind layers 1 to {count} = {listed([one.size for one in grown[1:]])}",
            (Lit("output", outputs),),
        ),
        Letter(" = ⌊("),
        Letter(
            "n", f"n: cells that layers 1 to {count} read = {listed([one.size for one in grown[:-1]])}",
            (Lit(names[-2], tuple(np.flatnonzero(made[-1].own).tolist())),),
        ),
        Letter(" + "),
        Letter(
            "p",
            f"p: zeros in all that layers 1 to {count} put around it = "
            f"{listed([sum(pad) for pad in stacks.zeros(layers, grown)])}",
            tuple(
                Lit(name, tuple(np.flatnonzero(~one.own).tolist()))
                for name, one in zip(names, made, strict=False) if not one.own.all()
            ),
        ),
        Letter(" − d(k − 1) − 1)/"),
        Letter("s", f"s: stride from layer 1 to {count} = {listed([layer.strides for layer in layers])}"),
        Letter("⌋ + 1"),
    )  # fmt: skip


def _notes(settings: Settings, layers: list[LayerShape], grown: list[Growth]) -> tuple[str, ...]:
    notes = [
        "A section through the layers. All weights and inputs are 1 (a pool adds its window up), so every number "
        "counts the paths that lead from the input to that cell."
    ]
    count = len(layers)
    if count < MOST_LAYERS:
        why = impossible({**settings, "layers": count + 1})
        if why:
            notes.append(f"No further layer of this kind fits: {why}.")
    field, single = grown[-1].receptive_field, sum(map(weights_of, layers))
    plain = all(layer.strides == 1 and layer.kind == "conv" for layer in layers)
    if plain and field == 7 and single == 27:
        notes.append(
            "Three 3×3 layers see 7×7 like one 7×7 layer: 27·K² weights against 49·K², and two more activations "
            "between them. A slide prints 3·(3·3·K) and 7·7·K, which forgets the second K."
        )
    if settings["alternatives"]:
        better = [one for one in alternatives(field) if one.weights < single]
        if better and plain:
            best = better[0]
            notes.append(
                f"Fewest weights for a field of at least {field} without gaps: {best.text}, {best.weights}·K²."
                + _wide_text(field) * (best.weights > 9)
            )
        elif not plain:
            notes.append("Strides and pools widen the field too, but the output then has fewer cells.")
    return tuple(notes)


def skips(layers: Sequence[LayerShape]) -> bool:
    """Return whether an output of a stack leaves out cells between the first and the last that it sees."""
    seen = {0}
    for layer in reversed(layers):
        seen = {
            cell * layer.strides + weight * layer.dilation_rate for cell in seen for weight in range(layer.kernel_size)
        }
    return len(seen) <= max(seen)


def _wide_text(field: int) -> str:
    """Return the sentence about kernels that are dilated so widely that they skip inputs."""
    rate = field // 2
    return (
        " Wider dilation needs fewer still, but skips inputs: "
        f"one 3×3 with dilation {rate} spans {2 * rate + 1} × {2 * rate + 1} and reads 9 cells of it."
    )


@dataclass(frozen=True)
class Alternative:
    """A stack of stride 1 that sees far enough.

    Attributes:
        text: its layers, printed.
        layers: the layers.
        field: its receptive field.
        weights: for one channel in and out.
    """

    text: str
    layers: tuple[LayerShape, ...]
    field: int
    weights: int


def _alternative(text: str, layers: list[LayerShape]) -> Alternative:
    field = 1 + sum(layer.dilation_rate * (layer.kernel_size - 1) for layer in layers)
    return Alternative(text, tuple(layers), field, sum(map(weights_of, layers)))


def alternatives(field: int) -> list[Alternative]:
    """Return stacks of stride 1 that see at least `field` cells without gaps, those with fewest weights first.

    Equal layers of one width (2, 3, 5, 7), undilated or with a dilation that doubles from layer to layer.
    """
    if field <= 1:
        return [_alternative("one 1×1", [LayerShape(1)])]
    found: list[Alternative] = [_alternative(f"one {field}×{field}", [LayerShape(field)])]
    for k in (2, 3, 5, 7):
        count = -(-(field - 1) // (k - 1))
        if count > 1 or k != field:
            found.append(_alternative(f"{count} × {k}×{k}", [LayerShape(k)] * count))
        # 1 + (k − 1)(1 + 2 + 4 + …) reaches the field with the first n for which (k − 1)(2ⁿ − 1) is enough.
        deep = next(n for n in range(1, 12) if (k - 1) * (2**n - 1) >= field - 1)
        if 1 < deep < count:
            rates = [2**n for n in range(deep)]
            found.append(
                _alternative(
                    f"{deep} × {k}×{k}, dilation {' '.join(map(str, rates))}",
                    [LayerShape(k, dilation_rate=rate) for rate in rates],
                )
            )
    return sorted(found, key=lambda one: (one.weights, len(one.layers)))


def table(settings: Settings) -> list[dict[str, Any]]:
    """Return one row for each layer, or for each stack that sees as far."""
    layers, channels = shapes(settings), settings["channels"]
    grown = geometry.growth(layers, settings["size"])
    if settings["alternatives"]:
        own = sum(map(weights_of, layers))
        field = grown[-1].receptive_field
        rows = [("this stack" + " (skips inputs)" * skips(layers), len(layers), field, own)]
        rows += [(one.text, len(one.layers), one.field, one.weights) for one in alternatives(field)]
        return [
            {
                "Stack": text,
                "Layers": count,
                "Receptive field": sees,
                "Weights for one channel": weights,
                f"Weights for {channels} channels": weights * channels**2,
                "Of this stack's": f"{100 * weights / own:.0f} %" if own else "",
            }
            for text, count, sees, weights in sorted(rows, key=lambda row: row[3])
        ]
    pads = stacks.zeros(layers, grown)
    return [
        {
            "Layer": number,
            "Kind": layer_text(layer),
            "Zeros before": before,
            "Zeros after": after,
            "Cells": one.size,
            "Receptive field": one.receptive_field,
            "Jump": one.jump,
            "Weights for one channel": weights_of(layer),
            f"Weights for {channels} channels": weights_of(layer) * channels**2,
        }
        for number, (layer, one, (before, after)) in enumerate(zip(layers, grown[1:], pads, strict=True), start=1)
    ]


def code(settings: Settings) -> Code:
    """Return the programs that count the paths to each output, `(steps, 1)`."""
    layers = shapes(settings)
    pads = stacks.zeros(layers, geometry.growth(layers, settings["size"]))
    keras = programs.KERAS + f"\noutput = np.ones((1, {settings['size']}, 1))  # a section: one axis, one channel\n"
    numpy = programs.NUMPY + "\nfrom explorer.convolution.operations import conv1d\n\n"
    numpy += f"output = np.ones(({settings['size']}, 1))  # a section: one axis, one channel\n"
    for number, (layer, pad) in enumerate(zip(layers, pads, strict=True), start=1):
        k, s, d = layer.kernel_size, layer.strides, layer.dilation_rate
        keras += f"\n# Layer {number}: {layer_text(layer)}\n"
        if pad != (0, 0):
            keras += f"output = np.pad(output, ((0, 0), {pad}, (0, 0)))\n"
        if layer.kind == "pool":
            keras += f"layer = keras.layers.AveragePooling1D({k}, strides={s})\n"
            keras += f"output = keras.ops.convert_to_numpy(layer(output)) * {k}  # the window's sum counts its paths\n"
        else:
            options = f", strides={s}" * (s > 1) + f", dilation_rate={d}" * (d > 1)
            keras += f'layer = keras.layers.Conv1D(1, {k}{options}, use_bias=False, kernel_initializer="ones")\n'
            keras += "output = keras.ops.convert_to_numpy(layer(output))\n"
        options = f", strides={s}" * (s > 1) + f", dilation_rate={d}" * (d > 1) + f", padding={pad}" * (pad != (0, 0))
        words = f"  # {layer_text(layer)}: its sum" if layer.kind == "pool" else ""
        numpy += f"output = conv1d(output, np.ones(({k}, 1, 1)){options}){words}\n"
    return Code(keras + "\nresult = output[0]\n", numpy + "result = output\n")


BACKGROUND = """
One cell of a deep layer sees a patch of the input, its **receptive field**. Each layer widens it by
$d(k-1)$ times the **jump** $j$, the product of all strides before it:

$$r = 1 + \\sum_l d_l (k_l - 1) j_l, \\qquad j_l = \\prod_{i<l} s_i$$

**Weights add up, they do not multiply.** With $K$ channels in and out, one $7×7$ layer has $49K^2$ weights, three
$3×3$ layers with the same field $27K^2$. Dilation widens the field without any further weights; strides and pools
widen it too, and shrink the maps.

**Not all of the field counts alike.** Many more paths lead from its middle to the cell than from its rim (the row
of paths counts them); in trained nets the *effective* receptive field is a blurred spot in the middle of it.

**Sizes.** Without padding a layer takes $d(k-1)$ cells away; at some depth none are left. “same” adds as many zeros.

*Sources:* K. Simonyan, A. Zisserman, “Very deep convolutional networks”, ICLR 2015, section 2.3; A. Araujo,
W. Norris, J. Sim, “Computing receptive fields of convolutional neural networks”, Distill (2019); W. Luo and others,
“Understanding the effective receptive field in deep convolutional neural networks”, NeurIPS 2016; F. Yu, V. Koltun,
“Multi-scale context aggregation by dilated convolutions”, ICLR 2016.
"""

SCENE = Scene(
    name="growing",
    title="Growing",
    question="How do sizes, receptive field and weights grow when layers stand behind each other?",
    controls=CONTROLS,
    presets=PRESETS,
    impossible=impossible,
    build=build,
    code=code,
    background=BACKGROUND,
    table=table,
)
