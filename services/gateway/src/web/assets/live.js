// Keeps a page fresh: asks again every few seconds while it is in view and swaps <main> when the
// page has changed. A form that somebody is filling in is left alone. And single keys that lead to
// what can also be clicked; none of them decides.
(() => {
  "use strict";
  const PAUSE = 3000, LONGEST = 30000;
  const main = () => document.querySelector("main");
  const news = document.getElementById("news");
  const rows = () => [...document.querySelectorAll("a.row")];
  let pause = PAUSE, stopped = !main()?.dataset.etag;

  const inUse = () => [...main().querySelectorAll("form")].some((form) =>
    form.contains(document.activeElement) && document.activeElement.tagName !== "BUTTON" ||
    [...form.elements].some((field) =>
      field.tagName === "SELECT" ? ![...field.options].every((option) => option.selected === option.defaultSelected || !field.value && !option.value) :
      ["text", "search", "number", "textarea"].includes(field.type) ? field.value !== field.defaultValue : false));

  const swap = (page) => {
    const fresh = page.querySelector("main");
    if (!fresh?.dataset.etag) return stop();
    if (inUse()) {
      main().dataset.etag = fresh.dataset.etag;
      news.hidden = false;
      return;
    }
    for (const old of main().querySelectorAll("details[id]")) {
      const same = fresh.querySelector("#" + CSS.escape(old.id));
      if (same) same.open = old.open;
    }
    const active = document.activeElement, id = active?.id, row = active?.matches("a.row") && active.getAttribute("href");
    const said = document.getElementById("said");
    if (said && fresh.dataset.state !== main().dataset.state) said.textContent = page.title;
    main().replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    const again = id ? document.getElementById(id) : row ? rows().find((one) => one.getAttribute("href") === row) : null;
    again?.focus({ preventScroll: true });
    news.hidden = true;
  };

  const stop = () => { stopped = true; news.hidden = false; };

  const ask = async () => {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(location.href, { headers: { "If-None-Match": main().dataset.etag }, cache: "no-store" });
        if (answer.redirected || answer.status >= 400 && answer.status < 500) stop();
        else if (answer.status === 200) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
        pause = answer.status < 500 ? PAUSE : Math.min(pause * 2, LONGEST);
      } catch {
        pause = Math.min(pause * 2, LONGEST);
      }
    }
    if (!stopped) setTimeout(ask, pause);
  };
  document.addEventListener("visibilitychange", () => { pause = PAUSE; });
  if (!stopped) setTimeout(ask, pause);

  // Limits are counted in code points, while a browser's own counts an emoji twice: so it is lifted, and what is left
  // is said once it becomes scarce. Without this script the browser stops early and the service says why.
  const SCARCE = 200;
  const count = (field) => {
    const line = document.getElementById(field.getAttribute("aria-describedby"));
    if (!line) return;
    field.dataset.max ??= field.maxLength;
    field.removeAttribute("maxlength");
    const left = field.dataset.max - [...field.value].length;
    line.hidden = left > SCARCE;
    line.textContent = left < 0 ? `${-left} too many characters.` : `${left} characters left.`;
    field.setCustomValidity(left < 0 ? `This is ${-left} characters too long to be kept.` : "");
  };
  const REASON = "textarea[name=reason], input[name=reason]";
  // On the first look too: what is pasted is cut before any `input`.
  for (const kind of ["focusin", "input"]) {
    document.addEventListener(kind, (event) => { if (event.target.matches?.(REASON)) count(event.target); });
  }
  document.querySelectorAll(REASON).forEach((field) => { if (field.value) count(field); });

  // Keys. Whoever speaks to their computer or shakes at the keyboard can switch them off.
  const help = document.getElementById("keys"), opener = document.getElementById("keys-open"), on = document.getElementById("keys-on");
  if (!help) return;
  const kept = (value) => { try { return value === undefined ? localStorage.getItem("keys") : localStorage.setItem("keys", value); } catch { return null; } };
  const focus = (element) => { element?.focus(); element?.scrollIntoView({ block: "nearest" }); return Boolean(element); };
  const step = (by) => {
    const all = rows(), at = all.indexOf(document.activeElement);
    return focus(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
  };
  // To the button, which still has to be pressed; from a list, on the page of the review.
  const choose = (choice) => {
    const button = document.getElementById(choice);
    button?.closest("details")?.setAttribute("open", "");
    if (focus(button)) return true;
    const row = document.activeElement?.matches("a.row") ? document.activeElement : null;
    if (row) location.href = `${row.href}#${choice}`;
    return Boolean(row);
  };
  const show = () => { help.showModal(); return true; };
  const keys = {
    j: () => step(1), k: () => step(-1), a: () => choose("approve"), r: () => choose("reject"),
    c: () => focus(document.getElementById("reason")), "/": () => focus(document.getElementById("search")), "?": show,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    // The help's own switch may keep the focus for a moment after the help has closed.
    const field = event.target.closest?.("input, textarea, select");
    if (field && !help.contains(field)) {
      if (event.key === "Escape") field.blur();
      return;
    }
    if (kept() !== "off" && keys[event.key]?.()) event.preventDefault();
  });
  opener.hidden = false;
  opener.addEventListener("click", show);
  on.checked = kept() !== "off";
  on.addEventListener("change", () => kept(on.checked ? "on" : "off"));
  if (["#approve", "#reject"].includes(location.hash)) choose(location.hash.slice(1));
})();
