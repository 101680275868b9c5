"""The training page: set a run up, watch it learn, see what it found out, and compare runs."""
