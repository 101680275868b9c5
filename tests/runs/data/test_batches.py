"""Batches for `model.fit`: every picture once an epoch, in another order each time, the same for the same seed."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from explorer.runs.data.augmentation import Augmentation
from explorer.runs.data.batches import AugmentedBatches
from explorer.runs.data.picture_set import PictureSet

COUNT = 22
PICTURES = PictureSet(
    np.arange(COUNT, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(8, 1).repeat(8, 2),
    ("even", "odd"),
    np.arange(COUNT) % 2,
)
OFF = Augmentation({}, 0)


def values(batches: AugmentedBatches) -> list[int]:
    return [round(float(picture[0, 0, 0]) * 255) for batch in batches for picture in batch[0]]


def test_an_epoch_has_every_picture_once_with_its_label() -> None:
    batches = AugmentedBatches(PICTURES, OFF, batch_size=5, seed=1)
    assert len(batches) == 5 and [len(batch[0]) for batch in batches] == [5, 5, 5, 5, 2]
    assert sorted(values(batches)) == list(range(COUNT))
    for pictures, labels in batches:
        assert np.array_equal(np.rint(pictures[:, 0, 0, 0] * 255) % 2, labels)


def test_each_epoch_has_its_own_order_and_the_seed_decides_it() -> None:
    first, again, other = (AugmentedBatches(PICTURES, OFF, batch_size=5, seed=seed) for seed in (1, 1, 2))
    one = values(first)
    assert one == values(again) == values(first) and one != values(other)
    first.on_epoch_end()
    two = values(first)
    assert two != one
    again.on_epoch_end()
    assert values(again) == two


def test_each_epoch_changes_the_pictures_in_another_way() -> None:
    noisy = AugmentedBatches(PICTURES, Augmentation({"augment_noise": 0.1}, 0), batch_size=COUNT)
    first = noisy[0][0]
    assert np.array_equal(first, noisy[0][0])
    noisy.on_epoch_end()
    assert not np.allclose(np.sort(first.ravel()), np.sort(noisy[0][0].ravel()))


def test_targets_are_labels_one_hot_labels_masks_or_what_one_wants() -> None:
    assert AugmentedBatches(PICTURES, OFF, one_hot=True)[0][1].shape == (COUNT, 2)
    mixing = AugmentedBatches(PICTURES, Augmentation({"augment_mixup": 0.4}, 0))
    assert mixing[0][1].shape == (COUNT, 2) and mixing[0][1].dtype == np.float32
    masks = (PICTURES.pixels[..., 0] % 3).astype(np.uint8)
    masked = PictureSet(PICTURES.pixels, ("a", "b", "c"), masks=masks)
    pixels, found = AugmentedBatches(masked, OFF)[0]
    assert np.array_equal(np.rint(pixels[..., 0] * 255) % 3, found)
    half = AugmentedBatches(
        PICTURES, OFF, targets=lambda batch: batch.inputs, inputs=lambda batch: batch.inputs[:, ::2, ::2]
    )[0]
    assert half[0].shape[1:3] == (4, 4) and half[1].shape[1:3] == (8, 8)


@pytest.mark.backends
def test_training_with_them_is_the_same_twice() -> None:
    def losses() -> list[float]:
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss)
        batches = AugmentedBatches(PICTURES, Augmentation({"augment_noise": 0.2}, 0), batch_size=4, seed=1)
        return model.fit(batches, epochs=3, verbose=0).history["loss"]

    first = losses()
    assert first == losses() and len(set(first)) == 3
