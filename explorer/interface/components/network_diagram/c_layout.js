// Sizes and places of everything: cards of layers and blocks, opened groups, and the stages in columns or in rows.
const JOINS = { Add: "add", Concatenate: "concatenate", Multiply: "multiply", Average: "average", Subtract: "subtract", Maximum: "maximum" };
// The head of a stage: large while all are closed, smaller as soon as one is open, which then needs the room.
const LARGE_HEAD = { slab: 1, axis: 84, title: 184, under: 203, base: 292, bar: 70, height: 338, width: 106 };
const SMALL_HEAD = { slab: 0.52, axis: 46, title: 104, under: 122, base: 162, bar: 28, height: 206, width: 106 };
const ROW_HEIGHT = 84, ROW_SLAB = 104;

const PEN = document.createElement("canvas").getContext("2d");
const WIDTHS = new Map();
let lastFont = "";
function textWidth(text, size, weight, family) {
  if (!WIDTHS.has(family)) WIDTHS.set(family, new Map());
  const known = WIDTHS.get(family), key = `${size} ${weight} ${text}`;
  let width = known.get(key);
  if (width === undefined) {
    // Setting a font costs more than measuring in it.
    const font = `${weight} ${size}px ${family}`;
    if (font !== lastFont) { PEN.font = font; lastFont = font; }
    width = PEN.measureText(text).width;
    if (known.size > 20000) known.clear();
    known.set(key, width);
  }
  return width;
}

function wrapped(text, size, family, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (lines.at(-1) && textWidth(longer, size, 400, family) > most) lines.push(word); else lines[lines.length - 1] = longer;
  }
  return lines;
}

function clipped(text, size, weight, family, most) {
  if (textWidth(text, size, weight, family) <= most) return text;
  let short = text;
  while (short.length > 3 && textWidth(`${short}…`, size, weight, family) > most) short = short.slice(0, -1);
  return `${short}…`;
}

// A slab of a map, as in textbooks: height and depth follow the logarithm of its side, thickness that of its channels.
function slabOf(shape, scale = 1) {
  const sizes = shape.map((size) => size ?? 1);
  const channels = sizes.at(-1) ?? 1;
  const [rows, columns] = sizes.length >= 3 ? sizes : sizes.length === 2 ? [sizes[0], 1] : [1, 1];
  const long = (side) => 13 + 12.6 * Math.log2(Math.max(1, side));
  const high = long(rows) * scale, deep = long(columns) * scale;
  const thick = (5 + 4.4 * Math.log2(Math.max(1, channels))) * scale;
  return { high, thick, dx: deep * 0.36, dy: deep * 0.24, w: thick + deep * 0.36, h: high + deep * 0.24 };
}

class Layout {
  constructor(network, state, family) {
    Object.assign(this, { network, state, family });
    this.boxes = [];
  }

  width(text, size, weight = 400) { return textWidth(text, size, weight, this.family); }

  isOpen(node) { return this.state.open.has(node.id); }

  // --- what stands inside a group ---

  item(entry) {
    const { node, run, refold } = entry;
    const box = node.kind === "layer" ? this.layer(node) : this.isOpen(node) ? this.group(node, run) : this.closed(node, run);
    const item = { axis: box.w / 2, own: box.w, ...box, node, run, refold, branch: entry.branch };
    if (refold) {
      item.fold = `fold × ${refold.members.length}`;
      item.w += this.width(item.fold, 11.5, 600) + 24;
    }
    return item;
  }

  layer(node) {
    const join = JOINS[node.type];
    const sentence = node.broken ? wrapped(node.broken.replaceAll(" × ", "\u00a0×\u00a0"), 11.5, this.family, 236) : null;
    let box;
    if (join && !node.broken) {
      const label = join === "concatenate" ? shapeText(node.shape, "") : "";
      const side = label ? this.width(label, 10.5) + 5 : 0;
      box = { look: "join", join, label, axis: 13, w: 26 + side, h: 26 };
    } else if (node.parameters && !/Normalization/.test(node.type) || node.broken || node.type === "InputLayer") {
      const second = node.broken ? node.name : node.type === "InputLayer" ? shapeText(node.shape, "") : `${shapeText(node.shape, "")} · ${countText(node[this.state.measure])}`;
      box = { look: "card", first: node.words, second, w: Math.max(92, this.width(node.words, 12.5, 600), this.width(second, 11)) + 22, h: 42 };
    } else {
      box = { look: "slim", first: node.words, w: Math.max(78, this.width(node.words, 11.5)) + 18, h: 22 };
    }
    if (sentence) { box.sentence = sentence; box.cardHeight = box.h; box.w = Math.max(box.w, 256); box.h += 14 + sentence.length * 16; }
    return box;
  }

  closed(node, run) {
    const title = clipped(run ? shortTitle(node).replace(/[_ ]?\d+$/, "") || shortTitle(node) : shortTitle(node), 12.5, 600, this.family, 190);
    const gist = clipped(gistOf(node), 11.5, 400, this.family, 220);
    const value = run ? run.members.reduce((all, one) => all + one[this.state.measure], 0) : node[this.state.measure];
    const last = run ? run.members.at(-1) : node;
    const facts = `${shapeText(last.shape, "")} · ${countText(value)}`;
    const badge = run ? this.width(`× ${run.members.length}`, 13, 700) + 22 : 0;
    const w = Math.max(128, this.width(title, 12.5, 600) + 16, this.width(gist, 11.5), this.width(facts, 11)) + 24 + badge;
    return { look: "closed", title, gist, facts, value, badge, w, h: 62 + (run ? 6 : 0) };
  }

  group(node, run) {
    const body = this.body(node);
    const title = clipped(shortTitle(node), 12.5, 600, this.family, 200);
    const badge = run ? this.width(`× ${run.members.length}`, 13, 700) + 22 : 0;
    const head = this.width(title, 12.5, 600) + 44 + badge;
    const w = Math.max(body.w + 24, head), bodyX = (w - body.w) / 2;
    const axis = body.graph.ports.length === 1 ? bodyX + body.graph.ports[0] : w / 2;
    return { look: "group", title, badge, body, axis, w, h: body.h + 30 + 10, bodyX, bodyY: 30 };
  }

  body(node) {
    const { items, itemOf } = itemsOf(node, this.state.unfolded);
    const boxes = items.map((entry) => this.item(entry));
    const edges = [];
    for (const { from, to } of node.edges.values()) {
      const a = itemOf.get(from), b = itemOf.get(to);
      if (a !== undefined && b !== undefined && a !== b) edges.push({ from: a, to: b });
    }
    const sources = [...new Set([...(node.entries?.values() ?? [])].map((one) => one.source))].sort((a, b) => a - b);
    const ports = Math.min(sources.length, 4);
    const seen = new Set(), entries = [];
    for (const { source, to } of node.entries?.values() ?? []) {
      const port = Math.min(sources.indexOf(source), ports - 1), key = `${port} ${itemOf.get(to)}`;
      if (!seen.has(key)) { seen.add(key); entries.push({ port, to: itemOf.get(to) }); }
    }
    const exits = node.kind === "root" ? [] : [...new Set([...node.exits].map((one) => itemOf.get(one)))];
    // Where several things enter, each says where it comes from.
    const here = chainOf(node)[1] ?? null;
    const stages = sources.map((source) => chainOf(this.network.leaves[source])[1]);
    const labels = ports < 2 ? [] : sources.slice(0, ports).map((source, i) => {
      const alone = stages[i] !== here && stages[i].kind === "stage" && stages.indexOf(stages[i]) === stages.lastIndexOf(stages[i]);
      return clipped(alone ? `from ${shortTitle(stages[i])}` : this.network.leaves[source].name, 10.5, 400, this.family, 130);
    });
    const rooms = Array.from({ length: ports }, (_, i) => (labels[i] ? this.width(labels[i], 10.5) + 10 : 0));
    // A shortcut stands beside what it goes around, which stays straight.
    const empty = node.branches.filter((branch) => !branch.length).length;
    const spine = node.kind === "residual" ? 0 : node.branches.length === 2 && empty === 1 ? node.branches.findIndex((branch) => branch.length) : null;
    const graph = layGraph(boxes, edges, entries, rooms, exits, spine);
    return { node, boxes, graph, w: graph.w, h: graph.h, labels, sources };
  }

  // --- the whole ---

  all(frameWidth) {
    const root = this.network.root;
    if (!root.staged) {
      const body = this.body(root);
      return { mode: "flat", w: body.w, h: body.h, body, stages: [], arcs: [] };
    }
    return frameWidth < 720 ? this.rows(frameWidth) : this.columns(frameWidth);
  }

  stage(node, scale) {
    const open = isOpenable(node) && this.isOpen(node);
    const body = open ? this.body(node) : null;
    const slab = slabOf(node.shape, scale);
    const blocks = node.members?.filter((one) => one.kind !== "layer").length ?? 0;
    const working = node.members ? node.count : 1;
    const name = node.kind === "layer" ? (node.type === "InputLayer" ? "Input" : node.words) : shortTitle(node);
    const under = node.kind === "layer" ? "" : blocks > 1 ? `${blocks} blocks` : counted(working, "layers");
    const title = shapeText(node.shape);
    return { node, open, body, slab, name, under, title, panel: body ? { w: body.w + 36, h: body.h + 30 } : null };
  }

  arcsOf(stages) {
    const place = new Map(stages.map((stage, i) => [stage.node, i]));
    const found = new Map();
    for (const { from, to, source } of this.network.root.edges.values()) {
      const a = place.get(from), b = place.get(to);
      if (b - a > 1 && !found.has(`${a} ${b}`)) found.set(`${a} ${b}`, { a, b, source });
    }
    return [...found.values()].sort((one, other) => one.b - one.a - (other.b - other.a));
  }

  columns(frameWidth) {
    const head = this.network.root.members.some((node) => isOpenable(node) && this.isOpen(node)) ? SMALL_HEAD : LARGE_HEAD;
    const stages = this.network.root.members.map((node) => this.stage(node, head.slab));
    const arcs = this.arcsOf(stages);
    for (const stage of stages) {
      const text = Math.max(this.width(stage.title, 14, 600), this.width(`${stage.name} · ${stage.under}`, 11.5) + 14);
      stage.head = Math.max(head.width, stage.slab.w + 24, Math.min(text + 16, 190));
      stage.w = Math.max(stage.head, stage.panel?.w ?? 0);
    }
    const rise = arcs.length ? 22 + 13 * Math.max(...arcs.map((arc) => this.level(arc, arcs))) : 0;
    const total = stages.reduce((sum, stage) => sum + stage.w, 0);
    const gaps = stages.length - 1;
    const gap = Math.max(10, Math.min(46, (frameWidth - 40 - total) / Math.max(1, gaps)));
    let x = 0, low = head.height + rise;
    for (const stage of stages) {
      stage.x = x;
      stage.middle = x + stage.w / 2;
      stage.y = rise;
      if (stage.panel) {
        stage.panel.x = stage.middle - stage.panel.w / 2;
        stage.panel.y = rise + head.height + 10;
        low = Math.max(low, stage.panel.y + stage.panel.h);
      }
      x += stage.w + gap;
    }
    return { mode: "columns", head, w: x - gap, h: low, stages, arcs, rise };
  }

  // How high an arc must rise: above those that begin and end under it.
  level(arc, arcs) {
    const below = arcs.filter((one) => one !== arc && one.a >= arc.a && one.b <= arc.b && (one.a > arc.a || one.b < arc.b));
    return below.length ? 1 + Math.max(...below.map((one) => this.level(one, arcs))) : 0;
  }

  rows(frameWidth) {
    const stages = this.network.root.members.map((node) => this.stage(node, 0.5));
    const arcs = this.arcsOf(stages);
    const rise = arcs.length ? 16 + 9 * Math.max(...arcs.map((arc) => this.level(arc, arcs))) : 0;
    const width = Math.max(300, frameWidth - 20);
    let y = 0, wide = width;
    for (const stage of stages) {
      Object.assign(stage, { x: rise, y, w: width - rise, head: width - rise, middle: rise + ROW_SLAB / 2 });
      stage.high = Math.max(ROW_HEIGHT, stage.slab.h + 14);
      y += stage.high;
      if (stage.panel) {
        stage.panel.x = rise + Math.max(0, (width - rise - stage.panel.w) / 2);
        stage.panel.y = y + 4;
        wide = Math.max(wide, stage.panel.x + stage.panel.w);
        y += stage.panel.h + 18;
      }
    }
    return { mode: "rows", w: wide, h: y, stages, arcs, rise };
  }
}
