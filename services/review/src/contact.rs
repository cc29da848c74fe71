//! How a person can be addressed, and which channels can.

use events::{
    PersonId,
    event::{Channel, Purpose},
};

use crate::{directory::Directory, primary::PrimaryId};

/// Where a message to a person goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact<'a> {
    /// A Slack user.
    Slack {
        /// The workspace.
        team: &'a str,
        /// The user in it.
        user: &'a str,
    },
    /// An e-mail address.
    Email(&'a str),
    /// A phone number in E.164 form.
    Phone(&'a str),
    /// A place where everybody looks for themselves.
    Anywhere,
}

impl Contact<'_> {
    /// The id of a person that this contact is, where it is one.
    pub fn id(&self) -> Option<PersonId> {
        match self {
            Contact::Slack { team, user } => PersonId::recorded(format!("slack:{team}/{user}")).ok(),
            Contact::Email(address) => PersonId::recorded(*address).ok(),
            Contact::Phone(_) | Contact::Anywhere => None,
        }
    }
}

/// A kind of contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Contact::Slack`].
    Slack,
    /// [`Contact::Email`].
    Email,
    /// [`Contact::Phone`].
    Phone,
    /// [`Contact::Anywhere`].
    Anywhere,
}

/// What a channel that is set up can do, for [`owed`](crate::owed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Which channel.
    pub channel: Channel,
    /// The contacts it can write to, the best first.
    pub by: &'static [Kind],
    /// Whether it reminds.
    pub reminds: bool,
    /// Whether it tells how a review ended.
    pub tells_end: bool,
    /// Whether its messages can be changed where they stand.
    pub updates: bool,
}

impl Route {
    /// Where this channel reaches a person, if it can.
    pub fn contact<'a>(&self, directory: &'a Directory, person: &'a PrimaryId) -> Option<Contact<'a>> {
        self.by.iter().find_map(|kind| contact(directory, person, *kind))
    }

    /// Whether it carries messages of this purpose.
    pub fn carries(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Asked => true,
            Purpose::Reminded(_) => self.reminds,
            Purpose::Ended => self.tells_end,
        }
    }
}

/// A person's contact of one kind: of their primary id, else of the first alias that is one.
fn contact<'a>(directory: &'a Directory, person: &'a PrimaryId, kind: Kind) -> Option<Contact<'a>> {
    let mut ids = directory.ids_of(person);
    match kind {
        Kind::Slack => ids.find_map(|id| {
            let (team, user) = id.as_str().strip_prefix("slack:")?.split_once('/')?;
            Some(Contact::Slack { team, user })
        }),
        // Older logs hold addresses in letters that few mail servers deliver to; they are refused today.
        Kind::Email => ids.map(PersonId::as_str).find(|id| id.contains('@') && id.is_ascii()).map(Contact::Email),
        Kind::Phone => directory.person(person)?.phone.as_deref().map(Contact::Phone),
        Kind::Anywhere => Some(Contact::Anywhere),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Person, Wanted};
    use events::{
        Commit, PersonId, Version,
        digest::CommitHash,
        event::{Changed, Changer, Door},
    };

    #[test]
    fn a_person_is_addressed_by_any_of_their_ids() {
        let id = |id: &str| id.parse::<PersonId>().expect("a person");
        let ana =
            Person { aliases: [id("ana@x.com"), id("slack:T2/U2")].into(), phone: Some("+491".into()), ..Person::default() };
        let mut wanted = Wanted::default();
        wanted.add_person(&id("slack:T1/U1"), ana).expect("nobody else's ids");
        let mut directory = Directory::default();
        directory.apply(&Commit {
            stream: events::StreamId::Directory,
            version: Version(1),
            previous: CommitHash::GENESIS,
            hash: CommitHash::of(b"1"),
            at: events::Timestamp::from_millis(0).expect("time"),
            events: directory.changes(&wanted, &Changed::new(Changer::Operator, Door::Api)),
            sealed: None,
        });
        let primary = |text: &str| directory.primary(&id(text));
        let (known, alias, stranger) = (primary("slack:T1/U1"), primary("ana@x.com"), primary("bob@x.com"));
        let of = |person, kind| contact(&directory, person, kind);
        assert_eq!(of(&alias, Kind::Slack), Some(Contact::Slack { team: "T1", user: "U1" }));
        assert_eq!(of(&known, Kind::Email), Some(Contact::Email("ana@x.com")));
        assert_eq!(of(&known, Kind::Phone), Some(Contact::Phone("+491")));
        assert_eq!((of(&stranger, Kind::Slack), of(&stranger, Kind::Phone)), (None, None));
        assert_eq!(of(&stranger, Kind::Email), Some(Contact::Email("bob@x.com")));
        // A link acts as the address that it went to.
        let went_to = |person, kind| of(person, kind).and_then(|contact| contact.id());
        assert_eq!(
            (went_to(&known, Kind::Email), went_to(&alias, Kind::Slack)),
            (Some(id("ana@x.com")), Some(id("slack:T1/U1")))
        );
        assert_eq!(went_to(&known, Kind::Phone), None);
        let [in_letters, beyond_mail] =
            ["bo@bücher.example", "josé@x.com"].map(|id| directory.primary(&PersonId::recorded(id).expect("taken once")));
        assert_eq!(of(&in_letters, Kind::Email), Some(Contact::Email("bo@xn--bcher-kva.example")));
        assert_eq!(of(&beyond_mail, Kind::Email), None);
    }
}
