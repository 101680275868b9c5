"""Shortcuts: a network that has learnt the background, not the object; how that is found out, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from explorer.networks.work_context import SentenceError
from explorer.pictures.drawn_world import CLASSES
from explorer.runs.data import augmentation_knobs
from explorer.runs.data.overview import Overview
from explorer.runs.lessons import shortcut_script
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.record import Config
from explorer.runs.shortcut_pictures import JUDGED_PER_CLASS, addresses, drawn, world_of

VARIANTS = {
    "biased": "Its own background",
    "augmented": "Its own background, augmented",
    "mended": "Mended data",
}
MENDINGS = {
    "both": "each class before sea and meadow, half and half",
    "any": "each class before backgrounds of all kinds",
}
LARGEST_SIDE = 96
EXAMPLES = 6
"""Pictures of each class that are shown before anything learns from them."""

STRONG: Mapping[str, Any] = {"augment_flip": "horizontal", "augment_hue": 0.5, "augment_saturation": 0.9}
"""Augmentation that takes away what tells the backgrounds apart first: their colours."""

_CLASS_OPTIONS = {name: name for name in CLASSES}
_AUGMENTED = {"variants": ("augmented",)}

_KNOBS = (
    Knob(
        "at_sea",
        "Always at sea",
        "choice",
        "boat",
        options=_CLASS_OPTIONS,
        main=True,
        help="This class is before blue waves in the pictures to learn from.",
    ),
    Knob(
        "on_meadow",
        "Always on a meadow",
        "choice",
        "mushroom",
        options=_CLASS_OPTIONS,
        main=True,
        help="This class is before green grass in the pictures to learn from.",
    ),
    Knob("variants", "Networks", "choices", tuple(VARIANTS), options=VARIANTS, main=True),
    Knob(
        "bias",
        "Share on their own background",
        "number",
        1.0,
        low=0.5,
        high=1.0,
        step=0.05,
        main=True,
        help="At 1 the background tells everything, at 0.5 nothing; a few exceptions already help.",
    ),
    Knob(
        "mending",
        "Mended data",
        "choice",
        "both",
        options=MENDINGS,
        only_if={"variants": ("mended",)},
        help="As many pictures as before, but their backgrounds say nothing about the class.",
    ),
    Knob("per_class", "Pictures per class", "integer", 400, low=20, high=2000, step=20),
    Knob(
        "side",
        "Size",
        "choice",
        48,
        options={48: "48 × 48", 64: "64 × 64", LARGEST_SIDE: f"{LARGEST_SIDE} × {LARGEST_SIDE}"},
        help="Pixels of a picture.",
    ),
    Knob("epochs", "Epochs", "integer", 12, low=1, high=100, step=1),
    Knob(
        "learning_rate",
        "Learning rate",
        "number",
        3e-3,
        low=1e-5,
        high=1e-1,
        logarithmic=True,
        help="At the start; it falls to 0 along half a cosine.",
    ),
    *(
        replace(knob, default=STRONG.get(knob.name, knob.default), only_if=_AUGMENTED)
        for knob in augmentation_knobs.KNOBS
        if knob.name != "augment_mixup"
    ),
)

_PRESETS = (
    Preset("boats", "Boats at sea, mushrooms on a meadow", note="All three networks; a minute on a laptop."),
    Preset(
        "exceptions",
        "One in ten is an exception",
        {"bias": 0.9},
        note="A few boats ashore: is the background still the easier way?",
    ),
    Preset(
        "any",
        "Backgrounds of all kinds",
        {"variants": ("biased", "mended"), "mending": "any", "per_class": 600, "epochs": 20},
        note="Mended with cluttered backgrounds, which is harder to learn from, and closer to the world.",
    ),
    Preset(
        "animals",
        "Fish at sea, cats on a meadow",
        {"at_sea": "fish", "on_meadow": "cat", "per_class": 600},
        note="Two classes that are harder to tell apart by their shape.",
    ),
    Preset(
        "large",
        "More and larger pictures, on a GPU",
        {"per_class": 2000, "side": LARGEST_SIDE, "epochs": 30},
        gpu=True,
        note="Even with many pictures the background stays the easier way.",
    ),
)


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run, all of them.

    Raises:
        SentenceError: if a value cannot be, or there is only one class.
    """
    found = LESSON.settings(settings)
    if found["at_sea"] == found["on_meadow"]:
        raise SentenceError("There is nothing to tell apart: choose two different classes.")
    return found


def _glance(settings: Mapping[str, Any], seed: int) -> Overview:
    found = checked(settings)
    names, count, own = (found["at_sea"], found["on_meadow"]), found["per_class"], found["bias"]
    given = addresses(names, seed, count, "training", own)
    first = [each for label in (0, 1) for each in given if each.label == label]
    shown = [*first[:EXAMPLES], *first[count : count + EXAMPLES]]
    notes = () if own == 1 else (f"{round(own * count)} of {count} of each class are before their own background.",)
    return Overview(
        drawn(shown, names, found["side"]),
        dict.fromkeys(names, count),
        dict.fromkeys(names, JUDGED_PER_CLASS),
        notes,
    )


def _estimate(settings: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    return 10.0 + sum(_parts(settings, data))


def _parts(settings: Mapping[str, Any], data: Mapping[str, Any]) -> list[float]:
    """Return the seconds of each network, its pictures among them."""
    pictures, area = 2 * settings["per_class"] * settings["epochs"], (settings["side"] / 48) ** 2
    return [0.006 * settings["per_class"] + 0.0021 * area * pictures] * len(settings["variants"])


def _script(config: Config) -> str:
    return shortcut_script.script(config, checked(config.settings), world_of(config.seed), JUDGED_PER_CLASS)


_BACKGROUND = """
A network is rewarded for telling the training pictures apart, by whatever does it. Where every husky stands on snow,
the snow is enough, and easier than the husky. Such a *shortcut* does not show in the validation as long as its pictures
come from the same source: they are just as biased. It shows once backgrounds are swapped.

**How to find it without other pictures.** Grad-CAM and LIME mark what an answer rests on: here the waves and the grass
instead of the boat. Each picture of this run's mistakes opens on the page of explanations, with each of its networks.

**How to measure it.** Of these pictures we know everything, so the object can be taken out, and the background be
replaced by the other one, exactly. With $m$ the margin of the true class (its logit minus the other class's) we compare

- $m(\\text{picture}) - m(\\text{same picture without the object})$, what the object contributes, with
- $m(\\text{picture}) - m(\\text{same object before the other background})$, what the background contributes.

The *share of the background* is its part of both.

**What mends it.** Better data: pictures in which the background says nothing. Augmentation helps as far as it changes
what the shortcut rests on: colours can be turned and faded, so blue and green stop to help, but waves stay waves.

*Sources:* M. T. Ribeiro, S. Singh, C. Guestrin, *"Why Should I Trust You?"* (2016), section 6.4: huskies and snow. R.
Geirhos and others, *Shortcut learning in deep neural networks* (2020). S. Beery, G. Van Horn, P. Perona, *Recognition
in Terra Incognita* (2018): cows and beaches.
"""

LESSON = Lesson(
    name="shortcut",
    order=8,
    title="Shortcuts: the background instead of the object",
    icon=":material/alt_route:",
    sentence=(
        "A network whose classes always have the same background learns the background: it is right before such "
        "backgrounds and wrong once they are swapped. Data in which the background says nothing mend it, augmentation "
        "only as far as it changes what gives the class away."
    ),
    question="Has the network learnt what a boat is, or what the sea is?",
    knobs=_KNOBS,
    presets=_PRESETS,
    data=(),
    estimate=_estimate,
    parts=_parts,
    script=_script,
    variants=VARIANTS,
    background=_BACKGROUND,
    glance=_glance,
)
"""The lesson; it draws its own pictures."""
