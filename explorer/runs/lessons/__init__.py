"""The lessons, one a file: what each declares for the page. What they train stands in `explorer.runs.tasks`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from explorer.networks.work_context import SentenceError
from explorer.runs.lessons.lesson import Lesson


@lru_cache(maxsize=1)
def lessons() -> tuple[Lesson, ...]:
    """Return all lessons in their order: each `LESSON` of the modules here, however many of them know it."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    found = [module.LESSON for module in modules if hasattr(module, "LESSON")]
    return tuple(sorted({each.name: each for each in found}.values(), key=lambda lesson: lesson.order))


def lesson(name: str) -> Lesson:
    """Return a lesson by name.

    Raises:
        SentenceError: if there is none.
    """
    for each in lessons():
        if each.name == name:
            return each
    raise SentenceError("There is no such lesson.")
