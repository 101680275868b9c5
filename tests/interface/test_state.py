"""What is chosen on a page that is drawn again and again stays chosen: nothing old that the browser sends undoes it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from explorer.interface.state import Item, PageState

    state = PageState(
        "page",
        [Item("methods", "b", "Methods", options=("a", "b", "c", "d")), Item("target", "", "Class")],
    )
    methods = state.several("methods")
    target = state.pick("target", ["cat", "fish", "sun"])
    st.markdown(f"{','.join(methods)} {target}")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page, default_timeout=30)


def shown(app: AppTest) -> str:
    assert not app.exception
    return str(app.markdown[0].value)


def test_a_choice_comes_out_of_the_link_and_goes_back_into_it(app):
    app.query_params["page_methods"] = "d,a"
    app.query_params["page_target"] = "sun"
    assert shown(app.run()) == "a,d sun"
    app.selectbox[0].select("fish").run()
    assert shown(app) == "a,d fish"
    assert app.query_params["page_target"] in ("fish", ["fish"])
    app.selectbox[0].select("cat").run()
    app.get("button_group")[0].set_value(["b"]).run()
    assert shown(app) == "b cat"
    assert not app.query_params, "defaults stand in no link"


def test_no_widget_holds_what_the_link_says(app):
    app.run()
    # A look at a running job sends the value of every widget, which may be older than a click.
    assert not app.text_input
    assert {app.selectbox[0].key, app.get("button_group")[0].key} == {"page_target_shown", "page_methods_shown"}


def test_what_was_clicked_is_not_written_back_over_later_clicks(app):
    app.run()
    for clicked in (["b", "a"], ["b", "a", "d"], ["a", "d"]):
        app.get("button_group")[0].set_value(clicked)
        app.selectbox[0].select("sun")
        app.run()
        assert shown(app) == f"{','.join(sorted(clicked))} sun"
        assert not app.get("button_group")[0].proto.set_value
        assert not app.selectbox[0].proto.set_value
