//! What a replay costs beside reading the log alone: `cargo bench -p end-to-end --bench replay`
//! (`-- --quick` for a short run, `-- --reviews N` for one as long as you like, `-- --check` to fail when a limit
//! is missed).
//!
//! One log in SQLite, four commits of one event of about 350 bytes a review. Measured in one run, the
//! median of three rounds: a paged read that decodes nothing, views made anew where there were none, and two
//! dry runs over views that are exact: one that goes by the rows' stamps, one that folds every review.

use std::{
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use events::{ReviewId, StoredCommit, StreamId, Timestamp, Version, digest::CommitHash};
use ledger::{Ledger, Position, sqlite::SqliteStore};
use projector::rebuild::{Manner, Rebuild, Rebuilt};
use serde_json::{Value, json};

/// Any error ends the run.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Reviews of a full run and of a quick one.
const FULL: usize = 100_000;
const QUICK: usize = 10_000;
/// Rounds of which the median is taken.
const ROUNDS: usize = 3;
/// Commits a page of the bare read, as the rebuild reads them.
const PAGE: usize = 1_024;
/// The least share of the bare read's rate that a dry run must reach.
const SHARE_MIN: f64 = 0.8;

fn main() -> Outcome<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    let place = |name: &str| arguments.iter().position(|argument| argument == name);
    let given = |name: &str| place(name).is_some();
    // Cargo says --bench when it is to measure; `cargo test --all-targets` only wants to know that it runs.
    if !given("--bench") {
        println!("nothing measured; run: cargo bench -p end-to-end --bench replay");
        return Ok(ExitCode::SUCCESS);
    }
    let reviews = match place("--reviews").and_then(|at| arguments.get(at + 1)) {
        Some(number) => number.parse()?,
        None if given("--quick") => QUICK,
        None => FULL,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let holds = runtime.block_on(measure(reviews))?;
    Ok(if given("--check") && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn measure(reviews: usize) -> Outcome<bool> {
    let dir = tempfile::tempdir()?;
    let bytes = make_log(dir.path(), reviews).await?;
    println!("{reviews} reviews of 4 commits, {} bytes an event", bytes / (4 * reviews));
    let commits = (4 * reviews) as f64;
    let (mut bare, mut made, mut dry, mut thorough) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(commits / read(dir.path(), reviews).await?.as_secs_f64());
        std::fs::remove_file(dir.path().join("views.db")).ok();
        let (took, found) = rebuild(dir.path(), Way::Writes).await?;
        assert_eq!(found.missing, reviews as u64, "every row was made");
        made.push(reviews as f64 / took.as_secs_f64());
        for (way, folded, rates) in [(Way::ByStamps, 0, &mut dry), (Way::Thorough, reviews as u64, &mut thorough)] {
            let (took, found) = rebuild(dir.path(), way).await?;
            assert_eq!((found.differing(), found.folded), (0, folded), "the views are exact");
            assert_eq!((found.reviews, found.commits), (reviews as u64, 4 * reviews as u64), "all was looked at");
            rates.push(commits / took.as_secs_f64());
        }
    }
    let (bare, made, dry, thorough) = (median(bare), median(made), median(dry), median(thorough));
    let share = dry / bare;
    println!("bare paged read        {bare:>12.0} commits/s");
    println!("replay, no views yet   {made:>12.0} rows/s");
    println!(
        "replay --dry-run       {dry:>12.0} commits/s   {:.0} % of the bare read (limit: {:.0} %)",
        share * 100.0,
        SHARE_MIN * 100.0
    );
    println!("  and with --thorough  {thorough:>12.0} commits/s   {:.0} %", thorough / bare * 100.0);
    Ok(share >= SHARE_MIN)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

async fn read(dir: &Path, reviews: usize) -> Outcome<Duration> {
    let store = SqliteStore::open_read_only(dir)?;
    let started = Instant::now();
    let (mut count, mut position) = (0, Position::default());
    loop {
        let batch = store.scan(&position, PAGE).await?;
        count += batch.commits.len();
        if !batch.more {
            break;
        }
        position = batch.position;
    }
    assert_eq!(count, 4 * reviews);
    Ok(started.elapsed())
}

/// Which replay.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Writes,
    ByStamps,
    Thorough,
}

async fn rebuild(dir: &Path, way: Way) -> Outcome<(Duration, Rebuilt)> {
    let store = SqliteStore::open_beside(dir)?;
    let started = Instant::now();
    let (ledger, views) = (Arc::new(store.clone()), Arc::new(store.clone()));
    let manner = Manner { dry_run: way != Way::Writes, ..Manner::default() };
    let mut rebuild = Rebuild::new(ledger, views, manner, Position::default(), Rebuilt::default());
    if way == Way::ByStamps {
        rebuild = rebuild.by_stamps(Arc::new(store.clone()));
    }
    while rebuild.step().await? {}
    rebuild.finish().await?;
    let (took, found) = (started.elapsed(), rebuild.found().clone());
    drop(rebuild);
    store.close();
    Ok((took, found))
}

/// The log, and how many bytes its bodies have.
async fn make_log(dir: &Path, reviews: usize) -> Outcome<usize> {
    let store = SqliteStore::open(dir)?;
    let mut bytes = 0;
    // Neighbours live at the same time, as in a log that was written by a service.
    for first in (0..reviews).step_by(500) {
        let streams: Vec<_> = (first..(first + 500).min(reviews)).map(stream).collect::<Outcome<_>>()?;
        for place in 0..4 {
            let mut writing = tokio::task::JoinSet::new();
            for commit in streams.iter().map(|stream| stream[place].clone()) {
                bytes += commit.body.len();
                let store = store.clone();
                writing.spawn(async move { store.append(&commit).await });
            }
            while let Some(done) = writing.join_next().await {
                done??;
            }
        }
    }
    store.close();
    Ok(bytes)
}

fn stream(number: usize) -> Outcome<Vec<StoredCommit>> {
    let review = ReviewId::for_event("local", "bench", &number.to_string(), 1);
    let at = Timestamp::from_millis(1_795_000_000_000 + number as i64).ok_or("a time")?;
    let digest = "0".repeat(64);
    let vote = |person: &str, reason: &str| json!({"type": "VoteCast", "v": 1, "person": person, "choice": "approve", "channel": "web", "reason": reason, "subject_digest": digest});
    let events = [
        json!({"type": "ReviewRequested", "v": 1, "origin": {"account": "local", "source": "bench", "event_id": number.to_string()},
            "title": format!("Promote model {number}"), "subject": {"kind": "model", "id": number.to_string()},
            "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1}, "risk": "normal",
            "expires_at": "2099-01-01T00:00:00.000Z", "on_expiry": "fail", "on_reject": "fail",
            "subject_digest": digest, "content_digest": digest}),
        json!({"type": "ReviewNotified", "v": 1, "person": "ana@example.com", "channel": "outbox", "occasion": "asked"}),
        vote("ana@example.com", "The flagged rows are those of the vendor that left, and the rest is as it was last month."),
        json!({"type": "ReviewDecided", "v": 1, "outcome": "approved", "decided_by": ["ana@example.com"], "subject_digest": digest,
            "reason": "The flagged rows are those of the vendor that left."}),
    ];
    let (mut commits, mut previous) = (Vec::new(), CommitHash::GENESIS);
    for (version, event) in (1..).zip(events) {
        let commit = commit(review.into(), version, previous, at, event)?;
        previous = commit.hash;
        commits.push(commit);
    }
    Ok(commits)
}

fn commit(stream: StreamId, version: u64, previous: CommitHash, at: Timestamp, event: Value) -> Outcome<StoredCommit> {
    let body = json!({"at": at, "events": [event], "previous": previous, "stream": stream, "version": version});
    let body = events::digest::canonical(&body)?;
    Ok(StoredCommit { stream, version: Version(version), hash: CommitHash::of(&body), body, sealed: None })
}
