"""What infra/ sets up of Slack, mail and alerts."""

import json
import re
from urllib.parse import urlsplit

import yaml

from service import ROOT
from templates import EVERYTHING, FUNCTION, INFRA, MAIN, Resolved, resources

# Which right each method of Slack's needs (reference of each method, "Facts"); a window needs none.
SLACK_SCOPES = {
    "conversations.open": "im:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "views.open": None,
}
# What matching by address calls, for which the operator adds these two: the manifest names them and asks for neither.
MATCHING = {"users.lookupByEmail", "users.info"}
MATCHING_SCOPES = {"users:read", "users:read.email"}


def test_the_slack_app_has_the_rights_that_our_calls_need_and_sends_its_interactions_to_our_route():
    text = (INFRA / "slack-manifest.yaml").read_text()
    manifest = yaml.safe_load(text)
    called = set(re.findall(r'"([a-z]+\.[a-zA-Z]+)"', (ROOT / "services/slack/src/lib.rs").read_text()))
    assert called == set(SLACK_SCOPES) | MATCHING, "a new method needs its right here"
    wanted = set(SLACK_SCOPES.values()) - {None}
    scopes = manifest["oauth_config"]["scopes"]
    assert set(scopes) == {"bot"} and sorted(scopes["bot"]) == sorted(wanted)
    assert all(f"# - {scope}" in text for scope in MATCHING_SCOPES), "off until somebody takes the sign away"
    settings = manifest["settings"]
    assert urlsplit(settings["interactivity"]["request_url"]).path == "/slack/interactions"
    assert '"/slack/interactions"' in (ROOT / "services/gateway/src/slack/mod.rs").read_text()
    assert settings["interactivity"]["is_enabled"] and not settings["socket_mode_enabled"]
    # Whoever is written to has no place to answer that nobody reads.
    assert manifest["features"]["app_home"]["messages_tab_read_only_enabled"] is True


def test_trap_more_than_ten_mails_a_second_suspend_a_subscription_so_alerts_by_mail_are_few():
    """SNS delivers ten mails a second to an address and suspends the subscription of one that is to get more ("Amazon SNS
    quotas"): a burst of ordinary reviews must not silence what somebody has to hear of."""
    subscription = Resolved(MAIN, **EVERYTHING).resources["AlertByEmail"]["Properties"]
    assert subscription["FilterPolicyScope"] == "MessageAttributes"
    [(word, ways)] = subscription["FilterPolicy"].items()
    assert word == "$or" and ways == [{"risk": ["high"]}, {"detail_type": ["WorkflowResumeFailed"]}]
    sets = (ROOT / "services/projector/src/sns.rs").read_text()
    assert all(f'("{attribute}", ' in sets for way in ways for attribute in way), "attributes that a message has"


def test_trap_who_decides_is_never_asked_through_a_subscription_that_a_followed_link_ends():
    """Each mail of an SNS subscription has a link that ends it, and scanners follow it. So people are asked by SES alone, and
    the topic has no subscriber but those of the parameters: a second, louder way that nobody's decision rests on."""
    subscriptions = resources(MAIN, "AWS::SNS::Subscription")
    ends = {name: each["Properties"]["Endpoint"] for name, each in subscriptions.items()}
    assert ends == {"AlertByEmail": {"Ref": "AlertEmail"}, "AlertBySms": {"Ref": "AlertPhone"}, "AlarmByEmail": {"Ref": "OperatorEmail"}}
    notifier = resources(MAIN, FUNCTION)["Notifier"]["Properties"]["Environment"]["Variables"]
    assert "SES_FROM" in notifier and "Topic" not in repr(notifier)
    assert "Unsubscribe" not in (ROOT / "services/projector/src/sns.rs").read_text()
    assert "--authenticate-on-unsubscribe true" in (INFRA / "README.md").read_text(), "how to keep a link from ending one"


def test_the_provider_of_sign_ins_has_an_alarm_where_there_is_one():
    assert "ProviderFailuresAlarm" not in Resolved(MAIN).resources
    assert Resolved(MAIN, **EVERYTHING).resources["ProviderFailuresAlarm"]["Properties"]["MetricName"] == "ProviderFailures"


def test_a_burst_of_votes_by_people_who_may_not_vote_has_an_alarm_in_every_stack():
    alarm = Resolved(MAIN).resources["SuspectVotesAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"], alarm["Dimensions"]) == ("SuspectVotes", "Sum", 300, [])
    assert alarm["Threshold"] == {"Ref": "SuspectVotes"} and alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    # Where votes come in, they are counted: the API, pages and Slack in one function, the bus in the other.
    for function in ("gateway", "intake"):
        assert "self.metrics.suspects(" in (ROOT / f"services/{function}/lambda/src/function.rs").read_text(), function


def test_no_mail_is_tracked():
    """Who opens a mail, and who follows its link, SES would learn by a picture and by leading the link through a counter: it
    does so when a configuration set has a destination for these events, and by a domain of its own when it is given one."""
    [settings] = resources(MAIN, "AWS::SES::ConfigurationSet").values()
    assert "TrackingOptions" not in settings["Properties"] and "VdmOptions" not in settings["Properties"]
    destinations = [each["Properties"]["EventDestination"] for each in resources(MAIN, "AWS::SES::ConfigurationSetEventDestination").values()]
    events = {event for each in destinations for event in each["MatchingEventTypes"]}
    assert events == {"bounce", "complaint", "reject"} and not events & {"open", "click"}
    senders = [each["Properties"]["Environment"]["Variables"] for each in resources(MAIN, FUNCTION).values()]
    assert all(each["SES_CONFIGURATION_SET"] == {"Ref": "MailSettings"} for each in senders if "SES_FROM" in each)


def test_the_rule_takes_in_our_mails_that_came_back_and_nobody_elses(emulator):
    pattern = resources(MAIN)["ReturnedRule"]["Properties"]["EventPattern"]
    assert pattern["detail"]["mail"]["tags"] == {"ses:configuration-set": [{"Ref": "MailSettings"}]}
    pattern["detail"]["mail"]["tags"]["ses:configuration-set"] = ["countersign"]
    event = {"id": "1", "account": "111122223333", "source": "aws.ses", "time": "2026-11-25T00:00:00Z", "region": "us-east-1",
             "resources": [], "version": "0", "detail-type": "Email Bounced", "detail": {}}

    def matches(set_: str = "countersign", **changes) -> bool:
        detail = {"eventType": "Bounce", "mail": {"messageId": "1", "tags": {"ses:configuration-set": [set_], "other": ["x"]}}}
        tried = event | {"detail": detail} | changes
        return emulator.events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(tried))["Result"]

    for kind in ("Email Bounced", "Email Complaint Received", "Email Rejected"):
        assert matches(**{"detail-type": kind}), kind
    for kind in ("Email Sent", "Email Delivered", "Email Delivery Delayed", "Email Opened", "Email Clicked"):
        assert not matches(**{"detail-type": kind}), kind
    assert not matches("another") and not matches(source="com.example") and not matches(**{"replay-name": "r"})
