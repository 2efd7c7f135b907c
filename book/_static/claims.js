// Sorting and searching of the table of all claims. Without scripts it is a plain table.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("table.rr-index");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = (row, column) => row.cells[column].textContent.trim();
  const [VERDICT, SCORE] = [3, 4];
  // Verdicts stand in the order of their kinds, not of their letters.
  const rank = (row) => Number(row.cells[VERDICT].querySelector("[data-rank]").dataset.rank);
  const numeric = (words) => (/^[-−+]?[\d.]+$/.test(words) ? Number(words.replace("−", "-")) : NaN);
  const compare = (a, b, column) => {
    if (column === VERDICT) return rank(a) - rank(b) || text(a, column).localeCompare(text(b, column));
    const [first, second] = [text(a, column), text(b, column)].map(numeric);
    if (Number.isNaN(first) || Number.isNaN(second)) return text(a, column).localeCompare(text(b, column));
    return first - second;
  };
  // What is no number, and a dash for none, stands behind what is one in either direction; dollars are never set
  // among percents.
  const group = (row, column) => (column > SCORE
    ? [Number.isNaN(numeric(text(row, column))), text(row, SCORE) === "–", text(row, SCORE)]
    : [text(row, column) === "–"]);
  const compareGroups = (a, b, column) => {
    const [first, second] = [group(a, column), group(b, column)];
    const place = first.findIndex((value, at) => value !== second[at]);
    return place < 0 ? 0 : first[place] < second[place] ? -1 : 1;
  };

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
    const values = [...new Map(rows.map((row) => [text(row, column), row])).entries()]
      .sort(([, a], [, b]) => compare(a, b, column)).map(([value]) => value);
    for (const value of ["all", ...values]) select.append(new Option(value, value === "all" ? "" : value));
    return [select, column];
  };
  const choices = [choice("Paper", 0), choice("Kind", 2), choice("Verdict", VERDICT), choice("Score", SCORE)];
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
      body.append(...[...rows].sort((a, b) => compareGroups(a, b, column) || sign * compare(a, b, column)));
    });
  });
  show();
});
