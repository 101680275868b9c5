"""Predict first: the answer is hidden until the visitor has given one; right and wrong ones are counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from explorer.convolution import questions
from explorer.convolution.questions import Question
from explorer.convolution.scene import Scene
from explorer.convolution.stage import Board, Stage, Steps
from explorer.interface.convolution import scene_state
from explorer.interface.convolution.scene_state import PREDICT, STATE

_SCORE = "_convolution_score"
_VERDICT = "_convolution_verdict"


@dataclass(frozen=True)
class Asked:
    """The question on the screen, and whether it has its answer.

    Attributes:
        identity: names the question, so that a verdict is never shown beside another one.
        question: what is asked.
        answered: whether an answer was given.
        right: whether it was right.
        sentence: what is said to the answer.
    """

    identity: tuple
    question: Question
    answered: bool = False
    right: bool = False
    sentence: str = ""

    def pinned(self, stage: Stage) -> int | None:
        """Return the cell that the stage points at: one that the animated link makes."""
        return self.question.cell if self.question.link == stage.steps.link else None


def choice() -> None:
    """Draw the choice of what is predicted."""
    scene_state.choice("predict", PREDICT, st.selectbox, _forget, width=205, label_visibility="collapsed")


def _forget() -> None:
    st.session_state.pop(_VERDICT, None)
    STATE.set("question", "")


def _number() -> int:
    text = str(STATE.value("question") or "")
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def question_of(chosen: Scene, stage: Stage) -> Asked | None:
    """Return the question that link and session ask about this stage, or None."""
    kind = STATE.value("predict")
    if kind not in ("value", "size", "count"):
        return None
    question = questions.question(stage, kind, _number())
    identity = (chosen.name, kind, _number(), question.prompt, question.answer)
    verdict: Asked | None = st.session_state.get(_VERDICT)
    if verdict is not None and verdict.identity == identity:
        return verdict
    return Asked(identity, question)


def hidden_boards(stage: Stage) -> tuple[str, ...]:
    """Return the boards that could give the result away: all that are computed but those it is computed from."""
    before = {stage.result}
    for _ in stage.links:
        before |= {link.source for link in stage.links if link.target in before}
    before.remove(stage.result)
    return tuple(board.name for board in stage.boards if board.role == "output" and board.name not in before)


def withhold(stage: Stage, asked: Asked) -> tuple[Stage, tuple[str, ...]]:
    """Return the stage without what the question asks for, and the boards whose numbers are hidden."""
    if asked.answered or asked.question.kind == "count":
        return stage, ()
    hidden = hidden_boards(stage)
    if asked.question.kind == "value":
        return stage, hidden
    # A size shows in the grid itself, in its title and in the letters: all that follows is one empty cell.
    boards = tuple(_unknown(board) if board.name in hidden else board for board in stage.boards)
    matrices = {matrix.board for matrix in stage.matrices}
    kept = replace(
        stage,
        boards=tuple(board for board in boards if board.name not in matrices),
        links=(),
        rows=tuple(row for row in (tuple(n for n in row if n not in matrices) for row in stage.rows) if row),
        steps=Steps(0, "target", np.zeros(0, dtype=np.int32)),
        matrices=(),
        layout="flow",
        formula=(),
        notes=(),
    )
    return kept, hidden


def _unknown(board: Board) -> Board:
    return Board(board.name, f"{board.title.split(' ')[0]} ?", board.role, np.full((1, 1, 1), np.nan))


def _answer(stage: Stage, asked: Asked) -> None:
    text = str(st.session_state.get("convolution_answer", ""))
    try:
        verdict = questions.check(asked.question, text)
    except ValueError as error:
        st.session_state[_VERDICT] = replace(asked, sentence=str(error))
        return
    right, wrong = st.session_state.get(_SCORE, (0, 0))
    st.session_state[_SCORE] = (right + verdict.right, wrong + (not verdict.right))
    st.session_state[_VERDICT] = replace(asked, answered=True, right=verdict.right, sentence=verdict.sentence)


def _next() -> None:
    STATE.set("question", str(_number() + 1))
    st.session_state.pop(_VERDICT, None)
    st.session_state["convolution_answer"] = ""


def show(stage: Stage, asked: Asked) -> None:
    """Draw the question, the field for the answer, and what is said to it."""
    with st.container(border=True, key="convolution_predict_box"):
        st.markdown(f"**{asked.question.prompt}**")
        if not asked.answered:
            with st.form("convolution_answer_form", border=False):
                row = st.container(horizontal=True, vertical_alignment="bottom")
                with row:
                    st.text_input("Your answer", key="convolution_answer", width=200, max_chars=60)
                    st.form_submit_button("Check", type="primary", on_click=_answer, args=(stage, asked))
            if asked.sentence:
                st.warning(asked.sentence)
        else:
            (st.success if asked.right else st.error)(
                asked.sentence, icon=":material/check:" if asked.right else ":material/close:"
            )
            st.button("Next question", key="convolution_next", on_click=_next, type="primary")
        right, wrong = st.session_state.get(_SCORE, (0, 0))
        if right or wrong:
            st.caption(f"{right} right, {wrong} wrong so far.")
