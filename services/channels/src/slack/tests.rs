//! Every message as a reviewed snapshot, and what no message may do whatever a caller wrote.

use std::sync::Arc;

use events::{
    ReviewId, Timestamp,
    event::{Canceller, Changed, Changer, Channel, Choice, Door, ExecutionStatus, V, Verdict, VoteCast},
};
use insta::assert_json_snapshot;
use review::{
    Directory, Ending, Review,
    directory::{Person, Wanted},
    state::Dated,
};
use serde_json::{Value, json};

use super::{
    BLOCKS_MAX, HEADER_MAX, Message, SECTION_MAX, VALUE_MAX, button,
    card::{self, Card},
    modal::{self, Metadata},
    text::length,
};
use crate::keys::Keyring;

const LINK: &str = "https://reviews.example.com/a/AbCd";

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + minutes * 60_000).expect("a time")
}

fn review(changes: &Value) -> Review {
    let digest = "0".repeat(64);
    let mut request = json!({
        "v": 1, "origin": {"account": "1", "source": "com.example.ml", "event_id": "e"},
        "title": "Promote churn-model v42 to production", "subject": {},
        "summary": "Offline AUC rises from **0.871** to **0.893**. See [the run](https://ml.example.com/runs/42).\n\n\
            - `tenure_months` is missing in 212 rows\n- 98 rows have a *negative* charge\n\n1. roll out\n2. watch\n\n\
            ```\npipeline rollback churn 41\n```",
        "evidence": [
            {"label": "Flagged rows", "value": "7.4 %"}, {"label": "Report", "url": "https://ml.example.com/runs/42?a=1&b=2"},
            {"label": "Worst rows", "table": [["id", "charge"], ["1", "-3"], ["2", "-8"]]},
            {"label": "Plot", "image": "data:image/png;base64,AAAA"},
        ],
        "requester": "pipeline@example.com", "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 2},
        "risk": "normal", "expires_at": at(24 * 60), "on_expiry": "fail", "on_reject": "fail",
        "subject_digest": digest, "content_digest": digest,
    });
    for (name, value) in changes.as_object().expect("an object") {
        request[name] = value.clone();
    }
    Review {
        id: ReviewId::for_event("1", "com.example", "e", 1),
        request: serde_json::from_value(request).expect("a request"),
        requested_at: at(0),
        votes: Vec::new(),
        refused_votes: Vec::new(),
        notified: Vec::new(),
        unreached: Vec::new(),
        returned: Vec::new(),
        cards: Vec::new(),
        reminders: Vec::new(),
        waiting: Vec::new(),
        repeats: Vec::new(),
        refused_events: Vec::new(),
        beyond: Vec::new(),
        ending: None,
    }
}

fn directory() -> Directory {
    let person = |name: &str| Person { name: Some(name.to_owned()), ..Person::default() };
    let people = [
        ("ana@example.com", "Ana Lind"),
        ("bo@example.com", "Bo Okafor"),
        ("eve@example.com", HOSTILE),
        ("pipeline@example.com", "Training pipeline"),
    ];
    let mut wanted = Wanted::default();
    for (id, name) in people {
        wanted.add_person(&id.parse().expect("a person"), person(name)).expect("nobody else's ids");
    }
    let mut directory = Directory::default();
    let commit = events::Commit {
        stream: events::StreamId::Directory,
        version: events::Version(1),
        previous: directory.hash,
        hash: directory.hash,
        at: at(0),
        events: directory.changes(&wanted, &Changed::new(Changer::Operator, Door::Api)),
        sealed: None,
    };
    directory.apply(&commit);
    directory
}

fn vote(person: &str, choice: Choice, reason: Option<&str>) -> Dated<Arc<VoteCast>> {
    let subject_digest = "0".repeat(64).parse().expect("a digest");
    let what = VoteCast {
        v: V,
        person: person.parse().expect("a person"),
        choice,
        reason: reason.map(str::to_owned),
        channel: Channel::Slack,
        entered_by: None,
        integration: None,
        matched_account: None,
        acted_as: None,
        subject_digest,
        seen: Some(events::event::Seen::Excerpt),
        seen_digest: None,
    };
    Dated { at: at(5), what: Arc::new(what) }
}

fn message(review: &Review, now: Timestamp) -> Message {
    let keys = Keyring::new(vec![(1, [5; 32])]).expect("keys");
    let button = button::mint(&keys, review.id, events::event::Seen::Excerpt, review.request.seen_digest());
    let message = Card { review, directory: &directory(), button: &button, link: LINK, now }.message();
    check(&message);
    message
}

/// A review, ended like this ten minutes after it was asked for.
fn ended(ending: Ending) -> Message {
    let mut review = review(&json!({}));
    review.votes = vec![vote("ana@example.com", Choice::Approve, Some("Looks right"))];
    ended_as(review, ending)
}

fn ended_as(mut review: Review, ending: Ending) -> Message {
    review.ending = Some(Dated { at: at(10), what: ending });
    let message = message(&review, at(11));
    assert!(!live(&message), "no live buttons on an ended review");
    message
}

fn live(message: &Message) -> bool {
    message.blocks.iter().any(|block| block["type"] == "actions")
}

/// Slack's documented limits, and that only our own markup stands in mrkdwn.
fn check(message: &Message) {
    assert!(message.blocks.len() <= 50 && length(&message.text) <= SECTION_MAX);
    assert!(length(&serde_json::to_string(&message.blocks).expect("JSON")) <= BLOCKS_MAX);
    only_ours(&message.text);
    message.blocks.iter().for_each(check_value);
}

fn check_value(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(check_value),
        Value::Object(object) => {
            let text = object.get("text").and_then(Value::as_str).unwrap_or_default();
            match object.get("type").and_then(Value::as_str) {
                Some("mrkdwn") => {
                    assert!(!text.is_empty() && length(text) <= SECTION_MAX, "{text}");
                    assert_eq!(object["verbatim"], true);
                    only_ours(text);
                }
                Some("plain_text") => {
                    assert!(
                        !text.is_empty() && length(text) <= HEADER_MAX.max(300) && !text.contains(['<', '>', '\n']),
                        "{text}"
                    );
                }
                Some("button") => {
                    assert!(object["text"]["text"].as_str().is_some_and(|text| length(text) <= 75), "{object:?}");
                    assert!(object["action_id"].as_str().is_some_and(|id| length(id) <= 255));
                    assert!(object.get("value").and_then(Value::as_str).is_none_or(|value| length(value) <= VALUE_MAX));
                }
                Some("user" | "usergroup" | "broadcast" | "channel") => panic!("a mention: {object:?}"),
                _ => {}
            }
            object.values().for_each(check_value);
        }
        _ => {}
    }
}

/// Every `<…>` is a date of ours, or a link whose words do not hide where it goes.
fn only_ours(text: &str) {
    for (index, part) in text.split('<').enumerate().filter(|(index, _)| *index > 0) {
        let (inside, _) = part.split_once('>').unwrap_or_else(|| panic!("an open < at {index} in {text}"));
        let ours =
            inside.starts_with("!date^") || inside.starts_with(LINK) || inside.starts_with("http") && !inside.contains('|');
        assert!(ours, "<{inside}> in {text}");
    }
    assert_eq!(text.matches('<').count(), text.matches('>').count(), "{text}");
}

#[test]
fn the_card_asks_shows_the_grounds_and_offers_a_choice() {
    assert_json_snapshot!(message(&review(&json!({})), at(1)));
}

#[test]
fn tables_lists_and_code_keep_their_cells_numbers_and_lines() {
    let card = message(&review(&json!({"summary": crate::mail::tests::IN_BLOCKS, "evidence": []})), at(1));
    insta::assert_snapshot!("in_blocks", card.blocks[2]["text"]["text"].as_str().expect("a text"));
}

#[test]
fn the_heaviest_summaries_become_cards_and_mails_in_a_moment() {
    use events::{event::Purpose, request::SUMMARY_MAX, weight};
    for part in [
        "&",
        "*a* ",
        "- x\n",
        "x\n\n",
        "[a](b)",
        "|a|\n|-|\n",
        "`",
        "<b>",
        "\u{a7}",
        ">",
        "1. ",
        "&amp;",
        "> - x\n\n",
        "[![a](b)](c)",
    ] {
        let whole = part.repeat(SUMMARY_MAX / part.len());
        // The largest that is accepted, and what was before there were limits.
        let most = (1..=20).map(|share| part.repeat(whole.len() / part.len() / share));
        let most = most.into_iter().find(|text| weight::markdown(text).excess().is_none());
        for summary in most.into_iter().chain([whole]) {
            let review = review(&json!({ "summary": summary }));
            let begin = std::time::Instant::now();
            let card = Card { review: &review, directory: &directory(), button: "b", link: LINK, now: at(1) }.message();
            crate::mail::compose(&review, &directory(), "Ana", Purpose::Asked, LINK);
            assert!(begin.elapsed() < std::time::Duration::from_millis(1_500), "{part:?}: {:?}", begin.elapsed());
            check(&card);
        }
    }
}

#[test]
fn the_card_shows_votes_and_how_many_are_missing() {
    let mut review = review(&json!({"risk": "high", "requester": null}));
    review.votes = vec![
        vote("bo@example.com", Choice::RequestChanges, Some("Which rows?\nName them.")),
        vote("ana@example.com", Choice::Approve, None),
        vote("ana@example.com", Choice::Comment, Some("not shown")),
    ];
    assert_json_snapshot!(message(&review, at(6)));
}

#[test]
fn trap_expired_cards_with_live_buttons_every_ending_takes_the_buttons_away() {
    let people = || vec!["ana@example.com".parse().expect("a person"), "bo@example.com".parse().expect("a person")];
    let decided =
        |verdict, reason: Option<&str>| Ending::Decided { verdict, reason: reason.map(str::to_owned), decided_by: people() };
    assert_json_snapshot!("approved", ended(decided(Verdict::Approved, None)));
    assert_json_snapshot!("rejected", ended(decided(Verdict::Rejected, Some("The *wrong* table\n<!channel>"))));
    assert_json_snapshot!("expired", ended(Ending::Expired));
    for (name, by) in cancellers("com.example.ml") {
        assert_json_snapshot!(format!("cancelled_{name}"), ended(Ending::Cancelled { by, reason: Some("Not needed".into()) }));
    }
    // Its time has run out and no timer has said so yet.
    assert!(!live(&message(&review(&json!({})), at(24 * 60))));
}

/// Everybody who may withdraw a review.
fn cancellers(source: &str) -> [(&'static str, Canceller); 4] {
    let arn = "arn:aws:states:eu-central-1:1:execution:churn:run-7".to_owned();
    [
        ("by_the_operator", Canceller::Operator),
        ("by_its_requester", Canceller::Requester("pipeline@example.com".parse().expect("a person"))),
        ("by_its_source", Canceller::Source { account: "1".to_owned(), source: source.to_owned() }),
        ("by_its_workflow", Canceller::Execution { arn, status: ExecutionStatus::Aborted }),
    ]
}

#[test]
fn a_reminder_goes_into_the_thread_and_has_no_buttons_of_its_own() {
    let review = review(&json!({}));
    let message = Card { review: &review, directory: &directory(), button: "", link: LINK, now: at(60) }.reminder();
    check(&message);
    assert!(!live(&message));
    assert_json_snapshot!(message);
}

#[test]
fn a_rejection_is_asked_for_a_reason_and_needs_none_as_at_every_other_door() {
    let metadata =
        |choice| Metadata { button: "b".repeat(152), choice, channel: "D01".into(), message: "1795000000.000100".into() };
    let reject = modal::reason(&review(&json!({})), &metadata(Choice::Reject)).expect("a window");
    let approve = modal::reason(&review(&json!({})), &metadata(Choice::Approve)).expect("a window");
    assert_eq!((&reject["blocks"][1]["optional"], &approve["blocks"][1]["optional"]), (&json!(true), &json!(true)));
    assert_json_snapshot!("window_reject", reject);
    assert_json_snapshot!("window_approve", approve);
    let long = Metadata { button: "b".repeat(3_000), ..metadata(Choice::Reject) };
    assert_eq!(modal::reason(&review(&json!({})), &long), None);
    let ending = Dated { at: at(9), what: Ending::Expired };
    assert_json_snapshot!("window_told", modal::told(&card::ended(&review(&json!({})), &directory(), &ending)));
}

#[test]
fn a_card_says_the_whole_only_when_nothing_that_people_read_is_missing_on_it() {
    let shows =
        |changes: Value| Card { review: &review(&changes), directory: &directory(), button: "b", link: LINK, now: at(1) }.shows();
    let whole = json!({"subject": {}, "summary": "Short.", "evidence": [{"label": "Rows", "value": "7.4 %"}]});
    assert_eq!(shows(whole.clone()), events::event::Seen::Whole);
    for missing in [
        json!({"subject": {"order": 7}}),
        json!({"summary": "word ".repeat(1_000)}),
        json!({"title": "x".repeat(300)}),
        json!({"evidence": [{"label": "Rows", "table": [["a"], ["1"]]}]}),
        json!({"evidence": [{"label": "Plot", "image": "data:image/png;base64,iVBORw0KGgo="}]}),
        json!({"evidence": [{"label": "Log", "value": "line\n".repeat(500)}]}),
        json!({"evidence": (0..20).map(|n| json!({"label": format!("{n}"), "value": "v"})).collect::<Vec<_>>()}),
    ] {
        let mut changes = whole.clone();
        changes.as_object_mut().expect("an object").extend(missing.as_object().expect("an object").clone());
        assert_eq!(shows(changes), events::event::Seen::Excerpt, "{missing}");
    }
}

const HOSTILE: &str = "<!channel> <@U02> <#C01> <!subteam^S01> @here &amp; <https://evil.example|https://good.example> \
    *bold* _it_ `code` ~no~ <b>HTML</b> <script>alert(1)</script> \u{202E}gnp.exe\u{2066} مرحبا 👩‍💻 :tada: | \\";

fn hostile() -> Review {
    let mut hostile = review(&json!({
        "title": HOSTILE, "requester": null, "origin": {"account": "1", "source": HOSTILE, "event_id": "e"},
        "summary": format!("# {HOSTILE}\n\n[https://good.example](https://evil.example)\n\n[x](javascript:alert) ![i](https://evil.example/p.png)\n\n> {HOSTILE}\n\n| a | b |\n|---|---|\n| {HOSTILE} | c |\n\n**open *and open\n\n```\n``` {HOSTILE}"),
        "evidence": [{"label": HOSTILE, "value": HOSTILE}, {"label": "\u{7}", "value": ""}, {"label": "l", "url": "https://evil.example/\n<!channel>"}],
    }));
    hostile.votes = vec![vote("eve@example.com", Choice::Reject, Some(HOSTILE))];
    hostile
}

#[test]
fn trap_what_a_caller_wrote_mentions_nobody_hides_no_link_and_is_nobodys_markup() {
    let tame = |shown: Value| {
        check_value(&shown);
        let json = shown.to_string();
        assert!(!json.contains('\u{202E}') && !json.contains("javascript"), "{json}");
        shown
    };
    let as_json = |message: Message| tame(serde_json::to_value(message).expect("JSON"));
    assert_json_snapshot!("hostile", as_json(message(&hostile(), at(1))));
    let reminder = Card { review: &hostile(), directory: &directory(), button: "", link: LINK, now: at(60) }.reminder();
    check(&reminder);
    assert_json_snapshot!("hostile_reminder", as_json(reminder));

    let eve = || vec!["eve@example.com".parse().expect("a person"), "ana@example.com".parse().expect("a person")];
    let reason = || Some(HOSTILE.to_owned());
    let mut endings = vec![
        ("rejected", Ending::Decided { verdict: Verdict::Rejected, reason: reason(), decided_by: eve() }),
        ("expired", Ending::Expired),
    ];
    endings.extend(cancellers(HOSTILE).map(|(name, by)| (name, Ending::Cancelled { by, reason: reason() })));
    for (name, ending) in endings {
        let dated = Dated { at: at(10), what: ending.clone() };
        assert_json_snapshot!(format!("hostile_{name}"), as_json(ended_as(hostile(), ending)));
        let window = modal::told(&card::ended(&hostile(), &directory(), &dated));
        assert_json_snapshot!(format!("hostile_window_{name}"), tame(window));
    }
    for (name, choice) in [("reject", Choice::Reject), ("approve", Choice::Approve)] {
        let metadata = Metadata { button: "b".into(), choice, channel: "D01".into(), message: "1795000000.000100".into() };
        let window = modal::reason(&hostile(), &metadata).expect("a window");
        assert_json_snapshot!(format!("hostile_window_{name}"), tame(window));
    }
}

#[test]
fn trap_slacks_limits_are_met_by_cutting_with_a_link_never_by_an_error() {
    // 200 KB of evidence, each character five times as long once it is escaped.
    let huge = "&".repeat(2_000);
    let evidence: Vec<Value> = (0..100).map(|_| json!({"label": "&".repeat(200), "value": huge})).collect();
    let many = [
        "<>&\"\\".repeat(10_000),
        "👩‍💻".repeat(4_000),
        format!("{}\n\n", "- x\n").repeat(9_000),
        "`".repeat(50_000),
        "*a ".repeat(16_000),
    ];
    for summary in many {
        let mut review = review(&json!({"title": "\"&".repeat(150), "summary": summary, "evidence": evidence}));
        review.votes =
            (0..100).map(|n| vote(&format!("p{n}@example.com"), Choice::Approve, Some(&"\"<".repeat(2_000)))).collect();
        let message = message(&review, at(1));
        let json = serde_json::to_string(&message.blocks).expect("JSON");
        assert!(json.contains("See everything") && json.contains(LINK) && live(&message), "{json}");
    }
    let long = Card { link: &"l".repeat(4_000), review: &review(&json!({})), directory: &directory(), button: "b", now: at(1) };
    check(&long.message());
    check(&long.reminder());
}
