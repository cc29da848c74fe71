//! `audit`: an auditor's questions, answered from the views' keys and the log.

mod text;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use gateway::audit::{self, Question, Trail, words};
use ledger::{Ledger, Position, Reviews, Search, Status, SystemClock, Views, sqlite::SqliteStore};

use super::{place, table::Table};
use crate::{
    cli::{AuditArgs, Global},
    terminal,
};

/// How many reviews one look at the views takes.
const PAGE: usize = 50;

/// The columns of `--csv`: one line a vote, and one for a review without any.
const COLUMNS: [&str; 21] = [
    "review",
    "title",
    "outcome",
    "asked at",
    "asked by",
    "source",
    "subject",
    "subject digest",
    "ended at",
    "ended by",
    "reason of the end",
    "vote at",
    "voter",
    "vote",
    "counted",
    "reason of the vote",
    "channel",
    "entered by",
    "by another address",
    "delivered",
    "workflow",
];

/// `countersign audit`.
///
/// # Errors
/// When the log or the views cannot be read, or the report cannot be written.
pub async fn run(args: AuditArgs, global: Global) -> anyhow::Result<ExitCode> {
    let (ledger, views) = places(&args, &global.data).await?;
    let reviews = Reviews::new(ledger, Arc::new(SystemClock));
    let mut out = Sink::new(&args, &global)?;
    if let Some(id) = args.id {
        let (history, directory) = (reviews.history(id).await?, reviews.directory().await?);
        let trail = Trail::of(&history, &directory)?.with_context(|| format!("there is no review {id}"))?;
        match &args.html {
            Some(file) => report(&reviews, &trail, file).await?,
            None => drop(out.put(&trail)?),
        }
        out.end()?;
        return Ok(ExitCode::SUCCESS);
    }
    let keys =
        [args.from.is_some(), args.to.is_some(), args.requester.is_some(), args.reviewer.is_some(), args.subject.is_some()];
    if args.channel.is_some() && args.outcome.is_none() && !keys.contains(&true) {
        bail!("--channel narrows what the other options find: give a time, a person, a subject or an outcome with it");
    }
    let question = question(&args);
    let (mut from, mut left): (Option<Position>, usize) = (None, args.limit as usize);
    loop {
        let answer = question.ask(&reviews, views.as_ref(), from, left.min(PAGE)).await?;
        left = left.saturating_sub(answer.trails.len());
        for trail in &answer.trails {
            if !out.put(trail)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        from = answer.next;
        if from.is_none() || left == 0 {
            break;
        }
    }
    out.end()?;
    if out.count == 0 && !global.json {
        eprintln!("no review matches");
    } else if from.is_some() && !global.json {
        eprintln!("more match; see them with a larger --limit");
    }
    Ok(ExitCode::SUCCESS)
}

async fn places(args: &AuditArgs, data: &Path) -> anyhow::Result<(Arc<dyn Ledger>, Arc<dyn Views>)> {
    match (&args.table, &args.views) {
        (Some(table), Some(views)) => place::tables(table, views).await,
        (Some(table), None) if args.id.is_some() => place::tables(table, "").await,
        (Some(_), None) => bail!("say which table has the views: --views NAME"),
        (None, _) => {
            let store =
                SqliteStore::open_read_only(data).with_context(|| format!("there is no log to read in {}", data.display()))?;
            Ok((Arc::new(store.clone()), Arc::new(store)))
        }
    }
}

fn question(args: &AuditArgs) -> Question {
    let search = Search {
        status: args.outcome.map(Status::from),
        subject: args.subject.clone(),
        from: args.from,
        to: args.to,
        ..Search::default()
    };
    Question { search, requester: args.requester.clone(), reviewer: args.reviewer.clone(), channel: args.channel }
}

async fn report(reviews: &Reviews, trail: &Trail, file: &Path) -> anyhow::Result<()> {
    let directory = reviews.directory().await?;
    let page = audit::report(trail, &directory, reviews.now()).into_string();
    // It says what the log says, so it is readable for the owner alone, as the log is.
    crate::log::new_file::write(file, page.as_bytes())?;
    println!("wrote the report of review {} to {}", trail.review_id, file.display());
    Ok(())
}

/// Where the answer goes.
struct Sink {
    json: bool,
    table: Option<Table<std::io::Stdout>>,
    count: usize,
}

impl Sink {
    fn new(args: &AuditArgs, global: &Global) -> anyhow::Result<Sink> {
        let table = match args.csv {
            true => Some(Table::start(std::io::stdout(), &COLUMNS)?),
            false => None,
        };
        Ok(Sink { json: global.json, table, count: 0 })
    }

    /// Whether anybody still reads.
    fn put(&mut self, trail: &Trail) -> anyhow::Result<bool> {
        self.count += 1;
        let written = match &mut self.table {
            Some(table) => lines(trail).iter().try_for_each(|line| table.line(line)).map_err(std::io::Error::other),
            None if self.json => terminal::json(trail),
            None => {
                let gap = if self.count > 1 { "\n" } else { "" };
                terminal::try_out(&format!("{gap}{}", text::render(trail)))
            }
        };
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error).context("cannot write the output"),
            Ok(()) => Ok(true),
        }
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.table.as_mut().map_or(Ok(()), Table::flush).context("cannot write the output")
    }
}

/// A review as lines of the table.
fn lines(trail: &Trail) -> Vec<Vec<String>> {
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    let ending = trail.ending.as_ref();
    let head = [
        trail.review_id.to_string(),
        or_empty(trail.title.clone()),
        trail.status.as_str().to_owned(),
        trail.requested_at.to_string(),
        or_empty(trail.requester.as_ref().map(ToString::to_string)),
        or_empty(trail.origin.as_ref().map(|origin| origin.source.clone())),
        or_empty(ledger::SubjectKey::of(&trail.subject).map(|key| key.to_string())),
        or_empty(trail.subject_digest.map(|digest| digest.to_string())),
        or_empty(ending.map(|ending| ending.at.to_string())),
        or_empty(ending.map(words::ended_by)),
        or_empty(ending.and_then(|ending| ending.reason.clone())),
    ];
    let delivered = trail.deliveries.iter().map(|delivery| format!("{} {}", delivery.person, words::delivered(delivery)));
    let answers = trail.workflows.iter().flat_map(|workflow| &workflow.answers).map(words::answered);
    let tail = [delivered.collect::<Vec<_>>().join("; "), answers.collect::<Vec<_>>().join("; ")];
    let votes = trail.votes.iter().map(|vote| {
        [
            vote.at.to_string(),
            vote.person.to_string(),
            words::said(vote),
            if vote.counted { "yes" } else { "no" }.to_owned(),
            or_empty(vote.reason.clone()),
            words::channel(vote.channel).to_owned(),
            or_empty(words::entered_by(vote)),
            or_empty(words::alias_of(vote)),
        ]
    });
    let mut votes: Vec<_> = votes.collect();
    if votes.is_empty() {
        votes.push(Default::default());
    }
    votes.into_iter().map(|vote| head.iter().chain(&vote).chain(&tail).cloned().collect()).collect()
}
