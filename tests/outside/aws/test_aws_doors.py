"""Which doors the deployed service does not have: on AWS the bus itself takes PutEvents, by IAM."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from processes import http
from stack import TRUSTED

ENTRY = {
    "Source": "com.example.pipeline",
    "DetailType": "ReviewRequested",
    "Detail": json.dumps({"title": "By the gateway", "reviewers": [{"email": "reviewer@example.com"}]}),
}


def test_the_gateway_takes_no_put_events_from_anybody(stack):
    headers = {"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1"}
    for credentials in ({}, {"Authorization": f"Bearer {stack.operator_key}"}):
        answer = http().post(stack.front.url, data=json.dumps({"Entries": [ENTRY]}), headers=headers | credentials, timeout=30)
        assert answer.status_code == 405, answer.text
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    client = boto3.client("events", endpoint_url=stack.front.url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test", config=config)
    with pytest.raises(ClientError) as refused:
        client.put_events(Entries=[ENTRY])
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 405
    assert not any(row["title"] == "By the gateway" for row in stack.get("/api/v1/reviews").json()["reviews"])


def test_nobody_is_given_keys_for_a_call_that_the_gateway_does_not_take(stack, unique):
    wanted = {"name": unique, "scopes": ["reviews:request"], "aws_keys": True}
    answer = stack.post("/api/v1/integrations", wanted)
    assert answer.status_code == 409 and "events:PutEvents" in answer.json()["detail"], answer.text


def test_a_vote_or_a_report_by_a_direct_invoke_is_nobodys(stack, pipeline):
    """Whoever may invoke the function writes any source; no policy of the bus looks at that."""
    execution, review = pipeline.asked()
    person = {"email": "reviewer@example.com"}
    vote = {"review_id": review, "person": person, "choice": "approve"}
    answer = stack.invoke_or_error("intake", {"source": TRUSTED, "detail-type": "VoteSubmitted", "detail": vote})
    assert answer["answer"] == "not_counted", answer
    [refused] = stack.logged(review, "VoteRefused")
    assert refused["why"] == "untrusted_source"
    notice = {"review_id": review, "person": person, "channel": "bus", "occasion": "asked"}
    answer = stack.invoke_or_error("intake", {"source": TRUSTED, "detail-type": "ReviewNotified", "detail": notice})
    assert answer["received"] == "answered", answer
    [refused] = stack.logged(review, "OutsideEventRefused")
    assert refused["detail_type"] == "ReviewNotified"
    stack.post(f"/api/v1/reviews/{review}/cancel", {})
    execution.ended()
