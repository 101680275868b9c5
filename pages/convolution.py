"""What does one layer compute, number by number?"""

from explorer.interface.convolution.view import show

show()
