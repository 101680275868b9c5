"""The architecture: what is said about it is true of the model that is built."""

import keras
import numpy as np
import pytest

from explorer.networks.drawn.model import LAST_CONVOLUTION, LOGITS_LAYER, STEM_LAYER, build


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build()


def test_it_has_about_431_thousand_parameters(model: keras.Model) -> None:
    # Counted by hand: convolutions, four numbers per normalised channel, and the dense layer.
    convolutions = 49 * 3 * 24 + 9 * (24 * 32 + 32 * 48 + 48 * 48 + 48 * 96 + 96 * 96 + 96 * 128 + 128 * 128)
    channels = 24 + 32 + 48 + 48 + 96 + 96 + 128 + 128
    assert model.count_params() == convolutions + 4 * channels + 128 * 12 + 12


def test_the_multiply_adds_and_shapes_of_the_docstring_are_those_of_the_layers(model: keras.Model) -> None:
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    assert shapes["stem_conv"] == (48, 48, 24)
    assert shapes["reduce_conv"] == (24, 24, 32)
    assert shapes["pool"] == (12, 12, 48)
    assert shapes[LAST_CONVOLUTION] == (12, 12, 128)
    work = sum(
        np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    )
    assert round(work / 1e6) == 87


def test_every_convolution_is_followed_by_its_own_normalization_and_relu(model: keras.Model) -> None:
    kinds = [type(layer).__name__ for layer in model.layers if layer.name != "pool"]
    assert kinds[1:-2] == ["Conv2D", "BatchNormalization", "ReLU"] * 8
    assert all(not layer.use_bias for layer in model.layers if isinstance(layer, keras.layers.Conv2D))


def test_one_cell_of_the_last_map_sees_95_pixels() -> None:
    # Measured by poking: only pixels inside the receptive field can change the cell.
    model = build(side=128)
    cell = keras.Model(model.input, model.get_layer(LAST_CONVOLUTION).output)
    generator = np.random.default_rng(0)
    pictures = np.repeat(generator.random((1, 128, 128, 3)).astype(np.float32), 129, 0)
    pictures[np.arange(128), :, np.arange(128)] += 50.0
    answers = np.concatenate([cell.predict_on_batch(part)[:, 8, 8] for part in np.split(pictures, [64])])
    seen = np.flatnonzero(np.abs(answers[:-1] - answers[-1]).max(-1) > 1e-6)
    assert seen[0] > 0 and seen[-1] < 127
    assert seen[-1] - seen[0] + 1 == 95


def test_it_is_built_for_any_side_and_number_of_classes() -> None:
    model = build("drawn_robust", side=None, classes=3)
    assert model.name == "drawn_robust"
    assert model(np.zeros((2, 64, 80, 3), np.float32)).shape == (2, 3)


def test_layers_that_others_ask_for_are_there(model: keras.Model) -> None:
    assert model.get_layer(STEM_LAYER).kernel.shape == (7, 7, 3, 24)
    assert model.get_layer(LOGITS_LAYER).output.shape == (None, 12)


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="drawn_plain, drawn_robust"):
        build("drawn_cat")
