"""Networks out of blocks, and what a run of the lesson leaves behind."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from sklearn.metrics import log_loss

from explorer.architectures import stack as stacks
from explorer.architectures.builders.small_xception import small_xception
from explorer.architectures.counting import count
from explorer.networks.work_context import SentenceError
from explorer.runs import block_networks
from explorer.runs.context import RunContext
from explorer.runs.data.loading import load
from explorer.runs.folder import STOP
from explorer.runs.lessons.blocks import LESSON, is_shallow
from explorer.runs.metrics import read_metrics
from explorer.runs.outcome import Verdict, read_outcome
from explorer.runs.scoring import cross_entropy
from explorer.runs.tasks.blocks import Result, own_stack, train, verdict
from explorer.runs.trained import read_models

SHAPE = (48, 48, 3)
KINDS = ("plain", "residual", "separable", "xception")
DATA = {"source": "drawn_digits", "pictures": 100, "validation": 100}
SETTINGS = {"blocks": ["plain", "residual"], "depth": 6, "filters": 4, "epochs": 1}

Trained = Callable[..., RunContext]


def build(block: str, shape: tuple[int, int, int] = SHAPE, **more) -> keras.Model:
    return block_networks.build(block, shape, 4, **{"depth": 12, "filters": 8, "batch_norm": False, **more})


# --- budgets ---


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("block", KINDS[:3])
def test_the_formula_counts_what_keras_counts(block: str, batch_norm: bool) -> None:
    for depth, shape in ((6, SHAPE), (12, (28, 28, 1))):
        widths = block_networks.widths(block, 8, depth, shape[2], 4, batch_norm)
        found = block_networks.parameters(block, widths, depth, shape[2], 4, batch_norm)
        assert found == build(block, shape, depth=depth, batch_norm=batch_norm).count_params()


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("filters", [8, 12, 16, 32, 64])
@pytest.mark.parametrize("depth", [6, 12, 24, 36, 60])
def test_budgets_are_equal_within_ten_percent(depth: int, filters: int, batch_norm: bool) -> None:
    given = (filters, depth, 3, 4, batch_norm)
    budget = block_networks.parameters("plain", block_networks.widths("plain", *given), depth, 3, 4, batch_norm)
    for block in ("residual", "separable"):
        found = block_networks.parameters(block, block_networks.widths(block, *given), depth, 3, 4, batch_norm)
        assert abs(found / budget - 1) <= 0.1
    if budget >= 100_000:  # below that one filter more or less is a large step for the small Xception
        found = block_networks.xception_parameters(block_networks.xception_filters(budget, 3, 4), 3, 4)
        assert abs(found / budget - 1) <= 0.1


@pytest.mark.parametrize("block", KINDS)
def test_multiply_adds_are_those_of_the_page_on_architectures(block: str) -> None:
    model = build(block)
    assert block_networks.multiply_adds(model) == count(model).multiply_adds


def test_plain_residual_and_separable_blocks_cost_the_same_multiply_adds_within_ten_percent() -> None:
    costs = [block_networks.multiply_adds(build(block, depth=24, filters=12)) for block in KINDS[:3]]
    assert max(costs) <= 1.1 * min(costs)


def test_the_small_xception_of_the_book_has_721_857_weights() -> None:
    assert block_networks.xception_parameters(32, 3, 1) == 721_857 == small_xception().count_params()
    assert block_networks.small_xception((180, 180, 3), 1, 32).count_params() == 721_857
    assert block_networks.xception_filters(721_857, 3, 1) == 32


# --- blocks ---


@pytest.mark.backends
@pytest.mark.parametrize("block", ["residual", "separable"])
def test_a_block_with_zero_weights_is_the_identity(block: str) -> None:
    model = build(block, depth=6)
    inside = [layer for layer in model.layers if layer.name.startswith("stage1_block1_conv") and layer.weights]
    assert len(inside) == 2
    for layer in inside:
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    probe = keras.Model(model.inputs[0], [model.get_layer(name).output for name in ("stem", "stage1_block1_add")])
    before, after = probe(np.random.default_rng(0).random((2, *SHAPE), np.float32))
    assert np.asarray(keras.ops.convert_to_numpy(after)) == pytest.approx(
        np.asarray(keras.ops.convert_to_numpy(before)), abs=1e-6
    )


def test_a_plain_block_with_zero_weights_passes_nothing_on() -> None:
    model = build("plain", depth=6)
    layer = model.get_layer("stage1_block1_conv2")
    layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    probe = keras.Model(model.inputs[0], model.get_layer("stage1_block1_conv2").output)
    assert np.abs(np.asarray(keras.ops.convert_to_numpy(probe(np.ones((1, *SHAPE), np.float32))))).max() == 0.0


@pytest.mark.parametrize("block", KINDS)
def test_every_network_has_the_convolutions_it_is_said_to_have_and_logits(block: str) -> None:
    model = build(block, depth=18)
    assert model.output_shape == (None, 4)
    assert model.layers[-1].activation is keras.activations.linear
    convolutions = [layer for layer in model.layers if "Conv" in type(layer).__name__]
    if block != "xception":
        inside = [layer for layer in convolutions if "_conv" in layer.name]
        assert len(inside) == 18
        sides = [layer.output.shape[1] for layer in inside]
        assert [sides.count(side) for side in (24, 12, 6)] == [6, 6, 6]
    else:
        assert sum(type(layer).__name__ == "SeparableConv2D" for layer in convolutions) == 10


def test_a_depth_that_does_not_divide_into_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 6"):
        build("plain", depth=10)


def test_the_loss_that_is_shown_is_the_cross_entropy() -> None:
    random = np.random.default_rng(0)
    truth, chances = random.integers(0, 3, 50), random.dirichlet(np.ones(3), 50)
    assert cross_entropy(truth, chances) == pytest.approx(log_loss(truth, chances, labels=[0, 1, 2]))


# --- own stacks ---


def test_an_own_stack_takes_the_pictures_and_gets_a_head_only_where_it_needs_one() -> None:
    fits = stacks.to_text(stacks.checked((16, 16, 3), (
        stacks.layer("conv", filters=4), stacks.layer("global_pool"),
        stacks.layer("dense", units=4, activation="softmax"))))  # fmt: skip
    model, note = own_stack(fits, (16, 16, 3), 4)
    assert note == "" and model.output_shape == (None, 4)
    assert model.layers[-1].activation is keras.activations.linear
    other, note = own_stack(fits, (20, 20, 1), 3)
    assert other.input_shape == (None, 20, 20, 1) and other.output_shape == (None, 3)
    assert "20 × 20 × 1" in note and "3 logits" in note
    maps = stacks.to_text(stacks.checked((16, 16, 3), (stacks.layer("conv", filters=4),)))
    model, note = own_stack(maps, (16, 16, 3), 5)
    assert model.output_shape == (None, 5) and "5 logits" in note
    assert model.count_params() == (27 * 4 + 4) + (4 * 5 + 5)


@pytest.mark.parametrize("text", ["nonsense", "28x28x1_conv-k15-pvalid_conv-k15-pvalid_conv-k15-pvalid"])
def test_a_stack_that_cannot_be_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(SentenceError):
        own_stack(text, (16, 16, 3) if text != "nonsense" else (8, 8, 1), 4)


def test_without_its_text_an_own_stack_is_asked_for(context_of: Callable[..., RunContext]) -> None:
    context = context_of("blocks", settings={"blocks": ["stack"]}, data=DATA)
    with pytest.raises(SentenceError, match="Copy the text"):
        train(context)
    context.close()


@pytest.mark.parametrize("shallow", [True, False])
def test_networks_that_only_guess_decide_nothing(shallow: bool) -> None:
    settings = LESSON.settings({**SETTINGS, "depth": 6 if shallow else 36})
    assert is_shallow(settings) == shallow

    def judged(plain: float, residual: float) -> Verdict:
        results = [
            Result(block, 100, 1000, "", np.zeros((0, 10)), [2.3, 3 - share], [0.1, share], [0.1, share])
            for block, share in (("plain", plain), ("residual", residual))
        ]
        return verdict(settings, results, classes=10, complete=True)

    assert judged(0.12, 0.15).holds is None
    assert "more epochs" in judged(0.12, 0.15).because
    assert judged(0.85, 0.9).holds is shallow
    assert judged(0.15, 0.9).holds is (not shallow)


# --- runs ---


@pytest.mark.slow
def test_a_run_trains_the_networks_side_by_side_and_an_own_stack_among_them(trained: Trained) -> None:
    text = stacks.to_text(stacks.preset("cnn2"))
    settings = {**SETTINGS, "blocks": ["plain", "residual", "stack"], "stack": text}
    context = trained("blocks", settings=settings, data=DATA)
    shown = read_outcome(context.folder)
    assert shown[0].kind == "verdict" and "own stack loss" in shown[0].because.lower()
    assert {"numbers", "lines", "table", "confusion"} <= {item.kind for item in shown}
    assert [model.variant for model in read_models(context.folder).models] == ["plain", "residual", "stack"]
    rows = read_metrics(context.folder / "metrics.jsonl").rows
    assert {row["variant"] for row in rows if "val_loss" in row} == {"plain", "residual", "stack"}
    table = next(item for item in shown if item.kind == "table")
    assert table.rows[2][1] == 36_314
    data = load(DATA, seed=0, kind="classes")
    model = keras.models.load_model(context.folder / "model-residual.keras")
    logits = model.predict(data.training.inputs(), verbose=0)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert table.rows[1][4] == pytest.approx(log_loss(data.training.labels, chances, labels=range(10)), rel=1e-3)


def test_a_stop_keeps_what_was_learnt(context_of: Callable[..., RunContext], monkeypatch) -> None:
    context = context_of("blocks", settings=SETTINGS, data=DATA)
    save = context.save_model

    def save_and_stop(model, name="model.keras"):
        (context.folder / STOP).touch()
        context._looked = -1.0
        return save(model, name)

    monkeypatch.setattr(context, "save_model", save_and_stop)
    train(context)
    context.close()
    assert read_outcome(context.folder)[0].holds is None
    assert [model.variant for model in read_models(context.folder).models] == ["plain"]


@pytest.mark.slow
def test_the_script_trains_the_same_networks(trained: Trained, run_script: Callable[[str], str]) -> None:
    text = stacks.to_text(stacks.preset("cnn2"))
    settings = {**SETTINGS, "blocks": ["separable", "stack"], "stack": text}
    context = trained("blocks", settings=settings, data=DATA)
    printed = run_script(LESSON.script(context.config))
    table = next(item for item in read_outcome(context.folder) if item.kind == "table")
    said = [line for line in printed.splitlines() if "parameters, training" in line]
    for row, line in zip(table.rows, said, strict=True):
        assert f"{row[1]:,} parameters" in line
    losses = [float(part.split()[0]) for part in printed.split("val_loss: ")[1:]]
    rows = [row["val_loss"] for row in read_metrics(context.folder / "metrics.jsonl").rows if "val_loss" in row]
    assert losses == pytest.approx(rows, rel=0.02)


@pytest.mark.lessons
@pytest.mark.parametrize("preset", ["deep", "shallow"])
def test_the_sentence_holds_on_a_seed_that_was_not_tuned_on(trained: Trained, preset: str) -> None:
    chosen = LESSON.preset(preset)
    data = {"source": LESSON.data[0], **chosen.data}
    shown = read_outcome(trained("blocks", seed=100, settings=chosen.settings, data=data).folder)
    assert shown[0].holds, shown[0].because
