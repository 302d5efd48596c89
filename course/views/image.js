"use strict";

// Draws heat maps over a picture: a grid of patches in the colour of their values, over the picture in grey. The maps
// come as JSON: group, name, numbers as printed and shares of the scale (-1 to 1), one a patch in reading order. All of
// it is text to this page, never markup.

(function () {
  const { parcel, make } = frame;
  const [ROWS, COLUMNS] = parcel.grid;
  const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e9],
    End: [0, 1e9], PageUp: [-1e9, 0], PageDown: [1e9, 0] };

  const at = {};
  let heats, heat;

  frame.begin((bytes) => {
    heats = JSON.parse(new TextDecoder().decode(bytes));
    document.head.append(make("style", {}, parcel.style));
    const { style } = document.documentElement;
    style.setProperty("--wide", `${parcel.size[0]}px`);
    style.setProperty("--ratio", `${parcel.size[0]} / ${parcel.size[1]}`);
    style.setProperty("--contrast", parcel.contrast);
    style.setProperty("--line", `${parcel.line}px`);
    at.readout = make("p", { class: "readout", "aria-hidden": "true" });
    at.notes = make("div", { class: "notes", role: "status" });
    at.caption = make("figcaption");
    const plain = make("img", { src: parcel.picture, alt: parcel.caption });
    const pictures = make("div", { class: "pictures" },
      make("figure", {}, stage(), at.caption),
      make("figure", {}, make("div", { class: "stage" }, plain), make("figcaption", {}, parcel.caption)));
    frame.picture.append(controls(), at.readout, pictures, at.notes);
    choose(parcel.first);
  });

  // ---- what to show

  function controls() {
    at.scale = make("span", { class: "scale", role: "img" });
    const line = make("div", { class: "choices" });
    const groups = [...new Set(heats.map((one) => one.group))];
    at.group = frame.selectWith("group", groups);
    at.group.addEventListener("change", () => show(at.group.value, heat.name));
    at.name = frame.selectWith("name", []);
    at.name.addEventListener("change", () => show(heat.group, at.name.value));
    at.names = frame.labelled("Head", at.name);
    if (groups.length > 1) line.append(frame.labelled("Show", at.group));
    line.append(at.names);
    at.heat = make("input", { type: "checkbox", id: "heat" });
    at.heat.checked = true;
    at.heat.addEventListener("change", () => {
      at.stage.classList.toggle("hot", at.heat.checked);
      colour();
    });
    line.append(frame.labelled("Heat ", at.heat), at.scale);
    return line;
  }

  function show(group, name) {
    const own = heats.filter((one) => one.group === group);
    frame.attempt(() => choose(heats.indexOf(own.find((one) => one.name === name) ?? own[0])));
  }

  function choose(number) {
    heat = heats[number];
    const names = heats.filter((one) => one.group === heat.group).map((one) => one.name);
    at.group.value = heat.group;
    at.name.replaceChildren(...names.map((text) => new Option(text)));
    at.name.value = heat.name;
    at.names.hidden = names.length < 2;
    at.caption.textContent = heat.name ? `${heat.group}, ${heat.name}` : heat.group;
    at.scale.setAttribute("aria-label", heat.scale);
    at.notes.replaceChildren(...heat.notes.map((text) => make("p", {}, text)));
    at.patches.forEach((patch, i) => patch.setAttribute("aria-label", `${parcel.names[i]}: ${heat.numbers[i]}`));
    const largest = heat.shares.reduce((most, share, i) => (Math.abs(share) > Math.abs(heat.shares[most]) ? i : most), 0);
    at.readout.textContent = at.current === undefined ? `Largest: ${said(largest)}` : said(at.current);
    colour();
  }

  // ---- the picture under its heat

  function stage() {
    at.patches = parcel.names.map((_, i) => {
      const patch = make("div", { class: "patch", role: "gridcell", tabindex: i ? -1 : 0 });
      patch.number = i;
      return patch;
    });
    const rows = Array.from({ length: ROWS }, (_, row) =>
      make("div", { role: "row" }, ...at.patches.slice(row * COLUMNS, (row + 1) * COLUMNS)));
    const grid = make("div", { class: "patches", role: "grid",
      "aria-label": "Patches of the image; the arrow keys move and read their values" }, ...rows);
    grid.style.gridTemplate = `repeat(${ROWS}, minmax(0, 1fr)) / repeat(${COLUMNS}, minmax(0, 1fr))`;
    grid.addEventListener("keydown", move);
    for (const kind of ["focusin", "pointerover"]) grid.addEventListener(kind, ({ target }) => read(target));
    grid.addEventListener("pointerdown", ({ target }) => target.number !== undefined && target.focus());
    at.stage = make("div", { class: "stage hot" }, make("img", { src: parcel.picture, alt: "" }), grid);
    return at.stage;
  }

  function move(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.number === undefined) return;
    event.preventDefault();
    const place = [Math.floor(event.target.number / COLUMNS), event.target.number % COLUMNS];
    const [row, column] = place.map((one, i) => Math.max(0, Math.min(parcel.grid[i] - 1, one + step[i])));
    at.patches[row * COLUMNS + column].focus();
  }

  function read(patch) {
    if (patch.number === undefined) return;
    at.current = patch.number;
    at.patches.forEach((one, i) => {
      one.classList.toggle("current", i === at.current);
      one.tabIndex = i === at.current ? 0 : -1;
    });
    at.readout.textContent = said(at.current);
  }

  function said(i) {
    const meaning = !heat.signed || !heat.shares[i] ? "" : heat.shares[i] > 0 ? ", raises it" : ", lowers it";
    return `${parcel.names[i]} (row ${Math.floor(i / COLUMNS)}, column ${i % COLUMNS}): ${heat.numbers[i]}${meaning}`;
  }

  // ---- colours, which are the same on light and dark paper: they lie on the picture

  function ink(share) {
    return !heat.signed ? parcel.inks.plain : share > 0 ? parcel.inks.rise : parcel.inks.fall;
  }

  function shade(share) {
    return ink(share) + Math.round(255 * parcel.strength * Math.abs(share)).toString(16).padStart(2, "0");
  }

  function colour() {
    at.patches.forEach((patch, i) => {
      const share = heat.shares[i];
      const marked = at.heat.checked && heat.signed && Math.abs(share) >= parcel.marked;
      patch.style.backgroundColor = at.heat.checked ? shade(share) : "transparent";
      patch.style.borderColor = marked ? ink(share) : "transparent";
      patch.classList.toggle("for", marked && share > 0);
      patch.classList.toggle("against", marked && share < 0);
    });
    const strip = frame.strip(heat.signed ? -1 : 0, (share) => ["#808080", shade(share)]);
    at.scale.replaceChildren(heat.ticks[0], strip, heat.ticks[1]);
  }
})();
