//! Does the same requests and votes in every run, so that `tests/count-instructions` can count what they cost.
//!
//! `instructions REQUESTS VOTES` opens REQUESTS reviews and then approves VOTES of them, through the router of the
//! one-machine service over its SQLite log. It uses only what seldom changes (the arguments of `serve`, the router,
//! the API), so that the same source compiles at older commits.

mod calls;

use std::{error::Error, net::SocketAddr};

use clap::Parser;
use countersign::{
    cli::{Cli, Command},
    serve::{Service, keys},
};

use calls::Calls;

/// Any error ends the run.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ADDRESS: &str = "127.0.0.1:8787";

fn main() -> Outcome<()> {
    let counts: Vec<usize> = std::env::args().skip(1).map(|count| count.parse()).collect::<Result<_, _>>()?;
    let [requests, votes] = counts[..] else { return Err("say how many: instructions REQUESTS VOTES".into()) };
    // One thread beside those of the store: nothing else runs between the calls.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(requests, votes))
}

async fn run(requests: usize, votes: usize) -> Outcome<()> {
    let data = tempfile::tempdir()?;
    let calls = start(data.path()).await?;
    let mut reviews = Vec::with_capacity(requests);
    for index in 0..requests {
        reviews.push(calls.request(index).await?);
    }
    for review in reviews.iter().take(votes) {
        calls.vote(review).await?;
    }
    println!("{requests} requests, {votes} votes");
    Ok(())
}

/// The service without its consumers and timers: dropping it stops them, and the gateway stays.
async fn start(data: &std::path::Path) -> Outcome<Calls> {
    let directory = data.to_str().ok_or("the temporary directory is not UTF-8")?;
    let Cli { global, command } = Cli::try_parse_from([
        "countersign",
        "--data",
        directory,
        "serve",
        "--listen",
        ADDRESS,
        // The requests come as fast as they are answered.
        "--requests-per-minute",
        "0",
    ])?;
    let Some(Command::Serve(args)) = command else { return Err("`serve` is not a command".into()) };
    let service = Service::start(&args.options(global), ADDRESS.parse::<SocketAddr>()?).await?;
    let router = gateway::router(service.gateway().clone());
    let key = keys::read_operator_key(&data.join(keys::OPERATOR_KEY))?.ok_or("the service made no operator's key")?;
    Ok(Calls::new(router, ADDRESS, key.expose()))
}
