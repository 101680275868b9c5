"""What stands below the stage: silence against depth, the code of this view, its link and downloads, background."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer.inside.results import LayerMaps, LayerSummary
from explorer.interface.feature_maps.tile_board import SCOPE_WORDS, Colouring
from explorer.interface.figures import charts, tile_sheet
from explorer.interface.numbers import share_text, value_text
from explorer.interface.theme import palette
from explorer.networks.structure import Structure


def code_of(network: str, weights: str, source: str, layer: str, fit: str) -> str:
    """Return the notebook lines that compute what the page shows."""
    if source.startswith(("upload:", "webcam:")):
        picture = 'picture = decode(open("your picture.jpg", "rb").read())'
        where = "from explorer.pictures.intake import decode"
    else:
        picture = f"picture = resolve({source!r})"
        where = "from explorer.pictures.sources import resolve"
    return "\n".join(
        [
            "from explorer.inside.feature_maps import layer_maps",
            "from explorer.networks.work_context import NO_CONTEXT",
            where,
            "",
            picture,
            "maps = layer_maps(",
            f"    NO_CONTEXT, {network!r}, {weights!r}, picture.pixels, {layer!r}, fit={fit!r}",
            ")",
            "maps.values.shape, maps.maximum.argmax(), int(maps.silent.sum())",
        ]
    )


# What Keras' own layers can be made of again from the facts that the structure keeps.
_PRINTED_KINDS = [
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "DepthwiseConv2D",
    "SeparableConv2D",
    "Dense",
    "BatchNormalization",
    "LayerNormalization",
    "Activation",
    "ReLU",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "ZeroPadding2D",
    "UpSampling2D",
    "Cropping2D",
    "Dropout",
    "Rescaling",
    "Add",
    "Concatenate",
    "Multiply",
    "Flatten",
    "Reshape",
    "Softmax",
    "LeakyReLU",
]


def keras_lines(kind: str, config: dict[str, Any]) -> str | None:
    """Return the layer as one Keras line, or None where its arguments do not make it again."""
    if kind not in _PRINTED_KINDS:
        return None
    plain = {name: value for name, value in config.items() if isinstance(value, int | float | str | tuple | list)}
    arguments = ", ".join(f"{name}={value!r}" for name, value in plain.items())
    return f"keras.layers.{kind}({arguments})"


def array_bytes(values: np.ndarray) -> bytes:
    """Return an array as the bytes of a .npy file."""
    target = io.BytesIO()
    np.save(target, values, allow_pickle=False)
    return target.getvalue()


def picture_bytes(
    maps: LayerMaps, channels: Sequence[int], colours: Colouring, title: str, coloured: np.ndarray
) -> bytes:
    """Return the tiles on the screen as a PNG with title, legend and channel numbers."""
    scale = colours.scale
    if colours.scope == "map":
        legend = "each map on its own scale, up to its largest size"
    else:
        legend = f"{SCOPE_WORDS[colours.scope]} scale: {value_text(scale.low)} to {value_text(scale.high)}"
    if colours.contrast != 1:
        legend += f", contrast × {colours.contrast:g}"
    # Pillow's own font has neither the minus sign nor the multiplication sign.
    legend, title = (text.replace("−", "-").replace("×", "x") for text in (legend, title))
    return tile_sheet.sheet_for_print(
        coloured,
        scale,
        channels=[int(c) for c in channels],
        silent=[bool(maps.silent[c]) for c in channels],
        title=title,
        legend=legend,
    )


def picked_point(event: Any, count: int) -> int | None:
    """Return which point of a chart was clicked, from the chart's state, or None."""
    points = event["selection"]["points"] if event else []
    index = points[0].get("point_index") if points else None
    return int(index) if isinstance(index, int | float) and 0 <= index < count else None


def silence_words(answers: Sequence[LayerSummary]) -> str:
    """Return what the first and the last third of the layers say about silence and sparseness.

    Args:
        answers: layers with feature maps behind an activation, in the order of depth; at least two.
    """
    third = max(1, len(answers) // 3)

    def share(part: Sequence[LayerSummary], silent: bool) -> float:
        weights = sum(s.channels for s in part)
        return sum(s.channels * (s.share_silent if silent else s.share_resting) for s in part) / max(1, weights)

    silent = share(answers[:third], True), share(answers[-third:], True)
    resting = share(answers[:third], False), share(answers[-third:], False)
    change = resting[1] - resting[0]
    verdict = "sparser" if change > 0.02 else "no sparser" if change < -0.02 else "about as sparse"
    return (
        f"From the first third of the layers to the last, silent channels go from **{share_text(silent[0])}** to "
        f"**{share_text(silent[1])}**, and values at rest (at or near zero) from **{share_text(resting[0])}** to "
        f"**{share_text(resting[1])}**: for this picture the deeper layers are {verdict}. In large trained networks "
        "deep channels answer to rarer things, so a picture leaves more of them silent. "
        "Click a point to open its layer."
    )


def show_silence(
    structure: Structure,
    summaries: Sequence[LayerSummary],
    layer: str,
    rule: str,
    choose: Callable[[str], None],
) -> None:
    """Draw the share of silent channels of each layer with feature maps against depth."""
    # Only answers of an activation can rest: a sum or a normalised map is almost nowhere zero.
    answers = [s for s in summaries if s.spatial and s.channels and not s.signed and not s.is_input]
    st.subheader("Are deeper layers more silent?")
    if len(answers) < 2:
        st.caption("This network has too few layers with an activation and feature maps to compare.")
        return
    names = [structure.layers[s.path].name if s.path in structure.layers else s.path for s in answers]
    position = next((i for i, s in enumerate(answers) if s.path == layer), None)
    st.markdown(silence_words(answers))

    def picked() -> None:
        point = picked_point(st.session_state["feature_maps_silence"], len(answers))
        if point is not None:
            choose(answers[point].path)

    st.plotly_chart(
        charts.silent_share(
            names,
            [s.share_silent for s in answers],
            [s.share_resting for s in answers],
            [s.channels for s in answers],
            [s.silent for s in answers],
            position,
            palette(),
        ),
        key="feature_maps_silence",
        on_select=picked,
        selection_mode="points",
        config={"displayModeBar": False},
        alt="Share of silent channels against depth",
    )
    st.caption(rule)


def show_background() -> None:
    """Explain, briefly, what the page shows."""
    with st.expander("Background, formulas, source"):
        st.markdown(
            r"""
A convolutional layer holds a bank of filters. Each slides over the maps of the layer before and answers at every place:

$$a_k(i,j) = \varphi\Big(b_k + \sum_{c}\sum_{u,v} w_k(u,v,c)\; x_c(s\,i + u,\; s\,j + v)\Big)$$

The answers of filter $k$ to one picture are its **feature map** $a_k$; the layer's output is the stack of all its
maps. $\varphi$ is the activation, $s$ the stride. One cell depends only on its **receptive field** in the picture;
click a cell of a large map to see it.

- **Silent channels.** After ReLU a map that is nowhere positive is all zero: this picture does not contain what the
  filter looks for. In large trained networks deep filters look for rarer things, and more of their channels are silent.
- **Why deep filters cannot be read.** A first-layer filter has one weight for red, green and blue at each place, so
  it is a little picture. A deeper filter has one for each of hundreds of channels, and those have no colours.
- **Scores.** Bars show probabilities (softmax of the logits); the logits stand in the hover text.

Source: M. D. Zeiler and R. Fergus, *Visualizing and Understanding Convolutional Networks*, ECCV 2014, section 4;
F. Chollet, *Deep Learning with Python*, ch. 9.
"""
        )
