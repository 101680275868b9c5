"""The networks that runs have trained, as the catalogue has them: what each run says about its own in `network.json`.

{"models": [{"file": "model.keras", "title": "From scratch", "variant": "", "classes": ["cat", "fish"],
             "input_size": [32, 32], "channels": 3, "preprocessing": "zero_one", "parameters": 1234}],
 "needs": ["explorer.runs.layers"]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry, WeightsFile
from explorer.networks.work_context import SentenceError
from explorer.runs.folder import MODEL, path_of, read_config, replace
from explorer.runs.record import FINAL, ID, Config, Run
from explorer.settings import get_settings

NETWORK = "network.json"

VARIANT = r"[a-z0-9][a-z0-9_-]{0,39}"

LARGEST = 1_000_000

PREFIX = catalogue.RUN_PREFIX
FAMILY = "Your runs"
BUILDER = "explorer.runs.opening:open_model"

NO_SUCH_NETWORK = "There is no such network; its run may have been deleted."

_NAME = re.compile(rf"{PREFIX}(?P<id>{ID.pattern})(?:-(?P<variant>{VARIANT}))?")
_LONGEST_TITLE = 60


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

    variant: str = Field(default="", pattern=rf"^(?:{VARIANT})?$")
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


def name_of(run_id: str, variant: str = "") -> str:
    """Return the name in the catalogue of a network that a run has trained."""
    return f"{PREFIX}{run_id}-{variant}" if variant else f"{PREFIX}{run_id}"


def is_name(name: str) -> bool:
    """Tell whether a name is that of a network which a run could have trained."""
    return _NAME.fullmatch(name) is not None


def networks_of(run: Run) -> tuple[NetworkEntry, ...]:
    """Return the networks of a run that has ended, however it did; those whose file is there."""
    if run.state not in FINAL:
        return ()
    models = _kept_models(run.folder).models
    return tuple(entry_of(run.config, run.folder, model) for model in models if (run.folder / model.file).is_file())


def entry_of(config: Config, folder: Path, model: TrainedModel) -> NetworkEntry:
    """Return what the catalogue says about a network that a run has trained."""
    title = title_of(config)
    told = _shortened(model.title or model.variant)
    return NetworkEntry(
        name=name_of(config.id, model.variant),
        title=f"{title} · {told}" if told else title,
        family=FAMILY,
        input_size=model.input_size,
        preprocessing=model.preprocessing,
        class_names=model.classes,
        parameters=model.parameters,
        weights=WeightsFile("model", model.file, None, round(4 * model.parameters / 1e6, 1), None, folder),
        note=f"Trained here: {len(model.classes)} classes.",
    )


def title_of(config: Config) -> str:
    """Return what a run is called where its networks are listed."""
    return _shortened(config.title) or config.task.replace("_", " ").capitalize()


def _shortened(text: str) -> str:
    """Return a visitor's words without what Markdown would read as its own."""
    words = " ".join(re.sub(r"[*_`$\[\]<>|\\]", " ", text).split())
    return words if len(words) <= _LONGEST_TITLE else f"{words[: _LONGEST_TITLE - 1].rstrip()}…"


@lru_cache(maxsize=2048)
def _models_at(folder: Path, _signature: tuple[int, int, int]) -> TrainedModels:
    return read_models(folder)


def _kept_models(folder: Path) -> TrainedModels:
    """Return what a run says about its models, read again only when it has said something else."""
    try:
        stat = (folder / NETWORK).stat()
    except OSError:
        return TrainedModels()
    return _models_at(folder, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


def described(name: str) -> tuple[Config, Path, TrainedModel, tuple[str, ...]]:
    """Return the config and the folder of the run that trained a network, what is said of it, and what it needs.

    Raises:
        SentenceError: if there is none of this name.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise SentenceError(NO_SUCH_NETWORK)
    folder = path_of(get_settings().runs_folder, found["id"])
    said = _kept_models(folder)
    model = next((each for each in said.models if each.variant == (found["variant"] or "")), None)
    if model is None or not (folder / model.file).is_file():
        raise SentenceError(NO_SUCH_NETWORK)
    try:
        return read_config(folder), folder, model, said.needs
    except (OSError, ValueError):
        raise SentenceError(NO_SUCH_NETWORK) from None


def resolve(name: str) -> tuple[NetworkEntry, str]:
    """Return a network that a run has trained, for the catalogue; who may see it is decided where it is chosen.

    Raises:
        SentenceError: if there is none of this name.
    """
    config, folder, model, _ = described(name)
    return entry_of(config, folder, model), BUILDER
