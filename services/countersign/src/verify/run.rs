//! `verify`, `prove` and `checkpoint`.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail};
use ledger::{
    Ledger,
    sqlite::{SqliteStore, Witness},
};
use serde_json::{Value, json};
use transparency::{Checkpoint, PublicKey};

use super::{
    audit::{Audit, Stop},
    finding::{Finding, Kind},
    proof::{Proof, ProofError},
    report::{Key, KeyFrom, Report, Verdict},
    roots::{Held, Roots, YOURS, only},
    sources::{self, SourceError},
};
use crate::{
    checkpoints::{
        bucket::{self, Fetched},
        cover::{self, Covered},
        files::{Files, Signed},
        key,
        restore::BROKEN,
    },
    cli::{CheckpointArgs, Global, ProveArgs, VerifyArgs},
    log::{new_file, place, progress::Progress},
    terminal, text_file,
};

/// Something is wrong.
const TAMPERED: u8 = BROKEN;
/// It could not be checked to its end.
const UNREADABLE: u8 = 4;
/// Nothing is wrong, and there are commits that no signed root covers.
const NOT_COVERED: u8 = 5;

/// `countersign verify`.
///
/// # Errors
/// Never: what cannot be read has an exit code of its own.
pub async fn verify(args: VerifyArgs, global: Global) -> anyhow::Result<ExitCode> {
    let checked = match &args.proof {
        Some(proof) => check_proof(proof, &args),
        None => check(&args, &global).await,
    };
    match checked {
        Ok(report) => {
            match global.json {
                true => println!("{}", serde_json::to_string(&report)?),
                false => report.lines(what(&args), args.allow_uncovered).iter().for_each(|line| println!("{line}")),
            }
            Ok(ExitCode::from(match report.verdict {
                Verdict::Whole => 0,
                Verdict::Tampered => TAMPERED,
                Verdict::Uncovered | Verdict::Part | Verdict::Unsigned if args.allow_uncovered => 0,
                Verdict::Uncovered | Verdict::Part | Verdict::Unsigned => NOT_COVERED,
            }))
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::from(UNREADABLE))
        }
    }
}

/// What is checked, as a sentence has it.
fn what(args: &VerifyArgs) -> &'static str {
    match () {
        () if args.file.is_some() => "this export",
        () if args.proof.is_some() => "this proof",
        () if args.bucket.is_some() => "this bucket",
        () if args.table.is_some() => "this table, whose bucket was not named (--bucket),",
        () => "this data directory",
    }
}

async fn check(args: &VerifyArgs, global: &Global) -> anyhow::Result<Report> {
    if let Some(file) = &args.file {
        return check_export(args, file);
    }
    let mut progress = Progress::start();
    let given = args.public_key.as_deref().map(read_key).transpose()?;
    // So that an honest log is whole. What cannot be covered is said below.
    let covered = match &args.table {
        None => {
            drop(place::read_directory(&global.data)?);
            cover::tail(&global.data).await
        }
        Some(_) => Covered::Not(None),
    };
    let place = Place::of(global, args.table.as_deref(), args.bucket.as_deref(), given, &mut progress).await?;
    // Which roots there are was looked at before the log is, so that all they cover is in it.
    let roots = place.files.as_ref().map(Files::roots).transpose()?;
    let size = match (&roots, &place.key) {
        (Some(roots), Some(key)) => roots.covered(&key.key)?,
        _ => 0,
    };
    let own = match roots {
        None => only(None),
        Some(roots) => Box::new(roots.notes()?),
    };
    let mut audit = audit_of(args, place.key.as_ref(), place.noted, own)?;
    let entered = match &place.files {
        None => Ok(()),
        Some(files) => sources::entries(&mut audit, files, size, &mut progress),
    };
    let done = match entered {
        Ok(()) => sources::store(&mut audit, &place.ledger, size, &mut progress).await,
        stopped => stopped,
    };
    progress.end();
    let report = finished(audit, done, place.key, None)?;
    Ok(match covered {
        // What nobody else names is named by the one who signs.
        Covered::Broken(broken) if report.found == 0 => report.with(Finding::of_log(Kind::Broken, broken.to_string())),
        Covered::Not(tail) => Report { tail, ..report },
        _ => report,
    })
}

fn check_export(args: &VerifyArgs, file: &Path) -> anyhow::Result<Report> {
    anyhow::ensure!(file.is_file(), "there is no file {}", file.display());
    let key = args.public_key.as_deref().map(read_key).transpose()?;
    let key = key.context("an export is checked against a key that comes from elsewhere: give --public-key FILE")?;
    let key = Key { key, from: KeyFrom::Given };
    let selected = sources::selected(file).with_context(|| format!("cannot read {}", file.display()))?;
    if selected.is_some() && !args.checkpoint.is_empty() {
        bail!("{} says that it is a part of a log, of which a root says nothing: check it without --checkpoint", file.display());
    }
    let mut progress = Progress::start();
    let mut audit = audit_of(args, Some(&key), None, only(None))?;
    let done = sources::export(&mut audit, file, &mut progress);
    progress.end();
    finished(audit, done, Some(key), selected)
}

fn finished(audit: Audit, done: Result<(), SourceError>, key: Option<Key>, selected: Option<Value>) -> anyhow::Result<Report> {
    match done {
        Ok(()) | Err(SourceError::Stop(Stop::Found)) => Ok(Report::of(audit, key, selected)),
        Err(error) => {
            // What was found before is not lost with it.
            let (findings, _) = audit.findings.into_parts();
            findings.iter().for_each(|finding| eprintln!("{}", finding.text));
            Err(error.into())
        }
    }
}

fn audit_of(args: &VerifyArgs, key: Option<&Key>, noted: Option<Checkpoint>, own: super::roots::Notes) -> anyhow::Result<Audit> {
    let noted = noted.map(|checkpoint| Held { checkpoint, whose: "the newest root that the database itself knows" });
    let mut held: Vec<Held> = noted.into_iter().collect();
    let mut refused = Vec::new();
    for path in &args.checkpoint {
        let note = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let key = key.context("a checkpoint is checked against a key: give --public-key FILE")?;
        match Checkpoint::open(&note, &key.key) {
            Ok(checkpoint) => held.push(Held { checkpoint, whose: YOURS }),
            Err(error) => refused.push(format!("{} is not a checkpoint of this log: {error}", path.display())),
        }
    }
    let mut audit = Audit::new(Roots::new(key.map(|key| key.key.clone()), held, own), args.keep_going);
    if let Some(text) = refused.into_iter().next() {
        // Enough or not, the rest is checked: the fault may be the verifier's own file.
        let _ = audit.findings.add(Finding::of_log(Kind::BadSignature, text));
    }
    Ok(audit)
}

fn check_proof(path: &Path, args: &VerifyArgs) -> anyhow::Result<Report> {
    let key = args.public_key.as_deref().map(read_key).transpose()?;
    let key = key.context("a proof is checked against a key that comes from elsewhere: give --public-key FILE")?;
    let text = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let proof: Proof = serde_json::from_str(&text).with_context(|| format!("{} is no proof", path.display()))?;
    let (findings, _, open) = proof.check(&key);
    let signed = Checkpoint::open(&proof.checkpoint, &key).ok();
    let (commits, key) = (proof.commits.len() as u64, Key { key, from: KeyFrom::Given });
    Ok(Report::of_proof(proof.review.into(), commits, &open, signed, key, findings))
}

/// A public key of a file.
///
/// # Errors
/// When it cannot be read or is none.
pub fn read_key(path: &Path) -> anyhow::Result<PublicKey> {
    let text = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| path.display().to_string())
}

/// `countersign prove`.
///
/// # Errors
/// When there is no such review or no root, or the log does not have the root that was signed.
pub async fn prove(args: ProveArgs, global: Global) -> anyhow::Result<ExitCode> {
    new_file::is_free(&args.out)?;
    if args.table.is_none() {
        // Whatever keeps it from being covered, what is not is said below.
        drop(place::read_directory(&global.data)?);
        cover::tail(&global.data).await;
    }
    let place = Place::of(&global, args.table.as_deref(), args.bucket.as_deref(), None, &mut Progress::start()).await?;
    let (files, signed) = place.newest()?;
    let proof = Proof::of(args.id, &place.ledger, files, &signed).await?;
    let covered = proof.commits.iter().filter(|commit| commit.index.is_some()).count();
    let open = proof.commits.len() - covered;
    if covered == 0 {
        return Err(ProofError::NotCovered(args.id).into());
    }
    let text = serde_json::to_string_pretty(&proof)? + "\n";
    new_file::write(&args.out, text.as_bytes())?;
    if global.json {
        terminal::json(&json!({"file": args.out, "proven": covered, "not_covered": open}))?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("proved {covered} commits of review {} in {}", args.id, args.out.display());
    if open > 0 {
        println!("{open} commits are covered by no root, so nobody vouches for them; prove again in a minute to cover them");
    }
    println!("check it with: countersign verify --proof FILE --public-key KEY");
    Ok(ExitCode::SUCCESS)
}

/// `countersign checkpoint`.
///
/// # Errors
/// When there is no root or no key yet.
pub async fn checkpoint(args: &CheckpointArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let bucket = match &args.bucket {
        Some(place) => Some(bucket::bucket(place).await?),
        None => None,
    };
    let key = match &bucket {
        Some(bucket) => bucket::public_key(bucket.as_ref()).await?,
        None => match key::public(&global.data)? {
            Some(key) => key,
            None if args.public_key => bail!("{} has no signing key yet: start the service once", global.data.display()),
            None => return Err(ProofError::NoCheckpoint.into()),
        },
    };
    if args.public_key {
        println!("{key}");
        return Ok(ExitCode::SUCCESS);
    }
    let note = match &bucket {
        Some(bucket) => bucket::newest(bucket.as_ref()).await?,
        None => Files::of(&global.data).newest(&key)?.map(|signed| signed.note),
    };
    let note = note.ok_or(ProofError::NoCheckpoint)?;
    match global.json {
        true => terminal::json(&json!({"size": Checkpoint::open(&note, &key)?.size, "note": note}))?,
        false => print!("{note}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// A log that can be read, and what was signed of it.
struct Place {
    ledger: Arc<dyn Ledger>,
    /// Absent for a table whose bucket was not named.
    files: Option<Files>,
    key: Option<Key>,
    /// The newest root that the database of a data directory knows, if the key signed it.
    noted: Option<Checkpoint>,
    /// Keeps the files, when they were brought here.
    _fetched: Option<Fetched>,
}

impl Place {
    /// A table, or the data directory.
    async fn of(
        global: &Global,
        table: Option<&str>,
        bucket: Option<&str>,
        given: Option<PublicKey>,
        progress: &mut Progress,
    ) -> anyhow::Result<Place> {
        let from = if given.is_some() { KeyFrom::Given } else { KeyFrom::Log };
        let Some(table) = table else {
            let (ledger, files) = (place::read_directory(&global.data)?, Some(Files::of(&global.data)));
            let key = match given {
                Some(key) => Some(key),
                None => key::public(&global.data)?,
            };
            let noted = match SqliteStore::open_read_only(&global.data)?.witness().await? {
                Witness::Note(note) => key.as_ref().and_then(|key| Checkpoint::open(&note, key).ok()),
                Witness::Nothing | Witness::Older => None,
            };
            return Ok(Place { ledger, files, key: key.map(|key| Key { key, from }), noted, _fetched: None });
        };
        let ledger = place::table(table).await?;
        let Some(bucket) = bucket else {
            let key = given.map(|key| Key { key, from });
            return Ok(Place { ledger, files: None, key, noted: None, _fetched: None });
        };
        let fetched = bucket::fetch(&bucket::bucket(bucket).await?, given, progress).await?;
        let (files, key) = (Some(fetched.files.clone()), Some(Key { key: fetched.key.clone(), from }));
        Ok(Place { ledger, files, key, noted: None, _fetched: Some(fetched) })
    }

    /// The newest root, and the files that it is of.
    fn newest(&self) -> anyhow::Result<(&Files, Signed)> {
        let (Some(files), Some(Key { key, .. })) = (&self.files, &self.key) else { return Err(ProofError::NoCheckpoint.into()) };
        Ok((files, files.newest(key)?.ok_or(ProofError::NoCheckpoint)?))
    }
}
