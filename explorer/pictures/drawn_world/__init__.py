"""A world of pictures drawn by code, with exact masks: every picture is a function of its seed and index."""
