//! The top of the page: where the review stands, what it asks, who asked.

use ledger::Status;
use maud::{Markup, html};
use review::state::Review;

use super::{
    super::{
        icons::{Icon, icon},
        inbox::{chip, risk},
        words,
    },
    Loaded, Viewer, outcome, person, status_of,
};

pub(super) fn show(loaded: &Loaded, review: &Review, viewer: &Viewer) -> Markup {
    let status = status_of(review, loaded.now);
    let request = &review.request;
    html! {
        div.tags {
            (chip(status)) (risk(request.risk))
            @if status == Status::Open {
                // Beside a narrow screen's title; a wide one has the card next to it.
                span.left.narrow .soon[words::is_soon(loaded.now, request.expires_at)] { (icon(Icon::Clock)) (words::left(loaded.now, request.expires_at)) }
            }
        }
        h1 dir="auto" { (request.title) }
        p.meta {
            "Asked by "
            @match &request.requester {
                Some(id) => (person(&loaded.directory, id)),
                None => bdi { (request.origin.source) },
            }
            " " (words::ago(loaded.now, review.requested_at))
            @if request.requester.is_some() { " · via " bdi { (request.origin.source) } }
            @if let Some(key) = &request.request_key { " · key " bdi.code { (key) } }
        }
        @if let Some(follows) = &request.follows {
            p.meta {
                "Asked again after "
                @if viewer.is_signed_in() { a href={ "/reviews/" (follows) } { "an earlier review" } } @else { "an earlier review" }
                " ended without a decision."
            }
        }
        @if status == Status::Open { p.meta.narrow { a href="#decide" { "Go to the decision" } } }
        (banner(loaded, review, status))
    }
}

/// What an ended review says before anything else.
fn banner(loaded: &Loaded, review: &Review, status: Status) -> Markup {
    let drawing = match status {
        Status::Approved => Icon::Check,
        Status::Rejected => Icon::Cross,
        Status::Expired => Icon::Clock,
        Status::Cancelled | Status::Refused => Icon::Minus,
        Status::Open => return html! {},
    };
    html! {
        section.banner.(status.as_str()) aria-label="Outcome" {
            span.banner-mark { (icon(drawing)) }
            div {
                @match &review.ending {
                    Some(ending) => {
                        p.banner-line { (outcome::sentence(ending, &loaded.directory)) }
                        @if let Some(reason) = outcome::reason(&ending.what) { blockquote dir="auto" { (reason) } }
                    }
                    None => p.banner-line { "The time to decide ran out, " (words::at(review.request.expires_at)) }
                }
            }
        }
    }
}
