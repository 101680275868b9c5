"""Every network's maps have the sizes that its paper's table or figure prints (typed in from there)."""

import numpy as np
import pytest

from tests.architectures.builders.built import outline, shape

# (network, arguments, source, {layer: its output's shape})
PRINTED = [
    (
        "lenet.lenet5", {"variant": "1998"}, "LeCun et al. 1998, figure 2",
        {
            "c1": (28, 28, 6), "s2_weight": (14, 14, 6), "c3": (10, 10, 16), "s4_weight": (5, 5, 16),
            "c5": (1, 1, 120), "f6": (84,), "distances": (10,),
        },
    ),
    (
        "lenet.lenet5", {}, "the lectures",
        {
            "conv1": (28, 28, 6), "pool1": (14, 14, 6), "conv2": (10, 10, 16), "pool2": (5, 5, 16),
            "dense1": (120,), "dense2": (84,), "predictions": (10,),
        },
    ),
    (
        "alexnet.alexnet", {}, "Krizhevsky et al. 2012, figure 2 and section 3.5",
        {
            "conv1": (55, 55, 96), "pool1": (27, 27, 96), "conv2": (27, 27, 256), "pool2": (13, 13, 256),
            "conv3": (13, 13, 384), "conv4": (13, 13, 384), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
            "fc6": (4096,), "fc7": (4096,), "predictions": (1000,),
        },
    ),
    (
        "alexnet.alexnet", {"input_side": 224}, "the same, with zeros around the picture",
        {"conv1": (55, 55, 96), "pool5": (6, 6, 256)},
    ),
    (
        "zfnet.zfnet", {}, "Zeiler & Fergus 2013, figure 3",
        {
            "conv1": (110, 110, 96), "pool1": (55, 55, 96), "conv2": (26, 26, 256), "pool2": (13, 13, 256),
            "conv3": (13, 13, 384), "conv4": (13, 13, 384), "conv5": (13, 13, 256), "pool5": (6, 6, 256),
            "fc6": (4096,), "fc7": (4096,), "predictions": (1000,),
        },
    ),
    (
        "vgg.vgg", {"depth": 11}, "Simonyan & Zisserman 2014, table 1, column A",
        {
            "block1_conv1": (224, 224, 64), "block1_pool": (112, 112, 64), "block2_pool": (56, 56, 128),
            "block3_conv2": (56, 56, 256), "block3_pool": (28, 28, 256), "block4_pool": (14, 14, 512),
            "block5_conv2": (14, 14, 512), "block5_pool": (7, 7, 512), "fc1": (4096,), "fc2": (4096,),
        },
    ),
    (
        "googlenet.googlenet", {"auxiliary": True}, "Szegedy et al. 2014, table 1 and section 5",
        {
            "conv1": (112, 112, 64), "pool1": (56, 56, 64), "conv2": (56, 56, 192), "pool2": (28, 28, 192),
            "inception_3a": (28, 28, 256), "inception_3b": (28, 28, 480), "pool3": (14, 14, 480),
            "inception_4a": (14, 14, 512), "inception_4b": (14, 14, 512),
            "inception_4c": (14, 14, 512), "inception_4d": (14, 14, 528),
            "inception_4e": (14, 14, 832), "pool4": (7, 7, 832), "inception_5a": (7, 7, 832),
            "inception_5b": (7, 7, 1024), "avg_pool": (1024,), "predictions": (1000,),
            "aux1_pool": (4, 4, 512), "aux1_conv": (4, 4, 128), "aux1_dense": (1024,), "aux2_pool": (4, 4, 528),
            "aux2_predictions": (1000,),
        },
    ),
    (
        "highway.highway", {}, "Romero et al. 2014, FitNet 4",
        {
            "conv1_3_sum": (32, 32, 32), "conv1_4": (32, 32, 48), "pool1": (16, 16, 48), "conv2_6_sum": (16, 16, 80),
            "pool2": (8, 8, 80), "conv3_6_sum": (8, 8, 128), "max_pool": (128,), "fc": (500,), "predictions": (10,),
        },
    ),
    (
        "resnet.resnet", {"depth": 34}, "He et al. 2015, table 1 and figure 3",
        {
            "conv1_conv": (112, 112, 64), "pool1_pool": (56, 56, 64), "conv2_block3_out": (56, 56, 64),
            "conv3_block1_1_conv": (28, 28, 128), "conv3_block4_out": (28, 28, 128),
            "conv4_block6_out": (14, 14, 256), "conv5_block3_out": (7, 7, 512), "avg_pool": (512,),
        },
    ),
    (
        "resnet.resnet", {"depth": 18, "shortcut": "identity"}, "the same, option A",
        {
            "conv3_block1_0_subsample": (28, 28, 64), "conv3_block1_0_zeros": (28, 28, 128),
            "conv3_block2_out": (28, 28, 128), "conv5_block2_out": (7, 7, 512),
        },
    ),
    (
        "resnet.resnet_cifar", {"depth": 20}, "He et al. 2015, section 4.2",
        {
            "conv1_relu": (32, 32, 16), "conv2_block3_out": (32, 32, 16), "conv3_block3_out": (16, 16, 32),
            "conv4_block3_out": (8, 8, 64), "avg_pool": (64,), "predictions": (10,),
        },
    ),
    (
        "resnext.resnext", {}, "Xie et al. 2016, table 1",
        {
            "conv1_conv": (112, 112, 64), "conv2_block1_1_conv": (56, 56, 128), "conv2_block1_2_conv": (56, 56, 128),
            "conv2_block3_out": (56, 56, 256), "conv3_block1_2_conv": (28, 28, 256), "conv3_block4_out": (28, 28, 512),
            "conv4_block6_2_conv": (14, 14, 512), "conv4_block6_out": (14, 14, 1024),
            "conv5_block3_2_conv": (7, 7, 1024), "conv5_block3_out": (7, 7, 2048),
        },
    ),
    (
        "senet.se_resnet", {}, "Hu et al. 2017, table 1",
        {
            "conv2_block1_se_squeeze": (1, 1, 256), "conv2_block1_se_reduce": (1, 1, 16),
            "conv2_block1_se_excite": (1, 1, 256), "conv2_block3_out": (56, 56, 256),
            "conv3_block4_se_reduce": (1, 1, 32), "conv3_block4_out": (28, 28, 512),
            "conv4_block6_se_reduce": (1, 1, 64), "conv4_block6_out": (14, 14, 1024),
            "conv5_block3_se_reduce": (1, 1, 128), "conv5_block3_out": (7, 7, 2048),
        },
    ),
    (
        "wide_resnet.wide_resnet", {}, "Zagoruyko & Komodakis 2016, table 1",
        {
            "conv1": (32, 32, 16), "conv2_block4_add": (32, 32, 160), "conv3_block4_add": (16, 16, 320),
            "conv4_block4_add": (8, 8, 640), "avg_pool": (640,),
        },
    ),
    (
        "densenet.densenet", {"depth": 121}, "Huang et al. 2016, table 1",
        {
            "conv1_conv": (112, 112, 64), "pool1": (56, 56, 64), "conv2_block6_concat": (56, 56, 256),
            "pool2_pool": (28, 28, 128), "conv3_block12_concat": (28, 28, 512), "pool3_pool": (14, 14, 256),
            "conv4_block24_concat": (14, 14, 1024), "pool4_pool": (7, 7, 512), "conv5_block16_concat": (7, 7, 1024),
        },
    ),
    (
        "xception.xception", {}, "Chollet 2016, figure 5",
        {
            "block2_add": (74, 74, 128), "block3_add": (37, 37, 256), "block4_add": (19, 19, 728),
            "block12_add": (19, 19, 728), "block13_add": (10, 10, 1024), "block14_sepconv2_act": (10, 10, 2048),
            "avg_pool": (2048,),
        },
    ),
    (
        "small_xception.small_xception", {}, "by hand from the book's listing",
        {
            "conv1": (176, 176, 32), "block1_add": (88, 88, 32), "block2_add": (44, 44, 64),
            "block3_add": (22, 22, 128), "block4_add": (11, 11, 256), "block5_add": (6, 6, 512), "predictions": (1,),
        },
    ),
    (
        "mobilenet_v2.mobilenet_v2", {}, "Sandler et al. 2018, table 2",
        {
            "Conv1": (112, 112, 32), "expanded_conv_project": (112, 112, 16), "block_2_add": (56, 56, 24),
            "block_5_add": (28, 28, 32), "block_9_add": (14, 14, 64), "block_12_add": (14, 14, 96),
            "block_15_add": (7, 7, 160), "block_16_project": (7, 7, 320), "Conv_1": (7, 7, 1280),
        },
    ),
    (
        "squeezenet.squeezenet", {}, "Iandola et al. 2016, table 1",
        {
            "conv1": (111, 111, 96), "pool1": (55, 55, 96), "fire2": (55, 55, 128),
            "fire3": (55, 55, 128), "fire4": (55, 55, 256), "pool4": (27, 27, 256),
            "fire5": (27, 27, 256), "fire6": (27, 27, 384), "fire7": (27, 27, 384),
            "fire8": (27, 27, 512), "pool8": (13, 13, 512), "fire9": (13, 13, 512),
            "conv10": (13, 13, 1000), "predictions": (1000,),
        },
    ),
    (
        "squeezenet.squeezenet", {"version": "1.1"}, "by hand from the authors' file, poolings rounded up",
        {"conv1": (113, 113, 64), "pool1": (56, 56, 64), "pool3": (28, 28, 128), "pool5": (14, 14, 256)},
    ),
    (
        "shufflenet.shufflenet", {}, "Zhang et al. 2017, table 1, g = 3",
        {
            "conv1": (112, 112, 24), "pool1": (56, 56, 24), "stage2_unit1_out": (28, 28, 240),
            "stage2_unit4_out": (28, 28, 240), "stage3_unit8_out": (14, 14, 480), "stage4_unit4_out": (7, 7, 960),
            "avg_pool": (960,),
        },
    ),
    (
        "unet.unet", {}, "Ronneberger et al. 2015, figure 1",
        {
            "down1_conv1": (570, 570, 64), "down1_conv2": (568, 568, 64), "down1_pool": (284, 284, 64),
            "down2_conv2": (280, 280, 128), "down2_pool": (140, 140, 128), "down3_conv2": (136, 136, 256),
            "down3_pool": (68, 68, 256), "down4_conv2": (64, 64, 512), "down4_pool": (32, 32, 512),
            "bottom_conv1": (30, 30, 1024), "bottom_conv2": (28, 28, 1024), "up4_upconv": (56, 56, 512),
            "up4_concat": (56, 56, 1024), "up4_conv2": (52, 52, 512), "up3_concat": (104, 104, 512),
            "up3_conv2": (100, 100, 256), "up2_concat": (200, 200, 256), "up2_conv2": (196, 196, 128),
            "up1_concat": (392, 392, 128), "up1_conv2": (388, 388, 64), "predictions": (388, 388, 2),
        },
    ),
    (
        "unet.unet", {"side": 256, "padding": "same"}, "halved and doubled",
        {"down4_pool": (16, 16, 512), "up4_concat": (32, 32, 1024), "predictions": (256, 256, 2)},
    ),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments", "source", "expected"), PRINTED, ids=[f"{row[0]}-{row[2]}" for row in PRINTED]
)
def test_the_maps_have_the_printed_sizes(name, arguments, source, expected):
    model = outline(name, **arguments)
    assert {layer: shape(model, layer) for layer in expected} == expected, source


# Table 1 of Howard et al. 2017: type and stride, filter shape, input size. The last "Conv dw" is printed with stride 2;
# the sizes beside it, 7 × 7 both times, are those of stride 1.
MOBILENET = [
    ("Conv / s2", (3, 3, 3, 32), (224, 224, 3)),
    ("Conv dw / s1", (3, 3, 32), (112, 112, 32)),
    ("Conv / s1", (1, 1, 32, 64), (112, 112, 32)),
    ("Conv dw / s2", (3, 3, 64), (112, 112, 64)),
    ("Conv / s1", (1, 1, 64, 128), (56, 56, 64)),
    ("Conv dw / s1", (3, 3, 128), (56, 56, 128)),
    ("Conv / s1", (1, 1, 128, 128), (56, 56, 128)),
    ("Conv dw / s2", (3, 3, 128), (56, 56, 128)),
    ("Conv / s1", (1, 1, 128, 256), (28, 28, 128)),
    ("Conv dw / s1", (3, 3, 256), (28, 28, 256)),
    ("Conv / s1", (1, 1, 256, 256), (28, 28, 256)),
    ("Conv dw / s2", (3, 3, 256), (28, 28, 256)),
    ("Conv / s1", (1, 1, 256, 512), (14, 14, 256)),
    *[("Conv dw / s1", (3, 3, 512), (14, 14, 512)), ("Conv / s1", (1, 1, 512, 512), (14, 14, 512))] * 5,
    ("Conv dw / s2", (3, 3, 512), (14, 14, 512)),
    ("Conv / s1", (1, 1, 512, 1024), (7, 7, 512)),
    ("Conv dw / s1", (3, 3, 1024), (7, 7, 1024)),
    ("Conv / s1", (1, 1, 1024, 1024), (7, 7, 1024)),
    ("FC / s1", (1024, 1000), (1024,)),
]


def table_row(layer):
    kernel = tuple(layer.kernel.shape)
    size = tuple(layer.input.shape[1:])
    if len(kernel) == 2:
        return "FC / s1", kernel, size
    if type(layer).__name__ == "DepthwiseConv2D":
        return f"Conv dw / s{layer.strides[0]}", kernel[:3], size
    return f"Conv / s{layer.strides[0]}", kernel, size


def test_mobilenets_table_1_row_by_row():
    model = outline("mobilenet.mobilenet")
    rows = [table_row(layer) for layer in model.layers if hasattr(layer, "kernel")]
    assert rows == MOBILENET


def test_mobilenets_internal_layer_has_the_papers_weights():
    # Table 3 of the paper, its ninth pair: 3 × 3, 512 → 512.
    model = outline("mobilenet.mobilenet")
    steps = [model.get_layer(name).kernel.shape for name in ("conv_dw_8", "conv_pw_8")]
    assert [int(np.prod(shape)) for shape in steps] == [4_608, 262_144]
    assert sum(int(np.prod(shape)) for shape in steps) == 266_752
    full = outline("mobilenet.mobilenet", separable=False).get_layer("conv_8")
    assert int(np.prod(full.kernel.shape)) == 2_359_296


@pytest.mark.parametrize(("rho", "side"), [(1.0, 224), (0.857, 192), (0.714, 160), (0.571, 128)])
def test_rho_gives_the_papers_sizes(rho, side):
    assert outline("mobilenet.mobilenet", rho=rho).input_shape == (None, side, side, 3)


def test_alpha_thins_every_layer():
    thin = outline("mobilenet.mobilenet", alpha=0.5)
    full = outline("mobilenet.mobilenet")
    for name in ("conv1", "conv_pw_1", "conv_pw_7", "conv_pw_13"):
        assert 2 * shape(thin, name)[-1] == shape(full, name)[-1]
        assert shape(thin, name)[:2] == shape(full, name)[:2]


@pytest.mark.parametrize(("depth", "blocks"), [(121, (6, 12, 24, 16)), (169, (6, 12, 32, 32)), (201, (6, 12, 48, 32))])
@pytest.mark.every
def test_every_dense_layer_adds_32_maps(depth, blocks):
    model = outline("densenet.densenet", depth=depth)
    maps = 64
    for stage, number in enumerate(blocks, start=2):
        for layer in range(1, number + 1):
            maps += 32
            assert shape(model, f"conv{stage}_block{layer}_concat")[-1] == maps
        maps //= 2


def test_more_groups_leave_room_for_more_maps():
    # Table 1 of Zhang et al. 2017, stage 2.
    for groups, maps in {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}.items():
        model = outline("shufflenet.shufflenet", groups=groups)
        assert shape(model, "stage2_unit1_out") == (28, 28, maps)
        assert shape(model, "stage4_unit4_out") == (7, 7, 4 * maps)


def test_what_crosses_a_bridge_of_the_unet_is_cropped_on_all_sides_alike():
    model = outline("unet.unet")
    crops = {level: model.get_layer(f"up{level}_crop").cropping for level in (4, 3, 2, 1)}
    assert crops == {4: ((4, 4),) * 2, 3: ((16, 16),) * 2, 2: ((40, 40),) * 2, 1: ((88, 88),) * 2}


def test_the_bias_of_a_highway_gate_starts_below_zero():
    gate = outline("highway.highway", transform_bias=-3.0).get_layer("conv1_2_gate")
    assert gate.bias_initializer.get_config()["value"] == -3.0


def test_layer_names_are_no_paths():
    for name in ("googlenet.googlenet", "shufflenet.shufflenet", "senet.se_resnet", "unet.unet", "highway.highway"):
        assert not any("/" in layer.name for layer in outline(name).layers)
