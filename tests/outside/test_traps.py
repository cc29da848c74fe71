"""The traps that other approval systems fell into, and the tests here that name them.

| Trap | Test |
|---|---|
| mail scanners follow GET links, or run pages and send their forms | test_mail, test_sign_in: `trap_a_mail_scanner…`, `trap_a_scanner…` |
| SNS's unsubscribe links are followed too | test_infra_telling: `trap_who_decides_is_never_asked_through_a_subscription…` |
| more than ten mails a second suspend a subscription | test_infra_telling: `trap_more_than_ten_mails…` |
| a link is unfurled by Slack | slack/test_slack_traps: `trap_slack_unfurls_no_link…` |
| Slack waits three seconds, whatever Slack's own API does | slack/test_slack_limits: `trap_a_window_that_does_not_open…`, `trap_three_seconds…` |
| `response_url` is good five times in half an hour | slack/test_slack_traps: `trap_a_response_url…` |
| limits of blocks and buttons; a message a second; 429 | slack/test_slack_limits: `trap_limits…`, `trap_about_one_message…`, `trap_429…` |
| the signature is over the raw body, which may be base64 | gateway: `trap_the_signature…`, gateway Lambda: `trap_a_base64_body…` |
| who pressed is who Slack signed, matched by address only when opted in to | gateway: `trap_identity…`, `slack::tests::matching` |
| cards of ended reviews with live buttons | channels: `trap_expired_cards…` |
| one click, several executions | gateway: `trap_one_click…`, slack/test_slack_traps: `trap_double_clicks…` |
| nobody follows up a direct message; approvers missing from Slack | notifier: `trap_dm_fan_out…`, `trap_approvers_missing…` |
| a task token in a link or message | slack/test_slack_traps: `trap_no_message_carries_a_task_token…`, aws/test_aws_telling: `invariant_04…` |
| whatever is not "approve" rejects | here: `trap_a_choice_that_nobody_knows…` |
| STOP and its like, sent back, end all SMS to a number | channels: `trap_no_alert_asks_for_a_reply…` |
| the SMS sandbox, a spending limit, a number that opted out | here: `trap_what_sns_refuses…` |
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from emulators import client
from processes import http
from slack_double import SECRET, TOKEN, Person, Slack

ANA = "ana@example.com"
STRANGE = ["", "approved", "Approve", "yes", "no", "deny", "ok", "null", "true"]


def test_trap_a_choice_that_nobody_knows_is_refused_on_every_channel_and_neither_rejects_nor_approves(start_service, tmp_path):
    slack = Slack()
    secrets = tmp_path / "slack.json"
    secrets.write_text(json.dumps({"bot_token": TOKEN, "signing_secrets": [SECRET]}))
    secrets.chmod(0o600)
    service = start_service("--slack", str(secrets), "--slack-api", slack.api)
    tool = {"name": "approvals", "scopes": ["votes:cast"], "source": "com.example.approvals", "aws_keys": True}
    tool = service.post("/api/v1/integrations", tool).json()
    by_tool = client("events", service.url, tool["access_key_id"], tool["secret_access_key"])
    review = service.ask("Undecided", reviewers=[{"email": ANA}, {"slack": "T01/U01"}])
    [place] = slack.cards("Undecided")
    link = service.link("Undecided", ANA)
    service.logged(review, "ReviewNotified", count=2)
    before = service.log(review)
    page = http().get(link, timeout=10).text
    fields = {name: re.search(rf'name="{name}" value="([^"]*)"', page).group(1) for name in ("csrf", "subject_digest")}
    user, value = Person(slack, service.url, "U01"), slack.buttons(place)["approve"]["value"]
    assert user.click(place, "reject").status_code == 200
    metadata = json.loads(slack.views[-1]["private_metadata"])
    for choice in STRANGE:
        assert service.vote(review, ANA, choice).status_code == 422, choice
        sent = http().post(link, data=fields | {"choice": choice, "reason": "x"}, headers={"Origin": service.url}, timeout=10)
        assert sent.status_code == 422 and "Nothing was decided" in sent.text, choice
        detail = {"review_id": review, "person": {"email": ANA}, "choice": choice}
        entry = {"Source": "com.example.approvals", "DetailType": "VoteSubmitted", "Detail": json.dumps(detail)}
        # A bus takes everything; the fault is logged.
        assert by_tool.put_events(Entries=[entry])["FailedEntryCount"] == 0
        assert user.click(place, choice, value).status_code == 200
        window = slack.views[-1] | {"private_metadata": json.dumps(metadata | {"choice": choice})}
        assert "too old" in user.submit(window, "x").text
        assert service.run("decide", review, choice, "--as", ANA).returncode != 0
    faults = re.findall(r'invalid event .*detail_type="VoteSubmitted" faults=1', service.printed())
    assert len(faults) == len(STRANGE)
    assert service.log(review) == before and service.review(review)["status"] == "open"
    slack.close()


class Sns:
    """Answers `Publish` with an error of this code, as SNS writes one (API reference, "Common Errors")."""

    def __init__(self, status: int, code: str):
        self.asked: list[dict] = []
        sns = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sns.asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>not to {NUMBER}</Message></Error>"
                body = f'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{error}</ErrorResponse>'.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


NUMBER = "+4915112345678"


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [(400, "OptedOut", False), (400, "InvalidParameter", False), (403, "AuthorizationError", True), (429, "Throttled", True), (400, "UserError", True)],
)
def test_trap_what_sns_refuses_is_on_record_and_told_by_the_next_channel(start_service, status, code, again):
    """A number whose holder sent STOP, or that the sandbox does not know, is given up; a right or a limit is tried again. That
    an account has spent its month, SNS says in its delivery log alone (infra/README.md)."""
    sns = Sns(status, code)
    service = start_service("--sms", AWS_ENDPOINT_URL_SNS=sns.url)
    directory = f'[[people]]\nemail = "{ANA}"\nname = "Ana"\nphone = "{NUMBER}"\n'
    assert service.run("directory", "apply", "-", given=directory).returncode == 0
    review = service.ask("By SMS", reviewers=[{"email": ANA}])
    [failed] = service.logged(review, "NotificationFailed")
    assert failed["channel"] == "sms" and code in failed["error"] and bool(failed.get("retry_at")) == again
    assert NUMBER not in failed["error"], "what SNS says quotes the number"
    assert service.link("By SMS", "Ana")
    [reached] = service.logged(review, "ReviewNotified")
    assert reached["channel"] == "outbox"
    assert sns.asked[0]["PhoneNumber"] == [NUMBER]
    sns.server.shutdown()
    sns.server.server_close()
