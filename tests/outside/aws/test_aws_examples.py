"""Every state machine of infra/examples/ waits for a person and goes on, on the deployed service.

ministack runs the template as infra/deploy puts it there, with the functions of this build. Where it is weaker than AWS:
it checks no permission, and a branch of Parallel that fails does not stop the others at once, so parallel reviews are
seen approved here and not rejected.
"""

import json
import os
import subprocess

import pytest

from processes import environment, eventually
from service import ROOT
from stack import ACCOUNT

ANA = "ana@example.com"
REVIEWERS = [{"email": ANA}]
PIPELINES = ["PipelineByBus", "PipelineByBusInJsonata", "PipelineByInvoke", "PipelineByQueue"]


@pytest.fixture(scope="session")
def more(stack):
    """Deploys another template of infra/ beside the service; gives its outputs."""
    tools = os.pathsep.join([str(ROOT / "target/venv-infra/bin"), os.environ["PATH"]])
    settings = environment(PATH=tools, AWS_ENDPOINT_URL=stack.url, SAM_CLI_TELEMETRY="0")

    def deploy(template: str, name: str, **parameters: str) -> dict[str, str]:
        command = ["sam", "deploy", "--template-file", f"infra/{template}", "--stack-name", name, "--capabilities", "CAPABILITY_IAM"]
        command += ["--s3-bucket", "countersign-zips", "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides"]
        command += [f"{key}={value}" for key, value in parameters.items()]
        done = subprocess.run(command, cwd=stack.folder / "tree", env=settings, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        [found] = stack.aws("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}

    return deploy


@pytest.fixture(scope="session")
def listener(stack, more) -> str:
    """The queue of the listener's example."""
    return more("examples/consumer.yaml", "listener", BusArn=stack.outputs["BusArn"])["QueueUrl"]


@pytest.fixture(scope="session")
def examples(stack, more):
    """The examples' outputs; a queue past the bus is stack with them."""
    emulated = {"Architecture": "x86_64", "Emulator": "true", "EndpointUrl": stack.url}
    queue = more("outside-queue.yaml", "queue", SendingAccount=ACCOUNT, **emulated)
    past_the_bus = {name: queue[name] for name in ("QueueUrl", "QueueArn", "QueueKeyArn")}
    return more("examples/template.yaml", "examples", IntakeArn=stack.outputs["IntakeArn"], **past_the_bus)


class Run:
    """One execution of an example."""

    def __init__(self, stack, examples, machine: str, given: dict):
        self.stack, self.states = stack, stack.aws("stepfunctions")
        started = self.states.start_execution(stateMachineArn=examples[f"{machine}Arn"], input=json.dumps(given))
        self.arn = started["executionArn"]
        self.name = self.arn.rsplit(":", 1)[1]

    def reviews(self, count: int) -> list[str]:
        """The reviews that it waits for, once the inbox lists so many."""

        def look():
            rows = [row["review_id"] for row in self.stack.get("/api/v1/reviews").json()["reviews"] if row["status"] == "open"]
            mine = [review for review in rows if self.arn in json.dumps(self.stack.log(review))]
            return mine if len(mine) >= count else None

        return eventually(f"{count} reviews wait for {self.arn}", look, 30)

    def decide(self, choice: str, count: int = 1) -> list[str]:
        reviews = self.reviews(count)
        for review in reviews:
            answer = self.stack.vote(review, ANA, choice)
            assert answer.ok, (answer.status_code, answer.text)
        return reviews

    def ended(self) -> dict:
        def look():
            now = self.states.describe_execution(executionArn=self.arn)
            return now if now["status"] != "RUNNING" else None

        return eventually(f"{self.arn} ends", look, 30)


def kept(stack, examples, name: str) -> set[str]:
    """Where the data set of a run is."""
    listed = stack.aws("s3").list_objects_v2(Bucket=examples["BucketName"]).get("Contents", [])
    return {each["Key"].split("/")[0] for each in listed if name in each["Key"]}


@pytest.mark.parametrize("machine", PIPELINES)
def test_an_approved_data_set_is_promoted_and_a_rejected_one_discarded(stack, examples, machine):
    given = {"odd_percent": 9, "reviewers": REVIEWERS}
    approved, rejected = (Run(stack, examples, machine, given) for _ in range(2))

    [review] = approved.decide("approve")
    rejected.decide("reject")

    assert approved.ended()["status"] == rejected.ended()["status"] == "SUCCEEDED"
    assert kept(stack, examples, approved.name) == {"incoming", "promoted"}
    assert kept(stack, examples, rejected.name) == set()
    assert {"ReviewRequested", "ReviewNotified", "VoteCast", "ReviewDecided"} <= set(stack.types(review))
    assert stack.logged(review, "WorkflowResumed")


def test_a_data_set_below_six_percent_asks_nobody(stack, examples):
    run = Run(stack, examples, "PipelineByBus", {"odd_percent": 1, "reviewers": REVIEWERS})
    assert run.ended()["status"] == "SUCCEEDED"
    assert "promoted" in kept(stack, examples, run.name)


def test_a_deployment_goes_live_when_approved_and_not_when_rejected(stack, examples):
    given = {"service": "web", "changes": "https://example.com/d", "requester": "dev@example.com", "reviewers": REVIEWERS}
    live = Run(stack, examples, "DeployApproval", given | {"version": "1.2"})
    live.decide("approve")
    assert live.ended()["status"] == "SUCCEEDED"
    stopped = Run(stack, examples, "DeployApproval", given | {"version": "1.3"})
    stopped.decide("reject")
    assert json.loads(stopped.ended()["output"])["outcome"] == "rejected"
    parameter = stack.aws("ssm").get_parameter(Name="/examples/web/live-version")
    assert parameter["Parameter"]["Value"] == "1.2"


def test_parallel_reviews_go_on_when_both_approve(stack, examples):
    run = Run(stack, examples, "ParallelReviews", {"title": "t", "id": "1", "legal": REVIEWERS, "security": REVIEWERS})
    run.decide("approve", count=2)
    assert run.ended()["status"] == "SUCCEEDED"


def test_the_listener_hears_of_a_decision(stack, examples, listener):
    run = Run(stack, examples, "PipelineByBus", {"odd_percent": 9, "reviewers": REVIEWERS})
    [review] = run.decide("approve")
    queue = stack.aws("sqs")

    def heard():
        for message in queue.receive_message(QueueUrl=listener, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            assert event["source"] == "countersign" and event["detail-type"] == "ReviewDecided"
            if event["detail"]["review_id"] == review:
                return event
        return None

    assert eventually(f"the listener hears of {review}", heard)["detail"]["outcome"] == "approved"
