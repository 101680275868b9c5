"""Explanations: which pixels drove a prediction, by thirteen methods side by side, and what judges them."""

from explorer.interface.explanations.view import show

show()
