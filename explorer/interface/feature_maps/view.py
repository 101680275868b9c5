"""The feature maps page from top to bottom: which network, which picture, the stage, what stands below it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from explorer.inside import selection
from explorer.inside.results import LayerMaps, Overview
from explorer.interface import picture_picker, state, work
from explorer.interface.components import boards
from explorer.interface.current_picture import plain
from explorer.interface.feature_maps import below, close_up, layer_column, tile_board
from explorer.interface.figures import charts
from explorer.interface.network_choice import (
    FITS,
    NETWORK_NAMES,
    WEIGHTS,
    encoded,
    named,
    network_box,
    overview_of,
    say_if_not_here,
    say_what_it_knows,
    weights_choice,
)
from explorer.interface.numbers import count_text, seconds_text, shape_text
from explorer.interface.page_frame import page_head
from explorer.interface.state import Item, PageState
from explorer.interface.theme import palette
from explorer.interface.weights_notice import weights_in_use
from explorer.networks import catalogue
from explorer.networks.structure import Structure
from explorer.pictures.picture import Picture

STAGE_HEIGHT = 640

ORDERS = {"strength": "Strongest first", "index": "By number"}
SCOPES = {"map": "Map", "layer": "Layer", "network": "Network"}

STATE = PageState(
    "feature_maps",
    [
        Item("network", catalogue.DEFAULT_NETWORK, "Network", options=NETWORK_NAMES),
        Item(
            "weights",
            "trained",
            "Weights",
            options=tuple(WEIGHTS),
            help="The same architecture before any training: what remains is the architecture's own doing.",
        ),
        Item("layer", None, "Layer", help="Every layer can also be clicked in the column on the left."),
        Item(
            "order",
            "strength",
            "Order",
            options=tuple(ORDERS),
            help="Strength is the largest value of a channel.",
        ),
        Item(
            "scope",
            "layer",
            "Colour scale",
            options=tuple(SCOPES),
            help="One scale for each map, for all maps of the layer, or for all layers of the network. "
            "Only maps on one scale can be compared by their colours.",
        ),
        Item(
            "contrast",
            1.0,
            "Contrast",
            low=1.0,
            high=20.0,
            step=0.5,
            help="Divides the end of the colour scale: faint values become visible, strong ones saturate. "
            "The legend shows where.",
        ),
        Item("fit", "pad", "Fit to the network's input", options=tuple(FITS)),
        Item("page", 1, "Page of tiles"),
        Item("channel", None, "Channel"),
        Item("cell", "", "Cell"),
    ],
)


@dataclass(frozen=True)
class Selection:
    """What is on the stage: the network and its weights, the picture, the layer."""

    network: str
    weights: str
    fit: str
    layer: str
    picture: Picture

    def keep_as(self, *more: Any) -> tuple:
        """Return the identity of a result that follows from this selection."""
        return (self.network, self.weights, self.fit, self.picture.sha256, *more)


@dataclass(frozen=True)
class Second:
    """The picture to compare with, and what the network did with it."""

    picture: Picture
    overview: Overview


@st.cache_resource(max_entries=60, show_spinner=False)
def _shared_structure(network: str, _structure: Structure) -> Structure:
    """Keep one copy of a network's structure for all sessions: it has nothing of a visitor in it."""
    return _structure


def maps_of(chosen: Selection) -> LayerMaps:
    """Return what the chosen layer computed, kept in the session."""
    return work.run(
        named("inside.layer_maps", chosen.network),
        label=f"Computing {chosen.layer}",
        keep_as=chosen.keep_as(chosen.layer),
        network=chosen.network,
        weights=chosen.weights,
        pixels=chosen.picture.pixels,
        layer=chosen.layer,
        fit=chosen.fit,
    )


def _choose_layer(path: str) -> None:
    STATE.set("layer", path)
    _forget_place()


def _forget_place() -> None:
    STATE.set("page", 1)
    STATE.set("channel", None)
    STATE.set("cell", "")


def _choose_channel(channel: int) -> None:
    same = STATE.value("channel") == channel
    STATE.set("channel", None if same else channel)
    STATE.set("cell", "")


def _choose_cell(row: int, column: int) -> None:
    STATE.set("cell", f"{row},{column}")


def _controls() -> str:
    """Draw the row of main controls and return the network."""
    with st.container(horizontal=True, vertical_alignment="center", key="feature_maps_controls"):
        with STATE.part("picture"), st.container(width="content"):
            picture_picker.picture_controls("feature_maps")
        network = network_box(STATE, width=250, label_visibility="collapsed", on_change=_forget_place)
        with STATE.part("compare"), st.container(width="content"):
            picture_picker.picture_controls("feature_maps", second=True)
        with STATE.part("more"), st.popover("More", icon=":material/tune:"):
            STATE.slider("contrast")
            weights_choice(STATE, network)
            STATE.selectbox("fit", format_func=FITS.__getitem__)
            st.button("Reset this page", on_click=STATE.reset, key="feature_maps_reset", icon=":material/restart_alt:")
    return network


def default_layer(structure: Structure) -> str:
    """Return the layer that a first look should show: the first activation with feature maps after the input."""
    spatial = [layer for layer in structure.layers.values() if len(layer.output_shape) == 3]
    for layer in spatial:
        if "Activation" in layer.kind or "ReLU" in layer.kind or layer.config.get("activation", "linear") != "linear":
            return layer.path
    later = [layer for layer in spatial if layer.kind != "InputLayer"]
    return (later or spatial or list(structure.layers.values()))[0].path


def _column(structure: Structure, overview: Overview, layer: str, network: str) -> None:
    tree, layers, digest = layer_column.column_data(structure, overview.layers)

    def clicked() -> None:
        path = st.session_state["feature_maps_column"].layer
        if path in structure.layers:
            _choose_layer(path)

    boards.network_column(
        tree,
        layers,
        network=network,
        digest=digest,
        selected=layer,
        open_stages=len(structure.layers) <= 60,
        hues={"weight": palette().weight, "activation": palette().activation, "input": palette().input},
        height=STAGE_HEIGHT,
        key="feature_maps_column",
        on_layer=clicked,
    )


def _predictions(overview: Overview, trained: bool) -> None:
    names = [p.name or f"class {p.index}" for p in overview.predictions]
    if not names:
        st.caption("This network ends without class scores.")
        return
    st.markdown("**What the network says**" + ("" if trained else " (random weights: it means nothing)"))
    st.plotly_chart(
        charts.prediction_bars(
            names,
            [p.probability for p in overview.predictions],
            [p.logit for p in overview.predictions],
            palette(),
        ),
        key="feature_maps_predictions",
        config={"displayModeBar": False},
        alt="The five most probable classes",
    )


def _seen_by_network(overview: Overview, picture: Picture) -> None:
    fitted = overview.fitted
    st.image(fitted.pixels, width="stretch", alt=f"{picture.title}, as the network gets it")
    st.caption(f"{plain(picture.title)}, as the network gets it: {shape_text(fitted.pixels.shape)}")


def _layer_headline(structure: Structure, maps: LayerMaps) -> None:
    info = structure.layers[maps.layer]
    silent = int(np.sum(maps.silent))
    words = f"**{info.name}** · {info.kind} · {shape_text(info.output_shape)}"
    if maps.kind == "maps":
        words += f" · {silent} of {maps.values.shape[-1]} channels silent"
    if info.parameters:
        words += f" · {count_text(info.parameters)} parameters"
    st.markdown(words, help=maps.threshold_rule)


def _vector(maps: LayerMaps, other: LayerMaps | None, order: str, names: tuple[str, ...] | None) -> None:
    values = maps.values
    # Of a vector the largest comes first, not the largest size: a low score is no strong one.
    positions = [int(i) for i in selection.order_channels(values, order)]
    fitting = names if names is not None and len(names) == len(values) else None

    def picked() -> None:
        point = below.picked_point(st.session_state["feature_maps_vector"], len(positions))
        if point is not None:
            _choose_channel(positions[point])

    st.plotly_chart(
        charts.vector_bars(
            values, positions, fitting, STATE.value("channel"), palette(), other=None if other is None else other.values
        ),
        key="feature_maps_vector",
        on_select=picked,
        selection_mode="points",
        config={"displaylogo": False, "modeBarButtons": [["toImage"]]},
        alt="The layer's values as bars",
    )
    st.caption("This layer has no feature maps left: one number per channel.")


def _close_up(
    chosen: Selection,
    structure: Structure,
    maps: LayerMaps,
    colours: tile_board.Colouring,
    overview: Overview,
    channel: int,
) -> None:
    """Draw the selected channel from near, with what lies behind it."""
    info = structure.layers[maps.layer]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Channel {channel}** of {info.name}" + (" · *silent*" if maps.silent[channel] else ""))
        st.button("Close", key="feature_maps_close", on_click=_choose_channel, args=(channel,), type="tertiary")
    if maps.kind != "vector":
        height, width = maps.values.shape[:2]
        cell = close_up.parse_cell(STATE.value("cell"), height, width)
        field = None
        if cell is not None:
            try:
                field = _field_of(chosen, cell)
            except work.WorkFailed as failure:
                st.caption(str(failure))
        close_up.show_map(
            maps,
            channel,
            colours,
            encoded(overview.fitted.pixels),
            f"Channel {channel} over {chosen.picture.title}",
            cell=cell,
            field=close_up.field_in_picture(field, overview.fitted) if field is not None else None,
            key="feature_maps_close_up",
            on_cell=_choose_cell,
        )
        if cell is None:
            st.caption("Click a cell of the map to see which part of the picture it depends on.")
        elif field is not None:
            st.caption(close_up.field_words(field, cell, float(maps.values[cell[0], cell[1], channel])))
        st.caption(close_up.numbers_line(maps, channel))
        close_up.show_histogram(maps, channel, "feature_maps_histogram")
    else:
        st.metric("Activation", f"{float(maps.values[channel]):.5g}")
    try:
        view = work.run(
            named("inside.filter_of", chosen.network),
            label="Fetching the filter",
            keep_as=(chosen.network, chosen.weights, chosen.layer, channel),
            network=chosen.network,
            weights=chosen.weights,
            layer=chosen.layer,
            channel=channel,
        )
    except work.WorkFailed as failure:
        st.caption(str(failure))
    else:
        st.markdown("**The filter behind it**")
        close_up.show_filter(view)


def _field_of(chosen: Selection, cell: tuple[int, int]) -> Any:
    return work.run(
        named("inside.receptive_field", chosen.network),
        label="Tracing the receptive field",
        keep_as=(chosen.network, chosen.weights, chosen.layer, cell),
        network=chosen.network,
        layer=chosen.layer,
        weights=chosen.weights,
        row=cell[0],
        column=cell[1],
    )


def _layer_choice(structure: Structure, overview: Overview, network: str) -> str:
    """Draw the list and the column of layers, and return the selected one."""
    paths = list(structure.layers)
    layer = STATE.selectbox(
        "layer",
        paths,
        index=paths.index(default_layer(structure)),
        on_change=_forget_place,
        label_visibility="collapsed",
    )
    _column(structure, overview, layer, network)
    return layer


def _tiles(
    chosen: Selection, overview: Overview, maps: LayerMaps, second: Second | None
) -> tuple[tile_board.Colouring, np.ndarray]:
    """Draw the layer's tiles, beside those of the second picture; return their colours and channels."""
    summaries = list(overview.layers)
    boards_shown = [(chosen.picture.title, maps, "feature_maps_tiles")]
    if second is not None:
        other = maps_of(replace(chosen, picture=second.picture))
        summaries += second.overview.layers
        boards_shown.append((second.picture.title, other, "feature_maps_tiles2"))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        order = STATE.segments("order", format_func=ORDERS.__getitem__)
        scope = STATE.segments("scope", format_func=SCOPES.__getitem__)
    colours = tile_board.colouring(
        scope, float(STATE.value("contrast")), summaries, [one for _, one, _ in boards_shown]
    )
    pages = selection.pages(selection.order_channels(maps.strength, order), maps.values.shape[:2])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(tile_board.legend(colours), width="content")
        shown = pages[STATE.pagination("page", len(pages), unseen=len(pages) == 1) - 1]
    spots = st.columns(len(boards_shown))
    for spot, (title, one, key) in zip(spots, boards_shown, strict=True):
        with spot:
            if second is not None:
                st.caption(plain(title))
            tile_board.show_tiles(
                one,
                [int(c) for c in shown],
                colours,
                selected=STATE.value("channel"),
                key=key,
                on_channel=_choose_channel,
                tile=78 if second is None else 58,
            )
    return colours, shown


def _take_along(
    chosen: Selection, structure: Structure, maps: LayerMaps, shown: np.ndarray, colours: tile_board.Colouring
) -> None:
    """Draw the buttons that keep what is shown: as code, as a link, as a picture, as numbers."""
    name = f"{chosen.network} {chosen.layer}".replace("/", " ")

    def tiles() -> bytes:
        values = np.moveaxis(maps.values[..., [int(c) for c in shown]], -1, 0)
        title = f"{catalogue.entry(chosen.network).title} ({chosen.weights} weights), {chosen.layer}"
        return below.picture_bytes(maps, shown.tolist(), colours, title, tile_board.coloured(values, colours))

    with st.container(horizontal=True, key="feature_maps_take_along"):
        with st.popover("Show the code", icon=":material/code:"):
            st.code(below.code_of(chosen.network, chosen.weights, chosen.picture.source, chosen.layer, chosen.fit))
            info = structure.layers[chosen.layer]
            line = below.keras_lines(info.kind, info.config)
            if line is not None:
                st.code(line)
        with st.popover("Link", icon=":material/link:"):
            st.code(STATE.link(), language=None, wrap_lines=True)
            if chosen.picture.source.startswith(("upload:", "webcam:")):
                st.caption("An uploaded picture does not travel in a link; who opens it is asked for the picture.")
        if maps.kind != "vector":
            st.download_button("PNG", tiles, f"{name}.png", "image/png", on_click="ignore", icon=":material/download:")
        st.download_button(
            ".npy",
            lambda: below.array_bytes(maps.values),
            f"{name}.npy",
            "application/octet-stream",
            on_click="ignore",
            icon=":material/download:",
            help="All values of the layer as a NumPy array",
        )


def _stage(
    structure: Structure, overview: Overview, about: tuple[str, str, str, Picture], second: Second | None
) -> LayerMaps:
    """Draw the stage: column, tiles, close-up; return the layer's maps."""
    network, weights, fit, picture = about
    left, middle, right = st.columns([1.15, 2.5, 1.25], gap="medium")
    with left:
        layer = _layer_choice(structure, overview, network)
    chosen = Selection(network, weights, fit, layer, picture)
    with middle:
        maps = maps_of(chosen)
        # Before all that shows them: their widgets read the link.
        channel = STATE.number("channel", low=0, high=maps.values.shape[-1] - 1, unseen=True)
        STATE.text("cell", unseen=True)
        _layer_headline(structure, maps)
        if maps.kind == "vector":
            order = STATE.segments("order", format_func=ORDERS.__getitem__)
            other = maps_of(replace(chosen, picture=second.picture)) if second is not None else None
            _vector(maps, other, order, catalogue.class_names(catalogue.entry(network)))
            if second is not None:
                st.caption(f"Bars: {plain(picture.title)}. Diamonds: {plain(second.picture.title)}.")
            colours, shown = tile_board.colouring("layer", 1.0, [], [maps]), np.arange(0)
        else:
            colours, shown = _tiles(chosen, overview, maps, second)
        _take_along(chosen, structure, maps, shown, colours)
    with right:
        if channel is None:
            _seen_by_network(overview, picture)
            _predictions(overview, weights == "trained")
        else:
            _close_up(chosen, structure, maps, colours, overview, channel)
            if second is not None and maps.kind != "vector":
                _second_close_up(chosen, second, colours, channel)
    return maps


def _second_close_up(chosen: Selection, second: Second, colours: tile_board.Colouring, channel: int) -> None:
    """Draw the same channel for the second picture, on the same scale."""
    maps = maps_of(replace(chosen, picture=second.picture))
    st.markdown(f"The same channel for **{plain(second.picture.title)}**")
    close_up.show_map(
        maps,
        channel,
        colours,
        encoded(second.overview.fitted.pixels),
        f"Channel {channel} over {second.picture.title}",
        cell=None,
        field=None,
        key="feature_maps_close_up2",
        on_cell=_choose_cell,
    )
    st.caption(close_up.numbers_line(maps, channel))


def _retry(failure: work.WorkFailed) -> None:
    """Say what failed and offer another try; everything else on the page stays as it was."""
    st.error(str(failure), icon=":material/error:")
    st.button("Try again", key="feature_maps_retry")


def _second(network: str, weights: str, fit: str) -> Second | None:
    picture = picture_picker.current_picture("feature_maps", second=True)
    return None if picture is None else Second(picture, overview_of(network, weights, fit, picture))


def show() -> None:
    """Draw the page."""
    state.hide_unseen()
    work.let_go_of_others()
    page_head("Feature maps", "What does every layer of a network see in this picture?")
    network = _controls()
    say_if_not_here(STATE)
    picture = picture_picker.current_picture("feature_maps")
    if picture is None:
        return
    entry = catalogue.entry(network)
    weights = weights_in_use(entry, STATE.value("weights"))
    if entry.family == "Drawn world" and weights == "trained":
        say_what_it_knows(entry, picture)
    fit = STATE.value("fit")
    try:
        overview = overview_of(network, weights, fit, picture)
    except work.WorkFailed as failure:
        _retry(failure)
        return
    structure = _shared_structure(network, overview.structure)
    try:
        second = _second(network, weights, fit)
        maps = _stage(structure, overview, (network, weights, fit, picture), second)
    except work.WorkFailed as failure:
        _retry(failure)
        return
    st.caption(
        f"{count_text(structure.parameters)} parameters, {len(structure.layers)} layers · all layers computed in "
        f"{seconds_text(overview.seconds)} on {overview.device}"
    )
    below.show_silence(structure, overview.layers, maps.layer, maps.threshold_rule, _choose_layer)
    below.show_background()
