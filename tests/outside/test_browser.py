"""People decide in Chromium: by their own link, as the operator, at the same moment, and too late."""

import json
import time

import pytest
from playwright.sync_api import expect

from browsing import decide, focus_by_tab
from processes import eventually

ANA, BO = "ana@example.com", "bo@example.com"
TITLE = "Promote churn-model v42"


def ask_and_wait(service, **request):
    """A program that asks and waits; the running command and the link that Ana was sent."""
    fields = {"title": TITLE, "reviewers": [{"email": ANA}], "evidence": [{"label": "Flagged rows", "value": "7.4 %"}]}
    (service.folder / "review.json").write_text(json.dumps(fields | request))
    return service.command("request", "review.json", "--wait"), service.link(TITLE, ANA)


def test_the_printed_link_signs_a_browser_in_and_the_inbox_shows_what_waits(service, browsing):
    service.ask(TITLE)
    stranger = browsing.open(service.url)
    expect(stranger.get_by_role("heading", name="Decisions, on record")).to_be_visible()
    assert TITLE not in stranger.content()

    page = browsing.open(service.signin_link())
    assert page.context.cookies() == [], "opening the link signs nobody in"
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Decisions, on record")).to_be_visible()


def test_the_inbox_shows_a_new_review_by_itself(service, browsing):
    page = browsing.operator(service)
    expect(page.get_by_text("Nothing waits for a decision")).to_be_visible()

    service.ask(TITLE)

    expect(page.get_by_role("link", name=TITLE)).to_be_visible(timeout=10_000)


@pytest.mark.parametrize(("choice", "code", "word"), [("Approve", 0, "approved"), ("Reject", 1, "rejected")])
def test_the_program_that_waits_goes_on_with_what_a_person_decides_by_their_link(
    service, browsing, choice, code, word
):
    program, link = ask_and_wait(service)
    page = browsing.open(link)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.get_by_text("7.4 %")).to_be_visible()
    assert program.poll() is None

    decide(page, choice, "the report is sound")

    expect(page.get_by_label("Outcome")).to_contain_text(f"{word.capitalize()} by {ANA}")
    out, err = program.communicate(timeout=10)
    assert program.returncode == code, err
    assert out.startswith(f"{word}: {TITLE}\n")
    assert "the report is sound" in out


def test_of_two_people_at_the_same_moment_one_decides_and_the_other_is_told_who(service, browsing):
    rounds = 5
    outcomes = set()
    for number in range(rounds):
        title = f"Race {number}"
        review = service.ask(title, reviewers=[{"email": ANA}, {"email": BO}])
        pages = {name: browsing.open(service.link(title, name)) for name in (ANA, BO)}
        at = time.time() * 1000 + 300
        for name, page in pages.items():
            button = f"button[value={'approve' if name == ANA else 'reject'}]"
            page.evaluate(f"setTimeout(() => document.querySelector('{button}').click(), {at} - Date.now())")

        log = service.logged(review, "VoteCast", "VoteRefused", count=2)

        [decided] = [event for event in log if event["type"] == "VoteCast"]
        [refused] = [event for event in log if event["type"] == "VoteRefused"]
        assert [event["type"] for event in service.log(review)].count("ReviewDecided") == 1
        winner, loser = decided["person"], refused["person"]
        assert {winner, loser} == {ANA, BO}
        word = "Approved" if winner == ANA else "Rejected"
        expect(pages[winner].get_by_label("Outcome")).to_contain_text(f"{word} by {winner}")
        expect(pages[winner].get_by_role("alert")).to_have_count(0)
        expect(pages[loser].get_by_role("alert")).to_contain_text("Your vote did not count")
        expect(pages[loser].get_by_role("alert")).to_contain_text(f"{word} by {winner}")
        assert "conflict" not in pages[loser].content().lower()
        outcomes.add(winner)
    print(f"{rounds} races were won by {outcomes}")


def test_invariant_08_a_scanner_that_opens_the_link_decides_nothing(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    link = service.link(TITLE, ANA)
    service.logged(review, "ReviewNotified")
    before = service.log(review)

    for url in (link, service.signin_link()):
        for method in ("GET", "GET", "HEAD"):
            answer = service.http.request(method, url, headers={"Authorization": ""}, timeout=10)
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
    browsing.open(link).wait_for_timeout(3_500)  # one round of the page's own script

    assert service.log(review) == before
    assert service.review(review)["status"] == "open"


def test_invariant_08_a_form_that_is_sent_without_a_choice_decides_nothing(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    page = browsing.open(service.link(TITLE, ANA))
    page.get_by_label("Reason").fill("half a thought")

    page.evaluate("document.querySelector('form').submit()")

    expect(page.get_by_role("alert")).to_contain_text("Nothing was decided")
    expect(page.get_by_label("Reason")).to_have_value("half a thought")
    assert service.review(review)["status"] == "open"
    assert "VoteCast" not in [event["type"] for event in service.log(review)]
    browsing.expect_refusals()


def test_invariant_09_a_page_that_was_opened_in_time_does_not_decide_after_the_deadline(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}], expires_in="PT8S")
    page = browsing.open(service.link(TITLE, ANA))
    page.route("**/a/*", lambda route: route.abort() if route.request.method == "GET" else route.continue_())
    eventually("it is expired", lambda: service.review(review)["status"] == "expired", 30)

    decide(page, "Approve")

    expect(page.get_by_role("alert")).to_contain_text("Your vote did not count")
    expect(page.get_by_label("Outcome")).to_contain_text("Expired: nobody decided in time")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert service.review(review)["status"] == "expired"
    browsing.wrong.clear()  # the page's own script, which was kept from reloading


def test_a_link_to_an_expired_review_says_so_and_offers_no_button(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}], expires_in="PT1S")
    link = service.link(TITLE, ANA)
    eventually("it is expired", lambda: service.review(review)["status"] == "expired")

    page = browsing.open(link)

    expect(page.get_by_label("Outcome")).to_contain_text("Expired: nobody decided in time")
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)


def test_a_link_that_was_tampered_with_opens_nothing(service, browsing):
    service.ask(TITLE, reviewers=[{"email": ANA}])
    link = service.link(TITLE, ANA)

    page = browsing.open(link[:-2] + ("AA" if not link.endswith("AA") else "BB"))

    assert TITLE not in page.content()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    browsing.expect_refusals()


def test_in_development_mode_which_is_red_on_every_page_the_operator_decides_on_behalf(start_service, browsing):
    service = start_service("--dev")
    review = service.ask(TITLE, reviewers=[{"email": ANA}, {"email": BO}])
    for path in ["/", "/signin", service.link(TITLE, ANA).removeprefix(service.url)]:
        strip = browsing.open(service.url + path).get_by_role("complementary")
        expect(strip).to_contain_text("Development mode. Decisions can be entered in anybody’s name.")
        assert strip.evaluate("strip => getComputedStyle(strip).backgroundColor") == "rgb(179, 38, 30)"
    page = browsing.operator(service)
    expect(page.get_by_role("complementary")).to_contain_text("Development mode.")
    page.get_by_role("link", name=TITLE).click()

    page.get_by_label("Reviewer", exact=True).select_option(BO)
    decide(page, "Approve", "told me on the phone")

    expect(page.get_by_label("Outcome")).to_contain_text(f"Approved by {BO}")
    expect(page.get_by_role("main")).to_contain_text("entered by the operator")
    [vote] = service.logged(review, "VoteCast")
    assert (vote["person"], vote["entered_by"], vote["channel"]) == (BO, "operator", "web")


def test_without_development_mode_the_operator_has_no_way_to_decide_for_anybody(service, browsing):
    service.ask(TITLE, reviewers=[{"email": ANA}])
    page = browsing.operator(service)
    expect(page.get_by_role("complementary")).to_have_count(0)
    page.get_by_role("link", name="Outbox").click()
    expect(page.get_by_role("main")).to_contain_text(ANA)
    assert "/a/" not in page.content()
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_the_operator_cancels_a_review(service, browsing):
    review = service.ask(TITLE)
    page = browsing.operator(service)
    page.get_by_role("link", name=TITLE).click()

    page.get_by_text("Cancel this review").click()
    page.locator("#cancel-reason").fill("a newer model is ready")
    page.get_by_role("button", name="Cancel the review").click()

    expect(page.get_by_label("Outcome")).to_contain_text("Cancelled by the operator")
    assert service.review(review)["status"] == "cancelled"


def test_nothing_needs_a_script(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    page = browsing.operator(service, java_script_enabled=False)
    page.get_by_role("link", name=TITLE).click()
    page = browsing.open(service.link(TITLE, ANA), java_script_enabled=False)

    decide(page, "Approve", "read it all")

    expect(page.get_by_label("Outcome")).to_contain_text(f"Approved by {ANA}")
    assert service.review(review)["status"] == "approved"


def test_everything_can_be_done_with_the_keyboard_alone(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    page = browsing.open(f"{service.url}/signin")
    focus_by_tab(page, page.get_by_label("E-mail address"))
    page.keyboard.type(ANA)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A link is on its way")).to_be_visible()
    page.goto(service.person_link(ANA))
    focus_by_tab(page, page.get_by_role("button", name="Sign in"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reviews")).to_be_visible()

    focus_by_tab(page, page.get_by_role("link", name=TITLE))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    focus_by_tab(page, page.get_by_label("Reason").first)
    page.keyboard.type("typed without a mouse")
    focus_by_tab(page, page.get_by_role("button", name="Approve"))
    page.keyboard.press("Enter")

    expect(page.get_by_label("Outcome")).to_contain_text(f"Approved by {ANA}")
    assert service.review(review)["ending"]["reason"] == "typed without a mouse"


def test_what_is_left_of_a_reason_is_said_once_it_is_scarce_and_counted_as_the_service_counts(service, browsing):
    review = service.ask(TITLE, reviewers=[{"email": ANA}])
    page = browsing.open(service.link(TITLE, ANA))
    reason, left = page.get_by_label("Reason").first, page.locator("#reason-left")

    reason.fill("x" * 3_000)
    expect(left).to_be_hidden()
    reason.fill("😀" * 3_900)
    expect(left).to_have_text("100 characters left.")
    reason.fill("承" * 4_001)
    expect(left).to_have_text("1 too many characters.")
    assert not reason.evaluate("field => field.checkValidity()")
    reason.fill("😀" * 4_000)
    expect(left).to_have_text("0 characters left.")
    page.get_by_role("button", name="Only comment").click()

    [said] = service.logged(review, "VoteCast")
    assert said["reason"] == "😀" * 4_000
