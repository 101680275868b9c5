"""The gradient flow page as a script: scenes open, links restore them, the numbers at hand decide the sentences."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine.call import Call
from explorer.engine.packing import pack, unpack
from explorer.engine.work import Work, work
from explorer.gradient_flow.activations import ACTIVATIONS, normal_batch, passed
from explorer.gradient_flow.by_hand import number
from explorer.gradient_flow.network_race import DEFAULT_RATES, race_network
from explorer.gradient_flow.race import race
from explorer.gradient_flow.regularisers import compare
from explorer.gradient_flow.sigmoid_walk import sigmoid_parameters, sigmoid_walk
from explorer.gradient_flow.surfaces import SURFACES, valley
from explorer.interface import jobs
from explorer.interface.components.packing import unpack as read_message
from explorer.interface.gradient_flow import learning_rates, network_race, regularisers
from explorer.interface.gradient_flow.activations import read_logits
from explorer.interface.gradient_flow.optimisers import read_start
from explorer.interface.gradient_flow.page_state import STATE
from explorer.interface.numbers import value_text

PAGE = Path(__file__).parents[2] / "pages" / "gradient_flow.py"
HOLDS, FAILS, OPEN = "holds here", "does not hold here", "not decided here"


class StandInEngine:
    """Takes calls and leaves it to the test to run and end them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.arguments: list[dict[str, Any]] = []

    def submit(self, name: str, *, visitor: str, **arguments: Any) -> Call:
        work(name)  # only what the table names can be run
        call = Call(name, Work("a:b", "long"), visitor, pack(arguments), lambda call: call.end("stopped"))
        self.calls.append(call)
        self.arguments.append(unpack(pack(arguments)))
        return call


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> StandInEngine:
    stand_in = StandInEngine()
    monkeypatch.setattr(jobs, "engine", lambda: stand_in)
    return stand_in


@pytest.fixture
def opened(engine):
    def open_page(**parameters: Any) -> AppTest:
        app = AppTest.from_file(str(PAGE), default_timeout=120)
        for name, value in parameters.items():
            app.query_params[f"gradient_flow_{name}"] = str(value)
        app.run()
        assert not app.exception
        return app

    return open_page


def said(app: AppTest) -> str:
    return " ".join(str(one.value) for one in [*app.markdown, *app.caption, *app.warning, *app.info, *app.error])


def sentence(app: AppTest, begins: str) -> str:
    return next(str(one.value) for one in app.markdown if str(one.value).startswith(f"**{begins}"))


def shown(app: AppTest) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What travels to the page's component."""
    return read_message(app.get("bidi_component")[0].proto.bytes)


def test_a_scene_that_there_is_not_is_told(opened):
    app = opened(scene="nonsense")
    assert "scene that there is not; Activations is shown" in said(app)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"act_layers": 900}, "Layers cannot be “900” as the link says, but 1 to 100; 10 is shown."),
        ({"act_mean": "much"}, "Mean cannot be “much” as the link says, but -5 to 5; 0 is shown."),
        ({"act_seed": -3}, "Seed cannot be “\\-3” as the link says, but 0 to 9999; 0 is shown."),
        ({"act_batch": "flat"}, "Pre-activations cannot be “flat” as the link says; Normal is shown."),
        ({"act_initialiser": "x", "act_batch": "dense"}, "Initialisation cannot be “x” as the link says; "),
        ({"act_shown": "gelu,foo"}, "Activations cannot be “foo” as the link says; GELU are shown."),
        ({"act_view": "pie"}, "View cannot be “pie” as the link says; One number each is shown."),
        ({"foo": 1}, "The link names a setting that there is not, “foo”; the page is shown without it."),
        ({"scene": "vanishing", "van_norm": "maybe"}, "Batch norm cannot be “maybe” as the link says; off is shown."),
        ({"scene": "vanishing", "van_at": 30}, "Before step cannot be “30” as the link says, but 0 to 0; 0 is shown."),
        ({"scene": "optimisers", "opt_start": "nan,1"}, "Start cannot be “nan,1” as the link says, but two numbers"),
        ({"scene": "optimisers", "opt_rates": "sgd=x"}, "Learning rates cannot be “sgd\\=x” as the link says;"),
        ({"scene": "optimisers", "opt_view": "weights", "reg_l1": 7}, "λ of L1 cannot be “7” as the link says; 0.005"),
        ({"scene": "backpropagation", "hand_edits": "x.0=1,t.9=5"}, "Changed numbers cannot be “t\\.9\\=5” as the"),
    ],
)
def test_what_a_link_says_and_the_page_does_not_understand_is_told_with_what_is_shown(opened, parameters, sentence):
    told = [str(one.value) for one in opened(**parameters).info if one.icon == ":material/link_off:"]
    assert len(told) == 1
    assert told[0].replace("\\", "").startswith(sentence.replace("\\", ""))


def test_a_link_that_is_understood_is_not_commented_on_however_it_names_things(opened):
    app = opened(
        scene="optimisers", opt_view="On a small network", net_activation="Leaky ReLU", opt_shown="-",
        net_rates="sgd=1",
    )  # fmt: skip
    assert not [one for one in app.info if one.icon == ":material/link_off:"]
    assert app.selectbox(key="gradient_flow_net_activation").value == "leaky_relu"


def test_a_comment_on_a_link_ends_with_the_next_change_of_the_setting(opened):
    app = opened(act_layers=900)
    app.slider(key="gradient_flow_act_mean").set_value(1.0).run()
    assert "Layers cannot be" in said(app)
    app.slider(key="gradient_flow_act_layers").set_value(20).run()
    assert "Layers cannot be" not in said(app)


def test_a_click_that_the_browser_sends_before_it_has_heard_of_a_reset_brings_no_old_value_back(opened):
    app = opened(act_layers=30, act_shown="gelu,silu", act_below=10.0)
    before = app._tree
    app.button(key="gradient_flow_reset").click().run()
    after = app._tree
    app._tree = before
    app.button(key="gradient_flow_reset").set_value(False)
    app.slider(key="gradient_flow_act_spread").set_value(3.0).run()
    for name, value in {
        "act_layers": 10,
        "act_below": 5.0,
        "act_shown": "sigmoid,tanh,relu",
        "act_spread": 3.0,
    }.items():
        assert app.session_state[STATE.key(name)] == value
    app._tree = after
    app.slider(key="gradient_flow_act_layers").set_value(30).run()
    assert app.session_state[STATE.key("act_layers")] == 30  # once it has heard, the same value is a click


def links(app: AppTest) -> list[str]:
    return [one.value for one in app.code if "gradient_flow_" in one.value and "import" not in one.value]


@pytest.mark.parametrize(
    "parameters",
    [
        {"scene": "vanishing", "van_seed": 3},
        {"scene": "paths", "path_seed": 3},
        {"scene": "degradation", "deg_seed": 3},
        {"scene": "degradation", "deg_deep": 4},
        {"scene": "loss_surface", "sur_seed": 3},
        {"scene": "optimisers", "opt_view": "weights", "opt_seed": 3},
        {"act_shown": "-"},
        {"act_view": "softmax", "act_logits": "one"},
    ],
)
def test_a_link_is_offered_before_there_is_any_number(opened, parameters):
    app = opened(**parameters)
    assert all(f"gradient_flow_{name}={value}" in links(app)[0] for name, value in parameters.items())


def test_work_that_is_stopped_while_it_waits_has_not_begun(opened, engine):
    app = opened(scene="optimisers", opt_view="network")
    engine.calls[0].end("stopped")
    app.run()
    assert "Stopped before it began." in said(app)
    app = opened(scene="degradation", deg_seed=3)
    engine.calls[-1].end("stopped")
    app.run()
    assert "Stopped before it began; seed 3." in said(app)


def test_fields_say_where_a_race_starts_and_change_it(opened):
    app = opened(scene="optimisers", opt_start="5,-1.5")
    app.number_input(key="gradient_flow_opt_start_valley_1_-1.5").set_value(2.0).run()
    assert shown(app)[0]["start"] == [5, 2]
    assert app.session_state[STATE.key("opt_start")] == "5,2"


def test_links_restore_every_setting_of_my_scenes(opened):
    app = opened(
        scene="activations", act_shown="gelu,silu", act_batch="dense", act_initialiser="he_normal", act_layers=30,
        act_seed=7, act_below=10.0,
    )  # fmt: skip
    kept = {name: app.session_state[STATE.key(name)] for name in ("act_layers", "act_seed", "act_below")}
    assert kept == {"act_layers": 30, "act_seed": 7, "act_below": 10.0}
    text = said(app)
    assert "**GELU**" in text and "**SiLU**" in text and "**Sigmoid** ·" not in text
    assert "under 10\u00a0% of its largest" in text and "seed 7" in text
    assert 'dense_batch("he_normal", 64, seed=7)' in app.code[0].value


def test_the_numbers_of_the_activations_are_those_of_the_batch(opened):
    app = opened(act_mean=0.5, act_spread=3.0, act_layers=20, act_seed=3)
    batch = normal_batch(0.5, 3.0, 3)
    text = said(app)
    for name in ("sigmoid", "tanh", "relu"):
        assert value_text(passed(ACTIVATIONS[name], batch).left_after(20)) in text
    assert HOLDS in sentence(app, "Saturating")


def test_a_narrow_batch_does_not_saturate_tanh_and_the_page_says_why(opened):
    app = opened(act_spread=0.3)
    assert FAILS in sentence(app, "Saturating")
    assert "tanh lets through more than ReLU here" in said(app)


def test_where_relu_is_off_for_all_the_page_says_that_nothing_comes_back(opened):
    text = said(opened(act_mean=-5, act_spread=0.0))
    assert "ReLU is off for 100\u00a0% of these pre-activations, so it lets nothing back" in text


def test_without_a_saturating_activation_nothing_is_decided(opened):
    app = opened(act_shown="relu,gelu")
    assert OPEN in sentence(app, "Saturating")
    assert "Choose an activation" in said(opened(act_shown="-"))


def test_a_batch_without_spread_is_drawn(opened):
    opened(act_spread=0.0)
    opened(act_batch="dense", act_initialiser="zeros")


def test_softmax_saturates_where_it_is_sure(opened):
    assert OPEN in sentence(opened(act_view="softmax"), "Softmax")
    assert HOLDS in sentence(opened(act_view="softmax", act_temperature=0.2), "Softmax")
    assert "Write two to 8 numbers" in said(opened(act_view="softmax", act_logits="one"))


@pytest.mark.parametrize(
    ("text", "values"),
    [("1, 2", [1, 2]), ("1 −2;", None), ("−1 2.5 3", [-1, 2.5, 3]), ("1", None), ("nan 1", None), ("1e4 1", None)],
)
def test_logits_are_read(text, values):
    found = read_logits(text)
    assert found is None if values is None else found.tolist() == values


@pytest.mark.parametrize("name", SURFACES)
def test_every_surface_is_raced_on(opened, name):
    header, blobs = shown(opened(scene="optimisers", opt_surface=name))
    found = race(SURFACES[name], SURFACES[name].rates, steps=150)
    for place, runner in enumerate(("sgd", "momentum", "nesterov", "rmsprop", "adam")):
        points = np.frombuffer(blobs[f"points{place}"], "<f4").reshape(-1, 2)
        np.testing.assert_allclose(points, found.paths[runner].points, rtol=1e-6, atol=1e-30)
    assert header["steps"] == 150


def test_a_race_is_restored_by_its_link_and_its_code_gives_the_same(opened):
    app = opened(
        scene="optimisers", opt_stretch=80, opt_steps=60, opt_start="5,-1.5", opt_rates="sgd=0.01,adam=0.25",
        opt_shown="sgd,adam",
    )  # fmt: skip
    header, blobs = shown(app)
    assert [one["title"] for one in header["runners"]] == ["SGD", "Adam"] and header["start"] == [5, -1.5]
    found = race(valley(80.0), {"sgd": 0.01, "adam": 0.25}, start=(5.0, -1.5), steps=60)
    np.testing.assert_allclose(
        np.frombuffer(blobs["points1"], "<f4").reshape(-1, 2), found.paths["adam"].points, rtol=1e-6, atol=1e-30
    )
    spoken: dict[str, Any] = {}
    exec(next(one.value for one in app.code if "race(" in one.value), spoken)  # noqa: S102
    np.testing.assert_array_equal(spoken["found"].paths["adam"].points, found.paths["adam"].points)


def test_the_steps_decide_whether_momentum_gets_down_sooner(opened):
    app = opened(scene="optimisers")
    paths = race(valley(), valley().rates, steps=150).paths
    assert paths["momentum"].arrived_at < paths["sgd"].arrived_at
    assert HOLDS in sentence(app, "Momentum gets down sooner")
    assert f"SGD **{paths['sgd'].arrived_at}**" in said(app)
    assert FAILS in sentence(opened(scene="optimisers", opt_surface="himmelblau"), "Momentum gets down sooner")
    assert OPEN in sentence(opened(scene="optimisers", opt_steps=10), "Momentum gets down sooner")


def test_a_learning_rate_of_a_million_says_what_happened(opened):
    text = said(opened(scene="optimisers", opt_rate="1e6"))
    assert "SGD left the picture at step 1" in text and "exceeds 2/λ = 0.04, with λmax = 50" in text
    assert "RMSprop left the picture at step 1" in text
    assert "Both have left the picture" in text
    assert "A learning rate is a number" in said(opened(scene="optimisers", opt_rate="fast"))


def test_a_learning_rate_of_zero_and_no_optimiser_are_told(opened):
    text = said(opened(scene="optimisers", opt_rate="0"))
    assert "With a learning rate of 0 nothing moves: SGD, Momentum" in text and "Neither moves" in text
    assert "Choose an optimiser" in said(opened(scene="optimisers", opt_shown="-"))


@pytest.mark.parametrize("text", ["", "x,y", "1", "1,2,3", "11,0", "nan,0", "1e999,0"])
def test_a_start_that_is_none_leaves_the_usual_one(text):
    assert read_start(text, valley()) is None


def test_learning_rates_of_a_link_are_read_and_written():
    usual = {"sgd": 0.1, "adam": 0.01}
    assert learning_rates.read_rates("adam=0.5,x=1,sgd=-1,sgd", usual) == {"sgd": 0.1, "adam": 0.5}
    assert learning_rates.text_of({"sgd": 0.1, "adam": 0.5}, usual) == "adam=0.5"
    assert learning_rates.read_rate("1e7") is None and learning_rates.read_rate("0,5") == 0.5


@lru_cache(maxsize=1)
def a_network_race():
    return race_network(epochs=3)


@lru_cache(maxsize=1)
def a_comparison():
    return compare(epochs=4)


@lru_cache(maxsize=1)
def with_wrong_labels():
    return compare(epochs=60)


def end(call: Call, result: Any) -> None:
    call.end("done", result=pack(result))


def test_a_race_on_the_network_starts_by_itself_and_is_shown(opened, engine):
    app = opened(scene="optimisers", opt_view="network", net_epochs=3, opt_seed=2)
    assert [call.name for call in engine.calls] == ["gradient_flow.race_network"]
    assert engine.arguments[0]["epochs"] == 3 and engine.arguments[0]["seed"] == 2
    assert app.button(key="gradient_flow_network_stop")
    end(engine.calls[0], a_network_race())
    app.run()
    assert not app.exception and app.button(key="gradient_flow_network_start").label == "Race"
    assert "Steps until the mean loss of 10 batches is below 0.3" in said(app)
    assert len(engine.calls) == 1


def test_other_settings_ask_for_another_race_and_the_page_says_that_what_it_shows_is_the_former(opened, engine):
    app = opened(scene="optimisers", opt_view="network")
    end(engine.calls[0], a_network_race())
    app.run()
    app.slider(key="gradient_flow_net_epochs").set_value(5).run()
    assert "The settings have changed since" in said(app) and len(engine.calls) == 1
    app.button(key="gradient_flow_network_start").click().run()
    assert len(engine.calls) == 2 and engine.arguments[1]["epochs"] == 5


def test_what_a_wild_learning_rate_did_to_a_network_is_told():
    found = race_network(rates={"sgd": 1e6, "adamw": 1e6, "adam": 0.0}, epochs=3)
    assert "jumped from a loss of" in network_race.fate(found.runners["sgd"])
    assert f"overflowed at step {found.runners['adamw'].broken_at}" in network_race.fate(found.runners["adamw"])
    assert "nothing is learnt" in network_race.fate(found.runners["adam"])
    assert network_race.fate(a_network_race().runners["adam"]) == ""


def test_regularisers_are_judged_by_their_numbers(opened, engine):
    app = opened(scene="optimisers", opt_view="weights", reg_epochs=5, reg_l1="0.01")
    assert engine.arguments[0]["strengths"].l1 == 0.01
    end(engine.calls[0], a_comparison())
    app.run()
    none, l1 = (a_comparison().networks[name] for name in ("none", "l1"))
    assert value_text(none.norm) in said(app) and value_text(l1.norm) in said(app)
    swapped = dict(a_comparison().networks, l1=none)
    app = opened(scene="optimisers", opt_view="weights")
    end(engine.calls[-1], dataclasses.replace(a_comparison(), networks=swapped))
    app.run()
    assert FAILS in sentence(app, "L1 makes weights zero")


def test_less_is_learnt_by_heart_or_not_says_the_gap_of_each(opened, engine):
    def judged(**swapped):
        app = opened(scene="optimisers", opt_view="weights")
        known = with_wrong_labels()
        found = dataclasses.replace(known, networks={**known.networks, **swapped})
        end(engine.calls[-1], found)
        app.run()
        return app

    app = judged()
    assert engine.arguments[-1]["wrong"] == 0.3 and "90 of them with a wrong label" in said(app)
    assert HOLDS in sentence(app, "Regularisers shrink overfitting")
    none, dropout = (with_wrong_labels().networks[name] for name in ("none", "dropout"))
    app = judged(dropout=dataclasses.replace(none, name="dropout"))
    assert FAILS in sentence(app, "Regularisers shrink overfitting") and "Not both are so with Dropout" in said(app)
    level = dataclasses.replace(none, accuracies=none.test_accuracies)
    assert OPEN in sentence(judged(none=level), "Regularisers shrink overfitting")
    assert dropout.gap == dropout.accuracies[-1] - dropout.test_accuracies[-1]


def test_pictures_of_weights_stand_in_the_page_itself_so_that_none_is_gone_when_a_browser_asks(opened, engine):
    app = opened(scene="optimisers", opt_view="weights")
    end(engine.calls[-1], a_comparison())
    app.run()
    urls = [one.url for each in app.get("image") for one in each.proto.imgs]
    assert len(urls) == 5 and all(url.startswith("data:image/png;base64,") for url in urls)


def test_how_long_a_comparison_takes_is_said_before_it_starts(opened, engine):
    app = opened(scene="optimisers", opt_view="weights")
    end(engine.calls[-1], a_comparison())
    app.run()
    app.slider(key="gradient_flow_reg_examples").set_value(1437)
    app.slider(key="gradient_flow_reg_epochs").set_value(200).run()
    assert "It takes about 10\u00a0s of computing." in said(app)


def test_weights_that_have_overflowed_are_told(opened, engine):
    one = a_comparison().networks["l2"]
    broken = dict(a_comparison().networks, l2=dataclasses.replace(one, first=np.full_like(one.first, np.inf)))
    app = opened(scene="optimisers", opt_view="weights")
    end(engine.calls[-1], dataclasses.replace(a_comparison(), networks=broken))
    app.run()
    assert "Weights have overflowed" in said(app)


def test_pictures_of_units_are_centred_on_zero():
    board = regularisers.unit_pictures(np.zeros((64, 32)), 0.0)
    assert np.ptp(board[:32, :32].reshape(-1, 3), axis=0).max() == 0
    signed = np.zeros((64, 1))
    signed[0], signed[1] = 1.0, -1.0
    board = regularisers.unit_pictures(signed, 1.0)
    assert board[0, 0, 0] > board[0, 0, 2] and board[0, 4, 2] > board[0, 4, 0]


@pytest.mark.parametrize("network", ["sigmoid", "conv"])
def test_the_walk_is_that_of_the_numbers(opened, network):
    app = opened(scene="backpropagation", hand_network=network, hand_numbers="random", hand_seed=4, hand_rate=0.25)
    header, _ = shown(app)
    spoken: dict[str, Any] = {}
    exec(app.code[0].value.rsplit("for step", 1)[0], spoken)  # noqa: S102
    walk = spoken["walk"]
    assert len(header["steps"]) == len(walk.steps)
    assert number(walk.loss) in said(app) and number(walk.loss_after) in said(app)
    assert HOLDS in sentence(app, "One step against the gradient")


def test_changed_numbers_are_restored_by_the_link(opened):
    app = opened(scene="backpropagation", hand_edits="x.0=2,w.1=-1,t.9=5", hand_outputs=1)
    header, blobs = shown(app)
    values = np.frombuffer(blobs["values"], "<f8")
    assert values[0] == 2.0 and values[3] == -1.0
    assert [board["rows"] for board in header["boards"] if board["name"] == "o"] == [1]
    assert "2 of them changed by hand" in said(app)


def test_a_step_that_is_too_large_does_not_hold(opened):
    app = opened(scene="backpropagation", hand_edits="t.0=0.5,t.1=0.5", hand_rate=20.0)
    walk = sigmoid_walk({**sigmoid_parameters(), "t": np.array([0.5, 0.5])}, 20.0)
    expected = HOLDS if walk.loss_after < walk.loss else FAILS
    assert expected in sentence(app, "One step against the gradient")


@pytest.mark.parametrize(
    "parameters",
    [
        {"scene": "activations", "act_mean": "inf", "act_initialiser": "x", "act_batch": "dense", "act_seed": "-3"},
        {"scene": "optimisers", "opt_surface": "x", "opt_steps": "1e9", "opt_rates": "=,=", "opt_start": "nan,1"},
        {"scene": "optimisers", "opt_view": "weights", "reg_l1": "7", "reg_dropout": "2"},
        {"scene": "vanishing", "van_at": "9" * 5000},
        {"scene": "backpropagation", "hand_edits": "[" * 5000, "hand_rate": "nan", "hand_seed": "x"},
    ],
)
def test_nonsense_in_a_link_does_no_harm(opened, parameters):
    opened(**parameters)


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_path_of_fewer_than_two_epochs_is_told_before_any_work(opened, engine, epochs):
    app = opened(scene="loss_surface", sur_directions="path", sur_epochs=epochs)
    assert "A path needs two epochs at least" in said(app) and not engine.calls
    opened(scene="loss_surface", sur_directions="path", sur_epochs=2)
    assert len(engine.calls) == 1


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"opt_surface": "noisy_bowl", "opt_seed": 3}, "The noise of the gradient decides here"),
        ({"opt_rates": "sgd=0"}, "SGD does not move"),
        ({"opt_rates": "sgd=1"}, "SGD has left the picture"),
        ({"opt_rates": "momentum=1e6"}, "Momentum has left the picture"),
        ({"opt_surface": "beale"}, "Both are about equally soon"),
        ({"opt_steps": 50}, "The slower one may be only a few steps behind"),
        ({"opt_start": "0,0"}, "They start at the minimum"),
    ],
)
def test_what_a_race_cannot_tell_about_momentum_is_left_open(opened, parameters, why):
    app = opened(scene="optimisers", **parameters)
    assert OPEN in sentence(app, "Momentum gets down sooner") and why in said(app)


@pytest.mark.parametrize(
    ("plain", "momentum", "sooner"),
    [(80, 40, True), (40, 80, False), (42, 40, None), (2, 1, None), (None, 40, True), (40, None, False),
     (None, 99, None), (None, None, None)],
)  # fmt: skip
def test_sooner_means_clearly_sooner(plain, momentum, sooner):
    assert network_race.sooner(plain, momentum, 101) is sooner


@pytest.mark.parametrize("rate", [0.0, 1e6])
def test_a_learning_rate_that_does_not_suit_sgd_says_nothing_about_momentum_on_the_network(opened, engine, rate):
    app = opened(scene="optimisers", opt_view="network")
    end(engine.calls[0], race_network(rates={**DEFAULT_RATES, "sgd": rate}, epochs=5))
    app.run()
    assert OPEN in sentence(app, "Momentum gets down sooner") and "does not suit SGD" in said(app)


def test_on_the_network_the_steps_decide_whether_momentum_gets_down_sooner(opened, engine):
    app = opened(scene="optimisers", opt_view="network")
    end(engine.calls[0], race_network(epochs=5))
    app.run()
    assert HOLDS in sentence(app, "Momentum gets down sooner")


def judged_without(**strengths: float) -> tuple[Any, Any]:
    """The two sentences on regularisers, of which these had another strength."""
    known = with_wrong_labels()
    found = dataclasses.replace(known, strengths=dataclasses.replace(known.strengths, **strengths))
    return regularisers.of_weights(found, 0.01), regularisers.of_overfitting(found)


@pytest.mark.parametrize(("name", "title"), [("l1", "L1"), ("l2", "L2")])
def test_a_penalty_of_strength_zero_is_not_judged_by_its_weights(name, title):
    (_, _, holds, because), _ = judged_without(**{name: 0.0})
    assert holds is None and f"With a strength of 0 {title} cannot do anything" in because


def test_a_regulariser_of_strength_zero_is_left_out_where_overfitting_is_judged():
    none = with_wrong_labels().networks["none"]
    networks = {**with_wrong_labels().networks, "dropout": dataclasses.replace(none, name="dropout")}
    strengths = dataclasses.replace(with_wrong_labels().strengths, dropout=0.0)
    found = dataclasses.replace(with_wrong_labels(), networks=networks, strengths=strengths)
    _, _, holds, because = regularisers.of_overfitting(found)
    assert holds is True and because == "Left out, with a strength of 0: Dropout."
    _, (_, _, holds, because) = judged_without(l1=0.0, l2=0.0, dropout=0.0)
    assert holds is None and "no regulariser was at work" in because


def test_a_comparison_carries_the_strengths_that_it_was_made_with():
    assert a_comparison().tried("elastic_net") and not a_comparison().tried("none")
    found = compare(strengths=regularisers.Strengths(l1=0.0, dropout=0.0), epochs=1)
    assert [name for name in found.networks if found.tried(name)] == ["l2", "elastic_net"]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1001"])
def test_a_changed_number_that_is_none_or_too_large_is_told_and_the_code_runs_without_it(opened, value):
    app = opened(scene="backpropagation", hand_edits=f"x.0={value},w.1=2")
    told = next(str(one.value) for one in app.info if one.icon == ":material/link_off:").replace("\\", "")
    assert f"x.0={value}" in told
    spoken: dict[str, Any] = {}
    exec(app.code[0].value.rsplit("for step", 1)[0], spoken)  # noqa: S102
    assert spoken["numbers"]["w"][0, 1] == 2.0
    assert spoken["numbers"]["x"][0] == sigmoid_parameters()["x"][0]
