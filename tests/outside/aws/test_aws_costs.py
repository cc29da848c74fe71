"""What one approval costs on the deployed service: counted at the proxy, beside the floor of infra/cost.toml.

What the emulator does by itself passes no proxy: invocations are counted from the functions' logs, requests to queues are
three for each message (send, receive, delete). How long a function runs says nothing of AWS here: it is taken as
infra/cost.toml has it. Ticks of the timekeeper and what a function does in its Init belong to no approval."""

import re
import tomllib
from collections import Counter

import pytest

from pipeline import Pipeline
from processes import eventually, http
from proxy import Call
from service import ROOT
from stack import FUNCTIONS

RUNS = 4
# How much more than the floor may be measured.
MARGIN = 1.2
COSTS = tomllib.loads((ROOT / "infra/cost.toml").read_text())
FLOOR = {line["name"]: line for line in COSTS["line"]}


def approve_by_mail(stack, pipeline) -> int:
    """A whole approval; how many HTTP requests it took."""
    execution = pipeline.start()
    text = eventually("a mail about the review", lambda: stack.mails(pipeline.title), seconds=30, every=0.1)[0]
    link = re.search(r"http://\S+/a/[\w.~-]+", text).group(0)
    stack.idle()
    session = http()
    page = session.get(link, timeout=30).text
    form = re.search(r"<form[^>]*method=\"post\".*?</form>", page, re.DOTALL).group(0)
    hidden = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", form)
    fields = {re.search(r'name="([^"]*)"', tag).group(1): re.search(r'value="([^"]*)"', tag).group(1) for tag in hidden}
    target = stack.front.url + re.search(r'action="([^"]*)"', form).group(1)
    fields |= {"choice": "approve", "reason": "the report is sound"}
    done = session.post(target, data=fields, headers={"Origin": stack.front.url}, timeout=30)
    assert done.status_code == 200, done.text
    assert execution.ended()["status"] == "SUCCEEDED"
    stack.idle()
    return 1 + len([done, *done.history])


def invocations(stack) -> Counter:
    logs, found = stack.aws("logs"), Counter()
    for name in FUNCTIONS:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/countersign-{name}")
        found[name] = sum(event["message"].startswith("START ") for page in pages for event in page["events"])
    return found


# They come by the clock, and cost what they cost whether anybody approves anything.
TICKING = {"timekeeper", "checkpointer"}


def of_a_tick(call: Call) -> bool:
    """Whether this call is paid by the clock and by no approval: what is due, and the first look of the checkpointer."""
    asked = call.json()
    if call.action == "Scan":
        return True
    values = asked.get("ExpressionAttributeValues", {}).values()
    return asked.get("IndexName") == "pending" and any(re.match("(due|owed)#", value.get("S", "")) for value in values)


def count(stack, calls: list[Call]) -> Counter:
    """Units by the names of infra/cost.toml."""
    found = Counter()
    for call in calls:
        match call.service:
            case "dynamodb" if not of_a_tick(call):
                table = "log" if call.json().get("TableName") == stack.log_table else "views"
                found[f"{table} {call.kind}s"] += call.units
            case "events":
                found["events published"] += len(call.json()["Entries"])
            case "sns":
                found["alerts"] += 1
            case "kms" if call.action in ("Encrypt", "Decrypt"):
                found["seals"] += 1
            case "ses":
                found["mails"] += 1
    return found


@pytest.fixture(scope="module")
def measured(stack) -> dict[str, float]:
    """Units of one approval, the mean of a few."""
    approve_by_mail(stack, Pipeline(stack, "cost-warm"))  # every function has started
    mark, before = len(stack.proxy.since()), invocations(stack)
    requests = sum(approve_by_mail(stack, Pipeline(stack, f"cost-{number}")) for number in range(RUNS))
    found, ran = count(stack, stack.proxy.since(mark)), invocations(stack) - before
    found["invocations"] = sum(ran[name] for name in FUNCTIONS if name not in TICKING)
    found["queue requests"] = 3 * (ran["intake"] + ran["notifier"])
    found["HTTP requests"] = requests
    return {name: units / RUNS for name, units in found.items()}


def dollars(units: dict[str, float]) -> float:
    """Of a million approvals, Countersign's own part."""
    return sum(units[name] * line["price"] for name, line in FLOOR.items())


def test_an_approval_costs_at_most_a_fifth_more_than_the_design_calls_for(measured, capsys):
    floor, now = ({name: line[what] for name, line in FLOOR.items()} for what in ("units", "now"))
    with capsys.disabled():
        print(f"\n{'one approval, units':32}   floor    today measured   $ a million")
        for name, line in FLOOR.items():
            print(f"{name:32} {floor[name]:7} {now[name]:8} {measured[name]:8.2f} {measured[name] * line['price']:9.2f}")
        print(f"{'$ a million approvals':32} {dollars(floor):7.2f} {dollars(now):8.2f} {dollars(measured):8.2f}")

    assert dollars(measured) <= MARGIN * dollars(floor)
    assert not [f"{name}: {measured[name]} units, not {now[name]}" for name in FLOOR if measured[name] > 1.05 * now[name]]
    assert not [f"{name}: {measured[name]} units, below {floor[name]}" for name in FLOOR if measured[name] < 0.95 * floor[name]]
    assert measured["mails"] == 1


def test_the_cost_table_of_the_readme_is_the_floor():
    text = (ROOT / "infra/README.md").read_text()
    rows = {cells[1].strip(): cells for line in text.splitlines() if len(cells := line.split("|")) == 6}
    for name, line in FLOOR.items():
        cells = rows[name]
        assert (float(cells[2]), float(cells[4])) == (line["units"], round(line["units"] * line["price"], 2)), name
    total = dollars({name: line["units"] for name, line in FLOOR.items()})
    assert float(rows["**Countersign**"][4].strip(" *")) == pytest.approx(total, abs=0.005)
