/* The session of whoever is signed in. While nobody touches a desk page, what it fetches by itself is no use of the session
   (auth/requests.py, UNATTENDED); once the session has ended, the page goes to the sign-in form rather than grow old. */
(function () {
  "use strict";
  const AWAY_MS = 60000, EASY_MS = 5000, CHECK_MS = 10000;
  const MARK = "toancanh_unattended=1; path=/; samesite=lax";
  let touched = performance.now(), cleared = -Infinity;

  function clear() {
    touched = performance.now();
    if (touched - cleared < EASY_MS) { return; } // another tab may have set it: cleared again and again, but not at each key
    cleared = touched;
    document.cookie = MARK + "; max-age=0";
  }
  function check() {
    if (!document.querySelector(".desk") || performance.now() - touched < AWAY_MS) { return; } // a wall is watched, not touched
    document.cookie = MARK;
    cleared = -Infinity;
  }
  ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"].forEach(function (kind) {
    document.addEventListener(kind, clear, { passive: true });
  });
  clear();
  setInterval(check, CHECK_MS);

  const plain = window.fetch;
  window.fetch = function (asked) {
    return plain.apply(this, arguments).then(function (answer) {
      if (answer.status === 401 && String(asked.url || asked).includes("/_dash-update-component")) {
        location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
        return new Promise(function () {}); // the page is leaving: Dash need not make a fault of the refusal
      }
      return answer;
    });
  };
}());
