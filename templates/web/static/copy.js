// Copies the text that stands before a button. Where no script runs, or nothing may be copied, there
// is no button, and the text is marked by one click.
"use strict";

for (const button of document.querySelectorAll("[data-copied]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = button.dataset.copied;
  });
}
