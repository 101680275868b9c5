// The board to paint a mask on: mouse, finger or keys; what is painted stays here until "Done".
const PAINT = [86, 180, 233];

function startBoard(board, { mask, picture, alt, words, done, cancel }) {
  const easel = board.querySelector(".easel"), layer = board.querySelector(".paint-layer"), ring = board.querySelector(".brush-ring");
  const photo = board.querySelector(".photo"), share = board.querySelector(".share"), range = board.querySelector(".size input");
  const buttons = [...board.querySelectorAll("[data-tool]")];
  const { rows, columns } = mask;
  let cells = mask.cells.slice(), tool = "brush", at = [rows >> 1, columns >> 1], last = null;
  const past = [];

  easel.setAttribute("aria-label", `${words} ${rows} by ${columns} cells: arrow keys move the brush, Space paints, E swaps brush and eraser`);
  board.querySelector(".words").textContent = words;
  photo.width = picture.width; photo.height = picture.height;
  photo.setAttribute("aria-label", alt);
  photo.getContext("2d").drawImage(picture, 0, 0);
  layer.width = columns; layer.height = rows;

  const draw = () => {
    const image = new ImageData(columns, rows);
    let count = 0;
    cells.forEach((on, i) => { if (on) { count++; image.data.set([...PAINT, 255], i * 4); } });
    layer.getContext("2d").putImageData(image, 0, 0);
    share.textContent = count ? `${Math.round(100 * count / cells.length) || "under 1"} % of the picture is painted` : "Nothing is painted yet";
    board.querySelector(".undo").disabled = !past.length;
    board.querySelector(".clear").disabled = !count;
    board.dataset.painted = count;
  };
  const showTool = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    easel.classList.toggle("erasing", tool === "erase");
    board.querySelector(".size output").textContent = range.value === "1" ? "1 cell" : `${range.value} cells`;
  };
  const showRing = (visible = true) => {
    ring.hidden = !visible;
    ring.style.top = (at[0] + .5) / rows * 100 + "%";
    ring.style.left = (at[1] + .5) / columns * 100 + "%";
    ring.style.height = range.value / rows * 100 + "%";
    ring.style.width = range.value / columns * 100 + "%";
    ring.style.borderRadius = range.value === "1" ? "0" : "50%";
  };
  const keep = () => { past.push(cells.slice()); if (past.length > 40) past.shift(); };
  const dab = ([row, column]) => {
    const reach = (Number(range.value) - 1) / 2, on = tool === "brush" ? 1 : 0;
    for (let y = -reach; y <= reach; y++)
      for (let x = -reach; x <= reach; x++) {
        // A round brush: the corners of its square stay free.
        if (x * x + y * y > (reach + .5) * (reach + .5)) continue;
        const r = row + y, c = column + x;
        if (r >= 0 && c >= 0 && r < rows && c < columns) cells[r * columns + c] = on;
      }
  };
  const stroke = (from, to) => {
    const steps = Math.max(1, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
    for (let i = 0; i <= steps; i++) dab([Math.round(from[0] + (to[0] - from[0]) * i / steps), Math.round(from[1] + (to[1] - from[1]) * i / steps)]);
    draw();
  };
  const limit = (value, most) => Math.min(most - 1, Math.max(0, value));
  const placeOf = (event) => {
    const frame = easel.getBoundingClientRect();
    return [limit(Math.floor((event.clientY - frame.top) / frame.height * rows), rows), limit(Math.floor((event.clientX - frame.left) / frame.width * columns), columns)];
  };
  easel.onpointerdown = (event) => {
    if (event.button > 0) return;
    event.preventDefault();
    easel.focus({ preventScroll: true });
    easel.setPointerCapture(event.pointerId);
    keep();
    at = last = placeOf(event);
    stroke(at, at);
    showRing();
  };
  easel.onpointermove = (event) => {
    // A fast hand skips cells between two frames: what the browser saw in between is painted, too.
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      at = placeOf(one);
      if (last) { stroke(last, at); last = at; }
    }
    at = placeOf(event);
    showRing();
  };
  easel.onpointerup = easel.onpointercancel = () => { last = null; };
  easel.onpointerleave = () => { if (!last) showRing(easel.matches(":focus-visible")); };
  easel.onfocus = () => showRing();
  easel.onblur = () => showRing(false);
  const swap = (name) => { tool = name; showTool(); };
  easel.onkeydown = (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (move) {
      event.preventDefault();
      const from = at;
      at = [limit(at[0] + move[0], rows), limit(at[1] + move[1], columns)];
      if (event.shiftKey) { keep(); stroke(from, at); }
      showRing();
    } else if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      keep();
      stroke(at, at);
      showRing();
    } else if (event.key === "e" || event.key === "E") swap(tool === "brush" ? "erase" : "brush");
    else if (event.key === "z" || event.key === "Z") undo();
    else if (event.key === "Escape") cancel();
  };
  const undo = () => { if (past.length) { cells = past.pop(); draw(); } };
  for (const button of buttons) button.onclick = () => swap(button.dataset.tool);
  range.oninput = () => { showTool(); showRing(!ring.hidden); };
  board.querySelector(".undo").onclick = undo;
  board.querySelector(".clear").onclick = () => { keep(); cells.fill(0); draw(); };
  board.querySelector(".done").onclick = () => done({ rows, columns, cells });
  board.querySelector(".cancel").onclick = cancel;
  showTool();
  showRing(false);
  draw();
}
