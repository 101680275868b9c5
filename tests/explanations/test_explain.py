"""One signature: what is asked is checked, counted, reported, and stopped after at most one more batch."""

import gc
import weakref

import keras
import numpy as np
import pytest
from keras import layers

from explorer.explanations.explain import explain
from explorer.explanations.question import Question
from explorer.explanations.results import Target
from explorer.explanations.survey import survey
from explorer.explanations.table import METHODS
from explorer.networks.footprint import batch_for
from explorer.networks.gradients import as_array
from explorer.networks.work_context import NoContext, SentenceError, Stopped
from tests.explanations.networks_zoo import ZOO, kept

pytestmark = pytest.mark.backends
MINE = (
    "saliency gradient_input smoothgrad integrated_gradients guided_backprop guided_grad_cam "
    "grad_cam grad_cam_plus_plus layer_cam score_cam"
).split()


class Counting(NoContext):
    """Says stop after some reports, and remembers all of them."""

    def __init__(self, stop_after=None):
        self.reports = []
        self.stop_after = stop_after

    def report(self, done=None, total=None, unit="", message="", payload=None, part=0):
        self.reports.append((done, total, unit))

    def stopped(self):
        return self.stop_after is not None and len(self.reports) >= self.stop_after

    def raise_if_stopped(self):
        if self.stopped():
            raise Stopped


@pytest.mark.slow
@pytest.mark.parametrize("method", MINE)
@pytest.mark.parametrize("name", ["batch_norm", "own_code", "one_class", "non_square", "one_channel"])
def test_every_method_answers_in_the_pictures_size(name, method):
    x = ZOO[name].pictures(2)
    found = explain(kept(name), x, 0, method)
    assert found.maps.shape == x.shape[:3] and found.maps.dtype == np.float32
    assert np.isfinite(found.maps).all() and found.scores.shape == (2,)
    assert found.signed == METHODS[method].signed
    assert found.signed or found.maps.min() >= 0
    assert bool(found.layer) == METHODS[method].layer
    assert len(found.facts) == 2


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_what_is_kept_with_the_network_holds_no_visitors_picture(method, monkeypatch):
    asked = []
    start = Question.__init__

    def noted(self, *arguments, **more):
        start(self, *arguments, **more)
        asked.append(weakref.ref(self))

    monkeypatch.setattr(Question, "__init__", noted)
    options = {"samples": 50} if method in ("lime", "rise") else {}
    explain(kept("batch_norm"), ZOO["batch_norm"].pictures(1), 1, method, **options)
    gc.collect()
    assert asked and all(question() is None for question in asked)


@pytest.mark.parametrize("gradients", [False, True])
def test_only_few_sizes_of_batches_occur_and_memory_bounds_those_that_are_asked_for(gradients):
    model, x = kept("batch_norm"), ZOO["batch_norm"].pictures(1)
    most = batch_for(model, gradients=gradients, size=x.shape[1:3], asked=10**9)
    for batch in (None, 5, 10**9):
        question = Question(
            model, x, Target(index=1), score="logits", layer="", batch=batch, seed=0, context=NoContext()
        )
        sizes = {question.rows(total, gradients=gradients) for total in range(1, 200)}
        assert len(sizes) <= 24 and max(sizes) <= (most if batch is None else min(batch, most))


def test_the_softmax_is_another_question_than_the_logit():
    model, x = kept("softmax_head"), ZOO["softmax_head"].pictures(2)
    logit = explain(model, x, 1, "gradient_input")
    softmax = explain(model, x, 1, "gradient_input", score="softmax")
    probabilities = as_array(model(x))[:, 1]
    np.testing.assert_allclose(softmax.scores, probabilities, rtol=1e-4)
    assert np.abs(logit.maps - softmax.maps).max() > 1e-3
    # d p_c = p_c (d z_c - sum of p_k d z_k)
    slopes = np.stack([explain(model, x, index, "gradient_input").maps for index in range(5)])
    answer = as_array(model(x)).T[:, :, None, None]
    np.testing.assert_allclose(softmax.maps, answer[1] * (slopes[1] - (answer * slopes).sum(0)), rtol=1e-3, atol=1e-5)


def test_a_class_against_another_is_the_difference_of_their_maps():
    model, x = kept("transfer"), ZOO["transfer"].pictures(2)
    one, other = (explain(model, x, index, "gradient_input") for index in (1, 3))
    found = explain(model, x, Target(index=1, against=3), "gradient_input")
    np.testing.assert_allclose(found.maps, one.maps - other.maps, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.scores, one.scores - other.scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("output", [0, 1])
def test_each_of_several_outputs_can_be_explained(output):
    model, x = kept("several_outputs"), ZOO["several_outputs"].pictures(2)
    found = explain(model, x, Target(index=1, output=output), "gradient_input", score="softmax")
    answer = as_array(keras.tree.flatten(model(x))[output])
    np.testing.assert_allclose(found.scores, answer[:, 1], rtol=1e-4)
    np.testing.assert_allclose(explain(model, x, Target(output=output), "grad_cam").indices, answer.argmax(-1))


def test_a_cell_depends_only_on_its_receptive_field():
    inputs = keras.Input((9, 9, 3))
    x = layers.Conv2D(2, 3, activation="tanh")(inputs)
    x = layers.Conv2D(4, 3, activation="tanh", name="cells")(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    picture = np.random.default_rng(0).normal(size=(1, 9, 9, 3)).astype(np.float32)
    target = Target("cell", 1, layer="cells", row=3, column=1)
    for method in ("saliency", "gradient_input", "smoothgrad", "integrated_gradients"):
        options = {"baseline": 0.0} if method == "integrated_gradients" else {}
        seen = np.argwhere(explain(model, picture, target, method, **options).maps[0])
        assert seen.min(0).tolist() == [3, 1] and seen.max(0).tolist() == [7, 5]


def test_a_network_that_was_never_called_is_built():
    model = keras.Sequential([layers.Conv2D(3, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype(np.float32)
    assert not model.built
    for method in MINE:
        assert explain(model, x, 0, method).maps.shape == (2, 7, 6)


def test_weights_that_change_change_the_map():
    model, x = ZOO["batch_norm"].made(), ZOO["batch_norm"].pictures(1)
    for _ in range(4):
        before = explain(model, x, 1, "saliency").maps
    for variable in model.weights:
        variable.assign(variable.value * 0.9)
    fresh = ZOO["batch_norm"].made()
    fresh.set_weights(model.get_weights())
    after = explain(model, x, 1, "saliency").maps
    np.testing.assert_allclose(after, explain(fresh, x, 1, "saliency").maps, rtol=1e-4)
    assert np.abs(after - before).max() > 1e-4


@pytest.mark.parametrize(
    ("method", "options", "passes"),
    [
        ("saliency", {}, (2, 2)),
        ("grad_cam", {}, (2, 2)),
        ("guided_grad_cam", {}, (4, 4)),
        ("smoothgrad", {"samples": 25}, (52, 50)),
        ("integrated_gradients", {"steps": 50}, (102, 100)),
    ],
)
def test_the_cost_is_what_the_definition_needs(method, options, passes):
    cost = explain(kept("batch_norm"), ZOO["batch_norm"].pictures(2), None, method, **options).cost
    assert (cost.forward, cost.backward) == passes and cost.seconds > 0


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX compiles at the first call, and then counts nothing")
def test_passes_are_counted_by_the_network_itself():
    model, x = ZOO["batch_norm"].made(), ZOO["batch_norm"].pictures(1)
    survey(model)
    batch_for(model, gradients=True, size=x.shape[1:3])  # looks once, too
    rows = []
    last = model.get_layer("last")
    call = last.call

    def counted(values, *args, **kwargs):
        rows.append(int(values.shape[0]))
        return call(values, *args, **kwargs)

    last.__dict__["call"] = counted
    explain(model, x, 1, "smoothgrad", samples=2, batch=1)  # eager: two batches, and the picture itself
    assert rows == [1, 1, 1]


@pytest.mark.parametrize(
    ("method", "options"), [("smoothgrad", {"samples": 40}), ("integrated_gradients", {"steps": 40})]
)
def test_progress_is_told_and_a_stop_is_heard_after_at_most_one_more_batch(method, options):
    model, x = kept("batch_norm"), ZOO["batch_norm"].pictures(1)
    whole = Counting()
    explain(model, x, 1, method, batch=4, context=whole, **options)
    assert [done for done, _, _ in whole.reports] == list(range(4, 41, 4))
    stopping = Counting(stop_after=3)
    if method == "smoothgrad":
        found = explain(model, x, 1, method, batch=4, context=stopping, **options)
        assert found.cost.backward == 12
        assert found.notes == ("Stopped after 12 of 40 noisy copies.",)
        np.testing.assert_allclose(found.maps, _first_copies(model, x, 12), rtol=1e-4, atol=1e-6)
    else:
        with pytest.raises(Stopped):
            explain(model, x, 1, method, batch=4, context=stopping, **options)
    assert len(stopping.reports) == 3  # a report follows each batch: none was computed after the stop


def _first_copies(model, x, count):
    random = np.random.default_rng(0)
    noise = random.standard_normal((count, *x.shape[1:]), np.float32) * 0.15 * (x.max() - x.min())
    return explain(model, (x + noise).astype(np.float32), 1, "saliency").maps.mean(0, keepdims=True)


def test_score_cam_stops_between_masks():
    with pytest.raises(Stopped):
        explain(kept("batch_norm"), ZOO["batch_norm"].pictures(1), 1, "score_cam", batch=1, context=Counting(2))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"target": 5}, "no class of the network with number 5"),
        ({"target": Target(index=1, against=1)}, "against itself"),
        ({"target": Target(output=1)}, "no output of the network"),
        ({"target": Target("channel", 0, layer="nowhere")}, "no layer 'nowhere'"),
        ({"target": Target("channel", None, layer="last")}, "must be said"),
        ({"target": Target("channel", 99, layer="last")}, "channel of last"),
        ({"target": Target("cell", 0, layer="last", row=9)}, "row of last"),
        ({"target": Target("channel", 0, layer="last"), "method": "score_cam"}, "explains classes, not channels"),
        ({"score": "odds"}, "logits"),
        ({"method": "smoothgrad", "samples": 1}, "from 2 to 200"),
        ({"method": "smoothgrad", "samples": 2.5}, "whole number"),
        ({"method": "smoothgrad", "noise": float("nan")}, "from 0 to 0.5"),
        ({"method": "saliency", "samples": 3}, "has no option 'samples'"),
        ({"method": "integrated_gradients", "baseline": "pink"}, "Baseline is one of"),
        ({"batch": 0}, "At least one picture"),
        ({"pictures": np.zeros((8, 8, 3))}, r"\(n, height, width, channels\)"),
        ({"pictures": np.zeros((1, 9, 8, 3))}, "pictures of shape"),
        ({"pictures": np.full((1, 8, 8, 3), np.nan)}, "not finite"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(changes, sentence):
    arguments = {"pictures": ZOO["batch_norm"].pictures(1), "target": 1, "method": "grad_cam", **changes}
    with pytest.raises(SentenceError, match=sentence):
        explain(kept("batch_norm"), arguments.pop("pictures"), arguments.pop("target"), **arguments)


def test_of_a_single_class_the_sigmoid_is_its_probability_and_a_softmax_would_always_be_1():
    model, x = kept("one_class"), ZOO["one_class"].pictures(2)
    found = explain(model, x, 0, "gradient_input", score="softmax")
    np.testing.assert_allclose(found.scores, as_array(model(x))[:, 0], rtol=1e-5)
    inputs = keras.Input((8, 8, 3))
    plain = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(inputs)))
    with pytest.raises(SentenceError, match="always 1"):
        explain(plain, x, 0, "saliency", score="softmax")


class InCode(keras.Model):
    """A softmax that only code knows of."""

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(3, 3, activation="tanh", name="last")
        self.top = layers.Dense(4)

    def call(self, x):
        return keras.ops.softmax(self.top(keras.ops.mean(self.conv(x), axis=(1, 2))))


def test_where_logits_cannot_be_had_the_map_says_that_it_is_of_a_probability():
    model, x = InCode(), ZOO["batch_norm"].pictures(2)
    for score in ("logits", "softmax"):
        found = explain(model, x, 1, "saliency", score=score)
        np.testing.assert_allclose(found.scores, as_array(model(x))[:, 1], rtol=1e-5)
        assert any("gives no logits" in note for note in found.notes)
    assert not explain(kept("own_code"), x, 1, "saliency").notes


def test_there_is_no_method_of_another_name():
    with pytest.raises(KeyError, match="no method called 'magic'"):
        explain(kept("batch_norm"), ZOO["batch_norm"].pictures(1), 0, "magic")
