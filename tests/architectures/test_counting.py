"""What a whole model costs: against Keras, the papers' tables and the numbers of the lectures."""

import math

import keras
import pytest
from keras import layers

from explorer.architectures.cards import card, cards
from explorer.architectures.counting import built, count, counted
from explorer.architectures.tables import table_of, totals_of
from explorer.networks.structure import blocks_of

# What follows builds nothing twice, and no weight is allocated.
_counted = {}


def of(name):
    if name not in _counted:
        _counted[name] = counted(card(name))
    return _counted[name]


def model_of(make, *shape):
    image = keras.Input(shape)
    return keras.Model(image, make(image))


# --- the lectures' numbers ---


@pytest.mark.parametrize(
    ("name", "parameters", "trainable"),
    [
        ("cnn2", 36_314, None),
        ("dense_mnist", 420_260, 419_160),
        ("conv_mnist", 251_210, 251_210),
        ("lenet5", 61_706, 61_706),
        ("lenet5_1998", 60_840, 60_000),
        ("alexnet", 60_965_224, None),
        ("alexnet_ungrouped", 62_378_344, None),
        ("googlenet", 6_998_552, None),
        ("vgg_16", 138_357_544, None),
        ("xception_paper", 22_910_480, None),
        ("mobilenet_1.0", 4_253_864, None),
        ("mobilenet_v2", 3_538_984, None),
        ("squeezenet_1.0", 1_248_424, None),
        ("squeezenet_1.1", 1_235_496, None),
        ("unet", 31_030_658, None),
        ("wide_resnet_28_10", None, 36_479_194),
    ],
)
def test_the_weights_that_papers_and_lectures_name(name, parameters, trainable):
    table = of(name)
    assert parameters is None or table.parameters == parameters
    assert trainable is None or table.trainable == trainable


def test_lenets_layers():
    weights = [cost.parameters for cost in of("lenet5").costs.values() if cost.parameters]
    assert weights == [156, 2_416, 48_120, 10_164, 850]


def test_googlenet_has_nearly_nine_times_fewer_weights_than_alexnet():
    table = of("googlenet")
    assert of("alexnet").parameters / table.parameters == pytest.approx(8.7, abs=0.05)
    assert table.parameters - table.costs["predictions"].parameters == 5_973_552


def convolution(x, filters, size, name=None, **more):
    return layers.Conv2D(filters, size, padding="same", use_bias=False, name=name, **more)(x)


def test_a_bottleneck_saves_seven_tenths_of_the_work():
    plain = count(model_of(lambda x: convolution(x, 192, 3), 28, 28, 256))
    narrow = count(model_of(lambda x: convolution(convolution(x, 64, 1), 192, 3), 28, 28, 256))
    assert (plain.multiply_adds, narrow.multiply_adds) == (346_816_512, 99_549_184)


def test_the_inception_module_naive_and_reduced():
    def naive(x):
        pool = layers.MaxPooling2D(3, 1, padding="same")(x)
        return layers.Concatenate()([convolution(x, 128, 1), convolution(x, 192, 3), convolution(x, 96, 5), pool])

    def reduced(x):
        pool = convolution(layers.MaxPooling2D(3, 1, padding="same")(x), 64, 1)
        three, five = convolution(convolution(x, 64, 1), 192, 3), convolution(convolution(x, 64, 1), 96, 5)
        return layers.Concatenate()([convolution(x, 128, 1), three, five, pool])

    assert count(model_of(naive, 28, 28, 256)).multiply_adds == 854_196_224
    assert count(model_of(reduced, 28, 28, 256)).multiply_adds == 271_351_808


@pytest.mark.parametrize(
    ("alpha", "side", "work", "weights"),
    [(1, 14, 52_283_392, 266_752), (0.75, 14, 29_578_752, 150_912), (0.75, 10, 15_091_200, 150_912)],
)
def test_mobilenets_internal_layer(alpha, side, work, weights):
    def separated(x):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        return convolution(x, int(512 * alpha), 1)

    table = count(model_of(separated, side, side, int(512 * alpha)))
    assert (table.multiply_adds, table.parameters) == (work, weights)
    if alpha == 1:
        full = count(model_of(lambda x: convolution(x, 512, 3), 14, 14, 512))
        assert (full.multiply_adds, full.parameters) == (462_422_016, 2_359_296)
        assert work / full.multiply_adds == pytest.approx(1 / 512 + 1 / 9)


def test_three_small_filters_against_one_large_one():
    def small(x):
        for _ in range(3):
            x = convolution(x, 10, 3)
        return x

    assert count(model_of(small, 20, 20, 10)).parameters == 27 * 10**2
    assert count(model_of(lambda x: convolution(x, 10, 7), 20, 20, 10)).parameters == 49 * 10**2


def test_one_dense_neuron_on_a_colour_picture():
    table = count(model_of(lambda x: layers.Dense(1, use_bias=False)(layers.Flatten()(x)), 200, 200, 3))
    assert table.parameters == table.multiply_adds == 120_000


# --- MobileNet's table 1, layer by layer ---

# Kind and stride, filters of a 1 × 1 or the first convolution, side of the input: copied from the paper, with stride
# 1 for the last depthwise layer.
TABLE_1 = [
    ("conv s2", 32, 224), ("dw s1", 32, 112), ("conv s1", 64, 112), ("dw s2", 64, 112), ("conv s1", 128, 56),
    ("dw s1", 128, 56), ("conv s1", 128, 56), ("dw s2", 128, 56), ("conv s1", 256, 28), ("dw s1", 256, 28),
    ("conv s1", 256, 28), ("dw s2", 256, 28), ("conv s1", 512, 14),
    *[("dw s1", 512, 14), ("conv s1", 512, 14)] * 5,
    ("dw s2", 512, 14), ("conv s1", 1024, 7), ("dw s1", 1024, 7), ("conv s1", 1024, 7),
]  # fmt: skip


@pytest.mark.parametrize("name", ["MobileNet", "mobilenet_1.0"])
def test_mobilenets_table_1(name):
    table = of(name)
    channels, expected = 3, []
    for kind, filters, side in TABLE_1:
        size = (side // 2 if kind.endswith("s2") else side) ** 2
        expected.append(
            size * 9 * filters if kind.startswith("dw") else size * (27 if channels == 3 else channels) * filters
        )
        channels = filters
    work = [
        cost.multiply_adds
        for path, cost in table.costs.items()
        if cost.multiply_adds and table.structure.layers[path].kind in ("Conv2D", "DepthwiseConv2D")
    ]
    if name == "MobileNet":
        work, last = work[:-1], work[-1]  # Keras writes the last dense layer as a 1 × 1 convolution
        assert last == 1024 * 1000
    assert work == expected
    assert sum(expected) + 1024 * 1000 == table.multiply_adds == 568_740_352


def test_nearly_all_of_mobilenets_work_is_in_1_by_1_convolutions():
    table = of("mobilenet_1.0")
    layers_of = table.structure.layers
    small = sum(
        cost.multiply_adds
        for path, cost in table.costs.items()
        if layers_of[path].kind == "Conv2D" and layers_of[path].config["kernel_size"] == (1, 1)
    )
    assert small / table.multiply_adds == pytest.approx(0.949, abs=0.0005)


def test_mobilenet_with_full_convolutions():
    table = of("mobilenet_full")
    assert table.multiply_adds == 4_867_293_184
    assert table.trainable == pytest.approx(29.3e6, rel=0.01)


# --- published multiply-adds ---

# In millions as printed, with the printed precision: papers' own tables (see the cards), for VGG the sum that many
# counters give, for torchvision's weights the GFLOPS of its table (which are multiply-adds).
PUBLISHED = {
    "VGG16": (15_470, 5), "VGG19": (19_630, 10), "ResNet50": (3_860, 10), "ResNet101": (7_570, 10),
    "ResNet152": (11_300, 50), "resnet_18": (1_814, 1), "resnet_34": (3_664, 1), "MobileNet": (569, 0.5),
    "MobileNetV2": (300, 1), "MobileNetV3Small": (56, 0.6), "MobileNetV3Large": (217, 0.5),
    "mobilenet_0.75": (325, 1), "mobilenet_0.5": (149, 1), "mobilenet_0.25": (41, 0.5), "mobilenet_192": (418, 1),
    "mobilenet_160": (290, 1), "mobilenet_128": (186, 1), "NASNetMobile": (564, 0.5), "NASNetLarge": (23_800, 50),
    "EfficientNetB0": (390, 10), "EfficientNetB7": (37_000, 1000), "DenseNet121": (2_834, 1),
    "DenseNet169": (3_360, 1), "DenseNet201": (4_291, 1), "resnext_50": (4_230, 5), "googlenet": (1_583, 30),
    "squeezenet_1.0": (820, 15), "alexnet": (724, 5), "shufflenet_g3": (140, 5), "ConvNeXtTiny": (4_500, 50),
    "ConvNeXtXLarge": (60_900, 50), "InceptionV3": (5_713, 1), "Xception": (8_400, 50), "senet_154": (20_700, 100),
    "wide_resnet_28_10": (5_240, 15),
}  # fmt: skip
_SLOW = {"NASNetLarge", "NASNetMobile", "EfficientNetB7", "senet_154", "ResNet152", "DenseNet201", "ConvNeXtXLarge"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.every) if name in _SLOW else name for name in PUBLISHED]
)
def test_the_published_work_comes_out(name):
    millions, precision = PUBLISHED[name]
    assert table_of(name).multiply_adds / 1e6 == pytest.approx(millions, abs=precision)


# --- against Keras ---


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50", "DenseNet121", "VGG16", "EfficientNetB0", "googlenet"])
def test_weights_are_those_that_keras_counts(name):
    table = of(name)
    with keras.StatelessScope(initialize_variables=False):
        model = built(card(name))
        assert table.parameters == model.count_params()
        trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert table.trainable == trainable
    assert table.notes == ()


@pytest.mark.every
@pytest.mark.parametrize("name", [one.name for one in cards()])
def test_every_network_counts_exactly_as_keras_does(name):
    one = card(name)
    with keras.StatelessScope(initialize_variables=False):
        model = built(one)
        table = count(model, name, one.input_shape)
        assert tuple(model.inputs[0].shape[1:]) == one.input_shape == table.input_shape
        assert table.parameters == model.count_params()
        assert table.trainable == sum(math.prod(weight.shape) for weight in model.trainable_weights)
        plain = [layer for layer in model.layers if not isinstance(layer, keras.Model)]
        shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in plain}
    assert {path: layer.output_shape for path, layer in table.structure.layers.items() if path in shapes} == shapes
    assert set(table.costs) == set(table.structure.layers)
    assert table.notes == ()
    assert all(cost.field is not None or cost.sees_all for path, cost in table.costs.items() if has_places(table, path))
    assert totals_of(table) == totals_of(table_of(name))


def has_places(table, path):
    shape = table.structure.layers[path].output_shape
    return len(shape) == 3 and shape[0] > 1


# --- depth ---


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("VGG16", 16), ("vgg_19", 19), ("ResNet50", 50), ("resnet_18", 18), ("resnet_34", 34), ("googlenet", 22),
        ("googlenet_auxiliary", 22), ("DenseNet121", 121), ("alexnet", 8), ("zfnet", 8), ("se_resnet_50", 50),
        ("resnet_cifar_20", 20), ("highway_19", 19), ("lenet5", 5),
    ],
)  # fmt: skip
def test_depth_is_the_number_in_the_name(name, depth):
    assert of(name).depth == depth


def test_gates_do_not_add_to_the_depth():
    def gated(x):
        x = layers.Conv2D(8, 3)(x)
        gate = layers.Dense(8)(layers.Dense(2)(layers.GlobalAveragePooling2D(keepdims=True)(x)))
        return layers.Conv2D(4, 1)(layers.Multiply()([x, gate]))

    assert count(model_of(gated, 16, 16, 3)).depth == 2


# --- any model ---


def test_a_shared_layer_is_owned_once_and_works_twice():
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    table = count(model_of(lambda x: shared(shared(x)), 8, 8, 4))
    first, second = table.costs["shared"], table.costs["shared#2"]
    assert (first.parameters, second.parameters) == (4 * 4 * 9 + 4, 0)
    assert first.multiply_adds == second.multiply_adds == 8 * 8 * 9 * 4 * 4
    assert table.activations == 3 * 8 * 8 * 4  # the picture's own values, and both calls'
    assert table.depth == 2


@pytest.mark.slow
def test_tied_weights_count_once():
    class Back(layers.Layer):
        def __init__(self, dense, **kwargs):
            super().__init__(**kwargs)
            self.kernel = dense.kernel

        def call(self, inputs):
            return inputs @ keras.ops.transpose(self.kernel)

        def multiply_adds(self, input_shapes, output_shape):
            return input_shapes[0][0] * output_shape[0]

    dense = layers.Dense(3, use_bias=False)
    vector = keras.Input((10,))
    x = dense(vector)
    model = keras.Model(vector, Back(dense)(x))
    table = count(model)
    assert table.parameters == model.count_params() == 30
    assert table.multiply_adds == 60


def test_nested_models_are_looked_into():
    inner = keras.Sequential([layers.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same", name="conv")], name="inner")
    deep = keras.Model(picture := keras.Input((8, 8, 4)), inner(inner(picture)), name="deep")
    table = count(model_of(lambda x: deep(x), 8, 8, 4))
    assert table.parameters == deep.count_params()
    assert table.multiply_adds == 2 * 8 * 8 * 9 * 16
    assert table.costs["deep/inner/conv"].field == (3, 3)
    assert table.costs["deep/inner/conv#2"].field == (5, 5)
    assert [one.kind for one in blocks_of(table.structure.nodes)].count("nested") == 3
    assert table.activations == 3 * 8 * 8 * 4  # a nested model's input is no new value


def test_sizes_that_a_model_leaves_open_are_filled_in():
    def body(x):
        x = layers.Conv2D(4, 3, strides=2)(x)
        return layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.ReLU()(x)))

    image = keras.Input((None, None, 3))
    open_model = keras.Model(image, body(image))
    with pytest.raises(ValueError, match="say with input_shape"):
        count(open_model)
    table = count(open_model, input_shape=(33, 21, 3))
    fixed = count(model_of(body, 33, 21, 3))
    assert list(table.costs.values()) == list(fixed.costs.values())
    assert [x.output_shape for x in table.structure.layers.values()] == [
        x.output_shape for x in fixed.structure.layers.values()
    ]


def test_a_shape_that_contradicts_the_model_is_refused():
    model = model_of(lambda x: layers.Conv2D(4, 3)(x), 8, 8, 4)
    with pytest.raises(ValueError, match="not \\(9, 8, 4\\)"):
        count(model, input_shape=(9, 8, 4))


def test_a_second_input_that_is_left_open_is_refused():
    first, second = keras.Input((8, 8, 3)), keras.Input((None, None, 3), name="other")
    joined = [layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(one)) for one in (first, second)]
    model = keras.Model([first, second], layers.Add()(joined))
    with pytest.raises(ValueError, match="further input 'other' open"):
        count(model)
    with pytest.raises(ValueError, match="further input 'other' open"):
        count(model, input_shape=(8, 8, 3))


class OnlyCode(keras.Model):
    def __init__(self):
        super().__init__(name="only_code")
        self.first = layers.Conv2D(4, 3, name="first")
        self.second = layers.Dense(5, name="second")

    def call(self, inputs):
        x = self.first(inputs)
        return self.second(keras.ops.reshape(x, (-1, 6 * 6 * 4)))


@pytest.mark.slow
def test_a_model_that_is_only_code_is_run_once():
    model = OnlyCode()
    with pytest.raises(ValueError, match="give its input_shape"):
        count(model)
    table = count(model, input_shape=(8, 8, 3))
    assert table.parameters == model.count_params() == (27 * 4 + 4) + (144 * 5 + 5)
    assert table.multiply_adds == 36 * 27 * 4 + 144 * 5
    assert table.costs["second"].activations == 5


def test_what_no_rule_knows_is_said_and_not_guessed():
    class Mystery(layers.Layer):
        def build(self, input_shape):
            self.weight = self.add_weight(shape=(3,))

        def call(self, inputs):
            return inputs

    table = count(model_of(lambda x: Mystery()(Mystery()(x)), 8, 8, 4))
    assert table.parameters == 6
    assert table.multiply_adds == 0
    assert table.notes == ("What 2 × Mystery computes is not counted: no rule for it is known here.",)


def test_counting_a_card_allocates_no_weights_and_names_layers_from_0():
    before = keras.Input((4,))
    layers.Dense(1)(before)
    table = counted(card("VGG19"))
    assert table.parameters == 143_667_240
    assert next(iter(table.structure.layers)) == "input_layer"


def test_several_outputs_of_one_layer_are_all_values():
    def twice(x):
        out, state = layers.GRU(7, return_state=True, name="gru")(x)
        return layers.Add()([out, state])

    assert count(model_of(twice, 5, 3)).costs["gru"].activations == 14
