"""Train a bundled network from the command line: `python -m explorer.networks.drawn.train plain`.

Killed at any moment, the same command goes on from the last checkpoint. At the end the weights are written
as float16 and the model card beside them.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from explorer.networks.drawn.pool import draw_pool
from explorer.networks.drawn.recipe import RECIPES, Recipe
from explorer.networks.drawn.weights import WEIGHTS_FOLDER, save_weights, weights_path

VALIDATION_SEED = 7_001
VALIDATION_PICTURES = 1_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the pictures, train, and write weights and card."""
    options = _options(arguments)
    recipe = _recipe(options)
    folder = options.folder or Path("out") / "drawn" / options.kind
    pixels, labels = draw_pool(
        options.pool or folder / "pictures",
        recipe.seed,
        recipe.pictures,
        processes=options.processes,
        report=_say,
    )
    # Imported here: the helpers that draw do not need it, and --help answers at once.
    import keras

    from explorer.networks.drawn.evaluation import (
        TEST_PICTURES,
        accuracy,
        device,
        evaluate,
        predict,
        test_pictures,
    )
    from explorer.networks.drawn.model import STEM_LAYER
    from explorer.networks.drawn.model_card import CARDS_FOLDER, write_card
    from explorer.networks.drawn.training import full_precision_copy, train

    keras.config.set_dtype_policy(options.precision)
    validation = test_pictures(VALIDATION_PICTURES, seed=VALIDATION_SEED)
    trained = train(
        recipe,
        pixels,
        labels,
        folder,
        validation=(validation.pixels, validation.labels),
        report=_say,
        checkpoint_seconds=options.checkpoint_seconds,
    )
    keras.config.set_dtype_policy("float32")
    precise = full_precision_copy(trained.model)
    path = (options.output or WEIGHTS_FOLDER) / weights_path(recipe.name).name
    save_weights(precise, path)
    _say(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")
    if options.no_card:
        return
    tests = test_pictures(TEST_PICTURES)
    before = accuracy(predict(precise, tests.pictures), tests.labels)["accuracy"]
    figures = evaluate(recipe.name, path, report=_say)
    write_card(
        options.output or CARDS_FOLDER,
        kind=options.kind,
        recipe=recipe.as_dict(),
        history=trained.history,
        training={
            "seconds": round(trained.seconds, 1),
            "device": device(),
            "precision": options.precision,
            "accuracy_before_rounding": before,
        },
        figures=figures,
        stem=keras.ops.convert_to_numpy(precise.get_layer(STEM_LAYER).kernel),
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m explorer.networks.drawn.train", description=__doc__)
    parser.add_argument("kind", choices=sorted(RECIPES), help="which of the two networks")
    parser.add_argument("--epochs", type=int, help="passes over the pictures")
    parser.add_argument("--pictures", type=int, help="how many pictures are drawn ahead")
    parser.add_argument("--batch", type=int, help="pictures per step")
    parser.add_argument("--seed", type=int, help="another seed gives other pictures, weights and order")
    parser.add_argument("--learning-rate", type=float, help="peak of the schedule")
    parser.add_argument("--folder", type=Path, help="folder of the run: checkpoint and pictures (out/drawn/KIND)")
    parser.add_argument("--pool", type=Path, help="folder of the pictures drawn ahead, if several runs share it")
    parser.add_argument("--output", type=Path, help="folder for weights and card, in place of the repository's")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="processes that draw")
    parser.add_argument("--no-card", action="store_true", help="write the weights alone")
    parser.add_argument("--checkpoint-seconds", type=float, default=60.0, help="time between two checkpoints")
    parser.add_argument(
        "--precision",
        choices=("mixed_bfloat16", "float32"),
        default="mixed_bfloat16",
        help="mixed_bfloat16 is nearly twice as fast on processors and GPUs that know it",
    )
    return parser.parse_args(arguments)


def _recipe(options: argparse.Namespace) -> Recipe:
    asked = {
        key: getattr(options, key)
        for key in ("epochs", "pictures", "batch", "seed", "learning_rate")
        if getattr(options, key) is not None
    }
    return replace(RECIPES[options.kind], **asked)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


if __name__ == "__main__":
    main()
