"""Python's door to the sentence below a camera's field: it says why there is no moving picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.interface.components.registration import register

_sentence = register("camera_state")

SENTENCES = {
    "insecure": "Browsers give a camera only to pages at https:// or on this computer: ask for such an address, or "
    "choose files.",
    "none": "The browser finds no camera on this device: plug one in and try again, or choose files.",
    "denied": "The browser keeps the camera from this page: allow it at the symbol beside the address, then try again.",
    "asked": "The browser asks whether this page may use the camera: allow it, and try again if it asks no longer.",
    "still": "The camera sends no picture: close whatever else uses it, then try again.",
}
"""What is said where the address is not safe enough, where no device is there, where it is forbidden, where nobody has
decided, and where it is silent."""


def camera_state(field_key: str, *, key: str, on_again: Callable[[], None]) -> Any:
    """Say why the camera's field with key `field_key` shows no moving picture, as long as it shows none.

    Only the browser knows: it is asked which devices there are and what this page may use. Without a device, or where
    it is forbidden, the field is not shown at all.

    Args:
        field_key: Streamlit key of the `camera_input`.
        key: Streamlit key of the sentence.
        on_again: called when the visitor wants the camera to be tried once more; give the field a new key.
    """
    return _sentence(key=key, data={"field": field_key, "sentences": SENTENCES}, on_again_change=on_again)
