"""What holds when AWS throttles, fails, cuts connections, is slow, or does what it is asked and loses the answer: on every
call that the functions make, while reviews run side by side. The seed is printed; COUNTERSIGN_SEED repeats a run's.

ministack gives a batch of the stream up whose answer names failed items, where AWS sends it again. What is lost by that
is left to reconciliation here, which is a harder case than AWS's."""

import hashlib
import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from faults import CLASSES, Faults
from pipeline import REVIEWER, Pipeline
from processes import eventually
from proxy import PASS

SEED = int(os.environ.get("COUNTERSIGN_SEED") or random.SystemRandom().randrange(2**32))
ENDINGS = {"ReviewDecided", "ReviewExpired", "ReviewCancelled"}
NOTICES = {"ReviewNotified", "NotificationFailed"}
TOLD = {"WorkflowResumed", "WorkflowResumeFailed", "WorkflowResumeUnconfirmed"}
# How long the notifier's claim of a message lasts (services/notifier/src/lib.rs): nobody sends it again before.
LEASE = 60
QUEUES = {"IntakeDeadUrl": "IntakeQueueUrl", "NotifierDeadUrl": "NotifierQueueUrl"}
# What the functions call in these runs, each to meet the fault at least once.
EVERY_CALL = {
    "dynamodb:Query", "dynamodb:PutItem", "kms:Encrypt", "kms:Decrypt", "events:PutEvents",
    "states:SendTaskSuccess", "states:SendTaskFailure", "sns:Publish", "ses:SendEmail", "secretsmanager:GetSecretValue",
}  # fmt: skip


class Case:
    """One review that runs to its end whatever happens, and what is to come of it."""

    def __init__(self, stack, unique: str, name: str):
        self.stack, self.name = stack, name
        self.pipeline = Pipeline(stack, f"{unique}-{name}")
        self.executions, self.review = [], ""

    def run(self) -> "Case":
        getattr(self, self.name)()
        return self

    def asks(self, **request) -> None:
        self.executions.append(self.pipeline.start(**request))
        [self.review] = eventually("the request is on record", lambda: self.stack.titled(self.pipeline.title), 60, 0.2)

    def votes(self, who: str, choice: str):
        """As a person does who sees an error: again."""

        def once():
            answer = self.stack.vote(self.review, who, choice)
            return [answer] if answer.status_code < 500 else None

        return eventually(f"an answer to {who}'s vote", once, 60, 0.3)[0]

    def events(self) -> list[dict]:
        return events_of(self.stack.commits(self.review))

    def is_noticed(self) -> None:
        """Waits until somebody was written to, or could not be."""
        eventually("a notice is on record", lambda: any(event["type"] in NOTICES for event in self.events()), 60, 0.2)

    def told(self) -> list[dict]:
        """What is on record of the executions that were told, once nothing more is to be tried."""
        return [event for event in self.events() if event["type"] in TOLD and not event.get("retry_at")]

    # The ways in which a review goes.

    def approved(self):
        self.asks()
        self.is_noticed()
        self.votes(REVIEWER, "approve")

    def rejected(self):
        self.asks()
        self.votes(REVIEWER, "reject")

    def expired(self):
        self.asks(expires_in="PT1S")

    def cancelled(self):
        self.asks()
        self.stack.put("ReviewCancelled", {"review_id": self.review, "reason": "a newer model is ready"})

    def raced(self):
        people = {"ana@example.com": "approve", "bob@example.com": "reject"}
        self.asks(reviewers=[{"email": person} for person in people])
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda each: self.votes(*each), people.items()))
        # Whose answer was lost and who asked again learns that it counted; the loser learns who won, never of a conflict.
        assert sorted(answer.ok for answer in answers) == [False, True], [(each.status_code, each.text) for each in answers]

    def asked_twice(self):
        self.asks()
        self.executions.append(self.pipeline.start("-again"))
        eventually("the second token is attached", lambda: any(e["type"] == "ResumeAttached" for e in self.events()), 60, 0.2)
        self.votes(REVIEWER, "approve")


NAMES = ["approved", "rejected", "expired", "cancelled", "raced", "asked_twice"]
# Deadlines are a second: before anybody could vote.
OUTCOMES = {"approved": "approved", "rejected": "rejected", "expired": "expired", "cancelled": "cancelled", "asked_twice": "approved"}


def events_of(commits: list[dict]) -> list[dict]:
    return [event for commit in commits for event in json.loads(bytes(commit["body"]))["events"]]


@contextmanager
def clockwork(stack):
    """The timekeeper's rule, more often than each minute."""
    stop = threading.Event()

    def tick():
        client = stack.aws("lambda")
        while not stop.wait(1):
            # A tick that fails is followed by another, as on AWS.
            client.invoke(FunctionName=stack.functions["timekeeper"], Payload=b"{}")

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        yield
    finally:
        stop.set()
        ticking.join()


@pytest.fixture(scope="module")
def quick(stack):
    """What failed comes again after a second instead of three minutes. Prints the seed."""
    sqs = stack.aws("sqs")
    for queue in QUEUES.values():
        sqs.set_queue_attributes(QueueUrl=stack.outputs[queue], Attributes={"VisibilityTimeout": "1"})
    yield stack
    stack.proxy.fate = lambda call: PASS
    for queue in QUEUES.values():
        sqs.set_queue_attributes(QueueUrl=stack.outputs[queue], Attributes={"VisibilityTimeout": "180"})


def redrive(stack) -> None:
    """What an operator does after an outage."""
    sqs = stack.aws("sqs")
    for dead, queue in QUEUES.items():
        while messages := sqs.receive_message(QueueUrl=stack.outputs[dead], MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.send_message(QueueUrl=stack.outputs[queue], MessageBody=message["Body"])
                sqs.delete_message(QueueUrl=stack.outputs[dead], ReceiptHandle=message["ReceiptHandle"])


def check_log(stack, case: Case) -> str:
    """One outcome, contiguous versions, whole chain; the outcome."""
    commits = stack.commits(case.review)
    previous = "0" * 64
    for number, commit in enumerate(commits, 1):
        body = bytes(commit["body"])
        assert (commit["sk"], json.loads(body)["version"], json.loads(body)["previous"]) == (number, number, previous)
        previous = hashlib.sha256(body).hexdigest()
        assert bytes(commit["hash"]).hex() == previous
    types = [event["type"] for event in events_of(commits)]
    assert types.count("ReviewRequested") == 1
    [ending] = [event for event in events_of(commits) if event["type"] in ENDINGS]
    outcome = ending.get("outcome") or ending["type"].removeprefix("Review").lower()
    assert outcome == OUTCOMES.get(case.name, outcome)
    return outcome


def check_told(case: Case, outcome: str) -> None:
    """Every execution was told that outcome, once, and the log says so."""
    for execution in case.executions:
        ended = execution.describe()
        if outcome == "approved":
            assert ended["status"] == "SUCCEEDED", ended
            assert json.loads(ended["output"])["outcome"] == outcome
        else:
            assert (ended["status"], ended["error"]) == ("FAILED", f"Countersign.{outcome.capitalize()}"), ended
    told = case.told()
    assert len(told) == len({event["token_hash"] for event in told}) == len(case.executions), told
    assert {event["type"] for event in told} <= {"WorkflowResumed", "WorkflowResumeUnconfirmed"}, told


def check_row(stack, case: Case, outcome: str) -> None:
    row = stack.get(f"/api/v1/reviews?status={outcome}&limit=100").json()["reviews"]
    [row] = [each for each in row if each["review_id"] == case.review]
    assert row["version"] == stack.commits(case.review)[-1]["sk"]


def check_mails(stack, case: Case, calls) -> None:
    """No message went out twice that SES had said it took, but for a sender that could not put it on record: then one
    more, after its lease."""
    about = [call for call in calls if call.name == "ses:SendEmail" and case.pipeline.title in call.body.decode()]
    people = {call.json()["Destination"]["ToAddresses"][0] for call in about}
    for person in people:
        taken = [each.at for each in about if each.status == 200 and not each.fault == "lost" and person.encode() in each.body]
        assert len(taken) <= 2, f"{person} was written to {len(taken)} times about {case.review}"
        assert all(later - earlier >= LEASE - 1 for earlier, later in zip(taken, taken[1:])), taken


@pytest.mark.parametrize("kind", CLASSES)
def test_invariants_05_and_07_every_review_ends_once_and_is_told_once_whatever_aws_does(quick, unique, kind, capsys):
    stack, began = quick, time.monotonic()
    requests = stack.listen(unique + "-requests", {"source": ["com.example.pipeline"]})
    published = stack.listen(unique + "-published", {"source": ["countersign"]})
    stack.idle()
    mark, faults = len(stack.proxy.since()), Faults(kind, SEED)
    # So that what they do in Init meets the faults as well.
    stack.start_anew(*stack.functions)
    stack.proxy.fate = faults
    with clockwork(stack), ThreadPoolExecutor(len(NAMES)) as pool:
        cases = list(pool.map(lambda name: Case(stack, unique, name).run(), NAMES))
        eventually("every review ends", lambda: all(any(e["type"] in ENDINGS for e in c.events()) for c in cases), 90, 0.5)
        eventually(f"every call meets it, {EVERY_CALL}", lambda: faults.met.keys() >= EVERY_CALL, 90, 0.2)
    stack.proxy.fate = lambda call: PASS
    stormy = time.monotonic() - began

    redrive(stack)
    stack.idle()
    first = stack.invoke("timekeeper", {"reconcile": True})
    with clockwork(stack):
        # What was put off is due after up to a minute.
        eventually("all are told", lambda: all(len(case.told()) >= len(case.executions) for case in cases), 150, 0.5)
    stack.idle()
    second = stack.invoke("timekeeper", {"reconcile": True})

    owed = {name: count for name, count in second.items() if name != "reviews" and count}
    assert not owed, f"still owed: {owed}"
    calls = stack.proxy.since(mark)
    events = stack.read(published, seconds=1)
    heard = {event["detail"]["event_id"] for event in events}
    for case in cases:
        outcome = check_log(stack, case)
        check_told(case, outcome)
        check_row(stack, case, outcome)
        check_mails(stack, case, calls)
        ids = {
            f"{case.review}/{commit['sk']}/{index}"
            for commit in stack.commits(case.review)
            for index, _ in enumerate(json.loads(bytes(commit["body"]))["events"])
        }
        assert ids <= heard, "what is on record was published"
    tokens = {event["detail"]["resume"]["task_token"] for event in stack.read(requests, seconds=1) if "resume" in event["detail"]}
    assert len(tokens) == sum(len(case.executions) for case in cases)
    lines, out = "\n".join(stack.lines()), json.dumps(events) + "".join(stack.mails())
    assert not [token for token in tokens if token in lines or token in out], "invariant 4"
    with capsys.disabled():
        took = time.monotonic() - began
        print(
            f"\n{kind}, seed {SEED}: {faults.met.total()} of {len(calls)} calls met it, {len(cases)} reviews, "
            f"{stormy:.0f} s of it and {took - stormy:.0f} s after; reconciled {first}"
        )
