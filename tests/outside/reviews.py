"""Reviews as a company has them, for the pictures and for pages that must hold real content."""

import json

DIRECTORY = """\
[[people]]
email = "ana.lind@example.com"
name = "Ana Lind"
slack = "T01/U02"

[[people]]
email = "bo.okafor@example.com"
name = "Bo Okafor"

[[people]]
email = "carla.mendes@example.com"
name = "Carla Mendes"

[[people]]
email = "pipeline@example.com"
name = "Training pipeline"

[[people]]
email = "deniz.aydin@example.com"
name = "Deniz Aydin"

[groups]
ml-oncall = ["ana.lind@example.com", "bo.okafor@example.com", "carla.mendes@example.com"]
finance = ["carla.mendes@example.com", "bo.okafor@example.com"]
"""

ANA, BO, CARLA = "ana.lind@example.com", "bo.okafor@example.com", "carla.mendes@example.com"
DENIZ = "deniz.aydin@example.com"
CHURN = "Promote churn-model v42 to production"

REVIEWS = [
    {
        "title": CHURN,
        "summary": "Offline AUC rises from **0.871** to **0.893**. The share of flagged rows in the training data is above "
        "the limit of 6 %, so the pipeline stopped.\n\n- `tenure_months` is missing in 212 rows\n- 98 rows have a negative "
        "`monthly_charge`\n\nRoll back with `pipeline rollback churn 41`.",
        "subject": {"kind": "model-promotion", "id": "churn-v42", "sha256": "5d41402abc4b2a76b9719d911017c592"},
        "evidence": [
            {"label": "Flagged rows", "value": "7.4 %"},
            {"label": "AUC", "value": "0.893"},
            {"label": "Customers", "value": "4,190"},
            {
                "label": "Most flagged columns",
                "table": [
                    ["Column", "Missing", "Outliers", "Median"],
                    ["tenure_months", "212", "31", "28"],
                    ["monthly_charge", "0", "98", "61.9"],
                    ["support_calls", "17", "44", "2"],
                ],
            },
            {"label": "Full report", "url": "https://reports.example.com/churn-v42"},
        ],
        "requester": {"email": "pipeline@example.com"},
        "reviewers": [{"group": "ml-oncall"}],
        "policy": {"quorum": 2},
        "risk": "high",
        "expires_in": "PT6H",
        "request_key": "churn-v42",
    },
    {
        "title": "Load yesterday's orders although 2 of 31 stores sent none",
        "requester": {"email": "pipeline@example.com"},
        "reviewers": [{"email": BO}, {"email": ANA}],
        "expires_in": "PT40M",
    },
    {
        "title": "Refund € 12,400 to Nordlicht GmbH",
        "requester": {"email": ANA},
        "reviewers": [{"group": "finance"}],
        "policy": {"quorum": 2},
        "risk": "high",
        "expires_in": "P2D",
    },
    {
        "title": "Support agent wants to e-mail 3,120 customers",
        "reviewers": [{"email": CARLA}],
        "risk": "low",
        "expires_in": "PT3H",
    },
    {
        "title": "Deploy checkout 2.18 during the freeze",
        "requester": {"email": DENIZ},
        "reviewers": [{"group": "ml-oncall"}],
        "policy": {"quorum": 3},
        "expires_in": "P1D",
    },
    {"title": "Delete 18,204 inactive accounts", "requester": {"email": CARLA}, "reviewers": [{"email": ANA}]},
    {"title": "Rotate the signing key of the partner API", "requester": {"email": BO}, "reviewers": [{"email": ANA}]},
    {"title": "Scale the search cluster to 12 nodes", "reviewers": [{"email": CARLA}], "expires_in": "PT1S"},
]


def fill(service) -> dict[str, str]:
    """A directory and reviews in every state; their ids by title."""
    applied = service.run("directory", "apply", "-", given=DIRECTORY)
    assert applied.returncode == 0, applied.stderr
    ids = {}
    for request in REVIEWS:
        done = service.run("request", "-", "--json", given=json.dumps(request))
        assert done.returncode == 0, done.stderr
        ids[request["title"]] = json.loads(done.stdout)["review_id"]
    refused = service.post("/api/v1/reviews", {"title": "Grant admin rights to the backup robot", "reviewers": [{"group": "security"}]})
    assert refused.status_code == 422, refused.text
    for title, email, choice, reason in [
        (CHURN, ANA, "approve", "Checked the negative charges: they are refunds."),
        ("Deploy checkout 2.18 during the freeze", ANA, "approve", "Small, and it can be switched off."),
        ("Deploy checkout 2.18 during the freeze", CARLA, "approve", ""),
        ("Delete 18,204 inactive accounts", ANA, "reject", "The export for the auditors has not run yet."),
        ("Rotate the signing key of the partner API", ANA, "approve", "Partners were told on Monday."),
    ]:
        seen = service.review(ids[title])["seen_digest"]
        body = {"person": {"email": email}, "choice": choice, "seen_digest": seen} | ({"reason": reason} if reason else {})
        answer = service.post(f"/api/v1/reviews/{ids[title]}/votes", body)
        assert answer.ok, answer.text
    return ids
