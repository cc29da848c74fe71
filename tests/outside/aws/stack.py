"""infra/template.yaml with the six functions, deployed by infra/deploy on an emulator that nobody here wrote."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from functools import cached_property
from pathlib import Path

from boto3.dynamodb.types import TypeDeserializer

from emulators import client
from front import Front
from identity_provider import CLIENT, IdentityProvider
from identity_provider import SECRET as CLIENT_SECRET
from processes import Program, environment, eventually, free_port, http
from proxy import Proxy
from service import BINARY, ROOT
from slack_double import SECRET, TOKEN, Slack
from units import Meter

FUNCTIONS = ["intake", "notifier", "gateway", "timekeeper", "projector", "checkpointer"]
TARGET = BINARY.parent
# Who hands in votes by the bus, as the deployment names it.
ACCOUNT, TRUSTED = "000000000000", "com.example.approvals"
# An account whose workflows it may answer, and one that gave it no role.
OUTSIDE, STRANGER = "222222222222", "333333333333"
TOOLS = Path(sys.executable).parent

_read = TypeDeserializer().deserialize


def make_zips(folder: Path) -> None:
    """The zips where infra/deploy looks for them: those of infra/build when COUNTERSIGN_ZIPS names their folder, else the
    unoptimised binaries that the Rust tests built, without their symbols. The code is the same; starts are slower and
    zips larger, so neither is measured here."""
    made = os.environ.get("COUNTERSIGN_ZIPS")
    for name in FUNCTIONS:
        zipped = folder / f"{name}-lambda" / "bootstrap.zip"
        zipped.parent.mkdir(parents=True)
        if made:
            shutil.copy(Path(made).resolve() / f"{name}-lambda" / "bootstrap.zip", zipped)
            continue
        bootstrap = zipped.with_name("bootstrap")
        subprocess.run(["strip", "-o", bootstrap, TARGET / f"{name}-lambda"], check=True)
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(bootstrap, "bootstrap")
        bootstrap.unlink()
    (folder / "architecture").write_text("x86_64\n")


class Stack:
    """The deployed service."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self._clients = {}
        self.url = f"http://127.0.0.1:{self.port}"
        self.front = Front()
        self.provider = IdentityProvider()
        env = environment(BIND_HOST="127.0.0.1", GATEWAY_PORT=str(self.port), IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
        self.emulator = Program([str(TOOLS / "ministack")], env, folder / "ministack.log", folder)
        self.emulator.start(f"{self.url}/_ministack/health")
        # The functions reach AWS through it; the tests do not.
        self.proxy = Proxy(self.port)
        # So do they Slack.
        self.slack = Slack()
        self._deploy()
        self.bus, self.log_table = self.outputs["BusName"], self.outputs["LogTableName"]
        tables = [self.log_table, self.outputs["ViewsTableName"]]
        # Nothing was written before.
        self.proxy.seen = Meter([self.aws("dynamodb").describe_table(TableName=name)["Table"] for name in tables])
        self.front.target = f"{self.url}/_aws/execute-api/{self.outputs['ApiId']}/$default"
        self.http = http()
        secrets = self.aws("secretsmanager")
        self.operator_key = secrets.get_secret_value(SecretId=self.outputs["OperatorKeyArn"])["SecretString"]
        self.http.headers["Authorization"] = f"Bearer {self.operator_key}"

    def _deploy(self) -> None:
        tree = self.folder / "tree"
        shutil.copytree(ROOT / "infra", tree / "infra")
        make_zips(tree / "target" / "zips")
        path = os.pathsep.join([str(TARGET.parent / "venv-infra/bin"), str(TOOLS), os.environ["PATH"]])
        command = [tree / "infra" / "deploy", "--endpoint", self.url, f"BaseUrl={self.front.url}"]
        command += [f"TrustedSources={ACCOUNT}/{TRUSTED}", f"EndpointUrl={self.proxy.url}"]
        command += [f"OutsideRoles={self._role_outside()}", "SendSms=true"]
        command += [f"SlackSecretArn={self._slack_secret()}", f"SlackApiUrl={self.slack.api}"]
        command += [f"OidcIssuer={self.provider.issuer}", f"OidcClientId={CLIENT}", f"OidcSecretArn={self._secret_of_the_client()}"]
        done = subprocess.run(
            [str(each) for each in command],
            env=environment(PATH=path),
            cwd=self.folder,
            capture_output=True,
            text=True,
            # A busy machine takes minutes to make and to put zips of unoptimised code.
            timeout=600,
        )
        assert done.returncode == 0, f"infra/deploy ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        [stack] = self.aws("cloudformation").describe_stacks(StackName="countersign")["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def _slack_secret(self) -> str:
        """Keeps the app's secrets as infra/README.md says; gives the ARN."""
        text = json.dumps({"bot_token": TOKEN, "signing_secrets": [SECRET]})
        return self.aws("secretsmanager").create_secret(Name="countersign-slack", SecretString=text)["ARN"]

    def _secret_of_the_client(self) -> str:
        """Puts what the provider knows us by where infra/README.md says; gives its ARN."""
        return self.aws("secretsmanager").create_secret(Name="countersign-oidc", SecretString=f"{CLIENT_SECRET}\n")["ARN"]

    def _role_outside(self) -> str:
        """Deploys infra/outside-account.yaml in the other account; gives its role's ARN."""
        formation = client("cloudformation", self.url, OUTSIDE)
        parameters = {
            "CountersignBusArn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/countersign",
            # The names of our roles come with our own stack; ministack checks no trust.
            "CountersignRoles": f"arn:aws:iam::{ACCOUNT}:role/projector",
            "ForwardTokens": "true",
        }
        formation.create_stack(
            StackName="forwarder",
            TemplateBody=(ROOT / "infra/outside-account.yaml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )

        def made():
            [stack] = formation.describe_stacks(StackName="forwarder")["Stacks"]
            assert "FAILED" not in stack["StackStatus"] and "ROLLBACK" not in stack["StackStatus"], stack
            return stack if stack["StackStatus"] == "CREATE_COMPLETE" else None

        outputs = {each["OutputKey"]: each["OutputValue"] for each in eventually("the stack is there", made, 60)["Outputs"]}
        return outputs["ResumeRoleArn"]

    def stop(self) -> None:
        self.front.stop()
        self.provider.stop()
        self.emulator.stop()
        self.proxy.stop()
        self.slack.close()

    def aws(self, service: str):
        """A stock boto3 client of the emulator."""
        if service not in self._clients:
            self._clients[service] = client(service, self.url)
        return self._clients[service]

    @cached_property
    def functions(self) -> dict[str, str]:
        """The functions' names by ours."""
        found = self.aws("cloudformation").describe_stack_resources(StackName="countersign")["StackResources"]
        made = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
        return {name: made[name.capitalize()] for name in FUNCTIONS}

    def invoke(self, name: str, event: dict):
        """Calls a function and waits for its answer."""
        answer = self.aws("lambda").invoke(FunctionName=self.functions[name], Payload=json.dumps(event).encode())
        body = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, body
        return json.loads(body)

    def start_anew(self, *names: str) -> None:
        """These functions start from nothing when they are called next."""
        functions = self.aws("lambda")
        for name in names:
            settings = functions.get_function_configuration(FunctionName=self.functions[name])["Environment"]["Variables"]
            settings["STARTED"] = str(time.monotonic_ns())
            functions.update_function_configuration(FunctionName=self.functions[name], Environment={"Variables": settings})

    def invoke_or_error(self, name: str, event: dict) -> dict:
        """The same; what it failed with is an answer too."""
        answer = self.aws("lambda").invoke(FunctionName=self.functions[name], Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read().decode())

    # The bus

    def put(self, detail_type: str, detail: dict, source: str = "com.example.pipeline") -> None:
        entry = {"EventBusName": self.bus, "Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        answer = self.aws("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer

    def listen(self, name: str, pattern: dict) -> str:
        """A queue that receives what the bus carries from now on and the pattern lets through; its URL."""
        sqs, events = self.aws("sqs"), self.aws("events")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventBusName=self.bus, EventPattern=json.dumps(pattern), State="ENABLED")
        events.put_targets(Rule=name, EventBusName=self.bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def read(self, url: str, seconds: int = 0, about: str = "") -> list[dict]:
        """What is on a queue, taken off it. `about`: only what says this, since reviews of earlier tests may still be heard of."""
        found = []
        while True:
            answer = self.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds)
            if not answer.get("Messages"):
                return found
            for message in answer["Messages"]:
                self.aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                if about in message["Body"]:
                    found.append(json.loads(message["Body"]))

    def waiting(self, output: str) -> int:
        """How many messages a queue of the stack holds, those that a function has just now with them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.aws("sqs").get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def idle(self) -> None:
        """Waits until no queue holds anything and the log has stopped to grow."""
        seen = -1

        def settled() -> bool:
            nonlocal seen
            before, seen = seen, len(self.commits())
            return seen == before and self.waiting("IntakeQueueUrl") == 0 and self.waiting("NotifierQueueUrl") == 0

        eventually("the stack has nothing to do", settled, seconds=30, every=0.7)

    def send(self, output: str, event: dict) -> None:
        """Puts an event on a queue of the stack, as a rule would."""
        self.aws("sqs").send_message(QueueUrl=self.outputs[output], MessageBody=json.dumps(event))

    # What went out

    def mails(self, about: str = "") -> list[str]:
        """The mails that SES was given, those that mention this."""
        sent = [f"{mail['Subject']}\n{mail['BodyText']}\n{mail['BodyHtml']}" for mail in self.sent()]
        return [text for text in sent if about in text]

    def sent(self) -> list[dict]:
        """Every mail that SES was given, as the emulator keeps it."""
        answer = http().get(f"{self.url}/_ministack/ses/messages", timeout=10)
        answer.raise_for_status()
        return answer.json()["messages"].get(ACCOUNT, [])

    def sms(self, number: str) -> list[dict]:
        """The SMS to this number."""
        answer = http().get(f"{self.url}/_ministack/sns/sms-messages", params={"phoneNumber": number}, timeout=10)
        answer.raise_for_status()
        return answer.json()["sms_messages"][number]

    def errors(self) -> str:
        """What the functions logged as errors, for the message of a test that fails."""
        return "\n".join(line for line in self.lines() if '"level":"ERROR"' in line)

    def lines(self) -> list[str]:
        """Every line that the functions logged."""
        logs, found = self.aws("logs"), []
        for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            found += [event["message"] for page in pages for event in page["events"]]
        return found

    # The log

    def commits(self, review: str = "") -> list[dict]:
        """The commits of the log, or of one review, as the table holds them."""
        pages = self.aws("dynamodb").get_paginator("scan").paginate(TableName=self.log_table, ConsistentRead=True)
        items = [{name: _read(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        mine = [item for item in items if not review or item["pk"] == f"review#{review}"]
        return sorted(mine, key=lambda item: (item["pk"], item["sk"]))

    def titled(self, title: str) -> list[str]:
        """The reviews of this title, read from the log alone."""
        opened = (item for item in self.commits() if f'"{title}"' in repr(item) and "ReviewRequested" in repr(item))
        return [item["pk"].removeprefix("review#") for item in opened]

    def get(self, path: str, **options):
        return self.http.get(self.front.url + path, timeout=30, **options)

    def post(self, path: str, body: dict, **options):
        return self.http.post(self.front.url + path, json=body, timeout=30, **options)

    def log(self, review: str) -> list[dict]:
        """Every event of a review, oldest first, through the gateway."""
        answer = self.get(f"/api/v1/reviews/{review}/events")
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def types(self, review: str) -> list[str]:
        return [event["type"] for event in self.log(review)]

    def logged(self, review: str, *types: str, count: int = 1, seconds: float = 20) -> list[dict]:
        """The events of these types, once there are at least `count`."""

        def look():
            found = [event for event in self.log(review) if event["type"] in types]
            return found if len(found) >= count else None

        return eventually(f"{count} of {types} in the log of {review}", look, seconds, every=0.2)

    def find(self, title: str) -> str:
        """The id of the review with this title, once the inbox shows it."""

        def look():
            answer = self.get("/api/v1/reviews")
            assert answer.status_code == 200, (answer.status_code, answer.text)
            return next((row["review_id"] for row in answer.json()["reviews"] if row["title"] == title), None)

        return eventually(f"a review titled {title!r} is listed", look, seconds=30, every=0.1)

    def vote(self, review: str, email: str, choice: str, reason: str = "looked at it"):
        body = {"person": {"email": email}, "choice": choice, "reason": reason}
        return self.post(f"/api/v1/reviews/{review}/votes", body)
