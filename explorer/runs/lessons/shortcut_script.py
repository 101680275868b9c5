"""The lesson on shortcuts as a script with plain Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.lessons.shown_code import functions
from explorer.runs.record import Config

_SCRIPT = '''"""Shortcuts: {at_sea} always at sea, {on_meadow} always on a meadow (seed {seed})."""

import keras
import numpy as np

from explorer.pictures.drawn_world import CLASSES, draw, draw_without_object
{imports}
NAMES, SETS, SIDE = ("{at_sea}", "{on_meadow}"), ("sea", "meadow"), {side}
TRAINING, VALIDATION = {world}, {world} + 1


def pictures(world, count, own):
    """Draw `count` pictures of each class, `own` of them before the class's background; None: all kinds of them."""
    pixels, labels = [], []
    for number in range(count):
        for label, name in enumerate(NAMES):
            kind = CLASSES.index(name)
            is_own = own is not None and (number + 1) * own // count > number * own // count
            background = "training" if own is None else SETS[label] if is_own else SETS[1 - label]
            index = number * len(CLASSES) + kind
            pixels.append(draw(world, index, size=SIDE, label=kind, backgrounds=background).pixels)
            labels.append(label)
    return np.stack(pixels), np.array(labels)


def without_objects(world, count):
    """Draw the same backgrounds with nothing before them."""
    numbers = [(n * len(CLASSES) + CLASSES.index(name), SETS[i]) for n in range(count) for i, name in enumerate(NAMES)]
    return np.stack([draw_without_object(world, index, size=SIDE, backgrounds=kind) for index, kind in numbers])


{network}


def margins(model, pixels):
    """Return the logit of the true class minus the other's, for each picture."""
    logits = model.predict(pixels / 255, verbose=0)
    return np.where(truth == 0, 1, -1) * (logits[:, 0] - logits[:, 1])


same, truth = pictures(VALIDATION, {judged}, {judged})
swapped, _ = pictures(VALIDATION, {judged}, 0)
empty = without_objects(VALIDATION, {judged})

for name, own in {variants}:
    x, y = pictures(TRAINING, {per_class}, own)
    keras.utils.set_random_seed({seed})
    model = network(SIDE)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay({learning_rate:g}, {steps})),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=keras.backend.backend() == "jax",
    )
{fit}
    before, after, bare = (margins(model, pixels) for pixels in (same, swapped, empty))
    thing, background = np.mean(before - bare), np.mean(before - after)
    print(f"{{name}}: {{model.count_params():,}} weights, own backgrounds {{np.mean(before > 0):.3f}},",
          f"swapped {{np.mean(after > 0):.3f}}, background's share {{background / (background + thing):.2f}}")
    model.save(f"model-{{name}}.keras")
'''

_PLAIN = """    model.fit(x / 255, y, batch_size=32, epochs={epochs}, validation_data=(same / 255, truth), verbose=2)"""

_AUGMENTED = """    settings = {augmentation} if name == "augmented" else {{}}
    batches = AugmentedBatches(PictureSet(x, NAMES, y), Augmentation(settings, {seed}), batch_size=32, seed={seed})
    model.fit(batches, epochs={epochs}, validation_data=(same / 255, truth), verbose=2)"""

_IMPORTS = """from explorer.runs.data.augmentation import Augmentation
from explorer.runs.data.batches import AugmentedBatches
from explorer.runs.data.picture_set import PictureSet
"""


def script(config: Config, settings: Mapping[str, Any], world: int, judged: int) -> str:
    """Return the script.

    Args:
        config: of the run.
        settings: of the lesson, all of them.
        world: of the drawn training pictures.
        judged: validation pictures of each class.
    """
    per_class = settings["per_class"]
    own = {
        "biased": round(settings["bias"] * per_class),
        "augmented": round(settings["bias"] * per_class),
        "mended": None if settings["mending"] == "any" else round(0.5 * per_class),
    }
    augmented = "augmented" in settings["variants"]
    augmentation = {name: value for name, value in settings.items() if name.startswith("augment_")}
    fit = _AUGMENTED if augmented else _PLAIN
    return _SCRIPT.format(
        at_sea=settings["at_sea"],
        on_meadow=settings["on_meadow"],
        seed=config.seed,
        side=settings["side"],
        world=world,
        judged=judged,
        per_class=per_class,
        learning_rate=settings["learning_rate"],
        steps=settings["epochs"] * -(-2 * per_class // 32),
        imports=_IMPORTS if augmented else "",
        network=functions("tasks/shortcut.py", "network"),
        variants=[(name, own[name]) for name in settings["variants"]],
        fit=fit.format(epochs=settings["epochs"], seed=config.seed, augmentation=augmentation),
    )
