"""What a bundled network can do, measured on pictures whose seeds and backgrounds it has never seen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from scipy.ndimage import zoom

from explorer.networks.drawn.attack import fast_gradient, input_gradient, projected_gradient
from explorer.networks.drawn.model import LAST_CONVOLUTION, LOGITS_LAYER, STEM_LAYER, build
from explorer.networks.drawn.stem import roughness
from explorer.networks.drawn.weights import load_weights, weights_path
from explorer.networks.gradients import device_seen
from explorer.pictures.drawn_world import PRETRAINING_CLASSES, draw_batch

TEST_SEED = 9_173
TEST_PICTURES = 3_000
ATTACKED_PICTURES = 1_000
RADII = (0.25, 0.5, 1.0, 2.0)
CAM_THRESHOLD = 0.3


@dataclass(frozen=True)
class TestSet:
    """Drawn pictures with their truth.

    Attributes:
        pixels: uint8 `(n, h, w, 3)`.
        labels: class of each picture, int `(n,)`.
        masks: coverage of the object, uint8 `(n, h, w)`, 0 to 255.
    """

    __test__ = False

    pixels: np.ndarray
    labels: np.ndarray
    masks: np.ndarray

    @property
    def pictures(self) -> np.ndarray:
        """Return the pictures as the network's input: float32 in [0, 1]."""
        return self.pixels.astype(np.float32) / 255


def test_pictures(
    count: int, *, seed: int = TEST_SEED, backgrounds: Literal["training", "unseen"] = "unseen"
) -> TestSet:
    """Draw pictures of the twelve classes; by default with seed and backgrounds that no training run uses."""
    pixels, labels, masks = draw_batch(
        seed, range(count), classes=tuple(range(len(PRETRAINING_CLASSES))), backgrounds=backgrounds
    )
    return TestSet(pixels, np.asarray(labels, np.int64), masks)


test_pictures.__test__ = False  # type: ignore[attr-defined]


def evaluate(
    name: str,
    path: Path | None = None,
    *,
    pictures: int = TEST_PICTURES,
    attacked: int = ATTACKED_PICTURES,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure a network from its weights file.

    Args:
        name: "drawn_plain" or "drawn_robust".
        path: its weights; by default the bundled ones.
        pictures: size of each test set.
        attacked: how many of the pictures with unseen backgrounds are attacked.
        report: receives lines of progress.

    Returns:
        Plain values, as they stand in the model card: accuracy on both test sets with 95 % Wilson intervals,
        per-class table, accuracy under attack, pointing game, roughness of the stem, seconds and device.
    """
    began = time.monotonic()
    model = build(name)
    load_weights(model, name, path)
    unseen = test_pictures(pictures)
    familiar = test_pictures(pictures, backgrounds="training")
    report(f"drew {2 * pictures} test pictures")
    logits = predict(model, unseen.pictures)
    clean = accuracy(logits, unseen.labels)
    report(f"unseen backgrounds {clean['accuracy']:.1%}")
    familiar_clean = accuracy(predict(model, familiar.pictures), familiar.labels)
    pointing = pointing_game(model, unseen)
    report(f"pointing game {pointing['grad_cam']:.3f}")
    robust = robust_accuracy(model, unseen.pictures[:attacked], unseen.labels[:attacked], report=report)
    kernel = keras.ops.convert_to_numpy(model.get_layer(STEM_LAYER).kernel)
    return {
        "name": name,
        "parameters": model.count_params(),
        "file_megabytes": round((path or weights_path(name)).stat().st_size / 1e6, 2),
        "test_seed": TEST_SEED,
        "unseen_backgrounds": clean,
        "training_backgrounds": familiar_clean,
        "classes": class_table(logits, unseen.labels),
        "robust_accuracy": {"pictures": min(attacked, pictures), "rows": robust},
        "pointing_game": pointing,
        "stem_roughness": round(float(keras.ops.convert_to_numpy(roughness(kernel))), 3),
        "seconds": round(time.monotonic() - began, 1),
        "device": device(),
    }


def predict(model: keras.Model, pictures: np.ndarray, batch: int = 128) -> np.ndarray:
    """Return logits `(n, classes)` of pictures float32 `(n, h, w, 3)` in [0, 1]."""
    return np.concatenate(
        [model.predict_on_batch(pictures[start : start + batch]) for start in range(0, len(pictures), batch)]
    )


def accuracy(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return the share of right answers with its 95 % Wilson interval and the number of pictures."""
    right, count = int((logits.argmax(-1) == labels).sum()), len(labels)
    low, high = wilson(right, count)
    return {
        "accuracy": round(right / count, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "pictures": count,
    }


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a share (Wilson 1927); z = 1.96 gives 95 %."""
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return float(middle - half), float(middle + half)


def class_table(logits: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    """Return one row for each class: pictures, recall, precision, and what it is most often taken for."""
    answers = logits.argmax(-1)
    rows = []
    for label, name in enumerate(PRETRAINING_CLASSES):
        mine = answers[labels == label]
        wrong = np.bincount(mine[mine != label], minlength=len(PRETRAINING_CLASSES))
        rows.append(
            {
                "class": name,
                "pictures": len(mine),
                "recall": _share(mine == label),
                "precision": _share(labels[answers == label] == label),
                "taken_for": PRETRAINING_CLASSES[int(wrong.argmax())] if wrong.any() else "",
            }
        )
    return rows


def _share(truths: np.ndarray) -> float:
    return round(float(truths.mean()), 4) if truths.size else 0.0


def robust_accuracy(
    model: keras.Model,
    pictures: np.ndarray,
    labels: np.ndarray,
    *,
    radii: tuple[float, ...] = RADII,
    report: Callable[[str], None] = lambda line: None,
) -> list[dict[str, float]]:
    """Return accuracy under attack for each L2 radius ([0, 1] scale): one step, and ten projected ones."""
    gradient = input_gradient(model)
    rows = []
    for radius in radii:
        right = {"one_step": 0, "ten_steps": 0}
        for start in range(0, len(labels), 128):
            clean, truth = pictures[start : start + 128], labels[start : start + 128]
            for name, attack in (("one_step", fast_gradient), ("ten_steps", projected_gradient)):
                answers = model.predict_on_batch(attack(gradient, clean, truth, radius)).argmax(-1)
                right[name] += int((answers == truth).sum())
        row = {"radius": radius, **{name: round(count / len(labels), 4) for name, count in right.items()}}
        rows.append(row)
        report(f"radius {radius}: one step {row['one_step']:.1%}, ten steps {row['ten_steps']:.1%}")
    return rows


def grad_cam(model: keras.Model, pictures: np.ndarray, classes: np.ndarray, batch: int = 128) -> np.ndarray:
    """Return Grad-CAM maps of the last convolution (after its ReLU), at that layer's own size.

    Behind that layer stand only global average pooling and one dense layer, so the gradient of a logit is
    the class's dense weights divided by the number of positions, the same everywhere: Grad-CAM is CAM here.

    Args:
        model: a drawn network.
        pictures: float32 `(n, h, w, 3)` in [0, 1].
        classes: class to explain for each picture, int `(n,)`.
        batch: pictures at a time.

    Returns:
        float32 `(n, h', w')`, not negative, in units of the logit.

    Source: Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2.
    """
    features = keras.Model(model.input, model.get_layer(LAST_CONVOLUTION).output)
    maps = np.concatenate(
        [features.predict_on_batch(pictures[start : start + batch]) for start in range(0, len(pictures), batch)]
    )
    dense = keras.ops.convert_to_numpy(model.get_layer(LOGITS_LAYER).kernel)
    alphas = dense[:, classes].T / (maps.shape[1] * maps.shape[2])
    return np.maximum(np.einsum("nhwc,nc->nhw", maps, alphas), 0)


def pointing_game(model: keras.Model, tests: TestSet) -> dict[str, Any]:
    """Return how often the highest point of Grad-CAM for the true class lies on the object.

    No tolerance is given: the highest point of the map, enlarged bilinearly to the picture's size, must lie
    on a pixel that the object covers at least half. To compare with: a random pixel and the centre pixel. For
    objects full of holes (a bicycle) it also says how often the point lies in the object's bounding box.

    Source: Zhang et al. 2016, "Top-down neural attention by excitation backprop", section 4.1.
    """
    maps = grad_cam(model, tests.pictures, tests.labels)
    side = tests.masks.shape[1]
    objects = tests.masks >= 128
    hits, boxed, overlaps = [], [], []
    for heat, inside in zip(maps, objects, strict=True):
        large = zoom(heat, side / heat.shape[0], order=1, grid_mode=True, mode="nearest")
        row, column = divmod(int(large.argmax()), large.shape[1])
        hits.append(bool(inside[row, column]))
        boxed.append(_spans(inside.any(1), row) and _spans(inside.any(0), column))
        warm = large >= CAM_THRESHOLD * large.max() if large.max() > 0 else np.zeros_like(inside)
        overlaps.append((warm & inside).sum() / max(1, (warm | inside).sum()))
    return {
        "grad_cam": round(float(np.mean(hits)), 4),
        "centre_pixel": round(float(objects[:, side // 2, side // 2].mean()), 4),
        "random_pixel": round(float(objects.mean()), 4),
        "in_box": _share(np.array(boxed)),
        "overlap": round(float(np.mean(overlaps)), 4),
        "classes": _class_shares(hits, tests.labels),
        "classes_in_box": _class_shares(boxed, tests.labels),
        "pictures": len(hits),
    }


def _spans(filled: np.ndarray, position: int) -> bool:
    return bool(filled[: position + 1].any() and filled[position:].any())


def _class_shares(truths: list[bool], labels: np.ndarray) -> dict[str, float]:
    return {name: _share(np.array(truths)[labels == i]) for i, name in enumerate(PRETRAINING_CLASSES)}


def device() -> str:
    """Return what the numbers were computed on, in words."""
    seen = device_seen()
    cores = f", {os.cpu_count()} cores" if seen.kind == "CPU" else ""
    return f"{seen.kind} ({seen.name}{cores}), Keras {keras.__version__} on {keras.backend.backend()}"
