"""What makes a view of the gradient flow page: its declared settings, scene by scene."""

from __future__ import annotations

from explorer.gradient_flow.activations import ACTIVATIONS
from explorer.gradient_flow.initialisers import TITLES as INITIALISER_TITLES
from explorer.interface.state import Item, PageState

FIRST_SCENE = "activations"
LARGEST_SEED = 9999

_ACTIVATIONS = [
    Item("act_view", "curves", "Kind", options=("curves", "softmax")),
    Item("act_shown", "sigmoid,tanh,relu", "Activations", options=tuple(ACTIVATIONS)),
    Item("act_batch", "normal", "Pre-activations", options=("normal", "dense")),
    Item("act_mean", 0.0, "Mean", low=-5.0, high=5.0, step=0.1),
    Item("act_spread", 2.0, "Spread", low=0.0, high=10.0, step=0.1, help="Standard deviation of the pre-activations."),
    Item("act_initialiser", "large_normal", "Initialisation", options=tuple(INITIALISER_TITLES)),
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
    Item("act_logits", "2, 1, 0.5, -1, -2", "Logits", help="Two to eight numbers, with commas between."),
    Item("act_temperature", 1.0, "Temperature", low=0.1, high=10.0, step=0.1),
]

STATE = PageState(
    "gradient_flow",
    [
        Item("scene", FIRST_SCENE, "Scene"),
        *_ACTIVATIONS,
    ],
)
