//! What an approval costs: latency, throughput, disk, memory and start of the service on one machine,
//! each beside its limit and beside what the disk and SQLite do alone in the same run.
//!
//! `cargo bench -p end-to-end --bench approvals` (`-- --quick` for a short run, `-- --check` to fail
//! when a limit is missed). The limits of the throughput and latency rows are what the best peer,
//! Restate 1.7, measured on this kind of machine (2 cores). Linux only: it reads /proc.

mod double;
mod figures;
mod floors;
mod http;
mod load;
mod report;
mod runs;
mod service;

use std::process::ExitCode;

use report::Report;

/// Any error ends the run.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much is measured.
pub struct Scale {
    /// Rounds of which the median is taken.
    rounds: usize,
    /// Durable writes of a floor, a round.
    floor: usize,
    /// Sequential votes, a round, after as many for warming up as a tenth.
    votes: usize,
    /// Reviews of each client, a round.
    reviews: usize,
    /// Starts of the process.
    starts: usize,
    /// Reviews that wait while memory is looked at.
    pending: usize,
}

const FULL: Scale = Scale { rounds: 3, floor: 1_000, votes: 250, reviews: 250, starts: 11, pending: 10_000 };
const QUICK: Scale = Scale { rounds: 1, floor: 200, votes: 50, reviews: 40, starts: 3, pending: 1_000 };

fn main() -> Outcome<ExitCode> {
    let given = |name: &str| std::env::args().any(|argument| argument == name);
    // Cargo says --bench when it is to measure; `cargo test --all-targets` only wants to know that it runs.
    if !given("--bench") {
        println!("nothing measured; run: cargo bench -p end-to-end --bench approvals");
        return Ok(ExitCode::SUCCESS);
    }
    let scale = if given("--quick") { QUICK } else { FULL };
    let binary = service::binary()?;
    println!("measuring {}", binary.display());
    let mut report = Report::default();
    runs::load(&binary, &scale, &mut report)?;
    runs::memory(&binary, &scale, &mut report)?;
    runs::starts(&binary, &scale, &mut report)?;
    report.print();
    let json = service::target().join("bench/approvals.json");
    report.write(&json)?;
    println!("\nalso in {}", json.display());
    Ok(if given("--check") && !report.holds() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
