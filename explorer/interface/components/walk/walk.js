// Backpropagation by hand: the server has sent all numbers and all steps, and hears only of numbers that are changed.
const KINDS = { i: "input", w: "weight", a: "activation", g: "gradient", ".": "" };
const NARROW = 640;

class Walk extends Player {
  constructor(root) {
    super(root);
    this.range = this.find("[aria-label=Step]");
    this.part = this.find(".part");
    this.watch();
    this.sizes = new ResizeObserver(() => root.classList.toggle("narrow", root.clientWidth < NARROW));
    this.sizes.observe(root);
  }

  take(header, blob, send) {
    this.send = send;
    for (const [name, colour] of Object.entries(header.hues)) this.root.style.setProperty(`--${name}`, colour);
    this.root.classList.remove("pending");
    const news = this.digest !== header.digest;
    if (!news) { this.restore(); return; }
    const before = this.header;
    this.digest = header.digest;
    this.header = header;
    const bytes = blob("values");
    this.values = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
    // The same network with other numbers: the hand stays where it was.
    if (!before || before.structure !== header.structure) { this.pause(); this.step = 0; this.build(); }
    else this.fill();
    this.step = Math.min(this.step, header.steps.length - 1);
    this.show();
  }

  // --- boards ------------------------------------------------------------------------------------------------

  build() {
    const { header } = this;
    const columns = [...new Set(header.boards.map((board) => board.column))];
    const place = this.find(".boards");
    place.style.setProperty("--columns", columns.length);
    for (const [name, value] of Object.entries(header.cell)) this.root.style.setProperty(`--${name}`, value);
    const places = new Map();
    this.cells = [];
    this.boxes = [];
    header.boards.forEach((board) => {
      const key = `${board.column} ${board.row}`;
      if (!places.has(key)) {
        const box = element("div", "place");
        box.style.setProperty("--column", columns.indexOf(board.column) + 1);
        box.style.setProperty("--row", board.row + 1);
        places.set(key, box);
        place.append(box);
      }
      const box = element("div", `board ${board.kind}`);
      box.dataset.board = board.name;
      const cells = element("div", "cells");
      cells.style.setProperty("--across", board.columns);
      for (let cell = 0; cell < board.rows * board.columns; cell += 1) {
        const node = element(board.given ? "input" : "div", "cell");
        node.dataset.cell = cell;
        if (board.given) { node.type = "text"; node.inputMode = "decimal"; }
        this.cells.push(node);
        cells.append(node);
      }
      box.append(element("p", "title", board.title), cells);
      this.boxes.push(box);
      places.get(key).append(box);
    });
    place.replaceChildren(...places.values());
    const parts = [];
    header.steps.forEach((step, number) => {
      if (!parts.length || parts.at(-1)[1] !== step.phase) parts.push([number, step.phase]);
    });
    this.parts = parts;
    this.part.replaceChildren(...parts.map(([number, phase]) => {
      const option = element("option", "", header.phases[phase]);
      option.value = number;
      return option;
    }));
    this.range.max = header.steps.length - 1;
    this.fill();
  }

  fill() {
    const { header } = this;
    this.known = new Int32Array(this.cells.length).fill(-1);
    header.steps.forEach((step, number) => { this.known[step.writes] = number; });
    this.starts = [];
    let at = 0;
    for (const board of header.boards) { this.starts.push(at); at += board.rows * board.columns; }
    header.boards.forEach((board, number) => {
      for (let cell = 0; cell < board.rows * board.columns; cell += 1) {
        const node = this.cells[this.starts[number] + cell];
        const value = this.values[this.starts[number] + cell];
        node.title = `${this.nameOf(board, cell)} = ${String(value).replace("-", "−")}`;
        node.setAttribute("aria-label", this.nameOf(board, cell));
        if (board.given) node.value = this.short(value);
      }
    });
  }

  restore() {
    this.header.boards.forEach((board, number) => {
      if (!board.given) return;
      for (let cell = 0; cell < board.rows * board.columns; cell += 1) {
        const at = this.starts[number] + cell;
        if (this.cells[at] !== this.root.getRootNode().activeElement) this.cells[at].value = this.short(this.values[at]);
      }
    });
  }

  nameOf(board, cell) {
    const letter = board.labels[cell];
    const place = `row ${Math.floor(cell / board.columns) + 1}, column ${(cell % board.columns) + 1}`;
    return letter ? `${board.title}, ${letter}` : `${board.title}, ${place}`;
  }

  // As many digits as a cell has room for; the formula and the tip have more.
  short(value) {
    const size = Math.abs(value);
    const text = size >= 1e4 || (size > 0 && size < 5 * 10 ** -(this.header.digits + 1)) ? value.toExponential(0) : String(Number(value.toFixed(size >= 100 ? 1 : this.header.digits)));
    return text.replace("-", "−").replace("e+", "e");
  }

  // --- showing -----------------------------------------------------------------------------------------------

  show() {
    const { header } = this;
    const step = header.steps[this.step];
    const reads = new Set(step.reads);
    this.cells.forEach((node, at) => {
      const unknown = this.known[at] > this.step;
      node.classList.toggle("unknown", unknown);
      node.classList.toggle("read", reads.has(at));
      node.classList.toggle("now", step.writes === at);
      if (this.known[at] >= 0) {
        const text = unknown ? "" : this.short(this.values[at]);
        if (node.textContent !== text) node.textContent = text;
      }
    });
    const concerned = new Set([...step.reads, step.writes]);
    header.boards.forEach((board, number) => {
      const end = this.starts[number] + board.rows * board.columns;
      let there = false;
      for (let at = this.starts[number]; at < end && !there; at += 1) there = concerned.has(at);
      this.boxes[number].classList.toggle("concerned", there);
    });
    this.find(".formula").textContent = step.formula;
    this.find(".sum").replaceChildren(...step.pieces.map((piece, number) => {
      const kind = KINDS[piece[0]];
      const last = number === step.pieces.length - 1;
      return element("span", `${kind ? `n ${kind}` : ""}${last ? " result" : ""}`, piece.slice(1));
    }));
    this.find(".note").textContent = step.note;
    const telling = this.find(".telling");
    telling.setAttribute("aria-live", this.playing ? "off" : "polite");
    telling.scrollTop = 0;
    const part = [...this.parts].reverse().find(([from]) => from <= this.step);
    this.part.value = part[0];
    const words = `step ${this.step + 1} of ${header.steps.length}`;
    this.range.value = this.step;
    this.range.setAttribute("aria-valuetext", `${words}, ${header.phases[part[1]]}`);
    this.find(".count").textContent = words;
    this.root.dataset.step = this.step;
    this.showPlaying();
  }

  // The cell that is written comes into sight, unless one has scrolled away from all boards.
  bring() {
    const seen = this.find(".boards").getBoundingClientRect();
    if (seen.bottom < 0 || seen.top > window.innerHeight) return;
    this.cells[this.header.steps[this.step].writes].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // --- stepping ----------------------------------------------------------------------------------------------

  goTo(step) {
    this.step = Math.max(0, Math.min(this.header.steps.length - 1, step));
    this.show();
    this.bring();
  }

  play() {
    if (this.step >= this.header.steps.length - 1) this.step = 0;
    this.run();
    this.show();
  }

  tick(now) {
    if (!this.playing) return;
    if (this.isDue(now)) {
      if (this.step + 1 >= this.header.steps.length - 1) this.pause();
      this.goTo(this.step + 1);
    }
    if (this.playing) this.follow();
  }

  act(what) {
    if (what === "play") {
      if (this.playing) { this.pause(); this.show(); } else this.play();
      return;
    }
    this.pause();
    this.goTo({ first: 0, back: this.step - 1, forward: this.step + 1 }[what]);
  }

  // --- hands -------------------------------------------------------------------------------------------------

  watch() {
    this.watchButtons();
    this.range.oninput = () => { this.pause(); this.goTo(Number(this.range.value)); };
    this.part.onchange = () => { this.pause(); this.goTo(Number(this.part.value)); };
    const boards = this.find(".boards");
    boards.onchange = (event) => this.edit(event.target);
    boards.onfocusin = (event) => { if (event.target.matches("input")) event.target.select(); };
    boards.onclick = (event) => {
      // A click on a number that is computed goes to the step in which that happens.
      const at = this.cells.indexOf(event.target.closest(".cell"));
      if (at >= 0 && this.known[at] >= 0) { this.pause(); this.goTo(this.known[at]); }
    };
  }

  edit(node) {
    const at = this.cells.indexOf(node);
    if (at < 0) return;
    const typed = node.value.trim();
    const value = Number(typed.replace("−", "-").replace(",", "."));
    const number = this.starts.findLastIndex((start) => start <= at);
    const refusal = this.refusal(typed, value, this.header.boards[number].classes);
    this.refuse(refusal);
    if (refusal || value === this.values[at] || node.value === this.short(this.values[at])) {
      node.value = this.short(this.values[at]);
      return;
    }
    this.root.classList.add("pending");
    this.send("edit", { board: this.header.boards[number].name, cell: at - this.starts[number], value, at: Date.now() });
  }

  refusal(typed, value, classes) {
    const { largest } = this.header;
    if (classes && !(Number.isInteger(value) && value >= 1 && value <= classes)) return `“${typed}” is no class here: a whole number from 1 to ${classes} is. The old one stays.`;
    if (typed === "" || !Number.isFinite(value) || Math.abs(value) > largest) return `${typed === "" ? "An empty cell" : `“${typed}”`} is no number from −${largest} to ${largest}, such as 0.5. The old one stays.`;
    return "";
  }

  refuse(words) {
    this.find(".refusal").textContent = words.length > 160 ? `That is no number from −${this.header.largest} to ${this.header.largest}. The old one stays.` : words;
  }

  key(event) {
    if (!this.leavesAlone(event)) this.playerKey(event);
  }

  end() {
    this.pause();
    this.sizes.disconnect();
  }
}

export default function (component) {
  return playedBy(component, ".walk", (root) => new Walk(root));
}
