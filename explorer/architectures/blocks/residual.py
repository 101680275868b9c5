"""The shortcut around two convolutions: added, projected, concatenated, and when its shapes fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import letters, side, width
from explorer.architectures.sketch import Sketch, Tensor
from explorer.architectures.wording import counted

Shape = tuple[int | None, ...]

_SHRINK = {"none": "not at all", "stride": "stride 2", "pool": "max pooling"}


def _stretched(before: Shape, after: Shape) -> str:
    """Say what an addition stretches, as a side of 1 is, so that two shapes fit; "" where they are the same."""
    said = []
    if before[-1] != after[-1]:
        said.append(f"the single channel is stretched over all {max(before[-1] or 1, after[-1] or 1)} maps")
    if before[:-1] != after[:-1]:
        said.append("the single cell is stretched over height and width")
    return " and ".join(said)


def _end(variant: Variant) -> Shape:
    """Return the shape of what a variant hands on."""
    return list(variant.table.structure.layers.values())[-1].output_shape


def _make(values: Values) -> list[Variant]:
    size, channels, filters = values["side"], values["channels"], values["filters"]
    shrink, padding = values["shrink"], values["padding"]
    strides = 1 if shrink == "none" else 2

    def main(s: Sketch, x: Tensor) -> Tensor:
        first = 2 if shrink == "stride" else 1
        y = s.conv(x, filters, 3, strides=first, padding=padding, activation="relu", use_bias=False)
        y = s.conv(y, filters, 3, padding=padding, activation="relu", use_bias=False)
        return s.max_pool(y, 2, padding="same") if shrink == "pool" else y

    def around(join: Callable[[Sketch, Tensor, Tensor], object]) -> Sketch:
        def draw(s: Sketch) -> None:
            x = s.input((size, size, channels))
            join(s, main(s, x), x)

        return sketched("residual", draw)

    def projected(s: Sketch, y: Tensor, x: Tensor) -> None:
        shortcut = s.conv(x, filters, 1, strides=strides, use_bias=False, name="shortcut")
        s.add([y, shortcut], title="Residual block")

    def pooled(s: Sketch, y: Tensor, x: Tensor) -> None:
        shortcut = x if strides == 1 else s.max_pool(x, 2, padding="same", name="shortcut")
        s.concatenate([y, shortcut], title="Shortcut, concatenated")

    plain = around(lambda s, y, x: y)
    layers = [*plain.table().structure.layers.values()]
    first, last = (layer.output_shape or (0, 0) for layer in layers[1:3])
    known = letters(
        M=("channels in", channels), N=("filters", filters), H_1=("height after the first convolution", first[0] or 0),
        W_1=("width after the first convolution", first[1] or 0), H_2=("height after the second", last[0] or 0),
        W_2=("width after the second", last[1] or 0),
    )  # fmt: skip
    weights = r"9 \cdot M \cdot N + 9 \cdot N^2"
    work = r"9 \cdot H_{1} \cdot W_{1} \cdot M \cdot N + 9 \cdot H_{2} \cdot W_{2} \cdot N^2"
    half = -(-size // strides)
    more = letters(H_3=("height of the shortcut", half), W_3=("width of the shortcut", half))
    added = around(lambda s, y, x: s.add([y, x], title="Residual block"))
    stretched = _stretched((size, size, channels), layers[-1].output_shape) if added.clash is None else ""
    return [
        Variant("No shortcut", plain, weights, work, known),
        Variant(
            "Added as it is", added, weights, work, known,
            "An addition needs no weights; "
            + (stretched or "with all weights at zero the block hands on its input")
            + ".",
        ),
        Variant(
            "Added through a 1×1 convolution", around(projected), rf"{weights} + M \cdot N",
            rf"{work} + H_{{3}} \cdot W_{{3}} \cdot M \cdot N", known + more,
            f"The projection has {counted(filters, 'filters')}" + (" and the same stride." if strides == 2 else "."),
        ),
        Variant(
            "Concatenated", around(pooled), weights, work, known,
            f"{channels} + {filters} maps: only height and width must agree"
            + (", so the shortcut is pooled." if strides == 2 else "."),
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    plain, identity, projection = variants[0], variants[1], variants[2]
    if identity.clash is None:
        stretched = _stretched((values["side"], values["side"], values["channels"]), _end(plain))
        if stretched:
            return (
                "The shortcut costs nothing, but the block does not keep the shape of its input: the addition only fits"
                f" because {stretched}."
            )
        return (
            f"The shortcut costs nothing: {counted(plain.table.parameters, 'weights')} with it and without it,"
            " since the"
            " block keeps the shape of its input."
        )
    if projection.clash is None:
        extra = projection.table.parameters - plain.table.parameters
        # The projection has the right number of maps; a single cell is stretched all the same.
        fits = "" if _end(plain) == _end(projection) else f" Even so {_stretched(_end(plain), _end(projection))}."
        return f"{identity.clash.sentence} It costs {counted(extra, 'more weights')}.{fits}"
    return projection.clash.sentence


BLOCK = Block(
    name="residual",
    title="Residual block",
    question="What can a shortcut go around, and when do its shapes fit?",
    settings=(
        side(32),
        width("channels", "Channels in M", 32, 1024),
        width("filters", "Filters N", 64, 1024),
        Setting("shrink", "The map shrinks by", "choice", "none", options=_SHRINK),
        Setting("padding", "Padding", "choice", "same", options={"same": "same", "valid": "valid"}),
    ),
    presets=(
        Preset("pooling", "With max pooling", {"shrink": "pool"}),
        Preset("same_shape", "Same shape", {"channels": 64}),
        Preset("more_filters", "More filters", {}),
        Preset("stride", "With stride 2", {"shrink": "stride"}),
        Preset("no_padding", "Without padding: no shortcut fits", {"channels": 64, "padding": "valid"}),
    ),
    make=_make,
    lesson=_lesson,
    source="He, Zhang, Ren & Sun, “Deep Residual Learning for Image Recognition”, 2015, section 3.2; Chollet, “Deep"
    " Learning with Python”, chapter 9",
)
