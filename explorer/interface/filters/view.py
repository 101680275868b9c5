"""The filters page from top to bottom: which network, what is grown, the stage, what stands below it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from explorer.ascent import sheets
from explorer.ascent.results import Plan
from explorer.interface import jobs, picture_picker, state, work
from explorer.interface.components.gallery import gallery
from explorer.interface.filters import album, background, close_up, dreaming, growing, regularising, take_along, wishes
from explorer.interface.filters.album import Shown
from explorer.interface.filters.wishes import STATE, View
from explorer.interface.jobs import Job
from explorer.interface.narrow_screens import fit_narrow_screens
from explorer.interface.network_choice import network_box, say_if_not_here
from explorer.interface.page_frame import page_head
from explorer.interface.weights_notice import weights_in_use
from explorer.networks import catalogue
from explorer.networks.catalogue import NetworkEntry
from explorer.networks.structure import Structure
from explorer.pictures.picture import Picture

PER_PAGE = 24
POLL_SECONDS = 0.7
FIT = "pad"
_OBJECTIVES = {
    "class_evidence": "The evidence for the class, in the middle,",
    "class": "The logit of the class",
    "channel": "The mean answer of the channel",
    "neuron": "The answer of the channel's central value",
}
_STARTS = {
    "noise": "Each image began as noise, and no picture was copied.",
    "grey": "Each image began as plain grey, and no picture was copied.",
    "picture": "Each image began as your picture.",
    "sheet": "Each image began as the ready one.",
}


@dataclass(frozen=True)
class Stage:
    """What the stage of classes or channels shows.

    Attributes:
        view: network, weights, layer.
        entry: of the network.
        names: of its classes.
        targets: classes or channels of this page of tiles, in their order on the screen.
        count: how many classes or channels there are.
        picture: the visitor's.
    """

    view: View
    entry: NetworkEntry
    names: list[str]
    targets: list[int]
    count: int
    picture: Picture | None


@st.cache_resource(max_entries=60, show_spinner=False)
def _shared_structure(network: str, _structure: Structure) -> Structure:
    """Keep one copy of a network's structure for all sessions: it has nothing of a visitor in it."""
    return _structure


def structure_of(network: str) -> Structure:
    """Return a network's structure, kept in the session."""
    large = catalogue.is_large(catalogue.entry(network))
    read = work.run(
        "networks.structure",
        label=f"Reading {catalogue.entry(network).title}" + (" (it is large)" if large else ""),
        keep_as=(network,),
        network=network,
        weights="random",
    )
    return _shared_structure(network, read)


def _forget_place() -> None:
    STATE.set("picks", "")
    STATE.set("page", 1)


def _network_changed() -> None:
    _forget_place()
    STATE.set("subject", None)
    STATE.set("colours", None)
    STATE.set("dream_layers", "")


def _controls() -> tuple[str, str]:
    """Draw the row of main controls and return network and mode."""
    with st.container(horizontal=True, vertical_alignment="center", key="filters_controls"):
        mode = STATE.segments(
            "mode", format_func=wishes.MODES.__getitem__, label_visibility="collapsed", on_change=_forget_place
        )
        network = network_box(STATE, width=220, label_visibility="collapsed", on_change=_network_changed)
        if mode == "regularise":
            regularising.subject(catalogue.entry(network))
        else:
            with STATE.part("picture"), st.container(width="content"):
                picture_picker.picture_controls("filters")
        with STATE.part("more"), st.popover("More", icon=":material/tune:", key="filters_more"):
            _more(mode)
    return network, mode


def _more(mode: str) -> None:
    """Draw the knobs of this mode."""
    with st.container(width=430):
        if mode == "dream":
            for name in ("octaves", "octave_scale", "dream_steps", "step_size", "dream_size"):
                STATE.slider(name)
        else:
            _more_of_growing(mode)
        STATE.number("seed", low=0, high=9999)
        STATE.segments("weights", format_func=wishes.WEIGHTS.__getitem__)
        st.button("Reset this page", on_click=STATE.reset, key="filters_reset", icon=":material/restart_alt:")


def _more_of_growing(mode: str) -> None:
    steps, rate = st.columns(2)
    with steps:
        STATE.slider("steps")
    with rate:
        STATE.slider("rate", format="%.3f")
    if mode == "regularise":
        st.caption("The four settings differ in everything else.")
        return
    if mode == "classes":
        STATE.segments("class_objective", format_func=wishes.CLASS_OBJECTIVES.__getitem__)
    else:
        STATE.segments("channel_objective", format_func=wishes.CHANNEL_OBJECTIVES.__getitem__)
    image, shaking, against, several = st.tabs(["Image", "Shaking", "Held against it", "Several"])
    with image:
        STATE.segments("parameterisation", format_func=wishes.PARAMETERISATIONS.__getitem__)
        STATE.slider("spectrum")
        own = wishes.default_colours(catalogue.entry(STATE.value("network")))
        STATE.selectbox("colours", index=list(wishes.COLOURS).index(own), format_func=wishes.COLOURS.__getitem__)
        STATE.selectbox("start", format_func=wishes.STARTS.__getitem__)
        STATE.selectbox("size", format_func=wishes.SIZES.__getitem__)
    with shaking:
        for name in ("jitter", "rotate", "scale", "pad"):
            STATE.slider(name)
    with against:
        for name in ("variation", "smoothness", "l2", "decay"):
            STATE.slider(name, format="%.3f")
        STATE.slider("blur")
    with several:
        STATE.slider("copies")
        STATE.slider("diversity")
        st.caption("Several images of the same thing show that there is not only one that it wants to see.")


def shuffled(targets: Sequence[int], network: str) -> list[int]:
    """Return the targets in an order that gives nothing away, the same at every look."""
    order = list(targets)
    random.Random(f"guess {network}").shuffle(order)
    return order


def _pick(stage: Stage) -> None:
    """A tile was clicked."""
    event = st.session_state["filters_gallery"].pick
    text = str(event.get("id", "")) if isinstance(event, dict) else ""
    number = text.partition(":")[0]
    if not number.isdecimal() or not int(number) < stage.count:
        return
    picks = wishes.picks_of(STATE.value("picks"), stage.count)
    if int(number) not in picks and len(picks) == wishes.MOST_PICKS:
        st.toast(f"At most {wishes.MOST_PICKS} images grow at once.")
        return
    _set_picks(stage, wishes.toggled(picks, int(number)))


def _set_picks(stage: Stage, picks: Sequence[int]) -> None:
    STATE.set("picks", ",".join(map(str, picks)))
    if picks:
        close_up.ask_for_evidence(stage.view, picks[-1], stage.picture, FIT)


def _grow(stage: Stage, targets: Sequence[int]) -> None:
    plan = wishes.plan_of(stage.view, targets)
    if plan.start == "picture" and stage.picture is None:
        growing.refuse("Choose a picture first: the images shall start from it.")
        return
    if plan.start == "sheet" and sheets.sheet(stage.view.network, stage.view.layer) is None:
        growing.refuse("There are no ready images to start from here: choose another start under More.")
        return
    count = len(targets) * album.copies_of(plan)
    what = f"{count} image{'s' if count > 1 else ''}"
    growing.start(
        growing.GROW,
        stage.view,
        [plan],
        label=f"Growing {what}",
        pixels=None if stage.picture is None else stage.picture.pixels,
        picture="" if stage.picture is None else stage.picture.source,
        fit=FIT,
    )


def _idle_bar(stage: Stage, picks: list[int], job: Job | None) -> None:
    """Draw what can be started."""
    on_page = stage.targets if len(stage.targets) <= wishes.MOST_PICKS else []
    targets = picks or on_page
    with st.container(horizontal=True, vertical_alignment="center", key="filters_idle_bar"):
        words = f"Grow {len(picks)} picked" if picks else f"Grow all {len(on_page)}" if on_page else "Grow"
        st.button(
            words, key="filters_grow_button", icon=":material/play_arrow:", type="primary", disabled=not targets,
            on_click=_grow, args=(stage, targets),
        )  # fmt: skip
        mine = job is not None and not job.running and job.identity[0] == stage.view
        results = growing.results_of(job) if mine else ()
        if job is not None and results and all(one.state is not None for one in results):
            done = results[0].finished
            st.button(
                "Grow further" if done else "Continue", key="filters_continue", icon=":material/resume:",
                on_click=growing.go_on, args=(growing.GROW, job),
                help=f"{STATE.value('steps')} more steps" if done else "From where it was stopped",
            )  # fmt: skip
        if picks:
            st.button(
                "None", key="filters_none", icon=":material/deselect:", on_click=_set_picks, args=(stage, ()),
                help="Pick none",
            )  # fmt: skip
        if album.kept(stage.view):
            ready = stage.view.weights == "trained" and sheets.sheet(stage.view.network, stage.view.layer) is not None
            st.button(
                "Ready images" if ready else "Clear", key="filters_drop", icon=":material/undo:", on_click=album.drop,
                args=(stage.view,), help="Put away what was grown here" + (": show the ready images" if ready else ""),
            )  # fmt: skip
        if growing.refusal():
            st.caption(f":red[{growing.refusal()}]")
        elif job is not None and mine and job.sentence:
            st.caption(f":red[{job.sentence}]")
        elif not picks:
            st.caption(f"Click images to pick up to {wishes.MOST_PICKS}.")


def _board(stage: Stage, job: Job | None, targets: Sequence[int]) -> list[Shown]:
    sheet = sheets.sheet(stage.view.network, stage.view.layer) if stage.view.weights == "trained" else None
    layers = [album.from_sheet(sheet), album.kept(stage.view)]
    if job is not None and job.running and job.identity[0] == stage.view:
        plan = job.identity[1][0]
        now = growing.growings(job)
        layers.append(album.from_growing(now[0], plan, growing.picture_of(job)) if now else album.waiting(plan))
    return album.board_of(targets, *layers)


def _stage(stage: Stage, polled: bool) -> None:
    """Draw the stage: gallery and close-up, as it is just now.

    Args:
        stage: what is shown.
        polled: whether this part of the page is drawn again and again.
    """
    job = jobs.job(growing.GROW)
    if _busy() != polled:
        st.rerun()
    picks = wishes.picks_of(STATE.linked("picks"), stage.count)
    guess = STATE.value("names") == "hidden" and not stage.view.layer
    board = _board(stage, job, shuffled(stage.targets, stage.entry.name) if guess else stage.targets)
    left, right = st.columns([2.05, 1], gap="medium")
    with left:
        if job is not None and job.running and job.identity[0] == stage.view:
            growing.running_bar(job)
        else:
            if job is not None and job.running:
                _elsewhere(job)
            _idle_bar(stage, picks, job)
        channels = bool(stage.view.layer)
        tiles = [album.tile_of(one, stage.view, stage.names, guess=guess, picked=one.target in picks) for one in board]
        gallery(
            album.pixels_of(board),
            tiles,
            name="Channels" if channels else "Classes",
            key="filters_gallery",
            picked=[one.id for one in sorted(board, key=lambda s: s.copy) if one.target in picks],
            opened=str(picks[-1]) if picks else None,
            on_pick=lambda: _pick(stage),
            tile=96 if channels or len(board) > 16 else 146,
            most=240,
        )
        _below(stage, board, picks)
    with right:
        if job is not None and job.running and job.identity[0] == stage.view:
            growing.rate_slider(job)
            growing.hold_choice(job, stage.view, stage.names)
            if not picks:
                close_up.show_climb(stage.view, stage.names, job, None)
        opened = [one for one in board if picks and one.target == picks[-1]]
        if opened:
            close_up.ask_for_evidence(stage.view, picks[-1], stage.picture, FIT)
            close_up.show(opened, stage.view, stage.names, job, stage.picture)
            if _busy() != polled:
                st.rerun()
        else:
            _what_you_see(stage, board)


def _elsewhere(job: Job) -> None:
    """Say that images of another view grow meanwhile."""
    view: View = job.identity[0]
    with st.container(horizontal=True, vertical_alignment="center", key="filters_elsewhere"):
        of = f"{catalogue.entry(view.network).title}{', ' + view.layer if view.layer else ''}"
        st.caption(f"{job.label} of {of} goes on meanwhile.")
        st.button("Stop it", key="filters_stop_elsewhere", on_click=job.stop, type="tertiary")


def _busy() -> bool:
    """Tell whether something runs that the stage shows."""
    return any(job is not None and job.running for job in (jobs.job(growing.GROW), jobs.job(growing.EVIDENCE)))


def _below(stage: Stage, board: list[Shown], picks: list[int]) -> None:
    """Draw what one takes along."""
    there = [one for one in board if one.image is not None]
    job = jobs.job(growing.GROW)
    words = [f"{_objective_words(there)} that each image reaches; point at one for more."] if there else []
    if job is not None and not job.running and job.identity[0] == stage.view and growing.outcome_words(job):
        words.append(f"Last run: {growing.outcome_words(job)}.")
    if words:
        st.caption(" ".join(words))
    if job is not None and job.identity[0] == stage.view:
        growing.show_notes(job)
    results = growing.results_of(job) if job is not None and job.identity[0] == stage.view else ()
    frames = close_up.frames_of(results[0], range(len(results[0].images))) if results else []
    plan, source = made_with(board, picks) or (
        wishes.plan_of(stage.view, picks or stage.targets[: wishes.MOST_PICKS]),
        "" if stage.picture is None else stage.picture.source,
    )
    titles = [wishes.title_of(stage.view, stage.names, one.target) for one in board]
    title = f"{stage.entry.title} ({stage.view.weights} weights), {stage.view.layer or 'classes'}"
    take_along.row(
        plan,
        source,
        key="filters",
        name=f"{stage.view.network} {stage.view.layer or 'classes'}".replace("/", " "),
        make_png=(lambda: take_along.board_png(board, titles, title, _small_print(there))) if there else None,
        frames=frames,
        before=lambda: STATE.segments(
            "names", format_func=wishes.NAMES.__getitem__, label_visibility="collapsed", unseen=bool(stage.view.layer)
        ),
    )


def made_with(board: Sequence[Shown], picks: Sequence[int]) -> tuple[Plan, str] | None:
    """Return what the images on the stage were grown with and from, for those of them that share it.

    Args:
        board: the images.
        picks: of these it is, where any is picked; the last picked one's settings count.

    Returns:
        (the plan, the source of the picture that they began as or ""), or None where nothing is known.
    """
    of_interest = [one for one in board if one.plan is not None and (not picks or one.target in picks)]
    if not of_interest:
        return None
    first = next((one for one in of_interest if picks and one.target == picks[-1]), of_interest[0])
    assert first.plan is not None
    common = replace(first.plan, targets=())
    alike = [
        one.target
        for one in of_interest
        if one.plan is not None and replace(one.plan, targets=()) == common and one.picture == first.picture
    ]
    return replace(common, targets=tuple(dict.fromkeys(alike))[: wishes.MOST_PICKS]), first.picture


def _objective_words(there: Sequence[Shown]) -> str:
    """Return the name of the number under the images."""
    objectives = {one.plan.objective for one in there if one.plan is not None}
    return _OBJECTIVES.get(objectives.pop(), "The number") if len(objectives) == 1 else "The number"


def _small_print(there: Sequence[Shown]) -> str:
    """Return how the images were made; where not all were made alike, each way once."""
    ways = list(dict.fromkeys(take_along.plan_words(one.plan) for one in there if one.plan is not None))
    return ways[0] if len(ways) == 1 else f"grown in {len(ways)} ways, the first: {ways[0]}" if ways else ""


def _start_words(board: Sequence[Shown]) -> str:
    """Return what the images were at first."""
    starts = {one.plan.start for one in board if one.plan is not None and one.image is not None}
    return _STARTS.get(starts.pop(), "") if len(starts) == 1 else ""


def _what_you_see(stage: Stage, board: list[Shown]) -> None:
    """Say what stands on the stage before anything is picked."""
    thing = "channel" if stage.view.layer else "class"
    if not any(one.image is not None for one in board):
        st.markdown(f"**Nothing has been grown here yet**\n\nNo images of {stage.entry.title} come with the app.")
        st.markdown(
            f"1. Click one or more tiles{'' if stage.view.layer or stage.count <= 24 else ', or search above'}.\n"
            "2. Press **Grow** and watch.\n\nA large network takes longer: the time left stands beside the bar."
        )
        return
    st.markdown(
        f"**What you see.** {_start_words(board)} Step by step each image was changed so that one {thing} of the "
        f"network answers more: it shows what the {thing} **wants to see**."
    )
    st.markdown(
        "**Click an image**: it opens here, beside the real pictures that drive it most. Pick some and press **Grow** "
        "to watch them come about."
    )
    if stage.view.layer:
        st.markdown(
            "**Then compare layers.** Early channels want edges and colours, later ones textures, parts, and at last "
            "something like whole things. Which is the first layer in which you can name what a channel wants?"
        )
    elif stage.entry.name == "drawn_robust":
        st.markdown(
            "**Then compare.** Change the network to *Drawn world*: the same architecture and data, but never trained "
            "against small misleading changes. Can you still name what its classes want? *Why regularise?* shows why."
        )
    flat = sum(one.quality is not None and one.quality.flat for one in board)
    if flat:
        st.caption(f"{flat} of these never started: they are flat, and say so.")


def _search(stage_count: int, names: list[str]) -> None:
    """Draw the field that finds classes by name, for networks that have too many to look through."""
    key = "filters_search"
    state.show_in(key, wishes.picks_of(STATE.linked("picks"), stage_count))

    def found() -> None:
        STATE.set("picks", ",".join(map(str, st.session_state[key])))

    st.multiselect(
        "Classes", range(stage_count), format_func=names.__getitem__, key=key, on_change=found, width=420,
        max_selections=wishes.MOST_PICKS, label_visibility="collapsed", placeholder="Search classes by name",
    )  # fmt: skip


def _show_stage(entry: NetworkEntry, weights: str, structure: Structure, mode: str, picture: Picture | None) -> None:
    """Draw the stage of classes or channels."""
    layer = ""
    names: list[str] = []
    # Without anything in it the row would leave its share of the gap.
    few = mode == "classes" and wishes.class_count(structure) <= PER_PAGE
    with st.container(horizontal=True, vertical_alignment="bottom", key="unseen_row" if few else "filters_second_row"):
        if mode == "channels":
            paths = wishes.layers_with_channels(structure)
            if not paths:
                st.info("This network has no layer with maps.", icon=":material/grid_off:")
                return
            layer = STATE.selectbox(
                "layer", paths, index=paths.index(wishes.default_layer(paths)), label_visibility="collapsed",
                width=260, on_change=_forget_place,
            )  # fmt: skip
            count = int(structure.layers[layer].channels or 0)
        else:
            count = wishes.class_count(structure)
            if not count:
                st.info("This network ends without class scores: look at its channels.", icon=":material/label_off:")
                return
            names = wishes.class_names(entry, count)
            if count > PER_PAGE:
                _search(count, names)
        pages = -(-count // PER_PAGE)
        page = STATE.pagination("page", pages, unseen=pages == 1)
    targets = list(range((page - 1) * PER_PAGE, min(page * PER_PAGE, count)))
    if not layer and count > PER_PAGE:
        # Picked classes come first: a search shall show what it has found.
        found = wishes.picks_of(STATE.linked("picks"), count)
        targets = [*found, *(one for one in targets if one not in found)][:PER_PAGE]
    view = View(entry.name, weights, layer)
    job = jobs.job(growing.GROW)
    if job is not None and not job.running:
        growing.harvest(job)
    stage = Stage(view, entry, names, targets, count, picture)
    polled = _busy()
    st.fragment(_stage, run_every=POLL_SECONDS if polled else None)(stage, polled)


def show() -> None:
    """Draw the page."""
    state.hide_unseen()
    jobs.begin_look()
    work.let_go_of_others()
    fit_narrow_screens("filters")
    page_head("Filters", "What does a filter, or a whole class, want to see?")
    network, mode = _controls()
    say_if_not_here(STATE)
    entry = catalogue.entry(network)
    picture = picture_picker.current_picture("filters")
    weights = weights_in_use(entry, STATE.value("weights"))
    try:
        structure = structure_of(network)
        if mode == "dream":
            dreaming.show(entry, weights, structure, picture)
        elif mode == "regularise":
            regularising.show(entry, weights)
        else:
            _show_stage(entry, weights, structure, mode, picture)
    except work.WorkFailed as failure:
        st.error(str(failure), icon=":material/error:")
        st.button("Try again", key="filters_retry")
        return
    background.show()
