"""The app's own workers: `python -m explorer.engine.cluster`, a child process of the app.

Reads one line of JSON from stdin (the options), answers with one line of JSON on stdout (where it listens and the
keys to it), and lives until its stdin is closed, which the system does when the app ends, however it ends. It is a
process of its own because workers import their parent's `__main__`, and under Streamlit that is the page.

Only this machine is listened to, and only with a key that was made for this run and never touches the disk for
longer than TLS needs to read it: whoever may talk to a Dask scheduler may run code, and on a shared machine the
loopback address alone keeps nobody out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import dask
import psutil
from dask.system import cpu_count
from distributed import Nanny, Scheduler
from distributed.security import Security

from explorer.engine.devices import visible_nvidia_gpus
from explorer.engine.work import KEPT_MESSAGES, LANES, Lane

log = logging.getLogger(__name__)

DASK_SETTINGS: Mapping[str, Any] = {
    "distributed.scheduler.allowed-failures": 0,  # a call whose worker died is not run a second time
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # it samples every thread a hundred times a second
    "distributed.worker.memory.target": False,  # results leave at once, there is nothing to spill
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,  # a paused worker would keep its call waiting for ever
    "distributed.worker.memory.terminate": 0.95,
    "distributed.admin.low-level-log-length": KEPT_MESSAGES,
    "distributed.diagnostics.nvml": False,
    "distributed.diagnostics.computations.max-history": 1,
    "distributed.diagnostics.erred-tasks.max-history": 1,
    "distributed.comm.compression": False,
    "distributed.comm.timeouts.connect": "30s",
}

LOOPBACK = "127.0.0.1"

START_ATTEMPTS = 5


def places(gpus: list[str], threads: int | None, warm: str) -> list[tuple[Lane, dict[str, str]]]:
    """Return the workers to start: for each its lane and its environment.

    One worker computes quick calls. Long ones have one worker for each GPU, or one on the CPU; the quick worker
    shares the first GPU, which works because every framework takes only the memory that it needs. Only the quick
    worker warms up: long work can wait the seconds, and a worker with Keras takes 600 MB.

    Args:
        gpus: names of the GPUs for CUDA_VISIBLE_DEVICES.
        threads: threads that one worker computes with; None: all cores.
        warm: network to load before anybody asks; "" for none.
    """
    count = str(threads or cpu_count())
    shared = {
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_NUM_INTEROP_THREADS": "2",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    on_gpus = [{"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus]
    long_places = on_gpus or [{}]
    lanes: list[tuple[Lane, dict[str, str]]] = [("quick", long_places[0])]
    lanes += [("long", each) for each in long_places]
    warmed = {"quick": warm, "long": ""}
    return [
        (
            lane,
            {**shared, **gpu, "CNN_EXPLORER_ENGINE_LANE": lane, "CNN_EXPLORER_ENGINE_WARM": warmed[lane]},
        )
        for lane, gpu in lanes
    ]


def thread_variables(threads: int | None) -> dict[str, str]:
    """Return the variables that numeric libraries read when they are loaded.

    Dask would set one thread, and a malloc setting that gives every big array back to the system at once.
    """
    count = str(threads or cpu_count())
    return {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count}


_nannies: weakref.WeakSet[Nanny] = weakref.WeakSet()


async def kept(make: Callable[[], Nanny]) -> None:
    """Keep one worker alive for ever: its nanny starts it anew when it dies, and gives up when it dies at that.

    Raises:
        Exception: what starting it raised several times in a row.
    """
    failures = 0
    while True:
        try:
            nanny = make()
            _nannies.add(nanny)
            await nanny
            failures = 0
            await nanny.finished()
        except Exception:
            failures += 1
            if failures == START_ATTEMPTS:
                raise
        log.warning("A worker ended while it started; it is started again")
        await asyncio.sleep(0.5)


async def serve(options: dict[str, Any], answer: int, folder: str) -> None:
    """Start scheduler and workers, write where they listen to the file descriptor `answer`, and stay.

    Without Dask's extensions: none is used, and that for spans keeps some kilobytes of every call for ever.
    """
    security = Security.temporary()
    wanted = places([name for name, _ in visible_nvidia_gpus()], options["threads"], options["warm"])
    scheduler = await Scheduler(
        host=LOOPBACK,
        port=0,
        protocol="tls",
        security=security,
        extensions={},
        dashboard=False,
        dashboard_address=f"{LOOPBACK}:0",
    )
    hello = {
        "address": scheduler.address,
        "pid": os.getpid(),
        "folder": folder,
        "lanes": {name: sum(lane == name for lane, _ in wanted) for name in LANES},
        "certificate": security.tls_client_cert,
        "key": security.tls_client_key,
    }
    with os.fdopen(answer, "wb") as pipe:
        pipe.write(json.dumps(hello).encode() + b"\n")
    megabytes = options["memory_megabytes"]

    def nanny(index: int, lane: Lane, environment: dict[str, str]) -> Nanny:
        return Nanny(
            scheduler.address,
            name=f"{lane}-{index}",
            nthreads=1,
            host=LOOPBACK,
            protocol="tls",
            security=security,
            resources={lane: 1},
            memory_limit=0 if megabytes is None else megabytes * 10**6,
            local_directory=folder,
            extensions={},
            preload=["explorer.engine.worker"],
            env=environment,
            silence_logs=False,
            dashboard_address=f"{LOOPBACK}:0",
        )

    starts = [partial(nanny, index, *each) for index, each in enumerate(wanted)]
    await asyncio.gather(*map(kept, starts))


def end(folder: str) -> None:
    """End this process and every worker at once; nothing in them is worth a slow goodbye."""
    for nanny in list(_nannies):
        nanny.close_gracefully()  # starts no other worker in the place of the killed one
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if not any("resource_tracker" in word for word in child.cmdline()):  # it tidies up and ends by itself
                child.kill()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _end_with_stdin(folder: str) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    end(folder)


def _read_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break
        line += byte
    return line


def main() -> None:
    """Serve until stdin ends."""
    line = _read_line()
    if not line:
        return
    folder = tempfile.mkdtemp(prefix="cnn-explorer-")
    threading.Thread(target=_end_with_stdin, args=(folder,), name="stdin", daemon=True).start()
    options = json.loads(line)
    # Whatever workers print goes to the log; into the answer's pipe it would block them once that is full.
    answer = os.dup(1)
    os.dup2(2, 1)
    dask.config.set({**DASK_SETTINGS, "distributed.nanny.pre-spawn-environ": thread_variables(options["threads"])})
    try:
        asyncio.run(serve(options, answer, folder))
    finally:
        end(folder)


if __name__ == "__main__":
    main()
