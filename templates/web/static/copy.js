// Copies the text before a button, or selects it if the browser refuses to copy. Without a script or
// a clipboard there is no button, and one click selects the text.
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
