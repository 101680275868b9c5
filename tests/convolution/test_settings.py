"""What a hand or a link wishes for: possible wishes are met, others get one sentence, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.convolution import settings
from explorer.convolution.scene import Code, Control, Preset, Scene
from explorer.convolution.stage import Stage


def no_stage(_: object) -> Stage:
    raise NotImplementedError


def no_code(_: object) -> Code:
    raise NotImplementedError


def fits(chosen):
    """A kernel that is no larger than its input, and groups that divide six channels."""
    if any(k > n for k, n in zip(chosen["kernel_size"], chosen["size"], strict=True)):
        return f"a {chosen['kernel_size'][0]}-cell kernel does not fit {chosen['size'][0]} cells"
    if 6 % chosen["groups"]:
        return f"{chosen['groups']} groups do not divide 6 channels"
    return None


SCENE = Scene(
    name="little",
    title="Little",
    question="?",
    controls=(
        Control("size", "Input", "pair", (6, 6), low=1, high=16),
        Control("kernel_size", "Kernel", "pair", (3, 3), low=1, high=7),
        Control("groups", "Groups", "count", 1, low=1, high=6),
        Control("bias", "Bias", "number", 0.0, low=-10, high=10, step=0.5),
        Control("padding", "Padding", "choice", "valid", options={"valid": "None", "same": "Same size"}),
        Control("flip", "Flip", "switch", False),
        Control("input", "Input", "grid", None, most=(16, 16)),
    ),
    presets=(Preset("first", "First", {}), Preset("large", "Large", {"size": (9, 9), "kernel_size": (7, 7)})),
    impossible=fits,
    build=no_stage,
    code=no_code,
)


@pytest.mark.parametrize(("name", "text", "value"), [
    ("size", "5", (5, 5)),
    ("size", "3x5", (3, 5)),
    ("size", " 3 × 5 ", (3, 5)),
    ("groups", "3", 3),
    ("bias", "−2,5", -2.5),
    ("padding", "same", "same"),
    ("padding", "Same size", "same"),
    ("flip", "1", True),
    ("flip", "off", False),
])  # fmt: skip
def test_a_value_is_read_from_how_people_write_it(name, text, value):
    control = SCENE.control(name)
    assert settings.from_text(control, text) == value
    assert settings.from_text(control, settings.to_text(control, value)) == value


@pytest.mark.parametrize(("name", "text"), [
    ("size", "0"), ("size", "17"), ("size", "999999999999999"), ("size", "-3"), ("size", "3x"), ("size", "NaN"),
    ("groups", "2.5"), ("groups", ""), ("groups", "--1"), ("bias", "nan"), ("bias", "inf"), ("bias", "1e9"),
    ("bias", "one"), ("padding", "cosmos"), ("flip", "perhaps"), ("input", "1 2;3"), ("input", "<script>"),
    ("size", "٣"), ("groups", "²"),
])  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused_with_one_sentence_and_changes_nothing(name, text):
    if settings.refusal(SCENE, SCENE.settings(), name, text) is None:
        # Digits of other scripts are digits; what they say must still be within the limits.
        assert text == "٣"
        return
    sentence = settings.refusal(SCENE, SCENE.settings(), name, text)
    assert sentence[0].isupper() or not sentence[0].isalpha()
    assert sentence.endswith((".", "!", "?")) and len(sentence) < 250
    if text:
        chosen = settings.choose(SCENE, "", {name: text})
        assert chosen.settings == SCENE.settings()
        assert len(chosen.complaints) == 1


def test_wishes_that_are_possible_only_together_are_met_together():
    chosen = settings.choose(SCENE, "", {"kernel_size": "7", "size": "8"})
    assert (chosen.settings["size"], chosen.settings["kernel_size"], chosen.complaints) == ((8, 8), (7, 7), ())


def test_of_contradicting_wishes_as_many_as_possible_are_met_and_the_other_gets_the_reason():
    chosen = settings.choose(SCENE, "", {"kernel_size": "7", "groups": "3", "bias": "2"})
    assert chosen.settings["kernel_size"] == (3, 3)
    assert (chosen.settings["groups"], chosen.settings["bias"]) == (3, 2)
    (sentence,) = chosen.complaints
    assert "7-cell kernel does not fit 6 cells" in sentence


def test_a_preset_speaks_where_no_wish_does():
    assert settings.choose(SCENE, "large", {"groups": "2"}).settings["kernel_size"] == (7, 7)
    assert settings.choose(SCENE, "nonsense", {}).settings == SCENE.settings()


def test_the_neighbours_of_a_number_are_the_next_possible_ones():
    chosen = SCENE.settings(groups=3)
    down, up = settings.neighbours(SCENE, chosen, SCENE.control("groups"))
    assert (down.value, up.value) == (2, 6)  # 4 and 5 groups do not divide six channels
    smaller, _ = settings.neighbours(SCENE, SCENE.settings(size=(3, 3)), SCENE.control("size"))
    assert smaller.value is None and "does not fit" in smaller.why


def test_whatever_is_reached_by_neighbours_is_possible():
    random = np.random.default_rng(3)
    here = SCENE.settings()
    for _ in range(200):
        control = SCENE.controls[random.integers(3)]
        there = settings.neighbours(SCENE, here, control)[random.integers(2)]
        if there.value is not None:
            here = {**here, control.name: there.value}
        assert fits(here) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 4000), (4000, 3), (2, 7)])
def test_every_example_of_the_photo_is_shown_on_a_picture_of_any_size(shape):
    from explorer.convolution.scenes.photo import SCENE as PHOTO

    for preset in PHOTO.presets:
        given = PHOTO.settings(preset.name, pixels=np.full((*shape, 3), 7, np.uint8), cell=None)
        chosen = settings.made_possible(PHOTO, given)
        assert PHOTO.impossible(chosen.settings) is None
        assert PHOTO.build(chosen.settings).board("output").values.size
