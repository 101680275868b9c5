"""AlexNet (Krizhevsky, Sutskever & Hinton 2012): five convolutions and three dense layers, split over two GPUs."""

from __future__ import annotations

import keras
from keras import layers

from explorer.architectures.builders.arguments import at_least
from explorer.architectures.builders.local_response_normalization import LocalResponseNormalization


def alexnet(groups: bool = True, input_side: int = 227, classes: int = 1000) -> keras.Model:
    """Return AlexNet.

    Args:
        groups: whether the second, fourth and fifth convolution see only half of the maps before them, because the
            other half stood on the other GPU: 60,965,224 weights; 62,378,344 without.
        input_side: height and width of the picture. The paper prints 224, with which its first layer of 11 × 11
            filters at stride 4 does not come out; 227 does, and 224 gets three rows and columns of zeros.
        classes: units of the output.

    Returns:
        A model from pictures `(input_side, input_side, 3)` to probabilities.

    Raises:
        ValueError: if the picture is too small for three poolings.
    """
    at_least("input_side", input_side, 67)
    split = 2 if groups else 1
    image = keras.Input((input_side, input_side, 3), name="image")
    x = image
    if input_side == 224:
        x = layers.ZeroPadding2D(((1, 2), (1, 2)), name="pad")(x)

    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1")(x)
    x = LocalResponseNormalization(name="norm1")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)

    x = layers.Conv2D(256, 5, padding="same", groups=split, activation="relu", name="conv2")(x)
    x = LocalResponseNormalization(name="norm2")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(x)

    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.Conv2D(384, 3, padding="same", groups=split, activation="relu", name="conv4")(x)
    x = layers.Conv2D(256, 3, padding="same", groups=split, activation="relu", name="conv5")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)

    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc6")(x)
    x = layers.Dropout(0.5, name="drop6")(x)
    x = layers.Dense(4096, activation="relu", name="fc7")(x)
    x = layers.Dropout(0.5, name="drop7")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, scores, name="alexnet" if groups else "alexnet_ungrouped")
