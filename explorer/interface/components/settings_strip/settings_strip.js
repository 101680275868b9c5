// The settings of a scene in one row. What can be reached by − and + is always possible; what is typed is judged by
// the server, which answers with the sentence why it cannot be.
function stepper(control, say, send) {
  const box = element("span", "stepper");
  if (control.refused) box.dataset.refused = "";
  const field = element("input");
  field.type = "text";
  field.inputMode = control.kind === "text" ? "text" : "decimal";
  field.value = control.refused || control.text;
  field.setAttribute("aria-label", control.label);
  if (control.refused) field.setAttribute("aria-invalid", "true");
  if (control.kind === "text") field.className = "wide";
  const commit = () => { if (field.value.trim() !== control.text) send(control.name, field.value.trim()); };
  field.onchange = commit;
  field.onkeydown = (event) => {
    if (event.key === "Escape") { field.value = control.text; say(""); delete box.dataset.refused; }
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const there = event.key === "ArrowUp" ? control.up : control.down;
      event.preventDefault();
      if (there && there.text) send(control.name, there.text); else if (there && there.why) say(there.why);
    }
  };
  const button = (sign, words, there) => {
    const node = element("button", "", sign);
    node.type = "button";
    node.dataset.way = words;
    node.setAttribute("aria-label", `${control.label}: ${words}`);
    if (there.text) node.onclick = () => send(control.name, there.text);
    else {
      // Not `disabled`: it stays in the tab order and says why.
      node.setAttribute("aria-disabled", "true");
      node.title = there.why || "The end of the range";
      node.onclick = () => say(there.why || `${control.label} ends here.`);
    }
    return node;
  };
  if (control.down) box.append(button("−", "less", control.down));
  box.append(field);
  if (control.up) box.append(button("+", "more", control.up));
  return box;
}

function slide(control, send) {
  const box = element("span", "slide");
  const range = element("input");
  Object.assign(range, { type: "range", min: control.low, max: control.high, step: control.step });
  range.value = control.text;
  range.setAttribute("aria-label", control.label);
  const shown = element("output", "", control.text);
  range.oninput = () => { shown.textContent = range.value; };
  range.onchange = () => send(control.name, range.value);
  box.append(range, shown);
  return box;
}

function choice(control, say, send) {
  if (control.options.length > 4) {
    const list = element("select");
    list.setAttribute("aria-label", control.label);
    for (const option of control.options) {
      const item = element("option", "", option.title);
      item.value = option.name;
      item.disabled = Boolean(option.why);
      list.append(item);
    }
    list.value = control.text;
    list.onchange = () => send(control.name, list.value);
    return list;
  }
  const row = element("span", "segments");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", control.label);
  for (const option of control.options) {
    const item = element("button", "", option.title);
    item.type = "button";
    item.setAttribute("aria-pressed", String(option.name === control.text));
    if (option.why) {
      item.setAttribute("aria-disabled", "true");
      item.title = option.why;
      item.onclick = () => say(option.why);
    } else item.onclick = () => send(control.name, option.name);
    row.append(item);
  }
  return row;
}

function controlNode(control, say, send) {
  const box = element("div", "control");
  box.dataset.control = control.name;
  if (control.help) box.title = control.help;
  if (control.kind === "switch") {
    const label = element("label", "switch");
    const tick = element("input");
    tick.type = "checkbox";
    tick.checked = control.text === "1";
    tick.disabled = Boolean(control.why);
    if (control.why) label.title = control.why;
    tick.onchange = () => send(control.name, tick.checked ? "1" : "0");
    label.append(tick, element("span", "", control.label));
    box.append(label);
    return box;
  }
  box.append(element("span", "label", control.label));
  if (control.kind === "choice") box.append(choice(control, say, send));
  else if (control.kind === "number") box.append(slide(control, send));
  else box.append(stepper(control, say, send));
  return box;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const strip = parentElement.querySelector(".strip");
  if (!data || !strip) return;
  const memory = memoryOf(parentElement, () => ({ text: null }));
  const text = JSON.stringify(data);
  if (memory.text === text) return;
  const focused = parentElement.activeElement || (parentElement.getRootNode().activeElement);
  const place = focused && focused.closest ? focused.closest("[data-control]") : null;
  const way = place ? focused.dataset.way || focused.tagName : null;
  memory.text = text;
  const complaint = strip.querySelector(".complaint");
  const say = (words) => { complaint.textContent = words; };
  const send = (name, value) => setTriggerValue("set", { name, text: value });
  const main = strip.querySelector(".main");
  const rest = strip.querySelector(".rest");
  main.replaceChildren(...data.controls.filter((c) => c.main).map((c) => controlNode(c, say, send)));
  rest.replaceChildren(...data.controls.filter((c) => !c.main).map((c) => controlNode(c, say, send)));
  strip.querySelector(".more").hidden = rest.children.length === 0;
  say(data.complaint);
  // The rebuilt control keeps the keyboard's place.
  if (place) {
    const again = strip.querySelector(`[data-control="${place.dataset.control}"]`);
    const inner = again && (again.querySelector(`[data-way="${way}"]`) || again.querySelector("input, select, button"));
    if (inner) inner.focus();
  }
}
