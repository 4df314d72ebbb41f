// Copies the text that stands before a button, or marks it where the browser refuses that. Where no
// script runs, or nothing may be copied, there is no button, and the text is marked by one click.
"use strict";

for (const button of document.querySelectorAll("[data-copied]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const text = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(text);
    }
  });
}
