// Loads the page again when it has changed, keeps its place, and says while the checks of what it shows still run.
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
  const notice = document.createElement("p");
  notice.setAttribute("role", "status");
  notice.style.cssText =
    "position:fixed;right:1em;bottom:1em;z-index:9;margin:0;border-radius:.4em;background:#1d3f8f;color:#fff;" +
    "font:16px/1.5 system-ui";
  document.body.append(notice);
  const look = async () => {
    try {
      const answer = document.hidden ? null : await fetch(location.href, { method: "HEAD", cache: "no-store" });
      if (answer && answer.headers.get("ETag") !== `"${tag}"`) {
        sessionStorage.setItem(key, scrollY);
        location.reload();
        return;
      }
      if (answer) {
        const running = answer.headers.get("Course-Checks") === "running";
        notice.textContent = running ? "This is what you saved. Its checks still run." : "";
        notice.style.padding = running ? ".5em 1em" : "0";
      }
    } catch {
      // The build starts anew, or has ended: ask again.
    }
    setTimeout(look, 400);
  };
  look();
})();
