//! The audit trail's figures, beside their limits: verifying and folding an export on one core, the memory
//! that this takes, and what chain and signatures cost the writers.
//!
//! `cargo bench -p end-to-end --bench audit [-- --events 10000000] [--check]`
//!
//! Rates are by processor time, so that a busy machine does not make them worse than they are.

mod children;
mod made;
#[path = "../approvals/report.rs"]
mod report;
mod writers;

use std::{path::Path, process::ExitCode};

use report::{Limit, Report};

/// What a step of a benchmark gives.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Events of the export, unless told.
const EVENTS: u64 = 1_000_000;

fn main() -> Outcome<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == children::CHILD) {
        return children::run(&arguments[1..]).map(|()| ExitCode::SUCCESS);
    }
    let given = |name: &str| arguments.iter().position(|argument| argument == name);
    // Cargo says --bench when it is to measure; `cargo test --all-targets` only wants to know that it runs.
    if given("--bench").is_none() {
        println!("nothing measured; run: cargo bench -p end-to-end --bench audit");
        return Ok(ExitCode::SUCCESS);
    }
    let events = match given("--events").and_then(|at| arguments.get(at + 1)) {
        Some(number) => number.parse()?,
        None => EVENTS,
    };
    let folder = tempfile::tempdir()?;
    let export = folder.path().join("export.jsonl");
    let made = made::export(&export, events / 4)?;
    let mut report = Report::default();
    let bytes = made.event_bytes as f64 / made.events as f64;
    report.add("events of the export", made.events as f64, "", Limit::Exactly((events / 4 * 4) as f64), "four a review");
    report.add("an event", bytes, "B", Limit::None, "");
    let [rate, memory] = children::start("verify", &export)?;
    report.add("verify an export", rate, "/s", Limit::Above(300_000.0), "events, one core");
    report.add("memory of verifying it", memory, "MB", Limit::Below(100.0), "resident at most");
    let [rate, memory] = children::start("fold", &export)?;
    report.add("fold an export", rate, "/s", Limit::Above(500_000.0), "events, one core: read, decoded, folded");
    report.add("memory of folding it", memory, "MB", Limit::Below(100.0), "resident at most");
    let [rate, memory] = children::start("check", &export)?;
    report.add("check an export, as an import does", rate, "/s", Limit::None, "events, one core: every hash");
    report.add("memory of checking it", memory, "MB", Limit::None, "grows with the streams: each may stand there once");
    let [ours, theirs] = children::start("beside", &export)?;
    report.add("fold in memory", ours, "/s", Limit::Above(theirs), "events; the limit is cqrs-es, same run, in turns");
    let [ours, theirs] = children::start("beside, cold", &export)?;
    report.add("the same, waiting for memory", ours, "/s", Limit::None, "events; more of them than a cache holds");
    report.add("cqrs-es, waiting for memory", theirs, "/s", Limit::None, "events; the same run, in turns");
    let cost = writers::cost(folder.path())?;
    report.add("append, 16 callers", cost.appends, "/s", Limit::None, "commits, neither hashed nor signed");
    report.add(
        "fewer with chain and signatures",
        cost.loss,
        "%",
        Limit::Below(3.0),
        "median of pairs; no write of its own to the log",
    );
    report.add("a commit appended", cost.append, "us", Limit::None, "processor time");
    report.add("a commit hashed for the chain", cost.chain, "us", Limit::None, "processor time");
    report.add("a commit entered and signed", cost.sign, "us", Limit::None, "processor time, off the path of those who write");
    report.print();
    let json = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/audit.json");
    report.write(&json)?;
    println!("\nalso in {}", json.display());
    Ok(if given("--check").is_some() && !report.holds() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
