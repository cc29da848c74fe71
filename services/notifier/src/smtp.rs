//! Mails by an SMTP server.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use channels::{
    announcement::Note,
    mail::letter::{self, Sender},
};
use events::{PersonId, Timestamp, event::Channel};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{Error, authentication::Credentials},
};
use review::contact::{Kind, Route};
use zeroize::Zeroizing;

use crate::{Announce, Deliver, DeliverError, Message, letter::write};

/// How long the server may take to answer; the delivery's lease is longer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Answers to one recipient that no other try changes: no such mailbox, mailbox not local, full beyond
/// its limit, not allowed (RFC 5321, 4.2.3), and one that takes no mail (RFC 7504).
const NO_SUCH: &[u16] = &[550, 551, 552, 553, 556];

/// A server that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    /// The address of the server cannot be read.
    #[error("write smtp://HOST[:PORT] (with STARTTLS; in the clear on this machine alone) or smtps://HOST[:PORT]")]
    Url,
    /// A secret in the address would be seen by everybody on the machine.
    #[error("the server's address holds a user; give it by SMTP_USER and SMTP_PASSWORD in the environment instead")]
    Secret,
    /// The sender's address cannot be read.
    #[error("write the sender as ADDRESS or NAME <ADDRESS>")]
    From,
}

/// Who we are to the server. It does not print.
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// Sends mails.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
}

impl Smtp {
    /// By this server, from this address.
    ///
    /// # Errors
    /// See [`SmtpError`].
    pub fn new(url: &str, from: &str, login: Option<Login>) -> Result<Smtp, SmtpError> {
        let from = from.parse().map_err(|_| SmtpError::From)?;
        let (scheme, rest) = url.split_once("://").ok_or(SmtpError::Url)?;
        let rest = rest.trim_end_matches('/');
        if rest.contains('@') {
            return Err(SmtpError::Secret);
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().map_err(|_| SmtpError::Url)?)),
            None => (rest, None),
        };
        if host.is_empty() || host.contains(['/', '?', '#']) {
            return Err(SmtpError::Url);
        }
        let builder = match scheme {
            "smtps" => AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(|_| SmtpError::Url)?,
            "smtp" if matches!(host, "localhost" | "127.0.0.1") => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
            "smtp" => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host).map_err(|_| SmtpError::Url)?,
            _ => return Err(SmtpError::Url),
        };
        let builder = port.map_or(builder.clone(), |port| builder.port(port)).timeout(Some(TIMEOUT));
        let builder = match login {
            Some(login) => builder.credentials(Credentials::new(login.user, login.password.as_str().to_owned())),
            None => builder,
        };
        Ok(Smtp { transport: builder.build(), from })
    }

    /// Sends this address its link to sign in by; a mail of no thread.
    ///
    /// # Errors
    /// As [`Deliver::deliver`].
    pub async fn send_sign_in(&self, to: &str, link: &str) -> Result<(), DeliverError> {
        let letter = letter::sign_in(&self.from, to, link)?;
        self.transport.send(letter).await.map(|_| ()).map_err(|error| failed(&error))
    }
}

#[async_trait]
impl Deliver for Smtp {
    fn route(&self) -> Route {
        Route { channel: Channel::Email, by: &[Kind::Email], reminds: true, tells_end: true, updates: false }
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        let (letter, id, _) = write(message, &self.from, message.earlier.iter().map(|id| (*id).to_owned()).collect())?;
        match self.transport.send(letter).await {
            Ok(_) => Ok(Some(id)),
            Err(error) => Err(failed(&error)),
        }
    }
}

#[async_trait]
impl Announce for Smtp {
    fn reaches(&self, to: &PersonId) -> bool {
        to.as_str().contains('@')
    }

    async fn announce(&self, to: &PersonId, note: &Note, _: Timestamp) -> Result<(), DeliverError> {
        let letter = letter::note(&self.from, to.as_str(), note)?;
        self.transport.send(letter).await.map(|_| ()).map_err(|error| failed(&error))
    }
}

fn failed(error: &Error) -> DeliverError {
    let (channel, code) = (Channel::Email, error.status().map(u16::from));
    let message = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    match code {
        Some(code) if NO_SUCH.contains(&code) => DeliverError::Unreachable { channel, message },
        // 530, 534, 535, 538: a login that an operator may mend.
        Some(code) if error.is_permanent() && !(530..540).contains(&code) => DeliverError::Refused { channel, message },
        _ => DeliverError::Unavailable { channel, message, retry_after: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_and_a_secret_in_its_address_is_turned_away() {
        let error = |url: &str| Smtp::new(url, "Reviews <r@corp.example>", None).err();
        for url in ["smtp://127.0.0.1:1025", "smtps://mail.corp.example", "smtp://mail.corp.example:587/"] {
            assert_eq!(error(url), None, "{url}");
        }
        for url in ["mail.corp.example", "http://mail.corp.example", "smtp://", "smtp://h:x", "smtp://h/?tls=none"] {
            assert_eq!(error(url), Some(SmtpError::Url), "{url}");
        }
        assert_eq!(error("smtp://user:secret@h"), Some(SmtpError::Secret));
        assert_eq!(Smtp::new("smtps://h", "nobody", None).err(), Some(SmtpError::From));
    }
}
