"use strict";

// What stands over the picture of a neuron view: selects, a button, a scale of the colours, a line for the numbers.

const neuronControls = {
  layOut(toggle) {
    const { choices, choice } = frame.parcel;
    frame.picture.innerHTML =
      '<div id="bertviz" class="neuron"><div class="choices"></div><div class="scale"></div>' +
      '<output id="readout"></output><div id="vis"></div></div>';
    const controls = frame.picture.querySelector(".choices");
    controls.append(frame.labelled("Layer", frame.selectWith("layer", [])));
    controls.append(frame.labelled("Head", frame.selectWith("att_head", [])));
    if (choices.length > 1) {
      const select = frame.selectWith("choice", choices.map(({ label }) => label));
      select.selectedIndex = choice;
      controls.append(frame.labelled("Show", select));
    }
    const button = document.createElement("button");
    button.id = "vectors";
    button.type = "button";
    button.setAttribute("aria-controls", "vis");
    button.addEventListener("click", toggle);
    controls.append(button);
    neuronControls.drawScale(frame.picture.querySelector(".scale"));
  },

  drawScale(scale) {
    scale.append(...[-8, -4, -2, -1, 0, 1, 2, 4, 8].map((value) => {
      const [step, box, colour] = ["span", "b", "i"].map((name) => document.createElement(name));
      colour.className = value < 0 ? "negative" : "positive";
      colour.style.opacity = Math.tanh(Math.abs(value) / 4); // as bertviz has it
      box.append(colour);
      step.append(box, neuronNumbers.signed(value, 0));
      return step;
    }));
    scale.setAttribute("role", "img");
    scale.setAttribute("aria-label", "Scale of the colours: orange for -8 to -1, none for 0, blue for 1 to 8");
  },
};
