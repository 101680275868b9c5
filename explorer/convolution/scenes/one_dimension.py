"""Scene "One dimension": layers over a sequence, and how far each of their cells looks back and ahead."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.convolution import geometry, presets, programs, stacks
from explorer.convolution.formulas import LINE
from explorer.convolution.geometry import ConvolutionError, Growth, LayerShape
from explorer.convolution.grids import fitted
from explorer.convolution.scene import Code, Control, Preset, Scene, Settings
from explorer.convolution.scenes.parts import ACTIVATIONS, kernel_board
from explorer.convolution.stage import Fact, Letter, Lit, Stage, Steps
from explorer.convolution.sum_line import number_text
from explorer.convolution.tracing import Trace

MOST_LAYERS = 6
_PADDINGS = {"valid": "none (valid)", "same": "same", "causal": "causal"}


def _kernel_name(layer: int) -> str:
    return "kernel" if layer == 0 else f"kernel_{layer + 1}"


def _exists(layer: int) -> Any:
    return lambda settings: settings["layers"] > layer


CONTROLS = (
    Control("size", "Steps", "count", 16, low=1, high=32, help="How many numbers the sequence has."),
    Control("layers", "Layers", "count", 1, low=1, high=MOST_LAYERS, help="All have the same settings below."),
    Control("kernel_size", "Kernel", "count", 2, low=1, high=7, help="How many weights each layer's kernel has."),
    Control(
        "padding",
        "Padding",
        "choice",
        "causal",
        options=_PADDINGS,
        help="“causal” puts all zeros in front: no output sees a later input.",
    ),
    Control("dilation_rate", "Dilation", "count", 1, low=1, high=16, help="Steps between neighbouring weights."),
    Control(
        "doubling",
        "Double it each layer",
        "switch",
        False,
        help="Dilation 1, 2, 4, 8: the receptive field then grows exponentially.",
        shown=_exists(1),
    ),
    Control("strides", "Stride", "count", 1, low=1, high=4, main=False, help="How many steps the window moves."),
    Control("bias", "Bias", "number", 0.0, low=-1000, high=1000, step=1, main=False, help="Added to every sum."),
    Control("activation", "Activation", "choice", "linear", options=ACTIVATIONS, main=False),
    Control("input", "the input", "grid", None, most=(1, 32)),
    *(
        Control(_kernel_name(layer), f"the kernel of layer {layer + 1}", "grid", None, most=(1, 7))
        for layer in range(MOST_LAYERS)
    ),
)

PRESETS = (
    Preset(
        "dilated_1_2_4_8",
        "Four layers, dilation 1 2 4 8",
        {"layers": 4, "doubling": True},
    ),
    Preset("four_undilated", "Four layers, undilated", {"layers": 4}),
    Preset(
        "causal_1d",
        "Causal: 10 20 30",
        {"size": 3, "input": presets.grid("10 20 30"), "kernel": presets.grid("1 2")},
    ),
    Preset("shrinking_1d", "No padding: 16 → 11 → 6 → 1", {"layers": 3, "kernel_size": 6, "padding": "valid"}),
    Preset("same_1d", "“same” keeps 16", {"layers": 3, "kernel_size": 6, "padding": "same"}),
    Preset("looks_ahead", "“valid” looks ahead", {"size": 8, "kernel_size": 3, "padding": "valid"}),
    Preset(
        "jump",
        "Where does it jump?",
        {
            "size": 12,
            "padding": "valid",
            "input": presets.grid("2 2 2 2 7 7 7 7 3 3 3 3"),
            "kernel": presets.grid("-1 1"),
        },
    ),
    Preset("strided_1d", "Stride 2, three layers", {"layers": 3, "strides": 2, "padding": "causal"}),
)


def default_sequence(size: int) -> np.ndarray:
    """Return a wave of whole numbers from 0 to 8, `(1, size)`."""
    return np.round(4 + 4 * np.sin(np.arange(size) * np.pi / 4))[None]


def dilations(settings: Settings) -> list[int]:
    """Return the dilation of each layer."""
    first = settings["dilation_rate"]
    doubles = settings["doubling"] and settings["layers"] > 1
    return [first * 2**layer if doubles else first for layer in range(settings["layers"])]


def shapes(settings: Settings) -> list[LayerShape]:
    """Return what decides about the layers' sizes."""
    return [
        LayerShape(settings["kernel_size"], settings["strides"], rate, settings["padding"])
        for rate in dilations(settings)
    ]


def impossible(settings: Settings) -> str | None:
    """Return the sentence why these settings cannot be, or None."""
    try:
        grown = geometry.growth(shapes(settings), settings["size"])
    except ConvolutionError as error:
        return str(error)
    pads = stacks.zeros(shapes(settings), grown)
    for number, (before, around) in enumerate(zip(grown, pads, strict=False), start=1):
        most = max(around)
        if most >= before.size:
            cells = "1 cell" if before.size == 1 else f"{before.size} cells"
            return (
                f"layer {number} would put {most} zeros beside its {cells}: "
                "the outermost weight would see nothing but padding"
            )
    return None


def kernels(settings: Settings) -> list[np.ndarray]:
    """Return the numbers of each layer's kernel, `(k,)`."""
    default = np.ones((1, settings["kernel_size"]))
    return [fitted(settings[_kernel_name(layer)], default)[0] for layer in range(settings["layers"])]


def _sequence(settings: Settings) -> np.ndarray:
    return fitted(settings["input"], default_sequence(settings["size"]))[0]


def _steps_text(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _watched(settings: Settings, outputs: int) -> int:
    """Return the output whose view is marked: the pinned one, or the one in the middle."""
    pinned = settings.get("cell")
    return pinned if isinstance(pinned, int) and 0 <= pinned < outputs else outputs // 2


def build(settings: Settings) -> Stage:
    """Return the stage: the input and all layers below each other, the kernels beneath."""
    weights = kernels(settings)
    shape_list = shapes(settings)
    layers = [
        stacks.Layer(shape, kernel, settings["bias"], settings["activation"])
        for shape, kernel in zip(shape_list, weights, strict=True)
    ]
    sequence = _sequence(settings)
    grown = geometry.growth(shape_list, sequence.size)
    pads = [*stacks.zeros(shape_list, grown), (0, 0)]
    made = stacks.traces(sequence, layers)
    count = len(layers)
    names = ["input", *(f"layer_{number}" for number in range(1, count)), "output"]
    watched = _watched(settings, grown[-1].size)
    # Marks say what an output cannot have known at its own time.
    time = watched * grown[-1].jump
    seen = stacks.seen(made, watched)
    future = np.zeros(made[0].source.shape, dtype=bool)
    future.reshape(-1)[seen[(seen - pads[0][0] > time)]] = True
    future &= made[0].own[..., None]
    looked = bool(future.any())
    boards = [
        stacks.layer_board(
            "input",
            f"Input {grown[0].size}",
            made[0].source,
            pads[0],
            role="input",
            editable=True,
            marked=future if looked else None,
            mark_words=f"later than output {watched + 1}, and seen by it" if looked else "",
        )
    ]
    for number, one in enumerate(made, start=1):
        last = number == count
        here = np.zeros(one.target.shape, dtype=bool)
        here[0, watched] = True
        title = "Output" if last else f"Layer {number}:"
        boards.append(
            stacks.layer_board(
                names[number],
                f"{title} {grown[number].size} ({stacks.reach_text(grown[number])})",
                one.target,
                pads[number],
                marked=here if last and looked else None,
                mark_words=f"output {watched + 1}, which looks ahead" if last and looked else "",
            )
        )
    kernel_names = [_kernel_name(layer) for layer in range(count)]
    for layer, kernel in enumerate(weights):
        title = "Kernel" if count == 1 else f"Kernel {layer + 1}:"
        boards.append(kernel_board(kernel_names[layer], title, kernel[None, :, None], editable=True))
    return Stage(
        boards=tuple(boards),
        links=stacks.links(made, names, kernel_names, "convolution"),
        rows=(*((name,) for name in names), tuple(kernel_names)),
        steps=Steps(count - 1, "target", np.arange(grown[-1].size, dtype=np.int32)),
        result="output",
        layout="stack",
        formula=_formula(settings, grown, pads[-2], made, names, kernel_names),
        facts=_facts(settings, grown, pads[-2]),
        notes=tuple(_notes(settings, grown)),
    )


def _size_calculation(settings: Settings, before: Growth, after: Growth, padding: int, rate: int) -> str:
    dilated = f"{rate}·" if rate > 1 else ""
    return (
        f"⌊({before.size} + {padding} − {dilated}({settings['kernel_size']} − 1) − 1)/"
        f"{settings['strides']}⌋ + 1 = {after.size}"
    )


def _facts(settings: Settings, grown: list[Growth], pad: tuple[int, int]) -> tuple[Fact, ...]:
    k, count, rates = settings["kernel_size"], settings["layers"], dilations(settings)
    end = grown[-1]
    spread = " + ".join(
        f"{f'{rate}·' if rate > 1 else ''}{f'{before.jump}·' if before.jump > 1 else ''}({k} − 1)"
        for rate, before in zip(rates, grown, strict=False)
    )
    sizes = " → ".join(str(one.size) for one in grown)
    calculation = _size_calculation(settings, grown[-2], end, sum(pad), rates[-1])
    facts = [
        Fact("Output", str(end.size), calculation if count == 1 else f"{sizes}; {calculation}", "size", (end.size,)),
        Fact("Receptive field", str(end.receptive_field), f"1 + {spread} = {end.receptive_field}"),
        Fact(
            "Looks back",
            _steps_text(stacks.back(end)),
            "from an output's own time to the first input that it sees",
        ),
        Fact(
            "Looks ahead",
            _steps_text(stacks.ahead(end)),
            "into the future: later inputs that it sees" if stacks.ahead(end) else "causal: no later input is seen",
        ),
        Fact(
            "Weights and biases",
            str(count * (k + 1)),
            f"{k} + 1 = {k + 1}" if count == 1 else f"{count} layers · ({k} + 1) = {count * (k + 1)}",
            "count",
            (float(count * (k + 1)),),
        ),
    ]
    return tuple(facts)


def _formula(
    settings: Settings,
    grown: list[Growth],
    pad: tuple[int, int],
    made: list[Trace],
    names: list[str],
    kernel_names: list[str],
) -> tuple[Letter, ...]:
    before, after = grown[-2], grown[-1]
    last = made[-1]
    source, kernel = names[-2], kernel_names[-1]
    k, s, rate = settings["kernel_size"], settings["strides"], dilations(settings)[-1]
    spanned = geometry.span(k, rate)
    own = tuple(range(pad[0], pad[0] + before.size))
    around = tuple(cell for cell in range(last.source.size) if cell not in own)
    gaps = tuple(cell for cell in range(spanned) if cell % rate)
    whose = "of the last layer" if settings["layers"] > 1 else "of the layer"

    def light(board: str, cells: tuple[int, ...]) -> tuple[Lit, ...]:
        return (Lit(board, cells),) if cells else ()

    outputs = light("output", tuple(range(after.size)))
    weights = light(kernel, tuple(range(k)))
    total = sum(pad)
    return (
        Letter("o", f"o: cells of the output = {after.size}", outputs),
        Letter(" = ⌊("),
        Letter("n", f"n: cells that the layer reads = {before.size}", light(source, own)),
        Letter(" + "),
        Letter(
            "p",
            f"p: zeros in all = {total}: {pad[0]} before, {pad[1]} after",
            light(source, around),
        ),
        Letter(" − "),
        Letter("d", f"d: dilation {whose} = {rate}", light(source, gaps)),
        Letter("("),
        Letter("k", f"k: weights of the kernel = {k}", weights),
        Letter(" − 1) − 1)/"),
        Letter("s", f"s: stride = {s}", light(source, tuple(range(s)) if after.size > 1 else ())),
        Letter("⌋ + 1"),
        LINE,
        Letter("y", f"y: the output {whose}", outputs),
        Letter("[t] = "),
        Letter("b", f"b: the bias = {number_text(settings['bias'])}"),
        Letter(" + Σᵢ "),
        Letter("w", f"w: the weights {whose}", weights),
        Letter("[i] · "),
        Letter("x", "x: what the layer reads; 0 outside", light(source, own)),
        Letter(f"[s·t + d·i − {pad[0]}]"),
        LINE,
        Letter("r", f"r: receptive field, inputs from the first to the last that an output sees = "
               f"{after.receptive_field}", _field(made, grown)),
        Letter(" = 1 + Σ d·(k − 1)·"),
        Letter("j", "j: the jump, inputs between neighbours of what layer l reads: the product of the strides "
               f"before it = {', '.join(str(one.jump) for one in grown[:-1])}"),
        Letter(", added up over the layers"),
    )  # fmt: skip


def _field(made: list[Trace], grown: list[Growth]) -> tuple[Lit, ...]:
    """Return the cells of the input that the last output sees."""
    return (Lit("input", tuple(stacks.seen(made, grown[-1].size - 1).tolist())),)


def _zeros_text(pads: list[tuple[int, int]]) -> str:
    """Return how many zeros stand before and after what each layer reads."""
    before, after = pads[0]
    if any(pad != pads[0] for pad in pads):
        listed = ", ".join(f"{before} + {after}" for before, after in pads)
        return f"Zeros before + after, from layer 1 to {len(pads)}: {listed}"
    zeros = "1 zero" if before + after == 1 else f"{before + after} zeros"
    return f"{zeros}{' a layer' if len(pads) > 1 else ''}, {before} before and {after} after"


def _notes(settings: Settings, grown: list[Growth]) -> list[str]:
    end, k, s = grown[-1], settings["kernel_size"], settings["strides"]
    notes = []
    if stacks.ahead(end):
        notes.append(
            f"“{settings['padding']}” looks into the future: output t sees inputs up to "
            f"{f't + {stacks.ahead(end)}' if end.jump == 1 else f'{end.jump}·(t − 1) + {stacks.ahead(end) + 1}'} →. "
            "A forecast trained so would have seen its answer; the marked cells are later than the marked output."
            + (" Pin another output to mark its future." if "cell" in settings else "")
        )
    if settings["padding"] == "causal" and settings["layers"] > 1:
        notes.append(
            f"{settings['layers']} causal layers of width {k} look back {_steps_text(stacks.back(end))}"
            + (
                ", with a dilation that doubles; without it they would look back "
                f"{(k - 1) * settings['layers'] * settings['dilation_rate']}."
                if settings["doubling"] and s == 1
                else "; doubling the dilation from layer to layer reaches back exponentially further."
                if s == 1
                else "."
            )
        )
    if settings["padding"] == "valid" and settings["layers"] > 1:
        more = impossible({**settings, "layers": settings["layers"] + 1})
        lost = geometry.span(k, dilations(settings)[-1]) - 1
        sentence = (
            f"Without padding each layer takes {lost} {'cell' if lost == 1 else 'cells'} away"
            if not settings["doubling"] and s == 1
            else ""
        )
        if settings["layers"] < MOST_LAYERS and more:
            sentence += ("; " if sentence else "") + f"no further layer fits: {more}"
        if sentence:
            notes.append(sentence[0].upper() + sentence[1:] + ".")
    if settings["padding"] == "same":
        pads = stacks.zeros(shapes(settings), grown)
        if any(before != after for before, after in pads):
            notes.append(f"{_zeros_text(pads)}: of an odd number “same” puts the larger part behind.")
    if s > 1 and max(dilations(settings)) > 1:
        notes.append("Keras' layer refuses a stride together with a dilation; the shown code skips steps afterwards.")
    return notes


def table(settings: Settings) -> list[dict[str, Any]]:
    """Return one row for each layer: its setting, its size, and what its cells see."""
    rates = dilations(settings)
    grown = geometry.growth(shapes(settings), settings["size"])
    pads = stacks.zeros(shapes(settings), grown)
    return [
        {
            "Layer": number,
            "Kernel": settings["kernel_size"],
            "Dilation": rate,
            "Stride": settings["strides"],
            "Zeros before": before,
            "Zeros after": after,
            "Cells": one.size,
            "Receptive field": one.receptive_field,
            "Looks back": stacks.back(one),
            "Looks ahead": stacks.ahead(one),
        }
        for number, (rate, one, (before, after)) in enumerate(zip(rates, grown[1:], pads, strict=True), start=1)
    ]


def code(settings: Settings) -> Code:
    """Return the programs that compute the last layer's output, `(steps, 1)`."""
    rates, grown = dilations(settings), geometry.growth(shapes(settings), settings["size"])
    padding, s, activation = settings["padding"], settings["strides"], settings["activation"]
    numbers = programs.array_text("x", _sequence(settings)).replace(")\n", ")[:, None]  # (steps, channels)\n")
    rows = [f"    np.array([{', '.join(map(programs.number_text, kernel))}], dtype=float),\n"
            for kernel in kernels(settings)]  # fmt: skip
    numbers += "kernels = [\n" + "".join(rows) + "]\n"
    numbers += f"bias = np.array([{programs.number_text(settings['bias'])}])\n"
    numbers += f"dilations = {rates}\n"
    clash = s > 1 and max(rates) > 1
    keras = programs.KERAS + "\n" + numbers
    if clash:
        keras += f"zeros = {stacks.zeros(shapes(settings), grown)}\n"
    keras += "\noutput = x[None]\n"
    if clash:
        keras += "for kernel, dilation_rate, around in zip(kernels, dilations, zeros):\n"
        keras += "    output = np.pad(output, ((0, 0), around, (0, 0)))\n"
    else:
        keras += "for kernel, dilation_rate in zip(kernels, dilations):\n"
    layer = [
        "1",
        str(settings["kernel_size"]),
        f"strides={1 if clash else s}",
        f'padding="{"valid" if clash else padding}"',
        "dilation_rate=dilation_rate",
        *([f'activation="{activation}"'] if activation != "linear" else []),
    ]
    keras += f"    layer = keras.layers.Conv1D({', '.join(layer)})\n"
    keras += "    layer.build(output.shape)\n    layer.set_weights([kernel[:, None, None], bias])\n"
    if clash:
        keras += "    # Keras takes no stride together with a dilation: some positions are left out afterwards.\n"
        keras += f"    output = keras.ops.convert_to_numpy(layer(output))[:, ::{s}]\n"
        keras += "result = output[0]\n"
    else:
        keras += "    output = layer(output)\n" + programs.KERAS_RESULT
    numpy = programs.NUMPY + "\nfrom explorer.convolution.operations import conv1d\n\n" + numbers
    call = programs.call_text(
        "conv1d",
        "output",
        "kernel[:, None, None]",
        "bias",
        strides=s if s > 1 else None,
        padding=padding,
        activation=activation if activation != "linear" else None,
    )
    numpy += "\noutput = x\nfor kernel, dilation_rate in zip(kernels, dilations):\n"
    numpy += f"    output = {call[:-1]}, dilation_rate=dilation_rate)\nresult = output\n"
    return Code(keras, numpy)


BACKGROUND = """
A sequence (sound, text, a sensor, a column of prices) is convolved like a picture with one axis. Its layer is
`Conv1D`, its input has the shape (steps, channels).

$$y[t] = b + \\sum_i w[i]\\, x[s t + d i - p]$$

**Which inputs may an output see?** With `valid`, output $t$ sees inputs $t$ to $t + d(k-1)$; with `same` about as
many before as after it. Both look into the future. To forecast, all padding goes in front (`causal`): output $t$ then
sees nothing later than input $t$.

**How far back?** In a stack the receptive field is $r = 1 + \\sum_l d_l (k_l - 1) j_l$, where the jump $j_l$ is the
product of the strides before layer $l$. Four layers of width 2 look back 4 steps; with dilation 1, 2, 4, 8 they look
back 15 with as many weights.

**Without padding** a layer takes $d(k-1)$ cells away: 16 samples and width 6 make 11, 6 and 1, and then no layer fits.

*Sources:* A. van den Oord et al., “WaveNet: a generative model for raw audio”, arXiv:1609.03499 (2016), section 2.1;
S. Bai, J. Z. Kolter, V. Koltun, “An empirical evaluation of generic convolutional and recurrent networks for sequence
modeling”, arXiv:1803.01271 (2018); A. Araujo, W. Norris, J. Sim, “Computing receptive fields of convolutional neural
networks”, Distill (2019).
"""

SCENE = Scene(
    name="one_dimension",
    title="One dimension",
    question="What does a layer over a sequence see: how far back, and does it look into the future?",
    controls=CONTROLS,
    presets=PRESETS,
    impossible=impossible,
    build=build,
    code=code,
    background=BACKGROUND,
    table=table,
)
