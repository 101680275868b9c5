"""Segmentation: a class for every pixel, by an encoder that sees what is there and a decoder that says where."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from explorer.runs.lessons import segmentation_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.lessons.mixed_precision import KNOB as MIXED_PRECISION
from explorer.runs.lessons.mixed_precision import in_chosen_precision
from explorer.runs.record import Config

NETWORKS = {
    "pretrained": "Frozen pretrained encoder, light decoder",
    "strided": "Strided encoder, transposed convolutions, from scratch",
    "unet": "U-Net, from scratch",
}
SHORT = {"pretrained": "pretrained encoder", "strided": "strided encoder from scratch", "unet": "U-Net from scratch"}
LOSSES = {
    "cross_entropy": "Cross-entropy",
    "dice": "Dice",
    "both": "Cross-entropy + Dice",
}
UPSAMPLING = {"transposed": "transposed convolution", "bilinear": "bilinear, then a convolution"}
ENCODERS = {"drawn_plain": "Drawn world", "drawn_robust": "Drawn world, robust"}

LOSS_SENTENCE = (
    "Where objects are small beside a large background, the Dice loss, which counts every class the same, finds more "
    "of them than cross-entropy, which counts every pixel the same."
)

_KNOBS = (
    Knob(
        "networks",
        "Networks",
        "choices",
        ("pretrained", "strided"),
        options=NETWORKS,
        main=True,
        help="They are trained in turn, on the same scenes.",
    ),
    Knob(
        "losses",
        "Losses",
        "choices",
        ("cross_entropy",),
        options=LOSSES,
        main=True,
        help="Each network is trained with each of them.",
    ),
    Knob("epochs", "Epochs", "integer", 5, low=1, high=100, step=1, main=True),
    Knob(
        "upsampling",
        "Doubling in the decoder",
        "choice",
        "transposed",
        options=UPSAMPLING,
        help="What makes the maps larger again.",
    ),
    Knob(
        "encoder",
        "Pretrained encoder",
        "choice",
        "drawn_plain",
        options=ENCODERS,
        only_if={"networks": ("pretrained",)},
        help="Its maps of half, a quarter and an eighth of the picture's size go to the decoder.",
    ),
    Knob("learning_rate", "Learning rate", "number", 3e-3, low=1e-5, high=0.1, logarithmic=True),
    Knob("batch_size", "Scenes in a batch", "integer", 16, low=2, high=64, step=2),
    MIXED_PRECISION,
)

_SCENES = {"side": 96, "pictures": 300, "validation": 100}

_PRESETS = (
    Preset(
        "object",
        "Object or background",
        data=_SCENES,
        note="300 scenes with masks; an encoder that has learnt to see against one that starts from nothing.",
    ),
    Preset(
        "classes",
        "Seven classes",
        {"networks": ("pretrained",), "epochs": 6, "losses": ("both",)},
        {**_SCENES, "target": "classes", "pictures": 700},
        note="Background and six things, up to three in a scene; under two minutes.",
    ),
    Preset(
        "scratch",
        "Everything from scratch",
        {"networks": ("strided", "unet")},
        _SCENES,
        note="What bridges are worth: U-Net hands the fine maps of its way down to its way up.",
    ),
    Preset(
        "losses",
        "Cross-entropy, Dice, both",
        {"networks": ("pretrained",), "losses": ("cross_entropy", "dice", "both"), "epochs": 4},
        {**_SCENES, "target": "classes"},
        note="Seven classes, of which the background has most of the pixels.",
    ),
    Preset(
        "own",
        "My own pictures and masks",
        {"networks": ("pretrained",), "epochs": 20},
        {"source": "own", "side": 96},
        note="Masks as pictures of the same name; the encoder knows drawn things, so photos are hard for it.",
    ),
    Preset(
        "gpu",
        "All networks, many scenes, on a GPU",
        {"mixed_precision": True, "networks": tuple(NETWORKS), "losses": ("both",), "epochs": 30},
        {"side": 128, "pictures": 4000, "validation": 400, "target": "classes"},
        gpu=True,
        note="4,000 scenes of 128 × 128 pixels: with enough of them learning from scratch catches up.",
    ),
)

_SECONDS_A_SCENE = {"pretrained": 0.024, "strided": 0.0165, "unet": 0.0375}
"""One pass of one scene of 96 × 96, forward and back, on two cores."""


def variants_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return variant to title of all that a run with these settings trains, in order."""
    networks, losses = settings["networks"], settings["losses"]
    several_losses, several_networks = len(losses) > 1, len(networks) > 1
    found = {}
    for network, loss in product(networks, losses):
        words = [NETWORKS[network]] if several_networks or not several_losses else []
        words += [LOSSES[loss]] if several_losses else []
        found[variant(network, loss if several_losses else "")] = ", ".join(words)
    return found


def variant(network: str, loss: str = "") -> str:
    """Return the name of a network's curves, and of its loss where several are compared."""
    return f"{network}-{loss}" if loss else network


def _variants() -> dict[str, str]:
    pairs = {variant(n, loss): f"{NETWORKS[n]}, {LOSSES[loss]}" for n, loss in product(NETWORKS, LOSSES)}
    return {**NETWORKS, **pairs}


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    pictures, validation = data.get("pictures", 400), data.get("validation", 100)
    area = (data.get("side", 96) / 96) ** 2
    return 8.0 + area * 0.0025 * (pictures + validation) + sum(_parts(settings, data))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each network with each loss."""
    area = (data.get("side", 96) / 96) ** 2
    passes = settings["epochs"] * (data.get("pictures", 400) + data.get("validation", 100) / 3)
    return [area * _SECONDS_A_SCENE[name] * passes for name in settings["networks"] for _ in settings["losses"]]


def _script(config: Config) -> str:
    return segmentation_script.script(config, LESSON.settings(config.settings))


_BACKGROUND = """
A classifier has one answer for a picture; *semantic segmentation* has one for each pixel: logits of shape
$h \\times w \\times K$, and a softmax over the $K$ classes of each pixel.

- **Encoder.** Strided convolutions (or pooling) halve the maps again and again: each value sees more of the picture,
  and there is room for more channels. It ends by knowing *what* is there, but only roughly *where*.
- **Decoder.** Transposed convolutions double the maps until they are as large as the picture. Where bridges bring the
  encoder's finer maps back (U-Net), outlines become sharp.
- **Pretrained encoder.** With few scenes an encoder cannot learn to see. One that has learnt it on other pictures is
  frozen, its maps of half, a quarter and an eighth of the picture's size are tapped, and only the decoder learns.
- **Activation.** ReLU inside; none at the end, since the loss takes logits. Two classes could also have one logit and
  a sigmoid: the same thing, for a softmax of two logits is a sigmoid of their difference.
- **Loss.** Cross-entropy is the mean over all pixels, $-\\frac{1}{N}\\sum_i \\log p_{i,y_i}$: most of it is background.
  Dice, $1-\\frac{1}{K}\\sum_k \\frac{2\\sum_i p_{ik}t_{ik}+1}{\\sum_i p_{ik}+\\sum_i t_{ik}+1}$, counts each class the
  same, but its gradient is rougher. Their sum is a common choice.
- **Measure.** Accuracy flatters where most is background. Intersection over union of a class is
  $\\mathrm{IoU}_k = \\frac{TP_k}{TP_k + FP_k + FN_k}$, counted over all validation pixels at once; *mean IoU* is the
  mean over the classes, the background being one of them.

The validation scenes have backgrounds of other kinds than those that were learnt from.

*Sources:* J. Long, E. Shelhamer, T. Darrell, *Fully Convolutional Networks for Semantic Segmentation* (2015).
O. Ronneberger, P. Fischer, T. Brox, *U-Net* (2015). F. Milletari, N. Navab, S.-A. Ahmadi, *V-Net* (2016), for Dice as a
loss. A. Odena, V. Dumoulin, C. Olah, *Deconvolution and Checkerboard Artifacts* (2016).
"""

LESSON = Lesson(
    name="segmentation",
    order=2,
    title="Segmentation",
    icon=":material/format_shapes:",
    sentence=(
        "With few scenes to learn from, a light decoder on an encoder that has already learnt to see cuts objects out "
        "better than a network that learns everything from scratch."
    ),
    question="How does a network say what each single pixel belongs to?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=("drawn_scenes", "drawn", "own"),
    estimate=_estimate,
    parts=_parts,
    script=in_chosen_precision(_script),
    variants=_variants(),
    background=_BACKGROUND,
)
