"""Compare a sketch with the Keras model of the same name, layer by layer."""

from __future__ import annotations

from math import prod
from typing import Any

import keras

from explorer.architectures.build_sketch import build
from explorer.architectures.counting import count
from explorer.architectures.sketch import Sketch
from explorer.networks.describe import describe


def program_model(program: str) -> keras.Model:
    """Return the model that a printed program builds, without memory for its weights."""
    names: dict[str, Any] = {}
    with keras.StatelessScope(initialize_variables=False):
        exec(program, names)
    return names["model"]


def assert_same(sketch: Sketch) -> None:
    """Names, kinds, shapes, parameters, inputs and arguments of every layer are those of Keras.

    What each of them costs and sees, and the depth, are what counting the Keras model gives.
    """
    table = sketch.table()
    with keras.StatelessScope(initialize_variables=False):
        model = build(sketch)
        counted = count(model)
    read = describe(model, sketch.name).layers
    assert set(read) == set(table.structure.layers)
    for path, layer in table.structure.layers.items():
        expected = read[path]
        told = {
            what: (getattr(layer, what), getattr(expected, what))
            for what in ("kind", "output_shape", "parameters", "trainable", "channels", "inputs", "config")
        }
        assert all(mine == theirs for mine, theirs in told.values()), f"{path}: {told}"
        trained = sum(prod(weight.shape) for weight in model.get_layer(path).trainable_weights)
        assert table.costs[path].trainable == trained, path
    assert table.parameters == model.count_params()
    assert {
        path: (cost, counted.costs[path]) for path, cost in table.costs.items() if cost != counted.costs[path]
    } == {}
    assert table.depth == counted.depth
    assert_program_same(sketch, model)


def assert_program_same(sketch: Sketch, model: keras.Model) -> None:
    """The printed program builds the same layers, whatever Keras calls those without a name."""
    printed = program_model(sketch.code())
    assert printed.count_params() == model.count_params()
    assert sorted(map(_layer, printed.layers)) == sorted(map(_layer, model.layers))


def _layer(layer: Any) -> tuple[str, tuple[int | None, ...], int]:
    return type(layer).__name__, tuple(layer.output.shape), layer.count_params()
