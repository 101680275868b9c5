"""The filters page: images that a filter or a class wants to see, grown by gradient ascent."""
