"""A layer as a sparse matrix: one row for each output, one column for each input."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from explorer.convolution.tracing import Trace


def matrix(trace: Trace, *, own_only: bool = False) -> sparse.csr_array:
    """Return the matrix M with `before = M @ source + bias`, `(targets, sources)`.

    Args:
        trace: of an operation that sums.
        own_only: leave out the columns of padding and inserted zeros; the others keep their order.

    Raises:
        ValueError: maximum, minimum and L2 pooling are not linear and have no matrix.
    """
    if trace.rule != "sum":
        raise ValueError(f"a pool by {trace.rule!r} is not linear: no matrix computes it")
    whole = sparse.coo_array(
        (trace.factors, (trace.targets, trace.sources)), shape=(trace.target.size, trace.source.size)
    ).tocsr()
    if not own_only:
        return whole
    own = np.flatnonzero(np.broadcast_to(trace.own[..., None], trace.source.shape).reshape(-1))
    return whole[:, own].tocsr()


def matrix_cells(trace: Trace, *, transposed: bool = False) -> np.ndarray:
    """Return the cell of each term in the flat matrix `(targets, sources)` or its transpose, int64 `(terms,)`."""
    targets, sources = trace.targets.astype(np.int64), trace.sources.astype(np.int64)
    return sources * trace.target.size + targets if transposed else targets * trace.source.size + sources
