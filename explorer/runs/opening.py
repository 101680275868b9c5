"""Opens a network that a run has trained, for the other pages: colour pictures in, logits out."""

from __future__ import annotations

import importlib
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.runs.trained import TrainedModel, described

if TYPE_CHECKING:
    import keras

LAYER_MODULES = re.compile(
    r"explorer\.(runs\.layers|networks\.drawn\.stem|networks\.grey|architectures\.builders\.[a-z0-9_]+)"
)
"""Modules of this project with layers that models may be made of; a run's word makes nothing else be imported."""

COLOURS = 3


def open_model(name: str, weights: str) -> keras.Model:
    """Return a network by its name in the catalogue.

    A network for grey pictures gets a layer in front that makes them grey.

    Args:
        name: see `explorer.runs.trained.name_of`.
        weights: "trained", or "random": drawn anew by the layers' own initialisers.

    Raises:
        SentenceError: if there is no such network.
        OSError: if its file cannot be read.
        ValueError: if its file is no model, or not the model that the run has described.
    """
    from explorer.networks.grey import on_colour_pictures

    _, folder, described_as, needs = described(name)
    import_layers(needs)
    model = trained(folder / described_as.file) if weights == "trained" else untrained(folder / described_as.file)
    check(model, described_as)
    return on_colour_pictures(model) if described_as.channels != COLOURS else model


def import_layers(needs: Iterable[str]) -> None:
    """Import the modules that define layers of a model.

    Raises:
        ValueError: if one is not among `LAYER_MODULES`, or is not there.
    """
    for module in needs:
        if LAYER_MODULES.fullmatch(module) is None:
            raise ValueError(f"{module!r} is no module of layers")
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise ValueError(f"there is no module {module!r}") from error


def trained(path: Path) -> keras.Model:
    """Return a saved model; code that a file brings along is refused."""
    import keras

    return keras.saving.load_model(path, compile=False, safe_mode=True)


def untrained(path: Path) -> keras.Model:
    """Return a model built as the saved one was, without reading its weights."""
    import keras

    with zipfile.ZipFile(path) as archive:
        config: dict[str, Any] = json.loads(archive.read("config.json"))
    config["compile_config"] = None
    return keras.saving.deserialize_keras_object(config, safe_mode=True)


def check(model: Any, described_as: TrainedModel) -> None:
    """Make sure that a model is what the run said.

    Raises:
        ValueError: if it is not.
    """
    import keras

    if not isinstance(model, keras.Model) or len(model.inputs or ()) != 1 or len(model.outputs or ()) != 1:
        raise ValueError("the model has not one input and one output")
    shape, wanted = tuple(model.inputs[0].shape[1:]), (*described_as.input_size, described_as.channels)
    if len(shape) != 3 or any(side not in (None, other) for side, other in zip(shape, wanted, strict=True)):
        raise ValueError(f"the model takes {shape}, not {wanted}")
    if tuple(model.outputs[0].shape[1:]) != (len(described_as.classes),):
        raise ValueError(f"the model gives {model.outputs[0].shape[1:]}, not {len(described_as.classes)} logits")
