"""People whom the directory binds to no account, known by the address that Slack vouches for."""

import pytest
from playwright.sync_api import expect

from slack_double import Person
from workspace import ANA, BO, DORA, ended, votes


@pytest.mark.parametrize("options", [["--slack-match-email", "T01"]], ids=["matching"])
def test_who_is_known_by_address_alone_is_asked_and_decides_and_the_record_says_so(slack, service, browsing):
    slack.joins("U07", "dora@example.com")
    review = service.ask("By address", reviewers=[DORA])
    [place] = slack.cards("By address")
    assert place[0] == "DU07"
    assert Person(slack, service.url, "U07").click(place, "approve").status_code == 200
    [vote] = votes(service, review)
    assert (vote["person"], vote["matched_account"], vote["channel"]) == ("dora@example.com", "slack:T01/U07", "slack")
    ended(slack, place, "*Approved* by dora@example.com")
    said = "slack:T01/U07, matched by address"
    assert said in service.run("show", review).stdout
    assert said in service.run("audit", review).stdout
    page = browsing.operator(service)
    page.goto(f"{service.url}/reviews/{review}")
    expect(page.locator("ol.timeline")).to_contain_text(said)


@pytest.mark.parametrize("options", [["--slack-match-email", "T01"], []], ids=["matching", "not opted in"])
def test_an_address_that_slack_does_not_vouch_for_neither_is_written_to_nor_decides(slack, service, ana, options):
    wrong = {"U10": {"is_email_confirmed": False}, "U11": {"is_restricted": True}, "U12": {"is_ultra_restricted": True},
             "U13": {"is_bot": True}, "U14": {"team_id": "T02", "is_stranger": True}, "U15": {"deleted": True}, "U16": {}}
    for user, more in wrong.items():
        # The last one is sound, and its address is Bo's, whom the directory binds to another account.
        slack.joins(user, "bo@example.com" if user == "U16" else f"{user.lower()}@example.com", **more)
    asked = [{"email": f"{user.lower()}@example.com"} for user in wrong]
    review = service.ask("Not vouched for", reviewers=[ANA, *asked])
    service.logged(review, "ReviewNotified", count=1 + len(asked))
    [place] = slack.cards("Not vouched for")
    assert place[0] == "DU01"
    bo = service.ask("For Bo", reviewers=[BO])
    [his] = slack.cards("For Bo")
    for user in wrong:
        for card in (place, his):
            assert Person(slack, service.url, user).click(card, "approve", slack.buttons(card)["approve"]["value"]).status_code == 200
    assert {vote["type"] for vote in votes(service, review) + votes(service, bo)} == {"VoteRefused"}
    assert not [vote for vote in votes(service, review) + votes(service, bo) if "matched_account" in vote]
    looked_up = slack.asked("users.info") + slack.asked("users.lookupByEmail")
    assert bool(looked_up) == bool(options), "nobody is looked up unless opted in to"
