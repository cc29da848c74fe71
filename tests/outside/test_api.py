"""The API from outside: whatever its description allows or forbids, every answer is as described."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from processes import environment, eventually

HERE = Path(__file__).resolve().parent
# The same seed makes the same calls.
SEED = "20261123"
EXAMPLES = os.environ.get("API_EXAMPLES", "40")


@pytest.fixture
def filled(start_service):
    """A service with an open review, a decided one, a refused one and a directory."""
    service = start_service()
    people = {"ana@example.com": {"name": "Ana", "aliases": ["slack:T01/U02"], "phone": "+4930123456"}}
    answer = service.http.put(f"{service.url}/api/v1/directory", json={"people": people, "groups": {"oncall": list(people)}})
    assert answer.ok, answer.text
    service.ask("Open", reviewers=[{"email": "ana@example.com"}, {"group": "oncall"}])
    decided = service.ask("Decided", reviewers=[{"email": "ana@example.com"}])
    assert service.vote(decided, "ana@example.com", "approve").ok
    assert service.post("/api/v1/reviews", {"title": ""}).status_code == 422
    eventually("all are listed", lambda: len(service.listed()) == 3)
    return service


def test_the_description_that_the_service_serves_is_valid_openapi(service):
    answer = service.http.get(f"{service.url}/api/v1/openapi.json", headers={"Authorization": None})
    assert answer.status_code == 200
    validate(answer.json())


def schemathesis(service, *options: str, key: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", f"{service.url}/api/v1/openapi.json", "--seed", SEED, "--max-examples", EXAMPLES]
    # PutEvents has the form of AWS and tests of its own.
    command += ["--exclude-path", "/", "--header", f"Authorization: Bearer {key}", "--no-color", *options]
    return subprocess.run(
        command, cwd=service.folder, env=environment(), capture_output=True, text=True, encoding="utf-8", timeout=900
    )


def test_every_answer_to_the_operator_is_as_described(filled, artefacts):
    done = schemathesis(filled, key=filled.operator_key)
    (artefacts / "schemathesis-operator.txt").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert filled.get("/healthz").status_code == 200


def test_every_answer_to_an_integration_is_as_described(filled, artefacts):
    scopes = ["reviews:request", "reviews:read", "votes:cast"]
    asked = {"name": "ci", "scopes": scopes, "acts_as": {"email": "ana@example.com"}}
    answer = filled.post("/api/v1/integrations", asked)
    assert answer.status_code == 201, answer.text
    done = schemathesis(filled, key=answer.json()["token"])
    (artefacts / "schemathesis-integration.txt").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.parametrize("path", ["/api/v1/reviews", "/api/v1/nothing", "/api/v1/openapi.json", "/api/v1/directory"])
def test_every_answer_of_the_api_has_the_headers_that_keep_a_browser_from_harm(service, path):
    for headers in [{}, {"Authorization": "Bearer csgn_" + "0" * 64}, {"Authorization": None}]:
        answer = service.http.get(service.url + path, headers=headers)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
        assert answer.headers["Cache-Control"] in ("no-store", "private, no-cache")
        assert answer.headers["X-Request-Id"]
        assert not any(name.lower().startswith("access-control-") for name in answer.headers)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["type"].startswith("urn:countersign:")


def test_another_site_cannot_call_the_api(service):
    for headers in [{"Origin": "http://evil.example"}, {"Host": "evil.example"}]:
        answer = service.post("/api/v1/reviews", {"title": "x"}, headers=headers)
        assert answer.status_code in (403, 421)
        assert answer.headers["Content-Type"] == "application/problem+json"
