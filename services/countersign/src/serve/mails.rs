//! Mails of this service, when a server for them is named.

use std::sync::Arc;

use gateway::SignInMail;
use notifier::{Announce, Deliver};

use super::{ServeOptions, outbox::Console};

/// What goes by mail.
pub struct Mails {
    /// The channel for messages; absent without a server.
    pub by_mail: Option<Arc<dyn Deliver>>,
    /// The same for notes of no review; absent without a server.
    pub notes: Option<Arc<dyn Announce>>,
    /// What carries sign-in links; the console without a server.
    pub sign_in: Arc<dyn SignInMail>,
}

/// Reads where mails go.
///
/// # Errors
/// When the server or the sender cannot be read, or this build sends no mail.
pub fn open(options: &ServeOptions) -> anyhow::Result<Mails> {
    match (&options.smtp, &options.mail_from) {
        (Some(url), Some(from)) => smtp::open(url, from),
        _ => Ok(Mails { by_mail: None, notes: None, sign_in: Arc::new(Console) }),
    }
}

#[cfg(feature = "smtp")]
mod smtp {
    use std::sync::Arc;

    use anyhow::Context as _;
    use async_trait::async_trait;
    use events::{PersonId, event::Channel};
    use gateway::SignInMail;
    use notifier::{
        Announce,
        smtp::{Login, Smtp},
    };

    use super::Mails;

    pub(super) fn open(url: &str, from: &str) -> anyhow::Result<Mails> {
        let secret = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let login = secret("SMTP_USER").zip(secret("SMTP_PASSWORD"));
        let login = login.map(|(user, password)| Login { user, password: password.into() });
        let smtp = Arc::new(Smtp::new(url, from, login).context("--smtp and --mail-from")?);
        let (sign_in, notes) = (Arc::new(SignInBySmtp(Arc::clone(&smtp))), Some(Arc::clone(&smtp) as Arc<dyn Announce>));
        Ok(Mails { sign_in, notes, by_mail: Some(smtp) })
    }

    struct SignInBySmtp(Arc<Smtp>);

    #[async_trait]
    impl SignInMail for SignInBySmtp {
        fn channel(&self) -> Channel {
            Channel::Email
        }

        /// Sends it beside the answer, which must not tell by its time whether there was a mail to send.
        async fn send(&self, to: &PersonId, link: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            let (smtp, to, link) = (Arc::clone(&self.0), to.clone(), link.to_owned());
            tokio::spawn(async move {
                if let Err(error) = smtp.send_sign_in(to.as_str(), &link).await {
                    tracing::error!(%error, "a sign-in link was not sent");
                }
            });
            Ok(())
        }
    }
}

#[cfg(not(feature = "smtp"))]
mod smtp {
    pub(super) fn open(_: &str, _: &str) -> anyhow::Result<super::Mails> {
        anyhow::bail!("this build sends no mail; build with: cargo build --release --features smtp")
    }
}
