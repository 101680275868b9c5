"""Numbers on the screen have as many digits as they deserve."""

import pytest

from explorer.interface.numbers import count_text, seconds_text, shape_text, share_text, value_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (960, "960"),
        (9_999, "9,999"),
        (36_314, "36.3 k"),
        (138_357_544, "138.4 M"),
        (1_500_000_000, "1.5 G"),
    ],
)
def test_big_counts_are_read_at_a_glance(count, text):
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (32.5, "32.5"),
        (-105.5, "−105.5"),
        (1 / 3, "0.3333"),
        (1234567.0, "1.23e+06"),
        (2e-7, "2.00e−07"),
        (float("nan"), "not a number"),
    ],
)
def test_values_have_four_significant_digits(value, text):
    assert value_text(value) == text


def test_a_share_never_rounds_to_none_or_all_when_it_is_not():
    assert [share_text(s) for s in (0, 0.001, 0.254, 0.999, 1)] == [
        "0\u00a0%",
        "<\u00a01\u00a0%",
        "25\u00a0%",
        ">\u00a099\u00a0%",
        "100\u00a0%",
    ]


def test_shapes_and_durations():
    assert shape_text((112, 112, 64)) == "112\u00a0×\u00a0112\u00a0×\u00a064"
    assert shape_text((None, None, 3)) == "any\u00a0×\u00a0any\u00a0×\u00a03"
    assert [seconds_text(s) for s in (0.085, 1.44, 125)] == ["85 ms", "1.4 s", "2 min 5 s"]
