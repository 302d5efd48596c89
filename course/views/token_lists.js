"use strict";

// What a column of tokens that bertviz has drawn lacks: the keyboard, and names for screen readers.

const tokenLists = {
  // A list box with one stop for the Tab key, as the arrow keys go through it; its children are the tokens.
  make(list, label, name) {
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", label);
    [...list.children].forEach((token, i) => {
      token.setAttribute("role", "option");
      token.setAttribute("aria-label", name(i));
      token.setAttribute("aria-selected", "false");
      token.setAttribute("tabindex", i === 0 ? "0" : "-1");
      token.classList.add("operable");
      token.addEventListener("keydown", (event) => {
        const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: list.children.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        list.children[to]?.focus();
      });
    });
  },

  // The tokens of which `isSelected` is true; the list's stop is the first of them.
  select(tokens, isSelected) {
    tokens.forEach((token, i) => {
      token.setAttribute("aria-selected", String(isSelected(i)));
      token.setAttribute("tabindex", isSelected(i) ? "0" : "-1");
    });
  },

  // The `most` largest of `values`, with their positions, the first of equals first.
  largest(values, most, size = (value) => value) {
    const found = values.map((value, at) => [value, at]);
    return found.sort(([a, i], [b, j]) => size(b) - size(a) || i - j).slice(0, most);
  },

  // A token in a sentence, which is to stay within its lines.
  short(text) {
    const characters = Array.from(text);
    return characters.length > 16 ? `${characters.slice(0, 15).join("")}…` : text;
  },
};
