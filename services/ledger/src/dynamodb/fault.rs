//! What a failed call of DynamoDB is to whoever asked.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::{
    error::{LedgerError, Source},
    later::may_work_later,
};

/// Says of an SDK error whether trying again can help, and keeps it as the source.
pub(super) fn failed<E>(what: &'static str) -> impl FnOnce(SdkError<E, HttpResponse>) -> LedgerError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    move |error| {
        let later = may_work_later(&error);
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
