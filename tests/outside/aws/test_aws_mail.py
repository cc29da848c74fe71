"""Mails of the deployed service: those that come back, and those that people sign in by.

ministack publishes no events of SES and, as EventBridge documents for PutEvents, takes none of `aws.` from callers: the tests
put on the queue what the rule would. That the rule lets it through, test_infra_telling.py tries by EventBridge's own call.
"""

import base64
import json
import re
from email import message_from_bytes, policy

import pytest

from pipeline import Pipeline
from processes import eventually, http
from stack import TRUSTED

NUMBERS = {"ana@example.com": "+4915100000001", "bo@example.com": "+4915100000002"}
REVIEW_TAG = "countersign-review"


@pytest.fixture
def directory(stack):
    """Ana and Bo have a telephone."""
    before = stack.get("/api/v1/directory").json()
    people = {person: {"name": person.split("@")[0].capitalize(), "phone": number} for person, number in NUMBERS.items()}
    stack.http.put(f"{stack.front.url}/api/v1/directory", json=before | {"people": people}, timeout=30).raise_for_status()
    yield
    stack.http.put(f"{stack.front.url}/api/v1/directory", json=before, timeout=30).raise_for_status()


def ask(stack, unique: str, *people: str) -> tuple[str, list[dict]]:
    """A review of these people, and the mails about it, one each."""
    pipeline = Pipeline(stack, unique)
    stack.put("ReviewRequested", pipeline.request | {"reviewers": [{"email": person} for person in people]})

    def look():
        mails = [mail for mail in stack.sent() if pipeline.title in mail["Subject"]]
        return mails if len(mails) == len(people) else None

    mails = eventually("mails about the review", look, seconds=30)
    review = stack.find(pipeline.title)
    stack.logged(review, "ReviewNotified", count=len(people))
    return review, mails


def record(stack, mail: dict, review: str | None, kind: str, **more) -> dict:
    """What EventBridge hands on of SES ("Examples of event data that Amazon SES publishes" in its developer guide)."""
    tags = {"ses:operation": ["SendEmail"], "ses:configuration-set": ["countersign"]}
    about = {
        "timestamp": "2026-11-25T08:00:00.000Z",
        "source": mail["Source"],
        "sendingAccountId": "000000000000",
        "messageId": mail["MessageId"],
        "destination": mail["To"],
        "headersTruncated": False,
        "tags": tags | ({REVIEW_TAG: [review]} if review else {}),
    }
    names = {"Bounce": "Email Bounced", "Complaint": "Email Complaint Received", "Reject": "Email Rejected"}
    envelope = {"version": "0", "id": "1", "account": "000000000000", "time": "2026-11-25T08:00:01Z", "region": "us-east-1"}
    envelope |= {"source": "aws.ses", "resources": [], "detail-type": names[kind]}
    return envelope | {"detail": {"eventType": kind, "mail": about} | more}


def bounced(stack, mail: dict, review: str | None, kind: str = "Permanent", sub: str = "General") -> dict:
    recipients = [{"emailAddress": mail["To"][0], "action": "failed", "status": "5.1.1"}]
    recipients[0]["diagnosticCode"] = f"smtp; 550 5.1.1 <{mail['To'][0]}> user unknown"
    bounce = {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": recipients, "timestamp": "2026-11-25T08:00:01.000Z"}
    return record(stack, mail, review, "Bounce", bounce=bounce)


def to(mails: list[dict], person: str) -> dict:
    [mail] = [each for each in mails if person in each["To"][0]]
    return mail


def test_the_configuration_set_tells_of_what_came_back_and_tracks_nobody(stack):
    set_ = stack.aws("sesv2").get_configuration_set_event_destinations(ConfigurationSetName="countersign")
    [destination] = set_["EventDestinations"]
    assert destination["Enabled"] and destination["MatchingEventTypes"] == ["BOUNCE", "COMPLAINT", "REJECT"]
    assert destination["EventBridgeDestination"]["EventBusArn"].endswith(":event-bus/default")


def test_every_mail_says_which_review_it_is_about(stack, unique):
    mark = len(stack.proxy.since())
    review, [mail] = ask(stack, unique, "reviewer@example.com")
    [call] = [each.json() for each in stack.proxy.since(mark) if each.name == "ses:SendEmail" and mail["To"][0].encode() in each.body]
    assert call["EmailTags"] == [{"Name": REVIEW_TAG, "Value": review}]
    assert call["ConfigurationSetName"] == "countersign"


@pytest.mark.parametrize("kind", ["Bounce", "Complaint"])
def test_whose_mail_came_back_is_alerted_by_sms_and_nobody_else_is(stack, unique, directory, kind):
    before = {person: len(stack.sms(number)) for person, number in NUMBERS.items()}
    review, mails = ask(stack, unique, *NUMBERS)
    mail = to(mails, "ana@example.com")
    back = bounced(stack, mail, review) if kind == "Bounce" else record(
        stack, mail, review, "Complaint", complaint={"complainedRecipients": [{"emailAddress": "ana@example.com"}], "complaintFeedbackType": "abuse"}
    )

    for _ in range(2):  # queues deliver at least once
        stack.send("NotifierQueueUrl", back)

    [failed] = stack.logged(review, "NotificationFailed")
    assert (failed["person"], failed["channel"], failed["message_ref"]) == ("ana@example.com", "email", mail["MessageId"])
    assert failed["error"] == {"Bounce": "bounced: Permanent, General", "Complaint": "its reader complained: abuse"}[kind]
    [sms] = eventually("an SMS", lambda: stack.sms(NUMBERS["ana@example.com"])[before["ana@example.com"]:], seconds=20)
    lead, link = sms["Message"].split("\n")
    assert Pipeline(stack, unique).title[:12] in lead and link.startswith(f"{stack.front.url}/r/")
    stack.logged(review, "ReviewNotified", count=3)
    stack.idle()
    assert stack.types(review).count("NotificationFailed") == 1 and stack.types(review).count("ReviewNotified") == 3
    assert len(stack.sms(NUMBERS["ana@example.com"])) == before["ana@example.com"] + 1
    assert len(stack.sms(NUMBERS["bo@example.com"])) == before["bo@example.com"]


def test_a_mailbox_that_answers_by_itself_got_its_mail(stack, unique, directory):
    review, [mail] = ask(stack, unique, "ana@example.com")
    before = len(stack.commits(review))
    stack.send("NotifierQueueUrl", bounced(stack, mail, review, "Transient"))
    stack.idle()
    assert len(stack.commits(review)) == before
    assert stack.waiting("NotifierDeadUrl") == 0


@pytest.fixture
def hidden_shortly(stack):
    """The queue hides a message for 180 s; here it is 1 s, so that it comes again while a test waits."""
    queue = {"QueueUrl": stack.outputs["NotifierQueueUrl"]}
    stack.aws("sqs").set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "1"})
    yield
    stack.aws("sqs").set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "180"})


def test_a_mail_that_no_review_knows_of_is_counted_and_its_reader_named_nowhere(stack, unique):
    stranger = f"{unique}@example.org"
    mail = {"Source": "countersign@example.com", "MessageId": f"{unique}-mail", "To": [stranger]}
    stack.send("NotifierQueueUrl", bounced(stack, mail, None))

    def lines():
        return [json.loads(line) for line in stack.lines() if mail["MessageId"] in line and line.startswith("{")]

    [line] = eventually("it is logged", lines, seconds=20)
    assert line["level"] == "WARN"
    counted = [line for line in stack.lines() if '"UnknownReturns":1' in line]
    assert counted
    assert stranger not in "\n".join(stack.lines())
    assert stack.waiting("NotifierDeadUrl") == 0


def test_news_that_is_faster_than_the_record_of_the_mail_comes_again(stack, unique, hidden_shortly):
    """The mail is one of a team's own channel, which says so by the bus, to somebody whom we reach in Slack."""
    pipeline, person = Pipeline(stack, unique), {"slack": "T01/U09"}
    stack.put("ReviewRequested", pipeline.request | {"reviewers": [person]})
    review = stack.find(pipeline.title)
    stack.logged(review, "ReviewNotified")
    mail = {"Source": "team@example.com", "MessageId": f"{unique}-mail", "To": ["somebody@example.com"]}
    stack.send("NotifierQueueUrl", bounced(stack, mail, review))
    eventually("it is to come again", lambda: any("a message is to come again" in line for line in stack.lines()), 20)

    stack.put("ReviewNotified", {"review_id": review, "person": person, "channel": "email", "occasion": "asked", "message_ref": mail["MessageId"]}, source=TRUSTED)

    [failed] = stack.logged(review, "NotificationFailed", seconds=40)
    assert failed["message_ref"] == mail["MessageId"]
    assert stack.types(review) == ["ReviewRequested", "ReviewNotified", "ReviewNotified", "NotificationFailed"]


def test_a_person_signs_in_by_a_mail_of_the_gateway(stack, unique):
    review, _ = ask(stack, unique, "reviewer@example.com")
    stack.idle()
    session, mark = http(), len(stack.proxy.since())
    page = session.get(f"{stack.front.url}/signin", timeout=30).text
    csrf = re.search(r'name="csrf" value="([^"]*)"', page).group(1)
    fields = {"csrf": csrf, "email": "reviewer@example.com", "review": review}
    asked = session.post(f"{stack.front.url}/signin/mail", data=fields, headers={"Origin": stack.front.url}, timeout=30)
    assert asked.status_code == 200 and "A link is on its way" in asked.text, asked.text

    def links():
        return [mail for mail in stack.sent() if mail["Subject"] == "Your sign-in link" and review in mail["BodyText"]]

    [mail] = eventually("a mail with the link", links, seconds=20)
    assert mail["To"] == ["reviewer@example.com"]
    [call] = [each.json() for each in stack.proxy.since(mark) if each.name == "ses:SendEmail"]
    assert call["ConfigurationSetName"] == "countersign" and not call.get("EmailTags")
    link = re.search(r"http\S+/signin\?key=\S+", mail["BodyText"]).group(0)
    form = session.get(link, timeout=30).text
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', form).group(1) for name in ("key", "csrf", "review")}
    entered = session.post(f"{stack.front.url}/signin", data=hidden | {"go": "in"}, headers={"Origin": stack.front.url}, timeout=30)
    assert entered.status_code == 200 and entered.url.endswith(f"/reviews/{review}"), entered.text
    assert hidden["key"] not in "\n".join(stack.lines()), "no log line lets anybody sign in"


def test_the_outcome_is_mailed_in_the_conversation_that_asked_where_that_is_switched_on(stack, unique):
    """MailOutcome of the template is off in this stack, since each mail costs: the notifier is given its variable alone."""
    functions, name = stack.aws("lambda"), stack.functions["notifier"]
    off = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    assert off["MAIL_OUTCOME"] == "false"
    stack.idle()
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": off | {"MAIL_OUTCOME": "true"}})
    mark = len(stack.proxy.since())
    try:
        review, asked = ask(stack, unique, "ana@example.com", "bo@example.com")
        stack.vote(review, "ana@example.com", "approve").raise_for_status()

        def to_bo():
            calls = [call.json() for call in stack.proxy.since(mark) if call.name == "ses:SendEmail"]
            raw = [base64.b64decode(call["Content"]["Raw"]["Data"]) for call in calls]
            mails = [message_from_bytes(each, policy=policy.default) for each in raw]
            mails = [mail for mail in mails if mail["To"] == "bo@example.com"]
            return mails if len(mails) == 2 else None

        question, outcome = eventually("the outcome is mailed", to_bo, seconds=30)
        stack.idle()
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": off})
    # SES gives each mail its id; in us-east-1 its domain is `email.amazonses.com`.
    first = f"<{to(asked, 'bo@example.com')['MessageId']}@email.amazonses.com>"
    assert outcome["In-Reply-To"] == first and first in outcome["References"]
    assert first not in str(question["References"]) and "approved" in outcome.get_body(("plain",)).get_content().lower()
