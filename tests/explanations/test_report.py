"""A report is one file that shows what was computed, says what it means, and does nothing."""

from __future__ import annotations

import base64
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from explorer.explanations import faithfulness
from explorer.explanations.colouring import coloured
from explorer.explanations.report import (
    Report,
    ReportedClass,
    ReportedMap,
    number_words,
    percent,
    report,
    reported_map,
    target_words,
    text,
)
from explorer.explanations.report_look import curves_chart, matrix_colour, overlaid
from explorer.explanations.results import Cost, Curve, Explanation, Fact, MapScores, Scores, Target

PICTURE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
VALUES = np.linspace(0, 1, 24 * 32, dtype=np.float32).reshape(24, 32)
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe'


class Seen(HTMLParser):
    """What a browser would find: elements with their attributes, and the text."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def curve(values: list[float]) -> Curve:
    shares = np.linspace(0, 1, len(values), dtype=np.float32)
    return Curve(shares, np.array(values, np.float32), float(np.trapezoid(values, shares)))


def scores(*names: str, hit: bool | None = None) -> Scores:
    rows = [
        MapScores(
            name, curve([0, 0.5 + 0.1 * i, 1]), curve([1, 0.5 - 0.1 * i, 0]), hit, None if hit is None else 0.5, None
        )
        for i, name in enumerate(names)
    ]
    return Scores(tuple(rows), np.eye(len(rows), dtype=np.float32), 0.1)


def content(**changes: object) -> Report:
    said: dict = {
        "title": "cat.png",
        "picture": PICTURE,
        "network": "Drawn world",
        "weights": "trained",
        "classes": (ReportedClass("cat", 0.9, 4.2), ReportedClass("sun", 0.1, -1.25)),
        "maps": (
            ReportedMap("saliency", VALUES, False, "cat", 4.2),
            ReportedMap("gradient_input", VALUES - 0.5, True, "cat", 4.2),
        ),
        "made": datetime(2030, 1, 2, 3, 4, tzinfo=UTC),
    }
    return Report(**{**said, **changes})


def images(data: bytes) -> list[np.ndarray]:
    found = re.findall(rb"data:image/(?:png|webp);base64,([A-Za-z0-9+/=]+)", data)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in found]


def test_a_report_shows_the_picture_and_each_map_in_its_true_colours() -> None:
    picture, over, alone, _, signed = images(report(content()))
    assert np.array_equal(picture, PICTURE)
    assert np.array_equal(alone, coloured(VALUES, False)) and np.array_equal(signed, coloured(VALUES - 0.5, True))
    assert np.array_equal(over, overlaid(PICTURE, VALUES, False))


def test_values_below_zero_show_in_the_colours_and_the_legend_of_an_unsigned_map() -> None:
    data = report(content(maps=(ReportedMap("rise", -VALUES - 1, False, "cat", 1.0),)))
    assert np.array_equal(images(data)[2], coloured(-VALUES - 1, True))
    words = Seen(data).text
    assert "zero everywhere" not in words and "−" in words and "against" not in words
    assert "not a number anywhere" in Seen(report(content(maps=(
        ReportedMap("rise", np.full_like(VALUES, np.nan), False, "cat", 1.0),
    )))).text  # fmt: skip


def test_a_report_needs_nothing_from_outside_and_runs_nothing() -> None:
    seen = Seen(report(content(code="explain(network)", scores=scores("saliency", "gradient_input", "random"))))
    tags = {tag for tag, _ in seen.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base", "video", "audio"}
    for tag, attributes in seen.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "img" or (attributes["src"] or "").startswith("data:image/")
        assert "url(" not in (attributes.get("style") or "")
    policy = next(a["content"] for tag, a in seen.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'") and "script-src" not in policy
    assert b"@import" not in report(content()) and b"url(" not in report(content())


@pytest.mark.parametrize("place", ["title", "network", "weights", "warning", "code", "device"])
def test_hostile_words_are_only_words(place: str) -> None:
    seen = Seen(report(content(**{place: HOSTILE})))
    assert "<script>alert(1)</script>" in seen.text and "\u202e" not in seen.text
    assert "script" not in {tag for tag, _ in seen.elements}
    assert all("onerror" not in attributes for _, attributes in seen.elements)


def test_hostile_words_inside_maps_scores_and_settings_are_only_words() -> None:
    one = ReportedMap(
        "unknown", VALUES, False, HOSTILE, 1.0, layer=HOSTILE, notes=(HOSTILE,), name=HOSTILE,
        facts=(Fact(HOSTILE, 1.0, HOSTILE, HOSTILE),), options=((HOSTILE, HOSTILE),), cost=Cost(1.0, 1, 1, 1),
    )  # fmt: skip
    data = report(
        content(
            maps=(one,), classes=(ReportedClass(HOSTILE, 0.5),), settings=((HOSTILE, HOSTILE),),
            picture_facts=((HOSTILE, HOSTILE),), scores=scores(HOSTILE, "random"),
        )
    )  # fmt: skip
    tags = [tag for tag, _ in Seen(data).elements]
    assert "script" not in tags and tags.count("img") == 3


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", " https://x"])
def test_only_addresses_of_pages_become_links(link: str) -> None:
    assert "a" not in {tag for tag, _ in Seen(report(content(link=link))).elements}
    assert "a" in {tag for tag, _ in Seen(report(content(link="https://lab.example/explanations?x=1&y=2"))).elements}


def test_a_report_tells_prediction_scale_definition_limit_settings_and_versions() -> None:
    one = ReportedMap(
        "grad_cam", VALUES, False, "cat against sun", 5.45, layer="objects_2_relu",
        facts=(Fact("Gap", -0.0419, "note"),), cost=Cost(0.25, 51, 50, 25), box=(3, 4, 20, 30),
    )  # fmt: skip
    said = Seen(report(content(maps=(one,), settings=(("Seed", "7"),)))).text
    for words in (
        "cat : 90.0\xa0%", "4.20", "−1.25", "for cat against sun", "difference of logits 5.45", "objects_2_relu",
        "−0.0419", "Selvaraju", "It does not prove", "Seed 7", "250 ms", "51 forward, 50 backward",
        "up to 25 at a time",
        "2030-01-02 03:04 UTC", "keras", "numpy", "this map’s own scale",
    ):  # fmt: skip
        assert " ".join(words.split()) in said, words
    assert b'<rect x="4" y="3" width="26" height="17"/>' in report(content(maps=(one,)))


def test_a_map_of_zeros_a_constant_one_and_one_that_overflows_say_so() -> None:
    def said(values: np.ndarray) -> str:
        return Seen(report(content(maps=(ReportedMap("rise", values.astype(np.float32), False, "cat"),)))).text

    assert "zero everywhere" in said(np.zeros((24, 32)))
    assert "the same everywhere: 0.500" in said(np.full((24, 32), 0.5))
    broken = VALUES.copy()
    broken[0, :3] = np.nan
    assert "3 of the map's values are not finite numbers" in said(broken)
    assert "not finite" in said(np.full((24, 32), np.nan))


def test_the_random_map_is_always_in_the_scores_and_never_the_best() -> None:
    data = report(content(scores=scores("saliency", "gradient_input", "random", hit=True))).decode()
    assert "Random map" in data and "Points at it" in data
    best = re.findall(r"<tr[^>]*><th scope='row'>([^<]*)</th>(?:(?!</tr>).)*best", data)
    assert set(best) == {"Gradient × input"}
    assert "Points at it" not in report(content(scores=scores("saliency", "random"))).decode()


def test_what_the_text_says_of_the_scores_is_what_is_computed() -> None:
    assert (faithfulness.INSERTION_BASELINE, faithfulness.DELETION_BASELINE) == ("blur", "black")
    said = Seen(report(content(scores=scores("saliency", "random")))).text
    assert "blurred copy" in said and "blackened" in said


def test_a_report_without_maps_classes_or_scores_still_is_one() -> None:
    said = Seen(report(content(maps=(), classes=(), weights="random"))).text
    assert "gives no classes" in said and "it has learnt nothing" in said


def test_what_is_reported_of_an_explanation_is_its_own() -> None:
    explanation = Explanation(
        "occlusion", np.stack([VALUES, VALUES * 2]), VALUES[None], True, Target(), (3, 1),
        np.array([1.5, 2.5], np.float32), "", Cost(1.0, 10, 0, 5), notes=("A note.",),
        facts=((Fact("a", 1.0, ""),), (Fact("b", 2.0, ""),)),
    )  # fmt: skip
    found = reported_map(explanation, 1, names=("x", "y"), options={"window": 0.25})
    assert (found.target, found.score, found.signed) == ("y", 2.5, True)
    assert found.facts[0].name == "b" and found.notes == ("A note.",) and np.array_equal(found.values, VALUES * 2)
    assert dict(found.options) == {"Window": "0.25", "Stride": "0.5", "Baseline": "grey"}


def test_targets_in_words() -> None:
    assert target_words(Target(), 1, ("cat", "fish")) == "fish"
    assert target_words(Target(against=0), 1, ("cat", "fish")) == "fish against cat"
    assert target_words(Target(), 7, ("cat",)) == "class 7"
    assert target_words(Target("channel", layer="stem"), 3) == "channel 3 of stem"
    assert target_words(Target("cell", layer="stem", row=1, column=2), 3) == "channel 3 of stem at row 1, column 2"


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), (0.0, "0"), (169.0, "169"), (4.6353, "4.64"), (-0.00774, "−0.00774"), (1234.5, "1,234"),
     (1.5e-7, "1.50 · 10⁻⁷"), (float("nan"), "not a number"), (float("-inf"), "−∞"), (-2.0, "−2")],
)  # fmt: skip
def test_numbers_have_the_digits_that_they_deserve(value: float | None, words: str) -> None:
    assert number_words(value) == words


def test_almost_all_is_not_rounded_to_all() -> None:
    assert [percent(share).replace("\xa0", " ") for share in (1.0, 0.99999, 0.973, 0.0001, 0.0)] == [
        "100.0 %", "> 99.9 %", "97.3 %", "< 0.1 %", "0.0 %",
    ]  # fmt: skip


def test_long_names_are_cut_and_control_characters_left_out() -> None:
    assert text("a\0b\x1bc\u200f") == "abc" and text("x" * 200, 10) == "x" * 9 + "…"


def test_curves_lie_where_their_values_say() -> None:
    svg = curves_chart(
        [("a", np.array([0, 1.0]), np.array([0.0, 1.0])), ("random", np.array([0, 1.0]), np.array([1.0, 0.0]))], "x"
    )
    assert 'points="36.0,194.0 412.0,8.0"' in svg and 'points="36.0,8.0 412.0,194.0"' in svg
    assert svg.count('class="curve random"') == 2  # the curve and its sample in the key
    outside = curves_chart([("a", np.array([0, 1.0]), np.array([-3.0, 5.0]))], "x")
    assert "−3" in outside and ">5<" in outside


def test_correlations_are_stronger_coloured_the_larger_they_are() -> None:
    assert (
        "45%" in matrix_colour(1.0)
        and "--below" in matrix_colour(-0.5)
        and matrix_colour(float("nan")) == "transparent"
    )


def test_a_score_is_called_what_it_is() -> None:
    def said(target: str, kind: str) -> str:
        return Seen(report(content(maps=(ReportedMap("saliency", VALUES, False, target, 0.25, score_kind=kind),)))).text

    assert ", probability 0.25" in said("cat", "softmax")
    assert ", difference of probabilities 0.25" in said("cat against fish", "softmax")
    assert ", difference of logits 0.25" in said("cat against fish", "logits")
    channel = Explanation("saliency", VALUES[None], VALUES[None], False, Target("channel", 3, layer="conv"), (3,),
                          np.array([-3.27]), "", Cost(0.0, 1, 1, 1))  # fmt: skip
    assert reported_map(channel, score_kind="softmax").score_kind == "logits", "a channel has no probability"
