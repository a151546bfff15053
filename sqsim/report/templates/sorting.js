"use strict";
// A button in each heading sorts its table: up, then down.  Rows without a number come last.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = Array.from(table.tHead.rows[0].cells);
  const body = table.tBodies[0];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = Array.from(body.rows, (row) => {
        const cell = row.cells[place];
        const value = cell.dataset.v;
        return { row, value: value === undefined ? null : Number(value), text: cell.textContent };
      });
      const sign = down ? -1 : 1;
      keyed.sort((a, b) => {
        if (a.value !== null && b.value !== null) {
          return a.value === b.value ? 0 : sign * (a.value < b.value ? -1 : 1);
        }
        if (a.value !== null || b.value !== null) return a.value !== null ? -1 : 1;
        return sign * a.text.localeCompare(b.text, "en");
      });
      body.append(...keyed.map((one) => one.row));
    });
  });
}
