"""Slack's limits: of time, rate and size."""

import json
import statistics
import time

import pytest
import requests

from slack_double import Person
from workspace import ANA, DORA, ended, votes

# The limits for a warm and for a cold service, in seconds.
WARM_P95, COLD = 0.150, 0.400
# The machine is quiet while the p95 of the health check, which does next to nothing, is no longer than this.
QUIET = 0.005


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


@pytest.mark.parametrize("options", [["--slack-match-email", "T01"]], ids=["matching"])
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
