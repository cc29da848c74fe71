//! What the gateway has the notifier ask of the provider of sign-ins, by a direct invoke, and what comes
//! back: the function that the web faces sees neither the client's secret nor a token.
//!
//! Both ends are of one deployment, but not always of one version of it.

use channels::provider::{Departure, ProviderError};
use ledger::with_causes;
use serde::{Deserialize, Serialize};

/// The event, which nothing else that the notifier is given looks like. It holds secrets of one way to the
/// provider, so it does not print.
#[derive(Serialize, Deserialize)]
pub struct Event {
    /// What is asked.
    pub provider: Question,
}

/// What is asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Where a browser goes to sign in.
    Start,
    /// Whom the provider vouches for.
    Finish {
        /// What it gave to the browser.
        code: String,
        /// That of the departure.
        nonce: String,
        /// That of the departure.
        verifier: String,
    },
}

/// What came of it. It does not print either.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Of [`Question::Start`].
    Departure {
        /// Where the browser goes.
        url: String,
        /// See [`Departure`].
        state: String,
        /// See [`Departure`].
        nonce: String,
        /// See [`Departure`].
        verifier: String,
    },
    /// Of [`Question::Finish`]: the address that the provider has verified.
    Address(String),
    /// See [`ProviderError::Unavailable`]; why, for the log.
    Unavailable(String),
    /// See [`ProviderError::Refused`]; why, for the log.
    Refused(String),
    /// See [`ProviderError::Unverified`].
    Unverified,
}

impl From<Result<Departure, ProviderError>> for Answer {
    fn from(started: Result<Departure, ProviderError>) -> Answer {
        match started {
            Ok(Departure { url, state, nonce, verifier }) => Answer::Departure { url, state, nonce, verifier },
            Err(error) => error.into(),
        }
    }
}

impl From<Result<String, ProviderError>> for Answer {
    fn from(finished: Result<String, ProviderError>) -> Answer {
        finished.map_or_else(Answer::from, Answer::Address)
    }
}

impl From<ProviderError> for Answer {
    fn from(error: ProviderError) -> Answer {
        match error {
            ProviderError::Unavailable(why) => Answer::Unavailable(with_causes(why.as_ref())),
            ProviderError::Refused(why) => Answer::Refused(with_causes(why.as_ref())),
            ProviderError::Unverified => Answer::Unverified,
        }
    }
}

impl Answer {
    /// The answer to [`Question::Start`].
    ///
    /// # Errors
    /// What the provider was found to be.
    pub fn departure(self) -> Result<Departure, ProviderError> {
        match self {
            Answer::Departure { url, state, nonce, verifier } => Ok(Departure { url, state, nonce, verifier }),
            other => Err(other.error()),
        }
    }

    /// The answer to [`Question::Finish`].
    ///
    /// # Errors
    /// What the provider was found to be.
    pub fn address(self) -> Result<String, ProviderError> {
        match self {
            Answer::Address(address) => Ok(address),
            other => Err(other.error()),
        }
    }

    fn error(self) -> ProviderError {
        match self {
            Answer::Refused(why) => ProviderError::Refused(why.into()),
            Answer::Unverified => ProviderError::Unverified,
            Answer::Unavailable(why) => ProviderError::Unavailable(why.into()),
            Answer::Departure { .. } | Answer::Address(_) => {
                ProviderError::Unavailable("the answer is to another question".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn back(answer: Answer) -> Answer {
        let text = serde_json::to_string(&answer).expect("JSON");
        serde_json::from_str(&text).expect("an answer")
    }

    #[test]
    fn questions_are_small_and_of_a_form_that_is_kept() {
        let form = |provider| serde_json::to_value(Event { provider }).expect("JSON");
        assert_eq!(form(Question::Start), json!({"provider": "start"}));
        let finish = Question::Finish { code: "c".into(), nonce: "n".into(), verifier: "v".into() };
        assert_eq!(form(finish), json!({"provider": {"finish": {"code": "c", "nonce": "n", "verifier": "v"}}}));
    }

    #[test]
    fn what_the_provider_said_comes_across_and_so_does_of_which_kind_an_error_is() {
        let departure =
            Departure { url: "https://id.example".into(), state: "s".into(), nonce: "n".into(), verifier: "v".into() };
        let Ok(Departure { url, state, nonce, verifier }) = back(Ok::<_, ProviderError>(departure).into()).departure() else {
            panic!("no departure");
        };
        assert_eq!([url, state, nonce, verifier], ["https://id.example", "s", "n", "v"]);
        assert_eq!(
            back(Ok::<_, ProviderError>("ana@example.com".to_owned()).into()).address().expect("an address"),
            "ana@example.com"
        );

        let said = |error: ProviderError| with_causes(&back(Err::<String, _>(error).into()).address().expect_err("an error"));
        let out = std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 5 s");
        assert_eq!(
            said(ProviderError::Unavailable(out.into())),
            "the provider of sign-ins does not answer: no answer within 5 s"
        );
        assert_eq!(said(ProviderError::Refused("denied".into())), "what the provider of sign-ins said does not hold: denied");
        assert_eq!(said(ProviderError::Unverified), ProviderError::Unverified.to_string());
    }

    #[test]
    fn an_answer_to_another_question_signs_nobody_in() {
        assert!(Answer::Address("ana@example.com".to_owned()).departure().is_err_and(|error| error.is_retryable()));
        let departure = Departure { url: String::new(), state: String::new(), nonce: String::new(), verifier: String::new() };
        assert!(Answer::from(Ok::<_, ProviderError>(departure)).address().is_err_and(|error| error.is_retryable()));
    }
}
