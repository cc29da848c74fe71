//! Logs: one JSON object a line on standard output, which Lambda sends to CloudWatch. Review and
//! correlation ids are fields of the line or of its span.

use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// What is logged unless `LOG_LEVEL` says otherwise: of others only what is wrong. The SDKs would log
/// requests at finer levels, and with them what is secret. The runtime would say a second time what failed.
const FILTER: &str = "warn,intake=info,notifier=info,gateway=info,timekeeper=info,projector=info,ledger=info,lambda=info,\
                      intake_lambda=info,notifier_lambda=info,gateway_lambda=info,timekeeper_lambda=info,projector_lambda=info,\
                      lambda_runtime=error,lambda_runtime::layers::panic=off,lambda_runtime_api_client=error";

/// Starts logging; a panic is a line like any other.
pub fn start(level: Option<&str>) {
    let filter = match level {
        None | Some("info") => EnvFilter::new(FILTER),
        Some(level) => EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new(FILTER)),
    };
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    tracing_subscriber::registry().with(filter).with(lines).init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
        tracing::error!(place, error = message, "a bug: panicked");
    }));
}
