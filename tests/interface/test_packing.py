"""A browser component gets one message from which header and blobs come out whole."""

import numpy as np
import pytest

from explorer.interface.components.packing import pack, unpack


def test_header_and_blobs_come_out_as_they_went_in():
    values = np.arange(7, dtype="<f4")
    header, blobs = unpack(pack({"name": "Größe", "n": 3}, {"a": values.tobytes(), "empty": b"", "b": b"\x00\xff"}))
    assert header["name"] == "Größe" and header["n"] == 3
    np.testing.assert_array_equal(np.frombuffer(blobs["a"], "<f4"), values)
    assert blobs["empty"] == b"" and blobs["b"] == b"\x00\xff"


def test_a_number_that_json_does_not_know_is_refused_here_and_not_in_the_browser():
    with pytest.raises(ValueError):
        pack({"value": float("nan")}, {})
