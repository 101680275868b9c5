"""Receptive fields against gradients, against the closed form for chains, and against counting by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from explorer.inside.layer_graph import read_graph
from explorer.inside.receptive_field import field_of, receptive_field
from explorer.networks.work_context import NO_CONTEXT, SentenceError

L = layers


class StoppedPooling(layers.GlobalAveragePooling2D):
    """Global pooling that no gradient passes, to see a field without its gates."""

    def call(self, inputs):
        return tf.stop_gradient(super().call(inputs))


def transparent(model: keras.Model, *, gates: bool = True) -> keras.Model:
    """Clone a model so that a pixel has a gradient exactly where it takes part.

    Weights are positive, activations and normalisations linear, maxima are means: nothing is cut off, nothing
    cancels, and the geometry stays. Double precision, because influence shrinks by a factor with every layer.
    """

    def cloned(layer):
        config = layer.get_config()
        config["dtype"] = "float64"
        if isinstance(layer, L.MaxPooling2D):
            return L.AveragePooling2D.from_config(config)
        if isinstance(layer, L.GlobalMaxPooling2D) or (isinstance(layer, L.GlobalAveragePooling2D) and not gates):
            return (L.GlobalAveragePooling2D if gates else StoppedPooling).from_config(config)
        if isinstance(layer, L.ReLU | L.LayerNormalization) and getattr(layer, "axis", -1) != [1, 2, 3]:
            return L.Activation("linear", name=layer.name, dtype="float64")
        if "activation" in config and not isinstance(layer, L.Dense) or isinstance(layer, L.Activation):
            config["activation"] = "linear"
        return type(layer).from_config(config)

    clone = keras.models.clone_model(model, clone_function=cloned, recursive=True)
    random = np.random.default_rng(0)
    for layer in clone._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model) or not layer.get_weights():
            continue
        if isinstance(layer, L.BatchNormalization):
            continue
        layer.set_weights(
            [random.uniform(0.5, 1, w.shape) / max(1, np.prod(w.shape[:-1])) for w in layer.get_weights()]
        )
    return clone


def boxes_by_gradient(model: keras.Model, output, cells) -> list[tuple[int, ...]]:
    """Return, for each cell of an output, the box around all pixels with a gradient."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the truth is TensorFlow's tape, in 64 bits")
    part = keras.Model(model.inputs, output)
    size = model.inputs[0].shape[1:]
    x = tf.constant(np.random.default_rng(1).uniform(0.5, 1, (1, *size)))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        values = part(x)
        scores = [tf.reduce_sum(values[0, row, column]) for row, column in cells]
    boxes = []
    for score in scores:
        gradient = tape.gradient(score, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        touched = (gradient.numpy()[0] != 0).any(-1)
        rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
        ends = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) if len(rows) else (0, 0, 0, 0)
        boxes.append(tuple(int(end) for end in ends))
    return boxes


def noise_for(model: keras.Model) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(2, *model.inputs[0].shape[1:])).astype(np.float32)


def corners_and_middle(height: int, width: int) -> set[tuple[int, int]]:
    return {(0, 0), (height - 1, width - 1), (height // 2, width // 2), (0, width // 3), (height - 1, 1 % width)}


def chain(*steps, size=(29, 34)):
    def build():
        x = inputs = keras.Input((*size, 2))
        for step in steps:
            x = step(x)
        return keras.Model(inputs, x)

    return build


def conv(kernel, **arguments):
    return lambda x: L.Conv2D(3, kernel, **arguments)(x)


def branches():
    inputs = keras.Input((27, 31, 2))
    x = L.Conv2D(3, 3, padding="same")(inputs)
    a = L.Conv2D(3, (1, 7), padding="same")(x)
    b = L.Conv2D(3, (5, 1), padding="same", activation="relu")(x)
    c = L.MaxPooling2D(3, 1, padding="same")(x)
    return keras.Model(inputs, L.Conv2D(2, 2, strides=2)(L.Concatenate()([a, b, c])))


def residual():
    inputs = keras.Input((24, 24, 3))
    x = L.Conv2D(4, 7, strides=2, padding="same")(inputs)
    y = L.DepthwiseConv2D(3, padding="same")(L.BatchNormalization()(x))
    y = L.Add()([x, L.Conv2D(4, 1)(y)])
    short = L.Conv2D(4, 1, strides=2)(y)
    main = L.Conv2D(4, 3, strides=2, padding="same")(y)
    return keras.Model(inputs, L.ReLU()(L.Add()([main, short])))


def encoder_decoder():
    inputs = keras.Input((24, 32, 2))
    skip = L.Conv2D(3, 3, padding="same")(inputs)
    x = L.MaxPooling2D(2)(skip)
    x = L.Conv2D(3, 3, padding="same")(x)
    x = L.UpSampling2D(2)(x)
    return keras.Model(inputs, L.Conv2D(2, 3, padding="same")(L.Concatenate()([x, skip])))


def nested():
    inner = keras.Sequential([keras.Input((None, None, 3)), L.Conv2D(3, 3), L.MaxPooling2D(2)], name="inner")
    inputs = keras.Input((30, 26, 2))
    return keras.Model(inputs, inner(inner(L.Conv2D(3, 3, strides=1)(inputs))))


NETS = {
    "valid convolution": chain(conv(3)),
    "same convolution": chain(conv(3, padding="same")),
    "even kernel, same": chain(conv(4, padding="same"), conv(2, padding="same")),
    "stride on an odd size, same": chain(conv(3, strides=2, padding="same"), conv(3, strides=2, padding="same")),
    "stride on an even size, same": chain(conv(3, strides=2, padding="same"), size=(32, 32)),
    "stride larger than the kernel": chain(conv(2, strides=3), conv(1, strides=2, padding="same")),
    "dilation": chain(conv(3, dilation_rate=3, padding="same"), conv(3, dilation_rate=2)),
    "dilation with an even kernel": chain(conv(2, dilation_rate=(3, 2), padding="same")),
    "different sides": chain(conv((5, 2), strides=(1, 3), padding="same"), conv((1, 7), padding="same")),
    "groups": chain(conv(3), lambda x: L.Conv2D(6, 3, groups=3)(x)),
    "pooling": chain(lambda x: L.MaxPooling2D(3, 2, padding="same")(x), lambda x: L.AveragePooling2D(2)(x)),
    "pooling leaves a rest": chain(lambda x: L.MaxPooling2D(4)(x), conv(2, padding="same")),
    "depthwise": chain(lambda x: L.DepthwiseConv2D(5, strides=2, padding="same", depth_multiplier=2)(x)),
    "separable": chain(lambda x: L.SeparableConv2D(4, 3, strides=2, padding="same")(x)),
    "separable, dilated": chain(lambda x: L.SeparableConv2D(4, 3, dilation_rate=2, padding="same")(x)),
    "zero padding": chain(lambda x: L.ZeroPadding2D(((3, 1), (0, 2)))(x), conv(5, strides=2)),
    "more padding than kernel": chain(lambda x: L.ZeroPadding2D(4)(x), conv(3)),
    "cropping": chain(conv(3, padding="same"), lambda x: L.Cropping2D(((2, 3), (1, 4)))(x)),
    "transposed, same": chain(conv(3, strides=2), lambda x: L.Conv2DTranspose(3, 3, strides=2, padding="same")(x)),
    "transposed, valid": chain(conv(3, strides=2), lambda x: L.Conv2DTranspose(3, 4, strides=3)(x)),
    "transposed, even kernel": chain(conv(3), lambda x: L.Conv2DTranspose(3, 2, strides=2, padding="same")(x)),
    "transposed, stride 1": chain(conv(3), lambda x: L.Conv2DTranspose(3, 3, padding="same")(x)),
    "transposed, kernel below stride": chain(conv(3), lambda x: L.Conv2DTranspose(3, 2, strides=3)(x)),
    "transposed, output padding": chain(
        conv(3, strides=2), lambda x: L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)(x)
    ),
    "nearest upsampling": chain(conv(3, strides=2), lambda x: L.UpSampling2D((2, 3))(x), conv(2, padding="same")),
    "bilinear upsampling": chain(conv(3, strides=2), lambda x: L.UpSampling2D(3, interpolation="bilinear")(x)),
    "bilinear upsampling, even": chain(conv(3), lambda x: L.UpSampling2D(2, interpolation="bilinear")(x)),
    "rows together": chain(
        lambda x: L.Concatenate(axis=1)([x, L.MaxPooling2D(3, 1, padding="same")(x)]), conv(3)
    ),
    "dense at each place": chain(conv(3), lambda x: L.Dense(4)(x)),
    "branches": branches,
    "residual": residual,
    "encoder and decoder": encoder_decoder,
    "nested, called twice": nested,
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_the_box_is_exactly_where_gradients_are(name):
    model = NETS[name]()
    graph = read_graph(model, "net")
    last = list(graph.structure.layers)[-1]
    clear = transparent(model)
    height, width = model.output.shape[1:3]
    cells = sorted(corners_and_middle(height, width))
    for (row, column), box in zip(cells, boxes_by_gradient(clear, clear.output, cells), strict=True):
        found = field_of(model, graph, last, row, column, noise_for(model))
        assert (found.method, found.box) == ("layers", box), (row, column)


def closed_form(steps, row):
    """Araujo and others 2019, equations 2 and 5, one axis: (first pixel, last pixel, stride) of a chain of layers.

    Steps are (kernel, stride, padding before).
    """
    size, first, jump = 1, 0, 1
    for kernel, stride, before in steps:
        size += (kernel - 1) * jump
        first -= before * jump
        jump *= stride
    return first + row * jump, first + row * jump + size - 1, jump


def test_a_chain_has_the_closed_form():
    model = chain(
        conv(7, strides=2), conv(3, padding="same"), lambda x: L.MaxPooling2D(2)(x), conv(3), conv(5, padding="same"),
        size=(75, 75),
    )()  # fmt: skip
    graph = read_graph(model, "net")
    steps = [(7, 2, 0), (3, 1, 1), (2, 2, 0), (3, 1, 0), (5, 1, 2)]
    for row, column in [(0, 0), (5, 3), (14, 14)]:
        found = field_of(model, graph, list(graph.structure.layers)[-1], row, column, noise_for(model))
        top, bottom, jump = closed_form(steps, row)
        left, right, _ = closed_form(steps, column)
        assert found.unclipped == (top, left, bottom + 1, right + 1)
        assert found.stride == (jump, jump)
        assert found.size == (bottom - top + 1,) * 2
        assert found.box == (max(top, 0), max(left, 0), min(bottom + 1, 75), min(right + 1, 75))


@pytest.mark.parametrize(
    ("layer", "size"),
    [("block1_conv1", 3), ("block1_conv2", 5), ("block1_pool", 6), ("block3_conv3", 40), ("block5_pool", 212)],
)
def test_vgg16_has_the_sizes_of_the_literature(layer, size):
    """Araujo and others 2019, table of open-source networks: VGG-16 reaches 212 pixels."""
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(64, 64, 3))
    found = field_of(model, read_graph(model, "VGG16"), layer, 0, 0, noise_for(model))
    assert found.size == (size, size)


def test_alexnet_counted_by_hand_reaches_195_pixels():
    model = chain(
        conv(11, strides=4), lambda x: L.MaxPooling2D(3, 2)(x), conv(5, padding="same"),
        lambda x: L.MaxPooling2D(3, 2)(x), conv(3, padding="same"), conv(3, padding="same"), conv(3, padding="same"),
        lambda x: L.MaxPooling2D(3, 2)(x), size=(227, 227),
    )()  # fmt: skip
    graph = read_graph(model, "AlexNet")
    found = field_of(model, graph, list(graph.structure.layers)[-1], 2, 2, noise_for(model))
    assert found.size == (195, 195)
    assert found.stride == (32, 32)


APPLICATIONS = {
    "MobileNetV2": ["Conv1", "block_1_project_BN", "block_5_add", "block_12_add"],
    "InceptionV3": ["activation", "mixed0", "mixed3"],
    "ResNet50": ["conv1_relu", "pool1_pool", "conv2_block3_out", "conv4_block2_out"],
}


def application(name: str, last: str) -> keras.Model:
    """Build one of Keras' networks up to a layer; odd sides make "same" padding lopsided."""
    # Keras numbers unnamed layers on and on within a process.
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(75, 81, 3))
    return keras.Model(model.inputs, model.get_layer(last).output)


@pytest.mark.parametrize("name", APPLICATIONS)
@pytest.mark.slow
def test_known_networks_have_their_gradients_box(name):
    names = APPLICATIONS[name]
    model = application(name, names[-1])
    graph = read_graph(model, name)
    clear = transparent(model)
    for layer in names:
        output = clear.get_layer(layer).output
        cells = [(0, 0), (output.shape[1] // 2, output.shape[2] - 1)]
        for (row, column), box in zip(cells, boxes_by_gradient(clear, output, cells), strict=True):
            found = field_of(model, graph, layer, row, column, noise_for(model))
            assert (found.method, found.box) == ("layers", box), layer


@pytest.mark.slow
def test_gates_see_everything_and_the_field_beside_them_is_the_gradient_without_them():
    model = application("EfficientNetB0", "block3b_add")
    graph = read_graph(model, "EfficientNetB0")
    found = field_of(model, graph, "block3b_add", 2, 3, noise_for(model))
    assert found.whole_input
    assert found.box == (0, 0, 75, 81)
    clear = transparent(model, gates=False)
    assert [found.local_box] == boxes_by_gradient(clear, clear.get_layer("block3b_add").output, [(2, 3)])
    assert found.local_box != found.box
    assert found.sentence.endswith("it depends on every pixel.")


def test_a_vector_depends_on_the_whole_input():
    inputs = keras.Input((12, 12, 3))
    x = L.Conv2D(4, 3, padding="same", name="maps")(inputs)
    model = keras.Model(inputs, L.Dense(3, name="dense")(L.Flatten(name="flat")(x)))
    graph = read_graph(model, "net")
    for layer in ("flat", "dense"):
        found = field_of(model, graph, layer, 0, 0, noise_for(model))
        assert found.whole_input
        assert found.box == found.local_box == (0, 0, 12, 12)
        assert found.sentence == "This cell depends on every pixel of the network's input."


def test_the_input_depends_on_itself():
    model = chain(conv(3))()
    graph = read_graph(model, "net")
    found = field_of(model, graph, next(iter(graph.structure.layers)), 4, 7, noise_for(model))
    assert found.box == found.unclipped == (4, 7, 5, 8)
    assert found.stride == (1, 1)


def test_a_cell_of_padding_alone_sees_nothing():
    model = chain(lambda x: L.ZeroPadding2D(4, name="pad")(x), conv(3, name="conv"))()
    graph = read_graph(model, "net")
    found = field_of(model, graph, "conv", 0, 0, noise_for(model))
    assert found.box == (0, 0, 0, 0)
    assert "nothing but padding" in found.sentence


def test_code_is_seen_through_gradients():
    class Doubled(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = L.Conv2D(4, 3, padding="same", name="conv")
            self.last = L.Conv2D(4, 5, strides=2, name="last")

        def call(self, x):
            y = self.conv(x)
            return self.last(y + keras.ops.roll(y, 0, axis=1))

    model = Doubled()
    noise = np.random.default_rng(0).normal(size=(2, 21, 21, 3)).astype(np.float32)
    graph = read_graph(model, "code", (21, 21, 3))
    found = field_of(model, graph, "last", 3, 4, noise)
    assert found.method == "gradient"
    assert found.box == (5, 7, 12, 14)
    assert "gradients" in found.sentence


def test_a_layer_of_ones_own_is_seen_through_gradients():
    class Shifted(L.Layer):
        def call(self, x):
            return keras.ops.roll(x, 3, axis=1)

    inputs = keras.Input((16, 16, 2))
    model = keras.Model(inputs, Shifted(name="shifted")(L.Conv2D(3, 3, padding="same")(inputs)))
    found = field_of(model, read_graph(model, "net"), "shifted", 8, 8, noise_for(model))
    assert found.method == "gradient"
    assert found.box == (4, 7, 7, 10)


def test_shared_layers_grow_with_each_call():
    shared = L.Conv2D(3, 3, padding="same", name="shared")
    inputs = keras.Input((20, 20, 3))
    model = keras.Model(inputs, shared(shared(inputs)))
    graph = read_graph(model, "net")
    assert field_of(model, graph, "shared", 9, 9, noise_for(model)).size == (3, 3)
    assert field_of(model, graph, "shared#2", 9, 9, noise_for(model)).size == (5, 5)


def test_an_open_input_size_takes_the_pictures():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, L.Conv2D(3, 3, strides=2, padding="same", name="conv")(inputs))
    noise = np.ones((1, 10, 15, 3), np.float32)
    found = field_of(model, read_graph(model, "net"), "conv", 4, 7, noise)
    # 10 is even: all padding after; 15 is odd: one before.
    assert found.unclipped == (8, 13, 11, 16)
    assert found.box == (8, 13, 10, 15)


def test_sequences_have_one_axis():
    inputs = keras.Input((8, 8, 3))
    x = L.Reshape((64, 3), name="sequence")(inputs)
    model = keras.Model(inputs, L.Conv1D(2, 3, padding="same", name="conv")(x))
    found = field_of(model, read_graph(model, "net"), "conv", 15, 0, noise_for(model))
    # Steps 14, 15 and 16: the end of the second row and the start of the third.
    assert found.box == (1, 0, 3, 8)


def test_the_drawn_network_has_the_fields_of_its_table():
    for layer, size in {"stem_conv": 7, "reduce_relu": 11, "shapes_2_bn": 27, "pool": 31, "objects_2_relu": 95}.items():
        found = receptive_field(NO_CONTEXT, "drawn_plain", layer, 3, 3, weights="random")
        assert found.size == (size, size)


def test_a_cell_outside_or_a_layer_unknown_is_a_sentence():
    with pytest.raises(SentenceError, match="48 × 48 cells"):
        receptive_field(NO_CONTEXT, "drawn_plain", "stem_conv", 48, 0, weights="random")
    with pytest.raises(SentenceError, match="no layer called"):
        receptive_field(NO_CONTEXT, "drawn_plain", "nonsense", 0, 0, weights="random")
