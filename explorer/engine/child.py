"""The web process' hold on its cluster: starts the child process, knows its address and keys, hears of its end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from distributed.security import Security

from explorer.settings import Settings

START_SECONDS = 60.0
END_SECONDS = 5.0

ROOT = Path(__file__).resolve().parents[2]


class ChildCluster:
    """The cluster that `python -m explorer.engine.cluster` is; it lives until it is closed or this process ends."""

    def __init__(self, settings: Settings) -> None:
        """Start the child and wait until its scheduler listens (about half a second).

        Raises:
            RuntimeError: if it ends at once or says nothing for a minute.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "explorer.engine.cluster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(settings),
            **_own_group(),
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        options = {
            "threads": settings.worker_threads,
            "warm": settings.warm_network,
            "memory_megabytes": settings.worker_memory_megabytes,
        }
        late = threading.Timer(START_SECONDS, self._process.kill)
        late.daemon = True
        late.start()
        try:
            self._process.stdin.write(json.dumps(options).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        finally:
            late.cancel()
        if not line:
            self.close()
            raise RuntimeError("The cluster's process ended before it listened.")
        hello: dict[str, Any] = json.loads(line)
        self.address: str = hello["address"]
        self.pid: int = hello["pid"]
        self.lanes: dict[str, int] = hello["lanes"]
        self._folder: str = hello["folder"]
        self.security = Security(
            require_encryption=True,
            tls_ca_file=hello["certificate"],
            tls_client_cert=hello["certificate"],
            tls_client_key=hello["key"],
        )

    def when_ended(self, callback: Callable[[], None]) -> None:
        """Call `callback`, from a thread, once the child has ended."""

        def wait() -> None:
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)  # it does so itself unless it was killed
            callback()

        threading.Thread(target=wait, name="watch-cluster", daemon=True).start()

    def alive(self) -> bool:
        """Return whether the child still runs."""
        return self._process.poll() is None

    def kill_worker(self, pid: int) -> bool:
        """Kill one worker's process, which the cluster then starts anew; return whether it was one of ours."""
        try:
            process = psutil.Process(pid)
            if self.pid not in {parent.pid for parent in process.parents()}:
                return False
            process.kill()
        except psutil.Error:
            return False
        return True

    def close(self) -> None:
        """End the child and with it all workers; returns when they have ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_SECONDS)
        self._process.stdout.close()


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the child: this one, the settings in use, and where `explorer` is."""
    variables = dict(os.environ)
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        variable = f"CNN_EXPLORER_{name.upper()}"
        variables.pop(variable, None)
        if value is not None:
            variables[variable] = str(value)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables["PYTHONPATH"] = os.pathsep.join(paths)
    variables.setdefault("DASK_LOGGING__DISTRIBUTED", "error")
    # Killed workers leave semaphores; Python tidies them up, and need not tell whoever ends the app.
    quiet = [os.environ.get("PYTHONWARNINGS"), "ignore:resource_tracker:UserWarning"]
    variables["PYTHONWARNINGS"] = ",".join(filter(None, quiet))
    return variables


def _own_group() -> dict[str, Any]:
    """Keep Ctrl-C in the app's terminal from the workers: they end with the app, in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
