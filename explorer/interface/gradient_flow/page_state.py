"""What makes a view of the gradient flow page: its declared settings, scene by scene."""

from __future__ import annotations

from explorer.gradient_flow.activations import ACTIVATIONS
from explorer.gradient_flow.initialisers import TITLES as INITIALISER_TITLES
from explorer.gradient_flow.optimisers import OPTIMISERS
from explorer.gradient_flow.surfaces import STRETCH, SURFACES
from explorer.interface.gradient_flow.depth_state import DEPTH_ITEMS
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

_STRENGTHS = ("0", "0.0001", "0.0003", "0.001", "0.003", "0.005", "0.01", "0.03", "0.1")

_OPTIMISERS = [
    Item("opt_view", "surface", "Where", options=("surface", "network", "weights")),
    Item("opt_surface", "valley", "Surface", options=tuple(SURFACES)),
    Item("opt_shown", "sgd,momentum,nesterov,rmsprop,adam", "Optimisers", options=tuple(OPTIMISERS)),
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
    Item("opt_rate", "", "One rate for all", help="Empty: each optimiser has its own, under More."),
    Item("opt_rates", "", "Learning rates"),
    Item("opt_start", "", "Start"),
    Item("opt_seed", 0, "Seed", help="Of the noise, of first weights and of the order of pictures."),
    Item("net_rates", "", "Learning rates"),
    Item("net_epochs", 20, "Epochs", low=1, high=100, step=1),
    Item("net_activation", "relu", "Activation", options=tuple(ACTIVATIONS)),
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
    Item("hand_network", "sigmoid", "Network", options=("sigmoid", "conv")),
    Item("hand_numbers", "round", "Numbers", options=("round", "random")),
    Item("hand_seed", 0, "Seed", help="Of random weights, inputs and targets."),
    Item("hand_outputs", "2", "Outputs", options=("1", "2")),
    Item("hand_rate", 0.5, "Learning rate η", low=0.0, high=20.0, step=0.05),
    Item("hand_edits", "", "Changed numbers"),
]

STATE = PageState(
    "gradient_flow",
    [
        Item("scene", FIRST_SCENE, "Scene"),
        *_ACTIVATIONS,
        *_OPTIMISERS,
        *_BACKPROPAGATION,
        *DEPTH_ITEMS,
    ],
)
