"""The networks whose answer is a picture."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from explorer.runs import picture_networks

pytestmark = pytest.mark.backends


def as_array(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def small_encoder() -> keras.Model:
    picture = keras.Input((None, None, 3))
    x = picture
    for number, filters in enumerate((4, 5, 6), start=1):
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", name=f"half_{number}")(x)
    return keras.Model(picture, keras.layers.GlobalAveragePooling2D()(x))


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
@pytest.mark.parametrize("name", ["strided", "unet", "on_encoder"])
def test_each_pixel_gets_a_logit_for_each_class_at_any_size(name: str, upsampling: str) -> None:
    if name == "on_encoder":
        model = picture_networks.on_encoder(small_encoder(), ["half_1", "half_2", "half_3"], 4, upsampling)
    else:
        model = getattr(picture_networks, name)(4, upsampling=upsampling)
    for height, width in ((16, 16), (24, 40)):
        assert as_array(model(np.zeros((2, height, width, 3), np.float32))).shape == (2, height, width, 4)


def test_a_frozen_encoder_does_not_learn_and_its_decoder_does() -> None:
    encoder = small_encoder()
    model = picture_networks.on_encoder(encoder, ["half_1", "half_2", "half_3"], 2)
    before = [as_array(weight).copy() for weight in encoder.weights]
    decoder = as_array(model.get_layer("pixel_logits").kernel).copy()
    model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    generator = np.random.default_rng(0)
    model.fit(
        generator.random((4, 16, 16, 3)).astype(np.float32), generator.integers(0, 2, (4, 16, 16)), epochs=1, verbose=0
    )
    for old, new in zip(before, encoder.weights, strict=True):
        np.testing.assert_array_equal(old, as_array(new))
    assert np.abs(as_array(model.get_layer("pixel_logits").kernel) - decoder).max() > 0


@pytest.mark.parametrize(("kernel", "even"), [(4, True), (3, False)])
def test_a_kernel_of_twice_the_stride_covers_all_new_pixels_alike(kernel: int, even: bool) -> None:
    layer = keras.layers.Conv2DTranspose(1, kernel, strides=2, padding="same", kernel_initializer="ones")
    inner = as_array(layer(np.ones((1, 8, 8, 1), np.float32)))[0, 4:-4, 4:-4, 0]
    assert (len(np.unique(inner)) == 1) is even


def test_unet_has_the_weights_that_its_figure_gives() -> None:
    def two(inputs: int, filters: int) -> int:
        return 9 * inputs * filters + 9 * filters**2 + 2 * 4 * filters

    def up(inputs: int, filters: int) -> int:
        return 16 * inputs * filters + 4 * filters + 9 * 2 * filters * filters + 4 * filters

    down = two(3, 12) + two(12, 24) + two(24, 48) + two(48, 96)
    assert picture_networks.unet(2).count_params() == down + up(96, 48) + up(48, 24) + up(24, 12) + 12 * 2 + 2
