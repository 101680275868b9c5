"""The lesson on transfer as a script with plain Keras and scikit-learn, for its largest number of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.networks import catalogue
from explorer.runs.record import Config

DRAWN_STAGES = ("stem_relu", "shapes_2_relu", "objects_2_relu")

_HEAD = '''"""Transfer learning with {count} pictures per class (seed {seed})."""

import keras
import numpy as np

from explorer.runs.data.loading import load

keras.utils.set_random_seed({seed})
data = load({data}, seed={seed}, kind="classes")
classes = len(data.training.classes)
generator = np.random.default_rng(({seed}, 11))
members = [generator.permutation(np.flatnonzero(data.training.labels == label)) for label in range(classes)]
chosen = np.concatenate([each[:{count}] for each in members])
x, y = data.training.inputs()[chosen], data.training.labels[chosen]
x_val, y_val = data.validation.inputs(), data.validation.labels
'''

_DRAWN_BASE = """
from explorer.networks.loading import load as load_network

base = load_network("{name}").model  # pictures from 0 to 1, twelve logits
means = [keras.layers.GlobalAveragePooling2D()(base.get_layer(name).output) for name in {stages}]
features = keras.Model(base.inputs[0], {joined})
"""

_KNOWN_BASE = '''
# With its weights of ImageNet (they are downloaded once), without what tells ImageNet's classes apart.
base = keras.applications.{name}(include_top=False, input_shape=({height}, {width}, 3))
features = keras.Model(base.inputs[0], keras.layers.GlobalAveragePooling2D()(base.outputs[0]))


def prepared(pictures):
    """Bring pictures from 0 to 1 to the input that the base was trained on."""
    pictures = pictures if pictures.shape[-1] == 3 else np.repeat(pictures, 3, axis=-1)
    pictures = keras.ops.image.resize(pictures, ({height}, {width}), interpolation="bicubic")
    pictures = keras.ops.convert_to_numpy(pictures)
    return {prepared}


x, x_val = prepared(x), prepared(x_val)
'''

_PREPARED = {
    "zero_one": "pictures",
    "included": "pictures * 255",
    "tf": 'keras.applications.imagenet_utils.preprocess_input(pictures * 255, mode="tf")',
    "torch": 'keras.applications.imagenet_utils.preprocess_input(pictures * 255, mode="torch")',
    "caffe": 'keras.applications.imagenet_utils.preprocess_input(pictures * 255, mode="caffe")',
}

_FEATURES = """
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

augmentation = Augmentation({augmentation}, {seed})
pictures = data.training.taken(chosen)
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
base.trainable = False
frozen = keras.Model(base.inputs[0], head(features.outputs[0]))
"""

_FROZEN_FIT = """compiled(frozen, 1e-2).fit(
    *learnt, batch_size=32, epochs=epochs, validation_data=(x_val, y_val), verbose=2
)
"""

_TUNE = """
# The head is trained: now {what} of the base may learn too, slowly; batch normalisation stays as it is.
copy = keras.models.clone_model(features)
copy.set_weights(features.get_weights())
own = [layer for layer in copy.layers if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)]
for layer in copy.layers:
    layer.trainable = layer in own{part}
tail = keras.models.clone_model(head)
tail.set_weights(head.get_weights())
{name} = keras.Model(copy.inputs[0], tail(copy.outputs[0]))
compiled({name}, {rate:g}).fit(
    *learnt, batch_size=32, epochs=epochs, validation_data=(x_val, y_val), verbose=2
)
judged("{name}", {name}, x_val)
"""

_SCRATCH = """
# The same architecture with random weights.
untrained = keras.models.clone_model(features)
untrained.trainable = True
scratch = keras.Model(untrained.inputs[0], keras.layers.Dense(classes)(untrained.outputs[0]))
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
    entry = catalogue.entry(config.network or catalogue.DEFAULT_NETWORK)
    augmentation = {name: value for name, value in settings.items() if name.startswith("augment_")}
    shaken = any(value not in (0.0, "none") for name, value in augmentation.items() if name != "augment_border")
    words = {"seed": config.seed, "count": count, "passes": settings["passes"], "steps": settings["steps"]}
    parts = [_HEAD.format(data=dict(data), **words), _base(entry, settings), _FEATURES]
    simple = [_CLASSIFIERS[name].format(**words) for name in strategies if name in _CLASSIFIERS]
    if simple:
        parts.append(_SIMPLE.format(chosen=", ".join(simple)))
    if set(strategies) & {"frozen", "fine_tuned", "unfrozen", "scratch"}:
        parts.append(_COMPILED)
        parts.append(_BATCHES.format(augmentation=augmentation, **words) if shaken else _ARRAYS.format(**words))
    if set(strategies) & {"frozen", "fine_tuned", "unfrozen"}:
        parts += _dense_parts(settings, shaken)
    for name, what, part in _tuned(settings):
        if name in strategies:
            rate = settings["learning_rate"]
            parts.append(_TUNE.format(name=name, what=what, part=part, rate=rate))
    if "scratch" in strategies:
        parts.append(_SCRATCH)
    return "".join(parts)


def _base(entry: catalogue.NetworkEntry, settings: Mapping[str, Any]) -> str:
    if entry.family == "Drawn world":
        stages = [DRAWN_STAGES[-int(number)] for number in sorted(settings["stages"], reverse=True)]
        joined = "means[0]" if len(stages) == 1 else "keras.layers.Concatenate()(means)"
        return _DRAWN_BASE.format(name=entry.name, stages=stages, joined=joined)
    height, width = entry.input_size
    return _KNOWN_BASE.format(
        name=entry.name, height=height, width=width, prepared=_PREPARED.get(entry.preprocessing, "np.asarray(pictures)")
    )


def _dense_parts(settings: Mapping[str, Any], shaken: bool) -> list[str]:
    layers = ""
    if settings["hidden"]:
        layers += f'\n    keras.layers.Dense({settings["hidden"]}, activation="relu"),'
    if settings["dropout"]:
        layers += f"\n    keras.layers.Dropout({settings['dropout']:g}),"
    strategies = settings["strategies"]
    parts = [_HEAD_MODEL.format(layers=layers)]
    if "frozen" in strategies and shaken:
        parts += [_FROZEN, _FROZEN_FIT, 'judged("frozen", frozen, x_val)\n']
    if set(strategies) & {"fine_tuned", "unfrozen"} or not shaken:
        parts.append(_DENSE.format(passes=settings["passes"]))
    if "frozen" in strategies and not shaken:
        parts += [_FROZEN, 'judged("frozen", frozen, x_val)\n']
    return parts


def _tuned(settings: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, words and slice of what is unfrozen."""
    last = settings["unfrozen_layers"]
    return [("fine_tuned", f"the last {last} layers", f"[-{last}:]"), ("unfrozen", "all layers", "")]
