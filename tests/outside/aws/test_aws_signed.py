"""The signed tree of the deployed log: the sixth function enters commits and signs, the command line checks it with and
without AWS, and whatever was done to the table behind everybody's back is named."""

import base64
import hashlib
import json
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline import REVIEWER, Pipeline
from processes import environment
from read_export import check, check_proof
from service import BINARY

# What stands before the 32 bytes of an Ed25519 key (RFC 8410).
DER = bytes.fromhex("302a300506032b6570032100")


class Signed:
    """The deployed log with a few reviews in it, all of them signed, and what an auditor holds of it."""

    def __init__(self, stack, folder: Path):
        self.stack, self.folder = stack, folder
        self.bucket = f"s3://{stack.outputs['CheckpointBucket']}"
        # One of them has versions of two digits.
        self.reviews = [self.decided("signed-0", readers=9)]
        self.tick()
        self.held = self.kept("held.txt", "checkpoint", "--bucket", self.bucket)
        self.key = self.kept("log.pub", "checkpoint", "--public-key", "--bucket", self.bucket)
        self.reviews += [self.decided(f"signed-{number}") for number in (1, 2)]
        self.tick()

    def decided(self, name: str, readers: int = 0) -> str:
        """A review that came to its end; some who were asked as well only said something."""
        pipeline = Pipeline(self.stack, f"{name}-{self.folder.name}")
        people = [f"reader-{number}@example.com" for number in range(readers)]
        execution, review = pipeline.asked(reviewers=[{"email": email} for email in (REVIEWER, *people)])
        for person in people:
            assert self.stack.vote(review, person, "comment", "I read it").ok
        pipeline.decide(review)
        assert execution.ended()["status"] == "SUCCEEDED"
        self.stack.logged(review, "WorkflowResumed")
        self.stack.idle()
        return review

    def tick(self) -> dict:
        """A tick that left nothing to do."""
        for _ in range(20):
            ticked = self.stack.invoke("checkpointer", {})
            if not ticked["more"]:
                return ticked
        raise AssertionError(ticked)

    def run(self, *arguments) -> subprocess.CompletedProcess:
        command = [str(BINARY), *map(str, arguments)]
        settings = environment(AWS_ENDPOINT_URL=self.stack.url)
        return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=240, cwd=self.folder)

    def kept(self, name: str, *arguments) -> Path:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        path = self.folder / name
        path.write_text(done.stdout)
        return path

    def verify(self, table: str, *arguments, bucket: str | Path = "") -> tuple[int, dict]:
        done = self.run("verify", "--table", table, "--bucket", bucket or self.bucket, "--json", *arguments)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def copied(self) -> Path:
        """The bucket as `aws s3 sync` copies it."""
        s3, name, folder = self.stack.aws("s3"), self.stack.outputs["CheckpointBucket"], self.folder / "bucket"
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for each in page["Contents"]:
                path = folder / each["Key"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(s3.get_object(Bucket=name, Key=each["Key"])["Body"].read())
        return folder

    def items(self) -> list[dict]:
        pages = self.stack.aws("dynamodb").get_paginator("scan").paginate(TableName=self.stack.log_table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def table_of(self, name: str, items: list[dict]) -> str:
        """A table of its own with these items: tampering with the real one would keep its functions busy."""
        dynamodb = self.stack.aws("dynamodb")
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in items:
            dynamodb.put_item(TableName=name, Item=item)
        return name


@pytest.fixture(scope="module")
def signed(stack, tmp_path_factory) -> Signed:
    return Signed(stack, tmp_path_factory.mktemp("signed"))


def test_the_log_is_whole_with_aws_from_a_copy_of_the_bucket_and_offline_from_an_export(signed):
    commits = len(signed.items())
    code, report = signed.verify(signed.stack.log_table, "--checkpoint", signed.held, "--all-covered")
    assert (code, report["whole"], report["checked"]["commits"]) == (0, True, commits), json.dumps(report)
    assert report["checked"]["covered"] == commits and report["checkpoint"] >= commits, report

    # The key is KMS's own.
    der = signed.stack.aws("kms").get_public_key(KeyId=signed.stack.outputs["SigningKeyArn"])["PublicKey"]
    assert base64.b64decode(signed.key.read_text().split("+", 2)[2])[1:] == der.removeprefix(DER)

    folder = signed.copied()
    code, report = signed.verify(signed.stack.log_table, "--public-key", signed.key, "--all-covered", bucket=folder)
    assert (code, report["whole"]) == (0, True), report

    export = signed.folder / "log.jsonl"
    done = signed.run("export", "--out", export, "--table", signed.stack.log_table, "--bucket", signed.bucket)
    assert done.returncode == 0, done.stderr
    found = check(export, signed.key.read_text(), signed.held.read_text())
    assert found["commits"] == commits and found["entries"] >= commits, found
    done = signed.run("verify", "--file", export, "--public-key", signed.key, "--checkpoint", signed.held, "--all-covered")
    assert done.returncode == 0 and "whole" in done.stdout, done

    proof = signed.folder / "proof.json"
    done = signed.run("prove", signed.reviews[1], "--out", proof, "--table", signed.stack.log_table, "--bucket", signed.bucket)
    assert done.returncode == 0, done.stderr
    proven = check_proof(proof, signed.key.read_text())
    assert proven["proven"] == proven["commits"] >= 4
    assert signed.run("verify", "--proof", proof, "--public-key", signed.key, "--all-covered").returncode == 0


def altered(item: dict, rehashed: bool) -> dict:
    body = item["body"]["B"].replace(b'"v":1', b'"v":2', 1)
    assert body != item["body"]["B"]
    digest = {"hash": {"B": hashlib.sha256(body).digest()}} if rehashed else {}
    return item | {"body": {"B": body}} | digest


def test_what_was_done_to_the_table_is_named_by_review_and_version(signed):
    items = signed.items()
    review = signed.reviews[1]
    mine = sorted((item for item in items if item["pk"]["S"] == f"review#{review}"), key=lambda item: int(item["sk"]["N"]))
    others = [item for item in items if item not in mine]
    last = len(mine)
    second = mine[1]
    stranger = {name: value for name, value in second.items()} | {"sk": {"N": str(last + 1)}}
    exchanged = [mine[0], mine[1] | {"sk": {"N": "3"}}, mine[2] | {"sk": {"N": "2"}}, *mine[3:]]
    cases = {
        "altered": (others + [mine[0], altered(second, False), *mine[2:]], "altered", 2),
        "rewritten": (others + [mine[0], altered(second, True), *mine[2:]], "forked", 2),
        "dropped": (others + [mine[0], *mine[2:]], "dropped", 2),
        "truncated": (others + mine[:-1], "truncated", last),
        "missing": (others, "missing_review", 1),
        "inserted": (others + mine + [stranger], "reordered", last + 1),
        "exchanged": (others + exchanged, "reordered", 2),
    }
    # The first finding names it; --keep-going finds the same among all.
    for name, (tampered, kind, version) in cases.items():
        table = signed.table_of(f"tampered-{name}", tampered)
        code, report = signed.verify(table, "--keep-going")
        found = {(each["kind"], each["stream"], each["version"]) for each in report["findings"]}
        assert code == 3 and (kind, f"review#{review}", version) in found, (name, report)
        assert {each["stream"] for each in report["findings"]} == {f"review#{review}"}, (name, report)
    print(f"{len(cases)} kinds of tampering with a table: all found and named")
    code, report = signed.verify(signed.table_of("tampered-not", items))
    assert (code, report["whole"]) == (0, True), report


def test_a_bucket_that_was_tampered_with_is_found_out_by_its_root_and_by_one_that_is_held(signed):
    folder = signed.copied()
    path = sorted((folder / "entries").iterdir())[-1]
    number = next(each for each in sorted((folder / "entries").iterdir()) if json.loads(each.read_bytes())["entries"])
    batch = json.loads(number.read_bytes())
    batch["entries"][0] = batch["entries"][0][:-1] + ("0" if batch["entries"][0][-1] != "0" else "1")
    number.write_text(json.dumps(batch))
    code, report = signed.verify(signed.stack.log_table, "--keep-going", bucket=folder)
    kinds = {each["kind"] for each in report["findings"]}
    assert code == 3 and {"root_mismatch", "forked"} <= kinds, report

    # Cut off at its end, with the root of before: whole by itself, and not for whoever holds a newer root.
    newest = signed.kept("newest.txt", "checkpoint", "--bucket", signed.bucket)
    folder = signed.copied()
    roots = {json.loads(each.read_bytes()).get("root"): each for each in sorted((folder / "entries").iterdir())}
    older = signed.held.read_text()
    assert older in roots, "each batch holds the root of all before it"
    for each in sorted((folder / "entries").iterdir()):
        if each >= roots[older]:
            each.unlink()
    (folder / "checkpoint").write_text(older)
    code, report = signed.verify(signed.stack.log_table, bucket=folder)
    assert code == 5 and report["verdict"] == "uncovered" and report["checked"]["uncovered"] > 0, report
    code, report = signed.verify(signed.stack.log_table, "--checkpoint", newest, bucket=folder)
    assert code == 3 and report["findings"][0]["kind"] == "inconsistent", report
    assert path.name >= number.name


def test_many_ticks_at_once_make_one_tree_and_no_commit_costs_a_unit(signed):
    stack = signed.stack
    before = signed.tick()
    reviews = [signed.decided(f"at-once-{number}") for number in range(2)]
    mark = len(stack.proxy.since())
    with ThreadPoolExecutor(6) as pool:
        ticks = list(pool.map(lambda _: stack.invoke_or_error("checkpointer", {}), range(6)))
    done = [each for each in ticks if "size" in each]
    assert done, ticks
    calls = Counter(call.name for call in stack.proxy.since(mark) if call.service in ("s3", "kms", "streams") or call.action == "Scan")
    after = signed.tick()
    entered = after["size"] - before["size"]
    assert entered >= sum(len(stack.commits(review)) for review in reviews) >= 8
    print(f"{len(done)} of 6 ticks at once, {entered} commits: {dict(calls)}")
    code, report = signed.verify(stack.log_table, "--checkpoint", signed.held, "--all-covered")
    assert (code, report["whole"]) == (0, True), report

    # One after the other: nothing for a tick without news but looks, and one batch and one root however many commits.
    mark = len(stack.proxy.since())
    signed.tick()
    assert not [call.name for call in stack.proxy.since(mark) if call.name in ("s3:PutObject", "kms:Sign")]
    reviews = [signed.decided(f"counted-{number}") for number in range(2)]
    mark = len(stack.proxy.since())
    ticked = stack.invoke("checkpointer", {})
    calls = Counter(call.name for call in stack.proxy.since(mark))
    assert ticked["entered"] >= 8 or calls["s3:PutObject"] == 0, (ticked, calls)
    assert calls["s3:PutObject"] <= 2 and calls["kms:Sign"] <= 1 and calls["dynamodb:PutItem"] == 0, calls
