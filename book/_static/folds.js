// A link to a claim that stands in a fold opens the fold; not every browser does so itself.
const openTarget = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target?.closest("details.rr-group:not([open])");
  if (!fold) return;
  fold.open = true;
  target.scrollIntoView();
};
window.addEventListener("DOMContentLoaded", openTarget);
window.addEventListener("hashchange", openTarget);

// A printed page shows what is folded on the screen; code stays folded, and the style leaves it out. Paper is white: what is
// dark on the screen is printed as in the light.
let opened = [];
let scheme;
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details.rr-group:not([open])")];
  for (const fold of opened) fold.open = true;
  scheme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  for (const fold of opened) fold.open = false;
  document.documentElement.dataset.theme = scheme;
});
