"""What the layers of a network answer to a picture: one forward pass with a tap, nothing rebuilt."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explorer.networks.gradients import as_array, without_gradients
from explorer.networks.tap import Enough, lock_of, model_of, tapped


def activations(
    network: Any,
    batch: np.ndarray,
    layers: Sequence[str] | None = None,
    reduce: Callable[[str, np.ndarray], Any] | None = None,
) -> dict[str, Any]:
    """Run a network once and return what layers put out.

    The pass ends as soon as the last wanted layer has answered. The network runs as in inference (batch
    normalisation with its stored statistics, no dropout).

    Args:
        network: A loaded network or a keras.Model. Its lock is held during the pass.
        batch: The prepared input, (n, height, width, channels) for pictures.
        layers: Paths of layers as in `Structure.layers`; a nested model's own path gives its output. None
            means all.
        reduce: Called as `reduce(path, values)` on each layer as it answers; what it returns is kept instead
            of the values, so that never all layers of a large network are in memory together.

    Returns:
        float32 values by path, each (n, …) as the layer shapes them (of several outputs the first), in the
        order asked for, or for None in the order in which the layers answered; the arrays may be read-only.
        An input layer's values are the input itself.

    Raises:
        KeyError: with a sentence, if a path is not among the layers that were called.
    """
    wanted = None if layers is None else dict.fromkeys(layers)
    found: dict[str, Any] = {}

    def see(path: str, tensor: Any) -> None:
        if tensor is None or (wanted is not None and path not in wanted):
            return
        values = as_array(tensor)
        found[path] = values if reduce is None else reduce(path, values)
        if wanted is not None and len(found) == len(wanted):
            raise Enough

    if wanted is not None and not wanted:
        return {}
    with lock_of(network), without_gradients():
        if not model_of(network).built:
            model_of(network)(batch)
        with tapped(network, see, wanted=wanted, free=True) as model, contextlib.suppress(Enough):
            model(batch)
    if wanted is None:
        return found
    missing = [path for path in wanted if path not in found]
    if missing:
        raise KeyError(f"The network has no layer {missing[0]!r} that was called.")
    return {path: found[path] for path in wanted}
