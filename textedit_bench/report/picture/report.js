"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const make = (tag, kind, words) => {
    const node = document.createElement(tag);
    if (kind) node.className = kind;
    if (words !== undefined) node.textContent = words; // never innerHTML: names and prompts are strangers' words
    return node;
  };
  const data = JSON.parse(byId("data").textContent);
  document.documentElement.classList.add("js");

  // -- theme ------------------------------------------------------------------------------------------------------
  const theme = byId("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const shown = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  const label = () => { theme.textContent = shown() === "dark" ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = shown() === "dark" ? "light" : "dark";
    label();
  });
  dark.addEventListener("change", label);
  label();

  // -- sortable tables --------------------------------------------------------------------------------------------
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = make("button", "sort", head.textContent);
      button.type = "button";
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.best === "high" ? "descending" : "ascending";
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

  // -- picture grids ----------------------------------------------------------------------------------------------
  const picture = (tile) => {
    const { strip, count } = tile.dataset;
    tile.style.backgroundImage = `url(${data.pictures[strip]})`;
    tile.style.backgroundSize = `${100 * count}% 100%`;
  };
  const lazy = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      picture(entry.target);
      lazy.unobserve(entry.target);
    }
  }, { rootMargin: "300px" });
  const place = (tile, position, count) => {
    tile.style.backgroundPosition = count > 1 ? `${(100 * position) / (count - 1)}% 0` : "0 0";
  };
  const tileOf = (strip, count, name, kind = "span") => {
    const tile = make(kind, "tile");
    tile.dataset.strip = strip;
    tile.dataset.count = count;
    if (kind === "button") tile.type = "button";
    else tile.setAttribute("role", "img");
    tile.setAttribute("aria-label", name);
    return tile;
  };
  const text = (strength) => String(Number(strength.toFixed(3)));

  class Grid {
    constructor(section, grid) {
      this.grid = grid;
      this.image = 0;
      this.count = grid.strengths.length;
      this.slider = section.querySelector("input[type=range]");
      this.output = section.querySelector("output");
      this.table = section.querySelector("table.pictures");
      this.picker = section.querySelector(".images");
      this.strength = -1; // every method at its own default
      this.slider.max = this.count;
      this.slider.value = 0;
      this.slider.addEventListener("input", () => { this.strength = this.slider.value - 1; this.move(); });
      grid.images.forEach((image, k) => {
        const button = tileOf(image.photo ?? "", 1, `photo ${image.id}`, "button");
        if (image.photo !== null) lazy.observe(button);
        button.addEventListener("click", () => { this.image = k; this.draw(); });
        this.picker.append(button);
      });
      this.draw();
    }

    position(method) {
      if (this.strength >= 0) return this.strength;
      return Math.max(0, this.grid.strengths.indexOf(this.grid.methods[method].default));
    }

    draw() {
      const { grid, image } = this;
      [...this.picker.children].forEach((b, k) => b.setAttribute("aria-pressed", String(k === image)));
      const head = make("tr");
      head.append(make("th", "", ""));
      grid.prompts.forEach((prompt) => {
        const cell = make("th", prompt.trained ? "" : "unseen", prompt.words);
        cell.scope = "col";
        if (!prompt.trained) cell.append(make("small", "", "unseen"));
        head.append(cell);
      });
      const rows = grid.methods.map((method, m) => {
        const row = make("tr", method.control ? "control" : "");
        const name = make("th", "", method.title);
        name.scope = "row";
        row.append(name);
        grid.prompts.forEach((prompt, p) => {
          const cell = make("td");
          const key = `${m}/${p}/${image}`;
          if (key in grid.strips) {
            const tile = tileOf(grid.strips[key], this.count, `${method.title}, ${prompt.words}`, "button");
            tile.dataset.method = m;
            tile.addEventListener("click", () => viewer.open(this, m, p));
            lazy.observe(tile);
            cell.append(tile);
          } else cell.append(make("span", "none", "–"));
          row.append(cell);
        });
        return row;
      });
      this.table.tHead.replaceChildren(head);
      this.table.tBodies[0].replaceChildren(...rows);
      this.move();
    }

    move() {
      const { grid, strength } = this;
      const words = strength < 0 ? "default of each method" : text(grid.strengths[strength]);
      this.output.textContent = words;
      this.slider.setAttribute("aria-valuetext", words);
      for (const tile of this.table.querySelectorAll(".tile")) {
        place(tile, this.position(Number(tile.dataset.method)), this.count);
      }
    }
  }

  // -- one edit, large --------------------------------------------------------------------------------------------
  const viewer = {
    dialog: byId("viewer"),
    open(grid, method, prompt) {
      Object.assign(this, { grid, method, prompt, position: grid.position(method) });
      this.draw();
      if (!this.dialog.open) this.dialog.showModal();
    },
    step(by) {
      this.position = Math.min(this.grid.count - 1, Math.max(0, this.position + by));
      this.draw();
    },
    draw() {
      const { grid } = this.grid;
      const method = grid.methods[this.method];
      const prompt = grid.prompts[this.prompt];
      const image = grid.images[this.grid.image];
      const key = `${this.method}/${this.prompt}/${this.grid.image}`;
      byId("viewer-title").textContent = `${method.title}: ${prompt.words}`;
      const strength = grid.strengths[this.position];
      const isDefault = strength === method.default ? " (default)" : "";
      byId("viewer-strength").textContent = `strength ${text(strength)}${isDefault}`;
      const add = (strip, count, position, words) => {
        const box = make("figure");
        const tile = tileOf(strip, count, words);
        picture(tile);
        place(tile, position, count);
        box.append(tile, make("figcaption", "", words));
        return box;
      };
      const figures = [];
      if (image.photo !== null) figures.push(add(image.photo, 1, 0, "photo"));
      if (image.inversion !== null) figures.push(add(image.inversion, 1, 0, "inversion"));
      figures.push(add(grid.strips[key], this.grid.count, this.position, "edit"));
      byId("viewer-pictures").replaceChildren(...figures);
      const values = Object.entries(grid.values[key] || {}).map(([name, list]) => {
        const row = make("tr");
        const value = list[this.position];
        row.append(make("th", "", data.metrics[name] || name), make("td", "", value === null ? "–" : String(value)));
        return row;
      });
      byId("viewer-values").tBodies[0].replaceChildren(...values);
    },
  };
  byId("viewer-close").addEventListener("click", () => viewer.dialog.close());
  byId("viewer-less").addEventListener("click", () => viewer.step(-1));
  byId("viewer-more").addEventListener("click", () => viewer.step(1));
  viewer.dialog.addEventListener("click", (event) => { if (event.target === viewer.dialog) viewer.dialog.close(); });
  viewer.dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") viewer.step(-1);
    else if (event.key === "ArrowRight") viewer.step(1);
    else return;
    event.preventDefault();
  });

  document.querySelectorAll("section.grid").forEach((section) => {
    const own = data.grids.find((grid) => grid.name === section.dataset.name);
    if (own) new Grid(section, own);
  });
  document.documentElement.classList.add("ready");
})();
