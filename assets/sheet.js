/* A sheet over the page (components/desk_admin.py): Escape closes it, Tab stays inside. What it does is decided by its buttons. */
(function () {
  "use strict";
  document.addEventListener("keydown", function (event) {
    const sheet = document.querySelector(".d-sheet");
    if (!sheet) return;
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector(".dash-dropdown-content")) {
      const button = sheet.querySelector("[data-close]");
      if (button) button.click();
    }
    if (event.key !== "Tab" || !sheet.contains(document.activeElement)) return;
    const stops = Array.from(sheet.querySelectorAll("button, input, a[href], [tabindex='0']")).filter(function (one) {
      return !one.disabled && one.offsetParent !== null;
    });
    const end = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (document.activeElement === end) {
      event.preventDefault();
      (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
    }
  });
})();
