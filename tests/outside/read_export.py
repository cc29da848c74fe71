"""Checks an export of the log by docs/export-format.md alone: nothing here knows Countersign's code.

    python3 read_export.py FILE [PUBLIC KEY FILE [CHECKPOINT THAT IS HELD]]
    python3 read_export.py --proof FILE PUBLIC KEY FILE

Prints what the export or the proof holds and ends with 0, or names the first fault and ends with 1. With a key, what no
signed root covers is a fault too: nobody vouches for it.
Signatures are checked when a public key is given, which needs the package `cryptography`."""

import base64
import hashlib
import json
import sys
from pathlib import Path

from tree import NotSigned, included, leaf, opened, root

GENESIS = "0" * 64
# What all lines of one commit have in common.
COMMON = ("source", "subject", "time", "streamversion", "commitevents", "previoushash", "commithash")


class Fault(Exception):
    """What is wrong, and where."""


class Uncovered(Fault):
    """Nothing is wrong with what a signed root covers, and there are commits that none covers."""


def data_of(line: bytes) -> bytes:
    """The bytes of the event, as they are stored."""
    return line[line.index(b',"data":') + len(b',"data":') : line.rindex(b"}")]


def body_of(lines: list[bytes], events: list[dict]) -> bytes:
    """The stored bytes of a commit."""
    head = events[0]
    body = b'{"at":%s,"events":[%s],"previous":"%s","stream":"%s","version":%d}' % (
        json.dumps(head["time"]).encode(),
        b",".join(data_of(line) for line in lines),
        head["previoushash"].encode(),
        head["subject"].encode(),
        head["streamversion"],
    )
    if "commitbody" not in head:
        return body
    whole = base64.b64decode(head["commitbody"], validate=True)
    said = json.loads(whole)
    if {name: said.get(name) for name in json.loads(body)} != json.loads(body):
        raise Fault("its body says something else than its lines")
    return whole


def check_commit(lines: list[bytes], events: list[dict], version: int, previous: str) -> None:
    head = events[0]
    if head["streamversion"] != version:
        raise Fault(f"is not there: version {head['streamversion']} stands in its place")
    if [event["commitindex"] for event in events] != list(range(head["commitevents"])):
        raise Fault("has lost an event")
    stream = head["subject"].removeprefix("review#")
    for index, event in enumerate(events):
        if [event[name] for name in COMMON] != [head[name] for name in COMMON]:
            raise Fault("has lines that disagree")
        if event["id"] != f"{stream}/{version}/{index}" or event["type"] != event["data"]["type"]:
            raise Fault("has an id or a type that is not that of the event")
    if hashlib.sha256(body_of(lines, events)).hexdigest() != head["commithash"]:
        raise Fault("was altered: its hash is not that of its bytes")
    if head["previoushash"] != previous:
        raise Fault("does not follow on from the commit before it")


def check_signed(entries: list[str], hashes: dict[tuple[str, int], str], note: str | None, key: str | None, held: str | None):
    """Compares the commits with the entries, and the entries with the roots."""
    leaves = [leaf(entry.encode()) for entry in entries]
    roots = [note] * (note is not None) + [held] * (held is not None)
    for signed in roots if key else []:
        try:
            size, signed_root = opened(signed, key)
        except NotSigned as reason:
            raise Fault(f"a root is not one of this log: {reason}") from reason
        if size > len(leaves) or root(leaves[:size]) != signed_root:
            raise Fault(f"the first {size} entries do not have the root that was signed")
    if entries and (note is None or int(note.split("\n")[1]) != len(entries)):
        raise Fault("entries are listed that no root signs")
    streams = {stream for stream, _ in hashes}
    for entry in entries:
        stream, version, signed_hash = entry.split(" ")
        if stream not in streams:
            raise Fault(f"{stream} is missing: version {version} and whatever followed")
        if (stream, int(version)) not in hashes:
            raise Fault(f"{stream} version {version} is missing and was signed")
        if hashes[stream, int(version)] != signed_hash:
            raise Fault(f"{stream} version {version} is not the commit that was signed")


def check(path: Path, key: str | None = None, held: str | None = None) -> dict:
    """What the export holds; a `Fault` when it is not as it was written."""
    digest = hashlib.sha256()
    found = {"streams": 0, "commits": 0, "events": 0, "handles": 0, "entries": 0}
    seen: set[str] = set()
    hashes: dict[tuple[str, int], str] = {}
    signed: list[str] = []
    note = None
    stream, version, previous, end = None, 0, GENESIS, None
    lines: list[bytes] = []
    events: list[dict] = []
    with path.open("rb") as file:
        for line in file:
            if end is not None:
                raise Fault("something stands after the last line")
            event = json.loads(line)
            if not line.endswith(b"\n") or event["specversion"] != "1.0" or event["source"] != "countersign":
                raise Fault("a line is cut off, or is no event of Countersign")
            if event["type"] == "ExportCompleted" and "subject" not in event:
                end = event
                continue
            digest.update(line)
            if "subject" not in event and not events:
                if event["type"] == "EntriesListed" and event["data"]["first"] == len(signed):
                    signed += event["data"]["entries"]
                elif event["type"] == "CheckpointSigned" and note is None:
                    note = event["data"]["note"]
                else:
                    raise Fault("a line stands where none of its type should")
                continue
            lines.append(line)
            events.append(event)
            if len(events) < events[0]["commitevents"]:
                continue
            if events[0]["subject"] != stream:
                stream, version, previous = events[0]["subject"], 0, GENESIS
                if stream in seen:
                    raise Fault(f"{stream} stands in the export twice")
                seen.add(stream)
            version += 1
            try:
                check_commit(lines, events, version, previous)
            except Fault as fault:
                raise Fault(f"{stream} version {version} {fault}") from fault
            previous = events[0]["commithash"]
            hashes[stream, version] = previous
            found["commits"] += 1
            found["events"] += len(events)
            found["handles"] += "sealedhandle" in events[0]
            lines, events = [], []
    found["streams"], found["entries"] = len(seen), len(signed)
    if end is None or events:
        raise Fault(f"the export ends early, after {stream} version {version}")
    said = {"entries": 0} | end["data"]
    if said["format"] not in (1, 2) or said["sha256"] != digest.hexdigest() or {name: said[name] for name in found} != found:
        raise Fault("the last line does not fit what stands before it")
    check_signed(signed, hashes, note, key, held)
    if key and not signed and (hashes or note is None):
        raise Uncovered("no signed root covers anything of it: only its own hashes could be checked, which anybody can make anew")
    entered = {tuple(entry.split(" ")[:2]) for entry in signed}
    open_commits = [(stream, version) for stream, version in hashes if (stream, str(version)) not in entered]
    if key and open_commits:
        stream, version = open_commits[0]
        raise Uncovered(f"{stream} version {version} and {len(open_commits) - 1} others are covered by no signed root")
    return found


def check_proof(path: Path, key: str) -> dict:
    """How many commits of a review a proof shows to be signed; a `Fault` when it does not hold."""
    proof = json.loads(path.read_bytes())
    try:
        size, signed_root = opened(proof["checkpoint"], key)
    except NotSigned as reason:
        raise Fault(f"the root is not one of this log: {reason}") from reason
    stream, previous, proven = f"review#{proof['review']}", GENESIS, 0
    if proof["countersign_proof"] != 1 or not proof["commits"]:
        raise Fault("it is no proof of this form, or proves nothing")
    for version, commit in enumerate(proof["commits"], 1):
        body = json.loads(commit["body"])
        if (body["stream"], body["version"], body["previous"]) != (stream, version, previous):
            raise Fault(f"{stream} version {version} is not there, or does not follow on")
        previous = hashlib.sha256(commit["body"].encode()).hexdigest()
        if "index" in commit:
            path_up = [base64.b64decode(step) for step in commit["path"]]
            if not included(leaf(f"{stream} {version} {previous}".encode()), commit["index"], size, path_up, signed_root):
                raise Fault(f"{stream} version {version} is not what was signed")
            proven += 1
    if not proven:
        raise Fault(f"{stream} version 1 and whatever follows it is not shown to be signed: the proof proves nothing")
    if proven < len(proof["commits"]):
        raise Uncovered(f"{len(proof['commits']) - proven} commits of {stream} are covered by no signed root")
    return {"commits": len(proof["commits"]), "proven": proven}


def main(arguments: list[str]) -> dict:
    def text(path: str) -> str:
        return Path(path).read_text()

    if arguments[0] == "--proof":
        return check_proof(Path(arguments[1]), text(arguments[2]))
    return check(Path(arguments[0]), *map(text, arguments[1:]))


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1:])))
    except Fault as fault:
        sys.exit(f"{' '.join(sys.argv[1:])}: {fault}")
