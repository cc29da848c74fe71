//! Each measurement in a process of its own, so that its memory is its own.

use std::{fs::File, io::BufReader, path::Path, process::Command, time::Duration};

use countersign::{
    log::{decoded::Decoded, progress::Progress, read::Reader},
    verify::{
        audit::Audit,
        roots::{Roots, only},
        sources,
    },
};
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, event_sink::EventSink};
use events::{
    Commit, Event, Version,
    event::{ReviewDecided, ReviewNotified, ReviewRequested, VoteCast},
};
use review::Fold;
use serde::{Deserialize, Serialize};

use crate::{Outcome, made};

/// The first argument of a child.
pub const CHILD: &str = "--child";
/// How many reviews are folded in memory, and how often: as many as a cache holds, since a load folds what it has just
/// read, and more than any does, where both wait for memory more than they work.
const WARM: (u64, u64) = (1_000, 400);
const COLD: (u64, u64) = (20_000, 20);

/// Runs a measurement: events a second of processor time and the most memory that was resident, in MB; of `beside`, two
/// rates.
pub fn start(what: &str, export: &Path) -> Outcome<[f64; 2]> {
    let done = Command::new(std::env::current_exe()?).args([CHILD, what]).arg(export).output()?;
    let text = String::from_utf8(done.stdout)?;
    let mut numbers = text.lines().last().unwrap_or_default().split(' ').map(str::parse::<f64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(first)), Some(Ok(second))) => Ok([first, second]),
        _ => Err(format!("{what}: {text}{}", String::from_utf8_lossy(&done.stderr)).into()),
    }
}

/// A measurement.
pub fn run(arguments: &[String]) -> Outcome<()> {
    let [what, export] = arguments else { return Err("what, and of what".into()) };
    let export = Path::new(export);
    if what.starts_with("beside") {
        let [ours, theirs] = beside(if what == "beside" { WARM } else { COLD })?;
        println!("{ours} {theirs}");
        return Ok(());
    }
    let (events, took) = match what.as_str() {
        "verify" => verify(export)?,
        "fold" => fold(export)?,
        "check" => check(export)?,
        other => return Err(other.into()),
    };
    println!("{} {}", events as f64 / took.as_secs_f64(), peak_memory()?);
    Ok(())
}

fn verify(export: &Path) -> Outcome<(u64, Duration)> {
    let mut audit = Audit::new(Roots::new(Some(made::key()?.public().clone()), Vec::new(), only(None)), false);
    sources::export(&mut audit, export, &mut Progress::start())?;
    let counts = audit.counts;
    if counts.commits != counts.covered || counts.commits == 0 {
        return Err("not everything is covered".into());
    }
    Ok((counts.events, processor_time()))
}

fn fold(export: &Path) -> Outcome<(u64, Duration)> {
    let mut decoded = Decoded::new(BufReader::with_capacity(1 << 16, File::open(export)?));
    let (mut events, mut ended) = (0, 0u64);
    while let Some(commits) = decoded.next_stream()? {
        events += commits.iter().map(|commit| commit.events.len() as u64).sum::<u64>();
        let folded = Fold::of(&commits)?;
        ended += u64::from(folded.state.review().is_some_and(|review| review.ending.is_some()));
    }
    if ended * 4 != events {
        return Err("not every review ended".into());
    }
    Ok((events, processor_time()))
}

fn check(export: &Path) -> Outcome<(u64, Duration)> {
    let mut reader = Reader::new(BufReader::with_capacity(1 << 16, File::open(export)?));
    while reader.next_stream()?.is_some() {}
    Ok((reader.end().ok_or("it has no end")?.events, processor_time()))
}

/// Our fold and that of `cqrs-es`, one round of each after the other: events a second of processor time.
///
/// Theirs is what their in-memory store does at a load: it clones what it has of the aggregate and applies each event. It
/// is not called itself, since it prints a line for each load.
fn beside((reviews, rounds): (u64, u64)) -> Outcome<[f64; 2]> {
    // Both from the same events, made in the same way, so that neither finds its memory in better order.
    let commits = |number: u64| -> Outcome<Vec<Commit>> {
        let first = made::commits(number)?.into_iter().next().ok_or("a commit")?.decode()?;
        let commit = |(version, event)| Commit { version: Version(version), events: vec![event], ..first.clone() };
        Ok((1..).zip(made::events(number)?).map(commit).collect())
    };
    let ours = (0..reviews).map(commits).collect::<Outcome<Vec<_>>>()?;
    let envelopes = |number: u64| -> Outcome<Vec<EventEnvelope<Folded>>> {
        let envelope = |(sequence, event): (usize, Event)| -> Outcome<EventEnvelope<Folded>> {
            let (aggregate_id, metadata) = (number.to_string(), Default::default());
            Ok(EventEnvelope { aggregate_id, sequence, payload: event.try_into()?, metadata })
        };
        (1..).zip(made::events(number)?).map(envelope).collect()
    };
    let theirs = (0..reviews).map(envelopes).collect::<Outcome<Vec<_>>>()?;
    let (mut took, mut ended) = ([Duration::ZERO; 2], [0; 2]);
    for _ in 0..rounds {
        let start = processor_time();
        for commits in &ours {
            ended[0] += u64::from(Fold::of(commits)?.state.review().is_some_and(|review| review.ending.is_some()));
        }
        let middle = processor_time();
        for stored in &theirs {
            let committed = stored.clone();
            let mut folded = Folded::default();
            for envelope in committed {
                folded.apply(envelope.payload);
            }
            ended[1] += u64::from(folded.decided.is_some());
        }
        took = [took[0] + (middle - start), took[1] + (processor_time() - middle)];
    }
    if ended != [reviews * rounds; 2] {
        return Err("not every review ended".into());
    }
    Ok(took.map(|took| (4 * reviews * rounds) as f64 / took.as_secs_f64()))
}

/// The events of a review as users of `cqrs-es` hold them: `apply` takes them whole, so each load copies them. (Our own
/// [`Event`] would let them share what it keeps, which is a part of how our fold is made.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shaped {
    Requested(Box<ReviewRequested>),
    Notified(ReviewNotified),
    Voted(VoteCast),
    Decided(ReviewDecided),
}

impl TryFrom<Event> for Shaped {
    type Error = &'static str;

    fn try_from(event: Event) -> Result<Shaped, &'static str> {
        Ok(match event {
            Event::ReviewRequested(request) => Shaped::Requested(Box::new(ReviewRequested::clone(&request))),
            Event::ReviewNotified(notice) => Shaped::Notified(ReviewNotified::clone(&notice)),
            Event::VoteCast(vote) => Shaped::Voted(VoteCast::clone(&vote)),
            Event::ReviewDecided(decided) => Shaped::Decided(decided),
            _ => return Err("no event of the benchmark"),
        })
    }
}

impl DomainEvent for Shaped {
    fn event_type(&self) -> String {
        let name = match self {
            Shaped::Requested(_) => "ReviewRequested",
            Shaped::Notified(_) => "ReviewNotified",
            Shaped::Voted(_) => "VoteCast",
            Shaped::Decided(_) => "ReviewDecided",
        };
        name.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

/// As much as our fold keeps.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Folded {
    requested: Option<Box<ReviewRequested>>,
    notified: Vec<ReviewNotified>,
    votes: Vec<VoteCast>,
    decided: Option<ReviewDecided>,
}

impl Aggregate for Folded {
    const TYPE: &'static str = "review";
    type Command = ();
    type Event = Shaped;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, event: Shaped) {
        match event {
            Shaped::Requested(request) => self.requested = Some(request),
            Shaped::Notified(notice) => self.notified.push(notice),
            Shaped::Voted(vote) => self.votes.push(vote),
            Shaped::Decided(decided) => self.decided = Some(decided),
        }
    }
}

/// Processor time of this process so far, of all its threads and of the kernel on their behalf.
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    // The kernel gives neither below zero.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn peak_memory() -> Outcome<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1_024.0 / 1e6)
}
