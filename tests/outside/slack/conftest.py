"""A service with a Slack app, whose Slack is a recording double that the stock `slack_sdk` signs, validates and proves."""

import json

import pytest

from slack_double import SECRET, TOKEN, Person, Slack
from workspace import DIRECTORY, OLD_SECRET


@pytest.fixture
def slack():
    slack = Slack()
    yield slack
    slack.close()


@pytest.fixture
def options() -> list[str]:
    """Further options of the service; tests that need some say so."""
    return []


@pytest.fixture
def service(start_service, slack, tmp_path, options):
    """A service with the app; Ana and Bo are in the workspace, Cy is not."""
    secrets = tmp_path / "slack.json"
    secrets.write_text(json.dumps({"bot_token": TOKEN, "signing_secrets": [SECRET, OLD_SECRET]}))
    secrets.chmod(0o600)
    service = start_service("--slack", str(secrets), "--slack-api", slack.api, *options)
    people = service.folder / "directory.toml"
    people.write_text(DIRECTORY)
    applied = service.run("directory", "apply", str(people))
    assert applied.returncode == 0, applied.stderr
    yield service
    printed = service.printed()
    assert TOKEN not in printed and SECRET not in printed, "no secret reaches the console"


@pytest.fixture
def ana(slack, service) -> Person:
    return Person(slack, service.url, "U01")


@pytest.fixture
def bo(slack, service) -> Person:
    return Person(slack, service.url, "U02")
