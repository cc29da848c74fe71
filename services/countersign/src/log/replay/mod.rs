//! `replay`: the views anew from the log, or what stood there at a time.
//!
//! Nothing here can send, publish or resume: there is the log, the views, and no more.

mod as_of;
mod mark;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::Context;
use ledger::{Ledger, Views};
use projector::rebuild::{Manner, Rebuild, RebuildError, Rebuilt};
use serde_json::json;

use super::{place, progress::Progress};
use crate::{
    cli::{Global, ReplayArgs},
    terminal,
};
use mark::{Mark, Marks};

/// Exit code: a dry run found differences.
const DIFFERENCES: u8 = 1;
/// Exit code: a review of the log cannot be read.
const UNREADABLE: u8 = 2;

/// `countersign replay`.
///
/// # Errors
/// When the log or the views cannot be had, or fail on the way.
pub async fn run(args: ReplayArgs, global: Global) -> anyhow::Result<ExitCode> {
    if let Some(time) = args.as_of {
        if let Some(file) = &args.file {
            return as_of::of_export(file, args.id, time, global.json);
        }
        let ledger = match &args.table {
            Some(table) => place::table(table).await?,
            None => place::read_directory(&global.data)?,
        };
        return match args.id {
            Some(id) => as_of::review(ledger.as_ref(), id, time, global.json).await,
            None => as_of::inbox(&ledger, time, args.keep_going, global.json).await,
        };
    }
    let places = Places::of(&args, &global.data).await?;
    let marks = Marks::new(&global.data, args.table.as_deref());
    let manner =
        Manner { dry_run: args.dry_run, keep_going: args.keep_going, keep_versions: args.table.is_some() && !args.as_published };
    let mark = if args.restart || args.dry_run { Mark::start(manner) } else { marks.read(manner) };
    let went_on = mark.found.reviews;
    let mut rebuild = Rebuild::new(Arc::clone(&places.ledger), Arc::clone(&places.views), manner, mark.position, mark.found);
    if let Some(store) = places.store.as_ref().filter(|_| !args.thorough) {
        rebuild = rebuild.by_stamps(Arc::new(store.clone()));
    }
    let done = rebuild_all(&mut rebuild, &places, (!args.dry_run).then_some(&marks)).await;
    if let Some(store) = &places.store {
        store.close();
    }
    let found = rebuild.found();
    match done {
        Ok(()) => {}
        Err(RebuildError::Fold(error)) => {
            eprintln!("error: {error}");
            let reviews = found.reviews.max(found.folded);
            eprintln!("  stopped after {reviews} reviews; --keep-going reports every such review and goes on");
            return Ok(ExitCode::from(UNREADABLE));
        }
        Err(error) => {
            let so_far = format!("stopped after {} reviews; the same command goes on", found.reviews);
            return Err(anyhow::Error::new(error).context(so_far));
        }
    }
    say(found, went_on, &args, global.json)?;
    Ok(ExitCode::from(match (found.unreadable, args.dry_run && found.differing() > 0) {
        (1.., _) => UNREADABLE,
        (0, true) => DIFFERENCES,
        (0, false) => 0,
    }))
}

/// Where the log is and where the views are.
struct Places {
    ledger: Arc<dyn Ledger>,
    views: Arc<dyn Views>,
    /// To be closed in the end.
    store: Option<ledger::sqlite::SqliteStore>,
}

impl Places {
    async fn of(args: &ReplayArgs, data: &Path) -> anyhow::Result<Places> {
        if let Some(table) = &args.table {
            let views = args.views.as_deref().context("say which table has the views: --views NAME")?;
            let (ledger, views) = place::tables(table, views).await?;
            return Ok(Places { ledger, views, store: None });
        }
        let store = place::views_of_directory(data)?;
        Ok(Places { ledger: Arc::new(store.clone()), views: Arc::new(store.clone()), store: Some(store) })
    }

    /// Which share of the log is before a position, where that is known: a sequence number of SQLite.
    fn share(&self, position: &ledger::Position) -> Option<(u64, u64)> {
        let last = *self.store.as_ref()?.subscribe().borrow();
        Some((position.0.parse().ok()?, last))
    }
}

async fn rebuild_all(rebuild: &mut Rebuild, places: &Places, marks: Option<&Marks>) -> Result<(), RebuildError> {
    let mut progress = Progress::start();
    let begun = places.share(rebuild.position()).map_or(0, |(done, _)| done);
    progress.phase(rebuild.found().reviews, begun);
    while rebuild.step().await? {
        if let Some(marks) = marks {
            marks.write(rebuild);
        }
        let Rebuilt { stamps, reviews, .. } = *rebuild.found();
        match places.share(rebuild.position()) {
            Some((done, of)) => progress.part(reviews, "reviews", done, of),
            None if stamps > 0 => progress.show(stamps + reviews, "rows and reviews"),
            None => progress.show(reviews, "reviews"),
        }
    }
    rebuild.finish().await?;
    if let Some(marks) = marks {
        marks.remove();
    }
    Ok(())
}

fn say(found: &Rebuilt, went_on: u64, args: &ReplayArgs, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let mut report = json!(found);
        report["dry_run"] = json!(args.dry_run);
        report["continued_after"] = json!(went_on);
        return Ok(terminal::json(&report)?);
    }
    if went_on > 0 {
        println!("went on after {went_on} reviews, where an earlier replay was interrupted");
    }
    let Rebuilt { commits, reviews, folded, stamps, missing, behind, different, ahead, strays, left, unreadable, .. } = found;
    match stamps {
        0 => println!("folded {reviews} reviews of {commits} commits"),
        stamps => println!(
            "compared the stamps of {stamps} rows with {reviews} reviews of {commits} commits, and folded the {folded} that were doubtful"
        ),
    }
    let verb = if args.dry_run { "are" } else { "were" };
    println!(
        "rows that {verb} missing: {missing}, behind: {behind}, different: {different}, ahead of the log: {ahead}, \
         without a review: {strays}"
    );
    if args.dry_run {
        for difference in &found.differences {
            let row = difference.row.map(|row| format!("version {row}")).unwrap_or_else(|| "no version".to_owned());
            println!("  {} {}: the row has {row}, the log {}", difference.review_id, difference.kind.as_str(), difference.log);
        }
    }
    if *left > 0 {
        println!("left to the projector, which publishes before it writes: {left} (see `countersign reconcile`)");
    }
    for failed in &found.failed {
        eprintln!("error: {failed}");
    }
    match (unreadable, args.dry_run) {
        (0, false) => println!("the views are what the log says"),
        (0, true) => println!("nothing was written"),
        (unreadable, _) => println!("{unreadable} reviews cannot be read; everything else was looked at"),
    }
    Ok(())
}
