"""Where work runs: named work on worker processes, with progress, stop and a place in the queue."""
