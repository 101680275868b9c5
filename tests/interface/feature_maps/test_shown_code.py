"""What *Show the code* prints runs, and gives what the page shows."""

import numpy as np
import pytest

from explorer.interface.feature_maps.below import code_of, keras_lines
from explorer.networks.work_context import NO_CONTEXT


def run(code):
    """Run notebook lines and return the value of the last one and all names."""
    *lines, last = code.splitlines()
    names = {}
    exec("\n".join(lines), names)
    return eval(last, names), names


@pytest.mark.parametrize(
    ("network", "layer", "shape"), [("drawn_plain", "stem_relu", (48, 48, 24)), ("drawn_robust", "logits", (12,))]
)
def test_the_printed_call_returns_what_the_layer_computes(network, layer, shape):
    (shown_shape, strongest, silent), names = run(code_of(network, "random", "drawn:cat:3", layer, "pad"))
    assert shown_shape == shape
    values = names["maps"].values
    assert strongest == values.reshape(-1, shape[-1]).max(axis=0).argmax()
    assert 0 <= silent <= shape[-1]


def test_the_printed_call_for_an_upload_reads_the_visitors_own_file(tmp_path, monkeypatch):
    from PIL import Image

    Image.new("RGB", (50, 40), "red").save(tmp_path / "your picture.jpg")
    monkeypatch.chdir(tmp_path)
    (shape, _, _), _ = run(code_of("drawn_plain", "random", "upload:" + "0" * 64, "stem_relu", "crop"))
    assert shape == (48, 48, 24)


@pytest.mark.parametrize("network", ["drawn_plain", "MobileNetV2"])
def test_every_printed_keras_line_builds_the_layer_again(network):
    import keras

    from explorer.networks.describe import structure_of

    structure = structure_of(NO_CONTEXT, network, "random")
    for layer in structure.layers.values():
        line = keras_lines(layer.kind, layer.config)
        if line is None:
            assert not layer.config or layer.kind == "InputLayer" or not hasattr(keras.layers, layer.kind)
            continue
        built = eval(line, {"keras": keras})
        config = built.get_config()
        for name, value in layer.config.items():
            if name in config and isinstance(value, int | float | str):
                assert config[name] == value or config[name] == pytest.approx(value), (layer.path, name)


def test_a_layer_column_prints_every_layer_once():
    from explorer.interface.feature_maps.layer_column import column_data
    from explorer.networks.describe import structure_of

    structure = structure_of(NO_CONTEXT, "MobileNetV2", "random")
    tree, layers, digest = column_data(structure, [])

    def paths(nodes):
        for node in nodes:
            if "path" in node:
                yield node["path"]
            else:
                for branch in node["branches"]:
                    yield from paths(branch)
                if node["merge"]:
                    yield node["merge"]
                yield from paths(node["children"])

    assert sorted(paths(tree)) == sorted(layers) == sorted(structure.layers)
    assert digest == column_data(structure, [])[2]
    # 3.5 million parameters stand in the blocks as in Keras' own table.
    assert sum(layer.parameters for layer in structure.layers.values()) == 3_538_984


def test_the_array_that_is_downloaded_is_the_layers_own(tmp_path):
    from explorer.interface.feature_maps.below import array_bytes

    values = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    (tmp_path / "a.npy").write_bytes(array_bytes(values))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), values)
