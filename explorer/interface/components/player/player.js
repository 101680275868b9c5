// What everything that is played step by step has in common: buttons, keys, one frame after the other. It is put in
// front of the script of each component whose page has the buttons.
class Player {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.step = 0;
    this.playing = false;
  }

  // The words of the buttons: "first", "back", "play", "forward".
  watchButtons() {
    this.find(".player").onclick = (event) => {
      const button = event.target.closest("button");
      if (button) this.act(button.dataset.do);
    };
    this.root.onkeydown = (event) => this.key(event);
  }

  // Whether a key is none of the player's business: a field's own, or one of the browser's shortcuts.
  leavesAlone(event) {
    return event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey;
  }

  // Space plays, n and b step, f goes to the first step.
  playerKey(event) {
    if (event.key === " " && !event.target.matches("button, summary")) { this.act("play"); event.preventDefault(); }
    if (event.key === "n") this.act("forward");
    if (event.key === "b") this.act("back");
    if (event.key === "f") this.act("first");
  }

  showPlaying() {
    this.root.toggleAttribute("data-playing", this.playing);
    const label = this.playing ? "Pause" : "Play";
    const button = this.find("[data-do=play]");
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  }

  run() {
    this.playing = true;
    this.last = performance.now();
    this.follow();
  }

  // Have `tick` called with the time of the next frame.
  follow() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
  }

  // Whether it is time for the next step. A frame late is not made up for: 4 ms of slack keep 20 steps a second at 20.
  isDue(now) {
    const pause = 1000 / Number(this.find("[aria-label=Speed]").value || 1);
    if (now - this.last < pause - 4) return false;
    this.last = now - this.last > 2 * pause ? now : this.last + pause;
    return true;
  }
}

// What the browser calls again and again: one player for each place on a page, which takes each message and at last ends.
function playedBy(component, selector, make) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(selector);
  if (!data || !root) return undefined;
  const player = memoryOf(parentElement, () => make(root));
  const { header, blob } = unpack(data);
  player.take(header, blob, setTriggerValue);
  return () => { player.end(); MEMORY.delete(parentElement); };
}
