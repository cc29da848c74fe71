"""The report of one review as it comes out of a printer."""

import json
import re

import pytest

from browsing import decide

ANA = "ana@example.com"
# A4 less the margins that the report asks for (16 mm each side), at 96 pixels an inch.
PAPER = {"width": round((210 - 32) / 25.4 * 96), "height": round((297 - 36) / 25.4 * 96)}
TITLE = "Promote churn-model v42"
WIDE = "unbroken" * 60


@pytest.fixture
def report(service, browsing):
    """A decided review with much evidence, some of it with nowhere to break a line."""
    evidence = [{"label": f"Check {number}", "value": f"{number} of 40 000 rows"} for number in range(40)]
    fields = {
        "title": TITLE,
        "reviewers": [{"email": ANA}],
        "summary": "A table:\n\n| column | rows |\n|---|---|\n| " + WIDE + " | 7 |\n",
        "subject": {"kind": "model-promotion", "id": WIDE},
        "evidence": [*evidence, {"label": WIDE[:60], "value": WIDE}, {"label": "Report", "url": f"https://example.com/{WIDE}"}],
    }
    (service.folder / "review.json").write_text(json.dumps(fields))
    service.run("request", "review.json")
    page = browsing.open(service.link(TITLE, ANA))
    decide(page, "Approve", "the report is sound")
    [review] = service.http.get(f"{service.url}/api/v1/reviews", params={"status": "approved"}).json()["reviews"]
    page = browsing.operator(service)
    page.set_viewport_size(PAPER)
    page.emulate_media(media="print")
    page.goto(f"{service.url}/reviews/{review['review_id']}/report")
    return page


def test_a_report_prints_on_a4_and_nothing_is_cut_off(report):
    beyond = report.evaluate(
        """width => [...document.body.querySelectorAll('*')]
            .filter(each => each.getBoundingClientRect().right > width + 1).map(each => each.outerHTML.slice(0, 90))""",
        PAPER["width"],
    )
    assert beyond == [], "these reach beyond the paper"
    hidden = report.evaluate(
        """() => [...document.body.querySelectorAll('*')]
            .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== 'visible')
            .map(each => each.outerHTML.slice(0, 90))"""
    )
    assert hidden == [], "nobody can scroll on paper"
    assert "the report is sound" in report.inner_text("body") and "Check 39" in report.inner_text("body")
    paper = report.pdf(prefer_css_page_size=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", paper))
    assert 2 <= pages <= 6, pages
    [size] = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+ [\d.]+)\]", paper))
    width, height = map(float, size.split())
    # In points; A4 is 210 by 297 mm.
    assert abs(width - 595) < 2 and abs(height - 842) < 2, "the paper that the report asks for"
