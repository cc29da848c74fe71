"""Reviews decided in Slack: against a recording double that the stock `slack_sdk` signs, validates and proves."""

import json
import statistics
import threading
import time

import pytest
import requests
from playwright.sync_api import expect
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from processes import eventually
from slack_double import SECRET, TOKEN, Person, Slack

DIRECTORY = """\
[[people]]
email = "ana@example.com"
name = "Ana Lind"
slack = "T01/U01"

[[people]]
email = "bo@example.com"
name = "Bo Okafor"
slack = "T01/U02"

[[people]]
email = "cy@example.com"
name = "Cy"
"""
ANA, BO, CY = ({"email": f"{name}@example.com"} for name in ("ana", "bo", "cy"))
OLD_SECRET = "an-older-signing-secret"
# The limits for a warm and for a cold service, in seconds.
WARM_P95, COLD = 0.150, 0.400
# The machine is quiet while the p95 of the health check, which does next to nothing, is no longer than this.
QUIET = 0.005


@pytest.fixture
def slack():
    slack = Slack()
    yield slack
    slack.close()


@pytest.fixture
def options() -> list[str]:
    """Further options of the service; tests that need some say so."""
    return []


@pytest.fixture
def service(start_service, slack, tmp_path, options):
    """A service with the app; Ana and Bo are in the workspace, Cy is not."""
    secrets = tmp_path / "slack.json"
    secrets.write_text(json.dumps({"bot_token": TOKEN, "signing_secrets": [SECRET, OLD_SECRET]}))
    secrets.chmod(0o600)
    service = start_service("--slack", str(secrets), "--slack-api", slack.api, *options)
    people = service.folder / "directory.toml"
    people.write_text(DIRECTORY)
    applied = service.run("directory", "apply", str(people))
    assert applied.returncode == 0, applied.stderr
    yield service
    printed = service.printed()
    assert TOKEN not in printed and SECRET not in printed, "no secret reaches the console"


@pytest.fixture
def ana(slack, service) -> Person:
    return Person(slack, service.url, "U01")


@pytest.fixture
def bo(slack, service) -> Person:
    return Person(slack, service.url, "U02")


def votes(service, review: str) -> list[dict]:
    return [event for event in service.log(review) if event["type"] in ("VoteCast", "VoteRefused")]


def ended(slack, place, *words: str) -> None:
    """The card has no live buttons any more and says how it ended."""
    eventually(f"{place} shows {words}", lambda: slack.buttons(place) == {} and all(word in slack.shown(place) for word in words), 20)


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
    review = service.ask("Promote churn-model v42", reviewers=[ANA, BO], policy={"quorum": 2}, risk="high", summary="**AUC** rises",
                         evidence=[{"label": "Flagged rows", "value": "7.4 %"}, {"label": "Report", "url": "https://ml.example.com/1"}])
    cards = dict(slack.cards("Promote churn-model v42", 2))
    places = {"U01": ("DU01", cards["DU01"]), "U02": ("DU02", cards["DU02"])}
    shown = slack.shown(places["U01"])
    for word in ("Promote churn-model v42", "*0 of 2 approvals*", "Flagged rows", "7.4 %", "High risk", "*AUC* rises"):
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
    refused = ana.submit(slack.views[-1], None).json()
    assert refused["response_action"] == "errors" and "reason" in refused["errors"]
    assert ana.submit(slack.views[-1], "The wrong <!channel> table").text == ""
    ended(slack, places["rejected"], "*Rejected* by Ana Lind", "&lt;!channel&gt; table")
    assert service.run("cancel", reviews["cancelled"]).returncode == 0
    ended(slack, places["cancelled"], "*Cancelled* by the operator")
    ended(slack, places["expired"], "*Expired*", "nobody decided in time")


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


def test_trap_429_is_waited_for_as_long_as_slack_says_without_sleeping(slack, service):
    slack.fail("chat.postMessage", (429, {"Retry-After": "3"}, {"ok": False, "error": "ratelimited"}))
    begin = time.time()
    review = service.ask("Busy", reviewers=[ANA])
    slack.cards("Busy")
    assert time.time() - begin >= 2.5
    [failed] = service.logged(review, "NotificationFailed")
    assert failed["channel"] == "slack" and "takes no more for 3 s" in failed["error"]
    # It never went to the next channel: Slack works and was worth waiting for.
    assert [event["channel"] for event in service.logged(review, "ReviewNotified")] == ["slack"]


def test_trap_about_one_message_a_second_in_each_conversation(slack, service):
    for number in range(9):
        service.ask(f"Of many {number}", reviewers=[ANA])
    slack.cards("Of many", 5)
    begin = time.monotonic()
    slack.cards("Of many", 9, seconds=40)
    # Five at once, then one a second.
    assert time.monotonic() - begin >= 2, "the rest was spread out"


def test_trap_limits_hostile_text_and_200_kb_of_evidence_are_taken_by_slack(slack, service, ana):
    hostile = "<!channel> <@U02> <https://evil.example|https://good.example> *b* _i_ `c` & <b>x</b> \u202egnp.exe مرحبا 👩‍💻 @here"
    evidence = [{"label": f"{n} {hostile}"[:150], "value": "&<>\"\\" * 220} for n in range(99)]
    review = service.ask(f"Hostile {hostile}", summary=f"# {hostile}\n\n[https://good.example](https://evil.example)\n" * 40,
                         evidence=evidence, reviewers=[ANA])
    [place] = slack.cards("Hostile")
    assert "See everything" in slack.shown(place)
    assert ana.click(place, "reject").status_code == 200
    assert ana.submit(slack.views[-1], hostile).text == ""
    ended(slack, place, "*Rejected* by Ana Lind")
    assert service.review(review)["status"] == "rejected"


def test_trap_no_message_carries_a_task_token_and_a_button_is_no_link(slack, service):
    token = "AQC8AAAAKgAAAAMAAAAA" + "t" * 900
    service.ask("Tokenless", reviewers=[ANA], resume={"task_token": token})
    [place] = slack.cards("Tokenless")
    assert "ttttt" not in json.dumps(slack.calls)
    value = slack.buttons(place)["approve"]["value"]
    assert service.http.get(f"{service.url}/a/{value}").status_code in (403, 404, 410)


MATCHING = pytest.mark.parametrize("options", [["--slack-match-email", "T01"]], ids=["matching"])
DORA = {"email": "dora@example.com"}


@MATCHING
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


@MATCHING
@pytest.mark.parametrize("slow, status", [(10.0, 503), (0.5, 200)], ids=["hangs", "is slow, and then the window hangs"])
def test_trap_three_seconds_hold_also_when_slack_does_not_say_who_pressed(slack, service, slow, status):
    slack.joins("U07", "dora@example.com")
    review = service.ask("Who", reviewers=[DORA])
    [place] = slack.cards("Who")
    dora = Person(slack, service.url, "U07")
    real = slack.profiles["U07"]
    slack.delays["users.info"] = slow
    slack.fail("views.open", 10.0)
    assert dora.click(place, "reject").status_code == status
    assert dora.took[-1] < 3, "Slack would say that it did not work"
    assert votes(service, review) == [] and slack.profiles["U07"] == real
    slack.delays.clear()
    slack.heal()
    assert dora.click(place, "reject").status_code == 200
    assert dora.submit(slack.views[-1], "The wrong table").text == ""
    ended(slack, place, "*Rejected* by dora@example.com")


def test_trap_three_seconds_hold_also_when_slack_takes_no_word_and_no_card_from_us(slack, service, ana):
    review = service.ask("Deaf", reviewers=[ANA])
    [place] = slack.cards("Deaf")
    value = slack.buttons(place)["approve"]["value"]
    slack.fail("chat.postEphemeral", 10.0)
    stranger = Person(slack, service.url, "U77")
    assert stranger.click(place, "approve").status_code == 200 and stranger.took[-1] < 3
    assert service.run("cancel", review).returncode == 0
    ended(slack, place, "*Cancelled*")
    slack.fail("chat.update", 10.0)
    assert ana.click(place, "approve", value).status_code == 200 and ana.took[-1] < 3
    assert {vote["why"] for vote in votes(service, review)} == {"not_a_reviewer", "cancelled"}


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


@pytest.mark.parametrize("fault", [10.0, "expired_trigger_id"], ids=["hangs for ten seconds", "expired_trigger_id"])
def test_trap_a_window_that_does_not_open_keeps_slack_waiting_for_less_than_its_three_seconds(slack, service, ana, fault):
    review = service.ask("Windowless", reviewers=[ANA])
    [place] = slack.cards("Windowless")
    slack.fail("views.open", fault, fault)
    for action in ("reject", "approve_with_note"):
        assert ana.click(place, action).status_code == 200
        assert ana.took[-1] < 3, "Slack would say that it did not work"
    assert slack.views == [] and votes(service, review) == []
    assert service.review(review)["status"] == "open"
    assert ana.click(place, "reject").status_code == 200
    assert ana.submit(slack.views[-1], "The wrong table").text == ""
    ended(slack, place, "*Rejected* by Ana Lind")


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def test_figure_slack_is_answered_within_150_ms_warm_and_400_ms_cold(slack, service, artefacts, capsys):
    """From Slack's interaction to our 200, with the vote durable on this machine's disk; the clock as it stands. A cold click
    is sent until it is answered, and counts from the start of the process."""
    rounds, clicks = 5, 25
    people = [Person(slack, service.url, f"U{number}") for number in range(100, 100 + rounds * clicks)]
    for number in range(0, len(people), 5):
        asked = [{"slack": f"T01/{person.user}"} for person in people[number : number + 5]]
        service.ask(f"Fast {number}", reviewers=asked, policy={"quorum": 5})
    by_user = {person.user: person for person in people}
    places = slack.cards("Fast", len(people), seconds=90)
    cold, warm = [], []
    for round in range(rounds):
        first, *others = [(by_user[place[0][1:]], place) for place in places[round * clicks : (round + 1) * clicks]]
        service.stop()
        begin = time.monotonic()
        service.program.launch()
        assert clicked(*first).status_code == 200
        cold.append(time.monotonic() - begin)
        times, bare = [], []
        for person, place in others:
            assert person.click(place, "approve").status_code == 200
            times.append(person.took[-1])
            begin = time.monotonic()
            assert person.http.get(f"{service.url}/healthz", timeout=10).status_code == 200
            bare.append(time.monotonic() - begin)
        warm.append((p95(times), p95(bare)))
    quiet = [figure for figure, floor in warm if floor <= QUIET]
    # Others who hold the processors only add to the clock: where a round was quiet, those alone count.
    figure = statistics.median(quiet or [figure for figure, _ in warm])
    slowest = max(cold)
    figures = {"warm_p95_ms": [1e3 * figure for figure, _ in warm], "healthz_p95_ms": [1e3 * floor for _, floor in warm],
               "cold_ms": [1e3 * took for took in cold], "quiet_rounds": len(quiet)}
    (artefacts / "slack-latency.json").write_text(json.dumps(figures, indent=2))
    with capsys.disabled():
        print("\n  " + ("" if quiet else "NO ROUND WAS QUIET, all count: ") + json.dumps(figures))
        print(f"  warm p95 {figure * 1e3:.1f} ms of {WARM_P95 * 1e3:.0f}, cold {slowest * 1e3:.1f} ms of {COLD * 1e3:.0f}")
    assert figure <= WARM_P95, figures
    assert slowest <= COLD, figures


def clicked(person: Person, place):
    """A click that is sent until the service, which has just been started, takes it."""
    while True:
        try:
            return person.click(place, "approve")
        except requests.ConnectionError:
            time.sleep(0.002)
