"""What is known of a network's layers is found by one pass, which ends where nothing behind it matters."""

from __future__ import annotations

import keras
import pytest
from keras import layers as L

from explorer.ascent.passing import layer_passed, passed, preactivation
from explorer.networks.work_context import SentenceError
from tests.ascent.small_networks import SIDE, filled, nested, plain


class Particular(L.Layer):
    """Counts its calls, and breaks on every size but its own, in a way that nobody foresaw."""

    calls = 0

    def call(self, inputs):
        type(self).calls += 1
        if inputs.shape[1] != SIDE:
            raise TypeError("not this size")
        return inputs


@pytest.fixture
def particular() -> keras.Model:
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    x = L.Activation("relu", name="act_1")(L.Conv2D(4, 3, padding="same", name="conv_1")(picture))
    x = L.Conv2D(4, 3, padding="same", name="conv_2")(Particular(name="particular")(x))
    model = filled(keras.Model(picture, L.Dense(5, name="logits")(L.Flatten(name="flat")(x))))
    Particular.calls = 0
    return model


def test_an_early_layer_is_looked_at_without_the_layers_behind_it(particular):
    found = layer_passed(particular, "conv_1", (SIDE + 8, SIDE + 8))
    assert found.shape == (SIDE + 8, SIDE + 8, 4)
    assert preactivation(particular, "act_1").kind == "before"
    assert Particular.calls == 0
    assert list(passed(particular, until="act_1")) == ["picture", "conv_1", "act_1"]
    assert Particular.calls == 0


def test_a_pass_that_ended_early_is_not_taken_for_the_whole(particular):
    layer_passed(particular, "act_1")
    assert list(passed(particular))[-1] == "logits"
    assert Particular.calls == 1
    assert list(passed(particular, until="conv_1")) == ["picture", "conv_1"]
    assert layer_passed(particular, "conv_2").source == "particular"
    assert Particular.calls == 1, "all is known by now"


def test_the_order_of_the_questions_changes_no_answer():
    for build in (plain, nested):
        whole = passed(build())
        network = build()
        for path in whole:
            known = passed(network, until=path)
            assert list(known) == list(whole)[: len(known)] and list(known)[-1] == path
            assert {name: (one.shape, one.source) for name, one in known.items()} == {
                name: (whole[name].shape, whole[name].source) for name in known
            }


def test_a_layer_that_there_is_not_is_refused_in_a_sentence_each_time():
    network = plain()
    for _ in range(2):
        with pytest.raises(SentenceError):
            layer_passed(network, "no_such")
