// Adds new emails to the list while the page is visible.
const list = document.getElementById("mails");

async function look() {
  if (document.hidden) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("mails");
  if (found && found.innerHTML !== list.innerHTML) list.replaceChildren(...found.childNodes);
}

setInterval(() => look().catch(() => {}), 3000);
