"use strict";

// bertviz's scripts stay as published: they find their libraries through `requirejs`, and are started by ours.

let bertviz;
const require = { config() {} };
const requirejs = (_names, start) => {
  bertviz = start;
};

// All that bertviz 1.4.1 uses of jQuery: for the one element that a selector finds, if any, or for a new <option>.
const jQuery = (what) => {
  const element = what === "<option />" ? new Option() : document.querySelector(what);
  const one = {
    element,
    change: () => one, // asked for before anyone listens
    on(name, listener) {
      element?.addEventListener(name, listener);
      return one;
    },
  };
  const steps = {
    append: (other) => element.append(other.element),
    attr: (name, value) => element.setAttribute(name, value),
    empty: () => element.replaceChildren(),
    text: (text) => (element.textContent = text),
    val: (value) => (element.value = value),
  };
  for (const [name, step] of Object.entries(steps)) {
    one[name] = (...given) => {
      step(...given);
      return one;
    };
  }
  return one;
};
