// The frame: dialogs, menus, keys, copying, ticks. Every page works without this file.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const say = (text) => { $("#said").textContent = text; };
  const remember = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };

  // Dialogs: htmx puts one into #dialog, here it is opened; focus goes back to where it came from ----------------------------
  let opener = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target } = event.detail;
    if (target?.id === "dialog" && !elt.closest("#dialog")) opener = elt.closest("details.h-drop")?.querySelector("summary") || elt;
    if (target?.id === "dialog") closeMenus();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "dialog") return;
    const dialog = $("dialog", event.detail.target);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    $("[aria-invalid=true]", dialog)?.focus();
  });
  const close = (dialog) => dialog?.open && dialog.close();
  document.addEventListener("close", (event) => {
    if (event.target.parentElement?.id !== "dialog") return;
    event.target.remove();
    if (opener?.isConnected) opener.focus();
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-close]");
    if (!button) return;
    event.preventDefault();
    close(button.closest("dialog"));
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.xhr.responseURL.includes("/accounts/login/")) return;
    event.detail.shouldSwap = false;                               // the session is over: the page itself asks to log in, and comes back here
    location.reload();
  });
  document.addEventListener("click", (event) => {
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (elsewhere && event.target.closest("a[hx-get]")) event.stopPropagation();   // a new tab shows the page, not the dialog
  }, true);
  document.addEventListener("htmx:responseError", (event) => failed(event));
  document.addEventListener("htmx:sendError", (event) => failed(event));
  document.addEventListener("htmx:timeout", (event) => failed(event));
  function failed(event) {
    const { elt, target, xhr, pathInfo } = event.detail;
    if (elt.id === "poll" || target?.id !== "dialog") return;
    const form = elt.closest("#dialog form");
    if (!form) {
      if (xhr.status) location.assign(pathInfo.requestPath);       // the page of the error says what is wrong
      return;
    }
    let line = $("[data-failure]", form);
    if (!line) {
      line = document.createElement("p");
      line.dataset.failure = "";
      line.className = "h-callout bad";
      line.setAttribute("role", "alert");
      $(".h-dlg-body", form).prepend(line);
    }
    line.textContent = $("#dialog").dataset.failed;
  }
  document.addEventListener("hearth:acted", (event) => {
    close($("#dialog dialog"));
    for (const box of $$("[data-list] .h-check:checked")) box.checked = false;
    bulk();
    if (event.detail.said) say(event.detail.said);
  });

  // Menus ----------------------------------------------------------------------------------------------------------------------
  function closeMenus(except) {
    for (const menu of $$("details.h-drop[open]")) if (menu !== except) menu.open = false;
  }
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.h-drop")));
  document.addEventListener("click", (event) => {
    const fold = event.target.closest("summary")?.parentElement;
    if (fold && !fold.matches(".h-drop")) fold.dataset.touched = "";
  });
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("details.h-drop")) return;
    delete menu.dataset.up;
    if (!menu.open) return;
    const box = $(".dropdown-menu", menu).getBoundingClientRect();
    if (box.bottom > innerHeight - 8 && box.top - box.height > 60) menu.dataset.up = "";
  }, true);
  function walk(event) {
    const menu = document.activeElement.closest?.("details.h-drop[open]");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!menu || !step || document.activeElement.matches("input, select")) return false;
    const items = $$(".dropdown-item", menu);
    const at = items.indexOf(document.activeElement);
    items[(at + step + items.length) % items.length]?.focus();
    return true;
  }

  // Keys -----------------------------------------------------------------------------------------------------------------------
  const keys = {
    "/": () => ($("#q").offsetParent ? $("#q") : $("[data-find]"))?.focus(),
    "?": () => $("#keys").showModal(),
    c: () => $("[data-key=c]:not([aria-disabled])")?.click(),
    a: () => $("#activity-button")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (walk(event)) return event.preventDefault();
    const menu = event.key === "Escape" && $("details.h-drop[open]");
    if (menu) {
      closeMenus();
      return $("summary", menu).focus();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-keys]")) return;
    event.preventDefault();
    keys["?"]();
  });

  // Copying --------------------------------------------------------------------------------------------------------------------
  function textOf(button) {
    if (button.dataset.copy === "page") return location.href;
    if (button.dataset.copy) return button.dataset.copy;
    const lines = $$("pre .l", button.closest("figure"));
    return lines.map((line) => [...line.childNodes].filter((node) => node.className !== "p").map((node) => node.textContent).join("").trim()).join("\n");
  }
  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");             // plain http: no clipboard interface
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    await copy(textOf(button));
    say($("#said").dataset.copied);
    const use = $("use", button);
    const before = use.getAttribute("href");
    use.setAttribute("href", before.replace(/#.*/, "#i-check"));
    setTimeout(() => use.setAttribute("href", before.replace(/#.*/, "#i-copy")), 1400);
  });

  // Ticks and the bar that says what they can do ---------------------------------------------------------------------------------
  function bulk() {
    const list = $("[data-list]");
    const bar = $("[data-bulk]");
    if (!list || !bar) return;
    const boxes = $$("tbody .h-check", list);
    const ticked = boxes.filter((box) => box.checked).map((box) => box.closest("[data-row]"));
    const all = $("thead .h-check", list);
    if (all) {
      all.checked = boxes.length > 0 && ticked.length === boxes.length;
      all.indeterminate = ticked.length > 0 && !all.checked;
    }
    const can = ticked.filter((row) => "deletable" in row.dataset);
    const gib = ticked.reduce((sum, row) => sum + Number(row.dataset.gib || 0), 0);
    $("[data-count]", bar).textContent = bar.dataset.selected.replace("{n}", ticked.length);
    $("[data-sum]", bar).textContent = `· ${gib.toLocaleString("en")} GiB`;
    const act = $("[data-act]", bar);
    const words = can.length === ticked.length ? bar.dataset.deleteAll : bar.dataset.deleteSome;
    act.textContent = words.replace("{n}", can.length).replace("{all}", ticked.length);
    const first = ticked.find((row) => row.dataset.whyNot);
    act.parentElement.title = first ? `${first.dataset.name}: ${first.dataset.whyNot}` : "";
  }
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-list] .h-check")) return;
    if (event.target.closest("thead")) for (const box of $$("[data-list] tbody .h-check")) box.checked = event.target.checked;
    bulk();
  });
  document.addEventListener("reset", () => setTimeout(bulk));
  document.addEventListener("htmx:afterSettle", bulk);

  // Small things -------------------------------------------------------------------------------------------------------------------
  document.addEventListener("hearth:theme", (event) => { document.documentElement.dataset.theme = event.detail.value; });
  document.addEventListener("change", (event) => event.target.matches("[data-submit]") && event.target.form.requestSubmit());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-slim]")) return;
    remember("slim", $("#frame").classList.toggle("slim") ? 1 : 0);
  });
  bulk();
})();
