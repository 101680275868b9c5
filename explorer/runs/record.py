"""What is known of a run: what was asked for, where it stands, and which state may follow which."""

from __future__ import annotations

import contextlib
import re
import secrets
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["queued", "starting", "running", "done", "failed", "stopped", "interrupted"]

FINAL: frozenset[State] = frozenset({"done", "failed", "stopped", "interrupted"})
ACTIVE: frozenset[State] = frozenset({"starting", "running"})

NEXT: dict[State, frozenset[State]] = {
    "queued": frozenset({"starting", "stopped", "failed"}),
    "starting": frozenset({"starting", "running", "failed", "stopped", "interrupted", "queued"}),
    "running": frozenset({"running", "done", "failed", "stopped", "interrupted", "queued"}),
    "done": frozenset(),
    "failed": frozenset(),
    "stopped": frozenset(),
    "interrupted": frozenset(),
}
"""What may follow a state; a state that follows itself only brings new progress. What was in progress comes back into
the line where it was cut off through no fault of its own (see `folder.put_back`)."""

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")


class Config(BaseModel):
    """What was asked for; written once and never changed.

    Attributes:
        id: name of the folder.
        task: name of the lesson, see `explorer.runs.tasks`.
        title: what a visitor reads.
        data: which data, in the task's own words.
        network: name in the catalogue or of a builder; "" where the task has its own.
        settings: the task's hyperparameters.
        seed: of everything random.
        owner: the visitor's id.
        versions: of the libraries at the time.
        created: seconds since 1970.
        again_of: id of the run that this one repeats; "" for none.
        link_key: who knows it may look at the run, and no more.
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=rf"^{ID.pattern}$")
    task: str
    title: str = ""
    data: dict[str, Any] = {}
    network: str = ""
    settings: dict[str, Any] = {}
    seed: int = 0
    owner: str
    versions: dict[str, str] = {}
    created: float
    again_of: str = ""
    link_key: str = ""


class Progress(BaseModel):
    """How far a run is; None where that is not known.

    Attributes:
        epoch: the epoch it is in, from 1.
        epochs: how many there will be.
        step: steps done in this epoch.
        steps: steps of an epoch.
        rate: per second, of `unit`.
        unit: what `rate` counts, "steps" or "pictures".
        seconds_left: until the end of the present part, as far as one can tell.
        message: what is happening, in a few words.
        part: the part it is in, from 1; None before the first one.
        parts: how many parts there will be, for example one for each network.
        part_done: how much of this part is done, 0 to 1; it never falls before the next part begins.
    """

    model_config = ConfigDict(frozen=True)

    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    rate: float | None = None
    unit: str = "steps"
    seconds_left: float | None = None
    message: str = ""
    part: int | None = None
    parts: int | None = None
    part_done: float = 0.0


class Status(BaseModel):
    """Where a run stands.

    Attributes:
        state: see `NEXT`.
        reason: one sentence where the state needs one.
        log: every state it was in, with its time (seconds since 1970).
        pid: process id on `host`; for a person who looks, nothing is decided by it.
        host: machine that it runs on.
        slot: what it was given: "cpu" or a GPU.
        device: what it computes on, as a visitor reads it.
        progress: how far it is.
        restarts: how often it was put back into the line, to begin anew.
    """

    model_config = ConfigDict(frozen=True)

    state: State
    reason: str = ""
    log: tuple[tuple[State, float], ...] = ()
    pid: int | None = None
    host: str = ""
    slot: str = ""
    device: str = ""
    progress: Progress = Progress()
    restarts: int = 0

    def moved(self, state: State, now: float | None = None, **changes: Any) -> Status:
        """Return the status after a move to `state`, with other fields changed as well.

        Raises:
            ValueError: if the move is not allowed; from a final state none is.
        """
        if state not in NEXT[self.state]:
            raise ValueError(f"a run cannot go from {self.state} to {state}")
        log = self.log if state == self.state else (*self.log, (state, time.time() if now is None else now))
        return self.model_copy(update={**changes, "state": state, "log": log})

    def time_of(self, *states: State) -> float | None:
        """Return when the run last entered one of `states`, in seconds since 1970."""
        return next((at for state, at in reversed(self.log) if state in states), None)

    @property
    def began(self) -> float | None:
        """When it was given a process; None while it waits for another one."""
        return None if self.state == "queued" else self.time_of("starting")

    @property
    def ended(self) -> float | None:
        """When it reached its final state."""
        return self.time_of(*FINAL)

    @property
    def seconds(self) -> float | None:
        """How long it took from its process' start to its end; None before that."""
        return None if self.began is None or self.ended is None else max(0.0, self.ended - self.began)


@dataclass(frozen=True)
class Run:
    """A run as it was a moment ago.

    Attributes:
        folder: where it is.
        config: what was asked for.
        status: where it stands; one that nobody runs any more is shown as interrupted, whatever the file says.
        stored: the state in the file.
    """

    folder: Path
    config: Config
    status: Status
    stored: State

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.config.id

    @property
    def state(self) -> State:
        """The state as shown."""
        return self.status.state

    @property
    def owner(self) -> str:
        """The visitor's id."""
        return self.config.owner


@dataclass(frozen=True)
class Broken:
    """A folder that cannot be read as a run.

    Attributes:
        id: name of the folder.
        folder: where it is.
        sentence: what is wrong with it.
        owner: the visitor's id, "" where even that cannot be read.
    """

    id: str
    folder: Path
    sentence: str
    owner: str = ""


@dataclass(frozen=True)
class Listing:
    """All runs, oldest first, and the folders that should be runs."""

    runs: tuple[Run, ...]
    broken: tuple[Broken, ...]


_last_created = 0.0
_creating = threading.Lock()


def new_config(*, task: str, owner: str, **fields: Any) -> Config:
    """Return a config with a fresh id, the time and the versions; `fields` are those of `Config`."""
    global _last_created
    with _creating:  # coarse clocks would give two runs one time, and so no order
        created = _last_created = max(time.time(), _last_created + 1e-5)
    fields.setdefault("versions", installed_versions())
    stamp = datetime.fromtimestamp(created, UTC).strftime("%Y%m%d-%H%M%S")
    return Config(
        id=f"{stamp}-{secrets.token_hex(3)}",
        task=task,
        owner=owner,
        created=created,
        link_key=secrets.token_hex(16),
        **fields,
    )


def again(config: Config, owner: str, **changes: Any) -> Config:
    """Return the config of a run that repeats another, for whoever asks, with some fields changed."""
    kept = {name: getattr(config, name) for name in ("task", "title", "data", "network", "settings", "seed")}
    return new_config(**{**kept, **changes, "owner": owner, "again_of": config.id})


def installed_versions() -> dict[str, str]:
    """Return the versions that a run depends on, without importing anything of it."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("keras", "tensorflow", "jax", "torch", "numpy"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
