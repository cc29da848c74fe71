//! One review in a list.

use std::collections::BTreeSet;

use events::{PersonId, Timestamp, request::Risk};
use ledger::{ReviewRow, Status};
use maud::{Markup, html};
use review::{Directory, PrimaryId};

use super::super::{
    icons::{Icon, icon},
    words,
};

/// The row, as the person who looks sees it.
pub(super) fn show(row: &ReviewRow, now: Timestamp, directory: &Directory, person: Option<&PersonId>) -> Markup {
    // The timer may be a moment behind.
    let up = row.status == Status::Open && row.expires_at.is_some_and(|time| time <= now);
    let status = if up { Status::Expired } else { row.status };
    let me = person.map(|person| directory.primary(person));
    let is_me = |id: &PersonId| me.as_ref().is_some_and(|me| directory.is(id, me));
    html! {
        a.row href={ "/reviews/" (row.review_id) } {
            span.row-main {
                span.row-title dir="auto" { (if row.title.is_empty() { "Untitled request" } else { &row.title }) }
                span.row-meta {
                    span {
                        @match &row.requester {
                            Some(id) if is_me(id) => "You",
                            Some(id) => bdi { (directory.name(id)) },
                            None => bdi { (row.source) },
                        }
                        " · " (words::ago(now, row.requested_at))
                    }
                    @if row.risk != Risk::Normal { (risk(row.risk)) }
                    @if row.decided.iter().any(is_me) { span.mine { (icon(Icon::Check)) "You decided" } }
                }
            }
            span.row-side {
                @if status == Status::Open {
                    span.progress { (pips(approvals(row, directory), row.quorum)) }
                    @if let Some(expires_at) = row.expires_at {
                        span.left .soon[words::is_soon(now, expires_at)] { (icon(Icon::Clock)) (words::left(now, expires_at)) }
                    }
                } @else if let Some(ended_at) = row.ended_at { span.left { (words::ago(now, ended_at)) } }
                (chip(status))
            }
        }
    }
}

/// How many people approve. The row is of its own stream alone, and counts ids: two of them may be one person.
fn approvals(row: &ReviewRow, directory: &Directory) -> usize {
    let people: BTreeSet<PrimaryId> = row.decided.iter().map(|id| directory.primary(id)).collect();
    if row.decided.is_empty() { usize::from(row.approvals) } else { usize::from(row.approvals).min(people.len()) }
}

/// Where a review stands, as a word, a drawing and a colour.
pub(in super::super) fn chip(status: Status) -> Markup {
    let drawing = match status {
        Status::Open => Icon::Dot,
        Status::Approved => Icon::Check,
        Status::Rejected => Icon::Cross,
        Status::Expired => Icon::Clock,
        Status::Cancelled | Status::Refused => Icon::Minus,
    };
    html! { span.chip.(status.as_str()) { (icon(drawing)) (words::status(status)) } }
}

/// How much harm a wrong approval does, when that is worth saying.
pub(in super::super) fn risk(risk: Risk) -> Markup {
    let class = super::wish::risk_key(risk);
    html! { span.risk.(class) { @if risk == Risk::High { (icon(Icon::Alert)) } (words::risk(risk)) } }
}

/// Approvals against the quorum: a dot each, up to a dozen, and the figures.
pub(in super::super) fn pips(approvals: usize, quorum: u8) -> Markup {
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
