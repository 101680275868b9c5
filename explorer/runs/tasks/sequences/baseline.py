"""Logistic regression in pieces, so that a run that shall stop does not have to wait for it."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from explorer.runs.context import RunContext

PIECE = 20
MOST_PIECES = 25


@threadpool_limits.wrap(limits=1)  # products this small take many times as long on several threads
def logistic_regression(context: RunContext, inputs: Any, labels: Any, strength: float = 1.0) -> LogisticRegression:
    """Return a logistic regression on standardised or counted inputs, as far as it got before a stop.

    Args:
        context: hears the stop.
        inputs: (n, values), dense or sparse.
        labels: (n,).
        strength: scikit-learn's C, the inverse of the L2 penalty.
    """
    found = LogisticRegression(C=strength, max_iter=PIECE, warm_start=True)
    for _ in range(MOST_PIECES):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found.fit(inputs, labels)
        if int(max(found.n_iter_)) < PIECE or context.stopped():
            break
    return found
