//! What a waiting workflow is told: the output or error of every ending, within Step Functions' limits.

use events::event::Canceller;
use review::{
    Command,
    task::{TaskAnswer, answer},
};
use serde_json::{Value, json};

use crate::{
    commands::{cancel, refuse, vote},
    states::given,
    world::{World, person, request, wish},
};

/// The longest output of a task in bytes (Step Functions quotas).
const OUTPUT_LIMIT: usize = 256 * 1024;
/// The longest cause in characters (API reference, `SendTaskFailure`).
const CAUSE_LIMIT: usize = 32_768;

fn told(world: &World) -> TaskAnswer {
    answer(&world.fold.state).expect("an answer")
}

/// The error name (`success` for none) and the JSON that comes with it.
fn read(answer: &TaskAnswer) -> (&'static str, Value) {
    let (error, text) = match answer {
        TaskAnswer::Success { output } => ("success", output),
        TaskAnswer::Failure { error, cause } => (*error, cause),
    };
    (error, serde_json::from_str(text).expect("JSON"))
}

fn open(changes: Value) -> World {
    World::new().then(wish(request(changes), Some("token-1")))
}

#[test]
fn nothing_is_told_while_a_review_is_open() {
    for state in ["absent", "open", "open, 1 of 2", "open, changes asked", "open, past deadline"] {
        assert_eq!(answer(&given(state, Some("token-1")).fold.state), None, "{state}");
    }
}

#[test]
fn invariant_05_every_ending_has_its_error_name_and_no_setting_turns_another_into_an_approval() {
    for (on_end, rejected, expired) in
        [("fail", "Countersign.Rejected", "Countersign.Expired"), ("succeed", "success", "success")]
    {
        let asked = || open(json!({"on_reject": on_end, "on_expiry": on_end, "policy": {"quorum": 1}}));
        let mut late = asked();
        late.now = late.fold.state.review().expect("open").request.expires_at;
        for (world, error, outcome) in [
            (asked().then(vote("ana@x.com", "approve")), "success", "approved"),
            (asked().then(vote("ana@x.com", "reject")), rejected, "rejected"),
            (late.then(Command::Expire), expired, "expired"),
            (asked().then(cancel(Canceller::Operator)), "Countersign.Cancelled", "cancelled"),
        ] {
            let (found, text) = read(&told(&world));
            assert_eq!((found, text["outcome"].as_str()), (error, Some(outcome)), "on_end {on_end}: {text}");
        }
    }
}

#[test]
fn a_refused_request_fails_its_workflow_with_every_fault() {
    use events::event::RefusalKind::{Invalid, KeyReused, Unapprovable};
    for (kind, name) in
        [(Invalid, "Countersign.Refused"), (Unapprovable, "Countersign.Refused"), (KeyReused, "Countersign.KeyReused")]
    {
        let Command::Refuse(mut refusal) = refuse(Some("token-1")) else { panic!("no refusal") };
        refusal.kind = kind;
        let TaskAnswer::Failure { error, cause } = told(&World::new().then(Command::Refuse(refusal))) else {
            panic!("succeeded")
        };
        assert_eq!(error, name);
        assert!(cause.contains("/title: expected a text") && cause.contains("/reviewers: expected an array"), "{cause}");
    }
}

#[test]
fn the_output_says_who_decided_what_and_why() {
    let world = given("approved", Some("token-1"));
    let review = world.fold.state.review().expect("a review");
    let (_, output) = read(&told(&world));
    assert_eq!(
        output,
        json!({
            "review_id": review.id,
            "outcome": "approved",
            "reason": "bob@x.com says so",
            "decided_at": review.ending.as_ref().expect("ended").at,
            "decided_by": ["ana@x.com", "bob@x.com"],
            "votes": [
                {"person": "ana@x.com", "choice": "approve", "reason": "ana@x.com says so", "at": review.votes[0].at},
                {"person": "bob@x.com", "choice": "approve", "reason": "bob@x.com says so", "at": review.votes[1].at},
            ],
            "subject_digest": review.request.subject_digest,
            "action_digest": review.request.action_digest(),
            "seen_digest": review.request.seen_digest(),
        })
    );
}

/// A vote with a reason of this many bytes, of `letter`s.
fn long_winded(who: &str, choice: &str, letter: &str, bytes: usize) -> Command {
    let Command::Vote(mut vote) = vote(who, choice) else { panic!("no vote") };
    vote.reason = Some(letter.repeat(bytes / letter.len()));
    Command::Vote(vote)
}

#[test]
fn a_hundred_votes_with_the_longest_reasons_fit_in_an_answer() {
    let members: Vec<String> = (0..100).map(|n| format!("{}{n}@x.com", "u".repeat(60))).collect();
    // One letter of one byte, of three, of four, and one that JSON writes as six.
    for letter in ["a", "審", "🔏", "\u{1}"] {
        for (last, error, limit) in [("approve", "success", OUTPUT_LIMIT), ("reject", "Countersign.Rejected", CAUSE_LIMIT)] {
            let mut world = World::new();
            world.group("everybody", &members.iter().map(String::as_str).collect::<Vec<_>>());
            let changes = json!({"reviewers": [{"group": "everybody"}], "policy": {"quorum": 100}});
            let mut world = world.then(wish(request(changes), Some("token-1")));
            for member in &members[..99] {
                world = world.then(long_winded(member, "approve", letter, 4_000));
            }
            world = world.then(long_winded(&members[99], last, letter, 4_000));
            let told = told(&world);
            let (found, text) = read(&told);
            assert_eq!(found, error);
            assert!(
                text["decided_by"]
                    .as_array()
                    .expect("people")
                    .contains(&json!(members[99].parse::<events::PersonId>().expect("a person")))
            );
            let (TaskAnswer::Success { output: text } | TaskAnswer::Failure { cause: text, .. }) = &told;
            match told {
                TaskAnswer::Success { .. } => assert!(text.len() <= limit, "{} bytes of {letter:?}", text.len()),
                TaskAnswer::Failure { .. } => {
                    assert!(text.chars().count() <= limit, "{} characters of {letter:?}", text.chars().count())
                }
            }
        }
    }
}

#[test]
fn a_few_votes_keep_their_reasons_and_many_keep_who_said_what() {
    let reasons = |world: &World| {
        let (_, cause) = read(&told(world));
        cause["votes"].as_array().expect("votes").iter().map(|vote| vote["reason"].is_string()).collect::<Vec<_>>()
    };
    let voted = |bytes| {
        open(json!({})).then(long_winded("ana@x.com", "approve", "a", bytes)).then(long_winded("bob@x.com", "reject", "b", 100))
    };
    assert_eq!(reasons(&voted(4_000)), [true, true]);
    assert_eq!(reasons(&voted(40_000)), [false, false]);
}

#[test]
fn a_reason_beyond_any_limit_still_leaves_a_cause_that_can_be_read() {
    let reason = Some("\u{1}".repeat(20_000));
    let world = open(json!({})).then(Command::Cancel { by: Canceller::Requester(person("rita@x.com")), reason });
    let told = told(&world);
    let (error, cause) = read(&told);
    assert_eq!((error, &cause["outcome"], &cause["reason"]), ("Countersign.Cancelled", &json!("cancelled"), &Value::Null));
    let TaskAnswer::Failure { cause, .. } = told else { panic!("succeeded") };
    assert!(cause.chars().count() <= CAUSE_LIMIT);
}

#[test]
fn a_refusal_with_very_many_faults_is_cut_at_a_whole_letter() {
    let Command::Refuse(mut refusal) = refuse(Some("token-1")) else { panic!("no refusal") };
    refusal.faults = (0..2_000).map(|n| events::Fault::new(format!("/審査/{n}"), "審査🔏")).collect();
    let TaskAnswer::Failure { cause, .. } = told(&World::new().then(Command::Refuse(refusal))) else { panic!("succeeded") };
    assert!(cause.ends_with('…') && cause.chars().count() <= CAUSE_LIMIT, "{}", cause.chars().count());
}
