"""Starts the app as a user does, in a process of its own, and ends it again: for tests and benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class AppServer:
    """One running app; use it in a `with` statement, after which neither it nor its workers are left."""

    def __init__(self, script: Path = ROOT / "app.py", environment: Mapping[str, str] | None = None) -> None:
        self.script = script
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        own = {"CNN_EXPLORER_RUNS_FOLDER": str(Path(self._folder.name) / "runs"), "PYTHONUNBUFFERED": "1"}
        self.environment = {**os.environ, **own, **(environment or {})}
        self._log_path = Path(self._folder.name) / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> AppServer:
        command = [sys.executable, "-m", "streamlit", "run", str(self.script)]
        options = [f"--server.port={self.port}", "--server.headless=true"]
        with self._log_path.open("w") as log:
            self._process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_for("/_stcore/health", seconds=60)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        """Return the id of the web process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Return what the app has written so far."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, list[str]], bytes]:
        """Return status, headers (lower-case name to values) and body of a GET; follows no redirect."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        opener = urllib.request.build_opener(_KeepRedirects)
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, _headers(answer.headers), answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, _headers(answer.headers), answer.read()

    def wait_for(self, path: str, *, status: int = 200, seconds: float = 60) -> bytes:
        """Ask for `path` until it answers with `status`; return the body.

        Raises:
            TimeoutError: It did not within `seconds`, or the app has ended; the text carries the app's log.
        """
        assert self._process is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.poll() is None:
            try:
                code, _, body = self.get(path)
                if code == status:
                    return body
            except OSError:
                pass
            time.sleep(0.05)
        raise TimeoutError(f"{path} did not answer {status} within {seconds} s; the log:\n{self.log()[-4000:]}")


class _KeepRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _headers(message: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in message.items():  # type: ignore[attr-defined]
        found.setdefault(name.lower(), []).append(value)
    return found
