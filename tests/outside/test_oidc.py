"""Signing in with an OpenID Connect provider: a stock one, and one that lies in every way that must not be taken."""

import base64
import hashlib
import hmac
import json
import re
import sys
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from browsing import ask_for_a_link, decide
from identity_provider import CLIENT, SECRET, IdentityProvider, new_key
from processes import Program, environment, eventually, free_port, http

ANA = "ana@example.com"
TITLE = "Promote churn-model v42"
REFUSED_HERE = re.compile(r"Failed to load resource: the server responded with a status of (403|502)")


@pytest.fixture
def provider():
    provider = IdentityProvider()
    yield provider
    provider.stop()


@pytest.fixture
def start_with(start_service, tmp_path):
    """A service at which people sign in with this provider."""

    def start(issuer: str, client: str, secret: str, *options: str):
        file = tmp_path / "oidc.secret"
        file.write_text(secret + "\n")
        file.chmod(0o600)
        service = start_service("--oidc-issuer", issuer, "--oidc-client-id", client, "--oidc-client-secret", str(file), *options)
        service.secret = secret
        return service

    return start


@pytest.fixture
def service(start_with, provider):
    service = start_with(provider.issuer, CLIENT, SECRET, "--oidc-name", "Example SSO")
    service.review_id = service.ask(TITLE, reviewers=[{"email": ANA}])
    service.link(TITLE, ANA)
    yield service
    assert SECRET not in service.printed(), "the secret does not reach the console"


@pytest.fixture
def expect_refusals(browsing):
    """The pages of the test may answer 403 and 502, and do nothing else wrong."""
    yield
    assert [text for text in browsing.wrong if not REFUSED_HERE.search(text)] == []
    browsing.wrong.clear()


def leave(page, service, path: str = "/signin") -> None:
    page.goto(service.url + path)
    page.get_by_role("link", name="Sign in with Example SSO").click()


def heading(page):
    return page.get_by_role("heading", level=1)


def signed_in(page) -> bool:
    return any(cookie["name"] == "countersign_session" for cookie in page.context.cookies())


def go(session, url: str):
    return session.get(url, allow_redirects=False, timeout=20)


def away(session, service, path: str = "/signin/provider"):
    """Leaves, and is sent back by the double: the address that the browser would open next."""
    left = go(session, service.url + path)
    assert left.status_code == 303, left.text
    return go(session, left.headers["location"]).headers["location"]


def arrive(service):
    """What a new browser is answered that goes the whole way."""
    visitor = http()
    return go(visitor, away(visitor, service))


# A provider off the shelf


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """`oidc-provider-mock`, of Authlib and Flask: it knows nothing of us."""
    folder, port = tmp_path_factory.mktemp("stock"), free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    program = Program(command, environment(AUTHLIB_INSECURE_TRANSPORT="1"), folder / "log", folder)
    program.issuer = f"http://127.0.0.1:{port}"
    program.start(f"{program.issuer}/.well-known/openid-configuration", seconds=60)
    yield program
    program.kill9()


@pytest.mark.parametrize(
    "claims, ends",
    [
        ({"email": ANA, "email_verified": True}, (303, None)),
        ({"email": ANA, "email_verified": False}, (403, "has not verified an e-mail address")),
        ({"email": ANA}, (403, "has not verified an e-mail address")),
        ({"email": "eve@example.com", "email_verified": True}, (403, "Nobody here knows you yet")),
    ],
    ids=["known", "not verified", "verified or not is not said", "unknown here"],
)
def test_a_stock_provider_signs_in_whom_it_has_verified_and_somebody_here_knows(stock, start_with, claims, ends):
    visitor = http()
    visitor.put(f"{stock.issuer}/users/user-1", json=claims, timeout=10).raise_for_status()
    service = start_with(stock.issuer, "countersign", "any-secret")
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    service.link(TITLE, ANA)

    left = go(visitor, f"{service.url}/signin/provider?review={review}")
    assert left.headers["location"].startswith(f"{stock.issuer}/oauth2/authorize?")
    given = visitor.post(left.headers["location"], data={"sub": "user-1"}, allow_redirects=False, timeout=10)
    assert given.headers["location"].startswith(f"{service.url}/signin/back?"), given.text
    answer = go(visitor, given.headers["location"])

    status, words = ends
    assert (answer.status_code, words is None or words in answer.text) == (status, True), answer.text
    if status == 303:
        assert answer.headers["location"] == f"/reviews/{review}"
        page = visitor.get(f"{service.url}/reviews/{review}", timeout=10)
        assert f"You are {ANA}" in re.sub(r"<[^>]+>", "", page.text), page.text
    else:
        assert "countersign_session" not in visitor.cookies
    # Its refusal comes without the state, which must not be taken for this browser's.
    left = go(visitor, f"{service.url}/signin/provider")
    denied = visitor.post(left.headers["location"], data={"action": "deny"}, allow_redirects=False, timeout=10)
    assert "error=access_denied" in denied.headers["location"]
    assert go(visitor, denied.headers["location"]).status_code == 403


# What a browser meets


def test_a_person_signs_in_with_the_provider_and_decides_as_themselves(service, provider, browsing):
    provider.claims["email"] = "Ana@Example.com"
    page = browsing.open(service.url)
    leave(page, service, f"/signin?review={service.review_id}")
    expect(heading(page)).to_have_text(TITLE)
    decide(page, "Approve", "by the provider")
    expect(page.get_by_label("Outcome")).to_contain_text(f"Approved by {ANA}")
    [vote] = service.logged(service.review_id, "VoteCast")
    assert (vote["person"], vote["channel"], vote.get("entered_by")) == (ANA, "web", None)
    [asked] = provider.asked
    assert len(asked["state"]) >= 16 and len(asked["nonce"]) >= 16 and asked["redirect_uri"] == f"{service.url}/signin/back"
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(service.url)}
    assert set(cookies) == {"countersign_session", "countersign_visitor"}, "what the way there needed is gone"
    session = cookies["countersign_session"]
    assert (session["httpOnly"], session["sameSite"]) == (True, "Strict") and session["expires"] - time.time() <= 8 * 3_600


def test_what_the_provider_says_of_itself_is_read_once_and_a_new_key_at_once(service, provider):
    for _ in range(3):
        assert arrive(service).status_code == 303
    assert provider.calls.count("/.well-known/openid-configuration") == provider.calls.count("/keys") == 1
    provider.key = new_key("two")
    assert arrive(service).status_code == 303
    assert provider.calls.count("/keys") == 2


def test_a_strict_provider_is_asked_for_the_address_that_its_token_does_not_hold(service, provider):
    provider.claims = {}
    for verified, status in [(True, 303), ("true", 303), (False, 403)]:
        provider.user_info = {"email": ANA, "email_verified": verified}
        assert arrive(service).status_code == status
    provider.user_info |= {"email_verified": True, "sub": "user-2"}
    assert arrive(service).status_code == 403, "of somebody else"


@pytest.mark.parametrize(
    "claims, words",
    [
        ({"email_verified": False}, "You were not signed in"),
        ({"email_verified": None}, "You were not signed in"),
        ({"email": None}, "You were not signed in"),
        ({"email": "not an address"}, "You were not signed in"),
        ({"email": "slack:T01/U01"}, "You were not signed in"),
        # The Kelvin sign, of which Unicode makes a k.
        ({"email": "\u212aim@example.com"}, "You were not signed in"),
        ({"email": "eve@example.com"}, "Nobody here knows you yet"),
    ],
    ids=["unverified", "unsaid", "no address", "no address of ours", "an account", "another letter", "unknown"],
)
def test_whom_the_provider_does_not_vouch_for_or_nobody_knows_is_told_so_and_not_signed_in(
    service, provider, browsing, expect_refusals, claims, words
):
    service.ask("For Kim", reviewers=[{"email": "kim@example.com"}])
    service.link("For Kim", "kim@example.com")
    provider.claims |= claims
    provider.claims = {name: value for name, value in provider.claims.items() if value is not None}
    page = browsing.open(service.url)
    leave(page, service)
    expect(heading(page)).to_have_text(words)
    assert not signed_in(page)
    page.get_by_role("link", name=re.compile("Sign in")).click()
    expect(page.get_by_role("link", name="Sign in with Example SSO")).to_be_visible()


def forged(claims: dict, key) -> str:
    """Signed by our secret, which is no key of the provider's."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, claims)]
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    tag = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(tag).rstrip(b'=').decode()}"


def unsigned(claims: dict, key) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


BENT = {
    "another nonce": lambda claims, key: (claims | {"nonce": "another"}, key),
    "no nonce": lambda claims, key: ({name: value for name, value in claims.items() if name != "nonce"}, key),
    "another audience": lambda claims, key: (claims | {"aud": "somebody else"}, key),
    "a further audience": lambda claims, key: (claims | {"aud": [CLIENT, "somebody else"]}, key),
    "for another client": lambda claims, key: (claims | {"azp": "somebody else"}, key),
    "not good yet": lambda claims, key: (claims | {"nbf": int(time.time()) + 120}, key),
    "good from no moment on": lambda claims, key: (claims | {"nbf": "now"}, key),
    "issued in the future": lambda claims, key: (claims | {"iat": int(time.time()) + 120}, key),
    "another issuer": lambda claims, key: (claims | {"iss": "https://evil.example"}, key),
    "an old token": lambda claims, key: (claims | {"exp": int(time.time()) - 60, "iat": int(time.time()) - 360}, key),
    "another key of that name": lambda claims, key: (claims, new_key("one")),
    "a key that it does not have": lambda claims, key: (claims, new_key("nine")),
    "signed by our own secret": forged,
    "not signed": unsigned,
    "another access token": lambda claims, key: (claims | {"at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"}, key),
}


@pytest.mark.parametrize("bent", BENT)
def test_a_token_that_is_not_the_providers_for_this_very_sign_in_is_not_taken(service, provider, bent):
    visitor = http()
    provider.tamper = BENT[bent]
    answer = go(visitor, away(visitor, service))
    assert (answer.status_code, "You were not signed in" in answer.text) == (403, True), answer.text
    assert "countersign_session" not in visitor.cookies
    provider.tamper = lambda claims, key: (claims, key)
    assert go(visitor, away(visitor, service)).status_code == 303, "nothing else was in the way"


def test_a_clock_that_is_a_little_ahead_and_a_token_that_names_us_twice_are_taken(service, provider):
    provider.tamper = lambda claims, key: (claims | {"azp": CLIENT, "iat": int(time.time()) + 20, "nbf": int(time.time()) + 20}, key)
    assert arrive(service).status_code == 303


def test_the_cookie_of_the_way_there_shows_nothing_to_whoever_reads_it(service, provider):
    visitor = http()
    left = go(visitor, f"{service.url}/signin/provider")
    sent = {name: value[0] for name, value in parse_qs(urlsplit(left.headers["location"]).query).items()}
    cookie = visitor.cookies["countersign_departure"]
    read = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
    # A verifier is 43 characters of base64url; its challenge is in the address.
    for part in range(len(read) - 43):
        candidate = read[part : part + 43]
        assert base64.urlsafe_b64encode(hashlib.sha256(candidate).digest()).rstrip(b"=").decode() != sent["code_challenge"]
    for secret in (sent["state"], sent["nonce"], "verifier", "nonce"):
        assert secret.encode() not in read, secret
    # Altered anywhere, it is none.
    back = go(visitor, left.headers["location"]).headers["location"]
    for place in (0, len(cookie) // 2, len(cookie) - 2):
        bent = cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]
        other = http()
        other.cookies.set("countersign_departure", bent)
        assert go(other, back).status_code == 403
    assert go(visitor, back).status_code == 303


def test_only_the_browser_that_left_comes_back_and_only_once(service, provider):
    # A provider that takes a code as often as it is given.
    provider.reuses = True
    victim, attacker = http(), http()
    for visitor in (victim, attacker):
        left = go(visitor, f"{service.url}/signin/provider")
        cookie = left.headers["set-cookie"]
        assert left.status_code == 303
        assert "SameSite=Lax" in cookie and "HttpOnly" in cookie and "Max-Age=600" in cookie
        visitor.back = go(visitor, left.headers["location"]).headers["location"]
    # A link that would sign the victim in as the attacker, one without any departure, and others' state.
    bent = re.sub("state=[^&]+", "state=guessed", victim.back)
    for visitor, back in [(victim, attacker.back), (http(), victim.back), (victim, bent), (victim, f"{service.url}/signin/back")]:
        answer = go(visitor, back)
        assert (answer.status_code, "countersign_session" in answer.headers.get("set-cookie", "")) == (403, False)
        assert "This way in has expired" in answer.text
    kept = victim.cookies.get_dict()
    answer = go(victim, victim.back)
    assert answer.status_code == 303 and "countersign_session=" in answer.headers["set-cookie"]
    assert go(victim, victim.back).status_code == 403
    replayed = http()
    replayed.cookies.update(kept)
    answer = go(replayed, victim.back)
    assert (answer.status_code, "countersign_session" in replayed.cookies) == (403, False), "with the cookie kept"


def test_a_code_of_another_sign_in_is_refused_by_the_provider_for_want_of_its_verifier(service, provider):
    victim, attacker = http(), http()
    stolen = parse_qs(urlsplit(away(victim, service)).query)["code"][0]
    mine = away(attacker, service)
    answer = go(attacker, re.sub("code=[^&]+", f"code={stolen}", mine))
    assert (answer.status_code, "countersign_session" in attacker.cookies) == (403, False)
    printed = service.printed()
    assert "no such code" in printed and stolen not in printed, "what the provider said is logged without the code"


@pytest.mark.parametrize("place", ["https://evil.example", "//evil.example", "/\\evil.example", "../evil", "%0d%0aLocation:%20https://evil.example"])
def test_no_sign_in_leads_anywhere_but_to_a_page_of_ours(service, place):
    visitor = http()
    page = visitor.get(f"{service.url}/signin?review={place}", timeout=10)
    assert "evil" not in page.text
    answer = go(visitor, away(visitor, service, f"/signin/provider?review={place}"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_provider_that_says_no_or_is_out_is_told_in_words_and_a_link_by_mail_still_works(service, provider, browsing, expect_refusals):
    provider.denies = True
    page = browsing.open(service.url)
    leave(page, service)
    expect(heading(page)).to_have_text("You were not signed in")
    provider.stop()
    # What it said of itself would still be known.
    service.restart()
    leave(page, service)
    expect(heading(page)).to_have_text("Your organisation’s sign-in does not answer")
    page.get_by_role("link", name="Sign in").click()
    ask_for_a_link(page, ANA)
    page.goto(service.person_link(ANA))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    provider.denies = False
    provider.start()
    # One that did not answer is left alone for a moment.
    eventually("the provider is asked again", lambda: go(http(), f"{service.url}/signin/provider").status_code == 303)
    assert arrive(service).status_code == 303


def test_a_secret_that_the_provider_no_longer_takes_is_no_fault_of_whoever_signs_in(start_with, provider):
    service = start_with(provider.issuer, CLIENT, "a-secret-that-has-expired")
    answer = arrive(service)
    assert (answer.status_code, "does not answer" in answer.text) == (502, True), answer.text
    assert "it does not take our client id and secret" in service.printed()


def test_the_service_answers_other_machines_only_over_https_and_with_a_sign_in(start_service, provider):
    service = start_service()

    def refusal(*options: str) -> str:
        done = service.run("serve", "--listen", "0.0.0.0:0", *options)
        assert done.returncode != 0
        return done.stderr

    assert "no sign-in is configured" in refusal()
    oidc = ["--oidc-issuer", "https://id.example", "--oidc-client-id", CLIENT]
    assert "--base-url https://" in refusal(*oidc)
    assert "--base-url https://" in refusal(*oidc, "--base-url", "http://reviews.example")
    assert "COUNTERSIGN_OIDC_CLIENT_SECRET" in refusal(*oidc, "--base-url", "https://reviews.example", "--data", str(service.folder / "other"))
