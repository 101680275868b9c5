"""The data that runs learn from: drawn, well-known, or a visitor's own."""
