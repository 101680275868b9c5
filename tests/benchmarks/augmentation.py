"""What augmenting a batch takes: the project's own code against Keras' preprocessing layers, in processor time.

python -m tests.benchmarks.augmentation
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from explorer.pictures.drawn_world import draw_batch
from explorer.runs.data.augmentation import Augmentation
from tests.benchmarks.rounds import taking_turns

SETTINGS = {
    "augment_flip": "horizontal",
    "augment_rotation": 15.0,
    "augment_shift": 0.1,
    "augment_zoom": 0.1,
    "augment_brightness": 0.1,
    "augment_contrast": 0.2,
    "augment_saturation": 0.3,
    "augment_hue": 0.05,
}
BATCH = 32


def keras_layers() -> keras.Sequential:
    """Return Keras' layers of the same strengths."""
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(15 / 360),
            keras.layers.RandomTranslation(0.1, 0.1),
            keras.layers.RandomZoom(0.1),
            keras.layers.RandomColorJitter(
                value_range=(0, 1),
                brightness_factor=0.1,
                contrast_factor=0.2,
                saturation_factor=(0.35, 0.65),
                hue_factor=0.05,
            ),
        ]
    )


def main() -> None:
    """Print a table."""
    import tensorflow as tf

    for side in (64, 96):
        pixels = draw_batch(1, range(BATCH), size=side)[0]
        values = pixels.astype(np.float32) / 255
        own = Augmentation(SETTINGS, 0)
        layers = keras_layers()
        compiled = tf.function(lambda batch, layers=layers: layers(batch, training=True))
        took = taking_turns(
            {
                "own": lambda own=own, pixels=pixels: own(pixels),
                "Keras": lambda layers=layers, values=values: np.asarray(layers(values, training=True)),
                "Keras compiled": lambda compiled=compiled, values=values: np.asarray(compiled(values)),
            },
            rounds=12,
            warm=2,
        )
        words = ", ".join(f"{name} {each.median * 1000:.1f} ms" for name, each in took.items())
        ratio = took["own"].against(took["Keras compiled"])
        print(f"{BATCH} pictures of {side} × {side}: {words}; own / compiled {ratio:.2f}")


if __name__ == "__main__":
    main()
