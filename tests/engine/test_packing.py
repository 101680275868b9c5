"""What travels: whole, without needless copies, and usable on arrival."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from distributed.protocol import deserialize, serialize

from explorer.engine.packing import pack, unpack


@dataclass
class Maps:
    name: str
    values: np.ndarray


def test_an_object_arrives_equal() -> None:
    maps = Maps("conv", np.arange(24.0, dtype=np.float32).reshape(2, 3, 4))
    arrived = unpack(pack(maps))
    assert arrived.name == "conv"
    assert np.array_equal(arrived.values, maps.values)
    assert arrived.values.dtype == np.float32


def test_arrays_are_not_copied_into_the_pickle() -> None:
    values = np.zeros(1_000_000, np.uint8)
    packed = pack({"values": values})
    assert len(packed.header) < 1000
    assert np.shares_memory(np.frombuffer(packed.buffers[0], np.uint8), values)
    assert packed.nbytes == len(packed.header) + 1_000_000


def test_kept_arguments_do_not_change_with_their_array_and_read_only_ones_are_not_copied() -> None:
    free, fixed = np.zeros(10, np.uint8), np.zeros(10, np.uint8)
    fixed.flags.writeable = False
    packed = pack((free, fixed), keep=True)
    free[:] = 7
    assert [array.sum() for array in unpack(packed)] == [0, 0]
    assert np.shares_memory(np.frombuffer(packed.buffers[1], np.uint8), fixed)


@pytest.mark.parametrize("protocol", [4, 5])
def test_it_survives_whoever_pickles_it_on_the_way(protocol: int) -> None:
    value = [np.arange(5), np.asfortranarray(np.arange(6).reshape(2, 3)), "text", np.arange(10)[::2]]
    arrived = unpack(pickle.loads(pickle.dumps(pack(value), protocol)) if protocol == 5 else pack(value))
    assert all(np.array_equal(a, b) for a, b in zip(arrived, value, strict=True))


def test_dask_sends_the_arrays_beside_the_pickle() -> None:
    packed = pack(np.arange(100_000, dtype=np.float32))
    header, frames = serialize(packed)
    assert max(memoryview(frame).nbytes for frame in frames) == 400_000
    assert np.array_equal(unpack(deserialize(header, frames)), np.arange(100_000, dtype=np.float32))


@pytest.mark.parametrize("offset", range(4))
def test_arrays_arrive_writable_and_aligned_wherever_the_network_put_them(offset: int) -> None:
    packed = pack(np.arange(100, dtype=np.float64))
    raw = bytes(packed.buffers[0])
    moved = memoryview(bytearray(bytes(offset) + raw))[offset:]
    for buffer in (moved, moved.toreadonly()):
        arrived = unpack(type(packed)(packed.header, (buffer,)))
        assert np.array_equal(arrived, np.arange(100))
        assert arrived.flags.writeable
        assert arrived.flags.aligned


def test_an_empty_array_travels() -> None:
    assert unpack(pack(np.zeros((0, 3)))).shape == (0, 3)
