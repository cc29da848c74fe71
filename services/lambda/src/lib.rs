//! What every Lambda does around its handler: settings from the environment, logs, metrics, batches
//! and AWS clients.
//!
//! # Environment
//! ● must be set, ○ may be set (empty counts as not set). A function that lacks one ends in Init with
//! one line that names every variable that is missing or wrong.
//!
//! | variable | intake | projector | timekeeper | notifier | gateway | checkpointer | what |
//! |---|---|---|---|---|---|---|---|
//! | `LOG_TABLE` | ● | ● | ● | ● | ● | ● | name of the log table |
//! | `LOG_STREAM_ARN` | | | | | | ● | ARN of the log table's stream |
//! | `CHECKPOINT_BUCKET` | | | | | | ● | name of the bucket that entries and roots go to |
//! | `SIGNING_KEY_ARN` | | | | | | ● | KMS key that signs roots (`ECC_NIST_EDWARDS25519`) |
//! | `VIEWS_TABLE` | ● | ● | ● | ● | ● | | name of the views table; intake does without for the queue of an outside account |
//! | `SEAL_KEY_ARN` | ● | ● | ● | | ● | | KMS key that seals task tokens (symmetric), encryption context `review` = review id |
//! | `BUS_NAME` | | ● | ● | | | | name or ARN of the bus that we publish to |
//! | `TOPIC_ARN` | | ○ | ○ | | | | SNS topic for alerts; without it there are none |
//! | `BASE_URL` | | ● | ● | ● | ● | | how the outside reaches the gateway, `https://…` without a slash at the end; its host is the one the gateway answers to |
//! | `LINK_KEYS_SECRET` | | | ● | ● | ● | | Secrets Manager ARN or name: `{"keys": [{"id": 1, "key": "…"}, …]}`, newest last, or one `{"id": 1, "key": "…"}`; a key is 32 bytes in base64, or 43 letters and digits as `GenerateSecretString` makes them |
//! | `OPERATOR_KEY_SECRET` | | | | | ● | | Secrets Manager ARN or name: the key's text, at least 32 characters |
//! | `PROJECTOR_FUNCTION` | | | | | ● | | name or ARN of the projector, which handles dead letters that an operator redrives |
//! | `NOTIFIER_FUNCTION` | | | | | ● | | name or ARN of the notifier, which mails links to sign in by, and asks the provider of sign-ins |
//! | `SES_FROM` | | | ● | ● | | | sender of mails, an address of a verified identity |
//! | `SES_CONFIGURATION_SET` | | | ○ | ○ | | | SES configuration set |
//! | `MAIL_OUTCOME` | | | ○ | ○ | | | `true`: whoever was asked by mail is mailed the end too, in the same conversation |
//! | `SEND_SMS` | | | ○ | ○ | | | `true`: an SMS goes to whom neither Slack nor mail reaches |
//! | `SLACK_SECRET` | | | ○ | ○ | ○ | | Secrets Manager ARN or name: `{"bot_token": "xoxb-…", "signing_secrets": ["…", …]}`; without it nobody is asked in Slack |
//! | `SLACK_API_URL` | | | ○ | ○ | ○ | | where Slack's Web API is, `https://slack.com/api` without it |
//! | `SLACK_MATCH_EMAIL` | | | ○ | ○ | ○ | | the Slack workspace (such as `T01`) in which the address of a profile says who its account is; nobody is matched without it |
//! | `OIDC_ISSUER` | | | | ○ | | | the OpenID Connect provider that people sign in with, its issuer's `https://…`; asked for the gateway |
//! | `OIDC_CLIENT_ID` | | | | ○ | | | needed with `OIDC_ISSUER`: our name there |
//! | `OIDC_SECRET` | | | | ○ | | | needed with `OIDC_ISSUER`: Secrets Manager ARN or name of the client's secret, as text; read when somebody first signs in |
//! | `OIDC_NAME` | | | | | ○ | | what people call the provider that the notifier asks, "Sign in with …"; without it they sign in by mail alone |
//! | `TRUSTED_SOURCES` | ○ | | | | | | whose votes and reports of notices count: `account/source,account/source`; any principal with `events:PutEvents` in that account can write that source |
//! | `ACCOUNT_ID` | | ● | ● | | | | our own account, whose workflows are answered with our own credentials; those of other accounts by `RESUME_ROLES` or not at all |
//! | `REQUESTS_PER_MINUTE` | ○ | | | | ○ | | how many requests one source or integration may make a minute, counted by each copy of the function; 600 without it, 0 for no limit |
//! | `RECIPIENTS` | ○ | | | | ○ | | the domains that a request may have us write to, `example.com,.example.org`; any without it |
//! | `RESUME_ROLES` | | ○ | ○ | | | | roles by which workflows of other accounts are answered, `arn:…:role/…,arn:…:role/…`, one an account |
//! | `RESUME_EXTERNAL_ID` | | ○ | ○ | | | | needed with `RESUME_ROLES`: each role is taken on under the external id `<this>/<its account>` |
//! | `QUEUE_SOURCE`, `QUEUE_ACCOUNT` | ○ | | | | | | both or neither: this function reads the queue of one outside account, whose messages are bare `ReviewRequested` details, whatever they say of their origin; without them the messages are EventBridge envelopes |
//! | `METRICS_NAMESPACE` | ○ | ○ | ○ | ○ | ○ | ○ | CloudWatch namespace, `Countersign` without it |
//! | `LOG_LEVEL` | ○ | ○ | ○ | ○ | ○ | ○ | `tracing` filter, `info` without it |
//!
//! `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` are honoured by all clients.
//!
//! # Calls
//! What each role must allow, by API action:
//!
//! | | intake | projector | timekeeper | notifier | gateway | checkpointer |
//! |---|---|---|---|---|---|---|
//! | log table | `Query`, `PutItem` | `Query`, `PutItem` | `Query`, `PutItem`, `Scan` | `Query`, `PutItem` | `Query`, `PutItem` | `Scan` |
//! | views table | | `Query`, `PutItem` | `GetItem`, `Query`, `PutItem`, `DeleteItem`, `Scan` | `PutItem`, `DeleteItem` | `GetItem`, `BatchGetItem`, `Query`, `PutItem`, `DeleteItem` | |
//! | its indexes | `Query` | | `Query` | | `Query` | |
//! | log stream | | `DescribeStream`, `GetRecords`, `GetShardIterator`, `ListStreams`, by its mapping | | | | `DescribeStream`, `GetRecords`, `GetShardIterator` |
//! | checkpoints | | | | | | `PutObject`, `GetObject`, `ListBucket` |
//! | KMS | `Encrypt` | `Decrypt` | `Decrypt` | | `Encrypt` | `GetPublicKey`, `Sign` |
//! | `events:PutEvents` | | ● | ● | | | |
//! | `sns:Publish` | | ● | ● | | | |
//! | the same to phone numbers, with `SEND_SMS` alone | | | ○ | ○ | | |
//! | `states:SendTaskSuccess`, `SendTaskFailure`, `GetExecutionHistory` | | ● | ● | | | |
//! | `sts:AssumeRole`, on `RESUME_ROLES` alone | | ○ | ○ | | | |
//! | `lambda:InvokeFunction`, on the projector and the notifier | | | | | ● | |
//! | `ses:SendEmail` | | | ● | ● | | |
//! | `secretsmanager:GetSecretValue` | | | ● | ● | ● | |
//!
//! The timekeeper publishes what a retry or a reconciliation finds unpublished: the bus admits `source:
//! countersign` from these two roles. The gateway, which the web faces, can neither publish nor answer a
//! workflow, nor mail anybody, and the secret of our client at the provider of sign-ins is the notifier's alone.
//!
//! # Events
//! | function | is given |
//! |---|---|
//! | intake | SQS batches (`ReportBatchItemFailures`) of requests, or of Step Functions' "Execution Status Change"; or a direct invoke: `{"detail-type", "source", "detail"}` or the bare detail of a `ReviewRequested` |
//! | projector | DynamoDB stream batches of the log table (`ReportBatchItemFailures`); `{"redrive": …}` by a direct invoke: a dead letter to be handled again |
//! | timekeeper | any object, each minute: a tick; `{"reconcile": true}` daily |
//! | checkpointer | any object, each two minutes: a tick |
//! | notifier | SQS batches (`ReportBatchItemFailures`) of envelopes of our own events, and of what SES says of mails that came back; `{"sign_in": {"to", "link"}}` by a direct invoke: a link to be mailed; `{"provider": …}` (`provider.rs`): what the provider of sign-ins is to be asked |
//! | gateway | HTTP API events (payload format 2.0) and function URLs; `{"signin": true}` by a direct invoke: a link that signs the operator in, good for an hour |

pub mod aws;
pub mod failure;
pub mod logs;
pub mod metrics;
pub mod settings;
pub mod sqs;
pub mod stream;

mod http;
mod run;

#[cfg(feature = "projection")]
pub mod outside;
#[cfg(feature = "projection")]
pub mod projection;

#[cfg(feature = "secrets")]
pub mod provider;
#[cfg(feature = "secrets")]
pub mod secrets;

#[cfg(feature = "slack")]
pub mod slack;

#[cfg(feature = "telling")]
pub mod telling;

pub use failure::Failure;
pub use run::{Function, run, start};
pub use settings::Settings;
