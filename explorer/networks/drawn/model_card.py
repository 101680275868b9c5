"""The model card of a bundled network: its recipe, how training went, what it can and cannot do."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from explorer.networks.drawn.weights import write_whole

CARDS_FOLDER = Path(__file__).parent / "cards"
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#767676"


def write_card(
    folder: Path,
    *,
    kind: str,
    recipe: dict[str, Any],
    history: list[dict[str, float]],
    training: dict[str, Any],
    figures: dict[str, Any],
    stem: np.ndarray,
) -> None:
    """Write a card as Markdown and JSON, with its curves (SVG) and its stem's filters (PNG) beside it.

    Args:
        folder: where the four files go.
        kind: "plain" or "robust".
        recipe: the recipe's values.
        history: rows of the training run.
        training: seconds and device of the training run, and other plain values.
        figures: what `explorer.networks.drawn.evaluation.evaluate` returned.
        stem: kernel of the first convolution `(7, 7, 3, filters)`.
    """
    card = {"kind": kind, "recipe": recipe, "training": training, "figures": figures, "history": history}
    write_whole(folder / f"{kind}.json", (json.dumps(card, indent=1) + "\n").encode())
    write_whole(folder / f"{kind}.md", markdown(card).encode())
    write_whole(folder / f"{kind}_curves.svg", curves(history, recipe).encode())
    write_whole(folder / f"{kind}_stem.png", stem_picture(stem))


def read_card(kind: str, folder: Path = CARDS_FOLDER) -> dict[str, Any]:
    """Return a bundled card: keys kind, recipe, training, figures, history.

    Raises:
        FileNotFoundError: if there is none.
    """
    return json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))


def update_figures(kind: str, figures: dict[str, Any], folder: Path = CARDS_FOLDER) -> None:
    """Put newly measured figures into a card that exists already."""
    card = {**read_card(kind, folder), "figures": figures}
    write_whole(folder / f"{kind}.json", (json.dumps(card, indent=1) + "\n").encode())
    write_whole(folder / f"{kind}.md", markdown(card).encode())


def markdown(card: dict[str, Any]) -> str:
    """Return the card as Markdown."""
    kind, recipe, training, figures = card["kind"], card["recipe"], card["training"], card["figures"]
    parts = [
        f"# drawn_{kind}",
        _purpose(kind),
        f"![Training curves]({kind}_curves.svg)",
        f"![Filters of the stem]({kind}_stem.png)",
        "## What it can do",
        *_ability(figures),
        "## Class by class",
        _class_by_class(figures),
        "The last two columns are the pointing game again: the hottest point on the object, and within its "
        "bounding box. A bicycle and a flower on its stalk leave much of their box empty.",
        "## How it was made",
        *_making(recipe, training, figures),
        "## What it cannot do",
        "It knows a cartoon world. On photographs its answers mean nothing, and it has no way to say so: "
        "whatever it is shown, it names one of its twelve classes.",
        f"Made again by `python -m explorer.networks.drawn.train {kind}`, measured again by "
        f"`python -m explorer.networks.drawn.evaluate {kind}`.",
    ]
    return "\n\n".join(parts) + "\n"


def _purpose(kind: str) -> str:
    classes = "cat, fish, flower, house, tree, car, sun, star, butterfly, bicycle, clock, heart"
    common = f"A convolutional network for 96×96 pictures of the drawn world with twelve classes ({classes})."
    if kind == "plain":
        return f"{common} It comes with the app, so that there is something to look into without internet."
    return (
        f"{common} It has drawn_plain's architecture and was trained further on adversarial pictures: each "
        "training picture is first moved a little in the direction that hurts most."
    )


def _ability(figures: dict[str, Any]) -> list[str]:
    unseen, familiar = figures["unseen_backgrounds"], figures["training_backgrounds"]
    pointing, robust = figures["pointing_game"], figures["robust_accuracy"]
    return [
        _table(
            ["pictures", "accuracy", "95 % interval", "number"],
            [
                ["unseen seed, unseen backgrounds", *_share_cells(unseen)],
                ["unseen seed, training backgrounds", *_share_cells(familiar)],
            ],
        ),
        "Pointing game: how often the hottest point of Grad-CAM on the last convolution lies on the object "
        f"(true class, {pointing['pictures']:,} pictures with unseen backgrounds, no tolerance).",
        _table(
            ["Grad-CAM", "centre pixel", "random pixel", "overlap (IoU at 0.3 of the maximum)"],
            [[f"{pointing[key]:.3f}" for key in ("grad_cam", "centre_pixel", "random_pixel", "overlap")]],
        ),
        "Accuracy on pictures moved by at most the radius (L2 norm, pixel values in [0, 1]), the first "
        f"{robust['pictures']:,} with unseen backgrounds:",
        _table(
            ["radius", "one step", "ten steps (PGD)"],
            [[f"{row['radius']:.2f}", _percent(row["one_step"]), _percent(row["ten_steps"])] for row in robust["rows"]],
        ),
    ]


def _class_by_class(figures: dict[str, Any]) -> str:
    return _table(
        ["class", "pictures", "recall", "precision", "most often taken for", "on the object", "in its box"],
        [
            [
                row["class"],
                str(row["pictures"]),
                _percent(row["recall"]),
                _percent(row["precision"]),
                row["taken_for"] or "—",
                f"{figures['pointing_game']['classes'][row['class']]:.2f}",
                f"{figures['pointing_game']['classes_in_box'][row['class']]:.2f}",
            ]
            for row in figures["classes"]
        ],
    )


def _making(recipe: dict[str, Any], training: dict[str, Any], figures: dict[str, Any]) -> list[str]:
    story = (
        f"{recipe['pictures']:,} pictures with training backgrounds (seed {recipe['seed']}), seen "
        f"{recipe['epochs']} times, each time flipped, shifted by up to 8 pixels, and changed in contrast, "
        "brightness, saturation and colour balance. AdamW with linear warm-up and a cosine down to 0; "
        "cross-entropy with label smoothing; a penalty on rough stem filters."
    )
    if recipe["start"]:
        story += f" It starts from the weights of {recipe['start']}."
    if recipe["radius"]:
        story += (
            f" Every training picture is moved by one normalised gradient step of L2 length "
            f"{recipe['radius']} (growing from 0 in the first {recipe['ramp']:.0%} of the steps)."
        )
    return [
        f"{story} Computed in {training['precision']}.",
        _table(["setting", "value"], [[key, str(value)] for key, value in recipe.items()]),
        f"{figures['parameters']:,} parameters, stored as float16 ({figures['file_megabytes']} MB). Roughness "
        f"of the stem's filters (‖∇k‖²/‖k‖², about 4 for noise): {figures['stem_roughness']}. Accuracy on "
        f"unseen backgrounds before rounding to float16: {_percent(training['accuracy_before_rounding'])}.",
        f"Training took {training['seconds'] / 60:.0f} minutes on {training['device']}; the figures took "
        f"{figures['seconds'] / 60:.0f} minutes on {figures['device']}.",
    ]


def _share_cells(share: dict[str, Any]) -> list[str]:
    return [
        _percent(share["accuracy"]),
        f"{_percent(share['low'])} to {_percent(share['high'])}",
        f"{share['pictures']:,}",
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)])


def curves(history: list[dict[str, float]], recipe: dict[str, Any]) -> str:
    """Return training accuracy and validation accuracy against epochs as an SVG picture."""
    width, height, left, top = 640, 280, 52, 34
    right, bottom = width - 16, height - 40
    steps_per_epoch = recipe["pictures"] // recipe["batch"]
    end = max(recipe["epochs"], 1)
    lowest = 0.5 if min((row["accuracy"] for row in history), default=0.0) >= 0.5 else 0.0

    def point(row: dict[str, float], key: str) -> str:
        x = left + (right - left) * row["step"] / steps_per_epoch / end
        y = bottom - (bottom - top) * (row[key] - lowest) / (1 - lowest)
        return f"{x:.1f},{y:.1f}"

    validated = [row for row in history if "validation_accuracy" in row]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for tick in np.linspace(lowest, 1, 6):
        y = bottom - (bottom - top) * (tick - lowest) / (1 - lowest)
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e0e0e0"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{100 * tick:.0f} %</text>')
    for epoch in range(end + 1):
        x = left + (right - left) * epoch / end
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{epoch}</text>')
    parts.append(f'<text x="{(left + right) / 2:.0f}" y="{height - 6}" text-anchor="middle">epoch</text>')
    parts.append(_line([point(row, "accuracy") for row in history], _BLUE))
    parts.append(_line([point(row, "validation_accuracy") for row in validated], _ORANGE))
    parts += [
        f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3" fill="{_ORANGE}"/>'
        for p in (point(row, "validation_accuracy") for row in validated)
    ]
    seen = "adversarial training pictures" if recipe["radius"] else "training pictures (shaken)"
    parts.append(f'<text x="{left}" y="20" fill="{_BLUE}">{seen}</text>')
    parts.append(f'<text x="{left + 230}" y="20" fill="{_ORANGE}">clean pictures, unseen backgrounds</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(points: list[str], colour: str) -> str:
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def stem_picture(kernel: np.ndarray, *, enlarge: int = 10, columns: int = 8) -> bytes:
    """Return the filters of the first convolution as a PNG: 0 is middle grey, one scale for all filters.

    Args:
        kernel: `(height, width, 3, filters)`.
        enlarge: screen pixels for each weight.
        columns: filters in one row.
    """
    height, width, _, filters = kernel.shape
    scale = float(np.abs(kernel).max()) or 1.0
    tiles = np.round(127.5 + 127.5 * kernel / scale).astype(np.uint8)
    rows = -(-filters // columns)
    sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, 3), 255, np.uint8)
    for i in range(filters):
        top, left = 1 + i // columns * (height + 1), 1 + i % columns * (width + 1)
        sheet[top : top + height, left : left + width] = tiles[..., i]
    file = io.BytesIO()
    size = (sheet.shape[1] * enlarge, sheet.shape[0] * enlarge)
    Image.fromarray(sheet).resize(size, Image.Resampling.NEAREST).save(file, "PNG", optimize=True)
    return file.getvalue()
