// Fills in the browser's time zone, and does the work a crowded server asks for. The form works
// without either.
"use strict";

const form = document.getElementById("signup");
const zone = form.elements.namedItem("timezone");
if (zone.value === "") {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

if (form.dataset.worker && window.isSecureContext) {
  const number = form.elements.namedItem("number");
  const worker = new Worker(form.dataset.worker);
  let isWaiting = false;

  const finish = (found) => {
    number.value = found;
    delete form.dataset.worker;
    if (isWaiting) {
      form.requestSubmit();
    }
  };
  worker.addEventListener("message", (event) => finish(event.data));
  worker.addEventListener("error", () => finish(""));
  worker.postMessage(form.elements.namedItem("work").value);

  form.addEventListener("submit", (event) => {
    if (form.dataset.worker) {
      event.preventDefault();
      isWaiting = true;
      document.getElementById("status").textContent = "One moment …";
    }
  });
}
