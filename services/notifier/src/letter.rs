//! A message as the letter that both ways of sending mail carry.

use channels::mail::{
    self,
    letter::{Envelope, Letter, LetterError, Sender, letter},
};
use events::event::Channel;
use review::contact::Contact;

use crate::{DeliverError, Message};

/// The letter and its id, and the address it goes to; `earlier` are the ids of the letters before it.
pub(crate) fn write<'a>(
    message: &Message<'a>,
    from: &Sender,
    earlier: Vec<String>,
) -> Result<(Letter, String, &'a str), DeliverError> {
    let Contact::Email(to) = message.to else {
        return Err(DeliverError::Refused { channel: Channel::Email, message: "this is no e-mail address".to_owned() });
    };
    let mail = mail::compose(message.review, message.directory, message.name, message.purpose, &message.link.url());
    let envelope = Envelope {
        from,
        to,
        name: message.name,
        review: message.review.id,
        person: message.person,
        purpose: message.purpose,
        earlier,
    };
    let (letter, id) = letter(mail, &envelope)?;
    Ok((letter, id, to))
}

impl From<LetterError> for DeliverError {
    fn from(error: LetterError) -> DeliverError {
        let (channel, message) = (Channel::Email, error.to_string());
        match error {
            LetterError::Address { .. } => DeliverError::Unreachable { channel, message },
            LetterError::Malformed(_) => DeliverError::Refused { channel, message },
        }
    }
}
