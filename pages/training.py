"""Training: set a run up, watch a network learn, see what it found out."""

from explorer.interface.training.view import show

show()
