"""Other libraries behind one signature, one library a file: `ways(case) -> {method: Way}`.

Each file says by which convention its library computes the same thing as `explorer.explanations`, or, where it does
not, what it computes instead. Only what is compared stands here; what a library gets wrong with its own defaults is
told where the convention is set.
"""

from tests.benchmarks.peers.case import Case, Way

__all__ = ["Case", "Way"]
