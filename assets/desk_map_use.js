// How the map page is used: what is in view is asked of the server, by box and zoom; picking, drawing around, days and their replay.
// Nothing is fetched here: what a reader does goes into the page's stores, Dash asks, and the layers draw what comes back.
(function () {
  "use strict";
  const tc = (window.toancanh = window.toancanh || {});
  const PAD = 0.3, ASK_MS = 120, ADDRESS_MS = 400, STEP_MS = 700, WAIT_MS = 8000, NEAR_PX = 30, CLOSE_PX = 14, MOST_CORNERS = 24;
  let map = null, box = null, texts = {}, asked = null, token = 0, timer = null, opening = false, writing = null, day = "", top = 0;
  let kept = {};        // the view and day of the map shown before in this window, for the next one under other filters
  let draw = null;      // {kind, corners, layer}
  let replay = null;
  const set = (id, data) => window.dash_clientside && window.dash_clientside.set_props(id, { data: data });
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const page = () => new URLSearchParams(location.search);

  function say(key, values) {
    let text = texts[key] || "";
    Object.keys(values || {}).forEach((name) => { text = text.replace("{" + name + "}", new Intl.NumberFormat(box.dataset.lang).format(values[name])); });
    return text;
  }
  const put = (name, text) => { const node = box && box.querySelector(name); if (node && node.textContent !== text) { node.textContent = text; } };
  const hover = (text) => put(".m-hover", text);
  const hint = (text) => put(".m-hint", text);

  // ---- beginning: once for every map that is made ----
  function begin(made) {
    if (map === made) { return; }
    map = made;
    box = map.getContainer().closest(".m-map");
    texts = JSON.parse(box.dataset.texts);
    asked = null; stop(); draw = null; top = 0; clearTimeout(writing);
    map.on("moveend zoomend", moved);
    map.on("move", () => later(false));
    map.on("resize", moved);
    map.getContainer().addEventListener("keydown", key, true);
    box.addEventListener("pointerdown", down, true);
    box.addEventListener("pointermove", over, true);
    box.addEventListener("pointerup", up, true);
    setTimeout(() => { if (made === map) { open(); } }, 0);
  }

  // nothing is written into the address meanwhile: Dash is still reading it
  function open() {
    opening = true;
    map.invalidateSize(false);
    const given = (page().get("view") || "").split(",").map(Number);
    const same = kept.area === box.dataset.area && kept.place === box.dataset.bounds;
    if (given.length === 3 && given.every(Number.isFinite)) { map.setView([given[1], given[0]], given[2], { animate: false }); }
    else if (same && kept.view) { map.setView(kept.view.at, kept.view.zoom, { animate: false }); }
    else { home(); }
    days();
    moved();
    opening = false;
  }

  function home() {
    const bounds = JSON.parse(box.dataset.bounds);
    if (bounds) { map.fitBounds(bounds, { animate: false, padding: [12, 12] }); }
  }

  // ---- what is in view ----
  function moved() {
    const at = map.getCenter(), zoom = map.getZoom();
    kept = { area: box.dataset.area, place: box.dataset.bounds, period: page().get("period"), view: { at: [at.lat, at.lng], zoom: zoom }, day: day };
    if (!opening) { clearTimeout(writing); writing = setTimeout(() => address({ view: [at.lng.toFixed(4), at.lat.toFixed(4), zoom].join(",") }), ADDRESS_MS); }
    const seen = map.getBounds();
    box.classList.toggle("m-national", seen.getNorth() - seen.getSouth() >= Number(box.dataset.national));
    later(true);
  }

  // the address tells what is seen, without loading the page anew; Dash's own note of it too, or it would put the old one back
  function address(changes) {
    if (!document.contains(box)) { return; }
    const query = page();
    Object.keys(changes).forEach((name) => { if (changes[name]) { query.set(name, changes[name]); } else { query.delete(name); } });
    const search = "?" + query.toString().replace(/%2C/g, ",");
    if (search === location.search) { return; }
    history.replaceState(history.state, "", location.pathname + search + location.hash);
    window.dash_clientside.set_props("desk-url", { search: search, href: location.href });
  }

  // while the map is dragged only when it leaves what is known
  function later(always) {
    if (timer && !always) { return; }
    clearTimeout(timer);
    timer = setTimeout(() => { timer = null; ask(false); }, ASK_MS);
  }

  function ask(force) {
    if (!map || !document.contains(box)) { return; }
    const seen = map.getBounds(), zoom = map.getZoom();
    if (!force && asked && asked.zoom === zoom && asked.day === day && asked.bounds.contains(seen)) { return; }
    const wide = seen.pad(PAD), fresh = !asked || asked.day !== day || many();
    token += 1;
    asked = { zoom: zoom, day: day, bounds: wide, token: token, at: performance.now() };
    const round = (value) => Math.round(value * 1e5) / 1e5;
    set("map-asked", { box: [wide.getWest(), wide.getSouth(), wide.getEast(), wide.getNorth()].map(round), zoom: zoom, day: day, token: token, fresh: fresh });
  }

  // ---- picking ----
  function pick(what) {
    if (draw) { return; }
    set("map-picked", Object.assign({ day: day, again: Date.now() }, what));
  }
  // a cluster opens: nearer while that tells its reports apart; its rows are one link away in any case
  function opened(p, own) {
    if (draw) { return; }
    hover("");
    if (p.f) { pick({ kind: "report", feed: p.f, id: p.i }); return; }
    pick({ kind: "box", box: p.b });
    const bounds = window.L.latLngBounds([p.b[1], p.b[0]], [p.b[3], p.b[2]]);
    const zoom = Math.min(map.getBoundsZoom(bounds, false, window.L.point(60, 60)), map.getMaxZoom());
    if (zoom > map.getZoom()) { map.setView(bounds.getCenter(), Math.min(zoom, map.getZoom() + 3), { animate: false }); }
  }

  // with the keyboard the middle of the map is the pointer
  function middle() {
    const at = map.getSize().divideBy(2), found = { far: Infinity, layer: null, area: null };
    map.eachLayer((layer) => {
      if (layer.options.tcDraw) {
        const far = map.latLngToContainerPoint(layer.getLatLng()).distanceTo(at) - layer.getRadius();
        if (far < found.far) { found.far = far; found.layer = layer; }
      } else if (layer.feature && layer.options.interactive !== false && layer._containsPoint && layer._containsPoint(map.containerPointToLayerPoint(at))) {
        found.area = layer;
      }
    });
    const layer = found.far <= NEAR_PX ? found.layer : found.area;
    if (layer) { layer.fire("click", { latlng: map.getCenter(), originalEvent: new Event("click") }); } else { hint(say("nothing_here")); }
  }

  // arrows move at once: the middle is where a key pressed next means it to be
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const KEYS = {
    Enter: () => (draw ? finish() : middle()), Escape: () => { cancel(); hint(""); }, " ": () => draw && corner(map.getCenter()),
    Backspace: () => draw && undo(),
  };
  function key(event) {
    if (event.target !== map.getContainer()) { return; }
    const arrow = ARROWS[event.key], far = event.shiftKey ? 240 : 80;
    if (!arrow && !KEYS[event.key]) { return; }
    event.preventDefault(); event.stopPropagation();
    if (arrow) { map.panBy([arrow[0] * far, arrow[1] * far], { animate: false }); if (draw && draw.corners.length) { shape(map.getCenter()); } return; }
    KEYS[event.key]();
  }

  // ---- drawing ----
  function start(kind) {
    cancel();
    if (kind === "view") { const b = map.getBounds(); told([b.getSouthWest(), b.getSouthEast(), b.getNorthEast(), b.getNorthWest()]); return; }
    const look = Object.assign(tc.deskDrawn(), { interactive: false });
    draw = { kind: kind, corners: [], layer: window.L.polygon([], look).addTo(map), from: null };
    box.classList.add("m-drawing");
    map.dragging.disable();
    pressed(kind);
    hint(say("draw_" + kind));
    map.getContainer().focus({ preventScroll: true });
  }
  function cancel() {
    if (!draw) { return; }
    draw.layer.remove(); draw = null;
    box.classList.remove("m-drawing");
    map.dragging.enable();
    pressed(""); hint("");
  }
  function pressed(kind) { document.querySelectorAll("[data-draw]").forEach((node) => node.setAttribute("aria-pressed", String(node.dataset.draw === kind))); }
  const rectangle = (a, b) => [a, window.L.latLng(a.lat, b.lng), b, window.L.latLng(b.lat, a.lng)];
  function corner(at) {
    if (draw.kind === "box") {
      if (draw.corners.length) { draw.corners = rectangle(draw.corners[0], at); finish(); return; }
      draw.corners = [at]; shape(at); return;
    }
    const first = draw.corners[0];
    const isClosed = draw.corners.length > 2 && map.latLngToContainerPoint(first).distanceTo(map.latLngToContainerPoint(at)) < CLOSE_PX;
    if (isClosed || draw.corners.length >= MOST_CORNERS) { finish(); return; }
    draw.corners.push(at); shape(at);
  }
  function undo() { draw.corners.pop(); shape(map.getCenter()); }
  function shape(to) {
    const first = draw.corners[0];
    draw.layer.setLatLngs(draw.kind === "box" && first ? rectangle(first, to) : draw.corners.concat([to]));
  }
  function finish() {
    const corners = draw.corners;
    if (corners.length < 3) { return; }
    cancel();
    told(corners);
  }
  // what was drawn is a filter like any other: the page is asked for anew, the view stays
  function told(corners) {
    const query = page();
    ["view", "day"].forEach((name) => query.delete(name));
    query.set("within", corners.map((at) => at.lng.toFixed(5) + "," + at.lat.toFixed(5)).join("_"));
    clearTimeout(writing);
    window.dash_clientside.set_props("desk-url", { search: "?" + query.toString() });
  }

  const inside = (event) => draw && event.isPrimary && event.target.closest && !event.target.closest(".m-buttons");
  const where = (event) => map.mouseEventToLatLng(event);
  function down(event) {
    if (!inside(event)) { return; }
    event.stopPropagation();
    if (draw.kind === "box") { draw.from = where(event); draw.corners = [draw.from]; }
    if (box.setPointerCapture && event.pointerId) { try { box.setPointerCapture(event.pointerId); } catch (fault) { /* the pointer is gone already */ } }
  }
  function over(event) {
    if (!inside(event) || (!draw.from && !draw.corners.length)) { return; }
    shape(where(event));
  }
  function up(event) {
    if (!inside(event)) { return; }
    event.stopPropagation();
    const at = where(event);
    if (draw.kind === "polygon") { corner(at); return; }
    const far = draw.from && map.latLngToContainerPoint(draw.from).distanceTo(map.latLngToContainerPoint(at));
    if (far > CLOSE_PX) { corner(at); } else { draw.from = null; draw.corners = []; draw.layer.setLatLngs([]); }
  }

  // ---- days ----
  const bar = () => document.querySelector(".m-time");
  const known = () => JSON.parse(bar().dataset.days);
  function days() {
    day = "";
    if (!bar()) { return; }
    const wanted = page().get("day") || (kept.period === page().get("period") ? kept.day : "") || "";
    const number = known().findIndex((row) => row[0] === wanted);
    look(number);
    if (number >= 0) { show(number, bar().dataset.at !== wanted); }
    if (still()) { put2(".m-play", texts.step); }
  }
  const slider = () => bar() && bar().querySelector("input[type=range]");
  function put2(name, text) { const node = bar() && bar().querySelector(name); if (node) { node.textContent = text; } }
  function look(number) {
    put2(".m-day", number < 0 ? "" : known()[number][1]);
    bar().classList.toggle("m-on", number >= 0);
  }
  function show(number, areas) {
    day = number < 0 ? "" : known()[number][0];
    look(number);
    if (number >= 0 && slider() && Number(slider().value) !== number) { slider().value = number; }
    if (!opening) { address({ day: day }); }
    kept.day = day;
    top = Math.max(top, (tc.deskAreas || {}).top || 0);
    if (areas !== false) { set("map-at", { day: day, top: day ? top0() : 0, again: Date.now() }); }
    ask(true);
  }
  // counts of single days are compared with each other, not with those of the whole period
  function top0() { replayTop = Math.max(replayTop, day && (tc.deskAreas || {}).day ? (tc.deskAreas || {}).top || 0 : 0); return replayTop; }
  let replayTop = 0;

  function play() {
    if (replay) { stop(); return; }
    const count = known().length, from = day ? Number(slider().value) : -1;
    if (still()) { show((from + 1) % count); return; }
    replay = { at: from >= count - 1 ? -1 : from };
    put2(".m-play", texts.pause);
    advance();
  }
  function stop() {
    if (!replay) { return; }
    clearTimeout(replay.timer); replay = null;
    put2(".m-play", texts.play);
  }
  // the next day when this one is drawn, and no sooner than a reader can look at it
  function advance() {
    if (!replay || !bar()) { stop(); return; }
    replay.at += 1;
    if (replay.at >= known().length) { stop(); return; }
    show(replay.at);
    const since = performance.now();
    (function wait() {
      if (!replay) { return; }
      const spent = performance.now() - since, is = answered() === String(token);
      if ((is && spent >= STEP_MS) || spent > WAIT_MS) { advance(); } else { replay.timer = setTimeout(wait, 50); }
    })();
  }
  // more stations than are sent at once: each view has its own
  function many() { const node = document.querySelector("#map-answered [data-fresh='1']"); return Boolean(node); }
  function answered() { const node = document.querySelector("#map-answered [data-token]"); return node ? node.dataset.token : ""; }

  document.addEventListener("input", (event) => {
    if (!event.target.closest || !event.target.closest(".m-time") || event.target.type !== "range") { return; }
    stop(); show(Number(event.target.value));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.closest && event.target.closest(".m-time input")) { event.preventDefault(); play(); }
  });
  document.addEventListener("click", (event) => {
    const node = event.target.closest && event.target.closest("[data-map],[data-draw],[data-time]");
    if (!node || !map) { return; }
    if (node.dataset.map === "home") { home(); }
    if (node.dataset.map === "in") { map.zoomIn(); }
    if (node.dataset.map === "out") { map.zoomOut(); }
    if (node.dataset.draw) { if (draw && draw.kind === node.dataset.draw) { cancel(); } else { start(node.dataset.draw); } }
    if (node.dataset.time === "play") { play(); }
    if (node.dataset.time === "all") { stop(); replayTop = 0; show(-1); }
  });

  tc.deskUse = { begin: begin, hover: hover, say: say, pick: pick, open: opened };
})();
