"""What are networks made of, and what does it cost?"""

from explorer.interface.architectures.view import show

show()
