//! An alarm in the log when many votes are refused because of who cast them: one line a minute at most.

use std::{sync::Arc, time::Duration};

use ledger::Reviews;
use tokio::sync::watch;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(60);
/// So many within that time are no people who followed a wrong link.
const BURST: u64 = 10;

/// Looks once a minute until `stop`.
pub(super) async fn watch(reviews: Arc<Reviews>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => say(&reviews),
            _ = stop.changed() => return,
        }
    }
}

fn say(reviews: &Reviews) {
    let refused = reviews.suspects().news();
    if refused >= BURST {
        tracing::error!(
            refused,
            total = reviews.suspects().total(),
            "many votes were refused within a minute because of who cast them; see: countersign audit"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex, PoisonError},
    };

    use events::{ReviewId, event::Channel};
    use ledger::{SystemClock, sqlite::SqliteStore};
    use review::{
        Command,
        command::{Stated, Vote},
    };
    use serde_json::json;

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    async fn votes(reviews: &Reviews, id: ReviewId, count: usize) {
        for number in 0..count {
            let vote = Vote {
                person: format!("eve{number}@evil.example").parse().expect("a person"),
                choice: serde_json::from_value(json!("approve")).expect("a choice"),
                reason: None,
                channel: Channel::Api,
                entered_by: None,
                integration: None,
                matched_account: None,
                stated: Stated::NOTHING,
                trusted: true,
            };
            reviews.execute(id, &Command::Vote(vote), None).await.expect("answered");
        }
    }

    #[tokio::test]
    async fn a_burst_of_refused_votes_is_one_error_line_with_their_count() {
        let dir = tempfile::tempdir().expect("a directory");
        let reviews = Reviews::new(Arc::new(SqliteStore::open(dir.path()).expect("a store")), Arc::new(SystemClock));
        let detail = json!({"title": "Promote", "reviewers": [{"email": "ana@example.com"}]});
        let wish = review::command::Request {
            request: events::ReviewRequest::parse(&detail).expect("a request"),
            origin: review::integration::origin_of(&"ci".parse().expect("a name"), "e-1"),
            resume: None,
            follows: None,
            exact: false,
        };
        let id = ReviewId::for_event("integration", "ci", "e-1", 1);
        reviews.execute(id, &Command::Request(Box::new(wish)), None).await.expect("opened");

        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        votes(&reviews, id, 9).await;
        say(&reviews);
        votes(&reviews, id, 40).await;
        say(&reviews);
        say(&reviews);
        let said = String::from_utf8(log.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("text");
        assert_eq!(said.matches("many votes were refused").count(), 1, "{said}");
        assert!(said.contains("ERROR") && said.contains("refused=40") && said.contains("total=49"), "{said}");
    }
}
