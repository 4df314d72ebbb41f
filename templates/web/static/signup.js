// Fills in the browser's time zone if the form has that field, and solves the proof of work that a
// busy server may require. The form works without either.
"use strict";

const form = document.getElementById("signup");
const zone = form.elements.namedItem("timezone");
if (zone && zone.value === "") {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

if (form.dataset.worker && window.isSecureContext) {
  const number = form.elements.namedItem("number");
  const worker = new Worker(form.dataset.worker);
  let waiting = null;

  const finish = (found) => {
    number.value = found;
    delete form.dataset.worker;
    if (waiting) {
      form.requestSubmit(waiting.button);
    }
  };
  worker.addEventListener("message", ({ data }) => finish(data ? String(data.number) : ""));
  worker.addEventListener("error", () => finish(""));
  const work = JSON.parse(atob(form.elements.namedItem("work").value));
  worker.postMessage({ type: "work", payload: work, start: 0, max: work.maxNumber });

  form.addEventListener("submit", (event) => {
    if (form.dataset.worker) {
      event.preventDefault();
      waiting = { button: event.submitter };
      document.getElementById("status").textContent = form.dataset.wait;
    }
  });
}
