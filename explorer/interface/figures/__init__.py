"""Pictures and charts made from arrays."""
