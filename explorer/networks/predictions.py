"""What a network answers: logits, probabilities, and the classes that come first."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from explorer.networks.gradients import as_array, without_gradients
from explorer.networks.tap import graph_of, is_container, lock_of, model_of


@dataclass(frozen=True)
class Ranked:
    """One class of an answer; logit is None where the network's logits cannot be had."""

    index: int
    probability: float
    logit: float | None


@dataclass(frozen=True, eq=False)
class Scores:
    """The answer to a batch.

    Attributes:
        logits: float32 (n, classes), or None where they cannot be had.
        probabilities: float32 (n, classes), the softmax of the logits.
    """

    logits: np.ndarray | None
    probabilities: np.ndarray

    def top(self, count: int = 5, number: int = 0) -> tuple[Ranked, ...]:
        """Return the first classes of one answer, the most probable first (ties by index).

        Args:
            count: How many, at most.
            number: Which of the batch.
        """
        logits = None if self.logits is None else self.logits[number]
        probabilities = self.probabilities[number]
        order = np.argsort(-(probabilities if logits is None else logits), kind="stable")[:count]
        return tuple(
            Ranked(int(i), float(probabilities[i]), None if logits is None else float(logits[i])) for i in order
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return exp(z) / sum exp(z) along the last axis, computed in float64 so that nothing overflows."""
    shifted = np.asarray(logits, np.float64)
    shifted = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    return (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)


def last_layer(model: keras.Model) -> Any:
    """Return the layer whose output is the model's first output, or None where only code would tell."""
    graph = graph_of(model)
    if graph is None:
        return None
    layer = graph.outputs[0]._keras_history.operation
    return last_layer(layer) if isinstance(layer, keras.Model) else layer


def ends_in_softmax(model: keras.Model) -> bool:
    """Return whether a model's last layer is a softmax or has one as its activation."""
    layer = last_layer(model)
    return isinstance(layer, keras.layers.Softmax) or (getattr(layer, "activation", None) is keras.activations.softmax)


@contextlib.contextmanager
def giving_logits(network: Any) -> Iterator[Callable[[Any], Any]]:
    """Let a network give logits inside the `with` block, also where its last layer has a softmax.

    Scores of gradient methods are logits. The logarithm of a probability is no substitute: it depends on all
    classes at once, and is lost where the probability rounds to 0. So the softmax itself is left out while
    the block lasts; the network's lock is held. All networks of keras.applications are loaded without it.

    Yields:
        A function from input to logits, for a model whose output are probabilities or logits.
    """
    model = model_of(network)
    with lock_of(network):
        layer = last_layer(model)
        if isinstance(layer, keras.layers.Softmax):
            before = layer.__dict__.get("call")
            layer.__dict__["call"] = lambda inputs, mask=None: inputs
            try:
                yield model
            finally:
                layer.__dict__.pop("call")
                if before is not None:
                    layer.__dict__["call"] = before
        elif ends_in_softmax(model) and not is_container(layer):
            layer.activation = keras.activations.linear
            try:
                yield model
            finally:
                layer.activation = keras.activations.softmax
        else:
            yield model


def scores(network: Any, batch: np.ndarray) -> Scores:
    """Run a network and return logits and probabilities.

    A model that is only code may give probabilities without telling: an output that is nowhere negative and
    sums to 1 is taken for such, and has no logits.

    Args:
        network: A loaded network or a keras.Model that ends in one vector of classes.
        batch: The prepared input (n, …).

    Raises:
        ValueError: if the output is not (n, classes).
    """
    with giving_logits(network) as model, without_gradients():
        output = as_array(model(batch))
    return scores_of(model_of(network), output)


def scores_of(model: keras.Model, output: np.ndarray) -> Scores:
    """Return the scores from what `giving_logits` made a network give, (n, classes)."""
    if output.ndim != 2:
        raise ValueError(f"Predictions need one vector of classes for each picture, not shape {output.shape}.")
    sums = output.sum(axis=-1)
    if last_layer(model) is None and output.min() >= 0 and np.allclose(sums, 1, atol=1e-4):
        return Scores(None, output)
    return Scores(output, softmax(output))
