// The stage as plain data: boards, links between them, and which cells belong to a cell that one looks at.
const NO_WEIGHT = 65535;

function readModel(header, blob) {
  const numbers = (name, Kind) => { const bytes = blob(name); return bytes && new Kind(bytes.buffer); };
  const boards = header.boards.map((about, index) => {
    const [height, width, planes] = about.shape;
    return {
      ...about, index, height, width, count: planes, size: height * width * planes,
      values: numbers(`values${index}`, Float64Array),
      own: numbers(`own${index}`, Uint8Array),
      marked: numbers(`marked${index}`, Uint8Array),
    };
  });
  const named = (name) => boards.find((board) => board.name === name) || null;
  const links = header.links.map((about, index) => {
    const starts = numbers(`starts${index}`, Int32Array);
    const sources = numbers(`sources${index}`, Uint16Array);
    const targets = new Uint16Array(sources.length);
    for (let cell = 0; cell + 1 < starts.length; cell++) targets.fill(cell, starts[cell], starts[cell + 1]);
    const source = named(about.source);
    const target = named(about.target);
    const weights = about.weights === null ? null : named(about.weights);
    const weightCells = numbers(`weights${index}`, Uint16Array);
    return {
      ...about, index, starts, sources, targets, source, target, weights, weightCells,
      factors: numbers(`factors${index}`, Float64Array),
      before: numbers(`before${index}`, Float64Array),
      decided: numbers(`decided${index}`, Int32Array),
      ofSource: indexed(sources, source.size),
      ofWeight: weights && weightCells ? indexed(weightCells, weights.size) : null,
    };
  });
  const model = {
    boards, links, named, rows: header.rows, layout: header.layout, formula: header.formula,
    steps: { ...header.steps, order: numbers("order", Int32Array) },
  };
  for (const board of boards) if (board.matrix) fillMatrix(board, links[board.matrix.link]);
  model.reach = reachOf(model);
  return model;
}

// The terms of each cell, found at once: those of cell c are terms[starts[c]] to terms[starts[c + 1]].
function indexed(cells, count) {
  const starts = new Int32Array(count + 1);
  for (const cell of cells) if (cell < count) starts[cell + 1]++;
  for (let cell = 0; cell < count; cell++) starts[cell + 1] += starts[cell];
  const next = starts.slice();
  const terms = new Int32Array(cells.length);
  cells.forEach((cell, term) => { if (cell < count) terms[next[cell]++] = term; });
  return { starts, terms };
}

function termsOfTarget(link, cell) {
  const found = [];
  for (let term = link.starts[cell]; term < link.starts[cell + 1]; term++) found.push(term);
  return found;
}
const termsIn = (index, cell) => Array.from(index.terms.subarray(index.starts[cell], index.starts[cell + 1]));
const factorOf = (link, term) => (link.factors ? link.factors[term] : link.weights.values[link.weightCells[term]]);
const weightOf = (link, term) => {
  if (!link.weightCells || link.weightCells[term] === NO_WEIGHT) return -1;
  return link.weightCells[term];
};
// The shade of a weight, one for each place of the kernel; of a 1 × 1 kernel one for each weight. Null without one.
const shadeOf = (board, cell) => {
  if (!board || cell < 0 || !board.shades) return null;
  const place = board.shades.length === board.size ? cell : Math.floor(cell / board.count);
  return { fill: board.shades[place], ink: board.inks[place] };
};
const matrixCell = (board, link, term) => {
  const { transposed } = board.matrix;
  return (transposed ? link.sources[term] : link.targets[term]) * board.width
    + (transposed ? link.targets[term] : link.sources[term]);
};

function fillMatrix(board, link) {
  board.values = new Float64Array(board.size).fill(NaN);
  board.terms = new Int32Array(board.size).fill(-1);
  for (let term = 0; term < link.sources.length; term++) {
    const cell = matrixCell(board, link, term);
    board.values[cell] = factorOf(link, term);
    board.terms[cell] = term;
  }
}

// For each board that the run fills: the step after which each cell is there (first) and final (last).
function reachOf(model) {
  const reach = new Map();
  const link = model.links[model.steps.link];
  if (!link) return reach;
  const first = new Int32Array(link.target.size).fill(-1);
  const last = new Int32Array(link.target.size).fill(-1);
  const see = (cell, step) => { if (first[cell] < 0) first[cell] = step; last[cell] = step; };
  model.steps.order.forEach((cell, step) => {
    if (model.steps.by === "target") see(cell, step);
    else for (const term of termsIn(link.ofSource, cell)) see(link.targets[term], step);
  });
  reach.set(link.target, { first, last });
  const follow = (board) => {
    for (const next of model.links) {
      if (next.source !== board || reach.has(next.target)) continue;
      const steps = new Int32Array(next.target.size).fill(-1);
      const from = reach.get(board).last;
      next.sources.forEach((cell, term) => {
        steps[next.targets[term]] = Math.max(steps[next.targets[term]], from[cell]);
      });
      reach.set(next.target, { first: steps, last: steps });
      follow(next.target);
    }
  };
  follow(link.target);
  for (const board of model.boards) {
    const shown = board.standsFor && model.named(board.standsFor);
    if (shown && reach.has(shown)) reach.set(board, reach.get(shown));
  }
  return reach;
}

// Where a look goes: "back" to what a cell is made of, "on" to what it feeds.
function directionOf(model, board, reversed) {
  const made = model.links.some((link) => link.target === board);
  return made !== reversed ? "back" : "on";
}

const RANK = { far: 1, lit: 2, looked: 3, now: 4 };

// What a look lights: for each board its cells as {kind, shade}, and for each link the terms that are drawn.
// A look is {board, cell, reversed} or, of the running animation, {board, cell, step: true}.
function lightsOf(model, look) {
  const cells = new Map();
  const terms = new Map();
  const answer = { cells, terms, link: null, how: "none", board: look.board, cell: look.cell, frames: new Map() };
  const put = (board, cell, kind, shade = null) => {
    if (!cells.has(board)) cells.set(board, new Map());
    const there = cells.get(board).get(cell);
    if (!there || RANK[there.kind] < RANK[kind]) cells.get(board).set(cell, { kind, shade: shade || (there && there.shade) });
    // Which of two weights reaches a cell from afar cannot be shown, so neither is.
    else if (kind === "far" && there.kind === "far" && (!shade || !there.shade || there.shade.fill !== shade.fill)) there.shade = null;
  };
  const light = (link, some, kind) => {
    const known = terms.get(link) || [];
    terms.set(link, known.concat(some));
    for (const term of some) {
      const weight = weightOf(link, term);
      const shade = shadeOf(link.weights, weight);
      put(link.source, link.sources[term], kind, shade);
      put(link.target, link.targets[term], kind, shade);
      if (weight >= 0) put(link.weights, weight, kind);
    }
  };
  const back = (board, some, kind, seen = new Set()) => {
    for (const link of model.links) {
      if (link.target !== board || seen.has(link)) continue;
      const found = some.flatMap((cell) => termsOfTarget(link, cell));
      light(link, found, kind);
      back(link.source, [...new Set(found.map((term) => link.sources[term]))], "far", new Set(seen).add(link));
    }
  };
  const on = (board, some, kind, seen = new Set()) => {
    for (const link of model.links) {
      if (link.source !== board || seen.has(link)) continue;
      const found = some.flatMap((cell) => termsIn(link.ofSource, cell));
      light(link, found, kind);
      on(link.target, [...new Set(found.map((term) => link.targets[term]))], "far", new Set(seen).add(link));
    }
  };
  let { board, cell } = look;
  put(board, cell, look.step ? "now" : "looked");
  if (board.standsFor) board = model.named(board.standsFor);
  if (board !== look.board) put(board, cell, "looked");
  // Two links may share their weights: one kernel slides over an input and over the same input shifted.
  const weighing = model.links.filter((link) => link.weights === board && link.ofWeight);
  const weighed = weighing[0];
  if (board.matrix) {
    const link = model.links[board.matrix.link];
    const term = board.terms[cell];
    answer.link = link;
    answer.how = "term";
    answer.term = term;
    if (term >= 0) { light(link, [term], "lit"); put(link.target, link.targets[term], "looked"); }
  } else if (weighed) {
    const some = termsIn(weighed.ofWeight, cell);
    const wanted = look.reversed ? "target" : "source";
    for (const link of weighing) {
      light(link, termsIn(link.ofWeight, cell), "lit");
      // Only one side, or nothing is seen for all that is lit.
      cells.delete(look.reversed ? link.source : link.target);
    }
    Object.assign(answer, { link: weighed, how: "weight", side: wanted, some });
  } else {
    const direction = look.direction || directionOf(model, board, Boolean(look.reversed));
    if (direction === "back") back(board, [cell], "lit"); else on(board, [cell], "lit");
    const main = model.links.find((link) => link[direction === "back" ? "target" : "source"] === board
      && (direction === "on" || link.starts[cell] < link.starts[cell + 1]));
    Object.assign(answer, { link: main || null, how: main ? direction : "none", cell, board });
    if (main && direction === "back") {
      answer.frames.set(main.source, termsOfTarget(main, cell).map((term) => main.sources[term]));
      // What one cell becomes without company is part of its story.
      for (const next of followUps(model, board, cell)) put(next.target, next.cell, look.step ? "now" : "lit");
    }
    if (main && direction === "on") answer.some = termsIn(main.ofSource, cell);
  }
  for (const other of model.boards)
    if (other.standsFor && cells.has(model.named(other.standsFor)))
      for (const [there, light] of cells.get(model.named(other.standsFor))) put(other, there, light.kind, light.shade);
  return answer;
}

// The activations that map this one cell, one after the other.
function followUps(model, board, cell) {
  const found = [];
  for (let at = board, next; ; at = next.target) {
    next = model.links.find((link) => link.source === at && link.operation === "activation");
    if (!next || found.length > 4) return found;
    const [term] = termsIn(next.ofSource, cell);
    if (term === undefined) return found;
    cell = next.targets[term];
    found.push({ link: next, target: next.target, cell });
  }
}

// The numbers of a scattering run after a step: what has been stamped so far.
function stampedSoFar(model, step) {
  const link = model.links[model.steps.link];
  const sums = new Float64Array(link.target.size);
  if (link.bias) for (let cell = 0; cell < sums.length; cell++) sums[cell] = link.bias[cell % link.target.count];
  for (let one = 0; one <= step; one++)
    for (const term of termsIn(link.ofSource, model.steps.order[one]))
      sums[link.targets[term]] += link.source.values[link.sources[term]] * factorOf(link, term);
  return sums;
}

// Where a cell lies in the array itself, counted from 1; padding is outside it.
function placeOf(board, cell) {
  const at = Math.floor(cell / board.count);
  const row = (Math.floor(at / board.width) + board.first[0]) / board.every[0] + 1;
  const column = ((at % board.width) + board.first[1]) / board.every[1] + 1;
  return { row, column, plane: cell % board.count, at, own: !board.own || Boolean(board.own[at]) };
}

function placeText(board, cell) {
  const { row, column, plane, own } = placeOf(board, cell);
  const plain = (number) => String(Math.round(number * 100) / 100).replace("-", "−");
  const name = board.planes[plane] ? `, ${board.planes[plane]}` : "";
  const where = board.height === 1 ? `column ${plain(column)}` : `row ${plain(row)}, column ${plain(column)}`;
  return where + name + (own ? "" : board.every[0] * board.every[1] > 1 ? ", inserted" : ", padding");
}
