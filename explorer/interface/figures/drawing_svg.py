"""A drawing as SVG: vectors and real text, nothing that could run."""

from __future__ import annotations

import re

from explorer.interface.figures.drawing import Band, Drawing, Outline, Part, Raster, Run, Tile, Words

FONTS = "'Source Sans 3', 'Source Sans Pro', 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def svg(drawing: Drawing) -> str:
    """Return the drawing as an SVG document, well-formed whatever its texts say."""
    width, height = drawing.width, drawing.height
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="{FONTS}" style="font-variant-numeric: tabular-nums">',
        f"<title>{_escaped(drawing.words)}</title>",
        f'<rect width="{width}" height="{height}" fill="{drawing.background}"/>',
        *(_part(part) for part in drawing.parts.values()),
        "</svg>",
    ]
    return "\n".join(line for line in lines if line)


def _escaped(text: str) -> str:
    text = _FORBIDDEN.sub("", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _part(part: Part) -> str:
    match part:
        case Tile():
            return _tile(part)
        case Outline():
            half = part.edge / 2
            return (
                f'<rect x="{_n(part.x + half)}" y="{_n(part.y + half)}" width="{_n(part.width - part.edge)}" '
                f'height="{_n(part.height - part.edge)}" fill="none" stroke="{part.colour}" '
                f'stroke-width="{_n(part.edge)}"/>'
            )
        case Words():
            return _words(part)
        case Band():
            strokes = "".join(
                f'<path d="M{_n(s.x1)} {_n(s.y1)}L{_n(s.x2)} {_n(s.y2)}" stroke="{s.colour}" '
                f'stroke-width="{_n(s.width)}"/>'
                for s in part.strokes
            )
            return f'<g stroke-linecap="round">{strokes}</g>' if strokes else ""
        case Raster():
            return _raster(part)


def _tile(tile: Tile) -> str:
    stroke, inset = "", 0.0
    if tile.stroke:
        inset = tile.edge / 2
        stroke = f' stroke="{tile.stroke}"' + (f' stroke-width="{_n(tile.edge)}"' if tile.edge != 1 else "")
        stroke += ' stroke-dasharray="3 2"' if tile.dashed else ""
    box = (
        f'<rect x="{_n(tile.x + inset)}" y="{_n(tile.y + inset)}" width="{_n(tile.width - 2 * inset)}" '
        f'height="{_n(tile.height - 2 * inset)}" rx="2" fill="{tile.fill}"{stroke}/>'
    )
    if not tile.text:
        return box
    words = Words(
        tile.x + tile.width / 2,
        tile.y + tile.height / 2,
        (Run(tile.text, tile.ink, tile.bold),),
        tile.size,
        "middle",
    )
    return box + _words(words)


def _words(words: Words) -> str:
    anchor = "" if words.anchor == "start" else f' text-anchor="{words.anchor}"'
    runs = [run for run in words.runs if run.text]
    if not runs:
        return ""
    # A third of the size below the middle is where capitals and digits of these fonts stand; dominant-baseline is
    # not understood by slide programs.
    head = f'<text x="{_n(words.x)}" y="{_n(words.y + 0.35 * words.size)}" font-size="{_n(words.size)}"{anchor}'
    if len(runs) == 1:
        weight = ' font-weight="600"' if runs[0].bold else ""
        return f'{head} fill="{runs[0].colour}"{weight}>{_escaped(runs[0].text)}</text>'
    spans = "".join(
        f'<tspan fill="{run.colour}"{" font-weight=" + chr(34) + "600" + chr(34) if run.bold else ""}>'
        f"{_escaped(run.text)}</tspan>"
        for run in runs
    )
    return f'{head} xml:space="preserve">{spans}</text>'


def _raster(raster: Raster) -> str:
    """Return one path for each colour, its cells in a row joined."""
    cell = raster.cell
    paths: dict[int, list[str]] = {}
    for y, row in enumerate(raster.rows):
        start = 0
        for x in range(1, len(row) + 1):
            if x == len(row) or row[x] != row[start]:
                paths.setdefault(row[start], []).append(
                    f"M{_n(raster.x + start * cell)} {_n(raster.y + y * cell)}"
                    f"h{_n((x - start) * cell)}v{_n(cell)}h{_n(-(x - start) * cell)}z"
                )
                start = x
    return "".join(
        f'<path fill="{raster.colours[colour]}" d="{"".join(path)}" shape-rendering="crispEdges"/>'
        for colour, path in sorted(paths.items())
    )
