"""What does a filter, or a whole class, want to see?"""

from explorer.interface.filters.view import show

show()
