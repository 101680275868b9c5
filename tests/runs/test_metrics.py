"""Metrics: every complete line is read, whatever the last one is and whichever columns there are."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from explorer.runs.metrics import MetricsWriter, read_metrics


def test_rows_come_back_with_nan_infinity_and_new_columns(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert read_metrics(path).rows == []
    writer = MetricsWriter(path)
    writer.write({"step": 1, "loss": math.nan})
    writer.write({"step": np.int64(2), "loss": np.float32(0.5), "accuracy": math.inf, "note": "ä"})
    first = read_metrics(path)  # on the disk before it is closed
    assert math.isnan(first.rows[0]["loss"])
    assert first.rows[1] == {"step": 2, "loss": 0.5, "accuracy": math.inf, "note": "ä"}
    assert isinstance(first.rows[1]["step"], int)
    writer.write({"step": 3})
    second = read_metrics(path, first.offset)
    assert second.rows == [{"step": 3}]
    assert read_metrics(path, second.offset).rows == []
    writer.close()


def test_a_torn_last_line_is_read_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    whole = b'{"step": 1}\n{"step": 2, "loss": 0.25}\n'
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        before = read_metrics(path)
        path.write_bytes(whole)
        after = read_metrics(path, before.offset)
        assert before.rows + after.rows == [{"step": 1}, {"step": 2, "loss": 0.25}]


def test_a_line_that_makes_no_sense_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n\xff\xfe\n[1, 2]\n\n{"st\n' + b"[" * 100_000 + b'\n{"step": 2}\n')
    assert read_metrics(path).rows == [{"step": 1}, {"step": 2}]
