"""The log taken away: checked by a reader that knows the written format alone, and moved to a KMS key."""

import base64
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from emulators import client
from processes import environment
from read_export import Fault, check
from service import BINARY


def export(service, name: str, *options: str, **settings: str) -> Path:
    """Exports the log of a service with the command line."""
    file = service.folder / name
    command = [str(BINARY), "export", "--out", str(file), "--data", str(service.data), *options]
    done = subprocess.run(command, env=environment(**settings), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture
def exported(service) -> Path:
    """An export of a few reviews, beside the service that runs."""
    for number in range(3):
        review = service.ask(f"Größe {number} \"x\"", subject={"share": 7.4, "big": 1e30, "tiny": 2e-7})
        service.logged(review, "ReviewNotified")
        assert service.vote(review, "reviewer@example.com", "approve").status_code == 200
    return export(service, "log.jsonl")


def test_a_reader_written_from_the_description_alone_finds_the_chain_of_an_export_whole(service, exported):
    found = check(exported)
    assert found["streams"] == 3 and found["commits"] >= 9 and found["events"] >= found["commits"], found
    assert found["handles"] == 0
    events = [event for event in map(json.loads, exported.read_text().splitlines()) if "subject" in event]
    for review in {event["subject"].removeprefix("review#") for event in events}:
        ours = [event["data"]["type"] for event in events if event["subject"].endswith(review)]
        assert ours == [event["type"] for event in service.log(review)], "the export says what the API says"


def alter(lines: list[str]) -> None:
    lines[0] = lines[0].replace("Größe", "Grösse")


def drop(lines: list[str]) -> None:
    del lines[1]


def cut(lines: list[str]) -> None:
    del lines[-1]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (alter, r"^review#[-0-9a-f]{36} version 1 was altered"),
        (drop, r"^review#[-0-9a-f]{36} version 2 (is not there|has lost an event|was altered)"),
        (cut, r"^the export ends early, after review#[-0-9a-f]{36} version \d+$"),
    ],
)
def test_the_reader_and_the_import_name_the_same_fault(exported, damage, says, tmp_path):
    lines = exported.read_text().splitlines()
    damage(lines)
    exported.write_text("\n".join(lines) + "\n")
    with pytest.raises(Fault, match=says) as fault:
        check(exported)
    command = [str(BINARY), "import", str(exported), "--data", str(tmp_path / "target")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    place = re.search(r"review#([-0-9a-f]{36}) version \d+", str(fault.value))
    assert done.returncode == 1 and place[0].replace("#", " ") in done.stderr, (str(fault.value), done.stderr)
    assert "nothing was imported" in done.stderr


def test_invariant_04_a_move_to_kms_seals_each_waiting_token_for_its_own_review(service, emulator):
    kms = client("kms", emulator.url)
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    token = "AAAAKgAAAAIAAAAA" + "t0ken" * 60
    waits = service.ask("Waits", resume={"task_token": token})
    service.ask("Nobody waits")
    moved = export(service, "moved.jsonl", "--move", "--to-key", f"kms:{arn}", AWS_ENDPOINT_URL_KMS=emulator.url)
    assert check(moved)["handles"] == 1
    assert token[:40] not in moved.read_text()
    first = next(event for event in map(json.loads, moved.read_text().splitlines()) if "sealedhandle" in event)
    assert first["subject"] == f"review#{waits}"
    handle, resume = base64.b64decode(first["sealedhandle"]), first["data"]["resume"]
    assert handle[0] == 0xFF and handle[1:33].hex() == resume["handle_hash"] and handle[33] == 2
    opened = kms.decrypt(CiphertextBlob=handle[34:], EncryptionContext={"review": waits})["Plaintext"]
    assert opened.decode() == token and hashlib.sha256(opened).hexdigest() == resume["token_hash"]
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=handle[34:], EncryptionContext={"review": "another"})
    answer = service.vote(waits, "reviewer@example.com", "approve")
    assert answer.status_code == 410 and answer.json()["type"] == "urn:countersign:moved", answer.text
