"""The templates of infra/, before anything is deployed: what the tools say, and what we promise ourselves."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from service import ROOT
from settings_table import functions_of_the_table, table
from templates import ALL, EVERYTHING, EXAMPLES, FORWARD, FUNCTION, INFRA, MAIN, QUEUE, Resolved, listed, resources, targets, template

TOOLS = ROOT / "target/venv-infra/bin"

# What Emulator=true leaves out: ministack 1.5.33 knows none of these types.
NOT_ON_THE_EMULATOR = {
    "OwnSourcePolicy": "AWS::Events::EventBusPolicy",
    "AccountsPolicy": "AWS::Events::EventBusPolicy",
    "ListenersPolicy": "AWS::Events::EventBusPolicy",
    "ListenersRulesPolicy": "AWS::Events::EventBusPolicy",
    "OrganizationPolicy": "AWS::Events::EventBusPolicy",
    "PublishedArchive": "AWS::Events::Archive",
    "SchemaRegistry": "AWS::CloudFormation::Stack",  # of AWS::EventSchemas
}

# Checks of checkov that we do not follow, and why.
CHECKOV_SKIPPED = {
    "CKV_AWS_115": "A reserved concurrency takes from the account's other functions. What can be busy is bounded elsewhere: "
    "the HTTP API by its throttle, the stream by its shards; and the log admits writers at once.",
    "CKV_AWS_116": "The example's data set function is called by a state machine alone, which sees its failure. The functions "
    "of Countersign have their queue: test_every_function_has_a_dead_letter_queue.",
    "CKV_AWS_117": "The functions call AWS, and Slack and a provider of sign-ins where there are any, and nothing of a private network; "
    "a VPC would add endpoints and cost.",
    "CKV_AWS_158": "Logs are encrypted by AWS's key. They hold no token, secret or message body, which has tests of its own.",
    "CKV_AWS_173": "The variables are names and ARNs; secrets are in Secrets Manager.",
    "CKV_AWS_27": "The forwarder's queue is encrypted, by SQS's own key: what it may hold of tokens is its account's own.",
    "CKV_AWS_18": "The bucket of the examples holds made-up data for a week. Of the roots' bucket anybody may know who reads "
    "them, and nothing in it can be altered; whoever wants its accesses on record switches on CloudTrail's data events.",
    "CKV_AWS_21": "The bucket of the examples holds made-up data for a week.",
}

# Checks that guess by a value's look and come out one way or the other, and the test of ours that says the same for certain.
CHECKOV_REPLACED = {
    "CKV_AWS_45": "test_every_variable_of_a_function_refers_to_something_or_is_the_parts_of_a_name",
}

# Skips that hold for one resource alone.
CHECKOV_SKIPPED_FOR = {
    "CKV_AWS_116": {f"{FUNCTION}.Dataset"},
    "CKV_AWS_27": {"AWS::SQS::Queue.ForwardDead"},
    "CKV_AWS_18": {"AWS::S3::Bucket.Bucket", "AWS::S3::Bucket.Checkpoints"},
    "CKV_AWS_21": {"AWS::S3::Bucket.Bucket"},
}

# Queues that hide a message for less than six times their function's time, and why.
HIDDEN_SHORTLY = {"EndedQueue": "The end of an unknown workflow is to come again within two minutes; two at once do no harm."}
def run(*command, **settings) -> subprocess.CompletedProcess:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"} | settings
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, env=environment, timeout=120)


# ---- What the tools say ---------------------------------------------------------------------------


def test_cfn_lint_finds_nothing_in_any_template():
    lint = run(Path(sys.executable).parent / "cfn-lint", *ALL, INFRA / "schema-registry.json")
    assert lint.returncode == 0, lint.stdout + lint.stderr


@pytest.mark.parametrize("path", [MAIN, QUEUE, EXAMPLES], ids=lambda path: str(path.relative_to(INFRA)))
def test_sam_takes_the_template(path):
    valid = run(TOOLS / "sam", "validate", "--template-file", path, *(["--lint"] if path == MAIN else []))
    assert valid.returncode == 0, valid.stdout + valid.stderr


def test_checkov_finds_what_is_skipped_with_a_reason_and_nothing_else():
    checkov = run(TOOLS / "checkov", "-d", INFRA, "--framework", "cloudformation", "-o", "json", "--quiet", "--skip-download")
    failed = json.loads(checkov.stdout)["results"]["failed_checks"]
    found = {f"{each['check_id']} {each['resource']} {each['check_name']}" for each in failed}
    passed_over = CHECKOV_SKIPPED.keys() | CHECKOV_REPLACED.keys()
    assert sorted(each for each in found if each.split()[0] not in passed_over) == []
    assert all(test in globals() for test in CHECKOV_REPLACED.values())
    stale = set(CHECKOV_SKIPPED) - {each["check_id"] for each in failed}
    assert stale == set(), "nothing is skipped that no longer fails"
    for check, those in CHECKOV_SKIPPED_FOR.items():
        assert {each["resource"] for each in failed if each["check_id"] == check} == those, check


def test_the_schema_registry_is_fresh_and_each_schema_is_openapi():
    before = (INFRA / "schema-registry.json").read_text()
    made = run(sys.executable, "-c", f"import runpy, json; t = runpy.run_path({str(INFRA / 'schema-registry')!r}); "
               "print(json.dumps(t['template'](), indent=1, ensure_ascii=False))")
    assert made.stdout == before, "run infra/schema-registry"
    contents = [each["Properties"].get("Content") for each in json.loads(before)["Resources"].values()]
    published = {path.name for path in (ROOT / "schemas").glob("*/*.v1.json")}
    assert len([content for content in contents if content]) >= len(published)
    for content in filter(None, contents):
        document = json.loads(content)
        validate(document)
        assert document["components"]["schemas"]["AWSEvent"]["x-amazon-events-detail-type"]


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(INFRA)))
def test_every_variable_of_a_function_refers_to_something_or_is_the_parts_of_a_name(path):
    """No secret is written into a template: what is literal in a variable is short and separates references."""

    def literals(value) -> list[str]:
        match value:
            case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::ImportValue": _}:
                return []
            case {"Fn::If": [_, *either]}:
                return [text for each in either for text in literals(each)]
            case {"Fn::Sub": [text, dict()]} | {"Fn::Sub": text}:
                return re.split(r"\$\{[^}]+\}", text)
            case {"Fn::Join": [separator, parts]}:
                return [separator, *(text for each in listed(parts) for text in literals(each))]
            case _:
                return [str(value)]

    functions = [each["Properties"] for each in resources(path, FUNCTION).values()]
    for properties in [template(path).get("Globals", {}).get("Function", {}), *functions]:
        for name, value in properties.get("Environment", {}).get("Variables", {}).items():
            assert all(len(text) <= 24 for text in literals(value)), (name, value)


# ---- Dead letters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(INFRA)))
def test_every_rule_target_has_a_dead_letter_queue(path):
    queues = resources(path, "AWS::SQS::Queue")
    for name, rule in resources(path, "AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            assert targets(target["DeadLetterConfig"]) <= set(queues) and target["DeadLetterConfig"], name


@pytest.mark.parametrize("path", [MAIN, QUEUE], ids=lambda path: path.name)
def test_every_function_has_a_dead_letter_queue(path):
    everywhere = template(path).get("Globals", {}).get("Function", {})
    functions, queues = resources(path, FUNCTION), resources(path, "AWS::SQS::Queue")
    assert functions
    for name, function in functions.items():
        properties = everywhere | function["Properties"]
        assert targets(properties["DeadLetterQueue"]) <= set(queues), name
        for event in properties.get("Events", {}).values():
            assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
            if event["Type"] == "SQS":
                (source,) = targets(event["Properties"]["Queue"])
                assert targets(queues[source]["Properties"]["RedrivePolicy"]) <= set(queues), source
                hidden, timeout = queues[source]["Properties"]["VisibilityTimeout"], properties["Timeout"]
                assert hidden >= (1 if source in HIDDEN_SHORTLY else 6) * timeout, "as the Lambda guide asks"
            else:
                assert targets(event["Properties"]["DestinationConfig"]["OnFailure"]) <= set(queues), name


def test_every_dead_letter_queue_has_an_alarm():
    for path in (MAIN, QUEUE, FORWARD):
        watched = set().union(*(targets(alarm["Properties"]["Dimensions"]) for alarm in resources(path, "AWS::CloudWatch::Alarm").values()))
        dead = {name for name in resources(path, "AWS::SQS::Queue") if name.endswith("Dead")}
        assert dead and dead <= watched


# ---- Settings and figures -------------------------------------------------------------------------


def test_every_function_is_given_the_settings_that_it_needs_and_none_that_it_does_not_know():
    rows = table("`LOG_TABLE`", 1)
    assert [cell.strip() for cell in rows["variable"][:6]] == [name.lower() for name in functions_of_the_table()]
    everywhere = set(template(MAIN)["Globals"]["Function"]["Environment"]["Variables"])
    for name, column in functions_of_the_table().items():
        function = resources(MAIN, FUNCTION)[name]["Properties"]
        given = everywhere | set(function["Environment"]["Variables"])
        marks = {word: cells[column].strip() for label, cells in rows.items() for word in re.findall(r"`([A-Z_]+)`", label) if len(cells) > 6}
        assert {word for word, mark in marks.items() if mark == "●"} <= given, name
        # Given to all, and read by those who need it.
        known = {word for word, mark in marks.items() if mark} | {"AWS_ENDPOINT_URL", "BASE_URL"}
        assert given <= known, name


def test_alarms_and_dashboard_read_figures_that_the_functions_write():
    own = {
        alarm["Properties"]["MetricName"]
        for alarm in resources(MAIN, "AWS::CloudWatch::Alarm").values()
        if not str(alarm["Properties"]["Namespace"]).startswith("AWS/")
    }
    body = json.loads(resources(MAIN)["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    shown = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
    own |= {metric[1] for metric in shown if metric[0].startswith("Countersign/")}
    written = "".join(path.read_text() for path in (ROOT / "services").glob("**/src/*.rs") if "lambda" in path.parts)
    assert {"Overdue", "ResumeFailures", "Reviews"} <= own
    assert sorted(name for name in own if f'"{name}"' not in written) == []


def test_each_channel_that_is_set_up_has_a_metric_an_alarm_and_a_place_on_the_dashboard():
    metric = "NotificationFailures"

    def watched(**parameters) -> set[str]:
        alarms = [each["Properties"] for each in Resolved(MAIN, **parameters).resources.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
        return {alarm["Dimensions"][0]["Value"] for alarm in alarms if alarm["MetricName"] == metric}

    assert watched() == {"email"}
    assert watched(**EVERYTHING) == {"slack", "email", "sms"}
    body = json.loads(resources(MAIN)["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    shown = [each[2:] for widget in body["widgets"] for each in widget["properties"]["metrics"] if each[1] == metric]
    assert shown == [["channel", "slack"], ["channel", "email"], ["channel", "sms"]]
    written = (ROOT / "services/lambda/src/metrics.rs").read_text()
    assert all(f'=> "{channel}",' in written for [_, channel] in shown) and '("channel", channel)' in written


def test_the_tables_are_kept():
    for name, table_ in resources(MAIN, "AWS::DynamoDB::Table").items():
        kept = table_["Properties"]
        assert table_["DeletionPolicy"] == table_["UpdateReplacePolicy"] == "Retain", name
        assert kept["DeletionProtectionEnabled"] and kept["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert kept["BillingMode"] == "PAY_PER_REQUEST" and kept["SSESpecification"]["SSEType"] == "KMS", name
    assert resources(MAIN)["LogTable"]["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_a_commit_waits_for_its_root_at_most_five_minutes_also_when_a_tick_fails():
    minutes = int(re.fullmatch(r"rate\((\d+) minutes\)", resources(MAIN)["CheckpointRule"]["Properties"]["ScheduleExpression"]).group(1))
    timeout = resources(MAIN, FUNCTION)["Checkpointer"]["Properties"]["Timeout"]
    assert 2 * minutes * 60 < 300 and timeout < minutes * 60


def test_the_archive_keeps_what_we_publish_and_no_request_of_a_caller():
    archive = resources(MAIN)["PublishedArchive"]["Properties"]
    assert archive["EventPattern"] == {"source": ["countersign"]}


def test_the_emulator_switches_off_what_is_listed_and_nothing_else():
    on_aws, emulated = Resolved(MAIN, **EVERYTHING), Resolved(MAIN, **EVERYTHING, Emulator="true")
    missing = set(on_aws.resources) - set(emulated.resources)
    assert {name: on_aws.resources[name]["Type"] for name in missing} == NOT_ON_THE_EMULATOR
    assert {name: on_aws.resources[name] for name in emulated.resources} == emulated.resources, "the rest is the same"
    ours, theirs = (each.globals["Function"]["Environment"]["Variables"] for each in (on_aws, emulated))
    assert {name for name in ours | theirs if ours.get(name) != theirs.get(name)} == {"AWS_ENDPOINT_URL", "BASE_URL"}


def test_rules_take_in_neither_our_own_events_nor_replays(emulator):
    """The patterns of the template, tried by EventBridge's own call on the emulator."""
    rules = {"RequestsRule": MAIN, "PublishedRule": MAIN, "EndedHereRule": MAIN, "EndedElsewhereRule": MAIN}
    rules |= {"Forward": FORWARD, "ForwardWithTokens": FORWARD, "ForwardEnded": FORWARD}
    patterns = {name: json.dumps(resources(path)[name]["Properties"]["EventPattern"]) for name, path in rules.items()}
    event = {"id": "1", "account": "111122223333", "source": "x", "time": "2026-11-23T00:00:00Z", "region": "us-east-1",
             "resources": [], "version": "0", "detail-type": "ReviewRequested", "detail": {}}

    def matches(rule: str, **changes) -> bool:
        tried = emulator.events.test_event_pattern(EventPattern=patterns[rule], Event=json.dumps(event | changes))
        return tried["Result"]

    assert matches("RequestsRule") and not matches("PublishedRule")
    assert not matches("RequestsRule", source="countersign") and matches("PublishedRule", source="countersign")
    assert not matches("RequestsRule", **{"replay-name": "r"})
    assert not matches("PublishedRule", source="countersign", **{"replay-name": "r"})
    assert not matches("RequestsRule", **{"detail-type": "ReviewDecided"})
    assert matches("Forward", detail={"title": "t"}) and not matches("Forward", source="countersign")
    with_token = {"title": "t", "resume": {"task_token": "t"}}
    assert not matches("Forward", detail=with_token), "tokens stay in the account that can complete them"
    assert matches("ForwardWithTokens", detail=with_token) and not matches("ForwardWithTokens", detail={"title": "t"})

    ended = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change"}
    for rule in ("EndedHereRule", "EndedElsewhereRule", "ForwardEnded"):
        for status in ("ABORTED", "TIMED_OUT", "FAILED"):
            assert matches(rule, **ended, detail={"status": status}), (rule, status)
        for status in ("RUNNING", "SUCCEEDED", "PENDING_REDRIVE"):
            assert not matches(rule, **ended, detail={"status": status}), (rule, status)
        assert not matches(rule, **ended | {"source": "com.example"}, detail={"status": "FAILED"}), rule
        assert not matches(rule, **ended | {"replay-name": "r"}, detail={"status": "FAILED"}), rule
    assert not matches("RequestsRule", **ended, detail={"status": "FAILED"})


def test_tokens_are_forwarded_only_when_that_is_asked_for_and_can_be_answered():
    roles = {"CountersignRoles": "arn:aws:iam::111122223333:role/projector"}
    there = {name: set(Resolved(FORWARD, **given).resources) for name, given in {
        "nothing": {}, "roles": roles, "tokens alone": {"ForwardTokens": "true"}, "both": roles | {"ForwardTokens": "true"},
    }.items()}
    assert [name for name, names in there.items() if "ForwardWithTokens" in names] == ["both"]
    assert [name for name, names in there.items() if "ResumeRole" in names] == ["roles", "both"]


@pytest.mark.parametrize("script", ["build", "deploy", "pack"])
def test_the_scripts_say_how_they_are_used(script):
    helped = run(INFRA / script, "--help")
    assert helped.returncode == 0 and helped.stdout.startswith(f"Usage: infra/{script}")
    assert run(INFRA / script, "--what").returncode == 64
