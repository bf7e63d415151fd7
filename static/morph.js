// An htmx swap that changes a piece of the page in place. Ticks, typed text, focus, open menus and folds stay as the person left them.
(() => {
  const key = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || "" : "");
  const same = (from, to) => from.nodeType === to.nodeType && from.nodeName === to.nodeName && key(from) === key(to);

  /** What belongs to the person, not to the server. */
  function keeps(element, name) {
    if (name === "hx-swap-oob") return true;
    if (name === "data-touched" || name === "data-up") return true;
    if (element.nodeName === "DETAILS" && name === "open") return element.classList.contains("h-drop") || "touched" in element.dataset;
    if (element.nodeName === "DIALOG" && name === "open") return true;
    return element.nodeName === "INPUT" && (name === "checked" || name === "value") && element.type !== "hidden";
  }

  function attributes(from, to) {
    for (const { name, value } of to.attributes) if (!keeps(from, name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
    for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !keeps(from, name)) from.removeAttribute(name);
  }

  function children(from, to) {
    const keyed = new Map();
    for (const child of from.childNodes) if (key(child)) keyed.set(key(child), child);
    let at = from.firstChild;
    for (const next of [...to.childNodes]) {
      const match = key(next) ? keyed.get(key(next)) : at && same(at, next) ? at : null;
      if (match && same(match, next)) {
        if (match === at) at = at.nextSibling;
        else from.insertBefore(match, at);
        morph(match, next);
      } else {
        from.insertBefore(next, at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function morph(from, to) {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.isEqualNode(to)) return;
    attributes(from, to);
    children(from, to);
  }

  htmx.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap(style, target, fragment) {
      if (style !== "morph") return false;
      const to = fragment.nodeType === Node.DOCUMENT_FRAGMENT_NODE ? fragment.firstElementChild : fragment;
      const focused = document.activeElement;
      morph(target, to);
      if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
      return [target];
    },
  });
})();
