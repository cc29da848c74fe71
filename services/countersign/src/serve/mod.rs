//! The one-machine service: the same handlers as on AWS, over an embedded SQLite log.
//!
//! | file | holds |
//! |---|---|
//! | [`service`] | the parts, put together |
//! | [`consumer`] | the loop in which each handler follows the log |
//! | [`consumers`] | the handlers as consumers |
//! | [`arrivals`] | waking who waits for a review |
//! | [`keys`] | the secrets of the data directory |
//! | [`mails`] | the channel and the sign-in links that go by mail |
//! | [`oidc`] | the provider that people sign in with |
//! | [`outbox`] | notices on the console |
//! | [`slack`] | the app in a Slack workspace |
//! | `suspects` | an alarm in the log when many votes are refused |
//! | [`moved`] | what a moved directory answers |
//! | [`aws`] | the clients of Step Functions and EventBridge |

pub mod arrivals;
pub mod aws;
pub mod consumer;
pub mod consumers;
mod flight;
pub mod keys;
pub mod mails;
pub mod moved;
pub mod oidc;
pub mod options;
pub mod outbox;
pub mod service;
pub mod slack;
mod suspects;
mod timers;

use std::process::ExitCode;

use anyhow::{Context, bail};
use https::Origin;
use tokio::net::TcpListener;

use crate::{
    checkpoints::{broken::KeeperError, restore::BROKEN},
    log::fence::Fence,
};

pub use options::ServeOptions;
pub use service::Service;

/// Runs the service until Ctrl-C or SIGTERM. A log that is not what was signed of it is not served, which has an exit
/// code of its own.
///
/// # Errors
/// When the data directory or the address cannot be had.
pub async fn run(options: ServeOptions) -> anyhow::Result<ExitCode> {
    match serve(options).await {
        Err(error) if matches!(error.downcast_ref(), Some(KeeperError::Broken(_))) => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::from(BROKEN))
        }
        ended => ended.map(|()| ExitCode::SUCCESS),
    }
}

async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    if options.dev && !options.listen.ip().is_loopback() {
        bail!("--dev and --demo let anybody decide as anybody, so they are for this machine only: listen on 127.0.0.1.");
    }
    // A proxy or a tunnel stands there for others to come by.
    if let Some(url) = options.base_url.as_ref().filter(|url| options.dev && (url.is_https() || !url.is_loopback())) {
        bail!(
            "--dev and --demo let anybody decide as anybody, so they are for this machine only, and {url} is for others.\n\
             Leave --base-url away, or --dev and --demo."
        );
    }
    if !options.listen.ip().is_loopback() {
        let is_https = options.base_url.as_ref().is_some_and(Origin::is_https);
        if options.oidc.is_none() && options.smtp.is_none() {
            bail!(
                "{} is not a loopback address. People from other machines would need to sign in, and no sign-in is configured.\n\
                 Set one up with --oidc-issuer or --smtp, or listen on 127.0.0.1.",
                options.listen
            );
        }
        if !is_https {
            bail!(
                "{} is not a loopback address, and what people sign in with would go over the network in plain text.\n\
                 Put a proxy that serves https in front, and name it: --base-url https://…",
                options.listen
            );
        }
    }
    let listener = TcpListener::bind(options.listen).await.with_context(|| {
        format!("cannot listen on {}; is another service there? Choose another with --listen", options.listen)
    })?;
    let address = listener.local_addr()?;
    // Taken before anything is started, so that a signal is heard whichever of the two runs.
    let (stop, stop_moved) = (stop_signal()?, stop_signal()?);
    if Fence::stands(&options.data) {
        return moved::run(listener, &options.data, stop_moved).await;
    }
    // The same socket once more, for the case that the directory is moved while the service runs.
    let listener = listener.into_std()?;
    let kept = TcpListener::from_std(listener.try_clone()?)?;
    let service = Service::start(&options, address).await?;
    service.announce(address)?;
    let fenced = moved::fenced(options.data.clone());
    let stop_or_fence = async move {
        tokio::select! {
            () = stop => {}
            () = fenced => {}
        }
    };
    service.serve(TcpListener::from_std(listener)?, stop_or_fence).await?;
    match Fence::stands(&options.data) {
        true => moved::run(kept, &options.data, stop_moved).await,
        false => Ok(()),
    }
}

/// Resolves on the first Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
