"""Autoencoders: a picture through a few numbers and back, against PCA; with noise to be taken away if wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons import autoencoder_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.lessons.mixed_precision import KNOB as MIXED_PRECISION
from explorer.runs.lessons.mixed_precision import in_chosen_precision
from explorer.runs.record import Config

SIZES = (2, 4, 8, 16, 32, 64, 128)
NETWORKS = {
    "convolutional": "Strided and transposed convolutions",
    "dense": "Dense layers",
}

NOISE_SENTENCE = (
    "Noise does not fit through the bottleneck: what comes out is nearer to the clean picture than what went in."
)

_KNOBS = (
    Knob(
        "sizes",
        "Numbers in the bottleneck",
        "choices",
        (2, 8, 32),
        options={size: str(size) for size in SIZES},
        main=True,
        help="One autoencoder is trained for each size; two numbers are a place in a plane, which is drawn.",
    ),
    Knob(
        "noise",
        "Noise to be taken away",
        "number",
        0.0,
        low=0.0,
        high=0.8,
        step=0.05,
        main=True,
        help="Standard deviation of what is added to each value of the input; black is 0, white is 1.",
    ),
    Knob("network", "Network", "choice", "convolutional", options=NETWORKS, main=True),
    Knob("epochs", "Epochs", "integer", 5, low=1, high=200, step=1, main=True),
    Knob("learning_rate", "Learning rate", "number", 3e-3, low=1e-5, high=0.1, logarithmic=True),
    Knob("batch_size", "Pictures in a batch", "integer", 32, low=8, high=256, step=8),
    MIXED_PRECISION,
)

_DIGITS = {"noise": 0.0}

_PRESETS = (
    Preset("digits", "Digits through 2, 8 and 32 numbers", data=_DIGITS, note="784 pixels through a narrow place."),
    Preset(
        "denoising",
        "Taking noise away",
        {"sizes": (16, 64), "noise": 0.4},
        _DIGITS,
        note="The input is noisy, the target is clean: a denoising autoencoder.",
    ),
    Preset(
        "plane",
        "All digits in a plane",
        {"sizes": (2,), "network": "dense", "epochs": 16},
        _DIGITS,
        note="Two numbers a picture: similar digits lie together, and between them digits change into each other.",
    ),
    Preset(
        "sizes",
        "Many sizes",
        {"sizes": (2, 4, 8, 32, 128), "epochs": 6},
        {**_DIGITS, "pictures": 2500},
        note="The error against the bottleneck's size, beside that of PCA.",
    ),
    Preset(
        "drawings",
        "Drawn objects",
        {"sizes": (16, 128), "epochs": 20, "batch_size": 16},
        {"source": "drawn", "per_class": 300, "side": 32, "backgrounds": "plain"},
        note="Objects in any place and size: far harder than centred digits. A short run does not reach PCA.",
    ),
    Preset(
        "gpu",
        "Long training, on a GPU",
        {"mixed_precision": True, "sizes": SIZES, "epochs": 60},
        {**_DIGITS, "pictures": 20_000},
        gpu=True,
        note="20,000 digits, 60 epochs, every size.",
    ),
)

_SECONDS_A_PIXEL = {"convolutional": 1.6e-6, "dense": 4e-7}
"""Forward and back for one pixel of one picture, whatever its channels, on two cores."""


def variant(size: int) -> str:
    """Return the name of the curves of an autoencoder with so many numbers in its bottleneck."""
    return f"bottleneck-{size}"


def halvings_of(side: int) -> int:
    """Return how often the convolutional encoder halves pictures of this side."""
    return 2 if side <= 32 else 3


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    return 10.0 + sum(_parts(settings, data))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each bottleneck."""
    source = data.get("source", "drawn_digits")
    sides = {"drawn_digits": 28, "mnist": 28, "fashion_mnist": 28, "digits": 8, "cifar10": 32}
    pixels = sides.get(source, data.get("side", 64)) ** 2
    pictures = data.get("pictures") or data.get("per_class", 50) * len(data.get("classes", ())[:]) or 1500
    each = 2.0 + _SECONDS_A_PIXEL[settings["network"]] * pixels * settings["epochs"] * pictures
    return [each] * len(settings["sizes"])


def _script(config: Config) -> str:
    return autoencoder_script.script(config, LESSON.settings(config.settings))


_BACKGROUND = """
An autoencoder learns without labels: its target is its own input. That is only hard because all of it has to pass
through a *bottleneck* of a few numbers, $z = f(x)$, $\\hat x = g(z)$, with the mean of $(x - \\hat x)^2$ as loss.

- **Encoder.** Strided convolutions halve the maps, then a dense layer gives $z$.
- **Decoder.** A dense layer makes small maps of $z$, transposed convolutions make them larger, and a sigmoid at the end
  keeps values between black (0) and white (1).
- **PCA** does the same with straight lines only: $z = W(x - \\mu)$, $\\hat x = \\mu + W^\\top z$. Among all *linear*
  autoencoders it is the best, which makes it the honest baseline. With a wide bottleneck it is hard to beat.
- **Denoising.** The input gets noise, the target stays clean. Noise has no pattern that would fit through the
  bottleneck, so the network learns what pictures look like and leaves the rest out.
- **A plane.** With two numbers each picture is a point. The sheet of decoded points shows what the decoder imagines
  everywhere, also where no picture lies; a *variational* autoencoder would see to it that there are no holes.

*Sources:* G. Hinton, R. Salakhutdinov, *Reducing the Dimensionality of Data with Neural Networks* (2006). P. Vincent et
al., *Extracting and Composing Robust Features with Denoising Autoencoders* (2008). P. Baldi, K. Hornik, *Neural
Networks and Principal Component Analysis* (1989).
"""

LESSON = Lesson(
    name="autoencoder",
    order=4,
    title="Autoencoder",
    icon=":material/compress:",
    sentence=(
        "The wider the bottleneck, the smaller the error; and through the same few numbers a network that bends brings "
        "more of a picture than PCA, which is straight."
    ),
    question="How few numbers are enough for a picture?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=("drawn_digits", "drawn", "drawn_clean", "digits", "mnist", "fashion_mnist", "cifar10", "own"),
    estimate=_estimate,
    parts=_parts,
    script=in_chosen_precision(_script),
    variants={variant(size): f"{size} numbers" for size in SIZES},
    background=_BACKGROUND,
)
