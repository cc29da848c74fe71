"""An auditor's questions to the deployed service, and what they read to be answered."""

import pytest

from processes import eventually


@pytest.fixture
def decided(stack, pipeline, unique):
    """A review of somebody who asks for nothing else, among others."""
    for number in range(12):
        other = {"title": f"Another of {unique}", "request_key": f"{unique}-{number}", "subject": {"kind": "other", "id": number}}
        stack.put("ReviewRequested", pipeline.request | other | {"requester": {"email": "other@example.com"}})
    requester = f"{unique}@example.com".lower()
    execution, review = pipeline.asked(requester={"email": requester})
    pipeline.decide(review)
    assert execution.ended()["status"] == "SUCCEEDED"
    stack.logged(review, "WorkflowResumed")
    stack.idle()
    return requester, review


def test_an_auditors_question_is_found_by_keys_and_reads_no_table_through(stack, decided, unique):
    requester, review = decided
    assert len({item["pk"] for item in stack.commits()}) > 12
    subject = f"model-promotion/{unique}"
    for question in ({"requester": requester}, {"subject": subject}, {"requester": requester, "outcome": "approved"}):
        mark = len(stack.proxy.since())

        def ask():
            answer = stack.get("/api/v1/audit", params=question)
            assert answer.status_code == 200, answer.text
            return answer.json()["audit"]

        [found] = eventually(f"an answer to {question}", ask, seconds=20)

        assert found["review_id"] == review, question
        # A scan is the clock's: the gateway's role has no right to one (test_infra_permissions.py).
        read = [call.answered() for call in stack.proxy.since(mark) if call.service == "dynamodb" and call.action == "Query"]
        assert all(answer["ScannedCount"] == answer["Count"] for answer in read), question
        rows = sum(answer["Count"] for answer in read)
        assert 0 < rows < 40, f"{question} read {rows} items"

