// Sets the chosen colours before anything is painted. A plain script on purpose: modules run too late for that.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem('signalbox-theme'); } catch { /* No storage, no choice. */ }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
