"""Predict first: what is asked, which answers are right, and what is said to wrong ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.convolution.questions import Question, check, question
from explorer.convolution.sum_line import number_text, sum_text
from tests.convolution.plain_stages import (
    STAGES,
    conv_stage,
    conv_trace,
    lecture_stage,
    made_of,
    pool_stage,
)


def asked(*answer: float, kind: str = "value", tolerance: float = 1e-6, parts: tuple[str, ...] = ()) -> Question:
    return Question(kind, "?", answer, tolerance, step="1 + 1 = 2", parts=parts or ("number",) * len(answer))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("kind", ["value", "size", "count"])
@pytest.mark.parametrize("number", range(4))
def test_the_same_question_each_time_and_its_own_answer_is_right(name, kind, number):
    first, second = question(STAGES[name](), kind, number), question(STAGES[name](), kind, number)
    assert first == second
    assert first.kind == kind and first.answer and first.prompt.rstrip(".").endswith(("?", "enough"))
    printed = " x ".join(number_text(part) for part in first.answer)
    assert check(first, printed).right, printed
    wrong = check(first, " x ".join(str(part + 3) for part in first.answer) if kind == "value" else "77777")
    assert not wrong.right
    assert any(character.isdigit() for character in wrong.sentence)


@pytest.mark.parametrize("name", STAGES)
def test_a_value_is_asked_of_a_cell_of_the_result_and_its_step_ends_with_the_answer(name):
    stage = STAGES[name]()
    for number in range(20):
        one = question(stage, "value", number)
        assert one.link is not None and one.cell is not None
        link = stage.links[one.link]
        assert link.target == stage.result
        assert one.answer[0] == stage.board(stage.result).values.flat[one.cell]
        assert one.step.endswith(f"= {number_text(one.answer[0])}")
        assert one.step == sum_text(link.trace, one.cell)


def test_questions_in_a_row_ask_for_different_cells():
    stage = lecture_stage()
    cells = [question(stage, "value", number).cell for number in range(16)]
    assert len(set(cells)) == 16


def test_cells_that_only_zeros_make_are_not_asked_for():
    x = np.zeros((6, 6, 1))
    x[4:, 4:] = 5
    stage = conv_stage(conv_trace(x, np.ones((3, 3, 1, 1))))
    answers = {question(stage, "value", number).answer[0] for number in range(30)}
    assert 0 not in answers


def test_a_stage_of_nothing_but_zeros_still_has_a_question():
    one = question(conv_stage(conv_trace(np.zeros((3, 3, 1)), np.zeros((3, 3, 1, 1)))), "value", 5)
    assert one.answer == (0,)


def test_the_lectures_corner_and_the_sum_that_makes_it():
    stage = lecture_stage()
    line = sum_text(stage.links[0].trace, 0)
    assert line == (
        "255 × (−0.7) + 220 × 0.2 + 150 × 0.1 + 240 × 0.3 + 50 × 0.5 + 35 × 0.4 + 0 × (−0.2) + 20 × (−0.4)"
        " + 245 × 0.2 = 32.5"
    )
    assert sum_text(stage.links[1].trace, 1) == "ReLU(−105.5) = 0"
    assert sum_text(stage.links[2].trace, 0) == "max(32.5, 0, 0, 104) = 104"


def test_the_words_of_other_rules():
    assert sum_text(pool_stage("average").links[0].trace, 0) == "(1 + 3 + 2 + 9) / 4 = 3.75"
    assert sum_text(pool_stage("min").links[0].trace, 0) == "min(1, 3, 2, 9) = 1"
    assert sum_text(pool_stage("l2", np.array([[3.0, 0], [0, -4]])[..., None]).links[0].trace, 0) == (
        "√(3² + 0² + 0² + (−4)²) = 5"
    )
    empty = made_of("conv2d_transpose", np.ones((1, 1, 1)), (1, 1, 1), [[]], bias=np.array([-2.0]))
    assert sum_text(empty, 0) == "no term reaches this cell − 2 (bias) = −2"


def test_bias_and_activation_stand_in_the_sum():
    trace = conv_trace(np.full((1, 1, 1), 2.0), np.full((1, 1, 1, 1), -3.0), bias=np.array([1.0]), activation="relu")
    assert sum_text(trace, 0) == "2 × (−3) + 1 (bias) = −5; ReLU(−5) = 0"


def test_a_long_sum_leaves_out_products_of_zero_first_and_never_the_largest_number():
    kernel = np.zeros((7, 7, 1, 1))
    kernel[2, 3] = 30
    trace = conv_trace(np.full((7, 7, 1), 50.0), kernel)
    assert sum_text(trace, 0) == "50 × 30 + 48 products of 0 = 1500"
    values = np.zeros((8, 8, 1))
    values[4, 1] = 12
    assert "12" in sum_text(made_of("pool2d", values, (1, 1, 1), [[(i, -1, 1.0) for i in range(64)]], rule="max"), 0)


@pytest.mark.parametrize(
    "text", ["4x4", "4 × 4", "4,4", "4 4", "(4, 4)", "[4;4]", " 4X4. ", "4*4", "4 by 4", "4", "4.0 x 4"]
)
def test_a_size_can_be_typed_in_many_ways(text):
    assert check(asked(4, 4, kind="size"), text).right


@pytest.mark.parametrize("text", ["-3.5", "−3,5", "– 3.5", "= -3.5", "-7/2", "-35e-1", "-3.50"])
def test_a_number_can_be_typed_in_many_ways(text):
    assert check(asked(-3.5), text).right


@pytest.mark.parametrize("text", ["36314", "36,314", "36 314", "36.314", "36'314", "36\u202f314"])
def test_a_count_may_have_its_thousands_apart(text):
    assert check(asked(36314, kind="count"), text).right


def test_a_decimal_comma_and_a_thousands_comma_both_count():
    assert check(asked(1.234), "1,234").right
    assert check(asked(1234), "1,234").right


@pytest.mark.parametrize(
    "text",
    ["", "  ", "four", "4x", "x4", "1 2 3", "nan", "inf", "1e999", "--3", "3/0", "<b>4</b>", "9" * 500, "$4$"],
)
@pytest.mark.parametrize("question_", [asked(4.0), asked(4, 4, kind="size"), asked(4, kind="count")])
def test_what_is_no_answer_gets_one_sentence_and_no_verdict(text, question_):
    with pytest.raises(ValueError) as error:
        check(question_, text)
    sentence = str(error.value)
    assert sentence.endswith(".") and sentence.count(". ") == 0
    # Typed text goes to Markdown nowhere.
    assert not text.strip() or text.strip() not in sentence or len(text.strip()) < 3


def test_the_wrong_order_of_a_size_is_told():
    verdict = check(asked(279, 319, kind="size"), "319x279")
    assert not verdict.right and verdict.sentence.endswith("Rows come first.")


def test_a_value_calculated_from_printed_numbers_is_right():
    kernel = np.full((3, 3, 1, 1), 1 / 9)
    x = np.arange(81.0).reshape(9, 9, 1) + 1 / 3
    stage = conv_stage(conv_trace(x, kernel))
    for number in range(20):
        one = question(stage, "value", number)
        trace = stage.links[0].trace
        here = slice(trace.starts[one.cell], trace.starts[one.cell + 1])
        printed = [float(number_text(v).replace("−", "-")) for v in trace.source.reshape(-1)[trace.sources[here]]]
        by_hand = sum(value * 0.1111 for value in printed)
        assert check(one, f"{by_hand:.2f}").right
        assert not check(one, f"{by_hand + 1:.2f}").right


def test_a_neighbouring_number_is_wrong():
    stage = lecture_stage()
    for number in range(16):
        one = question(stage, "value", number)
        for off in (0.1, -0.1, 1):
            assert not check(one, f"{one.answer[0] + off:.2f}").right
        assert check(one, f"{one.answer[0]:.3f}").right


def test_a_small_number_needs_digits_that_are_not_zero():
    trace = conv_trace(np.full((1, 1, 1), 0.00123), np.full((1, 1, 1, 1), 3.0))
    one = question(conv_stage(trace), "value", 0)
    assert not check(one, "0").right and not check(one, "0.004").right
    assert check(one, "0.0037").right


def test_kinds_and_planes():
    with pytest.raises(ValueError):
        question(lecture_stage(), "colour", 0)  # type: ignore[arg-type]
    prompts = [question(STAGES["colour"](), "value", number).prompt for number in range(18)]
    assert any("filter 0" in prompt for prompt in prompts) and any("filter 1" in prompt for prompt in prompts)


def test_how_numbers_are_printed():
    expected = {
        6600: "6600",
        -105.5: "−105.5",
        0.1 + 0.2: "0.3",
        1 / 9: "0.1111",
        12345.678: "12345.7",
        854196224: "854196224",
        1e-5: "1.00e−5",
        -2e10: "−2.00e10",
        float("nan"): "not a number",
        float("-inf"): "−∞",
        -0.0: "0",
    }
    assert {value: number_text(value) for value in expected if value == value} == {
        value: text for value, text in expected.items() if value == value
    }


def test_a_stage_without_facts_has_size_and_count_questions():
    trace = conv_trace(np.ones((3, 4, 1)), np.ones((2, 2, 1, 1)))
    stage = replace(conv_stage(trace), facts=())
    assert question(stage, "size", 0).answer == (2, 3)
    assert question(stage, "size", 1).answer == (6,)
    assert question(stage, "count", 0).answer == (4,)


def test_rounding_far_below_zero_is_no_slack_behind_relu():
    x, kernel = np.full((2, 2, 1), 12345.6789), np.full((2, 2, 1, 1), -1.23456)
    one = question(conv_stage(conv_trace(x, kernel, activation="relu")), "value", 0)
    assert one.answer == (0,) and check(one, "0").right and not check(one, "0.5").right
