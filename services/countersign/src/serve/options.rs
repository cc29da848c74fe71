//! How `serve` is to run.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use gateway::Proxies;
use https::Origin;
use intake::Recipients;
use slack::TrustedTeam;

/// Where `serve` answers unless told.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);

/// How `serve` is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// The directory of the log and the keys; made when missing.
    pub data: PathBuf,
    /// Where to answer.
    pub listen: SocketAddr,
    /// Whether the demonstration is offered in the browser.
    pub demo: bool,
    /// Whether the operator may enter anybody's vote in the browser.
    pub dev: bool,
    /// The EventBridge bus to publish to, by name or ARN.
    pub publish_to: Option<String>,
    /// How people reach us; the address we listen on when absent.
    pub base_url: Option<Origin>,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Proxies,
    /// How many requests one program may make a minute; 0 for no limit. The operator has none.
    pub requests_per_minute: u32,
    /// The domains that a request may have us write to.
    pub recipients: Recipients,
    /// The SMTP server that takes mails, `smtp://` or `smtps://`.
    pub smtp: Option<String>,
    /// The sender of mails.
    pub mail_from: Option<String>,
    /// Whether people are alerted by SMS, through SNS.
    pub sms: bool,
    /// The app in a Slack workspace, if people are asked there.
    pub slack: Option<SlackOptions>,
    /// The provider that people sign in with, if there is one.
    pub oidc: Option<OidcOptions>,
}

/// A provider of sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcOptions {
    /// Its address.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// The file of our secret there; the environment when absent.
    pub client_secret: Option<PathBuf>,
    /// What people call it.
    pub name: Option<String>,
}

/// The app in a Slack workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackOptions {
    /// The file of its secrets, or `env`.
    pub secrets: PathBuf,
    /// Where Slack's Web API is.
    pub api: String,
    /// The workspace in which the address of a profile says who its account is; none unless opted in to.
    pub trusted: Option<TrustedTeam>,
}
