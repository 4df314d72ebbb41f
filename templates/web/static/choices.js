// Shows the next digest beside the choices while they are changed. Without it, a button does.
"use strict";

const PAUSE = 700;
const form = document.getElementById("choices");
const place = document.getElementById("next");
const digest = document.getElementById("next-digest");
const status = document.getElementById("status");
let waiting = 0;
let asked = 0;

const show = async () => {
  asked += 1;
  const mine = asked;
  status.textContent = form.dataset.looking;
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.preview, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("#next-digest");
    if (mine !== asked) {
      return;
    }
    const wrong = page.querySelector(".summary");
    if (wrong || !found) {
      status.textContent = wrong ? form.dataset.wrong : form.dataset.lost;
      return;
    }
    digest.replaceChildren(...found.childNodes);
    place.hidden = false;
    status.textContent = form.dataset.shown;
  } catch {
    status.textContent = form.dataset.lost;
  }
};

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, PAUSE);
});
