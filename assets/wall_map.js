// How features of the wall's maps are drawn. Referred to by name from components/maps.py (no code is generated).
(function () {
  const tc = (window.toancanh = window.toancanh || {});
  const css = (name) => getComputedStyle(document.querySelector(".wall") || document.documentElement).getPropertyValue(name).trim();
  const unit = () => Math.min(window.innerHeight / 100, window.innerWidth * 0.005625);
  const fitted = new WeakMap();

  // Fit a map to bounds given by the server; again when its box changes size.
  function fit(map, bounds) {
    if (!map || !bounds) return;
    const key = JSON.stringify(bounds);
    const known = fitted.get(map);
    if (known && known.key === key) return;
    if (!known) map.on("resize", () => place(map));
    fitted.set(map, { key, bounds });
    setTimeout(() => place(map), 0);
  }
  function place(map) {
    const known = fitted.get(map);
    if (!known || !map.getContainer().clientWidth) return;
    const pad = 1.6 * unit();
    map.fitBounds(known.bounds, { animate: false, padding: [pad, pad] });
    settle(map);
  }

  tc.areaStyle = (feature, context) => {
    const hideout = (context && context.hideout) || {};
    const step = (hideout.steps || {})[feature.properties.code] || 0;
    return { fill: true, fillOpacity: 1, fillColor: css("--heat-" + step), color: css("--border"), weight: Math.max(0.8, 0.14 * unit()), opacity: 1 };
  };
  tc.areaAdded = (feature, layer, context) => fit(context && context.map, context && context.hideout && context.hideout.bounds);

  tc.point = (feature, latlng, context) => {
    const p = feature.properties;
    const size = (0.55 + 1.2 * (p.size || 0)) * unit();
    const looks = {
      open: { fill: false, stroke: true, color: css("--ink"), weight: 0.22 * unit(), opacity: 0.75 },
      overdue: { fill: true, fillColor: css("--bad"), fillOpacity: 0.92, stroke: true, color: css("--panel"), weight: 0.16 * unit(), opacity: 1 },
      none: { fill: true, fillColor: css("--aqi-none"), fillOpacity: 1, stroke: false },
    };
    const look = looks[p.kind] || { fill: true, fillColor: css("--aqi-" + p.kind.replace("_", "-")), fillOpacity: 1, stroke: true, color: css("--panel"), weight: 0.2 * unit() };
    return new window.L.CircleMarker(latlng, Object.assign({ radius: size, interactive: false }, look));
  };
  tc.label = (feature, latlng) => {
    const p = feature.properties;
    const text = document.createElement("b");
    text.textContent = p.text;
    text.dataset.rank = p.rank;
    if (p.badge) { text.className = "badge badge-" + p.badge; text.style.background = "var(--aqi-" + p.badge.replace("_", "-") + ")"; text.style.color = "var(--on-aqi-" + p.badge.replace("_", "-") + ")"; }
    const icon = new window.L.DivIcon({ className: "map-label", html: text, iconSize: [0, 0] });
    return new window.L.Marker(latlng, { icon, interactive: false, keyboard: false, zIndexOffset: 1000 - p.rank });
  };
  tc.pointAdded = (feature, layer, context) => {
    if (!context || !context.map) return;
    fit(context.map, context.hideout && context.hideout.bounds);
    clearTimeout(context.map._tcSettle);
    context.map._tcSettle = setTimeout(() => settle(context.map), 60);
  };

  // Hide labels that would overlap a more important one or stick out of the map.
  function settle(map) {
    const box = map.getContainer().getBoundingClientRect();
    const labels = Array.from(map.getContainer().querySelectorAll(".map-label"));
    labels.sort((a, b) => a.firstElementChild.dataset.rank - b.firstElementChild.dataset.rank);
    const taken = [];
    for (const label of labels) {
      label.removeAttribute("data-hidden");
      const text = label.firstElementChild;
      text.style.transform = "";
      const r = text.getBoundingClientRect();
      const shift = Math.max(box.left + 2 - r.left, 0) + Math.min(box.right - 2 - r.right, 0);
      const own = { left: r.left + shift, right: r.right + shift, top: r.top, bottom: r.bottom };
      const off = own.left < box.left || own.right > box.right || own.top < box.top || own.bottom > box.bottom;
      if (off || taken.some((o) => own.left < o.right && own.right > o.left && own.top < o.bottom && own.bottom > o.top)) {
        label.setAttribute("data-hidden", "");
        continue;
      }
      if (shift) text.style.transform = "translateX(" + shift + "px)";
      taken.push(own);
    }
  }
})();
