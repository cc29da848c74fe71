//! What a command ends with when it does not do what was asked, and its exit code.

use std::{io, path::PathBuf};

use events::Fault;

/// Exit code: the review was rejected, or what was asked did not happen.
pub const REJECTED: u8 = 1;
/// Exit code: what was given is invalid.
pub const INVALID: u8 = 2;
/// Exit code: the review expired.
pub const EXPIRED: u8 = 3;
/// Exit code: the review was cancelled.
pub const CANCELLED: u8 = 4;
/// Exit code: the service cannot be reached or does not take us.
pub const UNREACHABLE: u8 = 5;
/// Exit code: nobody decided while we waited.
pub const UNDECIDED: u8 = 6;

/// Why a command did not do what was asked. Its text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file or standard input cannot be read.
    #[error("cannot read {what}: {source}")]
    Input {
        /// Which.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Something that was given cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// An input has faults.
    #[error("{what}:{}", list(.faults))]
    Faults {
        /// Which input, and what is the matter with it.
        what: String,
        /// Each of them, one line.
        faults: Vec<String>,
    },
    /// There is no operator's key where `--data` points.
    #[error("no operator's key at {}\n  start the service with `countersign serve`, or point --data (COUNTERSIGN_DATA) at its directory", path.display())]
    NoKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The operator's key cannot be read.
    #[error("cannot read the operator's key {}: {source}\n  it is readable for the user who runs the service only", path.display())]
    UnreadableKey {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The service does not take the key.
    #[error("{url} does not take the operator's key of {}\n  point --data (COUNTERSIGN_DATA) at the directory of that service, or --url at the service of that directory", path.display())]
    KeyRefused {
        /// The service.
        url: String,
        /// Where the key came from.
        path: PathBuf,
    },
    /// The service does not take the token.
    #[error(
        "{url} does not take the token in COUNTERSIGN_TOKEN: {why}\n  an operator makes another with `countersign integrations add`, or unset it to use the operator's key"
    )]
    TokenRefused {
        /// The service.
        url: String,
        /// What it said.
        why: String,
    },
    /// The token does not reach that far.
    #[error("the token in COUNTERSIGN_TOKEN is not enough for {what}: {why}")]
    Forbidden {
        /// What was asked.
        what: String,
        /// What the service said.
        why: String,
    },
    /// No answer.
    #[error(
        "cannot reach the service at {url}: {why}\n  start it with `countersign serve`, or say where it is with --url (COUNTERSIGN_URL)"
    )]
    Unreachable {
        /// The service.
        url: String,
        /// What happened.
        why: String,
    },
    /// The service answered that it cannot just now.
    #[error("the service at {url} is not well: {why}\n  its own log says more; the same command may be given again")]
    Unwell {
        /// The service.
        url: String,
        /// What it said.
        why: String,
    },
    /// Somebody else answers at that address, or another version.
    #[error(
        "{url} gave an answer that this version does not know ({why})\n  is it a Countersign service? `countersign --version` and the service should be alike"
    )]
    Unexpected {
        /// The service.
        url: String,
        /// What was odd.
        why: String,
    },
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// What was asked did not happen, for a good reason.
    #[error("{0}")]
    Declined(String),
    /// The time given is over.
    #[error("{0}")]
    Undecided(String),
    /// Standard output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

fn list(faults: &[String]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

impl Failure {
    /// An invalid input whose faults the service or the vocabulary found.
    pub fn faults(what: impl Into<String>, faults: &[Fault]) -> Failure {
        Failure::Faults { what: what.into(), faults: faults.iter().map(ToString::to_string).collect() }
    }

    /// What is wrong, without what to do.
    pub fn brief(&self) -> String {
        self.to_string().lines().next().unwrap_or_default().to_owned()
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Declined(_) => REJECTED,
            Failure::Input { .. } | Failure::Invalid(_) | Failure::Faults { .. } | Failure::NotFound(_) => INVALID,
            Failure::NoKey { .. }
            | Failure::UnreadableKey { .. }
            | Failure::KeyRefused { .. }
            | Failure::TokenRefused { .. }
            | Failure::Forbidden { .. }
            | Failure::Unreachable { .. }
            | Failure::Unwell { .. }
            | Failure::Unexpected { .. }
            | Failure::Output(_) => UNREACHABLE,
            Failure::Undecided(_) => UNDECIDED,
        }
    }

    /// Whether the same call may succeed in a moment: the service is down, starting or busy.
    pub fn may_pass(&self) -> bool {
        matches!(self, Failure::Unreachable { .. } | Failure::Unwell { .. } | Failure::NoKey { .. })
    }
}
