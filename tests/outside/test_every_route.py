"""What holds for every route: the routes are read from the routers' sources, so that a new one without a place here fails."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from identity_provider import CLIENT, SECRET
from processes import eventually, http
from service import ROOT

ANA, BO = "ana@example.com", "bo@example.com"
TITLE = "Promote churn-model v42"
FORM_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
ROUTE = re.compile(r'\.route\(\s*(?:"([^"]+)"|BACK),\s*([^\n]+)')
INLINE = re.compile(r"<script(?! src=)|\son\w+=|javascript:|\sstyle=", re.IGNORECASE)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
# Pages are made here; the API's table of routes is its OpenAPI document.
SOURCES = ["services/gateway/src/web", "services/gateway/src/slack", "services/countersign/src"]


def routes(method: str) -> set[str]:
    """The paths of all routes that take this method."""
    found = set()
    for path in (path for source in SOURCES for path in Path(ROOT, source).rglob("*.rs") if "tests" not in path.parts):
        for route, handlers in ROUTE.findall(path.read_text()):
            handlers = handlers.split(".route(")[0]
            if re.search(rf"\b{method}\(", handlers):
                found.add(route or "/signin/back")
    return found


@pytest.fixture(params=[False, True], ids=["", "dev"])
def service(request, start_service, tmp_path):
    """A service with every part that has routes, and one review; in development mode too."""
    slack, secret = tmp_path / "slack.json", tmp_path / "oidc.secret"
    slack.write_text(json.dumps({"bot_token": "xoxb-1", "signing_secrets": ["none"]}))
    secret.write_text(SECRET)
    for file in (slack, secret):
        file.chmod(0o600)
    options = ["--slack", str(slack), "--slack-api", "http://127.0.0.1:9/api", "--oidc-issuer", "http://127.0.0.1:9"]
    options += ["--oidc-client-id", CLIENT, "--oidc-client-secret", str(secret)]
    service = start_service(*options, *(["--demo"] if request.param else []))
    service.is_dev = request.param
    service.review_id = service.ask(TITLE, reviewers=[{"email": ANA}, {"email": BO}])
    service.letter = service.link(TITLE, ANA).removeprefix(service.url)
    service.logged(service.review_id, "ReviewNotified", count=2)
    return service


def token(session, url: str) -> str:
    return FORM_TOKEN.search(session.get(url, timeout=10).text).group(1)


def sign_in(service, link: str):
    session = http()
    fields = {"key": link.split("key=")[1], "csrf": token(session, link), "go": "in"}
    assert session.post(f"{service.url}/signin", data=fields, timeout=10, allow_redirects=False).status_code == 303
    assert "countersign_session" in session.cookies
    return session


def person(service, email: str):
    session = http()
    fields = {"email": email, "csrf": token(session, f"{service.url}/signin")}
    assert session.post(f"{service.url}/signin/mail", data=fields, timeout=10).status_code == 200
    return sign_in(service, service.person_link(email))


def test_no_post_route_takes_a_form_without_the_token_that_it_was_given(service):
    visitor = http()
    own = {"visitor": token(visitor, f"{service.url}/signin")}
    operator, ana, bo = sign_in(service, service.signin_link()), person(service, ANA), person(service, BO)
    digest = re.search(r'name="subject_digest" value="([^"]+)"', ana.get(service.url + service.letter, timeout=10).text).group(1)
    ballot = {"choice": "approve", "reason": "forged", "person": ANA, "subject_digest": digest}
    key = {"key": service.signin_link().split("key=")[1], "go": "in"}
    dead = {"consumer": "notices", "stream": f"review#{service.review_id}", "version": "1"}
    # Whoever may send it, and all that it needs but its token.
    forms = {
        "/signin": [(visitor, key)],
        "/signin/mail": [(visitor, {"email": BO})],
        "/signout": [(operator, {"more": "x"}), (ana, {"more": "x"})],
        "/reviews/{id}/vote": [(operator, ballot), (ana, ballot)],
        "/reviews/{id}/cancel": [(operator, {"reason": "forged"}), (ana, {"reason": "forged"})],
        "/a/{capability}": [(visitor, ballot), (ana, ballot)],
        "/dead-letters": [(operator, dead)],
    }
    if service.is_dev:
        forms["/demo"] = [(operator, {"rows": "100", "share": "8"})]
    # Slack's own requests are signed by Slack, whoever's cookies come along.
    signed = {"/slack/interactions": [(operator, {"payload": "{}"})]}
    assert set(forms) | set(signed) == routes("post") - ({"/demo"} if not service.is_dev else set()), "a new route needs a place above"

    def post(session, path: str, fields: dict) -> int:
        path = path.replace("{id}", service.review_id).replace("/a/{capability}", service.letter)
        answer = session.post(service.url + path, data=fields, timeout=10, allow_redirects=False)
        assert "set-cookie" not in answer.headers, path
        return answer.status_code

    before, sent = service.log(service.review_id), service.printed().count("signs in by")
    strange = token(bo, f"{service.url}/")
    for path, senders in forms.items():
        for session, fields in senders:
            for csrf in [{}, {"csrf": ""}, {"csrf": "made-up"}, {"csrf": strange}, {"csrf": own["visitor"]} if path != "/signin/mail" else {}]:
                # 422: a form that lacks a field.
                assert post(session, path, fields | csrf) in ((403,) if csrf else (403, 422)), (path, csrf)
    for path, senders in signed.items():
        assert [post(session, path, fields) for session, fields in senders] == [401]
    assert service.log(service.review_id) == before
    assert service.printed().count("signs in by") == sent
    for session in (operator, ana):
        assert session.get(f"{service.url}/", timeout=10).text.count("/signout") == 1, "still signed in"
    # And with its token it is taken, so that nothing but the token was missing.
    assert post(ana, "/reviews/{id}/vote", ballot | {"csrf": token(ana, f"{service.url}/reviews/{service.review_id}")}) == 303


def test_a_session_opens_nothing_of_the_api_which_asks_for_a_bearer_token(service):
    operator = sign_in(service, service.signin_link())
    document = operator.get(f"{service.url}/api/v1/openapi.json", timeout=10).json()
    called = 0
    for path, item in document["paths"].items():
        for method in set(item) & {"post", "put", "patch", "delete"}:
            path = path.replace("{review_id}", service.review_id).replace("{name}", "ci")
            base = "" if path.startswith("/api/") or path == "/" else "/api/v1"
            # Refused before the body is read, so the connection cannot be used again.
            answer = operator.request(method, service.url + base + path, json={}, headers={"Connection": "close"}, timeout=10)
            expected = (400, 404, 415) if path == "/" else (401,)
            assert answer.status_code in expected, (method, path, answer.status_code, answer.text)
            called += 1
    assert called >= 8
    # PutEvents asks for a header that no form can send.
    assert operator.post(f"{service.url}/", data={"Entries": "[]"}, timeout=10).status_code in (400, 404, 415)


def check_page(answer, is_dev: bool) -> None:
    """Nothing inline, nothing from elsewhere, and red in development mode."""
    policy = dict((rule.split(" ", 1) + [""])[:2] for rule in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'", answer.url
    assert policy.get("script-src", "'none'") in ("'self'", "'none'"), answer.url
    assert policy["form-action"] in ("'self'", "'none'") and "unsafe" not in str(policy), answer.url
    assert answer.headers["x-content-type-options"] == "nosniff"
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return
    assert not INLINE.search(answer.text), (answer.url, INLINE.search(answer.text))
    for style in STYLE.findall(answer.text):
        # A report stands alone: its one style is allowed by its digest.
        assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy["style-src"], answer.url
    assert ("Development mode." in answer.text) == is_dev, answer.url


def test_every_page_forbids_what_is_inline_and_says_in_red_that_it_is_in_development_mode(service, browsing):
    operator = sign_in(service, service.signin_link())
    lookers = {"nobody": http(), "operator": operator, "ana": person(service, ANA)}
    style = re.search(r'href="/assets/([^"]+\.css)"', lookers["nobody"].get(service.url, timeout=10).text).group(1)
    filled = {"{id}": service.review_id, "/a/{capability}": service.letter, "{file}": style}
    pages = []
    for route in routes("get"):
        for name, value in filled.items():
            route = route.replace(name, value)
        pages.append(route)
    assert len(pages) >= 15 and "/signin/back" in pages and f"/reviews/{service.review_id}/report" in pages
    refused = service.post("/api/v1/reviews", {"reviewers": []})
    assert refused.status_code >= 400
    pages += ["/nowhere", "/a/nonsense", "/signin?key=nonsense", service.signin_link().removeprefix(service.url), "/?show=all", "/assets/none.css"]
    seen = 0
    for name, session in lookers.items():
        for path in pages:
            answer = session.get(service.url + path, timeout=20, allow_redirects=False)
            check_page(answer, service.is_dev)
            seen += answer.headers.get("content-type", "").startswith("text/html")
    assert seen >= 30
    # As a browser shows it.
    page = browsing.operator(service)
    for path in ["/", f"/reviews/{service.review_id}", f"/reviews/{service.review_id}/report", "/audit", "/outbox", "/dead-letters", "/signin", "/nowhere"]:
        page.goto(service.url + path)
        bar = page.get_by_text("Development mode.")
        expect(bar).to_have_count(1 if service.is_dev else 0)
        if service.is_dev:
            expect(bar).to_be_visible()
            shown = bar.evaluate("element => getComputedStyle(element.closest('.dev')).backgroundColor")
            assert shown == "rgb(179, 38, 30)", (path, shown)
    browsing.expect_refusals()


def test_whoever_tries_too_many_links_is_told_when_to_come_back_and_good_links_still_open(service):
    if service.is_dev:
        pytest.skip("the same in development mode")
    statuses = []
    for number in range(25):
        tried = [f"/a/guess{number}", f"/signin?key=guess{number}", "/signin/back?code=a&state=b"][number % 3]
        answer = http().get(service.url + tried, timeout=10)
        statuses.append(answer.status_code)
    assert {404, 403} >= set(statuses[:20]) and statuses[20:] == [429] * 5, statuses
    assert 0 < int(answer.headers["retry-after"]) <= 600 and "Wait ten minutes" in answer.text
    elsewhere = {"X-Forwarded-For": "198.51.100.7"}
    assert http().get(f"{service.url}/a/guess", headers=elsewhere, timeout=10).status_code == 429, "no proxy was named whose word counts"
    assert http().get(service.url + service.letter, timeout=10).status_code == 200
    assert http().get(service.signin_link(), timeout=10).status_code == 200
    eventually("a person still signs in", lambda: person(service, BO))
