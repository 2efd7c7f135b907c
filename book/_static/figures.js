// A figure of many panels is small on a telephone: touched, it opens alone, where it can be enlarged; it is of vectors.
window.addEventListener("DOMContentLoaded", () => {
  for (const image of document.querySelectorAll(".bd-article figure img")) {
    if (image.closest("a")) continue;
    const link = document.createElement("a");
    link.href = image.src;
    link.className = "rr-alone";
    image.replaceWith(link);
    link.append(image);
  }
});
