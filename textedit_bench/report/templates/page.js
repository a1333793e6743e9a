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

  // -- one data set at a time, or all -------------------------------------------------------------------------------
  const names = data.grids.map((grid) => grid.name);
  const [picker, grids] = [byId("datasets"), new Map()];
  const show = (chosen) => {
    for (const button of picker.children) button.setAttribute("aria-pressed", String(button.dataset.name === chosen));
    for (const part of document.querySelectorAll(".part")) {
      part.hidden = chosen !== "" && part.dataset.dataset !== chosen;
      if (!part.hidden && part.classList.contains("grid")) build(part);
    }
  };
  if (names.length > 1) {
    for (const name of [...names, ""]) {
      const button = Object.assign(make("button", "", name || "all data sets"), { type: "button", onclick: () => show(name) });
      button.dataset.name = name;
      picker.append(button);
    }
    addEventListener("beforeprint", () => show(""));
  }

  // -- who beats whom, by one metric ----------------------------------------------------------------------------------
  for (const card of document.querySelectorAll(".pairs")) {
    const figures = [...card.querySelectorAll("figure")];
    const select = make("select");
    select.setAttribute("aria-label", "Metric");
    figures.forEach((figure) => {
      select.append(new Option(figure.dataset.metric));
      figure.firstElementChild.remove();
    });
    const pick = () => figures.forEach((figure, i) => { figure.hidden = i !== select.selectedIndex; });
    select.addEventListener("change", pick);
    card.querySelector("h3").append(" by ", select);
    pick();
  }

  // -- methods that are looked at: pictures leave the others out, figures show them faintly ------------------------------
  const chip = (chips, words, change) => {
    const [label, box] = [make("label"), make("input")];
    Object.assign(box, { type: "checkbox", checked: true, onchange: () => change(box.checked) });
    label.append(box, words);
    chips.append(label);
    return box;
  };
  const left = new Set();
  const look = () => {
    for (const node of document.querySelectorAll("svg [data-method]")) node.classList.toggle("left", left.has(node.dataset.method));
    for (const grid of grids.values()) grid.draw();
    byId("every").textContent = left.size ? "Choose all" : "Choose none";
  };
  const titles = [...new Set(data.grids.flatMap((grid) => grid.methods.map((method) => method.title)))];
  const boxes = titles.map((title) => chip(byId("methods"), title, (on) => { left[on ? "delete" : "add"](title); look(); }));
  byId("every").addEventListener("click", () => {
    const on = left.size > 0;
    titles.forEach((title, k) => { boxes[k].checked = on; left[on ? "delete" : "add"](title); });
    look();
  });

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
  const named = (strength) => `${text(strength)}${strength === 0 ? " (inversion, no edit)" : ""}`;
  const captioned = (tile, words) => {
    const box = make("figure");
    box.append(tile, make("figcaption", "", words));
    return box;
  };

  class Grid {
    constructor(section, grid) {
      this.grid = grid;
      this.image = 0;
      this.count = grid.strengths.length;
      this.slider = section.querySelector("input[type=range]");
      this.output = section.querySelector("output");
      this.pictures = section.querySelector(".pictures");
      this.picker = section.querySelector(".images");
      this.hidden = new Set();
      grid.prompts.forEach((prompt, p) => chip(section.querySelector(".chips"), prompt.words, (on) => { this.hidden[on ? "delete" : "add"](p); this.draw(); }));
      section.querySelector(".compare").addEventListener("click", () => viewer.open(this, 0, 0, Math.min(1, grid.methods.length - 1)));
      this.defaults = section.querySelector(".default");
      this.defaults.addEventListener("click", () => this.move(-1));
      this.slider.max = this.count - 1;
      this.slider.addEventListener("input", () => this.move(Number(this.slider.value)));
      section.querySelector(".stops").append(...grid.strengths.map((strength) => make("span", "", text(strength))));
      this.strength = -1;
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
      const rows = grid.methods.map((method, m) => {
        const [row, tiles] = [make("div", method.control ? "control" : ""), make("div", "tiles")];
        row.append(make("h4", "", method.title), tiles);
        const { photo } = grid.images[image];
        if (photo !== null) tiles.append(captioned(tileOf(photo, 1, "photo"), "photo"));
        grid.prompts.forEach((prompt, p) => {
          if (this.hidden.has(p)) return;
          const key = `${m}/${p}/${image}`;
          const there = key in grid.strips;
          const tile = there ? tileOf(grid.strips[key], this.count, `${method.title}, ${prompt.words}`, "button") : make("span", "none", "–");
          if (there) {
            tile.dataset.method = m;
            tile.addEventListener("click", () => viewer.open(this, m, p));
          }
          const box = captioned(tile, prompt.words);
          if (!prompt.trained) box.lastChild.append(make("small", "", " unseen"));
          tiles.append(box);
        });
        tiles.querySelectorAll(".tile").forEach((tile) => lazy.observe(tile));
        return row;
      });
      this.pictures.replaceChildren(...rows.filter((_, m) => !left.has(grid.methods[m].title)));
      this.move();
    }

    move(strength = this.strength) {
      this.strength = strength; // -1: every method at its own default
      this.slider.value = strength < 0 ? this.position(0) : strength;
      const defaults = [...new Set(this.grid.methods.map((method) => text(method.default)))].join(", ");
      const words = strength < 0 ? `default: ${defaults}` : named(this.grid.strengths[strength]);
      this.output.textContent = words;
      this.slider.setAttribute("aria-valuetext", words);
      this.defaults.setAttribute("aria-pressed", String(strength < 0));
      for (const tile of this.pictures.querySelectorAll("[data-method]")) {
        place(tile, this.position(Number(tile.dataset.method)), this.count);
      }
    }
  }

  // -- one edit, large, alone or against another method's ---------------------------------------------------------------
  const choices = (select, words, value) => {
    select.replaceChildren(...words.map(([each, i]) => new Option(each, i)));
    select.value = value;
  };
  const viewer = {
    dialog: byId("viewer"),
    swipe: byId("viewer-swipe"),
    open(grid, method, prompt, other = -1) {
      Object.assign(this, { grid, method, prompt, other, position: grid.position(method) });
      this.draw();
      this.show(false);
    },
    show(alone) {
      this.dialog.classList.toggle("alone", alone);
      if (!this.dialog.open) this.dialog.showModal();
    },
    example(figure) { // pictures that the grid does not hold: large, without strengths
      const [words, ...lines] = figure.querySelector("figcaption").innerText.split("\n");
      byId("viewer-title").textContent = words;
      byId("viewer-strength").textContent = lines.join(" ");
      byId("viewer-pictures").replaceChildren(...[...figure.querySelectorAll("img")].map((image) => captioned(image.cloneNode(), image.alt)));
      this.show(true);
    },
    step(by) {
      this.position = Math.min(this.grid.count - 1, Math.max(0, this.position + by));
      this.draw();
    },
    tile(method, kind) {
      const strip = this.grid.grid.strips[`${method}/${this.prompt}/${this.grid.image}`];
      if (strip === undefined) return make("span", "none", "–");
      const tile = tileOf(strip, this.grid.count, this.grid.grid.methods[method].title);
      tile.classList.add(kind);
      picture(tile);
      place(tile, this.position, this.grid.count);
      return tile;
    },
    draw() {
      const { grid } = this.grid;
      const [method, prompt, image] = [grid.methods[this.method], grid.prompts[this.prompt], grid.images[this.grid.image]];
      const titles = grid.methods.map((each) => each.title);
      byId("viewer-title").textContent = `${method.title}: ${prompt.words}`;
      const strength = grid.strengths[this.position];
      byId("viewer-strength").textContent = `strength ${named(strength)}${strength === method.default ? " (default)" : ""}`;
      choices(byId("viewer-method"), titles.map((title, i) => [title, i]), this.method);
      choices(byId("viewer-prompt"), grid.prompts.map((each, i) => [each.words, i]), this.prompt);
      choices(byId("viewer-other"), [["no other method", -1], ...titles.map((title, i) => [title, i])], this.other);
      const figures = ["photo", "inversion"].filter((name) => image[name] !== null).map((name) => {
        const tile = tileOf(image[name], 1, name);
        picture(tile);
        return captioned(tile, name);
      });
      const box = make("figure");
      box.append(this.tile(this.method, "edit"));
      if (this.other >= 0) {
        box.append(this.tile(this.other, "over"));
        box.addEventListener("pointermove", (event) => {
          const { left, width } = box.getBoundingClientRect();
          this.swipe.querySelector("input").value = (100 * (event.clientX - left)) / width;
          this.cut();
        });
      }
      const sides = this.other < 0 ? "edit" : `left ${method.title}, right ${titles[this.other]}`;
      box.append(make("figcaption", "", sides));
      byId("viewer-pictures").replaceChildren(...figures, box);
      this.swipe.hidden = this.other < 0;
      this.cut();
      const shown = this.other < 0 ? [this.method] : [this.method, this.other];
      const head = make("tr");
      head.append(make("th", "", "Metric"), ...shown.map((m) => make("th", "", titles[m])));
      const values = shown.map((m) => grid.values[`${m}/${this.prompt}/${this.grid.image}`] || {});
      const rows = Object.keys(values[0]).map((name) => {
        const row = make("tr");
        row.append(make("th", "", data.metrics[name] || name));
        row.append(...values.map((each) => make("td", "", String(each[name]?.[this.position] ?? "–"))));
        return row;
      });
      byId("viewer-values").tHead.replaceChildren(...(this.other < 0 ? [] : [head]));
      byId("viewer-values").tBodies[0].replaceChildren(...rows);
    },
    cut() {
      const over = this.dialog.querySelector(".over");
      if (over) over.style.clipPath = `inset(0 0 0 ${this.swipe.querySelector("input").value}%)`;
    },
  };
  viewer.swipe.addEventListener("input", () => viewer.cut());
  for (const name of ["method", "prompt", "other"]) {
    byId(`viewer-${name}`).addEventListener("change", (event) => { viewer[name] = Number(event.target.value); viewer.draw(); });
  }
  for (const [name, by] of [["less", -1], ["more", 1]]) byId(`viewer-${name}`).addEventListener("click", () => viewer.step(by));
  viewer.dialog.addEventListener("click", ({ target }) => { if ([viewer.dialog, byId("viewer-close")].includes(target)) viewer.dialog.close(); });
  viewer.dialog.addEventListener("keydown", (event) => {
    if (["SELECT", "INPUT"].includes(event.target.tagName) || viewer.dialog.classList.contains("alone")) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    viewer.step(by);
  });

  for (const button of document.querySelectorAll(".example button")) button.addEventListener("click", () => viewer.example(button.parentElement));

  const build = (section) => { // not before it is looked at: hundreds of pictures
    const own = data.grids.find((grid) => grid.name === section.dataset.dataset);
    if (own && !grids.has(own.name)) grids.set(own.name, new Grid(section, own));
  };
  show(names[0]);

  // -- the picture behind a point of a curve ------------------------------------------------------------------------------
  document.addEventListener("pointed", ({ target: { dataset: mark }, detail: tip }) => {
    const grid = grids.get(mark.dataset);
    const method = grid?.grid.methods.findIndex((each) => each.title === mark.method);
    const strip = grid?.grid.strips[`${method}/0/${grid.image}`];
    if (strip === undefined) return;
    const tile = tileOf(strip, grid.count, "");
    picture(tile);
    place(tile, grid.grid.strengths.indexOf(Number(mark.strength)), grid.count);
    tip.prepend(tile);
  });

  // -- jumps: sections that are not laid out yet have no known height, and a jump over them would miss -------------------
  const whole = () => document.documentElement.classList.add("whole");
  for (const link of document.querySelectorAll('nav a[href^="#"]')) link.addEventListener("click", whole);
  if (location.hash) { whole(); byId(location.hash.slice(1))?.scrollIntoView(); }
  document.documentElement.classList.add("ready");
})();
