"""Home: what there is to explore, and one thing to try first."""

from explorer.interface.home import show_home

show_home()
