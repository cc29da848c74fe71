"""Every page with real content: on a phone, in the dark, and kept as pictures."""

import json
import shutil

import pytest
from playwright.sync_api import expect

import reviews
from browsing import check_fits, check_legible, decide, focus_by_tab
from processes import eventually
from service import ROOT

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
# The width that the documentation shows.
DESK = {"viewport": {"width": 1280, "height": 720}}


@pytest.fixture
def filled(start_service):
    """A service with reviews in every state; their ids by title as `ids`."""
    service = start_service()
    service.ids = reviews.fill(service)
    eventually(
        "one has expired",
        lambda: service.review(service.ids["Scale the search cluster to 12 nodes"])["status"] == "expired",
    )
    eventually("the lists are up to date", lambda: len(service.listed("open")) == 5 and len(service.listed("expired")) == 1)
    return service


def test_pictures_of_the_inbox_and_of_a_review_before_and_after_the_decision(filled, browsing, artefacts, pytestconfig):
    page = browsing.operator(filled, **DESK)
    expect(page.locator(".row")).to_have_count(5)
    page.get_by_role("link", name="Ended").click()
    expect(page.locator(".row")).to_have_count(4)
    page.screenshot(path=artefacts / "ended.png")

    page = browsing.person(filled, reviews.BO, **DESK)
    expect(page.locator(".row")).to_have_count(4)
    page.screenshot(path=artefacts / "inbox.png")
    page.goto(f"{filled.url}/reviews/{filled.ids[reviews.CHURN]}")
    page.screenshot(path=artefacts / "review.png", full_page=True)
    if pytestconfig.getoption("--pictures"):
        for picture in ("inbox.png", "review.png"):
            shutil.copy(artefacts / picture, ROOT / "docs" / picture)

    decide(page, "Approve", "Same result with last month's data.")

    expect(page.get_by_label("Outcome")).to_contain_text("Approved by Ana Lind and Bo Okafor")
    page.screenshot(path=artefacts / "decided.png", full_page=True)


def test_no_page_scrolls_sideways_on_a_phone(filled, browsing, artefacts):
    page = browsing.open(filled.signin_link(), **PHONE)
    check_fits(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Reviews")).to_be_visible()
    check_fits(page)
    page.screenshot(path=artefacts / "phone-inbox.png")
    refused = filled.listed("refused")[0]["review_id"]
    paths = ["/?show=ended", "/?show=all&q=nothing+like+this", "/outbox", "/dead-letters", f"/reviews/{refused}"]
    for path in paths + [f"/reviews/{review}" for review in filled.ids.values()]:
        page.goto(filled.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        check_fits(page)

    page = browsing.open(filled.link(reviews.CHURN, "Bo Okafor"), **PHONE)
    check_fits(page)
    page.screenshot(path=artefacts / "phone.png", full_page=True)
    small = "[...document.querySelectorAll('main button')].filter(b => b.getBoundingClientRect().height < 40).length"
    assert page.evaluate(small) == 0, "every button is large enough for a thumb"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible(filled, browsing, scheme):
    page = browsing.operator(filled, color_scheme=scheme, **DESK)
    refused = filled.listed("refused")[0]["review_id"]
    for path in ["/", "/?show=ended", "/outbox", "/dead-letters"] + [f"/reviews/{review}" for review in [*filled.ids.values(), refused]]:
        page.goto(filled.url + path)
        check_legible(page)


def test_pages_are_dark_for_those_who_want_it(filled, browsing, artefacts):
    page = browsing.operator(filled, color_scheme="dark", **DESK)
    page.screenshot(path=artefacts / "dark-inbox.png")
    page.goto(f"{filled.url}/reviews/{filled.ids[reviews.CHURN]}")
    page.screenshot(path=artefacts / "dark.png", full_page=True)
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert max(red, green, blue) < 60


def test_in_development_mode_the_outbox_lists_who_was_asked_with_links_that_work(start_service, browsing, artefacts):
    filled = start_service("--dev")
    reviews.fill(filled)
    page = browsing.operator(filled, **DESK)
    page.get_by_role("link", name="Outbox").click()
    expect(page.get_by_role("heading", name="Outbox")).to_be_visible()
    page.screenshot(path=artefacts / "outbox.png")
    links = page.locator("main a[href*='/a/']")
    addresses = [links.nth(number).get_attribute("href") for number in range(links.count())]
    assert len(addresses) >= 10
    for address in addresses:
        answer = filled.http.get(address, headers={"Authorization": ""}, timeout=10)
        assert answer.status_code == 200, address
        assert "You are " in answer.text


def test_each_vote_fills_a_pip_and_adds_an_entry_to_the_timeline(service, browsing):
    people = [f"{name}@example.com" for name in ("ana", "bo", "cy")]
    review = service.ask("Three decide", reviewers=[{"email": person} for person in people], policy={"quorum": 3})
    service.logged(review, "ReviewNotified", count=3)
    page = browsing.operator(service)
    page.goto(f"{service.url}/reviews/{review}")
    standing, entries = page.get_by_label("Where it stands"), page.locator("ol.timeline > li")
    # Asked, and everybody notified.
    expect(entries).to_have_count(2)
    for cast, person in enumerate(people):
        expect(standing.locator(".pip")).to_have_count(3)
        expect(standing.locator(".pip.full")).to_have_count(cast)
        expect(standing).to_contain_text(f"{cast} of 3")
        assert service.vote(review, person, "approve").ok
        page.reload()
        # The last vote is also the decision; whoever is told of it adds entries later.
        expect(entries.nth(2 + cast)).to_contain_text(f"{person} approved via the API")
        if cast < 2:
            expect(entries).to_have_count(3 + cast)
    expect(standing.locator(".pip.full")).to_have_count(3)
    expect(entries.nth(5)).to_contain_text("Approved by ana@example.com, bo@example.com and cy@example.com")


@pytest.mark.parametrize("any_emulator", ["ministack"], indirect=True)
def test_a_dead_letter_is_shown_and_handled_again_once_its_cause_is_mended(
    any_emulator, start_service, browsing, artefacts, unique
):
    """The key that opens task tokens is lost and found again: the workflow goes on when the record is tried again."""
    service = start_service(sfn=any_emulator.url)
    request = {"title": "Promote", "reviewers": [{"email": "ana@example.com"}]}
    execution = any_emulator.start(any_emulator.machine(unique, request, TimeoutSeconds=120), unique)
    service.put(execution.event())
    review = service.find("Promote")
    service.stop()
    key = service.data / "tokens.key"
    key.rename(service.folder / "kept.key")
    service.restart()
    assert service.vote(review, "ana@example.com", "approve").ok
    page = browsing.operator(service)
    eventually("the record is parked", lambda: service.get("/api/v1/dead-letters").json()["dead_letters"])

    page.goto(f"{service.url}/dead-letters")
    page.screenshot(path=artefacts / "dead-letters.png")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("It failed again")
    assert execution.describe()["status"] == "RUNNING"

    service.stop()
    (service.folder / "kept.key").replace(key)
    service.restart()
    page.goto(f"{service.url}/dead-letters")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nothing was left behind")).to_be_visible()
    assert execution.ended()["status"] == "SUCCEEDED"
    browsing.wrong = [text for text in browsing.wrong if "ERR_CONNECTION_REFUSED" not in text]


def test_a_run_of_the_demo_pauses_in_the_browser_and_goes_on_when_it_is_approved(start_service, browsing, artefacts):
    service = start_service("--demo")
    page = browsing.operator(service, **DESK)
    page.get_by_role("link", name="Demo").click()
    focus_by_tab(page, page.get_by_role("button", name="Start a run"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Paused until somebody decides")).to_be_visible(timeout=15_000)

    review = browsing.tab(page, page.get_by_role("link", name="the review").evaluate("link => link.href"))
    expect(review.get_by_role("heading", level=1)).to_contain_text("anomalous rows?")
    assert review.locator("img.evidence").evaluate("image => image.complete && image.naturalWidth > 0")
    review.screenshot(path=artefacts / "demo-review.png", full_page=True)
    review.get_by_label("Reviewer", exact=True).select_option("reviewer@example.com")
    decide(review, "Approve", "the flagged rows are refunds")

    expect(page.locator("main")).to_contain_text("Promoted", timeout=15_000)
    expect(page.locator("main")).to_contain_text("the flagged rows are refunds")
    for runs, share in [(2, "8"), (3, "2")]:
        page.get_by_label("Share to spoil, %").fill(share)
        page.get_by_role("button", name="Start a run").click()
        expect(page.locator(".runs > li")).to_have_count(runs)
    promoted = service.data / "demo/promoted"
    eventually("what is clean is promoted without a person", lambda: len(list(promoted.iterdir())) == 2)
    page.reload()
    expect(page.get_by_text("Paused until somebody decides")).to_have_count(1)
    page.screenshot(path=artefacts / "demo.png", full_page=True)


def test_a_run_of_the_demo_that_waits_goes_on_after_a_restart(start_service, browsing):
    service = start_service("--demo")
    page = browsing.operator(service)
    page.goto(f"{service.url}/demo")
    page.get_by_role("button", name="Start a run").click()

    def waiting() -> str | None:
        [stage] = [json.loads(path.read_text())["stage"] for path in (service.data / "demo/runs").glob("*.json")]
        return stage.get("review_id")

    review = eventually("it waits", waiting)
    service.kill9()
    service.restart()
    service.stop()
    service.restart()

    assert service.vote(review, "reviewer@example.com", "reject").ok

    eventually("the data set is discarded", lambda: list((service.data / "demo/discarded").iterdir()))
    page.goto(f"{service.url}/demo")
    expect(page.get_by_text("Discarded")).to_be_visible()
    browsing.wrong = [text for text in browsing.wrong if "ERR_CONNECTION_REFUSED" not in text]
