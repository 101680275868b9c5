// The network as the browser holds it: a tree of nodes, and for each group what feeds what inside it.
const MEASURES = {
  parameters: { title: "Parameters", unit: "parameters", hue: "weight" },
  multiply_adds: { title: "Multiply-adds", unit: "multiply-adds", hue: "work" },
  activations: { title: "Activations", unit: "activations", hue: "activation" },
};
// Blocks in a row that are built alike are folded from this many on.
const FEWEST_ALIKE = 3;

function networkOf(header) {
  const columns = header.layers;
  const leaves = [];
  const byId = new Map();
  const layerNode = (number, parent, branch) => {
    const path = header.paths[number] ?? columns.name[number];
    const node = {
      id: path, kind: "layer", layer: number, parent, branch, name: columns.name[number],
      type: header.texts[columns.kind[number]], words: header.texts[columns.words[number]],
      shape: header.shapes[columns.shape[number]], broken: header.broken[number], change: header.changes[number],
    };
    for (const measure of Object.keys(MEASURES)) node[measure] = columns[measure][number];
    leaves[number] = node;
    byId.set(path, node);
    return node;
  };
  const blockNode = (record, parent, branch) => {
    const node = {
      id: record.id, kind: record.kind, title: record.title, parent, branch, shape: record.map, form: record.form,
      exact: record.exact, output: record.output,
    };
    byId.set(node.id, node);
    node.branches = (record.branches ?? []).map((members, i) => members.map((one) => nodeOf(one, node, i)));
    node.merge = record.merge === undefined ? null : layerNode(record.merge, node, -1);
    node.children = record.children.map((one) => nodeOf(one, node, -1));
    node.members = [...node.branches.flat(), ...(node.merge ? [node.merge] : []), ...node.children];
    sum(node);
    return node;
  };
  const nodeOf = (one, parent, branch = -1) =>
    typeof one === "number" ? layerNode(one, parent, branch) : blockNode(one, parent, branch);
  const sum = (node) => {
    for (const measure of Object.keys(MEASURES)) node[measure] = node.members.reduce((all, one) => all + one[measure], 0);
    node.count = node.members.reduce((all, one) => all + (one.count ?? 1), 0);
    node.broken = node.members.find((one) => one.broken)?.broken;
    const changes = new Set(node.members.map((one) => one.change ?? "same"));
    node.change = changes.size === 1 ? [...changes][0] : "changed";
  };
  const root = { id: "", kind: "root", title: header.title, parent: null, branches: [], merge: null };
  root.children = header.tree.map((one) => nodeOf(one, root));
  root.members = root.children;
  root.shape = root.children.at(-1)?.shape ?? [];
  sum(root);
  root.staged = root.children.filter((node) => node.kind === "stage").length > 1;
  connect(root, leaves, columns.inputs);
  return { root, leaves, byId, header };
}

function chainOf(node) {
  const chain = [];
  for (let at = node; at; at = at.parent) chain.push(at);
  return chain.reverse();
}

// Write down, in the group where two layers' ways part, which member feeds which; and on the way down to them what
// enters each group from outside, and which of its members leave it.
function connect(root, leaves, inputs) {
  const groups = [root, ...[...leaves].flatMap((leaf) => chainOf(leaf).slice(1, -1))];
  for (const group of new Set(groups)) { group.edges = new Map(); group.entries = new Map(); group.exits = new Set(); }
  const chains = leaves.map(chainOf);
  const used = new Set();
  leaves.forEach((leaf, number) => {
    for (const source of inputs[number]) {
      used.add(source);
      const from = chains[source], to = chains[number];
      let depth = 0;
      while (from[depth + 1] === to[depth + 1] && depth + 1 < from.length - 1 && depth + 1 < to.length - 1) depth += 1;
      const group = from[depth];
      const key = `${from[depth + 1].id}>${to[depth + 1].id}>${source}`;
      group.edges.set(key, { from: from[depth + 1], to: to[depth + 1], source });
      for (let i = depth + 1; i < to.length - 1; i++) to[i].entries.set(`${source}>${to[i + 1].id}`, { source, to: to[i + 1] });
      for (let i = depth + 1; i < from.length - 1; i++) from[i].exits.add(from[i + 1]);
    }
  });
  leaves.forEach((leaf, number) => {
    // What nobody uses leaves the network; only its last layer hands something on, a side output ends where it is.
    if (used.has(number) || number < leaves.length - 1) return;
    for (let i = 0; i < chains[number].length - 1; i++) chains[number][i].exits.add(chains[number][i + 1]);
  });
}

// The members of a group as they are drawn: rows of like blocks as one, unless they are unfolded.
function itemsOf(group, unfolded) {
  const items = [], itemOf = new Map();
  const lists = [...group.branches, group.merge ? [group.merge] : [], group.children];
  for (const list of lists) {
    for (let at = 0; at < list.length; ) {
      let end = at + 1;
      const first = list[at];
      if (first.kind !== "layer" && first.kind !== "stage") while (end < list.length && list[end].form === first.form) end += 1;
      const run = "run" + first.id;
      const folds = end - at >= FEWEST_ALIKE && group.kind !== "root";
      const members = list.slice(at, end);
      if (folds && !unfolded.has(run)) {
        const item = { node: first, run: { id: run, members, exact: members.every((one) => one.exact === first.exact) }, branch: first.branch };
        for (const one of members) itemOf.set(one, items.length);
        items.push(item);
      } else {
        members.forEach((one, i) => {
          itemOf.set(one, items.length);
          items.push({ node: one, run: null, refold: folds && i === 0 ? { id: run, members } : null, branch: one.branch });
        });
      }
      at = end;
    }
  }
  return { items, itemOf };
}

function layersOf(nodes) { return nodes.flatMap((one) => (one.kind === "layer" ? [one] : layersOf(one.members))); }

const words = (layers) => (layers.length === 1 ? layers[0].words : `${layers.length} layers`);

// "1 layer", "3 layers", "138.4 M parameters".
const counted = (count, things) => `${countText(count)} ${count === 1 ? things.replace(/s$/, "") : things}`;

function isOpenable(node) { return node.kind !== "layer"; }

// What a group is made of, in a few words: its convolutions in order, or its branches.
function gistOf(node) {
  const brief = (one) => {
    if (/^(Squeeze|Gate)/.test(one.title ?? "")) return [];
    if (one.kind !== "layer") return one.members.flatMap(brief);
    if (/Conv/.test(one.type)) return [one.words.replace(" conv", "").replace(/, \d+ groups/, "")];
    if (/^Dense$/.test(one.type)) return [one.words.replace("Dense, ", "dense ")];
    return [];
  };
  const joined = (parts) => {
    const runs = [];
    for (const part of parts) {
      if (runs.at(-1)?.part === part) runs.at(-1).times += 1; else runs.push({ part, times: 1 });
    }
    const told = runs.map((run) => (run.times > 1 ? `${run.times} × ${run.part}` : run.part));
    return told.length > 4 ? counted(node.count, "layers") : told.join(" · ");
  };
  const full = node.branches?.filter((branch) => branch.length) ?? [];
  if (node.kind === "branches" && full.length > 1) return node.branches.map((branch) => {
    const layers = layersOf(branch), kernels = branch.flatMap(brief);
    if (!branch.length) return "shortcut";
    if (layers.some((one) => /Pooling/.test(one.type))) return "pool";
    return (full.length > 2 ? kernels.at(-1)?.split(",")[0] : kernels.at(-1)) ?? words(layers);
  }).join(" | ");
  if (full.length) {
    const main = joined(full[0].flatMap(brief));
    if (main) return main;
  }
  return joined(node.members?.flatMap(brief) ?? []) || counted(node.count, "layers");
}

// Titles as the tree has them, without what the drawing says anyway.
function shortTitle(node) {
  return node.title.replace(/ · \d+ × \d+$/, "").replace(/ · \d+ outputs$/, "").replace(/^Residual block (?=.)/, "")
    .replace(/^Inception module (?=.)/, "").replace(/^Dense connection (?=.)/, "").replace(/^Nested model (?=.)/, "").replace(/^(Two branches|\d+ branches|Squeeze and excite) .*/, "$1")
    .replace(/^Block (?=.)/, "").replace(/^Cell up to (?=.)/, "Cell ")
    .replace(/(?<=.)_(concat|add|out|merge)$/, "");
}

function kindWords(node) {
  if (node.kind === "residual") return "residual block";
  if (/^Inception/.test(node.title)) return "Inception module";
  if (/^Dense conn/.test(node.title)) return "dense connection";
  if (/^Squeeze/.test(node.title)) return "squeeze and excite";
  if (node.kind === "branches") return `${node.branches.length} branches`;
  if (node.kind === "stage") return "stage";
  return "block";
}

const shapeText = (shape, gap = " ") => (shape.length ? shape.map((size) => size ?? "any").join(`${gap}×${gap}`) : "?");

function countText(count) {
  for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]])
    if (count >= limit) return `${(count / (unit === "k" ? 1e3 : limit)).toFixed(1)} ${unit}`;
  return count.toLocaleString("en");
}

function shareText(part, whole) {
  const percent = whole ? (100 * part) / whole : 0;
  if (percent > 0 && percent < 0.5) return "< 1 %";
  if (percent > 99.5 && percent < 100) return "> 99 %";
  return `${percent.toFixed(0)} %`;
}
