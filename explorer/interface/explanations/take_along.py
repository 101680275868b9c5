"""What a visitor takes along: the call that makes the maps, the link, the maps as a picture and as numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from explorer.explanations.results import Explained, Target
from explorer.explanations.table import METHODS
from explorer.interface.explanations import cells
from explorer.interface.explanations.page_state import STATE, Question, Row
from explorer.interface.figures.heat_scales import coloured, suited_rule
from explorer.interface.figures.tile_sheet import labelled_row

GAP = 6
Results = list[list[tuple[str, Explained]]]


def code_of(question: Question, row: Row, names: Sequence[str]) -> str:
    """Return the Python lines that make the maps of a row in a notebook."""
    target = ", ".join(f"{name}={value!r}" for name, value in _changed(row.target))
    lines = [
        "from explorer.explanations.explain import explain",
        "from explorer.explanations.results import Target",
        "from explorer.networks.loading import load",
        "from explorer.networks.preprocessing import fit, prepare",
    ]
    upload = row.picture.source.startswith(("upload:", "webcam:"))
    if upload:
        lines += ["from explorer.pictures.intake import decode", ""]
        lines += ['picture = decode(open("your picture", "rb").read())']
    else:
        lines += ["from explorer.pictures.sources import resolve", ""]
        lines += [f"picture = resolve({row.picture.source!r})"]
    lines += [
        f"network = load({question.network!r}, {question.weights!r})",
        f"pictures = prepare(fit(picture.pixels, network.entry, {question.fit!r}).pixels, network.entry)",
        f"target = Target({target})",
        "",
        "maps = {}",
    ]
    for name in names:
        if row.target.kind not in METHODS[name].targets:
            lines.append(f"# {METHODS[name].title} explains a class only.")
            continue
        arguments: dict[str, Any] = {"layer": question.layer} if question.layer and METHODS[name].layer else {}
        if question.score != "logits":
            arguments["score"] = question.score
        if question.seed:
            arguments["seed"] = question.seed
        arguments |= question.of(name)
        words = "".join(f", {key}={value!r}" for key, value in arguments.items())
        lines.append(f"maps[{name!r}] = explain(network, pictures, target, {name!r}{words}).maps[0]")
    return "\n".join(lines)


def _changed(target: Target) -> list[tuple[str, Any]]:
    plain = Target()
    names = ("kind", "index", "against", "layer", "row", "column", "output")
    return [(name, getattr(target, name)) for name in names if getattr(target, name) != getattr(plain, name)]


def results(question: Question, rows: Sequence[Row], names: Sequence[str]) -> Results:
    """Return the maps that are there: for each row (method, explained).

    A download is made when it is asked for, in a thread that sees no session: what it needs is looked up before.
    """
    found = []
    for row in rows:
        kept = [(name, cells.found(question, row, METHODS[name])) for name in names]
        found.append([(name, explained) for name, explained in kept if explained is not None])
    return found


def picture_bytes(rows: Sequence[Row], there: Results, opacity: float = 0.6) -> bytes:
    """Return all maps over their pictures as one PNG."""
    drawn = []
    for row, of_row in zip(rows, there, strict=True):
        tiles: list[np.ndarray] = []
        titles: list[str] = []
        for name, explained in of_row:
            pixels = explained.fitted.pixels.astype(np.float32)
            explanation = explained.explanation
            colours = coloured(explanation.maps[0], explanation.signed, suited_rule(name)).astype(np.float32)
            if not tiles:
                tiles.append(pixels)
                titles.append(row.label)
            tiles.append((1 - opacity) * pixels + opacity * colours)
            titles.append(METHODS[name].title)
        if tiles:
            drawn.append(labelled_row([np.rint(tile).astype(np.uint8) for tile in tiles], titles))
    if not drawn:
        drawn = [np.full((60, 60, 3), 255, np.uint8)]
    width = max(row.shape[1] for row in drawn)
    sheet = np.concatenate(
        [np.pad(row, ((0, GAP), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in drawn]
    )
    target = io.BytesIO()
    Image.fromarray(sheet).save(target, "PNG", optimize=True)
    return target.getvalue()


def numbers_bytes(there: Results) -> bytes:
    """Return the maps as arrays in one .npz file, by row and method."""
    arrays = {
        f"{number}_{name}": explained.explanation.maps[0]
        for number, of_row in enumerate(there)
        for name, explained in of_row
    }
    target = io.BytesIO()
    np.savez_compressed(target, **arrays) if arrays else zipfile.ZipFile(target, "w").close()
    return target.getvalue()


def show(question: Question, rows: Sequence[Row], names: Sequence[str]) -> None:
    """Draw the buttons that keep what is shown."""
    there = results(question, rows, names)
    with st.container(horizontal=True, key="explanations_take_along"):
        with st.popover("Show the code", icon=":material/code:"):
            st.code(code_of(question, rows[0], names))
        with st.popover("Link", icon=":material/link:"):
            st.code(STATE.link(), language=None, wrap_lines=True)
            if any(row.picture.source.startswith(("upload:", "webcam:")) for row in rows):
                st.caption("An uploaded picture does not travel in a link; who opens it is asked for the picture.")
        st.download_button(
            "PNG",
            lambda: picture_bytes(rows, there),
            f"{question.network} explanations.png",
            "image/png",
            on_click="ignore",
            icon=":material/download:",
            key="explanations_png",
        )
        st.download_button(
            ".npz",
            lambda: numbers_bytes(there),
            f"{question.network} explanations.npz",
            "application/octet-stream",
            on_click="ignore",
            icon=":material/download:",
            help="All maps as NumPy arrays",
            key="explanations_npz",
        )
