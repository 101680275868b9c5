"""Blocks: plain, residual and separable ones of the same budget, the small Xception, and an own stack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from explorer.networks.catalogue import STACK_PREFIX
from explorer.runs.data.augmentation_knobs import KNOBS as AUGMENTATION
from explorer.runs.lessons import blocks_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.lessons.mixed_precision import KNOB as MIXED_PRECISION
from explorer.runs.lessons.mixed_precision import in_chosen_precision
from explorer.runs.record import Config

_SHAPE = re.compile(r"[0-9]+(x[0-9]+){0,2}")

BLOCKS = {
    "plain": "Plain",
    "residual": "Residual",
    "separable": "Separable, residual",
    "xception": "Small Xception",
    "stack": "My own stack",
}
SENTENCE = (
    "At equal budget, deep residual and separable blocks learn pictures that plain blocks of the same depth learn "
    "worse or not at all."
)
SHALLOW = "At equal budget, shallow plain blocks learn as well as residual ones: shortcuts are for depth."
SHALLOW_DEPTH = 8
"""Up to so many convolutions a network counts as shallow."""

_KNOBS = (
    Knob(
        "blocks",
        "Blocks",
        "choices",
        ("plain", "residual", "separable"),
        options=BLOCKS,
        main=True,
        help="Each becomes a network whose number of parameters is within 10 % of the plain one's; an own stack may "
        "have any.",
    ),
    Knob(
        "depth",
        "Convolutions",
        "integer",
        24,
        low=6,
        high=60,
        step=6,
        main=True,
        help="In blocks of two, a third of them at each of three sizes; the first layer is counted extra.",
    ),
    Knob("filters", "Filters of the plain network", "integer", 8, low=4, high=64, step=4,
         help="At the first size; twice and four times as many at the next."),
    Knob("batch_norm", "Batch normalisation", "switch", False, main=True,
         help="Before each activation: it lets plain networks learn deeper, too. The small Xception always has it."),
    Knob("dropout", "Dropout before the classes", "number", 0.0, low=0.0, high=0.8, step=0.1),
    Knob(
        "stack",
        "My own stack",
        "text",
        "",
        only_if={"blocks": ("stack",)},
        help="As the page on architectures writes it into its link; its input becomes the size of the pictures, and if "
        "it does not end in as many values as there are classes, a dense layer is put behind it.",
    ),
    Knob("epochs", "Epochs", "integer", 12, low=1, high=200, step=1, main=True),
    Knob("batch_size", "Batch size", "choice", 16, options={size: f"{size}" for size in (8, 16, 32, 64, 128)}),
    MIXED_PRECISION,
    Knob("learning_rate", "Learning rate", "number", 0.002, low=1e-5, high=0.1, logarithmic=True),
    *AUGMENTATION,
)  # fmt: skip

_DATA = {
    "classes": ("tree", "car", "sun", "bicycle"),
    "side": 48,
    "per_class": 100,
    "validation": 75,
    "backgrounds": "plain",
}

_PRESETS = (
    Preset(
        "deep",
        "Deep: shortcuts or none",
        {"epochs": 10},
        _DATA,
        note="24 convolutions without batch normalisation.",
    ),
    Preset(
        "shallow",
        "Shallow: shortcuts or none",
        {"blocks": ("plain", "residual"), "depth": 6, "batch_norm": True, "epochs": 24, "batch_size": 32},
        _DATA,
        note="Six convolutions with batch normalisation, which learn without any shortcut.",
    ),
    Preset(
        "batch_norm",
        "Deep, with batch normalisation",
        {"blocks": ("plain", "residual"), "batch_norm": True},
        _DATA,
        note="With it a plain network of 24 convolutions learns, too.",
    ),
    Preset(
        "xception",
        "The small Xception",
        {"blocks": ("plain", "residual", "xception")},
        _DATA,
        note="Normalisation, ReLU, separable convolution, twice; pooling; strided 1 × 1 shortcuts.",
    ),
    Preset(
        "own_stack",
        "My own stack against a residual network",
        {"blocks": ("residual", "stack"), "depth": 12},
        _DATA,
        note="A network from Build your own on the page on architectures.",
    ),
    Preset(
        "gpu",
        "Everything, on a GPU",
        {
            "mixed_precision": True,
            "blocks": ("plain", "residual", "separable", "xception"),
            "depth": 36,
            "filters": 32,
            "epochs": 40,
        },
        {"classes": ("tree", "car", "sun", "bicycle"), "side": 64, "per_class": 1000, "validation": 200},
        gpu=True,
        note="36 convolutions on a thousand pictures per class before cluttered backgrounds.",
    ),
)


def is_shallow(settings: Mapping[str, Any]) -> bool:
    """Tell whether the networks are so shallow that plain ones are expected to learn as well."""
    return settings["depth"] <= SHALLOW_DEPTH


def stack_name(text: str, input_shape: tuple[int, ...]) -> str:
    """Return the name in the catalogue of a stack on pictures of another size.

    Args:
        text: as the page on architectures writes it, "28x28x1_conv-f8_…".
        input_shape: (height, width, channels) of the pictures.
    """
    stack = text.strip().removeprefix(STACK_PREFIX)
    head, _, layers = stack.partition("_")
    if not _SHAPE.fullmatch(head):
        return f"{STACK_PREFIX}{stack}"  # whoever looks it up is told what is wrong with it
    return f"{STACK_PREFIX}{'x'.join(map(str, input_shape))}" + (f"_{layers}" if layers else "")


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    return 8 + 0.004 * _pictures(data) + sum(_parts(settings, data))


def _pictures(data: Mapping[str, Any]) -> int:
    return int((len(data.get("classes", ())) or 4) * data.get("per_class", 50))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each kind of block."""
    side = data.get("side", 48)
    work = settings["epochs"] * _pictures(data) * (side / 48) ** 2 * settings["depth"] / 24
    each = {"plain": 1.0, "residual": 1.1, "separable": 3.0, "xception": 2.0, "stack": 1.5}
    return [9 + 2.9e-3 * work * each[block] * (settings["filters"] / 8) ** 1.5 for block in settings["blocks"]]


def _script(config: Config) -> str:
    return blocks_script.script(config, LESSON.settings(config.settings))


_BACKGROUND = """
A *plain* network puts one convolution behind the other. Every layer must pass on all that later ones need, and the
gradient goes back through all of them. A *residual* block computes $x + f(x)$: with weights near 0 it is the identity,
and the gradient has a way back that no weight dims. Here the second convolution of a residual block begins with
weights 0 (without batch normalisation), so that the whole network begins as a shallow one; a plain network cannot begin
like that. A deeper plain network can have the **higher training error**, which no overfitting explains.

A *separable* convolution looks at each channel by itself ($k^2$ weights each) and mixes channels by 1 × 1
convolutions: $k^2 C + C C'$ weights instead of $k^2 C C'$. At the same number of weights it has nearly $k$ times as
many channels.

All networks here begin with a 3 × 3 convolution of stride 2 and have three stages: where the size is halved, the first
block has stride 2 and its shortcut is a strided 1 × 1 convolution. Then comes the mean of each map, and one dense layer
of logits. **Equal budget** means: the number of parameters lies within 10 % of the plain network's; widths are chosen
for that. For plain, residual and separable blocks the multiply-adds lie within 10 % as well, because each stage has
nearly the same share. For the small Xception (scaled down from 32 … 512 filters) only the parameters are equal; the
table shows both.

The verdict looks at *training*: loss and accuracy on the training pictures after the last epoch, judged with dropout
off and without augmentation.

*Sources:* K. He and others, *Deep Residual Learning for Image Recognition* (2015). A. Veit and others, *Residual
Networks Behave Like Ensembles of Relatively Shallow Networks* (2016). F. Chollet, *Xception* (2017), and *Deep Learning
with Python*, 2nd edition (2021), chapter 9.
"""

LESSON = Lesson(
    name="blocks",
    order=6,
    title="Blocks",
    icon=":material/view_module:",
    sentence=SENTENCE,
    question="Do shortcuts and separable convolutions learn more from the same budget?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=("drawn", "drawn_digits", "cifar10", "fashion_mnist", "mnist", "own"),
    estimate=_estimate,
    parts=_parts,
    script=in_chosen_precision(_script),
    variants=BLOCKS,
    background=_BACKGROUND,
)
