"use strict";

// The page inside the frame. It unpacks what Python packed and lets a view's script draw it. Until a
// picture is drawn the page stays transparent, and the PNG under the frame is what people see.

const frame = {
  parcel: JSON.parse(document.getElementById("parcel").textContent),
  picture: document.getElementById("picture"),

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

  giveUp(error) {
    document.documentElement.classList.remove("drawn");
    console.error("The picture could not be drawn; its static twin stays.", error);
  },
};

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

async function unpackAndDraw() {
  const scripts = new TextDecoder().decode(await unpack(frame.parcel.scripts));
  JSON.parse(scripts).forEach(run);
  const weights = await unpack(frame.parcel.weights);
  frame.attempt(() => frame.start(weights));
}

unpackAndDraw().catch(frame.giveUp);
