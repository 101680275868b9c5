"""Batches for `model.fit`, mixed anew in each epoch and augmented in threads while the network learns."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from explorer.runs.data.augmentation import Augmentation, Augmented
from explorer.runs.data.picture_set import PictureSet

_ORDER, _CHANGES = 21, 22


class AugmentedBatches(keras.utils.PyDataset):
    """Pictures with labels or masks, a batch at a time; every batch depends on seed, epoch and number alone.

    Args:
        pictures: to learn from.
        augmentation: how they are changed.
        batch_size: pictures of a batch; the last one may have less.
        seed: of the order.
        one_hot: whether labels come as float32 (n, classes), which they do anyway where they are mixed.
        targets: from a changed batch to the targets, where those are neither labels nor masks: for an autoencoder
            `lambda batch: batch.inputs`.
        inputs: from a changed batch to the inputs, where those are not the pictures themselves.
        workers: threads that prepare batches.
    """

    def __init__(
        self,
        pictures: PictureSet,
        augmentation: Augmentation,
        *,
        batch_size: int = 32,
        seed: int = 0,
        one_hot: bool = False,
        targets: Callable[[Augmented], np.ndarray] | None = None,
        inputs: Callable[[Augmented], np.ndarray] | None = None,
        workers: int = 2,
    ) -> None:
        super().__init__(workers=workers, max_queue_size=8)
        self.pictures = pictures
        self.augmentation = augmentation
        self.batch_size = batch_size
        self._seed = seed
        self._one_hot = one_hot or augmentation.mixes
        self._targets = targets
        self._inputs = inputs
        self._epoch = 0

    def __len__(self) -> int:
        return math.ceil(len(self.pictures) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        epoch = self._epoch
        order = np.random.default_rng((self._seed, _ORDER, epoch)).permutation(len(self.pictures))
        chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
        pictures = self.pictures
        batch = self.augmentation(
            pictures.pixels[chosen],
            labels=self._labels(chosen),
            masks=None if pictures.masks is None else pictures.masks[chosen],
            step=(_CHANGES, epoch, index),
        )
        inputs = batch.inputs if self._inputs is None else self._inputs(batch)
        if self._targets is not None:
            return inputs, self._targets(batch)
        return inputs, batch.labels if batch.masks is None else batch.masks

    def _labels(self, chosen: np.ndarray) -> np.ndarray | None:
        labels = self.pictures.labels
        if labels is None:
            return None
        if not self._one_hot:
            return labels[chosen]
        return np.eye(len(self.pictures.classes), dtype=np.float32)[labels[chosen]]

    def on_epoch_end(self) -> None:
        """Have the next epoch come in another order; Keras has stopped the threads before it says so."""
        self._epoch += 1
