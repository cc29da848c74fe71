"""Alerts by SMS, through SNS as an emulator has it."""

import pytest

from processes import eventually, http

ANA, NUMBER = "ana@example.com", "+4915112345678"
DIRECTORY = f'[[people]]\nemail = "{ANA}"\nname = "Ana"\nphone = "{NUMBER}"\n'


@pytest.fixture
def service(start_service, emulator):
    service = start_service("--sms", AWS_ENDPOINT_URL_SNS=emulator.url)
    applied = service.run("directory", "apply", "-", given=DIRECTORY)
    assert applied.returncode == 0, applied.stderr
    return service


def sent_to(emulator, number: str) -> list[dict]:
    answer = http().get(f"{emulator.url}/_ministack/sns/sms-messages", params={"phoneNumber": number}, timeout=10)
    answer.raise_for_status()
    return answer.json()["sms_messages"][number]


def test_who_has_a_number_and_no_other_channel_is_alerted_in_one_segment_by_a_link_that_decides_nothing(service, emulator):
    before = len(sent_to(emulator, NUMBER))
    review = service.ask("Größe geprüft – churn-model v42 🚀", reviewers=[{"email": ANA}])
    [sms] = eventually("an SMS", lambda: sent_to(emulator, NUMBER)[before:])
    lead, link = sms["Message"].split("\n")
    assert lead.startswith("A review waits for you until ") and lead.endswith("UTC: Größe geprüft - churn-model v42")
    assert len(sms["Message"]) <= 160
    assert sms["MessageAttributes"]["AWS.SNS.SMS.SMSType"]["StringValue"] == "Transactional"
    [logged] = service.logged(review, "ReviewNotified")
    assert (logged["channel"], logged["person"], logged["message_ref"]) == ("sms", ANA, sms["MessageId"])
    assert "is asked" not in service.printed(), "the console is the last resort"

    assert link.startswith(f"{service.url}/r/") and len(link) == len(service.url) + 25
    page = http().get(link, timeout=10)
    led = [answer.headers["Location"] for answer in page.history]
    assert led == [f"/reviews/{review}", f"/signin?review={review}"]
    assert 'type="email"' in page.text, "it asks who comes"


def test_how_it_ended_is_told_nobody_by_sms(service, emulator):
    before = len(sent_to(emulator, NUMBER))
    review = service.ask("A matter of one minute", reviewers=[{"email": ANA}])
    eventually("an SMS", lambda: sent_to(emulator, NUMBER)[before:])
    service.logged(review, "ReviewNotified")
    assert service.vote(review, ANA, "reject").ok
    service.logged(review, "ReviewDecided")
    another = service.ask("Another matter", reviewers=[{"email": ANA}])
    service.logged(another, "ReviewNotified")
    assert len(sent_to(emulator, NUMBER)) == before + 2


def test_an_outage_of_sns_is_on_record_and_the_console_is_told(start_service):
    service = start_service("--sms", AWS_ENDPOINT_URL_SNS="http://127.0.0.1:9")
    assert service.run("directory", "apply", "-", given=DIRECTORY).returncode == 0
    review = service.ask("Nobody answers", reviewers=[{"email": ANA}])
    [failed] = service.logged(review, "NotificationFailed")
    assert failed["channel"] == "sms" and failed["retry_at"] and NUMBER not in failed["error"]
    [reached] = service.logged(review, "ReviewNotified")
    assert reached["channel"] == "outbox"
