"""Mails of `serve --smtp`, through a real SMTP server and read by Python's `email`."""

import html
import re
from urllib.parse import urljoin

import pytest
from playwright.sync_api import expect

from browsing import ask_for_a_link, check_axe, check_fits, check_legible, decide
from mail_server import MailServer, link, parts
from processes import http

ANA, BO = "ana@example.com", "bo@example.com"
SENDER = "Reviews <reviews@example.com>"
TITLE = "Promote churn-model v42 🚀"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 800}}
EVIDENCE = [{"label": "Flagged rows", "value": "7.4 % <script>alert(1)</script>"}]


@pytest.fixture
def mails():
    server = MailServer()
    yield server
    server.close()


@pytest.fixture
def service(start_service, mails):
    return start_service("--smtp", mails.url, "--mail-from", SENDER)


def ask(service, *people: str) -> str:
    return service.ask(TITLE, reviewers=[{"email": person} for person in people], evidence=EVIDENCE)


def test_who_is_asked_gets_one_mail_as_text_and_as_html_with_one_link(service, mails):
    review = ask(service, ANA)
    [mail] = mails.to(ANA)
    assert (str(mail["To"]), str(mail["From"])) == (ANA, SENDER)
    assert str(mail["Subject"]) == f"Your decision: {TITLE}"
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    text, page = parts(mail)
    for shown in (text, html.unescape(page)):
        assert TITLE in shown and EVIDENCE[0]["value"] in shown and "yours alone" in shown
    assert "<script" not in page
    assert re.findall(r'href="([^"]*)"', page) == [link(mail)], "both parts lead to the same place, and nowhere else"
    [sent] = service.logged(review, "ReviewNotified")
    assert (sent["channel"], sent["person"]) == ("email", ANA)
    assert "is asked" not in service.printed()


def test_the_mails_about_a_review_are_one_conversation(service, mails):
    review = ask(service, ANA, BO)
    [asked] = mails.to(BO)
    mails.to(ANA)
    service.logged(review, "ReviewNotified", count=2)
    assert service.vote(review, ANA, "approve").ok
    first, ended = mails.to(BO, 2)
    root = first["Message-ID"]
    assert root == asked["Message-ID"] and first["In-Reply-To"] is None
    assert ended["Message-ID"] != root
    assert ended["In-Reply-To"] == root and root in ended["References"].split()
    assert str(ended["Subject"]) == f"Re: {first['Subject']}"
    for shown in parts(ended):
        assert f"Approved by {ANA}" in shown and "See the record" in shown
    assert "yours alone" not in "".join(parts(ended)), "there is nothing to decide any more"


def forms(page: str) -> list[tuple[str, dict]]:
    """Where each form of a page goes, and all that it holds before somebody fills it in or presses a button."""
    found = re.findall(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL)
    hidden = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')
    return [(html.unescape(to), {name: html.unescape(value) for name, value in hidden.findall(inside)}) for to, inside in found]


def test_trap_a_mail_scanner_that_follows_every_link_and_sends_every_form_decides_nothing(service, mails, browsing):
    """activepieces#14024: a link that decided by GET was followed by the scanner of the reader's mail server.
    emdash#3298: one that runs pages sends the forms that it finds in them."""
    review = ask(service, ANA)
    [mail] = mails.to(ANA)
    service.logged(review, "ReviewNotified")
    before = service.log(review)
    scanner = http()
    links = {link(mail), *map(html.unescape, re.findall(r'(?:href|src|action)="(https?:[^"]*)"', parts(mail)[1]))}
    for url in links:
        for method in ("GET", "GET", "HEAD"):
            answer = scanner.request(method, url, timeout=10)
            assert answer.status_code == 200, (method, url)
    sent = 0
    for to, fields in forms(scanner.get(link(mail), timeout=10).text):
        assert {"csrf", "subject_digest"} <= set(fields) and "choice" not in fields, fields
        for reason in ({}, {"reason": ""}, {"reason": "looks fine"}):
            answer = scanner.post(urljoin(service.url, to), data=fields | reason, timeout=10)
            assert answer.status_code == 422 and "Nothing was decided" in answer.text, answer.text
            sent += 1
    assert sent, "the page has a form"
    assert service.log(review) == before and service.review(review)["status"] == "open"

    page = browsing.open(link(mail))
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    assert page.locator("input[type=radio]:checked").count() == 0, "the choice is not made"
    decide(page, "Approve", "read it")
    [vote] = service.logged(review, "VoteCast")
    assert (vote["person"], vote["choice"]) == (ANA, "approve")
    service.logged(review, "ReviewDecided")


def test_whom_the_server_does_not_know_is_told_by_the_next_channel(service, mails):
    mails.unknown.add(BO)
    review = ask(service, ANA, BO)
    assert service.link(TITLE, BO).startswith(service.url)
    mails.to(ANA)
    sent = service.logged(review, "ReviewNotified", count=2)
    assert {(event["person"], event["channel"]) for event in sent} == {(ANA, "email"), (BO, "outbox")}
    [failed] = service.logged(review, "NotificationFailed")
    assert (failed["person"], failed["channel"]) == (BO, "email")


def test_a_sign_in_link_goes_by_mail_and_not_to_the_console(service, mails, browsing):
    ask(service, ANA)
    mails.to(ANA)
    page = browsing.open(f"{service.url}/signin")
    ask_for_a_link(page, ANA)
    mail = mails.to(ANA, 2)[-1]
    assert (str(mail["Subject"]), mail.get_content_type()) == ("Your sign-in link", "text/plain")
    assert mail["References"] is None, "of no conversation"
    page.goto(link(mail))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    assert "signs in by" not in service.printed()


@pytest.mark.parametrize("url", ["http://127.0.0.1", "smtp://user:secret@mail.example.com"])
def test_a_server_that_cannot_be_used_is_turned_away_at_the_start(service, tmp_path, url):
    started = service.run("--data", str(tmp_path / "other"), "serve", "--smtp", url, "--mail-from", SENDER)
    assert started.returncode != 0 and "smtp" in started.stderr.lower()
    assert "secret" not in started.stderr.replace("A secret", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("looks", [DESK, PHONE], ids=["desk", "phone"])
def test_a_mail_is_legible_and_fits_whatever_shows_it(service, mails, browsing, artefacts, scheme, looks):
    review = ask(service, ANA, BO)
    mails.to(ANA)
    service.logged(review, "ReviewNotified", count=2)
    assert service.vote(review, ANA, "approve", "looked at every row").ok
    shown = browsing.open("about:blank", color_scheme=scheme, **looks)
    seen: list[str] = []
    for name, mail in zip(("asked", "ended"), mails.to(BO, 2), strict=True):
        shown.set_content(parts(mail)[1])
        expect(shown.get_by_role("heading", level=1)).to_have_text(TITLE)
        check_legible(shown)
        check_fits(shown)
        # A mail has no landmarks: the page that it becomes a part of has them.
        check_axe(shown, seen, practices=False)
        behind = shown.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
        assert (max(behind) < 60) == (scheme == "dark"), behind
        button = shown.get_by_role("link", name="See")
        assert button.bounding_box()["height"] >= 40, "large enough for a thumb"
        shown.screenshot(path=artefacts / f"mail-{name}-{scheme}-{'phone' if looks is PHONE else 'desk'}.png", full_page=True)
    assert not seen, "\n".join(sorted(set(seen)))
