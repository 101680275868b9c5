"""What several scenes share."""

from __future__ import annotations

import pytest

from explorer.convolution.scenes.parts import ACTIVATIONS
from explorer.convolution.sum_line import activation_word


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "linear"])
def test_an_activation_has_the_same_words_in_its_menu_and_in_the_sum(name):
    assert ACTIVATIONS[name] == activation_word(name)
