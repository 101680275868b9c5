"""Classifies the rows of a table with convolutions over its columns, beside rivals that know no order."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from explorer.runs.context import RunContext
from explorer.runs.fitting import fit
from explorer.runs.lessons.one_dimension import TABLE_NETWORKS, sentence_of
from explorer.runs.outcome import Line, Lines, Number, Numbers, Table, Verdict, confusion_of, write_outcome
from explorer.runs.scoring import accuracy, class_table, compiled, probabilities
from explorer.runs.tasks.sequences.baseline import logistic_regression
from explorer.runs.trained import file_of

_LOADERS = {"breast_cancer": load_breast_cancer, "wine": load_wine}
RIVALS = {"linear": "Logistic regression", **TABLE_NETWORKS}
FAIR = 0.85
"""A network that is right less often cannot be said to classify."""


@dataclass(eq=False)
class Judged:
    """What a classifier says of rows that it has not learnt from.

    Attributes:
        chances: (n, classes), by fold; rows of folds not done yet are 0.
        parameters: number of weights.
    """

    chances: np.ndarray
    parameters: int = 0


@dataclass(eq=False)
class Trial:
    """A table and what was found so far.

    Attributes:
        values: float64 (n, columns).
        labels: int (n,).
        classes: their names.
        done: which rows were judged, bool (n,).
        judged: by name of the classifier.
    """

    values: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    done: np.ndarray
    judged: dict[str, Judged] = field(default_factory=dict)

    def share(self, name: str) -> float:
        """Return the accuracy of a classifier over the rows that were judged."""
        return accuracy(self.labels[self.done], self.judged[name].chances[self.done])


def build_convolutional(columns: int, classes: int, filters: int) -> keras.Model:
    """Return two convolutions over the columns of a row, and logits; from (n, columns, 1) to (n, classes)."""
    row = keras.Input((columns, 1), name="row")
    x = layers.Conv1D(filters, 3, padding="same", activation="relu", name="conv_1")(row)
    x = layers.Conv1D(filters, 3, padding="same", activation="relu", name="conv_2")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(row, layers.Dense(classes, name="classes")(x), name="over_columns")


def build_dense(columns: int, classes: int, units: int) -> keras.Model:
    """Return one hidden layer, and logits; from (n, columns, 1) to (n, classes)."""
    row = keras.Input((columns, 1), name="row")
    x = layers.Flatten(name="flatten")(row)
    x = layers.Dense(units, activation="relu", name="hidden")(x)
    return keras.Model(row, layers.Dense(classes, name="classes")(x), name="dense")


def train(context: RunContext, settings: dict[str, Any]) -> None:
    """Judge every row once by classifiers that have not learnt from it."""
    found = _LOADERS[settings["table"]]()
    classes = tuple(map(str, found.target_names))
    values, labels = np.asarray(found.data, np.float64), np.asarray(found.target, np.int64)
    trial = Trial(values, labels, classes, np.zeros(len(labels), bool))
    shuffled = np.random.default_rng(context.config.seed).permutation(values.shape[1])
    folds = StratifiedKFold(settings["folds"], shuffle=True, random_state=context.config.seed)
    for number, (training, validation) in enumerate(folds.split(values, labels), start=1):
        if context.stopped():
            break
        if _fold(context, settings, trial, number, training, validation, shuffled):
            trial.done[validation] = True
            write_outcome(context, _items(settings, trial, complete=number == settings["folds"]))
    if not trial.done.any():
        write_outcome(context, [_verdict(settings, trial, complete=False)])


def _fold(
    context: RunContext,
    settings: dict[str, Any],
    trial: Trial,
    number: int,
    training: np.ndarray,
    validation: np.ndarray,
    shuffled: np.ndarray,
) -> bool:
    """Train every classifier on one fold; return whether it came to its end."""
    scaler = StandardScaler().fit(trial.values[training])
    values = scaler.transform(trial.values).astype(np.float32)
    columns, classes = values.shape[1], len(trial.classes)
    linear = logistic_regression(context, values[training], trial.labels[training])
    learnt = int(linear.coef_.size + linear.intercept_.size)  # one row of them where there are two classes
    _keep(trial, "linear", validation, linear.predict_proba(values[validation]), learnt)
    count = len(TABLE_NETWORKS)
    for place, name in enumerate(TABLE_NETWORKS, start=1):
        context.part((number - 1) * count + place, settings["folds"] * count)
        context.say(f"fold {number} of {settings['folds']}: {TABLE_NETWORKS[name].lower()}")
        keras.utils.set_random_seed(context.config.seed + number)
        build = build_dense if name == "dense" else build_convolutional
        model = compiled(build(columns, classes, settings["filters"]), settings["learning_rate"])
        inputs = (values[:, shuffled] if name == "shuffled" else values)[..., None]
        fitted = fit(
            context,
            model,
            inputs[training],
            trial.labels[training],
            validation=(inputs[validation], trial.labels[validation]),
            epochs=settings["epochs"],
            batch_size=settings["batch_size"],
            variant=name,
            curves=number == 1,
        )
        if number == 1:
            context.save_model(model, file_of(name))
        if not fitted.complete:
            return False
        _keep(trial, name, validation, probabilities(model, inputs[validation]), model.count_params())
    return True


def _keep(trial: Trial, name: str, rows: np.ndarray, chances: np.ndarray, parameters: int) -> None:
    known = trial.judged.setdefault(name, Judged(np.zeros((len(trial.labels), len(trial.classes)))))
    known.chances[rows] = chances
    known.parameters = parameters


# --- what is shown ---


def doubt(share: float, rows: int) -> float:
    """Return two standard errors of an accuracy, as a binomial share of so many rows."""
    return 2 * math.sqrt(max(share * (1 - share), 1 / rows) / rows)


def _items(settings: dict[str, Any], trial: Trial, complete: bool) -> list[Any]:
    done = trial.labels[trial.done]
    shares = {name: trial.share(name) for name in RIVALS}
    rows = tuple(
        (RIVALS[name], shares[name], int(round((1 - shares[name]) * len(done))), trial.judged[name].parameters)
        for name in RIVALS
    )
    table = Table(
        title="The classifiers",
        columns=("classifier", "accuracy", f"wrong, of {len(done)} rows", "parameters"),
        rows=rows,
        lit=tuple((row, 1) for row in range(len(rows))),
        note=f"Differences of less than about {doubt(max(shares.values()), len(done)):.3f} are chance.",
    )
    bars = Lines(
        title="Accuracy",
        y_title="accuracy",
        bars=tuple(RIVALS.values()),
        lines=(
            Line(name="accuracy", x=tuple(map(float, range(len(RIVALS)))), y=tuple(shares[name] for name in RIVALS)),
        ),
    )
    answers = trial.judged["columns"].chances[trial.done].argmax(axis=1)
    return [
        _verdict(settings, trial, complete),
        Numbers(
            rows=tuple(
                Number(label=RIVALS[n], value=100 * shares[n], unit="%", digits=1, baseline=n == "linear")
                for n in RIVALS
            )
        ),
        table,
        bars,
        class_table(done, answers, trial.classes, "Class by class, convolution"),
        confusion_of(done, answers, trial.classes, "columns", "Convolution, columns in their order"),
    ]


def _verdict(settings: dict[str, Any], trial: Trial, complete: bool) -> Verdict:
    sentence = sentence_of(settings)
    if not complete:
        return Verdict(sentence=sentence, holds=None, because="Not every row has been judged yet.")
    shares = {name: trial.share(name) for name in RIVALS}
    margin = doubt(shares["linear"], len(trial.labels))
    because = (
        f"Accuracy on rows that it has not learnt from: convolution {shares['columns']:.3f}, with shuffled columns "
        f"{shares['shuffled']:.3f}, dense network {shares['dense']:.3f}, logistic regression {shares['linear']:.3f}; "
        f"differences of less than {margin:.3f} are chance."
    )
    holds = shares["columns"] >= FAIR and shares["columns"] - shares["linear"] <= margin
    return Verdict(sentence=sentence, holds=holds, because=because)
