"""The lesson on blocks as a script with plain Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons.shown_code import functions, in_docstring, loading
from explorer.runs.record import Config

_HEAD = '''"""{title} (seed {seed})."""

import math

import keras
import numpy as np

from explorer.runs.data.loading import {loader}

data = {load}
x, y = data.training.inputs(), data.training.labels
x_val, y_val = data.validation.inputs(), data.validation.labels
shape, classes = x.shape[1:], len(data.training.classes)
STAGES, XCEPTION_BLOCKS = 3, 5
'''

_STACK = '''

def own_stack():
    """Return the stack with a head of logits where its own has other outputs."""
    from explorer.networks.loading import load as load_network

    stack = keras.models.clone_model(load_network({name!r}, "random").model)
    x = stack.outputs[0]
    if tuple(x.shape[1:]) != (classes,):
        if len(x.shape) == 4:
            x = keras.layers.GlobalAveragePooling2D()(x)
        x = keras.layers.Dense(classes)(x)
    return keras.Model(stack.inputs[0], x)
'''

_TRAIN = """

for block in {blocks!r}:
    keras.utils.set_random_seed({seed})
    {model}
    model.compile(
        optimizer=keras.optimizers.Adam({learning_rate:g}),
        loss=keras.losses.{loss}(from_logits=True),
        metrics=["accuracy"],
        jit_compile=keras.backend.backend() == "jax",
    )
    {fit}
    shares = []
    for pictures, truth in ((x, y), (x_val, y_val)):
        shares.append(float(np.mean(model.predict(pictures, verbose=0).argmax(axis=1) == truth)))
    print(f"{{block}}: {{model.count_params():,}} parameters, training {{shares[0]:.3f}}, validation {{shares[1]:.3f}}")
    model.save(f"model-{{block}}.keras")
"""

_BUILD = """build(
        block, shape, classes, depth={depth}, filters={filters}, batch_norm={batch_norm}, dropout={dropout:g}
    )"""

_PLAIN = """model.fit(x, y, validation_data=(x_val, y_val), epochs={epochs}, batch_size={batch_size}, verbose=2)"""

_AUGMENTED = """from explorer.runs.data.augmentation import Augmentation
    from explorer.runs.data.batches import AugmentedBatches

    change = Augmentation({augmentation!r}, {seed})
    batches = AugmentedBatches(data.training, change, batch_size={batch_size}, seed={seed})
    model.fit(batches, validation_data=(x_val, {truth}), epochs={epochs}, verbose=2)"""

_BUILDERS = (
    "widths", "_separable_widths", "parameters", "build", "_staged", "_block", "_convolution", "_activated", "_head",
    "small_xception", "xception_parameters", "xception_filters",
)  # fmt: skip


def script(config: Config, settings: Mapping[str, Any]) -> str:
    """Return a program that trains the same networks on the same pictures.

    Args:
        config: of the run; its data say how large the pictures are.
        settings: all of the lesson's, checked.
    """
    from explorer.runs.data.augmentation_knobs import augmentation_settings

    given = augmentation_settings(settings)
    augmented = {name: value for name, value in given.items() if value != augmentation_settings({})[name]}
    changes = any(name != "augment_border" for name in augmented)
    mixed = changes and given["augment_mixup"] > 0
    stacked, built = "stack" in settings["blocks"], set(settings["blocks"]) != {"stack"}
    build = _BUILD.format(**settings)
    words = {
        **settings,
        "seed": config.seed,
        "augmentation": augmented,
        "truth": "np.eye(classes, dtype=np.float32)[y_val]" if mixed else "y_val",
    }
    text = _HEAD.format(
        title=in_docstring(config.title or "Blocks"),
        **loading(config.data, config.seed, "classes"),
        seed=config.seed,
    )
    if built:
        text += "\n\n" + _plain_annotations(functions("block_networks.py", *_BUILDERS)) + "\n"
    if stacked:
        text += _STACK.format(name=_stack_name(config, settings["stack"]))
    models = [f"model = {build}" if built else "", "model = own_stack()" if stacked else ""]
    both = f'model = own_stack() if block == "stack" else {build}'
    return text + _TRAIN.format(
        **{**words, "blocks": tuple(settings["blocks"])},
        model=both if built and stacked else "".join(models),
        loss="CategoricalCrossentropy" if mixed else "SparseCategoricalCrossentropy",
        fit=(_AUGMENTED if changes else _PLAIN).format(**words),
    )


def _plain_annotations(source: str) -> str:
    """Return the functions such that nothing has to be imported for their annotations."""
    return source.replace("Sequence[int]", "tuple[int, ...]").replace(": Any", "").replace(" -> Any", "")


def _stack_name(config: Config, text: str) -> str:
    """Return the stack's name with the pictures' shape, as far as the data tell it without being loaded."""
    from explorer.runs.data.sources import checked
    from explorer.runs.lessons.blocks import stack_name

    data = checked(config.data)
    shapes = {"drawn_digits": (28, 28, 1), "mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
    side = data.get("side", 64)
    shape = shapes.get(data["source"], (side, side, 1 if data.get("grey") else 3))
    return stack_name(text, shape)
