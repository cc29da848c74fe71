//! The pipeline: make the data set, check it, ask when too much of it is anomalous, wait, go on or
//! stop.

use std::{fs::File, time::Duration};

use anyhow::Context;
use events::{
    ReviewId, Version,
    event::{Channel, Choice, EnteredBy, Verdict},
    json::Typed,
};
use gateway::Gateway;
use intake::{BusEvent, Received, Sender};
use review::{
    Command, Ending,
    command::{Stated, Vote},
    state::Dated,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    anomaly::{self, Report},
    dataset::{self, Customers},
    evidence,
    options::Auto,
    run::{Input, Run, Runs, Stage},
    words::{limit, percent},
};

/// The bus source of the pipeline's requests.
const SOURCE: &str = "demo.pipeline";
/// Who asks.
const REQUESTER: &str = "pipeline@example.com";
/// Who decides.
pub const REVIEWER: &str = "reviewer@example.com";
/// How long one look for an answer takes at most.
const LOOK: Duration = Duration::from_secs(30);

/// The pipeline over a running service.
#[derive(Clone)]
pub struct Pipeline {
    /// The service.
    pub gateway: Gateway,
    /// Where runs are kept.
    pub runs: Runs,
}

impl Pipeline {
    /// Starts a run: on record before anything else happens.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn start(&self, input: Input) -> anyhow::Result<Run> {
        let run = Run {
            input,
            id: Uuid::now_v7(),
            started_at: self.gateway.reviews.now(),
            rows: 0,
            flagged: 0,
            review_id: None,
            stage: Stage::Checking,
        };
        self.runs.save(&run)?;
        Ok(run)
    }

    /// Makes or reads the data set and checks it. It is then in use when little enough of it is
    /// flagged, or waits for people.
    ///
    /// # Errors
    /// When the data set cannot be read or written, or the request is refused.
    pub async fn check(&self, run: &mut Run, auto: Option<Auto>) -> anyhow::Result<Report> {
        let (staged, input) = (self.runs.staged(run), run.input.clone());
        let (customers, report) = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
            let customers = read(&input)?;
            customers.write_csv(File::create(&staged)?)?;
            let report = anomaly::analyse(&customers);
            Ok((customers, report))
        })
        .await??;
        (run.rows, run.flagged) = (report.rows, report.flagged.len());
        if report.needs_review() {
            let review_id = self.ask(run, &customers, &report, auto).await?;
            run.review_id = Some(review_id);
            run.stage = Stage::Waiting { review_id };
        } else {
            self.runs.promote(run)?;
            let why = format!("{} is flagged, which is not more than {}", percent(report.share()), limit());
            run.stage = Stage::Promoted { why };
        }
        self.runs.save(run)?;
        Ok(report)
    }

    /// Asks for a review. The run's id is the key, so asking again after a crash finds the same one.
    async fn ask(&self, run: &Run, customers: &Customers, report: &Report, auto: Option<Auto>) -> anyhow::Result<ReviewId> {
        let expires_in = if auto == Some(Auto::Expire) { "PT3S" } else { "PT24H" };
        let detail = json!({
            "request_key": run.id,
            "title": format!("Promote customer data set with {} anomalous rows?", percent(report.share())),
            "summary": evidence::summary(customers, report),
            "subject": {"kind": "dataset", "id": run.id, "rows": report.rows, "sha256": customers.digest()?},
            "evidence": evidence::evidence(customers, report),
            "requester": {"email": REQUESTER},
            "reviewers": [{"email": REVIEWER}],
            "expires_in": expires_in,
        });
        let event = BusEvent {
            id: run.id.to_string(),
            sender: Sender::Operator { source: SOURCE.to_owned() },
            detail_type: "ReviewRequested".to_owned(),
            detail: Typed::made(detail),
        };
        match self.gateway.intake.receive(&event).await? {
            Received::Opened { review_id } | Received::Found { review_id } => Ok(review_id),
            Received::Refused { faults, .. } => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                anyhow::bail!("the request was refused: {}", faults.join("; "))
            }
            other => anyhow::bail!("the request was not taken: {other:?}"),
        }
    }

    /// Waits until people have decided, then goes on or stops.
    ///
    /// # Errors
    /// When the log cannot be read or the data set cannot be moved.
    pub async fn finish(&self, run: &mut Run) -> anyhow::Result<()> {
        if let Stage::Waiting { review_id } = run.stage {
            let ending = self.ended(review_id).await?;
            let approved = matches!(ending.what, Ending::Decided { verdict: Verdict::Approved, .. });
            let why = self.words(&ending).await?;
            run.stage = if approved {
                self.runs.promote(run)?;
                Stage::Promoted { why }
            } else {
                self.runs.discard(run)?;
                Stage::Discarded { why }
            };
            self.runs.save(run)?;
        }
        Ok(())
    }

    async fn ended(&self, review_id: ReviewId) -> anyhow::Result<Dated<Ending>> {
        loop {
            let fold = self.gateway.reviews.load(review_id).await?;
            let review = fold.state.review().with_context(|| format!("there is no review {review_id}"))?;
            if let Some(ending) = &review.ending {
                return Ok(ending.clone());
            }
            self.gateway.arrivals.changed(review_id, fold.version.max(Version(1)), LOOK).await;
        }
    }

    async fn words(&self, ending: &Dated<Ending>) -> anyhow::Result<String> {
        Ok(match &ending.what {
            Ending::Decided { verdict, reason, decided_by } => {
                let directory = self.gateway.reviews.directory().await?;
                let who: Vec<&str> = decided_by.iter().map(|person| directory.name(person)).collect();
                let verb = if *verdict == Verdict::Approved { "approved" } else { "rejected" };
                let reason = reason.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
                format!("{verb} by {}{reason}", who.join(", "))
            }
            Ending::Expired => "nobody decided in time".to_owned(),
            Ending::Cancelled { .. } => "the review was withdrawn".to_owned(),
        })
    }

    /// Decides in place of a person, on record as entered by the operator.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn decide(&self, review_id: ReviewId, choice: Choice) -> anyhow::Result<()> {
        let vote = Vote {
            person: REVIEWER.parse()?,
            choice,
            reason: Some("decided by --auto".to_owned()),
            channel: Channel::Cli,
            entered_by: Some(EnteredBy::Operator),
            integration: None,
            matched_account: None,
            stated: Stated::NOTHING,
            trusted: true,
        };
        self.gateway.reviews.execute(review_id, &Command::Vote(vote), None).await?;
        Ok(())
    }

    /// Takes a run to its end, whatever stage it is at; what goes wrong is kept with the run.
    pub async fn carry_on(&self, mut run: Run) {
        let done = async {
            if run.stage == Stage::Checking {
                self.check(&mut run, None).await?;
            }
            self.finish(&mut run).await
        };
        if let Err(error) = done.await {
            tracing::error!(run = %run.id, error = format!("{error:#}"), "the run broke off");
            run.stage = Stage::Failed { why: format!("{error:#}") };
            if let Err(error) = self.runs.save(&run) {
                tracing::error!(run = %run.id, %error, "cannot write the run");
            }
        }
    }

    /// The runs that were under way when the service stopped. One that was being checked is checked
    /// again: the same input makes the same request, which finds its review if it was opened.
    ///
    /// # Errors
    /// When the runs cannot be read.
    pub fn interrupted(&self) -> anyhow::Result<Vec<Run>> {
        Ok(self.runs.all()?.into_iter().filter(|run| !run.is_over()).collect())
    }
}

fn read(input: &Input) -> anyhow::Result<Customers> {
    match input {
        Input::Seeded { seed, rows, share } => Ok(dataset::generate(*seed, *rows, *share)),
        Input::Csv(path) => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            dataset::read_csv(file).with_context(|| format!("{} is not a customer data set", path.display()))
        }
    }
}
