"""U-Net (Ronneberger, Fischer & Brox 2015): down to see the context, up to say where, with bridges between."""

from __future__ import annotations

from typing import Literal

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import one_of

FILTERS = (64, 128, 256, 512)
BOTTOM = 1024


def unet(
    side: int = 572, classes: int = 2, padding: Literal["valid", "same"] = "valid", channels: int = 1
) -> keras.Model:
    """Return U-Net, which gives every pixel its class: 31,030,658 weights as in the paper's figure 1.

    Args:
        side: height and width of the picture.
        classes: probabilities for each pixel.
        padding: "valid" as in the paper, where every 3 × 3 convolution costs a border: 572 rows come out as 388, and
            the maps that cross a bridge are cropped. "same" keeps the size.
        channels: of the picture: 1 for grey (the paper's cells), 3 for colours (1,152 weights more).

    Returns:
        A model from pictures `(side, side, channels)` to probabilities `(rows, columns, classes)`.

    Raises:
        ValueError: if the picture cannot be halved four times without a rest.

    The paper says only that dropout stands at the end of the way down; as in its authors' Caffe file, half of the
    last two levels' values are dropped.
    """
    one_of("padding", padding, ("valid", "same"))
    _check(side, padding)
    image = keras.Input((side, side, channels), name="image")
    x = image
    bridges = []
    for level, filters in enumerate(FILTERS, start=1):
        x = _two_convolutions(x, filters, padding, f"down{level}")
        if level == len(FILTERS):
            x = layers.Dropout(0.5, name=f"down{level}_dropout")(x)
        bridges.append(x)
        x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)
    x = _two_convolutions(x, BOTTOM, padding, "bottom")
    x = layers.Dropout(0.5, name="bottom_dropout")(x)
    for level, filters in reversed(list(enumerate(FILTERS, start=1))):
        x = layers.Conv2DTranspose(filters, 2, strides=2, activation="relu", name=f"up{level}_upconv")(x)
        x = layers.Concatenate(name=f"up{level}_concat")([_cropped(bridges.pop(), x, f"up{level}_crop"), x])
        x = _two_convolutions(x, filters, padding, f"up{level}")
    scores = layers.Conv2D(classes, 1, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name=f"unet_{side}" if padding == "valid" else f"unet_{side}_same")


def _check(side: int, padding: str) -> None:
    """Raise ValueError unless every pooling finds an even number of rows."""
    if padding == "same":
        if side < 16 or side % 16:
            raise ValueError(f'side must be a multiple of 16 with padding="same", not {side}.')
    # Two convolutions cost 4 rows, so that 188 is the smallest side with anything left at the other end.
    elif side < 188 or side % 16 != 12:
        raise ValueError(f'side must be 188, 204, 220, … (16n + 12) with padding="valid", as 572 is, not {side}.')


def _two_convolutions(x: KerasTensor, filters: int, padding: str, name: str) -> KerasTensor:
    for number in (1, 2):
        x = layers.Conv2D(filters, 3, padding=padding, activation="relu", name=f"{name}_conv{number}")(x)
    return x


def _cropped(bridge: KerasTensor, x: KerasTensor, name: str) -> KerasTensor:
    border = bridge.shape[1] - x.shape[1]
    if border == 0:
        return bridge
    return layers.Cropping2D(((border // 2, border - border // 2),) * 2, name=name)(bridge)
