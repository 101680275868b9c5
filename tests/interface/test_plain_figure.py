"""Figures that are only their JSON: Streamlit sends them as they are, and Plotly finds nothing wrong with them."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from explorer.interface.figures.plain_figure import PlainFigure, plain_base, title_above
from explorer.interface.theme import DARK, LIGHT


def example(colours=LIGHT):
    figure = plain_base(colours, height=200)
    figure.add("bar", x=[1, 2], y=[3, 4])
    figure.lay_out(xaxis={"title": {"text": "depth"}})
    figure.lay_out(xaxis={"title": {"standoff": 4}}, showlegend=True)
    figure.line_across(3.5, {"width": 1}, {"text": "the picture", "font": {"size": 11}})
    title_above(figure, "pixels", colours)
    return figure


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_plotly_finds_every_property_in_its_schema(colours):
    figure = go.Figure(example(colours).to_dict())
    assert figure.layout.xaxis.title.to_plotly_json() == {"text": "depth", "standoff": 4}
    assert figure.layout.showlegend and figure.layout.yaxis.title.text is None
    assert [one.text for one in figure.layout.annotations] == ["the picture", "pixels"]
    assert figure.layout.font.color == colours.text


def test_plotly_refuses_what_it_does_not_know():
    figure = PlainFigure()
    figure.add("bar", hieght=3)
    with pytest.raises(ValueError, match="hieght"):
        go.Figure(figure.to_dict())


def test_one_axis_is_set_without_the_other():
    figure = plain_base(LIGHT, height=200)
    figure.lay_out(xaxis={"showgrid": False})
    assert "showgrid" not in figure.to_dict()["layout"]["yaxis"]


def test_a_trace_more_leaves_the_shared_figure_alone():
    kept = example()
    before = json.dumps(kept.to_dict())
    assert len(kept.with_trace("bar", x=[1], y=[3]).to_dict()["data"]) == 2
    assert json.dumps(kept.to_dict()) == before


def test_streamlit_sends_it_unchanged_and_without_a_template():
    def page():
        import streamlit as st

        from tests.interface.test_plain_figure import example

        st.plotly_chart(example(), key="chart")

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert json.loads(app.get("plotly_chart")[0].proto.spec) == example().to_dict()
