"""The settings of augmentation, for lessons that offer it: each with a strength, all of them off at first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.runs.lessons.lesson import Knob

PREFIX = "augment_"


def _strength(name: str, label: str, high: float, step: float, text: str) -> Knob:
    return Knob(PREFIX + name, label, "number", 0.0, low=0.0, high=high, step=step, help=text)


KNOBS: tuple[Knob, ...] = (
    Knob(
        PREFIX + "flip",
        "Flip",
        "choice",
        "none",
        options={
            "none": "no",
            "horizontal": "left and right",
            "vertical": "top and bottom",
            "both": "both ways",
        },
        help="Half of the pictures are mirrored; a mirrored digit or letter is another one.",
    ),
    _strength("rotation", "Rotation", 180.0, 5.0, "Up to so many degrees, either way."),
    _strength("shift", "Shift", 0.5, 0.05, "Up to this share of the side, in every direction."),
    _strength("zoom", "Zoom", 0.5, 0.05, "Larger or smaller by up to this share."),
    _strength("crop", "Random crop", 0.7, 0.05, "Up to this share of each side is cut away, the rest enlarged."),
    _strength("brightness", "Brightness", 0.5, 0.05, "Up to so much is added or taken away; black is 0, white is 1."),
    _strength("contrast", "Contrast", 0.9, 0.05, "Differences from the picture's mean grow or shrink by this share."),
    _strength("saturation", "Saturation", 1.0, 0.05, "Colours fade or grow by up to this share."),
    _strength("hue", "Hue", 0.5, 0.02, "Colours go round the colour circle by up to this part of a turn."),
    _strength("noise", "Noise", 0.3, 0.01, "Standard deviation of what is added to each value."),
    _strength("cutout", "Cutout", 0.6, 0.05, "A grey square of up to this share of the side hides a part."),
    _strength("mixup", "Mixup", 1.0, 0.1, "Two pictures and their labels are mixed; more is closer to half and half."),
    Knob(
        PREFIX + "border",
        "Beyond the edge",
        "choice",
        "mirror",
        options={"mirror": "the picture, mirrored", "repeat": "its edge, repeated", "black": "black"},
        help="What comes in when a picture is turned, shifted or made smaller.",
    ),
)
"""All settings; a lesson puts them among its own."""

NEUTRAL: Mapping[str, Any] = MappingProxyType({knob.name: knob.default for knob in KNOBS})
"""What changes nothing; a lesson may begin with something else."""

GEOMETRY = ("flip", "rotation", "shift", "zoom", "crop", "border")
"""Those that masks follow."""

GENTLE: Mapping[str, Any] = MappingProxyType(
    {
        "augment_flip": "horizontal",
        "augment_rotation": 10.0,
        "augment_shift": 0.1,
        "augment_zoom": 0.1,
        "augment_brightness": 0.1,
        "augment_contrast": 0.2,
        "augment_saturation": 0.2,
    }
)
"""Settings that suit most photos and drawings."""


def augmentation_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each of these settings: those among a lesson's settings, checked, and the defaults.

    Raises:
        SentenceError: if a value cannot be.
    """
    return {knob.name: knob.checked(settings.get(knob.name, knob.default)) for knob in KNOBS}
