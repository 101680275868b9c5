"""A stage as a picture for slides: SVG, PNG and an animated GIF, in the colours of the page."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image

from explorer.convolution.stage import Board, Link, Stage
from explorer.convolution.sum_line import Piece, number_text, pieces, stamp_pieces
from explorer.interface.figures import drawing_svg
from explorer.interface.figures.drawing import (
    Band,
    Drawing,
    Key,
    Outline,
    Part,
    Raster,
    Run,
    Stroke,
    Tile,
    Words,
    contrast,
    mixed,
    text_on,
)
from explorer.interface.figures.drawing_pixels import Sheet, pixels, text_width
from explorer.interface.figures.gif_file import CLEAR, GIF_END, gif_blocks
from explorer.interface.figures.shades import shades as shades_of
from explorer.interface.figures.stage_look import Look, look_at, look_so_far, terms_of, windows
from explorer.interface.theme import Palette

MOST_FRAMES = 120
MOST_GIF_BYTES = 2_000_000
_MOST_PIXELS = 16_000_000
_MOST_GIF_PIXELS = 900_000

_MARGIN = 28.0
_GAP = 3.0
_BETWEEN = 56.0
_WIDEST = 2250.0
_NARROWEST = 560.0
_LINE = 22.0
_MOST_LINES = 4
_LAYERS_APART = 58.0
_SLACK = 1.08
"""How much wider than measured a line may be: whoever opens the SVG may lack the page's font."""


@dataclass(frozen=True)
class _Place:
    """Where a board stands.

    Attributes:
        cell: width and height of its cells.
        size: of the numbers on them.
        corners: left top corner of each plane.
        spots: left edge of each column, where columns are not evenly apart.
    """

    board: Board
    x: float
    y: float
    width: float
    height: float
    cell: tuple[float, float]
    gap: float
    size: float
    corners: tuple[tuple[float, float], ...]
    spots: tuple[float, ...] = ()

    def box(self, plane: int, row: int, column: int) -> tuple[float, float]:
        """Return the left top corner of a cell."""
        left, top = self.corners[plane]
        x = self.spots[column] if self.spots else left + column * (self.cell[0] + self.gap)
        return x, top + row * (self.cell[1] + self.gap)

    def middle(self, cell: int) -> tuple[float, float]:
        """Return the middle of a cell, by its flat number."""
        _, width, planes = self.board.values.shape
        place, plane = divmod(cell, planes)
        left, top = self.box(plane, *divmod(place, width))
        return left + self.cell[0] / 2, top + self.cell[1] / 2


@dataclass(frozen=True)
class _Layout:
    """Where everything stands; nothing in it depends on the step."""

    places: dict[str, _Place]
    width: float
    below: float
    still: dict[Key, Part]


def svg(stage: Stage, palette: Palette, step: int | None = None) -> str:
    """Return the stage as an SVG document with real text.

    Args:
        stage: what to draw.
        palette: colours of the theme.
        step: position in `stage.steps.order` that is lit and written out; None for none.
    """
    return drawing_svg.svg(_still(stage, palette, step))


def png(stage: Stage, palette: Palette, step: int | None = None, scale: float = 2) -> bytes:
    """Return the stage as a PNG; a very large one is drawn at a smaller scale, so that it has 16 megapixels at most."""
    drawing = _still(stage, palette, step)
    scale = min(scale, math.sqrt(_MOST_PIXELS / (drawing.width * drawing.height)))
    target = io.BytesIO()
    pixels(drawing, scale).save(target, "PNG", compress_level=6)
    return target.getvalue()


def _still(stage: Stage, palette: Palette, step: int | None) -> Drawing:
    layout = _laid_out(stage, palette)
    lines = _sum_lines(stage, palette, step, layout.width - 2 * _MARGIN)
    return _drawn(stage, palette, layout, look_at(stage, step), lines, len(lines), step)


def _drawn(
    stage: Stage,
    palette: Palette,
    layout: _Layout,
    look: Look,
    lines: list[tuple[Run, ...]],
    room: int,
    step: int | None,
) -> Drawing:
    """Return the drawing; `room` is how many lines the sum may take in any frame."""
    parts: dict[Key, Part] = {}
    parts |= _connections(stage, palette, layout, look)
    parts |= layout.still
    for place in layout.places.values():
        parts |= _cells(stage, palette, place, look)
    parts |= _frames(palette, layout, look, stack=stage.layout == "stack")
    y = layout.below
    if room:
        y += 6
        for number, line in enumerate(lines):
            parts["sum", number] = Words(_MARGIN, y + (number + 0.5) * _LINE, line, 16)
        y += room * _LINE + 10
    foot = _foot(stage, palette, layout.width - 2 * _MARGIN)
    for number, line in enumerate(foot):
        parts["foot", number] = Words(_MARGIN, y + (number + 0.5) * _LINE, line, 14)
    y += len(foot) * _LINE
    if step is not None and len(stage.steps.order):
        text = f"step {step + 1} of {len(stage.steps.order)}"
        parts["step"] = Words(layout.width - _MARGIN, _MARGIN + 4, (Run(text, palette.muted),), 14, "end")
    spoken = "".join(run.text for line in lines for run in line)
    words = ", ".join([_title(stage), *(board.title for board in stage.boards)]) + (f". {spoken}" if spoken else "")
    return Drawing(math.ceil(layout.width), math.ceil(y + _MARGIN - 6), palette.background, parts, words)


# Layout


def _title(stage: Stage) -> str:
    words = stage.links[stage.steps.link].words if stage.links else "layer"
    return words[:1].upper() + words[1:]


@lru_cache(maxsize=8192)
def cell_text(value: float) -> str:
    """Return a number as it stands in a cell: seven characters at most, nothing where there is none."""
    if math.isnan(value):
        return ""
    text = number_text(value)
    if len(text) > 7 and math.isfinite(value):
        text = f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "−")
    return text


def _role_colour(board: Board, palette: Palette) -> str:
    return {"input": palette.input, "weight": palette.weight, "output": palette.activation}[board.role]


def _sizes(stage: Stage) -> tuple[float, float]:
    """Return the size of the numbers on the cells and the height of a cell, one for all boards of the stage."""
    shown = [board for board in stage.boards if not _tiny(board)]
    widest = max((_columns(row, stage) for row in stage.rows), default=1)
    if max((max(board.values.shape[:2]) for board in shown), default=1) > 12 or widest > 26:
        return 12.5, 25.0
    return (15.0, 36.0) if widest <= 20 else (14.0, 31.0)


def _columns(row: tuple[str, ...], stage: Stage) -> int:
    boards = [stage.board(name) for name in row]
    return sum(b.values.shape[1] * max(map(len, _plane_rows(b))) for b in boards if not _tiny(b))


def _tiny(board: Board) -> bool:
    return board.small or max(board.values.shape[:2]) > 40


def _plane_rows(board: Board) -> tuple[tuple[int, ...], ...]:
    """Return the planes as they stand, row by row; too many beside each other go on below."""
    planes = board.values.shape[2]
    if board.plane_grid:
        return board.plane_grid
    across = max(1, min(planes, 36 // max(1, board.values.shape[1])))
    return tuple(tuple(range(start, min(start + across, planes))) for start in range(0, planes, across))


def _cell_size(board: Board, size: float, height: float) -> tuple[tuple[float, float], float]:
    """Return width and height of a board's cells, and the gap between them."""
    if _tiny(board):
        rows, columns = board.values.shape[:2]
        side = float(max(1, min(9, 440 // max(rows, columns))))
        return (side, side), 0.0
    longest = max((len(cell_text(value)) for value in board.values.reshape(-1).tolist()), default=1)
    return (max(height, math.ceil(longest * size * 0.56 + 11)), height), _GAP


def _placed(board: Board, x: float, y: float, size: float, height: float) -> _Place:
    """Return the place of a board whose title starts at (x, y)."""
    cell, gap = _cell_size(board, size, height)
    rows, columns, planes = board.values.shape
    plane_width, plane_height = columns * (cell[0] + gap) - gap, rows * (cell[1] + gap) - gap
    named = 18.0 if board.plane_names and planes > 1 else 0.0
    grid = _plane_rows(board)
    across = plane_width + 16
    if named:
        names = max(text_width(name, 13) for name in board.plane_names) * _SLACK + 10
        across = max(across, min(names, 110.0))
    corners: dict[int, tuple[float, float]] = {}
    top = y + 28
    for row in grid:
        for number, plane in enumerate(row):
            corners[plane] = (x + number * across, top + named)
        top += named + plane_height + 14
    width = (max(len(row) for row in grid) - 1) * across + max(plane_width, across - 16)
    shown = tuple(corners.get(plane, (x, y + 28 + named)) for plane in range(planes))
    width = max(width, text_width(board.title, 15, True) * _SLACK + 16)
    return _Place(board, x, y, width, top - 14 - y, cell, gap, size, shown)


def _moved(place: _Place, x: float, y: float) -> _Place:
    corners = tuple((left + x, top + y) for left, top in place.corners)
    return replace(place, x=place.x + x, y=place.y + y, corners=corners)


def _laid_out(stage: Stage, palette: Palette) -> _Layout:
    places, still, width, below = _stacked(stage, palette) if stage.layout == "stack" else _flowing(stage, palette)
    still["title"] = Words(_MARGIN, _MARGIN + 4, (Run(_title(stage), palette.text, True),), 21)
    width = max(width, _NARROWEST)
    return _Layout(places, width, below, still)


def _flowing(stage: Stage, palette: Palette) -> tuple[dict[str, _Place], dict[Key, Part], float, float]:
    """Place boards beside each other, row by row; a row that is too wide goes on below."""
    size, height = _sizes(stage)
    places: dict[str, _Place] = {}
    still: dict[Key, Part] = {}
    widest, y = 0.0, _MARGIN + 34
    for names in stage.rows:
        rows: list[list[_Place]] = [[]]
        x = _MARGIN
        for name in names:
            place = _placed(stage.board(name), x, y, size, height)
            if rows[-1] and x + place.width > _WIDEST:
                rows.append([])
                place = _moved(place, _MARGIN - x, 0)
            rows[-1].append(place)
            x = place.x + place.width + _BETWEEN
        for row in rows:
            tallest = max((place.height for place in row), default=0)
            before: _Place | None = None
            for one in row:
                place = _moved(one, 0, y - one.y + (tallest - one.height) / 2)
                places[place.board.name] = place
                still |= _headings(place, palette)
                if before is not None:
                    still |= _sign(stage, before, place, palette)
                before = place
                widest = max(widest, place.x + place.width)
            y += tallest + 26
    return places, still, widest + _MARGIN, y - 12


def _stacked(stage: Stage, palette: Palette) -> tuple[dict[str, _Place], dict[Key, Part], float, float]:
    """Place rows of cells below each other, cells of the same number in one column, titles to their left."""
    _, height = _sizes(stage)
    linked = {link.source for link in stage.links} | {link.target for link in stage.links}
    layers = [name for row in stage.rows for name in row if name in linked]
    others = [name for row in stage.rows for name in row if name not in linked]
    boards = [stage.board(name) for name in layers]
    longest = max((board.values.shape[1] for board in boards), default=1)
    size, height = (15.0, 34.0) if longest <= 20 else (12.0, 26.0) if longest <= 34 else (11.5, 24.0)
    cell = max((_cell_size(board, size, height)[0][0] for board in boards), default=height)
    pitch = cell + _GAP
    columns_of = _stack_columns(stage, boards)
    left = min((float(columns.min()) for columns in columns_of.values()), default=0)
    titles = max((text_width(board.title, 15, True) for board in boards), default=0) * _SLACK + 16
    start, y = _MARGIN + titles + 18, _MARGIN + 38
    places: dict[str, _Place] = {}
    still: dict[Key, Part] = {}
    widest = start
    for board in boards:
        rows, _, planes = board.values.shape
        spots = tuple(start + (column - left) * pitch for column in columns_of[board.name].tolist())
        x, end = min(spots), max(spots) + cell
        corners = tuple((x, y + plane * rows * (height + _GAP)) for plane in range(planes))
        tall = planes * rows * (height + _GAP) - _GAP
        place = _Place(board, x, y, end - x, tall, (cell, height), _GAP, size, corners, spots)
        places[board.name] = place
        still |= _heading(board, palette, _MARGIN, y + tall / 2)
        widest = max(widest, x + place.width)
        y += tall + _LAYERS_APART
    y -= _LAYERS_APART - 26
    x = _MARGIN
    tallest = 0.0
    for name in others:
        place = _placed(stage.board(name), x, y, 15.0, 34.0)
        if x > _MARGIN and x + place.width > max(_WIDEST, widest):
            place = _moved(place, _MARGIN - x, tallest + 26)
            y, tallest = y + tallest + 26, 0.0
        places[name] = place
        still |= _headings(place, palette)
        x = place.x + place.width + _BETWEEN
        tallest = max(tallest, place.height)
        widest = max(widest, place.x + place.width)
    return places, still, widest + _MARGIN, y + tallest + (14 if others else -12)


def _stack_columns(stage: Stage, boards: list[Board]) -> dict[str, np.ndarray]:
    """Return at which column each cell of a layer stands, float `(width,)`.

    Cells of equal number stand below each other; where a layer has fewer cells than the one before, each stands below
    the middle of what it sees.
    """
    found: dict[str, np.ndarray] = {}
    for board in boards:
        columns = (np.arange(board.values.shape[1]) + board.first[1]) / board.every[1]
        link = next((one for one in stage.links if one.target == board.name and one.source in found), None)
        if link is not None:
            source = stage.board(link.source)
            above = found[link.source]
            if _own_columns(source) != _own_columns(board):
                columns = _middles(link, above, columns)
            elif above.size > 1:
                # As far apart as the cells above, which a stride may have spread.
                apart = (above[-1] - above[0]) / (above.size - 1) * source.every[1]
                columns = above[0] + (columns - source.first[1] / source.every[1]) * apart
        found[board.name] = columns
    return found


def _own_columns(board: Board) -> int:
    return board.values.shape[1] if board.own is None else int(board.own[0].sum())


def _middles(link: Link, above: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the middle of what each column of a link's target sees; columns that see nothing go on evenly."""
    trace = link.trace
    columns = (trace.sources // trace.source.shape[2]) % trace.source.shape[1]
    middles = np.full(numbers.size, np.nan)
    for column in range(numbers.size):
        cell = column * trace.target.shape[2]
        seen = above[columns[trace.starts[cell] : trace.starts[cell + 1]]]
        if seen.size:
            middles[column] = (seen.min() + seen.max()) / 2
    known = np.flatnonzero(~np.isnan(middles))
    if known.size == 0:
        return numbers
    first = int(known[0])
    apart = (middles[known[-1]] - middles[first]) / (known[-1] - first) if known.size > 1 else 1.0
    even = middles[first] + (np.arange(numbers.size) - first) * apart
    return np.where(np.isnan(middles), even, middles)


def _heading(board: Board, palette: Palette, x: float, y: float) -> dict[Key, Part]:
    colour = _role_colour(board, palette)
    return {
        ("chip", board.name): Tile(x, y - 5, 10, 10, colour),
        ("heading", board.name): Words(x + 16, y, (Run(board.title, palette.text, True),), 15),
    }


def _headings(place: _Place, palette: Palette) -> dict[Key, Part]:
    board = place.board
    parts = _heading(board, palette, place.x, place.y + 10)
    if board.plane_names and board.values.shape[2] > 1:
        width = board.values.shape[1] * (place.cell[0] + place.gap) - place.gap
        for plane, name in enumerate(board.plane_names[: board.values.shape[2]]):
            left, top = place.corners[plane]
            shown = name
            while shown and text_width(shown, 13) > max(width + 12, 106):
                shown = shown[:-2].rstrip() + "…" if len(shown) > 2 else ""
            parts["plane", board.name, plane] = Words(left, top - 10, (Run(shown, palette.muted),), 13)
    return parts


def _sign(stage: Stage, before: _Place, after: _Place, palette: Palette) -> dict[Key, Part]:
    """Return the sign between two boards that stand beside each other."""
    left, right = before.board.name, after.board.name
    sign = ""
    for link in stage.links:
        if (left, right) == (link.source, link.weights):
            sign = "∗"
        elif (left, right) == (link.weights, link.target):
            sign = "="
        elif (left, right) == (link.source, link.target):
            sign = "→"
    if not sign:
        return {}
    x = (before.x + before.width + after.x) / 2
    middles = [place.y + 28 + (place.height - 28) / 2 for place in (before, after)]
    return {("sign", right): Words(x, sum(middles) / 2, (Run(sign, palette.muted),), 26, "middle")}


# Cells


def _shades(stage: Stage) -> dict[str, tuple[str, ...]]:
    """Return the shades of each board that has them: one for each place in the kernel, the same in all planes."""
    return {
        board.name: tuple(colour for row in shades_of(*board.values.shape[:2]) for colour in row)
        for board in stage.boards
        if board.shaded
    }


def _cells(stage: Stage, palette: Palette, place: _Place, look: Look) -> dict[Key, Part]:
    board = place.board
    if _tiny(board):
        return {("raster", board.name): _raster(stage, palette, place)}
    hue = _role_colour(board, palette)
    running = bool(look.pairs()) and stage.links[stage.steps.link].weights == board.name
    read, used = look.read.get(board.name, {}), look.used.get(board.name, set())
    made, decided = look.made.get(board.name, set()), look.decided.get(board.name, set())
    known, partial = look.known.get(board.name), look.partial.get(board.name)
    stamped = look.stamped.get(board.name, {})
    shades = _shades(stage)
    read_by = next((link.weights for link in stage.links if link.source == board.name and link.weights in shades), None)
    made_by = next((link.weights for link in stage.links if link.target == board.name and link.weights in shades), None)
    own_shades = shades.get(board.name)
    plain, strong = mixed(palette.background, hue, 0.13), mixed(palette.background, hue, 0.5)
    padding = mixed(palette.background, palette.panel, 0.6)
    edge = mixed(palette.background, hue, 0.38)
    width, planes = board.values.shape[1:]
    values = (board.values.reshape(-1) if partial is None else partial).tolist()
    own = None if board.own is None else board.own.reshape(-1).tolist()
    marked = None if board.marked is None else np.broadcast_to(board.marked, board.values.shape).reshape(-1).tolist()
    shown = {plane for row in _plane_rows(board) for plane in row}
    parts: dict[Key, Part] = {}
    for cell, value in enumerate(values):
        position, plane = divmod(cell, planes)
        if plane not in shown:
            continue
        x, y = place.box(plane, *divmod(position, width))
        ring = own is not None and not own[position]
        fill, stroke, ink, text, bold, border = plain, edge, palette.text, cell_text(value), False, 1.0
        if ring:
            fill, stroke, ink = padding, palette.muted, palette.muted
        if own_shades is not None:
            fill = stroke = own_shades[position]
            if running and cell not in used:
                fill = stroke = mixed(fill, palette.background, 0.72)
            ink = text_on(fill)
        elif board.role == "weight" and running and cell in used:
            fill, bold = strong, True
        if cell in read:
            weight = read[cell]
            fill = strong
            if read_by is not None and weight >= 0:
                fill = shades[read_by][weight // stage.board(read_by).values.shape[2]]
            ink, bold = text_on(fill), True
            stroke = palette.muted if ring else fill
        if cell in decided:
            fill = hue
            stroke, ink = palette.highlight, text_on(fill)
            border = 3.0
        if cell in made:
            fill, bold = hue, True
            if made_by is not None and stamped.get(cell, -1) >= 0:
                fill = shades[made_by][stamped[cell] // stage.board(made_by).values.shape[2]]
            stroke, ink = fill, text_on(fill)
        if known is not None and not known[cell]:
            fill, stroke, text = padding, palette.border, ""
        if marked is not None and marked[cell]:
            stroke, border = palette.highlight, 3.0
        if contrast(ink, fill) < 4.5:
            ink = text_on(fill)
        parts["cell", board.name, cell] = Tile(
            x, y, *place.cell, fill, stroke, ring, border, text, ink, place.size, bold
        )
    return parts


def _raster(stage: Stage, palette: Palette, place: _Place) -> Raster:
    """Return a board of small cells: a matrix in the shades of its weights, others by the size of their numbers."""
    board = place.board
    height, width, planes = board.values.shape
    hue = _role_colour(board, palette)
    empty = mixed(palette.background, palette.panel, 0.8)
    matrix = next((one for one in stage.matrices if one.board == board.name), None)
    link = None if matrix is None else stage.links[matrix.link]
    shades = _shades(stage)
    if matrix is not None and link is not None and link.weights in shades:
        trace = link.trace
        numbers = np.zeros((trace.target.size, trace.source.size), np.uint8)
        targets = np.repeat(np.arange(trace.target.size), np.diff(trace.starts))
        planes = stage.board(link.weights).values.shape[2]
        numbers[targets, trace.sources] = 1 + np.maximum(trace.weight_cells, 0) // planes
        numbers = numbers.T if matrix.transposed else numbers
        colours = (empty, *shades[link.weights])
    else:
        values = np.nan_to_num(board.values[..., 0])
        most = float(np.abs(values).max(initial=0)) or 1.0
        numbers = np.rint(np.abs(values) / most * 15).astype(np.uint8)
        colours = (empty, *(mixed(palette.background, hue, 0.15 + 0.85 * level / 15) for level in range(1, 16)))
    rows = tuple(np.ascontiguousarray(row).tobytes() for row in numbers[:height, :width])
    return Raster(*place.corners[0], place.cell[0], rows, colours)


def _frames(palette: Palette, layout: _Layout, look: Look, *, stack: bool) -> dict[Key, Part]:
    """Return a frame around each lit window, in the gaps between cells."""
    parts: dict[Key, Part] = {}
    lit: list[tuple[str, dict[int, int] | set[int]]] = [*look.read.items(), *look.made.items()]
    if stack:
        # What a cell of a stack sees is drawn by the lines.
        lit = [(name, cells) for name, cells in look.made.items() if name not in look.read]
    for name, cells in lit:
        place = layout.places.get(name)
        if place is None or _tiny(place.board):
            continue
        for plane, top, left, bottom, right in windows(place.board, cells):
            x, y = place.box(plane, top, left)
            end_x, end_y = place.box(plane, bottom, right)
            parts["frame", name, plane, name in look.made and cells is look.made[name]] = Outline(
                x - _GAP,
                y - _GAP,
                end_x + place.cell[0] - x + 2 * _GAP,
                end_y + place.cell[1] - y + 2 * _GAP,
                palette.highlight,
                _GAP,
            )
    return parts


def _connections(stage: Stage, palette: Palette, layout: _Layout, look: Look) -> dict[Key, Part]:
    """Return the lines between layers of a stack, those of the step strong and above the others."""
    if stage.layout != "stack":
        return {}
    parts: dict[Key, Part] = {}
    pale = mixed(palette.background, palette.muted, 0.3)
    for number, link in enumerate(stage.links):
        source, target = layout.places.get(link.source), layout.places.get(link.target)
        if source is None or target is None:
            continue
        strokes = _strokes(link, source, target, look, pale, palette)
        upper, lower = (source, target) if source.y < target.y else (target, source)
        top, bottom = upper.y + upper.height, lower.y
        if bottom <= top or any(
            place is not source and place is not target and top < place.y < bottom for place in layout.places.values()
        ):
            continue
        xs = [x for stroke in strokes for x in (stroke.x1, stroke.x2)] or [upper.x]
        left = min(xs) - 4
        parts["band", number] = Band(left, top, max(xs) + 4 - left, bottom - top, palette.background, tuple(strokes))
    return parts


def _strokes(link: Link, source: _Place, target: _Place, look: Look, pale: str, palette: Palette) -> list[Stroke]:
    trace = link.trace
    targets = np.repeat(np.arange(trace.target.size), np.diff(trace.starts))
    downwards = source.y < target.y
    pairs = dict.fromkeys(zip(trace.sources.tolist(), targets.tolist(), strict=True))
    made, read = look.made.get(link.target, set()), look.read.get(link.source, {})
    quiet, strong = [], []
    for cell, made_cell in pairs:
        x1, y1 = source.middle(cell)
        x2, y2 = target.middle(made_cell)
        half1, half2 = source.cell[1] / 2, target.cell[1] / 2
        ends = (x1, y1 + half1, x2, y2 - half2) if downwards else (x1, y1 - half1, x2, y2 + half2)
        if made_cell in made and cell in read:
            strong.append(Stroke(*ends, palette.highlight, 2.6))
        else:
            quiet.append(Stroke(*ends, pale, 1))
    return quiet + strong


# Words below


def _wrapped(runs: list[Run], size: float, width: float) -> list[tuple[Run, ...]]:
    """Break a line before a sign of calculation or a gap, so that a product stays in one line."""
    chunks: list[list[Run]] = []
    for run in runs:
        if not chunks or run.text.startswith((" + ", " − ", " = ", ", ", "; ", "   ")):
            chunks.append([])
        chunks[-1].append(run)
    lines: list[list[Run]] = [[]]
    used = 0.0
    for chunk in chunks:
        length = sum(text_width(run.text, size, run.bold) for run in chunk) * _SLACK
        if used + length > width and lines[-1]:
            first = chunk[0]
            chunk = [Run(first.text.lstrip(" ,;"), first.colour, first.bold), *chunk[1:]]
            lines.append([])
            used = 0.0
        lines[-1] += chunk
        used += length
    return [tuple(line) for line in lines if line]


def _sum_lines(stage: Stage, palette: Palette, step: int | None, width: float) -> list[tuple[Run, ...]]:
    """Return the sum of a step, written out, in a few lines at most."""
    if step is None or not stage.links or not 0 <= step < len(stage.steps.order):
        return []
    link = stage.links[stage.steps.link]
    cell = int(stage.steps.order[step])
    if stage.steps.by == "source":
        return _wrapped(_runs(stamp_pieces(link.trace, cell, terms_of(stage, step)), palette), 16, width)
    lines: list[tuple[Run, ...]] = []
    for most in (49, 27, 18, 12, 8, 5):
        lines = _wrapped(_runs(pieces(link.trace, cell, most=most), palette), 16, width)
        if len(lines) <= _MOST_LINES:
            break
    return lines[:_MOST_LINES]


def _runs(line: tuple[Piece, ...], palette: Palette) -> list[Run]:
    colours = {
        "": palette.text,
        "input": readable(palette.input, palette),
        "padding": palette.muted,
        "weight": readable(palette.weight, palette),
        "output": readable(palette.activation, palette),
    }
    return [Run(piece.text, colours[piece.role], piece.role == "output") for piece in line]


def readable(colour: str, palette: Palette) -> str:
    """Return a colour as text can have it on the page: as much darker (or lighter) as a contrast of 4.5 needs."""
    for share in range(0, 11):
        moved = mixed(colour, palette.text, share / 10)
        if contrast(moved, palette.background) >= 4.5:
            return moved
    return palette.text


def _foot(stage: Stage, palette: Palette, width: float) -> list[tuple[Run, ...]]:
    """Return the formula and the numbers below it."""
    roles = {board.name: readable(_role_colour(board, palette), palette) for board in stage.boards}
    lines: list[tuple[Run, ...]] = []
    formula: list[list[Run]] = [[]]
    for letter in stage.formula:
        if letter.text == "\n":
            formula.append([])
            continue
        colour = roles.get(letter.lights[0].board, palette.text) if letter.lights else palette.text
        formula[-1].append(Run(letter.text, colour, bool(letter.meaning)))
    for line in formula:
        lines += _wrapped(line, 14, width)
    facts: list[Run] = []
    for fact in stage.facts:
        facts += [
            Run(("     " if facts else "") + fact.label + " ", palette.muted),
            Run(fact.value, palette.text, True),
        ]
    return lines + _wrapped(facts, 14, width)


# Animation


def gif(stage: Stage, palette: Palette, seconds: float | None = None) -> bytes:
    """Return the stage's steps as an animated GIF: at most 120 frames, 2 MB and 0.9 megapixels.

    Args:
        stage: what to draw.
        palette: colours of the theme; all frames share one table of colours.
        seconds: how long a run lasts, before the pause at its end; None for a pace that suits its length.
    """
    layout = _laid_out(stage, palette)
    most = MOST_FRAMES
    while True:
        steps = _frame_steps(len(stage.steps.order), most)
        pace = (min(24.0, 0.8 * len(steps)) if seconds is None else seconds) / max(1, len(steps))
        film = _Film(stage, palette, layout, steps)
        data = b""
        blocks = gif_blocks(film.frames(), film.table, film.times(max(0.04, pace)))
        for shown, block in enumerate(blocks, start=1):
            data += block
            # Fewer frames as soon as it is plain that all of them are too much.
            if shown > 5 and len(data) / shown * len(steps) > MOST_GIF_BYTES * 0.97 and len(steps) > 5:
                most = max(4, int(0.93 * MOST_GIF_BYTES / (len(data) / shown)))
                most = min(most, len(steps) - 1)
                break
        else:
            return data + GIF_END


def _frame_steps(count: int, most: int) -> list[int]:
    """Return the steps that are shown: all, or evenly chosen ones with the first and the last."""
    return sorted({round(step) for step in np.linspace(0, count - 1, min(count, most)).tolist()}) if count else []


class _Film:
    """The frames of an animation, drawn one after the other, each from what has changed.

    Attributes:
        table: the colours that all frames share.
    """

    def __init__(self, stage: Stage, palette: Palette, layout: _Layout, steps: list[int]) -> None:
        self._stage, self._palette, self._layout, self._steps = stage, palette, layout, steps
        width = layout.width - 2 * _MARGIN
        self._lines = {step: _sum_lines(stage, palette, step, width) for step in steps}
        self._room = max((len(lines) for lines in self._lines.values()), default=0)
        # Five frames have all the colours: every shade is lit in each, cells with and without numbers in some.
        some = sorted({steps[i * (len(steps) - 1) // 4] for i in range(5)}) if steps else []
        self.table = _colour_table([self._drawing(step) for step in some] or [self._drawing(None)])

    def _drawing(self, step: int | None) -> Drawing:
        look = Look() if step is None else look_so_far(self._stage, step)
        lines = [] if step is None else self._lines[step]
        return _drawn(self._stage, self._palette, self._layout, look, lines, self._room, step)

    def times(self, pace: float) -> list[float]:
        """Return how long each frame is shown, in seconds; the last one stays."""
        return [pace] * (len(self._steps) - 1) + [max(2.0, pace)]

    def frames(self) -> Iterator[Image.Image]:
        """Draw the frames."""
        sheet, frame = None, Image.new("P", (1, 1))
        shown: dict[Key, Part] = {}
        steps: list[int | None] = [*self._steps] or [None]
        for step in steps:
            drawing = self._drawing(step)
            if sheet is None:
                scale = min(1.5, math.sqrt(_MOST_GIF_PIXELS / (drawing.width * drawing.height)))
                sheet = Sheet(drawing.width, drawing.height, drawing.background, scale)
                _update(sheet, shown, drawing.parts)
                frame = sheet.image.quantize(palette=self.table, dither=Image.Dither.NONE)
            else:
                frame = frame.copy()
                for box in _update(sheet, shown, drawing.parts):
                    part = sheet.image.crop(box)
                    frame.paste(part.quantize(palette=self.table, dither=Image.Dither.NONE), box)
            shown = drawing.parts
            yield frame


def _update(sheet: Sheet, before: dict[Key, Part], after: dict[Key, Part]) -> list[tuple[int, int, int, int]]:
    """Draw what has changed from one frame to the next, and return the boxes of pixels that it may have touched."""
    gone = [part for key, part in before.items() if after.get(key) != part]
    come = [key for key, part in after.items() if before.get(key) != part]
    for part in gone:
        if not isinstance(part, Tile):
            sheet.clear(part)
    # A frame that was taken away has left background in the gaps alone; frames that stay are drawn again, since
    # two may share a gap.
    redrawn = {key for key, part in after.items() if isinstance(part, Outline)}
    for key in [*(key for key in come if key not in redrawn), *(key for key in after if key in redrawn)]:
        sheet.draw(after[key])
    boxes = _joined([sheet.box(part) for part in [*gone, *(after[key] for key in come)]])
    return [box for box in boxes if box[2] > box[0] and box[3] > box[1]]


def _joined(boxes: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Join boxes that overlap or nearly touch: few large ones are coloured faster than many small ones."""
    joined: list[tuple[int, int, int, int]] = []
    for box in boxes:
        while True:
            near = next(
                (
                    one
                    for one in joined
                    if one[0] - 8 <= box[2] and box[0] - 8 <= one[2] and one[1] - 8 <= box[3] and box[1] - 8 <= one[3]
                ),
                None,
            )
            if near is None:
                break
            joined.remove(near)
            box = (min(box[0], near[0]), min(box[1], near[1]), max(box[2], near[2]), max(box[3], near[3]))
        joined.append(box)
    return joined


def _colour_table(drawings: list[Drawing]) -> Image.Image:
    """Return the colours that all frames share: all that are used, then the blends of numbers with their cells."""
    colours: dict[str, None] = {drawings[0].background: None}
    blends: dict[tuple[str, str], None] = {}
    background = drawings[0].background
    for drawing in drawings:
        for part in drawing.parts.values():
            match part:
                case Tile():
                    colours |= dict.fromkeys([part.fill, *([part.stroke] if part.stroke else [])])
                    if part.text:
                        colours[part.ink] = None
                        blends[part.fill, part.ink] = None
                case Outline():
                    colours[part.colour] = None
                case Words():
                    for run in part.runs:
                        colours[run.colour] = None
                        blends[background, run.colour] = None
                case Band():
                    for stroke in part.strokes:
                        colours[stroke.colour] = None
                        blends[part.fill, stroke.colour] = None
                case Raster():
                    colours |= dict.fromkeys(part.colours)
    for share in (0.5, 0.25, 0.75):
        for fill, ink in blends:
            if len(colours) < CLEAR:
                colours.setdefault(mixed(fill, ink, share))
    table = Image.new("P", (1, 1))
    flat = [int(colour[i : i + 2], 16) for colour in list(colours)[:CLEAR] for i in (1, 3, 5)]
    table.putpalette(flat + flat[:3] * (256 - len(flat) // 3))
    return table
