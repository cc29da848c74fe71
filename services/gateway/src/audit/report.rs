//! The report of one review: one page of HTML that needs nothing beside it, made to be printed and kept.

use events::{Timestamp, weight};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use review::Directory;

use super::{
    Trail,
    drawing::{exact, timeline},
    words,
};
use crate::web::{is_image, layout::dev_bar};

/// The style of the report; part of the page.
pub const STYLE: &str = include_str!("report.css");

/// The whole page, as it stood at `at`. No script, and nothing is loaded from anywhere.
pub fn report(trail: &Trail, directory: &Directory, at: Timestamp) -> Markup {
    let title = trail.title.as_deref().unwrap_or("A request that could not be read");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                title { "Report: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (dev_bar())
                header {
                    p.kind { "Countersign · report of a review" }
                    h1 dir="auto" { (title) }
                    p.outcome.(trail.status.as_str()) { (outcome(trail)) }
                }
                main {
                    (facts(trail, directory))
                    section { h2 { "Course" } (timeline(trail, at)) }
                    (votes(trail, directory))
                    (saw(trail))
                    (deliveries(trail, directory))
                    (workflows(trail))
                    (proof(trail))
                }
                footer { "Made " (exact(at)) " from version " (trail.version) " of the log of review " (trail.review_id) "." }
            }
        }
    }
}

fn outcome(trail: &Trail) -> String {
    match &trail.ending {
        None if trail.faults.is_empty() => "Open: nobody has decided yet".to_owned(),
        None => "Refused: the request could not become a review".to_owned(),
        Some(ending) => {
            let by = words::ended_by(ending);
            let by = if by.is_empty() { by } else { format!(" by {by}") };
            format!("{}{by}, {}", capitalised(ending.outcome), exact(ending.at))
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn person(directory: &Directory, id: &events::PersonId) -> Markup {
    let (name, primary) = (directory.name(id), directory.primary(id));
    html! { bdi { (name) } @if name != primary.as_str() { " " span.id { (primary) } } }
}

fn facts(trail: &Trail, directory: &Directory) -> Markup {
    let reviewers: Vec<String> = trail.reviewers.iter().map(words::reviewer).collect();
    html! {
        section { dl.facts {
            dt { "Asked by" }
            dd {
                @match &trail.requester { Some(id) => { (person(directory, id)) }, None => { "a program" } }
                @if let Some(origin) = &trail.origin { " (source " bdi { (origin.source) } ", account " bdi { (origin.account) } ")" }
            }
            dt { "Asked" } dd { (exact(trail.requested_at)) }
            @if let Some(at) = trail.expires_at { dt { "Expires" } dd { (exact(at)) } }
            @if !reviewers.is_empty() { dt { "Reviewers" } dd { (reviewers.join(", ")) "; " (trail.quorum) @if trail.quorum == 1 { " approval is" } @else { " approvals are" } " needed" } }
            @if let Some(reason) = trail.ending.as_ref().and_then(|ending| ending.reason.as_ref()) { dt { "Reason" } dd dir="auto" { (reason) } }
            @for fault in &trail.faults { dt { "Fault" } dd dir="auto" { (fault) } }
        } }
    }
}

fn votes(trail: &Trail, directory: &Directory) -> Markup {
    html! {
        section {
            h2 { "Votes" }
            @if trail.votes.is_empty() { p.none { "Nobody voted." } }
            @else { table {
                thead { tr { th { "When" } th { "Who" } th { "What" } th { "How" } th { "Why" } } }
                tbody { @for vote in &trail.votes { tr.uncounted[!vote.counted] {
                    td { (exact(vote.at)) }
                    td { (person(directory, &vote.person)) }
                    td { (words::said(vote)) }
                    td { (words::channel(vote.channel)) @if let Some(by) = words::entered_by(vote) { ", entered by " (by) } @if let Some(alias) = words::alias_of(vote) { ", " (alias) } @if let Some(seen) = vote.seen { "; " (words::seen(seen)) } }
                    td dir="auto" { (vote.reason.as_deref().unwrap_or("no reason given")) }
                } } }
            } }
        }
    }
}

fn saw(trail: &Trail) -> Markup {
    let subject = weight::indented(&trail.subject);
    html! {
        section {
            h2 { "What they saw" }
            @if let Some(summary) = &trail.summary { pre.text dir="auto" { (summary) } }
            @for piece in &trail.evidence { figure {
                figcaption dir="auto" { (piece.label) }
                @if let Some(value) = &piece.value { pre.text dir="auto" { (value) } }
                @if let Some(url) = &piece.url { p.id { (url) } }
                @if let Some(rows) = &piece.table { (table(rows)) }
                @if let Some(image) = piece.image.as_deref().filter(|image| is_image(image)) { img src=(image) alt=(piece.label); }
            } }
            @if !trail.subject.is_null() { figure { figcaption { "Subject" } pre.text { (subject) } } }
            @if let Some(digest) = &trail.subject_digest { p.id { "Digest of subject and evidence, which every vote is bound to: " (digest) } }
            @if let Some(digest) = &trail.seen_digest { p.id { "Digest of all that they could read (title, summary, subject, evidence): " (digest) } }
            @if let Some(digest) = &trail.action_digest { p.id { "Digest of what was to be approved (the subject): " (digest) } }
        }
    }
}

fn table(rows: &[Vec<String>]) -> Markup {
    html! {
        table {
            @if let Some((head, body)) = rows.split_first() {
                thead { tr { @for cell in head { th dir="auto" { (cell) } } } }
                tbody { @for row in body { tr { @for cell in row { td dir="auto" { (cell) } } } } }
            }
        }
    }
}

fn deliveries(trail: &Trail, directory: &Directory) -> Markup {
    html! {
        section {
            h2 { "How it was delivered" }
            @if trail.deliveries.is_empty() { p.none { "No notice is on record." } }
            @else { table {
                thead { tr { th { "When" } th { "To whom" } th { "What became of it" } } }
                tbody { @for delivery in &trail.deliveries { tr {
                    td { (exact(delivery.at)) }
                    td { (person(directory, &delivery.person)) }
                    td dir="auto" { (words::delivered(delivery)) }
                } } }
            } }
        }
    }
}

fn workflows(trail: &Trail) -> Markup {
    html! {
        @if !trail.workflows.is_empty() { section {
            h2 { "What the workflow answered" }
            @for workflow in &trail.workflows { figure {
                figcaption { (workflow.execution_arn.as_deref().unwrap_or("A workflow")) }
                p.id { "waits since " (exact(workflow.since)) "; its token's hash is " (workflow.token_hash) }
                @if workflow.answers.is_empty() { p.none { "It was not told anything yet." } }
                @else { table {
                    thead { tr { th { "When" } th { "What came of it" } } }
                    tbody { @for answered in &workflow.answers { tr {
                        td { (exact(answered.at)) }
                        td dir="auto" { (words::answered(answered)) }
                    } } }
                } }
            } }
        } }
    }
}

fn proof(trail: &Trail) -> Markup {
    html! {
        section {
            h2 { "How to check this" }
            p { "The last commit of this review is version " (trail.version) ". Its hash covers every commit before it:" }
            p.id { (trail.hash) }
        }
    }
}
