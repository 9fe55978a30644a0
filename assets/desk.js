/* Desk pages in the browser: ages go on, new data is announced, popovers close, anchors are reached. Nothing here draws a figure.

   The server's instant (data-server-at, microseconds) and the browser's monotonic clock make every age: a wrong clock on the desk
   makes nothing look stale. Ticks of topic revisions come over one event stream; a page that fetches by itself does so at most
   every 30 s, any other page only shows the button, so that rows never move under a reader. */
(function () {
  "use strict";
  const AUTO_MS = 30000, FALLBACK_MS = 60000, LOST_MS = 8000, RETRY_MS = 3000;
  const ORDER = [[1, "fresh"], [2, "late"], [5, "stale"], [Infinity, "dead"]];
  let seen = null;         // {content, serverAt, at, revisions}: what is on screen and since when (monotonic ms)
  let live = {};           // newest revision by topic, as told by the stream
  let source = null, lostAt = null, path = null, reached = null;

  function content() { return document.querySelector(".desk .d-content"); }

  function look() {
    const found = content();
    if (!found) { seen = null; return; }
    unfold(found);
    const stamp = found.dataset.refresh + found.dataset.serverAt + found.dataset.revisions + location.pathname + location.search;
    if (seen && seen.stamp === stamp) { return; }
    seen = { stamp: stamp, serverAt: Number(found.dataset.serverAt), at: performance.now(), revisions: pairs(found.dataset.revisions) };
    document.documentElement.lang = found.dataset.lang || "vi";
    button(false);
    if (path !== null && path !== location.pathname) { arrive(found); }
    path = location.pathname;
    anchor();
  }

  // once for each that is drawn, also when the same figures are drawn again; a reader may close it
  function unfold(found) {
    if (!matchMedia("(min-width: 641px)").matches) { return; }
    found.querySelectorAll(".d-fold:not([data-met])").forEach(function (node) { node.dataset.met = "1"; node.open = true; });
  }

  function arrive(found) {
    const main = found.closest("main");
    window.scrollTo(0, 0);
    if (main) { main.focus({ preventScroll: true }); }
  }

  // to what the address names: its fragment, or the KPI in its query; what can be opened is opened
  function anchor() {
    const name = decodeURIComponent(location.hash.slice(1)) || new URLSearchParams(location.search).get("key");
    if (!name || reached === location.href) { return; }
    const there = document.getElementById(name);
    if (!there) { return; }
    reached = location.href;
    const isFold = there.tagName === "DETAILS";
    for (let node = isFold ? there : there.closest("details"); node; node = node.parentElement.closest("details")) { node.open = true; }
    there.scrollIntoView();
    (isFold ? there.querySelector("summary") : there).focus({ preventScroll: true });
  }

  function pairs(text) {
    const found = {};
    (text || "").split(" ").filter(Boolean).forEach(function (pair) {
      const cut = pair.lastIndexOf(":");
      found[pair.slice(0, cut)] = Number(pair.slice(cut + 1));
    });
    return found;
  }

  // ---- ages ----
  function now() { return seen.serverAt + (performance.now() - seen.at) * 1000; }

  function words(seconds) {
    const [key, size] = [["D", 86400], ["H", 3600], ["M", 60], ["S", 1]].find(function (unit) { return seconds >= unit[1] || unit[0] === "S"; });
    return { key: key, n: Math.floor(seconds / size) };
  }

  function age() {
    const found = content();
    if (!found || !seen || found.dataset.frozen) { return; }
    const at = now();
    found.querySelectorAll("[data-age-at]").forEach(function (node) {
      const told = words(Math.max(0, (at - Number(node.dataset.ageAt)) / 1e6));
      const template = found.dataset["age" + told.key];
      const text = template ? template.replace("{n}", told.n) : null;
      if (text && node.textContent !== text) { node.textContent = text; }
    });
    found.querySelectorAll("[data-state-at]").forEach(function (node) {
      const spent = (at - Number(node.dataset.stateAt)) / 1e6 / Number(node.dataset.cadenceS);
      const state = ORDER.find(function (step) { return spent <= step[0]; })[1];
      if (node.dataset.state !== state) {
        node.dataset.state = state;
        node.textContent = node.getAttribute("data-word-" + state) || node.textContent;
      }
    });
  }

  // ---- new data ----
  function button(on) {
    const found = content();
    const node = found && found.querySelector(".d-new");
    if (node && node.hidden === on) { node.hidden = !on; }
  }

  function isBehind() {
    return seen && Object.keys(seen.revisions).some(function (topic) { return (live[topic] || 0) > seen.revisions[topic]; });
  }

  function refresh() {
    const found = content();
    if (found && window.dash_clientside && window.dash_clientside.set_props) {
      button(false);
      seen.at0 = performance.now();
      window.dash_clientside.set_props(found.dataset.refresh, { data: Date.now() });
    }
  }

  function judge() {
    const found = content();
    if (!found || !seen || found.dataset.frozen && !isBehind()) { return; }
    const spent = performance.now() - Math.max(seen.at, seen.at0 || 0);
    const mayFetch = found.dataset.auto && document.visibilityState === "visible" && !found.querySelector("details[open]:not(.d-fold)");
    if (mayFetch && spent >= AUTO_MS && (isBehind() || spent >= FALLBACK_MS)) { refresh(); } else if (isBehind()) { button(true); }
  }

  function connect() {
    if (!content() || source) { return; }
    source = new EventSource("/live/ticks");
    source.onopen = function () { lostAt = null; };
    source.addEventListener("tick", take);
    source.addEventListener("beat", function (event) {
      let told = {};
      try { told = JSON.parse(event.data); } catch (fault) { return; }
      lostAt = told.store === "away" ? lostAt || performance.now() : null;
    });
    source.onerror = function () {
      lostAt = lostAt || performance.now();
      // an HTTP error ends the stream for good: a new one is made, a little later and not by all desks at once
      if (source.readyState === 2) { source = null; setTimeout(connect, RETRY_MS + Math.random() * RETRY_MS); }
    };
  }

  function take(event) {
    let told;
    try { told = JSON.parse(event.data); } catch (fault) { return; }
    lostAt = null;
    Object.keys(told).forEach(function (topic) { live[topic] = told[topic]; });
    judge();
  }

  function lost() {
    const node = document.querySelector(".desk .d-lost");
    const is = lostAt !== null && performance.now() - lostAt > LOST_MS;
    if (node && node.hidden === is) { node.hidden = !is; }
  }

  // ---- what opens must close ----
  function close(keep) {
    document.querySelectorAll(".desk .d-definition[open], .desk .d-nav-narrow[open], .desk .d-nav-wide .d-nav-group[open]").forEach(function (node) {
      if (!keep || !node.contains(keep)) { node.open = false; }
    });
  }

  document.addEventListener("click", function (event) {
    if (!event.target.closest) { return; }
    if (event.target.closest(".desk .d-new")) { refresh(); return; }
    close(event.target.closest(".d-nav-narrow a, .d-nav-group a") ? null : event.target);
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") { return; }
    const open = document.querySelector(".desk .d-definition[open], .desk .d-nav-narrow[open], .desk .d-nav-wide .d-nav-group[open]");
    if (open) { close(null); open.querySelector("summary").focus(); }
  });
  window.addEventListener("hashchange", anchor);
  setInterval(function () { look(); connect(); age(); judge(); lost(); }, 1000);
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
})();
