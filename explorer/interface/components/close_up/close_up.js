export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const find = (name) => parentElement.querySelector(name);
  const stage = find(".stage"), photo = find(".photo"), canvas = find(".map");
  const field = find(".field"), cell = find(".cell"), tip = find(".tip"), mix = find("input");
  if (!data || !stage) return;
  const memory = memoryOf(parentElement, () => ({ digest: null, url: null, opacity: null, at: null }));
  const { header, blob } = unpack(data);
  const { height, width } = header;

  const outline = (box, target) => {
    target.hidden = !box;
    if (!box) return;
    const [top, left, bottom, right] = box;
    target.style.top = top * 100 + "%"; target.style.left = left * 100 + "%";
    target.style.height = (bottom - top) * 100 + "%"; target.style.width = (right - left) * 100 + "%";
  };
  const showCell = (at) => outline(at && [at[0] / height, at[1] / width, (at[0] + 1) / height, (at[1] + 1) / width], cell);
  outline(header.field, field);
  memory.at = header.cell;
  showCell(header.cell);
  photo.alt = header.alt;
  stage.style.setProperty("--most", header.most + "px");
  find(".mix").style.setProperty("--most", header.most + "px");
  mix.oninput = () => { memory.opacity = mix.value; canvas.style.opacity = mix.value / 100; };
  mix.value = memory.opacity ?? header.opacity;
  canvas.style.opacity = mix.value / 100;

  const values = new Float32Array(blob("values").buffer);
  const say = (row, column) => `row ${row}, column ${column} · ${formatValue(values[row * width + column])}`;
  const cellAt = (event) => {
    const frame = stage.getBoundingClientRect();
    const limit = (value, most) => Math.min(most - 1, Math.max(0, Math.floor(value)));
    return [limit(((event.clientY - frame.top) / frame.height) * height, height), limit(((event.clientX - frame.left) / frame.width) * width, width)];
  };
  stage.onmousemove = (event) => {
    const [row, column] = cellAt(event);
    const frame = stage.getBoundingClientRect();
    tip.textContent = say(row, column);
    tip.hidden = false;
    tip.style.left = Math.min(event.clientX - frame.left + 12, Math.max(0, frame.width - tip.offsetWidth)) + "px";
    tip.style.top = Math.min(event.clientY - frame.top + 14, Math.max(0, frame.height - 24)) + "px";
  };
  stage.onmouseleave = () => { tip.hidden = true; };
  stage.onclick = (event) => setTriggerValue("cell", cellAt(event));
  stage.onkeydown = (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === "Enter" && memory.at) { setTriggerValue("cell", memory.at); return; }
    if (!move) return;
    event.preventDefault();
    const from = memory.at ?? [Math.floor(height / 2), Math.floor(width / 2)];
    memory.at = [Math.min(height - 1, Math.max(0, from[0] + move[0])), Math.min(width - 1, Math.max(0, from[1] + move[1]))];
    showCell(memory.at);
    tip.textContent = say(...memory.at);
    tip.hidden = false;
    tip.style.left = "4px"; tip.style.top = "4px";
  };

  const leave = () => { if (memory.url) URL.revokeObjectURL(memory.url); };
  if (memory.digest === header.digest) return leave;
  memory.digest = header.digest;
  if (memory.url) URL.revokeObjectURL(memory.url);
  memory.url = URL.createObjectURL(new Blob([blob("photo")], { type: header.photo_type }));
  photo.src = memory.url;
  canvas.width = width;
  canvas.height = height;
  bitmapOf(blob("map"), "image/png").then((picture) => {
    if (memory.digest !== header.digest) return;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    stage.dataset.drawn = header.digest;
  });
  return leave;
}
