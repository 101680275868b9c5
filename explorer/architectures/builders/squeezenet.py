"""SqueezeNet (Iandola et al. 2016): squeeze to few maps before looking, and no dense layer at all."""

from __future__ import annotations

from typing import Literal

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least, one_of

# Fire modules by their number: (filters that squeeze, filters of each of the two that expand), table 1 of the paper.
FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
# (filters and side of the first convolution, fire modules that a pooling follows, side of the picture)
VERSIONS = {"1.0": (96, 7, (4, 8), 227), "1.1": (64, 3, (3, 5), 227)}


def squeezenet(
    version: Literal["1.0", "1.1"] = "1.0", input_side: int | None = None, classes: int = 1000
) -> keras.Model:
    """Return SqueezeNet.

    Args:
        version: "1.0" is the paper's, with 1,248,424 weights; "1.1" its authors' later one, which starts smaller and
            pools earlier, with 1,235,496 weights and less than half of the work.
        input_side: height and width of the picture; None for 227. (The paper prints 224, but its first maps of
            111 × 111 are those of 227.)
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    Raises:
        ValueError: if there is no such version, or the picture is too small for three poolings.

    As in the authors' Caffe files, a pooling takes in the last, incomplete window (this matters in version 1.1,
    where 56 rows become 28).
    """
    one_of("version", version, VERSIONS)
    filters, kernel_size, pooled, side = VERSIONS[version]
    side = input_side or side
    at_least("input_side", side, 36)
    image = keras.Input((side, side, 3), name="image")
    x = layers.Conv2D(filters, kernel_size, 2, activation="relu", name="conv1")(image)
    x = _halved(x, "pool1")
    for number, (squeeze, expand) in FIRES.items():
        x = fire(x, squeeze, expand, f"fire{number}")
        if number in pooled:
            x = _halved(x, f"pool{number}")
    x = layers.Dropout(0.5, name="drop9")(x)
    x = layers.Conv2D(classes, 1, activation="relu", name="conv10")(x)
    x = layers.GlobalAveragePooling2D(name="avg_pool10")(x)
    scores = layers.Softmax(name="predictions")(x)
    return keras.Model(image, scores, name=f"squeezenet_{version.replace('.', '_')}")


def fire(x: KerasTensor, squeeze: int, expand: int, name: str) -> KerasTensor:
    """Return 2 · `expand` maps, half of them by 1 × 1 and half by 3 × 3 convolutions of `squeeze` maps (figure 1)."""
    x = layers.Conv2D(squeeze, 1, activation="relu", name=f"{name}_squeeze_1x1")(x)
    small = layers.Conv2D(expand, 1, activation="relu", name=f"{name}_expand_1x1")(x)
    large = layers.Conv2D(expand, 3, padding="same", activation="relu", name=f"{name}_expand_3x3")(x)
    return layers.Concatenate(name=name)([small, large])


def _halved(x: KerasTensor, name: str) -> KerasTensor:
    # On an even side the window that begins on the last row is incomplete: "same" fills it up, "valid" drops it. On
    # an odd side "valid" comes out, and "same" would shift the windows by one.
    padding = "same" if x.shape[1] % 2 == 0 else "valid"
    return layers.MaxPooling2D(3, strides=2, padding=padding, name=name)(x)
