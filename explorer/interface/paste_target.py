"""Lets a visitor paste a screenshot: hands pasted pictures to an upload field of the same page."""

from __future__ import annotations

from streamlit.components.v2 import component

_JAVASCRIPT = """
const listeners = new WeakMap();

export default function ({ data, parentElement }) {
  listeners.get(parentElement)?.abort();
  const controller = new AbortController();
  listeners.set(parentElement, controller);

  const onPaste = (event) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    const field = document.querySelector(`.st-key-${data.field} input[type=file]`);
    if (!pictures.length || !field) return;
    event.preventDefault();
    const transfer = new DataTransfer();
    transfer.items.add(pictures[0]);
    field.files = transfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", onPaste, { signal: controller.signal });
  return () => controller.abort();
}
"""
_HTML = "<p>… or paste a screenshot with <kbd>Ctrl</kbd> <kbd>V</kbd></p>"
_CSS = """
p { margin: 0; font-size: 0.875rem; color: var(--st-text-color); opacity: 0.75; }
kbd {
  font-family: inherit; font-size: 0.8rem; padding: 0 0.3em;
  border: 1px solid var(--st-border-color); border-radius: 0.25em;
}
"""
_paste_target = component("paste_target", html=_HTML, css=_CSS, js=_JAVASCRIPT)


def paste_target(field_key: str, *, key: str) -> None:
    """Say that a screenshot can be pasted, and hand what is pasted to the upload field with key `field_key`.

    Only pictures are taken, and only while the field is on the page; pasting text elsewhere stays as it is.
    """
    _paste_target(data={"field": field_key}, key=key)
