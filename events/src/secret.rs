//! Secrets that do not print.

use std::fmt;

use zeroize::Zeroizing;

use crate::digest::TokenHash;

/// The longest task token (Step Functions API reference, `SendTaskSuccess`: 2048 characters).
pub const TASK_TOKEN_MAX: usize = 2048;

/// A Step Functions task token: who holds it can answer the waiting workflow. It is wiped from
/// memory when dropped, never printed and never serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct TaskToken(Zeroizing<String>);

impl TaskToken {
    /// Takes a token of 1 to [`TASK_TOKEN_MAX`] bytes; anything else is `None`.
    pub fn new(token: impl Into<String>) -> Option<TaskToken> {
        let token = Zeroizing::new(token.into());
        (1..=TASK_TOKEN_MAX).contains(&token.len()).then_some(TaskToken(token))
    }

    /// The token itself: to seal it, or to answer with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the token is known by everywhere else.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for TaskToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_04_a_task_token_does_not_print() {
        let token = TaskToken::new("AAAAsecret").expect("a token");
        assert_eq!(format!("{token:?}"), "TaskToken(…)");
        assert!(TaskToken::new("").is_none());
        assert!(TaskToken::new("x".repeat(TASK_TOKEN_MAX + 1)).is_none());
    }
}
