//! The runs: which service is measured when, and what its figures are compared with.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::{
    Outcome, Scale,
    double::StepFunctions,
    figures::{Latencies, median},
    floors::{self, Floor},
    load::{self, Api, CLIENTS},
    report::{Limit, Report},
    service::{Service, require},
};

const AIM_RATE: &str = "Restate 1.7; aim 2000";

/// What one round came to.
struct Round {
    disk: Floor,
    sqlite: Floor,
    sqlite_of_16: f64,
    told: Latencies,
    created: f64,
    created_and_settled: f64,
    resumed: f64,
    resumed_processor_ms: f64,
    workflows: f64,
}

/// Latency and throughput, beside the floors, in interleaved rounds; then the disk.
pub fn load(binary: &Path, scale: &Scale, report: &mut Report) -> Outcome<()> {
    let folder = folder()?;
    let (double, mut told) = StepFunctions::start(CLIENTS)?;
    let [plain, workflows] = ["plain", "workflows"].map(|name| folder.path().join(name));
    std::fs::create_dir(&plain)?;
    std::fs::create_dir(&workflows)?;
    let plain = Service::start(binary, &plain, double.address)?;
    let workflows = Service::start(binary, &workflows, double.address)?;
    let (api, workflow_api) = (Api::of(&plain), Api::of(&workflows));

    let mut rounds = Vec::with_capacity(scale.rounds);
    let mut written = 0;
    for number in 0..scale.rounds {
        let before = plain.written()?;
        let told_latency = load::vote_until_told(&api, scale.votes / 10, scale.votes)?;
        let created = load::create(&api, scale.reviews)?;
        let settled = plain.settle()?;
        let processor = plain.processor_seconds()?;
        let resumed = load::resume(&api, created.clients)?;
        plain.settle()?;
        let processor = plain.processor_seconds()? - processor;
        written += plain.written()? - before;
        let tokens = load::create_with_tokens(&workflow_api, number * scale.reviews, scale.reviews)?;
        workflows.settle()?;
        let told_workflows = load::resume_workflows(&workflow_api, tokens, &mut told)?;
        workflows.settle()?;
        let count = scale.reviews * CLIENTS;
        let rate = |elapsed: Duration| count as f64 / elapsed.as_secs_f64();
        rounds.push(Round {
            disk: floors::append_and_sync(folder.path(), scale.floor)?,
            sqlite: floors::sqlite_commit(folder.path(), scale.floor)?,
            sqlite_of_16: floors::sqlite_commit_of_16(folder.path(), scale.floor)?,
            told: told_latency,
            created: rate(created.elapsed),
            created_and_settled: rate(created.elapsed + settled),
            resumed: rate(resumed.elapsed),
            resumed_processor_ms: processor * 1_000.0 / count as f64,
            workflows: rate(told_workflows.elapsed),
        });
    }
    workflows.stop()?;
    tell_rates(&rounds, report);
    let tokens = scale.rounds * scale.reviews * CLIENTS;
    let (distinct, twice) = double.counts();
    report.add("workflows never told", (tokens - distinct) as f64, "", Limit::Exactly(0.0), "");
    report.add("workflows told more than once", twice as f64, "", Limit::Exactly(0.0), "");

    report.add("waits answered before the end", api.early() as f64, "", Limit::Exactly(0.0), "");

    let approvals = scale.rounds * (scale.reviews * CLIENTS + scale.votes + scale.votes / 10);
    disk(&plain.stop()?, approvals, written, report)
}

fn tell_rates(rounds: &[Round], report: &mut Report) {
    let mut add = |name, unit, limit, beside, of: &dyn Fn(&Round) -> f64| {
        report.add(name, median(rounds.iter().map(of)), unit, limit, beside);
    };
    let none = Limit::None;
    add("floor: 512 B append + fdatasync, p50", "ms", none, "", &|round| round.disk.latencies.p50);
    add("floor: 512 B append + fdatasync, p95", "ms", none, "", &|round| round.disk.latencies.p95);
    add("floor: 512 B append + fdatasync", "/s", none, "", &|round| round.disk.per_second);
    add("floor: SQLite commit of 1 event, p50", "ms", none, "", &|round| round.sqlite.latencies.p50);
    add("floor: SQLite commit of 1 event, p95", "ms", none, "", &|round| round.sqlite.latencies.p95);
    add("floor: SQLite commits of 1 event", "/s", none, "", &|round| round.sqlite.per_second);
    add("floor: SQLite events, 16 a commit", "/s", none, "", &|round| round.sqlite_of_16);
    add("vote -> waiting client told, p50", "ms", Limit::Below(2.58), "Restate 1.7; aim 1.5", &|round| round.told.p50);
    add("vote -> waiting client told, p95", "ms", Limit::Below(3.75), "Restate 1.7", &|round| round.told.p95);
    add("approvals created, 16 clients", "/s", Limit::Above(710.0), AIM_RATE, &|round| round.created);
    let settled = "the same until views and notices are done";
    add("created and settled", "/s", none, settled, &|round| round.created_and_settled);
    add("decided and resumed, 16 waiting clients", "/s", Limit::Above(1_041.0), AIM_RATE, &|round| round.resumed);
    add("processor time of one decided and resumed", "ms", none, "the service alone", &|round| round.resumed_processor_ms);
    add("decided and resumed, 16 workflows", "/s", Limit::Above(1_041.0), AIM_RATE, &|round| round.workflows);
}

/// What is left of an approval on disk, and what it took to get there.
fn disk(data: &Path, approvals: usize, written: u64, report: &mut Report) -> Outcome<()> {
    let per_approval = |count: u64| count as f64 / approvals as f64;
    let mut bytes = 0;
    for file in std::fs::read_dir(data)? {
        bytes += file?.metadata()?.len();
    }
    let log = Connection::open_with_flags(data.join("countersign.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count =
        |of| log.query_row(&format!("SELECT count({of}) FROM commits WHERE stream <> x''"), [], |row| row.get::<_, u64>(0));
    let reviews = count("DISTINCT stream")?;
    require(reviews == approvals as u64, || format!("{reviews} reviews in the log, not {approvals}"))?;
    report.add("disk growth of an approval", per_approval(bytes), "B", Limit::None, "data directory after a clean stop");
    report.add(
        "written to disk for an approval",
        per_approval(written),
        "B",
        Limit::None,
        "with write-ahead logs and checkpoints",
    );
    report.add("commits in the log of an approval", per_approval(count("*")?), "", Limit::None, "asked, notified, decided");
    Ok(())
}

/// Resident memory, idle and with many reviews pending.
pub fn memory(binary: &Path, scale: &Scale, report: &mut Report) -> Outcome<()> {
    let folder = folder()?;
    let (double, _) = StepFunctions::start(0)?;
    let service = Service::start(binary, folder.path(), double.address)?;
    service.settle()?;
    report.add("resident memory, idle", service.resident_mb()?, "MB", Limit::Below(40.0), "Restate 257");
    load::create(&Api::of(&service), scale.pending / CLIENTS)?;
    service.settle()?;
    let name = "resident memory, 10,000 pending (--quick: 1,000)";
    report.add(name, service.resident_mb()?, "MB", Limit::Below(100.0), "Restate 294 with 1,000, 393 with 10,000");
    service.stop()?;
    let service = Service::start(binary, folder.path(), double.address)?;
    let again = service.ready_after.as_secs_f64() * 1_000.0;
    report.add("started again with them: to GET /healthz 200", again, "ms", Limit::Below(300.0), "");
    service.stop().map(drop)
}

/// From process start to ready, each on a new data directory.
pub fn starts(binary: &Path, scale: &Scale, report: &mut Report) -> Outcome<()> {
    let (double, _) = StepFunctions::start(0)?;
    let mut all = Vec::with_capacity(scale.starts);
    for _ in 0..scale.starts {
        let folder = folder()?;
        let service = Service::start(binary, folder.path(), double.address)?;
        all.push(service.ready_after.as_secs_f64() * 1_000.0);
        service.stop()?;
    }
    report.add("process start to GET /healthz 200", median(all), "ms", Limit::Below(300.0), "Restate 382");
    Ok(())
}

/// A folder below the target directory, which is on a disk where the system's temporary one may not be.
fn folder() -> Outcome<TempDir> {
    Ok(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}
