"""The gradient flow page, one scene a file."""
