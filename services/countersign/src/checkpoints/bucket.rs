//! What was signed of a log on AWS, brought here as the files that a data directory has.

use std::{collections::VecDeque, sync::Arc};

use anyhow::{Context as _, ensure};
use checkpointer::{Batch, Bucket, BucketError, CHECKPOINT, Folder, PUBLIC_KEY, batch_key};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use transparency::PublicKey;

use super::files::Files;
use crate::log::progress::Progress;

/// How a bucket is told from a folder.
const S3: &str = "s3://";
/// How many batches are asked for at once.
const AHEAD: u64 = 16;

/// Entries and roots of a bucket, in a folder that goes when this goes.
pub struct Fetched {
    /// The files.
    pub files: Files,
    /// The key that verifies the roots: the one that was given, else what the bucket says.
    pub key: PublicKey,
    _folder: TempDir,
}

/// The bucket of `s3://NAME`, or a folder that is a copy of one.
///
/// # Errors
/// When this build was made without DynamoDB, whose log a bucket belongs to.
pub async fn bucket(place: &str) -> anyhow::Result<Arc<dyn Bucket>> {
    match place.strip_prefix(S3) {
        Some(name) => s3(name.trim_end_matches('/')).await,
        None => {
            ensure!(std::path::Path::new(place).is_dir(), "there is no folder {place}; a bucket is written s3://NAME");
            Ok(Arc::new(Folder::new(place)))
        }
    }
}

#[cfg(feature = "dynamodb")]
async fn s3(name: &str) -> anyhow::Result<Arc<dyn Bucket>> {
    Ok(Arc::new(checkpointer::s3::S3::new(&crate::serve::aws::config().await, name)))
}

#[cfg(not(feature = "dynamodb"))]
async fn s3(name: &str) -> anyhow::Result<Arc<dyn Bucket>> {
    anyhow::bail!("this build cannot reach the bucket {name}; build with: cargo build --release --features dynamodb")
}

/// The public key that a bucket holds.
///
/// # Errors
/// When it holds none.
pub async fn public_key(bucket: &dyn Bucket) -> anyhow::Result<PublicKey> {
    let text = bucket.get(PUBLIC_KEY).await?.with_context(|| format!("the bucket has no {PUBLIC_KEY} yet"))?;
    String::from_utf8_lossy(&text).parse().context(PUBLIC_KEY)
}

/// The newest signed root of a bucket, as it was signed.
///
/// # Errors
/// When the bucket cannot be read.
pub async fn newest(bucket: &dyn Bucket) -> anyhow::Result<Option<String>> {
    Ok(bucket.get(CHECKPOINT).await?.map(|note| String::from_utf8_lossy(&note).into_owned()))
}

/// Brings the entries and every root of them here. The roots are those that stand in the batches, each before what
/// it does not cover, and the newest.
///
/// # Errors
/// When a batch cannot be read, or does not follow on from the one before.
pub async fn fetch(bucket: &Arc<dyn Bucket>, key: Option<PublicKey>, progress: &mut Progress) -> anyhow::Result<Fetched> {
    let key = match key {
        Some(key) => key,
        None => public_key(bucket.as_ref()).await?,
    };
    let folder = tempfile::tempdir().context("a folder for the entries")?;
    let files = Files::of(folder.path());
    let (mut appending, _) = files.append(&key)?;
    // The root before the entries, so that all it covers is there.
    let newest = newest(bucket.as_ref()).await?;
    let (mut size, mut signed) = (0, 0);
    let mut ahead: VecDeque<_> = (1..=AHEAD).map(|number| get(bucket, number)).collect();
    for number in 1.. {
        let Some(next) = ahead.pop_front() else { break };
        let Some(bytes) = next.await.context("reading the bucket was interrupted")?? else { break };
        ahead.push_back(get(bucket, number + AHEAD));
        let batch = Batch::from_bytes(&bytes).with_context(|| batch_key(number))?;
        ensure!(batch.first == size, "{} begins with entry {}, and {size} stand before it", batch_key(number), batch.first);
        if let Some(root) = &batch.root {
            appending.note(root)?;
            signed = size_of(root).unwrap_or(signed);
        }
        batch.entries.iter().try_for_each(|entry| appending.entry(entry))?;
        size = batch.end();
        progress.show(size, "entries");
    }
    ahead.iter().for_each(JoinHandle::abort);
    // An older one may have been put over a newer one by somebody who was slow.
    if let Some(newest) = newest.filter(|note| size_of(note).is_none_or(|size| size > signed)) {
        appending.note(&newest)?;
    }
    appending.flush()?;
    Ok(Fetched { files, key, _folder: folder })
}

fn get(bucket: &Arc<dyn Bucket>, number: u64) -> JoinHandle<Result<Option<Vec<u8>>, BucketError>> {
    let bucket = Arc::clone(bucket);
    tokio::spawn(async move { bucket.get(&batch_key(number)).await })
}

/// The size that a note says, whoever signed it.
fn size_of(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}
