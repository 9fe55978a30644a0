/* The leaders' week: Enter in a line of a form saves it, Escape leaves it; after a step the follow-up it was taken on has the focus. */
(function () {
  "use strict";
  let pressed = null;

  document.addEventListener("keydown", function (event) {
    const form = event.target.closest && event.target.closest(".d-w-form");
    if (!form || event.defaultPrevented || document.querySelector(".dash-dropdown-content")) { return; }
    if (event.key === "Enter" && event.target.matches("input")) { press(form.querySelector("[data-save]"), event); }
    if (event.key === "Escape") { press(form.querySelector(".d-w-cancel"), event); }
  });

  function press(button, event) {
    if (button) { event.preventDefault(); button.click(); }
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest(".d-w-item .d-w-do button");
    const item = button && button.closest(".d-w-item");
    pressed = item && !item.querySelector(".d-w-form") ? { id: item.id, button: button } : null;
  });
  // an open form is never folded away; the item is drawn anew, maybe elsewhere: the reader's place goes with it
  new MutationObserver(function () {
    document.querySelectorAll("details:not([open]) .d-w-form").forEach(function (form) { form.closest("details").open = true; });
    if (!pressed || document.contains(pressed.button)) { return; }
    const item = document.getElementById(pressed.id);
    if (!item) { return; }
    pressed = null;
    if (item.closest("details")) { item.closest("details").open = true; }
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
