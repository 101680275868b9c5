"""The table of scenes, in the order in which a student meets them."""

from __future__ import annotations

from explorer.convolution.scene import Scene
from explorer.convolution.scenes import channels, convolution, growing, one_dimension, photo, pooling, transposed

SCENES: tuple[Scene, ...] = (
    convolution.SCENE,
    channels.SCENE,
    transposed.SCENE,
    pooling.SCENE,
    one_dimension.SCENE,
    photo.SCENE,
    growing.SCENE,
)


def scene(name: str) -> Scene:
    """Return the scene of that name.

    Raises:
        KeyError: there is none.
    """
    return {one.name: one for one in SCENES}[name]
