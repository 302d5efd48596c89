"use strict";

// Feeds bertviz's neuron_view.js, which stays as published: it finds its libraries through `requirejs` and its
// data in `bertviz_params`. Each choice of what to see starts it anew. The keyboard, names for screen readers, the
// numbers in words and room for long tokens are added from outside, to what it has drawn.

(function () {
  const { parcel } = frame;
  const SVG = "http://www.w3.org/2000/svg";
  // From neuron_view.js of bertviz 1.4.1, in CSS pixels.
  const ROW = 26, TOP = 42, LEFT_ROOM = 86, RIGHT_ROOM = 108;
  const WIDTHS = { expanded: 1004, collapsed: 420 };
  const state = {
    choice: parcel.choice,
    layer: parcel.layer,
    head: parcel.head,
    query: parcel.choices[parcel.choice].query, // among all queries of the part
    expanded: true,
  };
  let choice, part, numbers, staying;

  frame.begin((bytes) => {
    neuronControls.layOut(() => toggle(!state.expanded));
    ignoreTheRestingMouse();
    const redraw = () => draw(bytes);
    frame.picture.addEventListener("change", ({ target }) => {
      if (target.id === "choice") frame.attempt(() => choose(target.selectedIndex, redraw));
      if (target.id === "layer") state.layer = part.layers[target.selectedIndex];
      if (target.id === "att_head") state.head = part.heads[target.selectedIndex];
      if (target.id !== "choice") frame.attempt(decorate);
    });
    redraw();
    frame.onThemeChange(redraw);
  });

  function choose(position, redraw) {
    state.choice = position;
    const { rows, query } = parcel.choices[position];
    if (parcel.choices[position].part !== choice.part || state.query < rows[0] || state.query >= rows[1]) {
      state.query = query;
    }
    redraw();
  }

  function draw(bytes) {
    choice = parcel.choices[state.choice];
    part = parcel.parts[choice.part];
    numbers = neuronNumbers.unpacked(bytes, part, choice);
    // bertviz's listeners of last time go with the old controls
    for (const id of ["layer", "att_head"]) document.getElementById(id).replaceWith(frame.selectWith(id, []));
    window.bertviz_params = {
      attention: { all: numbers },
      default_filter: "all",
      root_div_id: "bertviz",
      bidirectional: !choice.causal,
      display_mode: frame.isDark() ? "dark" : "light",
      layer: Math.max(0, part.layers.indexOf(state.layer)),
      head: Math.max(0, part.heads.indexOf(state.head)),
    };
    bertviz(jQuery, d3);
    [["layer", part.layers], ["att_head", part.heads]].forEach(([id, names]) => {
      [...document.getElementById(id).options].forEach((option, i) => (option.text = names[i]));
    });
    state.layer = part.layers[layerAt()];
    state.head = part.heads[headAt()];
    decorate();
  }

  const layerAt = () => document.getElementById("layer").selectedIndex;
  const headAt = () => document.getElementById("att_head").selectedIndex;

  // After bertviz has drawn: everything that it leaves out.
  function decorate() {
    const svg = document.querySelector("#vis svg");
    if (!svg?.querySelector("#queries .element")) throw new Error("bertviz drew no vector");
    svg.classList.add("neuron-picture");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", "Queries, keys, and what is made of them");
    for (const name of NAMES) {
      const [left, right] = ["#leftText", "#rightText"].map((id) => group(name).querySelector(id));
      tokenLists.make(left, "Queries", (i) => `query ${numbers.left_text[i]}`);
      tokenLists.make(right, "Keys", (i) => `key ${numbers.right_text[i]}`);
      [...left.children].forEach((token, i) => listenAsQuery(token, i, name));
      [...right.children].forEach((token, i) => listenAsKey(token, i));
    }
    svg.addEventListener("pointerover", ({ target }) => tellCell(target));
    for (const sign of svg.querySelectorAll(".plus-sign, .minus-sign")) {
      sign.nextElementSibling.addEventListener("click", () => settle(sign.classList.contains("plus-sign")));
    }
    if (state.expanded) toggle(true);
    else settle(false);
  }

  const NAMES = ["expanded", "collapsed"];
  const group = (name) => document.getElementById(name);
  const selected = () => state.query - choice.rows[0];
  const queryToken = (name, i) => group(name).querySelector("#leftText").children[i];

  // Bertviz listens to the mouse: it is told that the mouse is where the keyboard is.
  function listenAsQuery(token, i, name) {
    token.addEventListener("mouseover", () => {
      state.query = choice.rows[0] + i;
      markSelected(i);
      if (!staying) tellQuery(i);
    });
    token.addEventListener("mouseleave", () => {
      if (name === "collapsed") return tellNothing();
      stay(token);
    });
    token.addEventListener("focus", () => point(token));
    token.addEventListener("blur", () => name === "collapsed" && token.dispatchEvent(new MouseEvent("mouseleave")));
    token.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle(!state.expanded);
      queryToken(state.expanded ? "expanded" : "collapsed", i).focus();
    });
  }

  function listenAsKey(token, i) {
    let dimension = null;
    const tell = () => tellKey(i, dimension);
    token.addEventListener("pointerover", tell);
    token.addEventListener("focus", tell);
    token.addEventListener("blur", () => (dimension = null));
    token.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by || !state.expanded) return;
      event.preventDefault();
      dimension = dimension === null ? (by > 0 ? 0 : part.size - 1) : (dimension + by + part.size) % part.size;
      tell();
    });
  }

  // The last query stays, where bertviz would show none; unless there is a next one before the browser paints.
  function stay(token) {
    requestAnimationFrame(() => {
      if (!token.isConnected || !state.expanded || token.getAttribute("aria-selected") !== "true") return;
      staying = true;
      point(token);
      staying = false;
    });
  }

  const point = (token) => token.dispatchEvent(new MouseEvent("mouseover"));

  // Show or hide the vectors by bertviz's own small buttons, which only a mouse can find. It shows those of the
  // token that the mouse is at.
  function toggle(expanded) {
    const token = queryToken(expanded ? "collapsed" : "expanded", selected());
    point(token);
    token.querySelector(".plus-sign, .minus-sign").nextElementSibling.dispatchEvent(new MouseEvent("click"));
  }

  // A picture that is scrolled by keys moves under a mouse that nobody moves, which is not pointing.
  function ignoreTheRestingMouse() {
    let resting = false, last = "";
    document.addEventListener("keydown", () => (resting = true), true);
    const check = (event) => {
      if (!event.isTrusted) return;
      const at = `${Math.floor(event.screenX)} ${Math.floor(event.screenY)}`;
      if (at !== last || event.type === "pointerdown") resting = false;
      last = at;
      if (resting) event.stopPropagation();
    };
    for (const name of ["pointerdown", "pointermove", "pointerover", "mouseover", "mouseleave"]) {
      document.addEventListener(name, check, true);
    }
  }

  // What has to follow bertviz's switch between its two pictures.
  function settle(expanded) {
    state.expanded = expanded;
    const name = NAMES[expanded ? 0 : 1];
    const svg = document.querySelector("#vis svg");
    const height = TOP + ROW * Math.max(numbers.left_text.length, numbers.right_text.length) + 16;
    svg.setAttribute("viewBox", `0 0 ${WIDTHS[name]} ${height}`);
    // of one scale, so that the row under the mouse stays the row under the mouse
    svg.style.width = `calc(clamp(760px, 100%, ${WIDTHS.expanded}px) * ${WIDTHS[name] / WIDTHS.expanded})`;
    const button = document.getElementById("vectors");
    button.textContent = expanded ? "Hide vectors" : "Show vectors";
    button.setAttribute("aria-expanded", String(expanded));
    cutTokens(name);
    mark([]);
    if (!expanded) queryToken(name, selected()).dispatchEvent(new MouseEvent("mouseleave"));
  }

  function markSelected(query) {
    for (const name of NAMES) {
      tokenLists.select([...group(name).querySelector("#leftText").children], (i) => i === query);
    }
  }

  // The numbers of the head that is seen, in words; and frames around the cells that are meant.
  const head = () => neuronNumbers.head(numbers, layerAt(), headAt(), choice.causal);

  function tell(text, cells = []) {
    document.getElementById("readout").textContent = text;
    mark(cells);
  }

  const place = () => `layer ${state.layer}, head ${state.head}`;
  const tellNothing = () => tell(`All queries of ${place()}. Point at one to see it alone.`);
  const tellQuery = (i) => tell(`Query ${tokenLists.short(numbers.left_text[i])}, ${place()}. ${head().ofQuery(i)}`);

  function tellKey(j, dimension = null) {
    if (dimension === null || head().hidden(selected(), j)) tell(head().ofKey(selected(), j));
    else tellProduct(j, dimension);
  }

  function tellProduct(j, k) {
    const cells = [["queries", selected()], ["keys", j], ["product", j]].map(([id, row]) => cellsOf(id, row)[k]);
    tell(head().ofProduct(selected(), j, k), cells);
  }

  const cellsOf = (id, row) => [...document.getElementById(id).querySelectorAll(".vector")[row].querySelectorAll(".element")];

  // The mouse is over a cell of a vector, or over the square of a score.
  function tellCell(cell) {
    if (cell.classList.contains("dotproduct")) return tellKey([...cell.parentNode.children].indexOf(cell));
    if (!cell.classList.contains("element")) return;
    const row = Number(cell.parentNode.dataset.index);
    const k = [...cell.parentNode.querySelectorAll(".element")].indexOf(cell);
    if (cell.closest("#queries")) tell(head().ofCell(row, k), [cell]);
    else tellKey(row, k);
  }

  // A frame around cells, beside them and not on them, as their opacity is their number.
  function mark(cells) {
    document.querySelectorAll("#vis .mark").forEach((old) => old.remove());
    cells.forEach((cell) => {
      const frame = document.createElementNS(SVG, "rect");
      ["x", "y", "width", "height"].forEach((name) => frame.setAttribute(name, cell.getAttribute(name)));
      frame.setAttribute("class", "mark");
      group("expanded").append(frame);
    });
  }

  // All are measured before any is changed, so that the browser lays out once.
  function cutTokens(name) {
    const rooms = { leftText: LEFT_ROOM, rightText: RIGHT_ROOM };
    const long = [...group(name).querySelectorAll(".token")].filter((text) => {
      return text.getComputedTextLength() > rooms[text.parentNode.parentNode.id];
    });
    long.forEach((text) => cut(text, rooms[text.parentNode.parentNode.id]));
  }

  // Shorten a text to a width; the whole of it appears on pointing at it.
  function cut(text, width) {
    if (text.querySelector("title")) return;
    const whole = text.textContent;
    const characters = Array.from(whole);
    while (characters.length > 1 && text.getComputedTextLength() > width) {
      characters.pop();
      text.textContent = `${characters.join("")}…`;
    }
    const title = document.createElementNS(SVG, "title");
    title.textContent = whole;
    text.append(title);
  }
})();
