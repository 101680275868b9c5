const RULE_NAMES = {
  given: "as suits each map",
  highest: "to each map's highest",
  clipped: "top 1 % clipped",
  lowest: "lowest to highest",
  shared: "one for each method",
};
const STEPS = 255;

// The colour of each value, with the arithmetic of explorer/interface/figures/heat_scales.py.
function paintValues(values, [low, high, diverging], table, most, threshold, image) {
  const out = new Uint32Array(image.data.buffer), colours = new Uint32Array(table.length / 3);
  for (let at = 0; at < colours.length; at++) colours[at] = (255 << 24) | (table[3 * at + 2] << 16) | (table[3 * at + 1] << 8) | table[3 * at];
  const span = high - low, flat = diverging ? (STEPS - 1) / 2 : 0, least = threshold * most;
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (Number.isNaN(value)) out[at] = colours[STEPS];
    else if (threshold > 0 && Math.abs(value) < least) out[at] = 0;
    else out[at] = colours[span > 0 ? Math.floor((Math.min(high, Math.max(low, value)) - low) / span * (STEPS - 1) + 0.5) : flat];
  }
}

function highestOf(values) {
  let most = 0;
  for (const value of values) if (Number.isFinite(value) && Math.abs(value) > most) most = Math.abs(value);
  return most;
}

function gradientOf(table) {
  const stops = Array.from({ length: 17 }, (_, i) => 3 * Math.round(i * (STEPS - 1) / 16));
  return `linear-gradient(to right, ${stops.map((at) => `rgb(${table[at]},${table[at + 1]},${table[at + 2]})`).join(",")})`;
}

function print(value) {
  return Number.isFinite(value) ? formatValue(value).replace("-", "−") : Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
}

const SVG = "http://www.w3.org/2000/svg";
function markOf(kind, view, path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "marks");
  svg.setAttribute("viewBox", `0 0 ${view[1]} ${view[0]}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  for (const part of ["under", "over"]) {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("class", `${kind} ${part}`);
    line.setAttribute("d", path);
    svg.append(line);
  }
  return svg;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const view = parentElement.querySelector(".view");
  if (!data || !view) return;
  const find = (name) => view.querySelector(name);
  const { header, blob } = unpack(data);
  // What a visitor has set, and the tiles that are drawn: they outlive this call.
  const memory = memoryOf(parentElement, () => ({
    digest: null, view: null, opacity: null, threshold: null, rule: null, painting: null, asked: null, code: undefined, told: null,
    pinned: null, large: new Set(), pictures: new Map(), decoded: new Map(), tiles: [], observer: null,
  }));
  memory.send = setTriggerValue;
  const rows = find(".rows"), board = find(".board"), where = find(".where"), said = find(".said");
  for (const [name, colour] of Object.entries(header.hues)) view.style.setProperty(`--${name}`, colour);

  // --- what is set in the bar: first as Python says, then as the visitor says
  const state = {
    get view() { return memory.view ?? header.view; },
    get opacity() { return memory.opacity ?? header.opacity; },
    get threshold() { return memory.threshold ?? header.threshold; },
    get rule() { return memory.rule ?? memory.firstRule; },
  };
  const showBar = () => {
    view.dataset.view = state.view;
    view.style.setProperty("--opacity", state.opacity);
    for (const button of find(".bar").querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
    find(".opacity input").value = Math.round(100 * state.opacity);
    find(".opacity input").disabled = state.view !== "over";
    find(".opacity output").textContent = Math.round(100 * state.opacity) + " %";
    find(".threshold input").value = Math.round(100 * state.threshold);
    find(".threshold output").textContent = Math.round(100 * state.threshold) + " %";
    find(".rules").value = state.rule;
  };
  for (const button of find(".bar").querySelectorAll("[data-view]")) button.onclick = () => { memory.view = button.dataset.view; showBar(); };
  find(".opacity input").oninput = (event) => { memory.opacity = event.target.value / 100; showBar(); };
  find(".threshold input").oninput = (event) => { memory.threshold = event.target.value / 100; showBar(); colourAll(); };
  find(".rules").onchange = (event) => { memory.rule = event.target.value; showBar(); colourAll(); };
  for (const name of ["box", "truth", "painted"]) {
    const tick = find(`.tick.${name === "box" ? "boxes" : name} input`);
    const set = () => view.classList.toggle(`hide-${name}`, !tick.checked);
    tick.onchange = set;
    set();
  }

  // --- selection
  const markSelected = () => {
    for (const tile of memory.tiles) {
      const chosen = header.selected && tile.row === header.selected[0] && tile.map?.name === header.selected[1];
      tile.node.classList.toggle("selected", Boolean(chosen));
      tile.node.querySelector("button.title")?.setAttribute("aria-pressed", String(Boolean(chosen)));
    }
  };

  // --- colouring
  const colour = (tile) => {
    if (!tile.values) return;
    const { map, values, canvas } = tile;
    const wanted = state.rule === "given" ? map.rule : state.rule;
    const rule = map.scales[wanted] ? wanted : "highest";
    tile.scale = map.scales[rule];
    const [low, high, diverging, words] = tile.scale;
    const table = diverging ? memory.tables.diverging : memory.tables.plain;
    const image = new ImageData(map.width, map.height);
    canvas.dataset.rule = rule;
    paintValues(values, tile.scale, table, tile.most, state.threshold, image);
    canvas.getContext("2d").putImageData(image, 0, 0);
    const flat = !(high > low);
    tile.node.querySelector(".scale").style.background = flat ? `rgb(${[0, 1, 2].map((i) => table[3 * (diverging ? (STEPS - 1) / 2 : 0) + i])})` : gradientOf(table);
    tile.node.querySelector(".low").textContent = flat ? "" : print(low);
    tile.node.querySelector(".high").textContent = flat ? "" : print(high);
    const uncoloured = state.threshold > 0 && !flat ? `; uncoloured below ${Math.round(100 * state.threshold)} % of this map's highest` : "";
    tile.node.querySelector(".words").textContent = words + uncoloured;
    const cut = tile.node.querySelector(".cut"), least = state.threshold * tile.most;
    const place = (value) => Math.min(100, Math.max(0, (value - low) / (high - low) * 100));
    cut.hidden = !uncoloured;
    if (uncoloured) { cut.style.left = place(-least) + "%"; cut.style.right = 100 - place(least) + "%"; }
    tile.frame.setAttribute("aria-label", `${map.title}: ${flat ? "" : `${print(low)} to ${print(high)}, `}${words}${uncoloured}. Arrow keys read the values of all maps at one place`);
  };
  const colourAll = () => memory.tiles.forEach(colour);

  // --- the place under the pointer, the same in all maps
  const probe = (place, loud) => {
    const first = memory.tiles.find((tile) => tile.values);
    memory.probe = place;
    view.classList.toggle("probing", Boolean(place && first));
    if (!place || !first) { where.textContent = memory.hint; return; }
    const [y, x] = place, spoken = [], { height, width } = first.map;
    const row = Math.min(height - 1, Math.floor(y * height)), column = Math.min(width - 1, Math.floor(x * width));
    view.style.setProperty("--cross-y", (row + .5) / height * 100 + "%");
    view.style.setProperty("--cross-x", (column + .5) / width * 100 + "%");
    for (const tile of memory.tiles) {
      if (!tile.values) continue;
      const { map, scale: [low, high] } = tile;
      const value = tile.values[Math.min(map.height - 1, Math.floor(y * map.height)) * map.width + Math.min(map.width - 1, Math.floor(x * map.width))];
      tile.output.textContent = print(value);
      tile.mark.classList.toggle("on", Number.isFinite(value) && high > low);
      tile.mark.style.left = Math.min(100, Math.max(0, (value - low) / (high - low) * 100)) + "%";
      spoken.push(`${map.title} ${print(value)}`);
    }
    where.textContent = `Row ${row + 1}, column ${column + 1} of ${height} × ${width}` + (memory.pinned ? ", pinned (Escape or another click lets go)" : "");
    view.dataset.probe = `${row},${column}`;
    if (loud) {
      clearTimeout(memory.speech);
      memory.speech = setTimeout(() => { said.textContent = `Row ${row + 1}, column ${column + 1}: ${spoken.join("; ")}`; }, 350);
    }
  };
  let frameAsked = 0;
  const probeSoon = (place) => {
    memory.next = place;
    frameAsked ||= requestAnimationFrame(() => { frameAsked = 0; probe(memory.next); });
  };
  const limit = (value) => Math.min(0.999999, Math.max(0, value));
  const placeOf = (frame, event) => {
    const box = frame.getBoundingClientRect();
    return [limit((event.clientY - box.top) / box.height), limit((event.clientX - box.left) / box.width)];
  };
  const listen = (frame) => {
    frame.onpointermove = (event) => { if (!memory.pinned && (event.pointerType === "mouse" || event.buttons)) probeSoon(placeOf(frame, event)); };
    frame.onpointerdown = (event) => { if (event.pointerType !== "mouse") { memory.pinned = null; probe(placeOf(frame, event)); } };
    frame.onpointerleave = (event) => { if (event.pointerType === "mouse") { memory.next = memory.pinned; probe(memory.pinned); } };
    frame.onclick = (event) => {
      const place = placeOf(frame, event);
      memory.pinned = memory.pinned && event.detail > 0 ? null : place;
      probe(place);
    };
    frame.onkeydown = (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (event.key === "Escape") { memory.pinned = null; probe(null); return; }
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); memory.pinned = memory.pinned ? null : memory.probe; probe(memory.probe ?? [.5, .5], true); return; }
      if (!move) return;
      event.preventDefault();
      const first = memory.tiles.find((tile) => tile.values);
      if (!first) return;
      const { height, width } = first.map;
      const far = event.shiftKey ? 10 : 1, [y, x] = memory.probe ?? [.5, .5];
      const next = [limit((Math.floor(y * height) + .5 + move[0] * far) / height), limit((Math.floor(x * width) + .5 + move[1] * far) / width)];
      if (memory.pinned) memory.pinned = next;
      probe(next, true);
    };
    frame.onblur = () => { if (!memory.pinned && !frame.matches(":hover")) probe(null); };
  };

  // --- painting
  const outlines = () => {
    const code = memory.code ?? header.painting?.code ?? "";
    const mask = header.painting && maskOf(code, header.painting.rows, header.painting.columns);
    const painted = Boolean(mask && mask.cells.some(Boolean));
    find(".tick.painted").hidden = !painted;
    for (const tile of memory.tiles) {
      tile.frame.querySelector(".marks.by-hand")?.remove();
      if (!painted || header.rows[tile.row].picture !== header.rows[0].picture || !tile.frame.querySelector(".cross")) continue;
      const mark = markOf("painted", [mask.rows, mask.columns], outlineOf(mask));
      mark.classList.add("by-hand");
      tile.frame.append(mark);
    }
    find(".bar .paint").hidden = !header.painting;
    find(".bar .paint").textContent = painted ? "Paint again" : "Paint a guess";
    view.dataset.mask = painted ? codeOf(mask) : "";
  };
  const openBoard = (open) => {
    memory.painting = open;
    board.hidden = !open;
    rows.hidden = find(".bar").hidden = where.hidden = open;
    board.querySelector(".cancel").hidden = !memory.tiles.some((tile) => tile.values);
    if (!open) { memory.easel = null; lay(); return; }
    const first = header.rows[0], words = header.painting.words;
    const easel = JSON.stringify([first.picture, header.painting]);
    // Maps that come in while a visitor paints must not take the brush away.
    if (memory.easel === easel) return;
    memory.easel = easel;
    pictureOf(first).then((picture) => {
      if (memory.easel !== easel) return;
      startBoard(board, {
        mask: maskOf(memory.code ?? header.painting.code, header.painting.rows, header.painting.columns),
        picture, alt: first.alt, words,
        done: (mask) => {
          const code = mask.cells.some(Boolean) ? codeOf(mask) : "";
          memory.code = code;
          openBoard(false);
          outlines();
          find(".bar .paint").focus();
          memory.send("paint", code);
        },
        cancel: () => { openBoard(false); find(".bar .paint").focus(); },
      });
    });
  };
  find(".bar .paint").onclick = () => { openBoard(true); board.querySelector(".easel").focus(); };

  // --- pictures and layout
  const pictureOf = (row) => {
    if (!memory.pictures.has(row.picture)) memory.pictures.set(row.picture, bitmapOf(blob(row.picture), row.type).then((bitmap) => { memory.decoded.set(row.picture, bitmap); return bitmap; }));
    return memory.pictures.get(row.picture);
  };
  const lay = () => {
    const wide = view.clientWidth;
    if (!wide) return;
    const most = Math.max(...header.rows.map((row) => row.maps.length + 1), 1);
    const least = wide < 560 ? Math.floor((wide - 8) / 2) - 1 : 176, gap = wide < 560 ? 8 : 12;
    const fitting = Math.max(1, Math.floor((wide + gap) / (least + gap)));
    // As many columns as fill the lines evenly: five maps and their picture are 6 or 3 + 3, never 5 + 1.
    const columns = Math.ceil(most / Math.ceil(most / fitting));
    const tile = Math.min(header.largest, Math.floor((wide - (columns - 1) * gap) / columns));
    view.style.setProperty("--columns", columns);
    view.style.setProperty("--tile", tile + "px");
  };

  const enlarger = (node, title) => {
    const button = element("button", "enlarge");
    button.type = "button";
    button.innerHTML = '<svg viewBox="0 0 16 16" aria-hidden="true"><path class="out" d="M10 2h4v4M14 2l-5 5M6 14H2v-4M2 14l5-5"/><path class="in" d="M13 7H9V3M9 7l5-5M3 9h4v4M7 9l-5 5"/></svg>';
    button.setAttribute("aria-label", `Enlarge ${title}`);
    const show = () => {
      const large = memory.large.has(node.dataset.id);
      node.classList.toggle("large", large);
      button.setAttribute("aria-pressed", String(large));
    };
    button.onclick = () => {
      if (!memory.large.delete(node.dataset.id)) memory.large.add(node.dataset.id);
      show();
    };
    show();
    return button;
  };

  const build = () => {
    const focused = view.getRootNode().activeElement?.closest?.(".tile")?.dataset.id;
    const table = (name) => blob(header.tables[name]);
    memory.tables = { plain: table("plain"), diverging: table("diverging") };
    const before = new Map(memory.tiles.map((tile) => [tile.key, tile]));
    memory.tiles = [];
    const sections = header.rows.map((row, number) => {
      const section = element("section", "row");
      if (row.label) section.append(element("h4", "", row.label));
      const grid = element("div", "grid");
      section.append(grid);
      const shape = row.maps.find((map) => map.values);
      const add = (map) => {
        // While one map is computed the others stay as they are, under the pointer and in focus.
        const key = JSON.stringify([number, row.picture, row.alt, row.outline, shape && [shape.height, shape.width], map, header.selectable, header.tables]);
        const kept = before.get(key);
        if (kept) { grid.append(kept.node); memory.tiles.push(kept); return; }
        const node = element("figure", map ? "tile map" : "tile source");
        node.dataset.id = `${number} ${map ? map.name : ""}`;
        const head = element("div", "head"), title = element(map && header.selectable ? "button" : "span", "title", map ? map.title : "Picture");
        if (map && header.selectable) { title.type = "button"; title.onclick = () => memory.send("selected", [number, map.name]); }
        const output = element("span", "value");
        head.append(title, output, enlarger(node, map ? map.title : "the picture"));
        const frame = element("div", "frame"), photo = element("canvas", "photo");
        node.append(head, frame);
        grid.append(node);
        const tile = { key, node, frame, output, row: number, map };
        memory.tiles.push(tile);
        photo.setAttribute("aria-hidden", "true");
        frame.append(photo);
        const filled = !map || map.values;
        const put = (picture) => {
          photo.width = picture.width; photo.height = picture.height;
          frame.style.aspectRatio = `${picture.width} / ${picture.height}`;
          if (filled) photo.getContext("2d").drawImage(picture, 0, 0);
          frame.dataset.drawn = row.picture;
        };
        if (shape) frame.style.aspectRatio = `${shape.width} / ${shape.height}`;
        const ready = memory.decoded.get(row.picture);
        if (ready) put(ready); else pictureOf(row).then(put);
        if (!map) {
          frame.setAttribute("role", "application");
          frame.tabIndex = 0;
          frame.setAttribute("aria-label", `${row.alt}. Arrow keys read the values of all maps at one place`);
          const caption = element("figcaption");
          caption.append(element("span", "caption", shape ? `${shape.height} × ${shape.width}, as the network gets it` : "as the network gets it"));
          node.append(caption);
        } else if (map.values) {
          tile.values = new Float32Array(blob(map.values).buffer);
          tile.most = highestOf(tile.values);
          tile.canvas = element("canvas", "heat");
          tile.canvas.width = map.width; tile.canvas.height = map.height;
          tile.canvas.setAttribute("aria-hidden", "true");
          frame.append(tile.canvas);
          frame.setAttribute("role", "application");
          frame.tabIndex = 0;
          if (map.box) {
            const [top, left, bottom, right] = map.box;
            frame.append(markOf("box", [map.height, map.width], `M${left} ${top}H${right}V${bottom}H${left}Z`));
          }
          const legend = element("div", "legend"), scale = element("div", "scale");
          tile.mark = element("i", "mark");
          const cut = element("i", "cut");
          cut.hidden = true;
          scale.append(cut, tile.mark);
          legend.setAttribute("aria-hidden", "true");
          legend.append(element("span", "low"), scale, element("span", "high"));
          node.append(legend);
        } else {
          node.classList.add("empty");
          frame.append(element("p", "", map.note || (map.busy ? "Being computed …" : "There is no map.")));
        }
        if (map) {
          if (map.busy) {
            node.classList.add("busy");
            const meter = element("div", map.progress === null ? "meter open" : "meter"), filling = element("i");
            if (map.progress !== null) filling.style.width = Math.round(100 * map.progress) + "%";
            meter.append(filling);
            node.append(meter);
          }
          const caption = element("figcaption");
          if (map.values) caption.append(element("div", "words"));
          if (map.caption) caption.append(element("div", "caption", map.caption));
          if (map.note && map.values) caption.append(element("div", "note", map.note));
          node.append(caption);
        }
        if (row.outline && filled) {
          const { rows: high, columns: wide, bits } = row.outline;
          const cells = cellsOf(blob(bits), high * wide);
          frame.append(markOf("truth", [high, wide], outlineOf({ rows: high, columns: wide, cells })));
        }
        if (filled) { frame.append(element("i", "cross across"), element("i", "cross down")); listen(frame); }
      };
      add(null);
      row.maps.forEach(add);
      return section;
    });
    rows.replaceChildren(...sections);
    const maps = memory.tiles.filter((tile) => tile.values);
    const given = maps.some((tile) => tile.map.rule !== "highest");
    memory.firstRule = given ? "given" : "highest";
    const rules = [...(given ? ["given"] : []), "highest", "clipped", "lowest", ...(maps.some((tile) => tile.map.scales.shared) ? ["shared"] : [])];
    find(".rules").replaceChildren(...rules.map((rule) => { const option = element("option", "", RULE_NAMES[rule]); option.value = rule; return option; }));
    if (!rules.includes(memory.rule)) memory.rule = null;
    for (const name of [".opacity", ".threshold", ".choice", ".bar > .views"]) find(name).hidden = !maps.length;
    find(".tick.boxes").hidden = !maps.some((tile) => tile.map.box);
    find(".tick.truth").hidden = !header.rows.some((row) => row.outline);
    memory.hint = maps.length ? "Point at a picture, or focus it and use the arrow keys (Shift for ten): the values of all maps at that place appear beside their titles. A click pins the place." : "";
    const used = new Set(header.rows.map((row) => row.picture));
    for (const name of memory.pictures.keys()) if (!used.has(name)) { memory.pictures.delete(name); memory.decoded.delete(name); }
    if (focused) memory.tiles.find((tile) => tile.node.dataset.id === focused)?.frame.focus({ preventScroll: true });
  };

  // What the page keeps of a painting counts as soon as it says something new.
  const { code = "", rows: high = 0, columns: wide = 0 } = header.painting ?? {}, told = `${high}x${wide} ${code}`;
  if (memory.told !== told) { memory.told = told; memory.code = undefined; }
  if (memory.digest !== header.digest) {
    memory.digest = header.digest;
    build();
    showBar();
    colourAll();
    outlines();
    // Python opens the board when it changes its mind; in between it is the visitor's.
    const asked = Boolean(header.painting?.open);
    openBoard(Boolean(header.painting) && (memory.asked === asked ? memory.painting : asked));
    memory.asked = asked;
    probe(memory.pinned ?? (rows.matches(":hover") ? memory.probe : null));
    view.dataset.shown = header.digest;
  } else {
    showBar();
    outlines();
  }
  markSelected();
  lay();
  memory.observer?.disconnect();
  memory.observer = new ResizeObserver(lay);
  memory.observer.observe(view);
  return () => memory.observer?.disconnect();
}
