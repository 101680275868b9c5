"""What the lesson on super-resolution has to show at its end: decibels beside those of bicubic interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.runs.lessons.super_resolution import LESSON, LOSS_SENTENCE, NETWORKS
from explorer.runs.outcome import Line, Lines, Number, Numbers, Table, Verdict

SHARPER = 1.0
"""Decibels from which on a picture counts as visibly sharper than by bicubic interpolation."""

TOO_NEAR = 0.05
"""Decibels by which two networks must differ to be told apart."""

CRISPER = 0.01
"""By so much of the truth's edges two results must differ to be told apart."""

ONE_SIGN = ("residual_relu", "residual_sigmoid")


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike pictures are to what they should be, one number each, float (n,).

    Attributes:
        psnr: in dB.
        ssim: structural similarity.
        edges: mean length of the gradient of brightness, as a share of the truth's; less than 1 is blurred.
    """

    psnr: np.ndarray
    ssim: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True, eq=False)
class Result:
    """What came of one network.

    Attributes:
        variant: its name.
        title: for people.
        network: which.
        loss: which.
        likeness: of the validation pictures.
        curve: (seconds, mean PSNR on validation) after each epoch.
        parameters: weights.
        seconds: that training took.
        complete: whether all epochs were done.
    """

    variant: str
    title: str
    network: str
    loss: str
    likeness: Likeness
    curve: tuple[tuple[float, float], ...]
    parameters: int
    seconds: float
    complete: bool = True


def likeness_of(truth: np.ndarray, pictures: np.ndarray) -> Likeness:
    """Return how alike pictures are to the truth, both uint8 (n, h, w, channels); PSNR and SSIM by scikit-image."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    pairs = list(zip(truth, pictures, strict=True))
    return Likeness(
        psnr=np.array(
            [min(100.0, peak_signal_noise_ratio(a, b, data_range=255)) if (a != b).any() else 100.0 for a, b in pairs]
        ),
        ssim=np.array(
            [
                structural_similarity(
                    a,
                    b,
                    data_range=255,
                    channel_axis=2,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                )
                for a, b in pairs
            ]
        ),
        edges=np.array([edges_of(b) / edges_of(a) if edges_of(a) else 1.0 for a, b in pairs]),
    )


def edges_of(picture: np.ndarray) -> float:
    """Return the mean length of the gradient of a picture's brightness; uint8 (h, w, channels)."""
    return float(np.hypot(*np.gradient(picture.mean(axis=-1))).mean())


def gain_of(result: Result, bicubic: Likeness) -> float:
    """Return by how many decibels a network is nearer to the truth than bicubic interpolation, on average."""
    return float((result.likeness.psnr - bicubic.psnr[: len(result.likeness.psnr)]).mean())


def verdicts(results: Sequence[Result], bicubic: Likeness) -> list[Verdict]:
    """Judge the lecture's sentence, and that about the loss where L1 and L2 were compared."""
    told = [_sharper_verdict(results, bicubic)]
    if {"l1", "l2"} <= {result.loss for result in results}:
        told.append(_loss_verdict(results))
    return told


def _sharper_verdict(results: Sequence[Result], bicubic: Likeness) -> Verdict:
    gains = _best_gains(results, bicubic)
    words = ", ".join(f"{NETWORKS[name]} {gain:+.2f} dB" for name, gain in gains.items()).replace("-", "−")
    because = (
        f"against bicubic interpolation ({bicubic.psnr.mean():.2f} dB): {words}" if gains else "nothing was finished"
    )
    if not all(result.complete for result in results):
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"it was stopped before its end; {because}.")
    right = [gains[name] for name in ("residual", "residual_tanh") if name in gains]
    wrong = [gains[name] for name in ONE_SIGN if name in gains]
    if not right:
        return Verdict(
            sentence=LESSON.sentence, holds=None, because=f"{because}; no residual of both signs was trained."
        )
    holds: bool | None = max(right) >= SHARPER and all(gain < max(right) for gain in wrong)
    if max(right) >= SHARPER and any(abs(gain - max(right)) < TOO_NEAR for gain in wrong):
        because += f"; less than {TOO_NEAR:g} dB apart is too near to tell"
        return Verdict(sentence=LESSON.sentence, holds=None, because=f"{because}.")
    if not wrong:
        because += "; a residual of one sign was not trained beside it"
        holds = None if holds else False
    return Verdict(sentence=LESSON.sentence, holds=holds, because=f"{because}.")


def _loss_verdict(results: Sequence[Result]) -> Verdict:
    found = {(result.network, result.loss): float(result.likeness.edges.mean()) for result in results}
    both = [name for name in NETWORKS if (name, "l1") in found and (name, "l2") in found]
    words = "; ".join(
        f"{NETWORKS[name]}: edges after L1 {found[name, 'l1']:.1%}, after L2 {found[name, 'l2']:.1%} of the truth's"
        for name in both
    )
    if not both or not all(result.complete for result in results):
        why = "the same network was not trained to its end with both"
        return Verdict(sentence=LOSS_SENTENCE, holds=None, because=f"{words}; {why}." if words else f"{why}.")
    differences = [found[name, "l1"] - found[name, "l2"] for name in both]
    if any(difference <= -CRISPER for difference in differences):
        return Verdict(sentence=LOSS_SENTENCE, holds=False, because=f"{words}.")
    if any(difference < CRISPER for difference in differences):
        why = f"less than {CRISPER:.0%} apart is too near to tell"
        return Verdict(sentence=LOSS_SENTENCE, holds=None, because=f"{words}; {why}.")
    return Verdict(sentence=LOSS_SENTENCE, holds=True, because=f"{words}.")


def _best_gains(results: Sequence[Result], bicubic: Likeness) -> dict[str, float]:
    gains: dict[str, float] = {}
    for result in results:
        gains[result.network] = max(gains.get(result.network, -np.inf), gain_of(result, bicubic))
    return gains


def items(results: Sequence[Result], bicubic: Likeness, notes: Sequence[str] = ()) -> list[Any]:
    """Return everything to show but pictures, the verdict first.

    Args:
        results: of all networks so far.
        bicubic: of the validation pictures, enlarged without a network.
        notes: sentences about the data.
    """
    shown: list[Any] = list(verdicts(results, bicubic))
    if not results:
        return shown
    rows = [Number(label="bicubic", value=float(bicubic.psnr.mean()), unit="dB", note="PSNR", baseline=True)]
    for result in results:
        gain = f"{gain_of(result, bicubic):+.2f} dB".replace("-", "−")
        rows.append(Number(label=result.title, value=float(result.likeness.psnr.mean()), unit="dB", note=gain))
    shown.append(Numbers(title="Likeness to the true picture, mean of unseen pictures", rows=tuple(rows)))
    shown.append(_curves(results, bicubic))
    shown.append(_table(results, bicubic, notes))
    return shown


def _curves(results: Sequence[Result], bicubic: Likeness) -> Lines:
    lines = [
        Line(
            name=result.title,
            x=tuple(seconds for seconds, _ in result.curve),
            y=tuple(value for _, value in result.curve),
            points=True,
        )
        for result in results
        if result.curve
    ]
    last = max((seconds for result in results for seconds, _ in result.curve), default=1.0)
    level = float(bicubic.psnr.mean())
    lines.append(Line(name="bicubic", x=(0.0, last), y=(level, level), role="truth", dashed=True))
    return Lines(
        title="PSNR on unseen pictures against time",
        x_title="seconds of training",
        y_title="PSNR in dB",
        lines=tuple(lines),
        note="Each network's clock starts at 0.",
    )


def _table(results: Sequence[Result], bicubic: Likeness, notes: Sequence[str]) -> Table:
    rows: list[tuple[Any, ...]] = [
        (
            "bicubic",
            float(bicubic.psnr.mean()),
            float(bicubic.ssim.mean()),
            0.0,
            None,
            f"{100 * bicubic.edges.mean():.1f} %",
            None,
            None,
        )
    ]
    for result in results:
        better = result.likeness.psnr > bicubic.psnr[: len(result.likeness.psnr)]
        rows.append(
            (
                result.title,
                float(result.likeness.psnr.mean()),
                float(result.likeness.ssim.mean()),
                gain_of(result, bicubic),
                f"{100 * better.mean():.0f} %",
                f"{100 * result.likeness.edges.mean():.1f} %",
                f"{result.parameters:,}",
                round(result.seconds, 1),
            )
        )
    lit = [(max(range(len(rows)), key=lambda row: rows[row][column]), column) for column in (1, 2)]
    return Table(
        title="Likeness to the true picture",
        columns=("method", "PSNR in dB", "SSIM", "gain in dB", "pictures that gain", "edges", "weights", "seconds"),
        rows=tuple(rows),
        lit=tuple(lit),
        note=" ".join(
            [
                f"Judged by {len(bicubic.psnr):,} pictures that were never learnt from. Edges: mean length of the "
                "gradient of brightness, as a share of the truth's; less is blurred.",
                *notes,
            ]
        ),
    )
