"""Networks that made history, one family a file, each written in Keras as its paper draws it."""
