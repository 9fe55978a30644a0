// Rotation of the wall's scenes: dwell, progress, pause, keys. All scenes stay mounted; only one is visible.
(function () {
  const tc = (window.toancanh = window.toancanh || {});
  const PAUSE_S = 300; // a touch stops the rotation for this long, so that a forgotten touch does not stop it for ever
  let root = null, names = {}, order = [], active = null, elapsed = 0, pausedFor = 0, texts = {};

  const section = (key) => document.getElementById("scene-" + key);
  const shown = () => { const full = order.filter((k) => section(k) && !section(k).hasAttribute("data-empty")); return full.length ? full : order; };

  function show(key) {
    active = key;
    elapsed = 0;
    order.forEach((k) => section(k) && section(k).toggleAttribute("data-active", k === key));
    const title = root.querySelector(".wall-scene-name");
    if (title) title.textContent = names[key];
    draw();
  }
  function step(by) {
    const keys = shown();
    const at = keys.indexOf(active);
    if (keys.length) show(keys[(at + by + keys.length) % keys.length]);
  }
  function draw() {
    const box = root.querySelector(".dwell");
    if (!box) return;
    const keys = shown();
    const rotates = root.dataset.rotate === "1" && !root.dataset.pinned;
    if (box.children.length !== keys.length + 1) {
      box.replaceChildren(...keys.map(() => document.createElement("i")), Object.assign(document.createElement("span"), { className: "paused" }));
    }
    keys.forEach((key, n) => {
      const done = key !== active ? 0 : rotates && pausedFor <= 0 ? Math.min(1, elapsed / +root.dataset.dwell) : 1;
      box.children[n].style.setProperty("--done", done.toFixed(3));
    });
    box.lastChild.textContent = rotates && pausedFor > 0 ? texts.paused : "";
  }
  function begin(found) {
    root = found;
    names = JSON.parse(root.dataset.scenes);
    texts = JSON.parse(root.dataset.texts);
    order = Object.keys(names);
    pausedFor = 0;
    show(root.dataset.pinned || order[0]);
  }
  function toggle() { pausedFor = pausedFor > 0 ? 0 : PAUSE_S; draw(); }

  setInterval(() => {
    const found = document.querySelector(".wall[data-stream]");
    if (!found) { root = null; return; }
    if (found !== root) begin(found);
    if (pausedFor > 0) pausedFor -= 1;
    else if (root.dataset.rotate === "1" && !root.dataset.pinned) {
      elapsed += 1;
      if (elapsed >= +root.dataset.dwell) {
        if (tc.live && tc.live.wantsReload()) tc.live.reload();
        step(1);
      }
    } else if (tc.live && tc.live.wantsReload()) tc.live.reload();
    if (section(active) && section(active).hasAttribute("data-empty") && !root.dataset.pinned && shown()[0] !== active && shown().indexOf(active) < 0) step(1);
    draw();
  }, 1000);
  document.addEventListener("keydown", (event) => {
    if (!root || event.target.closest("input, textarea, select")) return;
    if (event.key === "ArrowRight") step(1);
    else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === " ") toggle();
    else return;
    event.preventDefault();
  });
  document.addEventListener("pointerdown", () => { if (root && root.dataset.rotate === "1" && !root.dataset.pinned) toggle(); });
})();
