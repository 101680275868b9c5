"""A link written by hand or by code: names in code are understood and kept, numbers that are none are left out."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from explorer.interface.state import Item, PageState

    titles = {"classes": "Classes", "channels": "Single channels"}
    state = PageState(
        "page",
        [
            Item("mode", "classes", "Mode", options=tuple(titles)),
            Item("list", "classes", "List", options=tuple(titles)),
            Item("seed", 0, "Seed"),
            Item("share", 0.5, "Share", low=0.0, high=1.0, step=0.1),
        ],
    )
    mode = state.segments("mode", format_func=titles.__getitem__)
    named = state.selectbox("list", format_func=titles.__getitem__)
    seed = state.number("seed", low=0, high=100)
    share = state.slider("share")
    st.markdown(f"{mode} {named} {seed} {share}")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page, default_timeout=60)


def shown(app: AppTest) -> str:
    assert not app.exception
    return str(app.markdown[0].value)


@pytest.mark.parametrize("written", ["channels", "Single channels"])
def test_an_option_is_understood_by_its_name_in_code_and_in_print(app, written):
    app.query_params["page_mode"] = written
    app.query_params["page_list"] = written
    assert shown(app.run()) == "channels channels 0 0.5"
    for name in ("page_mode", "page_list"):
        assert app.query_params[name] in ("Single channels", ["Single channels"]), "it stays in the address"
    assert shown(app.run()) == "channels channels 0 0.5"


@pytest.mark.parametrize("written", ["1e999", "-1e999", "9" * 400, "nan", "inf", "seven", ""])
def test_a_number_that_is_none_leaves_the_default(app, written):
    app.query_params["page_seed"] = written
    app.query_params["page_share"] = written
    assert shown(app.run()) == "classes classes 0 0.5"
    assert not app.query_params.get("page_seed") or app.query_params["page_seed"] == [""]


def test_a_good_number_is_taken(app):
    app.query_params["page_seed"] = "7"
    app.query_params["page_share"] = "0.3"
    assert shown(app.run()) == "classes classes 7 0.3"
