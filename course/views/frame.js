"use strict";

// The page inside the frame. It unpacks what Python packed and lets a view's script draw it. Until a
// picture is drawn the page stays transparent, and the PNG under the frame is what people see.

const frame = {
  parcel: JSON.parse(document.getElementById("parcel").textContent),
  picture: document.getElementById("picture"),

  // The theme that Python asked for, or else that of the reader's system.
  isDark() {
    return document.documentElement.dataset.theme === "dark";
  },

  onThemeChange(redraw) {
    themeListeners.push(redraw);
  },

  // The colours to draw with on this theme's paper.
  inks() {
    return INKS[frame.isDark() ? "dark" : "light"];
  },

  // Black or white, whichever has more contrast on a colour (WCAG 2): always at least 4.5.
  readable(paper) {
    const light = [0.2126, 0.7152, 0.0722].reduce((sum, factor, i) => {
      const part = paper[i] / 255;
      return sum + factor * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    }, 0);
    return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000000" : "#ffffff";
  },

  // The strip of a legend, from `least` (0 or -1) to 1: `paints` gives what is painted for a share, one over the other.
  strip(least, paints) {
    const canvas = frame.make("canvas", { width: 128, height: 1 });
    const context = canvas.getContext("2d");
    for (let x = 0; x < canvas.width; x++) {
      for (const paint of paints(least + ((1 - least) * (x + 0.5)) / canvas.width)) {
        context.fillStyle = paint;
        context.fillRect(x, 0, 1, 1);
      }
    }
    return canvas;
  },

  make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  },

  // A view's script says here how it draws: a function of the weights' bytes.
  begin(draw) {
    frame.start = draw;
  },

  // Draw (again), and be seen only if that went well.
  attempt(draw) {
    try {
      draw();
      document.documentElement.classList.add("drawn");
    } catch (error) {
      frame.giveUp(error);
    }
  },

  // A select for what to show and one for how tokens are read, where there is a choice; `choose` gets
  // the choice, with what was chosen in the other select kept where it can be.
  offerChoices(place, choose) {
    const { choices, choice } = frame.parcel;
    let now = choices[choice];
    const offer = (key, id, text, other) => {
      const options = [...new Set(choices.map((one) => one[key]))];
      if (options.length < 2) return;
      const select = frame.selectWith(id, options);
      select.value = now[key];
      select.addEventListener("change", () => {
        const found = choices.filter((one) => one[key] === select.value);
        now = found.find((one) => one[other] === now[other]) ?? found[0];
        const rest = document.getElementById(id === "choice" ? "reading" : "choice");
        if (rest) rest.value = now[other];
        tell();
        choose(now);
      });
      place.append(frame.labelled(text, select));
    };
    offer("label", "choice", "Show", "reading");
    offer("reading", "reading", "Tokens", "label");
    const notes = document.createElement("div");
    notes.setAttribute("role", "status");
    document.querySelector("aside").append(notes);
    const tell = () => {
      notes.replaceChildren(...frame.parcel.notes[now.reading].map((text) => {
        const paragraph = document.createElement("p");
        paragraph.textContent = text;
        return paragraph;
      }));
    };
    tell();
  },

  selectWith(id, texts) {
    const select = document.createElement("select");
    select.id = id;
    select.append(...texts.map((text) => new Option(text)));
    return select;
  },

  labelled(text, control) {
    const label = document.createElement("label");
    label.append(text, control);
    return label;
  },

  giveUp(error) {
    document.documentElement.classList.remove("drawn");
    console.error("The picture could not be drawn; its static twin stays.", error);
  },
};

// Rise and fall are of the same contrast on their papers, and of hues that stay two for colour-blind readers.
const INKS = {
  light: { paper: [255, 255, 255], rise: [179, 74, 0], fall: [0, 90, 181], plain: [8, 48, 107] },
  dark: { paper: [22, 24, 28], rise: [255, 160, 66], fall: [86, 180, 255], plain: [188, 222, 255] },
};

const themeListeners = [];
followTheme(document.documentElement.dataset.theme);

// What Python asked for, or else the reader's system.
function followTheme(asked) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => (document.documentElement.dataset.theme = asked ?? (dark.matches ? "dark" : "light"));
  follow();
  dark.addEventListener("change", () => {
    follow();
    themeListeners.forEach((redraw) => frame.attempt(redraw));
  });
}

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function run(source) {
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
}

// A frame that is hidden, or that the browser has not laid out yet, measures all text as 0. Its innerWidth does not
// tell: in Chromium 156, scripts of a sandboxed frame may run when that is known and nothing is laid out. An observer
// does not always tell: in a frame below the window it hears nothing until the reader scrolls there.
async function laidOut() {
  const { body } = document;
  const isLaidOut = () => body.getBoundingClientRect().width > 0;
  if (isLaidOut()) return;
  await new Promise((done) => {
    const look = () => {
      if (!isLaidOut()) return;
      observer.disconnect();
      clearInterval(again);
      done();
    };
    const observer = new ResizeObserver(look);
    const again = setInterval(look, 500);
    observer.observe(body);
  });
}

async function unpackAndDraw() {
  const scripts = new TextDecoder().decode(await unpack(frame.parcel.scripts));
  JSON.parse(scripts).forEach(run);
  const weights = await unpack(frame.parcel.weights);
  await laidOut();
  frame.attempt(() => frame.start(weights));
}

unpackAndDraw().catch(frame.giveUp);
