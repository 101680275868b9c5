"""The networks that runs have trained: what each run says about its own, in `network.json`.

{"models": [{"file": "model.keras", "title": "From scratch", "variant": "", "classes": ["cat", "fish"],
             "input_size": [32, 32], "channels": 3, "preprocessing": "zero_one", "parameters": 1234}],
 "needs": ["explorer.runs.layers"]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from explorer.runs.folder import MODEL, replace

NETWORK = "network.json"

VARIANT = r"(?:[a-z0-9][a-z0-9_-]{0,39})?"

LARGEST = 1_000_000


def file_of(variant: str = "") -> str:
    """Return the name of the file that holds a variant of a run's model; "" is the run's only or first one."""
    return f"model-{variant}.keras" if variant else MODEL


class TrainedModel(BaseModel):
    """What a run says about one of its models, whose outputs are logits.

    Attributes:
        file: its name in the run's folder.
        title: what a visitor reads beside the run's title; "" for the only one.
        variant: tells it from the run's other models; "" for the first.
        classes: names of the outputs, in order.
        input_size: (height, width).
        channels: 1 or 3.
        preprocessing: how pixels become input, see `explorer.networks.preprocessing.prepare`.
        parameters: number of weights.
    """

    model_config = ConfigDict(frozen=True)

    variant: str = Field(default="", pattern=rf"^{VARIANT}$")
    file: str = MODEL
    title: str = Field(default="", max_length=120)
    classes: tuple[str, ...] = Field(min_length=2, max_length=10_000)
    input_size: tuple[int, int]
    channels: Literal[1, 3] = 3
    preprocessing: Literal["zero_one", "tf", "caffe", "torch", "included"] = "zero_one"
    parameters: int = Field(default=0, ge=0)

    @field_validator("file")
    @classmethod
    def _is_its_own(cls, file: str, info: ValidationInfo) -> str:
        if file != file_of(info.data.get("variant", "")):
            raise ValueError("the file is that of another variant")
        return file

    @field_validator("input_size")
    @classmethod
    def _is_a_picture(cls, size: tuple[int, int]) -> tuple[int, int]:
        if not all(1 <= side <= 4096 for side in size):
            raise ValueError("no picture has this size")
        return size


class TrainedModels(BaseModel):
    """What a run says about all its models.

    Attributes:
        models: one for each file.
        needs: modules of this project that define what the models are made of; they are imported before loading.
    """

    model_config = ConfigDict(frozen=True)

    models: tuple[TrainedModel, ...] = ()
    needs: tuple[str, ...] = ()


def read_models(folder: Path) -> TrainedModels:
    """Return what a run says about its models; nothing where there are none, or where it makes no sense."""
    try:
        with open(folder / NETWORK, "rb") as stream:
            return TrainedModels.model_validate_json(stream.read(LARGEST))
    except (OSError, ValueError):
        return TrainedModels()


def write_model(folder: Path, model: TrainedModel, needs: Iterable[str] = ()) -> None:
    """Say something about a model, in the place of what was said about this variant.

    Raises:
        OSError: if the disk is full.
    """
    before = read_models(folder)
    others = [each for each in before.models if each.variant != model.variant]
    said = TrainedModels(models=(*others, model), needs=tuple(dict.fromkeys([*before.needs, *needs])))
    replace(folder / NETWORK, json.dumps(said.model_dump(), indent=1).encode())
