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
  status.textContent = "Looking at your next digest …";
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
      status.textContent = wrong
        ? "Something cannot be as it is written. Save, and it is marked."
        : "That did not arrive. The button shows it.";
      return;
    }
    digest.replaceChildren(...found.childNodes);
    place.hidden = false;
    status.textContent = "Your next digest is shown with these choices. Nothing is saved yet.";
  } catch {
    status.textContent = "That did not arrive. The button shows it.";
  }
};

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, PAUSE);
});
