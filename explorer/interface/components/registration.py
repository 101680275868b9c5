"""How the files of a browser component become one, and how its content is named."""

import hashlib
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

_FOLDER = Path(__file__).parent
_PLAYER = "<!-- player -->"


def register(name: str) -> Any:
    """Register the component whose plain files lie in the folder of its name.

    Its script is `<name>.js`; other scripts of the folder are put in front of it, in the order of their names. Where
    its page has `<!-- player -->` the buttons of a player stand there, and the player's style and script come first.
    """
    own = _FOLDER / name

    def text(ending: str, folder: Path = own) -> str:
        return (folder / f"{folder.name}.{ending}").read_text(encoding="utf-8")

    player = _FOLDER / "player"
    plays = _PLAYER in text("html")
    parts = [
        _FOLDER / "shared.js",
        *([player / "player.js"] if plays else []),
        *sorted(set(own.glob("*.js")) - {own / f"{name}.js"}),
        own / f"{name}.js",
    ]
    script = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    page = text("html").replace(_PLAYER, text("html", player)) if plays else text("html")
    style = f"{text('css', player)}\n{text('css')}" if plays else text("css")
    return component(name, html=page, css=style, js=script)


def digest_of(*parts: bytes) -> str:
    """Name the content, so that the browser rebuilds only what has changed."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()[:16]
