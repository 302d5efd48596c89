"use strict";

// Draws tables of coloured cells. Python sends each cell as [text, share of the colour (0 to 1), what is said about it].
// All of it is text to this page, never markup.

(function () {
  const { parcel, make } = frame;
  const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e9],
    End: [0, 1e9], PageUp: [-1e9, 0], PageDown: [1e9, 0] };

  const at = {};
  let sheet, fields;

  frame.begin(() => {
    document.head.append(make("style", {}, parcel.style));
    at.controls = make("div", { class: "choices" });
    frame.offerChoices(at.controls, (chosen) => frame.attempt(() => choose(chosen)));
    at.scale = make("span", { class: "scale", role: "img" });
    at.controls.append(at.scale);
    at.readout = make("p", { class: "readout", "aria-hidden": "true" });
    at.plot = make("div", { class: "plot" });
    frame.picture.append(at.controls, at.readout, at.plot);
    choose(parcel.choices[parcel.choice]);
    frame.onThemeChange(colour);
    addEventListener("resize", () => frame.attempt(() => perBand() === at.each || choose(at.chosen)));
  });

  // How many columns stand side by side: as many as fit, and below that the next ones; all, to be scrolled, on narrow
  // pages. As in lens_page.py.
  function perBand() {
    return innerWidth < 700 ? sheet.columns.length : Math.floor((innerWidth - 24 - 110) / 73);
  }

  function choose(chosen) {
    at.chosen = chosen;
    sheet = parcel.sheets[chosen.number];
    at.scale.setAttribute("aria-label", `Colour: ${sheet.meaning}, from ${sheet.ticks[0]} to ${sheet.ticks[1]}`);
    at.each = perBand();
    fields = sheet.cells.map((row, y) => row.map((cell, x) => field(cell, [y, x])));
    const bands = [];
    for (let first = 0; first < sheet.columns.length; first += at.each) {
      bands.push(table(chosen.label, first, first + at.each));
    }
    at.plot.replaceChildren(...bands);
    read(fields[fields.length - 1][fields[0].length - 1]);
    colour();
  }

  function field([text, , said], place) {
    const made = make("td", { role: "gridcell", "aria-label": said, tabindex: "-1" }, text);
    made.place = place;
    return made;
  }

  function table(name, first, end) {
    const heads = sheet.columns.slice(first, end).map((text) => make("th", { scope: "col", title: text }, text));
    const rows = fields.map((row, y) =>
      make("tr", {}, make("th", { scope: "row", title: sheet.rows[y] }, sheet.rows[y]), ...row.slice(first, end)));
    const grid = make("table", { role: "grid", "aria-label": `${name}; across: ${sheet.across}. The arrow keys move` },
      make("thead", {}, make("tr", {}, make("td"), ...heads)), make("tbody", {}, ...rows));
    grid.addEventListener("keydown", move);
    for (const kind of ["focusin", "pointerover"]) grid.addEventListener(kind, ({ target }) => read(target));
    return grid;
  }

  function move(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || !event.target.place) return;
    event.preventDefault();
    const [y, x] = event.target.place.map((one, i) =>
      Math.max(0, Math.min([fields.length, fields[0].length][i] - 1, one + step[i])));
    fields[y][x].focus();
  }

  function read(field) {
    if (!field.place) return;
    for (const one of fields.flat()) {
      one.classList.toggle("current", one === field);
      one.tabIndex = one === field ? 0 : -1;
    }
    at.readout.textContent = sheet.cells[field.place[0]][field.place[1]][2];
  }

  function colour() {
    const { paper, plain } = frame.inks();
    const mixed = (share) => paper.map((part, i) => Math.round(part + share * (plain[i] - part)));
    for (const field of fields.flat()) {
      const share = sheet.cells[field.place[0]][field.place[1]][1];
      field.style.background = `rgb(${mixed(share)})`;
      field.style.color = frame.readable(mixed(share));
    }
    const strip = frame.strip(0, (share) => [`rgb(${mixed(share)})`]);
    at.scale.replaceChildren(sheet.ticks[0], strip, sheet.ticks[1], ` ${sheet.meaning}`);
  }
})();
