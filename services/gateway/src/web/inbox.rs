//! `/`: every review for the operator; for anybody else, how to get in.

use std::collections::HashSet;

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use events::{Period, Timestamp, request::Risk};
use ledger::{LedgerError, Page, Position, ReviewRow, Search, Status};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    form,
    icons::{Icon, icon},
    layout::{Place, Shell, respond},
    problem::Problem,
    who, words,
};
use crate::Gateway;

/// The most rows that one read of the views gives.
const ROWS: usize = 100;
/// Ended reviews are looked for in so many reads, when open ones are in between.
const READS: usize = 5;
/// Enough ended reviews for a page.
const ENOUGH: usize = 25;
/// When there are more open reviews than a page holds, those that expire within this are put first.
const SOON: Period = Period::hours(24);
/// The most of those.
const SOON_MAX: usize = 25;

/// The lists, in the order of the tabs.
const TABS: [(&str, &str); 7] = [
    ("open", "Open"),
    ("ended", "Ended"),
    ("approved", "Approved"),
    ("rejected", "Rejected"),
    ("expired", "Expired"),
    ("cancelled", "Cancelled"),
    ("refused", "Refused"),
];

#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    show: String,
    from: Option<String>,
}

/// What a page of the inbox lists.
struct Listing {
    rows: Vec<ReviewRow>,
    next: Option<Position>,
}

/// `GET /`.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(operator) = who::operator(&gateway, &headers) else { return Ok(welcome(&headers)) };
    let (tab, name) = TABS.into_iter().find(|(tab, _)| *tab == wish.show).unwrap_or(TABS[0]);
    let from = wish.from.map(Position);
    let listing = list(&gateway, tab, from.as_ref()).await.map_err(|error| match from {
        // A position that no store gave.
        Some(_) if !error.is_retryable() => Problem::NotFound,
        _ => Problem::from(error),
    })?;
    let parked = gateway.work.parked(ROWS).await?.len();
    let directory = gateway.reviews.directory().await?;
    let now = gateway.reviews.now();
    let main = html! {
        div.page-head { h1 { "Reviews" } p.muted { "What waits for a decision, and what became of it." } }
        @if parked > 0 {
            div.notice role="status" { (icon(Icon::Alert)) p {
                a href="/dead-letters" { (words::count(parked, "record")) @if parked == ROWS { " or more" } } " could not be handled and " (if parked == 1 { "waits" } else { "wait" }) " for you."
            } }
        }
        nav.tabs aria-label="Lists" { @for (key, text) in TABS {
            a href=(if key == "open" { "/".to_owned() } else { format!("/?show={key}") }) aria-current=[(key == tab).then_some("page")] {
                (text) @if key == tab && key == "open" && from.is_none() { span.count { (listing.rows.len()) @if listing.next.is_some() { "+" } } }
            }
        } }
        @if listing.rows.is_empty() { (nothing(tab, listing.next.is_some(), from.is_some())) }
        @else { ol.rows { @for row in &listing.rows { li { (show_row(row, now, &directory)) } } } }
        @if listing.next.is_some() || from.is_some() {
            nav.pager aria-label="Pages" {
                @if from.is_some() { a.button href={ "/?show=" (tab) } { "← Newest" } }
                @if let Some(Position(next)) = &listing.next { a.button rel="next" href={ "/?show=" (tab) "&from=" (escape(next)) } { "Older →" } }
            }
        }
    };
    let bar = Some(form::bar(&gateway, &operator, Place::Inbox));
    Ok(respond(StatusCode::OK, &headers, &Shell { title: name, bar, live: true, ..Shell::default() }, &main))
}

async fn list(gateway: &Gateway, tab: &str, from: Option<&Position>) -> Result<Listing, LedgerError> {
    let status = [Status::Open, Status::Approved, Status::Rejected, Status::Expired, Status::Cancelled, Status::Refused]
        .into_iter()
        .find(|status| status.as_str() == tab);
    match status {
        Some(Status::Open) => open(gateway, from).await,
        Some(_) => {
            let Page { rows, next } = search(gateway, status, from, ROWS / 2).await?;
            Ok(Listing { rows, next })
        }
        None => ended(gateway, from).await,
    }
}

async fn search(gateway: &Gateway, status: Option<Status>, from: Option<&Position>, limit: usize) -> Result<Page, LedgerError> {
    gateway.views.search(&Search { status, ..Search::default() }, from, limit).await
}

/// Open reviews, nearest expiry first. The views list newest first, so with more than a page of
/// them those that expire soon are looked up and put before the rest.
async fn open(gateway: &Gateway, from: Option<&Position>) -> Result<Listing, LedgerError> {
    let Page { mut rows, next } = search(gateway, Some(Status::Open), from, ROWS).await?;
    if next.is_some() && from.is_none() {
        let known: HashSet<_> = rows.iter().map(|row| row.review_id).collect();
        for due in gateway.views.due(gateway.reviews.now().after(SOON), SOON_MAX).await? {
            if !known.contains(&due.review_id)
                && let Some(row) = gateway.views.get(due.review_id).await?.filter(|row| row.status == Status::Open)
            {
                rows.push(row);
            }
        }
    }
    rows.sort_by_key(|row| (row.expires_at, row.review_id));
    Ok(Listing { rows, next })
}

async fn ended(gateway: &Gateway, from: Option<&Position>) -> Result<Listing, LedgerError> {
    let (mut rows, mut next) = (Vec::new(), from.cloned());
    for _ in 0..READS {
        let page = search(gateway, None, next.as_ref(), ROWS / 2).await?;
        rows.extend(page.rows.into_iter().filter(|row| row.status != Status::Open));
        next = page.next;
        if next.is_none() || rows.len() >= ENOUGH {
            break;
        }
    }
    Ok(Listing { rows, next })
}

fn show_row(row: &ReviewRow, now: Timestamp, directory: &::review::Directory) -> Markup {
    // The timer may be a moment behind.
    let up = row.status == Status::Open && row.expires_at.is_some_and(|time| time <= now);
    let status = if up { Status::Expired } else { row.status };
    html! {
        a.row href={ "/reviews/" (row.review_id) } {
            span.row-main {
                span.row-title dir="auto" { (if row.title.is_empty() { "Untitled request" } else { &row.title }) }
                span.row-meta {
                    span {
                        bdi { (row.requester.as_ref().map_or(row.source.as_str(), |id| directory.name(id))) }
                        " · " (words::ago(now, row.requested_at))
                    }
                    @if row.risk != Risk::Normal { (risk(row.risk)) }
                }
            }
            span.row-side {
                @if status == Status::Open {
                    span.progress { (pips(usize::from(row.approvals), row.quorum)) }
                    @if let Some(expires_at) = row.expires_at {
                        span.left .soon[words::is_soon(now, expires_at)] { (icon(Icon::Clock)) (words::left(now, expires_at)) }
                    }
                } @else if let Some(ended_at) = row.ended_at { span.left { (words::ago(now, ended_at)) } }
                (chip(status))
            }
        }
    }
}

fn nothing(tab: &str, more: bool, later: bool) -> Markup {
    html! {
        div.empty {
            span.empty-mark.calm { (icon(if tab == "open" { Icon::Check } else { Icon::Inbox })) }
            @if more || later {
                h2 { "None on this page" }
            } @else if tab == "open" {
                h2 { "Nothing waits for a decision" }
                p { "When a workflow or a program asks for a review, it appears here by itself. To try it, run " code { "countersign demo" } " beside this service." }
            } @else {
                h2 { "None so far" }
            }
        }
    }
}

fn welcome(headers: &HeaderMap) -> Response {
    let main = html! {
        div.empty {
            span.empty-mark { (icon(Icon::Inbox)) }
            h1 { "Decisions, on record" }
            p { "Countersign pauses automated work until the right people decide." }
            dl.ways {
                dt { "You were asked to decide" }
                dd { "Open the link in your own message. It lets you see and decide that one review, and needs no account." }
                dt { "You run this service" }
                dd { "Open the sign-in link that " code { "countersign serve" } " printed when it started. It signs this browser in for 12 hours." }
            }
        }
    };
    respond(StatusCode::OK, headers, &Shell { title: "Welcome", ..Shell::default() }, &main)
}

/// Where a review stands, as a word, a drawing and a colour.
pub(super) fn chip(status: Status) -> Markup {
    let (drawing, word) = match status {
        Status::Open => (Icon::Dot, "Open"),
        Status::Approved => (Icon::Check, "Approved"),
        Status::Rejected => (Icon::Cross, "Rejected"),
        Status::Expired => (Icon::Clock, "Expired"),
        Status::Cancelled => (Icon::Minus, "Cancelled"),
        Status::Refused => (Icon::Minus, "Refused"),
    };
    html! { span.chip.(status.as_str()) { (icon(drawing)) (word) } }
}

/// How much harm a wrong approval does, when that is worth saying.
pub(super) fn risk(risk: Risk) -> Markup {
    let class = match risk {
        Risk::Low => "low",
        Risk::Normal => "normal",
        Risk::High => "high",
    };
    html! { span.risk.(class) { @if risk == Risk::High { (icon(Icon::Alert)) } (words::risk(risk)) } }
}

/// Approvals against the quorum: a dot each, up to a dozen, and the figures.
pub(super) fn pips(approvals: usize, quorum: u8) -> Markup {
    let quorum = usize::from(quorum);
    html! {
        @if quorum <= 12 {
            span.pips aria-hidden="true" { @for index in 0..quorum { span.pip .full[index < approvals] {} } }
        } @else {
            progress.bar max=(quorum) value=(approvals.min(quorum)) aria-hidden="true" {}
        }
        span { (approvals) " of " (quorum) }
    }
}

/// Percent-encodes a position for a query.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
