// How features of the map page look. Referred to by name from components/desk_map.py; how the map is used is in desk_map_use.js.
(function () {
  "use strict";
  const tc = (window.toancanh = window.toancanh || {});
  const SPANS = ["--bad", "--near", "--trace", "--good", null, "--line"];  // as metrics/city/places.py SPANS; null = a ring
  let colours = {}, readAt = 0, Mark = null;

  // read from the page's own theme, once for many features
  function css(name) {
    if (performance.now() - readAt > 15000) { colours = {}; readAt = performance.now(); }
    if (!(name in colours)) { colours[name] = getComputedStyle(document.querySelector(".desk") || document.documentElement).getPropertyValue(name).trim(); }
    return colours[name];
  }
  tc.deskColour = css;
  const use = (name, ...given) => tc.deskUse && tc.deskUse[name](...given);

  // ---- areas ----
  tc.deskArea = (feature, context) => {
    const hideout = (context && context.hideout) || {};
    tc.deskAreas = hideout;
    const step = (hideout.steps || {})[feature.properties.code];
    const known = step !== undefined, chosen = hideout.chosen === feature.properties.code;
    return {
      fill: true, fillColor: known ? css("--" + hideout.palette + "-" + step) : css("--panel"), fillOpacity: known ? (hideout.isFaint ? 0.3 : 0.9) : 0.35,
      color: chosen ? css("--ink") : known ? css("--border") : css("--trace"), weight: chosen ? 2.5 : 1, dashArray: known || chosen ? null : "3 3", opacity: 1,
    };
  };
  tc.deskAreaAdded = (feature, layer) => {
    const code = feature.properties.code;
    layer.on("mouseover", () => { layer.setStyle({ weight: 2.5, color: css("--ink") }); use("hover", (tc.deskAreas.words || {})[code] || ""); });
    layer.on("mouseout", () => { layer.setStyle(tc.deskArea(feature, { hideout: tc.deskAreas })); use("hover", ""); });
    layer.on("click", (event) => { window.L.DomEvent.stopPropagation(event); use("pick", { kind: "area", code: code }); });
  };

  tc.deskDrawn = () => ({ fill: true, fillColor: css("--focus"), fillOpacity: 0.08, color: css("--focus"), weight: 2.5, dashArray: "7 5", opacity: 1 });

  // ---- density ----
  tc.deskSquare = (feature) => ({ fill: true, fillColor: css("--tide-" + feature.properties.k), fillOpacity: 0.82, stroke: true, color: css("--panel"), weight: 0.5 });
  tc.deskSquareAdded = (feature, layer) => {
    const p = feature.properties;
    layer.on("mouseover", () => use("hover", p.n === null ? use("say", "withheld_cell") : use("say", "in_cell", { n: p.n })));
    layer.on("mouseout", () => use("hover", ""));
    layer.on("click", (event) => { window.L.DomEvent.stopPropagation(event); use("pick", { kind: "box", box: p.b }); });
  };

  // ---- reports and stations: drawn by our own hand on leaflet's canvas ----
  function marks() {
    if (Mark) { return Mark; }
    const L = window.L;
    L.Canvas.include({
      _tcDraw(layer) {
        if (!this._drawing || layer._empty()) { return; }
        this._ctx.setLineDash([]); this._ctx.globalAlpha = 1; this._ctx.lineJoin = "miter";
        layer.options.tcDraw(this._ctx, layer._point, layer._radius, layer.options);
      },
    });
    Mark = L.CircleMarker.extend({ _updatePath() { this._renderer._tcDraw(this); } });
    return Mark;
  }

  function cluster(ctx, at, radius, options) {
    const total = options.tcTotal, inner = radius - 4.5;
    ctx.beginPath(); ctx.arc(at.x, at.y, radius + 1, 0, 7); ctx.fillStyle = css("--panel"); ctx.fill();
    let from = -Math.PI / 2;
    options.tcSpans.forEach((n, number) => {
      if (!n) { return; }
      const to = from + (2 * Math.PI * n) / total;
      ctx.beginPath(); ctx.arc(at.x, at.y, radius - 2.25, from, to);
      ctx.lineWidth = SPANS[number] ? 4.5 : 1.5; ctx.strokeStyle = css(SPANS[number] || "--trace"); ctx.stroke();
      from = to;
    });
    ctx.beginPath(); ctx.arc(at.x, at.y, inner, 0, 7); ctx.fillStyle = css("--panel"); ctx.fill();
    ctx.fillStyle = css("--ink"); ctx.textAlign = "center"; ctx.textBaseline = "middle";
    ctx.font = "600 " + Math.round(Math.max(11, inner * 0.78)) + "px " + css("--font");
    ctx.fillText(total > 9999 ? Math.round(total / 1000) + "k" : String(total), at.x, at.y + 0.5);
  }

  // one report: the shape tells the span too
  function single(ctx, at, radius, options) {
    const span = options.tcSpans.findIndex((n) => n > 0), r = radius;
    ctx.beginPath();
    if (span === 0) { ctx.rect(at.x - r * 0.85, at.y - r * 0.85, r * 1.7, r * 1.7); }
    else if (span === 1) { ctx.moveTo(at.x, at.y - r * 1.15); ctx.lineTo(at.x + r * 1.1, at.y + r * 0.85); ctx.lineTo(at.x - r * 1.1, at.y + r * 0.85); ctx.closePath(); }
    else { ctx.arc(at.x, at.y, r * 0.9, 0, 7); }
    ctx.lineWidth = SPANS[span] ? 1.25 : 2;
    ctx.fillStyle = css(SPANS[span] || "--panel"); ctx.strokeStyle = css(SPANS[span] ? "--panel" : "--trace"); ctx.fill(); ctx.stroke();
  }

  tc.deskSpot = (feature, latlng) => {
    const p = feature.properties, many = p.n > 1;
    const radius = many ? Math.min(28, 11 + 4 * Math.log10(p.n) + (p.n > 99 ? 2 : 0)) : 6.5;
    return new (marks())(latlng, { radius: radius, tcDraw: many ? cluster : single, tcSpans: p.s, tcTotal: p.n, bubblingMouseEvents: false });
  };
  tc.deskSpotAdded = (feature, layer, context) => {
    const p = feature.properties;
    layer.on("mouseover", () => {
      const late = p.s[0] ? " · " + use("say", "overdue_here", { n: p.s[0] }) : "";
      use("hover", (p.n > 1 ? use("say", "reports_here", { n: p.n }) : use("say", "one_report")) + late);
    });
    layer.on("mouseout", () => use("hover", ""));
    layer.on("click", () => use("open", p, context && context.map));
  };

  function station(ctx, at, radius, options) {
    const r = radius;
    ctx.beginPath(); ctx.moveTo(at.x, at.y - r); ctx.lineTo(at.x + r, at.y); ctx.lineTo(at.x, at.y + r); ctx.lineTo(at.x - r, at.y); ctx.closePath();
    ctx.fillStyle = css("--aqi-" + options.tcKind.replace("_", "-")); ctx.globalAlpha = options.tcQuiet ? 0.35 : 1; ctx.fill(); ctx.globalAlpha = 1;
    ctx.lineWidth = 1.25; ctx.strokeStyle = css(options.tcQuiet ? "--ink" : "--panel"); ctx.setLineDash(options.tcQuiet ? [2, 2] : []); ctx.stroke(); ctx.setLineDash([]);
  }
  tc.deskStation = (feature, latlng, context) => {
    const p = feature.properties, far = context && context.map && context.map.getZoom() < 8 ? 0.6 : 1;
    return new (marks())(latlng, { radius: (p.a === null ? 5 : 9) * far, tcDraw: station, tcKind: p.c, tcQuiet: p.q, bubblingMouseEvents: false });
  };
  tc.deskStationAdded = (feature, layer) => {
    const p = feature.properties;
    layer.on("mouseover", () => use("hover", p.t + (p.a === null ? "" : " · VN_AQI " + p.a)));
    layer.on("mouseout", () => use("hover", ""));
    layer.on("click", () => use("pick", { kind: "station", feed: p.f, id: p.i }));
  };

  // ---- words a view of the country carries ----
  tc.deskLabel = (feature, latlng) => {
    const text = document.createElement("b");
    text.textContent = feature.properties.text;
    return new window.L.Marker(latlng, { icon: new window.L.DivIcon({ className: "m-label", html: text, iconSize: [0, 0] }), interactive: false, keyboard: false });
  };
  tc.deskReady = (feature, layer, context) => { if (context && context.map) { use("begin", context.map); } };
})();
