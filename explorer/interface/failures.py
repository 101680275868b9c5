"""Which errors carry a sentence that was written for visitors."""

from __future__ import annotations

import sys

_WRITTEN_FOR_VISITORS = (
    ("explorer.pictures.picture", "PictureError"),
    ("explorer.networks.work_context", "SentenceError"),
    ("explorer.engine.client", "EngineError"),
)


def is_for_visitors(failure: BaseException) -> bool:
    """Tell whether `str(failure)` is a sentence for visitors.

    Looked up among the modules that are loaded: an error can only come from one of those, and an error screen
    must not be the place where a module is imported for the first time.
    """
    kinds = (getattr(sys.modules.get(module), name, None) for module, name in _WRITTEN_FOR_VISITORS)
    return any(isinstance(kind, type) and isinstance(failure, kind) for kind in kinds)
