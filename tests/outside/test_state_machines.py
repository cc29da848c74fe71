"""The state machines of infra/examples/: what no linter of CloudFormation looks for."""

import json
import re

import pytest

from templates import EXAMPLES, INFRA, resources, walk

FILES = sorted((INFRA / "examples").glob("*.asl.json"))
# How long before the workflow's own time limit a review ends: the timekeeper comes by each minute.
MARGIN = 120

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".asl.json"))


def machines(definition):
    """A state machine and those inside it (branches of Parallel, processors of Map)."""
    yield definition
    for state in definition["States"].values():
        for inner in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor"), state.get("Iterator")])]:
            yield from machines(inner)


def leads_to(state) -> set[str]:
    """The states that may come after this one."""
    steps = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {step[word] for step in steps for word in ("Next", "Default") if word in step}


def asks(definition):
    """Every task that waits for a token."""
    for machine in machines(definition):
        yield from (state for state in machine["States"].values() if state.get("Resource", "").endswith(".waitForTaskToken"))


def detail(state) -> dict:
    """The request that a task makes, in any of its forms."""
    given = state.get("Parameters") or state.get("Arguments")
    for _, value in walk(given):
        if isinstance(value, dict) and "resume" in value:
            return value
    raise AssertionError("the task sends no request")


@every_file
def test_every_state_that_is_named_is_there_and_every_state_can_be_reached(path):
    for machine in machines(json.loads(path.read_text())):
        states, reached, ahead = machine["States"], set(), {machine["StartAt"]}
        while ahead:
            name = ahead.pop()
            assert name in states, f"{name} is no state"
            reached.add(name)
            ahead |= leads_to(states[name]) - reached
        assert reached == set(states)
        for name, state in states.items():
            ends = state.get("End") or state["Type"] in ("Succeed", "Fail", "Choice")
            assert bool(ends) != ("Next" in state), f"{name} either ends or goes on"


@every_file
def test_a_wait_has_a_time_limit_and_no_pulse_and_the_review_ends_before_it(path):
    text = path.read_text()
    assert "HeartbeatSeconds" not in text, "a pause of days needs a deadline, not a pulse"
    definition = json.loads(text)
    waiting = list(asks(definition))
    assert waiting
    for state in waiting:
        resume = detail(state)["resume"]
        assert {key.removesuffix(".$") for key in resume} == {"task_token", "execution_arn", "deadline"}
        if "deadline" in resume:
            (millis,) = re.findall(r"State\.EnteredTime\) \+ (\d+)", resume["deadline"])
            ahead = int(millis) // 1000
        else:
            # JSONPath cannot count with times: the step before does.
            before = definition["States"]["MakeDataset"]["Parameters"]["Payload"]
            ahead, source = before["wait_seconds"], resume["deadline.$"]
            assert source == "$.dataset.report.deadline"
        assert ahead == state["TimeoutSeconds"] - MARGIN


@every_file
def test_only_an_approval_leads_on(path):
    """Whatever ends the review otherwise is caught by name, or the workflow asked for the outcome and chooses by it."""
    definition = json.loads(path.read_text())
    caught = {error for state in definition["States"].values() for each in state.get("Catch", []) for error in each["ErrorEquals"]}
    for state in asks(definition):
        if detail(state).get("on_reject") == "succeed":
            assert [choice["Condition"] for choice in definition["States"]["Approved"]["Choices"]] == [
                "{% $states.input.outcome = 'approved' %}"
            ]
        else:
            assert {"Countersign.Rejected", "Countersign.Expired", "Countersign.Cancelled", "States.Timeout"} <= caught


def test_every_example_is_deployed_by_the_template_and_told_of_in_the_readme():
    deployed = {machine["Properties"]["DefinitionUri"] for machine in resources(EXAMPLES, "AWS::Serverless::StateMachine").values()}
    assert deployed == {path.name for path in FILES}
    readme = (INFRA / "examples/README.md").read_text()
    assert [path.name for path in FILES if f"`{path.name}`" not in readme] == []


def test_every_substitution_of_an_example_is_given():
    for machine in resources(EXAMPLES, "AWS::Serverless::StateMachine").values():
        text = (INFRA / "examples" / machine["Properties"]["DefinitionUri"]).read_text()
        assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(machine["Properties"]["DefinitionSubstitutions"])
