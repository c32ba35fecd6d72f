// Before anything is drawn, so that nothing flashes in the other scheme.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("kubeserve.theme");
  } catch (refused) {
    chosen = null; // storage is off: the system's scheme
  }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
