"""Backpropagation by hand is automatic differentiation, number by number; every formula comes out as it says."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from explorer.gradient_flow.backpropagation import convolve, convolve_backward, max_pool, max_pool_backward
from explorer.gradient_flow.by_hand import Walk, number, with_edits
from explorer.gradient_flow.conv_walk import conv_loss, conv_parameters, conv_walk
from explorer.gradient_flow.sigmoid_walk import sigmoid_loss, sigmoid_parameters, sigmoid_walk

SEEDS = range(6)


def random_sigmoid(seed: int, outputs: int) -> dict[str, np.ndarray]:
    """Numbers with all their digits: those of the scene are rounded."""
    random = np.random.default_rng(seed)
    return {name: random.standard_normal(one.shape) for name, one in sigmoid_parameters(0, outputs).items()}


def random_conv(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    found = {name: random.standard_normal(one.shape) for name, one in conv_parameters(0).items()}
    return {**found, "t": np.array([float(random.integers(3))])}


def sigmoid_tape(p):
    v = {name: tf.Variable(one) for name, one in p.items()}
    with tf.GradientTape(persistent=True) as tape:
        z = tf.linalg.matvec(v["w"], v["x"]) + v["b"]
        h = tf.sigmoid(z)
        s = tf.linalg.matvec(v["v"], h) + v["c"]
        o = tf.sigmoid(s)
        loss = 0.5 * tf.reduce_sum((o - v["t"]) ** 2)
    between = {"z": z, "h": h, "s": s, "o": o}
    wanted = {**{name: v[name] for name in ("x", "w", "b", "v", "c")}, **between}
    return loss.numpy(), {name: one.numpy() for name, one in between.items()}, {
        name: tape.gradient(loss, one).numpy() for name, one in wanted.items()
    }  # fmt: skip


def conv_tape(p):
    v = {name: tf.Variable(one) for name, one in p.items()}
    with tf.GradientTape(persistent=True) as tape:
        picture = tf.reshape(v["x"], (1, 6, 6, 1))
        kernels = tf.transpose(v["k"], (1, 2, 0))[:, :, None, :]
        z = tf.nn.conv2d(picture, kernels, 1, "VALID") + v["a"]
        r = tf.nn.relu(z)
        pooled = tf.nn.max_pool2d(r, 2, 2, "VALID")
        s = tf.reshape(tf.transpose(pooled, (0, 3, 1, 2)), (1, 8)) @ v["w"] + v["b"]
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(np.array([int(p["t"][0])]), s))
    wanted = {**{name: v[name] for name in ("x", "k", "a", "w", "b")}, "z": z, "r": r, "p": pooled, "s": s}
    return loss.numpy(), {name: tape.gradient(loss, one).numpy() for name, one in wanted.items()}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_the_sigmoid_network_agrees_with_automatic_differentiation(seed, outputs):
    p = random_sigmoid(seed, outputs)
    walk = sigmoid_walk(p)
    loss, values, gradients = sigmoid_tape(p)
    assert walk.loss == pytest.approx(loss, rel=1e-13)
    for name, one in values.items():
        np.testing.assert_allclose(walk.boards[name].values.ravel(), one.ravel(), rtol=1e-13)
    for name, one in gradients.items():
        ours = walk.gradients["x"] if name == "x" else walk.boards[f"at_{name}"].values
        np.testing.assert_allclose(np.ravel(ours), one.ravel(), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_convolutional_network_agrees_with_automatic_differentiation(seed):
    p = random_conv(seed)
    walk = conv_walk(p)
    loss, gradients = conv_tape(p)
    assert walk.loss == pytest.approx(loss, rel=1e-12)
    for name in ("x", "k", "a", "w", "b"):
        np.testing.assert_allclose(walk.gradients[name], gradients[name], rtol=1e-10, atol=1e-14)
    for name in ("z", "r", "p"):
        for f in range(2):
            ours = walk.boards[f"at_{name}{f}"].values
            np.testing.assert_allclose(ours, gradients[name][0, :, :, f], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(walk.boards["at_s"].values.ravel(), gradients["s"].ravel(), rtol=1e-10, atol=1e-14)


def test_a_tie_in_the_pooling_goes_where_tensorflow_sends_it_and_is_named():
    p = {**random_conv(0), "x": np.zeros((6, 6)), "a": np.array([0.5, 0.25])}
    walk = conv_walk(p)
    _, gradients = conv_tape(p)
    for f in range(2):
        np.testing.assert_allclose(walk.boards[f"at_r{f}"].values, gradients["r"][0, :, :, f], atol=1e-15)
    np.testing.assert_allclose(walk.gradients["k"], gradients["k"], atol=1e-15)
    assert any(note.startswith("Ties in the pooling: 8 windows") for note in walk.notes)
    assert sum("tie" in step.note for step in walk.steps) == 8


def test_relu_at_zero_has_the_slope_of_tensorflow_and_is_named():
    p = {**random_conv(1), "x": np.zeros((6, 6)), "a": np.zeros(2)}
    walk = conv_walk(p)
    _, gradients = conv_tape(p)
    assert not walk.boards["at_z0"].values.any() and not gradients["z"].any()
    assert any("ReLU at 0: 32 values" in note for note in walk.notes)


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_finite_differences(seed):
    for p, loss, walk in (
        (random_sigmoid(seed, 2), sigmoid_loss, sigmoid_walk(random_sigmoid(seed, 2))),
        (random_conv(seed), conv_loss, conv_walk(random_conv(seed))),
    ):
        for name, gradient in walk.gradients.items():
            h = 1e-6
            for place in np.ndindex(gradient.shape):
                up, down = ({**p, name: p[name].copy()} for _ in range(2))
                up[name][place] += h
                down[name][place] -= h
                assert gradient[place] == pytest.approx((loss(up) - loss(down)) / (2 * h), rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_step_of_gradient_descent_makes_the_loss_less_and_is_what_the_boards_say(seed):
    p = sigmoid_parameters(seed)
    walk = sigmoid_walk(p, rate=0.1)
    assert walk.loss_after < walk.loss == sigmoid_loss(p)
    new = {name: walk.boards[f"new_{name}"].values.reshape(p[name].shape) for name in ("w", "b", "v", "c")}
    assert sigmoid_loss({**p, **new}) == pytest.approx(walk.loss_after, rel=1e-14)
    c = conv_parameters(seed)
    walk = conv_walk(c, rate=0.01)
    assert walk.loss_after < walk.loss == conv_loss(c)
    kernels = np.stack([walk.boards[f"new_k{f}"].values for f in range(2)])
    new = {name: walk.boards[f"new_{name}"].values.reshape(c[name].shape) for name in ("a", "w", "b")}
    assert conv_loss({**c, **new, "k": kernels}) == pytest.approx(walk.loss_after, rel=1e-12)


WALKS = {
    "sigmoid": lambda: sigmoid_walk(sigmoid_parameters()),
    "sigmoid, one output": lambda: sigmoid_walk(sigmoid_parameters(3, 1)),
    "conv": lambda: conv_walk(conv_parameters()),
    "conv, random": lambda: conv_walk(conv_parameters(2)),
}


def computed(text: str) -> float:
    """Compute a formula from its text alone."""
    plain = text.replace("−", "-").replace("·", "*").replace("½", "0.5").replace("²", "**2")
    plain = re.sub(r"e\^\((-[\d.]+)\)|e\^([\d.]+)", r"exp(\1\2)", plain)
    plain = re.sub(r"-ln ", "-log(", plain) + (")" if "-ln " in plain else "")
    plain = plain.replace("σ(", "sigma(")
    assert re.fullmatch(r"[-\d.e+*/() ,]*|.*(exp|log|sigma|max).*", plain), plain
    names = {"exp": np.exp, "log": np.log, "sigma": lambda z: 1 / (1 + np.exp(-z)), "max": max}
    return float(eval(plain, names))  # noqa: S307


@pytest.mark.parametrize("name", WALKS)
def test_every_formula_comes_out_as_it_says(name):
    walk: Walk = WALKS[name]()
    for step in walk.steps[:-1]:
        left, right = "".join(text for text, _ in step.pieces).rsplit(" = ", 1)
        value = walk.boards[step.writes[0]].values.flat[step.writes[1]]
        assert right == number(value)
        # Numbers stand with four decimals.
        assert computed(left) == pytest.approx(value, abs=6e-4), (step.formula, left, value)


@pytest.mark.parametrize("name", WALKS)
def test_every_number_is_written_once_and_only_what_is_known_is_read(name):
    walk: Walk = WALKS[name]()
    known = {(board.name, cell) for board in walk.boards.values() if board.given for cell in range(board.values.size)}
    for step in walk.steps:
        assert set(step.reads) <= known, step
        assert step.writes not in known
        known.add(step.writes)
    assert known == {(board.name, cell) for board in walk.boards.values() for cell in range(board.values.size)}


def test_numbers_can_be_changed_and_nonsense_changes_nothing():
    p = conv_parameters()
    changed = with_edits(p, {("k1", 4): 2.0, ("x", 0): -3.0, ("t", 0): 3.0})
    assert changed["k"][1, 1, 1] == 2.0 and changed["x"][0, 0] == -3.0 and changed["t"][0] == 2.0
    assert conv_walk(changed).boards["t"].values[0, 0] == 3.0
    nonsense = {("k2", 0): 1.0, ("x", 36): 1.0, ("x", -1): 1.0, ("t", 0): 4.0, ("z0", 1): 1.0, ("w", 0): 1e9,
                ("b", 0): float("nan")}  # fmt: skip
    same = with_edits(p, nonsense)
    assert all(np.array_equal(same[name], p[name]) for name in p)
    assert with_edits(sigmoid_parameters(), {("t", 0): 0.25})["t"][0] == 0.25


def test_seeds_give_other_numbers_and_the_same_seed_the_same():
    for make in (sigmoid_parameters, conv_parameters):
        assert all(np.array_equal(a, b) for a, b in zip(make(4).values(), make(4).values(), strict=True))
        assert any(not np.array_equal(a, b) for a, b in zip(make(4).values(), make(5).values(), strict=True))


def test_zero_everywhere_learns_nothing_but_biases_and_a_huge_rate_says_so():
    p = {name: np.zeros_like(one) for name, one in sigmoid_parameters().items()}
    walk = sigmoid_walk(p)
    assert not walk.boards["at_w"].values.any() and walk.boards["at_c"].values.any()
    dead = {**conv_parameters(), "x": np.zeros((6, 6)), "a": np.array([-1.0, -1.0])}
    assert not conv_walk(dead).gradients["k"].any()
    half = with_edits(sigmoid_parameters(), {("t", 0): 0.5, ("t", 1): 0.5})
    assert any("too large a step" in note for note in sigmoid_walk(half, rate=1000.0).notes)


def test_pooling_and_convolution_take_gradients_back_by_hand():
    values, which = max_pool(np.array([[[1.0, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]]))
    assert values.tolist() == [[[9, 2], [6, 3]]] and which.tolist() == [[[3, 0], [3, 1]]]
    back = max_pool_backward(np.array([[[10.0, 20], [30, 40]]]), which)
    assert back[0].tolist() == [[0, 0, 20, 0], [0, 10, 0, 0], [0, 0, 0, 40], [0, 30, 0, 0]]
    x, kernel = np.arange(9.0).reshape(3, 3), np.array([[[1.0, 2], [3, 4]]])
    assert convolve(x, kernel, np.zeros(1)).tolist() == [[[27, 37], [57, 67]]]
    at_x, at_k, at_b = convolve_backward(np.ones((1, 2, 2)), x, kernel)
    assert at_k.tolist() == [[[8, 12], [20, 24]]] and at_b.tolist() == [4]
    assert at_x.tolist() == [[1, 3, 2], [4, 10, 6], [3, 7, 4]]


def test_gradients_that_are_too_small_to_change_the_loss_are_no_step_that_is_too_large():
    p = with_edits(sigmoid_parameters(), {("c", 0): -40.0, ("c", 1): -40.0})
    walk = sigmoid_walk(p, rate=0.5)
    assert walk.loss_after == walk.loss and walk.gradients["w"].any()
    assert len(walk.notes) == 1 and "so small that the step changes nothing" in walk.notes[0]


def test_a_loss_that_stays_at_a_rate_of_zero_needs_no_word():
    assert sigmoid_walk(sigmoid_parameters(), rate=0.0).notes == ()
