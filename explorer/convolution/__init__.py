"""One layer's arithmetic, as data that one can step through. NumPy and SciPy alone."""
