"""What is asked for on the filters page: its declared state, and the plans of gradient ascent that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from explorer.ascent.results import NO_TRANSFORMS, DreamPlan, Plan, Regularisers, Transforms
from explorer.interface.state import Item, PageState
from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry
from explorer.networks.structure import LayerInfo, Structure

NO_REGULARISERS = Regularisers(0.0, 0.0, 0.0, 0.0, 0.0)
MOST_PICKS = 16
MOST_DREAM_LAYERS = 4
FIRST_NETWORK = "drawn_robust"

MODES = {"classes": "Classes", "channels": "Channels", "regularise": "Why regularise?", "dream": "Dream"}
CLASS_OBJECTIVES = {"class_evidence": "Evidence in the middle", "class": "Logit"}
CHANNEL_OBJECTIVES = {"channel": "Whole map", "neuron": "Its central value"}
PARAMETERISATIONS = {"fourier": "Fourier", "pixels": "Pixels"}
COLOURS = {"drawn": "Drawn world's", "imagenet": "ImageNet's", "none": "None"}
STARTS = {"noise": "Noise", "grey": "Grey", "picture": "My picture", "sheet": "The ready image"}
SIZES = {
    "0": "The network's own", "64": "64 pixels", "96": "96 pixels", "128": "128 pixels", "160": "160 pixels",
    "224": "224 pixels",
}  # fmt: skip
NAMES = {"shown": "Names", "hidden": "Guess first"}
WEIGHTS = {"trained": "Trained", "random": "Random"}

# What a plan is by itself has one home; the page adds limits and words.
_PLAN = Plan("")
_DREAM = DreamPlan("")

# What nobody has trained wants nothing in particular.
TRAINED = tuple(one.name for one in catalogue.entries() if one.weights is not None)

STATE = PageState(
    "filters",
    [
        Item("network", FIRST_NETWORK, "Network", options=TRAINED),
        Item("mode", "classes", "What is grown", options=tuple(MODES)),
        Item("layer", None, "Layer", help="Layers with maps, after their activation."),
        Item("picks", "", "Picked"),
        Item("page", 1, "Page of images"),
        Item("names", "shown", "Names", options=tuple(NAMES), help="Guess first: shuffled, and without names."),
        Item("subject", None, "Class"),
        Item("weights", "trained", "Weights", options=tuple(WEIGHTS)),
        Item(
            "class_objective",
            "class_evidence",
            "What is made large",
            options=tuple(CLASS_OBJECTIVES),
            help="The class's evidence in the middle of the last maps, against all other classes: one object in the "
            "middle. The logit: as much as possible everywhere.",
        ),
        Item(
            "channel_objective",
            "channel",
            "What is made large",
            options=tuple(CHANNEL_OBJECTIVES),
            help="The mean of the channel's map, or the one value in its middle, before the activation.",
        ),
        Item(
            "parameterisation",
            "fourier",
            "The image is made of",
            options=tuple(PARAMETERISATIONS),
            help="Fourier: of waves, the long ones first. Pixels: each for itself.",
        ),
        Item(
            "spectrum",
            _PLAN.spectrum,
            "Spectrum 1/fᵈ",
            low=0.0,
            high=3.0,
            step=0.1,
            help="The larger d, the more do long waves move first.",
        ),
        Item(
            "colours",
            None,
            "Colours of",
            options=tuple(COLOURS),
            help="Whose colour correlations the image is made with. None: red, green and blue move for themselves.",
        ),
        Item("start", "noise", "Start from", options=tuple(STARTS)),
        Item("size", "0", "Size", options=tuple(SIZES)),
        Item(
            "pad",
            _PLAN.transforms.pad,
            "Pad",
            low=0.0,
            high=20.0,
            step=1.0,
            help="Grey pixels around, for each 96 of the side.",
        ),
        Item(
            "jitter",
            _PLAN.transforms.jitter,
            "Shift",
            low=0.0,
            high=24.0,
            step=1.0,
            help="At most so many pixels for each 96 of the side.",
        ),
        Item("scale", _PLAN.transforms.scale, "Scale", low=0.0, high=0.4, step=0.05, help="0.1 is ± 10 %."),
        Item("rotate", _PLAN.transforms.rotate, "Turn", low=0.0, high=45.0, step=1.0, help="At most so many degrees."),
        Item(
            "variation",
            _PLAN.regularisers.variation,
            "Variation",
            low=0.0,
            high=2.0,
            step=0.01,
            help="Weight of the absolute differences of neighbouring pixels: plain areas, sharp edges.",
        ),
        Item(
            "smoothness",
            _PLAN.regularisers.smoothness,
            "Smoothness",
            low=0.0,
            high=1.0,
            step=0.01,
            help="Weight of the squared differences of neighbouring pixels: everything soft.",
        ),
        Item(
            "l2",
            _PLAN.regularisers.l2,
            "L2",
            low=0.0,
            high=1.0,
            step=0.01,
            help="Weight of the squared distance from grey.",
        ),
        Item(
            "decay",
            _PLAN.regularisers.decay,
            "Decay",
            low=0.0,
            high=0.1,
            step=0.002,
            help="Share that is forgotten at every step.",
        ),
        Item(
            "blur",
            _PLAN.regularisers.blur,
            "Blur",
            low=0.0,
            high=2.0,
            step=0.1,
            help="Deviation in pixels; every few steps.",
        ),
        Item("steps", _PLAN.steps, "Steps", low=16, high=1024, step=16),
        Item(
            "rate",
            _PLAN.learning_rate,
            "Learning rate",
            low=0.002,
            high=0.2,
            step=0.002,
            help="Of Adam. It can also be changed while images grow.",
        ),
        Item("seed", 0, "Seed", help="Of the noise and of the shaking: the same seed gives the same image."),
        Item("copies", 1, "Images of each", low=1, high=4, step=1),
        Item(
            "diversity",
            0.0,
            "Keep them apart",
            low=0.0,
            high=5.0,
            step=0.1,
            help="Weight of the term that makes images of the same thing unlike each other.",
        ),
        Item("dream_layers", "", "Layers that dream"),
        Item("octaves", _DREAM.octaves, "Octaves", low=1, high=6, step=1, help="How many sizes, the smallest first."),
        Item("octave_scale", _DREAM.octave_scale, "Ratio of sizes", low=1.1, high=2.0, step=0.1),
        Item("dream_steps", _DREAM.steps, "Steps in each", low=5, high=60, step=5),
        Item(
            "step_size",
            _DREAM.step_size,
            "Step size",
            low=0.005,
            high=0.1,
            step=0.005,
            help="Largest change of a pixel in one step, on a scale from 0 to 1.",
        ),
        Item("dream_size", _DREAM.size, "Longer side", low=192, high=768, step=64, help="In pixels."),
    ],
)


@dataclass(frozen=True)
class View:
    """Which images stand on the stage.

    Attributes:
        network: name in the catalogue.
        weights: "trained" or "random".
        layer: path of the layer whose channels are shown, or "" for the classes.
    """

    network: str
    weights: str
    layer: str


def picks_of(text: str, count: int) -> list[int]:
    """Return the picked numbers that a link or a click left: each once, below `count`, at most sixteen."""
    picked: list[int] = []
    for part in str(text).split(","):
        if part.strip().isdecimal() and len(part) < 8 and int(part) < count and int(part) not in picked:
            picked.append(int(part))
    return picked[:MOST_PICKS]


def toggled(picks: Sequence[int], number: int) -> list[int]:
    """Return the picks after a click on one: it goes if it was the last, else it comes last (and so large)."""
    if picks and picks[-1] == number:
        return list(picks[:-1])
    return [*(one for one in picks if one != number), number][-MOST_PICKS:]


def _is_spatial(layer: LayerInfo) -> bool:
    return len(layer.output_shape) == 3 and bool(layer.channels) and layer.kind != "InputLayer"


def _activates(layer: LayerInfo) -> bool:
    if layer.kind in ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU"):
        return True
    return layer.config.get("activation", "linear") != "linear"


def layers_with_channels(structure: Structure) -> list[str]:
    """Return the layers whose channels can be grown: maps after their activation, or all maps where none has one."""
    spatial = [layer for layer in structure.layers.values() if _is_spatial(layer)]
    answering = [layer.path for layer in spatial if _activates(layer)]
    return answering or [layer.path for layer in spatial]


def default_layer(paths: Sequence[str]) -> str:
    """Return the layer that a first look at channels shows: two thirds down, where channels look for parts."""
    return paths[round(0.66 * (len(paths) - 1))]


def class_count(structure: Structure) -> int:
    """Return how many classes the network tells apart, 0 if it ends without class scores."""
    last = list(structure.layers.values())[-1]
    return (last.channels or 0) if len(last.output_shape) == 1 else 0


def class_names(entry: NetworkEntry, count: int) -> list[str]:
    """Return the names of so many classes; by number where this machine has no names."""
    known = catalogue.class_names(entry) or ()
    return [known[i] if i < len(known) else f"class {i}" for i in range(count)]


def title_of(view: View, names: Sequence[str], number: int) -> str:
    """Return what a tile is called."""
    return f"channel {number}" if view.layer else names[number]


def plan_of(view: View, targets: Sequence[int]) -> Plan:
    """Return the plan that the controls describe."""
    value = STATE.value
    channels = bool(view.layer)
    return Plan(
        network=view.network,
        weights="random" if view.weights == "random" else "trained",
        objective=value("channel_objective") if channels else value("class_objective"),
        layer=view.layer,
        targets=tuple(targets),
        parameterisation=value("parameterisation"),
        spectrum=float(value("spectrum")),
        colours=value("colours") or default_colours(catalogue.entry(view.network)),
        start=value("start"),
        transforms=Transforms(*(float(value(name)) for name in ("pad", "jitter", "scale", "rotate"))),
        regularisers=Regularisers(
            **{name: float(value(name)) for name in ("smoothness", "l2", "decay", "blur", "variation")}
        ),
        steps=int(value("steps")),
        learning_rate=float(value("rate")),
        size=int(value("size")),
        seed=int(value("seed") or 0),
        copies=int(value("copies")),
        diversity=float(value("diversity")),
    )


def default_colours(entry: NetworkEntry) -> Literal["drawn", "imagenet"]:
    """Return whose colour correlations suit a network: those of the pictures that it has learned from."""
    return "drawn" if entry.family == "Drawn world" else "imagenet"


@dataclass(frozen=True)
class Rung:
    """One of the four settings of *Why regularise?*.

    Attributes:
        title: in few words.
        words: what is new compared with the one before.
        plan: what is grown.
    """

    title: str
    words: str
    plan: Plan


def ladder(entry: NetworkEntry, weights: str, target: int) -> tuple[Rung, ...]:
    """Return four plans for one class, each with one more thing that keeps the image from being noise."""
    drawn = entry.family == "Drawn world"
    network = "drawn_plain" if drawn else entry.name
    whole = Plan(
        network=network,
        weights="random" if weights == "random" else "trained",
        targets=(target,),
        colours=default_colours(entry),
        steps=int(STATE.value("steps")),
        learning_rate=float(STATE.value("rate")),
        seed=int(STATE.value("seed") or 0),
        regularisers=NO_REGULARISERS,
    )
    bare = replace(whole, transforms=NO_TRANSFORMS)
    rungs = [
        Rung("Pixels", "Each pixel moves for itself.", replace(bare, parameterisation="pixels", colours="none")),
        Rung("Fourier", "The image is made of waves, in the colours of real pictures.", bare),
        Rung("+ shaking", "Shifted, turned and scaled before every step.", whole),
    ]
    if drawn:
        last = replace(whole, network="drawn_robust")
        words = "It was trained not to be misled by small changes."
        if weights == "random":
            words = "The same architecture: with random weights neither was trained for anything."
        rungs.append(Rung("+ robust network", words, last))
    else:
        last = replace(whole, regularisers=replace(NO_REGULARISERS, variation=Regularisers().variation))
        rungs.append(Rung("+ little variation", "Differences between neighbouring pixels cost something.", last))
    return tuple(rungs)


def dream_layers_of(text: str, paths: Sequence[str]) -> dict[str, float]:
    """Return the layers that a link or a hand mixes, with their weights; at most four, in their order."""
    mixed: dict[str, float] = {}
    for part in str(text).split(","):
        path, _, weight = part.rpartition("=")
        try:
            number = float(weight)
        except ValueError:
            continue
        if path in paths and 0 <= number <= 1:
            mixed[path] = number
    return dict(list(mixed.items())[:MOST_DREAM_LAYERS])


def dream_text(mixed: dict[str, float]) -> str:
    """Return the mix as it stands in a link."""
    return ",".join(f"{path}={weight:g}" for path, weight in mixed.items())


def dream_plan(network: str, weights: str, mixed: dict[str, float]) -> DreamPlan:
    """Return the dream that the controls describe."""
    value = STATE.value
    return DreamPlan(
        network=network,
        weights="random" if weights == "random" else "trained",
        layers=tuple((path, weight) for path, weight in mixed.items() if weight > 0),
        octaves=int(value("octaves")),
        octave_scale=float(value("octave_scale")),
        steps=int(value("dream_steps")),
        step_size=float(value("step_size")),
        size=int(value("dream_size")),
        seed=int(value("seed") or 0),
    )
