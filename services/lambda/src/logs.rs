//! Logs: one JSON object a line on standard output, which Lambda sends to CloudWatch. Review and
//! correlation ids are fields of the line or of its span.

use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// What is logged unless `LOG_LEVEL` says otherwise: of others only what is wrong. The SDKs would log
/// requests at finer levels, and with them what is secret. The runtime would say a second time what failed.
const FILTER: &str = "warn,intake=info,notifier=info,gateway=info,timekeeper=info,projector=info,checkpointer=info,\
                      ledger=info,lambda=info,checkpointer_lambda=info,\
                      intake_lambda=info,notifier_lambda=info,gateway_lambda=info,timekeeper_lambda=info,projector_lambda=info,\
                      lambda_runtime=error,lambda_runtime::layers::panic=off,lambda_runtime_api_client=error";

/// Starts logging; a panic is a line like any other.
pub fn start(level: Option<&str>) {
    // Not `EnvFilter`, whose regular expressions a cold start would load.
    let usual = || FILTER.parse::<Targets>().unwrap_or_default();
    let filter = match level {
        None | Some("info") => usual(),
        Some(level) => level.parse().unwrap_or_else(|_| usual()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_filter_lets_our_own_lines_pass_and_of_others_what_is_wrong() {
        let filter: Targets = FILTER.parse().expect("a filter");
        let passes = |target: &str, level: tracing::Level| filter.would_enable(target, &level);
        for ours in ["intake", "gateway::web", "projector_lambda", "lambda::stream"] {
            assert!(passes(ours, tracing::Level::INFO) && !passes(ours, tracing::Level::DEBUG), "{ours}");
        }
        assert!(passes("hyper", tracing::Level::WARN) && !passes("aws_smithy_runtime", tracing::Level::INFO));
        assert!(
            !passes("lambda_runtime", tracing::Level::WARN) && !passes("lambda_runtime::layers::panic", tracing::Level::ERROR)
        );
    }
}
