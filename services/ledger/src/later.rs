//! Which errors of AWS may pass by themselves.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Codes below 500 that mean "later": of DynamoDB and its streams (DynamoDB developer guide, "Error handling"),
/// and of KMS (KMS API reference, errors of `Encrypt`, `Decrypt` and `Sign`).
const LATER: &[&str] = &[
    "ThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ReplicatedWriteConflictException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "DependencyTimeoutException",
    "KeyUnavailableException",
];

/// Whether the same call of DynamoDB or KMS may work later without anybody mending anything.
pub fn may_work_later<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(answer) => {
            answer.raw().status().as_u16() >= 500 || answer.err().code().is_some_and(|code| LATER.contains(&code))
        }
        _ => false,
    }
}
