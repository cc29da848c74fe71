"""The signed log: checked by a reader that knows the written format alone, beside `countersign verify`."""

import hashlib
import json
import os
import pty
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest
from cloudevents.core.formats.json import JSONFormat

from processes import environment
from read_export import Fault, Uncovered, check, check_proof
from service import BINARY


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [str(BINARY), *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)


class Signed:
    """A service's log with roots, and what an auditor holds of it."""

    def __init__(self, service):
        self.service, self.folder = service, service.folder
        self.first = self.decided("First")
        service.restart()
        self.held = self.kept("held.txt", "checkpoint")
        self.key = self.kept("log.pub", "checkpoint", "--public-key")
        self.second = self.decided("Second")
        assert service.stop() == 0, "what was written last is signed at the end"
        self.export = self.folder / "log.jsonl"
        assert run("export", "--out", self.export, "--data", service.data).returncode == 0

    def decided(self, title: str) -> str:
        review = self.service.ask(f"{title} größer \"x\"", subject={"share": 7.4, "big": 1e30, "tiny": 2e-7})
        self.service.logged(review, "ReviewNotified")
        assert self.service.vote(review, "reviewer@example.com", "approve").status_code == 200
        return review

    def kept(self, name: str, *command: str) -> Path:
        done = run(*command, "--data", self.service.data)
        assert done.returncode == 0, done.stderr
        path = self.folder / name
        path.write_text(done.stdout)
        return path


@pytest.fixture
def signed(service) -> Signed:
    return Signed(service)


def test_the_log_its_export_and_a_proof_are_whole_for_verify_and_for_a_reader_of_the_description(signed):
    key, held = signed.key.read_text(), signed.held.read_text()
    found = check(signed.export, key, held)
    assert found["streams"] == 2 and found["entries"] == found["commits"] >= 4, found

    live = run("verify", "--data", signed.service.data, "--checkpoint", signed.held, "--all-covered", "--json")
    report = json.loads(live.stdout)
    assert live.returncode == 0 and report["whole"] and report["public_key"] == key.strip(), live
    assert report["checked"]["covered"] == report["checkpoint"] == found["entries"]
    offline = run("verify", "--file", signed.export, "--public-key", signed.key, "--checkpoint", signed.held, "--json")
    assert offline.returncode == 0 and json.loads(offline.stdout)["checked"]["events"] == found["events"], offline

    proof = signed.folder / "proof.json"
    assert run("prove", signed.second, "--out", proof, "--data", signed.service.data).returncode == 0
    proven = check_proof(proof, key)
    assert proven["proven"] == proven["commits"] >= 2
    done = run("verify", "--proof", proof, "--public-key", signed.key, "--all-covered")
    assert done.returncode == 0 and "whole" in done.stdout and key.strip() in done.stdout, done
    for at in range(proven["commits"]):
        altered = json.loads(proof.read_text())
        altered["commits"][at]["body"] = altered["commits"][at]["body"].replace('"v":1', '"v":2', 1)
        (signed.folder / "altered.json").write_text(json.dumps(altered))
        with pytest.raises(Fault, match=rf"version {at + 1} is not what was signed"):
            check_proof(signed.folder / "altered.json", key)
        done = run("verify", "--proof", signed.folder / "altered.json", "--public-key", signed.key)
        assert done.returncode == 3 and f"version {at + 1} is not what was signed" in done.stdout, done


def test_a_proof_that_was_stripped_and_forged_proves_nothing_and_what_is_not_covered_is_named(signed):
    key, proof, forged = signed.key.read_text(), signed.folder / "proof.json", signed.folder / "forged.json"
    assert run("prove", signed.second, "--out", proof, "--data", signed.service.data).returncode == 0
    honest = json.loads(proof.read_text())

    newer = json.loads(json.dumps(honest))
    del newer["commits"][-1]["index"], newer["commits"][-1]["path"]
    forged.write_text(json.dumps(newer))
    with pytest.raises(Uncovered, match="1 commits of review"):
        check_proof(forged, key)
    done = run("verify", "--proof", forged, "--public-key", signed.key)
    named = f"not covered by a root: 1 commits, such as review {signed.second} version {len(honest['commits'])}\n"
    assert done.returncode == 5 and named in done.stdout and "\nwhole" not in done.stdout, done
    done = run("verify", "--proof", forged, "--public-key", signed.key, "--allow-uncovered")
    assert done.returncode == 0 and "1 commits are vouched for by nobody" in done.stdout, done

    lies, previous = [], "0" * 64
    for commit in honest["commits"]:
        body = json.loads(commit["body"].replace("looked at it", "never looked")) | {"previous": previous}
        lies.append({"body": json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)})
        previous = hashlib.sha256(lies[-1]["body"].encode()).hexdigest()
    forged.write_text(json.dumps(honest | {"commits": lies}))
    with pytest.raises(Fault, match="proves nothing"):
        check_proof(forged, key)
    done = run("verify", "--proof", forged, "--public-key", signed.key)
    assert done.returncode == 3 and "the proof proves nothing" in done.stdout and "\nwhole" not in done.stdout, done


def test_both_name_the_same_tampering_also_when_every_hash_was_made_anew(signed):
    lines = signed.export.read_text().splitlines()
    key, held = signed.key.read_text(), signed.held.read_text()
    gone = [line for line in lines if signed.first not in line or "EntriesListed" in line]
    reforged = signed.folder / "forged.jsonl"
    reforged.write_text("\n".join(gone) + "\n")
    done = run("verify", "--file", reforged, "--public-key", signed.key, "--keep-going", "--json")
    kinds = {(one["kind"], one["stream"]) for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 3 and ("missing_review", f"review#{signed.first}") in kinds, done
    # The last line gave it away; whoever repairs that is found out by the entries.
    with pytest.raises(Fault, match="last line"):
        check(reforged, key, held)
    other = signed.folder / "other.pub"
    other.write_text("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n")
    with pytest.raises(Fault, match="not one of this log"):
        check(signed.export, other.read_text())
    done = run("verify", "--file", signed.export, "--public-key", other)
    assert done.returncode == 3 and "not one of this log" in done.stdout, done


def test_exit_codes_tell_whole_tampered_unreadable_and_not_covered_apart(signed, tmp_path):
    service = signed.service
    assert run("verify", "--data", tmp_path / "nothing").returncode == 4
    assert run("verify", "--file", signed.export).returncode == 2, "an export needs a key"
    assert run("verify", "--file", tmp_path / "nothing", "--public-key", signed.key).returncode == 4
    service.start()
    signed.decided("Third")
    service.kill9()
    # An auditor who has the public key and may not read the one that signs changes nothing, and is told what is open.
    secret, aside = service.data / "checkpoints.key", tmp_path / "aside"
    secret.rename(aside)
    before = {path: path.stat().st_mtime_ns for path in (service.data / "checkpoints").iterdir()}
    done = run("verify", "--data", service.data, "--public-key", signed.key)
    assert done.returncode == 5 and re.search(r"not covered by a root: \d+ commits, such as review", done.stdout), done
    done = run("verify", "--data", service.data, "--public-key", signed.key, "--allow-uncovered")
    assert done.returncode == 0 and "are vouched for by nobody" in done.stdout, done
    assert before == {path: path.stat().st_mtime_ns for path in (service.data / "checkpoints").iterdir()}
    aside.rename(secret)
    # Whoever has the key covers what a crash left, and then it is whole.
    assert run("verify", "--data", service.data).returncode == 0
    service.start()
    signed.decided("Fourth")
    assert run("verify", "--data", service.data).returncode == 0, "the service that runs is asked to sign"
    note = service.http.get(f"{service.url}/checkpoint")
    assert note.status_code == 200 and note.text.startswith("countersign/"), note.text
    assert service.http.get(f"{service.url}/checkpoint/key").text == signed.key.read_text()
    assert service.stop() == 0
    assert run("verify", "--data", service.data, "--all-covered").returncode == 0


def test_an_export_that_was_stripped_of_what_was_signed_is_not_taken_for_a_signed_one(signed):
    lines = signed.export.read_text().splitlines()
    end = json.loads(lines.pop())
    kept = "".join(line + "\n" for line in lines if '"subject"' in line)
    assert len(kept.splitlines()) < len(lines)
    end["id"] = end["data"]["sha256"] = hashlib.sha256(kept.encode()).hexdigest()
    end["data"]["entries"] = 0
    stripped = signed.folder / "stripped.jsonl"
    stripped.write_text(kept + json.dumps(end) + "\n")
    assert check(stripped)["entries"] == 0, "without a key there is nothing to compare it with"
    with pytest.raises(Fault, match="no signed root"):
        check(stripped, signed.key.read_text())
    done = run("verify", "--file", stripped, "--public-key", signed.key)
    assert done.returncode == 5 and "no signed root in this export covers any of its" in done.stdout, done
    assert not re.search(r"^whole:", done.stdout, re.MULTILINE), done
    report = json.loads(run("verify", "--file", stripped, "--public-key", signed.key, "--json").stdout)
    assert report["unsigned"] and report["checkpoint"] is None and report["checked"]["covered"] == 0, report
    done = run("verify", "--file", stripped, "--public-key", signed.key, "--checkpoint", signed.held)
    assert done.returncode == 3 and "the root that you hold covers" in done.stdout, done

    part = signed.folder / "part.jsonl"
    assert run("export", "--out", part, "--outcome", "approved", "--data", signed.service.data).returncode == 0
    assert check(part)["streams"] == 2
    with pytest.raises(Uncovered, match="no signed root"):
        check(part, signed.key.read_text())
    done = run("verify", "--file", part, "--public-key", signed.key)
    assert done.returncode == 5 and "says that it is a part of a log, and no signed root" in done.stdout, done


def test_on_a_terminal_verify_shows_how_far_it_is_how_fast_and_how_long_it_still_takes(signed):
    leader, follower = pty.openpty()
    command = [str(BINARY), "verify", "--data", str(signed.service.data)]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=follower, timeout=120, check=True)
    shown = os.read(leader, 1 << 16).decode()
    os.close(follower)
    os.close(leader)
    assert re.search(r"\[━+\] 100 %, \d+ commits/s, 0 s left", shown), shown
    assert shown.endswith("\r\x1b[K") and done.stdout.startswith(b"whole: "), "the line is taken away in the end"


def test_the_cloudevents_package_reads_every_line(signed):
    lines = signed.export.read_bytes().splitlines()
    events = [JSONFormat().read(None, line) for line in lines]
    assert [event.get_id() for event in events] == [json.loads(line)["id"] for line in lines]
    assert len({event.get_id() for event in events}) == len(lines) > 6
    kinds = [event.get_type() for event in events]
    assert kinds[0] == "ReviewRequested" and kinds[-3:] == ["EntriesListed", "CheckpointSigned", "ExportCompleted"]
    assert events[0].get_extension("streamversion") == 1 and events[0].get_data()["title"].startswith("First")


def test_a_forged_approval_behind_what_was_signed_is_named_by_both_and_whole_for_nobody(signed):
    lines = signed.export.read_text().splitlines()
    key, held = signed.key.read_text(), signed.held.read_text()
    last = [at for at, line in enumerate(lines) if f'"subject":"review#{signed.second}"' in line][-1]
    before = json.loads(lines[last])
    data = '{"by":["reviewer@example.com"],"outcome":"approved","type":"ReviewDecided","v":1}'
    version = before["streamversion"] + 1
    body = (
        f'{{"at":"{before["time"]}","events":[{data}],"previous":"{before["commithash"]}",'
        f'"stream":"review#{signed.second}","version":{version}}}'
    )
    forged = before | {
        "id": f"{signed.second}/{version}/0", "type": "ReviewDecided", "streamversion": version, "commitindex": 0,
        "commitevents": 1, "previoushash": before["commithash"], "commithash": hashlib.sha256(body.encode()).hexdigest(),
    }
    del forged["data"]
    lines.insert(last + 1, json.dumps(forged, separators=(",", ":"))[:-1] + f',"data":{data}}}')
    end = json.loads(lines.pop())
    kept = "".join(line + "\n" for line in lines)
    end["id"] = end["data"]["sha256"] = hashlib.sha256(kept.encode()).hexdigest()
    end["data"]["commits"] += 1
    end["data"]["events"] += 1
    path = signed.folder / "approved.jsonl"
    path.write_text(kept + json.dumps(end) + "\n")
    for roots in [(), (signed.held,)]:
        options = [option for root in roots for option in ("--checkpoint", root)]
        done = run("verify", "--file", path, "--public-key", signed.key, *options)
        assert done.returncode == 5 and f"such as review {signed.second} version {version}" in done.stdout, done
        assert not re.search(r"^whole", done.stdout, re.MULTILINE), done
        with pytest.raises(Uncovered, match=f"{signed.second} version {version}"):
            check(path, key, held if roots else None)

    target = signed.folder / "target"
    done = run("import", path, "--data", target, "--public-key", signed.key)
    assert done.returncode == 1 and "nothing was imported; to bring it in all the same" in done.stderr, done
    assert f"{signed.second} version {version}" in done.stderr, done
    done = run("import", path, "--data", target, "--public-key", signed.key, "--allow-uncovered")
    assert done.returncode == 0 and "1 commits are vouched for by nobody" in done.stdout, done


def test_an_import_takes_what_was_signed_by_the_key_that_it_is_told_and_nothing_that_was_stripped(signed, tmp_path):
    done = run("import", signed.export, "--data", tmp_path / "one")
    assert done.returncode == 0 and "the key that signed it came with the export" in done.stdout, done
    done = run("import", signed.export, "--data", tmp_path / "two", "--public-key", signed.key)
    assert done.returncode == 0 and "that the given key signed" in done.stdout, done
    other = tmp_path / "other.pub"
    other.write_text("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n")
    done = run("import", signed.export, "--data", tmp_path / "three", "--public-key", other)
    assert done.returncode == 1 and "not one of this log" in done.stderr and "nothing was imported" in done.stderr, done
    part = tmp_path / "part.jsonl"
    assert run("export", "--out", part, "--outcome", "approved", "--data", signed.service.data).returncode == 0
    done = run("import", part, "--data", tmp_path / "four")
    assert done.returncode == 1 and "no signed root covers any of it" in done.stderr, done
    assert run("import", part, "--data", tmp_path / "four", "--allow-uncovered").returncode == 0


def test_on_a_read_only_mount_the_log_is_checked_as_it_is(signed):
    data = str(signed.service.data)
    mounted = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"', data]
    if subprocess.run([*mounted, "true"], capture_output=True, timeout=60).returncode:
        pytest.skip("this machine lets nobody mount")
    command = [*mounted, str(BINARY), "verify", "--data", data, "--public-key", str(signed.key)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith("whole: "), done
    database = sqlite3.connect(signed.service.data / "countersign.db")
    last = "SELECT stream, version, hash, body FROM commits WHERE length(stream) = 16 ORDER BY seq DESC LIMIT 1"
    stream, version, previous, body = database.execute(last).fetchone()
    forged = json.loads(body) | {"version": version + 1, "previous": previous.hex()}
    forged = json.dumps(forged, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    row = (stream, version + 1, hashlib.sha256(forged).digest(), forged)
    database.execute("INSERT INTO commits (stream, version, hash, body) VALUES (?, ?, ?, ?)", row)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    # The key is there to be read, and nothing can be written: what is not covered stays so, and is named.
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 5 and f"version {version + 1}\n" in done.stdout, done


def test_nothing_is_written_over_or_through_a_link(signed, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(precious)
    part = tmp_path / "out.jsonl.part"
    part.symlink_to(precious)
    for command in (
        ["prove", signed.second, "--out", link],
        ["prove", signed.second, "--out", precious],
        ["export", "--out", link],
        ["export", "--out", tmp_path / "out.jsonl"],
        ["audit", signed.second, "--html", link],
        ["audit", signed.second, "--html", precious],
    ):
        done = run(*command, "--data", signed.service.data)
        assert done.returncode == 1 and precious.read_text() == "mine", (command, done)
