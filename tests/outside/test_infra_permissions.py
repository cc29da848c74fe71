"""Who may do what, by the templates of infra/."""

import json
import re

import pytest

from settings_table import functions_of_the_table, table
from templates import ALL, EVERYTHING, FORWARD, FUNCTION, INFRA, MAIN, Resolved, listed, resources, statements, targets, template, walk

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
    assert policy["Effect"] == "Deny" and policy["Principal"] == "*"
    # One call has a source an event: of several, plain StringEquals would hold of none.
    assert policy["Condition"]["ForAnyValue:StringEquals"] == {"events:source": "countersign"}
    assert set(policy["Condition"]) == {"ForAnyValue:StringEquals", "ArnNotEquals"}
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
    # What it may write into the log is the mark, which holds no commit.
    [mark] = [statement for owner, statement in statements(MAIN) if owner == "CheckpointerRole" and "dynamodb:UpdateItem" in listed(statement["Action"])]
    assert listed(mark["Action"]) == ["dynamodb:UpdateItem"], mark
    assert mark["Condition"]["ForAllValues:StringEquals"] == {
        "dynamodb:LeadingKeys": ["directory"], "dynamodb:Attributes": ["pk", "sk", "distrusted"]
    }


def test_only_the_clocks_functions_may_read_a_table_through():
    scanning = {owner for owner, statement in statements(MAIN) if "dynamodb:Scan" in listed(statement["Action"])}
    assert scanning == {"TimekeeperRole", "CheckpointerRole"}


def test_another_accounts_role_lets_countersign_answer_workflows_and_nothing_else():
    role = Resolved(FORWARD, CountersignRoles="arn:aws:iam::111122223333:role/projector").resources["ResumeRole"]["Properties"]
    [policy] = role["Policies"]
    allowed = [action for each in policy["PolicyDocument"]["Statement"] for action in listed(each["Action"])]
    assert allowed == ["states:SendTaskSuccess", "states:SendTaskFailure", "states:GetExecutionHistory"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": {"Ref": "CountersignRoles"}}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Fn::Sub": "${ExternalId}/${AWS::AccountId}"}}}


def test_only_those_who_answer_workflows_take_on_roles_and_only_those_listed():
    policy = Resolved(MAIN, **EVERYTHING).resources["AnswerOutside"]["Properties"]
    answer = {owner for owner, each in statements(MAIN) if "states:SendTaskSuccess" in listed(each["Action"])}
    assert targets(policy["Roles"]) == answer
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sts:AssumeRole", {"Ref": "OutsideRoles"})
    assert "AnswerOutside" not in Resolved(MAIN).resources


def test_service_principals_use_the_key_of_the_queues_for_this_account_where_they_say_for_whom_they_do():
    statements = resources(MAIN)["QueueKey"]["Properties"]["KeyPolicy"]["Statement"]
    by_service = {name: each.get("Condition") for each in statements for name in listed(each["Principal"].get("Service", []))}
    own = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert by_service == {
        "cloudwatch.amazonaws.com": {"StringEquals": own},
        # EventBridge does not say it, so that a plain condition would stop every event.
        "events.amazonaws.com": {"StringEqualsIfExists": own},
        "sns.amazonaws.com": {"StringEqualsIfExists": own},
    }


def test_only_functions_that_answer_workflows_know_which_account_is_ours():
    given = {n: each["Properties"]["Environment"]["Variables"].get("ACCOUNT_ID") for n, each in resources(MAIN, FUNCTION).items()}
    assert {name for name, value in given.items() if value} == {"Projector", "Timekeeper"}
    assert {str(value) for value in given.values() if value} == {"{'Ref': 'AWS::AccountId'}"}


def test_slack_has_a_throttle_of_its_own_where_there_is_slack():
    slack = "POST /slack/interactions"
    assert "ApiSlackRoute" not in Resolved(MAIN).resources
    on = Resolved(MAIN, **EVERYTHING).resources
    assert on["ApiSlackRoute"]["Properties"]["RouteKey"] == slack
    assert on["ApiSlackRoute"]["Properties"]["Target"] == on["ApiRoute"]["Properties"]["Target"]
    settings = on["ApiStage"]["Properties"]
    assert settings["RouteSettings"][slack]["ThrottlingRateLimit"] < settings["DefaultRouteSettings"]["ThrottlingRateLimit"]
