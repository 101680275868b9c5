"""The table of named work: which function does it, and in which lane it waits.

A page names work, never a function; only what stands here can be run. Quick work is what a visitor waits for with
the hand on a control: one pass through a network, or less. Long work has a progress bar: many passes, or a
download. Quick work never waits behind long work. What work returns is unpickled in the web process, so its classes
live in modules without Keras. Whatever takes more than a minute or so is a training run's
business and not the engine's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Lane = Literal["quick", "long"]

LANES: tuple[Lane, ...] = get_args(Lane)

KEPT_MESSAGES = 10
"""How many past messages Dask keeps on each connection for its own debugging. They hold visitors' pictures, and the
thousand that it would keep hundreds of megabytes."""

_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Work:
    """One entry of the table.

    Attributes:
        path: "package.module:function", imported in the worker; the function takes a `WorkContext` first and
            then what was handed to `Engine.submit`, by name.
        lane: in which lane it waits.
    """

    path: str
    lane: Lane


_table: dict[str, Work] = {
    "inside.overview": Work("explorer.inside.feature_maps:overview", "quick"),
    "inside.layer_maps": Work("explorer.inside.feature_maps:layer_maps", "quick"),
    "inside.receptive_field": Work("explorer.inside.receptive_field:receptive_field", "quick"),
    "inside.filter_of": Work("explorer.inside.filters:filter_of", "quick"),
    # What is large takes seconds to build and to run: nobody's hand on a control shall wait behind it.
    "inside.overview.large": Work("explorer.inside.feature_maps:overview", "long"),
    "inside.layer_maps.large": Work("explorer.inside.feature_maps:layer_maps", "long"),
    "inside.receptive_field.large": Work("explorer.inside.receptive_field:receptive_field", "long"),
    "inside.filter_of.large": Work("explorer.inside.filters:filter_of", "long"),
    "inside.top_patches": Work("explorer.inside.patches:top_patches", "long"),
    "inside.neighbours": Work("explorer.inside.neighbours:neighbours", "long"),
    "ascent.grow": Work("explorer.ascent.work:grow", "long"),
    "ascent.dream": Work("explorer.ascent.work:dream", "long"),
    "explanations.explain": Work("explorer.explanations.work:explain_work", "quick"),
    # Methods that sample, and large networks.
    "explanations.explain.long": Work("explorer.explanations.work:explain_work", "long"),
    "explanations.switch_off": Work("explorer.explanations.judge_work:switch_off", "quick"),
    "explanations.switch_off.large": Work("explorer.explanations.judge_work:switch_off", "long"),
    "explanations.judge": Work("explorer.explanations.judge_work:judge", "long"),
    "explanations.sanity": Work("explorer.explanations.judge_work:sanity", "long"),
    "explanations.channel_effects": Work("explorer.explanations.judge_work:channel_effects", "long"),
    "explanations.many": Work("explorer.explanations.many:many", "long"),
    "gradient_flow.race_network": Work("explorer.gradient_flow.network_race:race_network", "long"),
    "gradient_flow.regularise": Work("explorer.gradient_flow.regularisers:compare", "long"),
    "gradient_flow.vanishing": Work("explorer.gradient_flow.depth_work:vanishing", "long"),
    "gradient_flow.paths": Work("explorer.gradient_flow.depth_work:paths", "long"),
    "gradient_flow.degradation": Work("explorer.gradient_flow.depth_work:degradation", "long"),
    "gradient_flow.loss_surface": Work("explorer.gradient_flow.depth_work:loss_surfaces", "long"),
    "runs.apply": Work("explorer.runs.applying:apply", "long"),
    "networks.structure": Work("explorer.networks.describe:structure_of", "quick"),
    "networks.download": Work("explorer.networks.weights:download_work", "long"),
}


def register(name: str, path: str, lane: Lane) -> None:
    """Add named work to the table of this process, or replace it.

    The path travels with every call, so workers that run already need no word of it.

    Args:
        name: how pages call it, "topic.what".
        path: "package.module:function"; the workers must be able to import it.
        lane: "quick" or "long".

    Raises:
        ValueError: if the path or the lane is malformed.
    """
    if not _PATH.fullmatch(path):
        raise ValueError(f'A path reads "package.module:function", not {path!r}.')
    if lane not in LANES:
        raise ValueError(f"A lane is one of {', '.join(LANES)}, not {lane!r}.")
    _table[name] = Work(path, lane)


def work(name: str) -> Work:
    """Return the entry of named work.

    Raises:
        KeyError: if the table has no such name.
    """
    try:
        return _table[name]
    except KeyError:
        raise KeyError(f"There is no work named {name!r}; the table has {', '.join(sorted(_table))}.") from None


def names() -> tuple[str, ...]:
    """Return the names of all work, sorted."""
    return tuple(sorted(_table))
