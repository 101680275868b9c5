"""The lab of building blocks: each in variants, standard against improved. One file a block; `table` holds the list."""
