"""A world of pictures drawn by code, with exact masks: every picture is a function of its seed and index.

The names meant for others stand in `explorer.pictures.drawn_world.drawing` and are found here too.
"""

from typing import Any

__all__ = [  # noqa: F822 - resolved by __getattr__, so that importing a sibling module stays light
    "CLASSES",
    "KEPT_CLASSES",
    "PRETRAINING_CLASSES",
    "Drawing",
    "Scene",
    "contact_sheet",
    "draw",
    "draw_batch",
    "draw_class",
    "draw_scene",
    "draw_without_object",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("explorer.pictures.drawn_world.drawing"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
