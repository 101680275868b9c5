// Numbers as people read and write them.

// Whole numbers in full, others with four significant digits; a minus sign, not a hyphen.
function printed(value) {
  if (Number.isNaN(value)) return "?";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const nearest = Math.round(value);
  // What is left over from adding up tenths is not worth a digit.
  if (size < 1e9 && Math.abs(value - nearest) <= 1e-9 * Math.max(1, size)) return String(nearest || 0).replace("-", "−");
  if (size >= 1e9 || size < 1e-3)
    return value.toExponential(2).replace("e+", "e").replaceAll("-", "−");
  const decimals = Math.max(1, 3 - Math.floor(Math.log10(size)));
  return value.toFixed(decimals).replace(/\.?0+$/, "").replace("-", "−");
}

// The same in at most `most` characters, for small cells.
function abbreviated(value, most) {
  const whole = printed(value);
  if (whole.length <= most || !Number.isFinite(value)) return whole;
  const size = Math.abs(value);
  const tries = [];
  for (const [limit, unit] of [[1e6, "M"], [1e3, "k"], [1, ""]])
    if (size >= limit) for (const digits of [1, 0]) tries.push((value / limit).toFixed(digits) + unit);
  if (size < 1) for (const digits of [2, 1]) tries.push(Number(value.toFixed(digits)) === 0 ? "~0" : value.toFixed(digits).replace("0.", "."));
  const texts = tries.map((text) => text.replace(/(\.\d*?)0+(?=[kM]?$)/, "$1").replace(/\.(?=[kM]?$)/, "").replace("-", "−"));
  return texts.find((text) => text.length <= most) || [whole, ...texts].reduce((one, other) => (other.length < one.length ? other : one));
}

function bracketed(text) {
  return text.startsWith("−") ? `(${text})` : text;
}

// A number as a hand writes it: 1.5, 1,5, −2, 1/9. Null where it is none.
function readNumber(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(",", ".");
  const parts = plain.split("/");
  if (parts.length > 2 || parts.some((part) => !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?\s*$/i.test(part))) return null;
  const value = parts.length === 2 ? Number(parts[0]) / Number(parts[1]) : Number(plain);
  return Number.isFinite(value) && Math.abs(value) <= 1e9 ? value : null;
}

// A block copied from a spreadsheet: lines of cells apart by tabs, else semicolons, else spaces. Returns
// {values} or {wrong: the text that is no number}.
function readBlock(text) {
  const lines = text.replace(/\r/g, "").replace(/^\n+|\s+$/g, "").split("\n");
  const separator = ["\t", ";", " "].find((one) => lines.some((line) => line.trim().includes(one)));
  const values = [];
  for (const line of lines) {
    const cells = separator === " " ? line.trim().split(/\s+/) : separator ? line.split(separator) : [line];
    const row = [];
    for (const cell of cells) {
      const value = readNumber(cell);
      if (value === null) return { wrong: cell.trim() };
      row.push(value);
    }
    values.push(row);
  }
  if (values.some((row) => row.length !== values[0].length)) return { uneven: true };
  return { values };
}
