"""The lesson on transfer as a script with plain Keras and scikit-learn, for its largest number of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.networks import catalogue
from explorer.runs.lessons.shown_code import loading
from explorer.runs.record import Config

_HEAD = '''"""Transfer learning with {count} pictures per class (seed {seed})."""

import keras
import numpy as np

from explorer.runs import pretrained
from explorer.runs.data.loading import {loader}

keras.utils.set_random_seed({seed})
data = {load}
classes = len(data.training.classes)
generator = np.random.default_rng(({seed}, 11))
members = [generator.permutation(np.flatnonzero(data.training.labels == label)) for label in range(classes)]
chosen = np.concatenate([each[:{count}] for each in members])
y, y_val = data.training.labels[chosen], data.validation.labels
'''

_BASE = """
# The base takes pictures of one size in three colours; `on_pictures` puts in front of it what it wants done to pixels.
base = pretrained.load_base("{name}")
mode, stages = base.entry.preprocessing, base.chosen({stages})
pixels = pretrained.fitted(data.training.pixels[chosen], base.entry)
x = pixels.astype(np.float32) / 255
x_val = pretrained.fitted(data.validation.pixels, base.entry).astype(np.float32) / 255

# Its features: the averages of all channels at the ends of the chosen stages.
features = pretrained.on_pictures(pretrained.feature_model(base.model, stages), mode)
f, f_val = features.predict(x, verbose=0), features.predict(x_val, verbose=0)
"""

_SIMPLE = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

for name, classifier in {{{chosen}}}.items():
    classifier = make_pipeline(StandardScaler(), classifier).fit(f, y)
    print(f"{{name}}: {{classifier.score(f_val, y_val):.3f}}")
"""

_CLASSIFIERS = {
    "logistic": '"logistic regression": LogisticRegression(max_iter=1000)',
    "forest": '"random forest": RandomForestClassifier(300, random_state={seed})',
    "svm": '"support vector machine": SVC(C=3.0)',
}

_COMPILED = '''

def compiled(model, rate):
    """Give a model what it learns by."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    jit = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], jit_compile=jit)
    return model


def judged(name, model, inputs):
    """Say how many of the validation pictures are told rightly, and keep the model."""
    right = float((model.predict(inputs, verbose=0).argmax(axis=1) == y_val).mean())
    print(f"{name}: {right:.3f}, {model.count_params():,} weights")
    model.save(f"model-{name}.keras")

'''

_BATCHES = """
epochs = max({passes}, -(-{steps} // -(-len(x) // 32)))  # few pictures are gone over more often
# Each epoch shows the pictures a little differently.
from explorer.runs.data.augmentation import Augmentation
from explorer.runs.data.batches import AugmentedBatches
from explorer.runs.data.picture_set import PictureSet

augmentation = Augmentation({augmentation}, {seed})
pictures = PictureSet(pixels, data.training.classes, y)
learnt = [AugmentedBatches(pictures, augmentation, batch_size=32, seed={seed})]
"""

_ARRAYS = """
epochs = max({passes}, -(-{steps} // -(-len(x) // 32)))  # few pictures are gone over more often
learnt = [x, y]
"""

_HEAD_MODEL = """
# The dense head; it gets the features with mean 0 and deviation 1.
head = keras.Sequential([
    keras.Input(f.shape[1:]),
    keras.layers.Normalization(mean=f.mean(axis=0), variance=np.maximum(f.var(axis=0), 1e-4)),{layers}
    keras.layers.Dense(classes),
])
"""

_DENSE = """
# A frozen base gives the same features in each epoch: the head learns from these.
again = max(1, round(320 / len(f)))
f_again, y_again = np.tile(f, (again, 1)), np.tile(y, again)
rounds = max({passes}, -(-150 // -(-len(f_again) // 32)))
compiled(head, 1e-2).fit(f_again, y_again, batch_size=32, epochs=rounds, validation_data=(f_val, y_val), verbose=2)
"""

_FROZEN = """
network = pretrained.with_head(base.copied(), stages, head.layers, "frozen")
pretrained.unfreeze(network, 0)
frozen = pretrained.on_pictures(network, mode)
"""

_FRESH = """
# Behind the base the head learns from pictures that are never twice the same: it begins anew there.
fresh = keras.models.clone_model(head)
fresh.set_weights(head.get_weights())
"""

_FROZEN_FIT = """compiled(frozen, 1e-2).fit(
    *learnt, batch_size=32, epochs=epochs, validation_data=(x_val, y_val), verbose=2
)
"""

_TUNE = """
# The head is trained: now {what} of the base may learn too, slowly; batch normalisation stays as it is.
tail = keras.models.clone_model(head)
tail.set_weights(head.get_weights())
network = pretrained.with_head(base.copied(), stages, tail.layers, "{name}")
pretrained.unfreeze(network, {last})
{name} = pretrained.on_pictures(network, mode)
compiled({name}, {rate:g}).fit(
    *learnt, batch_size=32, epochs=epochs, validation_data=(x_val, y_val), verbose=2
)
judged("{name}", {name}, x_val)
"""

_SCRATCH = """
# The same architecture with random weights.
own_head = [{dropout}keras.layers.Dense(classes)]
scratch = pretrained.on_pictures(
    pretrained.with_head(base.untrained({seed}), stages, own_head, "scratch"), mode
)
compiled(scratch, 1e-3).fit(
    *learnt, batch_size=32, epochs=epochs, validation_data=(x_val, y_val), verbose=2
)
judged("scratch", scratch, x_val)
"""


def script(config: Config, settings: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the script.

    Args:
        config: of the run.
        settings: of the lesson, all of them.
        data: source and settings, with as many pictures as the run has.
    """
    strategies = settings["strategies"]
    count = max(settings["counts"])
    name = catalogue.entry(config.network or catalogue.DEFAULT_NETWORK).name
    augmentation = {name: value for name, value in settings.items() if name.startswith("augment_")}
    shaken = any(value not in (0.0, "none") for name, value in augmentation.items() if name != "augment_border")
    words = {"seed": config.seed, "count": count, "passes": settings["passes"], "steps": settings["steps"]}
    stages = [int(stage) for stage in settings["stages"]]
    parts = [_HEAD.format(**loading(data, config.seed, "classes"), **words), _BASE.format(name=name, stages=stages)]
    simple = [_CLASSIFIERS[name].format(**words) for name in strategies if name in _CLASSIFIERS]
    if simple:
        parts.append(_SIMPLE.format(chosen=", ".join(simple)))
    if set(strategies) & {"frozen", "fine_tuned", "unfrozen", "scratch"}:
        parts.append(_COMPILED)
        parts.append(_BATCHES.format(augmentation=augmentation, **words) if shaken else _ARRAYS.format(**words))
    if set(strategies) & {"frozen", "fine_tuned", "unfrozen"}:
        parts += _dense_parts(settings, shaken)
    for strategy, what, last in _tuned(settings):
        if strategy in strategies:
            parts.append(_TUNE.format(name=strategy, what=what, last=last, rate=settings["learning_rate"]))
    if "scratch" in strategies:
        dropout = f"keras.layers.Dropout({settings['dropout']:g}), " if settings["dropout"] else ""
        parts.append(_SCRATCH.format(dropout=dropout, **words))
    return "".join(parts)


def _dense_parts(settings: Mapping[str, Any], shaken: bool) -> list[str]:
    layers = ""
    if settings["hidden"]:
        layers += f'\n    keras.layers.Dense({settings["hidden"]}, activation="relu"),'
    if settings["dropout"]:
        layers += f"\n    keras.layers.Dropout({settings['dropout']:g}),"
    strategies = settings["strategies"]
    parts = [_HEAD_MODEL.format(layers=layers)]
    if "frozen" in strategies and shaken:
        parts += [
            _FRESH,
            _FROZEN.replace("head.layers", "fresh.layers"),
            _FROZEN_FIT,
            'judged("frozen", frozen, x_val)\n',
        ]
    if set(strategies) & {"fine_tuned", "unfrozen"} or not shaken:
        parts.append(_DENSE.format(passes=settings["passes"]))
    if "frozen" in strategies and not shaken:
        parts += [_FROZEN, 'judged("frozen", frozen, x_val)\n']
    return parts


def _tuned(settings: Mapping[str, Any]) -> list[tuple[str, str, int | None]]:
    """Return name, words and number of the layers that are unfrozen, None for all."""
    last = settings["unfrozen_layers"]
    return [("fine_tuned", f"the last {last} layers", last), ("unfrozen", "all layers", None)]
