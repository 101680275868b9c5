"""The engine as pages see it: submit named work, follow it, stop it, have its result or one sentence.

One thread of the web process runs everything here in an asyncio loop; pages, in threads of their own, only hand
calls over and look at them. Order is decided here and not by Dask, which gets a call when a worker is free for it
and therefore never queues (its own order is last in, first out).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import pickle
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import dask
from distributed import Client

from explorer.engine import work as table
from explorer.engine import worker
from explorer.engine.call import Call, EngineError
from explorer.engine.child import ChildCluster
from explorer.engine.devices import Device
from explorer.engine.packing import Packed, pack
from explorer.engine.progress import Progress
from explorer.engine.turns import Turns
from explorer.engine.work import KEPT_MESSAGES, LANES, Lane
from explorer.settings import Settings

__all__ = ["Call", "Device", "Engine", "EngineError", "Progress", "connect"]

GENERIC = "Something went wrong in the worker; the log has the details."
STOPPED = "This was stopped."
WORKER_LOST = "The worker ended unexpectedly and starts again; please try once more."
WORKER_MEMORY = (
    "The worker ran out of memory and starts again; try a smaller picture, a smaller network or fewer at once."
)
CLUSTER_LOST = "The workers ended unexpectedly and start again; please try once more."
NO_CLUSTER = "The workers could not be started; the log has the details."
NO_WORKER = "No worker is free to compute this; please try again in a minute."
TOO_LONG = "This took longer than it may and was ended."
TOO_MANY = "You have too many computations waiting; let some finish first."
CLOSED = "The app is ending."

WAITING_LIMIT = 32
"""How many calls of one visitor may wait in one lane."""

TURN_SECONDS = 4.0
"""How long a call computes before it is told that others wait; work that can go on later then gives way."""

STOP_SECONDS = 30.0
"""How long a stopped call may go on before its worker is restarted. A restart costs everybody the networks that the
worker has loaded, so it is for work that hangs and not for work that is slow to look up."""

ATTEMPTS = 3
"""How often a call is handed over whose worker is lost before the work begins: handing over to a worker that has
just died is nobody's fault. Work that began is never run a second time."""

START_SECONDS = 90.0
"""How long a call that was handed over may wait for its worker, which may be starting anew."""

LIMIT_SECONDS: Mapping[Lane, float] = {"quick": 300.0, "long": 3600.0}
"""How long one call may compute; longer means that it hangs, and others wait for its worker."""

READY_SECONDS = 1.5

LOOK_SECONDS = 0.5
"""How often to look whether a worker of another cluster has come, or has gone before it began a call."""

SEND_SECONDS = 0.001
"""How long Dask's client collects messages before it sends them; its own 10 ms are made for thousands of tasks."""

_MEMORY_TOPIC = "worker-restart-memory"
"""Dask's own topic: a nanny says that it ends a worker which went over its memory limit."""

log = logging.getLogger(__name__)

T = TypeVar("T")


def lanes_of(workers: dict[str, set[str]]) -> dict[Lane, list[str]]:
    """Share workers out to the lanes: each says by its Dask resources which lane it serves.

    In a cluster where none says so, the first worker serves quick calls and the others long ones; a single worker
    serves both.

    Args:
        workers: address → names of its resources.
    """
    lanes = {lane: sorted(each for each, resources in workers.items() if lane in resources) for lane in LANES}
    if not any(lanes.values()):
        first, *others = sorted(workers) or [""]
        lanes = {"quick": [first], "long": others or [first]} if first else lanes
    return lanes


class _Lost(Exception):
    """The work ended with its worker or its cluster; the text is the sentence for the visitor."""


@dataclass(eq=False)
class _Cluster:
    """The connection to a running cluster."""

    client: Client
    child: ChildCluster | None
    capacity: dict[Lane, int]
    lost: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class _Run:
    """One attempt to have a call run by a worker.

    Attributes:
        pin: where Dask may run it.
        cut: resolved with a sentence when the call must end whatever its worker does.
        id: how workers name it.
        pid: process that runs it; None before it began.
        address: of the worker that runs it; None before it began.
        timer: ends a call that does not begin, or goes on for too long.
        stop_timer: ends a call that does not hear a stop.
        turn_timer: tells a call that others wait.
    """

    call: Call
    arguments: Packed
    cluster: _Cluster
    pin: dict[str, Any]
    cut: asyncio.Future[str]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    pid: int | None = None
    address: str | None = None
    timer: asyncio.TimerHandle | None = None
    stop_timer: asyncio.TimerHandle | None = None
    turn_timer: asyncio.TimerHandle | None = None


@dataclass(eq=False)
class _LaneState:
    turns: Turns[Call] = field(default_factory=Turns)
    running: int = 0


def connect(
    settings: Settings,
    *,
    stop_seconds: float = STOP_SECONDS,
    limit_seconds: Mapping[Lane, float] = LIMIT_SECONDS,
) -> Engine:
    """Return an engine: on the cluster that the settings name, else on workers that it starts.

    Args:
        settings: of this installation.
        stop_seconds: how long a stopped call may go on before its worker is restarted.
        limit_seconds: how long a call may compute in each lane before its worker is restarted.

    Raises:
        EngineError: if there is no cluster at the address, or workers cannot be started.
    """
    engine = Engine(settings, stop_seconds, limit_seconds)
    try:
        engine.start()
    except BaseException:
        engine.close()
        raise
    return engine


class Engine:
    """Where named work runs. Thread-safe; one for a web process."""

    def __init__(self, settings: Settings, stop_seconds: float, limit_seconds: Mapping[Lane, float]) -> None:
        """Prepare an engine; use `connect`."""
        self._settings = settings
        self._stop_seconds = stop_seconds
        self._limits = limit_seconds
        self._topic = f"cnn-explorer-{uuid.uuid4().hex}"
        self._lanes: dict[Lane, _LaneState] = {lane: _LaneState() for lane in LANES}
        self._runs: dict[str, _Run] = {}
        self._over_memory: dict[str, float] = {}
        self._cluster: _Cluster | None = None
        self._connecting: asyncio.Task[_Cluster] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._closing = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    # -- for pages ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect; a call would do it as well.

        Raises:
            EngineError: if there is no cluster at the address, or workers cannot be started.
        """
        self._await(self._connected(), START_SECONDS)

    def submit(self, name: str, *, visitor: str, **arguments: Any) -> Call:
        """Ask for named work; returns at once.

        Args:
            name: in the table of work (`explorer.engine.work`).
            visitor: whose turn it takes: calls of one visitor run one after the other in each lane.
            **arguments: handed to the work by name; anything that pickles.

        Raises:
            KeyError: if the table has no such name.
            EngineError: if this visitor has too many calls waiting, or the engine is closed.
        """
        entry = table.work(name)
        call = Call(
            name,
            entry,
            visitor,
            pack(arguments, keep=True),
            stop=lambda call: self._soon(self._stop, call),
            tell=lambda call: self._soon(self._tell, call),
        )
        if self._closed:
            raise EngineError(CLOSED)
        if self._lanes[entry.lane].turns.count(visitor) >= WAITING_LIMIT:
            raise EngineError(TOO_MANY)
        self._soon(self._enqueue, call)
        return call

    def devices(self, timeout: float = 60.0) -> list[Device]:
        """Return the devices that compute: GPUs if workers see any, else the CPU; imports Keras in a worker.

        Raises:
            EngineError: if no worker answers within `timeout` seconds.
        """
        return self._await(self._devices(), timeout)

    def ready(self) -> dict[str, Any]:
        """Return, within two seconds, whether calls can be served, with the numbers a watchman wants.

        `ready` is True when every lane has a worker; `workers`, `running` and `waiting` count per lane.
        """
        answer: dict[str, Any] = {
            "ready": False,
            "workers": dict.fromkeys(LANES, 0),
            "running": {lane: state.running for lane, state in self._lanes.items()},
            "waiting": {lane: len(state.turns) for lane, state in self._lanes.items()},
        }
        try:
            answer["workers"] = self._await(self._count_workers(), READY_SECONDS)
        except EngineError as error:
            answer["reason"] = str(error)
        answer["ready"] = all(answer["workers"].values())
        return answer

    def close(self) -> None:
        """End every call, and the workers if this engine started them; may be called twice."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        child: ChildCluster | None = None
        with contextlib.suppress(Exception):
            child = asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(20)
        if child is not None:
            child.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()

    # -- between threads ---------------------------------------------------------------------------------------

    def _soon(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop has been closed
            for each in arguments:
                if isinstance(each, Call):
                    each.end("failed", sentence=CLOSED)

    def _await(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        if self._closed:
            coroutine.close()
            raise EngineError(CLOSED)
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise EngineError("No worker answers.") from None

    # -- the line; all that follows runs in the engine's thread ------------------------------------------------

    def _enqueue(self, call: Call) -> None:
        if self._closed:
            call.end("failed", sentence=CLOSED)
            return
        self._lanes[call.work.lane].turns.add(call.visitor, call)
        self._serve(call.work.lane)

    def _serve(self, lane: Lane) -> None:
        """Hand calls over as long as a worker of the lane is free, and tell the others their places."""
        state = self._lanes[lane]
        while not self._closed and state.running < self._capacity(lane) and (call := state.turns.take()):
            state.running += 1
            call.place, call.state = None, "running"
            task = self._loop.create_task(self._drive(call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        for place, waiting in enumerate(state.turns.order(), start=1):
            waiting.place = place

    def _capacity(self, lane: Lane) -> int:
        return self._cluster.capacity[lane] if self._cluster is not None else 1

    async def _drive(self, call: Call) -> None:
        """See one call through to its end."""
        try:
            await self._run(call)
        except EngineError as error:
            if call.state == "stopping":
                call.end("stopped", sentence=STOPPED)
            else:
                call.end("failed", sentence=str(error))
        except Exception:
            log.exception("The engine could not run %s", call.name)
            call.end("failed", sentence=GENERIC)
        finally:
            call.end("failed", sentence=CLOSED)
            lane = self._lanes[call.work.lane]
            lane.running -= 1
            lane.turns.release(call.visitor)
            self._serve(call.work.lane)

    async def _run(self, call: Call) -> None:
        """Hand a call over, again if its worker was lost before the work began, and end it as it ended."""
        arguments = call.take_arguments()
        sentence = GENERIC
        for _ in range(ATTEMPTS):
            cluster = await self._connected()
            run = _Run(call, arguments, cluster, await self._pin(cluster, call), self._loop.create_future())
            try:
                outcome = await self._attempt(run)
            except _Lost as error:
                sentence = str(error)
                if call.state == "stopping" or run.address is not None or run.cut.done():
                    break
                log.info("%s had not begun when its worker was lost; it is handed over again", call.name)
            else:
                self._end(call, outcome)
                return
        if call.state == "stopping":
            call.end("stopped", sentence=STOPPED)
        else:
            call.end("failed", sentence=sentence)

    def _end(self, call: Call, outcome: worker.Outcome) -> None:
        if call.state == "stopping" or outcome.kind == "stopped":
            # Work may hand over what it has when it is asked to stop.
            call.end("stopped", sentence=STOPPED, result=outcome.result, seconds=outcome.seconds)
        elif outcome.kind == "result":
            call.end("done", result=outcome.result, seconds=outcome.seconds)
        else:
            call.end("failed", sentence=outcome.text or GENERIC, seconds=outcome.seconds)

    async def _attempt(self, run: _Run) -> worker.Outcome:
        """Wait for what comes of one attempt, within the limits of time."""
        self._runs[run.id] = run
        if run.call.state == "stopping":
            self._arm(run)
        run.timer = self._loop.call_later(START_SECONDS, self._cut, run, NO_WORKER)
        try:
            return await self._outcome(run)
        finally:
            del self._runs[run.id]
            for timer in (run.timer, run.stop_timer, run.turn_timer):
                if timer is not None:
                    timer.cancel()

    async def _outcome(self, run: _Run) -> worker.Outcome:
        """Hand a call to Dask and wait for what comes of it.

        Raises:
            _Lost: if its worker or the cluster ended, or the call was cut off.
        """
        call, cluster = run.call, run.cluster
        future = cluster.client.submit(
            worker.run_call,
            run.id,
            self._topic,
            call.work.path,
            run.arguments,
            key=f"{call.name}-{run.id}",
            pure=False,
            retries=0,
            **run.pin,
        )
        gathered = asyncio.ensure_future(future._result())
        lost = asyncio.ensure_future(cluster.lost.wait())
        ends = {gathered, lost, run.cut}
        try:
            while not (await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_SECONDS))[0]:
                if run.address is None and await self._pinned_in_vain(run):
                    raise _Lost(WORKER_LOST)
            if gathered.done() and not gathered.cancelled() and gathered.exception() is None:
                return gathered.result()
            if cluster.lost.is_set():
                raise _Lost(CLUSTER_LOST)
            if run.cut.done():
                raise _Lost(run.cut.result())
            raise _Lost(await self._why_lost(run, gathered))
        finally:
            lost.cancel()
            gathered.cancel()
            if not cluster.lost.is_set():
                future.release()

    async def _pin(self, cluster: _Cluster, call: Call) -> dict[str, Any]:
        """Return what tells Dask where a call may run.

        Our own workers are found by their resource, which a worker that was started anew has again. In another
        cluster the workers may have none; there the call is pinned to one that runs nothing of ours, and waits as
        long as it would with ours for one that is starting.

        Raises:
            EngineError: if there is no worker.
        """
        lane = call.work.lane
        if cluster.child is not None:
            return {"resources": {lane: 1}}
        end = time.monotonic() + START_SECONDS
        while not (workers := await self._workers_or_lose(cluster, lane)):
            if call.state == "stopping" or time.monotonic() > end:
                raise EngineError(NO_WORKER)
            await asyncio.sleep(LOOK_SECONDS)
        cluster.capacity[lane] = len(workers)
        taken = {run.pin["workers"][0] for run in self._runs.values()}
        address = next((each for each in workers if each not in taken), workers[0])
        return {"workers": [address], "allow_other_workers": False}

    async def _pinned_in_vain(self, run: _Run) -> bool:
        """Return whether the one worker that may run a call has gone."""
        if run.cluster.child is not None:
            return False
        return run.pin["workers"][0] not in await self._workers_or_lose(run.cluster, run.call.work.lane)

    async def _workers_or_lose(self, cluster: _Cluster, lane: Lane) -> list[str]:
        """Return the addresses of a lane's workers.

        Raises:
            EngineError: if the cluster does not answer; it is given up then.
        """
        try:
            return (await self._workers(cluster))[lane]
        except OSError as error:
            self._lose(cluster)
            raise EngineError(CLUSTER_LOST) from error

    async def _why_lost(self, run: _Run, gathered: asyncio.Future[Any]) -> str:
        """Return the sentence for a call that ended without an outcome: its worker is gone."""
        error = None if gathered.cancelled() else gathered.exception()
        log.warning("%s ended without an outcome: %r", run.call.name, error)
        if run.cluster.child is None and run.cluster.client.status != "running":
            self._lose(run.cluster)
            return CLUSTER_LOST
        for _ in range(10):  # the nanny's word and Dask's travel by different ways
            if run.address in self._over_memory:
                return WORKER_MEMORY
            if run.cluster.lost.is_set() or (run.cluster.child and not run.cluster.child.alive()):
                return CLUSTER_LOST
            await asyncio.sleep(0.03)
        return WORKER_LOST

    # -- stopping ----------------------------------------------------------------------------------------------

    def _stop(self, call: Call) -> None:
        state = self._lanes[call.work.lane]
        if call.state == "waiting" and state.turns.remove(call.visitor, call):
            call.end("stopped", sentence=STOPPED)
            self._serve(call.work.lane)
        elif call.state == "running":
            call.state = "stopping"
            for run in self._runs.values():
                if run.call is call:
                    self._arm(run)

    def _arm(self, run: _Run) -> None:
        """Pass a stop on to the worker, and see that it is heard."""
        run.stop_timer = self._loop.call_later(self._stop_seconds, self._force_stop, run)
        if run.address is not None:
            self._background(self._tell_stop(run))

    async def _tell_stop(self, run: _Run) -> None:
        assert run.address is not None
        await run.cluster.client.run(worker.stop_call, run.id, workers=[run.address], on_error="ignore")

    def _tell(self, call: Call) -> None:
        """Pass on what the page says, if the work has begun; else it is passed on when it does."""
        for run in self._runs.values():
            if run.call is call and run.address is not None:
                self._background(
                    run.cluster.client.run(
                        worker.tell_call, run.id, call.words, workers=[run.address], on_error="ignore"
                    )
                )

    def _look_for_others(self, run: _Run) -> None:
        """Tell a call that has had its turn when others wait for its worker."""
        assert run.address is not None
        if len(self._lanes[run.call.work.lane].turns):
            self._background(
                run.cluster.client.run(worker.yield_call, run.id, workers=[run.address], on_error="ignore")
            )
        else:
            run.turn_timer = self._loop.call_later(1.0, self._look_for_others, run)

    def _force_stop(self, run: _Run) -> None:
        """Restart the worker of a call that did not hear a stop."""
        log.warning("%s did not stop within %.0f s; its worker is restarted", run.call.name, self._stop_seconds)
        self._restart_worker(run)
        self._cut(run, STOPPED)

    def _over_time(self, run: _Run) -> None:
        """Restart the worker of a call that has computed for too long."""
        log.warning("%s computed for too long; its worker is restarted", run.call.name)
        self._restart_worker(run)
        self._cut(run, TOO_LONG)

    def _restart_worker(self, run: _Run) -> None:
        if run.address is None:
            return
        child = run.cluster.child
        if child is not None:
            if run.pid is not None:
                child.kill_worker(run.pid)
        else:
            self._background(run.cluster.client.restart_workers([run.address], raise_for_error=False))

    def _cut(self, run: _Run, sentence: str) -> None:
        if not run.cut.done():
            run.cut.set_result(sentence)

    # -- what workers say --------------------------------------------------------------------------------------

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        _, said = event
        run = self._runs.get(said["call"])
        if run is None:
            return
        if said["kind"] == "started":
            if run.pid is not None:  # Dask began it a second time, because the first worker was lost
                self._cut(run, WORKER_LOST)
                return
            run.pid, run.address = said["pid"], said["worker"]
            run.call.begin()
            if run.timer is not None:
                run.timer.cancel()
            run.timer = self._loop.call_later(self._limits[run.call.work.lane], self._over_time, run)
            run.turn_timer = self._loop.call_later(TURN_SECONDS, self._look_for_others, run)
            if run.call.words:
                self._tell(run.call)
            if run.call.state == "stopping":
                self._background(self._tell_stop(run))
        elif said["kind"] == "progress":
            run.call.progress = Progress(said["done"], said["total"], said["unit"], said["message"])
            if said["payload"] is not None:
                run.call.payloads = {**run.call.payloads, said["part"]: pickle.loads(said["payload"])}

    def _on_memory(self, event: tuple[float, dict[str, Any]]) -> None:
        _, said = event
        now = time.monotonic()
        self._over_memory = {each: at for each, at in self._over_memory.items() if now - at < 60}
        self._over_memory[said["worker"]] = now

    # -- the cluster -------------------------------------------------------------------------------------------

    async def _connected(self) -> _Cluster:
        """Return the connection, made anew if there is none.

        Raises:
            EngineError: if that fails.
        """
        if self._closed:
            raise EngineError(CLOSED)
        if self._cluster is not None:
            return self._cluster
        if self._connecting is None:
            self._connecting = self._loop.create_task(self._connect())
        # Whoever gives up waiting must not end the attempt that others wait for.
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> _Cluster:
        try:
            self._cluster = await self._new_connection()
        except Exception as error:
            log.exception("There is no cluster")
            raise EngineError(NO_CLUSTER) from error
        finally:
            self._connecting = None
        return self._cluster

    async def _new_connection(self) -> _Cluster:
        address = self._settings.cluster_address
        child = None if address else await asyncio.to_thread(ChildCluster, self._settings)
        if child is not None:
            # The end of this cluster is ours to tell; Dask would tell it with several tracebacks.
            logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        try:
            with dask.config.set({"distributed.admin.low-level-log-length": KEPT_MESSAGES}):
                client = await Client(
                    child.address if child else address,
                    security=child.security if child else None,
                    asynchronous=True,
                    set_as_default=False,
                    direct_to_workers=True if child else None,
                    name="cnn-explorer",
                )
        except BaseException:
            if child is not None:
                await asyncio.to_thread(child.close)
            raise
        stream: Any = client.scheduler_comm
        stream.interval = SEND_SECONDS
        client.subscribe_topic(self._topic, self._on_event)
        client.subscribe_topic(_MEMORY_TOPIC, self._on_memory)
        cluster = _Cluster(client, child, {lane: child.lanes[lane] if child else 1 for lane in LANES})
        if child is None:
            workers = await self._workers(cluster)
            cluster.capacity = {lane: max(1, len(workers[lane])) for lane in LANES}
        if child is not None:
            child.when_ended(lambda: self._soon(self._lose, cluster))
        return cluster

    def _lose(self, cluster: _Cluster) -> None:
        """The cluster has ended: its calls fail now, and the next one starts another."""
        if self._closed or cluster.lost.is_set():
            return
        log.error("The cluster's process ended; the next call starts another")
        cluster.lost.set()
        if self._cluster is cluster:
            self._cluster = None
        self._background(cluster.client.close(timeout=1))

    async def _devices(self) -> list[Device]:
        cluster = await self._connected()
        # Workers on one CPU or one GPU see the same; the long one need not import Keras to say so.
        alike = cluster.child is not None and cluster.child.lanes["long"] == 1
        expected = sum(cluster.child.lanes.values()) if cluster.child is not None else 1
        lanes = await self._workers(cluster)
        while not lanes["quick"] or sum(map(len, lanes.values())) < expected:
            await asyncio.sleep(0.1)
            lanes = await self._workers(cluster)
        client: Any = cluster.client
        answers = await client.run(
            worker.describe_devices, workers=lanes["quick"] if alike else None, on_error="ignore"
        )
        found = list(dict.fromkeys(device for devices in answers.values() for device in devices))
        return [device for device in found if device.kind == "GPU"] or found[:1]

    async def _count_workers(self) -> dict[Lane, int]:
        workers = await self._workers(await self._connected())
        return {lane: len(addresses) for lane, addresses in workers.items()}

    async def _workers(self, cluster: _Cluster) -> dict[Lane, list[str]]:
        """Return the addresses of the workers of each lane."""
        scheduler: Any = cluster.client.scheduler
        known: dict[str, dict[str, Any]] = (await scheduler.identity())["workers"]
        return lanes_of({address: set(each["resources"]) for address, each in known.items()})

    async def _shut(self) -> ChildCluster | None:
        """End every call and the connection; return the child, which still runs."""
        for state in self._lanes.values():
            for call in state.turns.order():
                call.end("failed", sentence=CLOSED)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connecting is not None:
            await asyncio.gather(self._connecting, return_exceptions=True)
        cluster, self._cluster = self._cluster, None
        if cluster is None:
            return None
        with contextlib.suppress(Exception):
            await asyncio.wait_for(cluster.client.close(timeout=2), 4)
        return cluster.child

    def _background(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        async def quietly() -> None:
            try:
                await coroutine
            except Exception:
                log.warning("The engine could not do something on the side", exc_info=True)

        task = self._loop.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
