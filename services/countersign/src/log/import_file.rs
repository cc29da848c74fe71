//! `countersign import`.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use ledger::{
    Ledger,
    seal::{LocalSeal, SecretKey},
};

use super::{
    fence::Fence,
    import::{Imported, import},
    place,
    progress::Progress,
    trust::Trust,
};
use crate::{
    cli::{Global, ImportArgs},
    serve::keys::SEAL_KEY,
    terminal,
    verify::{report::KeyFrom, run::read_key},
};

/// `countersign import`.
///
/// # Errors
/// When the export is damaged or the store has gone another way.
pub async fn run(args: ImportArgs, global: Global) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.file.is_file(), "there is no file {}", args.file.display());
    let key = args.public_key.as_deref().map(read_key).transpose()?;
    let trust = Trust { key, allow_uncovered: args.allow_uncovered };
    let mut progress = Progress::start();
    let imported = match &args.table {
        Some(table) => import(&args.file, &place::table(table).await?, None, &trust, &mut progress).await?,
        None => into_directory(&args.file, &global.data, &trust, &mut progress).await?,
    };
    progress.end();
    say(&imported, &args, &global)?;
    Ok(ExitCode::SUCCESS)
}

async fn into_directory(file: &Path, data: &Path, trust: &Trust, progress: &mut Progress) -> anyhow::Result<Imported> {
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
    let imported = import(file, &ledger, Some(&seal), trust, progress).await;
    let imported = imported.with_context(|| format!("cannot import into {} (task tokens: {})", data.display(), key.display()))?;
    store.close();
    Ok(imported)
}

fn say(imported: &Imported, args: &ImportArgs, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return Ok(terminal::json(imported)?);
    }
    let Imported { streams, commits, written, handles, uncovered, key_from } = imported;
    println!("checked {commits} commits of {streams} streams; {written} were written, {} were there already", commits - written);
    match key_from {
        Some(KeyFrom::Given) => println!("a root covers {} of them that the given key signed", commits - uncovered),
        Some(KeyFrom::Log) => println!(
            "a root covers {} of them; the key that signed it came with the export, so whoever made the export can have signed \
             it: give --public-key FILE from elsewhere to be sure",
            commits - uncovered
        ),
        None => {}
    }
    if *uncovered > 0 {
        println!("allowed by --allow-uncovered: {uncovered} commits are vouched for by nobody");
    }
    match &args.table {
        Some(_) => println!("the projector follows the table; `reconcile` brings its views up whatever it missed"),
        None => println!("`countersign serve --data {}` brings the views up when it starts", global.data.display()),
    }
    if *handles == 0 {
        println!("no task tokens came with it: workflows that still wait are not told by this store");
    }
    Ok(())
}
