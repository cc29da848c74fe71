//! `countersign demo`: the pipeline in a terminal, with a service of its own beside it.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::Context;
use channels::{
    capability::{self, Capability},
    link::AFTERLIFE,
};
use events::event::Choice;
use tokio::net::TcpListener;

use super::{
    DemoOptions,
    evidence::RULE,
    options::Auto,
    pipeline::{Pipeline, REVIEWER},
    run::{Input, Runs, Stage},
    words::{count, limit, percent},
};
use crate::serve::{ServeOptions, Service};

/// The directory of the demonstration, inside the data directory, so that it never touches the log
/// of a real service.
const DIRECTORY: &str = "demo";
/// How long `--auto` lets a person look before it decides.
const LOOK: Duration = Duration::from_secs(1);

/// Runs the demonstration to its end.
///
/// # Errors
/// When the data set cannot be read or the service cannot start.
pub async fn run(options: DemoOptions) -> anyhow::Result<()> {
    let data = options.data.join(DIRECTORY);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let serve = ServeOptions {
        data: data.clone(),
        listen: address,
        demo: false,
        dev: false,
        publish_to: None,
        base_url: None,
        proxies: gateway::Proxies::default(),
        requests_per_minute: intake::RATION_DEFAULT,
        recipients: intake::Recipients::default(),
        smtp: None,
        mail_from: None,
        sms: false,
        slack: None,
        oidc: None,
    };
    let service = Service::start(&serve, address).await?;
    let pipeline = Pipeline { gateway: service.gateway().clone(), runs: Runs::open(&data)? };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(service.serve(listener, async { drop(stopped.await) }));
    let done = tokio::select! {
        done = story(&pipeline, &options) => done,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped; the review stays on record in {}", data.display())),
    };
    // The server ends whether or not it is told: a dropped sender tells it too.
    drop(stop);
    server.await??;
    done
}

async fn story(pipeline: &Pipeline, options: &DemoOptions) -> anyhow::Result<()> {
    let input = match &options.csv {
        Some(path) => Input::Csv(path.clone()),
        None => Input::Seeded { seed: options.seed, rows: options.rows, share: options.share },
    };
    match &options.csv {
        Some(path) => println!("1. Reading customers from {}", path.display()),
        None => println!("1. Making {} customers (seed {})", count(options.rows), options.seed),
    }
    let mut run = pipeline.start(input)?;
    let report = pipeline.check(&mut run, options.auto).await?;
    println!("2. Checking them. {RULE}");
    println!(
        "   {} of {} rows are flagged: {} (limit {})",
        count(run.flagged),
        count(run.rows),
        percent(report.share()),
        limit()
    );
    if let Stage::Waiting { review_id } = run.stage {
        println!("3. More than {}: the pipeline stops and asks {REVIEWER}.", limit());
        match options.auto {
            None => {
                let gateway = &pipeline.gateway;
                let fold = gateway.reviews.load(review_id).await?;
                let review = fold.state.review().context("the review was recorded")?;
                let expires_at = review.request.expires_at.after(AFTERLIFE);
                let capability = Capability { review: review_id, person: REVIEWER.parse()?, expires_at };
                println!("   Decide here: {}/a/{}", gateway.base_url, capability::mint(&gateway.keys, &capability));
                println!(
                    "   Waiting. Nothing goes on until somebody decides, or 24 hours have passed. Ctrl-C ends the demonstration."
                );
            }
            Some(Auto::Expire) => println!("   Waiting 3 seconds for somebody to decide …"),
            Some(auto) => {
                tokio::time::sleep(LOOK).await;
                let choice = if auto == Auto::Approve { Choice::Approve } else { Choice::Reject };
                pipeline.decide(review_id, choice).await?;
            }
        }
        pipeline.finish(&mut run).await?;
    } else {
        println!("3. Not more than {}: nobody needs to be asked.", limit());
    }
    match &run.stage {
        Stage::Promoted { why } => println!("4. Promoted ({why}): {}", pipeline.runs.promote(&run)?.display()),
        Stage::Discarded { why } => println!("4. Discarded ({why}): {}", pipeline.runs.discard(&run)?.display()),
        Stage::Failed { why } => anyhow::bail!("the run broke off: {why}"),
        Stage::Checking | Stage::Waiting { .. } => anyhow::bail!("the run did not end"),
    }
    Ok(())
}
