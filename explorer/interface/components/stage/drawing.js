// The stage on the page: boards of cells, connections between layers, matrices; built once, then only changed.
const CELL = { most: 52, least: 16 };
const CONNECTOR = 44;
const GAP = 16;
// Sides of the longest small board that are tried, the largest first.
const SMALL = [300, 220, 150];
const TITLES = 200;
// A longer title than this takes several lines.
const TITLE = 150;

// What stands between two boards of a row: the sign of the operation, or an arrow with its name.
function connectorWords(model, board, before) {
  const weighed = model.links.find((one) => one.weights === board);
  if (board.role === "weight") {
    if (!before) return null;
    // A kernel that is turned round first stands between the input and the one that is used.
    const twin = weighed || model.links.find((one) => one.weights && one.weights.size === board.size && one.source === before);
    if (!twin) return null;
    if (before === twin.source) return { sign: twin.operation.includes("transpose") ? "×" : "∗", words: "" };
    return before.role === "weight" && before.size === board.size ? { sign: "→", words: "" } : null;
  }
  const link = model.links.find((one) => one.target === board);
  if (!link || board.standsFor) return null;
  return { sign: "→", words: before && before.role === "weight" ? "" : link.words };
}

// An operation's name stands in as many lines as it has words.
const connectorWidth = (between) => (between ? 8 + Math.max(CONNECTOR, ...between.words.split(" ").map((word) => 6.3 * word.length)) : 0);

// Builds all boards anew; returns for each board what is needed to change it.
function buildBoards(place, model) {
  const views = new Map();
  place.replaceChildren();
  place.classList.toggle("stack", model.layout === "stack");
  if (model.layout === "stack") {
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    lines.setAttribute("class", "lines");
    lines.setAttribute("aria-hidden", "true");
    place.append(lines);
  }
  for (const names of model.rows) {
    const row = element("div", "row");
    let before = null;
    for (const name of names) {
      const board = model.named(name);
      if (!board) continue;
      const between = model.layout === "stack" ? null : connectorWords(model, board, before);
      const joined = element("div", "joined");
      if (between) {
        const node = element("div", "connector");
        node.append(element("span", "sign", between.sign), element("span", "words", between.words));
        joined.append(node);
      }
      const view = buildBoard(model, board);
      views.set(board, view);
      joined.append(view.node);
      row.append(joined);
      before = board;
    }
    place.append(row);
  }
  return views;
}

function buildBoard(model, board) {
  const node = element("div", `board ${board.role}`);
  node.dataset.board = board.name;
  if (board.editable) node.classList.add("editable");
  const title = element("div", "title", board.title);
  node.append(title);
  if (board.markWords) node.append(element("div", "mark-words", board.markWords));
  const view = { board, node, cells: new Array(board.size), planes: [], texts: new Array(board.size), lit: new Map() };
  if (board.small) {
    view.canvas = element("canvas", "cells");
    const frame = element("div", "small");
    frame.tabIndex = 0;
    frame.setAttribute("role", "img");
    frame.setAttribute("aria-label", `${board.title}, ${board.height} rows and ${board.width} columns; the arrow keys look at its cells`);
    frame.append(view.canvas, element("div", "spot"));
    node.append(frame);
    return view;
  }
  for (const planes of board.grid) {
    const line = element("div", "plane-row");
    for (const plane of planes) line.append(buildPlane(model, view, plane));
    node.append(line);
  }
  node.querySelectorAll(".cell").forEach((cell) => { view.cells[Number(cell.dataset.cell)] = cell; });
  return view;
}

function buildPlane(model, view, plane) {
  const { board } = view;
  const box = element("div", "plane-box");
  const name = board.planes[plane];
  if (name) box.append(element("div", "plane-name", name));
  const grid = element("div", "plane");
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", name ? `${board.title}, ${name}` : board.title);
  grid.dataset.plane = plane;
  const rows = [];
  for (let row = 0; row < board.height; row++) {
    const cells = [];
    for (let column = 0; column < board.width; column++) {
      const at = row * board.width + column;
      const cell = at * board.count + plane;
      const classes = board.own && !board.own[at] ? "cell ring" : "cell";
      const first = row === 0 && column === 0 ? 0 : -1;
      const readonly = board.editable && !(board.own && !board.own[at]) ? "" : ' aria-readonly="true"';
      cells.push(`<div class="${classes}" role="gridcell" tabindex="${first}" data-cell="${cell}"${readonly}></div>`);
    }
    rows.push(`<div role="row" class="cell-row">${cells.join("")}</div>`);
  }
  grid.innerHTML = rows.join("");
  const frame = element("div", "frame");
  grid.append(frame);
  box.append(grid);
  view.planes[plane] = { grid, frame };
  return box;
}

// Texts and tints of all cells of a board.
function fillBoard(view, board, numbers) {
  view.board = board;
  view.node.querySelector(".title").textContent = board.title;
  const words = view.node.querySelector(".mark-words");
  if (words) words.textContent = board.markWords;
  if (board.small) return;
  const values = numbers || board.values;
  let most = 0;
  for (const value of board.values) if (Math.abs(value) > most) most = Math.abs(value);
  for (let cell = 0; cell < board.size; cell++) {
    const node = view.cells[cell];
    if (!node) continue;
    showValue(view, cell, values[cell], most);
    node.classList.toggle("marked", Boolean(board.marked && board.marked[cell]));
    if (board.shades) {
      const shade = shadeOf(board, cell);
      node.style.setProperty("--shade", shade.fill);
      node.style.setProperty("--shade-ink", shade.ink);
      node.classList.add("shaded");
    }
  }
  view.most = most;
}

function showValue(view, cell, value, most = view.most) {
  const { board } = view;
  const node = view.cells[cell];
  const nothing = Number.isNaN(value);
  const text = board.hidden ? "?" : nothing ? "" : view.digits ? abbreviated(value, view.digits) : printed(value);
  // The editor stays open while numbers change around it.
  if (view.texts[cell] !== text && !node.querySelector("input")) { node.textContent = text; view.texts[cell] = text; }
  node.style.setProperty("--t", nothing || !most ? 0 : Math.min(1, Math.abs(value) / most).toFixed(3));
  node.classList.toggle("negative", value < 0);
}

// The size of cells: as large as the width takes, and as lets the whole stage stand on the first screen. Rows whose
// boards all fit beside each other become one row where that makes the cells larger.
function cellSize(model, width, height) {
  const boxes = (size) => (board) => {
    const across = Math.max(...board.grid.map((row) => row.length));
    const named = board.planes.length ? 17 : 0;
    return {
      width: Math.max(board.small ? smallSide(board, model) * board.width : across * (board.width * size + 8) - 8, titleWidth(board)),
      height: 4 + 20 * Math.ceil((16 + 7 * board.title.length) / Math.max(titleWidth(board), across * board.width * size)) + (board.small ? smallSide(board, model) * board.height : board.grid.length * (board.height * size + named + 6)),
    };
  };
  const laid = (rows, size) => {
    let total = 0;
    let widest = 0;
    let lines = 0;
    for (const row of rows) {
      let across = 0;
      let tall = 0;
      lines += 1;
      row.forEach((board, place) => {
        const box = boxes(size)(board);
        const own = box.width + connectorWidth(connectorWords(model, board, row[place - 1] || null)) + GAP;
        widest = Math.max(widest, box.width);
        if (across && across + own > width + GAP) { total += tall + GAP; across = 0; tall = 0; lines += 1; }
        across += own;
        tall = Math.max(tall, box.height);
      });
      total += tall + GAP;
    }
    return { total, widest, lines };
  };
  const rows = model.rows.map((names) => names.map((name) => model.named(name)).filter(Boolean));
  const largest = (some, oneLine) => {
    for (let size = CELL.most; size > CELL.least; size--) {
      const there = laid(some, size);
      if (there.total <= height && there.widest <= width && (!oneLine || there.lines === 1)) return size;
    }
    return 0;
  };
  const found = SMALL.map((small) => {
    model.small = small;
    const apart = largest(rows, false);
    const together = rows.length > 1 ? largest([rows.flat()], true) : 0;
    return together && together >= apart * 0.88 ? { small, size: together, together: true } : { small, size: apart, together: false };
  });
  const best = found.find((one) => one.size >= 36) || found.reduce((one, other) => (other.size >= one.size + 4 ? other : one));
  model.small = best.small;
  if (best.size) return best;
  for (let size = 34; size > CELL.least; size--) if (laid(rows, size).widest <= width) return { size, together: false };
  return { size: CELL.least, together: false };
}

const titleWidth = (board) => Math.min(TITLE, 16 + 7 * board.title.length);
const smallSide = (board, model) => Math.max(2, Math.min(12, Math.floor(model.small / Math.max(board.height, board.width))));

function resize(place, model, views, width) {
  if (model.layout === "stack") { layStack(place, model, views, width); return; }
  const height = Math.max(320, Math.min(760, window.innerHeight - 400));
  const { size, together } = cellSize(model, width, height);
  place.classList.toggle("together", together);
  place.style.setProperty("--s", `${size}px`);
  place.style.setProperty("--m", size > 30 ? "1.5px" : "1px");
  for (const view of views.values()) fitText(view, size);
  for (const { board, node } of views.values()) {
    const across = Math.max(...board.grid.map((row) => row.length));
    const wide = board.small ? smallSide(board, model) * board.width : across * (board.width * size + 8) - 8;
    node.querySelector(".title").style.maxWidth = `${Math.max(TITLE, wide)}px`;
  }
  for (const view of views.values()) if (view.board.small) paintSmall(view, model);
}

// Widths of the font's characters, in parts of its size.
const widthOf = (text) => [...text].reduce((sum, one) => sum + (one === "." ? 0.27 : one === "M" ? 0.85 : 0.53), 0);

// Letters as large as the longest number of a board allows; abbreviated, then hidden, where that is too small.
function fitText(view, size) {
  const { board } = view;
  if (board.small || !board.values) return;
  const room = size - (size > 30 ? 7 : 3);
  const widest = (text) => Math.max(0.53, ...Array.from(board.values, (value) => widthOf(Number.isNaN(value) ? "?" : text(value))));
  // Small cells are filled with their numbers, large ones are not.
  const most = Math.max(size * 0.38, Math.min(11, size * 0.5));
  let digits = 0;
  let font = Math.min(most, room / widest(printed));
  if (font < 9) {
    digits = Math.max(2, Math.floor(room / (9 * 0.53)));
    font = Math.min(most, room / widest((value) => abbreviated(value, digits)));
  }
  view.node.style.setProperty("--font", font < 6.5 ? "0px" : `${font.toFixed(1)}px`);
  if (digits !== view.digits) {
    view.digits = digits;
    for (let cell = 0; cell < board.size; cell++) if (view.cells[cell]) showValue(view, cell, board.values[cell]);
  }
}

// One row of cells below the other: cells of equal number stand above each other; where a layer has fewer cells, each
// stands below the middle of what it sees.
function layStack(place, model, views, width) {
  const chain = new Set(model.links.flatMap((link) => [link.source, link.target]));
  const spots = new Map();
  const own = (board, column) => (column + board.first[1]) / board.every[1];
  for (const names of model.rows)
    for (const name of names) {
      const board = model.named(name);
      const shown = board && board.standsFor && spots.get(model.named(board.standsFor));
      if (shown && shown.length === board.width) spots.set(board, shown);
      if (!board || !chain.has(board)) continue;
      const link = model.links.find((one) => one.target === board);
      const x = new Float64Array(board.width);
      for (let column = 0; column < board.width; column++) x[column] = own(board, column);
      const above = link && spots.get(link.source);
      const numbers = (one) => (one.own ? one.own.reduce((sum, is) => sum + is, 0) : one.width);
      if (above && numbers(link.source) === numbers(board)) {
        // As many cells as above: each below its namesake, however far apart those are.
        const at = (number) => above[number * link.source.every[1] - link.source.first[1]];
        const step = numbers(board) > 1 ? at(1) - at(0) : 1;
        for (let column = 0; column < board.width; column++) x[column] = at(0) + own(board, column) * step;
      } else if (above) {
        const middle = x.map((_, column) => {
          const some = termsOfTarget(link, column * board.count);
          if (!some.length) return NaN;
          const at = some.map((term) => above[Math.floor(link.sources[term] / link.source.count) % link.source.width]);
          return (Math.min(...at) + Math.max(...at)) / 2;
        });
        const known = middle.findIndex((one) => !Number.isNaN(one));
        const step = middle.length > known + 1 && known >= 0 && !Number.isNaN(middle[known + 1]) ? middle[known + 1] - middle[known] : 1;
        if (known >= 0) x.forEach((_, column) => {
          x[column] = Number.isNaN(middle[column]) ? middle[known] + (column - known) * step : middle[column];
        });
      }
      spots.set(board, x);
    }
  const all = [...spots.values()].flatMap((x) => [...x]);
  const low = Math.min(...all);
  const across = Math.max(...all) - low + 1;
  // Titles stand beside the cells where there is room, else above them, where they hide some of the lines.
  const aside = Math.floor((width - TITLES) / across) >= 26;
  const size = Math.max(CELL.least, Math.min(44, Math.floor((width - (aside ? TITLES : 0)) / across)));
  place.classList.toggle("aside", aside);
  place.style.setProperty("--s", `${size}px`);
  place.style.setProperty("--m", size > 30 ? "1.5px" : "1px");
  place.style.setProperty("--across", `${across * size}px`);
  for (const [board, x] of spots) {
    const view = views.get(board);
    if (!view) continue;
    view.node.classList.add("in-line");
    view.cells.forEach((cell, number) => {
      const column = Math.floor(number / board.count) % board.width;
      cell.style.left = `${(x[column] - low) * size}px`;
    });
  }
  for (const view of views.values()) fitText(view, size);
  drawConnections(place, model, views);
}

// Where the middle of a cell is, from the left top corner of the boards.
function middleOf(place, view, cell) {
  const node = view.cells[cell];
  const frame = place.getBoundingClientRect();
  const box = node.getBoundingClientRect();
  return { x: box.left - frame.left + box.width / 2 + place.scrollLeft, top: box.top - frame.top, bottom: box.bottom - frame.top };
}

function drawConnections(place, model, views) {
  const svg = place.querySelector("svg.lines");
  svg.setAttribute("width", place.scrollWidth);
  svg.setAttribute("height", place.scrollHeight);
  const places = new Map();
  const middle = (view, cell) => {
    const key = `${view.board.index}:${cell}`;
    if (!places.has(key)) places.set(key, middleOf(place, view, cell));
    return places.get(key);
  };
  for (const link of model.links) {
    const from = views.get(link.source);
    const to = views.get(link.target);
    if (!from || !to || !from.cells[0] || !to.cells[0]) continue;
    link.paths = Array.from(link.sources, (source, term) => {
      const a = middle(from, source);
      const b = middle(to, link.targets[term]);
      const down = a.top < b.top;
      return `M${a.x} ${down ? a.bottom : a.top}L${b.x} ${down ? b.top : b.bottom}`;
    });
  }
  const path = (name, d) => `<path class="${name}" d="${d}"/>`;
  svg.innerHTML = path("all", model.links.map((link) => (link.paths || []).join("")).join("")) + '<g class="some"></g>';
}

function lightConnections(place, lights) {
  const group = place.querySelector("svg.lines g.some");
  if (!group) return;
  const paths = [];
  if (lights) for (const [link, some] of lights.terms) {
    if (!link.paths) continue;
    for (const term of some) {
      const weight = weightOf(link, term);
      const shade = shadeOf(link.weights, weight);
      paths.push(`<path d="${link.paths[term]}"${shade ? ` style="stroke:${shade.fill}"` : ""}/>`);
    }
  }
  group.innerHTML = paths.join("");
}

// Changes only the cells whose light is another one than before.
function showLights(views, lights, extra) {
  for (const [board, view] of views) {
    if (board.small) { paintSmallLights(view, lights); continue; }
    const wanted = new Map();
    const here = lights && lights.cells.get(view.board);
    if (here) for (const [cell, light] of here) wanted.set(cell, light);
    const ghosts = extra && extra.cells.get(view.board);
    for (const [cell, old] of view.lit) {
      const light = wanted.get(cell);
      const key = keyOf(light, ghosts && ghosts.get(cell));
      if (key !== old) unlight(view.cells[cell]);
      if (key === "") view.lit.delete(cell);
    }
    for (const [cell, light] of wanted) put(view, cell, light, ghosts && ghosts.get(cell));
    if (ghosts) for (const [cell, ghost] of ghosts) if (!wanted.has(cell)) put(view, cell, null, ghost);
    view.node.classList.toggle("looking", Boolean(here));
    showFrames(view, lights);
  }
}

const keyOf = (light, ghost) => (light ? light.kind + (light.shade ? light.shade.fill : "") : "") + (ghost ? `/${ghost.kind}` : "");

function unlight(node) {
  node.classList.remove("lit", "far", "looked", "now", "tinted", "ghost");
  node.style.removeProperty("--fill");
  node.style.removeProperty("--ink");
}

function put(view, cell, light, ghost) {
  const node = view.cells[cell];
  const key = keyOf(light, ghost);
  if (!node || view.lit.get(cell) === key) return;
  unlight(node);
  if (light) {
    node.classList.add(light.kind === "looked" || light.kind === "now" ? light.kind : light.kind);
    if (light.shade) {
      node.classList.add("tinted");
      node.style.setProperty("--fill", light.shade.fill);
      node.style.setProperty("--ink", light.shade.ink);
    }
  }
  if (ghost) node.classList.add("ghost");
  view.lit.set(cell, key);
}

// A frame around the window, so that it is seen as one also where its cells are apart.
function showFrames(view, lights) {
  const cells = lights && lights.frames.get(view.board);
  const boxes = new Map();
  const { board } = view;
  for (const cell of cells || []) {
    const at = Math.floor(cell / board.count);
    const row = Math.floor(at / board.width);
    const column = at % board.width;
    const box = boxes.get(cell % board.count);
    if (!box) boxes.set(cell % board.count, { top: row, left: column, bottom: row, right: column });
    else {
      box.top = Math.min(box.top, row); box.bottom = Math.max(box.bottom, row);
      box.left = Math.min(box.left, column); box.right = Math.max(box.right, column);
    }
  }
  view.planes.forEach(({ frame }, plane) => {
    const box = boxes.get(plane);
    const key = box ? `${box.top} ${box.left} ${box.bottom} ${box.right}` : "";
    if (frame.dataset.at === key) return;
    frame.dataset.at = key;
    frame.classList.toggle("shown", Boolean(box));
    if (box) {
      frame.style.setProperty("--r", box.top);
      frame.style.setProperty("--c", box.left);
      frame.style.setProperty("--h", box.bottom - box.top + 1);
      frame.style.setProperty("--w", box.right - box.left + 1);
    }
  });
}

// Cells that the run has not come to yet are pale; a scattering run shows its sums so far.
function showReached(model, views, step, running) {
  const partial = running && model.steps.by === "source" ? stampedSoFar(model, step) : null;
  for (const [board, view] of views) {
    const reach = model.reach.get(view.board);
    if (!reach || board.small) continue;
    const stamped = view.board === model.links[model.steps.link].target;
    for (let cell = 0; cell < view.board.size; cell++) {
      const node = view.cells[cell];
      if (!node) continue;
      const pale = running && reach.first[cell] > step;
      if (pale !== Boolean(view.pale && view.pale[cell])) node.classList.toggle("pale", pale);
      if (!view.pale) view.pale = new Uint8Array(view.board.size);
      view.pale[cell] = pale ? 1 : 0;
      if (!stamped || view.board.hidden) continue;
      const unfinished = partial && reach.last[cell] > step;
      if (unfinished) showValue(view, cell, partial[cell]);
      else if (view.partial) showValue(view, cell, view.board.values[cell]);
    }
    if (stamped) view.partial = Boolean(partial);
  }
}

// Small boards are pictures: one coloured square for each cell.
function paintSmall(view, model) {
  const { board, canvas } = view;
  const side = smallSide(board, model);
  const ratio = Math.max(1, Math.round(window.devicePixelRatio || 1));
  canvas.width = board.width * side * ratio;
  canvas.height = board.height * side * ratio;
  canvas.style.width = `${board.width * side}px`;
  canvas.style.height = `${board.height * side}px`;
  view.side = side;
  view.base = null;
}

function paintSmallBase(view, style) {
  const { board, canvas, side } = view;
  const ratio = canvas.width / (board.width * side);
  const base = document.createElement("canvas");
  base.width = canvas.width;
  base.height = canvas.height;
  const pen = base.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = style.getPropertyValue("--st-secondary-background-color") || "#eee";
  pen.fillRect(0, 0, board.width * side, board.height * side);
  const link = board.matrix && view.link;
  const most = Math.max(1e-12, ...Array.from(board.values, (value) => Math.abs(value) || 0));
  const gap = side > 3 ? 1 : 0;
  for (let cell = 0; cell < board.size; cell++) {
    const value = board.values[cell];
    if (Number.isNaN(value) || (!link && value === 0)) continue;
    const weight = link ? weightOf(link, board.terms[cell]) : -1;
    const shade = link && shadeOf(link.weights, weight);
    pen.fillStyle = shade ? shade.fill : style.getPropertyValue(value < 0 ? "--negative" : `--${board.role}`);
    pen.globalAlpha = shade ? 1 : 0.25 + (0.75 * Math.abs(value)) / most;
    pen.fillRect((cell % board.width) * side, Math.floor(cell / board.width) * side, side - gap, side - gap);
  }
  return base;
}

function paintSmallLights(view, lights) {
  const { board, canvas, side } = view;
  if (!board.values) return;
  const style = getComputedStyle(view.node);
  view.base = view.base || paintSmallBase(view, style);
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(view.base, 0, 0);
  if (!lights) return;
  const ratio = canvas.width / (board.width * side);
  pen.scale(ratio, ratio);
  const colour = style.getPropertyValue("--highlight");
  const cells = new Set();
  if (board.matrix) for (const term of lights.terms.get(view.link) || []) cells.add(matrixCell(board, view.link, term));
  else for (const cell of (lights.cells.get(board) || new Map()).keys()) cells.add(cell);
  if (lights.board === board) cells.add(lights.cell);
  const rows = new Set([...cells].map((cell) => Math.floor(cell / board.width)));
  const columns = new Set([...cells].map((cell) => cell % board.width));
  pen.fillStyle = colour;
  pen.globalAlpha = 0.22;
  if (rows.size <= columns.size) for (const row of rows) pen.fillRect(0, row * side, board.width * side, side);
  else for (const column of columns) pen.fillRect(column * side, 0, side, board.height * side);
  pen.globalAlpha = 1;
  pen.strokeStyle = style.color;
  pen.lineWidth = side > 5 ? 1.5 : 1;
  for (const cell of cells)
    pen.strokeRect((cell % board.width) * side + 0.5, Math.floor(cell / board.width) * side + 0.5, side - 1, side - 1);
}
