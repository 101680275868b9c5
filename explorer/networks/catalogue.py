"""Every network that the app offers: the bundled pair, all of keras.applications, and whatever is added."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast

from explorer.networks.drawn import weights as drawn_weights
from explorer.settings import get_settings

Preprocessing = Literal["zero_one", "tf", "caffe", "torch", "included"]

DEFAULT_NETWORK = "drawn_plain"
DRAWN_CLASSES = (
    "cat", "fish", "flower", "house", "tree", "car", "sun", "star", "butterfly", "bicycle", "clock", "heart",
)  # fmt: skip
IMAGENET_CLASSES = 1000
_STORE = "https://storage.googleapis.com/"


@dataclass(frozen=True)
class WeightsFile:
    """The file that holds trained weights.

    Attributes:
        kind: "bundled" comes with the app, "download" is fetched into the weights folder, "model" is a whole model
            that somebody has saved, opened by its builder.
        file_name: Its name on disk; a download has the name that Keras itself gives it in its cache.
        url: Where it is fetched from, or None.
        megabytes: Its size in MB (10^6 bytes), approximate: four bytes for each weight.
        file_hash: What Keras expects: SHA-256 (64 digits) or MD5 (32 digits); None where Keras knows none.
        folder: Where a whole model lies; None for the others.
    """

    kind: Literal["bundled", "download", "model"]
    file_name: str
    url: str | None
    megabytes: float
    file_hash: str | None
    folder: Path | None = None


@dataclass(frozen=True)
class NetworkEntry:
    """One network of the catalogue.

    Attributes:
        name: Its name in links and code; for keras.applications the name of the function that builds it.
        title: Its name for people.
        family: The group that it is shown in.
        input_size: (height, width) of the input that it was trained on.
        preprocessing: How pixels become input, see `explorer.networks.preprocessing.prepare`.
        class_names: Names of the outputs where the catalogue knows them, else None (see `class_names`).
        parameters: Number of weights, trainable or not.
        weights: File of the trained weights, or None where there are none.
        note: One sentence about it.
    """

    name: str
    title: str
    family: str
    input_size: tuple[int, int]
    preprocessing: Preprocessing
    class_names: tuple[str, ...] | None
    parameters: int
    weights: WeightsFile | None
    note: str


# Names of the 1,000 classes, in Keras' own file, whose hash keras.applications.imagenet_utils gives.
CLASS_INDEX = WeightsFile(
    kind="download",
    file_name="imagenet_class_index.json",
    url=_STORE + "download.tensorflow.org/data/imagenet_class_index.json",
    megabytes=0.04,
    file_hash="c2c37ea517e94d9795004a39431a14cb",
)

_NOTES = {
    "VGG": "2014: nothing but 3 × 3 convolutions and pooling, then dense layers (Simonyan, Zisserman).",
    "Inception": "2015: modules of parallel branches with kernels of different sizes (Szegedy and others).",
    "ResNet": "2015: shortcuts around every block let very deep networks learn (He and others).",
    "ResNet V2": "2016: normalisation and ReLU before each convolution, a clean shortcut (He and others).",
    "Xception": "2016: convolutions split into one per channel and a 1 × 1 mixture of channels (Chollet).",
    "DenseNet": "2016: every layer sees the outputs of all layers before it in its block (Huang and others).",
    "MobileNet": "2017–2019: depthwise separable convolutions, made for telephones (Howard and others).",
    "NASNet": "2017: its cells were found by a search program instead of a person (Zoph and others).",
    "EfficientNet": "2019: depth, width and resolution grow together from B0 to B7 (Tan, Le).",
    "EfficientNetV2": "2021: faster to train, with plain convolutions in the first blocks (Tan, Le).",
    "ConvNeXt": "2022: a ResNet rebuilt with the habits of vision transformers (Liu and others).",
}  # fmt: skip


# Facts of Keras 3.15 (keras/src/applications), held against the installed Keras by a test: name, input side,
# preprocessing, parameters, folder/file on the store (after "=" where its name there differs; "@" stands
# for _KERNELS) and hash.
_KERNELS = "_weights_tf_dim_ordering_tf_kernels"
_APPLICATIONS = """
MobileNet:
  MobileNet         224 tf         4253864 mobilenet/mobilenet_1_0_224_tf.h5            -
  MobileNetV2       224 tf         3538984 mobilenet_v2/mobilenet_v2@_1.0_224.h5        -
  MobileNetV3Small  224 included   2554968 mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5 8768d4c2e7dee89b9d02b2d03d65d862
  MobileNetV3Large  224 included   5507432 mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float.h5 59e551e166be033d707958cf9e29a6a7
EfficientNet:
  EfficientNetB0    224 included   5330571 /efficientnetb0.h5                           902e53a9f72be733fc0bcb005b3ebbac
  EfficientNetB1    240 included   7856239 /efficientnetb1.h5                           1d254153d4ab51201f1646940f018540
  EfficientNetB2    260 included   9177569 /efficientnetb2.h5                           b15cce36ff4dcbd00b6dd88e7857a6ad
  EfficientNetB3    300 included  12320535 /efficientnetb3.h5                           ffd1fdc53d0ce67064dc6a9c7960ede0
  EfficientNetB4    380 included  19466823 /efficientnetb4.h5                           18c95ad55216b8f92d7e70b3a046e2fc
  EfficientNetB5    456 included  30562527 /efficientnetb5.h5                           ace28f2a6363774853a83a0b21b9421a
  EfficientNetB6    528 included  43265143 /efficientnetb6.h5                           165f6e37dce68623721b423839de8be5
  EfficientNetB7    600 included  66658687 /efficientnetb7.h5                           8c03f828fec3ef71311cd463b6759d99
EfficientNetV2:
  EfficientNetV2B0  224 included   7200312 efficientnet_v2/efficientnetv2-b0.h5         21ecbf6da12460d5c40bb2f29ceb2188
  EfficientNetV2B1  240 included   8212124 efficientnet_v2/efficientnetv2-b1.h5         069f0534ff22adf035c89e2d9547a9dc
  EfficientNetV2B2  260 included  10178374 efficientnet_v2/efficientnetv2-b2.h5         424e49f28180edbde1e94797771950a7
  EfficientNetV2B3  300 included  14467622 efficientnet_v2/efficientnetv2-b3.h5         1f1fc43bd98a6e4fd8fdfd551e02c7a0
  EfficientNetV2S   384 included  21612360 efficientnet_v2/efficientnetv2-s.h5          e1d88a8495beba45748fedd0cecbe016
  EfficientNetV2M   480 included  54431388 efficientnet_v2/efficientnetv2-m.h5          a3bf6aa3276309f4fc6a34aa114c95cd
  EfficientNetV2L   480 included 119027848 efficientnet_v2/efficientnetv2-l.h5          27e6d408b53c7ebc868fefa357689935
ResNet:
  ResNet50          224 caffe     25636712 resnet/resnet50@.h5                          2cb95161c43110f7111970584f804107
  ResNet101         224 caffe     44707176 resnet/resnet101@.h5                         f1aeb4b969a6efcfb50fad2f0c20cfc5
  ResNet152         224 caffe     60419944 resnet/resnet152@.h5                         100835be76be38e30d865e96f2aaae62
ResNet V2:
  ResNet50V2        224 tf        25613800 resnet/resnet50v2@.h5                        3ef43a0b657b3be2300d5770ece849e0
  ResNet101V2       224 tf        44675560 resnet/resnet101v2@.h5                       6343647c601c52e1368623803854d971
  ResNet152V2       224 tf        60380648 resnet/resnet152v2@.h5                       a49b44d1979771252814e80f8ec446f9
Inception:
  InceptionV3       299 tf        23851784 inception_v3/inception_v3@.h5                9a0d58056eeedaa3f26cb7ebd46da564
  InceptionResNetV2 299 tf        55873736 inception_resnet_v2/inception_resnet_v2@.h5  e693bd0210a403b3192acc6073ad2e96
Xception:
  Xception          299 tf        22910480 xception/xception@.h5                        0a58e3b7378bc2990ea3b43d5981f1f6
DenseNet:
  DenseNet121       224 torch      8062504 densenet/densenet121@.h5                     9d60b8095a5708f2dcce2bca79d332c7
  DenseNet169       224 torch     14307880 densenet/densenet169@.h5                     d699b8f76981ab1b30698df4c175e90b
  DenseNet201       224 torch     20242984 densenet/densenet201@.h5                     1ceb130c1ea1b78c3bf6114dbdfd8807
VGG:
  VGG16             224 caffe    138357544 vgg16/vgg16@.h5                              64373286793e3c8b2b4e3219cbf3544b
  VGG19             224 caffe    143667240 vgg19/vgg19@.h5                              cbe5617147190e668d6c5d5026f83318
ConvNeXt:
  ConvNeXtTiny      224 included  28589128 convnext/convnext_tiny.h5                    8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff
  ConvNeXtSmall     224 included  50223688 convnext/convnext_small.h5                   ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c
  ConvNeXtBase      224 included  88591464 convnext/convnext_base.h5                    52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6
  ConvNeXtLarge     224 included 197767336 convnext/convnext_large.h5                   070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6
  ConvNeXtXLarge    224 included 350196968 convnext/convnext_xlarge.h5                  c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee
NASNet:
  NASNetMobile      224 tf         5326716 nasnet/nasnet_mobile.h5=NASNet-mobile.h5     020fb642bf7360b370c678b08e0adf61
  NASNetLarge       331 tf        88949818 nasnet/nasnet_large.h5=NASNet-large.h5       11577c9a518f0070763c2b964a382f17
"""  # noqa: E501


def _applications() -> Iterator[NetworkEntry]:
    family = ""
    for line in _APPLICATIONS.strip().splitlines():
        if line.endswith(":"):
            family = line[:-1]
            continue
        name, side, preprocessing, parameters, place, digest = line.split()
        folder, _, files = place.replace("@", _KERNELS).rpartition("/")
        file_name, _, remote = files.partition("=")
        root = f"tensorflow/keras-applications/{folder}" if folder else "keras-applications"
        yield NetworkEntry(
            name=name,
            title=name,
            family=family,
            input_size=(int(side), int(side)),
            preprocessing=cast(Preprocessing, preprocessing),
            class_names=None,
            parameters=int(parameters),
            weights=WeightsFile(
                kind="download",
                file_name=file_name,
                url=f"{_STORE}{root}/{remote or file_name}",
                megabytes=round(4 * int(parameters) / 1e6, 1),
                file_hash=None if digest == "-" else digest,
            ),
            note=_NOTES[family],
        )


def _drawn(name: str, title: str, note: str) -> NetworkEntry:
    return NetworkEntry(
        name=name,
        title=title,
        family="Drawn world",
        input_size=(96, 96),
        preprocessing="zero_one",
        class_names=DRAWN_CLASSES,
        parameters=431_412,
        weights=WeightsFile("bundled", drawn_weights.weights_path(name).name, None, 0.9, None),
        note=note,
    )


_DRAWN = (
    _drawn("drawn_plain", "Drawn world", "Small network that comes with the app and knows twelve drawn things."),
    _drawn(
        "drawn_robust",
        "Drawn world, robust",
        "The same network, also trained on pictures changed on purpose to mislead it.",
    ),
)

_lock = threading.Lock()
_entries: dict[str, tuple[NetworkEntry, str]] = {
    **{entry.name: (entry, "explorer.networks.drawn.model:build") for entry in _DRAWN},
    **{entry.name: (entry, f"keras.applications:{entry.name}") for entry in _applications()},
}


STACK_PREFIX = "stack-"
RUN_PREFIX = "run-"
_RESOLVERS = {
    STACK_PREFIX: "explorer.architectures.registration:resolve_stack",
    RUN_PREFIX: "explorer.runs.trained:resolve",
}
"""For the beginnings of names of networks that come and go: "module:function" that returns entry and builder's path.

Imported when somebody asks for such a name, also in the process of a run and in a notebook, which know nothing of the
rooms above this one. It raises KeyError or `SentenceError` where there is no such network."""


def entries() -> tuple[NetworkEntry, ...]:
    """Return every network, the bundled pair first; those that resolvers know are not among them."""
    with _lock:
        return tuple(entry for entry, _ in _entries.values())


def is_large(entry: NetworkEntry) -> bool:
    """Tell whether a network takes seconds rather than tenths of one to build and to run on a CPU.

    The limits follow the table of every network in tests/benchmarks/README.md; ConvNeXt's large depthwise
    kernels are slow on a CPU at any size.
    """
    return entry.parameters > 40_000_000 or max(entry.input_size) > 350 or entry.family == "ConvNeXt"


def entry(name: str) -> NetworkEntry:
    """Return one network by its name.

    Raises:
        KeyError: with a sentence, if the catalogue has no network of that name.
        SentenceError: if a resolver says why it has none.
    """
    return _found(name)[0]


def builder_path(name: str) -> str:
    """Return "module:function" of what builds a network; see `register` for how it is called."""
    return _found(name)[1]


def _found(name: str) -> tuple[NetworkEntry, str]:
    with _lock:
        found = _entries.get(name)
    path = next((each for prefix, each in _RESOLVERS.items() if name.startswith(prefix)), None)
    if found is None and path is not None:
        module, _, function = path.partition(":")
        resolve: Callable[[str], tuple[NetworkEntry, str]] = getattr(importlib.import_module(module), function)
        found = resolve(name)
    if found is None:
        raise KeyError(f"There is no network called {name!r} here.")
    return found


def register(entry: NetworkEntry, builder_path: str) -> None:
    """Add a network, or replace the one of the same name.

    Args:
        entry: What the catalogue says about it.
        builder_path: "package.module:function". The worker imports it and calls `function(name)`, which
            returns a built keras.Model. Trained weights in the weights folder are read by the model's own
            `load_weights`. For weights of the kind "model" it calls `function(name, weights)`, which returns the
            model with weights that are "trained" or "random".

    Raises:
        ValueError: if the path does not name a module and a function.
    """
    module, _, function = builder_path.partition(":")
    if not module or not function:
        raise ValueError(f'A builder is given as "package.module:function", not {builder_path!r}.')
    with _lock:
        _entries[entry.name] = (entry, builder_path)


def is_application(name: str) -> bool:
    """Return whether a network is one of keras.applications."""
    return builder_path(name).startswith("keras.applications:")


def weights_path(entry: NetworkEntry, folder: Path | None = None) -> Path | None:
    """Return where the trained weights are, or would be; None for a network that has none.

    Args:
        entry: The network.
        folder: The weights folder; by default that of the settings.
    """
    if entry.weights is None:
        return None
    if entry.weights.kind == "bundled":
        return drawn_weights.weights_path(entry.name)
    if entry.weights.folder is not None:
        return entry.weights.folder / entry.weights.file_name
    return (folder or get_settings().weights_folder) / entry.weights.file_name


def weights_present(entry: NetworkEntry, folder: Path | None = None) -> bool:
    """Return whether the trained weights are on this machine."""
    path = weights_path(entry, folder)
    return path is not None and path.is_file()


@lru_cache(maxsize=4)
def _imagenet_names(path: str, changed: int) -> tuple[str, ...] | None:
    try:
        index = json.loads(Path(path).read_text(encoding="utf-8"))
        return tuple(str(index[str(number)][1]).replace("_", " ") for number in range(IMAGENET_CLASSES))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def class_names(entry: NetworkEntry, folder: Path | None = None) -> tuple[str, ...] | None:
    """Return the names of a network's outputs, or None where they are not on this machine.

    ImageNet's 1,000 names come from Keras' `imagenet_class_index.json` in the weights folder, with spaces for
    underscores.
    """
    if entry.class_names is not None or not is_application(entry.name):
        return entry.class_names
    path = (folder or get_settings().weights_folder) / CLASS_INDEX.file_name
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    return _imagenet_names(str(path), changed)


def by_family() -> Iterator[tuple[str, tuple[NetworkEntry, ...]]]:
    """Yield (family, its networks) in the order of the catalogue."""
    everything = entries()
    for family in dict.fromkeys(entry.family for entry in everything):
        yield family, tuple(entry for entry in everything if entry.family == family)
