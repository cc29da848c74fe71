//! `countersign export`.

use std::{io, path::Path, process::ExitCode, sync::Arc};

use anyhow::Context;
use ledger::{Clock, Ledger, LedgerError, Position, SystemClock, seal::LocalSeal};
use serde_json::{Value, json};
use transparency::{Checkpoint, PublicKey};

use super::{
    events_table::EventsTable,
    export::{Export, ExportError, Form},
    fence::Fence,
    format::End,
    handles::{Moving, Recipient},
    new_file,
    part::{About, Earlier, Mark, Out, Part},
    place,
    progress::Progress,
    select::Selection,
    write::{Lines, Tree},
};
use crate::{
    checkpoints::{
        bucket,
        cover::{self, Covered},
        files::{Files, Signed},
        keeper::Keeper,
        key,
    },
    cli::{ExportArgs, Global},
    serve::keys::SEAL_KEY,
    terminal,
};

/// What was written, and what an earlier command had of it already.
struct Done {
    end: End,
    went_on: u64,
}

/// Where the roots of a log are, and whose they are.
struct Roots {
    files: Files,
    key: PublicKey,
    /// The place in a data directory's order up to which the newest covers everything.
    until: Option<u64>,
    /// Only there to be dropped last: the files may be its.
    _fetched: Option<bucket::Fetched>,
}

/// `countersign export`.
///
/// # Errors
/// When the log cannot be read or is damaged, or the file cannot be written.
pub async fn run(args: ExportArgs, global: Global) -> anyhow::Result<ExitCode> {
    if let Some(key) = &args.to_key {
        return move_out(&args, &global, key).await;
    }
    let mut selection = Selection::from(&args.selection);
    let ledger = match &args.table {
        None => place::read_directory(&global.data)?,
        Some(table) => place::table(table).await?,
    };
    selection.resolve(&ledger).await?;
    if args.csv {
        let done = table(&ledger, &args, &selection, what(&args, &global, &selection, None)?).await?;
        let (events, reviews) = (done.end.events, done.end.streams);
        match global.json {
            true => {
                terminal::json(&json!({"file": args.out, "events": events, "reviews": reviews, "went_on_from": done.went_on}))?
            }
            false => println!("exported {events} events of {reviews} reviews to {}", args.out.display()),
        }
        return Ok(ExitCode::SUCCESS);
    }
    new_file::is_replaceable(&args.out)?;
    let roots = match (&args.table, &args.bucket) {
        (None, _) => of_directory(&global.data, &args).await?,
        (Some(_), None) => None,
        (Some(_), Some(place)) => {
            let fetched = bucket::fetch(&bucket::bucket(place).await?, None, &mut Progress::start()).await?;
            Some(Roots { files: fetched.files.clone(), key: fetched.key.clone(), until: None, _fetched: Some(fetched) })
        }
    };
    let of = what(&args, &global, &selection, roots.as_ref())?;
    let done = lines(&ledger, &args, &global.data, &selection, roots.as_ref(), of).await?;
    say(&done, &args, &global, None)?;
    Ok(ExitCode::SUCCESS)
}

/// The roots of a data directory, if anything was ever signed there, after what is there now was covered.
async fn of_directory(data: &Path, args: &ExportArgs) -> anyhow::Result<Option<Roots>> {
    let until = match cover::tail(data).await {
        Covered::UpTo(sequence) => Some(sequence),
        // As evidence it can be taken all the same: what is wrong with it goes with it.
        Covered::Broken(broken) => {
            eprintln!("warning: this log is not what was signed of it, and its export is not either: {broken}");
            None
        }
        Covered::Not(why) => {
            if let Some(why) = why.filter(|_| Selection::from(&args.selection).is_all()) {
                eprintln!("warning: the newest commits are covered by no signed root, and the export will say so: {why}");
            }
            None
        }
    };
    Ok(roots_of(data)?.map(|roots| Roots { until, ..roots }))
}

fn roots_of(data: &Path) -> anyhow::Result<Option<Roots>> {
    Ok(key::public(data)?.map(|key| Roots { files: Files::of(data), key, until: None, _fetched: None }))
}

/// What is exported: an interrupted export is gone on with when this is the same.
fn what(args: &ExportArgs, global: &Global, selection: &Selection, roots: Option<&Roots>) -> anyhow::Result<Value> {
    let log = match &args.table {
        Some(table) => json!({"table": table, "bucket": args.bucket}),
        None => json!({"data": global.data.canonicalize()?}),
    };
    let key = roots.map(|roots| roots.key.to_string());
    let (build, names) = (env!("CARGO_PKG_VERSION"), selection.names());
    Ok(json!({"build": build, "log": log, "key": key, "selection": selection, "names": names, "csv": args.csv}))
}

/// Where an earlier command came to that wrote the same of the same log, unless it is to begin anew.
async fn go_on(
    ledger: &Arc<dyn Ledger>,
    part: &Part,
    args: &ExportArgs,
    about: &mut About,
) -> Result<Option<Earlier>, LedgerError> {
    let mut earlier = part.earlier(&about.of, about.begun).filter(|_| !args.restart);
    if let Some(Earlier { mark, .. }) = &earlier
        && !mark.fits(ledger.as_ref()).await?
    {
        earlier = None;
    }
    match &earlier {
        Some(Earlier { mark, .. }) => {
            about.clone_from(&mark.about);
            let (begun, commits) = (about.begun, mark.written.end.commits);
            eprintln!("going on with the export that began at {begun}: {commits} commits are there (--restart begins anew)");
        }
        None => part.forget(),
    }
    Ok(earlier)
}

async fn lines(
    ledger: &Arc<dyn Ledger>,
    args: &ExportArgs,
    data: &Path,
    selection: &Selection,
    roots: Option<&Roots>,
    of: Value,
) -> anyhow::Result<Done> {
    // The root before the first stream is read, so that all it covers is there.
    let newest = roots.map(|roots| roots.files.newest(&roots.key)).transpose()?.flatten();
    let mut about = About {
        of,
        begun: SystemClock.now(),
        root: newest.map(|signed| signed.note),
        until: roots.and_then(|roots| roots.until),
    };
    let part = Part::open(&args.out)?;
    let earlier = go_on(ledger, &part, args, &mut about).await?;
    let tree = match (roots, &about.root) {
        (Some(roots), Some(note)) => {
            let checkpoint = Checkpoint::open(note, &roots.key).context("the root of the time when the export began")?;
            let signed = Signed { checkpoint, note: note.clone() };
            Some(Tree { files: roots.files.clone(), signed, key: roots.key.clone() })
        }
        _ => None,
    };
    let make = |out, end| match end {
        Some(end) => Ok(Lines::behind(out, end)),
        None => Lines::start(out, selection),
    };
    // What was written since would be covered by nothing in the export.
    let cut = about.until.map(|until| place::read_directory_until(data, until)).transpose()?;
    let ledger = cut.as_ref().unwrap_or(ledger);
    let (form, went_on) = write(ledger, selection, &part, &about, earlier, make).await?;
    let end = form.finish(tree.as_ref(), SystemClock.now(), None)?;
    part.put_in_place()?;
    Ok(Done { end, went_on })
}

/// `--csv`: for people, who cannot import it again.
async fn table(ledger: &Arc<dyn Ledger>, args: &ExportArgs, selection: &Selection, of: Value) -> anyhow::Result<Done> {
    let mut about = About { of, begun: SystemClock.now(), root: None, until: None };
    let part = Part::open(&args.out)?;
    let earlier = go_on(ledger, &part, args, &mut about).await?;
    let make = |out, end| match end {
        Some(end) => Ok(EventsTable::behind(out, end)),
        None => EventsTable::start(out),
    };
    let (mut form, went_on) = write(ledger, selection, &part, &about, earlier, make).await?;
    let end = form.written()?.end;
    part.put_in_place()?;
    Ok(Done { end, went_on })
}

/// Every stream that is selected, behind what an earlier command wrote; and how many commits that were.
async fn write<'p, F: Form>(
    ledger: &Arc<dyn Ledger>,
    selection: &Selection,
    part: &'p Part,
    about: &About,
    earlier: Option<Earlier>,
    make: impl FnOnce(Out<'p>, Option<End>) -> io::Result<F>,
) -> Result<(F, u64), ExportError> {
    let out = part.writer(earlier.as_ref())?;
    let (end, from) = match earlier.map(|earlier| earlier.mark) {
        Some(Mark { written, position, .. }) => (Some(written.end), position),
        None => (None, Position::default()),
    };
    let went_on = end.as_ref().map_or(0, |end| end.commits);
    let mut form = make(out, end)?;
    let (mut export, mut progress) = (Export::new(ledger, selection, None, from), Progress::start());
    progress.phase(went_on, 0);
    while export.step(&mut form).await? {
        part.note(about, &export, &mut form)?;
        progress.show(form.end().commits, "commits exported");
    }
    Ok((form, went_on))
}

/// Fences the directory first, so that nothing is written after what is exported. It is not gone on with: given
/// again it begins anew, and what fails takes its file away. Killed (SIGKILL), it leaves `FILE.part` behind, whose
/// tokens are sealed for the target and for nobody else.
async fn move_out(args: &ExportArgs, global: &Global, key: &str) -> anyhow::Result<ExitCode> {
    let (data, recipient) = (&global.data, Recipient::of(key).await?);
    // A directory without a log is not made into one.
    drop(place::read_directory(data)?);
    let fence = Fence { at: SystemClock.now(), to: recipient.name.clone() };
    fence.put_up(data).with_context(|| format!("cannot fence {}", data.display()))?;
    let store = place::own_fenced_directory(data).await?;
    let from = LocalSeal::open(&data.join(SEAL_KEY)).context("the key that seals task tokens")?;
    let moving = Moving::new(Box::new(from), recipient);
    // Nothing is appended any more: the last root covers all.
    Keeper::open(store.clone(), data).await.context("the last checkpoint")?.tick().await.context("the last checkpoint")?;
    let ledger: Arc<dyn Ledger> = Arc::new(store.clone());
    let roots = roots_of(data)?;
    let end =
        moved(&ledger, args, &moving, roots.as_ref()).await.context("the directory is fenced; give the same command again")?;
    store.close();
    say(&Done { end, went_on: 0 }, args, global, Some(&moving))?;
    Ok(ExitCode::SUCCESS)
}

async fn moved(ledger: &Arc<dyn Ledger>, args: &ExportArgs, moving: &Moving, roots: Option<&Roots>) -> anyhow::Result<End> {
    let newest = roots.map(|roots| roots.files.newest(&roots.key)).transpose()?.flatten();
    let tree = roots.zip(newest).map(|(roots, signed)| Tree { files: roots.files.clone(), signed, key: roots.key.clone() });
    let part = Part::open(&args.out)?;
    part.forget();
    let written = async {
        let selection = Selection::default();
        let mut form = Lines::start(part.writer(None)?, &selection)?;
        let mut export = Export::new(ledger, &selection, Some(moving), Position::default());
        while export.step(&mut form).await? {}
        form.finish(tree.as_ref(), SystemClock.now(), Some(moving.to().to_owned()))
    };
    let end = written.await.inspect_err(|_| part.discard())?;
    part.put_in_place()?;
    Ok(end)
}

fn say(done: &Done, args: &ExportArgs, global: &Global, moving: Option<&Moving>) -> anyhow::Result<()> {
    let (end, left) = (&done.end, moving.map_or(0, Moving::left_behind));
    if global.json {
        let said = json!({"file": args.out, "export": end, "left_behind": left, "went_on_from": done.went_on});
        return Ok(terminal::json(&said)?);
    }
    println!("exported {} commits of {} streams to {}", end.commits, end.streams, args.out.display());
    if moving.is_some() {
        println!("{} waiting workflows move with it; {} takes no writes any more", end.handles, global.data.display());
        println!("bring it in with: countersign import FILE --data DIR | --table NAME");
    }
    if left > 0 {
        eprintln!("warning: {left} task tokens could not be opened and are left behind; their workflows will not be told");
    }
    Ok(())
}
