"""What the lessons' classifiers share: how they are compiled, what they answer, and how well class by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from explorer.runs.outcome import Table

if TYPE_CHECKING:
    import keras


def compiled(model: keras.Model, learning_rate: float, loss: Any = None) -> keras.Model:
    """Compile a model with Adam and return it.

    Args:
        model: a classifier that ends in logits, unless there is a loss.
        learning_rate: a number, so that the page can change it.
        loss: None: cross-entropy of classes as numbers, with accuracy as metric.
    """
    import keras

    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[] if loss else ["accuracy"],
        # XLA takes two to three times as long for small networks on a CPU; JAX without it has no compiler at all.
        jit_compile=keras.backend.backend() == "jax",
    )
    return model


def probabilities(
    model: keras.Model, inputs: np.ndarray, look: Callable[[], None] = lambda: None, batch_size: int = 64
) -> np.ndarray:
    """Return the probabilities of a classifier.

    Args:
        model: ends in logits.
        inputs: (n, …).
        look: called between batches; it raises where the run shall stop.
        batch_size: how many at a time.

    Returns:
        (n, classes).
    """
    from explorer.runs.pretrained import outputs_of

    return softmax(np.asarray(outputs_of(model, inputs, look, batch_size), np.float64), axis=-1)


def accuracy(truth: np.ndarray, chances: np.ndarray) -> float:
    """Return the share of right answers; truth (n,), chances (n, classes)."""
    return float(np.mean(np.argmax(chances, axis=-1) == truth))


def cross_entropy(truth: np.ndarray, chances: np.ndarray) -> float:
    """Return the mean of −log of the probability of the true class; truth (n,), chances (n, classes)."""
    return float(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12)).mean())


def class_table(
    truth: np.ndarray, answers: np.ndarray, classes: Sequence[str], title: str = "Class by class", note: str = ""
) -> Table:
    """Return precision, recall, F1 and the number of examples of each class.

    Args:
        truth: int (n,).
        answers: int (n,).
        classes: their names.
        title: of the table.
        note: below it.
    """
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(truth, answers, labels=range(len(classes)), zero_division=0.0)
    rows = tuple(
        (name, float(precision), float(recall), float(f1), int(count))
        for name, precision, recall, f1, count in zip(classes, *columns, strict=True)
    )
    return Table(title=title, columns=("class", "precision", "recall", "F1", "examples"), rows=rows, note=note)
