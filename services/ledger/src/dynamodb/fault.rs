//! Which errors of DynamoDB may pass by themselves.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::error::{LedgerError, Source};

/// Codes below 500 that mean "later" (DynamoDB developer guide, "Error handling"; those of Streams
/// included).
const LATER: &[&str] = &[
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "LimitExceededException",
    "ReplicatedWriteConflictException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Says of an SDK error whether trying again can help, and keeps it as the source.
pub(super) fn failed<E>(what: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> LedgerError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    move |error| {
        let later = match &error {
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
            SdkError::ServiceError(answer) => {
                answer.raw().status().as_u16() >= 500 || answer.err().code().is_some_and(|code| LATER.contains(&code))
            }
            _ => false,
        };
        let source: Source = Box::new(error);
        if later { LedgerError::Unavailable { what, source } } else { LedgerError::Refused { what, source } }
    }
}

/// The store's answer, or what was given to it, is not what this build can read.
pub(super) fn refused(what: &'static str, source: impl Into<Source>) -> LedgerError {
    LedgerError::Refused { what, source: source.into() }
}

/// A stored item is not what this build wrote.
pub(super) fn damaged(place: impl fmt::Display, fault: impl fmt::Display) -> LedgerError {
    LedgerError::Damaged { place: place.to_string(), fault: fault.to_string() }
}
