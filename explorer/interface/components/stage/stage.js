// The stage's one instance for each place on a page: what is shown, where the run is, what one looks at. It is made
// once for its element, so what it listens to is added once.
const FIRST_VISIT = "cnn-explorer-stage-seen";
const SAY_EVERY_MS = 3000;
const ANSWER_MS = 6000;
const REFUSED_MS = 8000;
const DOUBLE_CLICK_MS = 260;

class Stage extends Player {
  constructor(root) {
    super(root);
    this.boards = this.find(".boards");
    this.look = null;
    this.pinned = null;
    this.running = false;
    this.reversed = false;
    this.shift = false;
    this.saidAt = 0;
    this.queue = [];
    this.sentPins = [];
    this.watchControls();
    this.watchBoards();
    this.watchFormula();
  }

  // --- data ---------------------------------------------------------------------------------------------------

  take(header, blob, send) {
    this.send = send;
    for (const [name, colour] of Object.entries(header.hues)) this.root.style.setProperty(`--${name}`, colour);
    this.listen();
    const news = this.digest !== header.digest;
    clearTimeout(this.refused);
    if (news) this.answered(header, blob);
    // The answer to something else may come first; if no other follows, the server has not taken the edit.
    else if (this.pending) this.refused = setTimeout(() => {
      this.queue = [];
      this.answered(header, blob);
      this.complain("The server has not taken the last change: these are its numbers.");
      this.show();
    }, REFUSED_MS);
    this.takePin(header.pinned);
    if (!this.started) this.start(header);
    const hues = JSON.stringify(header.hues);
    if (this.hues !== hues) for (const [board, view] of this.views) if (board.small) view.base = null;
    if (news || this.hues !== hues) this.show();
    this.hues = hues;
  }

  // New numbers; cells, step and pin stay where only numbers have changed.
  answered(header, blob) {
    const before = this.model;
    const model = readModel(header, blob);
    const same = this.structure === header.structure;
    if (this.stroke && !same) this.endStroke();
    // A hand that writes or draws goes on: the answer is to what it did before.
    if (this.stroke) {
      const board = model.boards[this.stroke.board.index];
      for (const cell of this.stroke.cells) board.values[cell] = this.stroke.value;
      this.stroke.board = board;
    }
    this.digest = header.digest;
    this.model = model;
    this.setPending(false);
    this.complain("");
    if (!same) {
      const focus = this.focusedPlace();
      if (this.editor) this.editor.onblur = null;
      this.editor = null;
      const names = (one) => one && one.boards.map((board) => board.name).join();
      if (names(before) !== names(model)) { this.step = 0; this.running = false; this.pause(); }
      this.structure = header.structure;
      this.views = buildBoards(this.boards, model);
      const kept = this.pinned && model.named(this.pinned.board.name);
      this.pinned = kept && this.pinned.cell < kept.size ? { ...this.pinned, board: kept } : null;
      this.look = null;
      this.setUpPlayer();
      if (focus) this.focus(focus.board, focus.cell);
    } else {
      const views = new Map();
      for (const [old, view] of this.views) views.set(model.boards[old.index], view);
      this.views = views;
      if (this.pinned) this.pinned = { ...this.pinned, board: model.boards[this.pinned.board.index] };
      if (this.look) this.look = { ...this.look, board: model.boards[this.look.board.index] };
    }
    for (const [board, view] of this.views) {
      view.partial = false;
      if (board.matrix) view.link = model.links[board.matrix.link];
      fillBoard(view, board);
    }
    this.size(true);
    this.setUpFormula();
    this.setUpDrawing();
    this.sendNext();
  }

  // Which cell the server pins. It may still be answering an earlier click, and the hand is right until then; a cell
  // that was never clicked is a wish of the server's own.
  takePin(cell) {
    const known = this.sentPins.indexOf(cell === null ? -1 : cell);
    if (known >= 0) { this.sentPins.splice(0, known + 1); this.serverPin = cell; return; }
    if (this.serverPin === cell) return;
    this.serverPin = cell;
    this.sentPins = [];
    const link = this.model.links[this.model.steps.link];
    const board = link && link.target;
    this.pinned = cell === null || !board || cell >= board.size ? null : { board, cell };
    this.show();
  }

  start(header) {
    this.started = true;
    this.find("[aria-label=Speed]").value = String(header.speed);
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    let first = false;
    try {
      first = !window.sessionStorage.getItem(FIRST_VISIT);
      window.sessionStorage.setItem(FIRST_VISIT, "1");
    } catch { /* A browser that keeps nothing plays each time a stage appears for the first time. */ first = true; }
    const wanted = header.playing === null ? first && !this.pinned : header.playing;
    if (wanted && !calm) this.play();
    this.show();
  }

  // --- what is shown ------------------------------------------------------------------------------------------

  lightsOfStep() {
    const { model } = this;
    const link = model.links[model.steps.link];
    if (!link || !model.steps.order.length) return null;
    const cell = model.steps.order[this.step];
    return model.steps.by === "target"
      ? lightsOf(model, { board: link.target, cell, step: true, direction: "back" })
      : lightsOf(model, { board: link.source, cell, step: true, direction: "on" });
  }

  show() {
    const { model } = this;
    const seen = this.look || this.pinned;
    const steps = this.lightsOfStep();
    const lights = seen ? lightsOf(model, { ...seen, reversed: this.reversed !== this.shift }) : steps;
    showReached(model, this.views, this.step, this.running);
    showLights(this.views, lights, seen && this.running ? steps : null);
    if (model.layout === "stack") lightConnections(this.boards, lights);
    this.showDecided(lights);
    this.showSum(lights, seen);
    this.root.dataset.step = this.step;
    this.showPlaying();
    if (this.look) this.root.dataset.looking = `${this.look.board.name}:${this.look.cell}`;
    else delete this.root.dataset.looking;
    if (this.pinned) this.root.dataset.pinned = `${this.pinned.board.name}:${this.pinned.cell}`;
    else delete this.root.dataset.pinned;
    this.showPlace();
  }

  // The cell that is the maximum or minimum.
  showDecided(lights) {
    const link = lights && lights.how === "back" && lights.link && lights.link.decided ? lights.link : null;
    const term = link ? link.decided[lights.cell] : -1;
    const node = term >= 0 ? this.views.get(link.source).cells[link.sources[term]] : null;
    if (this.decided && this.decided !== node) this.decided.classList.remove("decides");
    if (node) node.classList.add("decides");
    this.decided = node;
  }

  showSum(lights, seen) {
    const place = this.find(".sum");
    if (!lights) { place.textContent = "Point at a cell."; this.sumNodes = []; return; }
    const { model } = this;
    const stamps = !seen && model.steps.by === "source";
    const pieces = stamps ? stampPieces(lights.link, lights.cell) : piecesOf(model, lights);
    const decided = lights.how === "back" && lights.link.decided ? lights.link.decided[lights.cell] : -1;
    this.sumNodes = writePieces(place, this.sumNodes || [], pieces, decided, lights.how === "back");
    this.say(place.textContent);
  }

  // While the run plays, a screen reader hears a sum only now and then.
  say(text) {
    const place = this.find(".sum");
    const off = this.playing && !this.look && !this.pinned;
    place.setAttribute("aria-live", off ? "off" : "polite");
    const said = this.find(".said");
    if (!off) { if (said.textContent) said.textContent = ""; return; }
    const now = performance.now();
    if (now - this.saidAt < SAY_EVERY_MS) return;
    this.saidAt = now;
    said.textContent = text;
  }

  showPlace() {
    const { steps } = this.model;
    const range = this.find("[aria-label=Step]");
    const mark = [...steps.marks].reverse().find(([from]) => from <= this.step);
    range.value = this.step;
    const words = `step ${this.step + 1} of ${steps.order.length}${mark ? ` · ${mark[1]}` : ""}`;
    range.setAttribute("aria-valuetext", words);
    this.find(".count").textContent = words;
  }

  complain(text) {
    this.find(".complaint").textContent = text;
  }

  size(always) {
    const width = Math.floor(this.boards.clientWidth) - 6;
    // A little wider is what a vanished scroll bar leaves: to follow it would bring the bar back.
    const same = width === this.width || (width > this.width && width - this.width < 20);
    if (!this.model || width <= 0 || (!always && same)) return;
    this.width = width;
    this.root.classList.toggle("narrow", width < 560);
    resize(this.boards, this.model, this.views, width);
    this.root.style.setProperty("--lines", sumLines(this.model, width - 30));
    if (!always) this.show();
  }

  // --- the run ------------------------------------------------------------------------------------------------

  setUpPlayer() {
    const { steps } = this.model;
    const most = Math.max(0, steps.order.length - 1);
    this.step = Math.min(this.step, most);
    const range = this.find("[aria-label=Step]");
    range.max = most;
    this.find(".player").hidden = !steps.order.length;
    this.find(".ticks").replaceChildren(...steps.marks.map(([from, label]) => {
      const tick = element("i");
      tick.title = label;
      tick.style.left = `${most ? (100 * from) / most : 0}%`;
      return tick;
    }));
  }

  goTo(step) {
    const most = this.model.steps.order.length - 1;
    this.step = Math.max(0, Math.min(most, step));
    this.running = true;
    this.show();
  }

  play() {
    if (!this.model.steps.order.length) return;
    if (this.step >= this.model.steps.order.length - 1) this.step = 0;
    this.running = true;
    this.run();
    this.show();
  }

  // One frame of the run; it waits while one looks elsewhere.
  tick(now) {
    if (!this.playing) return;
    if (this.look || this.editor || this.pending) this.last = now;
    else if (this.isDue(now)) {
      if (this.step >= this.model.steps.order.length - 1) { this.pause(); this.show(); return; }
      this.step += 1;
      if (this.step >= this.model.steps.order.length - 1) this.pause();
      this.show();
    }
    if (this.playing) this.follow();
  }

  act(what) {
    if (what === "play") { if (this.playing) { this.pause(); this.show(); } else { this.unpin(); this.look = null; this.play(); } return; }
    if (what === "reverse") { this.setReversed(!this.reversed); return; }
    if (what === "draw") { this.setDrawing(!this.drawing); return; }
    this.pause();
    this.unpin();
    this.look = null;
    this.goTo({ first: 0, back: this.step - 1, forward: this.step + 1 }[what]);
  }

  setReversed(on) {
    this.reversed = on;
    this.find("[data-do=reverse]").setAttribute("aria-pressed", String(on));
    this.show();
  }

  watchControls() {
    this.watchButtons();
    const range = this.find("[aria-label=Step]");
    range.oninput = () => { this.pause(); this.unpin(); this.look = null; this.goTo(Number(range.value)); };
  }

  // --- looking ------------------------------------------------------------------------------------------------

  // The board and cell under an event, or null.
  under(event) {
    const node = event.target.closest && event.target.closest(".cell, .small");
    const box = node && node.closest(".board");
    if (!box) return null;
    const board = this.model.named(box.dataset.board);
    if (node.classList.contains("cell")) return { board, cell: Number(node.dataset.cell) };
    const view = this.views.get(board);
    const frame = view.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - frame.left) / frame.width) * board.width);
    const row = Math.floor(((event.clientY - frame.top) / frame.height) * board.height);
    if (!(row >= 0 && column >= 0 && row < board.height && column < board.width)) return null;
    return { board, cell: row * board.width + column };
  }

  lookAt(place) {
    const same = place && this.look ? place.board === this.look.board && place.cell === this.look.cell : !place === !this.look;
    if (same) return;
    this.look = place;
    this.show();
  }

  watchBoards() {
    const { boards } = this;
    boards.onpointermove = (event) => {
      if (event.pointerType === "touch" && !this.stroke) return;
      if (this.stroke) { this.paintAt(event); return; }
      this.setShift(event.shiftKey);
      this.lookAt(this.under(event));
    };
    boards.onpointerover = boards.onpointermove;
    boards.onpointerleave = (event) => { if (event.pointerType !== "touch" && !this.stroke) this.lookAt(null); };
    boards.onpointerdown = (event) => { this.touch = event.pointerType === "touch"; this.beginStroke(event); };
    boards.onclick = (event) => this.click(event);
    boards.ondblclick = (event) => {
      const place = this.under(event);
      clearTimeout(this.soon);
      if (place && !this.drawing && ownPlace(place.board, place.cell)) this.edit(place.board, place.cell);
    };
    boards.addEventListener("focusin", (event) => {
      const node = event.target.closest(".cell");
      if (node && !this.touch) this.rove(node);
      // A finger that comes after a key would look and pin with one tap.
      if (this.touch || !event.target.matches(":focus-visible")) return;
      if (node) this.lookAt(this.under(event));
      else if (event.target.classList.contains("small")) this.lookAtSmall(event.target, 0, 0);
    });
    boards.addEventListener("focusout", (event) => {
      if (!boards.contains(event.relatedTarget) && !boards.matches(":hover")) this.lookAt(null);
    });
    const sum = this.find(".sum");
    const pair = (event) => {
      const one = (this.sumNodes || []).find(({ node }) => node === event.target);
      this.setPair(one && one.piece.role ? one.piece : null);
    };
    sum.onpointerover = pair;
    sum.onpointerleave = () => this.setPair(null);
    sum.onclick = pair;
  }

  // A piece of the sum that one points at: its source cell and its weight, or its own cell, strong.
  setPair(piece) {
    this.root.querySelectorAll(".cell.pair").forEach((cell) => cell.classList.remove("pair"));
    const mark = (board, cell) => {
      const view = board && this.views.get(this.model.boards[board.index]);
      if (view && view.cells[cell]) view.cells[cell].classList.add("pair");
    };
    if (!piece) return;
    mark(piece.board, piece.cell);
    if (piece.term === undefined) return;
    const link = this.model.links[piece.link];
    mark(link.source, link.sources[piece.term]);
    mark(link.weights, weightOf(link, piece.term));
  }

  click(event) {
    const place = this.under(event);
    if (!place && this.touch) { this.unpin(); this.look = null; this.show(); }
    if (!place || event.target.closest("input")) return;
    if (this.drawing && ownPlace(place.board, place.cell)) return;
    const is = (one) => one && one.board === place.board && one.cell === place.cell;
    if (this.touch) {
      // The first tap looks, the second one pins or writes.
      if (!is(this.look) && !is(this.pinned)) { this.lookAt(place); return; }
      if (ownPlace(place.board, place.cell)) { this.edit(place.board, place.cell); return; }
    }
    const turn = () => {
      if (is(this.pinned)) this.unpin(); else this.pin(place);
      if (this.touch) this.look = null;
      this.show();
    };
    // What can be written into waits for a second click, which writes and leaves the pin alone.
    clearTimeout(this.soon);
    if (this.touch || !ownPlace(place.board, place.cell)) turn();
    else if (event.detail < 2) this.soon = setTimeout(turn, DOUBLE_CLICK_MS);
  }

  pin(place) {
    this.pinned = place;
    this.tellPin();
  }

  unpin() {
    if (!this.pinned) return;
    this.pinned = null;
    this.tellPin();
  }

  // Only a cell that the run goes through is worth a link.
  tellPin() {
    const link = this.model.links[this.model.steps.link];
    const shown = this.pinned && this.pinned.board.standsFor ? this.model.named(this.pinned.board.standsFor) : this.pinned && this.pinned.board;
    const cell = this.pinned && link && shown === link.target ? this.pinned.cell : -1;
    const last = this.sentPins.length ? this.sentPins[this.sentPins.length - 1] : this.serverPin;
    if (cell === (last === null || last === undefined ? -1 : last)) return;
    this.sentPins.push(cell);
    this.send("cell", cell);
  }

  setShift(on) {
    if (this.shift === on) return;
    this.shift = on;
    if (this.look || this.pinned) this.show();
  }

  // --- keyboard -----------------------------------------------------------------------------------------------

  rove(node) {
    for (const other of node.closest(".plane").querySelectorAll('.cell[tabindex="0"]')) other.tabIndex = -1;
    node.tabIndex = 0;
  }

  focus(board, cell) {
    const view = this.views.get(board);
    const node = view && view.cells[cell];
    if (!node) return;
    this.rove(node);
    node.focus();
    this.lookAt({ board, cell });
  }

  focusedPlace() {
    const root = this.root.getRootNode();
    const node = root.activeElement && root.activeElement.closest && root.activeElement.closest(".cell");
    if (!node || !this.root.contains(node)) return null;
    const board = this.model.named(node.closest(".board").dataset.board);
    return board && Number(node.dataset.cell) < board.size ? { board, cell: Number(node.dataset.cell) } : null;
  }

  // Where an arrow leads: within the plane, by cells of the screen.
  neighbour(board, cell, key) {
    const at = Math.floor(cell / board.count);
    let row = Math.floor(at / board.width);
    let column = at % board.width;
    if (key === "ArrowRight") column += 1;
    else if (key === "ArrowLeft") column -= 1;
    else if (key === "ArrowDown") row += 1;
    else if (key === "ArrowUp") row -= 1;
    else if (key === "Home") column = 0;
    else if (key === "End") column = board.width - 1;
    else return null;
    if (row < 0 || column < 0 || row >= board.height || column >= board.width) return cell;
    return (row * board.width + column) * board.count + (cell % board.count);
  }

  lookAtSmall(node, down, across) {
    const board = this.model.named(node.closest(".board").dataset.board);
    const from = this.look && this.look.board === board ? this.look.cell : 0;
    const row = Math.max(0, Math.min(board.height - 1, Math.floor(from / board.width) + down));
    const column = Math.max(0, Math.min(board.width - 1, (from % board.width) + across));
    this.lookAt({ board, cell: row * board.width + column });
  }

  key(event) {
    this.touch = false;
    const node = event.target.closest(".cell");
    const small = event.target.closest(".small");
    if (this.leavesAlone(event)) return;
    const done = () => event.preventDefault();
    const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (small && arrows[event.key]) { this.lookAtSmall(small, ...arrows[event.key]); done(); return; }
    if (small && event.key === "Enter" && this.look) { this.pin(this.look); this.show(); done(); return; }
    if (node) {
      const { board, cell } = this.under(event);
      const next = this.neighbour(board, cell, event.key);
      const own = ownPlace(board, cell);
      if (next !== null) { this.focus(board, next); done(); return; }
      if (own && /^[0-9.,+\-−]$/.test(event.key)) { this.edit(board, cell, event.key); done(); return; }
      if (own && (event.key === "Enter" || event.key === "F2")) { this.edit(board, cell); done(); return; }
      if (event.key === "Enter" || event.key === "p") {
        const pinned = this.pinned && this.pinned.board === board && this.pinned.cell === cell;
        if (pinned) this.unpin(); else this.pin({ board, cell });
        this.show(); done(); return;
      }
    }
    this.playerKey(event);
  }

  // What is heard outside the stage: Shift and Esc wherever the focus is, and a paste, which has no field to go to.
  listen() {
    if (this.listening) return;
    this.listening = new AbortController();
    const { signal } = this.listening;
    const shift = (event) => {
      if (event.key === "Shift") this.setShift(event.type === "keydown");
      const active = document.activeElement;
      const ours = !active || active === document.body || active === this.root.getRootNode().host;
      if (ours && event.key === "Escape" && event.type === "keydown" && !this.editor && (this.pinned || this.look)) {
        this.unpin();
        this.look = null;
        this.show();
      }
    };
    document.addEventListener("keydown", shift, { signal });
    document.addEventListener("keyup", shift, { signal });
    document.addEventListener("paste", (event) => this.paste(event), { signal });
    this.watcher = new ResizeObserver(() => this.size(false));
    this.watcher.observe(this.boards);
  }

  end() {
    this.pause();
    if (this.listening) this.listening.abort();
    if (this.watcher) this.watcher.disconnect();
    this.listening = null;
    clearTimeout(this.waiting);
    clearTimeout(this.refused);
    clearTimeout(this.soon);
  }

  // --- editing ------------------------------------------------------------------------------------------------

  edit(board, cell, typed = "") {
    const view = this.views.get(board);
    const node = view.cells[cell];
    const wide = printed(board.values[cell]);
    this.complain("");
    const read = (text) => {
      const value = readNumber(text);
      if (text.trim() === "") return null;
      if (value !== null) return value;
      this.complain(`“${text.trim().slice(0, 20)}” is not a number. Write one such as −0.5, 0,5 or 1/9.`);
      return undefined;
    };
    const done = (value, move) => {
      this.editor = null;
      if (value !== null) { this.complain(""); this.write(view.board, cell, [[value]]); }
      const key = { up: "ArrowUp", down: "ArrowDown", left: "ArrowLeft", right: "ArrowRight" }[move];
      if (move !== "away") this.focus(view.board, key ? this.neighbour(view.board, cell, key) : cell);
      else this.show();
    };
    const left = () => { this.editor = null; this.complain(""); this.focus(view.board, cell); };
    this.editor = openEditor(node, typed || exactText(board.values[cell], wide), Boolean(typed), { read, done, left });
  }

  // Changes a block of cells at once; the server computes what follows from it.
  write(board, cell, values) {
    const change = writeBlock(this.views.get(board), cell, values);
    if (change) this.tell(board, change);
  }

  tell(board, change) {
    const view = this.views.get(board);
    fillBoard(view, board);
    fitText(view, parseFloat(getComputedStyle(this.boards).getPropertyValue("--s")));
    this.queue.push(change);
    if (!this.pending) this.sendNext();
    else this.setPending(true, board);
    this.show();
  }

  // One edit at a time is on its way, so that none takes another's place; what waits is shown already.
  sendNext() {
    for (const change of this.queue) {
      const board = this.model.named(change.board);
      const cell = board && board.editable ? cellAt(board, change.row, change.column, change.plane) : -1;
      if (cell < 0) continue;
      writeBlock(this.views.get(board), cell, change.values);
      fillBoard(this.views.get(board), board);
    }
    const change = this.queue.shift();
    if (!change) return;
    const board = this.model.named(change.board);
    if (!board || !board.editable) { this.sendNext(); return; }
    this.setPending(true, board);
    this.send("edit", change);
  }

  // Until the answer comes, what follows from the edited board is not valid.
  setPending(on, board) {
    clearTimeout(this.waiting);
    this.pending = on;
    this.root.toggleAttribute("data-pending", on);
    if (!this.views) return;
    const reached = new Set(on ? [board] : []);
    if (on) for (let again = true; again;) {
      again = false;
      for (const link of this.model.links)
        if ((reached.has(link.source) || reached.has(link.weights)) && !reached.has(link.target)) { reached.add(link.target); again = true; }
    }
    for (const [one, view] of this.views) {
      const shown = one.standsFor && this.model.named(one.standsFor);
      view.node.classList.toggle("pending", on && one !== board && (reached.has(one) || reached.has(shown)));
    }
    if (on) this.waiting = setTimeout(() => this.complain("The server has not answered yet; the numbers in italics are still the old ones."), ANSWER_MS);
  }

  paste(event) {
    const place = this.editor ? null : this.focusedPlace();
    const text = event.clipboardData ? event.clipboardData.getData("text/plain") : "";
    if (this.editor && this.editor.getRootNode().activeElement === this.editor && /[\t\n;]/.test(text.trim())) {
      // A block into an open field fills from its cell on.
      const node = this.editor.closest(".cell");
      const board = this.model.named(node.closest(".board").dataset.board);
      this.editor.value = "";
      this.editor.blur();
      this.pasteBlock(board, Number(node.dataset.cell), text);
      event.preventDefault();
    } else if (place && text.trim()) {
      this.pasteBlock(place.board, place.cell, text);
      event.preventDefault();
    }
  }

  pasteBlock(board, cell, text) {
    if (!ownPlace(board, cell)) { this.complain(`The numbers of “${board.title}” cannot be changed here.`); return; }
    const block = readBlock(text);
    if (block.wrong !== undefined)
      this.complain(block.wrong ? `“${block.wrong.slice(0, 20)}” is not a number, so nothing was pasted.` : "A cell of the block is empty, so nothing was pasted.");
    else if (block.uneven) this.complain("Every row of the block needs the same number of cells, so nothing was pasted.");
    else { this.complain(""); this.write(board, cell, block.values); this.focus(board, cell); }
  }

  setUpDrawing() {
    const editable = this.model.boards.some((board) => board.editable);
    this.find(".drawing").hidden = !editable;
    if (!editable) this.setDrawing(false);
    const field = this.find("[aria-label='Value to draw']");
    if (field.value === "" && editable) {
      const board = this.model.boards.find((one) => one.editable);
      field.value = printed(Math.max(1, ...Array.from(board.values, Math.abs).filter(Number.isFinite)));
    }
  }

  setDrawing(on) {
    this.drawing = on;
    this.root.toggleAttribute("data-drawing", on);
    this.find("[data-do=draw]").setAttribute("aria-pressed", String(on));
    this.find("[aria-label='Value to draw']").hidden = !on;
  }

  // A stroke paints with the chosen value; begun on a cell that has it, it wipes to 0.
  beginStroke(event) {
    const place = this.drawing && event.button === 0 ? this.under(event) : null;
    if (!place || !ownPlace(place.board, place.cell)) return;
    const value = readNumber(this.find("[aria-label='Value to draw']").value);
    if (value === null) { this.complain("Draw needs a number to draw with."); return; }
    event.preventDefault();
    this.stroke = { board: place.board, plane: place.cell % place.board.count, cells: new Set(),
      value: place.board.values[place.cell] === value ? 0 : value };
    const end = () => this.endStroke();
    this.boards.setPointerCapture(event.pointerId);
    this.boards.onpointerup = end;
    this.boards.onpointercancel = end;
    this.paint(place);
  }

  // A captured pointer's events name the boards as their target: ask what is below it.
  paintAt(event) {
    const node = this.root.getRootNode().elementFromPoint(event.clientX, event.clientY);
    const place = node ? this.under({ target: node }) : null;
    if (place && place.board === this.stroke.board && place.cell % place.board.count === this.stroke.plane) this.paint(place);
  }

  paint({ board, cell }) {
    const { stroke } = this;
    if (stroke.cells.has(cell) || !ownPlace(board, cell)) return;
    stroke.cells.add(cell);
    board.values[cell] = stroke.value;
    showValue(this.views.get(board), cell, stroke.value);
  }

  endStroke() {
    const { stroke } = this;
    this.stroke = null;
    this.boards.onpointerup = null;
    if (stroke && stroke.cells.size) this.tell(stroke.board, blockAround(stroke.board, stroke.cells));
  }

  // --- the formula --------------------------------------------------------------------------------------------

  setUpFormula() {
    const letters = this.model.formula;
    this.find(".formula").hidden = !letters.length;
    const lines = [element("div")];
    letters.forEach((letter, index) => {
      if (letter.text === "\n") { lines.push(element("div")); return; }
      if (!letter.meaning && !letter.lights.length) { lines[lines.length - 1].append(document.createTextNode(letter.text)); return; }
      const node = element("button", "letter", letter.text);
      node.type = "button";
      node.dataset.letter = index;
      if (letter.meaning) node.setAttribute("aria-label", letter.meaning);
      lines[lines.length - 1].append(node);
    });
    const text = JSON.stringify(letters);
    if (this.formulaText === text) return;
    this.formulaText = text;
    this.find(".formula .lines").replaceChildren(...lines);
    this.showLetter(null);
  }

  watchFormula() {
    const place = this.find(".formula");
    const over = (event) => this.showLetter(event.target.closest(".letter"));
    place.onpointerover = over;
    place.addEventListener("focusin", over);
    place.onpointerleave = () => this.showLetter(null);
    place.addEventListener("focusout", () => this.showLetter(null));
  }

  showLetter(node) {
    if (node === this.letter) return;
    this.letter = node;
    this.root.querySelectorAll(".lettered, .letter.on").forEach((one) => one.classList.remove("lettered", "on"));
    const letter = node ? this.model.formula[Number(node.dataset.letter)] : null;
    this.find(".meaning").textContent = letter ? letter.meaning : "";
    if (!letter) return;
    node.classList.add("on");
    for (const { board, cells } of letter.lights) {
      const view = this.views.get(this.model.named(board));
      if (view && view.cells) for (const cell of cells) if (view.cells[cell]) view.cells[cell].classList.add("lettered");
    }
  }
}

function exactText(value, shown) {
  return Number.isNaN(value) ? "" : readNumber(shown) === value ? shown : String(value).replace("-", "−");
}

export default function (component) {
  return playedBy(component, ".stage", (root) => new Stage(root));
}
