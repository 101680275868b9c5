"""What computes: the devices that a worker's Keras backend sees. Importable without Keras."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from dataclasses import dataclass
from typing import Any, Literal

import psutil
from dask.system import cpu_count
from distributed.system import MEMORY_LIMIT

GIBIBYTE = 2**30


@dataclass(frozen=True)
class Device:
    """One device that computes.

    Attributes:
        kind: "CPU" or "GPU".
        name: the maker's name of it, where known.
        cores: CPU cores that this process may use; 0 for a GPU.
        memory_bytes: memory of the device; None where that cannot be told.
    """

    kind: Literal["CPU", "GPU"]
    name: str
    cores: int
    memory_bytes: int | None

    @property
    def label(self) -> str:
        """What a visitor reads: "CPU, 2 cores" or "GPU: NVIDIA H200, 139 GiB"."""
        if self.kind == "CPU":
            return f"CPU, {self.cores} core{'' if self.cores == 1 else 's'}"
        memory = "" if self.memory_bytes is None else f", {self.memory_bytes / GIBIBYTE:.0f} GiB"
        return f"GPU: {self.name or 'unnamed'}{memory}"


def cpu() -> Device:
    """Return the CPU as this process may use it: affinity and container limits are counted in."""
    return Device("CPU", "", cpu_count(), int(min(MEMORY_LIMIT, psutil.virtual_memory().total)))


def devices_of_backend() -> tuple[Device, ...]:
    """Return the GPUs that Keras' backend sees in this process, or the CPU if there is none; imports Keras."""
    backend = importlib.import_module("keras").backend.backend()
    look = {"tensorflow": _tensorflow_gpus, "jax": _jax_gpus, "torch": _torch_gpus}.get(backend)
    return tuple(look() if look is not None else ()) or (cpu(),)


def _tensorflow_gpus() -> list[Device]:
    config = importlib.import_module("tensorflow").config
    gpus = config.list_physical_devices("GPU")
    names = [
        str(config.experimental.get_device_details(gpu).get("device_name") or "").strip() or "unnamed" for gpu in gpus
    ]
    # TensorFlow does not tell a GPU's memory; the driver does, in the order that the worker was given.
    memories = [memory for _, memory in visible_nvidia_gpus()]
    return [
        Device("GPU", name, 0, memories[index] if index < len(memories) else None) for index, name in enumerate(names)
    ]


def _jax_gpus() -> list[Device]:
    jax = importlib.import_module("jax")
    found = []
    for device in jax.devices():
        if device.platform == "cpu":
            continue
        statistics = device.memory_stats() or {}
        found.append(Device("GPU", str(device.device_kind), 0, statistics.get("bytes_limit")))
    memories = [memory for _, memory in visible_nvidia_gpus()]
    if len(memories) == len(found):  # JAX's limit is its own share of the memory, not the device's
        found = [Device("GPU", gpu.name, 0, memory) for gpu, memory in zip(found, memories, strict=True)]
    return found


def _torch_gpus() -> list[Device]:
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        properties = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        return [Device("GPU", each.name, 0, int(each.total_memory)) for each in properties]
    if torch.backends.mps.is_available():
        return [Device("GPU", "Apple (Metal)", 0, None)]
    return []


def visible_nvidia_gpus() -> list[tuple[str, int]]:
    """Return (name for CUDA_VISIBLE_DEVICES, bytes of memory) of the NVIDIA GPUs that this process may use.

    Asks the driver's management library (NVML), so that no framework need be imported: the process that starts
    the workers must know how many GPUs there are.
    """
    gpus = _nvml_gpus()
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return [(str(index), memory) for index, (_, memory) in enumerate(gpus)]
    found = []
    for token in filter(None, (part.strip() for part in chosen.split(","))):
        memory = next(
            (memory for index, (uuid, memory) in enumerate(gpus) if token == str(index) or uuid.startswith(token)),
            None,
        )
        if memory is None:  # like CUDA: what follows a device that does not exist is not seen
            break
        found.append((token, memory))
    return found


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


def _nvml_gpus() -> list[tuple[str, int]]:
    """Return (UUID, bytes of memory) of every NVIDIA GPU in PCI bus order; empty without their driver."""
    library = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
    try:
        nvml: Any = ctypes.CDLL(library)
        if nvml.nvmlInit_v2() != 0:
            return []
    except (OSError, AttributeError):
        return []
    try:
        count = ctypes.c_uint()
        if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
            return []
        return [gpu for index in range(count.value) if (gpu := _nvml_gpu(nvml, index)) is not None]
    finally:
        nvml.nvmlShutdown()


def _nvml_gpu(nvml: Any, index: int) -> tuple[str, int] | None:
    handle, memory, uuid = ctypes.c_void_p(), _Memory(), ctypes.create_string_buffer(96)
    failed = (
        nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle))
        or nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
        or nvml.nvmlDeviceGetUUID(handle, uuid, ctypes.c_uint(len(uuid)))
    )
    return None if failed else (uuid.value.decode(), int(memory.total))
