// Paths of optimisers on a surface, played back: the server has sent all points, and hears only where a race shall start.
const CALM = "(prefers-reduced-motion: reduce)";
const LEFT = 34, BOTTOM = 20, FLOOR = -14;
const AIMS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
// Parts of the picture that one press of an arrow key crosses, without and with Shift.
const FINE = 0.01, COARSE = 0.1;

class Race extends Player {
  constructor(root) {
    super(root);
    this.surface = this.find(".surface");
    this.losses = this.find(".losses");
    this.range = this.find("[aria-label=Step]");
    this.watch();
    this.sizes = new ResizeObserver(() => this.draw(true));
    this.sizes.observe(root);
  }

  take(header, blob, send) {
    this.send = send;
    const hues = JSON.stringify(header.hues);
    const news = this.digest !== header.digest;
    this.header = header;
    if (news) {
      this.digest = header.digest;
      const grid = blob("heights");
      this.heights = new Uint16Array(grid.buffer, grid.byteOffset, grid.byteLength / 2);
      this.runners = header.runners.map((one, i) => {
        const points = blob(`points${i}`), gaps = blob(`gaps${i}`);
        return {
          ...one,
          points: new Float32Array(points.buffer, points.byteOffset, points.byteLength / 4),
          gaps: new Float32Array(gaps.buffer, gaps.byteOffset, gaps.byteLength / 4),
        };
      });
      this.range.max = header.steps;
      this.buildTable();
      this.ground = null;
      this.aim = null;
      this.pause();
      this.step = 0;
      if (window.matchMedia(CALM).matches || !this.runners.length) this.step = header.steps;
      else this.play();
    }
    if (this.hues !== hues) { this.hues = hues; this.ground = null; this.buildTable(); }
    this.draw(true);
  }

  // --- geometry ----------------------------------------------------------------------------------------------

  place(x, y) {
    const [left, right, bottom, top] = this.header.window;
    return [LEFT + ((x - left) / (right - left)) * this.across, ((top - y) / (top - bottom)) * this.down];
  }

  pixels(runner) {
    if (runner.at === this.sized) return runner.pixels;
    const found = new Float32Array(runner.points.length);
    for (let i = 0; i < found.length; i += 2) {
      const [x, y] = this.place(runner.points[i], runner.points[i + 1]);
      // Canvases lose their way far outside.
      found[i] = Math.max(-1e5, Math.min(1e5, x));
      found[i + 1] = Math.max(-1e5, Math.min(1e5, y));
    }
    runner.pixels = found;
    runner.at = this.sized;
    return found;
  }

  // --- drawing -----------------------------------------------------------------------------------------------

  draw(always) {
    if (!this.header) return;
    const whole = this.root.clientWidth;
    if (whole <= 0) return;
    if (always) this.root.classList.toggle("narrow", whole < 720);
    this.drawSurface();
    this.drawLosses();
    this.fillTable();
    const words = `step ${this.step} of ${this.header.steps}`;
    this.range.value = this.step;
    this.range.setAttribute("aria-valuetext", words);
    this.find(".count").textContent = words;
    this.root.dataset.step = this.step;
    this.showPlaying();
  }

  drawSurface() {
    const { header } = this;
    const width = Math.floor(this.find(".ground").clientWidth);
    const height = this.root.classList.contains("narrow") ? Math.round(Math.min(0.82 * width, 400)) : header.height;
    const { pen, dense } = fitted(this.surface, width, height);
    const across = width - LEFT - 2, down = height - BOTTOM;
    const key = `${across} ${down} ${dense}`;
    if (this.sized !== key) { this.sized = key; this.ground = null; }
    this.across = across;
    this.down = down;
    if (!this.ground)
      this.ground = groundOf(this.heights, header.columns, header.rows, Math.round(across * dense), Math.round(down * dense), header.bands, header.hues);
    pen.clearRect(0, 0, width, height);
    pen.drawImage(this.ground, LEFT, 0, across, down);
    this.drawAxes(pen, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, 0, across, down);
    pen.clip();
    for (const [x, y] of header.minima) this.cross(pen, ...this.place(x, y));
    pen.lineJoin = "round";
    for (const runner of this.runners) {
      const points = this.pixels(runner);
      pen.strokeStyle = runner.colour;
      pen.globalAlpha = 0.28;
      pen.lineWidth = 1.4;
      polyline(pen, points, this.step, header.steps);
      pen.globalAlpha = 1;
      pen.lineWidth = 2.2;
      polyline(pen, points, 0, this.step);
    }
    const [startX, startY] = this.place(...header.start);
    pen.strokeStyle = header.hues.text;
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.arc(startX, startY, 7, 0, 2 * Math.PI);
    pen.stroke();
    this.runners.forEach((runner, number) => {
      const points = this.pixels(runner), x = points[2 * this.step], y = points[2 * this.step + 1];
      if (Number.isFinite(x) && Number.isFinite(y)) mark(pen, number, x, y, 6, runner.colour, header.hues.background);
    });
    if (this.aim) this.ring(pen, ...this.place(...this.aim));
    pen.restore();
    this.surface.setAttribute("aria-label", `${header.name}. ${this.summary()} A click starts the race from there; so do the arrow keys and Enter.`);
  }

  cross(pen, x, y) {
    pen.strokeStyle = this.header.hues.text;
    pen.lineWidth = 1.8;
    pen.beginPath();
    pen.moveTo(x - 5, y - 5); pen.lineTo(x + 5, y + 5); pen.moveTo(x - 5, y + 5); pen.lineTo(x + 5, y - 5);
    pen.stroke();
  }

  ring(pen, x, y) {
    for (const [colour, width] of [[this.header.hues.background, 5], [this.header.hues.text, 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, 9, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  drawAxes(pen, width, height) {
    const [left, right, bottom, top] = this.header.window;
    pen.fillStyle = this.header.hues.muted;
    pen.font = `11px ${getComputedStyle(this.root).fontFamily}`;
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    for (const x of ticksBetween(left, right, width < 420 ? 5 : 9)) {
      const at = Math.max(LEFT + 6, Math.min(width - 10, this.place(x, 0)[0]));
      pen.fillText(String(x).replace("-", "−"), at, height - 2);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const y of ticksBetween(bottom, top, 7)) {
      const at = Math.max(6, Math.min(this.down - 6, this.place(0, y)[1]));
      pen.fillText(String(y).replace("-", "−"), LEFT - 5, at);
    }
  }

  drawLosses() {
    const { header } = this;
    const { hues } = header;
    const width = Math.floor(this.find(".beside").clientWidth);
    const height = this.root.classList.contains("narrow") ? 170 : Math.max(130, header.height - this.find(".runners").offsetHeight - 36);
    const { pen } = fitted(this.losses, width, height);
    pen.clearRect(0, 0, width, height);
    const [low, high] = header.powers;
    const right = width - 6, foot = height - 20, left = 40;
    const xOf = (step) => left + (step / Math.max(1, header.steps)) * (right - left);
    const yOf = (power) => 6 + ((high - power) / Math.max(1e-9, high - low)) * (foot - 6);
    pen.font = `11px ${getComputedStyle(this.root).fontFamily}`;
    pen.strokeStyle = hues.border;
    pen.fillStyle = hues.muted;
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const every = Math.max(1, Math.ceil((high - low) / 5));
    for (let power = Math.ceil(low); power <= high; power += every) {
      const y = Math.round(yOf(power)) + 0.5;
      pen.beginPath(); pen.moveTo(left, y); pen.lineTo(right, y); pen.stroke();
      pen.fillText(power >= -3 && power <= 4 ? String(Number((10 ** power).toPrecision(1))) : `1e${power}`.replace("-", "−"), left - 5, y);
    }
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    for (const step of ticksBetween(0, header.steps, width < 380 ? 4 : 6)) pen.fillText(String(step), Math.min(right - 8, xOf(step)), height - 2);
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, right - left + 3, foot + 2);
    pen.clip();
    pen.lineJoin = "round";
    for (const runner of this.runners) {
      const line = new Float32Array(2 * runner.gaps.length);
      runner.gaps.forEach((gap, step) => {
        line[2 * step] = xOf(step);
        line[2 * step + 1] = Number.isFinite(gap) ? yOf(gap > 0 ? Math.max(FLOOR, Math.log10(gap)) : FLOOR) : NaN;
      });
      pen.strokeStyle = runner.colour;
      pen.globalAlpha = 0.28;
      pen.lineWidth = 1.2;
      polyline(pen, line, this.step, header.steps);
      pen.globalAlpha = 1;
      pen.lineWidth = 2;
      polyline(pen, line, 0, this.step);
    }
    pen.restore();
    pen.strokeStyle = hues.highlight;
    pen.lineWidth = 1.5;
    pen.beginPath(); pen.moveTo(xOf(this.step), 4); pen.lineTo(xOf(this.step), foot); pen.stroke();
    this.stepAt = (x) => Math.round(((x - left) / (right - left)) * header.steps);
    this.losses.setAttribute("aria-label", `${header.axis}, by step. ${this.summary()}`);
  }

  // --- the table ---------------------------------------------------------------------------------------------

  buildTable() {
    if (!this.runners) return;
    this.find(".axis-title").textContent = `${this.header.axis}, by step`;
    const rows = this.runners.map((runner, number) => {
      runner.colour = this.header.hues.runners[runner.number];
      const row = element("tr");
      const name = element("th");
      name.scope = "row";
      name.innerHTML = `<svg viewBox="-1.4 -1.4 2.8 2.8" aria-hidden="true"><path d="${MARKS[number % MARKS.length]}" fill="${runner.colour}"/></svg>`;
      name.append(runner.title);
      row.append(name, element("td", "", runner.rate), element("td", "loss"), element("td", "fate"));
      return row;
    });
    this.find("tbody").replaceChildren(...rows);
  }

  fillTable() {
    const rows = this.find("tbody").children;
    this.runners.forEach((runner, number) => {
      const gap = runner.gaps[this.step];
      const [, , loss, fate] = rows[number].children;
      loss.textContent = Number.isFinite(gap) ? formatValue(gap + this.header.least).replace("-", "−") : "beyond 10¹²";
      const words = this.fateOf(runner);
      if (fate.textContent !== words) fate.textContent = words;
      fate.toggleAttribute("data-lost", runner.gone !== null && this.step >= runner.gone);
    });
    // While the race plays a screen reader would hear nothing but this.
    const said = this.playing ? "" : this.summary();
    if (this.find(".said").textContent !== said) this.find(".said").textContent = said;
  }

  fateOf(runner) {
    if (runner.gone !== null && this.step >= runner.gone) return runner.gone ? `left at step ${runner.gone}` : "began outside";
    if (runner.arrived !== null && this.step >= runner.arrived) return `arrived at step ${runner.arrived}`;
    return "under way";
  }

  summary() {
    const each = this.runners.map((runner) => {
      const gap = runner.gaps[this.step];
      return `${runner.title} ${Number.isFinite(gap) ? formatValue(gap + this.header.least) : "beyond all numbers"}, ${this.fateOf(runner)}`;
    });
    return `Step ${this.step} of ${this.header.steps}. ${each.join("; ")}.`;
  }

  // --- playing -----------------------------------------------------------------------------------------------

  goTo(step) {
    this.step = Math.max(0, Math.min(this.header.steps, step));
    this.draw(false);
  }

  play() {
    if (this.step >= this.header.steps) this.step = 0;
    this.since = performance.now();
    this.from = this.step;
    this.run();
  }

  tick(now) {
    if (!this.playing) return;
    const speed = Number(this.find("[aria-label=Speed]").value || 30);
    if (speed !== this.speed) { this.speed = speed; this.since = now; this.from = this.step; }
    // After a pause of the browser's own (a hidden tab) the race goes on where it was.
    if (this.last && now - this.last > 500) { this.since = now; this.from = this.step; }
    this.last = now;
    const step = Math.min(this.header.steps, this.from + Math.floor(((now - this.since) / 1000) * speed));
    if (step >= this.header.steps) this.pause();
    if (step !== this.step || !this.playing) this.goTo(step);
    if (this.playing) this.follow();
  }

  act(what) {
    if (what === "play") {
      if (this.playing) this.pause(); else this.play();
      this.draw(false);
      return;
    }
    this.pause();
    this.goTo({ first: 0, back: this.step - 1, forward: this.step + 1 }[what]);
  }

  // --- hands -------------------------------------------------------------------------------------------------

  watch() {
    this.watchButtons();
    this.range.oninput = () => { this.pause(); this.goTo(Number(this.range.value)); };
    this.surface.onblur = () => this.aimAt(null);
    this.surface.onpointermove = (event) => this.point(event);
    this.surface.onpointerleave = () => { this.find(".here").textContent = ""; };
    this.surface.onclick = (event) => {
      const found = this.under(event);
      // The time makes every click another value: the same place may be clicked twice.
      if (found) this.send("start", { x: found[0], y: found[1], at: Date.now() });
    };
    const scrub = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      this.pause();
      this.goTo(this.stepAt(event.clientX - this.losses.getBoundingClientRect().left));
    };
    this.losses.onpointerdown = scrub;
    this.losses.onpointermove = scrub;
  }

  under(event) {
    const frame = this.surface.getBoundingClientRect();
    const u = (event.clientX - frame.left - LEFT) / this.across, v = (event.clientY - frame.top) / this.down;
    if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) return null;
    const [left, right, bottom, top] = this.header.window;
    return [left + u * (right - left), top - v * (top - bottom)].map((one) => Number(one.toPrecision(4)));
  }

  point(event) {
    const found = this.under(event);
    this.find(".here").textContent = found ? this.written(found) : "";
  }

  written([x, y]) {
    return `x ${formatValue(x)}, y ${formatValue(y)}`.replaceAll("-", "−");
  }

  // Where a race shall start, by the keyboard; null for nowhere.
  aimAt(point) {
    if (!point && !this.aim) return;
    this.aim = point;
    this.find(".here").textContent = point ? this.written(point) : "";
    this.draw(false);
    if (point) this.find(".said").textContent = `${this.written(point)}. Enter starts the race from there.`;
  }

  aimKey(event) {
    const [left, right, bottom, top] = this.header.window;
    if (event.key === "Enter" && this.aim) {
      this.send("start", { x: this.aim[0], y: this.aim[1], at: Date.now() });
      this.aimAt(null);
    } else if (event.key === "Escape" && this.aim) this.aimAt(null);
    else if (AIMS[event.key]) {
      const [x, y] = this.aim || this.header.start, [across, up] = AIMS[event.key], part = event.shiftKey ? COARSE : FINE;
      const within = (value, low, high) => Number(Math.max(low, Math.min(high, value)).toPrecision(4));
      this.aimAt([within(x + across * part * (right - left), left, right), within(y + up * part * (top - bottom), bottom, top)]);
    } else return false;
    event.preventDefault();
    return true;
  }

  key(event) {
    if (this.leavesAlone(event) || (event.target === this.surface && this.aimKey(event))) return;
    this.playerKey(event);
    if (event.key === "ArrowRight") this.act("forward");
    if (event.key === "ArrowLeft") this.act("back");
  }

  end() {
    this.pause();
    this.sizes.disconnect();
  }
}

export default function (component) {
  return playedBy(component, ".race", (root) => new Race(root));
}
