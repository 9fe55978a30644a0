/* Dash 4.4's renderer tells its store of every component it draws anew (RESET_COMPONENT_STATE), and each telling asks all components on
   the page whether they have changed: a page of n components costs n * n. Nearly always there is nothing to reset. Then the
   telling is left out; nothing else is touched. Measured in docs/performance.md; without the store, or with another Dash, it does nothing. */
(function () {
  "use strict";
  function spare(store) {
    if (!store || !store.dispatch || store.isSpared) { return; }
    const told = store.dispatch;
    store.dispatch = function (action) {
      return action && action.type === "RESET_COMPONENT_STATE" && isClean(store.getState(), action.payload) ? action : told(action);
    };
    store.isSpared = true;
  }

  // no component at or below this path has a state of its own: the reset would change nothing
  function isClean(state, payload) {
    const path = payload && payload.itempath, hashes = state && state.layoutHashes;
    if (!Array.isArray(path) || !hashes) { return false; }
    const here = path.join(",");
    return !Object.keys(hashes).some(function (key) { return key.startsWith(here); });
  }

  if (window.store) { spare(window.store); return; }
  let kept;
  Object.defineProperty(window, "store", {
    configurable: true,
    get: function () { return kept; },
    set: function (store) { kept = store; spare(store); },
  });
})();
