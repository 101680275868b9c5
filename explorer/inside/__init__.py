"""Looking inside a network: feature maps, filters, silent channels, receptive fields."""
