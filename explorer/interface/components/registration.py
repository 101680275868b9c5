"""How the files of a browser component become one, and how its content is named."""

import hashlib
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

_FOLDER = Path(__file__).parent


def register(name: str) -> Any:
    """Register the component whose plain files lie in the folder of its name.

    Its script is `<name>.js`; other scripts of the folder are put in front of it, in the order of their names.
    """
    own = _FOLDER / name

    def text(ending: str) -> str:
        return (own / f"{name}.{ending}").read_text(encoding="utf-8")

    parts = [_FOLDER / "shared.js", *sorted(set(own.glob("*.js")) - {own / f"{name}.js"}), own / f"{name}.js"]
    script = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    return component(name, html=text("html"), css=text("css"), js=script)


def digest_of(*parts: bytes) -> str:
    """Name the content, so that the browser rebuilds only what has changed."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()[:16]
