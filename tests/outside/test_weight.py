"""What a request may be made of, and that a heavy page keeps nobody else waiting."""

import threading
import time

import pytest

from processes import http

ANA = [{"email": "ana@example.com"}]


@pytest.mark.parametrize(
    ("field", "value", "pointer", "limit"),
    [
        ("summary", ">" * 12_000, "/summary", "32"),
        ("summary", "- " * 20_000 + "x", "/summary", "32"),
        ("summary", "x\n\n" * 16_000, "/summary", "10000"),
        ("summary", "|a" * 400 + "\n" + "|-" * 400 + "\n" + "|b\n" * 400, "/summary", "10000"),
        ("evidence", [{"label": "Cells", "table": [[""] * 200] * 101}], "/evidence", "20000"),
    ],
)
def test_what_would_be_too_heavy_to_show_is_refused_by_name_and_limit(service, field, value, pointer, limit):
    answer = service.post("/api/v1/reviews", {"title": "T", "reviewers": ANA, field: value})
    assert answer.status_code == 422, answer.text
    faults = {fault["pointer"]: fault["expected"] for fault in answer.json()["faults"]}
    assert limit in faults[pointer], faults


def test_three_readers_of_the_heaviest_page_keep_nobody_else_waiting(service):
    service.ask("Heavy", summary="*a* " * 9_999, reviewers=ANA, evidence=[{"label": "E", "value": "&" * 100_000}])
    link, slowest, done = service.link("Heavy", "ana@example.com"), 0.0, threading.Event()
    readers = [threading.Thread(target=lambda: http().get(link, timeout=30).raise_for_status()) for _ in range(3)]

    def probe():
        nonlocal slowest
        while not done.is_set():
            begin = time.monotonic()
            assert http().get(f"{service.url}/healthz", timeout=30).status_code == 200
            slowest = max(slowest, time.monotonic() - begin)

    prober = threading.Thread(target=probe)
    prober.start()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    done.set()
    prober.join()
    assert 0 < slowest < 1, slowest
