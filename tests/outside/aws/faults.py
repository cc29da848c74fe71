"""The classes of faults that a run meets, seeded, on every call that the functions make."""

import json
import random
import threading
from collections import Counter

from proxy import PASS, Call, Fate

JSON, FORM, REST = "application/x-amz-json-1.0", "text/xml", "application/json"
# How each service says "slow down": status and code, by the "Common errors" or "Errors" of its API reference.
THROTTLED = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "streams": (400, "LimitExceededException"),
    "s3": (503, "SlowDown"),
    "kms": (400, "ThrottlingException"),
    "events": (400, "ThrottlingException"),
    "states": (400, "ThrottlingException"),
    "secretsmanager": (400, "ThrottlingException"),
    "ses": (429, "TooManyRequestsException"),
    "lambda": (429, "TooManyRequestsException"),
    "sns": (429, "Throttled"),
}
# How each says that it failed.
FAILED = {
    "dynamodb": "InternalServerError",
    "streams": "InternalServerError",
    "s3": "InternalError",
    "kms": "KMSInternalException",
    "events": "InternalException",
    "states": "InternalServerException",
    "secretsmanager": "InternalServiceError",
    "ses": "InternalServiceErrorException",
    "lambda": "ServiceException",
    "sns": "InternalError",
}
CLASSES = ["throttled", "failed", "reset", "slow", "lost"]
# The first calls of each action, so many in a row that the SDK (three attempts) gives up and our own code must see it.
FIRST = 3
# The share of the others.
SHARE = 0.2
# What the functions wait for one attempt (services/lambda/src/aws.rs) is 5 s: this is over it. It is met by the first call
# of these alone, what each does being done all the same: everywhere it would take minutes and show no more.
TOO_SLOW = 5.5
TIMED_OUT = {"dynamodb:PutItem", "states:SendTaskSuccess", "ses:SendEmail"}


class Faults:
    """The fates of one class. Given the same seed and the same calls in the same order, the same fates."""

    def __init__(self, kind: str, seed: int):
        self.kind, self.random = kind, random.Random(f"{seed} {kind}")
        self.met: Counter[str] = Counter()
        self.came: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Fate:
        with self._lock:
            self.came[call.name] += 1
            if self.came[call.name] > FIRST and self.random.random() >= SHARE:
                return PASS
            self.met[call.name] += 1
            times_out = call.name in TIMED_OUT and self.came[call.name] == 1
            seconds = TOO_SLOW if times_out else 0.05 + 0.4 * self.random.random()
        return fate(self.kind, call, seconds)


def fate(kind: str, call: Call, seconds: float = 0.2) -> Fate:
    """What a fault of this class does to the call."""
    match kind:
        case "throttled":
            status, code = THROTTLED[call.service]
            if call.name == "events:PutEvents":
                # As PutEvents says it: 200, and the entries that were not taken, by name.
                entries = [{"ErrorCode": code, "ErrorMessage": "Rate exceeded"} for _ in call.json()["Entries"]]
                answer = json.dumps({"FailedEntryCount": len(entries), "Entries": entries}).encode()
                return Fate(kind, answer=(200, {"content-type": JSON}, answer))
            return Fate(kind, answer=error(call, status, code))
        case "failed":
            return Fate(kind, answer=error(call, 500, FAILED[call.service]))
        case "reset":
            return Fate(kind, reset=True)
        case "slow":
            # Too late is carried out, and its answer comes to nobody.
            return Fate("lost" if seconds >= TOO_SLOW else kind, seconds=seconds)
        case "lost":
            return Fate(kind, lose=True)
    raise ValueError(kind)


def error(call: Call, status: int, code: str) -> tuple[int, dict[str, str], bytes]:
    """An error in the protocol of the call's service."""
    if call.service == "sns":
        body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>by the tests</Message></Error></ErrorResponse>"
        return status, {"content-type": FORM}, body.encode()
    if call.service == "s3":
        return status, {"content-type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode()
    body = json.dumps({"__type": code, "message": "by the tests"}).encode()
    if call.service in ("ses", "lambda"):
        return status, {"content-type": REST, "x-amzn-errortype": code}, body
    return status, {"content-type": JSON}, body
