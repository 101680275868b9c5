"""What one takes along from the filters page: the code, the link, the images as PNG, their growth as GIF."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from explorer.ascent import code
from explorer.ascent.results import DreamPlan, Plan
from explorer.interface.figures.gif_file import CLEAR, GIF_END, gif_blocks
from explorer.interface.filters import album
from explorer.interface.filters.wishes import STATE
from explorer.pictures.sources import DEFAULT_SOURCE

Frames = Sequence[tuple[int, np.ndarray]]
_GAP, _TEXT, _HEAD = 8, 32, 40
_GIF_SIDE = 1200


def _printable(text: str) -> str:
    """Return text in letters that Pillow's own font has."""
    for sign, plain in (("−", "-"), ("×", "x"), ("·", "-"), ("…", "..."), ("\u00a0", " ")):
        text = text.replace(sign, plain)
    return text


def png(images: np.ndarray, labels: Sequence[tuple[str, str]], title: str, small_print: str) -> bytes:
    """Return images with their labels, a title and how they were made, as one PNG to keep.

    Args:
        images: uint8 `(n, h, w, 3)`.
        labels: title and number under each.
        title: first line.
        small_print: second line.
    """
    count, height, width = images.shape[:3]
    zoom = max(1, round(160 / max(height, width)))
    columns = min(count, 6 if count > 8 else 4)
    cell_w, cell_h = width * zoom + _GAP, height * zoom + _GAP + _TEXT
    font, small = ImageFont.load_default(16), ImageFont.load_default(12)
    lines = [_printable(title), _printable(small_print)]
    page_w = max(columns * cell_w + _GAP, *(int(f.getlength(line)) + 2 * _GAP for f, line in zip((font, small), lines)))  # noqa: B905
    page = Image.new("RGB", (page_w, -(-count // columns) * cell_h + _GAP + _HEAD), "white")
    pen = ImageDraw.Draw(page)
    pen.text((_GAP, 5), lines[0], fill="black", font=font)
    pen.text((_GAP, 25), lines[1], fill="#555555", font=small)
    for position, (image, (name, number)) in enumerate(zip(images, labels, strict=True)):
        x, y = _GAP + position % columns * cell_w, _HEAD + _GAP + position // columns * cell_h
        page.paste(Image.fromarray(image).resize((width * zoom, height * zoom), Image.Resampling.BICUBIC), (x, y))
        pen.text((x, y + height * zoom + 2), _printable(name), fill="black", font=small)
        pen.text((x, y + height * zoom + 16), _printable(number), fill="#555555", font=small)
    target = io.BytesIO()
    page.save(target, "PNG")
    return target.getvalue()


def _board(images: np.ndarray) -> np.ndarray:
    """Return images beside each other, as square as may be, with a thin white gap."""
    count, height, width = images.shape[:3]
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    board = np.full((rows * (height + 4) - 4, columns * (width + 4) - 4, 3), 255, np.uint8)
    for position, image in enumerate(images):
        y, x = position // columns * (height + 4), position % columns * (width + 4)
        board[y : y + height, x : x + width] = image
    return board


def gif(frames: Frames) -> bytes:
    """Return the growth as an animated GIF that repeats; the finished images stand still for two seconds.

    Args:
        frames: (step, uint8 `(n, h, w, 3)`), the last the finished images.
    """
    boards = [_board(images) for _, images in frames]
    height, width = boards[0].shape[:2]
    small = min(1.0, _GIF_SIDE / max(height, width))
    if small < 1:
        size = (round(width * small), round(height * small))
        boards = [np.asarray(Image.fromarray(board).resize(size, Image.Resampling.LANCZOS)) for board in boards]
    # One table of colours for all, taken from the whole growth; the last number says "as before".
    every = Image.fromarray(np.concatenate(boards[:: max(1, len(boards) // 8)] + [boards[-1]]))
    table = every.quantize(CLEAR, method=Image.Quantize.MEDIANCUT)
    pictures = [Image.fromarray(board).quantize(palette=table, dither=Image.Dither.NONE) for board in boards]
    seconds = [0.12] * (len(pictures) - 1) + [2.0]
    return b"".join([*gif_blocks(pictures, table, seconds), GIF_END])


def plan_words(plan: Plan | DreamPlan) -> str:
    """Return how images were made, in a line."""
    if isinstance(plan, DreamPlan):
        layers = ", ".join(f"{path} {weight:g}" for path, weight in plan.layers)
        return f"{plan.octaves} octaves of {plan.steps} steps, {layers}"
    what = {
        "class_evidence": "class evidence in the middle", "class": "class logit", "channel": "mean of the channel",
        "neuron": "one value of the channel",
    }.get(plan.objective, plan.objective)  # fmt: skip
    shaken = "shaken" if any((plan.transforms.jitter, plan.transforms.scale, plan.transforms.rotate)) else "unshaken"
    return (
        f"{what}, {plan.parameterisation}, {shaken}, {plan.steps} steps, "
        f"learning rate {plan.learning_rate:g}, seed {plan.seed}"
    )


def code_of(plan: Plan | DreamPlan, source: str) -> str:
    """Return the notebook lines that grow what the stage shows, from the picture that it grew from."""
    source = source or DEFAULT_SOURCE
    return code.dream_code(plan, source) if isinstance(plan, DreamPlan) else code.code(plan, source)


def board_png(board: Sequence[album.Shown], titles: Sequence[str], title: str, small_print: str) -> bytes:
    """Return the stage as PNG; places without an image are left out."""
    there = [(one, name) for one, name in zip(board, titles, strict=True) if one.image is not None]
    labels = [(name, album.quality_words(one.quality)[0]) for one, name in there]
    return png(album.pixels_of([one for one, _ in there]), labels, title, small_print)


def dream_png(image: np.ndarray) -> bytes:
    """Return one image as a PNG without anything around it."""
    target = io.BytesIO()
    Image.fromarray(image).save(target, "PNG")
    return target.getvalue()


def row(
    plan: Plan | DreamPlan,
    source: str,
    *,
    key: str,
    name: str,
    make_png: Callable[[], bytes] | None = None,
    frames: Frames = (),
    before: Callable[[], object] | None = None,
) -> None:
    """Draw the row of buttons.

    Args:
        plan: what the images on the stage were made with, for the code.
        source: of the picture that they were made from, or "".
        key: keeps the buttons of the modes apart.
        name: of the files.
        make_png: makes the PNG when it is asked for; None while there is no image.
        frames: of the growth, where there is one.
        before: draws what stands in front of the buttons.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_take_along"):
        if before is not None:
            before()
        with st.popover("Show the code", icon=":material/code:"):
            st.code(code_of(plan, source), language="python")
        with st.popover("Link", icon=":material/link:"):
            st.code(STATE.link(), language=None, wrap_lines=True)
            st.caption(
                "Whoever opens it finds this stage and these settings. Nothing grows by itself there: *Grow* makes the "
                "same images from the same seed. "
                "Append `&hide=network,more` to hide controls, by their names in links."
            )
        if make_png is not None:
            st.download_button(
                "PNG", make_png, f"{name}.png", "image/png", on_click="ignore", key=f"{key}_png",
                icon=":material/download:",
            )  # fmt: skip
        if len(frames) > 1:
            st.download_button(
                "GIF of the growth", lambda: gif(frames), f"{name}.gif", "image/gif", on_click="ignore",
                key=f"{key}_gif", icon=":material/animation:",
            )  # fmt: skip
