"""The people of the tests that decide in Slack, and what they look at."""

from processes import eventually

DIRECTORY = """\
[[people]]
email = "ana@example.com"
name = "Ana Lind"
slack = "T01/U01"

[[people]]
email = "bo@example.com"
name = "Bo Okafor"
slack = "T01/U02"

[[people]]
email = "cy@example.com"
name = "Cy"
"""
ANA, BO, CY = ({"email": f"{name}@example.com"} for name in ("ana", "bo", "cy"))
DORA = {"email": "dora@example.com"}
OLD_SECRET = "an-older-signing-secret"


def votes(service, review: str) -> list[dict]:
    return [event for event in service.log(review) if event["type"] in ("VoteCast", "VoteRefused")]


def ended(slack, place, *words: str) -> None:
    """The card has no live buttons any more and says how it ended."""
    eventually(f"{place} shows {words}", lambda: slack.buttons(place) == {} and all(word in slack.shown(place) for word in words), 20)
