"use strict";
// Tables that are sorted by a click, and copied as they are shown.
(() => {
  document.documentElement.classList.add("js");
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "sort", textContent: head.textContent });
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.textContent.includes("↑") ? "descending" : "ascending"; // what is best comes first
        const other = first === "ascending" ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? other : first;
        table.querySelectorAll("thead th").forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (x === "" || y === "") return (x === "") - (y === ""); // no value: last, whatever the order
          const [p, q] = [Number(x), Number(y)];
          return sign * (Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q);
        });
        body.append(...rows);
      });
    });
  }

  // -- controls folded, rows copied as they are shown ------------------------------------------------------------------
  const NUMBER = /^-?[\d.]+(e[+-]?\d+)?( \[[-+\d., e]*\])?$/;
  const inert = (words) => (/^[=+@\t\r-]/.test(words) && !NUMBER.test(words) ? `'${words}` : words); // no formula of a spreadsheet
  const quoted = (words) => (/[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words);
  const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "↑": "$\\uparrow$", "↓": "$\\downarrow$" };
  const latex = (words) => words.replace(/[\\{}$&%#_~^↑↓]/g, (c) => LATEX[c] ?? `\\${c}`);
  const FORMS = {
    Markdown: ([head, ...rows]) => [head, head.map((_, i) => (i ? "--:" : ":--")), ...rows]
      .map((row, i) => `| ${row.map((words) => (i === 1 ? words : words.replace(/([\\`*_[\]<>|~$])/g, "\\$1"))).join(" | ")} |`).join("\n"),
    LaTeX: ([head, ...rows]) => [`\\begin{tabular}{l${"r".repeat(head.length - 1)}}`, "\\toprule", `${head.map(latex).join(" & ")} \\\\`,
      "\\midrule", ...rows.map((row) => `${row.map(latex).join(" & ")} \\\\`), "\\bottomrule", "\\end{tabular}"].join("\n"),
    CSV: (rows) => rows.map((row) => row.map((words) => quoted(inert(words))).join(",")).join("\n"),
  };
  const wordsOf = (cell) => [...cell.childNodes].map((node) => node.textContent).join(" ").trim();
  for (const box of document.querySelectorAll(".table")) {
    box.querySelector(".fold")?.addEventListener("change", (event) => box.classList.toggle("whole", event.target.checked));
    for (const button of box.querySelectorAll(".copy")) {
      button.addEventListener("click", async () => {
        const rows = [...box.querySelectorAll("tr")].filter((row) => row.offsetParent !== null);
        const text = `${FORMS[button.dataset.form](rows.map((row) => [...row.cells].map(wordsOf)))}\n`;
        const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
        box.querySelector("[role=status]").textContent = done ? "Copied." : "The browser does not allow it.";
      });
    }
  }
})();
