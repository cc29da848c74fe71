"""A state machine waits for a person, in an emulator that nobody here wrote.

The machine runs `events:putEvents.waitForTaskToken`. Its event is handed to the service exactly as
a rule delivered it, and the service resumes the execution at the emulator's endpoint. Every test
runs on both emulators. They differ from AWS and from each other: for a token that is gone AWS and
ministack answer TaskTimedOut or TaskDoesNotExist, moto answers InvalidToken; moto keeps no cause.
"""

import json
import time

import pytest

from processes import eventually

REVIEWER = "reviewer@example.com"
GONE = ("WorkflowResumeUnconfirmed", "WorkflowResumeFailed")
TOLD = ("WorkflowResumed", *GONE)


class Pipeline:
    """A workflow team's side of it: state machines that ask, and the service that answers them."""

    def __init__(self, emulator, forwarder, service, unique):
        self.emulator, self.forwarder, self.service, self.unique = emulator, forwarder, service, unique
        self.title = f"Promote churn-model {unique}"
        self.request = {
            "request_key": unique,
            "title": self.title,
            "subject": {"kind": "model-promotion", "id": unique},
            "evidence": [{"label": "Flagged rows", "value": "7.4 %"}],
            "requester": {"email": "pipeline@example.com"},
            "reviewers": [{"email": REVIEWER}],
        }

    def machine(self, task=None, **request):
        return self.emulator.machine(self.unique, self.request | request, **(task or {"TimeoutSeconds": 60}))

    def run(self, machine, name=""):
        """Starts the machine and hands what it put on the bus to the service. Returns the execution and its event."""
        execution = self.emulator.start(machine, self.unique + name)
        event = execution.event()
        self.service.put(event)
        return execution, event

    def asked(self, task=None, **request):
        """An execution that waits, the review that it waits for, and its token."""
        execution, event = self.run(self.machine(task, **request))
        return execution, self.service.find(self.title), event["detail"]["resume"]["task_token"]

    def decide(self, review, choice="approve", reason="the report is sound"):
        answer = self.service.vote(review, REVIEWER, choice, reason)
        assert answer.ok, (answer.status_code, answer.text)

    def answers(self):
        """How many times the service told a workflow anything."""
        return self.forwarder.calls("SendTaskSuccess") + self.forwarder.calls("SendTaskFailure")


@pytest.fixture
def pipeline(any_emulator, forwarder, start_service, unique):
    return Pipeline(any_emulator, forwarder, start_service(sfn=forwarder.url), unique)


def told(pipeline, review, count=1):
    """What the log says that workflows were told, once it says so `count` times; what is to be tried again is not counted."""

    def look():
        final = [event for event in pipeline.service.log(review) if event["type"] in TOLD and not event.get("retry_at")]
        return final if len(final) >= count else None

    return eventually(f"the log says {count} times what workflows were told", look, seconds=30)


def test_an_approval_lets_the_execution_go_on_with_the_outcome_as_its_output(pipeline):
    execution, review, _ = pipeline.asked()
    assert execution.describe()["status"] == "RUNNING"

    pipeline.decide(review, "approve", "the report is sound")

    ended = execution.ended()
    assert ended["status"] == "SUCCEEDED"
    output = json.loads(ended["output"])
    assert output["review_id"] == review
    assert output["outcome"] == "approved"
    assert output["reason"] == "the report is sound"
    assert output["decided_by"] == [REVIEWER]
    assert {"decided_at", "votes", "subject_digest"} <= output.keys()
    [event] = told(pipeline, review)
    assert event["type"] == "WorkflowResumed"
    assert event["told"] == "success"
    assert pipeline.answers() == 1


def test_a_rejection_fails_the_execution_with_its_own_error_name(pipeline):
    execution, review, _ = pipeline.asked()

    pipeline.decide(review, "reject", "too many rows are flagged")

    ended = execution.ended()
    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Rejected")
    if pipeline.emulator.name == "ministack":
        assert "too many rows are flagged" in ended["cause"]


def test_a_rejection_is_an_output_for_a_workflow_that_asked_for_it(pipeline):
    execution, review, _ = pipeline.asked(on_reject="succeed")

    pipeline.decide(review, "reject")

    ended = execution.ended()
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["outcome"] == "rejected"


def test_expiry_fails_the_execution(pipeline):
    execution, review, _ = pipeline.asked(expires_in="PT2S")

    ended = execution.ended()

    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Expired")
    assert [event["type"] for event in pipeline.service.logged(review, "ReviewExpired")] == ["ReviewExpired"]


def test_cancelling_fails_the_execution(pipeline):
    execution, review, _ = pipeline.asked()

    answer = pipeline.service.post(f"/api/v1/reviews/{review}/cancel", {"reason": "a newer model is ready"})

    assert answer.ok, answer.text
    ended = execution.ended()
    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Cancelled")


def test_an_invalid_request_fails_its_execution_instead_of_leaving_it_to_hang(pipeline):
    execution, _ = pipeline.run(pipeline.machine(reviewers=[], policy={"quorum": 0}))

    ended = execution.ended()

    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Refused")
    if pipeline.emulator.name == "ministack":
        assert "/reviewers" in ended["cause"] and "/policy/quorum" in ended["cause"], "every fault is named at once"


def test_an_execution_that_timed_out_first_is_recorded_and_not_tried_for_ever(pipeline):
    execution, review, _ = pipeline.asked({"TimeoutSeconds": 1})
    assert execution.ended()["error"] == "States.Timeout"

    pipeline.decide(review)

    [event] = told(pipeline, review)
    assert event["type"] in GONE
    tried = pipeline.answers()
    time.sleep(3)
    assert pipeline.answers() == tried, "nothing more is sent once the log says why it could not be told"
    assert execution.describe()["status"] == "FAILED"


def test_an_endpoint_that_is_down_is_told_when_it_is_back(pipeline):
    execution, review, _ = pipeline.asked()
    pipeline.forwarder.off()

    pipeline.decide(review)
    time.sleep(1)
    assert execution.describe()["status"] == "RUNNING"
    pipeline.forwarder.on()

    assert execution.ended(seconds=30)["status"] == "SUCCEEDED"
    assert [event["type"] for event in told(pipeline, review)] == ["WorkflowResumed"]
    assert pipeline.answers() == 1


def test_a_lost_answer_tells_the_workflow_nothing_twice(pipeline):
    execution, review, _ = pipeline.asked()
    pipeline.forwarder.lose_answers(1)

    pipeline.decide(review)

    ended = execution.ended()
    assert ended["status"] == "SUCCEEDED"
    [event] = told(pipeline, review)
    if pipeline.emulator.name == "ministack":
        # The execution's history shows our answer, so the log can say so.
        assert (event["type"], event["confirmed_by"]) == ("WorkflowResumed", "history")
    tried = pipeline.answers()
    time.sleep(3)
    assert pipeline.answers() == tried


def test_a_service_killed_between_the_vote_and_the_answer_resumes_the_execution_once(pipeline):
    execution, review, _ = pipeline.asked()
    pipeline.forwarder.off()
    pipeline.decide(review)
    pipeline.service.kill9()
    pipeline.forwarder.on()
    assert execution.describe()["status"] == "RUNNING"

    pipeline.service.restart()

    assert execution.ended(seconds=30)["status"] == "SUCCEEDED"
    assert [event["type"] for event in told(pipeline, review)] == ["WorkflowResumed"]
    assert pipeline.answers() == 1


def test_a_service_killed_after_the_answer_and_before_its_record_finds_out_what_it_did(pipeline):
    execution, review, _ = pipeline.asked()
    pipeline.forwarder.hold_answers()
    pipeline.decide(review)
    assert execution.ended()["status"] == "SUCCEEDED"
    pipeline.service.kill9()
    # One, or two when the machine took longer than the service waits for an answer.
    tried = pipeline.answers()
    pipeline.forwarder.hold_answers(False)

    pipeline.service.restart()

    [event] = told(pipeline, review)
    if pipeline.emulator.name == "ministack":
        assert (event["type"], event["confirmed_by"]) == ("WorkflowResumed", "history")
    assert pipeline.answers() == tried + 1


def test_a_request_that_was_acknowledged_survives_a_kill(pipeline):
    execution, event = pipeline.run(pipeline.machine())
    pipeline.service.kill9()

    pipeline.service.restart()

    pipeline.decide(pipeline.service.find(pipeline.title))
    assert execution.ended()["status"] == "SUCCEEDED"


def test_a_workflow_run_again_for_the_same_thing_waits_on_the_same_review_and_both_are_told(pipeline):
    machine = pipeline.machine()
    first, event = pipeline.run(machine, "-first")
    second, again = pipeline.run(machine, "-second")
    assert event["detail"]["resume"]["task_token"] != again["detail"]["resume"]["task_token"]
    review = pipeline.service.find(pipeline.title)
    pipeline.service.logged(review, "ResumeAttached")

    pipeline.decide(review)

    assert [run.ended()["status"] for run in (first, second)] == ["SUCCEEDED", "SUCCEEDED"]
    assert [json.loads(run.ended()["output"])["review_id"] for run in (first, second)] == [review, review]
    events = told(pipeline, review, count=2)
    assert [event["type"] for event in events] == ["WorkflowResumed", "WorkflowResumed"]
    assert len({event["token_hash"] for event in events}) == 2


def test_a_workflow_run_again_after_the_decision_is_told_at_once(pipeline):
    machine = pipeline.machine()
    first, _ = pipeline.run(machine, "-first")
    pipeline.decide(pipeline.service.find(pipeline.title))
    assert first.ended()["status"] == "SUCCEEDED"

    second, _ = pipeline.run(machine, "-second")

    assert second.ended(seconds=5)["status"] == "SUCCEEDED"


def test_the_same_key_for_something_else_fails_the_second_workflow_and_leaves_the_first_waiting(pipeline, unique):
    first, _, _ = pipeline.asked()
    other = pipeline.emulator.machine(unique + "-other", pipeline.request | {"subject": {"id": "churn-v43"}}, TimeoutSeconds=60)

    second, _ = pipeline.run(other, "-other")

    assert (second.ended()["status"], second.ended()["error"]) == ("FAILED", "Countersign.KeyReused")
    assert first.describe()["status"] == "RUNNING"


def test_an_event_delivered_twice_opens_one_review_and_tells_once(pipeline):
    execution, event = pipeline.run(pipeline.machine())
    review = pipeline.service.find(pipeline.title)
    before = pipeline.service.log(review)

    pipeline.service.put(event)
    time.sleep(0.5)

    assert pipeline.service.log(review)[: len(before)] == before
    assert "ResumeAttached" not in [event["type"] for event in pipeline.service.log(review)]
    pipeline.decide(review)
    assert execution.ended()["status"] == "SUCCEEDED"
    told(pipeline, review)
    assert pipeline.answers() == 1


def test_invariant_04_a_task_token_is_in_no_answer_page_log_line_or_file(pipeline):
    execution, review, token = pipeline.asked()
    pipeline.decide(review)
    assert execution.ended()["status"] == "SUCCEEDED"
    told(pipeline, review)

    service = pipeline.service
    for path in (f"/api/v1/reviews/{review}", f"/api/v1/reviews/{review}/events", "/api/v1/reviews", f"/reviews/{review}"):
        assert token not in service.get(path).text, path
    assert token not in service.printed()
    service.stop()
    files = [file for file in service.data.rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert token.encode() not in file.read_bytes(), file
