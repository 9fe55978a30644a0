/* Files of a list: while the server writes one, how many rows are in it; the browser's own download begins when it is whole. Without
   this script the links work all the same. */
(function () {
  "use strict";
  const EVERY_MS = 500, LONGEST_MS = 1800000;

  function shown(number) { return number.toLocaleString(document.documentElement.lang || "vi"); }

  function watch(node, key, total) {
    const began = performance.now(), told = node.querySelector(".d-export-said");
    (function ask() {
      fetch("/api/v1/exports/" + key, { credentials: "same-origin" }).then(function (answer) { return answer.ok ? answer.json() : null; })
        .then(function (state) {
          if (!state || !told.isConnected || performance.now() - began > LONGEST_MS) { return; }
          const words = state.is_done ? told.dataset.done : told.dataset.writing;
          told.textContent = words.replace("{n}", shown(state.rows)).replace("{total}", shown(total));
          if (!state.is_done) { setTimeout(ask, EVERY_MS); }
        }).catch(function () { told.textContent = ""; });
    })();
  }

  document.addEventListener("click", function (event) {
    const link = event.target.closest && event.target.closest(".d-exports[data-total] a.d-export");
    if (!link) { return; }
    const node = link.closest(".d-exports"), there = new URL(link.href), key = crypto.getRandomValues(new Uint32Array(4)).join("-");
    there.searchParams.set("progress", key);
    link.href = there.pathname + there.search;
    setTimeout(watch, EVERY_MS, node, key, Number(node.dataset.total));
  }, true);
})();
