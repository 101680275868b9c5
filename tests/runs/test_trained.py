"""What a run says about the networks that it has trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.runs.context import RunContext
from explorer.runs.record import Run
from explorer.runs.trained import NETWORK, TrainedModels, read_models

Queue = Callable[..., Run]


def test_a_run_describes_its_models_one_by_one_and_the_last_word_counts(queue: Queue) -> None:
    run = queue()
    context = RunContext(run.folder, run.config)
    context.describe_model(classes=["cat", "fish"], input_size=(32, 48), parameters=7)
    context.describe_model(classes=["a", "b", "c"], input_size=(8, 8), channels=1, variant="fine-tuned", title="old")
    context.describe_model(
        classes=["a", "b", "c"],
        input_size=(8, 8),
        channels=1,
        variant="fine-tuned",
        title="fine-tuned",
        needs=["explorer.runs.layers"],
    )
    context.close()
    assert json.loads((run.folder / NETWORK).read_text()) == {
        "models": [
            {
                "variant": "",
                "file": "model.keras",
                "title": "",
                "classes": ["cat", "fish"],
                "input_size": [32, 48],
                "channels": 3,
                "preprocessing": "zero_one",
                "parameters": 7,
            },
            {
                "variant": "fine-tuned",
                "file": "model-fine-tuned.keras",
                "title": "fine-tuned",
                "classes": ["a", "b", "c"],
                "input_size": [8, 8],
                "channels": 1,
                "preprocessing": "zero_one",
                "parameters": 0,
            },
        ],
        "needs": ["explorer.runs.layers"],
    }
    assert [each.variant for each in read_models(run.folder).models] == ["", "fine-tuned"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"variant": "../other"},
        {"variant": "Fine"},
        {"channels": 4},
        {"classes": ["one"]},
        {"input_size": (0, 8)},
        {"preprocessing": "magic"},
    ],
)
def test_what_other_pages_could_not_open_is_refused(queue: Queue, wrong: dict) -> None:
    run = queue()
    context = RunContext(run.folder, run.config)
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's
        context.describe_model(**{"classes": ["a", "b"], "input_size": (8, 8), **wrong})
    context.close()
    assert not (run.folder / NETWORK).exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"models": [{"file": "../../secret", "classes": ["a", "b"], "input_size": [8, 8]}]}',
        '{"models": [{"file": "model.keras", "variant": "x", "classes": ["a", "b"], "input_size": [8, 8]}]}',
        '{"models": [{"file": "model.keras", "classes": ["a", "b"], "input_size": [8]}]}',
    ],
)
def test_a_damaged_description_describes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / NETWORK).write_text(text)
    assert read_models(tmp_path) == TrainedModels()
    assert read_models(tmp_path / "nowhere") == TrainedModels()
