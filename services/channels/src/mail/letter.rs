//! A mail as it travels.
//!
//! All mails to one person about one review are a thread: each refers to the id of the first. SES
//! replaces a `Message-ID` by its own ("Amazon SES header fields" of its developer guide) and leaves
//! `References` alone, so every mail, also the first, refers to an id that nothing rewrites, and to
//! whatever ids the earlier ones got.

use events::{ReviewId, event::Purpose, line::line};
use lettre::{
    Address,
    message::{
        Mailbox, Message, MultiPart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use review::PrimaryId;
use sha2::{Digest as _, Sha256};

use super::Mail;
use crate::announcement::Note;

/// The message as it travels.
pub type Letter = Message;

/// Whom mails are from: an address, with a name or without.
pub type Sender = Mailbox;

/// Whom a mail is from and to, and where in its thread it stands.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// Whom it is from.
    pub from: &'a Mailbox,
    /// The address it goes to.
    pub to: &'a str,
    /// The name people see.
    pub name: &'a str,
    /// About which review.
    pub review: ReviewId,
    /// To whom.
    pub person: &'a PrimaryId,
    /// What for.
    pub purpose: Purpose,
    /// The ids of the earlier mails, `<…@…>`, oldest first.
    pub earlier: Vec<String>,
}

/// A mail that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The address is none that a mail can go to.
    #[error("{address:?} is no address that mail can be sent to")]
    Address {
        /// The address.
        address: String,
    },
    /// A fault of ours.
    #[error("the mail cannot be written: {0}")]
    Malformed(#[from] lettre::error::Error),
}

/// The message, and its id: the same whenever it is made again, so that a mail that goes out twice is
/// one in clients that look.
///
/// # Errors
/// See [`LetterError`].
pub fn letter(mail: Mail, envelope: &Envelope<'_>) -> Result<(Message, String), LetterError> {
    let address: Address = envelope.to.parse().map_err(|_| LetterError::Address { address: envelope.to.to_owned() })?;
    let (root, id) = (id(envelope, Purpose::Asked), id(envelope, envelope.purpose));
    let name = line(envelope.name);
    let name = (name != envelope.to).then_some(name);
    let mut references = vec![root.clone()];
    references.extend(envelope.earlier.iter().filter(|earlier| **earlier != root).cloned());
    let mut message = Message::builder()
        .from(envelope.from.clone())
        .to(Mailbox::new(name, address))
        .subject(mail.subject)
        .message_id(Some(id.clone()))
        .references(references.join(" "))
        .raw_header(automatic("Auto-Submitted", "auto-generated"))
        .raw_header(automatic("X-Auto-Response-Suppress", "All"));
    if envelope.purpose != Purpose::Asked {
        message = message.in_reply_to(envelope.earlier.last().unwrap_or(&root).clone());
    }
    Ok((message.multipart(MultiPart::alternative_plain_html(mail.text, mail.html))?, id))
}

/// A note as a mail of no thread.
///
/// # Errors
/// See [`LetterError`].
pub fn note(from: &Mailbox, to: &str, note: &Note) -> Result<Message, LetterError> {
    plain(from, to, note.subject, note.text.clone())
}

/// The mail with the link that signs `to` in, as text alone.
///
/// # Errors
/// See [`LetterError`].
pub fn sign_in(from: &Mailbox, to: &str, link: &str) -> Result<Message, LetterError> {
    let text = format!(
        "Sign in by this link; it works once, and soon no more:\n{link}\n\n\
         If you did not ask for it, somebody typed your address. Ignore this mail: nothing happens.\n"
    );
    plain(from, to, "Your sign-in link", text)
}

fn plain(from: &Mailbox, to: &str, subject: &str, text: String) -> Result<Message, LetterError> {
    let address: Address = to.parse().map_err(|_| LetterError::Address { address: to.to_owned() })?;
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(subject)
        .raw_header(automatic("Auto-Submitted", "auto-generated"))
        .raw_header(automatic("X-Auto-Response-Suppress", "All"))
        .header(ContentType::TEXT_PLAIN);
    Ok(message.body(text)?)
}

/// No out-of-office answer to a machine: RFC 3834 says how, and Exchange goes by a header of its own (MS-OXCMAIL,
/// 2.1.3.2.14).
fn automatic(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn id(envelope: &Envelope<'_>, purpose: Purpose) -> String {
    let person = hex::encode(&Sha256::digest(envelope.person.as_str().as_bytes())[..8]);
    let purpose = match purpose {
        Purpose::Asked => "asked".to_owned(),
        Purpose::Reminded(number) => format!("reminder-{number}"),
        Purpose::Ended => "ended".to_owned(),
    };
    format!("<{}.{person}.{purpose}@{}>", envelope.review, envelope.from.email.domain())
}

#[cfg(test)]
mod tests {
    use events::PersonId;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a door takes for an address, a mail can be addressed to, as it stands.
        #[test]
        fn any_address_that_is_taken_can_be_written_to(
            local in "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,20}",
            domain in "([a-zü0-9ßΣ日-]{1,8}[.\u{3002}]){1,3}[a-zé]{2,5}",
        ) {
            if let Ok(person) = PersonId::email(&format!("{local}@{domain}")) {
                let address = person.as_str().parse::<lettre::Address>().map(|address| address.to_string()).ok();
                prop_assert_eq!(address.as_deref(), Some(person.as_str()));
            }
        }
    }
}
