"""MobileNet (Howard et al. 2017): each convolution in two cheap steps, with a knob for width and one for size."""

from __future__ import annotations

import keras
from keras import KerasTensor, layers

from explorer.architectures.builders.arguments import at_least

FULL_SIDE = 224
# Table 1 of the paper: (filters of the 1 × 1 convolution, strides of the depthwise one). The table prints stride 2
# for the last as well, but its sizes, 7 × 7 before and after, are those of stride 1.
LAYERS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


def mobilenet(alpha: float = 1.0, rho: float = 1.0, separable: bool = True, classes: int = 1000) -> keras.Model:
    """Return MobileNet.

    Args:
        alpha: width multiplier: how many of the filters each layer has.
        rho: resolution multiplier: how much of 224 rows and columns the picture has; rounded to a multiple of 32,
            so that 0.857, 0.714 and 0.571 give the paper's 192, 160 and 128.
        separable: whether a layer is a depthwise convolution and one of 1 × 1; if not, it is one full 3 × 3
            convolution (table 4's "Conv MobileNet", 29.3 million weights).
        classes: units of the output.

    Returns:
        A model from pictures `(side, side, 3)` to probabilities. With alpha 1 it has 4,253,864 weights, 21,888 of
        them running means and variances, exactly as in keras.applications, whose ReLU is cut off at 6 as here; the
        paper has plain ones.

    Raises:
        ValueError: if alpha or rho leave nothing.
    """
    at_least("alpha", alpha, 1 / 32)
    at_least("rho", rho, 1 / 7)
    side = 32 * round(FULL_SIDE * rho / 32)
    image = keras.Input((side, side, 3), name="image")
    x = _conv_bn_relu(image, int(32 * alpha), 3, "conv1", strides=2)
    for number, (filters, strides) in enumerate(LAYERS, start=1):
        if separable:
            x = depthwise_separable(x, int(filters * alpha), strides, str(number))
        else:
            x = _conv_bn_relu(x, int(filters * alpha), 3, f"conv_{number}", strides)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(0.001, name="dropout")(x)
    scores = layers.Dense(classes, activation="softmax", name="predictions")(x)
    kind = "mobilenet" if separable else "conv_mobilenet"
    return keras.Model(image, scores, name=f"{kind}_{alpha:.2f}_{side}")


def depthwise_separable(x: KerasTensor, filters: int, strides: int, number: str) -> KerasTensor:
    """Return a 3 × 3 convolution of each map alone, then one of 1 × 1 across the maps (figure 3, right)."""
    x = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False, name=f"conv_dw_{number}")(x)
    x = _bn_relu(x, f"conv_dw_{number}")
    return _conv_bn_relu(x, filters, 1, f"conv_pw_{number}")


def _conv_bn_relu(x: KerasTensor, filters: int, kernel_size: int, name: str, strides: int = 1) -> KerasTensor:
    x = layers.Conv2D(filters, kernel_size, strides, padding="same", use_bias=False, name=name)(x)
    return _bn_relu(x, name)


def _bn_relu(x: KerasTensor, name: str) -> KerasTensor:
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6, name=f"{name}_relu")(x)
