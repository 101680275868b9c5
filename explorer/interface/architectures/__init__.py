"""The architectures page: the catalogue, one network taken apart, comparisons, the blocks lab, a stack of one's own."""
