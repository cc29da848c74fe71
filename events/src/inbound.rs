//! The other details that callers put on the bus, version 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    digest::{SeenDigest, SubjectDigest},
    event::{Channel, Choice, Occasion},
    fault::{Fault, Reader},
    ids::{PersonId, ReviewId},
    request::{Contact, PersonContact, REASON_MAX, Reviewer},
};

/// `VoteSubmitted`: an approver tool hands in a person's vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteSubmitted {
    /// Which review.
    #[schemars(with = "uuid::Uuid")]
    pub review_id: ReviewId,
    /// Whose vote: email or slack.
    #[serde(with = "contact")]
    #[schemars(with = "PersonContact")]
    pub person: PersonId,
    /// What they said.
    pub choice: Choice,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4_000))]
    pub reason: Option<String>,
    /// Digest of subject and evidence as they saw them; a vote on another is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_digest: Option<SubjectDigest>,
    /// Digest of all that they read (title, summary, subject, evidence). Say it only when they saw the
    /// whole; a vote on another is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_digest: Option<SeenDigest>,
}

/// `ReviewCancelled`: the program that asked withdraws its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequested {
    /// Which review.
    #[schemars(with = "uuid::Uuid")]
    pub review_id: ReviewId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4_000))]
    pub reason: Option<String>,
}

/// `ReviewNotified`: a custom channel says that it reached a reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeReported {
    /// Which review.
    #[schemars(with = "uuid::Uuid")]
    pub review_id: ReviewId,
    /// Who was reached: email or slack.
    #[serde(with = "contact")]
    #[schemars(with = "PersonContact")]
    pub person: PersonId,
    /// How.
    pub channel: Channel,
    /// Why.
    pub occasion: Occasion,
    /// The message at the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1_000))]
    pub message_ref: Option<String>,
}

/// A person, written as a contact.
mod contact {
    use super::{Contact, PersonId, Reviewer};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(person: &PersonId, serializer: S) -> Result<S::Ok, S::Error> {
        Contact::from(person.clone()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PersonId, D::Error> {
        match Reviewer::try_from(Contact::deserialize(deserializer)?) {
            Ok(Reviewer::Person(person)) => Ok(person),
            Ok(_) => Err(D::Error::custom("a group is no person")),
            Err(error) => Err(D::Error::custom(error)),
        }
    }
}

const REVIEW: &str = "a review id (a UUID)";
const PERSON: &str = "an object with exactly one of email or slack (\"TEAM/USER\")";

impl VoteSubmitted {
    /// Reads a vote from a detail.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(detail: &Value) -> Result<VoteSubmitted, Vec<Fault>> {
        let mut faults = Vec::new();
        let read = Reader::open(detail, "", &mut faults).and_then(|mut reader| {
            let faults = &mut faults;
            let review_id = reader.parsed("review_id", REVIEW, faults);
            let review_id = reader.required("review_id", REVIEW, review_id, faults);
            let person = read_person(&mut reader, faults);
            let choice = reader.one_of("choice", "\"approve\", \"reject\", \"request-changes\" or \"comment\"", faults);
            let choice = reader.required("choice", "\"approve\", \"reject\", \"request-changes\" or \"comment\"", choice, faults);
            let reason = reader.text("reason", 0, REASON_MAX, faults);
            let subject_digest = reader.parsed("subject_digest", "64 hexadecimal characters", faults);
            let seen_digest = reader.parsed("seen_digest", "64 hexadecimal characters", faults);
            reader.close(faults);
            Some(VoteSubmitted { review_id: review_id?, person: person?, choice: choice?, reason, subject_digest, seen_digest })
        });
        read.filter(|_| faults.is_empty()).ok_or(faults)
    }
}

impl CancelRequested {
    /// Reads a cancellation from a detail.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(detail: &Value) -> Result<CancelRequested, Vec<Fault>> {
        let mut faults = Vec::new();
        let read = Reader::open(detail, "", &mut faults).and_then(|mut reader| {
            let faults = &mut faults;
            let review_id = reader.parsed("review_id", REVIEW, faults);
            let review_id = reader.required("review_id", REVIEW, review_id, faults);
            let reason = reader.text("reason", 0, REASON_MAX, faults);
            reader.close(faults);
            Some(CancelRequested { review_id: review_id?, reason })
        });
        read.filter(|_| faults.is_empty()).ok_or(faults)
    }
}

impl NoticeReported {
    /// Reads a notice from a detail.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(detail: &Value) -> Result<NoticeReported, Vec<Fault>> {
        const CHANNEL: &str = "\"slack\", \"email\", \"sms\", \"web\", \"cli\", \"api\", \"bus\" or \"outbox\"";
        const OCCASION: &str = "\"asked\" or \"ended\"";
        let mut faults = Vec::new();
        let read = Reader::open(detail, "", &mut faults).and_then(|mut reader| {
            let faults = &mut faults;
            let review_id = reader.parsed("review_id", REVIEW, faults);
            let review_id = reader.required("review_id", REVIEW, review_id, faults);
            let person = read_person(&mut reader, faults);
            let channel = reader.one_of("channel", CHANNEL, faults);
            let channel = reader.required("channel", CHANNEL, channel, faults);
            let occasion = reader.one_of("occasion", OCCASION, faults);
            let occasion = reader.required("occasion", OCCASION, occasion, faults);
            let message_ref = reader.text("message_ref", 0, 1_000, faults);
            reader.close(faults);
            Some(NoticeReported { review_id: review_id?, person: person?, channel: channel?, occasion: occasion?, message_ref })
        });
        read.filter(|_| faults.is_empty()).ok_or(faults)
    }
}

fn read_person(reader: &mut Reader<'_>, faults: &mut Vec<Fault>) -> Option<PersonId> {
    let value = reader.raw("person");
    let value = reader.required("person", PERSON, value, faults)?;
    let expected = match Reviewer::read(value, PERSON) {
        Ok(Reviewer::Person(person)) => return Some(person),
        Ok(_) => PERSON.into(),
        Err(expected) => expected,
    };
    faults.push(Fault::new(reader.at("person"), expected));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn votes_cancellations_and_notices_name_every_fault() {
        let pointers = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>();
        let vote = VoteSubmitted::parse(&json!({"review_id": "x", "person": {"group": "g"}, "choice": "yes", "weight": 2}));
        assert_eq!(pointers(vote.expect_err("faults")), ["/review_id", "/person", "/choice", "/weight"]);
        assert_eq!(pointers(CancelRequested::parse(&json!({})).expect_err("faults")), ["/review_id"]);
        assert_eq!(
            pointers(NoticeReported::parse(&json!({"channel": "fax"})).expect_err("faults")),
            ["/review_id", "/person", "/channel", "/occasion"]
        );
    }
}
