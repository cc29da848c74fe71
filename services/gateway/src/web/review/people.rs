//! How far the decision has come, and whose it is.

use events::event::{Choice, Purpose};
use ledger::Status;
use maud::{Markup, html};
use review::{PrimaryId, owed, state::Review};

use super::{
    super::{
        icons::{Icon, icon},
        inbox::{chip, pips},
        words,
    },
    Loaded, person, status_of,
};

/// The card that draws votes against the quorum, with everybody who may decide.
pub(super) fn standing(loaded: &Loaded, review: &Review) -> Markup {
    let status = status_of(review, loaded.now);
    let approvals = review.last_words(&loaded.directory).values().filter(|vote| vote.what.choice == Choice::Approve).count();
    let quorum = review.request.policy.quorum;
    html! {
        section.card.standing aria-label="Where it stands" {
            div.standing-row {
                div.progress { (pips(approvals, quorum)) }
                @if status == Status::Open {
                    span.left .soon[words::is_soon(loaded.now, review.request.expires_at)] { (icon(Icon::Clock)) (words::left(loaded.now, review.request.expires_at)) }
                } @else { (chip(status)) }
            }
            p.muted.small {
                "Needs " (words::count(usize::from(quorum), "approval")) ". One rejection ends it. "
                @if status == Status::Open { "Expires " (words::at(review.request.expires_at)) "." }
            }
            (list(loaded, review))
        }
    }
}

/// Everybody who may decide: what they said, or how they were reached.
fn list(loaded: &Loaded, review: &Review) -> Markup {
    let said = review.last_words(&loaded.directory);
    let asked = owed::asked(review, &loaded.directory);
    html! {
            ul.people aria-label="Reviewers" {
                @for id in &asked { li {
                    @let vote = said.get(id);
                    span.avatar.(vote.map_or("waiting", |vote| tone(vote.what.choice))) aria-hidden="true" {
                        @match vote.map(|vote| vote.what.choice) {
                            Some(Choice::Approve) => (icon(Icon::Check)),
                            Some(Choice::Reject) => (icon(Icon::Cross)),
                            Some(_) => (icon(Icon::Edit)),
                            None => (initial(loaded.directory.name(id))),
                        }
                    }
                    div {
                        div { (person(&loaded.directory, id)) }
                        div.muted.small {
                            @match vote {
                                Some(vote) => { (words::said(vote.what.choice)) " " (words::ago(loaded.now, vote.at)) }
                                None => (reached(loaded, review, id)),
                            }
                        }
                    }
                } }
                @if asked.is_empty() { li { p.muted { "Nobody can decide this any more: the people it names have left the directory." } } }
            }
    }
}

fn reached(loaded: &Loaded, review: &Review, id: &PrimaryId) -> Markup {
    let directory = &loaded.directory;
    let mut notices = review.reached().rev().filter(|notice| notice.what.purpose() == Purpose::Asked);
    let notice = notices.find(|notice| directory.is(&notice.what.person, id));
    let mut failures = review.unreached.iter().rev().filter(|failed| failed.last.purpose() == Purpose::Asked);
    let failed = failures.find(|failed| directory.is(&failed.last.person, id));
    html! {
        @match (notice, failed) {
            (Some(notice), _) => { "notified by " (words::via(notice.what.channel)) " " (words::ago(loaded.now, notice.at)) }
            (None, Some(failed)) => {
                "not reached by " (words::via(failed.last.channel)) " (" (words::count(failed.tries as usize, "try").replace("trys", "tries")) ")"
            }
            (None, None) => "not notified yet",
        }
    }
}

fn tone(choice: Choice) -> &'static str {
    match choice {
        Choice::Approve => "approved",
        Choice::Reject => "rejected",
        Choice::RequestChanges | Choice::Comment => "changes",
    }
}

fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect()).unwrap_or_else(|| "?".to_owned())
}
