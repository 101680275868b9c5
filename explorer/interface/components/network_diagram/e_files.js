// Files of what is drawn now: nothing outside the file is needed to show it.
const MARGIN = 24;

// The page's own font is not on other machines: the file is laid out anew for one that they have.
const FILE_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif";

function svgText(view) {
  const { header, network, state } = view;
  const layout = new Layout(network, { ...state, selected: null }, FILE_FONT);
  const plan = layout.all(view.frame.clientWidth), look = lookOf(header.hues, FILE_FONT), hues = look.hues;
  const drawn = new Drawing(network, layout.state, layout, FILE_FONT).whole(plan);
  const top = 52;
  const w = Math.max(360, plan.w) + 2 * MARGIN, h = plan.h + 2 * MARGIN + top;
  const measure = MEASURES[view.state.measure];
  const total = counted(view.network.root[view.state.measure], measure.unit);
  const body = drawn.replace(/ (role|tabindex|aria-[a-z]+|data-[a-z]+)="[^"]*"/g, "").replace(/<(rect|circle) class="(ring|hit)"[^>]*\/>/g, "");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(w)}" height="${Math.ceil(h)}" viewBox="0 0 ${Math.ceil(w)} ${Math.ceil(h)}" font-family="${escaped(FILE_FONT)}"><title>${escaped(header.title)}</title><style>${look.css}</style>` +
    `<rect width="100%" height="100%" fill="${hues.background}"/><text x="${MARGIN}" y="${MARGIN + 14}" font-size="18" class="strong">${escaped(header.title)}</text>` +
    `<text x="${MARGIN}" y="${MARGIN + 34}" font-size="13" class="quiet">${escaped(`${total}; the bars show where`)}</text>` +
    `<g transform="translate(${MARGIN + Math.max(0, (360 - plan.w) / 2)} ${MARGIN + top})">${body}</g></svg>`;
}

function fileName(title, ending) {
  const plain = title.normalize("NFKD").replace(/[^\w.-]+/g, "_").replace(/^[_.]+|[_.]+$/g, "") || "network";
  return `${plain}.${ending}`;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Twice the size of the page, or as much as a browser's canvas holds.
async function pngOf(text) {
  const [, w, h] = /width="(\d+)" height="(\d+)"/.exec(text).map(Number);
  const scale = Math.min(2, 16_000 / Math.max(w, h), Math.sqrt(200e6 / (w * h)));
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(w * scale);
  canvas.height = Math.round(h * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.drawImage(picture, 0, 0, w, h);
  URL.revokeObjectURL(picture.src);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
