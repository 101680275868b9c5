"""The blocks: their numbers against the lectures and papers, their formulas against their layers, their sentences."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.architectures.blocks.block import Block, Setting, Values, Variant
from explorer.architectures.blocks.highway import gated, pattern
from explorer.architectures.blocks.parts import compared, compared_with, share
from explorer.architectures.blocks.stochastic_depth import drawn, survival
from explorer.architectures.blocks.table import BLOCKS, block
from explorer.networks import structure

_NAMES = [one.name for one in BLOCKS]


def _built(name: str, preset: str = "", **changed: Any) -> tuple[Variant, ...]:
    return block(name).build(block(name).values(preset, **changed))


def _work(name: str, preset: str = "", **changed: Any) -> list[int]:
    return [variant.table.multiply_adds for variant in _built(name, preset, **changed)]


def _weights(name: str, preset: str = "", **changed: Any) -> list[int]:
    return [variant.table.parameters for variant in _built(name, preset, **changed)]


# --- the lectures' and the papers' numbers ---


def test_three_3x3_see_as_far_as_one_7x7_with_27_instead_of_49_weights_a_channel_pair() -> None:
    for channels in (1, 64, 512):
        large, small, row_column = _built("small_filters", "lecture", channels=channels)
        assert large.table.parameters == 49 * channels**2
        assert small.table.parameters == 27 * channels**2
        assert row_column.table.parameters == 14 * channels**2
        fields = [list(variant.table.costs.values())[-1].field for variant in (large, small, row_column)]
        assert fields == [(7, 7)] * 3


def test_the_lectures_bottleneck() -> None:
    assert _work("bottleneck", "lecture") == [346_816_512, 99_549_184]


def test_the_lectures_inception_module() -> None:
    naive, reduced, _ = _built("inception", "lecture")
    assert (naive.table.multiply_adds, reduced.table.multiply_adds) == (854_196_224, 271_351_808)
    assert "358M" in reduced.note


@pytest.mark.parametrize(
    ("preset", "parameters", "maps"),
    # With biases 163,696, 388,736, 376,176 and 1,444,080 (the paper prints 159K, 380K, 364K and 1388K): one a filter.
    [("googlenet_3a", 163_328, 256), ("googlenet_3b", 388_096, 480), ("googlenet_4a", 375_552, 512),
     ("googlenet_5b", 1_442_816, 1024)],
)  # fmt: skip
def test_googlenets_modules(preset: str, parameters: int, maps: int) -> None:
    reduced = _built("inception", preset)[1]
    assert reduced.table.parameters == parameters
    assert list(reduced.table.structure.layers.values())[-1].channels == maps


def test_depth_concat_pads_the_smaller_maps() -> None:
    plain, padded = _built("depth_concat", "lecture")
    assert plain.clash is not None and "14 × 14 × 2 and 16 × 16 × 3" in plain.clash.sentence
    assert list(padded.table.structure.layers.values())[-1].output_shape == (16, 16, 5)
    around = [layer.config["padding"] for layer in padded.table.structure.layers.values() if "padding" in layer.config]
    assert around == [((1, 1), (1, 1))]


def test_mobilenets_inner_layer_with_alpha_and_rho() -> None:
    assert _work("separable", "mobilenet_thin") == [462_422_016, 52_283_392, 29_578_752, 15_091_200]
    assert _weights("separable", "mobilenet_thin") == [2_359_296, 266_752, 150_912, 150_912]


def test_the_work_of_a_separable_layer_is_one_nth_and_one_ninth_of_the_standard_one() -> None:
    for filters, kernel in ((512, 3), (64, 5), (24, 7)):
        standard, separable = _work("separable", "mobilenet", filters=filters, kernel_size=kernel)
        assert separable / standard == pytest.approx(1 / filters + 1 / kernel**2)


def test_alexnets_two_groups_halve_the_weights() -> None:
    assert _weights("grouped", "alexnet")[:2] == [614_400, 307_200]


def test_as_many_groups_as_channels_and_filters_is_the_depthwise_convolution() -> None:
    _, groups, depthwise = _weights("grouped", "", groups=64, channels=64, filters=64)
    assert groups == depthwise


def test_vggs_head_and_the_lectures_flatten() -> None:
    # VGG16's dense layers in Keras: 102,764,544 + 16,781,312 + 4,097,000.
    assert _weights("global_pooling", "vgg16") == [102_764_544 + 16_781_312 + 4_097_000, 513_000, 513_000]
    assert _weights("global_pooling", "mnist") == [250_890, 330, 330]


def test_resnets_two_blocks_cost_about_the_same() -> None:
    wide, bottleneck, narrow = _weights("bottleneck_residual", "conv2")
    assert (bottleneck, narrow) == (69_632, 73_728)
    assert wide == 1_179_648


@pytest.mark.parametrize(
    ("preset", "parameters"),
    # C · (256 · d + 9 · d · d + d · 256), table 2 of the paper.
    [("paper_1x64", 69_632), ("paper_2x40", 69_760), ("paper_4x24", 69_888), ("paper_8x14", 71_456),
     ("paper_32x4", 70_144)],
)  # fmt: skip
def test_resnexts_settings_of_equal_cost(preset: str, parameters: int) -> None:
    assert set(_weights("resnext", preset)[1:]) == {parameters}


def test_the_paths_of_resnext_drawn_one_by_one_are_the_grouped_convolution() -> None:
    _, grouped, drawn_paths = _built("resnext", "paper_8x14")
    assert grouped.table.multiply_adds == drawn_paths.table.multiply_adds
    assert grouped.table.depth == drawn_paths.table.depth == 3


def test_densenet_121s_first_block() -> None:
    # Keras' conv2_block1 to conv2_block6 of DenseNet121, read from its summary: normalisations and convolutions.
    expected = sum(
        4 * channels + channels * 128 + 4 * 128 + 9 * 128 * 32 for channels in (64, 96, 128, 160, 192, 224)
    )  # fmt: skip
    assert _weights("dense_block", "densenet121")[2] == expected == 338_304


def test_every_layer_of_a_dense_block_reads_all_before_it() -> None:
    dense = _built("dense_block", "small")[1]
    reads = [
        layer.channels for layer in dense.table.structure.layers.values() if layer.kind == "Activation"
    ]  # fmt: skip
    assert reads == [8, 12, 16, 20, 24]


def test_an_inverted_residual_speaks_of_a_shortcut_only_where_there_is_one() -> None:
    for changed in ({}, {"strides": "2"}, {"filters": 32}):
        variants = _built("inverted_residual", "block_2", **changed)
        for variant in (variants[0], variants[2]):
            kinds = [layer.kind for layer in variant.table.structure.layers.values()]
            assert ("Add" in kinds) == (not changed)
            assert ("hands on" in variant.note) == (not changed) == ("no shortcut" not in variant.note)


def test_one_path_of_one_channel_is_said_in_the_singular() -> None:
    block = next(one for one in BLOCKS if one.name == "resnext")
    values = block.values(cardinality=1, path_width=1)
    variants = block.build(values)
    told = block.lesson(values, variants) + variants[1].note
    assert "1 channels" not in told and "1 channel in the middle" in told


def test_squeeze_and_excitation_adds_two_layers_of_c_times_c_over_r() -> None:
    for preset, channels in (("stage2", 256), ("stage3", 512), ("stage4", 1024), ("stage5", 2048)):
        plain, gated_ = _weights("squeeze_excitation", preset)
        assert gated_ - plain == 2 * channels**2 // 16


def test_the_gates_of_se_resnet_50_are_two_and_a_half_million_weights() -> None:
    # Hu et al., equation 5: 2 / r · (3 · 256² + 4 · 512² + 6 · 1024² + 3 · 2048²), "about 2.5 million".
    gates = [_weights("squeeze_excitation", f"stage{stage}") for stage in (2, 3, 4, 5)]
    added = sum(times * (gated_ - plain) for times, (plain, gated_) in zip((3, 4, 6, 3), gates, strict=True))
    assert added == 2_514_944


def test_mobilenet_v2s_block_2() -> None:
    # Keras' MobileNetV2: block_2_expand to block_2_project_BN.
    expected = 3_456 + 576 + 1_296 + 576 + 3_456 + 96
    assert _weights("inverted_residual", "block_2", norm=True)[2] == expected
    # h · w · t · d′ · (d′ + k² + d″), table 1 and section 3.3 of the paper
    assert _work("inverted_residual", "block_2")[2] == 56 * 56 * 6 * 24 * (24 + 9 + 24)


def test_a_stride_costs_a_quarter_of_convolving_first_and_pooling_then() -> None:
    pooled, strided, _ = _work("stride_pooling", "middle")
    assert pooled == 4 * strided


def test_a_highway_block_has_twice_the_weights() -> None:
    plain, highway, residual = _weights("highway")
    assert (highway, residual) == (2 * plain, plain)


# --- what does not fit ---


@pytest.mark.parametrize(
    ("preset", "fits"),
    [
        ("same_shape", [True, True, True, True]),
        ("more_filters", [True, False, True, True]),
        ("pooling", [True, False, True, True]),
        ("stride", [True, False, True, True]),
        ("no_padding", [True, False, False, False]),
    ],
)  # fmt: skip
def test_which_shortcuts_of_the_listings_fit(preset: str, fits: list[bool]) -> None:
    variants = _built("residual", preset)
    assert [variant.clash is None for variant in variants] == fits
    for variant in variants:
        if variant.clash is not None:
            assert "would" in variant.clash.sentence


def test_groups_that_do_not_divide_the_maps_say_so() -> None:
    clash = _built("grouped", "uneven")[1].clash
    assert clash is not None and "cannot be divided by 3" in clash.sentence


# --- the live ones ---


def test_a_closed_gate_copies_and_an_open_one_transforms() -> None:
    x, transformed = pattern()
    np.testing.assert_array_equal(gated(0), x)
    np.testing.assert_array_equal(gated(1), transformed)
    np.testing.assert_allclose(gated(0.25), 0.25 * transformed + 0.75 * x)
    assert not np.allclose(x, transformed)


def test_the_bias_of_a_gate_that_starts_at_minus_two_lets_a_tenth_through() -> None:
    live = block("highway").live
    assert live is not None
    numbers = live(block("highway").values("start")).numbers
    assert float(numbers["Gate's bias for this T"].replace("−", "-")) == pytest.approx(-2, abs=0.25)
    assert numbers["Share of x behind 10 such blocks"] == "0.349"


def test_the_expected_depth_of_54_blocks_is_about_40() -> None:
    # Huang et al., section 3: E(L̃) = (3L − 1) / 4 for p_L = 0.5.
    assert survival(54, 0.5).sum() == pytest.approx((3 * 54 - 1) / 4)
    assert survival(54, 0.5)[-1] == 0.5
    assert (np.diff(survival(54, 0.5)) < 0).all()
    assert set(survival(7, 0.3, "uniform")) == {0.3}


def test_draws_keep_each_block_as_often_as_its_probability_says() -> None:
    chances = survival(6, 0.5)
    kept = np.mean([drawn(chances, seed) for seed in range(4000)], axis=0)
    np.testing.assert_allclose(kept, chances, atol=0.03)


def test_one_draw_runs_the_blocks_that_it_keeps_and_the_test_runs_all() -> None:
    for seed in (0, 1, 2, 40):
        training, test = _built("stochastic_depth", "small", seed=seed)
        adds = [layer.name for layer in training.table.structure.layers.values() if layer.kind == "Add"]
        assert adds == [f"block_{index + 1}_add" for index in np.flatnonzero(drawn(survival(6, 0.5), seed))]
        assert sum(layer.kind == "Add" for layer in test.table.structure.layers.values()) == 6


def test_all_blocks_may_be_left_out() -> None:
    seed = next(seed for seed in range(100) if not drawn(survival(1, 0.05), seed).any())
    training = _built("stochastic_depth", "small", blocks=1, last_survival=0.05, seed=seed)[0]
    assert training.table.parameters == 0
    assert "model = keras.Model(inputs, inputs" in training.sketch.code()


# --- every block ---


def test_the_lab_has_all_blocks_under_names_of_their_own() -> None:
    assert len(set(_NAMES)) == len(_NAMES) == 16
    assert block("there is none") is BLOCKS[0]


@pytest.mark.parametrize("name", _NAMES)
def test_presets_keep_to_the_limits_and_to_the_steps_of_the_sliders(name: str) -> None:
    one = block(name)
    known = {setting.name for setting in one.settings}
    assert len({preset.name for preset in one.presets}) == len(one.presets) >= 3
    for preset in one.presets:
        assert set(preset.settings) <= known
        for setting in one.settings:
            value = one.values(preset.name)[setting.name]
            assert setting.takes(value)
            assert not setting.choices or value in setting.choices, (preset.name, setting.name, value)
    for setting in one.settings:
        assert all(setting.takes(choice) for choice in setting.choices)


@pytest.mark.parametrize("value", [None, -1, 10**9, "7", True, 2.5])
def test_values_outside_the_limits_are_refused(value: object) -> None:
    one = block("bottleneck")
    with pytest.raises(ValueError, match="Channels in M cannot be"):
        one.build(one.values() | {"channels": value})


def _value(draw: st.DrawFn, setting: Setting) -> Any:
    if setting.kind == "switch":
        return draw(st.booleans())
    if setting.kind == "choice":
        return draw(st.sampled_from(sorted(setting.options)))
    if setting.kind == "count":
        numbers = st.integers(int(setting.low), int(setting.high))
        return draw(st.sampled_from(setting.choices) if setting.choices else numbers)
    steps = round((setting.high - setting.low) / setting.step)
    return min(setting.high, setting.low + setting.step * draw(st.integers(0, steps)))


@st.composite
def _values(draw: st.DrawFn, one: Block) -> Values:
    return {setting.name: _value(draw, setting) for setting in one.settings}


@pytest.mark.slow
@pytest.mark.parametrize("name", _NAMES)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_set_the_formulas_give_what_the_layers_have(name: str, data: st.DataObject) -> None:
    one = block(name)
    values = data.draw(_values(one))
    variants = one.build(values)
    assert 2 <= len(variants) <= 4
    for variant in variants:
        table = variant.table
        assert sorted(structure.paths_of(table.structure.nodes)) == sorted(table.structure.layers)
        compile(variant.sketch.code(), "program", "exec")
        if variant.clash is not None:
            assert re.search(r"would (fit|keep)", variant.clash.sentence), variant.clash.sentence
        elif variant.weights:
            assert _worth(variant.weights, variant) == pytest.approx(table.parameters, rel=1e-12)
            assert _worth(variant.work, variant) == pytest.approx(table.multiply_adds, rel=1e-12)
    sentence = one.lesson(values, variants)
    assert sentence.endswith(".") and "nan" not in sentence and "inf" not in sentence
    if one.live is not None:
        live = one.live(values)
        assert len({len(curve.values) for curve in live.curves}) == 1
        assert live.sentence.endswith(".")


def _worth(formula: str, variant: Variant) -> float:
    """Return what a LaTeX formula comes to with the variant's letters."""
    text = re.sub(r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"((\1)/(\2))", formula)
    for letter in sorted(variant.letters, key=lambda letter: -len(letter.symbol)):
        pattern_ = re.escape(letter.symbol) + ("" if letter.symbol.endswith("}") else r"(?![_{])")
        text = re.sub(rf"(?<!\\)(?<![a-zA-Z]){pattern_}(?![a-zA-Z])", str(letter.value), text)
    text = text.replace(r"\cdot", "*").replace("^2", "**2")
    assert re.fullmatch(r"[\d.()/*+\- ]+", text), f"{formula}: a letter without a value in {text}"
    return eval(text)


def test_comparisons_are_worded_as_people_would() -> None:
    assert compared("weights", 200, 100) == "2 times fewer weights"
    assert compared("work", 100, 350) == "3.5 times as much work"
    assert compared("work", 100, 95) == "5 % less work"
    assert compared("weights", 69_632, 70_144) == "0.74 % more weights"
    assert compared("weights", 5, 5) == "the same number of weights"
    assert (share(1), share(0.25), share(0)) == ("100 %", "25 %", "0 %")


_SEVERAL_OF_ONE = re.compile(r"(?<![\d×+,.] )(?<![\d,.×])\b1 (\w+s)\b(?! of 3×3 sees)")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: one.name)
@pytest.mark.parametrize("which", ["low", "high"])
def test_one_thing_is_not_several(block, which):
    values = block.values()
    for setting in block.settings:
        if setting.kind == "count":
            values[setting.name] = setting.choices[0] if setting.choices else int(getattr(setting, which))
    variants = block.build(values)
    texts = [block.lesson(values, variants)]
    for variant in variants:
        texts += [variant.title, variant.note, variant.clash.sentence if variant.clash else ""]
    found = [(match[1], text) for text in texts for match in _SEVERAL_OF_ONE.finditer(text)]
    assert not [one for one in found if one[0] not in ("sees", "needs", "comes", "goes", "takes", "is", "pixels")]


@pytest.mark.parametrize(("first", "second", "words"), [
    (100, 100, "the same work as a stack"),
    (100, 107, "7 % more work than a stack"),
    (300, 100, "3 times less work than a stack"),
    (100, 300, "3 times as much work as a stack"),
])  # fmt: skip
def test_a_comparison_is_a_sentence(first, second, words):
    assert compared_with("work", first, second, "a stack") == words


@pytest.mark.parametrize(("channels", "filters", "maps"), [(1, 64, 64), (32, 1, 32)])
def test_a_single_channel_that_is_stretched_is_not_called_the_same_shape(channels, filters, maps):
    one = block("residual")
    values = one.values("same_shape", channels=channels, filters=filters)
    variants = one.build(values)
    assert variants[1].clash is None
    told = one.lesson(values, variants)
    assert f"the single channel is stretched over all {maps} maps" in told and "keeps the shape" not in told
    assert f"stretched over all {maps} maps" in variants[1].note and "hands on its input" not in variants[1].note


def test_a_single_cell_that_is_stretched_is_not_called_the_same_shape():
    one = block("residual")
    for filters in (32, 64):
        values = one.values("same_shape", side=5, channels=32, filters=filters, padding="valid")
        assert "the single cell is stretched over height and width" in one.lesson(values, one.build(values))


def test_a_block_that_keeps_the_shape_says_so():
    one = block("residual")
    for channels in (1, 64):
        values = one.values("same_shape", channels=channels, filters=channels)
        variants = one.build(values)
        assert "keeps the shape of its input" in one.lesson(values, variants)
        assert "hands on its input" in variants[1].note


@pytest.mark.parametrize("kernel_size", [4, 6, 10])
def test_a_kernel_that_no_stack_of_3x3_equals_is_refused(kernel_size):
    one = block("small_filters")
    assert not one.setting("kernel_size").takes(kernel_size)
    with pytest.raises(ValueError, match="Kernel size cannot be"):
        one.build(one.values(kernel_size=kernel_size))
