"""What makes a view of the explanations page: its declared settings, and what they ask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.explanations.layer_choices import choices_of
from explorer.explanations.results import Score, Target
from explorer.explanations.table import METHODS, Method, Option
from explorer.interface.network_choice import FITS, NETWORK_NAMES, WEIGHTS
from explorer.interface.state import Item, PageState
from explorer.networks import catalogue
from explorer.networks.preprocessing import Fit
from explorer.networks.structure import Structure
from explorer.pictures.picture import Picture

DEFAULT_METHODS = ("saliency", "integrated_gradients", "grad_cam", "occlusion")
KINDS = {"class": "A class", "channel": "A channel", "cell": "One cell of a layer"}
SCORES = {"logits": "Logits", "softmax": "Softmax"}
PANELS = {
    "scores": "Judge the maps",
    "sanity": "Sanity check",
    "channels": "Switch channels off",
    "neighbours": "Nearest pictures",
    "report": "Report",
}
PREDICTED = "predicted"
NONE = "none"


def option_name(method: Method, option: Option) -> str:
    """Return the name of a method's knob among the page's settings."""
    return f"{method.name}_{option.name}"


def _option_items() -> list[Item]:
    return [
        Item(
            option_name(method, option),
            option.default,
            option.label,
            options=option.options,
            low=option.low,
            high=option.high,
            step=option.step,
            help=option.help or None,
        )
        for method in METHODS.values()
        for option in method.options
    ]


STATE = PageState(
    "explanations",
    [
        Item("network", catalogue.DEFAULT_NETWORK, "Network", options=NETWORK_NAMES),
        Item("weights", "trained", "Weights", options=tuple(WEIGHTS)),
        Item("fit", "pad", "Fit to the network's input", options=tuple(FITS)),
        Item(
            "methods",
            ",".join(DEFAULT_METHODS),
            "Methods",
            options=tuple(METHODS),
            format=lambda name: METHODS[name].title,
        ),
        Item("kind", "class", "Explain", options=tuple(KINDS), help="Gradient methods can also explain one unit."),
        Item("target", "", "Class to explain", help="Type to search."),
        Item("against", "", "Compare with", help="A second class: its maps stand below the first one's."),
        Item(
            "difference",
            False,
            "Explain the difference instead",
            help="The score of the first class minus the score of the second: what speaks for one and not the other.",
        ),
        Item("unit_layer", "", "Layer of the unit"),
        Item("channel", 0, "Channel"),
        Item("row", 0, "Row"),
        Item("column", 0, "Column"),
        Item(
            "layer",
            "",
            "Layer of the activation maps",
            help="CAM methods look at one layer: by default the last one that still has places, after its activation.",
        ),
        Item(
            "score",
            "logits",
            "Score",
            options=tuple(SCORES),
            help="A softmax can rise because other classes fall: its maps mix the reasons against them into the map.",
        ),
        Item("seed", 0, "Seed", help="Of everything random: noise, masks, superpixels."),
        Item("batch", 0, "Pictures at a time", help="0 lets the app choose what fits into memory."),
        Item(
            "predict",
            False,
            "Predict first",
            help="Paint where you think that the network looks, then see the maps.",
        ),
        Item("painted", "", "Painted"),
        Item("panel", "scores", "Below", options=tuple(PANELS)),
        Item("off_layer", "", "Layer"),
        Item("off", "", "Channels that are off"),
        *_option_items(),
    ],
)


@dataclass(frozen=True)
class Question:
    """What all maps on the stage have in common."""

    network: str
    weights: str
    fit: Fit
    layer: str
    score: Score
    seed: int
    batch: int
    options: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]

    def of(self, method: str) -> dict[str, Any]:
        """Return the knobs of a method."""
        return dict(dict(self.options).get(method, ()))


@dataclass(frozen=True, eq=False)
class Row:
    """One row of the stage: a picture and what is explained on it."""

    picture: Picture
    target: Target
    label: str

    def keep_as(self, question: Question) -> tuple:
        """Return what the row's maps depend on, besides method and knobs."""
        return (question.network, question.weights, question.fit, self.picture.sha256, self.target)


def class_title(names: tuple[str, ...] | None, index: int) -> str:
    """Return how a class is printed: by its name, with its number where two have the same."""
    if names is None or not 0 <= index < len(names):
        return f"class {index}"
    return f"{names[index]} ({index})" if names.count(names[index]) > 1 else names[index]


def class_options(classes: int, top: tuple[int, ...]) -> list[str]:
    """Return all classes by number, the most probable first."""
    return [*map(str, top), *(str(index) for index in range(classes) if index not in top)]


def unit_layers(structure: Structure) -> list[str]:
    """Return the layers that have places: those whose channels and cells can be explained; the default stands last."""
    return [choice.path for choice in choices_of(structure)]


def activation_megabytes(structure: Structure) -> float:
    """Return roughly what one picture takes on its way forward and back: all layers' outputs twice, 4 bytes a value."""
    values = sum(math.prod(int(side or 1) for side in layer.output_shape) for layer in structure.layers.values())
    return 8 * values / 1e6


def options_of(names: list[str]) -> tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]:
    """Draw the knobs of the chosen methods and return their values."""
    found = []
    for name in names:
        method = METHODS[name]
        if not method.options:
            continue
        st.markdown(f"**{method.title}**")
        values = []
        for option in method.options:
            key = option_name(method, option)
            value = STATE.selectbox(key) if option.options else STATE.slider(key)
            values.append((option.name, value))
        found.append((name, tuple(values)))
    return tuple(found)
