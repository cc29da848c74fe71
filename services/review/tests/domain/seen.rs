//! Invariant 14: a decision is bound to what the voter had before them.

use events::{
    digest::{SeenDigest, SubjectDigest},
    event::{Seen, VoteRefusal},
};
use review::{Answer, Command, command::Stated};
use serde_json::json;

use crate::{
    commands::{vote, when},
    world::{World, request, wish},
};

fn approve(stated: Stated) -> Command {
    let Command::Vote(mut vote) = vote("bob@x.com", "approve") else { unreachable!("a vote") };
    vote.stated = stated;
    Command::Vote(vote)
}

fn refusal(answer: Answer) -> Option<VoteRefusal> {
    match answer {
        Answer::NotCounted { why, .. } => Some(why),
        _ => None,
    }
}

#[test]
fn invariant_14_a_vote_on_other_content_is_refused_whatever_part_of_it_differs() {
    let world = World::new().then(when("asks, no token"));
    for change in [json!({"title": "Other"}), json!({"summary": "words"}), json!({"subject": {}}), json!({"evidence": []})] {
        let other = request(change).digests().seen;
        for stated in [Stated::whole(other), Stated::excerpt(other), Stated::by_digests(Some(other), None)] {
            assert_eq!(refusal(world.decide(&approve(stated)).answer), Some(VoteRefusal::OtherSubject));
        }
    }
    let other = Stated::by_digests(None, Some(SubjectDigest::of(b"other")));
    assert_eq!(refusal(world.decide(&approve(other)).answer), Some(VoteRefusal::OtherSubject));
}

#[test]
fn invariant_14_a_vote_says_how_much_was_seen_and_never_more_than_the_channel_said() {
    let this = request(json!({})).digests().seen;
    for (stated, seen, digest) in [
        (Stated::whole(this), Seen::Whole, Some(this)),
        (Stated::excerpt(this), Seen::Excerpt, Some(this)),
        (Stated::by_digests(None, Some(request(json!({})).digests().subject)), Seen::Excerpt, None),
        (Stated::NOTHING, Seen::Unstated, None),
    ] {
        let world = World::new().then(when("asks, no token")).then(approve(stated));
        let cast = &world.fold.state.review().expect("a review").votes[0].what;
        assert_eq!((cast.seen, cast.seen_digest), (Some(seen), digest));
    }
}

#[test]
fn a_high_risk_is_approved_by_whoever_saw_the_whole_and_rejected_by_anybody() {
    let high = request(json!({"risk": "high"}));
    let this = high.digests().seen;
    let world = World::new().then(wish(high, None));
    for stated in [Stated::NOTHING, Stated::excerpt(this), Stated { seen: Seen::Unstated, ..Stated::whole(this) }] {
        assert_eq!(refusal(world.decide(&approve(stated)).answer), Some(VoteRefusal::NotSeenWhole));
    }
    assert_eq!(refusal(world.decide(&approve(Stated::whole(this))).answer), None);
    assert_eq!(refusal(world.decide(&when("bob rejects")).answer), None);
}

#[test]
fn the_digests_of_an_old_request_are_those_it_would_have_had() {
    let world = World::new().then(when("asks, no token"));
    let requested = &world.fold.state.review().expect("a review").request;
    let old = events::event::ReviewRequested { action_digest: None, seen_digest: None, ..requested.as_ref().clone() };
    assert_eq!((old.action_digest(), old.seen_digest()), (requested.action_digest(), requested.seen_digest()));
    assert_ne!(old.seen_digest(), SeenDigest::of(old.subject_digest.as_bytes()));
}
