//! What is on record: votes that counted and votes that did not, the workflows that wait, and the
//! subject that the decision is bound to.

use events::{Event, IntegrationId, PersonId, Timestamp, event::EnteredBy, weight};
use maud::{Markup, html};
use review::{
    Directory,
    state::{Review, Told, Waiting},
};

use super::{
    super::{
        icons::{Icon, icon},
        words,
    },
    Loaded, person,
};
use crate::audit::{
    AliasAdded,
    words::{by_alias, who_entered},
};

pub(super) fn votes(loaded: &Loaded, review: &Review) -> Markup {
    html! {
        @if !review.votes.is_empty() || !review.refused_votes.is_empty() {
            section.card aria-labelledby="votes" {
                h2 #votes { "Votes" }
                ol.votes {
                    @for vote in &review.votes { li.(vote_tone(vote.what.choice)) {
                        p { (person(&loaded.directory, &vote.what.person)) " " strong { (words::said(vote.what.choice)) } }
                        @if let Some(reason) = &vote.what.reason { blockquote dir="auto" { (reason) } }
                        p.muted.small { (words::at(vote.at)) " · via " (words::via(vote.what.channel)) (entered(vote.what.entered_by.as_ref(), vote.what.integration.as_ref(), vote.what.matched_account.as_ref())) (alias(&loaded.directory, vote.what.acted_as.as_ref(), &vote.what.person, vote.at)) @if let Some(seen) = vote.what.seen { " · " (crate::audit::words::seen(seen)) } }
                    } }
                    @for vote in &review.refused_votes { li.uncounted {
                        p { (person(&loaded.directory, &vote.what.person)) " " s { (words::said(vote.what.choice)) } " " span.chip.refused { (icon(Icon::Minus)) "Not counted" } }
                        @if let Some(reason) = &vote.what.reason { blockquote dir="auto" { (reason) } }
                        p.muted.small {
                            "Did not count: " (words::because(vote.what.why)) " · " (words::at(vote.at)) " · via " (words::via(vote.what.channel))
                            (entered(vote.what.entered_by.as_ref(), vote.what.integration.as_ref(), vote.what.matched_account.as_ref())) (alias(&loaded.directory, vote.what.acted_as.as_ref(), &vote.what.person, vote.at))
                        }
                    } }
                }
            }
        }
    }
}

/// Says so when somebody else typed the vote in, a program handed it in, or an address alone says whose it is.
pub(super) fn entered(by: Option<&EnteredBy>, integration: Option<&IntegrationId>, matched: Option<&PersonId>) -> String {
    let verb = if by.is_some() { "entered by" } else { "by" };
    who_entered(by, integration, matched).map(|who| format!(" · {verb} {who}")).unwrap_or_default()
}

/// Says so when another address of the person's acted, and who had added it.
pub(super) fn alias(directory: &Directory, acted_as: Option<&PersonId>, person: &PersonId, at: Timestamp) -> String {
    let added = AliasAdded::find(directory, acted_as, person, at);
    by_alias(acted_as, added.as_ref()).map(|how| format!(" · {how}")).unwrap_or_default()
}

fn vote_tone(choice: events::event::Choice) -> &'static str {
    use events::event::Choice;
    match choice {
        Choice::Approve => "approved",
        Choice::Reject => "rejected",
        Choice::RequestChanges => "changes",
        Choice::Comment => "comment",
    }
}

pub(super) fn workflows(loaded: &Loaded, waiting: &[Waiting]) -> Markup {
    html! {
        @if !waiting.is_empty() {
            section.card aria-labelledby="workflows" {
                h2 #workflows { "Waiting workflows" }
                ul.workflows { @for workflow in waiting { li {
                    @let arn = workflow.resume.execution_arn.as_deref();
                    div.workflow-name { (icon(Icon::Bolt)) bdi title=[arn] { (arn.map_or("A workflow that did not give its name", |arn| arn.rsplit(':').next().unwrap_or(arn))) } }
                    p.muted.small { (told(loaded, workflow)) }
                    @if let Some(arn) = arn { p.code.small { (arn) } }
                } } }
            }
        }
    }
}

fn told(loaded: &Loaded, workflow: &Waiting) -> Markup {
    html! {
        @match &workflow.told {
            Told::NotYet => {
                "Waits for the outcome"
                @if let Some(deadline) = workflow.resume.deadline { ", by itself until " (words::at(deadline)) }
            }
            Told::RetryAt { at, tries } => { "Could not be told yet (" (words::count(*tries as usize, "failure")) "); next try " (words::at(*at)) }
            Told::Settled => (settled(loaded, workflow)),
        }
    }
}

/// The last that the log says of it: told, given up, or gone.
fn settled(loaded: &Loaded, workflow: &Waiting) -> Markup {
    let token = workflow.resume.token_hash;
    let events = loaded.history.iter().rev().flat_map(|commit| commit.events.iter().rev().map(move |event| (commit.at, event)));
    let last = events.into_iter().find(|(_, event)| match event {
        Event::WorkflowResumed(event) => event.token_hash == token,
        Event::WorkflowResumeFailed(event) => event.token_hash == token,
        Event::WorkflowResumeUnconfirmed(event) => event.token_hash == token,
        Event::WorkflowEnded(event) => workflow.resume.execution_arn.as_ref() == Some(&event.execution_arn),
        _ => false,
    });
    html! {
        @match last {
            Some((at, Event::WorkflowResumed(event))) => { "Told " span.code { (event.told) } ", " (words::at(at)) }
            Some((at, Event::WorkflowResumeFailed(event))) => { "Could not be told: " bdi { (event.error) } ", " (words::at(at)) }
            Some((at, Event::WorkflowResumeUnconfirmed(event))) => { "No longer waits (" bdi { (event.error) } "), and nothing shows why, " (words::at(at)) }
            Some((at, Event::WorkflowEnded(event))) => { "It " (event.status.in_words()) " by itself, " (words::at(at)) }
            _ => "Settled",
        }
    }
}

pub(super) fn subject(loaded: &Loaded, review: &Review) -> Markup {
    let request = &review.request;
    let (digest, seen, action) =
        (request.subject_digest.to_string(), request.seen_digest().to_string(), request.action_digest().to_string());
    let pretty = weight::indented(&request.subject);
    html! {
        section.card aria-labelledby="subject" {
            h2 #subject { "Subject" }
            p.muted { "Every vote here is bound to all that this page shows: title, summary, subject and evidence have the digest " span.code { (seen.get(..12).unwrap_or(&seen)) } "…" }
            details #subject-json {
                summary { "Subject, digest and ids" }
                pre.json tabindex="0" role="region" aria-label="Subject as JSON" { (pretty) }
                dl.facts {
                    dt { "Seen digest: title, summary, subject, evidence (SHA-256, RFC 8785)" } dd.code { (seen) }
                    dt { "Action digest: the subject" } dd.code { (action) }
                    dt { "Subject digest of version 1: subject and evidence" } dd.code { (digest) }
                    dt { "Review" } dd.code { (loaded.id) }
                    dt { "Version" } dd { (loaded.fold.version) }
                    dt { "Account and event" } dd.code { (request.origin.account) " / " (request.origin.event_id) }
                    dt { "On rejection" } dd { (on_end(request.on_reject)) }
                    dt { "On expiry" } dd { (on_end(request.on_expiry)) }
                }
            }
        }
    }
}

fn on_end(on_end: events::request::OnEnd) -> &'static str {
    match on_end {
        events::request::OnEnd::Fail => "the workflow’s task fails",
        events::request::OnEnd::Succeed => "the workflow goes on, with the outcome in its input",
    }
}
