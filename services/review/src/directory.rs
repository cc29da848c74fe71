//! People and groups: the fold of the directory's stream.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    Commit, Event, GroupId, IntegrationId, PersonId, Timestamp, Version,
    digest::CommitHash,
    event::{Changed, GroupDefined, GroupRemoved, PersonRegistered, PersonRemoved, V},
    request::Reviewer,
};

use crate::integration::Integration;

/// What the directory knows of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name people see.
    pub name: Option<String>,
    /// Other ids of the same person.
    pub aliases: BTreeSet<PersonId>,
    /// A phone number in E.164 form.
    pub phone: Option<String>,
}

/// How somebody came by an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Whose it became.
    pub of: PersonId,
    /// When.
    pub at: Timestamp,
    /// Who added it; absent in events from before this was recorded.
    pub changed: Option<Changed>,
}

/// People, their other addresses, and groups.
///
/// A person who is not in it is known by the id alone, so that a first request needs no set-up; a
/// group that is not in it does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The last commit that was folded.
    pub version: Version,
    /// Its hash.
    pub hash: CommitHash,
    /// People by their primary id.
    pub people: BTreeMap<PersonId, Person>,
    /// Members by group, as primary ids.
    pub groups: BTreeMap<GroupId, BTreeSet<PersonId>>,
    /// What of it this build does not know, in words: who somebody is may depend on it.
    pub beyond: Vec<String>,
    /// Programs with a bearer token of their own, those whose token was revoked too.
    pub integrations: BTreeMap<IntegrationId, Integration>,
    primary: BTreeMap<PersonId, PersonId>,
    /// How each alias came to be one, oldest first. Kept when it is taken away: votes that rest on it stay.
    added: BTreeMap<PersonId, Vec<Alias>>,
}

impl Default for Directory {
    fn default() -> Self {
        Directory {
            version: Version::NONE,
            hash: CommitHash::GENESIS,
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            beyond: Vec::new(),
            integrations: BTreeMap::new(),
            primary: BTreeMap::new(),
            added: BTreeMap::new(),
        }
    }
}

impl Directory {
    /// Folds one more commit of the directory's stream. Events of other streams change nothing.
    pub fn apply(&mut self, commit: &Commit) {
        for event in &commit.events {
            match event {
                Event::PersonRegistered(event) => self.register(event, commit.at),
                Event::PersonRemoved(event) => self.remove(&event.person),
                Event::GroupDefined(event) => {
                    self.groups.insert(event.group.clone(), event.members.iter().cloned().collect());
                }
                Event::GroupRemoved(event) => {
                    self.groups.remove(&event.group);
                }
                Event::IntegrationRegistered(event) => {
                    let before = self.integrations.remove(&event.integration);
                    let integration = Integration::registered(event, commit.at, before);
                    self.integrations.insert(event.integration.clone(), integration);
                }
                Event::IntegrationRevoked(event) => {
                    if let Some(known) = self.integrations.get_mut(&event.integration) {
                        known.revoked_at = Some(commit.at);
                    }
                }
                Event::Unknown(unknown) => self.beyond.push(format!("event {} ({})", unknown.kind(), unknown.why())),
                _ => {}
            }
        }
        self.version = commit.version;
        self.hash = commit.hash;
    }

    fn register(&mut self, event: &PersonRegistered, at: Timestamp) {
        for alias in &event.aliases {
            if self.primary(alias) == &event.person {
                continue;
            }
            let added = Alias { of: event.person.clone(), at, changed: event.changed.clone() };
            self.added.entry(alias.clone()).or_default().push(added);
        }
        self.remove(&event.person);
        for alias in &event.aliases {
            self.primary.insert(alias.clone(), event.person.clone());
        }
        let person =
            Person { name: event.name.clone(), aliases: event.aliases.iter().cloned().collect(), phone: event.phone.clone() };
        self.people.insert(event.person.clone(), person);
    }

    fn remove(&mut self, person: &PersonId) {
        self.people.remove(person);
        self.primary.retain(|_, primary| primary != person);
    }

    /// The one id of the person behind any of their ids.
    pub fn primary<'a>(&'a self, person: &'a PersonId) -> &'a PersonId {
        self.primary.get(person).unwrap_or(person)
    }

    /// How the alias came to be one of this person's, as of a moment; `None` when it never was by then.
    pub fn alias(&self, alias: &PersonId, of: &PersonId, by: Timestamp) -> Option<&Alias> {
        let of = self.primary(of);
        self.added.get(alias)?.iter().rev().find(|added| added.at <= by && self.primary(&added.of) == of)
    }

    /// Whether the directory says who this is.
    pub fn knows(&self, person: &PersonId) -> bool {
        self.primary.contains_key(person) || self.people.contains_key(person)
    }

    /// Every id of the person behind any of their ids, the primary one first.
    pub fn ids_of<'a>(&'a self, person: &'a PersonId) -> impl Iterator<Item = &'a PersonId> {
        let primary = self.primary(person);
        let known = self.people.get(primary);
        std::iter::once(primary).chain(known.into_iter().flat_map(|known| known.aliases.iter()))
    }

    /// The name people see: the directory's, else the id.
    pub fn name<'a>(&'a self, person: &'a PersonId) -> &'a str {
        let primary = self.primary(person);
        self.people.get(primary).and_then(|person| person.name.as_deref()).unwrap_or(primary.as_str())
    }

    /// Everybody whom these reviewers stand for, as primary ids. An unknown group stands for nobody.
    pub fn resolve(&self, reviewers: &[Reviewer]) -> BTreeSet<PersonId> {
        let mut people = BTreeSet::new();
        for reviewer in reviewers {
            match reviewer {
                Reviewer::Person(person) => {
                    people.insert(self.primary(person).clone());
                }
                Reviewer::Newer(_) => {}
                Reviewer::Group(group) => {
                    people.extend(self.groups.get(group).into_iter().flatten().map(|person| self.primary(person).clone()));
                }
            }
        }
        people
    }

    /// Whether this person is one of those whom these reviewers stand for.
    pub fn is_one_of(&self, person: &PersonId, reviewers: &[Reviewer]) -> bool {
        let person = self.primary(person);
        reviewers.iter().any(|reviewer| match reviewer {
            Reviewer::Person(named) => self.primary(named) == person,
            Reviewer::Newer(_) => false,
            Reviewer::Group(group) => {
                self.groups.get(group).is_some_and(|members| members.iter().any(|member| self.primary(member) == person))
            }
        })
    }

    /// Every way in which a request may name this person: their ids and their groups. The inbox of a
    /// person is what any of these is asked for.
    pub fn names_of(&self, person: &PersonId) -> Vec<Reviewer> {
        let person = self.primary(person);
        let ids = self.ids_of(person).cloned().map(Reviewer::Person);
        let groups = self.groups.iter().filter(|(_, members)| members.iter().any(|member| self.primary(member) == person));
        ids.chain(groups.map(|(group, _)| Reviewer::Group(group.clone()))).collect()
    }

    /// The events that turn this directory into the wanted one; none when they are equal. Each says who `changed` it.
    pub fn changes(&self, wanted: &Wanted, changed: &Changed) -> Vec<Event> {
        let changed = || Some(changed.clone());
        let mut events: Vec<Event> = Vec::new();
        for person in self.people.keys().filter(|person| !wanted.people.contains_key(person)) {
            events.push(PersonRemoved { v: V, person: person.clone(), changed: changed() }.into());
        }
        for (person, known) in wanted.people.iter().filter(|(person, known)| self.people.get(person) != Some(known)) {
            let known = known.clone();
            let aliases = known.aliases.into_iter().collect();
            let (name, phone) = (known.name, known.phone);
            events.push(PersonRegistered { v: V, person: person.clone(), name, aliases, phone, changed: changed() }.into());
        }
        for group in self.groups.keys().filter(|group| !wanted.groups.contains_key(group)) {
            events.push(GroupRemoved { v: V, group: group.clone(), changed: changed() }.into());
        }
        for (group, members) in wanted.groups.iter().filter(|(group, members)| self.groups.get(group) != Some(members)) {
            let members = members.iter().cloned().collect();
            events.push(GroupDefined { v: V, group: group.clone(), members, changed: changed() }.into());
        }
        events
    }
}

/// A whole directory as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// People by their primary id.
    pub people: BTreeMap<PersonId, Person>,
    /// Members by group.
    pub groups: BTreeMap<GroupId, BTreeSet<PersonId>>,
}

#[cfg(test)]
mod tests {
    use events::event::{Changer, Door};

    use super::*;

    fn person(id: &str) -> PersonId {
        id.parse().expect("a person")
    }

    fn by_operator() -> Changed {
        Changed::new(Changer::Operator, Door::Cli)
    }

    #[test]
    fn a_person_is_one_by_any_of_their_ids_and_changes_lead_to_the_wanted_directory() {
        let ana = Person { name: Some("Ana".into()), aliases: [person("slack:T1/U1")].into(), phone: None };
        let wanted = Wanted {
            people: [(person("ana@x.com"), ana)].into(),
            groups: [("oncall".parse().expect("group"), [person("slack:T1/U1"), person("bob@x.com")].into())].into(),
        };
        let mut directory = Directory::default();
        let commit = Commit {
            stream: events::StreamId::Directory,
            version: Version(1),
            previous: CommitHash::GENESIS,
            hash: CommitHash::of(b"1"),
            at: events::Timestamp::from_millis(0).expect("time"),
            events: directory.changes(&wanted, &by_operator()),
            sealed: None,
        };
        directory.apply(&commit);
        assert_eq!(directory.changes(&wanted, &by_operator()), []);

        let oncall = [Reviewer::Group("oncall".parse().expect("group"))];
        assert!(directory.is_one_of(&person("ana@x.com"), &oncall));
        assert_eq!(directory.resolve(&oncall), [person("ana@x.com"), person("bob@x.com")].into());
        assert_eq!(directory.names_of(&person("slack:T1/U1")).len(), 3);
        assert_eq!(directory.name(&person("slack:T1/U1")), "Ana");

        let gone = Commit { version: Version(2), events: directory.changes(&Wanted::default(), &by_operator()), ..commit };
        directory.apply(&gone);
        assert!(!directory.is_one_of(&person("ana@x.com"), &oncall) && directory.people.is_empty());
    }
}
