// The wall's live stream: frames in, properties set, ages counted on by our own clock, connection loss said and healed.
(function () {
  const tc = (window.toancanh = window.toancanh || {});
  const RETRY_MS = [400, 1200]; // jitter: a hall full of screens does not come back in one instant
  const ASK_MS = 4000;
  const QUIET_MS = 40000; // the server gives a sign of life each 15 s; longer without one: the line may be dead without saying so
  const HEAP_BUDGET = 220e6;
  const LAYER = /-map-(areas|points|labels)$/; // map layers have no element of their own
  const LOADED_AT = Date.now();
  let source = null, root = null, texts = {}, frame = null, base = null, ages = {}, sent = {};
  let lastHeard = 0, lostAt = null, awayAt = null, retry = null, firstBuild = null, ticked = Date.now();

  const now = () => performance.now();
  // The server's time in ms, by its last frame and our monotonic clock: a wrong clock of the kiosk does not matter.
  const serverMs = () => (base ? base.server + (now() - base.at) : null);
  const cityMs = () => (frame && root.dataset.frozen ? frame.as_of / 1000 : serverMs());

  function connect() {
    clearTimeout(retry);
    if (source) source.close();
    source = new EventSource(root.dataset.stream);
    const own = source;
    lastHeard = now();
    own.onmessage = (event) => { if (own === source) receive(JSON.parse(event.data)); };
    own.addEventListener("beat", (event) => { if (own === source) beat(JSON.parse(event.data)); });
    own.onerror = () => { if (own === source) lose(); };
  }
  function lose() {
    if (lostAt === null) lostAt = now();
    if (source) { source.close(); source = null; }
    clearTimeout(retry);
    retry = setTimeout(again, RETRY_MS[0] + Math.random() * (RETRY_MS[1] - RETRY_MS[0]));
    tick();
  }
  // An event stream does not say why it was refused: a screen whose session has ended asks, and goes to the sign-in form.
  function again() {
    fetch(root.dataset.stream, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(ASK_MS) }).then((answer) => {
      if (answer.status !== 401) connect();
      else location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
    }, connect);
  }
  // Any sign of life: the server's time and its build.
  function hear(sign) {
    lastHeard = now();
    lostAt = null;
    if (firstBuild === null) firstBuild = sign.build;
    else if (sign.build !== firstBuild) tc.reloadSoon = true;
    base = { server: sign.server_at / 1000, at: now() };
  }
  // The server is there, but is its store? Then no frame comes: the picture must not call itself live. Beats alone tell it.
  function beat(sign) {
    hear(sign);
    awayAt = sign.store === "away" ? awayAt ?? now() : null;
    tick();
  }
  function receive(next) {
    hear(next);
    frame = next;
    Object.assign(ages, next.ages);
    apply(next.props);
    root.dataset.seq = next.seq;
    tick();
  }
  // Set only what differs from what was set before: a resync after a break does not redraw maps.
  function apply(props) {
    for (const [id, values] of Object.entries(props)) {
      if (!document.getElementById(id) && !LAYER.test(id)) continue; // not on this page
      const known = (sent[id] = sent[id] || {});
      const fresh = {};
      let any = false;
      for (const [name, value] of Object.entries(values)) {
        const text = JSON.stringify(value);
        if (known[name] === text) continue;
        if (name === "children" && known[name] !== undefined && id.endsWith("-value")) flash(id);
        known[name] = text;
        fresh[name] = value;
        any = true;
      }
      if (any) window.dash_clientside.set_props(id, fresh);
    }
  }
  function flash(id) {
    const node = document.getElementById(id);
    if (!node) return;
    node.removeAttribute("data-changed");
    requestAnimationFrame(() => node.setAttribute("data-changed", ""));
    setTimeout(() => node.removeAttribute("data-changed"), 1800);
  }

  // --- ages -------------------------------------------------------------------------------------------
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const two = (n) => String(n).padStart(2, "0");
  function local(ms) {
    const parts = {};
    for (const p of clock.formatToParts(new Date(ms))) parts[p.type] = p.value;
    return parts;
  }
  let clock = null;
  const clockText = (ms, withDay) => { const p = local(ms); return p.hour + ":" + p.minute + (withDay ? " " + p.day + "/" + p.month : ""); };
  function ageText(seconds) {
    if (seconds < 60) return texts.now;
    if (seconds < 3600) return fill(texts.minutes, { n: Math.floor(seconds / 60) });
    if (seconds < 86400) return fill(texts.hours, { n: Math.floor(seconds / 3600) });
    return fill(texts.days, { n: Math.floor(seconds / 86400) });
  }
  function state(entry, ms) {
    if (entry.at === null || entry.at === undefined) return "never";
    if (!entry.cadence_s) return "static";
    const lag = Math.max(0, ms - entry.at / 1000) / 1000 / entry.cadence_s;
    return lag <= 1 ? "fresh" : lag <= 2 ? "late" : lag <= 5 ? "stale" : "dead";
  }
  function put(node, text) { if (node && node.textContent !== text) node.textContent = text; }
  function agePanels(ms) {
    for (const [id, entry] of Object.entries(ages)) {
      const node = document.getElementById(id);
      if (!node) continue;
      const word = state(entry, ms);
      if (node.dataset.fresh !== word) node.dataset.fresh = word;
      const short = node.querySelector("[data-age=short]"), asof = node.querySelector("[data-age=asof]");
      const seconds = Math.max(0, ms - entry.at / 1000) / 1000;
      if (short) put(short, word === "never" ? texts.nothing : word === "static" ? clockText(entry.at / 1000, true) : ageText(seconds));
      if (asof) put(asof, word === "never" ? texts.nothing : fill(texts.asof, { at: clockText(entry.at / 1000, true) }));
    }
  }
  const CHIPS = 2; // feeds named in the strip; the rest are counted
  function ageFeeds() {
    const rank = { late: 1, stale: 2, never: 3, dead: 3 };
    const chips = Array.from(document.querySelectorAll(".wall-feeds .chip"));
    const behind = chips.filter((c) => rank[c.dataset.fresh]).sort((a, b) => rank[b.dataset.fresh] - rank[a.dataset.fresh]);
    chips.forEach((chip) => { const word = texts["state_" + chip.dataset.fresh] || ""; if (chip.dataset.word !== word) chip.dataset.word = word; });
    const box = document.querySelector(".wall-feeds"), more = document.querySelector(".feeds-more");
    put(document.querySelector(".feeds-fresh"), behind.length || root.dataset.connection !== "live" || !chips.some((c) => c.dataset.fresh) ? "" : texts.fresh);
    // name as many as there is room for, at most CHIPS; the rest is counted
    for (let named = Math.min(CHIPS, behind.length); named >= 0; named--) {
      chips.forEach((chip) => { const at = behind.indexOf(chip); chip.toggleAttribute("data-shown", at > -1 && at < named); });
      put(more, behind.length > named ? fill(texts.more, { n: behind.length - named }) : "");
      if (box.scrollWidth <= box.clientWidth + 1) break;
    }
  }
  function showConnection() {
    const since = lostAt ?? awayAt, seconds = since === null ? 0 : (now() - since) / 1000;
    const word = lostAt !== null ? "lost" : awayAt !== null ? "away" : frame ? "live" : "waiting";
    if (root.dataset.connection !== word) root.dataset.connection = word;
    const text = since !== null ? fill(texts[word], { age: seconds < 60 ? fill(texts.seconds, { n: Math.floor(seconds) }) : ageText(seconds) })
      : word === "live" ? texts.live : texts.connecting;
    put(document.getElementById("wall-connection"), text);
  }
  function showClock(ms) {
    const p = local(ms);
    put(document.getElementById("wall-clock"), p.hour + ":" + p.minute + ":" + p.second);
    put(document.querySelector(".wall-date"), p.weekday + " " + p.day + "/" + p.month + "/" + p.year);
    const off = Math.abs(Date.now() - serverMs()) / 1000;
    put(document.querySelector(".wall-offset"), off > 60 ? fill(texts.offset, { age: ageText(off) }) : "");
  }
  function tick() {
    if (!root) return;
    showConnection();
    if (base) { showClock(serverMs()); agePanels(cityMs()); ageFeeds(); }
  }

  // --- life -------------------------------------------------------------------------------------------
  function start(found) {
    root = found;
    texts = JSON.parse(root.dataset.texts);
    clock = new Intl.DateTimeFormat(root.dataset.lang === "en" ? "en-GB" : "vi-VN", { timeZone: root.dataset.zone, hourCycle: "h23",
      hour: "2-digit", minute: "2-digit", second: "2-digit", day: "2-digit", month: "2-digit", year: "numeric", weekday: "long" });
    frame = base = null; ages = {}; sent = {}; lostAt = awayAt = null;
    connect();
  }
  function stop() {
    clearTimeout(retry);
    if (source) source.close();
    source = root = null;
  }
  function reload() {
    try {
      if (Date.now() - +(sessionStorage.getItem("tc-reload") || 0) < 60000) return;
      sessionStorage.setItem("tc-reload", Date.now());
    } catch (e) { /* no storage: reload all the same */ }
    if (lostAt === null && awayAt === null) location.reload(); // else the last frame would be gone
  }
  tc.live = { reload, wantsReload: () => tc.reloadSoon || heavy() };
  function heavy() {
    return (performance.memory && performance.memory.usedJSHeapSize > HEAP_BUDGET) || (Date.now() - LOADED_AT > 20 * 3600e3 && new Date().getHours() === 3);
  }
  setInterval(() => {
    const found = document.querySelector(".wall[data-stream]");
    const ready = window.dash_clientside && window.dash_clientside.set_props;
    const slept = Date.now() - ticked > 8000;
    ticked = Date.now();
    if (!found) { if (root) stop(); return; }
    if (found !== root) { if (!ready || !document.querySelector(".scene")) return; if (root) stop(); start(found); return; }
    if (source && (slept || now() - lastHeard > QUIET_MS)) connect();
    tick();
  }, 1000);
  document.addEventListener("visibilitychange", () => { if (root && !document.hidden) connect(); });
  window.addEventListener("online", () => { if (root) connect(); });
})();
