"""What a run has to show, as data that any page can draw: moments while it learns, and the outcome at its end.

    moments.jsonl   one line a moment: epoch, variant, and one item
    outcome.json    the items in the order in which they are read; replaced as a whole
    probe.npz       the fixed pictures that moments of kind `guesses` are about
    predictions-<variant>.npz and validation.npz    what stands behind a table of confusions

Items name files in the run's folder by their plain name. Nothing here knows Keras.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from explorer.runs.folder import PREVIEWS, replace
from explorer.runs.metrics import read_metrics

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from explorer.runs.context import RunContext

MOMENTS, OUTCOME, PROBE, VALIDATION = "moments.jsonl", "outcome.json", "probe.npz", "validation.npz"
LARGEST_FILE = 64_000_000
MOST_KEPT_PICTURES = 600
"""Validation pictures that a run keeps for its table of confusions."""

_FILE = re.compile(r"(previews/)?[a-z0-9_][a-z0-9_.-]{0,80}")

Cell = str | float | int | None


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Verdict(_Item):
    """The lesson's sentence, and whether this run's numbers bear it out.

    Attributes:
        sentence: what the lecture says.
        holds: None where the run cannot tell, for example because it was stopped.
        because: the numbers that decide, in words: "frozen .64, from scratch .28".
    """

    kind: Literal["verdict"] = "verdict"
    sentence: str
    holds: bool | None
    because: str


class Number(_Item):
    """One number with its unit; `digits` after the point.

    Attributes:
        baseline: whether it is what networks are measured against, and none of their own.
    """

    label: str
    value: float
    unit: str = ""
    digits: int = 2
    note: str = ""
    baseline: bool = False


class Numbers(_Item):
    """The few numbers that one looks at first."""

    kind: Literal["numbers"] = "numbers"
    title: str = ""
    rows: tuple[Number, ...]


class Table(_Item):
    """A table.

    Attributes:
        columns: their headings; the first column names the row.
        rows: as many cells each.
        digits: after the point, for numbers.
        column_digits: the same for single columns, by their heading; seconds have one.
        lit: (row, column) of the cells that matter here, counted from 0.
    """

    kind: Literal["table"] = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    digits: int = 3
    column_digits: dict[str, int] = {"seconds": 1}
    lit: tuple[tuple[int, int], ...] = ()
    note: str = ""


class Line(_Item):
    """One curve.

    Attributes:
        name: in the legend.
        x: positions.
        y: values; None leaves a gap.
        role: which hue it takes: that of a quantity of the app, "truth" for neutral ink, or "series" for the next
            colour of the theme's row.
        dashed: whether it is a comparison only.
        points: whether the positions are marked.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    role: Literal["series", "truth", "input", "weight", "activation", "attribution", "highlight"] = "series"
    dashed: bool = False
    points: bool = False


class Lines(_Item):
    """A chart of curves, or of bars side by side where `bars` names the positions."""

    kind: Literal["lines"] = "lines"
    title: str
    x_title: str = ""
    y_title: str = ""
    lines: tuple[Line, ...]
    logarithmic_x: bool = False
    logarithmic_y: bool = False
    bars: tuple[str, ...] = ()
    note: str = ""


class Shown(_Item):
    """A picture of the run's folder, with what it shows."""

    file: str
    caption: str = ""

    _plain = field_validator("file")(lambda cls, value: _checked_file(value))


class Pictures(_Item):
    """Pictures side by side."""

    kind: Literal["pictures"] = "pictures"
    title: str
    pictures: tuple[Shown, ...]
    note: str = ""


class Guesses(_Item):
    """What a classifier says of the probe pictures: for each the probability of each class."""

    kind: Literal["guesses"] = "guesses"
    title: str = ""
    probabilities: tuple[tuple[float, ...], ...]


class Confusion(_Item):
    """How often which class was taken for which; rows are the truth.

    Attributes:
        variant: whose; the file of its predictions is `predictions-<variant>.npz`.
        classes: their names.
        matrix: counts, (truth, answer).
    """

    kind: Literal["confusion"] = "confusion"
    title: str = ""
    variant: str = ""
    classes: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


Item = Annotated[
    Verdict | Numbers | Table | Lines | Pictures | Guesses | Confusion,
    Field(discriminator="kind"),
]
_ITEM: TypeAdapter[Any] = TypeAdapter(Item)
_ITEMS: TypeAdapter[Any] = TypeAdapter(list[Item])


class Moment(_Item):
    """What a run had to show after an epoch."""

    epoch: int
    variant: str = ""
    item: Item


def _checked_file(name: str) -> str:
    if not _FILE.fullmatch(name) or ".." in name:
        raise ValueError(f"{name!r} is no plain name of a file")
    return name


# --- writing, in the run's process ---


def write_outcome(context: RunContext, items: Sequence[Any]) -> None:
    """Write what there is to show at the end; a run may do so several times, the last one stands."""
    replace(context.folder / OUTCOME, json.dumps([item.model_dump() for item in items]).encode())


def add_moment(context: RunContext, epoch: int, item: Any, variant: str = "") -> None:
    """Append what there is to show after an epoch."""
    line = Moment(epoch=epoch, variant=variant, item=item).model_dump_json() + "\n"
    with open(context.folder / MOMENTS, "ab") as stream:
        stream.write(line.encode())


def add_picture(
    context: RunContext, epoch: int, picture: np.ndarray | Image.Image, caption: str, variant: str = "", title: str = ""
) -> None:
    """Append a picture as a moment; see `RunContext.preview` for what a picture may be."""
    path = context.preview(picture)
    shown = Shown(file=f"{PREVIEWS}/{path.name}", caption=caption)
    add_moment(context, epoch, Pictures(title=title, pictures=(shown,)), variant)


def write_probe(
    context: RunContext, pixels: np.ndarray, classes: Sequence[str], truth: Sequence[int], names: Sequence[str] = ()
) -> None:
    """Write the fixed pictures that every epoch's `Guesses` are about.

    Args:
        context: the run's.
        pixels: uint8 (n, h, w, c).
        classes: names of the classes.
        truth: class of each picture.
        names: what each picture is, such as "drawn:boat:12".
    """
    import numpy as np

    _write_arrays(
        context.folder / PROBE,
        pixels=np.asarray(pixels, np.uint8),
        truth=np.asarray(truth, np.int64),
        classes=np.asarray(list(classes), str),
        names=np.asarray(list(names) or [""] * len(pixels), str),
    )


def write_validation(
    context: RunContext, pixels: np.ndarray, truth: Sequence[int], classes: Sequence[str], names: Sequence[str] = ()
) -> int:
    """Keep validation pictures behind the tables of confusions; return how many were kept, the first ones.

    Args:
        context: the run's.
        pixels: uint8 (n, h, w, c).
        truth: class of each.
        classes: names of the classes.
        names: what each picture is.
    """
    import numpy as np

    kept = min(len(pixels), MOST_KEPT_PICTURES)
    _write_arrays(
        context.folder / VALIDATION,
        pixels=np.asarray(pixels[:kept], np.uint8),
        truth=np.asarray(truth[:kept], np.int64),
        classes=np.asarray(list(classes), str),
        names=np.asarray(list(names[:kept]) or [""] * kept, str),
    )
    return kept


def write_predictions(context: RunContext, probabilities: np.ndarray, variant: str = "") -> None:
    """Keep what a network says of all validation pictures.

    Args:
        context: the run's.
        probabilities: (n, classes), in the order of the validation pictures.
        variant: whose.
    """
    import numpy as np

    _write_arrays(context.folder / predictions_file(variant), probabilities=np.asarray(probabilities, np.float32))


def predictions_file(variant: str = "") -> str:
    """Return the name of the file with a variant's predictions."""
    return _checked_file(f"predictions-{variant}.npz" if variant else "predictions.npz")


def confusion_of(
    truth: np.ndarray, answers: np.ndarray, classes: Sequence[str], variant: str = "", title: str = ""
) -> Confusion:
    """Return the table of confusions of answers (n,) to pictures of classes truth (n,)."""
    from sklearn.metrics import confusion_matrix

    matrix = confusion_matrix(truth, answers, labels=range(len(classes)))
    return Confusion(
        title=title,
        variant=variant,
        classes=tuple(classes),
        matrix=tuple(tuple(int(count) for count in row) for row in matrix),
    )


def _write_arrays(path: Path, **arrays: np.ndarray) -> None:
    import numpy as np

    target = io.BytesIO()
    np.savez_compressed(target, allow_pickle=False, **arrays)
    replace(path, target.getvalue())


# --- reading, by whoever may see the run ---


def read_outcome(folder: Path) -> list[Any]:
    """Return the items of a run, none where there are none yet or the file makes no sense."""
    try:
        path = folder / OUTCOME
        return _ITEMS.validate_json(path.read_bytes()) if path.stat().st_size <= LARGEST_FILE else []
    except (OSError, ValueError):
        return []


def read_moments(folder: Path, offset: int = 0) -> tuple[list[Moment], int]:
    """Return the moments from a byte offset on, and the offset to read on from; see `read_metrics`."""
    read = read_metrics(folder / MOMENTS, offset)
    moments = []
    for row in read.rows:
        try:
            moments.append(Moment.model_validate(row))
        except ValueError:
            continue
    return moments, read.offset


def read_arrays(folder: Path, name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a file of the run, none where it is missing or makes no sense.

    Args:
        folder: the run's.
        name: `PROBE`, `VALIDATION` or `predictions_file(variant)`.
    """
    import zipfile

    import numpy as np

    try:
        path = folder / _checked_file(name)
        if path.stat().st_size > LARGEST_FILE:
            return {}
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def picture_file(folder: Path, shown: Shown) -> Path | None:
    """Return the file of a picture, or None where it is gone or is none of this folder's own."""
    path = folder / shown.file
    return path if path.is_file() and not path.is_symlink() else None
