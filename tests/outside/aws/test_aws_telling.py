"""What leaves the deployed service: alerts, and never a task token."""

import json

from processes import eventually


def test_an_alert_is_published_on_the_topic_with_title_and_link(stack, pipeline, unique):
    """The queue subscribes for this test alone: what ministack does with mail and SMS subscriptions cannot be read."""
    sqs = stack.aws("sqs")
    url = sqs.create_queue(QueueName=unique)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.aws("sns").subscribe(TopicArn=stack.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)

    _, review = pipeline.asked()

    [alert] = eventually("an alert", lambda: stack.read(url, about=review), seconds=20)
    assert alert["Subject"] == f"A review waits: {pipeline.title}"
    assert alert["Message"].endswith(f"{stack.front.url}/reviews/{review}")
    attributes = {name: each["Value"] for name, each in alert["MessageAttributes"].items()}
    assert attributes == {"detail_type": "ReviewRequested", "risk": "normal", "source": "com.example.pipeline"}


def test_a_subscription_gets_what_its_filter_policy_lets_through(stack, pipeline, unique):
    sqs = stack.aws("sqs")
    url = sqs.create_queue(QueueName=unique)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"outcome": ["rejected"]})
    stack.aws("sns").subscribe(TopicArn=stack.outputs["TopicArn"], Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": policy})

    _, review = pipeline.asked()
    pipeline.decide(review, "reject")

    [alert] = eventually("an alert", lambda: stack.read(url, about=review), seconds=20)
    assert alert["Subject"] == "A review was decided: rejected" and review in alert["Message"]


def test_invariant_04_a_task_token_is_in_no_event_table_mail_page_or_log_line(stack, pipeline, unique):
    requests = stack.listen(unique + "-requests", {"source": ["com.example.pipeline"]})
    published = stack.listen(unique + "-published", {"source": ["countersign"]})
    execution, review = pipeline.asked()
    [request] = eventually("the request is heard", lambda: stack.read(requests, about=pipeline.title), seconds=20)
    token = request["detail"]["resume"]["task_token"]
    pipeline.decide(review)
    assert execution.ended()["status"] == "SUCCEEDED"
    stack.logged(review, "WorkflowResumed")
    stack.idle()

    events = stack.read(published, seconds=1)
    assert events
    assert token not in json.dumps(events)
    for table in (stack.log_table, stack.outputs["ViewsTableName"]):
        pages = stack.aws("dynamodb").get_paginator("scan").paginate(TableName=table)
        assert token.encode() not in repr([page["Items"] for page in pages]).encode(), table
    assert stack.mails(pipeline.title)
    assert token not in "".join(stack.mails())
    for path in (f"/api/v1/reviews/{review}", f"/api/v1/reviews/{review}/events", f"/reviews/{review}"):
        assert token not in stack.get(path).text, path
    lines = stack.lines()
    assert any(review in line for line in lines), "the logs were read"
    assert not [line for line in lines if token in line]
