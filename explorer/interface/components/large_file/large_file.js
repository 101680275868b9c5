const TRIES = 4;

function megabytes(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 2 ** 20).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Sends one piece; a line that breaks is tried again, a refusal is not.
async function send(address, at, piece, signal) {
  for (let tried = 1; ; tried += 1) {
    try {
      const answer = await fetch(`${address}?at=${at}`, { method: "PUT", body: piece, signal });
      const said = await answer.json().catch(() => ({}));
      if (answer.ok) return said.there;
      throw Object.assign(new Error(said.sentence || `The server refused it (${answer.status}).`), { refused: true });
    } catch (error) {
      if (signal.aborted || error.refused || tried === TRIES) throw error;
      await pause(500 * tried);
    }
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const field = parentElement.querySelector(".field");
  if (!data || !field) return;
  const input = field.querySelector("input");
  const under = parentElement.querySelector(".under"), said = parentElement.querySelector(".said");
  const bar = parentElement.querySelector("progress");
  const memory = memoryOf(parentElement, () => ({ sending: null }));
  field.querySelector(".label").textContent = data.label;
  input.accept = data.ending;

  const rest = (words) => {
    memory.sending = null;
    under.hidden = true;
    field.dataset.busy = "false";
    input.value = "";
    said.textContent = words;
  };

  const take = async (file) => {
    if (!file || memory.sending) return;
    if (file.size > data.most) {
      rest(`${file.name} has ${megabytes(file.size)} and the limit is ${megabytes(data.most)}: make the pictures smaller, or take fewer.`);
      return;
    }
    if (!file.size) { rest(`${file.name} is empty.`); return; }
    const sending = new AbortController();
    memory.sending = sending;
    under.hidden = false;
    field.dataset.busy = "true";
    const address = new URL(data.address, document.baseURI).href;
    try {
      for (let at = 0; at < file.size; ) {
        bar.value = at / file.size;
        said.textContent = `${megabytes(at)} of ${megabytes(file.size)} sent`;
        at = await send(address, at, file.slice(at, at + data.piece), sending.signal);
      }
      rest(`${file.name} is sent.`);
      setTriggerValue("sent", { name: file.name, at: Date.now() });
    } catch (error) {
      if (sending.signal.aborted) rest("Stopped.");
      else rest(error.refused ? error.message : "The line to the server broke off: upload the file again.");
    }
  };

  input.onchange = () => take(input.files[0]);
  field.ondragover = (event) => { event.preventDefault(); field.classList.add("over"); };
  field.ondragleave = () => field.classList.remove("over");
  field.ondrop = (event) => {
    event.preventDefault();
    field.classList.remove("over");
    take(event.dataTransfer.files[0]);
  };
  parentElement.querySelector(".stop").onclick = () => memory.sending?.abort();
  return () => memory.sending?.abort();
}
