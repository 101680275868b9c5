// The diagram of a network: what is open, what the bars show and where the picture stands are the browser's.
const DEPTHS = { stages: "Stages", blocks: "Blocks", layers: "Layers" };
const EDGE = 14, SMALLEST = 0.12, LARGEST = 3, READABLE = 0.72;
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

class View {
  constructor(parent) {
    this.parent = parent;
    this.find = (name) => parent.querySelector(name);
    this.section = this.find(".view");
    this.frame = this.find(".frame");
    this.svg = this.find(".picture");
    this.world = this.find(".world");
    this.facts = this.find(".facts");
    this.state = { open: new Set(), unfolded: new Set(), measure: "parameters", selected: null };
    this.at = { scale: 1, x: 0, y: 0 };
    this.auto = true;
    this.digest = null;
    this.pointers = new Map();
    this.listen();
  }

  // --- what Python says ---

  show(header, send) {
    this.send = send;
    const news = this.digest !== header.digest;
    const hues = JSON.stringify(header.hues);
    const recoloured = this.hues !== hues;
    const chosen = this.state.selected !== (header.selected ?? null);
    this.header = header;
    this.hues = hues;
    if (news) {
      const same = this.network && this.network.header.network === header.network && JSON.stringify(this.network.header.tree) === JSON.stringify(header.tree);
      this.digest = header.digest;
      this.network = networkOf(header);
      if (!same || this.asked?.open_to !== header.open_to) this.openTo(header.open_to);
      if (this.asked?.measure !== header.measure) this.state.measure = header.measure;
      this.asked = { open_to: header.open_to, measure: header.measure };
      for (const node of this.network.byId.values()) if (node.kind === "layer" && node.broken) this.reveal(node);
      if (!same) { this.auto = true; this.active = null; this.touched = false; }
    }
    if (chosen || news) {
      this.state.selected = header.selected ?? null;
      const node = this.network.byId.get(this.state.selected);
      if (node && chosen && !this.rectOf(node.id)) this.reveal(node);
    }
    this.section.classList.toggle("bare", !header.tools);
    if (!news && !recoloured && !chosen) return;
    this.buttons();
    this.draw();
    const rect = chosen && this.rectOf(this.state.selected);
    if (rect) { this.active = this.state.selected; this.bring({ ...rect, h: rect.whole ?? rect.h }); this.place(); }
    this.crumbs();
  }

  reveal(node) {
    for (let at = node.parent; at && at.kind !== "root"; at = at.parent) {
      this.state.open.add(at.id);
      for (const list of [...at.branches, at.children]) {
        const here = list.find((one) => one === node || chainOf(node).includes(one));
        if (!here || here.kind === "layer") continue;
        let first = list.indexOf(here);
        while (first > 0 && list[first - 1].form === here.form) first -= 1;
        if (list[first] !== here) this.state.unfolded.add("run" + list[first].id);
      }
    }
  }

  openTo(depth) {
    const { open, unfolded } = this.state;
    open.clear();
    unfolded.clear();
    for (const node of this.network.byId.values()) {
      if (node.kind === "layer") continue;
      if (depth === "layers" || (depth === "blocks" && this.isStage(node))) open.add(node.id);
    }
  }

  // Not what only prepares the picture.
  isStage(node) { return this.network.root.staged && node.parent.kind === "root" && !/^Input/.test(node.title); }

  depth() {
    const blocks = [...this.network.byId.values()].filter((node) => node.kind !== "layer");
    const open = (node) => this.state.open.has(node.id);
    if (this.state.unfolded.size) return null;
    if (!blocks.some(open)) return this.network.root.staged ? "stages" : "blocks";
    if (blocks.every(open)) return "layers";
    return blocks.every((node) => open(node) === this.isStage(node)) ? "blocks" : null;
  }

  // --- drawing ---

  measureFamily() {
    const style = getComputedStyle(this.section);
    return style.fontFamily || "sans-serif";
  }

  draw(anchor) {
    const began = performance.now();
    this.family = this.measureFamily().replaceAll('"', "'");
    const before = anchor ? this.rectOf(anchor) : null;
    const bars = new Map([...this.world.querySelectorAll(".bar")].map((bar) => [bar.dataset.bar, { w: +bar.getAttribute("width"), h: +bar.getAttribute("height") }]));
    const focused = this.parent.contains(this.focusedNode()) ? this.focusedNode()?.dataset.id : null;
    const width = this.frame.clientWidth || 1000;
    this.drawnFor = width;
    this.layout = new Layout(this.network, this.state, this.family);
    this.plan = this.layout.all(width);
    this.look = lookOf(this.header.hues, this.family);
    for (const [name, hue] of Object.entries(this.look.hues)) this.section.style.setProperty(`--${name}`, hue);
    this.drawing = new Drawing(this.network, this.state, this.layout, this.family);
    this.world.innerHTML = this.drawing.whole(this.plan);
    this.svg.querySelector("style").textContent = this.look.css;
    this.svg.setAttribute("aria-label", `Diagram of ${this.header.title}. Arrow keys go from part to part, Enter opens and closes.`);
    this.section.dataset.mode = this.plan.mode;
    this.total();
    if (!this.drawing.rects.has(this.active)) this.active = this.drawing.order[0];
    this.node(this.active)?.setAttribute("tabindex", "0");
    if (focused) this.node(focused)?.focus({ preventScroll: true });
    if (this.auto) this.fit(); else this.size();
    if (before) {
      const now = this.rectOf(anchor);
      if (now) this.hold(before, now, anchor);
    }
    this.place();
    const depth = this.depth();
    for (const button of this.section.querySelectorAll(".depths button")) button.setAttribute("aria-pressed", String(button.dataset.depth === depth));
    this.section.dataset.shown = this.header.digest;
    this.section.dataset.milliseconds = String(Math.round(performance.now() - began));
    return bars;
  }

  total() {
    const { root } = this.network;
    const parts = Object.entries(MEASURES).map(([name, { unit }]) => {
      const words = counted(root[name], unit);
      const node = element(name === this.state.measure ? "b" : "span", "", words);
      node.title = root[name].toLocaleString("en");
      return node;
    });
    const line = this.find(".total");
    line.replaceChildren(parts[0], ", ", parts[1], ", ", parts[2], ". ");
    const where = root.staged ? (this.state.open.size ? "Bars compare the stages; inside, each shows its share of what surrounds it." : "Bars compare the stages.") : "Each bar shows the share of what surrounds it.";
    line.append(element("span", "", where));
    if (this.header.compared) for (const [name, words] of [["changed", "differs"], ["only", "only here"]]) {
      const key = element("span", `key ${name}`);
      key.append(element("i"), words);
      line.append(key);
    }
  }

  grow(bars) {
    if (calm()) return;
    for (const bar of this.world.querySelectorAll(".bar")) {
      const was = bars.get(bar.dataset.bar), upright = bar.dataset.way === "y";
      const now = +bar.getAttribute(upright ? "height" : "width");
      const share = was && now ? (upright ? was.h : was.w) / now : 0;
      bar.style.transformBox = "fill-box";
      bar.style.transformOrigin = upright ? "50% 100%" : "0 50%";
      bar.animate([{ transform: upright ? `scaleY(${share})` : `scaleX(${share})` }, { transform: "none" }], { duration: 280, easing: "ease-out" });
    }
  }

  node(id) { return id === undefined || id === null ? null : this.world.querySelector(`[data-id="${CSS.escape(id)}"]`); }

  rectOf(id) { return this.drawing?.rects.get(id) ?? null; }

  focusedNode() { return this.parent.getRootNode().activeElement?.closest?.(".node") ?? null; }

  // --- where the picture stands ---

  room() { return { w: this.frame.clientWidth, most: this.header.height }; }

  fit() {
    const { w, most } = this.room();
    const whole = (w - 2 * EDGE) / this.plan.w;
    const largest = this.plan.mode === "rows" ? 1 : this.plan.mode === "flat" ? 1.15 : this.plan.head === SMALL_HEAD ? 1.1 : 1.3;
    let scale = Math.min(largest, whole);
    // Closed, all is seen at once; opened, there is more than fits.
    if (this.plan.head === LARGE_HEAD || this.plan.mode === "flat") scale = Math.min(scale, Math.max(READABLE, (most - 2 * EDGE) / this.plan.h));
    if (this.plan.mode === "rows" && whole < 1) scale = 1;
    else scale = Math.max(scale, Math.min(READABLE, largest));
    this.at.scale = scale;
    this.size();
    this.at.x = Math.max(EDGE, (w - this.plan.w * scale) / 2);
    if (this.plan.mode === "flat" && this.plan.w * scale > w) this.at.x = (w - this.plan.w * scale) / 2;
    this.at.y = EDGE;
    this.settle();
  }

  fitAll() {
    const { w, most } = this.room();
    const scale = Math.min(1.3, (w - 2 * EDGE) / this.plan.w, (most - 2 * EDGE) / this.plan.h);
    this.at.scale = Math.max(SMALLEST, scale);
    this.auto = false;
    this.size();
    this.at.x = (w - this.plan.w * this.at.scale) / 2;
    this.at.y = Math.max(EDGE, (this.high - this.plan.h * this.at.scale) / 2);
    this.place(true);
  }

  // The frame is as high as the picture, up to the height that the page gives it.
  size() {
    const { most } = this.room();
    this.high = Math.round(Math.max(Math.min(220, most), Math.min(most, this.plan.h * this.at.scale + 2 * EDGE)));
    this.frame.style.height = this.high + "px";
  }

  // What has been clicked stays under the pointer, and what it opened comes into sight.
  hold(before, now, id) {
    const { scale } = this.at;
    const old = this.heldAt ?? { x: before.x * scale + this.at.x, y: before.y * scale + this.at.y };
    if (this.plan.w * scale > this.frame.clientWidth - 2) this.at.x = old.x - now.x * scale;
    if (this.plan.h * scale > this.high - 2) this.at.y = old.y - now.y * scale;
    this.heldAt = null;
    const stage = this.plan.stages.find((one) => one.node.id === id);
    const area = stage?.panel ? { x: Math.min(stage.panel.x, now.x), y: this.plan.mode === "rows" ? stage.y : stage.y, w: stage.panel.w, h: stage.panel.y + stage.panel.h - stage.y } : { x: now.x, y: now.y, w: now.w, h: now.whole ?? now.h };
    this.bring(area);
  }

  bring(area) {
    const { scale } = this.at, w = this.frame.clientWidth;
    const left = area.x * scale + this.at.x, right = left + area.w * scale;
    const top = area.y * scale + this.at.y, bottom = top + area.h * scale;
    if (left < EDGE || area.w * scale > w - 2 * EDGE) this.at.x += EDGE - left;
    else if (right > w - EDGE) this.at.x -= right - (w - EDGE);
    if (top < EDGE) this.at.y += EDGE - top;
    else if (bottom > this.high - EDGE) this.at.y -= Math.min(bottom - (this.high - EDGE), top - EDGE);
    this.settle();
  }

  // No further than to the edges of the picture.
  settle() {
    const { scale } = this.at, w = this.frame.clientWidth;
    const within = (at, size, room) => (size * scale <= room - 2 * EDGE + 1 ? Math.max(Math.min(EDGE, room - size * scale), Math.min(at, room - size * scale - Math.min(EDGE, 0))) : Math.min(EDGE, Math.max(room - EDGE - size * scale, at)));
    this.at.x = this.plan.w * scale <= w - 2 * EDGE + 1 ? (w - this.plan.w * scale) / 2 : within(this.at.x, this.plan.w, w);
    this.at.y = this.plan.h * scale <= this.high - 2 * EDGE + 1 ? (this.high - this.plan.h * scale) / 2 : within(this.at.y, this.plan.h, this.high);
  }

  place(glide = false) {
    this.frame.classList.toggle("gliding", glide && !calm());
    const { scale, x, y } = this.at;
    this.world.style.transform = `translate(${round(x)}px, ${round(y)}px) scale(${scale})`;
    const wide = this.plan.w * scale > this.frame.clientWidth, high = this.plan.h * scale > this.high;
    this.frame.classList.toggle("movable", wide || high);
    this.frame.style.touchAction = high ? "none" : wide ? "pan-y" : "auto";
  }

  zoom(factor, cx = this.frame.clientWidth / 2, cy = this.high / 2, glide = true) {
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.at.scale * factor));
    const ratio = scale / this.at.scale;
    this.auto = false;
    this.at = { scale, x: cx - (cx - this.at.x) * ratio, y: cy - (cy - this.at.y) * ratio };
    this.size();
    this.settle();
    this.place(glide);
  }

  move(dx, dy) {
    const { x, y } = this.at;
    this.at.x += dx;
    this.at.y += dy;
    this.settle();
    this.place();
    return Math.abs(this.at.x - x) + Math.abs(this.at.y - y) > 0.5;
  }

  // --- acts ---

  act(id) {
    this.touched = true;
    this.muted = id;
    this.facts.hidden = true;
    const rect = this.rectOf(id);
    if (rect) this.heldAt = { x: rect.x * this.at.scale + this.at.x, y: rect.y * this.at.scale + this.at.y };
    if (id.startsWith("run")) {
      const unfolded = !this.state.unfolded.has(id);
      if (unfolded) this.state.unfolded.add(id); else this.state.unfolded.delete(id);
      const first = id.slice(3);
      this.active = first;
      this.draw(first);
      this.node(first)?.focus({ preventScroll: true });
      this.say(unfolded ? "Shown one by one" : "Folded");
      return;
    }
    const node = this.network.byId.get(id);
    this.active = id;
    if (isOpenable(node)) {
      const open = !this.state.open.has(id);
      if (open) this.state.open.add(id); else this.state.open.delete(id);
      this.say(`${node.title} ${open ? "opened" : "closed"}`);
      this.choose(id, false);
      this.draw(id);
      this.node(id)?.focus({ preventScroll: true });
    } else this.choose(id, true);
    this.crumbs();
  }

  choose(id, redraw) {
    if (!this.header.selectable) return;
    this.state.selected = id;
    if (redraw) for (const one of this.world.querySelectorAll(".node")) one.classList.toggle("chosen", one.dataset.id === id);
    this.send("selected", id);
  }

  setMeasure(measure) {
    this.state.measure = measure;
    this.buttons();
    this.grow(this.draw(this.active));
  }

  say(words) { this.find(".said").textContent = words; }

  buttons() {
    const choice = (name, options, pressed, act) => {
      const group = this.find(name);
      if (group.childElementCount !== Object.keys(options).length) group.replaceChildren(...Object.entries(options).map(([value, title]) => {
        const button = element("button", "", title);
        button.type = "button";
        button.dataset[name === ".depths" ? "depth" : "measure"] = value;
        button.onclick = () => act(value);
        return button;
      }));
      for (const button of group.children) button.setAttribute("aria-pressed", String((button.dataset.depth ?? button.dataset.measure) === pressed));
      return group;
    };
    const titles = Object.fromEntries(Object.entries(MEASURES).map(([name, { title }]) => [name, title]));
    const measures = choice(".measures", titles, this.state.measure, (value) => this.setMeasure(value));
    for (const button of measures.children) button.style.setProperty("--hue", `var(--${MEASURES[button.dataset.measure].hue})`);
    const { root } = this.network;
    const nested = root.members.some((node) => node.members?.some((one) => one.kind !== "layer"));
    const depths = root.staged ? (nested ? DEPTHS : { stages: "Stages", layers: "Layers" }) : { blocks: "Blocks", layers: "Layers" };
    const group = choice(".depths", depths, this.depth(), (value) => { this.auto = true; this.openTo(value); this.draw(); this.say(`Open down to ${value}`); });
    group.hidden = !root.staged && root.members.every((node) => node.kind === "layer");
  }

  crumbs() {
    const line = this.find(".crumbs");
    const node = this.touched ? this.network.byId.get(this.active) : null;
    if (!node) { line.replaceChildren("Click or press Enter to open a part; drag, pinch or Ctrl + wheel to move and zoom."); return; }
    const chain = chainOf(node).slice(1);
    const parts = [element("span", "", this.header.title)];
    chain.forEach((one, i) => {
      parts.push(document.createTextNode(" › "));
      const words = one.kind === "layer" ? `${one.words} (${one.name})` : one.title;
      if (i === chain.length - 1) { parts.push(element("span", "now", words)); return; }
      const button = element("button", "", words);
      button.type = "button";
      button.title = "Go there";
      button.onclick = () => this.goTo(one.id);
      parts.push(button);
    });
    line.replaceChildren(...parts);
  }

  goTo(id) {
    const rect = this.rectOf(id);
    if (!rect) return;
    this.active = id;
    this.bring({ ...rect, h: rect.whole ?? rect.h });
    this.place(true);
    this.focus(id);
  }

  focus(id) {
    for (const one of this.world.querySelectorAll('[tabindex="0"]')) one.setAttribute("tabindex", "-1");
    const node = this.node(id);
    if (!node) return;
    this.active = id;
    this.muted = null;
    node.setAttribute("tabindex", "0");
    node.focus({ preventScroll: true });
    this.crumbs();
  }

  // The next part in a direction: near in that direction, and not much to its side.
  towards(id, dx, dy) {
    const centre = (rect) => [rect.x + rect.w / 2, rect.y + rect.h / 2];
    const [x, y] = centre(this.rectOf(id));
    let best = null, least = Infinity;
    for (const [other, rect] of this.drawing.rects) {
      if (other === id) continue;
      const [ox, oy] = centre(rect);
      const along = (ox - x) * dx + (oy - y) * dy, aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (along <= 2) continue;
      const cost = along + 2.2 * aside;
      if (cost < least) { least = cost; best = other; }
    }
    return best;
  }

  // --- facts of what is under the pointer or has the focus ---

  tell(id, near) {
    const node = this.network.byId.get(id);
    const box = this.facts;
    if (!node) { box.hidden = true; return; }
    const rows = [];
    const add = (name, words, sum) => { if (words) rows.push([name, words, sum]); };
    const { layers, texts } = this.header;
    const exact = (value) => value.toLocaleString("en");
    const share = (measure) => {
      const all = this.network.root[measure];
      return node[measure] && all ? ` · ${shareText(node[measure], all)} of the network` : "";
    };
    if (node.kind === "layer") {
      const i = node.layer;
      add("Layer", node.type);
      add("Settings", texts[layers.settings[i]]);
      const given = layers.inputs[i].map((source) => shapeText(this.network.leaves[source].shape)).join(" and ");
      add("Shape", given ? `${given} → ${shapeText(node.shape)}` : shapeText(node.shape));
      add("Parameters", exact(node.parameters) + share("parameters"), texts[layers.weights[i]]);
      if (layers.fixed[i]) add("", `${exact(layers.fixed[i])} of them not trained`);
      add("Multiply-adds", exact(node.multiply_adds) + share("multiply_adds"), texts[layers.work[i]]);
      add("Activations", `${exact(node.activations)} · ${megabytes(node.activations)}`);
      add("Sees", texts[layers.sees[i]]);
    } else {
      add("What", `${kindWords(node)}, ${counted(node.count, "layers")}`);
      add("Output", shapeText(this.network.leaves[node.output].shape));
      for (const [measure, { title }] of Object.entries(MEASURES)) add(title, exact(node[measure]) + share(measure));
    }
    const list = element("dl");
    for (const [name, words, sum] of rows) {
      list.append(element("dt", "", name), element("dd", "", words));
      if (sum) list.append(element("dd", "sum", `= ${sum}`.replace(/^= = /, "= ")));
    }
    const title = element("h4", "", node.kind === "layer" ? `${node.words} · ${node.name}` : node.title);
    const clash = node.broken ? [element("p", "clash", node.broken)] : [];
    box.replaceChildren(title, list, ...clash);
    box.hidden = false;
    const w = this.frame.clientWidth, { offsetWidth: bw, offsetHeight: bh } = box;
    const rect = this.rectOf(id), { scale, x, y } = this.at;
    const left = rect.x * scale + x, right = (rect.x + rect.w) * scale + x, top = rect.y * scale + y;
    let bx = right + 12, by = near ? near.y - 20 : top;
    if (bx + bw > w - 6) bx = left - bw - 12;
    if (bx < 6) { bx = near ? Math.min(near.x + 16, w - bw - 6) : w - bw - 6; by = near ? near.y + 18 : (rect.y + rect.h) * scale + y + 8; }
    box.style.left = Math.max(6, bx) + "px";
    box.style.top = Math.max(6, Math.min(by, this.high - bh - 6)) + "px";
  }

  // --- hands ---

  listen() {
    const { frame, world } = this;
    const spot = (event) => { const rect = frame.getBoundingClientRect(); return { x: event.clientX - rect.left, y: event.clientY - rect.top }; };
    const nodeAt = (event) => event.target.closest?.(".node");
    world.onclick = (event) => {
      if (this.dragged) return;
      const node = nodeAt(event);
      if (node) this.act(node.dataset.id);
    };
    frame.onpointerdown = (event) => {
      if (event.button) return;
      this.pointers.set(event.pointerId, spot(event));
      this.dragged = false;
      this.began = spot(event);
    };
    frame.onpointermove = (event) => {
      const before = this.pointers.get(event.pointerId), now = spot(event);
      if (!before) {
        const node = event.pointerType === "mouse" ? nodeAt(event) : null;
        const id = node?.dataset.id;
        if (id !== this.over) { this.over = id; this.facts.hidden = true; if (id !== this.muted) this.muted = null; clearTimeout(this.soon); }
        if (!id || id === this.muted) return;
        if (this.facts.hidden) { clearTimeout(this.soon); this.soon = setTimeout(() => { if (this.over === id && id !== this.muted) this.tell(id, now); }, 140); } else this.tell(id, now);
        return;
      }
      if (this.pointers.size === 2) {
        const [a, b] = [...this.pointers.values()];
        const apart = Math.hypot(a.x - b.x, a.y - b.y);
        this.pointers.set(event.pointerId, now);
        const [c, d] = [...this.pointers.values()];
        this.zoom(Math.hypot(c.x - d.x, c.y - d.y) / Math.max(1, apart), (c.x + d.x) / 2, (c.y + d.y) / 2, false);
        this.dragged = true;
        return;
      }
      if (!this.dragged && Math.hypot(now.x - this.began.x, now.y - this.began.y) < 5) return;
      if (!this.frame.classList.contains("movable")) return;
      if (!this.dragged) { this.dragged = true; frame.setPointerCapture(event.pointerId); frame.classList.add("moving"); this.facts.hidden = true; }
      this.move(now.x - before.x, now.y - before.y);
      this.pointers.set(event.pointerId, now);
    };
    frame.onpointerup = frame.onpointercancel = (event) => {
      this.pointers.delete(event.pointerId);
      frame.classList.remove("moving");
    };
    frame.onpointerleave = () => { this.facts.hidden = true; this.over = null; clearTimeout(this.soon); };
    frame.addEventListener("wheel", (event) => {
      const { x, y } = spot(event);
      const unit = event.deltaMode === 1 ? 16 : 1;
      if (event.ctrlKey || event.metaKey) { event.preventDefault(); this.zoom(Math.exp(-event.deltaY * unit * 0.004), x, y, false); this.facts.hidden = true; return; }
      const [dx, dy] = event.shiftKey ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      // At the edge of the picture the page scrolls on.
      if (this.move(-dx * unit, -dy * unit)) { event.preventDefault(); this.facts.hidden = true; }
    }, { passive: false });
    // On the frame: a part of an SVG picture that listens for the focus can itself be reached by Tab.
    frame.addEventListener("focusin", (event) => {
      const node = nodeAt(event);
      if (!node) return;
      this.active = node.dataset.id;
      if (node.matches(":focus-visible")) {
        this.touched = true;
        const rect = this.rectOf(this.active);
        if (rect) { this.bring(rect); this.place(); frame.scrollTop = frame.scrollLeft = 0; }
        if (this.muted !== this.active) this.tell(this.active);
      }
      this.crumbs();
    });
    frame.addEventListener("focusout", () => { this.facts.hidden = true; });
    frame.addEventListener("keydown", (event) => {
      const node = nodeAt(event);
      if (!node) return;
      const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
      const way = ways[event.key];
      const id = node.dataset.id;
      if (way) {
        event.preventDefault();
        const next = this.towards(id, ...way);
        if (next) this.focus(next);
      } else if (event.key === "Enter" || event.key === " ") { event.preventDefault(); this.act(id); }
      else if (event.key === "Home" || event.key === "End") { event.preventDefault(); this.focus(event.key === "Home" ? this.drawing.order[0] : this.drawing.order.at(-1)); }
      else if (event.key === "+" || event.key === "=") this.zoom(1.25);
      else if (event.key === "-") this.zoom(0.8);
      else if (event.key === "0") this.fitAll();
      else if (event.key === "Escape") {
        if (!this.facts.hidden) { this.facts.hidden = true; return; }
        const parent = this.network.byId.get(id)?.parent;
        if (parent && parent.kind !== "root") this.act(parent.id);
      } else return;
      event.stopPropagation();
    });
    this.find(".larger").onclick = () => this.zoom(1.25);
    this.find(".smaller").onclick = () => this.zoom(0.8);
    this.find(".fit").onclick = () => this.fitAll();
    this.find(".svg").onclick = () => save(new Blob([svgText(this)], { type: "image/svg+xml" }), fileName(this.header.title, "svg"));
    this.find(".png").onclick = async () => save(await pngOf(svgText(this)), fileName(this.header.title, "png"));
  }

  watch() {
    this.observer?.disconnect();
    this.observer = new ResizeObserver(() => {
      if (this.network && Math.abs(this.frame.clientWidth - this.drawnFor) > 2) this.draw();
    });
    this.observer.observe(this.frame);
    // Widths of words change when the page's font arrives.
    const sample = () => { WIDTHS.delete(this.family); return textWidth("Wide 0123456789", 12, 600, this.family); };
    const before = sample();
    document.fonts?.ready.then(() => { if (Math.abs(sample() - before) > 0.5) this.draw(); });
  }
}

function megabytes(values) {
  const bytes = 4 * values;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!data || !parentElement.querySelector(".view")) return;
  const began = performance.now();
  const memory = memoryOf(parentElement, () => ({ view: new View(parentElement) }));
  const { view } = memory;
  view.show(unpack(data).header, setTriggerValue);
  view.watch();
  view.section.dataset.first ??= String(Math.round(performance.now() - began));
  return () => view.observer?.disconnect();
}
