"""Old runs go, by age and by size, and own data that nobody uses; a run in progress or in line never does."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from pathlib import Path

from explorer.networks.work_context import SentenceError
from explorer.runs.folder import TRASH, delete
from explorer.runs.listing import listing
from explorer.runs.record import FINAL

log = logging.getLogger(__name__)


def clean(root: Path, days: float | None = None, megabytes: float | None = None, now: float | None = None) -> list[str]:
    """Delete runs that ended too long ago, then the oldest until the rest is small enough; and own data unused so long.

    Args:
        root: folder of all runs.
        days: how long a run is kept after its end, and own data after their last use; None: as long as there is room.
        megabytes: how much all runs may take together, in MB; None: as much as there is.
        now: seconds since 1970.

    Returns:
        The ids of those that went.
    """
    from explorer.runs.data import own  # with Pillow, which nothing else here needs

    now = time.time() if now is None else now
    own.clean(root, days, now)
    for left in Path(root).glob(f"{TRASH}*"):  # whoever deleted it did not come to the end
        shutil.rmtree(left, ignore_errors=True)
    found = listing(root)
    ended = [(run.status.ended or run.config.created, run.id, run.folder) for run in found.runs if run.state in FINAL]
    for each in found.broken:
        with contextlib.suppress(OSError):
            ended.append((each.folder.stat().st_mtime, each.id, each.folder))
    ended.sort()
    total = sum(size(run.folder) for run in found.runs) + sum(size(each.folder) for each in found.broken)
    gone: list[str] = []
    for at, run_id, folder in ended:
        too_old = days is not None and now - at > days * 86_400
        too_much = megabytes is not None and total > megabytes * 1e6
        if not (too_old or too_much):
            continue
        bytes_of_it = size(folder)
        try:
            delete(root, run_id)
        except (SentenceError, OSError):
            log.warning("%s could not be cleaned up", run_id, exc_info=True)
            continue
        total -= bytes_of_it
        gone.append(run_id)
    return gone


def size(folder: Path) -> int:
    """Return how many bytes the files in a folder have; links are not followed."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total
