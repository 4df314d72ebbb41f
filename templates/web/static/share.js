// Opens the system's dialogue to share a page, or else copies its address and says so. Without a
// script, it is a plain link to the page.
"use strict";

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-share]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  event.preventDefault();
  try {
    if (navigator.share) {
      await navigator.share({ title: link.dataset.share, url: link.href });
    } else {
      await navigator.clipboard.writeText(link.href);
      link.textContent = link.dataset.done;
      link.removeAttribute("aria-label"); // it would go on saying "Share"
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      location.href = link.href;
    }
  }
});
