"""The feature maps page, a part a file: the column of layers, the tiles, the close-up, what stands below."""
