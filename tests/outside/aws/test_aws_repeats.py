"""Everything may come twice, late, or not at all (invariants 7, 11 and 12), on the deployed queues and stream."""

import base64
import json

import pytest

from faults import error
from pipeline import REVIEWER
from processes import eventually
from proxy import PASS, Fate

OURS = {"source": ["countersign"]}


@pytest.fixture
def requests_heard(stack, unique):
    """A queue beside intake's that hears the same requests."""
    return stack.listen(unique + "-requests", {"source": [{"anything-but": ["countersign"]}]})


def heard(stack, queue, title):
    """The request of this title, as the rule puts it on intake's queue."""
    return eventually("the request is heard", lambda: stack.read(queue, about=title), seconds=20)[0]


def test_a_request_delivered_again_opens_no_second_review_and_tells_the_workflow_once(stack, pipeline, requests_heard):
    execution, review = pipeline.asked()
    event = heard(stack, requests_heard, pipeline.title)
    for _ in range(3):
        stack.send("IntakeQueueUrl", event)
    stack.idle()
    assert stack.types(review).count("ReviewRequested") == 1
    assert "ResumeAttached" not in stack.types(review)

    pipeline.decide(review)
    assert execution.ended()["status"] == "SUCCEEDED"
    stack.logged(review, "WorkflowResumed")
    stack.send("IntakeQueueUrl", event)
    stack.idle()

    assert stack.types(review).count("WorkflowResumed") == 1
    assert stack.titled(pipeline.title) == [review]


def test_a_workflow_run_again_waits_on_the_same_review_and_both_are_told(stack, pipeline):
    first, review = pipeline.asked()
    second = pipeline.start("-again")
    stack.logged(review, "ResumeAttached")

    pipeline.decide(review)

    assert [run.ended()["status"] for run in (first, second)] == ["SUCCEEDED", "SUCCEEDED"]
    told = stack.logged(review, "WorkflowResumed", count=2)
    assert len({event["token_hash"] for event in told}) == 2
    third = pipeline.start("-late")
    assert third.ended()["status"] == "SUCCEEDED", "after the decision it is told at once"


def test_a_key_used_for_something_else_fails_the_second_workflow_and_leaves_the_first_waiting(stack, pipeline):
    first, _ = pipeline.asked()

    second = pipeline.start("-other", subject={"kind": "model-promotion", "id": "another"})

    ended = second.ended()
    assert (ended["status"], ended["error"]) == ("FAILED", "Countersign.KeyReused")
    assert first.describe()["status"] == "RUNNING"


def test_a_message_that_makes_no_sense_ends_with_the_dead_letters_and_is_redriven_once_mended(stack, pipeline, requests_heard):
    """ministack has no StartMessageMoveTask, on which `infra/deploy redrive` rests: receive, send, delete stand in for it.
    The queue hides a message for 3 minutes; here it is 1 s, so that its five tries fit into a test."""
    sqs, queue, dead = stack.aws("sqs"), stack.outputs["IntakeQueueUrl"], stack.outputs["IntakeDeadUrl"]
    execution, review = pipeline.asked()
    good = heard(stack, requests_heard, pipeline.title)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        poison = good | {"id": "poison"}
        del poison["detail"]
        stack.send("IntakeQueueUrl", poison)
        stack.put("VoteSubmitted", {"review_id": review, "person": {"email": REVIEWER}, "choice": "comment"})
        stack.logged(review, "VoteRefused")  # what comes behind it is handled meanwhile
        eventually("the message is dead", lambda: stack.waiting("IntakeDeadUrl") == 1, seconds=60, every=0.3)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "180"})

    [message] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=2)["Messages"]
    assert json.loads(message["Body"])["id"] == "poison"
    mended = {"review_id": review, "reason": "redriven"}
    stack.send("IntakeQueueUrl", poison | {"detail-type": "ReviewCancelled", "detail": mended})
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])

    assert execution.ended()["error"] == "Countersign.Cancelled"
    assert stack.waiting("IntakeDeadUrl") == 0


def test_an_alert_that_sns_refuses_is_parked_and_redriven_through_the_gateway_once_it_is_mended(stack, pipeline):
    """The gateway has the projector do it: by itself it may neither publish nor answer a workflow."""
    execution, review = pipeline.asked()
    stack.idle()

    def refuses(call):
        refused = call.name == "sns:Publish" and review.encode() in call.body
        return Fate("refused", answer=error(call, 400, "InvalidParameter")) if refused else PASS

    def parked():
        letters = stack.get("/api/v1/dead-letters").json()["dead_letters"]
        return [letter for letter in letters if letter["stream"] == f"review#{review}"]

    def redrive(letter):
        wish = {name: letter[name] for name in ("consumer", "stream", "version")}
        [result] = stack.post("/api/v1/dead-letters/redrive", wish).json()["results"]
        return result

    stack.proxy.fate = refuses
    try:
        pipeline.decide(review)
        assert execution.ended()["status"] == "SUCCEEDED", "nobody else waits for it"
        [letter] = eventually("it is parked", parked, seconds=60, every=0.3)
        assert letter["consumer"] == "alerts"
        again = redrive(letter)
        assert not again["redriven"] and "InvalidParameter" in again["error"], again
        assert parked(), "it stays"
    finally:
        stack.proxy.fate = lambda _: PASS

    done = redrive(letter)
    assert done["redriven"] and done["error"] is None, done
    assert not parked()


def stream_records(stack):
    """Every record of the log's stream, in the form in which Lambda is given them."""
    arn = stack.aws("dynamodb").describe_table(TableName=stack.log_table)["Table"]["LatestStreamArn"]
    streams, records = stack.aws("dynamodbstreams"), []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**start)["ShardIterator"]
        while iterator:
            page = streams.get_records(ShardIterator=iterator)
            records += page["Records"]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return [record | {"eventSourceARN": arn} for record in records]


def as_json(value):
    """What `json` asks for what it does not know."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp()


def test_a_batch_of_the_stream_delivered_twice_changes_nothing(stack, pipeline, unique):
    execution, review = pipeline.asked()
    pipeline.decide(review)
    assert execution.ended()["status"] == "SUCCEEDED"
    stack.logged(review, "WorkflowResumed")
    stack.idle()
    published = stack.listen(unique, OURS)
    before = stack.commits()
    mine = [record for record in stream_records(stack) if record["dynamodb"]["Keys"]["pk"]["S"] == f"review#{review}"]
    assert len(mine) >= 3
    batch = json.loads(json.dumps({"Records": mine}, default=as_json))

    for _ in range(2):
        assert stack.invoke("projector", batch) == {"batchItemFailures": []}
    stack.idle()

    assert stack.commits() == before
    known = {event["event_id"] for event in stack.log(review)}
    again = {event["detail"]["event_id"] for event in stack.read(published, seconds=1, about=review)}
    assert again <= known, "what is published again bears the event_id that it had"


def test_invariant_12_what_a_stream_that_was_off_left_undone_a_reconciliation_does(stack, pipeline):
    """The timekeeper is called as the daily rule calls it."""
    functions = stack.aws("lambda")
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    [mapping] = [each["UUID"] for each in mappings if "/stream/" in each["EventSourceArn"]]
    stack.idle()
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        execution = pipeline.start()
        [review] = eventually("the request is in the log", lambda: stack.titled(pipeline.title), seconds=20)
        pipeline.decide(review)
        assert stack.types(review)[-1] == "ReviewDecided"
        assert execution.describe()["status"] == "RUNNING", "nobody has told it"

        stack.invoke("timekeeper", {"reconcile": True})

        assert execution.ended()["status"] == "SUCCEEDED"
        assert stack.find(pipeline.title) == review
        stack.logged(review, "WorkflowResumed")
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    stack.idle()
    assert stack.types(review).count("WorkflowResumed") == 1, "the stream, back and late, repeats nothing"


def test_everything_we_ever_published_put_into_every_queue_changes_nothing(stack, pipeline, unique):
    published = stack.listen(unique, OURS)
    for choice in ("approve", "reject"):
        execution, review = pipeline.asked(choice, request_key=unique + choice, title=pipeline.title + choice)
        pipeline.decide(review, choice)
        execution.ended()
        stack.logged(review, "WorkflowResumed")
    stack.idle()
    events = stack.read(published, seconds=1)
    assert {"ReviewRequested", "ReviewNotified", "VoteCast", "ReviewDecided", "WorkflowResumed"} <= {
        event["detail-type"] for event in events
    }
    before = stack.commits()
    mails = len(stack.mails())
    assert mails

    for event in events:
        replayed = event | {"replay-name": "an-archive"}
        for queue in ("IntakeQueueUrl", "NotifierQueueUrl"):
            stack.send(queue, event)
            stack.send(queue, replayed)
        stack.invoke("intake", event)
        stack.put(event["detail-type"], event["detail"], source="countersign")
    stack.idle()

    assert stack.commits() == before
    assert len(stack.mails()) == mails, "nobody is written to again"
    assert [stack.waiting(name) for name in ("IntakeDeadUrl", "NotifierDeadUrl", "FunctionsDeadUrl")] == [0, 0, 0]
