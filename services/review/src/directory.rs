//! People and groups: the fold of the directory's stream.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use events::{
    Commit, Event, GroupId, IntegrationId, PersonId, Timestamp, Version,
    digest::CommitHash,
    event::{Changed, GroupDefined, GroupRemoved, PersonRegistered, PersonRemoved, V},
    request::Reviewer,
};

use crate::{integration::Integration, primary::PrimaryId};

/// What the directory knows of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name people see.
    pub name: Option<String>,
    /// Other ids of the same person.
    pub aliases: Vec<PersonId>,
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
    pub people: BTreeMap<PrimaryId, Person>,
    /// Members by group, by any of their ids.
    pub groups: BTreeMap<GroupId, Vec<PersonId>>,
    /// What of it this build does not know, in words: who somebody is may depend on it.
    pub beyond: Vec<String>,
    /// Programs with a bearer token of their own, those whose token was revoked too.
    pub integrations: BTreeMap<IntegrationId, Integration>,
    /// Whose id it is, by the text of each alias.
    aliases: BTreeMap<String, PrimaryId>,
    /// How each alias came to be one, by its text, oldest first. Kept when it is taken away: votes that rest on it stay.
    added: BTreeMap<String, Vec<Alias>>,
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
            aliases: BTreeMap::new(),
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
                Event::PersonRemoved(event) => self.remove(&own(&event.person)),
                Event::GroupDefined(event) => {
                    self.groups.insert(event.group.clone(), tidy(&event.members));
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

    /// From now on this is a person with these ids. Nobody else has any of them, whatever was said before:
    /// else one id would lead to two people, or two ids to each other.
    fn register(&mut self, event: &PersonRegistered, at: Timestamp) {
        let primary = own(&event.person);
        let person = Person { name: event.name.clone(), aliases: event.aliases.clone(), phone: event.phone.clone() };
        let person = person.tidy(&primary);
        let new: Vec<_> = person.aliases.iter().filter(|alias| !self.is(alias, &primary)).collect();
        for alias in new {
            let added = Alias { of: event.person.clone(), at, changed: event.changed.clone() };
            self.added.entry(alias.as_str().to_owned()).or_default().push(added);
        }
        self.remove(&primary);
        self.aliases.remove(primary.as_str());
        for alias in &person.aliases {
            self.remove(&own(alias));
            self.aliases.insert(alias.as_str().to_owned(), primary.clone());
        }
        self.people.insert(primary, person);
    }

    fn remove(&mut self, person: &PrimaryId) {
        let Some(known) = self.people.remove(person) else { return };
        for alias in &known.aliases {
            if self.aliases.get(alias.as_str()) == Some(person) {
                self.aliases.remove(alias.as_str());
            }
        }
    }

    /// The one id of the person behind any of their ids. The way to compare people.
    pub fn primary(&self, person: &PersonId) -> PrimaryId {
        PrimaryId::new(self.look_up(person).into_owned())
    }

    /// Whether an id is this person's.
    pub fn is(&self, id: &PersonId, person: &PrimaryId) -> bool {
        self.look_up(id).as_str() == person.as_str()
    }

    fn look_up<'a>(&'a self, person: &'a PersonId) -> Cow<'a, PersonId> {
        let canonical = person.canonical();
        match self.aliases.get(canonical.as_str()) {
            Some(primary) => Cow::Borrowed(primary.recorded()),
            None => canonical,
        }
    }

    /// How the alias came to be one of this person's, as of a moment; `None` when it never was by then.
    pub fn alias(&self, alias: &PersonId, of: &PersonId, by: Timestamp) -> Option<&Alias> {
        let of = self.primary(of);
        self.added.get(alias.canonical().as_str())?.iter().rev().find(|added| added.at <= by && self.primary(&added.of) == of)
    }

    /// Whether the directory says who this is.
    pub fn knows(&self, person: &PersonId) -> bool {
        self.people.contains_key(self.look_up(person).as_str())
    }

    /// What the directory knows of a person.
    pub fn person(&self, person: &PrimaryId) -> Option<&Person> {
        self.people.get(person)
    }

    /// Every id of a person, the primary one first.
    pub fn ids_of<'a>(&'a self, person: &'a PrimaryId) -> impl Iterator<Item = &'a PersonId> {
        let aliases = self.people.get(person).into_iter().flat_map(|known| &known.aliases);
        std::iter::once(person.recorded()).chain(aliases.filter(|alias| self.is(alias, person)))
    }

    /// Every id under which this person may be on record: theirs, also as earlier versions wrote them.
    pub fn recorded_ids_of(&self, person: &PrimaryId) -> Vec<PersonId> {
        self.ids_of(person).flat_map(|id| std::iter::once(id.clone()).chain(id.written_before())).collect()
    }

    /// The name people see: the directory's, else the id.
    pub fn name<'a>(&'a self, person: &'a impl AsRef<PersonId>) -> &'a str {
        let id = person.as_ref();
        match self.people.get_key_value(self.look_up(id).as_str()) {
            Some((primary, known)) => known.name.as_deref().unwrap_or(primary.as_str()),
            None => id.as_str(),
        }
    }

    /// Everybody whom these reviewers stand for. An unknown group stands for nobody.
    pub fn resolve(&self, reviewers: &[Reviewer]) -> BTreeSet<PrimaryId> {
        reviewers.iter().flat_map(|reviewer| self.named_by(reviewer)).map(|id| self.primary(id)).collect()
    }

    /// Whether this person is one of those whom these reviewers stand for.
    pub fn is_one_of(&self, person: &PrimaryId, reviewers: &[Reviewer]) -> bool {
        reviewers.iter().any(|reviewer| match reviewer {
            Reviewer::Person(named) => self.is(named, person),
            Reviewer::Group(group) => self.groups.get(group).is_some_and(|members| self.is_member(person, members)),
            Reviewer::Newer(_) => false,
        })
    }

    /// Members are kept as ids are written today, so that a large group is looked through at once.
    fn is_member(&self, person: &PrimaryId, members: &[PersonId]) -> bool {
        members.iter().any(|member| match self.aliases.get(member.as_str()) {
            Some(primary) => primary == person,
            None => member.as_str() == person.as_str(),
        })
    }

    fn named_by<'a>(&'a self, reviewer: &'a Reviewer) -> &'a [PersonId] {
        match reviewer {
            Reviewer::Person(person) => std::slice::from_ref(person),
            Reviewer::Group(group) => self.groups.get(group).map(Vec::as_slice).unwrap_or_default(),
            Reviewer::Newer(_) => &[],
        }
    }

    /// Every way in which a request may name this person: their ids, also as earlier versions wrote them, and
    /// their groups. The inbox of a person is what any of these is asked for.
    pub fn names_of(&self, person: &PrimaryId) -> Vec<Reviewer> {
        let ids = self.recorded_ids_of(person).into_iter().map(Reviewer::Person);
        let groups = self.groups.iter().filter(|(_, members)| self.is_member(person, members));
        ids.chain(groups.map(|(group, _)| Reviewer::Group(group.clone()))).collect()
    }

    /// The events that turn this directory into the wanted one; none when they are equal. Each says who `changed` it.
    pub fn changes(&self, wanted: &Wanted, changed: &Changed) -> Vec<Event> {
        let changed = || Some(changed.clone());
        let mut events: Vec<Event> = Vec::new();
        for person in self.people.keys().filter(|person| !wanted.people.contains_key(*person)) {
            events.push(PersonRemoved { v: V, person: person.recorded().clone(), changed: changed() }.into());
        }
        for (person, known) in wanted.people.iter().filter(|(person, known)| self.people.get(*person) != Some(known)) {
            let Person { name, aliases, phone } = known.clone();
            let person = person.recorded().clone();
            events.push(PersonRegistered { v: V, person, name, aliases, phone, changed: changed() }.into());
        }
        for group in self.groups.keys().filter(|group| !wanted.groups.contains_key(group)) {
            events.push(GroupRemoved { v: V, group: group.clone(), changed: changed() }.into());
        }
        for (group, members) in wanted.groups.iter().filter(|(group, members)| self.groups.get(group) != Some(members)) {
            events.push(GroupDefined { v: V, group: group.clone(), members: members.clone(), changed: changed() }.into());
        }
        events
    }
}

impl Person {
    /// Their other ids, each once, in order.
    fn tidy(mut self, primary: &PrimaryId) -> Person {
        self.aliases = tidy(&self.aliases);
        self.aliases.retain(|alias| alias.as_str() != primary.as_str());
        self
    }
}

/// A person by an id that is theirs and no alias.
fn own(id: &PersonId) -> PrimaryId {
    PrimaryId::new(id.canonical().into_owned())
}

/// Ids as they are written today, each once, in order.
fn tidy(ids: &[PersonId]) -> Vec<PersonId> {
    let ids: BTreeSet<PrimaryId> = ids.iter().map(own).collect();
    ids.into_iter().map(PersonId::from).collect()
}

/// A whole directory as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    people: BTreeMap<PrimaryId, Person>,
    groups: BTreeMap<GroupId, Vec<PersonId>>,
    /// Whose each id is.
    owners: BTreeMap<PrimaryId, PrimaryId>,
}

/// An id cannot stand for two people: else somebody would count twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{id} is also an id of {owner}")]
pub struct Claimed {
    /// The id.
    pub id: PersonId,
    /// Whose it is already.
    pub owner: PersonId,
}

impl Wanted {
    /// Adds a person.
    ///
    /// # Errors
    /// When one of the ids is somebody else's; nobody is then added.
    pub fn add_person(&mut self, id: &PersonId, person: Person) -> Result<(), Claimed> {
        let primary = own(id);
        if self.people.contains_key(&primary) {
            return Err(Claimed { id: id.clone(), owner: primary.into() });
        }
        let person = person.tidy(&primary);
        let ids: Vec<PrimaryId> = std::iter::once(primary.clone()).chain(person.aliases.iter().map(own)).collect();
        if let Some((id, owner)) = ids.iter().find_map(|id| self.owners.get_key_value(id)) {
            return Err(Claimed { id: id.clone().into(), owner: owner.clone().into() });
        }
        self.owners.extend(ids.into_iter().map(|id| (id, primary.clone())));
        self.people.insert(primary, person);
        Ok(())
    }

    /// Adds a group, whose members are named by any of their ids.
    pub fn add_group(&mut self, group: GroupId, members: &[PersonId]) {
        self.groups.insert(group, tidy(members));
    }

    /// The people, by their primary id.
    pub fn people(&self) -> &BTreeMap<PrimaryId, Person> {
        &self.people
    }

    /// The members, by group.
    pub fn groups(&self) -> &BTreeMap<GroupId, Vec<PersonId>> {
        &self.groups
    }
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
        let mut wanted = Wanted::default();
        wanted.add_person(&person("ana@x.com"), ana).expect("nobody else's ids");
        wanted.add_group("oncall".parse().expect("group"), &[person("slack:T1/U1"), person("bob@x.com")]);
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
        let ana = directory.primary(&person("slack:T1/U1"));
        assert_eq!(ana.as_str(), "ana@x.com");
        assert!(directory.is(&person("slack:T1/U1"), &ana) && !directory.is(&person("bob@x.com"), &ana));
        assert!(directory.is_one_of(&ana, &oncall));
        assert_eq!(directory.resolve(&oncall), [ana.clone(), directory.primary(&person("bob@x.com"))].into());
        assert_eq!(directory.names_of(&ana).len(), 3);
        assert_eq!(directory.name(&person("slack:T1/U1")), "Ana");

        let gone = Commit { version: Version(2), events: directory.changes(&Wanted::default(), &by_operator()), ..commit };
        directory.apply(&gone);
        assert!(!directory.is_one_of(&ana, &oncall) && directory.people.is_empty());
    }

    /// Folds the registration of people with their aliases, one after the other.
    fn registered(people: &[(&str, &[&str])]) -> Directory {
        let events = people.iter().map(|(id, aliases)| {
            let aliases = aliases.iter().map(|alias| person(alias)).collect();
            PersonRegistered { v: V, person: person(id), name: None, aliases, phone: None, changed: None }.into()
        });
        let mut directory = Directory::default();
        directory.apply(&Commit {
            stream: events::StreamId::Directory,
            version: Version(1),
            previous: CommitHash::GENESIS,
            hash: CommitHash::of(b"1"),
            at: events::Timestamp::from_millis(0).expect("time"),
            events: events.collect(),
            sealed: None,
        });
        directory
    }

    #[test]
    fn an_id_leads_to_one_person_whatever_order_the_log_has_them_in() {
        for people in [
            &[("ana@x.com", &["old@x.com"] as &[&str]), ("old@x.com", &["ana@x.com"])] as &[(&str, &[&str])],
            &[("old@x.com", &["older@x.com"]), ("ana@x.com", &["old@x.com"])],
            &[("ana@x.com", &["old@x.com"]), ("bob@x.com", &["old@x.com"])],
            &[("ana@x.com", &["ana@x.com", "old@x.com", "old@x.com"])],
        ] {
            let directory = registered(people);
            for id in ["ana@x.com", "old@x.com", "older@x.com", "bob@x.com"] {
                let primary = directory.primary(&person(id));
                assert_eq!(directory.primary(primary.recorded()), primary, "{id} of {people:?}");
                let ids: Vec<_> = directory.ids_of(&primary).collect();
                assert!(ids.iter().all(|id| directory.is(id, &primary)), "{id} of {people:?}");
            }
        }
    }

    #[test]
    fn nobody_is_wanted_with_an_id_of_somebody_else() {
        let mut wanted = Wanted::default();
        let with = |alias: &str| Person { aliases: [person(alias)].into(), ..Person::default() };
        wanted.add_person(&person("ana@x.com"), with("old@x.com")).expect("nobody else's ids");
        for (id, known) in [("ana@x.com", Person::default()), ("old@x.com", Person::default()), ("bob@x.com", with("old@x.com"))]
        {
            let claimed = wanted.add_person(&person(id), known).expect_err("Ana's id");
            assert_eq!(claimed.owner, person("ana@x.com"), "{id}");
        }
        assert_eq!(wanted.people().len(), 1);
    }
}
