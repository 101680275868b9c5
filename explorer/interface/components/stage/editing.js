// Changing numbers in place: one cell, a pasted block, or a stroke of the drawing hand. What changes is shown at once
// and told to the server once, as a block in the counting of the board's own array.

// Row and column, in the array's own counting from 0, of a cell that is the array's own; else null.
function ownPlace(board, cell) {
  const { row, column, plane, own } = placeOf(board, cell);
  return own && board.editable ? { row: row - 1, column: column - 1, plane } : null;
}

function cellAt(board, row, column, plane) {
  const boardRow = row * board.every[0] - board.first[0];
  const boardColumn = column * board.every[1] - board.first[1];
  if (boardRow < 0 || boardColumn < 0 || boardRow >= board.height || boardColumn >= board.width) return -1;
  const at = boardRow * board.width + boardColumn;
  return board.own && !board.own[at] ? -1 : at * board.count + plane;
}

// Writes a block from a cell on; what lies outside the board is left out. Returns the message for the server, or null
// where nothing changes.
function writeBlock(view, cell, values) {
  const { board } = view;
  const start = ownPlace(board, cell);
  if (!start) return null;
  const taken = [];
  let changed = false;
  for (const [down, line] of values.entries()) {
    const row = [];
    for (const [across, value] of line.entries()) {
      const there = cellAt(board, start.row + down, start.column + across, start.plane);
      if (there < 0) break;
      row.push(value);
      if (board.values[there] !== value) { board.values[there] = value; changed = true; }
    }
    if (row.length) taken.push(row);
  }
  return changed ? { board: board.name, row: start.row, column: start.column, plane: start.plane, values: taken } : null;
}

// The smallest block around the cells that a stroke has painted.
function blockAround(board, cells) {
  const places = [...cells].map((cell) => ownPlace(board, cell));
  const { plane } = places[0];
  const top = Math.min(...places.map((place) => place.row));
  const left = Math.min(...places.map((place) => place.column));
  const bottom = Math.max(...places.map((place) => place.row));
  const right = Math.max(...places.map((place) => place.column));
  const values = [];
  for (let row = top; row <= bottom; row++) {
    values.push([]);
    for (let column = left; column <= right; column++)
      values[row - top].push(board.values[cellAt(board, row, column, plane)]);
  }
  return { board: board.name, row: top, column: left, plane, values };
}

// Opens a field in a cell. `read(text)` returns its number, null for nothing written, undefined for bad text, which
// keeps the field open. `done(number, move)` gets it and where to go from there: "stay", "down", "up", "left", "right",
// or "away" where the focus has gone elsewhere. `left()` follows Esc.
function openEditor(node, text, typed, { read, done, left }) {
  const field = element("input");
  field.type = "text";
  field.inputMode = "decimal";
  field.value = text;
  field.setAttribute("aria-label", "New number");
  let closed = false;
  const close = () => { closed = true; field.remove(); };
  const commit = (move) => {
    const value = read(field.value);
    if (value === undefined) { field.setAttribute("aria-invalid", "true"); return; }
    close();
    done(value, move);
  };
  field.onkeydown = (event) => {
    const moves = { Enter: "stay", Tab: event.shiftKey ? "left" : "right", ArrowUp: "up", ArrowDown: "down" };
    if (typed && field.selectionStart === field.value.length) moves.ArrowRight = "right";
    if (typed && field.selectionStart === 0) moves.ArrowLeft = "left";
    event.stopPropagation();
    if (event.key === "Escape") { close(); left(); } else if (moves[event.key]) { event.preventDefault(); commit(moves[event.key]); }
  };
  field.onblur = () => {
    // Closing takes the focus away, too.
    if (closed) return;
    closed = true;
    const value = read(field.value);
    // Removed while it loses the focus, a field would lose it twice.
    queueMicrotask(() => { field.remove(); done(value === undefined ? null : value, "away"); });
  };
  node.append(field);
  field.focus();
  if (!typed) field.select();
  return field;
}
