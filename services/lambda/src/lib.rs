//! What every Lambda does around its handler: settings from the environment, logs, metrics, batches
//! and AWS clients.
//!
//! # Environment
//! ● must be set, ○ may be set (empty counts as not set). A function that lacks one ends in Init with
//! one line that names every variable that is missing or wrong.
//!
//! | variable | intake | projector | timekeeper | notifier | gateway | what |
//! |---|---|---|---|---|---|---|
//! | `LOG_TABLE` | ● | ● | ● | ● | ● | name of the log table |
//! | `VIEWS_TABLE` | | ● | ● | ● | ● | name of the views table |
//! | `SEAL_KEY_ARN` | ● | ● | ● | | ● | KMS key that seals task tokens (symmetric), encryption context `review` = review id |
//! | `BUS_NAME` | | ● | ● | | ● | name or ARN of the bus that we publish to |
//! | `TOPIC_ARN` | | ○ | ○ | | ○ | SNS topic for alerts; without it there are none |
//! | `BASE_URL` | | ● | ● | ● | ● | how the outside reaches the gateway, `https://…` without a slash at the end; its host is the one the gateway answers to |
//! | `LINK_KEYS_SECRET` | | | ● | ● | ● | Secrets Manager ARN or name: `{"keys": [{"id": 1, "key": "…"}, …]}`, newest last, or one `{"id": 1, "key": "…"}`; a key is 32 bytes in base64, or 43 letters and digits as `GenerateSecretString` makes them |
//! | `OPERATOR_KEY_SECRET` | | | | | ● | Secrets Manager ARN or name: the key's text, at least 32 characters |
//! | `SES_FROM` | | | ● | ● | | sender of mails, an address of a verified identity |
//! | `SES_CONFIGURATION_SET` | | | ○ | ○ | | SES configuration set |
//! | `TRUSTED_SOURCES` | ○ | | | | | who may hand in votes: `account/source,account/source` |
//! | `QUEUE_SOURCE`, `QUEUE_ACCOUNT` | ○ | | | | | both or neither: this function reads the queue of one outside account, whose messages are bare `ReviewRequested` details, whatever they say of their origin; without them the messages are EventBridge envelopes |
//! | `METRICS_NAMESPACE` | ○ | ○ | ○ | ○ | ○ | CloudWatch namespace, `Countersign` without it |
//! | `LOG_LEVEL` | ○ | ○ | ○ | ○ | ○ | `tracing` filter, `info` without it |
//!
//! `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` are honoured by all clients.
//!
//! # Calls
//! What each role must allow, by API action:
//!
//! | | intake | projector | timekeeper | notifier | gateway |
//! |---|---|---|---|---|---|
//! | log table | `Query`, `PutItem` | `Query`, `PutItem` | `Query`, `PutItem`, `Scan` | `Query`, `PutItem` | `Query`, `PutItem` |
//! | views table | | `GetItem`, `Query`, `PutItem` | `GetItem`, `Query`, `PutItem`, `DeleteItem`, `Scan` | `PutItem`, `DeleteItem` | `GetItem`, `BatchGetItem`, `Query`, `PutItem`, `DeleteItem` |
//! | its indexes | | | `Query` | | `Query` |
//! | KMS | `Encrypt` | `Decrypt` | `Decrypt` | | `Encrypt`, `Decrypt` |
//! | `events:PutEvents` | | ● | ● | | ● |
//! | `sns:Publish` | | ● | ● | | ● |
//! | `states:SendTaskSuccess`, `SendTaskFailure`, `GetExecutionHistory` | | ● | ● | | ● |
//! | `ses:SendEmail` | | | ● | ● | |
//! | `secretsmanager:GetSecretValue` | | | ● | ● | ● |
//!
//! The timekeeper publishes what a retry or a reconciliation finds unpublished, and the gateway what an
//! operator redrives: the bus admits `source: countersign` from these three roles.
//!
//! # Events
//! | function | is given |
//! |---|---|
//! | intake | SQS batches (`ReportBatchItemFailures`), or a direct invoke: `{"detail-type", "source", "detail"}` or the bare detail of a `ReviewRequested` |
//! | projector | DynamoDB stream batches of the log table (`ReportBatchItemFailures`) |
//! | timekeeper | any object, each minute: a tick; `{"reconcile": true}` daily |
//! | notifier | SQS batches (`ReportBatchItemFailures`) of envelopes of our own `ReviewRequested` |
//! | gateway | HTTP API events (payload format 2.0) and function URLs; `{"signin": true}` by a direct invoke: a link that signs the operator in, good for an hour |

pub mod aws;
pub mod failure;
pub mod logs;
pub mod metrics;
pub mod settings;
pub mod sqs;
pub mod stream;

mod run;

#[cfg(feature = "projection")]
pub mod projection;

#[cfg(feature = "secrets")]
pub mod secrets;

pub use failure::Failure;
pub use run::{Function, run, start};
pub use settings::Settings;
