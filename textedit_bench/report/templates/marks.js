"use strict";
// Marks of figures say what they are, to the pointer and to arrow keys, and put their method before the others.
(() => {
  const tip = Object.assign(document.createElement("div"), { id: "tip", hidden: true, role: "status" });
  document.body.append(tip);
  const wordsOf = (mark) => {
    const title = mark?.querySelector("title"); // the browser would show it too
    if (title) { mark.dataset.words = title.textContent; title.remove(); }
    return mark?.dataset.words;
  };
  let pointed = null;
  const point = (mark) => {
    if (mark === pointed) return;
    for (const node of document.querySelectorAll(".lit")) node.classList.remove("lit");
    pointed = mark;
    tip.hidden = !mark;
    if (!mark) return;
    tip.replaceChildren(wordsOf(mark));
    const { method, other } = mark.dataset;
    for (const node of method ? mark.ownerSVGElement.querySelectorAll("[data-method]") : []) {
      if (node.dataset.method === method || (other && node.dataset.other === other)) node.classList.add("lit");
    }
    mark.dispatchEvent(new CustomEvent("pointed", { bubbles: true, detail: tip })); // a page may add a picture
    const { left, bottom, top } = (other ? mark.ownerSVGElement : mark).getBoundingClientRect(); // a square stays in sight
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 12))}px`;
    tip.style.top = `${bottom + 8 + tip.offsetHeight < innerHeight ? bottom + 8 : top - 8 - tip.offsetHeight}px`;
  };
  document.addEventListener("pointerover", (event) => point(event.target.closest?.(".mark") ?? null));
  for (const svg of document.querySelectorAll("svg:has(.mark)")) {
    svg.tabIndex = 0;
    svg.addEventListener("blur", () => point(null));
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const [marks, own] = [[...svg.querySelectorAll(".mark:not(:has(text))")], svg.contains(pointed) ? pointed : null];
      const column = /Up|Down/.test(event.key) ? own?.dataset.other : undefined; // of a square
      let at = marks.indexOf(own);
      do at += step; while (marks[at] && (wordsOf(marks[at]) === wordsOf(own) || (column && marks[at].dataset.other !== column)));
      if (marks[at]) point(marks[at]);
    });
  }
})();
