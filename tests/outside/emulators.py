"""AWS emulators that nobody of this project wrote, and a pipeline that waits in one of them."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

from processes import Program, environment, eventually, free_port, http

BUS, QUEUE = "reviews", "reviews-intake"
WAIT_FOR_TOKEN = "arn:aws:states:::events:putEvents.waitForTaskToken"


def client(service: str, url: str, key: str = "test", secret: str = "test"):
    """A stock boto3 client for the endpoint. An access key of twelve digits is that account on ministack."""
    config = Config(retries={"total_max_attempts": 1}, proxies={}, connect_timeout=5, read_timeout=30)
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=config,
    )


class Emulator:
    """One emulator with a bus, and a rule that puts every ReviewRequested on a queue."""

    def __init__(self, name: str, folder: Path):
        self.name, self.port = name, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        tools = Path(sys.executable).parent
        if name == "ministack":
            command, ready = [str(tools / "ministack")], "/_ministack/health"
        else:
            command, ready = [str(tools / "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)], "/moto-api/data.json"
        env = environment(BIND_HOST="127.0.0.1", GATEWAY_PORT=str(self.port), IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
        self.program = Program(command, env, folder / f"{name}.log", folder)
        self.program.start(self.url + ready)
        if name == "moto":
            # Without this, moto makes up the outcome of an execution instead of running it.
            run = {"stepfunctions": {"execute_state_machine": True}}
            http().post(f"{self.url}/moto-api/config", json=run, timeout=5).raise_for_status()
        self.events, self.sqs, self.states = (client(name, self.url) for name in ("events", "sqs", "stepfunctions"))
        self._make_bus()

    def _make_bus(self) -> None:
        self.events.create_event_bus(Name=BUS)
        self.queue = self.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]
        pattern = json.dumps({"detail-type": ["ReviewRequested"]})
        self.events.put_rule(Name="intake", EventBusName=BUS, EventPattern=pattern, State="ENABLED")
        self.events.put_targets(Rule="intake", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])

    def receive(self, execution: str) -> dict:
        """The next event of this execution that the rule delivered, exactly as it is on the queue."""

        def look() -> dict | None:
            for message in self.sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=1).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                if event["detail"]["resume"]["execution_arn"] == execution:
                    return event
            return None

        return eventually(f"an event of {execution} is delivered", look)

    def machine(self, name: str, request: dict, **task) -> str:
        """Makes a state machine of one task: put `request` on the bus with a token, and wait. Returns its ARN."""
        resume = {"task_token.$": "$$.Task.Token", "execution_arn.$": "$$.Execution.Id"}
        entry = {
            "EventBusName": BUS,
            "Source": "com.example.pipeline",
            "DetailType": "ReviewRequested",
            "Detail": request | {"resume": resume},
        }
        ask = {"Type": "Task", "Resource": WAIT_FOR_TOKEN, "Parameters": {"Entries": [entry]}, "End": True} | task
        definition = json.dumps({"StartAt": "Ask", "States": {"Ask": ask}})
        role = "arn:aws:iam::123456789012:role/pipeline"
        return self.states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]

    def start(self, machine: str, name: str) -> "Execution":
        arn = self.states.start_execution(stateMachineArn=machine, name=name, input="{}")["executionArn"]
        return Execution(self, arn)


@dataclass
class Execution:
    """One run of a state machine."""

    emulator: Emulator
    arn: str

    def event(self) -> dict:
        """The event it put on the bus."""
        return self.emulator.receive(self.arn)

    def describe(self) -> dict:
        return self.emulator.states.describe_execution(executionArn=self.arn)

    def ended(self, seconds: float = 15) -> dict:
        """Its description once it no longer runs."""

        def look() -> dict | None:
            now = self.describe()
            return None if now["status"] == "RUNNING" else now

        return eventually(f"{self.arn} ends", look, seconds)

    def causes(self) -> str:
        """What its history says of why it failed."""
        history = self.emulator.states.get_execution_history(executionArn=self.arn)["events"]
        return json.dumps(history, default=str)
