// Keyboard shortcuts: j and k move between papers, / searches, ? lists the keys. They are off while
// you type in a field, and the page works without them. Also sends a form only once if its button is
// pressed twice quickly, so that you see the response to the first press.
"use strict";

const help = document.getElementById("keys");
const titles = [...document.querySelectorAll("article h3 a, .papers h3 a")];
document.getElementById("keys-hint").hidden = false;

const isTyping = (element) =>
  element.isContentEditable || element.matches("input:not([type=checkbox]), select, textarea");

const step = (by) => {
  if (titles.length === 0) {
    return;
  }
  const here = titles.indexOf(document.activeElement);
  const next = here < 0 ? (by > 0 ? 0 : titles.length - 1) : here + by;
  const title = titles[Math.min(Math.max(next, 0), titles.length - 1)];
  title.focus({ preventScroll: true });
  (title.closest("li") ?? title).scrollIntoView({ block: "start" });
};

const search = () => {
  const field = document.getElementById("q");
  if (field) {
    field.focus();
    field.select();
  } else {
    document.querySelector('.top nav a[href^="/search"]').click();
  }
};

const actions = { j: () => step(1), k: () => step(-1), "/": search, "?": () => help.showModal() };

document.addEventListener("keydown", (event) => {
  const isTaken = event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented;
  const action = actions[event.key];
  if (!action || isTaken || help.open || isTyping(event.target)) {
    return;
  }
  event.preventDefault();
  action();
});

const HURRY = 2000;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") {
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, HURRY);
});
