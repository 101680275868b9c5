"""Every network has as many weights as its paper says, or as the authors' released code has."""

import pytest

from tests.architectures.builders.built import builder, outline, parameters, trainable

# All weights. Networks without normalisation have no others; for those with it, Keras' own counts.
TOTAL = [
    ("mnist.cnn2", {}, 36_314),
    ("mnist.dense_mnist", {}, 420_260),
    ("mnist.conv_mnist", {}, 251_210),
    ("lenet.lenet5", {}, 61_706),
    ("alexnet.alexnet", {}, 60_965_224),
    ("alexnet.alexnet", {"input_side": 224}, 60_965_224),
    ("alexnet.alexnet", {"groups": False}, 62_378_344),
    ("zfnet.zfnet", {}, 62_357_608),
    ("vgg.vgg", {"depth": 11}, 132_863_336),
    ("vgg.vgg", {"depth": 13}, 133_047_848),
    ("vgg.vgg", {"depth": 16}, 138_357_544),
    ("vgg.vgg", {"depth": 19}, 143_667_240),
    ("googlenet.googlenet", {}, 6_998_552),
    ("googlenet.googlenet", {"auxiliary": True}, 13_378_280),
    ("highway.highway_mnist", {}, 38_730),
    ("highway.highway_mnist", {"width": 32}, 151_178),
    ("resnet.resnet", {"depth": 50, "bias": True}, 25_636_712),
    ("resnet.resnet", {"depth": 101, "bias": True}, 44_707_176),
    ("resnet.resnet", {"depth": 152, "bias": True}, 60_419_944),
    ("densenet.densenet", {"depth": 121}, 8_062_504),
    ("densenet.densenet", {"depth": 169}, 14_307_880),
    ("densenet.densenet", {"depth": 201}, 20_242_984),
    ("xception.xception", {}, 22_910_480),
    # The book calls them trainable, but 3,008 are running means and variances.
    ("small_xception.small_xception", {}, 721_857),
    ("mobilenet.mobilenet", {}, 4_253_864),
    ("mobilenet_v2.mobilenet_v2", {}, 3_538_984),
    ("squeezenet.squeezenet", {}, 1_248_424),
    ("squeezenet.squeezenet", {"version": "1.1"}, 1_235_496),
    ("unet.unet", {}, 31_030_658),
    ("unet.unet", {"channels": 3}, 31_031_810),
    ("unet.unet", {"side": 256, "padding": "same"}, 31_030_658),
]

# Trainable weights, where those that publish them do not count running means and variances.
TRAINABLE = [
    ("mnist.dense_mnist", {}, 419_160),
    ("lenet.lenet5", {"variant": "1998"}, 60_000),  # the paper, section II.B
    ("vgg.vgg", {"depth": 16, "batch_norm": True}, 138_365_992),  # torchvision's vgg16_bn
    ("resnet.resnet", {"depth": 18}, 11_689_512),  # torchvision, this and the next four
    ("resnet.resnet", {"depth": 34}, 21_797_672),
    ("resnet.resnet", {"depth": 50}, 25_557_032),
    ("resnet.resnet", {"depth": 101}, 44_549_160),
    ("resnet.resnet", {"depth": 152}, 60_192_808),
    # The paper's table 6 prints 0.27M, 0.46M, 0.66M, 0.85M, 1.7M; to the digit: other people's implementations.
    ("resnet.resnet_cifar", {"depth": 20}, 269_722),
    ("resnet.resnet_cifar", {"depth": 32}, 464_154),
    ("resnet.resnet_cifar", {"depth": 44}, 658_586),
    ("resnet.resnet_cifar", {"depth": 56}, 853_018),
    ("resnet.resnet_cifar", {"depth": 110}, 1_727_962),
    ("stochastic_depth.stochastic_depth_resnet", {}, 1_727_962),
    ("resnext.resnext", {}, 25_028_904),  # torchvision
    ("resnext.resnext", {"depth": 101}, 44_177_704),  # the authors' release, as converted by others
    ("resnext.resnext", {"depth": 101, "cardinality": 64}, 83_455_272),
    ("senet.se_resnet", {}, 28_088_024),  # the authors' release, as converted by others; so the next five
    ("senet.se_resnet", {"depth": 101}, 49_326_872),
    ("senet.se_resnet", {"depth": 152}, 66_821_848),
    ("senet.se_resnext", {}, 27_559_896),
    ("senet.se_resnext", {"depth": 101}, 48_955_416),
    ("senet.senet154", {}, 115_088_984),
    ("wide_resnet.wide_resnet", {}, 36_479_194),  # the paper: 36.5M
    ("wide_resnet.wide_resnet", {"depth": 40, "k": 2}, 2_243_546),  # 2.2M
    ("wide_resnet.wide_resnet", {"depth": 22, "k": 8}, 17_158_106),  # 17.2M
    ("wide_resnet.wide_resnet", {"depth": 16, "k": 10}, 17_116_634),  # 17.1M
    ("shufflenet.shufflenet", {"groups": 1}, 1_531_936),  # independent implementations, this and the next five
    ("shufflenet.shufflenet", {"groups": 2}, 1_733_848),
    ("shufflenet.shufflenet", {"groups": 3}, 1_865_728),
    ("shufflenet.shufflenet", {"groups": 4}, 1_968_344),
    ("shufflenet.shufflenet", {"groups": 8}, 2_434_768),
    ("shufflenet.shufflenet", {"scale": 0.5}, 718_324),
]
# These take several seconds to build.
DEEP = {101, 152, 169, 201, 110}


def cases(rows):
    for name, arguments, expected in rows:
        slow = arguments.get("depth") in DEEP or name == "senet.senet154"
        label = "-".join([name.partition(".")[2], *(f"{key}={value}" for key, value in arguments.items())])
        yield pytest.param(name, arguments, expected, id=label, marks=[pytest.mark.every] if slow else [])


@pytest.mark.parametrize(("name", "arguments", "expected"), cases(TOTAL))
def test_a_network_has_its_published_number_of_weights(name, arguments, expected):
    assert parameters(outline(name, **arguments)) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arguments", "expected"), cases(TRAINABLE))
def test_a_network_has_its_published_number_of_trainable_weights(name, arguments, expected):
    assert trainable(outline(name, **arguments)) == expected


def layer_parameters(model):
    return {layer.name: parameters(layer) for layer in model.layers if parameters(layer)}


def test_lenet_of_the_slides_layer_by_layer():
    found = layer_parameters(outline("lenet.lenet5"))
    assert found == {"conv1": 156, "conv2": 2_416, "dense1": 48_120, "dense2": 10_164, "predictions": 850}


def test_lenet_of_1998_layer_by_layer():
    # Section II.B of the paper; the ten drawings of 84 cells are fixed there.
    found = layer_parameters(outline("lenet.lenet5", variant="1998"))
    assert found == {
        "c1": 156, "s2_weight": 12, "c3": 1_516, "s4_weight": 32, "c5": 48_120, "f6": 10_164, "distances": 840,
    }  # fmt: skip


def test_cnn2_layer_by_layer():
    found = layer_parameters(outline("mnist.cnn2"))
    assert list(found.values()) == [80, 32, 584, 32, 1_168, 64, 2_320, 64, 31_400, 160, 410]


def test_the_dense_net_layer_by_layer():
    found = layer_parameters(outline("mnist.dense_mnist"))
    assert list(found.values()) == [392_500, 2_000, 25_050, 200, 510]


def test_the_net_of_one_convolution_layer_by_layer():
    assert list(layer_parameters(outline("mnist.conv_mnist")).values()) == [320, 250_890]


def test_two_gpus_halve_the_weights_of_three_of_alexnets_layers():
    apart = layer_parameters(outline("alexnet.alexnet"))
    together = layer_parameters(outline("alexnet.alexnet", groups=False))
    filters = {"conv2": 256, "conv4": 384, "conv5": 256}
    for name, number in together.items():
        biases = filters.get(name)
        assert apart[name] == ((number - biases) // 2 + biases if biases else number)


def test_most_of_vgg16s_weights_stand_in_its_first_dense_layer():
    found = layer_parameters(outline("vgg.vgg", depth=16))
    assert found["fc1"] == 102_764_544
    assert max(found, key=found.get) == "fc1"


def test_googlenet_without_its_last_dense_layer():
    model = outline("googlenet.googlenet")
    assert parameters(model) - parameters(model.get_layer("predictions")) == 5_973_552


def test_each_inception_module_has_the_weights_that_its_row_of_table_1_makes():
    # By hand from the paper's filters. (Its own column of parameters fits them but for modules 4c and 5a.)
    by_hand = {
        "3a": 163_696, "3b": 388_736, "4a": 376_176, "4b": 449_160, "4c": 510_104,
        "4d": 605_376, "4e": 868_352, "5a": 1_043_456, "5b": 1_444_080,
    }  # fmt: skip
    model = outline("googlenet.googlenet")
    for module, weights in by_hand.items():
        inside = [layer for layer in model.layers if layer.name.startswith(f"inception_{module}")]
        assert sum(parameters(layer) for layer in inside) == weights, module


def test_the_gates_of_squeeze_and_excitation_cost_two_and_a_half_million_weights():
    # Section 4 of the paper: 2/r · Σ N_s · C_s², without biases.
    formula = 2 / 16 * sum(blocks * (4 * filters) ** 2 for blocks, filters in [(3, 64), (4, 128), (6, 256), (3, 512)])
    plain = trainable(outline("resnet.resnet", depth=50))
    assert trainable(outline("senet.se_resnet", gate_bias=False)) - plain == formula == 2_514_944


def test_a_shortcut_without_a_projection_has_no_weights():
    with_projections = outline("resnet.resnet", depth=18)
    with_zeros = outline("resnet.resnet", depth=18, shortcut="identity")
    kernels = 64 * 128 + 128 * 256 + 256 * 512
    scales_and_shifts = 2 * (128 + 256 + 512)
    assert trainable(with_projections) - trainable(with_zeros) == kernels + scales_and_shifts


def test_a_resnext_of_one_wide_branch_has_the_weights_of_resnet():
    assert trainable(outline("resnext.resnext", cardinality=1, width=64)) == 25_557_032


def test_highway_b_has_about_2_3_million_weights():
    # Two convolutions in each layer that keeps its width, one in the others; then 128 → 500 → 10.
    convolutions = 0
    maps = 3
    for filters in [32] * 3 + [48] * 2 + [80] * 6 + [128] * 6:
        convolutions += (2 if filters == maps else 1) * (9 * maps + 1) * filters
        maps = filters
    found = parameters(outline("highway.highway"))
    assert found == convolutions + 129 * 500 + 501 * 10
    assert round(found / 1e6, 1) == 2.3


@pytest.mark.parametrize(
    ("arguments", "millions"),
    # Tables 4, 6 and 7 of the paper.
    [({}, 4.2), ({"alpha": 0.75}, 2.6), ({"alpha": 0.5}, 1.3), ({"alpha": 0.25}, 0.5), ({"rho": 0.571}, 4.2)],
)
def test_mobilenets_knobs(arguments, millions):
    assert round(trainable(outline("mobilenet.mobilenet", **arguments)) / 1e6, 1) == millions


def test_mobilenet_of_full_convolutions_has_seven_times_the_weights():
    assert round(trainable(outline("mobilenet.mobilenet", separable=False)) / 1e6, 1) == 29.3


@pytest.mark.parametrize(
    ("name", "arguments", "word"),
    [
        ("lenet.lenet5", {"variant": "1989"}, "variant"),
        ("lenet.lenet5", {"variant": "1998", "classes": 26}, "classes"),
        ("vgg.vgg", {"depth": 12}, "depth"),
        ("vgg.vgg", {"input_side": 31}, "input_side"),
        ("highway.highway", {"depth": 20}, "depth"),
        ("resnet.resnet", {"depth": 20}, "depth"),
        ("resnet.resnet", {"shortcut": "none"}, "shortcut"),
        ("resnet.resnet_cifar", {"depth": 18}, "6n"),
        ("stochastic_depth.stochastic_depth_resnet", {"last_survival": 0}, "last_survival"),
        ("wide_resnet.wide_resnet", {"depth": 20}, "6n"),
        ("resnext.resnext", {"depth": 18}, "depth"),
        ("densenet.densenet", {"depth": 100}, "depth"),
        ("squeezenet.squeezenet", {"version": "2.0"}, "version"),
        ("shufflenet.shufflenet", {"groups": 5}, "groups"),
        ("shufflenet.shufflenet", {"groups": 2, "scale": 0.5}, "scale 0.5"),
        ("unet.unet", {"side": 570}, "side"),
        ("unet.unet", {"side": 172}, "side"),
        ("unet.unet", {"side": 572, "padding": "same"}, "side"),
        ("mobilenet.mobilenet", {"alpha": 0}, "alpha"),
    ],
)
def test_a_network_that_does_not_exist_is_refused_in_one_sentence(name, arguments, word):
    with pytest.raises(ValueError, match=word) as error:
        builder(name)(**arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "side"),
    [("alexnet.alexnet", 67), ("zfnet.zfnet", 53), ("squeezenet.squeezenet", 36), ("unet.unet", 188)],
)
def test_the_smallest_picture_that_is_let_in_comes_out(name, side):
    argument = "side" if name == "unet.unet" else "input_side"
    assert min(outline(name, **{argument: side}).output_shape[1:]) >= 1
