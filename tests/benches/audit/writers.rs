//! What chain and signatures cost those who write.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use countersign::checkpoints::{keeper::Keeper, key::OwnKey};
use events::{StoredCommit, digest::CommitHash};
use ledger::{Ledger as _, sqlite::SqliteStore};

use crate::{Outcome, children::processor_time, made};

const REVIEWS: u64 = 20_000;
const CALLERS: usize = 16;
/// Pairs of rounds, one with and one without; which comes first takes turns.
const PAIRS: usize = 15;
/// How often the log is signed while it is written: the service does once a minute, but no round lasts that long.
const EVERY: Duration = Duration::from_secs(1);

type Reviews = Arc<Vec<Vec<StoredCommit>>>;

/// What a commit costs.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Commits a second that are appended without a chain, and unsigned.
    pub appends: f64,
    /// How many percent fewer are appended in the same time while each is hashed first and the log is signed beside; the
    /// median of the pairs.
    pub loss: f64,
    /// Processor time of an append, in microseconds.
    pub append: f64,
    /// The same for the hash of a commit.
    pub chain: f64,
    /// The same for its entry in the tree and its share of the root.
    pub sign: f64,
}

/// Appends with 16 callers, in turns with and without chain and signatures.
pub fn cost(folder: &Path) -> Outcome<Cost> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let reviews: Reviews = Arc::new((0..REVIEWS).map(made::commits).collect::<Outcome<Vec<_>>>()?);
    let commits = reviews.iter().map(Vec::len).sum::<usize>() as f64;
    let round = |signed: bool| -> Outcome<Duration> {
        let data = tempfile::tempdir_in(folder)?;
        runtime.block_on(appended(data.path(), &reviews, signed))
    };
    let (mut losses, mut bare) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let first = round(pair % 2 == 0)?;
        let second = round(pair % 2 != 0)?;
        let (with, without) = if pair % 2 == 0 { (first, second) } else { (second, first) };
        losses.push((1.0 - without.as_secs_f64() / with.as_secs_f64()) * 100.0);
        bare.push(commits / without.as_secs_f64());
    }
    let data = tempfile::tempdir_in(folder)?;
    let [append, sign, chain] = runtime.block_on(shares(data.path(), &reviews))?.map(|took| took.as_secs_f64() * 1e6 / commits);
    Ok(Cost { appends: median(bare), loss: median(losses), append, chain, sign })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// How long it takes to append all.
async fn appended(data: &Path, reviews: &Reviews, signed: bool) -> Outcome<Duration> {
    let store = SqliteStore::open(data)?;
    let ended = Arc::new(AtomicBool::new(false));
    let signing = if signed {
        let (mut keeper, ended) = (Keeper::of(store.clone(), data, OwnKey { key: made::key()?, new: true }), Arc::clone(&ended));
        Some(tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                keeper.tick().await?;
                tokio::time::sleep(EVERY).await;
            }
            Outcome::Ok(())
        }))
    } else {
        None
    };
    let started = Instant::now();
    append(&store, reviews, signed).await?;
    let took = started.elapsed();
    ended.store(true, Ordering::Relaxed);
    if let Some(signing) = signing {
        signing.await??;
    }
    store.close();
    Ok(took)
}

async fn append(store: &SqliteStore, reviews: &Reviews, hashed: bool) -> Outcome<()> {
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (store, reviews) = (store.clone(), Arc::clone(reviews));
        callers.spawn(async move {
            for commit in reviews.iter().skip(caller).step_by(CALLERS).flatten() {
                if hashed && CommitHash::of(&commit.body) != commit.hash {
                    return Err("another hash".into());
                }
                store.append(commit).await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}

/// Processor time of appending, of signing and of hashing all, one after the other.
async fn shares(data: &Path, reviews: &Reviews) -> Outcome<[Duration; 3]> {
    let store = SqliteStore::open(data)?;
    let before = processor_time();
    append(&store, reviews, false).await?;
    let appended = processor_time();
    Keeper::of(store.clone(), data, OwnKey { key: made::key()?, new: true }).tick().await?;
    let signed = processor_time();
    for commit in reviews.iter().flatten() {
        std::hint::black_box(CommitHash::of(&commit.body));
    }
    let hashed = processor_time();
    store.close();
    Ok([appended - before, signed - appended, hashed - signed])
}
