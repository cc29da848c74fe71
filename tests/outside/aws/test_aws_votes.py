"""Who votes on the deployed service, and by which way."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from pipeline import REVIEWER
from processes import environment, eventually, http
from service import BINARY
from stack import TRUSTED


def bus_vote(review, choice="approve"):
    return {"review_id": review, "person": {"email": REVIEWER}, "choice": choice, "reason": "seen in our own tool"}


def test_a_vote_by_the_bus_counts_from_the_source_that_the_deployment_trusts(stack, pipeline):
    execution, review = pipeline.asked()

    stack.put("VoteSubmitted", bus_vote(review), source=TRUSTED)

    assert execution.ended()["status"] == "SUCCEEDED"
    [vote] = stack.logged(review, "VoteCast")
    assert vote["channel"] == "bus"


def test_a_vote_by_the_bus_from_any_other_source_is_refused_on_record(stack, pipeline):
    execution, review = pipeline.asked()

    stack.put("VoteSubmitted", bus_vote(review), source="com.example.somebody")

    stack.logged(review, "VoteRefused")
    assert execution.describe()["status"] == "RUNNING"
    assert "ReviewDecided" not in stack.types(review)


def test_of_16_people_who_vote_at_once_through_the_gateway_one_decides_and_nobody_sees_a_conflict(stack, pipeline):
    people = [f"reviewer{number}@example.com" for number in range(16)]
    execution, review = pipeline.asked(reviewers=[{"email": person} for person in people])

    def vote(number: int):
        choice = "approve" if number % 2 else "reject"
        return stack.vote(review, people[number], choice)

    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(vote, range(16)))

    log = stack.log(review)
    assert [event["type"] for event in log].count("ReviewDecided") == 1
    assert sum(answer.ok for answer in answers) == 1, [(answer.status_code, answer.text) for answer in answers]
    for answer in answers:
        if not answer.ok:
            # Late is no conflict of writers: the answer says how the review ended.
            assert answer.status_code == 409, f"{answer.text}\n{stack.errors()}"
            assert answer.json()["type"].endswith("already-decided"), answer.text
    outcome = next(event for event in log if event["type"] == "ReviewDecided")["outcome"]
    assert execution.ended()["status"] == {"approved": "SUCCEEDED", "rejected": "FAILED"}[outcome]
    assert [event["type"] for event in stack.logged(review, "WorkflowResumed")] == ["WorkflowResumed"]


def test_a_reviewer_decides_by_the_link_in_the_mail_that_ses_was_given(stack, pipeline):
    execution, review = pipeline.asked()
    text = eventually("a mail about the review", lambda: stack.mails(pipeline.title), seconds=30, every=0.2)[0]
    link = re.search(r"http://\S+/a/[\w.~-]+", text).group(0)
    stack.logged(review, "ReviewNotified")
    before = stack.types(review)
    session = http()

    page = session.get(link, timeout=30)
    assert page.status_code == 200 and pipeline.title in page.text
    assert stack.types(review) == before, "looking changes nothing"
    form = re.search(r"<form[^>]*method=\"post\".*?</form>", page.text, re.DOTALL).group(0)
    hidden = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", form)
    fields = {re.search(r'name="([^"]*)"', tag).group(1): re.search(r'value="([^"]*)"', tag).group(1) for tag in hidden}
    target = stack.front.url + re.search(r'action="([^"]*)"', form).group(1)
    fields |= {"choice": "approve", "reason": "by the link"}
    done = session.post(target, data=fields, headers={"Origin": stack.front.url}, timeout=30)

    assert done.ok, (done.status_code, done.text)
    assert execution.ended()["status"] == "SUCCEEDED"
    [vote] = stack.logged(review, "VoteCast")
    assert (vote["person"], vote["channel"]) == (REVIEWER, "web")
    assert "entered_by" not in vote, "nobody entered it for them"


def test_a_script_that_asks_the_gateway_and_waits_ends_with_the_outcome(stack, tmp_path, unique):
    key = tmp_path / "operator.key"
    key.touch(mode=0o600)
    key.write_text(stack.operator_key + "\n")
    tmp_path.chmod(0o700)
    request = {"title": f"Deploy {unique}", "reviewers": [{"email": REVIEWER}]}
    settings = environment(COUNTERSIGN_URL=stack.front.url, COUNTERSIGN_DATA=str(tmp_path))
    pipe = subprocess.PIPE
    asking = subprocess.Popen([str(BINARY), "request", "-", "--wait"], env=settings, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    asking.stdin.write(json.dumps(request))
    asking.stdin.close()
    review = stack.find(request["title"])
    assert asking.poll() is None, "it waits"

    assert stack.vote(review, REVIEWER, "reject", "not on a Friday").ok

    assert asking.wait(timeout=60) == 1, asking.stderr.read()
