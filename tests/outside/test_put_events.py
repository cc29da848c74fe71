"""EventBridge's PutEvents as stock clients call it: boto3 and the AWS CLI.

Sources of what is expected here:
- limits (1 to 10 entries; all entries together less than 1 MB, 256 KB until January 2026) and which
  of an entry's fields are required:
  https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html and
  API_PutEventsRequestEntry.html, as in the service model that boto3 1.43.106 ships
- how an entry's size is counted:
  https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
- error codes of an entry (InvalidArgument, MalformedDetail, NotAuthorizedForSourceException):
  https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
- the texts of the entry errors are those that AWS answers; the pages do not give them.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from processes import environment, eventually

AWS = str(Path(sys.executable).parent / "aws")
KB = 1024


def request(title: str) -> dict:
    return {"title": title, "reviewers": [{"email": "reviewer@example.com"}]}


def entry(title: str = "Promote churn-model v42", **changes) -> dict:
    """A good entry with some fields changed; a field set to None is left out."""
    good = {"Source": "com.example.pipeline", "DetailType": "ReviewRequested", "Detail": json.dumps(request(title))}
    return {name: value for name, value in (good | changes).items() if value is not None}


def check_refused(service, bad: dict, code: str, message: str) -> None:
    """`bad` is refused with this code, and the good entries around it are taken."""
    answer = service.events().put_events(Entries=[entry("before"), bad, entry("after")])
    assert answer["FailedEntryCount"] == 1
    before, refused, after = answer["Entries"]
    assert refused["ErrorCode"] == code
    assert message in refused["ErrorMessage"]
    assert "EventId" not in refused
    for taken in (before, after):
        assert taken["EventId"] and "ErrorCode" not in taken
    assert service.find("before") != service.find("after")


def check_refused_whole(service, entries: list[dict], message: str = "") -> None:
    """The whole call fails with ValidationException, and nothing of it is taken."""
    with pytest.raises(ClientError, match=message) as refused:
        service.events().put_events(Entries=entries)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert service.listed() == []


def test_ten_requests_in_one_call_open_ten_reviews(service):
    answer = service.events().put_events(Entries=[entry(f"model {number}") for number in range(10)])

    assert answer["FailedEntryCount"] == 0
    assert len({result["EventId"] for result in answer["Entries"]}) == 10
    assert len({service.find(f"model {number}") for number in range(10)}) == 10


def test_eleven_entries_are_refused_whole(service):
    check_refused_whole(service, [entry(f"model {number}") for number in range(11)], "less than or equal to 10")


def test_no_entry_at_all_is_refused(service):
    # boto3 checks the minimum itself, so this goes over the wire as the CLI or another SDK could send it.
    answer = service.http.post(
        service.url,
        data='{"Entries": []}',
        headers={"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert answer.json()["__type"].endswith("ValidationException")


@pytest.mark.parametrize("field", ["Source", "DetailType", "Detail"])
@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_an_entry_without_a_required_field_fails_alone(service, field, value):
    check_refused(service, entry(**{field: value}), "InvalidArgument", f"{field} is a required argument")


@pytest.mark.parametrize("detail", ["{not json", "[1]", '"text"', "7", "null"])
def test_a_detail_that_is_no_json_object_is_malformed(service, detail):
    check_refused(service, entry(Detail=detail), "MalformedDetail", "Detail is malformed.")


def test_nobody_may_speak_for_aws(service):
    check_refused(service, entry(Source="aws.states"), "NotAuthorizedForSourceException", "Not authorized for the source.")


def test_nobody_may_speak_for_the_service_itself(service):
    check_refused(service, entry(Source="countersign"), "NotAuthorizedForSourceException", "Not authorized for the source.")


def test_entries_of_nearly_a_megabyte_together_are_taken(service):
    # All quotation marks, which are two bytes each on the wire.
    big = [json.dumps(request(f"big {number}") | {"subject": {"text": "\"" * 49 * KB}}) for number in range(10)]
    assert 980 * KB < sum(map(len, big)) < 1000 * KB

    answer = service.events().put_events(Entries=[entry(Detail=detail) for detail in big])

    assert answer["FailedEntryCount"] == 0
    eventually("all ten are listed", lambda: len(service.listed()) == 10)


def test_a_detail_above_200_kb_is_refused_by_name(service):
    detail = json.dumps(request("too big") | {"subject": {"text": "x" * 200 * KB}})

    answer = service.events().put_events(Entries=[entry(Detail=detail)])

    assert answer["FailedEntryCount"] == 0, "AWS would take it"
    [refused] = eventually("the refusal is listed", lambda: service.listed("refused"))
    [event] = service.log(refused["review_id"])
    assert event["type"] == "ReviewRefused"
    assert "at most 204800 bytes" in event["faults"][0]["expected"]


def test_entries_of_more_than_a_megabyte_together_are_refused_whole(service):
    big = json.dumps(request("big") | {"summary": "x" * 110 * KB})
    check_refused_whole(service, [entry(Detail=big) for _ in range(10)], "over the limit")


def test_a_detail_that_is_an_object_but_no_valid_request_is_taken_as_aws_takes_it(service):
    # AWS takes any JSON object; what is wrong with it as a request is told in the log (and to a waiting workflow).
    answer = service.events().put_events(Entries=[entry(Detail=json.dumps({"title": "", "policy": {"quorum": 0}}))])

    assert answer["FailedEntryCount"] == 0


def test_an_event_of_no_concern_is_taken_and_changes_nothing(service):
    answer = service.events().put_events(Entries=[entry(DetailType="SomethingElse", Detail="{}")])

    assert answer["FailedEntryCount"] == 0
    assert service.listed() == []


def test_all_the_optional_fields_are_taken(service):
    answer = service.events().put_events(
        Entries=[
            entry(
                "with everything",
                Time="2026-01-02T03:04:05Z",
                Resources=["arn:aws:states:us-east-1:123456789012:stateMachine:pipeline"],
                EventBusName="reviews",
                TraceHeader="Root=1-67891233-abcdef012345678912345678",
            )
        ]
    )

    assert answer["FailedEntryCount"] == 0
    assert service.find("with everything")


def test_the_aws_cli_asks_for_a_review(service, tmp_path):
    entries = tmp_path / "entries.json"
    entries.write_text(json.dumps([entry("asked from the command line")]))
    command = [AWS, "events", "put-events", "--endpoint-url", service.url, "--entries", f"file://{entries}"]

    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["FailedEntryCount"] == 0
    review = service.find("asked from the command line")
    assert service.vote(review, "reviewer@example.com", "approve").ok
    assert service.review(review)["status"] == "approved"


def test_the_command_of_the_readme_asks_for_a_review_as_it_stands(service):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    command = next(block for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL) if "put-events" in block)
    settings = environment()
    settings["PATH"] = f"{Path(AWS).parent}:{settings['PATH']}"

    done = subprocess.run(
        ["bash", "-e", "-c", command.replace("http://127.0.0.1:8787", service.url)],
        env=settings, capture_output=True, text=True, timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert service.find("Promote churn-model v42")


def test_the_aws_cli_shows_an_error_as_aws_would(service):
    eleven = json.dumps([entry(f"model {number}") for number in range(11)])
    command = [AWS, "events", "put-events", "--endpoint-url", service.url, "--entries", eleven]

    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert "An error occurred (ValidationException) when calling the PutEvents operation" in done.stderr


def test_another_action_than_put_events_says_that_it_is_unknown(service):
    with pytest.raises(ClientError) as refused:
        service.events().list_rules()
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"
