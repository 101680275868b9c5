"""Learning rates of several optimisers: read out of a link, and changed one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping

import streamlit as st

from explorer.gradient_flow.optimisers import OPTIMISERS
from explorer.interface.gradient_flow import link_reading
from explorer.interface.gradient_flow.page_state import STATE

LARGEST_RATE = 1e6
_MOST_CHARACTERS = 400


def read_rate(text: str) -> float | None:
    """Return a learning rate out of a text, 0 to a million; None for anything else."""
    try:
        rate = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return rate if math.isfinite(rate) and 0 <= rate <= LARGEST_RATE else None


def read_rates(text: str, usual: Mapping[str, float]) -> dict[str, float]:
    """Return a rate for every optimiser: what the text says of it ("sgd=0.1,adam=0.01"), else its usual one."""
    rates = dict(usual)
    for part in text[:_MOST_CHARACTERS].split(","):
        if (said := _read_part(part, usual)) is not None:
            rates[said[0]] = said[1]
    return rates


def unread_parts(text: str, usual: Mapping[str, float]) -> list[str]:
    """Return the parts of a text that `read_rates` leaves out."""
    return [part for part in text.split(",") if part.strip() and _read_part(part, usual) is None]


def _read_part(part: str, known: Mapping[str, float]) -> tuple[str, float] | None:
    name, _, said = part.partition("=")
    rate = read_rate(said)
    return (name.strip(), rate) if name.strip() in known and rate is not None else None


def text_of(rates: Mapping[str, float], usual: Mapping[str, float]) -> str:
    """Return rates as text for a link: those that differ from the usual ones."""
    return ",".join(f"{name}={rate:g}" for name, rate in rates.items() if rate != usual[name])


def fields(item: str, usual: Mapping[str, float], about: str) -> dict[str, float]:
    """Draw a field for each optimiser's learning rate and return the rates.

    Args:
        item: the property that holds them in the link.
        usual: a rate for each optimiser.
        about: what they belong to, which makes the fields' keys.
    """
    said = STATE.linked(item)
    rates = read_rates(said, usual)
    if unread := unread_parts(said, usual):
        words = " or ".join(link_reading.quoted(part) for part in unread)
        link_reading.say(f"Learning rates cannot be {words} as the link says; the usual ones are taken for these.")
    places = st.columns(2)
    for number, (name, rate) in enumerate(rates.items()):
        key = f"gradient_flow_{item}_{about}_{name}_{rate:g}"

        def changed(name: str = name, key: str = key) -> None:
            value = st.session_state[key]
            if value is not None:
                STATE.set(item, text_of({**rates, name: float(value)}, usual))

        with places[number % 2]:
            st.number_input(
                OPTIMISERS[name].title, 0.0, LARGEST_RATE, float(rate), step=None, format="%g", key=key,
                on_change=changed,
            )  # fmt: skip
    return rates
