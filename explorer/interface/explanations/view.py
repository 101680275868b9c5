"""The explanations page from top to bottom: what is asked, the maps side by side, what judges them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.explanations.results import Target
from explorer.explanations.table import METHODS
from explorer.inside.results import Overview
from explorer.interface import jobs, picture_picker, state, work
from explorer.interface.current_picture import plain
from explorer.interface.explanations import cells, panels, stage, take_along, words
from explorer.interface.explanations.page_state import (
    FITS,
    KINDS,
    NONE,
    PANELS,
    PREDICTED,
    SCORES,
    STATE,
    Question,
    Row,
    activation_megabytes,
    class_options,
    class_title,
    options_of,
    unit_layers,
)
from explorer.interface.narrow_screens import fit_narrow_screens
from explorer.interface.network_choice import (
    network_box,
    overview_of,
    say_if_not_here,
    say_what_it_knows,
    weights_choice,
)
from explorer.interface.numbers import count_text, share_text
from explorer.interface.page_frame import page_head
from explorer.interface.weights_notice import weights_in_use
from explorer.networks import catalogue
from explorer.networks.structure import Structure
from explorer.pictures.picture import Picture


def _forget_unit() -> None:
    for name in ("target", "against", "unit_layer", "layer", "off_layer", "off"):
        STATE.set(name, "")
    for name in ("channel", "row", "column"):
        STATE.set(name, 0)


def _more(structure: Structure, names: Sequence[str]) -> tuple[str, tuple]:
    """Draw the controls behind *More*, and return the layer of the activation maps and the methods' knobs."""
    layers = unit_layers(structure)
    with STATE.part("more"), st.popover("More", icon=":material/tune:"):
        layer = STATE.pick(
            "layer", ["", *layers], format_func=lambda path: path or "Last layer with places, after its activation"
        )
        STATE.segments("score", format_func=SCORES.__getitem__)
        options = options_of(list(names))
        STATE.number("seed", low=0, high=2**31 - 1)
        STATE.number("batch", low=0, high=512)
        each = activation_megabytes(structure)
        st.caption(f"Each takes about {each:.0f} MB on the way forward and back; 0 lets the app choose.")
        weights_choice(STATE, structure.network)
        STATE.selectbox("fit", format_func=FITS.__getitem__)
        st.button("Reset this page", on_click=STATE.reset, key="explanations_reset", icon=":material/restart_alt:")
    return layer, options


def _answers(overview: Overview, picture: Picture, names: tuple[str, ...] | None, trained: bool, several: bool) -> None:
    """Say in one line what the network makes of a picture."""
    if not overview.predictions:
        st.caption("This network ends without class scores: only channels and cells can be explained.")
        return
    first, *others = [
        f"{plain(class_title(names, each.index))} {share_text(each.probability)}" for each in overview.predictions
    ]
    about = f" of {plain(picture.title)}" if several else ""
    meaning = "" if trained else " (random weights: it means nothing)"
    st.markdown(f"The network says{about}: **{first}** · {' · '.join(others)}{meaning}")


def _classes(structure: Structure) -> int:
    last = list(structure.layers.values())[-1]
    return int(last.output_shape[-1] or 0) if last.output_shape else 0


def _asked(network: str, structure: Structure, overview: Overview) -> list[tuple[Target, str]]:
    """Draw what is to be explained, and return the targets with their labels."""
    kind = STATE.segments("kind", format_func=KINDS.__getitem__, unseen=not overview.predictions)
    if not overview.predictions and kind == "class":
        kind = "channel"
    if kind != "class":
        return [_unit(structure, kind)]
    names = catalogue.class_names(catalogue.entry(network))
    top = tuple(prediction.index for prediction in overview.predictions)
    everything = class_options(max(_classes(structure), len(top)), top)
    first = overview.predictions[0]

    def shown(option: str) -> str:
        if option == PREDICTED:
            return f"{class_title(names, first.index)}, as predicted"
        return "no other class" if option == NONE else class_title(names, int(option))

    target = STATE.pick("target", [PREDICTED, *everything], format_func=shown, width=240)
    against = STATE.pick("against", [NONE, *everything], format_func=shown, unseen=len(everything) < 2, width=200)
    index = None if target == PREDICTED else int(target)
    label = class_title(names, first.index if index is None else index)
    if against == NONE or int(against) == (first.index if index is None else index):
        return [(Target("class", index), label)]
    other = class_title(names, int(against))
    if STATE.switch("difference", width="content"):
        return [(Target("class", index, against=int(against)), f"{label} rather than {other}")]
    return [(Target("class", index), label), (Target("class", int(against)), other)]


def _unit(structure: Structure, kind: str) -> tuple[Target, str]:
    """Draw which channel or cell is to be explained, and return it."""
    layers = unit_layers(structure)
    if not layers:
        raise work.WorkFailed("No layer of this network has places: only its classes can be explained.")
    path = STATE.pick("unit_layer", layers, index=len(layers) - 1, width=240)
    height, width, channels = (int(size or 1) for size in structure.layers[path].output_shape)
    channel = STATE.number("channel", low=0, high=channels - 1, width=120) or 0
    if kind == "channel":
        return Target("channel", channel, layer=path), f"channel {channel} of {path}"
    row = STATE.number("row", low=0, high=height - 1, width=110) or 0
    column = STATE.number("column", low=0, high=width - 1, width=110) or 0
    return (
        Target("cell", channel, layer=path, row=row, column=column),
        f"channel {channel} of {path} at row {row}, column {column}",
    )


def _rows(
    asked: Sequence[tuple[Target, str]], looked_at: Sequence[tuple[Picture, Overview]], network: str
) -> list[Row]:
    """Return the rows of the stage: every picture with every target.

    A predicted class is filled in, so that what is kept does not depend on how the class was chosen.
    """
    names = catalogue.class_names(catalogue.entry(network))
    rows = []
    for picture, overview in looked_at:
        for target, words_for_it in asked:
            filled, label = target, words_for_it
            if target.kind == "class" and target.index is None:
                filled = replace(target, index=overview.predictions[0].index)
                label = class_title(names, overview.predictions[0].index)
                if target.against is not None:
                    label = f"{label} rather than {class_title(names, target.against)}"
            rows.append(Row(picture, filled, label if len(looked_at) == 1 else f"{label} · {picture.title}"))
    return rows


def _numbers(question: Question, rows: Sequence[Row], names: Sequence[str]) -> None:
    """Draw the table of what each map is made of."""
    there = [
        words.numbers(METHODS[name], row.label, explained.explanation)
        for row in rows
        for name in names
        if (explained := cells.found(question, row, METHODS[name])) is not None
    ]
    if there:
        with st.expander("The maps in numbers", icon=":material/table_rows:"):
            st.dataframe(there, hide_index=True, key="explanations_numbers")
            st.caption("Forward and backward count pictures sent through the network.")


def show() -> None:
    """Draw the page."""
    state.hide_unseen()
    jobs.begin_look()
    fit_narrow_screens("explanations")
    page_head("Explanations", "Which pixels drove this prediction?")
    with st.container(horizontal=True, vertical_alignment="center", key="explanations_controls"):
        with STATE.part("picture"), st.container(width="content"):
            picture_picker.picture_controls("explanations")
        network = network_box(STATE, width=230, label_visibility="collapsed", on_change=_forget_unit)
        with STATE.part("compare"), st.container(width="content"):
            picture_picker.picture_controls("explanations", second=True)
        STATE.switch("predict", width="content")
        more = st.container(width="content")  # last: it is filled when the network has been looked at
    say_if_not_here(STATE)
    methods = STATE.several("methods", label_visibility="collapsed")
    picture = picture_picker.current_picture("explanations")
    if picture is None:
        return
    entry = catalogue.entry(network)
    weights = weights_in_use(entry, STATE.value("weights"))
    if entry.family == "Drawn world" and weights == "trained":
        say_what_it_knows(entry, picture)
    try:
        overview = overview_of(network, weights, STATE.value("fit"), picture)
        with more:
            layer, options = _more(overview.structure, methods)
        question = Question(
            network,
            weights,
            STATE.value("fit"),
            layer,
            STATE.value("score"),
            int(STATE.value("seed") or 0),
            int(STATE.value("batch") or 0),
            options,
        )
        second = picture_picker.current_picture("explanations", second=True)
        looked_at = [(picture, overview)]
        if second is not None:
            looked_at.append((second, overview_of(network, weights, question.fit, second)))
        names = catalogue.class_names(entry)
        for one, answer in looked_at:
            _answers(answer, one, names, weights == "trained", len(looked_at) > 1)
        with st.container(horizontal=True, vertical_alignment="bottom", key="explanations_question"):
            asked = _asked(network, overview.structure, overview)
        rows = _rows(asked, looked_at, network)
        answered = stage.show(question, rows, methods)
    except work.WorkFailed as failure:
        st.error(str(failure), icon=":material/error:")
        st.button("Try again", key="explanations_retry")
        return
    if not answered:
        return  # everything below would tell where the network looks
    take_along.show(question, rows, methods)
    st.caption(
        f"{count_text(overview.structure.parameters)} parameters, {len(overview.structure.layers)} layers "
        f"· computed on {overview.device}"
    )
    panel = STATE.segments("panel", format_func=PANELS.__getitem__, label_visibility="collapsed")
    try:
        by_picture = {one.sha256: answer for one, answer in looked_at}
        panels.show(panel, question, rows, methods, [by_picture[row.picture.sha256] for row in rows])
    except work.WorkFailed as failure:
        st.error(str(failure), icon=":material/error:")
    _numbers(question, rows, methods)
    with st.expander("What each map says, and what it does not prove", icon=":material/menu_book:"):
        st.markdown(
            "Every map is in the units of its method, on a scale of its own from 0: colours of two methods cannot be "
            "compared, places can. A map explains the **network**, not the picture: it may be right about a network "
            "that is wrong."
        )
        for name in methods or METHODS:
            st.markdown(words.background(METHODS[name]), unsafe_allow_html=True)
