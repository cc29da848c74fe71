//! Aliases decide in their person's name, so a vote says by which id it was cast, and the directory remembers who
//! added that id.

use events::{
    Period,
    event::{VoteCast, VoteRefusal, VoteRefused},
};
use review::{Answer, Decision};
use serde_json::json;

use crate::{
    commands::vote,
    world::{World, hr, person, request, wish},
};

fn cast(decision: &Decision) -> &VoteCast {
    decision
        .events
        .iter()
        .find_map(|event| if let events::Event::VoteCast(cast) = event { Some(cast.as_ref()) } else { None })
        .expect("a vote")
}

fn refused(decision: &Decision) -> &VoteRefused {
    decision
        .events
        .iter()
        .find_map(|event| if let events::Event::VoteRefused(refused) = event { Some(refused) } else { None })
        .expect("a refusal")
}

fn asked() -> World {
    World::new().then(wish(request(json!({})), None))
}

#[test]
fn a_vote_by_an_alias_names_the_alias_and_a_vote_by_the_primary_id_names_nothing() {
    let mut world = asked();
    let decision = world.does(&vote("slack:T1/ANA", "approve"));
    let by_alias = cast(&decision);
    assert_eq!((&by_alias.person, by_alias.acted_as.as_ref()), (&person("ana@x.com"), Some(&person("slack:T1/ANA"))));
    let decision = world.does(&vote("bob@x.com", "comment"));
    assert_eq!(cast(&decision).acted_as, None);
}

#[test]
fn a_refused_vote_by_an_alias_names_the_alias() {
    let mut world = asked();
    world.register("eve@x.com", &["slack:T1/EVE"]);
    let decision = world.does(&vote("slack:T1/EVE", "approve"));
    let refused = refused(&decision);
    assert_eq!((refused.why, &refused.person), (VoteRefusal::NotAReviewer, &person("eve@x.com")));
    assert_eq!(refused.acted_as, Some(person("slack:T1/EVE")));
}

#[test]
fn the_same_word_by_another_id_of_the_same_person_is_no_second_vote() {
    let mut world = asked();
    world.does(&vote("ana@x.com", "approve"));
    let decision = world.does(&vote("slack:T1/ANA", "approve"));
    assert_eq!((decision.answer, decision.events.len()), (Answer::AlreadyCounted, 0));
}

#[test]
fn who_added_an_alias_is_known_for_as_long_as_a_vote_rests_on_it_also_after_it_was_taken_away() {
    let mut world = asked();
    let (ana, eve) = (person("ana@x.com"), person("eve@evil.example"));
    let before = world.now;
    world.pass(Period::seconds(60));
    let added = world.now;
    world.register("ana@x.com", &["slack:T1/ANA", "eve@evil.example"]);
    // The same again adds nothing, and the alias is taken away again.
    world.pass(Period::seconds(60));
    world.register("ana@x.com", &["slack:T1/ANA", "eve@evil.example"]);
    world.register("ana@x.com", &["slack:T1/ANA"]);
    assert_eq!(world.directory.primary(&eve).as_str(), eve.as_str());

    let alias = world.directory.alias(&eve, &ana, world.now).expect("it was one");
    assert_eq!((&alias.of, alias.at, alias.changed.as_ref()), (&ana, added, Some(&hr())));
    assert_eq!(world.directory.alias(&eve, &ana, before), None, "not by then");
    assert_eq!(world.directory.alias(&eve, &person("bob@x.com"), world.now), None, "never Bob's");
    assert_eq!(world.directory.alias(&ana, &ana, world.now), None, "the primary id is no alias");
}

#[test]
fn every_change_of_the_directory_says_who_made_it() {
    use events::Event;
    use review::directory::{Person, Wanted};
    let world = World::new();
    let dora = Person { aliases: [person("dora@corp.example")].into(), ..Person::default() };
    let group = "leads".parse().expect("a group");
    let mut wanted = Wanted::default();
    wanted.add_person(&person("dora@x.com"), dora).expect("nobody else's ids");
    wanted.add_group(group, &[person("dora@x.com")]);
    let changes = world.directory.changes(&wanted, &hr());
    let who = |event: &Event| match event {
        Event::PersonRegistered(event) => event.changed.clone(),
        Event::PersonRemoved(event) => event.changed.clone(),
        Event::GroupDefined(event) => event.changed.clone(),
        Event::GroupRemoved(event) => event.changed.clone(),
        _ => None,
    };
    assert_eq!(changes.len(), 4, "{changes:?}");
    assert!(changes.iter().all(|event| who(event) == Some(hr())), "{changes:?}");
}

#[test]
fn another_spelling_of_the_same_id_is_no_alias() {
    let mut world = asked();
    let spelled = events::PersonId::recorded("Bob@X.com").expect("an id of an older log");
    let review::Command::Vote(vote) = vote("bob@x.com", "approve") else { panic!("no vote") };
    let decision = world.does(&review::Command::Vote(review::command::Vote { person: spelled, ..vote }));
    assert_eq!((&cast(&decision).person, &cast(&decision).acted_as), (&person("bob@x.com"), &None));
}
