"""Makes the architectures page ready while the server starts, so that its first visitor waits no longer than the next.

The first page of a process would import pandas, Arrow and the page's modules (0.6 s of a processor), draw the sidebar's
picture, read tables and make the catalogue's charts. All of that is done here in a thread. Python lets only one thread
run at a time, so it begins some seconds after the server and takes no step while a visitor's page is being made.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

BEGIN_SECONDS = 2.0
"""So much later than the server it begins: a visitor who waits for the port comes first."""

PATIENCE_SECONDS = 30.0
"""So long in all it gives way to visitors; where they never pause, it goes on beside them."""

_PAUSE_SECONDS = 0.02
_PAGE_THREADS = "ScriptRunner"
"""How the names of the threads begin in which Streamlit runs pages."""

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
    last = time.monotonic() + PATIENCE_SECONDS
    try:
        for step in _steps():
            time.sleep(_PAUSE_SECONDS)
            while _page_is_made() and time.monotonic() < last:
                time.sleep(_PAUSE_SECONDS)
            step()
    except Exception:
        _log.exception("The architectures page could not be made ready")


def _page_is_made() -> bool:
    """Return whether a visitor waits for a page just now."""
    return any(thread.name.startswith(_PAGE_THREADS) for thread in threading.enumerate())


def _steps() -> Iterator[Callable[[], object]]:
    """Yield what is to be done, in small pieces and in the order in which a visitor would need it."""
    for module in _MODULES:
        yield partial(importlib.import_module, module)
    # late: the modules above are what takes the time
    from PIL import Image

    from explorer.interface.architectures import kept
    from explorer.interface.current_picture import draw_ahead
    from explorer.interface.theme import PALETTES

    yield Image.preinit
    yield draw_ahead
    # Streamlit looks through the stack once a process, and Python then through the sources of all modules.
    yield inspect.stack
    names = kept.listed(())
    yield partial(kept.catalogue_rows, names)
    for colours in PALETTES.values():
        yield partial(kept.accuracy, names, "multiply_adds", colours)
    yield partial(kept.accuracy_words, names, "multiply_adds")
    for name in _FIRST_NETWORKS:
        yield partial(kept.words, name)
        yield partial(kept.layers, name)
        yield partial(kept.drawing, name, "parameters")
        for colours in PALETTES.values():
            yield partial(kept.shares, name, colours)
            yield partial(kept.bars, name, "parameters", colours)
            yield partial(kept.field, (name,), (kept.by_name()[name].title,), colours)
    yield gc.collect
    # All of this stays as long as the process: a full collection need not look through it again, which takes 0.1 s and
    # comes in the middle of somebody's page.
    yield gc.freeze
