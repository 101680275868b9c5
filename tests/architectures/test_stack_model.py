"""Stacks of *Build your own* as networks that runs train: the same layers, shapes and weights as the editor says."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from explorer.architectures import stack as stacks
from explorer.architectures.registration import STACK_BUILDER
from explorer.architectures.stack import KINDS, PRESETS, Stack, layer, report, to_text
from explorer.architectures.stack_model import build
from explorer.networks import catalogue
from explorer.networks.work_context import SentenceError


def one_layer(kind: str) -> Stack:
    """Return a stack with a layer of a kind between others, on colour pictures of unequal sides."""
    before = () if kind in ("conv", "flatten", "global_pool") else (layer("conv", filters=6),)
    return stacks.checked((20, 24, 3), (*before, layer(kind), layer("flatten"), layer("dense", units=5)))


STACKS = {preset.name: preset.stack for preset in PRESETS if preset.stack.layers} | {
    kind: one_layer(kind) for kind in KINDS
}


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_becomes_the_network_that_the_editor_describes(name: str) -> None:
    stack = STACKS[name]
    model, told = build(f"stack-{to_text(stack)}"), report(stack)
    assert told.broken is None
    assert model.input_shape[1:] == stack.input_shape
    assert model.count_params() == sum(row.parameters for row in told.rows)
    for row in told.rows:
        if row.paths:
            assert model.get_layer(row.paths[-1]).output.shape[1:] == row.shape


def test_a_stack_ends_in_logits_but_keeps_its_weights() -> None:
    stack = stacks.preset("cnn2")
    model = build(f"stack-{to_text(stack)}")
    assert model.count_params() == 36_314
    assert model.layers[-1].activation is keras.activations.linear
    digits = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    assert not np.allclose(np.asarray(model(digits)).sum(axis=1), 1.0)
    softmax = stacks.checked((8, 8, 1), (layer("flatten"), layer("dense", activation="linear"),
                                         layer("activation", activation="softmax")))  # fmt: skip
    assert not np.allclose(np.asarray(build(f"stack-{to_text(softmax)}")(np.ones((1, 8, 8, 1)))).sum(), 1.0)


def test_the_catalogue_knows_every_stack_by_its_name() -> None:
    name = f"stack-{to_text(stacks.preset('small_resnet'))}"
    entry = catalogue.entry(name)
    assert entry.input_size == (32, 32)
    assert entry.parameters == build(name).count_params()
    assert catalogue.builder_path(name) == STACK_BUILDER


@pytest.mark.parametrize("text", ["", "nonsense", "28x28x1_conv-f0", "8x8x1_conv-k15-pvalid_flatten"])
def test_what_is_no_network_is_refused_with_a_sentence(text: str) -> None:
    for ask in (catalogue.entry, build):
        with pytest.raises(SentenceError) as found:
            ask(f"stack-{text}")
        assert str(found.value).endswith(".")


def test_a_process_that_knows_no_architectures_finds_stacks_and_the_catalogue_alone_imports_no_keras() -> None:
    program = (
        "import sys; from explorer.networks import catalogue\n"
        "assert not any(name.startswith('explorer.architectures') for name in sys.modules)\n"
        "print(catalogue.entry('stack-28x28x1_flatten_dense').parameters)\n"
        "assert 'keras' not in sys.modules\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(found.stdout) == 784 * 10 + 10
