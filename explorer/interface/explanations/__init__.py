"""The explanations page."""
