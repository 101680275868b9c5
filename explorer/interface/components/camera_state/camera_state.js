const LOOK_MILLISECONDS = 1000;
const PATIENCE = 6; // looks: a camera takes a moment to wake up

// Whether this page may use a camera: "granted", "denied", "prompt", or "" where the browser does not tell.
async function permission() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state;
  } catch {
    return "";
  }
}

// Why there is no moving picture, "" where there is one or it may still come.
async function reasonOf(field, looks) {
  const video = field.querySelector("video");
  if (video?.videoWidth || field.querySelector("img")) return "";
  if (!window.isSecureContext) return "insecure"; // no page over plain http gets a camera, but those of localhost
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => null)) ?? null;
  if (devices && !devices.some((device) => device.kind === "videoinput")) return "none";
  const state = await permission();
  if (state === "denied") return "denied";
  if (state === "prompt") return "asked";
  return looks < PATIENCE ? "" : "still";
}

export default function ({ data, parentElement, setTriggerValue }) {
  const said = parentElement.querySelector(".said"), again = parentElement.querySelector(".again");
  if (!data || !said) return;
  let looks = 0, ended = false, timer = 0;

  const look = async () => {
    const field = document.querySelector(`.st-key-${data.field}`);
    const reason = field ? await reasonOf(field, looks) : "";
    if (ended) return;
    looks += 1;
    const words = data.sentences[reason] ?? "";
    if (said.textContent !== words) said.textContent = words;
    said.hidden = again.hidden = !words;
    // A field that can show nothing would only push the sentence out of sight.
    if (field) field.style.display = ["insecure", "none", "denied"].includes(reason) ? "none" : "";
    timer = setTimeout(look, LOOK_MILLISECONDS);
  };

  again.onclick = () => setTriggerValue("again", Date.now());
  look();
  return () => { ended = true; clearTimeout(timer); };
}
