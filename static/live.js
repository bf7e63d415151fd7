// One request a tick refreshes everything on the page that moves. Nothing is asked while all rests.
(() => {
  const AT_ONCE = 50;                      // rows named in one request
  let timer = 0, failures = 0, ticks = 0, from = 0, last = Date.now();
  let again = false;                       // one more look after the last movement: two queries may have disagreed
  let also = [];                           // rows that somebody just acted on
  const had = Boolean(document.querySelector("[data-list] tbody"));
  const poll = () => document.getElementById("poll");

  function pause() {
    const node = poll();
    if (failures) return Math.min(30000, 1000 * 2 ** failures);
    const moving = Number(node.dataset.moving) > 0;
    const once = again && !moving;
    again = moving;
    if (moving || once) return document.hidden ? 15000 : ticks < 120 ? 1000 : 2000;
    return Number(node.dataset.every || 0) * 1000 * (document.hidden ? 4 : 1);
  }

  function plan() {
    clearTimeout(timer);
    const wait = poll() && pause();
    if (wait) timer = setTimeout(tick, wait);
  }

  function tick() {
    clearTimeout(timer);
    ticks += 1;
    htmx.trigger(poll(), "tick");
  }

  /** The rows to ask for: those acted on, and the moving ones, in turns when there are many. */
  function rows() {
    const moving = [...document.querySelectorAll("[data-row][data-moving]")].map((row) => row.dataset.row);
    if (from >= moving.length) from = 0;
    const turn = moving.slice(from, from + AT_ONCE);
    from += AT_ONCE;
    const here = also.filter((id) => document.querySelector(`[data-row="${CSS.escape(id)}"]`));    // what was acted on may have no row on this page
    const asked = [...new Set([...here, ...turn])];
    also = [];
    return asked.join(",");
  }

  function stale() {
    const since = new Date(last).toISOString().slice(11, 16);
    for (const mark of document.querySelectorAll(".h-live")) {
      mark.classList.add("stale");
      mark.classList.remove("rest");
      mark.textContent = `${poll().dataset.stale} ${since}`;
    }
  }

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id === "poll") event.detail.parameters.rows = rows();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "poll") return;
    if (event.detail.successful) {
      failures = 0;
      last = Date.now();
      if (had && !document.querySelector("[data-list] tbody")) location.reload();   // the last row went: the empty page has words for it
    } else {
      failures += 1;
      stale();
    }
    plan();
  });
  function acted(event) {
    also.push(...(event.detail.rows || []));
    ticks = 0;
    tick();
  }
  document.addEventListener("hearth:acted", acted);                // done, the dialog closes
  document.addEventListener("hearth:moved", acted);                // done in part, the dialog says which
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && (Number(poll().dataset.moving) || Date.now() - last > 30000)) tick();
  });
  plan();
})();
