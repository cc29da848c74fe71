mod world;

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use events::StoredCommit;
use ledger::Clock;
use tokio::time::Instant;
use transparency::{Checkpoint, Entry, Frontier, Hash, SigningKey};

use crate::*;
use world::{World, key, write};

const HOUR: i64 = 3_600_000;

fn later() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

fn distinct(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().map(Entry::to_string).collect()
}

fn texts(commits: &[StoredCommit]) -> BTreeSet<String> {
    let entry = |commit: &StoredCommit| Entry { stream: commit.stream, version: commit.version, hash: commit.hash };
    commits.iter().map(|commit| entry(commit).to_string()).collect()
}

#[tokio::test]
async fn a_tick_enters_what_is_new_and_one_without_news_writes_nothing() {
    let world = World::new(0, false);
    let checkpointer = world.checkpointer();
    assert_eq!(checkpointer.tick(later()).await.expect("an empty log"), Ticked::default());
    assert!(world.bucket.roots.lock().expect("roots").is_empty(), "nothing is signed over nothing");
    let mut all = world.write("a", 3).await;
    let ticked = checkpointer.tick(later()).await.expect("a tick");
    assert_eq!(ticked, Ticked { entered: 3, size: 3, more: false });
    let puts = world.bucket.puts.load(Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(checkpointer.tick(later()).await.expect("a tick").entered, 0);
        assert_eq!(world.checkpointer().tick(later()).await.expect("a new process").entered, 0);
    }
    assert_eq!(world.bucket.puts.load(Ordering::SeqCst), puts, "nothing new, nothing put");
    all.extend(world.write("b", 2).await);
    // However many commits, a batch and a root.
    assert_eq!(world.checkpointer().tick(later()).await.expect("a tick").size, 5);
    assert_eq!(world.bucket.puts.load(Ordering::SeqCst), puts + 2);
    let entries = world.check().await;
    assert_eq!((entries.len(), distinct(&entries)), (5, texts(&all)));
    let published = world.bucket.inner.get(PUBLIC_KEY).await.expect("read").expect("a key");
    assert_eq!(String::from_utf8(published).expect("text").parse(), Ok(key().public().clone()));
    let third = world.bucket.inner.get(&batch_key(3)).await.expect("read").expect("a batch");
    let root = Batch::from_bytes(&third).expect("a batch").root.expect("the root of all before it");
    assert_eq!(Checkpoint::open(&root, key().public()).expect("signed").size, 3);
}

#[tokio::test]
async fn a_log_that_was_there_before_is_entered_whole_and_a_long_one_in_several_batches() {
    let world = World::new(0, false);
    let mut writing = tokio::task::JoinSet::new();
    for number in 0..150 {
        writing.spawn(write(world.store.clone(), world.clock.now(), format!("old-{number}"), 15));
    }
    let mut all = writing.join_all().await.concat();
    // No time: a tick does one batch, and signs it.
    let checkpointer = world.checkpointer();
    let first = checkpointer.tick(Instant::now()).await.expect("a tick");
    assert!(first.more && first.size == first.entered && first.size < 2_250, "{first:?}");
    all.extend(world.write("new", 2).await);
    let second = checkpointer.tick(later()).await.expect("a tick");
    assert!(!second.more, "{second:?}");
    assert_eq!(distinct(&world.check().await), texts(&all));
}

#[tokio::test]
async fn a_crash_at_any_call_loses_nothing_and_signs_nothing_that_is_not_there() {
    let mut tried = 0;
    for after in [false, true] {
        for breaks in 1.. {
            let world = World::new(breaks, after);
            let mut all = world.write("a", 2).await;
            let first = world.checkpointer();
            let mut failed = first.tick(later()).await.is_err();
            all.extend(world.write("b", 2).await);
            failed |= first.tick(later()).await.is_err();
            all.extend(world.write("c", 1).await);
            // A new process goes on.
            failed |= world.checkpointer().tick(later()).await.is_err();
            world.bucket.breaks.store(0, Ordering::SeqCst);
            world.checkpointer().tick(later()).await.expect("mended");
            assert_eq!(distinct(&world.check().await), texts(&all), "broken at call {breaks}, after it: {after}");
            if !failed {
                break;
            }
            tried += 1;
        }
    }
    println!("{tried} crashes");
    assert!(tried > 30, "{tried}");
}

#[tokio::test]
async fn of_two_at_once_one_enters_and_no_two_roots_disagree() {
    let world = World::new(0, false);
    let (one, two) = (world.checkpointer(), world.checkpointer());
    let mut all = Vec::new();
    for round in 0..30 {
        all.extend(world.write(&format!("round-{round}"), 3).await);
        let (first, second) = tokio::join!(one.tick(later()), two.tick(later()));
        first.expect("the one");
        second.expect("the other");
    }
    one.tick(later()).await.expect("the last");
    let entries = world.check().await;
    assert_eq!(distinct(&entries), texts(&all));
    // Each began in the stream by itself; what the first batch had may come twice, and never more.
    assert!(entries.len() <= all.len() + 6, "{} entries of {} commits", entries.len(), all.len());
}

#[tokio::test]
async fn a_stream_that_no_longer_reaches_back_is_made_good_by_the_log_itself() {
    let world = World::new(0, false);
    let checkpointer = world.checkpointer();
    let mut all = world.write("a", 3).await;
    checkpointer.tick(later()).await.expect("a tick");
    world.trimmed.store(1, Ordering::SeqCst);
    all.extend(world.write("lost", 2).await);
    checkpointer.tick(later()).await.expect("a tick");
    assert_eq!(distinct(&world.check().await), texts(&all));
    // A place so old that the stream may have passed over something is not trusted, also when it says nothing.
    world.clock.0.fetch_add(21 * HOUR, Ordering::SeqCst);
    let before = world.check().await.len();
    world.checkpointer().tick(later()).await.expect("a tick");
    let entries = world.check().await;
    assert_eq!(distinct(&entries), texts(&all));
    assert!(entries.len() >= before + all.len(), "the whole log once more");
}

#[tokio::test]
async fn a_quiet_log_keeps_its_place_in_the_stream_fresh() {
    let world = World::new(0, false);
    world.write("a", 1).await;
    world.checkpointer().tick(later()).await.expect("a tick");
    let entries = world.check().await.len();
    for _ in 0..10 {
        // Each time a new process, which knows what the bucket says alone.
        world.clock.0.fetch_add(7 * HOUR, Ordering::SeqCst);
        assert_eq!(world.checkpointer().tick(later()).await.expect("a tick").entered, 0);
    }
    assert_eq!(world.check().await.len(), entries, "70 quiet hours, and nothing was entered again");
}

#[tokio::test]
async fn nothing_is_signed_over_a_bucket_that_was_tampered_with() {
    for tampering in 0..3 {
        let world = World::new(0, false);
        world.write("a", 3).await;
        world.checkpointer().tick(later()).await.expect("a tick");
        // The first two are the scan, and what the stream still held of it.
        let newest = batch_key(2);
        assert!(!world.bucket.inner.has(&batch_key(3)).await.expect("read"));
        let bytes = world.bucket.inner.get(&newest).await.expect("read").expect("a batch");
        let mut batch = Batch::from_bytes(&bytes).expect("a batch");
        match tampering {
            // Other entries, with the peaks that they have.
            0 => {
                batch.tree = Frontier::default();
                (0..6).for_each(|_| batch.tree.push(Hash::leaf(b"other")));
                world.bucket.inner.put(&newest, batch.to_bytes().expect("written")).await.expect("put");
            }
            1 => world.bucket.inner.put(&newest, b"{}".to_vec()).await.expect("put"),
            _ => {
                let other = SigningKey::new(&[8; 32]).expect("a key");
                let note = Checkpoint { size: 6, root: batch.tree.root() }.sign(&other);
                world.bucket.inner.put(CHECKPOINT, note.into_bytes()).await.expect("put");
            }
        }
        let roots = world.bucket.roots.lock().expect("roots").len();
        let error = world.checkpointer().tick(later()).await.expect_err("tampered with");
        assert!(!error.is_retryable(), "{error}");
        assert_eq!(world.bucket.roots.lock().expect("roots").len(), roots, "{error}");
    }
}
