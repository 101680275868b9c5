"""What does every layer of a network see in a picture?"""

from explorer.interface.feature_maps.view import show

show()
