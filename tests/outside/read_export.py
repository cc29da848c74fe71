"""Checks an export of the log by docs/export-format.md alone: nothing here knows Countersign's code.

    python3 read_export.py FILE

Prints what the export holds and ends with 0, or names the first fault and ends with 1."""

import base64
import hashlib
import json
import sys
from pathlib import Path

GENESIS = "0" * 64
# What all lines of one commit have in common.
COMMON = ("source", "subject", "time", "streamversion", "commitevents", "previoushash", "commithash")


class Fault(Exception):
    """What is wrong, and where."""


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


def check(path: Path) -> dict:
    """What the export holds; a `Fault` when it is not as it was written."""
    digest = hashlib.sha256()
    found = {"streams": 0, "commits": 0, "events": 0, "handles": 0}
    seen: set[str] = set()
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
            found["commits"] += 1
            found["events"] += len(events)
            found["handles"] += "sealedhandle" in events[0]
            lines, events = [], []
    found["streams"] = len(seen)
    if end is None or events:
        raise Fault(f"the export ends early, after {stream} version {version}")
    said = end["data"]
    if said["format"] != 1 or said["sha256"] != digest.hexdigest() or {name: said[name] for name in found} != found:
        raise Fault("the last line does not fit what stands before it")
    return found


if __name__ == "__main__":
    try:
        print(json.dumps(check(Path(sys.argv[1]))))
    except Fault as fault:
        sys.exit(f"{sys.argv[1]}: {fault}")
