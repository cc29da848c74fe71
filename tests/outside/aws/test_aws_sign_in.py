"""Signing in at the deployed service with an OpenID Connect provider, and how often: the gateway, which the web faces, has the
notifier ask the provider. What a provider may say and what is not taken of it, test_oidc.py tries at `serve`, whose code this
is; here is what differs, and that it is the same.
"""

import hashlib
import re
import time

import pytest

from faults import fate
from identity_provider import CLIENT, SECRET, new_key
from pipeline import Pipeline
from processes import eventually, http
from proxy import PASS

OUT = "Your organisation’s sign-in does not answer"
REFUSED = "You were not signed in"


@pytest.fixture
def provider(stack):
    """As it was made, also after a test that bends it."""
    provider = stack.provider
    kept = {name: getattr(provider, name) for name in ("user_info", "tamper", "denies", "reuses", "key")}
    provider.claims = {"email": "ana@example.com", "email_verified": True}
    yield provider
    vars(provider).update(kept)


@pytest.fixture
def person(unique) -> str:
    return f"{unique}@example.com"


@pytest.fixture
def review(stack, unique, person) -> str:
    """A review that waits for this person."""
    pipeline = Pipeline(stack, unique)
    stack.put("ReviewRequested", pipeline.request | {"reviewers": [{"email": person}]})
    return stack.find(pipeline.title)


def visitor(unique: str):
    """A browser on a machine of its own, if its header were believed."""
    session = http()
    digest = hashlib.sha256(unique.encode()).hexdigest()
    session.headers["X-Forwarded-For"] = f"2001:db8:{digest[:4]}:{digest[4:8]}::1"
    return session


def go(session, url: str):
    return session.get(url, allow_redirects=False, timeout=30)


def away(stack, session, path: str = "/signin/provider") -> str:
    """Leaves, and is sent back by the provider: the address that the browser would open next."""
    left = go(session, stack.front.url + path)
    assert left.status_code == 303, (left.text, stack.errors())
    assert left.headers["location"].startswith(f"{stack.provider.issuer}/authorize?")
    return go(session, left.headers["location"]).headers["location"]


def is_signed_in(session) -> bool:
    return "countersign_session" in session.cookies


def form_of(page: str) -> tuple[str, dict]:
    """Where the form of a page leads, and its hidden fields."""
    form = re.search(r'<form[^>]*method="post" action="/reviews/[^"]*/vote".*?</form>', page, re.DOTALL)
    assert form, re.sub(r"<[^>]+>", " ", page)
    form = form.group(0)
    hidden = re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
    fields = {re.search(r'name="([^"]*)"', tag).group(1): re.search(r'value="([^"]*)"', tag).group(1) for tag in hidden}
    return re.search(r'action="([^"]*)"', form).group(1), fields


def test_a_person_signs_in_with_the_provider_and_decides_as_themselves(stack, provider, review, person, unique):
    session, mark = visitor(unique), len(stack.proxy.since())
    provider.claims = {"email": person.capitalize(), "email_verified": True}
    page = session.get(f"{stack.front.url}/signin?review={review}", timeout=30).text
    assert "Sign in with <bdi>single sign-on</bdi>" in page and f'href="/signin/provider?review={review}"' in page

    back = away(stack, session, f"/signin/provider?review={review}")
    entered = go(session, back)

    assert (entered.status_code, entered.headers.get("location")) == (303, f"/reviews/{review}"), (entered.text, stack.errors())
    page = session.get(f"{stack.front.url}/reviews/{review}", timeout=30)
    action, fields = form_of(page.text)
    fields |= {"choice": "approve", "reason": "by the provider"}
    done = session.post(stack.front.url + action, data=fields, headers={"Origin": stack.front.url}, timeout=30)
    assert done.ok, (done.status_code, done.text)
    [vote] = stack.logged(review, "VoteCast")
    assert (vote["person"], vote["channel"], vote.get("entered_by")) == (person, "web", None)
    asked = provider.asked[-1]
    assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT, f"{stack.front.url}/signin/back")

    # What travels between the functions is small, and holds neither the client's secret nor a token.
    between = [call for call in stack.proxy.since(mark) if call.name == "lambda:Invoke" and "provider" in call.json()]
    assert [call.json()["provider"] if call.json()["provider"] == "start" else "finish" for call in between] == ["start", "finish"]
    assert between[1].answered() == {"address": person.capitalize()}
    texts = [call.body + call.answer for call in between]
    assert all(len(text) < 1_500 and SECRET.encode() not in text and b"eyJ" not in text for text in texts)
    code = re.search(r"code=(\w+)", back).group(1)
    lines = "\n".join(stack.lines())
    for secret in (SECRET, code, asked["state"], asked["nonce"], between[1].json()["provider"]["finish"]["verifier"]):
        assert secret not in lines


def test_only_the_browser_that_left_comes_back_and_only_once(stack, provider, review, person, unique):
    provider.claims["email"] = person
    # A provider that takes a code as often as it is given.
    provider.reuses = True
    victim, attacker = visitor(unique), visitor(unique)
    backs = [away(stack, each) for each in (victim, attacker)]
    bent = re.sub("state=[^&]+", "state=guessed", backs[0])
    for session, back in [(victim, backs[1]), (visitor(unique), backs[0]), (victim, bent)]:
        answer = go(session, back)
        assert (answer.status_code, is_signed_in(session)) == (403, False)
        assert "This way in has expired" in answer.text
    kept = victim.cookies.get_dict()
    assert go(victim, backs[0]).status_code == 303 and is_signed_in(victim)
    replayed = visitor(unique)
    replayed.cookies.update(kept)
    answer = go(replayed, backs[0])
    assert (answer.status_code, is_signed_in(replayed)) == (403, False), "with the cookie kept"


BENT = {
    "another nonce": lambda claims, key: (claims | {"nonce": "another"}, key),
    "another audience": lambda claims, key: (claims | {"aud": "somebody else"}, key),
    "an old token": lambda claims, key: (claims | {"exp": int(time.time()) - 60, "iat": int(time.time()) - 360}, key),
    "another key of that name": lambda claims, key: (claims, new_key("one")),
}


@pytest.mark.parametrize("bent", BENT)
def test_a_token_that_is_not_the_providers_for_this_very_sign_in_is_not_taken(stack, provider, review, person, unique, bent):
    provider.claims["email"] = person
    provider.tamper = BENT[bent]
    session = visitor(unique)
    answer = go(session, away(stack, session))
    assert (answer.status_code, REFUSED in answer.text, is_signed_in(session)) == (403, True, False)
    provider.tamper = lambda claims, key: (claims, key)
    assert go(session, away(stack, session)).status_code == 303, "nothing else was in the way"


def test_a_code_that_the_provider_does_not_take_is_refused_and_in_no_log_line(stack, provider, review, person, unique):
    provider.claims["email"] = person
    session = visitor(unique)
    answer = go(session, re.sub("code=[^&]+", f"code=stolen{unique}", away(stack, session)))
    assert (answer.status_code, REFUSED in answer.text, is_signed_in(session)) == (403, True, False)

    def lines():
        return [line for line in stack.lines() if "no such code" in line]

    assert eventually("the gateway logs what the provider said", lines, seconds=20)
    assert f"stolen{unique}" not in "\n".join(stack.lines())


def test_whom_the_provider_has_not_verified_or_nobody_knows_is_told_so(stack, provider, review, person, unique):
    for claims, words in [
        ({"email": person, "email_verified": False}, "has not verified an e-mail address"),
        ({"email": person}, "has not verified an e-mail address"),
        ({"email": f"eve-{unique}@example.org", "email_verified": True}, "Nobody here knows you yet"),
    ]:
        provider.claims = claims
        session = visitor(unique)
        answer = go(session, away(stack, session))
        assert (answer.status_code, words in answer.text, is_signed_in(session)) == (403, True, False), answer.text


def test_a_provider_that_is_out_is_told_in_words_and_a_link_by_mail_still_works(stack, provider, review, person, unique):
    provider.claims["email"] = person
    session = visitor(unique)
    back = away(stack, session)
    provider.stop()
    try:
        answer = go(session, back)
    finally:
        provider.start()
    assert (answer.status_code, OUT in answer.text, is_signed_in(session)) == (502, True, False), answer.text
    assert 'href="/signin"' in answer.text

    page = session.get(f"{stack.front.url}/signin", timeout=30).text
    fields = {"csrf": re.search(r'name="csrf" value="([^"]*)"', page).group(1), "email": person}
    asked = session.post(f"{stack.front.url}/signin/mail", data=fields, headers={"Origin": stack.front.url}, timeout=30)
    assert asked.status_code == 200

    def links():
        return [mail for mail in stack.sent() if mail["Subject"] == "Your sign-in link" and mail["To"] == [person]]

    [mail] = eventually("a mail with the link", links, seconds=20)
    link = re.search(r"http\S+/signin\?key=\S+", mail["BodyText"]).group(0)
    form = session.get(link, timeout=30).text
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', form).group(1) for name in ("key", "csrf")}
    session.post(f"{stack.front.url}/signin", data=hidden | {"go": "in"}, headers={"Origin": stack.front.url}, timeout=30)
    assert is_signed_in(session)

    assert go(visitor(unique), f"{stack.front.url}/signin/provider").status_code == 303, "it is asked again"


def test_a_provider_that_was_never_up_keeps_no_function_from_starting_and_is_asked_again(stack, provider, unique):
    provider.stop()
    try:
        stack.start_anew("notifier")
        left = go(visitor(unique), f"{stack.front.url}/signin/provider")
    finally:
        provider.start()
    assert (left.status_code, OUT in left.text) == (502, True), left.text
    # One that did not answer is left alone for a moment.
    eventually("it is asked again", lambda: go(visitor(unique), f"{stack.front.url}/signin/provider").status_code == 303, 20)


@pytest.mark.parametrize("kind", ["throttled", "failed", "reset", "lost"])
def test_a_notifier_that_cannot_be_asked_is_a_provider_that_is_out_and_is_asked_once(stack, provider, person, unique, kind):
    provider.claims["email"] = person
    session = visitor(unique)
    back, mark = away(stack, session), len(stack.proxy.since())
    stack.proxy.fate = lambda call: fate(kind, call) if call.name == "lambda:Invoke" else PASS
    try:
        answer = go(session, back)
    finally:
        stack.proxy.fate = lambda call: PASS
    assert (answer.status_code, OUT in answer.text, is_signed_in(session)) == (502, True, False), answer.text
    # A code is good once: the answer to a second question would be about that.
    asked = [call for call in stack.proxy.since(mark) if call.name == "lambda:Invoke"]
    assert [call.fault for call in asked] == [kind]
    question, lines = asked[0].json()["provider"]["finish"], "\n".join(stack.lines())
    assert "the notifier could not be asked" in lines and not [word for word in question.values() if word in lines]


# How often


def claims(stack, who: str) -> set[str]:
    """The places that are taken, as the table holds them for whichever process is asked next."""
    pages = stack.aws("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["ViewsTableName"], ConsistentRead=True)
    names = {item["pk"]["S"] for page in pages for item in page["Items"]}
    return {name for name in names if who in name}


def test_links_are_rationed_by_address_and_the_places_are_kept_in_the_table(stack, unique):
    session, stranger = visitor(unique), f"{unique}@example.org"

    def ask():
        page = session.get(f"{stack.front.url}/signin", timeout=30).text
        fields = {"csrf": re.search(r'name="csrf" value="([^"]*)"', page).group(1), "email": stranger}
        return session.post(f"{stack.front.url}/signin/mail", data=fields, headers={"Origin": stack.front.url}, timeout=30)

    assert [ask().status_code for _ in range(3)] == [200] * 3
    over = ask()
    assert over.status_code == 429 and 0 < int(over.headers["retry-after"]) <= 600
    digest = hashlib.sha256(stranger.encode()).hexdigest()[:32]
    assert claims(stack, digest) == {f"claim#signin/mail/{digest}/{place}" for place in range(3)}


def test_what_opens_nothing_is_rationed_by_the_peer_of_the_api_and_what_is_good_never(stack, provider, review, person, unique):
    """The emulator's API names every peer 127.0.0.1. Who a caller says they are in a header buys no further try."""
    provider.claims["email"] = person
    session = visitor(unique)
    # Earlier tests have taken some of the twenty places.
    tries = [go(visitor(f"{unique}-{number}"), f"{stack.front.url}/signin?key=guessed-{number}").status_code for number in range(21)]
    first = tries.index(429)
    assert first <= 20 and set(tries[:first]) <= {403} and set(tries[first:]) == {429}, tries
    assert claims(stack, "signin/failed/") == {f"claim#signin/failed/127.0.0.1/{place}" for place in range(20)}
    assert go(session, away(stack, session)).status_code == 303, "who signs in is not held back"
