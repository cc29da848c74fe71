"""The meter against the figures of the DynamoDB developer guide, and the proxy against what it is told to do."""

import base64
import json

import pytest

from proxy import Call, identify
from units import Meter, item_size, read

TABLE = {
    "TableName": "views",
    "KeySchema": [{"AttributeName": "pk"}, {"AttributeName": "sk"}],
    "GlobalSecondaryIndexes": [
        {"KeySchema": [{"AttributeName": "list"}, {"AttributeName": "rank"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}
    ],
}


def text(**attributes: str) -> dict:
    return {name: {"S": value} for name, value in attributes.items()}


def put(meter: Meter, item: dict, status: int = 200, answer: bytes = b"{}") -> float:
    body = json.dumps({"TableName": "views", "Item": item}).encode()
    return meter.measure(Call("dynamodb", "PutItem", body, status=status, answer=answer))[1]


def test_an_item_is_as_large_as_its_names_and_values():
    assert item_size({"pk": {"S": "abc"}, "n": {"N": "-12.5"}, "b": {"B": base64.b64encode(b"12345").decode()}}) == 5 + 5 + 6


def test_reads_are_billed_by_4_kb_consistent_or_half_and_also_when_nothing_is_there():
    item = text(pk="x" * 4094)
    assert read([item], True) == 1 and read([item], False) == 0.5
    assert read([item, text(pk="y")], True) == 2
    assert read([], True) == 1 and read([None], False) == 0.5


def test_a_write_is_billed_by_the_kb_of_the_larger_item():
    meter, key = Meter([TABLE]), {"pk": "p", "sk": "s"}
    assert put(meter, text(**key, body="x" * 500)) == 1
    assert put(meter, text(**key, body="x" * 1500)) == 2
    assert put(meter, text(**key)) == 2, "what was there was larger"
    assert put(meter, text(**key)) == 1


def test_an_index_is_billed_when_its_entry_comes_goes_or_moves():
    meter, key = Meter([TABLE]), {"pk": "p", "sk": "s"}
    assert put(meter, text(**key, list="open", rank="1")) == 2
    assert put(meter, text(**key, list="open", rank="1", other="x")) == 1
    assert put(meter, text(**key, list="approved", rank="1")) == 3
    assert put(meter, text(**key)) == 2


def test_a_write_whose_condition_fails_is_billed_and_a_refused_one_is_not():
    meter, key = Meter([TABLE]), {"pk": "p", "sk": "s"}
    put(meter, text(**key, body="x" * 1500))
    assert put(meter, text(**key), 400, b'{"__type": "ConditionalCheckFailedException"}') == 2
    assert put(meter, text(**key), 400, b'{"__type": "ThrottlingException"}') == 0


@pytest.mark.parametrize(
    ("path", "headers", "body", "name"),
    [
        ("/", {"x-amz-target": "DynamoDB_20120810.PutItem"}, b"{}", "dynamodb:PutItem"),
        ("/", {"x-amz-target": "AWSStepFunctions.SendTaskSuccess"}, b"{}", "states:SendTaskSuccess"),
        ("/v2/email/outbound-emails", {}, b"{}", "ses:SendEmail"),
        (
            "/",
            {
                "content-type": "application/x-www-form-urlencoded",
                "authorization": "AWS4-HMAC-SHA256 Credential=test/20261125/us-east-1/sns/aws4_request, …",
            },
            b"Action=Publish&TopicArn=t",
            "sns:Publish",
        ),
        ("/some/page", {}, b"", ":"),
    ],
)
def test_a_call_is_known_by_its_service_and_action(path, headers, body, name):
    assert identify("POST", path, headers, body).name == name
