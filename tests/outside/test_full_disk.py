"""A disk that is full for a while: clients are told to come again, and all that was owed is done once there is room."""

import subprocess
import time
from pathlib import Path

import pytest
import requests

from processes import eventually
from service import Service

# One mebibyte after the other, as other programs fill a disk.
BLOCK = b"\0" * (1 << 20)


class OnSmallDisk(Service):
    """The service with its data on a disk of its own, in a mount namespace of its own."""

    def __init__(self, folder: Path, size: str, *options: str):
        self.size = size
        super().__init__(folder, *options)

    def start(self) -> None:
        # Only the service is to see the disk, so that it goes with it.
        script = 'mkdir -p "$0" && mount -t tmpfs -o size="$1" tmpfs "$0" && shift && exec "$@"'
        self.program.command = ["unshare", "-rm", "sh", "-c", script, str(self.data), self.size, *self.program.command]
        self.program.start(f"{self.url}/healthz")
        # The disk as the service sees it.
        self.disk = Path(f"/proc/{self.program.process.pid}/root{self.data}")
        self.operator_key = (self.disk / "operator.key").read_text().strip()
        self.http.headers["Authorization"] = f"Bearer {self.operator_key}"

    def fill(self, but: int) -> None:
        """Leaves so many bytes."""
        with (self.disk / "ballast").open("wb", buffering=0) as ballast:
            size = len(BLOCK)
            while size:
                try:
                    ballast.write(BLOCK[:size])
                except OSError:
                    size //= 2
            ballast.truncate(ballast.tell() - but)

    def free(self) -> None:
        (self.disk / "ballast").unlink()


@pytest.fixture
def service(tmp_path):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, timeout=60).returncode:
        pytest.skip("this machine lets nobody mount")
    service = OnSmallDisk(tmp_path, "24m", "--requests-per-minute", "0")
    yield service
    service.stop()


def test_what_was_owed_while_the_disk_was_full_is_done_once_there_is_room(service):
    def ask(number: int) -> requests.Response:
        request = {"title": f"Review {number}", "reviewers": [{"email": "ana@example.com"}], "expires_in": "PT4S"}
        return service.post("/api/v1/reviews", request)

    acknowledged = [ask(number).json()["review_id"] for number in range(20)]
    # The last that is taken is in the log, and there is no room for what follows from it.
    service.fill(but=300_000)
    answers = [ask(number) for number in range(100, 250)]
    acknowledged += [each.json()["review_id"] for each in answers if each.ok]
    refused = [each for each in answers if not each.ok]
    assert refused and len(acknowledged) > 20, "the disk fills up meanwhile"
    for each in refused:
        assert each.status_code == 503 and int(each.headers["retry-after"]) > 0, (each.status_code, each.text)
    # All of them are due while nothing can be written.
    time.sleep(6)
    service.free()

    def expired() -> bool:
        return all(service.review(review)["status"] == "expired" for review in acknowledged)

    eventually("every review that was acknowledged has expired", expired, 30)

    def listed() -> bool:
        rows = service.get("/api/v1/reviews?limit=100&status=open").json()["reviews"]
        return rows == []

    eventually("no list has any of them open", listed, 30)
    assert service.get("/api/v1/dead-letters").json()["dead_letters"] == [], "nothing was parked for want of room"
    assert ask(200).ok
