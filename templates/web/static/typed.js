// Keeps the contents of a long form when you change the language of its page. Without it, the form
// starts empty.
"use strict";

const typing = document.querySelector("form[data-again]");
let touched = false;

typing.addEventListener("input", () => {
  touched = true;
});

const holds = () =>
  [...typing.elements].some((one) =>
    one.matches("textarea, [type=email]") ? one.value : one.matches("[name=add_topic]:checked"),
  );

for (const link of document.querySelectorAll(".languages a")) {
  link.addEventListener("click", (event) => {
    if (!(touched || holds()) || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    const again = new URL(typing.dataset.again, location.href);
    again.searchParams.set("lang", link.hreflang);
    const button = document.createElement("button");
    button.name = "action";
    button.value = "change";
    button.formAction = again.href;
    button.formNoValidate = true;
    button.hidden = true;
    typing.append(button);
    const spoken = typing.querySelector("input[name=language]");
    if (spoken) {
      spoken.value = link.hreflang;
    }
    button.click();
  });
}
