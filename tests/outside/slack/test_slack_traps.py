"""What other approval services fell into: who really pressed, twice, and what Slack does with a message by itself."""

import json
import threading

import requests

from processes import eventually
from slack_double import Person
from workspace import ANA, BO, OLD_SECRET, ended, votes


def test_trap_double_clicks_and_retries_make_one_vote_and_a_late_click_is_told_who_decided(slack, service, ana, bo):
    review = service.ask("Once", reviewers=[ANA, BO])
    places = {place[0]: place for place in slack.cards("Once", 2)}
    value = slack.buttons(places["DU01"])["approve"]["value"]
    codes = []
    clicks = [threading.Thread(target=lambda: codes.append(ana.click(places["DU01"], "approve", value).status_code)) for _ in range(6)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert codes == [200] * 6
    assert [vote["type"] for vote in votes(service, review)] == ["VoteCast"]
    assert [event["type"] for event in service.log(review)].count("ReviewDecided") == 1
    ended(slack, places["DU02"], "*Approved* by Ana Lind")
    # A card that is still live somewhere, such as one whose record was lost in a crash.
    with slack.lock:
        slack.messages[("DU02", "9.9")] = slack.messages[places["DU02"]]
    assert bo.click(("DU02", "9.9"), "reject", value).status_code == 200
    ended(slack, ("DU02", "9.9"), "*Approved* by Ana Lind")
    assert [update["ts"] for update in slack.asked("chat.update")].count("9.9") == 1


def test_trap_only_slacks_own_requests_count(slack, service, ana):
    review = service.ask("Signed", reviewers=[ANA])
    [place] = slack.cards("Signed")
    value = slack.buttons(place)["approve"]["value"]
    container = {"type": "message", "channel_id": place[0], "message_ts": place[1]}
    payload = ana.payload("block_actions", container=container, actions=[{"action_id": "approve", "value": value}])
    assert ana.send(payload, bend=lambda body: body.replace("U01", "U02")).status_code == 401
    assert ana.send(payload, bend=lambda body: body + "&more=1").status_code == 401
    assert ana.send(payload, age=301).status_code == 401
    assert ana.send(payload, age=-400).status_code == 401
    stranger = Person(slack, service.url, "U01", secret="guessed")
    assert stranger.send(payload).status_code == 401
    assert votes(service, review) == []
    replaced = Person(slack, service.url, "U01", secret=OLD_SECRET)
    assert replaced.send(payload, age=290).status_code == 200, "the secret that is being replaced still verifies"
    assert len(votes(service, review)) == 1


def test_trap_no_message_carries_a_task_token_and_a_button_is_no_link(slack, service):
    token = "AQC8AAAAKgAAAAMAAAAA" + "t" * 900
    service.ask("Tokenless", reviewers=[ANA], resume={"task_token": token})
    [place] = slack.cards("Tokenless")
    assert "ttttt" not in json.dumps(slack.calls)
    value = slack.buttons(place)["approve"]["value"]
    assert service.http.get(f"{service.url}/a/{value}").status_code in (403, 404, 410)


def test_trap_a_response_url_is_good_for_five_uses_and_half_an_hour_so_none_is_ever_used(slack, service):
    """A card is known by its conversation and moment, and changed by `chat.update`, as often and as late as need be."""
    people = [Person(slack, service.url, f"U{number}") for number in range(20, 27)]
    review = service.ask("Seven", reviewers=[{"slack": f"T01/{person.user}"} for person in people], policy={"quorum": len(people)})
    places = {place[0]: place for place in slack.cards("Seven", len(people))}
    for count, person in enumerate(people, 1):
        assert person.click(places[f"D{person.user}"], "approve").status_code == 200
        if count < len(people):
            eventually(f"{count} votes are shown", lambda count=count: f"*{count} of 7 approvals*" in slack.shown(places["DU20"]), 20)
    ended(slack, places["DU20"], "*Approved*")
    changed = [update["ts"] for update in slack.asked("chat.update")].count(places["DU20"][1])
    assert changed > 5, "more often than an address of an interaction could"
    assert slack.asked("response_url") == []
    assert service.review(review)["status"] == "approved"


def test_trap_slack_unfurls_no_link_and_whoever_follows_one_decides_nothing(slack, service):
    review = service.ask("Unfurled", reviewers=[ANA], evidence=[{"label": "Report", "url": "https://ml.example.com/1"}])
    [place] = slack.cards("Unfurled")
    [posted] = slack.asked("chat.postMessage")
    assert posted["unfurl_links"] is False and posted["unfurl_media"] is False
    link = slack.buttons(place)["details"]["url"]
    for method in ("GET", "HEAD", "GET"):
        assert requests.request(method, link, timeout=10).status_code == 200
    assert votes(service, review) == [] and service.review(review)["status"] == "open"
