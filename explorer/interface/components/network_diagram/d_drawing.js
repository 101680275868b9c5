// The drawing as SVG text. Colours are written out, so that a saved file looks like the page.
const mixed = (one, other, share) => {
  const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const a = parts(one), b = parts(other);
  return "#" + a.map((value, i) => Math.round(value * share + b[i] * (1 - share)).toString(16).padStart(2, "0")).join("");
};

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

function lookOf(hues, family) {
  const { text, background: page, weight, activation, input, highlight, error, border } = hues;
  const work = mixed(text, page, 0.62);
  const tint = (hue, share) => mixed(hue, page, share);
  return {
    hues: { ...hues, work },
    css: `
text { font-family: ${family}; fill: ${text}; }
.strong { font-weight: 600; } .quiet { fill: ${mixed(text, page, 0.68)}; } .number { font-variant-numeric: tabular-nums; }
.flow { fill: none; stroke: ${mixed(text, page, 0.42)}; stroke-width: 1.4; }
.flow.skip { stroke: ${mixed(text, page, 0.62)}; stroke-width: 1.7; }
.tip { fill: ${mixed(text, page, 0.5)}; }
.port { fill: ${mixed(text, page, 0.55)}; }
.panel { fill: ${mixed(text, page, 0.028)}; stroke: ${border}; }
.box { fill: ${page}; stroke: ${mixed(text, page, 0.3)}; stroke-width: 1; }
.under { fill: ${page}; stroke: ${mixed(text, page, 0.22)}; }
.open .box { fill: ${mixed(text, page, 0.035)}; stroke: ${mixed(text, page, 0.24)}; }
.weight .box { fill: ${tint(weight, 0.13)}; stroke: ${tint(weight, 0.6)}; }
.activation .box { fill: ${tint(activation, 0.14)}; stroke: ${tint(activation, 0.5)}; }
.input .box { fill: ${tint(input, 0.16)}; stroke: ${tint(input, 0.6)}; }
.plain .box { fill: ${mixed(text, page, 0.05)}; stroke: ${mixed(text, page, 0.2)}; }
.join .box { fill: ${page}; stroke: ${mixed(text, page, 0.65)}; stroke-width: 1.5; }
.sign { fill: none; stroke: ${text}; stroke-width: 1.8; stroke-linecap: round; }
.badge { fill: ${mixed(text, page, 0.1)}; } .badge-text { font-weight: 700; }
.bar-parameters { fill: ${weight}; } .bar-multiply_adds { fill: ${work}; } .bar-activations { fill: ${activation}; }
.track { fill: ${mixed(text, page, 0.07)}; } .base { stroke: ${mixed(text, page, 0.3)}; stroke-width: 1; }
.face { stroke: ${page}; stroke-width: .8; stroke-linejoin: round; }
.map .front { fill: ${tint(activation, 0.78)}; } .map .top { fill: ${tint(activation, 0.36)}; } .map .right { fill: ${tint(activation, 0.56)}; }
.entering .front { fill: ${tint(input, 0.78)}; } .entering .top { fill: ${tint(input, 0.36)}; } .entering .right { fill: ${tint(input, 0.56)}; }
.turn { fill: none; stroke: ${mixed(text, page, 0.7)}; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.hit { fill: transparent; stroke: none; }
.same { opacity: .5; }
.changed > .box, .changed > .mark { stroke: ${highlight}; stroke-width: 2.2; stroke-dasharray: 5 3; }
.only > .box, .only > .mark { stroke: ${highlight}; stroke-width: 2.4; fill: ${tint(highlight, 0.2)}; }
.clash > .box { fill: ${tint(error, 0.12)}; stroke: ${error}; stroke-width: 2; }
.clash-words { fill: ${error}; } .clash-sign { fill: none; stroke: ${error}; stroke-width: 2.4; stroke-linecap: round; }
.holds-clash > .box, .holds-clash > .mark { stroke: ${error}; stroke-width: 2; }
.mark { fill: none; stroke: none; }
.ring { fill: none; stroke: none; }
.chosen > .ring { stroke: ${highlight}; stroke-width: 3; }`,
  };
}

function lookOfLayer(node) {
  if (node.type === "InputLayer") return "input";
  if (/Activation|ReLU|LeakyReLU|PReLU|^ELU|Softmax|GELU|SiLU|Swish|Sigmoid/.test(node.type)) return "activation";
  if (node.parameters && !/Normalization/.test(node.type)) return "weight";
  return "plain";
}

const tipAt = (x, y, way = "down") => {
  const points = { down: [[-3.6, -6], [3.6, -6]], right: [[-6, -3.6], [-6, 3.6]], up: [[-3.6, 6], [3.6, 6]] }[way];
  return `<path class="tip" d="M${round(x)} ${round(y)}L${round(x + points[0][0])} ${round(y + points[0][1])}L${round(x + points[1][0])} ${round(y + points[1][1])}Z"/>`;
};

function signOf(join, x, y) {
  const r = 6;
  if (join === "add") return `M${x - r} ${y}H${x + r}M${x} ${y - r}V${y + r}`;
  if (join === "multiply") return `M${x - 4.4} ${y - 4.4}L${x + 4.4} ${y + 4.4}M${x + 4.4} ${y - 4.4}L${x - 4.4} ${y + 4.4}`;
  if (join === "concatenate") return `M${x - r} ${y}H${x + r}M${x - 2.4} ${y - r}V${y + r}M${x + 2.4} ${y - r}V${y + r}`;
  if (join === "subtract") return `M${x - r} ${y}H${x + r}`;
  if (join === "average") return `M${x - r} ${y - 3}H${x + r}M${x - r} ${y + 3}H${x + r}`;
  return `M${x - 5} ${y + 4}L${x} ${y - 5}L${x + 5} ${y + 4}`;
}

class Drawing {
  constructor(network, state, layout, family) {
    Object.assign(this, { network, state, layout, family, order: [], rects: new Map() });
  }

  text(x, y, words, size, look = "", anchor = "start") {
    return `<text x="${round(x)}" y="${round(y)}" font-size="${size}"${look ? ` class="${look}"` : ""}${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${escaped(words)}</text>`;
  }

  // One thing that can be reached: its place is kept for the keyboard and for the way the picture moves to it.
  node(id, classes, label, place, inside, expanded) {
    this.order.push(id);
    this.rects.set(id, place);
    const state = expanded === undefined ? "" : ` aria-expanded="${expanded}"`;
    return `<g class="node ${classes}" data-id="${escaped(id)}" role="button" tabindex="-1" aria-label="${escaped(label)}"${state}>${inside}</g>`;
  }

  marks(node) {
    const change = this.network.header.compared ? node.change ?? "same" : "";
    const clash = node.broken ? (node.kind === "layer" ? "clash" : "holds-clash") : "";
    return `${change} ${clash} ${this.state.selected === node.id ? "chosen" : ""}`;
  }

  ring(x, y, w, h, r = 9) {
    return `<rect class="ring" x="${round(x - 3)}" y="${round(y - 3)}" width="${round(w + 6)}" height="${round(h + 6)}" rx="${r + 2}"/>`;
  }

  rect(look, x, y, w, h, r = 7) {
    return `<rect class="${look}" x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" rx="${r}"/>`;
  }

  // The share of what is counted in the group around it that lies here.
  cardBar(id, node, value, x, y, w) {
    const all = node.parent[this.state.measure];
    const share = all ? value / all : 0;
    if (!share) return "";
    return this.rect("track", x, y, w, 3.4, 1.7) +
      `<rect class="bar bar-${this.state.measure}" data-bar="${escaped(id)}" data-way="x" x="${round(x)}" y="${round(y)}" width="${round(Math.max(1.5, share * w))}" height="3.4" rx="1.7"/>`;
  }

  labelOf(node, extra = "") {
    const measure = MEASURES[this.state.measure].unit;
    if (node.kind === "layer") return `${node.words}, ${node.name}, output ${shapeText(node.shape)}, ${counted(node[this.state.measure], measure)}${node.broken ? `. Clash: ${node.broken}` : ""}`;
    return `${node.title}${extra}, output ${shapeText(node.shape)}, ${counted(node[this.state.measure], measure)}`;
  }

  box(item, x, y) {
    const box = { ...item, w: item.own };
    const { node } = box;
    if (box.look === "group") return this.group(box, x, y);
    if (box.look === "closed") return this.closed(box, x, y);
    const classes = `layer ${box.look === "join" ? "join" : lookOfLayer(node)} ${this.marks(node)}`;
    const middle = x + box.axis, high = box.cardHeight ?? box.h;
    let inside;
    if (box.look === "join") {
      const cy = y + 13;
      inside = `<circle class="ring" cx="${round(middle)}" cy="${cy}" r="16"/><circle class="box" cx="${round(middle)}" cy="${round(cy)}" r="12"/><path class="sign" d="${signOf(box.join, round(middle), round(cy))}"/>`;
      if (box.label) inside += this.text(middle + 17, cy + 4, box.label, 10.5, "quiet number");
    } else if (box.look === "card") {
      inside = this.ring(x, y, box.w, high) + this.rect("box", x, y, box.w, high) +
        this.text(middle, y + 17, box.first, 12.5, "strong", "middle") + this.text(middle, y + 31, box.second, 11, "quiet number", "middle") +
        this.cardBar(node.id, node, node[this.state.measure], x + 9, y + high - 6.2, box.w - 18);
    } else {
      inside = this.ring(x, y, box.w, high, 6) + this.rect("box", x, y, box.w, high, 6) + this.text(middle, y + 15.2, box.first, 11.5, "", "middle");
    }
    if (box.sentence) {
      const cy = y - 1;
      inside += `<path class="clash-sign" d="M${middle - 5} ${cy - 8}L${middle + 5} ${cy + 2}M${middle + 5} ${cy - 8}L${middle - 5} ${cy + 2}"/>`;
      box.sentence.forEach((line, i) => { inside += this.text(middle, y + high + 18 + 16 * i, line, 11.5, "clash-words strong", "middle"); });
    }
    return this.node(node.id, classes, this.labelOf(node), { x, y, w: box.w, h: box.h }, inside);
  }

  badge(run, x, y, w) {
    const words = `× ${run.members.length}`;
    const label = `${words}: ${run.exact ? "alike" : "built alike, of different width"}. Show them one by one`;
    return this.node(run.id, "fold", label, { x, y, w, h: 24 },
      this.ring(x, y, w, 24, 12) + this.rect("badge", x, y, w, 24, 12) + this.text(x + w / 2, y + 16.6, words, 13, "badge-text number", "middle"), false);
  }

  refold({ refold, fold }, x, y) {
    const w = this.layout.width(fold, 11.5, 600) + 18;
    return this.node(refold.id, "fold", `Fold these ${refold.members.length} blocks into one`, { x, y, w, h: 20 },
      this.ring(x, y, w, 20, 10) + this.rect("badge", x, y, w, 20, 10) + this.text(x + w / 2, y + 14, fold, 11.5, "strong", "middle"), true);
  }

  closed(box, x, y) {
    const { node, run } = box;
    const under = run ? this.rect("under", x + 6, y + 6, box.w - 6, 62, 8) + this.rect("under", x + 3, y + 3, box.w - 6, 62, 8) : "";
    const w = run ? box.w - 6 : box.w;
    const inside = under + this.ring(x, y, w, 62) + this.rect("box", x, y, w, 62, 8) +
      this.turn(x + 13, y + 16, false) + this.text(x + 22, y + 20, box.title, 12.5, "strong") +
      this.text(x + 12, y + 35.5, box.gist, 11.5) + this.text(x + 12, y + 49.5, box.facts, 11, "quiet number") +
      this.cardBar(node.id, node, box.value, x + 12, y + 55, w - 24);
    const alike = run ? `, ${run.members.length} times` : "";
    return this.node(node.id, `block ${this.marks(node)}`, this.labelOf(node, alike), { x, y, w, h: 62 }, inside, false) +
      (run ? this.badge(run, x + w - box.badge - 4 + 12, y + 7, box.badge - 14) : "") + (box.refold ? this.refold(box, x + box.w + 6, y + 2) : "");
  }

  turn(x, y, open) {
    return `<path class="turn" d="${open ? `M${x - 4} ${y - 2}L${x} ${y + 2}L${x + 4} ${y - 2}` : `M${x - 2} ${y - 4}L${x + 2} ${y}L${x - 2} ${y + 4}`}"/>`;
  }

  group(box, x, y) {
    const { node, run } = box;
    const head = this.rect("mark", x, y, box.w, box.h, 9) + this.rect("box", x, y, box.w, box.h, 9) + `<rect class="hit" x="${round(x)}" y="${round(y)}" width="${round(box.w)}" height="28"/>` +
      this.ring(x, y, box.w, box.h) + this.turn(x + 14, y + 15, true) + this.text(x + 24, y + 19, box.title, 12.5, "strong");
    return this.node(node.id, `block open ${this.marks(node)}`, this.labelOf(node), { x, y, w: box.w, h: 28, whole: box.h }, head, true) +
      (run ? this.badge(run, x + box.w - box.badge + 8, y + 4, box.badge - 14) : "") + (box.refold ? this.refold(box, x + box.w + 6, y + 2) : "") +
      this.body(box.body, x + box.bodyX, y + box.bodyY);
  }

  body(body, x, y) {
    const { graph, boxes } = body;
    const parts = [];
    for (const line of graph.lines) {
      const points = line.points.map(([px, py]) => [px + x, py + y]);
      parts.push(`<path class="flow${line.skip ? " skip" : ""}" d="${smooth(points)}"/>`);
      const [ex, ey] = points.at(-1);
      if (!line.exit) parts.push(tipAt(ex, ey));
    }
    graph.ports.forEach((px, i) => {
      parts.push(`<circle class="port" cx="${round(px + x)}" cy="${round(y)}" r="2.6"/>`);
      if (body.labels[i]) parts.push(this.text(px + x + 7, y + 3.5, body.labels[i], 10.5, "quiet"));
    });
    if (body.node.kind !== "root" && graph.exit !== null) parts.push(`<circle class="port" cx="${round(graph.exit + x)}" cy="${round(y + graph.h)}" r="2.6"/>`);
    boxes.forEach((box, i) => parts.push(this.box(box, x + graph.places[i].x, y + graph.places[i].y)));
    return parts.join("");
  }

  slab(slab, x, y, entering) {
    const { thick, high, dx, dy } = slab;
    const p = (...points) => points.map(([a, b]) => `${round(x + a)} ${round(y + b)}`).join("L");
    return `<g class="${entering ? "entering" : "map"}"><path class="face top" d="M${p([0, dy], [dx, 0], [dx + thick, 0], [thick, dy])}Z"/>` +
      `<path class="face right" d="M${p([thick, dy], [thick + dx, 0], [thick + dx, high], [thick, high + dy])}Z"/>` +
      `<path class="face front" d="M${p([0, dy], [thick, dy], [thick, high + dy], [0, high + dy])}Z"/></g>`;
  }

  whole(plan) {
    if (plan.mode === "flat") return this.body(plan.body, 0, 0);
    return plan.mode === "columns" ? this.columns(plan) : this.rows(plan);
  }

  stageBody(stage, parts) {
    const { panel, body } = stage;
    parts.push(this.rect("panel", panel.x, panel.y, panel.w, panel.h, 12));
    parts.push(this.body(body, panel.x + (panel.w - body.w) / 2, panel.y + 14));
  }

  columns(plan) {
    const parts = [], lines = [];
    const { stages, rise, head } = plan;
    const measure = this.state.measure, all = this.network.root[measure];
    const most = Math.max(...stages.map((stage) => stage.node[measure]));
    const axis = rise + head.axis;
    const place = (stage) => ({ x: stage.middle - stage.slab.w / 2, y: axis - stage.slab.h / 2 });
    stages.slice(1).forEach((stage, i) => {
      const before = stages[i], a = place(before), b = place(stage);
      const from = a.x + before.slab.thick + before.slab.dx * 0.5 + 8, to = b.x - 5;
      lines.push(`<path class="flow" d="M${round(Math.max(from, a.x + before.slab.w - before.slab.dx * 0.3))} ${axis}H${round(to)}"/>`, tipAt(to + 1, axis, "right"));
    });
    for (const arc of plan.arcs) {
      const one = stages[arc.a], other = stages[arc.b], a = place(one), b = place(other);
      const height = 12 + 13 * this.layout.level(arc, plan.arcs);
      const top = rise - height - 4, x0 = a.x + one.slab.dx + one.slab.thick / 2, x1 = b.x + other.slab.dx + other.slab.thick / 2 - 6;
      const r = Math.min(16, (x1 - x0) / 2);
      lines.push(`<path class="flow skip" d="M${round(x0)} ${round(a.y - 3)}V${round(top + r)}Q${round(x0)} ${round(top)} ${round(x0 + r)} ${round(top)}H${round(x1 - r)}Q${round(x1)} ${round(top)} ${round(x1)} ${round(top + r)}V${round(b.y - 4)}"/>`, tipAt(x1, b.y - 3));
    }
    const base = rise + head.base;
    lines.push(`<path class="base" d="M0 ${base + 0.5}H${round(plan.w)}"/>`);
    for (const stage of stages) {
      const { node, middle } = stage;
      const at = place(stage), value = node[measure];
      const x = middle - stage.head / 2;
      const high = Math.max(value ? 1.5 : 0, (most ? value / most : 0) * head.bar);
      let inside = `<rect class="hit" x="${round(x)}" y="${rise}" width="${round(stage.head)}" height="${head.height}" rx="10"/>` +
        this.rect("mark", x + 2, rise + 2, stage.head - 4, head.height - 4, 10) + this.ring(x + 3, rise + 3, stage.head - 6, head.height - 6, 9);
      inside += this.slab(stage.slab, at.x, at.y, node.type === "InputLayer" || /^Input/.test(node.title ?? ""));
      inside += this.text(middle, rise + head.title, stage.title, 14, "strong number", "middle");
      const words = [stage.name, stage.under].filter(Boolean).join(" · ");
      const shown = clipped(words, 11.5, 400, this.family, stage.head - 18);
      const wide = this.layout.width(shown, 11.5);
      const opens = isOpenable(node);
      inside += this.text(middle + (opens ? 6 : 0), rise + head.under, shown, 11.5, "quiet", "middle");
      if (opens) inside += this.turn(middle - wide / 2 - 4, rise + head.under - 4, stage.open);
      inside += `<rect class="bar bar-${measure}" data-bar="${escaped(node.id)}" data-way="y" x="${round(middle - 20)}" y="${round(base - high)}" width="40" height="${round(high)}" rx="2"/>`;
      inside += this.text(middle, base + 18, countText(value), 13, "strong number", "middle") + this.text(middle, base + 34, value ? shareText(value, all) : "", 11.5, "quiet number", "middle");
      parts.push(this.node(node.id, `stage ${stage.open ? "open" : ""} ${this.marks(node)}`, this.labelOf(node), { x, y: rise, w: stage.head, h: head.height }, inside, opens ? stage.open : undefined));
      if (stage.panel) {
        parts.push(`<path class="panel" d="M${round(middle - 9)} ${stage.panel.y}L${round(middle)} ${stage.panel.y - 9}L${round(middle + 9)} ${stage.panel.y}"/>`);
        this.stageBody(stage, parts);
      }
    }
    return lines.join("") + parts.join("");
  }

  rows(plan) {
    const parts = [], lines = [];
    const measure = this.state.measure, all = this.network.root[measure];
    const most = Math.max(...plan.stages.map((stage) => stage.node[measure]));
    const place = (stage) => ({ x: stage.middle - stage.slab.w / 2, y: stage.y + (stage.high - stage.slab.h) / 2 });
    plan.stages.slice(1).forEach((stage, i) => {
      const before = plan.stages[i], a = place(before), b = place(stage);
      const from = a.y + before.slab.h, to = b.y - 3;
      const middle = stage.middle - 4;
      if (!before.panel) lines.push(`<path class="flow" d="M${middle} ${round(from + 1)}V${round(to)}"/>`, tipAt(middle, to + 1));
    });
    for (const arc of plan.arcs) {
      const one = plan.stages[arc.a], other = plan.stages[arc.b], a = place(one), b = place(other);
      const x = plan.rise - 10 - 9 * this.layout.level(arc, plan.arcs) + 12;
      const y0 = a.y + one.slab.h * 0.6, y1 = b.y + other.slab.h * 0.45;
      lines.push(`<path class="flow skip" d="M${round(a.x - 2)} ${round(y0)}H${x + 8}Q${x} ${round(y0)} ${x} ${round(y0 + 8)}V${round(y1 - 8)}Q${x} ${round(y1)} ${x + 8} ${round(y1)}H${round(b.x - 4)}"/>`, tipAt(b.x - 3, y1, "right"));
    }
    for (const stage of plan.stages) {
      const { node } = stage;
      const at = place(stage), value = node[measure];
      const x = stage.x + ROW_SLAB, w = stage.w - ROW_SLAB - 8, opens = isOpenable(node), top = stage.y + stage.high / 2 - 34;
      let inside = `<rect class="hit" x="${stage.x}" y="${round(stage.y)}" width="${round(stage.w)}" height="${round(stage.high)}"/>` +
        this.rect("mark", stage.x + 2, stage.y + 3, stage.w - 4, stage.high - 6, 9) + this.ring(stage.x + 4, stage.y + 4, stage.w - 8, stage.high - 8);
      inside += this.slab(stage.slab, at.x, at.y, node.type === "InputLayer" || /^Input/.test(node.title ?? ""));
      inside += this.text(x, top + 16, stage.title, 14, "strong number");
      inside += this.text(x + (opens ? 14 : 0), top + 34, [stage.name, stage.under].filter(Boolean).join(" · "), 12, "quiet");
      if (opens) inside += this.turn(x + 5, top + 30, stage.open);
      inside += this.text(x + w, top + 16, countText(value), 13, "strong number", "end") + (value ? this.text(x + w, top + 34, shareText(value, all), 12, "quiet number", "end") : "");
      if (value) inside += `<rect class="bar bar-${measure}" data-bar="${escaped(node.id)}" data-way="x" x="${round(x)}" y="${round(top + 46)}" width="${round(Math.max(1.5, (value / most) * w))}" height="9" rx="2"/>`;
      parts.push(this.node(node.id, `stage ${stage.open ? "open" : ""} ${this.marks(node)}`, this.labelOf(node), { x: stage.x, y: stage.y, w: stage.w, h: stage.high }, inside, opens ? stage.open : undefined));
      if (stage.panel) this.stageBody(stage, parts);
    }
    return lines.join("") + parts.join("");
  }
}
