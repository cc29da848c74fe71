//! The cells of the matrix that must never change, written by hand: a snapshot can be blessed by
//! mistake, this cannot. All with `token-1` waiting.

use events::{
    Event, Period, PersonId,
    event::{Channel, VoteRefusal},
    request::OnEnd,
};
use review::{
    Answer, Command,
    contact::{Kind, Route},
    owed,
};
use serde_json::json;

use crate::{
    commands::{later, reached, reached_on, unreached, vote, when},
    matrix::outcome,
    states::given,
    world::{World, person, request, wish},
};

/// Compares lines of `state | command | outcome` with what is decided.
fn check(expected: &str) {
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [state, command, expected] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else { panic!("{line}") };
        let decision = given(state, Some("token-1")).decide(&when(command));
        assert_eq!(outcome(&decision.answer, &decision.events), expected, "{line}");
    }
}

#[test]
fn invariant_02_the_first_final_event_wins_and_the_second_person_is_told_which() {
    check(
        "
        open, 1 of 2 | bob approves      | decided: VoteCast + ReviewDecided
        open, 1 of 2 | bob rejects       | decided: VoteCast + ReviewDecided
        open         | operator cancels  | ended: ReviewCancelled
        approved     | bob rejects       | not_counted (already_decided, approved): VoteRefused
        rejected     | bob approves      | not_counted (already_decided, rejected): VoteRefused
        expired      | bob approves      | not_counted (expired, expired): VoteRefused
        cancelled    | bob approves      | not_counted (cancelled, cancelled): VoteRefused
        approved     | operator cancels  | ended_before (approved)
        rejected     | operator cancels  | ended_before (rejected)
        expired      | operator cancels  | ended_before (expired)
        approved     | expire            | ended_before (approved)
        cancelled    | expire            | ended_before (cancelled)
        ",
    );
    let late = given("approved", None).decide(&vote("cy@x.com", "reject"));
    let Answer::NotCounted { why: VoteRefusal::AlreadyDecided, ending: Some(ending) } = late.answer else { panic!("{late:?}") };
    let review::Ending::Decided { decided_by, .. } = ending.what else { panic!("{ending:?}") };
    assert_eq!(decided_by, [person("ana@x.com"), person("bob@x.com")]);
}

#[test]
fn invariant_03_only_those_who_were_asked_may_vote_and_never_the_requester() {
    check(
        "
        open         | outsider approves              | not_counted (not_a_reviewer): VoteRefused
        open, 1 of 2 | outsider approves              | not_counted (not_a_reviewer): VoteRefused
        open, 1 of 2 | outsider comments              | not_counted (not_a_reviewer): VoteRefused
        open, 1 of 2 | requester approves             | not_counted (own_request): VoteRefused
        open, 1 of 2 | requester rejects              | not_counted (own_request): VoteRefused
        open, 1 of 2 | bob approves, untrusted source | not_counted (untrusted_source): VoteRefused
        open, 1 of 2 | bob approves another digest    | not_counted (other_subject): VoteRefused
        open, 1 of 2 | ana approves by slack          | already_counted
        open, 1 of 2 | cy of the group approves       | decided: VoteCast + ReviewDecided
        approved     | outsider approves              | not_counted (not_a_reviewer): VoteRefused
        ",
    );
}

#[test]
fn invariant_09_expiry_holds_at_the_moment_of_the_vote() {
    check(
        "
        open, past deadline | bob approves       | not_counted (expired, expired): ReviewExpired + VoteRefused
        open, past deadline | bob rejects        | not_counted (expired, expired): ReviewExpired + VoteRefused
        open, past deadline | operator cancels   | ended_before (expired): ReviewExpired
        open, past deadline | asks, new token    | superseded: ReviewExpired
        open, past deadline | expire             | ended: ReviewExpired
        open, 1 of 2        | expire             | not_due
        ",
    );
    let mut world = given("open, past deadline", None);
    world.now = events::Timestamp::from_millis(world.now.millis() - 1).expect("a time");
    assert_eq!(world.decide(&vote("bob@x.com", "approve")).answer.name(), "decided", "a millisecond before");
}

#[test]
fn invariant_05_every_token_is_attached_once_and_a_later_one_asks_again_after_expiry() {
    check(
        "
        open      | asks, same token     | found
        open      | asks, new token      | found: ResumeAttached
        approved  | asks, new token      | found: ResumeAttached
        rejected  | asks, new token      | found: ResumeAttached
        expired   | asks, new token      | superseded
        cancelled | asks, new token      | superseded
        expired   | asks, same token     | found
        open      | asks, other subject  | key_reused (/subject)
        approved  | asks, other subject  | key_reused (/subject)
        open      | told token-1         | not_due
        approved  | told token-1         | noted: WorkflowResumed
        refused   | told token-1         | noted: WorkflowResumed
        ",
    );
}

#[test]
fn only_who_asked_or_the_operator_may_cancel() {
    check(
        "
        open | requester cancels    | ended: ReviewCancelled
        open | source cancels       | ended: ReviewCancelled
        open | other person cancels | not_yours
        open | other source cancels | not_yours: OutsideEventRefused
        approved | other person cancels | not_yours
        ",
    );
}

#[test]
fn a_review_is_withdrawn_when_the_last_workflow_that_waited_for_it_has_ended() {
    check(
        "
        open                    | execution of token-1 stopped | ended: WorkflowEnded + ReviewCancelled
        open, 1 of 2            | execution of token-1 stopped | ended: WorkflowEnded + ReviewCancelled
        open                    | execution of token-2 stopped | not_found
        absent                  | execution of token-1 stopped | not_found
        refused                 | execution of token-1 stopped | noted
        open, token-2 waits too | execution of token-1 stopped | noted: WorkflowEnded
        open, token-2 waits too | execution of token-2 stopped | noted: WorkflowEnded
        open, token-2 waited too and is gone | execution of token-2 stopped | noted
        open, token-2 waited too and is gone | execution of token-1 stopped | ended: WorkflowEnded + ReviewCancelled
        open, past deadline     | execution of token-1 stopped | ended_before (expired): WorkflowEnded + ReviewExpired
        approved                | execution of token-1 stopped | ended_before (approved)
        rejected                | execution of token-1 stopped | ended_before (rejected)
        expired                 | execution of token-1 stopped | ended_before (expired)
        cancelled               | execution of token-1 stopped | ended_before (cancelled)
        open                    | execution claims to cancel   | not_yours
        ",
    );
    let nameless = |token: &str| {
        let mut wish = wish(request(json!({})), Some(token));
        if let Command::Request(wish) = &mut wish {
            wish.resume.as_mut().expect("waits").execution_arn = None;
        }
        wish
    };
    let world = given("open", Some("token-1")).then(nameless("token-3"));
    assert_eq!(
        world.decide(&when("execution of token-1 stopped")).answer,
        Answer::Noted,
        "who knows whether token-3 still waits"
    );
    let world = given("open", None).then(wish(request(json!({})), Some("token-1")));
    assert_eq!(world.decide(&when("execution of token-1 stopped")).answer, Answer::Noted, "somebody asked without a workflow");
}

#[test]
fn invariant_05_a_workflow_that_ended_by_itself_is_owed_nothing_and_the_others_are_told() {
    let gone = given("open", Some("token-1")).then(when("execution of token-1 stopped"));
    assert_eq!(owed::resumptions(&gone.fold.state, gone.now).count(), 0);
    let world = given("open, token-2 waited too and is gone", Some("token-1")).then(when("operator cancels"));
    let owed: Vec<_> = owed::resumptions(&world.fold.state, world.now).map(|waiting| waiting.resume.token_hash).collect();
    assert_eq!(owed, [crate::world::token_hash("token-1")]);
}

#[test]
fn invariant_06_a_request_that_nobody_could_approve_is_refused_with_every_reason() {
    let pointers = |changes| match World::new().decide(&wish(request(changes), None)).answer {
        Answer::Unapprovable(faults) => faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>(),
        answer => panic!("{answer:?}"),
    };
    assert_eq!(
        pointers(json!({"reviewers": [{"group": "a"}, {"group": "oncall"}, {"group": "b"}]})),
        ["/reviewers/0/group", "/reviewers/2/group"]
    );
    assert_eq!(pointers(json!({"reviewers": [{"email": "ana@x.com"}, {"slack": "T1/ANA"}]})), ["/reviewers"], "one person twice");
    assert_eq!(
        pointers(json!({"reviewers": [{"email": "rita@x.com"}, {"email": "ana@x.com"}]})),
        ["/reviewers"],
        "the requester aside"
    );
    let resume = json!({"task_token": "t", "deadline": "2026-11-23T04:00:00Z"});
    let mut late = wish(request(json!({"resume": resume})), Some("token-1"));
    if let Command::Request(wish) = &mut late {
        wish.resume.as_mut().expect("waits").deadline = Some(later(0));
    }
    let Answer::Unapprovable(faults) = World::new().decide(&late).answer else { panic!("opened for a workflow that has gone") };
    assert_eq!(faults[0].pointer, "/resume/deadline");
}

#[test]
fn a_review_never_outlives_the_workflow_that_waits_on_it() {
    let mut wish = wish(request(json!({})), Some("token-1"));
    if let Command::Request(wish) = &mut wish {
        wish.resume.as_mut().expect("waits").deadline = Some(later(90));
    }
    let Event::ReviewRequested(opened) = World::new().decide(&wish).events.remove(0) else { panic!("not opened") };
    assert_eq!((opened.expires_at, opened.on_expiry), (later(90), OnEnd::Fail));
}

#[test]
fn invariant_03_the_requester_votes_when_the_policy_says_so_in_words_and_they_were_asked() {
    let policy = json!({"quorum": 1, "self_approval": "allowed"});
    let answer = |changes| World::new().then(wish(request(changes), None)).decide(&vote("rita@x.com", "approve")).answer;
    assert_eq!(answer(json!({"policy": policy})).name(), "decided");
    let not_asked = answer(json!({"policy": policy, "reviewers": [{"email": "ana@x.com"}]}));
    assert_eq!(not_asked, Answer::NotCounted { why: VoteRefusal::OwnRequest, ending: None });
}

#[test]
fn invariant_03_an_earlier_approval_stops_counting_when_its_giver_turns_out_to_be_the_requester() {
    let mut world = World::new();
    world.group("oncall", &["cy@x.com", "slack:T1/RITA"]);
    let mut world = world.then(wish(request(json!({})), None)).then(vote("slack:T1/RITA", "approve"));
    world.register("rita@x.com", &["slack:T1/RITA"]);
    let decision = world.does(&vote("bob@x.com", "approve"));
    assert_eq!(decision.answer, Answer::Counted { verdict: None }, "the requester's own approval made the quorum");
    let decision = world.does(&vote("cy@x.com", "approve"));
    let Some(Event::ReviewDecided(decided)) = decision.events.last() else { panic!("{decision:?}") };
    assert_eq!(decided.decided_by, [person("bob@x.com"), person("cy@x.com")]);
}

#[test]
fn two_ids_of_one_person_are_one_approval_even_when_that_is_learnt_later() {
    let mut world = World::new();
    world.group("oncall", &["slack:T1/BOB"]);
    let mut world = world.then(wish(request(json!({})), None)).then(vote("slack:T1/BOB", "approve"));
    world.register("bob@x.com", &["slack:T1/BOB"]);
    assert_eq!(world.does(&vote("bob@x.com", "approve")).answer.name(), "already_counted", "one person made a quorum of two");
    assert_eq!(world.does(&vote("ana@x.com", "approve")).answer.name(), "decided");
}

fn owed_to(world: &World) -> Vec<PersonId> {
    let email = Route { channel: Channel::Email, by: &[Kind::Email], reminds: false, tells_end: false, updates: false };
    let owed = owed::messages(world.fold.state.review().expect("open"), &world.directory, &[email], world.now);
    owed.into_iter().map(|owed| owed.person.into()).collect()
}

#[test]
fn everybody_who_may_decide_is_asked_until_reached_by_any_of_their_ids() {
    let mut world = given("open", None);
    let [ana, bob, cy] = ["ana@x.com", "bob@x.com", "cy@x.com"].map(person);
    assert_eq!(owed_to(&world), [ana, bob.clone(), cy.clone()], "not the requester, who may not decide");
    world.does(&Command::Notices(vec![reached("slack:T1/ANA"), unreached("bob@x.com", Some(later(60)))]));
    assert_eq!(owed_to(&world), [cy], "Ana was reached under her other id; Bob's next try is later");
    world.pass(Period::seconds(60));
    assert_eq!(owed_to(&world)[0], bob);
    world.does(&Command::Notices(vec![unreached("bob@x.com", None)]));
    assert!(!owed_to(&world).contains(&bob), "given up");
}

#[test]
fn a_retry_that_another_channel_made_needless_is_not_due() {
    let mut world = given("open", None);
    let before = owed::next_due(&world.fold.state);
    world.does(&Command::Notices(vec![unreached("bob@x.com", Some(later(60)))]));
    assert_eq!(owed::next_due(&world.fold.state), Some(later(60)));
    world.does(&Command::Notices(vec![reached_on("bob@x.com", Channel::Slack)]));
    assert_eq!(owed::next_due(&world.fold.state), before);
}

#[test]
fn a_flood_of_refused_votes_does_not_fill_the_log() {
    let mut world = given("open", None);
    for n in 0..150 {
        assert_eq!(world.does(&vote(&format!("eve{n}@x.com"), "approve")).answer.name(), "not_counted");
    }
    assert_eq!(world.history().iter().filter(|event| **event == "VoteRefused").count(), 100);
}
