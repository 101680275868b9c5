"""An app with nothing but a stage, for tests/browser/test_stage.py: `?stage=lecture`."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import streamlit as st

from explorer.convolution.stage import Letter, Lit, Stage
from explorer.interface.components import boards
from tests.convolution.plain_stages import (
    LECTURE_INPUT,
    LECTURE_KERNEL,
    STAGES,
    conv_stage,
    conv_trace,
)


def _edited(x: np.ndarray, kernel: np.ndarray) -> Stage:
    return conv_stage(conv_trace(x[..., None], kernel[..., None, None], pad=1))


def _formula(stage: Stage) -> Stage:
    row = Letter("k", "k: rows of the kernel = 3", (Lit("kernel", (0, 3, 6)),))
    return replace(
        stage, formula=(row, Letter(" = 3"), Letter("\n"), Letter("y", "y: the output", (Lit("output", (0,)),)))
    )


st.set_page_config(page_title="Stage", layout="wide")
st.title("Stage")
name = st.query_params.get("stage", "lecture")
numbers = st.session_state.setdefault(
    "numbers", {"input": np.array(LECTURE_INPUT, float), "kernel": np.array(LECTURE_KERNEL)}
)


def on_edit() -> None:
    """Write the edited block into the numbers, as the page does."""
    change = st.session_state["stage"].edit
    block = np.array(change["values"], float)
    row, column = change["row"], change["column"]
    numbers[change["board"]][row : row + block.shape[0], column : column + block.shape[1]] = block
    st.session_state["edits"] = [*st.session_state.get("edits", []), change]


def on_cell() -> None:
    """Keep the pinned cell."""
    st.session_state["cell"] = st.session_state["stage"].cell


if name == "editable":
    stage = _edited(numbers["input"], numbers["kernel"])
elif name == "formula":
    stage = _formula(STAGES["lecture"]())
elif name == "marked":
    plain = STAGES["lecture"]()
    mark = np.zeros((4, 4, 1), bool)
    mark[1, 2] = True
    stage = replace(
        plain,
        boards=tuple(
            replace(board, marked=mark, mark_words="changed") if board.name == "output" else board
            for board in plain.boards
        ),
    )
else:
    stage = STAGES[name]()

playing = {"": None, "0": False, "1": True}[st.query_params.get("playing", "0")]
boards.stage(
    stage,
    key="stage",
    on_edit=on_edit,
    on_cell=on_cell,
    hidden=stage.hidden_with_result() if "hidden" in st.query_params else (),
    playing=playing,
)
st.button("Run again")
st.text(f"edits: {len(st.session_state.get('edits', []))}")
st.text(f"cell: {st.session_state.get('cell')}")
