"""Runs training runs on the workers of an existing Dask cluster, one at a time on each that takes them.

The dispatcher of runs (`explorer.runs.dispatcher`) is told of `connect` by name. Dask only places: a run is handed to a
worker that has none, so nothing ever waits in Dask, whose order is last in, first out. Whatever is lost with a worker
or the scheduler, the run's folder has the truth: it still waits and is handed out again, or it began and ends as the
folder says. Workers and web processes must see the folder of runs at the same path.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distributed import Client, Future, KilledWorker, secede
from distributed.comm import CommClosedError
from distributed.utils import CancelledError

from explorer.engine.client import lanes_of
from explorer.engine.devices import visible_nvidia_gpus
from explorer.runs.dispatcher import PlaceLost
from explorer.runs.supervise import Limits, supervise

RESOURCE = "run"
"""Name of the Dask resource of workers that take runs; its amount says how many at a time."""

LOOK_SECONDS = 1.0
POLL_SECONDS = 0.1
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 5.0

log = logging.getLogger(__name__)


def connect(address: str, limits: Limits) -> ClusterPlacer:
    """Return what runs training runs on the cluster at `address`; it connects on its own, and again when it must."""
    return ClusterPlacer(address, limits)


def run_here(folder: str, slot: str, limits: Limits) -> str:
    """Run one run in this worker and return its last state; the worker is free for other calls meanwhile."""
    secede()
    return supervise(Path(folder), slot, limits)


def device_here() -> str:
    """Return what a run on this worker gets: its first NVIDIA GPU, or the CPU."""
    return next((name for name, _ in visible_nvidia_gpus()), "cpu")


def places_of(workers: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return which workers take runs, and how many at a time.

    Those that have the resource `run`; where none says so, those that serve long calls, one run each.

    Args:
        workers: address → what the scheduler says about the worker.
    """
    named = {address: int(each["resources"].get(RESOURCE, 0)) for address, each in workers.items()}
    if any(named.values()):
        return {address: count for address, count in named.items() if count > 0}
    long = lanes_of({address: set(each["resources"]) for address, each in workers.items()})["long"]
    return dict.fromkeys(long, 1)


class ClusterPlacer:
    """The workers of a cluster, from the dispatcher's side; fits `explorer.runs.dispatcher.Placer`."""

    def __init__(self, address: str, limits: Limits) -> None:
        """Begin to look for the cluster.

        Args:
            address: of its scheduler; certificates are those of Dask's own configuration.
            limits: what one run may take.
        """
        self._address = address
        self._limits = limits
        self._client: Client | None = None
        self._known: frozenset[str] = frozenset()
        self._slots: tuple[tuple[str, str], ...] = ()
        self._devices: dict[str, str] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch-cluster", daemon=True)
        self._thread.start()

    def slots(self) -> list[str]:
        """Return "device@worker" for each run that the cluster takes now; nothing while it cannot be reached."""
        return [slot for slot, _ in self._slots]

    def place(self, folder: Path, slot: str) -> str:
        """Run one run on a worker and return its last state.

        Raises:
            PlaceLost: if worker, scheduler or connection were lost, or this is closed.
            Exception: what `supervise` raised.
        """
        client, address = self._client, dict(self._slots).get(slot)
        if client is None or address is None:
            raise PlaceLost(f"{slot} is not there any more")
        key = f"run-{folder.name}-{uuid.uuid4().hex[:8]}"
        future = client.submit(
            run_here,
            str(folder),
            slot,
            self._limits,
            key=key,
            pure=False,
            retries=0,
            workers=[address],
            allow_other_workers=False,
        )
        try:
            while not future.done():
                if self._closing.is_set():
                    raise PlaceLost("the dispatcher ends")
                if client is not self._client or address not in self._known:
                    raise PlaceLost(f"{slot} was lost")
                time.sleep(POLL_SECONDS)
            return self._result(future, slot)
        finally:
            # Whether or not it has begun, nobody shall begin it later: it may have been handed to somebody else.
            with contextlib.suppress(Exception):
                future.release()

    @staticmethod
    def _result(future: Future, slot: str) -> str:
        try:
            return str(future.result(timeout=ANSWER_SECONDS))
        except (CancelledError, KilledWorker, CommClosedError, TimeoutError) as error:
            raise PlaceLost(f"{slot} was lost: {error!r}") from error

    def close(self) -> None:
        """Let go of the cluster; runs that began there go on."""
        self._closing.set()
        self._thread.join(ANSWER_SECONDS)

    # -- watching the cluster ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                self._look()
            except Exception as error:  # whatever it is, the cluster is looked for again
                if self._known or self._client is None:
                    log.warning("The cluster at %s does not answer: %r", self._address, error)
                self._known, self._slots = frozenset(), ()
            self._closing.wait(LOOK_SECONDS)
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=1)

    def _look(self) -> None:
        client = self._connected()
        scheduler: Any = client.scheduler
        identity = client.sync(scheduler.identity, callback_timeout=ANSWER_SECONDS)
        workers: dict[str, dict[str, Any]] = identity["workers"]
        self._known = frozenset(workers)
        self._devices = {address: device for address, device in self._devices.items() if address in workers}
        slots: list[tuple[str, str]] = []
        for address, count in sorted(places_of(workers).items()):
            if workers[address]["status"] == "running" and (device := self._device(client, address)) is not None:
                slots += [(f"{device}@{workers[address]['name']}", address)] * count
        self._slots = tuple(slots)

    def _connected(self) -> Client:
        client = self._client
        if client is not None and client.status in ("running", "connecting"):
            return client
        if client is not None:
            self._client = None
            with contextlib.suppress(Exception):
                client.close(timeout=1)
        self._client = Client(
            self._address,
            timeout=CONNECT_SECONDS,
            set_as_default=False,
            name="cnn-explorer-runs",
            heartbeat_interval=5000,
        )
        log.info("Runs are placed on the cluster at %s", self._address)
        return self._client

    def _device(self, client: Client, address: str) -> str | None:
        """Return what a run on a worker gets, asked once; None while it does not answer."""
        if address not in self._devices:
            answer = client.run(device_here, workers=[address], on_error="ignore")
            device = answer.get(address) if isinstance(answer, dict) else None
            if not isinstance(device, str):
                return None
            self._devices[address] = device
        return self._devices[address]
