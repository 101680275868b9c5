// Pictures are large and kernels change often: the pixels come once, in an instance of their own, and wait here.
const PICTURES = (globalThis.cnnExplorerPictures ??= new Map());

function pictureOf(name) {
  if (!PICTURES.has(name)) {
    let tell;
    const ready = new Promise((resolve) => { tell = resolve; });
    PICTURES.set(name, { ready, tell });
    if (PICTURES.size > 3) PICTURES.delete(PICTURES.keys().next().value);
  }
  return PICTURES.get(name);
}

async function takePixels(header, blob) {
  const slot = pictureOf(header.picture);
  if (slot.pixels) return;
  const stream = new Blob([blob("pixels")]).stream().pipeThrough(new DecompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const { height, width } = header, count = height * width;
  // Each plane holds differences from the pixel to the left: photos get a third smaller.
  const planes = [0, 1, 2].map((plane) => {
    const values = packed.subarray(plane * count, (plane + 1) * count);
    for (let row = 0; row < height; row++)
      for (let at = row * width + 1; at < (row + 1) * width; at++) values[at] += values[at - 1];
    return values;
  });
  slot.pixels = { height, width, planes };
  slot.tell(slot.pixels);
}

function greyOf({ planes: [red, green, blue] }) {
  const values = new Uint8Array(red.length);
  for (let at = 0; at < values.length; at++)
    values[at] = Math.floor((299 * red[at] + 587 * green[at] + 114 * blue[at] + 500) / 1000);
  return values;
}

// All taps of one kernel over one plane, rows from `first` to `end` of the result.
function addUp(plane, size, kernel, shape, place, out, first, end) {
  const [height, width] = size, [kh, kw] = shape, { strides, rates, before, made } = place;
  const columns = made[1];
  for (let row = first; row < end; row++) {
    const start = row * columns;
    out.fill(0, start, start + columns);
    for (let i = 0; i < kh; i++) {
      const y = row * strides[0] + i * rates[0] - before[0];
      if (y < 0 || y >= height) continue;
      for (let j = 0; j < kw; j++) {
        const weight = kernel[i * kw + j];
        if (!weight) continue;
        const shift = j * rates[1] - before[1], step = strides[1];
        const low = Math.max(0, Math.ceil(-shift / step)), high = Math.min(columns, Math.floor((width - 1 - shift) / step) + 1);
        let from = y * width + low * step + shift;
        for (let column = low; column < high; column++, from += step) out[start + column] += weight * plane[from];
      }
    }
  }
}

function numberText(value) {
  const nearest = Math.round(value);
  const text = Math.abs(value - nearest) < 1e-9 * Math.max(1, Math.abs(value)) ? String(nearest) : formatValue(value);
  return text === "-0" ? "0" : text.replace("-", "−");
}

const RED_BLUE = [[5, 48, 97], [67, 147, 195], [247, 247, 247], [214, 96, 77], [103, 0, 31]];
function diverging(value) {
  const at = Math.min(1, Math.max(-1, value)) * 2 + 2, low = Math.min(3, Math.floor(at)), part = at - low;
  return [0, 1, 2].map((i) => RED_BLUE[low][i] * (1 - part) + RED_BLUE[low + 1][i] * part);
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!data) return;
  const view = parentElement.querySelector(".view");
  const { header, blob } = unpack(data);
  if (header.part === "pixels") { takePixels(header, blob); return; }
  const memory = memoryOf(parentElement, () => ({ current: null, probe: null, channel: 0, turn: 0, observer: null }));
  const find = (name) => view.querySelector(name);
  const [source, result] = [find(".source"), find(".result")];
  view.hidden = false;
  view.style.setProperty("--now", header.hues.highlight);
  view.style.setProperty("--weight", header.hues.weight);
  view.style.setProperty("--out", header.hues.output);
  const { shape, made, strides, rates, before, colour, signed } = header;
  const kernel = header.kernel, [kh, kw] = shape;
  const spans = [rates[0] * (kh - 1) + 1, rates[1] * (kw - 1) + 1];
  const names = colour ? ["red", "green", "blue"] : ["brightness"];
  memory.channel = Math.min(memory.channel, names.length - 1);

  const draw = (pixels) => {
    const planes = colour ? pixels.planes : [memory.grey?.of === pixels ? memory.grey.values : greyOf(pixels)];
    if (!colour) memory.grey = { of: pixels, values: planes[0] };
    const size = [pixels.height, pixels.width];
    lay(size);
    paintSource(planes, size);
    view.dataset.picture = header.picture;
    const outs = planes.map(() => new Float64Array(made[0] * made[1]));
    const turn = ++memory.turn;
    let row = 0;
    // In strips of some milliseconds, so that a pointer is answered meanwhile.
    const strip = () => {
      if (turn !== memory.turn) return;
      const until = performance.now() + 12, rows = Math.max(1, Math.round(200000 / (made[1] * kernel.length * planes.length)));
      do {
        const end = Math.min(made[0], row + rows);
        planes.forEach((plane, at) => addUp(plane, size, kernel, shape, { strides, rates, before, made }, outs[at], row, end));
        row = end;
      } while (row < made[0] && performance.now() < until);
      if (row < made[0]) { setTimeout(strip, 0); return; }
      paintResult(outs);
      view.dataset.drawn = header.digest;
    };
    strip();
    look(planes, size);
  };

  const lay = (size) => {
    // Both pictures at one scale: a stride shows as a smaller picture.
    const wide = view.clientWidth || 1100;
    const beside = wide >= 1040 ? (wide - 320 - 40) / 2 : wide >= 640 ? (wide - 20) / 2 : wide;
    const scale = Math.min(520, beside, Math.max(260, 460 * size[1] / size[0])) / size[1];
    const set = (figure, [rows, columns], factor) => {
      const width = Math.max(1, Math.round(columns * factor)), frame = figure.querySelector(".frame");
      frame.style.width = width + "px";
      frame.style.height = Math.max(1, Math.round(rows * factor)) + "px";
      figure.style.width = Math.min(Math.max(width, 240), wide) + "px";
      figure.querySelector("canvas").classList.toggle("crisp", factor > 1);
    };
    set(source, size, scale);
    set(result, made, Math.max(scale, Math.min(140, beside) / made[1]));
  };

  const paintSource = (planes, [height, width]) => {
    const canvas = source.querySelector("canvas");
    canvas.setAttribute("aria-label", `${header.alt}, ${height} × ${width} pixels${colour ? "" : ", in grey"}`);
    source.querySelector("figcaption").textContent = `Picture ${height} × ${width}${colour ? ", each channel for itself" : ", brightness 0 to 255"}`;
    canvas.width = width; canvas.height = height;
    const image = new ImageData(width, height);
    for (let at = 0; at < height * width; at++) {
      for (let i = 0; i < 3; i++) image.data[at * 4 + i] = planes[colour ? i : 0][at];
      image.data[at * 4 + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  };

  const paintResult = (outs) => {
    const canvas = result.querySelector("canvas"), [height, width] = made, count = height * width;
    let low = Infinity, high = -Infinity, outside = 0;
    for (const out of outs)
      for (let at = 0; at < count; at++) {
        const value = out[at];
        if (value < low) low = value;
        if (value > high) high = value;
        // Rounding of sums is no reason to call a pixel clipped.
        if (value < -1e-6 || value > 255 + 1e-6) outside++;
      }
    const most = Math.max(Math.abs(low), Math.abs(high));
    const flat = most < 1e-9;
    canvas.width = width; canvas.height = height;
    const image = new ImageData(width, height);
    const table = new Uint8ClampedArray(3 * 1025);
    for (let at = 0; at < 1025; at++) table.set(diverging(at / 512 - 1), at * 3);
    for (let at = 0; at < count; at++) {
      const to = at * 4;
      if (!signed || colour)
        for (let i = 0; i < 3; i++) {
          const value = outs[colour ? i : 0][at];
          image.data[to + i] = signed ? (flat ? 127.5 : 127.5 + 127.5 * value / most) : value;
        }
      else {
        const place = 3 * (flat ? 512 : Math.round(512 + 512 * outs[0][at] / most));
        for (let i = 0; i < 3; i++) image.data[to + i] = table[place + i];
      }
      image.data[to + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    const share = 100 * outside / (count * outs.length);
    const clipped = outside ? `${share < 0.1 ? "under 0.1" : share.toFixed(share < 10 ? 1 : 0)} % of the values lie outside and are clipped` : "nothing is clipped";
    const range = `values ${numberText(low)} to ${numberText(high)}`;
    const words = signed
      ? flat ? "all values are 0" : `signed, centred on 0; the scale ends at the largest value of this result`
      : `shown as brightness 0 to 255; ${clipped}`;
    result.querySelector("figcaption").textContent = `Result ${height} × ${width}: ${range}; ${words}`;
    canvas.setAttribute("aria-label", `Result of the kernel, ${height} × ${width} pixels, ${range}, ${words}`);
    const legend = result.querySelector(".legend"), bar = legend.querySelector("i");
    const ends = signed ? [numberText(-most), numberText(most)] : ["0", "255"];
    legend.querySelector(".low").textContent = ends[0];
    legend.querySelector(".high").textContent = ends[1];
    bar.style.background = signed && !colour
      ? `linear-gradient(to right, ${RED_BLUE.map((c) => `rgb(${c})`).join(",")})`
      : "linear-gradient(to right, #000, #fff)";
    legend.hidden = signed && flat;
  };

  const outline = (figure, [rows, columns], top, left, height, width) => {
    const box = figure.querySelector(".box");
    box.hidden = false;
    box.style.top = (top + height / 2) / rows * 100 + "%";
    box.style.left = (left + width / 2) / columns * 100 + "%";
    box.style.height = height / rows * 100 + "%";
    box.style.width = width / columns * 100 + "%";
  };

  const look = (planes, size) => {
    const grids = [find(".pixels"), find(".weights")];
    for (const grid of grids) {
      grid.style.gridTemplateColumns = `repeat(${kw}, ${kw > 5 ? 36 : kw > 3 ? 40 : 44}px)`;
      grid.classList.toggle("small", kh > 5);
      grid.replaceChildren(...kernel.map(() => element("span")));
    }
    kernel.forEach((weight, at) => { grids[1].children[at].textContent = numberText(Number(weight.toPrecision(3))); });
    const buttons = find(".channels");
    buttons.replaceChildren(...(colour ? names : []).map((name, at) => {
      const button = element("button", "", name);
      button.type = "button";
      button.onclick = () => { memory.channel = at; show(memory.probe); };
      return button;
    }));

    const show = (probe) => {
      const row = Math.min(made[0] - 1, Math.max(0, probe[0])), column = Math.min(made[1] - 1, Math.max(0, probe[1]));
      memory.probe = [row, column];
      const top = row * strides[0] - before[0], left = column * strides[1] - before[1];
      outline(source, size, top, left, ...spans);
      outline(result, made, row, column, 1, 1);
      const sums = planes.map(() => 0);
      [...buttons.children].forEach((button, at) => button.setAttribute("aria-pressed", String(at === memory.channel)));
      for (let i = 0; i < kh; i++)
        for (let j = 0; j < kw; j++) {
          const y = top + i * rates[0], x = left + j * rates[1], place = y * size[1] + x;
          const inside = y >= 0 && x >= 0 && y < size[0] && x < size[1];
          planes.forEach((plane, at) => { if (inside) sums[at] += plane[place] * kernel[i * kw + j]; });
          const cell = grids[0].children[i * kw + j];
          const parts = inside ? [0, 1, 2].map((at) => planes[colour ? at : 0][place]) : [0, 0, 0];
          cell.textContent = inside ? String(planes[memory.channel][place]) : "0";
          cell.className = inside ? "" : "outside";
          cell.style.background = inside ? `rgb(${parts})` : "transparent";
          const light = (parts[0] * 299 + parts[1] * 587 + parts[2] * 114) / 1000;
          cell.style.color = inside ? (light > 120 ? "#000" : "#fff") : "inherit";
        }
      find(".where").textContent = `Result at row ${row + 1}, column ${column + 1}`;
      view.dataset.probe = `${row},${column}`;
      const value = sums[memory.channel], sum = find(".sum");
      const drawn = signed ? "" : Math.abs(Math.min(255, Math.max(0, value)) - value) > 1e-6 ? `, drawn as ${value < 0 ? 0 : 255}` : "";
      const all = colour ? ` (${names.map((name, at) => `${name} ${numberText(sums[at])}`).join(", ")})` : "";
      sum.replaceChildren(`sum of ${kernel.length} products ${colour ? `in ${names[memory.channel]} ` : ""}= `, element("b", "", numberText(value)), drawn + all);
      view.dataset.sums = JSON.stringify(sums);
    };

    const nearest = (at, axis) => Math.round((at + before[axis] - (spans[axis] - 1) / 2) / strides[axis]);
    const placeOf = (figure, event) => {
      const frame = figure.querySelector(".frame").getBoundingClientRect();
      const [rows, columns] = figure === source ? size : made;
      const row = Math.floor((event.clientY - frame.top) / frame.height * rows), column = Math.floor((event.clientX - frame.left) / frame.width * columns);
      return figure === source ? [nearest(row, 0), nearest(column, 1)] : [row, column];
    };
    const pin = () => setTriggerValue("pin", memory.probe);
    for (const figure of [source, result]) {
      const frame = figure.querySelector(".frame");
      frame.setAttribute("aria-label", (figure === source ? "Picture" : "Result") + ": arrow keys move the window, Enter shows its sum below");
      frame.onpointermove = (event) => show(placeOf(figure, event));
      frame.onpointerdown = (event) => show(placeOf(figure, event));
      frame.onpointerleave = () => show(header.pinned);
      frame.onclick = (event) => { show(placeOf(figure, event)); header.pinned = memory.probe; pin(); };
      frame.onkeydown = (event) => {
        const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); header.pinned = memory.probe; pin(); return; }
        if (event.key === "Escape") { show(header.pinned); return; }
        if (!move) return;
        event.preventDefault();
        const far = event.shiftKey ? 10 : 1;
        show([memory.probe[0] + move[0] * far, memory.probe[1] + move[1] * far]);
      };
    }
    show(header.pinned);
  };

  const slot = pictureOf(header.picture);
  const begin = () => {
    if (memory.current !== header) return;
    draw(slot.pixels);
  };
  // An unrelated rerun brings the same message: the picture is not drawn again.
  const same = memory.current && view.dataset.shown === header.digest && slot.pixels;
  if (same) {
    memory.current.pinned = header.pinned;
    return;
  }
  memory.current = header;
  view.dataset.shown = header.digest;
  delete view.dataset.drawn;
  if (slot.pixels) begin(); else slot.ready.then(begin);
  memory.observer?.disconnect();
  let width = view.clientWidth;
  memory.observer = new ResizeObserver(() => {
    if (slot.pixels && Math.abs(view.clientWidth - width) > 2) { width = view.clientWidth; lay([slot.pixels.height, slot.pixels.width]); }
  });
  memory.observer.observe(view);
}
