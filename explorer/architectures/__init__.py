"""Architectures: networks by name, what they are made of, and what each layer costs."""
