// Put in front of each component's own script: reading the message, number formats, a per-element memory.
const DECODER = new TextDecoder();

function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(DECODER.decode(bytes.subarray(4, 4 + length)));
  const blob = (name) => {
    const place = header.blobs[name];
    return place ? bytes.slice(4 + length + place[0], 4 + length + place[0] + place[1]) : null;
  };
  return { header, blob };
}

// Four significant digits, never exponent notation for everyday sizes.
function formatValue(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

const MEMORY = new WeakMap();
function memoryOf(parent, initial) {
  if (!MEMORY.has(parent)) MEMORY.set(parent, initial());
  return MEMORY.get(parent);
}

async function bitmapOf(bytes, type) {
  return createImageBitmap(new Blob([bytes], { type }));
}
