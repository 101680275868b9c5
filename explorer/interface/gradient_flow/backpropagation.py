"""The scene *Backpropagation*: two tiny networks, every number forward and backward, one operation at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from explorer.gradient_flow.by_hand import LARGEST, Place, Walk, number, with_edits
from explorer.gradient_flow.conv_walk import conv_parameters, conv_walk
from explorer.gradient_flow.sigmoid_walk import sigmoid_parameters, sigmoid_walk
from explorer.interface.components.walk import walk as walk_component
from explorer.interface.gradient_flow import frame, link_reading
from explorer.interface.gradient_flow.page_state import LARGEST_SEED, STATE
from explorer.interface.numbers import share_text, value_text

_MOST_CHARACTERS = 2000
_FIGURES = 6
_MOST_NAMED = 3

_BACKGROUND = r"""
**The chain rule, read backwards.** Each operation turns the gradient at its output into that at its inputs. For $z =
Wx + b$ these are $\frac{\partial L}{\partial W} = \frac{\partial L}{\partial z} x^\top$, $\frac{\partial L}{\partial
b} = \frac{\partial L}{\partial z}$ and $\frac{\partial L}{\partial x} = W^\top \frac{\partial L}{\partial z}$; for $h
= \sigma(z)$ the gradient is multiplied by $\sigma'(z) = h(1 - h)$. Squared error $L = \frac12 \sum (o - t)^2$ begins
with $o - t$, softmax with cross-entropy with $p - y$ at the logits.

**Convolution**: a weight of the kernel meets many pixels, so its gradient is a sum over the map: $\frac{\partial
L}{\partial k_{ab}} = \sum_{rc} \frac{\partial L}{\partial z_{rc}}\, x_{r+a,\,c+b}$, a convolution of the picture with
the map's gradient; the picture's gradient is the full convolution of the map's gradient with the flipped kernel.
**ReLU** passes the gradient where $z > 0$; at exactly 0, its kink, the slope is taken as 0. **Max pooling** gives all
to the largest value of a window; where several are largest, to the first in reading order. These conventions are
TensorFlow's.

Gradients are compared with automatic differentiation in the tests, to the last digits of 64-bit numbers.

Sources: Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors* (1986); LeCun et al.,
*Gradient-based learning applied to document recognition* (1998); Goodfellow, Bengio and Courville, *Deep Learning*,
chapter 6.5 (2016).
"""


def show() -> None:
    """Draw the scene."""
    with frame.controls():
        network = STATE.segments("hand_network", label_visibility="collapsed", on_change=_forget)
        kind = STATE.segments("hand_numbers", label_visibility="collapsed", on_change=_forget)
        seed = STATE.number("hand_seed", low=0, high=LARGEST_SEED, width=110, on_change=_forget,
                            unseen=kind == "round") or 0  # fmt: skip
        outputs = int(STATE.segments("hand_outputs", on_change=_forget, unseen=network == "conv"))
        rate = float(STATE.slider("hand_rate", width=150))
        with frame.more():
            st.button("Numbers as at first", on_click=_forget, key="gradient_flow_hand_usual", icon=":material/undo:")
            st.caption("Type over any number of the input, the weights, the biases or the target.")
    chosen = seed if kind == "random" else None
    parameters = conv_parameters(chosen) if network == "conv" else sigmoid_parameters(chosen, outputs)
    edits = _edits(parameters)
    edited = with_edits(parameters, edits)
    found = conv_walk(edited, rate) if network == "conv" else sigmoid_walk(edited, rate)
    walk_component(
        found, key=f"gradient_flow_walk_{network}",
        on_edit=lambda place, value: STATE.set("hand_edits", text_of({**edits, place: value})),
    )  # fmt: skip
    origin = f"Random numbers, seed {seed}" if kind == "random" else "Ready numbers"
    count = sum(int(np.sum(edited[name] != parameters[name])) for name in parameters)
    changed = f", {count} of them changed by hand" if count else ""
    st.caption(
        f"Amber: what the step reads; framed: what it writes. A click on a computed number goes to its step. {origin}"
        f"{changed}."
    )
    for note in found.notes:
        st.info(note, icon=":material/info:")
    _verdict(found, network, rate)
    frame.take_along("backpropagation", _code(network, chosen, outputs, edits, rate), lambda: _csv(found))
    frame.background(_BACKGROUND)


def _forget() -> None:
    STATE.set("hand_edits", "")


def _edits(parameters: Mapping[str, np.ndarray]) -> dict[Place, float]:
    """Return the changed numbers, after a word on those that are none."""
    said = STATE.linked("hand_edits")
    strange = [part for part in said[:_MOST_CHARACTERS].split(",") if part and not _is_edit(part, parameters)]
    if strange:
        words = " or ".join(link_reading.quoted(part) for part in strange[:_MOST_NAMED])
        link_reading.say(f"Changed numbers cannot be {words} as the link says; those are left as they were.")
    return read_edits(said)


def _is_edit(part: str, parameters: Mapping[str, np.ndarray]) -> bool:
    """Tell whether a part of a link names a number that can be changed, and one that can be put there."""
    edits = read_edits(part)
    # A number that is put in replaces the nothing that stood there.
    nothing = {name: np.full_like(np.asarray(values, float), np.nan) for name, values in parameters.items()}
    return any(np.isfinite(values).any() for values in with_edits(nothing, edits).values())


def read_edits(text: str) -> dict[Place, float]:
    """Return the changed numbers that a link names: "x.0=0.5,w.3=-1"; what is none or too large is left out."""
    edits: dict[Place, float] = {}
    for part in text[:_MOST_CHARACTERS].split(","):
        place, _, value = part.partition("=")
        board, _, cell = place.rpartition(".")
        try:
            at, new = (board, int(cell)), float(value)
        except ValueError:
            continue
        if abs(new) <= LARGEST:  # not a number is not
            edits[at] = new
    return edits


def text_of(edits: Mapping[Place, float]) -> str:
    """Return changed numbers as text for a link."""
    return ",".join(f"{board}.{cell}={value:.{_FIGURES}g}" for (board, cell), value in edits.items())


def _verdict(found: Walk, network: str, rate: float) -> None:
    holds = None if found.loss_after == found.loss else found.loss_after < found.loss
    first, last = ("k", "w") if network == "conv" else ("w", "v")
    sizes = [float(np.sqrt(np.mean(found.gradients[name] ** 2))) for name in (first, last)]
    ratio = f" · gradient of the first weights over that of the last: **{value_text(sizes[0] / sizes[1])}**"
    numbers = f"Loss **{number(found.loss)}**, after one step with η = {rate:g}: **{number(found.loss_after)}**"
    if holds and found.loss > 0:
        numbers += f" ({share_text(1 - found.loss_after / found.loss)} less)"
    because = "" if sizes[1] == 0 else "Compared as root mean squares of the single weights' gradients."
    frame.verdict(
        "One step against the gradient makes the loss smaller.", numbers + (ratio if sizes[1] else ""), holds, because
    )


def _csv(found: Walk) -> bytes:
    return frame.csv_bytes(
        ["step", "part", "number", "row", "column", "formula", "value"],
        [
            [
                position + 1, step.phase, found.boards[step.writes[0]].title,
                *(int(one) + 1 for one in np.unravel_index(step.writes[1], found.boards[step.writes[0]].values.shape)),
                step.formula, float(found.boards[step.writes[0]].values.flat[step.writes[1]]),
            ]
            for position, step in enumerate(found.steps)
        ],
    )  # fmt: skip


def _code(network: str, seed: int | None, outputs: int, edits: Mapping[Place, float], rate: float) -> str:
    which = "conv" if network == "conv" else "sigmoid"
    arguments = ", ".join(
        filter(None, ["" if seed is None else str(seed), "" if which == "conv" else f"outputs={outputs}"])
    )
    lines = [
        f"from explorer.gradient_flow.{which}_walk import {which}_parameters, {which}_walk",
        "from explorer.gradient_flow.by_hand import with_edits" if edits else "",
        "",
        f"numbers = {which}_parameters({arguments})",
        f"numbers = with_edits(numbers, {dict(edits)!r})" if edits else "",
        f"walk = {which}_walk(numbers, rate={rate:g})",
        "print(walk.loss, walk.loss_after)",
        "for step in walk.steps:",
        '    print(step.phase, "".join(text for text, _ in step.pieces))',
    ]
    return "\n".join(line for position, line in enumerate(lines) if line or position == 2) + "\n"
