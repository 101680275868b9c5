"""A run's context as far as loading data needs one, which remembers what it was told."""

from __future__ import annotations

from pathlib import Path

from explorer.networks.work_context import Stopped
from explorer.runs.record import Config, new_config


class Listener:
    def __init__(self, root: Path, owner: str = "anna", stop_after: int | None = None) -> None:
        self.config: Config = new_config(task="transfer", owner=owner)
        self.folder = root / self.config.id
        self.said: list[str] = []
        self.looks = 0
        self._stop_after = stop_after

    def say(self, message: str) -> None:
        self.said.append(message)

    def raise_if_stopped(self) -> None:
        self.looks += 1
        if self._stop_after is not None and self.looks > self._stop_after:
            raise Stopped
