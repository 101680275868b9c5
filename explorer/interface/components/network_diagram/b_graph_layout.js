// Places the members of a group in rows from top to bottom, what runs side by side beside each other, and long
// connections in lanes of their own (the steps of Sugiyama, Tagawa and Toda, 1981).
const ROW_GAP = 30, CHAIN_GAP = 13, SIDE_GAP = 14, LANE = 18;

// Least-squares places for a row with wished places and fixed least distances: pool adjacent violators.
function settle(wishes, weights, distances) {
  const blocks = [];
  let offset = 0;
  wishes.forEach((wish, i) => {
    if (i) offset += distances[i - 1];
    let block = { sum: (wish - offset) * weights[i], weight: weights[i], from: i, to: i };
    while (blocks.length && blocks.at(-1).sum / blocks.at(-1).weight > block.sum / block.weight) {
      const before = blocks.pop();
      block = { sum: before.sum + block.sum, weight: before.weight + block.weight, from: before.from, to: block.to };
    }
    blocks.push(block);
  });
  const places = [];
  offset = 0;
  for (const block of blocks) for (let i = block.from; i <= block.to; i++) {
    if (i) offset += distances[i - 1];
    places[i] = block.sum / block.weight + offset;
  }
  return places;
}

// items: [{w, h, axis, branch}], where lines come in and go out at `axis` from the left; edges: [{from, to}] by number;
// entries: [{port, to}]; ports: for each thing that enters, the room that its name takes; exits: numbers of the items
// that leave; spineBranch: the branch that stands straight under the entry, with the others at its side.
// Returns places, paths of the edges and the size.
function layGraph(items, edges, entries, ports, exits, spineBranch) {
  const count = items.length;
  const out = items.map(() => new Set()), into = items.map(() => new Set());
  for (const { from, to } of edges) { out[from].add(to); into[to].add(from); }
  const enters = items.map(() => 0);
  for (const { to } of entries) enters[to] += 1;
  const leaves = new Set(exits);

  // 1. chains: what simply follows one another moves as one
  const chainOfItem = new Array(count).fill(-1), chains = [];
  for (let i = 0; i < count; i++) {
    const alone = (j) => into[j].size === 1 && !enters[j];
    const before = into[i].size === 1 ? [...into[i]][0] : -1;
    const continues = before >= 0 && alone(i) && out[before].size === 1 && !leaves.has(before) && chainOfItem[before] >= 0 && chains[chainOfItem[before]].items.at(-1) === before;
    if (continues) { chains[chainOfItem[before]].items.push(i); chainOfItem[i] = chainOfItem[before]; }
    else { chainOfItem[i] = chains.length; chains.push({ items: [i] }); }
  }
  const nodes = chains.map((chain) => ({
    items: chain.items, order: chain.items[0],
    l: Math.max(...chain.items.map((i) => items[i].axis)), r: Math.max(...chain.items.map((i) => items[i].w - items[i].axis)),
    h: chain.items.reduce((all, i) => all + items[i].h, 0) + CHAIN_GAP * (chain.items.length - 1),
    spine: spineBranch !== null && (items[chain.items[0]].branch === spineBranch || items[chain.items[0]].branch === -1),
    rank: 0, up: [], down: [], x: 0,
  }));
  // 2. what enters and what leaves are nodes too
  const lane = { items: [], l: LANE / 2, r: LANE / 2, h: 0, x: 0 };
  const straight = spineBranch !== null;
  const entryNodes = ports.map((room, port) => ({ ...lane, order: -1, r: Math.max(lane.r, room), spine: straight && ports.length === 1, rank: 0, up: [], down: [], entry: port }));
  const exitNode = { ...lane, order: 1e6, spine: straight, rank: 0, up: [], down: [], exit: true };
  const links = [];
  const link = (a, b, mark) => { if (a !== b && !links.some((one) => one.a === a && one.b === b)) links.push({ a, b, ...mark }); };
  for (const { from, to } of edges) link(nodes[chainOfItem[from]], nodes[chainOfItem[to]], {});
  for (const { port, to } of entries) link(entryNodes[port], nodes[chainOfItem[to]], { entry: true });
  for (const i of leaves) link(nodes[chainOfItem[i]], exitNode, { exit: true });
  const all = [...entryNodes, ...nodes, exitNode];

  // 3. rows: each as early as its sources allow
  const sources = new Map(all.map((node) => [node, []]));
  for (const one of links) sources.get(one.b).push(one.a);
  const rankOf = (node, seen = new Set()) => {
    if (node.ranked || seen.has(node)) return node.rank;
    seen.add(node);
    for (const source of sources.get(node)) node.rank = Math.max(node.rank, rankOf(source, seen) + 1);
    if (!node.items.length && node.entry !== undefined) node.rank = 0;
    else if (ports.length && node.rank === 0) node.rank = 1;
    node.ranked = true;
    return node.rank;
  };
  all.forEach((node) => rankOf(node));
  exitNode.rank = Math.max(exitNode.rank, ...nodes.map((node) => node.rank + 1));

  // 4. lanes for what passes rows by
  const rows = Array.from({ length: exitNode.rank + 1 }, () => []);
  for (const node of all) rows[node.rank].push(node);
  for (const one of links) {
    let last = one.a;
    one.way = [one.a];
    for (let rank = one.a.rank + 1; rank < one.b.rank; rank++) {
      const passing = { ...lane, order: one.a.order < 0 ? 1e5 : one.a.order + 0.5, lane: true, spine: false, rank, up: [], down: [] };
      rows[rank].push(passing);
      last.down.push(passing); passing.up.push(last);
      one.way.push(passing);
      last = passing;
    }
    last.down.push(one.b); one.b.up.push(last);
    one.way.push(one.b);
  }

  // 5. order in the rows, so that few lines cross
  const index = () => rows.forEach((row) => row.forEach((node, i) => { node.at = i; }));
  rows.forEach((row) => row.sort((a, b) => a.order - b.order));
  index();
  const crossings = () => {
    let total = 0;
    for (const row of rows) {
      const lines = row.flatMap((node) => node.down.map((below) => [node.at, below.at]));
      for (let i = 0; i < lines.length; i++) for (let j = i + 1; j < lines.length; j++)
        if ((lines[i][0] - lines[j][0]) * (lines[i][1] - lines[j][1]) < 0) total += 1;
    }
    return total;
  };
  let fewest = crossings(), best = rows.map((row) => [...row]);
  const side = (row, way) => {
    for (const node of row) node.wish = node[way].length ? node[way].reduce((sum, one) => sum + one.at, 0) / node[way].length : node.at;
    row.sort((a, b) => a.wish - b.wish || a.at - b.at);
    row.forEach((node, i) => { node.at = i; });
  };
  for (let sweep = 0; sweep < 8 && fewest > 0; sweep++) {
    if (sweep % 2 === 0) for (let r = rows.length - 2; r >= 0; r--) side(rows[r], "down");
    else for (let r = 1; r < rows.length; r++) side(rows[r], "up");
    const now = crossings();
    if (now < fewest) { fewest = now; best = rows.map((row) => [...row]); }
  }
  best.forEach((row, r) => { rows[r] = row; });
  index();

  // 6. places in the rows: over and under what they are connected with
  const distance = (a, b) => a.r + b.l + (a.lane || b.lane ? 8 : SIDE_GAP);
  for (const row of rows) {
    let at = 0;
    row.forEach((node, i) => { if (i) at += distance(row[i - 1], node); node.x = at; });
    const middle = row.length ? (row[0].x + row.at(-1).x) / 2 : 0;
    for (const node of row) node.x -= middle;
  }
  const pull = (node, other) => (node.lane && other.lane ? 8 : 1);
  for (let turn = 0; turn < 24; turn++) {
    const downwards = turn % 2 === 0;
    for (let k = 1; k < rows.length; k++) {
      const row = rows[downwards ? k : rows.length - 1 - k];
      if (!row.length) continue;
      const wishes = row.map((node) => {
        if (node.spine) return 0;
        const near = turn < 20 ? node[downwards ? "up" : "down"] : [...node.up, ...node.down];
        const weight = near.reduce((sum, one) => sum + pull(node, one), 0);
        return near.length ? near.reduce((sum, one) => sum + one.x * pull(node, one), 0) / weight : node.x;
      });
      const weights = row.map((node) => (node.spine ? 1e7 : node.lane ? 2 : 1 + node.up.length + node.down.length));
      const places = settle(wishes, weights, row.slice(1).map((node, i) => distance(row[i], node)));
      row.forEach((node, i) => { node.x = places[i]; });
    }
  }

  if (!straight) {
    // What comes out stands under what it comes from, and what goes in above what it feeds.
    exitNode.x = exitNode.up.length ? exitNode.up.reduce((sum, one) => sum + one.x, 0) / exitNode.up.length : exitNode.x;
    if (entryNodes.length === 1 && rows[0].length === 1) entryNodes[0].x = entryNodes[0].down.length === 1 ? entryNodes[0].down[0].x : exitNode.x;
  }

  // 7. heights of the rows
  let y = 0;
  const heights = rows.map((row) => Math.max(0, ...row.map((node) => node.h)));
  const tops = heights.map((height, r) => {
    const top = y;
    const single = rows[r].length === 1 && rows[r + 1]?.length === 1;
    const outer = (r === 0 && ports.length) || r + 2 === rows.length;
    if (r + 1 < rows.length) y += height + (single ? CHAIN_GAP + 2 : outer ? 22 : ROW_GAP); else y += height;
    return top;
  });
  const left = Math.min(...rows.flat().map((node) => node.x - node.l)), right = Math.max(...rows.flat().map((node) => node.x + node.r));
  const places = new Array(count);
  for (const node of nodes) {
    let top = tops[node.rank] + (heights[node.rank] - node.h) / 2;
    node.top = top; node.bottom = top + node.h;
    for (const i of node.items) {
      places[i] = { x: node.x - left - items[i].axis, y: top };
      top += items[i].h + CHAIN_GAP;
    }
  }
  for (const node of all) if (!node.items.length) { node.top = node.bottom = tops[node.rank]; }

  const lines = [];
  for (const one of links) {
    const points = one.way.map((node) => ({ x: node.x - left, node }));
    lines.push({ points: pathPoints(points, tops, heights), skip: one.way.length > 2, from: one.a.items.at(-1), to: one.b.items[0], entry: one.a.entry, exit: Boolean(one.b.exit) });
  }
  for (const node of nodes) node.items.slice(1).forEach((i, k) => {
    const before = node.items[k], x = node.x - left;
    lines.push({ points: [[x, places[before].y + items[before].h], [x, places[i].y]], skip: false, from: before, to: i, exit: false });
  });
  return {
    w: right - left, h: y, places, lines,
    ports: entryNodes.map((node) => node.x - left), exit: leaves.size ? exitNode.x - left : null,
  };
}

function pathPoints(points, tops, heights) {
  const result = [];
  points.forEach(({ x, node }, i) => {
    const low = tops[node.rank] + heights[node.rank];
    if (i === 0) { result.push([x, node.bottom]); if (low > node.bottom) result.push([x, low]); }
    else if (i === points.length - 1) { if (node.top > tops[node.rank]) result.push([x, tops[node.rank]]); result.push([x, node.top]); }
    else { result.push([x, tops[node.rank]]); result.push([x, low]); }
  });
  return result;
}

// A line through points that leaves and arrives upright.
function smooth(points) {
  let d = `M${round(points[0][0])} ${round(points[0][1])}`;
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1], [x1, y1] = points[i];
    if (Math.abs(x0 - x1) < 0.5) { d += `V${round(y1)}`; continue; }
    const bend = Math.max(10, (y1 - y0) * 0.55);
    d += `C${round(x0)} ${round(y0 + bend)} ${round(x1)} ${round(y1 - bend)} ${round(x1)} ${round(y1)}`;
  }
  return d;
}

const round = (value) => Math.round(value * 10) / 10;
