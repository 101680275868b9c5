"""The web process' hold on training runs: its dispatcher, and what a visitor may see of runs and do with them.

Every function takes the id of the visitor who asks (`explorer.interface.visitor`); nobody else's runs are seen,
except by their link, whose key `link_keys` remembers for the session.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from explorer.networks.work_context import SentenceError
from explorer.runs import folder as folders
from explorer.runs import listing as listings
from explorer.runs import record, rights, waiting
from explorer.runs.dispatcher import DISPATCHER_LOCK, announced
from explorer.runs.folder import NO_SUCH_RUN
from explorer.runs.keeper import Keeper
from explorer.runs.lock import is_held
from explorer.runs.record import FINAL, Broken, Listing, Run
from explorer.runs.standby import is_worth_it
from explorer.runs.waiting import Place
from explorer.settings import Settings, get_settings

PLACER = "explorer.engine.placing:connect"

AGAIN_SECONDS = 5.0
"""From a failed start of the dispatcher to the next."""

LINK_PARAMETER = "run_key"
"""What a link says so that whoever opens it may see a run: `?run_key=<key>`."""

_KEYS = "_run_keys"

DispatcherState = Literal["serves", "waits", "starting"]

log = logging.getLogger(__name__)


def slots_of(settings: Settings) -> list[str]:
    """Return what runs at a time on this machine: each visible NVIDIA GPU, or the CPU so often as the settings say."""
    from explorer.engine.devices import visible_nvidia_gpus  # late: it imports Dask

    return [name for name, _ in visible_nvidia_gpus()] or ["cpu"] * settings.runs_at_a_time


@functools.lru_cache(maxsize=1)
def trains_on_gpu() -> bool:
    """Tell whether runs may find a GPU: one of this machine, or whatever the workers of a cluster have."""
    settings = get_settings()
    return settings.cluster_address is not None or not slots_of(settings)[0].startswith("cpu")


def options_of(settings: Settings) -> list[str]:
    """Return the dispatcher's arguments besides the folder."""
    options = ["--running-limit", str(settings.runs_running_limit), "--seconds", str(settings.runs_seconds)]
    if settings.runs_memory_megabytes is not None:
        options += ["--memory-megabytes", str(settings.runs_memory_megabytes)]
    if settings.runs_keep_days:
        options += ["--keep-days", str(settings.runs_keep_days)]
    if settings.runs_keep_megabytes:
        options += ["--keep-megabytes", str(settings.runs_keep_megabytes)]
    if settings.cluster_address:
        return [*options, "--place", PLACER, "--address", settings.cluster_address]
    for slot in slots_of(settings):
        options += ["--slot", slot]
    if settings.runs_standby is True or (settings.runs_standby == "auto" and is_worth_it()):
        options.append("--standby")
    return options


class RunsKeeper:
    """Starts this process' dispatcher in a thread, so that the server need not wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keeper: Keeper | None = None
        self._wanted = False

    def start(self) -> None:
        """Start the dispatcher; once it is there, it is started again whenever it dies."""
        with self._lock:
            if self._wanted:
                return
            self._wanted = True
        threading.Thread(target=self._start, name="start-dispatcher", daemon=True).start()

    def _start(self) -> None:
        while self._wanted:
            try:
                settings = get_settings()
                options = options_of(settings)
                with self._lock:
                    if self._wanted:
                        self._keeper = Keeper(settings.runs_folder, options)
                return
            except Exception:  # whatever it is, such as a disk that is not there yet: visitors' runs wait for it
                log.exception("The dispatcher of training runs did not start; it is tried again")
                time.sleep(AGAIN_SECONDS)

    def close(self) -> None:
        """End the dispatcher, and the runs that it has started on this machine."""
        with self._lock:
            keeper, self._keeper, self._wanted = self._keeper, None, False
        if keeper is not None:
            keeper.close()

    def state(self) -> DispatcherState:
        """Tell what the dispatcher does: it serves the line, or waits because that of another web process does."""
        keeper, root = self._keeper, runs_folder()
        pid = keeper.pid if keeper is not None else None
        if pid is None or not is_held(root / DISPATCHER_LOCK):
            return "starting"
        who = announced(root)
        return "serves" if who is not None and who.is_process(pid) else "waits"


@st.cache_resource(show_spinner=False)
def runs_keeper() -> RunsKeeper:
    """Return the keeper of this process' dispatcher; it outlives a reload of this module."""
    return RunsKeeper()


def runs_folder() -> Path:
    """Return the folder of all runs."""
    return get_settings().runs_folder


def shows_all() -> bool:
    """Tell whether this installation shows everybody's runs to everybody."""
    return get_settings().runs_show_all


def link_keys() -> frozenset[str]:
    """Return the keys of the links to runs that this session has opened."""
    keys: set[str] = st.session_state.setdefault(_KEYS, set())
    if key := st.query_params.get(LINK_PARAMETER):
        keys.add(key)
    return frozenset(keys)


# -- seeing ----------------------------------------------------------------------------------------------------


def may_see(run: Run | Broken, visitor: str, keys: Collection[str] = ()) -> bool:
    """Tell whether a visitor may look at a run: an own one, or one whose link key is among `keys`."""
    return any(rights.may_see(run, visitor, key, shows_all()) for key in ("", *keys))


def may_stop(run: Run | Broken, visitor: str) -> bool:
    """Tell whether a visitor may stop a run, or ask something of it while it runs."""
    return rights.may_stop(run, visitor, shows_all())


def may_delete(run: Run | Broken, visitor: str) -> bool:
    """Tell whether a visitor may delete a run."""
    return rights.may_delete(run, visitor, shows_all())


def visible(visitor: str, keys: Collection[str] = ()) -> Listing:
    """Return the runs that a visitor may see, oldest first; at most a second old, cheap enough for every look."""
    found = listings.shared_listing(runs_folder())
    return Listing(
        tuple(run for run in found.runs if may_see(run, visitor, keys)),
        tuple(each for each in found.broken if may_see(each, visitor, keys)),
    )


def find(visitor: str, run_id: str, keys: Collection[str] = ()) -> Run:
    """Return one run as it is now.

    Raises:
        SentenceError: if there is none, it cannot be read, or the visitor may not see it.
    """
    run = listings.find(runs_folder(), run_id)
    if not may_see(run, visitor, keys):
        raise SentenceError(NO_SUCH_RUN)
    return run


def places() -> Mapping[str, Place]:
    """Return the place of every waiting run in the line of all visitors, by the run's id."""
    root = runs_folder()
    found = listings.shared_listing(root)
    if not any(run.state == "queued" for run in found.runs):
        return {}
    who = announced(root)
    slots = max(1, len(who.slots)) if who is not None else get_settings().runs_at_a_time
    return waiting.line(found.runs, slots=slots, running_limit=get_settings().runs_running_limit)


def place_of(run_id: str) -> Place | None:
    """Return where a run waits; None if it does not."""
    return places().get(run_id)


# -- doing: without the keys of links, for who has those may look, and no more -----------------------------------


def submit(
    visitor: str,
    task: str,
    *,
    title: str = "",
    data: Mapping[str, Any] | None = None,
    network: str = "",
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Run:
    """Put a run in line; whoever looks finds it there at once.

    Args:
        visitor: whose run it will be.
        task: name of the lesson, see `explorer.runs.tasks`.
        title: what a visitor reads.
        data: which data, in the task's own words.
        network: name in the catalogue or of a builder; "" where the task has its own.
        settings: the task's hyperparameters.
        seed: of everything random.

    Raises:
        SentenceError: if the visitor has too many waiting, the disk is nearly full, or there is no such lesson.
    """
    config = record.new_config(
        task=task,
        owner=visitor,
        title=title,
        data=dict(data or {}),
        network=network,
        settings=dict(settings or {}),
        seed=seed,
    )
    return waiting.submit(runs_folder(), config, waiting_limit=get_settings().runs_waiting_limit)


def again(visitor: str, run_id: str, keys: Collection[str] = (), **changes: Any) -> Run:
    """Put a run in line that repeats another one that the visitor may see, with some fields of its config changed.

    Raises:
        SentenceError: as `find` and `submit` do.
    """
    config = record.again(find(visitor, run_id, keys).config, visitor, **changes)
    return waiting.submit(runs_folder(), config, waiting_limit=get_settings().runs_waiting_limit)


def stop(visitor: str, run_id: str) -> None:
    """Ask an own run to stop; one that has ended meanwhile is left as it is.

    Raises:
        SentenceError: if there is no such run, or it is somebody else's.
    """
    run = find(visitor, run_id)
    if run.state not in FINAL:
        folders.ask_to_stop(run.folder)


def rename(visitor: str, run_id: str, title: str) -> None:
    """Give an own run another name.

    Raises:
        SentenceError: if there is no such run, it is somebody else's, or the disk is full.
    """
    folders.rename(find(visitor, run_id).folder, title)


def wish(visitor: str, run_id: str, **wishes: Any) -> None:
    """Ask something of an own run while it waits or runs, for example another `learning_rate`.

    Raises:
        SentenceError: if there is no such run, it is somebody else's, has ended, or the disk is full.
    """
    run = find(visitor, run_id)
    if run.state in FINAL:
        raise SentenceError("This run has ended.")
    try:
        folders.wish(run.folder, **wishes)
    except OSError as error:
        if not folders.is_disk_full(error):
            raise
        raise SentenceError("The disk of the server is full; the run goes on as it was.") from error


def delete(visitor: str, run_id: str) -> None:
    """Delete an own run that is not in progress, also one that cannot be read.

    Raises:
        SentenceError: if there is no such run, it is in progress, or it is somebody else's.
    """
    found = listings.shared_listing(runs_folder())
    broken = next((each for each in found.broken if each.id == run_id), None)
    target: Run | Broken = broken if broken is not None else find(visitor, run_id)
    if not may_delete(target, visitor):
        raise SentenceError(NO_SUCH_RUN if broken is not None else folders.STILL_ACTIVE)
    folders.delete(runs_folder(), run_id)
