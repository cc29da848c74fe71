//! Why a record or an invocation failed, and whether the same may work later.

use std::{error::Error, fmt};

use lambda_runtime::Diagnostic;
use ledger::with_causes;

/// A failure in words, with its causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whether the same may work later without anybody mending anything.
    pub retryable: bool,
    /// What went wrong, with its causes. Never a token, secret or body.
    pub error: String,
}

impl Failure {
    /// From an error and its causes.
    pub fn of(error: &dyn Error, retryable: bool) -> Failure {
        Failure { retryable, error: with_causes(error) }
    }

    /// What will never work as it is.
    pub fn refused(error: impl Into<String>) -> Failure {
        Failure { retryable: false, error: error.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl Error for Failure {}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Diagnostic {
        let error_type = if failure.retryable { "Countersign.Unavailable" } else { "Countersign.Failed" };
        Diagnostic { error_type: error_type.to_owned(), error_message: failure.error }
    }
}
