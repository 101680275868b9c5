"""Makes whole runs without training: folders in every state, with curves, moments and an outcome that one can check."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.pictures.sources import resolve
from explorer.runs import outcome
from explorer.runs.context import RunContext
from explorer.runs.folder import LOG, create, write_status
from explorer.runs.lessons.lesson import Knob, Lesson, Preset
from explorer.runs.record import Progress, Run, State, new_config

CLASSES = ("cat", "fish", "house", "boat")
VARIANTS = {"frozen": "Frozen base", "tuned": "Fine-tuned", "scratch": "From scratch"}
SENTENCE = "With few pictures a pretrained base beats training from scratch."

EXAMPLE = Lesson(
    name="example",
    order=1,
    title="Example",
    icon=":material/swap_horiz:",
    sentence=SENTENCE,
    question="How few pictures are enough when the network has seen others before?",
    knobs=(
        Knob("epochs", "Epochs", "integer", 6, low=1, high=40, step=1, main=True),
        Knob("learning_rate", "Learning rate", "number", 1e-3, low=1e-5, high=1.0, logarithmic=True, main=True),
        Knob("compare", "Networks", "choices", tuple(VARIANTS), options=VARIANTS, main=True),
        Knob("optimizer", "Optimizer", "choice", "adam", options={"adam": "Adam", "sgd": "SGD"}),
        Knob("momentum", "Momentum", "number", 0.9, low=0.0, high=0.99, step=0.01, only_if={"optimizer": ("sgd",)}),
        Knob("augment", "Augment", "switch", False, help="Change the pictures a little each time."),
        Knob("batch", "Batch size", "integer", 32, low=8, high=256, logarithmic=True),
        Knob("words", "Words", "text", ""),
    ),
    presets=(
        Preset("quick", "Quick"),
        Preset(
            "long", "Long", settings={"epochs": 30}, data={"source": "drawn", "per_class": 200}, note="Better curves."
        ),
    ),
    data=("drawn", "digits"),
    estimate=lambda settings, data: 2.0 * settings["epochs"] + data.get("per_class", 0) / 10,
    script=lambda config: f"import keras\n\nepochs = {config.settings.get('epochs', 6)}\n",
    variants=VARIANTS,
    background="**Transfer.** The base keeps its weights $w$; only the last layer learns.",
)

_STEPS: Mapping[State, tuple[State, ...]] = {
    "queued": (),
    "starting": ("starting",),
    "running": ("starting", "running"),
    "interrupted": ("starting", "running"),
    "done": ("starting", "running", "done"),
    "failed": ("starting", "running", "failed"),
    "stopped": ("starting", "running", "stopped"),
}


def made(
    root: Path,
    owner: str,
    state: State = "done",
    *,
    lesson: str = "example",
    title: str = "Example",
    epochs: int = 6,
    seed: int = 0,
    holds: bool | None = True,
    settings: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    pictures: str = "drawn:{name}:{number}",
    reason: str = "",
    seconds: float = 42.0,
    age: float = 300.0,
) -> Run:
    """Write the folder of a run; one that is starting or running is interrupted unless somebody holds its lock."""
    config = new_config(
        task=lesson, owner=owner, title=title, seed=seed, settings={"epochs": epochs, **(settings or {})},
        data={"source": "drawn", "per_class": 50, **(data or {})},
    )  # fmt: skip
    run = create(root, config)
    status, at = run.status, time.time() - age
    context = RunContext(run.folder, config, "CPU")
    if state not in ("queued", "starting"):
        learn(context, epochs if state == "done" else max(1, epochs // 2), seed, pictures)
    if state in ("done", "stopped"):
        find_out(context, holds if state == "done" else None)
    if state == "failed":
        (run.folder / LOG).write_text("loading the data\nTraceback (most recent call last):\nValueError: no pictures\n")
    context.close()
    for step in _STEPS[state]:
        words = reason or ("The pictures have no classes; add some." if step == "failed" else "")
        progress = Progress(
            epoch=max(1, epochs // 2), epochs=epochs, step=7, steps=12, rate=812.0, unit="pictures", seconds_left=31.0,
            message="fine-tuned, 2 of 3",
        )  # fmt: skip
        status = status.moved(
            step, now=at, reason=words if step == state else "", progress=progress, device="CPU", slot="cpu"
        )
        write_status(run.folder, status)
        at += seconds if step == "running" else 0.5
    return Run(run.folder, config, status, status.state)


def learn(context: RunContext, epochs: int, seed: int, pictures: str) -> None:
    """Report curves of three networks and, after each epoch, what they say of the same pictures."""
    random = np.random.default_rng(seed)
    chosen = [(truth, pictures.format(name=name, number=n)) for n in (1, 2) for truth, name in enumerate(CLASSES)]
    pixels = np.stack([small(truth, number) for number, (truth, _) in enumerate(chosen)])
    outcome.write_probe(context, pixels, CLASSES, [truth for truth, _ in chosen], [name for _, name in chosen])
    for number, variant in enumerate(VARIANTS):
        context.plan(epochs, 12, pictures=32)
        for epoch in range(1, epochs + 1):
            for step in range(1, 13):
                done = epoch - 1 + step / 12
                loss = (0.2 + 0.35 * number) + 1.3 * math.exp(-done / (1 + number)) + 0.05 * random.standard_normal()
                context.report(epoch, step, variant=variant, loss=max(0.01, loss), accuracy=skill(done, number))
            context.report(
                epoch, variant=variant, loss=0.3 + 0.3 * number + math.exp(-epoch), accuracy=skill(epoch, number),
                val_loss=0.4 + 0.35 * number + math.exp(-epoch / 1.5), val_accuracy=skill(epoch, number) - 0.06,
                learning_rate=1e-3,
            )  # fmt: skip
            chances = np.full((len(chosen), len(CLASSES)), (1 - skill(epoch, number)) / 3)
            chances[np.arange(len(chosen)), [truth for truth, _ in chosen]] = skill(epoch, number)
            guesses = outcome.Guesses(title="", probabilities=tuple(map(tuple, chances.tolist())))
            outcome.add_moment(context, epoch, guesses, variant)


def skill(done: float, number: int) -> float:
    """Return the accuracy after so many epochs: the later a network stands in the row, the slower it learns."""
    return round((0.95 - 0.12 * number) * (1 - 0.75 * math.exp(-done / (1 + 1.5 * number))), 4)


@lru_cache(maxsize=64)
def small(truth: int, number: int) -> np.ndarray:
    """Return a drawn picture of a class, uint8 (48, 48, 3)."""
    return resolve(f"drawn:{CLASSES[truth]}:{number}").pixels[::2, ::2]


def find_out(context: RunContext, holds: bool | None) -> None:
    """Write an outcome with an item of every kind, and the pictures behind its tables of confusions."""
    truth = np.repeat(np.arange(len(CLASSES)), 6)
    pixels = np.stack([small(int(label), number) for number, label in enumerate(truth)])
    names = [f"drawn:{CLASSES[label]}:{number}" for number, label in enumerate(truth)]
    outcome.write_validation(context, pixels, truth, CLASSES, names)
    tables = []
    for number, variant in enumerate(VARIANTS):
        chances = np.full((len(truth), len(CLASSES)), 0.05)
        answers = truth.copy()
        answers[: 2 * (number + 1)] = 1  # so many cats are taken for fish
        chances[np.arange(len(truth)), answers] = 0.85 - 0.01 * np.arange(len(truth))
        outcome.write_predictions(context, chances, variant)
        tables.append(
            outcome.confusion_of(truth, answers, CLASSES, variant, f"{VARIANTS[variant]}: what is taken for what")
        )
    context.preview(np.linspace(0, 1, 48 * 48).reshape(48, 48), 9001)
    outcome.write_outcome(
        context,
        [
            outcome.Verdict(sentence=SENTENCE, holds=holds, because="Frozen 0.89, fine-tuned 0.77, from scratch 0.65."),
            outcome.Numbers(
                rows=(
                    outcome.Number(label="Accuracy, frozen", value=0.892, digits=3),
                    outcome.Number(label="From scratch", value=0.651, digits=3, note="Random weights."),
                    outcome.Number(label="Pictures", value=200, digits=0, unit="per class"),
                )
            ),
            outcome.Table(
                title="Precision, recall and F1",
                columns=("class", "precision", "recall", "F1"),
                rows=tuple((name, 1 - i / 10, 0.9, 0.9 - i / 20 if i < 3 else None) for i, name in enumerate(CLASSES)),
                lit=((0, 1), (2, 3)),
            ),
            outcome.Lines(
                title="Accuracy against pictures per class",
                x_title="pictures per class",
                y_title="accuracy",
                logarithmic_x=True,
                lines=(
                    outcome.Line(name="Frozen base", x=(2, 10, 50, 200), y=(0.5, 0.7, 0.82, 0.89), points=True),
                    outcome.Line(name="From scratch", x=(2, 10, 50, 200), y=(0.27, None, 0.5, 0.65), points=True),
                    outcome.Line(name="chance", x=(2, 200), y=(0.25, 0.25), role="truth", dashed=True),
                ),
            ),
            outcome.Lines(
                title="Seconds an epoch",
                y_title="s",
                bars=tuple(VARIANTS.values()),
                lines=(outcome.Line(name="seconds", x=(0, 1, 2), y=(0.4, 1.1, 1.2)),),
            ),
            outcome.Pictures(
                title="Inputs and what came out",
                pictures=(
                    outcome.Shown(file="previews/9001.png", caption="before"),
                    outcome.Shown(file="previews/9001.png", caption="after"),
                ),
            ),
            *tables,
        ],
    )  # fmt: skip
