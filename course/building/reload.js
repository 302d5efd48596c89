// Loads the page again when it has changed, and keeps its place.
(() => {
  const tag = document.currentScript.dataset.tag;
  const key = `place of ${location.pathname}`;
  const kept = sessionStorage.getItem(key);
  if (kept !== null) {
    sessionStorage.removeItem(key);
    history.scrollRestoration = "manual";
    const restore = () => scrollTo({ top: Number(kept), behavior: "instant" });
    restore();
    addEventListener("load", restore);
  }
  const look = async () => {
    try {
      const answer = document.hidden ? null : await fetch(location.href, { method: "HEAD", cache: "no-store" });
      if (answer && answer.headers.get("ETag") !== `"${tag}"`) {
        sessionStorage.setItem(key, scrollY);
        location.reload();
        return;
      }
    } catch {
      // The build starts anew, or has ended: ask again.
    }
    setTimeout(look, 400);
  };
  setTimeout(look, 400);
})();
