"""The four parts of the lesson on one dimension, one a file."""
