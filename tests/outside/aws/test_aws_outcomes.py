"""The deployed service from a workflow's question to its end: bus, rules, queues, stream, functions, HTTP API."""

import json
import time
from datetime import UTC, datetime

from pipeline import REVIEWER


def test_an_approval_through_the_gateway_lets_the_execution_go_on_and_listeners_hear_of_it(stack, pipeline, unique):
    decided = stack.listen(unique, {"source": ["countersign"], "detail-type": ["ReviewDecided"]})
    execution, review = pipeline.asked()
    assert execution.describe()["status"] == "RUNNING"

    pipeline.decide(review)

    ended = execution.ended()
    assert ended["status"] == "SUCCEEDED", ended
    output = json.loads(ended["output"])
    assert (output["review_id"], output["outcome"], output["decided_by"]) == (review, "approved", [REVIEWER])
    [event] = stack.read(decided, seconds=2, about=review)
    assert event["detail"]["review_id"] == review
    assert event["detail"]["outcome"] == "approved"
    stack.logged(review, "WorkflowResumed")


def test_a_rejection_fails_the_execution_with_its_own_error_name(stack, pipeline):
    execution, review = pipeline.asked()

    pipeline.decide(review, "reject", "too many rows are flagged")

    ended = execution.ended()
    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Rejected")
    assert "too many rows are flagged" in ended["cause"]


def test_the_schedule_expires_a_review_that_nobody_looked_at(stack, pipeline):
    execution, review = pipeline.asked(expires_in="PT1S")

    ended = execution.ended(seconds=100)  # the rule calls the timekeeper each minute

    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Expired")
    assert stack.types(review).count("ReviewExpired") == 1


def test_a_vote_after_the_deadline_is_refused_before_the_schedule_has_run(stack, pipeline):
    """Invariant 9, on the deployed clock."""
    execution, review = pipeline.asked(expires_in="PT3S")
    asked = stack.log(review)[0]
    deadline = datetime.fromisoformat(asked["expires_at"])
    time.sleep(max(0.0, (deadline - datetime.now(UTC)).total_seconds()) + 0.1)

    answer = stack.vote(review, REVIEWER, "approve")

    assert answer.status_code == 409, answer.text
    assert answer.json()["type"].endswith("expired"), answer.text
    assert execution.ended(seconds=100)["error"] == "Countersign.Expired"


def test_whoever_asked_withdraws_by_the_bus_and_the_execution_fails_as_cancelled(stack, pipeline):
    execution, review = pipeline.asked()

    stack.put("ReviewCancelled", {"review_id": review, "reason": "a newer model is ready"})

    ended = execution.ended()
    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Cancelled")


def test_a_request_that_cannot_be_taken_fails_its_execution_and_names_every_fault(pipeline):
    execution = pipeline.start(reviewers=[], policy={"quorum": 0})

    ended = execution.ended()

    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.Refused")
    assert "/reviewers" in ended["cause"] and "/policy/quorum" in ended["cause"]


def test_a_direct_call_of_intake_waits_and_is_answered_as_well(stack, pipeline):
    """`lambda:invoke.waitForTaskToken`, the article's form."""
    execution = pipeline.start_by_invoke(stack.functions["intake"])
    review = stack.find(pipeline.title)

    pipeline.decide(review)

    assert execution.ended()["status"] == "SUCCEEDED"
