"""The lesson on dense and convolutional networks as a script with plain Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons.shown_code import in_docstring, loading
from explorer.runs.record import Config

_HEAD = '''"""{title} (seed {seed})."""

import keras
import numpy as np
from keras import layers

from explorer.runs.data.loading import {loader}

data = {load}
x, y = data.training.inputs(), data.training.labels
x_val, y_val = data.validation.inputs(), data.validation.labels
classes = len(data.training.classes)

# Mean and variance of each pixel over the training pictures; one that never varies must not explode.
mean, variance = x.mean(axis=0, dtype="float64"), np.maximum(x.std(axis=0, dtype="float64"), {least:g}) ** 2


def penalty(given):
    """Return the penalty on the weights of a layer."""
    penalised = given["l1"] or given["l2"]
    return {{"kernel_regularizer": keras.regularizers.L1L2(given["l1"], given["l2"])}} if penalised else {{}}


def normed(model, given):
    if given["batch_norm"]:
        model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())


def dropped(model, given):
    if given["dropout"]:
        model.add(layers.Dropout(given["dropout"]))


def build(network, given):
    """Return one of the lecture's networks; it ends in logits."""
    model = keras.Sequential([keras.Input(x.shape[1:])])
    if given["standardise"]:
        model.add(layers.Normalization(axis=(1, 2, 3), mean=mean, variance=variance))
    if network == "dense":
        model.add(layers.Flatten())
        for units in (500, 50):
            model.add(layers.Dense(units, **penalty(given)))
            normed(model, given)
            dropped(model, given)
    elif network == "cnn1":
        model.add(layers.Conv2D(32, 3, padding="same", activation="relu", **penalty(given)))
        model.add(layers.Flatten())
        dropped(model, given)
    else:
        for filters in (8, 16):
            for _ in range(2):
                model.add(layers.Conv2D(filters, 3, padding="same", **penalty(given)))
                normed(model, given)
            model.add(layers.MaxPooling2D(2))
        model.add(layers.Flatten())
        dropped(model, given)
        model.add(layers.Dense(40, **penalty(given)))
        normed(model, given)
        dropped(model, given)
    model.add(layers.Dense(classes, **penalty(given)))
    return model


treatments = {treatments}

for network, names in {networks!r}.items():
    for name in names:
        given = treatments[name]
        keras.utils.set_random_seed({seed})
        model = build(network, given)
        model.compile(
            optimizer=keras.optimizers.{optimizer}({learning_rate:g}),
            loss=keras.losses.{loss}(from_logits=True),
            metrics=["accuracy"],
            jit_compile=keras.backend.backend() == "jax",
        )
        {fit}
        shares = []
        for pictures, truth in ((x, y), (x_val, y_val)):
            shares.append(float(np.mean(model.predict(pictures, verbose=0).argmax(axis=1) == truth)))
        print(f"{{network}}, {{name}}: {{model.count_params():,}} parameters, training {{shares[0]:.3f}},",
              f"validation {{shares[1]:.3f}}, gap {{shares[0] - shares[1]:.3f}}")
        model.save(f"model-{{network}}-{{name}}.keras")
'''

_PLAIN = """model.fit(
            x, y, validation_data=(x_val, {truth}), epochs={epochs}, batch_size={batch_size}, verbose=2
        )"""

_AUGMENTED = """if given["augmentation"]:
            from explorer.runs.data.augmentation import Augmentation
            from explorer.runs.data.batches import AugmentedBatches

            change = Augmentation(given["augmentation"], {seed})
            batches = AugmentedBatches(data.training, change, batch_size={batch_size}, seed={seed}{one_hot})
            model.fit(batches, validation_data=(x_val, {truth}), epochs={epochs}, verbose=2)
        else:
            model.fit(
                x, {labels}, validation_data=(x_val, {truth}), epochs={epochs}, batch_size={batch_size}, verbose=2
            )"""


def script(config: Config, settings: Mapping[str, Any]) -> str:
    """Return a program that trains the same networks on the same pictures.

    Args:
        config: of the run.
        settings: all of the lesson's, checked.
    """
    from explorer.runs.lessons.dense_convolutional import plans, treatments

    found = {
        name: {**vars(each), "augmentation": dict(each.augmentation)} for name, each in treatments(settings).items()
    }
    augmented = any(each["augmentation"] for each in found.values())
    mixed = any(each["augmentation"].get("augment_mixup") for each in found.values())
    # A treatment that changes nothing in a network is left out for it.
    names = {
        network: tuple(name for other, name, _ in plans(settings) if other == network)
        for network in settings["networks"]
    }
    rows = ",\n".join(f"    {name!r}: {each!r}" for name, each in found.items())
    one_hot = "np.eye(classes, dtype=np.float32)[{}]"
    words = {
        "seed": config.seed,
        "epochs": settings["epochs"],
        "batch_size": settings["batch_size"],
        "truth": one_hot.format("y_val") if mixed else "y_val",
        "labels": one_hot.format("y") if mixed else "y",
        "one_hot": ", one_hot=True" if mixed else "",
    }
    return _HEAD.format(
        title=in_docstring(config.title or "Dense against convolutional"),
        **loading(config.data, config.seed, "classes"),
        seed=config.seed,
        least=0.05,
        treatments=f"{{\n{rows},\n}}",
        networks=names,
        optimizer={"sgd": "SGD", "adam": "Adam"}[settings["optimizer"]],
        learning_rate=settings["learning_rate"],
        loss="CategoricalCrossentropy" if mixed else "SparseCategoricalCrossentropy",
        fit=(_AUGMENTED if augmented else _PLAIN).format(**words),
    )
