"""What stands for absence: the colour or the blurred picture that methods put where something is taken away."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from scipy import ndimage

from explorer.networks.preprocessing import prepare
from explorer.networks.work_context import SentenceError

Baseline = Literal["black", "grey", "white", "mean", "blur"]
BASELINES: tuple[str, ...] = get_args(Baseline)
BLUR = 1 / 20
"""Standard deviation of the blur, as a share of the picture's shorter side."""
_GUESSED_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))


def baseline(network: Any, pictures: np.ndarray, name: str | float | np.ndarray) -> np.ndarray:
    """Return what takes the place of each picture where something is absent.

    Colours are meant as a visitor sees them, before the network's preprocessing: "black" is 0 on its [0, 255],
    "grey" 127.5, "white" 255. A bare keras.Model does not say what its input's range is; see `black_and_white`.

    Args:
        network: The network that the pictures were prepared for; None counts as a bare model.
        pictures: The prepared input, (n, height, width, channels).
        name: "black", "grey", "white"; "mean", each picture's own mean colour; "blur", each picture blurred by a
            Gaussian with a deviation of `BLUR` × its shorter side; or numbers in prepared units that can be
            broadcast to the pictures.

    Returns:
        float32, the pictures' shape.

    Raises:
        SentenceError: for an unknown name, or an array of another shape.
    """
    pictures = np.asarray(pictures, np.float32)
    if not isinstance(name, str):
        try:
            return np.ascontiguousarray(np.broadcast_to(np.asarray(name, np.float32), pictures.shape))
        except ValueError:
            raise SentenceError(
                f"A baseline of shape {np.shape(name)} does not fit pictures of shape {pictures.shape}."
            ) from None
    if name == "mean":
        colour = pictures.mean(axis=(1, 2), keepdims=True)
    elif name == "blur":
        deviation = BLUR * min(pictures.shape[1:3])
        return ndimage.gaussian_filter(pictures, (0, deviation, deviation, 0), mode="nearest")
    elif name in BASELINES:
        black, white = black_and_white(network, pictures)
        colour = {"black": black, "grey": (black + white) / 2, "white": white}[name]
    else:
        raise SentenceError(f"There is no baseline {name!r}; there are {', '.join(BASELINES)}.")
    return np.ascontiguousarray(np.broadcast_to(colour, pictures.shape), dtype=np.float32)


def black_and_white(network: Any, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what black and white are in prepared units, float32 (channels,) each.

    A network of the catalogue tells by its preprocessing. For a bare model the first of the ranges [0, 1], [−1, 1]
    and [0, 255] is taken that holds all values of the pictures, and otherwise the pictures' own smallest and
    largest value.

    Args:
        network: The network that the pictures were prepared for; None counts as a bare model.
        pictures: The prepared input, (n, height, width, channels).
    """
    channels = pictures.shape[-1]
    entry = getattr(network, "entry", None)
    if entry is not None and channels == 3:
        ends = prepare(np.array([0.0, 255.0], np.float32)[:, None, None, None].repeat(3, axis=3), entry)
        return ends[0, 0, 0], ends[1, 0, 0]
    low, high = (float(pictures.min()), float(pictures.max())) if pictures.size else (0.0, 1.0)
    ends_found = next((ends for ends in _GUESSED_RANGES if ends[0] <= low and high <= ends[1]), (low, high))
    return np.full(channels, ends_found[0], np.float32), np.full(channels, ends_found[1], np.float32)


def as_seen(network: Any, pictures: np.ndarray) -> np.ndarray:
    """Return prepared pictures as a visitor sees them: float32 on [0, 1], in red, green, blue.

    Args:
        network: The network that the pictures were prepared for; None counts as a bare model.
        pictures: The prepared input, (n, height, width, channels).
    """
    black, white = black_and_white(network, pictures)
    span = white - black
    seen = np.clip((pictures - black) / np.where(span == 0, 1, span), 0, 1).astype(np.float32)
    entry = getattr(network, "entry", None)
    return seen[..., ::-1] if entry is not None and entry.preprocessing == "caffe" else seen
