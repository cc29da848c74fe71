"""What hostile texts do to a terminal: nothing, whichever command shows them, and however."""

import json
import os
import pty
import re
import subprocess

import pytest

from processes import environment
from service import BINARY

ANA = "ana@example.com"
# Titles, cursor moves and colours (C0 and C1), the direction of writing, and a line that looks like one of ours.
HOSTILE = "T\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\x90q\x9c\x7f\u202edesrever\u2066\u200f\u061c\u2028\rwhole: 9 commits\nwhole: 9 commits of 9 streams"
# What may stand in an output: text, tabs nowhere, and line ends.
DRIVES = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def tame(text: str, where) -> None:
    found = DRIVES.search(text)
    assert not found, (where, text[max(0, found.start() - 40) : found.end() + 10])


@pytest.fixture
def hostile(service):
    """A review whose texts are hostile wherever a caller may write one."""
    service.review_id = service.ask(
        "Hostile", summary=HOSTILE, subject={"kind": "x", "id": HOSTILE, HOSTILE: [HOSTILE]}, reviewers=[{"email": ANA}],
        evidence=[{"label": "A" + HOSTILE[1:80].replace("\n", " "), "value": HOSTILE}, {"label": "rows", "table": [[HOSTILE], [HOSTILE]]}],
    )
    assert service.vote(service.review_id, ANA, "comment", HOSTILE).status_code == 200
    assert service.vote(service.review_id, "eve@example.com", "approve", HOSTILE).status_code == 403
    assert service.vote(service.review_id, ANA, "reject", HOSTILE).status_code == 200
    service.logged(service.review_id, "ReviewDecided")
    return service


def test_stored_texts_drive_no_terminal_and_json_says_them_all_the_same(hostile):
    file = hostile.folder / "log.jsonl"
    assert hostile.run("export", "--out", str(file)).returncode == 0
    review = hostile.review_id
    at = hostile.log(review)[-1]["at"]
    shown = [
        ["show", review],
        ["reviews"],
        ["audit", review],
        ["audit", "--outcome", "rejected", "--csv"],
        ["replay", "--as-of", at, review],
        ["replay", "--as-of", at, review, "--file", str(file)],
        ["dead-letters"],
        ["directory", "show"],
    ]
    for arguments in shown:
        done = hostile.run(*arguments)
        assert done.returncode == 0, (arguments, done)
        # A table ends its lines as RFC 4180 says.
        tame(done.stdout, arguments)
        tame(done.stderr, arguments)
        if "--csv" in arguments:
            continue
        done = hostile.run(*arguments, "--json")
        tame(done.stdout, arguments)
        if arguments[0] in ("show", "replay"):
            said = json.loads(done.stdout)
            assert (said["summary"], said["ending"]["reason"]) == (HOSTILE, HOSTILE), arguments


def test_colours_of_ours_are_all_that_reaches_a_terminal(hostile):
    ours, theirs = pty.openpty()
    settings = environment(COUNTERSIGN_URL=hostile.url, COUNTERSIGN_DATA=str(hostile.data), TERM="xterm")
    process = subprocess.Popen([BINARY, "show", hostile.review_id], env=settings, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65_536):
            written += part
    except OSError:
        pass
    assert process.wait(20) == 0
    text = written.decode().replace("\r\n", "\n")
    assert "\x1b[1mHostile\x1b[0m" in text, "there are colours"
    tame(re.sub("\x1b\\[(0|1|2|31|32|33)m", "", text), "a terminal")
    assert "\x1b[31m\ufffd" not in text, "none of them is the caller's"


def test_hostile_files_drive_no_terminal_and_no_line_of_theirs_looks_like_one_of_ours(hostile, tmp_path):
    log = hostile.folder / "log.jsonl"
    assert hostile.run("export", "--out", str(log)).returncode == 0
    key = tmp_path / "key"
    key.write_text(hostile.run("checkpoint", "--public-key").stdout)
    lines = log.read_text().splitlines()
    files = {
        "no JSON": HOSTILE,
        "another type": json.dumps({"type": HOSTILE, "subject": HOSTILE, HOSTILE: HOSTILE}, ensure_ascii=False),
        "an unknown event": lines[0].replace("ReviewRequested", "Review\x9b31m\u202e").replace("Hostile", "\x9b2J"),
        "another stream": lines[0].replace("review#", "review\u202e#"),
        "a bent time": re.sub('"time":"[^"]*"', '"time":"' + "\x9b31m\u202e" + '"', lines[0]),
    }
    for name, text in files.items():
        file = tmp_path / "hostile"
        file.write_text(text + "\n")
        for arguments in (
            ["replay", "--as-of", "2030-01-01T00:00:00Z", "--file", str(file)],
            ["replay", "--as-of", "2030-01-01T00:00:00Z", "--file", str(file), "--json"],
            ["import", str(file), "--data", str(tmp_path / f"data-{name}")],
            ["verify", "--file", str(file), "--public-key", str(key)],
            ["verify", "--file", str(file), "--public-key", str(key), "--json"],
            ["verify", "--file", str(file), "--public-key", str(file)],
            ["verify", "--proof", str(file), "--public-key", str(key)],
            ["request", str(file)],
            ["directory", "apply", str(file)],
            ["demo", "--csv", str(file), "--auto", "approve"],
        ):
            done = hostile.run(*arguments)
            assert done.returncode != 0, (name, arguments, done)
            tame(done.stdout, (name, arguments))
            tame(done.stderr, (name, arguments))
            for line in (done.stdout + done.stderr).splitlines():
                assert not re.match(r"(NOT )?whole: 9", line), (name, arguments, line)


def test_a_hostile_service_drives_no_terminal_of_who_asks_it(tmp_path):
    import http.server
    import threading

    class Hostile(http.server.BaseHTTPRequestHandler):
        status = 200

        def answer(self):
            problem = {"type": "urn:countersign:other", "title": HOSTILE, "detail": HOSTILE, "status": self.server.status}
            problem |= {"faults": [{"pointer": HOSTILE, "expected": HOSTILE}]} if self.server.status == 422 else {}
            # Valid JSON, with raw C1 and bidi characters in it, and raw C0 between its values.
            body = ("\r\t" + json.dumps(problem | {"reviews": [problem], "review_id": "x"}, ensure_ascii=False)).encode()
            self.send_response(self.server.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "operator.key").write_text("a-key")
    settings = environment(COUNTERSIGN_URL=f"http://127.0.0.1:{server.server_port}", COUNTERSIGN_DATA=str(tmp_path))
    review = "0b0e7d0a-6b0e-5f5c-9a53-0d8a35b1c111"
    try:
        for server.status in (200, 401, 403, 404, 409, 422, 500):
            for arguments in (["show", review], ["show", review, "--json"], ["reviews"], ["reviews", "--json"], ["cancel", review], ["reconcile"], ["signin"]):
                done = subprocess.run([BINARY, *arguments], env=settings, capture_output=True, text=True, timeout=30)
                tame(done.stdout, (server.status, arguments))
                tame(done.stderr, (server.status, arguments))
                for line in done.stderr.splitlines()[1:]:
                    assert line.startswith("  "), (server.status, arguments, line)
    finally:
        server.shutdown()
