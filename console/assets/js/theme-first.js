// Runs before the first paint, so that no page flashes in the other theme. A classic script: modules run later.
(() => {
  let kept = null;
  try {
    kept = localStorage.getItem("modstream.theme");
  } catch {
    // Storage may be forbidden; the system's theme holds then.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = kept === "dark" || kept === "light" ? kept : dark ? "dark" : "light";
  document.documentElement.dataset.theme = theme;
})();
