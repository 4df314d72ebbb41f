// Shows the next email on the page, and updates it when choices change if the form asks for that.
// Without it, the button shows the email in its own window.
"use strict";

const PAUSE = 700;
const choosing = document.querySelector("form[data-preview]");
const place = document.getElementById("next");
let frame = place.querySelector("iframe");
let waiting = 0;

// A separate form sends the fields: Chromium drops a submission while the previous one loads.
const show = () => {
  const fresh = frame.cloneNode(); // a new frame adds no step to the history
  frame.replaceWith(fresh);
  frame = fresh;
  const copy = document.createElement("form");
  copy.method = "post";
  copy.action = choosing.dataset.preview;
  copy.target = frame.name;
  copy.hidden = true;
  copy.addEventListener("formdata", (event) => {
    for (const [name, value] of new FormData(choosing)) {
      event.formData.append(name, value);
    }
  });
  document.body.append(copy);
  copy.submit();
  copy.remove();
  document.getElementById("status").textContent = choosing.dataset.shown;
};

choosing.querySelector("[formtarget]").addEventListener("click", (event) => {
  event.preventDefault();
  place.hidden = false;
  place.scrollIntoView();
  show();
});
choosing.addEventListener("input", () => {
  clearTimeout(waiting);
  if (choosing.dataset.live && !place.hidden) {
    waiting = setTimeout(show, PAUSE);
  }
});
