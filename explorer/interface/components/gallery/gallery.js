const FADE_MS = 400;
const GROWTH_MS = 2600;
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const find = (name) => parentElement.querySelector(name);
  const board = find(".board"), grid = find(".grid"), tip = find(".tip");
  const growth = find(".growth"), play = find(".play"), scrub = find(".scrub"), step = find(".step");
  if (!data || !grid) return;
  const memory = memoryOf(parentElement, () => ({ built: null, pictures: null, sheet: null, frames: [], at: 0 }));
  const { header, blob } = unpack(data);
  const { width, height, columns, tiles } = header;
  memory.header = header;

  // --- the tiles: built anew only when other ones stand there, so that focus and pointer stay where they are ---
  const build = () => {
    grid.replaceChildren();
    for (const one of tiles) {
      const tile = element(header.clickable ? "button" : "div", "tile");
      if (header.clickable) tile.type = "button";
      tile.dataset.id = one.id;
      const frame = element("span", "frame");
      frame.style.display = "block";
      const canvas = element("canvas");
      canvas.width = width;
      canvas.height = height;
      const bar = element("span", "bar");
      frame.append(canvas, element("span", "void"), bar);
      const label = element("span", "label");
      label.append(element("span", "title"), element("span", "line"), element("span", "under"));
      tile.append(frame, element("span", "mark"), label);
      grid.append(tile);
    }
    memory.sheet = null;
    memory.pictures = null;
  };
  const built = JSON.stringify([width, height, header.clickable, tiles.map((one) => one.id)]);
  if (memory.built !== built) { build(); memory.built = built; }

  grid.setAttribute("aria-label", header.name);
  grid.dataset.few = String(tiles.length <= 4);
  grid.dataset.wide = String(width >= 2 * height); // texts and recordings: beside each other they have no room on a phone
  board.style.setProperty("--tile", header.tile + "px");
  const few = header.most && tiles.length <= 4;
  grid.style.maxWidth = few ? header.most * tiles.length + 8 * (tiles.length - 1) + "px" : "";
  board.style.setProperty("--pick", header.hues.pick);
  board.style.setProperty("--grow", header.hues.grow);
  board.style.setProperty("--warn", header.hues.warn);
  const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  tiles.forEach((one, position) => {
    const tile = grid.children[position];
    const picked = header.picked.indexOf(one.id);
    tile.dataset.state = one.state;
    tile.dataset.picked = String(picked >= 0);
    tile.dataset.opened = String(one.id === header.opened);
    if (header.clickable) tile.setAttribute("aria-pressed", String(picked >= 0));
    const words = [one.title, one.line, one.under, one.alt].filter(Boolean).join(", ");
    if (header.clickable) tile.setAttribute("aria-label", words);
    else {
      const canvas = tile.querySelector("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", one.alt || one.title || header.name);
    }
    set(tile.querySelector(".title"), one.title);
    set(tile.querySelector(".line"), one.line);
    set(tile.querySelector(".under"), one.under);
    set(tile.querySelector(".void"), one.void);
    set(tile.querySelector(".mark"), picked >= 0 ? String(picked + 1) : "");
    tile.querySelector(".bar").style.width = one.share === null ? "0" : 100 * one.share + "%";
    tile.querySelector(".label").hidden = !(one.title || one.line || one.under);
  });

  // --- by hand: click, arrows, what stands under the pointer ---
  grid.onclick = (event) => {
    const tile = event.target.closest("button.tile");
    // The time makes every click another value: the same tile may be clicked twice.
    if (tile) setTriggerValue("pick", { id: tile.dataset.id, at: Date.now() });
  };
  grid.onkeydown = (event) => {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    const across = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    if (!move) return;
    event.preventDefault();
    const next = grid.children[[...grid.children].indexOf(tile) + move];
    if (next) next.focus();
  };
  grid.onmousemove = (event) => {
    const tile = event.target.closest(".tile");
    const one = tile && memory.header.tiles.find((each) => each.id === tile.dataset.id);
    if (!one || !one.tip) { tip.hidden = true; return; }
    set(tip, one.tip);
    tip.hidden = false;
    const frame = board.getBoundingClientRect();
    tip.style.left = Math.max(0, Math.min(event.clientX - frame.left + 14, frame.width - tip.offsetWidth)) + "px";
    tip.style.top = event.clientY - frame.top + 18 + "px";
  };
  grid.onmouseleave = () => { tip.hidden = true; };

  // --- the pictures: a new one comes over the old one, so that growth is seen as growth ---
  const canvases = () => [...grid.querySelectorAll("canvas")];
  const paint = (sheet, alpha) => {
    canvases().forEach((canvas, position) => {
      const context = canvas.getContext("2d");
      context.globalAlpha = alpha;
      const x = (position % columns) * width, y = Math.floor(position / columns) * height;
      context.drawImage(sheet, x, y, width, height, 0, 0, width, height);
      context.globalAlpha = 1;
    });
  };
  const show = (sheet) => {
    const before = memory.sheet;
    memory.sheet = sheet;
    cancelAnimationFrame(memory.fading);
    const done = () => { paint(sheet, 1); grid.dataset.drawn = header.digest; };
    if (!before || before.width !== sheet.width || before.height !== sheet.height || still() || document.hidden) { done(); return; }
    const from = performance.now();
    const go = (now) => {
      const share = (now - from) / FADE_MS;
      if (memory.sheet !== sheet) return;
      if (share >= 1) { done(); return; }
      paint(before, 1);
      paint(sheet, Math.max(0, share));
      memory.fading = requestAnimationFrame(go);
    };
    memory.fading = requestAnimationFrame(go);
    // A tab in the background gets no animation frames, and shall not show what is past.
    setTimeout(() => { if (memory.sheet === sheet && grid.dataset.drawn !== header.digest) done(); }, 2 * FADE_MS);
  };

  // --- the growth: a slider through the steps that were kept ---
  const steps = header.steps;
  growth.hidden = steps.length < 2;
  const label = (playing) => {
    play.dataset.playing = String(playing);
    play.setAttribute("aria-label", playing ? "Pause" : "Watch it grow");
    play.title = playing ? "Pause" : "Watch it grow";
  };
  const go = (position) => {
    const last = memory.frames.length - 1;
    memory.at = Math.min(last, Math.max(0, position));
    scrub.value = String(memory.at);
    set(step, `step ${memory.header.steps[memory.at]}`);
    scrub.setAttribute("aria-valuetext", step.textContent);
    if (memory.frames[memory.at]) paint(memory.frames[memory.at], 1);
  };
  const pause = () => { memory.playing = false; label(false); };
  const start = () => {
    memory.playing = true;
    label(true);
    const mine = (memory.run = (memory.run ?? 0) + 1);
    if (memory.at >= memory.frames.length - 1) go(0);
    const from = performance.now() - (memory.at / Math.max(1, memory.frames.length - 1)) * GROWTH_MS;
    const tick = (now) => {
      if (!memory.playing || memory.run !== mine || !parentElement.isConnected) return;
      const share = (now - from) / GROWTH_MS;
      go(Math.round(share * (memory.frames.length - 1)));
      if (share >= 1) pause(); else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  };
  play.onclick = () => (memory.playing ? pause() : start());
  scrub.oninput = () => { pause(); go(Number(scrub.value)); };

  if (memory.pictures === header.digest) return;
  memory.pictures = header.digest;
  memory.playing = false;
  const all = [blob("sheet"), ...steps.map((_, position) => blob("frame" + position))];
  Promise.all(all.map((bytes) => (bytes && bytes.length ? bitmapOf(bytes, header.kind) : null))).then(([sheet, ...frames]) => {
    if (memory.pictures !== header.digest) return;
    memory.frames = frames;
    if (frames.length < 2) { if (sheet) show(sheet); else grid.dataset.drawn = header.digest; return; }
    scrub.max = String(frames.length - 1);
    memory.sheet = frames[frames.length - 1];
    go(frames.length - 1);
    label(false);
    grid.dataset.drawn = header.digest;
    if (header.play && !still()) { memory.at = 0; start(); }
  });
}
