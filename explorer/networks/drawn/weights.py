"""Where the trained weights of the bundled networks lie, and how they get into a model and out of it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

NAMES = ("drawn_plain", "drawn_robust")
WEIGHTS_FOLDER = Path(__file__).parent / "weights"


class _Variable(Protocol):
    path: str

    @property
    def shape(self) -> Any: ...

    def assign(self, value: Any) -> Any: ...


class _Model(Protocol):
    @property
    def variables(self) -> Iterable[Any]: ...


def weights_path(name: str) -> Path:
    """Return the file that holds the weights of a bundled network.

    Raises:
        ValueError: if there is no such network.
    """
    if name not in NAMES:
        raise ValueError(f"There is no drawn network {name!r}; the names are {', '.join(NAMES)}.")
    return WEIGHTS_FOLDER / f"{name.removeprefix('drawn_')}.npz"


def load_weights(model: _Model, name: str, path: Path | None = None) -> None:
    """Give a model built by `explorer.networks.drawn.model.build` its trained weights.

    Args:
        model: the untrained model; it is changed in place.
        name: "drawn_plain" or "drawn_robust".
        path: another file of the same form; by default the bundled one.

    Raises:
        FileNotFoundError: if the file is not there.
        ValueError: if its arrays do not fit the model's variables, by path and shape.
    """
    file = weights_path(name) if path is None else path
    with np.load(file, allow_pickle=False) as stored:
        put_weights(model, {key: stored[key] for key in stored.files})


def put_weights(model: _Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Assign arrays, keyed by variable path, to all variables; see `load_weights` for what it raises."""
    variables = {variable.path: variable for variable in model.variables}
    if variables.keys() != arrays.keys():
        odd = sorted(variables.keys() ^ arrays.keys())
        raise ValueError(f"These weights belong to another network; the first difference is {odd[0]}.")
    for path, variable in variables.items():
        if tuple(variable.shape) != arrays[path].shape:
            raise ValueError(
                f"The weights of {path} have shape {arrays[path].shape}, the network needs {tuple(variable.shape)}."
            )
    for path, variable in variables.items():
        variable.assign(arrays[path].astype(np.float32))


def take_weights(model: _Model) -> dict[str, np.ndarray]:
    """Return all variables of a model as float32 arrays, keyed by variable path."""
    return {variable.path: np.asarray(variable.numpy(), np.float32) for variable in model.variables}


def save_weights(model: _Model, path: Path) -> None:
    """Write the weights of a model as a compressed file of float16 arrays, whole or not at all."""
    save_arrays(path, {key: array.astype(np.float16) for key, array in take_weights(model).items()})


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to an .npz file through a temporary name, so that no half file is ever seen."""
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)  # type: ignore[arg-type]
    write_whole(path, data.getvalue())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file through a temporary name beside it: a killed process leaves the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    temporary.write_bytes(data)
    os.replace(temporary, path)
