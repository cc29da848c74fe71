"""axe-core finds nothing on any page: WCAG 2.2 A and AA, and its best practices; in light and dark, at a desk and on a phone."""

import base64
import hashlib
import hmac
import time
import uuid

import pytest
from playwright.sync_api import expect

import reviews
from browsing import ask_for_a_link
from browsing import check_axe as check
from identity_provider import CLIENT, SECRET, IdentityProvider
from processes import eventually

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 800}}

def old_link(service, review: str, person: str) -> str:
    """A signed link whose time has passed: signed here, since nobody can wait the week that a link outlives its review."""
    key = bytes.fromhex((service.data / "links.key").read_text())
    until = int((time.time() - 60) * 1_000).to_bytes(8, "big")
    signed = b"\x01" + b"\x01" + uuid.UUID(review).bytes + until + person.encode()
    purpose = b"capability"
    tag = hmac.digest(key, len(purpose).to_bytes(8, "big") + purpose + signed, hashlib.sha256)
    return "/a/" + base64.urlsafe_b64encode(signed + tag).decode().rstrip("=")


@pytest.fixture
def provider():
    provider = IdentityProvider()
    yield provider
    provider.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("looks", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_on_any_page(start_service, browsing, provider, tmp_path, scheme, looks):
    secret = tmp_path / "oidc.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    oidc = ("--oidc-issuer", provider.issuer, "--oidc-client-id", CLIENT, "--oidc-client-secret", str(secret), "--oidc-name", "Example SSO")
    service = start_service("--demo", *oidc)
    ids = reviews.fill(service)
    expired = ids["Scale the search cluster to 12 nodes"]
    eventually("one has expired", lambda: service.review(expired)["status"] == "expired")
    refused = service.listed("refused")[0]["review_id"]
    looks = looks | {"color_scheme": scheme}
    seen: list[str] = []

    page = browsing.operator(service, **looks)
    lists = ["/", "/?show=ended", "/?show=all&status=refused", "/?show=all&q=nothing+like+this", "/audit", "/audit?outcome=approved"]
    reports = [f"/reviews/{ids[reviews.CHURN]}/report", f"/reviews/{expired}/report", f"/reviews/{refused}/report"]
    for path in lists + reports + ["/outbox", "/dead-letters", "/demo", f"/reviews/{refused}"] + [f"/reviews/{id}" for id in ids.values()]:
        page.goto(service.url + path)
        check(page, seen)
    page = browsing.person(service, reviews.BO, **looks)
    for path in ["/", "/?show=asked", "/?show=all", f"/reviews/{ids[reviews.CHURN]}", f"/reviews/{expired}", "/outbox", "/nowhere"]:
        page.goto(service.url + path)
        check(page, seen)
    page.goto(service.url)
    if looks["viewport"] == DESK["viewport"]:
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        check(page, seen)
    stranger = browsing.open(service.url, **looks)
    for path in ["/", "/signin", service.signin_link().removeprefix(service.url), "/signin?key=old", "/a/nonsense"]:
        stranger.goto(service.url + path)
        check(stranger, seen)
    stranger.goto(service.link(reviews.CHURN, "Bo Okafor"))
    check(stranger, seen)
    stranger.evaluate("document.querySelector('main form').submit()")
    expect(stranger.get_by_role("alert")).to_contain_text("Nothing was decided")
    check(stranger, seen)

    def shows(path: str, heading: str) -> None:
        stranger.goto(service.url + path)
        expect(stranger.get_by_role("heading", level=1)).to_have_text(heading)
        check(stranger, seen)

    shows("/signin", "Sign in")
    expect(stranger.get_by_role("link", name="Sign in with Example SSO")).to_be_visible()
    provider.claims = {"email": "eve@example.com", "email_verified": True}
    shows("/signin/provider", "Nobody here knows you yet")
    shows("/signin/back?state=made-up&code=made-up", "This way in has expired")
    shows(old_link(service, expired, reviews.CARLA), "This link has expired")
    stranger.goto(f"{service.url}/signin")
    ask_for_a_link(stranger, reviews.ANA)
    check(stranger, seen)
    used = service.person_link(reviews.ANA)
    for _ in range(2):
        stranger.goto(used)
        check(stranger, seen)
        stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("This sign-in link was used before")
    check(stranger, seen)
    for number in range(25):
        stranger.request.get(f"{service.url}/a/guess-{number}")
    shows("/a/guess", "That was too often")
    browsing.expect_refusals()
    assert not seen, "\n".join(sorted(set(seen)))
