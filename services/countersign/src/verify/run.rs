//! `verify`, `prove` and `checkpoint`.

use std::{fs, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail};
use ledger::Ledger;
use serde_json::json;
use transparency::{Checkpoint, PublicKey};

use super::{
    audit::{Audit, Stop},
    finding::{Finding, Kind, Report, Uncovered},
    proof::{Proof, ProofError},
    roots::{Roots, only},
    sources::{self, SourceError},
};
use crate::{
    checkpoints::{
        bucket::{self, Fetched},
        files::{Files, Signed},
        keeper,
    },
    cli::{CheckpointArgs, Global, ProveArgs, VerifyArgs},
    log::{place, progress::Progress},
    terminal, text_file,
};

/// Something is wrong.
const TAMPERED: u8 = 3;
/// It could not be checked to its end.
const UNREADABLE: u8 = 4;
/// Everything that is covered is whole, and not everything is covered.
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
            say(&report, &global)?;
            Ok(ExitCode::from(match () {
                () if !report.whole => TAMPERED,
                () if report.unsigned => NOT_COVERED,
                () if args.all_covered && report.checked.uncovered > 0 => NOT_COVERED,
                () => 0,
            }))
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::from(UNREADABLE))
        }
    }
}

async fn check(args: &VerifyArgs, global: &Global) -> anyhow::Result<Report> {
    let mut progress = Progress::start();
    let given = args.public_key.as_deref().map(read_key).transpose()?;
    let mut audit;
    let mut selected = None;
    let (key, done) = if let Some(file) = &args.file {
        anyhow::ensure!(file.is_file(), "there is no file {}", file.display());
        let key = given.context("an export is checked against a key that comes from elsewhere: give --public-key FILE")?;
        selected = sources::selected(file).with_context(|| format!("cannot read {}", file.display()))?;
        if selected.is_some() && !args.checkpoint.is_empty() {
            bail!("{} is a part of a log, of which a root says nothing: check it without --checkpoint", file.display());
        }
        audit = audit_of(args, Some(&key), only(None))?;
        let done = sources::export(&mut audit, file, &mut progress);
        (Some(key), done)
    } else {
        let place = Place::of(global, args.table.as_deref(), args.bucket.as_deref(), given, &mut progress).await?;
        // Which roots there are was looked at before the log is, so that all they cover is in it.
        let roots = place.files.as_ref().map(Files::roots).transpose()?;
        let size = match (&roots, &place.key) {
            (Some(roots), Some(key)) => roots.covered(key)?,
            _ => 0,
        };
        let own = match roots {
            None => only(None),
            Some(roots) => Box::new(roots.notes()?),
        };
        audit = audit_of(args, place.key.as_ref(), own)?;
        let entered = match &place.files {
            None => Ok(()),
            Some(files) => sources::entries(&mut audit, files, size, &mut progress),
        };
        let done = match entered {
            Ok(()) => sources::store(&mut audit, &place.ledger, size, &mut progress).await,
            stopped => stopped,
        };
        (place.key, done)
    };
    progress.end();
    match done {
        Ok(()) | Err(SourceError::Stop(Stop::Found)) => {
            let report = report(audit, key);
            let unsigned = args.file.is_some() && selected.is_none() && report.checked.covered == 0 && report.checked.commits > 0;
            Ok(Report { selected, unsigned, ..report })
        }
        Err(error) => {
            // What was found before is not lost with it.
            let (findings, _) = audit.findings.into_parts();
            findings.iter().for_each(|finding| eprintln!("{}", finding.text));
            Err(error.into())
        }
    }
}

fn audit_of(args: &VerifyArgs, key: Option<&PublicKey>, own: super::roots::Notes) -> anyhow::Result<Audit> {
    let mut held = Vec::with_capacity(args.checkpoint.len());
    let mut refused = Vec::new();
    for path in &args.checkpoint {
        let note = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let key = key.context("a checkpoint is checked against a key: give --public-key FILE")?;
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) => held.push(checkpoint),
            Err(error) => refused.push(format!("{} is not a checkpoint of this log: {error}", path.display())),
        }
    }
    let mut audit = Audit::new(Roots::new(key.cloned(), held, own), args.keep_going);
    if let Some(text) = refused.into_iter().next() {
        // Enough or not, the rest is checked: the fault may be the verifier's own file.
        let _ = audit.findings.add(Finding::of_log(Kind::BadSignature, text));
    }
    Ok(audit)
}

fn report(audit: Audit, key: Option<PublicKey>) -> Report {
    let (checked, not_covered) = (audit.counts, audit.uncovered.names());
    let checkpoint = audit.roots.newest().map(|newest| newest.size);
    let (findings, found) = audit.findings.into_parts();
    let public_key = key.map(|key| key.to_string());
    let (whole, selected, unsigned) = (found == 0, None, false);
    Report { whole, checked, checkpoint, public_key, not_covered, selected, unsigned, findings, found }
}

fn check_proof(path: &Path, args: &VerifyArgs) -> anyhow::Result<Report> {
    let key = args.public_key.as_deref().map(read_key).transpose()?;
    let key = key.context("a proof is checked against a key that comes from elsewhere: give --public-key FILE")?;
    let text = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let proof: Proof = serde_json::from_str(&text).with_context(|| format!("{} is no proof", path.display()))?;
    let (findings, proven, open) = proof.check(&key);
    let mut uncovered = Uncovered::default();
    open.iter().for_each(|version| uncovered.add(proof.review.into(), *version));
    let size = Checkpoint::open(&proof.checkpoint, &key).ok().map(|checkpoint| checkpoint.size);
    let checked = super::finding::Counts {
        streams: 1,
        commits: proof.commits.len() as u64,
        covered: proven as u64,
        uncovered: open.len() as u64,
        roots: u64::from(size.is_some()),
        ..Default::default()
    };
    let found = findings.len() as u64;
    let public_key = Some(key.to_string());
    let (whole, checkpoint, not_covered, selected, unsigned) = (found == 0, size, uncovered.names(), None, false);
    Ok(Report { whole, checked, checkpoint, public_key, not_covered, selected, unsigned, findings, found })
}

fn say(report: &Report, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return Ok(terminal::json(report)?);
    }
    let counts = &report.checked;
    for finding in &report.findings {
        println!("{}", finding.text);
    }
    let listed = report.findings.len() as u64;
    if report.found > listed {
        println!("and {} more", report.found - listed);
    }
    let alone = report.unsigned || report.selected.is_some();
    match report.whole {
        true if alone => println!("whole in itself: {} commits of {} streams", counts.commits, counts.streams),
        true => println!("whole: {} commits of {} streams", counts.commits, counts.streams),
        false => println!("NOT whole: {} finding(s); --keep-going lists what else there is", report.found),
    }
    match report.checkpoint {
        _ if report.unsigned => println!("no signed root in this export: only its own hashes were checked"),
        None if alone => println!("a part of a log, which has no signed root: only its own hashes were checked"),
        Some(size) => println!("signed: the newest root covers {size} commits; {} roots were compared", counts.roots),
        None => println!("signed: no root was found; only the hashes within each stream could be checked"),
    }
    if counts.uncovered > 0 {
        println!("not yet covered by a root: {} commits, such as {}", counts.uncovered, report.not_covered.join(", "));
    }
    if let Some(key) = &report.public_key {
        println!("public key: {key}");
    }
    Ok(())
}

fn read_key(path: &Path) -> anyhow::Result<PublicKey> {
    let text = text_file::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| path.display().to_string())
}

/// `countersign prove`.
///
/// # Errors
/// When there is no such review or no root, or the log does not have the root that was signed.
pub async fn prove(args: ProveArgs, global: Global) -> anyhow::Result<ExitCode> {
    let place = Place::of(&global, args.table.as_deref(), args.bucket.as_deref(), None, &mut Progress::start()).await?;
    let (files, signed) = place.newest()?;
    let proof = Proof::of(args.id, &place.ledger, files, &signed).await?;
    let covered = proof.commits.iter().filter(|commit| commit.index.is_some()).count();
    let open = proof.commits.len() - covered;
    if covered == 0 {
        return Err(ProofError::NotCovered(args.id).into());
    }
    let text = serde_json::to_string_pretty(&proof)? + "\n";
    fs::write(&args.out, text).with_context(|| format!("cannot write {}", args.out.display()))?;
    if global.json {
        terminal::json(&json!({"file": args.out, "proven": covered, "not_covered": open}))?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("proved {covered} commits of review {} in {}", args.id, args.out.display());
    if open > 0 {
        println!("{open} commits are newer than the newest root; prove again in a minute to cover them");
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
        None => match keeper::public_key(&global.data)? {
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
    key: Option<PublicKey>,
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
        let Some(table) = table else {
            let (ledger, files) = (place::read_directory(&global.data)?, Some(Files::of(&global.data)));
            let key = match given {
                Some(key) => Some(key),
                None => keeper::public_key(&global.data)?,
            };
            return Ok(Place { ledger, files, key, _fetched: None });
        };
        let ledger = place::table(table).await?;
        let Some(bucket) = bucket else { return Ok(Place { ledger, files: None, key: given, _fetched: None }) };
        let fetched = bucket::fetch(&bucket::bucket(bucket).await?, given, progress).await?;
        let (files, key) = (Some(fetched.files.clone()), Some(fetched.key.clone()));
        Ok(Place { ledger, files, key, _fetched: Some(fetched) })
    }

    /// The newest root, and the files that it is of.
    fn newest(&self) -> anyhow::Result<(&Files, Signed)> {
        let (Some(files), Some(key)) = (&self.files, &self.key) else { return Err(ProofError::NoCheckpoint.into()) };
        Ok((files, files.newest(key)?.ok_or(ProofError::NoCheckpoint)?))
    }
}
