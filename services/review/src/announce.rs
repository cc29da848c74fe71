//! What people are told when the directory changes who they are.
//!
//! An alias decides in its person's name, so whoever may write the directory can decide as anybody. Nothing forbids
//! that, and people merge and move; but the person hears of it, at the addresses that they had before.

use events::{Commit, Event, PersonId, Timestamp, Version, event::Changed};

use crate::Directory;

/// Something that one address is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The address.
    pub to: PersonId,
    /// What is new.
    pub news: News,
    /// When it changed.
    pub at: Timestamp,
    /// Who changed it.
    pub changed: Changed,
}

/// What is new about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A further address decides as them.
    Alias {
        /// The person who is told.
        person: PersonId,
        /// The address.
        alias: PersonId,
    },
    /// The address that is told stood for somebody else until now, or for itself.
    CountsAs {
        /// The address that became an alias.
        alias: PersonId,
        /// The person for whom it stands now.
        person: PersonId,
    },
    /// Alerts go to another phone.
    Phone {
        /// The person who is told.
        person: PersonId,
        /// The number.
        phone: String,
    },
}

/// What is to be told of a commit of the directory; `before` is the directory without it.
///
/// Nothing is told of the very first commit, which sets the directory up: an integration is itself an entry of the
/// directory, so that commit is the operator's. Nothing is told of changes from before it was recorded who made them.
pub fn announcements(before: &Directory, commit: &Commit) -> Vec<Announcement> {
    if before.version == Version::NONE {
        return Vec::new();
    }
    let mut told = Vec::new();
    for event in &commit.events {
        let Event::PersonRegistered(event) = event else { continue };
        let Some(changed) = &event.changed else { continue };
        let mut tell = |to: &PersonId, news: News| {
            // Aliases are written each once, so nobody is told the same twice.
            told.push(Announcement { to: to.clone(), news, at: commit.at, changed: changed.clone() });
        };
        let person = &event.person;
        let was = before.primary(person);
        for alias in event.aliases.iter().filter(|alias| !before.is(alias, &was)) {
            for contact in before.ids_of(&was) {
                tell(contact, News::Alias { person: person.clone(), alias: alias.clone() });
            }
            for contact in before.ids_of(&before.primary(alias)) {
                tell(contact, News::CountsAs { alias: alias.clone(), person: person.clone() });
            }
        }
        let phone =
            event.phone.as_ref().filter(|phone| before.person(&was).and_then(|known| known.phone.as_ref()) != Some(*phone));
        for contact in phone.iter().flat_map(|_| before.ids_of(&was)) {
            tell(contact, News::Phone { person: person.clone(), phone: phone.cloned().unwrap_or_default() });
        }
    }
    told
}
