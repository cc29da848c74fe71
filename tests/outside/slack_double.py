"""A recording double of Slack: its Web API, its people, and the limits it documents.

What people do here is signed by the stock `slack_sdk`, and every message and window that the service
sends is validated by that SDK's own models before it is taken.
"""

import itertools
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slack_sdk.signature import SignatureVerifier

from processes import eventually, http

TEAM = "T01"
TOKEN = "xoxb-double-token"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
# Slack answers msg_blocks_too_long from about here on (slackapi/bolt-js#2509).
BLOCKS_MAX = 13_200
OURS = re.compile(r"!date\^\d+\^[^|>]+\|[^|>]+|https?://[^|>\s]+(\|[^|<>]+)?")


def parsed(block: dict) -> Block:
    """The block as the stock SDK reads it: it refuses what Slack would, and drops what it does not know."""
    read = Block.parse(block)
    assert read is not None, f"no block of Slack's: {block}"
    assert read.to_dict() == block, f"a field that Slack does not know: {read.to_dict()} != {block}"
    return read


def objects(value):
    """Every object inside."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item)
    elif isinstance(value, dict):
        yield value
        yield from objects(list(value.values()))


def only_ours(text: str) -> None:
    """In mrkdwn no `<…>` but dates and links: no caller's text can call anybody."""
    for inside in re.findall(r"<([^>]*)>", text):
        assert OURS.fullmatch(inside), f"<{inside}> in {text}"
    assert text.count("<") == text.count(">"), text


def validate(blocks: list[dict], text: str) -> None:
    """Block Kit's documented limits, and what traps of other services taught."""
    assert 0 < len(blocks) <= 50
    assert len(json.dumps(blocks, ensure_ascii=False)) <= BLOCKS_MAX
    assert 0 < len(text) <= 4_000
    only_ours(text)
    for block in blocks:
        parsed(block)
    for item in objects(blocks):
        kind, words = item.get("type"), item.get("text")
        assert kind not in ("broadcast", "user", "usergroup", "channel"), f"a mention: {item}"
        assert len(item.get("action_id", "")) <= 255 and len(item.get("block_id", "")) <= 255
        if kind == "mrkdwn":
            assert 0 < len(words) <= 3_000 and item["verbatim"] is True, item
            only_ours(words)
        if kind == "header":
            assert len(item["text"]["text"]) <= 150
        if kind == "button":
            assert len(item["text"]["text"]) <= 75 and len(item.get("value", "")) <= 2_000 and len(item.get("url", "")) <= 3_000


class Slack:
    """Answers as Slack does, and writes down what it was asked."""

    def __init__(self):
        self.calls: list[tuple[str, dict]] = []
        self.messages: dict[tuple[str, str], dict] = {}
        self.posted: list[tuple[str, str]] = []
        self.views: list[dict] = []
        self.wrong: list[str] = []
        self.unknown: set[str] = set()
        self.profiles: dict[str, dict] = {}
        self.faults: dict[str, list] = {}
        # How many seconds a method takes that works all the same.
        self.delays: dict[str, float] = {}
        self.triggers: dict[str, float] = {}
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        slack = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                slack.answer(self, self.path.removeprefix("/api/"), body)

            def do_GET(self):
                path, _, query = self.path.partition("?")
                slack.answer(self, path.removeprefix("/api/"), query.encode())

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                if not isinstance(sys.exc_info()[1], OSError):  # whoever asked may have left
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.api = f"http://127.0.0.1:{self.server.server_address[1]}/api"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        assert self.wrong == [], f"Slack would have refused: {self.wrong}"

    # Its Web API

    def fail(self, method: str, *answers) -> None:
        """The next calls of a method are answered so: (status, headers, body) each; a string is an error code, and a
        number the seconds after which the answer comes, when it would be of no use any more."""
        self.faults[method] = list(answers)

    def always(self, method: str, answer) -> None:
        self.faults[method] = itertools.repeat(answer)

    def heal(self) -> None:
        self.faults.clear()

    def answer(self, request, method: str, body: bytes) -> None:
        status, headers, said = 200, {}, {"ok": True}
        with self.lock:
            form = "json" not in request.headers.get("Content-Type", "")
            asked = dict(parse_qsl(body.decode())) if form else json.loads(body)
            if not form and method.startswith("users."):
                self.wrong.append(f"{method}: takes no JSON")
            if form and "blocks" in asked:
                asked["blocks"] = json.loads(asked["blocks"])
            self.calls.append((method, asked))
            fault = self._fault(method)
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                said = {"ok": False, "error": "invalid_auth"}
            elif isinstance(fault, str):
                said = {"ok": False, "error": fault}
            elif isinstance(fault, float):
                said = {"ok": False, "error": "expired_trigger_id"}
            elif fault is not None:
                status, headers, said = fault
            else:
                try:
                    said = {"ok": True} | getattr(self, "_" + method.replace(".", "_"))(asked)
                except Refused as refused:
                    said = {"ok": False, "error": str(refused)}
                except AssertionError as error:
                    self.wrong.append(f"{method}: {error}")
                    said = {"ok": False, "error": "invalid_blocks"}
        time.sleep(fault if isinstance(fault, float) else self.delays.get(method, 0))
        answer = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Type", "application/json; charset=utf-8")
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def _fault(self, method: str):
        faults = self.faults.get(method)
        if faults is None:
            return None
        if isinstance(faults, list):
            return faults.pop(0) if faults else None
        return next(faults)

    def _auth_test(self, _: dict) -> dict:
        return {"team_id": TEAM, "user_id": "UBOT"}

    def _conversations_open(self, asked: dict) -> dict:
        if asked["users"] in self.unknown:
            raise Refused("user_not_found")
        return {"channel": {"id": "D" + asked["users"]}}

    def _chat_postMessage(self, asked: dict) -> dict:
        if not asked["channel"].startswith("D"):
            raise Refused("channel_not_found")
        validate(asked["blocks"], asked["text"])
        assert asked["unfurl_links"] is False and asked["unfurl_media"] is False, "a link would be followed by Slack"
        place = (asked["channel"], f"1795000000.{next(self.numbers):06}")
        self.messages[place] = asked
        self.posted.append(place)
        return {"channel": place[0], "ts": place[1], "message": {"text": asked["text"]}}

    def _chat_update(self, asked: dict) -> dict:
        place = (asked["channel"], asked["ts"])
        if place not in self.messages:
            raise Refused("message_not_found")
        validate(asked["blocks"], asked["text"])
        self.messages[place] = self.messages[place] | asked
        return {"channel": place[0], "ts": place[1], "text": asked["text"]}

    def _chat_postEphemeral(self, asked: dict) -> dict:
        validate(asked["blocks"], asked["text"])
        assert asked["channel"] and asked["user"]
        return {"message_ts": "1"}

    def _views_open(self, asked: dict) -> dict:
        view = asked["view"]
        read = View(**view)
        read.validate_json()
        for block in view["blocks"]:
            parsed(block)
        assert len(view["title"]["text"]) <= 24 and len(view.get("private_metadata", "")) <= 3_000
        issued = self.triggers.pop(asked["trigger_id"], None)
        if issued is None or time.monotonic() - issued > 3:
            raise Refused("expired_trigger_id" if issued else "invalid_trigger_id")
        self.views.append(view)
        return {"view": {"id": "V1"}}

    def joins(self, user: str, email: str, **more) -> None:
        """Somebody is in the workspace, as Slack shows them to an app with `users:read.email`; `more` alters the object."""
        shown = {"id": user, "team_id": TEAM, "name": email.split("@")[0], "deleted": False, "real_name": "", "tz": "Europe/Berlin"}
        shown |= {"profile": {"email": email, "real_name": "", "display_name": "", "team": TEAM}, "is_admin": False, "is_owner": False}
        shown |= {"is_primary_owner": False, "is_restricted": False, "is_ultra_restricted": False, "is_bot": False, "is_app_user": False}
        self.profiles[user] = shown | {"updated": 1795000000, "is_email_confirmed": True} | more

    def _users_info(self, asked: dict) -> dict:
        if asked["user"] not in self.profiles:
            raise Refused("user_not_found")
        return {"user": self.profiles[asked["user"]]}

    def _users_lookupByEmail(self, asked: dict) -> dict:
        found = [user for user in self.profiles.values() if user["profile"].get("email") == asked["email"] and not user["deleted"]]
        if not found:
            raise Refused("users_not_found")
        return {"user": found[0]}

    # What it was asked

    def asked(self, method: str) -> list[dict]:
        with self.lock:
            return [body for name, body in self.calls if name == method]

    def cards(self, title: str, count: int = 1, seconds: float = 20) -> list[tuple[str, str]]:
        """The cards of the review of this title, once there are so many."""

        def look():
            with self.lock:
                found = [place for place in self.posted if title in self.messages[place]["text"] and "thread_ts" not in self.messages[place]]
            return found if len(found) >= count else None

        return eventually(f"{count} cards of {title!r}", look, seconds)

    def shown(self, place: tuple[str, str]) -> str:
        """All that a message shows now."""
        with self.lock:
            return json.dumps(self.messages[place]["blocks"], ensure_ascii=False)

    def buttons(self, place: tuple[str, str]) -> dict[str, dict]:
        with self.lock:
            blocks = self.messages[place]["blocks"]
        found = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
        return {element["action_id"]: element for element in found}


class Refused(Exception):
    """Slack says no, by this code."""


class Person:
    """Somebody who has the app in their workspace."""

    def __init__(self, slack: Slack, url: str, user: str, team: str = TEAM, secret: str = SECRET):
        self.slack, self.url, self.user, self.team, self.secret = slack, url, user, team, secret
        self.http = http()
        self.took: list[float] = []

    def payload(self, kind: str, **more) -> dict:
        who = {"user": {"id": self.user, "team_id": self.team}, "team": {"id": self.team}}
        return {"type": kind, "response_url": f"{self.slack.api}/response_url"} | who | more

    def click(self, place: tuple[str, str], action: str, value: str | None = None):
        """Presses a button of a message as it stands, or as it stood when it had this value."""
        trigger = f"{next(self.slack.numbers)}.{self.user}"
        self.slack.triggers[trigger] = time.monotonic()
        value = value or self.slack.buttons(place)[action]["value"]
        container = {"type": "message", "channel_id": place[0], "message_ts": place[1]}
        pressed = {"type": "button", "action_id": action, "block_id": "decide", "value": value}
        return self.send(self.payload("block_actions", trigger_id=trigger, container=container, actions=[pressed]))

    def submit(self, view: dict, reason: str | None):
        """Sends a window off with this reason typed."""
        state = {"values": {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}}
        return self.send(self.payload("view_submission", view=view | {"state": state}))

    def send(self, payload: dict, age: int = 0, bend=None):
        """Sends it as Slack does, signed by the stock SDK; `bend` alters the body after that."""
        body = urlencode({"payload": json.dumps(payload)})
        moment = str(int(time.time()) - age)
        signature = SignatureVerifier(self.secret).generate_signature(timestamp=moment, body=body)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": moment,
            "X-Slack-Signature": signature,
        }
        begin = time.monotonic()
        answer = self.http.post(self.url + "/slack/interactions", data=bend(body) if bend else body, headers=headers, timeout=10)
        self.took.append(time.monotonic() - begin)
        return answer
