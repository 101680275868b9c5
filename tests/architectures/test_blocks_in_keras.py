"""The printed programs of all blocks run in Keras and build what the sketches say."""

from __future__ import annotations

import pytest

from explorer.architectures.blocks.table import BLOCKS
from explorer.architectures.sketch import Sketch
from tests.architectures.same_as_keras import assert_same, program_model

# What is longer says nothing new and takes Keras long.
_MOST_LAYERS = 80


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [one.name for one in BLOCKS])
def test_the_variants_of_every_preset_are_as_keras_makes_them(name: str) -> None:
    one = next(one for one in BLOCKS if one.name == name)
    seen: set[str] = set()
    for preset in one.presets:
        for variant in one.build(one.values(preset.name)):
            program = variant.sketch.code()
            if program in seen or len(variant.sketch.paths) > _MOST_LAYERS:
                continue
            seen.add(program)
            _assert_runs(variant.sketch)


def _assert_runs(sketch: Sketch) -> None:
    if sketch.clash is None:
        assert_same(sketch)
        return
    # The program of a broken one builds what comes before the layer that does not fit.
    model = program_model(sketch.code())
    table = sketch.table()
    assert model.count_params() == table.parameters
    assert len(model.layers) == len(table.structure.layers) - 1


@pytest.mark.timeout(300)
def test_keras_refuses_what_the_sketch_calls_a_clash() -> None:
    for name, preset, variant in (("residual", "pooling", 1), ("residual", "no_padding", 3), ("grouped", "uneven", 1)):
        one = next(one for one in BLOCKS if one.name == name)
        sketch = one.build(one.values(preset))[variant].sketch
        broken = [line[2:] for line in sketch.code().splitlines() if line.startswith("# ")][1:]
        program = sketch.code().replace("model = ", "\n".join(broken) + "\nmodel = ")
        with pytest.raises(ValueError):
            program_model(program)
