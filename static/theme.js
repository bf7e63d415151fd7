// Runs before the first paint: "auto" becomes what the system prefers, and follows it.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const resolve = () => {
    const wanted = root.dataset.theme || "auto";
    root.dataset.bsTheme = wanted === "auto" ? (system.matches ? "dark" : "light") : wanted;
  };
  resolve();
  system.addEventListener("change", resolve);
  new MutationObserver(resolve).observe(root, { attributeFilter: ["data-theme"] });
})();
