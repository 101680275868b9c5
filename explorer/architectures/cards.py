"""What is known of every network beside its layers: paper, idea, published accuracy, and how it is built.

Accuracies are those on ImageNet's validation set with one crop of the middle; numbers from ten crops, several scales or
several networks are left out, so that all can stand in one chart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from explorer.architectures.results import Card
from explorer.networks import catalogue

_BUILDERS = "explorer.architectures.builders"


@dataclass(frozen=True)
class _Paper:
    family: str
    year: int | None
    text: str
    url: str


_PAPERS = {
    "lenet": _Paper(
        "LeNet", 1998,
        "LeCun, Bottou, Bengio, Haffner, “Gradient-Based Learning Applied to Document Recognition”, "
        "Proceedings of the IEEE 1998",
        "https://doi.org/10.1109/5.726791",
    ),
    "alexnet": _Paper(
        "AlexNet", 2012,
        "Krizhevsky, Sutskever, Hinton, “ImageNet Classification with Deep Convolutional Neural Networks”, NIPS 2012",
        "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
    ),
    "zfnet": _Paper(
        "ZFNet", 2013,
        "Zeiler, Fergus, “Visualizing and Understanding Convolutional Networks”, ECCV 2014",
        "https://arxiv.org/abs/1311.2901",
    ),
    "vgg": _Paper(
        "VGG", 2014,
        "Simonyan, Zisserman, “Very Deep Convolutional Networks for Large-Scale Image Recognition”, ICLR 2015",
        "https://arxiv.org/abs/1409.1556",
    ),
    "googlenet": _Paper(
        "Inception", 2014,
        "Szegedy and others, “Going Deeper with Convolutions”, CVPR 2015",
        "https://arxiv.org/abs/1409.4842",
    ),
    "inception_v3": _Paper(
        "Inception", 2015,
        "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, “Rethinking the Inception Architecture for Computer Vision”, "
        "CVPR 2016",
        "https://arxiv.org/abs/1512.00567",
    ),
    "inception_resnet_v2": _Paper(
        "Inception", 2016,
        "Szegedy, Ioffe, Vanhoucke, Alemi, “Inception-v4, Inception-ResNet and the Impact of Residual Connections on "
        "Learning”, AAAI 2017",
        "https://arxiv.org/abs/1602.07261",
    ),
    "highway": _Paper(
        "Highway", 2015,
        "Srivastava, Greff, Schmidhuber, “Training Very Deep Networks”, NIPS 2015",
        "https://arxiv.org/abs/1507.06228",
    ),
    "resnet": _Paper(
        "ResNet", 2015,
        "He, Zhang, Ren, Sun, “Deep Residual Learning for Image Recognition”, CVPR 2016",
        "https://arxiv.org/abs/1512.03385",
    ),
    "resnet_v2": _Paper(
        "ResNet V2", 2016,
        "He, Zhang, Ren, Sun, “Identity Mappings in Deep Residual Networks”, ECCV 2016",
        "https://arxiv.org/abs/1603.05027",
    ),
    "stochastic_depth": _Paper(
        "ResNet", 2016,
        "Huang, Sun, Liu, Sedra, Weinberger, “Deep Networks with Stochastic Depth”, ECCV 2016",
        "https://arxiv.org/abs/1603.09382",
    ),
    "wide_resnet": _Paper(
        "Wide ResNet", 2016,
        "Zagoruyko, Komodakis, “Wide Residual Networks”, BMVC 2016",
        "https://arxiv.org/abs/1605.07146",
    ),
    "resnext": _Paper(
        "ResNeXt", 2016,
        "Xie, Girshick, Dollár, Tu, He, “Aggregated Residual Transformations for Deep Neural Networks”, CVPR 2017",
        "https://arxiv.org/abs/1611.05431",
    ),
    "densenet": _Paper(
        "DenseNet", 2016,
        "Huang, Liu, van der Maaten, Weinberger, “Densely Connected Convolutional Networks”, CVPR 2017",
        "https://arxiv.org/abs/1608.06993",
    ),
    "xception": _Paper(
        "Xception", 2016,
        "Chollet, “Xception: Deep Learning with Depthwise Separable Convolutions”, CVPR 2017",
        "https://arxiv.org/abs/1610.02357",
    ),
    "small_xception": _Paper(
        "Xception", 2021,
        "Chollet, “Deep Learning with Python”, 2nd edition, chapter 9, Manning 2021",
        "https://github.com/fchollet/deep-learning-with-python-notebooks",
    ),
    "senet": _Paper(
        "SENet", 2017,
        "Hu, Shen, Albanie, Sun, Wu, “Squeeze-and-Excitation Networks”, CVPR 2018",
        "https://arxiv.org/abs/1709.01507",
    ),
    "squeezenet": _Paper(
        "SqueezeNet", 2016,
        "Iandola and others, “SqueezeNet: AlexNet-Level Accuracy with 50x Fewer Parameters and <0.5MB Model Size”, "
        "arXiv 2016",
        "https://arxiv.org/abs/1602.07360",
    ),
    "mobilenet": _Paper(
        "MobileNet", 2017,
        "Howard and others, “MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications”, "
        "arXiv 2017",
        "https://arxiv.org/abs/1704.04861",
    ),
    "mobilenet_v2": _Paper(
        "MobileNet", 2018,
        "Sandler, Howard, Zhu, Zhmoginov, Chen, “MobileNetV2: Inverted Residuals and Linear Bottlenecks”, CVPR 2018",
        "https://arxiv.org/abs/1801.04381",
    ),
    "mobilenet_v3": _Paper(
        "MobileNet", 2019,
        "Howard and others, “Searching for MobileNetV3”, ICCV 2019",
        "https://arxiv.org/abs/1905.02244",
    ),
    "shufflenet": _Paper(
        "ShuffleNet", 2017,
        "Zhang, Zhou, Lin, Sun, “ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices”, "
        "CVPR 2018",
        "https://arxiv.org/abs/1707.01083",
    ),
    "nasnet": _Paper(
        "NASNet", 2017,
        "Zoph, Vasudevan, Shlens, Le, “Learning Transferable Architectures for Scalable Image Recognition”, CVPR 2018",
        "https://arxiv.org/abs/1707.07012",
    ),
    "efficientnet": _Paper(
        "EfficientNet", 2019,
        "Tan, Le, “EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks”, ICML 2019",
        "https://arxiv.org/abs/1905.11946",
    ),
    "efficientnet_v2": _Paper(
        "EfficientNetV2", 2021,
        "Tan, Le, “EfficientNetV2: Smaller Models and Faster Training”, ICML 2021",
        "https://arxiv.org/abs/2104.00298",
    ),
    "convnext": _Paper(
        "ConvNeXt", 2022,
        "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, “A ConvNet for the 2020s”, CVPR 2022",
        "https://arxiv.org/abs/2201.03545",
    ),
    "unet": _Paper(
        "U-Net", 2015,
        "Ronneberger, Fischer, Brox, “U-Net: Convolutional Networks for Biomedical Image Segmentation”, MICCAI 2015",
        "https://arxiv.org/abs/1505.04597",
    ),
    "lectures": _Paper("Digits", None, "From the lectures, for the handwritten digits of MNIST", ""),
}  # fmt: skip

_KERAS_TABLE = "Keras' table, one crop"
_TORCHVISION = "torchvision's weights, one crop"
_SE_RELEASE = "authors' released weights, one crop"

# Name in keras.applications: (paper, title, top-1, top-5, what was new).
_APPLICATIONS: dict[str, tuple[str, str, float | None, float | None, str]] = {
    "MobileNet": ("mobilenet", "MobileNet", 70.4, 89.5,
        "Splits every convolution into one filter per channel and a 1 × 1 mixture, for an eighth of the work."),
    "MobileNetV2": ("mobilenet_v2", "MobileNetV2", 71.3, 90.1,
        "Turns the bottleneck round: shortcuts join the narrow ends, and depthwise filters work in the wide middle."),
    "MobileNetV3Small": ("mobilenet_v3", "MobileNetV3 Small", 68.1, None,
        "Searched by program for the slowest telephones, with a cheaper first and last layer and hard swish."),
    "MobileNetV3Large": ("mobilenet_v3", "MobileNetV3 Large", 75.6, None,
        "Adds squeeze-and-excitation gates to the inverted residual and lets a search choose the widths."),
    "EfficientNetB0": ("efficientnet", "EfficientNet-B0", 77.1, 93.3,
        "The searched starting point from which depth, width and resolution then grow together."),
    "EfficientNetB1": ("efficientnet", "EfficientNet-B1", 79.1, 94.4,
        "B0 with more layers in each stage and pictures of 240 × 240."),
    "EfficientNetB2": ("efficientnet", "EfficientNet-B2", 80.1, 94.9,
        "As deep as B1, a tenth wider than B0, on pictures of 260 × 260."),
    "EfficientNetB3": ("efficientnet", "EfficientNet-B3", 81.6, 95.7,
        "Five percent above ResNet-152 with a fifth of its weights."),
    "EfficientNetB4": ("efficientnet", "EfficientNet-B4", 82.9, 96.4,
        "Level with NASNetLarge at less than a fifth of its work."),
    "EfficientNetB5": ("efficientnet", "EfficientNet-B5", 83.6, 96.7,
        "Deeper, wider, and on pictures of 456 × 456: more than twice the work of B4."),
    "EfficientNetB6": ("efficientnet", "EfficientNet-B6", 84.0, 96.8,
        "Buys four tenths of a percent over B5 with almost twice the work."),
    "EfficientNetB7": ("efficientnet", "EfficientNet-B7", 84.3, 97.0,
        "The end of the compound scaling: a hundred times the work of B0 for seven percent."),
    "EfficientNetV2B0": ("efficientnet_v2", "EfficientNetV2-B0", 78.7, 94.3,
        "Fuses expansion and depthwise step into plain convolutions in early stages, which run faster though they "
        "cost more."),
    "EfficientNetV2B1": ("efficientnet_v2", "EfficientNetV2-B1", 79.8, 95.0,
        "V2-B0 a little deeper, for pictures of 240 × 240."),
    "EfficientNetV2B2": ("efficientnet_v2", "EfficientNetV2-B2", 80.5, 95.1,
        "V2-B0 deeper and a tenth wider, for pictures of 260 × 260."),
    "EfficientNetV2B3": ("efficientnet_v2", "EfficientNetV2-B3", 82.0, 95.8,
        "V2-B0 scaled as B3 was from B0, and 0.4 percent ahead of it."),
    "EfficientNetV2S": ("efficientnet_v2", "EfficientNetV2-S", 83.9, 96.7,
        "Found by a search for short training time instead of few multiplications."),
    "EfficientNetV2M": ("efficientnet_v2", "EfficientNetV2-M", 85.3, 97.4,
        "One stage more than S; trained on small pictures first, larger and harder ones later."),
    "EfficientNetV2L": ("efficientnet_v2", "EfficientNetV2-L", 85.7, 97.5,
        "The largest of the family: 119 million weights for less than half a percent over M."),
    "ResNet50": ("resnet", "ResNet-50", 74.9, 92.1,
        "Bottleneck blocks: 1 × 1 narrows, 3 × 3 works, 1 × 1 widens, and a shortcut goes around all three."),
    "ResNet101": ("resnet", "ResNet-101", 76.4, 92.8,
        "Seventeen more bottleneck blocks at 14 × 14, and training still gains by them."),
    "ResNet152": ("resnet", "ResNet-152", 76.6, 93.1,
        "Eight times deeper than VGG19, with less work: the winner of 2015."),
    "ResNet50V2": ("resnet_v2", "ResNet-50 V2", 76.0, 93.0,
        "Normalises and rectifies before each convolution, so that the shortcut runs untouched from end to end."),
    "ResNet101V2": ("resnet_v2", "ResNet-101 V2", 77.2, 93.8,
        "The untouched shortcut with seventeen more blocks; its paper shows results for deeper nets only."),
    "ResNet152V2": ("resnet_v2", "ResNet-152 V2", 78.0, 94.2,
        "The untouched shortcut at 152 layers; its paper shows the gain where nets are deeper still, with 200 layers "
        "on ImageNet and 1,001 on CIFAR."),
    "InceptionV3": ("inception_v3", "Inception V3", 77.9, 93.7,
        "Factorises large filters: 5 × 5 into two 3 × 3, and 7 × 7 into 1 × 7 and 7 × 1."),
    "InceptionResNetV2": ("inception_resnet_v2", "Inception-ResNet V2", 80.3, 95.3,
        "Puts a scaled-down inception module on the main path of each residual block."),
    "Xception": ("xception", "Xception", 79.0, 94.5,
        "Takes the inception module to its limit: each channel is filtered alone, then 1 × 1 convolutions mix them."),
    "DenseNet121": ("densenet", "DenseNet-121", 75.0, 92.3,
        "Every layer reads the maps of all layers before it in its block and adds only 32 of its own."),
    "DenseNet169": ("densenet", "DenseNet-169", 76.2, 93.2,
        "Twenty-four more layers in the last two blocks, and still fewer weights than ResNet-34."),
    "DenseNet201": ("densenet", "DenseNet-201", 77.3, 93.6,
        "Reaches ResNet-101's accuracy with under half of its weights."),
    "VGG16": ("vgg", "VGG16", 71.3, 90.1,
        "Nothing but 3 × 3 convolutions, stacked until two or three of them see as far as one large filter."),
    "VGG19": ("vgg", "VGG19", 71.3, 90.0,
        "Three more convolutions than VGG16, which bought nothing: plain stacks had reached their depth."),
    "ConvNeXtTiny": ("convnext", "ConvNeXt-Tiny", 81.3, None,
        "A ResNet-50 changed step by step into what a vision transformer does, with 7 × 7 depthwise filters."),
    "ConvNeXtSmall": ("convnext", "ConvNeXt-Small", 82.3, None,
        "The same widths with three times as many blocks in the third stage."),
    "ConvNeXtBase": ("convnext", "ConvNeXt-Base", 85.3, None,
        "A third wider; its weights have also seen the 21,841 classes of the full ImageNet."),
    "ConvNeXtLarge": ("convnext", "ConvNeXt-Large", 86.3, None,
        "Twice as wide as Small, and still only convolutions, at a transformer's accuracy."),
    "ConvNeXtXLarge": ("convnext", "ConvNeXt-XLarge", 86.7, None,
        "350 million weights: what large data could still teach a convolutional network in 2022."),
    "NASNetMobile": ("nasnet", "NASNet-A Mobile", 74.4, 91.9,
        "A program searched for two small cells on CIFAR-10, which are then stacked for telephones."),
    "NASNetLarge": ("nasnet", "NASNet-A Large", 82.5, 96.0,
        "The searched cells stacked high and wide: for a while the most accurate and the most tangled of all."),
}  # fmt: skip

_PRETRAINED_LARGER = "Keras' table, one crop; trained on ImageNet-21k first"
_SOURCES = {
    "MobileNetV3Small": "Keras' documentation, one crop",
    "MobileNetV3Large": "Keras' documentation, one crop",
    "ConvNeXtBase": _PRETRAINED_LARGER,
    "ConvNeXtLarge": _PRETRAINED_LARGER,
    "ConvNeXtXLarge": _PRETRAINED_LARGER,
}


def _moved(paper: str, drawn: str) -> str:
    return (
        "Keras' version halves the maps in the last block of a stage, not in the first of the next one: by the size of "
        f"their maps, as the diagram groups them, the paper's {paper} blocks are {drawn}."
    )


_NOTES = {
    "ResNet50": "Keras gives the convolutions biases, which batch normalisation makes idle: 26,560 weights more than "
    "the paper's.",
    "ResNet50V2": _moved("3, 4, 6 and 3", "2, 4, 6 and 4"),
    "ResNet101V2": _moved("3, 4, 23 and 3", "2, 4, 23 and 4"),
    "ResNet152V2": _moved("3, 8, 36 and 3", "2, 8, 36 and 4"),
    "MobileNet": "The paper's table 1 prints stride 2 for the last depthwise convolution; 7 × 7 stays 7 × 7, so it is "
    "1.",
    "MobileNetV3Small": "Keras' table prints 66 million multiply-adds and 2.9 million weights for it; counted, it is "
    "56.5 and 2.55 million, and the paper says 56 and 2.5.",
    "VGG16": "103 of its 138 million weights stand in the first dense layer, which does less than one percent of the "
    "work.",
}

# Without it Keras leaves the sizes of these two open.
_ARGUMENTS: dict[str, dict[str, object]] = {
    "MobileNetV3Small": {"input_shape": (224, 224, 3)},
    "MobileNetV3Large": {"input_shape": (224, 224, 3)},
}


def _applications() -> Iterator[Card]:
    for entry in catalogue.entries():
        if entry.name not in _APPLICATIONS:
            continue
        paper_key, title, top1, top5, idea = _APPLICATIONS[entry.name]
        paper = _PAPERS[paper_key]
        yield Card(
            name=entry.name,
            title=title,
            family=paper.family,
            year=paper.year,
            paper=paper.text,
            url=paper.url,
            idea=idea,
            builder=f"keras.applications:{entry.name}",
            origin="keras",
            arguments={"weights": None, **_ARGUMENTS.get(entry.name, {})},
            input_shape=(*entry.input_size, 3),
            top1=top1,
            top5=top5,
            accuracy_source=_SOURCES.get(entry.name, _KERAS_TABLE),
            note=_NOTES.get(entry.name, ""),
            more_data=_SOURCES.get(entry.name) == _PRETRAINED_LARGER,
        )


def _own(
    name: str,
    title: str,
    paper_key: str,
    builder: str,
    idea: str,
    side: int = 224,
    channels: int = 3,
    /,
    *,
    top: tuple[float | None, float | None] = (None, None),
    source: str = "",
    note: str = "",
    twin: str = "",
    **arguments: object,
) -> Card:
    paper = _PAPERS[paper_key]
    return Card(
        name, title, paper.family, paper.year, paper.text, paper.url, idea, f"{_BUILDERS}.{builder}", "own",
        arguments, (side, side, channels), *top, source, note, twin=twin,
    )  # fmt: skip


def _own_cards() -> Iterator[Card]:
    yield from _digits()
    yield from _first_winners()
    yield from _residual()
    yield from _small()
    yield from _others()


def _digits() -> Iterator[Card]:
    yield _own(
        "lenet5", "LeNet-5 (as on slides)", "lenet", "lenet:lenet5",
        "Convolution, subsampling, convolution, subsampling, dense: the shape that most later networks keep.", 32, 1,
        note="A well-known slide prints 416, 48,001, 10,081 and 841 weights; it is 2,416, 48,120, 10,164 and 850.",
        variant="slides",
    )  # fmt: skip
    yield _own(
        "lenet5_1998", "LeNet-5 (1998)", "lenet", "lenet:lenet5",
        "Each map of its second convolution sees a chosen few of the maps before it, which breaks the symmetry "
        "between them and saves weights.", 32, 1,
        note="60,000 weights can be trained; the 840 fixed ones are the drawings of digits that its output compares "
        "with.",
        variant="1998",
    )  # fmt: skip
    yield _own(
        "dense_mnist", "Dense net for digits", "lectures", "mnist:dense_mnist",
        "No convolution at all: every pixel has a weight of its own to every one of 500 units.", 28, 1,
        note="1,100 of its 420,260 weights are running means and variances, which training's gradient does not change.",
    )  # fmt: skip
    yield _own(
        "conv_mnist", "One convolution for digits", "lectures", "mnist:conv_mnist",
        "32 filters of 3 × 3 find strokes with 320 weights; a quarter of a million then say where they lie.", 28, 1,
    )  # fmt: skip
    yield _own(
        "cnn2", "Small convolutional net for digits", "lectures", "mnist:cnn2",
        "Two blocks of two convolutions and pooling do better than the dense net with a twelfth of its weights.", 28, 1,
    )  # fmt: skip


def _first_winners() -> Iterator[Card]:
    yield _own(
        "alexnet", "AlexNet", "alexnet", "alexnet:alexnet",
        "Deep, rectified, trained on two graphics cards with dropout and augmented pictures: it ended the era of "
        "hand-made features.", 227, top=(57.1, 80.2), source="BVLC's replica in Caffe, trained anew, one crop",
        note="The paper prints pictures of 224 × 224, with which its first layer does not come out; 227 does.",
        groups=True,
    )  # fmt: skip
    yield _own(
        "alexnet_ungrouped", "AlexNet without groups", "alexnet", "alexnet:alexnet",
        "AlexNet on one card: every filter sees all maps, for 2.3 percent more weights and 57 percent more work.", 227,
        note="The groups exist only because one graphics card of 2012 had too little memory.",
        groups=False,
    )  # fmt: skip
    yield _own(
        "zfnet", "ZFNet", "zfnet", "zfnet:zfnet",
        "AlexNet mended by looking inside: smaller, denser first filters after deconvolution showed dead ones.",
    )  # fmt: skip
    plain = {11: (69.02, 88.628), 13: (69.928, 89.246)}
    for depth, idea in (
        (11, "The shallowest of the series, from which the deeper ones were started."),
        (13, "Two convolutions in every block, before depth went to the later ones."),
        (16, "VGG16 as the paper's column D, written out."),
        (19, "VGG19 as the paper's column E, written out."),
    ):
        keras_top = {16: (71.3, 90.1), 19: (71.3, 90.0)}
        yield _own(
            f"vgg_{depth}", f"VGG{depth}", "vgg", "vgg:vgg", idea,
            top=plain.get(depth) or keras_top[depth],
            source=_TORCHVISION if depth in plain else _KERAS_TABLE,
            twin="" if depth in plain else f"VGG{depth}", depth=depth,
        )  # fmt: skip
    yield _own(
        "vgg_16_batch_norm", "VGG16 with batch normalisation", "vgg", "vgg:vgg",
        "The same stack with batch normalisation after every convolution, which gains nearly two percent in "
        "torchvision's weights.",
        top=(73.36, 91.516), source=_TORCHVISION, note="Not in the paper: batch normalisation is from 2015.",
        depth=16, batch_norm=True,
    )  # fmt: skip
    yield _own(
        "googlenet", "GoogLeNet", "googlenet", "googlenet:googlenet",
        "Four kinds of filter side by side, kept cheap by 1 × 1 convolutions before them, and no large dense layer.",
        top=(68.7, 88.9), source="Caffe's weights (BVLC), one crop",
        note="6,998,552 weights are 8.7 times fewer than AlexNet's; many slides say 5 million, and 12 times fewer. "
        "Without the last dense layer they are 5,973,552.",
    )  # fmt: skip
    yield _own(
        "googlenet_auxiliary", "GoogLeNet with auxiliary outputs", "googlenet", "googlenet:googlenet",
        "Two more classifiers halfway send gradients to the early layers during training and are then thrown away.",
        note="Almost half of its weights stand in the two outputs that only training needs.",
        auxiliary=True,
    )  # fmt: skip
    yield _own(
        "highway_19", "Highway network, 19 layers", "highway", "highway:highway",
        "A gate in every layer learns how much to change and how much to hand on, so that depth does no harm.", 32,
        depth=19,
    )  # fmt: skip


def _residual() -> Iterator[Card]:
    tops = {18: (69.758, 89.078), 34: (73.314, 91.42), 50: (75.3, 92.2), 101: (76.4, 92.9), 152: (77.0, 93.3)}
    ideas = {
        18: "Basic blocks: two 3 × 3 convolutions learn what to add to their input.",
        34: "Where a plain net of 34 layers trains worse than one of 18, the residual one trains better.",
        50: "Three layers for each two of ResNet-34: bottlenecks buy depth at the same work.",
        101: "Twenty-three bottlenecks in the third stage.",
        152: "Thirty-six bottlenecks in the third stage, fewer weights than VGG, and the winner of 2015.",
    }
    for depth, idea in ideas.items():
        yield _own(
            f"resnet_{depth}", f"ResNet-{depth}", "resnet", "resnet:resnet", idea, top=tops[depth],
            source=_TORCHVISION if depth < 50 else "authors' released weights, one crop",
            note="" if depth < 50 else "The convolutions have no biases, as in the paper; those of keras.applications "
            "do, and count more weights for the same network.",
            twin="" if depth < 50 else f"ResNet{depth}", depth=depth,
        )  # fmt: skip
    yield _own(
        "resnet_34_identity", "ResNet-34, option A", "resnet", "resnet:resnet",
        "Shortcuts without a single weight: where maps shrink they are thinned out and padded with empty channels.",
        depth=34, shortcut="identity",
    )  # fmt: skip
    for depth in (20, 32, 44, 56, 110):
        yield _own(
            f"resnet_cifar_{depth}", f"ResNet-{depth} for CIFAR", "resnet", "resnet:resnet_cifar",
            {
                20: "Three blocks of 16, 32 and 64 filters each: the smallest net that shows what shortcuts do.",
                32: "Five blocks a stage, and better than the plain net of the same depth.",
                44: "Seven blocks a stage, where the plain net already falls behind the shallower one.",
                56: "Nine blocks a stage: the depth at which surfaces without shortcuts turn rough.",
                110: "Eighteen blocks a stage: 110 layers that train, with 1.7 million weights.",
            }[depth], 32,
            depth=depth,
        )  # fmt: skip
    yield _own(
        "stochastic_depth_110", "ResNet-110 with stochastic depth", "stochastic_depth",
        "stochastic_depth:stochastic_depth_resnet",
        "Training leaves out whole blocks at random, later ones more often, so that short and long paths both learn.",
        32, note="Counted as it stands at test time, with all blocks; a training step runs three quarters of them.",
        depth=110, last_survival=0.5,
    )  # fmt: skip
    yield _own(
        "wide_resnet_16_8", "Wide ResNet 16-8", "wide_resnet", "wide_resnet:wide_resnet",
        "Sixteen layers, eight times as wide: level with a thousand thin layers, and many times faster.", 32,
        note="The 16 of its name counts all convolutions, those of the three shortcuts too, but not the dense layer.",
        depth=16, k=8,
    )  # fmt: skip
    yield _own(
        "wide_resnet_28_10", "Wide ResNet 28-10", "wide_resnet", "wide_resnet:wide_resnet",
        "Spends its weights on width instead of depth, which graphics cards compute far better.", 32,
        note="The 28 of its name counts all convolutions, those of the three shortcuts too, but not the dense layer.",
        depth=28, k=10,
    )  # fmt: skip
    yield _own(
        "resnext_50", "ResNeXt-50 (32 × 4d)", "resnext", "resnext:resnext",
        "Splits each bottleneck into 32 narrow branches, written as one grouped convolution: cardinality as a third "
        "dimension beside depth and width.", top=(77.618, 93.698), source=_TORCHVISION,
        depth=50, cardinality=32, width=4,
    )  # fmt: skip
    yield _own(
        "resnext_101", "ResNeXt-101 (32 × 4d)", "resnext", "resnext:resnext",
        "The 32 branches at the depth of ResNet-101, with its number of weights and a lower error.",
        top=(78.8, None), source="the authors' release, one crop",
        depth=101, cardinality=32, width=4,
    )  # fmt: skip
    densenets = {
        121: ((75.0, 92.3), "DenseNet-121 written out: four dense blocks of 6, 12, 24 and 16 layers."),
        169: ((76.2, 93.2), "DenseNet-169 written out: its last two blocks have 32 layers each."),
        201: ((77.3, 93.6), "DenseNet-201 written out: 48 layers in the third block."),
    }
    for depth, (top, idea) in densenets.items():
        yield _own(
            f"densenet_{depth}", f"DenseNet-{depth}", "densenet", "densenet:densenet", idea, top=top,
            source=_KERAS_TABLE, twin=f"DenseNet{depth}", depth=depth,
        )  # fmt: skip
    errors = {50: (22.37, 6.36), 101: (21.75, 5.72), 152: (21.34, 5.54)}
    for depth, (error1, error5) in errors.items():
        yield _own(
            f"se_resnet_{depth}", f"SE-ResNet-{depth}", "senet", "senet:se_resnet",
            {
                50: "A gate for each channel, computed from the whole map: squeeze to a mean, excite by two small "
                "dense layers.",
                101: "The gates at 101 layers: a tenth more weights for nearly no work.",
                152: "The gates at 152 layers.",
            }[depth], top=(round(100 - error1, 2), round(100 - error5, 2)), source=_SE_RELEASE,
            note="Its depth counts the main path; the gates' dense layers stand beside it.",
            depth=depth,
        )  # fmt: skip
    yield _own(
        "se_resnext_50", "SE-ResNeXt-50 (32 × 4d)", "senet", "senet:se_resnext",
        "Channel gates on grouped bottlenecks: the block of the winner of 2017 at a third of its depth.",
        top=(79.03, 94.46), source=_SE_RELEASE, depth=50,
    )  # fmt: skip
    yield _own(
        "senet_154", "SENet-154", "senet", "senet:senet154",
        "The winner of 2017: a widened SE-ResNeXt-152 with three small filters instead of the first large one.",
        top=(81.32, 95.53), source=_SE_RELEASE,
        note="The 2.3 percent top-5 error of the contest is that of an ensemble with many crops.",
    )  # fmt: skip


def _small() -> Iterator[Card]:
    yield _own(
        "squeezenet_1.0", "SqueezeNet 1.0", "squeezenet", "squeezenet:squeezenet",
        "AlexNet's accuracy with a fiftieth of its weights: squeeze to few maps, expand by 1 × 1 and 3 × 3, no dense "
        "layer.", 227, top=(57.5, 80.3), source="paper, one crop", version="1.0",
    )  # fmt: skip
    yield _own(
        "squeezenet_1.1", "SqueezeNet 1.1", "squeezenet", "squeezenet:squeezenet",
        "Smaller first filters and earlier pooling: the same accuracy for less than half of the work.", 227,
        top=(58.178, 80.624), source=_TORCHVISION, version="1.1",
    )  # fmt: skip
    alphas = {
        1.0: (70.6, "MobileNet written out, as the paper's table 1."),
        0.75: (68.4, "Every layer three quarters as wide: a little over half of the weights and the work."),
        0.5: (63.7, "Half as wide everywhere: about a quarter of the work."),
        0.25: (50.6, "A quarter of the width: half a million weights, most of them in the last layer."),
    }
    for alpha, (top1, idea) in alphas.items():
        yield _own(
            f"mobilenet_{alpha:g}" if alpha < 1 else "mobilenet_1.0", f"MobileNet, α = {alpha:g}", "mobilenet",
            "mobilenet:mobilenet", idea, top=(top1, None), source="paper, one crop", alpha=alpha,
            note=_NOTES["MobileNet"] if alpha == 1 else "", twin="MobileNet" if alpha == 1 else "",
        )  # fmt: skip
    for rho, side, top1, idea in (
        (0.857, 192, 69.1, "The same weights on pictures of 192 × 192: only the work shrinks."),
        (0.714, 160, 67.2, "The same weights on pictures of 160 × 160: half of the work."),
        (0.571, 128, 64.4, "The same weights on pictures of 128 × 128: a third of the work."),
    ):
        yield _own(
            f"mobilenet_{side}", f"MobileNet, ρ = {rho:g}", "mobilenet", "mobilenet:mobilenet", idea, side,
            top=(top1, None), source="paper, one crop", rho=rho,
        )  # fmt: skip
    yield _own(
        "mobilenet_full", "MobileNet with full convolutions", "mobilenet", "mobilenet:mobilenet",
        "The comparison of the paper: undivided 3 × 3 convolutions cost eight and a half times the work for one "
        "percent.", top=(71.7, None), source="paper, one crop", separable=False,
    )  # fmt: skip
    yield _own(
        "mobilenet_v2", "MobileNetV2 (written out)", "mobilenet_v2", "mobilenet_v2:mobilenet_v2",
        "MobileNetV2 block by block: expand by six, filter each channel, project without a ReLU.",
        top=(71.3, 90.1), source=_KERAS_TABLE, twin="MobileNetV2",
    )  # fmt: skip
    for groups, scale, top1, idea in (
        (3, 1.0, 67.4, "Groups even the 1 × 1 convolutions, and shuffles channels so that the groups hear of each "
         "other."),
        (1, 1.0, 66.4, "Without groups there is nothing to shuffle, and the same work allows fewer maps."),
        (8, 1.0, 67.6, "Eight groups: more and more maps from the same work, each from fewer others."),
        (3, 0.5, 56.8, "Half as wide: 38 million multiply-adds for telephones of 2017."),
    ):  # fmt: skip
        name = f"shufflenet_g{groups}" + ("" if scale == 1 else f"_{scale:g}")
        yield _own(
            name, f"ShuffleNet {scale:g}×, {groups} group{'s' if groups > 1 else ''}", "shufflenet",
            "shufflenet:shufflenet", idea, top=(top1, None), source="paper, one crop", groups=groups, scale=scale,
        )  # fmt: skip


def _others() -> Iterator[Card]:
    yield _own(
        "xception_paper", "Xception (written out)", "xception", "xception:xception",
        "Xception flow by flow: entry, eight equal blocks in the middle, exit.", 299,
        top=(79.0, 94.5), source=_KERAS_TABLE, twin="Xception",
    )  # fmt: skip
    yield _own(
        "small_xception", "Small Xception", "small_xception", "small_xception:small_xception",
        "Five blocks of normalise → rectify → separable convolution with strided shortcuts: modern habits in one "
        "page of code.", 180,
    )  # fmt: skip
    yield _own(
        "unet", "U-Net", "unet", "unet:unet",
        "Down to see what, up to say where, with copies of the fine maps handed across.", 572, 1,
    )  # fmt: skip
    yield _own(
        "unet_same", "U-Net for colour pictures", "unet", "unet:unet",
        "The same U with padded convolutions, so that every pixel of the picture gets its class.", 256, 3,
        note="The paper's maps lose their borders; here they keep their size, as most later code has it.",
        side=256, padding="same", channels=3,
    )  # fmt: skip


@lru_cache(maxsize=1)
def cards() -> tuple[Card, ...]:
    """Return the cards of all networks, by year, those of keras.applications before one's own of the same year.

    Those without a year stand at the end.
    """
    everything = [*_applications(), *_own_cards()]
    return tuple(sorted(everything, key=lambda one: (one.year is None, one.year or 0, one.origin)))


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Card]:
    return {one.name: one for one in cards()}


def card(name: str) -> Card:
    """Return one card.

    Raises:
        KeyError: with a sentence, if there is no network of that name.
    """
    try:
        found = _by_name()[name]
    except KeyError:
        raise KeyError(f"There is no network called {name!r} among the architectures.") from None
    return replace(found, arguments=dict(found.arguments))


# --- the contest ---


@dataclass(frozen=True)
class Winner:
    """One year's best entry of the ImageNet Large Scale Visual Recognition Challenge, classification.

    Attributes:
        year: Of the contest.
        name: Of the network or the team.
        error: Top-5 error in percent on the test set.
        depth: Layers with weights; None for a method without layers, or where it is not known.
        card: Name of the card, or None.
        first: Whether it won; GoogLeNet beat VGG in 2014.
        note: What was entered: how many networks, and trained on what.
    """

    year: int
    name: str
    error: float
    depth: int | None
    card: str | None = None
    first: bool = True
    note: str = ""


ILSVRC = (
    Winner(2010, "Lin and others", 28.2, None, note="Hand-made features, coded and pooled, and a linear classifier."),
    Winner(2011, "Sanchez & Perronnin", 25.8, None, note="Hand-made features as Fisher vectors; a linear classifier."),
    Winner(
        2012, "AlexNet", 16.4, 8, "alexnet",
        note="Five networks, trained on the contest's pictures alone. The entry that won had 15.3 percent, with two "
        "more that had seen other ImageNet pictures first.",
    ),
    Winner(
        2013, "ZFNet", 11.7, 8, "zfnet",
        note="Several networks of Zeiler's company Clarifai, in the manner of ZFNet; the paper's own are behind it.",
    ),
    Winner(2014, "VGG", 7.3, 19, "VGG19", first=False, note="Seven networks; second behind GoogLeNet."),
    Winner(2014, "GoogLeNet", 6.7, 22, "googlenet", note="Seven networks, 144 crops of each picture."),
    Winner(2015, "ResNet", 3.6, 152, "ResNet152", note="Six networks of several depths, 3.57 percent to be exact."),
    Winner(2016, "Shao and others", 3.0, None, note="Several networks of different kinds, by the team Trimps-Soushen."),
    Winner(2017, "SENet", 2.3, 154, "senet_154", note="Several networks, SENet-154 among them, with many crops."),
)  # fmt: skip
# Top-5 error in percent of a person who had practised (Russakovsky and others, IJCV 2015, section 6.4).
HUMAN_ERROR = 5.1
