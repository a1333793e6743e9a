"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const [MEMORY, SECONDS, PAUSE] = [`study/${data.study}`, 6, 180];
  const parsed = (text) => { try { return JSON.parse(text); } catch { return null; } };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* the file is enough */ } };

  // -- the same code gives the same order and the same sides, on every device -----------------------------------------
  const generator = (text) => { // FNV-1a seeds mulberry32, both in the public domain
    let h = 2166136261;
    for (const letter of text) h = Math.imul(h ^ letter.codePointAt(0), 16777619);
    return () => {
      h = (h + 0x6d2b79f5) | 0;
      let t = Math.imul(h ^ (h >>> 15), 1 | h);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  };
  const shuffled = (list, draw) => [...list].map((each) => [draw(), each]).sort((a, b) => a[0] - b[0]).map(([, each]) => each);
  const planOf = (code) => { // one question after the other, so that nobody has to switch between them
    const draw = generator(`${data.study} ${code}`);
    const form = data.forms[Math.floor(draw() * data.forms.length)];
    return shuffled(["fits", "keeps"], draw).flatMap((question) =>
      shuffled(form.filter((trial) => data.trials[trial].question === question), draw)
        .map((trial) => ({ trial, shown: shuffled(data.trials[trial].options.keys(), draw) })));
  };

  let [participant, plan, answers, busy] = ["", [], [], false];
  const draw = () => {
    const done = answers.length === plan.length;
    remember(`${MEMORY}/${participant}`, JSON.stringify(answers));
    for (const [id, seen] of [["start", false], ["trial", !done], ["end", done], ["progress", true], ["buttons", true]]) byId(id).hidden = !seen;
    const [bar, words] = byId("progress").children;
    [bar.max, bar.value, words.textContent] = [plan.length, answers.length, `${answers.length} of ${plan.length}`];
    byId("back").disabled = answers.length === 0;
    byId("save").className = done ? "main" : "";
    byId("saved").textContent = "";
    if (!done) drawTrial(plan[answers.length]);
    document.querySelector("section:not([hidden]) > h1, section:not([hidden]) > div:not([hidden]) > h1").focus({ preventScroll: true });
    scrollTo(0, 0);
  };
  const drawTrial = ({ trial, shown }) => {
    const { question, words, photo, options } = data.trials[trial];
    for (const name of ["fits", "keeps"]) byId(name).hidden = name !== question;
    byId(question).querySelector(".words").textContent = words;
    byId("photo").src = data.pictures[photo];
    byId("options").className = `of-${options.length}`;
    byId("options").replaceChildren(...shown.map((option, place) => {
      const image = Object.assign(document.createElement("img"), { src: data.pictures[options[option]], alt: "" });
      const button = Object.assign(document.createElement("button"), { type: "button", ariaLabel: `Picture ${place + 1}` });
      button.onclick = () => choose(button, option);
      button.append(image, `${place + 1}`);
      return button;
    }));
  };
  const choose = (button, chosen) => {
    if (busy) return; // a second tap is none on the next picture
    busy = true;
    button.ariaPressed = "true";
    answers.push({ ...plan[answers.length], chosen });
    setTimeout(() => { busy = false; draw(); }, PAUSE);
  };
  const begin = (code, given) => {
    const [own, named] = [planOf(code), /^[A-Za-z0-9_-]{1,32}$/.test(code)];
    const fits = Array.isArray(given) && given.length <= own.length && given.every((answer, i) => answer?.trial === own[i].trial
      && String(answer.shown) === String(own[i].shown) && own[i].shown.includes(answer.chosen));
    byId("problem").textContent = named ? "This file is not of this study." : "A code has 1 to 32 letters, digits, _ or -.";
    if (!named || !fits) return;
    [participant, plan, answers] = [code, own, given.map(({ chosen }, i) => ({ ...own[i], chosen }))];
    remember(MEMORY, code);
    draw();
  };

  byId("begin").onclick = () => begin(byId("code").value, parsed(recall(`${MEMORY}/${byId("code").value}`)) ?? []);
  byId("file").onchange = async (event) => {
    const file = parsed(await event.target.files[0]?.text());
    begin(String(file?.participant ?? byId("code").value), file?.study === data.study && file.answers);
  };
  byId("back").onclick = () => { if (!busy && answers.pop()) draw(); };
  byId("save").onclick = () => {
    const text = JSON.stringify({ format: 1, study: data.study, participant, answers });
    const link = Object.assign(document.createElement("a"), { download: `answers-${participant}.json` });
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.click();
    byId("saved").textContent = `Saved ${answers.length} answers as ${link.download}.`;
  };
  addEventListener("keydown", (event) => {
    if (!byId("trial").hidden && !event.ctrlKey && !event.metaKey && !event.altKey) byId("options").children[Number(event.key) - 1]?.click();
  });
  const letters = (bytes) => Array.from(bytes, (byte) => "abcdefghjkmnpqrstuvwxyz234567892"[byte % 32]).join("");
  byId("code").value = recall(MEMORY) ?? letters(crypto.getRandomValues(new Uint8Array(8)));
  byId("minutes").textContent = Math.max(1, Math.round((SECONDS * data.forms[0].length) / 60));
  byId("start").hidden = false;
  document.documentElement.classList.add("ready");
})();
