"""The life of a card, and where people are told when Slack does not reach them."""

import pytest
from playwright.sync_api import expect
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from processes import eventually
from slack_double import TOKEN, Person
from workspace import ANA, BO, CY, ended, votes


def test_the_double_is_slack_to_slacks_own_client(slack):
    client = WebClient(TOKEN, base_url=f"{slack.api}/")
    assert client.auth_test()["team_id"] == "T01"
    channel = client.conversations_open(users="U01")["channel"]["id"]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "verbatim": True}}]
    posted = client.chat_postMessage(channel=channel, text="x", blocks=blocks, unfurl_links=False, unfurl_media=False)
    client.chat_update(channel=channel, ts=posted["ts"], text="y", blocks=blocks)
    slack.joins("U07", "dora@example.com")
    assert client.users_lookupByEmail(email="dora@example.com")["user"] == client.users_info(user="U07")["user"]
    slack.unknown.add("U09")
    slack.fail("chat.update", (429, {"Retry-After": "7"}, {"ok": False, "error": "ratelimited"}), "account_inactive")
    for call, code in [
        (lambda: client.conversations_open(users="U09"), "user_not_found"),
        (lambda: client.users_info(user="U09"), "user_not_found"),
        (lambda: client.users_lookupByEmail(email="eve@example.com"), "users_not_found"),
        (lambda: client.chat_update(channel=channel, ts="1.1", text="y", blocks=blocks), "ratelimited"),
        (lambda: client.chat_update(channel=channel, ts="1.1", text="y", blocks=blocks), "account_inactive"),
        (lambda: client.chat_update(channel=channel, ts="1.1", text="y", blocks=blocks), "message_not_found"),
        (lambda: client.chat_postMessage(channel="C01", text="y", blocks=blocks), "channel_not_found"),
        (lambda: WebClient("xoxb-other", base_url=f"{slack.api}/").auth_test(), "invalid_auth"),
    ]:
        with pytest.raises(SlackApiError) as refused:
            call()
        assert refused.value.response["error"] == code
        if code == "ratelimited":
            assert refused.value.response.headers["Retry-After"] == "7"


def test_a_card_is_sent_decided_on_and_updated_for_everybody(slack, service, ana, bo):
    review = service.ask("Promote churn-model v42", reviewers=[ANA, BO], policy={"quorum": 2}, summary="**AUC** rises",
                         evidence=[{"label": "Flagged rows", "value": "7.4 %"}, {"label": "Report", "url": "https://ml.example.com/1"}])
    cards = dict(slack.cards("Promote churn-model v42", 2))
    places = {"U01": ("DU01", cards["DU01"]), "U02": ("DU02", cards["DU02"])}
    shown = slack.shown(places["U01"])
    for word in ("Promote churn-model v42", "*0 of 2 approvals*", "Flagged rows", "7.4 %", "*AUC* rises"):
        assert word in shown
    assert set(slack.buttons(places["U01"])) == {"approve", "reject", "approve_with_note", "details"}

    assert ana.click(places["U01"], "approve").status_code == 200
    assert [(vote["person"], vote["channel"]) for vote in votes(service, review)] == [("ana@example.com", "slack")], "before the 200"
    for place in places.values():
        eventually("every card shows the vote", lambda place=place: "*1 of 2 approvals*" in slack.shown(place) and "Ana Lind approved" in slack.shown(place), 20)
        assert slack.buttons(place), "still to be decided"
    assert bo.click(places["U02"], "approve_with_note").status_code == 200
    assert bo.submit(slack.views[-1], "Checked the rows").text == ""
    for place in places.values():
        ended(slack, place, "*Approved* by Ana Lind and Bo Okafor", "Checked the rows")
    assert service.review(review)["status"] == "approved"


def test_a_rejection_asks_why_and_every_ending_takes_the_buttons_away(slack, service, ana):
    titles = {"rejected": "To reject", "cancelled": "To cancel", "expired": "To expire"}
    reviews = {}
    for word, title in titles.items():
        reviews[word] = service.ask(title, reviewers=[ANA], expires_in="PT6S" if word == "expired" else "PT1H")
    places = {word: slack.cards(title)[0] for word, title in titles.items()}
    assert ana.click(places["rejected"], "reject").status_code == 200
    assert votes(service, reviews["rejected"]) == []
    assert ana.submit(slack.views[-1], "The wrong <!channel> table").text == ""
    ended(slack, places["rejected"], "*Rejected* by Ana Lind", "&lt;!channel&gt; table")
    assert service.run("cancel", reviews["cancelled"]).returncode == 0
    ended(slack, places["cancelled"], "*Cancelled* by the operator")
    ended(slack, places["expired"], "*Expired*", "nobody decided in time")


def test_a_reason_is_optional_in_slack_as_at_every_other_door(slack, service, ana):
    review = service.ask("Without a word", reviewers=[ANA])
    [place] = slack.cards("Without a word")
    assert ana.click(place, "reject").status_code == 200
    assert ana.submit(slack.views[-1], None).text == ""
    [vote] = votes(service, review)
    assert vote["choice"] == "reject" and "reason" not in vote and vote["seen"] == "whole", "the card shows all there is"


def test_a_high_risk_is_approved_on_the_page_where_all_of_it_is_shown(slack, service, ana):
    review = service.ask("Drop the table", reviewers=[ANA], risk="high", subject={"table": "customers"})
    [place] = slack.cards("Drop the table")
    assert set(slack.buttons(place)) == {"reject", "details"} and "High risk" in slack.shown(place)
    assert service.review(review)["status"] == "open"


def test_an_account_that_nobody_knows_is_told_so_and_the_denial_is_on_record(slack, service):
    review = service.ask("Bound", reviewers=[ANA])
    [place] = slack.cards("Bound")
    for user, team in (("U77", "T01"), ("U01", "T99")):
        assert Person(slack, service.url, user, team).click(place, "approve").status_code == 200
        said = slack.asked("chat.postEphemeral")[-1]
        assert said["user"] == user and f'slack = "{team}/{user}"' in said["text"]
    assert {vote["why"] for vote in votes(service, review)} == {"not_a_reviewer"}


def on_record(service, browsing, review: str, *words: str) -> None:
    """The command line says this of a review, and so does its page."""
    shown = service.run("show", review).stdout
    page = browsing.operator(service)
    page.goto(f"{service.url}/reviews/{review}")
    for word in words:
        assert word in shown, shown
        # Channels have names on the page.
        expect(page.locator("ol.timeline")).to_contain_text(word.replace("(slack)", "Slack").replace("(outbox)", "the outbox"))
    digest = service.review(review)["subject_digest"]
    assert f", shown {digest[:12]}…" in shown, shown
    assert {notice["subject_digest"] for notice in service.review(review)["notices"]} == {digest}


def test_whoever_is_not_in_slack_is_told_by_the_next_channel(slack, service, browsing):
    slack.unknown.add("U02")
    review = service.ask("Elsewhere", reviewers=[ANA, BO, CY])
    assert len(slack.cards("Elsewhere")) == 1
    service.link("Elsewhere", "Bo Okafor")
    service.link("Elsewhere", "Cy")
    [failed] = service.logged(review, "NotificationFailed")
    assert failed["person"] == "bo@example.com" and "user_not_found" in failed["error"] and "retry_at" not in failed
    reached = service.logged(review, "ReviewNotified", count=3)
    assert {event["person"]: event["channel"] for event in reached} == {
        "ana@example.com": "slack", "bo@example.com": "outbox", "cy@example.com": "outbox"}
    on_record(service, browsing, review, "(slack)", "user_not_found", "(outbox)")
    shown = service.run("show", review).stdout
    assert "bo@example.com was not asked (slack)" in shown and "bo@example.com was asked (outbox)" in shown


@pytest.mark.parametrize("fault", ["account_inactive", (503, {}, "<html>down</html>"), (500, {}, "")])
def test_slack_down_or_the_bot_out_falls_back_at_once_and_comes_back_when_it_heals(slack, service, browsing, fault):
    slack.always("conversations.open", fault)
    slack.always("chat.postMessage", fault)
    review = service.ask("While down", reviewers=[ANA])
    service.link("While down", "Ana Lind")
    [failed] = service.logged(review, "NotificationFailed")
    assert failed["channel"] == "slack" and failed["retry_at"]
    said = fault if isinstance(fault, str) else f"answered {fault[0]}"
    on_record(service, browsing, review, "(slack)", said, "(outbox)")
    slack.heal()
    service.ask("After it", reviewers=[ANA])
    assert len(slack.cards("After it")) == 1
    assert service.get("/api/v1/dead-letters").json()["dead_letters"] == []
