"""The templates of infra/ as data: loaded, and resolved for given parameters as far as conditions go."""

import json
from pathlib import Path

from cfnlint.decode.cfn_yaml import load

from service import ROOT

INFRA = ROOT / "infra"
MAIN, QUEUE, FORWARD = INFRA / "template.yaml", INFRA / "outside-queue.yaml", INFRA / "outside-account.yaml"
EXAMPLES, CONSUMER = INFRA / "examples/template.yaml", INFRA / "examples/consumer.yaml"
ALL = [MAIN, QUEUE, FORWARD, EXAMPLES, CONSUMER]
FUNCTION = "AWS::Serverless::Function"
# Parameters that switch every optional thing on.
EVERYTHING = {
    "SendingAccounts": "111122223333",
    "OrganizationId": "o-0123456789",
    "OutsideRoles": "arn:aws:iam::111122223333:role/resume",
    "BaseUrl": "",
    "MailFrom": "a@example.com",
    "MailIdentity": "example.com",
    "MailOutcome": "true",
    "AlertEmail": "a@example.com",
    "AlertPhone": "+100000000",
    "SendSms": "true",
    "SlackSecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:slack",
    "OidcIssuer": "https://id.example.com",
    "OidcClientId": "countersign",
    "OidcSecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:oidc",
    "OperatorEmail": "a@example.com",
}


def template(path: Path) -> dict:
    """One template, its short forms (`!Ref`) written out, without the places that cfn-lint adds."""
    return json.loads(json.dumps(load(str(path))))


def resources(path: Path, kind: str = "") -> dict:
    """Its resources of one type, or all."""
    return {name: each for name, each in template(path)["Resources"].items() if kind in ("", each["Type"])}


def walk(value, path=()):
    """Every value in a document, with the keys that lead to it."""
    yield path, value
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in steps:
        yield from walk(each, (*path, key))


def targets(value) -> set[str]:
    """The resources that a value refers to."""
    found = {each["Ref"] for _, each in walk(value) if isinstance(each, dict) and isinstance(each.get("Ref"), str)}
    for _, each in walk(value):
        if isinstance(each, dict) and "Fn::GetAtt" in each:
            name = each["Fn::GetAtt"]
            found.add(name[0] if isinstance(name, list) else name.split(".")[0])
    return found


class Resolved:
    """What a template comes to with these parameters: resources that are there, each `Fn::If` decided."""

    def __init__(self, path: Path, **parameters: str):
        whole = template(path)
        self.conditions = whole["Conditions"]
        self.values = {name: str(each.get("Default", "")) for name, each in whole["Parameters"].items()} | parameters
        there = {n: r for n, r in whole["Resources"].items() if "Condition" not in r or self.holds(r["Condition"])}
        self.resources = self.decide(there)
        self.globals = self.decide(whole.get("Globals", {}))

    def holds(self, condition) -> bool:
        """Whether a condition, by name or written out, is true."""
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        (word, given), *_ = condition.items()
        match word:
            case "Condition":
                return self.holds(given)
            case "Fn::Not":
                return not self.holds(given[0])
            case "Fn::And":
                return all(map(self.holds, given))
            case "Fn::Or":
                return any(map(self.holds, given))
            case "Fn::Equals":
                return self.text(given[0]) == self.text(given[1])
        raise ValueError(f"a condition of another kind: {word}")

    def text(self, value) -> str:
        """A parameter's value, or text as it is."""
        if isinstance(value, dict) and "Fn::Join" in value:
            return self.text(value["Fn::Join"][1])
        return self.values[value["Ref"]] if isinstance(value, dict) else value

    def decide(self, value):
        """The value with each `Fn::If` replaced by the branch that is taken."""
        if isinstance(value, dict) and "Fn::If" in value:
            condition, yes, no = value["Fn::If"]
            return self.decide(yes if self.holds(condition) else no)
        if isinstance(value, dict):
            decided = {name: self.decide(each) for name, each in value.items()}
            return {name: each for name, each in decided.items() if each != {"Ref": "AWS::NoValue"}}
        return [self.decide(each) for each in value] if isinstance(value, list) else value


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def statements(path: Path):
    """Every statement of every policy in a template: (resource's name, statement)."""
    for name, resource in resources(path).items():
        for _, value in walk(resource.get("Properties", {})):
            if isinstance(value, dict) and "Effect" in value and "Action" in value:
                yield name, value
