"""ResNeXt: the bottleneck's middle split into many narrow paths."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, letters, number, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted

_MOST_DRAWN = 8


def _make(values: Values) -> list[Variant]:
    size, channels, cardinality, path = values["side"], values["channels"], values["cardinality"], values["path_width"]
    middle, narrow = cardinality * path, max(1, channels // 4)

    def bottleneck(s: Sketch, wide: int, groups: int) -> None:
        x = s.input((size, size, channels))
        y = s.conv(x, wide, 1, activation="relu", use_bias=False)
        y = s.conv(y, wide, 3, padding="same", groups=groups, activation="relu", use_bias=False)
        y = s.conv(y, channels, 1, use_bias=False)
        s.activation(s.add([y, x], title="Residual block"), "relu")

    def split(s: Sketch) -> None:
        x = s.input((size, size, channels))
        paths = []
        for _ in range(cardinality):
            y = s.conv(x, path, 1, activation="relu", use_bias=False)
            paths.append(s.conv(y, path, 3, padding="same", activation="relu", use_bias=False))
        y = paths[0] if cardinality == 1 else s.concatenate(paths, title=counted(cardinality, "paths"))
        y = s.conv(y, channels, 1, use_bias=False)
        s.activation(s.add([y, x], title="Residual block"), "relu")

    known = letters(N=("channels in and out", channels), H=("height", size), W=("width", size))
    one = letters(B=("channels in the middle", narrow))
    many = letters(C=("cardinality: number of paths", cardinality), d=("width of a path", path))
    weights = r"2 \cdot N \cdot B + 9 \cdot B^2"
    paths = r"2 \cdot N \cdot C \cdot d + 9 \cdot C \cdot d^2"
    variants = [
        Variant(
            f"Bottleneck, {narrow} in the middle", sketched("bottleneck", lambda s: bottleneck(s, narrow, 1)), weights,
            rf"H \cdot W \cdot ({weights})", known + one,
        ),
        Variant(
            f"{cardinality} × {path}d, as a grouped convolution",
            sketched("resnext", lambda s: bottleneck(s, middle, cardinality)), paths, rf"H \cdot W \cdot ({paths})",
            known + many,
            f"{counted(middle, 'channels')} in the middle, "
            + ("in one group." if cardinality == 1 else f"each group of {path} for itself."),
        ),
    ]  # fmt: skip
    if cardinality <= _MOST_DRAWN:
        variants.append(
            Variant(
                f"{cardinality} × {path}d, path by path", sketched("paths", split), paths,
                rf"H \cdot W \cdot ({paths})", known + many, "The same computation: split, transform, merge.",
            )
        )  # fmt: skip
    return variants


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    plain, paths = variants[0].table, variants[1].table
    middle, narrow = values["cardinality"] * values["path_width"], max(1, values["channels"] // 4)
    drawn = "" if len(variants) > 2 else f" Up to {_MOST_DRAWN} paths are drawn one by one."
    name = f"{values['cardinality']} × {values['path_width']}d"
    return (
        f"{name} has {counted(middle, 'channels')} in the middle instead of {narrow}, with"
        f" {counted(paths.parameters, 'weights')} instead of {number(plain.parameters)}:"
        f" {compared('weights', plain.parameters, paths.parameters)}.{drawn}"
    )


def _paper(cardinality: int, path: int) -> Preset:
    title = f"{cardinality} × {path}d"
    return Preset(f"paper_{cardinality}x{path}", title, {"cardinality": cardinality, "path_width": path})


BLOCK = Block(
    name="resnext",
    title="ResNeXt",
    question="What do many narrow paths buy that one wide path does not?",
    settings=(
        Setting("cardinality", "Paths C (cardinality)", "count", 32, low=1, high=64, choices=(1, 2, 4, 8, 16, 32, 64)),
        Setting(
            "path_width", "Width of a path d", "count", 4, low=1, high=64, choices=(1, 2, 4, 8, 14, 16, 24, 40, 64)
        ),
        width("channels", "Channels in and out N", 256),
        side(56),
    ),
    presets=(
        _paper(32, 4),
        _paper(8, 14),
        _paper(4, 24),
        _paper(2, 40),
        _paper(1, 64),
    ),
    make=_make,
    lesson=_lesson,
    source="Xie et al., “Aggregated Residual Transformations for Deep Neural Networks”, 2016, figure 3 and table 2",
)
