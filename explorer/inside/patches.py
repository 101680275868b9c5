"""Which pictures drive a channel most, and where: the evidence beside an image grown by gradient ascent."""

from __future__ import annotations

import math
import time
from typing import Any, Literal

import numpy as np

from explorer.inside.bank import Bank, bank, thumbnail
from explorer.inside.bank_answers import Peaks, bank_peaks, peaks
from explorer.inside.evidence import Box, ChannelEvidence, Patch, TopPatches
from explorer.inside.feature_maps import device_label
from explorer.inside.layer_graph import LayerGraph, layer_graph
from explorer.inside.receptive_field import field_of, prepared_noise
from explorer.networks.loading import LoadedNetwork, load
from explorer.networks.preprocessing import Fit
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.work_context import SentenceError, WorkContext

Weights = Literal["trained", "random"]
MOST_CHANNELS = 64
MOST_PATCHES = 50


def top_patches(
    context: WorkContext,
    network: str,
    weights: Weights,
    layer: str,
    channels: tuple[int, ...],
    own: tuple[np.ndarray, ...] = (),
    fit: Fit = "pad",
    count: int = 9,
) -> TopPatches:
    """Return the patches of pictures that activate channels of a layer most (named work).

    The idea is that of Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014), figure 2,
    and of Girshick and others, "Rich feature hierarchies" (2014), section 3.1: look at what a unit fires for. Each
    picture counts once, by its strongest place; the largest value counts, in layers with both signs as well.

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        layer: Path of the layer; "" for classes: the pictures with the highest logits.
        channels: Numbers of its channels (or of classes), up to 64.
        own: The visitor's pictures, uint8 (height, width, 3); nothing of them is kept.
        fit: How pictures are brought to the network's input size.
        count: How many patches of each channel, up to 50.

    Returns:
        Patches for each channel, cut from the pictures as the network got them.

    Raises:
        SentenceError: if the network, the layer or a channel does not exist.
    """
    if not 1 <= len(channels) <= MOST_CHANNELS:
        raise SentenceError(f"Choose 1 to {MOST_CHANNELS} channels, not {len(channels)}.")
    count = min(max(1, count), MOST_PATCHES)
    context.report(message="Loading the network")
    loaded = load(network, weights)
    graph = layer_graph(loaded)
    if layer:
        graph.info(layer)
    context.raise_if_stopped()
    pictures = bank(loaded.entry, fit, context)
    started = time.perf_counter()
    found = bank_peaks(loaded, layer, pictures, context)
    everything, number_own = _with_own(loaded, layer, pictures, found, own, fit, context)
    pixels, sources, titles, values, places = everything
    total = values.shape[1]
    for channel in channels:
        if not 0 <= channel < total:
            what = f"The layer {layer} has channels" if layer else "This network has classes"
            raise SentenceError(f"{what} 0 to {total - 1}; there is none numbered {channel}.")
    fields = _Fields(loaded, graph, layer, found.shape)

    def patch(picture: int, channel: int, rank: int) -> Patch:
        cell, field, window = fields.at(int(places[picture, channel]))
        top, left, bottom, right = window
        return Patch(
            pixels=np.ascontiguousarray(pixels[picture][top:bottom, left:right]),
            value=float(values[picture, channel]),
            source=sources[picture],
            title=titles[picture],
            own=picture < number_own,
            cell=cell,
            field=field,
            window=window,
            picture=thumbnail(pixels[picture]),
            rank=rank,
        )

    evidence = []
    for channel in channels:
        context.raise_if_stopped()
        column = values[:, channel]
        order = np.argsort(-column, kind="stable")
        ranks = np.empty(len(order), int)
        ranks[order] = np.arange(1, len(order) + 1)
        chosen = [picture for picture in order[:count] if np.isfinite(column[picture])]
        evidence.append(
            ChannelEvidence(
                channel=channel,
                patches=tuple(patch(int(picture), channel, int(ranks[picture])) for picture in chosen),
                own=tuple(patch(picture, channel, int(ranks[picture])) for picture in range(number_own)),
                highest=float(column[order[0]]),
                median=float(np.median(column)),
                note=_note(column, in_layer=bool(layer), signed=graph.signed.get(layer, True)),
            )
        )
    return TopPatches(
        kind="channel" if layer else "class",
        layer=layer,
        channels=tuple(evidence),
        field_size=fields.size,
        pictures=len(values),
        sentence=_sentence(len(pictures), number_own, layer),
        seconds=time.perf_counter() - started,
        device=device_label(),
    )


def _with_own(
    loaded: LoadedNetwork,
    layer: str,
    pictures: Bank,
    found: Peaks,
    own: tuple[np.ndarray, ...],
    fit: Fit,
    context: WorkContext,
) -> tuple[tuple[Any, tuple[str, ...], tuple[str, ...], np.ndarray, np.ndarray], int]:
    """Return pixels, sources, titles, peaks and their places of the visitor's pictures and then of the bank."""
    if not own:
        return (pictures.pixels, pictures.sources, pictures.titles, found.values, found.places), 0
    fitted = np.stack([fit_picture(picture, loaded.entry, fit).pixels for picture in own])
    theirs = peaks(loaded, layer, fitted, context)
    # A picture of the bank that is the visitor's current one would stand there twice.
    fresh = [
        number for number in range(len(pictures)) if not any(np.array_equal(pictures.pixels[number], p) for p in fitted)
    ]
    return (
        [*fitted, *(pictures.pixels[number] for number in fresh)],
        (*(f"own:{number}" for number in range(len(own))), *(pictures.sources[number] for number in fresh)),
        (*(_own_title(number, len(own)) for number in range(len(own))), *(pictures.titles[n] for n in fresh)),
        np.concatenate([theirs.values, found.values[fresh]]),
        np.concatenate([theirs.places, found.places[fresh]]),
    ), len(own)


def _own_title(number: int, count: int) -> str:
    return "Your picture" if count == 1 else f"Your picture {number + 1}"


def _note(column: np.ndarray, *, in_layer: bool, signed: bool) -> str:
    if not np.isfinite(column).any():
        return "What this channel answers is not a number for any picture."
    if in_layer and not signed and column.max() <= 0:
        return "No picture drives this channel: it is silent for all of them, so the order means nothing."
    if len(column) > 1 and column.max() == column.min():
        return "This channel answers the same to every picture, so the order means nothing."
    return ""


def _sentence(bank_size: int, own: int, layer: str) -> str:
    what = "the strongest place of each" if layer else "each picture's logit"
    yours = f" and {own} of yours" if own else ""
    return f"Looked at {bank_size} drawn pictures and sample photos{yours}; {what} counts."


class _Fields:
    """Which part of the input each cell of a layer depends on, and which window shows it."""

    def __init__(self, loaded: LoadedNetwork, graph: LayerGraph, layer: str, shape: tuple[int, ...]) -> None:
        self._loaded, self._graph, self._layer, self._shape = loaded, graph, layer, shape
        self._noise = prepared_noise(loaded.entry)
        self._known: dict[tuple[int, int], tuple[Box, Box]] = {}
        height, width = loaded.entry.input_size
        self._whole: Box = (0, 0, height, width)
        self._spatial = bool(layer) and math.prod(shape) > 1
        self.size = (height, width)
        self._central: Any = None
        if self._spatial:
            rows, columns = self._grid()
            self._middle = (rows // 2, columns // 2)
            self._central = self._field(*self._middle)
            self.size = (min(self._central.local_size[0], height), min(self._central.local_size[1], width))

    def _grid(self) -> tuple[int, int]:
        """Rows and columns in which `field_of` numbers the cells: a volume's slices stand below each other."""
        if len(self._shape) > 2:
            return math.prod(self._shape[:-1]), self._shape[-1]
        rows, columns = (*self._shape, 1, 1)[:2]
        return rows, columns

    def _field(self, row: int, column: int) -> Any:
        return field_of(self._loaded, self._graph, self._layer, row, column, self._noise)

    def at(self, place: int) -> tuple[tuple[int, int] | None, Box, Box]:
        """Return the cell of a flattened place, its field inside the picture, and the window around that."""
        if not self._spatial:
            return None, self._whole, self._whole
        row, column = divmod(place, self._grid()[1])
        if (row, column) not in self._known:
            self._known[row, column] = self._boxes(row, column)
        return (row, column), *self._known[row, column]

    def _boxes(self, row: int, column: int) -> tuple[Box, Box]:
        if self._central.method == "layers":
            found = self._field(row, column)
            free = found.unclipped if found.local_box == found.box else found.local_box
            inside = found.local_box
        else:
            # Gradients at one cell cost passes of the whole network: the others' fields are the same one, moved.
            down = (row - self._middle[0]) * self._central.stride[0]
            right = (column - self._middle[1]) * self._central.stride[1]
            box = self._central.box
            free = (box[0] + down, box[1] + right, box[2] + down, box[3] + right)
            inside = free
        limits = self._whole[2:]
        field = _clipped(inside, limits)
        return field, _window(free, self.size, limits)


def _clipped(box: tuple[float, float, float, float], limits: tuple[int, ...]) -> Box:
    top, left, bottom, right = (min(max(round(value), 0), limits[index % 2]) for index, value in enumerate(box))
    return top, left, bottom, right


def _window(box: tuple[float, float, float, float], size: tuple[int, int], limits: tuple[int, ...]) -> Box:
    """Return a window of a size around the middle of a box, moved until it lies inside the picture."""
    starts = []
    for axis in range(2):
        middle = (box[axis] + box[axis + 2]) / 2
        start = math.floor(middle - size[axis] / 2 + 0.5)
        starts.append(min(max(start, 0), limits[axis] - size[axis]))
    top, left = starts
    return top, left, top + size[0], left + size[1]
