// Sends feedback without reloading the page, and replaces the paper and the status line with those
// in the response. The buttons work without it.
"use strict";

const status = document.getElementById("status");

const send = async (form, pressed) => {
  status.textContent = "";
  const body = new URLSearchParams(new FormData(form));
  body.set(pressed.name, pressed.value);
  try {
    const answer = await fetch(location.href, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const item = form.closest("li");
    const fresh = page.getElementById(item.id);
    if (!answer.ok || !fresh) {
      throw new Error(String(answer.status));
    }
    item.replaceChildren(...fresh.childNodes);
    item.querySelector(`[value="${pressed.value}"]`).focus();
    status.textContent = page.getElementById("status").textContent;
  } catch {
    status.textContent = status.dataset.lost;
  }
};

document.addEventListener("submit", (event) => {
  if (event.target.closest(".feedback")) {
    event.preventDefault();
    send(event.target, event.submitter);
  }
});
