"""Executions that end by themselves: Step Functions says so on the default bus, and their reviews are withdrawn.

ministack emits the events of StopExecution and, as EventBridge documents for PutEvents, takes none of `aws.` from callers.
"""

import json

import pytest

from pipeline import REVIEWER
from processes import eventually

CHANGED = "Step Functions Execution Status Change"


@pytest.fixture
def hidden_shortly(stack):
    """The queue hides a message for 40 s; here it is 1 s, so that it comes again while a test waits."""
    queue = {"QueueUrl": stack.outputs["EndedQueueUrl"]}
    stack.aws("sqs").set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "1"})
    yield
    stack.aws("sqs").set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "40"})


def stop(execution) -> None:
    execution.states.stop_execution(executionArn=execution.arn, cause="a newer run has begun")


def test_a_workflow_that_is_stopped_takes_its_review_with_it_and_everybody_is_told_why(stack, pipeline, unique):
    published = stack.listen(unique, {"source": ["countersign"], "detail-type": ["ReviewCancelled"]})
    execution, review = pipeline.asked()

    stop(execution)

    [cancelled] = stack.logged(review, "ReviewCancelled")
    assert cancelled["by"] == {"execution": {"arn": execution.arn, "status": "ABORTED"}}
    [heard] = eventually("listeners hear of it", lambda: stack.read(published, about=review), seconds=20)
    assert heard["detail"]["execution"] == {"arn": execution.arn, "status": "ABORTED"}
    assert heard["detail"]["by"] == {"source": {"account": "000000000000", "source": "aws.states"}}
    late = stack.vote(review, REVIEWER, "approve")
    assert late.status_code == 409 and "its workflow, which was stopped" in late.text
    stack.idle()
    assert not [kind for kind in stack.types(review) if kind.startswith("WorkflowResume")], "nobody waits to be told"


def test_a_review_on_which_another_run_waits_stays_open(stack, pipeline):
    first, review = pipeline.asked()
    second = pipeline.start("-again")
    stack.logged(review, "ResumeAttached")

    stop(first)

    stack.logged(review, "WorkflowEnded")
    assert "ReviewCancelled" not in stack.types(review)
    pipeline.decide(review)
    assert second.ended()["status"] == "SUCCEEDED"
    [told] = stack.logged(review, "WorkflowResumed")
    assert told["confirmed_by"] == "answer"


def test_a_run_after_the_one_that_was_stopped_asks_anew(stack, pipeline):
    first, review = pipeline.asked()
    stop(first)
    stack.logged(review, "ReviewCancelled")

    second = pipeline.start("-again")

    again = eventually("a review that follows", lambda: [each for each in stack.titled(pipeline.title) if each != review], 20)[0]
    assert stack.log(again)[0]["follows"] == review
    pipeline.decide(again)
    assert second.ended()["status"] == "SUCCEEDED"


def test_an_end_that_comes_before_the_request_is_tried_again(stack, pipeline, unique, hidden_shortly):
    arn = f"arn:aws:states:us-east-1:000000000000:execution:early:{unique}"
    ended = {"id": unique, "account": "000000000000", "source": "aws.states", "detail-type": CHANGED}
    stack.send("EndedQueueUrl", ended | {"detail": {"executionArn": arn, "status": "TIMED_OUT"}})
    eventually("it was looked at", lambda: any("no review waits with this workflow" in line for line in stack.lines()), 20)

    stack.put("ReviewRequested", pipeline.request | {"resume": {"task_token": unique, "execution_arn": arn}})

    review = eventually("the review is in the log", lambda: stack.titled(pipeline.title), 20)[0]
    [cancelled] = stack.logged(review, "ReviewCancelled", seconds=40)
    assert cancelled["by"]["execution"]["status"] == "TIMED_OUT"
    assert stack.waiting("EndedDeadUrl") == 0


def test_nobody_but_step_functions_says_that_a_workflow_ended(stack, pipeline):
    execution, review = pipeline.asked()
    detail = {"executionArn": execution.arn, "status": "ABORTED"}

    entry = {"EventBusName": stack.bus, "Source": "aws.states", "DetailType": CHANGED, "Detail": json.dumps(detail)}
    [answer] = stack.aws("events").put_events(Entries=[entry])["Entries"]
    assert answer["ErrorCode"] == "NotAuthorizedForSourceException"
    stack.put(CHANGED, detail)
    event = {"detail-type": CHANGED, "source": "aws.states", "detail": detail}
    invoked = stack.aws("lambda").invoke(FunctionName=stack.functions["intake"], Payload=json.dumps(event).encode())
    assert "FunctionError" in invoked

    stack.idle()
    assert "ReviewCancelled" not in stack.types(review)


def test_a_reconciliation_writes_anew_which_review_a_workflow_waits_for(stack, pipeline):
    execution, review = pipeline.asked()
    stack.logged(review, "ReviewNotified")
    stack.idle()
    views = {"TableName": stack.outputs["ViewsTableName"]}
    key = {"pk": {"S": f"review#{review}"}}
    items = stack.aws("dynamodb").query(
        **views, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": key["pk"]}
    )["Items"]
    assert any(item["sk"]["S"].startswith("waits#") for item in items)
    for item in items:
        stack.aws("dynamodb").delete_item(**views, Key=key | {"sk": item["sk"]})

    stack.invoke("timekeeper", {"reconcile": True})
    stop(execution)

    assert stack.logged(review, "ReviewCancelled")
