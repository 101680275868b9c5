"""What a run's networks make of a visitor's picture: which can be asked, and their answers as plain arrays.

    applicable.json     what each lesson that gives pictures says of its models

Classifiers say the same in `network.json`, see `explorer.runs.trained`. Nothing here knows Keras.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from explorer.runs.folder import MODEL, replace
from explorer.runs.trained import LARGEST, VARIANT, file_of, read_models

APPLICABLE = "applicable.json"

What = Literal["classifies", "segments", "enlarges", "reconstructs"]


class Applicable(BaseModel):
    """A model of a run that a picture can be handed to.

    Attributes:
        variant: tells it from the run's other models; "" for the first.
        file: its name in the run's folder.
        title: what a visitor reads; "" for the only one.
        what: "classifies" a picture, "segments" it (a class for each pixel), "enlarges" it, or "reconstructs" it.
        classes: names; for "segments" those of the classes of pixels, the first being the background.
        side: of the pictures that it has learnt from, (height, width).
        channels: of its input, 1 or 3.
        scale: by how much it enlarges.
        multiple: the sides of its input are multiples of this; 0 where they are exactly `side`.
        noise: standard deviation of the noise that it has learnt to take away.
    """

    model_config = ConfigDict(frozen=True)

    variant: str = Field(default="", pattern=rf"^(?:{VARIANT})?$")
    file: str = MODEL
    title: str = Field(default="", max_length=120)
    what: What
    classes: tuple[str, ...] = Field(default=(), max_length=10_000)
    side: tuple[int, int]
    channels: Literal[1, 3] = 3
    scale: int = Field(default=1, ge=1, le=8)
    multiple: int = Field(default=0, ge=0, le=64)
    noise: float = Field(default=0.0, ge=0.0, le=1.0)

    @field_validator("file")
    @classmethod
    def _is_its_own(cls, file: str, info: ValidationInfo) -> str:
        if file != file_of(info.data.get("variant", "")):
            raise ValueError("the file is that of another variant")
        return file

    @field_validator("side")
    @classmethod
    def _is_a_picture(cls, side: tuple[int, int]) -> tuple[int, int]:
        if not all(1 <= each <= 4096 for each in side):
            raise ValueError("no picture has this size")
        return side


class _All(BaseModel):
    models: tuple[Applicable, ...] = ()


def write_applicable(folder: Path, model: Applicable) -> None:
    """Say what a saved model makes of pictures, in the place of what was said about this variant.

    Raises:
        OSError: if the disk is full.
    """
    others = [each for each in _read(folder) if each.variant != model.variant]
    said = _All(models=(*others, model))
    replace(folder / APPLICABLE, json.dumps(said.model_dump(), indent=1).encode())


def read_applicable(folder: Path) -> tuple[Applicable, ...]:
    """Return the models of a run that a picture can be handed to, and whose file is there by now."""
    classifiers = (
        Applicable(
            variant=model.variant,
            file=model.file,
            title=model.title,
            what="classifies",
            classes=model.classes,
            side=model.input_size,
            channels=model.channels,
        )
        for model in read_models(folder).models
    )
    return tuple(each for each in (*_read(folder), *classifiers) if (folder / each.file).is_file())


def _read(folder: Path) -> tuple[Applicable, ...]:
    try:
        with open(folder / APPLICABLE, "rb") as stream:
            return _All.model_validate_json(stream.read(LARGEST)).models
    except (OSError, ValueError):
        return ()


@dataclass(frozen=True, eq=False)
class Applied:
    """What a network makes of a picture.

    Attributes:
        what: see `Applicable`.
        title: of the model.
        shown: uint8 (h, w, 3), what the network was given, at the size at which it is to be looked at: for "enlarges"
            each pixel of the small picture as a square.
        answer: uint8 (h, w, 3) of the same size, what it made of it; None for "classifies".
        truth: uint8 (h, w, 3) of the same size, what would be right where that is known (the picture itself).
        compared: uint8 (h, w, 3), what is there without a network, for "enlarges" bicubic interpolation.
        classes: names.
        mask: uint8 (h, w), class of each pixel, for "segments".
        shares: float (classes,), for "segments" the share of pixels of each class, for "classifies" its probability.
        colours: uint8 (classes, 3), for "segments" the colour of each class in `answer`.
        numbers: what can be measured, by name with its unit: "PSNR in dB", …
        notes: sentences about what was done to the picture.
    """

    what: What
    title: str
    shown: np.ndarray
    answer: np.ndarray | None = None
    truth: np.ndarray | None = None
    compared: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    mask: np.ndarray | None = None
    shares: np.ndarray | None = None
    colours: np.ndarray | None = None
    numbers: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
