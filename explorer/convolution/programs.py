"""Pieces of the programs that the page shows: arrays as literals, calls with their arguments, Keras layers."""

from __future__ import annotations

from typing import Any

import numpy as np

NUMPY = "import numpy as np\n"
KERAS = "import keras\nimport numpy as np\n"
Pads = tuple[tuple[int, int], tuple[int, int]]


def number_text(value: float) -> str:
    """Return a number as Python reads it back to the last bit, whole ones without a point."""
    value = float(value)
    return str(int(value)) if value.is_integer() else repr(value)


def array_text(name: str, values: np.ndarray) -> str:
    """Return lines that assign an array of 1 to 4 axes, the last two of 4 unrolled plane by plane."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 1:
        return f"{name} = np.array([{', '.join(map(number_text, values))}], dtype=float)\n"
    if values.ndim == 2:
        return f"{name} = {_plane_text(values)}\n"
    planes = values.reshape(*values.shape[:2], -1)
    shape = "" if values.ndim == 3 else f".reshape{values.shape}"
    if planes.shape[2] == 1:
        return f"{name} = {_plane_text(planes[..., 0])}" + (shape or "[..., None]") + "\n"
    texts = ",\n".join("    " + _plane_text(planes[..., plane], "    ") for plane in range(planes.shape[2]))
    return f"{name} = np.stack([\n{texts},\n], axis=-1){shape}\n"


def _plane_text(plane: np.ndarray, indent: str = "") -> str:
    rows = ["[" + ", ".join(map(number_text, row)) + "]" for row in plane.tolist()]
    if len(rows) == 1:
        return f"np.array([{rows[0]}], dtype=float)"
    return "np.array([\n" + "".join(f"{indent}    {row},\n" for row in rows) + f"{indent}], dtype=float)"


def call_text(function: str, *positional: str, **named: Any) -> str:
    """Return a call; named arguments that are None are left out, strings are quoted."""
    arguments = [*positional, *(f"{name}={value!r}" for name, value in named.items() if value is not None)]
    return f"{function}({', '.join(arguments)})"


def padded_text(pads: Pads, mode: str, name: str = "x") -> str:
    """Return the line that pads a picture `(h, w, c)` where Keras' layer cannot, or "" where there is nothing to pad.

    Args:
        pads: rows before and after, columns before and after.
        mode: "zeros", "reflect", "edge" or "circular".
        name: of the picture.
    """
    if pads == ((0, 0), (0, 0)):
        return ""
    word = {"zeros": "constant", "circular": "wrap"}.get(mode, mode)
    return f'{name} = np.pad({name}, ({pads[0]}, {pads[1]}, (0, 0)), mode="{word}")\n'


def keras_convolution(
    layer: str,
    filters: int | None,
    *,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    padding: str | Pads,
    same_pads: Pads,
    padding_mode: str = "zeros",
    dilation_rate: tuple[int, int] = (1, 1),
    weights: str = "[kernel, bias]",
    **named: Any,
) -> str:
    """Return lines that make `output` (with a batch axis) of `x` by one Keras layer with given weights.

    What the layer lacks stands around it: padding other than with zeros by "valid" and "same" is done before, and a
    stride together with a dilation, which Keras refuses, is a step width afterwards.

    Args:
        layer: name of the layer's class.
        filters: how many; None for a layer that does not take them.
        kernel_size: rows × columns.
        strides: rows × columns.
        padding: "valid", "same" or explicit amounts.
        same_pads: the amounts that `padding` comes to with these sizes.
        padding_mode: "zeros", "reflect", "edge" or "circular".
        dilation_rate: rows × columns.
        weights: the list of weights, as a name or an expression.
        **named: more arguments of the layer; None for those left out.
    """
    clash = max(strides) > 1 and max(dilation_rate) > 1
    by_layer = isinstance(padding, str) and (padding == "valid" or (padding_mode == "zeros" and not clash))
    lines = "" if by_layer else padded_text(same_pads, padding_mode)
    positional = ([] if filters is None else [str(filters)]) + [repr(kernel_size)]
    lines += f"layer = keras.layers.{layer}(" + ", ".join(
        [
            *positional,
            f"strides={(1, 1) if clash else strides!r}",
            f'padding="{padding if by_layer else "valid"}"',
            *([f"dilation_rate={dilation_rate!r}"] if max(dilation_rate) > 1 else []),
            *(f"{name}={value!r}" for name, value in named.items() if value is not None),
        ]
    )
    lines += ")\nlayer.build((None, *x.shape))\n"
    lines += f"layer.set_weights({weights})\n"
    lines += "output = layer(x[None])\n"
    if clash:
        lines += (
            "# Keras takes no stride together with a dilation: every position is computed, then some are left out.\n"
        )
        lines += f"output = output[:, ::{strides[0]}, ::{strides[1]}]\n"
    return lines


KERAS_RESULT = "result = keras.ops.convert_to_numpy(output[0])\n"
