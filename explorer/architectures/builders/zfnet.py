"""ZFNet (Zeiler & Fergus 2013): AlexNet with smaller, denser first filters, chosen by looking at what they saw."""

from __future__ import annotations

import keras
from keras import layers

from explorer.architectures.builders.arguments import at_least
from explorer.architectures.builders.local_response_normalization import LocalResponseNormalization


def zfnet(input_side: int = 224, classes: int = 1000) -> keras.Model:
    """Return ZFNet as the paper's figure 3 draws it: 62,357,608 weights.

    Args:
        input_side: height and width of the picture.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    Raises:
        ValueError: if the picture is too small for three poolings.

    The figure's sizes (224 → 110 → 55 → 26 → 13 → 6) come out with one row and column of zeros around the picture
    and with the first two poolings taking in the last, incomplete windows; `padding="same"` does that here. The
    paper names the contrast normalisation across maps without its constants: AlexNet's stand here.
    """
    at_least("input_side", input_side, 53)
    image = keras.Input((input_side, input_side, 3), name="image")
    x = layers.ZeroPadding2D(1, name="pad")(image)
    x = layers.Conv2D(96, 7, strides=2, activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = LocalResponseNormalization(name="norm1")(x)

    x = layers.Conv2D(256, 5, strides=2, activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool2")(x)
    x = LocalResponseNormalization(name="norm2")(x)

    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv4")(x)
    x = layers.Conv2D(256, 3, padding="same", activation="relu", name="conv5")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)

    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc6")(x)
    x = layers.Dropout(0.5, name="drop6")(x)
    x = layers.Dense(4096, activation="relu", name="fc7")(x)
    x = layers.Dropout(0.5, name="drop7")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name="zfnet")
