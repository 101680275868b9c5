"""What makes a view, declared once per page: it drives the widgets, the link, *Reset* and what a link hides."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

BIND: Literal["query-params"] = "query-params"
LARGEST_NUMBER = 2.0**53
"""What a browser's number can hold exactly; no setting is as large."""


@dataclass(frozen=True)
class Item:
    """One shareable property of a view.

    Attributes:
        name: its name within the page; the link's parameter is `<page>_<name>`.
        default: its value when a link says nothing; `None` for a default that depends on the other settings.
        label: what a visitor calls it.
        options: the allowed values of a choice; empty when they depend on the other settings.
        low: smallest number.
        high: largest number.
        step: step of a slider or number.
        help: one sentence behind the "i".
        format: how an option is printed, and so how it stands in the link.
    """

    name: str
    default: Any
    label: str
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    step: float | None = None
    help: str | None = None
    format: Callable[[Any], str] = str


def _default_of(key: str) -> str:
    """Return where the session remembers a default that depends on the other settings."""
    return f"_default_{key}"


def _came_back() -> bool:
    """Tell whether this run of the page is due to the browser's Back or Forward."""
    context = get_script_run_ctx(suppress_warning=True)
    return bool(getattr(context, "is_history_navigation", False))


def show_in(widget: str, value: Any) -> None:
    """Have a widget show a value, unless it does so already.

    To write what a widget shows already is no idle word: it travels to the browser and there takes the place of what
    was clicked meanwhile, and the next look at a running job brings the old value back as if it were a click.
    """
    if widget not in st.session_state or st.session_state[widget] != value:
        st.session_state[widget] = value


def _reword(key: str, text: str | None) -> None:
    """Have the link say something else of a property before its widget reads it; None takes it out.

    Streamlit drops a text that it does not know from the address (and at the next load from the page), and stops the
    page at a number that is none, such as infinity.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    with context.session_state.query_params() as parameters:
        if parameters.is_bound(key):
            return  # read already
        if text is None:
            parameters._initial_query_params.pop(key, None)
        else:
            parameters._initial_query_params[key] = [text]
    if text is not None:
        st.query_params[key] = text
    elif key in st.query_params:
        del st.query_params[key]


UNSHARED = frozenset({"run_key"})
"""Parameters of the address that open what is somebody's own: no page puts them into the link that it offers."""


class PageState:
    """The declared properties of one page, as widgets bound to the address.

    A control named in the link's `hide=a,b` is still there and still takes its value from the link, only
    unseen: so a teacher sets the stage. `hide=all` hides every control; what is clicked on the stage itself
    (a layer, a channel, a cell) stays.
    """

    def __init__(self, page: str, items: Sequence[Item]):
        """Declare the properties of `page` (its address without the slash)."""
        self.page = page
        self.items = {item.name: item for item in items}

    def key(self, name: str) -> str:
        """Return the widget key and link parameter of a property."""
        return f"{self.page}_{self.items[name].name}"

    def value(self, name: str) -> Any:
        """Return the current value, or the default before the widget has been drawn."""
        return st.session_state.get(self.key(name), self.items[name].default)

    def set(self, name: str, value: Any) -> None:
        """Change a value from a callback, before the widgets of the next run are drawn."""
        st.session_state[self.key(name)] = value

    def reset(self) -> None:
        """Take every property of the page back to its default (call from a callback).

        A bound parameter may not be taken out of the address by hand: Streamlit drops it when its widget has
        the default again.
        """
        for name, item in self.items.items():
            key = self.key(name)
            st.session_state[key] = st.session_state.get(_default_of(key), item.default)
        st.session_state.pop(self._kept, None)

    def remember(self) -> None:
        """Keep what the widgets that are drawn say; Streamlit forgets a widget that is not drawn."""
        session = st.session_state.to_dict()
        kept = session.get(self._kept, {})
        drawn = {name: session[self.key(name)] for name in self.items if self.key(name) in session}
        st.session_state[self._kept] = {**kept, **drawn}

    def bring_back(self) -> None:
        """Have widgets that are about to be drawn again say what they said last (call from a callback)."""
        for name, value in st.session_state.get(self._kept, {}).items():
            if name in self.items and self.key(name) not in st.session_state:
                self.set(name, value)

    @property
    def _kept(self) -> str:
        return f"_kept_{self.page}"

    def link_parameters(self) -> dict[str, str]:
        """Return what a link must say to bring this view back: every value that is not the default, by its name."""
        said = {}
        # One look at the session: each single one costs a walk through all that the page has drawn.
        session = st.session_state.to_dict()
        for name, item in self.items.items():
            key = self.key(name)
            value = session.get(key, item.default)
            if value not in (None, "", session.get(_default_of(key), item.default)):
                said[key] = str(value)
        return said

    def link(self) -> str:
        """Return the address that brings this view back."""
        others = {
            name: value
            for name, value in st.query_params.items()
            if value and not name.startswith(f"{self.page}_") and name not in UNSHARED
        }
        query = urlencode(dict(sorted({**others, **self.link_parameters()}.items())))
        address = (st.context.url or "").split("?")[0]
        return f"{address}?{query}" if query else address

    def hidden(self, name: str) -> bool:
        """Tell whether the link hides this control."""
        wanted = {part.strip() for part in st.query_params.get("hide", "").split(",")}
        return name in wanted or "all" in wanted

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Give controls that are no declared property (the picture, a menu) a name that a link can hide."""
        if self.hidden(name):
            with st.container(key=f"unseen_{self.page}_{name}"):
                yield
        else:
            yield

    @contextmanager
    def _spot(self, name: str, unseen: bool, which: str = "") -> Iterator[None]:
        """Give the widget a container; an unseen one keeps its value and its binding without a place on screen."""
        if unseen or self.hidden(name):
            with st.container(key=f"unseen_{self.key(name)}{which}"):
                yield
        else:
            yield

    def _allow(self, name: str, options: Sequence[Any], default: Any, printed: Callable[[Any], str]) -> None:
        """Replace a value that the other settings no longer allow; read a link's value also by its name in code.

        Streamlit writes options into the address as they are printed ("MobileNetV2", "By number"); a link
        written by hand or by code names them as code does ("strength").
        """
        key = self.key(name)
        if key not in st.session_state:
            named = st.query_params.get(key)
            if named in options and printed(named) != named:
                st.session_state[key] = named
                _reword(key, printed(named))
        elif st.session_state[key] not in options:
            # To delete it would leave the old value on the visitor's screen: the widget stays the same one.
            st.session_state[key] = default

    def selectbox(
        self, name: str, options: Sequence[Any] | None = None, *, index: int | None = None, **more: Any
    ) -> Any:
        """Draw a choice as a list to pick from and return it."""
        item = self.items[name]
        choices = list(item.options if options is None else options)
        if index is None:
            index = choices.index(item.default) if item.default in choices else 0
        self._allow(name, choices, choices[index], more.get("format_func", item.format))
        st.session_state[_default_of(self.key(name))] = choices[index]
        more.setdefault("format_func", item.format)
        with self._spot(name, more.pop("unseen", False)):
            value = st.selectbox(
                item.label, choices, index=index, key=self.key(name), bind=BIND, help=item.help, **more
            )
        return value if value in choices else choices[index]

    def segments(self, name: str, **more: Any) -> Any:
        """Draw a choice among few as one row of buttons and return it; the last pressed stays pressed."""
        item = self.items[name]
        self._allow(name, item.options, item.default, more.get("format_func", item.format))
        more.setdefault("format_func", item.format)
        with self._spot(name, more.pop("unseen", False)):
            value = st.segmented_control(
                item.label,
                list(item.options),
                default=item.default,
                required=True,
                key=self.key(name),
                bind=BIND,
                help=item.help,
                **more,
            )
        return value if value in item.options else item.default

    def linked(self, name: str) -> str:
        """Return a property that no widget holds: first from the link, then what callbacks `set`; the address follows.

        A part of the page that is drawn again and again has the browser send all its widgets each time, and what it
        sends may be older than a click that is on its way: a text field would take the old value for a new one, and
        the click would be undone.
        """
        key = self.key(name)
        if key not in st.session_state or _came_back():
            st.session_state[key] = st.query_params.get(key, self.items[name].default)
        text = str(st.session_state[key] or "")
        said = "" if text == self.items[name].default else text
        if st.query_params.get(key, "") != said:
            if said:
                st.query_params[key] = said
            else:
                del st.query_params[key]
        return text

    def pick(
        self,
        name: str,
        options: Sequence[str],
        *,
        index: int = 0,
        on_change: Callable[[], None] | None = None,
        **more: Any,
    ) -> str:
        """Draw a choice whose printed names change with what is shown, and return it by its name in code.

        The link holds the name in code (see `linked`); the visible list is bound to nothing.
        """
        item = self.items[name]
        chosen = self.linked(name)
        default = options[index]
        chosen = chosen if chosen in options else default
        shown = f"{self.key(name)}_shown"

        def changed() -> None:
            picked = st.session_state[shown]
            self.set(name, "" if picked == default else picked)
            if on_change is not None:
                on_change()

        show_in(shown, chosen)
        with self._spot(name, more.pop("unseen", False), "_shown"):
            st.selectbox(item.label, list(options), key=shown, on_change=changed, help=item.help, **more)
        return chosen

    def several(self, name: str, **more: Any) -> list[str]:
        """Draw a choice of several among few as buttons, and return the chosen ones in the order of the options.

        The link holds their names in code with commas between; "-" stands for none.
        """
        item = self.items[name]
        wanted = self.linked(name).split(",")
        chosen = [option for option in item.options if option in wanted]
        if not chosen and wanted != ["-"]:
            chosen = [option for option in item.options if option in str(item.default).split(",")]
        shown = f"{self.key(name)}_shown"

        def changed() -> None:
            picked = st.session_state[shown]
            self.set(name, ",".join(option for option in item.options if option in picked) or "-")

        # The browser lists them in the order of the clicks.
        if set(st.session_state.get(shown) or ()) != set(chosen):
            st.session_state[shown] = chosen
        more.setdefault("format_func", item.format)
        with self._spot(name, more.pop("unseen", False), "_shown"):
            st.pills(
                item.label,
                list(item.options),
                selection_mode="multi",
                key=shown,
                on_change=changed,
                help=item.help,
                **more,
            )
        return chosen

    def switch(self, name: str, **more: Any) -> bool:
        """Draw a switch that is on or off and return whether it is on."""
        item = self.items[name]
        with self._spot(name, more.pop("unseen", False)):
            return st.toggle(
                item.label, value=bool(item.default), key=self.key(name), bind=BIND, help=item.help, **more
            )

    def _only_finite(self, name: str) -> None:
        """Take a number out of the link that is not finite, or larger than any setting."""
        key = self.key(name)
        if key in st.session_state or (said := st.query_params.get(key)) is None:
            return
        try:
            finite = abs(float(said)) < LARGEST_NUMBER
        except ValueError:
            finite = False
        if not finite:
            _reword(key, None)

    def slider(self, name: str, **more: Any) -> Any:
        """Draw a number between its limits and return it."""
        item = self.items[name]
        self._only_finite(name)
        with self._spot(name, more.pop("unseen", False)):
            return st.slider(
                item.label,
                item.low,
                item.high,
                value=item.default,
                step=item.step,
                key=self.key(name),
                bind=BIND,
                help=item.help,
                **more,
            )

    def number(self, name: str, *, low: int, high: int, **more: Any) -> int | None:
        """Draw a whole number between limits that depend on the other settings and return it; it may be empty."""
        item = self.items[name]
        key = self.key(name)
        self._only_finite(name)
        kept = st.session_state.get(key)
        if kept is not None and not (isinstance(kept, int | float) and low <= kept <= high):
            st.session_state[key] = item.default
        with self._spot(name, more.pop("unseen", False)):
            value = st.number_input(
                item.label,
                min_value=low,
                max_value=high,
                value=item.default,
                step=1,
                key=key,
                bind=BIND,
                help=item.help,
                **more,
            )
        return None if value is None else int(value)

    def pagination(self, name: str, pages: int, **more: Any) -> int:
        """Draw the numbers of so many pages and return the chosen one, counted from 1."""
        key = self.key(name)
        self._only_finite(name)
        kept = st.session_state.get(key)
        if kept is not None and not (isinstance(kept, int) and 1 <= kept <= pages):
            st.session_state[key] = self.items[name].default
        with self._spot(name, more.pop("unseen", False)):
            chosen = st.pagination(pages, default=self.items[name].default, key=key, bind=BIND, **more)
        return min(max(1, chosen), pages)

    def text(self, name: str, **more: Any) -> str:
        """Draw a short text and return it."""
        item = self.items[name]
        with self._spot(name, more.pop("unseen", False)):
            return st.text_input(item.label, value=item.default, key=self.key(name), bind=BIND, help=item.help, **more)


def hide_unseen() -> None:
    """Take the unseen widgets of this page off the screen; call once per page."""
    # The wrapper too: it would leave its share of the gap.
    st.html(
        '<style>[class*="st-key-unseen_"], [data-testid="stLayoutWrapper"]:has(> [class*="st-key-unseen_"])'
        "{ display: none; }</style>"
    )
