"""Super-resolution: what a small picture has lost, guessed by a network, against bicubic interpolation."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from explorer.runs.lessons import super_resolution_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.lessons.mixed_precision import KNOB as MIXED_PRECISION
from explorer.runs.lessons.mixed_precision import in_chosen_precision
from explorer.runs.record import Config

NETWORKS = {
    "residual": "Bicubic + residual",
    "residual_tanh": "Bicubic + residual through tanh",
    "residual_relu": "Bicubic + residual through ReLU",
    "residual_sigmoid": "Bicubic + residual through a sigmoid",
    "direct": "Without bicubic, linear output",
    "direct_sigmoid": "Without bicubic, sigmoid output",
}
LOSSES = {"l1": "L1", "l2": "L2", "ssim": "1 − SSIM"}
UPSAMPLING = {
    "shuffle": "pixel shuffle",
    "transposed": "transposed convolutions of 3 × 3",
    "resize": "nearest neighbour, then a convolution",
}
SCALES = {2: "2 ×", 4: "4 ×"}

LOSS_SENTENCE = "L1 leaves edges sharper than L2, which fears large errors most and so blurs where it is not sure."

_KNOBS = (
    Knob("scale", "Enlarged", "choice", 4, options=SCALES, main=True),
    Knob(
        "networks",
        "Networks",
        "choices",
        ("residual", "residual_relu"),
        options=NETWORKS,
        main=True,
        help="They are trained in turn; what differs is what becomes of the last convolution's output.",
    ),
    Knob(
        "losses",
        "Losses",
        "choices",
        ("l1",),
        options=LOSSES,
        main=True,
        help="Mean absolute error, mean squared error, or structural similarity; each network is trained with each.",
    ),
    Knob("epochs", "Epochs", "integer", 6, low=1, high=200, step=1, main=True),
    Knob(
        "upsampling",
        "Enlarged by",
        "choice",
        "shuffle",
        options=UPSAMPLING,
        help="Transposed convolutions whose kernel is no multiple of their stride leave a checkerboard.",
    ),
    Knob(
        "patches", "Patches", "integer", 4000, low=160, high=8000, step=160, help="Cut out of the pictures, in advance."
    ),
    Knob("filters", "Filters", "integer", 24, low=8, high=64, step=8),
    Knob("blocks", "Residual blocks", "integer", 4, low=1, high=16, step=1),
    Knob("learning_rate", "Learning rate", "number", 2e-3, low=1e-5, high=0.1, logarithmic=True),
    Knob("batch_size", "Patches in a batch", "integer", 8, low=4, high=128, step=4),
    MIXED_PRECISION,
)

_DRAWINGS = {"side": 128, "pictures": 200, "validation": 40}

_PRESETS = (
    Preset(
        "four",
        "Four times as large",
        data=_DRAWINGS,
        note="16 new pixels for each old one; a residual of both signs against one that cannot be negative.",
    ),
    Preset(
        "two",
        "Twice as large",
        {"scale": 2, "epochs": 3, "patches": 2080},
        _DRAWINGS,
        note="Less is lost, so less is to be guessed.",
    ),
    Preset(
        "losses",
        "L1, L2, structural similarity",
        {"networks": ("residual",), "losses": tuple(LOSSES), "epochs": 3},
        _DRAWINGS,
        note="The same network with three ideas of what is alike.",
    ),
    Preset(
        "outputs",
        "Outputs right and wrong",
        {
            "networks": tuple(name for name in NETWORKS if name != "residual_tanh"),
            "epochs": 3,
            "patches": 3200,
            "batch_size": 4,
            "blocks": 2,
        },
        _DRAWINGS,
        note="What a wrong activation does, and how long it takes without the bicubic picture to start from.",
    ),
    Preset(
        "checkerboard",
        "Checkerboard",
        {"networks": ("direct",), "upsampling": "transposed", "epochs": 3, "scale": 2},
        _DRAWINGS,
        note="Transposed convolutions of 3 × 3 with stride 2: look at plain areas early on.",
    ),
    Preset(
        "own",
        "My own pictures",
        {"networks": ("residual",), "epochs": 10},
        {"source": "own", "side": 128},
        note="Photos have grain and textures that nobody can guess: expect less than with drawings.",
    ),
    Preset(
        "gpu",
        "Deep, on a GPU",
        {
            "mixed_precision": True,
            "networks": ("residual", "residual_relu"),
            "filters": 64,
            "blocks": 16,
            "epochs": 60,
            "patches": 8000,
        },
        {"side": 128, "pictures": 2000, "validation": 100},
        gpu=True,
        note="1.2 M weights: as EDSR's smaller network.",
    ),
)

_SECONDS_A_PATCH = 0.0018
"""Forward and back through the first preset's network with 12 × 12 small pixels in large batches, on two cores."""

_SECONDS_A_BATCH = 0.001
"""What a batch costs however few patches are in it: two cores find little to share in small ones."""

_TIMES_AS_LONG_WITH_SSIM = 2.0


def variants_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return variant to title of all that a run with these settings trains, in order."""
    networks, losses = settings["networks"], settings["losses"]
    found = {}
    for network, loss in product(networks, losses):
        words = [NETWORKS[network]] if len(networks) > 1 or len(losses) == 1 else []
        words += [LOSSES[loss]] if len(losses) > 1 else []
        found[variant(network, loss if len(losses) > 1 else "")] = ", ".join(words)
    return found


def variant(network: str, loss: str = "") -> str:
    """Return the name of a network's curves, and of its loss where several are compared."""
    return f"{network}-{loss}" if loss else network


def _variants() -> dict[str, str]:
    pairs = {variant(n, loss): f"{NETWORKS[n]}, {LOSSES[loss]}" for n, loss in product(NETWORKS, LOSSES)}
    return {**NETWORKS, **pairs}


def small_side(scale: int, picture_side: int) -> int:
    """Return the side of a small patch: 48 pixels of the large picture, or all of it where it is smaller."""
    return min(48, picture_side) // scale


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    pictures = data.get("pictures", 400) + data.get("validation", 60)
    return 8.0 + 0.003 * pictures + sum(_parts(settings, data))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each network with each loss."""
    area = (small_side(settings["scale"], data.get("side", 96)) / 12) ** 2
    work = (settings["filters"] / 24) ** 2 * (settings["blocks"] + 1) / 5
    patch = _SECONDS_A_PATCH * area * work + _SECONDS_A_BATCH / settings["batch_size"]
    each = [
        settings["epochs"] * settings["patches"] * patch * (_TIMES_AS_LONG_WITH_SSIM if loss == "ssim" else 1.0) + 2.0
        for loss in settings["losses"]
    ]
    return each * len(settings["networks"])


def _script(config: Config) -> str:
    return super_resolution_script.script(config, LESSON.settings(config.settings))


_BACKGROUND = """
Reducing a picture throws values away, and no formula brings them back: *bicubic interpolation* can only lay a smooth
surface through what is left. A network that has seen many pictures guesses what was likely there.

- **Residual.** The network's answer is added to the bicubic picture, so that it need only learn what that leaves out:
  mostly thin bright and dark lines along edges. It is trained on patches, and works at any size.
- **Pixel shuffle.** All convolutions run on the small picture; the last gives $3s^2$ channels, which are laid out as
  squares of $s \\times s$ pixels. Transposed convolutions do the same job; where their kernel is no multiple of the
  stride, new pixels get contributions in unequal numbers, seen as a checkerboard.
- **Activation.** ReLU inside. At the end none: what is missing has both signs, so ReLU or a sigmoid there can only
  brighten. Often such a network ends by saying 0 everywhere, where neither has a gradient any more, and bicubic's
  picture is left. Without the bicubic picture a sigmoid is right in principle, since values go from 0 to 1, but it is
  slow at both ends.
- **Loss.** $L_2$, the mean squared error, is what PSNR measures, but large errors at edges rule it, and of many sharp
  guesses the mean is the safest, which is blurred. $L_1$, the mean absolute error, tolerates them. SSIM compares means,
  contrasts and structure in small windows, and cares less about exact brightness.
- **Measure.** $\\mathrm{PSNR} = 10\\,\\log_{10}(1/\\mathrm{MSE})$ in dB for values from 0 to 1: a gain of 3 dB halves
  the squared error. SSIM (Wang et al. 2004) is 1 for equal pictures.

*Sources:* C. Dong et al., *Image Super-Resolution Using Deep Convolutional Networks* (2014). W. Shi et al., *Real-Time
Single Image and Video Super-Resolution Using an Efficient Sub-Pixel CNN* (2016). B. Lim et al., *Enhanced Deep Residual
Networks for Single Image Super-Resolution* (2017). H. Zhao et al., *Loss Functions for Image Restoration with Neural
Networks* (2017). Z. Wang et al., *Image Quality Assessment: From Error Visibility to Structural Similarity* (2004).
"""

LESSON = Lesson(
    name="super_resolution",
    order=3,
    title="Super-resolution",
    icon=":material/zoom_in:",
    sentence=(
        "A network that adds what bicubic interpolation leaves out makes pictures visibly sharper, by a decibel and "
        "more; if its answer passes a ReLU or a sigmoid it gains less, for what is missing has both signs."
    ),
    question="Can a network put back what a small picture has lost?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=("drawn_clean", "drawn", "drawn_scenes", "drawn_digits", "fashion_mnist", "cifar10", "own"),
    estimate=_estimate,
    parts=_parts,
    script=in_chosen_precision(_script),
    variants=_variants(),
    background=_BACKGROUND,
)
