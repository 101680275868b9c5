"""What makes a view of the gradient flow page: its declared settings, scene by scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explorer.gradient_flow.activations import ACTIVATIONS
from explorer.gradient_flow.initialisers import TITLES as INITIALISER_TITLES
from explorer.gradient_flow.optimisers import OPTIMISERS
from explorer.gradient_flow.surfaces import STRETCH, SURFACES
from explorer.interface.gradient_flow.depth_state import (
    DEGRADATION_ITEMS,
    PATHS_ITEMS,
    SURFACE_ITEMS,
    VANISHING_ITEMS,
)
from explorer.interface.state import Item, PageState

FIRST_SCENE = "activations"
LARGEST_SEED = 9999

VIEW_TITLES: Mapping[str, Mapping[str, str]] = {
    "act_view": {"curves": "One number each", "softmax": "Softmax"},
    "opt_view": {"surface": "On a surface", "network": "On a small network", "weights": "Regularisers"},
}
"""The properties that choose among several views of a scene, with what is printed on their buttons."""

_BATCHES = {"normal": "Normal", "dense": "From a dense layer"}
_ACTIVATION_TITLES = {name: entry.title for name, entry in ACTIVATIONS.items()}
_OPTIMISER_TITLES = {name: entry.title for name, entry in OPTIMISERS.items()}
_SURFACE_TITLES = {name: entry.title for name, entry in SURFACES.items()}
_NETWORKS_BY_HAND = {"sigmoid": "Two layers of sigmoids", "conv": "Convolution to softmax"}
_NUMBERS_BY_HAND = {"round": "Ready ones", "random": "Random"}


def _choice(name: str, default: str, label: str, titles: Mapping[str, str]) -> Item:
    """Return a choice whose options are printed as their titles."""
    return Item(name, default, label, options=tuple(titles), format=titles.__getitem__)


_CURVES = [
    Item(
        "act_shown",
        "sigmoid,tanh,relu",
        "Activations",
        options=tuple(ACTIVATIONS),
        format=_ACTIVATION_TITLES.__getitem__,
    ),
    _choice("act_batch", "normal", "Pre-activations", _BATCHES),
    Item("act_mean", 0.0, "Mean", low=-5.0, high=5.0, step=0.1),
    Item("act_spread", 2.0, "Spread", low=0.0, high=10.0, step=0.1, help="Standard deviation of the pre-activations."),
    _choice("act_initialiser", "large_normal", "Initialisation", INITIALISER_TITLES),
    Item("act_fan_in", 64, "Inputs of each unit", low=1, high=1024, step=1),
    Item("act_layers", 10, "Layers", low=1, high=100, step=1, help="So many activations one after another."),
    Item(
        "act_below",
        5.0,
        "Saturated below, % of the largest slope",
        low=1.0,
        high=50.0,
        step=1.0,
    ),
    Item("act_seed", 0, "Seed"),
]

_SOFTMAX = [
    Item("act_logits", "2, 1, 0.5, -1, -2", "Logits", help="Two to eight numbers, with commas between."),
    Item("act_temperature", 1.0, "Temperature", low=0.1, high=10.0, step=0.1),
]

_STRENGTHS = ("0", "0.0001", "0.0003", "0.001", "0.003", "0.005", "0.01", "0.03", "0.1")

_ANY_RACE = [
    Item(
        "opt_shown",
        "sgd,momentum,nesterov,rmsprop,adam",
        "Optimisers",
        options=tuple(OPTIMISERS),
        format=_OPTIMISER_TITLES.__getitem__,
    ),
    Item("opt_rate", "", "One rate for all", help="Empty: each optimiser has its own, under More."),
]

_OPTIMISER_SEED = [
    Item("opt_seed", 0, "Seed", help="Of the noise, of first weights and of the order of pictures."),
]

_ON_SURFACE = [
    _choice("opt_surface", "valley", "Surface", _SURFACE_TITLES),
    Item("opt_steps", 150, "Steps", low=10, high=500, step=10),
    Item(
        "opt_stretch",
        int(STRETCH),
        "Narrowness",
        low=1,
        high=200,
        step=1,
        help="So many times as steep across as along.",
    ),
    Item("opt_rates", "", "Learning rates"),
    Item("opt_start", "", "Start"),
]

_ON_NETWORK = [
    Item("net_rates", "", "Learning rates"),
    Item("net_epochs", 20, "Epochs", low=1, high=100, step=1),
    _choice("net_activation", "relu", "Activation", _ACTIVATION_TITLES),
]

_REGULARISERS = [
    Item("reg_l1", "0.005", "λ of L1", options=_STRENGTHS),
    Item("reg_l2", "0.005", "λ of L2", options=_STRENGTHS),
    Item("reg_dropout", 0.5, "Dropout", low=0.0, high=0.9, step=0.05),
    Item("reg_epochs", 60, "Epochs", low=5, high=200, step=5),
    Item("reg_examples", 300, "Training pictures", low=20, high=1437, step=1),
    Item(
        "reg_wrong",
        30,
        "Wrong labels, %",
        low=0,
        high=50,
        step=5,
        help="So many of the training pictures have a wrong class; to learn those by heart is to overfit.",
    ),
    Item("reg_near", 0.01, "Near zero: below", low=0.001, high=0.1, step=0.001),
]

_BACKPROPAGATION = [
    _choice("hand_network", "sigmoid", "Network", _NETWORKS_BY_HAND),
    _choice("hand_numbers", "round", "Numbers", _NUMBERS_BY_HAND),
    Item("hand_seed", 0, "Seed", help="Of random weights, inputs and targets."),
    Item("hand_outputs", "2", "Outputs", options=("1", "2")),
    Item("hand_rate", 0.5, "Learning rate η", low=0.0, high=20.0, step=0.05),
    Item("hand_edits", "", "Changed numbers"),
]

_VIEW_OF = {"activations": "act_view", "optimisers": "opt_view"}
"""The property that chooses the view of a scene that has several."""

_DRAWN: dict[tuple[str, str], Sequence[Item]] = {
    ("activations", "curves"): _CURVES,
    ("activations", "softmax"): _SOFTMAX,
    ("vanishing", ""): VANISHING_ITEMS,
    ("paths", ""): PATHS_ITEMS,
    ("degradation", ""): DEGRADATION_ITEMS,
    ("loss_surface", ""): SURFACE_ITEMS,
    ("optimisers", "surface"): [*_ANY_RACE, *_OPTIMISER_SEED, *_ON_SURFACE],
    ("optimisers", "network"): [*_ANY_RACE, *_OPTIMISER_SEED, *_ON_NETWORK],
    ("optimisers", "weights"): [*_OPTIMISER_SEED, *_REGULARISERS],
    ("backpropagation", ""): _BACKPROPAGATION,
}

STATE = PageState(
    "gradient_flow",
    [
        Item("scene", FIRST_SCENE, "Scene"),
        *(Item(name, next(iter(titles)), "View", options=tuple(titles)) for name, titles in VIEW_TITLES.items()),
        *{item.name: item for items in _DRAWN.values() for item in items}.values(),
    ],
)


def place_of(scene: str, views: Mapping[str, str]) -> tuple[str, str]:
    """Return a scene, the first for one that there is not, and its view; "" where there is but one.

    Args:
        scene: its name.
        views: of each property that chooses a view, which.
    """
    if scene not in {one for one, _ in _DRAWN}:
        scene = FIRST_SCENE
    view = _VIEW_OF.get(scene)
    return scene, views.get(view, "") if view is not None else ""


def settings_of(where: tuple[str, str]) -> frozenset[str]:
    """Return the names of the properties that are drawn there; none for a place that there is not."""
    return frozenset(item.name for item in _DRAWN.get(where, ()))
