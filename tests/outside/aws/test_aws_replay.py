"""`countersign replay --table` on the deployed tables: what differs is reported, put right, and nobody hears of it."""

import json
import subprocess

import pytest

from pipeline import Pipeline
from processes import environment
from service import BINARY

OURS = {"source": ["countersign"]}


class Replay:
    """The command on the tables of the stack, and the row of one review that has ended."""

    def __init__(self, stack, unique: str, folder):
        self.stack, self.folder = stack, folder
        pipeline = Pipeline(stack, unique)
        execution, self.review = pipeline.asked()
        pipeline.decide(self.review)
        assert execution.ended()["status"] == "SUCCEEDED"
        stack.logged(self.review, "WorkflowResumed")
        stack.idle()

    def run(self, *arguments: str) -> tuple[int, dict]:
        command = [str(BINARY), "replay", "--table", self.stack.log_table, "--views", self.stack.outputs["ViewsTableName"]]
        # Reviews that other tests have poisoned are not what this is about.
        command += ["--keep-going", "--json", "--data", str(self.folder), *arguments]
        settings = environment(AWS_ENDPOINT_URL=self.stack.url)
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=240)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def found(self, report: dict) -> list[str]:
        """What was found about the one review."""
        return [each["kind"] for each in report["differences"] if each["review_id"] == self.review]

    @property
    def key(self) -> dict:
        return {"pk": {"S": f"review#{self.review}"}, "sk": {"S": "row"}}

    def row(self) -> dict | None:
        table = self.stack.outputs["ViewsTableName"]
        return self.stack.aws("dynamodb").get_item(TableName=table, Key=self.key, ConsistentRead=True).get("Item")

    def put(self, item: dict) -> None:
        self.stack.aws("dynamodb").put_item(TableName=self.stack.outputs["ViewsTableName"], Item=item)

    def delete(self) -> None:
        self.stack.aws("dynamodb").delete_item(TableName=self.stack.outputs["ViewsTableName"], Key=self.key)


@pytest.fixture
def replay(stack, unique, tmp_path) -> Replay:
    return Replay(stack, unique, tmp_path)


def test_rows_of_the_deployed_views_are_compared_and_put_right_and_nobody_is_told_again(replay, stack, unique):
    heard = stack.listen(unique + "-heard", OURS)
    mails, commits, honest = len(stack.mails()), len(stack.commits(replay.review)), replay.row()
    _, report = replay.run("--dry-run")
    assert replay.found(report) == [] and report["reviews"] >= 1, report

    # It says something else at the same version: put right, also while the projector owns the versions.
    said = honest["row"]["S"]
    replay.put(honest | {"row": {"S": said.replace("Promote", "Demote", 1)}})
    code, report = replay.run("--dry-run")
    assert (code, replay.found(report)) == (1, ["different"]) and report["dry_run"], report
    assert replay.row() != honest, "a dry run writes nothing"
    code, report = replay.run()
    assert code in (0, 2) and replay.found(report) == ["different"], report
    assert replay.row() == honest

    # It is gone: left to the projector, until it is said that all was published.
    replay.delete()
    code, report = replay.run("--dry-run")
    assert (code, replay.found(report)) == (1, ["missing"]), report
    _, report = replay.run()
    assert report["left"] == 1 and replay.row() is None, report
    _, report = replay.run("--as-published")
    assert replay.found(report) == ["missing"] and replay.row() == honest, report
    _, report = replay.run("--dry-run")
    assert replay.found(report) == [], report

    stack.idle()
    assert [event for event in stack.read(heard) if event["detail"].get("review_id") == replay.review] == []
    assert (len(stack.mails()), len(stack.commits(replay.review))) == (mails, commits), "a replay only rebuilds"
