/* /explore in the browser: a click on a figure narrows the page in place (no skeleton, no jump, the focus stays), Back goes back. Every
   such link is a plain link too: opened in a new tab, or without this script, it shows the same. Nothing here draws a figure. */
(function () {
  "use strict";
  const PATH = "/explore", SLOW_MS = 400, LOADING = "data-dash-is-loading";
  let asked = null, at = null, timer = null;

  function body() { return document.getElementById("explore-body"); }

  function load() {
    const query = Object.fromEntries(new URLSearchParams(location.search));
    asked = location.search;
    window.dash_clientside.set_props({ type: "desk-opened", page: "explore" }, { data: { path: PATH, query: query } });
    clearTimeout(timer);
    timer = setTimeout(function () { reading(Boolean(query.read)); }, SLOW_MS);
  }

  function reading(on) {
    const bar = document.getElementById("explore-reading");
    if (bar && bar.hidden === on) { bar.hidden = !on; }
  }

  function go(href) {
    const there = new URL(href, location.href);
    if (there.pathname !== PATH || !body() || !window.dash_clientside) { location.assign(href); return; }
    if (there.search !== location.search) { history.pushState({}, "", there.pathname + there.search); }
    load();
  }

  // filled: whatever was waited for is here, or is drawn within the next moments
  function settle() {
    clearTimeout(timer);
    reading(false);
    [0, 60, 250, 600].forEach(function (wait) { setTimeout(function () { refocus(); rove(); }, wait); });
  }

  // the chart of time and the map are one stop of the Tab key each; arrows go from column to column, from area to area
  function rove(to) {
    document.querySelectorAll(".d-x-columns, .d-x-map").forEach(function (group) {
      const links = linksOf(group);
      const on = links.find(function (one) { return one === to || one === document.activeElement; })
        || links.find(function (one) { return one.hasAttribute("aria-current"); }) || links[links.length - 1];
      links.forEach(function (one) { one.tabIndex = one === on ? 0 : -1; });
    });
  }

  function linksOf(group) { return Array.from(group.querySelectorAll("a[data-at]")); }

  document.addEventListener("keydown", function (event) {
    const group = event.target.closest && event.target.closest(".d-x-columns, .d-x-map");
    if (!group || event.altKey || event.ctrlKey || event.metaKey) { return; }
    const links = linksOf(group), at = links.indexOf(event.target), last = links.length - 1;
    const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
    if (next === undefined || at < 0) { return; }
    event.preventDefault();
    const there = links[Math.max(0, Math.min(last, next))];
    rove(there);
    there.focus({ preventScroll: true });
  });

  // to where the reader was, unless that is gone (then to the chips) or the reader has gone elsewhere
  function refocus() {
    const page = body(), on = document.activeElement;
    if (!page || !at || (on && on !== document.body)) { return; }
    const again = page.querySelector('[data-at="' + CSS.escape(at) + '"]') || page.querySelector(".d-chips a");
    if (again) { again.focus({ preventScroll: true }); }
  }

  document.addEventListener("click", function (event) {
    const link = event.target.closest && event.target.closest("#explore-body a[href]");
    if (event.target.closest && !event.target.closest(".d-x-drop")) { shut(); }
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.pathname !== PATH) { return; }
    event.preventDefault();
    event.stopPropagation();
    at = link.dataset.at || null;
    shut();
    go(link.href);
  }, true);

  function shut() {
    document.querySelectorAll(".d-x-drop[open]").forEach(function (node) { node.open = false; });
  }

  document.addEventListener("toggle", function (event) {
    if (!event.target.matches || !event.target.matches(".d-x-drop[open]")) { return; }
    document.querySelectorAll(".d-x-drop[open]").forEach(function (node) { if (node !== event.target) { node.open = false; } });
  }, true);
  document.addEventListener("keydown", function (event) {
    const open = document.querySelector(".d-x-drop[open]");
    if (event.key === "Escape" && open && !event.defaultPrevented) { open.open = false; open.querySelector("summary").focus(); }
    if (event.key === "Enter" && event.target.id === "explore-view-name") {
      event.preventDefault();
      event.target.blur();
      setTimeout(function () { const button = document.querySelector(".d-x-save button"); if (button) { button.click(); } }, 0);
    }
  });
  window.addEventListener("popstate", function () {
    if (location.pathname === PATH && body() && location.search !== asked) { load(); }
  });
  // what a field asks for comes as the address of a hidden link; Dash marks the body while it is being filled
  new MutationObserver(function (changes) {
    const link = document.getElementById("explore-go");
    const href = link && link.getAttribute("href");
    if (href) { link.removeAttribute("href"); go(href); return; }
    const isFilled = changes.some(function (one) {
      return one.attributeName === LOADING && one.target.id === "explore-body" && !one.target.hasAttribute(LOADING);
    });
    if (isFilled) { settle(); }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["href", LOADING] });
})();
