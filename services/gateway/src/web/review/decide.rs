//! The forms that decide, and what is said when one did not.

use events::{
    PersonId,
    event::{Choice, VoteRefusal},
    request::REASON_MAX,
};
use ledger::Status;
use maud::{Markup, html};
use review::{
    owed,
    state::{Dated, Ending, Review},
};

use super::{
    super::{
        icons::{Icon, icon},
        words,
    },
    Loaded, Viewer, outcome, person, status_of,
};

/// What was typed into a form that did not decide, so that it need not be typed again.
#[derive(Default)]
pub(in super::super) struct Draft {
    pub(in super::super) person: Option<PersonId>,
    pub(in super::super) reason: Option<String>,
    /// Why the review was to be cancelled.
    pub(in super::super) withdrawal: Option<String>,
}

/// What came of a form.
pub(in super::super) enum Notice {
    /// Something is missing or too long; nothing was decided.
    Incomplete {
        /// What to do about it.
        what: &'static str,
        /// What was typed.
        draft: Draft,
    },
    /// The vote did not count.
    NotCounted {
        /// Whose vote.
        person: PersonId,
        /// Why.
        why: VoteRefusal,
        /// How the review had ended, if it had.
        ending: Option<Dated<Ending>>,
    },
    /// The review could not be cancelled: it had ended before.
    EndedBefore(Dated<Ending>),
}

pub(super) fn notice(notice: &Notice, loaded: &Loaded, viewer: &Viewer) -> Markup {
    let (title, text) = match notice {
        Notice::Incomplete { what, .. } => ("Nothing was decided", html! { (what) }),
        Notice::NotCounted { person: voter, why, ending } => {
            let title =
                if matches!(viewer, Viewer::Person { .. }) { "Your vote did not count" } else { "The vote did not count" };
            let text = html! {
                @match ending {
                    Some(ending) => { "The review had already ended. " (outcome::sentence(ending, &loaded.directory)) "." }
                    None => { (person(&loaded.directory, voter)) " may not decide this: " (words::because(*why)) "." }
                }
                @if is_on_record(loaded, voter, *why) { " The vote is on record as refused." }
            };
            (title, text)
        }
        Notice::EndedBefore(ending) => {
            ("Nothing was changed", html! { "The review had already ended. " (outcome::sentence(ending, &loaded.directory)) "." })
        }
    };
    html! {
        div.notice role="alert" {
            (icon(Icon::Alert))
            div { p { strong { (title) } } p { (text) } }
        }
    }
}

/// A flood of refused votes is not all put on record.
fn is_on_record(loaded: &Loaded, voter: &PersonId, why: VoteRefusal) -> bool {
    let voter = loaded.directory.primary(voter);
    let refused = loaded.fold.state.review().map(|review| review.refused_votes.as_slice()).unwrap_or_default();
    refused.iter().any(|vote| vote.what.why == why && loaded.directory.is(&vote.what.person, &voter))
}

pub(super) fn forms(loaded: &Loaded, review: &Review, viewer: &Viewer, notice: Option<&Notice>) -> Markup {
    let empty = Draft::default();
    let draft = match notice {
        Some(Notice::Incomplete { draft, .. }) => draft,
        _ => &empty,
    };
    let is_open = status_of(review, loaded.now) == Status::Open;
    html! {
        @match viewer {
            Viewer::Person { person: id, action, csrf, bar } => {
                (own(loaded, review, id, action, csrf, draft, is_open))
                @if bar.is_some() && is_open && asked_for_it(loaded, review, id) { (cancel(review, csrf, draft)) }
            }
            Viewer::Operator { dev, csrf, .. } if is_open => {
                @if *dev { (on_behalf(loaded, review, csrf, draft)) }
                (cancel(review, csrf, draft))
            }
            Viewer::Operator { .. } => {}
        }
    }
}

fn own(loaded: &Loaded, review: &Review, id: &PersonId, action: &str, csrf: &str, draft: &Draft, is_open: bool) -> Markup {
    let id = &loaded.directory.primary(id);
    let may_decide = owed::asked(review, &loaded.directory).contains(id);
    let is_requester = review.is_requester(id, &loaded.directory);
    let said = review.last_words(&loaded.directory).get(id).copied();
    html! {
        section.card.decide aria-labelledby="decide" {
            h2 #decide { @if is_open && may_decide && said.is_none() { "Your decision" } @else { "You" } }
            p { "You are " strong { (person(&loaded.directory, id)) } @if loaded.directory.name(id) != id.as_str() { " " span.muted { "(" (id) ")" } } "." }
            @if let Some(vote) = said {
                p.said.(words::said(vote.what.choice)) { (icon(if vote.what.choice == Choice::Approve { Icon::Check } else if vote.what.choice == Choice::Reject { Icon::Cross } else { Icon::Edit })) span { "You " (words::said(vote.what.choice)) " " (words::ago(loaded.now, vote.at)) "." } }
            }
            @if !is_open {
                p.muted { "This review has ended; nothing more can be decided." }
            } @else if !may_decide && !is_requester {
                p { "You are not one of its reviewers (any more), so there is nothing for you to decide." }
            } @else if !may_decide {
                p.muted { "You asked for this review, so others decide. You may leave a comment." }
                form method="post" action=(action) { (fields(review, csrf, draft)) div.quiet-actions { (quiet(Choice::Comment)) } }
            } @else if said.is_some() {
                details #change { summary { "Change your vote" }
                    form method="post" action=(action) { (fields(review, csrf, draft)) (choices()) }
                }
            } @else {
                form method="post" action=(action) { (fields(review, csrf, draft)) (choices()) }
            }
        }
    }
}

/// Whether this person may withdraw it.
fn asked_for_it(loaded: &Loaded, review: &Review, id: &PersonId) -> bool {
    review.is_requester(&loaded.directory.primary(id), &loaded.directory)
}

fn on_behalf(loaded: &Loaded, review: &Review, csrf: &str, draft: &Draft) -> Markup {
    let asked = owed::asked(review, &loaded.directory);
    html! {
        section.card.decide aria-labelledby="decide" {
            h2 #decide { "Decide on behalf of a reviewer" }
            form method="post" action={ "/reviews/" (review.id) "/vote" } {
                label for="person" { "Reviewer" }
                select #person name="person" required {
                    option value="" { "Choose who decides…" }
                    @for id in &asked { option value=(id) selected[draft.person.as_ref().is_some_and(|person| loaded.directory.is(person, id))] { (loaded.directory.name(id)) } }
                }
                (fields(review, csrf, draft))
                (choices())
                p.muted.small { "Logged as entered by the operator." }
            }
        }
    }
}

fn cancel(review: &Review, csrf: &str, draft: &Draft) -> Markup {
    html! {
        details.cancel #cancel open[draft.withdrawal.is_some()] {
            summary { "Cancel this review" }
            form method="post" action={ "/reviews/" (review.id) "/cancel" } {
                p.muted.small { "Nobody can decide it afterwards, and a workflow that waits on it fails with " span.code { "Countersign.Cancelled" } "." }
                label for="cancel-reason" { "Reason " span.muted { "(optional)" } }
                input #cancel-reason type="text" name="reason" maxlength=(REASON_MAX) value=[draft.withdrawal.as_deref()] autocomplete="off" aria-describedby="cancel-left";
                p #cancel-left .muted.small.left-over hidden role="status" {}
                input type="hidden" name="csrf" value=(csrf);
                button.danger type="submit" { "Cancel the review" }
            }
        }
    }
}

fn fields(review: &Review, csrf: &str, draft: &Draft) -> Markup {
    html! {
        input type="hidden" name="csrf" value=(csrf);
        input type="hidden" name="seen_digest" value=(review.request.seen_digest());
        input type="hidden" name="subject_digest" value=(review.request.subject_digest);
        label for="reason" { "Reason " span.muted { "(optional, kept on record)" } }
        textarea #reason name="reason" rows="2" maxlength=(REASON_MAX) dir="auto" aria-describedby="reason-left" { (draft.reason.as_deref().unwrap_or_default()) }
        p #reason-left .muted.small.left-over hidden role="status" {}
    }
}

fn choices() -> Markup {
    html! {
        div.actions {
            button #approve .approve type="submit" name="choice" value="approve" { (icon(Icon::Check)) "Approve" }
            button #reject .reject type="submit" name="choice" value="reject" { (icon(Icon::Cross)) "Reject" }
        }
        div.quiet-actions { (quiet(Choice::RequestChanges)) (quiet(Choice::Comment)) }
    }
}

fn quiet(choice: Choice) -> Markup {
    html! {
        @match choice {
            Choice::RequestChanges => button.quiet type="submit" name="choice" value="request-changes" { (icon(Icon::Edit)) "Ask for changes" },
            _ => button.quiet type="submit" name="choice" value="comment" { (icon(Icon::Comment)) "Only comment" },
        }
    }
}
