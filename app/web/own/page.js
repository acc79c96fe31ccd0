// Keys go to the terminal as soon as it draws, and whenever the window is looked at again.
const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
const drawing = new MutationObserver(() => {
  if (document.body.classList.contains("-first-byte")) {
    drawing.disconnect();
    focus();
  }
});
drawing.observe(document.body, { attributeFilter: ["class"] });
addEventListener("focus", focus);
