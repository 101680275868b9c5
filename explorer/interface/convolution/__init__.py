"""The convolution page: seven scenes on one stage."""
