"use strict";

// Draws lines over the tokens removed. Python sends the values of each line, those of random orders as
// [mean, low, high], and what is said of each step.

(function () {
  const { parcel, make } = frame;
  const COUNT = parcel.random.length - 1;
  const LEFT = 40, TOP = 8, RIGHT = 10, HEIGHT = 240, ALL = 296;
  const STEPS = { ArrowRight: 1, ArrowLeft: -1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 };
  const at = { step: 0 };

  frame.begin(() => {
    document.head.append(make("style", {}, parcel.style));
    const key = make("div", { class: "key" });
    const lines = [...parcel.names.map((name, i) => [name, `line line${i}`]), ["random orders", "line random"]];
    lines.forEach(([name, kind]) => {
      const sample = draw("svg", { "aria-hidden": "true" });
      sample.append(draw("line", { class: kind, x1: 0, x2: 28, y1: 5, y2: 5 }));
      key.append(make("span", {}, sample, name));
    });
    at.readout = make("p", { class: "readout", "aria-hidden": "true" });
    at.plot = make("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": `Steps: ${parcel.axis}`,
      "aria-valuemin": "0", "aria-valuemax": String(COUNT) });
    frame.picture.append(key, at.readout, at.plot);
    at.plot.addEventListener("keydown", move);
    for (const kind of ["pointermove", "pointerdown"]) at.plot.addEventListener(kind, pointAt);
    addEventListener("resize", () => frame.attempt(layOut));
    layOut();
  });

  function draw(tag, attributes, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(text);
    return element;
  }

  const x = (step) => LEFT + (step / COUNT) * (at.width - LEFT - RIGHT);
  const y = (value) => TOP + (1 - value) * HEIGHT;
  const point = (value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
  const path = (values) => values.map(point).join("");

  function layOut() {
    at.width = document.querySelector("main").clientWidth;
    const svg = draw("svg", { width: at.width, height: ALL, "aria-hidden": "true" });
    for (const value of [0, 0.25, 0.5, 0.75, 1]) {
      svg.append(draw("line", { class: "rule", x1: LEFT, x2: at.width - RIGHT, y1: y(value), y2: y(value) }));
      svg.append(draw("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
    }
    for (const step of ticks()) {
      svg.append(draw("text", { x: x(step), y: TOP + HEIGHT + 18, "text-anchor": "middle" }, String(step)));
    }
    svg.append(draw("text", { x: (LEFT + at.width - RIGHT) / 2, y: TOP + HEIGHT + 38, "text-anchor": "middle" },
      `${parcel.axis} → probability of what is left`));
    const spread = parcel.random.map(([, low, high], i) => `M${x(i)} ${y(low)}V${y(high)}`).join("");
    svg.append(draw("path", { class: "spread", d: spread }));
    svg.append(draw("path", { class: "line random", d: path(parcel.random.map(([mean]) => mean)) }));
    parcel.lines.forEach((values, i) => svg.append(draw("path", { class: `line line${i}`, d: path(values) })));
    at.cursor = draw("line", { class: "cursor", y1: TOP, y2: TOP + HEIGHT });
    svg.append(at.cursor);
    at.plot.replaceChildren(svg);
    read(at.step);
  }

  // As in curve_twin.py, but not closer than numbers can stand.
  function ticks() {
    const most = Math.min(10, Math.floor(at.width / 40));
    const each = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((one) => COUNT / one <= most);
    const found = [];
    for (let step = 0; COUNT - step >= each / 2; step += each) found.push(step);
    return [...found, COUNT];
  }

  function read(step) {
    at.step = Math.max(0, Math.min(COUNT, step));
    at.cursor.setAttribute("x1", x(at.step));
    at.cursor.setAttribute("x2", x(at.step));
    at.readout.textContent = parcel.said[at.step];
    at.plot.setAttribute("aria-valuenow", at.step);
    at.plot.setAttribute("aria-valuetext", parcel.said[at.step]);
  }

  function move(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    read(at.step + step);
  }

  function pointAt(event) {
    const left = event.clientX - at.plot.getBoundingClientRect().left;
    read(Math.round(((left - LEFT) / (at.width - LEFT - RIGHT)) * COUNT));
  }
})();
