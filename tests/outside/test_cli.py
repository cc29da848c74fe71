"""The command line as scripts use it: exit codes, what is printed, and JSON that parses."""

import json
import os
import subprocess

import pytest

from processes import environment, eventually, free_port
from service import BINARY

ANA = "ana@example.com"
REQUEST = {"title": "Promote churn-model v42", "reviewers": [{"email": ANA}]}


def shell(script: str, folder, **env: str) -> subprocess.CompletedProcess:
    """Runs a script in a stock shell that finds `countersign` on its PATH."""
    settings = environment(PATH=f"{BINARY.parent}:{os.environ['PATH']}", **env)
    return subprocess.run(["sh", "-c", script], env=settings, cwd=folder, capture_output=True, text=True, timeout=60)


def demo(outcome: str, folder, *options: str) -> subprocess.CompletedProcess:
    command = [str(BINARY), "demo", "--auto", outcome, "--data", str(folder), *options]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)


def asked(service, request: dict, *options: str):
    """A command that asks and waits, and the review it waits for."""
    (service.folder / "review.json").write_text(json.dumps(request))
    command = service.command("request", "review.json", "--wait", *options)
    return command, service.find(request["title"])


def ended(command) -> tuple[int, str, str]:
    out, err = command.communicate(timeout=30)
    return command.returncode, out, err


# The demonstration


@pytest.mark.parametrize(
    ("outcome", "ending", "kept", "why"),
    [
        ("approve", "4. Promoted", "promoted", "approved by reviewer@example.com: decided by --auto"),
        ("reject", "4. Discarded", "discarded", "rejected by reviewer@example.com: decided by --auto"),
        ("expire", "4. Discarded", "discarded", "nobody decided in time"),
    ],
)
def test_the_demonstration_stops_to_ask_and_goes_on_as_decided(tmp_path, outcome, ending, kept, why):
    done = demo(outcome, tmp_path)

    assert done.returncode == 0, done.stderr
    assert "80 of 1,000 rows are flagged: 8.0 %" in done.stdout
    assert "the pipeline stops and asks reviewer@example.com" in done.stdout
    assert f"{ending} ({why}): " in done.stdout
    [data_set] = (tmp_path / "demo" / kept).iterdir()
    assert str(data_set) in done.stdout
    assert len(data_set.read_text().splitlines()) == 1001
    assert list((tmp_path / "demo/staged").iterdir()) == []


def test_the_demonstration_asks_nobody_about_clean_data(tmp_path):
    done = demo("reject", tmp_path, "--share", "0.02")

    assert done.returncode == 0, done.stderr
    assert "nobody needs to be asked" in done.stdout
    assert "4. Promoted" in done.stdout


def test_the_demonstration_reads_a_file(tmp_path):
    rows = ["id,spend"] + [f"c{number},{10 + number % 5}" for number in range(40)] + ["c40,9000", "c41,", "c42,none"]
    (tmp_path / "customers.csv").write_text("\n".join(rows))

    done = demo("reject", tmp_path, "--csv", str(tmp_path / "customers.csv"))

    assert done.returncode == 0, done.stderr
    assert "3 of 43 rows are flagged: 7.0 %" in done.stdout
    assert "4. Discarded" in done.stdout


# Asking and waiting


@pytest.mark.parametrize(("choice", "code", "word"), [("approve", 0, "approved"), ("reject", 1, "rejected")])
def test_a_waiting_request_ends_with_the_decision_as_its_exit_code(service, choice, code, word):
    command, review = asked(service, REQUEST)
    decided = service.run("decide", review, choice, "--as", ANA, "--reason", "looked at it")
    assert decided.returncode == 0, decided.stderr

    returned, out, err = ended(command)

    assert returned == code, err
    assert out.startswith(f"{word}: Promote churn-model v42\n")
    assert ANA in out and "looked at it" in out


def test_an_invalid_request_ends_with_2_and_every_fault(service):
    done = service.run("request", "-", "--wait", given='{"titel": "x", "reviewers": [], "policy": {"quorum": 0}}')

    assert done.returncode == 2
    for pointer in ("/titel", "/title", "/reviewers", "/policy/quorum"):
        assert f"\n  {pointer}: " in done.stderr, done.stderr
    assert done.stdout == ""
    [refused] = eventually("the refusal is listed", lambda: service.listed("refused"))
    shown = service.run("show", refused["review_id"])
    assert shown.returncode == 0 and "/policy/quorum" in shown.stdout


@pytest.mark.parametrize("text", ["", "{", "[]", "no such file"])
def test_what_is_no_request_at_all_ends_with_2(service, text):
    if text == "no such file":
        done = service.run("request", "none.json")
    else:
        done = service.run("request", "-", given=text)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")


def test_a_waiting_request_that_expires_ends_with_3(service):
    command, _ = asked(service, REQUEST | {"expires_in": "PT1S"})
    code, out, err = ended(command)
    assert code == 3, err
    assert out.startswith("expired: ")


def test_a_waiting_request_that_is_cancelled_ends_with_4(service):
    command, review = asked(service, REQUEST)
    assert service.run("cancel", review, "--reason", "a newer model is ready").returncode == 0
    code, out, err = ended(command)
    assert code == 4, err
    assert "a newer model is ready" in out


def test_a_service_that_cannot_be_reached_ends_with_5(service, tmp_path):
    (tmp_path / "review.json").write_text(json.dumps(REQUEST))
    nowhere = f"http://127.0.0.1:{free_port()}"
    done = shell("countersign request review.json", tmp_path, COUNTERSIGN_URL=nowhere, COUNTERSIGN_DATA=str(service.data))
    assert done.returncode == 5
    assert nowhere in done.stderr


def test_a_shell_goes_on_only_after_an_approval(service, tmp_path):
    (tmp_path / "review.json").write_text(json.dumps(REQUEST | {"request_key": "deploy"}))
    env = {"COUNTERSIGN_URL": service.url, "COUNTERSIGN_DATA": str(service.data)}
    opened = shell("countersign request review.json --json", tmp_path, **env)
    review = json.loads(opened.stdout)["review_id"]
    assert service.vote(review, ANA, "reject").ok

    done = shell("countersign request review.json --wait && echo deployed", tmp_path, **env)

    assert (done.returncode, "deployed" in done.stdout) == (1, False)


def test_a_waiting_request_outlives_a_restart_of_the_service(service):
    command, review = asked(service, REQUEST)
    service.kill9()
    service.restart()
    assert service.run("decide", review, "approve", "--as", ANA).returncode == 0
    code, _, err = ended(command)
    assert code == 0, err


def test_nobody_decides_without_the_operators_key(service, tmp_path):
    review = service.ask("Promote")
    done = shell(
        f"countersign decide {review} approve --as reviewer@example.com",
        tmp_path,
        COUNTERSIGN_URL=service.url,
        COUNTERSIGN_DATA=str(tmp_path / "elsewhere"),
    )
    assert done.returncode == 5
    assert service.review(review)["status"] == "open"


# Who is who

DIRECTORY = """\
[[people]]
email = "ana@example.com"
name = "Ana Lind"
slack = "T01/U02"

[[people]]
email = "bo@example.com"
name = "Bo Okafor"

[groups]
ml-oncall = ["ana@example.com", "bo@example.com"]
"""


def test_a_group_decides_by_quorum_once_the_directory_names_it(service):
    request = {"title": "Promote", "reviewers": [{"group": "ml-oncall"}], "policy": {"quorum": 2}}
    refused = service.run("request", "-", given=json.dumps(request))
    assert refused.returncode == 2
    assert "/reviewers/0/group: expected a group of the directory" in refused.stderr
    (service.folder / "reviewers.toml").write_text(DIRECTORY)
    applied = service.run("directory", "apply", "reviewers.toml")
    assert (applied.returncode, applied.stdout) == (0, "3 changes are on record: 2 people, 1 group\n")
    assert "says so already" in service.run("directory", "apply", "reviewers.toml").stdout

    opened = service.run("request", "-", "--json", given=json.dumps(request))
    assert opened.returncode == 0, opened.stderr
    review = json.loads(opened.stdout)["review_id"]
    stranger = service.run("decide", review, "approve", "--as", "eve@example.com")
    assert (stranger.returncode, "neither named nor in a named group" in stranger.stderr) == (1, True)
    assert service.run("decide", review, "approve", "--as", "slack:T01/U02").returncode == 0
    assert service.run("decide", review, "approve", "--as", ANA).returncode == 0, "the same person by another name"
    assert service.review(review)["status"] == "open"
    assert "the review is approved" in service.run("decide", review, "approve", "--as", "bo@example.com").stdout
    late = service.run("decide", review, "reject", "--as", ANA)
    assert (late.returncode, "approved by Ana Lind, Bo Okafor" in late.stderr) == (1, True), late.stderr


def test_a_directory_file_with_faults_changes_nothing_and_names_each(service):
    done = service.run("directory", "apply", "-", given='[groups]\noncall = ["ana", "bo"]\nother = 1\n')
    assert done.returncode == 2
    for place in ('line 2: "ana"', 'line 2: "bo"', "line 3:"):
        assert place in done.stderr
    assert json.loads(service.run("directory", "show", "--json").stdout) == {"people": {}, "groups": {}}


# JSON


def test_every_json_output_parses(service):
    assert service.run("directory", "apply", "-", given=DIRECTORY).returncode == 0
    ids = [service.ask(f"model {number}") for number in range(3)]
    eventually("they are listed", lambda: len(service.listed()) == 3)
    opened = json.loads(service.run("request", "-", "--json", given=json.dumps(REQUEST)).stdout)
    assert opened["status"] == "open" and opened["link"].endswith(opened["review_id"])
    assert json.loads(service.run("decide", ids[0], "approve", "--as", "reviewer@example.com", "--json").stdout)["counted"] is True
    assert json.loads(service.run("cancel", ids[1], "--json").stdout)["status"] == "cancelled"
    eventually("the cancellation is listed", lambda: service.listed("cancelled"))
    rows = [json.loads(line) for line in service.run("reviews", "--json").stdout.splitlines()]
    assert {row["review_id"] for row in rows} == {*ids, opened["review_id"]}
    [row] = [json.loads(line) for line in service.run("reviews", "--status", "cancelled", "--json").stdout.splitlines()]
    assert row["review_id"] == ids[1]
    assert json.loads(service.run("show", ids[0], "--json").stdout)["status"] == "approved"
    assert json.loads(service.run("directory", "show", "--json").stdout)["groups"] == {"ml-oncall": [ANA, "bo@example.com"]}
    assert isinstance(json.loads(service.run("reconcile", "--json").stdout), dict)
    assert service.run("dead-letters", "--json").stdout == ""
    waited = service.run("request", "-", "--wait", "--json", given=json.dumps(REQUEST | {"expires_in": "PT1S"}))
    assert json.loads(waited.stdout)["ending"]["outcome"] == "expired"
