//! Programs with a bearer token of their own: how they come and go, and that none decides on what it
//! asked for itself.

use events::{
    Event, IntegrationId, Period,
    digest::BearerHash,
    event::{IntegrationRegistered, Scope, V, VoteRefusal},
};
use review::{
    Answer, Command,
    integration::{INTEGRATIONS_MAX, IntegrationRefusal, origin_of},
};
use serde_json::json;

use crate::{
    commands::vote,
    world::{World, hr, person, request, wish},
};

fn name(text: &str) -> IntegrationId {
    text.parse().expect("a name")
}

fn integration(of: &str, acts_as: Option<&str>) -> IntegrationRegistered {
    IntegrationRegistered {
        v: V,
        integration: name(of),
        scopes: vec![Scope::RequestReviews, Scope::CastVotes],
        token_hash: BearerHash::of(of.as_bytes()),
        acts_as: acts_as.map(person),
        expires_at: None,
        source: None,
        access_key: None,
        changed: None,
    }
}

/// A world in which `ci` acts as Bob and has asked, with `changes` to the request.
fn asked(changes: serde_json::Value) -> World {
    let mut world = World::new();
    let event =
        world.directory.register_integration(&integration("ci", Some("bob@x.com")), &hr(), world.now).expect("registered");
    world.change_directory(event);
    let event =
        world.directory.register_integration(&integration("bot", Some("cy@x.com")), &hr(), world.now).expect("registered");
    world.change_directory(event);
    let Command::Request(mut wish) = wish(request(changes), None) else { panic!("no request") };
    wish.origin = origin_of(&name("ci"), "e-1");
    assert_eq!(world.does(&Command::Request(wish)).answer, Answer::Opened);
    world
}

/// A vote as this person, handed in by this integration.
fn by(integration: &str, who: &str, choice: &str) -> Command {
    let Command::Vote(mut vote) = vote(who, choice) else { panic!("no vote") };
    vote.integration = Some(name(integration));
    Command::Vote(vote)
}

fn check(world: &World, command: &Command, refused: Option<VoteRefusal>) {
    let answer = world.decide(command).answer;
    let why = match &answer {
        Answer::NotCounted { why, .. } => Some(*why),
        Answer::Counted { .. } => None,
        _ => panic!("{answer:?}"),
    };
    assert_eq!(why, refused, "{command:?}");
}

#[test]
fn invariant_03_no_integration_decides_on_what_it_asked_for_itself() {
    for policy in [json!({"quorum": 1}), json!({"quorum": 1, "self_approval": "allowed"})] {
        let world = asked(json!({"policy": policy, "requester": {"email": "dan@x.com"}}));
        // Not even in the name of somebody who may.
        for who in ["ana@x.com", "bob@x.com", "cy@x.com"] {
            check(&world, &by("ci", who, "approve"), Some(VoteRefusal::OwnRequest));
            check(&world, &by("ci", who, "reject"), Some(VoteRefusal::OwnRequest));
        }
        check(&world, &by("ci", "bob@x.com", "comment"), None);
        check(&world, &by("bot", "cy@x.com", "approve"), None);
        check(&world, &by("bot", "eve@x.com", "approve"), Some(VoteRefusal::NotAReviewer));
        check(&world, &vote("ana@x.com", "approve"), None);
    }
}

#[test]
fn invariant_03_whom_the_asking_integration_acts_as_counts_as_who_asked() {
    let world = asked(json!({"policy": {"quorum": 1}, "requester": {"email": "dan@x.com"}}));
    check(&world, &vote("bob@x.com", "approve"), Some(VoteRefusal::OwnRequest));
    check(&world, &vote("dan@x.com", "approve"), Some(VoteRefusal::OwnRequest));
    let world = asked(json!({"policy": {"quorum": 1, "self_approval": "allowed"}}));
    check(&world, &vote("bob@x.com", "approve"), None);

    let mut world = World::new();
    let event =
        world.directory.register_integration(&integration("ci", Some("bob@x.com")), &hr(), world.now).expect("registered");
    world.change_directory(event);
    let alone = json!({"reviewers": [{"email": "bob@x.com"}], "policy": {"quorum": 1}});
    let Command::Request(mut wish) = wish(request(alone), None) else { panic!("no request") };
    wish.origin = origin_of(&name("ci"), "e-1");
    assert!(matches!(world.decide(&Command::Request(wish)).answer, Answer::Unapprovable(_)));
}

/// Registers `ci` anew, as this person.
fn replace(world: &mut World, acts_as: Option<&str>) {
    world.pass(Period::seconds(1));
    world.change_directory(world.directory.revoke_integration(&name("ci"), &hr()).expect("revoked"));
    world.change_directory(
        world.directory.register_integration(&integration("ci", acts_as), &hr(), world.now).expect("registered"),
    );
    world.pass(Period::seconds(1));
}

#[test]
fn invariant_03_whom_the_integration_acted_as_when_it_asked_counts_as_who_asked_whatever_becomes_of_its_token() {
    let mut world = asked(json!({"policy": {"quorum": 1}}));
    for acts_as in [None, Some("eve@x.com"), Some("cy@x.com"), None] {
        replace(&mut world, acts_as);
        check(&world, &vote("bob@x.com", "approve"), Some(VoteRefusal::OwnRequest));
    }
    // It might have asked again as them meanwhile.
    check(&world, &vote("cy@x.com", "approve"), Some(VoteRefusal::OwnRequest));
    check(&world, &vote("ana@x.com", "approve"), None);
}

#[test]
fn whom_an_integration_acted_as_before_it_asked_may_decide() {
    let mut world = World::new();
    world.change_directory(
        world.directory.register_integration(&integration("ci", Some("bob@x.com")), &hr(), world.now).expect("registered"),
    );
    replace(&mut world, Some("cy@x.com"));
    let Command::Request(mut wish) = wish(request(json!({"policy": {"quorum": 1}})), None) else { panic!("no request") };
    wish.origin = origin_of(&name("ci"), "e-1");
    assert_eq!(world.does(&Command::Request(wish)).answer, Answer::Opened);
    check(&world, &vote("cy@x.com", "approve"), Some(VoteRefusal::OwnRequest));
    check(&world, &vote("bob@x.com", "approve"), None);
}

#[test]
fn an_integration_hands_in_the_votes_of_whom_it_acts_as_and_anybodys_by_a_source_alone() {
    let source = Some("com.example.approver".parse().expect("a source"));
    for (acts_as, source, scopes, theirs, anybodys) in [
        (Some("bob@x.com"), None, vec![Scope::CastVotes], true, false),
        (Some("bob@x.com"), source.clone(), vec![Scope::CastVotes], true, false),
        (None, source.clone(), vec![Scope::CastVotes], true, true),
        (None, None, vec![Scope::CastVotes], false, false),
        (None, source, vec![Scope::RequestReviews], false, false),
    ] {
        let mut world = World::new();
        let wanted = IntegrationRegistered { source, scopes, ..integration("bot", acts_as) };
        world.change_directory(world.directory.register_integration(&wanted, &hr(), world.now).expect("registered"));
        let known = &world.directory.integrations[&name("bot")];
        let may = |who: &str| known.may_vote_for(&person(who), &world.directory);
        assert_eq!((may("bob@x.com"), may("ana@x.com")), (theirs, anybodys), "{wanted:?}");
    }
}

#[test]
fn the_vote_of_an_integration_is_recorded_with_its_name() {
    let mut world = asked(json!({"policy": {"quorum": 1}}));
    let refused = world.does(&by("ci", "ana@x.com", "approve"));
    let Event::VoteRefused(refused) = &refused.events[0] else { panic!("{refused:?}") };
    assert_eq!(refused.integration, Some(name("ci")));
    let cast = world.does(&by("bot", "cy@x.com", "approve"));
    let Event::VoteCast(cast) = &cast.events[0] else { panic!("{cast:?}") };
    assert_eq!((&cast.integration, &cast.person), (&Some(name("bot")), &person("cy@x.com")));
}

#[test]
fn a_name_is_taken_until_its_token_is_revoked_or_has_expired() {
    let mut world = World::new();
    let expiring = IntegrationRegistered { expires_at: Some(world.now.after(Period::hours(1))), ..integration("ci", None) };
    world.change_directory(world.directory.register_integration(&expiring, &hr(), world.now).expect("registered"));
    let again = |world: &World| world.directory.register_integration(&integration("ci", None), &hr(), world.now);
    assert_eq!(again(&world), Err(IntegrationRefusal::NameTaken));
    world.pass(Period::hours(1));
    world.change_directory(again(&world).expect("the token has expired"));
    assert_eq!(again(&world), Err(IntegrationRefusal::NameTaken));
    world.change_directory(world.directory.revoke_integration(&name("ci"), &hr()).expect("revoked"));
    assert_eq!(world.directory.revoke_integration(&name("ci"), &hr()), Err(IntegrationRefusal::Absent));
    assert_eq!(world.directory.revoke_integration(&name("cd"), &hr()), Err(IntegrationRefusal::Absent));
    assert!(!world.directory.integrations[&name("ci")].is_active(world.now));
    assert!(again(&world).is_ok());
}

#[test]
fn there_are_no_more_integrations_than_a_call_can_be_compared_with() {
    let mut world = World::new();
    for n in 0..INTEGRATIONS_MAX {
        world.change_directory(
            world.directory.register_integration(&integration(&format!("ci-{n}"), None), &hr(), world.now).expect("registered"),
        );
    }
    assert_eq!(
        world.directory.register_integration(&integration("ci", None), &hr(), world.now),
        Err(IntegrationRefusal::TooMany)
    );
    world.change_directory(world.directory.revoke_integration(&name("ci-7"), &hr()).expect("revoked"));
    assert!(world.directory.register_integration(&integration("ci", None), &hr(), world.now).is_ok());
}

#[test]
fn an_exact_key_stands_for_one_call_and_any_other_only_for_what_is_decided() {
    let mut world = World::new();
    let again = |exact: bool, event_id: &str, changes: serde_json::Value| {
        let Command::Request(mut wish) = wish(request(changes), None) else { panic!("no request") };
        (wish.exact, wish.origin.event_id) = (exact, event_id.to_owned());
        Command::Request(wish)
    };
    world.does(&again(true, "call-1", json!({})));
    assert_eq!(world.decide(&again(true, "call-1", json!({}))).answer, Answer::Found);
    let other_time = json!({"expires_in": "PT1H"});
    assert_eq!(world.decide(&again(false, "call-2", other_time.clone())).answer, Answer::Found);
    let Answer::KeyReused(faults) = world.decide(&again(true, "call-2", other_time)).answer else { panic!("found") };
    assert_eq!(faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), [""]);
}
