//! Where a follower of a DynamoDB stream stands, and which shards it may read next. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How far one shard was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Read {
    /// Nothing of it yet.
    Nothing,
    /// Up to and with this sequence number.
    UpTo(String),
    /// All of it; it is closed.
    All,
}

/// The whole position: every shard that is or was read. Kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Shards(pub(super) BTreeMap<String, Read>);

/// A shard as the stream describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) id: String,
    pub(super) parent: Option<String>,
}

/// The stream no longer holds what follows a position: the named shard is gone unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost(pub(super) String);

impl Shards {
    /// Takes in what the stream holds now and gives the shards that can be read: those whose parent
    /// was read to its end, so that a stream's commits stay in order.
    ///
    /// A fresh position begins with the oldest shards that are described. For any other, a shard
    /// that is gone though it was not read to its end, be it known or only named as a parent, is
    /// lost.
    pub(super) fn ready(&mut self, described: &[Described]) -> Result<Vec<String>, Lost> {
        let fresh = self.0.is_empty();
        let there: BTreeSet<&str> = described.iter().map(|shard| shard.id.as_str()).collect();
        if let Some((gone, _)) = self.0.iter().find(|(id, read)| **read != Read::All && !there.contains(id.as_str())) {
            return Err(Lost(gone.clone()));
        }
        let mut ready = Vec::new();
        for shard in described {
            let parent_done = match &shard.parent {
                None => true,
                Some(parent) if there.contains(parent.as_str()) || self.0.contains_key(parent) => {
                    self.0.get(parent) == Some(&Read::All)
                }
                Some(_) if fresh || self.0.contains_key(&shard.id) => true,
                Some(parent) => return Err(Lost(parent.clone())),
            };
            if parent_done && self.0.get(&shard.id) != Some(&Read::All) {
                ready.push(shard.id.clone());
            }
        }
        for id in &ready {
            self.0.entry(id.clone()).or_insert(Read::Nothing);
        }
        // A shard that was read and is no longer described is forgotten once its children are known.
        let waiting: BTreeSet<&str> = described
            .iter()
            .filter(|shard| !self.0.contains_key(&shard.id))
            .filter_map(|shard| shard.parent.as_deref())
            .collect();
        self.0.retain(|id, _| there.contains(id.as_str()) || waiting.contains(id.as_str()));
        Ok(ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(shards: &[(&str, Option<&str>)]) -> Vec<Described> {
        let described = |(id, parent): &(&str, Option<&str>)| Described { id: (*id).into(), parent: parent.map(Into::into) };
        shards.iter().map(described).collect()
    }

    fn at(shards: &[(&str, Read)]) -> Shards {
        Shards(shards.iter().map(|(id, read)| ((*id).to_owned(), read.clone())).collect())
    }

    #[test]
    fn children_are_read_after_their_parent_was_read_to_its_end() {
        let stream = stream(&[("b", Some("a")), ("a", None), ("c", Some("a"))]);
        let mut position = Shards::default();
        assert_eq!(position.ready(&stream), Ok(vec!["a".into()]));
        position.0.insert("a".into(), Read::All);
        assert_eq!(position.ready(&stream), Ok(vec!["b".into(), "c".into()]));
    }

    #[test]
    fn a_fresh_position_begins_with_the_oldest_shard_that_is_there() {
        assert_eq!(Shards::default().ready(&stream(&[("c", Some("b")), ("b", Some("a"))])), Ok(vec!["b".into()]));
    }

    #[test]
    fn a_shard_that_went_away_unread_is_lost() {
        let left = stream(&[("c", Some("b"))]);
        assert_eq!(at(&[("a", Read::UpTo("1".into()))]).ready(&left), Err(Lost("a".into())));
        assert_eq!(at(&[("a", Read::All)]).ready(&left), Err(Lost("b".into())), "b came and went between a and c");
        assert_eq!(at(&[("b", Read::All)]).ready(&left), Ok(vec!["c".into()]));
    }

    #[test]
    fn a_shard_that_is_being_read_outlives_its_parent() {
        let mut position = at(&[("a", Read::All), ("b", Read::UpTo("7".into()))]);
        assert_eq!(position.ready(&stream(&[("b", Some("a"))])), Ok(vec!["b".into()]));
        assert_eq!(position, at(&[("b", Read::UpTo("7".into()))]), "and the parent is forgotten");
        assert_eq!(position.ready(&stream(&[("b", Some("a"))])), Ok(vec!["b".into()]));
    }
}
