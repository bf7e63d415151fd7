// Forms that answer as somebody types. Nothing here decides anything: the server checks again.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);

  // What a new volume, a larger one or a snapshot takes: pale on top of what is used; amber from 90 %, red at 100 % ------------------------------------
  function preview(form) {
    const box = $("[data-preview]", form);
    if (!box) return;
    const value = (name) => Math.max(0, parseInt($(`[name=${name}]`, form)?.value, 10) || 0);
    const count = Math.max(1, value("count"));
    const grows = "from" in box.dataset;
    const size = value(grows ? "new_size" : "size");
    const asks = { gib: grows ? Math.max(0, size - Number(box.dataset.from)) : size * count, count };
    for (const meter of box.querySelectorAll("[data-bar]")) {
      const { bar, used, limit } = meter.dataset;
      const then = Number(used) + asks[bar];
      $("[data-then]", meter).textContent = then.toLocaleString("en");
      const picture = $("svg", meter);
      if (!picture) continue;
      const share = Number(limit) ? (100 * then) / Number(limit) : 100;
      const have = Number(limit) ? Math.min(100, (100 * Number(used)) / Number(limit)) : 100;
      picture.classList.toggle("bad", share > 100);
      picture.classList.toggle("warn", share >= 90 && share <= 100);
      const ask = $(".ask", picture);
      ask.setAttribute("x", `${have}%`);
      ask.setAttribute("width", `${Math.max(0, Math.min(100, share) - have)}%`);
    }
    const largest = $("[data-largest]", box);
    if (largest) largest.classList.toggle("bad", size > Number(largest.dataset.largest));
  }

  // The fingerprint that somebody pastes against the one that was offered ----------------------------------------------------
  function compare(form) {
    const said = $("#fp-ok");
    const text = $("[name=pasted]", form).value.trim();
    const found = text.match(/SHA256:[A-Za-z0-9+/]{43}/g) || [];
    const same = found.includes(form.dataset.fingerprint);
    const judged = found.length > 0 || text.length > 50;
    said.className = judged ? (same ? "good" : "bad") : "js-only";
    said.textContent = judged ? (same ? said.dataset.same : said.dataset.differs) : "";
  }

  // The red button is off, and says why, until everything that goes along is ticked and the name is typed ------------------------
  function arm(form) {
    const button = $("[data-armed]", form);
    if (!button) return;
    const ticked = [...form.querySelectorAll("[type=checkbox][name=snapshots]")].every((box) => box.checked);
    const typed = $("[name=confirm]", form).value === button.dataset.armed;
    const off = !ticked ? button.dataset.tick : typed ? "" : button.dataset.type;
    if (off) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
    const use = $("use", button);
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, off ? "#i-lock" : `#i-${button.dataset.icon}`));
    $("#why-off", form).textContent = off;
  }

  function look(target) {
    const form = target.closest?.("form");
    if (!form) return;
    preview(form);
    arm(form);
    if (form.dataset.fingerprint) compare(form);
  }
  document.addEventListener("input", (event) => {
    const field = event.target.closest(".h-field");
    field?.querySelector(".err")?.remove();                        // it spoke of what stood there before
    event.target.removeAttribute("aria-invalid");
    look(event.target);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const form = $("form", event.detail.target);
    if (form && event.detail.target.id === "dialog") look(form);
  });
  for (const form of document.querySelectorAll("form")) look(form.firstElementChild || form);

  // A button that is off does nothing, however it is pressed -------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[aria-disabled=true]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
})();
