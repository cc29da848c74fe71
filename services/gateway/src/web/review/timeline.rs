//! Everything that happened, in order, as the log has it.

use events::{
    Commit, Event, Timestamp,
    event::{Purpose, Verdict},
};
use maud::{Markup, html};

use super::{
    super::{
        icons::{Icon, icon},
        words,
    },
    Loaded, outcome, people, person, record,
};

/// How many events stand in sight; a longer story starts folded.
const SHORT: usize = 30;

pub(super) fn show(loaded: &Loaded) -> Markup {
    let events: Vec<_> =
        loaded.history.iter().flat_map(|commit| told_together(commit).map(move |group| (commit, group))).collect();
    let list = html! {
        ol.timeline { @for (commit, group) in &events {
            @let line = tell(loaded, group, commit.at);
            li.(line.tone) {
                span.timeline-mark { (icon(line.icon)) }
                div {
                    p { (line.text) }
                    p.muted.small { (words::at(commit.at)) " · version " (commit.version) }
                }
            }
        } }
    };
    html! {
        section.card aria-labelledby="timeline" {
            h2 #timeline { "Timeline" }
            @if events.len() <= SHORT { (list) }
            @else { details #timeline-all { summary { "All " (events.len()) " events" } (list) } }
        }
    }
}

struct Line {
    icon: Icon,
    tone: &'static str,
    text: Markup,
}

fn line(icon: Icon, tone: &'static str, text: Markup) -> Line {
    Line { icon, tone, text }
}

/// The events of a commit, those who were notified alike as one group.
fn told_together(commit: &Commit) -> impl Iterator<Item = &[Event]> {
    commit.events.chunk_by(|one, next| match (one, next) {
        (Event::ReviewNotified(one), Event::ReviewNotified(next)) => {
            (one.channel, one.purpose()) == (next.channel, next.purpose())
        }
        _ => false,
    })
}

fn tell(loaded: &Loaded, group: &[Event], at: Timestamp) -> Line {
    let notified: Vec<_> = group
        .iter()
        .filter_map(|event| if let Event::ReviewNotified(event) = event { Some(event.person.clone()) } else { None })
        .collect();
    // A group is never empty.
    let Some(event) = group.first() else { return line(Icon::Dot, "quiet", html! {}) };
    let directory = &loaded.directory;
    match event {
        Event::ReviewRequested(event) => line(
            Icon::Inbox,
            "info",
            html! {
                "Review requested"
                @if let Some(id) = &event.requester { " by " (person(directory, id)) }
                @if event.resume.is_some() { "; a workflow waits on it" }
            },
        ),
        Event::RequestRepeated(event) => line(
            Icon::Inbox,
            "quiet",
            html! {
                "Asked again"
                @if let Some(id) = &event.requester { " by " (person(directory, id)) ", who does not decide it either" }
            },
        ),
        Event::OutsideEventRefused(event) => line(
            Icon::Minus,
            "warn",
            html! {
                "A " span.code { (event.detail_type) } " of " bdi { (event.by.source) } " in " bdi { (event.by.account) }
                @if let Some(id) = &event.person { " about " bdi { (id) } }
                " changed nothing: " (words::changed_nothing(event.why))
            },
        ),
        Event::Unknown(event) => line(
            Icon::Alert,
            "warn",
            html! { bdi { (event.kind()) } " by a newer version of this service, which this one cannot read" },
        ),
        Event::ReviewRefused(_) => line(Icon::Minus, "warn", html! { "Request refused" }),
        Event::ReviewNotified(event) => line(
            Icon::Bell,
            "quiet",
            html! {
                (people(directory, &notified)) (match event.purpose() { Purpose::Asked => " notified by ", Purpose::Reminded(_) => " reminded by ", Purpose::Ended => " told of the end by " }) (words::via(event.channel))
            },
        ),
        Event::NotificationFailed(event) => line(
            Icon::Alert,
            "warn",
            html! {
                (person(directory, &event.person)) " not reached by " (words::via(event.channel)) ": " bdi { (event.error) }
                @if let Some(at) = event.retry_at { "; next try " (words::at(at)) }
            },
        ),
        Event::NoticeUpdated(event) => line(
            Icon::Bell,
            "quiet",
            html! { "The message to " (person(directory, &event.person)) " on " (words::via(event.channel)) " shows the latest" },
        ),
        Event::NoticeUpdateFailed(event) => line(
            Icon::Alert,
            "warn",
            html! {
                "The message to " (person(directory, &event.person)) " on " (words::via(event.channel)) " could not be changed: " bdi { (event.error) }
                @if let Some(at) = event.retry_at { "; next try " (words::at(at)) }
            },
        ),
        Event::ReviewReminded(event) => line(
            Icon::Clock,
            "quiet",
            html! {
                "Time for reminder " (event.number)
                @if !event.people.is_empty() { " to " (people(directory, &event.people)) }
            },
        ),
        Event::VoteCast(event) => {
            let drawing = match event.choice {
                events::event::Choice::Approve => (Icon::Check, "good"),
                events::event::Choice::Reject => (Icon::Cross, "bad"),
                events::event::Choice::RequestChanges => (Icon::Edit, "warn"),
                events::event::Choice::Comment => (Icon::Comment, "quiet"),
            };
            line(
                drawing.0,
                drawing.1,
                html! {
                    (person(directory, &event.person)) " " (words::said(event.choice)) " via " (words::via(event.channel)) (record::entered(event.entered_by.as_ref(), event.integration.as_ref(), event.matched_account.as_ref())) (record::alias(directory, event.acted_as.as_ref(), &event.person, at))
                },
            )
        }
        Event::VoteRefused(event) => line(
            Icon::Minus,
            "warn",
            html! {
                (person(directory, &event.person)) " " (words::said(event.choice)) ", which did not count: " (words::because(event.why)) (record::entered(event.entered_by.as_ref(), event.integration.as_ref(), event.matched_account.as_ref())) (record::alias(directory, event.acted_as.as_ref(), &event.person, at))
            },
        ),
        Event::ReviewDecided(event) => match event.outcome {
            Verdict::Approved => {
                line(Icon::Check, "good end", html! { strong { "Approved" } " by " (people(directory, &event.decided_by)) })
            }
            Verdict::Rejected => {
                line(Icon::Cross, "bad end", html! { strong { "Rejected" } " by " (people(directory, &event.decided_by)) })
            }
        },
        Event::ReviewExpired(_) => line(Icon::Clock, "warn end", html! { strong { "Expired" } ": nobody decided in time" }),
        Event::ReviewCancelled(event) => {
            line(Icon::Minus, "warn end", html! { strong { "Cancelled" } " by " (outcome::canceller(&event.by, directory)) })
        }
        Event::ResumeAttached(_) => line(Icon::Bolt, "info", html! { "A further workflow waits on this review" }),
        Event::WorkflowResumed(event) => line(Icon::Bolt, "good", html! { "Workflow told " span.code { (event.told) } }),
        Event::WorkflowResumeFailed(event) => line(
            Icon::Alert,
            "warn",
            html! {
                "Workflow could not be told: " bdi { (event.error) }
                @if let Some(at) = event.retry_at { "; next try " (words::at(at)) } @else { "; it will not be tried again" }
            },
        ),
        Event::WorkflowResumeUnconfirmed(event) => {
            line(Icon::Alert, "warn", html! { "The workflow no longer waits (" bdi { (event.error) } "), and nothing shows why" })
        }
        Event::WorkflowEnded(event) => line(
            Icon::Bolt,
            "warn",
            html! { "A workflow that waited " (event.status.in_words()) ": " span.code { (event.execution_arn) } },
        ),
        Event::PersonRegistered(_)
        | Event::PersonRemoved(_)
        | Event::GroupDefined(_)
        | Event::GroupRemoved(_)
        | Event::IntegrationRegistered(_)
        | Event::IntegrationRevoked(_) => line(Icon::Dot, "quiet", html! { (event.type_name()) }),
    }
}
