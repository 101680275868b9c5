"""A stage as one binary message for the browser component that draws it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from explorer.convolution.stage import Board, Link, Matrix, Stage
from explorer.interface.components.packing import pack
from explorer.interface.figures.shades import shades, text_on

NO_WEIGHT = 65535
"""What stands for "no weight" among the 16-bit numbers of weight cells."""


def stage_message(stage: Stage, hidden: Collection[str], options: Mapping[str, Any]) -> bytes:
    """Return what the component draws, as one message (see `packing.pack`).

    Products are not in it: the browser multiplies source cells with factors. `digest` names the whole content,
    `structure` all but the numbers, so that after an edit the page keeps its cells and its place.

    Args:
        stage: what stands on it.
        hidden: names of boards whose numbers stay on the server; their cells travel as NaN.
        options: what else the header carries; not part of the digests.
    """
    blobs: dict[str, bytes] = {"order": _integers(stage.steps.order)}
    matrices = {matrix.board: matrix for matrix in stage.matrices}
    for number, board in enumerate(stage.boards):
        blobs |= _board_blobs(number, board, board.name in hidden, board.name in matrices)
    for number, link in enumerate(stage.links):
        blobs |= _link_blobs(number, link, link.target in hidden)
    header: dict[str, Any] = {
        "boards": [_board_header(board, board.name in hidden, matrices.get(board.name)) for board in stage.boards],
        "links": [_link_header(link) for link in stage.links],
        "rows": [list(row) for row in stage.rows],
        "layout": stage.layout,
        "steps": {
            "link": stage.steps.link,
            "by": stage.steps.by,
            "marks": [[int(step), label] for step, label in stage.steps.marks],
        },
    }
    fixed = [blob for name, blob in blobs.items() if name.startswith("own") or name == "order"]
    plain = {**header, "links": [{**link, "bias": None} for link in header["links"]]}
    header["formula"] = [
        {
            "text": letter.text,
            "meaning": letter.meaning,
            "lights": [{"board": lit.board, "cells": [int(cell) for cell in lit.cells]} for lit in letter.lights],
        }
        for letter in stage.formula
    ]
    digests = {"structure": _digest(plain, fixed), "digest": _digest(header, blobs.values())}
    return pack({**header, **options, **digests}, blobs)


def _board_header(board: Board, hidden: bool, matrix: Matrix | None) -> dict[str, Any]:
    height, width, planes = board.values.shape
    header: dict[str, Any] = {
        "name": board.name,
        "title": board.title,
        "role": board.role,
        "shape": [height, width, planes],
        "first": [int(part) for part in board.first],
        "every": [int(part) for part in board.every],
        "planes": list(board.plane_names),
        "grid": [list(row) for row in board.plane_grid] or [list(range(planes))],
        "editable": board.editable,
        "small": board.small,
        "hidden": hidden,
        "markWords": board.mark_words,
        "standsFor": board.stands_for,
    }
    if matrix is not None:
        header["matrix"] = {"link": matrix.link, "transposed": matrix.transposed}
    if board.shaded:
        colours = _shades(board)
        header["shades"] = colours
        header["inks"] = [text_on(colour) for colour in colours]
    return header


def _shades(board: Board) -> list[str]:
    """Return a shade for each place of a kernel, which all its planes share; of a 1 × 1 kernel for each weight."""
    height, width, planes = board.values.shape
    if height * width > 1 or planes == 1:
        return [colour for row in shades(height, width) for colour in row]
    grid = board.plane_grid or (tuple(range(planes)),)
    family = shades(len(grid), max(len(row) for row in grid))
    places = {plane: family[down][across] for down, row in enumerate(grid) for across, plane in enumerate(row)}
    return [places[plane] for plane in range(planes)]


def _link_header(link: Link) -> dict[str, Any]:
    trace = link.trace
    return {
        "source": link.source,
        "target": link.target,
        "weights": link.weights,
        "words": link.words,
        "operation": trace.operation,
        "rule": trace.rule,
        "activation": trace.activation,
        "bias": None if trace.bias is None else [float(part) for part in trace.bias],
    }


def _board_blobs(number: int, board: Board, hidden: bool, matrix: bool) -> dict[str, bytes]:
    blobs: dict[str, bytes] = {}
    if not matrix:
        # The cells of a matrix are the factors of its link.
        values = np.full(board.values.shape, np.nan) if hidden else board.values
        blobs[f"values{number}"] = np.ascontiguousarray(values, dtype="<f8").tobytes()
    if board.own is not None and not board.own.all():
        blobs[f"own{number}"] = board.own.astype(np.uint8).tobytes()
    if board.marked is not None and not hidden:
        blobs[f"marked{number}"] = board.marked.astype(np.uint8).tobytes()
    return blobs


def _link_blobs(number: int, link: Link, hidden: bool) -> dict[str, bytes]:
    trace = link.trace
    # Cells of a board fit into 16 bits, which halves the message.
    blobs = {f"starts{number}": _integers(trace.starts), f"sources{number}": trace.sources.astype("<u2").tobytes()}
    cells = trace.weight_cells
    if link.weights is not None and (cells >= 0).any():
        blobs[f"weights{number}"] = np.where(cells < 0, NO_WEIGHT, cells).astype("<u2").tobytes()
    kernel = np.zeros(0) if link.weights is None or trace.weights is None else trace.weights.reshape(-1)
    if not (kernel.size and (cells >= 0).all() and np.array_equal(kernel[cells], trace.factors)):
        blobs[f"factors{number}"] = np.ascontiguousarray(trace.factors, dtype="<f8").tobytes()
    if not hidden:
        if trace.activation != "linear":
            blobs[f"before{number}"] = np.ascontiguousarray(trace.before, dtype="<f8").tobytes()
        if trace.rule in ("max", "min"):
            blobs[f"decided{number}"] = _integers(trace.decided)
    return blobs


def _integers(numbers: np.ndarray) -> bytes:
    return np.asarray(numbers).astype("<i4").tobytes()


def _digest(header: Mapping[str, Any], blobs: Collection[bytes] | Any) -> str:
    whole = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for blob in blobs:
        whole.update(len(blob).to_bytes(4, "little") + blob)
    return whole.hexdigest()[:16]
