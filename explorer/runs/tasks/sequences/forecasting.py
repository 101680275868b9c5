"""Forecasts series with causal convolutions, dilated or not, and shows how far back each can look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from explorer.runs.context import RunContext
from explorer.runs.data.sequences import periodic_series
from explorer.runs.fitting import fit
from explorer.runs.lessons.one_dimension import (
    HORIZON,
    JUDGED_SERIES,
    NEAR,
    STACKS,
    dilations,
    is_short,
    receptive_field,
    sentence_of,
    series_steps,
)
from explorer.runs.outcome import Line, Lines, Number, Numbers, Table, Verdict, add_moment, write_outcome
from explorer.runs.scoring import compiled
from explorer.runs.trained import file_of

VALIDATION_SEED = 1_000_000
NUDGED_SERIES = 8
SHOWN = 2
CLEARLY = 0.8
"""A forecast is clearly better if its error is at most so much of the other one's."""
ALIKE = 0.1
"""Errors of series of variance 1 are alike if they differ by no more."""

Predict = Callable[[np.ndarray], np.ndarray]
"""From (n, steps, 1) to the forecast of each next step, (n, steps, 1)."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What a trained stack is worth.

    Attributes:
        variant: which.
        field: receptive field in steps, by the formula.
        measured: the same, by nudging one value of the past after the other.
        parameters: number of weights.
        forecasts: (n, HORIZON), free-running.
        errors: (HORIZON,), root mean squared error of each step.
        influence: (steps,), by how much the next forecast moves for one value 1, 2, … steps back.
        leak: by how much any output moves when later inputs are replaced; 0 for a causal network.
        seconds: of training.
    """

    variant: str
    field: int
    measured: int
    parameters: int
    forecasts: np.ndarray
    errors: np.ndarray
    influence: np.ndarray
    leak: float
    seconds: float

    def error(self, first: int = 0, last: int = HORIZON) -> float:
        """Return the root mean squared error over some steps, counted from 0."""
        return root_mean_square(self.errors[first:last])


def build(rates: tuple[int, ...], kernel_size: int, filters: int) -> keras.Model:
    """Return causal convolutions over a series, one for each dilation rate, and a forecast at every step.

    Args:
        rates: dilation rate of each layer.
        kernel_size: of each layer.
        filters: of each layer.

    Returns:
        A model from (n, steps, 1) to (n, steps, 1); at each step the forecast of the next.
    """
    series = keras.Input((None, 1), name="series")
    x = series
    for number, rate in enumerate(rates, start=1):
        x = layers.Conv1D(
            filters, kernel_size, padding="causal", dilation_rate=rate, activation="relu", name=f"causal_{number}"
        )(x)
    return keras.Model(series, layers.Conv1D(1, 1, name="forecast")(x), name="forecaster")


def train(context: RunContext, settings: dict[str, Any]) -> None:
    """Train each stack on the same series and let both run free on series that none has seen."""
    context.say("drawing the series")
    steps, seed = series_steps(settings), context.config.seed
    training = periodic_series(settings["examples"], steps, settings["period"], settings["noise"], seed)
    validation = periodic_series(
        JUDGED_SERIES, steps + HORIZON, settings["period"], settings["noise"], seed + VALIDATION_SEED
    )
    judged: list[Judged] = []
    for number, stack in enumerate(settings["stacks"], start=1):
        if context.stopped():
            break
        context.say(f"{STACKS[stack]}, {number} of {len(settings['stacks'])}")
        context.part(number, len(settings["stacks"]))
        judged.append(_trained(context, settings, stack, training, validation))
        write_outcome(context, items(settings, judged, validation, complete=not context.stopped()))
    write_outcome(context, items(settings, judged, validation, complete=not context.stopped()))


def _trained(
    context: RunContext, settings: dict[str, Any], stack: str, training: np.ndarray, validation: np.ndarray
) -> Judged:
    rates = dilations(settings["layers"], stack == "dilated")
    field = receptive_field(settings["kernel_size"], rates)
    keras.utils.set_random_seed(context.config.seed)
    model = build(rates, settings["kernel_size"], settings["filters"])
    compiled(model, settings["learning_rate"], loss="mse")
    known = validation[:, :-HORIZON]

    def show(epoch: int, numbers: dict[str, float]) -> None:
        forecast = run_free(model.predict_on_batch, known[:1], HORIZON, field)
        shown = forecast_lines(validation[0], {stack: forecast[0]}, settings["period"], "A series it has never seen")
        add_moment(context, epoch, shown, stack)

    fitted = fit(
        context,
        model,
        training[:, :-1, None],
        training[:, 1:, None],
        validation=(known[:, :-1, None], known[:, 1:, None]),
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        variant=stack,
        on_epoch=show,
    )
    context.save_model(model, file_of(stack))
    forecasts = run_free(model.predict_on_batch, known, HORIZON, field)
    influence = influence_of_the_past(model.predict_on_batch, known[:NUDGED_SERIES], series_steps(settings))
    return Judged(
        variant=stack,
        field=field,
        measured=int(np.flatnonzero(influence).max(initial=-1)) + 1,
        parameters=model.count_params(),
        forecasts=forecasts,
        errors=np.sqrt(np.mean((forecasts - validation[:, -HORIZON:]) ** 2, axis=0)),
        influence=influence,
        leak=leak_from_the_future(model.predict_on_batch, known[:NUDGED_SERIES]),
        seconds=fitted.seconds,
    )


def run_free(predict: Predict, history: np.ndarray, horizon: int, field: int) -> np.ndarray:
    """Return a forecast that feeds on itself: each step goes in as if it were true.

    Args:
        predict: see `Predict`.
        history: (n, steps).
        horizon: how many steps.
        field: receptive field of the network; older values than that cannot matter.

    Returns:
        (n, horizon).
    """
    series = np.asarray(history, np.float32)
    if series.shape[1] < field:  # what a causal network assumes before the beginning
        series = np.pad(series, ((0, 0), (field - series.shape[1], 0)))
    for _ in range(horizon):
        following = np.asarray(predict(series[:, -field:, None]))[:, -1, 0]
        series = np.concatenate([series, following[:, None]], axis=1)
    return series[:, -horizon:]


def influence_of_the_past(predict: Predict, history: np.ndarray, steps: int) -> np.ndarray:
    """Return by how much the next forecast moves when one value of the past is raised by 1.

    Args:
        predict: see `Predict`.
        history: (n, length) with at least `steps` values.
        steps: how far back to look.

    Returns:
        (steps,), the mean of the absolute changes; first the last value, then those before it.
    """
    recent = np.asarray(history[:, -steps:], np.float32)
    before = np.asarray(predict(recent[..., None]))[:, -1, 0]
    changes = np.empty((len(recent), steps))
    for number, series in enumerate(recent):
        nudged = series + np.eye(steps, dtype=np.float32)[::-1]
        changes[number] = np.asarray(predict(nudged[..., None]))[:, -1, 0] - before[number]
    # Batches of other sizes may be summed in another order: the last digit of a float is no influence.
    certain = np.abs(changes) > 1e-5 * max(1.0, float(np.abs(before).max()))
    return np.where(certain, np.abs(changes), 0.0).mean(axis=0)


def leak_from_the_future(predict: Predict, history: np.ndarray) -> float:
    """Return the largest change of any output when everything after it is replaced by other values; 0 if causal."""
    series = np.asarray(history, np.float32)
    now = series.shape[1] // 2
    changed = series.copy()
    changed[:, now:] = 3.0 - 2.0 * changed[:, now:]
    before, after = (np.asarray(predict(each[..., None]))[:, :now] for each in (series, changed))
    return float(np.abs(before - after).max())


def root_mean_square(values: np.ndarray) -> float:
    """Return the root of the mean of the squares."""
    return float(np.sqrt(np.mean(np.square(values))))


# --- what is shown ---


def items(settings: dict[str, Any], judged: list[Judged], validation: np.ndarray, complete: bool) -> list[Any]:
    """Return the outcome, as far as the run has got."""
    shown: list[Any] = [verdict(settings, judged, complete)]
    if not judged:
        return shown
    shown.append(
        Numbers(
            rows=tuple(
                Number(
                    label=f"Error of 32 steps, {STACKS[one.variant]}",
                    value=one.error(),
                    note="Root mean squared error of the free-running forecast; the series vary by 1.",
                )
                for one in judged
            )
        )
    )
    for number in range(SHOWN):
        forecasts = {one.variant: one.forecasts[number] for one in judged}
        title = f"Series {number + 1}, never seen: the forecast runs by itself from step 1 on"
        shown.append(forecast_lines(validation[number], forecasts, settings["period"], title))
    return [*shown, _errors(settings, judged), _influence(judged), _table(settings, judged, validation)]


def verdict(settings: dict[str, Any], judged: list[Judged], complete: bool) -> Verdict:
    """Return whether the sentence holds, by the errors of the free-running forecasts."""
    by_name = {one.variant: one for one in judged}
    sentence = sentence_of(settings)
    if not complete or set(by_name) != set(STACKS):
        why = "Both stacks have to be trained to the end to compare them."
        return Verdict(sentence=sentence, holds=None, because=why)
    plain, dilated = by_name["undilated"], by_name["dilated"]
    because = (
        f"Period {settings['period']} steps. Error of steps 1–{NEAR} and {NEAR + 1}–{HORIZON}: undilated, which looks "
        f"back {plain.field} steps, {plain.error(last=NEAR):.2f} and {plain.error(NEAR):.2f}; dilated, {dilated.field} "
        f"steps, {dilated.error(last=NEAR):.2f} and {dilated.error(NEAR):.2f}; noise alone is "
        f"{settings['noise']:.2f}."
    )
    if is_short(settings):
        return Verdict(sentence=sentence, holds=plain.error() <= dilated.error() + ALIKE, because=because)
    if dilated.field < settings["period"]:
        because += " With neither does the network see a whole period: it takes more layers or a larger kernel."
        return Verdict(sentence=sentence, holds=None, because=because)
    parts = ((0, NEAR), (NEAR, HORIZON))
    holds = all(dilated.error(*part) <= CLEARLY * plain.error(*part) for part in parts)
    return Verdict(sentence=sentence, holds=holds, because=because)


def forecast_lines(series: np.ndarray, forecasts: dict[str, np.ndarray], period: int, title: str) -> Lines:
    """Return forecasts over the truth; step 1 is the first that is not known."""
    past = min(max(period, HORIZON), len(series) - HORIZON)
    lines = [_line("truth", range(1 - past, HORIZON + 1), series[-HORIZON - past :], role="truth")]
    for variant, forecast in forecasts.items():
        # From the last known value on, so that the curves hang together.
        values = [series[-HORIZON - 1], *forecast]
        lines.append(_line(STACKS[variant], range(HORIZON + 1), values))
    return Lines(title=title, x_title="step", y_title="value", lines=tuple(lines))


def _line(name: str, x: Any, y: Any, **more: Any) -> Line:
    return Line(name=name, x=tuple(map(float, x)), y=tuple(round(float(value), 5) for value in y), **more)


def _errors(settings: dict[str, Any], judged: list[Judged]) -> Lines:
    steps = range(1, HORIZON + 1)
    floor = _line("noise alone", steps, [settings["noise"]] * HORIZON, role="truth", dashed=True)
    return Lines(
        title="Error of each step of the free-running forecast",
        x_title="step",
        y_title="root mean squared error",
        lines=(floor, *(_line(STACKS[one.variant], steps, one.errors, points=True) for one in judged)),
        note=f"Over {JUDGED_SERIES} series that were not learnt from. Who forecasts 0 for ever has an error of "
        f"{np.hypot(1, settings['noise']):.2f}.",
    )


def _influence(judged: list[Judged]) -> Lines:
    longest = 1 + max(one.field for one in judged)
    shown = range(1, min(longest + 8, len(judged[0].influence)) + 1)
    return Lines(
        title="What a forecast depends on",
        x_title="steps back",
        y_title="change of the forecast",
        lines=tuple(_line(STACKS[one.variant], shown, one.influence[: len(shown)]) for one in judged),
        note=(
            "One value of the past is raised by 1, one after the other, and the next forecast moves by so much. "
            "Beyond its receptive field a network is blind. Replacing all later values changed no output by more than "
            f"{max(one.leak for one in judged):.2g}: it is causal."
        ),
    )


def _table(settings: dict[str, Any], judged: list[Judged], validation: np.ndarray) -> Table:
    truth, known = validation[:, -HORIZON:], validation[:, :-HORIZON]
    period = settings["period"]
    again = known[:, -period:][:, np.arange(HORIZON) % period]
    rows: list[tuple[str | float | int | None, ...]] = [
        (
            STACKS[one.variant],
            one.field,
            one.measured,
            one.parameters,
            one.error(last=NEAR),
            one.error(NEAR),
            round(one.seconds, 1),
        )
        for one in judged
    ]
    for name, guess in (("last value again", known[:, -1:]), ("value one period before", again)):
        wrong = guess - truth
        rows.append(
            (name, None, None, None, root_mean_square(wrong[:, :NEAR]), root_mean_square(wrong[:, NEAR:]), None)
        )
    return Table(
        title="The networks, and two rules that need none",
        columns=(
            "forecast",
            "looks back, by the formula",
            "measured",
            "parameters",
            f"error, steps 1–{NEAR}",
            f"error, steps {NEAR + 1}–{HORIZON}",
            "seconds",
        ),
        rows=tuple(rows),
        digits=2,
        lit=tuple((row, column) for row in range(len(judged)) for column in (1, 4, 5)),
    )
