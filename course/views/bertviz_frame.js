"use strict";

// Feeds bertviz's head_view.js and model_view.js, which stay as published: they find their libraries
// through `requirejs` and their data in PYTHON_PARAMS. Each choice of what to see starts them anew. The keyboard, names
// for screen readers, the numbers in words and room for long tokens are added from outside, to what they have drawn.

(function () {
  const { parcel } = frame;
  const decorate = { head: decorateHeadView, model: decorateModelView }[parcel.view];
  const SVG = "http://www.w3.org/2000/svg";
  const HINT = {
    head: "Point at a token, or go to it with Tab and the arrow keys, to see its lines alone.",
    model: "In a head that is open, point at a query, or go to it with Tab and the arrow keys, to see its lines alone.",
  }[parcel.view];
  let part;

  frame.begin((weights) => {
    let choice = parcel.choices[parcel.choice];
    const redraw = () => draw(weights, choice);
    layOut((chosen) => {
      choice = chosen;
      frame.attempt(redraw);
    });
    redraw();
    frame.onThemeChange(redraw);
  });

  function layOut(choose) {
    frame.picture.innerHTML =
      '<div id="bertviz"><div class="choices"></div><output id="readout"></output><div id="vis"></div></div>';
    const choices = frame.picture.querySelector(".choices");
    if (parcel.view === "head") choices.append(frame.labelled("Layer", frame.selectWith("layer", [])));
    frame.offerChoices(choices, choose);
    const vis = document.getElementById("vis");
    new MutationObserver(() => decorate(vis.firstElementChild)).observe(vis, { childList: true });
    for (const name of ["click", "dblclick"]) vis.addEventListener(name, () => decorate(vis.firstElementChild));
  }

  function draw(weights, choice) {
    const before = shownNow();
    part = parcel.parts[choice.part];
    document.getElementById("layer")?.replaceWith(frame.selectWith("layer", []));
    window.PYTHON_PARAMS = {
      attention: [{
        name: choice.label,
        attn: nested(weights, choice),
        left_text: part.queries.slice(...choice.rows),
        right_text: part.keys.slice(...choice.columns),
      }],
      default_filter: "0",
      root_div_id: "bertviz",
      display_mode: frame.isDark() ? "dark" : "light",
      layer: part.layers.includes(before.layer) ? before.layer : part.layers[0],
      heads: positionsOf(before.heads),
      include_layers: part.layers,
      include_heads: part.heads,
      total_heads: part.total_heads,
    };
    bertviz(jQuery, Object.create(d3, { schemeCategory10: { value: colours() } }));
    if (!document.querySelector("#vis line")) throw new Error("bertviz drew no line");
  }

  // What the reader has switched on; at first, what Python asked for.
  function shownNow() {
    const layer = document.getElementById("layer")?.value;
    if (!layer) return { layer: parcel.layer, heads: parcel.heads };
    const switches = [...document.querySelectorAll(".switch")];
    return { layer: Number(layer), heads: part.heads.filter((_, i) => switches[i].__data__) };
  }

  function positionsOf(heads) {
    const found = part.heads.flatMap((head, i) => (heads.includes(head) ? [i] : []));
    return found.length ? found : part.heads.map((_, i) => i);
  }

  // One choice as layers x heads x queries x keys, from bytes (0…255) to weights (0…1).
  function nested(weights, { rows, columns }) {
    const row = (layer, head, query) => {
      const at = part.start + ((layer * part.heads.length + head) * part.queries.length + query) * part.keys.length;
      return Array.from(weights.subarray(at + columns[0], at + columns[1]), (byte) => byte / 255);
    };
    const queries = part.queries.map((_, i) => i).slice(...rows);
    return part.layers.map((_, layer) => part.heads.map((_, head) => queries.map((query) => row(layer, head, query))));
  }

  // bertviz 1.4.1 takes d3's ten colours, so that heads 0 and 10 look alike: it gets ours by that name.
  function colours() {
    const all = frame.isDark() ? parcel.colours.map(lighter) : parcel.colours;
    return parcel.view === "head" ? part.heads.map((head) => all[head % all.length]) : all;
  }

  function lighter(colour) {
    const { l, a, b } = d3.lab(colour);
    return d3.lab(35 + 0.65 * l, a, b).formatHex();
  }

  const tell = (text = HINT) => (document.getElementById("readout").textContent = text);
  const data = () => window.PYTHON_PARAMS.attention[0];

  // The largest weights of one token, such as "cat → mat 0.54, sat 0.20"; of several heads, with the head's number.
  function strongest(layer, heads, query, key) {
    const { attn, left_text: left, right_text: right } = data();
    const links = heads.flatMap((head) => {
      const rows = query === null ? left.map((_, i) => i) : [query];
      const columns = key === null ? right.map((_, j) => j) : [key];
      return rows.flatMap((i) => columns.map((j) => ({ head, i, j, weight: attn[layer][head][i][j] })));
    });
    const found = tokenLists.largest(links, 3, ({ weight }) => weight).map(([link]) => {
      const token = tokenLists.short(query === null ? left[link.i] : right[link.j]);
      return `${token} ${link.weight.toFixed(2)}${heads.length > 1 ? ` (head ${part.heads[link.head]})` : ""}`;
    });
    const [own, arrow] = query === null ? [right[key], "←"] : [left[query], "→"];
    return `Largest weights: ${tokenLists.short(own)} ${arrow} ${found.join(", ")}`;
  }

  // What the mouse does, the focus does; and both tell the numbers.
  function listen(token, point, leave, text) {
    token.addEventListener("mouseover", () => tell(text()));
    leave.addEventListener("mouseleave", () => tell());
    token.addEventListener("focus", () => point.dispatchEvent(new MouseEvent("mouseover", { bubbles: true })));
    token.addEventListener("blur", () => leave.dispatchEvent(new MouseEvent("mouseleave")));
  }

  // Room for long tokens; numbers on the heads' colours, and the keyboard for them.
  function decorateHeadView(svg) {
    const squares = [...svg.lastElementChild.querySelectorAll("rect")];
    tell();
    if (!svg.hasAttribute("viewBox")) {
      svg.classList.add("head");
      name(svg, "Queries on the left, keys on the right, lines between them; a switch a head");
      squares.forEach(addSwitch);
      for (const side of ["left", "right"]) makeTokens(svg, side);
      const texts = [...svg.querySelectorAll("#left text, #right text")].map((text) => text.getBBox());
      const from = Math.floor(Math.min(0, ...texts.map((box) => box.x)));
      const to = Math.ceil(Math.max(squares.length * 20, ...texts.map((box) => box.x + box.width)));
      resize(svg, from, to - from);
    }
    squares.forEach((square) => {
      square.setAttribute("aria-checked", String(square.__data__));
      const bright = d3.lab(square.getAttribute("fill")).l > 62;
      square.nextElementSibling.setAttribute("class", bright ? "number on-bright" : "number");
    });
  }

  function makeTokens(svg, side) {
    const [column, isLeft] = [svg.querySelector(`#${side}`), side === "left"];
    const list = column.lastElementChild;
    const texts = data()[`${side}_text`];
    tokenLists.make(list, isLeft ? "Queries" : "Keys", (i) => `${isLeft ? "query" : "key"} ${texts[i]}`);
    [...list.children].forEach((token, i) => {
      const layer = () => part.layers.indexOf(Number(document.getElementById("layer").value));
      const heads = () => [...svg.querySelectorAll(".switch")].flatMap((one, j) => (one.__data__ ? [j] : []));
      listen(token, token, column, () => strongest(layer(), heads(), isLeft ? i : null, isLeft ? null : i));
    });
  }

  function addSwitch(square, i) {
    makeOperable(square, "switch", "checkbox", `head ${part.heads[i]}`);
    const number = document.createElementNS(SVG, "text");
    number.textContent = part.heads[i];
    number.setAttribute("x", i * 20 + 10);
    number.setAttribute("y", 14);
    square.after(number);
  }

  // A picture that shrinks with its frame, the keyboard for its heads; long tokens cut where one is open.
  function decorateModelView(svg) {
    if (!svg.hasAttribute("viewBox")) {
      svg.classList.add("model");
      name(svg, "Heads, a row a layer; arrow keys move, Enter opens and closes");
      addOpeners(svg);
      resize(svg, 0, part.width);
      svg.style.minWidth = `${Math.min(part.width, 640)}px`;
    }
    svg.querySelectorAll(".detail .token").forEach((text) => cut(text, 76));
    tell();
    const opened = [...svg.querySelectorAll(".attn_background")].findIndex((one) => +one.getAttribute("stroke-opacity"));
    svg.querySelectorAll(".opener").forEach((one, i) => one.setAttribute("aria-expanded", String(i === opened)));
    if (opened >= 0) makeQueries(svg, Math.floor(opened / part.heads.length), opened % part.heads.length);
  }

  // One stop for the Tab key, as there may be hundreds.
  function addOpeners(svg) {
    const openers = [...svg.querySelectorAll(".attn_background")].map((one) => one.parentNode.lastElementChild);
    const count = part.heads.length;
    openers.forEach((opener, i) => {
      const layer = Math.floor(i / count);
      makeOperable(opener, "opener", "button", `layer ${part.layers[layer]}, head ${part.heads[i % count]}`);
      opener.setAttribute("tabindex", i ? "-1" : "0");
      opener.addEventListener("keydown", (event) => {
        const to = {
          ArrowLeft: Math.max(layer * count, i - 1), ArrowRight: Math.min((layer + 1) * count - 1, i + 1),
          ArrowUp: i - count, ArrowDown: i + count, Home: layer * count, End: (layer + 1) * count - 1,
        }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        openers[to]?.focus();
      });
      opener.addEventListener("focus", () => {
        for (const one of openers) one.setAttribute("tabindex", one === opener ? "0" : "-1");
      });
    });
  }

  function makeQueries(svg, layer, head) {
    const [left, , right] = svg.querySelectorAll("g.detail");
    right.setAttribute("role", "list");
    right.setAttribute("aria-label", "Keys");
    [...right.children].forEach((token) => token.setAttribute("role", "listitem"));
    tokenLists.make(left, "Queries", (i) => `query ${data().left_text[i]}`);
    [...left.children].forEach((token, i) => listen(token, token, token, () => strongest(layer, [head], i, null)));
    left.addEventListener("keydown", (event) => {
      if (event.key === "Escape") svg.querySelector('.opener[aria-expanded="true"]').focus();
    });
  }

  function name(svg, text) {
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", text);
  }

  function resize(svg, from, width) {
    svg.setAttribute("viewBox", `${from} 0 ${width} ${parseFloat(svg.getAttribute("height"))}`);
    svg.setAttribute("width", width);
  }

  function makeOperable(rect, name, role, label) {
    rect.classList.add(name);
    rect.setAttribute("tabindex", "0");
    rect.setAttribute("role", role);
    rect.setAttribute("aria-label", label);
    rect.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      rect.dispatchEvent(new MouseEvent(event.shiftKey ? "dblclick" : "click", { bubbles: true }));
    });
  }

  // Shorten a text to a width; the whole of it appears on pointing at it.
  function cut(text, width) {
    if (text.getComputedTextLength() <= width) return;
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
