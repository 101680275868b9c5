"""Why depth trains: activations, gradients through layers, residual paths, loss surfaces and optimisers."""
