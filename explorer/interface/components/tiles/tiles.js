function place(tip, board, event) {
  const frame = board.getBoundingClientRect();
  tip.hidden = false;
  const left = event.clientX - frame.left + 14;
  tip.style.left = Math.max(0, Math.min(left, frame.width - tip.offsetWidth)) + "px";
  tip.style.top = event.clientY - frame.top + 16 + "px";
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const board = parentElement.querySelector(".board");
  const grid = parentElement.querySelector(".grid");
  const tip = parentElement.querySelector(".tip");
  if (!data || !grid) return;
  const memory = memoryOf(parentElement, () => ({ digest: null }));
  const { header, blob } = unpack(data);

  const mark = () => {
    for (const tile of grid.children)
      tile.setAttribute("aria-pressed", String(Number(tile.dataset.channel) === header.selected));
  };
  grid.onclick = (event) => {
    const tile = event.target.closest(".tile");
    if (tile) setTriggerValue("channel", Number(tile.dataset.channel));
  };
  grid.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tile = event.target.closest(".tile");
    if (!step || !tile) return;
    const next = step > 0 ? tile.nextElementSibling : tile.previousElementSibling;
    if (next) { next.focus(); event.preventDefault(); }
  };
  grid.onmouseleave = () => { tip.hidden = true; };

  // The same tiles again: only the selection may have moved, so the pointer keeps what it is over.
  if (memory.digest === header.digest) { mark(); return; }
  memory.digest = header.digest;

  const { height, width, channels, silent, labels, columns } = header;
  const values = new Float32Array(blob("values").buffer);
  grid.style.setProperty("--tile", header.tile + "px");
  grid.replaceChildren();
  channels.forEach((channel, position) => {
    const tile = element("button", silent[position] ? "tile silent" : "tile");
    tile.type = "button";
    tile.dataset.channel = channel;
    tile.setAttribute("aria-label", `channel ${channel}, ${labels[position]}${silent[position] ? ", silent" : ""}`);
    const canvas = element("canvas");
    canvas.width = width;
    canvas.height = height;
    const label = element("span", "label");
    label.append(element("span", "", String(channel)), element("span", "", silent[position] ? "silent" : labels[position]));
    tile.append(canvas, label);
    // On the tile, not on the canvas: at its edge, within a pixel, the label below may get the pointer.
    tile.onmousemove = (event) => {
      const frame = canvas.getBoundingClientRect();
      if (event.clientY > frame.bottom + 1) { tip.hidden = true; return; }
      const column = Math.min(width - 1, Math.max(0, Math.floor(((event.clientX - frame.left) / frame.width) * width)));
      const row = Math.min(height - 1, Math.max(0, Math.floor(((event.clientY - frame.top) / frame.height) * height)));
      const value = values[(position * height + row) * width + column];
      tip.textContent = `channel ${channel} · row ${row}, column ${column} · ${formatValue(value)}`;
      place(tip, board, event);
    };
    grid.append(tile);
  });
  mark();
  bitmapOf(blob("sheet"), "image/png").then((sheet) => {
    if (memory.digest !== header.digest) return;
    [...grid.children].forEach((tile, position) => {
      const context = tile.querySelector("canvas").getContext("2d");
      const x = (position % columns) * width;
      const y = Math.floor(position / columns) * height;
      context.drawImage(sheet, x, y, width, height, 0, 0, width, height);
    });
    grid.dataset.drawn = header.digest;
  });
}
