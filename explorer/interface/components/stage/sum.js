// What is said about a cell that one looks at: its sum term by term, or what it reaches.
const MOST_TERMS = 64;
const MOST_REACHED = 12;
const ACTIVATION_WORDS = { relu: "ReLU", leaky_relu: "Leaky ReLU", elu: "ELU", gelu: "GELU", silu: "SiLU" };
const wordOf = (activation) => ACTIVATION_WORDS[activation] || activation;

const sign = (text) => ({ text });
const number = (text, board, cell, role) => ({ text, board, cell, role: role || board.role });

function piecesOf(model, lights) {
  const { link, board, cell } = lights;
  if (lights.how === "back") return sumPieces(model, link, cell);
  if (lights.how === "on") return reachPieces(link, lights.some, board, cell);
  if (lights.how === "weight") return weightPieces(link, lights, cell);
  if (lights.how === "term" && lights.term >= 0) return termPieces(link, lights.term);
  const value = lights.how === "term" ? "0: this input does not feed this output" : valueOf(board, cell);
  return [sign(`${placeText(board, cell)}: `), number(value, board, cell)];
}

const valueOf = (board, cell) => {
  if (board.hidden) return "?";
  return Number.isNaN(board.values[cell]) ? "no number" : printed(board.values[cell]);
};

function termPieces(link, term) {
  return [
    number(printed(factorOf(link, term)), link.weights || link.source, weightOf(link, term), "weight"),
    sign(" is what "), number(valueOf(link.source, link.sources[term]), link.source, link.sources[term]),
    sign(` (${placeText(link.source, link.sources[term])}) is multiplied by for `),
    number(valueOf(link.target, link.targets[term]), link.target, link.targets[term]),
    sign(` (${placeText(link.target, link.targets[term])})`),
  ];
}

function product(link, term, first) {
  const source = link.sources[term];
  const text = printed(link.source.values[source]);
  const pieces = [number(first ? text : bracketed(text), link.source, source)];
  const weight = weightOf(link, term);
  if (weight >= 0) {
    const weights = number(bracketed(printed(factorOf(link, term))), link.weights, weight);
    pieces.push(sign(" × "), weights);
  }
  return pieces.map((piece) => ({ ...piece, link: link.index, term }));
}

function sumPieces(model, link, cell) {
  const start = link.starts[cell];
  const stop = link.starts[cell + 1];
  let some = [];
  for (let term = start; term < stop; term++) some.push(term);
  const hidden = link.target.hidden;
  const result = number(valueOf(link.target, cell), link.target, cell);
  const ends = [sign(" = "), result, ...followPieces(model, link.target, cell)];
  if (link.operation === "activation" && some.length === 1)
    return [sign(`${wordOf(link.activation)}(`), ...product(link, start, true), sign(")"), ...ends];
  const line = [];
  const list = (chosen, between) => chosen.forEach((term, place) => {
    if (place) line.push(sign(between));
    line.push(...product(link, term, place === 0));
  });
  const factor = some.length ? factorOf(link, start) : 1;
  const plain = some.every((term) => weightOf(link, term) < 0);
  const zeros = some.length;
  // Above so many, products of 0 are only counted.
  if (some.length > MOST_TERMS && link.rule === "sum")
    some = some.filter((term) => link.source.values[link.sources[term]] * factorOf(link, term) !== 0);
  const left = zeros - some.length;
  const cut = some.length > MOST_TERMS ? some.length - MOST_TERMS : 0;
  some = some.slice(0, some.length - cut);
  if (stop === start) line.push(sign("no term reaches this cell"));
  else if (link.rule === "max" || link.rule === "min") {
    line.push(sign(`${link.rule}(`)); list(some, ", "); line.push(sign(")"));
  } else if (link.rule === "l2") {
    line.push(sign("√("));
    some.forEach((term, place) => {
      if (place) line.push(sign(" + "));
      const [piece] = product(link, term, false);
      line.push(piece, sign("²"));
    });
    line.push(sign(")"));
  } else if (plain && stop - start > 1 && factor !== 1) {
    line.push(sign("(")); list(some, " + "); line.push(sign(`) / ${stop - start}`));
  } else if (plain && factor !== 1) {
    line.push(...product(link, start, true), sign(` × ${printed(factor)}`));
  } else line.push(...channelPieces(link, some));
  if (cut) line.push(sign(` + … (${cut} more)`));
  if (left) line.push(sign(` + ${left} ${left === 1 ? "product" : "products"} of 0`));
  const bias = link.bias ? link.bias[cell % link.target.count] : 0;
  if (bias) line.push(sign(bias < 0 ? " − " : " + "), { text: `${printed(Math.abs(bias))} (bias)`, role: "weight" });
  if (link.activation === "linear") return [...line, ...ends];
  const before = hidden || !link.before ? "?" : printed(link.before[cell]);
  return [...line, sign(` = ${before}`), sign(` → ${wordOf(link.activation)} →`), sign(" "), ...ends.slice(1)];
}

// Products, for several channels one channel after the other with its subtotal.
function channelPieces(link, some) {
  const planes = [...new Set(some.map((term) => link.sources[term] % link.source.count))];
  const line = [];
  const list = (chosen) => chosen.forEach((term, place) => {
    if (place) line.push(sign(" + "));
    line.push(...product(link, term, place === 0));
  });
  if (planes.length < 2 || some.length === planes.length) { list(some); return line; }
  const totals = planes.map((plane) => {
    const chosen = some.filter((term) => link.sources[term] % link.source.count === plane);
    line.push({ text: `${link.source.planes[plane] || `channel ${plane + 1}`}: `, role: "name" });
    list(chosen);
    const total = chosen.reduce((sum, term) => sum + link.source.values[link.sources[term]] * factorOf(link, term), 0);
    line.push(sign(` = ${printed(total)}`), { text: "", line: true });
    return printed(total);
  });
  line.push({ text: "all: ", role: "name" }, sign(totals.map((text, place) => (place ? bracketed(text) : text)).join(" + ")));
  return line;
}

function followPieces(model, board, cell) {
  return followUps(model, board, cell).flatMap((next) => [
    sign(` → ${wordOf(next.link.activation)} → `), number(valueOf(next.target, next.cell), next.target, next.cell),
  ]);
}

function reachPieces(link, some, board, cell) {
  const value = number(valueOf(board, cell), board, cell);
  const where = sign(` (${placeText(board, cell)})`);
  if (!some.length) return [value, where, sign(` feeds no cell of ${link.target.title}`)];
  const line = [value, where, sign(` feeds ${some.length} ${some.length === 1 ? "cell" : "cells"}: `)];
  some.slice(0, MOST_REACHED).forEach((term, place) => {
    if (place) line.push(sign("; "));
    const weight = weightOf(link, term);
    if (weight >= 0) line.push(sign("× "), { ...number(bracketed(printed(factorOf(link, term))), link.weights, weight), link: link.index, term });
    line.push(sign(weight >= 0 ? " in " : ""), { ...number(placeText(link.target, link.targets[term]), link.target, link.targets[term]), link: link.index, term });
  });
  if (some.length > MOST_REACHED) line.push(sign(`; … ${some.length - MOST_REACHED} more`));
  return line;
}

function weightPieces(link, lights, cell) {
  const line = [number(printed(link.weights.values[cell]), link.weights, cell), sign(` (${placeText(link.weights, cell)})`)];
  const side = lights.side === "source" ? link.source : link.target;
  const cells = [...new Set(lights.some.map((term) => (lights.side === "source" ? link.sources[term] : link.targets[term])))];
  const what = lights.side === "source" ? "multiplies" : "contributes to";
  line.push(sign(` ${what} ${cells.length} ${cells.length === 1 ? "cell" : "cells"} of ${side.title}: `));
  cells.slice(0, MOST_REACHED).forEach((one, place) => {
    if (place) line.push(sign(", "));
    line.push(number(valueOf(side, one), side, one));
  });
  if (cells.length > MOST_REACHED) line.push(sign(`, … ${cells.length - MOST_REACHED} more`));
  return line;
}

// A step of a run that goes through source cells: what is stamped where.
function stampPieces(link, cell) {
  const some = termsIn(link.ofSource, cell);
  const value = number(valueOf(link.source, cell), link.source, cell);
  if (!some.length) return [value, sign(" reaches no output cell")];
  const line = [value, sign(" × [")];
  some.slice(0, MOST_REACHED).forEach((term, place) => {
    if (place) line.push(sign("  "));
    const weight = weightOf(link, term);
    line.push({ ...number(printed(factorOf(link, term)), link.weights || link.source, weight, "weight"), link: link.index, term });
  });
  if (some.length > MOST_REACHED) line.push(sign("  …"));
  line.push(sign(`] is added to ${some.length} output ${some.length === 1 ? "cell" : "cells"} = `));
  some.slice(0, MOST_REACHED).forEach((term, place) => {
    if (place) line.push(sign("  "));
    const made = link.source.values[cell] * factorOf(link, term);
    line.push({ ...number(printed(made), link.target, link.targets[term]), link: link.index, term });
  });
  if (some.length > MOST_REACHED) line.push(sign("  …"));
  return line;
}

// How many lines the longest sum of the run takes, so that nothing below it moves while it plays; at most 6.
function sumLines(model, width) {
  const link = model.links[model.steps.link];
  if (!link || !link.sources.length) return 1;
  let most = 1;
  for (let cell = 0; cell + 1 < link.starts.length; cell++) most = Math.max(most, link.starts[cell + 1] - link.starts[cell]);
  const length = (value) => bracketed(printed(value)).length;
  let letters = 0;
  const some = Math.min(link.sources.length, 400);
  for (let term = 0; term < some; term++)
    letters += length(link.source.values[link.sources[term]]) + (weightOf(link, term) < 0 ? 0 : length(factorOf(link, term)));
  // 8.5 pixels a character, the rest is for signs and the edges of numbers.
  const each = (8.5 * letters) / some + (weightOf(link, 0) < 0 ? 30 : 49);
  const shown = Math.min(most, MOST_TERMS);
  const channels = most > link.source.count ? link.source.count : 1;
  const inLine = Math.max(1, Math.floor(width / each));
  return Math.min(6, channels > 1 ? channels * Math.ceil((shown / channels + 1) / inLine) + 1 : Math.ceil((shown + 1.5) / inLine));
}

// Writes pieces into a place; nodes of the line before that are still right are kept, which makes a step cheap.
function writePieces(place, nodes, pieces, decided, summed) {
  const written = pieces.map((piece, at) => {
    const shade = shadeOf(piece.board, piece.cell);
    const classes = !piece.role ? "" : piece.role === "name" ? "name"
      : `n ${piece.role}${shade ? " shade" : ""}${piece.term !== undefined && piece.term === decided ? " decides" : ""}`
        + (summed && at === pieces.length - 1 ? " result" : "");
    const kind = piece.line ? "br" : piece.role ? "span" : "text";
    const old = nodes[at];
    const same = old && old.kind === kind;
    const node = same ? old.node : kind === "text" ? document.createTextNode("") : element(kind);
    if (!same) place.insertBefore(node, old ? old.node : null);
    if (!same && old) old.node.remove();
    if (kind !== "br" && (!same || old.text !== piece.text)) node.textContent = piece.text;
    if (kind === "span") {
      if (!same || old.classes !== classes) node.className = classes;
      if (shade && (!same || old.fill !== shade.fill)) {
        node.style.setProperty("--fill", shade.fill);
        node.style.setProperty("--ink", shade.ink);
      }
    }
    return { node, kind, text: piece.text, classes, fill: shade ? shade.fill : same ? old.fill : null, piece };
  });
  for (const old of nodes.slice(written.length)) old.node.remove();
  // "Point at a cell" and the like, which are no pieces.
  if (!nodes.length) for (const node of [...place.childNodes]) if (!written.some((one) => one.node === node)) node.remove();
  return written;
}
