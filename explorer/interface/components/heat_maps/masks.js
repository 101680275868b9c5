// Masks of cells: as bits, as text, and as the outline around them.
function bitsOf(cells) {
  const bytes = new Uint8Array(Math.ceil(cells.length / 8));
  cells.forEach((on, at) => { if (on) bytes[at >> 3] |= 128 >> (at & 7); });
  return bytes;
}

function cellsOf(bytes, count) {
  const cells = new Uint8Array(count);
  for (let at = 0; at < count; at++) cells[at] = (bytes[at >> 3] >> (7 - (at & 7))) & 1;
  return cells;
}

// The same text as Python's mask_code: "24x24-" and the packed bits in URL-safe base64.
function codeOf({ rows, columns, cells }) {
  const text = btoa(String.fromCharCode(...bitsOf(cells)));
  return `${rows}x${columns}-${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

function maskOf(code, rows, columns) {
  const empty = { rows, columns, cells: new Uint8Array(rows * columns) };
  if (!code) return empty;
  const [, high, wide, text] = /^(\d+)x(\d+)-(.*)$/.exec(code);
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
  return { rows: Number(high), columns: Number(wide), cells: cellsOf(bytes, high * wide) };
}

// Path along the borders between cells inside and outside, in units of cells; runs are joined to long lines.
function outlineOf({ rows, columns, cells }) {
  const on = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && cells[row * columns + column];
  let path = "";
  for (let row = 0; row <= rows; row++)
    for (let column = 0; column < columns; column++) {
      if (!on(row - 1, column) === !on(row, column)) continue;
      let end = column;
      while (end < columns && !on(row - 1, end) !== !on(row, end)) end++;
      path += `M${column} ${row}H${end}`;
      column = end;
    }
  for (let column = 0; column <= columns; column++)
    for (let row = 0; row < rows; row++) {
      if (!on(row, column - 1) === !on(row, column)) continue;
      let end = row;
      while (end < rows && !on(end, column - 1) !== !on(end, column)) end++;
      path += `M${column} ${row}V${end}`;
      row = end;
    }
  return path;
}
