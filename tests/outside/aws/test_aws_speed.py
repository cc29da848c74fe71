"""From a vote to the workflow that goes on, on the emulator; printed, and held to a bound that only a fault passes.

Ours is what the functions do between their calls of AWS, from the gateway's first to the projector's SendTaskSuccess, as
the proxy sees them. The rest is the emulator's: its HTTP API, its stream, starting invocations, answering calls."""

import statistics
import time
from itertools import pairwise

RUNS = 10


def of_a_vote(call, review: str) -> bool:
    """Not a tick's, which may fall in between."""
    return call.service != "dynamodb" or review in call.body.decode() or '"directory"' in call.body.decode()


def ours(calls) -> float:
    """Seconds that the two functions took between their calls."""
    calls = sorted(calls, key=lambda call: call.at)
    voted = next(at for at, call in enumerate(calls) if call.name == "dynamodb:PutItem")
    told = next(at for at, call in enumerate(calls) if call.name == "states:SendTaskSuccess")
    parts = [calls[: voted + 1], calls[voted + 1 : told + 1]]
    return sum(max(0.0, after.at - before.at - before.took) for part in parts for before, after in pairwise(part))


def p(share: float, of: list[float]) -> float:
    return sorted(of)[int(share * (len(of) - 1) + 0.5)]


def test_a_vote_resumes_the_workflow_promptly(stack, pipeline, unique, capsys):
    took, own = [], []
    for number in range(RUNS):
        key = f"{unique}-{number}"
        pipeline.title = f"Promote {key}"
        execution, review = pipeline.asked(f"-{number}", request_key=key, title=pipeline.title)
        stack.logged(review, "ReviewNotified", "NotificationFailed")
        stack.idle()
        mark, start = len(stack.proxy.since()), time.monotonic()
        pipeline.decide(review)
        while execution.describe()["status"] == "RUNNING":
            assert time.monotonic() - start < 20
            time.sleep(0.005)
        took.append(time.monotonic() - start)
        # The call is kept once it is answered, which the execution need not wait for.
        while not any(call.name == "states:SendTaskSuccess" for call in stack.proxy.since(mark)):
            assert time.monotonic() - start < 30
            time.sleep(0.005)
        own.append(ours(call for call in stack.proxy.since(mark) if of_a_vote(call, review)))
    median, mine = statistics.median(took), statistics.median(own)
    with capsys.disabled():
        print(
            f"\nvote to resumed workflow on ministack, {RUNS} runs: p50 {median:.3f} s, p95 {p(0.95, took):.3f} s; "
            f"ours p50 {mine:.3f} s, p95 {p(0.95, own):.3f} s ({100 * mine / median:.0f} % of the whole)"
        )
    assert p(0.95, took) < 5
