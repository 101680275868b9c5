"""Dense against convolutional: digits, standardised pixels, and what narrows the gap to the validation pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from explorer.runs.data.augmentation_knobs import KNOBS as AUGMENTATION
from explorer.runs.data.augmentation_knobs import augmentation_settings
from explorer.runs.lessons import dense_convolutional_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.record import Config

NETWORKS = {
    "dense": "Dense 500–50",
    "cnn1": "One convolution (cnn1)",
    "cnn2": "Four convolutions (cnn2)",
}
CONVOLUTIONAL = ("cnn1", "cnn2")
NORMED = ("dense", "cnn2")
"""Those that batch normalisation can be put into."""
COMPARISONS = {
    "networks": "Only the networks",
    "pixels": "Pixels as they are, standardised",
    "regularisation": "Without, with dropout, with batch norm",
    "augmentation": "Without, with augmentation",
}
TREATMENTS = {
    "as_set": "",
    "raw": "pixels as they are",
    "standardised": "standardised",
    "plain": "plain",
    "dropout": "dropout",
    "batch_norm": "batch norm",
    "both": "dropout and batch norm",
    "penalty": "L1 or L2",
    "augmented": "augmented",
}

SENTENCES = {
    "networks": "On pictures a convolutional network does better than a dense one that has ten times as many weights.",
    "pixels": "Pixel-wise standardisation matters more to a CNN than to a dense net.",
    "regularisation": "Dropout and batch norm narrow the gap between training and validation.",
    "augmentation": "Augmentation narrows the gap between training and validation.",
}
"""What each comparison puts to the test."""

USUAL_DROPOUT = 0.5
USUAL_AUGMENTATION = {"augment_rotation": 15.0, "augment_shift": 0.1, "augment_zoom": 0.1, "augment_border": "repeat"}
"""For digits: they are never flipped."""


@dataclass(frozen=True)
class Treatment:
    """How a network of the lesson is built and fed.

    Attributes:
        standardise: whether each pixel gets mean 0 and variance 1 over the training pictures.
        batch_norm: in the dense net and cnn2; cnn1 has none.
        dropout: share dropped before the last layer, and behind each hidden dense layer.
        l1: penalty on absolute weights.
        l2: penalty on squared weights.
        augmentation: settings of it; empty for none.
    """

    standardise: bool
    batch_norm: bool
    dropout: float
    l1: float
    l2: float
    augmentation: Mapping[str, Any]


_SETS = {"compare": ("networks",)}

_KNOBS = (
    Knob("compare", "Compared", "choice", "pixels", options=COMPARISONS, main=True),
    Knob("networks", "Networks", "choices", ("dense", "cnn1"), options=NETWORKS, main=True),
    Knob(
        "standardise",
        "Standardise each pixel",
        "switch",
        False,
        main=True,
        only_if={"compare": ("networks", "regularisation", "augmentation")},
        help="Mean 0 and variance 1 over the training pictures; one that never varies is only moved to 0.",
    ),
    Knob(
        "batch_norm",
        "Batch normalisation",
        "switch",
        True,
        only_if={"compare": ("networks", "pixels", "augmentation")},
        help="As in the lecture: in the dense net and in cnn2; cnn1 has none.",
    ),
    Knob(
        "dropout",
        "Dropout",
        "number",
        0.0,
        low=0.0,
        high=0.8,
        step=0.1,
        help=f"Share of the values that are dropped; where dropout is compared, 0 means {USUAL_DROPOUT}.",
    ),
    Knob("l1", "L1 penalty", "number", 0.0, low=0.0, high=0.01, step=0.0001, help="Times the sum of all |weights|."),
    Knob("l2", "L2 penalty", "number", 0.0, low=0.0, high=0.1, step=0.0005, help="Times the sum of all squares."),
    Knob("optimizer", "Optimiser", "choice", "sgd", options={"sgd": "SGD", "adam": "Adam"}),
    Knob("learning_rate", "Learning rate", "number", 0.01, low=1e-5, high=1.0, logarithmic=True),
    Knob("epochs", "Epochs", "integer", 10, low=1, high=200, step=1, main=True),
    Knob("batch_size", "Batch size", "choice", 32, options={size: f"{size}" for size in (16, 32, 64, 128, 256)}),
    *AUGMENTATION,
)

_FEW = {"pictures": 400, "validation": 1000}

_PRESETS = (
    Preset(
        "pixels",
        "Standardise the pixels",
        {"epochs": 3},
        {"pictures": 4000, "validation": 2000, "noise": 0.0},
        note="4,000 digits as on the slides, plain SGD and a small budget.",
    ),
    Preset(
        "regularisation",
        "Dropout and batch norm",
        {"compare": "regularisation", "networks": ("cnn2",), "optimizer": "adam", "learning_rate": 0.001,
         "epochs": 24},
        _FEW,
        note="400 digits, which a network learns by heart.",
    ),
    Preset(
        "augmentation",
        "Augmentation",
        {"compare": "augmentation", "networks": ("dense", "cnn2"), "optimizer": "adam", "learning_rate": 0.001,
         "epochs": 15},
        _FEW,
        note="400 digits, turned, moved and resized a little anew in each epoch.",
    ),
    Preset(
        "networks",
        "Dense or convolutional",
        {"compare": "networks", "networks": tuple(NETWORKS), "optimizer": "adam", "learning_rate": 0.001},
        {"pictures": 1000},
        note="The lecture's three networks as they are, on 1,000 digits.",
    ),
    Preset(
        "small_digits",
        "scikit-learn's digits",
        {"compare": "networks", "networks": tuple(NETWORKS), "optimizer": "adam", "learning_rate": 0.001, "epochs": 15},
        {"source": "digits"},
        note="1,797 digits of 8 × 8 pixels: so small that convolutions have little to share.",
    ),
    Preset(
        "mnist",
        "MNIST, as on the slides",
        {"networks": tuple(NETWORKS)},
        {"source": "mnist", "pictures": 2500, "validation": 2000},
        note="2,500 digits of MNIST, which has to be on this machine.",
    ),
)  # fmt: skip


def treatments(settings: Mapping[str, Any]) -> dict[str, Treatment]:
    """Return by name how each of the networks is treated in turn."""
    given = augmentation_settings(settings)
    usual = augmentation_settings({})
    wanted = {name: value for name, value in given.items() if value != usual[name]}
    on = any(name != "augment_border" for name in wanted)
    base = Treatment(
        standardise=settings["standardise"],
        batch_norm=settings["batch_norm"],
        dropout=settings["dropout"],
        l1=settings["l1"],
        l2=settings["l2"],
        augmentation=given if on else {},
    )
    if settings["compare"] == "networks":
        return {"as_set": base}
    if settings["compare"] == "pixels":
        return {"raw": replace(base, standardise=False), "standardised": replace(base, standardise=True)}
    if settings["compare"] == "augmentation":
        changes = given if on else {**usual, **USUAL_AUGMENTATION}
        return {"plain": replace(base, augmentation={}), "augmented": replace(base, augmentation=changes)}
    plain = replace(base, batch_norm=False, dropout=0.0, l1=0.0, l2=0.0)
    dropout = settings["dropout"] or USUAL_DROPOUT
    found = {
        "plain": plain,
        "dropout": replace(plain, dropout=dropout),
        "batch_norm": replace(plain, batch_norm=True),
        "both": replace(plain, dropout=dropout, batch_norm=True),
    }
    if settings["l1"] or settings["l2"]:
        found["penalty"] = replace(plain, l1=settings["l1"], l2=settings["l2"])
    return found


def plans(settings: Mapping[str, Any]) -> tuple[tuple[str, str, Treatment], ...]:
    """Return (network, name of the treatment, treatment) of all that is trained, in order.

    A treatment that changes nothing in a network is left out: cnn1 has no batch normalisation.
    """
    found = []
    for network in settings["networks"]:
        seen: list[Treatment] = []
        for name, treatment in treatments(settings).items():
            built = replace(treatment, batch_norm=treatment.batch_norm and network in NORMED)
            if built not in seen:
                seen.append(built)
                found.append((network, name, treatment))
    return tuple(found)


def variant(network: str, treatment: str) -> str:
    """Return whose curve it is."""
    return network if treatment == "as_set" else f"{network}-{treatment}"


def title(network: str, treatment: str) -> str:
    """Return what a visitor reads of a network that is treated in some way."""
    return f"{NETWORKS[network]}, {TREATMENTS[treatment]}" if TREATMENTS[treatment] else NETWORKS[network]


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    pictures = data.get("pictures", 1400)
    return 6 + 0.001 * (pictures + data.get("validation", 1000)) + sum(_parts(settings, data))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each network under each treatment."""
    each = {"dense": 1.0e-4, "cnn1": 3.0e-4, "cnn2": 1.3e-3}
    passes = data.get("pictures", 1400) * settings["epochs"]
    return [
        3 + each[network] * passes * (1.5 if treatment.augmentation else 1.0)
        for network, _, treatment in plans(settings)
    ]


def _script(config: Config) -> str:
    return dense_convolutional_script.script(config, LESSON.settings(config.settings))


_BACKGROUND = """
A dense unit has a weight for every pixel, a convolution the same few weights at every place. On $28 \\times 28$ digits:

| network | parameters |
|---|---:|
| dense 784–500–50–10, batch norm behind the hidden layers | 420,260 (419,160 of them trainable) |
| cnn1: 32 filters of 3 × 3, flatten, dense 10 | 320 + 250,890 = 251,210 |
| cnn2: 8, 8, pool, 16, 16, pool (3 × 3, batch norm each), dense 40 (batch norm), dense 10 | 36,314 |

- **Pixel-wise standardisation.** $x' = (x - \\mu) / \\sigma$ with mean and standard deviation of each pixel over the
  *training* pictures. A corner that is black in all of them has $\\sigma = 0$: a plain division would turn the least
  speck there into an enormous number, so here $\\sigma$ counts as at least 0.05 of the range of a pixel, and a pixel
  that never varies is only moved to 0. Gradients are products of inputs and errors: inputs all positive and near 0 make
  slow steps. Batch normalisation does the same behind each layer, so that a network with it has less to gain. Adam
  rescales steps by itself: the difference shows with plain SGD and few epochs.
- **The gap** is the loss on validation pictures minus that on training pictures, both judged after the epoch, with
  dropout off and without augmentation; the table has the gap in accuracy beside it. The curve of the training accuracy
  is a mean over the epoch while the weights change and dropout is on; it can lie below that of the validation.
- **Batch normalisation** makes a network learn faster. With few pictures that can also mean: by heart. On these digits
  it narrows the gap together with dropout, and by itself often widens it; the run tells which.
- **Dropout** leaves out a random share of values in each step; **L2** adds $\\lambda \\sum w^2$ to the loss, **L1**
  $\\lambda \\sum |w|$.
- **Augmentation** shows each picture a little different in each epoch. What is changed must not change the class: a
  mirrored 2 is no 2.

*Sources:* Y. LeCun and others, *Gradient-Based Learning Applied to Document Recognition* (1998). N. Srivastava and
others, *Dropout* (2014). S. Ioffe, C. Szegedy, *Batch Normalization* (2015).
"""

LESSON = Lesson(
    name="dense_convolutional",
    order=5,
    title="Dense against convolutional",
    icon=":material/grid_on:",
    sentence=(
        "Pixel-wise standardisation matters more to a CNN than to a dense net; dropout, batch norm and augmentation "
        "narrow the gap between training and validation."
    ),
    question="What does a convolution gain on pictures, and what keeps a network from learning them by heart?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=("drawn_digits", "digits", "mnist", "fashion_mnist", "cifar10", "drawn", "own"),
    estimate=_estimate,
    parts=_parts,
    script=_script,
    variants={variant(network, each): title(network, each) for network in NETWORKS for each in TREATMENTS},
    background=_BACKGROUND,
)
