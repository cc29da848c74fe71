"""The service under test, as its users see it: an address and an operator's key."""

import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import requests

from emulators import client
from processes import Program, environment, eventually, free_port, http

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("COUNTERSIGN_BIN", ROOT / "target/debug/countersign"))

# Nothing listens here: a service that was given no workflow endpoint must not find real AWS instead.
NO_ENDPOINT = "http://127.0.0.1:9"


class Service:
    """`countersign serve` on a data directory of its own."""

    def __init__(self, folder: Path, *options: str, sfn: str = NO_ENDPOINT, **settings: str):
        self.folder, self.data = folder, folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(BINARY), "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", *options]
        settings = environment(AWS_ENDPOINT_URL_SFN=sfn, **settings)
        # What it answers to, when that is not where it listens.
        self.host = next((urlsplit(options[at + 1]).hostname for at, option in enumerate(options) if option == "--base-url"), None)
        self.program = Program(command, settings, folder / "countersign.log", folder)
        self.http = http()
        self.start()

    def start(self) -> None:
        self.program.start(f"{self.url}/healthz", host=self.host)
        self.operator_key = (self.data / "operator.key").read_text().strip()
        self.http.headers["Authorization"] = f"Bearer {self.operator_key}"

    def stop(self) -> int:
        return self.program.stop()

    def kill9(self) -> None:
        self.program.kill9()

    def restart(self) -> None:
        """Starts it again on the same data and the same address."""
        if self.program.process.poll() is None:
            self.stop()
        self.start()

    def printed(self) -> str:
        """All it wrote to the console, over every start."""
        return self.program.printed()

    def signin_link(self) -> str:
        """A new link that signs one browser in as the operator."""
        made = self.http.post(f"{self.url}/api/v1/sign-in-links", timeout=10)
        assert made.status_code == 201, made.text
        return made.json()["link"]

    def printed_link(self) -> str:
        """The link that the last start printed for the same."""
        return re.findall(r"Sign in as the operator: (\S+)", self.printed())[-1]

    def person_link(self, email: str) -> str:
        """The newest link that this person was sent to sign in by, once it is printed."""
        pattern = re.compile(rf"^{re.escape(email)} signs in by:\n  (\S+)$", re.MULTILINE)
        return eventually(f"{email} is sent a link", lambda: pattern.findall(self.printed()))[-1]

    def link(self, title: str, name: str) -> str:
        """The link that this person was sent for the review of this title, once it is printed."""
        pattern = re.compile(rf"^{re.escape(name)} is asked: {re.escape(title)}\n  (\S+)$", re.MULTILINE)
        return eventually(f"{name} is asked: {title}", lambda: pattern.search(self.printed())).group(1)

    # The command line

    def command(self, *arguments: str) -> subprocess.Popen:
        """Starts a command against this service."""
        settings = environment(COUNTERSIGN_URL=self.url, COUNTERSIGN_DATA=str(self.data))
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [str(BINARY), *arguments], env=settings, cwd=self.folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess:
        """Runs a command against this service to its end, with this on its standard input."""
        process = self.command(*arguments)
        out, err = process.communicate(given, timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    # Asking, as programs do

    def events(self):
        """A stock boto3 EventBridge client of this service."""
        return client("events", self.url)

    def put(self, event: dict) -> dict:
        """Hands an event as a rule delivered it to the service, unedited, and returns the answer to its entry."""
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        entry |= {"Time": event["time"], "Resources": event["resources"]}
        answer = self.events().put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer
        return answer["Entries"][0]

    def get(self, path: str, **options) -> requests.Response:
        return self.http.get(self.url + path, timeout=30, **options)

    def post(self, path: str, body: dict, **options) -> requests.Response:
        return self.http.post(self.url + path, json=body, timeout=30, **options)

    # Reviews

    def review(self, review_id: str) -> dict:
        answer = self.get(f"/api/v1/reviews/{review_id}")
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def listed(self, status: str = "") -> list[dict]:
        """The first page of the reviews that stand there, newest first."""
        answer = self.get("/api/v1/reviews", params={"status": status} if status else {})
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()["reviews"]

    def find(self, title: str) -> str:
        """The id of the review with this title, once the inbox shows it."""

        def look() -> str | None:
            return next((row["review_id"] for row in self.listed() if row["title"] == title), None)

        return eventually(f"a review titled {title!r} is listed", look)

    def ask(self, title: str, **request) -> str:
        """Asks for a review of this title over the API; its id."""
        asked = {"title": title, "reviewers": [{"email": "reviewer@example.com"}]} | request
        answer = self.post("/api/v1/reviews", asked)
        assert answer.ok, (answer.status_code, answer.text)
        return answer.json()["review_id"]

    def vote(self, review_id: str, email: str, choice: str, reason: str = "looked at it") -> requests.Response:
        body = {"person": {"email": email}, "choice": choice, "reason": reason}
        return self.post(f"/api/v1/reviews/{review_id}/votes", body)

    def log(self, review_id: str) -> list[dict]:
        """Every event of a review, oldest first."""
        answer = self.get(f"/api/v1/reviews/{review_id}/events")
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def logged(self, review_id: str, *types: str, count: int = 1, seconds: float = 15) -> list[dict]:
        """The events of these types, once there are at least `count`."""

        def look() -> list[dict] | None:
            found = [event for event in self.log(review_id) if event["type"] in types]
            return found if len(found) >= count else None

        return eventually(f"{count} of {types} in the log of {review_id}", look, seconds)
