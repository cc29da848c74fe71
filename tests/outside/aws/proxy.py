"""Stands between the functions and the emulator: knows each AWS call, keeps it, and lets it meet a fate.

What the emulator does by itself (it reads queues and the stream, hands events to rules, invokes functions) does not pass
here, as it would not on AWS.
"""

import http.client
import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

# Of one connection each (RFC 9110, 7.6.1), and what is written anew.
NOT_PASSED = {"connection", "content-length", "keep-alive", "transfer-encoding"}
# `X-Amz-Target` of the JSON protocols, before the dot.
TARGETS = {
    "DynamoDB_20120810": "dynamodb",
    "DynamoDBStreams_20120810": "streams",
    "TrentService": "kms",
    "AWSEvents": "events",
    "AWSStepFunctions": "states",
    "secretsmanager": "secretsmanager",
}
# Of S3's calls, which name themselves by their method alone, those that the functions make.
OBJECTS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject"}
# REST paths of the calls that the functions make.
PATHS = [
    (re.compile(r"^/v2/email/outbound-emails$"), "ses", "SendEmail"),
    (re.compile(r"^/2015-03-31/functions/[^/]+/invocations$"), "lambda", "Invoke"),
]


@dataclass
class Call:
    """One call of an AWS API."""

    service: str
    action: str
    body: bytes
    fault: str = ""
    status: int = 0
    answer: bytes = b""
    # When it came, and how long it took here and beyond, in seconds.
    at: float = field(default_factory=time.monotonic)
    took: float = 0
    # Of DynamoDB's, once a meter has seen it: `read` or `write`, and the billed units.
    kind: str = ""
    units: float = 0

    @property
    def name(self) -> str:
        return f"{self.service}:{self.action}"

    def json(self) -> dict:
        return json.loads(self.body)

    def answered(self) -> dict:
        return json.loads(self.answer or b"{}")


@dataclass(frozen=True)
class Fate:
    """What becomes of a call. The name is that of the fault; `seconds` are waited first."""

    fault: str = ""
    seconds: float = 0
    # Sent back instead of passing the call on: status, headers, body.
    answer: tuple[int, dict[str, str], bytes] | None = None
    # The connection is reset before the call is passed on, or after it was carried out.
    reset: bool = False
    lose: bool = False


PASS = Fate()


class Proxy:
    """Serves on a loopback port and passes everything on to 127.0.0.1:`port`. `fate` says of each call what becomes of it."""

    def __init__(self, port: int):
        self.calls: list[Call] = []
        self.fate = lambda call: PASS
        # Is shown each call with its answer, one at a time, before the caller has it.
        self.seen = lambda call: None
        self.lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                self.emulator = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

            def finish(self):
                self.emulator.close()
                super().finish()

            def carry(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                call = identify(self.command, self.path, self.headers, body)
                fate = proxy.fate(call) if call.service else PASS
                call.fault = fate.fault
                time.sleep(fate.seconds)
                if fate.reset:
                    return self.reset(call)
                if fate.answer:
                    call.status, headers, call.answer = fate.answer
                else:
                    headers = self.pass_on(call)
                call.took = time.monotonic() - call.at
                if call.service:
                    with proxy.lock:
                        proxy.seen(call)
                        proxy.calls.append(call)
                if fate.lose:
                    return self.cut()
                self.send_response(call.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(call.answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(call.answer)

            def pass_on(self, call: Call) -> dict[str, str]:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED}
                for last in (False, True):
                    try:
                        self.emulator.request(self.command, self.path, call.body, headers)
                        given = self.emulator.getresponse()
                        break
                    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                        # The emulator had closed an idle connection: nothing was carried out.
                        self.emulator.close()
                        if last:
                            raise
                call.status, call.answer = given.status, given.read()
                return {name: value for name, value in given.getheaders() if name.lower() not in NOT_PASSED | {"date", "server"}}

            def reset(self, call: Call):
                with proxy.lock:
                    proxy.calls.append(call)
                self.cut()

            def cut(self):
                """Ends the connection by RST, so that the caller reads an error and no end."""
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = carry

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def shutdown_request(self, request):
                # shutdown() would end the connection politely, also one that is to be reset.
                self.close_request(request)

            def handle_error(self, request, client_address):
                pass  # the caller went away

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def since(self, mark: int = 0) -> list[Call]:
        """The calls after the first `mark`."""
        with self.lock:
            return self.calls[mark:]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def identify(method: str, path: str, headers, body: bytes) -> Call:
    """Which API a request calls; without a service when it is none that the functions call."""
    prefix, _, action = (headers.get("x-amz-target") or "").partition(".")
    if prefix in TARGETS:
        return Call(TARGETS[prefix], action, body)
    for pattern, service, action in PATHS:
        if method == "POST" and pattern.match(path):
            return Call(service, action, body)
    # Scope of the signature: …/region/service/aws4_request.
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9]+)/", headers.get("authorization") or "")
    if scope and scope.group(1) == "s3" and method in OBJECTS:
        return Call("s3", OBJECTS[method], body)
    if method == "POST" and "x-www-form-urlencoded" in (headers.get("content-type") or ""):
        form = parse_qs(body.decode(errors="replace"))
        if "Action" in form and scope:
            return Call(scope.group(1), form["Action"][0], body)
    return Call("", "", body)
