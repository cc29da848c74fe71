"""PutEvents at a published service: stock clients sign with the key pair of an integration, and nothing else gets in.

The service listens on loopback under the base URL of a host that a proxy would serve. The clients call that host by way of the
service's own port (an HTTP proxy is given the whole URL, and a host of ours is answered), so that what they sign is the host
that they mean, as behind a proxy that keeps it.

Sources of what is expected here: IAM user guide, "AWS Signature Version 4 for API requests" and "Troubleshoot Signature Version
4"; DynamoDB developer guide, "Error messages and codes" (how a JSON service answers wrong credentials).
"""

import json
import re
import subprocess
from datetime import datetime, timedelta, timezone

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from processes import environment, eventually, http
from service import Service
from test_put_events import AWS, entry

HOST = "reviews.example.com"
SOURCE = "com.example.approver"
TARGET = {"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1"}


class Published(Service):
    """The service as a proxy in front of it would reach it: at its port, by its name."""

    def start(self) -> None:
        self.program.launch()
        self.http.headers["Host"] = HOST

        def is_ready() -> bool:
            try:
                return self.get("/healthz").status_code == 200
            except requests.RequestException:
                return False

        eventually("the service is ready", is_ready, seconds=20)
        self.operator_key = (self.data / "operator.key").read_text().strip()
        self.http.headers["Authorization"] = f"Bearer {self.operator_key}"

    def register(self, name: str, *scopes: str, **more) -> dict:
        answer = self.post("/api/v1/integrations", {"name": name, "scopes": scopes, "aws_keys": True} | more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def events_of(self, known: dict | None, **config):
        """A stock boto3 client with the keys of this integration; without any when there is none."""
        known = known or {}
        config = Config(retries={"total_max_attempts": 1}, proxies={"http": self.url}, **config)
        return boto3.client(
            "events",
            endpoint_url=f"http://{HOST}",
            region_name="eu-central-1",
            aws_access_key_id=known.get("access_key_id", "test"),
            aws_secret_access_key=known.get("secret_access_key", "test"),
            config=config,
        )

    def raw(self, headers: dict, body: str) -> requests.Response:
        return http().post(self.url, data=body.encode(), headers={"Host": HOST} | headers, timeout=10)


@pytest.fixture
def published(tmp_path):
    service = Published(tmp_path, "--base-url", f"https://{HOST}")
    yield service
    print(service.printed())
    assert service.stop() == 0


def signed(known: dict, body: str, *, at: datetime | None = None, service: str = "events", monkeypatch=None) -> dict:
    """The headers that botocore signs this call with."""
    asked = AWSRequest("POST", f"http://{HOST}/", data=body.encode(), headers=TARGET)
    auth = SigV4Auth(Credentials(known["access_key_id"], known["secret_access_key"]), service, "eu-central-1")
    if at:
        # As botocore reads its clock.
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: at)
    auth.add_auth(asked)
    if at:
        monkeypatch.undo()
    return dict(asked.headers)


def code_of(call) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return refused.value.response["Error"]["Code"]


def check_raw(service: Published, headers: dict, body: str, code: str) -> None:
    answer = service.raw(headers, body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["__type"] == code, answer.text


def test_boto3_asks_with_the_key_pair_of_an_integration(published):
    pipeline = published.register("pipeline", "reviews:request")

    answer = published.events_of(pipeline).put_events(Entries=[entry("signed by boto3"), entry("and another")])

    assert answer["FailedEntryCount"] == 0
    review = published.review(published.find("signed by boto3"))
    assert (review["origin"]["account"], review["origin"]["source"]) == ("integration", "pipeline")
    assert published.find("and another")


def test_the_aws_cli_asks_with_the_key_pair_of_an_integration(published, tmp_path):
    pipeline = published.register("pipeline", "reviews:request")
    keys = {"AWS_ACCESS_KEY_ID": pipeline["access_key_id"], "AWS_SECRET_ACCESS_KEY": pipeline["secret_access_key"]}
    settings = environment(HTTP_PROXY=published.url, AWS_ENDPOINT_URL_EVENTBRIDGE=f"http://{HOST}", **keys)
    command = [AWS, "events", "put-events", "--entries", json.dumps([entry("signed by the command line")])]

    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert published.find("signed by the command line")
    settings["AWS_SECRET_ACCESS_KEY"] = "another"
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60)
    assert "An error occurred (InvalidSignatureException) when calling the PutEvents operation" in done.stderr


def test_whoever_shows_no_credentials_or_those_of_elsewhere_is_not_let_in(published):
    one = [entry("from nobody")]
    assert code_of(lambda: published.events_of(None, signature_version=UNSIGNED).put_events(Entries=one)) == "MissingAuthenticationTokenException"
    assert code_of(lambda: published.events_of(None).put_events(Entries=one)) == "UnrecognizedClientException"
    check_raw(published, TARGET | {"Authorization": "Bearer csgn_" + "0" * 64}, json.dumps({"Entries": one}), "UnrecognizedClientException")
    # The port of the proxy is no host of ours.
    answer = http().post(published.url, data="{}", headers=TARGET, timeout=10)
    assert answer.status_code == 421
    assert published.listed() == []


def test_a_bearer_token_does_in_the_place_of_a_signature(published):
    pipeline = published.register("pipeline", "reviews:request")
    for token, title in [(pipeline["token"], "by a token"), (published.operator_key, "by the operator")]:
        answer = published.raw(TARGET | {"Authorization": f"Bearer {token}"}, json.dumps({"Entries": [entry(title)]}))
        assert answer.json()["FailedEntryCount"] == 0, answer.text
        assert published.find(title)


def test_a_signed_call_that_was_bent_is_not_taken(published, monkeypatch):
    pipeline = published.register("pipeline", "reviews:request")
    other = published.register("other", "reviews:request")
    body = json.dumps({"Entries": [entry("bent")]})
    good = signed(pipeline, body)
    invalid, incomplete = "InvalidSignatureException", "IncompleteSignatureException"

    check_raw(published, good, body.replace("bent", "BENT"), invalid)
    now = datetime.now(timezone.utc)
    for minutes in (-6, 6):
        check_raw(published, signed(pipeline, body, at=now + timedelta(minutes=minutes), monkeypatch=monkeypatch), body, invalid)
    later = {"X-Amz-Date": (now + timedelta(seconds=90)).strftime("%Y%m%dT%H%M%SZ")}
    check_raw(published, good | later, body, invalid)
    check_raw(published, signed(pipeline, body, service="states"), body, invalid)
    check_raw(published, signed(pipeline | {"secret_access_key": other["secret_access_key"]}, body), body, invalid)
    check_raw(published, signed(pipeline | {"access_key_id": other["access_key_id"]}, body), body, invalid)
    check_raw(published, signed(pipeline | {"access_key_id": "CSGNAAAAAAAAAAAAAAAA"}, body), body, "UnrecognizedClientException")
    check_raw(published, {name: value for name, value in good.items() if name != "X-Amz-Date"}, body, incomplete)
    check_raw(published, good | {"Content-Type": "application/json"}, body, invalid)
    check_raw(published, good | {"Host": f"{HOST}:443"}, body, invalid)
    check_raw(published, good | {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}, body, incomplete)
    check_raw(published, good | {"Authorization": re.sub("x-amz-target;?|;x-amz-target", "", good["Authorization"])}, body, incomplete)
    check_raw(published, good | {"Authorization": re.sub("Signature=.*", "Signature=" + "0" * 64, good["Authorization"])}, body, invalid)
    assert published.listed() == []

    assert published.raw(good, body).json()["FailedEntryCount"] == 0
    assert published.find("bent")


def test_a_call_that_is_overheard_and_sent_again_opens_nothing_and_takes_no_word_back(published):
    tool = published.register("tool", "reviews:request", "votes:cast", source=SOURCE)
    body = json.dumps({"Entries": [entry("asked once", Source=SOURCE)]})
    headers = signed(tool, body)
    first, again = (published.raw(headers, body).json() for _ in range(2))
    assert first == again and first["FailedEntryCount"] == 0
    review = published.find("asked once")
    other = published.ask("of others", policy={"quorum": 2}, reviewers=[{"email": "ana@example.com"}, {"email": "bo@example.com"}])

    def vote(choice: str) -> str:
        detail = json.dumps({"review_id": other, "person": {"email": "ana@example.com"}, "choice": choice})
        return json.dumps({"Entries": [entry(Source=SOURCE, DetailType="VoteSubmitted", Detail=detail)]})

    approving, headers = vote("approve"), signed(tool, vote("approve"))
    assert published.raw(headers, approving).json()["FailedEntryCount"] == 0
    doubting = vote("request-changes")
    assert published.raw(signed(tool, doubting), doubting).json()["FailedEntryCount"] == 0
    [refused] = published.raw(headers, approving).json()["Entries"]
    assert refused["ErrorCode"] == "InvalidSignatureException"
    votes = [event for event in published.log(other) if event["type"] == "VoteCast"]
    assert [(vote["choice"], vote["integration"]) for vote in votes] == [("approve", "tool"), ("request-changes", "tool")]
    assert [row["review_id"] for row in published.listed() if row["title"] == "asked once"] == [review]


def test_an_entry_outside_of_scope_or_source_fails_alone(published):
    pipeline = published.register("pipeline", "reviews:request", source="com.example.pipeline")
    review = published.ask("of the operator")
    before = published.log(review)
    person = {"email": "reviewer@example.com"}
    vote = json.dumps({"review_id": review, "person": person, "choice": "approve"})
    notice = json.dumps({"review_id": review, "person": person, "channel": "bus", "occasion": "asked"})

    answer = published.events_of(pipeline).put_events(
        Entries=[
            entry("taken"),
            entry("elsewhere", Source="com.example.other"),
            entry(DetailType="VoteSubmitted", Detail=vote),
            entry(DetailType="ReviewNotified", Detail=notice),
        ]
    )

    codes = [result.get("ErrorCode") for result in answer["Entries"]]
    assert codes == [None, "NotAuthorizedForSourceException", "AccessDeniedException", "AccessDeniedException"]
    assert answer["FailedEntryCount"] == 3
    assert published.find("taken") and len(published.listed()) == 2
    eventually("it is asked, and nothing more", lambda: {event["type"] for event in published.log(review)} == {"ReviewRequested", "ReviewNotified"})
    assert published.log(review)[0] == before[0]


def test_a_revoked_pair_of_keys_opens_nothing_and_one_of_a_new_registration_does(published):
    first = published.register("pipeline", "reviews:request")
    assert published.http.delete(f"{published.url}/api/v1/integrations/pipeline", timeout=10).ok
    assert code_of(lambda: published.events_of(first).put_events(Entries=[entry()])) == "UnrecognizedClientException"
    second = published.register("pipeline", "reviews:request")
    assert second["access_key_id"] != first["access_key_id"] and second["secret_access_key"] != first["secret_access_key"]
    assert code_of(lambda: published.events_of(first).put_events(Entries=[entry()])) == "UnrecognizedClientException"
    # After a restart too: the secret is derived, not kept.
    published.restart()
    assert published.events_of(second).put_events(Entries=[entry("anew")])["FailedEntryCount"] == 0
    assert published.find("anew")
    for kept in published.data.iterdir():
        if kept.is_file():
            assert second["secret_access_key"].encode() not in kept.read_bytes(), kept.name


def test_what_integrations_add_prints_makes_the_aws_cli_sign(service):
    added = service.run("integrations", "add", "approver", "--scope", "votes:cast", "--source", SOURCE, "--aws-keys")
    assert added.returncode == 0, added.stderr
    lines = re.findall(r"^  export (AWS_\w+)=(\S+)$", added.stderr, re.MULTILINE)
    assert [name for name, _ in lines] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL_EVENTBRIDGE"]
    review = service.ask("By the tool")
    detail = json.dumps({"review_id": review, "person": {"email": "reviewer@example.com"}, "choice": "approve"})
    entries = json.dumps([entry(Source=SOURCE, DetailType="VoteSubmitted", Detail=detail)])

    done = subprocess.run([AWS, "events", "put-events", "--entries", entries], env=environment(**dict(lines)), capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["FailedEntryCount"] == 0, done.stdout
    assert service.review(review)["status"] == "approved"
    [vote] = service.logged(review, "VoteCast")
    assert (vote["integration"], vote["person"], vote["channel"]) == ("approver", "reviewer@example.com", "bus")
    # A vote that nobody vouches for is refused, on record.
    other = service.ask("By nobody")
    detail = json.dumps({"review_id": other, "person": {"email": "reviewer@example.com"}, "choice": "approve"})
    assert service.events().put_events(Entries=[entry(Source=SOURCE, DetailType="VoteSubmitted", Detail=detail)])["FailedEntryCount"] == 0
    [refused] = service.logged(other, "VoteRefused")
    assert refused["why"] == "untrusted_source" and service.review(other)["status"] == "open"


def test_trust_by_what_a_caller_writes_is_gone_and_the_error_says_what_to_do(service):
    done = service.run("serve", "--trust", f"local/{SOURCE}")
    assert done.returncode == 2
    assert "integrations add NAME --scope votes:cast --source SOURCE" in done.stderr


def test_a_request_of_a_proxy_is_asked_for_credentials_whatever_host_it_left(service):
    body = json.dumps({"Entries": [entry("through a proxy")]})
    answer = http().post(service.url, data=body, headers=TARGET | {"X-Forwarded-For": "192.0.2.1"}, timeout=10)
    assert (answer.status_code, answer.json()["__type"]) == (400, "MissingAuthenticationTokenException")
    assert service.listed() == []
