"""Engines on real worker processes, with the stand-in work registered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.engine import work
from explorer.engine.client import Engine, connect
from explorer.settings import Settings

QUICK = ("echo", "process", "digest", "make", "note", "wait_for", "deaf", "fail")
LONG = ("process", "wait_for", "count", "grow", "deaf", "stuck", "burn", "hog")


@pytest.fixture(scope="session", autouse=True)
def stand_in_work() -> Iterator[None]:
    """Register `quick.<name>` and `long.<name>`, and let workers find the module."""
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        patch.setattr(work, "_table", dict(work._table))
        for name in QUICK:
            work.register(f"quick.{name}", f"stand_in_work:{name}", "quick")
        for name in LONG:
            work.register(f"long.{name}", f"stand_in_work:{name}", "long")
        yield


def cold_settings(**changes: object) -> Settings:
    """Settings for workers that import no Keras."""
    return Settings(**{"warm_network": "", "cluster_address": None, "worker_memory_megabytes": None, **changes})


@pytest.fixture(scope="module")
def engine(stand_in_work: None) -> Iterator[Engine]:
    """An engine for all tests of a module."""
    engine = connect(cold_settings())
    yield engine
    engine.close()


@pytest.fixture
def new_engine(stand_in_work: None) -> Iterator[Callable[..., Engine]]:
    """Make engines of one's own; they are closed after the test."""
    engines: list[Engine] = []

    def make(*, stop_seconds: float = 30.0, limit_seconds: dict | None = None, **changes: object) -> Engine:
        limits = {} if limit_seconds is None else {"limit_seconds": limit_seconds}
        engines.append(connect(cold_settings(**changes), stop_seconds=stop_seconds, **limits))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
