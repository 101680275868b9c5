"""What computes is named as the system names it."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from explorer.engine import devices
from explorer.engine.cluster import places, thread_variables
from explorer.engine.devices import GIBIBYTE, Device, cpu, visible_nvidia_gpus

TWO_GPUS = [("GPU-aaaa-1", 139 * GIBIBYTE), ("GPU-bbbb-2", 80 * GIBIBYTE)]


@pytest.mark.parametrize(
    ("device", "label"),
    [
        (Device("CPU", "", 2, 8 * GIBIBYTE), "CPU, 2 cores"),
        (Device("CPU", "", 1, None), "CPU, 1 core"),
        (Device("GPU", "NVIDIA H200", 0, 139 * GIBIBYTE + 5_000_000), "GPU: NVIDIA H200, 139 GiB"),
        (Device("GPU", "Apple (Metal)", 0, None), "GPU: Apple (Metal)"),
    ],
)
def test_labels_read_as_the_sidebar_shows_them(device: Device, label: str) -> None:
    assert device.label == label


def test_the_cpu_has_no_more_cores_and_memory_than_the_system() -> None:
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    assert 1 <= cpu().cores <= allowed
    assert 0 < (cpu().memory_bytes or 0) <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, ["0", "1"]),
        ("", []),
        ("-1", []),
        ("1", ["1"]),
        ("1,0", ["1", "0"]),
        ("0,7,1", ["0"]),
        ("GPU-bbbb", ["GPU-bbbb"]),
    ],
)
def test_gpus_are_those_that_cuda_would_see(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, expected: list[str]
) -> None:
    monkeypatch.setattr(devices, "_nvml_gpus", lambda: TWO_GPUS)
    if chosen is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert [name for name, _ in visible_nvidia_gpus()] == expected


def test_a_machine_without_the_driver_has_no_nvidia_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(devices.ctypes, "CDLL", absent)
    assert devices._nvml_gpus() == []


def test_on_a_cpu_there_is_one_worker_for_each_lane() -> None:
    assert [lane for lane, _ in places([], None, "")] == ["quick", "long"]


def test_on_gpus_every_one_has_a_long_worker_and_the_first_also_the_quick_one() -> None:
    placed = [(lane, variables["CUDA_VISIBLE_DEVICES"]) for lane, variables in places(["0", "3"], None, "net")]
    assert placed == [("quick", "0"), ("long", "0"), ("long", "3")]


def test_workers_take_only_the_memory_they_need_and_the_threads_they_may() -> None:
    for _, variables in places(["0"], 3, "drawn_plain"):
        assert variables["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
        assert variables["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
        assert variables["TF_NUM_INTRAOP_THREADS"] == "3"
    warm = [variables["CNN_EXPLORER_ENGINE_WARM"] for _, variables in places([], 3, "drawn_plain")]
    assert warm == ["drawn_plain", ""]
    assert set(thread_variables(None).values()) == {str(cpu().cores)}
