"""Explain many pictures in one go: a report of each in one zip, and a table of all."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.explanations import table
from explorer.explanations.batch import (
    BatchPicture,
    Many,
    ManyRow,
    MapLine,
    Parcel,
    map_line,
    packed,
    report_name,
    small,
)
from explorer.explanations.box import box_of
from explorer.explanations.explain import explain
from explorer.explanations.faithfulness import judged as judged_maps
from explorer.explanations.report import (
    Report,
    ReportedClass,
    ReportedMap,
    class_words,
    report,
    reported_map,
)
from explorer.explanations.results import Score, Scores, Target
from explorer.networks.catalogue import class_names
from explorer.networks.gradients import device_label
from explorer.networks.loading import LoadedNetwork, Weights, load
from explorer.networks.predictions import scores as scores_for
from explorer.networks.preprocessing import Fit, Fitted, prepare
from explorer.networks.preprocessing import fit as fit_picture
from explorer.networks.work_context import SentenceError, Stopped, WorkContext

log = logging.getLogger(__name__)

MOST_PICTURES = 50
MOST_FILES = 1000
_TOP = 5
_CARTOON = (
    "This network knows only twelve drawn things: on photos its answers are mostly wrong, and so a map shows what "
    "misled it."
)


def many(
    context: WorkContext,
    network: str,
    weights: Weights,
    pictures: Sequence[BatchPicture],
    methods: Sequence[str],
    fit: Fit = "pad",
    target: Target | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    layer: str | None = None,
    score: Score = "logits",
    judged: bool = False,
    seed: int = 0,
    earlier: Many | None = None,
) -> Many:
    """Explain up to fifty pictures by the same methods (named work).

    A file that is no picture, or a picture that cannot be explained, costs its own report only. When the visitor
    stops, the reports of all pictures that were done by then are kept. When others wait, it gives way between two
    pictures and returns what it has, with pictures not reached: called again with these and its result as `earlier`,
    it goes on as if it had never given way (see `left`).

    Args:
        context: The work's context.
        network: Name in the catalogue.
        weights: "trained" or "random".
        pictures: The pictures, and the files that were none.
        methods: Names in `explorer.explanations.table`.
        fit: How pictures are brought to the network's input size.
        target: What is explained; by default each picture's own predicted class.
        options: Options of the methods, by method.
        layer: Layer for the methods that look at one; None for the default.
        score: "logits" or "softmax".
        judged: Whether to score the maps by insertion and deletion as well, which takes longer.
        seed: Of everything random.
        earlier: What became of the pictures before these, from a call that gave way.

    Returns:
        A zip of reports, and the table; of the earlier pictures too.

    Raises:
        SentenceError: if the network cannot be loaded, or nothing is asked for.
        KeyError: if there is no such method.
    """
    methods = tuple(dict.fromkeys(methods))
    for name in methods:
        table.method(name)
    if not methods:
        raise SentenceError("Choose at least one method.")
    if len(pictures) > MOST_FILES or sum(one.pixels is not None for one in pictures) > MOST_PICTURES:
        raise SentenceError(f"At most {MOST_PICTURES} pictures are explained in one go: choose fewer.")
    if not pictures:
        raise SentenceError("Choose at least one picture.")
    before = () if earlier is None else earlier.rows
    total = len(before) + len(pictures)
    context.report(len(before), total, "pictures", "Loading the network")
    loaded = load(network, weights)
    started = time.perf_counter()
    one_go = _Go(loaded, methods, fit, target or Target(), dict(options or {}), layer, score, judged, seed)
    parcel, rows = Parcel(), list(before)
    if earlier is not None:
        parcel.take_over(earlier)
    explained_now = 0
    for picture in pictures:
        if context.stopped():
            break
        if picture.pixels is None:
            rows.append(ManyRow(picture.name, picture.sentence or "This file is no picture."))
            continue
        # One picture at least is explained in every turn, however long the network took to load.
        if explained_now and context.should_yield():
            break
        number = len(rows)
        inner = _Within(context, number, total, picture.name, len(methods) + judged)
        try:
            row, content = one_go.row(picture, picture.pixels, report_name(number + 1, picture.name), inner)
        except Stopped:
            break
        except Exception:  # whatever one picture brings about, the others' reports are worth keeping
            log.exception("A picture of a batch could not be explained.")
            row, content = ManyRow(picture.name, "This picture could not be explained: the log says why."), None
        if content is not None:
            parcel.add(f"reports/{row.report}", content)
        rows.append(row)
        explained_now += 1
        context.report(number + 1, total, "pictures", picture.name)
    not_reached = total - len(rows)
    archive, told = packed(parcel, rows, methods, loaded.entry.title, not_reached)
    explained = sum(bool(row.report) for row in rows)
    return Many(
        archive=archive,
        table=told,
        rows=tuple(rows),
        explained=explained,
        failed=len(rows) - explained,
        not_reached=not_reached,
        seconds=time.perf_counter() - started + (0.0 if earlier is None else earlier.seconds),
        device=device_label(),
        finished=not not_reached,
    )


class _Go:
    """What is the same for all pictures of one go."""

    def __init__(
        self,
        loaded: LoadedNetwork,
        methods: tuple[str, ...],
        fit: Fit,
        target: Target,
        options: dict[str, Mapping[str, Any]],
        layer: str | None,
        score: Score,
        judged: bool,
        seed: int,
    ) -> None:
        self.loaded, self.methods, self.fit, self.target, self.options = loaded, methods, fit, target, options
        self.layer, self.score, self.judged, self.seed = layer, score, judged, seed
        self.names = class_names(loaded.entry)

    def row(
        self, picture: BatchPicture, pixels: np.ndarray, report_file: str, context: _Within
    ) -> tuple[ManyRow, bytes | None]:
        """Return what became of a picture, and its report."""
        started = time.perf_counter()
        fitted = fit_picture(pixels, self.loaded.entry, self.fit)
        batch = prepare(fitted.pixels, self.loaded.entry)
        classes = self._classes(batch)
        maps: list[ReportedMap] = []
        lines: list[MapLine] = []
        for method in self.methods:
            context.begin(table.method(method).title)
            try:
                found = self._map(method, batch, context)
            except SentenceError as error:
                lines.append(MapLine(method, sentence=str(error)))
                continue
            maps.append(found)
            lines.append(map_line(found))
        if not maps:
            sentence = lines[0].sentence
            return ManyRow(picture.name, sentence, classes=classes, maps=tuple(lines)), None
        judged = self._scores(batch, maps, context) if self.judged else None
        row = ManyRow(
            name=picture.name,
            report=report_file,
            classes=classes,
            maps=tuple(lines),
            scores=judged,
            thumbnail=small(pixels),
            seconds=time.perf_counter() - started,
        )
        return row, report(self._report(picture, fitted, classes, maps, lines, judged))

    def _classes(self, batch: np.ndarray) -> tuple[ReportedClass, ...]:
        try:
            top = scores_for(self.loaded, batch).top(_TOP)
        except ValueError:
            return ()  # no vector of classes, but maybe channels to explain
        return tuple(ReportedClass(class_words(one.index, self.names), one.probability, one.logit) for one in top)

    def _map(self, method: str, batch: np.ndarray, context: _Within) -> ReportedMap:
        chosen = dict(self.options.get(method, {}))
        explanation = explain(
            self.loaded,
            batch,
            self.target,
            method,
            layer=self.layer if table.method(method).layer else None,
            score=self.score,
            seed=self.seed,
            context=context,
            **chosen,
        )
        found = reported_map(explanation, names=self.names, options=chosen, score_kind=self.score)
        return replace(found, box=box_of(found.values)) if table.has_box(method) else found

    def _scores(self, batch: np.ndarray, maps: Sequence[ReportedMap], context: _Within) -> Scores:
        context.begin("scores")
        values = {one.method: one.values for one in maps}
        return judged_maps(self.loaded, batch, self.target, values, seed=self.seed, context=context)

    def _report(
        self,
        picture: BatchPicture,
        fitted: Fitted,
        classes: tuple[ReportedClass, ...],
        maps: Sequence[ReportedMap],
        lines: Sequence[MapLine],
        judged: Scores | None,
    ) -> Report:
        entry = self.loaded.entry
        failed = [f"{table.method(line.method).title}: {line.sentence}" for line in lines if line.sentence]
        drawn = picture.source.startswith(("drawn:", "scene:"))
        height, width = fitted.picture_size
        ways = {"pad": "whole picture, grey beside it", "crop": "its centre", "stretch": "stretched"}
        return Report(
            title=picture.name,
            picture=fitted.pixels,
            network=entry.title,
            weights=self.loaded.weights,
            classes=classes,
            maps=tuple(maps),
            scores=judged,
            picture_facts=(("Size", f"{width} × {height} pixels"), ("Fitted", ways[fitted.how])),
            settings=(
                ("Score", self.score),
                ("Seed", str(self.seed)),
                *((("Left out", " ".join(failed)),) if failed else ()),
            ),
            warning=_CARTOON if entry.family == "Drawn world" and not drawn else "",
            device=device_label(),
        )


class _Within:
    """Hears of the progress inside one picture and tells it as a part of all."""

    def __init__(self, context: WorkContext, number: int, total: int, name: str, parts: int) -> None:
        self._context, self._number, self._total, self._name, self._parts = context, number, total, name, parts
        self._part = -1
        self._title = ""

    def begin(self, title: str) -> None:
        """Go on to the next method."""
        self._part += 1
        self._title = title
        self._context.raise_if_stopped()
        self.report(0, 1)

    def report(
        self,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
        message: str = "",
        payload: Any = None,
        part: int = 0,
    ) -> None:
        """Tell how far all pictures have come; what a method shows meanwhile is left out."""
        share = done / total if done is not None and total else 0.0
        inside = (self._part + min(max(share, 0.0), 1.0)) / max(1, self._parts)
        self._context.report(self._number + min(inside, 1.0), self._total, "pictures", f"{self._name}: {self._title}")

    def told(self) -> dict[str, Any]:
        """Return what the page has said."""
        return self._context.told()

    def should_yield(self) -> bool:
        """Return False: a picture is finished first."""
        return False

    def stopped(self) -> bool:
        """Return whether the visitor asked to stop."""
        return self._context.stopped()

    def raise_if_stopped(self) -> None:
        """End the picture here if the visitor asked for it."""
        self._context.raise_if_stopped()
