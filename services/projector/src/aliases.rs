//! Alerts on the topic when the directory changed who somebody is. On AWS they stand for the messages that one machine
//! sends to the people themselves (`notifier::Announcer`): they reach whoever watches over the service.

use std::{collections::BTreeSet, sync::Arc};

use events::{Event, StreamId, Timestamp, Version, published::Entry};
use ledger::{ExecuteError, LedgerError, Reviews};
use review::{
    Directory,
    announce::{Announcement, News, announcements},
};
use serde_json::json;

use crate::publisher::{Bus, BusError};

/// An alert could not be given.
#[derive(Debug, thiserror::Error)]
pub enum AliasError {
    /// The log failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The directory cannot be read.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The topic did not take it.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl AliasError {
    /// Whether the same may work later.
    pub fn is_retryable(&self) -> bool {
        match self {
            AliasError::Ledger(error) => error.is_retryable(),
            AliasError::Execute(error) => error.is_retryable(),
            AliasError::Bus(error) => error.is_retryable(),
        }
    }
}

/// The most alerts of one commit. A directory of many people is one alert: SNS suspends a subscription that is to get
/// more than ten mails a second.
const AT_ONCE: usize = 5;

/// Gives the alerts.
pub struct Aliases {
    reviews: Arc<Reviews>,
    topic: Arc<dyn Bus>,
}

impl Aliases {
    /// To this topic.
    pub fn new(reviews: Arc<Reviews>, topic: Arc<dyn Bus>) -> Aliases {
        Aliases { reviews, topic }
    }

    /// Gives one alert for each thing that is new about a person by this version of the directory.
    ///
    /// # Errors
    /// See [`AliasError`]. A commit that is told again gives its alerts again.
    pub async fn alert(&self, version: Version) -> Result<(), AliasError> {
        let stored = self.reviews.ledger().load(StreamId::Directory, Version::NONE).await?;
        let mut before = Directory::default();
        for stored in stored {
            let commit = stored.decode().map_err(ExecuteError::from)?;
            if commit.version == version {
                if commit.events.iter().any(|event| matches!(event, Event::PersonRegistered(_))) {
                    self.topic.put(&entries(&announcements(&before, &commit), commit.at)).await?;
                }
                return Ok(());
            }
            before.apply(&commit);
        }
        Ok(())
    }
}

/// One line of what is new; nothing where another line says the same of the other address.
fn what(news: &News) -> Option<String> {
    match news {
        News::Alias { .. } => None,
        News::CountsAs { alias, person } => Some(format!("{alias} now decides as {person}")),
        News::Phone { person, phone } => Some(format!("{phone} now gets the alerts of {person}")),
    }
}

fn entries(told: &[Announcement], at: Timestamp) -> Vec<Entry> {
    let said = |told: &Announcement| Some(format!("{}, by {}", what(&told.news)?, told.changed));
    let said: BTreeSet<String> = told.iter().filter_map(said).collect();
    if said.len() <= AT_ONCE {
        return said.iter().map(|said| entry(said, at)).collect();
    }
    let by = told.first().map(|told| format!(", by {}", told.changed)).unwrap_or_default();
    vec![entry(&format!("{} addresses and phones{by}; see: countersign directory log", said.len()), at)]
}

fn entry(said: &str, time: Timestamp) -> Entry {
    // Whoever is alerted of high risk alone hears of it.
    Entry { detail_type: "PersonRegistered", time, detail: json!({"title": said, "risk": "high"}).to_string() }
}

#[cfg(test)]
mod tests {
    use events::event::{Changed, Changer, Door};

    use super::*;

    fn told(number: usize) -> Vec<Announcement> {
        let person: events::PersonId = "ana@x.com".parse().expect("a person");
        let alias: events::PersonId = format!("eve{number}@evil.example").parse().expect("a person");
        let at = Timestamp::from_millis(1_795_406_400_000).expect("a time");
        let changed = Changed::new(Changer::Integration("hr".parse().expect("a name")), Door::Api);
        let announcement = |to: &events::PersonId, news| Announcement { to: to.clone(), news, at, changed: changed.clone() };
        vec![
            announcement(&person, News::Alias { person: person.clone(), alias: alias.clone() }),
            announcement(&alias, News::CountsAs { alias: alias.clone(), person: person.clone() }),
        ]
    }

    #[test]
    fn each_new_address_is_one_alert_of_high_risk_and_many_at_once_are_one() {
        let at = Timestamp::from_millis(1_795_406_400_000).expect("a time");
        let made = entries(&told(1), at);
        let said = r#"{"risk":"high","title":"eve1@evil.example now decides as ana@x.com, by integration hr through the API"}"#;
        assert_eq!(made, [Entry { detail_type: "PersonRegistered", time: at, detail: said.to_owned() }]);
        let many: Vec<Announcement> = (0..200).flat_map(told).collect();
        let made = entries(&many, at);
        assert_eq!(made.len(), 1);
        assert!(made[0].detail.contains("200 addresses and phones, by integration hr through the API"), "{}", made[0].detail);
    }
}
