// Sends what a reader says without loading the page again. The buttons work without it.
"use strict";

const opposite = { more: "less", less: "more" };
const status = document.getElementById("status");

const mark = (form, verdict) => {
  for (const button of form.querySelectorAll("button")) {
    if (button.value === verdict) {
      button.setAttribute("aria-pressed", "true");
    } else if (button.value === opposite[verdict]) {
      button.setAttribute("aria-pressed", "false");
    }
  }
};

const send = async (form, verdict) => {
  status.textContent = "";
  const body = new URLSearchParams(new FormData(form));
  body.set("verdict", verdict);
  try {
    const answer = await fetch(location.href, { method: "POST", body });
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
    mark(form, verdict);
    status.textContent = status.dataset.noted;
  } catch {
    status.textContent = status.dataset.lost;
  }
};

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter.value);
  });
}
