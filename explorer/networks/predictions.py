"""What a network answers: logits, probabilities, and the classes that come first."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from explorer.networks.gradients import as_array, without_gradients
from explorer.networks.tap import graph_of, is_container, lock_of, model_of

Squashing = Literal["softmax", "sigmoid"]


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


def last_layer(model: keras.Model, output: int = 0) -> Any:
    """Return the layer that gives one of a model's outputs, or None where only code would tell."""
    graph = graph_of(model)
    if graph is None:
        return None
    history = graph.outputs[output]._keras_history
    layer = history.operation
    return last_layer(layer, history.tensor_index) if isinstance(layer, keras.Model) else layer


def ends_in_softmax(model: keras.Model) -> bool:
    """Return whether a model's last layer is a softmax or has one as its activation."""
    layer = last_layer(model)
    return isinstance(layer, keras.layers.Softmax) or (getattr(layer, "activation", None) is keras.activations.softmax)


@contextlib.contextmanager
def without_activation(network: Any, head: Any) -> Iterator[keras.Model]:
    """Leave out a last layer's softmax or sigmoid inside the `with` block, whatever stands for it.

    Args:
        network: A loaded network or a keras.Model; its lock is held.
        head: The layer or operation that gives the output: one with such an activation, or one that is
            such an activation itself. Any other, and None, stays as it is.

    Yields:
        The model.
    """
    with lock_of(network):
        if squashing(head) is None:
            yield model_of(network)
        elif getattr(head, "activation", None) in _SQUASHING:
            activation = head.activation
            head.activation = keras.activations.linear
            try:
                yield model_of(network)
            finally:
                head.activation = activation
        else:
            before = head.__dict__.get("call")
            head.__dict__["call"] = lambda inputs, *args, **kwargs: inputs
            try:
                yield model_of(network)
            finally:
                head.__dict__.pop("call")
                if before is not None:
                    head.__dict__["call"] = before


_SQUASHING: dict[Callable, Squashing] = {
    keras.activations.softmax: "softmax",
    keras.activations.sigmoid: "sigmoid",
}
_OPERATIONS: dict[str, Squashing] = {"Softmax": "softmax", "Sigmoid": "sigmoid"}


def squashing(head: Any) -> Squashing | None:
    """Return what a last layer makes of logits at its end: "softmax", "sigmoid", or None for nothing."""
    if isinstance(head, keras.layers.Softmax):
        return "softmax"
    if isinstance(head, keras.Operation) and not isinstance(head, keras.Layer):
        return _OPERATIONS.get(type(head).__name__)  # `keras.ops.softmax(…)` in a functional model
    activation = getattr(head, "activation", None)
    if not callable(activation) or is_container(head):
        return None
    return next((name for function, name in _SQUASHING.items() if function is activation), None)


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
    with without_activation(network, last_layer(model) if ends_in_softmax(model) else None):
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
