//! `/demo`: start runs of the pipeline in the browser and watch them stop, wait and go on.

use std::path::Path;

use axum::{
    Extension, Router,
    extract::{Form, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use channels::session;
use gateway::{
    Gateway,
    web::{
        layout::{Bar, Place, Shell, respond},
        problem::Problem,
        who,
    },
};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    pipeline::Pipeline,
    run::{Input, Run, Runs, Stage},
    words::{count, limit, percent},
};

/// The most customers that a browser may ask for.
const ROWS_MAX: usize = 100_000;
/// How many runs are shown.
const SHOWN: usize = 20;

/// The pipeline, and how its runs learn that the service stops.
#[derive(Clone)]
struct Demo {
    pipeline: Pipeline,
    stop: watch::Receiver<bool>,
}

impl Demo {
    /// Takes a run to its end. When the service stops first, the run stays as it is on disk, and goes
    /// on after the next start.
    fn carry_on(&self, run: Run) {
        let Demo { pipeline, mut stop } = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => {}
                () = pipeline.carry_on(run) => {}
            }
        });
    }
}

/// The routes, with the runs that were under way when the service stopped going on until `stop`.
///
/// # Errors
/// When the runs cannot be read.
pub fn routes(gateway: &Gateway, data: &Path, stop: watch::Receiver<bool>) -> anyhow::Result<Router<Gateway>> {
    let pipeline = Pipeline { gateway: gateway.clone(), runs: Runs::open(&data.join("demo"))? };
    let demo = Demo { pipeline, stop };
    for run in demo.pipeline.interrupted()? {
        demo.carry_on(run);
    }
    Ok(Router::new().route("/demo", get(show).post(start)).layer(Extension(demo)))
}

async fn show(State(gateway): State<Gateway>, Extension(demo): Extension<Demo>, headers: HeaderMap) -> Result<Response, Problem> {
    let operator = who::need_operator(&gateway, &headers)?;
    let csrf = session::form_token(&gateway.keys, operator.cookie());
    let runs = demo.pipeline.runs.all().map_err(|error| Problem::broken(&error))?;
    let shell = Shell { title: "Demo", bar: Some(Bar::of(&gateway, &operator, Place::Demo)), live: true, ..Shell::default() };
    Ok(respond(StatusCode::OK, &headers, &shell, &page(&csrf, &runs)))
}

/// What the form says.
#[derive(Debug, Deserialize)]
struct Wish {
    csrf: String,
    rows: usize,
    share: f64,
}

async fn start(
    State(gateway): State<Gateway>,
    Extension(demo): Extension<Demo>,
    headers: HeaderMap,
    Form(wish): Form<Wish>,
) -> Result<Response, Problem> {
    who::operator_with_form(&gateway, &headers, &wish.csrf)?;
    let share = if wish.share.is_finite() { (wish.share / 100.0).clamp(0.0, 1.0) } else { 0.0 };
    // Another data set each time.
    let seed = Uuid::new_v4().as_u64_pair().0;
    let input = Input::Seeded { seed, rows: wish.rows.clamp(10, ROWS_MAX), share };
    let run = demo.pipeline.start(input).map_err(|error| Problem::broken(error.as_ref()))?;
    demo.carry_on(run);
    Ok(Redirect::to("/demo").into_response())
}

fn page(csrf: &str, runs: &[Run]) -> Markup {
    html! {
        h1 { "A pipeline that stops to ask" }
        p.lead {
            "Each run makes a customer data set and checks it. When more than " (limit())
            " of the rows look anomalous, it stops, asks for a review with the evidence, and goes on as people decide."
        }
        form.card.demo-form method="post" action="/demo" {
            input type="hidden" name="csrf" value=(csrf);
            label { "Customers" input type="number" name="rows" value="2000" min="10" max=(ROWS_MAX) required; }
            label { "Share to spoil, %" input type="number" name="share" value="7.4" min="0" max="100" step="0.1" required; }
            button.primary type="submit" { "Start a run" }
        }
        @if runs.is_empty() {
            p.muted { "No run yet." }
        } @else {
            h2 { "Runs" }
            ol.runs { @for run in runs.iter().take(SHOWN) { li.card { (card(run)) } } }
        }
    }
}

fn card(run: &Run) -> Markup {
    let checked = run.stage != Stage::Checking;
    let asked = run.review_id.is_some();
    let started = run.started_at.as_datetime().format("%-d %b %Y, %H:%M:%S UTC").to_string();
    html! {
        p.muted { "Started " time datetime=(run.started_at) { (started) } }
        ol.steps {
            li.done[checked] {
                "Check "
                @if checked && run.rows > 0 {
                    (count(run.rows)) " customers: " strong { (percent(run.share())) } " flagged, limit " (limit())
                } @else { "the customers" }
            }
            @if let Some(review_id) = run.review_id {
                li.done { "Asked: " a href={ "/reviews/" (review_id) } { "the review" } }
            }
            li.done[run.is_over()] { (outcome(run, asked)) }
        }
    }
}

fn outcome(run: &Run, asked: bool) -> Markup {
    html! {
        @match &run.stage {
            Stage::Checking => span { "Checking …" },
            Stage::Waiting { .. } => strong { "Paused until somebody decides" },
            Stage::Promoted { why } => { strong { "Promoted" } @if asked { ", " (why) } @else { ": " (why) } },
            Stage::Discarded { why } => { strong { "Discarded" } ", " (why) },
            Stage::Failed { why } => { strong { "Broke off" } ": " (why) },
        }
    }
}
