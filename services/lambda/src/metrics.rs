//! Metrics in CloudWatch's embedded metric format: a line of the log that CloudWatch also counts
//! ("Specification: Embedded metric format" of the CloudWatch user guide).

use std::io::Write as _;

use chrono::Utc;
use events::{
    Commit, Event,
    event::{Channel, Occasion, Verdict},
};
use ledger::Reviews;
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

/// What figures are told apart by: a dimension's name, and its value.
pub type By = (&'static str, &'static str);

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

    /// Counts the votes that were refused since because of who cast them, whatever became of them in the log.
    pub fn suspects(&self, reviews: &Reviews) {
        match usize::try_from(reviews.suspects().news()) {
            Ok(0) => {}
            refused => self.write(&[Figure::count("SuspectVotes", refused.unwrap_or(usize::MAX))], None),
        }
    }

    /// Writes figures, told apart where they are.
    pub fn write(&self, figures: &[Figure], by: Option<By>) {
        if figures.is_empty() {
            return;
        }
        let line = line(&self.namespace, figures, by, Utc::now().timestamp_millis());
        // A closed standard output is Lambda's own end; there is nowhere to say so.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

fn line(namespace: &str, figures: &[Figure], by: Option<By>, millis: i64) -> Value {
    let names: Vec<_> = figures.iter().map(|figure| json!({"Name": figure.name, "Unit": figure.unit})).collect();
    let dimensions: Vec<&str> = by.map(|(name, _)| name).into_iter().collect();
    let directive = json!({"Namespace": namespace, "Dimensions": [dimensions], "Metrics": names});
    let mut line = Map::from_iter([("_aws".to_owned(), json!({"Timestamp": millis, "CloudWatchMetrics": [directive]}))]);
    line.extend(by.map(|(name, value)| (name.to_owned(), value.into())));
    line.extend(figures.iter().map(|figure| (figure.name.to_owned(), figure.value.into())));
    Value::Object(line)
}

impl Observe for Metrics {
    fn published(&self, commit: &Commit, state: &State) {
        for event in &commit.events {
            let (figures, by) = figures(event, commit, state);
            self.write(&figures, by);
        }
    }
}

fn figures(event: &Event, commit: &Commit, state: &State) -> (Vec<Figure>, Option<By>) {
    let ended = |outcome| {
        let asked = state.review().map(|review| review.requested_at);
        let took = asked.map(|asked| commit.at.millis().saturating_sub(asked.millis()));
        #[expect(clippy::cast_precision_loss, reason = "a review of millennia would still be exact")]
        let took = took.map(|millis| Figure { name: "TimeToDecision", unit: "Seconds", value: millis as f64 / 1_000.0 });
        (std::iter::once(Figure::count("Reviews", 1)).chain(took).collect(), Some(("outcome", outcome)))
    };
    match event {
        Event::ReviewDecided(decided) => ended(match decided.outcome {
            Verdict::Approved => "approved",
            Verdict::Rejected => "rejected",
        }),
        Event::ReviewExpired(_) => ended("expired"),
        Event::ReviewCancelled(_) => ended("cancelled"),
        Event::ReviewRefused(_) => (vec![Figure::count("Reviews", 1)], Some(("outcome", "refused"))),
        // A message that keeps to a pace or to a pause that its channel asked for is on its way: an alarm
        // for it would be false.
        Event::NotificationFailed(failed) if failed.waits && failed.occasion == Occasion::Asked => (Vec::new(), None),
        Event::NotificationFailed(failed) => unreached(failed.channel),
        Event::NoticeUpdateFailed(failed) => unreached(failed.channel),
        Event::WorkflowResumeFailed(_) => (vec![Figure::count("ResumeFailures", 1)], None),
        Event::WorkflowResumeUnconfirmed(_) => (vec![Figure::count("ResumesUnconfirmed", 1)], None),
        Event::VoteRefused(_) => (vec![Figure::count("RefusedVotes", 1)], None),
        _ => (Vec::new(), None),
    }
}

/// A message that a channel did not carry, or that came back.
fn unreached(channel: Channel) -> (Vec<Figure>, Option<By>) {
    let channel = match channel {
        Channel::Slack => "slack",
        Channel::Email => "email",
        Channel::Sms => "sms",
        // None of them carries messages here.
        Channel::Web | Channel::Cli | Channel::Api | Channel::Bus | Channel::Outbox => "other",
    };
    (vec![Figure::count("NotificationFailures", 1)], Some(("channel", channel)))
}

#[cfg(test)]
mod tests {
    use events::{
        Timestamp,
        event::{NotificationFailed, V},
    };

    use super::*;

    /// What is counted of a message to Ana that Slack did not carry.
    fn counted(
        occasion: Occasion,
        reminder: Option<u32>,
        retry: bool,
        waits: bool,
        message_ref: Option<&str>,
    ) -> Vec<&'static str> {
        let at = Timestamp::from_millis(1_795_000_000_000).expect("a time");
        let failed = NotificationFailed {
            v: V,
            person: "ana@example.com".parse().expect("a person"),
            channel: Channel::Slack,
            occasion,
            reminder,
            error: "Slack".to_owned(),
            retry_at: retry.then_some(at),
            waits,
            message_ref: message_ref.map(str::to_owned),
        };
        let directory = review::Directory::default();
        let commit = Commit {
            stream: events::StreamId::Directory,
            version: events::Version(1),
            previous: directory.hash,
            hash: directory.hash,
            at,
            events: Vec::new(),
            sealed: None,
        };
        let (figures, by) = figures(&Event::NotificationFailed(failed), &commit, &State::default());
        assert!(figures.is_empty() || by == Some(("channel", "slack")));
        figures.into_iter().map(|figure| figure.name).collect()
    }

    #[test]
    fn what_a_channel_could_not_carry_is_counted_and_what_merely_waits_for_it_is_not() {
        const FAILURE: [&str; 1] = ["NotificationFailures"];
        let (asked, ended) = (Occasion::Asked, Occasion::Ended);
        assert_eq!(counted(asked, None, true, false, None), FAILURE, "Slack is down");
        assert_eq!(counted(asked, None, false, false, None), FAILURE, "Slack does not know them");
        assert_eq!(counted(asked, None, false, false, Some("m")), FAILURE, "it came back");
        assert_eq!(counted(ended, None, true, true, None), FAILURE, "an end waits for its thread, also when Slack is down");
        assert!(counted(asked, None, true, true, None).is_empty(), "one message a second, or 429");
        assert!(counted(asked, Some(2), true, true, None).is_empty(), "a reminder too");
    }

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
        assert_eq!(line("Countersign", &figures, Some(("outcome", "approved")), 7), expected);
        let plain = line("Countersign", &[Figure::count("Owed", 3)], None, 7);
        assert_eq!(plain["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
    }
}
