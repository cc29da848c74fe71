// Keeps a page fresh: asks again every few seconds while it is in view and swaps <main> when the
// page has changed. A form that somebody is filling in is left alone.
(() => {
  "use strict";
  const PAUSE = 3000, LONGEST = 30000;
  const main = () => document.querySelector("main");
  const news = document.getElementById("news");
  if (!main() || !main().dataset.etag || !news) return;
  let pause = PAUSE, stopped = false;

  const inUse = () => [...main().querySelectorAll("form")].some((form) =>
    form.contains(document.activeElement) && document.activeElement.tagName !== "BUTTON" ||
    [...form.elements].some((field) =>
      field.tagName === "SELECT" ? field.selectedIndex > 0 :
      ["text", "number", "textarea"].includes(field.type) ? field.value !== field.defaultValue : false));

  const swap = (page) => {
    const fresh = page.querySelector("main");
    if (!fresh) return;
    if (inUse()) {
      main().dataset.etag = fresh.dataset.etag;
      news.hidden = false;
      return;
    }
    for (const old of main().querySelectorAll("details[id]")) {
      const same = fresh.querySelector("#" + CSS.escape(old.id));
      if (same) same.open = old.open;
    }
    const focus = document.activeElement && document.activeElement.id;
    const said = document.getElementById("said");
    if (said && fresh.dataset.state !== main().dataset.state) said.textContent = page.title;
    main().replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    news.hidden = true;
  };

  const ask = async () => {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(location.href, { headers: { "If-None-Match": main().dataset.etag }, cache: "no-store" });
        if (answer.status === 200) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
        else if (answer.status >= 400 && answer.status < 500) { stopped = true; news.hidden = false; }
        pause = answer.status < 500 ? PAUSE : Math.min(pause * 2, LONGEST);
      } catch {
        pause = Math.min(pause * 2, LONGEST);
      }
    }
    if (!stopped) setTimeout(ask, pause);
  };
  document.addEventListener("visibilitychange", () => { pause = PAUSE; });
  setTimeout(ask, pause);
})();
