"""From maps to classes: Flatten and dense layers, or one average a map."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.architectures.blocks.block import Block, Preset, Setting, Values, Variant, sketched
from explorer.architectures.blocks.parts import compared, letters, number, side, width
from explorer.architectures.sketch import Sketch
from explorer.architectures.wording import counted


def _make(values: Values) -> list[Variant]:
    size, channels, classes = values["side"], values["channels"], values["classes"]
    layers, hidden = values["hidden_layers"], values["hidden"]

    def flat(s: Sketch) -> None:
        x = s.flatten(s.input((size, size, channels)))
        for _ in range(layers):
            x = s.dense(x, hidden, activation="relu")
        s.dense(x, classes, activation="softmax")

    def averaged(s: Sketch) -> None:
        x = s.global_average_pool(s.input((size, size, channels)))
        s.dense(x, classes, activation="softmax")

    def maps(s: Sketch) -> None:
        x = s.conv(s.input((size, size, channels)), classes, 1)
        s.activation(s.global_average_pool(x), "softmax")

    known = letters(H=("height", size), W=("width", size), C=("channels", channels), K=("classes", classes)) + (
        letters(D=("units of a hidden layer", hidden)) if layers else ()
    )
    every = r"H \cdot W \cdot C"
    work = {
        0: rf"{every} \cdot K",
        1: rf"{every} \cdot D + D \cdot K",
        2: rf"{every} \cdot D + D^2 + D \cdot K",
    }[layers]
    biases = {0: " + K", 1: " + D + K", 2: r" + 2 \cdot D + K"}[layers]
    plain = known[:4]
    return [
        Variant(
            "Flatten + dense", sketched("flatten_dense", flat), work + biases, work, known,
            f"{counted(size * size * channels, 'values')} go in one by one; the size of the picture is fixed by it.",
        ),
        Variant(
            "Global average pooling + dense", sketched("average_dense", averaged), r"C \cdot K + K", r"C \cdot K",
            plain, f"{counted(channels, 'averages')} {'goes' if channels == 1 else 'go'} in; pictures of other"
            " sizes fit too.",
        ),
        Variant(
            "1×1 convolution, then the average", sketched("average_maps", maps), r"C \cdot K + K",
            r"H \cdot W \cdot C \cdot K", plain,
            "A map for each class, which shows where it is seen; as many weights, more work.",
        ),
    ]  # fmt: skip


def _lesson(values: Values, variants: Sequence[Variant]) -> str:
    flat, averaged = variants[0].table.parameters, variants[1].table.parameters
    return (
        f"Averaging each map first leaves {counted(averaged, 'weights')} instead of {number(flat)}:"
        f" {compared('weights', flat, averaged)}."
    )


BLOCK = Block(
    name="global_pooling",
    title="Global average pooling",
    question="Where do most of VGG's weights come from, and what replaced them?",
    settings=(
        side(7, 32),
        width("channels", "Channels C", 512),
        Setting("classes", "Classes K", "count", 1000, low=2, high=1000, choices=(2, 10, 20, 100, 365, 1000)),
        Setting("hidden_layers", "Hidden dense layers", "count", 2, low=0, high=2),
        Setting("hidden", "Units of each D", "count", 4096, low=1, high=8192,
                choices=(16, 32, 64, 84, 120, 128, 256, 512, 1024, 2048, 4096, 8192),
                shown=lambda values: values["hidden_layers"] > 0),
    ),
    presets=(
        Preset("vgg16", "VGG16's head", {}),
        Preset("alexnet", "AlexNet's head", {"side": 6, "channels": 256}),
        Preset("mnist", "The lecture's 28×28×32 → 10", {
            "side": 28, "channels": 32, "classes": 10, "hidden_layers": 0,
        }),
        Preset("resnet50", "ResNet-50's last maps", {"channels": 2048, "hidden_layers": 0}),
    ),
    make=_make,
    lesson=_lesson,
    source="Lin, Chen & Yan, “Network In Network”, 2013, section 3.2",
)  # fmt: skip
