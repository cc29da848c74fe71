"""The templates of infra/, before anything is deployed: what the tools say, and what we promise ourselves."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from openapi_spec_validator import validate

from service import ROOT
from templates import ALL, EVERYTHING, EXAMPLES, FORWARD, INFRA, MAIN, QUEUE, Resolved, resources, targets, template, walk

TOOLS = ROOT / "target/venv-infra/bin"
FUNCTION = "AWS::Serverless::Function"

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

# Where a policy names every resource, by the statement's actions, and why.
EVERY_RESOURCE = {
    "kms:*": "A key's own policy: the resource is the key, and the account's owners must not lose it (KMS guide).",
    "kms:Decrypt kms:GenerateDataKey": "A key's own policy: the resource is the key.",
    "xray:PutTraceSegments xray:PutTelemetryRecords": "X-Ray's calls know no resource.",
    "states:SendTaskSuccess states:SendTaskFailure": "A token names its task; the calls know no resource.",
    "dynamodb:ListStreams": "Listing knows no resource.",
    "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets logs:CreateLogDelivery "
    "logs:GetLogDelivery logs:UpdateLogDelivery logs:DeleteLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy "
    "logs:DescribeResourcePolicies logs:DescribeLogGroups": "What Step Functions asks for to log and trace (its guide).",
}
# Queues that hide a message for less than six times their function's time, and why.
HIDDEN_SHORTLY = {"EndedQueue": "The end of an unknown workflow is to come again within two minutes; two at once do no harm."}
# What a statement allows everywhere but there, by its actions, and why.
EVERYWHERE_BUT = {
    "sns:Publish": ("arn:${AWS::Partition}:sns:*:*:*", "A phone number has no ARN: publishing to what is no topic of any account."),
}
# Resources with a star in them, and why.
STARS = {
    "${ViewsTable.Arn}/index/*": "The indexes of one table.",
    "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:*:*": "Which workflows will wait is not known.",
    "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${Bus}/*": "Rules that listeners make, on this bus.",
    "${Bucket.Arn}/*": "The examples' own bucket.",
    "${Checkpoints.Arn}/*": "One bucket; it is refused.",
    "${Checkpoints.Arn}/entries/*": "Batches of entries are numbered.",
    "${Bucket.Arn}/incoming/*": "The examples' own bucket.",
    "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}/*": "The examples' own parameters.",
}


def run(*command, **settings) -> subprocess.CompletedProcess:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"} | settings
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, env=environment, timeout=120)


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def statements(path: Path):
    """Every statement of every policy in a template: (resource's name, statement)."""
    for name, resource in resources(path).items():
        for _, value in walk(resource.get("Properties", {})):
            if isinstance(value, dict) and "Effect" in value and "Action" in value:
                yield name, value


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


# ---- Permissions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(INFRA)))
def test_no_policy_has_a_wildcard_but_those_listed_with_a_reason(path):
    for name, statement in statements(path):
        actions = listed(statement["Action"])
        where = f"{name}: {actions}"
        assert [each for each in actions if "*" in each and each != "kms:*"] == [], where
        if "kms:*" in actions:
            assert resources(path)[name]["Type"] == "AWS::KMS::Key", where
        for resource in listed(statement.get("Resource", [])):
            if resource == "*":
                assert " ".join(actions) in EVERY_RESOURCE, where
            for _, text in walk(resource):
                if isinstance(text, str) and "*" in text and text != "*":
                    assert text in STARS, where
        for elsewhere in listed(statement.get("NotResource", [])):
            assert elsewhere == {"Fn::Sub": EVERYWHERE_BUT[" ".join(actions)][0]}, where
        if statement.get("Principal") == "*":
            admits = statement["Effect"] == "Allow"
            assert not admits or "aws:PrincipalOrgID" in statement["Condition"]["StringEquals"], where


def test_every_function_has_a_role_of_its_own():
    roles = [json.dumps(function["Properties"]["Role"]) for function in resources(MAIN, FUNCTION).values()]
    assert len(set(roles)) == len(roles) == 6


def test_each_role_allows_the_calls_that_its_function_makes_and_no_more():
    """The table of services/lambda/src/lib.rs says what each calls."""
    rows = table("log table", 1)
    for name, column in functions_of_the_table().items():
        allowed = {
            action
            for owner, statement in statements(MAIN)
            if owner == f"{name}Role"
            for action in listed(statement["Action"])
        }
        def marked(row):
            return rows[row][column].strip() != ""
        assert ("events:PutEvents" in allowed) == marked("`events:PutEvents`"), name
        assert ("sns:Publish" in allowed) == marked("`sns:Publish`"), name
        assert ("ses:SendEmail" in allowed) == marked("`ses:SendEmail`"), name
        assert (name in those_who_send_sms()) == marked("the same to phone numbers, with `SEND_SMS` alone"), name
        assert ("secretsmanager:GetSecretValue" in allowed) == marked("`secretsmanager:GetSecretValue`"), name
        assert ("states:SendTaskSuccess" in allowed) == any(marked(row) for row in rows if "SendTaskSuccess" in row), name
        for call in re.findall(r"`(\w+)`", rows["KMS"][column]):
            assert f"kms:{call}" in allowed, name
        for row in ("log table", "log stream"):
            for call in re.findall(r"`(\w+)`", rows[row][column]):
                assert f"dynamodb:{call}" in allowed, name
        assert {f"s3:{call}" for call in re.findall(r"`(\w+)`", rows["checkpoints"][column])} == {
            action for action in allowed if action.startswith("s3:")
        }, name


def those_who_send_sms() -> set[str]:
    roles = targets(resources(MAIN)["SmsAccess"]["Properties"]["Roles"])
    return {name for name, each in resources(MAIN, FUNCTION).items() if targets(each["Properties"]["Role"]) & roles}


def test_the_secret_at_the_provider_of_sign_ins_is_the_notifiers_alone_and_only_where_there_is_one():
    assert "OidcSecretAccess" not in Resolved(MAIN).resources
    access = Resolved(MAIN, **EVERYTHING).resources["OidcSecretAccess"]["Properties"]
    assert targets(access["Roles"]) == {"NotifierRole"}
    [statement] = access["PolicyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "OidcSecretArn"}}
    named = {name for name, each in resources(MAIN).items() if "OidcSecretArn" in targets(each)}
    assert named == {"Notifier", "OidcSecretAccess"}

    def button(**parameters):
        return Resolved(MAIN, **parameters).resources["Gateway"]["Properties"]["Environment"]["Variables"].get("OIDC_NAME")

    assert (button(), button(**EVERYTHING)) == (None, {"Ref": "OidcName"})
    [rule] = template(MAIN)["Rules"].values()
    needed = {name for each in rule["Assertions"] for name in targets(each["Assert"])}
    assert targets(rule["RuleCondition"]) == {"OidcIssuer", "OidcSecretArn"} and needed == {"OidcIssuer", "OidcClientId", "OidcSecretArn"}


def test_sms_are_sent_only_where_that_is_switched_on_and_the_right_reaches_no_topic():
    assert "SmsAccess" not in Resolved(MAIN).resources
    on = Resolved(MAIN, **EVERYTHING)
    [statement] = on.resources["SmsAccess"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": "sns:Publish", "NotResource": {"Fn::Sub": EVERYWHERE_BUT["sns:Publish"][0]}}
    given = {n: each["Properties"]["Environment"]["Variables"].get("SEND_SMS") for n, each in resources(MAIN, FUNCTION).items()}
    assert {name for name, value in given.items() if value == {"Ref": "SendSms"}} == those_who_send_sms()


def test_only_functions_that_publish_may_speak_with_our_source():
    policy = resources(MAIN)["OwnSourcePolicy"]["Properties"]["Statement"]
    assert policy["Effect"] == "Deny" and policy["Condition"]["StringEquals"] == {"events:source": "countersign"}
    publishers = {owner for owner, each in statements(MAIN) if owner.endswith("Role") and "events:PutEvents" in listed(each["Action"])}
    assert targets(policy["Condition"]["ArnNotEquals"]) == publishers


def test_the_function_that_the_web_faces_can_neither_publish_nor_mail_nor_answer_a_workflow_nor_open_a_token():
    # What has no resource says who may take the role on.
    given = [each for owner, each in statements(MAIN) if owner == "GatewayRole" and "Resource" in each]
    allowed = {action for each in given for action in listed(each["Action"])}
    assert "dynamodb:PutItem" in allowed
    assert not [action for action in allowed if action.startswith(("events:", "states:", "sns:", "ses:", "sts:")) or action == "kms:Decrypt"]


def test_other_accounts_may_listen_to_what_we_publish_and_to_nothing_else():
    making = [each for _, each in statements(MAIN) if "events:PutRule" in listed(each["Action"])]
    assert len(making) == 1
    for each in making:
        assert each["Condition"]["ForAllValues:StringEquals"] == {"events:source": "countersign"}
        assert each["Condition"]["Null"] == {"events:source": "false"}, "a pattern without a source matches requests too"


# ---- Settings and figures -------------------------------------------------------------------------


def table(first: str, lead: int) -> dict[str, list[str]]:
    """A table of the documentation in services/lambda/src/lib.rs: first cell to the others."""
    text = (ROOT / "services/lambda/src/lib.rs").read_text()
    lines = [line.removeprefix("//! |").rstrip().removesuffix("|") for line in text.splitlines() if line.startswith("//! |")]
    cells = {row[0].strip(): row[lead:] for row in (line.split("|") for line in lines)}
    assert first in cells
    return cells


def functions_of_the_table() -> dict[str, int]:
    return {"Intake": 0, "Projector": 1, "Timekeeper": 2, "Notifier": 3, "Gateway": 4, "Checkpointer": 5}


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


# ---- Mail -----------------------------------------------------------------------------------------


# Which right each method of Slack's needs (reference of each method, "Facts"); a window needs none.
SLACK_SCOPES = {
    "conversations.open": "im:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "views.open": None,
}
# What matching by address calls, for which the operator adds these two: the manifest names them and asks for neither.
MATCHING = {"users.lookupByEmail", "users.info"}
MATCHING_SCOPES = {"users:read", "users:read.email"}


def test_the_slack_app_has_the_rights_that_our_calls_need_and_sends_its_interactions_to_our_route():
    text = (INFRA / "slack-manifest.yaml").read_text()
    manifest = yaml.safe_load(text)
    called = set(re.findall(r'"([a-z]+\.[a-zA-Z]+)"', (ROOT / "services/slack/src/lib.rs").read_text()))
    assert called == set(SLACK_SCOPES) | MATCHING, "a new method needs its right here"
    wanted = set(SLACK_SCOPES.values()) - {None}
    scopes = manifest["oauth_config"]["scopes"]
    assert set(scopes) == {"bot"} and sorted(scopes["bot"]) == sorted(wanted)
    assert all(f"# - {scope}" in text for scope in MATCHING_SCOPES), "off until somebody takes the sign away"
    settings = manifest["settings"]
    assert urlsplit(settings["interactivity"]["request_url"]).path == "/slack/interactions"
    assert '"/slack/interactions"' in (ROOT / "services/gateway/src/slack/mod.rs").read_text()
    assert settings["interactivity"]["is_enabled"] and not settings["socket_mode_enabled"]
    # Whoever is written to has no place to answer that nobody reads.
    assert manifest["features"]["app_home"]["messages_tab_read_only_enabled"] is True


def test_trap_more_than_ten_mails_a_second_suspend_a_subscription_so_alerts_by_mail_are_few():
    """SNS delivers ten mails a second to an address and suspends the subscription of one that is to get more ("Amazon SNS
    quotas"): a burst of ordinary reviews must not silence what somebody has to hear of."""
    subscription = Resolved(MAIN, **EVERYTHING).resources["AlertByEmail"]["Properties"]
    assert subscription["FilterPolicyScope"] == "MessageAttributes"
    [(word, ways)] = subscription["FilterPolicy"].items()
    assert word == "$or" and ways == [{"risk": ["high"]}, {"detail_type": ["WorkflowResumeFailed"]}]
    sets = (ROOT / "services/projector/src/sns.rs").read_text()
    assert all(f'("{attribute}", ' in sets for way in ways for attribute in way), "attributes that a message has"


def test_trap_who_decides_is_never_asked_through_a_subscription_that_a_followed_link_ends():
    """Each mail of an SNS subscription has a link that ends it, and scanners follow it. So people are asked by SES alone, and
    the topic has no subscriber but those of the parameters: a second, louder way that nobody's decision rests on."""
    subscriptions = resources(MAIN, "AWS::SNS::Subscription")
    ends = {name: each["Properties"]["Endpoint"] for name, each in subscriptions.items()}
    assert ends == {"AlertByEmail": {"Ref": "AlertEmail"}, "AlertBySms": {"Ref": "AlertPhone"}, "AlarmByEmail": {"Ref": "OperatorEmail"}}
    notifier = resources(MAIN, FUNCTION)["Notifier"]["Properties"]["Environment"]["Variables"]
    assert "SES_FROM" in notifier and "Topic" not in repr(notifier)
    assert "Unsubscribe" not in (ROOT / "services/projector/src/sns.rs").read_text()
    assert "--authenticate-on-unsubscribe true" in (INFRA / "README.md").read_text(), "how to keep a link from ending one"


def test_no_mail_is_tracked():
    """Who opens a mail, and who follows its link, SES would learn by a picture and by leading the link through a counter: it
    does so when a configuration set has a destination for these events, and by a domain of its own when it is given one."""
    [settings] = resources(MAIN, "AWS::SES::ConfigurationSet").values()
    assert "TrackingOptions" not in settings["Properties"] and "VdmOptions" not in settings["Properties"]
    destinations = [each["Properties"]["EventDestination"] for each in resources(MAIN, "AWS::SES::ConfigurationSetEventDestination").values()]
    events = {event for each in destinations for event in each["MatchingEventTypes"]}
    assert events == {"bounce", "complaint", "reject"} and not events & {"open", "click"}
    senders = [each["Properties"]["Environment"]["Variables"] for each in resources(MAIN, FUNCTION).values()]
    assert all(each["SES_CONFIGURATION_SET"] == {"Ref": "MailSettings"} for each in senders if "SES_FROM" in each)


def test_the_rule_takes_in_our_mails_that_came_back_and_nobody_elses(emulator):
    pattern = resources(MAIN)["ReturnedRule"]["Properties"]["EventPattern"]
    assert pattern["detail"]["mail"]["tags"] == {"ses:configuration-set": [{"Ref": "MailSettings"}]}
    pattern["detail"]["mail"]["tags"]["ses:configuration-set"] = ["countersign"]
    event = {"id": "1", "account": "111122223333", "source": "aws.ses", "time": "2026-11-25T00:00:00Z", "region": "us-east-1",
             "resources": [], "version": "0", "detail-type": "Email Bounced", "detail": {}}

    def matches(set_: str = "countersign", **changes) -> bool:
        detail = {"eventType": "Bounce", "mail": {"messageId": "1", "tags": {"ses:configuration-set": [set_], "other": ["x"]}}}
        tried = event | {"detail": detail} | changes
        return emulator.events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(tried))["Result"]

    for kind in ("Email Bounced", "Email Complaint Received", "Email Rejected"):
        assert matches(**{"detail-type": kind}), kind
    for kind in ("Email Sent", "Email Delivered", "Email Delivery Delayed", "Email Opened", "Email Clicked"):
        assert not matches(**{"detail-type": kind}), kind
    assert not matches("another") and not matches(source="com.example") and not matches(**{"replay-name": "r"})


def test_the_tables_are_kept():
    for name, table_ in resources(MAIN, "AWS::DynamoDB::Table").items():
        kept = table_["Properties"]
        assert table_["DeletionPolicy"] == table_["UpdateReplacePolicy"] == "Retain", name
        assert kept["DeletionProtectionEnabled"] and kept["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert kept["BillingMode"] == "PAY_PER_REQUEST" and kept["SSESpecification"]["SSEType"] == "KMS", name
    assert resources(MAIN)["LogTable"]["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_what_was_signed_can_be_altered_by_nobody_and_only_who_cannot_write_the_log_signs():
    bucket = resources(MAIN)["Checkpoints"]
    kept = bucket["Properties"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert kept["ObjectLockEnabled"] is True and kept["VersioningConfiguration"] == {"Status": "Enabled"}
    assert kept["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": {"Ref": "CheckpointLockMode"}, "Days": {"Ref": "CheckpointLockDays"}
    }
    assert template(MAIN)["Parameters"]["CheckpointLockMode"]["AllowedValues"] == ["GOVERNANCE", "COMPLIANCE"]
    assert set(kept["PublicAccessBlockConfiguration"].values()) == {True} and len(kept["PublicAccessBlockConfiguration"]) == 4
    [encrypted] = kept["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encrypted["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    policy = resources(MAIN)["CheckpointsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    refused = {each["Sid"]: each["Condition"] for each in policy if each["Effect"] == "Deny" and each["Principal"] == "*"}
    assert refused == {
        "OnlyByTls": {"Bool": {"aws:SecureTransport": "false"}},
        "EntriesAreWrittenOnce": {"Null": {"s3:if-none-match": "true"}},
    }
    key = resources(MAIN)["SigningKey"]
    assert key["DeletionPolicy"] == "Retain" and key["Properties"]["KeySpec"] == "ECC_NIST_EDWARDS25519"

    roles = {}
    for owner, statement in statements(MAIN):
        roles.setdefault(owner, set()).update(listed(statement["Action"]))
    signers = {owner for owner, actions in roles.items() if owner.endswith("Role") and "kms:Sign" in actions}
    writers = {owner for owner, actions in roles.items() if owner.endswith("Role") and "dynamodb:PutItem" in actions}
    assert signers == {"CheckpointerRole"} and not signers & writers
    assert not [action for action in roles["CheckpointerRole"] if "Delete" in action or "Bypass" in action or "Retention" in action]


def test_only_the_clocks_functions_may_read_a_table_through():
    scanning = {owner for owner, statement in statements(MAIN) if "dynamodb:Scan" in listed(statement["Action"])}
    assert scanning == {"TimekeeperRole", "CheckpointerRole"}


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


def test_another_accounts_role_lets_countersign_answer_workflows_and_nothing_else():
    role = Resolved(FORWARD, CountersignRoles="arn:aws:iam::111122223333:role/projector").resources["ResumeRole"]["Properties"]
    [policy] = role["Policies"]
    allowed = [action for each in policy["PolicyDocument"]["Statement"] for action in listed(each["Action"])]
    assert allowed == ["states:SendTaskSuccess", "states:SendTaskFailure", "states:GetExecutionHistory"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": {"Ref": "CountersignRoles"}}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Fn::Sub": "${ExternalId}/${AWS::AccountId}"}}}


def test_tokens_are_forwarded_only_when_that_is_asked_for_and_can_be_answered():
    roles = {"CountersignRoles": "arn:aws:iam::111122223333:role/projector"}
    there = {name: set(Resolved(FORWARD, **given).resources) for name, given in {
        "nothing": {}, "roles": roles, "tokens alone": {"ForwardTokens": "true"}, "both": roles | {"ForwardTokens": "true"},
    }.items()}
    assert [name for name, names in there.items() if "ForwardWithTokens" in names] == ["both"]
    assert [name for name, names in there.items() if "ResumeRole" in names] == ["roles", "both"]


def test_only_those_who_answer_workflows_take_on_roles_and_only_those_listed():
    policy = Resolved(MAIN, **EVERYTHING).resources["AnswerOutside"]["Properties"]
    answer = {owner for owner, each in statements(MAIN) if "states:SendTaskSuccess" in listed(each["Action"])}
    assert targets(policy["Roles"]) == answer
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sts:AssumeRole", {"Ref": "OutsideRoles"})
    assert "AnswerOutside" not in Resolved(MAIN).resources


@pytest.mark.parametrize("script", ["build", "deploy", "pack"])
def test_the_scripts_say_how_they_are_used(script):
    helped = run(INFRA / script, "--help")
    assert helped.returncode == 0 and helped.stdout.startswith(f"Usage: infra/{script}")
    assert run(INFRA / script, "--what").returncode == 64
