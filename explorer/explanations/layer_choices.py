"""Which layers an activation map can look at, as a network's structure tells it: for the web process, without Keras."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.networks.structure import Structure

# What puts out what went in, outside training.
_HANDING_ON = (
    "InputLayer", "Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization", "Identity",
)  # fmt: skip


@dataclass(frozen=True)
class LayerChoice:
    """A layer whose maps have places.

    Attributes:
        path: As in `explorer.networks.structure`.
        height: Of its maps, in cells.
        width: Of its maps, in cells.
        channels: Number of its maps.
    """

    path: str
    height: int
    width: int
    channels: int


def choices_of(structure: Structure) -> tuple[LayerChoice, ...]:
    """Return every layer with more than one place, in the order of the calls; the last one is the default.

    Args:
        structure: Of a network. Layers whose size it leaves open are left out.
    """
    found = []
    for path, layer in structure.layers.items():
        shape = layer.output_shape
        if layer.kind in _HANDING_ON or len(shape) != 3 or None in shape:
            continue
        height, width, channels = (int(side or 0) for side in shape)
        if height * width > 1:
            found.append(LayerChoice(path, height, width, channels))
    return tuple(found)
