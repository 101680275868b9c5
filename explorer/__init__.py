"""CNN Explorer: see how a convolutional network works."""
