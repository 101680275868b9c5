"""What does a filter want to see? An image, wanted by an objective, shaken by transforms, made by one render."""
