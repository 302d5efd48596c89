"use strict";

// Feeds bertviz's head_view.js and model_view.js, which stay as published: they find their libraries
// through `requirejs` and their data in PYTHON_PARAMS. Each choice of what to see starts them anew.

(function () {
  const { parcel } = frame;
  const decorate = { head: decorateHeadView, model: decorateModelView }[parcel.view];
  const SVG = "http://www.w3.org/2000/svg";
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
    frame.picture.innerHTML = '<div id="bertviz"><div class="choices"></div><div id="vis"></div></div>';
    const choices = frame.picture.querySelector(".choices");
    if (parcel.view === "head") choices.append(frame.labelled("Layer", frame.selectWith("layer", [])));
    frame.offerChoices(choices, choose);
    const vis = document.getElementById("vis");
    new MutationObserver(() => decorate(vis.firstElementChild)).observe(vis, { childList: true });
    vis.addEventListener("click", () => decorate(vis.firstElementChild));
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

  // Room for long tokens; numbers on the heads' colours, and the keyboard for them.
  function decorateHeadView(svg) {
    const squares = [...svg.lastElementChild.querySelectorAll("rect")];
    if (!svg.hasAttribute("viewBox")) {
      svg.classList.add("head");
      squares.forEach(addSwitch);
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
      svg.querySelectorAll(".attn_background").forEach((background, i) => {
        const layer = part.layers[Math.floor(i / part.heads.length)];
        const head = part.heads[i % part.heads.length];
        makeOperable(background.parentNode.lastElementChild, "opener", "button", `layer ${layer}, head ${head}`);
      });
      resize(svg, 0, part.width);
      svg.style.minWidth = `${Math.min(part.width, 640)}px`;
    }
    svg.querySelectorAll(".detail .token").forEach((text) => cut(text, 76));
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
      rect.dispatchEvent(new MouseEvent("click", { bubbles: true }));
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
