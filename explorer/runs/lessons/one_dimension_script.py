"""The lesson on one dimension as a script with plain Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons.shown_code import in_docstring
from explorer.runs.record import Config

_HEAD = '''"""{title} (seed {seed})."""

import keras
import numpy as np
from keras import layers
'''

_CLASSIFIER = """
model.compile(
    optimizer=keras.optimizers.Adam({learning_rate:g}),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
    jit_compile=keras.backend.backend() == "jax",
)
"""

_FORECAST = """
from explorer.runs.data.sequences import periodic_series

HORIZON = 32
training = periodic_series({examples}, {steps}, period={period}, noise={noise:g}, seed={seed})
validation = periodic_series(200, {steps} + HORIZON, period={period}, noise={noise:g}, seed={seed} + 1_000_000)
known, future = validation[:, :-HORIZON], validation[:, -HORIZON:]

for name, rates in {stacks}.items():
    keras.utils.set_random_seed({seed})
    model = keras.Sequential([keras.Input((None, 1))])
    for rate in rates:
        model.add(layers.Conv1D({filters}, {kernel_size}, padding="causal", dilation_rate=rate, activation="relu"))
    model.add(layers.Conv1D(1, 1))
    model.compile(
        optimizer=keras.optimizers.Adam({learning_rate:g}), loss="mse", jit_compile=keras.backend.backend() == "jax"
    )
    # At every step the next value is the target.
    model.fit(
        training[:, :-1, None],
        training[:, 1:, None],
        validation_data=(known[:, :-1, None], known[:, 1:, None]),
        epochs={epochs},
        batch_size={batch_size},
        verbose=2,
    )
    reach = 1 + {kernel_less_one} * sum(rates)
    series = known
    for _ in range(HORIZON):  # the forecast feeds on itself
        following = model.predict_on_batch(series[:, -reach:, None])[:, -1]
        series = np.concatenate([series, following], axis=1)
    errors = np.sqrt(np.mean((series[:, -HORIZON:] - future) ** 2, axis=0))
    near, far = (float(np.sqrt(np.mean(part**2))) for part in (errors[:8], errors[8:]))
    print(f"{{name}}: looks back {{reach}} steps, {{model.count_params():,}} parameters,",
          f"error of steps 1-8 {{near:.3f}}, of steps 9-32 {{far:.3f}}")
    model.save(f"model-{{name}}.keras")
"""

_SIGNALS = """from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from explorer.runs.data.sequences import {make}

training = {make}({examples}, {seed}, {noise:g})
validation = {make}(600, {seed} + 1_000_000, {noise:g})

linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
linear.fit(training.values.reshape(len(training.values), -1), training.labels)
share = linear.score(validation.values.reshape(len(validation.values), -1), validation.labels)
print(f"logistic regression of the samples: {{share:.3f}}")

keras.utils.set_random_seed({seed})
model = keras.Sequential([keras.Input(training.values.shape[1:])])
for number in range(4):
    model.add(
        layers.Conv1D(
            {filters} if number == 0 else {twice},
            {width},
            strides={first_stride} if number == 0 else 1,
            padding="same",
            use_bias=False,
        )
    )
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    model.add(layers.MaxPooling1D(2))
model.add(layers.GlobalMaxPooling1D())
model.add(layers.Dense(len(training.classes)))
{compile}
model.fit(
    training.values,
    training.labels,
    validation_data=(validation.values, validation.labels),
    epochs={epochs},
    batch_size={batch_size},
    verbose=2,
)
print(f"{{model.count_params():,}} parameters")
model.save("model.keras")
"""

_TEXT = """from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

{load}

counter = CountVectorizer(token_pattern=r"\\S+")
bag = LogisticRegression(max_iter=500).fit(counter.fit_transform(training_texts), training_labels)
print(f"bag of words: {{bag.score(counter.transform(validation_texts), validation_labels):.3f}}")

for width in {widths}:
    keras.utils.set_random_seed({seed})
    model = keras.Sequential([
        keras.Input((training_words.shape[1],), dtype="int32"),
        layers.Embedding(vocabulary, 16),
        layers.Conv1D({filters}, width, padding="same", activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(2),
    ])
{compile}
    model.fit(
        training_words,
        training_labels,
        validation_data=(validation_words, validation_labels),
        epochs={epochs},
        batch_size={batch_size},
        verbose=2,
    )
    print(f"filters of {{width}}: {{model.count_params():,}} parameters")
    model.save(f"model-width-{{width}}.keras")
"""

_GRAMMAR = """from explorer.runs.data.sequences import reviews

training, validation = reviews({examples}, {negated:g}, {seed}), reviews(1000, {negated:g}, {seed} + 1_000_000)
training_texts, training_labels = training.texts, training.labels
validation_texts, validation_labels = validation.texts, validation.labels

words = sorted({{word for text in training_texts for word in text.split()}})
numbers = {{word: number for number, word in enumerate(words, start=2)}}  # 0 pads, 1 is a word that is not known
vocabulary = len(words) + 2
length = max(len(text.split()) for text in training_texts)


def encoded(texts):
    rows = [[numbers.get(word, 1) for word in text.split()[:length]] for text in texts]
    return np.array([row + [0] * (length - len(row)) for row in rows], np.int32)


training_words, validation_words = encoded(training_texts), encoded(validation_texts)"""

_IMDB = """from explorer.runs.data.loading import load_text

data = {data!r}
training, validation = load_text(data, seed={seed})
training_words, training_labels = training.tokens, training.labels
validation_words, validation_labels = validation.tokens, validation.labels
training_texts = [training.text(number) for number in range(len(training))]
validation_texts = [validation.text(number) for number in range(len(validation))]
vocabulary = len(training.words)"""

_TABLE = """from sklearn.datasets import load_{table}
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

found = load_{table}()
columns, classes = found.data.shape[1], len(found.target_names)
order = np.random.default_rng({seed}).permutation(columns)


def convolutional():
    return keras.Sequential([
        keras.Input((columns, 1)),
        layers.Conv1D({filters}, 3, padding="same", activation="relu"),
        layers.Conv1D({filters}, 3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(classes),
    ])


def dense():
    return keras.Sequential([
        keras.Input((columns, 1)),
        layers.Flatten(),
        layers.Dense({filters}, activation="relu"),
        layers.Dense(classes),
    ])


right = dict.fromkeys(("linear", "columns", "shuffled", "dense"), 0)
folds = StratifiedKFold({folds}, shuffle=True, random_state={seed})
for number, (training, validation) in enumerate(folds.split(found.data, found.target), start=1):
    scaler = StandardScaler().fit(found.data[training])
    values, labels = scaler.transform(found.data).astype("float32"), found.target
    linear = LogisticRegression(max_iter=500).fit(values[training], labels[training])
    right["linear"] += int((linear.predict(values[validation]) == labels[validation]).sum())
    for name in ("columns", "shuffled", "dense"):
        keras.utils.set_random_seed({seed} + number)
        model = dense() if name == "dense" else convolutional()
        inputs = (values[:, order] if name == "shuffled" else values)[..., None]
{compile}
        model.fit(inputs[training], labels[training], epochs={epochs}, batch_size={batch_size}, verbose=0)
        answers = model.predict(inputs[validation], verbose=0).argmax(axis=1)
        right[name] += int((answers == labels[validation]).sum())
        print(f"fold {{number}}, {{name}}: {{model.count_params():,}} parameters")

for name, count in right.items():
    print(f"{{name}}: {{count / len(found.target):.3f}}")
"""


def script(config: Config, settings: Mapping[str, Any]) -> str:
    """Return a program that trains the same networks on the same data.

    Args:
        config: of the run.
        settings: all of the lesson's, checked.
    """
    write = {"forecast": _forecast, "text": _text, "table": _table, "signals": _signals}[settings["task"]]
    head = _HEAD.format(title=in_docstring(config.title or "One dimension"), seed=config.seed)
    return head + write({**settings, "seed": config.seed})


def _forecast(given: dict[str, Any]) -> str:
    from explorer.runs.lessons.one_dimension import dilations, series_steps

    stacks = {name: dilations(given["layers"], name == "dilated") for name in given["stacks"]}
    words = {**given, "stacks": stacks, "steps": series_steps(given), "kernel_less_one": given["kernel_size"] - 1}
    return _FORECAST.format(**words)


def _signals(given: dict[str, Any]) -> str:
    heart = given["signals"] == "heartbeats"
    return _SIGNALS.format(
        **given,
        make="heartbeats" if heart else "stereo_sounds",
        twice=2 * given["filters"],
        width=7 if heart else 16,
        first_stride=1 if heart else 2,
        compile=_compiled(given, 0),
    )


def _text(given: dict[str, Any]) -> str:
    if given["corpus"] == "grammar":
        load = _GRAMMAR.format(**given)
    else:
        from explorer.runs.lessons.one_dimension import IMDB

        data = {"source": "imdb", **IMDB, "pictures": given["examples"], "download": given["download"]}
        load = _IMDB.format(data=data, seed=given["seed"])
    return _TEXT.format(**given, load=load, compile=_compiled(given, 4))


def _table(given: dict[str, Any]) -> str:
    return _TABLE.format(**given, compile=_compiled(given, 8))


def _compiled(given: dict[str, Any], indent: int) -> str:
    lines = _CLASSIFIER.format(**given).strip("\n").splitlines()
    return "\n".join(" " * indent + line for line in lines)
