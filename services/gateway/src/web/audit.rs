//! `/audit`: the auditor's questions as a form, each review that matches with its life drawn; and the
//! report of one review, for paper.

use std::sync::LazyLock;

use axum::{
    extract::{Path, Query, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{Timestamp, request::Reviewer};
use ledger::{ExecuteError, LedgerError, Position, Search, Status};
use maud::{Markup, html};
use review::Directory;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    inbox::{chip, escape},
    layout::{Bar, Place, Shell, respond},
    problem::Problem,
    review::person,
    who,
};
use crate::{
    Gateway,
    audit::{self, Answer, Question, Trail, words},
    off_thread,
};

/// How many reviews a page shows.
const ROWS: usize = 20;
const OUTCOMES: [Status; 6] =
    [Status::Open, Status::Approved, Status::Rejected, Status::Expired, Status::Cancelled, Status::Refused];

/// What was typed into the form; empty fields ask for nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    requester: String,
    #[serde(default)]
    reviewer: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    channel: String,
    cursor: Option<String>,
}

/// `GET /audit`, for the operator.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let operator = who::need_operator(&gateway, &headers)?;
    let (question, faults) = read(&wish);
    let answer = match faults.is_empty() {
        true => Some(ask(&gateway, &question, wish.cursor.clone()).await?),
        false => None,
    };
    let directory = gateway.reviews.directory().await?;
    let main = html! {
        div.page-head { h1 { "Audit" } p.muted { "Who approved what, when and why, having seen what; how it was delivered, and what the workflow answered." } }
        (fields(&wish, &faults))
        @if let Some(answer) = &answer { (list(answer, &wish, &directory)) }
    };
    let bar = Some(Bar::of(&gateway, &operator, Place::Audit));
    Ok(respond(StatusCode::OK, &headers, &Shell { title: "Audit", bar, ..Shell::default() }, &main))
}

async fn ask(gateway: &Gateway, question: &Question, cursor: Option<String>) -> Result<Answer, Problem> {
    let given = cursor.is_some();
    let answer = question.ask(&gateway.reviews, gateway.views.as_ref(), cursor.map(Position), ROWS).await;
    answer.map_err(|error| match error {
        // A position that no store gave.
        ExecuteError::Ledger(LedgerError::Damaged { .. }) if given => Problem::NotFound,
        error => Problem::from(error),
    })
}

/// The question, and what could not be read of it.
fn read(wish: &Wish) -> (Question, Vec<&'static str>) {
    let mut faults = Vec::new();
    let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let mut parsed = |text: &str, what: &'static str, read: &dyn Fn(&str) -> bool| {
        given(text).is_some_and(|text| {
            let good = read(&text);
            if !good {
                faults.push(what);
            }
            good
        })
    };
    let mut question = Question::default();
    let moment = |text: &str| text.parse::<Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse()).ok();
    if parsed(&wish.from, "The first day", &|text| moment(text).is_some()) {
        question.search.from = moment(wish.from.trim());
    }
    if parsed(&wish.to, "The last day", &|text| moment(text).is_some()) {
        // The last day is part of what is asked for.
        question.search.to = moment(wish.to.trim()).map(|day| day.after(events::Period::hours(24)));
    }
    if parsed(&wish.requester, "Who asked", &|text| text.parse::<events::PersonId>().is_ok()) {
        question.requester = wish.requester.trim().parse().ok();
    }
    if parsed(&wish.reviewer, "Who was asked", &|text| reviewer(text).is_some()) {
        question.reviewer = reviewer(wish.reviewer.trim());
    }
    if parsed(&wish.subject, "The subject", &|text| text.parse::<ledger::SubjectKey>().is_ok()) {
        question.search.subject = wish.subject.trim().parse().ok();
    }
    question.search = Search { status: OUTCOMES.into_iter().find(|one| one.as_str() == wish.outcome), ..question.search };
    question.channel = words::read_channel(&wish.channel);
    (question, faults)
}

fn reviewer(text: &str) -> Option<Reviewer> {
    match text.strip_prefix("group:") {
        Some(group) => group.parse().map(Reviewer::Group).ok(),
        None => text.parse().map(Reviewer::Person).ok(),
    }
}

fn fields(wish: &Wish, faults: &[&str]) -> Markup {
    let text = |name: &str, label: &str, value: &str, hint: &str, kind: &str| {
        html! { label { span { (label) } input type=(kind) name=(name) value=(value) placeholder=(hint); } }
    };
    html! {
        form.audit-form.card method="get" action="/audit" {
            (text("from", "Asked from", &wish.from, "", "date"))
            (text("to", "to", &wish.to, "", "date"))
            (text("requester", "Asked by", &wish.requester, "rita@example.com", "text"))
            (text("reviewer", "Reviewer", &wish.reviewer, "ana@example.com or group:leads", "text"))
            (text("subject", "Subject", &wish.subject, "kind/id", "text"))
            label { span { "Outcome" } select name="outcome" {
                option value="" { "any" }
                @for status in OUTCOMES { option value=(status.as_str()) selected[wish.outcome == status.as_str()] { (status.as_str()) } }
            } }
            label { span { "Channel" } select name="channel" {
                option value="" { "any" }
                @for one in words::CHANNELS.map(words::channel) { option value=(one) selected[wish.channel == one] { (one) } }
            } }
            button.primary type="submit" { "Look it up" }
            @for fault in faults { p.audit-fault role="alert" { (fault) " cannot be read." } }
        }
    }
}

fn list(answer: &Answer, wish: &Wish, directory: &Directory) -> Markup {
    html! {
        @if answer.trails.is_empty() {
            div.empty { h2 { "No review matches" } @if answer.next.is_some() { p { "There are more to look at." } } }
        }
        ol.audit { @for trail in &answer.trails { li.card { (entry(trail, answer.at, directory)) } } }
        @if let Some(Position(next)) = &answer.next {
            nav.pager aria-label="Pages" { a.button rel="next" href=(link(wish, next)) { "Older →" } }
        }
    }
}

fn link(wish: &Wish, cursor: &str) -> String {
    let fields = [
        ("from", &wish.from),
        ("to", &wish.to),
        ("requester", &wish.requester),
        ("reviewer", &wish.reviewer),
        ("subject", &wish.subject),
        ("outcome", &wish.outcome),
        ("channel", &wish.channel),
    ];
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let query: String = given.map(|(name, value)| format!("{name}={}&", escape(value))).collect();
    format!("/audit?{query}cursor={}", escape(cursor))
}

fn entry(trail: &Trail, now: Timestamp, directory: &Directory) -> Markup {
    let id = trail.review_id;
    html! {
        div.audit-head {
            h2 dir="auto" { a href={ "/reviews/" (id) } { (trail.title.as_deref().unwrap_or("Refused request")) } }
            (chip(trail.status))
        }
        (audit::timeline(trail, now))
        ul.audit-votes {
            @for vote in &trail.votes { li.uncounted[!vote.counted] {
                (person(directory, &vote.person)) " " (words::said(vote)) " via " (words::channel(vote.channel))
                @if let Some(by) = words::entered_by(vote) { ", entered by " (by) }
                @if let Some(alias) = words::alias_of(vote) { ", " bdi { (alias) } }
                @if let Some(reason) = &vote.reason { ": " q dir="auto" { (reason) } }
            } }
            @for workflow in &trail.workflows { @for answered in &workflow.answers { li { "The workflow " (words::answered(answered)) } } }
        }
        p.muted.small {
            @match &trail.requester { Some(id) => { "Asked by " (person(directory, id)) }, None => { "Asked by a program" } }
            " · reached: " (trail.deliveries.iter().filter(|delivery| delivery.reached).count())
            ", not reached: " (trail.deliveries.iter().filter(|delivery| !delivery.reached).count())
            " · " a href={ "/reviews/" (id) "/report" } { "Report" }
        }
    }
}

/// What the report may load: its own style, known by its digest, and images that are part of it.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = BASE64.encode(Sha256::digest(audit::STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// `GET /reviews/{id}/report`, for the operator.
pub(super) async fn report(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    who::need_operator(&gateway, &headers)?;
    let id = id.parse().map_err(|_| Problem::NotFound)?;
    let history = gateway.reviews.history(id).await?;
    let directory = gateway.reviews.directory().await?;
    let trail = Trail::of(&history, &directory).map_err(|error| Problem::broken(&error))?.ok_or(Problem::NotFound)?;
    let now = gateway.reviews.now();
    let page = off_thread::work(move || audit::report(&trail, &directory, now).into_string()).await;
    let headers =
        [(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")), (CONTENT_SECURITY_POLICY, POLICY.clone())];
    Ok((headers, page).into_response())
}
