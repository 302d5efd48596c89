"use strict";

// Draws a text in which every token has a value, as colours behind its tokens or as a table with bars.
// Python sends each token as [text before it, its text, number as printed, share of the scale (-1 to 1),
// special (0 or 1), segment, name]. All of it is text to this page, never markup.

(function () {
  const { parcel, make } = frame;
  const SIGNED = parcel.signed;
  const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10, Home: -1e9, End: 1e9 };
  const UNDERLINED = 0.05;
  const SEGMENTS = ["First text", "Second text"];

  const at = {};
  let choice, reading;

  frame.begin(() => {
    document.head.append(make("style", {}, parcel.style));
    at.controls = make("div", { class: "choices" });
    frame.offerChoices(at.controls, (chosen) => frame.attempt(() => choose(chosen)));
    at.scale = make("span", { class: "scale", role: "img" });
    at.controls.append(at.scale);
    at.readout = make("p", { class: "readout", "aria-hidden": "true" });
    at.stage = make("div");
    frame.picture.append(at.controls, at.stage);
    choose(parcel.choices[parcel.choice]);
    frame.onThemeChange(colour);
  });

  function choose(chosen) {
    choice = chosen;
    reading = parcel.readings[choice.number];
    at.scale.setAttribute("aria-label", reading.scale_words);
    at.marks = [];
    if (choice.bars) at.stage.replaceChildren(table());
    else at.stage.replaceChildren(at.readout, text());
    colour();
  }

  // ---- the text

  function text() {
    const label = "Tokens; the arrow keys move and read their values";
    const list = make("div", { role: "listbox", "aria-label": label, "aria-orientation": "horizontal" });
    const two = reading.marks.some((one) => one[5]);
    let paragraph = null;
    let segment = -1;
    for (const one of reading.marks) {
      if (one[5] !== segment) {
        segment = one[5];
        paragraph = make("div", { class: "text", role: "group", "aria-label": two ? SEGMENTS[segment] : "Text" });
        if (two) paragraph.append(make("h2", { "aria-hidden": "true" }, SEGMENTS[segment]));
        list.append(paragraph);
      }
      const [before, shown, number, share, special, , name] = one;
      const sign = Math.abs(share) < UNDERLINED || !SIGNED ? "" : share > 0 ? " for" : " against";
      const mark = make("span", { class: `mark${sign}${special ? " special" : ""}`, role: "option",
        "aria-label": `${name}: ${number}`, "aria-selected": "false", tabindex: at.marks.length ? -1 : 0 }, shown);
      mark.number = at.marks.length;
      at.marks.push(mark);
      paragraph.append(before, mark);
    }
    paragraph.append(reading.rest);
    list.addEventListener("keydown", move);
    list.addEventListener("focusin", ({ target }) => read(target));
    list.addEventListener("pointerover", ({ target }) => read(target));
    list.addEventListener("pointerdown", ({ target }) => target.closest(".mark")?.focus());
    at.readout.textContent = strongest();
    return list;
  }

  function strongest() {
    const found = [...reading.marks].sort((one, other) => Math.abs(other[3]) - Math.abs(one[3]))[0];
    return `Largest: ${found[6]} ${found[2]}`;
  }

  function move(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.number === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(at.marks.length - 1, event.target.number + step));
    event.target.tabIndex = -1;
    at.marks[to].tabIndex = 0;
    at.marks[to].focus();
  }

  function read(mark) {
    if (mark.number === undefined) return;
    for (const one of at.marks) {
      const current = one === mark;
      if (one.classList.contains("current") === current) continue;
      one.classList.toggle("current", current);
      one.setAttribute("aria-selected", String(current));
    }
    const [, , number, share, , , name] = reading.marks[mark.number];
    const meaning = !SIGNED || !share ? "" : share > 0 ? ", raises it" : ", lowers it";
    at.readout.textContent = `${name} ${number}${meaning}`;
  }

  // ---- the bars

  function table() {
    const head = make("tr", {}, make("th", { scope: "col", class: "token" }, "token"),
      make("th", { scope: "col", class: "value" }, SIGNED ? "value" : "weight"), make("td", { "aria-hidden": "true" }));
    const rows = reading.bars.map(([name, number, share]) => make("tr", {}, make("th", { scope: "row" }, name),
      make("td", { class: "value" }, number), make("td", { class: "bar", "aria-hidden": "true" }, bar(share))));
    return make("table", {}, make("caption", {}, reading.caption), make("thead", {}, head), make("tbody", {}, ...rows));
  }

  function bar(share) {
    const width = Math.abs(share) * (SIGNED ? 50 : 100);
    const line = make("i", { class: SIGNED ? (share > 0 ? "for" : "against") : "plain" });
    const zero = make("i", { class: "zero" });
    zero.style.left = SIGNED ? "50%" : "0";
    line.style.left = `${SIGNED ? (share > 0 ? 50 : 50 - width) : 0}%`;
    line.style.width = `${width}%`;
    return make("div", {}, ...(share ? [line] : []), zero);
  }

  // ---- colours

  function colour() {
    const inks = frame.inks();
    const ink = (share) => (!SIGNED ? inks.plain : share > 0 ? inks.rise : inks.fall);
    const mixed = (share) => inks.paper.map((paper, i) =>
      Math.round(paper + Math.abs(share) * (ink(share)[i] - paper)));
    at.marks.forEach((mark, i) => {
      const paper = mixed(reading.marks[i][3]);
      mark.style.background = reading.marks[i][3] ? `rgb(${paper})` : "none";
      mark.style.color = reading.marks[i][3] ? frame.readable(paper) : "inherit";
    });
    const [least, most] = [reading.ticks[0], reading.ticks[reading.ticks.length - 1]];
    const strip = frame.strip(SIGNED ? -1 : 0, (share) => [`rgb(${mixed(share)})`]);
    at.scale.replaceChildren(least, strip, most);
  }
})();
