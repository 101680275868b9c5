export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const table = parentElement.querySelector("table");
  if (!data || !table) return;
  const { header } = unpack(data);
  const memory = memoryOf(parentElement, () => ({ built: null }));
  const mark = () => {
    for (const button of table.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.id === header.picked));
  };
  table.onclick = (event) => {
    const button = event.target.closest("button");
    // The time makes every click another value: the same cell may be clicked twice.
    if (button) setTriggerValue("pick", { id: button.dataset.id, at: Date.now() });
  };
  table.onkeydown = (event) => {
    const button = event.target.closest("button");
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!button || !step) return;
    const [row, column] = button.dataset.id.split("-").map(Number);
    const next = table.querySelector(`button[data-id="${row + step[0]}-${column + step[1]}"]`);
    if (next) { next.focus(); event.preventDefault(); }
  };
  if (memory.built === header.digest) { mark(); return; }
  memory.built = header.digest;

  const { classes, cells, name } = header;
  table.style.setProperty("--pick", header.pick);
  table.style.setProperty("--cell", (classes.length > 10 ? 34 : 42) + "px");
  table.dataset.short = String(classes.every((each) => each.length <= 4));
  table.setAttribute("aria-label", name);
  const head = element("thead"), body = element("tbody");
  const top = element("tr");
  const corner = element("th", "axis", "truth ↓  answer →");
  top.append(corner);
  for (const each of classes) {
    const cell = element("th");
    cell.scope = "col";
    cell.append(element("span", "", each));
    cell.title = each;
    top.append(cell);
  }
  head.append(top);
  cells.forEach((row, truth) => {
    const line = element("tr");
    const title = element("th", "", classes[truth]);
    title.scope = "row";
    title.title = classes[truth];
    line.append(title);
    row.forEach((one, answer) => {
      const cell = element("td");
      const button = element("button", "", String(one.count));
      button.type = "button";
      button.dataset.id = `${truth}-${answer}`;
      button.dataset.none = String(one.count === 0);
      button.style.background = one.background;
      button.style.color = one.colour;
      const words = truth === answer ? `${classes[truth]}, recognised` : `${classes[truth]}, taken for ${classes[answer]}`;
      button.setAttribute("aria-label", `${words}: ${one.count}`);
      button.title = `${words}: ${one.count} of ${one.total}`;
      cell.append(button);
      line.append(cell);
    });
    body.append(line);
  });
  table.replaceChildren(head, body);
  mark();
}
