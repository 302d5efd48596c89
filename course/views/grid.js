"use strict";

// Draws layers × heads of small heat maps, of signed changes or of plain weights; one of them is opened beside them.
// Python sends bytes: one a weight (255 is 1), or for changes two planes, the weights before and the changes
// (signed, 127.5 is parcel.scale). A head's heat map is as many pixels as it has cells, stretched by CSS.

(function () {
  const { parcel, make } = frame;
  const SIGNED = parcel.signed;
  const LEFT = 92, TOP = 92, LARGEST = 28, LARGE = 18, LINES_APART = 170, LINE_ROW = 15;
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0],
    PageDown: [10, 0], Home: [0, -1e9], End: [0, 1e9] };

  let bytes, choice, part, colours, inks;
  let opened; // { layer, head, opener }, positions in the part
  let cursor = [0, 0]; // query and key, positions in the part
  let alone = null; // lines: "query" or "key" while only those of the cursor's are drawn
  const strength = Uint8Array.from({ length: 256 }, (_, byte) => (SIGNED ? Math.abs((byte << 24) >> 24) : byte));
  // How much ink: the square root makes small weights visible, and the legend shows it.
  const shares = Array.from(strength, (value) => Math.sqrt(Math.min(1, value / (SIGNED ? 127 : 255))));
  const at = {}; // the elements of the page

  frame.begin((weights) => {
    bytes = weights;
    layOut();
    choose(parcel.choices[parcel.choice]);
    frame.onThemeChange(draw);
    let width = at.head.clientWidth;
    new ResizeObserver(() => {
      if (width === at.head.clientWidth) return;
      width = at.head.clientWidth;
      requestAnimationFrame(() => frame.attempt(draw));
    }).observe(at.head);
  });

  // ---- the page

  function layOut() {
    document.head.append(make("style", {}, parcel.style));
    at.controls = make("div", { class: "choices" });
    frame.offerChoices(at.controls, (chosen) => frame.attempt(() => choose(chosen)));
    at.scale = make("span", { class: "scale", role: "img", "aria-label": parcel.scale_words });
    const how = "Heads, a row a layer; arrow keys move, Enter opens";
    at.heads = make("div", { class: "heads", role: "grid", "aria-label": how });
    at.table = make("table");
    layOutHead();
    at.controls.append(at.scale);
    frame.picture.append(at.controls, make("div", { class: "columns" }, at.heads, at.head, at.table));
    at.heads.addEventListener("keydown", moveBetweenHeads);
    at.heads.addEventListener("click", ({ target }) => openCell(target.closest("[role=gridcell]")));
  }

  function choose(chosen) {
    choice = chosen;
    const before = part && opened && [part.layers[opened.layer], part.heads[opened.head]];
    part = parcel.parts[choice.part];
    fillHeads();
    fillTable();
    const [layer, head] = before ? [part.layers.indexOf(before[0]), part.heads.indexOf(before[1])] : [-1, -1];
    if (layer >= 0 && head >= 0) open(layer, head);
    else open(...(choice.table[0]?.place ?? [0, 0]).slice(0, 2));
    draw();
  }

  function fillHeads() {
    at.heads.style.setProperty("--heads", part.heads.length);
    const header = (role, text, name) => make("span", { role, "aria-label": name }, text);
    const top = make("div", { class: "row", role: "row" }, header("columnheader", "", "layer"));
    top.append(...part.heads.map((head) => header("columnheader", String(head), `head ${head}`)));
    const rows = part.layers.map((layer, i) => {
      const row = make("div", { class: "row", role: "row" }, header("rowheader", String(layer), `layer ${layer}`));
      row.append(...part.heads.map((_, j) => thumbnail(i, j)));
      return row;
    });
    at.heads.replaceChildren(top, ...rows);
    at.cells = [...at.heads.querySelectorAll("button")];
  }

  function nameOf(layer, head) {
    return `layer ${part.layers[layer]}, head ${part.heads[head]}: ${parcel.measure} ${part.measures[layer][head]}`;
  }

  function thumbnail(layer, head) {
    const name = nameOf(layer, head);
    const names = { role: "gridcell", tabindex: -1, "aria-label": name, title: name };
    const cell = make("button", names, make("canvas"));
    cell.type = "button";
    cell.place = [layer, head];
    return cell;
  }

  function fillTable() {
    const row = ({ place, cells }) => {
      const [first, ...rest] = cells;
      const button = make("button", { "aria-label": `open layer ${first.replace("·", " head ")}` }, first);
      const line = make("tr", {}, make("td", {}, button), ...rest.map((text) => make("td", { title: text }, text)));
      line.addEventListener("click", () => frame.attempt(() => enter(place[0], place[1], button, place.slice(2))));
      return line;
    };
    at.table.replaceChildren(
      make("caption", {}, parcel.caption),
      make("thead", {}, make("tr", {}, ...parcel.columns.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...choice.table.map(row)),
    );
  }

  // ---- the grid of heads

  function openCell(cell) {
    if (cell) frame.attempt(() => enter(...cell.place, cell));
  }

  function moveBetweenHeads(event) {
    const step = STEPS[event.key];
    const from = at.cells.indexOf(document.activeElement);
    if (!step || from < 0) return;
    event.preventDefault();
    const [layer, head] = at.cells[from].place;
    const to = cellAt(within(layer + step[0], part.layers.length), within(head + step[1], part.heads.length));
    at.cells[from].tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }

  function cellAt(layer, head) {
    return at.cells[layer * part.heads.length + head];
  }

  function within(value, count) {
    return Math.max(0, Math.min(count - 1, value));
  }

  // ---- colours

  function mixColours() {
    inks = frame.inks();
    colours = new Uint32Array(256);
    for (let byte = 0; byte < 256; byte++) {
      const ink = inkOf(byte);
      const [r, g, b] = inks.paper.map((paper, i) => Math.round(paper + shares[byte] * (ink[i] - paper)));
      colours[byte] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    }
  }

  function inkOf(byte) {
    if (!SIGNED) return inks.plain;
    return byte < 128 ? inks.rise : inks.fall;
  }

  function drawScale() {
    const bar = (from, to) => {
      const canvas = make("canvas");
      const count = Math.abs(to - from) + 1;
      paint(canvas, Uint8Array.from({ length: count }, (_, i) => from + Math.sign(to - from) * i), count, 1);
      return canvas;
    };
    const bars = SIGNED ? [bar(129, 255), bar(0, 127)] : [bar(0, 255)];
    at.scale.replaceChildren(parcel.ticks[0], ...bars.flatMap((one, i) => [one, parcel.ticks[i + 1]]));
  }

  function paint(canvas, values, width, height) {
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) pixels[i] = colours[values[i]];
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  // ---- numbers

  function plane(layer, head, number = SIGNED ? 1 : 0) {
    const size = part.queries.length * part.keys.length;
    const start = part.start + ((number * part.layers.length + layer) * part.heads.length + head) * size;
    return bytes.subarray(start, start + size);
  }

  // The block of the choice in at most width × height pixels: of the cells in a pixel, the strongest is seen.
  function pooled(values, most) {
    const [top, bottom] = choice.rows;
    const [left, right] = choice.columns;
    const width = Math.min(most, right - left);
    const height = Math.min(most, bottom - top);
    const seen = new Uint8Array(width * height);
    const across = Int32Array.from({ length: right - left }, (_, i) => Math.floor((i * width) / (right - left)));
    for (let query = top; query < bottom; query++) {
      const row = Math.floor(((query - top) * height) / (bottom - top)) * width;
      for (let key = left; key < right; key++) {
        const byte = values[query * part.keys.length + key];
        const pixel = row + across[key - left];
        if (strength[byte] > strength[seen[pixel]]) seen[pixel] = byte;
      }
    }
    return [seen, width, height];
  }

  function strongestFor(test) {
    const values = plane(opened.layer, opened.head);
    let best = null;
    for (let query = choice.rows[0]; query < choice.rows[1]; query++) {
      for (let key = choice.columns[0]; key < choice.columns[1]; key++) {
        const found = strength[values[query * part.keys.length + key]];
        if (test(query, key) && (!best || found > best[2])) best = [query, key, found];
      }
    }
    return best.slice(0, 2);
  }

  function numbers([query, key]) {
    const where = query * part.keys.length + key;
    const weight = plane(opened.layer, opened.head, 0)[where] / 255;
    if (!SIGNED) return weight.toFixed(2);
    const change = (((plane(opened.layer, opened.head)[where] << 24) >> 24) * parcel.scale) / 127.5;
    const size = Math.abs(change).toFixed(parcel.digits);
    const sign = Number(size) ? (change < 0 ? "−" : "+") : "";
    const after = Math.max(0, Math.min(1, weight + change));
    return `before ${weight.toFixed(2)}, after ${after.toFixed(2)}, change ${sign}${size}`;
  }

  // ---- drawing

  function draw() {
    mixColours();
    drawScale();
    drawThumbnails();
    drawHead();
  }

  function drawThumbnails() {
    const side = Math.max(8, Math.round(at.cells[0].clientWidth * devicePixelRatio));
    for (const cell of at.cells) paint(cell.firstChild, ...pooled(plane(...cell.place), side));
  }

  // ---- one head

  function layOutHead() {
    at.name = make("h2");
    at.lines = make("input", { type: "checkbox", id: "lines" });
    at.large = make("input", { type: "checkbox", id: "large" });
    at.readout = make("p", { class: "readout", role: "status", "aria-live": "polite", "aria-atomic": "true" });
    at.sheet = make("div", { class: "sheet", tabindex: 0, role: "application" });
    at.plot = make("div", { class: "plot" }, at.sheet);
    at.largeLabel = make("label", {}, at.large, " Large cells");
    const tools = [at.name, make("label", {}, at.lines, " Lines"), at.largeLabel];
    at.head = make("section", { class: "head" }, make("div", { class: "tools" }, ...tools), at.readout, at.plot);
    for (const box of [at.lines, at.large]) box.addEventListener("change", () => frame.attempt(redrawHead));
    at.head.addEventListener("keydown", (event) => {
      if (event.key === "Escape") opened.opener.focus();
    });
    at.sheet.addEventListener("keydown", moveCursor);
    at.sheet.addEventListener("pointermove", (event) => soon(() => point(event)));
    at.sheet.addEventListener("pointerdown", (event) => soon(() => point(event)));
    at.sheet.addEventListener("pointerleave", () => soon(() => setCursor(cursor, null)));
  }

  let planned = 0;
  function soon(act) {
    cancelAnimationFrame(planned);
    planned = requestAnimationFrame(() => frame.attempt(act));
  }

  function open(layer, head, opener = cellAt(layer, head), place = null) {
    opened = { layer, head, opener };
    for (const cell of at.cells) {
      cell.setAttribute("aria-selected", String(cell === cellAt(layer, head)));
      cell.tabIndex = cell === cellAt(layer, head) ? 0 : -1;
    }
    at.name.textContent = `Layer ${part.layers[layer]}, head ${part.heads[head]}`;
    at.sheet.setAttribute("aria-label", `${nameOf(layer, head)}; arrow keys read its cells, Escape goes back`);
    cursor = place ?? strongestFor(() => true);
    alone = null;
  }

  // Open a head, and go there; Escape goes back to where one came from.
  function enter(layer, head, opener, place) {
    open(layer, head, opener, place);
    drawHead();
    at.sheet.focus({ preventScroll: true });
    at.head.scrollIntoView({ block: "nearest" });
  }

  function redrawHead() {
    alone = null;
    drawHead();
  }

  function drawHead() {
    at.sheet.replaceChildren();
    at.largeLabel.hidden = at.lines.checked;
    const room = Math.max(roomForCells(), 240); // as grid_page.py reserves it
    at.plot.style.maxHeight = `${TOP + 16 + Math.min(LARGEST * (choice.rows[1] - choice.rows[0]), room)}px`;
    if (at.lines.checked) layOutLines();
    else layOutCells();
    setCursor(cursor, alone, at.large.checked);
  }

  function roomForCells() {
    return at.head.clientWidth - LEFT - 8;
  }

  function place(element, x, y, width, height) {
    Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    return element;
  }

  function labels(name, texts, [from, to], size, room, build) {
    const box = make("div", { class: name });
    const every = Math.max(1, Math.ceil(room / size));
    for (let i = from; i < to; i++) {
      const label = build(make("span", {}, texts[i]), (i - from) * size + size / 2);
      label.hidden = label.skipped = (i - from) % every !== 0;
      box.append(label);
    }
    at.sheet.append(box);
    return [...box.children];
  }

  function layOutCells() {
    const [height, width] = [choice.rows, choice.columns].map(([from, to]) => to - from);
    const room = roomForCells();
    const fitting = Math.min(LARGEST, room / width, Math.max(room, 240) / height);
    const size = at.large.checked ? Math.max(LARGE, fitting) : fitting;
    at.geometry = { size, left: LEFT, top: TOP };
    at.canvas = place(make("canvas", { class: "cells" }), LEFT, TOP, size * width, size * height);
    paint(at.canvas, ...pooled(plane(opened.layer, opened.head), 4096));
    at.mark = make("div", { class: "mark" });
    at.sheet.append(at.canvas, at.mark);
    place(at.sheet, 0, 0, LEFT + size * width + 4, TOP + size * height + 4);
    at.keyLabels = labels("keys", part.keys, choice.columns, size, 14, (label, middle) =>
      place(label, LEFT + Math.max(0, middle - 7), 0, 14, TOP - 6));
    at.queryLabels = labels("queries", part.queries, choice.rows, size, 14, (label, middle) =>
      place(label, 0, Math.max(0, middle - 7), LEFT - 6, 14));
  }

  function layOutLines() {
    const longest = Math.max(...[part.queries, part.keys].flat().map((text) => text.length));
    const side = Math.min(8 * longest + 14, Math.max(60, (at.head.clientWidth - LINES_APART - 8) / 2));
    const rows = Math.max(choice.rows[1] - choice.rows[0], choice.columns[1] - choice.columns[0]);
    const height = rows * LINE_ROW;
    at.geometry = { size: LINE_ROW, left: side, top: 0 };
    at.canvas = place(make("canvas"), side, 0, LINES_APART, height);
    at.canvas.width = LINES_APART * devicePixelRatio;
    at.canvas.height = height * devicePixelRatio;
    at.mark = null;
    at.sheet.append(at.canvas);
    place(at.sheet, 0, 0, 2 * side + LINES_APART, height);
    at.queryLabels = labels("left", part.queries, choice.rows, LINE_ROW, 1, (label, middle) =>
      place(label, 0, middle - 7, side - 6, 14));
    at.keyLabels = labels("right", part.keys, choice.columns, LINE_ROW, 1, (label, middle) =>
      place(label, side + LINES_APART + 6, middle - 7, side - 6, 14));
  }

  // All lines, or those of the cursor's query or key alone; those of one colour are one path.
  function drawLines() {
    const values = plane(opened.layer, opened.head);
    const paths = new Map();
    const middle = (i, from) => (i - from + 0.5) * LINE_ROW;
    const range = (which, own) => (alone === which ? [own, own + 1] : choice[which === "query" ? "rows" : "columns"]);
    const [top, bottom] = range("query", cursor[0]);
    const [left, right] = range("key", cursor[1]);
    for (let query = top; query < bottom; query++) {
      for (let key = left; key < right; key++) {
        const byte = values[query * part.keys.length + key];
        if (!strength[byte]) continue;
        if (!paths.has(byte)) paths.set(byte, new Path2D());
        paths.get(byte).moveTo(0, middle(query, choice.rows[0]));
        paths.get(byte).lineTo(LINES_APART, middle(key, choice.columns[0]));
      }
    }
    const context = at.canvas.getContext("2d");
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, at.canvas.width, at.canvas.height);
    context.lineWidth = 1.5;
    for (const byte of [...paths.keys()].sort((one, other) => strength[one] - strength[other])) {
      context.globalAlpha = shares[byte];
      context.strokeStyle = `rgb(${inkOf(byte)})`;
      context.stroke(paths.get(byte));
    }
  }

  // ---- the cursor in a head

  function moveCursor(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const moved = [cursor[0] + step[0], cursor[1] + step[1]];
    const bounded = [choice.rows, choice.columns].map(([from, to], i) => Math.max(from, Math.min(to - 1, moved[i])));
    frame.attempt(() => setCursor(bounded, "query", true));
  }

  function point(event) {
    if (event.target !== at.sheet) return;
    const box = at.sheet.getBoundingClientRect();
    const { size, left, top } = at.geometry;
    const [x, y] = [event.clientX - box.left - left, event.clientY - box.top - top];
    const query = choice.rows[0] + Math.floor(y / size);
    const key = choice.columns[0] + Math.floor((at.lines.checked ? y : x) / size);
    const isIn = (value, [from, to]) => value >= from && value < to;
    if (at.lines.checked) pointAtToken(x < LINES_APART / 2 ? "query" : "key", query, key, isIn);
    else if (isIn(query, choice.rows) && isIn(key, choice.columns)) setCursor([query, key], null);
  }

  function pointAtToken(which, query, key, isIn) {
    const own = which === "query" ? query : key;
    if (!isIn(own, choice[which === "query" ? "rows" : "columns"])) return;
    if (alone === which && cursor[which === "query" ? 0 : 1] === own) return;
    setCursor(strongestFor((one, other) => (which === "query" ? one : other) === own), which);
  }

  function setCursor(to, only, follow = false) {
    cursor = to;
    alone = only;
    const [query, key] = [to[0] - choice.rows[0], to[1] - choice.columns[0]];
    highlight(at.queryLabels, query);
    highlight(at.keyLabels, key);
    const { size, left, top } = at.geometry;
    if (at.mark) place(at.mark, left + key * size, top + query * size, size, size);
    else drawLines();
    at.readout.textContent = `${part.queries[to[0]]} → ${part.keys[to[1]]}: ${numbers(to)}`;
    if (follow) (at.mark || at.queryLabels[query]).scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // The current token's label is seen even where there is no room for all labels.
  function highlight(all, current) {
    all.forEach((label, i) => {
      if (label.classList.contains("current") === (i === current)) return;
      label.classList.toggle("current", i === current);
      label.hidden = label.skipped && i !== current;
    });
  }
})();
