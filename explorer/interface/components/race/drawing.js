// What a race looks like: the surface in bands of equal height with lines between them, paths over it, losses by step.
const MARKS = [
  "M0-1A1 1 0 1 1 0 1 1 1 0 1 1 0-1z", "M-.9-.9H.9V.9H-.9z", "M0-1.1 1.05.8H-1.05z", "M0-1.25 1.1 0 0 1.25-1.1 0z",
  "M0 1.1 1.05-.8H-1.05z", "M-.4-1.1h.8v.7h.7v.8h-.7v.7h-.8v-.7h-.7v-.8h.7z",
];

function rgb(colour) {
  const value = parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function mixed(one, other, share) {
  return one.map((part, i) => Math.round(part + (other[i] - part) * share));
}

// Fit a canvas to its place; returns its context in pixels of the page, with width and height there.
function fitted(canvas, width, height) {
  const dense = Math.min(2, window.devicePixelRatio || 1);
  const columns = Math.max(1, Math.round(width * dense)), rows = Math.max(1, Math.round(height * dense));
  if (canvas.width !== columns || canvas.height !== rows) { canvas.width = columns; canvas.height = rows; }
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  return { pen, width, height, dense };
}

// The surface without anything on it, as a picture of so many pixels. `heights` are 0 to 65535, the top row first.
function groundOf(heights, columns, rows, width, height, bands, hues) {
  const picture = new ImageData(width, height);
  const low = rgb(hues.background), high = rgb(hues.border), line = rgb(hues.muted);
  const fills = Array.from({ length: bands }, (_, band) => mixed(low, high, 0.1 + (0.9 * band) / (bands - 1)));
  const numbers = new Int16Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const v = (y / Math.max(1, height - 1)) * (rows - 1), top = Math.min(rows - 2, Math.floor(v)), dv = v - top;
    for (let x = 0; x < width; x += 1) {
      const u = (x / Math.max(1, width - 1)) * (columns - 1), left = Math.min(columns - 2, Math.floor(u)), du = u - left;
      const at = top * columns + left;
      const above = heights[at] + (heights[at + 1] - heights[at]) * du;
      const below = heights[at + columns] + (heights[at + columns + 1] - heights[at + columns]) * du;
      numbers[y * width + x] = Math.min(bands - 1, Math.floor(((above + (below - above) * dv) / 65536) * bands));
    }
  }
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 1) {
      const band = numbers[i];
      const edge = (x + 1 < width && numbers[i + 1] !== band) || (y + 1 < height && numbers[i + width] !== band);
      const colour = edge ? mixed(fills[band], line, 0.55) : fills[band];
      picture.data.set([colour[0], colour[1], colour[2], 255], 4 * i);
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

function mark(pen, shape, x, y, size, fill, edge) {
  pen.save();
  pen.translate(x, y);
  pen.scale(size, size);
  const path = new Path2D(MARKS[shape % MARKS.length]);
  pen.fillStyle = fill;
  pen.strokeStyle = edge;
  pen.lineWidth = 1.5 / size;
  pen.fill(path);
  pen.stroke(path);
  pen.restore();
}

// A line through points (x0, y0, x1, y1, …) in pixels, from one to another; what is not a number ends it.
function polyline(pen, points, from, to) {
  pen.beginPath();
  for (let i = from; i <= to; i += 1) {
    const x = points[2 * i], y = points[2 * i + 1];
    if (!Number.isFinite(x) || !Number.isFinite(y)) break;
    if (i === from) pen.moveTo(x, y); else pen.lineTo(x, y);
  }
  pen.stroke();
}

// Round numbers between two ends, at most about `count`.
function ticksBetween(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + 1e-9 * step; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}
