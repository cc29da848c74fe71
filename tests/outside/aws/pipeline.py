"""A workflow team's side: state machines of the emulator that ask by the deployed bus and wait."""

import json
from dataclasses import dataclass

from processes import eventually

REVIEWER = "reviewer@example.com"
WAIT_FOR_TOKEN = "arn:aws:states:::events:putEvents.waitForTaskToken"


@dataclass
class Execution:
    """One run of a state machine."""

    states: object
    arn: str

    def describe(self) -> dict:
        return self.states.describe_execution(executionArn=self.arn)

    def ended(self, seconds: float = 30) -> dict:
        """Its description once it no longer runs."""

        def look():
            now = self.describe()
            return None if now["status"] == "RUNNING" else now

        return eventually(f"{self.arn} ends", look, seconds)


class Pipeline:
    """Asks for one thing; `unique` names it."""

    def __init__(self, stack, unique: str, states=None):
        self.stack, self.unique = stack, unique
        self.states = states or stack.aws("stepfunctions")
        self.title = f"Promote churn-model {unique}"
        self.request = {
            "request_key": unique,
            "title": self.title,
            "subject": {"kind": "model-promotion", "id": unique},
            "evidence": [{"label": "Flagged rows", "value": "7.4 %"}],
            "requester": {"email": "pipeline@example.com"},
            "reviewers": [{"email": REVIEWER}],
        }

    def start(self, name: str = "", **request) -> Execution:
        """Starts a state machine of one task that puts the request on the bus and waits."""
        resume = {"task_token.$": "$$.Task.Token", "execution_arn.$": "$$.Execution.Id"}
        entry = {
            "EventBusName": self.stack.bus,
            "Source": "com.example.pipeline",
            "DetailType": "ReviewRequested",
            "Detail": self.request | request | {"resume": resume},
        }
        ask = {"Type": "Task", "Resource": WAIT_FOR_TOKEN, "Parameters": {"Entries": [entry]}, "TimeoutSeconds": 120, "End": True}
        return self._run(ask, name)

    def start_by_invoke(self, function: str) -> Execution:
        """The same by a call of the function."""
        resume = {"task_token.$": "$$.Task.Token", "execution_arn.$": "$$.Execution.Id"}
        parameters = {"FunctionName": function, "Payload": self.request | {"resume": resume}}
        ask = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": parameters}
        return self._run(ask | {"TimeoutSeconds": 120, "End": True}, "")

    def _run(self, ask: dict, name: str) -> Execution:
        definition = json.dumps({"StartAt": "Ask", "States": {"Ask": ask}})
        role = "arn:aws:iam::000000000000:role/pipeline"
        machine = self.states.create_state_machine(name=self.unique + name, definition=definition, roleArn=role)
        run = self.states.start_execution(stateMachineArn=machine["stateMachineArn"], name=self.unique + name, input="{}")
        return Execution(self.states, run["executionArn"])

    def asked(self, name: str = "", **request) -> tuple[Execution, str]:
        """An execution that waits, and the review that it waits for."""
        execution = self.start(name, **request)
        return execution, self.stack.find(request.get("title", self.title))

    def decide(self, review: str, choice: str = "approve", reason: str = "the report is sound") -> None:
        answer = self.stack.vote(review, REVIEWER, choice, reason)
        assert answer.ok, (answer.status_code, answer.text)
