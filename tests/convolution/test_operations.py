"""Our convolutions are Keras' layers, number by number, all settings combined, and each is the sum of its trace."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import signal

from explorer.convolution import geometry
from explorer.convolution.operations import (
    ACTIVATIONS,
    apply_activation,
    conv1d,
    conv2d,
    conv2d_transpose,
    depthwise_conv2d,
    separable_conv2d,
)
from explorer.convolution.tracing import trace
from tests.convolution import keras_layers as truth
from tests.convolution.keras_layers import EXAMPLES, assert_same, numbers, result_of, spread

MODES = st.sampled_from(["zeros", "zeros", "reflect", "edge", "circular"])


def _possible(x: np.ndarray, kernel_size: Any, arguments: dict[str, Any]) -> bool:
    """Return whether the layer can be; a picture that is too small to be mirrored or wrapped is left out as well."""
    strides, rates = arguments["strides"], arguments["dilation_rate"]
    if geometry.refusal(x.shape[:2], kernel_size, arguments["padding"], strides, rates):
        return False
    most = 12 if arguments["padding_mode"] == "zeros" else min(x.shape[:2]) - 1
    added, _ = truth.padded_for(x, arguments["padding"], "edge", _spans(kernel_size, rates), strides)
    return all((wide - n) <= most for wide, n in zip(added.shape, x.shape, strict=True))


def _spans(kernel_size: Any, rates: Any) -> tuple[int, ...]:
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel_size, rates, strict=True))


@st.composite
def windows(draw: st.DrawFn) -> tuple[np.ndarray, tuple[int, int], dict[str, Any]]:
    """Return a picture without channels, a kernel size, and settings that are possible together."""
    kernel_size, rates = draw(truth.kernel_sizes), draw(truth.pairs["dilation"])
    padding = draw(truth.paddings())
    low = _spans(kernel_size, rates) if padding == "valid" else (1, 1)
    size = tuple(one + draw(st.integers(0, 7)) for one in low)
    arguments = {
        "strides": draw(truth.pairs["stride"]),
        "dilation_rate": rates,
        "padding": padding,
        "padding_mode": draw(MODES),
        "activation": draw(st.sampled_from(truth.ACTIVATIONS)),
    }
    x = numbers(draw(truth.seeds), *size)
    assume(_possible(x, kernel_size, arguments))
    return x, kernel_size, arguments


def _layer_settings(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what the layer and a kernel spread with zeros are given where Keras takes no stride with dilation."""
    strides, rates = arguments["strides"], arguments["dilation_rate"]
    return {
        "strides": strides,
        "dilation_rate": (1, 1) if truth.refuses(strides, rates) else rates,
        "activation": arguments["activation"],
        "dtype": "float64",
    }


def _spread_if_refused(kernel: np.ndarray, arguments: dict[str, Any]) -> np.ndarray:
    strides, rates = arguments["strides"], arguments["dilation_rate"]
    return spread(kernel, rates) if truth.refuses(strides, rates) else kernel


class TestAgainstKeras:
    @pytest.mark.slow
    @EXAMPLES
    @given(windows(), st.data())
    def test_conv2d_is_keras_conv2d(self, window: Any, data: st.DataObject) -> None:
        plane, kernel_size, arguments = window
        groups = data.draw(st.sampled_from([1, 1, 1, 2, 3]), "groups")
        channels, filters = (groups * data.draw(st.integers(1, 3), name) for name in ("channels", "filters"))
        flip, biased, seed = data.draw(st.booleans()), data.draw(st.booleans()), data.draw(truth.seeds)
        x = numbers(seed, *plane.shape, channels)
        kernel = numbers(seed + 1, *kernel_size, channels // groups, filters)
        bias = numbers(seed + 2, filters) if biased else None
        more = arguments | {"groups": groups, "flip": flip}

        applied = _spread_if_refused(kernel[::-1, ::-1] if flip else kernel, arguments)
        given_x, padding = truth.padded_for(
            x, arguments["padding"], arguments["padding_mode"], _spans(kernel_size, arguments["dilation_rate"]),
            arguments["strides"],
        )  # fmt: skip
        layer = keras.layers.Conv2D(
            filters, applied.shape[:2], padding=padding, groups=groups, use_bias=biased, **_layer_settings(arguments)
        )
        expected = result_of(layer, given_x, applied, bias)

        assert_same(conv2d(x, kernel, bias, **more), expected)
        assert_same(trace("conv2d", x, kernel, bias, **more).target, expected)

    @EXAMPLES
    @given(windows(), st.data())
    def test_depthwise_conv2d_is_keras_depthwise_conv2d(self, window: Any, data: st.DataObject) -> None:
        plane, kernel_size, arguments = window
        if data.draw(st.booleans(), "equal strides, which Keras' depthwise layer asks for"):
            arguments = arguments | {"strides": (arguments["strides"][0],) * 2}
            assume(_possible(plane, kernel_size, arguments))
        channels, multiplier = data.draw(st.integers(1, 4), "channels"), data.draw(st.integers(1, 3), "multiplier")
        biased, seed = data.draw(st.booleans()), data.draw(truth.seeds)
        x = numbers(seed, *plane.shape, channels)
        kernel = numbers(seed + 1, *kernel_size, channels, multiplier)
        bias = numbers(seed + 2, channels * multiplier) if biased else None

        applied = _spread_if_refused(kernel, arguments)
        given_x, padding = truth.padded_for(
            x, arguments["padding"], arguments["padding_mode"], _spans(kernel_size, arguments["dilation_rate"]),
            arguments["strides"],
        )  # fmt: skip
        common = {"padding": padding, "use_bias": biased, **_layer_settings(arguments)}
        if arguments["strides"][0] == arguments["strides"][1]:
            layer = keras.layers.DepthwiseConv2D(applied.shape[:2], depth_multiplier=multiplier, **common)
        else:
            # As many groups as channels is the same layer, and takes any strides.
            layer = keras.layers.Conv2D(channels * multiplier, applied.shape[:2], groups=channels, **common)
            applied = applied.reshape(*applied.shape[:2], 1, -1)
        expected = result_of(layer, given_x, applied, bias)

        assert_same(depthwise_conv2d(x, kernel, bias, **arguments), expected)
        traced = trace("depthwise_conv2d", x, kernel, bias, **arguments)
        assert_same(traced.target, expected)
        assert traced.weights is not None and np.array_equal(traced.weights, kernel)

    @EXAMPLES
    @given(windows(), st.data())
    def test_separable_conv2d_is_keras_separable_conv2d(self, window: Any, data: st.DataObject) -> None:
        plane, kernel_size, arguments = window
        arguments = arguments | {"strides": (arguments["strides"][0],) * 2}
        assume(_possible(plane, kernel_size, arguments))
        channels, multiplier, filters = (data.draw(st.integers(1, 3)) for _ in range(3))
        biased, seed = data.draw(st.booleans()), data.draw(truth.seeds)
        x = numbers(seed, *plane.shape, channels)
        depthwise = numbers(seed + 1, *kernel_size, channels, multiplier)
        pointwise = numbers(seed + 2, 1, 1, channels * multiplier, filters)
        bias = numbers(seed + 3, filters) if biased else None

        applied = _spread_if_refused(depthwise, arguments)
        given_x, padding = truth.padded_for(
            x, arguments["padding"], arguments["padding_mode"], _spans(kernel_size, arguments["dilation_rate"]),
            arguments["strides"],
        )  # fmt: skip
        layer = keras.layers.SeparableConv2D(
            filters, applied.shape[:2], padding=padding, depth_multiplier=multiplier, use_bias=biased,
            **_layer_settings(arguments),
        )  # fmt: skip
        expected = result_of(layer, given_x, applied, pointwise, bias)

        assert_same(separable_conv2d(x, depthwise, pointwise, bias, **arguments), expected)
        first = {name: value for name, value in arguments.items() if name != "activation"}
        between = trace("depthwise_conv2d", x, depthwise, **first).target
        assert_same(trace("conv2d", between, pointwise, bias, activation=arguments["activation"]).target, expected)

    @pytest.mark.slow
    @EXAMPLES
    @given(st.data())
    def test_conv1d_is_keras_conv1d(self, data: st.DataObject) -> None:
        width, stride, rate = (data.draw(st.integers(1, most)) for most in (6, 4, 4))
        cells = st.integers(0, 5)
        padding = data.draw(
            st.one_of(st.sampled_from(["valid", "same", "causal"]), cells, st.tuples(cells, cells)), "padding"
        )
        mode, spanned = data.draw(MODES, "mode"), rate * (width - 1) + 1
        steps = data.draw(st.integers(spanned if padding == "valid" else 1, spanned + 10), "steps")
        groups = data.draw(st.sampled_from([1, 1, 1, 2]), "groups")
        channels, filters = (groups * data.draw(st.integers(1, 3)) for _ in range(2))
        activation, biased, seed = (
            data.draw(one) for one in (st.sampled_from(truth.ACTIVATIONS), st.booleans(), truth.seeds)
        )
        x, kernel = numbers(seed, steps, channels), numbers(seed + 1, width, channels // groups, filters)
        bias = numbers(seed + 2, filters) if biased else None
        form = padding if isinstance(padding, str) else (padding,)
        given_x, layer_padding = truth.padded_for(x, form, mode if mode == "zeros" else "edge", (spanned,), (stride,))
        assume(given_x.shape[0] >= spanned)
        if mode != "zeros":
            added, _ = truth.padded_for(x, form, "edge", (spanned,), (stride,))
            assume(added.shape[0] - steps < steps)
            given_x, layer_padding = truth.padded_for(x, form, mode, (spanned,), (stride,))

        refused = truth.refuses((stride,), (rate,))
        applied = spread(kernel, (rate,)) if refused else kernel
        layer = keras.layers.Conv1D(
            filters, len(applied), strides=stride, padding=layer_padding, dilation_rate=1 if refused else rate,
            groups=groups, use_bias=biased, activation=activation, dtype="float64",
        )  # fmt: skip
        expected = result_of(layer, given_x, applied, bias)
        arguments = {
            "strides": stride, "padding": padding, "padding_mode": mode, "dilation_rate": rate, "groups": groups,
            "activation": activation,
        }  # fmt: skip

        assert_same(conv1d(x, kernel, bias, **arguments), expected)
        traced = trace("conv1d", x, kernel, bias, **arguments)
        assert_same(traced.target[0], expected)
        assert traced.target.shape[0] == 1

    @EXAMPLES
    @given(st.data())
    def test_conv2d_transpose_is_keras_conv2d_transpose(self, data: st.DataObject) -> None:
        kernel_size, strides, rates = (
            data.draw(one) for one in (truth.kernel_sizes, truth.pairs["stride"], truth.pairs["dilation"])
        )
        size = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)), "size")
        padding = data.draw(st.sampled_from(["valid", "same"]), "padding")
        extra = data.draw(st.one_of(st.none(), st.tuples(*[st.integers(0, s - 1) for s in strides])), "output padding")
        spans = _spans(kernel_size, rates)
        if padding == "same" and extra is not None:
            # TensorFlow takes no such layer where an ordinary one of that stride would not lead back to the input.
            assume(all(span % 2 + more >= 1 for span, more in zip(spans, extra, strict=True)))
        channels, filters = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
        activation, biased, seed = (
            data.draw(one) for one in (st.sampled_from(truth.ACTIVATIONS), st.booleans(), truth.seeds)
        )
        x, kernel = numbers(seed, *size, channels), numbers(seed + 1, *kernel_size, filters, channels)
        bias = numbers(seed + 2, filters) if biased else None

        # On a CPU, TensorFlow dilates no transposed kernel.
        layer = keras.layers.Conv2DTranspose(
            filters, spans, strides=strides, padding=padding, output_padding=extra, use_bias=biased,
            activation=activation, dtype="float64",
        )  # fmt: skip
        expected = result_of(layer, x, spread(kernel, rates), bias)
        arguments = {
            "strides": strides, "padding": padding, "output_padding": extra, "dilation_rate": rates,
            "activation": activation,
        }  # fmt: skip

        assert_same(conv2d_transpose(x, kernel, bias, **arguments), expected)
        for view in ("scatter", "zeros"):
            assert_same(trace("conv2d_transpose", x, kernel, bias, view=view, **arguments).target, expected)

    @pytest.mark.parametrize("name", sorted(ACTIVATIONS))
    def test_activations_are_those_of_keras(self, name: str) -> None:
        values = np.concatenate([np.linspace(-12, 12, 481), [0.0, -0.0, 1e-9, -1e-9]])
        expected = np.asarray(keras.activations.get(name)(keras.ops.convert_to_tensor(values, dtype="float64")))
        # TensorFlow keeps some constants, such as leaky_relu's slope and gelu's √2, in float32.
        np.testing.assert_allclose(apply_activation(name, values), expected, rtol=1e-6, atol=1e-12)


class TestAgainstTheDefinition:
    """Settings that no layer of Keras takes, against SciPy."""

    @EXAMPLES
    @given(st.data())
    def test_a_transposed_convolution_stamps_the_kernel_and_cuts_the_border_off(self, data: st.DataObject) -> None:
        kernel_size, strides, rates = (
            data.draw(one) for one in (truth.kernel_sizes, truth.pairs["stride"], truth.pairs["dilation"])
        )
        size = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)), "size")
        cells = st.integers(0, 5)
        pads = data.draw(st.tuples(st.tuples(cells, cells), st.tuples(cells, cells)), "pads")
        extra = data.draw(st.one_of(st.none(), st.tuples(*[st.integers(0, s - 1) for s in strides])), "output padding")
        arguments = {"strides": strides, "padding": pads, "output_padding": extra, "dilation_rate": rates}
        seed, channels, filters = data.draw(truth.seeds), 2, 2
        x, kernel = numbers(seed, *size, channels), numbers(seed + 1, *kernel_size, filters, channels)

        wide, between = spread(kernel, rates), spread(x, strides)
        full = sum(
            np.stack([signal.convolve(between[..., c], wide[..., f, c]) for f in range(filters)], axis=2)
            for c in range(channels)
        )
        full = np.pad(full, [*((0, more) for more in extra or (0, 0)), (0, 0)])
        (top, bottom), (left, right) = pads
        expected = full[top : full.shape[0] - bottom, left : full.shape[1] - right]
        assume(full.shape[0] > top + bottom and full.shape[1] > left + right)

        assert_same(conv2d_transpose(x, kernel, **arguments), expected)
        for view in ("scatter", "zeros"):
            assert_same(trace("conv2d_transpose", x, kernel, view=view, **arguments).target, expected)

    def test_a_flipped_kernel_makes_it_mathematics_convolution(self) -> None:
        x, kernel = numbers(1, 7, 9, 1), numbers(2, 3, 4, 1, 1)
        expected = signal.convolve(x[..., 0], kernel[..., 0, 0], mode="valid")
        assert_same(conv2d(x, kernel, flip=True)[..., 0], expected)

    def test_without_flipping_it_is_a_cross_correlation(self) -> None:
        x, kernel = numbers(1, 7, 9, 1), numbers(2, 3, 4, 1, 1)
        expected = signal.correlate(x[..., 0], kernel[..., 0, 0], mode="valid")
        assert_same(conv2d(x, kernel)[..., 0], expected)


class TestLargePictures:
    """Large pictures take another way through the same sums."""

    @pytest.mark.slow
    @pytest.mark.parametrize("channels, filters, groups", [(1, 1, 1), (3, 1, 1), (3, 3, 3), (3, 4, 1), (16, 8, 2)])
    @pytest.mark.parametrize("strides, rates", [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 3)), ((2, 1), (3, 2))])
    def test_a_large_picture_has_the_sums_of_its_windows(
        self, channels: int, filters: int, groups: int, strides: tuple[int, int], rates: tuple[int, int]
    ) -> None:
        x = numbers(3, 611, 217, channels)
        kernel = numbers(4, 5, 3, channels // groups, filters)
        found = conv2d(x, kernel, strides=strides, dilation_rate=rates, groups=groups)
        part, share = filters // groups, channels // groups
        for filter_ in range(filters):
            first = filter_ // part * share
            expected = sum(
                signal.correlate(x[..., first + c], spread(kernel[..., c, filter_], rates), mode="valid")
                for c in range(share)
            )
            assert_same(found[..., filter_], expected[:: strides[0], :: strides[1]])

    def test_float32_stays_float32(self) -> None:
        x = numbers(3, 80, 90, 3).astype(np.float32)
        kernel = numbers(4, 7, 7, 3, 2)
        found = conv2d(x, kernel, padding="same", activation="gelu")
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, conv2d(x.astype(float), kernel, padding="same", activation="gelu"), atol=1e-4)


class TestOnTheSlides:
    def test_a_vertical_edge_is_found_where_it_is(self) -> None:
        x = np.repeat([[10.0, 10, 10, 0, 0, 0]], 6, axis=0)
        kernel = np.repeat([[1.0, 0, -1]], 3, axis=0)
        assert conv2d(x[..., None], kernel[..., None, None])[..., 0].tolist() == [[0, 30, 30, 0]] * 4

    def test_a_causal_kernel_sees_the_past_alone(self) -> None:
        x, kernel = np.array([[10.0], [20], [30]]), np.array([1.0, 2]).reshape(2, 1, 1)
        assert conv1d(x, kernel, padding="causal")[:, 0].tolist() == [20, 50, 80]

    def test_a_one_by_one_convolution_mixes_channels_and_keeps_the_size(self) -> None:
        x, kernel = numbers(1, 28, 28, 192), numbers(2, 1, 1, 192, 16)
        assert_same(conv2d(x, kernel), np.einsum("hwc,cf->hwf", x, kernel[0, 0]))

    def test_a_horizontal_difference_loses_one_column(self) -> None:
        assert conv2d(np.ones((280, 320, 1)), np.array([-1.0, 1]).reshape(1, 2, 1, 1)).shape == (280, 319, 1)

    def test_convolution_is_equivariant_to_translation(self) -> None:
        x, kernel = np.zeros((12, 12, 1)), numbers(2, 3, 3, 1, 1)
        x[3:6, 3:6, 0] = numbers(1, 3, 3)
        moved = np.roll(x, (2, 1), axis=(0, 1))
        found = conv2d(moved, kernel, padding="same")
        assert_same(found, np.roll(conv2d(x, kernel, padding="same"), (2, 1), axis=(0, 1)))


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        "shape, kernel, more, words",
        [
            ((8, 8, 1), (5, 5, 1, 1), {"dilation_rate": 3}, "a 5×5 kernel with dilation 3 spans 13 cells"),
            ((8, 8, 3), (3, 3, 2, 4), {}, "channels"),
            ((8, 8, 4), (3, 3, 2, 3), {"groups": 2}, "groups"),
            ((3, 3, 1), (3, 3, 1, 1), {"padding": 3, "padding_mode": "reflect"}, "reflecting 3 cells"),
            ((3, 3, 1), (3, 3, 1, 1), {"padding": -1}, "padding"),
            ((3, 3, 1), (3, 3, 1, 1), {"padding": "full"}, "padding"),
            ((3, 3, 1), (3, 3, 1, 1), {"activation": "softmax"}, "softmax"),
        ],
    )
    def test_it_is_said_in_one_sentence(self, shape: Any, kernel: Any, more: dict[str, Any], words: str) -> None:
        with pytest.raises(ValueError, match=words):
            conv2d(np.ones(shape), np.ones(kernel), **more)
        with pytest.raises(ValueError, match=words):
            trace("conv2d", np.ones(shape), np.ones(kernel), **more)
