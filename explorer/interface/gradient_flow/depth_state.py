"""What makes a view of the scenes about depth: their declared settings."""

from __future__ import annotations

from explorer.gradient_flow.activations import ACTIVATIONS
from explorer.gradient_flow.depth_results import (
    RESOLUTIONS,
    DegradationPlan,
    PathsPlan,
    SurfacePlan,
    VanishingPlan,
)
from explorer.gradient_flow.initialisers import TITLES as INITIALISER_TITLES
from explorer.gradient_flow.stacks import MOST_LAYERS
from explorer.interface.state import Item

MOST_STEPS = 100
MOST_BLOCKS = 54
MOST_EPOCHS = 60
_RATES = ("0.001", "0.003", "0.01", "0.03", "0.05", "0.1", "0.3", "1", "10", "1e6")
_VANISHING, _PATHS, _DEGRADATION, _SURFACE = VanishingPlan(), PathsPlan(), DegradationPlan(), SurfacePlan()
_SCALES = {"linear": "Loss", "log": "Log of the loss"}
_DIRECTIONS = {"random": "Random, filter-normalised", "path": "Along the training path (PCA)"}
_SEED_HELP = "Of first weights, the split of the pictures and their order."


def _activation_title(name: str) -> str:
    return ACTIVATIONS[name].title


VANISHING_ITEMS = [
    Item("van_depth", _VANISHING.depth, "Depth", low=1, high=MOST_LAYERS, step=1, help="Layers that are all alike."),
    Item("van_activation", _VANISHING.activation, "Activation", options=tuple(ACTIVATIONS), format=_activation_title),
    Item(
        "van_initialiser",
        _VANISHING.initialiser,
        "Initialisation",
        options=tuple(INITIALISER_TITLES),
        format=INITIALISER_TITLES.__getitem__,
    ),
    Item("van_norm", _VANISHING.batch_norm, "Batch norm"),
    Item("van_steps", _VANISHING.steps, "Training steps", low=0, high=MOST_STEPS, step=5),
    Item("van_at", "", "Before step"),
    Item("van_rate", f"{_VANISHING.rate:g}", "Learning rate", options=_RATES),
    Item("van_seed", _VANISHING.seed, "Seed", help=_SEED_HELP),
]

PATHS_ITEMS = [
    Item(
        "path_network",
        _PATHS.network,
        "Network",
        options=("convolutional", "dense"),
        format=str.capitalize,
        help="Blocks of a 3 × 3 convolution over 16 channels, or of a dense layer of 32, which is trained in a "
        "fraction of the time.",
    ),
    Item("path_blocks", _PATHS.blocks, "Residual blocks", low=2, high=MOST_BLOCKS, step=1),
    Item(
        "path_survival",
        _PATHS.survival,
        "Survival p",
        low=0.3,
        high=1.0,
        step=0.05,
        help="With stochastic depth a block takes part in a step of training with this probability.",
    ),
    Item("path_epochs", _PATHS.epochs, "Epochs", low=1, high=MOST_EPOCHS, step=1),
    Item("path_rate", f"{_PATHS.rate:g}", "Learning rate", options=_RATES),
    Item("path_seed", _PATHS.seed, "Seed", help=_SEED_HELP),
]

DEGRADATION_ITEMS = [
    Item("deg_shallow", _DEGRADATION.shallow, "Shallow", low=1, high=30, step=1, help="Layers."),
    Item("deg_deep", _DEGRADATION.deep, "Deep", low=2, high=MOST_LAYERS, step=1, help="Layers."),
    Item("deg_norm", _DEGRADATION.batch_norm, "Batch norm"),
    Item("deg_epochs", _DEGRADATION.epochs, "Epochs", low=1, high=MOST_EPOCHS, step=1),
    Item("deg_rate", f"{_DEGRADATION.rate:g}", "Learning rate", options=_RATES),
    Item("deg_seed", _DEGRADATION.seed, "Seed", help=_SEED_HELP),
]

SURFACE_ITEMS = [
    Item("sur_depth", str(_SURFACE.depth), "Depth", options=("2", "8", "20", "56"), help="Layers that are all alike."),
    Item(
        "sur_directions", _SURFACE.directions, "Directions", options=tuple(_DIRECTIONS), format=_DIRECTIONS.__getitem__
    ),
    Item("sur_scale", "linear", "Height", options=tuple(_SCALES), format=_SCALES.__getitem__),
    Item("sur_top", 8.0, "Losses are cut off above", low=1.0, high=50.0, step=1.0),
    Item("sur_resolution", str(_SURFACE.resolution), "Points along a side", options=tuple(map(str, RESOLUTIONS[1:]))),
    Item("sur_extent", _SURFACE.extent, "Extent", low=0.1, high=2.0, step=0.1),
    Item("sur_epochs", _SURFACE.epochs, "Epochs", low=0, high=MOST_EPOCHS, step=1),
    Item("sur_rate", f"{_SURFACE.rate:g}", "Learning rate", options=_RATES),
    Item("sur_seed", _SURFACE.seed, "Seed", help=_SEED_HELP + " And of random directions."),
]
