"""Why do deep networks train?"""

from explorer.interface.gradient_flow.view import show

show()
