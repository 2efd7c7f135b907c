// Sorting and searching of the table of all claims. Without scripts it is a plain table.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("table.rr-index");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = (row, column) => row.cells[column].textContent.trim();

  const controls = document.createElement("div");
  controls.className = "rr-controls";
  const labelled = (words, element) => {
    const label = document.createElement("label");
    label.append(`${words} `, element);
    controls.append(label);
    return element;
  };
  const search = labelled("Search", document.createElement("input"));
  search.type = "search";
  const choice = (words, column) => {
    const select = labelled(words, document.createElement("select"));
    const values = [...new Set(rows.map((row) => text(row, column)))].sort();
    for (const value of ["all", ...values]) select.append(new Option(value, value === "all" ? "" : value));
    return [select, column];
  };
  const choices = [choice("Paper", 0), choice("Kind", 2), choice("Verdict", 3)];
  const count = document.createElement("output");
  count.setAttribute("aria-live", "polite");
  controls.append(count);
  table.closest(".rr-scroll").before(controls);

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const whole = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
      const kept = words.every((word) => whole.includes(word))
        && choices.every(([select, column]) => !select.value || text(row, column) === select.value);
      row.hidden = !kept;
      shown += kept;
    }
    count.textContent = `${shown} of ${rows.length} claims`;
  };
  search.addEventListener("input", show);
  for (const [select] of choices) select.addEventListener("change", show);

  const numeric = (words) => (/^[-−+]?[\d.]+$/.test(words) ? Number(words.replace("−", "-")) : NaN);
  const compare = (a, b) => {
    const [first, second] = [numeric(a), numeric(b)];
    if (Number.isNaN(first) !== Number.isNaN(second)) return Number.isNaN(first) ? 1 : -1;
    return Number.isNaN(first) ? a.localeCompare(b) : first - second;
  };
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sign = down ? -1 : 1;
      body.append(...[...rows].sort((a, b) => sign * compare(text(a, column), text(b, column))));
    });
  });
  show();
});
