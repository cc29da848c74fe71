//! Metrics in CloudWatch's embedded metric format: a line of the log that CloudWatch also counts
//! ("Specification: Embedded metric format" of the CloudWatch user guide).

use std::io::Write as _;

use chrono::Utc;
use events::{Commit, Event, event::Verdict};
use projector::Observe;
use review::State;
use serde_json::{Map, Value, json};

/// The namespace unless `METRICS_NAMESPACE` names another.
const NAMESPACE: &str = "Countersign";

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// Its unit, as CloudWatch spells it: `Count`, `Seconds`.
    pub unit: &'static str,
    /// Its value.
    pub value: f64,
}

impl Figure {
    /// So many of something.
    pub fn count(name: &'static str, value: usize) -> Figure {
        #[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
        Figure { name, unit: "Count", value: value as f64 }
    }
}

/// Writes metrics to standard output.
#[derive(Debug, Clone)]
pub struct Metrics {
    namespace: String,
}

impl Metrics {
    /// Into this namespace, or the usual one.
    pub fn new(namespace: Option<String>) -> Metrics {
        Metrics { namespace: namespace.unwrap_or_else(|| NAMESPACE.to_owned()) }
    }

    /// Writes figures, by outcome where they have one.
    pub fn write(&self, figures: &[Figure], outcome: Option<&str>) {
        if figures.is_empty() {
            return;
        }
        let line = line(&self.namespace, figures, outcome, Utc::now().timestamp_millis());
        // A closed standard output is Lambda's own end; there is nowhere to say so.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

fn line(namespace: &str, figures: &[Figure], outcome: Option<&str>, millis: i64) -> Value {
    let names: Vec<_> = figures.iter().map(|figure| json!({"Name": figure.name, "Unit": figure.unit})).collect();
    let dimensions: Vec<&str> = outcome.map(|_| "outcome").into_iter().collect();
    let directive = json!({"Namespace": namespace, "Dimensions": [dimensions], "Metrics": names});
    let mut line = Map::from_iter([("_aws".to_owned(), json!({"Timestamp": millis, "CloudWatchMetrics": [directive]}))]);
    line.extend(outcome.map(|outcome| ("outcome".to_owned(), outcome.into())));
    line.extend(figures.iter().map(|figure| (figure.name.to_owned(), figure.value.into())));
    Value::Object(line)
}

impl Observe for Metrics {
    fn published(&self, commit: &Commit, state: &State) {
        for event in &commit.events {
            let (figures, outcome) = figures(event, commit, state);
            self.write(&figures, outcome);
        }
    }
}

fn figures(event: &Event, commit: &Commit, state: &State) -> (Vec<Figure>, Option<&'static str>) {
    let ended = |outcome| {
        let asked = state.review().map(|review| review.requested_at);
        let took = asked.map(|asked| commit.at.millis().saturating_sub(asked.millis()));
        #[expect(clippy::cast_precision_loss, reason = "a review of millennia would still be exact")]
        let took = took.map(|millis| Figure { name: "TimeToDecision", unit: "Seconds", value: millis as f64 / 1_000.0 });
        (std::iter::once(Figure::count("Reviews", 1)).chain(took).collect(), Some(outcome))
    };
    match event {
        Event::ReviewDecided(decided) => ended(match decided.outcome {
            Verdict::Approved => "approved",
            Verdict::Rejected => "rejected",
        }),
        Event::ReviewExpired(_) => ended("expired"),
        Event::ReviewCancelled(_) => ended("cancelled"),
        Event::ReviewRefused(_) => (vec![Figure::count("Reviews", 1)], Some("refused")),
        Event::NotificationFailed(_) => (vec![Figure::count("NotificationFailures", 1)], None),
        Event::WorkflowResumeFailed(_) => (vec![Figure::count("ResumeFailures", 1)], None),
        Event::WorkflowResumeUnconfirmed(_) => (vec![Figure::count("ResumesUnconfirmed", 1)], None),
        Event::VoteRefused(_) => (vec![Figure::count("RefusedVotes", 1)], None),
        _ => (Vec::new(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_the_embedded_metric_format() {
        let figures = [Figure::count("Reviews", 1), Figure { name: "TimeToDecision", unit: "Seconds", value: 1.5 }];
        let expected = json!({
            "_aws": {"Timestamp": 7, "CloudWatchMetrics": [{
                "Namespace": "Countersign",
                "Dimensions": [["outcome"]],
                "Metrics": [{"Name": "Reviews", "Unit": "Count"}, {"Name": "TimeToDecision", "Unit": "Seconds"}],
            }]},
            "outcome": "approved",
            "Reviews": 1.0,
            "TimeToDecision": 1.5,
        });
        assert_eq!(line("Countersign", &figures, Some("approved"), 7), expected);
        let plain = line("Countersign", &[Figure::count("Owed", 3)], None, 7);
        assert_eq!(plain["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
    }
}
