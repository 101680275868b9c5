"""A report on one picture as one HTML file: opens without internet, in light and dark, prints, runs no code.

Sizes are told as width × height everywhere in it, places as column and row.
"""

from __future__ import annotations

import html
import importlib.metadata
import os
import platform
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from explorer.explanations import table
from explorer.explanations.colouring import centred, css_gradient, scale_end
from explorer.explanations.report_look import STYLE, curves_chart, data_uri, matrix_colour, overlaid, painted
from explorer.explanations.results import Box, Cost, Explanation, Fact, Scores, Target

MOST_NAME = 120
_BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}
_PIXELATED = 160  # pictures with fewer pixels a side are enlarged cell by cell


@dataclass(frozen=True)
class ReportedClass:
    """One class of the network's answer.

    Attributes:
        name: Of the class, for people.
        probability: Its softmax over all classes, 0 to 1.
        logit: Its score before the softmax, or None where there is none.
    """

    name: str
    probability: float
    logit: float | None = None


@dataclass(frozen=True, eq=False)
class ReportedMap:
    """One map with everything that must stand beside it.

    Attributes:
        method: Name in `explorer.explanations.table`.
        values: float32 (h, w), at the size of the picture, neither clipped nor stretched.
        signed: Whether the sign has a meaning.
        target: What was explained, in words: "cat", "cat against fish".
        score: The target's score, or None.
        score_kind: "logits" or "softmax".
        layer: Path of the layer that was looked at, or "".
        facts: Numbers that belong to the map.
        notes: Sentences that a display must show.
        options: The method's knobs with their values, in words.
        cost: What the map took, or None.
        box: Where the map says that the object is, in pixels of the picture, or None.
        name: What the rows of `Scores` call it; the method's name by default.
    """

    method: str
    values: np.ndarray
    signed: bool
    target: str
    score: float | None = None
    score_kind: str = "logits"
    layer: str = ""
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    cost: Cost | None = None
    box: Box | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Report:
    """What a report is made of.

    Attributes:
        title: The picture's name.
        picture: uint8 (h, w, 3), as the network got it.
        network: The network's name for people.
        weights: "trained" or "random".
        classes: The most probable classes, the most probable first.
        maps: The maps, all of the picture's size.
        scores: How the maps fare, or None where they were not judged.
        picture_facts: Where the picture comes from and what was done to it, as (name, value).
        settings: Further settings, as (name, value).
        warning: A sentence that must be read first, such as that a photo met a network of drawings; or "".
        code: The Python lines that compute the maps, or "".
        link: Address of the page that shows the same, or "".
        device: What computed it, in words, or "".
        made: When; now if None.
    """

    title: str
    picture: np.ndarray
    network: str
    weights: str
    classes: tuple[ReportedClass, ...]
    maps: tuple[ReportedMap, ...]
    scores: Scores | None = None
    picture_facts: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    warning: str = ""
    code: str = ""
    link: str = ""
    device: str = ""
    made: datetime | None = None


# --- from results to what is reported ---


def reported_map(
    explanation: Explanation,
    number: int = 0,
    *,
    names: Sequence[str] | None = None,
    options: dict[str, object] | None = None,
    score_kind: str = "logits",
    box: Box | None = None,
    name: str = "",
) -> ReportedMap:
    """Return what a report says of one map of an explanation.

    Args:
        explanation: As `explorer.explanations.explain.explain` gave it.
        number: Which of its pictures.
        names: Names of the classes.
        options: The options it was asked with; what is missing has the table's default.
        score_kind: Which score was explained.
        box: See `ReportedMap`.
        name: See `ReportedMap`.
    """
    about = table.METHODS.get(explanation.method)
    chosen = options or {}
    knobs = tuple(
        (option.label, _value(chosen.get(option.name, option.default))) for option in (about.options if about else ())
    )
    return ReportedMap(
        method=explanation.method,
        values=explanation.maps[number],
        signed=explanation.signed,
        target=target_words(explanation.target, explanation.indices[number], names),
        score=float(explanation.scores[number]),
        score_kind=score_kind if explanation.target.kind == "class" else "logits",
        layer=explanation.layer,
        facts=explanation.facts[number] if explanation.facts else (),
        notes=explanation.notes,
        options=knobs,
        cost=explanation.cost,
        box=box,
        name=name,
    )


def target_words(target: Target, index: int, names: Sequence[str] | None = None) -> str:
    """Return what was explained in a few words, such as "cat against fish" or "channel 3 of objects_1_relu"."""
    if target.kind == "channel":
        return f"channel {index} of {target.layer}"
    if target.kind == "cell":
        return f"channel {index} of {target.layer} at row {target.row}, column {target.column}"
    words = class_words(index, names)
    return words if target.against is None else f"{words} against {class_words(target.against, names)}"


def class_words(index: int, names: Sequence[str] | None = None) -> str:
    """Return the name of a class, or its number where names are not at hand."""
    return names[index] if names is not None and 0 <= index < len(names) else f"class {index}"


def versions() -> tuple[tuple[str, str], ...]:
    """Return the names and versions of what computes maps, without importing any of it."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    found = [("Python", platform.python_version())]
    for package in ("keras", _BACKENDS.get(backend, "tensorflow"), "numpy", "scikit-image"):
        try:
            found.append((package, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return tuple(found)


# --- the file ---


def report(content: Report) -> bytes:
    """Return a report as one self-contained HTML file.

    Every picture is inside it; nothing is fetched, and its own policy forbids all scripts. Texts from outside (file
    names above all) are shown as text whatever they contain.

    Args:
        content: What it says.

    Returns:
        UTF-8 bytes of a file to be called something.html.
    """
    made = content.made or datetime.now(UTC)
    parts = [
        _head(content),
        _maps(content),
        _scores(content),
        _settings(content, made),
        _code(content),
        _foot(made),
    ]
    return page(content.title, "".join(parts))


def page(title: str, body: str) -> bytes:
    """Return an HTML document in the look of the reports around a body that is HTML already."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)} – CNN Explorer</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    ).encode()


def text(words: object, most: int = 0) -> str:
    """Return words as HTML text that is nothing but text.

    Control and direction characters are left out, since they could make a line read as another one.

    Args:
        words: Anything; its `str` is taken.
        most: Cut to this many characters; 0 for no limit.
    """
    plain = "".join(c for c in str(words) if c in "\n\t" or unicodedata.category(c)[0] != "C")
    if most and len(plain) > most:
        plain = plain[: most - 1] + "…"
    return html.escape(plain, quote=True)


def number_words(value: float | None, digits: int = 3) -> str:
    """Return a number with a few significant digits and a true minus sign; "–" for none."""
    if value is None:
        return "–"
    if np.isnan(value):
        return "not a number"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if float(value).is_integer() and size < 1e15:
        return f"{value:,.0f}".replace("-", "−")
    if 1e-3 <= size < 1e5:
        decimals = max(0, digits - 1 - int(np.floor(np.log10(size))))
        words = f"{value:,.{decimals}f}"
    else:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        words = f"{mantissa} · 10{_raised(int(power))}"
    return words.replace("-", "−")


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def percent(share: float) -> str:
    """Return a share as "97.3 %"; what is not quite all or nothing is not rounded to it."""
    if 0.9995 <= share < 1:
        return ">\N{NO-BREAK SPACE}99.9\N{NO-BREAK SPACE}%"
    if 0 < share < 0.0005:
        return "<\N{NO-BREAK SPACE}0.1\N{NO-BREAK SPACE}%"
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _image(pixels: np.ndarray, words: str, kind: str = "") -> str:
    small = " pixelated" if max(pixels.shape[:2]) < _PIXELATED else ""
    height, width = pixels.shape[:2]
    return f'<img class="{kind}{small}" src="{data_uri(pixels)}" width="{width}" height="{height}" alt="{text(words)}">'


def _head(content: Report) -> str:
    height, width = content.picture.shape[:2]
    lead = "The network gives no classes."
    if content.classes:
        best = content.classes[0]
        lead = f"{text(content.network)} sees <strong>{text(best.name)}</strong>: {percent(best.probability)}."
    if content.weights == "random":
        lead += " Its weights are random: it has learnt nothing."
    warning = f'<p class="note">{text(content.warning)}</p>' if content.warning else ""
    return (
        '<header><figure class="picture">'
        f"{_image(content.picture, f'{content.title}, as the network got it')}"
        f"<figcaption>As the network got it, {width} × {height} pixels</figcaption></figure>"
        f'<div><p class="kicker">CNN Explorer · Why did the network say so?</p>'
        f"<h1>{text(content.title, MOST_NAME)}</h1>"
        f'<p class="lead">{lead}</p>{warning}{_classes(content.classes)}</div></header>'
    )


def _classes(classes: Sequence[ReportedClass]) -> str:
    if not classes:
        return ""
    logits = any(one.logit is not None for one in classes)
    rows = "".join(
        f"<tr><th scope='row'>{text(one.name, 60)}</th>"
        f'<td class="bar"><span style="width:{100 * min(max(one.probability, 0.0), 1.0):.1f}%"></span></td>'
        f'<td class="number">{percent(one.probability)}</td>'
        + (f'<td class="number">{number_words(one.logit)}</td>' if logits else "")
        + "</tr>"
        for one in classes
    )
    logit_head = '<th scope="col" class="number">Logit</th>' if logits else ""
    return (
        '<table class="classes"><thead><tr><th scope="col">Class</th><th></th>'
        f'<th scope="col" class="number">Probability</th>{logit_head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _title(one: ReportedMap) -> str:
    about = table.METHODS.get(one.method)
    return about.title if about else one.method


def _maps(content: Report) -> str:
    if not content.maps:
        return ""
    cards = "".join(_card(content.picture, one) for one in content.maps)
    return (
        "<section><h2>What the score depends on</h2>"
        '<p class="how">Left: the map over the picture, which is dimmed where the map is near 0. Right: the map alone. '
        "Each map has its own scale, which always holds 0 and is never stretched to look lively.</p>"
        f'<div class="cards">{cards}</div></section>'
    )


def _card(picture: np.ndarray, one: ReportedMap) -> str:
    about = table.METHODS.get(one.method)
    title = _title(one)
    where = _strongest_words(one.values)
    box = _box(one.box, one.values.shape)
    notes = "".join(f'<p class="note">{text(note)}</p>' for note in (*_value_notes(one.values), *one.notes))
    facts = "".join(
        f"<div title='{text(fact.note)}'><dt>{text(fact.name)}</dt><dd>{number_words(fact.value)}"
        f"{' ' + text(fact.unit) if fact.unit else ''}</dd></div>"
        for fact in one.facts
    )
    small = [("Question", about.question), ("Definition", about.definition), ("Source", about.source)] if about else []
    if one.layer:
        small.append(("Layer", one.layer))
    small += [(label, value) for label, value in one.options]
    if one.cost is not None:
        small.append(("Cost", _cost(one.cost)))
    if about:
        small.append(("It does not prove", about.limit))
    score = "" if one.score is None else f", {_score_words(one)}"
    return (
        f'<article class="card"><h3>{text(title)}</h3>'
        f'<p class="target">for <strong>{text(one.target)}</strong>{score}</p>'
        '<div class="pair">'
        f'<div class="over">{_image(overlaid(picture, one.values, one.signed), f"{title} over the picture; {where}")}'
        f"{box}</div>"
        f"<div>{_image(painted(one.values, one.signed), f'{title} alone; {where}')}</div></div>"
        f"{_legend(one.values, one.signed)}{notes}"
        + (f'<dl class="facts">{facts}</dl>' if facts else "")
        + f'<dl class="small">{"".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in small)}</dl></article>'
    )


def _score_words(one: ReportedMap) -> str:
    if one.score_kind == "softmax":
        difference = "difference of probabilities" if " against " in one.target else "probability"
        return f"{difference} {number_words(one.score)}"
    return f"{'difference of logits' if ' against ' in one.target else 'score'} {number_words(one.score)}"


def _value_notes(values: np.ndarray) -> list[str]:
    unreal = int(np.count_nonzero(~np.isfinite(values)))
    if unreal:
        return [
            f"{unreal:,} of the map's values are not finite numbers; they have a colour of their own, bright green."
        ]
    # A map of zeros is explained by a note of its own.
    if values.size > 1 and values.min() == values.max() != 0:
        return [f"The map is the same everywhere: {number_words(float(values.flat[0]))}."]
    return []


def _legend(values: np.ndarray, signed: bool) -> str:
    end, diverging = scale_end(values), centred(values, signed)
    if end == 0:
        words = "zero everywhere" if np.isfinite(values).any() else "not a number anywhere"
        return f'<p class="legend"><span>{words}</span></p>'
    low = f"−{number_words(end)}" if diverging else "0"
    middle = "<span>0</span>" if diverging else ""
    against, speaks_for = ("<span>against</span>", "<span>for</span>") if signed else ("", "")
    return (
        f'<div class="legend"><div class="ramp" style="background:{css_gradient(diverging)}"></div>'
        f'<div class="ends"><span>{low}</span>{middle}<span>{number_words(end)}</span></div>'
        f'<div class="ends what">{against}<span>this map’s own scale</span>{speaks_for}</div></div>'
    )


def _told_box(name: str, box: Box | None, maps: Iterable[ReportedMap]) -> Box | None:
    """Return the box of a scored map if such a box means anything for its method."""
    method = next((one.method for one in maps if name == (one.name or one.method)), name)
    return box if method in table.METHODS and table.has_box(method) else None


def _box_words(box: Box) -> str:
    """Return a box as sizes are told everywhere, width × height, and where its corner is."""
    top, left, bottom, right = (round(each) for each in box)
    return f"{right - left} × {bottom - top} at column {left}, row {top}"


def _box(box: Box | None, shape: tuple[int, ...]) -> str:
    if box is None:
        return ""
    top, left, bottom, right = (float(value) for value in box)
    height, width = shape
    return (
        f'<svg class="box" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}"/>'
        f'<rect class="inner" x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}"/></svg>'
    )


def _strongest_words(values: np.ndarray) -> str:
    """Return where a map is strongest, for whoever cannot see it."""
    sizes = np.abs(np.where(np.isfinite(values), values, 0.0))
    if not sizes.any():
        return "zero everywhere"
    row, column = np.unravel_index(int(sizes.argmax()), sizes.shape)
    vertical = ("top", "middle", "bottom")[min(2, int(3 * row / sizes.shape[0]))]
    horizontal = ("left", "centre", "right")[min(2, int(3 * column / sizes.shape[1]))]
    return f"strongest at the {vertical} {horizontal}, row {row}, column {column}"


def _cost(cost: Cost) -> str:
    passes = f"{cost.forward:,} forward"
    if cost.backward:
        passes += f", {cost.backward:,} backward"
    seconds = f"{1000 * cost.seconds:.0f} ms" if cost.seconds < 1 else f"{cost.seconds:.1f} s"
    together = f"; up to {cost.batch:,} at a time" if cost.batch > 1 else ""
    return f"{seconds}; pictures through the network: {passes}{together}"


def _scores(content: Report) -> str:
    scores = content.scores
    if scores is None or not scores.rows:
        return ""
    titles = [_row_title(row.method, content.maps) for row in scores.rows]
    masked = any(row.hit is not None for row in scores.rows)
    boxes = [_told_box(row.method, row.box, content.maps) for row in scores.rows]
    boxed = any(box is not None for box in boxes)
    judged = scores.rows[:-1] or scores.rows
    best_insertion = max(row.insertion.area for row in judged)
    best_deletion = min(row.deletion.area for row in judged)

    def cell(value: float, best: float) -> str:
        return f'<td class="number{" best" if value == best else ""}">{value:.3f}</td>'

    rows = []
    for title, row, found in zip(titles, scores.rows, boxes, strict=True):
        mask = ""
        if masked:
            hit = "–" if row.hit is None else "yes" if row.hit else "no"
            overlap = "–" if row.overlap is None else f"{row.overlap:.2f}"
            mask = f'<td class="number">{hit}</td><td class="number">{overlap}</td>'
        box = ""
        if boxed:
            words = "–" if found is None else _box_words(found)
            box = f'<td class="number">{words}</td>'
        kind = ' class="random"' if row.method == "random" else ""
        rows.append(
            f"<tr{kind}><th scope='row'>{text(title)}</th>{cell(row.insertion.area, best_insertion)}"
            f"{cell(row.deletion.area, best_deletion)}{mask}{box}</tr>"
        )
    heads = ["Insertion ↑", "Deletion ↓"]
    heads += ["Points at it", "Overlap (IoU)"] if masked else []
    heads += ["Box (width × height)"] if boxed else []
    head = "".join(f'<th scope="col" class="number">{words}</th>' for words in heads)
    charts = "".join(
        f"<figure><figcaption>{caption}</figcaption>{curves_chart(curves, caption)}</figure>"
        for caption, curves in (
            ("Insertion: the most important pixels first", _curves(titles, [row.insertion for row in scores.rows])),
            ("Deletion: the most important pixels first", _curves(titles, [row.deletion for row in scores.rows])),
        )
    )
    random = "A map that does no better than the random one in a column has shown nothing there. " if judged else ""
    true = (
        "“Points at it” says whether the map's highest point lies on the drawn object, “overlap” how well the map "
        "above 0.3 of its maximum covers it. "
        if masked
        else ""
    )
    return (
        "<section><h2>Does the network agree with its maps?</h2>"
        '<p class="how">Area under the score of the target (for a class its probability) while the pixels that a map '
        "calls important are put into a blurred copy of the picture (insertion, higher is better), or blackened one "
        f"after the other (deletion, lower is better), by the trapezoid rule. {true}{random}The two scores often "
        "disagree, so both are shown.</p>"
        f'<div class="wide"><table class="scores"><thead><tr><th scope="col">Map</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        f'<div class="charts">{charts}</div>{_agreement(titles, scores.agreement)}</section>'
    )


def _row_title(name: str, maps: Iterable[ReportedMap]) -> str:
    if name == "random":
        return "Random map"
    for one in maps:
        if name == (one.name or one.method):
            return _title(one) if not one.name else f"{_title(one)}, {one.target}"
    about = table.METHODS.get(name)
    return about.title if about else name


def _curves(titles: Sequence[str], curves: Sequence) -> list[tuple[str, np.ndarray, np.ndarray]]:
    return [(title, curve.shares, curve.scores) for title, curve in zip(titles, curves, strict=True)]


def _agreement(titles: Sequence[str], matrix: np.ndarray) -> str:
    if len(titles) < 2 or matrix.shape != (len(titles), len(titles)):
        return ""
    head = "".join(f'<th scope="col"><span>{text(title)}</span></th>' for title in titles)
    rows = []
    for title, values in zip(titles, matrix, strict=True):
        cells = []
        for value in values:
            words = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")
            cells.append(f'<td class="number" style="background:{matrix_colour(float(value))}">{words}</td>')
        rows.append(f"<tr><th scope='row'>{text(title)}</th>{''.join(cells)}</tr>")
    return (
        "<h3>Do the maps agree with each other?</h3>"
        '<p class="how">Spearman\'s rank correlation over all pixels: 1 for the same order, 0 for none, – where a map '
        "is constant.</p>"
        f'<div class="wide"><table class="matrix"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _settings(content: Report, made: datetime) -> str:
    network = [("Network", content.network), ("Weights", content.weights)]
    if content.device:
        network.append(("Computed on", content.device))
    groups = [
        ("Picture", [("Name", content.title), *content.picture_facts]),
        ("Network", [*network, *content.settings]),
        ("Versions", [*versions(), ("Made", f"{made.astimezone(UTC):%Y-%m-%d %H:%M} UTC")]),
    ]
    columns = "".join(
        f"<div><h3>{heading}</h3><dl class='small'>"
        + "".join(f"<dt>{text(name)}</dt><dd>{text(value, 300)}</dd>" for name, value in rows)
        + "</dl></div>"
        for heading, rows in groups
    )
    return f'<section class="settings"><h2>How it was made</h2><div class="columns">{columns}</div></section>'


def _code(content: Report) -> str:
    parts = ""
    if content.code:
        parts += f"<pre><code>{text(content.code)}</code></pre>"
    if content.link.startswith(("https://", "http://")):
        parts += f'<p class="link">The same on the page: <a href="{text(content.link)}">{text(content.link)}</a></p>'
    return f"<section><h2>Once more</h2>{parts}</section>" if parts else ""


def _foot(made: datetime) -> str:
    return (
        "<footer><p>A map shows on what the network's score depends, by one definition of that. It does not show that "
        "the network is right, nor what a person would look at.</p>"
        f"<p>CNN Explorer, {made.astimezone(UTC):%Y-%m-%d}</p></footer>"
    )
