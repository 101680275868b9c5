"""The scenes about depth as a script: each opens with numbers at once, and a link restores its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).parents[2] / "pages" / "gradient_flow.py"
SENTENCES = {
    "vanishing": "residual connections restore them",
    "paths": "the short ones carry the gradient",
    "degradation": "has the higher training error",
    "loss_surface": "turns rough with depth",
}


def opened(scene: str, **parameters: Any) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=120)
    app.query_params["gradient_flow_scene"] = scene
    for name, value in parameters.items():
        app.query_params[f"gradient_flow_{name}"] = str(value)
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption, *app.info, *app.warning])


@pytest.mark.parametrize("scene", SENTENCES)
def test_a_scene_opens_with_its_sentence_and_the_seed(scene: str) -> None:
    text = said(opened(scene))
    assert SENTENCES[scene] in text
    assert "seed 0" in text
    assert "holds here" in text


def test_a_link_restores_the_depth_of_a_surface_and_its_scale() -> None:
    text = said(opened("loss_surface", sur_depth=56, sur_scale="log"))
    assert "**Plain, 56 layers**" in text
    assert "Losses above 1,000,000 are cut off" in text


def test_a_link_restores_the_blocks_of_the_paths() -> None:
    assert f"{2**54:,}" in said(opened("paths", path_blocks=54))


def test_a_deep_network_that_is_not_deeper_is_told() -> None:
    assert "need more layers" in said(opened("degradation", deg_shallow=20, deg_deep=10))
