"""Which pictures are nearest to one: compared pixel by pixel, and by what the network makes of them."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np

from explorer.inside.bank import bank, thumbnail
from explorer.inside.bank_answers import bank_features, features
from explorer.inside.evidence import Neighbour, Neighbours
from explorer.inside.feature_maps import device_label
from explorer.networks.loading import load
from explorer.networks.preprocessing import Fit
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.work_context import WorkContext

Weights = Literal["trained", "random"]
MOST = 50


def neighbours(
    context: WorkContext,
    network: str,
    weights: Weights,
    pixels: np.ndarray,
    own: tuple[np.ndarray, ...] = (),
    fit: Fit = "pad",
    count: int = 8,
) -> Neighbours:
    """Return the nearest neighbours of a picture in pixel space and in feature space (named work).

    As in Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks" (2012),
    figure 4: pictures are alike for a network whose last hidden features are close. The features are the values that
    the last layer with weights reads; where that is a map, its mean over all places.

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pixels: The picture, uint8 (height, width, 3).
        own: The visitor's further pictures, to be looked at as well; nothing of them is kept.
        fit: How pictures are brought to the network's input size.
        count: How many neighbours, up to 50.

    Returns:
        Both lists, nearest first. The picture itself is left out where the bank or the visitor's pictures hold it.

    Raises:
        SentenceError: if the network does not exist.
    """
    count = min(max(1, count), MOST)
    context.report(message="Loading the network")
    loaded = load(network, weights)
    context.raise_if_stopped()
    pictures = bank(loaded.entry, fit, context)
    started = time.perf_counter()
    known = bank_features(loaded, pictures, context)
    fitted = np.stack([fit_picture(picture, loaded.entry, fit).pixels for picture in (pixels, *own)])
    fresh = features(loaded, fitted, context)
    everything = np.concatenate([fitted[1:], pictures.pixels])
    sources = (*(f"own:{number}" for number in range(len(own))), *pictures.sources)
    titles = (*(f"Your picture {number + 1}" for number in range(len(own))), *pictures.titles)
    values = np.concatenate([fresh.values[1:], known.values])
    logits = np.concatenate([fresh.logits[1:], known.logits])
    same = np.array([np.array_equal(picture, fitted[0]) for picture in everything])
    others = np.flatnonzero(~same)
    by_pixels = pixel_distances(fitted[0], everything[others])
    by_features = feature_distances(fresh.values[0], values[others])
    ranks = [_ranks(distances) for distances in (by_pixels, by_features)]

    def neighbour(position: int, distances: np.ndarray, other: np.ndarray) -> Neighbour:
        number = int(others[position])
        return Neighbour(
            picture=thumbnail(everything[number]),
            source=sources[number],
            title=titles[number],
            own=number < len(own),
            distance=float(distances[position]),
            other_rank=int(other[position]),
            predicted=_predicted(logits[number]),
        )

    return Neighbours(
        picture=thumbnail(fitted[0]),
        predicted=_predicted(fresh.logits[0]),
        pixels=tuple(neighbour(int(p), by_pixels, ranks[1]) for p in _nearest(by_pixels, count)),
        features=tuple(neighbour(int(p), by_features, ranks[0]) for p in _nearest(by_features, count)),
        layer=known.layer,
        size=known.values.shape[1],
        among=len(others),
        rank_agreement=_correlation(*ranks),
        left_out=int(same.sum()),
        seconds=time.perf_counter() - started,
        device=device_label(),
    )


def pixel_distances(picture: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the root mean square difference of pixels on [0, 1] between one picture and each of others.

    Args:
        picture: uint8 (h, w, 3).
        others: uint8 (n, h, w, 3).

    Returns:
        float64 (n,), from 0 (equal) to 1 (black against white).
    """
    wanted = picture.astype(np.float32).reshape(-1)
    found = np.empty(len(others))
    for number, other in enumerate(others):  # one at a time: all at once would be four times the bank in memory
        difference = other.reshape(-1).astype(np.float32) - wanted
        found[number] = np.sqrt(np.dot(difference, difference) / difference.size) / 255
    return found


def feature_distances(wanted: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return Euclidean distances between features, in units of the mean length of all of them.

    Args:
        wanted: float32 (features,).
        others: float32 (n, features).

    Returns:
        float64 (n,); NaN for features that are not numbers, which are then nobody's neighbours.
    """
    everything = np.concatenate([wanted[None], others]).astype(np.float64)
    lengths = np.linalg.norm(everything, axis=1)
    unit = lengths[np.isfinite(lengths)].mean() if np.isfinite(lengths).any() else 0.0
    return np.linalg.norm(everything[1:] - everything[0], axis=1) / (unit or 1.0)


def _nearest(distances: np.ndarray, count: int) -> np.ndarray:
    order = np.argsort(distances, kind="stable")
    return order[np.isfinite(distances[order])][:count]


def _ranks(distances: np.ndarray) -> np.ndarray:
    ranks = np.empty(len(distances), int)
    ranks[np.argsort(distances, kind="stable")] = np.arange(1, len(distances) + 1)
    return ranks


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of two rankings without ties, in [−1, 1]; NaN where there is nothing to compare."""
    return float(np.corrcoef(first, second)[0, 1]) if len(first) > 1 else float("nan")


def _predicted(logits: np.ndarray) -> int | None:
    return int(np.argmax(logits)) if len(logits) > 1 and np.isfinite(logits).all() else None
