"""Many changed versions of a picture on their way through a network: batches of one size, progress, stop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from explorer.networks.work_context import NO_CONTEXT, WorkContext

# A compiled function is traced anew for every size of batch, so only these sizes occur.
# With the fives, the usual numbers of samples (25, 50, 100, 200, 500) are divided without a rest.
_SIZES = tuple(sorted({base * 2**power for power in range(11) for base in (1, 3, 5)}))

_CALL = 0.5
"""What a call costs besides, in pictures: smaller batches only pay where they save more than that."""


def full_size(count: int) -> int:
    """Return the smallest size in use that holds `count` pictures."""
    return next((size for size in _SIZES if size >= count), count)


def batch_size(total: int, limit: int) -> int:
    """Return a size for batches that leaves the last one nearly full.

    The last batch is filled up, so that all have one size; of the few sizes that are in use at all, this is the one
    that costs least: pictures computed in vain, and calls. Batches below a sixteenth of the limit are not looked at:
    a GPU would idle.

    Args:
        total: Pictures in all.
        limit: The largest batch that memory allows.
    """
    limit = max(1, limit)
    sizes = [size for size in _SIZES if size <= limit]
    enough = next((size for size in sizes if size >= total), sizes[-1])
    sizes = [size for size in sizes if min(limit / 16, enough) <= size <= enough]
    return min(sizes, key=lambda size: (-(-total // size) * (size + _CALL), -size))


def batches(
    count: int,
    size: int,
    *,
    context: WorkContext = NO_CONTEXT,
    unit: str = "pictures",
    message: str = "",
    before: int = 0,
    total: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield the numbers 0 … count − 1 in batches of one size, until the work is stopped.

    Progress is reported before the first batch and after each. Once the context says stop, no batch follows.

    Args:
        count: How many there are.
        size: How many at a time; the last batch repeats its last number until it is full.
        context: Hears of the progress.
        unit: What is counted.
        message: What is happening.
        before: How much of the work was done before these.
        total: How much work there is altogether; None if it is just these.

    Yields:
        int (size,) numbers.
    """
    whole = float(count if total is None else total)
    context.report(float(before), whole, unit, message)
    for start in range(0, count, size):
        if context.stopped():
            return
        yield np.minimum(np.arange(start, start + size), count - 1)
        context.report(float(before + min(start + size, count)), whole, unit, message)
