"""The front door: names the shell as an ASGI app, nothing else. Start it with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from explorer.interface.server import MIDDLEWARE, ROUTES, lifespan, show_failure

app = st.App(
    Path(__file__).parent / "explorer" / "shell.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=MIDDLEWARE,
    on_script_error=show_failure,
)
