"""Signing in as strangers and scanners try it: links, cookies, headers, limits."""

import re

import pytest
from playwright.sync_api import expect

from browsing import ask_for_a_link, decide
from processes import http

ANA, BO = "ana@example.com", "bo@example.com"
TITLE = "Promote churn-model v42"
FORM_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def test_a_person_signs_in_by_the_link_they_asked_for_and_decides_what_waits(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    service.ask("Of somebody else", reviewers=[{"email": BO}])
    page = browsing.open(f"{service.url}/reviews/{review}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert TITLE not in page.content()
    ask_for_a_link(page, ANA)
    page.goto(service.person_link(ANA))
    page.get_by_role("button", name="Sign in").click()

    # To the review that they came for.
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    page.get_by_role("link", name="Inbox", exact=True).click()
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    assert "Of somebody else" not in page.content()
    page.get_by_role("link", name=TITLE).click()
    decide(page, "Approve", "read it")
    expect(page.get_by_label("Outcome")).to_contain_text(f"Approved by {ANA}")
    [vote] = service.logged(review, "VoteCast")
    assert (vote["person"], vote["channel"], vote.get("entered_by")) == (ANA, "web", None)

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Decisions, on record")).to_be_visible()
    assert [cookie for cookie in page.context.cookies() if cookie["name"] == "countersign_session"] == []


def test_trap_a_scanner_that_follows_every_link_of_a_sign_in_mail_and_sends_its_forms_signs_nobody_in(service, browsing):
    """emdash#3298: a scanner that runs the page used the link up, by sending the form that it found in it."""
    service.ask(TITLE, reviewers=[{"email": ANA}])
    page = browsing.open(f"{service.url}/signin")
    ask_for_a_link(page, ANA)
    link = service.person_link(ANA)
    scanner = http()
    for method in ("GET", "GET", "HEAD"):
        answer = scanner.request(method, link, timeout=10)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    # It may run scripts and press nothing, or have them send the form with all that is in it.
    scanned = browsing.open(link)
    scanned.wait_for_timeout(1_000)
    scanned.evaluate("document.querySelector('main form').submit()")
    expect(scanned.get_by_role("heading", level=1)).to_have_text("Nothing was changed")
    assert [cookie for cookie in scanned.context.cookies() if cookie["name"] == "countersign_session"] == []
    browsing.expect_refusals()

    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Reviews")).to_be_visible()
    again = browsing.open(link)
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("heading", level=1)).to_have_text("This sign-in link was used before")
    browsing.expect_refusals()


def test_the_session_is_a_cookie_that_no_script_reads_and_no_other_site_sends(service, browsing):
    service.ask(TITLE, reviewers=[{"email": ANA}])
    page = browsing.person(service, ANA)
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "countersign_session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert page.evaluate("document.cookie") == ""
    # A link in a mail reader of another site leads to the page all the same.
    elsewhere = service.url.replace("127.0.0.1", "localhost")
    page.goto(f"{elsewhere}/signin")
    page.evaluate(f"location.href = '{service.url}/'")
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()


def test_every_page_carries_the_headers_that_keep_a_browser_from_doing_harm(service):
    service.ask(TITLE, reviewers=[{"email": ANA}])
    anonymous = http()
    paths = ["/", "/signin", "/signin?key=nonsense", "/nowhere", "/outbox", "/assets/none.css"]
    for path in paths + [service.link(TITLE, ANA).removeprefix(service.url), service.signin_link().removeprefix(service.url)]:
        answer = anonymous.get(service.url + path, timeout=10)
        policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'", "nothing inline"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-opener-policy"] == answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "strict-transport-security" not in answer.headers, "other services of this machine answer without TLS"
        assert not re.search(r"<script(?! src=)|<style|\son\w+=|javascript:", answer.text), path


def test_no_form_is_taken_without_its_token_nor_from_another_site(service):
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    link = service.link(TITLE, ANA)
    session = http()
    page = session.get(f"{service.url}/signin", timeout=10)
    token = FORM_TOKEN.search(page.text).group(1)
    service.logged(review, "ReviewNotified")
    before = service.log(review)
    fields = {"email": ANA, "choice": "approve", "key": "k", "person": ANA}
    paths = ["/signin", "/signin/mail", "/signout", f"/reviews/{review}/vote", f"/reviews/{review}/cancel", "/dead-letters"]
    for path in paths + [link.removeprefix(service.url)]:
        for headers, csrf in [({}, ""), ({"Origin": "https://evil.example"}, token), ({"Origin": "null"}, token)]:
            # What is refused by its headers is answered before its body is read, and its connection may then be closed.
            headers = headers | {"Connection": "close"}
            answer = session.post(service.url + path, data=fields | {"csrf": csrf}, headers=headers, timeout=10, allow_redirects=False)
            assert answer.status_code in (403, 422), (path, headers, answer.status_code)
            assert "countersign_session" not in answer.headers.get("set-cookie", "")
    assert service.log(review) == before
    assert "signs in by" not in service.printed()


def test_who_is_known_is_not_told_and_links_are_rationed(service):
    service.ask(TITLE, reviewers=[{"email": ANA}])
    session = http()

    def ask(email: str):
        token = FORM_TOKEN.search(session.get(f"{service.url}/signin", timeout=10).text).group(1)
        return session.post(f"{service.url}/signin/mail", data={"email": email, "csrf": token}, timeout=10)

    known, unknown = ask(ANA), ask("nobody@example.com")
    assert known.text.replace(ANA, "X") == unknown.text.replace("nobody@example.com", "X")
    service.person_link(ANA)
    # Three for an address, known or not; then how long to wait.
    for email in (ANA, "nobody@example.com"):
        assert [ask(email).status_code for _ in range(2)] == [200, 200]
        over = ask(email)
        assert over.status_code == 429 and 0 < int(over.headers["retry-after"]) <= 600
    assert service.printed().count("signs in by") == 3
    statuses = [ask(f"n{number}@example.com").status_code for number in range(14)]
    assert statuses == [200] * 12 + [429] * 2, "twenty for a client"
    assert "nobody@example.com" not in service.printed()


@pytest.mark.parametrize("option", ["--dev", "--demo"])
def test_development_mode_is_for_this_machine_only(service, option):
    done = service.run("serve", "--listen", "0.0.0.0:0", option)
    assert done.returncode != 0
    assert "for this machine only" in done.stderr
