"""Arguments and results on their way: pickled once, with big arrays beside the pickle instead of copied into it."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np

ALIGNMENT = 16
"""Bytes; arrays that start elsewhere are legal but slow, and some compiled code refuses them."""


@dataclass(frozen=True)
class Packed:
    """A pickled object (protocol 5, PEP 574) that neither the scheduler nor a stranger's class can trip over.

    Attributes:
        header: The pickle.
        buffers: The bytes of its arrays, in order.
    """

    header: bytes
    buffers: tuple[Any, ...]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Packed, (self.header, tuple(map(pickle.PickleBuffer, self.buffers)))

    @property
    def nbytes(self) -> int:
        """Bytes of everything."""
        return len(self.header) + sum(memoryview(buffer).nbytes for buffer in self.buffers)


def pack(value: Any, *, keep: bool = False) -> Packed:
    """Pickle an object without copying its contiguous arrays.

    Args:
        value: the object.
        keep: copy the arrays that somebody could change before they are sent, read-only ones excepted.

    Raises:
        Exception: whatever pickle raises for an object that cannot travel.
    """
    buffers: list[pickle.PickleBuffer] = []
    header = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    return Packed(header, tuple(bytes(view) if keep and not view.readonly else view for view in views))


def unpack(packed: Packed) -> Any:
    """Return the object; its arrays are writable and aligned, and copied only where they would not be."""
    return pickle.loads(packed.header, buffers=[_usable(buffer) for buffer in packed.buffers])


def _usable(buffer: Any) -> Any:
    view = np.frombuffer(buffer, np.uint8)
    if view.flags.writeable and view.ctypes.data % ALIGNMENT == 0:
        return view
    return view.copy()
