"""What happens when processes die: workers come back, the cluster comes back, and nothing outlives the app."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dask
import psutil
import pytest
from distributed import Client
from distributed.security import Security

from explorer.engine.child import ROOT, ChildCluster
from explorer.engine.client import (
    CLUSTER_LOST,
    NO_CLUSTER,
    WORKER_LOST,
    WORKER_MEMORY,
    Engine,
    EngineError,
    connect,
)
from explorer.settings import Settings
from tests.patience import PATIENCE, until


def pid_in(file: Path) -> int:
    """Wait until a worker has written its process id."""
    until(lambda: file.exists() and file.read_text())
    return int(file.read_text())


def gone(pids: list[int]) -> bool:
    """Whether no such process runs; a zombie that nobody has waited for does not run."""

    def runs(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return not any(runs(pid) for pid in pids)


def semaphores_of(pid: int) -> list[Path]:
    """Return the named semaphores that a process has open; they would outlive it."""
    if sys.platform != "linux":
        return []
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    found = sorted({Path(line.split()[-1]) for line in lines if "/dev/shm/sem." in line})
    assert found
    return found


def cluster_pid(engine: Engine) -> int:
    assert engine._cluster is not None
    assert engine._cluster.child is not None
    return engine._cluster.child.pid


@pytest.mark.slow
def test_a_killed_worker_comes_back_and_only_its_own_call_fails(engine: Engine, tmp_path: Path) -> None:
    killed = engine.submit("quick.deaf", visitor="a", file=str(tmp_path / "pid"))
    waiting = engine.submit("quick.echo", visitor="b", value=1)
    long = engine.submit("long.wait_for", visitor="a", file=str(tmp_path / "go"))
    pid = pid_in(tmp_path / "pid")
    until(lambda: killed.seconds is not None)
    psutil.Process(pid).kill()
    with pytest.raises(EngineError, match=WORKER_LOST):
        killed.result(PATIENCE)
    assert waiting.result(PATIENCE) == 1
    new_pid, _ = engine.submit("quick.process", visitor="a").result(PATIENCE)
    assert new_pid != pid
    (tmp_path / "go").touch()
    assert long.result(PATIENCE) == "went on"


@pytest.mark.slow
def test_calls_go_on_while_workers_are_killed_again_and_again(engine: Engine) -> None:
    for number in range(3):
        pid, _ = engine.submit("quick.process", visitor="a").result(PATIENCE)
        psutil.Process(pid).kill()
        assert engine.submit("quick.echo", visitor="a", value=number).result(PATIENCE) == number


@pytest.mark.slow
def test_workers_that_are_killed_while_they_start_come_back_all_the_same(engine: Engine) -> None:
    engine.submit("quick.echo", visitor="a").result(PATIENCE)
    cluster = psutil.Process(cluster_pid(engine))
    killed = 0
    while killed < 4:
        for child in cluster.children():
            with contextlib.suppress(psutil.Error):
                if any("spawn_main" in word for word in child.cmdline()):
                    child.kill()
                    killed += 1
        time.sleep(0.1)
    assert engine.submit("quick.echo", visitor="a", value=5).result(PATIENCE) == 5
    assert engine.submit("long.process", visitor="a").result(PATIENCE)


def test_when_the_cluster_dies_calls_in_flight_fail_and_waiting_ones_are_served_by_the_next(
    engine: Engine, tmp_path: Path
) -> None:
    in_flight = engine.submit("quick.deaf", visitor="a", file=str(tmp_path / "pid"))
    waiting = engine.submit("quick.echo", visitor="b", value=2)
    worker, cluster = pid_in(tmp_path / "pid"), cluster_pid(engine)
    assert engine._cluster is not None
    assert engine._cluster.child is not None
    folder = Path(engine._cluster.child._folder)
    assert folder.is_dir()
    until(lambda: in_flight.seconds is not None)
    psutil.Process(cluster).kill()
    with pytest.raises(EngineError, match=CLUSTER_LOST):
        in_flight.result(PATIENCE)
    assert waiting.result(PATIENCE) == 2
    assert cluster_pid(engine) != cluster
    until(lambda: gone([worker, cluster]))
    until(lambda: not folder.exists())
    until(lambda: engine.ready()["ready"])


@pytest.mark.slow
def test_a_worker_that_runs_out_of_memory_comes_back(new_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = new_engine(worker_memory_megabytes=500)
    call = engine.submit("long.hog", visitor="a", file=str(tmp_path / "pid"))
    with pytest.raises(EngineError) as caught:
        call.result(PATIENCE)
    assert str(caught.value) == WORKER_MEMORY
    new_pid, _ = engine.submit("long.process", visitor="a").result(PATIENCE)
    assert new_pid != pid_in(tmp_path / "pid")


HOST = """
import signal, sys, time
# A shell that starts the tests in the background lets them ignore the keyboard.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {tests!r})
from explorer.engine import work
from explorer.engine.client import connect
from explorer.settings import Settings
work.register("quick.deaf", "stand_in_work:deaf", "quick")
work.register("long.stuck", "stand_in_work:stuck", "long")
engine = connect(Settings(warm_network=""))
engine.submit("quick.deaf", visitor="a", file={quick!r})
engine.submit("long.stuck", visitor="a", file={long!r})
print(engine._cluster.child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[subprocess.Popen, list[int]]]:
    """A process with an engine whose workers are busy, one of them deaf to everything; and the ids of all."""
    quick, long = tmp_path / "quick", tmp_path / "long"
    code = HOST.format(tests=str(Path(__file__).parent), quick=str(quick), long=str(long))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    pids = [int(process.stdout.readline())]
    pids += [pid_in(quick), pid_in(long)]
    yield process, pids
    process.kill()
    process.wait(10)
    process.stdout.close()


def test_no_process_is_left_when_the_app_is_killed(host: tuple[subprocess.Popen, list[int]]) -> None:
    process, pids = host
    everybody = pids + [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    semaphores = semaphores_of(pids[0])
    process.kill()
    process.wait(10)
    until(lambda: gone(everybody), 15)
    until(lambda: not any(path.exists() for path in semaphores), 15)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals for this")
def test_no_process_is_left_when_the_app_is_interrupted(host: tuple[subprocess.Popen, list[int]]) -> None:
    process, pids = host
    process.send_signal(signal.SIGINT)
    process.wait(30)
    until(lambda: gone(pids), 15)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process that computes without looking up")
def test_a_worker_that_computes_without_looking_up_dies_with_the_cluster(
    host: tuple[subprocess.Popen, list[int]],
) -> None:
    _, pids = host
    psutil.Process(pids[0]).kill()
    until(lambda: gone(pids), 15)


def test_nobody_without_the_key_can_use_the_workers_and_only_this_machine_is_listened_to(engine: Engine) -> None:
    engine.submit("quick.echo", visitor="a").result(PATIENCE)
    assert engine._cluster is not None
    assert engine._cluster.child is not None
    address = engine._cluster.child.address
    for wrong in (address.replace("tls://", "tcp://"), address):
        security = Security.temporary() if wrong.startswith("tls") else None
        with pytest.raises(OSError), dask.config.set({"distributed.client.heartbeat": "60s"}):
            Client(wrong, security=security, timeout=3, set_as_default=False)
    processes = [psutil.Process(cluster_pid(engine))]
    processes += processes[0].children(recursive=True)
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


@pytest.fixture
def guest(engine: Engine) -> Iterator[Engine]:
    """Another engine, on the first one's cluster, which it knows by its address and keys."""
    engine.submit("quick.echo", visitor="a").result(PATIENCE)
    assert engine._cluster is not None
    child = engine._cluster.child
    assert isinstance(child, ChildCluster)
    keys = {
        "distributed.comm.tls.ca-file": child.security.tls_ca_file,
        "distributed.comm.tls.client.cert": child.security.tls_client_cert,
        "distributed.comm.tls.client.key": child.security.tls_client_key,
    }
    with dask.config.set(keys):
        guest = connect(Settings(cluster_address=child.address))
    yield guest
    guest.close()


def test_two_engines_share_one_cluster_that_is_named_by_its_address(
    engine: Engine, guest: Engine, tmp_path: Path
) -> None:
    running = guest.submit("long.wait_for", visitor="a", file=str(tmp_path / "go"))
    until(lambda: running.seconds is not None)
    assert running.state == "running"
    assert engine.submit("quick.echo", visitor="a", value=6).result(PATIENCE) == 6
    assert guest.submit("quick.echo", visitor="a", value=7).result(PATIENCE) == 7
    assert guest.ready()["workers"] == {"quick": 1, "long": 1}
    running.stop()
    assert running.wait(PATIENCE)
    assert running.state == "stopped"
    guest.close()
    assert engine.submit("quick.echo", visitor="a", value=8).result(PATIENCE) == 8


def test_on_a_named_cluster_a_call_waits_for_a_worker_that_starts_anew(engine: Engine, guest: Engine) -> None:
    pid = guest.submit("long.process", visitor="a").result(PATIENCE)[0]
    psutil.Process(pid).kill()
    until(lambda: guest.ready()["workers"]["long"] == 0)
    assert guest.submit("long.process", visitor="a").result(PATIENCE)[0] != pid


def test_on_a_named_cluster_a_call_whose_worker_has_just_died_is_handed_to_the_next(guest: Engine) -> None:
    pid = guest.submit("long.process", visitor="a").result(PATIENCE)[0]
    psutil.Process(pid).suspend()  # the cluster still counts on it
    waiting = guest.submit("long.process", visitor="a")
    until(lambda: guest._runs)
    psutil.Process(pid).kill()
    assert waiting.result(PATIENCE)[0] != pid


def test_a_call_that_waits_for_a_worker_to_start_can_be_stopped(guest: Engine) -> None:
    psutil.Process(guest.submit("long.process", visitor="a").result(PATIENCE)[0]).kill()
    until(lambda: guest.ready()["workers"]["long"] == 0)
    waiting = guest.submit("long.process", visitor="a")
    until(lambda: waiting.state == "running")
    waiting.stop()
    assert waiting.wait(PATIENCE)
    assert waiting.state == "stopped"


def test_no_cluster_at_the_address_is_one_sentence() -> None:
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}), pytest.raises(EngineError) as caught:
        connect(Settings(cluster_address="tcp://127.0.0.1:9"))
    assert str(caught.value) == NO_CLUSTER
