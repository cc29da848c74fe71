//! Who is told when the directory changes who somebody is.

use std::collections::BTreeMap;

use events::{
    Commit, Event, StreamId,
    event::{PersonRegistered, PersonRemoved, V},
};
use review::{
    Directory,
    announce::{News, announcements},
};

use crate::world::{hr, person, start};

fn registered(id: &str, aliases: &[&str], phone: Option<&str>) -> Event {
    let aliases = aliases.iter().map(|alias| person(alias)).collect();
    PersonRegistered { v: V, person: person(id), name: None, aliases, phone: phone.map(str::to_owned), changed: Some(hr()) }
        .into()
}

fn removed(id: &str) -> Event {
    PersonRemoved { v: V, person: person(id), changed: Some(hr()) }.into()
}

fn commit(directory: &Directory, events: Vec<Event>) -> Commit {
    let (version, previous) = (directory.version.next(), directory.hash);
    Commit { stream: StreamId::Directory, version, previous, hash: previous, at: start(), events, sealed: None }
}

/// What each address is told by the last of these commits, in words.
fn told(commits: &[Vec<Event>]) -> BTreeMap<String, Vec<String>> {
    let mut directory = Directory::default();
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, events) in commits.iter().enumerate() {
        let commit = commit(&directory, events.clone());
        if index + 1 == commits.len() {
            for announcement in announcements(&directory, &commit) {
                assert_eq!((announcement.at, &announcement.changed), (start(), &hr()));
                told.entry(announcement.to.to_string()).or_default().push(match announcement.news {
                    News::Alias { person, alias } => format!("{alias} decides as {person}"),
                    News::CountsAs { alias, person } => format!("{alias} counts as {person}"),
                    News::Phone { person, phone } => format!("{phone} is the phone of {person}"),
                });
            }
        }
        directory.apply(&commit);
    }
    told
}

fn of(told: &BTreeMap<String, Vec<String>>, id: &str) -> Vec<String> {
    told.get(id).cloned().unwrap_or_default()
}

fn set_up() -> Vec<Event> {
    vec![registered("ana@x.com", &["slack:T1/ANA"], None), registered("bob@x.com", &[], None)]
}

#[test]
fn a_new_alias_is_told_at_every_address_that_the_person_had_and_at_the_address_itself() {
    let told = told(&[set_up(), vec![registered("ana@x.com", &["slack:T1/ANA", "eve@evil.example"], None)]]);
    for contact in ["ana@x.com", "slack:T1/ANA"] {
        assert_eq!(of(&told, contact), ["eve@evil.example decides as ana@x.com"]);
    }
    assert_eq!(of(&told, "eve@evil.example"), ["eve@evil.example counts as ana@x.com"]);
    assert_eq!(told.len(), 3);
}

#[test]
fn a_person_who_becomes_an_alias_of_another_is_told_so_at_every_address() {
    // Bob left the directory and is now an address of Ana's.
    let merged = vec![removed("bob@x.com"), registered("ana@x.com", &["slack:T1/ANA", "bob@x.com"], None)];
    let told_bob = told(&[set_up(), merged]);
    assert_eq!(of(&told_bob, "bob@x.com"), ["bob@x.com counts as ana@x.com"]);
    // Eve makes herself the person, and Ana her alias.
    let taken = vec![removed("ana@x.com"), registered("eve@evil.example", &["ana@x.com"], None)];
    let told_ana = told(&[set_up(), taken]);
    for contact in ["ana@x.com", "slack:T1/ANA"] {
        assert_eq!(of(&told_ana, contact), ["ana@x.com counts as eve@evil.example"]);
    }
}

#[test]
fn somebody_whom_the_directory_did_not_hold_is_told_too() {
    let told = told(&[set_up(), vec![registered("dora@x.com", &["eve@evil.example"], None)]]);
    assert_eq!(of(&told, "dora@x.com"), ["eve@evil.example decides as dora@x.com"]);
}

#[test]
fn taking_a_person_out_and_in_again_hides_no_alias() {
    let back = vec![registered("ana@x.com", &["eve@evil.example"], None)];
    let told = told(&[set_up(), vec![removed("ana@x.com")], back]);
    assert_eq!(of(&told, "ana@x.com"), ["eve@evil.example decides as ana@x.com"]);
}

#[test]
fn another_phone_is_told_and_the_same_once_more_is_not() {
    let with = |phone| vec![registered("ana@x.com", &["slack:T1/ANA"], phone)];
    let told_of = told(&[set_up(), with(Some("+4915112345678"))]);
    assert_eq!(of(&told_of, "slack:T1/ANA"), ["+4915112345678 is the phone of ana@x.com"]);
    assert!(told(&[set_up(), with(Some("+491")), with(Some("+491"))]).is_empty());
    assert!(told(&[set_up(), with(None)]).is_empty(), "nothing is new");
}

#[test]
fn whichever_of_their_ids_comes_first_the_same_ids_are_no_news() {
    assert!(told(&[set_up(), vec![removed("ana@x.com"), registered("slack:T1/ANA", &["ana@x.com"], None)]]).is_empty());
}

#[test]
fn the_first_commit_sets_the_directory_up_and_old_changes_are_not_told() {
    assert!(told(&[set_up()]).is_empty());
    let mut old = registered("ana@x.com", &["eve@evil.example"], None);
    if let Event::PersonRegistered(event) = &mut old {
        event.changed = None;
    }
    assert!(told(&[set_up(), vec![old]]).is_empty());
}
