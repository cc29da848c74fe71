"""Browsers that look at the service, each with cookies of its own."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

# Chromium writes this for every answer of 400 and above; tests that ask for one expect it.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


class Browsing:
    """Opens pages, and keeps whatever went wrong in them."""

    def __init__(self, browser: Browser):
        self.browser = browser
        self.wrong: list[str] = []
        self._contexts = []

    def open(self, url: str, **looks) -> Page:
        """A browser of its own at this address; `looks` are Playwright's context options."""
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | looks)
        self._contexts.append(context)
        page = context.new_page()
        self.watch(page)
        page.goto(url)
        return page

    def tab(self, page: Page, url: str) -> Page:
        """A second tab of the same browser."""
        tab = page.context.new_page()
        self.watch(tab)
        tab.goto(url)
        return tab

    def watch(self, page: Page) -> None:
        def console(message) -> None:
            # A violation of the content security policy is an error on the console.
            if message.type in ("error", "warning"):
                self.wrong.append(f"{page.url}: {message.text}")

        page.on("console", console)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))

    def expect_refusals(self) -> None:
        """What went wrong so far is no more than answers that refuse, as the test wanted."""
        assert self.wrong and all(REFUSED.search(text) for text in self.wrong), self.wrong
        self.wrong.clear()

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def operator(self, service, **looks) -> Page:
        """A browser that is signed in as the operator, at the inbox."""
        page = self.open(service.signin_link(), **looks)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Reviews")).to_be_visible()
        return page

    def person(self, service, email: str, **looks) -> Page:
        """A browser that signed in as this person by the link they asked for, at their inbox."""
        page = self.open(f"{service.url}/signin", **looks)
        ask_for_a_link(page, email)
        page.goto(service.person_link(email))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Reviews")).to_be_visible()
        return page


def ask_for_a_link(page: Page, email: str) -> None:
    """Fills in the form of the sign-in page."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="A link is on its way")).to_be_visible()


def decide(page: Page, choice: str, reason: str = "") -> None:
    """Presses a button of the form as a person does."""
    if reason:
        page.get_by_label("Reason").first.fill(reason)
    page.get_by_role("button", name=choice, exact=True).click()


def focus_by_tab(page: Page, target) -> None:
    """Presses Tab until the target has the focus, and insists that this can be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            outline = target.evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline not in ("none", ""), "the focus cannot be seen"
            return
    raise AssertionError(f"Tab does not lead to {target}")


def check_fits(page: Page) -> None:
    """The page does not scroll sideways."""
    wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1], f"{page.url} is {wide[0]} wide in a window of {wide[1]}"


WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def check_axe(page: Page, seen: list[str], practices: bool = True) -> None:
    """Adds what axe-core finds of WCAG 2.2 A and AA, and of its best practices."""
    rules = {"runOnly": WCAG + ["best-practice"] * practices, "resultTypes": ["violations"]}
    found = Axe().run(page, options=rules).response
    assert found["passes"], "the rules ran"
    for violation in found["violations"]:
        for node in violation["nodes"]:
            seen.append(f"{page.url}: {violation['id']} ({violation['impact']}): {node['html'][:160]} {node['failureSummary']}")


FAINT = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(element).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("select, svg")) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)}: ${text.slice(0, 60)}`);
  }
  return faint;
}"""


def check_legible(page: Page) -> None:
    """Every text stands out from what is behind it by 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    assert page.evaluate(FAINT) == [], page.url
