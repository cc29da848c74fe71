"""Workflows of other accounts: their requests come in, and the role of their account tells them the outcome.

ministack keeps accounts apart by an access key of twelve digits: a task token completes for its own account alone, and a
session of an assumed role is of the role's account, as on AWS. Where it is weaker, the test does what is documented: it
hands no event to a bus of another account, so what the rule of infra/outside-account.yaml matched is put on our queue by
hand, with the account that EventBridge leaves in it; and it does not evaluate the trust of a role, so the external id is
held to services/lambda/tests/outside.rs.
"""

import json

import pytest

from emulators import client
from pipeline import REVIEWER, Pipeline
from processes import eventually
from stack import OUTSIDE, STRANGER


class Elsewhere:
    """Another account with a bus of its own, a workflow team, and a queue in place of its forwarding rule."""

    def __init__(self, stack, account: str, unique: str):
        self.stack, self.account = stack, account
        self.states, self.sqs = (client(service, stack.url, account) for service in ("stepfunctions", "sqs"))
        events = client("events", stack.url, account)
        self.bus = "default"
        self.url = self.sqs.create_queue(QueueName=unique)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = {"detail-type": ["ReviewRequested", "Step Functions Execution Status Change"]}
        events.put_rule(Name=unique, EventPattern=json.dumps(pattern), State="ENABLED")
        events.put_targets(Rule=unique, Targets=[{"Id": "queue", "Arn": arn}])
        self.pipeline = Pipeline(self, unique, self.states)

    def heard(self, detail_type: str, **detail) -> dict:
        """The next event of this type."""

        def look():
            for message in self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                event = json.loads(message["Body"])
                if event["detail-type"] == detail_type and detail.items() <= event["detail"].items():
                    assert event["account"] == self.account
                    return event
            return None

        return eventually(f"{detail_type} is heard in {self.account}", look, 20)

    def asked(self) -> tuple:
        """An execution that waits, and the review that it waits for."""
        execution = self.pipeline.start()
        self.stack.send("IntakeQueueUrl", self.heard("ReviewRequested"))
        return execution, self.stack.find(self.pipeline.title)


@pytest.fixture
def elsewhere(stack, unique):
    return lambda account: Elsewhere(stack, account, f"{unique}-{account}")


@pytest.mark.parametrize(("choice", "status"), [("approve", "SUCCEEDED"), ("reject", "FAILED")])
def test_a_workflow_of_another_account_is_told_by_the_role_of_its_account(stack, elsewhere, choice, status):
    execution, review = elsewhere(OUTSIDE).asked()
    assert stack.log(review)[0]["origin"]["account"] == OUTSIDE

    assert stack.vote(review, REVIEWER, choice).ok

    assert execution.ended()["status"] == status
    [told] = stack.logged(review, "WorkflowResumed")
    assert told["confirmed_by"] == "answer"


def test_a_workflow_of_an_account_that_gave_no_role_cannot_be_told_and_the_log_says_so(stack, elsewhere):
    execution, review = elsewhere(STRANGER).asked()

    assert stack.vote(review, REVIEWER, "approve").ok

    stack.logged(review, "WorkflowResumeUnconfirmed", "WorkflowResumeFailed")
    assert execution.describe()["status"] == "RUNNING"


def test_an_account_cannot_have_the_role_of_another_used_by_naming_its_execution(stack, elsewhere):
    victim = elsewhere(OUTSIDE)
    execution = victim.pipeline.start()
    stolen = victim.heard("ReviewRequested")

    stack.send("IntakeQueueUrl", stolen | {"account": STRANGER, "id": "stolen"})
    review = stack.find(victim.pipeline.title)
    assert stack.vote(review, REVIEWER, "approve").ok

    stack.logged(review, "WorkflowResumeUnconfirmed", "WorkflowResumeFailed")
    assert execution.describe()["status"] == "RUNNING"


def test_a_workflow_that_is_stopped_in_another_account_takes_its_review_with_it(stack, elsewhere):
    there = elsewhere(OUTSIDE)
    execution, review = there.asked()

    there.states.stop_execution(executionArn=execution.arn)
    stack.send("EndedQueueUrl", there.heard("Step Functions Execution Status Change", status="ABORTED"))

    [cancelled] = stack.logged(review, "ReviewCancelled")
    assert cancelled["by"]["execution"]["arn"] == execution.arn
