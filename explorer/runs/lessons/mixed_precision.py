"""The setting of those lessons whose convolutions are large enough for a GPU's 16-bit units to matter."""

from __future__ import annotations

from collections.abc import Callable

from explorer.runs.lessons.lesson import Knob
from explorer.runs.record import Config

MIXED_PRECISION = "mixed_precision"
KNOB = Knob(
    MIXED_PRECISION,
    "Mixed precision",
    "switch",
    False,
    gpu=True,
    help="The GPU computes in 16 bits, up to several times as fast where networks are wide; weights keep 32 bits, and "
    "so does the network that is saved. Without a GPU it changes nothing.",
)

_LINE = 'keras.config.set_dtype_policy("mixed_float16")'


def in_chosen_precision(script: Callable[[Config], str]) -> Callable[[Config], str]:
    """Return a lesson's script, in which Keras computes in 16 bits where the run was asked to."""

    def written(config: Config) -> str:
        text = script(config)
        if not config.settings.get(MIXED_PRECISION):
            return text
        lines = text.split("\n")
        last = max(number for number, line in enumerate(lines) if line.startswith(("import ", "from ")))
        return "\n".join([*lines[: last + 1], "", _LINE, *lines[last + 1 :]])

    return written
