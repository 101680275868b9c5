"""Which network: the catalogue, loading, activations, gradients and structure."""
