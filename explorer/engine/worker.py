"""Inside a worker: runs named work, reports its progress, hears stops, and warms up before the first call.

Importable without Keras; the web process refers to these functions by name. A worker of another cluster than the
app's own is started with `dask worker … --preload explorer.engine.worker`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import logging
import os
import pickle
import signal
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
from distributed import Worker, get_worker

from explorer.architectures.registration import register_networks
from explorer.engine.devices import Device, devices_of_backend
from explorer.engine.packing import Packed, pack, unpack
from explorer.networks.work_context import NO_CONTEXT, SentenceError, Stopped

LANE_VARIABLE = "CNN_EXPLORER_ENGINE_LANE"
WARM_VARIABLE = "CNN_EXPLORER_ENGINE_WARM"

REPORT_SECONDS = 0.1
"""Least time between two reports of one call that are sent."""

PAYLOAD_SECONDS = 0.3
"""Least time between two payloads of one part of a call that are sent."""

PAYLOAD_BYTES = 4_000_000
"""A larger payload is left out: it passes through the scheduler, with everybody's messages."""

LONG_NICENESS = 10
"""How much long work gives way to everything else on this machine (POSIX nice levels)."""

FIRST_TO_GO = 500
"""How much rather Linux should end a worker than the app when memory is short (oom_score_adj, proc(5))."""

MEMORY_SENTENCE = "There was not enough memory for this; try a smaller picture or a smaller network."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a call ended in the worker.

    Attributes:
        kind: "result"; "sentence" and "memory" come with a text for the visitor; "failed" with nothing more than
            the log has; "stopped".
        text: the sentence.
        result: the packed result.
        seconds: how long the function ran.
    """

    kind: Literal["result", "sentence", "memory", "failed", "stopped"]
    text: str = ""
    result: Packed | None = None
    seconds: float = 0.0


class Context:
    """What running work may ask of the engine; fits `explorer.networks.work_context.WorkContext`."""

    def __init__(self, call: str, send: Callable[[dict[str, Any]], None]) -> None:
        self._call = call
        self._send = send
        self._stop = threading.Event()
        self._yield = threading.Event()
        self._words: dict[str, Any] = {}
        self._sent_at = -REPORT_SECONDS
        self._payload_sent_at: dict[int, float] = {}

    def report(
        self,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
        message: str = "",
        payload: Any = None,
        part: int = 0,
    ) -> None:
        """Send how far the work is, ten times a second at most; the last step is always sent."""
        now = time.monotonic()
        at_end = done is not None and done == total
        packed = self._packed(payload, part, now, at_end) if payload is not None else None
        if packed is None and now - self._sent_at < REPORT_SECONDS and not at_end:
            return
        self._sent_at = now
        self._send(
            {
                "call": self._call,
                "kind": "progress",
                "done": None if done is None else float(done),
                "total": None if total is None else float(total),
                "unit": str(unit),
                "message": str(message),
                "payload": packed,
                "part": int(part),
            }
        )

    def _packed(self, payload: Any, part: int, now: float, at_end: bool) -> bytes | None:
        """Return a payload as it travels, or None where it is too early for another or it is too large."""
        if now - self._payload_sent_at.get(part, -PAYLOAD_SECONDS) < PAYLOAD_SECONDS and not at_end:
            return None
        self._payload_sent_at[part] = now
        packed = pickle.dumps(payload, protocol=5)
        if len(packed) > PAYLOAD_BYTES:
            log.warning("A payload of %d bytes was left out", len(packed))
            return None
        return packed

    def told(self) -> dict[str, Any]:
        """Return what the page has said to this work meanwhile, the latest of each word."""
        with _lock:
            return dict(self._words)

    def should_yield(self) -> bool:
        """Return whether others wait and this work has had its turn: it may return what it has, unfinished."""
        return self._yield.is_set()

    def stopped(self) -> bool:
        """Return whether the visitor asked this work to stop."""
        return self._stop.is_set()

    def raise_if_stopped(self) -> None:
        """End the work here if the visitor asked for it.

        Raises:
            Stopped: when `stopped()` is true.
        """
        if self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        """Ask the work to stop."""
        self._stop.set()

    def hear(self, words: dict[str, Any]) -> None:
        """Take in what the page says; to be called under the lock of this module."""
        self._words.update(words)

    def give_way(self) -> None:
        """Let the work know that others wait."""
        self._yield.set()


_lock = threading.Lock()
_running: dict[str, Context] = {}
_stopped_early: OrderedDict[str, None] = OrderedDict()

_importing = threading.Lock()
_functions: dict[str, Callable[..., Any]] = {}


def run_call(call: str, topic: str, path: str, arguments: Packed) -> Outcome:
    """Run one call; whatever happens in it becomes an `Outcome`, never an exception.

    An exception that travelled would be unpickled in the web process, and might import Keras there.
    """
    worker = get_worker()
    context = Context(call, lambda event: worker.log_event(topic, event))
    with _lock:
        _running[call] = context
        if _stopped_early.pop(call, call) is None:
            context.stop()
    worker.log_event(topic, {"call": call, "kind": "started", "worker": worker.address, "pid": os.getpid()})
    began = time.perf_counter()
    try:
        outcome = _outcome(path, context, arguments)
    finally:
        with _lock:
            _running.pop(call, None)
    return Outcome(outcome.kind, outcome.text, outcome.result, time.perf_counter() - began)


def _outcome(path: str, context: Context, arguments: Packed) -> Outcome:
    try:
        context.raise_if_stopped()
        result = resolve(path)(context, **unpack(arguments))
        return Outcome("result", result=pack(result))
    except Stopped:
        return Outcome("stopped")
    except SentenceError as error:
        log.info("%s ended with a sentence: %s", path, error)
        return Outcome("sentence", str(error))
    except (Exception, SystemExit) as error:
        log.exception("%s failed", path)
        return Outcome("memory", MEMORY_SENTENCE) if is_out_of_memory(error) else Outcome("failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory, of the machine or of a GPU, was not enough.

    Told by name, since the backends' own error classes cannot be imported everywhere: TensorFlow's
    ResourceExhaustedError, PyTorch's OutOfMemoryError, and XLA's status RESOURCE_EXHAUSTED.
    """
    if isinstance(error, MemoryError):
        return True
    names = {each.__name__ for each in type(error).__mro__}
    if names & {"ResourceExhaustedError", "OutOfMemoryError"}:
        return True
    from_xla = bool(names & {"XlaRuntimeError", "JaxRuntimeError", "InternalError", "RuntimeError"})
    return from_xla and any(word in str(error) for word in ("RESOURCE_EXHAUSTED", "out of memory"))


def resolve(path: str) -> Callable[..., Any]:
    """Return the function at "package.module:function".

    Imports happen one at a time in a worker: two threads that import Keras at once may see half of it.
    """
    if path not in _functions:
        module_name, _, function_name = path.partition(":")
        with _importing:
            _functions[path] = getattr(importlib.import_module(module_name), function_name)
    return _functions[path]


def stop_call(call: str) -> None:
    """Ask a call to stop; one that has not begun here yet will hear it when it does."""
    with _lock:
        context = _running.get(call)
        if context is not None:
            context.stop()
            return
        _stopped_early[call] = None
        while len(_stopped_early) > 256:
            _stopped_early.popitem(last=False)


def tell_call(call: str, words: dict[str, Any]) -> None:
    """Say something to a running call; one that has ended hears nothing."""
    with _lock:
        context = _running.get(call)
        if context is not None:
            context.hear(words)


def yield_call(call: str) -> None:
    """Let a running call know that others wait for its worker."""
    with _lock:
        context = _running.get(call)
    if context is not None:
        context.give_way()


async def describe_devices() -> tuple[Device, ...]:
    """Return the devices of this worker, beside whatever it computes; imports Keras."""
    return await asyncio.to_thread(_describe_devices)


def _describe_devices() -> tuple[Device, ...]:
    with _importing:
        return devices_of_backend()


def dask_setup(worker: Worker) -> None:
    """Prepare this process; Dask calls it in every worker that preloads this module."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s worker %(process)d %(levelname)s %(name)s: %(message)s"
    )
    register_networks()
    lane = os.environ.get(LANE_VARIABLE, "")
    if lane and sys.platform == "linux":
        _die_with_parent()
        _offer_to_go()
    if lane == "long":
        _give_way()
    network = os.environ.get(WARM_VARIABLE, "")
    if network:
        threading.Thread(target=warm, args=(network,), name="warm", daemon=True).start()


def warm(network: str) -> None:
    """Import Keras, load a network and send one picture through it, so that the first visitor need not wait.

    Calls that come meanwhile are served; those that need the same find it half done.

    Args:
        network: name in the catalogue.
    """
    began = time.perf_counter()
    try:
        with _importing:
            loading = importlib.import_module("explorer.networks.loading")
            sources = importlib.import_module("explorer.pictures.sources")
        loading.load(network)
        with _importing:
            feature_maps = importlib.import_module("explorer.inside.feature_maps")
        picture = sources.resolve(sources.DEFAULT_SOURCE)
        feature_maps.overview(NO_CONTEXT, network=network, weights="trained", pixels=picture.pixels)
    except Exception:
        log.warning("The worker could not warm up; the first call will take longer.", exc_info=True)
    else:
        log.info("Warm after %.1f s", time.perf_counter() - began)


def _give_way() -> None:
    process = psutil.Process()
    try:
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(min(19, process.nice() + LONG_NICENESS))
    except psutil.Error:
        log.warning("The long worker runs at normal priority.", exc_info=True)


def _die_with_parent() -> None:
    """Let Linux end this process with the one that started it, even while it computes without looking up.

    Dask's own watch for that is a thread, which compiled code that never lets other threads run would silence.
    """
    pr_set_pdeathsig = 1  # prctl(2)
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _offer_to_go() -> None:
    """When memory is short, let Linux end this process, which comes back, and not the app."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_GO))
