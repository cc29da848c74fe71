//! `export` and `import`.

use std::{
    fs::{self, File, OpenOptions},
    io::BufWriter,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, bail};
use ledger::{
    Clock, Ledger, SystemClock,
    seal::{LocalSeal, SecretKey},
};
use serde_json::json;

use super::{
    fence::Fence,
    format::End,
    handles::{Moving, Recipient},
    import::{Imported, import},
    place,
    progress::Progress,
    write,
};
use crate::{
    cli::{ExportArgs, Global, ImportArgs},
    serve::keys::SEAL_KEY,
};

/// `countersign export`.
///
/// # Errors
/// When the log cannot be read or is damaged, or the file cannot be written.
pub async fn export(args: ExportArgs, global: Global) -> anyhow::Result<ExitCode> {
    let mut left = 0;
    let end = match (&args.to_key, &args.table) {
        (None, None) => to_file(&place::read_directory(&global.data)?, &args.out, None).await?,
        (None, Some(table)) => to_file(&place::table(table).await?, &args.out, None).await?,
        (Some(key), _) => {
            let (end, moving) = move_out(&global.data, &args.out, key).await?;
            left = moving.left_behind();
            end
        }
    };
    if global.json {
        println!("{}", json!({"file": args.out, "export": end, "left_behind": left}));
        return Ok(ExitCode::SUCCESS);
    }
    println!("exported {} commits of {} streams to {}", end.commits, end.streams, args.out.display());
    if args.to_key.is_some() {
        println!("{} waiting workflows move with it; {} takes no writes any more", end.handles, global.data.display());
        println!("bring it in with: countersign import FILE --data DIR | --table NAME");
    }
    if left > 0 {
        eprintln!("warning: {left} task tokens could not be opened and are left behind; their workflows will not be told");
    }
    Ok(ExitCode::SUCCESS)
}

/// Fences the directory first, so that nothing is written after what is exported.
async fn move_out(data: &Path, out: &Path, key: &str) -> anyhow::Result<(End, Moving)> {
    let recipient = Recipient::of(key).await?;
    // A directory without a log is not made into one.
    drop(place::read_directory(data)?);
    let fence = Fence { at: SystemClock.now(), to: recipient.name.clone() };
    fence.put_up(data).with_context(|| format!("cannot fence {}", data.display()))?;
    let store = place::own_fenced_directory(data).await?;
    let from = LocalSeal::open(&data.join(SEAL_KEY)).context("the key that seals task tokens")?;
    let moving = Moving::new(Box::new(from), recipient);
    let ledger: Arc<dyn Ledger> = Arc::new(store.clone());
    let end = to_file(&ledger, out, Some(&moving)).await.context("the directory is fenced; give the same command again")?;
    store.close();
    Ok((end, moving))
}

/// Writes beside the file and puts it in place when it is whole and on the disk.
async fn to_file(ledger: &Arc<dyn Ledger>, out: &Path, moving: Option<&Moving>) -> anyhow::Result<End> {
    let part = part_of(out)?;
    let cannot = || format!("cannot write {}", part.display());
    // Readable for the owner alone, as the log is.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part).with_context(cannot)?;
    let mut progress = Progress::start();
    let end = write::export(ledger, BufWriter::with_capacity(1 << 16, &file), moving, SystemClock.now(), &mut progress).await;
    let end = end.inspect_err(|_| drop(fs::remove_file(&part)))?;
    file.sync_all().with_context(cannot)?;
    fs::rename(&part, out).with_context(|| format!("cannot write {}", out.display()))?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()?;
    Ok(end)
}

fn part_of(out: &Path) -> anyhow::Result<PathBuf> {
    let Some(name) = out.file_name() else { bail!("{} is not the name of a file", out.display()) };
    let mut part = name.to_owned();
    part.push(".part");
    Ok(out.with_file_name(part))
}

/// `countersign import`.
///
/// # Errors
/// When the export is damaged or the store has gone another way.
pub async fn import_file(args: ImportArgs, global: Global) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.file.is_file(), "there is no file {}", args.file.display());
    let mut progress = Progress::start();
    let imported = match &args.table {
        Some(table) => import(&args.file, &place::table(table).await?, None, &mut progress).await?,
        None => into_directory(&args.file, &global.data, &mut progress).await?,
    };
    progress.end();
    say(&imported, &args, &global);
    Ok(ExitCode::SUCCESS)
}

async fn into_directory(file: &Path, data: &Path, progress: &mut Progress) -> anyhow::Result<Imported> {
    if let Some(fence) = Fence::of(data)? {
        bail!("{}: {fence}; import into another directory", data.display());
    }
    let store = place::own_directory(data)?;
    let key = data.join(SEAL_KEY);
    // An import makes no key: the one that the export was sealed for is to be put there.
    let seal = match key.exists() {
        true => LocalSeal::open(&key).context("the key that seals task tokens")?,
        false => LocalSeal::new(&SecretKey::generate()?, &[]),
    };
    let ledger: Arc<dyn Ledger> = Arc::new(store.clone());
    let imported = import(file, &ledger, Some(&seal), progress).await;
    let imported = imported.with_context(|| format!("cannot import into {} (task tokens: {})", data.display(), key.display()))?;
    store.close();
    Ok(imported)
}

fn say(imported: &Imported, args: &ImportArgs, global: &Global) {
    if global.json {
        println!("{}", json!(imported));
        return;
    }
    let Imported { streams, commits, written, handles } = imported;
    println!("checked {commits} commits of {streams} streams; {written} were written, {} were there already", commits - written);
    match &args.table {
        Some(_) => println!("the projector follows the table; `reconcile` brings its views up whatever it missed"),
        None => println!("`countersign serve --data {}` brings the views up when it starts", global.data.display()),
    }
    if *handles == 0 {
        println!("no task tokens came with it: workflows that still wait are not told by this store");
    }
}
