"""Where on the gradient flow page one is: choosing what is chosen already is no step to another place."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def _asked_to_go(name: str, value: str) -> None:
    import streamlit as st

    from explorer.interface.gradient_flow import places
    from explorer.interface.gradient_flow.page_state import STATE

    before = st.query_params.to_dict()
    places.go_to(name, value)
    st.session_state["place"] = places.place()
    st.session_state["value"] = STATE.value(name)
    st.session_state["remembered"] = "_gradient_flow_addresses" in st.session_state
    st.session_state["rewritten"] = st.query_params.to_dict() != before


def went(name: str, value: str, **address: str) -> AppTest:
    app = AppTest.from_function(_asked_to_go, kwargs={"name": name, "value": value})
    for key, said in address.items():
        app.query_params[f"gradient_flow_{key}"] = said
    app.session_state["gradient_flow_scene"] = address["scene"]
    app.session_state["gradient_flow_opt_view"] = address.get("opt_view", "surface")
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize(("name", "value"), [("opt_view", "weights"), ("scene", "optimisers")])
def test_a_place_that_is_chosen_again_is_not_left(name, value):
    app = went(name, value, scene="optimisers", opt_view="weights", reg_l1="0.01")
    assert not app.session_state["remembered"]
    assert not app.session_state["rewritten"]
    assert app.session_state["place"] == ("optimisers", "weights")


def test_another_place_is_gone_to_and_the_one_before_remembered():
    app = went("scene", "vanishing", scene="optimisers", opt_view="weights", reg_l1="0.01")
    assert app.session_state["remembered"]
    assert app.session_state["value"] == "vanishing"
    assert app.session_state["place"][0] == "vanishing"
