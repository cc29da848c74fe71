//! `countersign restore`: the way back for a log that lost or changed what was signed of it.
//!
//! Nothing brings back what is lost but a backup. What this does is to go on without it in the open: the tree begins
//! anew, each root from then on names the break, and what was signed before is kept beside it for auditors.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context as _, bail};
use events::Version;
use ledger::{
    Clock as _, Ledger as _, SystemClock,
    sqlite::{SqliteStore, Witness},
};
use serde_json::json;
use transparency::{Break, Checkpoint, Entry, Hash};

use super::{
    broken::{Broken, KeeperError},
    compare,
    files::Files,
    keeper::Keeper,
    key,
};
use crate::{
    cli::{Global, RestoreArgs},
    log::{fence::Fence, format::place, place as open},
    serve::consumers::VIEWS,
    terminal,
};

/// The exit code of everything that finds a log not to be what was signed of it.
pub const BROKEN: u8 = 3;

/// `countersign restore`.
///
/// # Errors
/// When the directory cannot be had or written.
pub async fn run(args: RestoreArgs, global: Global) -> anyhow::Result<ExitCode> {
    let data = &global.data;
    // A directory without a log is not made into one.
    drop(open::read_directory(data)?);
    if let Some(fence) = Fence::of(data)? {
        bail!("{}: {fence}", data.display());
    }
    let store = open::own_directory(data)?;
    let done = restore(&store, data, args.accept_loss, global.json).await;
    store.close();
    done
}

async fn restore(store: &SqliteStore, data: &Path, accept: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let broken = match begin(store, data).await {
        Ok(size) => {
            match as_json {
                true => terminal::json(&json!({"lost": 0, "covered": size}))?,
                false => println!("nothing is lost: the log is what was signed of it, {size} commits, all covered"),
            }
            return Ok(ExitCode::SUCCESS);
        }
        Err(KeeperError::Broken(broken)) => broken,
        Err(error) => return Err(error.into()),
    };
    let loss = Loss::of(store, data, broken).await?;
    if !accept {
        loss.say(as_json)?;
        if !as_json {
            println!("Bring the directory back from a backup, if there is one. To go on without what is lost, for good:");
            println!("  countersign restore --accept-loss --data {}", data.display());
        }
        return Ok(ExitCode::from(BROKEN));
    }
    let (kept, size) = loss.accept(store, data).await?;
    loss.say(as_json)?;
    if !as_json {
        if let Some(kept) = kept {
            println!("what was signed before is kept in {kept}");
        }
        println!("accepted: a new root covers the {size} commits that are there, and every root from now on names the break");
        println!("tell whoever holds an earlier root: `countersign verify` says so to them too");
    }
    Ok(ExitCode::SUCCESS)
}

async fn begin(store: &SqliteStore, data: &Path) -> Result<u64, KeeperError> {
    Keeper::open(store.clone(), data).await?.tick().await
}

/// What is lost, as far as it can be told.
struct Loss {
    broken: Broken,
    /// What the newest note says that is known, whoever signed it.
    newest: Option<Checkpoint>,
    /// Breaks that it names already.
    breaks: Vec<Break>,
    /// How many commits, and the first of them; absent when the entries are gone too.
    lost: Option<(u64, Vec<Entry>)>,
    /// The last commit up to which all is as it was signed, and when it was written.
    sound: Option<String>,
}

impl Loss {
    async fn of(store: &SqliteStore, data: &Path, broken: Broken) -> anyhow::Result<Loss> {
        let files = Files::of(data);
        let mut notes = Vec::new();
        for note in files.roots()?.notes()? {
            notes.push(note?);
        }
        if let Witness::Note(note) = store.witness().await? {
            notes.push(note);
        }
        let said = |note: &String| Checkpoint::said(note).map(|said| (said, Break::all(note)));
        let newest = notes.iter().filter_map(said).max_by_key(|(said, _)| said.size);
        let (newest, breaks) = newest.map_or((None, Vec::new()), |(newest, breaks)| (Some(newest), breaks));
        let lost = match newest {
            None => None,
            Some(newest) => compare::lost(store, &files, newest.size).await.ok(),
        };
        let sound = match lost.as_ref().and_then(|(_, named)| named.first()) {
            None => None,
            Some(first) => before(store, &files, first).await?,
        };
        Ok(Loss { broken, newest, breaks, lost, sound })
    }

    fn say(&self, as_json: bool) -> std::io::Result<()> {
        let names = |named: &[Entry]| named.iter().map(|entry| place(entry.stream, entry.version)).collect::<Vec<_>>();
        let (count, named) = match &self.lost {
            None => (None, Vec::new()),
            Some((count, named)) => (Some(*count), names(named)),
        };
        let size = self.newest.map(|newest| newest.size);
        if as_json {
            let found = self.broken.to_string();
            let sound = &self.sound;
            return terminal::json(
                &json!({"found": found, "signed": size, "lost": count, "such_as": named, "sound_up_to": sound}),
            );
        }
        println!("{}", self.broken);
        match size {
            Some(size) => println!("the newest root that is known covers {size} commits"),
            None => println!("no root is known any more: how many commits there were cannot be told"),
        }
        match count {
            Some(0) => println!("every commit that it covers is there as it was signed"),
            Some(count) => println!("{count} of them are gone or are others now, such as {}", named.join(", ")),
            None => println!("which of them are gone cannot be told, since the list of them (checkpoints/entries) is gone too"),
        }
        if let Some(sound) = &self.sound {
            println!("up to {sound} all is as it was signed");
        }
        Ok(())
    }

    /// Puts what was signed before aside, and signs what is there with a root that names the break.
    async fn accept(&self, store: &SqliteStore, data: &Path) -> anyhow::Result<(Option<String>, u64)> {
        let now = SystemClock.now();
        let files = Files::of(data);
        let kept = match files.directory().is_dir() {
            false => None,
            true => {
                let stamp: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
                let aside = data.join(format!("checkpoints.before-{stamp}"));
                fs::rename(files.directory(), &aside).with_context(|| format!("cannot keep {}", aside.display()))?;
                fs::File::open(data)?.sync_all()?;
                Some(aside.display().to_string())
            }
        };
        if key::load(data)?.is_none() {
            key::make(data)?;
        }
        // What is derived must not be ahead of the log.
        store.set_views_back(VIEWS).await?;
        let given_up = self.newest.unwrap_or(Checkpoint { size: 0, root: Hash::empty() });
        let lost = self.lost.as_ref().map(|(count, _)| *count);
        let breaks = self.breaks.iter().copied().chain([Break { at: now, given_up, lost }]).collect();
        let own = key::load(data)?.context("the key that signs checkpoints")?;
        let size = Keeper::of(store.clone(), data, own).begin_anew(breaks).await?;
        Ok((kept, size))
    }
}

/// The last entry before the first that is lost, and when its commit was written.
async fn before(store: &SqliteStore, files: &Files, first: &Entry) -> anyhow::Result<Option<String>> {
    let mut last: Option<Entry> = None;
    for entry in files.entries(0, u64::MAX)? {
        let entry = entry?;
        if entry == *first {
            break;
        }
        last = Some(entry);
    }
    let Some(Entry { stream, version, .. }) = last else { return Ok(None) };
    let commits = store.load(stream, Version(version.0.saturating_sub(1))).await.unwrap_or_default();
    let at = commits.first().and_then(|commit| commit.decode().ok()).map(|commit| format!(", of {}", commit.at));
    Ok(Some(format!("{}{}", place(stream, version), at.unwrap_or_default())))
}
