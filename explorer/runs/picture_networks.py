"""The networks of the lessons whose answer is a picture: a class for each pixel, a larger picture, the same picture.

Each is a function of plain Keras (and `explorer.runs.layers`), so that a lesson's script shows it as it stands here.
"""

from __future__ import annotations

import keras

from explorer.runs.layers import Bicubic, PixelShuffle

# --- blocks ---


def convolved(x: keras.KerasTensor, filters: int, strides: int = 1) -> keras.KerasTensor:
    """Return the maps of a 3 × 3 convolution with batch normalisation and ReLU."""
    x = keras.layers.Conv2D(
        filters, 3, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def doubled(x: keras.KerasTensor, filters: int, upsampling: str = "transposed") -> keras.KerasTensor:
    """Return maps of twice the height and width: by a transposed convolution, or a convolution of enlarged maps.

    The transposed one's kernel is 4 × 4, twice the stride, so that every new pixel gets as many contributions as its
    neighbours; with 3 × 3 they differ, and the maps show a checkerboard (Odena, Dumoulin & Olah 2016).
    """
    if upsampling == "bilinear":
        return convolved(keras.layers.UpSampling2D(2, interpolation="bilinear")(x), filters)
    x = keras.layers.Conv2DTranspose(
        filters, 4, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


# --- every pixel a class ---


def strided(classes: int, channels: int = 3, upsampling: str = "transposed") -> keras.Model:
    """Return a strided encoder, three times half the size, and a decoder that doubles it three times, without bridges.

    A model from pictures (n, h, w, channels), sides divisible by 8, to logits (n, h, w, classes).
    """
    picture = keras.Input((None, None, channels), name="picture")
    x = convolved(picture, 24, strides=2)
    x = convolved(x, 48, strides=2)
    x = convolved(x, 96, strides=2)
    x = convolved(x, 128)
    for filters in (48, 32, 16):
        x = doubled(x, filters, upsampling)
    logits = keras.layers.Conv2D(classes, 1, name="pixel_logits")(x)
    return keras.Model(picture, logits, name="strided")


def unet(classes: int, channels: int = 3, upsampling: str = "transposed") -> keras.Model:
    """Return a small U-Net (Ronneberger et al. 2015): pooled on the way down, with a bridge at each size on the way up.

    A model from pictures (n, h, w, channels), sides divisible by 8, to logits (n, h, w, classes).
    """
    picture = keras.Input((None, None, channels), name="picture")
    x, bridges = picture, []
    for filters in (12, 24, 48):
        x = convolved(convolved(x, filters), filters)
        bridges.append(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = convolved(convolved(x, 96), 96)
    for filters in (48, 24, 12):
        x = keras.layers.Concatenate()([bridges.pop(), doubled(x, filters, upsampling)])
        x = convolved(x, filters)
    logits = keras.layers.Conv2D(classes, 1, name="pixel_logits")(x)
    return keras.Model(picture, logits, name="unet")


def on_encoder(encoder: keras.Model, stages: list[str], classes: int, upsampling: str = "transposed") -> keras.Model:
    """Return a frozen encoder with a light decoder, which gets the encoder's maps at several sizes by bridges.

    Args:
        encoder: takes pictures of any size; its layers are shared and do not learn any more.
        stages: names of its layers whose maps are tapped: of half the picture's size, a quarter, an eighth.
        classes: of pixels.
        upsampling: see `doubled`.

    Returns:
        A model from pictures (n, h, w, 3), sides divisible by 8, to logits (n, h, w, classes).
    """
    encoder.trainable = False
    picture = encoder.inputs[0]
    bridges = [picture, *(encoder.get_layer(stage).output for stage in stages)]
    x = bridges.pop()
    for filters in (32, 24, 12):
        x = keras.layers.Concatenate()([bridges.pop(), doubled(x, filters, upsampling)])
        x = convolved(x, filters)
    logits = keras.layers.Conv2D(classes, 1, name="pixel_logits")(x)
    return keras.Model(picture, logits, name="on_encoder")


# --- a larger picture ---


def enlarging(
    scale: int,
    channels: int = 3,
    filters: int = 24,
    blocks: int = 3,
    upsampling: str = "shuffle",
    skip: bool = True,
    activation: str = "linear",
) -> keras.Model:
    """Return a residual network that enlarges pictures (Lim et al. 2017, without batch normalisation, much smaller).

    All convolutions but the last step see the small picture, which is what makes it cheap (Shi et al. 2016).

    Args:
        scale: 2 or 4.
        channels: of a picture.
        filters: of each convolution.
        blocks: residual blocks of two convolutions.
        upsampling: "shuffle" turns channels into pixels, "transposed" is a transposed convolution of 3 × 3 for each
            doubling, "resize" a convolution of maps enlarged by their nearest neighbours.
        skip: whether the network's answer is added to the picture enlarged by bicubic interpolation.
        activation: of the answer, before it is added.

    Returns:
        A model from pictures (n, h, w, channels) to pictures (n, scale·h, scale·w, channels).
    """
    small = keras.Input((None, None, channels), name="small_picture")
    x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(small)
    for _ in range(blocks):
        y = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
        y = keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer="zeros")(y)
        x = keras.layers.Add()([x, y])
    if upsampling == "shuffle":
        x = keras.layers.Conv2D(channels * scale**2, 3, padding="same")(x)
        x = PixelShuffle(scale)(x)
    else:
        for _ in range(scale.bit_length() - 1):
            if upsampling == "transposed":
                x = keras.layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
            else:
                x = keras.layers.UpSampling2D(2, interpolation="nearest")(x)
                x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.Conv2D(channels, 3, padding="same")(x)
    x = keras.layers.Activation(activation, name="answer")(x)
    if skip:
        x = keras.layers.Add(name="sum")([Bicubic(scale, name="bicubic")(small), x])
    return keras.Model(small, x, name="enlarging")


# --- the same picture, through a narrow place ---


def convolutional_autoencoder(
    shape: tuple[int, int, int], bottleneck: int, halvings: int = 2
) -> tuple[keras.Model, keras.Model]:
    """Return an encoder of strided convolutions and a decoder of transposed ones, with a few numbers between them.

    Args:
        shape: (h, w, channels) of a picture, sides divisible by 2 to the power of `halvings`.
        bottleneck: how many numbers.
        halvings: of the sides.

    Returns:
        encoder: from pictures (n, h, w, channels) to (n, bottleneck).
        decoder: back to pictures with values from 0 to 1.
    """
    height, width, channels = shape
    picture = keras.Input(shape, name="picture")
    x = picture
    for number in range(halvings):
        x = convolved(x, 16 * 2**number, strides=2)
    maps = x.shape[1:]
    x = keras.layers.Flatten()(x)
    encoder = keras.Model(picture, keras.layers.Dense(bottleneck, name="bottleneck")(x), name="encoder")
    numbers = keras.Input((bottleneck,), name="numbers")
    x = keras.layers.Dense(64, activation="relu")(numbers)
    x = keras.layers.Dense(maps[0] * maps[1] * maps[2], activation="relu")(x)
    x = keras.layers.Reshape(maps)(x)
    for number in reversed(range(halvings)):
        x = doubled(x, 16 * 2**number)
    x = keras.layers.Conv2D(channels, 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    return encoder, keras.Model(numbers, x, name="decoder")


def dense_autoencoder(shape: tuple[int, int, int], bottleneck: int) -> tuple[keras.Model, keras.Model]:
    """Return an encoder and a decoder of dense layers (Hinton & Salakhutdinov 2006, smaller).

    Args:
        shape: (h, w, channels) of a picture.
        bottleneck: how many numbers.

    Returns:
        encoder: from pictures (n, h, w, channels) to (n, bottleneck).
        decoder: back to pictures with values from 0 to 1.
    """
    height, width, channels = shape
    picture = keras.Input(shape, name="picture")
    x = keras.layers.Flatten()(picture)
    x = keras.layers.Dense(256, activation="relu")(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    encoder = keras.Model(picture, keras.layers.Dense(bottleneck, name="bottleneck")(x), name="encoder")
    numbers = keras.Input((bottleneck,), name="numbers")
    x = keras.layers.Dense(64, activation="relu")(numbers)
    x = keras.layers.Dense(256, activation="relu")(x)
    x = keras.layers.Dense(height * width * channels, activation="sigmoid")(x)
    return encoder, keras.Model(numbers, keras.layers.Reshape(shape)(x), name="decoder")
