// The hues of weights, activations and the input, as on every page; what only moves or joins maps has none.
const KIND_HUES = [
  [/Conv|Separable|Depthwise|Dense/, "weight"],
  [/Activation|ReLU|Softmax|Swish|GELU|Sigmoid/i, "activation"],
  [/Input/, "input"],
];
const SVG = "http://www.w3.org/2000/svg";

function drawing(width, height, lines) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("width", width); svg.setAttribute("height", height);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`); svg.setAttribute("aria-hidden", "true");
  for (const d of lines) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d); path.setAttribute("fill", "none");
    path.setAttribute("stroke", "currentColor"); path.setAttribute("stroke-width", "1.5");
    svg.append(path);
  }
  return svg;
}

function glyphOf(node) {
  if (node.kind === "residual") return drawing(16, 16, ["M5 0V16", "M5 2C14 3 14 13 5 14"]);
  if (node.kind === "branches") {
    const count = Math.min(node.branches.length, 4);
    const lines = [];
    for (let i = 0; i < count; i++) {
      const x = count === 1 ? 9 : 2 + (14 * i) / (count - 1);
      lines.push(`M9 0C9 4 ${x} 3 ${x} 8C${x} 13 9 12 9 16`);
    }
    return drawing(18, 16, lines);
  }
  return null;
}

function holds(node, path) {
  if (!path) return false;
  if (node.path !== undefined) return node.path === path;
  if (node.merge === path) return true;
  return (node.children || []).some((n) => holds(n, path)) || (node.branches || []).some((b) => b.some((n) => holds(n, path)));
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const tree = parentElement.querySelector(".tree");
  const column = parentElement.querySelector(".column");
  if (!data || !tree) return;
  const memory = memoryOf(parentElement, () => ({ digest: null, open: {}, selected: null }));
  const open = (memory.open[data.network] ??= {});
  column.style.setProperty("--height", data.height + "px");

  const layerRow = (path) => {
    const layer = data.layers[path];
    const row = element("button", "layer");
    row.type = "button";
    row.dataset.path = path;
    row.title = path;
    const hue = KIND_HUES.find(([pattern]) => pattern.test(layer.kind));
    if (hue) row.style.setProperty("--kind", data.hues[hue[1]]);
    row.append(element("span", "name", layer.name), element("span", "what", layer.kind));
    const facts = element("span", "facts");
    facts.append(element("span", "", layer.shape), element("span", "", layer.silent ?? ""), element("span", "", layer.parameters));
    row.append(facts);
    row.onclick = () => setTriggerValue("layer", path);
    return row;
  };

  const sequence = (nodes, prefix) => {
    const part = document.createDocumentFragment();
    nodes.forEach((node, i) => part.append(node.path !== undefined ? layerRow(node.path) : blockOf(node, `${prefix}.${i}`)));
    return part;
  };

  const fill = (inside, node, id) => {
    if (inside.childElementCount) return;
    if (node.branches && node.branches.length) {
      node.branches.forEach((branch, i) => {
        const box = element("div", "branch");
        // Shades of one colour: a branch is a place, not a quantity.
      box.style.setProperty("--branch", `color-mix(in srgb, var(--st-text-color) ${30 + (i % 3) * 25}%, transparent)`);
        box.setAttribute("role", "group");
        const residual = node.kind === "residual";
        const title = branch.length === 0 ? "Shortcut: the input itself" : residual && i > 0 ? "Shortcut with its own layers" : `Branch ${i + 1} of ${node.branches.length}`;
        box.setAttribute("aria-label", title);
        box.append(element("div", branch.length ? "title" : "shortcut", title));
        if (branch.length) box.append(sequence(branch, `${id}:${i}`));
        inside.append(box);
      });
      if (node.merge) inside.append(layerRow(node.merge));
    }
    if (node.children && node.children.length) inside.append(sequence(node.children, id));
  };

  const blockOf = (node, id) => {
    const box = element("div", `block ${node.kind}`);
    const head = element("button", "");
    head.type = "button";
    const turn = drawing(10, 10, ["M3 1L7 5L3 9"]);
    turn.setAttribute("class", "turn");
    head.append(turn);
    const glyph = glyphOf(node);
    if (glyph) { glyph.setAttribute("class", "glyph"); head.append(glyph); }
    head.append(element("span", "name", node.title));
    const facts = element("span", "facts");
    facts.append(element("span", "", node.shape), element("span", "", node.parameters));
    head.append(facts);
    const inside = element("div", "inside");
    const show = (isOpen) => {
      open[id] = isOpen;
      head.setAttribute("aria-expanded", String(isOpen));
      inside.hidden = !isOpen;
      if (isOpen) fill(inside, node, id);
    };
    head.onclick = () => show(head.getAttribute("aria-expanded") !== "true");
    show(open[id] ?? (data.open_stages && node.kind === "stage"));
    box.append(head, inside);
    return box;
  };

  const digest = data.digest;
  const changed = memory.digest !== digest;
  if (changed || memory.selected !== data.selected) {
    const reveal = (nodes, prefix) => nodes.forEach((node, i) => {
      if (node.path !== undefined || !holds(node, data.selected)) return;
      open[`${prefix}.${i}`] = true;
      if (node.children) reveal(node.children, `${prefix}.${i}`);
      (node.branches || []).forEach((branch, b) => reveal(branch, `${prefix}.${i}:${b}`));
    });
    reveal(data.tree, "");
    const top = column.scrollTop;
    tree.replaceChildren(sequence(data.tree, ""));
    column.scrollTop = top;
    memory.digest = digest;
    memory.selected = data.selected;
  }
  let current = null;
  for (const row of tree.querySelectorAll(".layer")) {
    const isCurrent = row.dataset.path === data.selected;
    row.setAttribute("aria-current", String(isCurrent));
    if (isCurrent) current = row;
  }
  if (current) {
    // Scroll inside the column only: scrollIntoView would move the whole page under the reader.
    const frame = column.getBoundingClientRect();
    const spot = current.getBoundingClientRect();
    if (spot.top < frame.top + 40) column.scrollTop -= frame.top + 40 - spot.top;
    else if (spot.bottom > frame.bottom - 10) column.scrollTop += spot.bottom - frame.bottom + 10;
  }
}
