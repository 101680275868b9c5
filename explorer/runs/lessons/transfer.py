"""Transfer learning: what a pretrained base is worth when there are few pictures, and when there are many."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from explorer.runs.data import augmentation_knobs
from explorer.runs.lessons import transfer_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.record import Config

STRATEGIES = {
    "pixels": "Raw pixels + logistic regression",
    "logistic": "Features + logistic regression",
    "forest": "Features + random forest",
    "svm": "Features + support vector machine",
    "frozen": "Frozen base, dense head",
    "fine_tuned": "Dense head first, then the last layers",
    "unfrozen": "Dense head first, then everything",
    "scratch": "From scratch",
}
CLASSIFIERS = ("pixels", "logistic", "forest", "svm")
TRAINED = ("frozen", "fine_tuned", "unfrozen", "scratch")
COUNTS = (2, 5, 10, 20, 50, 100, 200, 500)
STAGES = {"1": "last stage", "2": "stage before it", "3": "third from the end"}
FEW = 20
"""Up to so many pictures per class chance decides much, so that a result is the mean of several draws."""

_MAIN = ("pixels", "logistic", "frozen", "fine_tuned", "scratch")
_DATA = {"side": 96, "validation": 75}

_KNOBS = (
    Knob(
        "counts",
        "Pictures per class",
        "choices",
        (5, 200),
        options={count: f"{count}" for count in COUNTS},
        main=True,
        help="Each strategy is tried with each of these numbers of pictures to learn from.",
    ),
    Knob(
        "strategies",
        "Strategies",
        "choices",
        _MAIN,
        options=STRATEGIES,
        main=True,
        help="What is made of the pretrained base; from scratch takes its architecture with random weights.",
    ),
    Knob(
        "repeats",
        "Draws of few pictures",
        "integer",
        3,
        low=1,
        high=10,
        step=1,
        help=f"Up to {FEW} per class, so many different sets of pictures are tried, and the mean counts.",
    ),
    Knob(
        "stages",
        "Features from",
        "choices",
        ("1",),
        options=STAGES,
        help="Averages of the channels at the end of these stages; different tasks may need earlier ones.",
    ),
    Knob(
        "unfrozen_layers",
        "Last layers that learn",
        "integer",
        4,
        low=1,
        high=40,
        step=1,
        only_if={"strategies": ("fine_tuned",)},
        help="So many of the base's last layers with weights are unfrozen once the dense head has been trained.",
    ),
    Knob(
        "learning_rate",
        "Learning rate of unfrozen layers",
        "number",
        3e-4,
        low=1e-6,
        high=1e-2,
        logarithmic=True,
        only_if={"strategies": ("fine_tuned", "unfrozen")},
        help="Low, so that what the base knows is bent and not broken.",
    ),
    Knob(
        "hidden",
        "Hidden units of the head",
        "integer",
        0,
        low=0,
        high=1024,
        step=16,
        only_if={"strategies": ("frozen", "fine_tuned", "unfrozen")},
        help="0: one dense layer from the features to the classes.",
    ),
    Knob(
        "dropout",
        "Dropout before the classes",
        "number",
        0.0,
        low=0.0,
        high=0.8,
        step=0.1,
        only_if={"strategies": ("frozen", "fine_tuned", "unfrozen")},
        help="This share of the features is left out at random in each step.",
    ),
    Knob(
        "passes",
        "Passes over the pictures",
        "integer",
        3,
        low=1,
        high=100,
        step=1,
        only_if={"strategies": ("fine_tuned", "unfrozen", "scratch")},
        help="Epochs of a network with many pictures; with few ones there are more, see the steps.",
    ),
    Knob(
        "steps",
        "Steps at least",
        "integer",
        20,
        low=1,
        high=5000,
        step=1,
        only_if={"strategies": ("fine_tuned", "unfrozen", "scratch")},
        help="With few pictures there are so many epochs that the weights are changed at least so often.",
    ),
    *augmentation_knobs.KNOBS,
)

_PRESETS = (
    Preset(
        "few_and_many",
        "Few and many pictures",
        {"repeats": 2},
        _DATA,
        note="5 and 200 per class of things the base never saw.",
    ),
    Preset(
        "few",
        "Few pictures",
        {
            "counts": (5,),
            "repeats": 5,
            "strategies": ("pixels", "logistic", "forest", "svm", "frozen", "fine_tuned", "scratch"),
        },
        _DATA,
        note="Five pictures per class, five draws of them, every simple classifier.",
    ),
    Preset(
        "many",
        "Many pictures",
        {"counts": (200,), "strategies": ("pixels", "logistic", "frozen", "fine_tuned", "unfrozen", "scratch")},
        _DATA,
        note="200 pictures per class, and how much of the base to unfreeze.",
    ),
    Preset(
        "sweep",
        "Sweep over the number of pictures",
        {"counts": (5, 10, 50, 200), "repeats": 2},
        _DATA,
        note="Accuracy against the number of pictures, a curve for each strategy; about three minutes.",
    ),
    Preset(
        "stages",
        "Features of several stages",
        {
            "counts": (5, 20, 200),
            "stages": ("1", "2", "3"),
            "strategies": ("pixels", "logistic", "forest", "svm", "frozen"),
        },
        _DATA,
        note="Edges and parts beside whole objects: for tasks that differ from what the base knows.",
    ),
    Preset(
        "own",
        "My own pictures",
        {"counts": (5, 50), **augmentation_knobs.GENTLE},
        {"source": "own", "side": 96},
        note="A folder for each class; where there are fewer pictures, all of them are taken.",
    ),
    Preset(
        "gpu",
        "The whole picture, on a GPU",
        {
            "counts": (5, 10, 20, 50, 100, 200, 500),
            "strategies": tuple(STRATEGIES),
            "repeats": 5,
            **augmentation_knobs.GENTLE,
            "passes": 20,
            "steps": 200,
        },
        _DATA,
        gpu=True,
        note="Every strategy with augmentation and twenty passes: long without a GPU.",
    ),
)

_SECONDS_A_PICTURE = {"fine_tuned": 0.008, "unfrozen": 0.013, "scratch": 0.017}
"""One pass of one picture of 96 × 96 through the drawn network and back, on two cores."""


def epochs_for(pictures: int, settings: Mapping[str, Any], batch: int = 32) -> int:
    """Return how many epochs a network is trained for.

    Args:
        pictures: to learn from.
        settings: "passes" and "steps".
        batch: pictures of a step.
    """
    steps = -(-pictures // batch)
    return max(settings["passes"], -(-settings["steps"] // steps))


def repeats_of(count: int, settings: Mapping[str, Any]) -> int:
    """Return how many draws of pictures are tried with so many per class."""
    return settings["repeats"] if count <= FEW else 1


def _augmented(settings: Mapping[str, Any]) -> bool:
    found = augmentation_knobs.augmentation_settings(settings)
    return any(value not in (0.0, "none") for name, value in found.items() if not name.endswith("border"))


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    classes = len(data.get("classes", ())) or 4
    return 12.0 + 0.006 * classes * max(settings["counts"]) + sum(_parts(settings, data))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of every strategy on every draw of pictures, in the order in which they are tried."""
    classes = len(data.get("classes", ())) or 4
    seconds = []
    for count in sorted(settings["counts"]):
        each = [_seconds(strategy, count * classes, settings) for strategy in settings["strategies"]]
        seconds += each * repeats_of(count, settings)
    return seconds


def _seconds(strategy: str, pictures: int, settings: Mapping[str, Any]) -> float:
    epochs = epochs_for(pictures, settings)
    if strategy in _SECONDS_A_PICTURE:
        return 2.1 + _SECONDS_A_PICTURE[strategy] * pictures * epochs
    if strategy == "frozen" and _augmented(settings):
        return 0.6 + 0.003 * pictures * epochs
    return 0.6


def data_of(data: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data that a run loads: as many pictures are drawn as its settings need."""
    given = dict(data) or {"source": "drawn", **_DATA}
    if given.get("source") == "drawn":
        given["per_class"] = max(count * repeats_of(count, settings) for count in settings["counts"])
    return given


def _script(config: Config) -> str:
    settings = LESSON.settings(config.settings)
    return transfer_script.script(config, settings, data_of(config.data, settings))


def variants() -> dict[str, str]:
    """Return value to title of every network that a run may train."""
    titles = dict(STRATEGIES)
    for name, count in product(TRAINED, COUNTS):
        titles[variant(name, count)] = f"{STRATEGIES[name]}, {count} per class"
    return titles


def variant(strategy: str, count: int) -> str:
    """Return whose curve it is: that of a strategy with so many pictures per class."""
    return f"{strategy}-{count}"


_BACKGROUND = """
A network that has learnt to tell many things apart has layers that are good for others as well: edges, textures and
parts. *Transfer learning* keeps them and learns only what is new.

- **Features + a simple classifier.** The average of each channel of the last feature maps is a row of numbers per
  picture, $f(x) \\in \\mathbb{R}^{d}$. A logistic regression, a random forest or a support vector machine learns from
  such rows within a second. The run keeps them in `features.npz`.
- **Frozen base, dense head.** The same as a network: the base's weights stay, the dense layers behind it learn. Without
  augmentation the base gives the same features in each epoch, so they are computed once.
- **Dense head first, then the last layers.** A head with random weights sends large gradients back, which would wreck
  what the base knows: so the head is trained first, then the last layers are unfrozen with a low learning rate.
- **Batch normalisation stays in inference mode** (`training=False`), also where its neighbours learn: the statistics of
  a few pictures would replace those of thousands.
- **Gains are compared as the share of mistakes that they mend**, since a network that is right nine times of ten has
  little left to gain.
- **From scratch** takes the same architecture with random weights: so many weights need many pictures.

How far to go depends on how many pictures there are and on how similar the new task is to the old one; the table of the
outcome lights the case of this run. Whether the tasks are alike is judged by the run itself: if features do much better
than the raw pixels, the base knows something about these pictures.

The bundled networks know twelve drawn things. Mushroom, boat, umbrella and key are not among them.

*Sources:* J. Yosinski, J. Clune, Y. Bengio, H. Lipson, *How transferable are features in deep neural networks?*
(2014). A. S. Razavian, H. Azizpour, J. Sullivan, S. Carlsson, *CNN Features off-the-shelf* (2014). F. Chollet, *Deep
Learning with Python*, 2nd edition (2021), section 8.3.
"""

LESSON = Lesson(
    name="transfer",
    order=1,
    title="Transfer learning",
    icon=":material/move_down:",
    sentence=(
        "With few pictures a frozen pretrained base beats training from scratch by far, and its features with a simple "
        "classifier do nearly as well; with more pictures unfreezing the last layers gains more."
    ),
    question="What is a pretrained network worth for classes that it has never seen?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=("drawn", "own", "digits", "drawn_digits", "mnist", "fashion_mnist", "cifar10"),
    estimate=_estimate,
    parts=_parts,
    script=_script,
    variants=variants(),
    pretrained=True,
    background=_BACKGROUND,
    settled={"drawn": ("per_class",)},
    loads=data_of,
)
"""The lesson; its base is `Config.network`, by default the bundled one."""
