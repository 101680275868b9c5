"""Makes the architectures page ready while the server starts, so that its first visitor waits no longer than the next.

The first page of a process would import pandas, Arrow and the page's modules (0.6 s of a processor), read tables and
draw the catalogue's charts. All of that is done here in a thread. It gives way to visitors: Python lets only one
thread run at a time, so it begins a little later than the server and pauses after each step.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

BEGIN_SECONDS = 0.5
"""So much later than the server it begins: a visitor who waits for the port comes first."""

_PAUSE_SECONDS = 0.02
_MODULES = ("pandas", "pyarrow.compute", "explorer.interface.sidebar", "explorer.interface.architectures.view")
_FIRST_NETWORKS = ("VGG16", "ResNet50")

_log = logging.getLogger(__name__)


def warm_in_thread() -> threading.Thread:
    """Start to make the page ready and return the thread; what fails is logged and left to the first visitor."""
    thread = threading.Thread(target=_warm, name="warm-architectures", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    time.sleep(BEGIN_SECONDS)
    try:
        for step in _steps():
            step()
            time.sleep(_PAUSE_SECONDS)
    except Exception:
        _log.exception("The architectures page could not be made ready")


def _steps() -> Iterator[Callable[[], object]]:
    """Yield what is to be done, in small pieces and in the order in which a visitor would need it."""
    for module in _MODULES:
        yield lambda module=module: importlib.import_module(module)  # type: ignore[misc]
    # late: the modules above are what takes the time
    from explorer.interface.architectures import kept
    from explorer.interface.theme import PALETTES

    names = kept.listed(())
    yield lambda: kept.catalogue_rows(names)
    for colours in PALETTES.values():
        yield lambda colours=colours: kept.accuracy(names, "multiply_adds", colours)  # type: ignore[misc]
    yield lambda: kept.accuracy_words(names, "multiply_adds")
    for name in _FIRST_NETWORKS:
        yield lambda name=name: kept.words(name)  # type: ignore[misc]
        yield lambda name=name: kept.layers(name)  # type: ignore[misc]
        yield lambda name=name: kept.drawing(name, "parameters")  # type: ignore[misc]
        title = kept.by_name()[name].title
        for colours in PALETTES.values():
            yield lambda name=name, colours=colours: kept.shares(name, colours)  # type: ignore[misc]
            yield lambda name=name, colours=colours: kept.bars(name, "parameters", colours)  # type: ignore[misc]
            yield lambda name=name, title=title, colours=colours: kept.field((name,), (title,), colours)  # type: ignore[misc]
